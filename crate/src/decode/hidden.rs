//! Skin that the photo does not show: the inside of the nostrils.
//!
//! When the head is raised it comes into view. Its own place in the photo is covered by the tip of the nose, whose
//! bright skin would appear a second time inside of the nostril; so it takes the darkest place beside it.

use super::lids::to_texel;
use super::mesh::Sheet;
use super::plan::FramePlan;
use super::plane::Plane;
use super::pose::project;
use super::raster::Target;
use super::vertices::nose_base;
use crate::portrait::fitted::{CameraPose, SIDE};
use crate::portrait::{FaceModel, FittedFace};
use nalgebra::{Matrix3, Vector3};

/// Skin this far behind what the photo shows at its place is hidden, cm.
const BEHIND: f32 = 0.12;
/// How far from the rim of a nostril its darkest place is looked for, crop pixels.
const AROUND: i32 = 9;

/// How far a nostril reaches from the base of the nose: aside, down, up and back, cm.
const HOLLOW: [f32; 4] = [1.45, 0.9, 2.1, 2.1];

/// Brightness inside of a nostril, as a share of what is seen in its place.
const DARKNESS: f32 = 0.3;

/// A vertex inside of a nostril.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nostril {
    vertex: u32,
    /// Where it takes its darkness from, relative to its own place, crop pixels.
    shift: [f32; 2],
    /// How much it is darkened besides: between the rim and that place the bright tip of the nose may shine through.
    gain: f32,
}

impl Nostril {
    /// Darkens the vertex in a head that has `turned` (0..1) from the photo's pose.
    pub fn darken(&self, turned: f32, plan: &mut FramePlan) {
        let i = self.vertex as usize;
        for (s, d) in plan.source[i].iter_mut().zip(self.shift) {
            *s += turned * d;
        }
        plan.tone[i].gain += turned * self.gain * (1.0 + plan.tone[i].gain);
    }
}

/// The insides of both nostrils. `placed`: crop pixel and distance of the sheet's vertices in the photo; `soft`: slightly
/// blurred brightness of the texture.
pub(crate) fn nostrils(
    model: &FaceModel,
    face: &FittedFace,
    sheet: &Sheet,
    placed: &[[f32; 3]],
    soft: &Plane<1>,
) -> Vec<Nostril> {
    let n = model.skin.end;
    let source: Vec<[f32; 2]> = placed.iter().map(|&[x, y, _]| [x, y]).collect();
    let mut darkened = source.clone();
    // in a frontal view of a plain face only the hollows of the nose are hidden
    let front = CameraPose { rotation: Matrix3::identity(), translation: Vector3::new(0.0, 0.0, 97.0) };
    let plain = |i: usize| if i < n { model.neutral[i] } else { sheet.cuts[i - n].mix(&model.neutral) };
    let frontal: Vec<[f32; 3]> = (0..placed.len())
        .map(|i| {
            let ([x, y], depth) = project(&front, plain(i));
            [x, y, depth]
        })
        .collect();
    let around = |shape: &[[f32; 3]], i: usize, [aside, below, above, back]: [f32; 4], side: f32| {
        let nose = nose_base(model, shape);
        let d: [f32; 3] = std::array::from_fn(|c| if i < n { shape[i][c] - nose[c] } else { f32::INFINITY });
        (0.0..aside).contains(&(d[0] * side)) && (-below..above).contains(&d[1]) && d[2].abs() < back
    };
    let mut gain = vec![0.0; placed.len()];
    for side in [-1.0, 1.0] {
        let hollow = hidden(&sheet.triangles, &frontal, |i| around(&model.neutral, i, HOLLOW, side));
        let covered =
            hidden(&sheet.triangles, placed, |i| hollow[i] || around(&face.shape, i, [1.15, 0.9, 0.9, 1.6], side));
        darken(&sheet.triangles, &covered, soft, &mut darkened);
        let unseen = hidden(&sheet.triangles, placed, |i| hollow[i]);
        for (gain, _) in gain.iter_mut().zip(unseen).filter(|(_, u)| *u) {
            *gain = DARKNESS - 1.0;
        }
    }
    let vertices = (0..).zip(source.iter().zip(&darkened).zip(gain));
    vertices
        .map(|(vertex, ((from, to), gain))| Nostril { vertex, shift: [to[0] - from[0], to[1] - from[1]], gain })
        .filter(|v| v.shift != [0.0; 2] || v.gain != 0.0)
        .collect()
}

/// Which of the vertices inside of `region` are hidden. `place`: crop pixel and distance from the camera.
fn hidden(triangles: &[[u32; 3]], place: &[[f32; 3]], region: impl Fn(usize) -> bool) -> Vec<bool> {
    let size = SIDE as usize;
    let mut seen = Target::<1>::with_room(size * size);
    seen.clear(size, 0..size);
    seen.draw(triangles, |i| place[i as usize], |_| [0.0]);
    place
        .iter()
        .enumerate()
        .map(|(i, &[x, y, depth])| {
            let inside = x >= 0.0 && y >= 0.0 && x < SIDE && y < SIDE;
            inside && region(i) && depth > seen.depth[y as usize * size + x as usize] + BEHIND
        })
        .collect()
}

/// Gives hidden vertices the darkest place of the photo near the skin that surrounds them. `soft`: slightly blurred
/// brightness of the texture.
fn darken(triangles: &[[u32; 3]], hidden: &[bool], soft: &Plane<1>, source: &mut [[f32; 2]]) {
    let (mut sum, mut count) = ([0.0f32; 2], 0.0f32);
    for t in triangles.iter().filter(|t| t.iter().any(|&i| hidden[i as usize])) {
        for &i in t.iter().filter(|&&i| !hidden[i as usize]) {
            sum = [sum[0] + source[i as usize][0], sum[1] + source[i as usize][1]];
            count += 1.0;
        }
    }
    if count == 0.0 {
        return;
    }
    let rim = sum.map(|s| s / count);
    let steps = || -AROUND..=AROUND;
    let near = steps().flat_map(|y| steps().map(move |x| [rim[0] + x as f32, rim[1] + y as f32]));
    let brightness = |p: &[f32; 2]| {
        let [x, y] = to_texel(*p);
        soft.bilinear(x, y)[0]
    };
    let Some(darkest) = near.min_by(|a, b| brightness(a).total_cmp(&brightness(b))) else { return };
    for (s, _) in source.iter_mut().zip(hidden).filter(|(_, h)| **h) {
        *s = darkest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_head_shows_dark_nostrils_and_a_still_one_the_photo() {
        use super::super::puppet::Puppet;
        use super::super::testing::{model, person, turned};
        use crate::motion::frame::Reference;
        let model = model();
        let mut puppet = Puppet::new(&model, &person(&model, &[], false)).expect("a sound fit");
        let mut plan = puppet.frame_plan();
        let mut darkest = |motion: &crate::motion::MotionFrame| {
            puppet.plan(motion, Reference::Portrait, 512, 1.25, &mut plan);
            let n = model.skin.end;
            let dark = (0..n).filter(|&i| plan.tone[i].gain < -0.5).map(|i| model.neutral[i]);
            dark.collect::<Vec<_>>()
        };
        assert!(darkest(&Default::default()).is_empty());
        let nose = nose_base(&model, &model.neutral);
        let dark = darkest(&turned(0.0, -12.0, 0.0));
        assert!(dark.len() >= 4 && dark.iter().all(|v| v[2] < nose[2] + 1.8), "{} {nose:?}", dark.len());
        for side in [-1.0, 1.0] {
            assert!(dark.iter().any(|v| (v[0] - nose[0]) * side > 0.2));
        }
    }

    /// A square with a fan of four triangles around its middle.
    const FAN: [[u32; 3]; 4] = [[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]];

    #[test]
    fn only_what_lies_behind_is_hidden() {
        let mut place = vec![[100.0, 100.0, 90.0], [140.0, 100.0, 90.0], [140.0, 140.0, 90.0], [100.0, 140.0, 90.0]];
        place.push([120.5, 120.5, 90.0]);
        assert_eq!(hidden(&FAN, &place, |_| true), [false; 5]);
        place.push([121.5, 118.5, 93.0]);
        assert_eq!(hidden(&FAN, &place, |_| true), [false, false, false, false, false, true]);
        assert_eq!(hidden(&FAN, &place, |i| i < 5), [false; 6]);
    }

    #[test]
    fn hidden_vertices_take_the_darkest_place_near() {
        let dark = to_texel([103.0, 101.0]);
        let soft = Plane::<1>::from_fn(960, 960, |x, y| [(x as f32 - dark[0]).hypot(y as f32 - dark[1])]);
        let mut source = vec![[100.0, 100.0], [104.0, 100.0], [104.0, 104.0], [100.0, 104.0], [90.0, -7.0]];
        darken(&FAN, &[false, false, false, false, true], &soft, &mut source);
        assert!((source[4][0] - 103.0).abs() < 1.0 && (source[4][1] - 101.0).abs() < 1.0, "{:?}", source[4]);
        assert_eq!(source[0], [100.0, 100.0]);
    }
}
