//! The bounded GGUF reader.
//!
//! No count in the file is believed: lists grow only as far as their elements were really read, text is copied only
//! after its length was found in the buffer, tensors are ranges of the buffer and are never copied. The largest possible
//! allocation is therefore a small multiple of the file's own size.

use std::{collections::BTreeMap, sync::Arc};

use super::{Entry, MetaValue, Pack, PackError};
use crate::graph::{DType, Shape};

const MAGIC: [u8; 4] = *b"GGUF";
const VERSION: u32 = 3;
const DEFAULT_ALIGNMENT: u64 = 32;
/// GGML's own limit.
const MAX_RANK: u32 = 4;
/// An array element of one byte becomes a [`MetaValue`] of 32: this bounds what a file of arrays can make us allocate.
const MAX_ARRAY_ELEMENTS: u64 = 1 << 20;
const MAX_ARRAY_DEPTH: u32 = 2;

/// Reads the header of a GGUF file.
pub(super) fn read(bytes: Arc<[u8]>) -> Result<Pack, PackError> {
    let mut cursor = Cursor { bytes: &bytes, at: 0, array_elements: 0 };
    if cursor.take(4, "its first four bytes").ok() != Some(&MAGIC) {
        return Err(PackError::NotGguf);
    }
    match cursor.u32()? {
        VERSION => {}
        other => return Err(PackError::Version(other)),
    }
    let tensor_count = cursor.u64()?;
    let metadata_count = cursor.u64()?;

    let mut metadata = BTreeMap::new();
    for _ in 0..metadata_count {
        let key = cursor.text()?;
        let kind = cursor.u32()?;
        let value = cursor.value(kind, 0)?;
        if metadata.insert(key.clone(), value).is_some() {
            return Err(PackError::Damaged(format!("the key `{key}` exists twice")));
        }
    }
    let alignment = match metadata.get("general.alignment") {
        None => DEFAULT_ALIGNMENT,
        Some(MetaValue::Unsigned(a)) if a.is_power_of_two() && *a <= 1 << 20 => *a,
        Some(_) => return Err(PackError::Damaged("its alignment is not a small power of two".to_owned())),
    };

    let mut announced = Vec::new();
    for _ in 0..tensor_count {
        announced.push(cursor.tensor()?);
    }
    // Offsets count from the first aligned byte after the header.
    let data_start = (cursor.at as u64).next_multiple_of(alignment);
    let mut tensors = BTreeMap::new();
    for Announced { name, shape, dtype, offset } in announced {
        let entry = place(&name, shape, dtype, data_start, offset, bytes.len() as u64)?;
        if tensors.contains_key(&name) {
            return Err(PackError::DuplicateTensor(name));
        }
        tensors.insert(name, entry);
    }
    refuse_overlaps(&tensors)?;
    Ok(Pack { sources: vec![bytes], tensors, metadata })
}

/// Turns an announced offset into a range that lies inside the file.
fn place(name: &str, shape: Shape, dtype: DType, data_start: u64, offset: u64, file: u64) -> Result<Entry, PackError> {
    let unusable = |reason: String| PackError::Tensor { name: name.to_owned(), reason };
    if !shape.is_addressable() {
        return Err(unusable(format!("its shape {shape} is empty or too large")));
    }
    // Q8_0 blocks may not run over the end of a row: a row must be whole blocks.
    if !shape.last().is_multiple_of(dtype.block().0) {
        return Err(unusable(format!("rows of {} do not fill {dtype} blocks", shape.last())));
    }
    let length = dtype.bytes(shape.elements()).ok_or_else(|| unusable("its size overflows".to_owned()))?;
    let start = data_start.checked_add(offset).filter(|&s| s <= file).ok_or(PackError::Truncated("its tensors"))?;
    if length as u64 > file - start {
        return Err(PackError::Truncated("its tensors"));
    }
    let start = start as usize;
    Ok(Entry { source: 0, range: start..start + length, shape, dtype })
}

/// A small file whose many tensors all point at the same bytes would expand to any amount of memory.
fn refuse_overlaps(tensors: &BTreeMap<String, Entry>) -> Result<(), PackError> {
    let mut ranges: Vec<_> = tensors.iter().map(|(name, e)| (e.range.start, e.range.end, name)).collect();
    ranges.sort_unstable();
    for pair in ranges.windows(2) {
        if pair[1].0 < pair[0].1 {
            return Err(PackError::Damaged(format!("the tensors `{}` and `{}` overlap", pair[0].2, pair[1].2)));
        }
    }
    Ok(())
}

struct Announced {
    name: String,
    shape: Shape,
    dtype: DType,
    offset: u64,
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    array_elements: u64,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], PackError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..length).ok_or(PackError::Truncated(what))?;
        self.at += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PackError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N, "its header")?);
        Ok(out)
    }

    fn u32(&mut self) -> Result<u32, PackError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, PackError> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Result<String, PackError> {
        let length = usize::try_from(self.u64()?).map_err(|_| PackError::Truncated("a text"))?;
        let bytes = self.take(length, "a text")?;
        let text = std::str::from_utf8(bytes).map_err(|_| PackError::Damaged("a text is not UTF-8".to_owned()))?;
        Ok(text.to_owned())
    }

    /// A metadata value; `kind` is GGUF's number of its type.
    fn value(&mut self, kind: u32, depth: u32) -> Result<MetaValue, PackError> {
        Ok(match kind {
            0 => MetaValue::Unsigned(self.array().map(u8::from_le_bytes)?.into()),
            1 => MetaValue::Signed(self.array().map(i8::from_le_bytes)?.into()),
            2 => MetaValue::Unsigned(self.array().map(u16::from_le_bytes)?.into()),
            3 => MetaValue::Signed(self.array().map(i16::from_le_bytes)?.into()),
            4 => MetaValue::Unsigned(self.u32()?.into()),
            5 => MetaValue::Signed(self.array().map(i32::from_le_bytes)?.into()),
            6 => MetaValue::Float(self.array().map(f32::from_le_bytes)?.into()),
            7 => match self.array()? {
                [0] => MetaValue::Bool(false),
                [1] => MetaValue::Bool(true),
                [other] => return Err(PackError::Damaged(format!("a truth value is {other}"))),
            },
            8 => MetaValue::String(self.text()?),
            9 => self.values(depth)?,
            10 => MetaValue::Unsigned(self.u64()?),
            11 => MetaValue::Signed(self.array().map(i64::from_le_bytes)?),
            12 => MetaValue::Float(self.array().map(f64::from_le_bytes)?),
            other => return Err(PackError::Damaged(format!("metadata of the unknown type {other}"))),
        })
    }

    fn values(&mut self, depth: u32) -> Result<MetaValue, PackError> {
        if depth >= MAX_ARRAY_DEPTH {
            return Err(PackError::Damaged("metadata arrays are nested too deeply".to_owned()));
        }
        let kind = self.u32()?;
        let count = self.u64()?;
        self.array_elements = self.array_elements.saturating_add(count);
        if self.array_elements > MAX_ARRAY_ELEMENTS {
            return Err(PackError::Damaged("its metadata has more than a million array elements".to_owned()));
        }
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(self.value(kind, depth + 1)?);
        }
        Ok(MetaValue::Array(values))
    }

    fn tensor(&mut self) -> Result<Announced, PackError> {
        let name = self.text()?;
        let rank = self.u32()?;
        if rank > MAX_RANK {
            return Err(PackError::Tensor { name, reason: format!("it has {rank} axes, more than {MAX_RANK}") });
        }
        let mut dims = Vec::new();
        for _ in 0..rank {
            dims.push(usize::try_from(self.u64()?).unwrap_or(usize::MAX));
        }
        dims.reverse();
        let dtype = match self.u32()? {
            0 => DType::F32,
            1 => DType::F16,
            8 => DType::Q8_0,
            24 => DType::I8,
            25 => DType::I16,
            26 => DType::I32,
            code => return Err(PackError::UnknownType { name, code }),
        };
        Ok(Announced { name, shape: dims.into(), dtype, offset: self.u64()? })
    }
}
