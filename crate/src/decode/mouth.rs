//! What is seen between the lips: the model's teeth, gums, tongue and walls, moved with the jaw and lit with the
//! photo's own light.

use super::card::Card;
use super::lids::to_texel;
use super::plan::MouthVertex;
use super::plane::{Plane, luminance, mean, quantile};
use super::pose::project;
use super::weights::smooth;
use crate::portrait::face_model::{Contour, Part};
use crate::portrait::fitted::CameraPose;
use crate::portrait::{FaceModel, FittedFace};

/// Teeth are this much brighter than the light on skin says: it makes up for shading, depth and the lips' shadow.
const TOOTH: [f32; 3] = [1.05 * 1.055, 1.05 * 0.986, 1.05 * 0.940];
/// Colour of gums and tongue in white light.
const TISSUE: [f32; 3] = [0.70, 0.40, 0.38];
/// The model's upper teeth hide behind the lip; those of people show a little, cm.
const TEETH_DOWN: f32 = 0.12;
/// Arches the model's flat tongue so that light shapes it, cm.
const TONGUE_UP: f32 = 0.45;
/// Pieces of the soft row behind each row of teeth.
const ROW: usize = 18;

/// The interior of one portrait's mouth.
#[derive(Clone, Debug)]
pub(crate) struct Mouth {
    base: Vec<[f32; 3]>,
    /// One displacement of every vertex to each expression of the model.
    modes: Vec<Vec<[f32; 3]>>,
    pub triangles: Vec<[u32; 3]>,
    /// Tooth, wall and tongue, 0..1.
    kind: Vec<[f32; 3]>,
    /// How much a vertex belongs to the tip of the tongue.
    tip: Vec<f32>,
    /// Height of the upper teeth's edge, cm: what the tip of the tongue can touch.
    bite: f32,
    /// Height and depth of the tip of the tongue.
    tip_vertex: usize,
    pub colours: Colours,
    /// The teeth that the photo shows.
    pub card: Option<Card>,
    placed: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
}

/// Colours of the interior.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Colours {
    pub light: [f32; 3],
    pub tooth: [f32; 3],
    pub tissue: [f32; 3],
}

impl Mouth {
    /// `photo_gap`: largest opening of the lips in the photo, cm; `source`: vertices as the photo shows them, crop pixels.
    pub fn new(
        model: &FaceModel,
        face: &FittedFace,
        texture: &Plane<3>,
        lips: &Contour,
        photo_gap: f32,
        source: &[[f32; 2]],
    ) -> Self {
        let first = model.skin.end;
        let is = |range: &std::ops::Range<usize>, i: usize| range.contains(&i);
        let ids: Vec<usize> = (first..model.neutral.len())
            .filter(|&i| {
                [&model.mouth_socket, &model.gums_tongue, &model.teeth_upper, &model.teeth_lower]
                    .iter()
                    .any(|r| is(r, i))
            })
            .collect();
        let mut local = vec![u32::MAX; model.neutral.len()];
        for (k, &i) in ids.iter().enumerate() {
            local[i] = k as u32;
        }
        let mut colours = colours(face, texture);
        let card = Card::find(model, face, texture, lips, photo_gap, source);
        if let Some(card) = &card {
            colours.tooth = card.tooth;
        }
        let triangles: Vec<[u32; 3]> = model
            .triangles
            .iter()
            .zip(&model.triangle_part)
            .filter(|(_, p)| **p != Part::Skin)
            .map(|(t, _)| t.map(|i| local[i as usize]))
            .filter(|t| t.iter().all(|&i| i != u32::MAX))
            // the photo's own upper teeth replace the model's
            .filter(|t| card.is_none() || !t.iter().any(|&i| is(&model.teeth_upper, ids[i as usize])))
            .collect();

        let shape = &face.shape;
        let teeth: Vec<[f32; 3]> =
            model.teeth_upper.clone().chain(model.teeth_lower.clone()).step_by(4).map(|i| shape[i]).collect();
        let bite = model.teeth_upper.clone().map(|i| shape[i][1]).fold(f32::INFINITY, f32::min);
        // tongue: soft tissue of the lower half that is well inside the arch of teeth
        let tongue = |i: usize| {
            if !is(&model.gums_tongue, i) || teeth.is_empty() {
                return 0.0;
            }
            let (_, distance) = super::contour::nearest(&teeth, shape[i]);
            smooth(distance, 0.45, 0.9) * smooth(bite + 0.6 - shape[i][1], 0.0, 0.4)
        };
        let kind: Vec<[f32; 3]> = ids
            .iter()
            .map(|&i| {
                let tooth = is(&model.teeth_upper, i) || is(&model.teeth_lower, i);
                [f32::from(u8::from(tooth)), f32::from(u8::from(is(&model.mouth_socket, i))), tongue(i)]
            })
            .collect();
        let base: Vec<[f32; 3]> = ids
            .iter()
            .zip(&kind)
            .map(|(&i, k)| {
                let [x, y, z] = face.base[i];
                let arch = TONGUE_UP * k[2] * (-(x / 1.4).powi(2)).exp();
                [x, y + arch - if is(&model.teeth_upper, i) { TEETH_DOWN } else { 0.0 }, z]
            })
            .collect();
        let front = ids
            .iter()
            .zip(&kind)
            .filter(|(_, k)| k[2] > 0.5)
            .map(|(&i, _)| shape[i][2])
            .fold(f32::NEG_INFINITY, f32::max);
        let tip: Vec<f32> =
            ids.iter().zip(&kind).map(|(&i, k)| k[2] * smooth(shape[i][2], front - 2.2, front - 0.4)).collect();
        let tip_vertex = (0..tip.len()).max_by(|&a, &b| tip[a].total_cmp(&tip[b])).unwrap_or(0);
        let modes = model.expression.iter().map(|m| ids.iter().map(|&i| m[i]).collect()).collect();
        let mut mouth = Self {
            base,
            modes,
            triangles,
            kind,
            tip,
            bite: bite - TEETH_DOWN,
            tip_vertex,
            colours,
            card,
            placed: Vec::new(),
            normals: Vec::new(),
        };
        for (range, upper) in [(&model.teeth_upper, true), (&model.teeth_lower, false)] {
            if !(upper && mouth.card.is_some()) {
                let members: Vec<u32> = range.clone().map(|i| local[i]).collect();
                mouth.add_soft_row(&members, upper);
            }
        }
        mouth.placed = mouth.base.clone();
        mouth.normals = mouth.base.clone();
        mouth
    }

    pub fn vertices(&self) -> usize {
        self.base.len()
    }

    /// A strip just behind a row of teeth: without it the gaps between the coarse model's teeth are black wedges.
    fn add_soft_row(&mut self, teeth: &[u32], upper: bool) {
        let placed = self.base.clone();
        let at = |i: u32| placed[i as usize];
        let n = teeth.len().max(1) as f32;
        let middle = teeth.iter().map(|&i| at(i)[2]).sum::<f32>() / n;
        let angle = |i: u32| at(i)[0].atan2(at(i)[2] - middle + 0.8);
        let most = teeth.iter().map(|&i| angle(i).abs()).fold(0.0, f32::max) * 0.96;
        let mut strip: Vec<(u32, u32)> = Vec::new();
        for k in 0..=ROW {
            let goal = most * (2.0 * k as f32 / ROW as f32 - 1.0);
            let near: Vec<u32> =
                teeth.iter().copied().filter(|&i| (angle(i) - goal).abs() < 1.3 * most / ROW as f32).collect();
            if near.len() < 3 {
                continue;
            }
            let share = 1.0 / near.len() as f32;
            let average = |of: &[[f32; 3]]| -> [f32; 3] {
                std::array::from_fn(|c| near.iter().map(|&i| of[i as usize][c]).sum::<f32>() * share)
            };
            let centre = average(&placed);
            let (lo, hi) = near
                .iter()
                .map(|&i| at(i)[1])
                .fold((f32::INFINITY, f32::NEG_INFINITY), |(lo, hi), y| (lo.min(y), hi.max(y)));
            // the cutting edges stay free, so that the outline of the teeth is kept
            let (edge, root) = if upper { (lo + 0.30 * (hi - lo), hi) } else { (hi - 0.30 * (hi - lo), lo) };
            let id = self.base.len() as u32;
            let back = [centre[0] * 0.97, 0.0, centre[2] - 0.12];
            for y in [edge, root] {
                self.base.push([back[0], y, back[2]]);
                self.kind.push([0.62, 0.0, 0.0]);
                self.tip.push(0.0);
            }
            for mode in &mut self.modes {
                let d = average(mode);
                mode.extend([d, d]);
            }
            strip.push((id, id + 1));
        }
        for w in strip.windows(2) {
            let ((a, b), (c, d)) = (w[0], w[1]);
            // facing outwards, whichever row it is
            if upper {
                self.triangles.extend([[a, c, b], [b, c, d]]);
            } else {
                self.triangles.extend([[a, b, c], [b, d, c]]);
            }
        }
    }

    /// Places the interior. `lip_front`: how far forward the upper lip is, `middle_x`: middle of the mouth, both head
    /// space cm.
    pub fn place(
        &mut self,
        pose: &CameraPose,
        weights: &[f32],
        tongue_up: f32,
        lip_front: f32,
        middle_x: f32,
        out: &mut [MouthVertex],
    ) {
        let placed = &mut self.placed;
        placed.copy_from_slice(&self.base);
        super::vertices::add_modes(placed, &self.modes, weights);
        if tongue_up > 0.0 {
            let rise = (self.bite + 0.10 - placed[self.tip_vertex][1]).clamp(0.0, 1.8) * tongue_up;
            for (p, tip) in placed.iter_mut().zip(&self.tip) {
                p[1] += tip * rise;
                p[2] += 0.25 * tip * tongue_up;
            }
        }
        self.normals.fill([0.0; 3]);
        for t in &self.triangles {
            let [a, b, c] = t.map(|i| nalgebra::Vector3::from(placed[i as usize]));
            let n = (b - a).cross(&(c - a));
            for &i in t {
                for (sum, n) in self.normals[i as usize].iter_mut().zip(&n) {
                    *sum += n;
                }
            }
        }
        for (i, o) in out.iter_mut().enumerate() {
            let (p, n, kind) = (placed[i], self.normals[i], self.kind[i]);
            let length = (n[0] * n[0] + n[1] * n[1] + n[2] * n[2]).sqrt().max(1e-9);
            let ([x, y], distance) = project(pose, p);
            let behind = (lip_front - p[2]).hypot(0.5 * (p[0] - middle_x));
            o.position = [x, y, distance];
            o.surface = [n[0] / length, n[1] / length, n[2] / length, behind, kind[0], kind[1], kind[2]];
        }
    }
}

/// The texture's pixels around some landmarks.
pub(crate) fn patch(face: &FittedFace, texture: &Plane<3>, landmarks: &[usize], radius: isize) -> Vec<[f32; 3]> {
    let mut out = Vec::new();
    for &i in landmarks {
        let [x, y] = to_texel(face.landmarks[i]);
        for dy in -radius..radius {
            for dx in -radius..radius {
                out.push(texture.at(x as isize + dx, y as isize + dy));
            }
        }
    }
    out
}

/// Light from bright skin and the whites of the eyes; tissue from the lips. The factors were fitted to photos that
/// show teeth.
fn colours(face: &FittedFace, texture: &Plane<3>) -> Colours {
    let skin = patch(face, texture, &[50, 280, 205, 425, 151, 4], 8);
    let limit = quantile(skin.iter().map(|&c| luminance(c)), 0.70);
    let bright: Vec<[f32; 3]> = skin.into_iter().filter(|&c| luminance(c) >= limit).collect();
    let beside_iris = patch(face, texture, &[469, 471, 474, 476], 2);
    let limit = quantile(beside_iris.iter().map(|&c| luminance(c)), 0.75);
    let white = mean(&beside_iris.into_iter().filter(|&c| luminance(c) >= limit).collect::<Vec<_>>());
    let (lum_white, lum_skin) = (luminance(white), luminance(mean(&bright)));
    let level = (0.10 * lum_white + 0.86 * lum_skin).max(1.1 * lum_white).clamp(40.0, 235.0);
    let cast: [f32; 3] = white.map(|c| 0.55 + 0.45 * c / lum_white.max(1.0));
    let light = cast.map(|c| level * c / 0.86);
    let lip = mean(&patch(face, texture, &[0, 17, 37, 267, 84, 314, 39, 269], 3));
    let tissue: [f32; 3] = std::array::from_fn(|c| 1.2 * (0.45 * lip[c] + 0.55 * TISSUE[c] * light[c]));
    let tooth = std::array::from_fn(|c| (TOOTH[c] * level * cast[c]).clamp(0.0, 255.0));
    // a photo without colours has none in its mouth either
    let both: Vec<[f32; 3]> = bright.iter().copied().chain([lip; 8]).collect();
    let spread = |c: &[f32; 3]| {
        let (lo, hi) = c.iter().fold((f32::INFINITY, 0.0f32), |(lo, hi), &x| (lo.min(x), hi.max(x)));
        (hi - lo) / hi.max(1.0)
    };
    let colourful = smooth(quantile(both.iter().map(spread), 0.5), 0.03, 0.12);
    let fade = |c: [f32; 3]| {
        let grey = luminance(c);
        c.map(|x| grey + (x - grey) * colourful)
    };
    Colours { light, tooth: fade(tooth), tissue: fade(tissue) }
}
