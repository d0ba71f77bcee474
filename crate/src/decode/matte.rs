//! From the coarse mask of a network to how much of every texture pixel belongs to the person.

use super::plane::Plane;
use crate::portrait::fitted::TEX_FULL;
use crate::portrait::person::MASK;
use nalgebra::{Matrix3, Vector3};

/// The filter's window reaches this many texture pixels: as far as the network's outline may be off, and as far as hair
/// stands out.
const REACH: usize = 16;
/// Contrast (variance of colours 0..1) below which the picture does not shape the mask.
const CONTRAST: f32 = 3e-4;
/// The filter works on a picture this many times smaller (He and Sun, *Fast Guided Filter*, 2015).
const SMALLER: usize = 2;
/// What the filter leaves of nothing and takes from everything.
const HAZE: f32 = 0.08;

/// Least mean of a trusted mask over the face.
const LEAST_ON_FACE: f32 = 0.9;
/// Most pixels that are neither person nor background.
const MOST_UNSURE: f32 = 0.22;
/// Least of the texture that is background.
const LEAST_BACKGROUND: f32 = 0.04;

/// Whether a mask ([`MASK`] x [`MASK`], 0..1) can be trusted. `face`: pixels of the same size that show the face.
pub(crate) fn sure(mask: &[f32], face: &[bool]) -> bool {
    let n = mask.len() as f32;
    let count = |f: &dyn Fn(f32) -> bool| mask.iter().filter(|&&m| f(m)).count() as f32 / n;
    let (mut on_face, mut pixels) = (0.0, 0.0);
    for (m, _) in mask.iter().zip(face).filter(|(_, f)| **f) {
        on_face += m;
        pixels += 1.0;
    }
    mask.len() == MASK * MASK
        && mask.iter().all(|m| (0.0..=1.0).contains(m))
        && on_face >= LEAST_ON_FACE * pixels
        && pixels > 0.0
        && count(&|m| m > 0.1 && m < 0.9) <= MOST_UNSURE
        && count(&|m| m < 0.1) >= LEAST_BACKGROUND
}

/// The mask at the texture's resolution, bent to the picture's own edges: the guided filter (He, Sun and Tang, *Guided
/// Image Filtering*, 2010) with the colours as guide. 0..1.
pub(crate) fn matte(texture: &Plane<3>, mask: &[f32]) -> Plane<1> {
    let guide = texture.map(|c| c.map(|v| v / 255.0));
    let mut small = guide.clone();
    for _ in 1..SMALLER {
        small = small.halved();
    }
    let coarse = Plane { width: MASK, height: MASK, data: mask.iter().map(|&m| [m]).collect() };
    let wanted = coarse.stretched(small.width, small.height);
    let radius = REACH / SMALLER;
    // means of mask, colours, mask times colours, and products of two colours
    let mut products = Plane { width: small.width, height: small.height, data: Vec::with_capacity(small.data.len()) };
    products.data.extend(
        small
            .data
            .iter()
            .zip(&wanted.data)
            .map(|(&[r, g, b], &[m])| [m, r, g, b, m * r, m * g, m * b, r * r, r * g, r * b, g * g, g * b, b * b]),
    );
    let lines = products.mean_around(radius).map(|[m, r, g, b, mr, mg, mb, rr, rg, rb, gg, gb, bb]| {
        let mean = Vector3::new(r, g, b);
        let with_mask = Vector3::new(mr, mg, mb) - mean * m;
        let spread = Matrix3::new(rr, rg, rb, rg, gg, gb, rb, gb, bb) - mean * mean.transpose();
        let spread = spread + Matrix3::from_diagonal_element(CONTRAST);
        // positive definite but for rounding
        let slope = spread.try_inverse().map_or_else(Vector3::zeros, |inverse| inverse * with_mask);
        [slope.x, slope.y, slope.z, m - slope.dot(&mean)]
    });
    let lines = lines.mean_around(radius);
    let ratio = small.width as f32 / TEX_FULL as f32;
    Plane::from_fn(texture.width, texture.height, |x, y| {
        let [r, g, b] = guide.data[y * texture.width + x];
        let l = lines.bilinear((x as f32 + 0.5) * ratio, (y as f32 + 0.5) * ratio);
        let m = l[0] * r + l[1] * g + l[2] * b + l[3];
        [((m - HAZE) / (1.0 - 2.0 * HAZE)).clamp(0.0, 1.0)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bright disc before a dark wall, and a mask of it that is blurred and off by some pixels.
    fn disc() -> (Plane<3>, Vec<f32>) {
        let inside = |x: f32, y: f32| (x - 480.0).hypot(y - 480.0) < 250.0;
        let picture = Plane::from_fn(TEX_FULL, TEX_FULL, |x, y| {
            if inside(x as f32, y as f32) { [200.0, 150.0, 120.0] } else { [30.0, 60.0, 40.0] }
        });
        let mask = (0..MASK * MASK)
            .map(|i| {
                let at = |v: usize| (v as f32 + 0.5) * 3.75;
                let d = 256.0 - (at(i % MASK) - 480.0).hypot(at(i / MASK) - 480.0);
                (0.5 + d / 24.0).clamp(0.0, 1.0)
            })
            .collect();
        (picture, mask)
    }

    #[test]
    fn a_mask_follows_the_outline_in_the_picture() {
        let (picture, mask) = disc();
        let fine = matte(&picture, &mask);
        for (distance, least, most) in [(200.0, 0.97, 1.0), (244.0, 0.85, 1.0), (255.0, 0.0, 0.4), (300.0, 0.0, 0.03)] {
            for k in 0..40 {
                let a = std::f32::consts::TAU * k as f32 / 40.0;
                let [m] = fine.at((480.0 + distance * a.cos()) as isize, (480.0 + distance * a.sin()) as isize);
                assert!((least..=most).contains(&m), "{m} at {distance} from the middle");
            }
        }
    }

    #[test]
    fn masks_that_miss_the_face_fill_everything_or_cannot_decide_are_not_trusted() {
        let (_, good) = disc();
        let face: Vec<bool> =
            (0..MASK * MASK).map(|i| (i % MASK).abs_diff(128) < 30 && (i / MASK).abs_diff(128) < 40).collect();
        assert!(sure(&good, &face));
        let changed = |f: &dyn Fn(f32) -> f32| good.iter().map(|&m| f(m)).collect::<Vec<_>>();
        assert!(!sure(&changed(&|m| 1.0 - m), &face), "the face is background");
        assert!(!sure(&changed(&|_| 1.0), &face), "no background");
        assert!(!sure(&changed(&|m| 0.3 + 0.7 * m), &face), "a vague background");
        assert!(!sure(&changed(&|m| if m > 0.5 { m } else { f32::NAN }), &face), "no numbers");
        assert!(!sure(&good[1..], &face), "too short");
        assert!(!sure(&good, &vec![false; MASK * MASK]), "no face");
    }
}
