//! What a shut lid looks like that the photo does not show: the photo with the eye, its lashes and the fold above them
//! taken out, so that skin goes on from all sides in its own colours; and its grain.

use super::fill::fill;
use super::plan::{Line, POINTS};
use super::plane::{Plane, luminance, quantile};
use super::weights::smooth;

/// What is taken out reaches this far beside the corners, above and below the open eye, widths of the eye.
const BESIDE: f32 = 0.24;
/// Far enough for long lashes and the fold; less where a brow begins.
const ABOVE: f32 = 0.38;
const BELOW: f32 = 0.07;
/// The same behind glasses, whose frames shall stay.
const ABOVE_BEHIND_GLASSES: f32 = 0.24;
/// Hair begins this far below the landmarks of a brow's lower edge.
const BROW_EDGE: f32 = 0.05;
const BESIDE_BEHIND_GLASSES: f32 = 0.12;
/// The edge of what is taken out fades over this, widths of the eye; above, over this share of what is taken out there.
const FADE: f32 = 0.12;
const FADE_ABOVE: f32 = 0.5;
/// How much dark skin above an eye counts for the colour of its lid: enough that the lid lies in the shadow that it
/// begins under, too little to make it a brow.
const SHADE: f32 = 0.06;
/// Skin between a lid and the brow begins this far above the lid, widths of the eye: lashes end there.
const LASHES: f32 = 0.09;
/// The least light that is left in that shadow. Its colour is the skin's: what is dark above an eye is hair or paint, and
/// would make the lid grey.
const DARKEST: f32 = 0.80;

/// How far what is taken out may reach, widths of the eye.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Above the open eye, at every point of the lid.
    pub above: [f32; POINTS],
    /// Beside its corners.
    pub beside: f32,
    /// Whether there are glasses, which stay.
    pub glasses: bool,
}

impl Room {
    /// `upper`: the lid from corner to corner; `brow`: the brow's lower edge in the same direction.
    pub fn new(upper: &Line, brow: &[[f32; 2]; 5], glasses: bool) -> Self {
        let axis = Axis::of(upper);
        let brow = brow.map(|p| (axis.along(p), axis.height(p)));
        let brow_at = |along: f32| {
            let i = (1..4).find(|&i| brow[i].0 > along).unwrap_or(4);
            let (a, b) = (brow[i - 1], brow[i]);
            a.1 + (b.1 - a.1) * ((along - a.0) / (b.0 - a.0).max(0.05)).clamp(0.0, 1.0)
        };
        let most = if glasses { ABOVE_BEHIND_GLASSES } else { ABOVE };
        let above = upper.map(|p| (axis.height(p) - brow_at(axis.along(p)) - BROW_EDGE).clamp(0.06, most));
        Self { above, beside: if glasses { BESIDE_BEHIND_GLASSES } else { BESIDE }, glasses }
    }

    /// The furthest above the open eye.
    pub fn most(&self) -> f32 {
        self.above.iter().copied().fold(0.0, f32::max)
    }
}

/// The line from corner to corner; lengths are widths of the eye.
struct Axis {
    from: [f32; 2],
    way: [f32; 2],
    square: f32,
}

impl Axis {
    fn of(line: &Line) -> Self {
        let (from, to) = (line[0], line[POINTS - 1]);
        let way = [to[0] - from[0], to[1] - from[1]];
        Self { from, way, square: (way[0] * way[0] + way[1] * way[1]).max(1.0) }
    }

    fn along(&self, p: [f32; 2]) -> f32 {
        ((p[0] - self.from[0]) * self.way[0] + (p[1] - self.from[1]) * self.way[1]) / self.square
    }

    /// At right angles, downwards.
    fn height(&self, p: [f32; 2]) -> f32 {
        ((p[1] - self.from[1]) * self.way[0] - (p[0] - self.from[0]) * self.way[1]) / self.square
    }
}

/// A value at the share `along` of some that belong to the points of a line.
fn at(values: &[f32; POINTS], along: f32) -> f32 {
    let x = along.clamp(0.0, 1.0) * (POINTS - 1) as f32;
    let i = (x as usize).min(POINTS - 2);
    values[i] + (values[i + 1] - values[i]) * (x - i as f32)
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
    let axis = Axis::of(upper);
    let width = axis.square.sqrt();
    let (top_line, bottom_line) = (upper.map(|p| axis.height(p)), lower.map(|p| axis.height(p)));
    let beside = room.beside;
    // (how much is taken out, whether above the eye, whether skin may be seen there: 1 for whatever is skin, 0.5 where only
    // skin as light as below the eye counts)
    let hole = Plane::<3>::from_fn(w, h, |x, y| {
        let p = centre(x, y);
        let along = axis.along(p);
        let (top, bottom) = (at(&top_line, along), at(&bottom_line, along));
        let above = at(&room.above, along);
        // the brow comes down beside the eye
        let bow = smooth(along, -beside, 0.2) * smooth(1.0 - along, -beside, 0.2);
        let here = axis.height(p);
        let inside = smooth(here - top + above * bow.sqrt() + 0.02, 0.0, FADE_ABOVE * above)
            * smooth(bottom + BELOW - here, 0.0, BELOW)
            * smooth(along, -beside, FADE - beside)
            * smooth(1.0 - along, -beside, FADE - beside);
        // wet rims and lower lashes are no skin either
        let rim = here > top && here < bottom + 2.2 * BELOW && (-0.05..1.05).contains(&along);
        let flag = |b: bool| if b { 1.0f32 } else { 0.0 };
        let under_brow = here < top - LASHES && (0.0..1.0).contains(&along);
        let known = flag(inside == 0.0 && !rim).max(0.5 * flag(under_brow));
        [inside, flag(here < 0.5 * (top + bottom)), known]
    });
    // hair, brows and shadows at its rim are no skin; above the eye skin may be darker than below
    let usual = |side: f32| {
        let rim = hole.data.iter().zip(&rgb.data).filter(|(m, _)| m[2] == 1.0 && m[1] == side);
        quantile(rim.map(|(_, &c)| luminance(c)), 0.5)
    };
    let usual = [usual(0.0), usual(1.0)];
    let known = |shade: f32| {
        let data = hole.data.iter().zip(&rgb.data).map(|(m, &c)| {
            let light = luminance(c);
            let taken_out = m[2] < 1.0;
            let of_skin = light / usual[if taken_out { 0 } else { m[1] as usize }].max(1.0);
            let least = match (taken_out, m[1] > 0.0) {
                (true, _) => 0.0,
                (false, true) => shade,
                (false, false) => 1e-3,
            };
            let dark = if taken_out { (0.78, 0.92) } else { (0.55, 0.8) };
            [m[2] * (smooth(of_skin, dark.0, dark.1) * (1.0 - smooth(of_skin, 1.4, 1.8))).max(least)]
        });
        Plane::<1> { width: w, height: h, data: data.collect() }
    };
    let shaded = fill(rgb, &known(SHADE));
    let known = known(1e-6);
    let mut skin = fill(rgb, &known);
    for (s, &shaded) in skin.data.iter_mut().zip(&shaded.data) {
        let light = (luminance(shaded) / luminance(*s).max(1.0)).clamp(DARKEST, 1.0);
        *s = s.map(|v| v * light);
    }
    for sigma in [0.10, 0.05, 0.025] {
        let flat = skin.blur(sigma * width);
        for ((s, f), k) in skin.data.iter_mut().zip(&flat.data).zip(&known.data) {
            *s = std::array::from_fn(|c| f[c] + (s[c] - f[c]) * k[0]);
        }
    }
    // frames of glasses are much darker than skin, and further from the eye than the line of the lashes
    let frame = Plane::<1>::from_fn(w, h, |x, y| {
        let (p, c) = (centre(x, y), luminance(rgb.at(x as isize, y as isize)));
        let dark = 1.0 - smooth(c / luminance(skin.at(x as isize, y as isize)).max(1.0), 0.45, 0.7);
        let off = at(&top_line, axis.along(p)) - axis.height(p);
        [if room.glasses { dark * smooth(off, 0.09, 0.14) } else { 0.0 }]
    });
    let frame = frame.dilate().blur(1.0);
    let cover = hole.data.iter().zip(&frame.data).map(|(m, f)| m[0] * (1.0 - f[0]));
    let data = skin.data.iter().zip(cover).map(|(&[r, g, b], cover)| [r, g, b, cover]).collect();
    Plane { width: w, height: h, data }
}

/// How strongly lashes are drawn at every point of a lid, 0..1, and how long they are, widths of the eye. `contrast`: how
/// dark the line is that they draw along the open lid; `outer_first`: the line begins at the outer corner.
pub(crate) fn lashes(contrast: f32, outer_first: bool) -> [[f32; 2]; POINTS] {
    let strength = 0.65 + 0.30 * smooth(contrast, 0.15, 0.65);
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
        let brow = [0, 1, 2, 3, 4].map(|k| [40.0 + 20.0 * k as f32, 12.0]);
        for glasses in [false, true] {
            let out =
                without_eye(&photo, |x, y| [x as f32, y as f32], (&upper, &lower), Room::new(&upper, &brow, glasses));
            for (x, y) in [(80, 56), (60, 52), (100, 58), (80, 46)] {
                let [r, _, _, cover] = out.at(x as isize, y as isize);
                assert!((r - skin(x, y)).abs() < 14.0 && cover > 0.9, "{r} {cover} at {x} {y}, {}", skin(x, y));
            }
            assert_eq!(out.at(80, 10)[3], 0.0);
        }
    }

    #[test]
    fn a_crease_is_no_brow_and_a_lid_begins_in_its_shadow() {
        let upper: Line = std::array::from_fn(|k| [40.0 + 5.0 * k as f32, 60.0 - 0.25 * (k * (16 - k)) as f32]);
        let lower: Line = std::array::from_fn(|k| [40.0 + 5.0 * k as f32, 60.0 + 0.12 * (k * (16 - k)) as f32]);
        // a fold a sixth of the eye's width above it, then skin up to the brow, which is in shadow
        let photo = Plane::<3>::from_fn(160, 120, |x, y| {
            let lid = 60.0 - 0.25 * (((x as f32 - 40.0) / 5.0) * (16.0 - (x as f32 - 40.0) / 5.0)).max(0.0);
            let fold = (y as f32 - (lid - 13.0)).abs() < 1.5;
            let shadow = if y < 22 { 75.0 } else { 160.0 };
            [if fold { 60.0 } else { shadow }; 3]
        });
        let brow = [0, 1, 2, 3, 4].map(|k| [40.0 + 20.0 * k as f32, 4.0]);
        let out = without_eye(&photo, |x, y| [x as f32, y as f32], (&upper, &lower), Room::new(&upper, &brow, false));
        let [fold, .., shown] = out.at(80, 31);
        let over = out.at(80, 25)[0];
        assert!(fold > over && shown > 0.9, "no line is left where the fold was: {fold} below {over}, {shown}");
        let column: Vec<f32> = (22..56).map(|y| out.at(80, y)[0]).collect();
        let steepest = column.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 14.0, "no edge in the lid: {column:?}");
    }

    #[test]
    fn a_lid_takes_its_colour_from_the_skin_under_a_near_brow_and_not_from_the_brow() {
        let upper: Line = std::array::from_fn(|k| [40.0 + 5.0 * k as f32, 60.0 - 0.25 * (k * (16 - k)) as f32]);
        let lower: Line = std::array::from_fn(|k| [40.0 + 5.0 * k as f32, 60.0 + 0.12 * (k * (16 - k)) as f32]);
        // hair begins a fifth of the eye's width above it, where landmarks lie
        let photo = Plane::<3>::from_fn(160, 120, |x, y| {
            let lid = 60.0 - 0.25 * (((x as f32 - 40.0) / 5.0) * (16.0 - (x as f32 - 40.0) / 5.0)).max(0.0);
            if (y as f32) < lid - 16.0 { [70.0, 60.0, 58.0] } else { [220.0, 165.0, 150.0] }
        });
        let brow = [0.0, 12.0, 16.0, 12.0, 0.0].map(|bow| 42.0 - bow);
        let brow = std::array::from_fn(|k| [40.0 + 20.0 * k as f32, brow[k]]);
        let out = without_eye(&photo, |x, y| [x as f32, y as f32], (&upper, &lower), Room::new(&upper, &brow, false));
        for y in [34, 40, 46, 52] {
            let [r, g, b, _] = out.at(80, y);
            assert!(r > 170.0 && r / g > 1.25 && r / b > 1.35, "grey at {y}: {r} {g} {b}");
        }
    }

    #[test]
    fn what_is_taken_out_ends_below_the_brow() {
        let upper: Line = std::array::from_fn(|k| [40.0 + 5.0 * k as f32, 60.0 - 0.25 * (k * (16 - k)) as f32]);
        // it comes down towards the right corner
        let brow = [0, 1, 2, 3, 4].map(|k| [40.0 + 20.0 * k as f32, 6.0 + 9.0 * k as f32]);
        let room = Room::new(&upper, &brow, false);
        assert!(room.above[8] < ABOVE && room.above[13] < room.above[8] && room.above[2] == ABOVE, "{room:?}");
        for (p, above) in upper.iter().zip(room.above).take(14) {
            let edge = 6.0 + 9.0 * (p[0] - 40.0) / 20.0;
            assert!(p[1] - 80.0 * above >= edge, "{p:?} {above}");
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
