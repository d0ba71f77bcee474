//! The choice between the executors, by measuring.
//!
//! A software adapter is never the fast way and a small network on a fast GPU often is not either (it waits for the
//! readback), so nothing but a measurement decides.

use std::{fmt, sync::Arc};

use super::{AdapterChoice, ExecError, Gpu, GpuError, candle::Session, clock::seconds, wgpu::GpuSession};
use crate::graph::Graph;

/// Runs of each executor that are timed; one more before them warms up.
const TIMED_RUNS: usize = 3;
/// An executor that needs longer than this for the first run is not timed further.
const PATIENCE: f64 = 0.5;

/// Which executor runs a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executor {
    /// The processor, by candle.
    Candle,
    /// The GPU, by wgpu.
    Wgpu,
}

/// What was measured and chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The faster one.
    pub chosen: Executor,
    /// Seconds of the processor's fastest run.
    pub candle_seconds: f64,
    /// Seconds of the GPU's fastest run, readback included; `None` without a GPU or when it failed.
    pub wgpu_seconds: Option<f64>,
    /// Why the GPU could not be measured.
    pub wgpu_error: Option<String>,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let processor = 1000.0 * self.candle_seconds;
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
}

#[derive(Debug)]
enum Either {
    Candle(Session),
    Wgpu(GpuSession),
}

impl AutoSession {
    /// Prepares the network on both executors, times a few runs on zeros and keeps the faster one. Without `gpu`, or
    /// when it fails, that is the processor.
    ///
    /// # Errors
    /// [`ExecError::Candle`] when not even the processor can run the network.
    pub async fn choose(graph: &Graph, gpu: Option<&Arc<Gpu>>) -> Result<(Self, Choice), ExecError> {
        let zeros: Vec<Vec<f32>> = graph.inputs().iter().map(|p| vec![0.0; graph.shape(p.value).elements()]).collect();
        let inputs: Vec<&[f32]> = zeros.iter().map(Vec::as_slice).collect();

        let kept = |session| Self { graph: graph.clone(), session };
        let mut candle = Either::Candle(Session::new(graph)?);
        let candle_seconds = candle.time(&inputs).await?;
        let mut choice = Choice { chosen: Executor::Candle, candle_seconds, wgpu_seconds: None, wgpu_error: None };
        let Some(gpu) = gpu else { return Ok((kept(candle), choice)) };
        let measured = async {
            let mut session = Either::Wgpu(GpuSession::new(graph, gpu)?);
            let seconds = session.time(&inputs).await?;
            Ok::<_, ExecError>((session, seconds))
        };
        match measured.await {
            Ok((session, seconds)) => {
                choice.wgpu_seconds = Some(seconds);
                if seconds < candle_seconds {
                    choice.chosen = Executor::Wgpu;
                    return Ok((kept(session), choice));
                }
            }
            Err(error) => choice.wgpu_error = Some(error.to_string()),
        }
        Ok((kept(candle), choice))
    }

    /// Where the network runs now.
    pub fn executor(&self) -> Executor {
        match self.session {
            Either::Candle(_) => Executor::Candle,
            Either::Wgpu(_) => Executor::Wgpu,
        }
    }

    /// Runs the network: inputs and results in the graph's order, row-major. When the GPU is lost, it is opened again; when
    /// that fails, or the GPU refuses a command, the processor takes over. Either way the caller gets the result of this
    /// run.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub async fn run(&mut self, inputs: &[&[f32]]) -> Result<Vec<Vec<f32>>, ExecError> {
        match self.session.run(inputs).await {
            Err(ExecError::Gpu(GpuError::Lost(reason))) => {
                log::warn!("the GPU was lost ({reason}); opening it again");
                self.session = reopen(&self.graph).await?;
                self.session.run(inputs).await
            }
            Err(ExecError::Gpu(error)) => {
                log::warn!("{error}; the processor takes over");
                self.session = Either::Candle(Session::new(&self.graph)?);
                self.session.run(inputs).await
            }
            result => result,
        }
    }
}

/// Prepares a network after a loss.
async fn reopen(graph: &Graph) -> Result<Either, ExecError> {
    if let Ok(gpu) = Gpu::open(AdapterChoice::Fastest).await
        && let Ok(session) = GpuSession::new(graph, &gpu)
    {
        return Ok(Either::Wgpu(session));
    }
    Ok(Either::Candle(Session::new(graph)?))
}

impl Either {
    async fn run(&mut self, inputs: &[&[f32]]) -> Result<Vec<Vec<f32>>, ExecError> {
        match self {
            Self::Candle(session) => session.run(inputs),
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

    #[test]
    fn the_faster_one_is_chosen_and_both_agree() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", [8, 32]).unwrap();
        let y = b.linear(x, Linear { activation: Activation::Tanh, ..Linear::new(weights(1, &[16, 32])) }).unwrap();
        b.output("y", y).unwrap();
        let graph = b.build().unwrap();
        let (mut session, choice) = pollster::block_on(AutoSession::choose(&graph, Some(&GPU))).unwrap();
        let gpu = choice.wgpu_seconds.unwrap();
        assert_eq!(choice.chosen == Executor::Wgpu, gpu < choice.candle_seconds, "{choice}");
        let x = noise(1, 8 * 32);
        let chosen = pollster::block_on(session.run(&[&x])).unwrap();
        let expected = Session::new(&graph).unwrap().run(&[&x]).unwrap();
        assert!(chosen[0].iter().zip(&expected[0]).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn without_a_gpu_the_processor_runs() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", [4]).unwrap();
        let y = b.add(x, x).unwrap();
        b.output("y", y).unwrap();
        let (mut session, choice) = pollster::block_on(AutoSession::choose(&b.build().unwrap(), None)).unwrap();
        assert_eq!((choice.chosen, choice.wgpu_seconds), (Executor::Candle, None));
        assert_eq!(pollster::block_on(session.run(&[&[1.0, 2.0, 3.0, 4.0]])).unwrap()[0], [2.0, 4.0, 6.0, 8.0]);
    }

    #[test]
    fn a_lost_gpu_is_opened_again() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", [3]).unwrap();
        let y = b.mul(x, x).unwrap();
        b.output("y", y).unwrap();
        let graph = b.build().unwrap();
        let gpu = pollster::block_on(Gpu::open(AdapterChoice::Fastest)).unwrap();
        let mut session = AutoSession { session: Either::Wgpu(GpuSession::new(&graph, &gpu).unwrap()), graph };
        assert_eq!(pollster::block_on(session.run(&[&[1.0, 2.0, 3.0]])).unwrap()[0], [1.0, 4.0, 9.0]);
        gpu.device.destroy();
        assert_eq!(pollster::block_on(session.run(&[&[2.0, 3.0, 4.0]])).unwrap()[0], [4.0, 9.0, 16.0]);
        assert_eq!(session.executor(), Executor::Wgpu);
    }
}
