//! Softmax over the last axis.

use super::Kind;
use super::{
    activation::exp,
    dispatch::{groups, shader},
};
use crate::graph::{Binding, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

#[derive(Debug)]
struct SoftmaxOp;

impl Operation for SoftmaxOp {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Softmax
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        Ok(inputs[0].clone())
    }

    fn flops(&self, _: &[&Shape], output: &Shape) -> u64 {
        4 * output.elements() as u64
    }

    fn cpu(&self, _: &[&Shape], output: &Shape) -> Result<CpuKernel, GraphError> {
        let length = output.last();
        Ok(Box::new(move |x, y| {
            for (x, y) in x[0].chunks_exact(length).zip(y.chunks_exact_mut(length)) {
                // The largest is subtracted first: exp cannot overflow then.
                let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                y.iter_mut().zip(x).for_each(|(y, x)| *y = exp(x - largest));
                let share = 1.0 / y.iter().sum::<f32>();
                y.iter_mut().for_each(|y| *y *= share);
            }
        }))
    }

    fn gpu(&self, _: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
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

#[cfg(test)]
mod tests {
    use crate::{
        graph::Constant,
        ops::testing::{check, graph},
    };

    #[test]
    fn rows_sum_to_one_and_large_numbers_do_not_overflow() {
        for length in [1, 5, 64, 150] {
            let g = graph(&[&[3, 2, length]], |b, x| {
                let factor = b.constant(Constant::f32([1], vec![200.0])?)?;
                let x = b.mul(x[0], factor)?;
                b.softmax(x)
            });
            check(&g, 2e-5, |x| {
                let row = |r: &[f64]| {
                    let largest = r.iter().fold(f64::MIN, |m, v| m.max(*v)) * 200.0;
                    let e: Vec<f64> = r.iter().map(|v| (200.0 * v - largest).exp()).collect();
                    let sum: f64 = e.iter().sum();
                    e.into_iter().map(move |v| v / sum)
                };
                x[0].chunks(length).flat_map(row).collect()
            });
        }
    }
}
