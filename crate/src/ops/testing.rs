//! How every operation is tested: a graph of that operation runs on all executors, and each is compared with a plain
//! float64 loop the test brings along.

use std::sync::{Arc, LazyLock};

use crate::{
    exec::{
        AdapterChoice, CpuSession, Gpu, candle::CandleSession, gpu::PipelineKey, record::Recording, wgpu::GpuSession,
    },
    graph::{Constant, DType, Graph, GraphBuilder, GraphError, Tuning, Value},
};

/// One GPU for all tests. There must be one: a skipped test proves nothing.
pub(crate) static GPU: LazyLock<Arc<Gpu>> = LazyLock::new(|| {
    pollster::block_on(Gpu::open(AdapterChoice::Fastest))
        .expect("the tests need a GPU; a software one will do (Debian: apt install mesa-vulkan-drivers)")
});

/// Numbers between -1 and 1 that look random and are the same each time.
pub(crate) fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    next();
    (0..count).map(|_| next()).collect()
}

/// Weights of noise.
pub(crate) fn weights(seed: u64, shape: &[usize]) -> Constant {
    Constant::f32(shape, noise(seed, shape.iter().product())).expect("test shapes are valid")
}

/// Weights of noise, stored in bytes.
pub(crate) fn bytes(seed: u64, shape: &[usize]) -> Constant {
    let stored = DType::Q8_0.encode(&noise(seed, shape.iter().product())).expect("whole blocks");
    let range = 0..stored.len();
    Constant::stored(shape, DType::Q8_0, stored.into(), range).expect("test shapes are valid")
}

/// The numbers of a constant as float64, or zeros.
pub(crate) fn f64s(constant: Option<&Constant>, count: usize) -> Vec<f64> {
    constant.map_or_else(|| vec![0.0; count], |c| c.to_f32().into_iter().map(f64::from).collect())
}

/// Builds a graph with inputs of these shapes and one operation.
pub(crate) fn graph(
    shapes: &[&[usize]],
    operation: impl FnOnce(&mut GraphBuilder, &[Value]) -> Result<Value, GraphError>,
) -> Graph {
    let mut b = GraphBuilder::new();
    let inputs: Vec<Value> =
        shapes.iter().enumerate().map(|(i, &s)| b.input(format!("x{i}"), s).expect("valid shape")).collect();
    let y = operation(&mut b, &inputs).expect("the test's operation is valid");
    b.output("y", y).expect("one output");
    b.build().expect("one output")
}

/// A network on candle's processor device: what our own kernels are compared with.
fn candle(graph: &Graph) -> CandleSession {
    CandleSession::new(graph, &candle_core::Device::Cpu).expect("candle prepares the graph")
}

/// Noise for all inputs.
fn data(graph: &Graph) -> Vec<Vec<f32>> {
    let inputs = (1000..).zip(graph.inputs());
    inputs.map(|(seed, p)| noise(seed, graph.shape(p.value).elements())).collect()
}

/// Runs a graph on noise on all executors and compares every result with `expected`, which gets the inputs as float64.
pub(crate) fn check(graph: &Graph, tolerance: f64, expected: impl FnOnce(&[Vec<f64>]) -> Vec<f64>) {
    let data = data(graph);
    let wide: Vec<Vec<f64>> = data.iter().map(|x| x.iter().map(|&v| f64::from(v)).collect()).collect();
    let expected = expected(&wide);
    let inputs: Vec<&[f32]> = data.iter().map(Vec::as_slice).collect();
    let mut cpu = CpuSession::new(graph).expect("the processor prepares the graph");
    let mut candle = candle(graph);
    // Twice: a run must not change what the next one sees.
    cpu.run(&inputs).expect("the processor runs");
    candle.run(&inputs).expect("candle runs");
    compare("cpu", graph, &cpu.run(&inputs).expect("the processor runs")[0], &expected, tolerance);
    compare("candle", graph, &candle.run(&inputs).expect("candle runs")[0], &expected, tolerance);
    let usual = Tuning::default();
    // One of the other layouts, where it makes a difference; which one depends on the graph.
    let other = Tuning::CANDIDATES[1 + expected.len() % (Tuning::CANDIDATES.len() - 1)];
    let shaders = |tuning| {
        let dispatches = Recording::new(graph, tuning).dispatches.into_iter();
        dispatches.map(|(_, d)| PipelineKey::new(d.shader, &d.constants)).collect::<Vec<_>>()
    };
    let differs = shaders(usual) != shaders(other);
    for tuning in [usual, other].into_iter().take(1 + usize::from(differs)) {
        let mut gpu =
            pollster::block_on(GpuSession::prepare(graph, &GPU, tuning, |_, _| {})).expect("the GPU is ready");
        pollster::block_on(gpu.run(&inputs)).expect("the GPU runs");
        let result = pollster::block_on(gpu.run(&inputs)).expect("the GPU runs");
        compare(&format!("wgpu, {tuning:?}"), graph, &result[0], &expected, tolerance);
    }
}

/// Compares the processor's result with candle's, for what is too much for a loop of float64.
pub(crate) fn check_against_candle(graph: &Graph, tolerance: f64) {
    let data = data(graph);
    let inputs: Vec<&[f32]> = data.iter().map(Vec::as_slice).collect();
    let expected = candle(graph).run(&inputs).expect("candle runs");
    let expected: Vec<f64> = expected[0].iter().map(|&v| f64::from(v)).collect();
    let found = CpuSession::new(graph).and_then(|mut cpu| cpu.run(&inputs)).expect("the processor runs");
    compare("cpu", graph, &found[0], &expected, tolerance);
}

fn compare(executor: &str, graph: &Graph, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{executor}: {graph}");
    for (i, (&f, &e)) in found.iter().zip(expected).enumerate() {
        let allowed = tolerance * (1.0 + e.abs());
        assert!((f64::from(f) - e).abs() <= allowed, "{executor}: element {i} is {f}, not {e}\n{graph}");
    }
}
