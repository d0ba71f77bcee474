//! One operation after the other.

use parlante::{
    graph::{Constant, Node, Shape, Value},
    ops::{
        Activation, Binary, Conv2d, ConvTranspose2d, Depthwise2d, Gru, Kind, Linear, Normalise, NormaliseOver, Padding,
        Pool, PoolKind, Reduce, Sampling,
    },
};

use super::{Attribute, Exporter, Order, ints, sizes};
use crate::Outcome;

/// Writes a node of the graph.
pub(super) fn node(e: &mut Exporter<'_>, node: &Node) -> Outcome {
    let (x, shape) = (node.inputs[0], e.graph.shape(node.output).clone());
    let order = order(e, node);
    let name = match node.operation.kind() {
        Kind::Conv2d(conv) => {
            let mut y = conv2d(e, x, conv)?;
            if let Some(&addend) = node.inputs.get(1) {
                let addend = e.value(addend, order);
                y = e.node("Add", &[&y, &addend], &[]);
            }
            activation(e, y, &conv.activation, order)
        }
        Kind::Depthwise2d(conv) => {
            let y = depthwise2d(e, x, conv)?;
            activation(e, y, &conv.activation, order)
        }
        Kind::ConvTranspose2d(conv) => {
            let y = conv_transpose2d(e, x, conv)?;
            activation(e, y, &conv.activation, order)
        }
        Kind::Linear(linear) => {
            let y = matrix(e, x, linear)?;
            activation(e, y, &linear.activation, order)
        }
        Kind::Gru(unit) => gru(e, [x, node.inputs[1]], unit),
        Kind::Activation(function) => {
            let x = e.value(x, order);
            activation(e, x, function, order)
        }
        Kind::Binary(kind) => {
            let (a, b) = (e.value(x, order), e.value(node.inputs[1], order));
            binary(e, kind, &a, &b)
        }
        Kind::Concat(axis) => {
            let values: Vec<String> = node.inputs.iter().map(|&v| e.value(v, order)).collect();
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            e.node("Concat", &values, &[Attribute::Int("axis", order.axis(axis) as i64)])
        }
        Kind::MatMul { transposed } => {
            let (a, mut b) = (e.value(x, order), e.value(node.inputs[1], order));
            if transposed {
                let rank = shape.rank() as i64;
                let axes: Vec<i64> = (0..rank - 2).chain([rank - 1, rank - 2]).collect();
                b = e.node("Transpose", &[&b], &[ints("perm", &axes)]);
            }
            e.node("MatMul", &[&a, &b], &[])
        }
        Kind::Normalise(normalise) => normalised(e, x, normalise, &shape)?,
        Kind::Pad { widths, fill } => {
            let widths = order.sort(widths);
            let sides: Vec<usize> = widths.iter().map(|w| w[0]).chain(widths.iter().map(|w| w[1])).collect();
            let (x, sides, fill) = (e.value(x, order), e.wholes(&sides), e.floats(&[], &[fill]));
            e.node("Pad", &[&x, &sides, &fill], &[])
        }
        Kind::Permute(axes) => {
            let x = e.value(x, order);
            e.node("Transpose", &[&x], &[sizes("perm", axes)])
        }
        Kind::Pool(pool) => {
            let x = e.value(x, order);
            // Padding is not counted, which is also what ONNX does unless it is told.
            let op = if pool.kind == PoolKind::Max { "MaxPool" } else { "AveragePool" };
            e.node(op, &[&x], &pool_window(pool))
        }
        Kind::Reduce { kind, axes } => {
            let op = match kind {
                Reduce::Sum => "ReduceSum",
                Reduce::Mean => "ReduceMean",
                Reduce::Max => "ReduceMax",
            };
            let axes: Vec<usize> = axes.iter().map(|&a| order.axis(a)).collect();
            let (x, axes) = (e.value(x, order), e.wholes(&axes));
            e.node(op, &[&x, &axes], &[])
        }
        Kind::Reshape => {
            let x = e.value(x, order);
            reshaped(e, &x, shape.dims())
        }
        Kind::Resize(sampling) => {
            let (x, size) = (e.value(x, order), e.wholes(&order.dims(&shape)));
            let place = match sampling {
                Sampling::HalfPixel => "half_pixel",
                Sampling::AlignCorners => "align_corners",
                Sampling::Corner => "asymmetric",
            };
            let settings =
                [Attribute::Text("mode", "linear"), Attribute::Text("coordinate_transformation_mode", place)];
            e.node("Resize", &[&x, "", "", &size], &settings)
        }
        Kind::Slice(ranges) => {
            let starts: Vec<usize> = ranges.iter().map(|r| r.start).collect();
            let ends: Vec<usize> = ranges.iter().map(|r| r.end).collect();
            let (starts, ends) = (e.wholes(&order.sort(&starts)), e.wholes(&order.sort(&ends)));
            let x = e.value(x, order);
            e.node("Slice", &[&x, &starts, &ends], &[])
        }
        Kind::Softmax => {
            let x = e.value(x, order);
            e.node("Softmax", &[&x], &[Attribute::Int("axis", -1)])
        }
    };
    e.names.insert((node.output, order), name);
    Ok(())
}

/// The order in which an operation is written.
fn order(e: &Exporter<'_>, node: &Node) -> Order {
    let pictures = e.graph.input_shapes(node).iter().all(|s| s.rank() == 4);
    let second = match node.operation.kind() {
        Kind::Conv2d(_) | Kind::Depthwise2d(_) | Kind::ConvTranspose2d(_) | Kind::Pool(_) | Kind::Resize(_) => true,
        Kind::Normalise(n) => n.over == NormaliseOver::Pixels,
        Kind::Activation(_)
        | Kind::Binary(_)
        | Kind::Concat(_)
        | Kind::Pad { .. }
        | Kind::Reduce { .. }
        | Kind::Slice(_) => pictures && node.inputs.iter().any(|&v| e.has(v, Order::ChannelsSecond)),
        _ => false,
    };
    if second { Order::ChannelsSecond } else { Order::Same }
}

fn reshaped(e: &mut Exporter<'_>, x: &str, dims: &[usize]) -> String {
    let dims = e.wholes(dims);
    e.node("Reshape", &[x, &dims], &[])
}

fn binary(e: &mut Exporter<'_>, kind: Binary, a: &str, b: &str) -> String {
    let op = match kind {
        Binary::Add => "Add",
        Binary::Subtract | Binary::SquaredDifference => "Sub",
        Binary::Multiply => "Mul",
        Binary::Divide => "Div",
        Binary::Maximum => "Max",
        Binary::Minimum => "Min",
    };
    let y = e.node(op, &[a, b], &[]);
    if kind == Binary::SquaredDifference { e.node("Mul", &[&y, &y], &[]) } else { y }
}

/// What a sliding window sees beyond the border.
fn surround(padding: Padding) -> Attribute {
    match padding {
        Padding::Same => Attribute::Text("auto_pad", "SAME_UPPER"),
        Padding::Explicit { top, bottom, left, right } => sizes("pads", &[top, left, bottom, right]),
    }
}

fn pool_window(pool: &Pool) -> [Attribute; 3] {
    [sizes("kernel_shape", &pool.kernel), sizes("strides", &pool.stride), surround(pool.padding)]
}

/// A convolution of any sort, without its activation.
fn convolved(
    e: &mut Exporter<'_>,
    op: &str,
    x: Value,
    (weight, bias): (String, Option<&Constant>),
    settings: &[Attribute],
) -> String {
    let mut inputs = vec![e.value(x, Order::ChannelsSecond), weight];
    if let Some(bias) = bias {
        inputs.push(e.floats(&[bias.shape().elements()], &bias.to_f32()));
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    e.node(op, &inputs, settings)
}

fn conv2d(e: &mut Exporter<'_>, x: Value, conv: &Conv2d) -> Outcome<String> {
    let weight = e.permuted(&conv.weight, &[0, 3, 1, 2])?;
    let settings = [sizes("strides", &conv.stride), sizes("dilations", &conv.dilation), surround(conv.padding)];
    Ok(convolved(e, "Conv", x, (weight, conv.bias.as_ref()), &settings))
}

fn depthwise2d(e: &mut Exporter<'_>, x: Value, conv: &Depthwise2d) -> Outcome<String> {
    // `[rows, columns, channels]`, with a one in front where a network was converted from TFLite.
    let &[.., rows, columns, channels] = conv.weight.shape().dims() else { return Err("its weights".into()) };
    let weight = e.permuted(&conv.weight.reshaped([1, rows, columns, channels])?, &[3, 0, 1, 2])?;
    let settings = [
        sizes("strides", &conv.stride),
        sizes("dilations", &conv.dilation),
        surround(conv.padding),
        Attribute::Int("group", channels as i64),
    ];
    Ok(convolved(e, "Conv", x, (weight, conv.bias.as_ref()), &settings))
}

fn conv_transpose2d(e: &mut Exporter<'_>, x: Value, conv: &ConvTranspose2d) -> Outcome<String> {
    let weight = e.permuted(&conv.weight, &[3, 0, 1, 2])?;
    let (input, kernel) = (e.graph.shape(x).dims(), conv.weight.shape().dims());
    // What is more than the wanted size is cut, what is missing is appended.
    let (mut cut, mut rest) = ([0; 4], [0; 2]);
    for a in 0..2 {
        let full = (input[a + 1] - 1) * conv.stride[a] + kernel[a + 1];
        let excess = full.saturating_sub(conv.size[a]);
        (cut[a], cut[a + 2]) = (excess / 2, excess - excess / 2);
        rest[a] = conv.size[a].saturating_sub(full);
    }
    let settings = [sizes("strides", &conv.stride), sizes("pads", &cut), sizes("output_padding", &rest)];
    Ok(convolved(e, "ConvTranspose", x, (weight, conv.bias.as_ref()), &settings))
}

fn matrix(e: &mut Exporter<'_>, x: Value, linear: &Linear) -> Outcome<String> {
    let (rank, x) = (e.graph.shape(x).rank(), e.value(x, Order::Same));
    let weight = e.permuted(&linear.weight, &[1, 0])?;
    let Some(bias) = &linear.bias else { return Ok(e.node("MatMul", &[&x, &weight], &[])) };
    let bias = e.floats(&[bias.shape().elements()], &bias.to_f32());
    if rank == 2 {
        return Ok(e.node("Gemm", &[&x, &weight, &bias], &[]));
    }
    let y = e.node("MatMul", &[&x, &weight], &[]);
    Ok(e.node("Add", &[&y, &bias], &[]))
}

/// ONNX has the gates in the order update, reset, new, and an axis for the batch and one for the direction.
fn gru(e: &mut Exporter<'_>, [x, state]: [Value; 2], unit: &Gru) -> String {
    let (time, channels) = (e.graph.shape(x).rows(), e.graph.shape(x).last());
    let hidden = e.graph.shape(state).elements();
    let sorted = |table: &Constant| {
        let values = table.to_f32();
        let gate = values.len() / 3;
        [&values[gate..2 * gate], &values[..gate], &values[2 * gate..]].concat()
    };
    let from_input = e.floats(&[1, 3 * hidden, channels], &sorted(&unit.input_weight));
    let from_state = e.floats(&[1, 3 * hidden, hidden], &sorted(&unit.hidden_weight));
    let biases = [sorted(&unit.input_bias), sorted(&unit.hidden_bias)].concat();
    let biases = e.floats(&[1, 6 * hidden], &biases);
    let (x, state) = (e.value(x, Order::Same), e.value(state, Order::Same));
    let (x, state) = (reshaped(e, &x, &[time, 1, channels]), reshaped(e, &state, &[1, 1, hidden]));
    let settings = [Attribute::Int("hidden_size", hidden as i64), Attribute::Int("linear_before_reset", 1)];
    let y = e.node("GRU", &[&x, &from_input, &from_state, &biases, "", &state], &settings);
    reshaped(e, &y, &[time, hidden])
}

fn normalised(e: &mut Exporter<'_>, x: Value, normalise: &Normalise, shape: &Shape) -> Outcome<String> {
    let channels = shape.last();
    let mut table = |of: &Option<Constant>, rest: f32| {
        let values = of.as_ref().map_or_else(|| vec![rest; channels], Constant::to_f32);
        e.floats(&[channels], &values)
    };
    let (scale, shift) = (table(&normalise.scale, 1.0), table(&normalise.shift, 0.0));
    let epsilon = Attribute::Float("epsilon", normalise.epsilon);
    match normalise.over {
        NormaliseOver::Channels => {
            let x = e.value(x, Order::Same);
            Ok(e.node("LayerNormalization", &[&x, &scale, &shift], &[Attribute::Int("axis", -1), epsilon]))
        }
        NormaliseOver::Pixels if shape.rank() == 4 => {
            let x = e.value(x, Order::ChannelsSecond);
            Ok(e.node("InstanceNormalization", &[&x, &scale, &shift], &[epsilon]))
        }
        NormaliseOver::Pixels => Err(format!("instance normalisation of {shape} has no translation").into()),
    }
}

fn activation(e: &mut Exporter<'_>, x: String, function: &Activation, order: Order) -> String {
    let op = match function {
        Activation::None => return x,
        Activation::Relu => "Relu",
        Activation::Gelu => "Gelu",
        Activation::Sigmoid => "Sigmoid",
        Activation::HardSwish => "HardSwish",
        Activation::Tanh => "Tanh",
        Activation::Exp => "Exp",
        Activation::Sqrt => "Sqrt",
        Activation::Negate => "Neg",
        Activation::Abs => "Abs",
        Activation::Relu6 => {
            let (low, high) = (e.floats(&[], &[0.0]), e.floats(&[], &[6.0]));
            return e.node("Clip", &[&x, &low, &high], &[]);
        }
        Activation::LeakyRelu(slope) => return e.node("LeakyRelu", &[&x], &[Attribute::Float("alpha", *slope)]),
        Activation::Prelu(slopes) => {
            let channels = slopes.shape().elements();
            let dims = if order == Order::Same { vec![channels] } else { vec![channels, 1, 1] };
            let slopes = e.floats(&dims, &slopes.to_f32());
            return e.node("PRelu", &[&x, &slopes], &[]);
        }
        Activation::Silu => {
            let gate = e.node("Sigmoid", &[&x], &[]);
            return e.node("Mul", &[&x, &gate], &[]);
        }
        Activation::Rsqrt => {
            let root = e.node("Sqrt", &[&x], &[]);
            return e.node("Reciprocal", &[&root], &[]);
        }
        Activation::Square => return e.node("Mul", &[&x, &x], &[]),
    };
    e.node(op, &[&x], &[])
}
