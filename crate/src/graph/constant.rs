use std::{fmt, ops::Range, sync::Arc};

use super::{
    DType, GraphError, Shape,
    dtype::{Q8_0_ELEMENTS, q8_0_blocks},
};

/// Weights: a shape and numbers, kept as they are stored (quantised, inside the pack's own buffer) until an executor
/// expands them into the layout it wants. Cloning shares the numbers.
#[derive(Clone)]
pub struct Constant {
    shape: Shape,
    dtype: DType,
    buffer: Arc<[u8]>,
    range: Range<usize>,
}

impl Constant {
    /// Numbers computed here rather than read from a pack.
    ///
    /// # Errors
    /// [`GraphError::ConstantSize`] when their count is not that of the shape.
    pub fn f32(shape: impl Into<Shape>, values: Vec<f32>) -> Result<Self, GraphError> {
        let buffer: Arc<[u8]> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let range = 0..buffer.len();
        Self::stored(shape, DType::F32, buffer, range)
    }

    /// Numbers inside a larger buffer; nothing is copied.
    ///
    /// # Errors
    /// [`GraphError::ConstantSize`] when the range is outside the buffer or not what the shape needs.
    pub fn stored(
        shape: impl Into<Shape>,
        dtype: DType,
        buffer: Arc<[u8]>,
        range: Range<usize>,
    ) -> Result<Self, GraphError> {
        let shape = shape.into();
        if !shape.is_addressable() {
            return Err(GraphError::Size(shape));
        }
        if range.end > buffer.len() || dtype.bytes(shape.elements()) != Some(range.len()) {
            return Err(GraphError::ConstantSize { found: range.len(), dtype, shape });
        }
        Ok(Self { shape, dtype, buffer, range })
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// How the numbers are stored.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Bytes as stored.
    pub fn bytes(&self) -> usize {
        self.range.len()
    }

    /// The numbers as f32, row-major.
    pub fn to_f32(&self) -> Vec<f32> {
        self.dtype.decode(&self.buffer[self.range.clone()])
    }

    /// The numbers as they are stored in [`DType::Q8_0`]: a scale and 32 signed bytes in turn. None for other types, and
    /// where rows of `row` numbers do not begin with blocks.
    pub(crate) fn q8_blocks(&self, row: usize) -> Option<impl Iterator<Item = (f32, [u8; Q8_0_ELEMENTS])>> {
        let stored = self.dtype == DType::Q8_0 && row.is_multiple_of(Q8_0_ELEMENTS);
        stored.then(|| q8_0_blocks(&self.buffer[self.range.clone()]))
    }

    /// The same numbers under another shape.
    ///
    /// # Errors
    /// [`GraphError::ConstantSize`] when the element counts differ.
    pub fn reshaped(&self, shape: impl Into<Shape>) -> Result<Self, GraphError> {
        Self::stored(shape, self.dtype, self.buffer.clone(), self.range.clone())
    }

    /// The numbers with their axes in another order, expanded to f32: axis `i` of the result is axis `order[i]` of this.
    /// Turns PyTorch's `[out, in, kernel]` into this crate's `[out, kernel, in]` with `[0, 2, 1]`.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when `order` is not a permutation of the axes.
    pub fn permuted(&self, order: &[usize]) -> Result<Self, GraphError> {
        let dims = self.shape.dims();
        let mut seen = vec![false; dims.len()];
        for &axis in order {
            match seen.get_mut(axis) {
                Some(s) if !*s => *s = true,
                _ => {
                    return Err(GraphError::op(
                        "permute",
                        format!("{order:?} does not order the axes of {}", self.shape),
                    ));
                }
            }
        }
        if order.len() != dims.len() {
            return Err(GraphError::op("permute", format!("{order:?} does not order the axes of {}", self.shape)));
        }
        let source = self.to_f32();
        let from = self.shape.strides();
        let shape = Shape::from(order.iter().map(|&a| dims[a]).collect::<Vec<_>>());
        let to = shape.strides();
        let values = (0..source.len())
            .map(|i| {
                source[order.iter().zip(&to).zip(shape.dims()).map(|((&a, &t), &d)| i / t % d * from[a]).sum::<usize>()]
            })
            .collect();
        Self::f32(shape, values)
    }
}

impl fmt::Debug for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.dtype, self.shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permuting_moves_axes() {
        let c = Constant::f32([2, 3], vec![0., 1., 2., 3., 4., 5.]).unwrap();
        let t = c.permuted(&[1, 0]).unwrap();
        assert_eq!(t.shape().dims(), [3, 2]);
        assert_eq!(t.to_f32(), [0., 3., 1., 4., 2., 5.]);
        assert!(c.permuted(&[0, 0]).is_err());
        assert!(c.permuted(&[0]).is_err());
    }

    #[test]
    fn sizes_are_checked() {
        assert!(Constant::f32([2, 2], vec![0.0; 3]).is_err());
        let buffer: Arc<[u8]> = vec![0u8; 8].into();
        assert!(Constant::stored([2], DType::F32, buffer.clone(), 4..12).is_err());
        assert!(Constant::stored([1], DType::F32, buffer, 4..8).is_ok());
    }
}
