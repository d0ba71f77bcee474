//! Look-up of the photo: bicubic, because bilinear look-ups blur a face visibly. The twin of
//! `shaders/decode/sample.wgsl`.

use super::lids::TEXELS;
use super::plane::Plane;
use crate::portrait::fitted::{PAD, TEX, TEX_FULL};

/// Operations on numbers that a [`bicubic`] look-up takes: its place, two times four weights, four rows of four pixels of four
/// channels.
pub(crate) const OPERATIONS: usize = 2 * 5 + 2 * 24 + 4 * 4 * 9;
/// Bytes of a pixel that is looked up.
pub(crate) const TEXEL: usize = 16;

/// Weights of the four taps around a position `t` (0..1) between the inner two; cubic convolution with A = -0.75.
#[inline(always)]
pub(super) fn taps(t: f32) -> [f32; 4] {
    const A: f32 = -0.75;
    let (u, s) = (t + 1.0, 1.0 - t);
    let first = ((A * u - 5.0 * A) * u + 8.0 * A) * u - 4.0 * A;
    let second = ((A + 2.0) * t - (A + 3.0)) * t * t + 1.0;
    let third = ((A + 2.0) * s - (A + 3.0)) * s * s + 1.0;
    [first, second, third, 1.0 - first - second - third]
}

/// The largest whole number that is not above. Rounding itself is a call into the C library on older x86-64.
#[inline]
fn below(x: f32) -> i32 {
    let i = x as i32;
    i.saturating_sub(i32::from(x < i as f32))
}

/// Bicubic look-up; pixel centres lie at .5, coordinates outside repeat the border. The result may overshoot.
#[inline]
pub(crate) fn bicubic(picture: &Plane<4>, x: f32, y: f32) -> [f32; 4] {
    let (x, y) = (x - 0.5, y - 0.5);
    let (x0, y0) = (below(x), below(y));
    let (wx, wy) = (taps(x - x0 as f32), taps(y - y0 as f32));
    let (x0, y0) = (x0 as isize - 1, y0 as isize - 1);
    let mut out = [0.0; 4];
    if x0 >= 0 && y0 >= 0 && x0 + 4 <= picture.width as isize && y0 + 4 <= picture.height as isize {
        let start = y0 as usize * picture.width + x0 as usize;
        for (j, w) in wy.into_iter().enumerate() {
            let row = &picture.data[start + j * picture.width..][..4];
            for (c, out) in out.iter_mut().enumerate() {
                *out += w * (wx[0] * row[0][c] + wx[1] * row[1][c] + wx[2] * row[2][c] + wx[3] * row[3][c]);
            }
        }
    } else {
        for (j, w) in wy.into_iter().enumerate() {
            let p: [[f32; 4]; 4] = std::array::from_fn(|i| picture.at(x0 + i as isize, y0 + j as isize));
            for (c, out) in out.iter_mut().enumerate() {
                *out += w * (wx[0] * p[0][c] + wx[1] * p[1][c] + wx[2] * p[2][c] + wx[3] * p[3][c]);
            }
        }
    }
    out
}

/// The photo at the resolution that frames of `size` pixels need: never finer than it was cropped, and so coarse for
/// small frames that nothing flickers.
pub(crate) fn for_size(texture: &Plane<4>, size: u32) -> Plane<4> {
    let goal = (size as f32 * TEXELS).min(TEX) * (TEX_FULL as f32 / TEX);
    let n = (goal.round() as usize).clamp(8, TEX_FULL);
    if n == TEX_FULL {
        return texture.clone();
    }
    let ratio = TEX_FULL as f32 / n as f32;
    let soft = texture.blur(0.45 * (ratio * ratio - 1.0).sqrt().max(0.1));
    Plane::from_fn(n, n, |x, y| soft.bilinear((x as f32 + 0.5) * ratio, (y as f32 + 0.5) * ratio))
}

/// Texture pixels to a crop pixel of the photo that [`for_size`] returned, which is so many pixels wide.
pub(crate) fn texels(width: usize) -> f32 {
    TEXELS * width as f32 / (TEX * (1.0 + 2.0 * PAD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bicubic_hits_pixels_and_keeps_ramps() {
        let ramp = Plane::<4>::from_fn(9, 9, |x, y| [x as f32, y as f32, 7.0, 0.0]);
        for (x, y) in [(4.5, 4.5), (3.25, 5.0), (4.8, 3.1)] {
            let c = bicubic(&ramp, x, y);
            assert!((c[2] - 7.0).abs() < 1e-4);
            assert!((c[0] - (x - 0.5)).abs() < 0.13 && (c[1] - (y - 0.5)).abs() < 0.13, "{c:?} at {x} {y}");
        }
        assert_eq!(bicubic(&ramp, 4.5, 4.5)[0], 4.0);
        assert!((bicubic(&ramp, -50.0, 100.0)[1] - 8.0).abs() < 1e-4);
    }

    #[test]
    fn small_frames_get_a_coarse_photo() {
        let photo = Plane::<4>::from_fn(TEX_FULL, TEX_FULL, |x, _| [if x % 2 == 0 { 0.0 } else { 200.0 }; 4]);
        let small = for_size(&photo, 128);
        assert_eq!(small.width, 240);
        let mut inner = small.data.chunks(240).flat_map(|row| &row[8..232]);
        assert!(inner.all(|p| (p[0] - 100.0).abs() < 2.0), "stripes must blur, not alias");
        assert_eq!(for_size(&photo, 512).width, TEX_FULL);
        assert_eq!(for_size(&photo, 2048).width, TEX_FULL);
    }
}
