//! Published TFLite networks become tensors and a [`Description`] in a pack. Weights stay as they are stored (half
//! precision), so nothing is lost, unless eight bits are asked for; the operations that only expand them disappear.

use std::collections::{HashMap, HashSet};

use parlante::{
    graph::DType,
    pack::PackWriter,
    portrait::network::{Arithmetic, Description, Function, Step, Surround},
};

use crate::{
    Outcome,
    tflite::{Content, Model, Op, Operation},
};

/// TFLite's number of the fused activation ReLU; 0 is none.
const FUSED_RELU: u8 = 1;
/// TFLite's number of the padding `SAME` in structures (`kTfLitePaddingSame`); files count from 0.
const SAME: i32 = 1;

/// Weights that are fewer keep their precision: they hardly take room, and some are sums that everything depends on.
const LEAST_MATRIX: usize = 2048;

/// How weights are kept in the pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// As they were published.
    AsPublished,
    /// Matrices as [`DType::Q8_0`] where rows fill its blocks: half the room, and outputs that differ a little.
    EightBits,
}

/// Adds the network to the pack: metadata `parlante.NAME.graph`, tensors `NAME.*`.
///
/// # Errors
/// When the model uses something that the description cannot say.
pub fn convert(name: &str, file: &[u8], weights: Weights, writer: &mut PackWriter) -> Outcome {
    let model = Model::parse(file).map_err(|e| format!("{name}: {e}"))?;
    let mut converter = Converter {
        name,
        weights,
        model: &model,
        writer,
        places: HashMap::new(),
        next: 0,
        out: Description::default(),
        stored: HashSet::new(),
    };
    converter.run().map_err(|e| format!("{name}: {e}"))?;
    let description = serde_json::to_string(&converter.out)?;
    writer.metadata(format!("parlante.{name}.graph"), description);
    Ok(())
}

/// Where a tensor of the model is found.
#[derive(Clone, Copy)]
enum Place {
    /// A value of the description.
    Value(usize),
    /// Constants of the model's tensor of this number.
    Constant(usize),
}

struct Converter<'a> {
    name: &'a str,
    weights: Weights,
    model: &'a Model<'a>,
    writer: &'a mut PackWriter,
    places: HashMap<usize, Place>,
    /// Number of the next value.
    next: usize,
    out: Description,
    stored: HashSet<usize>,
}

impl Converter<'_> {
    fn run(&mut self) -> Outcome {
        for &input in &self.model.inputs {
            self.out.inputs.push(self.model.tensors[input].shape.clone());
            self.places.insert(input, Place::Value(self.next));
            self.next += 1;
        }
        for (tensor, content) in self.model.tensors.iter().enumerate() {
            if content.content != Content::Activation {
                self.places.insert(tensor, Place::Constant(tensor));
            }
        }
        for (i, operation) in self.model.operations.iter().enumerate() {
            let place = self.operation(operation).map_err(|e| format!("operation {i} ({:?}): {e}", operation.op))?;
            self.places.insert(operation.output, place);
        }
        for &output in &self.model.outputs {
            match self.places.get(&output) {
                Some(&Place::Value(value)) => self.out.outputs.push(value),
                _ => return Err("an output is not computed".into()),
            }
        }
        Ok(())
    }

    fn push(&mut self, step: Step) -> usize {
        self.out.steps.push(step);
        self.next += 1;
        self.next - 1
    }

    fn place(&self, operation: &Operation, input: usize) -> Outcome<Place> {
        let tensor = operation.inputs.get(input).copied().flatten().ok_or("an input is missing")?;
        self.places.get(&tensor).copied().ok_or_else(|| "an input is used before it exists".into())
    }

    /// An input as a value; constants become one.
    fn value(&mut self, operation: &Operation, input: usize) -> Outcome<usize> {
        match self.place(operation, input)? {
            Place::Value(value) => Ok(value),
            Place::Constant(tensor) => {
                let tensor = self.store(tensor)?;
                Ok(self.push(Step::Constant { tensor }))
            }
        }
    }

    /// An input that must be constant, as the name of a tensor of the pack.
    fn weights(&mut self, operation: &Operation, input: usize) -> Outcome<String> {
        match self.place(operation, input)? {
            Place::Constant(tensor) => self.store(tensor),
            Place::Value(_) => Err("weights must be constant".into()),
        }
    }

    /// Whole numbers that must be constant.
    fn numbers(&self, operation: &Operation, input: usize) -> Outcome<&[i32]> {
        match self.place(operation, input)? {
            Place::Constant(tensor) => match &self.model.tensors[tensor].content {
                Content::I32(numbers) => Ok(numbers),
                _ => Err("whole numbers are wanted".into()),
            },
            Place::Value(_) => Err("these numbers must be constant".into()),
        }
    }

    fn store(&mut self, number: usize) -> Outcome<String> {
        let tensor = &self.model.tensors[number];
        let name = format!("{}.{number}", self.name);
        if !self.stored.insert(number) {
            return Ok(name);
        }
        let shape = if tensor.shape.is_empty() { vec![1] } else { tensor.shape.clone() };
        let fills_blocks = shape.last().is_some_and(|row| row.is_multiple_of(DType::Q8_0.block().0))
            && shape.iter().product::<usize>() >= LEAST_MATRIX;
        match &tensor.content {
            Content::F16(bits) if fills_blocks && self.weights == Weights::EightBits => {
                let bytes: Vec<u8> = bits.iter().flat_map(|b| b.to_le_bytes()).collect();
                self.writer.tensor(&name, shape, DType::Q8_0, &DType::F16.decode(&bytes))?;
            }
            Content::F16(bits) => {
                let bytes = bits.iter().flat_map(|b| b.to_le_bytes()).collect();
                self.writer.stored(&name, shape, DType::F16, bytes)?;
            }
            Content::F32(values) => {
                self.writer.tensor(&name, shape, DType::F32, values)?;
            }
            Content::I32(_) | Content::Activation => return Err("weights must be floating point".into()),
        }
        Ok(name)
    }

    fn shape(&self, operation: &Operation, input: usize) -> Outcome<&[usize]> {
        let tensor = operation.inputs.get(input).copied().flatten().ok_or("an input is missing")?;
        Ok(&self.model.tensors[tensor].shape)
    }

    fn operation(&mut self, o: &Operation) -> Outcome<Place> {
        let output_shape = self.model.tensors[o.output].shape.clone();
        let step = match o.op {
            Op::Dequantize => return self.place(o, 0),
            Op::Conv2d => {
                let (padding, stride, relu) = window(o, [4, 5], 3)?;
                let (x, weight, bias) = (self.value(o, 0)?, self.weights(o, 1)?, self.weights(o, 2)?);
                Step::Conv2d { x, weight, bias, stride, padding, relu }
            }
            Op::DepthwiseConv2d => {
                let (padding, stride, relu) = window(o, [5, 6], 4)?;
                let (x, weight, bias) = (self.value(o, 0)?, self.weights(o, 1)?, self.weights(o, 2)?);
                Step::Depthwise2d { x, weight, bias, stride, padding, relu }
            }
            Op::MaxPool2d => {
                unfused(o, 5)?;
                let kernel = [positive(o.option_int(4, 0))?, positive(o.option_int(3, 0))?];
                let stride = [positive(o.option_int(2, 0))?, positive(o.option_int(1, 0))?];
                Step::MaxPool { x: self.value(o, 0)?, kernel, stride, padding: padding(o)? }
            }
            Op::AveragePool2d => {
                unfused(o, 5)?;
                let window = [o.option_int(4, 0), o.option_int(3, 0)].map(usize::try_from);
                match (self.shape(o, 0)?, window) {
                    (&[_, height, width, _], [Ok(rows), Ok(columns)]) if [rows, columns] == [height, width] => {}
                    _ => return Err("means are only supported over the whole picture".into()),
                }
                Step::Reduce { x: self.value(o, 0)?, mean: true, axes: vec![1, 2] }
            }
            Op::ResizeBilinear => {
                if o.option_byte(2) != 0 || o.option_byte(3) != 1 {
                    return Err("resizing is only supported with pixel centres at .5".into());
                }
                Step::Resize { x: self.value(o, 0)?, size: picture_size(&output_shape)? }
            }
            Op::TransposeConvBias => {
                let stride = [o.custom_int(2), o.custom_int(1)].map(|n| positive(n.unwrap_or(0)));
                let ([Ok(down), Ok(right)], Some(SAME)) = (stride, o.custom_int(0)) else {
                    return Err("only a positive stride with padding SAME is supported".into());
                };
                let (x, weight, bias) = (self.value(o, 0)?, self.weights(o, 1)?, self.weights(o, 2)?);
                Step::ConvTranspose2d { x, weight, bias, stride: [down, right], size: picture_size(&output_shape)? }
            }
            Op::Prelu => Step::Prelu { x: self.value(o, 0)?, slope: self.weights(o, 1)? },
            Op::Relu | Op::Logistic | Op::HardSwish | Op::Neg | Op::Sqrt | Op::Rsqrt => {
                let function = match o.op {
                    Op::Relu => Function::Relu,
                    Op::Logistic => Function::Sigmoid,
                    Op::HardSwish => Function::HardSwish,
                    Op::Neg => Function::Negate,
                    Op::Sqrt => Function::Sqrt,
                    _ => Function::Rsqrt,
                };
                Step::Map { x: self.value(o, 0)?, function }
            }
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::SquaredDifference => {
                unfused(o, 0)?;
                let with = match o.op {
                    Op::Add => Arithmetic::Add,
                    Op::Sub => Arithmetic::Subtract,
                    Op::Mul => Arithmetic::Multiply,
                    Op::Div => Arithmetic::Divide,
                    _ => Arithmetic::SquaredDifference,
                };
                Step::Combine { a: self.value(o, 0)?, b: self.value(o, 1)?, with }
            }
            Op::Mean | Op::Sum => {
                let rank = self.shape(o, 0)?.len();
                if output_shape.len() != rank {
                    return Err("reduced axes must be kept".into());
                }
                let axes = self.numbers(o, 1)?.iter().map(|&a| axis(a, rank)).collect::<Outcome<_>>()?;
                Step::Reduce { x: self.value(o, 0)?, mean: o.op == Op::Mean, axes }
            }
            Op::Pad => {
                let numbers = self.numbers(o, 1)?.iter().map(|&n| usize::try_from(n)).collect::<Result<Vec<_>, _>>()?;
                Step::Pad { x: self.value(o, 0)?, widths: numbers.as_chunks::<2>().0.to_vec() }
            }
            Op::Concatenation => {
                unfused(o, 1)?;
                let axis = axis(o.option_int(0, 0), output_shape.len())?;
                let values = (0..o.inputs.len()).map(|i| self.value(o, i)).collect::<Outcome<_>>()?;
                Step::Concat { values, axis }
            }
            Op::Reshape => Step::Reshape { x: self.value(o, 0)?, shape: output_shape },
            Op::Transpose => {
                let rank = output_shape.len();
                let order = self.numbers(o, 1)?.iter().map(|&a| axis(a, rank)).collect::<Outcome<_>>()?;
                Step::Permute { x: self.value(o, 0)?, order }
            }
            Op::StridedSlice => return self.strided_slice(o, output_shape),
        };
        Ok(Place::Value(self.push(step)))
    }

    /// A slice, then the shape without the axes that it drops.
    fn strided_slice(&mut self, o: &Operation, output_shape: Vec<usize>) -> Outcome<Place> {
        let x = self.value(o, 0)?;
        let shape = self.shape(o, 0)?;
        let (first, last, strides) = (self.numbers(o, 1)?, self.numbers(o, 2)?, self.numbers(o, 3)?);
        if [first, last, strides].iter().any(|n| n.len() != shape.len()) || strides.iter().any(|&s| s != 1) {
            return Err("slices must have stride 1 and a range for each axis".into());
        }
        let [first_mask, last_mask, ellipsis, new_axes, drop] = [0, 1, 2, 3, 4].map(|i| o.option_int(i, 0));
        if ellipsis != 0 || new_axes != 0 {
            return Err("slices may not add axes".into());
        }
        let mut ranges = Vec::new();
        for (i, &size) in shape.iter().enumerate() {
            let at = |n: i32| -> Outcome<usize> {
                let n = if n < 0 { i64::from(n) + size as i64 } else { i64::from(n) };
                Ok(usize::try_from(n)?.min(size))
            };
            let start = if first_mask >> i & 1 == 1 { 0 } else { at(first[i])? };
            let end = match (drop >> i & 1, last_mask >> i & 1) {
                (1, _) => start + 1,
                (_, 1) => size,
                _ => at(last[i])?,
            };
            ranges.push([start, end]);
        }
        if ranges.iter().zip(shape).any(|(r, &size)| *r != [0, size]) {
            let sliced = self.push(Step::Slice { x, ranges });
            return Ok(Place::Value(self.push(Step::Reshape { x: sliced, shape: output_shape })));
        }
        Ok(Place::Value(x))
    }
}

/// Height and width of a value.
fn picture_size(shape: &[usize]) -> Outcome<[usize; 2]> {
    match *shape {
        [_, height, width, _] => Ok([height, width]),
        _ => Err("a picture is wanted".into()),
    }
}

fn padding(o: &Operation) -> Outcome<Surround> {
    match o.option_byte(0) {
        0 => Ok(Surround::Same),
        1 => Ok(Surround::Valid),
        other => Err(format!("padding {other}").into()),
    }
}

/// Padding, stride and fused ReLU of a convolution; fields of the options by number.
fn window(o: &Operation, dilation: [usize; 2], fused: usize) -> Outcome<(Surround, [usize; 2], bool)> {
    if dilation.iter().any(|&field| o.option_int(field, 1) != 1) {
        return Err("dilated convolutions are not supported".into());
    }
    let relu = match o.option_byte(fused) {
        0 => false,
        FUSED_RELU => true,
        other => return Err(format!("fused activation {other}").into()),
    };
    Ok((padding(o)?, [positive(o.option_int(2, 0))?, positive(o.option_int(1, 0))?], relu))
}

fn unfused(o: &Operation, field: usize) -> Outcome {
    if o.option_byte(field) == 0 { Ok(()) } else { Err("fused activations are only supported in convolutions".into()) }
}

fn positive(n: i32) -> Outcome<usize> {
    usize::try_from(n).ok().filter(|&n| n > 0).ok_or_else(|| "a size must be positive".into())
}

fn axis(n: i32, rank: usize) -> Outcome<usize> {
    let n = if n < 0 { i64::from(n) + rank as i64 } else { i64::from(n) };
    usize::try_from(n).ok().filter(|&n| n < rank).ok_or_else(|| format!("axis {n} of {rank}").into())
}
