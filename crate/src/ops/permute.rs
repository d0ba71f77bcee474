//! Axes in another order.

use candle_core::Device;

use super::Kind;
use super::dispatch::BoxCopy;
use crate::graph::{CandleKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

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

    fn candle(&self, _: &[&Shape], _: &Shape, _: &Device) -> candle_core::Result<CandleKernel> {
        let order = self.0.clone();
        Ok(CandleKernel::tensors(move |x| x[0].permute(order.as_slice())?.contiguous()))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        let strides = inputs[0].strides();
        let source: Vec<usize> = self.0.iter().map(|&axis| strides[axis]).collect();
        let target = output.strides();
        vec![BoxCopy { lengths: output.dims(), source: (0, &source), target: (0, &target) }.dispatch(0)]
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
