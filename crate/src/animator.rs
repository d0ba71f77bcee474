//! The whole way from a pack, a photo and a sound to frames, for the command line and the browser alike.
//!
//! [`Models`] holds what the pack gives; [`Models::fit`] makes a fitted face of a photo; a [`MotionStream`] makes motion
//! of sound at any frame rate; [`crate::decode::Decoder`] draws it.

use std::sync::Arc;

use crate::audio::SAMPLE_RATE;
use crate::decode::{DecodeError, Decoder};
use crate::exec::Device;
use crate::graph::Graph;
use crate::motion::encoder::Encoder;
use crate::motion::error::MotionError;
use crate::motion::frame::FPS;
use crate::motion::generator::MotionGenerator;
use crate::motion::lips::Lips;
use crate::motion::resample::FrameResampler;
use crate::motion::timed::TimedPhones;
use crate::motion::{Controls, MotionFrame};
use crate::pack::{Pack, PackError};
use crate::portrait::face_pack::FaceModelError;
use crate::portrait::find::{FaceFinder, FindError};
use crate::portrait::fit::{fit, fit_found};
use crate::portrait::network::{self, NetworkError};
use crate::portrait::{FaceLandmarks, FaceModel, FittedFace, PersonFinder, Picture, PortraitError};

/// The pack cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// Not a pack, or a damaged one.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The face networks are missing or unusable.
    #[error(transparent)]
    Finder(#[from] FindError),
    /// The 3-D face is missing or unusable.
    #[error(transparent)]
    Face(#[from] FaceModelError),
    /// A network is missing or unusable.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The speech networks are missing or unusable.
    #[error(transparent)]
    Speech(#[from] MotionError),
}

/// Everything that a pack gives, ready to run.
pub struct Models {
    pack: Pack,
    face_model: Arc<FaceModel>,
    finder: FaceFinder,
    persons: Option<PersonFinder>,
    /// Where the networks run.
    device: Device,
}

impl Models {
    /// Opens a pack held in memory.
    ///
    /// # Errors
    /// When it is damaged or lacks the face model or the face networks.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Result<Self, ModelsError> {
        Self::new(Pack::from_bytes(bytes)?)
    }

    /// Prepares the networks of an opened pack on the processor.
    ///
    /// # Errors
    /// When it lacks the face model or the face networks.
    pub fn new(pack: Pack) -> Result<Self, ModelsError> {
        Self::on(pack, &Device::Cpu)
    }

    /// Prepares the networks of an opened pack on a device, such as that of `Device::cuda`.
    ///
    /// # Errors
    /// When it lacks the face model or the face networks, or the device cannot run them.
    pub fn on(pack: Pack, device: &Device) -> Result<Self, ModelsError> {
        let face_model = Arc::new(FaceModel::from_pack(&pack)?);
        let finder = FaceFinder::on(&pack, device)?;
        let persons = PersonFinder::on(&pack, device)?;
        Ok(Self { pack, face_model, finder, persons, device: device.clone() })
    }

    /// The pack itself.
    pub fn pack(&self) -> &Pack {
        &self.pack
    }

    /// The 3-D face.
    pub fn face_model(&self) -> &Arc<FaceModel> {
        &self.face_model
    }

    /// The face networks.
    pub fn finder(&self) -> &FaceFinder {
        &self.finder
    }

    /// Finds a face in a photo (the largest, or number `face` counted from 0 by size) and fits the 3-D face to it.
    ///
    /// # Errors
    /// When there is no such face, or it cannot be fitted.
    pub fn fit(&self, photo: &Picture, face: Option<usize>) -> Result<FittedFace, PortraitError> {
        fit(&self.face_model, &self.finder, self.persons.as_ref(), photo, face)
    }

    /// Does as [`Self::fit`] with the faces that [`Self::finder`] found in the photo.
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub fn fit_found(
        &self,
        photo: &Picture,
        faces: Vec<FaceLandmarks>,
        face: Option<usize>,
    ) -> Result<FittedFace, PortraitError> {
        fit_found(&self.face_model, &self.finder, self.persons.as_ref(), photo, faces, face)
    }

    /// The networks by their names, for measuring them.
    ///
    /// # Errors
    /// When one of them is missing or damaged.
    pub fn graphs(&self) -> Result<Vec<(&'static str, Graph)>, ModelsError> {
        let pack = &self.pack;
        let mut all = Vec::new();
        for name in ["detector", "landmarker", "blendshapes", "segmenter"] {
            all.push((name, network::build(pack, name)?));
        }
        all.push(("encoder", Encoder::graph(pack)?));
        all.push(("lips", Lips::graph(pack, &Encoder::new(pack)?)?));
        Ok(all)
    }

    /// A CPU decoder that draws a fitted face at `size` pixels a side.
    ///
    /// # Errors
    /// A size out of range, or a face of another model.
    pub fn decoder(&self, face: FittedFace, size: u32) -> Result<Decoder, DecodeError> {
        Decoder::new(Arc::clone(&self.face_model), face, size)
    }

    /// Motion at `fps` frames a second (1 to 240) for sound that is still to come.
    ///
    /// # Errors
    /// When the pack has no usable speech networks.
    pub fn motion(&self, controls: Controls, seed: u64, fps: f64) -> Result<MotionStream, MotionError> {
        MotionStream::on(&self.pack, controls, seed, fps, &self.device)
    }
}

/// Sound in, motion frames out, at any frame rate and in constant memory. Frame `i` stands at `i / fps` seconds.
pub struct MotionStream {
    generator: MotionGenerator,
    /// None at the generator's own rate.
    resampler: Option<FrameResampler>,
    fps: f64,
    samples: u64,
    emitted: u64,
}

impl MotionStream {
    /// A stream at the start of a sound; rates outside 1 to 240 count as 25.
    ///
    /// # Errors
    /// When the pack has no usable speech networks.
    pub fn new(pack: &Pack, controls: Controls, seed: u64, fps: f64) -> Result<Self, MotionError> {
        Self::on(pack, controls, seed, fps, &Device::Cpu)
    }

    /// Like [`Self::new`], with the networks on a device.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn on(pack: &Pack, controls: Controls, seed: u64, fps: f64, device: &Device) -> Result<Self, MotionError> {
        let own = f64::from(FPS);
        let resampler = if fps == own { None } else { FrameResampler::new(own, fps) };
        let fps = if resampler.is_some() { fps } else { own };
        let generator = MotionGenerator::on(pack, controls, seed, device)?;
        Ok(Self { generator, resampler, fps, samples: 0, emitted: 0 })
    }

    /// Changes the controls; the face follows within 200 ms.
    pub fn set_controls(&mut self, controls: Controls) {
        self.generator.set_controls(controls);
    }

    /// From the next sample on, which is second `from` of their time, the lips follow these phones, up to
    /// [`Self::finish`]; everything else follows the sound. `None`: the lips follow the sound again.
    pub fn set_phones(&mut self, phones: Option<&TimedPhones>, from: f64) {
        self.generator.set_phones(phones, from);
    }

    /// Seconds of sound that came so far.
    pub fn seconds(&self) -> f64 {
        self.samples as f64 / f64::from(SAMPLE_RATE)
    }

    /// Takes mono samples at 16 kHz and appends the frames that are complete with them.
    ///
    /// # Errors
    /// When a speech network cannot be run.
    pub fn push(&mut self, samples: &[f32], frames: &mut Vec<MotionFrame>) -> Result<(), MotionError> {
        let before = frames.len();
        self.samples += samples.len() as u64;
        match &mut self.resampler {
            None => self.generator.push(samples, &mut |frame| frames.push(frame))?,
            Some(resampler) => {
                self.generator.push(samples, &mut |frame| resampler.push(&frame, &mut |out| frames.push(out)))?;
            }
        }
        self.emitted += (frames.len() - before) as u64;
        Ok(())
    }

    /// Ends the sound and appends the frames that are left: as many in all as cover the sound.
    ///
    /// # Errors
    /// When a speech network cannot be run.
    pub fn finish(&mut self, frames: &mut Vec<MotionFrame>) -> Result<(), MotionError> {
        let before = frames.len();
        match &mut self.resampler {
            None => self.generator.finish(&mut |frame| frames.push(frame))?,
            Some(resampler) => {
                self.generator.finish(&mut |frame| resampler.push(&frame, &mut |out| frames.push(out)))?;
                resampler.finish(&mut |out| frames.push(out));
            }
        }
        // The generator's last frame may reach beyond the sound by more than a frame of a higher rate.
        let needed = (self.samples as f64 * self.fps / f64::from(SAMPLE_RATE) - 1e-6).ceil() as u64;
        frames.truncate(before + needed.saturating_sub(self.emitted) as usize);
        self.emitted += (frames.len() - before) as u64;
        Ok(())
    }
}
