//! Memory of a network on the processor: made once, and used again by one value after the other. A new piece for each result
//! would be asked of the system, cleared and out of the cache each time, which takes as long as a small kernel.

use candle_core::{CpuStorage, Device, InplaceOp1, Layout, Storage, Tensor};

use crate::graph::{CandleKernel, Graph, Node, NumberKernel, Slot, Slots};

/// How long each value is needed.
pub(super) struct Lifetimes {
    /// The last step that reads a value itself; none where that is the caller.
    read: Vec<Option<usize>>,
    /// The last step that reads its memory, under whatever name.
    held: Vec<usize>,
}

impl Lifetimes {
    pub fn new(graph: &Graph, kernels: &[CandleKernel]) -> Self {
        let mut read = vec![None; graph.value_count()];
        for (i, node) in graph.nodes().iter().enumerate() {
            for value in node.inputs.iter().chain([&node.output]) {
                read[value.index()] = Some(i);
            }
        }
        let mut held: Vec<usize> = read.iter().map(|last| last.unwrap_or(0)).collect();
        for port in graph.outputs() {
            (read[port.value.index()], held[port.value.index()]) = (None, usize::MAX);
        }
        for (node, kernel) in graph.nodes().iter().zip(kernels).rev() {
            // candle may give an input back under another shape: whoever reads that reads the input's memory.
            if let CandleKernel::Tensors(_) = kernel {
                for value in &node.inputs {
                    held[value.index()] = held[value.index()].max(held[node.output.index()]);
                }
            }
        }
        Self { read, held }
    }

    /// The last step that reads a value.
    pub fn read_until(&self, value: usize) -> Option<usize> {
        self.read[value]
    }

    /// What each step writes to; none for those that make tensors themselves.
    pub fn buffers(&self, graph: &Graph, kernels: &[CandleKernel]) -> candle_core::Result<Vec<Option<Tensor>>> {
        let mut slots = Slots::default();
        let mut taken = Vec::with_capacity(kernels.len());
        for (i, (node, kernel)) in graph.nodes().iter().zip(kernels).enumerate() {
            let elements = graph.shape(node.output).elements();
            let numbers = matches!(kernel, CandleKernel::Numbers(_));
            taken.push(numbers.then(|| slots.take(i, elements, self.held[node.output.index()])));
        }
        let zeros = |&n: &usize| Tensor::from_vec(vec![0.0f32; n], n, &Device::Cpu);
        let memory = slots.sizes.iter().map(zeros).collect::<candle_core::Result<Vec<_>>>()?;
        let view = |(node, slot): (&Node, Option<Slot>)| {
            let Some(slot) = slot else { return Ok(None) };
            let shape = graph.shape(node.output);
            memory[slot.0].narrow(0, 0, shape.elements())?.reshape(shape.dims()).map(Some)
        };
        graph.nodes().iter().zip(taken).map(view).collect()
    }
}

/// A kernel at work: candle lets its storage be changed from inside of an operation only.
struct Write<'a> {
    inputs: &'a [&'a [f32]],
    kernel: &'a NumberKernel,
}

impl InplaceOp1 for Write<'_> {
    fn name(&self) -> &'static str {
        "kernel"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let (CpuStorage::F32(all), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
            candle_core::bail!("a processor kernel writes to dense f32 tensors");
        };
        let y = &mut all[start..end];
        // What a kernel leaves out shows in the tests.
        #[cfg(test)]
        y.fill(f32::NAN);
        (self.kernel)(self.inputs, y);
        Ok(())
    }
}

/// Runs a kernel of our own on tensors of the processor, and overwrites `y` with what it makes of them. `y` must not share
/// memory with them.
pub(crate) fn write(y: &Tensor, inputs: &[&Tensor], kernel: &NumberKernel) -> candle_core::Result<()> {
    let dense = inputs.iter().map(|x| x.contiguous()).collect::<candle_core::Result<Vec<_>>>()?;
    let storages: Vec<_> = dense.iter().map(Tensor::storage_and_layout).collect();
    let mut slices = Vec::with_capacity(inputs.len());
    for (storage, layout) in &storages {
        let (Storage::Cpu(CpuStorage::F32(all)), Some((start, end))) = (&**storage, layout.contiguous_offsets()) else {
            candle_core::bail!("a processor kernel reads dense f32 tensors");
        };
        slices.push(&all[start..end]);
    }
    y.inplace_op1(&Write { inputs: &slices, kernel })
}
