//! A few neighbouring rows of a frame, painted from first to last on one core: bands share nothing that is written.

use std::ops::Range;

use super::edges::{self, CELL, Edges};
use super::folds::Folds;
use super::lids::TEXELS;
use super::opening::Opening;
use super::paint::{self, lines};
use super::paint_eye::{self, EyePainter};
use super::photo::{self, Photo};
use super::plan::{FramePlan, Line};
use super::puppet::Puppet;
use super::raster::{FAR, Target};
use super::sample;
use super::shapes::{self, AT_ONCE, Nearest, nearest_in_row};
use super::spans::{Span, spans};
use super::strips::Strips;
use super::work::{FrameWork, Laps, Stage};
use crate::portrait::fitted::{PAD, SIDE};

/// Folds weaker than this are not looked up.
const LEAST_FOLD: f32 = 0.01;
/// More of the background than this shows through what is not opaque; a byte cannot hold less.
const LEAST_REST: f32 = 1.0 / 1024.0;
/// Where the four samples of a pixel at an edge lie from its left side, one below the other: no two in a row or a column, so
/// that an edge that is almost upright or level still has four steps. Graphics cards have the same pattern.
const ROOKS: [f32; 4] = [0.375, 0.875, 0.125, 0.625];
/// Where those of a pixel at the lips lie from the left sides of its halves, in two rows, which cost less: an upright edge has
/// four steps.
const PAIRS: [f32; 2] = [0.25, 0.75];
/// Operations on numbers of a pixel's place in the photo, shading and laying over the background; of its folds.
const LOOK: usize = 4 + photo::OPERATIONS + 5 + 7;
const FOLD: usize = 24 + 9;
/// Bytes of what the mesh says about a pixel: depth and attributes.
const SAID: usize = 4 + 16;

/// What all bands of a frame are painted from.
pub(crate) struct Scene<'a> {
    pub puppet: &'a Puppet,
    pub plan: &'a FramePlan,
    pub photo: &'a Photo,
    /// What is behind the person in every pixel, colours times opacity.
    pub still: &'a [[u8; 4]],
    pub mesh: &'a Strips,
    pub mouth: &'a Opening,
    /// Pixels to a row.
    pub size: usize,
    /// Whether time and operations are taken.
    pub watched: bool,
}

/// Some rows of a frame and the buffers that they need.
#[derive(Clone, Debug)]
pub(crate) struct Band {
    /// The rows that are painted now, or were last.
    rows: Range<usize>,
    /// Source of every pixel in crop pixels, gain and strength of folds.
    flow: Target<4>,
    /// The same around the lips or in a cell with an edge, with four samples to a pixel.
    fine: Target<4>,
    edges: Edges,
    /// Triangles that such an area may show.
    near: Vec<[u32; 3]>,
    /// Which pixels of each row an eye may touch.
    touched: Vec<Span>,
    /// What the last rows cost, where they were watched.
    pub work: FrameWork,
}

impl Band {
    /// Room for so many rows of a frame of `size` pixels, and for so many triangles.
    pub fn new(rows: usize, size: usize, triangles: usize) -> Self {
        let n = rows * size;
        Self {
            rows: 0..0,
            flow: Target::with_room(n + 2 * size),
            fine: Target::with_room((2 * n).max(4 * CELL * CELL)),
            edges: Edges::with_room(rows, size),
            near: Vec::with_capacity(triangles),
            touched: Vec::with_capacity(rows),
            work: FrameWork::default(),
        }
    }

    /// How many pixels of the last frame no triangle covered.
    #[cfg(test)]
    pub fn uncovered(&self) -> usize {
        self.flow.empty() + self.fine.empty()
    }

    /// Paints some rows, which `pixels` holds; no more than there is room for.
    pub fn draw(&mut self, scene: &Scene, rows: Range<usize>, pixels: &mut [[u8; 4]]) {
        self.rows = rows;
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: AVX2 is there.
            unsafe { self.draw_wide(scene, pixels) };
            return;
        }
        // SAFETY: nothing is needed.
        unsafe { self.draw_with::<false>(scene, pixels) };
    }

    /// [`Self::draw`], compiled for wider vectors: the same numbers, faster.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn draw_wide(&mut self, scene: &Scene, pixels: &mut [[u8; 4]]) {
        // SAFETY: the caller has AVX2.
        unsafe { self.draw_with::<true>(scene, pixels) };
    }

    /// # Safety
    /// With `WIDE` the processor must have AVX2.
    #[inline(always)]
    unsafe fn draw_with<const WIDE: bool>(&mut self, scene: &Scene, pixels: &mut [[u8; 4]]) {
        self.work = FrameWork::default();
        let mut laps = Laps::start(scene.watched);
        // SAFETY: the caller has what `WIDE` needs.
        unsafe {
            self.draw_mesh::<WIDE>(scene, pixels, &mut laps);
            self.draw_fine::<WIDE>(scene, pixels, &mut laps);
        }
        for e in 0..2 {
            self.draw_eye(scene, e, pixels, &mut laps);
        }
        let shown = self.of_area(scene.mouth.area());
        let rows = shown.clone().map(|y| (y, scene.mouth.columns(y)));
        let painter = scene.mouth.painter(scene.puppet, scene.plan);
        let (upper, lower) = lines(&scene.plan.pixels.mouth.lips);
        repaint(self.rows.start, scene, rows, [&upper, &lower], pixels, |p, near, c| painter.paint(p, near, c));
        laps.end(Stage::Mouth, &mut self.work, || {
            let n: usize = shown.map(|y| scene.mouth.columns(y).len()).sum();
            let samples = scene.mouth.samples_of_a_pixel();
            (n * (2 * shapes::OPERATIONS + paint::OPERATIONS + 12 * samples), n * (2 * 4 + samples * 16))
        });
    }

    /// # Safety
    /// With `WIDE` the processor must have AVX2.
    #[inline(always)]
    unsafe fn draw_mesh<const WIDE: bool>(&mut self, scene: &Scene, pixels: &mut [[u8; 4]], laps: &mut Laps) {
        let Scene { puppet, plan, .. } = scene;
        let [scale, _, texels, _] = plan.pixels.scale;
        // edges are found from the rows above and below too
        let around = self.rows.start.saturating_sub(1)..(self.rows.end + 1).min(scene.size);
        self.flow.clear(scene.size, around.clone());
        let [top, bottom] = [around.start, around.end].map(|y| y as f32 / scale);
        for triangles in scene.mesh.between(top, bottom) {
            let vertex = |i| {
                let [x, y, d] = plan.positions[i as usize];
                [x * scale, y * scale, d]
            };
            self.flow.draw(triangles, vertex, |i| attributes(plan, i));
        }
        laps.end(Stage::Raster, &mut self.work, || {
            let n = around.len() * scene.size;
            let mesh = self.flow.corners() * 4 + plan.positions.len() * (12 + 16);
            (self.flow.operations(), mesh + n * 4 + self.flow.fragments() * SAID)
        });
        let Self { rows, flow, edges, .. } = self;
        let is_seen = |x: f32, y: f32| scene.photo.is_seen((x + PAD * SIDE) * texels, (y + PAD * SIDE) * texels);
        edges.begin(rows.clone(), scale);
        for (y, (depth, source)) in
            around.clone().zip(flow.depth.chunks(scene.size).zip(flow.attributes.chunks(scene.size)))
        {
            edges.look(y, source, depth, is_seen);
            if !rows.contains(&y) {
                continue;
            }
            let row = &mut pixels[(y - rows.start) * scene.size..][..scene.size];
            let still = scene.still[y * scene.size..][..scene.size].chunks(AT_ONCE);
            let pieces = still.zip(depth.chunks(AT_ONCE).zip(source.chunks(AT_ONCE)));
            for (out, (still, (depth, source))) in row.chunks_mut(AT_ONCE).zip(pieces) {
                if depth.iter().all(|&d| d >= FAR) {
                    out.copy_from_slice(still);
                    continue;
                }
                // SAFETY: the caller has what `WIDE` needs.
                let seen = unsafe { look::<WIDE>(scene.photo, &puppet.folds, source, texels) };
                for ((out, still), (depth, seen)) in out.iter_mut().zip(still).zip(depth.iter().zip(seen)) {
                    *out = if *depth < FAR { over(seen, *still) } else { *still };
                }
            }
        }
        edges.end();
        laps.end(Stage::Sample, &mut self.work, || {
            let (n, first) = (self.rows.len() * scene.size, (self.rows.start - around.start) * scene.size);
            let seen = (first..first + n).filter(|&i| self.flow.depth[i] < FAR);
            let (seen, folded) = seen.fold((0, 0), |(seen, folded), i| {
                (seen + 1, folded + usize::from(self.flow.attributes[i][3].abs() > LEAST_FOLD))
            });
            let photo = (seen * photo::TEXEL) as f32 * (texels / scale).powi(2);
            (n * edges::OPERATIONS + seen * LOOK + folded * FOLD, n * (4 + 4 + 4) + seen * 16 + photo as usize)
        });
    }

    /// Draws what one sample cannot stand for once more, with four to a pixel: edges, and the lips.
    ///
    /// # Safety
    /// With `WIDE` the processor must have AVX2.
    #[inline(always)]
    unsafe fn draw_fine<const WIDE: bool>(&mut self, scene: &Scene, pixels: &mut [[u8; 4]], laps: &mut Laps) {
        let (scale, positions) = (scene.plan.pixels.scale[0], &scene.plan.positions);
        let mut near = std::mem::take(&mut self.near);
        let (mut flops, mut bytes) = (0, 0);
        let lips = scene.plan.pixels.mouth.fine.map(|v| v as usize);
        let (mut drawn, mut done) = (0, self.of_area(lips).is_empty());
        loop {
            // cells beside each other look for triangles together; the lips come last
            let cells = self.edges.row_of_cells(drawn);
            let (areas, [x0, y0, x1, y1]) = match &cells {
                Some(row) => {
                    let ([x0, y0, ..], [_, _, x1, y1]) = (self.edges.cell(row.start), self.edges.cell(row.end - 1));
                    (row.clone(), [x0, y0, x1, y1])
                }
                None if done => break,
                None => (0..1, lips),
            };
            scene.mesh.within([x0, y0, x1, y1].map(|v| v as f32 / scale), positions, &mut near);
            (drawn, done) = if cells.is_some() { (areas.end, done) } else { (drawn, true) };
            for area in areas {
                let (area, places) = match cells {
                    Some(_) => (self.edges.cell(area), &ROOKS[..]),
                    None => (lips, &PAIRS[..]),
                };
                // SAFETY: the caller has what `WIDE` needs.
                let (f, b) = unsafe { self.draw_area::<WIDE>(scene, area, places, &near, pixels) };
                (flops, bytes) = (flops + f, bytes + b);
            }
        }
        self.near = near;
        laps.end(Stage::Fine, &mut self.work, || (flops, bytes));
    }

    /// Draws pixels of an area (x0, y0, x1, y1) that lie in this band from these triangles, with four samples in two or four
    /// rows: with two all of them, with four those with an edge. Operations and bytes.
    ///
    /// # Safety
    /// With `WIDE` the processor must have AVX2.
    #[inline(always)]
    unsafe fn draw_area<const WIDE: bool>(
        &mut self,
        scene: &Scene,
        area @ [x0, y0, x1, _]: [usize; 4],
        places: &[f32],
        triangles: &[[u32; 3]],
        pixels: &mut [[u8; 4]],
    ) -> (usize, usize) {
        /// Pixels of four samples that are looked up at once.
        const PIXELS: usize = AT_ONCE / 4;
        let Scene { puppet, plan, .. } = scene;
        let [scale, _, texels, _] = plan.pixels.scale;
        let (rows, rows_of_a_pixel) = (self.of_area(area), places.len());
        let (columns_of_a_pixel, all) = (4 / rows_of_a_pixel, rows_of_a_pixel == 2);
        let w = columns_of_a_pixel * x1.saturating_sub(x0);
        self.fine.clear(w, rows_of_a_pixel * (rows.start - y0)..rows_of_a_pixel * (rows.end - y0));
        let vertex = |i| {
            let [x, y, d] = plan.positions[i as usize];
            let (across, down) = (columns_of_a_pixel as f32, rows_of_a_pixel as f32);
            [across * (x * scale - x0 as f32), down * (y * scale - y0 as f32), d]
        };
        self.fine.draw_at(places, triangles, vertex, |i| attributes(plan, i));
        let mut drawn = 0;
        for (k, y) in rows.enumerate() {
            for left in (x0..x1).step_by(PIXELS) {
                let columns = left..(left + PIXELS).min(x1);
                if !all && !columns.clone().any(|x| self.edges.torn(x, y)) {
                    continue;
                }
                let mut source = [[0.0; 4]; AT_ONCE];
                let mut covered = [false; AT_ONCE];
                let n = 4 * columns.len();
                for (s, (source, covered)) in source.iter_mut().zip(&mut covered).take(n).enumerate() {
                    let (row, column) = (s % 4 / columns_of_a_pixel, s % columns_of_a_pixel);
                    let i = (rows_of_a_pixel * k + row) * w + columns_of_a_pixel * (left - x0 + s / 4) + column;
                    (*source, *covered) = (self.fine.attributes[i], self.fine.depth[i] < FAR);
                }
                drawn += columns.len();
                // SAFETY: the caller has what `WIDE` needs.
                let seen = unsafe { look::<WIDE>(scene.photo, &puppet.folds, &source[..n], texels) };
                let pairs = seen[..n].as_chunks::<4>().0.iter().zip(covered.as_chunks::<4>().0);
                for (column, (seen, covered)) in columns.zip(pairs).filter(|(x, _)| all || self.edges.torn(*x, y)) {
                    let mut sum = [0.0; 4];
                    for (seen, _) in seen.iter().zip(covered).filter(|(_, covered)| **covered) {
                        for (s, c) in sum.iter_mut().zip(seen) {
                            *s += 0.25 * c;
                        }
                    }
                    let still = scene.still[y * scene.size + column];
                    pixels[(y - self.rows.start) * scene.size + column] = over(sum, still);
                }
            }
        }
        let photo = (drawn * photo::TEXEL) as f32 * (texels / scale).powi(2);
        let flops = self.fine.operations() + 4 * drawn * (LOOK + 8);
        (flops, drawn * (4 * (4 + SAID) + 8) + self.fine.fragments() * SAID + photo as usize)
    }

    #[inline(always)]
    fn draw_eye(&mut self, scene: &Scene, e: usize, pixels: &mut [[u8; 4]], laps: &mut Laps) {
        let eye = &scene.plan.pixels.eyes[e];
        let area @ [x0, _, x1, _] = eye.area.map(|v| v as usize);
        let rows = self.of_area(area);
        let (upper, lower) = lines(&eye.lids);
        let [scale, _, _, edge] = scene.plan.pixels.scale;
        self.touched.clear();
        if eye.lid[0] > 0.0 {
            self.touched.extend(rows.clone().map(|_| [x0, x1]));
        } else if eye.shade[2] > 0.0 {
            // an open eye ends at its lids
            spans([&upper, &lower], edge * scale, scale, [x0, rows.start, x1, rows.end], &mut self.touched);
        }
        let painter = EyePainter {
            plan: eye,
            eye: &scene.puppet.eyes[e],
            layer_texels: TEXELS,
            edge,
            upper,
            lower,
            fold: lines(&eye.second).0,
        };
        let touched = rows.zip(self.touched.iter().map(|&[from, to]| from..to));
        repaint(self.rows.start, scene, touched, [&upper, &lower], pixels, |p, near, c| painter.paint(p, near, c));
        laps.end(Stage::Eyes, &mut self.work, || {
            let n: usize = self.touched.iter().map(|[from, to]| to.saturating_sub(*from)).sum();
            (n * (2 * shapes::OPERATIONS + paint_eye::OPERATIONS), n * (2 * 4 + 4 * sample::TEXEL))
        });
    }

    /// The rows of an area (x0, y0, x1, y1) that lie in this band.
    fn of_area(&self, [_, y0, _, y1]: [usize; 4]) -> Range<usize> {
        let start = y0.clamp(self.rows.start, self.rows.end);
        start..y1.clamp(start, self.rows.end)
    }
}

/// Replaces pixels, given row by row, of `pixels`, which begin with row `top`; `paint` gets the crop pixel, what is nearest
/// to it of two lines, and the colour so far.
#[inline(always)]
fn repaint(
    top: usize,
    scene: &Scene,
    rows: impl Iterator<Item = (usize, Range<usize>)>,
    near: [&Line; 2],
    pixels: &mut [[u8; 4]],
    paint: impl Fn([f32; 2], [Nearest; 2], [f32; 3]) -> [f32; 3],
) {
    let scale = scene.plan.pixels.scale[0];
    for (y, columns) in rows {
        let crop_y = (y as f32 + 0.5) / scale;
        for left in columns.clone().step_by(AT_ONCE) {
            let xs: [f32; AT_ONCE] = std::array::from_fn(|i| ((left + i) as f32 + 0.5) / scale);
            let [upper, lower] = near.map(|line| nearest_in_row(&xs, crop_y, line));
            for (i, x) in (left..columns.end.min(left + AT_ONCE)).enumerate() {
                let pixel = &mut pixels[(y - top) * scene.size + x];
                let colour = [f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2])];
                let [r, g, b] = paint([xs[i], crop_y], [upper.of(i), lower.of(i)], colour).map(to_byte);
                *pixel = [r, g, b, pixel[3]];
            }
        }
    }
}

/// The photo's colours at up to [`AT_ONCE`] places, shaded and folded.
///
/// # Safety
/// With `WIDE` the processor must have AVX2.
#[inline(always)]
unsafe fn look<const WIDE: bool>(
    photo: &Photo,
    folds: &Folds,
    source: &[[f32; 4]],
    texels: f32,
) -> [[f32; 4]; AT_ONCE] {
    let mut at = [[0.0; AT_ONCE]; 2];
    for (i, [x, y, ..]) in source.iter().enumerate().take(AT_ONCE) {
        at[0][i] = (x + PAD * SIDE) * texels;
        at[1][i] = (y + PAD * SIDE) * texels;
    }
    // SAFETY: the caller has what `WIDE` needs.
    let mut seen = unsafe { photo.look_up::<WIDE>(&at[0], &at[1]) };
    for ([r, g, b, _], &[x, y, gain, fold]) in seen.iter_mut().zip(source) {
        let lit = 1.0 + gain;
        (*r, *g, *b) = (*r * lit, *g * lit, *b * lit);
        if fold.abs() > LEAST_FOLD {
            let change = folds.factor(x, y, fold);
            (*r, *g, *b) = (*r * change[0], *g * change[1], *b * change[2]);
        }
    }
    seen
}

/// What the mesh carries to every pixel: source, gain, strength of folds.
#[inline(always)]
fn attributes(plan: &FramePlan, vertex: u32) -> [f32; 4] {
    let ([x, y], tone) = (plan.source[vertex as usize], plan.tone[vertex as usize]);
    [x, y, tone.gain, tone.fold]
}

/// The person (colours times opacity, and opacity 0..1) over what is behind.
#[inline(always)]
fn over(person: [f32; 4], still: [u8; 4]) -> [u8; 4] {
    let rest = 1.0 - person[3];
    if rest <= LEAST_REST {
        return [to_byte(person[0]), to_byte(person[1]), to_byte(person[2]), 255];
    }
    let mix = |i: usize, own: f32| to_byte(own + rest * f32::from(still[i]));
    [mix(0, person[0]), mix(1, person[1]), mix(2, person[2]), mix(3, 255.0 * person[3])]
}

#[inline(always)]
fn to_byte(v: f32) -> u8 {
    // a cast saturates, which is the clamp that bicubic overshoot needs
    (v + 0.5) as u8
}
