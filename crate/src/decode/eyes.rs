//! Eyeballs: the photo's sclera with the iris painted out, the photo's iris completed, and the light that it mirrors,
//! moved apart by the gaze; and what a lid needs that comes down.

use super::iris::{Circle, locate};
use super::lids::{TEXELS, to_texel};
use super::plan::{EyePlan, Line, POINTS, affine, area, resample};
use super::plane::{Plane, luminance, mean, quantile};
use super::pose::{pixels_per_cm, project, rotate, sideways};
use super::shapes::{Nearest, coverage, nearest};
use super::shut_lid::{Room, grain, lashes, without_eye};
use super::weights::smooth;
use crate::motion::Gaze;
use crate::portrait::FittedFace;
use crate::portrait::face_model::Contour;
use crate::portrait::fitted::{CameraPose, FOCAL, PAD, SIDE};
use bytemuck::Zeroable;
use nalgebra::{Rotation3, Vector3};

/// One eye of a portrait.
#[derive(Clone, Debug)]
pub(crate) struct Eye {
    center: [f32; 3],
    radius: f32,
    /// Direction of the gaze in the photo, head space.
    direction: Vector3<f32>,
    /// Crop pixels from corner to corner in the photo.
    width: f32,
    /// Height of the open eye in the photo, crop pixels.
    height: f32,
    /// Top left of the layers, texture pixels.
    origin: [f32; 2],
    /// Sclera, the iris painted out; alpha unused.
    pub sclera: Plane<4>,
    /// Iris, completed; alpha: its disc.
    pub iris: Plane<4>,
    /// Light mirrored in the iris; alpha: grain of the skin for a lid, 128 / 255 for none.
    pub surface: Plane<4>,
    /// What a shut lid shows; alpha: how much of it.
    pub lid: Plane<4>,
    lash: [f32; 3],
    /// Strength and length of the lashes, see [`lashes`].
    lashes: [[f32; 2]; POINTS],
    room: Room,
}

/// Where one eye's lids are in a frame.
pub(crate) struct LidState<'a> {
    /// Lid margins, crop pixels.
    pub upper: Line,
    /// Lower margin, crop pixels.
    pub lower: Line,
    /// The upper lid as open as in the photo, in head space.
    pub photo_upper: &'a [[f32; 3]],
    /// Opening, as a share of the photo's.
    pub open: f32,
}

/// Share of the iris' way that light mirrored in it moves: the cornea's centre of curvature lies half-way between the
/// eyeball's centre and the iris.
const GLINT_SHARE: f32 = 0.5;
/// Landmark in the middle of the subject's right iris.
const RIGHT_IRIS: usize = 468;
/// Landmarks along the lower edges of the subject's right and left brow.
const BROWS: [[usize; 5]; 2] = [[46, 53, 52, 65, 55], [276, 283, 282, 295, 285]];
/// An eye that the photo shows lower than this share of its width is shut: nothing can be said about its iris.
const SHUT: f32 = 0.07;

impl Eye {
    /// `(center, radius)`: of the eyeball, head space; `iris`: index of the iris' centre among the landmarks, four points
    /// of its rim follow; `source`: vertices as the photo shows them, crop pixels.
    pub fn new(
        face: &FittedFace,
        texture: &Plane<3>,
        (center, radius): ([f32; 3], f32),
        lids: &Contour,
        iris: usize,
        source: &[[f32; 2]],
    ) -> Self {
        let iris_at = face.landmarks[iris];
        let iris_radius = (1..5)
            .map(|k| face.landmarks[iris + k])
            .map(|p| (p[0] - iris_at[0]).hypot(p[1] - iris_at[1]))
            .fold(1.0, f32::max);
        let upper = resample(&lids.upper, |i| source[i as usize]);
        let lower = resample(&lids.lower, |i| source[i as usize]);
        let width = (upper[POINTS - 1][0] - upper[0][0]).hypot(upper[POINTS - 1][1] - upper[0][1]).max(4.0);
        // shut lids may be bowed: their gap counts
        let height = upper.iter().zip(&lower).map(|(u, l)| l[1] - u[1]).fold(0.0, f32::max);
        let mut edge = BROWS[usize::from(iris != RIGHT_IRIS)].map(|i| face.landmarks[i]);
        edge.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let room = Room::new(&upper, &edge, face.glasses);
        let layers = Layers::new(texture, &upper, &lower, iris_at, iris_radius, width, room);
        Self {
            center,
            radius,
            direction: gaze_direction(&face.pose, center, radius, layers.iris_at),
            width,
            height,
            origin: layers.origin,
            sclera: layers.sclera,
            iris: layers.iris,
            surface: layers.surface,
            lid: layers.lid,
            lash: layers.lash,
            lashes: lashes(layers.contrast, iris == RIGHT_IRIS),
            room,
        }
    }

    /// What is painted of this eye under `pose`; `photo`: the pose in the photo; `scale`, `size`: of the output.
    pub fn plan(
        &self,
        photo: &CameraPose,
        pose: &CameraPose,
        lids: &LidState,
        gaze: Gaze,
        scale: f32,
        size: f32,
    ) -> EyePlan {
        let mut plan = EyePlan::zeroed();
        let open = lids.open;
        // an iris whose lids cannot follow must not leave them
        let reach = if self.room.glasses { if gaze.y < 0.0 { 0.55 } else { 0.8 } } else { 1.0 };
        let own = self.direction.x.atan2(self.direction.z).to_degrees();
        let gaze = Gaze { x: sideways(own, gaze.x), y: reach * gaze.y };
        // behind glasses the lower lid cannot follow an eye that looks down, so the upper one comes further
        let follow = if self.room.glasses { 0.5 * gaze.y.to_radians().sin().max(0.0) } else { 0.0 };
        let closed = (1.0 - open + follow).clamp(0.0, 1.0);
        let (fold, margin): (Line, Line) = if self.room.glasses {
            let between = |k: usize, c: usize| lids.upper[k][c] + (lids.lower[k][c] - lids.upper[k][c]) * closed;
            (lids.upper, std::array::from_fn(|k| std::array::from_fn(|c| between(k, c))))
        } else {
            let ids: [u32; 64] = std::array::from_fn(|i| i as u32);
            let n = lids.photo_upper.len().min(64);
            let mut fold = resample(&ids[..n], |i| project(pose, lids.photo_upper[i as usize]).0);
            // lines that enclose something share their ends
            fold[0] = lids.upper[0];
            fold[POINTS - 1] = lids.upper[POINTS - 1];
            (fold, lids.upper)
        };
        for (k, out) in plan.lids.iter_mut().enumerate() {
            *out = [margin[k][0], margin[k][1], lids.lower[k][0], lids.lower[k][1]];
            plan.second[k] = [fold[k][0], fold[k][1], self.lashes[k][1], self.lashes[k][0]];
        }
        // socket: affine over points of the eyeball's front, so that the lids squeeze nothing
        let front = [[0.0f32, 0.0f32], [0.35, 0.0], [-0.35, 0.0], [0.0, 0.3], [0.0, -0.3]].map(|[a, b]| {
            let d = [a.sin(), b.sin(), a.cos() * b.cos()];
            std::array::from_fn(|c| self.center[c] + self.radius * d[c])
        });
        plan.to_photo = affine(&front.map(|x| project(pose, x).0), &front.map(|x| project(photo, x).0));
        let on_ball = |d: &Vector3<f32>| project(photo, std::array::from_fn(|c| self.center[c] + self.radius * d[c])).0;
        let turned = Rotation3::from_axis_angle(&Vector3::y_axis(), gaze.x.to_radians())
            * Rotation3::from_axis_angle(&Vector3::x_axis(), gaze.y.to_radians())
            * self.direction;
        let (now, was) = (on_ball(&turned), on_ball(&self.direction));
        plan.iris = [now[0], now[1], was[0], was[1]];
        let (dx, dy) = (now[0] - was[0], now[1] - was[1]);
        let way = dx.hypot(dy);
        if way > 1e-3 {
            let facing = |d: &Vector3<f32>| (photo.rotation * d).z.abs().max(0.5);
            let stretch = (facing(&self.direction) / facing(&turned) - 1.0) * (way / 0.3).min(1.0);
            plan.turn = [dx / way, dy / way, stretch, 0.0];
        }
        plan.layer = [self.origin[0], self.origin[1], self.sclera.width as f32, self.sclera.height as f32];
        let cm = pixels_per_cm(pose);
        // a lid that is half down keeps the strip that the photo shows, with its lashes
        let begin = if self.room.glasses { 0.0 } else { cm * (0.24 - 0.27 * smooth(closed, 0.35, 0.95)) };
        plan.glint = [GLINT_SHARE * dx, GLINT_SHARE * dy, 0.0, 0.0];
        plan.lash = [self.lash[0], self.lash[1], self.lash[2], smooth(closed, 0.5, 0.95)];
        // an eye that does not move is the photo's
        let moved = smooth(way + self.height * (1.0 - open).abs(), 0.05, 0.8);
        let seen = (open > 0.03 || self.room.glasses) && self.height > SHUT * self.width;
        let ball = if seen { moved } else { 0.0 };
        plan.shade = [0.45 * closed, 0.10 * self.width, ball, cm];
        // behind glasses the photo's open eye lies below the lid, else stretched skin
        let strength = if self.room.glasses { smooth(closed, 0.01, 0.04) } else { smooth(closed, 0.15, 0.55) };
        plan.lid = [strength, begin, 0.07, self.width];
        if ball > 0.0 || strength > 0.0 {
            let [x, y] = [fold[POINTS - 1][0] - fold[0][0], fold[POINTS - 1][1] - fold[0][1]];
            let (above, beside) = if strength > 0.0 { (self.room.most(), self.room.beside) } else { (0.0, 0.0) };
            let up = fold.map(|p| [p[0] + above * y, p[1] - above * x]);
            let wide = [-beside, 1.0 + beside].map(|t| [fold[0][0] + t * x, fold[0][1] + t * y]);
            let lids = lids.upper.into_iter().chain(lids.lower);
            plan.area = area(lids.chain(fold).chain(up).chain(wide), 10.0, scale, size);
        }
        plan
    }
}

/// Direction from the eyeball's centre to where the ray through a photo pixel meets it, head space.
fn gaze_direction(pose: &CameraPose, center: [f32; 3], radius: f32, pixel: [f32; 2]) -> Vector3<f32> {
    let t = &pose.translation;
    let ray = Vector3::new((pixel[0] - SIDE / 2.0) / (FOCAL * SIDE), -(pixel[1] - SIDE / 2.0) / (FOCAL * SIDE), -1.0);
    let c = Vector3::from(rotate(pose, center)) + Vector3::new(t.x, t.y, -t.z);
    let (a, b) = (ray.dot(&ray), ray.dot(&c));
    let disc = (b * b - a * (c.dot(&c) - radius * radius)).max(0.0);
    let hit = ray * ((b - disc.sqrt()) / a);
    (pose.rotation.transpose() * (hit - c)).normalize()
}

/// The white of an eye is at least this bright, as a share of the skin around it.
const DARKEST_WHITE: f32 = 0.62;

struct Layers {
    origin: [f32; 2],
    sclera: Plane<4>,
    iris: Plane<4>,
    surface: Plane<4>,
    lid: Plane<4>,
    lash: [f32; 3],
    /// How much darker than skin the line is that lashes draw along the open lid, 0..1.
    contrast: f32,
    /// Centre of the iris, crop pixels.
    iris_at: [f32; 2],
}

impl Layers {
    fn new(
        texture: &Plane<3>,
        upper: &Line,
        lower: &Line,
        iris_at: [f32; 2],
        iris_radius: f32,
        width: f32,
        room: Room,
    ) -> Self {
        let (upper, lower) = (upper.map(to_texel), lower.map(to_texel));
        let pad = 0.45 * width * TEXELS;
        let bounds = area(upper.into_iter().chain(lower), pad, 1.0, f32::MAX);
        let limit = |x: f32| x.clamp(0.0, texture.width as f32) as isize;
        let (x0, y0) = (limit(bounds[0]), limit(bounds[1]));
        let rgb = texture.window(x0, y0, limit(bounds[2]).max(x0 + 1), limit(bounds[3]).max(y0 + 1));
        let (w, h) = (rgb.width, rgb.height);
        let centre = |x: usize, y: usize| [(x0 + x as isize) as f32 + 0.5, (y0 + y as isize) as f32 + 0.5];
        let inside = Plane::<1>::from_fn(w, h, |x, y| {
            [coverage(&nearest(centre(x, y), &upper), &nearest(centre(x, y), &lower), 0.6)]
        });
        let lum = rgb.map(|c| [luminance(c)]);
        let core = inside.map(|a| [if a[0] > 0.9 { 1.0 } else { 0.0 }]).erode();
        let corner = [x0 as f32, y0 as f32];
        let read = to_texel(iris_at);
        let read = Circle { centre: [read[0] - corner[0], read[1] - corner[1]], radius: iris_radius * TEXELS };
        let found = locate(&lum.blur(0.8), &core, read);
        let middle = [found.centre[0] + corner[0], found.centre[1] + corner[1]];
        let radius = Plane::<1>::from_fn(w, h, |x, y| {
            let p = centre(x, y);
            [(p[0] - middle[0]).hypot(p[1] - middle[1]) / found.radius]
        });
        let iris_at = [middle[0], middle[1]].map(|v| v / TEXELS - PAD * SIDE);
        let every = || 0..w * h;

        // sclera: the photo where it is seen, elsewhere a normalised blur of its white at three scales
        let white = |i: &usize| core.data[*i][0] > 0.0 && radius.data[*i][0] > 1.34;
        let mut whites: Vec<usize> = every().filter(white).collect();
        let usual = quantile(whites.iter().map(|&i| lum.data[i][0]), 0.75).max(1.0);
        if whites.len() > 12 {
            // no lashes, no lid edge
            whites.retain(|&i| lum.data[i][0] > 0.80 * usual);
        }
        let fill = if whites.len() > 12 {
            let mut seen = Plane::<4>::from_fn(w, h, |_, _| [0.0; 4]);
            for &i in &whites {
                let c = rgb.data[i];
                // the lighter, the surer it is white and not shadow or rim
                let sure = (lum.data[i][0] / usual).min(1.1).powi(4);
                seen.data[i] = [sure * c[0], sure * c[1], sure * c[2], sure];
            }
            let mut sum = Plane::<4>::from_fn(w, h, |_, _| [0.0; 4]);
            for (sigma, weight) in [(0.06, 1.0), (0.18, 0.05), (0.5, 0.002)] {
                for (s, b) in sum.data.iter_mut().zip(&seen.blur(sigma * width * TEXELS).data) {
                    for (s, b) in s.iter_mut().zip(b) {
                        *s += weight * b;
                    }
                }
            }
            sum.map(|s| [s[0] / s[3].max(1e-7), s[1] / s[3].max(1e-7), s[2] / s[3].max(1e-7)])
        } else {
            let inner = || every().filter(|&i| core.data[i][0] > 0.0);
            let plain = std::array::from_fn(|c| {
                if inner().next().is_some() { quantile(inner().map(|i| rgb.data[i][c]), 0.8) } else { 180.0 }
            });
            rgb.map(|_| plain)
        };
        // a slit shows no white: what comes into sight is never much darker than the skin around it
        let skin = without_eye(&rgb, centre, (&upper, &lower), room);
        let around = quantile(every().filter(|&i| core.data[i][0] > 0.0).map(|i| luminance(rgb_of(skin.data[i]))), 0.5);
        let fill = fill.map(|c| {
            let more = (DARKEST_WHITE * around / luminance(c).max(1.0)).clamp(1.0, 2.5);
            // what is made lighter is made of grey
            let grey = 0.6 * (1.0 - 1.0 / more);
            c.map(|v| more * (v + (luminance(c) - v) * grey))
        });
        // up to the lids' edges, so that an eye that hardly moves keeps the photo's own shadow of lids and lashes
        let see = Plane::<1>::from_fn(w, h, |x, y| {
            let i = y * w + x;
            [if inside.data[i][0] > 0.3 { smooth(radius.data[i][0], 1.22, 1.48) } else { 0.0 }]
        })
        .blur(0.7);
        // what the photo does not show lies in the shadow of the upper lid too
        let shaded = |x: usize, y: usize| {
            let down = |p: &Nearest| (-p.distance / (0.10 * width * TEXELS)).exp();
            let p = centre(x, y);
            1.0 - 0.18 * down(&nearest(p, &upper)) - 0.14 * down(&nearest(p, &lower))
        };
        let blend = |a: [f32; 3], b: [f32; 3], t: f32, alpha: f32| {
            [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t, alpha]
        };
        let at = |x: usize, y: usize| y * w + x;
        let sclera = Plane::from_fn(w, h, |x, y| {
            let i = at(x, y);
            blend(fill.data[i].map(|v| v * shaded(x, y)), rgb.data[i], see.data[i][0], 1.0)
        });

        // iris: the photo where it is seen, elsewhere the mean colour at that radius
        let on_iris = |i: usize| core.data[i][0] > 0.0 && radius.data[i][0] < 1.25;
        let ring = rings(&rgb, &radius, on_iris);
        let of_ring = |ring: &[[f32; 3]; 16], r: f32| -> [f32; 3] {
            let place = (r * 12.0 - 0.5).clamp(0.0, 15.0);
            let k = (place as usize).min(14);
            std::array::from_fn(|c| ring[k][c] + (ring[k + 1][c] - ring[k][c]) * (place - k as f32))
        };
        // light that it mirrors is far brighter than the rest of its ring, and nearly as bright as the white
        let bright = 0.8 * quantile(whites.iter().map(|&i| lum.data[i][0]), 0.5);
        let mirrors = Plane::<1>::from_fn(w, h, |x, y| {
            let (i, r) = (at(x, y), radius.data[at(x, y)][0]);
            let over = lum.data[i][0] - bright.max(luminance(of_ring(&ring, r)) + 30.0);
            [if on_iris(i) && r < 1.0 { smooth(over, 0.0, 20.0) } else { 0.0 }]
        })
        .dilate()
        .dilate()
        .blur(0.8);
        let ring = rings(&rgb, &radius, |i| on_iris(i) && mirrors.data[i][0] < 0.05);
        let clean = |i: usize| blend(rgb.data[i], of_ring(&ring, radius.data[i][0]), mirrors.data[i][0], 0.0);
        let visible = inside.map(|a| [if a[0] > 0.95 { 1.0 } else { 0.0 }]).erode().blur(1.0);
        let iris = Plane::from_fn(w, h, |x, y| {
            let i = at(x, y);
            let (r, [red, green, blue, _]) = (radius.data[i][0], clean(i));
            blend(of_ring(&ring, r), [red, green, blue], visible.data[i][0], 1.0 - smooth(r, 1.06, 1.22))
        });
        let below = (0.16 * width * TEXELS + (bounds[3] - bounds[1] - 2.0 * pad)) as isize;
        let grain = grain(texture, (x0, y0), (w, h), below);
        let surface = Plane::from_fn(w, h, |x, y| {
            let i = at(x, y);
            let seen = visible.data[i][0] * (1.0 - smooth(radius.data[i][0], 1.0, 1.1));
            let light = |c: usize| ((rgb.data[i][c] - clean(i)[c]) * seen).max(0.0);
            [light(0), light(1), light(2), (128.0 + grain.data[i][0]) / 255.0]
        });
        let dark = quantile(lum.data.iter().map(|l| l[0]), 0.06);
        let lashes: Vec<[f32; 3]> = every().filter(|&i| lum.data[i][0] <= dark).map(|i| rgb.data[i]).collect();
        let place = |k: usize| [upper[k][0] - x0 as f32, upper[k][1] - y0 as f32];
        let contrast = (3..POINTS - 3).map(|k| {
            let ([x, y], step) = (place(k), 0.01 * width * TEXELS);
            let darkest = (0..6).map(|i| lum.bilinear(x, y - step * i as f32)[0]).fold(f32::INFINITY, f32::min);
            1.0 - darkest / luminance(rgb_of(skin.bilinear(x, y))).max(1.0)
        });
        let contrast = quantile(contrast, 0.5);
        Self {
            origin: [x0 as f32, y0 as f32],
            sclera,
            iris,
            surface,
            lid: skin,
            lash: mean(&lashes),
            contrast,
            iris_at,
        }
    }
}

fn rgb_of([r, g, b, _]: [f32; 4]) -> [f32; 3] {
    [r, g, b]
}

/// Mean colour at 16 radii (a twelfth of an iris radius apart); radii that are not seen take their neighbours'.
fn rings(rgb: &Plane<3>, radius: &Plane<1>, seen: impl Fn(usize) -> bool) -> [[f32; 3]; 16] {
    let mut sum = [[0.0f32; 4]; 16];
    for (i, c) in rgb.data.iter().enumerate().filter(|(i, _)| seen(*i)) {
        let s = &mut sum[((radius.data[i][0] * 12.0) as usize).min(15)];
        for (s, c) in s.iter_mut().zip(c) {
            *s += c;
        }
        s[3] += 1.0;
    }
    let known: Vec<usize> = (0..16).filter(|&k| sum[k][3] > 2.0).collect();
    std::array::from_fn(|k| {
        let nearest = known.iter().min_by_key(|&&j| j.abs_diff(k));
        nearest.map_or([60.0; 3], |&j| std::array::from_fn(|c| sum[j][c] / sum[j][3]))
    })
}
