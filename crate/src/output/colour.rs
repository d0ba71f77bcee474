//! RGB pictures to the form that video encoders take: Y'CbCr, limited range, 4:2:0 with chroma samples beside the left
//! luma sample (the usual place in H.264 and, as "vertical", in AV1).
//!
//! The colours are those of BT.709, which sRGB shares; the matrix is that of BT.601. The files say so, and the many
//! readers that do not look (swscale as most programs call it, OpenCV) take this matrix for granted: with the other one
//! skin came out up to eight levels too dark in them.

use super::error::OutputError;

/// Fraction bits of the conversion's fixed-point numbers.
const BITS: u32 = 16;
const HALF: i32 = 1 << (BITS - 1);

/// Weights of R, G and B in luma, scaled from 0..255 to 219 steps.
const LUMA: [i32; 3] = [16_829, 33_039, 6_416];
/// In blue difference, scaled to 224 steps.
const BLUE: [i32; 3] = [-9_714, -19_070, 28_784];
/// In red difference, scaled to 224 steps.
const RED: [i32; 3] = [28_784, -24_103, -4_681];

/// A picture of even width and height in three planes without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yuv420 {
    /// Columns, even.
    pub width: usize,
    /// Rows, even.
    pub height: usize,
    /// Luma, 16..235, `width * height`.
    pub y: Vec<u8>,
    /// Blue difference, 16..240, a quarter as many.
    pub cb: Vec<u8>,
    /// Red difference.
    pub cr: Vec<u8>,
}

impl Yuv420 {
    /// A black picture.
    ///
    /// # Errors
    /// When a side is odd, below 16 or above 2160.
    pub fn new(width: usize, height: usize) -> Result<Self, OutputError> {
        let fits = |side: usize| side.is_multiple_of(2) && (16..=2160).contains(&side);
        if !fits(width) || !fits(height) {
            return Err(OutputError::Shape { width, height, fps: 25 });
        }
        let quarter = width * height / 4;
        Ok(Self { width, height, y: vec![16; width * height], cb: vec![128; quarter], cr: vec![128; quarter] })
    }

    /// Converts `width * height` RGBA pixels, row by row; alpha is ignored. Other lengths leave the picture as it is.
    pub fn set_rgba(&mut self, rgba: &[u8]) {
        if rgba.len() != self.width * self.height * 4 {
            return;
        }
        let stride = self.width * 4;
        for (row, luma) in rgba.chunks_exact(stride).zip(self.y.chunks_exact_mut(self.width)) {
            for (pixel, y) in row.chunks_exact(4).zip(luma) {
                *y = weigh(&LUMA, [pixel[0].into(), pixel[1].into(), pixel[2].into()], 16, BITS);
            }
        }
        let half = self.width / 2;
        let rows = rgba.chunks_exact(stride * 2);
        for ((pair, cb), cr) in rows.zip(self.cb.chunks_exact_mut(half)).zip(self.cr.chunks_exact_mut(half)) {
            let (upper, lower) = pair.split_at(stride);
            // The sum of both rows at a column.
            let column = |x: usize| [0, 1, 2].map(|c| i32::from(upper[x * 4 + c]) + i32::from(lower[x * 4 + c]));
            let mut before = column(0);
            for (x, (cb, cr)) in cb.iter_mut().zip(cr).enumerate() {
                let (here, after) = (column(2 * x), column(2 * x + 1));
                // 1 2 1 across, 1 1 down: eight times the mean.
                let sum = [0, 1, 2].map(|c| before[c] + 2 * here[c] + after[c]);
                *cb = weigh(&BLUE, sum, 128, BITS + 3);
                *cr = weigh(&RED, sum, 128, BITS + 3);
                before = after;
            }
        }
    }
}

/// `offset + weights * rgb`, rounded, where `rgb` was scaled by `2^(bits - BITS)`.
fn weigh(weights: &[i32; 3], rgb: [i32; 3], offset: i32, bits: u32) -> u8 {
    let sum = i64::from(weights[0]) * i64::from(rgb[0])
        + i64::from(weights[1]) * i64::from(rgb[1])
        + i64::from(weights[2]) * i64::from(rgb[2]);
    let half = i64::from(HALF) << (bits - BITS);
    (offset + ((sum + half) >> bits) as i32).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BT.601 as the standard writes it.
    fn standard([r, g, b]: [f64; 3]) -> [f64; 3] {
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        [16.0 + 219.0 * y, 128.0 + 224.0 * (b - y) / 1.772, 128.0 + 224.0 * (r - y) / 1.402]
    }

    #[test]
    fn colours_follow_the_standard() {
        let mut picture = Yuv420::new(16, 16).expect("even");
        for colour in [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [200, 150, 120], [1, 2, 3]] {
            let rgba: Vec<u8> = [colour[0], colour[1], colour[2], 7].repeat(256);
            picture.set_rgba(&rgba);
            let wanted = standard(colour.map(|c| f64::from(c) / 255.0));
            let got = [picture.y[0], picture.cb[9], picture.cr[9]].map(f64::from);
            for (got, wanted) in got.iter().zip(wanted) {
                assert!((got - wanted).abs() <= 0.51, "{colour:?}: {got} instead of {wanted}");
            }
        }
    }

    #[test]
    fn chroma_lies_at_the_left_luma_sample() {
        // A red left column and black elsewhere: the first chroma sample sees it, the second does not.
        let mut picture = Yuv420::new(16, 16).expect("even");
        let row: Vec<u8> = (0..16).flat_map(|x| if x == 2 { [255, 0, 0, 255] } else { [0, 0, 0, 255] }).collect();
        picture.set_rgba(&row.repeat(16));
        assert_eq!((picture.cr[0], picture.cr[2]), (128, 128));
        assert_eq!(picture.cr[1], 128 + 56);
    }

    #[test]
    fn odd_and_tiny_pictures_are_refused() {
        assert!(Yuv420::new(0, 16).is_err() && Yuv420::new(17, 16).is_err() && Yuv420::new(16, 99_998).is_err());
    }
}
