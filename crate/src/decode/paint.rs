//! Colour of a pixel of lips and mouth. The twin of `shaders/decode/interior.wgsl` and of the mouth in
//! `shaders/decode/composite.wgsl`: the same formulas in the same order.

use super::plan::{Line, MouthPlan, POINTS, map};
use super::plane::{Plane, luminance};
use super::shapes::{Nearest, coverage, inside};
use super::weights::smooth;

/// Where light on the interior of the mouth comes from: above and in front; head space.
const LIGHT: [f32; 3] = [0.0, 0.45, 0.89];
/// Half-way between that light and the viewer.
const GLOSS: [f32; 3] = [0.0, 0.25, 0.97];
/// What a tooth loses of red, green and blue between it and its neighbour, at its cutting edge, and at its neck.
const BETWEEN: [f32; 3] = [0.24, 0.32, 0.36];
const CUT: [f32; 3] = [0.10, 0.06, 0.03];
const NECK: [f32; 3] = [0.05, 0.11, 0.18];
/// Height of the gums above the cutting edge in the middle of a tooth, in crowns.
const GUM_LINE: f32 = 1.0;
/// Brightness of what light does not reach, as a share of tissue.
const HOLLOW: f32 = 0.09;
/// The cheek behind the corners of the mouth: its brightness as a share of tissue, the shares of the half width between
/// which it comes into sight, and how far from the lips it is lit, cm.
const CHEEK: f32 = 0.46;
const CORNERS: (f32, f32) = (0.40, 1.0);
const CHEEK_REACH: f32 = 0.45;
/// The inside of the lower lip, below the teeth: its brightness as a share of tissue, and how far it reaches, cm.
const INNER_LIP: f32 = 0.28;
const INNER_LIP_REACH: f32 = 0.2;
/// How strongly the lips' shadow takes red, green and blue: what bounces around in a mouth is warm.
const SHADOW: [f32; 3] = [0.82, 1.0, 1.04];

/// Operations on numbers that a pixel of the mouth takes, without the samples of its interior; and one of these.
pub(crate) const OPERATIONS: usize = 130;
pub(crate) const SAMPLE_OPERATIONS: usize = 190;

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

/// Colour of one sample of the interior, and how much of it lies over the lower lip, from the attributes of
/// [`super::plan::MouthVertex::surface`].
pub(crate) fn interior(plan: &MouthPlan, surface: &[f32; 10]) -> [f32; 4] {
    let [nx, ny, nz, behind, tooth, wall, tongue, u, v, out] = *surface;
    let length = (nx * nx + ny * ny + nz * nz).sqrt().max(1e-6);
    let towards = |l: [f32; 3]| (nx * l[0] + ny * l[1] + nz * l[2]) / length;
    let facing = towards(LIGHT);
    let form = facing.clamp(0.0, 1.0);
    // far teeth, walls and gums without hard facets
    let soft = 0.6 * smooth(behind, 1.4, 2.6) * tooth;
    let rest = (1.0 - tooth) * (1.0 - tongue);
    let flat = soft + 0.8 * rest;
    let hard = (0.55 + 0.45 * form) * (1.0 - flat) + 0.8 * flat;
    // the tongue's back and its sides lie in its own shadow
    let back = (0.20 + 0.80 * (-square(v.max(0.0) / 1.9)).exp()) * (1.0 - 0.60 * smooth(u.abs(), 0.5, 1.8));
    // light goes through it a little
    let moist = (0.66 + 0.27 * facing) * (1.0 - out) + (0.75 + 0.18 * facing) * out;
    let lit = hard * (1.0 - tongue) + moist * back * tongue;
    // gums begin along an arch on every tooth
    let root = tooth * smooth(v, GUM_LINE - 0.34 * square(u) - 0.07, GUM_LINE - 0.34 * square(u) + 0.07);
    let tooth = tooth - root;
    // enamel: neighbours shade each other, the cutting edge lets light through, the neck is warm
    let between = tooth * square(square(u));
    let cut = tooth * (1.0 - smooth(v, 0.0, 0.26));
    let neck = tooth * smooth(v, 0.40, GUM_LINE);
    let gum = (1.0 - tooth) * (1.0 - wall) * (1.0 - tongue);
    // tongue: a groove along its middle and a rough back
    let (groove, rough) = if tongue > 0.0 {
        (
            0.20 * tongue * (-square(u / 0.16)).exp() * smooth(v, 0.15, 1.2),
            tongue * (17.0 * u + 2.0 * (5.0 * v).sin()).sin() * (14.0 * v).sin(),
        )
    } else {
        (0.0, 0.0)
    };
    let near = 0.8 + 0.5 * tooth * (1.0 - smooth(behind, 1.6, 2.8)) + 1.2 * tongue;
    // walls and throat are lit by what little the teeth leave
    let deep = (behind - near).max(0.0) * (1.0 + 0.8 * rest);
    let shine = square(square(square(towards(GLOSS).clamp(0.0, 1.0)))); // to the 8th
    let shine = square(square(shine)) * shine; // to the 40th
    let gloss = shine * (0.08 + 0.14 * tooth * (1.0 - soft) + (0.09 + 0.05 * rough) * tongue);
    let [r, g, b] = std::array::from_fn(|c| {
        let own = (plan.tissue[c] + (plan.tooth[c] - plan.tissue[c]) * tooth) * (1.0 - 0.55 * wall);
        let enamel = 1.0 - BETWEEN[c] * between - CUT[c] * cut - NECK[c] * neck;
        let own = own * enamel * (1.0 - groove + 0.025 * rough) * (1.0 + 0.25 * gum);
        (own * lit + gloss * plan.light[c]) * (0.05 + 0.95 * (-deep / plan.reach[c]).exp())
    });
    [r, g, b, out]
}

/// Colour where nothing of the interior lies.
pub(crate) fn hollow(plan: &MouthPlan) -> [f32; 3] {
    [HOLLOW * plan.tissue[0], HOLLOW * plan.tissue[1], HOLLOW * plan.tissue[2]]
}

/// The mouth, ready to paint.
pub(crate) struct MouthPainter<'a> {
    pub plan: &'a MouthPlan,
    /// The photo's teeth.
    pub card: Option<&'a Plane<4>>,
    /// Half width of an antialiased edge, crop pixels.
    pub edge: f32,
}

impl MouthPainter<'_> {
    /// Paints the mouth over `colour` at crop pixel `p`, to which these points of the upper and lower lip are nearest.
    /// `inner`: the interior's colour there, and how much of it lies over the lower lip; what does not counts only as far
    /// as the mouth is open there.
    #[inline(always)]
    pub fn paint(
        &self,
        p: [f32; 2],
        [up, low]: [Nearest; 2],
        inner: impl FnOnce(f32) -> [f32; 4],
        colour: [f32; 3],
    ) -> [f32; 3] {
        let plan = self.plan;
        let cm = plan.light[3];
        let mut out = colour;
        let open = coverage(&up, &low, self.edge + plan.soft[0]);
        if plan.tissue[3] > 0.0 && (open > 0.0 || plan.soft[2] > 0.0) {
            let [r, g, b, over] = inner(open);
            // the lips' shadow on what lies behind them
            let dark = 0.46 * (-up.distance / (0.16 * cm)).exp() + 0.22 * (-low.distance / (0.10 * cm)).exp();
            let shadow = SHADOW.map(|s| (1.0 - s * dark * (1.0 - over)).max(0.25));
            let lit = [r * shadow[0], g * shadow[1], b * shadow[2]];
            let mut inside = mix([luminance(lit); 3], lit, plan.soft[3]);
            // beside and below the teeth it is dark, not black
            let near = up.distance.min(low.distance) / (CHEEK_REACH * cm);
            let cheek = CHEEK * smooth(aside(p, &plan.lips), CORNERS.0, CORNERS.1) * (-square(near)).exp();
            let lip = INNER_LIP * (-square(low.distance / (INNER_LIP_REACH * cm))).exp();
            inside = std::array::from_fn(|c| inside[c].max(cheek.max(lip) * plan.tissue[c]));
            if let Some(card) = self.card {
                let [x, y] = map(&plan.to_card, p);
                let c = card_at(card, x, y);
                // the photo's teeth have some of it already
                let teeth = std::array::from_fn(|i| c[i] * (0.45 + 0.55 * shadow[i]));
                inside = mix(inside, teeth, c[3] * (1.0 - over));
            }
            let cover = open.max(over) * plan.tissue[3];
            out = mix(out, inside, cover);
        }
        if plan.reach[3] > 0.0 {
            let (a, b) = (up.distance, low.distance);
            let distance = 0.5 * if inside(&up, &low) { (a - b).abs() } else { a + b };
            let ends = smooth(up.along, 0.0, 0.16) * smooth(1.0 - up.along, 0.0, 0.16);
            let [need] = at::<1>(&plan.seam, up.along);
            let dark = 0.26 * (-square(distance / (0.09 * cm))).exp() + 0.15 * (-square(distance / (0.22 * cm))).exp();
            let k = need * ends * dark;
            out = [out[0] * (1.0 - (1.0 - 0.15 * plan.soft[3]) * k), out[1] * (1.0 - k), out[2] * (1.0 - k)];
        }
        out
    }
}

/// How far to the side of the mouth's middle a point lies: 0 there, 1 at both corners. Along the lips themselves it would
/// jump where the nearest point does: in a wide mouth that drew a V.
fn aside(p: [f32; 2], lips: &[[f32; 4]; POINTS]) -> f32 {
    let (a, b) = (lips[0], lips[POINTS - 1]);
    let d = [b[0] - a[0], b[1] - a[1]];
    let share = ((p[0] - a[0]) * d[0] + (p[1] - a[1]) * d[1]) / (d[0] * d[0] + d[1] * d[1]).max(1e-6);
    (2.0 * share - 1.0).abs().min(1.0)
}

/// The card at a pixel of it; beyond its border there is none.
fn card_at(card: &Plane<4>, x: f32, y: f32) -> [f32; 4] {
    let inside = x > 0.0 && y > 0.0 && x < card.width as f32 && y < card.height as f32;
    if inside { card.bilinear(x, y) } else { [0.0; 4] }
}
