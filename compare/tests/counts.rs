//! What the networks cost, in counts that do not depend on the machine. A change here is a decision, not an accident:
//! whoever makes a network larger, splits an operation or loses a fusion sees it in this file.

use std::path::Path;

use compare::networks;
use parlante::{
    graph::{Graph, MemoryPlan, Tuning},
    pack::Pack,
};

/// Name, floating point operations, bytes that must move, dispatches on a GPU, elements of all buffers between
/// operations.
type Counts = (&'static str, u64, u64, usize, usize);

const RECORDED: [Counts; 6] = [
    ("lips", 1_250_592, 2_519_068, 7, 1_568),
    ("encoder", 10_142_016, 9_645_632, 15, 6_720),
    ("segmenter", 124_575_488, 47_186_592, 97, 1_073_152),
    ("landmarker", 226_228_736, 56_516_464, 118, 786_433),
    ("spade-small", 982_056_960, 33_751_040, 12, 106_496),
    ("spade", 62_851_645_440, 227_803_136, 12, 6_815_744),
];

const WHAT_TO_DO: &str = "a network's cost changed: if that is meant (a new network, a better fusion), write the numbers \
                          found into RECORDED and say in the commit what they were before; if not, find what grew with \
                          `compare PACK profile NAME`";

fn count(name: &'static str, graph: &Graph) -> Counts {
    let plan = MemoryPlan::new(graph);
    let dispatches = |(i, node): (usize, &parlante::graph::Node)| match plan.computes(graph, i) {
        true => node.operation.gpu(&graph.input_shapes(node), graph.shape(node.output), Tuning::default()).len(),
        false => 0,
    };
    let cost = graph.cost();
    let dispatches = graph.nodes().iter().enumerate().map(dispatches).sum();
    (name, cost.flops, cost.bytes, dispatches, plan.elements())
}

#[test]
fn networks_cost_what_they_are_known_to_cost() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../build/parlante-default.gguf");
    let bytes = std::fs::read(path).expect("the default pack is there after `npm start` or `cargo xtask pack`");
    let pack = Pack::from_bytes(bytes).expect("a good pack");
    let found = networks::NAMES.map(|name| count(name, &networks::graph(&pack, name).expect("a whole network")));
    assert_eq!(found, RECORDED, "{WHAT_TO_DO}");
}
