//! From a photo to a fitted face: crop, second look at the landmarks, lip snapping, solving, pinning.

/// Why the 3-D face could not be fitted to landmarks.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// The wrong number of landmarks.
    #[error("{found} landmarks were given where 478 are needed: pass what the face finder returned")]
    LandmarkCount {
        /// How many came.
        found: usize,
    },
    /// A landmark is NaN or infinite.
    #[error("landmark {index} is not a number: choose another photo")]
    NotFinite {
        /// The first such landmark.
        index: usize,
    },
    /// The points do not span a face (all in one place or on a line).
    #[error("the landmarks do not form a face: choose another photo")]
    Degenerate,
    /// The face is too small in the photo to be used.
    #[error("the face is only {height:.0} pixels high: choose a photo in which it has at least {least:.0}")]
    TooSmall {
        /// Forehead to chin, pixels of the photo.
        height: f32,
        /// The least height that is accepted.
        least: f32,
    },
}
