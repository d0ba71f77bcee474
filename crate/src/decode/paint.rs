//! Colour of a pixel of lips and mouth. The twin of `shaders/decode/interior.wgsl` and of the mouth in
//! `shaders/decode/composite.wgsl`: the same formulas in the same order.

use super::plan::{Line, MouthPlan, POINTS, map};
use super::plane::Plane;
use super::shapes::{coverage, inside, nearest};
use super::weights::smooth;

/// Where light on the interior of the mouth comes from: above and in front; head space.
const LIGHT: [f32; 3] = [0.0, 0.45, 0.89];
/// Half-way between that light and the viewer.
const GLOSS: [f32; 3] = [0.0, 0.25, 0.97];

pub(crate) fn mix(a: [f32; 3], b: [f32; 3], t: f32) -> [f32; 3] {
    std::array::from_fn(|c| a[c] + (b[c] - a[c]) * t)
}

pub(crate) fn square(x: f32) -> f32 {
    x * x
}

/// The two lines that are packed into one array.
pub(crate) fn lines(packed: &[[f32; 4]; POINTS]) -> (Line, Line) {
    (packed.map(|p| [p[0], p[1]]), packed.map(|p| [p[2], p[3]]))
}

/// A value at the share `along` of an array.
pub(crate) fn at<const C: usize>(array: &[[f32; 4]; POINTS], along: f32) -> [f32; C] {
    let x = along.clamp(0.0, 1.0) * (POINTS - 1) as f32;
    let i = (x as usize).min(POINTS - 2);
    let f = x - i as f32;
    std::array::from_fn(|c| array[i][c] + (array[i + 1][c] - array[i][c]) * f)
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
