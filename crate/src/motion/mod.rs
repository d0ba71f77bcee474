//! Features to facial motion.
//!
//! | module | idea |
//! |---|---|
//! | [`frame`] | one moment of motion: names, signs, units |
//! | [`file`](mod@file), [`resample`] | motion as JSON, and at another frame rate |
//! | [`encoder`], [`lips`], [`articulation`] | sound to phones, to articulation, to ARKit coefficients |
//! | [`phone`], [`timed`], `coarticulation` | phones whose times are known, read from files, to articulation |
//! | [`words`], [`align`] | a transcript to phones, and those to their times in the sound |
//! | `prosody`, `rhythm` | loudness and pitch, phrases and accents |
//! | `steady`, `speech` | music, and whether it is speech at all |
//! | `head`, `brows`, `blink`, `gaze`, `breath`, `emotion`, `life` | everything but the words |
//! | [`controls`] | what a person may ask for |
//! | [`generator`] | all of it, as a stream |

pub mod align;
pub mod articulation;
mod blink;
mod breath;
mod brows;
mod coarticulation;
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
pub mod phone;
mod prosody;
pub mod resample;
mod rhythm;
mod speech;
mod steady;
mod stream_net;
pub mod timed;
pub mod words;

pub use align::Aligner;
pub use controls::{Controls, Emotion};
pub use error::MotionError;
pub use file::{MotionFile, MotionFileError};
pub use frame::{Blendshape, Blendshapes, Gaze, HeadPose, MotionFrame, Reference};
pub use generator::MotionGenerator;
pub use phone::Phone;
pub use timed::{TimedPhone, TimedPhones, TimedPhonesError};
pub use words::{Transcript, TranscriptError};
