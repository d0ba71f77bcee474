//! A second decoder of the same portrait in a worker of its own: it draws a share of every frame's rows.

use std::sync::Arc;

use wasm_bindgen::prelude::*;

use super::engine::picture_behind;
use super::error::OrJs;
use super::stage::Stage;
use crate::decode::{Background, Decoder};
use crate::pack::Pack;
use crate::portrait::{FaceModel, FittedFace};

/// A decoder without networks.
#[wasm_bindgen]
pub struct Twin {
    model: Arc<FaceModel>,
    face: Option<FittedFace>,
    stage: Stage,
}

#[wasm_bindgen]
impl Twin {
    /// Takes the face model from a pack.
    ///
    /// # Errors
    /// When it is damaged or has none (code `pack`).
    #[wasm_bindgen(constructor)]
    pub fn new(pack: Vec<u8>) -> Result<Twin, JsValue> {
        let pack = Pack::from_bytes(pack).or_js("pack")?;
        let model = Arc::new(FaceModel::from_pack(&pack).or_js("pack")?);
        Ok(Self { model, face: None, stage: Stage::default() })
    }

    /// Takes the portrait that the engine wrote (see `Engine.fitted`).
    ///
    /// # Errors
    /// When the bytes are none (code `decode`).
    #[wasm_bindgen(js_name = setPortrait)]
    pub fn set_portrait(&mut self, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.face = Some(FittedFace::from_bytes(bytes).or_js("decode")?);
        self.stage.clear();
        Ok(())
    }

    /// Chooses what is behind the person, as the engine does.
    ///
    /// # Errors
    /// As the engine's.
    #[wasm_bindgen(js_name = setBackground)]
    pub fn set_background(&mut self, name: &str) -> Result<(), JsValue> {
        let background = Background::from_name(name).unwrap_or_default();
        self.stage.set_background(background).or_js("background")
    }

    /// Puts a picture (RGBA) behind the person, as the engine does.
    ///
    /// # Errors
    /// As the engine's.
    #[wasm_bindgen(js_name = setBackgroundPixels)]
    pub fn set_background_pixels(&mut self, width: usize, height: usize, rgba: &[u8]) -> Result<(), JsValue> {
        self.stage.set_background(picture_behind(width, height, rgba)?).or_js("background")
    }

    /// Draws rows `top..bottom` of a frame of `size` x `size` pixels (RGBA); answers the address of the frame's first row
    /// in the module's memory.
    ///
    /// # Errors
    /// Without a portrait, with an impossible size, or rows that do not exist (code `decode`).
    pub fn render(&mut self, motion: &[f32], size: u32, top: u32, bottom: u32) -> Result<usize, JsValue> {
        let Self { model, face, stage } = self;
        stage.render(motion, size, [top, bottom], || {
            let face = face.clone().ok_or(super::engine::BorderError::NoPortrait).or_js("decode")?;
            Decoder::new(Arc::clone(model), face, size).or_js("decode")
        })
    }
}
