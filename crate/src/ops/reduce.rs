//! Sum, mean or largest along axes.

use super::{
    Kind,
    boxes::fewest_axes,
    cpu,
    dispatch::{axes, elementwise, flag, shader},
};
use crate::graph::{Binding, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

/// Elements that one invocation on a GPU takes together; more are cut into pieces.
const SHORT: usize = 256;

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

    fn cpu(&self, inputs: &[&Shape], output: &Shape) -> Result<CpuKernel, GraphError> {
        let share = output.elements() as f32 / inputs[0].elements() as f32;
        let kind = self.kind;
        let walks = walks(inputs[0].dims(), &self.axes);
        Ok(Box::new(move |x, y| {
            // All but the last leave a value that the next goes on with.
            let mut between: Option<Vec<f32>> = None;
            for (i, &[block, inner]) in walks.iter().enumerate() {
                let x = between.as_deref().unwrap_or(x[0]);
                let blocks = |y: &mut [f32]| {
                    x.chunks_exact(block).zip(y.chunks_exact_mut(inner)).for_each(|(x, y)| rows(kind, x, y));
                };
                if i + 1 == walks.len() {
                    blocks(y);
                } else {
                    let mut next = vec![0.0; x.len() / block * inner];
                    blocks(&mut next);
                    between = Some(next);
                }
            }
            match kind {
                _ if walks.is_empty() => y.copy_from_slice(x[0]),
                Reduce::Mean => y.iter_mut().for_each(|y| *y *= share),
                Reduce::Sum | Reduce::Max => {}
            }
        }))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        let strides = inputs[0].strides();
        let axes_of = |gone: bool| {
            let chosen = |all: &[usize]| -> Vec<usize> {
                (0..all.len()).filter(|a| self.axes.contains(a) == gone).map(|a| all[a]).collect()
            };
            let (lengths, [strides]) = fewest_axes(&chosen(inputs[0].dims()), [&chosen(&strides)]);
            (lengths, strides)
        };
        let results = output.elements();
        let count = inputs[0].elements() / results;
        let factor = if self.kind == Reduce::Mean { 1.0 / count as f32 } else { 1.0 };
        let dispatch = |pieces: usize, count: usize, factor: f32, walks: [(Vec<usize>, Vec<usize>); 2], bindings| {
            let gone = walks[1].0.len().max(1);
            let constants = vec![("LARGEST", flag(self.kind == Reduce::Max)), ("AXES", gone as f64)];
            let sizes = [results, count, count.div_ceil(pieces)].map(|n| n as u32);
            let mut params = sizes.to_vec();
            params.extend([factor.to_bits(), 0, 0, 0]);
            for (lengths, strides) in walks {
                params.extend(axes(lengths.into_iter(), 1));
                params.extend(axes(strides.into_iter(), 0));
            }
            elementwise(shader!("reduce"), constants, results * pieces, params, bindings)
        };
        let walks = [axes_of(false), axes_of(true)];
        // Every piece has about as many elements as there are pieces, so that both steps take equally long.
        let pieces = (count as f64).sqrt() as usize;
        if count < SHORT {
            return vec![dispatch(1, count, factor, walks, vec![Binding::Input(0), Binding::Output])];
        }
        // No piece is empty: the last begins before the end.
        let pieces = count.div_ceil(count.div_ceil(pieces));
        let partial = vec![Binding::Input(0), Binding::ScratchOut(0, results * pieces)];
        let dense = [(vec![results], vec![1]), (vec![pieces], vec![results])];
        vec![
            dispatch(pieces, count, 1.0, walks, partial),
            dispatch(1, pieces, factor, dense, vec![Binding::ScratchIn(0), Binding::Output]),
        ]
    }
}

/// How the axes go, one stretch of neighbours after the other, the last ones first: blocks of so many numbers, each of which
/// becomes a row of so many.
fn walks(dims: &[usize], axes: &[usize]) -> Vec<[usize; 2]> {
    let product = |dims: &[usize]| dims.iter().product::<usize>();
    let stretches = axes.chunk_by(|a, b| a + 1 == *b).rev();
    let mut behind = dims.to_vec();
    let mut walk = |stretch: &[usize]| {
        let (first, last) = (stretch[0], stretch[stretch.len() - 1]);
        let sizes = [product(&behind[first..]), product(&behind[last + 1..])];
        behind[first..=last].fill(1);
        sizes
    };
    stretches.map(&mut walk).collect()
}

/// All rows of a block as one: their sum, or the largest.
fn rows(kind: Reduce, x: &[f32], y: &mut [f32]) {
    match kind {
        Reduce::Max => {
            y.fill(f32::NEG_INFINITY);
            for row in x.chunks_exact(y.len()) {
                y.iter_mut().zip(row).for_each(|(y, x)| *y = y.max(*x));
            }
        }
        Reduce::Sum | Reduce::Mean => mean_of_rows(x, &vec![0.0; y.len()], y, 1.0, |v| v),
    }
}

/// The sum of a function of all rows' elements less those of `centre`, times `share`. Sums are taken in parts first: a long one
/// loses what is small beside it. Short rows go several at once, so that no sum waits for the one before it.
pub(super) fn mean_of_rows(x: &[f32], centre: &[f32], y: &mut [f32], share: f32, f: impl Fn(f32) -> f32) {
    const PART: usize = 64;
    const WIDE: usize = 64;
    let together = (WIDE / y.len()).max(1);
    let centre = centre.repeat(together);
    let mut sums = vec![0.0; centre.len()];
    y.fill(0.0);
    cpu::wide(|| {
        for part in x.chunks(PART * sums.len()) {
            sums.fill(0.0);
            for row in part.chunks(sums.len()) {
                sums.iter_mut().zip(row).zip(&centre).for_each(|((sum, x), centre)| *sum += f(x - centre));
            }
            for sums in sums.chunks_exact(y.len()) {
                y.iter_mut().zip(sums).for_each(|(y, sum)| *y += sum);
            }
        }
        y.iter_mut().for_each(|y| *y *= share);
    });
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

    #[test]
    fn long_boxes_are_taken_in_pieces() {
        for (kind, axes) in [(Reduce::Mean, vec![1, 2]), (Reduce::Max, vec![1, 2]), (Reduce::Sum, vec![0, 2])] {
            let dims = [2, 23, 31, 5];
            let g = graph(&[&dims], |b, x| b.reduce(kind, x[0], &axes));
            let op = &g.nodes()[0].operation;
            let shapes = [Shape::from(dims)];
            let count: usize = axes.iter().map(|&a| dims[a]).product();
            let dispatches = op.gpu(&[&shapes[0]], g.shape(g.outputs()[0].value), Tuning::default());
            assert_eq!(dispatches.len(), if count < SHORT { 1 } else { 2 });
            check(&g, 1e-5, |x| {
                let out = g.shape(g.outputs()[0].value);
                let (from, to) = (shapes[0].strides(), out.strides());
                let start = if kind == Reduce::Max { f64::NEG_INFINITY } else { 0.0 };
                let mut y = vec![start; out.elements()];
                for (i, v) in x[0].iter().enumerate() {
                    let kept = (0..4).filter(|a| !axes.contains(a));
                    let at: usize = kept.map(|a| i / from[a] % dims[a] * to[a]).sum();
                    y[at] = if kind == Reduce::Max { y[at].max(*v) } else { y[at] + v };
                }
                let share = if kind == Reduce::Mean { 1.0 / count as f64 } else { 1.0 };
                y.into_iter().map(|v| v * share).collect()
            });
        }
    }
}
