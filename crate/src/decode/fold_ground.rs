//! What the photo shows where its skin folds: normals, bare skin, wrinkles and valleys, on a grid of crop pixels.

use super::fold_curve::{Line, STEPS};
use super::plane::{Plane, luminance, quantile};
use super::pose::{pixels_per_cm, rotate};
use super::raster::{FAR, Target};
use super::weights::smooth;
use crate::portrait::FittedFace;
use crate::portrait::fitted::{PAD, SIDE, TEX};
use crate::portrait::normals::vertex_normals;

/// How far a smile's fold may lie beside its line, cm.
const ASTRAY: f32 = 0.40;

/// Half the width of the widest valley, cm.
const NARROW: f32 = 0.45;

/// The grid.
pub(crate) struct Ground {
    pub origin: [f32; 2],
    pub width: usize,
    pub height: usize,
    /// Normal in camera axes; zero where there is no skin.
    pub normals: Vec<[f32; 3]>,
    /// How much the photo shows bare skin, 0..1.
    pub bare: Plane<1>,
    /// Logarithm of brightness over that of the neighbourhood: fine (pores to wrinkles) and coarse (folds).
    pub fine: Plane<1>,
    pub coarse: Plane<1>,
    /// The same over the skin on both sides of narrow dark places, 0 or less: how deep the hollows beside a mouth are.
    pub valleys: Plane<1>,
    pub cm: f32,
}

impl Ground {
    /// Reads the photo; arguments as of [`super::folds::Folds::new`].
    pub fn new(
        face: &FittedFace,
        texture: &Plane<3>,
        triangles: &[[u32; 3]],
        photo: &[[f32; 3]],
        source: &[[f32; 2]],
    ) -> Self {
        let cm = pixels_per_cm(&face.pose);
        let (mut lo, mut hi) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for p in &source[..photo.len()] {
            for c in 0..2 {
                lo[c] = lo[c].min(p[c]);
                hi[c] = hi[c].max(p[c]);
            }
        }
        let origin = lo.map(|v| v.floor().clamp(0.0, SIDE - 8.0));
        let size = |c: usize| (hi[c].ceil().clamp(origin[c] + 8.0, SIDE) - origin[c]) as usize;
        let (width, height) = (size(0), size(1));

        let mut own = vec![[0.0; 3]; photo.len()];
        vertex_normals(triangles, photo, &mut own);
        let mut target = Target::<3>::with_room(width * height);
        target.clear(width, 0..height);
        target.draw(
            triangles,
            |i| {
                let (p, x) = (source[i as usize], photo[i as usize]);
                [p[0] - origin[0], p[1] - origin[1], -rotate(&face.pose, x)[2]]
            },
            |i| rotate(&face.pose, own[i as usize]),
        );
        let normals: Vec<[f32; 3]> = target
            .depth
            .iter()
            .zip(&target.attributes)
            .map(|(&d, &n)| if d < FAR { unit(n) } else { [0.0; 3] })
            .collect();

        let texel = |p: f32| (p + PAD * SIDE) * TEX / SIDE;
        let colours = Plane::<3>::from_fn(width, height, |x, y| {
            texture.bilinear(texel(origin[0] + x as f32 + 0.5), texel(origin[1] + y as f32 + 0.5))
        });
        let soft = colours.blur(1.5);
        let hue = |c: [f32; 3]| {
            let sum = (c[0] + c[1] + c[2]).max(1.0);
            [c[0] / sum, c[1] / sum]
        };
        let typical = hue(face.light.skin);
        let bright = luminance(face.light.skin).max(1.0);
        let bare = Plane::<1>::from_fn(width, height, |x, y| {
            let i = y * width + x;
            if normals[i] == [0.0; 3] {
                return [0.0];
            }
            let c = soft.data[i];
            let [r, g] = hue(c);
            let off = (r - typical[0]).hypot(g - typical[1]) / 0.06;
            let level = (luminance(c).max(1.0) / (bright * face.light.shade(normals[i]))).ln() / 0.5;
            [(-0.5 * (off * off + level * level)).exp()]
        });
        let bare = bare.blur(2.0).map(|[b]| [smooth(b, 0.25, 0.7)]);
        let log = |p: &Plane<3>| p.map(|c| [luminance(c).max(4.0).ln()]);
        let (sharp, medium, wide) = (log(&soft), log(&colours.blur(4.5)), log(&colours.blur(8.0)));
        let over = |a: &Plane<1>, b: &Plane<1>| {
            Plane::<1>::from_fn(width, height, |x, y| [a.data[y * width + x][0] - b.data[y * width + x][0]])
        };
        let (fine, coarse) = (over(&sharp, &medium), over(&sharp, &wide));
        let valleys = over(&sharp, &closed(&sharp, (NARROW * cm) as usize)).map(|[v]| [v.min(0.0)]);
        Self { origin, width, height, normals, bare, fine, coarse, valleys, cm }
    }

    /// Moves a line to the valley that the photo shows beside it, if there is one.
    pub fn settle(&self, line: &mut Line) {
        const WAYS: usize = 13;
        let reach = ASTRAY * self.cm;
        let offset = |k: usize| reach * (2.0 * k as f32 / (WAYS - 1) as f32 - 1.0);
        let normal: [[f32; 2]; STEPS] = std::array::from_fn(|i| {
            let (a, b) = (line.points[i.saturating_sub(1)], line.points[(i + 1).min(STEPS - 1)]);
            let length = (b[0] - a[0]).hypot(b[1] - a[1]).max(1e-6);
            [(b[1] - a[1]) / length, -(b[0] - a[0]) / length]
        });
        let cost = |i: usize, k: usize| {
            let p: [f32; 2] = std::array::from_fn(|c| line.points[i][c] + offset(k) * normal[i][c] - self.origin[c]);
            let valley = self.coarse.bilinear(p[0], p[1])[0] * self.bare.bilinear(p[0], p[1])[0];
            valley.clamp(-0.15, 0.05) + 0.02 * (offset(k) / reach).powi(2)
        };
        // the cheapest way from one end to the other
        let mut sums = [[0.0f32; WAYS]; STEPS];
        for i in 0..STEPS {
            for k in 0..WAYS {
                let before = if i == 0 {
                    0.0
                } else {
                    (0..WAYS)
                        .map(|j| sums[i - 1][j] + 0.012 * (j as f32 - k as f32).powi(2))
                        .fold(f32::INFINITY, f32::min)
                };
                sums[i][k] = before + cost(i, k);
            }
        }
        let mut k = (0..WAYS).fold(0, |b, k| if sums[STEPS - 1][k] < sums[STEPS - 1][b] { k } else { b });
        for i in (0..STEPS).rev() {
            for (p, n) in line.points[i].iter_mut().zip(normal[i]) {
                *p += offset(k) * n;
            }
            if i > 0 {
                let price = |j: usize| sums[i - 1][j] + 0.012 * (j as f32 - k as f32).powi(2);
                k = (0..WAYS).fold(k, |b, j| if price(j) < price(b) { j } else { b });
            }
        }
    }

    /// How wrinkled the skin is: 0.3 for a child's or a smoothed photo, 1 for a weathered face.
    pub fn age(&self) -> f32 {
        let bare = self.fine.data.iter().zip(&self.bare.data).filter(|(_, b)| b[0] > 0.8);
        let rough = quantile(bare.map(|(f, _)| f[0].abs()), 0.7);
        (0.3 + (rough - 0.02) / 0.03).clamp(0.3, 1.0)
    }
}

/// Valleys of up to twice this width filled to their lower rim: the closing of mathematical morphology.
fn closed(plane: &Plane<1>, half: usize) -> Plane<1> {
    let wide = (0..half).fold(plane.clone(), |p, _| p.dilate());
    (0..half).fold(wide, |p, _| p.erode())
}

/// The vector at length 1.
pub(crate) fn unit(v: [f32; 3]) -> [f32; 3] {
    let length = (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt().max(1e-9);
    v.map(|x| x / length)
}
