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
        let mut data = Vec::with_capacity(width * height);
        for y in 0..height {
            extend_row(&mut data, width, y, &mut f);
        }
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
        let (w, h, radius) = (self.width, self.height, (4.0 * sigma).ceil() as usize);
        if w == 0 || h == 0 {
            return self.clone();
        }
        let bell = |i: usize| (-0.5 * ((i as f32 - radius as f32) / sigma).powi(2)).exp();
        let mut kernel: Vec<f32> = (0..=2 * radius).map(bell).collect();
        let sum: f32 = kernel.iter().sum();
        kernel.iter_mut().for_each(|weight| *weight /= sum);
        // whole rows are added at once, so that the processor's vectors are filled whatever `C` is
        let mut rows = vec![[0.0; C]; w * h];
        let mut padded = vec![[0.0; C]; w + 2 * radius];
        for (source, target) in self.data.chunks_exact(w).zip(rows.chunks_exact_mut(w)) {
            padded[..radius].fill(source[0]);
            padded[radius..radius + w].copy_from_slice(source);
            padded[radius + w..].fill(source[w - 1]);
            for (i, weight) in kernel.iter().enumerate() {
                add_row(&padded[i..i + w], *weight, target);
            }
        }
        let mut data = vec![[0.0; C]; w * h];
        for (y, target) in data.chunks_exact_mut(w).enumerate() {
            for (i, weight) in kernel.iter().enumerate() {
                let row = (y + i).saturating_sub(radius).min(h - 1);
                add_row(&rows[row * w..][..w], *weight, target);
            }
        }
        Self { width: w, height: h, data }
    }

    /// Mean over the square of `2 radius + 1` pixels around each pixel; the border is repeated. Costs the same for any
    /// radius.
    pub fn mean_around(&self, radius: usize) -> Self {
        let (w, h, r) = (self.width, self.height, radius as isize);
        let share = 1.0 / (2 * radius + 1) as f32;
        let mut rows = self.clone();
        let slide = |sum: &mut [f32; C], enter: [f32; C], leave: [f32; C]| {
            for c in 0..C {
                sum[c] += enter[c] - leave[c];
            }
        };
        let scaled = |sum: &[f32; C]| sum.map(|s| s * share);
        let start = |at: &dyn Fn(isize) -> [f32; C]| {
            let mut sum = [0.0; C];
            for i in -r..=r {
                for (s, v) in sum.iter_mut().zip(at(i)) {
                    *s += v;
                }
            }
            sum
        };
        for y in 0..h {
            let at = |x: isize| self.data[y * w + x.clamp(0, w as isize - 1) as usize];
            let mut sum = start(&at);
            for x in 0..w {
                rows.data[y * w + x] = scaled(&sum);
                slide(&mut sum, at(x as isize + r + 1), at(x as isize - r));
            }
        }
        // all columns at once, so that memory is read row by row
        let row = |y: isize| &rows.data[y.clamp(0, h as isize - 1) as usize * w..][..w];
        let mut sums: Vec<[f32; C]> = (0..w).map(|x| start(&|y| row(y)[x])).collect();
        let mut data = Vec::with_capacity(w * h);
        for y in 0..h as isize {
            data.extend(sums.iter().map(scaled));
            for ((sum, enter), leave) in sums.iter_mut().zip(row(y + r + 1)).zip(row(y - r)) {
                slide(sum, *enter, *leave);
            }
        }
        Self { width: w, height: h, data }
    }

    /// Half as wide and high (rounded up): means of 2 x 2 pixels; the border is repeated.
    pub fn halved(&self) -> Self {
        Self::from_fn(self.width.div_ceil(2), self.height.div_ceil(2), |x, y| {
            let (x, y) = (2 * x as isize, 2 * y as isize);
            let four = [self.at(x, y), self.at(x + 1, y), self.at(x, y + 1), self.at(x + 1, y + 1)];
            std::array::from_fn(|c| 0.25 * (four[0][c] + four[1][c] + four[2][c] + four[3][c]))
        })
    }

    /// Stretched to another size by bilinear sampling.
    pub fn stretched(&self, width: usize, height: usize) -> Self {
        let (sx, sy) = (self.width as f32 / width as f32, self.height as f32 / height as f32);
        Self::from_fn(width, height, |x, y| self.bilinear((x as f32 + 0.5) * sx, (y as f32 + 0.5) * sy))
    }

    /// The rectangle `x0..x1`, `y0..y1`, repeating the border where it reaches beyond.
    pub fn window(&self, x0: isize, y0: isize, x1: isize, y1: isize) -> Self {
        Self::from_fn((x1 - x0).max(1) as usize, (y1 - y0).max(1) as usize, |x, y| {
            self.at(x0 + x as isize, y0 + y as isize)
        })
    }
}

/// Appends row `y` of a picture. A function of its own, because a browser compiles what runs often with more care than
/// what runs once, however long that takes: preparing a portrait consists of such loops.
#[inline(never)]
fn extend_row<const C: usize>(
    data: &mut Vec<[f32; C]>,
    width: usize,
    y: usize,
    f: &mut impl FnMut(usize, usize) -> [f32; C],
) {
    data.extend((0..width).map(|x| f(x, y)));
}

/// Adds a row `weight` times to another one; a function of its own for the same reason.
#[inline(never)]
fn add_row<const C: usize>(source: &[[f32; C]], weight: f32, target: &mut [[f32; C]]) {
    for (sum, value) in target.as_flattened_mut().iter_mut().zip(source.as_flattened()) {
        *sum += weight * value;
    }
}

impl Plane<1> {
    /// Largest value of the 3 x 3 neighbourhood.
    pub fn dilate(&self) -> Self {
        Self::from_fn(self.width, self.height, |x, y| {
            let near = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy)));
            [near.map(|(dx, dy)| self.at(x as isize + dx, y as isize + dy)[0]).fold(f32::NEG_INFINITY, f32::max)]
        })
    }

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
    fn blur_is_the_sum_over_neighbours_with_a_repeated_border() {
        let picture = Plane::<3>::from_fn(11, 7, |x, y| [x as f32, (x * y) as f32, if y == 3 { 200.0 } else { 0.0 }]);
        let soft = picture.blur(1.3);
        let bell = |i: isize| (-0.5 * (i as f32 / 1.3).powi(2)).exp();
        let sum: f32 = (-6..=6).map(bell).sum();
        for (x, y) in [(0, 0), (10, 6), (5, 3), (1, 4)] {
            for c in 0..3 {
                let near = (-6..=6).flat_map(|dy| (-6..=6).map(move |dx| (dx, dy)));
                let want: f32 =
                    near.map(|(dx, dy)| bell(dx) * bell(dy) / (sum * sum) * picture.at(x + dx, y + dy)[c]).sum();
                let got = soft.at(x, y)[c];
                assert!((got - want).abs() < 1e-3 * want.abs().max(1.0), "{got} for {want} at {x} {y}");
            }
        }
        assert!(Plane::<1>::from_fn(0, 5, |_, _| [1.0]).blur(2.0).data.is_empty());
    }

    #[test]
    fn blur_keeps_the_mean_of_a_dot_and_spreads_it() {
        let dot = Plane::<1>::from_fn(41, 41, |x, y| [if (x, y) == (20, 20) { 1.0 } else { 0.0 }]);
        let soft = dot.blur(2.0);
        let sum: f32 = soft.data.iter().map(|p| p[0]).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        assert!((soft.at(20, 20)[0] - 1.0 / (2.0 * std::f32::consts::PI * 4.0)).abs() < 1e-3);
    }

    #[test]
    fn means_around_are_means_and_know_no_border() {
        let noise = Plane::<1>::from_fn(23, 17, |x, y| [((x * 7 + y * 13) % 11) as f32]);
        for radius in [0usize, 1, 4, 30] {
            let soft = noise.mean_around(radius);
            let r = radius as isize;
            for (x, y) in [(0, 0), (22, 16), (11, 8), (3, 15)] {
                let sum: f32 =
                    (-r..=r).flat_map(|j| (-r..=r).map(move |i| (i, j))).map(|(i, j)| noise.at(x + i, y + j)[0]).sum();
                let wanted = sum / ((2 * r + 1) * (2 * r + 1)) as f32;
                assert!((soft.at(x, y)[0] - wanted).abs() < 1e-3, "{radius}: {} {wanted}", soft.at(x, y)[0]);
            }
        }
    }

    #[test]
    fn halved_and_stretched_keep_a_ramp() {
        let ramp = Plane::<1>::from_fn(17, 16, |x, _| [x as f32 + 0.5]);
        let half = ramp.halved();
        assert_eq!((half.width, half.height, half.at(3, 2)), (9, 8, [7.0]));
        assert!((ramp.stretched(34, 10).at(12, 3)[0] - 6.25).abs() < 1e-4);
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
