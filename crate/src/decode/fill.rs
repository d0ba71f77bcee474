//! What lies behind the person: the background grows into the hole that the person leaves.

use super::plane::Plane;

/// The coarsest picture has this many pixels along a side: the mean of all that is known.
const COARSEST: usize = 1;

/// Rounds on every level that draw each filled pixel to the mean of its neighbours.
const ROUNDS: usize = 6;

/// Fills the pixels whose weight (last channel, 0..1) is below 1 from those around them. First ever larger surroundings
/// count (push-pull, Gortler et al., *The Lumigraph*, 1996); alone, that would reach a wide mean a few pixels behind the
/// rim, and a dark corner would get a bright seam. So every level is then drawn towards the membrane that is stretched
/// over the hole (Laplace's equation), coarse to fine.
pub(crate) fn fill(picture: &Plane<3>, known: &Plane<1>) -> Plane<3> {
    let mut weighted = Plane { width: picture.width, height: picture.height, data: Vec::new() };
    weighted.data = picture.data.iter().zip(&known.data).map(|(&[r, g, b], &[w])| [r * w, g * w, b * w, w]).collect();
    let mut levels: Vec<Plane<4>> = vec![weighted];
    while let Some(last) = levels.last()
        && last.width.min(last.height) > COARSEST
    {
        // a pixel with anything known beneath it is known: what is far away only counts where nothing is near
        let next = last.halved().map(|[r, g, b, w]| {
            let k = if w > 0.0 { (4.0 * w).min(1.0) / w } else { 0.0 };
            [r * k, g * k, b * k, w * k]
        });
        levels.push(next);
    }
    let mut filled: Option<Plane<3>> = None;
    for level in levels.iter().rev() {
        let below = filled.map(|f| f.stretched(level.width, level.height));
        let own = |i: usize| {
            let [r, g, b, w] = level.data[i];
            let far = below.as_ref().map_or([128.0; 3], |f| f.data[i]);
            let near = [r, g, b].map(|v| v / w.max(1e-4));
            std::array::from_fn(|c| far[c] + (near[c] - far[c]) * w.min(1.0))
        };
        let data = (0..level.data.len()).map(own).collect();
        let mut plane = Plane { width: level.width, height: level.height, data };
        for round in 0..ROUNDS {
            relax(&mut plane, level, round % 2 == 1);
        }
        filled = Some(plane);
    }
    filled.unwrap_or_else(|| picture.clone())
}

/// Draws what is not known to the mean of its neighbours, from the first pixel to the last or `back`.
fn relax(plane: &mut Plane<3>, level: &Plane<4>, back: bool) {
    let (w, h) = (plane.width, plane.height);
    let n = w * h;
    for k in 0..n {
        let i = if back { n - 1 - k } else { k };
        let [r, g, b, weight] = level.data[i];
        if weight >= 1.0 {
            continue;
        }
        let (x, y) = (i % w, i / w);
        let beside = [
            if x > 0 { i - 1 } else { i },
            if x + 1 < w { i + 1 } else { i },
            if y > 0 { i - w } else { i },
            if y + 1 < h { i + w } else { i },
        ];
        let around: [f32; 3] = std::array::from_fn(|c| 0.25 * beside.iter().map(|&j| plane.data[j][c]).sum::<f32>());
        // colours are stored times their weight
        plane.data[i] = std::array::from_fn(|c| [r, g, b][c] + around[c] * (1.0 - weight));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_in_a_ramp_is_closed_and_the_rest_stays() {
        let ramp = Plane::<3>::from_fn(120, 100, |x, y| [x as f32, y as f32, 50.0]);
        let known = Plane::<1>::from_fn(120, 100, |x, y| {
            [if (x as f32 - 60.0).hypot(y as f32 - 50.0) < 25.0 { 0.0 } else { 1.0 }]
        });
        let filled = fill(&ramp, &known);
        for (i, (was, now)) in ramp.data.iter().zip(&filled.data).enumerate() {
            let most = if known.data[i][0] == 1.0 { 1e-3 } else { 16.0 };
            assert!(was.iter().zip(now).all(|(a, b)| (a - b).abs() <= most), "{was:?} {now:?} at {i}");
        }
    }

    #[test]
    fn nothing_known_is_grey_not_a_crash() {
        let picture = Plane::<3>::from_fn(9, 9, |_, _| [7.0; 3]);
        let filled = fill(&picture, &Plane::from_fn(9, 9, |_, _| [0.0]));
        assert!(filled.data.iter().flatten().all(|v| (0.0..=255.0).contains(v)));
    }
}
