//! Brightness of skin that turns in the light.
//!
//! The light stays in the room ([`Light`]); skin that an expression or the head turns shows it another side. What the
//! photo shows is multiplied by the ratio of brightness now to brightness in the photo (a ratio image, as in Liu, Shan
//! and Zhang, "Expressive Expression Mapping with Ratio Images", 2001), one value to a vertex.

use super::contour;
use super::plan::Tone;
use super::pose::rotate;
use super::weights::smooth;
use crate::portrait::face_model::Contour;
use crate::portrait::fitted::CameraPose;
use crate::portrait::light::Light;
use crate::portrait::normals::vertex_normals;

/// Share of the ratio that is applied: fitted light and a coarse model exaggerate.
const SHARE: f32 = 0.75;
/// The logarithm of the ratio bends towards this one: more of it would show the seams of the model.
const MOST: f32 = 0.22;
/// No shading nearer to the outline than the first, all of it beyond the second, cm: what lies outside is not shaded.
const RIM: (f32, f32) = (0.2, 2.4);
/// The same for lips and lids, where the model is drawn to other places than those its shapes give.
const EDGES: (f32, f32) = (0.3, 1.8);

/// The shading of one portrait's skin.
#[derive(Clone, Debug)]
pub(crate) struct Shading {
    light: Light,
    triangles: Vec<[u32; 3]>,
    /// Logarithm of every vertex's brightness in the photo.
    photo: Vec<f32>,
    /// How much of the ratio a vertex takes, 0..1.
    share: Vec<f32>,
    /// Neighbours of vertex `i`: `neighbours[starts[i]..starts[i + 1]]`.
    starts: Vec<u32>,
    neighbours: Vec<u32>,
    normals: Vec<[f32; 3]>,
    ratio: Vec<f32>,
}

impl Shading {
    /// `triangles`: of the skin; `photo`: skin vertices as a frame without motion places them in the photo's `pose`;
    /// `rim`: distance from the outline of every vertex, cm; `edges`: lips and lids.
    pub fn new(
        light: Light,
        triangles: Vec<[u32; 3]>,
        pose: &CameraPose,
        photo: &[[f32; 3]],
        rim: &[f32],
        edges: [&Contour; 3],
    ) -> Self {
        let n = photo.len();
        let edges: Vec<[f32; 3]> =
            edges.iter().flat_map(|c| c.upper.iter().chain(&c.lower)).map(|&i| photo[i as usize]).collect();
        let share = photo.iter().zip(rim).map(|(&x, &from_rim)| {
            let from_edge = contour::nearest(&edges, x).1;
            SHARE * smooth(from_rim, RIM.0, RIM.1) * smooth(from_edge, EDGES.0, EDGES.1)
        });
        let mut linked: Vec<Vec<u32>> = vec![Vec::new(); n];
        for t in &triangles {
            for k in 0..3 {
                for j in [t[(k + 1) % 3], t[(k + 2) % 3]] {
                    if !linked[t[k] as usize].contains(&j) {
                        linked[t[k] as usize].push(j);
                    }
                }
            }
        }
        let mut starts = vec![0];
        for links in &linked {
            starts.push(starts[starts.len() - 1] + links.len() as u32);
        }
        let mut shading = Self {
            light,
            share: share.collect(),
            photo: vec![0.0; n],
            starts,
            neighbours: linked.concat(),
            normals: vec![[0.0; 3]; n],
            ratio: vec![0.0; n],
            triangles,
        };
        shading.brightness(pose, photo);
        shading.photo.copy_from_slice(&shading.ratio);
        shading
    }

    /// Leaves the logarithm of the brightness in `ratio`.
    fn brightness(&mut self, pose: &CameraPose, vertices: &[[f32; 3]]) {
        vertex_normals(&self.triangles, vertices, &mut self.normals);
        for (level, &n) in self.ratio.iter_mut().zip(&self.normals) {
            *level = self.light.shade(rotate(pose, n)).ln();
        }
    }

    /// Writes the gain (ratio less 1) of every vertex for skin vertices `placed` in `pose`. Without motion it is 0.
    pub fn place(&mut self, pose: &CameraPose, placed: &[[f32; 3]], tone: &mut [Tone]) {
        self.brightness(pose, placed);
        for (now, was) in self.ratio.iter_mut().zip(&self.photo) {
            *now -= was;
        }
        for (i, (tone, share)) in tone.iter_mut().zip(&self.share).enumerate() {
            // the mesh is coarse: a good half of the value is that of the surroundings
            let around = &self.neighbours[self.starts[i] as usize..self.starts[i + 1] as usize];
            let mean = around.iter().map(|&j| self.ratio[j as usize]).sum::<f32>() / around.len().max(1) as f32;
            let ratio = 0.4 * self.ratio[i] + 0.6 * mean;
            tone.gain = (share * ratio / (1.0 + (ratio / MOST).powi(2)).sqrt()).exp() - 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::FramePlan;
    use super::super::puppet::Puppet;
    use super::super::testing::{face, model, person, turned};
    use crate::motion::MotionFrame;
    use crate::motion::frame::{Blendshape as B, Reference};

    /// Light that falls from the image's right.
    fn plan(motion: &MotionFrame, shown: &[(&str, f32)]) -> FramePlan {
        let model = model();
        let mut fit = person(&model, shown, false);
        fit.light.coefficients[1] = 0.35;
        let mut puppet = Puppet::new(&model, &fit).expect("a sound fit");
        let mut plan = puppet.frame_plan();
        puppet.plan(motion, Reference::Portrait, 512, 1.25, &mut plan);
        plan
    }

    #[test]
    fn without_motion_nothing_is_shaded_or_folded() {
        let smile = [("mouthSmile_L", 0.6), ("mouthSmile_R", 0.5), ("browInnerUp_L", 0.4)];
        assert!(plan(&MotionFrame::default(), &smile).tone.iter().all(|t| t.gain == 0.0 && t.fold == 0.0));
    }

    #[test]
    fn skin_that_turns_to_the_light_gets_brighter_and_the_outline_stays() {
        let n = model().skin.end;
        // nostrils are darkened besides
        let mean = |p: &FramePlan| p.tone[..n].iter().map(|t| t.gain).filter(|g| *g > -0.3).sum::<f32>() / n as f32;
        let (to, from) = (plan(&turned(15.0, 0.0, 0.0), &[]), plan(&turned(-15.0, 0.0, 0.0), &[]));
        assert!(mean(&to) > 0.004 && mean(&from) < -0.004, "{} {}", mean(&to), mean(&from));
        for p in [to, from] {
            assert!(p.tone[n..].iter().all(|t| t.gain == 0.0 && t.fold == 0.0), "surroundings have no shading");
        }
    }

    #[test]
    fn a_cheek_that_rises_changes_its_shading() {
        let squint = face(&[(B::CheekSquintLeft, 1.0), (B::CheekSquintRight, 1.0), (B::MouthSmileLeft, 1.0)]);
        let most = plan(&squint, &[]).tone.iter().map(|t| t.gain.abs()).fold(0.0, f32::max);
        assert!((0.008..0.5).contains(&most), "{most}");
    }
}
