//! A frame on the CPU, from its plan to pixels.

use std::ops::Range;

use super::DecodeError;
use super::background::Background;
use super::folds::Folds;
use super::lids::TEXELS;
use super::paint::{self, MouthPainter, lines};
use super::paint_eye::EyePainter;
use super::plan::FramePlan;
use super::plane::Plane;
use super::puppet::Puppet;
use super::raster::{FAR, Target};
use super::sample::{bicubic, for_size, texels};
use super::spans::{Span, spans};
use crate::portrait::fitted::{PAD, SIDE};

/// Folds weaker than this are not looked up.
const LEAST_FOLD: f32 = 0.01;
/// The dark line between shut lips is seen this far from them, cm.
const SEAM: f32 = 0.55;

/// The photo at the right resolution, and the buffers of a frame.
#[derive(Clone, Debug)]
pub(crate) struct Canvas {
    photo: Plane<4>,
    /// What is behind the person in every pixel, colours times opacity.
    still: Vec<[u8; 4]>,
    size: usize,
    /// Source of every pixel in crop pixels, gain and strength of folds.
    flow: Target<4>,
    /// The same around the lips, with 2 x 2 samples to a pixel.
    fine: Target<4>,
    /// The interior of the mouth, with 2 x 2 samples to a pixel.
    inner: Target<10>,
    /// Colours of the same samples.
    shaded: Vec<[f32; 4]>,
    /// Of every row around the mouth: pixels to paint, and pixels of the interior that they are painted from.
    painted: Vec<Span>,
    needed: Vec<Span>,
}

impl Canvas {
    pub fn new(puppet: &Puppet, size: u32) -> Result<Self, DecodeError> {
        let n = size as usize;
        Ok(Self {
            photo: for_size(&puppet.texture, size),
            still: Background::Keep.draw(puppet, size)?,
            size: n,
            flow: Target::with_room(n * n),
            fine: Target::with_room(n * n / 2),
            inner: Target::with_room(n * n / 4),
            shaded: vec![[0.0; 4]; n * n],
            painted: Vec::with_capacity(n),
            needed: Vec::with_capacity(n),
        })
    }

    /// Chooses what is shown behind the person.
    pub fn set_background(&mut self, puppet: &Puppet, background: &Background) -> Result<(), DecodeError> {
        let size = self.size as u32;
        self.still = background.draw(puppet, size)?;
        self.photo = background.person(puppet, size);
        Ok(())
    }

    /// Texture pixels to a crop pixel.
    pub fn texels(&self) -> f32 {
        texels(&self.photo)
    }

    /// How many pixels of the last frame no triangle covered.
    #[cfg(test)]
    pub fn uncovered(&self) -> usize {
        self.flow
            .depth
            .iter()
            .chain(&self.fine.depth[..self.fine.width * self.fine.height])
            .filter(|&&d| d >= FAR)
            .count()
    }

    pub fn draw(&mut self, puppet: &Puppet, plan: &FramePlan, rgba: &mut [u8]) {
        let pixels = rgba.as_chunks_mut::<4>().0;
        self.draw_mesh(puppet, plan, pixels);
        self.draw_fine(puppet, plan, pixels);
        for e in 0..2 {
            self.draw_eye(puppet, plan, e, pixels);
        }
        self.draw_mouth(puppet, plan, pixels);
    }

    /// The photo's colour, shaded and folded.
    fn look(&self, folds: &Folds, [x, y, gain, fold]: [f32; 4], texels: f32) -> [f32; 4] {
        let [r, g, b, opacity] = bicubic(&self.photo, (x + PAD * SIDE) * texels, (y + PAD * SIDE) * texels);
        let lit = 1.0 + gain;
        if fold.abs() <= LEAST_FOLD {
            return [r * lit, g * lit, b * lit, opacity];
        }
        let change = folds.factor(x, y, fold);
        [r * lit * change[0], g * lit * change[1], b * lit * change[2], opacity]
    }

    fn draw_mesh(&mut self, puppet: &Puppet, plan: &FramePlan, pixels: &mut [[u8; 4]]) {
        let [scale, _, texels, _] = plan.pixels.scale;
        self.flow.clear(self.size, self.size);
        self.flow.draw(
            &puppet.triangles,
            |i| {
                let [x, y, d] = plan.positions[i as usize];
                [x * scale, y * scale, d]
            },
            |i| attributes(plan, i),
        );
        let mesh = self.flow.depth.iter().zip(&self.flow.attributes);
        for ((out, still), (depth, source)) in pixels.iter_mut().zip(&self.still).zip(mesh) {
            *out = if *depth < FAR { over(self.look(&puppet.folds, *source, texels), *still) } else { *still };
        }
    }

    fn draw_fine(&mut self, puppet: &Puppet, plan: &FramePlan, pixels: &mut [[u8; 4]]) {
        let [scale, _, texels, _] = plan.pixels.scale;
        let [x0, y0, x1, y1] = plan.pixels.mouth.fine.map(|v| v as usize);
        let (w, h) = (x1.saturating_sub(x0), y1.saturating_sub(y0));
        self.fine.clear(2 * w, 2 * h);
        self.fine.draw(
            &puppet.triangles,
            |i| {
                let [x, y, d] = plan.positions[i as usize];
                [2.0 * (x * scale - x0 as f32), 2.0 * (y * scale - y0 as f32), d]
            },
            |i| attributes(plan, i),
        );
        for y in 0..h {
            for x in 0..w {
                let mut sum = [0.0; 4];
                for k in 0..4 {
                    let i = (2 * y + k / 2) * 2 * w + 2 * x + k % 2;
                    if self.fine.depth[i] < FAR {
                        let c = self.look(&puppet.folds, self.fine.attributes[i], texels);
                        for (s, c) in sum.iter_mut().zip(c) {
                            *s += 0.25 * c;
                        }
                    }
                }
                let i = (y0 + y) * self.size + x0 + x;
                pixels[i] = over(sum, self.still[i]);
            }
        }
    }

    fn draw_eye(&self, puppet: &Puppet, plan: &FramePlan, e: usize, pixels: &mut [[u8; 4]]) {
        let [scale, _, _, edge] = plan.pixels.scale;
        let eye = &plan.pixels.eyes[e];
        let (upper, lower) = lines(&eye.lids);
        let painter = EyePainter {
            plan: eye,
            eye: &puppet.eyes[e],
            layer_texels: TEXELS,
            edge,
            upper,
            lower,
            fold: lines(&eye.second).0,
        };
        let [x0, y0, x1, y1] = eye.area.map(|v| v as usize);
        self.repaint((y0..y1).map(|y| (y, x0..x1)), scale, pixels, |p, c| painter.paint(p, c));
    }

    fn draw_mouth(&mut self, puppet: &Puppet, plan: &FramePlan, pixels: &mut [[u8; 4]]) {
        let [scale, _, _, edge] = plan.pixels.scale;
        let mouth = &plan.pixels.mouth;
        let (open, seam) = (mouth.tissue[3] > 0.0, mouth.reach[3] > 0.0);
        if !(open || seam) {
            return;
        }
        let area = mouth.area.map(|v| v as usize);
        let [x0, y0, x1, y1] = area;
        let (w, h) = (x1.saturating_sub(x0), y1.saturating_sub(y0));
        let (upper, lower) = lines(&mouth.lips);
        let taps = taps(mouth.soft[1] as isize);
        let reach = edge + mouth.soft[0];
        let seen = scale * if seam { reach.max(SEAM * mouth.light[3]) } else { reach };
        // a tongue that is put out is seen beyond the lips
        let margin = if mouth.soft[2] > 0.0 { self.size as f32 } else { seen };
        spans([&upper, &lower], margin, scale, area, &mut self.painted);
        if open {
            let around = taps[3].0.max(1) as f32 / 2.0 + 1.0;
            spans([&upper, &lower], margin + around, scale, area, &mut self.needed);
            self.inner.clear(2 * w, 2 * h);
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
            for (y, &[from, to]) in self.needed.iter().enumerate() {
                for row in [4 * w * y, 4 * w * y + 2 * w] {
                    for i in row + 2 * (from - x0)..row + 2 * (to - x0) {
                        let seen = self.inner.depth[i] < FAR;
                        self.shaded[i] = if seen { paint::interior(mouth, &self.inner.attributes[i]) } else { hollow };
                    }
                }
            }
        }
        let card = puppet.mouth.card.as_ref().map(|c| &c.picture);
        let painter = MouthPainter { plan: mouth, card, edge, upper, lower };
        let inner = |p: [f32; 2], open: f32| {
            let (x, y) = (2 * ((p[0] * scale) as usize - x0) as isize, 2 * ((p[1] * scale) as usize - y0) as isize);
            let (mut sum, mut total, mut over) = ([0.0; 3], 1e-6, 0.0);
            for (dy, wy) in taps.into_iter().filter(|t| t.1 > 0.0) {
                let row = (y + dy).clamp(0, 2 * h as isize - 1) as usize * 2 * w;
                for (dx, wx) in taps.into_iter().filter(|t| t.1 > 0.0) {
                    let [r, g, b, a] = self.shaded[row + (x + dx).clamp(0, 2 * w as isize - 1) as usize];
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
        };
        let rows = (y0..).zip(&self.painted).map(|(y, &[from, to])| (y, from..to));
        self.repaint(rows, scale, pixels, |p, c| painter.paint(p, |open| inner(p, open), c));
    }

    /// Replaces pixels, given row by row; `paint` gets the crop pixel and the colour so far.
    fn repaint(
        &self,
        rows: impl Iterator<Item = (usize, Range<usize>)>,
        scale: f32,
        pixels: &mut [[u8; 4]],
        paint: impl Fn([f32; 2], [f32; 3]) -> [f32; 3],
    ) {
        for (y, columns) in rows {
            for x in columns {
                let pixel = &mut pixels[y * self.size + x];
                let p = [(x as f32 + 0.5) / scale, (y as f32 + 0.5) / scale];
                let c = paint(p, [f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2])]);
                let [r, g, b] = c.map(to_byte);
                *pixel = [r, g, b, pixel[3]];
            }
        }
    }
}

/// What the mesh carries to every pixel: source, gain, strength of folds.
fn attributes(plan: &FramePlan, vertex: u32) -> [f32; 4] {
    let ([x, y], tone) = (plan.source[vertex as usize], plan.tone[vertex as usize]);
    [x, y, tone.gain, tone.fold]
}

/// The person (colours times opacity, and opacity 0..1) over what is behind.
#[inline]
fn over(person: [f32; 4], still: [u8; 4]) -> [u8; 4] {
    let rest = 1.0 - person[3];
    if rest <= 0.0 {
        return [to_byte(person[0]), to_byte(person[1]), to_byte(person[2]), 255];
    }
    let mix = |i: usize, own: f32| to_byte(own + rest * f32::from(still[i]));
    [mix(0, person[0]), mix(1, person[1]), mix(2, person[2]), mix(3, 255.0 * person[3])]
}

#[inline]
fn to_byte(v: f32) -> u8 {
    // a cast saturates, which is the clamp that bicubic overshoot needs
    (v + 0.5) as u8
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
