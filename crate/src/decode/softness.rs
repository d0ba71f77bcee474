//! How soft a photo is. What is drawn into a blurred photo must be as blurred, else it looks pasted.
//!
//! An edge of blur s has, after a further blur of t, a slope proportional to 1 / sqrt(s² + t²). The ratio of the slopes
//! after two known blurs tells s.

use super::lids::{TEXELS, to_texel};
use super::plane::{Plane, luminance, quantile};
use crate::portrait::FittedFace;

/// The two blurs, texture pixels.
const FINE: f32 = 0.6;
const COARSE: f32 = 1.8;
/// Share of the pixels that are taken for edges.
const EDGES: f32 = 0.01;
/// Blur that cutting and resampling leave on the sharpest photo, texture pixels.
const SHARP: f32 = 1.2;
/// Landmarks of eyes, nose and mouth: the edges between them belong to the face.
const AROUND: [usize; 8] = [70, 300, 61, 291, 2, 17, 130, 359];

/// Blur of the face in the photo beyond that of a sharp one, crop pixels.
pub(crate) fn softness(face: &FittedFace, texture: &Plane<3>) -> f32 {
    let points: Vec<[f32; 2]> = AROUND.iter().map(|&i| to_texel(face.landmarks[i])).collect();
    let (mut lo, mut hi) = ([f32::INFINITY; 2], [0.0f32; 2]);
    for p in points {
        for c in 0..2 {
            lo[c] = lo[c].min(p[c]);
            hi[c] = hi[c].max(p[c]);
        }
    }
    let [x0, y0, x1, y1] = [lo[0], lo[1], hi[0], hi[1]].map(|v| v.clamp(0.0, texture.width as f32) as isize);
    if x1 - x0 < 16 || y1 - y0 < 16 {
        return 0.0;
    }
    let blur = measure(&texture.window(x0, y0, x1, y1).map(|c| [luminance(c)]));
    (blur * blur - SHARP * SHARP).max(0.0).sqrt() / TEXELS
}

/// Blur of the edges of a picture, pixels.
fn measure(picture: &Plane<1>) -> f32 {
    let (fine, coarse) = (slopes(&picture.blur(FINE)), slopes(&picture.blur(COARSE)));
    let limit = quantile(coarse.iter().copied(), 1.0 - EDGES).max(0.25);
    let ratios: Vec<f32> = fine.iter().zip(&coarse).filter(|(_, c)| **c >= limit).map(|(f, c)| f / c).collect();
    if ratios.is_empty() {
        return SHARP;
    }
    let r = quantile(ratios, 0.7).max(1.001);
    ((COARSE * COARSE - r * r * FINE * FINE) / (r * r - 1.0)).max(0.0).sqrt()
}

fn slopes(picture: &Plane<1>) -> Vec<f32> {
    let (w, h) = (picture.width as isize, picture.height as isize);
    let at = |x: isize, y: isize| picture.at(x, y)[0];
    (0..w * h)
        .map(|i| {
            let (x, y) = (i % w, i / w);
            (at(x + 1, y) - at(x - 1, y)).hypot(at(x, y + 1) - at(x, y - 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blur_of_edges_is_found() {
        let discs = Plane::<1>::from_fn(120, 120, |x, y| {
            let d = ((x % 40) as f32 - 20.0).hypot((y % 40) as f32 - 20.0);
            [if d < 12.0 { 200.0 } else { 60.0 }]
        });
        for blur in [1.2f32, 2.0, 3.0] {
            let found = measure(&discs.blur(blur));
            assert!((found - blur).abs() < 0.3 * blur, "{found} for {blur}");
        }
        assert!(measure(&discs) < 1.0);
    }
}
