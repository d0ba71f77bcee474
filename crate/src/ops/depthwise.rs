//! Depthwise 2-D convolution: each channel has a window of its own.

use super::{
    Activation, Kind, Padding,
    cpu::Depthwise,
    dispatch::{check_epilogue, elementwise, epilogue, flag, shader},
    window::Window,
};
use crate::graph::{Binding, Constant, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

/// A depthwise convolution over `[batch, height, width, channels]`; as many channels come out as go in.
#[derive(Clone, Debug)]
pub struct Depthwise2d {
    /// `[kernel height, kernel width, channels]`; TensorFlow Lite's leading 1 is allowed.
    pub weight: Constant,
    /// One number for each channel.
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

impl Depthwise2d {
    /// Stride and dilation 1, padding [`Padding::Same`], no bias, no activation.
    pub fn new(weight: Constant) -> Self {
        let (stride, dilation) = ([1, 1], [1, 1]);
        Self { weight, bias: None, stride, dilation, padding: Padding::Same, activation: Activation::None }
    }

    /// The window on an input.
    pub(crate) fn window(&self, input: &Shape) -> Result<Window, GraphError> {
        let c = self;
        let (&[kh, kw, channels] | &[1, kh, kw, channels]) = c.weight.shape().dims() else {
            let reason = format!("weights must be [height, width, channels], not {}", c.weight.shape());
            return Err(GraphError::op("depthwise2d", reason));
        };
        if input.last() != channels {
            return Err(GraphError::op("depthwise2d", format!("{} weights for an input of {input}", c.weight.shape())));
        }
        check_epilogue("depthwise2d", c.bias.as_ref(), &c.activation, channels)?;
        Window::new("depthwise2d", input, [kh, kw], c.stride, c.dilation, c.padding)
    }
}

#[derive(Clone, Debug)]
struct Depthwise2dOp(Depthwise2d);

impl Operation for Depthwise2dOp {
    fn name(&self) -> &'static str {
        "depthwise2d"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Depthwise2d(&self.0)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        Ok(self.0.window(inputs[0])?.output_shape(inputs[0].last()))
    }

    fn flops(&self, _: &[&Shape], output: &Shape) -> u64 {
        2 * output.rows() as u64 * self.0.weight.shape().elements() as u64
    }

    fn weight_bytes(&self) -> u64 {
        4 * self.0.weight.shape().elements() as u64
    }

    fn absorb(&self, next: &dyn Operation) -> Option<Box<dyn Operation>> {
        let activation = next.as_activation()?.clone();
        let merged = || Box::new(Self(Depthwise2d { activation, ..self.0.clone() })) as Box<dyn Operation>;
        self.0.activation.is_none().then(merged)
    }

    fn cpu(&self, inputs: &[&Shape], _: &Shape) -> Result<CpuKernel, GraphError> {
        let (c, channels) = (&self.0, inputs[0].last());
        let kernel = Depthwise::new(c.window(inputs[0])?, channels, &c.weight, c.bias.as_ref(), &c.activation);
        Ok(Box::new(move |x, y| kernel.run(x[0], y)))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        let Ok(w) = self.0.window(inputs[0]) else { return Vec::new() };
        let c = &self.0;
        let channels = output.last();
        let pairs = [w.input, w.output, w.kernel, w.stride, w.dilation, w.before];
        let mut params = vec![channels as u32];
        params.extend(pairs.iter().flatten().map(|&n| n as u32));
        let table = epilogue(c.bias.as_ref(), &c.activation, channels);
        let bindings = vec![Binding::Input(0), Binding::weights(c.weight.to_f32()), table, Binding::Output];
        let mut constants = vec![("ACTIVATION", c.activation.code())];
        if !channels.is_multiple_of(4) {
            return vec![elementwise(shader!("depthwise2d"), constants, output.elements(), params, bindings)];
        }
        let groups = w.output[1].div_ceil(4);
        params[0] /= 4;
        params.push(groups as u32);
        constants.push(("SLIDE", flag(w.stride[1] == 1 && w.dilation[1] == 1)));
        constants.push(("PADDED", flag(w.before[1] > 0 || w.after()[1] > 0)));
        let invocations = w.batch * w.output[0] * groups * channels / 4;
        vec![elementwise(shader!("depthwise2d_row"), constants, invocations, params, bindings)]
    }
}

impl GraphBuilder {
    /// Depthwise convolution.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when weights, bias, slopes or window do not fit the input.
    pub fn depthwise2d(&mut self, x: Value, conv: Depthwise2d) -> Result<Value, GraphError> {
        self.apply(Depthwise2dOp(conv), &[x])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ops::testing::{check, check_against_candle, f64s, graph, weights};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..Default::default() })]

        #[test]
        fn agrees_with_float64(
            batch in 1usize..3, size in [2usize..12, 2..12], channels in 1usize..40, kernel in [1usize..6, 1..6],
            stride in [1usize..3, 1..3], dilation in 1usize..3, same in any::<bool>(), prelu in any::<bool>(),
        ) {
            let padding = if same { Padding::Same } else { Padding::all(1) };
            let activation = if prelu { Activation::Prelu(weights(3, &[channels])) } else { Activation::None };
            let weight = weights(1, &[kernel[0], kernel[1], channels]);
            let bias = Some(weights(2, &[channels]));
            let conv = Depthwise2d { weight, bias, stride, dilation: [dilation; 2], padding, activation };
            let shape = Shape::from([batch, size[0], size[1], channels]);
            let Ok(window) = conv.window(&shape) else { return Ok(()) };
            let g = graph(&[shape.dims()], |b, x| b.depthwise2d(x[0], conv.clone()));
            check(&g, 1e-5, |x| {
                let (w, bias) = (f64s(Some(&conv.weight), 0), f64s(conv.bias.as_ref(), channels));
                let slopes = conv.activation.slope_table(channels);
                let mut y = Vec::new();
                for n in 0..batch {
                    for oy in 0..window.output[0] {
                        for ox in 0..window.output[1] {
                            for c in 0..channels {
                                let mut sum = bias[c];
                                for (ky, kx) in (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| (ky, kx))) {
                                    if let (Some(sy), Some(sx)) = (window.source(0, oy, ky), window.source(1, ox, kx)) {
                                        let at = ((n * size[0] + sy) * size[1] + sx) * channels + c;
                                        sum += x[0][at] * w[(ky * kernel[1] + kx) * channels + c];
                                    }
                                }
                                y.push(if sum < 0.0 { sum * f64::from(slopes[c]) } else { sum });
                            }
                        }
                    }
                }
                y
            });
        }
    }

    /// The GPU has two ways: this is the one for whole vectors of channels, with rows that end inside of a group of pixels.
    #[test]
    fn rows_of_vectors_agree_with_float64() {
        for (stride, dilation, padding) in [(1, 1, Padding::Same), (2, 1, Padding::Same), (1, 2, Padding::VALID)] {
            for width in [5, 7, 8] {
                let [kernel, channels] = [3, 8];
                let weight = weights(1, &[kernel, kernel, channels]);
                let (stride, dilation, activation) = ([stride; 2], [dilation; 2], Activation::LeakyRelu(0.25));
                let conv = Depthwise2d { stride, dilation, padding, activation, ..Depthwise2d::new(weight.clone()) };
                let shape = Shape::from([2, 6, width, channels]);
                let window = conv.window(&shape).unwrap();
                let g = graph(&[shape.dims()], |b, x| b.depthwise2d(x[0], conv));
                let w = f64s(Some(&weight), 0);
                check(&g, 1e-5, |x| {
                    let out = window.output_shape(channels);
                    let one = |i: usize| {
                        let (c, ox) = (i % channels, i / channels % window.output[1]);
                        let line = i / channels / window.output[1];
                        let (oy, n) = (line % window.output[0], line / window.output[0]);
                        let mut sum = 0.0;
                        for (ky, kx) in (0..kernel).flat_map(|ky| (0..kernel).map(move |kx| (ky, kx))) {
                            if let (Some(sy), Some(sx)) = (window.source(0, oy, ky), window.source(1, ox, kx)) {
                                sum += x[0][((n * 6 + sy) * width + sx) * channels + c]
                                    * w[(ky * kernel + kx) * channels + c];
                            }
                        }
                        if sum < 0.0 { sum * 0.25 } else { sum }
                    };
                    (0..out.elements()).map(one).collect()
                });
            }
        }
    }

    #[test]
    fn agrees_with_candle() {
        let (stride, dilation, padding) = ([2, 1], [1, 2], Padding::all(2));
        let activation = Activation::Prelu(weights(3, &[21]));
        let bias = Some(weights(2, &[21]));
        let conv = Depthwise2d { weight: weights(1, &[3, 2, 21]), bias, stride, dilation, padding, activation };
        check_against_candle(&graph(&[&[2, 9, 8, 21]], |g, x| g.depthwise2d(x[0], conv)), 1e-5);
    }
}
