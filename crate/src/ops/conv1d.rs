//! Convolution along time, as a picture of one row.

use super::{Activation, Conv2d, Padding};
use crate::graph::{Constant, GraphBuilder, GraphError, Value};

/// A convolution over `[time, in]`.
#[derive(Clone, Debug)]
pub struct Conv1d {
    /// `[out, kernel, in]`. PyTorch's `[out, in, kernel]` becomes it by [`Constant::permuted`] with `[0, 2, 1]`.
    pub weight: Constant,
    /// One number for each output channel.
    pub bias: Option<Constant>,
    /// Steps between windows.
    pub stride: usize,
    /// Steps between the taps of a window.
    pub dilation: usize,
    /// Zeros before the first step.
    pub before: usize,
    /// Zeros after the last step.
    pub after: usize,
    /// Applied to the result.
    pub activation: Activation,
}

impl Conv1d {
    /// Stride and dilation 1, no padding, no bias, no activation: what a streaming network wants, which carries the steps
    /// before the window along as state.
    pub fn new(weight: Constant) -> Self {
        Self { weight, bias: None, stride: 1, dilation: 1, before: 0, after: 0, activation: Activation::None }
    }

    /// Padded in front only, so that no result depends on a later step.
    #[must_use]
    pub fn causal(mut self) -> Self {
        let kernel = self.weight.shape().dims().get(1).copied().unwrap_or(1);
        self.before = kernel.saturating_sub(1).saturating_mul(self.dilation);
        self.after = 0;
        self
    }
}

impl GraphBuilder {
    /// Convolution along time.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when weights, bias, slopes or window do not fit the input.
    pub fn conv1d(&mut self, x: Value, conv: Conv1d) -> Result<Value, GraphError> {
        let &[time, channels] = self.shape(x).dims() else {
            return Err(GraphError::op("conv1d", format!("it needs [time, channels], not {}", self.shape(x))));
        };
        let &[out, kernel, inner] = conv.weight.shape().dims() else {
            let reason = format!("weights must be [out, kernel, in], not {}", conv.weight.shape());
            return Err(GraphError::op("conv1d", reason));
        };
        let row = self.reshape(x, [1, 1, time, channels])?;
        let y = self.conv2d(
            row,
            Conv2d {
                weight: conv.weight.reshaped([out, 1, kernel, inner])?,
                bias: conv.bias,
                stride: [1, conv.stride],
                dilation: [1, conv.dilation],
                padding: Padding::Explicit { top: 0, bottom: 0, left: conv.before, right: conv.after },
                activation: conv.activation,
            },
        )?;
        let [_, _, steps, channels] = self.shape(y).nhwc().unwrap_or_default();
        self.reshape(y, [steps, channels])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check, f64s, graph, weights};

    #[test]
    fn causal_convolution_sees_only_the_past() {
        let weight = weights(1, &[5, 3, 4]);
        let conv = Conv1d { dilation: 2, bias: Some(weights(2, &[5])), ..Conv1d::new(weight.clone()) };
        let g = graph(&[&[11, 4]], |b, x| b.conv1d(x[0], conv.clone().causal()));
        let (w, bias) = (f64s(Some(&weight), 0), f64s(conv.bias.as_ref(), 5));
        check(&g, 1e-5, |x| {
            let mut y = Vec::new();
            for t in 0..11usize {
                for o in 0..5 {
                    let mut sum = bias[o];
                    for k in 0..3 {
                        if let Some(s) = (t + 2 * k).checked_sub(4) {
                            sum += (0..4).map(|c| x[0][s * 4 + c] * w[(o * 3 + k) * 4 + c]).sum::<f64>();
                        }
                    }
                    y.push(sum);
                }
            }
            y
        });
    }

    #[test]
    fn strides_shorten_time() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", [10, 4]).unwrap();
        let y = b.conv1d(x, Conv1d { stride: 2, ..Conv1d::new(weights(1, &[5, 3, 4])) }).unwrap();
        assert_eq!(b.shape(y).dims(), [4, 5]);
        assert!(b.conv1d(x, Conv1d::new(weights(1, &[5, 4]))).is_err());
        assert!(b.conv1d(x, Conv1d::new(weights(1, &[5, 11, 4]))).is_err());
    }
}
