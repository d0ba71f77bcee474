//! A photo becomes a fitted 3-D face: picture, landmarks, crop, fit.

mod beyond;
pub mod blendshapes;
mod covered;
pub mod crop;
pub mod detector;
pub mod error;
pub mod face_model;
pub mod face_pack;
pub mod find;
pub mod fit;
pub mod fitted;
mod fitted_file;
mod glasses;
pub mod landmarks;
pub mod light;
pub mod load;
pub mod network;
pub(crate) mod normals;
pub(crate) mod patch;
pub mod person;
pub mod picture;
pub mod pin;
pub mod region;
pub(crate) mod resample;
pub(crate) mod snap;
pub mod solve;
#[cfg(test)]
pub(crate) mod testing;
mod views;
pub mod warning;

pub use error::PortraitError;
pub use face_model::FaceModel;
pub use find::{FaceFinder, FindError};
pub use fitted::FittedFace;
pub use landmarks::FaceLandmarks;
pub use load::{LoadError, LoadOptions, load};
pub use person::PersonFinder;
pub use picture::Picture;
pub use warning::PortraitWarning;
