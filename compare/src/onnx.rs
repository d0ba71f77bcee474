//! A graph as an ONNX file, for other runtimes.
//!
//! ONNX pictures are `[batch, channels, height, width]`, ours have the channels last. Values of four axes are therefore
//! written in that order wherever an operation allows it, inputs and outputs of the network included, so that no
//! transposition is left inside a network that has none: the other runtime gets the file it would get from its friends.

mod translate;

use std::collections::HashMap;

use parlante::graph::{Constant, Graph, Shape, Source, Value};

use crate::{Outcome, protobuf::Message};

/// Version of the operators; the first with GELU.
const OPSET: i64 = 20;
/// Version of the file format that goes with it.
const IR_VERSION: i64 = 9;
/// ONNX's number of 32-bit floating point elements.
const FLOAT: i64 = 1;
/// ONNX's number of 64-bit whole elements.
const INT64: i64 = 7;

/// Writes `graph` as an ONNX model. Inputs and outputs keep their names; those of four axes have their channels second.
///
/// # Errors
/// When an operation has no translation.
pub fn export(graph: &Graph, name: &str) -> Outcome<Vec<u8>> {
    let mut exporter = Exporter { graph, body: Message::default(), names: HashMap::new(), next: 0 };
    for port in graph.inputs() {
        let order = Order::of(graph.shape(port.value));
        exporter.names.insert((port.value, order), port.name.clone());
    }
    for node in graph.nodes() {
        translate::node(&mut exporter, node).map_err(|e| format!("{name}: {}: {e}", node.operation.name()))?;
    }
    for port in graph.outputs() {
        let from = exporter.value(port.value, Order::of(graph.shape(port.value)));
        exporter.push("Identity", &[&from], &[], &port.name);
    }
    let mut body = exporter.body.bytes(2, name.as_bytes());
    for (field, ports) in [(11, graph.inputs()), (12, graph.outputs())] {
        for port in ports {
            let dims = Order::of(graph.shape(port.value)).dims(graph.shape(port.value));
            body = body.message(field, declaration(&port.name, &dims));
        }
    }
    let operators = Message::default().bytes(1, b"").int(2, OPSET);
    let model = Message::default().int(1, IR_VERSION).bytes(2, b"parlante").message(8, operators).message(7, body);
    Ok(model.finish())
}

/// The numbers of an input or output in the order in which the file has them.
pub fn ordered(values: &[f32], shape: &Shape) -> Vec<f32> {
    let Some([batch, height, width, channels]) = shape.nhwc() else { return values.to_vec() };
    let pixels = height * width;
    let mut out = vec![0.0; values.len()];
    for (n, c) in (0..batch).flat_map(|n| (0..channels).map(move |c| (n, c))) {
        for pixel in 0..pixels {
            out[(n * channels + c) * pixels + pixel] = values[(n * pixels + pixel) * channels + c];
        }
    }
    out
}

/// Lengths of the axes of an input or output in the order in which the file has them.
pub fn dims(shape: &Shape) -> Vec<usize> {
    Order::of(shape).dims(shape)
}

/// Order of the axes of a value in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Order {
    /// As in the graph.
    Same,
    /// Of four axes, the last one second.
    ChannelsSecond,
}

impl Order {
    /// The order of inputs and outputs.
    fn of(shape: &Shape) -> Self {
        if shape.rank() == 4 { Self::ChannelsSecond } else { Self::Same }
    }

    /// One thing for each axis in this order.
    fn sort<T: Copy>(self, axes: &[T]) -> Vec<T> {
        match (self, axes) {
            (Self::ChannelsSecond, &[n, h, w, c]) => vec![n, c, h, w],
            _ => axes.to_vec(),
        }
    }

    /// The place of an axis in this order.
    fn axis(self, axis: usize) -> usize {
        match self {
            Self::Same => axis,
            Self::ChannelsSecond => [0, 2, 3, 1][axis],
        }
    }

    fn dims(self, shape: &Shape) -> Vec<usize> {
        self.sort(shape.dims())
    }
}

/// A file under construction.
struct Exporter<'a> {
    graph: &'a Graph,
    body: Message,
    /// Names of values in the orders in which they exist.
    names: HashMap<(Value, Order), String>,
    next: usize,
}

impl<'a> Exporter<'a> {
    fn name(&mut self) -> String {
        self.next += 1;
        format!("value {}", self.next)
    }

    /// True when the value has been written in this order.
    fn has(&self, value: Value, order: Order) -> bool {
        self.names.contains_key(&(value, order))
    }

    /// The name of a value in this order; transposed if need be.
    fn value(&mut self, value: Value, order: Order) -> String {
        if let Some(name) = self.names.get(&(value, order)) {
            return name.clone();
        }
        let graph = self.graph;
        let name = if let Source::Constant(constant) = graph.source(value) {
            let values =
                if order == Order::Same { constant.to_f32() } else { ordered(&constant.to_f32(), constant.shape()) };
            self.floats(&order.dims(constant.shape()), &values)
        } else {
            let (other, axes): (_, &[i64]) = match order {
                Order::Same => (Order::ChannelsSecond, &[0, 2, 3, 1]),
                Order::ChannelsSecond => (Order::Same, &[0, 3, 1, 2]),
            };
            let from = self.names.get(&(value, other)).cloned().unwrap_or_default();
            self.node("Transpose", &[&from], &[ints("perm", axes)])
        };
        self.names.insert((value, order), name.clone());
        name
    }

    /// Adds an operation and returns the name of its result.
    fn node(&mut self, op: &str, inputs: &[&str], attributes: &[Attribute]) -> String {
        let output = self.name();
        self.push(op, inputs, attributes, &output);
        output
    }

    fn push(&mut self, op: &str, inputs: &[&str], attributes: &[Attribute], output: &str) {
        let mut node = Message::default();
        for input in inputs {
            node = node.bytes(1, input.as_bytes());
        }
        node = node.bytes(2, output.as_bytes()).bytes(3, output.as_bytes()).bytes(4, op.as_bytes());
        for attribute in attributes {
            node = node.message(5, attribute.message());
        }
        self.body = std::mem::take(&mut self.body).message(1, node);
    }

    /// Weights.
    fn floats(&mut self, dims: &[usize], values: &[f32]) -> String {
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(FLOAT, dims, &raw)
    }

    /// Whole numbers, such as a shape.
    fn wholes(&mut self, values: &[usize]) -> String {
        let raw: Vec<u8> = values.iter().flat_map(|&v| (v as i64).to_le_bytes()).collect();
        self.tensor(INT64, &[values.len()], &raw)
    }

    /// Weights with their axes in another order.
    fn permuted(&mut self, constant: &Constant, axes: &[usize]) -> Outcome<String> {
        let constant = constant.permuted(axes)?;
        Ok(self.floats(constant.shape().dims(), &constant.to_f32()))
    }

    fn tensor(&mut self, kind: i64, dims: &[usize], raw: &[u8]) -> String {
        let name = self.name();
        let mut tensor = Message::default();
        for &dim in dims {
            tensor = tensor.int(1, dim as i64);
        }
        tensor = tensor.int(2, kind).bytes(8, name.as_bytes()).bytes(9, raw);
        self.body = std::mem::take(&mut self.body).message(5, tensor);
        name
    }
}

/// A setting of an operation.
enum Attribute {
    Int(&'static str, i64),
    Float(&'static str, f32),
    Text(&'static str, &'static str),
    Ints(&'static str, Vec<i64>),
}

/// Several whole numbers.
fn ints(name: &'static str, values: &[i64]) -> Attribute {
    Attribute::Ints(name, values.to_vec())
}

/// Several sizes.
fn sizes(name: &'static str, values: &[usize]) -> Attribute {
    Attribute::Ints(name, values.iter().map(|&v| v as i64).collect())
}

impl Attribute {
    fn message(&self) -> Message {
        let named = |name: &str, kind| Message::default().bytes(1, name.as_bytes()).int(20, kind);
        match self {
            Self::Float(name, value) => named(name, 1).float(2, *value),
            Self::Int(name, value) => named(name, 2).int(3, *value),
            Self::Text(name, value) => named(name, 3).bytes(4, value.as_bytes()),
            Self::Ints(name, values) => values.iter().fold(named(name, 7), |message, &value| message.int(8, value)),
        }
    }
}

/// An input or output with its shape.
fn declaration(name: &str, dims: &[usize]) -> Message {
    let shape =
        dims.iter().fold(Message::default(), |shape, &dim| shape.message(1, Message::default().int(1, dim as i64)));
    let tensor = Message::default().int(1, FLOAT).message(2, shape);
    Message::default().bytes(1, name.as_bytes()).message(2, Message::default().message(1, tensor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_get_their_channels_second() {
        let shape = Shape::from([1, 2, 1, 3]);
        assert_eq!(dims(&shape), [1, 3, 2, 1]);
        assert_eq!(ordered(&[0., 1., 2., 3., 4., 5.], &shape), [0., 3., 1., 4., 2., 5.]);
        assert_eq!(ordered(&[0., 1.], &Shape::from([2, 1])), [0., 1.]);
    }

    /// The file itself is tested by running it: `npm run compare`.
    #[test]
    fn a_network_of_convolutions_has_no_transposition_inside() {
        let block = crate::networks::spade(8).expect("the block is valid");
        let file = export(&block, "block").expect("all its operations are known");
        let count = |word: &[u8]| file.windows(word.len()).filter(|w| w == &word).count();
        assert_eq!((count(b"Transpose"), count(b"InstanceNormalization")), (0, 2));
        assert_eq!(count(b"\x22\x04Conv"), 8);
    }
}
