//! The candle executor: every operation prepares a kernel once, a run calls one after the other.
//!
//! On the processor the costly operations have kernels of our own ([`crate::ops`]); on an NVIDIA GPU all are made of
//! candle's tensor operations.

mod memory;

use candle_core::{Device, Tensor};

use super::ExecError;
use crate::{
    graph::{CandleKernel, Graph, Node, NodeCost, Source},
    ops::cpu,
};
use memory::Lifetimes;
pub(crate) use memory::write;

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
    /// Where a kernel of our own writes: made once, and shared by values that are not needed at the same time.
    buffer: Option<Tensor>,
    /// Values that nobody reads after this step.
    finished: Vec<usize>,
}

impl Step {
    fn run(&self, arguments: &[&Tensor]) -> candle_core::Result<Tensor> {
        match (&self.kernel, &self.buffer) {
            (CandleKernel::Tensors(f), _) => f(arguments),
            (CandleKernel::Numbers(f), Some(buffer)) => {
                write(buffer, arguments, &**f)?;
                Ok(buffer.clone())
            }
            (CandleKernel::Numbers(_), None) => candle_core::bail!("a kernel without memory to write to"),
        }
    }
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
        let constant = |c: &crate::graph::Constant| Tensor::from_vec(c.to_f32(), c.shape().dims(), device);
        let mut values = vec![None; graph.value_count()];
        let read = graph.nodes().iter().flat_map(|node| &node.inputs).copied();
        for value in read.chain(graph.outputs().iter().map(|port| port.value)) {
            if let (Source::Constant(c), None) = (graph.source(value), &values[value.index()]) {
                values[value.index()] = Some(constant(c)?);
            }
        }
        let kernel = |node: &Node| node.operation.candle(&graph.input_shapes(node), graph.shape(node.output), device);
        let kernels = graph.nodes().iter().map(kernel).collect::<candle_core::Result<Vec<_>>>()?;
        let lifetimes = Lifetimes::new(graph, &kernels);
        let buffers = lifetimes.buffers(graph, &kernels)?;
        let mut steps = Vec::with_capacity(kernels.len());
        for (i, (node, (kernel, buffer))) in graph.nodes().iter().zip(kernels.into_iter().zip(buffers)).enumerate() {
            let inputs: Vec<usize> = node.inputs.iter().map(|v| v.index()).collect();
            let mut finished = inputs.clone();
            finished.retain(|&v| lifetimes.read_until(v) == Some(i) && values[v].is_none());
            steps.push(Step { kernel, inputs, output: node.output.index(), buffer, finished });
        }
        let input = |p: &crate::graph::Port| Input {
            name: p.name.clone(),
            shape: graph.shape(p.value).clone(),
            value: p.value.index(),
        };
        let inputs = graph.inputs().iter().map(input).collect();
        let outputs = graph.outputs().iter().map(|p| p.value.index()).collect();
        // What has few rows goes to one thread however much it is.
        let large = |(n, node): (&NodeCost, &Node)| {
            n.cost.flops > cpu::WORTH_THREADS as u64 && graph.shape(node.output).rows() > cpu::ROWS_OF_A_THREAD
        };
        let shared = device.is_cpu() && graph.node_costs().iter().zip(graph.nodes()).any(large);
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
                values[step.output] = Some(step.run(&arguments)?);
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
