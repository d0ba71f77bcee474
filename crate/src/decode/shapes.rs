//! Pixels and lines: how far a pixel is from two lines that share their ends, and how much of it lies between them.
//! The twin of `shaders/decode/shapes.wgsl`.

use super::plan::{Line, POINTS};

/// Where a pixel lies with respect to an upper and a lower line that share their ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between {
    /// Distance from the upper line.
    pub upper: f32,
    /// Distance from the lower line.
    pub lower: f32,
    /// Place along the upper line, 0..1.
    pub along: f32,
    /// Whether the pixel lies below the nearest piece of the upper line.
    pub under: bool,
    /// Whether it lies between the two.
    pub inside: bool,
}

/// Measures a pixel against two lines.
pub(crate) fn between(p: [f32; 2], upper: &Line, lower: &Line) -> Between {
    let (up, along, cross, odd_up) = nearest(p, upper);
    let (down, _, _, odd_down) = nearest(p, lower);
    Between { upper: up.sqrt(), lower: down.sqrt(), along, under: cross > 0.0, inside: odd_up != odd_down }
}

/// Square distance to a line, the share of its points there, on which side of that piece the pixel lies (positive:
/// below a line that runs to the right), and whether a ray to the right crosses the line an odd number of times.
fn nearest(p: [f32; 2], line: &Line) -> (f32, f32, f32, bool) {
    let (mut best, mut along, mut side, mut odd) = (f32::INFINITY, 0.0, 0.0, false);
    for i in 0..POINTS - 1 {
        let (a, b) = (line[i], line[i + 1]);
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let (ex, ey) = (p[0] - a[0], p[1] - a[1]);
        let t = ((ex * dx + ey * dy) / (dx * dx + dy * dy).max(1e-9)).clamp(0.0, 1.0);
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
    (best, along, side, odd)
}

/// Share of the pixel between the two lines, 0..1. `width`: half width of a soft edge. The shares on both sides of a
/// line add up to 1, so that a slit narrower than the edge fades instead of vanishing.
pub(crate) fn coverage(at: &Between, width: f32) -> f32 {
    let (near, far) = (at.upper.min(at.lower), at.upper.max(at.lower));
    let near = if at.inside { near } else { -near };
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

    #[test]
    fn coverage_adds_up_to_the_area() {
        for height in [0.3f32, 1.0, 6.0] {
            let (up, lo) = lens(height);
            let mut sum = 0.0;
            for y in 0..60 {
                for x in 0..60 {
                    sum += coverage(&between([x as f32 + 0.5, y as f32 + 0.5], &up, &lo), 1.2);
                }
            }
            let area: f32 = (0..16).map(|k| 2.5 * 0.5 * (lo[k][1] - up[k][1] + lo[k + 1][1] - up[k + 1][1])).sum();
            assert!((sum - area).abs() < 0.05 * area + 0.5, "height {height}: {sum} for {area}");
        }
    }

    #[test]
    fn sides_and_places() {
        let (up, lo) = lens(6.0);
        let mid = between([30.0, 30.0], &up, &lo);
        assert!(mid.inside && mid.under && (mid.upper - 6.0).abs() < 0.1 && (mid.along - 0.5).abs() < 0.02);
        let above = between([30.0, 20.0], &up, &lo);
        assert!(!above.inside && !above.under && (above.upper - 4.0).abs() < 0.1);
        assert_eq!(coverage(&between([5.0, 30.0], &up, &lo), 1.2), 0.0);
    }
}
