//! A decoder with its frame in the module's memory, where JavaScript sees it without a copy.

use wasm_bindgen::prelude::*;

use super::engine::BorderError;
use super::error::OrJs;
use super::motion::frame_of;
use crate::decode::background::straighten;
use crate::decode::work::FrameWork;
use crate::decode::{Background, DecodeError, Decoder};
use crate::exec::clock::seconds;
use crate::motion::MotionFrame;
use crate::motion::generator::REFERENCE;

/// Draws rows of frames of one portrait.
#[derive(Default)]
pub(super) struct Stage {
    decoder: Option<Decoder>,
    background: Background,
    /// The last frame, RGBA.
    rgba: Vec<u8>,
    /// What it took to work out the last frame, milliseconds.
    pub planned: f64,
    /// What it took to paint the last rows, milliseconds.
    pub painted: f64,
}

impl Stage {
    /// What is behind the person.
    pub fn background(&self) -> &Background {
        &self.background
    }

    /// Chooses what is behind the person.
    pub fn set_background(&mut self, background: Background) -> Result<(), DecodeError> {
        if let Some(decoder) = &mut self.decoder {
            decoder.set_background(&background)?;
        }
        self.background = background;
        Ok(())
    }

    /// Forgets the portrait.
    pub fn clear(&mut self) {
        self.decoder = None;
    }

    /// Draws rows `top..bottom` of a frame of `size` x `size` pixels; answers the address of its first row in the
    /// module's memory, where the rows lie from `4 * size * top` bytes on. `make`: makes the decoder where there is none
    /// of this size.
    pub fn render(
        &mut self,
        motion: &[f32],
        size: u32,
        [top, bottom]: [u32; 2],
        make: impl FnOnce() -> Result<Decoder, JsValue>,
    ) -> Result<usize, JsValue> {
        let frame = frame_of(motion).ok_or(BorderError::Length).or_js("decode")?;
        let transparent = self.background.is_transparent();
        let (decoder, rgba) = self.ready(size, make)?;
        let row = size as usize * 4;
        let place = top as usize * row..bottom as usize * row;
        let rows = rgba.get_mut(place).ok_or(BorderError::Length).or_js("decode")?;
        let started = seconds();
        decoder.plan(&frame, REFERENCE);
        let planned = seconds();
        decoder.paint(top..bottom, rows).or_js("decode")?;
        if transparent {
            straighten(rows);
        }
        self.planned = 1e3 * (planned - started);
        self.painted = 1e3 * (seconds() - planned);
        Ok(self.rgba.as_ptr() as usize)
    }

    /// Draws a whole frame and tells what its parts cost. `make` as in [`Self::render`].
    pub fn watch(
        &mut self,
        frame: &MotionFrame,
        size: u32,
        make: impl FnOnce() -> Result<Decoder, JsValue>,
    ) -> Result<FrameWork, JsValue> {
        let (decoder, rgba) = self.ready(size, make)?;
        decoder.render_watched(frame, REFERENCE, rgba).or_js("decode")
    }

    /// A decoder for frames of this size, and room for one.
    fn ready(
        &mut self,
        size: u32,
        make: impl FnOnce() -> Result<Decoder, JsValue>,
    ) -> Result<(&mut Decoder, &mut Vec<u8>), JsValue> {
        let decoder = match self.decoder.take().filter(|decoder| decoder.size() == size) {
            Some(decoder) => decoder,
            None => {
                let mut decoder = make()?;
                decoder.set_background(&self.background).or_js("background")?;
                decoder
            }
        };
        self.rgba.resize(size as usize * size as usize * 4, 0);
        Ok((self.decoder.insert(decoder), &mut self.rgba))
    }
}
