//! The wgpu executor: everything is recorded once, a run writes the inputs, submits one compute pass and reads back only
//! the outputs that are asked for.

use std::{fmt, sync::Arc};

use super::{ExecError, Gpu, GpuError};
use crate::graph::{Binding, Dispatch, Graph, MemoryPlan, Port, Shape, Source, Value};

/// A network prepared for one GPU. Belongs to the [`Gpu`] it was made with: after a loss both are made again.
pub struct GpuSession {
    gpu: Arc<Gpu>,
    commands: Vec<Command>,
    inputs: Vec<Terminal>,
    outputs: Vec<Terminal>,
    /// Where outputs are copied to be read; all in one buffer, at these offsets in bytes.
    readback: wgpu::Buffer,
    offsets: Vec<u64>,
}

/// An input or output.
struct Terminal {
    name: String,
    shape: Shape,
    buffer: wgpu::Buffer,
}

/// A dispatch with all it needs.
struct Command {
    node: usize,
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    workgroups: [u32; 3],
}

impl GpuSession {
    /// Prepares a network: plans its memory, uploads its weights (expanded to f32), compiles its pipelines.
    ///
    /// # Errors
    /// [`ExecError::Gpu`], in particular [`GpuError::TooLarge`].
    pub fn new(graph: &Graph, gpu: &Arc<Gpu>) -> Result<Self, ExecError> {
        let memory = Memory::new(graph, gpu)?;
        let mut recorder = Recorder { gpu, commands: Vec::new(), scratch: Vec::new(), params: Params::new(gpu) };
        let mut recorded = Vec::new();
        for (index, node) in graph.nodes().iter().enumerate() {
            if node.operation.is_view() {
                continue;
            }
            let dispatches = node.operation.gpu(&graph.input_shapes(node), graph.shape(node.output));
            let offsets: Vec<u64> = dispatches.iter().map(|d| recorder.params.push(&d.params)).collect();
            recorded.push((index, node, dispatches, offsets));
        }
        let params = recorder.params.upload(gpu)?;
        for (index, node, dispatches, offsets) in recorded {
            let inputs: Vec<&wgpu::Buffer> = node.inputs.iter().map(|&v| memory.buffer(v)).collect();
            let output = memory.buffer(node.output);
            for (dispatch, offset) in dispatches.iter().zip(offsets) {
                recorder.record(index, dispatch, &inputs, output, (&params, offset))?;
            }
        }
        let terminal = |port: &Port| Terminal {
            name: port.name.clone(),
            shape: graph.shape(port.value).clone(),
            buffer: memory.buffer(port.value).clone(),
        };
        let inputs = graph.inputs().iter().map(terminal).collect();
        let outputs: Vec<Terminal> = graph.outputs().iter().map(terminal).collect();
        let mut offsets = Vec::with_capacity(outputs.len());
        let mut bytes = 0;
        for output in &outputs {
            offsets.push(bytes);
            bytes += output.bytes();
        }
        let readback = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("readback"),
            size: bytes,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let commands = recorder.commands;
        gpu.check()?;
        Ok(Self { gpu: gpu.clone(), commands, inputs, outputs, readback, offsets })
    }

    /// The GPU it was made with.
    pub fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
    }

    /// The buffer of an input, to be filled on the GPU.
    pub fn input_buffer(&self, index: usize) -> Option<&wgpu::Buffer> {
        self.inputs.get(index).map(|t| &t.buffer)
    }

    /// The buffer of an output, to be used on the GPU without readback.
    pub fn output_buffer(&self, index: usize) -> Option<&wgpu::Buffer> {
        self.outputs.get(index).map(|t| &t.buffer)
    }

    /// Number of dispatches in a run.
    pub fn dispatch_count(&self) -> usize {
        self.commands.len()
    }

    /// Uploads inputs for the next run.
    ///
    /// # Errors
    /// [`ExecError::InputCount`], [`ExecError::InputSize`].
    pub fn write_inputs(&self, inputs: &[&[f32]]) -> Result<(), ExecError> {
        if inputs.len() != self.inputs.len() {
            return Err(ExecError::InputCount { wanted: self.inputs.len(), found: inputs.len() });
        }
        for (input, data) in self.inputs.iter().zip(inputs) {
            if data.len() != input.shape.elements() {
                let (name, shape, found) = (input.name.clone(), input.shape.clone(), data.len());
                return Err(ExecError::InputSize { name, shape, found });
            }
            self.gpu.queue.write_buffer(&input.buffer, 0, bytemuck::cast_slice(data));
        }
        Ok(())
    }

    /// Adds the network's compute pass to commands that are submitted by the caller.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        self.encode_nodes(encoder, |_| true, 1);
    }

    /// Runs the network and reads all outputs back, row-major.
    ///
    /// # Errors
    /// [`ExecError::InputCount`], [`ExecError::InputSize`], [`ExecError::Gpu`].
    pub async fn run(&mut self, inputs: &[&[f32]]) -> Result<Vec<Vec<f32>>, ExecError> {
        let all: Vec<usize> = (0..self.outputs.len()).collect();
        self.run_for(inputs, &all).await
    }

    /// Runs the network and reads back only the outputs of these indices, in this order.
    ///
    /// # Errors
    /// As [`Self::run`]; indices that do not exist give empty results.
    pub async fn run_for(&mut self, inputs: &[&[f32]], wanted: &[usize]) -> Result<Vec<Vec<f32>>, ExecError> {
        self.gpu.check()?;
        self.write_inputs(inputs)?;
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        self.encode(&mut encoder);
        for (i, output) in self.outputs.iter().enumerate().filter(|(i, _)| wanted.contains(i)) {
            encoder.copy_buffer_to_buffer(&output.buffer, 0, &self.readback, self.offsets[i], output.bytes());
        }
        self.gpu.queue.submit([encoder.finish()]);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let results = self.gpu.read(&self.readback, |bytes| {
            let one = |&i: &usize| {
                let Some(output) = self.outputs.get(i) else { return Vec::new() };
                let start = self.offsets[i] as usize;
                bytemuck::pod_collect_to_vec(&bytes[start..start + output.bytes() as usize])
            };
            wanted.iter().map(one).collect()
        });
        Ok(results.await?)
    }

    /// Runs the dispatches of one node `repeats` times: how the benchmark measures single operations. Values stay those of
    /// the last run, and slots that were reused since hold other numbers, which does not change how long it takes.
    ///
    /// # Errors
    /// [`ExecError::Gpu`].
    pub async fn run_node(&mut self, node: usize, repeats: usize) -> Result<(), ExecError> {
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        self.encode_nodes(&mut encoder, |n| n == node, repeats);
        self.gpu.queue.submit([encoder.finish()]);
        self.gpu.finished().await;
        Ok(self.gpu.check()?)
    }

    fn encode_nodes(&self, encoder: &mut wgpu::CommandEncoder, chosen: impl Fn(usize) -> bool, repeats: usize) {
        let mut pass =
            encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("network"), ..Default::default() });
        for _ in 0..repeats {
            for command in self.commands.iter().filter(|c| chosen(c.node)) {
                let [x, y, z] = command.workgroups;
                pass.set_pipeline(&command.pipeline);
                pass.set_bind_group(0, &command.bindings, &[]);
                pass.dispatch_workgroups(x, y, z);
            }
        }
    }
}

impl Terminal {
    fn bytes(&self) -> u64 {
        4 * self.shape.elements() as u64
    }
}

impl fmt::Debug for GpuSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wgpu session of {} dispatches on {:?}", self.commands.len(), self.gpu)
    }
}

/// Buffers of all values.
struct Memory {
    plan: MemoryPlan,
    slots: Vec<wgpu::Buffer>,
    /// Buffers of graph inputs and constants, by value.
    fixed: Vec<Option<wgpu::Buffer>>,
    /// Stands for values that no node and no output uses.
    nothing: wgpu::Buffer,
}

impl Memory {
    fn new(graph: &Graph, gpu: &Gpu) -> Result<Self, GpuError> {
        let plan = MemoryPlan::new(graph);
        let slots = plan.sizes().iter().map(|&n| gpu.storage("values", n)).collect::<Result<_, _>>()?;
        let mut fixed = vec![None; graph.value_count()];
        let read = graph.nodes().iter().flat_map(|n| &n.inputs).copied();
        for value in read.chain(graph.outputs().iter().chain(graph.inputs()).map(|p| p.value)) {
            let value = plan.root(value);
            let place = &mut fixed[value.index()];
            if place.is_none() {
                *place = match graph.source(value) {
                    Source::Input => Some(gpu.storage("input", graph.shape(value).elements())?),
                    Source::Constant(c) => Some(gpu.storage_with("constant", &c.to_f32())?),
                    Source::Node(_) => None,
                };
            }
        }
        Ok(Self { plan, slots, fixed, nothing: gpu.storage("nothing", 0)? })
    }

    fn buffer(&self, value: Value) -> &wgpu::Buffer {
        match self.plan.slot(value) {
            Some(slot) => &self.slots[slot.0],
            None => self.fixed[self.plan.root(value).index()].as_ref().unwrap_or(&self.nothing),
        }
    }
}

/// The uniforms of all dispatches, in one buffer.
struct Params {
    words: Vec<u32>,
    alignment: usize,
}

impl Params {
    fn new(gpu: &Gpu) -> Self {
        Self { words: Vec::new(), alignment: gpu.device.limits().min_uniform_buffer_offset_alignment as usize / 4 }
    }

    /// Adds one uniform and returns where it lies, in bytes.
    fn push(&mut self, words: &[u32]) -> u64 {
        let start = self.words.len().next_multiple_of(self.alignment);
        self.words.resize(start, 0);
        self.words.extend(words);
        // A uniform struct's size is a multiple of 16 bytes.
        self.words.resize((start + words.len()).next_multiple_of(4), 0);
        4 * start as u64
    }

    fn upload(&self, gpu: &Gpu) -> Result<wgpu::Buffer, GpuError> {
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("params"),
            size: 4 * self.words.len().max(4) as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        gpu.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&self.words));
        Ok(buffer)
    }
}

/// Turns an operation's dispatches into commands.
struct Recorder<'a> {
    gpu: &'a Gpu,
    commands: Vec<Command>,
    /// Intermediates inside an operation; shared by all, since operations run one after the other.
    scratch: Vec<wgpu::Buffer>,
    params: Params,
}

impl Recorder<'_> {
    fn record(
        &mut self,
        node: usize,
        dispatch: &Dispatch,
        inputs: &[&wgpu::Buffer],
        output: &wgpu::Buffer,
        (params, offset): (&wgpu::Buffer, u64),
    ) -> Result<(), GpuError> {
        let pipeline = self.gpu.pipeline(dispatch.shader, &dispatch.constants);
        let mut buffers = Vec::with_capacity(dispatch.bindings.len());
        for binding in &dispatch.bindings {
            buffers.push(match binding {
                Binding::Input(i) => inputs[*i].clone(),
                Binding::Output => output.clone(),
                Binding::Weights(values) => self.gpu.storage_with("weights", values)?,
                Binding::ScratchIn(i) => self.scratch[*i].clone(),
                Binding::ScratchOut(i, elements) => self.scratch(*i, *elements)?,
            });
        }
        let size = std::num::NonZero::new(4 * dispatch.params.len().next_multiple_of(4) as u64);
        let uniform = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: params, offset, size });
        let mut entries = vec![wgpu::BindGroupEntry { binding: 0, resource: uniform }];
        for (i, buffer) in buffers.iter().enumerate() {
            entries.push(wgpu::BindGroupEntry { binding: i as u32 + 1, resource: buffer.as_entire_binding() });
        }
        let bindings = self.gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(dispatch.shader.name),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        self.commands.push(Command { node, pipeline, bindings, workgroups: dispatch.workgroups });
        Ok(())
    }

    /// The scratch buffer of this number, large enough. One that grows leaves the old buffer to earlier commands.
    fn scratch(&mut self, index: usize, elements: usize) -> Result<wgpu::Buffer, GpuError> {
        while self.scratch.len() <= index {
            self.scratch.push(self.gpu.storage("scratch", 0)?);
        }
        if self.scratch[index].size() < 4 * elements as u64 {
            self.scratch[index] = self.gpu.storage("scratch", elements)?;
        }
        Ok(self.scratch[index].clone())
    }
}
