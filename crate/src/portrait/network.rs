//! Networks whose structure lies in the pack beside their weights, as JSON: what the converter of published networks
//! writes and the face finder reads.
//!
//! A description comes from a file, so nothing in it is believed: names, shapes and numbers are checked by the pack and
//! by the graph builder, sizes by the limits below.

use serde::{Deserialize, Serialize};

use crate::{
    graph::{Constant, Graph, GraphBuilder, GraphError, Value},
    ops::{Activation, Binary, Conv2d, ConvTranspose2d, Depthwise2d, Padding, Pool, PoolKind, Reduce, Sampling},
    pack::{Pack, PackError},
};

/// Most steps of a described network.
const MAX_STEPS: usize = 2048;
/// Most elements of any value of it: sixteen times what the face networks need.
const MAX_ELEMENTS: usize = 1 << 22;

/// Inputs, steps and outputs. Values are numbered: the inputs first, then one for each step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Shape of each input.
    pub inputs: Vec<Vec<usize>>,
    /// Operations in the order in which they run.
    pub steps: Vec<Step>,
    /// Numbers of the values that are returned.
    pub outputs: Vec<usize>,
}

/// One operation; `x`, `a`, `b` are numbers of values, weights are names of tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "fields have the names and meaning of the graph builder's arguments")]
pub enum Step {
    /// A value that is always the same.
    Constant { tensor: String },
    /// Dense convolution.
    Conv2d { x: usize, weight: String, bias: String, stride: [usize; 2], padding: Surround, relu: bool },
    /// Depthwise convolution.
    Depthwise2d { x: usize, weight: String, bias: String, stride: [usize; 2], padding: Surround, relu: bool },
    /// Dense transposed convolution, `size` rows and columns large.
    ConvTranspose2d { x: usize, weight: String, bias: String, stride: [usize; 2], size: [usize; 2] },
    /// Another number of rows and columns, by bilinear sampling with pixel centres at .5.
    Resize { x: usize, size: [usize; 2] },
    /// Largest element of each window.
    MaxPool { x: usize, kernel: [usize; 2], stride: [usize; 2], padding: Surround },
    /// A function of each element.
    Map { x: usize, function: Function },
    /// A slope for negative elements, one a channel.
    Prelu { x: usize, slope: String },
    /// Arithmetic of two values.
    Combine { a: usize, b: usize, with: Arithmetic },
    /// Sum or mean along axes, which keep length 1.
    Reduce { x: usize, mean: bool, axes: Vec<usize> },
    /// Zeros around a value: elements before and after along each axis.
    Pad { x: usize, widths: Vec<[usize; 2]> },
    /// Values one after the other.
    Concat { values: Vec<usize>, axis: usize },
    /// Another shape.
    Reshape { x: usize, shape: Vec<usize> },
    /// Axes in another order.
    Permute { x: usize, order: Vec<usize> },
    /// A box: first and one past the last element along each axis.
    Slice { x: usize, ranges: Vec<[usize; 2]> },
}

/// What surrounds a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surround {
    /// As many zeros as keep the size (divided by the stride).
    Same,
    /// Nothing.
    Valid,
}

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// `max(x, 0)`.
    Relu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x min(max(x + 3, 0), 6) / 6`.
    HardSwish,
    /// `-x`.
    Negate,
    /// Square root.
    Sqrt,
    /// One over the square root.
    Rsqrt,
}

/// Arithmetic of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    /// `a + b`.
    Add,
    /// `a - b`.
    Subtract,
    /// `a b`.
    Multiply,
    /// `a / b`.
    Divide,
    /// `(a - b)²`.
    SquaredDifference,
}

/// Why a described network could not be built.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The pack lacks something.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The operations do not fit together.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The description is not valid.
    #[error("the network `{name}` of the model pack is damaged ({reason}): build the pack again with `npm start`")]
    Damaged {
        /// The network.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Builds the network `name` from the pack's metadata `parlante.NAME.graph` and its tensors `NAME.*`.
///
/// # Errors
/// [`NetworkError`] when the pack does not hold a whole, consistent network of that name.
pub fn build(pack: &Pack, name: &str) -> Result<Graph, NetworkError> {
    let damaged = |reason: String| NetworkError::Damaged { name: name.to_owned(), reason };
    let text = pack.str(&format!("parlante.{name}.graph"))?;
    let description: Description = serde_json::from_str(text).map_err(|e| damaged(e.to_string()))?;
    if description.steps.len() > MAX_STEPS {
        return Err(damaged(format!("{} steps, more than {MAX_STEPS}", description.steps.len())));
    }
    let mut network = Network { pack, builder: GraphBuilder::new(), values: Vec::new(), name };
    for (i, shape) in description.inputs.iter().enumerate() {
        let value = network.builder.input(format!("input {i}"), shape.as_slice())?;
        network.push(value)?;
    }
    for step in &description.steps {
        let value = network.step(step)?;
        network.push(value)?;
    }
    for (i, &number) in description.outputs.iter().enumerate() {
        let value = network.value(number)?;
        network.builder.output(format!("output {i}"), value)?;
    }
    Ok(network.builder.build()?)
}

/// A network under construction.
struct Network<'a> {
    pack: &'a Pack,
    builder: GraphBuilder,
    values: Vec<Value>,
    name: &'a str,
}

impl Network<'_> {
    fn damaged(&self, reason: String) -> NetworkError {
        NetworkError::Damaged { name: self.name.to_owned(), reason }
    }

    fn push(&mut self, value: Value) -> Result<(), NetworkError> {
        let shape = self.builder.shape(value);
        if shape.elements() > MAX_ELEMENTS {
            return Err(self.damaged(format!("a value of shape {shape}")));
        }
        self.values.push(value);
        Ok(())
    }

    fn value(&self, number: usize) -> Result<Value, NetworkError> {
        self.values.get(number).copied().ok_or_else(|| self.damaged(format!("value {number} is used before it exists")))
    }

    fn constant(&self, tensor: &str) -> Result<Constant, NetworkError> {
        Ok(self.pack.constant(tensor)?)
    }

    fn step(&mut self, step: &Step) -> Result<Value, NetworkError> {
        Ok(match step {
            Step::Constant { tensor } => {
                let constant = self.constant(tensor)?;
                self.builder.constant(constant)?
            }
            Step::Conv2d { x, weight, bias, stride, padding, relu } => {
                let (x, weight, bias) = (self.value(*x)?, self.constant(weight)?, Some(self.constant(bias)?));
                let (stride, padding, activation) = (*stride, surround(*padding), activation(*relu));
                self.builder.conv2d(x, Conv2d { bias, stride, padding, activation, ..Conv2d::new(weight) })?
            }
            Step::Depthwise2d { x, weight, bias, stride, padding, relu } => {
                let (x, weight, bias) = (self.value(*x)?, self.constant(weight)?, Some(self.constant(bias)?));
                let (stride, padding, activation) = (*stride, surround(*padding), activation(*relu));
                self.builder
                    .depthwise2d(x, Depthwise2d { bias, stride, padding, activation, ..Depthwise2d::new(weight) })?
            }
            Step::ConvTranspose2d { x, weight, bias, stride, size } => {
                let (x, weight, bias) = (self.value(*x)?, self.constant(weight)?, Some(self.constant(bias)?));
                let (stride, size, activation) = (*stride, *size, Activation::None);
                self.builder.conv_transpose2d(x, ConvTranspose2d { weight, bias, stride, size, activation })?
            }
            Step::Resize { x, size } => self.builder.resize(self.value(*x)?, *size, Sampling::HalfPixel)?,
            Step::MaxPool { x, kernel, stride, padding } => {
                let pool = Pool { kind: PoolKind::Max, kernel: *kernel, stride: *stride, padding: surround(*padding) };
                self.builder.pool(self.value(*x)?, pool)?
            }
            Step::Map { x, function } => {
                let function = match function {
                    Function::Relu => Activation::Relu,
                    Function::Sigmoid => Activation::Sigmoid,
                    Function::HardSwish => Activation::HardSwish,
                    Function::Negate => Activation::Negate,
                    Function::Sqrt => Activation::Sqrt,
                    Function::Rsqrt => Activation::Rsqrt,
                };
                self.builder.activation(self.value(*x)?, function)?
            }
            Step::Prelu { x, slope } => {
                let slope = self.constant(slope)?;
                self.builder.activation(self.value(*x)?, Activation::Prelu(slope))?
            }
            Step::Combine { a, b, with } => {
                let kind = match with {
                    Arithmetic::Add => Binary::Add,
                    Arithmetic::Subtract => Binary::Subtract,
                    Arithmetic::Multiply => Binary::Multiply,
                    Arithmetic::Divide => Binary::Divide,
                    Arithmetic::SquaredDifference => Binary::SquaredDifference,
                };
                self.builder.binary(kind, self.value(*a)?, self.value(*b)?)?
            }
            Step::Reduce { x, mean, axes } => {
                let kind = if *mean { Reduce::Mean } else { Reduce::Sum };
                self.builder.reduce(kind, self.value(*x)?, axes)?
            }
            Step::Pad { x, widths } => self.builder.pad(self.value(*x)?, widths, 0.0)?,
            Step::Concat { values, axis } => {
                let values = values.iter().map(|&v| self.value(v)).collect::<Result<Vec<_>, _>>()?;
                self.builder.concat(&values, *axis)?
            }
            Step::Reshape { x, shape } => self.builder.reshape(self.value(*x)?, shape.as_slice())?,
            Step::Permute { x, order } => self.builder.permute(self.value(*x)?, order)?,
            Step::Slice { x, ranges } => {
                let ranges: Vec<_> = ranges.iter().map(|r| r[0]..r[1]).collect();
                self.builder.slice(self.value(*x)?, &ranges)?
            }
        })
    }
}

fn surround(padding: Surround) -> Padding {
    match padding {
        Surround::Same => Padding::Same,
        Surround::Valid => Padding::VALID,
    }
}

fn activation(relu: bool) -> Activation {
    if relu { Activation::Relu } else { Activation::None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{exec::CpuSession, graph::DType, pack::PackWriter};

    fn pack_with(graph: &str) -> Pack {
        let mut writer = PackWriter::new();
        writer.metadata("parlante.test.graph", graph);
        writer.tensor("test.two", [1], DType::F32, &[2.0]).expect("a good tensor");
        writer.tensor("test.weight", [1, 2, 2, 1], DType::F16, &[1.0; 4]).expect("a good tensor");
        writer.tensor("test.bias", [1], DType::F16, &[-3.0]).expect("a good tensor");
        Pack::from_bytes(writer.finish()).expect("a good pack")
    }

    #[test]
    fn a_description_becomes_a_network() {
        let description = Description {
            inputs: vec![vec![1, 2, 2, 1]],
            steps: vec![
                Step::Constant { tensor: "test.two".into() },
                Step::Combine { a: 0, b: 1, with: Arithmetic::Multiply },
                Step::Conv2d {
                    x: 2,
                    weight: "test.weight".into(),
                    bias: "test.bias".into(),
                    stride: [1, 1],
                    padding: Surround::Same,
                    relu: true,
                },
                Step::Reshape { x: 3, shape: vec![4] },
                Step::Slice { x: 4, ranges: vec![[0, 3]] },
            ],
            outputs: vec![5],
        };
        let pack = pack_with(&serde_json::to_string(&description).expect("plain data"));
        let mut session = CpuSession::new(&build(&pack, "test").expect("a good network")).expect("a session");
        // Twice [1 2; 3 4], summed over each pixel and its neighbours below and to the right, minus 3.
        assert_eq!(session.run(&[&[1.0, 2.0, 3.0, 4.0]]).expect("a run"), [[17.0, 9.0, 11.0]]);
    }

    #[test]
    fn damaged_descriptions_are_refused() {
        for (graph, word) in [
            ("{", "damaged"),
            (r#"{"inputs":[],"steps":[],"outputs":[3]}"#, "before it exists"),
            (r#"{"inputs":[[2]],"steps":[{"op":"map","x":1,"function":"relu"}],"outputs":[0]}"#, "before it exists"),
            (r#"{"inputs":[[9000000]],"steps":[],"outputs":[0]}"#, "9000000"),
            (r#"{"inputs":[[2]],"steps":[{"op":"constant","tensor":"test.gone"}],"outputs":[1]}"#, "test.gone"),
            (r#"{"inputs":[[2]],"steps":[{"op":"explode","x":0}],"outputs":[1]}"#, "explode"),
            (r#"{"inputs":[[4]],"steps":[{"op":"slice","x":0,"ranges":[[3,2]]}],"outputs":[1]}"#, "slice"),
            (r#"{"inputs":[[4]],"steps":[],"outputs":[]}"#, "output"),
        ] {
            let error = build(&pack_with(graph), "test").expect_err(graph).to_string();
            assert!(error.contains(word), "{graph}: {error}");
        }
        assert!(matches!(build(&pack_with("{}"), "other"), Err(NetworkError::Pack(PackError::MissingKey(_)))));
    }
}
