//! Brows: raised with some accents and at the start of some phrases, never quite still.
//!
//! Graf et al. 2002: brows go with accents, but with far fewer than heads do.

use super::dice::{Dice, Wander, bump};
use super::rhythm::Beat;

/// How far brows are raised, 0..1 each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct BrowMotion {
    /// Inner ends.
    pub inner: f32,
    /// Outer ends: the subject's left, right.
    pub outer: [f32; 2],
}

#[derive(Clone, Copy, Debug)]
struct Raise {
    at: f32,
    rise: f32,
    fall: f32,
    height: f32,
    /// -1: only the right brow .. 1: only the left one.
    side: f32,
}

/// Generates brow motion.
#[derive(Clone, Debug)]
pub(super) struct Brows {
    dice: Dice,
    dt: f32,
    time: f32,
    idle: Wander,
    raises: [Option<Raise>; 4],
}

impl Brows {
    pub fn new(seed: u64, dt: f32) -> Self {
        let idle = Wander::new(Dice::new(seed, 120), 1.6, dt);
        Self { dice: Dice::new(seed, 4), dt, time: 0.0, idle, raises: [None; 4] }
    }

    /// Moves on by one frame; `amount` scales everything.
    pub fn step(&mut self, beat: &Beat, amount: f32) -> BrowMotion {
        self.time += self.dt;
        let d = &mut self.dice;
        let starts = beat.phrase_begins.is_some() && d.chance(0.3);
        let accented = beat.accent.is_some_and(|s| d.chance(0.18 + 0.25 * s + 0.04 * beat.pitch.max(0.0)));
        if starts || accented {
            let (rise, fall) = (d.uniform(0.16, 0.26), d.uniform(0.35, 0.75));
            let side = if d.chance(0.2) { d.uniform(-0.6, 0.6) } else { 0.0 };
            let raise = Raise { at: self.time + rise, rise, fall, height: d.uniform(0.14, 0.42), side };
            if let Some(free) = self.raises.iter_mut().find(|r| r.is_none()) {
                *free = Some(raise);
            }
        }
        let idle = 0.035 * (self.idle.step() + 1.0).max(0.0);
        let mut motion = BrowMotion { inner: idle, outer: [0.6 * idle; 2] };
        for slot in &mut self.raises {
            let Some(r) = slot else { continue };
            if self.time > r.at + r.fall {
                *slot = None;
                continue;
            }
            let now = r.height * bump(self.time, r.at, r.rise, r.fall);
            motion.inner += now * (1.0 - 0.5 * r.side.abs());
            motion.outer[0] += 0.75 * now * (1.0 + r.side);
            motion.outer[1] += 0.75 * now * (1.0 - r.side);
        }
        let part = |x: f32| (amount * x).clamp(0.0, 0.7);
        BrowMotion { inner: part(motion.inner), outer: motion.outer.map(part) }
    }

    /// As [`super::head::Head::rebase`].
    pub fn rebase(&mut self) {
        let by = std::mem::take(&mut self.time);
        self.raises.iter_mut().flatten().for_each(|r| r.at -= by);
    }
}
