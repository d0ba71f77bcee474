//! The rhythm of speech as head, brows and eyes need it: who is speaking, where phrases begin and end, which syllables
//! carry an accent.

use super::dice::Spring;
use super::prosody::Prosody;

/// Least time between two accents, s.
const ACCENT_REST: f32 = 0.45;
/// A silence becomes a pause after this time, s: closures of stops are shorter.
const PAUSE_AFTER: f32 = 0.16;

/// What happens in the speech at one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Beat {
    /// 0 in silence .. 1 in speech, smooth.
    pub speaking: f32,
    /// Seconds since the voice stopped; 0 while it speaks.
    pub silent_for: f32,
    /// A pause begins here.
    pub pause_begins: bool,
    /// Speech sets in again here, after a pause of so many seconds.
    pub phrase_begins: Option<f32>,
    /// An accented syllable is here, with its strength (about 0..1).
    pub accent: Option<f32>,
    /// Loudness, smoothed over a syllable, 0..1.
    pub loudness: f32,
    /// Semitones about the speaker's mean.
    pub pitch: f32,
}

/// Finds beats in the readings of a stream.
#[derive(Clone, Debug)]
pub struct Rhythm {
    dt: f32,
    speaking: Spring,
    /// Seconds without voice; large at the start, where everything before was silence.
    silent_for: f32,
    paused: bool,
    /// Loudness before, at and after the frame, smoothed.
    loud: [f32; 3],
    /// Running mean of what makes a syllable stand out.
    usual: f32,
    since_accent: f32,
}

impl Rhythm {
    /// At the start of a sound; `dt` is the time between frames, s.
    pub fn new(dt: f32) -> Self {
        Self {
            dt,
            speaking: Spring::default(),
            silent_for: 10.0,
            paused: true,
            loud: [0.0; 3],
            usual: 0.8,
            since_accent: 10.0,
        }
    }

    /// Moves on by one frame. `now` and `next` are the readings of the frame's block and the one after it, `silence` is
    /// the encoder's probability of silence.
    pub fn step(&mut self, now: &Prosody, next: &Prosody, silence: f32) -> Beat {
        let smooth = 0.5 * now.loudness + 0.5 * next.loudness;
        self.loud = [self.loud[1], self.loud[2], smooth];
        let [before, here, after] = self.loud;
        let voice = now.loudness > 0.15 && (silence < 0.5 || now.voicing > 0.6);
        let silent_before = self.silent_for;
        self.silent_for = if voice { 0.0 } else { (self.silent_for + self.dt).min(1e4) };
        let pause_begins = !self.paused && self.silent_for >= PAUSE_AFTER;
        let phrase_begins = (self.paused && voice).then_some(silent_before);
        self.paused = (self.paused || pause_begins) && !voice;
        self.since_accent += self.dt;
        let mut accent = None;
        if voice && here >= before && here > after && here > 0.4 && now.voicing > 0.4 {
            let score = here + 0.05 * now.pitch.max(0.0);
            if score > self.usual && self.since_accent > ACCENT_REST {
                accent = Some((0.5 + 2.0 * (score - self.usual)).clamp(0.2, 1.0));
                self.since_accent = 0.0;
            }
            self.usual += 0.12 * (score - self.usual);
        }
        let goal = if self.silent_for < 0.12 { 1.0 } else { 0.0 };
        Beat {
            speaking: self.speaking.step(goal, 9.0, self.dt),
            silent_for: self.silent_for,
            pause_begins,
            phrase_begins,
            accent,
            loudness: here,
            pitch: now.pitch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syllables(loud: impl Fn(usize) -> f32, frames: usize) -> Vec<Beat> {
        let mut rhythm = Rhythm::new(0.04);
        let reading = |i: usize| {
            let loudness = loud(i);
            let voicing = if loudness > 0.3 { 0.9 } else { 0.0 };
            Prosody { loudness, voicing, pitch: 0.0 }
        };
        (0..frames)
            .map(|i| rhythm.step(&reading(i), &reading(i + 1), if loud(i) < 0.1 { 0.95 } else { 0.05 }))
            .collect()
    }

    #[test]
    fn a_pause_has_a_beginning_and_an_end() {
        let beats = syllables(|i| if (50..80).contains(&i) { 0.0 } else { 0.9 }, 120);
        let begins: Vec<_> = (0..120).filter(|&i| beats[i].pause_begins).collect();
        let phrases: Vec<_> = (0..120).filter(|&i| beats[i].phrase_begins.is_some()).collect();
        assert_eq!((begins, phrases), (vec![53], vec![0, 80]));
        assert!(beats[45].speaking > 0.95 && beats[78].speaking < 0.1);
    }

    #[test]
    fn stops_are_no_pauses() {
        let beats = syllables(|i| if i % 10 < 3 { 0.05 } else { 0.8 }, 100);
        assert!(beats[5..].iter().all(|b| !b.pause_begins && b.phrase_begins.is_none()));
    }

    #[test]
    fn the_louder_syllables_are_accents() {
        let wave = |i: usize| 0.55 + 0.15 * (i as f32 * 0.9).sin() + if i % 28 < 4 { 0.25 } else { 0.0 };
        let beats = syllables(wave, 500);
        let at: Vec<_> = (100..500).filter(|&i| beats[i].accent.is_some()).collect();
        assert!((10..30).contains(&at.len()), "{at:?}");
        assert!(at.iter().filter(|&&i| i % 28 < 6).count() * 10 >= at.len() * 7, "{at:?}");
    }
}
