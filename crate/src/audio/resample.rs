//! Resampling of interleaved samples, chunk by chunk, with the filter's delay removed.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _};

use super::error::AudioError;

/// Input frames that are resampled at a time, about; the true number makes the rates' ratio come out even.
const CHUNK: usize = 1024;

/// Converts one sample rate into another. The output has `round(frames * to / from)` frames and no delay.
pub struct Resampler {
    /// None where both rates are the same.
    filter: Option<Fft<f32>>,
    from: u32,
    to: u32,
    channels: usize,
    waiting: Vec<f32>,
    ready: Vec<f32>,
    /// Frames at the start that only hold the filter's delay and are still to be dropped.
    delay: usize,
    pushed: u64,
    produced: u64,
}

/// Input frames of one step of the rates' ratio.
fn step(from: u32, to: u32) -> usize {
    let (mut a, mut b) = (from, to);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    (from / a.max(1)).max(1) as usize
}

/// Input frames of a chunk that is a whole, even number of steps of the rates' ratio: the delay of an odd one is not a
/// whole number of frames, which would shift the sound by half a frame.
fn even_chunk(from: u32, to: u32) -> usize {
    let step = step(from, to);
    step * CHUNK.div_ceil(step).next_multiple_of(2)
}

impl Resampler {
    /// A resampler for `channels` interleaved channels, rates in hertz.
    ///
    /// # Errors
    /// When a rate or the number of channels is 0.
    pub fn new(from: u32, to: u32, channels: usize) -> Result<Self, AudioError> {
        if channels == 0 {
            return Err(AudioError::Channels(channels));
        }
        let filter = if from == to && from > 0 {
            None
        } else {
            let filter = Fft::new(from as usize, to as usize, even_chunk(from, to), channels, FixedSync::Both)
                .map_err(|error| AudioError::Resampling(error.to_string()))?;
            Some(filter)
        };
        let delay = filter.as_ref().map_or(0, |f| f.output_delay());
        let ready = vec![0.0; filter.as_ref().map_or(0, |f| f.output_frames_max() * channels)];
        Ok(Self { filter, from, to, channels, waiting: Vec::new(), ready, delay, pushed: 0, produced: 0 })
    }

    /// Takes interleaved samples and appends what is ready to `out`.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.pushed += (samples.len() / self.channels) as u64;
        let Some(needed) = self.filter.as_ref().map(|f| f.input_frames_next() * self.channels) else {
            out.extend_from_slice(samples);
            return;
        };
        self.waiting.extend_from_slice(samples);
        let mut taken = 0;
        while self.waiting.len() - taken >= needed {
            self.process(taken, needed, out, u64::MAX);
            taken += needed;
        }
        self.waiting.drain(..taken);
    }

    /// Appends the rest of the output.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let Some(needed) = self.filter.as_ref().map(|f| f.input_frames_next() * self.channels) else { return };
        let total = (self.pushed * u64::from(self.to) + u64::from(self.from) / 2) / u64::from(self.from);
        while self.produced < total {
            self.waiting.resize(needed, 0.0);
            self.process(0, needed, out, total - self.produced);
            self.waiting.clear();
        }
    }

    /// Resamples `needed` samples of `waiting` from `start` on and appends at most `limit` frames.
    fn process(&mut self, start: usize, needed: usize, out: &mut Vec<f32>, limit: u64) {
        let Some(filter) = &mut self.filter else { return };
        let (in_frames, out_frames) = (needed / self.channels, self.ready.len() / self.channels);
        let made = match (
            InterleavedSlice::new(&self.waiting[start..start + needed], self.channels, in_frames),
            InterleavedSlice::new_mut(&mut self.ready, self.channels, out_frames),
        ) {
            (Ok(input), Ok(mut output)) => {
                filter.process_into_buffer(&input, &mut output, None::<&Indexing>).map_or(0, |(_, made)| made)
            }
            _ => 0,
        };
        let dropped = self.delay.min(made);
        self.delay -= dropped;
        let kept = ((made - dropped) as u64).min(limit) as usize;
        out.extend_from_slice(&self.ready[dropped * self.channels..(dropped + kept) * self.channels]);
        self.produced += kept as u64;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::f64::consts::TAU;

    use super::*;

    fn tone(rate: u32, hertz: f64, seconds: f64, channels: usize) -> Vec<f32> {
        (0..(f64::from(rate) * seconds) as usize)
            .flat_map(|i| (0..channels).map(move |c| TAU * hertz * i as f64 / f64::from(rate) + c as f64))
            .map(|phase| (0.5 * phase.sin()) as f32)
            .collect()
    }

    fn resample(samples: &[f32], from: u32, to: u32, channels: usize, chunk: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to, channels).expect("rates are fine");
        let mut out = Vec::new();
        for part in samples.chunks(chunk * channels) {
            resampler.push(part, &mut out);
        }
        resampler.finish(&mut out);
        out
    }

    /// A tone stays the same tone: right pitch, level and, above all, no shift in time.
    #[test]
    fn tones_keep_their_time_and_level() {
        for from in [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000] {
            let out = resample(&tone(from, 440.0, 1.0, 2), from, 16_000, 2, 777);
            let wanted = tone(16_000, 440.0, 1.0, 2);
            assert_eq!(out.len(), wanted.len(), "{from} Hz");
            // The ends ring, because the tone starts and stops there.
            for i in 2_000..30_000 {
                assert!((out[i] - wanted[i]).abs() < 2e-3, "{from} Hz, sample {i}: {} and {}", out[i], wanted[i]);
            }
        }
    }

    /// What lies above the new Nyquist frequency must not fold back.
    #[test]
    fn high_tones_do_not_alias() {
        let out = resample(&tone(48_000, 11_000.0, 1.0, 1), 48_000, 16_000, 1, 480);
        let peak = out[1_000..15_000].iter().fold(0.0f32, |m, s| m.max(s.abs()));
        assert!(peak < 1e-3, "{peak}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// The length is exact and the result does not depend on how the input is cut.
        #[test]
        fn chunking_does_not_matter(
            from in prop::sample::select(vec![8_000u32, 16_000, 22_050, 44_100, 44_099, 48_000]),
            frames in 0usize..6_000,
            chunk in 1usize..3_000,
            channels in 1usize..4,
        ) {
            let samples: Vec<f32> = (0..frames * channels).map(|i| (i as f32 * 0.37).sin()).collect();
            let whole = resample(&samples, from, 16_000, channels, usize::MAX / 8);
            let parts = resample(&samples, from, 16_000, channels, chunk);
            prop_assert_eq!(whole.len(), (frames as f64 * 16_000.0 / f64::from(from)).round() as usize * channels);
            prop_assert_eq!(whole, parts);
        }
    }
}
