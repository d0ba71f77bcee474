//! The lip network: two encoder rows in, articulation tracks and closure gates out, 25 times a second.
//!
//! `training/FORMAT.md`, section 3. Motion frame `i` hears the rows `2 i + 2` and `2 i + 3`: 80 ms of look-ahead.

use serde::Deserialize;

use super::articulation::{Articulation, Tracks};
use super::encoder::{BLOCK_ROWS, Encoder};
use super::error::MotionError;
use super::stream_net::{StreamBuilder, StreamGraph, StreamNet};
use crate::exec::Device;
use crate::graph::Graph;
use crate::ops::Activation;
use crate::pack::Pack;

/// Blocks that the encoder hears before the first motion frame: its rows 0 and 1.
pub const LEAD_BLOCKS: u64 = 1;
const TRACKS: [&str; 5] = ["gap", "jaw", "round", "spread", "tongue"];
const GATES: [&str; 2] = ["shut", "tuck"];
const OUTPUTS: usize = TRACKS.len() + GATES.len();

#[derive(Deserialize)]
struct Config {
    rows: usize,
    hidden: usize,
    kernel: usize,
    first_row: usize,
    frames_per_second: u32,
    tracks: Vec<String>,
    gates: Vec<String>,
    track_mean: [f32; TRACKS.len()],
    track_scale: [f32; TRACKS.len()],
    articulation: Articulation,
}

/// The lip network with its state.
#[derive(Debug)]
pub struct Lips {
    net: StreamNet,
    track_mean: [f32; TRACKS.len()],
    track_scale: [f32; TRACKS.len()],
    articulation: Articulation,
}

impl Lips {
    /// Builds the lip network of a pack for its encoder on the processor.
    ///
    /// # Errors
    /// [`MotionError`] when the pack has none or one that this program cannot run.
    pub fn new(pack: &Pack, encoder: &Encoder) -> Result<Self, MotionError> {
        Self::on(pack, encoder, &Device::Cpu)
    }

    /// Builds the lip network of a pack for its encoder on a device.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn on(pack: &Pack, encoder: &Encoder, device: &Device) -> Result<Self, MotionError> {
        let (network, config) = network(pack, encoder.row_len())?;
        let Config { track_mean, track_scale, articulation, .. } = config;
        Ok(Self { net: StreamNet::on(&network, device)?, track_mean, track_scale, articulation })
    }

    /// The network of a pack for its encoder: two encoder rows and states in, tracks, gates and states out.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn graph(pack: &Pack, encoder: &Encoder) -> Result<Graph, MotionError> {
        Ok(network(pack, encoder.row_len())?.0.graph)
    }

    /// Arithmetic of a block; a multiply-add counts as two.
    pub fn flops(&self) -> u64 {
        self.net.flops()
    }

    /// The constants that turn tracks into coefficients.
    pub fn articulation(&self) -> &Articulation {
        &self.articulation
    }

    /// Runs the next block of encoder rows: standardised tracks and logits of the gates.
    ///
    /// # Errors
    /// [`MotionError::Run`].
    pub fn run(&mut self, rows: &[f32]) -> Result<[f32; OUTPUTS], MotionError> {
        let result = self.net.run(rows)?;
        let values = result.first().and_then(|r| <[f32; OUTPUTS]>::try_from(r.as_slice()).ok());
        values.ok_or_else(|| MotionError::Config("lips: too few results".into()))
    }

    /// What the network's output means.
    pub fn tracks(&self, output: &[f32; OUTPUTS]) -> Tracks {
        let [gap, jaw, round, spread, tongue] =
            std::array::from_fn(|i| output[i] * self.track_scale[i] + self.track_mean[i]);
        let (shut, tuck) = self.articulation.gates(output[5], output[6]);
        let unit = |x: f32| x.clamp(0.0, 1.0);
        Tracks {
            gap: gap.max(0.0),
            jaw: jaw.max(0.0),
            round: unit(round),
            spread: unit(spread),
            tongue: unit(tongue),
            shut,
            tuck,
        }
    }

    /// Back to the start of a sound.
    pub fn reset(&mut self) {
        self.net.reset();
    }
}

/// Builds the network that a pack describes, for encoder rows of so many features.
fn network(pack: &Pack, row_len: usize) -> Result<(StreamGraph, Config), MotionError> {
    let c: Config = serde_json::from_str(pack.str("parlante.lips.config")?)
        .map_err(|e| MotionError::Config(format!("lips: {e}")))?;
    let fits = c.rows == BLOCK_ROWS && c.first_row == BLOCK_ROWS && c.frames_per_second == super::frame::FPS;
    if !fits || c.tracks != TRACKS || c.gates != GATES || !(1..=4096).contains(&c.hidden) {
        return Err(MotionError::Config("lips: its rows, frame rate, tracks or gates are not supported".into()));
    }
    let (mut b, rows) = StreamBuilder::new(pack, "lips", 1, BLOCK_ROWS * row_len)?;
    let a = b.linear(rows, "input", Activation::Silu)?;
    let x = b.conv(a, "conv", c.kernel, 1)?;
    let x = b.add(a, x)?;
    let x = b.gru(x, "gru", c.hidden)?;
    let x = b.linear(x, "output", Activation::None)?;
    Ok((b.finish(&[("output", x, OUTPUTS)])?, c))
}
