use std::fmt;

use half::f16;

/// How the numbers of a stored tensor are written. All are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// Blocks of 32 signed bytes that share one half-precision scale (34 bytes a block); GGML's `Q8_0`.
    Q8_0,
    /// Signed byte.
    I8,
    /// Signed 16-bit integer.
    I16,
    /// Signed 32-bit integer.
    I32,
}

/// Elements in a [`DType::Q8_0`] block.
pub(crate) const Q8_0_ELEMENTS: usize = 32;
/// Bytes in a [`DType::Q8_0`] block: the scale, then one byte an element.
const Q8_0_BYTES: usize = 2 + Q8_0_ELEMENTS;

impl DType {
    /// Elements and bytes of the smallest unit that can be stored.
    pub fn block(self) -> (usize, usize) {
        match self {
            Self::F32 | Self::I32 => (1, 4),
            Self::F16 | Self::I16 => (1, 2),
            Self::I8 => (1, 1),
            Self::Q8_0 => (Q8_0_ELEMENTS, Q8_0_BYTES),
        }
    }

    /// Bytes that `elements` take; `None` when they do not fill whole blocks or the count overflows.
    pub fn bytes(self, elements: usize) -> Option<usize> {
        let (per_block, bytes) = self.block();
        elements.is_multiple_of(per_block).then(|| (elements / per_block).checked_mul(bytes)).flatten()
    }

    /// Expands stored bytes to f32. Bytes that do not fill a block are ignored.
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        fn map<const N: usize>(bytes: &[u8], f: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            bytes.as_chunks::<N>().0.iter().map(|&c| f(c)).collect()
        }
        match self {
            Self::F32 => map(bytes, f32::from_le_bytes),
            Self::F16 => map(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Self::I8 => map(bytes, |[b]| f32::from(b as i8)),
            Self::I16 => map(bytes, |b| f32::from(i16::from_le_bytes(b))),
            Self::I32 => map(bytes, |b| i32::from_le_bytes(b) as f32),
            Self::Q8_0 => {
                let mut out = Vec::with_capacity(bytes.len() / Q8_0_BYTES * Q8_0_ELEMENTS);
                for (scale, block) in q8_0_blocks(bytes) {
                    out.extend(block.iter().map(|&q| f32::from(q as i8) * scale));
                }
                out
            }
        }
    }

    /// Writes f32 numbers in this form. Integers are rounded and saturate; `Q8_0` scales each block by its largest
    /// magnitude. `None` when the numbers do not fill whole blocks.
    pub fn encode(self, values: &[f32]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(self.bytes(values.len())?);
        match self {
            Self::F32 => out.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            Self::F16 => out.extend(values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes())),
            Self::I8 => out.extend(values.iter().map(|&v| v.round() as i8 as u8)),
            Self::I16 => out.extend(values.iter().flat_map(|&v| (v.round() as i16).to_le_bytes())),
            Self::I32 => out.extend(values.iter().flat_map(|&v| (v.round() as i32).to_le_bytes())),
            Self::Q8_0 => {
                for block in values.as_chunks::<Q8_0_ELEMENTS>().0 {
                    let largest = block.iter().fold(0.0f32, |m, v| m.max(v.abs()));
                    // The quotients use the scale as it will be read back, so that rounding it to f16 costs no accuracy.
                    let scale = f16::from_f32(largest / 127.0);
                    let inverse = if scale.to_f32() > 0.0 { 1.0 / scale.to_f32() } else { 0.0 };
                    out.extend(scale.to_le_bytes());
                    out.extend(block.iter().map(|v| (v * inverse).round().clamp(-127.0, 127.0) as i8 as u8));
                }
            }
        }
        Some(out)
    }
}

/// Scales and signed bytes of [`DType::Q8_0`] blocks.
pub(super) fn q8_0_blocks(bytes: &[u8]) -> impl Iterator<Item = (f32, [u8; Q8_0_ELEMENTS])> {
    bytes.as_chunks::<Q8_0_BYTES>().0.iter().map(|block| {
        let mut signed = [0; Q8_0_ELEMENTS];
        signed.copy_from_slice(&block[2..]);
        (f16::from_le_bytes([block[0], block[1]]).to_f32(), signed)
    })
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::DType;

    proptest! {
        #[test]
        fn integers_survive_and_floats_come_back_close(values in prop::collection::vec(-100.0f32..100.0, 64)) {
            for (dtype, step) in [(DType::F32, 0.0), (DType::F16, 0.032), (DType::Q8_0, 0.4), (DType::I8, 0.5), (DType::I16, 0.5), (DType::I32, 0.5)] {
                let bytes = dtype.encode(&values).unwrap();
                prop_assert_eq!(Some(bytes.len()), dtype.bytes(values.len()));
                for (a, b) in dtype.decode(&bytes).iter().zip(&values) {
                    prop_assert!((a - b).abs() <= step, "{} {} {}", dtype, a, b);
                }
            }
        }
    }

    #[test]
    fn partial_blocks_are_refused() {
        assert_eq!(DType::Q8_0.bytes(33), None);
        assert!(DType::Q8_0.encode(&[0.0; 31]).is_none());
        assert_eq!(DType::F32.bytes(usize::MAX), None);
    }
}
