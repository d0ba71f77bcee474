//! Which pixels of each row a shape between two lines can touch, so that nothing is worked out for the others.

use super::plan::Line;

/// A piece of a row: the first pixel, and the one after the last.
pub(crate) type Span = [usize; 2];

/// For every row of the area (x0, y0, x1, y1, output pixels) the pixels whose centres lie between two lines that share
/// their ends, or at most `margin` (output pixels) from them. `scale`: output pixels to a crop pixel. `out` is emptied
/// first; once it has had room for the largest area, nothing is allocated.
pub(crate) fn spans(lines: [&Line; 2], margin: f32, scale: f32, area: [usize; 4], out: &mut Vec<Span>) {
    let [x0, y0, x1, y1] = area;
    out.clear();
    for y in y0..y1 {
        let middle = y as f32 + 0.5;
        let (mut left, mut right) = (f32::INFINITY, f32::NEG_INFINITY);
        for line in lines {
            for piece in line.windows(2) {
                let [a, b] = [piece[0], piece[1]].map(|p| p.map(|v| v * scale));
                let (a, b) = if a[1] <= b[1] { (a, b) } else { (b, a) };
                if a[1] - margin > middle || b[1] + margin < middle {
                    continue;
                }
                // the part of the piece that is near this row
                let slope = (b[0] - a[0]) / (b[1] - a[1]).max(1e-6);
                let at = |row: f32| {
                    if row <= a[1] {
                        a[0]
                    } else if row >= b[1] {
                        b[0]
                    } else {
                        a[0] + (row - a[1]) * slope
                    }
                };
                let (from, to) = (at(middle - margin), at(middle + margin));
                left = left.min(from.min(to));
                right = right.max(from.max(to));
            }
        }
        let first = ((left - margin - 0.5).ceil().max(x0 as f32) as usize).min(x1);
        let after = ((right + margin + 0.5).floor().max(0.0) as usize).clamp(first, x1);
        out.push([first, after]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::shapes::{coverage, nearest};
    use super::*;

    #[test]
    fn nothing_that_is_covered_lies_outside() {
        for (height, tilt, width) in [(0.4f32, 0.0, 1.2f32), (6.0, 0.3, 2.5), (9.0, -1.4, 1.2)] {
            let x = |k: usize| 14.0 + 2.0 * k as f32;
            let bow = |k: usize| height * (1.0 - ((k as f32 - 8.0) / 8.0).powi(2));
            let upper: Line = std::array::from_fn(|k| [x(k), 30.0 + tilt * (k as f32 - 8.0) - bow(k)]);
            let lower: Line = std::array::from_fn(|k| [x(k), 30.0 + tilt * (k as f32 - 8.0) + bow(k)]);
            let scale = 1.5;
            let mut rows = Vec::new();
            spans([&upper, &lower], width * scale, scale, [0, 0, 90, 90], &mut rows);
            assert_eq!(rows.len(), 90);
            let (mut inside, mut all) = (0, 0);
            for (y, [from, to]) in rows.into_iter().enumerate() {
                for x in 0..90 {
                    let p = [x, y].map(|v| (v as f32 + 0.5) / scale);
                    let covered = coverage(&nearest(p, &upper), &nearest(p, &lower), width) > 0.0;
                    assert!(!covered || (from..to).contains(&x), "({x}, {y}) is not in {from}..{to}");
                    inside += usize::from(covered);
                }
                all += to - from;
            }
            assert!(inside > 20 && all < 3 * inside + 400, "{inside} of {all}");
        }
    }
}
