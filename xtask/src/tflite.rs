//! TFLite models: the tensors and operations of their one subgraph, by the published schema (version 3 of
//! `schema.fbs` in TensorFlow).

use crate::{
    Outcome,
    flatbuffer::{Buffer, Table},
};

/// Operations by their number in the schema; only those that the networks use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Add,
    AveragePool2d,
    Concatenation,
    Conv2d,
    DepthwiseConv2d,
    Dequantize,
    Logistic,
    MaxPool2d,
    Mul,
    Relu,
    Reshape,
    Pad,
    Transpose,
    Mean,
    Sub,
    Div,
    StridedSlice,
    Prelu,
    Neg,
    Sum,
    Sqrt,
    Rsqrt,
    SquaredDifference,
    HardSwish,
    ResizeBilinear,
    /// MediaPipe's own transposed convolution with bias.
    TransposeConvBias,
}

impl Op {
    /// `custom`: the name of an operation that is not in the schema.
    fn from_code(code: i32, custom: &[u8]) -> Option<Self> {
        Some(match code {
            0 => Self::Add,
            1 => Self::AveragePool2d,
            2 => Self::Concatenation,
            3 => Self::Conv2d,
            4 => Self::DepthwiseConv2d,
            6 => Self::Dequantize,
            14 => Self::Logistic,
            17 => Self::MaxPool2d,
            18 => Self::Mul,
            19 => Self::Relu,
            22 => Self::Reshape,
            23 => Self::ResizeBilinear,
            32 if custom == b"Convolution2DTransposeBias" => Self::TransposeConvBias,
            34 => Self::Pad,
            39 => Self::Transpose,
            40 => Self::Mean,
            41 => Self::Sub,
            42 => Self::Div,
            45 => Self::StridedSlice,
            54 => Self::Prelu,
            59 => Self::Neg,
            74 => Self::Sum,
            75 => Self::Sqrt,
            76 => Self::Rsqrt,
            99 => Self::SquaredDifference,
            117 => Self::HardSwish,
            _ => return None,
        })
    }
}

/// What a tensor holds: nothing before the network runs, or constants.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Computed when the network runs.
    Activation,
    /// Half-precision bits.
    F16(Vec<u16>),
    /// Single precision.
    F32(Vec<f32>),
    /// Whole numbers: axes, paddings, shapes.
    I32(Vec<i32>),
}

/// A tensor of the subgraph.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Constants, if it has them.
    pub content: Content,
}

/// An operation: tensors by number, `None` where an optional input is left out.
pub struct Operation<'a> {
    /// What it computes.
    pub op: Op,
    /// Inputs.
    pub inputs: Vec<Option<usize>>,
    /// Its one output.
    pub output: usize,
    options: Option<Table<'a>>,
    custom: &'a [u8],
}

impl Operation<'_> {
    /// A small enumeration among the options, such as padding or fused activation.
    pub fn option_byte(&self, number: usize) -> u8 {
        self.options.map_or(0, |o| o.byte(number))
    }

    /// Number `index` of the options of an operation that is not in the schema: a structure of 32-bit integers.
    pub fn custom_int(&self, index: usize) -> Option<i32> {
        self.custom.as_chunks::<4>().0.get(index).map(|&b| i32::from_le_bytes(b))
    }

    /// A number among the options.
    pub fn option_int(&self, number: usize, default: i32) -> i32 {
        self.options.map_or(default, |o| o.int(number, default))
    }
}

/// A model with one subgraph.
pub struct Model<'a> {
    /// All tensors.
    pub tensors: Vec<Tensor>,
    /// In the order of execution.
    pub operations: Vec<Operation<'a>>,
    /// Tensors that the caller gives.
    pub inputs: Vec<usize>,
    /// Tensors that the caller gets.
    pub outputs: Vec<usize>,
}

impl<'a> Model<'a> {
    /// Reads a model.
    ///
    /// # Errors
    /// When the file is not TFLite, is damaged, or uses operations or types outside those listed here.
    pub fn parse(file: &'a [u8]) -> Outcome<Self> {
        let model = Buffer(file).root(b"TFL3").ok_or("this is not a TFLite file")?;
        let codes = model.tables(1).ok_or("damaged list of operation codes")?;
        let codes: Vec<(i32, &[u8])> =
            codes.iter().map(|c| (c.int(3, 0).max(i32::from(c.byte(0))), c.bytes(1))).collect();
        let subgraphs = model.tables(2).ok_or("damaged list of subgraphs")?;
        let [graph] = subgraphs[..] else { return Err(format!("{} subgraphs, not one", subgraphs.len()).into()) };
        let buffers = model.tables(4).ok_or("damaged list of buffers")?;

        let tensors = graph.tables(0).ok_or("damaged list of tensors")?;
        let tensors = tensors.into_iter().map(|t| read_tensor(t, &buffers)).collect::<Outcome<Vec<_>>>()?;
        let number = |i: i32| usize::try_from(i).ok().filter(|&i| i < tensors.len());
        let numbers = |list: Vec<i32>| -> Outcome<Vec<usize>> {
            list.into_iter().map(|i| number(i).ok_or_else(|| "a tensor number is out of range".into())).collect()
        };
        let mut operations = Vec::new();
        for table in graph.tables(3).ok_or("damaged list of operations")? {
            let code = usize::try_from(table.int(0, 0)).ok().and_then(|i| codes.get(i).copied());
            let (code, custom) = code.ok_or("an operation without a code")?;
            let op = Op::from_code(code, custom).ok_or_else(|| format!("operation {code} is not supported"))?;
            let inputs = table.ints(1).into_iter().map(number).collect();
            let [output] = numbers(table.ints(2))?[..] else { return Err("an operation needs one output".into()) };
            operations.push(Operation { op, inputs, output, options: table.table(4), custom: table.bytes(5) });
        }
        Ok(Self { operations, inputs: numbers(graph.ints(1))?, outputs: numbers(graph.ints(2))?, tensors })
    }
}

fn read_tensor(table: Table, buffers: &[Table]) -> Outcome<Tensor> {
    let shape: Vec<usize> =
        table.ints(0).into_iter().map(usize::try_from).collect::<Result<_, _>>().map_err(|_| "a negative size")?;
    let data = usize::try_from(table.int(2, 0)).ok().and_then(|i| buffers.get(i)).map_or(&[][..], |b| b.bytes(0));
    let content = match (data.is_empty(), table.byte(1)) {
        (true, _) => Content::Activation,
        (_, 0) => Content::F32(data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()),
        (_, 1) => Content::F16(data.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect()),
        (_, 2) => Content::I32(data.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()),
        (_, other) => return Err(format!("tensors of type {other} are not supported").into()),
    };
    let stored = match &content {
        Content::Activation => return Ok(Tensor { shape, content }),
        Content::F16(values) => values.len(),
        Content::F32(values) => values.len(),
        Content::I32(values) => values.len(),
    };
    let expected = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    if expected != Some(stored) {
        return Err(format!("a tensor of shape {shape:?} holds {stored} values").into());
    }
    Ok(Tensor { shape, content })
}
