//! Opus, which symphonia demultiplexes but does not decode, and in which sound tracks are written: a safe face for
//! `unsafe-libopus`, a translation of libopus 1.3 into Rust that needs no C compiler.

use std::ptr::NonNull;

use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::errors::Error;
use symphonia::core::packet::Packet;
use unsafe_libopus as unsafe_lib;

use super::decode::{AudioFormat, Channel};
use super::error::AudioError;

/// Opus decodes to and is encoded from this rate here, in hertz, whatever the recording's own was.
pub const RATE: u32 = 48_000;
/// The longest packet: 120 ms.
const MAX_PACKET_FRAMES: usize = RATE as usize * 120 / 1000;
/// Frames in each packet that [`OpusEncoder`] makes: 20 ms.
pub const PACKET_FRAMES: usize = RATE as usize / 50;
/// The most that a 20 ms packet can need, in bytes (RFC 6716: 1275 a frame, and the table of contents).
const MAX_PACKET_BYTES: usize = 1276;

/// Decodes the packets of one stream.
pub struct OpusDecoder {
    state: NonNull<unsafe_lib::OpusDecoder>,
    channels: usize,
    /// Frames at the start that the encoder put in.
    skip: usize,
    pcm: Vec<f32>,
}

// SAFETY: the state is a plain allocation without thread affinity, and only `&mut self` reaches it.
unsafe impl Send for OpusDecoder {}

impl OpusDecoder {
    /// A decoder for a stream with these parameters; `extra_data` is the identification header of RFC 7845.
    ///
    /// # Errors
    /// More than two channels.
    pub fn new(params: &AudioCodecParameters) -> Result<Self, AudioError> {
        let header = params.extra_data.as_deref().filter(|header| header.starts_with(b"OpusHead"));
        let channels = match (header, &params.channels) {
            (Some(&[_, _, _, _, _, _, _, _, _, channels, ..]), _) => usize::from(channels),
            (_, Some(channels)) => channels.count(),
            _ => 2,
        };
        let skip = match header {
            // Version 0 is the box that MP4 has in place of the header: the same fields, big endian.
            Some(&[_, _, _, _, _, _, _, _, 0, _, high, low, ..]) => usize::from(u16::from_be_bytes([high, low])),
            Some(&[_, _, _, _, _, _, _, _, _, _, low, high, ..]) => usize::from(u16::from_le_bytes([low, high])),
            _ => 0,
        };
        if !(1..=2).contains(&channels) {
            return Err(AudioError::UnsupportedCodec(format!("Opus with {channels} channels")));
        }
        let mut error = 0;
        // SAFETY: rate and channels are among those allowed, `error` outlives the call.
        let state = unsafe { unsafe_lib::opus_decoder_create(RATE as i32, channels as i32, &mut error) };
        let state = NonNull::new(state).ok_or_else(|| AudioError::UnsupportedCodec("Opus".into()))?;
        Ok(Self { state, channels, skip, pcm: vec![0.0; MAX_PACKET_FRAMES * channels] })
    }

    /// What [`Self::decode`] produces.
    pub fn format(&self) -> AudioFormat {
        let channels = if self.channels == 1 { vec![Channel::Center] } else { vec![Channel::Left, Channel::Right] };
        AudioFormat { sample_rate: RATE, channels }
    }

    /// Decodes a packet into `out` (interleaved; its content is replaced).
    ///
    /// # Errors
    /// A packet that is not Opus.
    pub fn decode(&mut self, packet: &Packet, out: &mut Vec<f32>) -> Result<(), Error> {
        out.clear();
        if packet.data.is_empty() {
            return Ok(());
        }
        let bytes = i32::try_from(packet.data.len()).map_err(|_| Error::DecodeError("opus: packet too large"))?;
        // SAFETY: the state is alive; `pcm` has room for the longest packet in all channels.
        let frames = unsafe {
            unsafe_lib::opus_decode_float(
                self.state.as_ptr(),
                packet.data.as_ptr(),
                bytes,
                self.pcm.as_mut_ptr(),
                MAX_PACKET_FRAMES as i32,
                0,
            )
        };
        let frames = usize::try_from(frames).map_err(|_| Error::DecodeError("opus: broken packet"))?;
        // symphonia's Ogg reader asks for the trim itself; containers that do not leave it to the header.
        let skip = (packet.trim_start.get() as usize).max(self.skip).min(frames);
        self.skip -= skip.min(self.skip);
        let end = frames.saturating_sub(packet.trim_end.get() as usize).max(skip);
        out.extend_from_slice(&self.pcm[skip * self.channels..end * self.channels]);
        Ok(())
    }
}

impl Drop for OpusDecoder {
    fn drop(&mut self) {
        // SAFETY: made by `opus_decoder_create`, freed once.
        unsafe { unsafe_lib::opus_decoder_destroy(self.state.as_ptr()) };
    }
}

/// Encodes interleaved samples at [`RATE`] in packets of [`PACKET_FRAMES`].
pub struct OpusEncoder {
    state: NonNull<unsafe_lib::OpusEncoder>,
    channels: usize,
    lookahead: u16,
    packet: Vec<u8>,
}

// SAFETY: as for the decoder.
unsafe impl Send for OpusEncoder {}

impl OpusEncoder {
    /// An encoder for 1 or 2 channels at `bitrate` bits a second (6000 to 510000), tuned for general sound.
    ///
    /// # Errors
    /// What libopus says about the parameters.
    pub fn new(channels: usize, bitrate: u32) -> Result<Self, AudioError> {
        let refused = |what: &str| AudioError::UnsupportedCodec(format!("Opus encoder: {what}"));
        if !(1..=2).contains(&channels) {
            return Err(AudioError::Channels(channels));
        }
        let mut error = 0;
        // SAFETY: rate, channels and application are among those allowed, `error` outlives the call.
        let state = unsafe {
            unsafe_lib::opus_encoder_create(
                RATE as i32,
                channels as i32,
                unsafe_lib::OPUS_APPLICATION_AUDIO,
                &mut error,
            )
        };
        let state = NonNull::new(state).ok_or_else(|| refused("cannot be made"))?;
        let mut encoder = Self { state, channels, lookahead: 0, packet: vec![0; MAX_PACKET_BYTES] };
        let (bitrate, mut lookahead) = (i32::try_from(bitrate).unwrap_or(i32::MAX), 0i32);
        // SAFETY: the state is alive and the arguments have the types that these requests take.
        let result = unsafe {
            unsafe_lib::opus_encoder_ctl!(encoder.state.as_ptr(), unsafe_lib::OPUS_SET_BITRATE_REQUEST, bitrate).min(
                unsafe_lib::opus_encoder_ctl!(
                    encoder.state.as_ptr(),
                    unsafe_lib::OPUS_GET_LOOKAHEAD_REQUEST,
                    &mut lookahead
                ),
            )
        };
        if result != unsafe_lib::OPUS_OK {
            return Err(refused("refuses the bit rate"));
        }
        encoder.lookahead = u16::try_from(lookahead).unwrap_or(0);
        Ok(encoder)
    }

    /// Frames that a player has to skip at the start ("pre-skip").
    pub fn lookahead(&self) -> u16 {
        self.lookahead
    }

    /// Encodes `PACKET_FRAMES * channels` samples.
    ///
    /// # Errors
    /// Another number of samples.
    pub fn encode(&mut self, samples: &[f32]) -> Result<&[u8], AudioError> {
        if samples.len() != PACKET_FRAMES * self.channels {
            return Err(AudioError::Resampling(format!("{} samples in a packet", samples.len())));
        }
        // SAFETY: the state is alive, `samples` holds a whole packet, `packet` has the length that is told.
        let bytes = unsafe {
            unsafe_lib::opus_encode_float(
                self.state.as_ptr(),
                samples.as_ptr(),
                PACKET_FRAMES as i32,
                self.packet.as_mut_ptr(),
                MAX_PACKET_BYTES as i32,
            )
        };
        let bytes = usize::try_from(bytes).map_err(|_| AudioError::UnsupportedCodec(format!("Opus error {bytes}")))?;
        Ok(&self.packet[..bytes])
    }
}

impl Drop for OpusEncoder {
    fn drop(&mut self) {
        // SAFETY: made by `opus_encoder_create`, freed once.
        unsafe { unsafe_lib::opus_encoder_destroy(self.state.as_ptr()) };
    }
}
