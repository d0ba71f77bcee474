//! The light of a photo, read from the skin.
//!
//! Whatever lamps and windows there are, matte skin of one colour reflects very nearly a quadratic polynomial of its
//! normal: the light's spherical harmonics up to the second order, damped by the cosine law (Ramamoorthi and Hanrahan,
//! "An Efficient Representation for Irradiance Environment Maps", 2001). Nine numbers are fitted to the brightness of
//! the face over the normals of its 3-D model. What is no bare skin (hair, beard, lips, brows, eyes, shine) is kept out
//! by place, by colour and by robust weights.

use super::face_model::FaceModel;
use super::fitted::{CameraPose, FOCAL, SIDE};
use super::normals::vertex_normals;
use super::patch::{Patch, inside, luminance, percentile};
use super::{crop::to_texture, solve::project};
use nalgebra::{SMatrix, SVector};

/// Coefficients of the light.
pub const HARMONICS: usize = 9;
/// Least brightness of skin in no light, relative to the mean of the face.
const DARKEST: f32 = 0.2;
/// Cosine of skin and view below which skin is seen too flatly to tell anything.
const FACING: f32 = 0.35;
/// How strongly each coefficient is held at that of plain light from the front, as a share of all samples' weight:
/// a face shows less than half of all directions, and its lower half may be darker of itself.
const HOLD: [f32; HARMONICS] = [0.0, 0.01, 0.008, 0.008, 0.03, 0.03, 0.03, 0.03, 0.03];
/// Coefficient of the light that is assumed where nothing can be read: along the view.
const FRONT: f32 = 0.25;
/// Least spread that is assumed: skin is never of one colour.
const EVEN: f32 = 0.06;
/// Rounds of robust weighting.
const ROUNDS: usize = 12;
/// Fewest samples that tell something.
const FEWEST: usize = 60;

/// Landmarks around the lips.
const LIPS: [usize; 20] = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185];
/// Landmarks that no skin is taken near to, and how near (cm): lids, brows, lips, nostrils.
const KEEP_OFF: [(&[usize], f32); 4] = [
    (
        &[
            33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 263, 249, 390, 373, 374, 380,
            381, 382, 362, 398, 384, 385, 386, 387, 388, 466,
        ],
        0.40,
    ),
    (&[70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 300, 293, 334, 296, 336, 285, 295, 282, 283, 276], 0.45),
    (&LIPS, 0.25),
    (&[2, 97, 326, 98, 327, 60, 290, 20, 250], 0.35),
];

/// Light that falls on the face, in the camera's axes: +x the image's right, +y up, +z towards the camera. It stays
/// where it is when the head turns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// Brightness that bare skin has by its normal, relative to the mean of the visible face, as coefficients of
    /// [`harmonics`].
    pub coefficients: [f32; HARMONICS],
    /// Colour of skin of relative brightness 1, RGB 0..255.
    pub skin: [f32; 3],
    /// Spread of the skin's brightness that the light does not explain, relative (about 0.05 for even skin).
    pub residual: f32,
}

/// The nine harmonics of a unit normal, damped by the cosine law and scaled so that the first is 1: order 0; order 1 in
/// x, y, z; order 2 in xy, yz, xz, 3 z² - 1, x² - y².
pub fn harmonics([x, y, z]: [f32; 3]) -> [f32; HARMONICS] {
    // the cosine law leaves 2/3 of order 1 and 1/4 of order 2; times the norms of the harmonics
    const ONE: f32 = 1.154_700_5; // 2/3 sqrt(3)
    const TWO: f32 = 0.968_245_8; // 1/4 sqrt(15)
    const ALONG: f32 = 0.279_508_5; // 1/4 sqrt(5) / 2
    [
        1.0,
        ONE * x,
        ONE * y,
        ONE * z,
        TWO * x * y,
        TWO * y * z,
        TWO * x * z,
        ALONG * (3.0 * z * z - 1.0),
        0.5 * TWO * (x * x - y * y),
    ]
}

/// A piece of skin.
#[derive(Clone, Copy, Debug)]
struct Sample {
    normal: [f32; 3],
    colour: [f32; 3],
    weight: f32,
}

impl Default for Light {
    /// Plain light, mostly from the front.
    fn default() -> Self {
        let mut coefficients = [0.0; HARMONICS];
        coefficients[0] = 1.0 - FRONT;
        coefficients[3] = FRONT;
        Self { coefficients, skin: [150.0; 3], residual: 0.3 }
    }
}

impl Light {
    /// Reads the light from a fitted photo. `texture`, `landmarks` as in [`super::FittedFace`], `photo`: the vertices
    /// as the photo shows them. Without enough skin the light is the default.
    pub fn fit(
        model: &FaceModel,
        texture: &[f32],
        landmarks: &[[f32; 2]],
        pose: &CameraPose,
        photo: &[[f32; 3]],
    ) -> Self {
        Self::of_samples(samples(model, texture, landmarks, pose, photo))
    }

    /// Brightness of skin with this unit normal (camera axes), relative to the mean of the visible face. Never 0.
    pub fn shade(&self, normal: [f32; 3]) -> f32 {
        let sum: f32 = self.coefficients.iter().zip(harmonics(normal)).map(|(c, h)| c * h).sum();
        sum.max(DARKEST)
    }

    /// The direction from which most light comes, a unit vector in camera axes.
    pub fn towards(&self) -> [f32; 3] {
        let [_, x, y, z, ..] = self.coefficients;
        let length = (x * x + y * y + z * z).sqrt();
        if length > 1e-6 { [x / length, y / length, z / length] } else { [0.0, 0.0, 1.0] }
    }

    /// How much the light comes from one side: 0 as in fog, 1 as from a single lamp.
    pub fn directness(&self) -> f32 {
        let [c, x, y, z, ..] = self.coefficients;
        ((x * x + y * y + z * z).sqrt() / (3f32.sqrt() * c.max(1e-3))).min(1.0)
    }

    fn of_samples(mut samples: Vec<Sample>) -> Self {
        let default = Self::default();
        if samples.len() < FEWEST {
            return default;
        }
        weigh_by_colour(&mut samples);
        let mut levels: Vec<f32> = samples.iter().map(|s| luminance(s.colour)).collect();
        let typical = percentile(&mut levels, 0.5);
        let total: f32 = samples.iter().map(|s| s.weight).sum();
        if typical < 4.0 || total.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
            return default;
        }
        let mut light = Self { coefficients: [0.0; HARMONICS], ..default };
        let mut robust = vec![1.0; samples.len()];
        for _ in 0..ROUNDS {
            let Some(coefficients) = solve(&samples, &robust, typical) else { return default };
            light.coefficients = coefficients;
            let now = light;
            let error = |s: &Sample| luminance(s.colour) / typical / now.shade(s.normal) - 1.0;
            let mut sizes: Vec<f32> = samples.iter().map(|s| error(s).abs()).collect();
            let sigma = (1.48 * percentile(&mut sizes, 0.5)).max(EVEN);
            light.residual = sigma;
            for (w, s) in robust.iter_mut().zip(&samples) {
                let x = error(s) / (3.0 * sigma);
                *w = (1.0 - x * x).max(0.0).powi(2);
            }
        }
        // brightness 1 is the mean of the skin
        let (mut sum, mut level, mut colour) = (0.0, 0.0, [0.0; 3]);
        for (s, r) in samples.iter().zip(&robust) {
            let w = s.weight * r;
            sum += w;
            level += w * light.shade(s.normal);
            colour.iter_mut().zip(s.colour).for_each(|(c, v)| *c += w * v);
        }
        if sum < 0.05 * total || level <= 0.0 {
            return default;
        }
        light.coefficients = light.coefficients.map(|c| c * sum / level);
        light.skin = colour.map(|c| c / sum);
        if light.coefficients.iter().chain(&light.skin).all(|v| v.is_finite()) { light } else { default }
    }
}

/// Weighted least squares with the coefficients held near plain light.
fn solve(samples: &[Sample], robust: &[f32], typical: f32) -> Option<[f32; HARMONICS]> {
    let mut matrix = SMatrix::<f64, HARMONICS, HARMONICS>::zeros();
    let mut right = SVector::<f64, HARMONICS>::zeros();
    let mut total = 0.0;
    for (s, r) in samples.iter().zip(robust) {
        let w = f64::from(s.weight * r);
        let h = SVector::<f64, HARMONICS>::from_iterator(harmonics(s.normal).map(f64::from));
        matrix.ger(w, &h, &h, 1.0);
        right.axpy(w * f64::from(luminance(s.colour) / typical), &h, 1.0);
        total += w;
    }
    for (i, hold) in HOLD.iter().enumerate() {
        matrix[(i, i)] += total * f64::from(*hold);
    }
    right[3] += total * f64::from(HOLD[3] * FRONT);
    let solution = matrix.cholesky()?.solve(&right);
    let coefficients: [f32; HARMONICS] = std::array::from_fn(|i| solution[i] as f32);
    coefficients.iter().all(|c| c.is_finite()).then_some(coefficients)
}

/// Skin has one hue: what differs from the middle counts less.
fn weigh_by_colour(samples: &mut [Sample]) {
    let hue = |s: &Sample| {
        let sum = (s.colour[0] + s.colour[1] + s.colour[2]).max(1.0);
        [s.colour[0] / sum, s.colour[1] / sum]
    };
    let middle = [0, 1].map(|c| percentile(&mut samples.iter().map(|s| hue(s)[c]).collect::<Vec<_>>(), 0.5));
    let away = |s: &Sample| {
        let [r, g] = hue(s);
        (r - middle[0]).hypot(g - middle[1])
    };
    let spread = percentile(&mut samples.iter().map(away).collect::<Vec<_>>(), 0.5) * 3.0 + 0.01;
    for s in samples {
        s.weight *= (-0.5 * (away(s) / spread).powi(2)).exp();
    }
}

/// The visible pieces of skin, one to a triangle.
fn samples(
    model: &FaceModel,
    texture: &[f32],
    landmarks: &[[f32; 2]],
    pose: &CameraPose,
    photo: &[[f32; 3]],
) -> Vec<Sample> {
    let n = model.skin.end;
    let triangles: Vec<[u32; 3]> =
        model.triangles.iter().filter(|t| t.iter().all(|&i| (i as usize) < n)).copied().collect();
    let mut normals = vec![[0.0; 3]; n];
    vertex_normals(&triangles, &photo[..n], &mut normals);
    let patch = Patch::around(texture, landmarks.iter().map(|&p| to_texture(p)), 20.0).blurred(2.5);
    let lips = LIPS.map(|i| landmarks[i]);
    let cm = FOCAL * SIDE / pose.translation.z;
    let mut out = Vec::new();
    for t in &triangles {
        let corners = t.map(|i| photo[i as usize]);
        let middle = std::array::from_fn(|c| (corners[0][c] + corners[1][c] + corners[2][c]) / 3.0);
        let normal: [f32; 3] = std::array::from_fn(|c| t.iter().map(|&i| normals[i as usize][c]).sum());
        let normal = pose.rotation * nalgebra::Vector3::from(normal);
        let length = normal.norm();
        let (at, _) = project(pose, middle);
        let view = nalgebra::Vector3::new(0.0, 0.0, pose.translation.z)
            - (pose.rotation * nalgebra::Vector3::from(middle)
                + nalgebra::Vector3::new(pose.translation.x, pose.translation.y, 0.0));
        let facing = normal.dot(&view) / (length * view.norm()).max(1e-9);
        let hidden = facing < FACING
            || !(0.0..SIDE).contains(&at[0])
            || !(0.0..SIDE).contains(&at[1])
            || inside(&lips, at)
            || KEEP_OFF.iter().any(|(ids, reach)| {
                ids.iter().any(|&i| (landmarks[i][0] - at[0]).hypot(landmarks[i][1] - at[1]) < reach * cm)
            });
        if hidden {
            continue;
        }
        let [p, q, r] = corners.map(|x| project(pose, x).0);
        let area = 0.5 * ((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])).abs();
        let unit = normal / length;
        out.push(Sample {
            normal: [unit.x, unit.y, unit.z],
            colour: patch.bilinear(to_texture(at)),
            weight: area * facing,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::fitted::TEX_FULL;
    use super::super::testing::{made_up, model, shape_of};
    use super::*;

    /// Light of one lamp in fog.
    fn lamp(direction: [f32; 3], fog: f32) -> impl Fn([f32; 3]) -> f32 {
        let length = direction.map(|d| d * d).iter().sum::<f32>().sqrt();
        move |n: [f32; 3]| fog + n.iter().zip(direction).map(|(a, b)| a * b / length).sum::<f32>().max(0.0)
    }

    /// Normals of the half of a sphere that a camera sees.
    fn half_sphere() -> impl Iterator<Item = [f32; 3]> {
        (-20..=20).flat_map(|j| (-20..=20).map(move |i| [i as f32 / 21.0, j as f32 / 21.0])).filter_map(|[x, y]| {
            let z = 1.0 - x * x - y * y;
            (z > 0.1).then(|| [x, y, z.max(0.0).sqrt()])
        })
    }

    fn angle(a: [f32; 3], b: [f32; 3]) -> f32 {
        let length = b.map(|d| d * d).iter().sum::<f32>().sqrt();
        (a.iter().zip(b).map(|(a, b)| a * b / length).sum::<f32>()).clamp(-1.0, 1.0).acos().to_degrees()
    }

    #[test]
    fn a_sphere_tells_where_its_lamp_hangs() {
        for direction in [[0.6, 0.3, 0.7], [-0.8, 0.2, 0.5], [0.0, 0.9, 0.5]] {
            let truth = lamp(direction, 0.4);
            let samples: Vec<Sample> = half_sphere()
                .map(|normal| {
                    let level = 120.0 * truth(normal);
                    Sample { normal, colour: [level, 0.8 * level, 0.7 * level], weight: 1.0 }
                })
                .collect();
            let light = Light::of_samples(samples);
            assert!(angle(light.towards(), direction) < 12.0, "{direction:?}: {:?}", light.towards());
            // a lamp's terminator is sharper than nine numbers can say
            let scale = half_sphere().map(|n| light.shade(n) / truth(n)).sum::<f32>() / half_sphere().count() as f32;
            let error: f32 = half_sphere().map(|n| (light.shade(n) / truth(n) / scale - 1.0).abs()).sum();
            let error = error / half_sphere().count() as f32;
            assert!(error < 0.15, "{direction:?}: {error}");
            assert!(light.directness() > 0.15, "{}", light.directness());
        }
    }

    /// A made-up head whose skin is painted by `colour` of normal and place (head space).
    fn painted(colour: impl Fn([f32; 3], [f32; 3]) -> [f32; 3]) -> Light {
        let model = model();
        let head = made_up(model, [6.0, -3.0, 2.0], 11);
        let photo = shape_of(model, &head.identity, &head.expression);
        let n = model.skin.end;
        let triangles: Vec<[u32; 3]> =
            model.triangles.iter().filter(|t| t.iter().all(|&i| (i as usize) < n)).copied().collect();
        let mut normals = vec![[0.0; 3]; n];
        vertex_normals(&triangles, &photo[..n], &mut normals);
        let mut texture = vec![30.0; TEX_FULL * TEX_FULL * 3];
        let mut depth = vec![f32::INFINITY; TEX_FULL * TEX_FULL];
        for t in &triangles {
            let points = t.map(|i| project(&head.pose, photo[i as usize]));
            let [a, b, c] = points.map(|(p, _)| to_texture(p));
            let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
            let range = |k: usize| {
                let (lo, hi) = (a[k].min(b[k]).min(c[k]), a[k].max(b[k]).max(c[k]));
                lo.max(0.0) as usize..(hi.max(0.0) as usize + 1).min(TEX_FULL)
            };
            for y in range(1) {
                for x in range(0) {
                    let p = [x as f32 + 0.5, y as f32 + 0.5];
                    let v = ((p[0] - a[0]) * (c[1] - a[1]) - (p[1] - a[1]) * (c[0] - a[0])) / area;
                    let w = ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])) / area;
                    let share = [1.0 - v - w, v, w];
                    let z: f32 = share.iter().zip(points).map(|(s, (_, d))| s * d).sum();
                    if share.iter().all(|&s| s >= -1e-4) && z < depth[y * TEX_FULL + x] {
                        depth[y * TEX_FULL + x] = z;
                        let mix = |of: &[[f32; 3]]| -> [f32; 3] {
                            std::array::from_fn(|k| (0..3).map(|i| share[i] * of[t[i] as usize][k]).sum())
                        };
                        let normal = head.pose.rotation * nalgebra::Vector3::from(mix(&normals)).normalize();
                        let rgb = colour([normal.x, normal.y, normal.z], mix(&photo));
                        texture[(y * TEX_FULL + x) * 3..][..3].copy_from_slice(&rgb);
                    }
                }
            }
        }
        let mut landmarks = head.points;
        landmarks.resize(478, [0.0; 2]);
        Light::fit(model, &texture, &landmarks, &head.pose, &photo)
    }

    fn skin_in(light: impl Fn([f32; 3]) -> f32) -> impl Fn([f32; 3]) -> [f32; 3] {
        move |n| [165.0, 125.0, 105.0].map(|c| c * light(n))
    }

    #[test]
    fn a_head_tells_the_light_even_with_a_beard_and_shine() {
        for direction in [[0.7, 0.3, 0.6], [-0.5, 0.4, 0.8]] {
            let skin = skin_in(lamp(direction, 0.5));
            let plain = painted(|n, _| skin(n));
            assert!(angle(plain.towards(), direction) < 25.0, "{direction:?}: {:?}", plain.towards());
            assert!(plain.residual < 0.12, "{}", plain.residual);
            assert!(plain.skin[0] > plain.skin[1] && plain.skin[1] > plain.skin[2], "{:?}", plain.skin);
            let hairy = painted(|n, x| {
                let shine = n[2] > 0.985;
                if x[1] < -4.0 {
                    [45.0, 35.0, 30.0]
                } else if shine {
                    [250.0; 3]
                } else {
                    skin(n)
                }
            });
            for n in half_sphere().filter(|n| n[2] > 0.5) {
                let ratio = hairy.shade(n) / plain.shade(n);
                assert!((ratio - 1.0).abs() < 0.2, "{direction:?}: {ratio} at {n:?}");
            }
        }
    }

    #[test]
    fn the_mean_of_the_face_has_brightness_one() {
        let light = painted(|n, _| skin_in(lamp([0.2, 0.2, 1.0], 0.3))(n));
        assert!((0.9..1.25).contains(&light.shade([0.0, 0.0, 1.0])), "{light:?}");
    }

    #[test]
    fn nothing_to_see_is_plain_light() {
        assert_eq!(painted(|_, _| [0.0; 3]), Light::default());
        assert_eq!(Light::of_samples(Vec::new()), Light::default());
        let odd = Sample { normal: [f32::NAN; 3], colour: [f32::NAN; 3], weight: 1.0 };
        assert_eq!(Light::of_samples(vec![odd; 100]), Light::default());
        assert!(Light::default().shade([0.0, 0.0, -1.0]) > 0.0);
    }
}
