//! Model packs: one GGUF file with all tensors and metadata.
//!
//! A pack may come from anywhere, so every length in it is checked against the bytes that are there before anything is
//! allocated, and every defect is a [`PackError`]. Tensors stay as they are stored, in the one buffer that was read,
//! until a network expands them.
//!
//! Format: GGUF version 3 (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>), tensors of the types of
//! [`DType`](crate::graph::DType). Shapes here are outermost axis first; the file has them the other way round.

mod error;
mod inspect;
mod metadata;
mod reader;
mod writer;

use std::{collections::BTreeMap, ops::Range, sync::Arc};

pub use error::PackError;
pub use inspect::{Inspection, TensorInfo};
pub use metadata::MetaValue;
pub use writer::PackWriter;

use crate::graph::{Constant, DType, Shape};

/// Parts are trained and converted at different times: a merged pack has the version of its first part.
const VERSION_KEY: &str = "parlante.version";
/// Metadata that every pack carries and that a merged pack lists once for each part.
const LISTED_KEYS: [&str; 4] =
    ["parlante.licence", "parlante.training_command", "parlante.data", "parlante.attribution"];

#[derive(Clone, Debug)]
struct Entry {
    source: usize,
    range: Range<usize>,
    shape: Shape,
    dtype: DType,
}

/// An opened pack: names to tensors and metadata. Several GGUF files merged act as one.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    sources: Vec<Arc<[u8]>>,
    tensors: BTreeMap<String, Entry>,
    metadata: BTreeMap<String, MetaValue>,
}

impl Pack {
    /// Opens a GGUF file that lies in memory.
    ///
    /// # Errors
    /// [`PackError`] for anything that is not a complete, consistent file.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Result<Self, PackError> {
        reader::read(bytes.into())
    }

    /// Several packs as one. Licence, attribution, training command and data are listed one below the other; of other
    /// metadata with the same key all parts must say the same, except for `general.*` and the version, where the first
    /// speaks.
    ///
    /// # Errors
    /// [`PackError::DuplicateTensor`] or [`PackError::Conflict`].
    pub fn merge(packs: impl IntoIterator<Item = Self>) -> Result<Self, PackError> {
        let mut all = Self::default();
        for pack in packs {
            let offset = all.sources.len();
            all.sources.extend(pack.sources);
            for (name, entry) in pack.tensors {
                if all.tensors.contains_key(&name) {
                    return Err(PackError::DuplicateTensor(name));
                }
                all.tensors.insert(name, Entry { source: entry.source + offset, ..entry });
            }
            for (key, value) in pack.metadata {
                all.merge_metadata(key, value)?;
            }
        }
        Ok(all)
    }

    fn merge_metadata(&mut self, key: String, value: MetaValue) -> Result<(), PackError> {
        match self.metadata.get_mut(&key) {
            None => {
                self.metadata.insert(key, value);
            }
            Some(present) if *present == value || key.starts_with("general.") || key == VERSION_KEY => {}
            Some(MetaValue::String(present)) if LISTED_KEYS.contains(&key.as_str()) => {
                if let MetaValue::String(more) = value
                    && !present.lines().any(|line| line == more)
                {
                    present.push('\n');
                    present.push_str(&more);
                }
            }
            Some(_) => return Err(PackError::Conflict(key)),
        }
        Ok(())
    }

    /// The tensor of this name; nothing is copied.
    ///
    /// # Errors
    /// [`PackError::MissingTensor`].
    pub fn tensor(&self, name: &str) -> Result<Tensor<'_>, PackError> {
        match self.tensors.get_key_value(name) {
            Some((name, entry)) => Ok(Tensor { name, entry, source: &self.sources[entry.source] }),
            None => Err(PackError::MissingTensor(name.to_owned())),
        }
    }

    /// The tensor of this name as a network's weights; shares the pack's memory.
    ///
    /// # Errors
    /// [`PackError::MissingTensor`].
    pub fn constant(&self, name: &str) -> Result<Constant, PackError> {
        self.tensor(name)?.constant()
    }

    /// True when there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// All metadata, sorted by key.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &MetaValue)> {
        self.metadata.iter().map(|(k, v)| (k.as_str(), v))
    }

    /// A piece of metadata.
    ///
    /// # Errors
    /// [`PackError::MissingKey`].
    pub fn value(&self, key: &str) -> Result<&MetaValue, PackError> {
        self.metadata.get(key).ok_or_else(|| PackError::MissingKey(key.to_owned()))
    }

    /// Metadata that is text.
    ///
    /// # Errors
    /// [`PackError::MissingKey`] or [`PackError::WrongKind`].
    pub fn str(&self, key: &str) -> Result<&str, PackError> {
        match self.value(key)? {
            MetaValue::String(s) => Ok(s),
            _ => Err(PackError::WrongKind { key: key.to_owned(), wanted: "text" }),
        }
    }

    /// Metadata that is a number, of whatever width.
    ///
    /// # Errors
    /// [`PackError::MissingKey`] or [`PackError::WrongKind`].
    pub fn number(&self, key: &str) -> Result<f64, PackError> {
        self.value(key)?.as_f64().ok_or_else(|| PackError::WrongKind { key: key.to_owned(), wanted: "a number" })
    }

    /// Writes the pack as one GGUF file, tensors as they are stored.
    ///
    /// # Errors
    /// None for a pack that was read; the writer checks sizes again.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PackError> {
        let mut writer = PackWriter::new();
        for (key, value) in &self.metadata {
            writer.metadata(key, value.clone());
        }
        for name in self.names() {
            let tensor = self.tensor(name)?;
            writer.stored(name, tensor.shape().clone(), tensor.dtype(), tensor.bytes().to_vec())?;
        }
        Ok(writer.finish())
    }

    /// What is inside, for people.
    pub fn inspect(&self) -> Inspection {
        Inspection::new(self)
    }
}

/// A tensor of a [`Pack`].
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    name: &'a str,
    entry: &'a Entry,
    source: &'a Arc<[u8]>,
}

impl<'a> Tensor<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Lengths of its axes, outermost first.
    pub fn shape(&self) -> &'a Shape {
        &self.entry.shape
    }

    /// How its numbers are stored.
    pub fn dtype(&self) -> DType {
        self.entry.dtype
    }

    /// Its numbers as stored.
    pub fn bytes(&self) -> &'a [u8] {
        &self.source[self.entry.range.clone()]
    }

    /// Its numbers as f32, row-major.
    pub fn to_f32(&self) -> Vec<f32> {
        self.entry.dtype.decode(self.bytes())
    }

    /// The tensor as a network's weights; shares the pack's memory.
    ///
    /// # Errors
    /// [`PackError::Tensor`] when it is larger than a network can use.
    pub fn constant(&self) -> Result<Constant, PackError> {
        Constant::stored(self.entry.shape.clone(), self.entry.dtype, self.source.clone(), self.entry.range.clone())
            .map_err(|e| PackError::Tensor { name: self.name.to_owned(), reason: e.to_string() })
    }

    /// The same tensor, if its shape is the one a network asks for.
    ///
    /// # Errors
    /// [`PackError::Tensor`] with both shapes.
    pub fn with_shape(self, dims: &[usize]) -> Result<Self, PackError> {
        if self.entry.shape.dims() == dims {
            return Ok(self);
        }
        let reason = format!("its shape is {}, not {}", self.entry.shape, Shape::from(dims));
        Err(PackError::Tensor { name: self.name.to_owned(), reason })
    }
}

#[cfg(test)]
mod tests;
