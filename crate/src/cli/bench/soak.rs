//! `parlante bench --soak`: sound of a second up to an hour, to see that time grows as the sound does and memory does not.

use std::fmt::Write;
use std::time::Instant;

use parlante::animator::Models;
use parlante::motion::generator::REFERENCE;
use parlante::motion::{Controls, MotionFrame};
use serde::Serialize;

use super::super::args::Backend;
use super::super::failure::Failure;
use super::super::painter::Painter;
use super::super::{interrupt, models, sample};
use super::STEP;
use super::system::memory;

/// Seconds of sound.
const LENGTHS: [u32; 4] = [1, 10, 100, 3600];
/// Seconds after which nothing may grow any more.
const SETTLED: f64 = 10.0;
/// Samples a second.
const RATE: f64 = 16_000.0;
/// Of so many frames of motion one is drawn.
const DRAWN: usize = 25;
/// Side of the frames.
const SIDE: u32 = 512;

/// What one length of sound took.
#[derive(Clone, Copy, Debug, Serialize)]
struct Length {
    /// Seconds of sound.
    sound_s: f64,
    /// Frames of motion made of it.
    frames: usize,
    /// Seconds that it took.
    took_s: f64,
    /// Memory after its first ten seconds (of shorter ones: at the end), 10^6 bytes; null where the system does not tell.
    settled_mb: Option<f64>,
    /// How much more of it there was at the end.
    growth_mb: Option<f64>,
}

/// Speaks the sample over and over.
pub fn run(models: &Models, speech: &[f32], json: bool) -> Result<String, Failure> {
    let path = sample::portrait()?;
    let face = models::fit(models, &path, None)?;
    let mut painter = Painter::open(models, face, SIDE, Backend::Cpu)?;
    let mut rgba = vec![0; (4 * SIDE * SIDE) as usize];
    let mut lengths = Vec::new();
    for seconds in LENGTHS {
        let start = Instant::now();
        let mut stream = models.motion(Controls::default(), 0, 25.0)?;
        let mut motion: Vec<MotionFrame> = Vec::new();
        let (mut frames, mut settled) = (0, None);
        let steps = (f64::from(seconds) * RATE / STEP as f64) as usize;
        for step in speech.chunks_exact(STEP).cycle().take(steps) {
            interrupt::check()?;
            stream.push(step, &mut motion)?;
            for frame in motion.drain(..) {
                if frames % DRAWN == 0 {
                    painter.render(&frame, REFERENCE, &mut rgba)?;
                }
                frames += 1;
            }
            if stream.seconds() >= SETTLED && settled.is_none() {
                settled = memory("VmRSS");
            }
        }
        stream.finish(&mut motion)?;
        frames += motion.len();
        let now = memory("VmRSS");
        let settled_mb = settled.or(now);
        let growth_mb = now.zip(settled_mb).map(|(now, settled)| now - settled);
        let took_s = start.elapsed().as_secs_f64();
        lengths.push(Length { sound_s: f64::from(seconds), frames, took_s, settled_mb, growth_mb });
    }
    if json {
        return serde_json::to_string_pretty(&lengths).map_err(|error| Failure::Internal(error.to_string()));
    }
    let mut text =
        format!("{:>8} {:>8} {:>9} {:>12} {:>9} {:>9}\n", "sound s", "frames", "took s", "ms/s sound", "MB", "growth");
    for Length { sound_s, frames, took_s, settled_mb, growth_mb } in lengths {
        let known = |megabytes: Option<f64>| megabytes.map_or("?".to_owned(), |mb| format!("{mb:.1}"));
        let (each, mb, growth) = (1000.0 * took_s / sound_s, known(settled_mb), known(growth_mb));
        // writing to a string never fails
        let _ = writeln!(text, "{sound_s:8} {frames:8} {took_s:9.3} {each:12.2} {mb:>9} {growth:>9}");
    }
    Ok(text)
}
