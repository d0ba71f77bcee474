//! A decoded, upright picture without alpha.

/// 8-bit RGB, row by row from the top left, `width * height * 3` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[r, g, b]` of every pixel, row by row.
    pub data: Vec<u8>,
}
