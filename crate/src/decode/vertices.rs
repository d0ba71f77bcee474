//! Vertices of the face: base shape and weighted modes, lips and lids drawn to the gaps that the motion asks for.

use super::contour::{Chain, Profile, Reach, SAMPLES};
use super::weights::{Expression, WeightMap, smooth};
use crate::motion::frame::Reference;
use crate::portrait::face_model::Contour;
use crate::portrait::{FaceModel, FittedFace};

/// Lips that the generic face opens by less than this are shut, cm.
const SLIT: f32 = 0.12;
/// How much further sideways than in the model some expressions move skin: on photos the mouth was read that much less
/// narrow or wide than on the model itself, over 38 portraits.
const WIDTHS: [(&str, f32); 5] =
    [("mouthPucker", 1.25), ("mouthFunnel", 1.45), ("mouthStretch", 1.2), ("mouthSmile", 1.1), ("jawOpen", 1.6)];
/// A lid opens at most this much wider than in the photo.
const WIDEST: f32 = 1.35;

/// How far both lids move with an eye that looks straight up or down, cm. (The model's own shapes for looking up and
/// down open and shut the lids but leave the lower one where it is.)
const LIDS_FOLLOW: f32 = 0.46;

/// Adds weighted modes to vertices. Modes with no weight cost nothing.
pub(crate) fn add_modes(vertices: &mut [[f32; 3]], modes: &[Vec<[f32; 3]>], weights: &[f32]) {
    for (mode, &w) in modes.iter().zip(weights) {
        if w != 0.0 {
            for (x, d) in vertices.as_flattened_mut().iter_mut().zip(mode.as_flattened()) {
                *x += w * d;
            }
        }
    }
}

/// The skin of one portrait.
#[derive(Clone, Debug)]
pub(crate) struct Skin {
    base: Vec<[f32; 3]>,
    /// One displacement of every skin vertex to each expression.
    modes: Vec<Vec<[f32; 3]>>,
    pub lips: Chain,
    /// The subject's right and left eye.
    pub lids: [Chain; 2],
    /// Vertices of the five contours, and their place in the person's shape without pinning.
    contour_ids: Vec<u32>,
    contour_shape: Vec<[f32; 3]>,
    contour_modes: Vec<Vec<[f32; 3]>>,
    /// Generic contours by vertex id; only contour vertices are ever filled in.
    generic: Vec<[f32; 3]>,
    at_contour: Vec<[f32; 3]>,
    photo_lips: Profile<[f32; 3]>,
    photo_lids: [Profile<[f32; 3]>; 2],
    /// Opening of the lips and lids that the photo's weights give the generic face.
    model_lips: Profile<f32>,
    model_lids: [Profile<f32>; 2],
    weights: Vec<f32>,
    still: Vec<f32>,
    glasses: bool,
}

/// What the lips and lids of a frame do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Openings {
    /// Gap of the lips, cm.
    pub lips: Profile<f32>,
    /// Opening of the lids as a share of the photo's.
    pub lids: [f32; 2],
}

impl Skin {
    /// `photo`: vertices as the photo shows them; `brows`: heights of their lower edges above the lids, cm.
    pub fn new(
        model: &FaceModel,
        face: &FittedFace,
        lips: &Contour,
        lids: [&Contour; 2],
        photo: &[[f32; 3]],
        brows: [f32; 2],
    ) -> Self {
        let n = model.skin.end;
        let rest = &face.shape[..n];
        // the nose stays: its underside would fold if it followed the lip
        let nose = nose_base(model, rest);
        let beside_nose = |v: [f32; 3]| {
            let high = smooth(v[1], nose[1] - 0.25, nose[1] + 0.05);
            1.0 - high * (1.0 - smooth((v[0] - nose[0]).abs(), 1.8, 2.6))
        };
        let lip_chain = Chain::new(lips, rest, Reach { full: 0.30, end: 1.7, upper_share: 0.45 }, beside_nose);
        // a lid comes down a little beyond the place of the lower one
        let lid = |contour, brow: f32| {
            let end = (brow + 0.1).min(0.75);
            Chain::new(contour, rest, Reach { full: 0.12, end, upper_share: 1.06 }, |_| 1.0)
        };
        let lid_chains = [lid(lids[0], brows[0]), lid(lids[1], brows[1])];
        let mut contour_ids: Vec<u32> =
            [lips, lids[0], lids[1]].iter().flat_map(|c| c.upper.iter().chain(&c.lower).copied()).collect();
        contour_ids.sort_unstable();
        contour_ids.dedup();
        let of = |v: &[[f32; 3]]| -> Vec<[f32; 3]> { contour_ids.iter().map(|&i| v[i as usize]).collect() };
        // nor does it move with the jaw
        let mut modes: Vec<Vec<[f32; 3]>> = model.expression.iter().map(|m| m[..n].to_vec()).collect();
        for (mode, _) in modes.iter_mut().zip(&model.expression_names).filter(|(_, name)| name.starts_with("jaw")) {
            for (d, &v) in mode.iter_mut().zip(rest) {
                *d = d.map(|x| x * beside_nose(v));
            }
        }
        for (mode, name) in modes.iter_mut().zip(&model.expression_names) {
            if let Some((_, more)) = WIDTHS.iter().find(|(stem, _)| name.starts_with(stem)) {
                mode.iter_mut().for_each(|d| d[0] *= more);
            }
        }
        // what the photo shows stays as it is, whatever its expression's modes have become
        let mut base = face.base[..n].to_vec();
        for ((mode, own), &w) in model.expression.iter().zip(&modes).zip(&face.expression).filter(|(_, w)| **w != 0.0) {
            for ((x, was), now) in base.iter_mut().zip(mode).zip(own) {
                *x = std::array::from_fn(|c| x[c] + w * (was[c] - now[c]));
            }
        }
        let mut skin = Self {
            base,
            modes,
            contour_shape: of(&face.shape),
            contour_modes: model.expression.iter().map(|m| of(m)).collect(),
            generic: vec![[0.0; 3]; n],
            at_contour: vec![[0.0; 3]; contour_ids.len()],
            contour_ids,
            photo_lips: lip_chain.span(|i| photo[i as usize]),
            photo_lids: [0, 1].map(|e| lid_chains[e].span(|i| photo[i as usize])),
            model_lips: [0.0; SAMPLES],
            model_lids: [[0.0; SAMPLES]; 2],
            weights: vec![0.0; model.expression.len()],
            still: face.expression.clone(),
            glasses: face.glasses,
            lips: lip_chain,
            lids: lid_chains,
        };
        for d in &mut skin.photo_lips {
            d[1] = d[1].max(0.0);
        }
        let map = WeightMap::new(model);
        skin.model_lips = skin.generic_gap(&face.expression, &map.opener);
        skin.model_lids = [0, 1].map(|e| skin.lids[e].gap(|i| skin.generic[i as usize]));
        skin
    }

    /// Largest gap of the lips in the photo, cm.
    pub fn photo_gap(&self) -> f32 {
        self.photo_lips.iter().map(|d| d[1]).fold(0.0, f32::max)
    }

    /// Gap of the lips at every sample in the photo, cm.
    pub fn photo_gaps(&self) -> Profile<f32> {
        self.photo_lips.map(|d| d[1])
    }

    /// Vertices of the skin for `wanted`.
    pub fn place(
        &mut self,
        map: &WeightMap,
        wanted: &Expression,
        reference: Reference,
        out: &mut [[f32; 3]],
    ) -> Openings {
        out.copy_from_slice(&self.base);
        if self.glasses {
            // skin that moves would drag the frame of the glasses along
            self.weights.copy_from_slice(&wanted.total);
            for (i, w) in self.weights.iter_mut().enumerate() {
                if map.around_eyes[i] {
                    *w = self.still[i];
                }
            }
            add_modes(out, &self.modes, &self.weights);
        } else {
            add_modes(out, &self.modes, &wanted.total);
        }
        let open = self.generic_gap(&wanted.total, &map.opener);
        let lips = self.lip_gap(&open, reference, wanted.seal);
        self.lips.close(out, &lips, &self.photo_lips);
        let lids = [0, 1].map(|e| {
            let chain = &self.lids[e];
            let now = chain.gap(|i| self.generic[i as usize]);
            let shut = 1.0 - ((wanted.blink[e] - 0.8) / 0.15).clamp(0.0, 1.0);
            let share: Profile<f32> =
                std::array::from_fn(|i| (now[i].max(0.0) / self.model_lids[e][i].max(0.05)).min(WIDEST) * shut);
            if !self.glasses {
                let gap = std::array::from_fn(|i| self.photo_lids[e][i][1].max(0.02) * share[i]);
                chain.close(out, &gap, &self.photo_lids[e]);
                // both lids follow the iris a part of its way
                let look = wanted.gaze[e].y.to_radians().sin();
                chain.lift(out, -LIDS_FOLLOW * look * shut);
            }
            let mut middle = share;
            middle[8..SAMPLES - 8].sort_by(f32::total_cmp);
            middle[SAMPLES / 2]
        });
        Openings { lips, lids }
    }

    /// How far the weights open the lips of the generic face, beyond what they do with nothing that opens them.
    /// Leaves the generic contours in `self.generic`.
    fn generic_gap(&mut self, weights: &[f32], opener: &[bool]) -> Profile<f32> {
        for (w, (&given, &opens)) in self.weights.iter_mut().zip(weights.iter().zip(opener)) {
            *w = if opens { 0.0 } else { given };
        }
        self.fill_generic();
        let rest = self.lips.gap(|i| self.generic[i as usize]);
        self.weights.copy_from_slice(weights);
        self.fill_generic();
        let all = self.lips.gap(|i| self.generic[i as usize]);
        std::array::from_fn(|i| (all[i] - rest[i].max(0.0)).max(0.0))
    }

    fn fill_generic(&mut self) {
        self.at_contour.copy_from_slice(&self.contour_shape);
        add_modes(&mut self.at_contour, &self.contour_modes, &self.weights);
        for (&i, p) in self.contour_ids.iter().zip(&self.at_contour) {
            self.generic[i as usize] = *p;
        }
    }

    /// The gap that the lips shall have. Relative to the portrait it is the photo's own gap, widened or narrowed;
    /// absolutely it is that of the generic face. Only what opens lips opens them, so smile and pucker shut tightly.
    fn lip_gap(&self, open: &Profile<f32>, reference: Reference, seal: f32) -> Profile<f32> {
        let most = |p: &Profile<f32>| p.iter().copied().fold(0.0, f32::max);
        let tight = |p: Profile<f32>| {
            let k = (most(&p) / SLIT).min(1.0);
            p.map(|g| g * k)
        };
        let wanted = if reference == Reference::Portrait {
            let more = tight(std::array::from_fn(|i| (open[i] - self.model_lips[i]).max(0.0)));
            let less = {
                let (now, was) = (most(open), most(&self.model_lips));
                if now < was { now / was } else { 1.0 }
            };
            std::array::from_fn(|i| self.photo_lips[i][1] * less + more[i])
        } else {
            tight(*open)
        };
        wanted.map(|g| g * (1.0 - seal))
    }
}

/// Where the nose meets the upper lip.
pub(crate) fn nose_base(model: &FaceModel, rest: &[[f32; 3]]) -> [f32; 3] {
    const SUBNASALE: usize = 2;
    let (ids, weights) = (model.landmark_vertices[SUBNASALE], model.landmark_weights[SUBNASALE]);
    std::array::from_fn(|c| ids.iter().zip(weights).map(|(&i, w)| w * rest[i as usize][c]).sum())
}

#[cfg(test)]
mod tests {
    use super::super::puppet::Puppet;
    use super::super::testing::{model, person};
    use super::*;
    use crate::motion::MotionFrame;

    #[test]
    fn without_motion_all_skin_lies_where_the_photo_shows_it() {
        let model = model();
        let shown = [("jawOpen", 0.6), ("mouthPucker", 0.5), ("mouthStretch_L", 0.7), ("mouthSmile_R", 0.4)];
        let mut puppet = Puppet::new(&model, &person(&model, &shown, false)).expect("a sound fit");
        let mut plan = puppet.frame_plan();
        let still = plan.source.clone();
        puppet.plan(&MotionFrame::default(), Reference::Portrait, 512, 1.25, &mut plan);
        let off = plan.positions[..model.skin.end].iter().zip(&still).map(|(p, s)| (p[0] - s[0]).hypot(p[1] - s[1]));
        let most = off.fold(0.0, f32::max);
        assert!(most < 0.25, "skin that moves {most} crop pixels by itself");
    }

    #[test]
    fn modes_add_up() {
        let mut v = vec![[1.0, 2.0, 3.0], [0.0; 3]];
        let modes = vec![vec![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], vec![[f32::NAN; 3]; 2]];
        add_modes(&mut v, &modes, &[0.5, 0.0]);
        assert_eq!(v, [[1.5, 2.0, 3.0], [0.0, 0.5, 0.0]]);
    }
}
