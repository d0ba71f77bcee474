//! What is seen between the lips: the model's teeth, gums, tongue and walls, moved with the jaw and lit with the
//! photo's own light.

use std::ops::Range;

use super::arches::{LOWER_UP, TEETH_DOWN, bite, fit_to_card, row_of};
use super::card::Card;
use super::mouth_light::{Colours, colours};
use super::plan::MouthVertex;
use super::plane::Plane;
use super::pose::project;
use super::tongue::Tongue;
use super::weights::smooth;
use crate::portrait::face_model::{Contour, Part};
use crate::portrait::fitted::CameraPose;
use crate::portrait::{FaceModel, FittedFace};

/// Distance behind the lips that the shadow of the cheeks beside the corners counts for, cm.
const CORNER: f32 = 0.94;
/// Share of the way by which a mouth that is seen from the side hides its depth that the tongue does not go: it is wide
/// and soft and lies against the teeth that are nearest.
const LEAN: f32 = 0.4;
/// Depth behind the lips from which on that way stays the same, cm.
const DEEPEST: f32 = 3.5;
/// The model's own tongue is the dark floor under ours, this much lower, cm.
const FLOOR: f32 = 1.2;
/// The model's upper gums make room for the painted ones, cm.
const GUMS_UP: f32 = 0.30;
/// Reach of the model's tongue that a ring of ours moves with, cm.
const BESIDE: f32 = 0.7;
/// Walls this near behind the lips are left out: they do not follow the lips, and would stick out between the teeth, cm.
const WALLS: f32 = 2.4;
/// Pieces of the soft row behind each row of teeth.
const ROW: usize = 18;
/// What [`super::paint::interior`] knows of a surface apart from its normal and its depth: how much it is tooth, wall
/// and tongue (0..1), and the place on it: of a tooth -1..1 across and crowns from its cutting edge, of the tongue cm to the
/// side and cm behind its tip.
type Kind = [f32; 5];

/// Where the lips of a frame are, head space, cm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    /// How far forward the upper lip is.
    pub front: f32,
    /// Middle of the mouth from left to right.
    pub middle: f32,
    /// Half of its width.
    pub half: f32,
    /// Middle of the lower lip's edge.
    pub lower: [f32; 3],
}

/// The interior of one portrait's mouth.
#[derive(Clone, Debug)]
pub(crate) struct Mouth {
    base: Vec<[f32; 3]>,
    /// One displacement of every vertex to each expression of the model.
    modes: Vec<Vec<[f32; 3]>>,
    pub triangles: Vec<[u32; 3]>,
    kind: Vec<Kind>,
    /// Triangles of soft tissue, whose light changes as they bend; they come first.
    bending: usize,
    /// Normals of everything else.
    rigid: Vec<[f32; 3]>,
    tongue: Tongue,
    /// The tongue's vertices.
    tongue_range: Range<usize>,
    /// Index of the expression that puts the tongue out.
    out_mode: Option<usize>,
    pub colours: Colours,
    /// The teeth that the photo shows.
    pub card: Option<Card>,
    placed: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
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
        let is = |range: &Range<usize>, i: usize| range.contains(&i);
        let parts = [&model.mouth_socket, &model.gums_tongue, &model.teeth_upper, &model.teeth_lower];
        let ids: Vec<usize> =
            (model.skin.end..model.neutral.len()).filter(|&i| parts.iter().any(|r| is(r, i))).collect();
        let mut local = vec![u32::MAX; model.neutral.len()];
        for (k, &i) in ids.iter().enumerate() {
            local[i] = k as u32;
        }
        let lip_z = lips.upper.iter().map(|&i| face.shape[i as usize][2]).fold(f32::NEG_INFINITY, f32::max);
        let mut colours = colours(face, texture);
        let card = Card::find(model, face, texture, lips, photo_gap, source);
        if let Some(card) = &card {
            colours.tooth = card.tooth;
        }
        let mut rows = [(&model.teeth_upper, true), (&model.teeth_lower, false)]
            .map(|(range, upper)| row_of(model, face, range.clone(), upper));
        let down = match &card {
            Some(card) => fit_to_card(&mut rows[0], &face.base[model.teeth_upper.clone()], face, card),
            None => TEETH_DOWN,
        };
        let bite = bite(model, face, &rows, down);
        let shape = &face.shape;
        let teeth: Vec<[f32; 3]> =
            model.teeth_upper.clone().chain(model.teeth_lower.clone()).step_by(4).map(|i| shape[i]).collect();
        // the model's tongue: soft tissue of the lower half that is well inside the arch of teeth
        let own_tongue = |i: usize| {
            if !is(&model.gums_tongue, i) || teeth.is_empty() {
                return 0.0;
            }
            let (_, distance) = super::contour::nearest(&teeth, shape[i]);
            smooth(distance, 0.45, 0.9) * smooth(bite.upper + down + 0.6 - shape[i][1], 0.0, 0.4)
        };
        let share: Vec<f32> = ids.iter().map(|&i| own_tongue(i)).collect();
        let left_out = |v: u32| {
            let i = ids[v as usize];
            is(&model.mouth_socket, i) && face.shape[i][2] > lip_z - WALLS && face.shape[i][1] < bite.upper - 0.1
        };
        let (mut triangles, rest): (Vec<[u32; 3]>, Vec<[u32; 3]>) = model
            .triangles
            .iter()
            .zip(&model.triangle_part)
            .filter(|(_, p)| **p != Part::Skin)
            .map(|(t, _)| t.map(|i| local[i as usize]))
            .filter(|t| t.iter().all(|&i| i != u32::MAX && !left_out(i)))
            .partition(|t| t.iter().all(|&i| ids[i as usize] < model.teeth_upper.start));
        let tongue = Tongue::new(&bite);
        let (start, teeth_start) = (ids.len() as u32, triangles.len() + tongue.triangles.len());
        triangles.extend(tongue.triangles.iter().map(|t| t.map(|i| i + start)));
        triangles.extend(rest);

        let tooth = |i: usize| {
            [&model.teeth_upper, &model.teeth_lower]
                .iter()
                .zip(&rows)
                .find(|(range, _)| is(range, i))
                .map(|(range, row)| (row, i - range.start))
        };
        let mut kind: Vec<Kind> = ids
            .iter()
            .zip(&share)
            .map(|(&i, &k)| match tooth(i) {
                Some((row, v)) => [row.tone[v], 0.0, 0.0, row.place[v][0], row.place[v][1]],
                None => {
                    let wall = f32::from(u8::from(is(&model.mouth_socket, i)));
                    [0.0, wall.max((2.0 * k).min(1.0)), 0.0, 0.0, 0.0]
                }
            })
            .collect();
        let mut base: Vec<[f32; 3]> = ids
            .iter()
            .zip(&share)
            .map(|(&i, &k)| {
                let [x, y, z] = face.base[i];
                let own = tooth(i).map_or([0.0; 3], |(row, v)| row.own[v]);
                // upper gums hang on the upper teeth; where they meet teeth is painted on these
                let gum =
                    if is(&model.gums_tongue, i) { smooth(shape[i][1], bite.upper, bite.upper + 0.5) } else { 0.0 };
                let drop = if is(&model.teeth_upper, i) {
                    down
                } else if is(&model.teeth_lower, i) {
                    -LOWER_UP
                } else {
                    gum * (down - GUMS_UP)
                };
                [x + own[0], y + own[1] - FLOOR * k - drop, z + own[2]]
            })
            .collect();
        let mut rigid: Vec<[f32; 3]> =
            ids.iter().map(|&i| tooth(i).map_or([0.0, 0.0, 1.0], |(row, v)| row.normal[v])).collect();
        // what is our own to do is not done by the model
        let still = ["tongueUp", "tongueOut"].map(|name| model.expression_index(name));
        let mut modes: Vec<Vec<[f32; 3]>> = (0..model.expression.len())
            .map(|m| {
                let moves = !still.contains(&Some(m));
                ids.iter().map(|&i| if moves { model.expression[m][i] } else { [0.0; 3] }).collect()
            })
            .collect();
        for point in 0..tongue.base.len() {
            let depth = tongue.depth(point);
            let beside: Vec<f32> =
                ids.iter().zip(&share).map(|(&i, k)| k * (-((shape[i][2] - depth) / BESIDE).powi(2)).exp()).collect();
            let sum = beside.iter().sum::<f32>().max(1e-6);
            let average = |of: &dyn Fn(usize) -> [f32; 3]| -> [f32; 3] {
                beside.iter().enumerate().filter(|(_, w)| **w > 0.0).fold([0.0; 3], |s, (v, w)| {
                    let d = of(v);
                    std::array::from_fn(|c| s[c] + w / sum * d[c])
                })
            };
            let pinned = average(&|v| std::array::from_fn(|c| face.base[ids[v]][c] - shape[ids[v]][c]));
            base.push(std::array::from_fn(|c| tongue.base[point][c] + pinned[c]));
            for mode in &mut modes {
                let d = average(&|v| mode[v]);
                mode.push(d);
            }
            let [u, v] = tongue.place[point];
            kind.push([0.0, 0.0, 1.0, u, v]);
            rigid.push([0.0, 0.0, 1.0]);
        }
        let tongue_range = ids.len()..base.len();
        let mut mouth = Self {
            base,
            modes,
            triangles,
            kind,
            bending: teeth_start,
            rigid,
            tongue,
            tongue_range,
            out_mode: model.expression_index("tongueOut"),
            colours,
            card,
            placed: Vec::new(),
            normals: Vec::new(),
        };
        for (range, upper) in [(&model.teeth_upper, true), (&model.teeth_lower, false)] {
            let members: Vec<u32> = range.clone().map(|i| local[i]).collect();
            mouth.add_soft_row(&members, upper);
        }
        mouth.placed = mouth.base.clone();
        mouth.normals = mouth.rigid.clone();
        mouth
    }

    pub fn vertices(&self) -> usize {
        self.base.len()
    }

    /// How far these weights put the tongue out, 0..1.
    pub fn put_out(&self, weights: &[f32]) -> f32 {
        self.out_mode.and_then(|i| weights.get(i)).copied().unwrap_or(0.0)
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
            let outward = [goal.sin(), 0.0, goal.cos()];
            for y in [edge, root] {
                self.base.push([back[0], y, back[2]]);
                self.kind.push([0.62, 0.0, 0.0, 0.0, 0.5]);
                self.rigid.push(outward);
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

    /// Places the interior. `opening`: where the lips are now.
    pub fn place(
        &mut self,
        pose: &CameraPose,
        weights: &[f32],
        tongue_up: f32,
        opening: &Opening,
        out: &mut [MouthVertex],
    ) {
        let put_out = self.put_out(weights);
        let placed = &mut self.placed;
        placed.copy_from_slice(&self.base);
        super::vertices::add_modes(placed, &self.modes, weights);
        let [_, _, lip_z] = opening.lower;
        let tongue = &mut placed[self.tongue_range.clone()];
        self.tongue.bend(tongue, tongue_up, put_out, opening.lower);
        let aside = LEAN * pose.rotation[(2, 0)] / pose.rotation[(2, 2)].max(0.5);
        for p in tongue {
            p[0] -= aside * (lip_z - p[2]).clamp(0.0, DEEPEST);
        }
        self.normals.copy_from_slice(&self.rigid);
        let bending = &self.triangles[..self.bending];
        for &i in bending.as_flattened() {
            self.normals[i as usize] = [0.0; 3];
        }
        for t in bending {
            let [a, b, c] = t.map(|i| nalgebra::Vector3::from(placed[i as usize]));
            let n = (b - a).cross(&(c - a));
            for &i in t {
                for (sum, n) in self.normals[i as usize].iter_mut().zip(&n) {
                    *sum += n;
                }
            }
        }
        for (i, o) in out.iter_mut().enumerate() {
            let (p, n) = (placed[i], self.normals[i]);
            let [tooth, wall, tongue, u, v] = self.kind[i];
            let length = (n[0] * n[0] + n[1] * n[1] + n[2] * n[2]).sqrt().max(1e-9);
            let ([x, y], distance) = project(pose, p);
            let side = (p[0] - opening.middle).abs();
            // cheeks keep the light from what lies beside the corners of the mouth
            let behind = (opening.front - p[2]).hypot(0.5 * side) + CORNER * smooth(side / opening.half, 0.55, 1.1);
            o.position = [x, y, distance];
            let behind = if p[2] > opening.front { 0.0 } else { behind };
            let out = put_out.min(1.0) * tongue * smooth(p[2] - lip_z, -0.30, -0.05);
            o.surface = [n[0] / length, n[1] / length, n[2] / length, behind, tooth, wall, tongue, u, v, out];
        }
    }
}
