//! Fitted face and motion to pictures. The geometry exists twice, with equal results: on the CPU and as WGSL.
//!
//! One mesh covers the whole picture: the face as the fit sees it, and a grid around it that is tied to the face's
//! outline. A motion frame moves the mesh ([`Decoder::render`]), one full-resolution look-up of the photo fills it,
//! and only what the photo cannot show is painted: the inside of the mouth, eyeballs behind the lids, lids that come
//! down, the line between shut lips.
//!
//! | file | what it does |
//! |---|---|
//! | `mesh` | cuts the visible face out of the model, fills the holes of mouth and eyes |
//! | `surroundings` | the grid around the face and how it follows |
//! | `layers`, `matte`, `fill`, `grain` | the photo parted into the person and what is behind |
//! | `background` | what is shown behind the person instead |
//! | `hidden` | texture for the inside of the nostrils |
//! | `weights`, `pose` | what a motion frame asks for |
//! | `vertices`, `contour` | where the skin goes; lips and lids that shut |
//! | `lids`, `shut_lid`, `iris`, `eyes` | eyeballs and lids, prepared once for each portrait |
//! | `mouth`, `arches`, `teeth`, `tongue`, `card`, `mouth_light`, `lip_skin` | the mouth, prepared likewise |
//! | `shading` | skin that turns in the light |
//! | `folds`, `fold_lines`, `fold_curve`, `fold_ground` | wrinkles that come and go with the expression |
//! | `puppet` | all of it together: a motion frame becomes a `FramePlan` |
//! | `plan` | the plain numbers of a frame that CPU and GPU paint from |
//! | `strips`, `raster`, `photo`, `sample`, `shapes`, `spans`, `paint`, `paint_eye`, `band`, `canvas` | pixels on the CPU |
//! | [`work`] | what a frame's stages cost |
//! | [`gpu`] | the same pixels on the GPU, into a canvas |
//! | [`offscreen`] | and from there back into memory |

mod arches;
pub mod background;
mod band;
mod canvas;
mod card;
mod check;
mod contour;
mod crown;
mod ears;
mod edges;
mod eyes;
mod fill;
mod fold_curve;
mod fold_ground;
mod fold_lines;
mod folds;
pub mod gpu;
mod hair;
mod hidden;
mod iris;
mod layers;
mod lean;
mod lids;
mod lip_skin;
mod mainland;
mod matte;
mod mesh;
mod mouth;
mod mouth_light;
#[cfg(test)]
mod mouth_tests;
pub mod offscreen;
mod opening;
mod paint;
mod paint_eye;
mod patches;
mod photo;
mod plan;
mod plane;
mod pose;
mod puppet;
mod raster;
mod regrow;
mod sample;
mod shading;
mod shapes;
mod shut_lid;
mod softness;
mod spans;
mod strips;
mod surroundings;
mod teeth;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod tongue;
mod turn;
mod vertices;
mod weights;
pub mod work;

use crate::motion::MotionFrame;
use crate::motion::frame::Reference;
use crate::portrait::{FaceModel, FittedFace};
pub use background::Background;
use canvas::Canvas;
use plan::FramePlan;
use puppet::Puppet;
use std::ops::Range;
use std::sync::Arc;
use work::{FrameWork, Laps, Stage};

/// Smallest side of a frame, pixels.
pub const SMALLEST: u32 = 64;
/// Largest side of a frame, pixels.
pub const LARGEST: u32 = 2048;

/// What a decoder refuses.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// A frame size outside of [`SMALLEST`]..=[`LARGEST`].
    #[error("frames of {0} pixels are not possible: choose a size from {SMALLEST} to {LARGEST}")]
    Size(u32),
    /// The buffer for a frame has the wrong length.
    #[error("the buffer for a frame has {got} bytes and needs {needed}: four for each pixel")]
    Buffer {
        /// Bytes given.
        got: usize,
        /// Bytes needed.
        needed: usize,
    },
    /// Face model and fitted face do not belong together or are damaged.
    #[error("this fitted face cannot be animated, {0}: fit the portrait again with this face model")]
    Fit(&'static str),
    /// Another background was asked for where the person cannot be told from it.
    #[error("in this portrait the person cannot be told from the background: keep it, or choose another portrait")]
    Background,
    /// A picture for the background that has no pixels.
    #[error("the picture for the background is empty or damaged: choose another one")]
    Picture,
    /// The GPU failed.
    #[error(transparent)]
    Gpu(#[from] crate::exec::gpu::GpuError),
}

/// Draws frames of one portrait on the CPU.
#[derive(Clone, Debug)]
pub struct Decoder {
    puppet: Puppet,
    plan: FramePlan,
    canvas: Canvas,
    size: u32,
}

impl Decoder {
    /// Prepares a portrait for square frames of `size` pixels (64..=2048). Takes a fraction of a second.
    ///
    /// # Errors
    /// A size out of range, or a face that was not fitted with this model.
    pub fn new(model: Arc<FaceModel>, face: FittedFace, size: u32) -> Result<Self, DecodeError> {
        check_size(size)?;
        let puppet = Puppet::new(&model, &face)?;
        Ok(Self { plan: puppet.frame_plan(), canvas: Canvas::new(&puppet, size)?, puppet, size })
    }

    /// Pixels along a side of a frame.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Chooses what is shown behind the person from the next frame on. Takes some milliseconds.
    ///
    /// # Errors
    /// [`DecodeError::Background`] if the person cannot be told from the background and it is not to be kept,
    /// [`DecodeError::Picture`] for a picture without pixels.
    pub fn set_background(&mut self, background: &Background) -> Result<(), DecodeError> {
        self.canvas.set_background(&self.puppet, background)
    }

    /// Draws one frame into `rgba`: rows from the top, four bytes a pixel, colours times opacity (opaque unless the
    /// background is [`Background::Transparent`]). Values in `frame` that are no numbers
    /// count as no motion; the others are limited to what a photo can show. Allocates nothing.
    ///
    /// # Errors
    /// A buffer that does not have `size * size * 4` bytes.
    pub fn render(&mut self, frame: &MotionFrame, reference: Reference, rgba: &mut [u8]) -> Result<(), DecodeError> {
        check_buffer(rgba, self.size)?;
        self.plan(frame, reference);
        self.paint(0..self.size, rgba)
    }

    /// Works out a frame for [`Self::paint`]: the first half of [`Self::render`], which says what `frame` may hold.
    pub fn plan(&mut self, frame: &MotionFrame, reference: Reference) {
        self.puppet.plan(frame, reference, self.size, self.canvas.texels(), &mut self.plan);
    }

    /// Draws some rows of the frame that was planned last into `rgba`, as [`Self::render`] does. A row comes out the
    /// same whichever others are drawn with it, so that several decoders of one portrait can share a frame.
    ///
    /// # Errors
    /// Rows that the frame does not have, or a buffer that does not have four bytes for each of their pixels.
    pub fn paint(&mut self, rows: Range<u32>, rgba: &mut [u8]) -> Result<(), DecodeError> {
        let rows = rows.start as usize..rows.end as usize;
        let needed = rows.len() * self.size as usize * 4;
        if rgba.len() != needed || rows.end > self.size as usize {
            return Err(DecodeError::Buffer { got: rgba.len(), needed });
        }
        self.canvas.draw(&self.puppet, &self.plan, rows, rgba, None);
        Ok(())
    }

    /// Draws one frame like [`Self::render`] and measures its stages, which costs a little time itself.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn render_watched(
        &mut self,
        frame: &MotionFrame,
        reference: Reference,
        rgba: &mut [u8],
    ) -> Result<FrameWork, DecodeError> {
        check_buffer(rgba, self.size)?;
        let mut work = FrameWork::default();
        let mut laps = Laps::start(true);
        self.plan(frame, reference);
        laps.end(Stage::Plan, &mut work, || self.puppet.work());
        self.canvas.draw(&self.puppet, &self.plan, 0..self.size as usize, rgba, Some(&mut work));
        Ok(work)
    }
}

fn check_size(size: u32) -> Result<(), DecodeError> {
    if (SMALLEST..=LARGEST).contains(&size) { Ok(()) } else { Err(DecodeError::Size(size)) }
}

fn check_buffer(rgba: &[u8], size: u32) -> Result<(), DecodeError> {
    let needed = size as usize * size as usize * 4;
    if rgba.len() == needed { Ok(()) } else { Err(DecodeError::Buffer { got: rgba.len(), needed }) }
}
