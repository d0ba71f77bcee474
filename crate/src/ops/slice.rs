//! A box cut out of a value.

use std::ops::Range;

use super::Kind;
use super::boxes::{BoxCopy, offset, together};
use crate::graph::{Alias, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

#[derive(Debug)]
struct SliceOp(Vec<Range<usize>>);

impl Operation for SliceOp {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Slice(&self.0)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let inside = |(r, &d): (&Range<usize>, &usize)| r.start < r.end && r.end <= d;
        if self.0.len() != inputs[0].rank() || !self.0.iter().zip(inputs[0].dims()).all(inside) {
            return Err(GraphError::op("slice", format!("{:?} of {}", self.0, inputs[0])));
        }
        Ok(self.0.iter().map(Range::len).collect::<Vec<_>>().into())
    }

    fn flops(&self, _: &[&Shape], _: &Shape) -> u64 {
        0
    }

    fn alias(&self, inputs: &[&Shape], output: &Shape) -> Alias {
        let first = offset(inputs[0], self.0.iter().map(|r| r.start));
        if together(inputs[0], output) { Alias::Part(first) } else { Alias::None }
    }

    fn cpu(&self, inputs: &[&Shape], output: &Shape) -> Result<CpuKernel, GraphError> {
        let copy = self.copy(inputs[0], output);
        Ok(Box::new(move |x, y| copy.run(x[0], y)))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        vec![self.copy(inputs[0], output).dispatch(0)]
    }
}

impl SliceOp {
    fn copy(&self, input: &Shape, output: &Shape) -> BoxCopy {
        let first = offset(input, self.0.iter().map(|r| r.start));
        BoxCopy::new(output.dims(), (first, &input.strides()), (0, &output.strides()))
    }
}

impl GraphBuilder {
    /// The elements inside `ranges`, one range for each axis.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when a range is empty or outside.
    pub fn slice(&mut self, x: Value, ranges: &[Range<usize>]) -> Result<Value, GraphError> {
        self.apply(SliceOp(ranges.to_vec()), &[x])
    }

    /// The elements inside `range` along one axis, everything along the others.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when the range is empty or outside, or the axis does not exist.
    pub fn slice_axis(&mut self, x: Value, axis: usize, range: Range<usize>) -> Result<Value, GraphError> {
        let mut ranges: Vec<_> = self.shape(x).dims().iter().map(|&d| 0..d).collect();
        match ranges.get_mut(axis) {
            Some(r) => *r = range,
            None => return Err(GraphError::op("slice", format!("axis {axis} of {}", self.shape(x)))),
        }
        self.slice(x, &ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check, graph};

    #[test]
    fn a_box_is_cut_out() {
        let g = graph(&[&[4, 5, 3]], |b, x| b.slice(x[0], &[1..3, 0..5, 2..3]));
        check(&g, 0.0, |x| (0..10).map(|i| x[0][(i / 5 + 1) * 15 + i % 5 * 3 + 2]).collect());
        let last = graph(&[&[4, 3]], |b, x| b.slice_axis(x[0], 0, 3..4));
        check(&last, 0.0, |x| x[0][9..].to_vec());
        let mut b = GraphBuilder::new();
        let x = b.input("x", [4, 3]).unwrap();
        assert!(b.slice_axis(x, 0, 3..5).is_err());
        assert!(b.slice_axis(x, 0, 2..2).is_err());
        assert!(b.slice_axis(x, 2, 0..1).is_err());
    }
}
