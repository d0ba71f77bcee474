//! The executors that run a [`crate::graph`].
//!
//! [`cpu`] runs on the processor, natively and in the browser, [`wgpu`] on any GPU, natively and in the browser, `candle` on
//! NVIDIA GPUs (with the feature `cuda`). [`session`] hides which; [`auto`] measures which is faster, [`bench`] measures
//! every operation, [`roof`] says how fast it could be at most, and [`probe`] tries that out on a processor.

pub mod auto;
pub mod bench;
#[cfg(not(target_arch = "wasm32"))]
pub mod candle;
pub mod clock;
pub mod cpu;
mod error;
pub mod gpu;
pub mod probe;
pub(crate) mod record;
pub mod roof;
pub mod session;
pub mod tune;
pub mod wgpu;

pub use cpu::CpuSession;
pub use error::ExecError;
pub use gpu::{AdapterChoice, Gpu, GpuError};
pub use session::{Device, Session};

#[cfg(test)]
mod tests;
