//! Folds of the skin that come with an expression and fade with it.
//!
//! Once per portrait a small picture in the photo's own coordinates: how much darker or brighter the skin gets at full
//! strength. Where the photo is calm it holds grooves drawn along lines between landmarks, lit by the photo's light;
//! where the photo smiles it holds the photo's own folds, which are divided out as the smile goes. Per frame one number
//! a vertex says how strong they are.

use super::fold_curve::{Line, beside, lines, taper};
use super::fold_ground::{Ground, unit};
use super::fold_lines::{CAUSES, GROUPS, Group};
use super::plan::Tone;
use super::plane::Plane;
use super::weights::smooth;
use crate::portrait::{FaceModel, FittedFace};

/// Largest change of brightness in the map; values are kept as bytes.
pub(crate) const DEEPEST: f32 = 0.6;
/// Weights of the photo's expression over which its own folds take the place of drawn ones.
const OWN: (f32, f32) = (0.15, 0.45);
/// Weights of a smile over which the hollows beside its corners come to be there: sooner than its folds.
const HOLLOW: (f32, f32) = (0.08, 0.22);
/// How much of their darkness goes with the smile; more than 1, because other groups have a part of the skin there.
const HOLLOW_GOES: f32 = 1.5;
/// Swelling on both sides of a groove that has no far side, as a share of its depth.
const ROLL: f32 = 0.5;
/// How much an expression deepens fine wrinkles that the photo shows at its folds.
const AMPLIFY: f32 = 0.7;
/// Strength of the brows' folds above glasses, where the skin itself does not move.
const ABOVE_GLASSES: f32 = 0.5;
/// Share of the change that red makes.
const RED: f32 = 0.75;
/// Largest level of a group: a photo that seems to frown may frown more.
const MOST_LEVEL: f32 = 1.6;

/// The folds of one portrait.
#[derive(Clone, Debug)]
pub(crate) struct Folds {
    /// Logarithm of the change of brightness at full strength; one pixel to a crop pixel.
    pub map: Plane<1>,
    /// Crop pixel of the map's top left.
    pub origin: [f32; 2],
    /// Vertices of each group and their share in it.
    vertices: [Vec<(u32, f32)>; GROUPS],
    /// Expressions that bring each group, and their weights.
    causes: [Vec<(usize, f32)>; GROUPS],
    /// Level of each group in the photo.
    photo: [f32; GROUPS],
}

impl Folds {
    /// `photo`: skin vertices as the photo shows them; `triangles`: of the skin; `source`: crop pixels of the vertices;
    /// `texture`: the photo.
    pub fn new(
        model: &FaceModel,
        face: &FittedFace,
        texture: &Plane<3>,
        triangles: &[[u32; 3]],
        photo: &[[f32; 3]],
        source: &[[f32; 2]],
    ) -> Self {
        let causes = causes(model);
        let level = |g: usize| level(&causes[g], &face.expression);
        let photo_level: [f32; GROUPS] = std::array::from_fn(level);
        let ground = Ground::new(face, texture, triangles, photo, source);
        let mut lines = lines(&face.landmarks, ground.cm);
        for line in &mut lines {
            if matches!(line.group, Group::SmileRight | Group::SmileLeft) {
                ground.settle(line);
            }
        }
        let vertices = footprints(&lines, face, &source[..photo.len()], ground.cm);
        let map = map(&ground, &lines, face, &photo_level);
        Self { map, origin: ground.origin, vertices, causes, photo: photo_level }
    }

    /// Change of brightness at a crop pixel of the photo for folds of this strength; 0 outside of the map.
    #[inline]
    pub fn factor(&self, x: f32, y: f32, strength: f32) -> [f32; 3] {
        let (x, y) = (x - self.origin[0] - 0.5, y - self.origin[1] - 0.5);
        let (column, row) = (x as usize, y as usize);
        let (width, height) = (self.map.width, self.map.height);
        if !(x >= 0.0 && y >= 0.0 && column + 1 < width && row + 1 < height) {
            return [1.0; 3];
        }
        let (u, v) = (x - column as f32, y - row as f32);
        let at = row * width + column;
        let ([[a], [b]], [[c], [d]]) =
            ([self.map.data[at], self.map.data[at + 1]], [self.map.data[at + width], self.map.data[at + width + 1]]);
        let (top, bottom) = (a + (b - a) * u, c + (d - c) * u);
        factor(top + (bottom - top) * v, strength)
    }

    /// The map as a picture for the GPU: 0..255 in red, 128 where nothing changes.
    pub fn as_picture(&self) -> Plane<4> {
        self.map.map(|[depth]| [(depth / DEEPEST * 127.0).round() + 128.0, 0.0, 0.0, 1.0])
    }

    /// Writes the strength of the folds at every vertex for these weights of the model's expressions.
    pub fn place(&self, weights: &[f32], tone: &mut [Tone]) {
        tone.iter_mut().for_each(|t| t.fold = 0.0);
        for ((vertices, causes), photo) in self.vertices.iter().zip(&self.causes).zip(self.photo) {
            let change = level(causes, weights) - photo;
            if change != 0.0 {
                for &(i, share) in vertices {
                    tone[i as usize].fold += share * change;
                }
            }
        }
    }
}

/// Change of red, green and blue where the map says `depth` and the mesh says `strength`: about the exponential of
/// their product, less of it in red, because red light passes through skin into its folds.
#[inline]
fn factor(depth: f32, strength: f32) -> [f32; 3] {
    let x = depth * strength;
    let change = x + 0.5 * x * x;
    [1.0 + RED * change, 1.0 + change, 1.0 + change]
}

fn causes(model: &FaceModel) -> [Vec<(usize, f32)>; GROUPS] {
    let mut out: [Vec<(usize, f32)>; GROUPS] = std::array::from_fn(|_| Vec::new());
    for cause in CAUSES {
        let (right, left) = cause.groups;
        for &(stem, weight) in cause.expressions {
            for (i, name) in model.expression_names.iter().enumerate() {
                let Some(side) = name.strip_prefix(stem) else { continue };
                match side {
                    "_R" | "_L" if right == left => out[right as usize].push((i, 0.5 * weight)),
                    "_R" => out[right as usize].push((i, weight)),
                    "_L" => out[left as usize].push((i, weight)),
                    "" => out[right as usize].push((i, weight)),
                    _ => {}
                }
            }
        }
    }
    out
}

fn level(causes: &[(usize, f32)], weights: &[f32]) -> f32 {
    causes.iter().map(|&(i, w)| w * weights[i]).sum::<f32>().clamp(0.0, MOST_LEVEL)
}

/// Which vertices belong to which group, and how much.
fn footprints(lines: &[Line], face: &FittedFace, source: &[[f32; 2]], cm: f32) -> [Vec<(u32, f32)>; GROUPS] {
    let (right, left) = (face.landmarks[104], face.landmarks[333]);
    let wide = ((left[0] - right[0]).powi(2) + (left[1] - right[1]).powi(2)).max(1.0);
    let mut out: [Vec<(u32, f32)>; GROUPS] = std::array::from_fn(|_| Vec::new());
    for (i, &p) in source.iter().enumerate() {
        let mut shares = [0.0f32; GROUPS];
        for line in lines {
            let (distance, _) = beside(p, &line.points);
            let share = 1.0 - smooth(distance.abs() / cm, 0.55, 1.25);
            let own = &mut shares[line.group as usize];
            *own = own.max(share);
        }
        // across the forehead the three groups pass into one another
        let forehead = shares[Group::ForeheadMiddle as usize];
        let across =
            2.0 * ((p[0] - right[0]) * (left[0] - right[0]) + (p[1] - right[1]) * (left[1] - right[1])) / wide - 1.0;
        let middle = 1.0 - smooth(across.abs(), 0.15, 0.75);
        shares[Group::ForeheadMiddle as usize] = forehead * middle;
        let side = if across < 0.0 { Group::ForeheadRight } else { Group::ForeheadLeft };
        shares[side as usize] = forehead * (1.0 - middle);
        let sum: f32 = shares.iter().sum();
        for (group, share) in out.iter_mut().zip(shares) {
            if share > 0.01 {
                group.push((i as u32, share / sum.max(1.0)));
            }
        }
    }
    out
}

/// The map of the folds.
fn map(ground: &Ground, lines: &[Line], face: &FittedFace, photo: &[f32; GROUPS]) -> Plane<1> {
    let n = ground.width * ground.height;
    let (mut height, mut shadow) = (vec![0.0f32; n], vec![0.0f32; n]);
    let mut own = vec![[0.0f32; 3]; n];
    let age = ground.age();
    let (right, left) = (face.landmarks[61], face.landmarks[291]);
    let half = 0.5 * (left[0] - right[0]).hypot(left[1] - right[1]).max(1.0);
    let middle = [0, 1].map(|c| 0.5 * (left[c] + right[c]));
    let axis = [0, 1].map(|c| 0.5 * (left[c] - right[c]) / half);
    for line in lines {
        let around_eyes =
            matches!(line.group, Group::CrowRight | Group::CrowLeft | Group::UnderEyeRight | Group::UnderEyeLeft);
        if face.glasses && around_eyes {
            continue;
        }
        let hollow = matches!(line.group, Group::HollowRight | Group::HollowLeft);
        let brows =
            matches!(line.group, Group::ForeheadMiddle | Group::ForeheadRight | Group::ForeheadLeft | Group::Glabella);
        let held = if face.glasses && brows { ABOVE_GLASSES } else { 1.0 };
        let smile = matches!(line.group, Group::SmileRight | Group::SmileLeft) || around_eyes || hollow;
        let shown = photo[line.group as usize];
        let drawn = if smile { 1.0 - smooth(shown, OWN.0, OWN.1) } else { 1.0 };
        let band = if smile { 0.55 * ground.cm } else { 0.35 * ground.cm };
        let margin = (4.5 * line.width).max(2.2 * line.soft * line.width).max(2.0 * band);
        let range = |c: usize, size: usize| {
            let at = line.points.iter().map(|p| p[c] - ground.origin[c]);
            let lo = at.clone().fold(f32::INFINITY, f32::min) - margin;
            let hi = at.fold(f32::NEG_INFINITY, f32::max) + margin;
            (lo.max(0.0) as usize).min(size)..(hi.max(0.0) as usize).min(size)
        };
        for y in range(1, ground.height) {
            for x in range(0, ground.width) {
                let i = y * ground.width + x;
                let p = [ground.origin[0] + x as f32 + 0.5, ground.origin[1] + y as f32 + 0.5];
                let (d, along) = beside(p, &line.points);
                let u = d / line.width;
                let end = held * taper(along) * (0.8 + 0.25 * (9.0 * along + line.phase).sin());
                let groove = (-u * u).exp();
                // skin swells beside the groove, on the far side or (without one) on both
                let swell = if line.bulge == 0.0 {
                    ROLL * ((-((u - 2.2) / 1.6).powi(2)).exp() + (-((u + 2.2) / 1.6).powi(2)).exp())
                } else {
                    (-((u - 2.2 * line.bulge.signum()) / 1.6).powi(2)).exp() * line.bulge.abs()
                };
                let far = line.bulge != 0.0 && u * line.bulge > 0.0;
                let wide = if far { 0.8 } else { line.soft };
                let dark = 0.5 * (-(u / 0.7).powi(2)).exp() + 0.5 * (-(u / wide).powi(2)).exp();
                height[i] += drawn * end * line.depth * line.width * (swell - groove);
                shadow[i] += drawn * end * line.shadow * dark;
                // the photo's own folds near the line
                let near = end * (-(d / band).powi(2)).exp();
                if hollow {
                    let away = (p[0] - middle[0]) * axis[0] + (p[1] - middle[1]) * axis[1];
                    let outside = smooth(away.abs() - half, -0.30 * ground.cm, 0.05 * ground.cm);
                    own[i][2] = own[i][2]
                        .max(outside * near * HOLLOW_GOES * smooth(shown, HOLLOW.0, HOLLOW.1) / shown.max(HOLLOW.1));
                } else if smile {
                    own[i][0] = own[i][0].max(near * (1.0 - drawn) / shown.max(0.35));
                } else {
                    own[i][1] = own[i][1].max(AMPLIFY * near);
                }
            }
        }
    }
    let wide_bare = ground.bare.blur(4.0).map(|[b]| [smooth(b, 0.1, 0.5)]);
    let at = |x: usize, y: usize| height[y.min(ground.height - 1) * ground.width + x.min(ground.width - 1)];
    Plane::from_fn(ground.width, ground.height, |x, y| {
        let i = y * ground.width + x;
        let n = ground.normals[i];
        if n == [0.0; 3] {
            return [0.0];
        }
        // pixels of height over pixels of way
        let slope =
            [0.5 * (at(x + 1, y) - at(x.saturating_sub(1), y)), 0.5 * (at(x, y + 1) - at(x, y.saturating_sub(1)))];
        let bent = unit([n[0] - slope[0], n[1] + slope[1], n[2]]);
        let lit = (face.light.shade(bent) / face.light.shade(n)).ln();
        let drawn = age * (lit - shadow[i]);
        let shown = own[i][0] * ground.coarse.data[i][0].clamp(-0.5, 0.12)
            + own[i][1] * ground.fine.data[i][0].clamp(-0.2, 0.08);
        // the hollow is too dark to look like bare skin
        let hollow = own[i][2] * ground.valleys.data[i][0].max(-DEEPEST);
        let depth = drawn * ground.bare.data[i][0] + shown * wide_bare.data[i][0] + hollow;
        [quantise(depth)]
    })
}

/// The nearest value that a byte can hold.
fn quantise(depth: f32) -> f32 {
    (depth.clamp(-DEEPEST, DEEPEST) / DEEPEST * 127.0).round() * DEEPEST / 127.0
}

#[cfg(test)]
mod tests {
    use super::super::fold_curve::STEPS;
    use super::super::pose::pixels_per_cm;
    use super::super::testing::{model, person};
    use super::*;
    use crate::portrait::fitted::{PAD, SIDE, TEX, TEX_FULL};

    /// The folds of a face that shows `shown`, and its lines.
    fn folds(face: &FittedFace) -> (Folds, Vec<Line>) {
        let model = model();
        let n = model.skin.end;
        let photo = &model.posed(&face.base, &face.expression)[..n];
        let source: Vec<[f32; 2]> = photo.iter().map(|&x| super::super::pose::project(&face.pose, x).0).collect();
        let triangles: Vec<[u32; 3]> =
            model.triangles.iter().filter(|t| t.iter().all(|&i| (i as usize) < n)).copied().collect();
        let texture = Plane { width: TEX_FULL, height: TEX_FULL, data: face.texture.as_chunks::<3>().0.to_vec() };
        let folds = Folds::new(&model, face, &texture, &triangles, photo, &source);
        (folds, lines(&face.landmarks, pixels_per_cm(&face.pose)))
    }

    fn skin_of(face: &mut FittedFace) {
        face.light.skin = [170.0, 130.0, 110.0];
        for c in face.texture.as_chunks_mut::<3>().0 {
            *c = face.light.skin;
        }
    }

    /// The deepest value of the map near the line of a group.
    fn deepest(folds: &Folds, lines: &[Line], group: Group) -> f32 {
        let points = lines.iter().filter(|l| l.group == group).flat_map(|l| l.points);
        let at = points.map(|p| folds.map.bilinear(p[0] - folds.origin[0], p[1] - folds.origin[1])[0]);
        at.fold(0.0, f32::min)
    }

    #[test]
    fn a_calm_photo_gets_drawn_grooves_that_its_expressions_bring() {
        let model = model();
        let mut face = person(&model, &[], false);
        skin_of(&mut face);
        let (folds, lines) = folds(&face);
        for group in [Group::ForeheadMiddle, Group::SmileLeft, Group::SmileRight, Group::Glabella, Group::CrowLeft] {
            assert!(deepest(&folds, &lines, group) < -0.015, "{group:?}: {}", deepest(&folds, &lines, group));
        }
        let strongest = |stem: &str| {
            let mut weights = vec![0.0; model.expression_names.len()];
            for (w, name) in weights.iter_mut().zip(&model.expression_names) {
                *w = if name.starts_with(stem) { 1.0 } else { 0.0 };
            }
            let mut tone = vec![Tone::default(); model.skin.end];
            folds.place(&weights, &mut tone);
            let (i, t) = tone.iter().enumerate().max_by(|a, b| a.1.fold.total_cmp(&b.1.fold)).expect("vertices");
            (face.shape[i][1], t.fold)
        };
        let ((brow, most), (smile, _), (blink, none)) =
            (strongest("browInnerUp"), strongest("mouthSmile"), strongest("eyeBlink"));
        assert!(most > 0.5 && brow > 5.0 && smile < 2.0, "{most} at {brow}, {smile}");
        assert_eq!(none, 0.0, "a blink folds nothing, not even at {blink}");
    }

    #[test]
    fn the_folds_of_a_photographed_smile_go_with_it() {
        let model = model();
        let shown = [("mouthSmile_L", 0.9), ("mouthSmile_R", 0.9)];
        let mut face = person(&model, &shown, false);
        skin_of(&mut face);
        let own = lines(&face.landmarks, pixels_per_cm(&face.pose));
        for (i, c) in face.texture.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let p = [i % TEX_FULL, i / TEX_FULL].map(|v| (v as f32 + 0.5) * SIDE / TEX - PAD * SIDE);
            for line in own.iter().filter(|l| matches!(l.group, Group::SmileLeft | Group::SmileRight)) {
                let (d, along) = beside(p, &line.points);
                *c = c.map(|v| v * (1.0 - 0.25 * taper(along) * (-(d / 2.0).powi(2)).exp()));
            }
        }
        let (folds, _) = folds(&face);
        let mut tone = vec![Tone::default(); model.skin.end];
        folds.place(&vec![0.0; model.expression_names.len()], &mut tone);
        let least = tone.iter().map(|t| t.fold).fold(0.0, f32::min);
        assert!(least < -0.4, "{least}");
        for group in [Group::SmileLeft, Group::SmileRight] {
            let lighter = factor(deepest(&folds, &own, group), least)[1];
            assert!((1.04..1.5).contains(&lighter), "{group:?}: {lighter}");
        }
        folds.place(&face.expression, &mut tone);
        assert!(tone.iter().all(|t| t.fold == 0.0));
    }

    #[test]
    fn a_line_settles_in_the_valley_beside_it() {
        let model = model();
        let mut face = person(&model, &[], false);
        skin_of(&mut face);
        let cm = pixels_per_cm(&face.pose);
        let mut own = lines(&face.landmarks, cm);
        let line = own.iter_mut().find(|l| l.group == Group::SmileLeft).expect("a smile has a fold");
        let valley = line.points.map(|p| [p[0] + 3.0, p[1]]);
        for (i, c) in face.texture.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let p = [i % TEX_FULL, i / TEX_FULL].map(|v| (v as f32 + 0.5) * SIDE / TEX - PAD * SIDE);
            let (d, _) = beside(p, &valley);
            *c = c.map(|v| v * (1.0 - 0.2 * (-(d / 1.5).powi(2)).exp()));
        }
        let n = model.skin.end;
        let photo = &model.posed(&face.base, &face.expression)[..n];
        let source: Vec<[f32; 2]> = photo.iter().map(|&x| super::super::pose::project(&face.pose, x).0).collect();
        let triangles: Vec<[u32; 3]> =
            model.triangles.iter().filter(|t| t.iter().all(|&i| (i as usize) < n)).copied().collect();
        let texture = Plane { width: TEX_FULL, height: TEX_FULL, data: face.texture.as_chunks::<3>().0.to_vec() };
        Ground::new(&face, &texture, &triangles, photo, &source).settle(line);
        let off: f32 = line.points.iter().map(|&p| beside(p, &valley).0.abs()).sum::<f32>() / STEPS as f32;
        assert!(off < 1.5, "{off} px beside the valley, 3 before");
    }
}
