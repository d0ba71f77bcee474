//! Bare ears: little cards fixed to the head.
//!
//! An ear stands out behind the cheek, where a photo shows its length but not its depth. As part of a smooth surface from
//! the cheek to the outline of the head it would fan out as soon as the head turns away from it, with no back of a skull
//! behind it. So the near ear keeps the width that the photo shows and goes where its root goes; the far one recedes
//! behind the cheek, as deep as ears are. Ears under hair are none: hair goes on around the head.

use super::lids::to_texel;
use super::plane::{Plane, luminance};
use super::pose::{project, rotate, unproject};
use super::turn::Turn;
use super::weights::smooth;
use crate::portrait::fitted::{CameraPose, PIVOT};
use nalgebra::Vector3;

/// Signs of x of both ears.
const SIDES: [f32; 2] = [-1.0, 1.0];
/// Where ears grow on the full face model, head space, cm: how far to the side the root, how much further the rim, and how
/// high both ends; beside a face whose outline reaches `CHEEK` to the side.
const ROOT: f32 = 7.55;
const RIM: f32 = 1.6;
const HEIGHT: (f32, f32) = (-2.2, 4.2);
const CHEEK: f32 = 7.2;
/// Depth of the root and how far the rim lies behind it.
const DEPTH: f32 = 1.3;
const BACK: f32 = 2.5;
/// How far behind the outline of the cheek the near ear turns: closer to it than its root is, since skin between both is
/// hardly seen in the photo and would be stretched.
const BEHIND_CHEEK: f32 = 0.6;
/// An ear is seen whose rim stands out by this much beside the outline of the face, cm: nothing of the first, all of the
/// second.
const SEEN: (f32, f32) = (0.6, 1.3);
/// Turn over which an ear passes from near to far, as the sine of its angle.
const PASSING: f32 = 0.12;
/// Where an ear shows skin, and where there is nothing beside it if it is bare, as in `ACROSS`; and heights of both, as in
/// `ALONG`.
const SKIN: [f32; 3] = [0.3, 0.55, 0.8];
const BESIDE: [f32; 3] = [1.7, 2.1, 2.5];
const HEIGHTS: [f32; 5] = [0.15, 0.3, 0.45, 0.6, 0.75];
/// Least share of the places beside a bare ear that show the background: none of the first, all of the second.
const BARE: (f32, f32) = (0.4, 0.7);
/// Largest difference of an ear's brightness (logarithm) and colour (shares of red and blue) from the cheek's.
const OTHER_LIGHT: f32 = 0.9;
const OTHER_COLOUR: f32 = 0.07;
/// A cheek's colour is taken this far inside of the outline, as a share of the way to the middle of the face.
const INSIDE: f32 = 0.12;
/// Places over an ear that get vertices of their own, from the root (0) to the rim (1) and from its lower end (0) to its
/// upper one (1).
const ACROSS: [f32; 6] = [-0.2, 0.15, 0.5, 0.85, 1.2, 1.6];
const ALONG: [f32; 8] = [-0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2];

/// Both ears of a head in a photo.
#[derive(Clone, Copy)]
pub(crate) struct Ears {
    pose: CameraPose,
    size: f32,
    /// How much the photo shows of the ear at negative and at positive x, 0..1.
    seen: [f32; 2],
    /// Depth at which each turns when it is the near one.
    near: [f32; 2],
}

impl Ears {
    /// `outline`: the outline of the face's visible skin, head space; `person`: colours times opacity and opacity, where
    /// the person can be told from the background: elsewhere no ear can.
    pub fn new(pose: &CameraPose, outline: &[[f32; 3]], person: Option<&Plane<4>>) -> Self {
        let beside = || outline.iter().filter(|x| (HEIGHT.0..HEIGHT.1).contains(&x[1]));
        let widest = beside().map(|x| x[0].abs()).fold(0.0, f32::max);
        let size = if widest > 0.0 { (widest / CHEEK).clamp(0.8, 1.25) } else { 1.0 };
        let mut ears = Self { pose: *pose, size, seen: [1.0; 2], near: [DEPTH; 2] };
        ears.seen = SIDES.map(|side| {
            // a head that the photo shows turned hides one ear behind the cheek
            let [across, up, _] = rotate(pose, [side, 0.0, 0.0]);
            let out = |x: [f32; 3]| {
                let c = rotate(pose, x);
                (c[0] * across + c[1] * up) / across.hypot(up).max(1e-3)
            };
            let cheek = beside().map(|&x| out(x)).fold(f32::NEG_INFINITY, f32::max);
            smooth(out(ears.point(side, 1.0, 0.5)) - cheek, SEEN.0, SEEN.1)
        });
        ears.near = SIDES.map(|side| {
            let (sum, count) =
                beside().filter(|x| side * x[0] > 0.0).fold((0.0, 0), |(sum, count), x| (sum + x[2], count + 1));
            if count > 0 { (sum / count as f32 - BEHIND_CHEEK).max(DEPTH) } else { DEPTH }
        });
        let all = ears;
        for (side, seen) in SIDES.into_iter().zip(&mut ears.seen) {
            let cheek: Vec<[f32; 3]> = beside().filter(|x| side * x[0] > 0.0).copied().collect();
            *seen *= person.map_or(0.0, |person| all.bare(side, &cheek, person));
        }
        ears
    }

    /// Whether an ear is bare, 0..1. `cheek`: the outline beside it.
    fn bare(&self, side: f32, cheek: &[[f32; 3]], person: &Plane<4>) -> f32 {
        let at = |x: [f32; 3]| {
            let [u, v] = to_texel(project(&self.pose, x).0);
            person.bilinear(u, v)
        };
        let over = |across: &[f32; 3]| -> Vec<[f32; 4]> {
            let row = |&along: &f32| across.map(|a| at(self.point(side, a, along)));
            HEIGHTS.iter().flat_map(row).collect()
        };
        let beside = over(&BESIDE);
        let free = beside.iter().filter(|c| c[3] < 0.3).count() as f32 / beside.len() as f32;
        let skin: Vec<[f32; 4]> =
            cheek.iter().map(|&[x, y, z]| at([x * (1.0 - INSIDE), y, z])).filter(|c| c[3] > 0.5).collect();
        let mean = |of: &[[f32; 4]]| {
            let sum = of.iter().fold([0.0f32; 3], |s, c| std::array::from_fn(|k| s[k] + c[k]));
            let total = (sum[0] + sum[1] + sum[2]).max(1.0);
            ((luminance(sum) / of.len().max(1) as f32 + 1.0).ln(), sum[0] / total, sum[2] / total)
        };
        let (ear, cheek) = (mean(&over(&SKIN)), mean(&skin));
        let colour = (ear.1 - cheek.1).hypot(ear.2 - cheek.2);
        let alike = |difference: f32, most: f32| 1.0 - smooth(difference, 0.8 * most, 1.2 * most);
        smooth(free, BARE.0, BARE.1) * alike((ear.0 - cheek.0).abs(), OTHER_LIGHT) * alike(colour, OTHER_COLOUR)
    }

    /// Crop pixels that want vertices.
    pub fn places(&self) -> Vec<[f32; 2]> {
        let point = |side: f32, across: f32, along: f32| project(&self.pose, self.point(side, across, along)).0;
        SIDES
            .into_iter()
            .zip(self.seen)
            .filter(|(_, seen)| *seen > 0.0)
            .flat_map(|(side, _)| ALONG.into_iter().map(move |along| (side, along)))
            .flat_map(|(side, along)| ACROSS.into_iter().map(move |across| point(side, across, along)))
            .collect()
    }

    fn point(&self, side: f32, across: f32, along: f32) -> [f32; 3] {
        let x = (ROOT + RIM * across) * self.size;
        [side * x, HEIGHT.0 + (HEIGHT.1 - HEIGHT.0) * along, DEPTH - BACK * across.clamp(0.0, 1.0)]
    }

    /// How a vertex of the surroundings (crop pixel) moves if it belongs to an ear.
    pub fn vertex(&self, index: usize, pixel: [f32; 2]) -> Option<EarVertex> {
        (0..2).find_map(|e| {
            let (side, seen) = (SIDES[e], self.seen[e]);
            // the ray through the pixel meets the ear's own slope
            let mut at = unproject(&self.pose, pixel, project(&self.pose, self.point(side, 0.5, 0.5)).1);
            let mut across = 0.0;
            for _ in 0..3 {
                across = (side * at[0] / self.size - ROOT) / RIM;
                let along = (at[1] - HEIGHT.0) / (HEIGHT.1 - HEIGHT.0);
                let depth = project(&self.pose, self.point(side, across, along)).1;
                at = unproject(&self.pose, pixel, depth);
            }
            let along = (at[1] - HEIGHT.0) / (HEIGHT.1 - HEIGHT.0);
            let share = seen
                * smooth(across, -0.6, 0.0)
                * (1.0 - smooth(across, 1.6, 2.8))
                * smooth(along, -0.5, -0.1)
                * (1.0 - smooth(along, 1.05, 1.5));
            let root = [side * ROOT * self.size, at[1], self.near[e]];
            let depth = project(&self.pose, root).1;
            let about_pivot = |x: [f32; 3]| Vector3::from(rotate(&self.pose, std::array::from_fn(|c| x[c] - PIVOT[c])));
            let near = about_pivot(unproject(&self.pose, pixel, depth));
            (share > 0.0).then(|| EarVertex { index, share, side, root: about_pivot(root), near, far: about_pivot(at) })
        })
    }
}

/// A vertex on an ear; points in the photo's camera axes about the pivot of the head, cm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EarVertex {
    pub index: usize,
    /// How much it belongs to the ear, 0..1.
    pub share: f32,
    /// -1 for the subject's ear at negative x, 1 for the other.
    side: f32,
    root: Vector3<f32>,
    near: Vector3<f32>,
    far: Vector3<f32>,
}

impl EarVertex {
    /// Crop pixel after a motion of the head.
    pub fn place(&self, turn: &Turn) -> [f32; 2] {
        let near = smooth(-self.side * turn.sideways(), -PASSING, PASSING);
        let (a, b) = (turn.pixel(turn.turned(self.far)), turn.pixel(turn.card(self.root, self.near)));
        [a[0] + (b[0] - a[0]) * near, a[1] + (b[1] - a[1]) * near]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{Matrix3, Rotation3};

    const SKIN_COLOUR: [f32; 4] = [200.0, 150.0, 120.0, 1.0];

    /// A person whose skin reaches this far to the sides in the photo's plane, cm, and whose hair beyond it.
    fn shown(pose: &CameraPose, skin: f32, hair: f32) -> Plane<4> {
        let middle = to_texel(project(pose, [0.0; 3]).0)[0];
        let cm = to_texel(project(pose, [1.0, 0.0, 0.0]).0)[0] - middle;
        Plane::from_fn(960, 960, |x, _| match (x as f32 - middle).abs() / cm {
            aside if aside < skin => SKIN_COLOUR,
            aside if aside < hair => [40.0, 25.0, 20.0, 1.0],
            _ => [0.0; 4],
        })
    }

    fn turned(yaw: f32) -> (CameraPose, CameraPose) {
        let photo = CameraPose { rotation: Matrix3::identity(), translation: Vector3::new(0.0, 0.0, 97.0) };
        let turn = *Rotation3::from_axis_angle(&Vector3::y_axis(), yaw).matrix();
        let pivot = Vector3::from(PIVOT);
        (photo, CameraPose { rotation: turn, translation: photo.translation + pivot - turn * pivot })
    }

    #[test]
    fn the_near_ear_keeps_its_width_and_the_far_one_goes_behind_the_cheek() {
        let (photo, now) = turned(-0.35);
        let outline = [[7.2, 1.0, 3.5], [-7.2, 1.0, 3.5]];
        let ears = Ears::new(&photo, &outline, Some(&shown(&photo, 9.3, 0.0)));
        let turn = Turn::new(&photo, &now);
        let [near, far] = [1.0, -1.0].map(|side| {
            [0.1, 0.9].map(|across| {
                let p = project(&photo, ears.point(side, across, 0.5)).0;
                (p[0], ears.vertex(0, p).expect("on the ear").place(&turn)[0])
            })
        });
        let (was, is) = (near[1].0 - near[0].0, near[1].1 - near[0].1);
        assert!((is / was - 1.0).abs() < 0.08, "{was} {is}");
        let cheek = project(&now, outline[1]).0[0];
        assert!(far[1].1 > cheek - 4.0 && far[0].1 > cheek, "{far:?} {cheek}");
    }

    #[test]
    fn an_ear_that_the_photo_hides_is_none() {
        let (_, photo) = turned(-0.5);
        let outline = [[6.2, 1.0, 6.5], [-6.2, 1.0, 6.5], [7.2, 1.0, 3.5], [-7.2, 1.0, 3.5]];
        let ears = Ears::new(&photo, &outline, Some(&shown(&photo, 9.3, 0.0)));
        assert_eq!(ears.seen, [0.0, 1.0]);
        let hidden = project(&photo, ears.point(-1.0, 0.5, 0.5)).0;
        assert!(ears.vertex(0, hidden).is_none() && ears.places().iter().all(|p| p[0] > hidden[0] + 50.0));
    }

    #[test]
    fn ears_under_hair_and_before_an_unknown_wall_are_none() {
        let (photo, _) = turned(0.0);
        let outline = [[7.2, 1.0, 3.5], [-7.2, 1.0, 3.5]];
        let seen = |person: Option<&Plane<4>>| Ears::new(&photo, &outline, person).seen;
        assert_eq!(seen(Some(&shown(&photo, 9.3, 0.0))), [1.0; 2]);
        assert_eq!(seen(Some(&shown(&photo, 9.3, 14.0))), [0.0; 2], "long hair behind the ears");
        assert_eq!(seen(Some(&shown(&photo, 7.5, 9.3))), [0.0; 2], "hair over the ears");
        assert_eq!(seen(None), [0.0; 2]);
    }

    #[test]
    fn ears_stay_in_a_head_that_stays_and_nothing_else_is_an_ear() {
        let (photo, _) = turned(0.0);
        let outline = [[7.2, 1.0, 3.5], [-7.2, 1.0, 3.5]];
        let ears = Ears::new(&photo, &outline, Some(&shown(&photo, 9.3, 0.0)));
        assert_eq!(ears.places().len(), 2 * ACROSS.len() * ALONG.len());
        let turn = Turn::new(&photo, &photo);
        for p in ears.places() {
            if let Some(ear) = ears.vertex(0, p) {
                let q = ear.place(&turn);
                assert!((q[0] - p[0]).abs() < 0.01 && (q[1] - p[1]).abs() < 0.01, "{p:?} {q:?}");
            }
        }
        for x in [[0.0, 1.0, 9.0], [7.6, 9.0, 0.0], [7.0, -7.0, 2.0], [14.0, 1.0, 0.0]] {
            assert!(ears.vertex(0, project(&photo, x).0).is_none(), "{x:?}");
        }
    }
}
