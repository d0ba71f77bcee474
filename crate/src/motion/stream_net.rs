//! Networks over time that run block by block: what a layer must remember of earlier blocks goes out of one run and
//! into the next, so that shapes stay static.

use crate::exec::{Device, Session};
use crate::graph::{Graph, GraphBuilder, Value};
use crate::ops::{Activation, Conv1d, Gru, Linear, Normalise, NormaliseOver};
use crate::pack::Pack;

use super::error::MotionError;

/// Builds a streaming network with weights named `prefix.layer.*`.
pub(super) struct StreamBuilder<'a> {
    pack: &'a Pack,
    prefix: &'static str,
    graph: GraphBuilder,
    /// Next state of each layer that has one, and how many numbers that is.
    states: Vec<(Value, usize)>,
}

impl<'a> StreamBuilder<'a> {
    /// Starts with one input, `[time, channels]`.
    pub fn new(
        pack: &'a Pack,
        prefix: &'static str,
        time: usize,
        channels: usize,
    ) -> Result<(Self, Value), MotionError> {
        let mut graph = GraphBuilder::new();
        let input = graph.input("input", [time, channels])?;
        Ok((Self { pack, prefix, graph, states: Vec::new() }, input))
    }

    fn weight(&self, layer: &str, part: &str) -> Result<crate::graph::Constant, MotionError> {
        Ok(self.pack.constant(&format!("{}.{layer}.{part}", self.prefix))?)
    }

    /// Causal convolution with SiLU; zeros before the start of the sound.
    pub fn conv(&mut self, x: Value, layer: &str, kernel: usize, stride: usize) -> Result<Value, MotionError> {
        let weight = self.weight(layer, "weight")?;
        let found = weight.shape().dims().get(1).copied();
        if found != Some(kernel) || !(1..=kernel).contains(&stride) {
            return Err(MotionError::Config(format!(
                "{layer} has a kernel of {found:?}, not {kernel}, or a wrong stride"
            )));
        }
        let (before, dims) = (kernel - stride, self.graph.shape(x).dims().to_vec());
        let &[time, channels] = &dims[..] else { return Err(MotionError::Config(format!("{layer} is not in time"))) };
        let mut window = x;
        if before > 0 {
            let past = self.graph.input(format!("{layer}.state"), [before, channels])?;
            window = self.graph.concat(&[past, x], 0)?;
            let next = self.graph.slice_axis(window, 0, time..time + before)?;
            self.states.push((next, before * channels));
        }
        let bias = Some(self.weight(layer, "bias")?);
        let conv = Conv1d { bias, stride, activation: Activation::Silu, ..Conv1d::new(weight) };
        Ok(self.graph.conv1d(window, conv)?)
    }

    /// Gated recurrent unit.
    pub fn gru(&mut self, x: Value, layer: &str, hidden: usize) -> Result<Value, MotionError> {
        let gru = Gru {
            input_weight: self.weight(layer, "weight_ih")?,
            hidden_weight: self.weight(layer, "weight_hh")?,
            input_bias: self.weight(layer, "bias_ih")?,
            hidden_bias: self.weight(layer, "bias_hh")?,
        };
        let state = self.graph.input(format!("{layer}.state"), [hidden])?;
        let all = self.graph.gru(x, state, gru)?;
        let time = self.graph.shape(all).dims()[0];
        let next = self.graph.slice_axis(all, 0, time - 1..time)?;
        self.states.push((next, hidden));
        Ok(all)
    }

    /// Layer normalisation.
    pub fn norm(&mut self, x: Value, layer: &str, epsilon: f32) -> Result<Value, MotionError> {
        let (scale, shift) = (Some(self.weight(layer, "weight")?), Some(self.weight(layer, "bias")?));
        Ok(self.graph.normalise(x, Normalise { over: NormaliseOver::Channels, scale, shift, epsilon })?)
    }

    /// A matrix and a bias for each moment.
    pub fn linear(&mut self, x: Value, layer: &str, activation: Activation) -> Result<Value, MotionError> {
        let (weight, bias) = (self.weight(layer, "weight")?, Some(self.weight(layer, "bias")?));
        Ok(self.graph.linear(x, Linear { bias, activation, ..Linear::new(weight) })?)
    }

    /// Sum of two values.
    pub fn add(&mut self, a: Value, b: Value) -> Result<Value, MotionError> {
        Ok(self.graph.add(a, b)?)
    }

    /// The network with these results, in this order and with so many numbers each.
    pub fn finish(mut self, outputs: &[(&str, Value, usize)]) -> Result<StreamGraph, MotionError> {
        for &(name, value, size) in outputs {
            let shape = self.graph.shape(value);
            if shape.elements() != size {
                return Err(MotionError::Config(format!("{}.{name} gives {shape}, not {size} numbers", self.prefix)));
            }
            self.graph.output(name, value)?;
        }
        let mut states = Vec::with_capacity(self.states.len());
        for (i, (next, size)) in self.states.into_iter().enumerate() {
            self.graph.output(format!("state{i}"), next)?;
            states.push(size);
        }
        Ok(StreamGraph { graph: self.graph.build()?, states })
    }
}

/// A streaming network as a description: its first input is the block, the others are states, and so are its last
/// results.
#[derive(Debug)]
pub(super) struct StreamGraph {
    /// The network.
    pub graph: Graph,
    /// Numbers of each state.
    states: Vec<usize>,
}

/// A network that remembers.
#[derive(Debug)]
pub(super) struct StreamNet {
    session: Session,
    state: Vec<Vec<f32>>,
    flops: u64,
}

impl StreamNet {
    /// Prepares a network for a device; it begins at the start of a sound.
    pub fn on(network: &StreamGraph, device: &Device) -> Result<Self, MotionError> {
        let state = network.states.iter().map(|&size| vec![0.0; size]).collect();
        Ok(Self { session: Session::on(&network.graph, device)?, state, flops: network.graph.cost().flops })
    }

    /// Arithmetic of a run; a multiply-add counts as two.
    pub fn flops(&self) -> u64 {
        self.flops
    }

    /// Runs one block and keeps the state for the next. Returns the outputs.
    pub fn run(&mut self, input: &[f32]) -> Result<Vec<Vec<f32>>, MotionError> {
        let mut inputs: Vec<&[f32]> = Vec::with_capacity(1 + self.state.len());
        inputs.push(input);
        inputs.extend(self.state.iter().map(Vec::as_slice));
        let mut results = self.session.run(&inputs)?;
        self.state = results.split_off(results.len() - self.state.len());
        Ok(results)
    }

    /// Back to the start of a sound.
    pub fn reset(&mut self) {
        self.state.iter_mut().for_each(|s| s.fill(0.0));
    }
}
