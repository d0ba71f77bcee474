//! Speech in, a living face out: the streaming motion generator.
//!
//! Samples go through log-mel, audio encoder and lip network in blocks of 40 ms; each block completes one motion frame.
//! Frame `i` stands at `i / 25` s of the sound and hears 80 ms past it; that look-ahead is compensated, so the first
//! frame comes out when two blocks have gone in. Head, eyes and brows are rules with a seed ([`super::life`]).
//!
//! The same samples, seed and controls give the same frames, however the samples are cut into chunks. What is kept
//! between calls does not grow with the length of the sound.

use super::articulation::{Tracks, smoothstep};
use super::coarticulation::Coarticulation;
use super::controls::{Controls, SmoothControls};
use super::dice::Spring;
use super::encoder::{BLOCK_FRAMES, BLOCK_ROWS, Encoded, Encoder};
use super::error::MotionError;
use super::frame::{Blendshape, Blendshapes, FPS, MotionFrame, Reference};
use super::life::Life;
use super::lipgap::lip_gap;
use super::lips::{LEAD_BLOCKS, Lips};
use super::prosody::{BLOCK, Prosody, ProsodyMeter};
use super::resample::is_mouth;
use super::rhythm::Rhythm;
use super::speech::SpeechGate;
use super::steady::SteadyMeter;
use super::timed::TimedPhones;
use crate::audio::mel::{BANDS, HOP, LogMel};
use crate::audio::{OffsetFilter, SAMPLE_RATE};
use crate::exec::Device;
use crate::pack::Pack;

const DT: f32 = 1.0 / FPS as f32;
/// What blendshapes of generated motion are added to.
pub const REFERENCE: Reference = Reference::Speech;
/// Sound that must be there beyond the moment of a frame, s: its own block and those after it that the networks hear.
pub const LOOK_AHEAD: f64 = (LEAD_BLOCKS + 1) as f64 / FPS as f64;
/// The mouth at rest: lips that touch lightly.
const REST: Tracks = Tracks { gap: 0.06, jaw: 0.04, round: 0.0, spread: 0.0, tongue: 0.0, shut: 0.0, tuck: 0.0 };
/// Silence for so long lets the mouth come to rest, s.
const REST_AFTER: f32 = 0.24;
/// Largest step of a coefficient in a frame; the gate and the gap of the lips, cm, at which a closure may take larger ones.
const LARGEST_STEP: f32 = 0.25;
const CLOSING_GATE: f32 = 0.5;
const CLOSING_GAP: f32 = 0.6;
/// What a blink moves.
const LIDS: [Blendshape; 6] = [
    Blendshape::EyeBlinkLeft,
    Blendshape::EyeBlinkRight,
    Blendshape::EyeWideLeft,
    Blendshape::EyeWideRight,
    Blendshape::EyeSquintLeft,
    Blendshape::EyeSquintRight,
];
/// How fast the mouth comes to rest, and wakes, 1/s.
const CLOSING: f32 = 12.0;
const OPENING: f32 = 40.0;
/// Loudness from which a sound is judged.
const HEARD: f32 = 0.2;

/// Generates motion from sound; see the module.
#[derive(Debug)]
pub struct MotionGenerator {
    encoder: Encoder,
    lips: Lips,
    offset: OffsetFilter,
    mel: LogMel,
    meter: ProsodyMeter,
    rhythm: Rhythm,
    life: Life,
    controls: SmoothControls,
    silence_phone: Option<usize>,
    /// Phones that came with the sound, and what their time is ahead of the generator's: they move the lips and the
    /// networks rest.
    phones: Option<(Coarticulation, f64)>,
    block: Box<[f32; BLOCK]>,
    filled: usize,
    heard: Prosody,
    rest: Spring,
    gate: SpeechGate,
    steady: SteadyMeter,
    /// How much the sound is speech, 0..1.
    speech: f32,
    /// The frame before, and whether it closed the lips.
    last: Option<(Blendshapes, bool)>,
    /// Probabilities of the phones in the block's rows.
    rows: Vec<Vec<f32>>,
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
        Self::on(pack, controls, seed, &Device::Cpu)
    }

    /// Like [`Self::new`], with the networks on a device.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn on(pack: &Pack, controls: Controls, seed: u64, device: &Device) -> Result<Self, MotionError> {
        let encoder = Encoder::on(pack, device)?;
        let lips = Lips::on(pack, &encoder, device)?;
        Ok(Self {
            silence_phone: encoder.phones().iter().position(|p| p == "SIL"),
            phones: None,
            encoder,
            lips,
            offset: OffsetFilter::default(),
            mel: LogMel::new(),
            meter: ProsodyMeter::default(),
            rhythm: Rhythm::new(DT),
            life: Life::new(seed, DT),
            controls: SmoothControls::new(controls),
            block: Box::new([0.0; BLOCK]),
            filled: 0,
            heard: Prosody::default(),
            rest: Spring::at(1.0),
            gate: SpeechGate::default(),
            steady: SteadyMeter::default(),
            speech: 1.0,
            last: None,
            rows: Vec::new(),
            samples: 0,
            blocks: 0,
            emitted: 0,
        })
    }

    /// The controls as last asked for.
    pub fn controls(&self) -> Controls {
        self.controls.goal()
    }

    /// Arithmetic of the networks for a second of sound; a multiply-add counts as two.
    pub fn flops_a_second(&self) -> u64 {
        u64::from(FPS) * (self.encoder.flops() + self.lips.flops())
    }

    /// Changes the controls; the next frames go there smoothly, within 200 ms.
    pub fn set_controls(&mut self, controls: Controls) {
        self.controls.set(controls);
    }

    /// From the next sample on, which is second `from` of their time, the lips follow these phones, up to
    /// [`Self::finish`]; head, brows and eyes follow the sound. `None`: the lips follow the sound again.
    pub fn set_phones(&mut self, phones: Option<&TimedPhones>, from: f64) {
        if self.phones.is_some() && phones.is_none() {
            // The networks did not hear what was said meanwhile.
            self.encoder.reset();
            self.lips.reset();
            self.mel = LogMel::new();
        }
        let from = if from.is_finite() { from } else { 0.0 };
        let pushed = self.blocks as f64 / f64::from(FPS) + self.filled as f64 / f64::from(SAMPLE_RATE);
        self.phones = phones.map(|phones| (Coarticulation::new(phones), from - pushed));
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
        self.offset = OffsetFilter::default();
        self.phones = None;
        (self.filled, self.samples, self.blocks, self.emitted) = (0, 0, 0, 0);
        Ok(())
    }

    fn feed(&mut self, samples: &[f32], total: u64, emit: &mut impl FnMut(MotionFrame)) -> Result<(), MotionError> {
        let mut rest = samples;
        while !rest.is_empty() {
            let (part, later) = rest.split_at(rest.len().min(BLOCK - self.filled));
            for (to, &x) in self.block[self.filled..].iter_mut().zip(part) {
                *to = self.offset.next(if x.is_finite() { x.clamp(-1e4, 1e4) } else { 0.0 });
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
        let now = std::mem::replace(&mut self.heard, self.meter.measure(&self.block));
        self.blocks += 1;
        let lead = self.blocks <= LEAD_BLOCKS;
        let (tracks, silence) = if self.phones.is_some() {
            self.follow_phones()
        } else {
            let encoded = self.encode()?;
            if lead { (REST, 1.0) } else { self.listen(&encoded, &now)? }
        };
        if lead {
            return Ok(None);
        }
        let beat = self.rhythm.step(&now, &self.heard, silence);
        let controls = self.controls.step(DT);
        // Phones that are given know their pauses, and that they are speech.
        let goal = match &self.phones {
            Some(_) => 0.0,
            None if beat.silent_for > REST_AFTER && self.heard.loudness < 0.15 => 1.0,
            None => 1.0 - self.speech,
        };
        let stiffness = if goal > self.rest.value { CLOSING } else { OPENING };
        let rest = self.rest.step(goal, stiffness, DT).clamp(0.0, 1.0);
        // Who listens does not move the lips to the other one's words.
        let tracks = toward(&amplified(tracks, controls.mouth_amplitude), &REST, rest.max(controls.listening));

        let mut frame =
            MotionFrame { blendshapes: self.lips.articulation().to_arkit(&tracks), ..MotionFrame::default() };
        self.life.step(&beat, &controls, tracks.shut, tracks.tuck, &mut frame);
        self.steady(&mut frame.blendshapes, tracks.shut.max(tracks.tuck));
        Ok(Some(frame))
    }

    /// Keeps coefficients from jumping, whatever is heard and asked for. Closures and lids are as quick as they must be;
    /// a gate that is half shut over a wide open mouth is no closure yet.
    fn steady(&mut self, face: &mut Blendshapes, closure: f32) {
        let closes = closure >= CLOSING_GATE && lip_gap(face) < CLOSING_GAP;
        let (last, closing) = self.last.unwrap_or((*face, true));
        let free = |s: Blendshape| LIDS.contains(&s) || ((closing || closes) && is_mouth(s));
        for shape in Blendshape::ALL.into_iter().filter(|&s| !free(s)) {
            face[shape] = face[shape].clamp(last[shape] - LARGEST_STEP, last[shape] + LARGEST_STEP);
        }
        self.last = Some((*face, closes));
    }

    /// What the encoder makes of the block.
    fn encode(&mut self) -> Result<Encoded, MotionError> {
        let mut mel = [[0.0; BANDS]; BLOCK_FRAMES];
        let mut frames = mel.iter_mut();
        const { assert!(BLOCK_FRAMES * HOP == BLOCK) };
        self.mel.push(self.block.as_slice(), &mut |frame| {
            if let Some(to) = frames.next() {
                *to = *frame;
            }
        });
        self.encoder.run(&mel)
    }

    /// The mouth as the lip network has it, and the probability of silence.
    fn listen(&mut self, encoded: &Encoded, now: &Prosody) -> Result<(Tracks, f32), MotionError> {
        let output = self.lips.run(&encoded.rows)?;
        let mut tracks = self.lips.tracks(&output);
        let silence = self.judge(&encoded.logits);
        let still = self.steady.measure(&self.block);
        self.speech = self.gate.step(&self.rows, self.silence_phone, still, now.loudness > HEARD);
        let unsure = 4.0 * self.speech * (1.0 - self.speech);
        follow_loudness(&mut tracks, now, unsure);
        Ok((tracks, silence))
    }

    /// The mouth as the given phones have it, and whether they are silent.
    fn follow_phones(&mut self) -> (Tracks, f32) {
        let Some((mouth, ahead)) = &mut self.phones else { return (REST, 1.0) };
        let dt = 1.0 / f64::from(FPS);
        mouth.hear((self.blocks as f64 - 0.5) * dt + *ahead, self.heard.loudness);
        let time = self.blocks.saturating_sub(LEAD_BLOCKS + 1) as f64 * dt + *ahead;
        (mouth.tracks(time), f32::from(!mouth.speaks_at(time)))
    }

    /// Keeps the phones' probabilities in the block's rows and answers that of silence, a mean.
    fn judge(&mut self, logits: &[f32]) -> f32 {
        let mut silence = 0.0;
        let count = self.encoder.phones().len();
        self.rows.resize_with(BLOCK_ROWS, Vec::new);
        for (row, logits) in self.rows.iter_mut().zip(logits.chunks_exact(count)) {
            let top = logits.iter().copied().fold(f32::MIN, f32::max);
            row.clear();
            row.extend(logits.iter().map(|l| (l - top).exp()));
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|p| *p /= sum);
            silence += self.silence_phone.map_or(0.0, |s| row[s]);
        }
        silence / BLOCK_ROWS as f32
    }
}

/// Where it is unsure whether the sound is speech (singing, strange voices) but there is a voice, the jaw follows its
/// loudness a little. Closures stay.
fn follow_loudness(tracks: &mut Tracks, now: &Prosody, unsure: f32) {
    let voice = unsure * smoothstep(now.voicing, 0.4, 0.7);
    let (gap, jaw) = (0.9 * now.loudness.powi(2), 0.6 * now.loudness.powi(2));
    tracks.gap += 0.5 * voice * (gap - tracks.gap).max(0.0);
    tracks.jaw += 0.5 * voice * (jaw - tracks.jaw).max(0.0);
}

/// Opened more or less widely; gates stay.
fn amplified(tracks: Tracks, by: f32) -> Tracks {
    Tracks { gap: tracks.gap * by, jaw: tracks.jaw * by, ..tracks }
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
mod bad_input;
#[cfg(test)]
mod tests;
