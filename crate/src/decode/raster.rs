//! Triangles to pixels: the nearest triangle at every pixel centre, with linearly interpolated attributes.

use std::ops::Range;

/// Some rows of a depth-buffered picture of attributes. Pixels that no triangle covers keep [`FAR`].
#[derive(Clone, Debug)]
pub(crate) struct Target<const A: usize> {
    width: usize,
    /// Rows of the whole picture that are kept here.
    rows: Range<usize>,
    pub depth: Vec<f32>,
    pub attributes: Vec<[f32; A]>,
    counts: Counts,
}

/// What was drawn since the last [`Target::clear`].
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Triangles looked at, and those of them that were set up.
    looked_at: usize,
    set_up: usize,
    /// Pieces of rows.
    pieces: usize,
    /// Their pixels.
    fragments: usize,
}

/// Depth of an empty pixel.
pub(crate) const FAR: f32 = 1e9;

impl<const A: usize> Target<A> {
    /// Room for at most `pixels` pixels.
    pub fn with_room(pixels: usize) -> Self {
        Self {
            width: 0,
            rows: 0..0,
            depth: vec![FAR; pixels],
            attributes: vec![[0.0; A]; pixels],
            counts: Counts::default(),
        }
    }

    /// Makes it empty and keeps these rows of a picture of this width from now on; grows if there is no room.
    pub fn clear(&mut self, width: usize, rows: Range<usize>) {
        let n = width * rows.len();
        if n > self.depth.len() {
            self.depth.resize(n, FAR);
            self.attributes.resize(n, [0.0; A]);
        }
        self.width = width;
        self.rows = rows;
        self.depth[..n].fill(FAR);
        self.counts = Counts::default();
    }

    /// Pixels of all triangles together, drawn since [`Self::clear`].
    pub fn fragments(&self) -> usize {
        self.counts.fragments
    }

    /// Corners of triangles looked at since [`Self::clear`].
    pub fn corners(&self) -> usize {
        3 * self.counts.looked_at
    }

    /// Operations on numbers since [`Self::clear`]: corners and bounds of all triangles, planes and edges of those that can
    /// be seen, ends and first values of every piece of a row, steps from pixel to pixel.
    pub fn operations(&self) -> usize {
        let Counts { looked_at, set_up, pieces, fragments } = self.counts;
        18 * looked_at + (36 + 8 * (A + 1)) * set_up + (16 + 4 * (A + 1)) * pieces + (2 + A) * fragments
    }

    /// How many pixels no triangle covers.
    #[cfg(test)]
    pub fn empty(&self) -> usize {
        self.depth[..self.width * self.rows.len()].iter().filter(|&&d| d >= FAR).count()
    }

    /// Draws triangles. `vertex`: pixel (x, y) in the whole picture and depth of a vertex; `attribute`: its attributes.
    /// A row comes out the same whichever others are kept beside it.
    ///
    /// A pixel whose centre lies on an edge shared by two triangles belongs to exactly one of them, so a mesh without
    /// holes leaves no pixel uncovered.
    #[inline(always)]
    pub fn draw(
        &mut self,
        triangles: &[[u32; 3]],
        vertex: impl Fn(u32) -> [f32; 3],
        attribute: impl Fn(u32) -> [f32; A],
    ) {
        self.draw_at(&[0.5], triangles, vertex, attribute);
    }

    /// [`Self::draw`], but a row's samples lie elsewhere in its pixels than in the middle: `places` from their left side, one
    /// for every row in turn.
    #[inline(always)]
    pub fn draw_at(
        &mut self,
        places: &[f32],
        triangles: &[[u32; 3]],
        vertex: impl Fn(u32) -> [f32; 3],
        attribute: impl Fn(u32) -> [f32; A],
    ) {
        let mut counts = self.counts;
        counts.looked_at += triangles.len();
        let (w, top, bottom) = (self.width as f32, self.rows.start as f32, self.rows.end as f32);
        for t in triangles {
            let p = t.map(&vertex);
            let lo_y = p[0][1].min(p[1][1]).min(p[2][1]);
            let hi_y = p[0][1].max(p[1][1]).max(p[2][1]);
            let lo_x = p[0][0].min(p[1][0]).min(p[2][0]);
            let hi_x = p[0][0].max(p[1][0]).max(p[2][0]);
            if !(hi_y > top && lo_y < bottom && hi_x > 0.0 && lo_x < w) {
                continue;
            }
            let area = (p[1][0] - p[0][0]) * (p[2][1] - p[0][1]) - (p[2][0] - p[0][0]) * (p[1][1] - p[0][1]);
            if area.abs() < 1e-9 {
                continue;
            }
            counts.set_up += 1;
            // the depth and the attributes are planes over the picture
            let a = t.map(&attribute);
            let (e1, e2) = ([p[1][0] - p[0][0], p[1][1] - p[0][1]], [p[2][0] - p[0][0], p[2][1] - p[0][1]]);
            let share = 1.0 / area;
            let slope = |v0: f32, v1: f32, v2: f32| {
                let (d1, d2) = (v1 - v0, v2 - v0);
                [(d1 * e2[1] - d2 * e1[1]) * share, (d2 * e1[0] - d1 * e2[0]) * share]
            };
            let dz = slope(p[0][2], p[1][2], p[2][2]);
            let da: [[f32; 2]; A] = std::array::from_fn(|i| slope(a[0][i], a[1][i], a[2][i]));
            let [upmost, middle, lowest] = downwards(p);
            let (long, upper, lower) =
                (Edge::new(upmost, lowest), Edge::new(upmost, middle), Edge::new(middle, lowest));
            let first = above(lo_y - 0.5).max(top) as usize;
            let last = above(hi_y - 0.5).clamp(top, bottom) as usize;
            for y in first..last {
                let cy = y as f32 + 0.5;
                let short = if cy < middle[1] { &upper } else { &lower };
                let ends = [long.at(cy), short.at(cy)];
                let (left, right) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
                let place = places[y % places.len()];
                let from = above(left - place).max(0.0);
                let to = above(right - place).min(w);
                if from >= to {
                    continue;
                }
                let (from, to) = (from as usize, to as usize);
                counts.pieces += 1;
                counts.fragments += to - from;
                let (ox, oy) = (from as f32 + place - p[0][0], cy - p[0][1]);
                let mut z = p[0][2] + ox * dz[0] + oy * dz[1];
                let mut value: [f32; A] = std::array::from_fn(|i| a[0][i] + ox * da[i][0] + oy * da[i][1]);
                let row = (y - self.rows.start) * self.width;
                let depths = &mut self.depth[row + from..row + to];
                let values = &mut self.attributes[row + from..row + to];
                for (d, out) in depths.iter_mut().zip(values) {
                    if z < *d {
                        *d = z;
                        *out = value;
                    }
                    z += dz[0];
                    for (v, d) in value.iter_mut().zip(&da) {
                        *v += d[0];
                    }
                }
            }
        }
        self.counts = counts;
    }
}

/// The smallest whole number that is not below. Rounding itself is a call into the C library on older x86-64.
#[inline(always)]
fn above(x: f32) -> f32 {
    let whole = x as i32 as f32;
    if whole < x { whole + 1.0 } else { whole }
}

/// The corners from the upmost to the lowest, from left to right at the same height.
#[inline(always)]
fn downwards([mut a, mut b, mut c]: [[f32; 3]; 3]) -> [[f32; 3]; 3] {
    let before = |p: &[f32; 3], q: &[f32; 3]| (p[1], p[0]) <= (q[1], q[0]);
    if !before(&a, &b) {
        (a, b) = (b, a);
    }
    if !before(&b, &c) {
        (b, c) = (c, b);
    }
    if !before(&a, &b) {
        (a, b) = (b, a);
    }
    [a, b, c]
}

/// An edge from its upper to its lower end. Both triangles at an edge compute the same numbers.
struct Edge {
    top: f32,
    x: f32,
    slope: f32,
}

impl Edge {
    #[inline(always)]
    fn new(a: [f32; 3], b: [f32; 3]) -> Self {
        Self { top: a[1], x: a[0], slope: (b[0] - a[0]) / (b[1] - a[1]).max(1e-12) }
    }

    #[inline(always)]
    fn at(&self, y: f32) -> f32 {
        self.x + (y - self.top) * self.slope
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_mesh_without_holes_covers_every_pixel(shift in proptest::collection::vec(-3.0f32..3.0, 2 * 49)) {
            let at = |i: u32| {
                let (x, y) = (i % 7, i / 7);
                let edge = x == 0 || y == 0 || x == 6 || y == 6;
                let d = |k: usize| if edge { 0.0 } else { shift[2 * i as usize + k] };
                [-1.0 + 9.0 * x as f32 + d(0), -1.0 + 9.0 * y as f32 + d(1), 1.0]
            };
            let mut t = Vec::new();
            for y in 0..6u32 {
                for x in 0..6u32 {
                    let i = 7 * y + x;
                    t.extend([[i, i + 1, i + 7], [i + 1, i + 8, i + 7]]);
                }
            }
            let mut target = Target::<2>::with_room(0);
            target.clear(50, 0..50);
            target.draw(&t, at, |i| { let p = at(i); [p[0], p[1]] });
            for (i, (d, a)) in target.depth.iter().zip(&target.attributes).enumerate() {
                prop_assert!(*d < FAR, "pixel {i} is empty");
                prop_assert!((a[0] - (i % 50) as f32 - 0.5).abs() < 0.02, "{a:?} at {i}");
            }
        }
    }

    #[test]
    fn samples_lie_where_they_are_asked_for() {
        // an edge that falls from the top left: x = y / 2
        let at = |i: u32| [[0.0, 0.0, 1.0], [40.0, 0.0, 1.0], [40.0, 80.0, 1.0]][i as usize];
        let mut target = Target::<2>::with_room(0);
        target.clear(20, 0..12);
        let places = [0.375, 0.875, 0.125, 0.625];
        target.draw_at(&places, &[[0, 1, 2]], at, |i| [at(i)[0], at(i)[1]]);
        for (i, (depth, [x, y])) in target.depth.iter().zip(&target.attributes).take(20 * 12).enumerate() {
            let wanted = [(i % 20) as f32 + places[i / 20 % 4], (i / 20) as f32 + 0.5];
            assert_eq!(*depth < FAR, wanted[0] > 0.5 * wanted[1], "{wanted:?}");
            assert!(*depth >= FAR || (x - wanted[0]).abs() + (y - wanted[1]).abs() < 1e-4, "{x} {y}, not {wanted:?}");
        }
    }

    #[test]
    fn rows_are_the_same_in_any_company() {
        let at = |i: u32| [[3.3, 1.2, 1.0], [47.9, 20.5, 2.0], [9.1, 38.7, 3.0], [44.0, 2.0, 1.5]][i as usize];
        let triangles = [[0, 1, 2], [0, 3, 1]];
        let mut whole = Target::<3>::with_room(0);
        whole.clear(50, 0..40);
        whole.draw(&triangles, at, at);
        let mut some = Target::<3>::with_room(0);
        for rows in [0..13, 13..14, 14..40] {
            some.clear(50, rows.clone());
            some.draw(&triangles, at, at);
            let (pixels, n) = (rows.start * 50..rows.end * 50, rows.len() * 50);
            assert_eq!(some.depth[..n], whole.depth[pixels.clone()]);
            let seen = |depth: f32, a: [f32; 3]| if depth < FAR { a } else { [0.0; 3] };
            for (k, i) in pixels.enumerate() {
                let (a, b) = (seen(some.depth[k], some.attributes[k]), seen(whole.depth[i], whole.attributes[i]));
                assert_eq!(a, b, "pixel {i}");
            }
        }
        assert!(whole.depth.iter().filter(|&&d| d < FAR).count() > 500);
    }

    #[test]
    fn the_nearer_triangle_wins_whatever_the_order() {
        let at = |i: u32| [[0.0, 0.0], [40.0, 0.0], [0.0, 40.0]][i as usize % 3];
        let vertex = |i: u32| [at(i)[0], at(i)[1], if i < 3 { 5.0 } else { 2.0 }];
        for order in [[[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]] {
            let mut target = Target::<1>::with_room(0);
            target.clear(8, 0..8);
            target.draw(&order, vertex, |i| [if i < 3 { 0.0 } else { 1.0 }]);
            assert!(target.attributes.iter().all(|a| a[0] == 1.0));
        }
    }

    #[test]
    fn coordinates_that_are_no_numbers_draw_nothing() {
        let mut target = Target::<1>::with_room(0);
        target.clear(8, 0..8);
        target.draw(
            &[[0, 1, 2]],
            |i| [[f32::NAN, 1.0, 1.0], [5.0, f32::INFINITY, 1.0], [0.0; 3]][i as usize],
            |_| [1.0],
        );
        assert!(target.depth.iter().all(|&d| d == FAR || d.is_nan() || d < FAR));
    }
}
