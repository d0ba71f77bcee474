//! The candle executor: every operation prepares a kernel once, a run calls one after the other.
//!
//! On the processor the costly operations have kernels of our own ([`crate::ops`]); on an NVIDIA GPU all are made of
//! candle's tensor operations.

use candle_core::{Device, Tensor};

use super::ExecError;
use crate::{
    graph::{CandleKernel, Graph, NodeCost, Source},
    ops::cpu,
};

/// The first NVIDIA GPU, as a device for [`Session::on`]. Needs the cargo feature `cuda`.
///
/// # Errors
/// [`ExecError::WithoutCuda`] without the feature, [`ExecError::Cuda`] without the GPU.
pub fn cuda() -> Result<Device, ExecError> {
    if !cfg!(feature = "cuda") {
        return Err(ExecError::WithoutCuda);
    }
    // Further lines are a backtrace, where one is asked for.
    Device::new_cuda(0).map_err(|e| ExecError::Cuda(e.to_string().lines().next().unwrap_or_default().to_owned()))
}

/// A network prepared for one candle device.
pub struct Session {
    device: Device,
    /// Some of its operations are worth all cores of the processor.
    shared: bool,
    steps: Vec<Step>,
    /// Constants are set, everything else is filled and emptied by each run.
    values: Vec<Option<Tensor>>,
    inputs: Vec<Input>,
    outputs: Vec<usize>,
}

struct Step {
    kernel: CandleKernel,
    inputs: Vec<usize>,
    output: usize,
    /// Values that nobody reads after this step.
    finished: Vec<usize>,
}

struct Input {
    name: String,
    shape: crate::graph::Shape,
    value: usize,
}

impl Session {
    /// Prepares a network on the CPU.
    ///
    /// # Errors
    /// [`ExecError::Candle`].
    pub fn new(graph: &Graph) -> Result<Self, ExecError> {
        Self::on(graph, &Device::Cpu)
    }

    /// Prepares a network on a device, such as [`cuda`]'s.
    ///
    /// # Errors
    /// [`ExecError::Candle`], for instance when the device has too little memory.
    pub fn on(graph: &Graph, device: &Device) -> Result<Self, ExecError> {
        let mut values = vec![None; graph.value_count()];
        let mut last_use = vec![None; graph.value_count()];
        for (i, node) in graph.nodes().iter().enumerate() {
            for &v in &node.inputs {
                last_use[v.index()] = Some(i);
                if let Source::Constant(c) = graph.source(v) {
                    values[v.index()] = Some(Tensor::from_vec(c.to_f32(), c.shape().dims(), device)?);
                }
            }
            // A result nobody reads would be dropped by the graph; its last use is its own step.
            last_use[node.output.index()] = Some(i);
        }
        for port in graph.outputs() {
            last_use[port.value.index()] = None;
            if let Source::Constant(c) = graph.source(port.value) {
                values[port.value.index()] = Some(Tensor::from_vec(c.to_f32(), c.shape().dims(), device)?);
            }
        }
        let mut steps = Vec::with_capacity(graph.nodes().len());
        for (i, node) in graph.nodes().iter().enumerate() {
            let kernel = node.operation.candle(&graph.input_shapes(node), graph.shape(node.output), device)?;
            let constant = |v: usize| values[v].is_some();
            let mut finished: Vec<usize> = node.inputs.iter().map(|v| v.index()).collect();
            finished.retain(|&v| last_use[v] == Some(i) && !constant(v));
            let inputs = node.inputs.iter().map(|v| v.index()).collect();
            steps.push(Step { kernel, inputs, output: node.output.index(), finished });
        }
        let input = |p: &crate::graph::Port| Input {
            name: p.name.clone(),
            shape: graph.shape(p.value).clone(),
            value: p.value.index(),
        };
        let inputs = graph.inputs().iter().map(input).collect();
        let outputs = graph.outputs().iter().map(|p| p.value.index()).collect();
        let large = |n: &NodeCost| n.cost.flops > cpu::WORTH_THREADS as u64;
        let shared = device.is_cpu() && graph.node_costs().iter().any(large);
        Ok(Self { device: device.clone(), shared, steps, values, inputs, outputs })
    }

    /// Runs the network once: inputs and results in the graph's order, row-major.
    ///
    /// # Errors
    /// [`ExecError::InputCount`], [`ExecError::InputSize`], [`ExecError::Candle`].
    pub fn run(&mut self, inputs: &[&[f32]]) -> Result<Vec<Vec<f32>>, ExecError> {
        self.run_observed(inputs, |_, run| run())
    }

    /// Like [`Self::run`], with every step handed to `observe` together with its index: how the benchmark measures single
    /// operations.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_observed(
        &mut self,
        inputs: &[&[f32]],
        observe: impl FnMut(usize, &mut dyn FnMut() -> candle_core::Result<()>) -> candle_core::Result<()> + Send,
    ) -> Result<Vec<Vec<f32>>, ExecError> {
        if inputs.len() != self.inputs.len() {
            return Err(ExecError::InputCount { wanted: self.inputs.len(), found: inputs.len() });
        }
        for (input, data) in self.inputs.iter().zip(inputs) {
            if data.len() != input.shape.elements() {
                let (name, shape, found) = (input.name.clone(), input.shape.clone(), data.len());
                return Err(ExecError::InputSize { name, shape, found });
            }
            self.values[input.value] = Some(Tensor::from_slice(data, input.shape.dims(), &self.device)?);
        }
        cpu::beside_threads(self.shared, || self.steps(observe))?;
        let missing = || candle_core::Error::msg("an output was not computed");
        let mut results = Vec::with_capacity(self.outputs.len());
        for &v in &self.outputs {
            results.push(self.values[v].as_ref().ok_or_else(missing)?.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(results)
    }

    fn steps(
        &mut self,
        mut observe: impl FnMut(usize, &mut dyn FnMut() -> candle_core::Result<()>) -> candle_core::Result<()>,
    ) -> candle_core::Result<()> {
        for (i, step) in self.steps.iter().enumerate() {
            let values = &mut self.values;
            observe(i, &mut || {
                let missing = || candle_core::Error::msg("a value is read before it is made");
                let arguments: Vec<&Tensor> = step
                    .inputs
                    .iter()
                    .map(|&v| values[v].as_ref().ok_or_else(missing))
                    .collect::<candle_core::Result<_>>()?;
                let result = (step.kernel)(&arguments)?;
                values[step.output] = Some(result);
                Ok(())
            })?;
            for &v in &step.finished {
                self.values[v] = None;
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "candle session of {} steps on {:?}", self.steps.len(), self.device)
    }
}
