//! What an operation is, for those who translate networks: everything that its result depends on besides its inputs.

use std::ops::Range;

use super::{Activation, Binary, Conv2d, ConvTranspose2d, Depthwise2d, Gru, Linear, Normalise, Pool, Reduce, Sampling};

/// An operation with its weights and settings. Shapes stand in the graph.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'a> {
    /// A function of each element.
    Activation(&'a Activation),
    /// Arithmetic of two values.
    Binary(Binary),
    /// Values one after the other along this axis.
    Concat(usize),
    /// Dense convolution; with a second input, that is added before the activation.
    Conv2d(&'a Conv2d),
    /// Transposed convolution.
    ConvTranspose2d(&'a ConvTranspose2d),
    /// Depthwise convolution.
    Depthwise2d(&'a Depthwise2d),
    /// Gated recurrent unit; the second input is the state.
    Gru(&'a Gru),
    /// A matrix applied to the last axis.
    Linear(&'a Linear),
    /// Product of two values.
    MatMul {
        /// The second factor lies as `[columns, inner]`.
        transposed: bool,
    },
    /// Layer or instance normalisation.
    Normalise(&'a Normalise),
    /// A constant around a value.
    Pad {
        /// Elements before and after, for each axis.
        widths: &'a [[usize; 2]],
        /// The constant.
        fill: f32,
    },
    /// Axes in another order.
    Permute(&'a [usize]),
    /// The largest or the mean of a window.
    Pool(&'a Pool),
    /// One number for all elements along axes, which keep length 1.
    Reduce {
        /// Which number.
        kind: Reduce,
        /// Along which axes.
        axes: &'a [usize],
    },
    /// Another shape.
    Reshape,
    /// Bilinear resizing.
    Resize(Sampling),
    /// A box cut out: the elements inside these ranges, one for each axis.
    Slice(&'a [Range<usize>]),
    /// Softmax over the last axis.
    Softmax,
}
