//! Features to facial motion.

pub mod articulation;
pub mod encoder;
pub mod error;
pub mod file;
#[cfg(test)]
mod fixtures;
pub mod frame;
pub mod lipgap;
pub mod lips;
pub mod resample;
mod stream_net;

pub use error::MotionError;
pub use file::{MotionFile, MotionFileError};
pub use frame::{Blendshape, Blendshapes, Gaze, HeadPose, MotionFrame};
