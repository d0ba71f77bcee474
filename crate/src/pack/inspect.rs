use std::fmt;

use serde::Serialize;

use super::Pack;
use crate::graph::DType;

/// A tensor as `parlante pack inspect` lists it.
#[derive(Clone, Debug, Serialize)]
pub struct TensorInfo {
    /// Name.
    pub name: String,
    /// How it is stored.
    pub dtype: String,
    /// Lengths of its axes, outermost first.
    pub shape: Vec<usize>,
    /// Bytes as stored.
    pub bytes: usize,
}

/// What is inside a pack. `Display` prints it for people; it serialises for programs.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// Metadata, as text, sorted by key.
    pub metadata: Vec<(String, String)>,
    /// Tensors, sorted by name.
    pub tensors: Vec<TensorInfo>,
    /// Numbers in all tensors.
    pub parameters: usize,
    /// Bytes of all tensors.
    pub bytes: usize,
}

impl Inspection {
    pub(super) fn new(pack: &Pack) -> Self {
        let metadata = pack.metadata.iter().map(|(k, v)| (k.clone(), v.to_string())).collect();
        let info = |(name, entry): (&String, &super::Entry)| {
            let dtype: DType = entry.dtype;
            let shape = entry.shape.dims().to_vec();
            TensorInfo { name: name.clone(), dtype: dtype.to_string(), shape, bytes: entry.range.len() }
        };
        Self {
            metadata,
            tensors: pack.tensors.iter().map(info).collect(),
            parameters: pack.tensors.values().map(|e| e.shape.elements()).sum(),
            bytes: pack.tensors.values().map(|e| e.range.len()).sum(),
        }
    }
}

/// Characters of a metadata value that people are shown; whole networks are described in some.
const SHOWN: usize = 200;

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in &self.metadata {
            let value = value.to_string();
            match value.char_indices().nth(SHOWN) {
                Some((end, _)) => writeln!(f, "{key} = {}… ({} bytes)", &value[..end], value.len())?,
                None => writeln!(f, "{key} = {value}")?,
            }
        }
        let width = self.tensors.iter().map(|t| t.name.len()).max().unwrap_or(0);
        for t in &self.tensors {
            let shape: Vec<String> = t.shape.iter().map(usize::to_string).collect();
            writeln!(f, "{:width$}  {:5} {:>9} bytes  [{}]", t.name, t.dtype, t.bytes, shape.join(" x "))?;
        }
        write!(f, "{} tensors, {} parameters, {} bytes", self.tensors.len(), self.parameters, self.bytes)
    }
}
