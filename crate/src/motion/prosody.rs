//! Loudness, pitch and voicing of a stream, one reading for each block of 40 ms, in constant memory.

/// Samples of a block at 16 kHz.
pub const BLOCK: usize = 640;
/// Below this level a block is silence whatever came before, dB of full scale.
const QUIET_DB: f32 = -60.0;
/// The loudness range under the recent peak that counts, dB.
const RANGE_DB: f32 = 35.0;
/// Lags at 8 kHz: 69 to 400 Hz.
const LAGS: std::ops::Range<usize> = 20..116;

/// How a block sounds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prosody {
    /// 0 (silent or far below the recent peak) .. 1.
    pub loudness: f32,
    /// Semitones above the speaker's recent mean, -8..8; 0 where unvoiced.
    pub pitch: f32,
    /// Strength of the voice's periodicity, 0..1.
    pub voicing: f32,
}

/// Measures blocks.
#[derive(Clone, Debug)]
pub struct ProsodyMeter {
    /// Recent peak level, dB; falls slowly.
    peak_db: f32,
    /// Recent mean pitch, octaves of 1 Hz; `None` before the first voiced block.
    mean_octave: Option<f32>,
}

impl Default for ProsodyMeter {
    fn default() -> Self {
        Self { peak_db: -35.0, mean_octave: None }
    }
}

impl ProsodyMeter {
    /// Measures the next block; samples must be finite.
    pub fn measure(&mut self, block: &[f32; BLOCK]) -> Prosody {
        let mean = block.iter().sum::<f32>() / BLOCK as f32;
        let power = block.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / BLOCK as f32;
        let db = 10.0 * (power + 1e-12).log10();
        // The peak falls 1 dB a second, but not below a faint voice, so that background noise never counts as loud.
        self.peak_db = db.max(self.peak_db - 0.04).max(-45.0);
        let loudness = if db < QUIET_DB { 0.0 } else { ((db - self.peak_db + RANGE_DB) / RANGE_DB).clamp(0.0, 1.0) };
        let (lag, voicing) = if loudness > 0.3 { period(block, mean) } else { (0.0, 0.0) };
        let mut pitch = 0.0;
        if voicing > 0.5 {
            let octave = (8000.0 / lag).log2();
            let mean = *self.mean_octave.get_or_insert(octave);
            pitch = (12.0 * (octave - mean)).clamp(-8.0, 8.0);
            self.mean_octave = Some(mean + 0.02 * (octave - mean));
        }
        Prosody { loudness, pitch, voicing }
    }
}

/// Period in samples at 8 kHz and how well the block repeats after it (normalised autocorrelation).
fn period(block: &[f32; BLOCK], mean: f32) -> (f32, f32) {
    let mut x = [0.0f32; BLOCK / 2];
    for (to, pair) in x.iter_mut().zip(block.chunks_exact(2)) {
        *to = 0.5 * (pair[0] + pair[1]) - mean;
    }
    let correlation = |lag: usize| {
        let (a, b) = (&x[..x.len() - lag], &x[lag..]);
        let (mut ab, mut aa, mut bb) = (0.0, 1e-9, 1e-9);
        for (p, q) in a.iter().zip(b) {
            ab += p * q;
            aa += p * p;
            bb += q * q;
        }
        ab / f32::sqrt(aa * bb)
    };
    let mut all = [0.0f32; LAGS.end];
    let mut best = 0.0f32;
    for lag in LAGS {
        all[lag] = correlation(lag);
        best = best.max(all[lag]);
    }
    // The shortest of nearly equal periods: longer ones are its multiples.
    let first = LAGS
        .clone()
        .skip(1)
        .take(LAGS.len() - 2)
        .find(|&l| all[l] > 0.88 * best && all[l] >= all[l - 1] && all[l] >= all[l + 1]);
    first.map_or((LAGS.start as f32, 0.0), |l| (l as f32, all[l].clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, loud: f32, at: usize) -> [f32; BLOCK] {
        std::array::from_fn(|i| {
            let t = (at * BLOCK + i) as f32 / 16000.0;
            let harmonics = (1..6).map(|h| (t * hz * h as f32 * std::f32::consts::TAU).sin() / h as f32);
            loud * harmonics.sum::<f32>()
        })
    }

    #[test]
    fn pitch_goes_up_with_the_voice() {
        let mut meter = ProsodyMeter::default();
        for k in 0..30 {
            assert!(meter.measure(&tone(120.0, 0.1, k)).voicing > 0.8);
        }
        let up = meter.measure(&tone(151.0, 0.1, 30));
        assert!((up.pitch - 4.0).abs() < 0.8, "{up:?}");
    }

    #[test]
    fn silence_noise_and_offset_have_no_voice() {
        let mut meter = ProsodyMeter::default();
        assert_eq!(meter.measure(&[0.0; BLOCK]), Prosody::default());
        assert_eq!(meter.measure(&[0.5; BLOCK]), Prosody::default());
        let mut state = 1u32;
        let noise = std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / u32::MAX as f32 - 0.5
        });
        let heard = meter.measure(&noise);
        assert!(heard.loudness > 0.9 && heard.voicing < 0.5, "{heard:?}");
    }

    #[test]
    fn quiet_speech_counts_as_much_as_loud_speech() {
        for loud in [0.01, 0.3] {
            let mut meter = ProsodyMeter::default();
            let last = (0..20).map(|k| meter.measure(&tone(120.0, loud, k))).last().unwrap();
            assert!(last.loudness > 0.8, "{loud}: {last:?}");
        }
    }
}
