//! Pinning: what the fit leaves over is made up for by smooth offsets of the skin, so that every landmark lies exactly
//! where the photo has it.

use nalgebra::{DMatrix, Dyn, Vector3};

use super::face_model::FaceModel;
use super::fit::FitError;
use super::fitted::{CameraPose, FOCAL, SIDE};
use super::solve::{Solution, project};

/// Softness of the interpolation, cm: landmarks that contradict their neighbours pull less, but all stay within a few
/// hundredths of a pixel.
const SMOOTHING: f64 = 2e-4;
/// Landmarks of the nose's base, which sits on the upper jaw.
const NOSE_BASE: [usize; 4] = [2, 164, 97, 326];
/// Corners and middle of the lids: subject's right eye, left eye.
const LIDS: [[usize; 4]; 2] = [[33, 133, 159, 145], [263, 362, 386, 374]];
/// Space of the interpolation: a face with open jaw and wide eyes. There the two lips (lids) lie far apart, so that an
/// offset of one does not leak into the other.
const APART: [(&str, f32); 3] = [("jawOpen", 0.6), ("eyeWide_L", 1.0), ("eyeWide_R", 1.0)];

/// The pinned face.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// Neutral + identity of this person, cm.
    pub shape: Vec<[f32; 3]>,
    /// `shape` with the offsets.
    pub base: Vec<[f32; 3]>,
    /// Centres of the eyeballs: subject's right, left.
    pub eyes: [[f32; 3]; 2],
}

/// The smoothest offsets of the vertices that move the landmarks, which lie between vertices, as wanted: a linear
/// radial basis with a constant (the polyharmonic spline of least bending), one centre for each landmark, spread over
/// its three vertices.
struct Interpolation {
    /// Solves for the coefficients; the last row is the constant.
    system: nalgebra::LU<f64, Dyn, Dyn>,
    /// Basis functions `[vertex][landmark]`.
    basis: DMatrix<f64>,
}

impl Interpolation {
    /// `vertices` of the skin in the space of the interpolation.
    fn new(model: &FaceModel, vertices: &[[f32; 3]]) -> Self {
        let places: Vec<([u32; 3], [f32; 3])> =
            model.used_landmarks().map(|i| (model.landmark_vertices[i], model.landmark_weights[i])).collect();
        let n = places.len();
        let distance = |a: [f32; 3], b: [f32; 3]| (Vector3::from(a) - Vector3::from(b)).norm();
        let basis = DMatrix::from_fn(vertices.len(), n, |v, i| {
            let (corners, weights) = places[i];
            let reach = |k: usize| weights[k] * distance(vertices[v], vertices[corners[k] as usize]);
            -f64::from(reach(0) + reach(1) + reach(2))
        });
        let system = DMatrix::from_fn(n + 1, n + 1, |j, i| match (j == n, i == n) {
            (true, true) => 0.0,
            (true, false) | (false, true) => 1.0,
            (false, false) => {
                let (corners, weights) = places[j];
                let own = (0..3).map(|k| f64::from(weights[k]) * basis[(corners[k] as usize, i)]).sum::<f64>();
                own + if i == j { SMOOTHING } else { 0.0 }
            }
        });
        Self { system: system.lu(), basis }
    }

    /// Offsets of all vertices.
    fn at_vertices(&self, offsets: &[Vector3<f32>]) -> Result<Vec<Vector3<f32>>, FitError> {
        let n = offsets.len();
        let wanted = DMatrix::from_fn(n + 1, 3, |i, axis| if i < n { f64::from(offsets[i][axis]) } else { 0.0 });
        let coefficients = self.system.solve(&wanted).ok_or(FitError::Degenerate)?;
        if coefficients.iter().any(|c| !c.is_finite()) {
            return Err(FitError::Degenerate);
        }
        let smooth = &self.basis * coefficients.rows(0, n);
        let constant = coefficients.row(n);
        Ok(smooth.row_iter().map(|r| Vector3::from_fn(|axis, _| (r[axis] + constant[axis]) as f32)).collect())
    }
}

fn add(mut shape: Vec<[f32; 3]>, mode: &[[f32; 3]], weight: f32) -> Vec<[f32; 3]> {
    if weight != 0.0 {
        shape.iter_mut().zip(mode).for_each(|(p, m)| (0..3).for_each(|i| p[i] += weight * m[i]));
    }
    shape
}

/// What is missing between the posed model and the photo, as offsets in head space at the depth of each landmark.
fn misses(model: &FaceModel, pose: &CameraPose, posed: &[[f32; 3]], points: &[[f32; 2]]) -> Vec<Vector3<f32>> {
    let miss = |i: usize| {
        let (uv, distance) = project(pose, model.landmark(posed, i));
        let cm = distance / (FOCAL * SIDE);
        pose.rotation.tr_mul(&Vector3::new((points[i][0] - uv[0]) * cm, (uv[1] - points[i][1]) * cm, 0.0))
    };
    model.used_landmarks().map(miss).collect()
}

/// Pins the fitted model to the landmarks it was fitted to (crop pixels).
///
/// # Errors
/// [`FitError::Degenerate`] if the offsets cannot be found.
pub fn pin(model: &FaceModel, solution: &Solution, points: &[[f32; 2]]) -> Result<Pinned, FitError> {
    let pose = &solution.pose;
    let shape = model.identity.iter().zip(&solution.identity).fold(model.neutral.clone(), |s, (m, &w)| add(s, m, w));
    let posed = model.expression.iter().zip(&solution.expression).fold(shape.clone(), |s, (m, &w)| add(s, m, w));
    let apart = APART.iter().fold(shape.clone(), |s, (name, weight)| match model.expression(name) {
        Some(mode) => add(s, mode, *weight),
        None => s,
    });
    let wanted = misses(model, pose, &posed, points);
    let offsets = Interpolation::new(model, &apart[model.skin.clone()]).at_vertices(&wanted)?;
    let mut base = shape.clone();
    for (vertex, offset) in base.iter_mut().zip(&offsets) {
        *vertex = (Vector3::from(*vertex) + offset).into();
    }
    let used: Vec<usize> = model.used_landmarks().collect();
    let mean = |ids: [usize; 4]| -> Vector3<f32> {
        let own = used.iter().zip(&wanted).filter(|(i, _)| ids.contains(i)).map(|(_, o)| o);
        own.sum::<Vector3<f32>>() / ids.len() as f32
    };
    let jaw = mean(NOSE_BASE);
    for p in &mut base[model.skin.end..] {
        *p = (Vector3::from(*p) + jaw).into();
    }
    let eyes = [(&model.eye_right, LIDS[0]), (&model.eye_left, LIDS[1])]
        .map(|(eye, lids)| (Vector3::from(eye.center_of(&solution.identity)) + mean(lids)).into());
    Ok(Pinned { shape, base, eyes })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::solve::solve;
    use super::super::testing::{made_up, model};
    use super::*;

    /// Largest distance between the landmarks of the pinned face and the wanted ones, crop pixels.
    fn largest_miss(solution: &Solution, pinned: &Pinned, points: &[[f32; 2]]) -> f32 {
        let model = model();
        let modes = model.expression.iter().zip(&solution.expression);
        let posed = modes.fold(pinned.base.clone(), |s, (m, &w)| add(s, m, w));
        let miss = |i: usize| {
            let (uv, _) = project(&solution.pose, model.landmark(&posed, i));
            (uv[0] - points[i][0]).hypot(uv[1] - points[i][1])
        };
        model.used_landmarks().map(miss).fold(0.0, f32::max)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn every_landmark_is_hit(yaw in -25.0f32..25.0, seed in 0u64..1000, x in -6.0f32..6.0, y in -6.0f32..6.0) {
            // a smooth distortion that no identity explains
            let bend = |p: [f32; 2]| [p[0] + x * (p[1] / 40.0).sin(), p[1] + y * (p[0] / 50.0).cos()];
            let head = made_up(model(), [yaw, 0.0, 0.0], seed);
            let points: Vec<_> = head.points.iter().map(|&p| bend(p)).collect();
            let solution = solve(model(), &points).expect("a face");
            let pinned = pin(model(), &solution, &points).expect("offsets");
            let miss = largest_miss(&solution, &pinned, &points);
            prop_assert!(miss < 0.05, "{miss} pixels");
        }
    }

    #[test]
    fn a_perfect_fit_needs_no_offsets() {
        let head = made_up(model(), [5.0, 0.0, 0.0], 1);
        let solution = Solution { pose: head.pose, identity: head.identity, expression: head.expression, error: 0.0 };
        let pinned = pin(model(), &solution, &head.points).expect("offsets");
        for (a, b) in pinned.base.iter().zip(&pinned.shape) {
            assert!((0..3).all(|i| (a[i] - b[i]).abs() < 2e-3), "{a:?} {b:?}");
        }
        let expected = model().eye_left.center_of(&solution.identity);
        assert!((0..3).all(|i| (pinned.eyes[1][i] - expected[i]).abs() < 2e-3));
    }

    #[test]
    fn an_offset_of_one_lip_does_not_move_the_other() {
        let head = made_up(model(), [0.0; 3], 2);
        let mut points = head.points.clone();
        let lower = [
            95, 88, 178, 87, 14, 317, 402, 318, 324, 17, 84, 314, 181, 405, 91, 321, 15, 16, 85, 180, 86, 316, 315,
            404, 403,
        ];
        lower.iter().for_each(|&i| points[i][1] += 4.0);
        let solution = Solution { pose: head.pose, identity: head.identity, expression: head.expression, error: 0.0 };
        let pinned = pin(model(), &solution, &points).expect("offsets");
        let moved = |chain: &[u32]| {
            let middle = chain[chain.len() / 2] as usize;
            pinned.shape[middle][1] - pinned.base[middle][1]
        };
        assert!(moved(&model().lips.lower) > 0.2, "{}", moved(&model().lips.lower));
        assert!(moved(&model().lips.upper).abs() < 0.02, "{}", moved(&model().lips.upper));
    }
}
