//! Networks where whoever runs them wants them: on the processor, or on a device of candle's.

#[cfg(not(target_arch = "wasm32"))]
use super::roof::Roof;
use super::{ExecError, cpu::CpuSession};
use crate::graph::Graph;

/// Where networks run.
#[derive(Clone, Debug, Default)]
pub enum Device {
    /// The processor, by kernels of our own.
    #[default]
    Cpu,
    /// A device of candle's, such as an NVIDIA GPU.
    #[cfg(not(target_arch = "wasm32"))]
    Candle(candle_core::Device),
}

impl Device {
    /// The first NVIDIA GPU. Needs the cargo feature `cuda`.
    ///
    /// # Errors
    /// [`ExecError::WithoutCuda`] without the feature, [`ExecError::Cuda`] without the GPU.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn cuda() -> Result<Self, ExecError> {
        if !cfg!(feature = "cuda") {
            return Err(ExecError::WithoutCuda);
        }
        // Further lines are a backtrace, where one is asked for.
        let first_line = |e: candle_core::Error| e.to_string().lines().next().unwrap_or_default().to_owned();
        candle_core::Device::new_cuda(0).map(Self::Candle).map_err(|e| ExecError::Cuda(first_line(e)))
    }

    /// What the device can do at most, computed from what its driver tells; none for the processor, which has to be measured.
    ///
    /// # Errors
    /// [`ExecError::Candle`], when the driver does not answer.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn roof(&self) -> Result<Option<Roof>, ExecError> {
        match self {
            #[cfg(feature = "cuda")]
            Self::Candle(candle_core::Device::Cuda(device)) => Ok(Some(super::candle::cuda::roof(device)?)),
            _ => Ok(None),
        }
    }

    /// Whether it is the processor.
    pub fn is_cpu(&self) -> bool {
        match self {
            Self::Cpu => true,
            #[cfg(not(target_arch = "wasm32"))]
            Self::Candle(device) => device.is_cpu(),
        }
    }
}

/// A network prepared for one [`Device`].
#[derive(Debug)]
pub enum Session {
    /// On the processor.
    Cpu(CpuSession),
    /// On a device of candle's.
    #[cfg(not(target_arch = "wasm32"))]
    Candle(super::candle::CandleSession),
}

impl Session {
    /// Prepares a network.
    ///
    /// # Errors
    /// [`ExecError::Candle`], for instance when a device has too little memory.
    pub fn on(graph: &Graph, device: &Device) -> Result<Self, ExecError> {
        match device {
            Device::Cpu => CpuSession::new(graph).map(Self::Cpu),
            #[cfg(not(target_arch = "wasm32"))]
            Device::Candle(device) => super::candle::CandleSession::new(graph, device).map(Self::Candle),
        }
    }

    /// Runs the network once: inputs and results in the graph's order, row-major.
    ///
    /// # Errors
    /// [`ExecError::InputCount`], [`ExecError::InputSize`], [`ExecError::Candle`].
    pub fn run(&mut self, inputs: &[&[f32]]) -> Result<Vec<Vec<f32>>, ExecError> {
        match self {
            Self::Cpu(session) => session.run(inputs),
            #[cfg(not(target_arch = "wasm32"))]
            Self::Candle(session) => session.run(inputs),
        }
    }
}
