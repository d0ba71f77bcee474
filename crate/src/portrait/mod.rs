//! A photo becomes a fitted 3-D face: picture, landmarks, crop, fit.

pub mod crop;
pub mod error;
pub mod face_model;
pub mod face_pack;
pub mod fit;
pub mod fitted;
mod glasses;
pub mod landmarks;
pub mod load;
mod patch;
pub mod picture;
pub mod pin;
mod resample;
mod snap;
pub mod solve;

pub use error::PortraitError;
pub use face_model::FaceModel;
pub use fitted::FittedFace;
pub use landmarks::FaceLandmarks;
pub use load::{LoadError, LoadOptions, load};
pub use picture::Picture;
