//! Products of few rows with weights in bytes, as they are stored (GGML's `Q8_0`).
//!
//! Such a product reads every weight for one or two multiply-adds, so memory decides: bytes are a quarter of the way. 32 of
//! them share a scale, which is applied to their sum.

use super::{
    PANEL,
    lanes::Lanes,
    table::{Reads, Table},
};
use crate::graph::{Constant, Q8_0_ELEMENTS};

/// Rows up to which reading the weights takes longer than multiplying.
pub(super) const FEW: usize = 4;
/// Vectors of sums that fill the time a multiply-add takes.
const SUMS: usize = 8;
/// Most sums of one result.
const CHAINS: usize = 4;

/// Weights in panels of 16 output channels, in the order in which a tile reads them.
pub(super) struct Packed {
    /// `[columns / 16][tap][channel][16]`, padded with zeros.
    bytes: Vec<i8>,
    /// `[columns / 16][tap][channel / 32][16]`.
    scales: Vec<f32>,
}

impl Packed {
    /// Takes weights, `[columns][tap][channel]`; none when they are not stored in bytes.
    pub fn new(weight: &Constant, reads: &Reads, columns: usize) -> Option<Self> {
        let channels = reads.channels;
        let row = reads.window.kernel[0] * reads.window.kernel[1] * channels;
        let blocks = row / Q8_0_ELEMENTS;
        let padded = columns.next_multiple_of(PANEL);
        let (mut all, mut scales) = (vec![0; padded * row], vec![0.0; padded * blocks]);
        for (i, (scale, bytes)) in weight.q8_blocks(channels)?.enumerate() {
            let (n, block) = (i / blocks, i % blocks);
            scales[(n / PANEL * blocks + block) * PANEL + n % PANEL] = scale;
            let first = (n / PANEL * row + block * Q8_0_ELEMENTS) * PANEL + n % PANEL;
            all[first..].iter_mut().step_by(PANEL).zip(bytes).for_each(|(to, byte)| *to = byte as i8);
        }
        Some(Self { bytes: all, scales })
    }

    /// Sums of `ROWS` pixels from `at` on and `VECTORS` vectors of output channels from `column` on, which do not reach
    /// beyond a panel; they begin with `start`.
    ///
    /// # Safety
    /// The instruction set must be there.
    #[inline(always)]
    pub unsafe fn tile<L: Lanes, const ROWS: usize, const VECTORS: usize>(
        &self,
        reads: &Reads,
        table: &Table,
        (at, column): (usize, usize),
        start: [L; VECTORS],
    ) -> [[L; VECTORS]; ROWS] {
        let (runs, length) = (reads.runs(), reads.length());
        let (panel, within) = (column / PANEL, column % PANEL);
        assert!(within + VECTORS * L::WIDTH <= PANEL && length.is_multiple_of(Q8_0_ELEMENTS));
        let row = runs * length;
        let mut bytes = self.bytes[panel * row * PANEL..][..row * PANEL].as_ptr();
        let scales = row / Q8_0_ELEMENTS * PANEL;
        let mut scales = self.scales[panel * scales..][..scales].as_ptr();
        let chains = (SUMS / (ROWS * VECTORS)).clamp(1, CHAINS);
        let mut sums = [start; ROWS];
        // SAFETY: the caller has the instruction set. Both pointers walk once over a panel, `within` it a block of columns
        // that ends in it; each pointer of the table leads to a run, as `Reads` made sure.
        unsafe {
            (bytes, scales) = (bytes.add(within), scales.add(within));
            for run in 0..runs {
                let sources: &[*const f32] = &table.pointers[run * table.count + at..][..ROWS];
                let sources: [*const f32; ROWS] = std::array::from_fn(|r| sources[r]);
                for block in (0..length).step_by(Q8_0_ELEMENTS) {
                    let mut parts = [[[L::splat(0.0); VECTORS]; ROWS]; CHAINS];
                    for first in (0..Q8_0_ELEMENTS).step_by(chains) {
                        for (chain, part) in parts.iter_mut().enumerate().take(chains) {
                            let k = first + chain;
                            let w: [L; VECTORS] =
                                std::array::from_fn(|v| L::load_bytes(bytes.add(k * PANEL + v * L::WIDTH)));
                            for r in 0..ROWS {
                                let value = L::splat(*sources[r].add(block + k));
                                for v in 0..VECTORS {
                                    part[r][v] = part[r][v].add_product(value, w[v]);
                                }
                            }
                        }
                    }
                    for v in 0..VECTORS {
                        let scale = L::load(scales.add(v * L::WIDTH));
                        for r in 0..ROWS {
                            for part in &parts[..chains] {
                                sums[r][v] = sums[r][v].add_product(part[r][v], scale);
                            }
                        }
                    }
                    bytes = bytes.add(Q8_0_ELEMENTS * PANEL);
                    scales = scales.add(PANEL);
                }
            }
        }
        sums
    }
}
