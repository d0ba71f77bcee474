//! The same elements in the same order under another shape: no work at all.

use super::Kind;
use crate::graph::{Alias, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

#[derive(Debug)]
struct ReshapeOp(Shape);

impl Operation for ReshapeOp {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Reshape
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        if inputs[0].elements() != self.0.elements() {
            return Err(GraphError::op(
                "reshape",
                format!("{} does not have as many elements as {}", inputs[0], self.0),
            ));
        }
        Ok(self.0.clone())
    }

    fn flops(&self, _: &[&Shape], _: &Shape) -> u64 {
        0
    }

    fn alias(&self, _: &[&Shape], _: &Shape) -> Alias {
        Alias::Part(0)
    }

    fn cpu(&self, _: &[&Shape], _: &Shape) -> Result<CpuKernel, GraphError> {
        Ok(Box::new(|x, y| y.copy_from_slice(x[0])))
    }

    fn gpu(&self, _: &[&Shape], _: &Shape, _: Tuning) -> Vec<Dispatch> {
        Vec::new()
    }
}

impl GraphBuilder {
    /// The same elements under another shape.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when the element counts differ.
    pub fn reshape(&mut self, x: Value, shape: impl Into<Shape>) -> Result<Value, GraphError> {
        let shape = shape.into();
        if *self.shape(x) == shape {
            return Ok(x);
        }
        self.apply(ReshapeOp(shape), &[x])
    }
}
