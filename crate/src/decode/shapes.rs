//! Pixels and lines: how far a pixel is from two lines that share their ends, and how much of it lies between them.
//! The twin of `shaders/decode/shapes.wgsl`.

use super::plan::{Line, POINTS};

/// Neighbouring pixels of a row that are worked out at once, so that compilers see vectors.
pub(crate) const AT_ONCE: usize = 8;
/// Operations on numbers that [`nearest`] takes.
pub(crate) const OPERATIONS: usize = (POINTS - 1) * 27;

/// The point of a line that is nearest to a pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Nearest {
    /// Distance.
    pub distance: f32,
    /// Share of the line's points there, 0..1.
    pub along: f32,
    /// Whether the pixel lies below that piece of a line that runs to the right.
    pub under: bool,
    /// Whether a ray to the right crosses the line an odd number of times.
    odd: bool,
}

/// Measures a pixel against a line: the twin of [`nearest_in_row`] for one pixel.
pub(crate) fn nearest(p: [f32; 2], line: &Line) -> Nearest {
    let (mut best, mut along, mut side, mut odd) = (f32::INFINITY, 0.0, 0.0, false);
    for i in 0..POINTS - 1 {
        let (a, b) = (line[i], line[i + 1]);
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let (ex, ey) = (p[0] - a[0], p[1] - a[1]);
        let t = ((ex * dx + ey * dy) * (1.0 / (dx * dx + dy * dy).max(1e-9))).clamp(0.0, 1.0);
        let (rx, ry) = (ex - t * dx, ey - t * dy);
        let square = rx * rx + ry * ry;
        let cross = dx * ey - dy * ex;
        if square < best {
            best = square;
            along = (i as f32 + t) / (POINTS - 1) as f32;
            side = cross;
        }
        // the ray crosses where the piece passes the pixel's height to its right
        if (a[1] > p[1]) != (b[1] > p[1]) && (cross > 0.0) == (dy > 0.0) {
            odd = !odd;
        }
    }
    Nearest { distance: best.sqrt(), along, under: side > 0.0, odd }
}

/// [`Nearest`] of some pixels of a row.
pub(crate) struct NearestInRow {
    square: [f32; AT_ONCE],
    along: [f32; AT_ONCE],
    side: [f32; AT_ONCE],
    odd: [bool; AT_ONCE],
}

impl NearestInRow {
    /// The one of pixel `i`.
    #[inline(always)]
    pub fn of(&self, i: usize) -> Nearest {
        Nearest { distance: self.square[i].sqrt(), along: self.along[i], under: self.side[i] > 0.0, odd: self.odd[i] }
    }
}

/// Measures pixels in columns `xs` of row `y` against a line.
#[inline(always)]
pub(crate) fn nearest_in_row(xs: &[f32; AT_ONCE], y: f32, line: &Line) -> NearestInRow {
    let mut best = NearestInRow {
        square: [f32::INFINITY; AT_ONCE],
        along: [0.0; AT_ONCE],
        side: [0.0; AT_ONCE],
        odd: [false; AT_ONCE],
    };
    for i in 0..POINTS - 1 {
        let (a, b) = (line[i], line[i + 1]);
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let ey = y - a[1];
        let share = 1.0 / (dx * dx + dy * dy).max(1e-9);
        let crosses = (a[1] > y) != (b[1] > y);
        for (k, x) in xs.iter().enumerate() {
            let ex = x - a[0];
            let t = ((ex * dx + ey * dy) * share).clamp(0.0, 1.0);
            let (rx, ry) = (ex - t * dx, ey - t * dy);
            let square = rx * rx + ry * ry;
            let cross = dx * ey - dy * ex;
            let nearer = square < best.square[k];
            best.square[k] = if nearer { square } else { best.square[k] };
            best.along[k] = if nearer { (i as f32 + t) / (POINTS - 1) as f32 } else { best.along[k] };
            best.side[k] = if nearer { cross } else { best.side[k] };
        }
        // the ray crosses where the piece passes the pixel's height to its right
        if crosses {
            for (odd, x) in best.odd.iter_mut().zip(xs) {
                *odd ^= (dx * ey - dy * (x - a[0]) > 0.0) == (dy > 0.0);
            }
        }
    }
    best
}

/// Whether a pixel lies between two lines that share their ends.
pub(crate) fn inside(upper: &Nearest, lower: &Nearest) -> bool {
    upper.odd != lower.odd
}

/// Share of the pixel between the two lines, 0..1. `width`: half width of a soft edge. The shares on both sides of a
/// line add up to 1, so that a slit narrower than the edge fades instead of vanishing.
pub(crate) fn coverage(upper: &Nearest, lower: &Nearest, width: f32) -> f32 {
    let (near, far) = (upper.distance.min(lower.distance), upper.distance.max(lower.distance));
    let near = if inside(upper, lower) { near } else { -near };
    (edge(near, width) - edge(-far, width)).max(0.0)
}

/// 0 well outside, 1 well inside, 1/2 on the edge.
fn edge(distance: f32, width: f32) -> f32 {
    let t = (0.5 + 0.5 * distance / width).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens(height: f32) -> (Line, Line) {
        let x = |k: usize| 10.0 + 2.5 * k as f32;
        let bow = |k: usize| height * (1.0 - ((k as f32 - 8.0) / 8.0).powi(2));
        (std::array::from_fn(|k| [x(k), 30.0 - bow(k)]), std::array::from_fn(|k| [x(k), 30.0 + bow(k)]))
    }

    fn covered(p: [f32; 2], (up, lo): &(Line, Line)) -> f32 {
        coverage(&nearest(p, up), &nearest(p, lo), 1.2)
    }

    #[test]
    fn coverage_adds_up_to_the_area() {
        for height in [0.3f32, 1.0, 6.0] {
            let lens = lens(height);
            let pixels = (0..3600).map(|i| [(i % 60) as f32 + 0.5, (i / 60) as f32 + 0.5]);
            let sum: f32 = pixels.map(|p| covered(p, &lens)).sum();
            let (up, lo) = &lens;
            let area: f32 = (0..16).map(|k| 1.25 * (lo[k][1] - up[k][1] + lo[k + 1][1] - up[k + 1][1])).sum();
            assert!((sum - area).abs() < 0.05 * area + 0.5, "height {height}: {sum} for {area}");
        }
    }

    #[test]
    fn rows_of_pixels_are_measured_as_single_ones() {
        let (upper, lower) = lens(6.0);
        for (row, line) in (0..60).flat_map(|row| [(row, &upper), (row, &lower)]) {
            for left in (0..56).step_by(AT_ONCE) {
                let (xs, y) = (std::array::from_fn(|i| (left + i) as f32 + 0.5), row as f32 + 0.5);
                let found = nearest_in_row(&xs, y, line);
                for (i, x) in xs.into_iter().enumerate() {
                    assert_eq!(found.of(i), nearest([x, y], line), "at {x} {y}");
                }
            }
        }
    }

    #[test]
    fn sides_and_places() {
        let lens = lens(6.0);
        let at = |p| (nearest(p, &lens.0), nearest(p, &lens.1));
        let (up, lo) = at([30.0, 30.0]);
        assert!(inside(&up, &lo) && up.under && (up.distance - 6.0).abs() < 0.1 && (up.along - 0.5).abs() < 0.02);
        let (up, lo) = at([30.0, 20.0]);
        assert!(!inside(&up, &lo) && !up.under && (up.distance - 4.0).abs() < 0.1);
        assert_eq!(covered([5.0, 30.0], &lens), 0.0);
    }
}
