//! Mixing of channels followed by resampling, chunk by chunk.

use super::decode::{AudioFormat, Channel};
use super::error::AudioError;
use super::resample::Resampler;

/// Which channels come out of a [`Converter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// One channel: the mean of all channels but subwoofers. For the motion generator.
    Mono,
    /// One channel if the recording has one, otherwise left and right. For a sound track.
    AtMostStereo,
}

/// Turns a recording's blocks into samples of another rate and number of channels.
pub struct Converter {
    /// For each output channel: the weight of each input channel.
    weights: Vec<Vec<f32>>,
    inputs: usize,
    mixed: Vec<f32>,
    resampler: Resampler,
}

impl Converter {
    /// A converter from `format` to `sample_rate` hertz.
    ///
    /// # Errors
    /// When the rates cannot be converted into each other.
    pub fn new(format: &AudioFormat, sample_rate: u32, mix: Mix) -> Result<Self, AudioError> {
        let inputs = format.channels.len();
        if inputs == 0 {
            return Err(AudioError::Channels(0));
        }
        let weights = match (mix, inputs) {
            (_, 1) => vec![vec![1.0]],
            (Mix::Mono, _) => vec![weights(&format.channels, |c| c != Channel::LowFrequency)],
            (Mix::AtMostStereo, _) => vec![
                weights(&format.channels, |c| matches!(c, Channel::Left | Channel::Center)),
                weights(&format.channels, |c| matches!(c, Channel::Right | Channel::Center)),
            ],
        };
        let resampler = Resampler::new(format.sample_rate, sample_rate, weights.len())?;
        Ok(Self { weights, inputs, mixed: Vec::new(), resampler })
    }

    /// Channels that come out.
    pub fn channels(&self) -> usize {
        self.weights.len()
    }

    /// Converts a block of interleaved samples and appends what is ready to `out`, interleaved.
    pub fn push(&mut self, block: &[f32], out: &mut Vec<f32>) {
        self.mixed.clear();
        for frame in block.chunks_exact(self.inputs) {
            for weights in &self.weights {
                self.mixed.push(frame.iter().zip(weights).map(|(s, w)| s * w).sum());
            }
        }
        self.resampler.push(&self.mixed, out);
    }

    /// Appends what is left, so that the whole output is as long as the whole input.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        self.resampler.finish(out);
    }
}

/// Equal weights for the channels that `take` accepts; for all if it accepts none.
fn weights(channels: &[Channel], take: impl Fn(Channel) -> bool) -> Vec<f32> {
    let taken = channels.iter().filter(|&&c| take(c)).count();
    channels
        .iter()
        .map(|&c| match taken {
            0 => 1.0 / channels.len() as f32,
            n if take(c) => 1.0 / n as f32,
            _ => 0.0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(channels: &[Channel]) -> AudioFormat {
        AudioFormat { sample_rate: 16_000, channels: channels.to_vec() }
    }

    fn convert(format: &AudioFormat, mix: Mix, frame: &[f32]) -> Vec<f32> {
        let mut converter = Converter::new(format, 16_000, mix).expect("same rate");
        let mut out = Vec::new();
        converter.push(frame, &mut out);
        converter.finish(&mut out);
        out
    }

    #[test]
    fn mono_leaves_the_subwoofer_out() {
        use Channel::{Center, Left, LowFrequency, Right};
        let surround = format(&[Left, Right, Center, LowFrequency, Left, Right]);
        let frame = [0.1, 0.2, 0.3, 100.0, 0.4, 0.5];
        let mono = convert(&surround, Mix::Mono, &frame);
        assert!((mono[0] - 0.3).abs() < 1e-6, "{mono:?}");
        let stereo = convert(&surround, Mix::AtMostStereo, &frame);
        assert!((stereo[0] - 0.8 / 3.0).abs() < 1e-6 && (stereo[1] - 1.0 / 3.0).abs() < 1e-6, "{stereo:?}");
    }

    #[test]
    fn a_lone_subwoofer_is_still_heard() {
        assert_eq!(convert(&format(&[Channel::LowFrequency]), Mix::Mono, &[0.5]), [0.5]);
        assert_eq!(convert(&format(&[Channel::LowFrequency; 2]), Mix::Mono, &[0.5, 0.5]), [0.5]);
    }

    #[test]
    fn mono_stays_mono_in_a_sound_track() {
        assert_eq!(convert(&format(&[Channel::Center]), Mix::AtMostStereo, &[0.5, -0.5]), [0.5, -0.5]);
    }
}
