//! Resampling of a picture into a square by an axis-aligned scale and shift, with antialiasing, and the blur that fades
//! what lies beyond its border.

use super::picture::Picture;

/// Sharpness of the cubic kernel (Keys 1981): the value most image libraries use for enlarging.
const KEYS: f32 = -0.75;

/// A smaller picture averages more pixels: the kernel is this many times as wide as the new pixels. A little less than 1
/// keeps the sharpness that a photo has at its own size.
const WIDTH: f32 = 0.85;

/// Blurs (standard deviation, distance from the photo at which it is full), texture pixels, applied one after the
/// other. What repeats the last row of the photo must not show: stripes would.
const FADES: [(f32, f32); 3] = [(3.0, 2.0), (9.0, 10.0), (25.0, 40.0)];

/// Weights of a stretch of source pixels for one target pixel.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

fn kernel(x: f32) -> f32 {
    let x = x.abs();
    if x < 1.0 {
        ((KEYS + 2.0) * x - (KEYS + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        KEYS * (((x - 5.0) * x + 8.0) * x - 4.0)
    } else {
        0.0
    }
}

/// Taps for all target pixels along one axis. Target pixel centre `i + 0.5` lies at `origin + (i + 0.5) * step` of the
/// source, which has `count` pixels; beyond them the last one repeats. `reach`: half the kernel's middle part, source
/// pixels.
fn taps(size: usize, origin: f32, step: f32, count: usize, reach: f32) -> Vec<Taps> {
    let last = count as i64 - 1;
    (0..size)
        .map(|i| {
            let at = origin + (i as f32 + 0.5) * step;
            let low = (at - 2.0 * reach - 0.5).floor().clamp(-1.0e9, 1.0e9) as i64;
            let high = (at + 2.0 * reach + 0.5).ceil().clamp(-1.0e9, 1.0e9) as i64;
            let first = low.clamp(0, last);
            let mut weights = vec![0.0; (high.clamp(0, last) - first + 1) as usize];
            let near_border = |j: i64| (j.clamp(0, last) - first) as usize;
            if high < 0 || low > last {
                weights[0] = 1.0;
            } else {
                for j in low..=high {
                    weights[near_border(j)] += kernel((j as f32 + 0.5 - at) / reach);
                }
            }
            let sum: f32 = weights.iter().sum();
            weights.iter_mut().for_each(|w| *w /= sum);
            Taps { first: first as usize, weights }
        })
        .collect()
}

/// A square of `size` pixels whose top left corner lies at `origin` of the picture (pixels, centres at .5) and whose
/// pixels are `step` wide. RGB, 0..255. Beyond the picture its border repeats, more and more blurred.
///
/// The picture must not be empty; `step` must be positive and at most a few thousand pixels.
pub fn resample(picture: &Picture, origin: [f32; 2], step: f32, size: usize) -> Vec<f32> {
    let (width, height) = (picture.width, picture.height);
    let reach = (WIDTH * step).max(1.0);
    let across = taps(size, origin[0], step, width, reach);
    let down = taps(size, origin[1], step, height, reach);
    let left = across.iter().map(|t| t.first).min().unwrap_or(0);
    let right = across.iter().map(|t| t.first + t.weights.len()).max().unwrap_or(width);
    let mut row = vec![0.0f32; (right - left) * 3];
    let mut out = vec![0.0f32; size * size * 3];
    for (line, target) in down.iter().zip(out.chunks_exact_mut(size * 3)) {
        row.fill(0.0);
        for (j, &weight) in line.weights.iter().enumerate() {
            let start = ((line.first + j) * width + left) * 3;
            add_bytes(&picture.data[start..start + (right - left) * 3], weight, &mut row);
        }
        gather(&row, left, &across, target);
        target.iter_mut().for_each(|value| *value = value.clamp(0.0, 255.0));
    }
    let inside = |count: usize, origin: f32| [-origin / step, (count as f32 - origin) / step];
    fade(&mut out, size, inside(width, origin[0]), inside(height, origin[1]));
    out
}

/// Changes the texture (`size` pixels a side, RGB) so that a look-up in it gives `seen` (`count` pixels a side over the same
/// square): a look-up between pixels softens a picture, and what it takes is added beforehand. One step of back-projection
/// (Irani and Peleg, *Improving Resolution by Image Registration*, 1991). Only inside of `x` and `y` (from, to, texture
/// pixels).
pub fn sharpen(texture: &mut [f32], size: usize, seen: &[f32], count: usize, x: [f32; 2], y: [f32; 2]) {
    let step = size as f32 / count as f32;
    let mut missing = stretched(texture, size, &taps(count, 0.0, step, size, 1.0));
    missing.iter_mut().zip(seen).for_each(|(m, s)| *m = s - *m);
    let inside = |i: usize, range: [f32; 2]| {
        let center = (i as f32 + 0.5) * step;
        center - step > range[0] && center + step < range[1]
    };
    for (row, line) in missing.chunks_exact_mut(count * 3).enumerate() {
        for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
            if !(inside(row, y) && inside(column, x)) {
                pixel.fill(0.0);
            }
        }
    }
    let missing = stretched(&missing, count, &taps(size, 0.0, 1.0 / step, count, 1.0));
    texture.iter_mut().zip(&missing).for_each(|(t, m)| *t = (*t + m).clamp(0.0, 255.0));
}

/// A square picture of `from` pixels a side (RGB) looked up at the places of `taps` along both axes.
fn stretched(picture: &[f32], from: usize, taps: &[Taps]) -> Vec<f32> {
    let to = taps.len();
    let mut wide = vec![0.0f32; to * from * 3];
    for (source, target) in picture.chunks_exact(from * 3).zip(wide.chunks_exact_mut(to * 3)) {
        gather(source, 0, taps, target);
    }
    let mut out = vec![0.0f32; to * to * 3];
    for (taps, target) in taps.iter().zip(out.chunks_exact_mut(to * 3)) {
        for (source, weight) in wide[taps.first * to * 3..].chunks_exact(to * 3).zip(&taps.weights) {
            target.iter_mut().zip(source).for_each(|(t, s)| *t += weight * s);
        }
    }
    out
}

/// Adds a row of bytes `weight` times to the sums. This and the next are functions of their own, because a browser compiles
/// what runs often with more care than what runs once.
#[inline(never)]
fn add_bytes(source: &[u8], weight: f32, sums: &mut [f32]) {
    for (sum, &value) in sums.iter_mut().zip(source) {
        *sum += weight * f32::from(value);
    }
}

/// Looks a row (RGB) up at the places of `taps`. Its first pixel is number `left` of the source.
#[inline(never)]
fn gather(row: &[f32], left: usize, taps: &[Taps], target: &mut [f32]) {
    for (taps, pixel) in taps.iter().zip(target.chunks_exact_mut(3)) {
        let mut sum = [0.0f32; 3];
        for (source, &weight) in row[(taps.first - left) * 3..].chunks_exact(3).zip(&taps.weights) {
            for c in 0..3 {
                sum[c] += weight * source[c];
            }
        }
        pixel.copy_from_slice(&sum);
    }
}

/// Blurs the pixels outside of the photo, which covers `x` and `y` (from, to) of the square.
fn fade(image: &mut [f32], size: usize, x: [f32; 2], y: [f32; 2]) {
    let outside = |i: usize, range: [f32; 2]| {
        let center = i as f32 + 0.5;
        (range[0] - center).max(center - range[1]).max(0.0)
    };
    let dx: Vec<f32> = (0..size).map(|i| outside(i, x)).collect();
    let dy: Vec<f32> = (0..size).map(|i| outside(i, y)).collect();
    if dx.iter().chain(&dy).all(|&d| d == 0.0) {
        return;
    }
    let mut soft = vec![0.0f32; image.len()];
    let mut scratch = vec![0.0f32; image.len()];
    for (sigma, full) in FADES {
        soft.copy_from_slice(image);
        for width in boxes(sigma) {
            box_rows(&soft, &mut scratch, size, width);
            box_columns(&scratch, &mut soft, size, width);
        }
        for (row, (sharp, soft)) in image.chunks_exact_mut(size * 3).zip(soft.chunks_exact(size * 3)).enumerate() {
            for (column, (sharp, soft)) in sharp.chunks_exact_mut(3).zip(soft.chunks_exact(3)).enumerate() {
                let share = (dx[column].hypot(dy[row]) / full).min(1.0);
                if share > 0.0 {
                    for (a, &b) in sharp.iter_mut().zip(soft) {
                        *a += share * (b - *a);
                    }
                }
            }
        }
    }
}

/// Half widths of three box filters that together are nearly a Gaussian (Kovesi 2010).
fn boxes(sigma: f32) -> [usize; 3] {
    let ideal = (4.0 * sigma * sigma + 1.0).sqrt();
    let small = ((ideal - 1.0) / 2.0).floor();
    let width = 2.0 * small + 1.0;
    let count = (12.0 * sigma * sigma - 3.0 * width * width - 12.0 * width - 9.0) / (-4.0 * width - 4.0);
    let half = small as usize;
    let narrow = count.round().clamp(0.0, 3.0) as usize;
    std::array::from_fn(|i| if i < narrow { half } else { half + 1 })
}

/// Mean over `2 * half + 1` pixels along x; the border repeats.
fn box_rows(source: &[f32], target: &mut [f32], size: usize, half: usize) {
    let scale = 1.0 / (2 * half + 1) as f32;
    let pixel = |line: &[f32], i: usize, c: usize| line[i.min(size - 1) * 3 + c];
    for (line, out) in source.chunks_exact(size * 3).zip(target.chunks_exact_mut(size * 3)) {
        let mut sum: [f32; 3] =
            std::array::from_fn(|c| (half + 1) as f32 * line[c] + (1..=half).map(|i| pixel(line, i, c)).sum::<f32>());
        for i in 0..size {
            for c in 0..3 {
                out[i * 3 + c] = sum[c] * scale;
                sum[c] += pixel(line, i + half + 1, c) - line[i.saturating_sub(half) * 3 + c];
            }
        }
    }
}

/// Mean over `2 * half + 1` pixels along y; the border repeats.
fn box_columns(source: &[f32], target: &mut [f32], size: usize, half: usize) {
    let scale = 1.0 / (2 * half + 1) as f32;
    let line = |i: usize| &source[i.min(size - 1) * size * 3..][..size * 3];
    let mut sum: Vec<f32> = line(0).iter().map(|v| v * (half + 1) as f32).collect();
    for i in 1..=half {
        sum.iter_mut().zip(line(i)).for_each(|(s, v)| *s += v);
    }
    for (i, out) in target.chunks_exact_mut(size * 3).enumerate() {
        let (enter, leave) = (line(i + half + 1), line(i.saturating_sub(half)));
        for (((out, sum), enter), leave) in out.iter_mut().zip(&mut sum).zip(enter).zip(leave) {
            *out = *sum * scale;
            *sum += enter - leave;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A picture with a linear ramp along both axes, which a cubic kernel reproduces exactly.
    fn ramp(width: usize, height: usize) -> Picture {
        let value = |x: usize, y: usize| (20 + 2 * x + y) as u8;
        let data = (0..height).flat_map(|y| (0..width).flat_map(move |x| [value(x, y), 7, 200])).collect();
        Picture { width, height, data }
    }

    #[test]
    fn a_step_of_one_without_a_shift_copies() {
        let picture = ramp(40, 40);
        let out = resample(&picture, [0.0, 0.0], 1.0, 40);
        let worst = out.iter().zip(&picture.data).map(|(a, &b)| (a - f32::from(b)).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-3, "{worst}");
    }

    proptest! {
        #[test]
        fn ramps_stay_ramps(x in 10.0f32..12.0, y in 10.0f32..12.0, step in 0.3f32..1.5) {
            let out = resample(&ramp(70, 60), [x, y], step, 20);
            for row in 0..20 {
                for column in 0..20 {
                    let (u, v) = (x + (column as f32 + 0.5) * step - 0.5, y + (row as f32 + 0.5) * step - 0.5);
                    let got = out[(row * 20 + column) * 3];
                    // a kernel with this sharpness leaves a ripple of some hundredths between the pixels
                    prop_assert!((got - (20.0 + 2.0 * u + v)).abs() < 0.3, "{got} at {u} {v}");
                    prop_assert!((out[(row * 20 + column) * 3 + 2] - 200.0).abs() < 1e-2);
                }
            }
        }
    }

    #[test]
    fn a_look_up_in_a_sharpened_texture_gives_what_was_seen() {
        // fine checks that a texture of 1.25 pixels to a look-up softens
        let data =
            (0..96 * 96).flat_map(|i| if (i % 96 / 3 + i / 96 / 3) % 2 == 0 { [190; 3] } else { [70; 3] }).collect();
        let photo = Picture { width: 96, height: 96, data };
        let (mut texture, seen) =
            (resample(&photo, [8.0; 2], 80.0 / 100.0, 100), resample(&photo, [8.0; 2], 80.0 / 80.0, 80));
        let error = |texture: &[f32]| {
            let shown = stretched(texture, 100, &taps(80, 0.0, 1.25, 100, 1.0));
            (shown.iter().zip(&seen).map(|(a, b)| (a - b).powi(2)).sum::<f32>() / seen.len() as f32).sqrt()
        };
        let before = error(&texture);
        let soft = texture.clone();
        sharpen(&mut texture, 100, &seen, 80, [0.0, 50.0], [0.0, 100.0]);
        assert!(
            texture.chunks(300).zip(soft.chunks(300)).all(|(a, b)| a[156..] == b[156..]),
            "beyond the photo nothing changes"
        );
        texture = soft;
        sharpen(&mut texture, 100, &seen, 80, [-9.0, 109.0], [-9.0, 109.0]);
        assert!(error(&texture) < 0.5 * before, "{} {before}", error(&texture));
    }

    #[test]
    fn beyond_the_border_the_photo_goes_on_softly() {
        let data = (0..64 * 64).flat_map(|i| if (i / 4) % 2 == 0 { [255, 255, 255] } else { [0, 0, 0] }).collect();
        let out = resample(&Picture { width: 64, height: 64, data }, [-100.0, -100.0], 1.0, 264);
        let sharpest = |row: usize| {
            let line = &out[(row * 264 + 110) * 3..(row * 264 + 150) * 3];
            line.windows(4).map(|w| (w[3] - w[0]).abs()).fold(0.0, f32::max)
        };
        assert!(sharpest(120) > 200.0, "inside stays sharp: {}", sharpest(120));
        assert!(sharpest(40) < 8.0, "stripes 60 pixels outside: {}", sharpest(40));
        assert!(out.iter().all(|v| v.is_finite()));
    }

    #[test]
    fn far_outside_is_the_nearest_edge() {
        let out = resample(&ramp(8, 8), [5000.0, -9000.0], 3.0, 16);
        assert!(out.chunks(3).all(|p| (p[0] - 34.0).abs() < 1e-2));
    }

    #[test]
    fn three_boxes_have_the_wanted_spread() {
        for (sigma, _) in FADES {
            let variance: f32 = boxes(sigma).iter().map(|&h| ((2 * h + 1).pow(2) - 1) as f32 / 12.0).sum();
            assert!((variance.sqrt() / sigma - 1.0).abs() < 0.08, "{sigma}: {}", variance.sqrt());
        }
    }
}
