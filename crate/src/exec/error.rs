use crate::graph::{GraphError, Shape};

/// Why a network could not be prepared or run.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The wrong number of inputs.
    #[error("this network takes {wanted} inputs, not {found}; give one slice for each, in the graph's order")]
    InputCount {
        /// What the graph declares.
        wanted: usize,
        /// What was given.
        found: usize,
    },
    /// An input of the wrong size.
    #[error("the network's input `{name}` has the shape {shape}, but {found} numbers were given")]
    InputSize {
        /// Name of the input.
        name: String,
        /// Its shape.
        shape: Shape,
        /// Numbers that were given.
        found: usize,
    },
    /// An operation does not fit its inputs.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// candle reports an error.
    #[cfg(not(target_arch = "wasm32"))]
    #[error("the device could not run a network: {0}")]
    Candle(#[from] candle_core::Error),
    /// CUDA was asked for, and this program knows nothing of it.
    #[error(
        "this program was built without CUDA: install NVIDIA's CUDA toolkit and build with `cargo build --release \
         --features cuda`, or use --backend auto"
    )]
    WithoutCuda,
    /// CUDA was asked for and there is no GPU for it.
    #[error("no NVIDIA GPU can be used ({0}): install its driver, or use --backend auto")]
    Cuda(String),
    /// The GPU reports an error.
    #[error(transparent)]
    Gpu(#[from] super::GpuError),
}

impl ExecError {
    /// Refuses inputs that are not what a network declares, name and shape of each.
    pub(crate) fn check_inputs<'a>(
        declared: impl ExactSizeIterator<Item = (&'a str, &'a Shape)>,
        inputs: &[&[f32]],
    ) -> Result<(), Self> {
        if declared.len() != inputs.len() {
            return Err(Self::InputCount { wanted: declared.len(), found: inputs.len() });
        }
        for ((name, shape), data) in declared.zip(inputs) {
            if data.len() != shape.elements() {
                return Err(Self::InputSize { name: name.to_owned(), shape: shape.clone(), found: data.len() });
            }
        }
        Ok(())
    }
}
