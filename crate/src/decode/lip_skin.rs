//! Skin for lips that the photo shows apart.
//!
//! The edge of the lips is never found to the pixel, so a strip of teeth or of the dark gap above them sticks to the
//! lips, and lips that shut would show it as a pale or dark line. When the mouth is no longer as in the photo, lips are
//! therefore sampled a little outside of their edge: everywhere a trace, and as far as tooth colours reach.

use super::contour::{Follower, nearest};
use super::lids::{TEXELS, to_texel};
use crate::portrait::FittedFace;
use crate::portrait::face_model::Contour;
use crate::portrait::fitted::{FOCAL, SIDE};
use crate::portrait::patch::Patch;
use crate::portrait::snap::{Discriminant, down, teeth_or_lips};

/// Lips nearer than this in the photo have nothing to hide, cm.
const SHUT: f32 = 0.04;
/// Share of the photo's opening that is skipped everywhere, and the most of it, crop pixels.
const TRACE: (f32, f32) = (0.25, 3.0);
/// Tooth colours are followed this far, crop pixels.
const FARTHEST: f32 = 7.0;
/// No more than this share of the lip's own height is skipped, and a trace of a crop pixel.
const OF_LIP: (f32, f32) = (0.55, 0.5);
/// Inner and outer lip landmarks, one above the other, and the corners: upper lip, then lower lip.
const LIPS: [[[usize; 2]; 9]; 2] = [
    [[191, 185], [80, 40], [81, 39], [82, 37], [13, 0], [312, 267], [311, 269], [310, 270], [415, 409]],
    [[95, 146], [88, 91], [178, 181], [87, 84], [14, 17], [317, 314], [402, 405], [318, 321], [324, 375]],
];
/// The dark pit of a corner is followed this far, crop pixels, and skin this near moves with it, cm.
const PIT: f32 = 10.0;
const AROUND_PIT: f32 = 0.3;
/// Skin that follows, cm from the edge; more where more is skipped, so that nothing folds.
const REACH: f32 = 0.18;

/// How the texture of the lips shifts when the mouth is no longer that of the photo.
#[derive(Clone, Debug)]
pub(crate) struct LipSkin {
    /// (vertex, shift of the source in crop pixels).
    shifts: Vec<(u32, [f32; 2])>,
}

impl LipSkin {
    /// `followers`: skin above and below the lips' line; `gap`: largest opening in the photo, cm; `source`: vertices in
    /// the photo, crop pixels.
    pub fn new(face: &FittedFace, lips: &Contour, followers: [&[Follower]; 2], gap: f32, source: &[[f32; 2]]) -> Self {
        let mut shifts = Vec::new();
        if gap < SHUT {
            return Self { shifts };
        }
        let cm = FOCAL * SIDE / face.pose.translation.z;
        let trace = (TRACE.0 * gap * cm).clamp(0.0, TRACE.1);
        let teeth = teeth_or_lips(&face.texture, &face.landmarks);
        let down = down(&face.landmarks);
        for (((skin, ids), pairs), sign) in
            followers.into_iter().zip([&lips.upper, &lips.lower]).zip(LIPS).zip([-1.0, 1.0])
        {
            let outward = down.map(|d| d * sign);
            let n = ids.len();
            let reach: Vec<f32> = ids
                .iter()
                .map(|&i| {
                    let edge = source[i as usize];
                    teeth.as_ref().map_or(0.0, |(tell, photo)| strip(tell, photo, edge, outward, FARTHEST))
                })
                .collect();
            // how high the lip itself is, at the landmark nearest to each vertex
            let height = |i: usize| {
                let at = source[ids[i] as usize];
                let distance = |p: [f32; 2]| (p[0] - at[0]).hypot(p[1] - at[1]);
                let pair = pairs.map(|[inner, outer]| [face.landmarks[inner], face.landmarks[outer]]);
                pair.into_iter()
                    .min_by(|a, b| distance(a[0]).total_cmp(&distance(b[0])))
                    .map_or(0.0, |[a, b]| (a[0] - b[0]).hypot(a[1] - b[1]))
            };
            let skipped: Vec<f32> = (0..n)
                .map(|i| {
                    let at = i as f32 / (n - 1) as f32;
                    let taper = (10.0 * at.min(1.0 - at)).clamp(0.0, 1.0);
                    let (a, b) = (i.saturating_sub(1), (i + 1).min(n - 1));
                    let smooth = 0.25 * reach[a] + 0.5 * reach[i] + 0.25 * reach[b];
                    let ends = (30.0 * at.min(1.0 - at)).clamp(0.0, 1.0);
                    let most = OF_LIP.0 * height(i) + OF_LIP.1;
                    (taper * trace).max(ends * smooth.max(0.85 * reach[i])).min(most)
                })
                .collect();
            let curve: Vec<[f32; 3]> = ids.iter().map(|&i| face.shape[i as usize]).collect();
            for f in skin {
                let (k, distance) = nearest(&curve, face.shape[f.vertex as usize]);
                let far = REACH.max(1.5 * skipped[k] / cm);
                let share = skipped[k] * (-(distance / far).powi(2)).exp();
                if share > 0.02 {
                    shifts.push((f.vertex, outward.map(|o| o * share)));
                }
            }
        }
        if let Some((tell, photo)) = &teeth {
            let mut skin: Vec<u32> = followers.into_iter().flatten().map(|f| f.vertex).collect();
            skin.sort_unstable();
            skin.dedup();
            let ends = [lips.upper[0], lips.upper[lips.upper.len() - 1]];
            for (own, other) in [(ends[0], ends[1]), (ends[1], ends[0])] {
                let [edge, far] = [own, other].map(|i| source[i as usize]);
                let length = (edge[0] - far[0]).hypot(edge[1] - far[1]).max(1.0);
                let outward = [0, 1].map(|c| (edge[c] - far[c]) / length);
                let pit = strip(tell, photo, edge, outward, PIT);
                let around = AROUND_PIT.max(1.6 * pit / cm);
                for &i in &skin {
                    let [a, b] = [i, own].map(|v| face.shape[v as usize]);
                    let distance = (a[0] - b[0]).hypot(a[1] - b[1]).hypot(a[2] - b[2]);
                    let share = pit * (-(distance / around).powi(2)).exp();
                    if share > 0.02 {
                        shifts.push((i, outward.map(|o| o * share)));
                    }
                }
            }
        }
        Self { shifts }
    }

    /// Adds `share` (0..1) of the shift.
    pub fn apply(&self, share: f32, source: &mut [[f32; 2]]) {
        if share > 0.0 {
            for (i, shift) in &self.shifts {
                for (s, d) in source[*i as usize].iter_mut().zip(shift) {
                    *s += share * d;
                }
            }
        }
    }
}

/// How far outwards from a point of the lips' edge (crop pixels) teeth or the gap above them reach, followed up to
/// `farthest`.
fn strip(tell: &Discriminant, photo: &Patch, edge: [f32; 2], outward: [f32; 2], farthest: f32) -> f32 {
    let step = 1.0 / TEXELS;
    let steps = (farthest / step) as i32;
    let (mut end, mut teeth_end) = (0.0, 0.0);
    for k in -1..=steps {
        let at = to_texel([0, 1].map(|c| edge[c] + outward[c] * k as f32 * step));
        let colour = photo.at(at);
        let tooth = tell.is_tooth(colour);
        if tooth || tell.is_dark(colour) {
            end = (k as f32 + 1.0) * step;
            if tooth {
                teeth_end = end;
            }
        } else if end > 0.0 && tell.is_dim(colour) {
            // the soft border of the gap
            end = (k as f32 + 1.0) * step;
        } else if k > 1 {
            break;
        }
    }
    // darkness that does not end is hair
    let found = if end > farthest - 1.0 { teeth_end } else { end };
    if found > 0.0 { found + 0.8 } else { 0.0 }
}
