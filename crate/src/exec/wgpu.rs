//! The wgpu executor: everything is recorded once, a run writes the inputs, submits one compute pass and reads back only
//! the outputs that are asked for.

use std::{collections::HashSet, fmt, sync::Arc};

use super::{
    ExecError, Gpu,
    gpu::PipelineKey,
    record::{Command, Memory, Range, Recording},
};
use crate::graph::{Graph, Port, Shape, Tuning};

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
    range: Range,
}

impl GpuSession {
    /// Prepares a network with the usual tuning: plans its memory, uploads its weights (expanded to f32), compiles its
    /// pipelines.
    ///
    /// # Errors
    /// [`ExecError::Gpu`], in particular [`super::GpuError::TooLarge`].
    pub fn new(graph: &Graph, gpu: &Arc<Gpu>) -> Result<Self, ExecError> {
        Self::assemble(graph, gpu, Recording::new(graph, Tuning::default()))
    }

    /// Prepares a network as [`Self::new`] does, but waits for one pipeline after the other, so that a tab stays alive
    /// meanwhile and a shader that the driver does not take is an error here. `progress` is told how many pipelines are
    /// there and how many there will be.
    ///
    /// # Errors
    /// As [`Self::new`], and [`super::GpuError::Refused`] with the compiler's words.
    pub async fn prepare(
        graph: &Graph,
        gpu: &Arc<Gpu>,
        tuning: Tuning,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Self, ExecError> {
        let recording = Recording::new(graph, tuning);
        let pipelines: HashSet<_> =
            recording.dispatches.iter().map(|(_, d)| PipelineKey::new(d.shader, &d.constants)).collect();
        progress(0, pipelines.len());
        for (i, key) in pipelines.iter().enumerate() {
            gpu.compile(key).await?;
            progress(i + 1, pipelines.len());
        }
        Self::assemble(graph, gpu, recording)
    }

    fn assemble(graph: &Graph, gpu: &Arc<Gpu>, recording: Recording) -> Result<Self, ExecError> {
        let memory = Memory::new(graph, gpu)?;
        let commands = recording.commands(graph, &memory, gpu)?;
        let terminal = |port: &Port| Terminal {
            name: port.name.clone(),
            shape: graph.shape(port.value).clone(),
            range: memory.range(port.value),
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
        gpu.check()?;
        Ok(Self { gpu: gpu.clone(), commands, inputs, outputs, readback, offsets })
    }

    /// The GPU it was made with.
    pub fn gpu(&self) -> &Arc<Gpu> {
        &self.gpu
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
        let declared = self.inputs.iter().map(|input| (input.name.as_str(), &input.shape));
        ExecError::check_inputs(declared, inputs)?;
        for (input, data) in self.inputs.iter().zip(inputs) {
            self.gpu.queue.write_buffer(&input.range.buffer, input.range.offset, bytemuck::cast_slice(data));
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
            let Range { buffer, offset } = &output.range;
            encoder.copy_buffer_to_buffer(buffer, *offset, &self.readback, self.offsets[i], output.bytes());
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

    /// Seconds of every dispatch of one run by the GPU's own clock, with its node; `None` where the adapter has none. What
    /// a node reads is what earlier runs left.
    ///
    /// # Errors
    /// [`ExecError::Gpu`].
    pub async fn timestamps(&mut self) -> Result<Option<Vec<(usize, f64)>>, ExecError> {
        let Gpu { device, queue, .. } = &*self.gpu;
        let count = 2 * self.commands.len() as u32;
        if !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) || count > wgpu::QUERY_SET_MAX_QUERIES {
            return Ok(None);
        }
        let ty = wgpu::QueryType::Timestamp;
        let set = device.create_query_set(&wgpu::QuerySetDescriptor { label: Some("timestamps"), ty, count });
        let size = 8 * u64::from(count);
        let buffer = |usage| {
            let label = Some("timestamps");
            device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false })
        };
        let resolved = buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC);
        let readable = buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
        let mut encoder = device.create_command_encoder(&Default::default());
        for (i, command) in (0..).zip(&self.commands) {
            let timestamp_writes = Some(wgpu::ComputePassTimestampWrites {
                query_set: &set,
                beginning_of_pass_write_index: Some(2 * i),
                end_of_pass_write_index: Some(2 * i + 1),
            });
            let descriptor = wgpu::ComputePassDescriptor { label: Some("one"), timestamp_writes };
            command.encode(&mut encoder.begin_compute_pass(&descriptor));
        }
        encoder.resolve_query_set(&set, 0..count, &resolved, 0);
        encoder.copy_buffer_to_buffer(&resolved, 0, &readable, 0, size);
        queue.submit([encoder.finish()]);
        let ticks: Vec<u64> = self.gpu.read(&readable, bytemuck::pod_collect_to_vec).await?;
        let tick = f64::from(queue.get_timestamp_period()) * 1e-9;
        // Clocks of GPUs may jump back.
        let seconds = ticks.as_chunks::<2>().0.iter().map(|[from, to]| to.saturating_sub(*from) as f64 * tick);
        Ok(Some(self.commands.iter().map(|c| c.node).zip(seconds).collect()))
    }

    fn encode_nodes(&self, encoder: &mut wgpu::CommandEncoder, chosen: impl Fn(usize) -> bool, repeats: usize) {
        let mut pass =
            encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("network"), ..Default::default() });
        for _ in 0..repeats {
            for command in self.commands.iter().filter(|c| chosen(c.node)) {
                command.encode(&mut pass);
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
