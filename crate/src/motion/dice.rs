//! Random numbers of a take: the same seed gives the same numbers on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::controls::damped;

/// One independent source of chance.
#[derive(Clone, Debug)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The source of this number of a seed; sources do not depend on each other.
    pub fn new(seed: u64, source: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(source);
        Self(rng)
    }

    /// Evenly from `low` (included) to `high`.
    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.0.next_u32() >> 8) as f32 / (1 << 24) as f32)
    }

    /// Normal distribution, mean 0, deviation 1, never beyond 3.5 (sum of twelve).
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform(-0.5, 0.5)).sum::<f32>().clamp(-3.5, 3.5)
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f32) -> bool {
        self.uniform(0.0, 1.0) < probability
    }

    /// Gamma distribution of shape 2 with this mean: waiting times that are rarely very short.
    pub fn gamma2(&mut self, mean: f32) -> f32 {
        let (a, b) = (self.uniform(0.0, 1.0), self.uniform(0.0, 1.0));
        -0.5 * mean * ((1.0 - a).ln() + (1.0 - b).ln())
    }
}

/// Smooth noise without a beat: mean 0, deviation 1, hardly anything faster than its time constant.
#[derive(Clone, Debug)]
pub(super) struct Wander {
    dice: Dice,
    stages: [f32; 3],
    keep: f32,
    gain: f32,
}

impl Wander {
    /// `tau`: seconds after which it has mostly forgotten where it was. `dt`: seconds a step.
    pub fn new(mut dice: Dice, tau: f32, dt: f32) -> Self {
        // Three equal one-pole filters; the impulse response gives the deviation they leave of white noise.
        let keep = (-dt * 2.5 / tau).exp();
        let (mut stages, mut energy) = ([0.0f32; 3], 0.0);
        let steps = (6.0 * tau / dt) as usize + 20;
        for i in 0..steps {
            run_stages(&mut stages, keep, if i == 0 { 1.0 } else { 0.0 });
            energy += stages[2] * stages[2];
        }
        let mut stages = [0.0; 3];
        for _ in 0..steps {
            run_stages(&mut stages, keep, dice.normal());
        }
        Self { dice, stages, keep, gain: 1.0 / energy.sqrt() }
    }

    /// The next value.
    pub fn step(&mut self) -> f32 {
        let x = self.dice.normal();
        run_stages(&mut self.stages, self.keep, x);
        self.stages[2] * self.gain
    }
}

fn run_stages(stages: &mut [f32; 3], keep: f32, x: f32) {
    let mut input = x;
    for s in stages {
        *s = keep * *s + (1.0 - keep) * input;
        input = *s;
    }
}

/// A value that follows its goal like a critically damped spring.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spring {
    /// Where it is.
    pub value: f32,
    speed: f32,
}

impl Spring {
    /// At rest at a value.
    pub fn at(value: f32) -> Self {
        Self { value, speed: 0.0 }
    }

    /// Moves on by `dt` seconds towards `goal`; `stiffness` in 1/s, 90 % are done after 4 / stiffness.
    pub fn step(&mut self, goal: f32, stiffness: f32, dt: f32) -> f32 {
        (self.value, self.speed) = damped(self.value, self.speed, goal, stiffness, dt);
        self.value
    }
}

/// A rise and fall: 0 before `at - rise` and after `at + fall`, 1 at `at`, smooth between.
pub(super) fn bump(t: f32, at: f32, rise: f32, fall: f32) -> f32 {
    let x = if t < at { (t - at) / rise } else { (t - at) / fall };
    if x.abs() < 1.0 { 0.5 + 0.5 * (std::f32::consts::PI * x).cos() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_numbers_and_other_sources_differ() {
        let run = |seed, source| {
            let mut d = Dice::new(seed, source);
            [d.normal(), d.gamma2(1.0), d.uniform(2.0, 3.0)]
        };
        assert_eq!(run(5, 1), run(5, 1));
        assert_ne!(run(5, 1), run(5, 2));
        assert_ne!(run(5, 1), run(6, 1));
    }

    #[test]
    fn wander_has_unit_deviation_and_is_smooth() {
        let mut w = Wander::new(Dice::new(1, 0), 1.0, 0.04);
        let x: Vec<f32> = (0..50_000).map(|_| w.step()).collect();
        let mean = x.iter().sum::<f32>() / x.len() as f32;
        let deviation = (x.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / x.len() as f32).sqrt();
        assert!(mean.abs() < 0.1 && (0.85..1.15).contains(&deviation), "{mean} {deviation}");
        let jerk = x.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).powi(2)).sum::<f32>() / x.len() as f32;
        assert!(jerk.sqrt() < 0.03, "{}", jerk.sqrt());
    }

    #[test]
    fn a_spring_arrives() {
        let mut s = Spring::default();
        for _ in 0..100 {
            s.step(3.0, 8.0, 0.04);
        }
        assert!((s.value - 3.0).abs() < 1e-3);
    }
}
