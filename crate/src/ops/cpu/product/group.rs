//! A group of output pixels, which one thread computes: blocks of output channels, long sums in parts, tiles.

use super::{
    LONG_GROUP, Product,
    tile::{Part, WIDEST, close, tile},
};
#[cfg(target_arch = "x86_64")]
use crate::ops::cpu::lanes::x86::{Avx2, Avx512};
use crate::ops::cpu::{
    Isa, PANEL,
    lanes::{Baseline, Lanes},
    packed::Packed,
    table::Table,
};

/// Products of each sum that are added before the next pixels' are, then.
const PART: usize = 512;

impl Product {
    /// Computes the pixels from `first` on that fit into `y`. Not a part of the loop around it: a browser compiles what is
    /// called often with more care.
    #[inline(never)]
    pub(super) fn group(&self, x: &[f32], addend: Option<&[f32]>, first: usize, y: &mut [f32]) {
        match self.isa {
            // SAFETY: the instruction set was detected.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => unsafe { group_avx512(self, x, addend, first, y) },
            // SAFETY: the instruction set was detected.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { group_avx2(self, x, addend, first, y) },
            // SAFETY: every machine of this architecture has it.
            Isa::Baseline => unsafe { group::<Baseline>(self, x, addend, first, y) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn group_avx512(product: &Product, x: &[f32], addend: Option<&[f32]>, first: usize, y: &mut [f32]) {
    // SAFETY: the caller has the instruction set.
    unsafe { group::<Avx512>(product, x, addend, first, y) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn group_avx2(product: &Product, x: &[f32], addend: Option<&[f32]>, first: usize, y: &mut [f32]) {
    // SAFETY: the caller has the instruction set.
    unsafe { group::<Avx2>(product, x, addend, first, y) }
}

/// How an instruction set walks over output channels. A tile wants as many sums as there are registers, and no more rows
/// than there are registers for their addresses.
trait Walk: Lanes {
    /// Computes all pixels for the next block, of which at most `left` output channels are wanted; answers how many it has.
    ///
    /// # Safety
    /// The instruction set must be there.
    unsafe fn next(group: &mut Group<'_>, column: usize, left: usize) -> usize;
}

#[cfg(target_arch = "x86_64")]
impl Walk for Avx512 {
    #[inline(always)]
    unsafe fn next(group: &mut Group<'_>, column: usize, left: usize) -> usize {
        // SAFETY: the caller has the instruction set, and so has every one before it.
        unsafe {
            match left.div_ceil(Self::WIDTH) {
                0 | 1 => Avx2::next(group, column, left),
                2 => block::<Self, 8, 2>(group, column),
                3 => block::<Self, 8, 3>(group, column),
                _ => block::<Self, 6, 4>(group, column),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl Walk for Avx2 {
    #[inline(always)]
    unsafe fn next(group: &mut Group<'_>, column: usize, left: usize) -> usize {
        // SAFETY: the caller has the instruction set.
        unsafe {
            match left.div_ceil(Self::WIDTH) {
                0 | 1 => block::<Self, 12, 1>(group, column),
                _ => block::<Self, 6, 2>(group, column),
            }
        }
    }
}

impl Walk for Baseline {
    #[inline(always)]
    unsafe fn next(group: &mut Group<'_>, column: usize, _: usize) -> usize {
        // SAFETY: every machine of this architecture has it.
        unsafe { block::<Self, 6, 2>(group, column) }
    }
}

/// Pixels of one table, and where their results go.
pub(super) struct Group<'a> {
    pub product: &'a Product,
    pub table: Table,
    pub addend: Option<&'a [f32]>,
    pub y: &'a mut [f32],
}

/// Walks over the output channels of a group of pixels.
#[inline(always)]
unsafe fn group<L: Walk>(product: &Product, x: &[f32], addend: Option<&[f32]>, first: usize, y: &mut [f32]) {
    let table = product.reads.table(x, first, y.len() / product.columns);
    let mut group = Group { product, table, addend, y };
    if let Some(packed) = &product.packed {
        // Two vectors, as far as a panel has them.
        // SAFETY: the caller has the instruction set.
        return unsafe {
            match 2 * L::WIDTH <= PANEL {
                true => few::<L, 2>(&mut group, packed),
                false => few::<L, 1>(&mut group, packed),
            }
        };
    }
    let mut column = 0;
    while column < product.columns {
        // SAFETY: the caller has the instruction set.
        column += unsafe { L::next(&mut group, column, product.columns - column) };
    }
}

/// All pixels of a group for a block of output channels, whose number it answers. A long way is gone in parts, each for all
/// pixels, whose weights stay in a near cache that long; between them the sums wait in memory.
#[inline(always)]
unsafe fn block<L: Lanes, const ROWS: usize, const VECTORS: usize>(group: &mut Group<'_>, column: usize) -> usize {
    let (runs, length) = (group.product.reads.runs(), group.product.reads.length());
    if !group.product.is_long() || group.table.count <= ROWS {
        let part = Part { runs: 0..runs, channels: 0..length, first: true, last: true };
        // SAFETY: the caller has the instruction set.
        unsafe { tiles::<L, ROWS, VECTORS>(group, column, &part, &mut []) };
        return VECTORS * L::WIDTH;
    }
    let mut waiting = [[0.0; WIDEST]; LONG_GROUP];
    let (together, piece) = ((PART / length).max(1), length.min(PART));
    for first_run in (0..runs).step_by(together) {
        for channel in (0..length).step_by(piece) {
            let runs = first_run..runs.min(first_run + together);
            let channels = channel..length.min(channel + piece);
            let first = first_run == 0 && channel == 0;
            let last = runs.end == group.product.reads.runs() && channels.end == length;
            let part = Part { runs, channels, first, last };
            // SAFETY: the caller has the instruction set.
            unsafe { tiles::<L, ROWS, VECTORS>(group, column, &part, &mut waiting) };
        }
    }
    VECTORS * L::WIDTH
}

/// A part for all pixels; what is left over goes in tiles of 4, 2 and 1.
#[inline(always)]
unsafe fn tiles<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    group: &mut Group<'_>,
    column: usize,
    part: &Part,
    waiting: &mut [[f32; WIDEST]],
) {
    let mut at = 0;
    while at < group.table.count {
        // SAFETY: the caller has the instruction set; `at` plus the tile's rows is at most the group's pixels.
        at += unsafe {
            match group.table.count - at {
                n if n >= ROWS => tile::<L, ROWS, VECTORS>(group, (at, column), part, waiting),
                n if n >= 4 => tile::<L, 4, VECTORS>(group, (at, column), part, waiting),
                n if n >= 2 => tile::<L, 2, VECTORS>(group, (at, column), part, waiting),
                _ => tile::<L, 1, VECTORS>(group, (at, column), part, waiting),
            }
        };
    }
}

/// All pixels of a group that has few, with weights in bytes.
#[inline(always)]
unsafe fn few<L: Lanes, const VECTORS: usize>(group: &mut Group<'_>, packed: &Packed) {
    let product = group.product;
    for column in (0..product.columns).step_by(VECTORS * L::WIDTH) {
        let bias = &product.epilogue.bias[column..][..VECTORS * L::WIDTH];
        let mut at = 0;
        while at < group.table.count {
            // SAFETY: the caller has the instruction set; a block of columns is no longer than `bias`.
            unsafe {
                let start: [L; VECTORS] = std::array::from_fn(|v| L::load(bias.as_ptr().add(v * L::WIDTH)));
                match group.table.count - at {
                    1 => {
                        let sums = packed.tile::<L, 1, VECTORS>(&product.reads, &group.table, (at, column), start);
                        at += close(group, sums, (at, column));
                    }
                    2 | 3 => {
                        let sums = packed.tile::<L, 2, VECTORS>(&product.reads, &group.table, (at, column), start);
                        at += close(group, sums, (at, column));
                    }
                    _ => {
                        let sums = packed.tile::<L, 4, VECTORS>(&product.reads, &group.table, (at, column), start);
                        at += close(group, sums, (at, column));
                    }
                }
            }
        }
    }
}
