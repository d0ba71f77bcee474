//! What can go wrong between a photo and a fitted face.

use super::{find::FindError, fit::FitError, load::LoadError};

/// Why a photo did not become a fitted face.
#[derive(Debug, thiserror::Error)]
pub enum PortraitError {
    /// The photo could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Faces could not be looked for.
    #[error(transparent)]
    Find(#[from] FindError),
    /// No face in the picture.
    #[error("no face was found: try a sharper photo in which one face looks towards the camera and is not covered")]
    NoFace,
    /// The face that was asked for does not exist.
    #[error("face {wanted} was asked for, but the photo shows {found}: choose a number from 0 to {}", found.saturating_sub(1))]
    NoSuchFace {
        /// Index that was asked for, counted from 0 (largest face).
        wanted: usize,
        /// How many faces there are.
        found: usize,
    },
    /// The face was found, but the 3-D face could not be fitted to it.
    #[error(transparent)]
    Fit(#[from] FitError),
}
