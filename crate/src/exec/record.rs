//! Turns a graph into buffers and commands for one GPU.

use std::{collections::HashMap, sync::Arc};

use super::{ExecError, Gpu, GpuError, gpu::PipelineKey};
use crate::graph::{Binding, Dispatch, Graph, MemoryPlan, Source, Tuning, Value};

/// What the operations of a graph want to be run.
pub(crate) struct Recording {
    /// Node and dispatch, in the order in which they run.
    pub dispatches: Vec<(usize, Dispatch)>,
}

/// A dispatch with all it needs.
pub(crate) struct Command {
    pub node: usize,
    pub pipeline: wgpu::ComputePipeline,
    pub bindings: wgpu::BindGroup,
    pub workgroups: [u32; 3],
}

impl Command {
    /// Adds it to a pass.
    pub fn encode(&self, pass: &mut wgpu::ComputePass<'_>) {
        let [x, y, z] = self.workgroups;
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

impl Recording {
    pub fn new(graph: &Graph, tuning: Tuning) -> Self {
        let plan = MemoryPlan::new(graph);
        let mut dispatches = Vec::new();
        for (index, node) in graph.nodes().iter().enumerate().filter(|(i, _)| plan.computes(graph, *i)) {
            let all = node.operation.gpu(&graph.input_shapes(node), graph.shape(node.output), tuning);
            dispatches.extend(all.into_iter().map(|dispatch| (index, dispatch)));
        }
        Self { dispatches }
    }

    /// Makes buffers and pipelines (those that are not made yet) and binds them.
    pub fn commands(self, graph: &Graph, memory: &Memory, gpu: &Gpu) -> Result<Vec<Command>, ExecError> {
        let mut params = Params::new(gpu);
        let offsets: Vec<u64> = self.dispatches.iter().map(|(_, dispatch)| params.push(&dispatch.params)).collect();
        let params = params.upload(gpu);
        let mut recorder = Recorder { gpu, commands: Vec::new(), scratch: Vec::new(), uploaded: HashMap::new() };
        for ((index, dispatch), offset) in self.dispatches.iter().zip(offsets) {
            let node = &graph.nodes()[*index];
            let inputs: Vec<Range> = node.inputs.iter().map(|&v| memory.range(v)).collect();
            recorder.record(*index, dispatch, &inputs, memory.range(node.output), (&params, offset))?;
        }
        Ok(recorder.commands)
    }
}

/// Where something lies: in a buffer from this byte on.
#[derive(Clone)]
pub(crate) struct Range {
    pub buffer: wgpu::Buffer,
    pub offset: u64,
}

impl Range {
    fn whole(buffer: wgpu::Buffer) -> Self {
        Self { buffer, offset: 0 }
    }

    fn binding(&self) -> wgpu::BindingResource<'_> {
        wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: &self.buffer, offset: self.offset, size: None })
    }
}

/// Buffers of all values.
pub(crate) struct Memory {
    plan: MemoryPlan,
    slots: Vec<wgpu::Buffer>,
    /// Buffers of graph inputs and constants, by value.
    fixed: Vec<Option<wgpu::Buffer>>,
    /// Stands for values that no node and no output uses.
    nothing: wgpu::Buffer,
}

impl Memory {
    pub fn new(graph: &Graph, gpu: &Gpu) -> Result<Self, GpuError> {
        let plan = MemoryPlan::new(graph);
        let slots = plan.sizes().iter().map(|&n| gpu.storage("values", n)).collect::<Result<_, _>>()?;
        let mut fixed = vec![None; graph.value_count()];
        let read = graph.nodes().iter().flat_map(|n| &n.inputs).copied();
        for value in read.chain(graph.outputs().iter().chain(graph.inputs()).map(|p| p.value)) {
            let value = plan.place(value).root;
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

    /// Where a value lies.
    pub fn range(&self, value: Value) -> Range {
        let place = self.plan.place(value);
        let buffer = match self.plan.slot(value) {
            Some(slot) => &self.slots[slot.0],
            None => self.fixed[place.root.index()].as_ref().unwrap_or(&self.nothing),
        };
        Range { buffer: buffer.clone(), offset: 4 * place.offset as u64 }
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

    fn upload(&self, gpu: &Gpu) -> wgpu::Buffer {
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("params"),
            size: 4 * self.words.len().max(4) as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        gpu.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&self.words));
        buffer
    }
}

/// Turns an operation's dispatches into commands.
struct Recorder<'a> {
    gpu: &'a Gpu,
    commands: Vec<Command>,
    /// Intermediates inside an operation; shared by all, since operations run one after the other.
    scratch: Vec<wgpu::Buffer>,
    /// Weights that are there, by where they lie here.
    uploaded: HashMap<*const u32, wgpu::Buffer>,
}

impl Recorder<'_> {
    fn record(
        &mut self,
        node: usize,
        dispatch: &Dispatch,
        inputs: &[Range],
        output: Range,
        (params, offset): (&wgpu::Buffer, u64),
    ) -> Result<(), GpuError> {
        let pipeline = self.gpu.pipeline(&PipelineKey::new(dispatch.shader, &dispatch.constants));
        let mut ranges = Vec::with_capacity(dispatch.bindings.len());
        for binding in &dispatch.bindings {
            ranges.push(match binding {
                Binding::Input(i) => inputs[*i].clone(),
                Binding::Output => output.clone(),
                Binding::Weights(values) => Range::whole(self.weights(values)?),
                Binding::ScratchIn(i) => Range::whole(self.scratch[*i].clone()),
                Binding::ScratchOut(i, elements) => Range::whole(self.scratch(*i, *elements)?),
            });
        }
        let size = std::num::NonZero::new(4 * dispatch.params.len().next_multiple_of(4) as u64);
        let uniform = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: params, offset, size });
        let mut entries = vec![wgpu::BindGroupEntry { binding: 0, resource: uniform }];
        for (i, range) in ranges.iter().enumerate() {
            entries.push(wgpu::BindGroupEntry { binding: i as u32 + 1, resource: range.binding() });
        }
        let bindings = self.gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(dispatch.shader.name),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        self.commands.push(Command { node, pipeline, bindings, workgroups: dispatch.workgroups });
        Ok(())
    }

    fn weights(&mut self, values: &Arc<[u32]>) -> Result<wgpu::Buffer, GpuError> {
        if let Some(buffer) = self.uploaded.get(&values.as_ptr()) {
            return Ok(buffer.clone());
        }
        let buffer = self.gpu.storage_with("weights", values)?;
        self.uploaded.insert(values.as_ptr(), buffer.clone());
        Ok(buffer)
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
