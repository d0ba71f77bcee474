//! Dense 2-D convolution with bias, an optional addend and an activation on the way out.

use super::{
    Activation, Kind, Padding,
    cpu::{Product, Winograd},
    dispatch::{check_epilogue, tables},
    product::ImplicitProduct,
    window::Window,
};
use crate::graph::{Binding, Constant, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

/// A dense convolution over `[batch, height, width, in]`.
#[derive(Clone, Debug)]
pub struct Conv2d {
    /// `[out, kernel height, kernel width, in]`.
    pub weight: Constant,
    /// One number for each output channel.
    pub bias: Option<Constant>,
    /// Rows and columns between windows.
    pub stride: [usize; 2],
    /// Rows and columns between the taps of a window.
    pub dilation: [usize; 2],
    /// What surrounds the picture.
    pub padding: Padding,
    /// Applied to the result.
    pub activation: Activation,
}

impl Conv2d {
    /// Stride and dilation 1, padding [`Padding::Same`], no bias, no activation.
    pub fn new(weight: Constant) -> Self {
        let (stride, dilation) = ([1, 1], [1, 1]);
        Self { weight, bias: None, stride, dilation, padding: Padding::Same, activation: Activation::None }
    }

    /// The window on an input, and how many channels come out.
    pub(crate) fn window(&self, input: &Shape) -> Result<(Window, usize), GraphError> {
        let c = self;
        let Some([out, kh, kw, channels]) = c.weight.shape().nhwc() else {
            return Err(GraphError::op(
                "conv2d",
                format!("weights must be [out, height, width, in], not {}", c.weight.shape()),
            ));
        };
        if input.last() != channels {
            return Err(GraphError::op("conv2d", format!("{} weights for an input of {input}", c.weight.shape())));
        }
        check_epilogue("conv2d", c.bias.as_ref(), &c.activation, out)?;
        Ok((Window::new("conv2d", input, [kh, kw], c.stride, c.dilation, c.padding)?, out))
    }
}

#[derive(Clone, Debug)]
struct Conv2dOp {
    conv: Conv2d,
    /// A second input is added before the activation.
    addend: bool,
}

impl Operation for Conv2dOp {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Conv2d(&self.conv)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let (window, out) = self.conv.window(inputs[0])?;
        let shape = window.output_shape(out);
        if self.addend && *inputs[1] != shape {
            return Err(GraphError::op("conv2d", format!("an addend of {} for a result of {shape}", inputs[1])));
        }
        Ok(shape)
    }

    fn flops(&self, _: &[&Shape], output: &Shape) -> u64 {
        2 * output.rows() as u64 * self.conv.weight.shape().elements() as u64
    }

    fn weight_bytes(&self) -> u64 {
        4 * self.conv.weight.shape().elements() as u64
    }

    fn absorb(&self, next: &dyn Operation) -> Option<Box<dyn Operation>> {
        let conv = Conv2d { activation: next.as_activation()?.clone(), ..self.conv.clone() };
        self.conv.activation.is_none().then(|| Box::new(Self { conv, addend: self.addend }) as Box<dyn Operation>)
    }

    fn absorb_addend(&self) -> Option<Box<dyn Operation>> {
        let free = self.conv.activation.is_none() && !self.addend;
        free.then(|| Box::new(Self { conv: self.conv.clone(), addend: true }) as Box<dyn Operation>)
    }

    fn cpu(&self, inputs: &[&Shape], _: &Shape) -> Result<CpuKernel, GraphError> {
        let (window, _) = self.conv.window(inputs[0])?;
        let (c, channels) = (&self.conv, inputs[0].last());
        if let Some(tiles) = Winograd::new(window, channels, &c.weight, c.bias.as_ref(), &c.activation) {
            return Ok(Box::new(move |x, y| tiles.run(x[0], x.get(1).copied(), y)));
        }
        let product = Product::new(window, channels, &c.weight, c.bias.as_ref(), &c.activation);
        Ok(Box::new(move |x, y| product.run(x[0], x.get(1).copied(), y)))
    }

    fn gpu(&self, inputs: &[&Shape], _: &Shape, tuning: Tuning) -> Vec<Dispatch> {
        let Ok((window, out)) = self.conv.window(inputs[0]) else { return Vec::new() };
        let c = &self.conv;
        let product = ImplicitProduct {
            window,
            channels: inputs[0].last(),
            columns: out,
            weight: &c.weight,
            epilogue: tables(c.bias.as_ref(), &c.activation, out),
            activation: c.activation.code(),
        };
        let addend = self.addend.then_some(Binding::Input(1));
        vec![product.dispatch(tuning.product, Binding::Input(0), addend, Binding::Output)]
    }
}

impl GraphBuilder {
    /// Dense convolution.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when weights, bias, slopes or window do not fit the input.
    pub fn conv2d(&mut self, x: Value, conv: Conv2d) -> Result<Value, GraphError> {
        self.apply(Conv2dOp { conv, addend: false }, &[x])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ops::testing::{bytes, check, check_against_candle, f64s, graph, weights};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

        #[test]
        fn agrees_with_float64(
            batch in 1usize..3, size in [3usize..14, 3..14], channels in 1usize..21, out in 1usize..40,
            kernel in [1usize..4, 1..4], stride in [1usize..3, 1..3], dilation in [1usize..3, 1..3],
            same in any::<bool>(), sides in [0usize..3, 0..3, 0..3, 0..3], kind in 0..4,
        ) {
            let [top, bottom, left, right] = sides.map(|s| s + 1);
            let padding = if same { Padding::Same } else { Padding::Explicit { top, bottom, left, right } };
            let activation = match kind {
                0 => Activation::None,
                1 => Activation::Relu6,
                2 => Activation::Sigmoid,
                _ => Activation::Prelu(weights(3, &[out])),
            };
            let weight = weights(1, &[out, kernel[0], kernel[1], channels]);
            let bias = (kind != 1).then(|| weights(2, &[out]));
            let conv = Conv2d { weight, bias, stride, dilation, padding, activation };
            let op = Conv2dOp { conv: conv.clone(), addend: false };
            let shape = Shape::from([batch, size[0], size[1], channels]);
            let Ok((window, _)) = op.conv.window(&shape) else { return Ok(()) };
            let g = graph(&[shape.dims()], |b, x| b.conv2d(x[0], conv.clone()));
            check(&g, 1e-5, |x| reference(&conv, &window, &x[0], channels, out));
        }
    }

    /// Few pixels and weights in bytes: the GPU reads those as they are. With a border, a batch, an addend, and channels
    /// that fill no vector.
    #[test]
    fn weights_in_bytes_agree_with_float64() {
        for (size, padding, addend) in [
            ([1, 1, 6], Padding::VALID, false),
            ([1, 1, 6], Padding::VALID, true),
            ([1, 2, 2], Padding::Same, true),
            ([3, 1, 1], Padding::Same, false),
            ([1, 3, 3], Padding::all(1), false),
        ] {
            let (channels, out, stride) = (64, 21, [2, 2]);
            let weight = bytes(1, &[out, if size[1] == 1 { 1 } else { 3 }, 3, channels]);
            let activation = Activation::Prelu(weights(3, &[out]));
            let conv = Conv2d { bias: Some(weights(2, &[out])), stride, padding, activation, ..Conv2d::new(weight) };
            let shape = Shape::from([size[0], size[1], size[2], channels]);
            let (window, _) = conv.window(&shape).unwrap();
            let output = window.output_shape(out);
            assert!(output.elements() <= 4 * out, "the kernel for few pixels");
            let linear = Conv2d { activation: Activation::None, ..conv.clone() };
            let inputs: &[&[usize]] = &[shape.dims(), output.dims()];
            let g = graph(&inputs[..1 + usize::from(addend)], |b, x| match x {
                [x] => b.conv2d(*x, conv.clone()),
                _ => {
                    let y = b.conv2d(x[0], linear.clone())?;
                    let y = b.add(y, x[1])?;
                    b.activation(y, conv.activation.clone())
                }
            });
            check(&g, 1e-5, |x| {
                if !addend {
                    return reference(&conv, &window, &x[0], channels, out);
                }
                let y = reference(&linear, &window, &x[0], channels, out);
                let slopes = conv.activation.slope_table(out);
                let sums = y.iter().zip(&x[1]).map(|(y, a)| y + a).enumerate();
                sums.map(|(i, v)| if v < 0.0 { v * f64::from(slopes[i % out]) } else { v }).collect()
            });
        }
    }

    fn reference(conv: &Conv2d, window: &Window, x: &[f64], channels: usize, out: usize) -> Vec<f64> {
        let (w, bias) = (f64s(Some(&conv.weight), 0), f64s(conv.bias.as_ref(), out));
        let mut y = Vec::new();
        for n in 0..window.batch {
            for oy in 0..window.output[0] {
                for ox in 0..window.output[1] {
                    for (o, &bias) in bias.iter().enumerate() {
                        let mut sum = bias;
                        for ky in 0..window.kernel[0] {
                            for kx in 0..window.kernel[1] {
                                let (Some(sy), Some(sx)) = (window.source(0, oy, ky), window.source(1, ox, kx)) else {
                                    continue;
                                };
                                for c in 0..channels {
                                    let at = ((n * window.input[0] + sy) * window.input[1] + sx) * channels + c;
                                    let tap = (o * window.kernel[0] + ky) * window.kernel[1] + kx;
                                    sum += x[at] * w[tap * channels + c];
                                }
                            }
                        }
                        y.push(match &conv.activation {
                            Activation::Relu6 => sum.clamp(0.0, 6.0),
                            Activation::Sigmoid => 1.0 / (1.0 + (-sum).exp()),
                            Activation::Prelu(s) if sum < 0.0 => sum * f64::from(s.to_f32()[o]),
                            _ => sum,
                        });
                    }
                }
            }
        }
        y
    }

    #[test]
    fn agrees_with_candle() {
        let (stride, dilation, padding) = ([2, 1], [1, 2], Padding::all(2));
        let activation = Activation::Prelu(weights(3, &[21]));
        let bias = Some(weights(2, &[21]));
        let conv = Conv2d { weight: weights(1, &[21, 3, 2, 7]), bias, stride, dilation, padding, activation };
        check_against_candle(&graph(&[&[2, 9, 8, 7]], |g, x| g.conv2d(x[0], conv)), 1e-5);
    }

    #[test]
    fn large_tiles_agree_with_float64() {
        let conv = Conv2d { activation: Activation::Relu6, ..Conv2d::new(weights(1, &[70, 3, 3, 20])) };
        let g = graph(&[&[1, 40, 37, 20]], |b, x| b.conv2d(x[0], conv.clone()));
        let window = conv.window(&Shape::from([1, 40, 37, 20])).unwrap().0;
        check(&g, 1e-5, |x| reference(&conv, &window, &x[0], 20, 70));
    }

    /// Many channels under 3 x 3 taps go another way on the processor: sizes that tiles do not divide, more rows of tiles than
    /// are taken at once, several pictures, windows without padding and beside the picture, every kind of end.
    #[test]
    fn tiles_of_four_products_agree_with_float64() {
        let two = Padding::Explicit { top: 2, bottom: 0, left: 1, right: 2 };
        let prelu = Activation::Prelu(weights(3, &[80]));
        let cases = [
            ([1, 17, 19], Padding::Same, Activation::None),
            ([2, 20, 19], Padding::VALID, Activation::Relu6),
            ([1, 35, 33], two, prelu),
            ([1, 16, 16], Padding::Same, Activation::Sigmoid),
            ([1, 3, 131], Padding::Same, Activation::None),
        ];
        for ([batch, height, width], padding, activation) in cases {
            let bias = Some(weights(2, &[80]));
            let conv = Conv2d { bias, padding, activation, ..Conv2d::new(weights(1, &[80, 3, 3, 64])) };
            let g = graph(&[&[batch, height, width, 64]], |b, x| b.conv2d(x[0], conv.clone()));
            let window = conv.window(&Shape::from([batch, height, width, 64])).unwrap().0;
            assert!(Winograd::new(window, 64, &conv.weight, None, &Activation::None).is_some());
            check(&g, 1e-5, |x| reference(&conv, &window, &x[0], 64, 80));
        }
    }

    /// What tiles would take too much memory for goes the plain way; nothing is taken before that is known.
    #[test]
    fn rows_of_any_length_are_no_reason_to_take_memory() {
        let weight = weights(1, &[64, 3, 3, 64]);
        for width in [40_000, 1 << 31] {
            let window = Window { batch: 1, input: [2, width], output: [2, width], before: [1, 1], ..Window::row(1) };
            let window = Window { kernel: [3, 3], ..window };
            assert!(Winograd::new(window, 64, &weight, None, &Activation::None).is_none());
        }
    }

    #[test]
    fn an_activation_after_it_is_folded_into_it() {
        let conv = Conv2d::new(weights(1, &[4, 3, 3, 2]));
        let fused = Conv2d { activation: Activation::Relu6, ..conv.clone() };
        let g = graph(&[&[1, 6, 6, 2]], |b, x| {
            let y = b.conv2d(x[0], conv)?;
            b.activation(y, Activation::Relu6)
        });
        assert_eq!(g.nodes().len(), 1);
        let window = fused.window(&Shape::from([1, 6, 6, 2])).unwrap().0;
        check(&g, 1e-5, |x| reference(&fused, &window, &x[0], 2, 4));
    }

    #[test]
    fn a_residual_sum_after_it_is_folded_into_it() {
        for ([size, channels], out) in [([6, 2], 5), ([6, 2], 16), ([17, 64], 64)] {
            let activation = Activation::Prelu(weights(3, &[out]));
            let conv = Conv2d::new(weights(1, &[out, 3, 3, channels]));
            let g = graph(&[&[1, size, size, channels], &[1, size, size, out]], |b, x| {
                let y = b.conv2d(x[0], conv.clone())?;
                let y = b.add(x[1], y)?;
                b.activation(y, activation.clone())
            });
            assert_eq!(g.nodes().len(), 1);
            let window = conv.window(&Shape::from([1, size, size, channels])).unwrap().0;
            let slopes = activation.slope_table(out);
            check(&g, 1e-5, |x| {
                let sums = reference(&conv, &window, &x[0], channels, out).into_iter().zip(&x[1]).map(|(a, b)| a + b);
                sums.enumerate().map(|(i, v)| if v < 0.0 { v * f64::from(slopes[i % out]) } else { v }).collect()
            });
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", [1, 4, 4, 3]).unwrap();
        assert!(b.conv2d(x, Conv2d::new(weights(1, &[2, 3, 3, 4]))).is_err());
        assert!(b.conv2d(x, Conv2d::new(weights(1, &[2, 3, 3]))).is_err());
        let bias = Some(weights(1, &[3]));
        assert!(b.conv2d(x, Conv2d { bias, ..Conv2d::new(weights(1, &[2, 3, 3, 3])) }).is_err());
        let padding = Padding::VALID;
        assert!(b.conv2d(x, Conv2d { padding, ..Conv2d::new(weights(1, &[2, 5, 5, 3])) }).is_err());
    }
}
