//! Functions of single numbers, and of numbers along axes.

use candle_core::{D, Result, Tensor};

use super::{Kernel, Task};
use crate::{
    graph::Constant,
    ops::{Activation, Binary, Normalise, NormaliseOver, Reduce},
};

/// A function of each element.
pub(super) fn activation(activation: Activation) -> Kernel {
    Box::new(move |x| apply(&activation, x[0]))
}

/// An activation's values; channels are the last axis.
pub(super) fn apply(activation: &Activation, x: &Tensor) -> Result<Tensor> {
    match activation {
        Activation::None => Ok(x.clone()),
        Activation::Relu => x.relu(),
        Activation::Relu6 => x.clamp(0f32, 6f32),
        Activation::LeakyRelu(slope) => x.relu()? - (x.neg()?.relu()? * f64::from(*slope))?,
        Activation::Prelu(slopes) => {
            let slopes = Tensor::from_vec(slopes.to_f32(), slopes.shape().elements(), x.device())?;
            x.relu()? - x.neg()?.relu()?.broadcast_mul(&slopes)?
        }
        Activation::Gelu => x.gelu_erf(),
        Activation::Sigmoid => sigmoid(x),
        Activation::Silu => x.silu(),
        Activation::HardSwish => x * ((x + 3.0)?.clamp(0f32, 6f32)? / 6.0)?,
        Activation::Tanh => x.tanh(),
        Activation::Exp => x.exp(),
        Activation::Sqrt => x.sqrt(),
        Activation::Rsqrt => x.sqrt()?.recip(),
        Activation::Square => x.sqr(),
        Activation::Negate => x.neg(),
        Activation::Abs => x.abs(),
    }
}

/// `1 / (1 + exp(-x))`.
pub(super) fn sigmoid(x: &Tensor) -> Result<Tensor> {
    (x.neg()?.exp()? + 1.0)?.recip()
}

/// Arithmetic of two values, the smaller one repeated.
pub(super) fn binary(kind: Binary) -> Kernel {
    let f: fn(&Tensor, &Tensor) -> Result<Tensor> = match kind {
        Binary::Add => |a, b| a.broadcast_add(b),
        Binary::Subtract => |a, b| a.broadcast_sub(b),
        Binary::Multiply => |a, b| a.broadcast_mul(b),
        Binary::Divide => |a, b| a.broadcast_div(b),
        Binary::Maximum => |a, b| a.broadcast_maximum(b),
        Binary::Minimum => |a, b| a.broadcast_minimum(b),
        Binary::SquaredDifference => |a, b| a.broadcast_sub(b)?.sqr(),
    };
    Box::new(move |x| f(x[0], x[1]))
}

/// Layer or instance normalisation.
pub(super) fn normalise(normalise: &Normalise, task: &Task<'_>) -> Result<Kernel> {
    let (channels, dims) = (task.output.last(), task.output.dims().to_vec());
    let table =
        |t: &Option<Constant>| t.as_ref().map(|t| Tensor::from_vec(t.to_f32(), channels, task.device)).transpose();
    let (scale, shift) = (table(&normalise.scale)?, table(&normalise.shift)?);
    let (over, epsilon, batch) = (normalise.over, f64::from(normalise.epsilon), dims[0]);
    Ok(Box::new(move |x| {
        let (x, axis) = match over {
            NormaliseOver::Channels => (x[0].reshape(((), channels))?, D::Minus1),
            NormaliseOver::Pixels => (x[0].reshape((batch, (), channels))?, D::Minus2),
        };
        // Two passes: the difference of squares' mean and mean's square would lose what the variance is made of.
        let centred = x.broadcast_sub(&x.mean_keepdim(axis)?)?;
        let deviation = (centred.sqr()?.mean_keepdim(axis)? + epsilon)?.sqrt()?;
        let mut y = centred.broadcast_div(&deviation)?;
        if let Some(scale) = &scale {
            y = y.broadcast_mul(scale)?;
        }
        if let Some(shift) = &shift {
            y = y.broadcast_add(shift)?;
        }
        y.reshape(dims.as_slice())
    }))
}

/// Sum, mean or largest along axes.
pub(super) fn reduce(kind: Reduce, axes: Vec<usize>, task: &Task<'_>) -> Kernel {
    let share = task.output.elements() as f64 / task.inputs[0].elements() as f64;
    Box::new(move |x| match kind {
        Reduce::Sum => x[0].sum_keepdim(axes.as_slice()),
        Reduce::Mean => x[0].sum_keepdim(axes.as_slice())? * share,
        Reduce::Max => axes.iter().try_fold(x[0].clone(), |y, &axis| y.max_keepdim(axis)),
    })
}

/// Softmax over the last axis.
pub(super) fn softmax() -> Kernel {
    Box::new(|x| {
        // The largest is subtracted first: exp cannot overflow then.
        let e = x[0].broadcast_sub(&x[0].max_keepdim(D::Minus1)?)?.exp()?;
        e.broadcast_div(&e.sum_keepdim(D::Minus1)?)
    })
}
