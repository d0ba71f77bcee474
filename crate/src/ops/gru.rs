//! A gated recurrent unit over a sequence, its state going in and out.

use super::{
    Activation, Kind,
    activation::{sigmoid, tanh},
    cpu::Product,
    dispatch::{elementwise, flag, groups, shader, tables},
    product::{ImplicitProduct, PACKED_GROUP, packed_weights},
    window::Window,
};
use crate::graph::{
    Binding, Constant, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Q8_0_ELEMENTS, Shape, Tuning, Value,
};

/// A one-layer GRU in PyTorch's formulation (gates in the order reset, update, new):
///
/// `r = σ(Wr x + br + Ur h + cr)`, `z = σ(Wz x + bz + Uz h + cz)`, `n = tanh(Wn x + bn + r (Un h + cn))`,
/// `h' = (1 - z) n + z h`.
#[derive(Clone, Debug)]
pub struct Gru {
    /// `weight_ih`: `[3 hidden, in]`.
    pub input_weight: Constant,
    /// `weight_hh`: `[3 hidden, hidden]`.
    pub hidden_weight: Constant,
    /// `bias_ih`: `[3 hidden]`.
    pub input_bias: Constant,
    /// `bias_hh`: `[3 hidden]`.
    pub hidden_bias: Constant,
}

#[derive(Debug)]
struct GruOp(Gru);

impl GruOp {
    /// Channels in, hidden units.
    fn sizes(&self) -> Result<[usize; 2], GraphError> {
        let g = &self.0;
        let (&[rows, channels], &[hidden_rows, hidden]) =
            (g.input_weight.shape().dims(), g.hidden_weight.shape().dims())
        else {
            return Err(GraphError::op("gru", "its weights must be matrices"));
        };
        let gates = [rows, hidden_rows, g.input_bias.shape().elements(), g.hidden_bias.shape().elements()];
        if gates.iter().any(|&r| r != 3 * hidden) {
            let reason =
                format!("weights {} and {} do not belong together", g.input_weight.shape(), g.hidden_weight.shape());
            return Err(GraphError::op("gru", reason));
        }
        Ok([channels, hidden])
    }
}

impl Operation for GruOp {
    fn name(&self) -> &'static str {
        "gru"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Gru(&self.0)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let [channels, hidden] = self.sizes()?;
        match (inputs[0].dims(), inputs[1].dims()) {
            (&[time, c], &[h]) if c == channels && h == hidden => Ok([time, hidden].into()),
            _ => {
                let reason = format!("it needs [time, {channels}] and [{hidden}], not {} and {}", inputs[0], inputs[1]);
                Err(GraphError::op("gru", reason))
            }
        }
    }

    fn flops(&self, inputs: &[&Shape], _: &Shape) -> u64 {
        let weights = self.0.input_weight.shape().elements() + self.0.hidden_weight.shape().elements();
        2 * inputs[0].rows() as u64 * weights as u64
    }

    fn weight_bytes(&self) -> u64 {
        4 * (self.0.input_weight.shape().elements() + self.0.hidden_weight.shape().elements()) as u64
    }

    fn cpu(&self, inputs: &[&Shape], output: &Shape) -> Result<CpuKernel, GraphError> {
        let [channels, hidden, time] = [inputs[0].last(), output.last(), inputs[0].rows()];
        let (g, none) = (&self.0, Activation::None);
        let from_input = Product::new(Window::row(time), channels, &g.input_weight, Some(&g.input_bias), &none);
        let from_state = Product::new(Window::row(1), hidden, &g.hidden_weight, Some(&g.hidden_bias), &none);
        Ok(Box::new(move |x, y| steps(&from_input, &from_state, x[0], x[1], y)))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, tuning: Tuning) -> Vec<Dispatch> {
        let (hidden, steps) = (output.last(), inputs[0].rows());
        let product = ImplicitProduct {
            window: Window::row(steps),
            channels: inputs[0].last(),
            columns: 3 * hidden,
            weight: &self.0.input_weight,
            epilogue: tables(Some(&self.0.input_bias), &Activation::None, 3 * hidden),
            activation: Activation::None.code(),
        };
        let from_input = Binding::ScratchOut(0, steps * 3 * hidden);
        let product = product.dispatch(tuning.product, Binding::Input(0), None, from_input);
        let recurrent = self.packed_steps(hidden, steps).unwrap_or_else(|| self.steps(hidden, steps));
        std::iter::once(product).chain(recurrent).collect()
    }
}

impl GruOp {
    /// The recurrent part, a dispatch a step.
    fn steps(&self, hidden: usize, steps: usize) -> Vec<Dispatch> {
        let stored = self.0.hidden_weight.to_f32();
        let hidden4 = hidden.div_ceil(4);
        // [gate][to][from] to [from / 4][gate][to][from % 4]: neighbouring invocations are neighbouring units.
        let mut weight = vec![0.0; 12 * hidden * hidden4];
        for (to, row) in stored.chunks_exact(hidden).enumerate() {
            for (from, &value) in row.iter().enumerate() {
                weight[4 * (from / 4 * 3 * hidden + to) + from % 4] = value;
            }
        }
        let weights = [weight, self.0.hidden_bias.to_f32()].map(Binding::weights);
        let step = |step: usize| {
            let [weight, bias] = weights.clone();
            let bindings = vec![Binding::ScratchIn(0), Binding::Input(1), weight, bias, Binding::Output];
            elementwise(shader!("gru"), vec![], hidden, vec![step as u32, hidden4 as u32], bindings)
        };
        (0..steps).map(step).collect()
    }

    /// The same for weights that are stored in bytes.
    fn packed_steps(&self, hidden: usize, steps: usize) -> Option<Vec<Dispatch>> {
        let blocks = hidden / Q8_0_ELEMENTS;
        let [weight, scale] = packed_weights(&self.0.hidden_weight, [1, hidden], 3 * hidden)?;
        let weights = [weight, scale, Binding::weights(self.0.hidden_bias.to_f32())];
        let step = |step: usize| {
            let [weight, scale, bias] = weights.clone();
            let bindings = vec![Binding::ScratchIn(0), Binding::Input(1), weight, scale, bias, Binding::Output];
            Dispatch {
                shader: shader!("gru_packed"),
                constants: vec![("FIRST", flag(step == 0))],
                params: [hidden / 4, step, blocks].map(|n| n as u32).to_vec(),
                bindings,
                workgroups: groups((hidden / 4).div_ceil(PACKED_GROUP)),
            }
        };
        Some((0..steps).map(step).collect())
    }
}

/// All steps on the processor; `y` gets the state after each.
fn steps(from_input: &Product, from_state: &Product, x: &[f32], start: &[f32], y: &mut [f32]) {
    let hidden = start.len();
    // The input's part of all steps is one product; only the state's part has to wait for the step before.
    let mut inputs = vec![0.0; 3 * y.len()];
    from_input.run(x, None, &mut inputs);
    let mut states = vec![0.0; 3 * hidden];
    for (step, i) in inputs.chunks_exact(3 * hidden).enumerate() {
        let (before, rest) = y.split_at_mut(step * hidden);
        let h = if step == 0 { start } else { &before[(step - 1) * hidden..] };
        from_state.run(h, None, &mut states);
        // Slices of one length, so that the loop becomes vectors.
        let (i, states, h) = (&i[..3 * hidden], &states[..3 * hidden], &h[..hidden]);
        for (j, next) in rest[..hidden].iter_mut().enumerate() {
            let reset = sigmoid(i[j] + states[j]);
            let update = sigmoid(i[hidden + j] + states[hidden + j]);
            let new = tanh(i[2 * hidden + j] + reset * states[2 * hidden + j]);
            *next = new + update * (h[j] - new);
        }
    }
}

impl GraphBuilder {
    /// Runs a GRU over `x` (`[time, in]`) from `state` (`[hidden]`). The result is `[time, hidden]`, the state after every
    /// step; its last row is the state to go on with.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when weights, input and state do not fit.
    pub fn gru(&mut self, x: Value, state: Value, gru: Gru) -> Result<Value, GraphError> {
        self.apply(GruOp(gru), &[x, state])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{bytes, check, check_against_candle, f64s, graph, weights};

    fn one(time: usize, channels: usize, hidden: usize, matrix: fn(u64, &[usize]) -> Constant) {
        let gru = Gru {
            input_weight: matrix(1, &[3 * hidden, channels]),
            hidden_weight: matrix(2, &[3 * hidden, hidden]),
            input_bias: weights(3, &[3 * hidden]),
            hidden_bias: weights(4, &[3 * hidden]),
        };
        let g = graph(&[&[time, channels], &[hidden]], |b, x| b.gru(x[0], x[1], gru.clone()));
        let tables = [&gru.input_weight, &gru.hidden_weight, &gru.input_bias, &gru.hidden_bias];
        let [w, u, bi, bh] = tables.map(|t| f64s(Some(t), 0));
        check(&g, 1e-5, |x| {
            let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
            let dot =
                |m: &[f64], row: usize, v: &[f64]| v.iter().zip(&m[row * v.len()..]).map(|(a, b)| a * b).sum::<f64>();
            let mut h = x[1].clone();
            let mut y = Vec::new();
            for input in x[0].chunks(channels) {
                let part = |gate: usize, j: usize| {
                    let row = gate * hidden + j;
                    (dot(&w, row, input) + bi[row], dot(&u, row, &h) + bh[row])
                };
                let next: Vec<f64> = (0..hidden)
                    .map(|j| {
                        let gate = |g: usize| sigmoid(part(g, j).0 + part(g, j).1);
                        let (i, s) = part(2, j);
                        let (reset, update) = (gate(0), gate(1));
                        (1.0 - update) * (i + reset * s).tanh() + update * h[j]
                    })
                    .collect();
                h = next;
                y.extend(&h);
            }
            y
        });
    }

    #[test]
    fn agrees_with_float64() {
        one(1, 3, 5, weights);
        one(4, 7, 70, weights);
        one(2, 20, 300, weights);
    }

    /// The GPU has kernels of its own for weights in bytes, and does without them where a block would reach over a row.
    #[test]
    fn weights_in_bytes_agree_with_float64() {
        one(1, 32, 32, bytes);
        one(3, 64, 96, bytes);
        one(3, 20, 128, bytes);
        one(2, 32, 48, bytes);
    }

    #[test]
    fn agrees_with_candle() {
        let gru = Gru {
            input_weight: weights(1, &[21, 5]),
            hidden_weight: weights(2, &[21, 7]),
            input_bias: weights(3, &[21]),
            hidden_bias: weights(4, &[21]),
        };
        check_against_candle(&graph(&[&[4, 5], &[7]], |g, x| g.gru(x[0], x[1], gru)), 1e-5);
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let mut b = GraphBuilder::new();
        let (x, h) = (b.input("x", [4, 3]).unwrap(), b.input("h", [5]).unwrap());
        let gru = Gru {
            input_weight: weights(1, &[15, 3]),
            hidden_weight: weights(2, &[15, 5]),
            input_bias: weights(3, &[15]),
            hidden_bias: weights(4, &[12]),
        };
        assert!(b.gru(x, h, gru.clone()).is_err());
        assert!(b.gru(h, h, Gru { hidden_bias: weights(4, &[15]), ..gru }).is_err());
    }
}
