//! Where the photo tears in a frame: pixels beside which places of the photo lie that are no neighbours there, as along
//! the edge of a nose in front of a cheek, or in skin that is seen from the side. One look-up cannot stand for such a pixel.

use std::ops::Range;

use super::paint::square;
use super::raster::FAR;

/// Side of a cell, pixels: edges are drawn again cell by cell, and cells lie the same whichever rows are drawn.
pub(crate) const CELL: usize = 8;

/// Largest frame whose edges are drawn more finely; in larger ones a pixel is too small for its steps to be seen.
pub(crate) const LARGEST: usize = 1024;

/// Neighbours that lie further apart in the photo than this, in pixels of the frame, do not belong together.
const TORN: f32 = 2.5;

/// Operations on numbers that a pixel takes.
pub(crate) const OPERATIONS: usize = 2 * 6;

/// Neighbours that are compared at once.
const LANES: usize = 8;

/// Where a pixel without any triangle is taken to lie in the photo: far from all others, and nowhere else than its like.
const NOWHERE: f32 = 1e9;

/// The torn pixels of some rows of a frame.
#[derive(Clone, Debug)]
pub(crate) struct Edges {
    width: usize,
    rows: Range<usize>,
    /// Which pixels of the rows are torn.
    torn: Vec<bool>,
    /// Which cells have some, row by row from that of the first row of pixels; and their top left pixels.
    marked: Vec<bool>,
    cells: Vec<[usize; 2]>,
    /// Square of the crop pixels beyond which neighbours do not belong together.
    limit: f32,
    /// The row that was looked at last.
    above: Option<usize>,
    /// Places in the photo of the row that is looked at and of that one.
    lines: [Line; 2],
}

/// Places in the photo along a row of pixels.
#[derive(Clone, Debug)]
struct Line {
    x: Vec<f32>,
    y: Vec<f32>,
}

impl Edges {
    /// Room for so many rows of so many pixels.
    pub fn with_room(rows: usize, width: usize) -> Self {
        let cells = (rows.div_ceil(CELL) + 1) * width.div_ceil(CELL);
        let room = width.next_multiple_of(LANES) + LANES;
        let line = || Line { x: vec![NOWHERE; room], y: vec![NOWHERE; room] };
        Self {
            width,
            rows: 0..0,
            torn: vec![false; rows * width],
            marked: vec![false; cells],
            cells: Vec::with_capacity(cells),
            limit: 0.0,
            above: None,
            lines: [line(), line()],
        }
    }

    /// Begins to look for the torn pixels of these rows. `scale`: pixels of the frame to a crop pixel.
    pub fn begin(&mut self, rows: Range<usize>, scale: f32) {
        if self.width <= LARGEST {
            self.torn[..rows.len() * self.width].fill(false);
            self.marked.fill(false);
        }
        self.cells.clear();
        (self.rows, self.limit, self.above) = (rows, (TORN / scale).powi(2), None);
    }

    /// Looks at one row after the other, and at the ones above and below where the frame has them. `attributes` begin with a
    /// crop pixel of the photo; `is_seen`: whether such a pixel shows anything, which decides where the mesh ends.
    #[inline(always)]
    pub fn look(&mut self, y: usize, attributes: &[[f32; 4]], depth: &[f32], is_seen: impl Fn(f32, f32) -> bool) {
        let (limit, width) = (self.limit, self.width);
        if width > LARGEST {
            return;
        }
        self.lines.swap(0, 1);
        self.lines[0].take(attributes, depth);
        let above = self.above.replace(y);
        for left in (0..width).step_by(LANES) {
            let [here, upper] = &self.lines;
            let across = here.any_apart(left, here, left + 1, limit);
            let down = above.is_some() && here.any_apart(left, upper, left, limit);
            if !(across || down) {
                continue;
            }
            for x in left..(left + LANES).min(width) {
                if across && x + 1 < width && self.lines[0].apart(x, &self.lines[0], x + 1, limit, &is_seen) {
                    self.tear(x, y);
                    self.tear(x + 1, y);
                }
                if let (true, Some(above)) = (down, above)
                    && self.lines[0].apart(x, &self.lines[1], x, limit, &is_seen)
                {
                    self.tear(x, y);
                    self.tear(x, above);
                }
            }
        }
    }

    /// Ends the search.
    pub fn end(&mut self) {
        let across = self.width.div_ceil(CELL);
        let place = |i: usize| [i % across * CELL, (i / across + self.rows.start / CELL) * CELL];
        self.cells.extend((0..self.marked.len()).filter(|&i| self.marked[i]).map(place));
    }

    /// Takes note of a torn pixel, unless it belongs to other rows.
    fn tear(&mut self, x: usize, y: usize) {
        if self.rows.contains(&y) {
            self.torn[(y - self.rows.start) * self.width + x] = true;
            self.marked[(y / CELL - self.rows.start / CELL) * self.width.div_ceil(CELL) + x / CELL] = true;
        }
    }

    /// The cells with torn pixels that lie beside each other from the cell `first` on, if there is one.
    pub fn row_of_cells(&self, first: usize) -> Option<Range<usize>> {
        let [_, top] = *self.cells.get(first)?;
        let row = self.cells[first..].iter().take_while(|cell| cell[1] == top);
        Some(first..first + row.count())
    }

    /// The pixels (x0, y0, x1, y1) of a cell that has torn ones.
    pub fn cell(&self, index: usize) -> [usize; 4] {
        let [left, top] = self.cells[index];
        [left, top, (left + CELL).min(self.width), top + CELL]
    }

    /// Whether a pixel of the rows is torn.
    pub fn torn(&self, x: usize, y: usize) -> bool {
        self.torn[(y - self.rows.start) * self.width + x]
    }
}

impl Line {
    /// Takes places out of what the mesh says about a row; the last one is repeated.
    #[inline(always)]
    fn take(&mut self, attributes: &[[f32; 4]], depth: &[f32]) {
        for ((x, y), (a, d)) in self.x.iter_mut().zip(&mut self.y).zip(attributes.iter().zip(depth)) {
            // with masks instead of branches, which would wait for every depth
            let gone = u32::from(*d >= FAR).wrapping_neg();
            let kept = |v: f32| f32::from_bits(v.to_bits() & !gone | NOWHERE.to_bits() & gone);
            (*x, *y) = (kept(a[0]), kept(a[1]));
        }
        let n = depth.len();
        let last = [self.x[n - 1], self.y[n - 1]];
        self.x[n..].fill(last[0]);
        self.y[n..].fill(last[1]);
    }

    /// Whether any of some places from `left` on lies further from its neighbour than the root of the limit.
    #[inline(always)]
    fn any_apart(&self, left: usize, other: &Self, beside: usize, limit: f32) -> bool {
        let (Some(x), Some(y)) = (part(&self.x, left), part(&self.y, left)) else { return false };
        let (Some(u), Some(v)) = (part(&other.x, beside), part(&other.y, beside)) else { return false };
        let mut squares = [0.0f32; LANES];
        for (i, apart) in squares.iter_mut().enumerate() {
            *apart = square(x[i] - u[i]) + square(y[i] - v[i]);
        }
        // whole numbers, because their order does not matter
        squares.iter().fold(0, |any, &apart| any | u32::from(apart > limit)) != 0
    }

    /// Whether a place of this row and one of another do not belong together.
    fn apart(&self, i: usize, other: &Self, j: usize, limit: f32, is_seen: impl Fn(f32, f32) -> bool) -> bool {
        let ([x, y], [u, v]) = ([self.x[i], self.y[i]], [other.x[j], other.y[j]]);
        match (x < NOWHERE, u < NOWHERE) {
            (true, true) => square(x - u) + square(y - v) > limit,
            (true, false) => is_seen(x, y),
            (false, true) => is_seen(u, v),
            (false, false) => false,
        }
    }
}

/// Some neighbours from `left` on.
#[inline(always)]
fn part(line: &[f32], left: usize) -> Option<&[f32; LANES]> {
    line[left..].first_chunk()
}

#[cfg(test)]
mod tests {
    use super::super::raster::Target;
    use super::*;

    /// Two sheets that show the photo as it is but for a hole; the right one lies `shift` pixels further in it.
    fn flow(rows: Range<usize>, shift: f32) -> Target<4> {
        let corner =
            |i: u32| [[0.0, 0.0], [20.0, 0.0], [20.0, 40.0], [0.0, 40.0], [39.0, 0.0], [39.0, 40.0]][i as usize % 6];
        let mut flow = Target::with_room(0);
        flow.clear(40, rows);
        let vertex = |i: u32| [corner(i)[0], corner(i)[1], 1.0];
        flow.draw(&[[0, 1, 2], [0, 2, 3]], vertex, |i| [corner(i)[0], corner(i)[1], 0.0, 0.0]);
        flow.draw(&[[1, 4, 5], [1, 5, 2]], vertex, |i| [corner(i)[0] + shift, corner(i)[1], 0.0, 0.0]);
        flow
    }

    fn torn(rows: Range<usize>, shift: f32, is_seen: impl Fn(f32, f32) -> bool) -> Vec<[usize; 2]> {
        let around = rows.start.saturating_sub(1)..(rows.end + 1).min(40);
        let (mut edges, flow) = (Edges::with_room(rows.len(), 40), flow(around.clone(), shift));
        edges.begin(rows.clone(), 1.0);
        for (k, y) in around.enumerate() {
            edges.look(y, &flow.attributes[40 * k..][..40], &flow.depth[40 * k..][..40], &is_seen);
        }
        edges.end();
        let pixels = rows.flat_map(|y| (0..40).map(move |x| [x, y]));
        let all: Vec<_> = pixels.filter(|&[x, y]| edges.torn(x, y)).collect();
        let cells: Vec<_> = (0..edges.cells.len()).map(|i| edges.cell(i)).collect();
        let holds = |[x0, y0, x1, y1]: [usize; 4], [x, y]: [usize; 2]| (x0..x1).contains(&x) && (y0..y1).contains(&y);
        assert!(all.iter().all(|&p| cells.iter().any(|&c| holds(c, p))), "{cells:?}");
        assert!(cells.iter().all(|&c| all.iter().any(|&p| holds(c, p))), "{cells:?}");
        all
    }

    #[test]
    fn both_sides_of_a_tear_are_found() {
        assert_eq!(torn(0..40, 0.0, |_, _| false), Vec::<[usize; 2]>::new());
        assert_eq!(torn(0..40, 1.0, |_, _| false), Vec::<[usize; 2]>::new(), "a smooth stretch is no tear");
        let wanted: Vec<_> = (0..40).flat_map(|y| [[19, y], [20, y]]).collect();
        assert_eq!(torn(0..40, 5.0, |_, _| false), wanted);
    }

    #[test]
    fn the_end_of_the_mesh_counts_where_something_is_seen() {
        let wanted: Vec<_> = (10..40).flat_map(|y| [[38, y], [39, y]]).collect();
        assert_eq!(torn(0..40, 0.0, |_, y| y > 10.0), wanted);
    }

    #[test]
    fn rows_are_torn_alike_whoever_asks() {
        let whole = torn(0..40, 5.0, |_, y| y > 10.0);
        let parts: Vec<_> = [0..13, 13..14, 14..40].into_iter().flat_map(|r| torn(r, 5.0, |_, y| y > 10.0)).collect();
        assert_eq!(parts, whole);
    }

    #[test]
    fn large_frames_have_none() {
        for (width, cells) in [(LARGEST, 1), (LARGEST + 1, 0)] {
            let mut edges = Edges::with_room(1, width);
            edges.begin(0..1, 1.0);
            let mut depth = vec![FAR; width];
            depth[5] = 1.0;
            edges.look(0, &vec![[0.0; 4]; width], &depth, |_, _| true);
            edges.end();
            assert_eq!(edges.cells.len(), cells);
        }
    }
}
