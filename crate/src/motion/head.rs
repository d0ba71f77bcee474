//! Head motion: sway that is livelier in speech, nods and turns on accents, a new posture after a pause.
//!
//! Nods with accents: Hadar et al. 1983, Graf et al. 2002. Amounts are those of filmed talkers: about 1.5 degrees of
//! deviation in yaw, a median speed of 6 to 9 degrees a second. Everything is a sum of smooth curves, so nothing trembles.

use super::dice::{Dice, Spring, Wander, bump};
use super::rhythm::Beat;

/// Most gestures that overlap.
const GESTURES: usize = 8;

/// A smooth movement and back.
#[derive(Clone, Copy, Debug)]
struct Gesture {
    at: f32,
    rise: f32,
    fall: f32,
    /// Degrees of yaw, pitch, roll.
    turn: [f32; 3],
}

/// Degrees and face heights to add to a head at rest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct HeadMotion {
    /// Yaw, pitch, roll in degrees.
    pub turn: [f32; 3],
    /// Shift to the right and down in face heights.
    pub shift: [f32; 2],
}

/// Generates head motion.
#[derive(Clone, Debug)]
pub(super) struct Head {
    dice: Dice,
    dt: f32,
    time: f32,
    slow: [Wander; 3],
    quick: [Wander; 3],
    shift: [Wander; 2],
    gestures: [Option<Gesture>; GESTURES],
    posture: [Spring; 3],
    posture_goal: [f32; 3],
    /// Seconds until the posture returns to the middle.
    posture_left: f32,
}

impl Head {
    pub fn new(seed: u64, dt: f32) -> Self {
        let wander = |source: u64, tau: f32| Wander::new(Dice::new(seed, 100 + source), tau, dt);
        Self {
            dice: Dice::new(seed, 1),
            dt,
            time: 0.0,
            slow: [wander(0, 2.2), wander(1, 2.0), wander(2, 2.4)],
            quick: [wander(3, 0.60), wander(4, 0.55), wander(5, 0.65)],
            shift: [wander(6, 2.6), wander(7, 2.6)],
            gestures: [None; GESTURES],
            posture: [Spring::default(); 3],
            posture_goal: [0.0; 3],
            posture_left: 0.0,
        }
    }

    /// Moves on by one frame; `amount` scales everything (1: a calm speaker).
    pub fn step(&mut self, beat: &Beat, amount: f32) -> HeadMotion {
        self.time += self.dt;
        if let Some(strength) = beat.accent {
            self.accent(strength);
        }
        if beat.phrase_begins.is_some_and(|pause| pause > 0.25)
            || (beat.silent_for > 1.0 && self.dice.chance(self.dt / 5.0))
        {
            self.posture_goal = [1.3, 0.9, 1.0].map(|d| d * self.dice.normal());
            self.posture_left = self.dice.uniform(1.6, 4.0);
        }
        self.posture_left -= self.dt;
        if self.posture_left < 0.0 {
            self.posture_goal = [0.0; 3];
        }
        let lively = amount * (0.45 + 0.55 * beat.speaking);
        let mut turn = [0.0; 3];
        for (axis, (slow, quick)) in [(1.45, 1.40), (0.75, 1.00), (0.85, 0.85)].into_iter().enumerate() {
            turn[axis] = lively * (slow * self.slow[axis].step() + quick * self.quick[axis].step())
                + amount * self.posture[axis].step(self.posture_goal[axis], 5.0, self.dt);
        }
        // Nods go down; without this the face would sink while it speaks.
        turn[1] -= 0.6 * amount * beat.speaking;
        for slot in &mut self.gestures {
            let Some(g) = slot else { continue };
            if self.time > g.at + g.fall {
                *slot = None;
                continue;
            }
            let now = amount * bump(self.time, g.at, g.rise, g.fall);
            turn.iter_mut().zip(g.turn).for_each(|(t, d)| *t += now * d);
        }
        let shift = [0.0040 * amount * self.shift[0].step(), 0.0030 * amount * self.shift[1].step()];
        HeadMotion { turn, shift }
    }

    /// A nod with the accent, sometimes a small turn or lean with it. The head comes a little after the voice's peak,
    /// as in people.
    fn accent(&mut self, strength: f32) {
        let d = &mut self.dice;
        let rise = d.uniform(0.20, 0.30);
        let nod = d.uniform(0.9, 2.3) * (0.5 + 0.5 * strength);
        let nod = if d.chance(0.18) { -0.7 * nod } else { nod };
        let turn = if d.chance(0.45) { 0.8 * d.normal() } else { 0.0 };
        let lean = if d.chance(0.35) { 0.6 * d.normal() } else { 0.0 };
        let gesture = Gesture { at: self.time + rise, rise, fall: d.uniform(0.32, 0.55), turn: [turn, nod, lean] };
        if let Some(free) = self.gestures.iter_mut().find(|g| g.is_none()) {
            *free = Some(gesture);
        }
    }

    /// Keeps the clock small, so that an hour counts as precisely as a second. Called once in a while.
    pub fn rebase(&mut self) {
        let by = std::mem::take(&mut self.time);
        self.gestures.iter_mut().flatten().for_each(|g| g.at -= by);
    }
}
