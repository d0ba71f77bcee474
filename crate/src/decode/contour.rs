//! Two contours that meet: the operator that shuts lips and lids.
//!
//! A fitted face never brings two contours together by itself, because fit and pinning leave each with its own small
//! offset. So the wanted gap is worked out elsewhere, and this operator moves both contours and the skin around them
//! until exactly that gap is left.

use super::weights::smooth;
use crate::portrait::face_model::Contour;

/// Samples along a contour, at equal shares of x.
pub(crate) const SAMPLES: usize = 41;

/// Something at every sample.
pub(crate) type Profile<T> = [T; SAMPLES];

/// How much skin follows the two contours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Skin nearer than this moves with the contour, cm.
    pub full: f32,
    /// Skin further away than this stays, cm.
    pub end: f32,
    /// Share of the motion that the upper contour makes.
    pub upper_share: f32,
}

/// A vertex that follows a contour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Follower {
    pub vertex: u32,
    /// Place along the contour, 0..1.
    pub at: f32,
    /// Share of the contour's motion, 0..1.
    pub share: f32,
}

/// An upper and a lower contour, and the skin that follows them.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub contour: Contour,
    pub upper_skin: Vec<Follower>,
    pub lower_skin: Vec<Follower>,
    upper_share: f32,
}

impl Chain {
    /// `rest`: the skin of the face at rest; `free`: how freely skin at a place of it may follow, 0..1.
    pub fn new(contour: &Contour, rest: &[[f32; 3]], reach: Reach, free: impl Fn([f32; 3]) -> f32) -> Self {
        let upper = sample(&contour.upper, |i| rest[i as usize]);
        let lower = sample(&contour.lower, |i| rest[i as usize]);
        let middle: Vec<[f32; 2]> =
            upper.iter().zip(&lower).map(|(u, l)| [0.5 * (u[0] + l[0]), 0.5 * (u[1] + l[1])]).collect();
        let back = contour.upper.iter().map(|&i| rest[i as usize][2]).fold(f32::INFINITY, f32::min) - 1.2;
        let skin = |curve: &Profile<[f32; 3]>, own: &[u32], other: &[u32], sign: f32| {
            let mut out = Vec::new();
            for (i, v) in rest.iter().enumerate() {
                let (k, distance) = nearest(curve, *v);
                let side = (v[1] - height(&middle, v[0])) * sign;
                let is_own = own.contains(&(i as u32));
                let near = distance < reach.end && side > -0.02 && v[2] > back;
                if is_own || (near && !other.contains(&(i as u32))) {
                    let share = (1.0 - smooth(distance, reach.full, reach.end)) * free(*v);
                    out.push(Follower { vertex: i as u32, at: k as f32 / (SAMPLES - 1) as f32, share });
                }
            }
            out
        };
        Self {
            upper_skin: skin(&upper, &contour.upper, &contour.lower, 1.0),
            lower_skin: skin(&lower, &contour.lower, &contour.upper, -1.0),
            contour: contour.clone(),
            upper_share: reach.upper_share,
        }
    }

    /// Vector from the lower to the upper contour at every sample, cm.
    pub fn span(&self, vertex: impl Fn(u32) -> [f32; 3]) -> Profile<[f32; 3]> {
        let upper = sample(&self.contour.upper, &vertex);
        let lower = sample(&self.contour.lower, &vertex);
        std::array::from_fn(|i| std::array::from_fn(|c| upper[i][c] - lower[i][c]))
    }

    /// Height of the opening at every sample, cm.
    pub fn gap(&self, vertex: impl Fn(u32) -> [f32; 3]) -> Profile<f32> {
        self.span(vertex).map(|d| d[1])
    }

    /// Moves the contours and the skin around them so that the gap is `wanted`. `photo` is [`Self::span`] in the
    /// photo: where the gap is the photo's, the contours keep the photo's own overlap, where it is shut further they
    /// also meet in x and z.
    pub fn close(&self, vertices: &mut [[f32; 3]], wanted: &Profile<f32>, photo: &Profile<[f32; 3]>) {
        let span = self.span(|i| vertices[i as usize]);
        let delta: Profile<[f32; 3]> = std::array::from_fn(|i| {
            let shut = (-wanted[i].max(0.0) / 0.25).exp();
            let own = photo[i][1].max(0.0);
            let keep = 1.0 - ((own - wanted[i]) / own.max(0.05)).clamp(0.0, 1.0);
            let meet = |c: usize| (span[i][c] - keep * photo[i][c]) * shut;
            [0.5 * meet(0), span[i][1] - wanted[i], 0.8 * meet(2)]
        });
        for (skin, share) in [(&self.upper_skin, -self.upper_share), (&self.lower_skin, 1.0 - self.upper_share)] {
            for f in skin {
                let d = interpolate(&delta, f.at);
                for (x, d) in vertices[f.vertex as usize].iter_mut().zip(d) {
                    *x += f.share * share * d;
                }
            }
        }
    }

    /// Moves both contours and the skin around them up by `way` cm in their middle, less towards the corners.
    pub fn lift(&self, vertices: &mut [[f32; 3]], way: f32) {
        for f in self.upper_skin.iter().chain(&self.lower_skin) {
            vertices[f.vertex as usize][1] += way * f.share * 4.0 * f.at * (1.0 - f.at);
        }
    }
}

/// A contour at [`SAMPLES`] equal shares of its way along x.
fn sample(ids: &[u32], vertex: impl Fn(u32) -> [f32; 3]) -> Profile<[f32; 3]> {
    let way = |a: u32, b: u32| (vertex(b)[0] - vertex(a)[0]).abs();
    let total: f32 = ids.windows(2).map(|w| way(w[0], w[1])).sum();
    let mut segment = 0;
    let mut before = 0.0;
    std::array::from_fn(|i| {
        let goal = total * i as f32 / (SAMPLES - 1) as f32;
        let mut length = way(ids[segment], ids[segment + 1]);
        while segment + 2 < ids.len() && before + length < goal {
            before += length;
            segment += 1;
            length = way(ids[segment], ids[segment + 1]);
        }
        let t = if length > 1e-9 { ((goal - before) / length).clamp(0.0, 1.0) } else { 0.0 };
        let (a, b) = (vertex(ids[segment]), vertex(ids[segment + 1]));
        std::array::from_fn(|c| a[c] + (b[c] - a[c]) * t)
    })
}

/// The profile at the share `at` (0..1) of its length.
pub(crate) fn interpolate<const C: usize>(profile: &Profile<[f32; C]>, at: f32) -> [f32; C] {
    let at = at.clamp(0.0, 1.0) * (SAMPLES - 1) as f32;
    let i = (at as usize).min(SAMPLES - 2);
    let f = at - i as f32;
    std::array::from_fn(|c| profile[i][c] + (profile[i + 1][c] - profile[i][c]) * f)
}

/// Index of the nearest point and its distance.
pub(crate) fn nearest(curve: &[[f32; 3]], v: [f32; 3]) -> (usize, f32) {
    let square = |p: &[f32; 3]| (0..3).map(|c| (p[c] - v[c]).powi(2)).sum::<f32>();
    let (k, d) = curve
        .iter()
        .map(square)
        .enumerate()
        .fold((0, f32::INFINITY), |best, (i, d)| if d < best.1 { (i, d) } else { best });
    (k, d.sqrt())
}

/// Height of a line of points (ascending in x) at `x`; flat beyond its ends.
fn height(line: &[[f32; 2]], x: f32) -> f32 {
    let i = line.partition_point(|p| p[0] < x).clamp(1, line.len() - 1);
    let (a, b) = (line[i - 1], line[i]);
    let t = if b[0] - a[0] > 1e-9 { ((x - a[0]) / (b[0] - a[0])).clamp(0.0, 1.0) } else { 0.0 };
    a[1] + (b[1] - a[1]) * t
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Two arcs over 5 cm that share their ends, and a patch of skin above and below.
    fn mouth(gap: f32) -> (Contour, Vec<[f32; 3]>) {
        let mut v = Vec::new();
        let x = |i: usize| -2.5 + 0.5 * i as f32;
        for i in 0..=10 {
            v.push([x(i), gap * (1.0 - (x(i) / 2.5).powi(2)), 9.0]);
        }
        for i in 1..10 {
            v.push([x(i), 0.0, 9.1]);
        }
        let upper = (0..=10).collect();
        let mut lower: Vec<u32> = vec![0];
        lower.extend(11..20);
        lower.push(10);
        for i in 0..=10 {
            v.push([x(i), 1.0, 9.0]);
            v.push([x(i), 5.0, 9.0]);
            v.push([x(i), -1.0, 9.0]);
        }
        (Contour { upper, lower }, v)
    }

    const LIPS: Reach = Reach { full: 0.3, end: 1.7, upper_share: 0.45 };

    proptest! {
        #[test]
        fn the_gap_is_what_was_asked_for(open in 0.0f32..1.5, want in 0.0f32..1.5) {
            let (contour, mut v) = mouth(open);
            let chain = Chain::new(&contour, &v, LIPS, |_| 1.0);
            let photo = chain.span(|i| v[i as usize]);
            // the two ends are shared and cannot open
            let wanted: Profile<f32> = std::array::from_fn(|i| {
                let s = i as f32 / 40.0;
                want * 4.0 * s * (1.0 - s)
            });
            chain.close(&mut v, &wanted, &photo);
            // contour vertices lie between samples, so a little is left over
            for (g, w) in chain.gap(|i| v[i as usize]).iter().zip(&wanted) {
                prop_assert!((g - w).abs() < 0.08, "{g} {w}");
            }
        }

        #[test]
        fn nothing_moves_when_the_photo_is_asked_for(open in 0.0f32..1.5) {
            let (contour, mut v) = mouth(open);
            let before = v.clone();
            let chain = Chain::new(&contour, &v, LIPS, |_| 1.0);
            let photo = chain.span(|i| v[i as usize]);
            chain.close(&mut v, &photo.map(|d| d[1]), &photo);
            for (a, b) in v.iter().zip(&before) {
                for c in 0..3 {
                    prop_assert!((a[c] - b[c]).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn lifted_contours_keep_corners_and_gap() {
        let (contour, mut v) = mouth(1.0);
        let chain = Chain::new(&contour, &v, LIPS, |_| 1.0);
        let (before, gap) = (v.clone(), chain.gap(|i| v[i as usize]));
        chain.lift(&mut v, 0.3);
        assert_eq!((v[0], v[10]), (before[0], before[10]));
        assert!((v[5][1] - before[5][1] - 0.3).abs() < 0.01);
        for (a, b) in chain.gap(|i| v[i as usize]).iter().zip(&gap) {
            assert!((a - b).abs() < 0.02, "{a} {b}");
        }
    }

    #[test]
    fn skin_far_away_stays() {
        let (contour, mut v) = mouth(1.0);
        let chain = Chain::new(&contour, &v, LIPS, |_| 1.0);
        let photo = chain.span(|i| v[i as usize]);
        let far = v.iter().position(|p| p[1] == 5.0).unwrap_or(0);
        let before = v[far];
        chain.close(&mut v, &[0.0; SAMPLES], &photo);
        assert_eq!(v[far], before);
    }
}
