//! The implicit matrix product behind convolutions, linear layers and the input part of a GRU; see `conv2d.wgsl`.

use super::{dispatch::shader, window::Window};
use crate::graph::{Binding, Dispatch};

/// A convolution as the GPU sees it: a product whose left factor is gathered on the fly.
pub(crate) struct ImplicitProduct<'a> {
    pub window: Window,
    /// Input channels.
    pub channels: usize,
    /// Output channels.
    pub columns: usize,
    /// `[columns][taps][channels]`.
    pub weight: &'a [f32],
    /// Biases and slopes.
    pub epilogue: Binding,
    /// Code of the activation.
    pub activation: f64,
}

impl ImplicitProduct<'_> {
    /// Records it.
    pub fn dispatch(self, input: Binding, addend: Option<Binding>, output: Binding) -> Dispatch {
        let w = self.window;
        let pixels = w.batch * w.output[0] * w.output[1];
        let inner = w.kernel[0] * w.kernel[1] * self.channels;
        let columns4 = self.columns.div_ceil(4);
        // A tile of 64 x 64 pays off when it is filled; smaller ones keep more of the GPU busy when it is not.
        let side: usize = if pixels >= 64 * 16 && self.columns > 32 { 16 } else { 8 };
        let mut weight = vec![0.0; inner * columns4 * 4];
        for (n, row) in self.weight.chunks_exact(inner).enumerate() {
            for (k, &value) in row.iter().enumerate() {
                weight[k * columns4 * 4 + n] = value;
            }
        }
        let sizes = [pixels, self.columns, columns4, inner, self.channels];
        let geometry = [w.input[0], w.input[1], w.output[0], w.output[1], w.kernel[1], w.stride[0], w.stride[1]];
        let taps = [w.dilation[0], w.dilation[1], w.before[0], w.before[1]];
        let params = sizes.iter().chain(&geometry).chain(&taps).map(|&n| n as u32).collect();
        let has_addend = f64::from(u8::from(addend.is_some()));
        // Without an addend the input is bound a second time: a binding must be something.
        let addend = addend.unwrap_or_else(|| input.clone());
        Dispatch {
            shader: shader!("conv2d"),
            constants: vec![("SIDE", side as f64), ("ADDEND", has_addend), ("ACTIVATION", self.activation)],
            params,
            bindings: vec![input, Binding::Weights(weight), self.epilogue, addend, output],
            workgroups: [pixels.div_ceil(4 * side) as u32, columns4.div_ceil(side) as u32, 1],
        }
    }
}
