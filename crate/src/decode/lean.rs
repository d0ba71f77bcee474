//! Shoulders that go along when a head comes nearer or moves to a side.

use crate::portrait::fitted::{CameraPose, FOCAL, SIDE};

/// How far the shoulders lie behind the middle of the head, cm.
const SHOULDERS: f32 = 4.0;
/// Share of the head's way that the shoulders go along when a person leans forwards or to a side.
pub(crate) const LEAN: f32 = 0.6;

/// How shoulders and chest follow a head that comes nearer or moves to a side: a body that leans from the hips, which lie
/// at the photo's lower edge or below.
pub(crate) struct Lean {
    /// Crop pixels now of a point at the shoulders' distance: `shift + size * p`.
    size: f32,
    shift: [f32; 2],
    share: f32,
    /// Where it ends, crop pixels from above, and one over the way to there.
    hips: f32,
    fade: f32,
}

impl Lean {
    pub fn new(photo: &CameraPose, now: &CameraPose, share: f32, hips: f32) -> Self {
        // shoulders lie behind the face
        let (was, is) = (photo.translation, now.translation);
        let size = (was.z + SHOULDERS) / (is.z + SHOULDERS);
        let k = FOCAL * SIDE / (is.z + SHOULDERS);
        let middle = SIDE / 2.0 * (1.0 - size);
        Self {
            size,
            shift: [middle + k * (is.x - was.x), middle - k * (is.y - was.y)],
            share,
            hips,
            fade: 1.0 / (hips - SIDE / 2.0).max(1.0),
        }
    }

    /// How far a point of the body moves, crop pixels.
    pub fn moves(&self, p: [f32; 2]) -> [f32; 2] {
        let share = self.share * ((self.hips - p[1]) * self.fade).clamp(0.0, 1.0);
        std::array::from_fn(|c| share * (self.shift[c] + (self.size - 1.0) * p[c]))
    }
}
