//! Does this face wear spectacles? Two signs together: a bridge draws an edge across the nose, and rims draw upright
//! edges between the nose and the inner corners of the eyes, where bare skin is smooth. Thin and clear frames show the
//! second more than the first, eyebrows and folds that meet show the first only.

use super::crop::to_texture;
use super::patch::{Patch, luminance, percentile};

/// Outer and inner corners of the subject's right eye, inner and outer corners of the left one.
const CORNERS: [usize; 4] = [33, 133, 362, 263];
/// Steps of the search between the outer corners.
const STEPS: f32 = 160.0;
/// Steps that an edge is measured over.
const EDGE: usize = 3;
/// Weights of the logarithms of bridge and rims, and what they must exceed: a logistic regression on 21 wearers and
/// 474 others. Ten times cross-validated it found 19 wearers with no false alarm; rimless lenses escaped it.
const BRIDGE: f32 = 0.81;
const RIMS: f32 = 1.0;
const THRESHOLD: f32 = 6.36;

/// Strength of the edges of a bridge and of rims; 100 is an edge of a factor of e. `texture` as in
/// [`super::FittedFace`], `landmarks` in crop pixels.
pub fn edges(texture: &[f32], landmarks: &[[f32; 2]]) -> [f32; 2] {
    let [outer_a, a, b, outer_b] = CORNERS.map(|i| to_texture(landmarks[i]));
    let step = [(outer_b[0] - outer_a[0]) / STEPS, (outer_b[1] - outer_a[1]) / STEPS];
    let size = step[0].hypot(step[1]);
    let middle = [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
    // an eye turned away or a face on its side is no reason to read much of the picture
    let patch = Patch::around(texture, [middle], (STEPS * size).min(400.0)).blurred(size.clamp(0.5, 3.0));
    let place = |u: f32, v: f32| [middle[0] + u * step[0] - v * step[1], middle[1] + u * step[1] + v * step[0]];
    let level = |u: f32, v: f32| 100.0 * (luminance(patch.bilinear(place(u, v))).max(0.0) + 12.0).ln();
    // along and across of a point, in steps from the middle
    let steps = |p: [f32; 2]| {
        let d = [p[0] - middle[0], p[1] - middle[1]];
        let square = (size * size).max(1e-6);
        [(d[0] * step[0] + d[1] * step[1]) / square, (d[1] * step[0] - d[0] * step[1]) / square]
    };
    // strongest edge of each line that crosses a field, at right angles to it; `share` of the lines have less
    let field = |(u0, u1): (f32, f32), (v0, v1): (f32, f32), upright: bool| {
        let count = |lo: f32, hi: f32| ((hi - lo).clamp(0.0, STEPS) as usize).max(1);
        let (lines, length) = if upright { (count(v0, v1), count(u0, u1)) } else { (count(u0, u1), count(v0, v1)) };
        let mut strongest: Vec<f32> = (0..lines)
            .map(|i| {
                let at = |j: usize| {
                    let (i, j) = (i as f32, j as f32);
                    if upright { level(u0 + j, v0 + i) } else { level(u0 + i, v0 + j) }
                };
                let line: Vec<f32> = (0..length + EDGE).map(at).collect();
                line.windows(EDGE + 1).map(|w| (w[EDGE] - w[0]).abs()).fold(0.0, f32::max)
            })
            .collect();
        percentile(&mut strongest, 0.5)
    };
    let between = (b[0] - a[0]).hypot(b[1] - a[1]) / size.max(1e-3);
    let bridge = field((-0.32 * between, 0.32 * between), (-0.75 * between, 0.75 * between), false);
    let rim = |inner: [f32; 2], outer: [f32; 2]| {
        let ([u, v], [far, _]) = (steps(inner), steps(outer));
        let width = (far - u).abs();
        field((u.min(0.0), u.max(0.0)), (v + 0.05 * width, v + 0.65 * width), true)
    };
    [bridge, 0.5 * (rim(a, outer_a) + rim(b, outer_b))]
}

/// True if the face wears spectacles. `texture` as in [`super::FittedFace`], `landmarks` in crop pixels.
pub fn wears_glasses(texture: &[f32], landmarks: &[[f32; 2]]) -> bool {
    let [bridge, rims] = edges(texture, landmarks).map(|e| (e + 4.0).ln());
    BRIDGE * bridge + RIMS * rims > THRESHOLD
}

#[cfg(test)]
mod tests {
    use super::super::fitted::TEX_FULL;
    use super::*;

    /// A face of even skin with a frame of brightness `frame` around the eyes, `wide` pixels thick.
    fn face(frame: f32, wide: f32, bridge: bool, rims: bool) -> (Vec<f32>, Vec<[f32; 2]>) {
        let mut landmarks = vec![[256.0, 256.0]; 478];
        for (i, x) in CORNERS.into_iter().zip([196.0, 236.0, 276.0, 316.0]) {
            landmarks[i] = [x, 200.0];
        }
        let texture = (0..TEX_FULL * TEX_FULL)
            .flat_map(|i| {
                let p = [(i % TEX_FULL) as f32, (i / TEX_FULL) as f32];
                let ring = [216.0, 296.0].iter().any(|&x| {
                    let c = to_texture([x, 205.0]);
                    ((p[0] - c[0]).hypot(p[1] - c[1]) - 37.0).abs() < wide
                });
                let nose = to_texture([256.0, 200.0]);
                let bar = (p[0] - nose[0]).abs() < 13.0 && (p[1] - nose[1]).abs() < wide;
                [if (ring && rims) || (bar && bridge) { frame } else { 180.0 }; 3]
            })
            .collect();
        (texture, landmarks)
    }

    #[test]
    fn dark_thin_and_pale_frames_are_seen() {
        for (frame, wide) in [(20.0, 3.0), (60.0, 1.0), (100.0, 2.0)] {
            let (texture, landmarks) = face(frame, wide, true, true);
            assert!(wears_glasses(&texture, &landmarks), "{frame}, {wide}: {:?}", edges(&texture, &landmarks));
        }
    }

    #[test]
    fn bare_skin_and_a_fold_across_the_nose_are_not() {
        for (frame, bridge) in [(180.0, false), (110.0, true)] {
            let (texture, landmarks) = face(frame, 2.0, bridge, false);
            assert!(!wears_glasses(&texture, &landmarks), "{frame}: {:?}", edges(&texture, &landmarks));
        }
    }

    #[test]
    fn equal_corners_and_black_pictures_do_no_harm() {
        let landmarks = vec![[10.0, 10.0]; 478];
        assert!(!wears_glasses(&vec![0.0; TEX_FULL * TEX_FULL * 3], &landmarks));
    }
}
