//! Convolution as an indirect matrix product.
//!
//! In `[height, width, channels]` the channels under one tap of the window lie together. So the left factor of the product
//! is never written down: a tile of output pixels is a table of pointers, one for each tap and pixel, and a pointer into
//! the padding leads to a row of zeros (the idea is XNNPACK's). The right factor, the weights, is packed once into panels
//! of 16 output channels in the order in which the tile reads them.

use std::ops::Range;

use super::{
    Epilogue, Isa, PANEL, for_pieces,
    lanes::{Baseline, Lanes},
    packed::{FEW, Packed},
    table::{Reads, Table},
};
use crate::{
    graph::Constant,
    ops::{Activation, window::Window},
};

/// Output pixels that share a table of pointers. A panel of weights is read once for all of them, from the nearest cache.
const GROUP: usize = super::ROWS_OF_A_THREAD;

/// Products of a sum from which on the weights of all are too many for the nearest cache.
const LONG: usize = 1024;
/// Output pixels that share a table where sums are that long: all weights come from a far cache once for each.
const LONG_GROUP: usize = 192;
/// Products of each sum that are added before the next pixels' are, then.
const PART: usize = 256;

/// Most output channels that are computed at once.
const WIDEST: usize = 2 * PANEL;
/// Vectors of sums that fill the time a multiply-add takes.
const SUMS: usize = 8;
/// Most sums of one result.
const CHAINS: usize = 4;
/// Input channels that a turn of the innermost loop takes: 5 to 10 % faster than one for long sums (Zen 3). In a browser it
/// is slower, by a fifth and more.
const UNROLLED: usize = 8;

/// Weights of 16 output channels for one number of the input: a line of the cache, so that no vector lies in two.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Row([f32; PANEL]);

/// A convolution (or a matrix, as a window of one pixel) prepared for the processor.
pub(crate) struct Product {
    isa: Isa,
    reads: Reads,
    columns: usize,
    /// `[columns / 16][tap][channel]`, padded with zeros; empty where they are packed.
    panels: Vec<Row>,
    /// Weights in bytes, for few pixels.
    packed: Option<Packed>,
    epilogue: Epilogue,
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
        let inner = window.kernel[0] * window.kernel[1] * channels;
        let columns = weight.shape().elements() / inner;
        let epilogue = Epilogue::new(bias, activation, columns);
        let reads = Reads::new(window, channels);
        let few = window.batch * window.output[0] * window.output[1] <= FEW;
        if let Some(packed) = few.then(|| Packed::new(weight, &reads, columns)).flatten() {
            return Self { isa: Isa::detect(), reads, columns, panels: Vec::new(), packed: Some(packed), epilogue };
        }
        let panels = panels_of_rows(&weight.to_f32(), inner, columns);
        Self { isa: Isa::detect(), reads, columns, panels, packed: None, epilogue }
    }

    /// Prepares a product of two values, of `[rows, inner]` with `[inner, columns]`, or with `[columns, inner]` if that is
    /// transposed.
    pub fn of_values([rows, inner, columns]: [usize; 3], right: &[f32], transposed: bool) -> Self {
        let panels = match transposed {
            true => panels_of_rows(right, inner, columns),
            false => {
                let mut panels = vec![Row([0.0; PANEL]); columns.div_ceil(PANEL) * inner];
                for (k, row) in right.chunks_exact(columns).enumerate() {
                    for (n, part) in row.chunks(PANEL).enumerate() {
                        panels[n * inner + k].0[..part.len()].copy_from_slice(part);
                    }
                }
                panels
            }
        };
        let reads = Reads::new(Window::row(rows), inner);
        let epilogue = Epilogue::new(None, &Activation::None, columns);
        Self { isa: Isa::detect(), reads, columns, panels, packed: None, epilogue }
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
        let (w, channels) = (&self.reads.window, self.reads.channels);
        let pixels = w.batch * w.output[0] * w.output[1];
        assert!(x.len() == w.batch * w.input[0] * w.input[1] * channels && y.len() == pixels * self.columns);
        assert!(addend.is_none_or(|a| a.len() == y.len()));
        let flops = 2 * y.len() * w.kernel[0] * w.kernel[1] * channels;
        let group = if self.is_long() { LONG_GROUP } else { GROUP };
        for_pieces(y, group * self.columns, flops, |i, part| {
            let addend = addend.map(|a| &a[i * group * self.columns..][..part.len()]);
            self.group(x, addend, i * group, part);
            self.epilogue.finish(part);
        });
    }

    /// Whether sums are gone through in parts.
    fn is_long(&self) -> bool {
        self.reads.runs() * self.reads.length() > LONG
    }

    /// Computes the pixels from `first` on that fit into `y`. Not a part of the loop around it: a browser compiles what is
    /// called often with more care.
    #[inline(never)]
    fn group(&self, x: &[f32], addend: Option<&[f32]>, first: usize, y: &mut [f32]) {
        match self.isa {
            // SAFETY: the instruction set was detected.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => unsafe { group_avx512(self, x, addend, first, y) },
            // SAFETY: the instruction set was detected.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { group_avx2(self, x, addend, first, y) },
            // SAFETY: every machine of this architecture has it.
            Isa::Baseline => unsafe { group::<Baseline, 6, 2, 6, 2>(self, x, addend, first, y) },
        }
    }
}

/// Weights, `[columns][inner]`, in panels.
fn panels_of_rows(rows: &[f32], inner: usize, columns: usize) -> Vec<Row> {
    let mut panels = vec![Row([0.0; PANEL]); columns.div_ceil(PANEL) * inner];
    for (n, row) in rows.chunks_exact(inner).enumerate() {
        let panel = &mut panels[n / PANEL * inner..][..inner];
        panel.iter_mut().zip(row).for_each(|(to, value)| to.0[n % PANEL] = *value);
    }
    panels
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn group_avx512(product: &Product, x: &[f32], addend: Option<&[f32]>, first: usize, y: &mut [f32]) {
    // SAFETY: the caller has the instruction set.
    unsafe { group::<super::lanes::x86::Avx512, 12, 2, 12, 1>(product, x, addend, first, y) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn group_avx2(product: &Product, x: &[f32], addend: Option<&[f32]>, first: usize, y: &mut [f32]) {
    // SAFETY: the caller has the instruction set.
    unsafe { group::<super::lanes::x86::Avx2, 6, 2, 12, 1>(product, x, addend, first, y) }
}

/// Walks over a group of pixels: blocks of `VECTORS` vectors of output channels, `ROWS` pixels at a time, and where not
/// more channels are left, `NARROW` vectors and `NARROW_ROWS` pixels.
#[inline(always)]
unsafe fn group<L: Lanes, const ROWS: usize, const VECTORS: usize, const NARROW_ROWS: usize, const NARROW: usize>(
    product: &Product,
    x: &[f32],
    addend: Option<&[f32]>,
    first: usize,
    y: &mut [f32],
) {
    let table = product.reads.table(x, first, y.len() / product.columns);
    if let Some(packed) = &product.packed {
        // Two vectors, as far as a panel has them.
        // SAFETY: the caller has the instruction set.
        return unsafe {
            match 2 * L::WIDTH <= PANEL {
                true => few::<L, 2>(product, packed, &table, addend, y),
                false => few::<L, 1>(product, packed, &table, addend, y),
            }
        };
    }
    let mut column = 0;
    while column < product.columns {
        // SAFETY: the caller has the instruction set.
        unsafe {
            if product.columns - column > NARROW * L::WIDTH {
                block::<L, ROWS, VECTORS>(product, &table, column, addend, y);
                column += VECTORS * L::WIDTH;
            } else {
                block::<L, NARROW_ROWS, NARROW>(product, &table, column, addend, y);
                column += NARROW * L::WIDTH;
            }
        }
    }
}

/// A part of the sums' way: channels of runs.
struct Part {
    runs: Range<usize>,
    channels: Range<usize>,
    /// The sums begin here, with the bias.
    first: bool,
    /// They are whole afterwards.
    last: bool,
}

/// All pixels of a group for a block of output channels. A long way is gone in parts, each for all pixels, whose weights
/// stay in the nearest cache that long; between them the sums wait in memory.
#[inline(always)]
unsafe fn block<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    product: &Product,
    table: &Table,
    column: usize,
    addend: Option<&[f32]>,
    y: &mut [f32],
) {
    let (runs, length) = (product.reads.runs(), product.reads.length());
    if !product.is_long() || table.count <= ROWS {
        let part = Part { runs: 0..runs, channels: 0..length, first: true, last: true };
        // SAFETY: the caller has the instruction set.
        return unsafe { tiles::<L, ROWS, VECTORS>(product, table, column, &part, &mut [], addend, y) };
    }
    let mut waiting = [[0.0; WIDEST]; LONG_GROUP];
    let (together, piece) = ((PART / length).max(1), length.min(PART));
    for first_run in (0..runs).step_by(together) {
        for channel in (0..length).step_by(piece) {
            let runs = first_run..runs.min(first_run + together);
            let channels = channel..length.min(channel + piece);
            let first = first_run == 0 && channel == 0;
            let last = runs.end == product.reads.runs() && channels.end == length;
            let part = Part { runs, channels, first, last };
            // SAFETY: the caller has the instruction set.
            unsafe { tiles::<L, ROWS, VECTORS>(product, table, column, &part, &mut waiting, addend, y) };
        }
    }
}

/// A part for all pixels; what is left over goes in tiles of 4, 2 and 1.
#[inline(always)]
unsafe fn tiles<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    product: &Product,
    table: &Table,
    column: usize,
    part: &Part,
    waiting: &mut [[f32; WIDEST]],
    addend: Option<&[f32]>,
    y: &mut [f32],
) {
    let mut at = 0;
    while at < table.count {
        // SAFETY: the caller has the instruction set; `at` plus the tile's rows is at most the group's pixels.
        at += unsafe {
            match table.count - at {
                n if n >= ROWS => tile::<L, ROWS, VECTORS>(product, table, (at, column), part, waiting, addend, y),
                n if n >= 4 => tile::<L, 4, VECTORS>(product, table, (at, column), part, waiting, addend, y),
                n if n >= 2 => tile::<L, 2, VECTORS>(product, table, (at, column), part, waiting, addend, y),
                _ => tile::<L, 1, VECTORS>(product, table, (at, column), part, waiting, addend, y),
            }
        };
    }
}

/// All pixels of a group that has few, with weights in bytes.
#[inline(always)]
unsafe fn few<L: Lanes, const VECTORS: usize>(
    product: &Product,
    packed: &Packed,
    table: &Table,
    addend: Option<&[f32]>,
    y: &mut [f32],
) {
    for column in (0..product.columns).step_by(VECTORS * L::WIDTH) {
        let bias = &product.epilogue.bias[column..][..VECTORS * L::WIDTH];
        let mut at = 0;
        while at < table.count {
            // SAFETY: the caller has the instruction set; a block of columns is no longer than `bias`.
            unsafe {
                let start: [L; VECTORS] = std::array::from_fn(|v| L::load(bias.as_ptr().add(v * L::WIDTH)));
                match table.count - at {
                    1 => {
                        let sums = packed.tile::<L, 1, VECTORS>(&product.reads, table, (at, column), start);
                        at += close(product, sums, (at, column), addend, y);
                    }
                    2 | 3 => {
                        let sums = packed.tile::<L, 2, VECTORS>(&product.reads, table, (at, column), start);
                        at += close(product, sums, (at, column), addend, y);
                    }
                    _ => {
                        let sums = packed.tile::<L, 4, VECTORS>(&product.reads, table, (at, column), start);
                        at += close(product, sums, (at, column), addend, y);
                    }
                }
            }
        }
    }
}

/// Adds what one input channel gives to all sums.
///
/// # Safety
/// The instruction set must be there; a vector must be readable at each offset from `weights`, and `channel` in every
/// source.
#[inline(always)]
unsafe fn add<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    sums: &mut [[L; VECTORS]; ROWS],
    (weights, offsets): (*const f32, &[usize; VECTORS]),
    sources: &[*const f32; ROWS],
    channel: usize,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let w: [L; VECTORS] = std::array::from_fn(|v| L::load(weights.add(offsets[v])));
        for r in 0..ROWS {
            let value = L::splat(*sources[r].add(channel));
            for v in 0..VECTORS {
                sums[r][v] = sums[r][v].add_product(value, w[v]);
            }
        }
    }
}

/// `ROWS` pixels x `VECTORS` vectors of output channels from `column` on, all sums in registers: for each input channel,
/// `VECTORS` loads of weights and one broadcast a pixel feed `ROWS x VECTORS` multiply-adds. Returns `ROWS`.
#[inline(always)]
unsafe fn tile<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    product: &Product,
    table: &Table,
    (at, column): (usize, usize),
    part: &Part,
    waiting: &mut [[f32; WIDEST]],
    addend: Option<&[f32]>,
    y: &mut [f32],
) -> usize {
    // A block begins where a vector of a panel begins, and reaches into the next panel at most.
    const { assert!(PANEL.is_multiple_of(L::WIDTH) && L::WIDTH * VECTORS <= WIDEST) };
    let (runs, length) = (product.reads.runs(), product.reads.length());
    let panel_length = runs * length * PANEL;
    let offsets: [usize; VECTORS] = std::array::from_fn(|v| {
        let place = column % PANEL + v * L::WIDTH;
        place / PANEL * panel_length + place % PANEL
    });
    let panels = &product.panels[column / PANEL * runs * length..];
    assert!(offsets[VECTORS - 1] + panel_length - PANEL + L::WIDTH <= panels.len() * PANEL);
    assert!(part.runs.end <= runs && part.channels.end <= length && (part.first || waiting.len() >= at + ROWS));
    let bias = product.epilogue.bias[column..][..VECTORS * L::WIDTH].as_ptr();
    // SAFETY: the caller has the instruction set. `weights` walks over a part of a panel, and so does each offset
    // from it; `bias` has a block's length, and each pointer of the table leads to a run, as `Reads` made sure.
    unsafe {
        let start = |r: usize, v: usize| match part.first {
            true => L::load(bias.add(v * L::WIDTH)),
            false => L::load(waiting[at + r].as_ptr().add(v * L::WIDTH)),
        };
        // A multiply-add takes several cycles, and the next into the same sum waits for it. Few rows have too few sums
        // to fill that time, so each gets several, for channels in turn.
        let chains = (SUMS / (ROWS * VECTORS)).clamp(1, CHAINS);
        let mut sums = [[[L::splat(0.0); VECTORS]; ROWS]; CHAINS];
        sums[0] = std::array::from_fn(|r| std::array::from_fn(|v| start(r, v)));
        for run in part.runs.clone() {
            let mut weights = panels.as_ptr().add(run * length + part.channels.start).cast::<f32>();
            let sources: &[*const f32] = &table.pointers[run * table.count + at..][..ROWS];
            let sources: [*const f32; ROWS] = std::array::from_fn(|r| sources[r]);
            let turn = if cfg!(target_arch = "wasm32") { chains } else { UNROLLED };
            let whole = part.channels.end - part.channels.len() % turn;
            for channel in (part.channels.start..whole).step_by(turn) {
                // Written out: the compiler leaves it a loop of one channel otherwise.
                macro_rules! channels { ($($step:literal)*) => { $(
                    if $step < turn {
                        let place = (weights.add($step * PANEL), &offsets);
                        add::<L, ROWS, VECTORS>(&mut sums[$step % chains], place, &sources, channel + $step);
                    }
                )* } }
                channels!(0 1 2 3 4 5 6 7);
                weights = weights.add(turn * PANEL);
            }
            for channel in whole..part.channels.end {
                add::<L, ROWS, VECTORS>(&mut sums[0], (weights, &offsets), &sources, channel);
                weights = weights.add(PANEL);
            }
        }
        let one = L::splat(1.0);
        let [mut sums, others @ ..] = sums;
        for other in &others[..chains - 1] {
            for (sum, part) in sums.iter_mut().flatten().zip(other.iter().flatten()) {
                *sum = sum.add_product(*part, one);
            }
        }
        if part.last {
            return close(product, sums, (at, column), addend, y);
        }
        for (sums, to) in sums.iter().zip(&mut waiting[at..]) {
            sums.iter().enumerate().for_each(|(v, sum)| sum.store(to.as_mut_ptr().add(v * L::WIDTH)));
        }
        ROWS
    }
}

/// Ends `ROWS` pixels from `at` on and a block of output channels from `column` on, and stores them. Returns `ROWS`.
///
/// # Safety
/// The instruction set must be there.
#[inline(always)]
unsafe fn close<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    product: &Product,
    sums: [[L; VECTORS]; ROWS],
    (at, column): (usize, usize),
    addend: Option<&[f32]>,
    y: &mut [f32],
) -> usize {
    let slope = product.epilogue.slope[column..][..VECTORS * L::WIDTH].as_ptr();
    // SAFETY: the caller has the instruction set; `slope` has a block's length, and so have the spare vectors.
    unsafe {
        let one = L::splat(1.0);
        let closer = product.epilogue.closer::<L>();
        let slopes: [L; VECTORS] = std::array::from_fn(|v| L::load(slope.add(v * L::WIDTH)));
        let columns = product.columns;
        let width = (columns - column).min(VECTORS * L::WIDTH);
        let (mut spare, mut spare_addend) = ([0.0; WIDEST], [0.0; WIDEST]);
        for (r, sums) in sums.into_iter().enumerate() {
            let place = (at + r) * columns + column;
            let row = &mut y[place..][..width];
            let addend = addend.map(|a| &a[place..][..width]);
            // A whole block is loaded and stored where it is, a part of one by way of the stack.
            let mut to = row.as_mut_ptr();
            let mut from = addend.map(<[f32]>::as_ptr);
            if width < VECTORS * L::WIDTH {
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
                closer.close(sum, slopes[v]).store(to.add(v * L::WIDTH));
            }
            if width < VECTORS * L::WIDTH {
                row.copy_from_slice(&spare[..width]);
            }
        }
    }
    ROWS
}
