use super::{Graph, Source, Value};

/// A piece of memory that several values use one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub usize);

/// Slots that are handed out step by step.
#[derive(Clone, Debug, Default)]
struct Slots {
    /// Elements.
    pub sizes: Vec<usize>,
    /// The last step that reads what lies in each.
    busy_until: Vec<usize>,
}

impl Slots {
    /// A slot for what a step writes and others read up to `last_use`.
    pub fn take(&mut self, step: usize, elements: usize, last_use: usize) -> Slot {
        // A slot whose value is read by this very step is still busy: none reads and writes one buffer.
        let free = (0..self.sizes.len()).filter(|&s| self.busy_until[s] < step);
        let slot = free.min_by_key(|&s| self.sizes[s].abs_diff(elements)).unwrap_or_else(|| {
            self.sizes.push(0);
            self.busy_until.push(0);
            self.sizes.len() - 1
        });
        self.sizes[slot] = self.sizes[slot].max(elements);
        self.busy_until[slot] = last_use;
        Slot(slot)
    }
}

/// Which value lives where: made once, so that a run allocates nothing.
///
/// Whole buffers are reused rather than ranges of one arena: WebGPU forbids to read and write one buffer in the same
/// dispatch, however far apart the ranges are. Going through the nodes in order, a result takes the free slot whose size
/// is nearest and grows it if need be; a slot becomes free after the last reader of its value. Inputs, outputs and
/// constants keep memory of their own.
#[derive(Clone, Debug)]
pub struct MemoryPlan {
    sizes: Vec<usize>,
    slots: Vec<Option<Slot>>,
    roots: Vec<Value>,
}

impl MemoryPlan {
    /// Plans the memory of `graph`.
    pub fn new(graph: &Graph) -> Self {
        // A view is its source under another shape: both are one piece of memory, named by the root.
        let mut roots: Vec<Value> = (0..graph.value_count() as u32).map(Value).collect();
        for node in graph.nodes() {
            if node.operation.is_view() {
                roots[node.output.index()] = roots[node.inputs[0].index()];
            }
        }
        let mut last_use = vec![0usize; graph.value_count()];
        for (i, node) in graph.nodes().iter().enumerate() {
            for value in node.inputs.iter().chain([&node.output]) {
                last_use[roots[value.index()].index()] = i;
            }
        }
        for port in graph.outputs() {
            last_use[roots[port.value.index()].index()] = usize::MAX;
        }
        let mut slots: Vec<Option<Slot>> = vec![None; graph.value_count()];
        let mut taken = Slots::default();
        for (i, node) in graph.nodes().iter().enumerate() {
            if !node.operation.is_view() {
                let needed = graph.shape(node.output).elements();
                slots[node.output.index()] = Some(taken.take(i, needed, last_use[node.output.index()]));
            }
        }
        Self { sizes: taken.sizes, slots, roots }
    }

    /// Sizes of the slots in elements.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The value whose memory this value is: itself, or the source of a chain of views.
    pub fn root(&self, value: Value) -> Value {
        self.roots[value.index()]
    }

    /// The slot of a value; `None` for graph inputs and constants (and views of them).
    pub fn slot(&self, value: Value) -> Option<Slot> {
        self.slots[self.root(value).index()]
    }

    /// Elements of all slots together.
    pub fn elements(&self) -> usize {
        self.sizes.iter().sum()
    }

    /// Elements that would be needed if nothing was reused.
    pub fn elements_without_reuse(graph: &Graph) -> usize {
        let made = |v: Value| matches!(graph.source(v), Source::Node(_));
        let nodes = graph.nodes().iter().filter(|n| !n.operation.is_view() && made(n.output));
        nodes.map(|n| graph.shape(n.output).elements()).sum()
    }
}
