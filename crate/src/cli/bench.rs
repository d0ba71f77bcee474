//! `parlante bench`: how long each stage takes on this machine, what it computes and moves, and what is left to win.

mod html;
mod report;
mod soak;
mod system;
mod times;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use parlante::animator::{Models, MotionStream};
use parlante::audio::AudioReader;
use parlante::decode::work::{FrameWork, Stage as Part};
use parlante::exec::Device;
use parlante::exec::bench::{NetworkTime, bench_on};
use parlante::exec::probe::Machine;
use parlante::exec::roof::Roof;
use parlante::graph::{Cost, Graph};
use parlante::motion::frame::Reference;
use parlante::motion::generator::REFERENCE;
use parlante::motion::{Controls, MotionFrame};
use parlante::output::colour::Yuv420;
use parlante::output::{NewFile, OutputError};
use parlante::pack::Pack;

use super::args::BenchArguments;
use super::failure::Failure;
use super::painter::Painter;
use super::progress::Progress;
use super::{device, interrupt, models, sample};
use report::{ColdStart, Frames, Report, Roofline, Size, Stage};
use system::{energy, memory};
use times::Times;

/// Runs of the stages that take long, and of networks.
const FEW: usize = 5;
/// Frames that are drawn one after the other.
const FRAMES: usize = 300;
/// Frames of each of the other sizes.
const FEW_FRAMES: usize = 40;
/// Sides of frames that are compared.
const SIZES: [u32; 3] = [256, 512, 1024];
/// Samples of sound in one step of the motion generator, and how long they last.
const STEP: usize = 640;
const STEP_LASTS: Duration = Duration::from_millis(40);
/// What is counted for frames that the GPU draws.
const NOT_THE_GPU: &str = "what the GPU does otherwise than the processor, on which it was counted";
/// How long frames are drawn beside live motion.
const LIVE: Duration = Duration::from_secs(3);

/// Measures and reports.
pub fn run(arguments: &BenchArguments) -> Result<String, Failure> {
    let began = Instant::now();
    let page = arguments.html.as_deref().map(NewFile::create).transpose()?;
    let device = device::open(arguments.backend)?;
    let progress = Progress::step("Measuring");

    // the way to the first frame comes first, while everything is cold
    let mut cold = Lap::begin(began);
    let bytes = models::read_pack(arguments.pack.as_deref())?;
    let open = || -> Result<Models, Failure> { Ok(Models::on(Pack::from_bytes(bytes.clone())?, &device)?) };
    let models = open()?;
    if arguments.soak {
        return soak::run(&models, &read_speech()?, arguments.json);
    }
    let open_pack_ms = cold.end();
    let path = arguments.portrait.clone().map_or_else(sample::portrait, Ok)?;
    let photo = models::photo(&path)?;
    let failed = |error| Failure::portrait(&path, error);
    let face = models.fit(&photo, None).map_err(failed)?;
    let fit_ms = cold.end();
    let mut painter = Painter::open(&models, face.clone(), arguments.size, arguments.backend)?;
    let prepare_ms = cold.end();
    let side = arguments.size as usize;
    let mut rgba = vec![0; side * side * 4];
    painter.render(&MotionFrame::default(), Reference::default(), &mut rgba)?;
    let first_frame_ms = cold.end();
    let total_ms = began.elapsed().as_secs_f64() * 1000.0;
    let cold_start = ColdStart { open_pack_ms, fit_ms, prepare_ms, first_frame_ms, total_ms };

    let machine = Machine::measure();
    let mut bench = Bench { machine, stages: Vec::new() };
    let stored = bytes.len() as f64 / 1e6;
    let looked = Counted { gflop: 0.0, mbytes: stored, leaves_out: "weights made ready for the processor" };
    bench.stage("open pack", FEW, looked, |_| open().map(drop))?;
    let graphs = models.graphs()?;
    let networks = |names: &[&str]| {
        let cost = |name| graphs.iter().find(|(n, _)| *n == name).map_or(Cost::default(), |(_, graph)| graph.cost());
        names
            .iter()
            .map(|name| cost(*name))
            .fold(Cost::default(), |sum, cost| Cost { flops: sum.flops + cost.flops, bytes: sum.bytes + cost.bytes })
    };
    const FACE: [&str; 3] = ["detector", "landmarker", "blendshapes"];
    let found = Counted::of(networks(&FACE), "the crops that the networks see, and second looks");
    bench.stage("find face", FEW, found, |_| models.finder().find(&photo).map(drop).map_err(|e| failed(e.into())))?;
    let twice = networks(&["detector", "landmarker", "blendshapes", "landmarker", "blendshapes", "segmenter"]);
    let fitted = Counted::of(twice, "everything but the networks: crop, fit of the 3-D face, light");
    bench.stage("find and fit", FEW, fitted, |_| models.fit(&photo, None).map(drop).map_err(failed))?;

    let speech = read_speech()?;
    let steps: Vec<&[f32]> = speech.chunks_exact(STEP).collect();
    let mut stream = models.motion(Controls::default(), 0, 25.0)?;
    let mut motion: Vec<MotionFrame> = Vec::new();
    let heard = Counted::of(networks(&["encoder", "lips"]), "log-mel and the rules behind head and eyes");
    bench.stage("motion", steps.len(), heard, |i| Ok(stream.push(steps[i], &mut motion)?))?;
    if motion.is_empty() {
        motion.push(MotionFrame::default());
    }

    let before = energy();
    let frame_times = time(FRAMES, |i| painter.render(&motion[i % motion.len()], REFERENCE, &mut rgba))?;
    // counters begin again at zero from time to time
    let joules = before.zip(energy()).map(|(before, after)| after - before).filter(|joules| *joules >= 0.0);
    let joules_per_frame = joules.map(|joules| joules / FRAMES as f64);
    let work = watch(&mut painter, &motion, FRAMES, &mut rgba)?;
    let backend = painter.backend();
    let drawn = Counted { leaves_out: if backend == "cpu" { "" } else { NOT_THE_GPU }, ..mean(&work) };
    bench.measured("decode", &frame_times, drawn);
    let parts = Part::ALL.into_iter().filter(|_| backend == "cpu");
    let frame_stages = parts.map(|part| bench.part(part, &work)).collect();

    let mut picture = Yuv420::new(side, side)?;
    // five sums and products a luma sample, eleven and twelve a pair of chroma samples
    let converted = Counted {
        gflop: (side * side) as f64 * (7.0 + 42.0 / 4.0) / 1e9,
        mbytes: (side * side) as f64 * 5.5 / 1e6,
        leaves_out: "",
    };
    bench.stage("colour", FRAMES, converted, |_| {
        picture.set_rgba(&rgba);
        Ok(())
    })?;

    let mut beside = models.motion(Controls::default(), 0, 25.0)?;
    let live = Frames::of(&draw_live(&mut painter, &mut beside, &steps, &mut rgba)?);
    let gpu_mb = painter.gpu_bytes().map(|bytes| bytes as f64 / 1e6);
    drop(painter);
    let peak_rss_mb = memory("VmHWM");
    let mut sizes = Vec::new();
    for size in SIZES {
        let mut painter = Painter::open(&models, face.clone(), size, arguments.backend)?;
        sizes.push(measure_size(&mut painter, &motion)?);
    }
    let mut network_operations = Vec::new();
    for (name, graph) in &graphs {
        interrupt::check()?;
        network_operations.push(bench_network(&device, name, graph)?);
    }
    drop(progress);

    let roofs = roofs(&device, &machine)?;
    let report = Report {
        backend,
        networks: device::name(&device),
        size: arguments.size,
        threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
        decode_fps: 1000.0 / frame_times.at(0.5),
        decoder_gflop_per_frame: drawn.gflop,
        peak_rss_mb,
        stages: bench.stages,
        frames: Frames::of(&frame_times),
        live,
        frame_stages,
        sizes,
        cold_start,
        machine,
        joules_per_frame,
        pack_mb: stored,
        gpu_mb,
        rooflines: Roofline::of_all(&network_operations, &roofs),
        roofs,
        network_operations,
        frame_times,
    };
    if let Some(mut file) = page {
        use std::io::Write;
        let written = file.write_all(html::page(&report).as_bytes());
        written.map_err(|source| OutputError::from_io(file.path(), source))?;
        file.keep()?;
    }
    if arguments.json {
        return serde_json::to_string_pretty(&report).map_err(|error| Failure::Internal(error.to_string()));
    }
    Ok(report::text(&report))
}

/// Milliseconds from one moment to the next.
struct Lap(Instant);

impl Lap {
    fn begin(at: Instant) -> Self {
        Self(at)
    }

    fn end(&mut self) -> f64 {
        let last = std::mem::replace(&mut self.0, Instant::now());
        (self.0 - last).as_secs_f64() * 1000.0
    }
}

/// Arithmetic and memory of one run of a stage.
#[derive(Clone, Copy, Default)]
struct Counted {
    gflop: f64,
    mbytes: f64,
    leaves_out: &'static str,
}

impl Counted {
    fn of(cost: Cost, leaves_out: &'static str) -> Self {
        Self { gflop: cost.flops as f64 / 1e9, mbytes: cost.bytes as f64 / 1e6, leaves_out }
    }
}

/// What was measured so far.
struct Bench {
    machine: Machine,
    stages: Vec<Stage>,
}

impl Bench {
    /// Runs a stage and keeps its times.
    fn stage(
        &mut self,
        name: &'static str,
        runs: usize,
        counted: Counted,
        stage: impl FnMut(usize) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let times = time(runs, stage)?;
        self.measured(name, &times, counted);
        Ok(())
    }

    fn measured(&mut self, name: &'static str, times: &Times, counted: Counted) {
        self.stages.push(self.stage_of(name, times, counted, 1.0));
    }

    /// One part of the frames that were watched; its time is that of all threads together, so the roof is that of one.
    fn part(&self, part: Part, work: &[FrameWork]) -> Stage {
        let times = Times::new(work.iter().map(|w| 1000.0 * w.of(part).seconds).collect());
        let n = work.len().max(1) as f64;
        let sum = |of: fn(&FrameWork, Part) -> u64| work.iter().map(|w| of(w, part)).sum::<u64>() as f64 / n;
        let counted =
            Counted { gflop: sum(|w, p| w.of(p).flops) / 1e9, mbytes: sum(|w, p| w.of(p).bytes) / 1e6, leaves_out: "" };
        let threads = rayon::current_num_threads() as f64;
        self.stage_of(part.name(), &times, counted, threads)
    }

    fn stage_of(&self, name: &'static str, times: &Times, counted: Counted, threads: f64) -> Stage {
        let Counted { gflop, mbytes, leaves_out } = counted;
        let ms_p50 = times.at(0.5);
        let least = threads * 1000.0 * self.machine.roof().least_seconds(gflop, mbytes * 1e6);
        Stage {
            name,
            ms_p50,
            ms_p95: times.at(0.95),
            ms_p99: times.at(0.99),
            gflop,
            mbytes,
            // the roof is the processor's
            of_roofline: (ms_p50 > 0.0 && leaves_out != NOT_THE_GPU).then(|| least / ms_p50),
            not_counted: leaves_out,
        }
    }
}

/// Runs something several times.
fn time(runs: usize, mut run: impl FnMut(usize) -> Result<(), Failure>) -> Result<Times, Failure> {
    let mut times = Vec::with_capacity(runs);
    for i in 0..runs {
        interrupt::check()?;
        let start = Instant::now();
        run(i)?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(Times::new(times))
}

/// What frames cost, part by part.
fn watch(
    painter: &mut Painter,
    motion: &[MotionFrame],
    frames: usize,
    rgba: &mut [u8],
) -> Result<Vec<FrameWork>, Failure> {
    let mut work = Vec::new();
    for i in 0..frames {
        interrupt::check()?;
        work.push(painter.watched(&motion[i % motion.len()], REFERENCE, rgba)?);
    }
    Ok(work)
}

/// What a frame costs on average.
fn mean(work: &[FrameWork]) -> Counted {
    let n = work.len().max(1) as f64;
    let total = work.iter().map(FrameWork::total).fold((0, 0), |(f, b), w| (f + w.flops, b + w.bytes));
    Counted { gflop: total.0 as f64 / n / 1e9, mbytes: total.1 as f64 / n / 1e6, leaves_out: "" }
}

/// Draws frames for a while as fast as possible, while the motion generator hears speech at the speed at which it is spoken
/// and each frame shows the newest motion.
fn draw_live(
    painter: &mut Painter,
    stream: &mut MotionStream,
    steps: &[&[f32]],
    rgba: &mut [u8],
) -> Result<Times, Failure> {
    let ended = AtomicBool::new(false);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        let speaking = scope.spawn(|| -> Result<(), Failure> {
            let (start, mut frames) = (Instant::now(), Vec::new());
            for (i, step) in (0u32..).zip(steps.iter().cycle()) {
                std::thread::sleep((STEP_LASTS * i).saturating_sub(start.elapsed()));
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                stream.push(step, &mut frames)?;
                for frame in frames.drain(..) {
                    // nobody listens any more once the time is up
                    let _ = send.send(frame);
                }
            }
            Ok(())
        });
        let (start, mut newest, mut times) = (Instant::now(), MotionFrame::default(), Vec::new());
        let drawn = loop {
            if start.elapsed() >= LIVE {
                break Ok(());
            }
            let begun = Instant::now();
            if let Some(frame) = receive.try_iter().last() {
                newest = frame;
            }
            let frame = interrupt::check().and_then(|()| painter.render(&newest, REFERENCE, rgba));
            if frame.is_err() {
                break frame;
            }
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        };
        ended.store(true, Ordering::Relaxed);
        let spoken = speaking.join().unwrap_or_else(|_| Err(Failure::Internal("the motion generator failed".into())));
        drawn.and(spoken).map(|()| Times::new(times))
    })
}

/// Frames of another size.
fn measure_size(painter: &mut Painter, motion: &[MotionFrame]) -> Result<Size, Failure> {
    let size = painter.size();
    let mut rgba = vec![0; size as usize * size as usize * 4];
    let times = time(FEW_FRAMES, |i| painter.render(&motion[i % motion.len()], REFERENCE, &mut rgba))?;
    let work = watch(painter, motion, FEW_FRAMES, &mut rgba)?;
    let Counted { gflop, mbytes, .. } = mean(&work);
    Ok(Size { size, fps: 1000.0 / times.at(0.5), ms_p50: times.at(0.5), ms_p99: times.at(0.99), gflop, mbytes })
}

fn bench_network(device: &Device, name: &str, graph: &Graph) -> Result<NetworkTime, Failure> {
    bench_on(device, name, graph, FEW).map_err(|e| Failure::Internal(e.to_string()))
}

/// The roof of what the networks run on, then that of the GPU that we aim at.
fn roofs(device: &Device, machine: &Machine) -> Result<Vec<Roof>, Failure> {
    let here = device.roof().map_err(|e| Failure::Internal(e.to_string()))?;
    Ok(vec![here.unwrap_or_else(|| machine.roof()), Roof::rtx_4090()])
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
