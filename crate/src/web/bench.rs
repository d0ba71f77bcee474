//! What the parts of a frame and the operations of the networks take in this worker, as JSON for the page that measures: the
//! names are those of `parlante bench --json`.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::engine::{BorderError, Engine};
use super::error::OrJs;
use crate::decode::work::{FrameWork, Stage as Part};
use crate::exec::{bench::bench_cpu, probe::Machine, roof::Roof};
use crate::graph::Graph;
use crate::motion::MotionFrame;
use crate::motion::frame::Blendshape;

/// Frames that are drawn, and runs of a network.
const FRAMES: usize = 30;
const RUNS: usize = 10;

#[derive(Serialize)]
struct Measured {
    name: String,
    ms_p50: f64,
    gflop: f64,
    mbytes: f64,
    of_roofline: f64,
}

#[derive(Serialize)]
struct Network {
    network: &'static str,
    ms: f64,
    operations: Vec<Measured>,
}

impl Measured {
    fn new(name: String, seconds: f64, flops: f64, bytes: f64, roof: &Roof) -> Self {
        let least = roof.least_seconds(flops / 1e9, bytes);
        let of_roofline = if seconds > 0.0 { least / seconds } else { 0.0 };
        Self { name, ms_p50: 1e3 * seconds, gflop: flops / 1e9, mbytes: bytes / 1e6, of_roofline }
    }
}

/// Measures an [`Engine`].
#[wasm_bindgen]
pub struct Bench {
    roof: Roof,
    graphs: Vec<(&'static str, Graph)>,
}

#[wasm_bindgen]
impl Bench {
    /// Probes what one core can do at most in this browser, a few tenths of a second, and reads the networks.
    ///
    /// # Errors
    /// When a network is missing (code `pack`).
    #[wasm_bindgen(constructor)]
    pub fn new(engine: &Engine) -> Result<Bench, JsValue> {
        let graphs = engine.models().graphs().or_js("pack")?;
        Ok(Self { roof: Machine::measure().roof(), graphs })
    }

    /// Names of the networks.
    #[wasm_bindgen(getter)]
    pub fn networks(&self) -> Vec<String> {
        self.graphs.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The roof: device, 10^9 operations and bytes a second, and that it was measured.
    #[wasm_bindgen(getter)]
    pub fn roof(&self) -> String {
        json(&self.roof)
    }

    /// Parts of frames of `size` x `size` pixels in which a mouth opens and closes, painted by this worker alone.
    ///
    /// # Errors
    /// Without a portrait, or with an impossible size (code `decode`).
    pub fn frames(&self, engine: &mut Engine, size: u32) -> Result<String, JsValue> {
        let mut works = Vec::with_capacity(FRAMES);
        for i in 0..FRAMES {
            let mut frame = MotionFrame::default();
            frame.blendshapes.0[Blendshape::JawOpen as usize] = 0.2 - 0.2 * (0.7 * i as f32).cos();
            works.push(engine.watch(&frame, size)?);
        }
        let parts = Part::ALL.map(|part| self.part(part, &works));
        Ok(json(&parts))
    }

    /// A network, operation by operation.
    ///
    /// # Errors
    /// When the pack has no such network (code `pack`).
    pub fn network(&self, name: &str) -> Result<String, JsValue> {
        let found = self.graphs.iter().find(|(known, _)| *known == name);
        let (network, graph) = found.ok_or(BorderError::NoNetwork).or_js("pack")?;
        let time = bench_cpu(network, graph, RUNS).or_js("internal")?;
        let operation = |o: &crate::exec::bench::OperationTime| {
            let name = format!("{} {:?}", o.operation, o.output);
            Measured::new(name, o.seconds, 1e9 * o.gflop, o.bytes as f64, &self.roof)
        };
        let operations = time.operations.iter().map(operation).collect();
        Ok(json(&Network { network, ms: 1e3 * time.seconds, operations }))
    }

    fn part(&self, part: Part, works: &[FrameWork]) -> Measured {
        let mut seconds: Vec<f64> = works.iter().map(|work| work.of(part).seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let mean = |of: fn(&FrameWork, Part) -> u64| {
            works.iter().map(|work| of(work, part)).sum::<u64>() as f64 / works.len().max(1) as f64
        };
        let (flops, bytes) = (mean(|work, part| work.of(part).flops), mean(|work, part| work.of(part).bytes));
        let median = seconds.get(seconds.len() / 2).copied().unwrap_or_default();
        Measured::new(part.name().to_owned(), median, flops, bytes, &self.roof)
    }
}

/// Numbers and names always become JSON.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
