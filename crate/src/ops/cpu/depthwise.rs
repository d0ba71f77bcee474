//! Depthwise convolution: a multiply-add for each number read, so what counts is to read little and in order.
//!
//! A vector holds neighbouring channels of one pixel. Sums stay in registers over all taps, and the taps of the common
//! square kernels are unrolled; only pixels at the border look whether a tap is inside.

use std::ops::Range;

use super::{
    Epilogue, Isa, for_pieces,
    lanes::{Baseline, Lanes},
};
use crate::{
    graph::Constant,
    ops::{Activation, window::Window},
};

/// Neighbouring pixels that are computed together.
const TOGETHER: usize = 4;

/// A depthwise convolution prepared for the processor.
pub(crate) struct Depthwise {
    isa: Isa,
    window: Window,
    channels: usize,
    /// `[tap][channel]`.
    weight: Vec<f32>,
    epilogue: Epilogue,
}

impl Depthwise {
    /// Takes the weights, `[tap][channel]`.
    pub fn new(
        window: Window,
        channels: usize,
        weight: &Constant,
        bias: Option<&Constant>,
        activation: &Activation,
    ) -> Self {
        let epilogue = Epilogue::new(bias, activation, channels);
        Self { isa: Isa::detect(), window, channels, weight: weight.to_f32(), epilogue }
    }

    /// The same with another instruction set, which the machine must have.
    #[cfg(test)]
    pub(super) fn with_isa(&mut self, isa: Isa) -> &Self {
        self.isa = isa;
        self
    }

    /// Computes all output pixels.
    ///
    /// # Panics
    /// When `x` or `y` are not as long as the window says, which the graph's shape rules exclude.
    pub fn run(&self, x: &[f32], y: &mut [f32]) {
        let w = &self.window;
        assert!(self.weight.len() == w.kernel[0] * w.kernel[1] * self.channels);
        assert!(x.len() == w.batch * w.input[0] * w.input[1] * self.channels);
        assert!(y.len() == w.batch * w.output[0] * w.output[1] * self.channels);
        let flops = 2 * y.len() * w.kernel[0] * w.kernel[1];
        for_pieces(y, w.output[1] * self.channels, flops, |i, row| {
            let picture = &x[i / w.output[0] * w.input[0] * w.input[1] * self.channels..];
            let oy = i % w.output[0];
            match self.isa {
                // SAFETY: the instruction set was detected.
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 | Isa::Avx2 => unsafe { row_avx2(self, picture, oy, row) },
                // SAFETY: every machine of this architecture has it.
                Isa::Baseline => unsafe { line::<Baseline>(self, picture, oy, row) },
            }
            self.epilogue.finish(row);
        });
    }

    /// The taps along an axis that are inside the picture at this output coordinate.
    fn inside(&self, axis: usize, at: usize) -> Range<usize> {
        let w = &self.window;
        let first = (w.before[axis].saturating_sub(at * w.stride[axis])).div_ceil(w.dilation[axis]);
        let room = (w.input[axis] + w.before[axis]).saturating_sub(at * w.stride[axis]);
        first..w.kernel[axis].min(room.div_ceil(w.dilation[axis])).max(first)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn row_avx2(d: &Depthwise, picture: &[f32], oy: usize, row: &mut [f32]) {
    // SAFETY: the caller has the instruction set.
    unsafe { line::<super::lanes::x86::Avx2>(d, picture, oy, row) }
}

/// One row of the output: a border on the left, whole windows, a border on the right.
#[inline(always)]
unsafe fn line<L: Lanes>(d: &Depthwise, picture: &[f32], oy: usize, row: &mut [f32]) {
    let (w, rows) = (&d.window, d.inside(0, oy));
    let whole = |ox: usize| d.inside(1, ox) == (0..w.kernel[1]);
    let first = (0..w.output[1]).find(|&ox| whole(ox)).unwrap_or(w.output[1]);
    let end = (first..w.output[1]).rev().find(|&ox| whole(ox)).map_or(first, |ox| ox + 1);
    let unit = w.stride[1] == 1 && w.dilation[1] == 1;
    let pixels = |columns: Range<usize>| columns.start * d.channels..columns.end * d.channels;
    // SAFETY: the caller has the instruction set, and the taps are inside the picture.
    unsafe {
        for ox in (0..first).chain(end..w.output[1]) {
            some::<L, 1, false>(d, picture, [oy, ox], rows.clone(), d.inside(1, ox), &mut row[pixels(ox..ox + 1)]);
        }
        let mut ox = first;
        while ox < end {
            // Several at a time: each weight is loaded once for all of them, and no sum waits for itself.
            let together = if end - ox >= TOGETHER { TOGETHER } else { 1 };
            let y = &mut row[pixels(ox..ox + together)];
            match (w.kernel, rows.len(), together) {
                ([3, 3], 3, TOGETHER) if unit => some::<L, TOGETHER, true>(d, picture, [oy, ox], 0..3, 0..3, y),
                ([5, 5], 5, TOGETHER) if unit => some::<L, TOGETHER, true>(d, picture, [oy, ox], 0..5, 0..5, y),
                ([3, 3], 3, TOGETHER) => some::<L, TOGETHER, false>(d, picture, [oy, ox], 0..3, 0..3, y),
                ([5, 5], 5, TOGETHER) => some::<L, TOGETHER, false>(d, picture, [oy, ox], 0..5, 0..5, y),
                (_, _, TOGETHER) => some::<L, TOGETHER, false>(d, picture, [oy, ox], rows.clone(), 0..w.kernel[1], y),
                _ => some::<L, 1, false>(d, picture, [oy, ox], rows.clone(), 0..w.kernel[1], y),
            }
            ox += together;
        }
    }
}

/// `COUNT` neighbouring pixels of the output. Inlined with constant ranges, the loops over the taps disappear. `UNIT` says
/// that stride and dilation along the row are 1: neighbours then see the same pixels, and each is read once.
#[inline(always)]
unsafe fn some<L: Lanes, const COUNT: usize, const UNIT: bool>(
    d: &Depthwise,
    picture: &[f32],
    [oy, ox]: [usize; 2],
    rows: Range<usize>,
    columns: Range<usize>,
    y: &mut [f32],
) {
    let (w, channels) = (&d.window, d.channels);
    // Sliced to its length, so that the writes below are inside by construction.
    let y = &mut y[..COUNT * channels];
    // Coordinates of a tap; those in the ranges are inside the picture, so nothing is subtracted below zero.
    let [down, right] = [w.dilation[0] * w.input[1] * channels, w.dilation[1] * channels];
    let origin = (oy * w.stride[0] * w.input[1] + ox * w.stride[1]) * channels;
    let before = (w.before[0] * w.input[1] + w.before[1]) * channels;
    let offset = |ky: usize, kx: usize| origin + ky * down + kx * right - before;
    let next = w.stride[1] * channels;
    if !rows.is_empty() && !columns.is_empty() {
        // The last tap of the last pixel reads furthest: if it is inside, all are.
        assert!(offset(rows.end - 1, columns.end - 1) + (COUNT - 1) * next + channels <= picture.len());
    }
    let whole = channels / L::WIDTH * L::WIDTH;
    let (x, weight, to) = (picture.as_ptr(), d.weight.as_ptr(), y.as_mut_ptr());
    let (bias, slope) = (d.epilogue.bias.as_ptr(), d.epilogue.slope.as_ptr());
    // SAFETY: the caller has the instruction set.
    let closer = unsafe { d.epilogue.closer::<L>() };
    for c in (0..whole).step_by(L::WIDTH) {
        // SAFETY: the caller has the instruction set; `c + WIDTH` is at most `channels`, the length of every row read.
        unsafe {
            let mut sums = [[L::load(bias.add(c))]; COUNT];
            for ky in rows.clone() {
                for kx in columns.clone() {
                    let weight = L::load(weight.add((ky * w.kernel[1] + kx) * channels + c));
                    for (i, [sum]) in sums.iter_mut().enumerate() {
                        let at = if UNIT { offset(ky, 0) + (kx + i) * channels } else { offset(ky, kx) + i * next };
                        *sum = sum.add_product(L::load(x.add(at + c)), weight);
                    }
                }
            }
            closer.close(&mut sums, &[L::load(slope.add(c))]);
            for (i, [sum]) in sums.into_iter().enumerate() {
                sum.store(to.add(i * channels + c));
            }
        }
    }
    for (i, c) in (0..COUNT).flat_map(|i| (whole..channels).map(move |c| (i, c))) {
        let mut sum = d.epilogue.bias[c];
        for ky in rows.clone() {
            for kx in columns.clone() {
                sum += picture[offset(ky, kx) + i * next + c] * d.weight[(ky * w.kernel[1] + kx) * channels + c];
            }
        }
        y[i * channels + c] = d.epilogue.close_one(sum, c);
    }
}
