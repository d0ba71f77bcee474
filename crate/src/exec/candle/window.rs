//! Windows that slide over pictures, as one step of tensors for each tap.

use candle_core::{DType, Device, Error, Result, Tensor};

use super::{Kernel, Task, layout::pad_axis, matrix::Ending};
use crate::ops::{Conv2d, ConvTranspose2d, Depthwise2d, Pool, PoolKind, conv_transpose2d::Geometry, window::Window};

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

/// Dense convolution; a second input is added before the activation.
pub(super) fn conv2d(conv: &Conv2d, task: &Task<'_>) -> Result<Kernel> {
    let (window, out) = conv.window(task.inputs[0]).map_err(Error::wrap)?;
    let channels = conv.weight.shape().last();
    let tap_count = window.kernel[0] * window.kernel[1];
    let weight = Tensor::from_vec(conv.weight.to_f32(), (out, tap_count, channels), task.device)?;
    let sums = products(&window, weight.permute((1, 2, 0))?.contiguous()?, task)?;
    let ending = Ending::new(conv.bias.as_ref(), &conv.activation, task)?;
    Ok(Box::new(move |x| ending.of(sums(x)?, x.get(1).copied())))
}

/// The sums of a dense convolution: on a GPU one product, elsewhere one for each tap. `weight`: `[taps, channels, out]`.
fn products(window: &Window, weight: Tensor, task: &Task<'_>) -> Result<Kernel> {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(device) = task.device {
        return super::cuda::conv2d(window, &weight, device, task);
    }
    let (taps, channels) = (Taps::new(*window, task.device)?, weight.dims()[1]);
    let dims = task.output.dims().to_vec();
    Ok(Box::new(move |x| {
        let product = |tap: usize, pixels: &Tensor| pixels.reshape(((), channels))?.matmul(&weight.get(tap)?);
        taps.sum(x[0], product)?.reshape(dims.as_slice())
    }))
}

/// Depthwise convolution.
pub(super) fn depthwise2d(conv: &Depthwise2d, task: &Task<'_>) -> Result<Kernel> {
    let window = conv.window(task.inputs[0]).map_err(Error::wrap)?;
    let tap_count = window.kernel[0] * window.kernel[1];
    let weight = Tensor::from_vec(conv.weight.to_f32(), (tap_count, conv.weight.shape().last()), task.device)?;
    let sums = channel_sums(&window, weight, task)?;
    let ending = Ending::new(conv.bias.as_ref(), &conv.activation, task)?;
    Ok(Box::new(move |x| ending.of(sums(x)?, None)))
}

/// The sums of a depthwise convolution. `weight`: `[taps, channels]`.
fn channel_sums(window: &Window, weight: Tensor, task: &Task<'_>) -> Result<Kernel> {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(device) = task.device {
        return super::cuda::depthwise2d(window, weight, device, task);
    }
    let taps = Taps::new(*window, task.device)?;
    Ok(Box::new(move |x| taps.sum(x[0], |tap, pixels| pixels.broadcast_mul(&weight.get(tap)?))))
}

/// Transposed convolution: one product gives what every pixel adds under every tap, which the result then gathers.
pub(super) fn conv_transpose2d(conv: &ConvTranspose2d, task: &Task<'_>) -> Result<Kernel> {
    let g = conv.geometry(task.inputs[0]).map_err(Error::wrap)?;
    let (stride, tap_count) = (conv.stride, g.kernel[0] * g.kernel[1]);
    // [in, taps * out].
    let weight = Tensor::from_vec(conv.weight.to_f32(), (g.out, tap_count, g.channels), task.device)?;
    let weight = weight.permute((2, 1, 0))?.contiguous()?.reshape((g.channels, ()))?;
    let ending = Ending::new(conv.bias.as_ref(), &conv.activation, task)?;
    let gather = gather(&g, stride, task)?;
    Ok(Box::new(move |x| ending.of(gather(&x[0].reshape(((), g.channels))?.matmul(&weight)?)?, None)))
}

/// What sums the products of all pixels and taps where they belong.
type Gather = Box<dyn Fn(&Tensor) -> Result<Tensor> + Send + Sync>;

fn gather(g: &Geometry, stride: [usize; 2], task: &Task<'_>) -> Result<Gather> {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(device) = task.device {
        return Ok(Box::new(super::cuda::gather_transposed(g, stride, device, task)?));
    }
    let (g, size) = (*g, [task.output.dims()[1], task.output.dims()[2]]);
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
    Ok(Box::new(move |products| {
        let products = products.reshape((g.batch, g.input[0], g.input[1], ()))?;
        let products = products.pad_with_zeros(1, 0, 1)?.pad_with_zeros(2, 0, 1)?;
        let mut y = Tensor::zeros((g.batch, size[0], size[1], g.out), DType::F32, products.device())?;
        for (ky, row) in rows.iter().enumerate() {
            for (kx, column) in columns.iter().enumerate() {
                let tap = products.narrow(3, (ky * g.kernel[1] + kx) * g.out, g.out)?.contiguous()?;
                y = (y + tap.index_select(row, 1)?.index_select(column, 2)?)?;
            }
        }
        Ok(y)
    }))
}

/// Max or average pooling.
pub(super) fn pool(pool: &Pool, task: &Task<'_>) -> Result<Kernel> {
    let (window, kind) = (pool.window(task.inputs[0]).map_err(Error::wrap)?, pool.kind);
    #[cfg(feature = "cuda")]
    if let Device::Cuda(device) = task.device {
        return super::cuda::pool(pool, &window, device, task);
    }
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
