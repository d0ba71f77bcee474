//! Features to facial motion.

pub mod frame;

pub use frame::{Blendshape, Blendshapes, Gaze, HeadPose, MotionFrame};
