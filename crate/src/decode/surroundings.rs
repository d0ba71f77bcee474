//! Everything around the face: a grid of vertices over the whole picture, tied to the outline of the face, so that
//! face, hair, neck and background are one mesh without holes.

use super::ears::{EarVertex, Ears};
use super::hair::hair;
use super::lean::{LEAN, Lean};
use super::lids::to_texel;
use super::plane::Plane;
use super::pose::{project, rotate, unproject};
use super::turn::Turn;
use super::weights::smooth;
use crate::portrait::fitted::{CameraPose, PAD, PIVOT, SIDE};
use spade::{DelaunayTriangulation, Point2, Triangulation};
use std::collections::{BTreeSet, HashMap};

/// Spacing of the grid, crop pixels.
const GRID: f32 = 20.0;
/// Distance over which the surroundings follow the face's own deformation, crop pixels.
const FOLLOW: f32 = 95.0;
/// Distance over which their depth passes from that of the face to that of the hair, crop pixels.
const DEPTH: f32 = 40.0;
/// How much further than a usual head of hair or a hat moves with the skull, where it is known to be one, in heads.
const WIDER: f32 = 0.7;

/// Heights between which short hair passes from the outline of the face into that of the skull, head space, cm.
const TEMPLE: (f32, f32) = (2.5, 8.5);
/// A place beside the jaw, below the ear, that only long hair reaches, head space, cm.
const BESIDE_JAW: [f32; 3] = [9.6, -4.0, 0.0];

/// The vertices around the face and how they move.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// Where the vertices lie in the photo, crop pixels.
    pub photo: Vec<[f32; 2]>,
    /// The same points in camera axes about the head's pivot, cm.
    head: Vec<[f32; 3]>,
    /// How much a vertex belongs to the outline of a round head, 0..1: there a turn brings other hair into sight instead
    /// of moving the outline.
    round: Vec<f32>,
    ears: Vec<EarVertex>,
    photo_pose: CameraPose,
    /// How far the body follows a head that moves without turning, 0..1.
    lean: f32,
    /// Lower edge of the photo, crop pixels: it shall not come into sight.
    hips: f32,
    /// How much of the skull's motion a vertex makes, 0..1.
    rigid: Vec<f32>,
    /// How much of the skull's motion each vertex of the outline makes, 0..1.
    border_rigid: Vec<f32>,
    /// `photo.len()` rows of one weight to each vertex of the outline.
    follow: Vec<f32>,
    /// Triangles over `0..photo.len()` (grid) and `photo.len()..` (outline).
    pub triangles: Vec<[u32; 3]>,
}

impl Surroundings {
    /// `border`: the outline in crop pixels; `border_depth`: its distance from the camera; `border_head`: its head
    /// space position; all in the photo. `wall`: what is behind the person; `person`: colours times opacity and opacity,
    /// if they are known.
    pub fn new(
        pose: &CameraPose,
        border: &[[f32; 2]],
        border_depth: &[f32],
        border_head: &[[f32; 3]],
        wall: Wall,
        person: Option<&Plane<4>>,
    ) -> Option<Self> {
        let steps = (SIDE * (1.0 + 2.0 * PAD) / GRID).floor();
        let (lo, hi) = (-PAD * SIDE, SIDE * (1.0 + PAD));
        let line = |i: usize| lo + (hi - lo) * i as f32 / steps;
        let n = steps as usize + 1;
        let ears = Ears::new(pose, border_head, person);
        let on_ears: Vec<[f32; 2]> = ears
            .places()
            .into_iter()
            .filter(|&p| p.iter().all(|x| (lo + GRID..hi - GRID).contains(x)))
            .filter(|&p| !inside(border, p) && distance(border, p) > 0.2 * GRID)
            .collect();
        let near_ear = |p: [f32; 2]| on_ears.iter().any(|q| (p[0] - q[0]).hypot(p[1] - q[1]) < 0.4 * GRID);
        let photo: Vec<[f32; 2]> = (0..n * n)
            .map(|i| [line(i % n), line(i / n)])
            .filter(|&p| !inside(border, p) && distance(border, p) > 0.45 * GRID && !near_ear(p))
            .chain(on_ears.iter().copied())
            .collect();
        let on_frame = |p: [f32; 2]| p.iter().any(|&x| x < lo + 1.0 || x > hi - 1.0);
        let points: Vec<[f32; 2]> = photo.iter().chain(border).copied().collect();
        let triangles = delaunay(&points)?;
        // those under the face stay, they close any crack; but only those outside tie vertices together
        let mut edges = BTreeSet::new();
        for t in &triangles {
            let centre: [f32; 2] = std::array::from_fn(|c| t.iter().map(|&i| points[i as usize][c]).sum::<f32>() / 3.0);
            if !inside(border, centre) {
                for k in 0..3 {
                    let (a, b) = (t[k], t[(k + 1) % 3]);
                    edges.insert((a.min(b), a.max(b)));
                }
            }
        }
        let mut neighbours = vec![Vec::new(); points.len()];
        for (a, b) in edges {
            neighbours[a as usize].push(b);
            neighbours[b as usize].push(a);
        }
        let free: Vec<bool> = (0..points.len()).map(|i| i < photo.len() && !on_frame(points[i])).collect();
        let nb = border.len();
        let mut follow = vec![0.0; photo.len() * nb];
        for k in 0..nb {
            let x = extend(&neighbours, &free, FOLLOW, |i| if i == photo.len() + k { 1.0 } else { 0.0 });
            for (row, x) in follow.chunks_mut(nb).zip(&x) {
                row[k] = *x;
            }
        }
        let short = [-1.0, 1.0].map(|side| ends_above_the_cheek(pose, person, side));
        let hair: Vec<(f32, f32)> = points
            .iter()
            .map(|&p| {
                let (distance, round) = hair(pose, p);
                let [x, y, _] = unproject(pose, p, distance);
                let temple = smooth(y, TEMPLE.0, TEMPLE.1);
                (distance, round * if short[usize::from(x > 0.0)] { temple } else { 1.0 })
            })
            .collect();

        let depth = extend(&neighbours, &free, DEPTH, |i| {
            if i >= photo.len() { border_depth[i - photo.len()] - hair[i].0 } else { 0.0 }
        });
        let near = extend(&neighbours, &free, DEPTH, |i| if i >= photo.len() { 1.0 } else { 0.0 });
        let head: Vec<[f32; 3]> =
            photo.iter().zip(depth.iter().zip(&hair)).map(|(&p, (d, h))| unproject(pose, p, h.0 + d)).collect();
        let weight = |x: [f32; 3], p: [f32; 2]| match wall {
            Wall::Tied => rigid_weight(x, 0.0) * margin_weight(p),
            Wall::Free { .. } => rigid_weight(x, WIDER),
        };
        Some(Self {
            rigid: head.iter().zip(&photo).map(|(&x, &p)| weight(x, p)).collect(),
            round: match wall {
                Wall::Tied => vec![0.0; photo.len()],
                Wall::Free { .. } => {
                    near[..photo.len()].iter().zip(&hair).map(|(n, h)| (1.0 - n).clamp(0.0, 1.0) * h.1).collect()
                }
            },
            head: head.iter().map(|x| rotate(pose, [0, 1, 2].map(|c| x[c] - PIVOT[c]))).collect(),
            ears: (0..).zip(&photo).filter_map(|(i, &p)| ears.vertex(i, p)).collect(),
            photo_pose: *pose,
            lean: match wall {
                Wall::Tied => 0.0,
                Wall::Free { .. } => LEAN,
            },
            hips: match wall {
                Wall::Tied => SIDE,
                Wall::Free { bottom } => bottom.clamp(SIDE * 0.75, SIDE * (1.0 + PAD)),
            },
            border_rigid: border_head.iter().map(|&x| weight(x, [SIDE / 2.0; 2])).collect(),
            follow,
            triangles,
            photo,
        })
    }

    /// Crop pixels of the grid's vertices under a pose, beside that of a head that only moved and did not turn.
    /// `border`: where the outline lies now; `border_photo`: where it lay; `border_head`: its head space position in the
    /// photo; `scratch` and `out` are filled.
    pub fn place(
        &self,
        [pose, leant]: [&CameraPose; 2],
        border: &[[f32; 2]],
        border_photo: &[[f32; 2]],
        border_head: &[[f32; 3]],
        scratch: &mut [[f32; 2]],
        out: &mut [[f32; 2]],
    ) {
        let nb = border.len();
        let lean = Lean::new(&self.photo_pose, leant, self.lean, self.hips);
        for (k, own) in scratch.iter_mut().enumerate() {
            let (skull, _) = project(pose, border_head[k]);
            let p = border_photo[k];
            let body = lean.moves(p);
            let rigid = self.border_rigid[k];
            *own = std::array::from_fn(|c| border[k][c] - p[c] - (skull[c] - p[c]) * rigid - body[c] * (1.0 - rigid));
        }
        let turn = Turn::new(&self.photo_pose, pose);
        let mut ears = self.ears.iter().peekable();
        for (i, o) in out.iter_mut().enumerate() {
            let mut skull = turn.project(self.head[i], self.round[i]);
            if let Some(ear) = ears.next_if(|e| e.index == i) {
                let own = ear.place(&turn);
                skull = std::array::from_fn(|c| skull[c] + (own[c] - skull[c]) * ear.share);
            }
            let (mut x, mut y) = (0.0, 0.0);
            for (w, d) in self.follow[i * nb..(i + 1) * nb].iter().zip(&*scratch) {
                x += w * d[0];
                y += w * d[1];
            }
            let (p, rigid) = (self.photo[i], self.rigid[i]);
            let body = lean.moves(p);
            *o = [
                p[0] + (skull[0] - p[0]) * rigid + body[0] * (1.0 - rigid) + x,
                p[1] + (skull[1] - p[1]) * rigid + body[1] * (1.0 - rigid) + y,
            ];
        }
    }
}

/// Whether hair ends above the cheek on a side (-1: the image's left, 1: its right): beside the jaw there is no more of
/// the person. Such hair comes down to the outline of the face when the head turns away; long hair hangs before it.
fn ends_above_the_cheek(pose: &CameraPose, person: Option<&Plane<4>>, side: f32) -> bool {
    person.is_some_and(|person| {
        let [x, y] = to_texel(project(pose, [side * BESIDE_JAW[0], BESIDE_JAW[1], BESIDE_JAW[2]]).0);
        person.at(x as isize, y as isize)[3] < 0.5
    })
}

/// What is behind the person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wall {
    /// Part of the same mesh: it must not move far from the head.
    Tied,
    /// A layer of its own: all that the mesh shows belongs to the person.
    Free {
        /// Lower edge of the photo, crop pixels.
        bottom: f32,
    },
}

/// How much a point beside the face moves with the skull: 1 on head and hair, 0 on shoulders and background. `wider`: how
/// much further than to a usual head of hair that reaches above the chin, in heads.
fn rigid_weight(x: [f32; 3], wider: f32) -> f32 {
    let more = wider * smooth(x[1], -6.0, 1.0);
    let ring = 1.0 - smooth((x[0] / 10.5).hypot((x[1] - 2.5) / 13.5), 1.0 + more, 2.1 + more);
    let neck = 1.0 - smooth(-x[1], 5.0, 20.0);
    ring * neck
}

/// Fades motion out towards the left, right and upper edge of the margin.
fn margin_weight(p: [f32; 2]) -> f32 {
    let margin = PAD * SIDE;
    let edge = (p[0] + margin).min(SIDE + margin - p[0]).min(p[1] + margin) / margin;
    (1.5 * edge).clamp(0.0, 1.0)
}

/// Values at all vertices that are smooth over the edges, equal to `known` at the vertices that are not free, and
/// decay to 0 over `length` crop pixels: the screened Laplace equation, solved by conjugate gradients.
fn extend(neighbours: &[Vec<u32>], free: &[bool], length: f32, known: impl Fn(usize) -> f32) -> Vec<f32> {
    let screen = (GRID / length).powi(2);
    let n = neighbours.len();
    let mut x = vec![0.0; n];
    let mut r = vec![0.0; n];
    for i in (0..n).filter(|&i| free[i]) {
        r[i] = neighbours[i].iter().map(|&j| j as usize).filter(|&j| !free[j]).map(&known).sum();
    }
    let mut p = r.clone();
    let mut q = vec![0.0; n];
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let mut rr = dot(&r, &r);
    let goal = rr * 1e-9;
    for _ in 0..300 {
        if rr <= goal {
            break;
        }
        for i in (0..n).filter(|&i| free[i]) {
            let around: f32 = neighbours[i].iter().map(|&j| p[j as usize]).sum();
            q[i] = (neighbours[i].len() as f32 + screen) * p[i] - around;
        }
        let alpha = rr / dot(&p, &q);
        for (x, p) in x.iter_mut().zip(&p) {
            *x += alpha * p;
        }
        for (r, q) in r.iter_mut().zip(&q) {
            *r -= alpha * q;
        }
        let next = dot(&r, &r);
        let beta = next / rr;
        rr = next;
        for (p, r) in p.iter_mut().zip(&r) {
            *p = r + beta * *p;
        }
    }
    x
}

/// Delaunay triangles of the points; `None` if a point is not a number.
fn delaunay(points: &[[f32; 2]]) -> Option<Vec<[u32; 3]>> {
    let mut mesh = DelaunayTriangulation::<Point2<f64>>::new();
    let mut index = HashMap::new();
    for (i, p) in points.iter().enumerate() {
        let handle = mesh.insert(Point2::new(f64::from(p[0]), f64::from(p[1]))).ok()?;
        index.entry(handle).or_insert(i as u32);
    }
    mesh.inner_faces()
        .map(|f| {
            let [a, b, c] = f.vertices().map(|v| index.get(&v.fix()).copied());
            Some([a?, b?, c?])
        })
        .collect()
}

/// Whether a point lies inside a closed polygon.
fn inside(polygon: &[[f32; 2]], p: [f32; 2]) -> bool {
    let mut odd = false;
    for (i, a) in polygon.iter().enumerate() {
        let b = polygon[(i + 1) % polygon.len()];
        if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < a[0] + (p[1] - a[1]) * (b[0] - a[0]) / (b[1] - a[1]) {
            odd = !odd;
        }
    }
    odd
}

/// Distance of a point from the outline of a closed polygon.
fn distance(polygon: &[[f32; 2]], p: [f32; 2]) -> f32 {
    let mut best = f32::INFINITY;
    for (i, a) in polygon.iter().enumerate() {
        let b = polygon[(i + 1) % polygon.len()];
        let d = [b[0] - a[0], b[1] - a[1]];
        let e = [p[0] - a[0], p[1] - a[1]];
        let t = ((e[0] * d[0] + e[1] * d[1]) / (d[0] * d[0] + d[1] * d[1]).max(1e-9)).clamp(0.0, 1.0);
        best = best.min((e[0] - t * d[0]).hypot(e[1] - t * d[1]));
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{Matrix3, Vector3};

    fn around_a_disc(wall: Wall) -> (CameraPose, Vec<[f32; 2]>, Vec<[f32; 3]>, Surroundings) {
        let pose = CameraPose { rotation: Matrix3::identity(), translation: Vector3::new(0.0, 0.0, 97.0) };
        let ring: Vec<[f32; 3]> = (0..60)
            .map(|k| {
                let a = std::f32::consts::TAU * k as f32 / 60.0;
                [7.0 * a.cos(), 9.0 * a.sin(), 4.0]
            })
            .collect();
        let (border, depth): (Vec<_>, Vec<_>) = ring.iter().map(|&x| project(&pose, x)).unzip();
        let s = Surroundings::new(&pose, &border, &depth, &ring, wall, None).unwrap();
        (pose, border, ring, s)
    }

    #[test]
    fn an_unmoved_face_leaves_the_surroundings_where_they_are() {
        for wall in [Wall::Tied, Wall::Free { bottom: 640.0 }] {
            let (pose, border, ring, s) = around_a_disc(wall);
            let mut out = vec![[0.0; 2]; s.photo.len()];
            s.place([&pose, &pose], &border, &border, &ring, &mut vec![[0.0; 2]; 60], &mut out);
            for (a, b) in out.iter().zip(&s.photo) {
                assert!((a[0] - b[0]).abs() < 0.01 && (a[1] - b[1]).abs() < 0.01, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_turn_moves_the_hair_but_neither_the_frame_nor_the_corners() {
        let (mut pose, border, ring, s) = around_a_disc(Wall::Tied);
        let still = pose;
        pose.rotation = *nalgebra::Rotation3::from_axis_angle(&Vector3::z_axis(), 0.15).matrix();
        let now: Vec<[f32; 2]> = ring.iter().map(|&x| project(&pose, x).0).collect();
        let mut out = vec![[0.0; 2]; s.photo.len()];
        s.place([&pose, &still], &now, &border, &ring, &mut vec![[0.0; 2]; 60], &mut out);
        let shift = |q: [f32; 2]| {
            let near = |p: &[f32; 2]| (p[0] - q[0]).hypot(p[1] - q[1]);
            let i = (0..out.len()).min_by(|&a, &b| near(&s.photo[a]).total_cmp(&near(&s.photo[b]))).unwrap();
            (out[i][0] - s.photo[i][0]).hypot(out[i][1] - s.photo[i][1])
        };
        assert!(shift([256.0, 90.0]) > 10.0, "above the face: {}", shift([256.0, 90.0]));
        for corner in [[0.0, 0.0], [512.0, 0.0], [0.0, 512.0], [512.0, 512.0], [-128.0, 256.0], [640.0, 640.0]] {
            assert!(shift(corner) < 2.0, "{corner:?} moves by {}", shift(corner));
        }
    }

    /// How far the surroundings move at a place when the head moves from `still` to `pose`.
    fn shifts(wall: Wall, leant: &CameraPose, pose: &CameraPose, places: &[[f32; 2]]) -> Vec<[f32; 2]> {
        let (_, border, ring, s) = around_a_disc(wall);
        let now: Vec<[f32; 2]> = ring.iter().map(|&x| project(pose, x).0).collect();
        let mut out = vec![[0.0; 2]; s.photo.len()];
        s.place([pose, leant], &now, &border, &ring, &mut vec![[0.0; 2]; 60], &mut out);
        let at = |q: &[f32; 2]| {
            let near = |p: &[f32; 2]| (p[0] - q[0]).hypot(p[1] - q[1]);
            let i = (0..out.len()).min_by(|&a, &b| near(&s.photo[a]).total_cmp(&near(&s.photo[b]))).expect("a grid");
            [out[i][0] - s.photo[i][0], out[i][1] - s.photo[i][1]]
        };
        places.iter().map(at).collect()
    }

    #[test]
    fn hair_over_the_forehead_turns_with_it_and_the_outline_stays() {
        let (still, ..) = around_a_disc(Wall::Tied);
        let turn = *nalgebra::Rotation3::from_axis_angle(&Vector3::y_axis(), 0.35).matrix();
        let pivot = Vector3::from(PIVOT);
        let turned = CameraPose { rotation: turn, translation: still.translation + pivot - turn * pivot };
        let brow = project(&still, [0.0, 9.0, 4.0]).0;
        // above the forehead, at the crown, at both sides
        let places = [[brow[0], brow[1] - 18.0], [256.0, 70.0], [130.0, 200.0], [382.0, 200.0]];
        let moved = shifts(Wall::Free { bottom: 640.0 }, &still, &turned, &places);
        let forehead = project(&turned, [0.0, 9.0, 4.0]).0[0] - brow[0];
        assert!((moved[0][0] - forehead).abs() < 0.35 * forehead, "hair {:?}, forehead {forehead}", moved[0]);
        assert!((4.0..1.5 * forehead).contains(&moved[1][0]), "the crown: {:?}", moved[1]);
        assert!(moved[2][0].abs() < 9.0 && moved[3][0].abs() < 9.0, "the sides: {:?} {:?}", moved[2], moved[3]);
    }

    #[test]
    fn shoulders_lean_with_the_head_and_the_photos_lower_edge_stays() {
        let (still, ..) = around_a_disc(Wall::Tied);
        let near = CameraPose { translation: Vector3::new(2.0, 0.0, still.translation.z / 1.15), ..still };
        let places = [[120.0, 440.0], [400.0, 440.0], [256.0, 640.0]];
        let moved = shifts(Wall::Free { bottom: 640.0 }, &near, &near, &places);
        assert!(moved[1][0] - moved[0][0] > 8.0, "shoulders get wider: {moved:?}");
        assert!(moved[0][0] + moved[1][0] > 8.0, "and go to the side: {moved:?}");
        assert!(moved[2][0].abs() < 0.5 && moved[2][1].abs() < 0.5, "{moved:?}");
        let tied = shifts(Wall::Tied, &near, &near, &places[2..]);
        assert!(tied[0][0].abs() < 0.5, "a wall stays: {tied:?}");
    }

    #[test]
    fn triangles_cover_the_whole_picture() {
        let (_, border, _, s) = around_a_disc(Wall::Tied);
        let points: Vec<[f32; 2]> = s.photo.iter().chain(&border).copied().collect();
        let area: f64 = s
            .triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t.map(|i| points[i as usize]);
                f64::from(0.5 * ((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])).abs())
            })
            .sum();
        assert!((area - 768.0 * 768.0).abs() < 1.0, "{area}");
    }
}
