//! The sound track: samples in, Opus packets out.

use crate::audio::AudioError;
use crate::audio::opus::{OpusEncoder, PACKET_FRAMES, RATE};

use super::error::OutputError;

/// Bits a second: transparent for speech.
const BITRATE: [u32; 2] = [96_000, 144_000];

pub(super) struct SoundEncoder {
    encoder: OpusEncoder,
    channels: usize,
    waiting: Vec<f32>,
    /// Frames taken so far, without padding.
    frames: u64,
    packets: u64,
}

impl SoundEncoder {
    pub(super) fn new(channels: usize) -> Result<Self, OutputError> {
        let bitrate = BITRATE[channels.clamp(1, 2) - 1];
        let encoder = OpusEncoder::new(channels, bitrate).map_err(failed)?;
        Ok(Self { encoder, channels, waiting: Vec::new(), frames: 0, packets: 0 })
    }

    /// Frames at the start of the stream that a player skips.
    pub(super) fn lookahead(&self) -> u16 {
        self.encoder.lookahead()
    }

    /// Takes interleaved samples at 48 kHz and hands out complete packets.
    pub(super) fn push<E: From<OutputError>>(
        &mut self,
        samples: &[f32],
        mut ready: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.frames += (samples.len() / self.channels) as u64;
        self.waiting.extend(samples.iter().map(|s| s.clamp(-1.0, 1.0)));
        let size = PACKET_FRAMES * self.channels;
        let mut taken = 0;
        while self.waiting.len() - taken >= size {
            let packet = self.encoder.encode(&self.waiting[taken..taken + size]).map_err(failed)?;
            self.packets += 1;
            taken += size;
            ready(packet)?;
        }
        self.waiting.drain(..taken);
        Ok(())
    }

    /// Pads with silence up to `frames` and flushes the encoder's delay, so that a player can play them all.
    pub(super) fn finish<E: From<OutputError>>(
        &mut self,
        frames: u64,
        mut ready: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let silence = vec![0.0; PACKET_FRAMES * self.channels];
        let needed = (frames + u64::from(self.lookahead())).div_ceil(PACKET_FRAMES as u64);
        while self.packets < needed {
            let missing = silence.len() - self.waiting.len();
            self.push(&silence[..missing], &mut ready)?;
        }
        Ok(())
    }
}

/// Frames of sound that `pictures` last.
pub(super) fn frames_of(pictures: u64, fps: u32) -> u64 {
    (pictures * u64::from(RATE)).div_ceil(u64::from(fps))
}

fn failed(error: AudioError) -> OutputError {
    OutputError::Encoder { codec: "Opus", message: error.to_string() }
}
