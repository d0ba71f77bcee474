//! Networks that are made, run and dropped leave nothing behind, on the processor and on the GPU.

use std::sync::Arc;

use parlante::{
    exec::{AdapterChoice, CpuSession, Gpu, wgpu::GpuSession},
    graph::{Constant, Graph, GraphBuilder, GraphError},
    ops::Conv2d,
};

/// Instances that are made; the first ones fill what drivers and allocators keep.
const INSTANCES: usize = 50;
const SETTLED: usize = 20;
/// What the process may still grow by, bytes. One instance that stays holds 5 MB of weights and buffers.
const SLACK: i64 = 16_000_000;

fn network() -> Result<Graph, GraphError> {
    let mut b = GraphBuilder::new();
    let x = b.input("x", [1, 32, 32, 128])?;
    let weight = Constant::f32([512, 3, 3, 128], vec![0.01; 512 * 9 * 128])?;
    let y = b.conv2d(x, Conv2d::new(weight))?;
    b.output("y", y)?;
    b.build()
}

/// Memory of this process in bytes, where the system tells.
fn resident() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<i64>().ok()? * 1024)
}

/// One test, because memory is counted for the whole process.
#[test]
fn fifty_instances_leave_nothing_behind() {
    let graph = network().expect("a valid network");
    let x = vec![0.5; 32 * 32 * 128];
    let mut settled = None;
    for instance in 0..INSTANCES {
        let mut session = CpuSession::new(&graph).expect("the processor runs it");
        let expected = session.run(&[&x]).expect("the processor runs it");
        let gpu: Arc<Gpu> = pollster::block_on(Gpu::open(AdapterChoice::Fastest))
            .expect("the tests need a GPU; a software one will do (Debian: apt install mesa-vulkan-drivers)");
        let mut session = GpuSession::new(&graph, &gpu).expect("the GPU prepares it");
        let found = pollster::block_on(session.run(&[&x])).expect("the GPU runs it");
        let middle = 16 * 32 * 512 + 8 * 512;
        assert!((found[0][middle] - expected[0][middle]).abs() < 1e-3 * expected[0][middle].abs());
        if instance == SETTLED {
            settled = resident();
        }
    }
    if let (Some(settled), Some(end)) = (settled, resident()) {
        assert!(end - settled < SLACK, "{} bytes stayed behind", end - settled);
    }
}
