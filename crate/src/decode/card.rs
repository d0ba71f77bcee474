//! Teeth that the photo shows, cut out and fixed to the upper jaw like a card.

use super::lids::{TEXELS, to_texel};
use super::mouth_light::patch;
use super::plan::{Line, affine, area, resample};
use super::plane::{Plane, luminance, mean, quantile, redness};
use super::pose::project;
use super::shapes::{coverage, nearest};
use super::weights::smooth;
use crate::portrait::face_model::Contour;
use crate::portrait::fitted::{CameraPose, PAD, SIDE};
use crate::portrait::{FaceModel, FittedFace};

/// Lips nearer than this in the photo show no teeth, cm.
const SHUT: f32 = 0.12;
/// Teeth are less red than this share of the lips' redness; what is redder is a tongue, or lip.
const PALE: f32 = 0.55;
/// Lips this little red are those of a photo without colours.
const GREY: f32 = 0.08;
/// Teeth end this near to the smooth curve through all their ends, texture pixels.
const LOCAL: f32 = 2.5;
/// The card's top row is repeated upwards, because a lip that rises shows more of the tooth; it fades into the model's
/// teeth and gums between these distances, texture pixels.
const HEADROOM: isize = 24;
const FADE: (f32, f32) = (3.0, 16.0);

/// The upper teeth of the photo.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    /// Colour, and in alpha how much of the pixel is tooth.
    pub picture: Plane<4>,
    /// Texture pixel of its top left.
    origin: [f32; 2],
    /// Typical colour of these teeth.
    pub tooth: [f32; 3],
    /// By column of the picture: crop pixel row where the teeth end in the photo.
    edges: Vec<Option<f32>>,
    /// Front teeth of the model that the card is fixed to: head space, crop pixels in the photo and now.
    front: Vec<[f32; 3]>,
    front_photo: Vec<[f32; 2]>,
    front_now: Vec<[f32; 2]>,
}

impl Card {
    /// Cuts the card out, if the photo shows upper teeth clearly.
    pub fn find(
        model: &FaceModel,
        face: &FittedFace,
        texture: &Plane<3>,
        lips: &Contour,
        photo_gap: f32,
        source: &[[f32; 2]],
    ) -> Option<Self> {
        if photo_gap < SHUT {
            return None;
        }
        let line = |ids: &[u32]| -> Line { resample(ids, |i| to_texel(source[i as usize])) };
        let (upper, lower) = (line(&lips.upper), line(&lips.lower));
        let bounds = area(upper.into_iter().chain(lower), 6.0, 1.0, texture.width as f32);
        let (x0, y0) = (bounds[0] as isize, (bounds[1] as isize - HEADROOM).max(0));
        let rgb = texture.window(x0, y0, bounds[2] as isize, bounds[3] as isize);
        let (w, h) = (rgb.width, rgb.height);
        let inside = Plane::<1>::from_fn(w, h, |x, y| {
            let p = [(x0 + x as isize) as f32 + 0.5, (y0 + y as isize) as f32 + 0.5];
            [coverage(&nearest(p, &upper), &nearest(p, &lower), 0.6)]
        });
        let core = inside.map(|a| [if a[0] > 0.6 { 1.0 } else { 0.0 }]).erode();
        let inner: Vec<usize> = (0..w * h).filter(|&i| core.data[i][0] > 0.0).collect();
        if inner.len() < 60 {
            return None;
        }
        // teeth are bright, and less red than half-way to the lips
        let lum = rgb.map(|c| [luminance(c)]);
        let top = quantile(inner.iter().map(|&i| lum.data[i][0]), 0.92);
        let lip_colours = patch(face, texture, &[0, 17, 37, 267, 84, 314], 3);
        let lip = mean(&lip_colours);
        let lip_red = lip_colours.iter().map(|&c| redness(c)).sum::<f32>() / lip_colours.len() as f32;
        let red = 0.5 * (lip_red + quantile(inner.iter().map(|&i| redness(rgb.data[i])), 0.25));
        // a photo without colours tells by brightness alone
        let grey = 1.0 - smooth(lip_red, 0.02, 0.08);
        let bright = Plane::<1>::from_fn(w, h, |x, y| {
            let i = y * w + x;
            let pale = smooth(-redness(rgb.data[i]), -red - 0.06, -red + 0.04).max(grey);
            [smooth(lum.data[i][0], 0.50 * top, 0.68 * top) * pale * core.data[i][0]]
        });
        let mut tooth = bright.blur(1.2);
        for (t, c) in tooth.data.iter_mut().zip(&core.blur(0.7).data) {
            t[0] *= c[0];
        }
        let area_of = |limit: f32| tooth.data.iter().filter(|t| t[0] > limit).count();
        if (area_of(0.5) as f32) < 0.15 * inner.len() as f32 || top < 0.8 * luminance(lip) {
            return None;
        }
        let clear: Vec<[f32; 3]> =
            tooth.data.iter().zip(&rgb.data).filter(|(t, _)| t[0] > 0.7).map(|(_, &c)| c).collect();
        if clear.len() <= 20 {
            return None;
        }
        let colour = std::array::from_fn(|c| (1.05 * quantile(clear.iter().map(|p| p[c]), 0.6)).clamp(0.0, 255.0));
        if lip_red > GREY && redness(colour) > PALE * lip_red {
            return None;
        }
        let valley = valley(&lum.blur(0.8), &core, top);
        let upper_teeth =
            Plane::<1>::from_fn(w, h, |x, y| [tooth.data[y * w + x][0] * smooth(valley[x] - y as f32, -0.5, 1.5)])
                .blur(0.6);
        let first = top_row(&upper_teeth)?;
        let picture = Plane::from_fn(w, h, |x, y| {
            // above what the photo shows the top row is repeated
            let row = (y as f32).max(first[x] + 1.0) + 0.5;
            let c = rgb.bilinear(x as f32 + 0.5, row);
            let above = row - 0.5 - y as f32;
            [c[0], c[1], c[2], upper_teeth.bilinear(x as f32 + 0.5, row)[0] * (1.0 - smooth(above, FADE.0, FADE.1))]
        });
        let edges =
            cutting_edges(&upper_teeth).map(|edge| edge.map(|y| (y0 as f32 + y) / TEXELS - PAD * SIDE)).collect();
        let teeth = &face.base[model.teeth_upper.clone()];
        let deep = quantile(teeth.iter().map(|x| x[2]), 0.60);
        let front: Vec<[f32; 3]> = teeth.iter().copied().filter(|x| x[2] > deep).collect();
        if front.len() < 4 {
            return None;
        }
        let front_photo: Vec<[f32; 2]> = front.iter().map(|&x| project(&face.pose, x).0).collect();
        Some(Self {
            picture,
            origin: [x0 as f32, y0 as f32],
            tooth: colour,
            edges,
            front_now: front_photo.clone(),
            front,
            front_photo,
        })
    }

    /// Crop pixel row where the teeth of the columns `from..to` (crop pixels of the photo) end, if the photo shows most of
    /// them.
    pub fn cutting_edge(&self, from: f32, to: f32) -> Option<f32> {
        let column = |x: f32| (to_texel([x, 0.0])[0] - self.origin[0]).max(0.0) as usize;
        let own = self.edges.get(column(from)..=column(to)).unwrap_or(&[]);
        let rows: Vec<f32> = own.iter().flatten().copied().collect();
        (rows.len() * 10 > own.len() * 7 && rows.len() > 2).then(|| quantile(rows, 0.6))
    }

    /// Map from crop pixels now to pixels of the card.
    pub fn map(&mut self, pose: &CameraPose) -> [[f32; 4]; 2] {
        for (now, &x) in self.front_now.iter_mut().zip(&self.front) {
            *now = project(pose, x).0;
        }
        let [mut x, mut y] = affine(&self.front_now, &self.front_photo);
        let zero = to_texel([0.0, 0.0]);
        for (row, c) in [(&mut x, 0), (&mut y, 1)] {
            for v in row.iter_mut() {
                *v *= TEXELS;
            }
            row[2] += zero[c] - self.origin[c];
        }
        [x, y]
    }
}

/// Lower teeth often peep out under the upper ones. They are split off along the dark valley between two bright rows, or
/// the step from the bright upper to the dimmer lower ones: near a parabola, as it is seen in every column. Columns beyond
/// what is seen have an upper row only. Returns the row where the upper teeth end in every column.
fn valley(lum: &Plane<1>, core: &Plane<1>, top: f32) -> Vec<f32> {
    let (w, h) = (lum.width, lum.height);
    let none = vec![1e4; w];
    let mut points: Vec<[f32; 3]> = Vec::new(); // column, row, depth
    let mut columns = 0;
    let (mut left, mut right) = (w, 0);
    for x in 0..w {
        let rows: Vec<usize> = (0..h).filter(|&y| core.data[y * w + x][0] > 0.0).collect();
        if rows.is_empty() {
            continue;
        }
        columns += 1;
        left = left.min(x);
        right = right.max(x);
        if rows.len() < 7 {
            continue;
        }
        let l: Vec<f32> = rows.iter().map(|&y| lum.data[y * w + x][0]).collect();
        let most = |s: &[f32]| s.iter().copied().fold(0.0, f32::max);
        let step = |i: usize| l[i - 2] - l[i + 2];
        for i in 3..l.len().saturating_sub(4) {
            let around = (i - 2).max(2)..(i + 3).min(l.len() - 2);
            let steepest = around.map(step).fold(0.0, f32::max) <= step(i);
            if steepest && step(i) > 0.07 * top && l[i + 2] > 0.5 * top && most(&l[..i]) > 0.8 * top {
                points.push([x as f32, rows[i] as f32, 0.8 * step(i) / top]);
            }
        }
        for i in 3..l.len() - 2 {
            let depth = most(&l[..i]).min(most(&l[i + 1..])) - l[i];
            let lowest = l[i] <= l[i - 1] && l[i] <= l[i + 1];
            if lowest && most(&l[..i]) > 0.75 * top && depth > 0.045 * top {
                points.push([x as f32, rows[i] as f32, depth / top]);
            }
        }
    }
    let distinct = |it: &mut dyn Iterator<Item = f32>| {
        let mut v: Vec<i64> = it.map(|x| x as i64).collect();
        v.dedup();
        v.len() as f32
    };
    if distinct(&mut points.iter().map(|p| p[0])) <= 0.25 * columns as f32 || right <= left {
        return none;
    }
    let (middle, half) = (0.5 * (left + right) as f32, 0.5 * (right - left) as f32);
    let row = |x: f32| {
        let u = (x - middle) / half;
        nalgebra::Vector3::new(1.0, u, u * u)
    };
    let mut k = nalgebra::Vector3::zeros();
    let mut weight: Vec<f32> = points.iter().map(|p| p[2]).collect();
    for _ in 0..8 {
        let mut a = nalgebra::Matrix3::from_diagonal(&nalgebra::Vector3::new(1e-6, 0.05, 0.05));
        let mut b = nalgebra::Vector3::zeros();
        for (p, &w) in points.iter().zip(&weight) {
            let r = row(p[0]);
            a += r * r.transpose() * w;
            b += r * (p[1] * w);
        }
        let Some(inverse) = a.try_inverse() else { return none };
        k = inverse * b;
        for (p, w) in points.iter().zip(&mut weight) {
            *w = p[2] / (1.0 + ((p[1] - row(p[0]).dot(&k)) / 1.5).powi(2));
        }
    }
    let good: Vec<f32> = points.iter().filter(|p| (p[1] - row(p[0]).dot(&k)).abs() < 2.5).map(|p| p[0]).collect();
    if distinct(&mut good.iter().copied()) <= 0.2 * columns as f32 {
        return none;
    }
    // it goes on between columns where it is not seen
    let (lo, hi) = (good[0] - 0.3 * half, good[good.len() - 1] + 0.3 * half);
    let cut = Plane::<1>::from_fn(w, 1, |x, _| {
        let smooth = row(x as f32).dot(&k);
        let own = points.iter().filter(|p| p[0] as usize == x).map(|p| p[1] - smooth).filter(|d| d.abs() < LOCAL);
        [smooth + own.min_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0)]
    })
    .blur(1.2);
    (0..w).map(|x| if x as f32 > lo && (x as f32) < hi { cut.data[x][0] } else { 1e4 }).collect()
}

/// In every column the row where the teeth end.
fn cutting_edges(teeth: &Plane<1>) -> impl Iterator<Item = Option<f32>> {
    let (w, h) = (teeth.width, teeth.height);
    (0..w).map(move |x| (0..h).rev().find(|&y| teeth.data[y * w + x][0] > 0.5).map(|y| y as f32 + 1.0))
}

/// The first row of teeth in every column, smoothed along the columns.
fn top_row(teeth: &Plane<1>) -> Option<Vec<f32>> {
    let (w, h) = (teeth.width, teeth.height);
    let rows: Vec<(usize, f32)> =
        (0..w).filter_map(|x| (0..h).find(|&y| teeth.data[y * w + x][0] > 0.5).map(|y| (x, y as f32))).collect();
    if rows.len() < 8 {
        return None;
    }
    let filled = Plane::<1>::from_fn(w, 1, |x, _| {
        let i = rows.partition_point(|r| r.0 < x).clamp(1, rows.len() - 1);
        let (a, b) = (rows[i - 1], rows[i]);
        let t = ((x as f32 - a.0 as f32) / (b.0 - a.0) as f32).clamp(0.0, 1.0);
        [a.1 + (b.1 - a.1) * t]
    });
    Some(filled.blur(3.0).data.iter().map(|r| r[0]).collect())
}
