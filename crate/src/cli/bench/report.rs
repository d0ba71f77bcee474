//! What is reported: JSON as it is, a table for the terminal.

use std::fmt::Write;

use parlante::exec::bench::NetworkTime;
use parlante::exec::probe::Machine;
use parlante::exec::roof::{Roof, RoofSource};
use serde::Serialize;

use super::times::Times;

/// The report.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What draws.
    pub backend: &'static str,
    /// What networks run on.
    pub networks: &'static str,
    /// Pixels along a side of a frame.
    pub size: u32,
    /// Threads that draw.
    pub threads: usize,
    /// Frames drawn a second, one after the other as fast as possible: 1000 over the median time.
    pub decode_fps: f64,
    /// Operations on numbers of one frame, 10^9, the mean of all drawn; counted where they are done.
    pub decoder_gflop_per_frame: f64,
    /// Largest memory use so far, 10^6 bytes; null where the system does not tell.
    pub peak_rss_mb: Option<f64>,
    /// Parts of the work, from the pack to the picture.
    pub stages: Vec<Stage>,
    /// Frames with nothing beside them.
    pub frames: Frames,
    /// Frames while the motion generator listens to live sound.
    pub live: Frames,
    /// Parts of a frame; empty when the GPU draws.
    pub frame_stages: Vec<Stage>,
    /// The same portrait at other sizes.
    pub sizes: Vec<Size>,
    /// From the start of the program to the first frame.
    pub cold_start: ColdStart,
    /// What the machine can do at most.
    pub machine: Machine,
    /// Energy of the whole processor for a frame, joules; null where the system does not tell.
    pub joules_per_frame: Option<f64>,
    /// Bytes of the model pack, 10^6.
    pub pack_mb: f64,
    /// Buffers and textures of the GPU that draws, 10^6 bytes; null when the processor draws.
    pub gpu_mb: Option<f64>,
    /// Every operation of every network where the networks run.
    pub network_operations: Vec<NetworkTime>,
    /// What the networks are compared with: first the device that they run on, then others, which are computed only.
    pub roofs: Vec<Roof>,
    /// The least time of every network under each of them.
    pub rooflines: Vec<Roofline>,
    /// Times of the frames, the shortest first, for the plot.
    #[serde(skip)]
    pub frame_times: Times,
}

/// The least time of a network on a device that does nothing but its arithmetic or its memory at full speed.
#[derive(Clone, Debug, Serialize)]
pub struct Roofline {
    /// Name of the network.
    pub network: String,
    /// Name of the device.
    pub device: String,
    /// Whether the device's speed was measured or computed.
    pub source: RoofSource,
    /// Milliseconds of a run, launches left out.
    pub ms: f64,
}

impl Roofline {
    /// Of every network under every roof, network by network.
    pub fn of_all(networks: &[NetworkTime], roofs: &[Roof]) -> Vec<Self> {
        let of = |network: &NetworkTime, roof: &Roof| Self {
            network: network.network.clone(),
            device: roof.device.to_string(),
            source: roof.source,
            ms: 1000.0 * network.least_seconds(roof),
        };
        networks.iter().flat_map(|network| roofs.iter().map(move |roof| of(network, roof))).collect()
    }
}

/// One part of the work.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// What it does.
    pub name: &'static str,
    /// Time of one run, milliseconds. Parts of a frame: of all threads together.
    pub ms_p50: f64,
    /// The same, in 95 of 100 runs at most.
    pub ms_p95: f64,
    /// The same, in 99 of 100 runs at most.
    pub ms_p99: f64,
    /// Operations on numbers of one run, 10^9.
    pub gflop: f64,
    /// Memory that one run moves at least, 10^6 bytes.
    pub mbytes: f64,
    /// The least time that this processor needs for so much, over the time that it took (1: nothing is left to win); null
    /// when it was not the processor.
    pub of_roofline: Option<f64>,
    /// What `gflop` and `mbytes` leave out.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub not_counted: &'static str,
}

/// Times of many frames.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Frames {
    /// Frames a second, all of them together.
    pub fps: f64,
    /// Milliseconds of a frame.
    pub ms_p50: f64,
    /// In 95 of 100 at most.
    pub ms_p95: f64,
    /// In 99 of 100 at most.
    pub ms_p99: f64,
    /// Share of 25 frames a second that a display would have shown nothing new in.
    pub dropped_at_25: f64,
    /// The same of 60.
    pub dropped_at_60: f64,
}

impl Frames {
    /// Of measured times.
    pub fn of(times: &Times) -> Self {
        Self {
            fps: times.rate(),
            ms_p50: times.at(0.5),
            ms_p95: times.at(0.95),
            ms_p99: times.at(0.99),
            dropped_at_25: times.dropped(25.0),
            dropped_at_60: times.dropped(60.0),
        }
    }
}

/// Frames of one size.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Size {
    /// Pixels along a side.
    pub size: u32,
    /// Frames a second: 1000 over the median time.
    pub fps: f64,
    /// Milliseconds of a frame.
    pub ms_p50: f64,
    /// In 99 of 100 at most.
    pub ms_p99: f64,
    /// Operations on numbers of a frame, 10^9.
    pub gflop: f64,
    /// Memory that a frame moves at least, 10^6 bytes.
    pub mbytes: f64,
}

/// The way to the first frame, milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ColdStart {
    /// Reading the pack and preparing the networks.
    pub open_pack_ms: f64,
    /// Reading the photo, finding the face, fitting.
    pub fit_ms: f64,
    /// Preparing the portrait.
    pub prepare_ms: f64,
    /// Drawing the first frame.
    pub first_frame_ms: f64,
    /// All of it.
    pub total_ms: f64,
}

/// The report for the terminal.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    // writing to a string never fails
    let _ = write_text(report, &mut out);
    out
}

fn write_text(report: &Report, out: &mut String) -> std::fmt::Result {
    let Report { size, backend, threads, frames, live, machine, cold_start, .. } = report;
    writeln!(
        out,
        "{:.1} frames a second of {size} x {size} on {backend} with {threads} threads; networks on {}",
        report.decode_fps, report.networks
    )?;
    for (what, f) in [("alone", frames), ("with live motion", live)] {
        writeln!(
            out,
            "  {what}: {:.1} a second, {:.2} ms, 95 %: {:.2}, 99 %: {:.2}; not shown in time at 25 a second: {:.1} %, at 60: {:.1} %",
            f.fps,
            f.ms_p50,
            f.ms_p95,
            f.ms_p99,
            100.0 * f.dropped_at_25,
            100.0 * f.dropped_at_60
        )?;
    }
    writeln!(out, "\n{:16} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}", "stage", "ms", "95 %", "99 %", "GFLOP", "MB", "roof")?;
    let rows = report.stages.iter().chain(&report.frame_stages);
    for (i, s) in rows.enumerate() {
        if i == report.stages.len() {
            writeln!(out, "parts of a frame, all threads together:")?;
        }
        let Stage { name, ms_p50, ms_p95, ms_p99, gflop, mbytes, .. } = s;
        let roof = s.of_roofline.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", 100.0 * share));
        writeln!(out, "{name:16} {ms_p50:9.3} {ms_p95:9.3} {ms_p99:9.3} {gflop:9.5} {mbytes:9.3} {roof:>7}")?;
    }
    writeln!(out, "\n{:16} {:>9} {:>9} {:>9} {:>9}", "size", "fps", "ms", "99 %", "ns/pixel")?;
    for s in &report.sizes {
        let nanoseconds = s.ms_p50 * 1e6 / f64::from(s.size * s.size);
        writeln!(out, "{:16} {:9.1} {:9.2} {:9.2} {nanoseconds:9.1}", s.size, s.fps, s.ms_p50, s.ms_p99)?;
    }
    write_networks(report, out)?;
    writeln!(
        out,
        "\nthis machine: {:.0} GFLOP/s, {:.1} GB/s from memory, {:.0} GB/s from its caches",
        machine.gflop_per_second, machine.memory_gb_per_second, machine.cache_gb_per_second
    )?;
    writeln!(
        out,
        "cold start {:.0} ms: pack {:.0}, photo and fit {:.0}, portrait {:.0}, first frame {:.0}",
        cold_start.total_ms,
        cold_start.open_pack_ms,
        cold_start.fit_ms,
        cold_start.prepare_ms,
        cold_start.first_frame_ms
    )?;
    write!(out, "model pack {:.2} MB", report.pack_mb)?;
    let amounts = [("largest memory use", report.peak_rss_mb, "MB"), ("GPU memory", report.gpu_mb, "MB")];
    for (what, amount, unit) in amounts.into_iter().chain([("energy of a frame", report.joules_per_frame, "J")]) {
        if let Some(amount) = amount {
            write!(out, ", {what} {amount:.1} {unit}")?;
        }
    }
    writeln!(out)
}

/// Networks: what was measured, and beside it what the roofs leave at least.
fn write_networks(report: &Report, out: &mut String) -> std::fmt::Result {
    let Report { networks, network_operations, roofs, rooflines, .. } = report;
    write!(out, "\n{:16} {:>9} {:>9} {:>9} {:>9}", "network", "ms", "GFLOP", "MB", "GFLOP/s")?;
    for i in 0..roofs.len() {
        write!(out, "   least {}", i + 1)?;
    }
    writeln!(out)?;
    for n in network_operations {
        let megabytes = n.operations.iter().map(|o| o.bytes).sum::<u64>() as f64 / 1e6;
        let (ms, speed) = (1000.0 * n.seconds, n.gflop_per_second());
        write!(out, "{:16} {ms:9.3} {:9.5} {megabytes:9.3} {speed:9.1}", n.network, n.gflop)?;
        for line in rooflines.iter().filter(|line| line.network == n.network) {
            write!(out, " {:10.4}", line.ms)?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "ms: measured on {networks}, input and readback included. least: of arithmetic and memory alone, ms,"
    )?;
    for (i, roof) in roofs.iter().enumerate() {
        let Roof { device, gflop_per_second, gb_per_second, source } = roof;
        let n = i + 1;
        writeln!(out, "  {n}: {device}, {gflop_per_second:.0} GFLOP/s, {gb_per_second:.0} GB/s, {}", source.name())?;
    }
    Ok(())
}
