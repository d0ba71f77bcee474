use std::fmt;

/// Lengths of the axes of a tensor, outermost first. A scalar has none.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// More elements than this are refused: offsets then fit `u32` in bytes on the GPU.
    pub const MAX_ELEMENTS: usize = 1 << 30;

    /// More axes than this are refused; the shaders have so many.
    pub const MAX_RANK: usize = 8;

    /// Lengths of the axes, outermost first.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Number of elements; saturates instead of overflowing, so that hostile shapes can be compared with a limit.
    pub fn elements(&self) -> usize {
        self.0.iter().fold(1usize, |n, &d| n.saturating_mul(d))
    }

    /// Length of the innermost axis (channels); 1 for a scalar.
    pub fn last(&self) -> usize {
        self.0.last().copied().unwrap_or(1)
    }

    /// Product of all lengths but the innermost: how many channel vectors there are.
    pub fn rows(&self) -> usize {
        self.0[..self.rank().saturating_sub(1)].iter().fold(1usize, |n, &d| n.saturating_mul(d))
    }

    /// Distance in elements between neighbours along each axis, for a dense tensor.
    pub fn strides(&self) -> Vec<usize> {
        let mut strides = vec![1; self.rank()];
        for axis in (1..self.rank()).rev() {
            strides[axis - 1] = strides[axis] * self.0[axis];
        }
        strides
    }

    /// The four lengths `[batch, height, width, channels]`, if there are four.
    pub fn nhwc(&self) -> Option<[usize; 4]> {
        self.0.as_slice().try_into().ok()
    }

    /// True when the shape has elements and not more than [`Self::MAX_ELEMENTS`].
    pub fn is_addressable(&self) -> bool {
        (1..=Self::MAX_ELEMENTS).contains(&self.elements())
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(dims: [usize; N]) -> Self {
        Self(dims.to_vec())
    }
}

impl From<&[usize]> for Shape {
    fn from(dims: &[usize]) -> Self {
        Self(dims.to_vec())
    }
}

impl From<Vec<usize>> for Shape {
    fn from(dims: Vec<usize>) -> Self {
        Self(dims)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, d) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" x ")?;
            }
            write!(f, "{d}")?;
        }
        f.write_str("]")
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;

    #[test]
    fn strides_are_dense_and_hostile_sizes_do_not_overflow() {
        assert_eq!(Shape::from([2, 3, 4]).strides(), [12, 4, 1]);
        assert_eq!(Shape::from([]).elements(), 1);
        let hostile = Shape::from([usize::MAX, usize::MAX]);
        assert_eq!(hostile.elements(), usize::MAX);
        assert!(!hostile.is_addressable());
        assert!(!Shape::from([3, 0]).is_addressable());
    }
}
