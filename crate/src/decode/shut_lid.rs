//! What a shut lid looks like that the photo does not show: the photo with the eye, its lashes and the fold above them
//! taken out, so that skin goes on from all sides in its own colours; and its grain.

use super::fill::fill;
use super::plan::{Line, POINTS};
use super::plane::{Plane, luminance, quantile};
use super::weights::smooth;

/// What is taken out reaches this far beside the corners, above and below the open eye, widths of the eye.
pub(crate) const BESIDE: f32 = 0.24;
/// Far enough for long lashes and the fold; less where a brow begins.
pub(crate) const ABOVE: f32 = 0.38;
const BELOW: f32 = 0.07;
/// The same behind glasses, whose frames shall stay.
const ABOVE_BEHIND_GLASSES: f32 = 0.2;
const BESIDE_BEHIND_GLASSES: f32 = 0.12;
/// The edge of what is taken out fades over this, widths of the eye.
const FADE: f32 = 0.12;

/// How far what is taken out may reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Height of the brow's lower edge above the lid, widths of the eye.
    pub brow: f32,
    /// Whether there are glasses.
    pub glasses: bool,
}

impl Room {
    /// Reach above the open eye and beside it, widths of the eye.
    pub fn reach(self) -> (f32, f32) {
        let above: f32 = if self.glasses { ABOVE_BEHIND_GLASSES } else { ABOVE };
        (above.min(0.85 * self.brow), if self.glasses { BESIDE_BEHIND_GLASSES } else { BESIDE })
    }
}

/// The photo without the eye; alpha: how much of it a shut lid shows. `rgb`: a window of the texture, `centre`: the place
/// of its pixels; `upper`, `lower`: lids of the photo at such places.
pub(crate) fn without_eye(
    rgb: &Plane<3>,
    centre: impl Fn(usize, usize) -> [f32; 2],
    (upper, lower): (&Line, &Line),
    room: Room,
) -> Plane<4> {
    let (w, h) = (rgb.width, rgb.height);
    let corners = (upper[0], upper[POINTS - 1]);
    let (dx, dy) = (corners.1[0] - corners.0[0], corners.1[1] - corners.0[1]);
    let width = dx.hypot(dy).max(1.0);
    let (above, beside) = room.reach();
    // at right angles to the line from corner to corner, downwards, widths of the eye
    let height = |q: [f32; 2]| ((q[1] - corners.0[1]) * dx - (q[0] - corners.0[0]) * dy) / (width * width);
    let on = |line: &Line, along: f32| {
        let x = along.clamp(0.0, 1.0) * (POINTS - 1) as f32;
        let i = (x as usize).min(POINTS - 2);
        height(line[i]) + (height(line[i + 1]) - height(line[i])) * (x - i as f32)
    };
    // (how much is taken out, whether above the eye, whether skin may be seen there)
    let hole = Plane::<3>::from_fn(w, h, |x, y| {
        let p = centre(x, y);
        let along = ((p[0] - corners.0[0]) * dx + (p[1] - corners.0[1]) * dy) / (width * width);
        let (top, bottom) = (on(upper, along), on(lower, along));
        // the brow comes down beside the eye
        let bow = smooth(along, -beside, 0.2) * smooth(1.0 - along, -beside, 0.2);
        let here = height(p);
        let inside = smooth(here - top + above * bow.sqrt() + 0.02, 0.0, FADE.min(above))
            * smooth(bottom + BELOW - here, 0.0, BELOW)
            * smooth(along, -beside, FADE - beside)
            * smooth(1.0 - along, -beside, FADE - beside);
        // wet rims and lower lashes are no skin either
        let rim = here > top && here < bottom + 2.2 * BELOW && (-0.05..1.05).contains(&along);
        let flag = |b: bool| if b { 1.0 } else { 0.0 };
        [inside, flag(here < 0.5 * (top + bottom)), flag(inside == 0.0 && !rim)]
    });
    // hair, brows and shadows at its rim are no skin; above the eye skin may be darker than below
    let usual = |side: f32| {
        let rim = hole.data.iter().zip(&rgb.data).filter(|(m, _)| m[2] > 0.0 && m[1] == side);
        quantile(rim.map(|(_, &c)| luminance(c)), 0.5)
    };
    let usual = [usual(0.0), usual(1.0)];
    let known = hole.data.iter().zip(&rgb.data).map(|(m, &c)| {
        let of_skin = luminance(c) / usual[m[1] as usize].max(1.0);
        let skin = smooth(of_skin, 0.55, 0.8) * (1.0 - smooth(of_skin, 1.4, 1.8));
        [m[2] * skin.max(1e-3)]
    });
    let known = Plane { width: w, height: h, data: known.collect() };
    let mut skin = fill(rgb, &known);
    for sigma in [0.10, 0.05, 0.025] {
        let flat = skin.blur(sigma * width);
        for ((s, f), k) in skin.data.iter_mut().zip(&flat.data).zip(&known.data) {
            *s = std::array::from_fn(|c| f[c] + (s[c] - f[c]) * k[0]);
        }
    }
    let data = skin.data.iter().zip(&hole.data).map(|(&[r, g, b], m)| [r, g, b, m[0]]).collect();
    Plane { width: w, height: h, data }
}

/// How strongly lashes are drawn at every point of a lid, 0..1, and how long they are, widths of the eye. `contrast`: how
/// dark the line is that they draw along the open lid; `outer_first`: the line begins at the outer corner.
pub(crate) fn lashes(contrast: f32, outer_first: bool) -> [[f32; 2]; POINTS] {
    let strength = 0.55 + 0.35 * smooth(contrast, 0.15, 0.65);
    std::array::from_fn(|k| {
        let along = k as f32 / (POINTS - 1) as f32;
        let from_inner = if outer_first { 1.0 - along } else { along };
        let thin = smooth(from_inner, 0.0, 0.2) * smooth(1.0 - from_inner, -0.02, 0.08);
        [strength * thin, 0.06 + 0.10 * smooth(from_inner, 0.0, 0.75)]
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
    fn an_eye_is_taken_out_and_the_light_around_it_goes_on() {
        let upper: Line = std::array::from_fn(|k| [40.0 + 5.0 * k as f32, 60.0 - 0.25 * (k * (16 - k)) as f32]);
        let lower: Line = std::array::from_fn(|k| [40.0 + 5.0 * k as f32, 60.0 + 0.12 * (k * (16 - k)) as f32]);
        let skin = |x: usize, y: usize| 120.0 + 0.4 * x as f32 + 0.3 * y as f32;
        let photo = Plane::<3>::from_fn(160, 120, |x, y| {
            let d = ((x as f32 - 80.0) / 40.0).hypot((y as f32 - 56.0) / 16.0);
            [if d < 1.0 { 20.0 } else { skin(x, y) }; 3]
        });
        for glasses in [false, true] {
            let out = without_eye(&photo, |x, y| [x as f32, y as f32], (&upper, &lower), Room { brow: 0.5, glasses });
            for (x, y) in [(80, 56), (60, 52), (100, 58), (80, 46)] {
                let [r, _, _, cover] = out.at(x as isize, y as isize);
                assert!((r - skin(x, y)).abs() < 14.0 && cover > 0.9, "{r} {cover} at {x} {y}, {}", skin(x, y));
            }
            assert_eq!(out.at(80, 10)[3], 0.0);
        }
    }

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
