//! Log-mel features of a stream of samples.
//!
//! The definition is shared with the training (`training/FORMAT.md`, section 1): windows of 25 ms every 10 ms, HTK mel
//! scale, 80 bands from 30 to 7800 Hz, natural logarithm. Frame `k` covers the samples `160 k - 240 .. 160 k + 160`.

use std::f64::consts::TAU;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

/// Bands of a frame.
pub const BANDS: usize = 80;
/// Samples from one frame to the next, at [`super::SAMPLE_RATE`].
pub const HOP: usize = 160;

const WINDOW: usize = 400;
const FFT: usize = 512;
const LOW_HZ: f64 = 30.0;
const HIGH_HZ: f64 = 7800.0;
/// Added to each power: about the rounding noise of 16-bit samples.
const FLOOR: f32 = 1e-7;
/// Louder samples are clipped here, so that no power overflows; full scale is 1.
const LOUDEST: f32 = 1e4;

/// One band: weights of the FFT's bins from `first` on.
struct Band {
    first: usize,
    weights: Vec<f32>,
}

/// Turns samples into frames of [`BANDS`] values, as they come, in constant memory.
pub struct LogMel {
    fft: Arc<dyn RealToComplex<f32>>,
    window: [f32; WINDOW],
    bands: Vec<Band>,
    /// The last `WINDOW` samples at most; what is before the first sample is silence.
    recent: [f32; WINDOW],
    /// Samples in `recent` that no frame has ended with yet, below `HOP`.
    fresh: usize,
    buffer: Vec<f32>,
    spectrum: Vec<Complex32>,
    scratch: Vec<Complex32>,
    power: [f32; FFT / 2 + 1],
}

impl Default for LogMel {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for LogMel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "log-mel, {} samples in waiting", self.fresh)
    }
}

impl LogMel {
    /// At the start of a sound.
    pub fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(FFT);
        let (buffer, spectrum, scratch) = (fft.make_input_vec(), fft.make_output_vec(), fft.make_scratch_vec());
        Self {
            window: std::array::from_fn(|i| (0.5 - 0.5 * (TAU * i as f64 / WINDOW as f64).cos()) as f32),
            bands: (0..BANDS).map(band).collect(),
            recent: [0.0; WINDOW],
            fresh: 0,
            power: [0.0; FFT / 2 + 1],
            fft,
            buffer,
            spectrum,
            scratch,
        }
    }

    /// Takes mono samples at 16 kHz, nominally within -1..1, and emits each frame that is complete with them: `n` samples
    /// in all give `n / 160` frames. A sample that is not finite counts as silence.
    pub fn push(&mut self, samples: &[f32], emit: &mut impl FnMut(&[f32; BANDS])) {
        let mut rest = samples;
        while !rest.is_empty() {
            let take = rest.len().min(HOP - self.fresh);
            let start = WINDOW - HOP + self.fresh;
            for (to, &from) in self.recent[start..start + take].iter_mut().zip(rest) {
                *to = if from.is_finite() { from.clamp(-LOUDEST, LOUDEST) } else { 0.0 };
            }
            self.fresh += take;
            rest = &rest[take..];
            if self.fresh == HOP {
                emit(&self.frame());
                self.recent.copy_within(HOP.., 0);
                self.fresh = 0;
            }
        }
    }

    fn frame(&mut self) -> [f32; BANDS] {
        for ((to, x), w) in self.buffer.iter_mut().zip(&self.recent).zip(&self.window) {
            *to = x * w;
        }
        self.buffer[WINDOW..].fill(0.0);
        // It fails only for buffers of another length than the plan's own.
        if self.fft.process_with_scratch(&mut self.buffer, &mut self.spectrum, &mut self.scratch).is_err() {
            self.spectrum.fill(Complex32::default());
        }
        for (p, bin) in self.power.iter_mut().zip(&self.spectrum) {
            *p = bin.norm_sqr() / WINDOW as f32;
        }
        std::array::from_fn(|m| {
            let Band { first, weights } = &self.bands[m];
            let power: f32 = self.power[*first..].iter().zip(weights).map(|(p, w)| p * w).sum();
            (power + FLOOR).ln()
        })
    }
}

/// Triangle over the FFT's bins with a sum of 1; the lowest bands are narrower than a bin and take the nearest one.
fn band(index: usize) -> Band {
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let edge = |i: usize| {
        let at = mel(LOW_HZ) + (mel(HIGH_HZ) - mel(LOW_HZ)) * i as f64 / (BANDS + 1) as f64;
        700.0 * (10f64.powf(at / 2595.0) - 1.0)
    };
    let (low, middle, high) = (edge(index), edge(index + 1), edge(index + 2));
    let hz = |bin: usize| bin as f64 * f64::from(super::SAMPLE_RATE) / FFT as f64;
    let weight = |bin: usize| ((hz(bin) - low) / (middle - low)).min((high - hz(bin)) / (high - middle)).max(0.0);
    let all: Vec<f64> = (0..=FFT / 2).map(weight).collect();
    let sum: f64 = all.iter().sum();
    if sum < 0.5 {
        let nearest = (middle / hz(1) + 0.5 - 1e-9).floor() as usize;
        return Band { first: nearest, weights: vec![1.0] };
    }
    let first = all.iter().position(|&w| w > 0.0).unwrap_or(0);
    let weights = all[first..].iter().take_while(|&&w| w > 0.0).map(|w| (w / sum) as f32).collect();
    Band { first, weights }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(samples: &[f32], chunk: usize) -> Vec<[f32; BANDS]> {
        let (mut mel, mut out) = (LogMel::new(), Vec::new());
        for part in samples.chunks(chunk) {
            mel.push(part, &mut |f| out.push(*f));
        }
        out
    }

    fn tone(hz: f32, n: usize) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * hz * std::f32::consts::TAU / 16000.0).sin()).collect()
    }

    #[test]
    fn silence_is_the_floor() {
        for frame in run(&[0.0; 480], 480) {
            assert!(frame.iter().all(|v| (v - FLOOR.ln()).abs() < 1e-4));
        }
    }

    #[test]
    fn a_tone_is_loudest_in_its_band() {
        let frames = run(&tone(1000.0, 3200), 3200);
        let loudest = |f: &[f32; BANDS]| (0..BANDS).max_by(|&a, &b| f[a].total_cmp(&f[b])).unwrap();
        // 1000 Hz is 1000 mel; the bands' middles lie 34.6 mel apart from 82 on.
        assert!((26..=28).contains(&loudest(&frames[10])), "{}", loudest(&frames[10]));
    }

    #[test]
    fn each_band_weighs_one() {
        for m in 0..BANDS {
            let b = band(m);
            assert!((b.weights.iter().sum::<f32>() - 1.0).abs() < 1e-5 && b.first + b.weights.len() <= FFT / 2 + 1);
        }
    }

    #[test]
    fn broken_samples_do_no_harm() {
        let mut samples = tone(200.0, 1600);
        (samples[3], samples[700], samples[900], samples[901]) = (f32::NAN, f32::INFINITY, f32::MAX, f32::MIN);
        assert!(run(&samples, 100).iter().flatten().all(|v| v.is_finite()));
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(n in 0usize..3000, chunk in 1usize..1000, seed in 1u32..1000) {
            let samples: Vec<f32> = (0..n as u32).map(|i| ((i * seed) % 1013) as f32 / 1013.0 - 0.5).collect();
            let whole = run(&samples, n.max(1));
            prop_assert_eq!(whole.len(), n / HOP);
            prop_assert_eq!(whole, run(&samples, chunk));
        }
    }
}
