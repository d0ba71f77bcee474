//! The networks in WebAssembly.

use parlante::{
    exec::{
        AdapterChoice, CpuSession, Gpu,
        bench::{OperationTime, bench_wgpu},
        tune::tune,
        wgpu::GpuSession,
    },
    graph::{Graph, Shape, Tuning},
    pack::Pack,
};
use wasm_bindgen::prelude::*;

use crate::{Outcome, networks, onnx};

/// A network with numbers for its inputs.
#[wasm_bindgen]
pub struct Network {
    session: CpuSession,
    inputs: Vec<Vec<f32>>,
    shapes: Vec<Shape>,
}

#[wasm_bindgen]
impl Network {
    /// Prepares the network `name` of a pack.
    ///
    /// # Errors
    /// A sentence.
    #[wasm_bindgen(constructor)]
    pub fn new(pack: Vec<u8>, name: &str) -> Result<Network, String> {
        prepare(pack, name).map_err(|e| e.to_string())
    }

    /// Runs the network once and returns all outputs one after the other, in the order of the ONNX file.
    ///
    /// # Errors
    /// A sentence.
    pub fn run(&mut self) -> Result<Vec<f32>, String> {
        let inputs: Vec<&[f32]> = self.inputs.iter().map(Vec::as_slice).collect();
        let outputs = self.session.run(&inputs).map_err(|e| e.to_string())?;
        Ok(in_a_row(&outputs, &self.shapes))
    }
}

/// A network on the browser's GPU, with numbers for its inputs.
#[wasm_bindgen]
pub struct GpuNetwork {
    session: GpuSession,
    inputs: Vec<Vec<f32>>,
    shapes: Vec<Shape>,
    layout: String,
    graph: Graph,
    tuning: Tuning,
}

#[wasm_bindgen]
impl GpuNetwork {
    /// Opens the GPU and prepares the network `name` of a pack.
    ///
    /// # Errors
    /// A sentence.
    pub async fn open(pack: Vec<u8>, name: String) -> Result<GpuNetwork, String> {
        prepare_gpu(pack, &name).await.map_err(|e| e.to_string())
    }

    /// How its shaders are laid out.
    pub fn layout(&self) -> String {
        self.layout.clone()
    }

    /// Every operation and how long it takes, the slowest first.
    ///
    /// # Errors
    /// A sentence.
    pub async fn operations(&self) -> Result<String, String> {
        let (gpu, tuning) = (self.session.gpu(), self.tuning);
        let time = bench_wgpu("network", &self.graph, gpu, tuning, 3).await.map_err(|e| e.to_string())?;
        let mut operations = time.operations;
        operations.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        let line = |o: &OperationTime| format!("{:.3} ms {} {:?}", 1e3 * o.seconds, o.operation, o.output);
        Ok(operations.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    /// Runs the network once; results as those of [`Network::run`].
    ///
    /// # Errors
    /// A sentence.
    pub async fn run(&mut self) -> Result<Vec<f32>, String> {
        let inputs: Vec<&[f32]> = self.inputs.iter().map(Vec::as_slice).collect();
        let outputs = self.session.run(&inputs).await.map_err(|e| e.to_string())?;
        Ok(in_a_row(&outputs, &self.shapes))
    }
}

/// Outputs one after the other, axes as in the ONNX file.
fn in_a_row(outputs: &[Vec<f32>], shapes: &[Shape]) -> Vec<f32> {
    outputs.iter().zip(shapes).flat_map(|(values, shape)| onnx::ordered(values, shape)).collect()
}

async fn prepare_gpu(pack: Vec<u8>, name: &str) -> Outcome<GpuNetwork> {
    let graph = networks::graph(&Pack::from_bytes(pack)?, name)?;
    let shapes = graph.outputs().iter().map(|p| graph.shape(p.value).clone()).collect();
    let gpu = Gpu::open(AdapterChoice::Fastest).await?;
    let tuned = tune(&graph, &gpu, f64::INFINITY, f64::INFINITY).await?;
    let session = GpuSession::prepare(&graph, &gpu, tuned.tuning, |_, _| {}).await?;
    let layout = format!("{tuned:?}");
    Ok(GpuNetwork {
        layout,
        session,
        graph: graph.clone(),
        tuning: tuned.tuning,
        inputs: networks::inputs(&graph),
        shapes,
    })
}

fn prepare(pack: Vec<u8>, name: &str) -> Outcome<Network> {
    let graph = networks::graph(&Pack::from_bytes(pack)?, name)?;
    let shapes = graph.outputs().iter().map(|p| graph.shape(p.value).clone()).collect();
    Ok(Network { session: CpuSession::new(&graph)?, inputs: networks::inputs(&graph), shapes })
}
