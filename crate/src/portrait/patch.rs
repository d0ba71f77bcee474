//! A small piece of the texture: luminance, blur, look-ups.

use super::fitted::TEX_FULL;

/// Rec. 601 luminance of an RGB colour.
pub fn luminance(rgb: [f32; 3]) -> f32 {
    0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2]
}

/// A rectangle cut out of the texture. Coordinates are those of the texture; beyond the rectangle its border repeats.
#[derive(Clone, Debug)]
pub struct Patch {
    x: i64,
    y: i64,
    width: usize,
    height: usize,
    data: Vec<[f32; 3]>,
}

impl Patch {
    /// The part of the texture around some points (texture pixels), `margin` pixels wider on all sides. At least one
    /// pixel, however far outside of the texture the points lie.
    pub fn around(texture: &[f32], points: impl IntoIterator<Item = [f32; 2]>, margin: f32) -> Self {
        let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
        for p in points {
            for i in 0..2 {
                low[i] = low[i].min(p[i]);
                high[i] = high[i].max(p[i]);
            }
        }
        let last = (TEX_FULL - 1) as f32;
        let low = low.map(|v| (v - margin).floor().clamp(0.0, last) as usize);
        let high = high.map(|v| (v + margin).ceil().clamp(0.0, last) as usize);
        let (width, height) = (high[0].max(low[0]) - low[0] + 1, high[1].max(low[1]) - low[1] + 1);
        let mut data = Vec::with_capacity(width * height);
        for row in 0..height {
            let start = ((low[1] + row) * TEX_FULL + low[0]) * 3;
            data.extend(texture[start..start + width * 3].chunks_exact(3).map(|p| [p[0], p[1], p[2]]));
        }
        Self { x: low[0] as i64, y: low[1] as i64, width, height, data }
    }

    /// Pixel at column `x`, row `y` of the texture.
    pub fn pixel(&self, x: i64, y: i64) -> [f32; 3] {
        let column = (x - self.x).clamp(0, self.width as i64 - 1) as usize;
        let row = (y - self.y).clamp(0, self.height as i64 - 1) as usize;
        self.data[row * self.width + column]
    }

    /// The pixel that a point of the texture lies in.
    pub fn at(&self, p: [f32; 2]) -> [f32; 3] {
        self.pixel(p[0].floor() as i64, p[1].floor() as i64)
    }

    /// Bilinear look-up at a point of the texture (pixel centres at .5).
    pub fn bilinear(&self, p: [f32; 2]) -> [f32; 3] {
        let (x, y) = (p[0] - 0.5, p[1] - 0.5);
        let (column, row) = (x.floor(), y.floor());
        let (u, v) = (x - column, y - row);
        let (column, row) = (column as i64, row as i64);
        let corner = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| self.pixel(column + i, row + j));
        std::array::from_fn(|c| {
            let top = corner[0][c] + u * (corner[1][c] - corner[0][c]);
            let bottom = corner[2][c] + u * (corner[3][c] - corner[2][c]);
            top + v * (bottom - top)
        })
    }

    /// Pixels (column, row of the texture) and their colours.
    pub fn pixels(&self) -> impl Iterator<Item = ([f32; 2], [f32; 3])> + '_ {
        self.data.iter().enumerate().map(|(i, &rgb)| {
            let (column, row) = ((i % self.width) as i64 + self.x, (i / self.width) as i64 + self.y);
            ([column as f32 + 0.5, row as f32 + 0.5], rgb)
        })
    }

    /// Gaussian blur; `sigma` in texture pixels.
    pub fn blurred(&self, sigma: f32) -> Self {
        let reach = (3.0 * sigma).ceil() as i64;
        let weights: Vec<f32> = (-reach..=reach).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
        let sum: f32 = weights.iter().sum();
        let pass = |from: &Self, dx: i64, dy: i64| {
            let mut out = from.clone();
            for (i, target) in out.data.iter_mut().enumerate() {
                let (column, row) = ((i % self.width) as i64 + self.x, (i / self.width) as i64 + self.y);
                let mut total = [0.0; 3];
                for (&w, k) in weights.iter().zip(-reach..) {
                    let rgb = from.pixel(column + k * dx, row + k * dy);
                    for c in 0..3 {
                        total[c] += w * rgb[c];
                    }
                }
                *target = total.map(|t| t / sum);
            }
            out
        };
        pass(&pass(self, 1, 0), 0, 1)
    }
}

/// True if a point lies inside of a polygon (even-odd rule).
pub fn inside(polygon: &[[f32; 2]], p: [f32; 2]) -> bool {
    let mut odd = false;
    for (i, a) in polygon.iter().enumerate() {
        let b = polygon[(i + 1) % polygon.len()];
        if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0] {
            odd = !odd;
        }
    }
    odd
}

/// The value below which a share (0..1) of the values lies. `values` is reordered; 0 if it is empty.
pub fn percentile(values: &mut [f32], share: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let index = ((values.len() - 1) as f32 * share).round() as usize;
    *values.select_nth_unstable_by(index, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texture(f: impl Fn(usize, usize) -> f32) -> Vec<f32> {
        (0..TEX_FULL * TEX_FULL).flat_map(|i| [f(i % TEX_FULL, i / TEX_FULL); 3]).collect()
    }

    #[test]
    fn look_ups_agree_with_a_ramp_and_survive_any_place() {
        let patch = Patch::around(&texture(|x, y| x as f32 + 2.0 * y as f32), [[100.0, 50.0], [120.0, 80.0]], 5.0);
        assert!((patch.bilinear([110.25, 60.75])[0] - (109.75 + 2.0 * 60.25)).abs() < 1e-3);
        assert_eq!(patch.at([110.9, 60.1])[0], 110.0 + 120.0);
        for p in [[-1e9, 0.0], [1e9, 1e9], [f32::NAN, 0.0]] {
            assert!(patch.bilinear(p)[0].is_finite() || p[0].is_nan());
            patch.at(p);
        }
    }

    #[test]
    fn a_patch_far_outside_still_has_a_pixel() {
        let patch = Patch::around(&texture(|_, _| 3.0), [[-500.0, 5000.0]], 2.0);
        assert_eq!(patch.at([0.0, 0.0]), [3.0; 3]);
    }

    #[test]
    fn blur_keeps_the_mean_and_spreads_a_dot() {
        let dot = texture(|x, y| if (x, y) == (200, 200) { 1000.0 } else { 0.0 });
        let soft = Patch::around(&dot, [[200.5, 200.5]], 20.0).blurred(2.0);
        let sum: f32 = soft.pixels().map(|(_, rgb)| rgb[0]).sum();
        assert!((sum - 1000.0).abs() < 1.0);
        let spread: f32 = soft.pixels().map(|(p, rgb)| rgb[0] / sum * (p[0] - 200.5).powi(2)).sum();
        assert!((spread.sqrt() - 2.0).abs() < 0.05, "{}", spread.sqrt());
    }

    #[test]
    fn even_odd_and_percentile() {
        let square = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]];
        assert!(inside(&square, [1.0, 1.0]) && !inside(&square, [3.0, 1.0]) && !inside(&[], [0.0, 0.0]));
        assert_eq!(percentile(&mut [5.0, 1.0, 3.0, 2.0, 4.0], 0.75), 4.0);
        assert_eq!(percentile(&mut [], 0.5), 0.0);
    }
}
