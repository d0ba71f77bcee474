//! Gaze: fixations of about a second on the listener, looks away at the start of phrases, micro-saccades.
//!
//! After Lee, Badler and Badler, "Eyes alive" (2002). Saccades of these sizes take 20 to 50 ms, so at 25 frames a second
//! there is one frame on the way. Eyes hold their aim against small head motion.

use super::dice::Dice;
use super::frame::Gaze;
use super::rhythm::Beat;

/// Mean length of a fixation, s.
const FIXATION: f32 = 1.15;
/// Share of a head turn that the eyes take back.
const HOLD: f32 = 0.4;
/// Share of the wanted gaze that the head takes over.
pub(super) const HEAD_SHARE: f32 = 0.2;

/// Generates gaze.
#[derive(Clone, Debug)]
pub(super) struct Wandering {
    dice: Dice,
    dt: f32,
    aim: Gaze,
    shown: Gaze,
    left: f32,
    away: bool,
    micro: Gaze,
    micro_left: f32,
}

impl Wandering {
    pub fn new(seed: u64, dt: f32) -> Self {
        let mut dice = Dice::new(seed, 3);
        let aim = Gaze { x: 0.8 * dice.normal(), y: 0.5 * dice.normal() };
        let left = dice.uniform(0.4, 1.5);
        let still = Gaze::default();
        Self { dice, dt, aim, shown: aim, left, away: false, micro: still, micro_left: 0.3 }
    }

    /// Moves on by one frame. `head` is the generated turn of the head (yaw, pitch), `amount` scales the wandering,
    /// `listening` (0..1) keeps the eyes on the speaker.
    /// Returns the gaze about the wanted one, and whether a larger shift began.
    pub fn step(&mut self, beat: &Beat, head: [f32; 2], amount: f32, listening: f32) -> (Gaze, bool) {
        self.left -= self.dt;
        let mut shift = false;
        let starting = beat.phrase_begins.is_some_and(|pause| pause > 0.3);
        // Who begins to speak looks at the other one first.
        let first = beat.phrase_begins.is_some_and(|pause| pause > 8.0);
        // Who has finished looks back at the listener; who listens keeps looking.
        let returning = self.away && (beat.pause_begins || listening > 0.5);
        if self.left < 0.0 || returning || (starting && self.dice.chance(0.5)) {
            let d = &mut self.dice;
            let before = self.aim;
            self.left = 0.25 + d.gamma2(FIXATION - 0.25);
            let look_away = if returning || d.chance(listening) {
                0.0
            } else if starting {
                if first { 0.2 } else { 0.75 }
            } else if beat.speaking > 0.5 {
                0.10
            } else {
                0.08
            };
            if !self.away && d.chance(look_away) {
                let angle = d.uniform(0.0, std::f32::consts::TAU);
                self.aim = Gaze { x: angle.cos() * d.uniform(3.5, 8.0), y: angle.sin() * d.uniform(2.0, 5.0) };
                self.left = d.uniform(0.35, 0.9);
                self.away = true;
            } else {
                self.aim = Gaze { x: 1.3 * d.normal(), y: 0.7 * d.normal() };
                self.away = false;
            }
            shift = (self.aim.x - before.x).hypot(self.aim.y - before.y) > 4.0;
        }
        self.micro_left -= self.dt;
        if self.micro_left < 0.0 {
            self.micro_left = self.dice.uniform(0.35, 1.1);
            self.micro = Gaze { x: 0.25 * self.dice.normal(), y: 0.15 * self.dice.normal() };
        }
        let near = |from: f32, to: f32| from + 0.8 * (to - from);
        self.shown =
            Gaze { x: near(self.shown.x, self.aim.x + self.micro.x), y: near(self.shown.y, self.aim.y + self.micro.y) };
        let gaze = Gaze { x: amount * self.shown.x - HOLD * head[0], y: amount * self.shown.y - HOLD * head[1] };
        (gaze, shift)
    }
}
