//! Speech in, a living face out: the streaming motion generator.
//!
//! Samples go through log-mel, audio encoder and lip network in blocks of 40 ms; each block completes one motion frame.
//! Frame `i` stands at `i / 25` s of the sound and hears 80 ms past it; that look-ahead is compensated, so the first
//! frame comes out when two blocks have gone in. Head, eyes and brows are rules with a seed ([`super::life`]).
//!
//! The same samples, seed and controls give the same frames, however the samples are cut into chunks. What is kept
//! between calls does not grow with the length of the sound.

use super::articulation::{Tracks, smoothstep};
use super::controls::{Controls, SmoothControls};
use super::dice::Spring;
use super::encoder::{BLOCK_FRAMES, Encoder};
use super::error::MotionError;
use super::frame::{FPS, MotionFrame, Reference};
use super::life::Life;
use super::lips::{LEAD_BLOCKS, Lips};
use super::prosody::{BLOCK, Prosody, ProsodyMeter};
use super::rhythm::Rhythm;
use crate::audio::mel::{BANDS, HOP, LogMel};
use crate::pack::Pack;

const DT: f32 = 1.0 / FPS as f32;
/// What blendshapes of generated motion are added to.
pub const REFERENCE: Reference = Reference::Speech;
/// The mouth at rest: lips that touch lightly.
const REST: Tracks = Tracks { gap: 0.06, jaw: 0.04, round: 0.0, spread: 0.0, tongue: 0.0, shut: 0.0, tuck: 0.0 };
/// Certainty under which the encoder does not know what it hears, and from which on it does. On clear native speech the
/// running mean never fell under 0.31; the training's label smoothing keeps it far from 1.
const UNSURE: f32 = 0.18;
const SURE: f32 = 0.30;
/// Silence for so long lets the mouth come to rest, s.
const REST_AFTER: f32 = 0.24;

/// Generates motion from sound; see the module.
#[derive(Debug)]
pub struct MotionGenerator {
    encoder: Encoder,
    lips: Lips,
    mel: LogMel,
    meter: ProsodyMeter,
    rhythm: Rhythm,
    life: Life,
    controls: SmoothControls,
    silence_phone: Option<usize>,
    block: Box<[f32; BLOCK]>,
    filled: usize,
    heard: Prosody,
    rest: Spring,
    /// Mean certainty of the encoder about what it hears, 0..1.
    certainty: f32,
    samples: u64,
    blocks: u64,
    emitted: u64,
}

impl MotionGenerator {
    /// A generator at the start of a sound. The same `seed` gives the same take.
    ///
    /// # Errors
    /// [`MotionError`] when the pack has no speech networks or ones that this program cannot run.
    pub fn new(pack: &Pack, controls: Controls, seed: u64) -> Result<Self, MotionError> {
        let encoder = Encoder::new(pack)?;
        let lips = Lips::new(pack, &encoder)?;
        Ok(Self {
            silence_phone: encoder.phones().iter().position(|p| p == "SIL"),
            encoder,
            lips,
            mel: LogMel::new(),
            meter: ProsodyMeter::default(),
            rhythm: Rhythm::new(DT),
            life: Life::new(seed, DT),
            controls: SmoothControls::new(controls),
            block: Box::new([0.0; BLOCK]),
            filled: 0,
            heard: Prosody::default(),
            rest: Spring::at(1.0),
            certainty: 1.0,
            samples: 0,
            blocks: 0,
            emitted: 0,
        })
    }

    /// The controls as last asked for.
    pub fn controls(&self) -> Controls {
        self.controls.goal()
    }

    /// Changes the controls; the next frames go there smoothly, within 200 ms.
    pub fn set_controls(&mut self, controls: Controls) {
        self.controls.set(controls);
    }

    /// Takes mono samples at 16 kHz (nominally within -1..1; what is not finite counts as silence) and emits the frames
    /// that are complete with them.
    ///
    /// # Errors
    /// [`MotionError::Run`].
    pub fn push(&mut self, samples: &[f32], emit: &mut impl FnMut(MotionFrame)) -> Result<(), MotionError> {
        self.samples += samples.len() as u64;
        self.feed(samples, u64::MAX, emit)
    }

    /// Ends the sound: emits the frames that still wait for their look-ahead, so that there are
    /// `ceil(seconds * 25)` in all. Afterwards the generator stands at the start of a new sound, while the face lives on.
    ///
    /// # Errors
    /// [`MotionError::Run`].
    pub fn finish(&mut self, emit: &mut impl FnMut(MotionFrame)) -> Result<(), MotionError> {
        let total = self.samples.div_ceil(BLOCK as u64);
        let silence = [0.0; BLOCK];
        while self.emitted < total {
            self.feed(&silence[..BLOCK - self.filled], total, emit)?;
        }
        self.encoder.reset();
        self.lips.reset();
        self.mel = LogMel::new();
        (self.filled, self.samples, self.blocks, self.emitted) = (0, 0, 0, 0);
        Ok(())
    }

    fn feed(&mut self, samples: &[f32], total: u64, emit: &mut impl FnMut(MotionFrame)) -> Result<(), MotionError> {
        let mut rest = samples;
        while !rest.is_empty() {
            let (part, later) = rest.split_at(rest.len().min(BLOCK - self.filled));
            for (to, &x) in self.block[self.filled..].iter_mut().zip(part) {
                *to = if x.is_finite() { x.clamp(-1e4, 1e4) } else { 0.0 };
            }
            self.filled += part.len();
            rest = later;
            if self.filled == BLOCK {
                self.filled = 0;
                if let Some(frame) = self.next_frame()?
                    && self.emitted < total
                {
                    self.emitted += 1;
                    emit(frame);
                }
            }
        }
        Ok(())
    }

    /// Runs the block that is complete; the first one of a sound gives no frame yet.
    fn next_frame(&mut self) -> Result<Option<MotionFrame>, MotionError> {
        let mut mel = [[0.0; BANDS]; BLOCK_FRAMES];
        let mut frames = mel.iter_mut();
        const { assert!(BLOCK_FRAMES * HOP == BLOCK) };
        self.mel.push(self.block.as_slice(), &mut |frame| {
            if let Some(to) = frames.next() {
                *to = *frame;
            }
        });
        let encoded = self.encoder.run(&mel)?;
        let now = std::mem::replace(&mut self.heard, self.meter.measure(&self.block));
        self.blocks += 1;
        if self.blocks <= LEAD_BLOCKS {
            return Ok(None);
        }
        let output = self.lips.run(&encoded.rows)?;
        let mut tracks = self.lips.tracks(&output);
        let (silence, certainty) = self.judge(&encoded.logits);
        let beat = self.rhythm.step(&now, &self.heard, silence);
        let controls = self.controls.step(DT);

        self.certainty += 0.08 * (certainty - self.certainty);
        let unsure = 1.0 - smoothstep(self.certainty, UNSURE, SURE);
        follow_loudness(&mut tracks, &now, unsure);
        tracks.gap *= controls.mouth_amplitude;
        tracks.jaw *= controls.mouth_amplitude;
        let resting = beat.silent_for > REST_AFTER && self.heard.loudness < 0.15;
        let rest = self.rest.step(f32::from(resting), if resting { 12.0 } else { 60.0 }, DT).clamp(0.0, 1.0);
        let tracks = toward(&tracks, &REST, rest);

        let mut frame =
            MotionFrame { blendshapes: self.lips.articulation().to_arkit(&tracks), ..MotionFrame::default() };
        self.life.step(&beat, &controls, tracks.shut, tracks.tuck, &mut frame);
        Ok(Some(frame))
    }

    /// Probability of silence and of the likeliest phone, means over the block's rows.
    fn judge(&self, logits: &[f32]) -> (f32, f32) {
        let (mut silence, mut likeliest, mut rows) = (0.0, 0.0, 0.0);
        for row in logits.chunks_exact(self.encoder.phones().len()) {
            let top = row.iter().copied().fold(f32::MIN, f32::max);
            let sum: f32 = row.iter().map(|l| (l - top).exp()).sum();
            silence += self.silence_phone.map_or(0.0, |s| (row[s] - top).exp() / sum);
            likeliest += 1.0 / sum;
            rows += 1.0;
        }
        (silence / f32::max(rows, 1.0), likeliest / f32::max(rows, 1.0))
    }
}

/// Where the encoder knows no phone for the sound (singing, strange voices) but there is a voice, the jaw follows its
/// loudness a little. Closures stay.
fn follow_loudness(tracks: &mut Tracks, now: &Prosody, unsure: f32) {
    let voice = unsure * smoothstep(now.voicing, 0.4, 0.7);
    let (gap, jaw) = (0.9 * now.loudness.powi(2), 0.6 * now.loudness.powi(2));
    tracks.gap += 0.5 * voice * (gap - tracks.gap).max(0.0);
    tracks.jaw += 0.5 * voice * (jaw - tracks.jaw).max(0.0);
}

fn toward(a: &Tracks, b: &Tracks, at: f32) -> Tracks {
    let lerp = |x: f32, y: f32| x + (y - x) * at;
    Tracks {
        gap: lerp(a.gap, b.gap),
        jaw: lerp(a.jaw, b.jaw),
        round: lerp(a.round, b.round),
        spread: lerp(a.spread, b.spread),
        tongue: lerp(a.tongue, b.tongue),
        shut: lerp(a.shut, b.shut),
        tuck: lerp(a.tuck, b.tuck),
    }
}

#[cfg(test)]
mod tests;
