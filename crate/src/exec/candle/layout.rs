//! Elements in other places: joined, cut out, surrounded, in another order, resized.

use std::ops::Range;

use candle_core::{Result, Tensor};

use super::{Kernel, Task};
use crate::ops::Sampling;

/// Values one after the other along an axis.
pub(super) fn concat(axis: usize) -> Kernel {
    Box::new(move |x| Tensor::cat(x, axis)?.contiguous())
}

/// A constant around a value; `widths` are the elements before and after, for each axis.
pub(super) fn pad(widths: Vec<[usize; 2]>, fill: f32) -> Kernel {
    Box::new(move |x| {
        let mut axes = widths.iter().enumerate();
        axes.try_fold(x[0].clone(), |y, (axis, &width)| pad_axis(&y, axis, width, fill))
    })
}

/// Surrounds a value with a constant along one axis.
pub(super) fn pad_axis(x: &Tensor, axis: usize, [before, after]: [usize; 2], fill: f32) -> Result<Tensor> {
    let block = |length: usize| {
        let mut dims = x.dims().to_vec();
        dims[axis] = length;
        Tensor::full(fill, dims, x.device())
    };
    match (before, after) {
        (0, 0) => Ok(x.clone()),
        (_, 0) => Tensor::cat(&[&block(before)?, x], axis),
        (0, _) => Tensor::cat(&[x, &block(after)?], axis),
        _ => Tensor::cat(&[&block(before)?, x, &block(after)?], axis),
    }
}

/// Axes in another order.
pub(super) fn permute(order: Vec<usize>) -> Kernel {
    Box::new(move |x| x[0].permute(order.as_slice())?.contiguous())
}

/// The same elements under another shape.
pub(super) fn reshape(task: &Task<'_>) -> Kernel {
    let dims = task.output.dims().to_vec();
    Box::new(move |x| x[0].reshape(dims.as_slice()))
}

/// A box cut out.
pub(super) fn slice(ranges: Vec<Range<usize>>) -> Kernel {
    Box::new(move |x| {
        let mut axes = ranges.iter().enumerate();
        axes.try_fold(x[0].clone(), |y, (axis, r)| y.narrow(axis, r.start, r.len()))?.contiguous()
    })
}

/// Bilinear resizing: first along rows, then along columns, each a blend of two gathered copies.
pub(super) fn resize(sampling: Sampling, task: &Task<'_>) -> Result<Kernel> {
    let mut axes = Vec::with_capacity(2);
    for axis in [1, 2] {
        let taps = sampling.taps(task.inputs[0].dims()[axis], task.output.dims()[axis]);
        let left = Tensor::from_iter(taps.iter().map(|t| t.0), task.device)?;
        let right = Tensor::from_iter(taps.iter().map(|t| t.1), task.device)?;
        let shape = if axis == 1 { (1, taps.len(), 1, 1) } else { (1, 1, taps.len(), 1) };
        let weight = Tensor::from_iter(taps.iter().map(|t| t.2), task.device)?.reshape(shape)?;
        axes.push((axis, left, right, weight));
    }
    Ok(Box::new(move |x| {
        let mut y = x[0].clone();
        for (axis, left, right, weight) in &axes {
            let (a, b) = (y.index_select(left, *axis)?, y.index_select(right, *axis)?);
            y = (&a + (b - &a)?.broadcast_mul(weight)?)?;
        }
        Ok(y)
    }))
}
