//! Where every vertex of the teeth lies on its own tooth, and the smooth surface that light falls on.
//!
//! The model's teeth are coarse: their facets look dirty in the light. Each tooth is a piece of its own, so a place on it
//! (how far across, how far from the cutting edge) can be worked out once; from that place come a rounded normal and,
//! when a pixel is painted, the enamel's colours.

use super::weights::smooth;

/// Roundness of a tooth across: how far the normal leans at its sides.
const ROUND: f32 = 0.62;
/// Roundness along: how far the normal leans from the cutting edge (down) to the neck (up), for upper teeth.
const BOW: f32 = 0.22;
/// Height of the crown of an upper front tooth, cm.
const CROWN: f32 = 1.0;
/// Largest turn of a tooth about its own axis, radians, and shift of its cutting edge, cm: nobody's row is perfect.
const TURN: f32 = 0.06;
const SHIFT: f32 = 0.028;
/// Largest difference of brightness between the teeth of one row.
const TONE: f32 = 0.035;

/// A row of teeth, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// By vertex of the row: -1..1 across the tooth, and distance from the cutting edge, cm.
    pub place: Vec<[f32; 2]>,
    /// By vertex: number of the tooth, counted along the arch.
    pub tooth: Vec<u16>,
    /// By vertex: unit normal.
    pub normal: Vec<[f32; 3]>,
    /// By vertex: displacement that makes the row a person's own, cm.
    pub own: Vec<[f32; 3]>,
    /// By vertex: how much of a tooth's full brightness it has.
    pub tone: Vec<f32>,
}

impl Row {
    /// `points`: vertices of the row; `triangles`: into them; `person`: numbers that differ from person to person.
    pub fn new(points: &[[f32; 3]], triangles: &[[u32; 3]], upper: bool, person: &[f32]) -> Self {
        let n = points.len();
        let mut row = Self {
            place: vec![[0.0; 2]; n],
            tooth: vec![0; n],
            normal: vec![[0.0, 0.0, 1.0]; n],
            own: vec![[0.0; 3]; n],
            tone: vec![1.0; n],
        };
        let facets = facets(points, triangles);
        let mut teeth = teeth(n, triangles);
        let centre = |tooth: &Vec<usize>| {
            let sum = tooth.iter().fold([0.0; 2], |s, &i| [s[0] + points[i][0], s[1] + points[i][2]]);
            sum.map(|s| s / tooth.len() as f32)
        };
        // from the image's left to its right along the arch: back to front on one side, front to back on the other
        let front = teeth.iter().map(|t| centre(t)[1]).fold(f32::NEG_INFINITY, f32::max);
        let angle = |t: &Vec<usize>| {
            let [x, z] = centre(t);
            x.atan2(z - front + 3.0)
        };
        teeth.sort_by(|a, b| angle(a).total_cmp(&angle(b)));
        let centres: Vec<[f32; 2]> = teeth.iter().map(centre).collect();
        for (k, tooth) in teeth.iter().enumerate() {
            let (a, b) = (centres[k.saturating_sub(1)], centres[(k + 1).min(centres.len() - 1)]);
            let along = unit([b[0] - a[0], 0.0, b[1] - a[1]], [1.0, 0.0, 0.0]);
            let outward = [-along[2], 0.0, along[0]];
            let across =
                |i: usize| (points[i][0] - centres[k][0]) * along[0] + (points[i][2] - centres[k][1]) * along[2];
            let (lo, hi) = bounds(tooth.iter().map(|&i| across(i)));
            let (low, high) = bounds(tooth.iter().map(|&i| points[i][1]));
            let (middle, half) = (0.5 * (lo + hi), (0.5 * (hi - lo)).max(1e-3));
            let chance = |salt: usize| chance(person, 3 * k + salt);
            // front teeth have the highest crowns
            let crown = CROWN
                * (0.74 + 0.26 * smooth(centres[k][1], front - 3.0, front - 0.4))
                * if upper { 1.0 } else { 0.86 };
            let (turn, shift, tone) = (TURN * chance(0), SHIFT * chance(1), 1.0 - TONE * chance(2).abs());
            for &i in tooth {
                let u = (across(i) - middle) / half;
                let v = if upper { points[i][1] - low } else { high - points[i][1] } / crown;
                row.place[i] = [u, v];
                row.tone[i] = tone;
                row.tooth[i] = k as u16;
                // rounded where the tooth looks outwards; its back and its cutting edge keep their own facets
                let facet = facets[i];
                let outer = smooth(dot(facet, outward), 0.0, 0.45);
                let bow = BOW * (2.0 * v - 1.0).clamp(-1.2, 1.0) * if upper { 1.0 } else { -1.0 };
                let round =
                    unit(std::array::from_fn(|c| outward[c] + ROUND * u * along[c] + [0.0, bow, 0.0][c]), facet);
                row.normal[i] = unit(std::array::from_fn(|c| facet[c] + (round[c] - facet[c]) * 0.85 * outer), round);
                let about = half * u * turn;
                row.own[i] = [outward[0] * about, shift, outward[2] * about];
            }
        }
        row
    }
}

/// Vertices of each piece that hangs together.
fn teeth(n: usize, triangles: &[[u32; 3]]) -> Vec<Vec<usize>> {
    let mut root: Vec<usize> = (0..n).collect();
    fn find(root: &mut [usize], mut i: usize) -> usize {
        while root[i] != i {
            root[i] = root[root[i]];
            i = root[i];
        }
        i
    }
    for t in triangles {
        let a = find(&mut root, t[0] as usize);
        for &i in &t[1..] {
            let b = find(&mut root, i as usize);
            root[b] = a;
        }
    }
    let mut of = vec![Vec::new(); n];
    for i in 0..n {
        of[find(&mut root, i)].push(i);
    }
    of.retain(|t| t.len() >= 3);
    of
}

/// Unit normal of every vertex, weighted by area.
fn facets(points: &[[f32; 3]], triangles: &[[u32; 3]]) -> Vec<[f32; 3]> {
    let mut sum = vec![[0.0f32; 3]; points.len()];
    for t in triangles {
        let [a, b, c] = t.map(|i| nalgebra::Vector3::from(points[i as usize]));
        let n = (b - a).cross(&(c - a));
        for &i in t {
            for (s, n) in sum[i as usize].iter_mut().zip(&n) {
                *s += n;
            }
        }
    }
    sum.into_iter().map(|n| unit(n, [0.0, 0.0, 1.0])).collect()
}

/// A number in -1..1 that belongs to a person and a salt.
fn chance(person: &[f32], salt: usize) -> f32 {
    // the first identities are the size and shape of the skull: any mixture of them differs between people
    let mix: f32 = person.iter().take(8).enumerate().map(|(i, w)| w * (1.3 + 0.7 * (i * (salt + 3)) as f32)).sum();
    (mix + 2.4 * salt as f32).sin()
}

fn bounds(values: impl Iterator<Item = f32>) -> (f32, f32) {
    values.fold((f32::INFINITY, f32::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)))
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn unit(v: [f32; 3], otherwise: [f32; 3]) -> [f32; 3] {
    let length = dot(v, v).sqrt();
    if length > 1e-9 { v.map(|c| c / length) } else { otherwise }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::testing::model;
    use crate::portrait::face_model::Part;

    fn row(upper: bool, person: &[f32]) -> (Vec<[f32; 3]>, Row) {
        let model = model();
        let range = if upper { model.teeth_upper.clone() } else { model.teeth_lower.clone() };
        let start = range.start as u32;
        let triangles: Vec<[u32; 3]> = model
            .triangles
            .iter()
            .zip(&model.triangle_part)
            .filter(|(t, p)| **p == Part::Teeth && range.contains(&(t[0] as usize)))
            .map(|(t, _)| t.map(|i| i - start))
            .collect();
        let points = model.neutral[range].to_vec();
        let row = Row::new(&points, &triangles, upper, person);
        (points, row)
    }

    #[test]
    fn every_tooth_runs_from_side_to_side_and_from_its_edge_up() {
        for upper in [true, false] {
            let (points, row) = row(upper, &[0.3, -1.0, 0.5]);
            // the two front teeth meet in the middle of the face
            let inner = |side: f32| {
                points.iter().zip(&row.place).filter(move |(p, _)| p[0] * side > 0.0 && p[0].abs() < 0.1 && p[2] > 10.0)
            };
            assert!(
                inner(1.0).count() > 0 && inner(1.0).all(|(_, u)| u[0] < -0.4),
                "left front tooth begins in the middle"
            );
            assert!(
                inner(-1.0).count() > 0 && inner(-1.0).all(|(_, u)| u[0] > 0.4),
                "right front tooth ends in the middle"
            );
            assert!(row.place.iter().all(|[u, v]| u.abs() <= 1.001 && (0.0..3.0).contains(v)));
            let front = points.iter().zip(&row.normal).filter(|(p, _)| p[2] > 10.5 && p[0].abs() < 0.6);
            let (all, out) = (front.clone().count(), front.filter(|(_, n)| n[2] > 0.0).count());
            assert!(all > 5 && out * 10 > all * 8, "{out} of {all} points of the front teeth look out");
            assert!(row.normal.iter().all(|n| (dot(*n, *n) - 1.0).abs() < 1e-3));
        }
    }

    #[test]
    fn two_people_have_two_rows() {
        let (_, a) = row(true, &[0.3, -1.0, 0.5]);
        let (_, b) = row(true, &[-0.8, 0.4, 1.5]);
        assert!(a.own.iter().zip(&b.own).any(|(a, b)| (a[1] - b[1]).abs() > 0.01));
        assert!(a.own.iter().flatten().all(|d| d.abs() < 0.1), "no tooth leaves the row");
    }
}
