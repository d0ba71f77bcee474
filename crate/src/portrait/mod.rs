//! A photo becomes a fitted 3-D face: picture, landmarks, crop, fit.

pub mod error;
pub mod face_model;
pub mod fit;
pub mod fitted;
pub mod landmarks;
pub mod load;
pub mod picture;

pub use error::PortraitError;
pub use face_model::FaceModel;
pub use fitted::FittedFace;
pub use landmarks::FaceLandmarks;
pub use load::{LoadError, LoadOptions, load};
pub use picture::Picture;
