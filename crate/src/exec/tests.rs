//! Whole networks: all executors must agree, and memory must be reused.

use std::sync::Arc;

use super::{
    CpuSession, Device, ExecError, Gpu, Session, candle::CandleSession, gpu::PipelineKey, record::Recording,
    wgpu::GpuSession,
};
use crate::{
    graph::{Constant, DType, Graph, GraphBuilder, GraphError, MemoryPlan, Shader, Tuning},
    ops::{
        Activation, Conv1d, Conv2d, ConvTranspose2d, Depthwise2d, Gru, Linear, Normalise, NormaliseOver, Padding, Pool,
        PoolKind, Reduce, Sampling,
        testing::{GPU, noise, weights},
    },
};

/// Residual blocks like those of a face detector: depthwise, pointwise, padded and pooled shortcut.
fn detector() -> Result<Graph, GraphError> {
    let mut b = GraphBuilder::new();
    let image = b.input("image", [1, 64, 64, 3])?;
    let stem = Conv2d { stride: [2, 2], activation: Activation::Relu, ..Conv2d::new(weights(1, &[16, 5, 5, 3])) };
    let mut x = b.conv2d(image, Conv2d { bias: Some(weights(2, &[16])), ..stem })?;
    let mut channels = 16;
    for block in 0..6u64 {
        let down = block % 2 == 1;
        let out = if down { channels + 8 } else { channels };
        let stride = if down { [2, 2] } else { [1, 1] };
        let y = b.depthwise2d(x, Depthwise2d { stride, ..Depthwise2d::new(weights(10 + block, &[3, 3, channels])) })?;
        let scale =
            Constant::f32([out, 1, 1, channels], noise(20 + block, out * channels).iter().map(|v| v * 0.3).collect())?;
        let y = b.conv2d(y, Conv2d { bias: Some(weights(30 + block, &[out])), ..Conv2d::new(scale) })?;
        let mut shortcut = x;
        if down {
            let pool = Pool { kind: PoolKind::Max, kernel: [2, 2], stride: [2, 2], padding: Padding::Same };
            shortcut = b.pool(x, pool)?;
            shortcut = b.pad(shortcut, &[[0, 0], [0, 0], [0, 0], [0, 8]], 0.0)?;
        }
        x = b.add(y, shortcut)?;
        x = b.activation(x, Activation::Prelu(weights(40 + block, &[out])))?;
        channels = out;
    }
    let scores =
        b.conv2d(x, Conv2d { activation: Activation::Sigmoid, ..Conv2d::new(weights(50, &[2, 1, 1, channels])) })?;
    let scores = b.reshape(scores, [32, 1, 1])?;
    b.output("scores", scores)?;
    let up = ConvTranspose2d {
        weight: weights(60, &[4, 2, 2, channels]),
        bias: Some(weights(61, &[4])),
        stride: [2, 2],
        size: [8, 8],
        activation: Activation::Relu,
    };
    let up = b.conv_transpose2d(x, up)?;
    let up = b.resize(up, [19, 13], Sampling::HalfPixel)?;
    b.output("mask", up)?;
    b.build()
}

/// Streaming speech network: convolution in time, a GRU with its state outside, layer norm, attention.
fn speech() -> Result<Graph, GraphError> {
    let mut b = GraphBuilder::new();
    let x = b.input("features", [12, 20])?;
    let state = b.input("state", [24])?;
    let conv = Conv1d { activation: Activation::Gelu, stride: 2, ..Conv1d::new(weights(1, &[24, 3, 20])) };
    let y = b.conv1d(x, conv.causal())?;
    let gru = Gru {
        input_weight: weights(2, &[72, 24]),
        hidden_weight: weights(3, &[72, 24]),
        input_bias: weights(4, &[72]),
        hidden_bias: weights(5, &[72]),
    };
    let h = b.gru(y, state, gru)?;
    let last = b.slice_axis(h, 0, 5..6)?;
    let last = b.reshape(last, [24])?;
    b.output("state", last)?;
    let norm = Normalise { over: NormaliseOver::Channels, scale: Some(weights(6, &[24])), shift: None, epsilon: 1e-5 };
    let n = b.normalise(h, norm)?;
    let heads = b.reshape(n, [6, 2, 12])?;
    let heads = b.permute(heads, &[1, 0, 2])?;
    let scores = b.matmul_transposed(heads, heads)?;
    let scores = b.softmax(scores)?;
    let mixed = b.matmul(scores, heads)?;
    let mixed = b.permute(mixed, &[1, 0, 2])?;
    let mixed = b.reshape(mixed, [6, 24])?;
    let joined = b.concat(&[mixed, h], 1)?;
    let y = b.linear(joined, Linear { bias: Some(weights(8, &[10])), ..Linear::new(weights(7, &[10, 48])) })?;
    b.output("curves", y)?;
    let mean = b.reduce(Reduce::Mean, y, &[0])?;
    b.output("mean", mean)?;
    b.build()
}

/// Networks with every sort of operation.
pub(super) fn networks() -> [Graph; 2] {
    [detector().unwrap(), speech().unwrap()]
}

fn agree(graph: &Graph) {
    agree_on(graph, &GPU);
}

/// All executors give the same numbers.
pub(super) fn agree_on(graph: &Graph, gpu: &Arc<Gpu>) {
    let data: Vec<Vec<f32>> =
        graph.inputs().iter().enumerate().map(|(i, p)| noise(i as u64, graph.shape(p.value).elements())).collect();
    let inputs: Vec<&[f32]> = data.iter().map(Vec::as_slice).collect();
    let expected = CpuSession::new(graph).unwrap().run(&inputs).unwrap();
    // candle plans no memory: what lies in the wrong place shows here.
    let candle = CandleSession::new(graph, &candle_core::Device::Cpu).unwrap().run(&inputs).unwrap();
    let mut pairs = expected.iter().flatten().zip(candle.iter().flatten());
    assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-3 * (1.0 + b.abs())), "{graph}");
    let mut layouts = Tuning::CANDIDATES.into_iter();
    let usual = layouts.next().unwrap();
    assert_eq!(usual, Tuning::default());
    let mut gpu = in_layout(graph, gpu, usual, &inputs, &expected);
    layouts.for_each(|tuning| drop(in_layout(graph, gpu.gpu(), tuning, &inputs, &expected)));
    // Reading only the last output back gives the same numbers.
    let found = pollster::block_on(gpu.run(&inputs)).unwrap();
    let last = graph.outputs().len() - 1;
    let alone = pollster::block_on(gpu.run_for(&inputs, &[last])).unwrap();
    assert_eq!(alone, [found[last].clone()]);
}

fn in_layout(graph: &Graph, gpu: &Arc<Gpu>, tuning: Tuning, inputs: &[&[f32]], expected: &[Vec<f32>]) -> GpuSession {
    let mut told = Vec::new();
    let prepared = GpuSession::prepare(graph, gpu, tuning, |done, all| told.push((done, all)));
    let mut session = pollster::block_on(prepared).unwrap();
    let all = told[0].1;
    assert!(all > 0 && told == (0..=all).map(|done| (done, all)).collect::<Vec<_>>(), "{told:?}");
    let found = pollster::block_on(session.run(inputs)).unwrap();
    assert_eq!(found.len(), graph.outputs().len());
    for (port, (a, b)) in graph.outputs().iter().zip(expected.iter().zip(&found)) {
        let peak = a.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!(peak > 1e-3, "{} is nothing but zeros", port.name);
        for (i, (u, v)) in a.iter().zip(b).enumerate() {
            assert!((u - v).abs() <= 2e-5 * (1.0 + peak), "{tuning:?}: {} [{i}]: {u} and {v}", port.name);
        }
    }
    session
}

#[test]
fn the_gpu_has_a_time_for_every_dispatch() {
    let graph = detector().unwrap();
    let mut session = GpuSession::new(&graph, &GPU).unwrap();
    let times = pollster::block_on(session.timestamps()).unwrap();
    let has_clock = GPU.device.features().contains(wgpu::Features::TIMESTAMP_QUERY);
    assert_eq!(times.is_some(), has_clock);
    let Some(times) = times else { return };
    assert_eq!(times.len(), session.dispatch_count());
    assert!(times.windows(2).all(|pair| pair[0].0 <= pair[1].0), "in the order in which they run");
    assert!(times.iter().map(|(_, seconds)| seconds).sum::<f64>() > 0.0);
}

#[test]
fn a_shader_that_is_refused_is_an_error_of_the_session_alone() {
    let gpu = pollster::block_on(Gpu::open(super::AdapterChoice::Fastest)).unwrap();
    let bad = PipelineKey::new(Shader { name: "bad", source: "this is not WGSL" }, &[]);
    let refused = pollster::block_on(gpu.compile(&bad));
    assert!(matches!(refused, Err(super::GpuError::Refused(_))), "{refused:?}");
    assert_eq!(gpu.check(), Ok(()));
    agree_on(&detector().unwrap(), &gpu);
}

#[test]
fn executors_agree_on_a_detector() {
    agree(&detector().unwrap());
}

#[test]
fn executors_agree_on_a_speech_network() {
    agree(&speech().unwrap());
}

#[test]
fn memory_is_reused_and_never_while_it_is_read() {
    for (graph, share) in [(detector().unwrap(), 0.6), (speech().unwrap(), 0.8)] {
        let plan = MemoryPlan::new(&graph);
        let without = plan.elements_without_reuse(&graph);
        assert!((plan.elements() as f64) < share * without as f64, "{} of {without}", plan.elements());
        // Walk through the graph: every slot must still hold what a node reads.
        let mut holds = vec![None; plan.sizes().len()];
        let root = |value| Some(plan.place(value).root);
        for value in graph.inputs().iter().map(|port| port.value) {
            if let Some(slot) = plan.slot(value) {
                holds[slot.0] = root(value);
            }
        }
        for (i, node) in graph.nodes().iter().enumerate() {
            for &input in &node.inputs {
                if let Some(slot) = plan.slot(input) {
                    assert_eq!(holds[slot.0], root(input), "{graph}");
                    assert!(!plan.computes(&graph, i) || plan.slot(node.output) != Some(slot), "{graph}");
                }
            }
            if plan.computes(&graph, i) {
                let slot = plan.slot(node.output).unwrap();
                let end = plan.place(node.output).offset + graph.shape(node.output).elements();
                assert!(end <= plan.sizes()[slot.0]);
                holds[slot.0] = root(node.output);
            }
        }
        for port in graph.outputs() {
            assert_eq!(holds[plan.slot(port.value).unwrap().0], root(port.value));
        }
    }
}

/// A streaming step: a state and an input one after the other, and the last rows as the next state.
fn stream(channels: usize, share: bool) -> Graph {
    let mut b = GraphBuilder::new();
    let state = b.input("state", [2, channels]).unwrap();
    let x = b.input("x", [3, channels]).unwrap();
    let x = b.activation(x, Activation::Abs).unwrap();
    // What is read to make a part cannot lie beside it.
    let y = if share { b.add(x, x).unwrap() } else { x };
    let parts = if share { vec![x, y] } else { vec![state, x] };
    let window = b.concat(&parts, 0).unwrap();
    let next = b.slice_axis(window, 0, 3..5).unwrap();
    let sum = b.reduce(Reduce::Sum, window, &[0]).unwrap();
    for (name, value) in [("next", next), ("sum", sum), ("x", x)] {
        b.output(name, value).unwrap();
    }
    b.build().unwrap()
}

#[test]
fn joined_values_and_slices_move_nothing_where_that_can_be() {
    for (channels, share, copies) in [(64, false, 0), (64, true, 2), (20, false, 3)] {
        let graph = stream(channels, share);
        let dispatches = Recording::new(&graph, Tuning::default()).dispatches;
        let copied = dispatches.iter().filter(|(_, d)| d.shader.name == "copy").count();
        assert_eq!(copied, copies, "{channels} channels, {share}");
        agree(&graph);
        let inputs = [noise(1, 2 * channels), noise(2, 3 * channels)];
        let inputs = inputs.each_ref().map(Vec::as_slice);
        let results = CpuSession::new(&graph).unwrap().run(&inputs[..graph.inputs().len()]).unwrap();
        if !share {
            let last: Vec<f32> = inputs[1][channels..].iter().map(|v| v.abs()).collect();
            assert_eq!(results[0], last);
        }
    }
}

#[test]
fn wrong_inputs_are_errors() {
    let graph = speech().unwrap();
    let mut cpu = CpuSession::new(&graph).unwrap();
    let mut gpu = GpuSession::new(&graph, &GPU).unwrap();
    let (x, short) = (noise(1, 240), noise(2, 23));
    for inputs in [vec![x.as_slice()], vec![x.as_slice(), short.as_slice()]] {
        let a = cpu.run(&inputs).unwrap_err().to_string();
        let b = pollster::block_on(gpu.run(&inputs)).unwrap_err().to_string();
        assert_eq!(a, b);
    }
}

#[test]
fn stored_weights_mean_what_they_expand_to() {
    let values = noise(1, 64 * 8);
    for dtype in [DType::F16, DType::Q8_0] {
        let bytes = dtype.encode(&values).unwrap();
        let expanded = Constant::f32([8, 64], dtype.decode(&bytes)).unwrap();
        let range = 0..bytes.len();
        let stored = Constant::stored([8, 64], dtype, bytes.into(), range).unwrap();
        let x = noise(2, 3 * 64);
        let [a, b] = [stored, expanded].map(|weight| {
            let mut b = GraphBuilder::new();
            let x = b.input("x", [3, 64]).unwrap();
            let y = b.linear(x, Linear::new(weight)).unwrap();
            b.output("y", y).unwrap();
            b.build().unwrap()
        });
        let cpu = |g| CpuSession::new(g).unwrap().run(&[&x]).unwrap();
        let gpu = |g| pollster::block_on(GpuSession::new(g, &GPU).unwrap().run(&[&x])).unwrap();
        for [a, b] in [[cpu(&a), cpu(&b)], [gpu(&a), gpu(&b)]] {
            // Bytes are summed before their scale is applied.
            assert!(a[0].iter().zip(&b[0]).all(|(a, b)| (a - b).abs() < 1e-5), "{a:?}, not {b:?}");
        }
    }
}

/// What can be tested of CUDA on any machine: asking for it never panics, and where it is not there one sentence says
/// what to do. Where it is there, it computes what the processor does.
#[test]
fn cuda_computes_the_same_or_says_what_is_missing() {
    let graph = speech().unwrap();
    match Device::cuda() {
        Ok(device) => {
            let data: Vec<Vec<f32>> =
                (1..).zip(graph.inputs()).map(|(i, p)| noise(i, graph.shape(p.value).elements())).collect();
            let inputs: Vec<&[f32]> = data.iter().map(Vec::as_slice).collect();
            let expected = CpuSession::new(&graph).unwrap().run(&inputs).unwrap();
            let found = Session::on(&graph, &device).unwrap().run(&inputs).unwrap();
            let mut pairs = expected.iter().flatten().zip(found.iter().flatten());
            assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-3));
        }
        Err(ExecError::WithoutCuda) if !cfg!(feature = "cuda") => {}
        Err(ExecError::Cuda(_)) if cfg!(feature = "cuda") => {}
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn what_no_output_needs_is_dropped() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", [4]).unwrap();
    let y = b.add(x, x).unwrap();
    b.mul(y, y).unwrap();
    b.output("y", y).unwrap();
    let graph = b.build().unwrap();
    assert_eq!(graph.nodes().len(), 1);
    assert_eq!(graph.to_string(), "%0 = input x [4]\n%1 = binary(%0, %0) [4]\noutput y = %1\n");
    assert_eq!(graph.cost().flops, 4);
}

#[test]
fn defects_of_a_description_are_errors() {
    let mut b = GraphBuilder::new();
    let x = b.input("x", [4]).unwrap();
    assert!(matches!(b.input("x", [4]), Err(GraphError::DuplicateName(_))));
    assert!(matches!(b.input("empty", [0]), Err(GraphError::Size(_))));
    assert!(matches!(b.input("huge", [usize::MAX, 2]), Err(GraphError::Size(_))));
    assert!(matches!(b.input("deep", [1; 9]), Err(GraphError::Size(_))));
    let mut other = GraphBuilder::new();
    assert!(matches!(other.add(x, x), Err(GraphError::ForeignValue)));
    assert!(matches!(other.output("y", x), Err(GraphError::ForeignValue)));
    assert!(matches!(other.build(), Err(GraphError::NoOutput)));
}
