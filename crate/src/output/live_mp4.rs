//! MP4 that can be read while it is written: a head, then a fragment for every picture with the sound until then. For
//! pipes, which cannot be rewound.

use std::io::{self, Write};
use std::num::NonZeroU32;

use shiguredo_mp4::boxes::{FtypBox, MoovBox, SampleEntry};
use shiguredo_mp4::mux::{Fmp4SegmentMuxer, Sample};
use shiguredo_mp4::{Decode, Encode, TrackKind};

use super::colour::Yuv420;
use super::error::OutputError;
use super::h264::H264Encoder;
use super::mp4::{SoundTrack, TICKS, failed, metadata, picture_entry, sound_entry};
use super::sound::SoundEncoder;
use crate::audio::opus::{PACKET_FRAMES, RATE};

/// Why a stream cannot go on.
#[derive(Debug)]
pub enum StreamError {
    /// Nobody takes it any more, or it cannot be written.
    Write(io::Error),
    /// It cannot be encoded.
    Encode(OutputError),
}

impl From<OutputError> for StreamError {
    fn from(error: OutputError) -> Self {
        Self::Encode(error)
    }
}

/// Samples of one track that wait for their fragment.
#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    samples: Vec<(usize, bool)>,
    entry: Option<SampleEntry>,
}

impl Waiting {
    fn add(&mut self, bytes: &[u8], key: bool) {
        self.bytes.extend_from_slice(bytes);
        self.samples.push((bytes.len(), key));
    }

    /// The samples for the muxer, whose payload begins at `offset`.
    fn take(&mut self, track_kind: TrackKind, (scale, duration): (u32, u32), mut offset: u64, out: &mut Vec<Sample>) {
        for (data_size, keyframe) in self.samples.drain(..) {
            out.push(Sample {
                track_kind,
                sample_entry: self.entry.take(),
                keyframe,
                timescale: NonZeroU32::new(scale).unwrap_or(NonZeroU32::MIN),
                duration,
                composition_time_offset: None,
                data_offset: offset,
                data_size,
            });
            offset += data_size as u64;
        }
    }
}

/// Writes square pictures (H.264) and mono sound (Opus) as fragmented MP4.
pub struct LiveMp4<W> {
    out: W,
    fps: u32,
    picture: Yuv420,
    encoder: H264Encoder,
    opus: SoundEncoder,
    muxer: Fmp4SegmentMuxer,
    pictures: Waiting,
    sounds: Waiting,
    samples: Vec<Sample>,
    begun: bool,
}

impl<W: Write> LiveMp4<W> {
    /// Begins a stream of `size` x `size` pictures, `fps` a second.
    ///
    /// # Errors
    /// When an encoder cannot do that.
    pub fn new(out: W, size: usize, fps: u32) -> Result<Self, OutputError> {
        let opus = SoundEncoder::new(1)?;
        let track = SoundTrack { channels: 1, lookahead: opus.lookahead() };
        Ok(Self {
            out,
            fps,
            picture: Yuv420::new(size, size)?,
            encoder: H264Encoder::new(size, size, fps)?,
            opus,
            muxer: Fmp4SegmentMuxer::new().map_err(failed)?,
            pictures: Waiting::default(),
            sounds: Waiting { entry: Some(sound_entry(track)), ..Waiting::default() },
            samples: Vec::new(),
            begun: false,
        })
    }

    /// Takes RGBA pixels, row by row, as the picture; alpha is ignored.
    pub fn set_rgba(&mut self, rgba: &[u8]) {
        self.picture.set_rgba(rgba);
    }

    /// Adds mono samples at 48 kHz: those that belong to the next picture.
    ///
    /// # Errors
    /// When they cannot be encoded.
    pub fn sound(&mut self, samples: &[f32]) -> Result<(), OutputError> {
        let sounds = &mut self.sounds;
        self.opus.push(samples, |packet| {
            sounds.add(packet, true);
            Ok(())
        })
    }

    /// Writes the picture, again if it was written before, and the sound that is there.
    ///
    /// # Errors
    /// When it cannot be encoded or written.
    pub fn write(&mut self) -> Result<(), StreamError> {
        let key = self.encoder.encode(&self.picture)?;
        let side = self.picture.width as u16;
        if !self.begun && self.pictures.samples.is_empty() {
            self.pictures.entry = Some(picture_entry((side, side), &self.encoder.sps, &self.encoder.pps));
        }
        self.pictures.add(&self.encoder.unit, key);
        // The head names both tracks: it waits for the first sound.
        if self.begun || !self.sounds.samples.is_empty() { self.fragment() } else { Ok(()) }
    }

    fn fragment(&mut self) -> Result<(), StreamError> {
        let after = self.pictures.bytes.len() as u64;
        self.samples.clear();
        self.pictures.take(TrackKind::Video, (self.fps * TICKS, TICKS), 0, &mut self.samples);
        self.sounds.take(TrackKind::Audio, (RATE, PACKET_FRAMES as u32), after, &mut self.samples);
        let head = self.muxer.create_media_segment_metadata(&self.samples).map_err(failed)?;
        let begin = if self.begun { Vec::new() } else { self.head()? };
        self.begun = true;
        let Self { out, pictures, sounds, .. } = self;
        let mut write = || {
            for part in [&begin, &head, &pictures.bytes, &sounds.bytes] {
                out.write_all(part)?;
            }
            out.flush()
        };
        let written = write();
        pictures.bytes.clear();
        sounds.bytes.clear();
        written.map_err(StreamError::Write)
    }

    /// The head of the stream, with what every file of this program says of itself.
    fn head(&self) -> Result<Vec<u8>, OutputError> {
        let plain = self.muxer.init_segment_bytes().map_err(failed)?;
        let (_, length) = FtypBox::decode(&plain).map_err(failed)?;
        let (mut moov, _) = MoovBox::decode(&plain[length..]).map_err(failed)?;
        moov.unknown_boxes.push(metadata()?);
        let mut head = plain[..length].to_vec();
        head.extend(moov.encode_to_vec().map_err(failed)?);
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    /// Boxes at the top of a file: names and lengths.
    fn boxes(mut bytes: &[u8]) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        while let Some(head) = bytes.first_chunk::<8>() {
            let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
            found.push((String::from_utf8_lossy(&head[4..]).into_owned(), length));
            bytes = &bytes[length..];
        }
        found
    }

    #[test]
    fn every_picture_comes_at_once_with_its_sound() {
        let mut bytes = Vec::new();
        let mut stream = LiveMp4::new(&mut bytes, 64, 25).expect("encoders");
        let mut lengths = Vec::new();
        for picture in 0..50u8 {
            let sound: Vec<f32> = (0..1920).map(|i| 0.3 * (TAU * 220.0 * i as f32 / 48_000.0).sin()).collect();
            stream.sound(&sound).expect("sound");
            stream.set_rgba(&[picture * 4, 90, 90, 255].repeat(64 * 64));
            stream.write().expect("memory takes everything");
            lengths.push(stream.out.len());
        }
        assert!(lengths.windows(2).all(|w| w[1] > w[0]), "nothing waits: {lengths:?}");
        let found = boxes(&bytes);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[..2], ["ftyp", "moov"]);
        assert!(names[2..].chunks(2).all(|pair| pair == ["moof", "mdat"]));
        assert_eq!(names.len(), 2 + 2 * 50);
        let says = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(says(super::super::TITLE));
    }

    #[test]
    fn the_head_waits_for_the_first_sound() {
        let mut bytes = Vec::new();
        let mut stream = LiveMp4::new(&mut bytes, 64, 25).expect("encoders");
        stream.write().expect("nothing is written yet");
        assert!(stream.out.is_empty());
        stream.sound(&[0.1; 960]).expect("a packet");
        stream.write().expect("memory takes everything");
        assert_eq!(boxes(&bytes).len(), 4);
    }
}
