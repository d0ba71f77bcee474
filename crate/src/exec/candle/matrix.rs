//! Matrix products, and the recurrent unit made of them.

use candle_core::{Device, Result, Tensor};

use super::{
    Kernel, Task,
    elementwise::{apply, sigmoid},
};
use crate::{
    graph::Constant,
    ops::{Activation, Gru, Linear},
};

/// `[rows, columns]` on a device, transposed.
fn transposed_matrix(matrix: &Constant, columns: usize, device: &Device) -> Result<Tensor> {
    let rows = matrix.shape().elements() / columns;
    Tensor::from_vec(matrix.to_f32(), (rows, columns), device)?.t()?.contiguous()
}

/// What convolutions and matrix products end with.
pub(super) struct Ending {
    bias: Option<Tensor>,
    activation: Activation,
}

impl Ending {
    pub fn new(bias: Option<&Constant>, activation: &Activation, task: &Task<'_>) -> Result<Self> {
        let tensor = |n: &Constant| Tensor::from_vec(n.to_f32(), n.shape().elements(), task.device);
        Ok(Self { bias: bias.map(tensor).transpose()?, activation: activation.clone() })
    }

    /// What becomes of sums; `addend` is added before the activation.
    pub fn of(&self, mut y: Tensor, addend: Option<&Tensor>) -> Result<Tensor> {
        if let Some(bias) = &self.bias {
            y = y.broadcast_add(bias)?;
        }
        if let Some(addend) = addend {
            y = (y + addend)?;
        }
        apply(&self.activation, &y)
    }
}

/// A matrix applied to the last axis.
pub(super) fn linear(linear: &Linear, task: &Task<'_>) -> Result<Kernel> {
    let channels = task.inputs[0].last();
    let weight = transposed_matrix(&linear.weight, channels, task.device)?;
    let (ending, dims) = (Ending::new(linear.bias.as_ref(), &linear.activation, task)?, task.output.dims().to_vec());
    Ok(Box::new(move |x| {
        let y = x[0].reshape(((), channels))?.matmul(&weight)?;
        ending.of(y.reshape(dims.as_slice())?, None)
    }))
}

/// Product of two values; `transposed`: the second lies as `[columns, inner]`.
pub(super) fn matmul(transposed: bool, task: &Task<'_>) -> Kernel {
    let (rows, inner, columns) = (task.inputs[0].dims().iter().rev().nth(1), task.inputs[0].last(), task.output.last());
    let rows = rows.copied().unwrap_or(1);
    let dims = task.output.dims().to_vec();
    Box::new(move |x| {
        let a = x[0].reshape(((), rows, inner))?;
        let b = match transposed {
            true => x[1].reshape(((), columns, inner))?.transpose(1, 2)?,
            false => x[1].reshape(((), inner, columns))?,
        };
        a.matmul(&b)?.reshape(dims.as_slice())
    })
}

/// Gated recurrent unit; the second input is the state.
pub(super) fn gru(gru: &Gru, task: &Task<'_>) -> Result<Kernel> {
    let (hidden, time) = (task.output.last(), task.inputs[0].rows());
    let w = transposed_matrix(&gru.input_weight, task.inputs[0].last(), task.device)?;
    let u = transposed_matrix(&gru.hidden_weight, hidden, task.device)?;
    let row = |c: &Constant| Tensor::from_vec(c.to_f32(), (1, 3 * hidden), task.device);
    let (b, c) = (row(&gru.input_bias)?, row(&gru.hidden_bias)?);
    #[cfg(feature = "cuda")]
    if let Device::Cuda(device) = task.device {
        return on_gpu(device, [w, u, b, c], task);
    }
    Ok(Box::new(move |x| {
        // The input's part of all steps is one product; only the state's part has to wait for the step before.
        let from_input = x[0].matmul(&w)?.broadcast_add(&b)?;
        let mut h = x[1].reshape((1, hidden))?;
        let mut steps = Vec::with_capacity(time);
        for step in 0..time {
            let i = from_input.narrow(0, step, 1)?;
            let s = (h.matmul(&u)? + &c)?;
            let part = |t: &Tensor, gate: usize| t.narrow(1, gate * hidden, hidden);
            let reset = sigmoid(&(part(&i, 0)? + part(&s, 0)?)?)?;
            let update = sigmoid(&(part(&i, 1)? + part(&s, 1)?)?)?;
            let new = (part(&i, 2)? + (reset * part(&s, 2)?)?)?.tanh()?;
            h = (&new + (update * (h - &new)?)?)?;
            steps.push(h.clone());
        }
        Tensor::cat(&steps, 0)
    }))
}

/// The unit on an NVIDIA GPU, a launch a step. What the state's part adds to the first two gates whatever the state is goes to
/// the input's part.
#[cfg(feature = "cuda")]
fn on_gpu(device: &candle_core::CudaDevice, [w, u, b, c]: [Tensor; 4], task: &Task<'_>) -> Result<Kernel> {
    let hidden = task.output.last();
    let last = Tensor::cat(&[&c.narrow(1, 0, 2 * hidden)?, &c.narrow(1, 0, hidden)?.zeros_like()?], 1)?;
    let b = (b + last)?;
    let steps = super::cuda::gru_steps(Tensor::cat(&[u, c], 0)?, device, task)?;
    Ok(Box::new(move |x| {
        let from_input = x[0].matmul(&w)?.broadcast_add(&b)?;
        steps(&from_input, &x[1].reshape((1, hidden))?)
    }))
}
