//! Bilinear resizing.

use super::dispatch::{elementwise, shader};
use super::{Kind, cpu};
use crate::graph::{Binding, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

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
    pub(crate) fn taps(self, input: usize, output: usize) -> Vec<(u32, u32, f32)> {
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

/// Blends the two rows above and below each result, then neighbours in that row.
fn blend(taps: &[Vec<(u32, u32, f32)>; 2], [height, width, channels]: [usize; 3], x: &[f32], y: &mut [f32]) {
    let (row, picture) = (width * channels, height * width * channels);
    let out = taps[1].len() * channels;
    cpu::for_pieces(y, out, 8 * taps[0].len() * out, |i, y| {
        let x = &x[i / taps[0].len() * picture..][..picture];
        let (above, below, weight) = taps[0][i % taps[0].len()];
        let (above, below) = (&x[above as usize * row..][..row], &x[below as usize * row..][..row]);
        let line: Vec<f32> = above.iter().zip(below).map(|(a, b)| a + (b - a) * weight).collect();
        for (y, &(left, right, weight)) in y.chunks_exact_mut(channels).zip(&taps[1]) {
            let (left, right) = (&line[left as usize * channels..], &line[right as usize * channels..]);
            y.iter_mut().zip(left.iter().zip(right)).for_each(|(y, (a, b))| *y = a + (b - a) * weight);
        }
    });
}

impl Operation for ResizeOp {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Resize(self.sampling)
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

    fn cpu(&self, inputs: &[&Shape], _: &Shape) -> Result<CpuKernel, GraphError> {
        let [_, height, width, channels] = inputs[0].nhwc().unwrap_or_default();
        let taps = [self.sampling.taps(height, self.size[0]), self.sampling.taps(width, self.size[1])];
        Ok(Box::new(move |x, y| blend(&taps, [height, width, channels], x[0], y)))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        let lengths = inputs[0].dims();
        let mut taps = Vec::new();
        for axis in 0..2 {
            let along = self.sampling.taps(lengths[axis + 1], self.size[axis]);
            taps.extend(along.into_iter().flat_map(|(left, right, weight)| [left as f32, right as f32, weight]));
        }
        let params = [lengths[3], lengths[1], lengths[2], self.size[0], self.size[1]].map(|n| n as u32).to_vec();
        let bindings = vec![Binding::Input(0), Binding::weights(taps), Binding::Output];
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ops::testing::{check, check_against_candle, graph};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

        #[test]
        fn agrees_with_float64(size in [1usize..9, 1..9], to in [1usize..15, 1..15], channels in 1usize..4, how in 0usize..3) {
            let sampling = [Sampling::HalfPixel, Sampling::AlignCorners, Sampling::Corner][how];
            let g = graph(&[&[2, size[0], size[1], channels]], |b, x| b.resize(x[0], to, sampling));
            check(&g, 1e-5, |x| {
                let place = |i: usize, axis: usize| {
                    let (n, m) = (size[axis] as f64, to[axis] as f64);
                    let at = match sampling {
                        Sampling::HalfPixel => (i as f64 + 0.5) * n / m - 0.5,
                        Sampling::AlignCorners if to[axis] == 1 => 0.0,
                        Sampling::AlignCorners => i as f64 * (n - 1.0) / (m - 1.0),
                        Sampling::Corner => i as f64 * n / m,
                    };
                    at.clamp(0.0, n - 1.0)
                };
                let mut y = Vec::new();
                for n in 0..2 {
                    for (oy, ox) in (0..to[0]).flat_map(|oy| (0..to[1]).map(move |ox| (oy, ox))) {
                        let (py, px) = (place(oy, 0), place(ox, 1));
                        for c in 0..channels {
                            let mut sum = 0.0;
                            for (sy, sx) in (0..size[0]).flat_map(|sy| (0..size[1]).map(move |sx| (sy, sx))) {
                                let weight = |p: f64, s: usize| (1.0 - (p - s as f64).abs()).max(0.0);
                                let pixel = x[0][((n * size[0] + sy) * size[1] + sx) * channels + c];
                                sum += weight(py, sy) * weight(px, sx) * pixel;
                            }
                            y.push(sum);
                        }
                    }
                }
                y
            });
        }
    }

    #[test]
    fn agrees_with_candle() {
        check_against_candle(&graph(&[&[2, 5, 7, 3]], |g, x| g.resize(x[0], [9, 4], Sampling::HalfPixel)), 1e-6);
    }
}
