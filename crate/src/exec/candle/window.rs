//! Windows that slide over pictures, as one step of tensors for each tap.

use candle_core::{DType, Device, Error, Result, Tensor};

use super::{Kernel, Task, elementwise::apply, layout::pad_axis, matrix::vector};
use crate::ops::{Conv2d, ConvTranspose2d, Depthwise2d, Pool, PoolKind, window::Window};

/// A window, and where its taps lie: worked out once, so that a run copies nothing to the device.
struct Taps {
    window: Window,
    /// For each tap along rows and columns, the place it takes every result from, padding included.
    positions: [Vec<Tensor>; 2],
}

impl Taps {
    fn new(window: Window, device: &Device) -> Result<Self> {
        let along = |axis: usize| {
            let places = |tap: usize| {
                let at =
                    (0..window.output[axis]).map(|o| (o * window.stride[axis] + tap * window.dilation[axis]) as u32);
                Tensor::from_iter(at, device)
            };
            (0..window.kernel[axis]).map(places).collect::<Result<Vec<_>>>()
        };
        Ok(Self { window, positions: [along(0)?, along(1)?] })
    }

    /// The pixels under each tap, one `[batch, rows, columns, channels]` of the output's size a tap. `fill` is what the
    /// padding holds.
    fn of(&self, x: &Tensor, fill: f32) -> Result<Vec<Tensor>> {
        let (before, after) = (self.window.before, self.window.after());
        let padded = pad_axis(x, 1, [before[0], after[0]], fill)?;
        let padded = pad_axis(&padded, 2, [before[1], after[1]], fill)?;
        let [rows, columns] = &self.positions;
        let mut taps = Vec::with_capacity(rows.len() * columns.len());
        for row in rows {
            let picture = padded.index_select(row, 1)?;
            for column in columns {
                taps.push(picture.index_select(column, 2)?);
            }
        }
        Ok(taps)
    }

    /// The sum of what `f` makes of each tap and its number.
    fn sum(&self, x: &Tensor, f: impl Fn(usize, &Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let mut sum: Option<Tensor> = None;
        for (tap, pixels) in self.of(x, 0.0)?.iter().enumerate() {
            let part = f(tap, pixels)?;
            sum = Some(match sum {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
        sum.ok_or_else(|| Error::msg("a window has at least one tap"))
    }
}

/// Dense convolution, a matrix product for each tap; a second input is added before the activation.
pub(super) fn conv2d(conv: &Conv2d, task: &Task<'_>) -> Result<Kernel> {
    let (window, out) = conv.window(task.inputs[0]).map_err(Error::wrap)?;
    let channels = conv.weight.shape().last();
    let tap_count = window.kernel[0] * window.kernel[1];
    let weight = Tensor::from_vec(conv.weight.to_f32(), (out, tap_count, channels), task.device)?;
    let weight = weight.permute((1, 2, 0))?.contiguous()?;
    let bias = vector(conv.bias.as_ref(), task.device)?;
    let (activation, dims) = (conv.activation.clone(), task.output.dims().to_vec());
    let taps = Taps::new(window, task.device)?;
    Ok(Box::new(move |x| {
        let product = |tap: usize, pixels: &Tensor| pixels.reshape(((), channels))?.matmul(&weight.get(tap)?);
        let mut y = taps.sum(x[0], product)?;
        if let Some(bias) = &bias {
            y = y.broadcast_add(bias)?;
        }
        let mut y = y.reshape(dims.as_slice())?;
        if let Some(addend) = x.get(1) {
            y = (y + *addend)?;
        }
        apply(&activation, &y)
    }))
}

/// Depthwise convolution.
pub(super) fn depthwise2d(conv: &Depthwise2d, task: &Task<'_>) -> Result<Kernel> {
    let window = conv.window(task.inputs[0]).map_err(Error::wrap)?;
    let tap_count = window.kernel[0] * window.kernel[1];
    let weight = Tensor::from_vec(conv.weight.to_f32(), (tap_count, conv.weight.shape().last()), task.device)?;
    let bias = vector(conv.bias.as_ref(), task.device)?;
    let activation = conv.activation.clone();
    let taps = Taps::new(window, task.device)?;
    Ok(Box::new(move |x| {
        let mut y = taps.sum(x[0], |tap, pixels| pixels.broadcast_mul(&weight.get(tap)?))?;
        if let Some(bias) = &bias {
            y = y.broadcast_add(bias)?;
        }
        apply(&activation, &y)
    }))
}

/// Transposed convolution: one product gives what every pixel adds under every tap, which the result then gathers.
pub(super) fn conv_transpose2d(conv: &ConvTranspose2d, task: &Task<'_>) -> Result<Kernel> {
    let g = conv.geometry(task.inputs[0]).map_err(Error::wrap)?;
    let (stride, size, tap_count) = (conv.stride, conv.size, g.kernel[0] * g.kernel[1]);
    // [in, taps * out].
    let weight = Tensor::from_vec(conv.weight.to_f32(), (g.out, tap_count, g.channels), task.device)?;
    let weight = weight.permute((2, 1, 0))?.contiguous()?.reshape((g.channels, ()))?;
    let bias = vector(conv.bias.as_ref(), task.device)?;
    let activation = conv.activation.clone();
    // For every output row, the input row each tap takes it from; a row of zeros stands for none.
    let sources = |axis: usize, tap: usize| {
        let from = (0..size[axis]).map(|o| {
            let at = (o + g.cut[axis]).checked_sub(tap).filter(|p| p % stride[axis] == 0).map(|p| p / stride[axis]);
            at.filter(|&p| p < g.input[axis]).unwrap_or(g.input[axis]) as u32
        });
        Tensor::from_iter(from, task.device)
    };
    let along = |axis: usize| (0..g.kernel[axis]).map(|k| sources(axis, k)).collect::<Result<Vec<_>>>();
    let (rows, columns) = (along(0)?, along(1)?);
    Ok(Box::new(move |x| {
        let products = x[0].reshape(((), g.channels))?.matmul(&weight)?;
        let products = products.reshape((g.batch, g.input[0], g.input[1], tap_count * g.out))?;
        let products = products.pad_with_zeros(1, 0, 1)?.pad_with_zeros(2, 0, 1)?;
        let mut y = Tensor::zeros((g.batch, size[0], size[1], g.out), DType::F32, x[0].device())?;
        for (ky, row) in rows.iter().enumerate() {
            for (kx, column) in columns.iter().enumerate() {
                let tap = products.narrow(3, (ky * g.kernel[1] + kx) * g.out, g.out)?.contiguous()?;
                y = (y + tap.index_select(row, 1)?.index_select(column, 2)?)?;
            }
        }
        if let Some(bias) = &bias {
            y = y.broadcast_add(bias)?;
        }
        apply(&activation, &y)
    }))
}

/// Max or average pooling.
pub(super) fn pool(pool: &Pool, task: &Task<'_>) -> Result<Kernel> {
    let (window, kind) = (pool.window(task.inputs[0]).map_err(Error::wrap)?, pool.kind);
    let taps = Taps::new(window, task.device)?;
    // How many real pixels each window sees: the taps of a picture of ones, summed.
    let ones = Tensor::ones((1, window.input[0], window.input[1], 1), DType::F32, task.device)?;
    let seen = taps.sum(&ones, |_, pixels| Ok(pixels.clone()))?;
    Ok(Box::new(move |x| match kind {
        PoolKind::Max => {
            let pixels = taps.of(x[0], f32::NEG_INFINITY)?;
            pixels[1..].iter().try_fold(pixels[0].clone(), |y, tap| y.maximum(tap))
        }
        PoolKind::Average => taps.sum(x[0], |_, pixels| Ok(pixels.clone()))?.broadcast_div(&seen),
    }))
}
