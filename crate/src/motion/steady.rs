//! How much a sound stands still: partials that stay at the same frequency, as those of instruments do.
//!
//! A voice glides all the time, so that its partials are elsewhere after 80 ms; notes of instruments, even quick ones, draw
//! straight lines into the spectrum. Such lines tell music from speech without any training (Seyerlehner et al., "Automatic
//! music detection in television productions", 2007). Sung notes draw them too: they alone do not prove that nobody sings.
//!
//! Means over loud moments: speech 0.00 to 0.26 (57 speakers), noise 0.00, sung words 0.40 to 0.69, recorded music and
//! single instruments 0.33 to 0.89.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

use super::prosody::BLOCK;

const WINDOW: usize = 2 * BLOCK;
const FFT: usize = 2048;
/// Bins from 300 to 3500 Hz: above the first harmonics of a voice, which hardly move, and within a telephone's band.
const FIRST: usize = 38;
const BINS: usize = 412;
/// Bins on each side over which the spectrum's envelope is taken.
const ENVELOPE: usize = 12;
/// Windows apart that do not share a sample.
const LAG: usize = 2;

/// Compares the lines of the spectrum with those of 80 ms ago, block by block.
pub(super) struct SteadyMeter {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Box<[f32; WINDOW]>,
    recent: Box<[f32; WINDOW]>,
    /// Spectra less their envelopes, of the last blocks in turn.
    lines: [Box<[f32; BINS]>; LAG + 1],
    blocks: usize,
    buffer: Vec<f32>,
    spectrum: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Default for SteadyMeter {
    fn default() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(FFT);
        let (buffer, spectrum, scratch) = (fft.make_input_vec(), fft.make_output_vec(), fft.make_scratch_vec());
        let hann = |i: usize| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / WINDOW as f32).cos();
        Self {
            window: Box::new(std::array::from_fn(hann)),
            recent: Box::new([0.0; WINDOW]),
            lines: std::array::from_fn(|_| Box::new([0.0; BINS])),
            blocks: 0,
            fft,
            buffer,
            spectrum,
            scratch,
        }
    }
}

impl std::fmt::Debug for SteadyMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "steadiness after {} blocks", self.blocks)
    }
}

impl SteadyMeter {
    /// Takes the next block; samples must be finite. Answers how alike the lines now and 80 ms ago are, -1..1.
    pub fn measure(&mut self, block: &[f32; BLOCK]) -> f32 {
        self.recent.copy_within(BLOCK.., 0);
        self.recent[BLOCK..].copy_from_slice(block);
        for ((to, x), w) in self.buffer.iter_mut().zip(self.recent.iter()).zip(self.window.iter()) {
            *to = x * w;
        }
        self.buffer[WINDOW..].fill(0.0);
        // It fails only for buffers of another length than the plan's own.
        if self.fft.process_with_scratch(&mut self.buffer, &mut self.spectrum, &mut self.scratch).is_err() {
            self.spectrum.fill(Complex32::default());
        }
        let mut level = [0.0f32; BINS];
        for (to, bin) in level.iter_mut().zip(&self.spectrum[FIRST..]) {
            *to = (bin.norm_sqr() + 1e-6).ln();
        }
        let now = self.blocks % (LAG + 1);
        self.blocks += 1;
        stand_out(&level, &mut self.lines[now]);
        likeness(&self.lines[now], &self.lines[self.blocks % (LAG + 1)])
    }
}

/// What stands out of the spectrum's envelope, its mean taken out.
fn stand_out(level: &[f32; BINS], out: &mut [f32; BINS]) {
    let at = |i: isize| level[i.clamp(0, BINS as isize - 1) as usize];
    let reach = ENVELOPE as isize;
    let mut sum: f32 = (-reach..=reach).map(at).sum();
    let mut total = 0.0;
    for (i, to) in (0isize..).zip(out.iter_mut()) {
        *to = (at(i) - sum / (2 * reach + 1) as f32).max(0.0);
        total += *to;
        sum += at(i + reach + 1) - at(i - reach);
    }
    out.iter_mut().for_each(|x| *x -= total / BINS as f32);
}

/// Correlation.
fn likeness(a: &[f32; BINS], b: &[f32; BINS]) -> f32 {
    let (mut ab, mut aa, mut bb) = (0.0f32, 1e-9f32, 1e-9f32);
    for (x, y) in a.iter().zip(b) {
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    ab / (aa * bb).sqrt()
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn mean(seconds: f32, sound: impl FnMut(usize) -> f32) -> f32 {
        let mut meter = SteadyMeter::default();
        let samples: Vec<f32> = (0..(seconds * 16000.0) as usize).map(sound).collect();
        let all: Vec<f32> = samples.as_chunks::<BLOCK>().0.iter().map(|b| meter.measure(b)).collect();
        all[3..].iter().sum::<f32>() / (all.len() - 3) as f32
    }

    /// A voice of harmonics whose pitch is given, Hz.
    fn voice(pitch: impl Fn(f32) -> f32) -> impl FnMut(usize) -> f32 {
        let mut phase = 0.0f32;
        move |i| {
            phase = (phase + pitch(i as f32 / 16000.0) / 16000.0).fract();
            (1..25).map(|h| (TAU * phase * h as f32).sin() / h as f32).sum::<f32>() * 0.05
        }
    }

    #[test]
    fn notes_stand_still_and_voices_glide() {
        let scale = |t: f32| 220.0 * 2f32.powf([0.0, 2.0, 4.0, 5.0, 7.0][(t * 4.0) as usize % 5] / 12.0);
        assert!(mean(4.0, voice(scale)) > 0.5, "a note every quarter of a second");
        let spoken = |t: f32| 140.0 + 25.0 * (TAU * 1.3 * t).sin() + 8.0 * (TAU * 3.1 * t).sin();
        assert!(mean(4.0, voice(spoken)) < 0.3, "{}", mean(4.0, voice(spoken)));
    }

    #[test]
    fn noise_and_silence_have_no_lines() {
        let mut state = 1u32;
        let noise = mean(4.0, |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / u32::MAX as f32 - 0.5
        });
        assert!(noise.abs() < 0.1, "{noise}");
        assert!(mean(1.0, |_| 0.0).abs() < 0.1);
    }
}
