//! The audio encoder: log-mel in, rows of features and phone logits out, in blocks of 40 ms.
//!
//! Three causal convolutions and two GRUs; `training/FORMAT.md`, section 2, has every layer. Row `j` is complete with
//! mel frame `2 j + 1` and speaks of the phone at `20 (j - 3) + 10` ms.

use serde::Deserialize;

use super::error::MotionError;
use super::stream_net::{StreamBuilder, StreamGraph, StreamNet};
use crate::audio::mel::BANDS;
use crate::exec::Device;
use crate::graph::{DType, Graph};
use crate::ops::Activation;
use crate::pack::Pack;

/// Mel frames of a block.
pub const BLOCK_FRAMES: usize = 4;
/// Rows of a block.
pub const BLOCK_ROWS: usize = 2;
/// Largest size a pack may ask of a layer: far above what ships, far below what would exhaust memory.
const MAX_UNITS: usize = 4096;

#[derive(Deserialize)]
struct Config {
    channels: usize,
    hidden: usize,
    kernels: [usize; 3],
    strides: [usize; 3],
    phones: Vec<String>,
    norm_epsilon: f32,
}

/// The audio encoder with its state.
#[derive(Debug)]
pub struct Encoder {
    net: StreamNet,
    mean: Vec<f32>,
    scale: Vec<f32>,
    /// Numbers of a frame that the network reads.
    width: usize,
    input: Vec<f32>,
    hidden: usize,
    phones: Vec<String>,
}

/// What the encoder makes of a block.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// [`BLOCK_ROWS`] rows of [`Encoder::row_len`] features.
    pub rows: Vec<f32>,
    /// [`BLOCK_ROWS`] rows of logits, one for each of [`Encoder::phones`].
    pub logits: Vec<f32>,
}

impl Encoder {
    /// Builds the encoder of a pack on the processor.
    ///
    /// # Errors
    /// [`MotionError`] when the pack has none or one that this program cannot run.
    pub fn new(pack: &Pack) -> Result<Self, MotionError> {
        Self::on(pack, &Device::Cpu)
    }

    /// Builds the encoder of a pack on a device.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn on(pack: &Pack, device: &Device) -> Result<Self, MotionError> {
        let (network, config) = network(pack)?;
        let width = width(pack)?;
        let table =
            |name: &str| -> Result<Vec<f32>, MotionError> { Ok(pack.tensor(name)?.with_shape(&[BANDS])?.to_f32()) };
        Ok(Self {
            net: StreamNet::on(&network, device)?,
            mean: table("encoder.mel.mean")?,
            scale: table("encoder.mel.scale")?,
            width,
            input: Vec::with_capacity(BLOCK_FRAMES * width),
            hidden: config.hidden,
            phones: config.phones,
        })
    }

    /// The network of a pack: standardised log-mel of a block and states in, rows, logits and states out.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn graph(pack: &Pack) -> Result<Graph, MotionError> {
        Ok(network(pack)?.0.graph)
    }

    /// Names of the phones, in the order of the logits.
    pub fn phones(&self) -> &[String] {
        &self.phones
    }

    /// Arithmetic of a block; a multiply-add counts as two.
    pub fn flops(&self) -> u64 {
        self.net.flops()
    }

    /// Features of a row.
    pub fn row_len(&self) -> usize {
        self.hidden
    }

    /// Runs the next block of log-mel frames.
    ///
    /// # Errors
    /// [`MotionError::Run`].
    pub fn run(&mut self, mel: &[[f32; BANDS]; BLOCK_FRAMES]) -> Result<Encoded, MotionError> {
        self.input.clear();
        for frame in mel {
            let values = frame.iter().zip(&self.mean).zip(&self.scale).map(|((x, m), s)| (x - m) * s);
            self.input.extend(values);
            self.input.resize(self.input.len() + self.width - BANDS, 0.0);
        }
        let mut results = self.net.run(&self.input)?.into_iter();
        let mut next = || results.next().unwrap_or_default();
        Ok(Encoded { rows: next(), logits: next() })
    }

    /// Back to the start of a sound.
    pub fn reset(&mut self) {
        self.net.reset();
    }
}

/// Numbers that the first layer reads of a log-mel frame: the bands, and zeros up to whole blocks of weights where the pack
/// keeps them in bytes.
fn width(pack: &Pack) -> Result<usize, MotionError> {
    let found = pack.tensor("encoder.conv1.weight")?.shape().dims().last().copied();
    let most = BANDS.next_multiple_of(DType::Q8_0.block().0);
    found.filter(|width| (BANDS..=most).contains(width)).ok_or_else(|| {
        MotionError::Config(format!(
            "encoder: its first layer reads {found:?} numbers of a frame, not {BANDS} to {most}"
        ))
    })
}

/// Builds the network that a pack describes.
fn network(pack: &Pack) -> Result<(StreamGraph, Config), MotionError> {
    let config: Config = serde_json::from_str(pack.str("parlante.encoder.config")?)
        .map_err(|e| MotionError::Config(format!("encoder: {e}")))?;
    let Config { channels, hidden, kernels, strides, ref phones, norm_epsilon } = config;
    let fits = |n: usize| (1..=MAX_UNITS).contains(&n);
    if strides != [1, 2, 1] || ![channels, hidden, phones.len()].into_iter().all(fits) {
        return Err(MotionError::Config("encoder: strides or sizes are not supported".into()));
    }
    let (mut b, mel) = StreamBuilder::new(pack, "encoder", BLOCK_FRAMES, width(pack)?)?;
    let x = b.conv(mel, "conv1", kernels[0], strides[0])?;
    let x = b.conv(x, "conv2", kernels[1], strides[1])?;
    let a = b.norm(x, "norm1", norm_epsilon)?;
    let x = b.conv(a, "conv3", kernels[2], strides[2])?;
    let x = b.add(a, x)?;
    let x = b.norm(x, "norm2", norm_epsilon)?;
    let low = b.gru(x, "gru1", hidden)?;
    let high = b.gru(low, "gru2", hidden)?;
    let x = b.add(low, high)?;
    let rows = b.norm(x, "norm3", norm_epsilon)?;
    let logits = b.linear(rows, "phones", Activation::None)?;
    let outputs = [("rows", rows, BLOCK_ROWS * hidden), ("logits", logits, BLOCK_ROWS * phones.len())];
    Ok((b.finish(&outputs)?, config))
}
