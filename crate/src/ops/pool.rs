//! Pooling: the largest or the mean of a window.

use super::{
    Kind, Padding,
    dispatch::{elementwise, shader},
    window::Window,
};
use crate::graph::{Binding, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

/// What is taken of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest; padding never wins.
    Max,
    /// The mean of the pixels that are there; padding does not count.
    Average,
}

/// A pooling over `[batch, height, width, channels]`.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// What is taken.
    pub kind: PoolKind,
    /// Rows and columns of the window.
    pub kernel: [usize; 2],
    /// Rows and columns between windows.
    pub stride: [usize; 2],
    /// What surrounds the picture.
    pub padding: Padding,
}

impl Pool {
    /// The window on an input.
    pub(crate) fn window(&self, input: &Shape) -> Result<Window, GraphError> {
        let window = Window::new("pool", input, self.kernel, self.stride, [1, 1], self.padding)?;
        // A window that sees only padding has neither a largest pixel nor a mean.
        let empty = (0..2).any(|a| window.before[a] >= window.kernel[a] || window.after()[a] >= window.kernel[a]);
        if empty {
            return Err(GraphError::op("pool", format!("padding {:?} is as large as the window", self.padding)));
        }
        Ok(window)
    }
}

#[derive(Debug)]
struct PoolOp(Pool);

/// The pooling on the processor. The innermost loop runs over channels, which lie together.
fn pool(window: &Window, kind: PoolKind, channels: usize, x: &[f32], y: &mut [f32]) {
    for (pixel, y) in y.chunks_exact_mut(channels).enumerate() {
        let (row, ox) = (pixel / window.output[1], pixel % window.output[1]);
        let (picture, oy) = (row / window.output[0], row % window.output[0]);
        let mut seen = 0.0f32;
        for sy in (0..window.kernel[0]).filter_map(|ky| window.source(0, oy, ky)) {
            for sx in (0..window.kernel[1]).filter_map(|kx| window.source(1, ox, kx)) {
                let source = &x[((picture * window.input[0] + sy) * window.input[1] + sx) * channels..][..channels];
                match kind {
                    _ if seen == 0.0 => y.copy_from_slice(source),
                    PoolKind::Max => y.iter_mut().zip(source).for_each(|(a, b)| *a = a.max(*b)),
                    PoolKind::Average => y.iter_mut().zip(source).for_each(|(a, b)| *a += b),
                }
                seen += 1.0;
            }
        }
        if kind == PoolKind::Average {
            y.iter_mut().for_each(|v| *v /= seen);
        }
    }
}

impl Operation for PoolOp {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Pool(&self.0)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        Ok(self.0.window(inputs[0])?.output_shape(inputs[0].last()))
    }

    fn flops(&self, _: &[&Shape], output: &Shape) -> u64 {
        output.elements() as u64 * (self.0.kernel[0] * self.0.kernel[1]) as u64
    }

    fn cpu(&self, inputs: &[&Shape], _: &Shape) -> Result<CpuKernel, GraphError> {
        let (window, kind, channels) = (self.0.window(inputs[0])?, self.0.kind, inputs[0].last());
        Ok(Box::new(move |x, y| pool(&window, kind, channels, x[0], y)))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        let Ok(w) = self.0.window(inputs[0]) else { return Vec::new() };
        let pairs = [w.input, w.output, w.kernel, w.stride, w.before];
        let mut params = vec![output.last() as u32];
        params.extend(pairs.iter().flatten().map(|&n| n as u32));
        let constants = vec![("MAXIMUM", f64::from(u8::from(self.0.kind == PoolKind::Max)))];
        let bindings = vec![Binding::Input(0), Binding::Output];
        vec![elementwise(shader!("pool"), constants, output.elements(), params, bindings)]
    }
}

impl GraphBuilder {
    /// Max or average pooling.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when the window does not fit, or could see nothing but padding.
    pub fn pool(&mut self, x: Value, pool: Pool) -> Result<Value, GraphError> {
        self.apply(PoolOp(pool), &[x])
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
        fn agrees_with_float64(
            size in [2usize..10, 2..10], channels in 1usize..6, kernel in [1usize..4, 1..4], stride in [1usize..3, 1..3],
            same in any::<bool>(), max in any::<bool>(),
        ) {
            let padding = if same { Padding::Same } else { Padding::VALID };
            let kind = if max { PoolKind::Max } else { PoolKind::Average };
            let pool = Pool { kind, kernel, stride, padding };
            let shape = Shape::from([2, size[0], size[1], channels]);
            let Ok(window) = pool.window(&shape) else { return Ok(()) };
            let g = graph(&[shape.dims()], |b, x| b.pool(x[0], pool));
            check(&g, 1e-6, |x| {
                let mut y = Vec::new();
                for n in 0..2 {
                    for (oy, ox) in (0..window.output[0]).flat_map(|oy| (0..window.output[1]).map(move |ox| (oy, ox))) {
                        for c in 0..channels {
                            let mut seen = Vec::new();
                            for (ky, kx) in (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| (ky, kx))) {
                                if let (Some(sy), Some(sx)) = (window.source(0, oy, ky), window.source(1, ox, kx)) {
                                    seen.push(x[0][((n * size[0] + sy) * size[1] + sx) * channels + c]);
                                }
                            }
                            let largest = seen.iter().copied().fold(f64::MIN, f64::max);
                            y.push(if max { largest } else { seen.iter().sum::<f64>() / seen.len() as f64 });
                        }
                    }
                }
                y
            });
        }
    }

    #[test]
    fn windows_of_nothing_but_padding_are_refused() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", [1, 4, 4, 1]).unwrap();
        let pool = Pool { kind: PoolKind::Max, kernel: [2, 2], stride: [1, 1], padding: Padding::all(2) };
        assert!(b.pool(x, pool).is_err());
    }

    #[test]
    fn agrees_with_candle() {
        for kind in [PoolKind::Max, PoolKind::Average] {
            let pool = Pool { kind, kernel: [3, 2], stride: [2, 1], padding: Padding::Same };
            check_against_candle(&graph(&[&[2, 7, 5, 3]], |g, x| g.pool(x[0], pool)), 1e-6);
        }
    }
}
