//! Values one after the other along an axis.

use super::Kind;
use super::boxes::BoxCopy;
use crate::graph::{Alias, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

#[derive(Debug)]
struct ConcatOp {
    axis: usize,
}

impl Operation for ConcatOp {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Concat(self.axis)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let Some((first, rest)) = inputs.split_first() else {
            return Err(GraphError::op("concat", "it needs at least one value"));
        };
        let mut dims = first.dims().to_vec();
        for shape in rest {
            let same = |i: usize| i == self.axis || shape.dims().get(i) == dims.get(i);
            if self.axis >= dims.len() || shape.rank() != dims.len() || !(0..dims.len()).all(same) {
                return Err(GraphError::op("concat", format!("{first} and {shape} along axis {}", self.axis)));
            }
            dims[self.axis] = dims[self.axis].saturating_add(shape.dims()[self.axis]);
        }
        Ok(dims.into())
    }

    fn flops(&self, _: &[&Shape], _: &Shape) -> u64 {
        0
    }

    fn alias(&self, _: &[&Shape], output: &Shape) -> Alias {
        let outermost = output.dims()[..self.axis].iter().all(|&length| length == 1);
        if outermost { Alias::Joined } else { Alias::None }
    }

    fn cpu(&self, inputs: &[&Shape], output: &Shape) -> Result<CpuKernel, GraphError> {
        let copies = self.copies(inputs, output);
        Ok(Box::new(move |x, y| copies.iter().zip(x).for_each(|(copy, x)| copy.run(x, y))))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        self.copies(inputs, output).iter().enumerate().map(|(i, copy)| copy.dispatch(i)).collect()
    }
}

impl ConcatOp {
    /// One for each input.
    fn copies(&self, inputs: &[&Shape], output: &Shape) -> Vec<BoxCopy> {
        let target = output.strides();
        let mut start = 0;
        let mut copies = Vec::with_capacity(inputs.len());
        for shape in inputs {
            copies.push(BoxCopy::new(shape.dims(), (0, &shape.strides()), (start, &target)));
            start += shape.dims()[self.axis] * target[self.axis];
        }
        copies
    }
}

impl GraphBuilder {
    /// Values one after the other along `axis`; all other axes must agree.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when they do not.
    pub fn concat(&mut self, values: &[Value], axis: usize) -> Result<Value, GraphError> {
        self.apply(ConcatOp { axis }, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check, graph};

    #[test]
    fn values_follow_each_other() {
        let inner = graph(&[&[2, 3], &[2, 1], &[2, 2]], |b, x| b.concat(x, 1));
        check(&inner, 0.0, |x| [&x[0][..3], &x[1][..1], &x[2][..2], &x[0][3..], &x[1][1..], &x[2][2..]].concat());
        let outer = graph(&[&[2, 3], &[1, 3]], |b, x| b.concat(x, 0));
        check(&outer, 0.0, |x| [&x[0][..], &x[1][..]].concat());
        let mut b = GraphBuilder::new();
        let (x, y) = (b.input("x", [2, 3]).unwrap(), b.input("y", [3, 2]).unwrap());
        assert!(b.concat(&[x, y], 0).is_err());
        assert!(b.concat(&[x, x], 2).is_err());
        assert!(b.concat(&[], 0).is_err());
    }
}
