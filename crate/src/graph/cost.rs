use super::{Graph, MemoryPlan, Source};

/// Work of a whole graph, or of a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Floating point operations; a multiply-add counts as two.
    pub flops: u64,
    /// Bytes that must at least move: inputs, weights and output of each operation once, as f32.
    pub bytes: u64,
}

/// Work of one operation.
#[derive(Clone, Debug)]
pub struct NodeCost {
    /// Name of the operation.
    pub operation: &'static str,
    /// Shape of its result.
    pub output: super::Shape,
    /// Its work.
    pub cost: Cost,
}

impl Graph {
    /// Work of each operation, in the order in which they run.
    pub fn node_costs(&self) -> Vec<NodeCost> {
        let plan = MemoryPlan::new(self);
        self.nodes()
            .iter()
            .enumerate()
            .map(|(i, node)| {
                let inputs = self.input_shapes(node);
                let output = self.shape(node.output);
                let operation = &node.operation;
                let moved = if !plan.computes(self, i) {
                    0
                } else {
                    let elements: usize = inputs.iter().map(|s| s.elements()).sum::<usize>() + output.elements();
                    4 * elements as u64 + operation.weight_bytes()
                };
                let cost = Cost { flops: operation.flops(&inputs, output), bytes: moved };
                NodeCost { operation: operation.name(), output: output.clone(), cost }
            })
            .collect()
    }

    /// Work of one run.
    pub fn cost(&self) -> Cost {
        self.node_costs()
            .iter()
            .fold(Cost::default(), |sum, n| Cost { flops: sum.flops + n.cost.flops, bytes: sum.bytes + n.cost.bytes })
    }

    /// Bytes of all weights as f32, what an executor keeps.
    pub fn weight_bytes(&self) -> u64 {
        let constants = self.nodes().iter().flat_map(|n| &n.inputs).filter_map(|&v| match self.source(v) {
            Source::Constant(c) => Some(4 * c.shape().elements() as u64),
            _ => None,
        });
        constants.chain(self.nodes().iter().map(|n| n.operation.weight_bytes())).sum()
    }
}
