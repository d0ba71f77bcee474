//! Convolution as an indirect matrix product.
//!
//! In `[height, width, channels]` the channels under one tap of the window lie together. So the left factor of the product
//! is never written down: a tile of output pixels is a table of pointers, one for each tap and pixel, and a pointer into
//! the padding leads to a row of zeros (the idea is XNNPACK's). The right factor, the weights, is packed once into panels
//! of 16 output channels in the order in which the tile reads them.
//!
//! `group` walks over the pixels of one thread, `tile` keeps a few sums in registers.

mod group;
mod tile;

use super::{
    Epilogue, Isa, PANEL, for_pieces,
    packed::{FEW, Packed},
    table::Reads,
};
use crate::{
    graph::Constant,
    ops::{Activation, window::Window},
};

/// Output pixels that share a table of pointers, or some times as many. A panel of weights is read once for all of them, from
/// the nearest cache.
const GROUP: usize = super::ROWS_OF_A_THREAD;
/// Tables of a large picture, at least: threads share them.
const PIECES: usize = 16;
/// Products of a sum from which on the weights of all are too many for the nearest cache.
const LONG: usize = 1024;
/// Output pixels that share a table where sums are that long: all weights come from a far cache once for each.
const LONG_GROUP: usize = 192;

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
        let group =
            if self.is_long() { LONG_GROUP } else { pixels.div_ceil(PIECES).next_multiple_of(GROUP).min(LONG_GROUP) };
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
