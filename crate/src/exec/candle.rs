//! The candle executor: every operation made of candle's tensor operations, for NVIDIA GPUs (with the feature `cuda`), where
//! a few have kernels of our own.
//!
//! On candle's processor device it is what the tests compare our own kernels with. There is none in browsers.

#[cfg(feature = "cuda")]
pub(super) mod cuda;
mod elementwise;
mod layout;
mod matrix;
mod window;

use candle_core::{Device, Result, Tensor};

use super::ExecError;
use crate::{
    graph::{Graph, Port, Shape, Source},
    ops::Kind,
};

/// A prepared operation: weights lie on the device, only the values come with each call. The result is new, or a view of an
/// input.
type Kernel = Box<dyn Fn(&[&Tensor]) -> Result<Tensor> + Send + Sync>;

/// An operation to be prepared: what it is, its shapes and where it runs.
struct Task<'a> {
    inputs: &'a [&'a Shape],
    output: &'a Shape,
    device: &'a Device,
}

/// Prepares an operation.
fn prepare(kind: Kind<'_>, task: &Task<'_>) -> Result<Kernel> {
    Ok(match kind {
        Kind::Activation(activation) => elementwise::activation(activation.clone()),
        Kind::Binary(binary) => elementwise::binary(binary),
        Kind::Concat(axis) => layout::concat(axis),
        Kind::Conv2d(conv) => window::conv2d(conv, task)?,
        Kind::ConvTranspose2d(conv) => window::conv_transpose2d(conv, task)?,
        Kind::Depthwise2d(conv) => window::depthwise2d(conv, task)?,
        Kind::Gru(gru) => matrix::gru(gru, task)?,
        Kind::Linear(linear) => matrix::linear(linear, task)?,
        Kind::MatMul { transposed } => matrix::matmul(transposed, task),
        Kind::Normalise(normalise) => elementwise::normalise(normalise, task)?,
        Kind::Pad { widths, fill } => layout::pad(widths.to_vec(), fill),
        Kind::Permute(order) => layout::permute(order.to_vec()),
        Kind::Pool(pool) => window::pool(pool, task)?,
        Kind::Reduce { kind, axes } => elementwise::reduce(kind, axes.to_vec(), task),
        Kind::Reshape => layout::reshape(task),
        Kind::Resize(sampling) => layout::resize(sampling, task)?,
        Kind::Slice(ranges) => layout::slice(ranges.to_vec()),
        Kind::Softmax => elementwise::softmax(),
    })
}

/// A network prepared for one candle device.
pub struct CandleSession {
    device: Device,
    steps: Vec<Step>,
    /// Constants are set, everything else is filled and emptied by each run.
    values: Vec<Option<Tensor>>,
    inputs: Vec<Input>,
    outputs: Vec<usize>,
}

struct Step {
    kernel: Kernel,
    inputs: Vec<usize>,
    output: usize,
    /// Values that nobody reads after this step.
    finished: Vec<usize>,
}

struct Input {
    name: String,
    shape: Shape,
    value: usize,
}

impl CandleSession {
    /// Prepares a network.
    ///
    /// # Errors
    /// [`ExecError::Candle`], for instance when the device has too little memory.
    pub fn new(graph: &Graph, device: &Device) -> std::result::Result<Self, ExecError> {
        let mut values = vec![None; graph.value_count()];
        let read = graph.nodes().iter().flat_map(|node| &node.inputs).copied();
        for value in read.chain(graph.outputs().iter().map(|port| port.value)) {
            if let (Source::Constant(c), None) = (graph.source(value), &values[value.index()]) {
                values[value.index()] = Some(Tensor::from_vec(c.to_f32(), c.shape().dims(), device)?);
            }
        }
        let outputs: Vec<usize> = graph.outputs().iter().map(|p| p.value.index()).collect();
        let mut steps = Vec::with_capacity(graph.nodes().len());
        for (i, node) in graph.nodes().iter().enumerate() {
            let task = Task { inputs: &graph.input_shapes(node), output: graph.shape(node.output), device };
            let kernel = prepare(node.operation.kind(), &task)?;
            let inputs: Vec<usize> = node.inputs.iter().map(|v| v.index()).collect();
            let mut finished = inputs.clone();
            let later = |v: usize| graph.nodes()[i + 1..].iter().any(|n| n.inputs.iter().any(|w| w.index() == v));
            finished.retain(|&v| values[v].is_none() && !outputs.contains(&v) && !later(v));
            steps.push(Step { kernel, inputs, output: node.output.index(), finished });
        }
        let input =
            |p: &Port| Input { name: p.name.clone(), shape: graph.shape(p.value).clone(), value: p.value.index() };
        let inputs = graph.inputs().iter().map(input).collect();
        Ok(Self { device: device.clone(), steps, values, inputs, outputs })
    }

    /// Runs the network once: inputs and results in the graph's order, row-major. Nothing waits for the device before the
    /// results are read.
    ///
    /// # Errors
    /// [`ExecError::InputCount`], [`ExecError::InputSize`], [`ExecError::Candle`].
    pub fn run(&mut self, inputs: &[&[f32]]) -> std::result::Result<Vec<Vec<f32>>, ExecError> {
        self.run_observed(inputs, |_, run| run())
    }

    /// Like [`Self::run`], with every step handed to `observe` together with its index: how the benchmark measures single
    /// operations. A step only asks the device for its work: whoever measures has to wait for it.
    ///
    /// # Errors
    /// As [`Self::run`], and what `observe` answers.
    pub fn run_observed(
        &mut self,
        inputs: &[&[f32]],
        mut observe: impl FnMut(usize, &mut dyn FnMut() -> Result<()>) -> Result<()>,
    ) -> std::result::Result<Vec<Vec<f32>>, ExecError> {
        let described = self.inputs.iter().map(|input| (input.name.as_str(), &input.shape));
        ExecError::check_inputs(described, inputs)?;
        for (input, data) in self.inputs.iter().zip(inputs) {
            self.values[input.value] = Some(Tensor::from_slice(data, input.shape.dims(), &self.device)?);
        }
        for (i, step) in self.steps.iter().enumerate() {
            observe(i, &mut || step.run(&mut self.values))?;
        }
        let missing = || candle_core::Error::msg("an output was not computed");
        let result = |&v: &usize| self.values[v].as_ref().ok_or_else(missing)?.flatten_all()?.to_vec1::<f32>();
        Ok(self.outputs.iter().map(result).collect::<Result<Vec<_>>>()?)
    }
}

impl Step {
    fn run(&self, values: &mut [Option<Tensor>]) -> Result<()> {
        let missing = || candle_core::Error::msg("a value is read before it is made");
        let value = |&v: &usize| values[v].as_ref().ok_or_else(missing);
        let arguments = self.inputs.iter().map(value).collect::<Result<Vec<_>>>()?;
        values[self.output] = Some((self.kernel)(&arguments)?);
        self.finished.iter().for_each(|&v| values[v] = None);
        Ok(())
    }
}

impl std::fmt::Debug for CandleSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "candle session of {} steps on {:?}", self.steps.len(), self.device)
    }
}
