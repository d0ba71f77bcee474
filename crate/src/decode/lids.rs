//! Where the brow begins above an eye.

use super::plane::{Plane, quantile};
use super::pose::rotate;
use crate::portrait::FittedFace;
use crate::portrait::fitted::{FOCAL, PAD, SIDE, TEX};

/// Texture pixels to a crop pixel.
pub(crate) const TEXELS: f32 = TEX / SIDE;
/// Texture pixel of a crop pixel; centres at .5 on both sides.
pub(crate) fn to_texel(p: [f32; 2]) -> [f32; 2] {
    p.map(|x| (x + PAD * SIDE) * TEXELS)
}

/// Crop pixels that a centimetre up in head space covers in the photo.
fn up_in_photo(face: &FittedFace) -> [f32; 2] {
    let up = rotate(&face.pose, [0.0, 1.0, 0.0]);
    let k = FOCAL * SIDE / face.pose.translation.z;
    [up[0] * k, -up[1] * k]
}

/// Height of the brow's lower edge above the lid, cm, from a brightness profile. `margin`: crop pixels of the upper lid; `soft`: slightly blurred
/// brightness of the texture.
pub(crate) fn brow_height(face: &FittedFace, soft: &Plane<1>, margin: &[[f32; 2]]) -> f32 {
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
    edge.map_or(1.2, height).clamp(0.45, 1.2)
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
