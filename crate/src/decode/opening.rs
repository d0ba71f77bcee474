//! The interior of the mouth in a frame: its triangles, shaded with 2 x 2 samples to a pixel, ready to be painted
//! between the lips.

use std::ops::Range;

use super::card::Card;
use super::paint::{self, MouthPainter, lines};
use super::plan::FramePlan;
use super::puppet::Puppet;
use super::raster::{FAR, Target};
use super::shapes::Nearest;
use super::spans::{Span, spans};

/// The dark line between shut lips is seen this far from them, cm.
const SEAM: f32 = 0.55;

/// Rows of pixels that a core shades at least, so that it is worth waking one.
#[cfg(not(target_arch = "wasm32"))]
const SHADED_AT_ONCE: usize = 16;

/// The samples of the last frame, and where they show.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    inner: Target<10>,
    /// Colours of the samples.
    shaded: Vec<[f32; 4]>,
    /// Output pixels (x0, y0, x1, y1) around the mouth; empty while nothing of it is painted.
    area: [usize; 4],
    /// Of every row of the area: pixels to paint, and pixels of the interior that they are painted from.
    painted: Vec<Span>,
    needed: Vec<Span>,
    /// Samples that a pixel is made of; none where nothing of the interior shows.
    blended: usize,
}

impl Opening {
    /// Room for frames of `size` pixels.
    pub fn new(size: usize) -> Self {
        Self {
            inner: Target::with_room(size * size / 4),
            shaded: vec![[0.0; 4]; size * size],
            area: [0; 4],
            painted: Vec::with_capacity(size),
            needed: Vec::with_capacity(size),
            blended: 0,
        }
    }

    /// The area in which something is painted.
    pub fn area(&self) -> [usize; 4] {
        self.area
    }

    /// What is painted of a row of the area.
    pub fn columns(&self, row: usize) -> Range<usize> {
        let [from, to] = self.painted[row - self.area[1]];
        from..to
    }

    /// Samples of the interior that a painted pixel is made of.
    pub fn samples_of_a_pixel(&self) -> usize {
        self.blended
    }

    /// Operations on numbers and bytes of the last frame's interior.
    pub fn work(&self) -> (usize, usize) {
        if self.blended == 0 {
            return (0, 0);
        }
        let samples: usize = self.needed.iter().map(|[from, to]| 4 * (to - from)).sum();
        let fragments = self.inner.fragments();
        (self.inner.operations() + samples * paint::SAMPLE_OPERATIONS, fragments * 44 + samples * (44 + 16))
    }

    /// Shades the samples of a frame of `size` pixels of which these rows are shown.
    pub fn prepare(&mut self, puppet: &Puppet, plan: &FramePlan, size: usize, shown: &Range<usize>) {
        let [scale, _, _, edge] = plan.pixels.scale;
        let mouth = &plan.pixels.mouth;
        let (open, seam) = (mouth.tissue[3] > 0.0, mouth.reach[3] > 0.0);
        self.area = if open || seam { mouth.area.map(|v| v as usize) } else { [0; 4] };
        let area @ [x0, y0, x1, y1] = self.area;
        let (w, h) = (x1.saturating_sub(x0), y1.saturating_sub(y0));
        let (upper, lower) = lines(&mouth.lips);
        let reach = edge + mouth.soft[0];
        let seen = scale * if seam { reach.max(SEAM * mouth.light[3]) } else { reach };
        // a tongue that is put out is seen beyond the lips
        let margin = if mouth.soft[2] > 0.0 { size as f32 } else { seen };
        spans([&upper, &lower], margin, scale, area, &mut self.painted);
        self.blended = 0;
        if !open || shown.end <= y0 || y1 <= shown.start {
            return;
        }
        self.blended = taps(mouth.soft[1] as isize).iter().filter(|t| t.1 > 0.0).count().pow(2);
        let around = taps(mouth.soft[1] as isize)[3].0.max(1) as f32 / 2.0 + 1.0;
        spans([&upper, &lower], margin + around, scale, area, &mut self.needed);
        self.inner.clear(2 * w, 0..2 * h);
        self.inner.draw(
            &puppet.mouth.triangles,
            |i| {
                let [x, y, d] = plan.mouth_vertices[i as usize].position;
                [2.0 * (x * scale - x0 as f32), 2.0 * (y * scale - y0 as f32), d]
            },
            |i| plan.mouth_vertices[i as usize].surface,
        );
        let [r, g, b] = paint::hollow(mouth);
        let hollow = [r, g, b, 0.0];
        let Self { inner, shaded, needed, .. } = self;
        // two rows of samples to a row of pixels
        let shade = |((piece, &[from, to]), y): ((&mut [[f32; 4]], &Span), usize)| {
            for row in [0, 2 * w] {
                let (start, count) = (row + 2 * (from - x0), 2 * (to - from));
                let at = 4 * w * y + start..4 * w * y + start + count;
                let drawn = inner.depth[at.clone()].iter().zip(&inner.attributes[at]);
                for (sample, (depth, surface)) in piece[start..start + count].iter_mut().zip(drawn) {
                    *sample = if *depth < FAR { paint::interior(mouth, surface) } else { hollow };
                }
            }
        };
        #[cfg(not(target_arch = "wasm32"))]
        {
            use rayon::prelude::*;
            let rows = shaded.par_chunks_mut((4 * w).max(1)).zip(needed.par_iter());
            rows.zip(0..h).with_min_len(SHADED_AT_ONCE).for_each(shade);
        }
        #[cfg(target_arch = "wasm32")]
        shaded.chunks_mut((4 * w).max(1)).zip(needed.iter()).zip(0..h).for_each(shade);
    }

    /// Paints the prepared frame.
    pub fn painter<'a>(&'a self, puppet: &'a Puppet, plan: &'a FramePlan) -> OpeningPainter<'a> {
        let mouth = &plan.pixels.mouth;
        let [scale, _, _, edge] = plan.pixels.scale;
        let card = puppet.mouth.card.as_ref().map(|c: &Card| &c.picture);
        let taps = taps(mouth.soft[1] as isize);
        OpeningPainter { opening: self, scale, taps, mouth: MouthPainter { plan: mouth, card, edge } }
    }
}

/// Paints a mouth from the samples of its interior.
pub(crate) struct OpeningPainter<'a> {
    opening: &'a Opening,
    /// Output pixels to a crop pixel.
    scale: f32,
    taps: [(isize, f32); 4],
    mouth: MouthPainter<'a>,
}

impl OpeningPainter<'_> {
    /// Paints the mouth over `colour` at crop pixel `p`, to which these points of the lips are nearest.
    #[inline(always)]
    pub fn paint(&self, p: [f32; 2], near: [Nearest; 2], colour: [f32; 3]) -> [f32; 3] {
        self.mouth.paint(p, near, |open| self.inner(p, open), colour)
    }

    /// The interior's colour at a crop pixel, and how much of it lies over the lower lip; what does not counts only as
    /// far as the mouth is open there.
    fn inner(&self, p: [f32; 2], open: f32) -> [f32; 4] {
        let [x0, y0, x1, y1] = self.opening.area;
        let (w, h) = (2 * (x1 - x0), 2 * (y1 - y0));
        let sample = |p: f32, start: usize| 2 * ((p * self.scale) as usize - start) as isize;
        let (x, y) = (sample(p[0], x0), sample(p[1], y0));
        let (mut sum, mut total, mut over) = ([0.0; 3], 1e-6, 0.0);
        for (dy, wy) in self.taps.into_iter().filter(|t| t.1 > 0.0) {
            let row = (y + dy).clamp(0, h as isize - 1) as usize * w;
            for (dx, wx) in self.taps.into_iter().filter(|t| t.1 > 0.0) {
                let [r, g, b, a] = self.opening.shaded[row + (x + dx).clamp(0, w as isize - 1) as usize];
                let weight = wx * wy * (open + (1.0 - open) * a);
                for (s, c) in sum.iter_mut().zip([r, g, b]) {
                    *s += weight * c;
                }
                total += weight;
                over += wx * wy * a;
            }
        }
        let [r, g, b] = sum.map(|s| s / total);
        [r, g, b, over]
    }
}

/// Offsets and weights of the samples along a row or column that make an output pixel, symmetric about the middle of its
/// two. `spread`: their distance; 0: only its own two.
fn taps(spread: isize) -> [(isize, f32); 4] {
    if spread == 0 {
        return [(0, 0.5), (1, 0.5), (0, 0.0), (1, 0.0)];
    }
    let near = (spread - 1) / 2;
    let far = near + spread;
    [(-far, 0.125), (-near, 0.375), (1 + near, 0.375), (1 + far, 0.125)]
}
