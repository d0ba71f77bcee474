//! Is this speech at all? Noise, hum and engines make a sound, but no phones that the encoder is sure of.
//!
//! In speech the likeliest phone but silence has .33 to .82 of the probability (5 to 95 % of all seconds; 101 clips in five
//! languages, 44 whispered or under noise and music), in noise, clicks and drums .15 at most. A whistle may sound like a
//! vowel with .48, but nothing in it changes. Music that is played note by note reaches .48 too; but its partials stand
//! still ([`super::steady`]), and where they do, phones must be surer: in sung words they are (.38 to .76).

use super::articulation::smoothstep;

/// Mean probability of the likeliest phone under which a sound is no speech, and from which on it is.
const NO_SPEECH: f32 = 0.22;
const SPEECH: f32 = 0.32;
/// The same for a sound in which nothing changes: a vowel that is sung for long.
const HELD: [f32; 2] = [0.50, 0.60];
/// Changes of the likeliest phone a row: none .. as in slow speech.
const CHANGES: [f32; 2] = [0.04, 0.12];
/// How still partials stand in speech and in music, and by how much surer phones must be where they do.
const LINES: [f32; 2] = [0.35, 0.65];
const SURER: f32 = 0.14;
/// Parts of the way to the newest evidence, a block: for it, against it, and for changes and lines.
const BELIEF: f32 = 0.15;
const DOUBT: f32 = 0.06;
const COUNT: f32 = 0.06;

/// Judges the encoder's opinions as they come.
#[derive(Clone, Debug)]
pub(super) struct SpeechGate {
    evidence: f32,
    changes: f32,
    lines: f32,
    last: usize,
}

impl Default for SpeechGate {
    /// Speech is expected, so that nothing of the first word is lost.
    fn default() -> Self {
        Self { evidence: 0.45, changes: 0.25, lines: 0.1, last: 0 }
    }
}

impl SpeechGate {
    /// Takes a block's rows of phone probabilities, silence at `silence`, and how still its partials stand; `heard`:
    /// there is a sound. Answers how much this is speech, 0..1.
    pub fn step(&mut self, rows: &[Vec<f32>], silence: Option<usize>, still: f32, heard: bool) -> f32 {
        if heard && !rows.is_empty() {
            let (mut sure, mut changed) = (0.0, 0.0);
            for row in rows {
                let phones = row.iter().enumerate().filter(|(i, _)| Some(*i) != silence);
                let (likeliest, p) = phones.max_by(|a, b| a.1.total_cmp(b.1)).unwrap_or((0, &0.0));
                sure += p;
                changed += f32::from(u8::from(likeliest != self.last));
                self.last = likeliest;
            }
            let (sure, changed) = (sure / rows.len() as f32, changed / rows.len() as f32);
            self.evidence += if sure > self.evidence { BELIEF } else { DOUBT } * (sure - self.evidence);
            self.changes += COUNT * (changed - self.changes);
            self.lines += COUNT * (still - self.lines);
        }
        let held = (1.0 - smoothstep(self.changes, CHANGES[0], CHANGES[1]))
            * (1.0 - smoothstep(self.evidence, HELD[0], HELD[1]));
        let more = SURER * smoothstep(self.lines, LINES[0], LINES[1]);
        smoothstep(self.evidence, NO_SPEECH + more, SPEECH + more) * (1.0 - held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows in which one phone has probability `p`, silence (0) `quiet`, and the rest share what is left.
    fn run(seconds: f32, p: f32, quiet: f32, hold: usize, still: f32) -> f32 {
        let mut gate = SpeechGate::default();
        let mut last = 1.0;
        for block in 0..(seconds * 25.0) as usize {
            let row = |k: usize| {
                let mut row = vec![(1.0 - p - quiet) / 38.0; 40];
                row[0] = quiet;
                row[1 + (2 * block + k) / hold % 39] = p;
                row
            };
            last = gate.step(&[row(0), row(1)], Some(0), still, true);
        }
        last
    }

    #[test]
    fn phones_are_speech_and_noise_is_not() {
        assert!(run(5.0, 0.5, 0.1, 4, 0.1) > 0.99);
        assert!(run(5.0, 0.06, 0.6, 1, 0.0) < 0.01, "noise");
        assert!(run(8.0, 0.33, 0.1, 1_000_000, 0.7) < 0.05, "a hum");
        assert!(run(8.0, 0.7, 0.05, 1_000_000, 0.7) > 0.95, "a vowel sung for long");
        assert!(run(5.0, 0.33, 0.1, 4, 0.1) > 0.99, "strange speech");
        assert!(run(5.0, 0.31, 0.1, 4, 0.6) < 0.05, "a melody");
        assert!(run(5.0, 0.44, 0.1, 4, 0.6) > 0.95, "a song");
    }

    #[test]
    fn silence_proves_nothing() {
        let mut gate = SpeechGate::default();
        for _ in 0..1000 {
            assert!(gate.step(&[vec![1.0 / 40.0; 40]], Some(0), 0.9, false) > 0.99);
        }
    }
}
