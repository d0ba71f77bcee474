//! What a lid looks like that the photo does not show: its colours, its grain and its lashes, read from the skin
//! around the eye.

use super::lids::{AboveLid, to_texel, up_in_photo};
use super::plan::{Line, POINTS};
use super::plane::{Plane, luminance, quantile};
use super::weights::smooth;
use crate::portrait::FittedFace;

/// A colour at every point of a lid.
type Row = [[f32; 3]; POINTS];

/// The paint of one lid.
#[derive(Clone, Debug)]
pub(crate) struct LidTone {
    /// Skin above the lid.
    pub above: Row,
    /// Skin below the eye.
    pub below: Row,
    /// How dark the lashes are, 0..1.
    pub lashes: f32,
    /// Length of the lashes, widths of the eye.
    pub length: [f32; POINTS],
    /// How far above the fold paint may reach, cm.
    pub reach: f32,
}

impl LidTone {
    /// `upper`, `lower`: lids of the photo, crop pixels; `outer_first`: they begin at the outer corner.
    pub fn new(
        face: &FittedFace,
        texture: &Plane<3>,
        (upper, lower): (&Line, &Line),
        above: AboveLid,
        outer_first: bool,
    ) -> Self {
        let up = up_in_photo(face);
        let brow = above.brow;
        let at = |p: [f32; 2], height: f32| {
            let [x, y] = to_texel([p[0] + height * up[0], p[1] + height * up[1]]);
            texture.bilinear(x, y)
        };
        // lashes and brows are darker than skin, gloss is lighter: a high quantile is skin
        let row = |line: &Line, from: f32, to: f32, share: f32| -> Row {
            let columns: [Vec<[f32; 3]>; POINTS] =
                std::array::from_fn(|k| (0..12).map(|i| at(line[k], from + (to - from) * i as f32 / 11.0)).collect());
            let raw: Row = std::array::from_fn(|k| {
                let near = || columns[k.saturating_sub(1)..(k + 2).min(POINTS)].iter().flatten();
                let limit = quantile(near().map(|&c| luminance(c)), share - 0.2);
                let upper = quantile(near().map(|&c| luminance(c)), share + 0.2);
                let skin: Vec<[f32; 3]> =
                    near().copied().filter(|&c| (limit..=upper).contains(&luminance(c))).collect();
                super::plane::mean(&skin)
            });
            soften(&raw)
        };
        let below = row(lower, -0.22, -0.55, 0.6);
        let clean = above.clean.min(0.8 * brow);
        let top = row(upper, clean - 0.15, clean + 0.08, 0.5);
        // where a brow or paint begins right above the eye, the skin below it says more
        let own = if above.found { 1.0 } else { 0.35 };
        let above = std::array::from_fn(|k| {
            std::array::from_fn(|c| 0.88 * below[k][c] + (top[k][c] - 0.88 * below[k][c]) * own)
        });
        // the dark line that lashes draw along the open lid
        let contrast = quantile(
            (3..POINTS - 3).map(|k| {
                let darkest = (0..6).map(|i| luminance(at(upper[k], 0.03 * i as f32))).fold(f32::INFINITY, f32::min);
                1.0 - darkest / luminance(top[k]).max(1.0)
            }),
            0.5,
        );
        let length = std::array::from_fn(|k| {
            let from_inner = k as f32 / (POINTS - 1) as f32;
            let from_inner = if outer_first { 1.0 - from_inner } else { from_inner };
            0.06 + 0.10 * smooth(from_inner, 0.0, 0.75)
        });
        Self { above, below, lashes: 0.5 + 0.38 * smooth(contrast, 0.15, 0.65), length, reach: (0.7 * brow).min(0.38) }
    }
}

/// Neighbours mixed, so that one bad column does not show.
fn soften(row: &Row) -> Row {
    let kernel = |i: usize, k: usize| (-0.5 * ((i as f32 - k as f32) / 2.1).powi(2)).exp();
    std::array::from_fn(|k| {
        let total: f32 = (0..POINTS).map(|i| kernel(i, k)).sum();
        std::array::from_fn(|c| (0..POINTS).map(|i| kernel(i, k) * row[i][c]).sum::<f32>() / total)
    })
}

/// Grain of skin for a lid: what is fine and not strong in the brightness of `rgb`, a window of the texture, `below`
/// pixels further down; the sign is kept.
pub(crate) fn grain(texture: &Plane<3>, (x0, y0): (isize, isize), (w, h): (usize, usize), below: isize) -> Plane<1> {
    let patch = texture.window(x0, y0 + below, x0 + w as isize, y0 + below + h as isize).map(|c| [luminance(c)]);
    let flat = patch.blur(1.5);
    let fine: Vec<f32> = patch.data.iter().zip(&flat.data).map(|(a, b)| a[0] - b[0]).collect();
    let usual = quantile(fine.iter().map(|x| x.abs()), 0.5).max(0.1);
    // wrinkles and lashes are no grain: where it is strong, little of it is kept
    let strong = Plane { width: w, height: h, data: fine.iter().map(|x| [x * x]).collect() }.blur(3.0);
    let keep = |i: usize| (4.0 * usual * usual / strong.data[i][0].max(1e-6)).min(1.0);
    let data = fine.iter().enumerate().map(|(i, &x)| [keep(i) * x.clamp(-2.5 * usual, 2.5 * usual)]).collect();
    Plane { width: w, height: h, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grain_keeps_pores_and_drops_lines_and_slopes() {
        let texture = Plane::<3>::from_fn(80, 80, |x, y| {
            let pores = if (x * 7 + y * 13) % 5 < 2 { 3.0 } else { -3.0 };
            let hair = if x == 40 { -120.0 } else { 0.0 };
            [150.0 + 0.5 * y as f32 + pores + hair; 3]
        });
        let grain = grain(&texture, (10, 10), (60, 40), 5);
        let mean = grain.data.iter().map(|g| g[0]).sum::<f32>() / 2400.0;
        let most = grain.data.iter().map(|g| g[0].abs()).fold(0.0, f32::max);
        let spread = grain.data.iter().map(|g| g[0].abs()).sum::<f32>() / 2400.0;
        assert!(mean.abs() < 1.5 && most < 12.0 && spread > 1.5, "{mean} {most} {spread}");
    }
}
