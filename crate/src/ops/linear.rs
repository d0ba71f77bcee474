//! A matrix applied to the last axis.

use super::{
    Activation, Kind,
    cpu::Product,
    dispatch::{check_epilogue, tables},
    product::ImplicitProduct,
    window::Window,
};
use crate::graph::{Binding, Constant, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

/// `activation(x · weightᵀ + bias)` over the last axis; all other axes stay.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[out, in]`, PyTorch's order.
    pub weight: Constant,
    /// One number for each output channel.
    pub bias: Option<Constant>,
    /// Applied to the result.
    pub activation: Activation,
}

impl Linear {
    /// No bias, no activation.
    pub fn new(weight: Constant) -> Self {
        Self { weight, bias: None, activation: Activation::None }
    }
}

#[derive(Clone, Debug)]
struct LinearOp(Linear);

impl Operation for LinearOp {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Linear(&self.0)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let &[out, channels] = self.0.weight.shape().dims() else {
            return Err(GraphError::op("linear", format!("weights must be [out, in], not {}", self.0.weight.shape())));
        };
        if inputs[0].rank() == 0 || inputs[0].last() != channels {
            return Err(GraphError::op(
                "linear",
                format!("{} weights for an input of {}", self.0.weight.shape(), inputs[0]),
            ));
        }
        check_epilogue("linear", self.0.bias.as_ref(), &self.0.activation, out)?;
        let mut dims = inputs[0].dims().to_vec();
        dims[inputs[0].rank() - 1] = out;
        Ok(dims.into())
    }

    fn flops(&self, inputs: &[&Shape], _: &Shape) -> u64 {
        2 * inputs[0].rows() as u64 * self.0.weight.shape().elements() as u64
    }

    fn weight_bytes(&self) -> u64 {
        4 * self.0.weight.shape().elements() as u64
    }

    fn absorb(&self, next: &dyn Operation) -> Option<Box<dyn Operation>> {
        let activation = next.as_activation()?.clone();
        let merged = || Box::new(Self(Linear { activation, ..self.0.clone() })) as Box<dyn Operation>;
        self.0.activation.is_none().then(merged)
    }

    fn cpu(&self, inputs: &[&Shape], _: &Shape) -> Result<CpuKernel, GraphError> {
        let (l, window) = (&self.0, Window::row(inputs[0].rows()));
        let product = Product::new(window, inputs[0].last(), &l.weight, l.bias.as_ref(), &l.activation);
        Ok(Box::new(move |x, y| product.run(x[0], None, y)))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, tuning: Tuning) -> Vec<Dispatch> {
        let product = ImplicitProduct {
            window: Window::row(inputs[0].rows()),
            channels: inputs[0].last(),
            columns: output.last(),
            weight: &self.0.weight,
            epilogue: tables(self.0.bias.as_ref(), &self.0.activation, output.last()),
            activation: self.0.activation.code(),
        };
        vec![product.dispatch(tuning.product, Binding::Input(0), None, Binding::Output)]
    }
}

impl GraphBuilder {
    /// Applies a matrix to the last axis.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when weights, bias or slopes do not fit the input.
    pub fn linear(&mut self, x: Value, linear: Linear) -> Result<Value, GraphError> {
        self.apply(LinearOp(linear), &[x])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::DType;
    use crate::ops::testing::{bytes, check, check_against_candle, f64s, graph, weights};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

        #[test]
        fn agrees_with_float64(rows in [1usize..5, 1..9], channels in 1usize..70, out in 1usize..70, bent in any::<bool>()) {
            one(weights(1, &[out, channels]), rows, bent);
        }

        /// Up to four rows, the GPU reads bytes as they are.
        #[test]
        fn weights_in_bytes_agree_with_float64(rows in [1usize..3, 1..4], blocks in 1usize..4, out in 1usize..70, bent in any::<bool>()) {
            one(bytes(1, &[out, 32 * blocks]), rows, bent);
        }
    }

    fn one(weight: Constant, rows: [usize; 2], bent: bool) {
        let &[out, channels] = weight.shape().dims() else { panic!("{weight:?} is no matrix") };
        let bias = weights(2, &[out]);
        let activation = if bent { Activation::LeakyRelu(0.1) } else { Activation::None };
        let linear = Linear { weight: weight.clone(), bias: Some(bias.clone()), activation };
        let g = graph(&[&[rows[0], rows[1], channels]], |b, x| b.linear(x[0], linear));
        let (w, bias) = (f64s(Some(&weight), 0), f64s(Some(&bias), 0));
        check(&g, 1e-5, |x| {
            let row = |r: &[f64], o: usize| r.iter().zip(&w[o * channels..]).map(|(a, b)| a * b).sum::<f64>() + bias[o];
            let all = x[0].chunks(channels).flat_map(|r| (0..out).map(|o| row(r, o)).collect::<Vec<_>>());
            all.map(|v| if bent && v < 0.0 { v * f64::from(0.1f32) } else { v }).collect()
        });
    }

    /// A pack may hold what no encoder makes.
    #[test]
    fn the_smallest_byte_is_a_number_like_others() {
        let mut block = half::f16::from_f32(0.01).to_le_bytes().to_vec();
        block.extend((0..32).map(|i| if i % 3 == 0 { 0x80 } else { i }));
        let weight = Constant::stored([1, 32], DType::Q8_0, block.into(), 0..34).unwrap();
        assert_eq!(weight.to_f32()[0], -128.0 * half::f16::from_f32(0.01).to_f32());
        one(weight, [1, 1], false);
    }

    #[test]
    fn agrees_with_candle() {
        let (bias, activation) = (Some(weights(2, &[9])), Activation::Gelu);
        let linear = Linear { weight: weights(1, &[9, 5]), bias, activation };
        check_against_candle(&graph(&[&[3, 2, 5]], |g, x| g.linear(x[0], linear)), 1e-5);
    }
}
