//! Breath: a slow rise and fall of the head while silent, a short one in each pause of speech. Lips stay shut: the air
//! goes through the nose.

use super::dice::{Dice, Spring};
use super::rhythm::Beat;

/// Generates breath.
#[derive(Clone, Debug)]
pub(super) struct Breath {
    dice: Dice,
    dt: f32,
    /// 0..1 through a breath at rest.
    phase: f32,
    rate: f32,
    inhaling: f32,
    level: Spring,
}

impl Breath {
    pub fn new(seed: u64, dt: f32) -> Self {
        let mut dice = Dice::new(seed, 5);
        let phase = dice.uniform(0.0, 1.0);
        Self { dice, dt, phase, rate: 0.24, inhaling: 0.0, level: Spring::default() }
    }

    /// Moves on by one frame. Returns how full the chest is above its mean, about -0.5..1.
    pub fn step(&mut self, beat: &Beat) -> f32 {
        self.phase += self.rate * self.dt;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
            self.rate = self.dice.uniform(0.2, 0.28);
        }
        if beat.pause_begins {
            self.inhaling = 0.5;
        }
        self.inhaling -= self.dt;
        let rest = 0.5 * (std::f32::consts::TAU * self.phase).sin();
        let goal = if self.inhaling > 0.0 {
            1.0
        } else if beat.speaking > 0.5 {
            -0.3
        } else {
            rest
        };
        self.level.step(goal, if self.inhaling > 0.0 { 6.0 } else { 2.5 }, self.dt)
    }
}
