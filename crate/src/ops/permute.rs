//! Axes in another order.

use super::Kind;
use super::boxes::BoxCopy;
use crate::graph::{CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

#[derive(Debug)]
struct PermuteOp(Vec<usize>);

impl Operation for PermuteOp {
    fn name(&self) -> &'static str {
        "permute"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Permute(&self.0)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..inputs[0].rank()) {
            return Err(GraphError::op("permute", format!("{:?} does not order the axes of {}", self.0, inputs[0])));
        }
        Ok(self.0.iter().map(|&a| inputs[0].dims()[a]).collect::<Vec<_>>().into())
    }

    fn flops(&self, _: &[&Shape], _: &Shape) -> u64 {
        0
    }

    fn cpu(&self, inputs: &[&Shape], output: &Shape) -> Result<CpuKernel, GraphError> {
        let copy = self.copy(inputs[0], output);
        Ok(Box::new(move |x, y| copy.run(x[0], y)))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        vec![self.copy(inputs[0], output).dispatch(0)]
    }
}

impl PermuteOp {
    fn copy(&self, input: &Shape, output: &Shape) -> BoxCopy {
        let strides = input.strides();
        let source: Vec<usize> = self.0.iter().map(|&axis| strides[axis]).collect();
        BoxCopy::new(output.dims(), (0, &source), (0, &output.strides()))
    }
}

impl GraphBuilder {
    /// Axes in another order: axis `i` of the result is axis `order[i]` of `x`.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when `order` is not a permutation of the axes.
    pub fn permute(&mut self, x: Value, order: &[usize]) -> Result<Value, GraphError> {
        self.apply(PermuteOp(order.to_vec()), &[x])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check, graph};

    #[test]
    fn axes_move() {
        let g = graph(&[&[2, 3, 4]], |b, x| b.permute(x[0], &[2, 0, 1]));
        assert_eq!(g.shape(g.outputs()[0].value).dims(), [4, 2, 3]);
        check(&g, 0.0, |x| (0..24).map(|i| x[0][(i / 3 % 2) * 12 + (i % 3) * 4 + i / 6]).collect());
        let mut b = GraphBuilder::new();
        let x = b.input("x", [2, 3]).unwrap();
        assert!(b.permute(x, &[0, 0]).is_err());
        assert!(b.permute(x, &[0]).is_err());
    }
}
