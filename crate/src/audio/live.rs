//! Resampling of a live sound whose sample rate may change at any moment: a microphone that is swapped, a call that
//! falls back to a narrow band.
//!
//! Every sample is kept with its own time, and each output is the sum of the samples around it, weighted by a windowed
//! sinc and by the time that each of them stands for. Where the rate is constant this is ordinary resampling; where it
//! changes, both sides meet without a gap, a click or a shift in time.

use std::collections::VecDeque;
use std::f64::consts::PI;

use super::SAMPLE_RATE;
use super::decode::RATES;
use super::error::AudioError;

/// Zeros of the sinc on each side.
const ZEROS: usize = 16;
/// Entries of the table from one zero to the next.
const FINE: usize = 256;
/// Share of the narrower band that passes, where rates differ.
const PASSES: f64 = 0.94;

/// Seconds on each side that a sample may act upon: of the lowest rate.
const FARTHEST: f64 = ZEROS as f64 / (PASSES * *RATES.start() as f64);

/// A stretch of sound at one rate.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// When its first sample is, s.
    start: f64,
    samples: u64,
    rate: u32,
}

impl Stretch {
    fn time(&self, sample: u64) -> f64 {
        self.start + sample as f64 / f64::from(self.rate)
    }

    /// Zeros of its sinc a second.
    fn zeros(&self) -> f64 {
        // Samples that come at the rate of the output pass unchanged.
        if self.rate == SAMPLE_RATE { f64::from(SAMPLE_RATE) } else { PASSES * f64::from(self.rate.min(SAMPLE_RATE)) }
    }
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    time: f64,
    value: f32,
    /// Seconds that the sample stands for.
    spacing: f32,
}

/// Mono samples at changing rates in, mono samples at [`SAMPLE_RATE`] out, in constant memory.
#[derive(Clone, Debug)]
pub struct LiveResampler {
    kernel: Vec<f32>,
    /// Stretches that still matter; the last one is being heard.
    stretches: VecDeque<Stretch>,
    recent: VecDeque<Heard>,
    /// Outputs made.
    made: u64,
}

impl Default for LiveResampler {
    fn default() -> Self {
        let at = |i: usize| {
            let x = i as f64 / FINE as f64;
            let (sinc, wide) = (if i == 0 { 1.0 } else { (PI * x).sin() / (PI * x) }, PI * x / ZEROS as f64);
            (sinc * (0.42 + 0.5 * wide.cos() + 0.08 * (2.0 * wide).cos())) as f32
        };
        Self {
            kernel: (0..=ZEROS * FINE + 1).map(at).collect(),
            stretches: VecDeque::new(),
            recent: VecDeque::new(),
            made: 0,
        }
    }
}

impl LiveResampler {
    /// Takes mono samples at `rate` hertz, which may differ from the rate before, and appends what is ready to `out`. What
    /// is not finite counts as silence.
    ///
    /// # Errors
    /// [`AudioError::SampleRate`] for a rate that no sound has; the samples are then not taken.
    pub fn push(&mut self, samples: &[f32], rate: u32, out: &mut Vec<f32>) -> Result<(), AudioError> {
        if !RATES.contains(&rate) {
            return Err(AudioError::SampleRate(rate));
        }
        if samples.is_empty() {
            return Ok(());
        }
        let spacing = 1.0 / f64::from(rate);
        let mut between = spacing;
        if self.stretches.back().is_none_or(|s| s.rate != rate) {
            let start = self.stretches.back().map_or(0.0, |s| s.time(s.samples));
            // The first sample of a new rate stands between a long step and a short one.
            between = self.stretches.back().map_or(spacing, |s| 0.5 * (spacing + 1.0 / f64::from(s.rate)));
            self.stretches.push_back(Stretch { start, samples: 0, rate });
        }
        for &x in samples {
            let Some(stretch) = self.stretches.back_mut() else { break };
            let time = stretch.time(stretch.samples);
            stretch.samples += 1;
            let value = if x.is_finite() { x } else { 0.0 };
            self.recent.push_back(Heard { time, value, spacing: between as f32 });
            between = spacing;
            // Outputs that no later sample can reach.
            while self.due() + ZEROS as f64 / self.zeros() <= time {
                out.push(self.next());
            }
        }
        Ok(())
    }

    /// Appends the rest: in all as many samples as last as long as the input. The next sound starts anew.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let until = self.stretches.back().map_or(0.0, |s| s.time(s.samples));
        let total = (until * f64::from(SAMPLE_RATE) - 1e-6).ceil().max(0.0) as u64;
        while self.made < total {
            out.push(self.next());
        }
        self.made = 0;
        self.stretches.clear();
        self.recent.clear();
    }

    /// When the next output is, s.
    fn due(&self) -> f64 {
        self.made as f64 / f64::from(SAMPLE_RATE)
    }

    /// Zeros a second of the sinc for the next output: those of the narrowest band near it, so that all samples that make
    /// it are weighed alike.
    fn zeros(&self) -> f64 {
        let from = self.due() - FARTHEST;
        let near = self.stretches.iter().filter(|s| s.time(s.samples) > from);
        near.map(Stretch::zeros).fold(f64::from(SAMPLE_RATE), f64::min)
    }

    fn next(&mut self) -> f32 {
        let (now, zeros) = (self.due(), self.zeros());
        self.made += 1;
        while self.recent.front().is_some_and(|h| h.time + FARTHEST < now) {
            self.recent.pop_front();
        }
        while self.stretches.len() > 1 && self.stretches.front().is_some_and(|s| s.time(s.samples) + FARTHEST < now) {
            self.stretches.pop_front();
        }
        let reach = ZEROS as f64 / zeros;
        let first = self.recent.partition_point(|h| h.time < now - reach);
        let (mut sum, mut all) = (0.0f32, 0.0f32);
        for h in self.recent.range(first..).take_while(|h| h.time <= now + reach) {
            let at = (now - h.time).abs() * zeros * FINE as f64;
            let (index, part) = (at as usize, at.fract() as f32);
            let Some(&[low, high]) = self.kernel.get(index..index + 2) else { continue };
            let weight = h.spacing * zeros as f32 * (low + part * (high - low));
            sum += weight * h.value;
            all += weight;
        }
        // All weights together are 1 up to the ripple of the window; at the ends of a sound they are less.
        if all > 0.5 { sum / all } else { sum }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    /// A tone whose samples come at these rates for so many seconds each.
    fn tone(hertz: f64, parts: &[(u32, f64)], chunk: usize) -> Vec<f32> {
        let (mut live, mut out, mut start) = (LiveResampler::default(), Vec::new(), 0.0);
        for &(rate, seconds) in parts {
            let count = (seconds * f64::from(rate)) as usize;
            let at = |i: usize| (0.5 * (TAU * hertz * (start + i as f64 / f64::from(rate))).sin()) as f32;
            for part in (0..count).map(at).collect::<Vec<_>>().chunks(chunk) {
                live.push(part, rate, &mut out).unwrap();
            }
            start += count as f64 / f64::from(rate);
        }
        live.finish(&mut out);
        out
    }

    #[test]
    fn a_tone_goes_on_through_changes_of_rate() {
        let parts = [(48_000, 0.3), (16_000, 0.2), (44_100, 0.3), (8_000, 0.3), (22_050, 0.1), (96_000, 0.2)];
        // One sample where two rates meet may be off by a part of what the tone changes in the narrower one's step.
        for (hertz, near) in [(110.0, 0.02), (440.0, 0.05), (2500.0, 0.12)] {
            let out = tone(hertz, &parts, 160);
            assert!((out.len() as f64 / 16_000.0 - 1.4).abs() < 0.001, "{} samples", out.len());
            for (i, x) in out.iter().enumerate().take(out.len() - 60).skip(60) {
                let wanted = 0.5 * (TAU * hertz * i as f64 / 16_000.0).sin();
                assert!((f64::from(*x) - wanted).abs() < near, "{hertz} Hz, sample {i}: {x}, expected {wanted}");
            }
            assert_eq!(out, tone(hertz, &parts, 4801));
        }
    }

    #[test]
    fn little_is_held_back() {
        for (rate, most) in [(8_000, 0.0025), (16_000, 0.0012), (44_100, 0.0012), (48_000, 0.0012), (192_000, 0.0012)] {
            let (mut live, mut out, mut pushed) = (LiveResampler::default(), Vec::new(), 0);
            for part in vec![0.1; rate as usize].chunks(128) {
                live.push(part, rate, &mut out).unwrap();
                pushed += part.len();
                let behind = pushed as f64 / f64::from(rate) - out.len() as f64 / f64::from(SAMPLE_RATE);
                assert!(behind < most, "{rate} Hz: {behind} s behind");
            }
        }
    }

    #[test]
    fn the_rate_of_the_output_passes_unchanged() {
        let sound: Vec<f32> = (0..5000).map(|i| (i as f32 * 0.71).sin() * (i as f32 * 0.013).cos()).collect();
        let (mut live, mut out) = (LiveResampler::default(), Vec::new());
        live.push(&sound, SAMPLE_RATE, &mut out).unwrap();
        live.finish(&mut out);
        assert_eq!(out.len(), sound.len());
        assert!(out.iter().zip(&sound).all(|(a, b)| (a - b).abs() < 1e-3));
    }

    #[test]
    fn what_the_output_cannot_hold_is_gone() {
        let out = tone(11_000.0, &[(48_000, 0.3)], 480);
        assert!(out[200..4000].iter().all(|x| x.abs() < 0.005));
    }

    #[test]
    fn nonsense_is_refused() {
        let (mut live, mut out) = (LiveResampler::default(), Vec::new());
        assert!(matches!(live.push(&[0.0], 0, &mut out), Err(AudioError::SampleRate(0))));
        live.push(&[f32::NAN, f32::INFINITY, 1.0], 8_000, &mut out).unwrap();
        live.finish(&mut out);
        assert_eq!(out.len(), 6);
        assert!(out.iter().all(|x| x.is_finite()));
    }
}
