//! Small floating-point pictures and the filters that preparing a portrait needs.

/// A picture of `C` floating-point channels, row by row.
#[derive(Clone, Debug)]
pub(crate) struct Plane<const C: usize> {
    pub width: usize,
    pub height: usize,
    pub data: Vec<[f32; C]>,
}

impl<const C: usize> Plane<C> {
    /// A picture whose pixel at column `x`, row `y` is `f(x, y)`.
    pub fn from_fn(width: usize, height: usize, mut f: impl FnMut(usize, usize) -> [f32; C]) -> Self {
        let data = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| f(x, y)).collect();
        Self { width, height, data }
    }

    /// The pixel; coordinates outside repeat the border.
    pub fn at(&self, x: isize, y: isize) -> [f32; C] {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.data[y * self.width + x]
    }

    /// Bilinear look-up; pixel centres lie at .5.
    pub fn bilinear(&self, x: f32, y: f32) -> [f32; C] {
        let (x, y) = (x - 0.5, y - 0.5);
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (x - x0, y - y0);
        let (x0, y0) = (x0 as isize, y0 as isize);
        let (a, b) = (self.at(x0, y0), self.at(x0 + 1, y0));
        let (c, d) = (self.at(x0, y0 + 1), self.at(x0 + 1, y0 + 1));
        std::array::from_fn(|i| (a[i] * (1.0 - fx) + b[i] * fx) * (1.0 - fy) + (c[i] * (1.0 - fx) + d[i] * fx) * fy)
    }

    /// Every pixel replaced by `f(pixel)`.
    pub fn map<const D: usize>(&self, f: impl Fn([f32; C]) -> [f32; D]) -> Plane<D> {
        Plane { width: self.width, height: self.height, data: self.data.iter().map(|&p| f(p)).collect() }
    }

    /// Gaussian blur with standard deviation `sigma` pixels; the border is repeated.
    pub fn blur(&self, sigma: f32) -> Self {
        let radius = (4.0 * sigma).ceil() as isize;
        let kernel: Vec<f32> = (-radius..=radius).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
        let sum: f32 = kernel.iter().sum();
        let pass = |from: &Self, dx: isize, dy: isize| {
            Self::from_fn(self.width, self.height, |x, y| {
                let mut out = [0.0; C];
                for (i, w) in (-radius..).zip(&kernel) {
                    let p = from.at(x as isize + i * dx, y as isize + i * dy);
                    for (o, v) in out.iter_mut().zip(p) {
                        *o += w / sum * v;
                    }
                }
                out
            })
        };
        pass(&pass(self, 1, 0), 0, 1)
    }

    /// The rectangle `x0..x1`, `y0..y1`, repeating the border where it reaches beyond.
    pub fn window(&self, x0: isize, y0: isize, x1: isize, y1: isize) -> Self {
        Self::from_fn((x1 - x0).max(1) as usize, (y1 - y0).max(1) as usize, |x, y| {
            self.at(x0 + x as isize, y0 + y as isize)
        })
    }
}

impl Plane<1> {
    /// Smallest value of the 3 x 3 neighbourhood; beyond the border counts as 0.
    pub fn erode(&self) -> Self {
        Self::from_fn(self.width, self.height, |x, y| {
            if x == 0 || y == 0 || x + 1 == self.width || y + 1 == self.height {
                return [0.0];
            }
            let mut least = f32::INFINITY;
            for dy in -1..=1 {
                for dx in -1..=1 {
                    least = least.min(self.at(x as isize + dx, y as isize + dy)[0]);
                }
            }
            [least]
        })
    }
}

/// Brightness of an RGB colour.
pub(crate) fn luminance(c: [f32; 3]) -> f32 {
    0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2]
}

/// How much more red than green and blue a colour is, as a share of its red.
pub(crate) fn redness(c: [f32; 3]) -> f32 {
    (c[0] - 0.5 * (c[1] + c[2])) / c[0].max(1.0)
}

/// Mean colour; black for none.
pub(crate) fn mean(colours: &[[f32; 3]]) -> [f32; 3] {
    let n = colours.len().max(1) as f32;
    let mut sum = [0.0; 3];
    for c in colours {
        for (s, c) in sum.iter_mut().zip(c) {
            *s += c / n;
        }
    }
    sum
}

/// The value below which `share` (0..1) of the values lie, linearly interpolated; 0 for none.
pub(crate) fn quantile(values: impl IntoIterator<Item = f32>, share: f32) -> f32 {
    let mut v: Vec<f32> = values.into_iter().collect();
    if v.is_empty() {
        return 0.0;
    }
    v.sort_by(f32::total_cmp);
    let at = share * (v.len() - 1) as f32;
    let i = at as usize;
    let next = v[(i + 1).min(v.len() - 1)];
    v[i] + (next - v[i]) * (at - i as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_the_mean_of_a_dot_and_spreads_it() {
        let dot = Plane::<1>::from_fn(41, 41, |x, y| [if (x, y) == (20, 20) { 1.0 } else { 0.0 }]);
        let soft = dot.blur(2.0);
        let sum: f32 = soft.data.iter().map(|p| p[0]).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        assert!((soft.at(20, 20)[0] - 1.0 / (2.0 * std::f32::consts::PI * 4.0)).abs() < 1e-3);
    }

    #[test]
    fn bilinear_hits_pixel_centres_and_interpolates_between_them() {
        let ramp = Plane::<1>::from_fn(4, 4, |x, y| [x as f32 + 10.0 * y as f32]);
        assert_eq!(ramp.bilinear(2.5, 1.5), [12.0]);
        assert_eq!(ramp.bilinear(3.0, 2.0), [2.5 + 15.0]);
        assert_eq!(ramp.bilinear(-9.0, -9.0), [0.0]);
    }

    #[test]
    fn quantile_interpolates() {
        assert_eq!(quantile([3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile([0.0, 1.0], 0.25), 0.25);
        assert_eq!(quantile([], 0.5), 0.0);
    }
}
