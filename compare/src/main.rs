//! `compare export DIR` writes every network as `NAME.onnx`, with numbers for its inputs and what our processor makes of
//! them, and lists them in `networks.json`. `compare serve NAME cpu|wgpu` prepares a network and then, for each line
//! on standard input, runs it that many times and prints the seconds of one run. `compare profile NAME cpu|wgpu` prints
//! where the time goes. On a GPU both look for the fastest layout first.

use std::{
    fs,
    io::{Write, stdin, stdout},
    path::Path,
    process::ExitCode,
    time::Instant,
};

use compare::{Outcome, networks, onnx};
use parlante::{
    exec::{
        AdapterChoice, CpuSession, Gpu,
        bench::{NetworkTime, bench_cpu, bench_wgpu},
        tune::tune,
        wgpu::GpuSession,
    },
    pack::Pack,
};
use serde_json::json;

/// Runs of which the profile shows the fastest.
const PROFILED: usize = 9;

const USAGE: &str =
    "usage: compare PACK export DIR | compare PACK serve NAME cpu|wgpu | compare PACK profile NAME cpu|wgpu";

fn run(arguments: &[String]) -> Outcome {
    let [pack, task @ ..] = arguments else { return Err(USAGE.into()) };
    let pack = Pack::from_bytes(fs::read(pack).map_err(|e| format!("cannot read {pack}: {e}"))?)?;
    match task.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["export", dir] => export(&pack, dir.as_ref()),
        ["serve", name, "cpu"] => serve_cpu(&pack, name),
        ["serve", name, "wgpu"] => serve_wgpu(&pack, name),
        ["profile", name, "cpu"] => profile(&bench_cpu(name, &networks::graph(&pack, name)?, PROFILED)?),
        ["profile", name, "wgpu"] => profile_wgpu(&pack, name),
        _ => Err(USAGE.into()),
    }
}

fn export(pack: &Pack, dir: &Path) -> Outcome {
    fs::create_dir_all(dir)?;
    let mut list = Vec::new();
    for name in networks::NAMES {
        let graph = networks::graph(pack, name)?;
        let inputs = networks::inputs(&graph);
        let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let outputs = CpuSession::new(&graph)?.run(&slices)?;
        let ports = |ports: &[parlante::graph::Port]| -> Vec<_> {
            ports.iter().map(|p| json!({ "name": p.name, "dims": onnx::dims(graph.shape(p.value)) })).collect()
        };
        let cost = graph.cost();
        list.push(json!({
            "name": name, "gflop": cost.flops as f64 / 1e9, "mbytes": cost.bytes as f64 / 1e6,
            "inputs": ports(graph.inputs()), "outputs": ports(graph.outputs()),
        }));
        fs::write(dir.join(format!("{name}.onnx")), onnx::export(&graph, name)?)?;
        for (side, ports, values) in [("in", graph.inputs(), &inputs), ("out", graph.outputs(), &outputs)] {
            let mut raw = Vec::new();
            for (port, values) in ports.iter().zip(values) {
                raw.extend(onnx::ordered(values, graph.shape(port.value)).iter().flat_map(|v| v.to_le_bytes()));
            }
            fs::write(dir.join(format!("{name}.{side}")), raw)?;
        }
    }
    Ok(fs::write(dir.join("networks.json"), serde_json::to_string_pretty(&list)?)?)
}

fn profile_wgpu(pack: &Pack, name: &str) -> Outcome {
    let graph = networks::graph(pack, name)?;
    let gpu = pollster::block_on(Gpu::open(AdapterChoice::Fastest))?;
    let tuned = pollster::block_on(tune(&graph, &gpu, f64::INFINITY, f64::INFINITY))?;
    writeln!(stdout(), "{gpu:?}: {tuned:?}")?;
    profile(&pollster::block_on(bench_wgpu(name, &graph, &gpu, tuned.tuning, PROFILED))?)
}

/// Prints every operation of a network, the slowest first.
fn profile(time: &NetworkTime) -> Outcome {
    let name = &time.network;
    let sum: f64 = time.operations.iter().map(|o| o.seconds).sum();
    let mut out = stdout().lock();
    writeln!(out, "{name}: {:.3} ms, operations {:.3} ms", 1e3 * time.seconds, 1e3 * sum)?;
    let mut operations: Vec<_> = time.operations.iter().collect();
    operations.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    for o in operations {
        let (ms, speed) = (1e3 * o.seconds, o.gflop_per_second());
        let bytes = o.bytes as f64 / 1e9 / o.seconds.max(1e-9);
        writeln!(out, "{ms:9.4} ms {speed:7.1} GFLOP/s {bytes:7.1} GB/s  {} {:?}", o.operation, o.output)?;
    }
    Ok(())
}

fn serve_cpu(pack: &Pack, name: &str) -> Outcome {
    let graph = networks::graph(pack, name)?;
    let inputs = networks::inputs(&graph);
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let mut session = CpuSession::new(&graph)?;
    serve(|| session.run(&inputs).map(drop).map_err(Into::into))
}

fn serve_wgpu(pack: &Pack, name: &str) -> Outcome {
    let graph = networks::graph(pack, name)?;
    let inputs = networks::inputs(&graph);
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let gpu = pollster::block_on(Gpu::open(AdapterChoice::Fastest))?;
    let tuned = pollster::block_on(tune(&graph, &gpu, f64::INFINITY, f64::INFINITY))?;
    let mut session = pollster::block_on(GpuSession::prepare(&graph, &gpu, tuned.tuning, |_, _| {}))?;
    serve(|| pollster::block_on(session.run(&inputs)).map(drop).map_err(Into::into))
}

/// Answers every line, a number of runs, with the seconds of one of them.
fn serve(mut once: impl FnMut() -> Outcome) -> Outcome {
    for line in stdin().lines() {
        let runs: u32 = line?.trim().parse()?;
        let start = Instant::now();
        for _ in 0..runs {
            once()?;
        }
        let mut out = stdout().lock();
        writeln!(out, "{}", start.elapsed().as_secs_f64() / f64::from(runs.max(1)))?;
        out.flush()?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}
