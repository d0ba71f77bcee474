//! Layer and instance normalisation: mean 0 and variance 1 over a part of the value, then a scale and a shift.

use super::dispatch::{groups, shader};
use super::{Kind, cpu, reduce::mean_of_rows};
use crate::graph::{Binding, Constant, CpuKernel, Dispatch, GraphBuilder, GraphError, Operation, Shape, Tuning, Value};

/// Over which elements mean and variance are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormaliseOver {
    /// The last axis: layer normalisation.
    Channels,
    /// All axes between the first and the last, for each batch entry and channel: instance normalisation.
    Pixels,
}

/// `(x - mean) / sqrt(variance + epsilon) * scale + shift` with the biased variance.
#[derive(Clone, Debug)]
pub struct Normalise {
    /// Over which elements.
    pub over: NormaliseOver,
    /// One factor for each channel.
    pub scale: Option<Constant>,
    /// One addend for each channel.
    pub shift: Option<Constant>,
    /// Added to the variance.
    pub epsilon: f32,
}

#[derive(Debug)]
struct NormaliseOp(Normalise);

/// Layer normalisation of one row.
fn row([scale, shift]: &[Vec<f32>; 2], epsilon: f32, x: &[f32], y: &mut [f32]) {
    let count = x.len() as f32;
    let mean = sum(x, |v| v) / count;
    // Two passes: the difference of squares' mean and mean's square would lose what the variance is made of.
    let factor = 1.0 / (sum(x, |v| (v - mean) * (v - mean)) / count + epsilon).sqrt();
    for ((y, x), (scale, shift)) in y.iter_mut().zip(x).zip(scale.iter().zip(shift)) {
        *y = (x - mean) * factor * scale + shift;
    }
}

/// The sum of a function of all numbers, eight sums at once: a single one would wait for itself after every addition.
fn sum(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (parts, rest) = x.as_chunks::<8>();
    let mut sums = [0.0; 8];
    parts.iter().for_each(|part| sums.iter_mut().zip(part).for_each(|(sum, v)| *sum += f(*v)));
    sums.iter().sum::<f32>() + rest.iter().map(|v| f(*v)).sum::<f32>()
}

/// Instance normalisation of one picture.
fn picture_of([scale, shift]: &[Vec<f32>; 2], epsilon: f32, x: &[f32], y: &mut [f32]) {
    let channels = scale.len();
    let share = channels as f32 / x.len() as f32;
    let (mut means, mut factors) = (vec![0.0; channels], vec![0.0; channels]);
    mean_of_rows(x, &vec![0.0; channels], &mut means, share, |v| v);
    mean_of_rows(x, &means, &mut factors, share, |v| v * v);
    factors.iter_mut().zip(scale).for_each(|(f, scale)| *f = scale / (*f + epsilon).sqrt());
    cpu::for_pieces(y, channels * 64, 8 * x.len(), |i, y| {
        let x = &x[i * channels * 64..][..y.len()];
        cpu::wide(|| {
            for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
                let tables = means.iter().zip(&factors).zip(shift);
                for ((y, x), ((mean, factor), shift)) in y.iter_mut().zip(x).zip(tables) {
                    *y = (x - mean) * factor + shift;
                }
            }
        });
    });
}

impl Operation for NormaliseOp {
    fn name(&self) -> &'static str {
        "normalise"
    }

    fn kind(&self) -> Kind<'_> {
        Kind::Normalise(&self.0)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, GraphError> {
        let channels = inputs[0].last();
        for table in [&self.0.scale, &self.0.shift].into_iter().flatten() {
            if table.shape().elements() != channels {
                return Err(GraphError::op(
                    "normalise",
                    format!("a table of {} for {channels} channels", table.shape()),
                ));
            }
        }
        let least = if self.0.over == NormaliseOver::Pixels { 3 } else { 1 };
        if inputs[0].rank() < least {
            return Err(GraphError::op("normalise", format!("{:?} of {}", self.0.over, inputs[0])));
        }
        Ok(inputs[0].clone())
    }

    fn flops(&self, _: &[&Shape], output: &Shape) -> u64 {
        8 * output.elements() as u64
    }

    fn cpu(&self, inputs: &[&Shape], output: &Shape) -> Result<CpuKernel, GraphError> {
        let (n, channels, batch) = (self.0.clone(), output.last(), inputs[0].dims()[0]);
        let table = |t: &Option<Constant>, rest: f32| t.as_ref().map_or_else(|| vec![rest; channels], Constant::to_f32);
        let affine = [table(&n.scale, 1.0), table(&n.shift, 0.0)];
        Ok(Box::new(move |x, y| match n.over {
            NormaliseOver::Channels => {
                for (x, y) in x[0].chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
                    row(&affine, n.epsilon, x, y);
                }
            }
            NormaliseOver::Pixels => {
                let picture = y.len() / batch;
                for (x, y) in x[0].chunks_exact(picture).zip(y.chunks_exact_mut(picture)) {
                    picture_of(&affine, n.epsilon, x, y);
                }
            }
        }))
    }

    fn gpu(&self, inputs: &[&Shape], output: &Shape, _: Tuning) -> Vec<Dispatch> {
        let channels = output.last();
        let batch = inputs[0].dims()[0];
        let pixels = output.elements() / channels / batch;
        // How many groups, how long, stride inside; groups that lie between each other, stride from there to the next.
        let (count, layout) = match self.0.over {
            NormaliseOver::Channels => (output.rows(), [channels, 1, 1, channels, 1]),
            NormaliseOver::Pixels => (batch * channels, [pixels, channels, channels, pixels * channels, 0]),
        };
        let mut params = vec![count as u32];
        params.extend(layout.map(|n| n as u32));
        params.extend([channels as u32, self.0.epsilon.to_bits()]);
        let table = |t: &Option<Constant>, rest: f32| t.as_ref().map_or_else(|| vec![rest; channels], Constant::to_f32);
        let affine = [table(&self.0.scale, 1.0), table(&self.0.shift, 0.0)].concat();
        let bindings = vec![Binding::Input(0), Binding::weights(affine), Binding::Output];
        vec![Dispatch { shader: shader!("normalise"), constants: vec![], params, bindings, workgroups: groups(count) }]
    }
}

impl GraphBuilder {
    /// Layer or instance normalisation.
    ///
    /// # Errors
    /// [`GraphError::Operation`] when the tables do not fit the channels.
    pub fn normalise(&mut self, x: Value, normalise: Normalise) -> Result<Value, GraphError> {
        self.apply(NormaliseOp(normalise), &[x])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ops::testing::{check, check_against_candle, f64s, graph, weights};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..Default::default() })]

        #[test]
        fn agrees_with_float64(dims in [1usize..3, 1..12, 1..12, 1..80], pixels in any::<bool>(), affine in any::<bool>()) {
            let channels = dims[3];
            let over = if pixels { NormaliseOver::Pixels } else { NormaliseOver::Channels };
            let table = |seed| affine.then(|| weights(seed, &[channels]));
            let normalise = Normalise { over, scale: table(1), shift: table(2), epsilon: 1e-3 };
            let g = graph(&[&dims], |b, x| b.normalise(x[0], normalise.clone()));
            let (scale, shift) = (normalise.scale.as_ref(), f64s(normalise.shift.as_ref(), channels));
            let scale = scale.map_or(vec![1.0; channels], |s| f64s(Some(s), 0));
            check(&g, 2e-5, |x| {
                let block = dims[1] * dims[2] * channels;
                let group = |i: usize| if pixels { i / block * channels + i % channels } else { i / channels };
                let mut members = vec![Vec::new(); if pixels { dims[0] * channels } else { x[0].len() / channels }];
                x[0].iter().enumerate().for_each(|(i, &v)| members[group(i)].push(v));
                let moments: Vec<(f64, f64)> = members
                    .iter()
                    .map(|m| {
                        let mean = m.iter().sum::<f64>() / m.len() as f64;
                        (mean, m.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / m.len() as f64)
                    })
                    .collect();
                let one = |(i, v): (usize, &f64)| {
                    let (mean, variance) = moments[group(i)];
                    (v - mean) / (variance + f64::from(1e-3f32)).sqrt() * scale[i % channels] + shift[i % channels]
                };
                x[0].iter().enumerate().map(one).collect()
            });
        }
    }

    #[test]
    fn agrees_with_candle() {
        for over in [NormaliseOver::Channels, NormaliseOver::Pixels] {
            let normalise = Normalise { over, scale: Some(weights(1, &[5])), shift: None, epsilon: 1e-3 };
            check_against_candle(&graph(&[&[2, 9, 8, 5]], |g, x| g.normalise(x[0], normalise)), 1e-5);
        }
    }
}
