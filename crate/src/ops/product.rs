//! The implicit matrix product behind convolutions, linear layers and the input part of a GRU; see `conv2d.wgsl`.

use super::{
    dispatch::{elementwise, flag, groups, shader},
    window::Window,
};
use crate::graph::{Binding, Constant, Dispatch, Q8_0_ELEMENTS, Tile};

/// Output pixels of which every weight is read for so little work that reading decides.
const FEW: usize = 4;
/// Invocations in a workgroup of the shaders for weights in bytes. Few are at work there: small groups keep all cores busy.
pub(crate) const PACKED_GROUP: usize = 16;

/// A convolution as the GPU sees it: a product whose left factor is gathered on the fly.
pub(crate) struct ImplicitProduct<'a> {
    pub window: Window,
    /// Input channels.
    pub channels: usize,
    /// Output channels.
    pub columns: usize,
    /// `[columns][taps][channels]`.
    pub weight: &'a Constant,
    /// Biases and slopes, one for each output channel.
    pub epilogue: [Vec<f32>; 2],
    /// Code of the activation.
    pub activation: f64,
}

impl ImplicitProduct<'_> {
    /// Records it.
    pub fn dispatch(self, tile: Tile, input: Binding, addend: Option<Binding>, output: Binding) -> Dispatch {
        let has_addend = addend.is_some();
        // Without an addend the input is bound a second time: a binding must be something.
        let addend = addend.unwrap_or_else(|| input.clone());
        if self.pixels() <= FEW
            && let Some(dispatch) = self.packed(has_addend, [&input, &addend, &output])
        {
            return dispatch;
        }
        match tile {
            Tile::Shared { pixels } => self.shared(usize::from(pixels) / 4, has_addend, [input, addend, output]),
            Tile::Registers { pixels, vectors } => {
                self.registers([pixels, vectors].map(usize::from), has_addend, [input, addend, output])
            }
        }
    }

    fn pixels(&self) -> usize {
        self.window.output_shape(1).elements()
    }

    fn shared(self, blocks: usize, has_addend: bool, [input, addend, output]: [Binding; 3]) -> Dispatch {
        let w = self.window;
        let pixels = self.pixels();
        let inner = w.kernel[0] * w.kernel[1] * self.channels;
        let columns4 = self.columns.div_ceil(4);
        // A tile of 64 x 64 pays off when it is filled; smaller ones keep more of the GPU busy when it is not.
        // A tall tile with half of its rows empty is no better than one of half the height.
        let blocks = if pixels > 4 * 16 { blocks } else { 1 };
        let side: usize = if pixels >= 64 * 16 && self.columns > 32 { 16 } else { 8 };
        let mut weight = vec![0.0; inner * columns4 * 4];
        for (n, row) in self.weight.to_f32().chunks_exact(inner).enumerate() {
            for (k, &value) in row.iter().enumerate() {
                weight[k * columns4 * 4 + n] = value;
            }
        }
        let sizes = [pixels, self.columns, columns4, inner, self.channels];
        let geometry = [w.input[0], w.input[1], w.output[0], w.output[1], w.kernel[1], w.stride[0], w.stride[1]];
        let taps = [w.dilation[0], w.dilation[1], w.before[0], w.before[1]];
        let constants = vec![
            ("SIDE", side as f64),
            ("BLOCKS", blocks as f64),
            ("ADDEND", flag(has_addend)),
            ("ACTIVATION", self.activation),
        ];
        let epilogue = Binding::weights(self.epilogue.concat());
        Dispatch {
            shader: shader!("conv2d"),
            constants,
            params: sizes.iter().chain(&geometry).chain(&taps).map(|&n| n as u32).collect(),
            bindings: vec![input, Binding::weights(weight), epilogue, addend, output],
            workgroups: [pixels.div_ceil(4 * blocks * side) as u32, columns4.div_ceil(side) as u32, 1],
        }
    }

    fn registers(self, most: [usize; 2], has_addend: bool, [input, addend, output]: [Binding; 3]) -> Dispatch {
        let w = self.window;
        let pixels = self.pixels();
        // No more than there is to do: what lies beyond is computed for nothing.
        let rows = match pixels {
            ..4 => 1,
            4..8 => most[0].min(4),
            _ => most[0],
        };
        let vectors = most[1].min(prev_power_of_two(self.columns.div_ceil(4)));
        let columns4 = self.columns.div_ceil(4 * vectors) * vectors;
        let channels4 = self.channels.div_ceil(4);
        let taps = w.kernel[0] * w.kernel[1];
        // [out][tap][in] to matrices [tap][in / 4][out / 4] of [in][out].
        let mut weight = vec![0.0; taps * channels4 * columns4 * 16];
        for (n, row) in self.weight.to_f32().chunks_exact(taps * self.channels).enumerate() {
            for (tap, row) in row.chunks_exact(self.channels).enumerate() {
                for (k, &value) in row.iter().enumerate() {
                    let matrix = (tap * channels4 + k / 4) * columns4 + n / 4;
                    weight[matrix * 16 + k % 4 * 4 + n % 4] = value;
                }
            }
        }
        let constants = vec![
            ("PIXELS", rows as f64),
            ("VECTORS", vectors as f64),
            ("PADDED", flag(self.padded())),
            ("RAGGED", flag(!self.channels.is_multiple_of(4))),
            ("ACTIVATION", self.activation),
        ];
        let params = self.params(vec![pixels, self.columns, columns4, self.channels, channels4], has_addend);
        let (weight, table) = (Binding::weights(weight), self.table(columns4));
        let bindings = vec![input.clone(), input, weight, table, addend, output];
        let invocations = columns4 / vectors * pixels.div_ceil(rows);
        elementwise(shader!("conv2d_registers"), constants, invocations, params, bindings)
    }

    /// For weights that are stored in bytes.
    fn packed(&self, has_addend: bool, [input, addend, output]: [&Binding; 3]) -> Option<Dispatch> {
        let pixels = self.pixels();
        let rows = pixels.next_power_of_two();
        let (columns4, blocks) = (self.columns.div_ceil(4), self.channels / Q8_0_ELEMENTS);
        let taps = self.window.kernel[0] * self.window.kernel[1];
        let [weight, scale] = packed_weights(self.weight, [taps, self.channels], 4 * columns4)?;
        let constants = vec![("PIXELS", rows as f64), ("PADDED", flag(self.padded())), ("ACTIVATION", self.activation)];
        let invocations = columns4 * pixels.div_ceil(rows);
        let mut params = self.params(vec![pixels, self.columns, columns4, blocks], has_addend);
        params.insert(0, invocations as u32);
        let bindings = vec![input.clone(), weight, scale, self.table(columns4), addend.clone(), output.clone()];
        let workgroups = groups(invocations.div_ceil(PACKED_GROUP));
        Some(Dispatch { shader: shader!("conv2d_packed"), constants, params, bindings, workgroups })
    }

    /// Whether windows reach beyond the picture.
    fn padded(&self) -> bool {
        self.window.before != [0, 0] || self.window.after() != [0, 0]
    }

    /// Biases and slopes, each filled up to whole vectors.
    fn table(&self, columns4: usize) -> Binding {
        let mut table = vec![0.0; 8 * columns4];
        for (half, values) in table.chunks_exact_mut(4 * columns4).zip(&self.epilogue) {
            half[..values.len()].copy_from_slice(values);
        }
        Binding::weights(table)
    }

    /// The parameters of the shaders that share nothing; `sizes` are their first.
    fn params(&self, mut sizes: Vec<usize>, has_addend: bool) -> Vec<u32> {
        let w = self.window;
        sizes.extend([w.input, w.output, w.kernel, w.stride, w.dilation, w.before].concat());
        sizes.push(usize::from(has_addend));
        sizes.into_iter().map(|n| n as u32).collect()
    }
}

/// Weights in bytes, `[out][tap][in]`, as words of four inputs, `[tap][in / 4][out]`, and their scales, `[tap][in / 32][out]`,
/// with room for `columns` outputs. Shaders read bytes as parts of 127, which the scales make good. None when they are not stored
/// in bytes, or one is -128, which that cannot tell from -127 (the encoder makes none).
pub(crate) fn packed_weights(weight: &Constant, [taps, channels]: [usize; 2], columns: usize) -> Option<[Binding; 2]> {
    let blocks = taps * channels / Q8_0_ELEMENTS;
    let (mut words, mut scales) = (vec![0; taps * channels / 4 * columns], vec![0.0; blocks * columns]);
    for (i, (scale, bytes)) in weight.q8_blocks(channels)?.enumerate() {
        let (n, block) = (i / blocks, i % blocks);
        if bytes.contains(&(i8::MIN as u8)) {
            return None;
        }
        scales[block * columns + n] = 127.0 * scale;
        for (k, word) in bytes.as_chunks().0.iter().enumerate() {
            words[(block * Q8_0_ELEMENTS / 4 + k) * columns + n] = u32::from_le_bytes(*word);
        }
    }
    Some([Binding::packed(words), Binding::weights(scales)])
}

/// The largest power of two that is not larger than `n`, which is not zero.
fn prev_power_of_two(n: usize) -> usize {
    1 << n.ilog2()
}
