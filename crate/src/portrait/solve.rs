//! Pose, identity and expression from landmarks: bounded, damped Gauss-Newton with a full perspective camera.

use nalgebra::{DMatrix, DVector, Matrix3, Rotation3, Vector3};

use super::crop::{CHIN, FACE_SHARE, FOREHEAD};
use super::face_model::{FaceModel, LandmarkKind};
use super::fit::FitError;
use super::fitted::{CameraPose, FOCAL, SIDE};

/// Most rounds; usually the cost stops falling after ten.
const ROUNDS: usize = 24;
/// The first rounds move the pose only.
const POSE_ROUNDS: usize = 3;
/// A round that lowers the cost by less than this share of it is the last.
const ENOUGH: f64 = 1e-4;
/// Damping of a step that made the cost rise, and by how much it grows each time.
const DAMPING: [f64; 2] = [1e-3, 10.0];
const POSE: usize = 6;
/// Crop pixels of error (at 100 landmarks) that one unit of an identity mode must be worth.
const IDENTITY_PRICE: f64 = 0.35;
/// The same for expressions.
const EXPRESSION_PRICE: f64 = 1.2;
const IDENTITY_LIMIT: f64 = 3.0;
/// Weight of landmarks on lips and lids.
const CONTOUR_WEIGHT: f64 = 2.0;
/// Weight of landmarks of the face's outline, which slide on the jaw when the head turns.
const OUTLINE_WEIGHT: f64 = 0.6;
/// Height of a face from forehead to chin, cm.
const FACE_HEIGHT: f64 = 19.0;
/// Least distance of a point from the camera, cm: keeps wild steps in front of it.
const NEAREST: f64 = 5.0;
/// A mean error above this share of the crop is no face.
const WORST: f64 = 0.05;
/// A head further away than this, cm, is a dot.
const FARTHEST: f64 = 1000.0;
const OUTLINE: [usize; 36] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];

/// Expressions that one view cannot tell from others: they stay 0.
fn is_ambiguous(name: &str) -> bool {
    name.starts_with("eyeLook") || name.starts_with("tongue") || matches!(name, "mouthClose" | "jawForward")
}

/// What the landmarks say about the head.
#[derive(Clone, Debug)]
pub struct Solution {
    /// Pose of the head in the photo.
    pub pose: CameraPose,
    /// Identity weights, -3..3.
    pub identity: Vec<f32>,
    /// Expression weights, 0..1.
    pub expression: Vec<f32>,
    /// Mean distance between the landmarks and the model's, crop pixels.
    pub error: f32,
}

/// Projects a point of head space: crop pixel and distance from the camera in cm.
pub fn project(pose: &CameraPose, point: [f32; 3]) -> ([f32; 2], f32) {
    let camera = pose.rotation * Vector3::from(point);
    let distance = pose.translation.z - camera.z;
    let scale = FOCAL * SIDE / distance;
    let x = SIDE / 2.0 + scale * (camera.x + pose.translation.x);
    let y = SIDE / 2.0 - scale * (camera.y + pose.translation.y);
    ([x, y], distance)
}

/// The landmarks that the fit uses, and everything of the model that concerns them.
struct Landmarks {
    goal: Vec<[f64; 2]>,
    weight: Vec<f64>,
    neutral: Vec<Vector3<f64>>,
    /// `[mode][landmark]`, identities first.
    modes: Vec<Vec<Vector3<f64>>>,
    identities: usize,
    free: Vec<bool>,
}

impl Landmarks {
    fn new(model: &FaceModel, points: &[[f32; 2]]) -> Self {
        let used: Vec<usize> = model.used_landmarks().collect();
        let pick = |vertices: &[[f32; 3]]| -> Vec<Vector3<f64>> {
            used.iter().map(|&i| Vector3::from(model.landmark(vertices, i)).cast()).collect()
        };
        let weight = |&i: &usize| {
            if OUTLINE.contains(&i) {
                OUTLINE_WEIGHT
            } else if model.landmark_kind[i] == LandmarkKind::Contour {
                CONTOUR_WEIGHT
            } else {
                1.0
            }
        };
        let ambiguous = model.expression_names.iter().map(|n| is_ambiguous(n));
        Self {
            goal: used.iter().map(|&i| points[i].map(f64::from)).collect(),
            weight: used.iter().map(weight).collect(),
            neutral: pick(&model.neutral),
            modes: model.identity.iter().chain(&model.expression).map(|m| pick(m)).collect(),
            identities: model.identity.len(),
            free: std::iter::repeat_n(true, model.identity.len()).chain(ambiguous.map(|a| !a)).collect(),
        }
    }

    fn shape(&self, x: &[f64]) -> Vec<Vector3<f64>> {
        let mut points = self.neutral.clone();
        for (mode, &weight) in self.modes.iter().zip(x) {
            if weight != 0.0 {
                points.iter_mut().zip(mode).for_each(|(p, m)| *p += m * weight);
            }
        }
        points
    }

    fn bounds(&self, mode: usize) -> (f64, f64) {
        if mode < self.identities { (-IDENTITY_LIMIT, IDENTITY_LIMIT) } else { (0.0, 1.0) }
    }

    fn price(&self, mode: usize) -> f64 {
        let unit = if mode < self.identities { IDENTITY_PRICE } else { EXPRESSION_PRICE };
        unit * (self.goal.len() as f64 / 100.0).sqrt()
    }
}

/// Current estimate.
struct Estimate {
    rotation: Matrix3<f64>,
    translation: Vector3<f64>,
    /// Weights of all modes.
    x: Vec<f64>,
}

impl Estimate {
    /// A frontal face of usual height, leaning and placed as forehead and chin say.
    fn first(points: &[[f32; 2]], modes: usize) -> Self {
        let (top, chin) = (points[FOREHEAD].map(f64::from), points[CHIN].map(f64::from));
        let up = [top[0] - chin[0], chin[1] - top[1]];
        let height = up[0].hypot(up[1]).max(0.1 * f64::from(FACE_SHARE * SIDE));
        let rotation = Rotation3::from_axis_angle(&Vector3::z_axis(), -up[0].atan2(up[1])).into_inner();
        let distance = f64::from(FOCAL * SIDE) * FACE_HEIGHT / height;
        let cm = FACE_HEIGHT / height;
        let middle = [0, 1].map(|i| (top[i] + chin[i]) / 2.0 - f64::from(SIDE) / 2.0);
        Self { rotation, translation: Vector3::new(middle[0] * cm, -middle[1] * cm, distance), x: vec![0.0; modes] }
    }

    /// Camera point, pixel and scale (pixels a cm) of a point.
    fn project(&self, point: &Vector3<f64>) -> (Vector3<f64>, [f64; 2], f64) {
        let c = self.rotation * point;
        let scale = f64::from(FOCAL * SIDE) / (self.translation.z - c.z).max(NEAREST);
        let half = f64::from(SIDE) / 2.0;
        (c, [half + scale * (c.x + self.translation.x), half - scale * (c.y + self.translation.y)], scale)
    }

    /// Weighted squared error and price of the weights: what the rounds make smaller.
    fn cost(&self, landmarks: &Landmarks) -> f64 {
        let shape = landmarks.shape(&self.x);
        let miss = |(n, point): (usize, &Vector3<f64>)| {
            let (_, uv, _) = self.project(point);
            let goal = landmarks.goal[n];
            landmarks.weight[n].powi(2) * ((uv[0] - goal[0]).powi(2) + (uv[1] - goal[1]).powi(2))
        };
        let error: f64 = shape.iter().enumerate().map(miss).sum();
        error + self.x.iter().enumerate().map(|(mode, x)| (landmarks.price(mode) * x).powi(2)).sum::<f64>()
    }

    /// Quadratic model of the cost around this estimate, for the pose and the first `modes` weights.
    fn quadratic(&self, landmarks: &Landmarks, modes: usize) -> (DMatrix<f64>, DVector<f64>) {
        let points = landmarks.shape(&self.x);
        let mut jacobian = DMatrix::<f64>::zeros(points.len() * 2, POSE + modes);
        let mut residual = DVector::<f64>::zeros(points.len() * 2);
        for (n, point) in points.iter().enumerate() {
            let (c, uv, scale) = self.project(point);
            let distance = f64::from(FOCAL * SIDE) / scale;
            let (x, y) = (c.x + self.translation.x, c.y + self.translation.y);
            let weight = landmarks.weight[n];
            // derivatives of the pixel by the camera point
            let by_point =
                [Vector3::new(scale, 0.0, scale * x / distance), Vector3::new(0.0, -scale, -scale * y / distance)];
            for (axis, d) in by_point.iter().enumerate() {
                let row = 2 * n + axis;
                residual[row] = weight * (landmarks.goal[n][axis] - uv[axis]);
                let turn = c.cross(d);
                for (column, value) in [turn.x, turn.y, turn.z, d.x, d.y, -d.z].into_iter().enumerate() {
                    jacobian[(row, column)] = weight * value;
                }
                let in_head = self.rotation.tr_mul(d) * weight;
                for mode in (0..modes).filter(|&mode| landmarks.free[mode]) {
                    jacobian[(row, POSE + mode)] = landmarks.modes[mode][n].dot(&in_head);
                }
            }
        }
        let mut hessian = jacobian.tr_mul(&jacobian);
        let mut gradient = jacobian.tr_mul(&residual);
        for i in 0..POSE {
            hessian[(i, i)] += if i == POSE - 1 { 4.0 } else { 1e-6 };
        }
        for mode in 0..modes {
            let price = landmarks.price(mode).powi(2);
            hessian[(POSE + mode, POSE + mode)] += price;
            gradient[POSE + mode] -= price * self.x[mode];
        }
        (hessian, gradient)
    }

    /// This estimate after a step.
    fn moved(&self, step: &DVector<f64>) -> Self {
        let turn = Rotation3::new(Vector3::new(step[0], step[1], step[2])).into_inner();
        let translation = self.translation + Vector3::new(step[3], step[4], step[5]);
        let mut x = self.x.clone();
        x.iter_mut().zip(step.iter().skip(POSE)).for_each(|(x, s)| *x += s);
        Self { rotation: turn * self.rotation, translation, x }
    }

    /// One damped Gauss-Newton step. Returns the cost after it, which is not above `cost`.
    fn improve(&mut self, landmarks: &Landmarks, modes: usize, cost: f64) -> Result<f64, FitError> {
        let (hessian, gradient) = self.quadratic(landmarks, modes);
        let limits: Vec<(f64, f64)> = (0..modes)
            .map(|mode| {
                let (low, high) = if landmarks.free[mode] { landmarks.bounds(mode) } else { (0.0, 0.0) };
                (low - self.x[mode], high - self.x[mode])
            })
            .collect();
        let mut damped = hessian.clone();
        let mut damping = DAMPING[0];
        for _ in 0..8 {
            let next = self.moved(&bounded_step(&damped, &gradient, &limits)?);
            let reached = next.cost(landmarks);
            if reached <= cost {
                *self = next;
                return Ok(reached);
            }
            for i in 0..hessian.nrows() {
                damped[(i, i)] = hessian[(i, i)] * (1.0 + damping);
            }
            damping *= DAMPING[1];
        }
        if cost.is_finite() { Ok(cost) } else { Err(FitError::Degenerate) }
    }
}

/// The least of `s' H s / 2 - g' s` with limits on all but the first six unknowns: unknowns that leave their limits are
/// set on them, and set free again when the slope points back inside.
fn bounded_step(
    hessian: &DMatrix<f64>,
    gradient: &DVector<f64>,
    limits: &[(f64, f64)],
) -> Result<DVector<f64>, FitError> {
    let n = gradient.len();
    let limit = |i: usize| if i < POSE { (f64::NEG_INFINITY, f64::INFINITY) } else { limits[i - POSE] };
    let mut step = DVector::zeros(n);
    let mut free: Vec<bool> = (0..n).map(|i| limit(i).0 < limit(i).1).collect();
    for turn in 0..12 {
        let (inner, fixed): (Vec<usize>, Vec<usize>) = (0..n).partition(|&i| free[i]);
        let mut wanted = gradient.select_rows(&inner);
        for &j in fixed.iter().filter(|&&j| step[j] != 0.0) {
            inner.iter().enumerate().for_each(|(k, &i)| wanted[k] -= hessian[(i, j)] * step[j]);
        }
        let block = hessian.select_rows(&inner).select_columns(&inner);
        let solved = block.cholesky().ok_or(FitError::Degenerate)?.solve(&wanted);
        if solved.iter().any(|s| !s.is_finite()) {
            return Err(FitError::Degenerate);
        }
        let mut changed = false;
        for (k, &i) in inner.iter().enumerate() {
            let (low, high) = limit(i);
            step[i] = solved[k].clamp(low, high);
            if step[i] != solved[k] {
                free[i] = false;
                changed = true;
            }
        }
        if !changed && turn < 8 {
            let slope = gradient - hessian * &step;
            for &i in &fixed {
                let (low, high) = limit(i);
                if low < high && ((step[i] <= low && slope[i] > 1e-9) || (step[i] >= high && slope[i] < -1e-9)) {
                    free[i] = true;
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    Ok(step)
}

/// Fits pose, identity and expression to 478 landmarks in crop pixels (all finite; the irises are not used).
///
/// # Errors
/// [`FitError::Degenerate`] if the points do not span a face.
pub fn solve(model: &FaceModel, points: &[[f32; 2]]) -> Result<Solution, FitError> {
    let landmarks = Landmarks::new(model, points);
    let mut estimate = Estimate::first(points, landmarks.modes.len());
    let mut cost = estimate.cost(&landmarks);
    for round in 0..ROUNDS {
        let modes = if round < POSE_ROUNDS { 0 } else { landmarks.modes.len() };
        let reached = estimate.improve(&landmarks, modes, cost)?;
        let settled = cost - reached < ENOUGH * cost;
        cost = reached;
        if settled && round > POSE_ROUNDS {
            break;
        }
    }
    let shape = landmarks.shape(&estimate.x);
    let miss = |(point, goal): (&Vector3<f64>, &[f64; 2])| {
        let (_, uv, _) = estimate.project(point);
        (uv[0] - goal[0]).hypot(uv[1] - goal[1])
    };
    let error = shape.iter().zip(&landmarks.goal).map(miss).sum::<f64>() / shape.len().max(1) as f64;
    if !error.is_finite() || error > f64::from(SIDE) * WORST || estimate.translation.z > FARTHEST {
        return Err(FitError::Degenerate);
    }
    let x: Vec<f32> = estimate.x.iter().map(|&v| v as f32).collect();
    let (identity, expression) = x.split_at(landmarks.identities);
    Ok(Solution {
        pose: CameraPose { rotation: estimate.rotation.cast(), translation: estimate.translation.cast() },
        identity: identity.to_vec(),
        expression: expression.to_vec(),
        error: error as f32,
    })
}

#[cfg(test)]
mod tests {
    use nalgebra::Rotation3;
    use proptest::prelude::*;

    use super::super::testing::{made_up, model};
    use super::*;

    fn angle(a: &CameraPose, b: &CameraPose) -> f32 {
        Rotation3::from_matrix_unchecked(a.rotation.transpose() * b.rotation).angle().to_degrees()
    }

    fn weight(weights: &[f32], name: &str) -> f32 {
        weights[model().expression_index(name).expect("an expression of the model")]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn a_known_head_is_found_again(yaw in -35.0f32..35.0, pitch in -20.0f32..20.0, roll in -40.0f32..40.0, seed in 0u64..1000) {
            let head = made_up(model(), [yaw, pitch, roll], seed);
            let found = solve(model(), &head.points).expect("a face");
            prop_assert!(found.error < 0.6, "left over {}", found.error);
            prop_assert!(angle(&found.pose, &head.pose) < 5.0, "turned {}", angle(&found.pose, &head.pose));
            for name in ["jawOpen", "eyeBlink_L", "eyeBlink_R"] {
                let (is, should) = (weight(&found.expression, name), weight(&head.expression, name));
                prop_assert!((is - should).abs() < 0.2, "{name} {is} for {should}");
            }
            prop_assert!(found.identity.iter().all(|w| w.abs() <= 3.0));
            prop_assert!(found.expression.iter().all(|w| (0.0..=1.0).contains(w)));
        }

        #[test]
        fn noise_of_the_landmarker_does_no_harm(seed in 0u64..1000) {
            let head = made_up(model(), [10.0, 5.0, 0.0], seed);
            let shaken = |i: usize, p: [f32; 2]| [p[0] + ((i * 37 + 11) % 17) as f32 / 8.0 - 1.0, p[1] + ((i * 53 + 7) % 19) as f32 / 9.0 - 1.0];
            let points: Vec<_> = head.points.iter().enumerate().map(|(i, &p)| shaken(i, p)).collect();
            let found = solve(model(), &points).expect("a face");
            prop_assert!(found.error < 1.6, "left over {}", found.error);
            prop_assert!(angle(&found.pose, &head.pose) < 6.0, "turned {}", angle(&found.pose, &head.pose));
        }
    }

    #[test]
    fn what_one_view_cannot_tell_stays_zero() {
        let head = made_up(model(), [0.0; 3], 3);
        let found = solve(model(), &head.points).expect("a face");
        for (name, &weight) in model().expression_names.iter().zip(&found.expression) {
            assert!(!is_ambiguous(name) || weight == 0.0, "{name} is {weight}");
        }
    }

    #[test]
    fn points_in_one_place_are_no_face() {
        assert_eq!(solve(model(), &[[256.0, 256.0]; 478]).err(), Some(FitError::Degenerate));
        assert!(solve(model(), &[[f32::MAX, f32::MAX]; 478]).is_err());
    }

    #[test]
    fn a_step_inside_its_limits_is_the_plain_one_and_a_limited_one_is_optimal() {
        let n = POSE + 3;
        let root = DMatrix::from_fn(n, n, |i, j| ((i * 7 + j * 3) % 5) as f64 - 2.0 + if i == j { 6.0 } else { 0.0 });
        let hessian = root.tr_mul(&root);
        let gradient = DVector::from_fn(n, |i, _| 10.0 * (i as f64 - 4.0));
        let free = bounded_step(&hessian, &gradient, &[(-1e9, 1e9); 3]).expect("a step");
        assert!((&hessian * &free - &gradient).norm() < 1e-6);
        let limits = [(-0.01, 0.01), (0.0, 0.02), (-0.005, 0.0)];
        let step = bounded_step(&hessian, &gradient, &limits).expect("a step");
        let slope = &gradient - &hessian * &step;
        for i in 0..n {
            let (low, high) = if i < POSE { (-1e9, 1e9) } else { limits[i - POSE] };
            assert!(step[i] >= low && step[i] <= high);
            // no way down that the limits allow
            assert!(
                slope[i].abs() < 1e-6 || (step[i] == low && slope[i] < 0.0) || (step[i] == high && slope[i] > 0.0),
                "{i}"
            );
        }
    }
}
