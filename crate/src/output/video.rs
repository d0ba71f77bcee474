//! One interface for both kinds of video file.

use std::path::Path;

use super::av1::Av1Encoder;
use super::colour::Yuv420;
use super::error::OutputError;
use super::file::NewFile;
use super::frames::FrameFolder;
use super::h264::H264Encoder;
use super::mp4::{Mp4Writer, SoundTrack};
use super::sound::{SoundEncoder, frames_of};
use super::webm::WebmWriter;

/// Kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// H.264 and Opus in MP4.
    Mp4,
    /// AV1 and Opus in WebM.
    WebM,
    /// A folder of PNG files, without sound.
    Frames,
}

impl Container {
    /// The kind that a path's ending asks for; a path that ends in a separator asks for a folder of pictures.
    pub fn of(path: &Path) -> Option<Self> {
        if path.to_str().is_some_and(|p| p.ends_with(std::path::is_separator)) {
            return Some(Self::Frames);
        }
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "mp4" | "m4v" => Some(Self::Mp4),
            "webm" => Some(Self::WebM),
            _ => None,
        }
    }
}

/// Shape of a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoSettings {
    /// Columns, even, 16 to 2160.
    pub width: usize,
    /// Rows, even, 16 to 2160.
    pub height: usize,
    /// Frames a second, 1 to 240.
    pub fps: u32,
    /// Channels of sound, 0 to 2; 0 makes a silent video. A folder of pictures drops the sound.
    pub channels: usize,
    /// About how many pictures will come, to reserve space for the index; 0 where nobody knows.
    pub expected_pictures: u64,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finished {
    /// Pictures in the file.
    pub pictures: u64,
    /// Length in seconds, of picture and sound alike.
    pub seconds: f64,
}

/// Encodes pictures and sound into one file. Feed the sound up to a picture's time before the picture; sound that is
/// missing at the end becomes silence.
pub struct VideoWriter {
    picture: Yuv420,
    fps: u32,
    pictures: u64,
    sound: Option<SoundEncoder>,
    track: Track,
}

enum Track {
    Mp4 { encoder: Box<H264Encoder>, writer: Box<Mp4Writer> },
    WebM { encoder: Box<Av1Encoder>, writer: Box<WebmWriter> },
    Frames(FrameFolder),
}

impl VideoWriter {
    /// Starts a file at `path`, under a temporary name until [`Self::finish`].
    ///
    /// # Errors
    /// When the path is not writable or the settings are outside the encoders' range.
    pub fn create(path: &Path, container: Container, settings: &VideoSettings) -> Result<Self, OutputError> {
        let &VideoSettings { width, height, fps, channels, expected_pictures } = settings;
        let shape = |_| OutputError::Shape { width, height, fps };
        let picture = Yuv420::new(width, height).map_err(shape)?;
        if !(1..=240).contains(&fps) || channels > 2 {
            return Err(OutputError::Shape { width, height, fps });
        }
        let sound =
            if channels > 0 && container != Container::Frames { Some(SoundEncoder::new(channels)?) } else { None };
        let sound_track = sound.as_ref().map(|s| SoundTrack { channels, lookahead: s.lookahead() });
        let size = (width, height);
        let track = match container {
            Container::Mp4 => {
                let file = NewFile::create(path)?;
                Track::Mp4 {
                    encoder: Box::new(H264Encoder::new(width, height, fps)?),
                    writer: Box::new(Mp4Writer::new(file, size, fps, sound_track, expected_pictures)?),
                }
            }
            Container::WebM => {
                let file = NewFile::create(path)?;
                let encoder = Box::new(Av1Encoder::new(width, height, fps)?);
                let writer = WebmWriter::new(file, size, fps, &encoder.configuration(), sound_track)?;
                Track::WebM { encoder, writer: Box::new(writer) }
            }
            Container::Frames => Track::Frames(FrameFolder::create(path, (width as u32, height as u32))?),
        };
        Ok(Self { picture, fps, pictures: 0, sound, track })
    }

    /// Adds interleaved samples at 48 kHz with the channels of the settings; full scale is ±1.
    ///
    /// # Errors
    /// When encoding or writing fails.
    pub fn sound(&mut self, samples: &[f32]) -> Result<(), OutputError> {
        let (Some(sound), track) = (&mut self.sound, &mut self.track) else { return Ok(()) };
        sound.push(samples, |packet| track.add_sound(packet))
    }

    /// Adds a picture of `width * height` RGBA pixels, 0..255, row by row.
    ///
    /// # Errors
    /// When encoding or writing fails.
    pub fn picture(&mut self, rgba: &[u8]) -> Result<(), OutputError> {
        self.pictures += 1;
        match &mut self.track {
            Track::Frames(folder) => folder.picture(rgba),
            Track::Mp4 { encoder, writer } => {
                self.picture.set_rgba(rgba);
                let key = encoder.encode(&self.picture)?;
                writer.picture(&encoder.unit, key, &encoder.sps, &encoder.pps)
            }
            Track::WebM { encoder, writer } => {
                self.picture.set_rgba(rgba);
                encoder.encode(Some(&self.picture), |unit, key| writer.picture(unit, key))
            }
        }
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// When there was no picture, or encoding or writing fails; nothing is left of the file then.
    pub fn finish(mut self) -> Result<Finished, OutputError> {
        if self.pictures == 0 {
            return Err(OutputError::Encoder { codec: "video", message: "there is no picture to write".into() });
        }
        let sound_frames = frames_of(self.pictures, self.fps);
        if let (Some(sound), track) = (&mut self.sound, &mut self.track) {
            sound.finish(sound_frames, |packet| track.add_sound(packet))?;
        }
        match self.track {
            Track::Frames(folder) => folder.finish()?,
            Track::Mp4 { writer, .. } => writer.finish(self.pictures, sound_frames)?,
            Track::WebM { mut encoder, mut writer } => {
                encoder.encode(None, |unit, key| writer.picture(unit, key))?;
                writer.finish(self.pictures, sound_frames)?;
            }
        }
        let seconds = self.pictures as f64 / f64::from(self.fps);
        Ok(Finished { pictures: self.pictures, seconds })
    }
}

impl Track {
    fn add_sound(&mut self, packet: &[u8]) -> Result<(), OutputError> {
        match self {
            Self::Mp4 { writer, .. } => writer.sound(packet),
            Self::WebM { writer, .. } => writer.sound(packet),
            Self::Frames(_) => {}
        }
        Ok(())
    }
}
