//! Bilinear resizing.

use candle_core::{Device, Tensor};

use super::dispatch::{elementwise, shader};
use crate::graph::{Binding, CandleKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Value};

/// Where the pixels of a resized picture lie in the original one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Pixel centres at .5: `(i + .5) scale - .5`. PyTorch's `align_corners=False`, TensorFlow's `half_pixel_centers`.
    HalfPixel,
    /// First and last pixels coincide: `i (in - 1) / (out - 1)`.
    AlignCorners,
    /// `i scale`; what TensorFlow Lite does without either flag.
    Corner,
}

#[derive(Debug)]
struct ResizeOp {
    size: [usize; 2],
    sampling: Sampling,
}

impl Sampling {
    /// Left neighbour, right neighbour and weight of the right one for every output coordinate.
    fn taps(self, input: usize, output: usize) -> Vec<(u32, u32, f32)> {
        (0..output)
            .map(|i| {
                let (i, scale) = (i as f64, input as f64 / output as f64);
                let at = match self {
                    Self::HalfPixel => (i + 0.5) * scale - 0.5,
                    Self::AlignCorners => i * (input - 1) as f64 / (output - 1).max(1) as f64,
                    Self::Corner => i * scale,
                };
                let at = at.clamp(0.0, (input - 1) as f64);
                let left = at.floor();
                (left as u32, (left as u32 + 1).min(input as u32 - 1), (at - left) as f32)
            })
            .collect()
    }
}

impl Operation for ResizeOp {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        match inputs[0].nhwc() {
            Some([batch, _, _, channels]) => Ok([batch, self.size[0], self.size[1], channels].into()),
            None => {
                Err(GraphError::op("resize", format!("it needs [batch, height, width, channels], not {}", inputs[0])))
            }
        }
    }

    fn flops(&self, _: &[&Shape], output: &Shape) -> u64 {
        8 * output.elements() as u64
    }

    fn candle(&self, inputs: &[&Shape], _: &Shape, device: &Device) -> candle_core::Result<CandleKernel> {
        // Separable: first along rows, then along columns, each a blend of two gathered copies.
        let mut axes = Vec::with_capacity(2);
        for axis in 0..2 {
            let taps = self.sampling.taps(inputs[0].dims()[axis + 1], self.size[axis]);
            let left = Tensor::from_iter(taps.iter().map(|t| t.0), device)?;
            let right = Tensor::from_iter(taps.iter().map(|t| t.1), device)?;
            let shape = if axis == 0 { (1, taps.len(), 1, 1) } else { (1, 1, taps.len(), 1) };
            axes.push((left, right, Tensor::from_iter(taps.iter().map(|t| t.2), device)?.reshape(shape)?));
        }
        Ok(Box::new(move |x| {
            let mut y = x[0].clone();
            for (axis, (left, right, weight)) in axes.iter().enumerate() {
                let (a, b) = (y.index_select(left, axis + 1)?, y.index_select(right, axis + 1)?);
                y = (&a + (b - &a)?.broadcast_mul(weight)?)?;
            }
            Ok(y)
        }))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape) -> Vec<Dispatch> {
        let lengths = inputs[0].dims();
        let mut taps = Vec::new();
        for axis in 0..2 {
            let along = self.sampling.taps(lengths[axis + 1], self.size[axis]);
            taps.extend(along.into_iter().flat_map(|(left, right, weight)| [left as f32, right as f32, weight]));
        }
        let params = [lengths[3], lengths[1], lengths[2], self.size[0], self.size[1]].map(|n| n as u32).to_vec();
        let bindings = vec![Binding::Input(0), Binding::Weights(taps), Binding::Output];
        vec![elementwise(shader!("resize"), vec![], output.elements(), params, bindings)]
    }
}

impl GraphBuilder {
    /// Bilinear resizing of `[batch, height, width, channels]` to `size` (height, width).
    ///
    /// # Errors
    /// [`GraphError::Operation`] when `x` is not a picture.
    pub fn resize(&mut self, x: Value, size: [usize; 2], sampling: Sampling) -> Result<Value, GraphError> {
        self.apply(ResizeOp { size, sampling }, &[x])
    }
}
