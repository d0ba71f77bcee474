//! Axes in another order.

use candle_core::Device;

use super::dispatch::BoxCopy;
use crate::graph::{CandleKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Value};

#[derive(Debug)]
struct PermuteOp(Vec<usize>);

impl Operation for PermuteOp {
    fn name(&self) -> &'static str {
        "permute"
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
        Ok(Box::new(move |x| x[0].permute(order.as_slice())?.contiguous()))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape) -> Vec<Dispatch> {
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
