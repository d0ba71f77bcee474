//! Convolution as an indirect matrix product.
//!
//! In `[height, width, channels]` the channels under one tap of the window lie together. So the left factor of the product
//! is never written down: a tile of output pixels is a table of pointers, one for each tap and pixel, and a pointer into
//! the padding leads to a row of zeros (the idea is XNNPACK's). The right factor, the weights, is packed once into panels
//! of 16 output channels in the order in which the tile reads them.

use super::{
    Epilogue, Isa, PANEL, for_pieces,
    lanes::{Baseline, Lanes},
};
use crate::{
    graph::Constant,
    ops::{Activation, window::Window},
};

/// Output pixels that share a table of pointers. A panel of weights is read once for all of them, from the nearest cache.
const GROUP: usize = 48;

/// Vectors of sums that fill the time a multiply-add takes.
const SUMS: usize = 8;
/// Most sums of one result.
const CHAINS: usize = 4;

/// A convolution (or a matrix, as a window of one pixel) prepared for the processor.
pub(crate) struct Product {
    isa: Isa,
    window: Window,
    channels: usize,
    columns: usize,
    /// `[columns / 16][tap][channel][16]`, padded with zeros.
    panels: Vec<f32>,
    epilogue: Epilogue,
    /// What a window sees in the padding.
    zeros: Vec<f32>,
}

impl Product {
    /// Packs the weights, `[columns][tap][channel]`.
    pub fn new(
        window: Window,
        channels: usize,
        weight: &Constant,
        bias: Option<&Constant>,
        activation: &Activation,
    ) -> Self {
        let weight = weight.to_f32();
        let inner = window.kernel[0] * window.kernel[1] * channels;
        let columns = weight.len() / inner;
        let mut panels = vec![0.0; columns.next_multiple_of(PANEL) * inner];
        for (n, row) in weight.chunks_exact(inner).enumerate() {
            let panel = &mut panels[n / PANEL * PANEL * inner..];
            for (k, &value) in row.iter().enumerate() {
                panel[k * PANEL + n % PANEL] = value;
            }
        }
        let epilogue = Epilogue::new(bias, activation, columns);
        Self { isa: Isa::detect(), window, channels, columns, panels, epilogue, zeros: vec![0.0; channels] }
    }

    /// The same with another instruction set, which the machine must have.
    #[cfg(test)]
    pub(super) fn with_isa(&mut self, isa: Isa) -> &Self {
        self.isa = isa;
        self
    }

    /// Computes all output pixels; `addend` is added to them before the activation.
    ///
    /// # Panics
    /// When a slice is not as long as the window says, which the graph's shape rules exclude.
    pub fn run(&self, x: &[f32], addend: Option<&[f32]>, y: &mut [f32]) {
        let w = &self.window;
        let pixels = w.batch * w.output[0] * w.output[1];
        assert!(x.len() == w.batch * w.input[0] * w.input[1] * self.channels && y.len() == pixels * self.columns);
        assert!(addend.is_none_or(|a| a.len() == y.len()));
        let flops = 2 * y.len() * w.kernel[0] * w.kernel[1] * self.channels;
        for_pieces(y, GROUP * self.columns, flops, |i, part| {
            let addend = addend.map(|a| &a[i * GROUP * self.columns..][..part.len()]);
            self.group(x, addend, i * GROUP, part);
            self.epilogue.finish(part);
        });
    }

    /// Computes the pixels from `first` on that fit into `y`.
    fn group(&self, x: &[f32], addend: Option<&[f32]>, first: usize, y: &mut [f32]) {
        match self.isa {
            // SAFETY: the instruction set was detected.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => unsafe { group_avx512(self, x, addend, first, y) },
            // SAFETY: the instruction set was detected.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { group_avx2(self, x, addend, first, y) },
            // SAFETY: every machine of this architecture has it.
            Isa::Baseline => unsafe { group::<Baseline, 3, 4>(self, x, addend, first, y) },
        }
    }

    /// Fills `table` with where the window of each of `count` pixels from `first` on begins under each tap:
    /// `[tap][pixel]`.
    fn point(&self, x: &[f32], first: usize, count: usize, table: &mut Vec<*const f32>) {
        let w = &self.window;
        table.clear();
        table.resize(w.kernel[0] * w.kernel[1] * count, self.zeros.as_ptr());
        for i in 0..count {
            let pixel = first + i;
            let (row, ox) = (pixel / w.output[1], pixel % w.output[1]);
            let (picture, oy) = (row / w.output[0], row % w.output[0]);
            for ky in 0..w.kernel[0] {
                let Some(sy) = w.source(0, oy, ky) else { continue };
                let line = (picture * w.input[0] + sy) * w.input[1];
                for kx in 0..w.kernel[1] {
                    if let Some(sx) = w.source(1, ox, kx) {
                        // Slicing checks once that all channels are there; the tile reads without checks.
                        let pixel = &x[(line + sx) * self.channels..][..self.channels];
                        table[(ky * w.kernel[1] + kx) * count + i] = pixel.as_ptr();
                    }
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn group_avx512(product: &Product, x: &[f32], addend: Option<&[f32]>, first: usize, y: &mut [f32]) {
    // SAFETY: the caller has the instruction set.
    unsafe { group::<super::lanes::x86::Avx512, 12, 1>(product, x, addend, first, y) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn group_avx2(product: &Product, x: &[f32], addend: Option<&[f32]>, first: usize, y: &mut [f32]) {
    // SAFETY: the caller has the instruction set.
    unsafe { group::<super::lanes::x86::Avx2, 6, 2>(product, x, addend, first, y) }
}

/// Walks over a group of pixels, `ROWS` at a time; what is left over goes in tiles of 4, 2 and 1.
#[inline(always)]
unsafe fn group<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    product: &Product,
    x: &[f32],
    addend: Option<&[f32]>,
    first: usize,
    y: &mut [f32],
) {
    let count = y.len() / product.columns;
    let mut table = Vec::with_capacity(product.window.kernel[0] * product.window.kernel[1] * count);
    product.point(x, first, count, &mut table);
    for panel in 0..product.columns.div_ceil(PANEL) {
        let mut at = 0;
        while at < count {
            // SAFETY: the caller has the instruction set; `at` plus the tile's rows is at most `count`.
            at += match count - at {
                n if n >= ROWS => unsafe { tile::<L, ROWS, VECTORS>(product, (&table, count), at, panel, addend, y) },
                n if n >= 4 && ROWS > 4 => unsafe {
                    tile::<L, 4, VECTORS>(product, (&table, count), at, panel, addend, y)
                },
                n if n >= 2 => unsafe { tile::<L, 2, VECTORS>(product, (&table, count), at, panel, addend, y) },
                _ => unsafe { tile::<L, 1, VECTORS>(product, (&table, count), at, panel, addend, y) },
            };
        }
    }
}

/// Adds what one input channel gives to all sums.
///
/// # Safety
/// The instruction set must be there; a panel's row must be readable at `weights`, and `channel` in every source.
#[inline(always)]
unsafe fn add<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    sums: &mut [[L; VECTORS]; ROWS],
    weights: *const f32,
    sources: &[*const f32; ROWS],
    channel: usize,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let w: [L; VECTORS] = std::array::from_fn(|v| L::load(weights.add(v * L::WIDTH)));
        for r in 0..ROWS {
            let value = L::splat(*sources[r].add(channel));
            for v in 0..VECTORS {
                sums[r][v] = sums[r][v].add_product(value, w[v]);
            }
        }
    }
}

/// `ROWS` pixels x 16 channels, all sums in registers: for each input channel, one load of weights and one broadcast a
/// pixel feed `ROWS x VECTORS` multiply-adds. Returns `ROWS`.
#[inline(always)]
unsafe fn tile<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    product: &Product,
    (table, count): (&[*const f32], usize),
    at: usize,
    panel: usize,
    addend: Option<&[f32]>,
    y: &mut [f32],
) -> usize {
    const { assert!(L::WIDTH * VECTORS == PANEL) };
    let taps = product.window.kernel[0] * product.window.kernel[1];
    let panel_length = taps * product.channels * PANEL;
    let mut weights = product.panels[panel * panel_length..][..panel_length].as_ptr();
    let bias = product.epilogue.bias[panel * PANEL..][..PANEL].as_ptr();
    let slope = product.epilogue.slope[panel * PANEL..][..PANEL].as_ptr();
    // SAFETY: the caller has the instruction set. `weights` walks once over its panel, `bias` and `slope` have a panel's
    // length, and each pointer of the table leads to `channels` numbers, as `point` made sure.
    unsafe {
        let start: [L; VECTORS] = std::array::from_fn(|v| L::load(bias.add(v * L::WIDTH)));
        // A multiply-add takes several cycles, and the next into the same sum waits for it. Few rows have too few sums
        // to fill that time, so each gets several, for channels in turn.
        let chains = (SUMS / (ROWS * VECTORS)).clamp(1, CHAINS);
        let mut sums = [[[L::splat(0.0); VECTORS]; ROWS]; CHAINS];
        sums[0] = [start; ROWS];
        for tap in 0..taps {
            let sources: &[*const f32] = &table[tap * count + at..][..ROWS];
            let sources: [*const f32; ROWS] = std::array::from_fn(|r| sources[r]);
            let whole = product.channels / chains * chains;
            for channel in (0..whole).step_by(chains) {
                for (chain, sums) in sums.iter_mut().enumerate().take(chains) {
                    add::<L, ROWS, VECTORS>(sums, weights.add(chain * PANEL), &sources, channel + chain);
                }
                weights = weights.add(chains * PANEL);
            }
            for channel in whole..product.channels {
                add::<L, ROWS, VECTORS>(&mut sums[0], weights, &sources, channel);
                weights = weights.add(PANEL);
            }
        }
        let (zero, one) = (L::splat(0.0), L::splat(1.0));
        let [mut sums, others @ ..] = sums;
        for other in &others[..chains - 1] {
            for (sum, part) in sums.iter_mut().flatten().zip(other.iter().flatten()) {
                *sum = sum.add_product(*part, one);
            }
        }
        let cap = L::splat(product.epilogue.cap);
        let columns = product.columns;
        let width = (columns - panel * PANEL).min(PANEL);
        for (r, sums) in sums.into_iter().enumerate() {
            let place = (at + r) * columns + panel * PANEL;
            let row = &mut y[place..][..width];
            let addend = addend.map(|a| &a[place..][..width]);
            // A whole panel is loaded and stored where it is, a part of one by way of the stack.
            let (mut spare, mut spare_addend) = ([0.0; PANEL], [0.0; PANEL]);
            let mut to = row.as_mut_ptr();
            let mut from = addend.map(<[f32]>::as_ptr);
            if width < PANEL {
                to = spare.as_mut_ptr();
                if let Some(part) = addend {
                    spare_addend[..width].copy_from_slice(part);
                    from = Some(spare_addend.as_ptr());
                }
            }
            for (v, mut sum) in sums.into_iter().enumerate() {
                if let Some(from) = from {
                    sum = sum.add_product(L::load(from.add(v * L::WIDTH)), one);
                }
                let s = L::load(slope.add(v * L::WIDTH));
                sum.max(zero).add_product(sum.min(zero), s).min(cap).store(to.add(v * L::WIDTH));
            }
            if width < PANEL {
                row.copy_from_slice(&spare[..width]);
            }
        }
    }
    ROWS
}
