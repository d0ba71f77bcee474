use std::{fmt, sync::Arc};

use super::{Constant, GraphError, Operation, Shape};
use crate::ops::{Binary, Kind};

/// A tensor of a graph that will exist at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub(crate) u32);

impl Value {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Given with each run.
    Input,
    /// Always the same.
    Constant(Constant),
    /// Made by the node of this index.
    Node(usize),
}

#[derive(Clone, Debug)]
struct Definition {
    shape: Shape,
    source: Source,
}

/// One operation applied to values.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is done.
    pub operation: Arc<dyn Operation>,
    /// To what.
    pub inputs: Vec<Value>,
    /// What comes out.
    pub output: Value,
}

/// A named input or output.
#[derive(Clone, Debug)]
pub struct Port {
    /// Name, unique among inputs and among outputs.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// Collects the operations of a network; see the [module](super).
///
/// The methods that add operations (`conv2d`, `linear`, …) are written beside the operations, in [`crate::ops`].
#[derive(Debug, Default)]
pub struct GraphBuilder {
    values: Vec<Definition>,
    nodes: Vec<Node>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

impl GraphBuilder {
    /// An empty network.
    pub fn new() -> Self {
        Self::default()
    }

    /// A value that is given with each run, in the order in which inputs are declared.
    ///
    /// # Errors
    /// [`GraphError::Size`] or [`GraphError::DuplicateName`].
    pub fn input(&mut self, name: impl Into<String>, shape: impl Into<Shape>) -> Result<Value, GraphError> {
        let name = name.into();
        if self.inputs.iter().any(|p| p.name == name) {
            return Err(GraphError::DuplicateName(name));
        }
        let value = self.define(shape.into(), Source::Input)?;
        self.inputs.push(Port { name, value });
        Ok(value)
    }

    /// Weights as a value, for operations that take values (a positional table that is added, for instance).
    ///
    /// # Errors
    /// None today; the signature leaves room for limits.
    pub fn constant(&mut self, constant: Constant) -> Result<Value, GraphError> {
        self.define(constant.shape().clone(), Source::Constant(constant))
    }

    /// Adds an operation and returns its result. The named methods (`conv2d`, …) end here.
    ///
    /// # Errors
    /// The operation's shape rule, or a value of another builder.
    pub fn apply(&mut self, operation: impl Operation + 'static, inputs: &[Value]) -> Result<Value, GraphError> {
        if inputs.iter().any(|v| v.index() >= self.values.len()) {
            return Err(GraphError::ForeignValue);
        }
        let shapes: Vec<&Shape> = inputs.iter().map(|&v| self.shape(v)).collect();
        let shape = operation.shape(&shapes)?;
        let output = self.define(shape, Source::Node(self.nodes.len()))?;
        self.nodes.push(Node { operation: Arc::new(operation), inputs: inputs.to_vec(), output });
        Ok(output)
    }

    /// Names a result. Outputs are returned in the order in which they are named.
    ///
    /// # Errors
    /// [`GraphError::DuplicateName`] or [`GraphError::ForeignValue`].
    pub fn output(&mut self, name: impl Into<String>, value: Value) -> Result<(), GraphError> {
        let name = name.into();
        if value.index() >= self.values.len() {
            return Err(GraphError::ForeignValue);
        }
        if self.outputs.iter().any(|p| p.name == name) {
            return Err(GraphError::DuplicateName(name));
        }
        self.outputs.push(Port { name, value });
        Ok(())
    }

    /// Shape of a value of this builder.
    ///
    /// # Panics
    /// When the value belongs to another builder, which is a defect of the calling code.
    pub fn shape(&self, value: Value) -> &Shape {
        &self.values[value.index()].shape
    }

    /// Finishes the network: folds sums and activations into the operations before them and drops what no output needs.
    ///
    /// # Errors
    /// [`GraphError::NoOutput`].
    pub fn build(self) -> Result<Graph, GraphError> {
        if self.outputs.is_empty() {
            return Err(GraphError::NoOutput);
        }
        let mut graph = Graph { values: self.values, nodes: self.nodes, inputs: self.inputs, outputs: self.outputs };
        graph.fold_sums();
        graph.fold_activations();
        graph.drop_unused();
        Ok(graph)
    }

    fn define(&mut self, shape: Shape, source: Source) -> Result<Value, GraphError> {
        if !shape.is_addressable() || shape.rank() > Shape::MAX_RANK || self.values.len() >= u32::MAX as usize {
            return Err(GraphError::Size(shape));
        }
        self.values.push(Definition { shape, source });
        Ok(Value(self.values.len() as u32 - 1))
    }
}

/// A finished network: nodes in an order in which they can run.
#[derive(Clone, Debug)]
pub struct Graph {
    values: Vec<Definition>,
    nodes: Vec<Node>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

impl Graph {
    /// Operations in the order in which they run.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What each run must be given.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// What each run returns.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// Shape of a value.
    ///
    /// # Panics
    /// When the value belongs to another graph.
    pub fn shape(&self, value: Value) -> &Shape {
        &self.values[value.index()].shape
    }

    /// Where a value comes from.
    ///
    /// # Panics
    /// When the value belongs to another graph.
    pub fn source(&self, value: Value) -> &Source {
        &self.values[value.index()].source
    }

    /// Number of values, used or not.
    pub fn value_count(&self) -> usize {
        self.values.len()
    }

    /// Position of the output of this name.
    pub fn output_index(&self, name: &str) -> Option<usize> {
        self.outputs.iter().position(|p| p.name == name)
    }

    /// Position of the input of this name.
    pub fn input_index(&self, name: &str) -> Option<usize> {
        self.inputs.iter().position(|p| p.name == name)
    }

    /// Shapes of a node's inputs.
    pub fn input_shapes(&self, node: &Node) -> Vec<&Shape> {
        node.inputs.iter().map(|&v| self.shape(v)).collect()
    }

    /// One node by itself: what other nodes make for it becomes an input.
    ///
    /// # Panics
    /// When there is no node of this index.
    pub fn single(&self, node: usize) -> Self {
        let node = &self.nodes[node];
        let mut graph = Self { values: Vec::new(), nodes: Vec::new(), inputs: Vec::new(), outputs: Vec::new() };
        let mut inputs = Vec::new();
        for (i, &old) in node.inputs.iter().enumerate() {
            let Definition { shape, source } = self.values[old.index()].clone();
            let value = Value(i as u32);
            let constant = matches!(source, Source::Constant(_));
            graph.values.push(Definition { shape, source: if constant { source } else { Source::Input } });
            if !constant {
                graph.inputs.push(Port { name: i.to_string(), value });
            }
            inputs.push(value);
        }
        let output = Value(inputs.len() as u32);
        let shape = self.shape(node.output).clone();
        graph.values.push(Definition { shape, source: Source::Node(0) });
        graph.nodes.push(Node { operation: node.operation.clone(), inputs, output });
        graph.outputs.push(Port { name: "result".to_owned(), value: output });
        graph
    }

    /// How often each value is read, outputs of the graph included.
    pub(crate) fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.values.len()];
        for value in self.nodes.iter().flat_map(|n| &n.inputs).chain(self.outputs.iter().map(|p| &p.value)) {
            uses[value.index()] += 1;
        }
        uses
    }

    /// A node whose result is read by one sum only takes the other value over as its addend.
    fn fold_sums(&mut self) {
        let uses = self.uses();
        for i in 0..self.nodes.len() {
            let [a, b] = self.nodes[i].inputs[..] else { continue };
            let is_sum = matches!(self.nodes[i].operation.kind(), Kind::Binary(Binary::Add));
            if !is_sum || self.shape(a) != self.shape(b) {
                continue;
            }
            for (before, addend) in [(a, b), (b, a)] {
                let Source::Node(producer) = self.values[before.index()].source else { continue };
                if uses[before.index()] != 1 {
                    continue;
                }
                if let Some(merged) = self.nodes[producer].operation.absorb_addend() {
                    let mut inputs = self.nodes[producer].inputs.clone();
                    inputs.push(addend);
                    // The merged operation runs where the sum ran, when the addend is there.
                    self.nodes[i].operation = merged.into();
                    self.nodes[i].inputs = inputs;
                    break;
                }
            }
        }
    }

    /// A node whose result is read by one activation only takes that activation over: one pass over memory less.
    fn fold_activations(&mut self) {
        let uses = self.uses();
        for i in 0..self.nodes.len() {
            let [before] = self.nodes[i].inputs[..] else { continue };
            let Source::Node(producer) = self.values[before.index()].source else { continue };
            if uses[before.index()] != 1 {
                continue;
            }
            let Some(merged) = self.nodes[producer].operation.absorb(&*self.nodes[i].operation) else { continue };
            // The merged operation must run where the activation ran; the producer becomes unused and is dropped.
            self.nodes[i].operation = merged.into();
            self.nodes[i].inputs = self.nodes[producer].inputs.clone();
        }
    }

    fn drop_unused(&mut self) {
        let mut needed = vec![false; self.values.len()];
        for port in &self.outputs {
            needed[port.value.index()] = true;
        }
        for node in self.nodes.iter().rev() {
            if needed[node.output.index()] {
                for input in &node.inputs {
                    needed[input.index()] = true;
                }
            }
        }
        self.nodes.retain(|n| needed[n.output.index()]);
        for (i, node) in self.nodes.iter().enumerate() {
            self.values[node.output.index()].source = Source::Node(i);
        }
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for port in &self.inputs {
            writeln!(f, "%{} = input {} {}", port.value.0, port.name, self.shape(port.value))?;
        }
        for node in &self.nodes {
            let inputs: Vec<String> = node.inputs.iter().map(|v| format!("%{}", v.0)).collect();
            let name = node.operation.name();
            writeln!(f, "%{} = {name}({}) {}", node.output.0, inputs.join(", "), self.shape(node.output))?;
        }
        for port in &self.outputs {
            writeln!(f, "output {} = %{}", port.name, port.value.0)?;
        }
        Ok(())
    }
}
