//! Brows: raised where the voice rises, with some accents and at the start of some phrases, never quite still.
//!
//! Graf et al. 2002: brows go with accents, but with far fewer than heads do. Cavé et al. 1996: most raises go with a rise
//! of the pitch, but not every rise brings one.

use super::dice::{Dice, Spring, Wander, bump};
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
    tune: Spring,
    /// How much of the pitch the brows follow in this phrase, a semitone.
    follow: Spring,
    follow_goal: f32,
}

impl Brows {
    pub fn new(seed: u64, dt: f32) -> Self {
        let idle = Wander::new(Dice::new(seed, 120), 1.6, dt);
        Self {
            dice: Dice::new(seed, 4),
            dt,
            time: 0.0,
            idle,
            raises: [None; 4],
            tune: Spring::default(),
            follow: Spring::default(),
            follow_goal: 0.0,
        }
    }

    /// Moves on by one frame; `amount` scales everything.
    pub fn step(&mut self, beat: &Beat, amount: f32) -> BrowMotion {
        self.time += self.dt;
        let d = &mut self.dice;
        let starts = beat.phrase_begins.is_some() && d.chance(0.22);
        let high = beat.pitch.clamp(0.0, 6.0);
        let accented = beat.accent.is_some_and(|s| d.chance(0.04 + 0.08 * s + 0.07 * high));
        // Another manner with each phrase, and now and then within a long one.
        if beat.phrase_begins.is_some() || (beat.accent.is_some() && d.chance(0.15)) {
            self.follow_goal = if d.chance(0.2) { d.uniform(0.02, 0.045) } else { 0.0 };
        }
        if starts || accented {
            let (rise, fall) = (d.uniform(0.16, 0.26), d.uniform(0.35, 0.75));
            let side = if d.chance(0.2) { d.uniform(-0.6, 0.6) } else { 0.0 };
            let raise = Raise { at: self.time + rise, rise, fall, height: d.uniform(0.12, 0.34) + 0.035 * high, side };
            if let Some(free) = self.raises.iter_mut().find(|r| r.is_none()) {
                *free = Some(raise);
            }
        }
        let follow = self.follow.step(self.follow_goal, 3.0, self.dt) * beat.speaking;
        let tune = follow * self.tune.step(beat.pitch.clamp(-2.0, 6.0), 9.0, self.dt).max(0.0);
        let idle = 0.06 * (self.idle.step() + 0.7).max(0.0);
        let mut motion = BrowMotion { inner: idle + 0.8 * tune, outer: [0.6 * idle + tune; 2] };
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
