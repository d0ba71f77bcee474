//! Where in the picture the person is: MediaPipe's selfie segmentation.

use std::sync::{Mutex, PoisonError};

use super::find::{FindError, prepare};
use super::fitted::TEX_FULL;
use super::picture::Picture;
use super::region::{Outside, Pyramid, Region};
use crate::exec::{Device, Session};
use crate::pack::{Pack, PackError};
use crate::portrait::network::NetworkError;

/// Pixels along a side of the mask.
pub const MASK: usize = 256;

/// The name of the network in the pack.
const NAME: &str = "segmenter";

/// Tells persons from what is behind them.
#[derive(Debug)]
pub struct PersonFinder {
    network: Mutex<Session>,
}

impl PersonFinder {
    /// Builds the network `segmenter` of a pack on a device; `None` if the pack has none.
    ///
    /// # Errors
    /// [`FindError`] when it is damaged.
    pub fn on(pack: &Pack, device: &Device) -> Result<Option<Self>, FindError> {
        match prepare(pack, device, NAME, MASK * MASK * 3, &[MASK * MASK]) {
            Ok(session) => Ok(Some(Self { network: Mutex::new(session) })),
            Err(FindError::Network(NetworkError::Pack(PackError::MissingKey(_)))) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Probability that a pixel shows a person, 0..1, [`MASK`] rows of [`MASK`] over the whole of a square texture
    /// ([`TEX_FULL`] pixels a side, RGB, 0..255).
    ///
    /// # Errors
    /// A failure of the executor.
    pub fn find(&self, texture: &[f32]) -> Result<Vec<f32>, FindError> {
        let data = texture.iter().map(|v| (v + 0.5) as u8).collect();
        let picture = Picture { width: TEX_FULL, height: TEX_FULL, data };
        let input = Pyramid::new(&picture).sample(&Region::whole(&picture), MASK, Outside::Edge, [0.0, 1.0]);
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(network.run(&[&input])?.swap_remove(0))
    }
}
