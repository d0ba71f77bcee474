//! `parlante bench`: how long each stage takes on this machine.

use std::time::Instant;

use parlante::animator::Models;
use parlante::audio::AudioReader;
use parlante::motion::frame::Reference;
use parlante::motion::generator::REFERENCE;
use parlante::motion::{Controls, MotionFrame};
use parlante::output::colour::Yuv420;
use parlante::pack::Pack;
use serde::Serialize;

use super::args::BenchArguments;
use super::failure::Failure;
use super::painter::Painter;
use super::progress::Progress;
use super::{device, interrupt, models, sample};

/// Runs of the stages that take long.
const FEW: usize = 5;
/// Frames that are drawn.
const FRAMES: usize = 150;
/// Samples of sound in one step of the motion generator: 40 ms.
const STEP: usize = 640;

/// The report.
#[derive(Serialize)]
struct Report {
    /// What draws.
    backend: &'static str,
    /// What networks run on.
    networks: &'static str,
    size: u32,
    threads: usize,
    /// Frames drawn a second.
    decode_fps: f64,
    /// Arithmetic of one frame, in 10^9 operations (a multiply-add counts as two), estimated from the mesh and the
    /// pixels.
    decoder_gflop_per_frame: f64,
    /// Largest memory use so far, in 10^6 bytes; null where the system does not tell.
    peak_rss_mb: Option<f64>,
    stages: Vec<Stage>,
}

/// One stage.
#[derive(Serialize)]
struct Stage {
    name: &'static str,
    ms_p50: f64,
    ms_p95: f64,
    /// Arithmetic of one run, 10^9 operations; null where nobody has counted.
    gflop: Option<f64>,
    /// Memory that one run moves at least, 10^6 bytes; null where nobody has counted.
    mbytes: Option<f64>,
}

/// Measures and reports.
pub fn run(arguments: &BenchArguments) -> Result<String, Failure> {
    let device = device::open(arguments.backend)?;
    let progress = Progress::step("Measuring");
    let mut stages = Vec::new();

    let bytes = models::read_pack(arguments.pack.as_deref())?;
    let open = || -> Result<Models, Failure> { Ok(Models::on(Pack::from_bytes(bytes.clone())?, &device)?) };
    stages.push(time("open pack", FEW, |_| open().map(drop))?);
    let models = open()?;
    let path = arguments.portrait.clone().map_or_else(sample::portrait, Ok)?;
    let photo = models::photo(&path)?;
    let failed = |error| Failure::portrait(&path, error);
    stages.push(time("find face", FEW, |_| models.finder().find(&photo).map(drop).map_err(|e| failed(e.into())))?);
    stages.push(time("find and fit", FEW, |_| models.fit(&photo, None).map(drop).map_err(failed))?);
    let face = models.fit(&photo, None).map_err(failed)?;
    let mut painter = Painter::open(&models, face, arguments.size, arguments.backend)?;
    let backend = painter.backend();

    let speech = read_speech()?;
    let mut stream = models.motion(Controls::default(), 0, 25.0)?;
    let mut frames: Vec<MotionFrame> = Vec::new();
    let steps: Vec<&[f32]> = speech.chunks_exact(STEP).collect();
    stages.push(time("motion", steps.len(), |i| Ok(stream.push(steps[i], &mut frames)?))?);
    if frames.is_empty() {
        frames.push(MotionFrame::default());
    }

    let side = arguments.size as usize;
    let mut rgba = vec![0; side * side * 4];
    painter.render(&frames[0], Reference::default(), &mut rgba)?;
    let mut drawn = time("decode", FRAMES, |i| painter.render(&frames[i % frames.len()], REFERENCE, &mut rgba))?;
    let gflop = decoder_gflop(&models, side);
    drawn.gflop = Some(gflop);
    drawn.mbytes = Some((rgba.len() * 2) as f64 / 1e6);
    let decode_fps = 1000.0 / drawn.ms_p50;
    stages.push(drawn);

    let mut picture = Yuv420::new(side, side)?;
    stages.push(time("colour", FRAMES, |_| {
        picture.set_rgba(&rgba);
        Ok(())
    })?);
    drop(progress);

    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let report = Report {
        backend,
        networks: device::name(&device),
        size: arguments.size,
        threads,
        decode_fps,
        decoder_gflop_per_frame: gflop,
        peak_rss_mb: peak_memory(),
        stages,
    };
    if arguments.json {
        return serde_json::to_string_pretty(&report).map_err(|error| Failure::Internal(error.to_string()));
    }
    let mut text = format!(
        "{decode_fps:.1} frames a second of {side} x {side} on {backend} with {threads} threads, {gflop:.2} GFLOP a \
         frame; networks on {}\n",
        report.networks
    );
    for stage in &report.stages {
        text += &format!("{:14} {:9.2} ms (95 %: {:.2} ms)\n", stage.name, stage.ms_p50, stage.ms_p95);
    }
    if let Some(memory) = report.peak_rss_mb {
        text += &format!("largest memory use {memory:.0} MB\n");
    }
    Ok(text)
}

/// Runs a stage and takes the median and the 95th percentile of its time.
fn time(
    name: &'static str,
    runs: usize,
    mut stage: impl FnMut(usize) -> Result<(), Failure>,
) -> Result<Stage, Failure> {
    let mut times = Vec::with_capacity(runs);
    for i in 0..runs {
        interrupt::check()?;
        let start = Instant::now();
        stage(i)?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get(((times.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(0.0);
    Ok(Stage { name, ms_p50: at(0.5), ms_p95: at(0.95), gflop: None, mbytes: None })
}

/// The sample speech as 16 kHz mono.
fn read_speech() -> Result<Vec<f32>, Failure> {
    let mut reader = AudioReader::open(&sample::speech()?)?.into_speech()?;
    let mut speech = Vec::new();
    while let Some(chunk) = reader.next_chunk() {
        speech.extend_from_slice(chunk);
    }
    Ok(speech)
}

/// Operations of a frame: every vertex sums its expression modes, turns and projects; every pixel interpolates its
/// place in the photo, samples it bilinearly and is shaded.
fn decoder_gflop(models: &Models, side: usize) -> f64 {
    const VERTEX: usize = 40;
    const PIXEL: usize = 90;
    let model = models.face_model();
    let geometry = model.neutral.len() * (model.expression.len() * 6 + VERTEX);
    (geometry + side * side * PIXEL) as f64 / 1e9
}

/// Peak resident memory in 10^6 bytes.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}
