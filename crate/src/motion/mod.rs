//! Features to facial motion.
//!
//! | module | idea |
//! |---|---|
//! | [`frame`] | one moment of motion: names, signs, units |
//! | [`file`](mod@file), [`resample`] | motion as JSON, and at another frame rate |
//! | [`encoder`], [`lips`], [`articulation`] | sound to phones, to articulation, to ARKit coefficients |
//! | `prosody`, `rhythm` | loudness and pitch, phrases and accents |
//! | `head`, `brows`, `blink`, `gaze`, `breath`, `emotion`, `life` | everything but the words |
//! | [`controls`] | what a person may ask for |
//! | [`generator`] | all of it, as a stream |

pub mod articulation;
mod blink;
mod breath;
mod brows;
pub mod controls;
mod dice;
mod emotion;
pub mod encoder;
pub mod error;
pub mod file;
#[cfg(test)]
mod fixtures;
pub mod frame;
mod gaze;
pub mod generator;
mod head;
mod life;
pub mod lipgap;
pub mod lips;
mod prosody;
pub mod resample;
mod rhythm;
mod stream_net;

pub use controls::{Controls, Emotion};
pub use error::MotionError;
pub use file::{MotionFile, MotionFileError};
pub use frame::{Blendshape, Blendshapes, Gaze, HeadPose, MotionFrame, Reference};
pub use generator::MotionGenerator;
