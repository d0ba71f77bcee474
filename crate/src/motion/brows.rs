//! Brows: raised where the voice rises, with some accents and at the start of some phrases, drawn together in others,
//! never quite still and never quite even.
//!
//! Graf et al. 2002: brows go with accents, but with far fewer than heads do. Cavé et al. 1996: most raises go with a rise
//! of the pitch, but not every rise brings one. A raise is held for a while, and accents that fall into it prolong it:
//! brows do not hop from word to word.

use super::dice::{Dice, Spring, Wander};
use super::rhythm::Beat;

/// How quickly brows go up, and come down again, 1/s.
const RISE: f32 = 15.0;
const FALL: f32 = 7.0;
/// Share of a raise that is lost in a second of holding it.
const SINKING: f32 = 0.6;

/// How far brows are moved, 0..1 each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct BrowMotion {
    /// Inner ends, up.
    pub inner: f32,
    /// Outer ends, up: the subject's left, right.
    pub outer: [f32; 2],
    /// Drawn down and together.
    pub down: f32,
    /// What of it is a raise, without the idle motion: lids open with it.
    pub raise: f32,
}

/// Generates brow motion.
#[derive(Clone, Debug)]
pub(super) struct Brows {
    dice: Dice,
    dt: f32,
    idle: [Wander; 3],
    /// Height of the raise that is held, for how many seconds still, and its side: -1 the right brow alone .. 1 the left.
    height: f32,
    left: f32,
    side: f32,
    inner: Spring,
    outer: [Spring; 2],
    tune: Spring,
    /// How much of the pitch the brows follow in this phrase, a semitone.
    follow: Spring,
    follow_goal: f32,
    down: Spring,
    down_goal: f32,
}

impl Brows {
    pub fn new(seed: u64, dt: f32) -> Self {
        let idle = |source: u64, tau: f32| Wander::new(Dice::new(seed, 120 + source), tau, dt);
        Self {
            dice: Dice::new(seed, 4),
            dt,
            idle: [idle(0, 1.6), idle(1, 1.2), idle(2, 1.3)],
            height: 0.0,
            left: 0.0,
            side: 0.0,
            inner: Spring::default(),
            outer: [Spring::default(); 2],
            tune: Spring::default(),
            follow: Spring::default(),
            follow_goal: 0.0,
            down: Spring::default(),
            down_goal: 0.0,
        }
    }

    /// Moves on by one frame; `amount` scales everything.
    pub fn step(&mut self, beat: &Beat, amount: f32) -> BrowMotion {
        let d = &mut self.dice;
        let starts = beat.phrase_begins.is_some() && d.chance(0.22);
        let high = beat.pitch.clamp(0.0, 6.0);
        let accented = beat.accent.is_some_and(|s| d.chance(0.04 + 0.08 * s + 0.07 * high));
        // Another manner with each phrase, and now and then within a long one.
        if beat.phrase_begins.is_some() || (beat.accent.is_some() && d.chance(0.15)) {
            self.follow_goal = if d.chance(0.35) { d.uniform(0.02, 0.05) } else { 0.0 };
            self.down_goal = if d.chance(0.3) { d.uniform(0.06, 0.20) } else { 0.0 };
        }
        if beat.pause_begins {
            self.down_goal = 0.0;
        }
        self.left -= self.dt;
        if starts || accented {
            let height = d.uniform(0.12, 0.34) + 0.035 * high;
            let hold = if d.chance(0.25) { d.uniform(0.4, 0.9) } else { d.uniform(0.16, 0.32) };
            if self.left < 0.0 {
                self.side = if d.chance(0.25) { d.uniform(-0.7, 0.7) } else { 0.15 * d.normal() };
                (self.height, self.left) = (height, hold);
            } else {
                // One raise goes on; it does not begin anew.
                (self.height, self.left) = (self.height.max(height), self.left.max(0.7 * hold));
            }
        }
        let held = self.left > 0.0;
        // Nobody holds the brows quite still up there.
        self.height *= 1.0 - SINKING * self.dt;
        let (goal, stiffness) = if held { (self.height, RISE) } else { (0.0, FALL) };
        let raised = self.inner.step(goal * (1.0 - 0.5 * self.side.abs()), stiffness, self.dt);
        let sides = [1.0 + self.side, 1.0 - self.side];
        let outer: [f32; 2] =
            std::array::from_fn(|i| self.outer[i].step(0.75 * goal * sides[i].min(1.3), stiffness, self.dt));
        let follow = self.follow.step(self.follow_goal, 3.0, self.dt) * beat.speaking;
        let tune = follow * self.tune.step(beat.pitch.clamp(-2.0, 6.0), 9.0, self.dt).max(0.0);
        let [both, one, other] = self.idle.each_mut().map(Wander::step);
        let idle = |own: f32| 0.05 * (0.8 * both + 0.6 * own + 0.7).max(0.0);
        // A furrow gives way to a raise.
        let down = self.down.step(if held { 0.0 } else { self.down_goal * beat.speaking }, 5.0, self.dt);
        let part = |x: f32| (amount * x).clamp(0.0, 0.7);
        BrowMotion {
            inner: part(idle(0.0) + raised + 0.8 * tune),
            outer: [part(0.7 * idle(one) + outer[0] + tune), part(0.7 * idle(other) + outer[1] + tune)],
            down: part(down),
            raise: part(raised),
        }
    }
}
