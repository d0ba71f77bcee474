//! Transposed 2-D convolution: every input pixel adds its kernel to the output.

use super::cpu::{Doubling, Product};
use super::dispatch::{check_epilogue, elementwise, epilogue, shader};
use super::{Activation, Kind, window::Window};
use crate::graph::{Binding, Constant, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

/// A transposed convolution over `[batch, height, width, in]`.
#[derive(Clone, Debug)]
pub struct ConvTranspose2d {
    /// `[out, kernel height, kernel width, in]`, TensorFlow Lite's order.
    pub weight: Constant,
    /// One number for each output channel.
    pub bias: Option<Constant>,
    /// Output rows and columns between the kernels of neighbouring input pixels.
    pub stride: [usize; 2],
    /// Height and width of the result. The full sum has `(input - 1) stride + kernel` rows; of what is too much, half
    /// (rounded down) is cut from the top, as TensorFlow's `SAME` does.
    pub size: [usize; 2],
    /// Applied to the result.
    pub activation: Activation,
}

#[derive(Clone, Debug)]
struct ConvTranspose2dOp(ConvTranspose2d);

/// All numbers of a transposed convolution.
#[derive(Clone, Copy)]
pub(crate) struct Geometry {
    pub batch: usize,
    pub input: [usize; 2],
    pub channels: usize,
    pub out: usize,
    pub kernel: [usize; 2],
    /// Rows and columns cut from the top and the left of the full sum.
    pub cut: [usize; 2],
}

impl Geometry {
    /// Adds what every input pixel gives under every tap (`[pixel, tap, out]`) where it belongs.
    fn spread(&self, stride: [usize; 2], size: [usize; 2], products: &[f32], y: &mut [f32]) {
        let (run, pixel) = (self.kernel[1] * self.out, self.kernel[0] * self.kernel[1] * self.out);
        for (row, products) in products.chunks_exact(self.input[1] * pixel).enumerate() {
            let (picture, sy) = (row / self.input[0], row % self.input[0]);
            for ky in 0..self.kernel[0] {
                // Cut at the top, or below the result.
                let Some(oy) = (sy * stride[0] + ky).checked_sub(self.cut[0]).filter(|&oy| oy < size[0]) else {
                    continue;
                };
                let line = &mut y[(picture * size[0] + oy) * size[1] * self.out..][..size[1] * self.out];
                let parts = products.chunks_exact(pixel).map(|part| &part[ky * run..][..run]);
                let add = |(y, part): (&mut [f32], &[f32])| y.iter_mut().zip(part).for_each(|(y, p)| *y += p);
                if stride[1] == self.kernel[1] && self.cut[1] == 0 {
                    // Kernels lie side by side.
                    line.chunks_mut(run).zip(parts).for_each(add);
                    continue;
                }
                for (sx, part) in parts.enumerate() {
                    // The taps of a row lie together in the result, too; those left and right of it are cut.
                    let start = sx * stride[1];
                    let from = self.cut[1].saturating_sub(start).min(self.kernel[1]);
                    let to = (size[1] + self.cut[1]).saturating_sub(start).min(self.kernel[1]).max(from);
                    let part = &part[from * self.out..to * self.out];
                    if !part.is_empty() {
                        add((&mut line[(start + from - self.cut[1]) * self.out..], part));
                    }
                }
            }
        }
    }
}

impl ConvTranspose2d {
    /// All numbers of it on an input.
    pub(crate) fn geometry(&self, input: &Shape) -> Result<Geometry, GraphError> {
        let c = self;
        let refuse = |reason: String| GraphError::op("conv_transpose2d", reason);
        let (Some([out, kh, kw, inner]), Some([batch, height, width, channels])) =
            (c.weight.shape().nhwc(), input.nhwc())
        else {
            return Err(refuse(format!("{} weights for an input of {input}", c.weight.shape())));
        };
        if inner != channels {
            return Err(refuse(format!("{} weights for an input of {input}", c.weight.shape())));
        }
        check_epilogue("conv_transpose2d", c.bias.as_ref(), &c.activation, out)?;
        let (input, kernel) = ([height, width], [kh, kw]);
        let mut cut = [0; 2];
        for a in 0..2 {
            let valid = (1..=1 << 16).contains(&c.stride[a]);
            let full = (input[a] - 1).saturating_mul(c.stride[a]).saturating_add(kernel[a]);
            if !valid || c.size[a] == 0 || c.size[a] > full.saturating_add(c.stride[a]) {
                return Err(refuse(format!("a result of {:?} with stride {:?} from {input:?}", c.size, c.stride)));
            }
            cut[a] = full.saturating_sub(c.size[a]) / 2;
        }
        Ok(Geometry { batch, input, channels, out, kernel, cut })
    }
}

impl ConvTranspose2dOp {
    /// Whether every pixel becomes 2 x 2 of one channel.
    fn is_doubling(&self, g: Geometry) -> bool {
        let doubled = g.input.map(|n| 2 * n);
        g.out == 1 && g.kernel == [2, 2] && self.0.stride == [2, 2] && self.0.size == doubled
    }

    /// On the processor, where every pixel becomes 2 x 2 of one channel.
    fn doubling(&self, g: Geometry) -> CpuKernel {
        let bias = self.0.bias.as_ref().map_or(0.0, |b| b.to_f32().iter().sum());
        let (doubling, activation) = (Doubling::new(&self.0.weight.to_f32(), bias), self.0.activation.clone());
        let slopes = activation.slope_table(1);
        Box::new(move |x, y| {
            doubling.run(x[0], g.input[1], y);
            activation.apply_channels(y, &slopes);
        })
    }

    /// On the processor otherwise: one product gives what every pixel adds under every tap, which is then added where it belongs.
    fn products(&self, g: Geometry) -> Result<CpuKernel, GraphError> {
        let c = &self.0;
        let taps = g.kernel[0] * g.kernel[1];
        // `[out, tap, in]` to `[tap, out, in]`.
        let weight = c.weight.reshaped([g.out, taps, g.channels])?.permuted(&[1, 0, 2])?;
        let pixels = g.batch * g.input[0] * g.input[1];
        let product = Product::new(Window::row(pixels), g.channels, &weight, None, &Activation::None);
        let bias = c.bias.as_ref().map_or_else(|| vec![0.0; g.out], Constant::to_f32);
        let (stride, size, activation, slopes) =
            (c.stride, c.size, c.activation.clone(), c.activation.slope_table(g.out));
        Ok(Box::new(move |x, y| {
            let mut products = vec![0.0; pixels * taps * g.out];
            product.run(x[0], None, &mut products);
            match bias[..] {
                [bias] => y.fill(bias),
                _ => y.chunks_exact_mut(g.out).for_each(|y| y.copy_from_slice(&bias)),
            }
            g.spread(stride, size, &products, y);
            activation.apply_channels(y, &slopes);
        }))
    }
}

impl Operation for ConvTranspose2dOp {
    fn name(&self) -> &'static str {
        "conv_transpose2d"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::ConvTranspose2d(&self.0)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let g = self.0.geometry(inputs[0])?;
        Ok([g.batch, self.0.size[0], self.0.size[1], g.out].into())
    }

    fn flops(&self, inputs: &[&Shape], _: &Shape) -> u64 {
        2 * inputs[0].rows() as u64 * self.0.weight.shape().elements() as u64
    }

    fn weight_bytes(&self) -> u64 {
        4 * self.0.weight.shape().elements() as u64
    }

    fn absorb(&self, next: &dyn Operation) -> Option<Box<dyn Operation>> {
        let activation = next.as_activation()?.clone();
        let merged = || Box::new(Self(ConvTranspose2d { activation, ..self.0.clone() })) as Box<dyn Operation>;
        self.0.activation.is_none().then(merged)
    }

    fn cpu(&self, inputs: &[&Shape], _: &Shape) -> Result<CpuKernel, GraphError> {
        let g = self.0.geometry(inputs[0])?;
        if self.is_doubling(g) { Ok(self.doubling(g)) } else { self.products(g) }
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        let Ok(g) = self.0.geometry(inputs[0]) else { return Vec::new() };
        let c = &self.0;
        let mut params = vec![g.out as u32, g.channels as u32];
        params.extend([g.input, c.size, g.kernel, c.stride, g.cut].iter().flatten().map(|&n| n as u32));
        // [out][tap][in] to [tap][in][out]: neighbouring invocations are neighbouring output channels.
        let stored = c.weight.to_f32();
        let inner = stored.len() / g.out;
        let weight = (0..stored.len()).map(|i| stored[i % g.out * inner + i / g.out]).collect();
        let table = epilogue(c.bias.as_ref(), &c.activation, g.out);
        let bindings = vec![Binding::Input(0), Binding::weights(weight), table, Binding::Output];
        let constants = vec![("ACTIVATION", c.activation.code())];
        vec![elementwise(shader!("conv_transpose2d"), constants, output.elements(), params, bindings)]
    }
}

impl GraphBuilder {
    /// Transposed convolution.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when weights, bias, slopes or size do not fit the input.
    pub fn conv_transpose2d(&mut self, x: Value, conv: ConvTranspose2d) -> Result<Value, GraphError> {
        self.apply(ConvTranspose2dOp(conv), &[x])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ops::testing::{check, check_against_candle, f64s, graph, weights};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

        #[test]
        fn agrees_with_float64(
            size in [1usize..6, 1..6], channels in 1usize..6, out in 1usize..6, kernel in [1usize..5, 1..5],
            stride in [1usize..4, 1..4], same in any::<bool>(),
        ) {
            let full = [0, 1].map(|a| (size[a] - 1) * stride[a] + kernel[a]);
            let to = if same { [0, 1].map(|a| size[a] * stride[a]) } else { full };
            let (weight, bias) = (weights(1, &[out, kernel[0], kernel[1], channels]), Some(weights(2, &[out])));
            let conv = ConvTranspose2d { weight, bias, stride, size: to, activation: Activation::Relu };
            let shape = Shape::from([2, size[0], size[1], channels]);
            let g = graph(&[shape.dims()], |b, x| b.conv_transpose2d(x[0], conv.clone()));
            let cut = [0, 1].map(|a| full[a].saturating_sub(to[a]) / 2);
            check(&g, 1e-5, |x| {
                let (w, bias) = (f64s(Some(&conv.weight), 0), f64s(conv.bias.as_ref(), out));
                let mut y: Vec<f64> = (0..2 * to[0] * to[1]).flat_map(|_| bias.clone()).collect();
                for (i, v) in x[0].iter().enumerate() {
                    let (c, sx, sy, n) =
                        (i % channels, i / channels % size[1], i / channels / size[1] % size[0], i / channels / size[1] / size[0]);
                    for (ky, kx) in (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| (ky, kx))) {
                        let (oy, ox) = (sy * stride[0] + ky, sx * stride[1] + kx);
                        if oy < cut[0] || ox < cut[1] || oy - cut[0] >= to[0] || ox - cut[1] >= to[1] {
                            continue;
                        }
                        for o in 0..out {
                            let target = ((n * to[0] + oy - cut[0]) * to[1] + ox - cut[1]) * out + o;
                            y[target] += v * w[((o * kernel[0] + ky) * kernel[1] + kx) * channels + c];
                        }
                    }
                }
                y.into_iter().map(|v| v.max(0.0)).collect()
            });
        }
    }

    #[test]
    fn agrees_with_candle() {
        for (out, kernel, size) in
            [(5, [3, 2], [6, 10]), (5, [2, 2], [6, 10]), (1, [2, 2], [5, 9]), (1, [2, 3], [6, 10])]
        {
            assert!(!agrees(out, kernel, size));
        }
    }

    #[test]
    fn doubling_agrees_with_candle() {
        assert!(agrees(1, [2, 2], [6, 10]));
    }

    /// Checks it on a small picture; whether that was doubling.
    fn agrees(out: usize, [kh, kw]: [usize; 2], size: [usize; 2]) -> bool {
        let (weight, bias) = (weights(1, &[out, kh, kw, 4]), Some(weights(2, &[out])));
        let activation = Activation::Prelu(weights(3, &[out]));
        let conv = ConvTranspose2d { weight, bias, stride: [2, 2], size, activation };
        check_against_candle(&graph(&[&[2, 3, 5, 4]], |g, x| g.conv_transpose2d(x[0], conv.clone())), 1e-5);
        let geometry = conv.geometry(&[2, 3, 5, 4].into()).unwrap();
        ConvTranspose2dOp(conv).is_doubling(geometry)
    }
}
