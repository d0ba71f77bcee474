//! Phones and transcripts for JavaScript.

use wasm_bindgen::prelude::*;

use super::engine::Engine;
use super::error::OrJs;
use crate::motion::timed::TimedPhones;
use crate::motion::words::lexicon::Lexicon;
use crate::motion::{Aligner, Transcript};

/// Phones with their times in a recording.
#[wasm_bindgen]
pub struct Phones {
    phones: TimedPhones,
}

#[wasm_bindgen]
impl Phones {
    /// Reads a file of timed phones or visemes: JSON, Polly speech marks, CTM, TextGrid.
    ///
    /// # Errors
    /// When it is none of these, or a line of it is wrong (code `words`).
    #[wasm_bindgen(constructor)]
    pub fn new(file: &[u8]) -> Result<Phones, JsValue> {
        Ok(Self { phones: TimedPhones::from_bytes(file).or_js("words")? })
    }

    /// What was repaired, one sentence each, for a sound of `seconds`.
    ///
    /// # Errors
    /// When phones run past the end of the sound (code `words`).
    pub fn warnings(&self, seconds: f64) -> Result<Vec<String>, JsValue> {
        self.phones.fit(seconds).or_js("words")?;
        Ok(self.phones.warnings().to_vec())
    }
}

impl Phones {
    /// The phones.
    pub(super) fn timed(&self) -> &TimedPhones {
        &self.phones
    }
}

/// Lays a transcript under a recording that comes piece by piece.
#[wasm_bindgen]
pub struct TranscriptAligner {
    aligner: Option<Aligner>,
}

#[wasm_bindgen]
impl TranscriptAligner {
    /// Begins with the start of the recording; `text` is what is said in it, in English.
    ///
    /// # Errors
    /// When the text has no words or other letters (code `words`).
    #[wasm_bindgen(constructor)]
    pub fn new(engine: &Engine, text: &str) -> Result<TranscriptAligner, JsValue> {
        let pack = engine.models().pack();
        let transcript = Transcript::new(text, Lexicon::from_pack(pack).as_ref()).or_js("words")?;
        Ok(Self { aligner: Some(Aligner::new(pack, &transcript).or_js("words")?) })
    }

    /// Takes speech (16 kHz, mono).
    ///
    /// # Errors
    /// When a network fails (code `motion`).
    pub fn push(&mut self, samples: &[f32]) -> Result<(), JsValue> {
        self.aligner.as_mut().map_or(Ok(()), |aligner| aligner.push(samples)).or_js("motion")
    }

    /// Ends the recording; `undefined` when that was done before.
    ///
    /// # Errors
    /// When the text does not fit the sound (code `words`).
    pub fn finish(&mut self) -> Result<Option<Phones>, JsValue> {
        let Some(aligner) = self.aligner.take() else { return Ok(None) };
        Ok(Some(Phones { phones: aligner.finish().or_js("words")? }))
    }
}
