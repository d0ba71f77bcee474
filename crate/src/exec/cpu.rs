//! The processor's executor: every operation prepares a kernel once, a run calls one after the other on memory that was
//! planned with them.
//!
//! It knows nothing of candle: that would be a seventh of what a browser has to load, for kernels that [`crate::ops`] has
//! anyway, and faster (figures in ARCHITECTURE.md). Each is tested against candle's.

use super::ExecError;
use crate::{
    graph::{CpuKernel, Graph, MemoryPlan, NodeCost, Place, Port, Shape, Source, Value},
    ops::cpu,
};

/// A network prepared for the processor.
pub struct CpuSession {
    /// Some of its operations are worth all cores of the processor.
    shared: bool,
    steps: Vec<Step>,
    /// What steps write to, made once: a new piece for each result would be asked of the system, cleared and out of the
    /// cache each time, which takes as long as a small kernel.
    memory: Vec<Vec<f32>>,
    constants: Vec<Vec<f32>>,
    inputs: Vec<Input>,
    outputs: Vec<Region>,
}

struct Step {
    /// None where the result lies in the inputs' memory already.
    work: Option<(CpuKernel, Write)>,
    inputs: Vec<Region>,
}

/// Where a step writes.
#[derive(Clone, Copy)]
struct Write {
    slot: usize,
    offset: usize,
    elements: usize,
}

/// Where a value lies, and how many elements it has.
#[derive(Clone, Copy)]
struct Region {
    root: Root,
    offset: usize,
    elements: usize,
}

#[derive(Clone, Copy)]
enum Root {
    Input(usize),
    Constant(usize),
    Slot(usize),
}

struct Input {
    name: String,
    shape: Shape,
    /// Where it is copied to, if operations look for it in the memory of another value.
    joined: Option<Write>,
}

/// Values that a step reads.
struct Values<'a> {
    inputs: &'a [&'a [f32]],
    constants: &'a [Vec<f32>],
    memory: &'a [Vec<f32>],
}

impl<'a> Values<'a> {
    fn at(&self, place: &Region) -> &'a [f32] {
        let all: &'a [f32] = match place.root {
            Root::Input(i) => self.inputs[i],
            Root::Constant(i) => &self.constants[i],
            Root::Slot(i) => &self.memory[i],
        };
        &all[place.offset..][..place.elements]
    }
}

impl CpuSession {
    /// Prepares a network.
    ///
    /// # Errors
    /// [`ExecError::Graph`] when an operation does not fit its inputs, which a [`Graph`] excludes.
    pub fn new(graph: &Graph) -> Result<Self, ExecError> {
        let plan = MemoryPlan::new(graph);
        let mut constants = Constants { data: Vec::new(), places: vec![None; graph.value_count()] };
        let mut steps = Vec::with_capacity(graph.nodes().len());
        for (i, node) in graph.nodes().iter().enumerate() {
            let inputs = node.inputs.iter().map(|&v| constants.place(graph, &plan, v)).collect();
            let elements = graph.shape(node.output).elements();
            let work = match plan.slot(node.output) {
                Some(slot) if plan.computes(graph, i) => {
                    let kernel = node.operation.cpu(&graph.input_shapes(node), graph.shape(node.output))?;
                    Some((kernel, Write { slot: slot.0, offset: plan.place(node.output).offset, elements }))
                }
                _ => None,
            };
            steps.push(Step { work, inputs });
        }
        let input = |p: &Port| {
            let (shape, offset) = (graph.shape(p.value).clone(), plan.place(p.value).offset);
            let joined = plan.slot(p.value).map(|slot| Write { slot: slot.0, offset, elements: shape.elements() });
            Input { name: p.name.clone(), shape, joined }
        };
        let inputs = graph.inputs().iter().map(input).collect();
        let outputs = graph.outputs().iter().map(|p| constants.place(graph, &plan, p.value)).collect();
        // What has few rows goes to one thread however much it is.
        let large = |(n, node): (&NodeCost, &crate::graph::Node)| {
            n.cost.flops > cpu::WORTH_THREADS as u64 && graph.shape(node.output).rows() > cpu::ROWS_OF_A_THREAD
        };
        let shared = graph.node_costs().iter().zip(graph.nodes()).any(large);
        let memory = plan.sizes().iter().map(|&elements| vec![0.0; elements]).collect();
        Ok(Self { shared, steps, memory, constants: constants.data, inputs, outputs })
    }

    /// Runs the network once: inputs and results in the graph's order, row-major.
    ///
    /// # Errors
    /// [`ExecError::InputCount`], [`ExecError::InputSize`].
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
        mut observe: impl FnMut(usize, &mut dyn FnMut()) + Send,
    ) -> Result<Vec<Vec<f32>>, ExecError> {
        let described = self.inputs.iter().map(|input| (input.name.as_str(), &input.shape));
        ExecError::check_inputs(described, inputs)?;
        for (input, data) in self.inputs.iter().zip(inputs) {
            if let Some(Write { slot, offset, elements }) = input.joined {
                self.memory[slot][offset..][..elements].copy_from_slice(data);
            }
        }
        cpu::beside_threads(self.shared, || {
            for (i, step) in self.steps.iter().enumerate() {
                observe(i, &mut || step.run(inputs, &self.constants, &mut self.memory));
            }
        });
        let values = Values { inputs, constants: &self.constants, memory: &self.memory };
        Ok(self.outputs.iter().map(|place| values.at(place).to_vec()).collect())
    }
}

impl Step {
    fn run(&self, inputs: &[&[f32]], constants: &[Vec<f32>], memory: &mut [Vec<f32>]) {
        let Some((kernel, write)) = &self.work else { return };
        // Taken out while it is written to: no value that the step reads lies there, as the plan made sure.
        let mut written = std::mem::take(&mut memory[write.slot]);
        let y = &mut written[write.offset..][..write.elements];
        // What a kernel leaves out shows in the tests.
        #[cfg(test)]
        y.fill(f32::NAN);
        let values = Values { inputs, constants, memory };
        let x: Vec<&[f32]> = self.inputs.iter().map(|place| values.at(place)).collect();
        kernel(&x, y);
        memory[write.slot] = written;
    }
}

/// Constants that operations read as values, each expanded once.
struct Constants {
    data: Vec<Vec<f32>>,
    /// Which of them a value is.
    places: Vec<Option<usize>>,
}

impl Constants {
    /// Where a value lies.
    fn place(&mut self, graph: &Graph, plan: &MemoryPlan, value: Value) -> Region {
        let (Place { root, offset }, elements) = (plan.place(value), graph.shape(value).elements());
        let root = match (graph.source(root), plan.slot(value)) {
            (Source::Constant(constant), _) => {
                let known = &mut self.places[root.index()];
                Root::Constant(*known.get_or_insert_with(|| {
                    self.data.push(constant.to_f32());
                    self.data.len() - 1
                }))
            }
            (_, Some(slot)) => Root::Slot(slot.0),
            (_, None) => Root::Input(graph.inputs().iter().position(|p| p.value == root).unwrap_or_default()),
        };
        Region { root, offset, elements }
    }
}

impl std::fmt::Debug for CpuSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "session of {} steps on the processor", self.steps.len())
    }
}
