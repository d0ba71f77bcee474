//! Windows that slide over pictures: what convolutions and poolings share.

use crate::graph::{GraphError, Shape};

/// What surrounds a picture under a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Padding {
    /// TensorFlow's rule: the result has `ceil(size / stride)` pixels; of an odd number of padding pixels the extra one
    /// lies below or to the right.
    Same,
    /// So many pixels on each side.
    Explicit {
        /// Rows above.
        top: usize,
        /// Rows below.
        bottom: usize,
        /// Columns to the left.
        left: usize,
        /// Columns to the right.
        right: usize,
    },
}

impl Padding {
    /// No padding; TensorFlow's `VALID`.
    pub const VALID: Self = Self::all(0);

    /// The same number of pixels on all sides; PyTorch's `padding=n`.
    pub const fn all(n: usize) -> Self {
        Self::Explicit { top: n, bottom: n, left: n, right: n }
    }
}

/// Largest kernel, stride and dilation. Products of two of them, and their sum with a size, then fit 32 bits: hostile
/// packs reach this code in a browser too.
const MAX_STEP: usize = 1 << 12;

/// A window over one picture, all numbers resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub batch: usize,
    pub input: [usize; 2],
    pub output: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Padding before the first row and column; what is after follows from the output size.
    pub before: [usize; 2],
}

impl Window {
    /// Resolves padding and output size for an input `[batch, height, width, channels]`.
    pub fn new(
        op: &'static str,
        input: &Shape,
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
        padding: Padding,
    ) -> Result<Self, GraphError> {
        let Some([batch, height, width, _]) = input.nhwc() else {
            return Err(GraphError::op(op, format!("it needs [batch, height, width, channels], not {input}")));
        };
        if [kernel, stride, dilation].iter().flatten().any(|&n| n == 0 || n > MAX_STEP) {
            return Err(GraphError::op(op, format!("kernel {kernel:?}, stride {stride:?}, dilation {dilation:?}")));
        }
        let size = [height, width];
        let mut before = [0; 2];
        let mut output = [0; 2];
        for axis in 0..2 {
            let reach = (kernel[axis] - 1) * dilation[axis] + 1;
            let padded = match padding {
                Padding::Same => {
                    let wanted = (size[axis].div_ceil(stride[axis]) - 1) * stride[axis] + reach;
                    let total = wanted.saturating_sub(size[axis]);
                    before[axis] = total / 2;
                    size[axis] + total
                }
                Padding::Explicit { top, bottom, left, right } => {
                    let (first, second) = if axis == 0 { (top, bottom) } else { (left, right) };
                    if first > 1 << 16 || second > 1 << 16 {
                        return Err(GraphError::op(op, format!("padding {padding:?}")));
                    }
                    before[axis] = first;
                    size[axis] + first + second
                }
            };
            if padded < reach {
                return Err(GraphError::op(op, format!("a window of {reach} pixels does not fit into {padded}")));
            }
            output[axis] = (padded - reach) / stride[axis] + 1;
        }
        Ok(Self { batch, input: size, output, kernel, stride, dilation, before })
    }

    /// A window of one pixel over a row of `length`: what makes a matrix product a convolution.
    pub fn row(length: usize) -> Self {
        let (one, size) = ([1, 1], [1, length]);
        Self { batch: 1, input: size, output: size, kernel: one, stride: one, dilation: one, before: [0, 0] }
    }

    /// Shape of the result.
    pub fn output_shape(&self, channels: usize) -> Shape {
        Shape::from([self.batch, self.output[0], self.output[1], channels])
    }

    /// The input coordinate under tap `tap` of output `at` along `axis`; `None` in the padding.
    #[inline]
    pub fn source(&self, axis: usize, at: usize, tap: usize) -> Option<usize> {
        let position = at * self.stride[axis] + tap * self.dilation[axis];
        position.checked_sub(self.before[axis]).filter(|&p| p < self.input[axis])
    }

    /// Pixels of padding after the last row and column that the windows really reach (0 if they end before).
    pub fn after(&self) -> [usize; 2] {
        std::array::from_fn(|a| {
            let reach = (self.output[a] - 1) * self.stride[a] + (self.kernel[a] - 1) * self.dilation[a] + 1;
            reach.saturating_sub(self.input[a] + self.before[a])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(size: usize, kernel: usize, stride: usize, padding: Padding) -> Window {
        let input = Shape::from([1, size, size, 1]);
        Window::new("test", &input, [kernel; 2], [stride; 2], [1; 2], padding).unwrap()
    }

    #[test]
    fn same_padding_follows_tensorflow() {
        let even = window(128, 3, 2, Padding::Same);
        assert_eq!((even.output, even.before, even.after()), ([64, 64], [0, 0], [1, 1]));
        let odd = window(7, 5, 2, Padding::Same);
        assert_eq!((odd.output, odd.before, odd.after()), ([4, 4], [2, 2], [2, 2]));
        let unit = window(10, 3, 1, Padding::Same);
        assert_eq!((unit.output, unit.before, unit.after()), ([10, 10], [1, 1], [1, 1]));
    }

    #[test]
    fn a_window_larger_than_the_picture_is_refused() {
        let input = Shape::from([1, 2, 2, 1]);
        assert!(Window::new("test", &input, [3; 2], [1; 2], [1; 2], Padding::VALID).is_err());
        assert!(Window::new("test", &input, [2; 2], [0; 2], [1; 2], Padding::VALID).is_err());
        assert!(Window::new("test", &Shape::from([4]), [1; 2], [1; 2], [1; 2], Padding::VALID).is_err());
    }
}
