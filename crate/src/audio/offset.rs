//! Takes a microphone's constant offset out of a sound: it is no sound, but the features would hear it as a deep one.

use super::SAMPLE_RATE;

/// What is slower than this goes, hertz; voices and features begin at 30.
const SLOWEST: f32 = 5.0;

/// A high-pass filter of the first order, sample by sample.
#[derive(Clone, Copy, Debug, Default)]
pub struct OffsetFilter {
    /// The last sample that came; `None` at the start of a sound.
    before: Option<f32>,
    out: f32,
}

impl OffsetFilter {
    /// The next sample without what is constant; samples must be finite.
    pub fn next(&mut self, sample: f32) -> f32 {
        const KEEP: f32 = 1.0 - std::f32::consts::TAU * SLOWEST / SAMPLE_RATE as f32;
        // A sound that starts with an offset does not start with a click.
        self.out = sample - self.before.unwrap_or(sample) + KEEP * self.out;
        self.before = Some(sample);
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_goes_and_the_voice_stays() {
        let (mut with, mut without) = (OffsetFilter::default(), OffsetFilter::default());
        for i in 0..16_000 {
            let voice = 0.3 * (std::f32::consts::TAU * 100.0 * i as f32 / 16_000.0).sin();
            let (a, b) = (with.next(voice + 0.7), without.next(voice));
            assert!((a - b).abs() < 1e-3 && (b - voice).abs() < 0.04, "sample {i}: {a}, {b}, {voice}");
        }
    }
}
