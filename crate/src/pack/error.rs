/// Why a model pack cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// Not a GGUF file.
    #[error("this file is not a model pack (it does not begin with `GGUF`); give a .gguf file made for Parlante")]
    NotGguf,
    /// A GGUF file of a version this reader does not know.
    #[error("this model pack is GGUF version {0}, and only version 3 can be read; convert it with a current tool")]
    Version(u32),
    /// The file ends before what it announces.
    #[error("the model pack ends in the middle of {0}; it was probably not downloaded completely, so fetch it again")]
    Truncated(&'static str),
    /// A number in the file makes no sense.
    #[error("the model pack is damaged: {0}; fetch it again")]
    Damaged(String),
    /// A tensor is stored in a way this reader does not know.
    #[error(
        "the tensor `{name}` of the model pack has the unknown type {code}; only F32, F16, Q8_0, I8, I16 and I32 can be read"
    )]
    UnknownType {
        /// Name of the tensor.
        name: String,
        /// GGML's number of the type.
        code: u32,
    },
    /// A tensor is there but cannot be used.
    #[error("the tensor `{name}` of the model pack cannot be used: {reason}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two tensors have one name.
    #[error("the tensor `{0}` exists twice; merge packs whose tensors have different names")]
    DuplicateTensor(String),
    /// Merged packs contradict each other.
    #[error("the packs to merge say different things under `{0}`; merge packs of the same version")]
    Conflict(String),
    /// A tensor a network needs is not there.
    #[error("the model pack has no tensor `{0}`; use the pack that was made for this version")]
    MissingTensor(String),
    /// Metadata that is needed is not there.
    #[error("the model pack says nothing under `{0}`; use the pack that was made for this version")]
    MissingKey(String),
    /// Metadata of another kind than needed.
    #[error("the model pack's `{key}` is not {wanted}; use the pack that was made for this version")]
    WrongKind {
        /// Metadata key.
        key: String,
        /// What was needed.
        wanted: &'static str,
    },
}
