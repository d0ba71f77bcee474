//! Softmax over the last axis.

use candle_core::{D, Device};

use super::dispatch::{groups, shader};
use crate::graph::{Binding, CandleKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Value};

#[derive(Debug)]
struct SoftmaxOp;

impl Operation for SoftmaxOp {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        Ok(inputs[0].clone())
    }

    fn flops(&self, _: &[&Shape], output: &Shape) -> u64 {
        4 * output.elements() as u64
    }

    fn candle(&self, _: &[&Shape], _: &Shape, _: &Device) -> candle_core::Result<CandleKernel> {
        Ok(Box::new(|x| {
            // The largest is subtracted first: exp cannot overflow then.
            let e = x[0].broadcast_sub(&x[0].max_keepdim(D::Minus1)?)?.exp()?;
            e.broadcast_div(&e.sum_keepdim(D::Minus1)?)
        }))
    }

    fn gpu(&self, _: &[&Shape], output: &Shape) -> Vec<Dispatch> {
        let rows = output.rows();
        let params = vec![rows as u32, output.last() as u32];
        let bindings = vec![Binding::Input(0), Binding::Output];
        vec![Dispatch { shader: shader!("softmax"), constants: vec![], params, bindings, workgroups: groups(rows) }]
    }
}

impl GraphBuilder {
    /// Softmax over the last axis.
    ///
    /// # Errors
    /// None today; the signature leaves room for limits.
    pub fn softmax(&mut self, x: Value) -> Result<Value, GraphError> {
        self.apply(SoftmaxOp, &[x])
    }
}
