//! Is the mouth hidden behind a hand, a microphone, a mask or a cup?
//!
//! The landmarker puts lips where they should be, seen or not. But lips that are seen have something dark between them,
//! shut or open, from one side to the other; what covers a mouth has no dark line exactly there.

use super::crop::to_texture;
use super::patch::{Patch, luminance, percentile};

/// Columns across the middle of the mouth: outer and inner edge of the upper lip, inner and outer edge of the lower.
const COLUMNS: [[usize; 4]; 7] = [
    [40, 80, 88, 91],
    [39, 81, 178, 181],
    [37, 82, 87, 84],
    [0, 13, 14, 17],
    [267, 312, 317, 314],
    [269, 311, 402, 405],
    [270, 310, 318, 321],
];
/// Places between the inner edges, shares of the way, and around them, crop pixels.
const BETWEEN: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
const BESIDE: [f32; 3] = [-1.5, 0.0, 1.5];
/// Least darkness between seen lips. Of 67 portraits the lowest has 0.19, and 0.11 when it is scaled down to a face of
/// 40 pixels; painted masks, cups and fists have up to 0.05, nine of ten hands and microphones less than 0.12.
const LEAST: f32 = 0.10;
/// The same for faces lower than [`SMALL`]: a line is blurred there.
const LEAST_SMALL: f32 = 0.07;
/// Forehead to chin, pixels of the photo.
const SMALL: f32 = 100.0;

/// How much darker the gap of the lips is than the lips, as a share, in the median over the mouth's middle.
fn darkness(texture: &[f32], landmarks: &[[f32; 2]]) -> f32 {
    let lips = COLUMNS.iter().flatten().map(|&i| to_texture(landmarks[i]));
    let patch = Patch::around(texture, lips, 12.0).blurred(0.75);
    let brightness = |p: [f32; 2]| luminance(patch.bilinear(to_texture(p)));
    let between = |a: [f32; 2], b: [f32; 2], t: f32| [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
    let mut shares = COLUMNS.map(|column| {
        let [top, upper, lower, bottom] = column.map(|i| landmarks[i]);
        let gap = BETWEEN.iter().flat_map(|&t| {
            let [x, y] = between(upper, lower, t);
            BESIDE.map(|beside| brightness([x, y + beside]))
        });
        let darkest = gap.fold(f32::INFINITY, f32::min);
        let lips = 0.5 * (brightness(between(top, upper, 0.5)) + brightness(between(lower, bottom, 0.5)));
        (lips - darkest) / lips.max(10.0)
    });
    percentile(&mut shares, 0.5)
}

/// True if no gap of lips is seen where it should be. `texture` as in [`super::FittedFace`], `landmarks` in crop pixels
/// as they were found, `height`: of the face, pixels of the photo.
pub fn mouth_is_covered(texture: &[f32], landmarks: &[[f32; 2]], height: f32) -> bool {
    darkness(texture, landmarks) < if height < SMALL { LEAST_SMALL } else { LEAST }
}

#[cfg(test)]
mod tests {
    use super::super::fitted::TEX_FULL;
    use super::*;

    /// A mouth of 60 x 20 crop pixels, its lips `lips` bright, with a line of `line` between them.
    fn mouth(lips: f32, line: f32) -> (Vec<f32>, Vec<[f32; 2]>) {
        let mut landmarks = vec![[256.0, 256.0]; 478];
        for (k, column) in COLUMNS.iter().enumerate() {
            for (&i, y) in column.iter().zip([-10.0, -0.5, 0.5, 10.0]) {
                landmarks[i] = [256.0 + 8.0 * (k as f32 - 3.0), 300.0 + y];
            }
        }
        let row = to_texture([256.0, 300.0])[1] as usize;
        let value = |i: usize| if (row - 1..row + 2).contains(&(i / TEX_FULL)) { line } else { lips };
        ((0..TEX_FULL * TEX_FULL).flat_map(|i| [value(i); 3]).collect(), landmarks)
    }

    #[test]
    fn lips_have_a_line_and_a_hand_has_none() {
        for lips in [40.0, 120.0, 220.0] {
            let (texture, landmarks) = mouth(lips, 0.5 * lips);
            assert!(!mouth_is_covered(&texture, &landmarks, 300.0), "{lips}");
            let (texture, landmarks) = mouth(lips, 0.97 * lips);
            assert!(mouth_is_covered(&texture, &landmarks, 300.0), "{lips}");
        }
    }

    #[test]
    fn the_line_of_a_small_face_may_be_faint() {
        let (texture, landmarks) = mouth(150.0, 135.0);
        assert!(mouth_is_covered(&texture, &landmarks, 300.0) && !mouth_is_covered(&texture, &landmarks, 50.0));
    }

    #[test]
    fn a_black_picture_does_no_harm() {
        assert!(mouth_is_covered(&vec![0.0; TEX_FULL * TEX_FULL * 3], &vec![[-50.0, 900.0]; 478], 300.0));
    }
}
