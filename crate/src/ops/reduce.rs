//! Sum, mean or largest along axes.

use candle_core::Device;

use super::dispatch::{axes, elementwise, shader};
use super::{Kind, cpu};
use crate::graph::{Binding, CandleKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Value};

/// What is taken along the axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduce {
    /// The sum.
    Sum,
    /// The mean.
    Mean,
    /// The largest.
    Max,
}

#[derive(Debug)]
struct ReduceOp {
    kind: Reduce,
    /// Sorted, without repetition.
    axes: Vec<usize>,
}

impl Operation for ReduceOp {
    fn name(&self) -> &'static str {
        "reduce"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Reduce { kind: self.kind, axes: &self.axes }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let mut dims = inputs[0].dims().to_vec();
        for &axis in &self.axes {
            match dims.get_mut(axis) {
                Some(d) => *d = 1,
                None => return Err(GraphError::op("reduce", format!("axis {axis} of {}", inputs[0]))),
            }
        }
        Ok(dims.into())
    }

    fn flops(&self, inputs: &[&Shape], _: &Shape) -> u64 {
        inputs[0].elements() as u64
    }

    fn candle(&self, inputs: &[&Shape], output: &Shape, device: &Device) -> candle_core::Result<CandleKernel> {
        let share = output.elements() as f32 / inputs[0].elements() as f32;
        let (kind, axes) = (self.kind, self.axes.clone());
        // Neighbouring axes are one: so many blocks of so many rows of `inner` numbers.
        let neighbours = axes.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        if let (true, true, Some(&last)) = (device.is_cpu(), neighbours, axes.last()) {
            let inner: usize = inputs[0].dims()[last + 1..].iter().product();
            let block = inner * axes.iter().map(|&a| inputs[0].dims()[a]).product::<usize>();
            let dims = output.dims().to_vec();
            return Ok(Box::new(move |x| {
                cpu::apply(x, &dims, |x, y| {
                    for (x, y) in x[0].chunks_exact(block).zip(y.chunks_exact_mut(inner)) {
                        rows(kind, x, y, share);
                    }
                })
            }));
        }
        Ok(Box::new(move |x| match kind {
            Reduce::Sum => x[0].sum_keepdim(axes.as_slice()),
            Reduce::Mean => x[0].sum_keepdim(axes.as_slice())? * f64::from(share),
            Reduce::Max => axes.iter().try_fold(x[0].clone(), |y, &axis| y.max_keepdim(axis)),
        }))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape) -> Vec<Dispatch> {
        let lengths = inputs[0].dims();
        let gone = |axis: &usize| self.axes.contains(axis);
        let strides = inputs[0].strides();
        let of = |taken: bool, values: &[usize], rest: u32| {
            let chosen: Vec<usize> = (0..lengths.len()).filter(|a| gone(a) == taken).map(|a| values[a]).collect();
            axes(chosen.into_iter(), rest)
        };
        let mut params = vec![(inputs[0].elements() / output.elements()) as u32, 0, 0];
        for taken in [false, true] {
            params.extend(of(taken, lengths, 1));
            params.extend(of(taken, &strides, 0));
        }
        let constants = vec![("KIND", f64::from(self.kind as u8))];
        let bindings = vec![Binding::Input(0), Binding::Output];
        vec![elementwise(shader!("reduce"), constants, output.elements(), params, bindings)]
    }
}

/// All rows of a block as one.
fn rows(kind: Reduce, x: &[f32], y: &mut [f32], share: f32) {
    match kind {
        Reduce::Max => {
            y.fill(f32::NEG_INFINITY);
            for row in x.chunks_exact(y.len()) {
                y.iter_mut().zip(row).for_each(|(y, x)| *y = y.max(*x));
            }
        }
        Reduce::Sum => mean_of_rows(x, y, 1.0, |v, _| v),
        Reduce::Mean => mean_of_rows(x, y, share, |v, _| v),
    }
}

/// The sum of a function of all rows' elements (and their places in the row), times `share`. Sums are taken in parts first:
/// a long one loses what is small beside it.
pub(super) fn mean_of_rows(x: &[f32], y: &mut [f32], share: f32, f: impl Fn(f32, usize) -> f32) {
    const PART: usize = 64;
    let inner = y.len();
    let mut sums = vec![0.0; inner];
    y.fill(0.0);
    for part in x.chunks(PART * inner) {
        sums.fill(0.0);
        for row in part.chunks_exact(inner) {
            sums.iter_mut().zip(row).enumerate().for_each(|(i, (sum, x))| *sum += f(*x, i));
        }
        y.iter_mut().zip(&sums).for_each(|(y, sum)| *y += sum);
    }
    y.iter_mut().for_each(|y| *y *= share);
}

impl GraphBuilder {
    /// Sum, mean or largest along `axes`, which keep length 1 (use [`Self::reshape`] to drop them).
    ///
    /// # Errors
    /// [`GraphError::Operation`] when an axis does not exist.
    pub fn reduce(&mut self, kind: Reduce, x: Value, axes: &[usize]) -> Result<Value, GraphError> {
        let mut axes = axes.to_vec();
        axes.sort_unstable();
        axes.dedup();
        self.apply(ReduceOp { kind, axes }, &[x])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ops::testing::{check, graph};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

        #[test]
        fn agrees_with_float64(dims in prop::array::uniform4(1usize..6), chosen in any::<[bool; 4]>(), kind in 0usize..3) {
            let kind = [Reduce::Sum, Reduce::Mean, Reduce::Max][kind];
            let axes: Vec<usize> = (0..4).filter(|&a| chosen[a]).collect();
            let g = graph(&[&dims], |b, x| b.reduce(kind, x[0], &axes));
            let out = g.shape(g.outputs()[0].value).clone();
            let strides = Shape::from(dims).strides();
            check(&g, 1e-5, |x| {
                let mut groups = vec![Vec::new(); out.elements()];
                for (i, &v) in x[0].iter().enumerate() {
                    let target: usize = (0..4)
                        .map(|a| if chosen[a] { 0 } else { i / strides[a] % dims[a] * out.strides()[a] })
                        .sum();
                    groups[target].push(v);
                }
                let one = |g: &Vec<f64>| match kind {
                    Reduce::Sum => g.iter().sum(),
                    Reduce::Mean => g.iter().sum::<f64>() / g.len() as f64,
                    Reduce::Max => g.iter().copied().fold(f64::MIN, f64::max),
                };
                groups.iter().map(one).collect()
            });
        }
    }
}
