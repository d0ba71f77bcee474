//! Head pose: from the motion's angles to a camera, and the projection of head space to crop pixels.

use crate::motion::HeadPose;
use crate::portrait::fitted::{CameraPose, FOCAL, PIVOT, SIDE};
use nalgebra::{Matrix3, Vector3};

/// Largest turn from the frontal view, degrees: beyond it the near side of the head would have to be invented.
const MOST_YAW: f32 = 45.0;
/// How much further the face turns than was asked: light, brows and hair painted on a photo stay where they were, and
/// people and landmarkers see a smaller turn (.84 of it against a 3-D head painted with the same photo, over 16 portraits).
const TURN: f32 = 1.1;
/// Largest change of pitch and roll, degrees.
const MOST_TILT: f32 = 30.0;

/// Camera point of a point of head space, before the translation: `rotation * x`.
pub(crate) fn rotate(pose: &CameraPose, x: [f32; 3]) -> [f32; 3] {
    let r = &pose.rotation;
    [
        r[(0, 0)] * x[0] + r[(0, 1)] * x[1] + r[(0, 2)] * x[2],
        r[(1, 0)] * x[0] + r[(1, 1)] * x[1] + r[(1, 2)] * x[2],
        r[(2, 0)] * x[0] + r[(2, 1)] * x[1] + r[(2, 2)] * x[2],
    ]
}

/// Crop pixel and distance from the camera (cm) of a point of head space.
pub(crate) fn project(pose: &CameraPose, x: [f32; 3]) -> ([f32; 2], f32) {
    let c = rotate(pose, x);
    let t = &pose.translation;
    let distance = (t.z - c[2]).max(1.0);
    let k = FOCAL * SIDE / distance;
    ([SIDE / 2.0 + k * (c[0] + t.x), SIDE / 2.0 - k * (c[1] + t.y)], distance)
}

/// The point of head space that lies `distance` cm from the camera behind a crop pixel: the inverse of [`project`].
pub(crate) fn unproject(pose: &CameraPose, pixel: [f32; 2], distance: f32) -> [f32; 3] {
    let k = distance / (FOCAL * SIDE);
    let t = &pose.translation;
    let c = Vector3::new((pixel[0] - SIDE / 2.0) * k - t.x, -(pixel[1] - SIDE / 2.0) * k - t.y, t.z - distance);
    let x = pose.rotation.transpose() * c;
    [x.x, x.y, x.z]
}

/// Crop pixels to a centimetre at the head's origin.
pub(crate) fn pixels_per_cm(pose: &CameraPose) -> f32 {
    FOCAL * SIDE / pose.translation.z
}

/// Angle of the turn from one pose to another, degrees, 0..180.
pub(crate) fn angle_between(a: &CameraPose, b: &CameraPose) -> f32 {
    let cos = (a.rotation.component_mul(&b.rotation).sum() - 1.0) / 2.0;
    cos.clamp(-1.0, 1.0).acos().to_degrees()
}

/// Rotation of head-pose angles in degrees, about the camera's axes.
fn turn(yaw: f32, pitch: f32, roll: f32) -> Matrix3<f32> {
    let axis = |v: Vector3<f32>, degrees: f32| {
        nalgebra::Rotation3::from_axis_angle(&nalgebra::Unit::new_unchecked(v), degrees.to_radians()).into_inner()
    };
    axis(Vector3::z(), -roll) * axis(Vector3::y(), yaw) * axis(Vector3::x(), pitch)
}

/// The camera for a head that moved by `head` from the pose `photo`. `face_height`: forehead to chin in crop pixels.
/// Values that are no numbers count as no motion, others are limited to what a photo can show.
pub(crate) fn apply(photo: &CameraPose, head: &HeadPose, face_height: f32) -> CameraPose {
    let own = photo.yaw();
    let limit = MOST_YAW.max(own.abs());
    let yaw = tame(TURN * head.yaw, -limit - own, limit - own);
    let pitch = tame(head.pitch, -MOST_TILT, MOST_TILT);
    let roll = tame(head.roll, -MOST_TILT, MOST_TILT);
    let rotation = turn(yaw, pitch, roll) * photo.rotation;
    let pivot = Vector3::from(PIVOT);
    let still = photo.translation + photo.rotation * pivot - rotation * pivot;
    CameraPose { rotation, translation: moved(still, head, face_height) }
}

/// The same for a head that moves as `head` says but does not turn.
pub(crate) fn lean(photo: &CameraPose, head: &HeadPose, face_height: f32) -> CameraPose {
    CameraPose { translation: moved(photo.translation, head, face_height), ..*photo }
}

/// A translation moved sideways and towards the camera.
fn moved(mut translation: Vector3<f32>, head: &HeadPose, face_height: f32) -> Vector3<f32> {
    let scale = if head.scale.is_finite() { head.scale.clamp(0.7, 1.4) } else { 1.0 };
    let cm = face_height * translation.z / (FOCAL * SIDE);
    translation.x += tame(head.x, -0.5, 0.5) * cm;
    translation.y -= tame(head.y, -0.5, 0.5) * cm;
    translation.z /= scale;
    translation
}

/// A value within limits; 0 for one that is no number.
fn tame(x: f32, lo: f32, hi: f32) -> f32 {
    if x.is_finite() { x.clamp(lo, hi) } else { 0.0 }
}

/// Up to this far from straight ahead an eye turns to the side as it is asked, degrees.
const EASY: f32 = 22.0;
/// Further it turns ever less, by this at most: else an iris that the photo shows aside would leave its lids.
const HARD: f32 = 13.0;

/// By how much an eye turns to the side that looks `own` in the photo and shall turn `by`, all degrees.
pub(crate) fn sideways(own: f32, by: f32) -> f32 {
    let held = |turn: f32| {
        let beyond = (turn.abs() - EASY).max(0.0);
        turn.signum() * (turn.abs().min(EASY) + HARD * (beyond / HARD).tanh())
    };
    held(own + by) - held(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera() -> CameraPose {
        CameraPose { rotation: turn(7.0, -3.0, 2.0), translation: Vector3::new(0.5, -0.3, 97.0) }
    }

    #[test]
    fn eyes_turn_as_asked_and_stay_between_their_lids() {
        assert_eq!(sideways(0.0, 0.0), 0.0);
        assert!((sideways(0.0, -15.0) + 15.0).abs() < 1e-4);
        for own in [-20.0, 0.0, 20.0] {
            let turned = [-30.0, -15.0, 0.0, 15.0, 30.0].map(|by| own + sideways(own, by));
            assert!(turned.windows(2).all(|w| w[0] < w[1] - 0.5), "{turned:?}");
            assert!(turned.iter().all(|t: &f32| t.abs() < EASY + HARD), "{turned:?}");
        }
    }

    #[test]
    fn signs_follow_the_motion_format() {
        let front = CameraPose { rotation: Matrix3::identity(), translation: Vector3::new(0.0, 0.0, 97.0) };
        let nose = [0.0, 0.0, 11.0];
        let (still, _) = project(&front, nose);
        let moved = |head| project(&apply(&front, &head, 240.0), nose).0;
        assert!(moved(HeadPose { yaw: 10.0, ..Default::default() })[0] > still[0] + 5.0);
        assert!(moved(HeadPose { pitch: 10.0, ..Default::default() })[1] > still[1] + 5.0);
        assert!(moved(HeadPose { x: 0.1, ..Default::default() })[0] > still[0] + 20.0);
        assert!(moved(HeadPose { y: 0.1, ..Default::default() })[1] > still[1] + 20.0);
        let top = |head| project(&apply(&front, &head, 240.0), [0.0, 12.0, 5.0]).0;
        let rest = top(HeadPose::default());
        assert!(top(HeadPose { roll: 10.0, ..Default::default() })[0] > rest[0] + 5.0);
        assert!(top(HeadPose { scale: 1.1, ..Default::default() })[1] < rest[1] - 5.0);
    }

    #[test]
    fn the_angle_between_poses_is_that_of_the_turn() {
        let still = camera();
        assert!(angle_between(&still, &still) < 0.1);
        let turned = apply(&still, &HeadPose { yaw: 10.0, ..Default::default() }, 240.0);
        assert!((angle_between(&still, &turned) - 10.0 * TURN).abs() < 0.1);
    }

    #[test]
    fn unproject_inverts_project() {
        let x = [1.0, -2.0, 9.0];
        let (p, d) = project(&camera(), x);
        for (a, b) in unproject(&camera(), p, d).into_iter().zip(x) {
            assert!((a - b).abs() < 1e-3, "{a} {b}");
        }
    }

    #[test]
    fn hostile_values_do_not_reach_the_camera() {
        for bad in [f32::NAN, f32::INFINITY, -1e30, 1e30] {
            let head = HeadPose { yaw: bad, pitch: bad, roll: bad, x: bad, y: bad, scale: bad };
            let pose = apply(&camera(), &head, 240.0);
            let (p, d) = project(&pose, [0.0, 0.0, 10.0]);
            assert!(p[0].is_finite() && p[1].is_finite() && d > 20.0, "{bad}: {p:?} {d}");
        }
    }
}
