//! Colour of a pixel of an eye and its lids. The twin of `shaders/decode/eye.wgsl`: the same formulas in the same order.

use super::eyes::Eye;
use super::paint::{at, mix, square};
use super::plan::{EyePlan, Line, POINTS, map};
use super::plane::Plane;
use super::sample::{self, bicubic};
use super::shapes::{Nearest, coverage};
use super::weights::smooth;
use crate::portrait::fitted::{PAD, SIDE};

/// Clumps of lashes along a lid.
const CLUMPS: f32 = 15.0;
/// Mean of the strokes of lashes over a clump.
const MEAN: f32 = 0.45;
/// Operations on numbers that a pixel takes: three look-ups of the eyeball and what is made of them. A lid takes as many.
pub(crate) const OPERATIONS: usize = 3 * sample::OPERATIONS + 70;
/// How dark the fold above a shut lid is, 0..1.
const CREASE: f32 = 0.05;

/// One eye, ready to paint.
pub(crate) struct EyePainter<'a> {
    pub plan: &'a EyePlan,
    pub eye: &'a Eye,
    /// Texture pixels to a crop pixel of the layers.
    pub layer_texels: f32,
    /// Half width of an antialiased edge, crop pixels.
    pub edge: f32,
    pub upper: Line,
    pub lower: Line,
    pub fold: Line,
}

/// Where a pixel lies on a lid: heights are measured at right angles to the line from corner to corner, downwards.
struct OnLid {
    /// Share of the way from the left to the right corner.
    along: f32,
    /// Below the fold, crop pixels.
    under_fold: f32,
    /// Above the margin, crop pixels.
    over_margin: f32,
    /// Height of the lid in this frame, and of a lid that is shut.
    height: f32,
    shut: f32,
}

impl EyePainter<'_> {
    /// Paints the eye over `colour` at crop pixel `p`, to which these points of the upper and lower margin are nearest.
    #[inline(always)]
    pub fn paint(&self, p: [f32; 2], [up, low]: [Nearest; 2], colour: [f32; 3]) -> [f32; 3] {
        let plan = self.plan;
        let open = coverage(&up, &low, self.edge);
        let q = map(&plan.to_photo, p);
        let mut out = colour;
        if open * plan.shade[2] > 0.0 {
            // a lid lower than in the photo throws its shadow lower
            let shadow = 1.0 - plan.shade[0] * (-up.distance / plan.shade[1]).exp();
            out = mix(out, self.eyeball(q).map(|c| c * shadow), open * plan.shade[2]);
        }
        if plan.lid[0] > 0.0 {
            let lid = self.on_lid(p);
            out = self.lashes(&up, &lid, self.lid(q, &lid, out));
        }
        out
    }

    fn layer(&self, layer: &Plane<4>, q: [f32; 2]) -> [f32; 4] {
        let t = |c: usize| (q[c] + PAD * SIDE) * self.layer_texels - self.plan.layer[c];
        bicubic(layer, t(0), t(1))
    }

    /// Sclera, iris and the light that they mirror at crop pixel `q` of the photo.
    fn eyeball(&self, q: [f32; 2]) -> [f32; 3] {
        let plan = self.plan;
        let rgb = |c: [f32; 4]| [c[0], c[1], c[2]];
        let sclera = rgb(self.layer(&self.eye.sclera, q));
        let [now_x, now_y, was_x, was_y] = plan.iris;
        let mut d = [q[0] - now_x, q[1] - now_y];
        let along = (d[0] * plan.turn[0] + d[1] * plan.turn[1]) * plan.turn[2];
        d = [d[0] + along * plan.turn[0], d[1] + along * plan.turn[1]];
        let iris = self.layer(&self.eye.iris, [was_x + d[0], was_y + d[1]]);
        let disc = iris[3].clamp(0.0, 1.0);
        let glint = self.layer(&self.eye.surface, [q[0] - plan.glint[0], q[1] - plan.glint[1]]);

        let ball = mix(sclera, rgb(iris), disc);
        std::array::from_fn(|c| ball[c] + disc * glint[c].max(0.0))
    }

    fn on_lid(&self, p: [f32; 2]) -> OnLid {
        let (a, b) = (self.fold[0], self.fold[POINTS - 1]);
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let length = (dx * dx + dy * dy).max(1e-3);
        let along = ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length;
        let x = along.clamp(0.0, 1.0) * (POINTS - 1) as f32;
        let i = (x as usize).min(POINTS - 2);
        let f = x - i as f32;
        let height = |q: [f32; 2]| ((q[1] - a[1]) * dx - (q[0] - a[0]) * dy) / length.sqrt();
        let on = |line: &Line| height(line[i]) * (1.0 - f) + height(line[i + 1]) * f;
        let (here, fold, margin, low) = (height(p), on(&self.fold), on(&self.upper), on(&self.lower));
        OnLid {
            along,
            under_fold: here - fold,
            over_margin: margin - here,
            height: margin - fold,
            shut: (low - fold).max(margin - fold).max(1.0),
        }
    }

    /// Skin of a lid that comes down: the photo without the eye, shaded by the eyeball's curve, with the grain of the
    /// cheek, that moves with the margin.
    fn lid(&self, q: [f32; 2], lid: &OnLid, colour: [f32; 3]) -> [f32; 3] {
        let plan = self.plan;
        let cm = plan.shade[3];
        let begin = plan.lid[1];
        let edge = (0.05 * cm).max(plan.glint[2]);
        let mut cover = plan.lid[0] * smooth(lid.over_margin, begin - edge, begin + edge);
        if cover <= 0.0 {
            return colour;
        }
        let [r, g, b, shown] = self.layer(&self.eye.lid, q);
        cover *= shown.clamp(0.0, 1.0);
        let s = (lid.under_fold / lid.shut).clamp(0.0, 1.0);
        let bow = (4.0 * lid.along * (1.0 - lid.along)).max(0.0);
        // the ball below: lightest in its middle
        let dome = 1.0 + bow * plan.lid[2] * (0.45 - square(2.0 * s - 1.0));
        // the crease lies above the edge of an open lid
        let crease = 1.0 - CREASE * bow * (-square((lid.under_fold + 0.10 * cm) / (0.14 * cm))).exp();
        let rim = 1.0 - 0.14 * (-lid.over_margin.max(0.0) / (0.12 * cm)).exp();
        let grain = self.layer(&self.eye.surface, [q[0], q[1] - lid.height])[3] * 255.0 - 128.0;
        mix(colour, [r, g, b].map(|c| c * dome * crease * rim + grain), cover)
    }

    /// Lashes of a lid that is nearly shut: a line along the margin and tapered strokes that fan out below it.
    fn lashes(&self, up: &Nearest, lid: &OnLid, colour: [f32; 3]) -> [f32; 3] {
        let lash = self.plan.lash;
        if lash[3] <= 0.0 {
            return colour;
        }
        let wide = self.plan.lid[3];
        // as soft as the photo: a line gets wider and paler, the gaps between clumps fill
        let soft = self.plan.glint[2];
        let sharp = if up.under { 0.046 } else { 0.026 } * wide;
        let width = sharp.hypot(std::f32::consts::SQRT_2 * soft);
        let line = sharp / width * (-square(up.distance / width)).exp();
        let contrast = (-square(std::f32::consts::TAU * soft * CLUMPS / wide) / 2.0).exp();
        let below = (-lid.over_margin).max(0.0);
        let [_, _, reach, strength] = at::<4>(&self.plan.second, lid.along);
        let tip = (1.0 - below / (reach * wide).max(1e-3)).clamp(0.0, 1.0);
        let fan = CLUMPS * (lid.along - 1.3 * (lid.along - 0.5) * below / wide);
        let phase = fan + 0.3 * (2.3 * fan).sin() + 0.2 * (0.9 * fan).sin();
        let clump = 0.5 + 0.5 * (std::f32::consts::TAU * (phase - phase.floor())).cos();
        // strokes get thinner towards their tips
        let stroke = if lid.over_margin < 0.0 {
            let own = smooth(clump, 0.75 - 0.75 * tip, 1.15 - 0.5 * tip);
            tip * (0.4 + 0.6 * (MEAN + (own - MEAN) * contrast))
        } else {
            0.0
        };
        let a = lash[3] * strength * line.max(0.8 * stroke);
        mix(colour, [lash[0], lash[1], lash[2]], a)
    }
}
