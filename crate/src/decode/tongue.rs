//! A tongue that can be seen: a smooth body instead of the model's own tongue, which is too coarse and lies too far back.
//!
//! Rows of points run from the root to the tip; each row is a flattened ring. It hangs on the jaw, because every row
//! moves as the model's tongue beside it does. Raising and putting it out are done along its length.

use super::weights::smooth;

/// Rings from root to tip, and points around a ring.
const RINGS: usize = 15;
const AROUND: usize = 14;
/// Points of the tongue; the last one closes the tip.
pub(crate) const POINTS: usize = RINGS * AROUND + 1;
/// Length from the root that is drawn to the tip, half of the width, and thickness, cm.
const LENGTH: f32 = 4.8;
const HALF_WIDTH: f32 = 2.15;
const THICK: f32 = 1.1;
/// Where the tip lies: behind the front of the lower teeth, and below their edges, cm.
const BEHIND: f32 = 1.05;
const BELOW: f32 = 0.50;
/// How high the back rises above the tip, cm.
const HUMP: f32 = 0.45;
/// How far the tip of a raised tongue stays behind the front of the upper teeth, cm, and how much narrower it gets.
const BEHIND_TEETH: f32 = 0.80;
const NARROW: f32 = 0.25;
/// How far below the edges of the upper teeth it is seen, cm.
const TOUCH: f32 = 0.06;
/// How far a tongue that is put out reaches beyond the lower lip, cm, and how high above it.
const BEYOND_LIP: f32 = 1.45;
const ABOVE_LIP: f32 = 0.22;
/// Half of its width there, cm, and the share of its length from which on its tip is round.
const HALF_WIDTH_OUT: f32 = 1.6;
const ROUND_OUT: f32 = 0.86;

/// The points of a tongue at rest.
#[derive(Clone, Debug)]
pub(crate) struct Tongue {
    pub base: Vec<[f32; 3]>,
    /// By point: cm to the side and cm behind the tip.
    pub place: Vec<[f32; 2]>,
    pub triangles: Vec<[u32; 3]>,
    /// By point: 0 at the root, 1 at the tip.
    along: Vec<f32>,
    /// By point: how much narrower its ring is when the tongue is put out.
    narrow: Vec<f32>,
    /// Place of the tip, and of the edges of the front teeth that it can touch.
    tip: [f32; 3],
    bite: f32,
    upper_front: f32,
}

/// Where the teeth of a face at rest are, head space, cm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bite {
    /// Height of the cutting edges of the upper and lower front teeth.
    pub upper: f32,
    pub lower: f32,
    /// How far forward both rows reach.
    pub upper_front: f32,
    pub lower_front: f32,
}

impl Tongue {
    pub fn new(bite: &Bite) -> Self {
        let tip = [0.0, bite.lower - BELOW, bite.lower_front - BEHIND];
        let (mut base, mut place, mut along, mut narrow) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let middle = |s: f32| {
            let hump = HUMP * (std::f32::consts::PI * (1.0 - s).powf(0.75)).sin();
            [tip[1] + hump, tip[2] - (1.0 - s) * LENGTH]
        };
        for i in 0..RINGS {
            // rings are closer near the tip, which is round
            let s = 1.0 - (1.0 - i as f32 / RINGS as f32).powf(1.6);
            let round = |from: f32, power: f32| {
                let x = ((s - from) / (1.0 - from)).max(0.0);
                (1.0 - x.powf(power)).max(0.0).powf(1.0 / power)
            };
            let wide = HALF_WIDTH * (1.0 - 0.22 * s) * round(0.50, 2.4);
            let thick = THICK * (1.0 - 0.35 * s) * round(0.65, 2.0);
            let narrower = HALF_WIDTH_OUT * (1.0 - 0.1 * s) * round(ROUND_OUT, 2.0) / wide;
            let [y, z] = middle(s);
            for j in 0..AROUND {
                let angle = std::f32::consts::TAU * j as f32 / AROUND as f32;
                // flatter than an ellipse, with a groove along the back
                let flat = |v: f32| v.signum() * v.abs().powf(0.8);
                let x = wide * flat(angle.cos());
                let top = smooth(angle.sin(), 0.2, 0.8);
                let groove = 0.07 * top * (-(x / 0.22).powi(2)).exp() * (1.0 - smooth(s, 0.75, 1.0));
                base.push([x, y + 0.5 * thick * flat(angle.sin()) - groove, z]);
                place.push([x, (1.0 - s) * LENGTH]);
                along.push(s);
                narrow.push(narrower);
            }
        }
        base.push(tip);
        narrow.push(1.0);
        place.push([0.0; 2]);
        along.push(1.0);
        let mut triangles = Vec::new();
        let at = |i: usize, j: usize| (i * AROUND + j % AROUND) as u32;
        for i in 0..RINGS {
            for j in 0..AROUND {
                let (a, b) = (at(i, j), at(i, j + 1));
                if i + 1 == RINGS {
                    triangles.push([a, b, (POINTS - 1) as u32]);
                } else {
                    let (c, d) = (at(i + 1, j), at(i + 1, j + 1));
                    triangles.extend([[a, b, c], [b, d, c]]);
                }
            }
        }
        Self { base, place, triangles, along, narrow, tip, bite: bite.upper, upper_front: bite.upper_front }
    }

    /// Raises the tip to the upper teeth (`up`, 0..1) and puts the tongue out over the lower lip (`out`, 0..1, `lip`: the
    /// middle of its edge). `points`: the tongue's, already moved with the jaw.
    pub fn bend(&self, points: &mut [[f32; 3]], up: f32, out: f32, lip: [f32; 3]) {
        let Some(&tip) = points.last() else { return };
        if up > 0.0 {
            let rise = (self.bite - TOUCH - tip[1]).clamp(0.0, 1.8) * up;
            let forward = (self.upper_front - BEHIND_TEETH - tip[2]).clamp(0.0, 1.5) * up;
            for (p, &s) in points.iter_mut().zip(&self.along) {
                let bend = smooth(s, 0.55, 1.02);
                p[0] *= 1.0 - NARROW * bend * up;
                p[1] += bend * rise;
                p[2] += smooth(s, 0.0, 0.95) * forward;
            }
        }
        if out > 0.0 {
            let forward = (lip[2] + BEYOND_LIP - tip[2]).clamp(0.0, 4.0) * out;
            let rise = (lip[1] + ABOVE_LIP - tip[1]).clamp(-1.0, 2.0) * out;
            for ((p, &s), narrow) in points.iter_mut().zip(&self.along).zip(&self.narrow) {
                p[0] *= 1.0 + (narrow - 1.0) * smooth(s, 0.3, 0.6) * out;
                p[2] += s * forward;
                p[1] += smooth(s, 0.0, 0.7) * rise;
                // beyond the lip it hangs
                let beyond = (p[2] - lip[2] + 0.2).max(0.0);
                p[1] -= 0.42 * beyond * beyond * out;
            }
        }
    }

    /// Middle of a point's ring at rest: how far back it is, for the model's tongue beside it.
    pub fn depth(&self, point: usize) -> f32 {
        self.tip[2] - self.place[point][1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BITE: Bite = Bite { upper: -3.5, lower: -3.4, upper_front: 10.8, lower_front: 10.6 };

    #[test]
    fn it_lies_behind_the_lower_teeth_and_looks_out() {
        let tongue = Tongue::new(&BITE);
        assert_eq!((tongue.base.len(), tongue.place.len()), (POINTS, POINTS));
        assert!(tongue.base.iter().all(|p| p[2] < BITE.lower_front - 1.0 && p[1] < BITE.lower + 0.7));
        // closed and oriented: the volume is positive
        let volume: f32 = tongue
            .triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t
                    .map(|i| nalgebra::Vector3::from(tongue.base[i as usize]) - nalgebra::Vector3::new(0.0, -4.0, 7.0));
                a.dot(&b.cross(&c)) / 6.0
            })
            .sum();
        assert!(volume > 1.0, "{volume}");
    }

    #[test]
    fn it_reaches_the_teeth_and_beyond_the_lip() {
        let tongue = Tongue::new(&BITE);
        let lip = [0.0, -4.5, 10.9];
        let jaw_open: Vec<[f32; 3]> = tongue.base.iter().map(|&[x, y, z]| [x, y - 1.0, z - 0.6]).collect();
        let tip = |up, out| {
            let mut points = jaw_open.clone();
            tongue.bend(&mut points, up, out, lip);
            points[POINTS - 1]
        };
        let [_, y, z] = tip(1.0, 0.0);
        assert!((y - BITE.upper).abs() < 0.1 && z > 9.5, "{y} {z}");
        let [_, y, z] = tip(0.0, 1.0);
        assert!(z > lip[2] + 0.8 && y < lip[1] + 0.1, "{y} {z}");
        assert_eq!(tip(0.0, 0.0), jaw_open[POINTS - 1]);
    }
}
