//! How a motion of the head moves what is fixed to the skull.

use super::pose::rotate;
use crate::portrait::fitted::{CameraPose, FOCAL, PIVOT, SIDE};
use nalgebra::{Matrix3, Vector3};

/// A motion of the head from the pose in the photo to that of a frame.
pub(crate) struct Turn {
    /// As a rigid body.
    rigid: Matrix3<f32>,
    /// In the picture only: what shows the same side whatever the head does.
    roll: Matrix3<f32>,
    /// As the outline of a round body: what lies in front of the pivot moves, but nothing gets narrower.
    round: Matrix3<f32>,
    pivot: Vector3<f32>,
}

impl Turn {
    pub fn new(photo: &CameraPose, now: &CameraPose) -> Self {
        let rigid = now.rotation * photo.rotation.transpose();
        let (sin, cos) = rigid[(1, 0)].atan2(rigid[(0, 0)]).sin_cos();
        let round = Matrix3::new(cos, -sin, rigid[(0, 2)], sin, cos, rigid[(1, 2)], 0.0, 0.0, 1.0);
        let roll = Matrix3::new(cos, -sin, 0.0, sin, cos, 0.0, 0.0, 0.0, 1.0);
        let mut pivot = Vector3::from(rotate(now, PIVOT)) + now.translation;
        pivot.z = now.translation.z - rotate(now, PIVOT)[2];
        Self { rigid, roll, round, pivot }
    }

    /// Crop pixel of a point in the photo's camera axes about the pivot; `round`: 0 for a rigid body, 1 for an outline.
    pub fn project(&self, x: [f32; 3], round: f32) -> [f32; 2] {
        let x = Vector3::from(x);
        let (a, b) = (self.rigid * x, self.round * x);
        self.pixel(a + (b - a) * round)
    }

    /// How far the head turns aside: the sine of the angle, positive towards positive x.
    pub fn sideways(&self) -> f32 {
        self.rigid[(0, 2)]
    }

    /// Where a point of a rigid body goes; all points in camera axes about the pivot.
    pub fn turned(&self, x: Vector3<f32>) -> Vector3<f32> {
        self.rigid * x
    }

    /// Where a point of a card goes that is fixed to the head at `root` and always shows the same side.
    pub fn card(&self, root: Vector3<f32>, x: Vector3<f32>) -> Vector3<f32> {
        self.rigid * root + self.roll * (x - root)
    }

    /// Crop pixel of a point in camera axes about the pivot.
    pub fn pixel(&self, c: Vector3<f32>) -> [f32; 2] {
        let k = FOCAL * SIDE / (self.pivot.z - c.z).max(1.0);
        [SIDE / 2.0 + k * (c.x + self.pivot.x), SIDE / 2.0 - k * (c.y + self.pivot.y)]
    }
}
