//! Where an iris really is: the landmarks of its rim are off by a pixel or two, and white that is taken for iris, or
//! iris that is taken for white, shows as soon as the gaze moves.

use super::plane::Plane;
use super::weights::smooth;

/// Furthest from the landmark that the centre is looked for, radii.
const FURTHEST: f32 = 0.36;
/// Radii that are tried, as shares of the landmarks'.
const RADII: [f32; 5] = [0.85, 0.92, 1.0, 1.08, 1.16];
/// Places on the rim.
const PLACES: usize = 48;
/// How much darker the iris must be than the white, of 255, for its rim to be believed.
const CONTRAST: f32 = 10.0;

/// A circle, pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Circle {
    pub centre: [f32; 2],
    pub radius: f32,
}

/// The circle near `guess` whose rim steps most from dark to light (after Daugman's integro-differential operator, 1993),
/// of the rim that the lids let through. `lum`: brightness, 0..255; `open`: 1 well inside of the open eye, else 0. Where
/// the rim cannot be made out it is `guess`.
pub(crate) fn locate(lum: &Plane<1>, open: &Plane<1>, guess: Circle) -> Circle {
    let step = (0.12 * guess.radius).max(0.5);
    let around = (FURTHEST * guess.radius / step) as i32;
    let mut best = (rim(lum, open, guess), guess);
    let Some(own) = best.0 else { return guess };
    for share in RADII {
        for (i, j) in (-around..=around).flat_map(|j| (-around..=around).map(move |i| (i, j))) {
            let (dx, dy) = (i as f32 * step, j as f32 * step);
            let circle = Circle { centre: [guess.centre[0] + dx, guess.centre[1] + dy], radius: share * guess.radius };
            let off = dx.hypot(dy) / guess.radius;
            // the landmarks are a good guess, above all of the size; up and down little of the rim is seen
            let doubt = (2.0 * (share - 1.0)).powi(2) + (off / 0.7).powi(2) + (dy / guess.radius / 0.6).powi(2);
            let value = rim(lum, open, circle).map(|v| v * (1.0 - doubt));
            if value > best.0 {
                best = (value, circle);
            }
        }
    }
    if best.0 > Some((1.08 * own).max(CONTRAST)) { best.1 } else { guess }
}

/// Mean step of brightness across the rim; `None` where too little of it is seen on either side.
fn rim(lum: &Plane<1>, open: &Plane<1>, circle: Circle) -> Option<f32> {
    let at = |turn: f32, share: f32| {
        [0, 1].map(|c| {
            let d = if c == 0 { turn.cos() } else { turn.sin() };
            circle.centre[c] + share * circle.radius * d
        })
    };
    let (mut sum, mut sides) = (0.0, [0usize; 2]);
    for k in 0..PLACES {
        let turn = std::f32::consts::TAU * (k as f32 + 0.5) / PLACES as f32;
        let (outer, inner) = (at(turn, 1.16), at(turn, 0.84));
        if open.bilinear(outer[0], outer[1])[0] > 0.5 && open.bilinear(inner[0], inner[1])[0] > 0.5 {
            let rise = lum.bilinear(outer[0], outer[1])[0] - lum.bilinear(inner[0], inner[1])[0];
            // light that the eye mirrors is no rim
            sum += rise.clamp(-40.0, 100.0) * smooth(turn.cos().abs(), 0.1, 0.7);
            sides[usize::from(turn.cos() > 0.0)] += 1;
        }
    }
    let seen = sides[0] + sides[1];
    (seen >= 8 && sides[0].max(sides[1]) >= 5).then(|| sum / seen as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eye(at: [f32; 2], radius: f32) -> (Plane<1>, Plane<1>) {
        let lum = Plane::from_fn(100, 60, |x, y| {
            let d = (x as f32 + 0.5 - at[0]).hypot(y as f32 + 0.5 - at[1]);
            [60.0 + 120.0 * smooth(d, radius - 1.5, radius + 1.5)]
        });
        let open = Plane::from_fn(100, 60, |x, y| {
            let d = ((x as f32 - 50.0) / 45.0).hypot((y as f32 - 30.0) / 14.0);
            [if d < 1.0 { 1.0 } else { 0.0 }]
        });
        (lum, open)
    }

    #[test]
    fn a_rim_is_found_beside_the_guess() {
        let (lum, open) = eye([55.0, 29.0], 15.0);
        let found = locate(&lum, &open, Circle { centre: [51.0, 30.0], radius: 15.0 });
        assert!((found.centre[0] - 55.0).abs() < 1.5 && (found.centre[1] - 29.0).abs() < 2.5, "{found:?}");
        assert!((found.radius - 15.0).abs() < 1.5, "{found:?}");
    }

    #[test]
    fn without_a_rim_the_guess_stays() {
        let (_, open) = eye([55.0, 29.0], 15.0);
        let flat = Plane::from_fn(100, 60, |x, _| [100.0 + 0.1 * x as f32]);
        let guess = Circle { centre: [51.0, 30.0], radius: 15.0 };
        assert_eq!(locate(&flat, &open, guess), guess);
    }
}
