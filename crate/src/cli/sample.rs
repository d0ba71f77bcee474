//! The sample portrait and recording that lie in the repository.

use std::path::PathBuf;

use super::failure::Failure;
use super::models::near;

const PORTRAIT: &str = "web/page/samples/portrait.jpg";
const SPEECH: &str = "web/page/samples/speech.mp3";

/// The sample portrait.
pub fn portrait() -> Result<PathBuf, Failure> {
    near(PORTRAIT).ok_or_else(|| missing(PORTRAIT))
}

/// The sample recording.
pub fn speech() -> Result<PathBuf, Failure> {
    near(SPEECH).ok_or_else(|| missing(SPEECH))
}

fn missing(what: &str) -> Failure {
    Failure::Usage(format!("The sample {what} is not here; name a portrait and a recording."))
}
