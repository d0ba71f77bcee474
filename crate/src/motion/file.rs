//! Motion files, version 1: facial motion as JSON that people and programs can write, edit and play again; and the CSV
//! files of Live Link Face.
//!
//! The reader takes one frame at a time, so that a broken frame is named and nothing is allocated that the input does
//! not hold. What it does not know it keeps and writes again.

use std::io::{Read, Write};

use serde_json::Value;
use thiserror::Error;

use super::frame::{Blendshape, MotionFrame, Reference};
use super::resample::FrameResampler;
use parse::ParsedFrame;

mod live_link;
mod parse;
mod write;

/// What `format` says.
const FORMAT: &str = "parlante-motion";
/// Newest version this program reads, and the one it writes.
const VERSION: u64 = 1;
/// Most frames a file may hold.
pub const MAX_FRAMES: usize = 1_000_000;
/// Most bytes a file may have.
pub const MAX_BYTES: u64 = 1 << 30;
/// Most values in fields that this program does not know, in a whole file.
const MAX_UNKNOWN: usize = 10_000_000;
/// Frames a second a file may ask for.
pub const FPS_RANGE: std::ops::RangeInclusive<f64> = 1.0..=240.0;

/// Why a motion file could not be read or written.
#[derive(Debug, Error)]
pub enum MotionFileError {
    /// One frame holds what it must not.
    #[error("Frame {frame} of the motion file is wrong: {problem}. Correct that frame and try again.")]
    Frame {
        /// Index, from 0.
        frame: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A line of a CSV file holds what it must not.
    #[error("Line {line} of the motion file is wrong: {problem}. Correct it and try again.")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// CSV, but something else.
    #[error(
        "This CSV file is no motion file: its first line must name Live Link Face's columns (Timecode, BlendshapeCount, …)."
    )]
    LiveLinkHeading,
    /// Not JSON, or a field outside of the frames has a wrong type.
    #[error("This is not a motion file that can be read: {0}. Export it again or correct it.")]
    Syntax(String),
    /// JSON, but something else.
    #[error("This JSON file is no motion file: its \"format\" must be \"parlante-motion\".")]
    Format,
    /// Written by a newer program.
    #[error("This motion file has version {0}, this program reads version 1. Use a newer program.")]
    Version(u64),
    /// Frame rate out of range.
    #[error("The motion file asks for {0} frames a second; allowed are 1 to 240. Change \"fps\".")]
    Fps(f64),
    /// Over [`MAX_FRAMES`].
    #[error("Frame {MAX_FRAMES} of the motion file is one too many: up to 1,000,000 frames are read. Split the file.")]
    TooManyFrames,
    /// Over [`MAX_BYTES`].
    #[error("The motion file is larger than 1 GiB. Split it.")]
    TooLarge,
    /// A value in memory that JSON cannot hold.
    #[error("Frame {0} holds a value that is not finite and cannot be written. Remove NaN and infinity first.")]
    NotFinite(usize),
    /// The system refused.
    #[error("The motion file could not be read or written: {0}.")]
    Io(#[from] std::io::Error),
}

/// Fields this program does not know.
type Unknown = Vec<(String, Value)>;

/// What a frame of a file had beyond [`MotionFrame`].
#[derive(Clone, Debug, Default)]
struct FrameExtras {
    frame: Unknown,
    blendshapes: Unknown,
    head: Unknown,
    gaze: Unknown,
}

impl FrameExtras {
    fn is_empty(&self) -> bool {
        self.frame.is_empty() && self.blendshapes.is_empty() && self.head.is_empty() && self.gaze.is_empty()
    }
}

/// Facial motion with its frame rate. Frame `i` stands at `i / fps` seconds.
///
/// Values are kept as the file has them, finite but not otherwise limited.
#[derive(Clone, Debug, Default)]
pub struct MotionFile {
    fps: f64,
    reference: Reference,
    frames: Vec<MotionFrame>,
    unknown: Unknown,
    /// Sorted by frame; most files have none.
    extras: Vec<(usize, FrameExtras)>,
    /// Frames whose gaze came from `eyeLook*` shapes, with that gaze: it is written only if somebody changed it.
    implied_gaze: Vec<(usize, super::frame::Gaze)>,
}

impl MotionFile {
    /// A file of `frames` at `fps` (1 to 240) frames a second.
    ///
    /// # Errors
    /// A frame rate out of range, over a million frames.
    pub fn new(fps: f64, reference: Reference, frames: Vec<MotionFrame>) -> Result<Self, MotionFileError> {
        check_fps(fps)?;
        if frames.len() > MAX_FRAMES {
            return Err(MotionFileError::TooManyFrames);
        }
        Ok(Self { fps, reference, frames, ..Self::default() })
    }

    /// Reads a motion file.
    ///
    /// # Errors
    /// Anything but a well-formed version 1 file; see [`MotionFileError`].
    pub fn from_slice(json: &[u8]) -> Result<Self, MotionFileError> {
        if json.len() as u64 > MAX_BYTES {
            return Err(MotionFileError::TooLarge);
        }
        parse::file(&mut serde_json::Deserializer::from_slice(json))
    }

    /// Reads a motion file from a stream, up to [`MAX_BYTES`].
    ///
    /// # Errors
    /// As [`Self::from_slice`], and whatever the stream reports.
    pub fn from_reader(reader: impl Read) -> Result<Self, MotionFileError> {
        let mut limited = std::io::BufReader::new(reader.take(MAX_BYTES + 1));
        let result = parse::file(&mut serde_json::Deserializer::from_reader(&mut limited));
        if limited.into_inner().limit() == 0 { Err(MotionFileError::TooLarge) } else { result }
    }

    /// Reads a CSV file of Live Link Face (ARKit's coefficients, added to a neutral face).
    ///
    /// # Errors
    /// Anything but such a file; the line is named.
    pub fn from_live_link(csv: &[u8]) -> Result<Self, MotionFileError> {
        if csv.len() as u64 > MAX_BYTES {
            return Err(MotionFileError::TooLarge);
        }
        live_link::read(&String::from_utf8_lossy(csv))
    }

    /// Writes a CSV file as Live Link Face does. `tongueUp`, the head's place and size, and what the coefficients are
    /// added to are lost: it is read again as added to a neutral face.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_live_link(&self, out: impl Write) -> Result<(), MotionFileError> {
        live_link::write(self, std::io::BufWriter::new(out))
    }

    /// Writes the file; equal motion gives equal bytes.
    ///
    /// # Errors
    /// A value that is not finite (the frame is named; what was written before it stays written), or the system's.
    pub fn write(&self, out: impl Write) -> Result<(), MotionFileError> {
        write::file(self, out)
    }

    /// Frames a second, 1 to 240.
    pub fn fps(&self) -> f64 {
        self.fps
    }

    /// What the blendshapes are added to.
    pub fn reference(&self) -> Reference {
        self.reference
    }

    /// All frames.
    pub fn frames(&self) -> &[MotionFrame] {
        &self.frames
    }

    /// All frames, to edit.
    pub fn frames_mut(&mut self) -> &mut [MotionFrame] {
        &mut self.frames
    }

    /// Length in seconds.
    pub fn duration(&self) -> f64 {
        self.frames.len() as f64 / self.fps
    }

    /// The same motion at another frame rate (1 to 240). Lips that close and lids that shut do so in the result too,
    /// see [`FrameResampler`]. Unknown fields of the file are kept, those of single frames are not.
    ///
    /// # Errors
    /// A frame rate out of range, or over a million frames in the result.
    pub fn resampled(&self, fps: f64) -> Result<Self, MotionFileError> {
        check_fps(fps)?;
        if self.duration() * fps > MAX_FRAMES as f64 {
            return Err(MotionFileError::TooManyFrames);
        }
        let mut frames = Vec::with_capacity((self.duration() * fps).ceil() as usize);
        let mut resampler = FrameResampler::new(self.fps, fps).ok_or(MotionFileError::Fps(fps))?;
        for frame in &self.frames {
            resampler.push(frame, &mut |f| frames.push(f));
        }
        resampler.finish(&mut |f| frames.push(f));
        frames.truncate(MAX_FRAMES);
        Ok(Self { fps, reference: self.reference, frames, unknown: self.unknown.clone(), ..Self::default() })
    }

    fn push_parsed(&mut self, parsed: ParsedFrame) {
        let index = self.frames.len();
        let ParsedFrame { mut frame, extras, gaze_given } = parsed;
        if !gaze_given {
            frame.gaze = frame.gaze_of_shapes();
            if frame.gaze != super::frame::Gaze::default() {
                self.implied_gaze.push((index, frame.gaze));
            }
        }
        if !extras.is_empty() {
            self.extras.push((index, extras));
        }
        self.frames.push(frame);
    }
}

/// The values that are neither blendshapes nor anything unknown, by their name in the file.
fn head_slot<'a>(frame: &'a mut MotionFrame, name: &str) -> Option<&'a mut f32> {
    let head = &mut frame.head;
    Some(match name {
        "yaw" => &mut head.yaw,
        "pitch" => &mut head.pitch,
        "roll" => &mut head.roll,
        "x" => &mut head.x,
        "y" => &mut head.y,
        "scale" => &mut head.scale,
        _ => return None,
    })
}

fn gaze_slot<'a>(frame: &'a mut MotionFrame, name: &str) -> Option<&'a mut f32> {
    match name {
        "x" => Some(&mut frame.gaze.x),
        "y" => Some(&mut frame.gaze.y),
        _ => None,
    }
}

fn blendshape_slot<'a>(frame: &'a mut MotionFrame, name: &str) -> Option<&'a mut f32> {
    Blendshape::from_name(name).map(|b| &mut frame.blendshapes[b])
}

fn check_fps(fps: f64) -> Result<(), MotionFileError> {
    if FPS_RANGE.contains(&fps) { Ok(()) } else { Err(MotionFileError::Fps(fps)) }
}

#[cfg(test)]
mod tests;
