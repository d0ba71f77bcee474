//! A few output pixels times a block of output channels, all sums in registers.

use std::ops::Range;

use super::group::Group;
use crate::ops::cpu::{PANEL, lanes::Lanes};

/// Most output channels that are computed at once.
pub(super) const WIDEST: usize = 4 * PANEL;

/// Vectors of sums that fill the time a multiply-add takes.
const SUMS: usize = 8;

/// Most sums of one result.
const CHAINS: usize = 4;

/// Input channels that a turn of the innermost loop takes: 5 to 10 % faster than one for long sums (Zen 3). In a browser it
/// is slower, by a fifth and more.
const UNROLLED: usize = 8;

/// A part of the sums' way: channels of runs.
pub(super) struct Part {
    pub runs: Range<usize>,
    pub channels: Range<usize>,
    /// The sums begin here, with the bias.
    pub first: bool,
    /// They are whole afterwards.
    pub last: bool,
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
pub(super) unsafe fn tile<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    group: &mut Group<'_>,
    (at, column): (usize, usize),
    part: &Part,
    waiting: &mut [[f32; WIDEST]],
) -> usize {
    // A block begins where a vector of a panel begins, so that none of its vectors lies in two.
    const { assert!(PANEL.is_multiple_of(L::WIDTH) && L::WIDTH * VECTORS <= WIDEST) };
    let Group { product, table, .. } = &*group;
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
        // A multiply-add takes several cycles, and the next into the same sum waits for it. Few rows have too few sums
        // to fill that time, so each gets several, for channels in turn.
        let chains = (SUMS / (ROWS * VECTORS)).clamp(1, CHAINS);
        let mut sums = [[[L::splat(0.0); VECTORS]; ROWS]; CHAINS];
        // A loop: `array::from_fn` of arrays in arrays becomes a call that gives them back through memory.
        for (r, row) in sums[0].iter_mut().enumerate() {
            let from = if part.first { bias } else { waiting[at + r].as_ptr() };
            row.iter_mut().enumerate().for_each(|(v, sum)| *sum = L::load(from.add(v * L::WIDTH)));
        }
        for run in part.runs.clone() {
            let mut weights = panels.as_ptr().add(run * length + part.channels.start).cast::<f32>();
            let mut sources = [std::ptr::null(); ROWS];
            sources.copy_from_slice(&table.pointers[run * table.count + at..][..ROWS]);
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
            return close(group, sums, (at, column));
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
pub(super) unsafe fn close<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    group: &mut Group<'_>,
    mut sums: [[L; VECTORS]; ROWS],
    (at, column): (usize, usize),
) -> usize {
    let Group { product, addend, y, .. } = group;
    let slope = product.epilogue.slope[column..][..VECTORS * L::WIDTH].as_ptr();
    let columns = product.columns;
    let width = (columns - column).min(VECTORS * L::WIDTH);
    let place = at * columns + column;
    let length = (ROWS - 1) * columns + width;
    // SAFETY: the caller has the instruction set; `slope` has a block's length, and so have the spare vectors. Where a block
    // is whole, `length` holds all vectors of all rows.
    unsafe {
        let slopes: [L; VECTORS] = std::array::from_fn(|v| L::load(slope.add(v * L::WIDTH)));
        let (one, closer) = (L::splat(1.0), product.epilogue.closer::<L>());
        let to = &mut y[place..][..length];
        let from = addend.map(|addend| &addend[place..][..length]);
        if width == VECTORS * L::WIDTH {
            if let Some(from) = from {
                let from = from.as_ptr();
                for (r, row) in sums.iter_mut().enumerate() {
                    for (v, sum) in row.iter_mut().enumerate() {
                        *sum = sum.add_product(L::load(from.add(r * columns + v * L::WIDTH)), one);
                    }
                }
            }
            closer.close(&mut sums, &slopes);
            let to = to.as_mut_ptr();
            for (r, row) in sums.iter().enumerate() {
                for (v, sum) in row.iter().enumerate() {
                    sum.store(to.add(r * columns + v * L::WIDTH));
                }
            }
            return ROWS;
        }
        // A part of a block goes by way of the stack.
        let mut spare = [0.0; WIDEST];
        for (r, row) in sums.iter_mut().enumerate() {
            if let Some(from) = from {
                spare[..width].copy_from_slice(&from[r * columns..][..width]);
                for (v, sum) in row.iter_mut().enumerate() {
                    *sum = sum.add_product(L::load(spare.as_ptr().add(v * L::WIDTH)), one);
                }
            }
        }
        closer.close(&mut sums, &slopes);
        for (r, row) in sums.iter().enumerate() {
            row.iter().enumerate().for_each(|(v, sum)| sum.store(spare.as_mut_ptr().add(v * L::WIDTH)));
            to[r * columns..][..width].copy_from_slice(&spare[..width]);
        }
    }
    ROWS
}
