//! A frame on the CPU, from its plan to pixels: the mouth's interior first, then bands of rows on all cores.

use std::ops::Range;

use super::DecodeError;
use super::background::Background;
use super::band::{Band, Scene};
use super::opening::Opening;
use super::photo::Photo;
use super::plan::FramePlan;
use super::puppet::Puppet;
use super::sample::{for_size, texels};
use super::strips::Strips;
use super::work::{FrameWork, Laps, Stage};

/// Fewest rows of a band: every band looks at every triangle once.
#[cfg(not(target_arch = "wasm32"))]
const FEWEST: usize = 32;

/// Rows of a band of a frame with `size` rows: two bands for a core, so that one that is done early finds another.
fn rows_of_a_band(size: usize) -> usize {
    #[cfg(not(target_arch = "wasm32"))]
    if let cores @ 2.. = rayon::current_num_threads() {
        return size.div_ceil(2 * cores).max(FEWEST);
    }
    size
}

/// The photo at the right resolution, and the buffers of a frame.
#[derive(Clone, Debug)]
pub(crate) struct Canvas {
    photo: Photo,
    /// What is behind the person in every pixel, colours times opacity.
    still: Vec<[u8; 4]>,
    size: usize,
    mesh: Strips,
    mouth: Opening,
    /// Room for `rows` neighbouring rows each, together for a whole frame.
    bands: Vec<Band>,
    rows: usize,
}

impl Canvas {
    pub fn new(puppet: &Puppet, size: u32) -> Result<Self, DecodeError> {
        let n = size as usize;
        let rows = rows_of_a_band(n);
        let mesh = Strips::new(&puppet.triangles, &puppet.source);
        Ok(Self {
            photo: Photo::new(&for_size(&puppet.texture, size)),
            still: Background::Keep.draw(puppet, size)?,
            size: n,
            mouth: Opening::new(n),
            bands: (0..n).step_by(rows).map(|_| Band::new(rows, n, mesh.len())).collect(),
            mesh,
            rows,
        })
    }

    /// Chooses what is shown behind the person.
    pub fn set_background(&mut self, puppet: &Puppet, background: &Background) -> Result<(), DecodeError> {
        let size = self.size as u32;
        self.still = background.draw(puppet, size)?;
        self.photo = Photo::new(&background.person(puppet, size));
        Ok(())
    }

    /// Texture pixels to a crop pixel.
    pub fn texels(&self) -> f32 {
        texels(self.photo.width())
    }

    /// How many pixels of the last frame no triangle covered.
    #[cfg(test)]
    pub fn uncovered(&self) -> usize {
        self.bands.iter().map(Band::uncovered).sum()
    }

    /// Paints some rows of a frame, which `rgba` holds. They come out the same whichever others are painted with them. What
    /// it costs is added to `work`, if there is one.
    pub fn draw(
        &mut self,
        puppet: &Puppet,
        plan: &FramePlan,
        shown: Range<usize>,
        rgba: &mut [u8],
        work: Option<&mut FrameWork>,
    ) {
        let watched = work.is_some();
        let mut interior = FrameWork::default();
        let mut laps = Laps::start(watched);
        self.mouth.prepare(puppet, plan, self.size, &shown);
        laps.end(Stage::Interior, &mut interior, || self.mouth.work());
        self.mesh.place(&plan.positions);
        let Self { photo, still, mesh, mouth, bands, size, rows } = self;
        let scene = Scene { puppet, plan, photo, still, mesh, mouth, size: *size, watched };
        let pixels = rgba.as_chunks_mut::<4>().0;
        let paint = |(k, (band, piece)): (usize, (&mut Band, &mut [[u8; 4]]))| {
            let top = shown.start + k * *rows;
            band.draw(&scene, top..(top + *rows).min(shown.end), piece);
        };
        #[cfg(not(target_arch = "wasm32"))]
        {
            use rayon::prelude::*;
            bands.par_iter_mut().zip(pixels.par_chunks_mut(*rows * *size)).enumerate().for_each(paint);
        }
        #[cfg(target_arch = "wasm32")]
        bands.iter_mut().zip(pixels.chunks_mut(*rows * *size)).enumerate().for_each(paint);
        if let Some(work) = work {
            work.add(&interior);
            bands.iter().take(shown.len().div_ceil(*rows)).for_each(|band| work.add(&band.work));
        }
    }
}
