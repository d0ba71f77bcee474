//! The border to JavaScript, thin: it turns arrays into slices, errors into `Error`s, and does nothing else.

mod bench;
mod blob;
mod engine;
mod error;
mod gpu;
mod motion;
mod sound;
mod stage;
mod twin;
mod words;

use wasm_bindgen::prelude::*;

pub use bench::Bench;
pub use engine::{Engine, FoundFace, PortraitFacts};
pub use gpu::{GpuStage, open_gpu};
pub use motion::{Motion, emotion_names};
pub use sound::{LiveSound, SoundReader};
pub use twin::Twin;
pub use words::{Phones, TranscriptAligner};

/// Runs when the module is loaded: a defect that would otherwise be a bare `unreachable` says where it is.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}
