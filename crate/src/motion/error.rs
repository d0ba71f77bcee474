//! What can go wrong between a pack and generated motion.

use thiserror::Error;

use crate::exec::ExecError;
use crate::graph::GraphError;
use crate::pack::PackError;

use super::words::TranscriptError;

/// Why no motion can be generated.
#[derive(Debug, Error)]
pub enum MotionError {
    /// The pack lacks something or holds it in another form.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The description of a speech network in the pack cannot be used.
    #[error("The model pack describes its speech networks in a way that cannot be used: {0}. Use another pack.")]
    Config(String),
    /// The pack's tensors do not make the network it describes.
    #[error("The speech networks of the model pack do not fit together: {0}. Use another pack.")]
    Network(#[from] GraphError),
    /// A transcript that does not fit its sound.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// The executor failed.
    #[error("A speech network could not be run: {0}.")]
    Run(#[from] ExecError),
}
