//! A portrait after the fit: everything that the decoder needs to know of the photo.
//!
//! Coordinates: *crop pixels*, a square of [`SIDE`] pixels around the face, origin at its top left, pixel centres at
//! .5. The texture holds the same square and a margin of [`PAD`] sides around it, at [`TEX`] pixels a side, so that
//! crop pixel `p` lies at texture pixel `(p + PAD * SIDE) * TEX / SIDE` (centres at .5 again).

use super::light::Light;
#[cfg(doc)]
use super::person::MASK;
use super::warning::PortraitWarning;

/// Crop pixels along a side.
pub const SIDE: f32 = 512.0;
/// Margin around the crop, in sides.
pub const PAD: f32 = 0.25;
/// Texture pixels to a crop side.
pub const TEX: f32 = 640.0;
/// Texture pixels along a side, margin included: `TEX * (1 + 2 * PAD)`.
pub const TEX_FULL: usize = 960;
/// Focal length in crop sides.
pub const FOCAL: f32 = 2.4;
/// The head turns about this point of head space, cm (top of the neck).
pub const PIVOT: [f32; 3] = [0.0, -5.0, -0.5];

/// Rotation and translation from head space to the camera. A vertex `x` has the camera point `c = rotation * x`,
/// distance `d = translation.z - c.z`, and crop pixel
/// `(SIDE / 2 + k * (c.x + translation.x), SIDE / 2 - k * (c.y + translation.y))` with `k = FOCAL * SIDE / d`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraPose {
    /// Row-major rotation.
    pub rotation: nalgebra::Matrix3<f32>,
    /// x, y in cm and the distance of the head's origin from the camera in cm.
    pub translation: nalgebra::Vector3<f32>,
}

impl CameraPose {
    /// How far the nose points to the picture's right, degrees.
    pub fn yaw(&self) -> f32 {
        self.rotation[(0, 2)].atan2(self.rotation[(2, 2)]).to_degrees()
    }
}

/// The result of fitting [`super::FaceModel`] to a photo.
#[derive(Clone, Debug)]
pub struct FittedFace {
    /// Padded crop: RGB, 0..255 as `f32`, `TEX_FULL * TEX_FULL * 3` values.
    pub texture: Vec<f32>,
    /// Landmarks in crop pixels after lip snapping (478).
    pub landmarks: Vec<[f32; 2]>,
    /// Pose of the head in the photo.
    pub pose: CameraPose,
    /// Identity weights, -3..3.
    pub identity: Vec<f32>,
    /// Expression weights that the photo shows, 0..1, in the order of the model's expressions.
    pub expression: Vec<f32>,
    /// Shape of this person without expression, before pinning: neutral + identity.
    pub shape: Vec<[f32; 3]>,
    /// `shape` plus the offsets that put every landmark exactly on the photo.
    pub base: Vec<[f32; 3]>,
    /// Centre of the subject's right eyeball (image left), head space, cm.
    pub eye_right: [f32; 3],
    /// Centre of the subject's left eyeball (image right), head space, cm.
    pub eye_left: [f32; 3],
    /// Mean landmark error before pinning, crop pixels.
    pub error: f32,
    /// Spectacles were found: skin around the eyes must not move.
    pub glasses: bool,
    /// Probability that the texture shows the person, 0..1: [`MASK`] rows of [`MASK`] values over all of it; none if
    /// nobody looked.
    pub person: Option<Vec<f32>>,
    /// The part of the texture that is photo: left, top, right, bottom, texture pixels. The rest repeats its border.
    pub photo: [f32; 4],
    /// Something hides the mouth: it must not move.
    pub mouth_covered: bool,
    /// What a person should know about the photo.
    pub warnings: Vec<PortraitWarning>,
    /// The light that falls on the face.
    pub light: Light,
}
