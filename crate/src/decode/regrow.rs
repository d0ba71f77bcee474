//! A background without the person: what is known grows into the hole.
//!
//! Patches are copied in their own colours, so that shapes go on and none of them turns pale; near the rim their shade is
//! that of the smooth filling, which meets the known pixels without a seam, and deep inside, where nothing is ever seen,
//! only the smooth filling is left. A copy whose colours are far from the smooth filling's is a bad guess; how far it may
//! be depends on how sharp the background is: out of focus there is nothing that would have to go on.

use super::fill::fill;
use super::patches::{Patches, SMALLER};
use super::plane::{Plane, luminance};
use super::weights::smooth;

/// Half width of the mean that a copy's shade is, taken twice, in pixels of halved pictures.
const SHADE: usize = 4;
/// The smooth filling's shade counts up to here, and nothing is copied from there on, as shares of the depth that is
/// searched.
const RIM: f32 = 0.25;
const DEEP: f32 = 0.75;
/// Levels by which a copy may be off before an even background, and how many more for each level of detail that the
/// background has.
const TOLERANCE: (f32, f32) = (16.0, 9.0);
/// Half widths, in pixels of halved pictures, of the means that detail is the difference to and that it is taken over.
const DETAIL: (usize, usize) = (2, 45);
/// Half widths, in pixels of halved pictures: of the mean along the hole's edge that says how far the filling is off there,
/// and of the band in which that is made good.
const ALONG: usize = 3;
const BAND: usize = 10;

/// The picture with new pixels where `known` is 0; elsewhere it must be 1.
pub(crate) fn regrow(picture: &Plane<3>, known: &Plane<1>) -> Plane<3> {
    let (plain, certain) = smooth_half(picture, known);
    let patches = Patches::find(&plain, &certain);
    // a pixel of the hole in halved pictures
    let half = |i: usize| ((i % picture.width) as f32 * 0.5 + 0.25, (i / picture.width) as f32 * 0.5 + 0.25);
    let mut done = picture.clone();
    let mut depths = vec![0.0f32; done.data.len()];
    for i in (0..done.data.len()).filter(|&i| known.data[i][0] == 0.0) {
        let (u, v) = half(i);
        (done.data[i], depths[i]) = copied(picture, &patches, i).unwrap_or_else(|| (plain.bilinear(u, v), 1.0));
    }
    let is = done.halved();
    let off = plain.data.iter().zip(&is.data).map(|(w, i)| [w[0] - i[0], w[1] - i[1], w[2] - i[2]]).collect();
    let off = Plane::<3> { width: is.width, height: is.height, data: off }.mean_around(SHADE).mean_around(SHADE);
    let tolerance = detail(picture, &certain).map(|[d]| [TOLERANCE.0 + TOLERANCE.1 * d]);
    for i in (0..done.data.len()).filter(|&i| known.data[i][0] == 0.0) {
        let (u, v) = half(i);
        let (plain, off) = (plain.bilinear(u, v), off.bilinear(u, v));
        let wrong = off.iter().fold(0.0f32, |most, o| most.max(o.abs())) / tolerance.bilinear(u, v)[0];
        let shade = 1.0 - smooth(depths[i], 0.0, RIM);
        let share = (1.0 - smooth(depths[i], DEEP, 1.0)) * (-wrong * wrong).exp();
        for ((own, plain), off) in done.data[i].iter_mut().zip(plain).zip(off) {
            *own = (plain + (*own + shade * off - plain) * share).clamp(0.0, 255.0);
        }
    }
    meet(picture, known, &certain, &mut done);
    done
}

/// How much detail the known part of a picture has around every pixel of it halved, levels.
fn detail(picture: &Plane<3>, certain: &Plane<1>) -> Plane<1> {
    let grey = picture.map(|c| [luminance(c)]).halved();
    let even = grey.mean_around(DETAIL.0);
    let mut fine = Plane::<2> { width: grey.width, height: grey.height, data: Vec::with_capacity(grey.data.len()) };
    // beside the hole the mean has the person in it
    let far = certain.mean_around(DETAIL.0);
    fine.data.extend(grey.data.iter().zip(&even.data).zip(&far.data).map(|(([a], [b]), [known])| {
        let known = if *known > 0.999 { 1.0 } else { 0.0 };
        [known * (a - b).abs(), known]
    }));
    fine.mean_around(DETAIL.1).map(|[sum, n]| [sum / n.max(1e-3)])
}

/// Lets the filling meet the known pixels: a shadow or a slope of light that ends at the hole would show its edge, faintly
/// but all around the person.
fn meet(picture: &Plane<3>, known: &Plane<1>, certain: &Plane<1>, done: &mut Plane<3>) {
    let (is, filled) = (picture.halved(), done.halved());
    let (w, h) = (is.width, is.height);
    let sure =
        |x: isize, y: isize| (0..w as isize).contains(&x) && (0..h as isize).contains(&y) && certain.at(x, y)[0] > 0.0;
    let share = known.halved();
    let edge = Plane::<4>::from_fn(w, h, |x, y| {
        // pixels that are partly known say little: what lies behind them is held against what lies before them
        if share.data[y * w + x][0] > 0.0 {
            return [0.0; 4];
        }
        let (x, y) = (x as isize, y as isize);
        let mut sum = [0.0f32; 4];
        for (dx, dy) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
            if let Some(k) = (1..=2).find(|k| sure(x + k * dx, y + k * dy)) {
                let (next, now) = (is.at(x + k * dx, y + k * dy), filled.at(x, y));
                sum.iter_mut().zip(next.iter().zip(now)).for_each(|(s, (n, f))| *s += n - f);
                sum[3] += 1.0;
            }
        }
        sum
    });
    let along = edge.mean_around(ALONG);
    let seen = edge.map(|[.., n]| [if n > 0.0 { 1.0 } else { 0.0 }]);
    let off = along.map(|[r, g, b, n]| [r, g, b].map(|v| v / n.max(1e-6)));
    let off = fill(&off, &seen);
    let near = certain.mean_around(BAND);
    for i in (0..done.data.len()).filter(|&i| known.data[i][0] == 0.0) {
        let (u, v) = ((i % picture.width) as f32 * 0.5 + 0.25, (i / picture.width) as f32 * 0.5 + 0.25);
        let here = smooth(near.bilinear(u, v)[0], 0.0, 0.4);
        if here > 0.0 {
            let off = off.bilinear(u, v);
            done.data[i].iter_mut().zip(off).for_each(|(c, d)| *c = (*c + here * d).clamp(0.0, 255.0));
        }
    }
}

/// The smoothly filled picture, half as large, and which of its pixels are wholly known.
fn smooth_half(picture: &Plane<3>, known: &Plane<1>) -> (Plane<3>, Plane<1>) {
    let mut weighted = Plane { width: picture.width, height: picture.height, data: Vec::new() };
    weighted.data = picture.data.iter().zip(&known.data).map(|(&[r, g, b], &[w])| [r * w, g * w, b * w, w]).collect();
    let half = weighted.halved();
    let seen = half.map(|[.., w]| [if w > 0.0 { 1.0 } else { 0.0 }]);
    let colours = half.map(|[r, g, b, w]| [r, g, b].map(|c| c / w.max(1e-3)));
    (fill(&colours, &seen), half.map(|[.., w]| [if w > 0.999 { 1.0 } else { 0.0 }]))
}

/// Colour of a pixel's copy and how deep it lies.
fn copied(picture: &Plane<3>, patches: &Patches, i: usize) -> Option<([f32; 3], f32)> {
    let (x, y) = (i % picture.width, i / picture.width);
    let k = SMALLER as f32;
    // the four nearest places each suggest a copy; so no seam is hard
    let (u, v) = ((x as f32 + 0.5) / k - 0.5, (y as f32 + 0.5) / k - 0.5);
    let (u0, v0) = (u.floor(), v.floor());
    let (mut sum, mut count) = ([0.0f32; 4], 0.0f32);
    for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let Some((shift, depth)) = patches.shift(u0 as i32 + dx, v0 as i32 + dy) else { continue };
        let weight = (1.0 - (u - u0 - dx as f32).abs()) * (1.0 - (v - v0 - dy as f32).abs());
        let weight = weight.max(1e-3);
        let step = shift.map(|s| SMALLER as isize * s);
        let [r, g, b] = picture.at(x as isize + step[0], y as isize + step[1]);
        sum.iter_mut().zip([r, g, b, depth]).for_each(|(s, c)| *s += weight * c);
        count += weight;
    }
    let [r, g, b, depth] = sum.map(|s| s / count.max(1e-6));
    (count > 0.0).then_some(([r, g, b], depth))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hole() -> Plane<1> {
        Plane::from_fn(400, 400, |x, y| [if x.abs_diff(200) < 60 && y.abs_diff(200) < 60 { 0.0 } else { 1.0 }])
    }

    #[test]
    fn stripes_go_on_into_the_hole() {
        let (hole, stripes) =
            (hole(), Plane::<3>::from_fn(400, 400, |_, y| [if y / 12 % 2 == 0 { 60.0 } else { 180.0 }; 3]));
        let smooth = fill(&stripes, &hole);
        let done = regrow(&stripes, &hole);
        let error = |p: &Plane<3>| {
            let rim = (150..250).flat_map(|y| (145..170).map(move |x| y * 400 + x));
            rim.map(|i| (p.data[i][0] - stripes.data[i][0]).abs()).sum::<f32>() / 2500.0
        };
        assert!(error(&done) < 0.5 * error(&smooth), "{} {}", error(&done), error(&smooth));
        for ((a, b), [known]) in done.data.iter().zip(&stripes.data).zip(&hole.data) {
            assert!(*known == 0.0 || a == b, "known pixels stay");
        }
    }

    #[test]
    fn a_shadow_beside_the_hole_does_not_end_at_its_edge() {
        let hole = hole();
        let beside = |x: usize, y: usize| {
            let out = |v: usize| v.abs_diff(200).saturating_sub(59);
            out(x).max(out(y)) as f32
        };
        let wall = Plane::<3>::from_fn(400, 400, |x, y| {
            let grain = ((x * 7 + y * 13) % 5) as f32;
            [180.0 - 60.0 * (-beside(x, y) / 12.0).exp() + 0.5 * grain; 3]
        });
        let done = regrow(&wall, &hole);
        let row = |y: isize| (160..240).map(|x| done.at(x, y)[0]).sum::<f32>() / 80.0;
        let column = |x: isize| (160..240).map(|y| done.at(x, y)[0]).sum::<f32>() / 80.0;
        // first pixels of the hole and last ones of the wall, on all four sides
        for (inside, outside) in
            [(row(142), row(139)), (row(258), row(261)), (column(142), column(139)), (column(258), column(261))]
        {
            assert!((inside - outside).abs() < 6.0, "{inside} beside {outside}");
        }
    }

    #[test]
    fn a_ring_beside_the_hole_is_not_copied_into_a_calm_part_of_it() {
        let hole = hole();
        let ring = |x: usize, y: usize| ((x as f32 - 118.0).hypot(y as f32 - 118.0) - 14.0).abs() < 2.0;
        let wall = Plane::<3>::from_fn(400, 400, |x, y| {
            [if ring(x, y) { 230.0 } else { 90.0 + ((x * 7 + y * 13) % 5) as f32 }; 3]
        });
        let done = regrow(&wall, &hole);
        let far = (190..262).flat_map(|y| (190..262).map(move |x| y * 400 + x)).filter(|&i| hole.data[i][0] == 0.0);
        let most = far.map(|i| (done.data[i][0] - 92.0).abs()).fold(0.0, f32::max);
        assert!(most < 25.0, "a copy that stands out by {most}");
    }

    #[test]
    fn a_plain_wall_stays_plain_and_nothing_known_is_no_trouble() {
        let (hole, wall) = (hole(), Plane::<3>::from_fn(400, 400, |_, _| [100.0, 90.0, 20.0]));
        let done = regrow(&wall, &hole);
        assert!(done.data.iter().zip(&wall.data).all(|(a, b)| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1.0)));
        let none = Plane::from_fn(400, 400, |_, _| [0.0]);
        let done = regrow(&wall, &none);
        assert!(done.data.iter().flatten().all(|v| v.is_finite()));
    }
}
