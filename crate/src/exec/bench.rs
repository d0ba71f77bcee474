//! Measures a network operation by operation: what `parlante bench` prints.

use std::sync::Arc;

use serde::Serialize;

#[cfg(not(target_arch = "wasm32"))]
use super::candle::CandleSession;
use super::{Device, ExecError, Gpu, clock::seconds, cpu::CpuSession, roof::Roof, wgpu::GpuSession};
use crate::graph::{Graph, MemoryPlan, Tuning};

/// How often an operation is submitted at once to be timed on a GPU.
const REPEATS: usize = 50;

/// One operation's work and time.
#[derive(Clone, Debug, Serialize)]
pub struct OperationTime {
    /// Name of the operation.
    pub operation: &'static str,
    /// Lengths of the axes of its result.
    pub output: Vec<usize>,
    /// Floating point operations in billions, as the operation is defined: a kernel may know a way with fewer. A multiply-add
    /// counts as two.
    pub gflop: f64,
    /// Bytes that must at least move.
    pub bytes: u64,
    /// Seconds, the smallest of all runs.
    pub seconds: f64,
}

impl OperationTime {
    /// Billions of floating point operations a second.
    pub fn gflop_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.gflop / self.seconds } else { 0.0 }
    }
}

/// A network's work and time on one executor.
#[derive(Clone, Debug, Serialize)]
pub struct NetworkTime {
    /// Name of the network.
    pub network: String,
    /// Where it ran: `cpu`, `wgpu`, `cuda`, or `candle`, which is candle on the processor.
    pub executor: &'static str,
    /// Floating point operations of a run in billions.
    pub gflop: f64,
    /// Bytes of weights as f32.
    pub weight_bytes: u64,
    /// Seconds of a whole run, inputs and readback included; the smallest of all runs.
    pub seconds: f64,
    /// Every operation in the order in which it runs.
    pub operations: Vec<OperationTime>,
}

impl NetworkTime {
    /// Billions of floating point operations a second, over the whole run.
    pub fn gflop_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.gflop / self.seconds } else { 0.0 }
    }

    /// Seconds that its operations, one after the other, take at least under a roof: launching them is left out.
    pub fn least_seconds(&self, roof: &Roof) -> f64 {
        self.operations.iter().map(|o| roof.least_seconds(o.gflop, o.bytes as f64)).sum()
    }
}

/// Measures `graph` where a [`Device`] runs it.
///
/// # Errors
/// [`ExecError::Candle`].
pub fn bench_on(device: &Device, network: &str, graph: &Graph, runs: usize) -> Result<NetworkTime, ExecError> {
    match device {
        Device::Cpu => bench_cpu(network, graph, runs),
        #[cfg(not(target_arch = "wasm32"))]
        Device::Candle(device) => bench_candle(device, network, graph, runs),
    }
}

/// Measures `graph` on a device of candle's; the smallest of `runs` counts, after one to warm up. The device works while the
/// processor goes on: an operation's time ends when the device has nothing left to do, and so holds the way there and back.
///
/// # Errors
/// [`ExecError::Candle`].
#[cfg(not(target_arch = "wasm32"))]
pub fn bench_candle(
    device: &candle_core::Device,
    network: &str,
    graph: &Graph,
    runs: usize,
) -> Result<NetworkTime, ExecError> {
    let zeros = zeros(graph);
    let inputs: Vec<&[f32]> = zeros.iter().map(Vec::as_slice).collect();
    let mut session = CandleSession::new(graph, device)?;
    let mut result = empty(network, graph, if device.is_cuda() { "cuda" } else { "candle" });
    for run in 0..=runs.max(1) {
        let start = seconds();
        session.run(&inputs)?;
        let whole = seconds() - start;
        let operations = &mut result.operations;
        session.run_observed(&inputs, |i, step| {
            device.synchronize()?;
            let start = seconds();
            step()?;
            device.synchronize()?;
            if run > 0 {
                operations[i].seconds = operations[i].seconds.min(seconds() - start);
            }
            Ok(())
        })?;
        if run > 0 {
            result.seconds = result.seconds.min(whole);
        }
    }
    Ok(result)
}

/// Measures `graph` on the processor; the smallest of `runs` counts, after one to warm up. A browser's clock goes in steps as
/// long as an operation: there the mean of the operations' times counts.
///
/// # Errors
/// [`ExecError::Graph`].
pub fn bench_cpu(network: &str, graph: &Graph, runs: usize) -> Result<NetworkTime, ExecError> {
    let zeros = zeros(graph);
    let inputs: Vec<&[f32]> = zeros.iter().map(Vec::as_slice).collect();
    let mut session = CpuSession::new(graph)?;
    let mut result = empty(network, graph, "cpu");
    let runs = runs.max(1);
    let mut sums = vec![0.0; result.operations.len()];
    for run in 0..=runs {
        let start = seconds();
        session.run(&inputs)?;
        let whole = seconds() - start;
        let operations = &mut result.operations;
        session.run_observed(&inputs, |i, step| {
            let start = seconds();
            step();
            let took = seconds() - start;
            if run > 0 {
                operations[i].seconds = operations[i].seconds.min(took);
                sums[i] += took;
            }
        })?;
        if run > 0 {
            result.seconds = result.seconds.min(whole);
        }
    }
    if cfg!(target_arch = "wasm32") {
        let means = sums.into_iter().map(|sum| sum / runs as f64);
        result.operations.iter_mut().zip(means).for_each(|(operation, mean)| operation.seconds = mean);
    }
    Ok(result)
}

/// Measures `graph` on a GPU in one layout of its shaders; the smallest of `runs` counts, after one to warm up. Operations
/// are timed by the GPU's own clock. Where it has none, they are submitted once and many times and the difference divided.
///
/// # Errors
/// [`ExecError::Gpu`].
pub async fn bench_wgpu(
    network: &str,
    graph: &Graph,
    gpu: &Arc<Gpu>,
    tuning: Tuning,
    runs: usize,
) -> Result<NetworkTime, ExecError> {
    let zeros = zeros(graph);
    let inputs: Vec<&[f32]> = zeros.iter().map(Vec::as_slice).collect();
    let mut session = GpuSession::prepare(graph, gpu, tuning, |_, _| {}).await?;
    let mut result = empty(network, graph, "wgpu");
    for run in 0..=runs.max(1) {
        let start = seconds();
        session.run(&inputs).await?;
        if run > 0 {
            result.seconds = result.seconds.min(seconds() - start);
        }
        let Some(times) = session.timestamps().await? else { continue };
        let mut sums = vec![0.0; result.operations.len()];
        times.into_iter().for_each(|(node, seconds)| sums[node] += seconds);
        for (operation, sum) in result.operations.iter_mut().zip(sums) {
            operation.seconds = operation.seconds.min(sum);
        }
    }
    if result.operations.iter().all(|o| o.seconds.is_finite()) {
        return Ok(result);
    }
    let plan = MemoryPlan::new(graph);
    for i in 0..graph.nodes().len() {
        result.operations[i].seconds = 0.0;
        if !plan.computes(graph, i) {
            continue;
        }
        let mut best = f64::INFINITY;
        for _ in 0..runs.max(1) {
            let mut took = [0.0; 2];
            for (slot, repeats) in took.iter_mut().zip([1, REPEATS]) {
                // A software adapter computes for so long that submitting costs nothing beside it.
                if repeats > 1 && gpu.is_software() {
                    break;
                }
                let start = seconds();
                session.run_node(i, repeats).await?;
                *slot = seconds() - start;
            }
            let seconds = if gpu.is_software() { took[0] } else { (took[1] - took[0]).max(0.0) / (REPEATS - 1) as f64 };
            best = best.min(seconds);
        }
        result.operations[i].seconds = best;
    }
    Ok(result)
}

fn zeros(graph: &Graph) -> Vec<Vec<f32>> {
    graph.inputs().iter().map(|p| vec![0.0; graph.shape(p.value).elements()]).collect()
}

fn empty(network: &str, graph: &Graph, executor: &'static str) -> NetworkTime {
    let operation = |n: crate::graph::NodeCost| OperationTime {
        operation: n.operation,
        output: n.output.dims().to_vec(),
        gflop: n.cost.flops as f64 * 1e-9,
        bytes: n.cost.bytes,
        seconds: f64::INFINITY,
    };
    NetworkTime {
        network: network.to_owned(),
        executor,
        gflop: graph.cost().flops as f64 * 1e-9,
        weight_bytes: graph.weight_bytes(),
        seconds: f64::INFINITY,
        operations: graph.node_costs().into_iter().map(operation).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::GraphBuilder,
        ops::{
            Conv2d,
            testing::{GPU, weights},
        },
    };

    #[test]
    fn every_operation_has_a_time() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", [1, 16, 16, 8]).unwrap();
        let y = b.conv2d(x, Conv2d::new(weights(1, &[16, 3, 3, 8]))).unwrap();
        let y = b.add(y, y).unwrap();
        b.output("y", y).unwrap();
        let graph = b.build().unwrap();
        let cpu = bench_on(&Device::Cpu, "test", &graph, 2).unwrap();
        let candle = bench_on(&Device::Candle(candle_core::Device::Cpu), "test", &graph, 2).unwrap();
        let wgpu = pollster::block_on(bench_wgpu("test", &graph, &GPU, Tuning::default(), 1)).unwrap();
        let roof = Roof::rtx_4090();
        for time in [cpu, candle, wgpu] {
            assert_eq!(time.operations.len(), 2);
            assert!(time.seconds.is_finite() && time.seconds > 0.0);
            assert!(time.operations.iter().all(|o| o.seconds.is_finite()));
            let [first, second] = [0, 1].map(|i| roof.least_seconds(0.0, time.operations[i].bytes as f64));
            assert!((time.least_seconds(&roof) / (first + second) - 1.0).abs() < 1e-9, "memory bounds both there");
            assert!((time.gflop - 1e-9 * (2 * 256 * 16 * 72 + 256 * 16) as f64).abs() < 1e-12);
        }
    }
}
