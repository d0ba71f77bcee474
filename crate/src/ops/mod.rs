//! One operation a file: its shape rule, its kernel for the processor, its GPU pipeline (WGSL of the same name in `shaders/ops`)
//! and its tests.
//!
//! To add an operation: a file here, a file there, a line below. Each file adds a method to
//! [`GraphBuilder`](crate::graph::GraphBuilder), and its tests compare both versions, and candle's ([`crate::exec::candle`]), with a plain float64 loop.

mod activation;
mod binary;
mod boxes;
mod concat;
mod conv1d;
mod conv2d;
pub(crate) mod conv_transpose2d;
pub(crate) mod cpu;
mod depthwise;
mod dispatch;
mod gru;
mod kind;
mod linear;
mod matmul;
mod normalise;
mod pad;
mod permute;
mod pool;
mod product;
mod reduce;
mod reshape;
mod resize;
mod slice;
mod softmax;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod window;

pub use activation::Activation;
pub use binary::Binary;
pub use conv_transpose2d::ConvTranspose2d;
pub use conv1d::Conv1d;
pub use conv2d::Conv2d;
pub use depthwise::Depthwise2d;
pub use gru::Gru;
pub use kind::Kind;
pub use linear::Linear;
pub use normalise::{Normalise, NormaliseOver};
pub use pool::{Pool, PoolKind};
pub use reduce::Reduce;
pub use resize::Sampling;
pub use window::Padding;
