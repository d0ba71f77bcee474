//! The light in one portrait's mouth: how bright its teeth are, which colour its tongue has.

use super::lids::to_texel;
use super::plane::{Plane, luminance, mean, quantile};
use super::weights::smooth;
use crate::portrait::FittedFace;

/// Teeth are this much brighter than the light on skin says: it makes up for shading, depth and the lips' shadow.
const TOOTH: [f32; 3] = [1.05 * 1.055, 1.05 * 0.986, 1.05 * 0.940];
/// Least and largest share of a colour in the light, relative to its brightness.
const CAST: (f32, f32) = (0.80, 1.15);
/// Colour of gums and tongue in white light.
const TISSUE: [f32; 3] = [0.73, 0.43, 0.42];

/// Colours of the interior.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Colours {
    pub light: [f32; 3],
    pub tooth: [f32; 3],
    pub tissue: [f32; 3],
    /// 0 for a photo without colours, 1 for one with usual colours.
    pub colourful: f32,
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
pub(crate) fn colours(face: &FittedFace, texture: &Plane<3>) -> Colours {
    let skin = patch(face, texture, &[50, 280, 205, 425, 151, 4], 8);
    let limit = quantile(skin.iter().map(|&c| luminance(c)), 0.70);
    let bright: Vec<[f32; 3]> = skin.into_iter().filter(|&c| luminance(c) >= limit).collect();
    let beside_iris = patch(face, texture, &[469, 471, 474, 476], 2);
    let limit = quantile(beside_iris.iter().map(|&c| luminance(c)), 0.75);
    let white = mean(&beside_iris.into_iter().filter(|&c| luminance(c) >= limit).collect::<Vec<_>>());
    let (lum_white, lum_skin) = (luminance(white), luminance(mean(&bright)));
    let level = (0.10 * lum_white + 0.86 * lum_skin).max(1.1 * lum_white).clamp(40.0, 235.0);
    // a picture's mood may tint the whites of the eyes far more than light would
    let cast: [f32; 3] = white.map(|c| 0.55 + 0.45 * (c / lum_white.max(1.0)).clamp(CAST.0, CAST.1));
    let light = cast.map(|c| level * c / 0.86);
    let lip = mean(&patch(face, texture, &[0, 17, 37, 267, 84, 314, 39, 269], 3));
    let tissue: [f32; 3] = std::array::from_fn(|c| 1.2 * (0.45 * lip[c] + 0.55 * TISSUE[c] * light[c]));
    let tooth = std::array::from_fn(|c| (TOOTH[c] * level * cast[c]).clamp(0.0, 255.0));
    // a photo without colours has none in its mouth either
    let spread = |c: &[f32; 3]| {
        let (lo, hi) = c.iter().fold((f32::INFINITY, 0.0f32), |(lo, hi), &x| (lo.min(x), hi.max(x)));
        (hi - lo) / hi.max(1.0)
    };
    // skin in bright light has hardly any, lips always have some
    let colourful = smooth(quantile(bright.iter().map(spread), 0.5).max(spread(&lip)), 0.03, 0.12);
    let fade = |c: [f32; 3]| {
        let grey = luminance(c);
        c.map(|x| grey + (x - grey) * colourful)
    };
    Colours { light: fade(light), tooth: fade(tooth), tissue: fade(tissue), colourful }
}
