//! A recording becomes blocks of samples: WAV (PCM, ADPCM, float), MP3, FLAC, Ogg Vorbis, AAC in M4A, the sound of
//! MKV, WebM and MP4, and (natively) Opus.
//!
//! A damaged file is not an error as long as something decodes: what is missing is reported by
//! [`AudioReader::warnings`]. Samples that are not finite become 0, the others are limited to ±[`LIMIT`], so that
//! every later stage sees sane numbers.

use std::io::Cursor;
use std::ops::RangeInclusive;

use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions, well_known::CODEC_ID_OPUS};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, SeekMode, SeekTo, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Time, TimeBase};

use super::convert::{Converter, Mix};
use super::error::{AudioError, AudioWarning};
#[cfg(not(target_arch = "wasm32"))]
use super::opus::OpusDecoder;

/// Sample rates that are accepted, in hertz.
pub const RATES: RangeInclusive<u32> = 1_000..=768_000;
/// Most channels that are accepted.
pub const MAX_CHANNELS: usize = 32;
/// Samples are limited to this magnitude (24 dB above full scale): a float WAV may hold any number.
pub const LIMIT: f32 = 16.0;
/// After this many packets in a row without a sample the file counts as exhausted, so that garbage ends soon.
const MAX_SILENT_PACKETS: u32 = 10_000;
/// A file that ends at most this many seconds before its announced end is not called truncated: MP3 headers count
/// padding in and out in different ways.
const END_TOLERANCE: f64 = 0.2;
/// A jump goes this many seconds further back than asked: what a codec makes of its first packets depends on those
/// before.
const RUN_UP: f64 = 0.25;

/// Rate and channels of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioFormat {
    /// Samples a second in each channel, one of [`RATES`].
    pub sample_rate: u32,
    /// What each channel is, in the order of the interleaved samples (1 to [`MAX_CHANNELS`]).
    pub channels: Vec<Channel>,
}

/// Where the loudspeaker of a channel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Left of the listener.
    Left,
    /// Right of the listener.
    Right,
    /// In front of or behind the listener, or unknown.
    Center,
    /// A subwoofer: never speech.
    LowFrequency,
}

/// Reads one recording from front to back.
pub struct AudioReader {
    container: Box<dyn FormatReader>,
    codec: Codec,
    track_id: u32,
    time_base: Option<TimeBase>,
    format: AudioFormat,
    announced: Option<f64>,
    block: Vec<f32>,
    /// Second at which `block` begins, where the file tells.
    block_at: Option<f64>,
    /// The block that `open` decoded to learn the format has not been handed out yet.
    first_block_waits: bool,
    ended: bool,
    frames: u64,
    damaged: u64,
    not_finite: u64,
    format_changed: bool,
}

enum Codec {
    Symphonia(Box<dyn AudioDecoder>),
    #[cfg(not(target_arch = "wasm32"))]
    Opus(OpusDecoder),
}

impl AudioReader {
    /// Opens a file.
    ///
    /// # Errors
    /// When the file cannot be read, is not a recording, or nothing in it decodes.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(path: &std::path::Path) -> Result<Self, AudioError> {
        let failed = |source| AudioError::Open { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        Self::from_source(Box::new(file), path.extension().and_then(|e| e.to_str()))
    }

    /// Opens a recording held in memory. `extension` (such as `"mp3"`) is a hint only.
    ///
    /// # Errors
    /// When the bytes are not a recording or nothing in them decodes.
    pub fn from_bytes<B: AsRef<[u8]> + Send + Sync + 'static>(
        bytes: B,
        extension: Option<&str>,
    ) -> Result<Self, AudioError> {
        Self::from_source(Box::new(Cursor::new(bytes)), extension)
    }

    /// Opens a recording from any source. `extension` (such as `"mp3"`) is a hint only.
    ///
    /// # Errors
    /// When the source is not a recording or nothing in it decodes.
    pub fn from_source(source: Box<dyn MediaSource>, extension: Option<&str>) -> Result<Self, AudioError> {
        if source.byte_len() == Some(0) {
            return Err(AudioError::EmptyFile);
        }
        let mut hint = Hint::new();
        if let Some(extension) = extension {
            hint.with_extension(extension);
        }
        let stream = MediaSourceStream::new(source, Default::default());
        let container = symphonia::default::get_probe()
            .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| match error {
                Error::Unsupported(_) => AudioError::UnknownFormat,
                // The probe reads past the end of anything it does not recognise.
                Error::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => AudioError::UnknownFormat,
                _ => AudioError::NothingDecodes,
            })?;
        let track = container.default_track(TrackType::Audio).ok_or(AudioError::NoSoundTrack)?;
        let Some(CodecParameters::Audio(params)) = &track.codec_params else {
            return Err(AudioError::NoSoundTrack);
        };
        let announced = match (track.time_base, track.duration, track.num_frames, params.sample_rate) {
            (Some(base), Some(duration), ..) => base
                .calc_time(symphonia::core::units::Timestamp::new(i64::try_from(duration.get()).unwrap_or(i64::MAX)))
                .map(|t| t.as_secs_f64()),
            (_, _, Some(frames), Some(rate)) if rate > 0 => Some(frames as f64 / f64::from(rate)),
            _ => None,
        };
        let codec = if params.codec == CODEC_ID_OPUS {
            #[cfg(not(target_arch = "wasm32"))]
            {
                Codec::Opus(OpusDecoder::new(params)?)
            }
            #[cfg(target_arch = "wasm32")]
            return Err(AudioError::UnsupportedCodec("Opus".into()));
        } else {
            let decoder = symphonia::default::get_codecs()
                .make_audio_decoder(params, &AudioDecoderOptions::default())
                .map_err(|error| AudioError::UnsupportedCodec(error.to_string()))?;
            Codec::Symphonia(decoder)
        };
        let mut reader = Self {
            track_id: track.id,
            time_base: track.time_base,
            container,
            codec,
            format: AudioFormat { sample_rate: 0, channels: Vec::new() },
            announced,
            block: Vec::new(),
            block_at: None,
            first_block_waits: false,
            ended: false,
            frames: 0,
            damaged: 0,
            not_finite: 0,
            format_changed: false,
        };
        // Headers may lie about rate and channels (HE-AAC does by design): only the first decoded block tells.
        if !reader.decode_block() {
            return Err(AudioError::NothingDecodes);
        }
        reader.first_block_waits = true;
        if !RATES.contains(&reader.format.sample_rate) {
            return Err(AudioError::SampleRate(reader.format.sample_rate));
        }
        if !(1..=MAX_CHANNELS).contains(&reader.format.channels.len()) {
            return Err(AudioError::Channels(reader.format.channels.len()));
        }
        Ok(reader)
    }

    /// Rate and channels of all blocks.
    pub fn format(&self) -> &AudioFormat {
        &self.format
    }

    /// Length in seconds that the file announces; it may hold less (or, without an answer, anything).
    pub fn announced_duration(&self) -> Option<f64> {
        self.announced
    }

    /// Seconds decoded so far.
    pub fn decoded_duration(&self) -> f64 {
        self.frames as f64 / f64::from(self.format.sample_rate)
    }

    /// Goes to `second`, or a little before it: what lies between is read by nobody. Answers the second at which the
    /// next block begins, or `None` where this recording cannot be entered in the middle; it is at its end then and
    /// can be opened anew.
    pub fn seek(&mut self, second: f64) -> Option<f64> {
        let damaged = self.damaged;
        let at = self.jump(second);
        // The first packets after a jump may lean on those before: that is no damage.
        self.damaged = damaged;
        self.first_block_waits = at.is_some();
        self.ended = at.is_none();
        let block = self.block.len() / self.format.channels.len().max(1);
        self.frames = (at? * f64::from(self.format.sample_rate)).round() as u64 + block as u64;
        at
    }

    fn jump(&mut self, second: f64) -> Option<f64> {
        match &mut self.codec {
            Codec::Symphonia(decoder) => {
                let time = Time::try_from_secs_f64((second - RUN_UP).max(0.0))?;
                let place = SeekTo::Time { time, track_id: Some(self.track_id) };
                self.container.seek(SeekMode::Accurate, place).ok()?;
                decoder.reset();
            }
            // Containers do not agree on whether the encoder's delay is part of the time: such files are read through.
            #[cfg(not(target_arch = "wasm32"))]
            Codec::Opus(_) => return None,
        }
        if self.decode_block() { self.block_at.filter(|&at| at <= second) } else { None }
    }

    /// The next block of interleaved samples, full scale ±1, or `None` at the end.
    pub fn next_block(&mut self) -> Option<&[f32]> {
        if self.first_block_waits {
            self.first_block_waits = false;
        } else if self.ended || !self.decode_block() {
            return None;
        }
        Some(&self.block)
    }

    /// What was missing or repaired; complete after the last block.
    pub fn warnings(&self) -> Vec<AudioWarning> {
        let mut warnings = Vec::new();
        let decoded = self.decoded_duration();
        if self.format_changed {
            warnings.push(AudioWarning::FormatChange { at: decoded });
        } else if let Some(announced) = self.announced.filter(|&a| self.ended && a > decoded + END_TOLERANCE) {
            warnings.push(AudioWarning::Truncated { decoded, announced });
        }
        if self.damaged > 0 {
            warnings.push(AudioWarning::Damaged { packets: self.damaged });
        }
        if self.not_finite > 0 {
            warnings.push(AudioWarning::NotFinite { samples: self.not_finite });
        }
        warnings
    }

    /// Everything as 16 kHz mono, for the motion generator.
    ///
    /// # Errors
    /// When the recording's rate cannot be resampled.
    pub fn into_speech(self) -> Result<SpeechReader, AudioError> {
        let converter = Converter::new(&self.format, super::SAMPLE_RATE, Mix::Mono)?;
        Ok(SpeechReader { reader: self, converter, chunk: Vec::new(), finished: false })
    }

    /// Fills `self.block` with the next samples; false at the end.
    fn decode_block(&mut self) -> bool {
        for _ in 0..MAX_SILENT_PACKETS {
            let packet = match self.container.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                // A chained Ogg stream starts anew: its first part is taken.
                Err(Error::ResetRequired) => {
                    self.format_changed = true;
                    break;
                }
                // Everything else is a file that was cut off or overwritten: what came before is taken.
                Err(_) => break,
            };
            if packet.track_id != self.track_id {
                continue;
            }
            let format = match self.decode_packet(&packet) {
                Ok(format) => format,
                Err(Error::DecodeError(_) | Error::IoError(_)) => {
                    self.damaged += 1;
                    continue;
                }
                Err(_) => {
                    self.damaged += 1;
                    break;
                }
            };
            if self.block.is_empty() {
                continue;
            }
            if self.frames == 0 {
                self.format = format;
            } else if self.format != format {
                self.format_changed = true;
                break;
            }
            let start = packet.pts.checked_add(packet.trim_start);
            self.block_at = self.time_base.zip(start).and_then(|(base, pts)| Some(base.calc_time(pts)?.as_secs_f64()));
            self.not_finite += sanitize(&mut self.block);
            self.frames += (self.block.len() / self.format.channels.len().max(1)) as u64;
            return true;
        }
        self.ended = true;
        self.block.clear();
        false
    }

    /// Decodes one packet into `self.block`; the format is that of the block.
    fn decode_packet(&mut self, packet: &Packet) -> Result<AudioFormat, Error> {
        match &mut self.codec {
            Codec::Symphonia(decoder) => {
                let decoded = decoder.decode(packet)?;
                decoded.copy_to_vec_interleaved(&mut self.block);
                let spec = decoded.spec();
                Ok(AudioFormat { sample_rate: spec.rate(), channels: channels(spec.channels()) })
            }
            #[cfg(not(target_arch = "wasm32"))]
            Codec::Opus(decoder) => {
                decoder.decode(packet, &mut self.block)?;
                Ok(decoder.format())
            }
        }
    }
}

/// A recording as 16 kHz mono chunks.
pub struct SpeechReader {
    reader: AudioReader,
    converter: Converter,
    chunk: Vec<f32>,
    finished: bool,
}

impl SpeechReader {
    /// The next samples at [`super::SAMPLE_RATE`], mono, or `None` at the end. Chunks differ in length.
    pub fn next_chunk(&mut self) -> Option<&[f32]> {
        self.chunk.clear();
        while self.chunk.is_empty() && !self.finished {
            match self.reader.next_block() {
                Some(block) => self.converter.push(block, &mut self.chunk),
                None => {
                    self.converter.finish(&mut self.chunk);
                    self.finished = true;
                }
            }
        }
        (!self.chunk.is_empty()).then_some(&self.chunk)
    }

    /// The recording, for its format and warnings.
    pub fn reader(&self) -> &AudioReader {
        &self.reader
    }
}

/// Replaces what is not finite by 0 and limits the rest; returns how many samples were not finite.
fn sanitize(samples: &mut [f32]) -> u64 {
    let mut replaced = 0;
    for sample in samples {
        if sample.is_finite() {
            *sample = sample.clamp(-LIMIT, LIMIT);
        } else {
            *sample = 0.0;
            replaced += 1;
        }
    }
    replaced
}

/// The channels in the order of symphonia's interleaved samples: positioned ones lie in the order of their bits.
fn channels(channels: &Channels) -> Vec<Channel> {
    let Channels::Positioned(positions) = channels else {
        // Without positions the first two are left and right, as in every stereo file.
        return match channels.count() {
            2 => vec![Channel::Left, Channel::Right],
            n => vec![Channel::Center; n.min(MAX_CHANNELS + 1)],
        };
    };
    const LEFT: Position = Position::FRONT_LEFT
        .union(Position::REAR_LEFT)
        .union(Position::FRONT_LEFT_CENTER)
        .union(Position::SIDE_LEFT)
        .union(Position::TOP_FRONT_LEFT)
        .union(Position::TOP_REAR_LEFT)
        .union(Position::TOP_SIDE_LEFT)
        .union(Position::BOTTOM_FRONT_LEFT)
        .union(Position::FRONT_LEFT_WIDE);
    const RIGHT: Position = Position::FRONT_RIGHT
        .union(Position::REAR_RIGHT)
        .union(Position::FRONT_RIGHT_CENTER)
        .union(Position::SIDE_RIGHT)
        .union(Position::TOP_FRONT_RIGHT)
        .union(Position::TOP_REAR_RIGHT)
        .union(Position::TOP_SIDE_RIGHT)
        .union(Position::BOTTOM_FRONT_RIGHT)
        .union(Position::FRONT_RIGHT_WIDE);
    const LOW: Position = Position::LFE1.union(Position::LFE2);
    positions
        .iter()
        .map(|position| {
            if LEFT.contains(position) {
                Channel::Left
            } else if RIGHT.contains(position) {
                Channel::Right
            } else if LOW.contains(position) {
                Channel::LowFrequency
            } else {
                Channel::Center
            }
        })
        .collect()
}
