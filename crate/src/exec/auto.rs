//! The choice between the executors, by measuring.
//!
//! A software adapter is never the fast way and a small network on a fast GPU often is not either (it waits for the
//! readback), so nothing but a measurement decides.

use std::{fmt, sync::Arc};

use super::{AdapterChoice, ExecError, Gpu, GpuError, clock::seconds, cpu::CpuSession, tune::tune, wgpu::GpuSession};
use crate::graph::{Graph, Tuning};

/// Runs of each executor that are timed; one more before them warms up.
const TIMED_RUNS: usize = 3;
/// An executor that needs longer than this for the first run is not timed further.
const PATIENCE: f64 = 0.5;
/// Seconds that the search for the GPU's layout may take.
const TUNING_LIMIT: f64 = 0.2;
/// A run on the GPU is slow when it takes so many times as long as the processor's.
const SLOW: f64 = 1.5;
/// After so many slow runs in a row the processor takes over: a single one may be another program's fault.
const SLOW_RUNS: u32 = 8;

/// Which executor runs a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executor {
    /// The processor.
    Cpu,
    /// The GPU, by wgpu.
    Wgpu,
}

/// What was measured and chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The faster one.
    pub chosen: Executor,
    /// Seconds of the processor's fastest run.
    pub cpu_seconds: f64,
    /// Seconds of the GPU's fastest run, readback included; `None` without a GPU, or when it failed or was hopeless.
    pub wgpu_seconds: Option<f64>,
    /// The layout that is fastest on the GPU, for [`super::tune::TuningTable`]; `None` where it was not looked for to
    /// the end.
    pub tuning: Option<Tuning>,
    /// Why the GPU was not measured.
    pub wgpu_error: Option<String>,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let processor = 1000.0 * self.cpu_seconds;
        match (&self.wgpu_seconds, &self.wgpu_error) {
            (Some(gpu), _) => write!(f, "{:?} (processor {processor:.1} ms, GPU {:.1} ms)", self.chosen, 1000.0 * gpu),
            (None, Some(error)) => write!(f, "{:?} (processor {processor:.1} ms; {error})", self.chosen),
            (None, None) => write!(f, "{:?} (processor {processor:.1} ms; no GPU)", self.chosen),
        }
    }
}

/// A network on one of the executors.
#[derive(Debug)]
pub struct AutoSession {
    /// Kept to prepare the network again when a GPU is lost.
    graph: Graph,
    session: Either,
    tuning: Tuning,
    /// What the processor needs for a run.
    cpu_seconds: f64,
    /// Runs in a row that were slower than the processor's.
    slow_runs: u32,
}

#[derive(Debug)]
enum Either {
    Cpu(CpuSession),
    Wgpu(GpuSession),
}

impl AutoSession {
    /// Prepares the network on both executors, times a few runs on zeros and keeps the faster one. Without `gpu`, or
    /// when it fails, that is the processor. `known` is the layout that an earlier [`Choice`] found for this GPU;
    /// otherwise it is looked for. Who wants a certain executor makes a [`CpuSession`] or a [`GpuSession`].
    ///
    /// # Errors
    /// [`ExecError::Graph`] when not even the processor can run the network.
    pub async fn choose(
        graph: &Graph,
        gpu: Option<&Arc<Gpu>>,
        known: Option<Tuning>,
    ) -> Result<(Self, Choice), ExecError> {
        let zeros: Vec<Vec<f32>> = graph.inputs().iter().map(|p| vec![0.0; graph.shape(p.value).elements()]).collect();
        let inputs: Vec<&[f32]> = zeros.iter().map(Vec::as_slice).collect();

        let mut cpu = Either::Cpu(CpuSession::new(graph)?);
        let cpu_seconds = cpu.time(&inputs).await?;
        let mut choice =
            Choice { chosen: Executor::Cpu, cpu_seconds, wgpu_seconds: None, tuning: known, wgpu_error: None };
        let mut chosen = cpu;
        if let Some(gpu) = gpu {
            match measure_gpu(graph, gpu, &inputs, &mut choice).await {
                Ok(Some(session)) => (chosen, choice.chosen) = (session, Executor::Wgpu),
                Ok(None) => {}
                Err(error) => choice.wgpu_error = Some(error.to_string()),
            }
        }
        let tuning = choice.tuning.unwrap_or_default();
        Ok((Self { graph: graph.clone(), session: chosen, tuning, cpu_seconds, slow_runs: 0 }, choice))
    }

    /// Where the network runs now.
    pub fn executor(&self) -> Executor {
        match self.session {
            Either::Cpu(_) => Executor::Cpu,
            Either::Wgpu(_) => Executor::Wgpu,
        }
    }

    /// Runs the network: inputs and results in the graph's order, row-major. When the GPU is lost, it is opened again; when
    /// that fails, or the GPU refuses a command, the processor takes over. Either way the caller gets the result of this
    /// run. The processor takes over too when the GPU has become slower than it for a while.
    ///
    /// # Errors
    /// As [`CpuSession::run`].
    pub async fn run(&mut self, inputs: &[&[f32]]) -> Result<Vec<Vec<f32>>, ExecError> {
        let start = seconds();
        match self.session.run(inputs).await {
            Err(ExecError::Gpu(GpuError::Lost(reason))) => {
                log::warn!("the GPU was lost ({reason}); opening it again");
                self.session = reopen(&self.graph, self.tuning).await?;
                self.session.run(inputs).await
            }
            Err(ExecError::Gpu(error)) => {
                log::warn!("{error}; the processor takes over");
                self.session = Either::Cpu(CpuSession::new(&self.graph)?);
                self.session.run(inputs).await
            }
            result => {
                self.watch(seconds() - start)?;
                result
            }
        }
    }

    /// Counts slow runs, and leaves the GPU after too many.
    fn watch(&mut self, took: f64) -> Result<(), ExecError> {
        let slow = took > SLOW * self.cpu_seconds && self.executor() == Executor::Wgpu;
        self.slow_runs = if slow { self.slow_runs + 1 } else { 0 };
        if self.slow_runs >= SLOW_RUNS {
            log::warn!("the GPU has become slower than the processor, which takes over");
            self.session = Either::Cpu(CpuSession::new(&self.graph)?);
            self.slow_runs = 0;
        }
        Ok(())
    }
}

/// The network on the GPU, when it is faster there; what was found goes into `choice`.
async fn measure_gpu(
    graph: &Graph,
    gpu: &Arc<Gpu>,
    inputs: &[&[f32]],
    choice: &mut Choice,
) -> Result<Option<Either>, ExecError> {
    let tuning = match choice.tuning {
        Some(tuning) => tuning,
        None => {
            let tuned = tune(graph, gpu, TUNING_LIMIT, choice.cpu_seconds).await?;
            choice.tuning = tuned.complete.then_some(tuned.tuning);
            if tuned.seconds > choice.cpu_seconds {
                let [one, all] = [1e3 * tuned.seconds, 1e3 * choice.cpu_seconds];
                choice.wgpu_error =
                    Some(format!("GPU: one operation took {one:.1} ms, the processor {all:.1} for all"));
                return Ok(None);
            }
            tuned.tuning
        }
    };
    let mut session = Either::Wgpu(GpuSession::prepare(graph, gpu, tuning, |_, _| {}).await?);
    let seconds = session.time(inputs).await?;
    choice.wgpu_seconds = Some(seconds);
    Ok((seconds < choice.cpu_seconds).then_some(session))
}

/// Prepares a network after a loss.
async fn reopen(graph: &Graph, tuning: Tuning) -> Result<Either, ExecError> {
    if let Ok(gpu) = Gpu::open(AdapterChoice::Fastest).await
        && let Ok(session) = GpuSession::prepare(graph, &gpu, tuning, |_, _| {}).await
    {
        return Ok(Either::Wgpu(session));
    }
    Ok(Either::Cpu(CpuSession::new(graph)?))
}

impl Either {
    async fn run(&mut self, inputs: &[&[f32]]) -> Result<Vec<Vec<f32>>, ExecError> {
        match self {
            Self::Cpu(session) => session.run(inputs),
            Self::Wgpu(session) => session.run(inputs).await,
        }
    }

    /// Seconds of the fastest of a few runs.
    async fn time(&mut self, inputs: &[&[f32]]) -> Result<f64, ExecError> {
        let mut best = f64::INFINITY;
        for run in 0..=TIMED_RUNS {
            let start = seconds();
            self.run(inputs).await?;
            let took = seconds() - start;
            // The first run compiles and touches memory for the first time; it only counts when it is the last.
            if run > 0 || took > PATIENCE {
                best = best.min(took);
            }
            if took > PATIENCE {
                break;
            }
        }
        Ok(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::GraphBuilder,
        ops::{
            Activation, Linear,
            testing::{GPU, noise, weights},
        },
    };

    fn squares() -> Graph {
        let mut b = GraphBuilder::new();
        let x = b.input("x", [3]).unwrap();
        let y = b.mul(x, x).unwrap();
        b.output("y", y).unwrap();
        b.build().unwrap()
    }

    /// On the GPU, with a processor that is said to need so many seconds.
    fn on_gpu(gpu: &Arc<Gpu>, cpu_seconds: f64) -> AutoSession {
        let (graph, tuning) = (squares(), Tuning::default());
        let session = Either::Wgpu(GpuSession::new(&graph, gpu).unwrap());
        AutoSession { graph, session, tuning, cpu_seconds, slow_runs: 0 }
    }

    #[test]
    fn the_faster_one_is_chosen_and_both_agree() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", [8, 32]).unwrap();
        let y = b.linear(x, Linear { activation: Activation::Tanh, ..Linear::new(weights(1, &[16, 32])) }).unwrap();
        b.output("y", y).unwrap();
        let graph = b.build().unwrap();
        let known = Some(Tuning::CANDIDATES[1]);
        let (mut session, choice) = pollster::block_on(AutoSession::choose(&graph, Some(&GPU), known)).unwrap();
        let gpu = choice.wgpu_seconds.unwrap();
        assert_eq!(choice.chosen == Executor::Wgpu, gpu < choice.cpu_seconds, "{choice}");
        assert_eq!(choice.tuning, known);
        let x = noise(1, 8 * 32);
        let chosen = pollster::block_on(session.run(&[&x])).unwrap();
        let expected = CpuSession::new(&graph).unwrap().run(&[&x]).unwrap();
        assert!(chosen[0].iter().zip(&expected[0]).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    /// So small a network takes a GPU longer to start than the processor to finish.
    #[test]
    fn a_gpu_is_not_prepared_where_one_operation_shows_that_it_is_slower() {
        let (session, choice) = pollster::block_on(AutoSession::choose(&squares(), Some(&GPU), None)).unwrap();
        assert_eq!((session.executor(), choice.chosen), (Executor::Cpu, Executor::Cpu));
        assert_eq!(choice.wgpu_seconds, None);
        assert!(choice.to_string().contains("one operation took"), "{choice}");
    }

    #[test]
    fn without_a_gpu_the_processor_runs() {
        let (mut session, choice) = pollster::block_on(AutoSession::choose(&squares(), None, None)).unwrap();
        assert_eq!((choice.chosen, choice.wgpu_seconds), (Executor::Cpu, None));
        assert_eq!(pollster::block_on(session.run(&[&[1.0, 2.0, 3.0]])).unwrap()[0], [1.0, 4.0, 9.0]);
    }

    #[test]
    fn a_lost_gpu_is_opened_again() {
        let gpu = pollster::block_on(Gpu::open(AdapterChoice::Fastest)).unwrap();
        let mut session = on_gpu(&gpu, 60.0);
        assert_eq!(pollster::block_on(session.run(&[&[1.0, 2.0, 3.0]])).unwrap()[0], [1.0, 4.0, 9.0]);
        gpu.device.destroy();
        assert_eq!(pollster::block_on(session.run(&[&[2.0, 3.0, 4.0]])).unwrap()[0], [4.0, 9.0, 16.0]);
        assert_eq!(session.executor(), Executor::Wgpu);
    }

    #[test]
    fn a_gpu_that_stays_slow_is_left() {
        let mut session = on_gpu(&GPU, 0.0);
        for run in 1..=SLOW_RUNS + 1 {
            assert_eq!(pollster::block_on(session.run(&[&[1.0, 2.0, 3.0]])).unwrap()[0], [1.0, 4.0, 9.0]);
            assert_eq!(session.executor() == Executor::Cpu, run >= SLOW_RUNS, "after {run} runs");
        }
        // Slow runs count only in a row.
        let mut session = on_gpu(&GPU, 0.01);
        for took in [1.0; SLOW_RUNS as usize - 1].into_iter().chain([0.0]).chain([1.0; SLOW_RUNS as usize - 1]) {
            session.watch(took).unwrap();
        }
        assert_eq!(session.executor(), Executor::Wgpu);
    }
}
