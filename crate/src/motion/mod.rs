//! Features to facial motion.

pub mod file;
pub mod frame;
pub mod lipgap;
pub mod resample;

pub use file::{MotionFile, MotionFileError};
pub use frame::{Blendshape, Blendshapes, Gaze, HeadPose, MotionFrame};
