//! Dense 2-D convolution with bias, an optional addend and an activation on the way out.

use candle_core::{Device, Tensor};

use super::{Activation, Padding, window::Window};
use super::{dispatch::epilogue, product::ImplicitProduct};
use crate::graph::{Binding, CandleKernel, Constant, Dispatch, GraphBuilder, GraphError, Operation, Shape, Value};

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
}

#[derive(Clone, Debug)]
struct Conv2dOp(Conv2d);

impl Conv2dOp {
    fn window(&self, input: &Shape) -> Result<(Window, usize), GraphError> {
        let c = &self.0;
        let Some([out, kh, kw, channels]) = c.weight.shape().nhwc() else {
            return Err(GraphError::op(
                "conv2d",
                format!("weights must be [out, height, width, in], not {}", c.weight.shape()),
            ));
        };
        if input.last() != channels {
            return Err(GraphError::op("conv2d", format!("{} weights for an input of {input}", c.weight.shape())));
        }
        if let Some(bias) = &c.bias
            && bias.shape().elements() != out
        {
            return Err(GraphError::op("conv2d", format!("a bias of {} for {out} channels", bias.shape())));
        }
        c.activation.check("conv2d", out)?;
        Ok((Window::new("conv2d", input, [kh, kw], c.stride, c.dilation, c.padding)?, out))
    }
}

impl Operation for Conv2dOp {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let (window, out) = self.window(inputs[0])?;
        Ok(window.output_shape(out))
    }

    fn flops(&self, _: &[&Shape], output: &Shape) -> u64 {
        2 * output.rows() as u64 * self.0.weight.shape().elements() as u64
    }

    fn weight_bytes(&self) -> u64 {
        4 * self.0.weight.shape().elements() as u64
    }

    fn absorb(&self, next: &dyn Operation) -> Option<Box<dyn Operation>> {
        let activation = next.as_activation()?.clone();
        self.0
            .activation
            .is_none()
            .then(|| Box::new(Self(Conv2d { activation, ..self.0.clone() })) as Box<dyn Operation>)
    }

    fn candle(&self, inputs: &[&Shape], _: &Shape, device: &Device) -> candle_core::Result<CandleKernel> {
        let (window, out) = self.window(inputs[0]).map_err(candle_core::Error::wrap)?;
        let [taps, channels] = [window.kernel[0] * window.kernel[1], inputs[0].last()];
        let weight = Tensor::from_vec(self.0.weight.to_f32(), (out, taps, channels), device)?;
        // One matrix [in, out] for each tap: the convolution is the sum of the shifted inputs' products.
        let weight = weight.permute((1, 2, 0))?.contiguous()?;
        let bias = self.0.bias.as_ref().map(|b| Tensor::from_vec(b.to_f32(), out, device)).transpose()?;
        let activation = self.0.activation.clone();
        let shape = window.output_shape(out);
        Ok(Box::new(move |x| {
            let mut sum: Option<Tensor> = None;
            for (tap, pixels) in window.taps(x[0], 0.0)?.iter().enumerate() {
                let product = pixels.reshape(((), channels))?.matmul(&weight.get(tap)?)?;
                sum = Some(match sum {
                    Some(sum) => (sum + product)?,
                    None => product,
                });
            }
            let mut y = sum.ok_or_else(|| candle_core::Error::msg("a convolution has at least one tap"))?;
            if let Some(bias) = &bias {
                y = y.broadcast_add(bias)?;
            }
            activation.tensor(&y.reshape(shape.dims())?)
        }))
    }

    fn gpu(&self, inputs: &[&Shape], _: &Shape) -> Vec<Dispatch> {
        let Ok((window, out)) = self.window(inputs[0]) else { return Vec::new() };
        let c = &self.0;
        let product = ImplicitProduct {
            window,
            channels: inputs[0].last(),
            columns: out,
            weight: &c.weight.to_f32(),
            epilogue: epilogue(c.bias.as_ref(), &c.activation, out),
            activation: c.activation.code(),
        };
        vec![product.dispatch(Binding::Input(0), None, Binding::Output)]
    }
}

impl GraphBuilder {
    /// Dense convolution.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when weights, bias, slopes or window do not fit the input.
    pub fn conv2d(&mut self, x: Value, conv: Conv2d) -> Result<Value, GraphError> {
        self.apply(Conv2dOp(conv), &[x])
    }
}
