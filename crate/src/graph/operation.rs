use std::{fmt, sync::Arc};

use super::{GraphError, Shape, Tuning};
use crate::ops::{Activation, Kind};

/// A prepared operation on the processor: weights are packed, only the values come with each call. Inputs are dense; the
/// output holds anything before and is overwritten whole.
pub type CpuKernel = Box<dyn Fn(&[&[f32]], &mut [f32]) + Send + Sync>;

/// How the result of an operation can lie in memory beside its inputs. [`super::MemoryPlan`] makes use of it where it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alias {
    /// It is computed.
    None,
    /// It is the first input's memory, from this element on.
    Part(usize),
    /// It is the memory of its inputs, one after the other.
    Joined,
}

/// What an operation is to the rest of the program. One implementation is one file in [`crate::ops`].
///
/// Weights belong to the operation itself; `inputs` are the values other operations make.
pub trait Operation: fmt::Debug + Send + Sync {
    /// Short name, as in the WGSL file's.
    fn name(&self) -> &'static str;

    /// What it computes, for those who translate networks.
    fn kind(&self) -> Kind<'_>;

    /// The shape rule.
    ///
    /// # Errors
    /// [`GraphError::Operation`] with a reason when the inputs do not fit.
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError>;

    /// Floating point operations of one run; a multiply-add counts as two.
    fn flops(&self, inputs: &[&Shape], output: &Shape) -> u64;

    /// Bytes of weights read in one run, as f32.
    fn weight_bytes(&self) -> u64 {
        0
    }

    /// How its result can be there without being computed.
    fn alias(&self, _inputs: &[&Shape], _output: &Shape) -> Alias {
        Alias::None
    }

    /// The same operation with `next`, the only user of its result, folded into it; `None` when that is not possible.
    /// Lets a convolution take over the activation that follows.
    fn absorb(&self, _next: &dyn Operation) -> Option<Box<dyn Operation>> {
        None
    }

    /// The same operation with one more input of its result's shape, which is added before the activation; `None` when
    /// that is not possible. Lets a convolution take over the sum that closes a residual block.
    fn absorb_addend(&self) -> Option<Box<dyn Operation>> {
        None
    }

    /// The activation this operation is, if it is nothing else.
    fn as_activation(&self) -> Option<&Activation> {
        match self.kind() {
            Kind::Activation(activation) => Some(activation),
            _ => None,
        }
    }

    /// Prepares the processor's version. Played by [`crate::exec::cpu`].
    ///
    /// # Errors
    /// As [`Self::shape`].
    fn cpu(&self, inputs: &[&Shape], output: &Shape) -> Result<CpuKernel, GraphError>;

    /// Records the GPU version: what to run, on what, how often, laid out as suits the adapter. Played by
    /// [`crate::exec::wgpu`].
    fn gpu(&self, inputs: &[&Shape], output: &Shape, tuning: Tuning) -> Vec<Dispatch>;
}

/// A WGSL file. `prelude.wgsl` is put in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shader {
    /// Name of the file, without folder and ending.
    pub name: &'static str,
    /// Its text.
    pub source: &'static str,
}

/// One GPU command: a pipeline, what it is bound to and its size.
///
/// Binding 0 of group 0 is a uniform with [`Self::params`]; the storage buffers of [`Self::bindings`] follow in order.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The program.
    pub shader: Shader,
    /// Pipeline-override constants: what changes the machine code (tile sizes, activation). Each set of values is
    /// compiled once and shared between all operations that ask for it.
    pub constants: Vec<(&'static str, f64)>,
    /// Numbers that only change loops and addresses (lengths, strides); floats as bits.
    pub params: Vec<u32>,
    /// Storage buffers. All are read only but [`Binding::Output`] and [`Binding::ScratchOut`].
    pub bindings: Vec<Binding>,
    /// Workgroups along x, y, z.
    pub workgroups: [u32; 3],
}

/// A storage buffer of a [`Dispatch`].
#[derive(Clone, Debug)]
pub enum Binding {
    /// The operation's input of this index.
    Input(usize),
    /// The operation's output.
    Output,
    /// Weights in the layout the shader wants, floats as bits; uploaded once, also where several dispatches share them.
    Weights(Arc<[u32]>),
    /// Read an intermediate an earlier dispatch of the same operation wrote.
    ScratchIn(usize),
    /// Write an intermediate: its index and its length in elements.
    ScratchOut(usize, usize),
}

impl Binding {
    /// Weights in the layout the shader wants.
    pub fn weights(values: Vec<f32>) -> Self {
        Self::Weights(values.into_iter().map(f32::to_bits).collect())
    }

    /// Weights of which a word holds several.
    pub fn packed(words: Vec<u32>) -> Self {
        Self::Weights(words.into())
    }
}
