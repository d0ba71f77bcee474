//! The part of the face that the photo shows, as one sheet of triangles.
//!
//! Skin that faces away from the camera at the rim of the face must not be drawn: turned towards the viewer it would
//! stretch into strips over the hair. The sheet is cut along the line where the skin turns away.

use std::collections::HashMap;

/// Cosine of the angle between skin and view below which skin at the rim is cut off.
const FACING: f32 = 0.42;
/// A cut keeps this share of an edge at least, so that no slivers arise.
const SLIVER: f32 = 0.12;

/// A vertex on the edge between two vertices of the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cut {
    pub a: u32,
    pub b: u32,
    /// 0 at `a`, 1 at `b`.
    pub t: f32,
}

impl Cut {
    /// The cut's value of something that the vertices have.
    pub fn mix<const C: usize>(&self, of: &[[f32; C]]) -> [f32; C] {
        let (a, b) = (of[self.a as usize], of[self.b as usize]);
        std::array::from_fn(|i| a[i] + (b[i] - a[i]) * self.t)
    }
}

/// Triangles over the model's skin vertices followed by the cuts.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub triangles: Vec<[u32; 3]>,
    pub cuts: Vec<Cut>,
    /// The outline, vertex after vertex.
    pub border: Vec<u32>,
}

/// Cuts the rim off. `camera`: skin vertices in camera space, the eye at the origin; `protected`: vertices that stay
/// in any case. Returns `None` if no sheet with an outline is left.
pub(crate) fn cut(triangles: &[[u32; 3]], camera: &[[f32; 3]], protected: &[bool]) -> Option<Sheet> {
    let mut facing = facing(triangles, camera);
    for (f, &p) in facing.iter_mut().zip(protected) {
        if p {
            *f = 1.0;
        }
    }
    let gone = turned_away(triangles, camera, &facing)?;
    let mut cuts = Vec::new();
    let mut known = HashMap::new();
    let mut cut = |kept: u32, lost: u32| {
        *known.entry((kept, lost)).or_insert_with(|| {
            let (k, l) = (facing[kept as usize], facing[lost as usize]);
            let t = ((k - FACING) / (k - l).max(1e-6)).clamp(SLIVER, 1.0 - SLIVER);
            cuts.push(Cut { a: kept, b: lost, t });
            (camera.len() + cuts.len() - 1) as u32
        })
    };
    let mut kept = Vec::new();
    for &t in triangles {
        let out = t.map(|i| gone[i as usize]);
        // rotated so that the odd one out comes first
        let rotate = |k: usize| [t[k], t[(k + 1) % 3], t[(k + 2) % 3]];
        match out.iter().filter(|&&o| o).count() {
            0 => kept.push(t),
            1 => {
                let [l, a, b] = rotate(out.iter().position(|&o| o).unwrap_or(0));
                let (p, q) = (cut(a, l), cut(b, l));
                kept.push([p, a, b]);
                kept.push([p, b, q]);
            }
            2 => {
                let [k, a, b] = rotate(out.iter().position(|&o| !o).unwrap_or(0));
                kept.push([k, cut(k, a), cut(k, b)]);
            }
            _ => {}
        }
    }
    let place = |i: u32| {
        let i = i as usize;
        if i < camera.len() { camera[i] } else { cuts[i - camera.len()].mix(camera) }
    };
    let total = camera.len() + cuts.len();
    loop {
        kept = largest_piece(&kept, total);
        // a vertex that the outline passes twice would break it
        let pinched = pinched(&kept);
        if pinched.is_empty() {
            break;
        }
        kept.retain(|t| !t.iter().any(|i| pinched.contains(i)));
    }
    let border = outline(&kept, place)?;
    Some(Sheet { triangles: kept, cuts, border })
}

/// Cosine between the vertex normal and the direction to the camera.
fn facing(triangles: &[[u32; 3]], camera: &[[f32; 3]]) -> Vec<f32> {
    let mut normals = vec![nalgebra::Vector3::<f32>::zeros(); camera.len()];
    let point = |i: u32| nalgebra::Vector3::from(camera[i as usize]);
    for t in triangles {
        let n = (point(t[1]) - point(t[0])).cross(&(point(t[2]) - point(t[0])));
        for &i in t {
            normals[i as usize] += n;
        }
    }
    normals
        .iter()
        .zip(camera)
        .map(|(n, &p)| {
            let p = nalgebra::Vector3::from(p);
            -n.dot(&p) / (n.norm() * p.norm()).max(1e-9)
        })
        .collect()
}

/// The vertices that face away and hang together with the rim.
fn turned_away(triangles: &[[u32; 3]], camera: &[[f32; 3]], facing: &[f32]) -> Option<Vec<bool>> {
    let rim = outline(triangles, |i| camera[i as usize])?;
    let mut neighbours = vec![Vec::new(); camera.len()];
    for t in triangles {
        for k in 0..3 {
            neighbours[t[k] as usize].push(t[(k + 1) % 3]);
            neighbours[t[(k + 1) % 3] as usize].push(t[k]);
        }
    }
    let mut gone = vec![false; camera.len()];
    let mut open = rim;
    while let Some(i) = open.pop() {
        if !gone[i as usize] && facing[i as usize] < FACING {
            gone[i as usize] = true;
            open.extend(&neighbours[i as usize]);
        }
    }
    Some(gone)
}

/// Edges with a triangle on one side only.
fn open_edges(triangles: &[[u32; 3]]) -> Vec<(u32, u32)> {
    let edges: std::collections::HashSet<(u32, u32)> =
        triangles.iter().flat_map(|t| (0..3).map(|k| (t[k], t[(k + 1) % 3]))).collect();
    let mut open: Vec<_> = edges.iter().copied().filter(|&(a, b)| !edges.contains(&(b, a))).collect();
    open.sort_unstable();
    open
}

/// Vertices from which more than one open edge starts.
fn pinched(triangles: &[[u32; 3]]) -> Vec<u32> {
    let open = open_edges(triangles);
    let mut out: Vec<u32> = open.windows(2).filter(|w| w[0].0 == w[1].0).map(|w| w[0].0).collect();
    out.dedup();
    out
}

/// The widest closed line of open edges.
fn outline(triangles: &[[u32; 3]], place: impl Fn(u32) -> [f32; 3]) -> Option<Vec<u32>> {
    let mut next: std::collections::BTreeMap<u32, u32> = open_edges(triangles).into_iter().collect();
    let mut best = (0.0, None);
    while let Some((&start, _)) = next.iter().next() {
        let mut line = Vec::new();
        let mut at = start;
        while let Some(to) = next.remove(&at) {
            line.push(at);
            at = to;
        }
        let extent = |c: usize| {
            let (lo, hi) = line
                .iter()
                .map(|&i| place(i)[c])
                .fold((f32::INFINITY, f32::NEG_INFINITY), |(lo, hi), x| (lo.min(x), hi.max(x)));
            hi - lo
        };
        let size = extent(0) + extent(1);
        if size > best.0 {
            best = (size, Some(line));
        }
    }
    best.1.filter(|line| line.len() >= 3)
}

/// The triangles of the largest piece that hangs together.
fn largest_piece(triangles: &[[u32; 3]], vertices: usize) -> Vec<[u32; 3]> {
    let mut parent: Vec<u32> = (0..vertices as u32).collect();
    fn root(parent: &mut [u32], mut i: u32) -> u32 {
        while parent[i as usize] != i {
            parent[i as usize] = parent[parent[i as usize] as usize];
            i = parent[i as usize];
        }
        i
    }
    for t in triangles {
        let a = root(&mut parent, t[0]);
        for &i in &t[1..] {
            let b = root(&mut parent, i);
            parent[b as usize] = a;
        }
    }
    let mut count = vec![0usize; vertices];
    for t in triangles {
        count[root(&mut parent, t[0]) as usize] += 1;
    }
    let most = (0..vertices).max_by_key(|&i| count[i]).unwrap_or(0) as u32;
    triangles.iter().copied().filter(|t| root(&mut parent, t[0]) == most).collect()
}

/// Triangles that fill the hole between an upper and a lower contour, which share their ends.
pub(crate) fn cap(upper: &[u32], lower: &[u32]) -> Vec<[u32; 3]> {
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i + 1 < upper.len() || j + 1 < lower.len() {
        let upper_turn = j + 1 == lower.len() || (i + 1 < upper.len() && i * lower.len() <= j * upper.len());
        let t = if upper_turn {
            i += 1;
            [upper[i - 1], lower[j], upper[i]]
        } else {
            j += 1;
            [upper[i], lower[j - 1], lower[j]]
        };
        if t[0] != t[1] && t[1] != t[2] && t[2] != t[0] {
            out.push(t);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A half ball of radius 8 cm before a camera 90 cm away: 16 meridians, 8 circles and the pole.
    fn dome() -> (Vec<[u32; 3]>, Vec<[f32; 3]>) {
        let mut v = vec![[0.0, 0.0, -82.0]];
        let mut t = Vec::new();
        for ring in 1..=8 {
            for k in 0..16 {
                let (a, b) = (ring as f32 * std::f32::consts::FRAC_PI_2 / 8.0, k as f32 * std::f32::consts::TAU / 16.0);
                v.push([8.0 * a.sin() * b.cos(), 8.0 * a.sin() * b.sin(), -90.0 + 8.0 * a.cos()]);
            }
        }
        let id = |ring: u32, k: u32| if ring == 0 { 0 } else { 1 + (ring - 1) * 16 + k % 16 };
        for ring in 0..8 {
            for k in 0..16 {
                if ring > 0 {
                    t.push([id(ring, k), id(ring + 1, k), id(ring, k + 1)]);
                }
                t.push([id(ring, k + 1), id(ring + 1, k), id(ring + 1, k + 1)]);
            }
        }
        (t, v)
    }

    #[test]
    fn the_rim_is_cut_where_it_turns_away() {
        let (t, v) = dome();
        let sheet = cut(&t, &v, &vec![false; v.len()]).unwrap();
        assert_eq!(sheet.border.len(), 32, "one cut to a meridian and one to a diagonal");
        for &i in &sheet.border {
            let p = sheet.cuts[i as usize - v.len()].mix(&v);
            let angle = p[0].hypot(p[1]).atan2(p[2] + 90.0);
            assert!((0.9..1.3).contains(&angle), "cut at {angle}");
        }
    }

    #[test]
    fn protected_skin_stays() {
        let (t, v) = dome();
        let sheet = cut(&t, &v, &vec![true; v.len()]).unwrap();
        assert_eq!((sheet.triangles.len(), sheet.cuts.len()), (t.len(), 0));
    }

    #[test]
    fn caps_use_every_edge_of_both_contours() {
        let t = cap(&[0, 1, 2, 3, 9], &[0, 5, 6, 9]);
        assert_eq!(t.len(), 5);
        let edges = open_edges(&t);
        assert_eq!(edges.len(), 7);
    }
}
