//! A portrait that can be moved: everything that depends on the photo only, and the way from a motion frame to a
//! [`FramePlan`].

use super::DecodeError;
use super::check;
use super::eyes::{Eye, LidState};
use super::folds::Folds;
use super::hidden::{self, Nostril};
use super::layers::Layers;
use super::lids::{brow_height, to_texel};
use super::lip_skin::LipSkin;
use super::mesh::{self, Cut};
use super::mouth::{Mouth, Opening};
use super::plan::{self, FramePlan, MouthPlan, MouthVertex, POINTS, PixelPlan, Tone, resample};
use super::plane::{Plane, luminance};
use super::pose::{angle_between, apply, lean, pixels_per_cm, project, rotate};
use super::shading::Shading;
use super::softness::softness;
use super::surroundings::{Surroundings, Wall};
use super::vertices::{Openings, Skin, add_modes};
use super::weights::{Expression, WeightMap, smooth};
use crate::motion::MotionFrame;
use crate::motion::frame::Reference;
use crate::portrait::crop::from_texture;
use crate::portrait::face_model::Contour;
use crate::portrait::fitted::{CameraPose, SIDE, TEX_FULL};
use crate::portrait::{FaceModel, FittedFace};
use bytemuck::Zeroable;

/// Skin around lips, lids and nose that is never cut off, cm.
const PROTECT: f32 = 0.9;
/// Landmarks at the top of the forehead and at the chin.
const FOREHEAD_CHIN: (usize, usize) = (10, 152);
/// Crop pixels around the inner lips that are drawn with 2 x 2 samples: lips fold over skin with hard outlines.
const FINE_MARGIN: f32 = 22.0;
/// Crop pixels around the inner lips that a tongue may be drawn on when it is put out.
const TONGUE_MARGIN: f32 = 34.0;
/// Half width of an antialiased edge, output pixels: a box of one pixel with the blur of a lens.
const EDGE: f32 = 1.24;

/// One portrait, ready to move.
#[derive(Clone, Debug)]
pub(crate) struct Puppet {
    pose: CameraPose,
    face_height: f32,
    photo_weights: Vec<f32>,
    map: WeightMap,
    skin: Skin,
    lip_skin: LipSkin,
    mouth_covered: bool,
    cuts: Vec<Cut>,
    border: Vec<u32>,
    border_photo: Vec<[f32; 2]>,
    border_head: Vec<[f32; 3]>,
    surroundings: Surroundings,
    shading: Shading,
    pub folds: Folds,
    pub eyes: [Eye; 2],
    /// The upper lids as the photo shows them, head space.
    photo_upper_lids: [Vec<[f32; 3]>; 2],
    lips: Contour,
    lids: [Contour; 2],
    pub mouth: Mouth,
    /// Blur of the photo beyond that of a sharp one, crop pixels.
    softness: f32,
    /// What the mesh shows, `TEX_FULL` pixels along a side: colours times opacity (0..255) and opacity (0..1). The person,
    /// or the whole photo where the person could not be told from the background.
    pub texture: Plane<4>,
    /// What is behind the person, `TEX_FULL` pixels along a side (see `Layers::still`); none where `texture` is the whole
    /// photo.
    pub still: Option<Plane<4>>,
    /// Triangles of the picture's mesh.
    pub triangles: Vec<[u32; 3]>,
    /// Source of every vertex of the mesh with open lids, crop pixels.
    pub source: Vec<[f32; 2]>,
    nostrils: Vec<Nostril>,
    expression: Expression,
    placed: Vec<[f32; 3]>,
    border_now: Vec<[f32; 2]>,
    border_scratch: Vec<[f32; 2]>,
    around: Vec<[f32; 2]>,
}

impl Puppet {
    pub fn new(model: &FaceModel, face: &FittedFace) -> Result<Self, DecodeError> {
        check::check(model, face)?;
        let n = model.skin.end;
        let texture = Plane { width: TEX_FULL, height: TEX_FULL, data: face.texture.as_chunks::<3>().0.to_vec() };
        let mut photo = face.base.clone();
        add_modes(&mut photo, &model.expression, &face.expression);
        let camera: Vec<[f32; 3]> = photo[..n]
            .iter()
            .map(|&x| {
                let (c, t) = (rotate(&face.pose, x), &face.pose.translation);
                [c[0] + t.x, c[1] + t.y, c[2] - t.z]
            })
            .collect();
        let lips = left_to_right(&model.lips, &model.neutral);
        let owned = [&model.lids_right, &model.lids_left].map(|c| left_to_right(c, &model.neutral));
        let lids = [&owned[0], &owned[1]];
        let skin_triangles: Vec<[u32; 3]> =
            model.triangles.iter().filter(|t| t.iter().all(|&i| (i as usize) < n)).copied().collect();
        let sheet = mesh::cut(&skin_triangles, &camera, &protected(model, face))
            .ok_or(DecodeError::Fit("the fitted face shows no skin"))?;

        let projected = |x: [f32; 3]| project(&face.pose, x).0;
        let mut source: Vec<[f32; 2]> = photo.iter().map(|&x| projected(x)).collect();
        let soft = texture.map(|c| [luminance(c)]).blur(1.5);
        let brows = lids.map(|c| {
            let margin: Vec<[f32; 2]> = c.upper.iter().map(|&i| source[i as usize]).collect();
            brow_height(face, &soft, &margin)
        });
        let mut skin = Skin::new(model, face, &lips, lids, &photo, brows);
        let eye = |e: usize, ball, iris| Eye::new(face, &texture, ball, lids[e], iris, &source);
        let eyes = [
            eye(0, (face.eye_right, model.eye_right.radius), 468),
            eye(1, (face.eye_left, model.eye_left.radius), 473),
        ];
        let mouth = Mouth::new(model, face, &texture, &lips, skin.photo_gap(), &source);
        let softness = softness(face, &texture);
        let followers = [&skin.lips.upper_skin[..], &skin.lips.lower_skin[..]];
        let lip_skin = LipSkin::new(face, &lips, followers, skin.photo_gap(), &source);

        source.truncate(n);
        let place = |i: u32| {
            let i = i as usize;
            if i < n { photo[i] } else { sheet.cuts[i - n].mix(&photo) }
        };
        source.extend(sheet.cuts.iter().map(|c| projected(c.mix(&photo))));
        let placed: Vec<[f32; 3]> = (0..source.len() as u32)
            .map(|i| {
                let ([x, y], depth) = project(&face.pose, place(i));
                [x, y, depth]
            })
            .collect();
        let nostrils = hidden::nostrils(model, face, &sheet, &placed, &soft);
        let folds = Folds::new(model, face, &texture, &skin_triangles, &photo[..n], &source);
        let border_head: Vec<[f32; 3]> = sheet.border.iter().map(|&i| place(i)).collect();
        let (border_photo, border_depth): (Vec<_>, Vec<_>) =
            border_head.iter().map(|&x| project(&face.pose, x)).unzip();
        let mut triangles = sheet.triangles;
        for c in [&lips, lids[0], lids[1]] {
            triangles.extend(mesh::cap(&c.upper, &c.lower));
        }
        let layers = face.person.as_ref().and_then(|mask| {
            let corner = |i: u32| -> [f32; 2] { [placed[i as usize][0], placed[i as usize][1]] };
            let shown: Vec<_> = triangles.iter().map(|t| t.map(corner)).collect();
            Layers::part(&texture, mask, &shown, face.photo)
        });
        let wall =
            if layers.is_some() { Wall::Free { bottom: from_texture([0.0, face.photo[3]])[1] } } else { Wall::Tied };
        let person = layers.as_ref().map(|layers| &layers.person);
        let surroundings = Surroundings::new(&face.pose, &border_photo, &border_depth, &border_head, wall, person)
            .ok_or(DecodeError::Fit("the outline of the fitted face is no number"))?;
        let (texture, still) = match layers {
            Some(layers) => (layers.person, Some(layers.still)),
            None => (texture.map(|[r, g, b]| [r, g, b, 1.0]), None),
        };

        // order of the mesh's vertices: skin, cuts, grid, outline once more (far behind)
        let grid = source.len() as u32;
        source.extend(&surroundings.photo);
        source.extend(&border_photo);
        let around = surroundings.triangles.iter().map(|t| t.map(|i| i + grid));
        triangles.extend(around.filter(|t| seen(&texture, t.map(|i| source[i as usize]))));

        let (top, chin) = (face.landmarks[FOREHEAD_CHIN.0], face.landmarks[FOREHEAD_CHIN.1]);
        let map = WeightMap::new(model);
        let cm = pixels_per_cm(&face.pose);
        let from_outline = |p: &[f32; 2]| {
            border_photo.iter().map(|q: &[f32; 2]| (p[0] - q[0]).hypot(p[1] - q[1])).fold(f32::INFINITY, f32::min) / cm
        };
        let rim: Vec<f32> = photo[..n].iter().map(|&x| from_outline(&projected(x))).collect();
        let mut expression = map.expression();
        map.apply(&MotionFrame::default(), Reference::Portrait, &face.expression, &mut expression);
        let mut at_rest = vec![[0.0; 3]; n];
        skin.place(&map, &expression, Reference::Portrait, &mut at_rest);
        let shading = Shading::new(face.light, skin_triangles, &face.pose, &at_rest, &rim, [&lips, lids[0], lids[1]]);
        Ok(Self {
            pose: face.pose,
            face_height: (top[0] - chin[0]).hypot(top[1] - chin[1]),
            photo_weights: face.expression.clone(),
            expression,
            map,
            lip_skin,
            mouth_covered: face.mouth_covered,
            cuts: sheet.cuts,
            placed: vec![[0.0; 3]; n],
            border_now: border_photo.clone(),
            border_scratch: border_photo.clone(),
            around: surroundings.photo.clone(),
            border: sheet.border,
            border_photo,
            border_head,
            surroundings,
            shading,
            folds,
            eyes,
            photo_upper_lids: lids.map(|c| c.upper.iter().map(|&i| photo[i as usize]).collect()),
            lips,
            lids: owned,
            skin,
            mouth,
            softness,
            texture,
            still,
            triangles,
            source,
            nostrils,
        })
    }

    /// Room for a frame.
    pub fn frame_plan(&self) -> FramePlan {
        FramePlan {
            positions: vec![[0.0; 3]; self.source.len()],
            source: self.source.clone(),
            tone: vec![Tone::default(); self.source.len()],
            mouth_vertices: vec![MouthVertex::default(); self.mouth.vertices()],
            pixels: PixelPlan::zeroed(),
        }
    }

    /// Works out a frame for pictures of `size` pixels. Allocates nothing.
    pub fn plan(&mut self, frame: &MotionFrame, reference: Reference, size: u32, texels: f32, plan: &mut FramePlan) {
        self.map.apply(frame, reference, &self.photo_weights, &mut self.expression);
        // lips that the photo hides stay as they are
        let reference = if self.mouth_covered {
            self.map.hold_mouth(&self.photo_weights, &mut self.expression);
            Reference::Portrait
        } else {
            reference
        };
        let pose = apply(&self.pose, &frame.head, self.face_height);
        let openings = self.skin.place(&self.map, &self.expression, reference, &mut self.placed);
        let leant = lean(&self.pose, &frame.head, self.face_height);
        self.place(&pose, &leant, &mut plan.positions);
        self.shading.place(&pose, &self.placed, &mut plan.tone);
        self.folds.place(&self.expression.total, &mut plan.tone);
        let [fold_x, fold_y] = self.folds.origin;
        plan.pixels.folds = [fold_x, fold_y, 0.0, 0.0];
        plan.source.copy_from_slice(&self.source);
        // what a nostril hides comes into sight only as the head moves
        let turned = smooth(angle_between(&self.pose, &pose), 0.5, 4.0);
        for nostril in &self.nostrils {
            nostril.darken(turned, plan);
        }
        // the photo's own mouth is shown as it is; anything else is drawn
        let drawn = match reference {
            Reference::Portrait => smooth(self.expression.mouth_change + self.expression.tongue_up, 0.02, 0.25),
            Reference::Neutral | Reference::Speech => 1.0,
        };
        self.lip_skin.apply(drawn, &mut plan.source);
        let size = size as f32;
        let scale = size / SIDE;
        plan.pixels.scale = [scale, size, texels, EDGE / scale];
        for e in 0..2 {
            let xy = |i: u32| -> [f32; 2] {
                let p = plan.positions[i as usize];
                [p[0], p[1]]
            };
            let lids = LidState {
                upper: resample(&self.lids[e].upper, xy),
                lower: resample(&self.lids[e].lower, xy),
                photo_upper: &self.photo_upper_lids[e],
                open: openings.lids[e],
            };
            plan.pixels.eyes[e] = self.eyes[e].plan(&self.pose, &pose, &lids, self.expression.gaze[e], scale, size);
            plan.pixels.eyes[e].glint[2] = self.softness;
        }
        self.plan_mouth(&pose, &openings, drawn, scale, size, plan);
    }

    /// Operations on numbers and bytes of the last [`Self::plan`]: expressions that are not zero move the skin, everything is
    /// turned and projected, the surroundings follow the outline, and skin is shaded.
    pub fn work(&self) -> (usize, usize) {
        let modes = self.expression.total.iter().filter(|&&w| w != 0.0).count();
        let (skin, cuts) = (self.placed.len(), self.cuts.len());
        let (around, border) = (self.around.len(), self.border.len());
        let flops = skin * (6 * modes + 24 + 80) + cuts * 36 + around * (4 * border + 60) + self.triangles.len() * 35;
        let moved = 12 * (skin * modes + 3 * skin + 2 * cuts);
        (flops, moved + around * (4 * border + 40) + self.triangles.len() * 12)
    }

    /// Crop pixels and distances of all vertices of the mesh.
    fn place(&mut self, pose: &CameraPose, leant: &CameraPose, positions: &mut [[f32; 3]]) {
        let n = self.placed.len();
        let mut deepest = 0.0f32;
        let mut put = |to: &mut [f32; 3], x: [f32; 3]| {
            let ([px, py], d) = project(pose, x);
            *to = [px, py, d];
            deepest = deepest.max(d);
        };
        for (p, &x) in positions.iter_mut().zip(&self.placed) {
            put(p, x);
        }
        for (p, c) in positions[n..].iter_mut().zip(&self.cuts) {
            put(p, c.mix(&self.placed));
        }
        for (now, &i) in self.border_now.iter_mut().zip(&self.border) {
            let p = positions[i as usize];
            *now = [p[0], p[1]];
        }
        self.surroundings.place(
            [pose, leant],
            &self.border_now,
            &self.border_photo,
            &self.border_head,
            &mut self.border_scratch,
            &mut self.around,
        );
        let behind = positions[n + self.cuts.len()..].iter_mut();
        for (p, q) in behind.zip(self.around.iter().chain(&self.border_now)) {
            *p = [q[0], q[1], deepest + 30.0];
        }
    }

    fn plan_mouth(
        &mut self,
        pose: &CameraPose,
        open: &Openings,
        drawn: f32,
        scale: f32,
        size: f32,
        plan: &mut FramePlan,
    ) {
        let xy = |i: u32| -> [f32; 2] {
            let p = plan.positions[i as usize];
            [p[0], p[1]]
        };
        let (upper, lower) = (resample(&self.lips.upper, xy), resample(&self.lips.lower, xy));
        let gap = open.lips.iter().copied().fold(0.0, f32::max);
        let is_open = gap > 0.01 && drawn > 0.0;
        let cm = pixels_per_cm(pose);
        let mouth: &mut MouthPlan = &mut plan.pixels.mouth;
        let photo = self.skin.photo_gaps();
        let mut strongest = 0.0f32;
        for k in 0..POINTS {
            mouth.lips[k] = [upper[k][0], upper[k][1], lower[k][0], lower[k][1]];
            // lips that the photo shows open have no dark line between them when they shut
            let at = k * (photo.len() - 1) / (POINTS - 1);
            let need =
                ((photo[at] - open.lips[at]) / 0.15).clamp(0.0, 1.0) * (1.0 - (open.lips[at] / 0.10).clamp(0.0, 1.0));
            mouth.seam[k] = [need, 0.0, 0.0, 0.0];
            strongest = strongest.max(need);
        }
        let with = |c: [f32; 3], w: f32| [c[0], c[1], c[2], w];
        let flag = |b: bool| if b { 1.0 } else { 0.0 };
        let colours = &self.mouth.colours;
        mouth.tooth = with(colours.tooth, flag(self.mouth.card.is_some()));
        mouth.tissue = with(colours.tissue, if is_open { drawn } else { 0.0 });
        mouth.light = with(colours.light, cm);
        // what is drawn is as soft as the photo
        let spread = [0.30, 0.55, 1.0, 1.4].iter().filter(|&&step| self.softness * scale > step).count();
        let tongue = if is_open { self.mouth.put_out(&self.expression.total) } else { 0.0 };
        mouth.soft = [self.softness, spread as f32, tongue, colours.colourful];
        // a wider mouth lets more light in, and red light gets furthest, because it bounces off red walls
        let reach = 1.5 + 1.6 * (gap / 1.5).clamp(0.0, 1.0);
        let [red, green, blue] =
            [1.25, 0.90, 0.87].map(|of_light: f32| reach * (1.0 + (of_light - 1.0) * colours.colourful));
        mouth.reach = [red, green, blue, flag(strongest > 0.05)];
        let lips = || upper.into_iter().chain(lower);
        mouth.area = plan::area(lips(), 6.0 + TONGUE_MARGIN * tongue, scale, size);
        mouth.fine = plan::area(lips(), FINE_MARGIN, scale, size);
        // pictures with 2 x 2 samples are as large as the frame
        for area in [&mut mouth.area, &mut mouth.fine] {
            area[2] = area[2].min(area[0] + (0.5 * size).floor());
            area[3] = area[3].min(area[1] + (0.5 * size).floor());
        }
        if let Some(card) = &mut self.mouth.card {
            mouth.to_card = card.map(pose);
        }
        if is_open {
            let ids = &self.lips;
            let front = ids.upper.iter().map(|&i| self.placed[i as usize][2]).fold(f32::NEG_INFINITY, f32::max);
            let x = |i: u32| self.placed[i as usize][0];
            let middle = |ids: &[u32]| x(ids[ids.len() / 2]);
            let middle = 0.5 * (middle(&ids.upper) + middle(&ids.lower));
            let half = (0.5 * (x(ids.upper[ids.upper.len() - 1]) - x(ids.upper[0]))).abs().max(0.5);
            let e = &self.expression;
            let lower = self.placed[ids.lower[ids.lower.len() / 2] as usize];
            let opening = Opening { front, middle, half, lower };
            self.mouth.place(pose, &e.total, e.tongue_up, &opening, &mut plan.mouth_vertices);
        }
    }
}

/// Whether a triangle (crop pixels of the photo) shows anything of the person.
fn seen(texture: &Plane<4>, corners: [[f32; 2]; 3]) -> bool {
    let texels = corners.map(to_texel);
    // two more for the look-up's reach
    let low = |c: usize| texels.iter().map(|p| p[c]).fold(f32::INFINITY, f32::min) as isize - 2;
    let high = |c: usize| texels.iter().map(|p| p[c]).fold(f32::NEG_INFINITY, f32::max) as isize + 2;
    (low(1)..=high(1)).any(|y| (low(0)..=high(0)).any(|x| texture.at(x, y)[3] > 0.0))
}

/// The contour with both chains running towards the image's right.
fn left_to_right(contour: &Contour, neutral: &[[f32; 3]]) -> Contour {
    let ordered = |ids: &[u32]| {
        let mut ids = ids.to_vec();
        if neutral[ids[0] as usize][0] > neutral[ids[ids.len() - 1] as usize][0] {
            ids.reverse();
        }
        ids
    };
    Contour { upper: ordered(&contour.upper), lower: ordered(&contour.lower) }
}

/// Skin that must not be cut off: around lips and lids, and the nose.
fn protected(model: &FaceModel, face: &FittedFace) -> Vec<bool> {
    let core: Vec<[f32; 3]> = [&model.lips, &model.lids_right, &model.lids_left]
        .iter()
        .flat_map(|c| c.upper.iter().chain(&c.lower))
        .map(|&i| face.shape[i as usize])
        .collect();
    face.shape[..model.skin.end]
        .iter()
        .map(|&x| {
            let nose = x[0].abs() < 2.2 && (-6.0..5.0).contains(&x[1]);
            nose || super::contour::nearest(&core, x).1 < PROTECT
        })
        .collect()
}
