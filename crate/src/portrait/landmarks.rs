//! What the face networks find in a picture.

/// Landmarks of MediaPipe's face mesh: 468 of the skin and 5 of each iris.
pub const LANDMARKS: usize = 478;

/// One face: 478 points in pixels of the picture it was found in.
#[derive(Clone, Debug)]
pub struct FaceLandmarks {
    /// `[x, y, z]` in pixels; pixel centres lie at .5; z has the same unit and grows away from the viewer.
    pub points: Vec<[f32; 3]>,
    /// Probability that this is a face, 0..1.
    pub presence: f32,
    /// MediaPipe's estimate of the ARKit coefficients, in the network's own order, 0..1.
    pub blendshapes: Vec<f32>,
}
