//! Pack, portrait and frames for JavaScript.

use std::sync::Arc;

use wasm_bindgen::prelude::*;

use super::error::OrJs;
use super::motion::{Motion, controls_of};
use super::stage::Stage;
use crate::animator::Models;
use crate::decode::Background;
use crate::decode::work::FrameWork;
use crate::motion::MotionFrame;
use crate::motion::frame::FPS;
use crate::portrait::load::{LoadOptions, load};
use crate::portrait::{FittedFace, Picture, PortraitWarning};

/// Behind the transparent parts of a picture.
const BACKGROUND: [u8; 3] = [255; 3];

/// What is known of a portrait.
#[wasm_bindgen]
pub struct PortraitFacts {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Faces in the picture.
    pub faces: usize,
    /// There are glasses.
    pub glasses: bool,
    /// How far the head is turned, degrees, positive to the picture's right.
    pub yaw: f32,
    warnings: Vec<PortraitWarning>,
}

#[wasm_bindgen]
impl PortraitFacts {
    /// What a person should know about the photo: name and sentence of each warning in turn.
    #[wasm_bindgen(getter)]
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.iter().flat_map(|w| [w.code().to_owned(), w.to_string()]).collect()
    }
}

/// A face in a picture.
#[wasm_bindgen]
pub struct FoundFace {
    points: Vec<f32>,
    /// Probability that this is a face, 0..1.
    pub presence: f32,
}

#[wasm_bindgen]
impl FoundFace {
    /// `x, y` of the 478 points one after another, pixels.
    #[wasm_bindgen(getter)]
    pub fn points(&self) -> Vec<f32> {
        self.points.clone()
    }
}

/// The pack's networks and one portrait.
#[wasm_bindgen]
pub struct Engine {
    models: Models,
    face: Option<FittedFace>,
    stage: Stage,
}

#[wasm_bindgen]
impl Engine {
    /// Reads a pack.
    ///
    /// # Errors
    /// When it is damaged or lacks something (code `pack`).
    #[wasm_bindgen(constructor)]
    pub fn new(pack: Vec<u8>) -> Result<Engine, JsValue> {
        let models = Models::from_bytes(pack).or_js("pack")?;
        Ok(Self { models, face: None, stage: Stage::default() })
    }

    /// Takes a JPEG, PNG or WebP file as the portrait. `face`: which one, 0 is the largest; `glasses`: whether
    /// the person wears some, where that is known better than the photo tells.
    ///
    /// # Errors
    /// When the file is no usable picture (code `portrait`) or shows no usable face (code `no-face`).
    #[wasm_bindgen(js_name = setPortrait)]
    pub fn set_portrait(
        &mut self,
        file: &[u8],
        face: Option<usize>,
        glasses: Option<bool>,
    ) -> Result<PortraitFacts, JsValue> {
        let picture =
            load(file, &LoadOptions { background: BACKGROUND, ..LoadOptions::default() }).or_js("portrait")?;
        self.take(&picture, face, glasses)
    }

    /// Takes pixels (RGBA) that the browser has decoded as the portrait.
    ///
    /// # Errors
    /// As [`Self::set_portrait`].
    #[wasm_bindgen(js_name = setPortraitPixels)]
    pub fn set_portrait_pixels(
        &mut self,
        width: usize,
        height: usize,
        rgba: &[u8],
        face: Option<usize>,
        glasses: Option<bool>,
    ) -> Result<PortraitFacts, JsValue> {
        let picture = Picture::from_rgba(width, height, rgba, BACKGROUND).or_js("portrait")?;
        self.take(&picture, face, glasses)
    }

    fn take(
        &mut self,
        picture: &Picture,
        face: Option<usize>,
        glasses: Option<bool>,
    ) -> Result<PortraitFacts, JsValue> {
        let found = self.models.finder().find(picture).or_js("portrait")?;
        let faces = found.len();
        let mut fitted = self.models.fit_found(picture, found, face).or_js("no-face")?;
        fitted.glasses = glasses.unwrap_or(fitted.glasses);
        let facts = PortraitFacts {
            width: picture.width,
            height: picture.height,
            faces,
            glasses: fitted.glasses,
            yaw: fitted.pose.yaw(),
            warnings: fitted.warnings.clone(),
        };
        self.face = Some(fitted);
        self.stage.clear();
        Ok(facts)
    }

    /// Chooses what is behind the person: `keep`, `blur`, `transparent` or a colour such as `#203040`.
    ///
    /// # Errors
    /// For other words, or when the person cannot be told from the background (code `background`).
    #[wasm_bindgen(js_name = setBackground)]
    pub fn set_background(&mut self, name: &str) -> Result<(), JsValue> {
        let background = Background::from_name(name).ok_or(BorderError::Background).or_js("background")?;
        self.stage.set_background(background).or_js("background")
    }

    /// Puts a picture (RGBA) behind the person.
    ///
    /// # Errors
    /// When the picture is too large or too small, or the person cannot be told from the background (code `background`).
    #[wasm_bindgen(js_name = setBackgroundPixels)]
    pub fn set_background_pixels(&mut self, width: usize, height: usize, rgba: &[u8]) -> Result<(), JsValue> {
        self.stage.set_background(picture_behind(width, height, rgba)?).or_js("background")
    }

    /// Faces in a picture (RGBA), the largest first.
    ///
    /// # Errors
    /// When the picture is too large or too small (code `portrait`).
    #[wasm_bindgen(js_name = findFaces)]
    pub fn find_faces(&self, width: usize, height: usize, rgba: &[u8]) -> Result<Vec<FoundFace>, JsValue> {
        let picture = Picture::from_rgba(width, height, rgba, BACKGROUND).or_js("portrait")?;
        let faces = self.models.finder().find(&picture).or_js("portrait")?;
        let found = faces.into_iter().map(|face| FoundFace {
            points: face.points.iter().flat_map(|&[x, y, _]| [x, y]).collect(),
            presence: face.presence,
        });
        Ok(found.collect())
    }

    /// Starts a take. The same seed gives the same motion for the same speech.
    ///
    /// # Errors
    /// When the pack has no speech networks (code `pack`).
    #[wasm_bindgen(js_name = startMotion)]
    pub fn start_motion(&self, seed: u32, controls: &[f32]) -> Result<Motion, JsValue> {
        let stream = self.models.motion(controls_of(controls), u64::from(seed), f64::from(FPS)).or_js("pack")?;
        Ok(Motion::new(stream))
    }

    /// Draws rows `top..bottom` of a frame of `size` x `size` pixels (RGBA). Answers the address of the frame's first row
    /// in the module's memory; it stays the same until the size changes.
    ///
    /// # Errors
    /// Without a portrait, with an impossible size, or rows that do not exist (code `decode`).
    pub fn render(&mut self, motion: &[f32], size: u32, top: u32, bottom: u32) -> Result<usize, JsValue> {
        let Self { models, face, stage } = self;
        stage.render(motion, size, [top, bottom], || models.decoder(portrait(face)?, size).or_js("decode"))
    }

    /// What it took to work out the last frame, milliseconds.
    #[wasm_bindgen(getter)]
    pub fn planned(&self) -> f64 {
        self.stage.planned
    }

    /// What it took to paint the last rows, milliseconds.
    #[wasm_bindgen(getter)]
    pub fn painted(&self) -> f64 {
        self.stage.painted
    }

    /// The portrait for a [`super::Twin`].
    ///
    /// # Errors
    /// Without one (code `decode`).
    #[wasm_bindgen(getter)]
    pub fn fitted(&self) -> Result<Vec<u8>, JsValue> {
        self.face.as_ref().ok_or(BorderError::NoPortrait).or_js("decode")?.to_bytes().or_js("decode")
    }
}

/// A copy of the portrait, where there is one.
fn portrait(face: &Option<FittedFace>) -> Result<FittedFace, JsValue> {
    face.clone().ok_or(BorderError::NoPortrait).or_js("decode")
}

/// A picture (RGBA) as a background.
pub(super) fn picture_behind(width: usize, height: usize, rgba: &[u8]) -> Result<Background, JsValue> {
    let picture = Picture::from_rgba(width, height, rgba, BACKGROUND).or_js("background")?;
    Ok(Background::Picture(Arc::new(picture)))
}

/// What only JavaScript can do wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum BorderError {
    /// A frame was asked for before there was a portrait.
    #[error("There is no portrait yet; please choose one first.")]
    NoPortrait,
    /// A background that nobody knows.
    #[error("The background is keep, blur, transparent, a colour such as #203040, or a picture.")]
    Background,
    /// A network that nobody knows.
    #[error("The model pack has no network of that name.")]
    NoNetwork,
    /// An array has another length than it must have.
    #[error("An array has the wrong length; please report this defect.")]
    Length,
    /// There is no WebGPU, or it does not draw on canvases.
    #[error("This browser offers no WebGPU here; please choose the processor, or a current browser.")]
    NoWebGpu,
    /// The device went away or refused a command.
    #[error("The graphics card was lost; it has to be opened again.")]
    LostGpu,
}

impl Engine {
    /// Draws a frame and tells what its parts cost.
    pub(super) fn watch(&mut self, frame: &MotionFrame, size: u32) -> Result<FrameWork, JsValue> {
        let Self { models, face, stage } = self;
        stage.watch(frame, size, || models.decoder(portrait(face)?, size).or_js("decode"))
    }

    /// The portrait.
    pub(super) fn face(&self) -> Result<FittedFace, JsValue> {
        portrait(&self.face)
    }

    /// What is behind the person.
    pub(super) fn background(&self) -> &Background {
        self.stage.background()
    }

    /// What the pack gives.
    pub(super) fn models(&self) -> &Models {
        &self.models
    }
}
