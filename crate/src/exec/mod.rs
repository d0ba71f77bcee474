//! The executors that run a [`crate::graph`].
//!
//! [`candle`] runs on the CPU (natively and in WebAssembly) and, with the feature `cuda`, on an NVIDIA GPU. [`wgpu`] runs
//! on any GPU, natively and in the browser. [`auto`] measures which is faster, [`bench`] measures every operation.

pub mod auto;
pub mod bench;
pub mod candle;
pub mod clock;
mod error;
pub mod gpu;
pub(crate) mod record;
pub mod tune;
pub mod wgpu;

pub use error::ExecError;
pub use gpu::{AdapterChoice, Gpu, GpuError};

#[cfg(test)]
mod tests;
