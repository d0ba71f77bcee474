//! Blinks: a random clock that waits a little for phrase borders and shifts of gaze.
//!
//! Times between blinks are lognormal about (Bentivoglio et al. 1997); lids close in 80 ms and open slower, so that they
//! are more than half shut for about 150 ms.

use super::dice::Dice;
use super::rhythm::Beat;

/// Seconds to close.
const CLOSING: f32 = 0.08;

/// Generates blinks.
#[derive(Clone, Debug)]
pub(super) struct Blink {
    dice: Dice,
    dt: f32,
    /// Time left to the next blink, in units of the mean time between blinks.
    wait: f32,
    /// Seconds since the lids began to close, while they move.
    moving: Option<f32>,
    hold: f32,
    opening: f32,
}

impl Blink {
    pub fn new(seed: u64, dt: f32) -> Self {
        let mut dice = Dice::new(seed, 2);
        let wait = dice.uniform(0.15, 1.0);
        Self { dice, dt, wait, moving: None, hold: 0.0, opening: 0.0 }
    }

    /// Moves on by one frame; `rate` in blinks a minute. Returns how far the lids are shut, 0..1.
    pub fn step(&mut self, beat: &Beat, gaze_shift: bool, rate: f32) -> f32 {
        let mean = 60.0 / rate.max(0.1);
        self.wait -= self.dt / mean;
        // Up to a second early at a good moment; in the middle of a phrase, up to a second late.
        let soon = 1.0 / mean;
        let starting = beat.phrase_begins.is_some_and(|pause| pause < 8.0);
        let moment = beat.pause_begins || starting || gaze_shift;
        let due = self.wait < 0.0 && (moment || beat.speaking < 0.5 || self.wait < -0.9 / mean);
        if self.moving.is_none() && rate > 0.5 && (due || (moment && self.wait < soon)) {
            self.moving = Some(0.0);
            self.hold = self.dice.uniform(0.01, 0.05);
            self.opening = self.dice.uniform(0.14, 0.21);
            // The lognormal factor's mean is 1.
            let factor = (0.55 * self.dice.normal() - 0.15).exp();
            let double = self.dice.chance(0.06);
            // What was waited too little or too much now is made up for with the next blink, so that the rate holds.
            self.wait = if double { 0.3 / mean } else { (factor + self.wait).max(0.7 / mean) };
        }
        let Some(t) = self.moving else { return 0.0 };
        let t = t + self.dt;
        self.moving = Some(t);
        let ease = |x: f32| 0.5 - 0.5 * (std::f32::consts::PI * x.clamp(0.0, 1.0)).cos();
        let open_from = CLOSING + self.hold;
        if t < CLOSING {
            ease(t / CLOSING)
        } else if t <= open_from {
            1.0
        } else if t < open_from + self.opening {
            // Quick at first, then slower: the upper lid has most of its way behind it when it slows down.
            let x = (t - open_from) / self.opening;
            1.0 - ease(x.powf(0.85))
        } else {
            self.moving = None;
            0.0
        }
    }
}
