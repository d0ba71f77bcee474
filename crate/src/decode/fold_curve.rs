//! Folds as curves in the photo.

use super::fold_lines::{FOLDS, Group, mirrored};
use super::weights::smooth;

/// Steps of a line.
pub(crate) const STEPS: usize = 24;

/// A fold in the photo; lengths in crop pixels.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub group: Group,
    pub points: [[f32; 2]; STEPS],
    pub width: f32,
    pub depth: f32,
    pub shadow: f32,
    /// How far the shadow reaches on the near side, in half widths.
    pub soft: f32,
    /// Swelling on the far side; the sign is that of [`beside`]. Without one the skin swells a little on both sides.
    pub bulge: f32,
    /// Where the slow change of strength along the line begins.
    pub phase: f32,
}

/// All folds as lines in the photo.
pub(crate) fn lines(landmarks: &[[f32; 2]], cm: f32) -> Vec<Line> {
    let point = |&(a, b, t): &(usize, usize, f32)| -> [f32; 2] {
        std::array::from_fn(|c| landmarks[a][c] + (landmarks[b][c] - landmarks[a][c]) * t)
    };
    let mut out = Vec::new();
    for (k, fold) in FOLDS.iter().enumerate() {
        for (group, other) in [(fold.groups.0, false), (fold.groups.1, true)] {
            if other && fold.crosses {
                continue;
            }
            let side = |i: usize| if other { mirrored(i) } else { i };
            let points: Vec<[f32; 2]> = fold.points.iter().map(|&(a, b, t)| point(&(side(a), side(b), t))).collect();
            let mut points = curve(&points);
            for (i, p) in points.iter_mut().enumerate() {
                p[1] += fold.waves * cm * (0.7 * i as f32 + 2.1 * k as f32).sin();
            }
            out.push(Line {
                group,
                points,
                width: fold.width * cm,
                depth: fold.depth,
                shadow: fold.shadow,
                soft: fold.soft,
                bulge: if other { fold.bulge } else { -fold.bulge },
                phase: 2.1 * k as f32 + if other { 1.3 } else { 0.0 },
            });
        }
    }
    out
}

/// A smooth curve through the points (Catmull-Rom).
fn curve(points: &[[f32; 2]]) -> [[f32; 2]; STEPS] {
    let last = points.len() - 1;
    std::array::from_fn(|k| {
        let at = last as f32 * k as f32 / (STEPS - 1) as f32;
        let i = (at as usize).min(last - 1);
        let t = at - i as f32;
        let (a, b, c, d) = (points[i.saturating_sub(1)], points[i], points[i + 1], points[(i + 2).min(last)]);
        std::array::from_fn(|x| {
            let (p, q) = (0.5 * (c[x] - a[x]), 0.5 * (d[x] - b[x]));
            let (u, v) = (b[x] - c[x], t * t);
            b[x] + p * t + (-3.0 * u - 2.0 * p - q) * v + (2.0 * u + p + q) * v * t
        })
    })
}

/// Distance from a line (signed: positive to the right of its way as seen in the picture) and share of its way.
pub(crate) fn beside(p: [f32; 2], points: &[[f32; 2]; STEPS]) -> (f32, f32) {
    let (mut best, mut signed, mut along) = (f32::INFINITY, 0.0, 0.0);
    for (i, w) in points.windows(2).enumerate() {
        let (d, e) = ([w[1][0] - w[0][0], w[1][1] - w[0][1]], [p[0] - w[0][0], p[1] - w[0][1]]);
        let t = ((d[0] * e[0] + d[1] * e[1]) / (d[0] * d[0] + d[1] * d[1]).max(1e-6)).clamp(0.0, 1.0);
        let distance = (e[0] - t * d[0]).hypot(e[1] - t * d[1]);
        if distance < best {
            best = distance;
            signed = if d[1] * e[0] - d[0] * e[1] > 0.0 { distance } else { -distance };
            along = (i as f32 + t) / (STEPS - 1) as f32;
        }
    }
    (signed, along)
}

/// Lines end softly.
pub(crate) fn taper(along: f32) -> f32 {
    smooth(along, 0.0, 0.25) * smooth(1.0 - along, 0.0, 0.3)
}
