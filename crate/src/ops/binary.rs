//! Arithmetic of two values element by element, the smaller one repeated.

use super::{
    Kind,
    boxes::fewest_axes,
    cpu,
    dispatch::{axes, elementwise, shader},
};
use crate::graph::{Binding, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

/// What is done with two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `a + b`.
    Add,
    /// `a - b`.
    Subtract,
    /// `a b`.
    Multiply,
    /// `a / b`.
    Divide,
    /// The larger one.
    Maximum,
    /// The smaller one.
    Minimum,
    /// `(a - b)²`.
    SquaredDifference,
}

#[derive(Debug)]
struct BinaryOp(Binary);

/// The shape two shapes are repeated to: axes are matched from the last, and axes of length 1 (or missing) repeat.
fn broadcast(a: &Shape, b: &Shape) -> Option<Shape> {
    let rank = a.rank().max(b.rank());
    let axis = |s: &Shape, i: usize| (i + s.rank()).checked_sub(rank).map_or(1, |i| s.dims()[i]);
    let dims: Option<Vec<usize>> = (0..rank)
        .map(|i| match (axis(a, i), axis(b, i)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect();
    dims.map(Shape::from)
}

impl Operation for BinaryOp {
    fn name(&self) -> &'static str {
        "binary"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Binary(self.0)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let refuse = || GraphError::op("binary", format!("{:?} of {} and {}", self.0, inputs[0], inputs[1]));
        broadcast(inputs[0], inputs[1]).ok_or_else(refuse)
    }

    fn flops(&self, _: &[&Shape], output: &Shape) -> u64 {
        output.elements() as u64
    }

    fn cpu(&self, inputs: &[&Shape], output: &Shape) -> Result<CpuKernel, GraphError> {
        let (walk, kind) = (Walk::new([inputs[0], inputs[1]], output), self.0);
        Ok(Box::new(move |x, y| walk.apply(kind, x[0], x[1], y)))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        let Walk { lengths, strides } = Walk::new([inputs[0], inputs[1]], output);
        let each = if lengths.last().is_some_and(|length| length.is_multiple_of(EACH)) { EACH } else { 1 };
        let mut params = vec![0; 3];
        params.extend(axes(lengths.into_iter(), 1));
        params.extend(strides.into_iter().flat_map(|s| axes(s.into_iter(), 0)));
        let constants = vec![("KIND", f64::from(self.0 as u8)), ("EACH", each as f64)];
        let bindings = vec![Binding::Input(0), Binding::Input(1), Binding::Output];
        vec![elementwise(shader!("binary"), constants, output.elements() / each, params, bindings)]
    }
}

/// Neighbours that an invocation on a GPU takes, where the innermost axis has whole groups of them.
const EACH: usize = 8;
/// Least length of a row that is repeated, in elements.
const LONG: usize = 1024;
/// Elements that one thread takes at a time.
const PIECE: usize = 8192;
/// Multiply-adds a kernel does in the time an element takes here to be read and written.
const WORTH: usize = 4;

/// The way through two values beside each other: axes with as many elements, and how far to go in each for the next.
struct Walk {
    lengths: Vec<usize>,
    strides: [Vec<usize>; 2],
}

impl Walk {
    fn new(inputs: [&Shape; 2], output: &Shape) -> Self {
        // A repeated axis has stride 0, a missing one is repeated.
        let strides = |s: &Shape| {
            let own =
                s.strides().into_iter().zip(s.dims()).map(|(stride, &length)| if length == 1 { 0 } else { stride });
            let missing = std::iter::repeat_n(0, output.rank() - s.rank());
            missing.chain(own).collect::<Vec<_>>()
        };
        let [a, b] = inputs.map(strides);
        let (lengths, strides) = fewest_axes(output.dims(), [&a, &b]);
        Self { lengths, strides }
    }

    /// Two values of this length.
    fn dense(length: usize) -> Self {
        Self { lengths: vec![length], strides: [vec![1], vec![1]] }
    }

    /// The whole result. Large ones that repeat nothing, or a row of the second value, are shared among threads.
    fn apply(&self, kind: Binary, a: &[f32], b: &[f32], y: &mut [f32]) {
        let [of_a, of_b] = &self.strides;
        let repeated = match (&of_a[..], &of_b[..]) {
            ([1], [1]) => None,
            // A factor for each channel, say: written out a few times, so that loops over it are long.
            (&[row, 1], [0, 1]) if row == b.len() => Some(b.repeat(LONG.div_ceil(b.len()))),
            _ => return self.part(kind, a, b, y),
        };
        let piece = repeated.as_ref().map_or(PIECE, |row| row.len() * (PIECE / row.len()).max(1));
        cpu::for_pieces(y, piece, WORTH * a.len(), |i, y| {
            let a = &a[i * piece..][..y.len()];
            match &repeated {
                Some(row) => {
                    let whole = y.len() - y.len() % row.len();
                    let ((a, rest_a), (y, rest)) = (a.split_at(whole), y.split_at_mut(whole));
                    let lengths = vec![whole / row.len(), row.len()];
                    Self { lengths, strides: [vec![row.len(), 1], vec![0, 1]] }.part(kind, a, row, y);
                    if !rest.is_empty() {
                        Self::dense(rest.len()).part(kind, rest_a, &row[..rest.len()], rest);
                    }
                }
                None => Self::dense(y.len()).part(kind, a, &b[i * piece..][..y.len()], y),
            }
        });
    }

    /// What is done is chosen outside of the loops, which then work on several numbers at once.
    fn part(&self, kind: Binary, a: &[f32], b: &[f32], y: &mut [f32]) {
        cpu::wide(|| self.loops(kind, a, b, y));
    }

    #[inline(always)]
    fn loops(&self, kind: Binary, a: &[f32], b: &[f32], y: &mut [f32]) {
        match kind {
            Binary::Add => self.rows(a, b, y, |a, b| a + b),
            Binary::Subtract => self.rows(a, b, y, |a, b| a - b),
            Binary::Multiply => self.rows(a, b, y, |a, b| a * b),
            Binary::Divide => self.rows(a, b, y, |a, b| a / b),
            Binary::Maximum => self.rows(a, b, y, f32::max),
            Binary::Minimum => self.rows(a, b, y, f32::min),
            Binary::SquaredDifference => self.rows(a, b, y, |a, b| (a - b) * (a - b)),
        }
    }

    /// Along the last axis neighbours are neighbours in memory, or one number is repeated.
    #[inline(always)]
    fn rows(&self, a: &[f32], b: &[f32], y: &mut [f32], f: impl Fn(f32, f32) -> f32) {
        let Some((&length, outer)) = self.lengths.split_last() else {
            y.iter_mut().for_each(|y| *y = f(a[0], b[0]));
            return;
        };
        let repeats = [0, 1].map(|side| self.strides[side].last() == Some(&0));
        let mut index = vec![0; outer.len()];
        let mut at = [0, 0];
        for y in y.chunks_exact_mut(length) {
            match repeats {
                [false, false] => {
                    let both = a[at[0]..][..length].iter().zip(&b[at[1]..][..length]);
                    y.iter_mut().zip(both).for_each(|(y, (&a, &b))| *y = f(a, b));
                }
                [false, true] => {
                    let b = b[at[1]];
                    y.iter_mut().zip(&a[at[0]..][..length]).for_each(|(y, &a)| *y = f(a, b));
                }
                [true, false] => {
                    let a = a[at[0]];
                    y.iter_mut().zip(&b[at[1]..][..length]).for_each(|(y, &b)| *y = f(a, b));
                }
                [true, true] => y.fill(f(a[at[0]], b[at[1]])),
            }
            for axis in (0..outer.len()).rev() {
                index[axis] += 1;
                at = [0, 1].map(|side| at[side] + self.strides[side][axis]);
                if index[axis] < outer[axis] {
                    break;
                }
                index[axis] = 0;
                at = [0, 1].map(|side| at[side] - outer[axis] * self.strides[side][axis]);
            }
        }
    }
}

impl GraphBuilder {
    /// Arithmetic of two values; axes of length 1 and missing leading axes repeat.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when the shapes do not match.
    pub fn binary(&mut self, kind: Binary, a: Value, b: Value) -> Result<Value, GraphError> {
        self.apply(BinaryOp(kind), &[a, b])
    }

    /// `a + b`.
    ///
    /// # Errors
    /// As [`Self::binary`].
    pub fn add(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        self.binary(Binary::Add, a, b)
    }

    /// `a - b`.
    ///
    /// # Errors
    /// As [`Self::binary`].
    pub fn sub(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        self.binary(Binary::Subtract, a, b)
    }

    /// `a b`.
    ///
    /// # Errors
    /// As [`Self::binary`].
    pub fn mul(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        self.binary(Binary::Multiply, a, b)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ops::testing::{check, check_against_candle, graph};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

        #[test]
        fn agrees_with_float64(dims in prop::collection::vec(1usize..6, 1..5), ones in any::<[bool; 8]>(), drop in 0usize..3, kind in 0usize..7, wide in any::<bool>()) {
            let kinds = [
                Binary::Add, Binary::Subtract, Binary::Multiply, Binary::Divide, Binary::Maximum, Binary::Minimum,
                Binary::SquaredDifference,
            ];
            let kind = kinds[kind];
            // A GPU takes several neighbours at once where rows have whole groups of them.
            let mut dims = dims;
            if let Some(last) = dims.last_mut().filter(|_| wide) {
                *last *= EACH;
            }
            let a: Vec<usize> = dims.iter().zip(ones).map(|(&d, one)| if one { 1 } else { d }).collect();
            let b: Vec<usize> = dims.iter().zip(&ones[4..]).map(|(&d, &one)| if one { 1 } else { d }).collect();
            let b = b[drop.min(b.len() - 1)..].to_vec();
            let g = graph(&[&a, &b], |g, x| g.binary(kind, x[0], x[1]));
            let out = g.shape(g.outputs()[0].value).clone();
            // Quotients of noise can be large, and their error with them.
            check(&g, 1e-5, |x| {
                let at = |shape: &[usize], i: usize| {
                    let (mut rest, mut offset, mut stride) = (i, 0, 1);
                    for (axis, &length) in out.dims().iter().enumerate().rev() {
                        let index = rest % length;
                        rest /= length;
                        if let Some(own) = (axis + shape.len()).checked_sub(out.rank()) {
                            offset += if shape[own] == 1 { 0 } else { index * stride };
                            stride *= shape[own];
                        }
                    }
                    offset
                };
                (0..out.elements())
                    .map(|i| (x[0][at(&a, i)], x[1][at(&b, i)]))
                    .map(|(u, v)| match kind {
                        Binary::Add => u + v,
                        Binary::Subtract => u - v,
                        Binary::Multiply => u * v,
                        Binary::Divide => u / v,
                        Binary::Maximum => u.max(v),
                        Binary::Minimum => u.min(v),
                        Binary::SquaredDifference => (u - v) * (u - v),
                    })
                    .collect()
            });
        }
    }

    /// Long values go piece by piece, and a short row beside them is written out: the last pieces are not whole.
    #[test]
    fn agrees_with_candle() {
        let short: [(&[usize], &[usize]); 4] =
            [(&[2, 3, 4, 5], &[4, 1]), (&[1, 1, 5], &[6, 3, 1]), (&[7], &[7]), (&[1], &[1])];
        let long: [(&[usize], &[usize]); 3] =
            [(&[1, 70, 61, 16], &[16]), (&[3, 71, 77, 5], &[1, 1, 1, 5]), (&[1, 70, 61, 16], &[1, 70, 61, 16])];
        for kind in [Binary::Add, Binary::Maximum, Binary::SquaredDifference] {
            for (a, b) in short.into_iter().chain(long) {
                check_against_candle(&graph(&[a, b], |g, x| g.binary(kind, x[0], x[1])), 0.0);
            }
        }
    }

    #[test]
    fn axes_that_do_not_match_are_refused() {
        assert_eq!(broadcast(&[2, 3].into(), &[2].into()), None);
        assert_eq!(broadcast(&[2, 1].into(), &[5].into()), Some([2, 5].into()));
    }
}
