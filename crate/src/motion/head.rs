//! Head motion: sway that swells with the voice, a share of loudness and pitch themselves, nods and turns on accents and
//! at the ends of phrases, a new posture at their borders; small double nods while listening.
//!
//! Nods with accents: Hadar et al. 1983, Graf et al. 2002; head turns that go with pitch and loudness: Munhall et al. 2004.
//! Amounts are those of filmed talkers: one to three degrees of deviation in yaw, a median speed of about 8 degrees a
//! second. Everything is a sum of smooth curves, so nothing trembles.

use super::dice::{Dice, Spring, Wander, bump};
use super::rhythm::Beat;

/// Most gestures that overlap.
const GESTURES: usize = 8;
/// Deviation of slow and quick sway in yaw, pitch, roll, degrees.
const SWAY: [(f32, f32); 3] = [(1.3, 1.7), (0.7, 1.2), (0.9, 1.1)];
/// Deviation of a phrase's posture in yaw, pitch, roll, degrees.
const POSTURE: [f32; 3] = [2.0, 1.1, 1.5];
/// Mean and deviation of what loudness (a unit) and pitch (a semitone) turn: yaw, pitch, roll in degrees.
const DRIVE: [[(f32, f32); 3]; 2] = [[(0.0, 3.5), (3.0, 3.5), (0.0, 2.0)], [(0.0, 0.42), (-0.20, 0.34), (0.0, 0.28)]];

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
    /// Loudness of the last syllables, its usual value, and pitch.
    energy: Spring,
    usual: Spring,
    tune: Spring,
    /// Degrees of yaw, pitch and roll a unit of loudness and a semitone bring; drawn anew for each phrase.
    drive: [[Spring; 3]; 2],
    drive_goal: [[f32; 3]; 2],
    /// Seconds to the next nod while listening.
    listen_left: f32,
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
            energy: Spring::default(),
            usual: Spring::at(0.5),
            tune: Spring::default(),
            drive: [[Spring::default(); 3]; 2],
            drive_goal: [[0.0; 3]; 2],
            listen_left: 1.0,
        }
    }

    /// Moves on by one frame; `amount` scales everything (1: a calm speaker). `listening` (0..1): how much the sound is
    /// somebody else's, whom this head attends to.
    pub fn step(&mut self, beat: &Beat, amount: f32, listening: f32) -> HeadMotion {
        self.time += self.dt;
        let speaking = beat.speaking * (1.0 - listening);
        if let Some(strength) = beat.accent
            && !self.dice.chance(listening)
        {
            self.accent(strength);
        }
        self.listen_left -= self.dt;
        let answers = beat.pause_begins && self.dice.chance(0.5);
        if listening > 0.5 && (self.listen_left < 0.0 || answers) {
            self.attend();
        }
        if beat.pause_begins && speaking > 0.3 && self.dice.chance(0.55) {
            self.close_phrase();
        }
        let border = beat.phrase_begins.is_some_and(|pause| pause > 0.25);
        if border
            || (beat.pause_begins && self.dice.chance(0.4))
            || (beat.silent_for > 1.0 && self.dice.chance(self.dt / 5.0))
        {
            self.posture_goal = POSTURE.map(|d| d * self.dice.normal());
            self.posture_left = self.dice.uniform(1.2, 3.2);
        }
        self.posture_left -= self.dt;
        if self.posture_left < 0.0 {
            self.posture_goal = [0.0; 3];
        }
        if beat.phrase_begins.is_some() || (beat.accent.is_some() && self.dice.chance(0.15)) {
            let d = &mut self.dice;
            self.drive_goal = DRIVE.map(|axes| axes.map(|(mean, deviation)| mean + deviation * d.normal()));
        }
        let energy = self.energy.step(beat.loudness * beat.speaking, 8.0, self.dt);
        let above = energy - self.usual.step(energy, 1.5, self.dt);
        let tune = self.tune.step(beat.pitch.clamp(-6.0, 6.0), 8.0, self.dt);
        let mut turn = [0.0; 3];
        for axis in 0..3 {
            let (slow, quick) = SWAY[axis];
            let drive: [f32; 2] =
                std::array::from_fn(|i| self.drive[i][axis].step(self.drive_goal[i][axis], 3.0, self.dt));
            turn[axis] = amount
                * ((0.5 + 0.5 * speaking) * slow * self.slow[axis].step()
                    + (0.25 + 0.95 * energy * (1.0 - listening)) * quick * self.quick[axis].step()
                    + self.posture[axis].step(self.posture_goal[axis], 5.0, self.dt)
                    + speaking * (drive[0] * above + drive[1] * tune));
        }
        // Nods go down; without this the face would sink while it speaks.
        turn[1] -= 0.9 * amount * speaking;
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
        let rise = d.uniform(0.18, 0.28);
        let nod = d.uniform(1.2, 3.4) * (0.5 + 0.5 * strength);
        let nod = if d.chance(0.22) { -0.7 * nod } else { nod };
        let turn = if d.chance(0.5) { 1.3 * d.normal() } else { 0.0 };
        let lean = if d.chance(0.4) { 0.9 * d.normal() } else { 0.0 };
        let gesture = Gesture { at: self.time + rise, rise, fall: d.uniform(0.32, 0.55), turn: [turn, nod, lean] };
        self.begin(gesture);
    }

    /// What was said comes to rest: the head sinks with the last words and stays down for a moment.
    fn close_phrase(&mut self) {
        let d = &mut self.dice;
        let rise = d.uniform(0.26, 0.40);
        let (nod, lean, fall) = (d.uniform(0.8, 2.4), 0.7 * d.normal(), d.uniform(0.7, 1.2));
        self.begin(Gesture { at: self.time + rise, rise, fall, turn: [0.0, nod, lean] });
    }

    /// A listener's nod: once or twice, the second one smaller.
    fn attend(&mut self) {
        let d = &mut self.dice;
        self.listen_left = d.uniform(1.8, 4.5);
        let (rise, fall, depth) = (d.uniform(0.18, 0.26), d.uniform(0.22, 0.32), d.uniform(2.0, 3.6));
        let twice = d.chance(0.55);
        self.begin(Gesture { at: self.time + rise, rise, fall, turn: [0.0, depth, 0.0] });
        if twice {
            let at = self.time + 2.0 * rise + fall;
            self.begin(Gesture { at, rise, fall: 1.3 * fall, turn: [0.0, 0.6 * depth, 0.0] });
        }
    }

    fn begin(&mut self, gesture: Gesture) {
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
