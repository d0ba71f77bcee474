//! Batched matrix product of two values, as attention needs it.

use super::Kind;
use super::{cpu::Product, dispatch::shader};
use crate::graph::{Binding, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

#[derive(Debug)]
struct MatMulOp {
    /// The second factor lies as `[columns, inner]`.
    transposed: bool,
}

/// Lengths of a batched product.
struct Sizes {
    batch: usize,
    rows: usize,
    inner: usize,
    columns: usize,
}

impl MatMulOp {
    fn sizes(&self, inputs: &[&Shape]) -> Result<Sizes, GraphError> {
        let (a, b) = (inputs[0].dims(), inputs[1].dims());
        let refuse = || GraphError::op("matmul", format!("{} and {} do not multiply", inputs[0], inputs[1]));
        let ([batch_a @ .., rows, inner], [batch_b @ .., p, q]) = (a, b) else { return Err(refuse()) };
        let (other, columns) = if self.transposed { (q, p) } else { (p, q) };
        if batch_a != batch_b || inner != other {
            return Err(refuse());
        }
        Ok(Sizes { batch: batch_a.iter().product(), rows: *rows, inner: *inner, columns: *columns })
    }
}

impl Operation for MatMulOp {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::MatMul { transposed: self.transposed }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let sizes = self.sizes(inputs)?;
        let mut dims = inputs[0].dims().to_vec();
        dims[inputs[0].rank() - 1] = sizes.columns;
        Ok(dims.into())
    }

    fn flops(&self, inputs: &[&Shape], output: &Shape) -> u64 {
        2 * output.elements() as u64 * inputs[0].last() as u64
    }

    fn cpu(&self, inputs: &[&Shape], _: &Shape) -> Result<CpuKernel, GraphError> {
        let Sizes { rows, inner, columns, .. } = self.sizes(inputs)?;
        let transposed = self.transposed;
        Ok(Box::new(move |x, y| {
            let pairs = x[0].chunks_exact(rows * inner).zip(x[1].chunks_exact(inner * columns));
            for ((a, b), y) in pairs.zip(y.chunks_exact_mut(rows * columns)) {
                Product::of_values([rows, inner, columns], b, transposed).run(a, None, y);
            }
        }))
    }

    fn gpu(&self, inputs: &[&Shape], _: &Shape, _: Tuning) -> Vec<Dispatch> {
        let Ok(Sizes { batch, rows, inner, columns }) = self.sizes(inputs) else { return Vec::new() };
        let tiles = |n: usize| n.div_ceil(16) as u32;
        vec![Dispatch {
            shader: shader!("matmul"),
            constants: vec![("TRANSPOSED", f64::from(u8::from(self.transposed)))],
            params: [rows, inner, columns].map(|n| n as u32).to_vec(),
            bindings: vec![Binding::Input(0), Binding::Input(1), Binding::Output],
            workgroups: [tiles(columns), tiles(rows), batch as u32],
        }]
    }
}

impl GraphBuilder {
    /// `a · b` over the last two axes; the axes before must agree.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when the shapes do not multiply.
    pub fn matmul(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        self.apply(MatMulOp { transposed: false }, &[a, b])
    }

    /// `a · bᵀ` over the last two axes: attention's queries times keys.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when the shapes do not multiply.
    pub fn matmul_transposed(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        self.apply(MatMulOp { transposed: true }, &[a, b])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ops::testing::{check, check_against_candle, graph};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

        #[test]
        fn agrees_with_float64(batch in 1usize..4, m in 1usize..20, k in 1usize..40, n in 1usize..20, transposed in any::<bool>()) {
            let second = if transposed { [batch, n, k] } else { [batch, k, n] };
            let g = graph(&[&[batch, m, k], &second], |b, x| {
                if transposed { b.matmul_transposed(x[0], x[1]) } else { b.matmul(x[0], x[1]) }
            });
            check(&g, 1e-5, |x| {
                let other = |i: usize, l: usize, j: usize| {
                    x[1][if transposed { (i * n + j) * k + l } else { (i * k + l) * n + j }]
                };
                let mut y = Vec::new();
                for i in 0..batch {
                    for r in 0..m {
                        y.extend((0..n).map(|j| (0..k).map(|l| x[0][(i * m + r) * k + l] * other(i, l, j)).sum::<f64>()));
                    }
                }
                y
            });
        }
    }

    #[test]
    fn what_does_not_multiply_is_refused() {
        let mut b = GraphBuilder::new();
        let (x, y, v) = (b.input("x", [2, 3]).unwrap(), b.input("y", [2, 3]).unwrap(), b.input("v", [3]).unwrap());
        assert!(b.matmul(x, y).is_err());
        assert!(b.matmul(x, v).is_err());
        assert!(b.matmul_transposed(x, y).is_ok());
    }

    /// More columns than a panel of weights has, and a last panel that is not whole.
    #[test]
    fn long_products_agree_with_candle() {
        check_against_candle(&graph(&[&[2, 50, 33], &[2, 33, 37]], |g, x| g.matmul(x[0], x[1])), 1e-5);
        check_against_candle(&graph(&[&[2, 3, 40], &[2, 70, 40]], |g, x| g.matmul_transposed(x[0], x[1])), 1e-5);
    }
}
