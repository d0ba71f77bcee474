//! Skin for a lid that comes down.
//!
//! It was folded away in the photo. Stretching the visible strip would smear the lashes into stripes, so its texture
//! is taken from higher up, where a brightness profile finds the cleanest skin between lid and brow; what that still
//! stretches, `lidtone` paints over.

use super::contour::nearest;
use super::plane::{Plane, quantile};
use super::pose::rotate;
use crate::portrait::FittedFace;
use crate::portrait::face_model::Contour;
use crate::portrait::fitted::{FOCAL, PAD, SIDE, TEX};

/// Texture pixels to a crop pixel.
pub(crate) const TEXELS: f32 = TEX / SIDE;
/// Furthest that lid skin is taken from above its place, as a share of the skin that takes part: more would squeeze
/// the fuzz below a low brow into the lid.
const FURTHEST: f32 = 0.42;
/// Furthest from the lid margin that skin takes part, cm.
const REACH: f32 = 1.0;

/// Texture pixel of a crop pixel; centres at .5 on both sides.
pub(crate) fn to_texel(p: [f32; 2]) -> [f32; 2] {
    p.map(|x| (x + PAD * SIDE) * TEXELS)
}

/// What lies above an open lid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AboveLid {
    /// Height of the cleanest skin, cm.
    pub clean: f32,
    /// Height of the brow's lower edge, cm.
    pub brow: f32,
    /// Whether clean skin was found at all; else brow or paint begin right above the lid.
    pub found: bool,
}

/// Crop pixels that a centimetre up in head space covers in the photo.
pub(crate) fn up_in_photo(face: &FittedFace) -> [f32; 2] {
    let up = rotate(&face.pose, [0.0, 1.0, 0.0]);
    let k = FOCAL * SIDE / face.pose.translation.z;
    [up[0] * k, -up[1] * k]
}

/// Reads the brightness profile above the lid. `margin`: crop pixels of the upper lid; `soft`: slightly blurred
/// brightness of the texture.
pub(crate) fn above_lid(face: &FittedFace, soft: &Plane<1>, margin: &[[f32; 2]]) -> AboveLid {
    const STEPS: usize = 31;
    let height = |i: usize| 1.5 * i as f32 / (STEPS - 1) as f32;
    let up = up_in_photo(face);
    let quarter = margin.len() / 4;
    let middle = &margin[quarter..margin.len() - quarter];
    let profile: [f32; STEPS] = std::array::from_fn(|i| {
        let h = height(i);
        quantile(
            middle.iter().map(|p| {
                let [x, y] = to_texel([p[0] + h * up[0], p[1] + h * up[1]]);
                soft.bilinear(x, y)[0]
            }),
            0.5,
        )
    });
    let least = |range: &[f32]| range.iter().copied().fold(f32::INFINITY, f32::min);
    // brightest skin within 0.3 .. 1.1 cm, with no dark band before it
    let brightest = (6..23).fold(6, |best, i| if profile[i] > profile[best] { i } else { best });
    let found =
        least(&profile[4..=brightest]) > 0.6 * profile[brightest] && profile[brightest] > 0.5 * below_eyes(face, soft);
    let best = if found { brightest } else { 6 };
    let darkest = least(&profile[best..]);
    let limit = 0.5 * (profile[best] + darkest);
    let edge = (best + 1..STEPS).find(|&i| profile[i] < limit).filter(|_| darkest < 0.85 * profile[best]);
    AboveLid { clean: height(best), brow: edge.map_or(1.2, height).clamp(0.45, 1.2), found }
}

/// Brightness of the skin under the eyes.
fn below_eyes(face: &FittedFace, soft: &Plane<1>) -> f32 {
    quantile(
        [230, 229, 449, 450].map(|i| {
            let [x, y] = to_texel(face.landmarks[i]);
            soft.bilinear(x, y)[0]
        }),
        0.5,
    )
}

/// How the texture of the skin above one eye shifts as its lid closes.
#[derive(Clone, Debug)]
pub(crate) struct LidSkin {
    /// (vertex, shift of the source at full closure in crop pixels).
    shifts: Vec<(u32, [f32; 2])>,
}

impl LidSkin {
    /// `photo`: skin vertices as the photo shows them; `outer_first`: the contour begins at the outer corner.
    pub fn new(
        face: &FittedFace,
        lids: &Contour,
        photo: &[[f32; 3]],
        skin: usize,
        above: AboveLid,
        outer_first: bool,
    ) -> Self {
        let curve: Vec<[f32; 3]> = lids.upper.iter().map(|&i| photo[i as usize]).collect();
        let (lo, hi) = (curve[0][0], curve[curve.len() - 1][0]);
        let far = REACH.min(above.brow + 0.1);
        let up = up_in_photo(face);
        let reach = (above.clean - 0.05).clamp(0.08, FURTHEST * far);
        let mut shifts = Vec::new();
        for (i, &v) in photo[..skin].iter().enumerate() {
            let (k, distance) = nearest(&curve, v);
            let id = i as u32;
            let own = lids.upper.contains(&id);
            let near = distance < far && v[1] - curve[k][1] > -0.01 && !lids.lower.contains(&id);
            if !(own || near) {
                continue;
            }
            // along the lid: 0 at the outer corner, 1 at the inner
            let along = if outer_first { v[0] - lo } else { hi - v[0] } / (hi - lo).max(1e-3);
            // the shift goes on beyond the outer corner, else a hook of lashes stays
            let taper = ((along + 0.3) / 0.3).clamp(0.0, 1.0) * ((1.0 - along) / 0.25).clamp(0.0, 1.0);
            let f = (1.0 - (distance / far).clamp(0.0, 1.0)) * taper * taper * (3.0 - 2.0 * taper);
            shifts.push((id, [reach * f * up[0], reach * f * up[1]]));
        }
        Self { shifts }
    }

    /// Adds the shift for a lid that is `closed` by 0..1.
    pub fn apply(&self, closed: f32, source: &mut [[f32; 2]]) {
        let k = super::weights::smooth(closed, 0.15, 0.75);
        if k > 0.0 {
            for (i, shift) in &self.shifts {
                for (s, d) in source[*i as usize].iter_mut().zip(shift) {
                    *s += k * d;
                }
            }
        }
    }
}
