//! Lip snapping: when teeth show, the landmarks of the inner lips are often some pixels off towards the teeth. Tooth
//! pixels would then be glued to the lips, and a shut mouth would show white spots. A discriminant learnt from the
//! photo itself tells teeth from lips; each inner landmark walks outwards until it is on the lip.

use nalgebra::{Matrix3, Vector3};

use super::crop::{CHIN, FOREHEAD, from_texture, to_texture};
use super::patch::{Patch, inside, luminance, percentile};

/// Inner contour of the upper lip without the corners, from the image's left to its right.
const UPPER: [usize; 9] = [191, 80, 81, 82, 13, 312, 311, 310, 415];
/// Inner contour of the lower lip.
const LOWER: [usize; 9] = [95, 88, 178, 87, 14, 317, 402, 318, 324];
/// Corners of the inner contour.
const CORNERS: [usize; 2] = [78, 308];
/// Pairs of outer and inner landmarks: lip lies half-way between them.
const LIP_PAIRS: [[usize; 2]; 8] =
    [[0, 13], [37, 82], [267, 312], [17, 14], [84, 87], [314, 317], [39, 81], [269, 311]];

/// Least gap between the lips, crop pixels.
const LEAST_GAP: f32 = 5.0;
/// Share of the pixels inside of the mouth that are taken for teeth: the brightest ones.
const TEETH: f32 = 0.4;
/// Teeth must have at least this share of the lips' mean value.
const BRIGHT: f32 = 0.8;
/// Between 0 (lip) and 1 (tooth): a pixel above this is tooth.
const LEVEL: f32 = 0.42;
/// Darker than this share of the lips' brightness: the corner of the mouth.
const DARK: f32 = 0.5;
/// Darker than this many times that: the soft border of the dark.
const DIM: f32 = 1.5;
/// The walk begins this many texture pixels inside of the landmark ...
const BEFORE: i64 = 2;
/// ... and ends this many outside of it.
const BEYOND: i64 = 8;
/// Darkness that goes on for longer than this is a moustache.
const MOUSTACHE: f32 = 7.0;
/// Variance that is added to both colours, so that a few equal pixels teach no certainty.
const NOISE: f32 = 25.0;

fn mean(colors: &[Vector3<f32>]) -> Vector3<f32> {
    colors.iter().sum::<Vector3<f32>>() / colors.len().max(1) as f32
}

fn covariance(colors: &[Vector3<f32>], mean: &Vector3<f32>) -> Matrix3<f32> {
    let sum: Matrix3<f32> = colors.iter().map(|c| (c - mean) * (c - mean).transpose()).sum();
    sum / colors.len().saturating_sub(1).max(1) as f32
}

/// What tells teeth from lips in this photo.
pub(crate) struct Discriminant {
    lip: Vector3<f32>,
    normal: Vector3<f32>,
    dark: f32,
}

impl Discriminant {
    /// Learns it; `None` if there are no bright teeth.
    fn learn(patch: &Patch, points: &[[f32; 2]]) -> Option<Self> {
        let ring: Vec<[f32; 2]> = [CORNERS[0]]
            .iter()
            .chain(&UPPER)
            .chain([&CORNERS[1]])
            .chain(LOWER.iter().rev())
            .map(|&i| points[i])
            .collect();
        let mouth: Vec<[f32; 3]> = patch.pixels().filter(|(p, _)| inside(&ring, *p)).map(|(_, rgb)| rgb).collect();
        let mut brightness: Vec<f32> = mouth.iter().map(|&rgb| luminance(rgb)).collect();
        let limit = percentile(&mut brightness, 1.0 - TEETH);
        let teeth: Vec<Vector3<f32>> =
            mouth.into_iter().filter(|&rgb| luminance(rgb) > limit).map(Vector3::from).collect();
        let lips: Vec<Vector3<f32>> = LIP_PAIRS
            .iter()
            .flat_map(|&[a, b]| {
                let middle = [0, 1].map(|i| ((points[a][i] + points[b][i]) / 2.0).floor() as i64);
                (0..25).map(move |k| [middle[0] + k % 5 - 2, middle[1] + k / 5 - 2])
            })
            .map(|[x, y]| Vector3::from(patch.pixel(x, y)))
            .collect();
        if teeth.len() < 8 {
            return None;
        }
        let (tooth, lip) = (mean(&teeth), mean(&lips));
        if tooth.sum() < BRIGHT * lip.sum() {
            return None;
        }
        let spread = covariance(&teeth, &tooth) + covariance(&lips, &lip) + Matrix3::identity() * NOISE;
        let normal = spread.try_inverse()? * (tooth - lip);
        let length = (tooth - lip).dot(&normal);
        let mut brightness: Vec<f32> = lips.iter().map(|&c| luminance(c.into())).collect();
        (length > 1e-6).then(|| Self { lip, normal: normal / length, dark: DARK * percentile(&mut brightness, 0.5) })
    }

    /// Whether a colour is rather that of teeth than that of lips.
    pub(crate) fn is_tooth(&self, rgb: [f32; 3]) -> bool {
        (Vector3::from(rgb) - self.lip).dot(&self.normal) > LEVEL
    }

    /// Whether a colour is that of the gap between teeth and lips.
    pub(crate) fn is_dark(&self, rgb: [f32; 3]) -> bool {
        luminance(rgb) < self.dark
    }

    /// Whether a colour is darker than lips are, but not dark.
    pub(crate) fn is_dim(&self, rgb: [f32; 3]) -> bool {
        luminance(rgb) < DIM * self.dark
    }
}

/// How far outwards the run of `true` goes on that begins before or at the landmark, texture pixels.
fn run(flags: impl Iterator<Item = bool>) -> f32 {
    let mut push = 0.0f32;
    for (step, flag) in (-BEFORE..).zip(flags) {
        if flag {
            push = (step as f32 + 1.0).max(0.0);
        } else if step > 0 {
            break;
        }
    }
    push
}

/// Neighbours pull each other along, then all are smoothed.
fn even_out(push: &[f32; 9]) -> [f32; 9] {
    let around = |a: &[f32; 9], i: usize| (a[i.saturating_sub(1)], a[(i + 1).min(8)]);
    let pulled = std::array::from_fn(|i| {
        let (left, right) = around(push, i);
        push[i].max(0.4 * (left + right))
    });
    std::array::from_fn(|i| {
        let (left, right) = around(&pulled, i);
        0.25 * left + 0.5 * pulled[i] + 0.25 * right
    })
}

/// Direction from forehead to chin in the photo.
pub(crate) fn down(landmarks: &[[f32; 2]]) -> [f32; 2] {
    let axis = [0, 1].map(|i| landmarks[CHIN][i] - landmarks[FOREHEAD][i]);
    let length = axis[0].hypot(axis[1]).max(1e-6);
    axis.map(|v| v / length)
}

/// What tells teeth from lips, and the slightly blurred surroundings of the mouth to ask it about; `None` if no teeth are
/// seen.
pub(crate) fn teeth_or_lips(texture: &[f32], landmarks: &[[f32; 2]]) -> Option<(Discriminant, Patch)> {
    let points: Vec<[f32; 2]> = landmarks.iter().map(|&p| to_texture(p)).collect();
    let mouth = LIP_PAIRS.iter().flatten().chain(&UPPER).chain(&LOWER).chain(&CORNERS).map(|&i| points[i]);
    let patch = Patch::around(texture, mouth, 16.0);
    let discriminant = Discriminant::learn(&patch, &points)?;
    Some((discriminant, patch.blurred(0.8)))
}

/// Moves the inner-lip landmarks (crop pixels) off the teeth. `texture` as in [`super::FittedFace`].
pub fn snap_lips(texture: &[f32], landmarks: &mut [[f32; 2]]) {
    let gap = [0, 1].map(|i| landmarks[14][i] - landmarks[13][i]);
    if gap[0].hypot(gap[1]) < LEAST_GAP {
        return;
    }
    let down = down(landmarks);
    let points: Vec<[f32; 2]> = landmarks.iter().map(|&p| to_texture(p)).collect();
    let Some((discriminant, soft)) = teeth_or_lips(texture, landmarks) else {
        return;
    };
    for (ids, sign) in [(UPPER, -1.0), (LOWER, 1.0)] {
        let push = ids.map(|i| {
            let walk =
                (-BEFORE..=BEYOND).map(|step| soft.at([0, 1].map(|c| points[i][c] + sign * step as f32 * down[c])));
            let colors: Vec<[f32; 3]> = walk.collect();
            let hole = run(colors.iter().map(|&c| discriminant.is_tooth(c) || discriminant.is_dark(c)));
            if hole > MOUSTACHE { run(colors.iter().map(|&c| discriminant.is_tooth(c))) } else { hole }
        });
        for (i, push) in ids.into_iter().zip(even_out(&push)) {
            landmarks[i] = from_texture([0, 1].map(|c| points[i][c] + sign * push * down[c]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fitted::TEX_FULL;
    use super::*;

    const LIP: [f32; 3] = [170.0, 90.0, 85.0];
    const TOOTH: [f32; 3] = [225.0, 215.0, 200.0];

    /// Lips with a band of teeth from row 290 to 310 (crop pixels); landmarks `off` pixels inside of it.
    fn toothy(off: f32, inner: [f32; 3]) -> (Vec<f32>, Vec<[f32; 2]>) {
        let mut landmarks = vec![[256.0, 256.0]; 478];
        landmarks[FOREHEAD] = [256.0, 140.0];
        landmarks[CHIN] = [256.0, 380.0];
        let x = |k: usize| 220.0 + 8.0 * k as f32;
        for k in 0..9 {
            landmarks[UPPER[k]] = [x(k), 290.0 + off];
            landmarks[LOWER[k]] = [x(k), 310.0 - off];
        }
        landmarks[CORNERS[0]] = [212.0, 300.0];
        landmarks[CORNERS[1]] = [292.0, 300.0];
        for [outer, inner] in LIP_PAIRS {
            let away = if UPPER.contains(&inner) { -14.0 } else { 14.0 };
            landmarks[outer] = [landmarks[inner][0], landmarks[inner][1] + away];
        }
        let (top, bottom) = (to_texture([0.0, 290.0])[1], to_texture([0.0, 310.0])[1]);
        let texture = (0..TEX_FULL * TEX_FULL)
            .flat_map(|i| {
                let y = (i / TEX_FULL) as f32 + 0.5;
                // grain, so that the colours have a spread
                let grain = ((i * 2_654_435_761) % 97) as f32 / 97.0 * 8.0 - 4.0;
                (if (top..bottom).contains(&y) { inner } else { LIP }).map(|v| v + grain)
            })
            .collect();
        (texture, landmarks)
    }

    #[test]
    fn landmarks_on_teeth_walk_to_the_lip() {
        let (texture, mut landmarks) = toothy(3.0, TOOTH);
        snap_lips(&texture, &mut landmarks);
        for k in 1..8 {
            let (up, low) = (landmarks[UPPER[k]][1], landmarks[LOWER[k]][1]);
            assert!((288.0..=290.5).contains(&up), "upper {k}: {up}");
            assert!((309.5..=312.0).contains(&low), "lower {k}: {low}");
        }
    }

    #[test]
    fn landmarks_on_the_lip_stay() {
        let (texture, before) = toothy(-2.0, TOOTH);
        let mut after = before.clone();
        snap_lips(&texture, &mut after);
        assert_eq!(before, after);
    }

    #[test]
    fn a_dark_mouth_without_teeth_and_a_shut_one_stay() {
        let (texture, before) = toothy(3.0, [30.0, 12.0, 12.0]);
        let mut after = before.clone();
        snap_lips(&texture, &mut after);
        assert_eq!(before, after);
        let (texture, before) = toothy(9.0, TOOTH);
        let mut after = before.clone();
        snap_lips(&texture, &mut after);
        assert_eq!(before, after, "lips 2 pixels apart are shut");
    }
}
