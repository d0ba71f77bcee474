use super::{Alias, Graph, Source, Value};

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

/// Where a value lies: in the memory of another one, or in its own from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The value whose memory it is.
    pub root: Value,
    /// The first element in there.
    pub offset: usize,
}

/// Which value lives where: made once, so that a run allocates nothing and copies as little as it can.
///
/// A reshaped value, or a slice along its first axis, is the value it comes from; values that are joined along their first
/// axis are written where the result has them. So a streaming step, which puts a state before its input and keeps the last
/// rows as the next state, moves nothing.
///
/// Whole buffers are reused rather than ranges of one arena: WebGPU forbids to read and write one buffer in the same
/// dispatch, however far apart the ranges are. Going through the nodes in order, a result takes the free slot whose size
/// is nearest and grows it if need be; a slot becomes free after the last reader of its value. Inputs, outputs and
/// constants keep memory of their own.
#[derive(Clone, Debug)]
pub struct MemoryPlan {
    sizes: Vec<usize>,
    slots: Vec<Option<Slot>>,
    /// For each value, the one whose memory holds it, and from which element on; none for those with their own.
    holders: Vec<Option<Place>>,
}

/// Every value begins at a multiple of so many elements, 256 bytes: WebGPU's limit for what is bound in the middle of a buffer.
const ALIGNMENT: usize = 64;

impl MemoryPlan {
    /// Plans the memory of `graph`.
    pub fn new(graph: &Graph) -> Self {
        let holders = vec![None; graph.value_count()];
        let mut plan = Self { sizes: Vec::new(), slots: vec![None; graph.value_count()], holders };
        plan.find_views(graph);
        (0..graph.nodes().len()).for_each(|node| plan.join(graph, node));
        plan.take_slots(graph);
        plan
    }

    /// Results that are a part of their first input.
    fn find_views(&mut self, graph: &Graph) {
        for node in graph.nodes() {
            if let Alias::Part(offset) = node.operation.alias(&graph.input_shapes(node), graph.shape(node.output))
                && offset.is_multiple_of(ALIGNMENT)
            {
                self.holders[node.output.index()] = Some(Place { root: node.inputs[0], offset });
            }
        }
    }

    /// Puts the inputs of a node that joins them where its result has them, if it can be done for all: each has memory of
    /// its own that is written after the plan is made, and nothing is written where the same operation reads.
    fn join(&mut self, graph: &Graph, node: usize) {
        let node = &graph.nodes()[node];
        if node.operation.alias(&graph.input_shapes(node), graph.shape(node.output)) != Alias::Joined {
            return;
        }
        let before = self.holders.clone();
        let mut offset = 0;
        let mut place = |&part: &Value| {
            // A value under another shape goes there under its own.
            let Place { root, offset: within } = self.place(part);
            let whole = graph.shape(root).elements() == graph.shape(part).elements();
            let fits = within == 0 && whole && root != node.output && offset % ALIGNMENT == 0;
            if fits {
                self.holders[root.index()] = Some(Place { root: node.output, offset });
            }
            offset += graph.shape(part).elements();
            fits && !matches!(graph.source(root), Source::Constant(_))
        };
        let all = node.inputs.iter().all(&mut place);
        if !all || !self.reads_and_writes_apart(graph) {
            self.holders = before;
        }
    }

    fn reads_and_writes_apart(&self, graph: &Graph) -> bool {
        let apart = |output: Value, input: &Value| self.place(*input).root != self.place(output).root;
        let mut computed =
            graph.nodes().iter().filter(|node| self.holds_nothing_else(node.inputs.first(), node.output));
        computed.all(|node| node.inputs.iter().all(|input| apart(node.output, input)))
    }

    /// Whether neither value is the other's memory.
    fn holds_nothing_else(&self, input: Option<&Value>, output: Value) -> bool {
        let holds = |holder: Value, value: Value| self.holders[value.index()].is_some_and(|place| place.root == holder);
        input.is_none_or(|&input| !holds(input, output) && !holds(output, input))
    }

    fn take_slots(&mut self, graph: &Graph) {
        let root = |plan: &Self, value: Value| plan.place(value).root;
        let mut last_use = vec![0usize; graph.value_count()];
        for (i, node) in graph.nodes().iter().enumerate() {
            for &value in node.inputs.iter().chain([&node.output]) {
                last_use[root(self, value).index()] = i;
            }
        }
        for port in graph.outputs() {
            last_use[root(self, port.value).index()] = usize::MAX;
        }
        let mut taken = Slots::default();
        // What an input is joined to is there from the start.
        let inputs = graph.inputs().iter().map(|port| (0, port.value));
        for (i, value) in inputs.chain(graph.nodes().iter().enumerate().map(|(i, node)| (i, node.output))) {
            let root = root(self, value);
            if matches!(graph.source(root), Source::Node(_)) && self.slots[root.index()].is_none() {
                let slot = taken.take(i, graph.shape(root).elements(), last_use[root.index()]);
                self.slots[root.index()] = Some(slot);
            }
        }
        self.sizes = taken.sizes;
    }

    /// Sizes of the slots in elements.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Where a value lies.
    pub fn place(&self, value: Value) -> Place {
        let mut place = Place { root: value, offset: 0 };
        while let Some(holder) = self.holders[place.root.index()] {
            place = Place { root: holder.root, offset: place.offset + holder.offset };
        }
        place
    }

    /// The slot of a value; `None` for graph inputs and constants (and parts of them).
    pub fn slot(&self, value: Value) -> Option<Slot> {
        self.slots[self.place(value).root.index()]
    }

    /// Whether a node has anything to do: its result may lie where its inputs are.
    pub fn computes(&self, graph: &Graph, node: usize) -> bool {
        let node = &graph.nodes()[node];
        self.holds_nothing_else(node.inputs.first(), node.output)
    }

    /// Elements of all slots together.
    pub fn elements(&self) -> usize {
        self.sizes.iter().sum()
    }

    /// Elements that would be needed if nothing was reused.
    pub fn elements_without_reuse(&self, graph: &Graph) -> usize {
        let own = |value: &Value| self.place(*value).root == *value;
        graph.nodes().iter().map(|node| node.output).filter(own).map(|v| graph.shape(v).elements()).sum()
    }
}
