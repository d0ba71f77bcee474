//! Surrounds a value with a constant along any axes, channels included.

use super::Kind;
use super::{
    boxes::{BoxCopy, offset},
    dispatch::{elementwise, shader},
};
use crate::graph::{Binding, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

#[derive(Debug)]
struct PadOp {
    /// Elements before and after, for each axis.
    widths: Vec<[usize; 2]>,
    fill: f32,
}

impl Operation for PadOp {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Pad { widths: &self.widths, fill: self.fill }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let too_wide = self.widths.iter().flatten().any(|&w| w > Shape::MAX_ELEMENTS);
        if self.widths.len() != inputs[0].rank() || too_wide {
            return Err(GraphError::op("pad", format!("widths {:?} for {}", self.widths, inputs[0])));
        }
        let dims: Vec<usize> = inputs[0].dims().iter().zip(&self.widths).map(|(d, w)| d + w[0] + w[1]).collect();
        Ok(dims.into())
    }

    fn flops(&self, _: &[&Shape], _: &Shape) -> u64 {
        0
    }

    fn cpu(&self, inputs: &[&Shape], output: &Shape) -> Result<CpuKernel, GraphError> {
        let (copy, fill) = (self.copy(inputs[0], output), self.fill);
        Ok(Box::new(move |x, y| {
            y.fill(fill);
            copy.run(x[0], y);
        }))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        let params = vec![self.fill.to_bits()];
        let fill = elementwise(shader!("fill"), vec![], output.elements(), params, vec![Binding::Output]);
        vec![fill, self.copy(inputs[0], output).dispatch(0)]
    }
}

impl PadOp {
    /// Where the value goes.
    fn copy(&self, input: &Shape, output: &Shape) -> BoxCopy {
        let first = offset(output, self.widths.iter().map(|w| w[0]));
        BoxCopy::new(input.dims(), (0, &input.strides()), (first, &output.strides()))
    }
}

impl GraphBuilder {
    /// Surrounds `x` with `fill`: `widths` are the elements before and after along each axis.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when there are not as many widths as axes.
    pub fn pad(&mut self, x: Value, widths: &[[usize; 2]], fill: f32) -> Result<Value, GraphError> {
        self.apply(PadOp { widths: widths.to_vec(), fill }, &[x])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ops::testing::{check, graph};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..Default::default() })]

        #[test]
        fn agrees_with_float64(dims in prop::array::uniform3(1usize..5), widths in any::<[[u8; 2]; 3]>(), fill in -2.0f32..2.0) {
            let widths = widths.map(|w| w.map(|n| usize::from(n % 3)));
            let g = graph(&[&dims], |b, x| b.pad(x[0], &widths, fill));
            let out = g.shape(g.outputs()[0].value).clone();
            let (from, to) = (Shape::from(dims).strides(), out.strides());
            check(&g, 0.0, |x| {
                let one = |i: usize| {
                    let mut at = 0;
                    for a in 0..3 {
                        let inside = (i / to[a] % out.dims()[a]).checked_sub(widths[a][0]).filter(|&p| p < dims[a]);
                        at += inside? * from[a];
                    }
                    Some(x[0][at])
                };
                (0..out.elements()).map(|i| one(i).unwrap_or(f64::from(fill))).collect()
            });
        }
    }
}
