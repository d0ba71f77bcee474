//! Functions of one number: activations, and the few others networks need.

use super::{
    Kind, cpu,
    dispatch::{elementwise, shader},
};
use crate::graph::{Binding, Constant, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

/// Elements that one thread takes at a time.
const PIECE: usize = 8192;
/// Multiply-adds a kernel does in the time a function of an element takes.
const WORTH: usize = 16;

/// A function applied to every element. Convolutions and matrix products take one over for free.
#[derive(Clone, Debug, Default)]
pub enum Activation {
    /// `x`.
    #[default]
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x` where positive, else `x` times this slope.
    LeakyRelu(f32),
    /// `x` where positive, else `x` times a slope that belongs to the channel; one slope for each.
    Prelu(Constant),
    /// `x Φ(x)` with the normal distribution's Φ (the exact form, not the tanh one).
    Gelu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x` times its sigmoid.
    Silu,
    /// `x min(max(x + 3, 0), 6) / 6` (Howard et al., *Searching for MobileNetV3*, 2019).
    HardSwish,
    /// Hyperbolic tangent.
    Tanh,
    /// Exponential function.
    Exp,
    /// Square root.
    Sqrt,
    /// One over the square root.
    Rsqrt,
    /// `x²`.
    Square,
    /// `-x`.
    Negate,
    /// `|x|`.
    Abs,
}

impl Activation {
    /// Its value at `x`. PReLU's slopes belong to channels and are not known here: it is the kernels' own.
    #[inline]
    pub(crate) fn at(&self, x: f32) -> f32 {
        match *self {
            Self::None | Self::Prelu(_) => x,
            Self::Relu => x.max(0.0),
            Self::Relu6 => x.clamp(0.0, 6.0),
            Self::LeakyRelu(slope) => x.max(0.0) + slope * x.min(0.0),
            Self::Gelu => 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2)),
            Self::Sigmoid => sigmoid(x),
            Self::Silu => x * sigmoid(x),
            Self::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Self::Tanh => x.tanh(),
            Self::Exp => x.exp(),
            Self::Sqrt => x.sqrt(),
            Self::Rsqrt => 1.0 / x.sqrt(),
            Self::Square => x * x,
            Self::Negate => -x,
            Self::Abs => x.abs(),
        }
    }

    /// Replaces every number by the function's value. What each does is chosen outside of the loop, which then works on
    /// several numbers at once.
    pub(crate) fn apply(&self, y: &mut [f32]) {
        cpu::wide(|| self.loops(y));
    }

    #[inline(always)]
    fn loops(&self, y: &mut [f32]) {
        #[inline(always)]
        fn map(y: &mut [f32], f: impl Fn(f32) -> f32) {
            y.iter_mut().for_each(|v| *v = f(*v));
        }
        match self {
            Self::Sigmoid => map(y, sigmoid),
            Self::Silu => map(y, |x| x * sigmoid(x)),
            Self::HardSwish => map(y, |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
            Self::Relu => map(y, |x| x.max(0.0)),
            other => map(y, |x| other.at(x)),
        }
    }

    /// Like [`Self::apply`], shared among threads and with PReLU: `slopes` are those of every channel.
    pub(crate) fn apply_channels(&self, y: &mut [f32], slopes: &[f32]) {
        let (piece, work) = ((PIECE / slopes.len()).max(1) * slopes.len(), WORTH * y.len());
        match self {
            Self::None => {}
            Self::Prelu(_) => cpu::for_pieces(y, piece, work, |_, y| {
                for y in y.chunks_exact_mut(slopes.len()) {
                    y.iter_mut().zip(slopes).for_each(|(y, slope)| *y = y.max(0.0) + slope * y.min(0.0));
                }
            }),
            _ => cpu::for_pieces(y, piece, work, |_, y| self.apply(y)),
        }
    }

    /// True for the identity.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Refuses slopes that are not one for each of `channels`.
    pub(crate) fn check(&self, op: &'static str, channels: usize) -> Result<(), GraphError> {
        match self {
            Self::Prelu(slopes) if slopes.shape().elements() != channels => {
                Err(GraphError::op(op, format!("{} slopes for {channels} channels", slopes.shape().elements())))
            }
            _ => Ok(()),
        }
    }

    /// Slope for negative numbers of each channel: what makes ReLU, leaky ReLU, PReLU and the identity one formula,
    /// `max(x, 0) + slope min(x, 0)`.
    pub(crate) fn slope_table(&self, channels: usize) -> Vec<f32> {
        match self {
            Self::Prelu(slopes) => slopes.to_f32(),
            Self::LeakyRelu(slope) => vec![*slope; channels],
            Self::Relu | Self::Relu6 => vec![0.0; channels],
            _ => vec![1.0; channels],
        }
    }

    /// The number of the function in `prelude.wgsl`.
    pub(crate) fn code(&self) -> f64 {
        f64::from(match self {
            Self::None => 0u8,
            Self::Relu => 1,
            Self::Relu6 => 2,
            Self::LeakyRelu(_) | Self::Prelu(_) => 3,
            Self::Gelu => 4,
            Self::Sigmoid => 5,
            Self::Silu => 6,
            Self::Tanh => 7,
            Self::Exp => 8,
            Self::Sqrt => 9,
            Self::Rsqrt => 10,
            Self::Square => 11,
            Self::Negate => 12,
            Self::Abs => 13,
            Self::HardSwish => 14,
        })
    }
}

/// The exponential function to 2e-7 of its value, without branches, so that loops over it become vectors: a power of two
/// times a polynomial (after Moshier's Cephes library). Beyond ±87 it stays where it is.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 87.0);
    // Adding this number leaves the nearest whole one in the lowest bits.
    let shifted = x * std::f32::consts::LOG2_E + MAGIC;
    let whole = shifted - MAGIC;
    // ln 2 in two parts, the first with few bits.
    let r = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let p = 0.166_666_65 + r * (0.041_665_796 + r * (0.008_333_452 + r * (0.001_398_2 + r * 1.987_569_1e-4)));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    (1.0 + r + r * r * (0.5 + r * p)) * power
}

/// `1 / (1 + exp(-x))`.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Hyperbolic tangent, to 2e-7.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

/// The error function to 1.5e-7 (Abramowitz and Stegun, 7.1.26): as good as f32 needs, and the shader's twin.
fn erf(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let p = t * (0.254_829_6 + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152_1 + t * 1.061_405_4))));
    (1.0 - p * (-x * x).exp()).copysign(x)
}

#[derive(Debug)]
struct ActivationOp(Activation);

impl Operation for ActivationOp {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Activation(&self.0)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        self.0.check(self.name(), inputs[0].last())?;
        Ok(inputs[0].clone())
    }

    fn flops(&self, _: &[&Shape], output: &Shape) -> u64 {
        output.elements() as u64
    }

    fn cpu(&self, _: &[&Shape], output: &Shape) -> Result<CpuKernel, GraphError> {
        let (activation, slopes) = (self.0.clone(), self.0.slope_table(output.last()));
        Ok(Box::new(move |x, y| {
            y.copy_from_slice(x[0]);
            activation.apply_channels(y, &slopes);
        }))
    }

    fn gpu(&self, _: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        let channels = output.last();
        let slopes = Binding::weights(self.0.slope_table(channels));
        let (constants, params) = (vec![("ACTIVATION", self.0.code())], vec![channels as u32]);
        let bindings = vec![Binding::Input(0), slopes, Binding::Output];
        vec![elementwise(shader!("activation"), constants, output.elements(), params, bindings)]
    }
}

impl GraphBuilder {
    /// Applies a function to every element. Right after a convolution or a matrix product it costs nothing: it is folded
    /// into it.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when there is not one PReLU slope for each channel (the last axis).
    pub fn activation(&mut self, x: Value, activation: Activation) -> Result<Value, GraphError> {
        self.apply(ActivationOp(activation), &[x])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check, graph, weights};

    #[test]
    fn the_exponential_function_is_exact_enough() {
        for i in -8_700..=8_700 {
            let x = i as f32 / 100.0;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2.5e-7, "{x}");
            assert!((f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 2.5e-7, "{x}");
        }
        assert!(exp(f32::NAN).is_nan());
        assert_eq!((sigmoid(f32::NEG_INFINITY), sigmoid(f32::INFINITY)), (sigmoid(-87.0), 1.0));
    }

    /// The error function by its series; exact enough for |x| < 2.
    fn erf64(x: f64) -> f64 {
        let mut term = x;
        let mut sum = x;
        for n in 1..40 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    fn one(activation: Activation, f: impl Fn(f64) -> f64) {
        // Roots need positive numbers.
        let positive = matches!(activation, Activation::Sqrt | Activation::Rsqrt);
        let g = graph(&[&[5, 7, 3]], |b, x| {
            let x = if positive { b.activation(x[0], Activation::Exp)? } else { x[0] };
            let three = b.constant(Constant::f32([1], vec![3.0])?)?;
            let x = b.mul(x, three)?;
            b.activation(x, activation)
        });
        check(&g, 2e-6, |x| x[0].iter().map(|&v| f(3.0 * if positive { v.exp() } else { v })).collect());
    }

    #[test]
    fn functions_agree_with_float64() {
        one(Activation::None, |x| x);
        one(Activation::Relu, |x| x.max(0.0));
        one(Activation::Relu6, |x| x.clamp(0.0, 6.0));
        one(Activation::LeakyRelu(0.2), |x| if x > 0.0 { x } else { f64::from(0.2f32) * x });
        one(Activation::Gelu, |x| 0.5 * x * (1.0 + erf64(x / std::f64::consts::SQRT_2)));
        one(Activation::Sigmoid, |x| 1.0 / (1.0 + (-x).exp()));
        one(Activation::Silu, |x| x / (1.0 + (-x).exp()));
        one(Activation::HardSwish, |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0);
        one(Activation::Tanh, f64::tanh);
        one(Activation::Exp, f64::exp);
        one(Activation::Sqrt, f64::sqrt);
        one(Activation::Rsqrt, |x| 1.0 / x.sqrt());
        one(Activation::Square, |x| x * x);
        one(Activation::Negate, |x| -x);
        one(Activation::Abs, f64::abs);
    }

    #[test]
    fn prelu_has_a_slope_for_each_channel() {
        let slopes = weights(1, &[3]);
        let g = graph(&[&[4, 5, 3]], |b, x| b.activation(x[0], Activation::Prelu(slopes.clone())));
        let s = slopes.to_f32();
        check(&g, 1e-6, |x| {
            x[0].iter().enumerate().map(|(i, &v)| if v > 0.0 { v } else { v * f64::from(s[i % 3]) }).collect()
        });
        let mut b = GraphBuilder::new();
        let x = b.input("x", [4, 4]).unwrap();
        assert!(b.activation(x, Activation::Prelu(slopes)).is_err());
    }
}
