//! Colour of a pixel of eyes, lids, lips and mouth. The twin of `shaders/decode/eyes.wgsl` and
//! `shaders/decode/mouth.wgsl`: the same formulas in the same order.

use super::eyes::Eye;
use super::plan::{EyePlan, Line, MouthPlan, POINTS, map};
use super::plane::Plane;
use super::sample::bicubic;
use super::shapes::{Nearest, coverage, inside, nearest};
use super::weights::smooth;
use crate::portrait::fitted::{PAD, SIDE};

/// Where light on the interior of the mouth comes from: above and in front; head space.
const LIGHT: [f32; 3] = [0.0, 0.45, 0.89];
/// Half-way between that light and the viewer.
const GLOSS: [f32; 3] = [0.0, 0.25, 0.97];
/// Half width of the soft edge of the tone on a lid, crop pixels.
const TONE_EDGE: f32 = 3.5;

fn mix(a: [f32; 3], b: [f32; 3], t: f32) -> [f32; 3] {
    std::array::from_fn(|c| a[c] + (b[c] - a[c]) * t)
}

fn square(x: f32) -> f32 {
    x * x
}

/// The two lines that are packed into one array.
pub(crate) fn lines(packed: &[[f32; 4]; POINTS]) -> (Line, Line) {
    (packed.map(|p| [p[0], p[1]]), packed.map(|p| [p[2], p[3]]))
}

/// A value at the share `along` of an array.
fn at<const C: usize>(array: &[[f32; 4]; POINTS], along: f32) -> [f32; C] {
    let x = along.clamp(0.0, 1.0) * (POINTS - 1) as f32;
    let i = (x as usize).min(POINTS - 2);
    let f = x - i as f32;
    std::array::from_fn(|c| array[i][c] + (array[i + 1][c] - array[i][c]) * f)
}

/// One eye, ready to paint.
pub(crate) struct EyePainter<'a> {
    pub plan: &'a EyePlan,
    pub eye: &'a Eye,
    /// The photo at `texels` texture pixels to a crop pixel.
    pub photo: &'a Plane<4>,
    pub texels: f32,
    /// Texture pixels to a crop pixel of the layers.
    pub layer_texels: f32,
    /// Half width of an antialiased edge, crop pixels.
    pub edge: f32,
    pub upper: Line,
    pub lower: Line,
    pub second: Line,
}

impl EyePainter<'_> {
    /// Paints the eye over `colour` at crop pixel `p`.
    pub fn paint(&self, p: [f32; 2], colour: [f32; 3]) -> [f32; 3] {
        let plan = self.plan;
        let (up, low) = (nearest(p, &self.upper), nearest(p, &self.lower));
        let open = coverage(&up, &low, self.edge);
        let q = map(&plan.to_photo, p);
        let mut out = colour;
        if open * plan.shade[2] > 0.0 {
            // a lid lower than in the photo throws its shadow lower
            let shadow = 1.0 - plan.shade[0] * (-up.distance / plan.shade[1]).exp();
            out = mix(out, self.eyeball(q).map(|c| c * shadow), open);
        }
        if plan.lid[1] > 0.0 {
            let margin = nearest(p, &self.second);
            out = self.laid_over_lid(q, &up, &margin, open, out);
        } else if plan.lid[0] > 0.0 {
            let crease = nearest(p, &self.second);
            out = self.tone(p, coverage(&crease, &up, TONE_EDGE), out);
        }
        self.lashes(&up, &low, out)
    }

    /// Sclera and iris at crop pixel `q` of the photo.
    fn eyeball(&self, q: [f32; 2]) -> [f32; 3] {
        let plan = self.plan;
        let look = |layer: &Plane<4>, q: [f32; 2]| {
            let t = |c: usize| (q[c] + PAD * SIDE) * self.layer_texels - plan.layer[c];
            bicubic(layer, t(0), t(1))
        };
        let rgb = |c: [f32; 4]| [c[0], c[1], c[2]];
        let sclera = rgb(look(&self.eye.sclera, q));
        let [now_x, now_y, was_x, was_y] = plan.iris;
        let mut d = [q[0] - now_x, q[1] - now_y];
        let along = (d[0] * plan.turn[0] + d[1] * plan.turn[1]) * plan.turn[2];
        d = [d[0] + along * plan.turn[0], d[1] + along * plan.turn[1]];
        let iris = look(&self.eye.iris, [was_x + d[0], was_y + d[1]]);
        mix(sclera, rgb(iris), iris[3].clamp(0.0, 1.0))
    }

    /// Pulls the stretched skin of a closing lid towards the colours around the eye.
    fn tone(&self, p: [f32; 2], cover: f32, colour: [f32; 3]) -> [f32; 3] {
        let plan = self.plan;
        if cover <= 0.0 {
            return colour;
        }
        let (a, b) = (self.second[0], self.second[POINTS - 1]);
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let length = (dx * dx + dy * dy).max(1e-3);
        let along = (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length).clamp(0.0, 1.0);
        let x = along * (POINTS - 1) as f32;
        let i = (x as usize).min(POINTS - 2);
        let f = x - i as f32;
        // heights over the line from corner to corner
        let height = |q: [f32; 2]| ((q[1] - a[1]) * dx - (q[0] - a[0]) * dy) / length.sqrt();
        let on = |line: &Line| height(line[i]) * (1.0 - f) + height(line[i + 1]) * f;
        let (top, bottom) = (on(&self.second), on(&self.upper));
        let h = ((height(p) - top) / (bottom - top).max(1.0)).clamp(0.0, 1.0);
        let shade = 1.0 - 0.10 * (-square((1.0 - h) / 0.15)).exp();
        let fill = mix(at::<3>(&plan.above, along), at::<3>(&plan.below, along).map(|c| 0.94 * c), h);
        mix(colour, fill.map(|c| c * shade), plan.lid[0] * cover)
    }

    /// Behind glasses the skin stays, and a lid of skin from below the eye is laid over it.
    fn laid_over_lid(&self, q: [f32; 2], up: &Nearest, margin: &Nearest, open: f32, colour: [f32; 3]) -> [f32; 3] {
        let cover = coverage(up, margin, self.edge) * open;
        if cover <= 0.0 {
            return colour;
        }
        let cm = self.plan.shade[3];
        let t = |x: f32| (x + PAD * SIDE) * self.texels;
        let skin = bicubic(self.photo, t(q[0]), t(q[1] + self.plan.lid[2]));
        // darker at the crease and at the margin, lighter between
        let margin = margin.distance / cm;
        let shade = 0.97 - 0.22 * (-up.distance / (0.10 * cm)).exp() - 0.10 * (-margin / 0.12).exp()
            + 0.05 * (-square((margin - 0.35) / 0.2)).exp();
        mix(colour, [skin[0] * shade, skin[1] * shade, skin[2] * shade], cover)
    }

    /// A dark line where nearly shut lids meet; lashes point down.
    fn lashes(&self, up: &Nearest, low: &Nearest, colour: [f32; 3]) -> [f32; 3] {
        let lash = self.plan.lash;
        if lash[3] <= 0.0 {
            return colour;
        }
        let margin = if self.plan.lid[1] > 0.0 { low.distance } else { up.distance };
        let wide = if up.under { 0.045 } else { 0.028 } * self.plan.lid[3];
        let ends = smooth(up.along, -0.02, 0.12) * smooth(1.0 - up.along, -0.02, 0.12);
        let a = lash[3] * ends * (-square(margin / wide)).exp();
        mix(colour, [lash[0], lash[1], lash[2]], a)
    }
}

/// Colour of one sample of the interior from the attributes of [`super::plan::MouthVertex::surface`].
pub(crate) fn interior(plan: &MouthPlan, surface: &[f32; 7]) -> [f32; 3] {
    let [nx, ny, nz, behind, tooth, wall, tongue] = *surface;
    let length = (nx * nx + ny * ny + nz * nz).sqrt().max(1e-6);
    let towards = |l: [f32; 3]| ((nx * l[0] + ny * l[1] + nz * l[2]) / length).clamp(0.0, 1.0);
    let form = towards(LIGHT);
    // far teeth without hard facets
    let soft = 0.7 * smooth(behind, 1.2, 2.2) * tooth;
    let hard = (0.6 + 0.4 * form) * (1.0 - soft) + 0.8 * soft;
    let lit = hard * (1.0 - tongue) + (0.30 + 0.85 * form) * tongue;
    let deep = (behind - 0.8).max(0.0) * (1.0 - 0.15 * tooth);
    let shine = square(square(square(towards(GLOSS)))); // to the 8th
    let shine = square(square(shine)) * shine; // to the 40th
    let gloss = shine * (0.08 + 0.12 * tooth * (1.0 - soft) + 0.10 * tongue);
    std::array::from_fn(|c| {
        let own = (plan.tissue[c] + (plan.tooth[c] - plan.tissue[c]) * tooth) * (1.0 - 0.55 * wall);
        (own * lit + gloss * plan.light[c]) * (0.03 + 0.97 * (-deep / plan.reach[c]).exp())
    })
}

/// Colour where nothing of the interior lies.
pub(crate) fn hollow(plan: &MouthPlan) -> [f32; 3] {
    [0.06 * plan.tissue[0], 0.06 * plan.tissue[1], 0.06 * plan.tissue[2]]
}

/// The mouth, ready to paint.
pub(crate) struct MouthPainter<'a> {
    pub plan: &'a MouthPlan,
    /// The photo's teeth.
    pub card: Option<&'a Plane<4>>,
    /// Half width of an antialiased edge, crop pixels.
    pub edge: f32,
    pub upper: Line,
    pub lower: Line,
}

impl MouthPainter<'_> {
    /// Paints the mouth over `colour` at crop pixel `p`. `inner`: the interior's colour there.
    pub fn paint(&self, p: [f32; 2], inner: impl FnOnce() -> [f32; 3], colour: [f32; 3]) -> [f32; 3] {
        let plan = self.plan;
        let (up, low) = (nearest(p, &self.upper), nearest(p, &self.lower));
        let cm = plan.light[3];
        let mut out = colour;
        let cover = coverage(&up, &low, self.edge) * plan.tissue[3];
        if cover > 0.0 {
            let mut inside = inner();
            if let Some(card) = self.card {
                let [x, y] = map(&plan.to_card, p);
                let c = card_at(card, x, y);
                inside = mix(inside, [c[0], c[1], c[2]], c[3]);
            }
            // the lips' shadow on what lies behind them
            let shadow = 1.0 - 0.50 * (-up.distance / (0.16 * cm)).exp() - 0.25 * (-low.distance / (0.10 * cm)).exp();
            out = mix(out, inside.map(|c| c * shadow.max(0.25)), cover);
        }
        if plan.reach[3] > 0.0 {
            let (a, b) = (up.distance, low.distance);
            let distance = 0.5 * if inside(&up, &low) { (a - b).abs() } else { a + b };
            let ends = smooth(up.along, 0.0, 0.08) * smooth(1.0 - up.along, 0.0, 0.08);
            let [need] = at::<1>(&plan.seam, up.along);
            let dark = 0.42 * (-square(distance / (0.075 * cm))).exp() + 0.15 * (-square(distance / (0.22 * cm))).exp();
            let k = need * ends * dark;
            out = [out[0] * (1.0 - 0.85 * k), out[1] * (1.0 - k), out[2] * (1.0 - k)];
        }
        out
    }
}

/// The card at a pixel of it; beyond its border there is none.
fn card_at(card: &Plane<4>, x: f32, y: f32) -> [f32; 4] {
    let inside = x > 0.0 && y > 0.0 && x < card.width as f32 && y < card.height as f32;
    if inside { card.bilinear(x, y) } else { [0.0; 4] }
}
