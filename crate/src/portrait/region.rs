//! Squares of a picture, turned and of any size, as input for networks.
//!
//! Positions are in pixels of the picture, pixel centres at .5, so a square keeps its meaning on every level of the
//! [`Pyramid`].

use std::borrow::Cow;

use super::Picture;

/// A turned square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Its centre, pixels.
    pub center: [f32; 2],
    /// Length of its sides, pixels.
    pub side: f32,
    /// How far its x axis is turned from the picture's towards the picture's y axis, radians.
    pub angle: f32,
}

impl Region {
    /// The picture's point at the square's own coordinates, which run from 0 to 1.
    pub fn point(&self, u: f32, v: f32) -> [f32; 2] {
        let (sin, cos) = self.angle.sin_cos();
        let (x, y) = ((u - 0.5) * self.side, (v - 0.5) * self.side);
        [self.center[0] + cos * x - sin * y, self.center[1] + sin * x + cos * y]
    }

    /// The smallest upright square around all of a picture.
    pub fn whole(picture: &Picture) -> Self {
        let (width, height) = (picture.width as f32, picture.height as f32);
        Self { center: [width / 2.0, height / 2.0], side: width.max(height), angle: 0.0 }
    }
}

/// What a square holds where it reaches over the picture's edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// Black.
    Black,
    /// The nearest pixel of the picture.
    Edge,
}

/// A picture and its halves, quarters, …: shrinking a large square then averages all its pixels.
#[derive(Debug)]
pub struct Pyramid<'a> {
    levels: Vec<Cow<'a, Picture>>,
}

impl<'a> Pyramid<'a> {
    /// Halves a picture until a side would be shorter than 32 pixels.
    pub fn new(picture: &'a Picture) -> Self {
        let mut levels = vec![Cow::Borrowed(picture)];
        while let Some(last) = levels.last()
            && last.width.min(last.height) >= 64
        {
            let half = halve(last);
            levels.push(Cow::Owned(half));
        }
        Self { levels }
    }

    /// The square in `size * size` pixels, RGB, mapped from 0..255 to `range`.
    pub fn sample(&self, region: &Region, size: usize, outside: Outside, range: [f32; 2]) -> Vec<f32> {
        let step = region.side / size as f32;
        // Between half and the whole of the output's own resolution: bilinear sampling then misses no pixel.
        let level = (step.max(1.0).log2().floor() as usize).min(self.levels.len() - 1);
        let picture = &*self.levels[level];
        let shrink = 1.0 / (1usize << level) as f32;
        let gain = (range[1] - range[0]) / 255.0;
        let mut out = Vec::with_capacity(size * size * 3);
        for row in 0..size {
            for column in 0..size {
                let at = |i: usize| (i as f32 + 0.5) / size as f32;
                let [x, y] = region.point(at(column), at(row));
                let pixel = bilinear(picture, x * shrink - 0.5, y * shrink - 0.5, outside);
                out.extend(pixel.map(|v| v * gain + range[0]));
            }
        }
        out
    }
}

/// Means of 2 x 2 pixels; an odd last row or column is dropped.
fn halve(picture: &Picture) -> Picture {
    let (width, height) = (picture.width / 2, picture.height / 2);
    let mut data = Vec::with_capacity(width * height * 3);
    let stride = picture.width * 3;
    for y in 0..height {
        let rows = &picture.data[2 * y * stride..(2 * y + 2) * stride];
        for x in 0..width {
            for c in 0..3 {
                let at = 6 * x + c;
                let sum: u32 = [at, at + 3, at + stride, at + stride + 3].iter().map(|&i| u32::from(rows[i])).sum();
                data.push(((sum + 2) / 4) as u8);
            }
        }
    }
    Picture { width, height, data }
}

/// The colour at a position in pixel indices.
fn bilinear(picture: &Picture, x: f32, y: f32, outside: Outside) -> [f32; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    let mut sum = [0.0; 3];
    for (dy, wy) in [(0.0, 1.0 - fy), (1.0, fy)] {
        for (dx, wx) in [(0.0, 1.0 - fx), (1.0, fx)] {
            let (px, py) = (left + dx, top + dy);
            let (last_x, last_y) = ((picture.width - 1) as f32, (picture.height - 1) as f32);
            if outside == Outside::Black && !((0.0..=last_x).contains(&px) && (0.0..=last_y).contains(&py)) {
                continue;
            }
            let at = (py.clamp(0.0, last_y) as usize * picture.width + px.clamp(0.0, last_x) as usize) * 3;
            for (s, &v) in sum.iter_mut().zip(&picture.data[at..at + 3]) {
                *s += wx * wy * f32::from(v);
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Red grows along x, green along y, a quarter of a step a pixel.
    fn ramp(width: usize, height: usize) -> Picture {
        let at = |i: usize| (i / 4) as u8;
        let data = (0..height).flat_map(|y| (0..width).flat_map(move |x| [at(x), at(y), 9])).collect();
        Picture { width, height, data }
    }

    #[test]
    fn the_whole_picture_comes_back() {
        let picture = Picture { width: 2, height: 2, data: vec![0, 0, 0, 255, 0, 0, 0, 255, 0, 255, 255, 255] };
        let out = Pyramid::new(&picture).sample(&Region::whole(&picture), 2, Outside::Edge, [-1.0, 1.0]);
        let expected = picture.data.iter().map(|&v| f32::from(v) / 127.5 - 1.0);
        assert!(out.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{out:?}");
    }

    #[test]
    fn outside_is_black_or_the_edge() {
        let picture = Picture { width: 32, height: 16, data: vec![200; 32 * 16 * 3] };
        let pyramid = Pyramid::new(&picture);
        let region = Region::whole(&picture);
        assert_eq!(pyramid.sample(&region, 8, Outside::Black, [0.0, 255.0])[0], 0.0);
        assert_eq!(pyramid.sample(&region, 8, Outside::Edge, [0.0, 255.0])[0], 200.0);
    }

    proptest! {
        #[test]
        fn samples_lie_where_the_region_says(
            x in 250f32..550.0, y in 250f32..350.0, side in 20f32..250.0, angle in -3.2f32..3.2
        ) {
            let picture = ramp(800, 600);
            let region = Region { center: [x, y], side, angle };
            let out = Pyramid::new(&picture).sample(&region, 16, Outside::Black, [0.0, 255.0]);
            for (i, pixel) in out.as_chunks::<3>().0.iter().enumerate() {
                let [px, py] = region.point(((i % 16) as f32 + 0.5) / 16.0, ((i / 16) as f32 + 0.5) / 16.0);
                prop_assert!((pixel[0] - (px - 2.0) / 4.0).abs() < 1.6, "{} {}", pixel[0], px);
                prop_assert!((pixel[1] - (py - 2.0) / 4.0).abs() < 1.6, "{} {}", pixel[1], py);
            }
        }
    }
}
