//! The executors that run a [`crate::graph`].
//!
//! [`candle`] runs on the CPU (natively and in WebAssembly) and, with the feature `cuda`, on an NVIDIA GPU.

pub mod candle;
mod error;

pub use error::ExecError;
