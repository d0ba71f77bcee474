//! Recordings for JavaScript.

use js_sys::{Array, Float32Array};
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use super::blob::BlobReader;
use super::error::OrJs;
use crate::audio::{AudioReader, Converter, LiveResampler, Mix, SAMPLE_RATE};

/// Rate of the sound for the ear, hertz: what every encoder and loudspeaker takes.
const SOUND_RATE: u32 = 48_000;
/// A place nearer to the start than this, seconds, is reached by reading.
const NEAR: f64 = 2.0;
/// Shortest piece that is handed out, frames; files come in much smaller ones.
const SHORTEST: usize = 8_192;

/// A recording that is read from some second on: for the ear (48 kHz, one or two channels) or for the motion
/// (16 kHz, mono).
#[wasm_bindgen]
pub struct SoundReader {
    reader: AudioReader,
    converter: Converter,
    rate: u32,
    /// Frames that come out before the wanted second.
    skip: usize,
    ready: Vec<f32>,
    ended: bool,
}

#[wasm_bindgen]
impl SoundReader {
    /// Opens `file` at `second`. With `speech` it answers mono at 16 kHz, otherwise sound for the ear at 48 kHz.
    ///
    /// # Errors
    /// When the file is no recording (code `voice`).
    #[wasm_bindgen(constructor)]
    pub fn new(file: Blob, speech: bool, second: f64) -> Result<SoundReader, JsValue> {
        let open = || {
            let source = BlobReader::new(file.clone()).or_js("voice")?;
            AudioReader::from_source(Box::new(source), None).or_js("voice")
        };
        let mut reader = open()?;
        let mut at = 0.0;
        if second > NEAR {
            match reader.seek(second) {
                Some(start) => at = start,
                None => reader = open()?,
            }
        }
        let (rate, mix) = if speech { (SAMPLE_RATE, Mix::Mono) } else { (SOUND_RATE, Mix::AtMostStereo) };
        let converter = Converter::new(reader.format(), rate, mix).or_js("voice")?;
        let skip = ((second - at).max(0.0) * f64::from(rate)).round() as usize;
        Ok(Self { reader, converter, rate, skip, ready: Vec::new(), ended: false })
    }

    /// Hertz of what is handed out.
    #[wasm_bindgen(getter, js_name = sampleRate)]
    pub fn sample_rate(&self) -> u32 {
        self.rate
    }

    /// Channels that are handed out.
    #[wasm_bindgen(getter)]
    pub fn channels(&self) -> usize {
        self.converter.channels()
    }

    /// Seconds of the whole recording, where the file announces them.
    #[wasm_bindgen(getter)]
    pub fn duration(&self) -> Option<f64> {
        self.reader.announced_duration()
    }

    /// The next piece, one array a channel; `undefined` after the end.
    pub fn read(&mut self) -> Option<Array> {
        let channels = self.converter.channels();
        while (self.skip > 0 || self.ready.len() < SHORTEST * channels) && !self.ended {
            match self.reader.next_block() {
                Some(block) => self.converter.push(block, &mut self.ready),
                None => {
                    self.converter.finish(&mut self.ready);
                    self.ended = true;
                }
            }
            let passed = self.skip.min(self.ready.len() / channels);
            self.ready.drain(..passed * channels);
            self.skip -= passed;
        }
        if self.ready.is_empty() {
            return None;
        }
        let planes = (0..channels).map(|channel| {
            let plane: Vec<f32> = self.ready.iter().skip(channel).step_by(channels).copied().collect();
            Float32Array::from(&plane[..])
        });
        let planes = planes.collect();
        self.ready.clear();
        Some(planes)
    }

    /// Reads the rest without keeping it, and answers the seconds of the whole recording as they really are.
    pub fn measure(&mut self) -> f64 {
        while self.reader.next_block().is_some() {}
        self.ended = true;
        self.reader.decoded_duration()
    }
}

/// Sound that comes live, made into speech: mono at any rate into mono at 16 kHz.
#[wasm_bindgen]
pub struct LiveSound {
    resampler: LiveResampler,
    rate: u32,
    ready: Vec<f32>,
}

#[wasm_bindgen]
impl LiveSound {
    /// For sound of `rate` hertz.
    ///
    /// # Errors
    /// When no sound has this rate (code `voice`).
    #[wasm_bindgen(constructor)]
    pub fn new(rate: u32) -> Result<LiveSound, JsValue> {
        let (mut resampler, mut ready) = (LiveResampler::default(), Vec::new());
        resampler.push(&[], rate, &mut ready).or_js("voice")?;
        Ok(Self { resampler, rate, ready })
    }

    /// Takes samples and answers what is ready of them: all but about the last millisecond (of telephone
    /// sound two).
    ///
    /// # Errors
    /// None: the rate was checked before.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<f32>, JsValue> {
        self.resampler.push(samples, self.rate, &mut self.ready).or_js("voice")?;
        Ok(std::mem::take(&mut self.ready))
    }
}
