use std::collections::BTreeMap;

use super::{MetaValue, PackError};
use crate::graph::{DType, Shape};

const ALIGNMENT: usize = 32;

/// Writes a GGUF file: what build tasks and tests need.
#[derive(Debug, Default)]
pub struct PackWriter {
    metadata: BTreeMap<String, MetaValue>,
    tensors: BTreeMap<String, (Shape, DType, Vec<u8>)>,
}

impl PackWriter {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds metadata; a key that is there already gets the new value.
    pub fn metadata(&mut self, key: impl Into<String>, value: impl Into<MetaValue>) -> &mut Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Adds a tensor (outermost axis first), converting it to `dtype`. Rows that do not fill the blocks of
    /// [`DType::Q8_0`] are an error: choose [`DType::F16`] for them.
    ///
    /// # Errors
    /// [`PackError::Tensor`] or [`PackError::DuplicateTensor`].
    pub fn tensor(
        &mut self,
        name: impl Into<String>,
        shape: impl Into<Shape>,
        dtype: DType,
        values: &[f32],
    ) -> Result<&mut Self, PackError> {
        let (name, shape) = (name.into(), shape.into());
        match dtype.encode(values) {
            Some(bytes) if shape.elements() == values.len() => self.stored(name, shape, dtype, bytes),
            _ => {
                let reason = format!("{} numbers are not a {dtype} tensor of shape {shape}", values.len());
                Err(PackError::Tensor { name, reason })
            }
        }
    }

    /// Adds a tensor whose bytes are already in `dtype`'s form.
    ///
    /// # Errors
    /// [`PackError::Tensor`] or [`PackError::DuplicateTensor`].
    pub fn stored(
        &mut self,
        name: impl Into<String>,
        shape: impl Into<Shape>,
        dtype: DType,
        bytes: Vec<u8>,
    ) -> Result<&mut Self, PackError> {
        let (name, shape) = (name.into(), shape.into());
        let whole_rows = shape.last().is_multiple_of(dtype.block().0);
        if !shape.is_addressable()
            || !whole_rows
            || dtype.bytes(shape.elements()) != Some(bytes.len())
            || shape.rank() > 4
        {
            let reason = format!("{} bytes are not a {dtype} tensor of shape {shape} with at most 4 axes", bytes.len());
            return Err(PackError::Tensor { name, reason });
        }
        if self.tensors.contains_key(&name) {
            return Err(PackError::DuplicateTensor(name));
        }
        self.tensors.insert(name, (shape, dtype, bytes));
        Ok(self)
    }

    /// The file's bytes.
    pub fn finish(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3u32.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            text(&mut out, key);
            out.extend(kind(value).to_le_bytes());
            write_value(&mut out, value);
        }
        let mut offset = 0;
        for (name, (shape, dtype, bytes)) in &self.tensors {
            text(&mut out, name);
            out.extend((shape.rank() as u32).to_le_bytes());
            for &d in shape.dims().iter().rev() {
                out.extend((d as u64).to_le_bytes());
            }
            out.extend(code(*dtype).to_le_bytes());
            out.extend((offset as u64).to_le_bytes());
            offset += bytes.len().next_multiple_of(ALIGNMENT);
        }
        for (_, _, bytes) in self.tensors.values() {
            out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
            out.extend(bytes);
        }
        out
    }
}

fn code(dtype: DType) -> u32 {
    match dtype {
        DType::F32 => 0,
        DType::F16 => 1,
        DType::Q8_0 => 8,
        DType::I8 => 24,
        DType::I16 => 25,
        DType::I32 => 26,
    }
}

fn kind(value: &MetaValue) -> u32 {
    match value {
        MetaValue::Unsigned(_) => 10,
        MetaValue::Signed(_) => 11,
        MetaValue::Float(_) => 12,
        MetaValue::Bool(_) => 7,
        MetaValue::String(_) => 8,
        MetaValue::Array(_) => 9,
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn write_value(out: &mut Vec<u8>, value: &MetaValue) {
    match value {
        MetaValue::Unsigned(v) => out.extend(v.to_le_bytes()),
        MetaValue::Signed(v) => out.extend(v.to_le_bytes()),
        MetaValue::Float(v) => out.extend(v.to_le_bytes()),
        MetaValue::Bool(v) => out.push(u8::from(*v)),
        MetaValue::String(v) => text(out, v),
        MetaValue::Array(values) => {
            // An empty array still names a type; any will do.
            out.extend(values.first().map_or(8, kind).to_le_bytes());
            out.extend((values.len() as u64).to_le_bytes());
            values.iter().for_each(|v| write_value(out, v));
        }
    }
}
