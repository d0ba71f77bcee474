//! Does this face wear spectacles? A frame's bridge is a strong edge across the nose.

use super::crop::to_texture;
use super::fitted::SIDE;
use super::patch::{Patch, luminance, percentile};

/// Inner corners of the eyes: subject's right, left.
const CORNERS: [usize; 2] = [133, 362];
/// Scores above this are spectacles. Of 66 portraits it finds 8 of 10 wearers and nobody else; thin or clear frames
/// escape it.
const THRESHOLD: f32 = 0.6;
/// Half width and half height of the searched field, in distances between the inner corners.
const FIELD: [f32; 2] = [0.32, 0.75];
const COLUMNS: usize = 40;
const ROWS: usize = 80;
/// Rows that an edge is measured over.
const STEP: usize = 4;

/// Strength of the strongest edge along each column of the nose bridge, in the median, over the mean brightness.
/// `texture` as in [`super::FittedFace`], `landmarks` in crop pixels.
fn score(texture: &[f32], landmarks: &[[f32; 2]]) -> f32 {
    let [a, b] = CORNERS.map(|i| to_texture(landmarks[i]));
    let across = [b[0] - a[0], b[1] - a[1]];
    let middle = [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
    let reach = across[0].hypot(across[1]);
    let patch = Patch::around(texture, [middle], reach.min(SIDE)).blurred(1.2);
    let share = |i: usize, count: usize| 2.0 * i as f32 / (count - 1) as f32 - 1.0;
    let mut sum = 0.0;
    let mut edges: Vec<f32> = (0..COLUMNS)
        .map(|column| {
            let u = share(column, COLUMNS) * FIELD[0];
            let line: [f32; ROWS] = std::array::from_fn(|row| {
                let v = share(row, ROWS) * FIELD[1];
                let at = [middle[0] + u * across[0] - v * across[1], middle[1] + u * across[1] + v * across[0]];
                luminance(patch.bilinear(at))
            });
            sum += line.iter().sum::<f32>();
            line.windows(STEP + 1).map(|w| (w[STEP] - w[0]).abs()).fold(0.0, f32::max)
        })
        .collect();
    percentile(&mut edges, 0.5) / (sum / (COLUMNS * ROWS) as f32).max(1.0)
}

/// True if a spectacle frame crosses the nose. `texture` as in [`super::FittedFace`], `landmarks` in crop pixels.
pub fn wears_glasses(texture: &[f32], landmarks: &[[f32; 2]]) -> bool {
    score(texture, landmarks) > THRESHOLD
}

#[cfg(test)]
mod tests {
    use super::super::fitted::TEX_FULL;
    use super::*;

    fn face(bar: f32) -> (Vec<f32>, Vec<[f32; 2]>) {
        let mut landmarks = vec![[256.0, 256.0]; 478];
        landmarks[CORNERS[0]] = [236.0, 200.0];
        landmarks[CORNERS[1]] = [276.0, 200.0];
        let row = to_texture([256.0, 195.0])[1] as usize;
        let texture = (0..TEX_FULL * TEX_FULL)
            .flat_map(|i| [if (row..row + 6).contains(&(i / TEX_FULL)) { bar } else { 180.0 }; 3])
            .collect();
        (texture, landmarks)
    }

    #[test]
    fn a_dark_bar_across_the_bridge_is_a_frame() {
        let (texture, landmarks) = face(20.0);
        assert!(wears_glasses(&texture, &landmarks));
    }

    #[test]
    fn bare_skin_and_faint_lines_are_not() {
        for bar in [180.0, 140.0] {
            let (texture, landmarks) = face(bar);
            assert!(!wears_glasses(&texture, &landmarks), "{bar}");
        }
    }

    #[test]
    fn equal_corners_and_black_pictures_do_no_harm() {
        let landmarks = vec![[10.0, 10.0]; 478];
        assert!(!wears_glasses(&vec![0.0; TEX_FULL * TEX_FULL * 3], &landmarks));
    }
}
