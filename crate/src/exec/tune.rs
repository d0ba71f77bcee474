//! How shaders are laid out best on an adapter: measured on the costliest operation of the network that will run, and
//! kept for the next time.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{ExecError, Gpu, GpuError, clock::seconds, gpu::PipelineKey, wgpu::GpuSession};
use crate::graph::{Graph, Tile, Tuning};

/// Runs of each layout that are timed, after one that warms up.
const RUNS: usize = 2;
/// No graphics card takes longer than these seconds at fewer operations a second than that: it is a processor that plays
/// one.
const SLOW: (f64, f64) = (0.005, 30e9);

/// The fastest layout and what it took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuned {
    /// The layout.
    pub tuning: Tuning,
    /// Seconds of the operation that was timed.
    pub seconds: f64,
    /// False when time was up before every layout was tried.
    pub complete: bool,
}

/// Times the costliest operation of `graph` that has several layouts in each of them, as long as that takes less than
/// `limit` seconds together (compiling included), but one at least. Ends early when even the first is slower than `hopeless`
/// seconds: then the whole network is. Where no operation has several, that is all there is to find out.
///
/// # Errors
/// [`ExecError::Gpu`] when no layout runs.
pub async fn tune(graph: &Graph, gpu: &Arc<Gpu>, limit: f64, hopeless: f64) -> Result<Tuned, ExecError> {
    let start = seconds();
    let costs = graph.node_costs();
    let mut costliest: Vec<usize> = (0..costs.len()).collect();
    costliest.sort_by_key(|&i| std::cmp::Reverse(costs[i].cost.flops));
    let several = costliest.iter().copied().find(|&i| depends(graph, i));
    let layouts = if several.is_some() { Tuning::CANDIDATES.len() } else { 1 };
    let costliest = several.or(costliest.first().copied());
    let usual = Tuned { tuning: Tuning::default(), seconds: 0.0, complete: true };
    let Some((part, flops)) = costliest.map(|i| (graph.single(i), costs[i].cost.flops)) else { return Ok(usual) };
    let (mut best, mut refused): (Option<Tuned>, _) = (None, None);
    for tuning in Tuning::CANDIDATES.into_iter().take(layouts) {
        if let Some(found) = best.filter(|b| b.seconds > hopeless || seconds() - start > limit) {
            return Ok(Tuned { complete: false, ..found });
        }
        if best.is_some_and(|b| barriers(tuning) && simulated(flops, b.seconds)) {
            continue;
        }
        match time(&part, gpu, tuning).await {
            Ok(seconds) if best.is_none_or(|b| seconds < b.seconds) => {
                best = Some(Tuned { tuning, seconds, complete: true });
            }
            Ok(_) => {}
            // One layout that an adapter does not take says nothing about the others.
            Err(error) => refused = Some(error),
        }
    }
    best.ok_or_else(|| refused.unwrap_or(ExecError::Gpu(GpuError::Refused("no layout".to_owned()))))
}

/// Whether layouts make a difference to an operation.
fn depends(graph: &Graph, node: usize) -> bool {
    let node = &graph.nodes()[node];
    let [one, other] = [Tuning::CANDIDATES[0], Tuning::CANDIDATES[Tuning::CANDIDATES.len() - 1]].map(|tuning| {
        let dispatches = node.operation.gpu(&graph.input_shapes(node), graph.shape(node.output), tuning);
        dispatches.iter().map(|d| PipelineKey::new(d.shader, &d.constants)).collect::<Vec<_>>()
    });
    one != other
}

/// Whether invocations of a layout wait for each other.
const fn barriers(tuning: Tuning) -> bool {
    matches!(tuning.product, Tile::Shared { .. })
}

/// Whether a processor plays the graphics card, by what an operation took. It keeps a stack for every invocation that
/// waits at a barrier: SwiftShader needs more than ten gigabytes for the landmarker's largest convolution, and dies.
fn simulated(flops: u64, seconds: f64) -> bool {
    seconds > SLOW.0 && (flops as f64) < SLOW.1 * seconds
}

/// Seconds of the faster of a few runs.
async fn time(part: &Graph, gpu: &Arc<Gpu>, tuning: Tuning) -> Result<f64, ExecError> {
    let mut session = GpuSession::prepare(part, gpu, tuning, |_, _| {}).await?;
    let mut best = f64::INFINITY;
    for run in 0..=RUNS {
        let start = seconds();
        session.run_node(0, 1).await?;
        if run > 0 {
            best = best.min(seconds() - start);
        }
    }
    Ok(best)
}

/// Layouts by adapter, as text that the caller keeps: a file natively, IndexedDB in a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TuningTable(BTreeMap<String, Tuning>);

impl TuningTable {
    /// Reads what [`Self::to_string`](ToString::to_string) wrote. What cannot be read is an empty table: it is measured again.
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// What is known of this adapter.
    pub fn get(&self, gpu: &Gpu) -> Option<Tuning> {
        self.0.get(&key(gpu)).copied()
    }

    /// Remembers the layout for this adapter.
    pub fn insert(&mut self, gpu: &Gpu, tuning: Tuning) {
        self.0.insert(key(gpu), tuning);
    }
}

impl fmt::Display for TuningTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// Another driver compiles other code, so it belongs to the name.
fn key(gpu: &Gpu) -> String {
    let info = &gpu.info;
    format!("{}/{}/{}/{:?}", info.name, info.driver, info.driver_info, info.backend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::{GraphBuilder, Tile},
        ops::{
            Conv2d, Linear,
            testing::{GPU, bytes, weights},
        },
    };

    fn network() -> Graph {
        let mut b = GraphBuilder::new();
        let x = b.input("x", [1, 16, 16, 8]).unwrap();
        let y = b.add(x, x).unwrap();
        let y = b.conv2d(y, Conv2d::new(weights(1, &[16, 3, 3, 8]))).unwrap();
        b.output("y", y).unwrap();
        b.build().unwrap()
    }

    #[test]
    fn every_layout_is_timed_unless_time_is_up_or_it_is_hopeless() {
        let tune = |limit, hopeless| pollster::block_on(tune(&network(), &GPU, limit, hopeless)).unwrap();
        let all = tune(60.0, 60.0);
        assert!(all.complete && all.seconds > 0.0 && Tuning::CANDIDATES.contains(&all.tuning), "{all:?}");
        for short in [tune(0.0, 60.0), tune(60.0, 0.0)] {
            assert!(!short.complete && short.tuning == Tuning::CANDIDATES[0], "{short:?}");
        }
    }

    #[test]
    fn a_processor_is_told_from_a_graphics_card_by_what_a_large_operation_takes() {
        assert!(simulated(50_000_000, 0.020));
        // An old telephone's, and any other that is asked for little: starting takes its time.
        assert!(!simulated(400_000_000, 0.010) && !simulated(300_000, 0.001));
        let first = Tuning::CANDIDATES.iter().position(|&t| barriers(t));
        assert_eq!(first, Some(3), "those without barriers come first");
    }

    #[test]
    fn a_network_without_operations_needs_no_layout() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", [4]).unwrap();
        b.output("y", x).unwrap();
        let tuned = pollster::block_on(tune(&b.build().unwrap(), &GPU, 1.0, 1.0)).unwrap();
        assert_eq!(tuned.tuning, Tuning::default());
    }

    #[test]
    fn what_has_one_layout_only_is_not_timed() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", [2, 32]).unwrap();
        // More work than the convolution, but its weights are read as they are stored.
        let y = b.linear(x, Linear::new(bytes(1, &[960, 32]))).unwrap();
        let z = b.reshape(y, [1, 1, 2, 960]).unwrap();
        let z = b.conv2d(z, Conv2d::new(weights(2, &[4, 1, 1, 960]))).unwrap();
        b.output("z", z).unwrap();
        let graph = b.build().unwrap();
        let costs = graph.node_costs();
        assert!(costs[0].cost.flops > costs[2].cost.flops);
        assert_eq!([0, 1, 2].map(|node| depends(&graph, node)), [false, false, true]);
    }

    #[test]
    fn a_table_survives_being_written_and_a_broken_one_is_empty() {
        let mut table = TuningTable::default();
        assert_eq!(table.get(&GPU), None);
        let tuning = Tuning { product: Tile::Registers { pixels: 8, vectors: 2 } };
        table.insert(&GPU, tuning);
        let read = TuningTable::parse(&table.to_string());
        assert_eq!(read, table);
        assert_eq!(read.get(&GPU), Some(tuning));
        assert_eq!(TuningTable::parse("{\"some GPU\": 7"), TuningTable::default());
    }
}
