//! MediaPipe's short-range face detector (BlazeFace): its grid of anchors, the meaning of its outputs, and the weighted
//! suppression of overlapping answers, as published with MediaPipe.

use super::region::Region;

/// Pixels along a side of the network's input.
pub const INPUT: usize = 128;
/// What black and white become.
pub const RANGE: [f32; 2] = [-1.0, 1.0];
/// Positions that the network judges.
pub const ANCHORS: usize = 896;
/// Numbers for each of them: box, then six points.
pub const COORDINATES: usize = 16;

/// Cells along a side and anchors in each cell of the network's two grids.
const GRIDS: [(usize, usize); 2] = [(16, 2), (8, 6)];
/// Answers below this probability are dropped.
const LEAST_SCORE: f32 = 0.5;
/// Answers that overlap by more than this (intersection over union) are one face.
const SAME_FACE: f32 = 0.3;
/// The landmarker wants this many times the detector's box.
const ENLARGE: f32 = 1.5;

/// A face, roughly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Probability that it is one, 0..1.
    pub score: f32,
    /// Centre of its box, pixels.
    pub center: [f32; 2],
    /// Longer side of its box, pixels.
    pub side: f32,
    /// The subject's right eye (image left in an upright face), pixels.
    pub right_eye: [f32; 2],
    /// The subject's left eye, pixels.
    pub left_eye: [f32; 2],
}

impl Detection {
    /// The square to look for landmarks in: upright for the face, half as large again as the box.
    pub fn region(&self) -> Region {
        let [x, y] = [self.left_eye[0] - self.right_eye[0], self.left_eye[1] - self.right_eye[1]];
        Region { center: self.center, side: self.side * ENLARGE, angle: y.atan2(x) }
    }

    /// Intersection over union of the two boxes, taken as upright squares.
    fn overlap(&self, other: &Self) -> f32 {
        let shared = |axis: usize| {
            let reach = (self.side + other.side) / 2.0 - (self.center[axis] - other.center[axis]).abs();
            reach.min(self.side).min(other.side).max(0.0)
        };
        let both = shared(0) * shared(1);
        both / (self.side * self.side + other.side * other.side - both).max(f32::MIN_POSITIVE)
    }
}

/// Reads the network's outputs for a square of the picture: `boxes` has [`COORDINATES`] numbers for each anchor,
/// `scores` one (before the logistic function).
pub fn decode(boxes: &[f32], scores: &[f32], region: &Region) -> Vec<Detection> {
    let anchors = GRIDS.iter().flat_map(|&(cells, each)| {
        (0..cells * cells * each).map(move |i| {
            let cell = i / each;
            [(cell % cells) as f32 + 0.5, (cell / cells) as f32 + 0.5].map(|at| at / cells as f32)
        })
    });
    let mut found = Vec::new();
    for ((anchor, numbers), &logit) in anchors.zip(boxes.as_chunks::<COORDINATES>().0).zip(scores) {
        let score = 1.0 / (1.0 + (-logit).exp());
        // A number that is not finite fails both comparisons.
        let usable = score >= LEAST_SCORE && numbers.iter().all(|n| n.abs() < 1e6);
        if !usable {
            continue;
        }
        let point = |i: usize| {
            let at = |axis: usize| anchor[axis] + numbers[i + axis] / INPUT as f32;
            region.point(at(0), at(1))
        };
        let side = numbers[2].max(numbers[3]) / INPUT as f32 * region.side;
        if side >= 1.0 {
            found.push(Detection { score, center: point(0), side, right_eye: point(4), left_eye: point(6) });
        }
    }
    found
}

/// Makes one detection of all that overlap with a better one: their mean, weighted by probability. Best first.
pub fn suppress(mut found: Vec<Detection>) -> Vec<Detection> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept = Vec::new();
    while let Some(&best) = found.first() {
        let (same, rest): (Vec<_>, Vec<_>) = found.iter().partition(|d| d.overlap(&best) > SAME_FACE);
        kept.push(mean(&same, best));
        found = rest;
        // A best one that does not overlap even with itself would be found forever.
        found.retain(|d| *d != best);
    }
    kept
}

fn mean(same: &[Detection], best: Detection) -> Detection {
    let total: f32 = same.iter().map(|d| d.score).sum();
    if same.is_empty() || total <= 0.0 {
        return best;
    }
    let of = |get: fn(&Detection) -> f32| same.iter().map(|d| d.score * get(d)).sum::<f32>() / total;
    Detection {
        score: best.score,
        center: [of(|d| d.center[0]), of(|d| d.center[1])],
        side: of(|d| d.side),
        right_eye: [of(|d| d.right_eye[0]), of(|d| d.right_eye[1])],
        left_eye: [of(|d| d.left_eye[0]), of(|d| d.left_eye[1])],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGION: Region = Region { center: [200.0, 100.0], side: 256.0, angle: 0.0 };

    fn outputs() -> (Vec<f32>, Vec<f32>) {
        (vec![0.0; ANCHORS * COORDINATES], vec![-9.0; ANCHORS])
    }

    #[test]
    fn both_grids_are_decoded() {
        let (mut boxes, mut scores) = outputs();
        // The second anchor of the cell in column 3, row 2 of the fine grid.
        let fine = (2 * 16 + 3) * 2 + 1;
        // The last anchor of the coarse grid.
        let coarse = ANCHORS - 1;
        for (anchor, logit) in [(fine, 4.0), (coarse, 2.0)] {
            scores[anchor] = logit;
            boxes[anchor * COORDINATES..][..8].copy_from_slice(&[8.0, -8.0, 20.0, 24.0, -4.0, -4.0, 4.0, 4.0]);
        }
        let found = decode(&boxes, &scores, &REGION);
        let corner = [200.0 - 128.0, 100.0 - 128.0];
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].center, [corner[0] + 3.5 * 16.0 + 16.0, corner[1] + 2.5 * 16.0 - 16.0]);
        assert_eq!(found[1].center, [corner[0] + 7.5 * 32.0 + 16.0, corner[1] + 7.5 * 32.0 - 16.0]);
        assert_eq!(found[0].side, 48.0);
        let region = found[0].region();
        assert!((region.angle - std::f32::consts::FRAC_PI_4).abs() < 1e-6);
        assert_eq!(region.side, 72.0);
    }

    #[test]
    fn numbers_that_are_not_finite_are_no_faces() {
        let (mut boxes, mut scores) = outputs();
        scores[0] = f32::NAN;
        scores[1] = 9.0;
        boxes[COORDINATES] = f32::INFINITY;
        assert!(decode(&boxes, &scores, &REGION).is_empty());
    }

    #[test]
    fn overlapping_answers_become_their_weighted_mean() {
        let at = |x: f32, score: f32| Detection {
            score,
            center: [x, 0.0],
            side: 100.0,
            right_eye: [x, -10.0],
            left_eye: [x + 40.0, -10.0],
        };
        let kept = suppress(vec![at(10.0, 0.5), at(500.0, 0.6), at(0.0, 1.0), at(480.0, 0.9)]);
        assert_eq!(kept.iter().map(|d| d.score).collect::<Vec<_>>(), [1.0, 0.9]);
        assert!((kept[0].center[0] - 10.0 * 0.5 / 1.5).abs() < 1e-4);
        assert!((kept[1].center[0] - 488.0).abs() < 1e-3);
    }
}
