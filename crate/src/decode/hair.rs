//! Where hair lies before the camera: on the skull.

use super::pose::{rotate, unproject};
use super::weights::smooth;
use crate::portrait::fitted::CameraPose;
use nalgebra::Vector3;

/// Half axes and middle of a head with a little hair on it, head space, cm: the ellipsoid that lies closest to the scalp of
/// the full face model, and some millimetres more.
const SKULL: ([f32; 3], [f32; 3]) = ([9.0, 10.2, 9.9], [0.0, 5.0, 0.4]);
/// How softly the skull's depth passes into the plane beside it, as a share of the squared half axis.
const SOFT: f32 = 0.06;
/// Where the skull's outline begins and ends: the cosine of the angle between its surface and the view.
const ROUND: (f32, f32) = (0.15, 0.55);

/// Distance from the camera to the hair behind a crop pixel, cm, and how much it belongs to the outline of the head, 0..1.
///
/// Hair lies on the skull: over the forehead it is as near as the face, at the sides it falls back steeply. Beside the
/// skull nothing is known; there everything lies in the plane through its middle. Both pass into one another softly.
pub(crate) fn hair(pose: &CameraPose, pixel: [f32; 2]) -> (f32, f32) {
    let (half, middle) = SKULL;
    let plane = pose.translation.z - rotate(pose, middle)[2];
    let round = |x: [f32; 3]| Vector3::from_fn(|c, _| (x[c] - middle[c]) / half[c]);
    let from = round(unproject(pose, pixel, plane));
    let step = round(unproject(pose, pixel, plane - 1.0)) - from;
    let (a, b, c) = (step.dot(&step), step.dot(&from), from.dot(&from) - 1.0);
    // 1 in the middle of the skull, 0 at its outline, negative beside it; bent so that it stays above 0
    let inside = (b * b - a * c) / a;
    let inside = 0.5 * (inside + inside.hypot(SOFT));
    let facing = inside.sqrt();
    let distance = plane + b / a * smooth(facing, 0.0, 0.3) - (inside / a).sqrt();
    (distance, 1.0 - smooth(facing, ROUND.0, ROUND.1))
}

#[cfg(test)]
mod tests {
    use super::super::pose::project;
    use super::*;
    use nalgebra::Matrix3;

    #[test]
    fn hair_lies_on_the_skull_and_beside_it_in_a_plane() {
        let pose = CameraPose { rotation: Matrix3::identity(), translation: Vector3::new(0.0, 0.0, 97.0) };
        let at = |x: f32, y: f32| hair(&pose, project(&pose, [x, y, 3.0]).0);
        let ((front, flat), (temple, _), (beside, round)) = (at(0.0, 8.0), at(7.0, 6.0), at(14.0, 6.0));
        assert!((85.0..89.0).contains(&front) && flat == 0.0, "{front} {flat}");
        assert!((88.5..93.0).contains(&temple), "{temple}");
        assert!((94.5..97.5).contains(&beside) && round == 1.0, "{beside} {round}");
        // no step anywhere
        let way: Vec<f32> = (0..160).map(|k| at(0.1 * k as f32, 6.0).0).collect();
        assert!(way.windows(2).all(|w| (w[1] - w[0]).abs() < 0.5), "{way:?}");
    }
}
