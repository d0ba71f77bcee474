use super::Shape;

/// Why a network could not be built. Always a defect of the network's description or of its pack, never of a run.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// An operation was given values it cannot take.
    #[error("the operation `{op}` cannot be built: {reason}; the model pack does not fit this program's version")]
    Operation {
        /// Name of the operation.
        op: &'static str,
        /// What is wrong, with the shapes.
        reason: String,
    },
    /// A shape has no element or more than the executors can address.
    #[error(
        "a tensor of shape {0} is empty or larger than 2^30 elements or has more than 8 axes; the model pack is damaged or not meant for this program"
    )]
    Size(Shape),
    /// The number of stored weights is not the number the shape asks for.
    #[error("{found} bytes of {dtype} weights do not fill the shape {shape}; the model pack is damaged")]
    ConstantSize {
        /// Bytes present.
        found: usize,
        /// How they are stored.
        dtype: super::DType,
        /// The shape they should fill.
        shape: Shape,
    },
    /// A value of another builder was used.
    #[error("a value of another network was used in this one; build each network with its own values")]
    ForeignValue,
    /// Nothing would be computed.
    #[error("the network has no output; name at least one with `GraphBuilder::output`")]
    NoOutput,
    /// Two inputs or two outputs have the same name.
    #[error("two inputs or two outputs are called `{0}`; give each its own name")]
    DuplicateName(String),
}

impl GraphError {
    /// Shorthand for shape rules.
    pub(crate) fn op(op: &'static str, reason: impl Into<String>) -> Self {
        Self::Operation { op, reason: reason.into() }
    }
}
