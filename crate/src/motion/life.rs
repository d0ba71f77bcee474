//! Everything of a face but the words: head, brows, lids, gaze, breath and emotion, put together frame by frame.
//!
//! Each part has its own source of chance from one seed, so that a part behaves the same whatever the others do.

use super::blink::Blink;
use super::breath::Breath;
use super::brows::Brows;
use super::controls::Controls;
use super::dice::{Dice, Spring, Wander};
use super::emotion::{Speaking, add_shapes, bearing};
use super::frame::{Blendshape, Gaze, HeadPose, MotionFrame};
use super::gaze::{HEAD_SHARE, Wandering};
use super::head::Head;
use super::rhythm::Beat;

/// Frames after which the parts' clocks start anew.
const REBASE: u32 = 1500;
/// How far the corners of the mouth go up in a face that listens.
const LISTENING_SMILE: f32 = 0.16;
/// Deviation of what a feeling swells and ebbs by itself, and how much an accent adds to it.
const SWELL: f32 = 0.10;
const APEX: f32 = 0.18;
/// Deviation of how much more one side of the mouth does than the other: no mouth is quite even.
const UNEVEN: f32 = 0.07;
/// Shapes of the mouth that both sides have, the subject's left and right. Both open the lips alike, so that the gap
/// stays the same when they share it unevenly.
const SIDES: [[Blendshape; 2]; 5] = [
    [Blendshape::MouthSmileLeft, Blendshape::MouthSmileRight],
    [Blendshape::MouthStretchLeft, Blendshape::MouthStretchRight],
    [Blendshape::MouthLowerDownLeft, Blendshape::MouthLowerDownRight],
    [Blendshape::MouthUpperUpLeft, Blendshape::MouthUpperUpRight],
    [Blendshape::CheekSquintLeft, Blendshape::CheekSquintRight],
];
/// Turns are bent towards these limits, degrees: yaw, pitch, roll.
const LIMITS: [f32; 3] = [40.0, 30.0, 25.0];

/// What the face does beside speaking.
#[derive(Clone, Debug)]
pub(super) struct Life {
    head: Head,
    brows: Brows,
    blink: Blink,
    gaze: Wandering,
    breath: Breath,
    /// The head follows the eyes' larger shifts, slower.
    follow: [Spring; 2],
    swell: Wander,
    apex: Spring,
    /// Seconds since the last accent.
    since_accent: f32,
    uneven: Wander,
    dt: f32,
    frames: u32,
}

impl Life {
    pub fn new(seed: u64, dt: f32) -> Self {
        Self {
            head: Head::new(seed, dt),
            brows: Brows::new(seed, dt),
            blink: Blink::new(seed, dt),
            gaze: Wandering::new(seed, dt),
            breath: Breath::new(seed, dt),
            follow: [Spring::default(); 2],
            swell: Wander::new(Dice::new(seed, 130), 2.2, dt),
            apex: Spring::default(),
            since_accent: 10.0,
            uneven: Wander::new(Dice::new(seed, 131), 5.0, dt),
            dt,
            frames: 0,
        }
    }

    /// Moves on by one frame and adds to a frame whose mouth already speaks. `shut` and `tuck` are the speech's gates.
    pub fn step(&mut self, beat: &Beat, controls: &Controls, shut: f32, tuck: f32, frame: &mut MotionFrame) {
        self.frames += 1;
        if self.frames.is_multiple_of(REBASE) {
            self.head.rebase();
        }
        let mood = bearing(&controls.emotion);
        let amount = controls.expressiveness;
        let head = self.head.step(beat, amount * mood.liveliness * controls.head_motion, controls.listening);
        let (eyes, shift) = self.gaze.step(beat, [head.turn[0], head.turn[1]], amount, controls.listening);
        let follow =
            [self.follow[0].step(0.2 * eyes.x, 5.0, self.dt), self.follow[1].step(0.15 * eyes.y, 5.0, self.dt)];
        let blink = self.blink.step(beat, shift, controls.blink_rate * mood.blinks);
        let brows = self.brows.step(beat, amount * (0.6 + 0.4 * mood.liveliness));
        let breath = self.breath.step(beat) * amount.min(1.0);

        let aim = controls.gaze;
        let turn = [
            head.turn[0] + follow[0] + mood.turn[0] + HEAD_SHARE * aim.x + controls.pose[0],
            head.turn[1] + follow[1] + mood.turn[1] + HEAD_SHARE * aim.y + controls.pose[1] - 0.35 * breath,
            head.turn[2] + mood.turn[2] + controls.pose[2],
        ];
        let [yaw, pitch, roll] = std::array::from_fn(|i| LIMITS[i] * (turn[i] / LIMITS[i]).tanh());
        frame.head = HeadPose {
            yaw,
            pitch,
            roll,
            x: head.shift[0],
            y: head.shift[1] - 0.003 * breath,
            scale: controls.distance * mood.scale,
        };
        frame.set_gaze(Gaze {
            x: ((1.0 - HEAD_SHARE) * aim.x + eyes.x).clamp(-30.0, 30.0),
            y: ((1.0 - HEAD_SHARE) * aim.y + eyes.y + mood.gaze_down).clamp(-25.0, 25.0),
        });

        let face = &mut frame.blendshapes;
        let mut raise = |shape: Blendshape, by: f32| face[shape] = (face[shape] + by).min(1.0);
        raise(Blendshape::BrowInnerUp, brows.inner);
        raise(Blendshape::BrowOuterUpLeft, brows.outer[0]);
        raise(Blendshape::BrowOuterUpRight, brows.outer[1]);
        for (down, squint, wide) in [
            (Blendshape::BrowDownLeft, Blendshape::EyeSquintLeft, Blendshape::EyeWideLeft),
            (Blendshape::BrowDownRight, Blendshape::EyeSquintRight, Blendshape::EyeWideRight),
        ] {
            raise(down, brows.down);
            raise(squint, 0.5 * brows.down);
            raise(wide, 0.3 * brows.raise);
        }
        let nostrils = 0.03 * breath.max(0.0) * (1.0 - beat.speaking);
        raise(Blendshape::NoseSneerLeft, nostrils);
        raise(Blendshape::NoseSneerRight, nostrils);
        let attentive = controls.listening * (1.0 - shut) * amount.min(1.0);
        raise(Blendshape::MouthSmileLeft, LISTENING_SMILE * attentive);
        raise(Blendshape::MouthSmileRight, LISTENING_SMILE * attentive);
        raise(Blendshape::CheekSquintLeft, 0.4 * LISTENING_SMILE * attentive);
        raise(Blendshape::CheekSquintRight, 0.4 * LISTENING_SMILE * attentive);
        let swell = 1.0 + amount.min(1.0) * self.swells(beat);
        let voice = beat.speaking * (1.0 - controls.listening);
        add_shapes(face, &controls.emotion, swell, Speaking { shut, tuck, voice });
        let uneven = amount.min(1.0) * (1.0 - shut) * UNEVEN * self.uneven.step();
        for [left, right] in SIDES {
            face[left] = (face[left] * (1.0 + uneven)).clamp(0.0, 1.0);
            face[right] = (face[right] * (1.0 - uneven)).clamp(0.0, 1.0);
        }
        for lid in [Blendshape::EyeBlinkLeft, Blendshape::EyeBlinkRight] {
            face[lid] = face[lid].max(blink);
        }
        for wide in
            [Blendshape::EyeWideLeft, Blendshape::EyeWideRight, Blendshape::EyeSquintLeft, Blendshape::EyeSquintRight]
        {
            face[wide] *= 1.0 - blink;
        }
    }

    /// How much stronger than asked for a feeling shows now: it comes and goes, and most of it comes with accents.
    fn swells(&mut self, beat: &Beat) -> f32 {
        self.since_accent = if beat.accent.is_some() { 0.0 } else { self.since_accent + self.dt };
        let goal = if self.since_accent < 0.35 { APEX } else { 0.0 };
        // Its mean over speech is about nothing.
        let apex = self.apex.step(goal, 8.0, self.dt) - 0.4 * APEX * beat.speaking;
        SWELL * self.swell.step() + apex
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Phrases of three seconds with an accent now and then, pauses of one second.
    fn beat(i: usize) -> Beat {
        let (at, speaks) = (i % 100, i % 100 < 75);
        Beat {
            speaking: if speaks { at as f32 / 10.0 } else { 1.0 - (at - 75) as f32 / 10.0 }.clamp(0.0, 1.0),
            silent_for: if speaks { 0.0 } else { (at - 75) as f32 * 0.04 },
            pause_begins: at == 79,
            phrase_begins: (at == 0).then_some(1.0),
            accent: (speaks && at % 16 == 5).then_some(0.6),
            loudness: 0.7,
            pitch: 1.0,
        }
    }

    #[test]
    fn the_second_hour_is_as_lively_as_the_first_minute() {
        let mut life = Life::new(3, 0.04);
        let frames: Vec<MotionFrame> = (0..100_000)
            .map(|i| {
                let mut frame = MotionFrame::default();
                life.step(&beat(i), &Controls::default(), 0.0, 0.0, &mut frame);
                frame
            })
            .collect();
        for part in [&frames[..20_000], &frames[80_000..]] {
            let mean = part.iter().map(|f| f.head.yaw).sum::<f32>() / part.len() as f32;
            let yaw = (part.iter().map(|f| (f.head.yaw - mean).powi(2)).sum::<f32>() / part.len() as f32).sqrt();
            assert!((1.0..2.5).contains(&yaw), "yaw deviates by {yaw}");
            let shut = |f: &MotionFrame| f.blendshapes[Blendshape::EyeBlinkLeft] > 0.5;
            let blinks = part.windows(2).filter(|w| shut(&w[1]) && !shut(&w[0])).count() as f32;
            let minutes = part.len() as f32 / 1500.0;
            assert!((15.0..25.0).contains(&(blinks / minutes)), "{} blinks a minute", blinks / minutes);
            let lengths = part.chunk_by(|a, b| shut(a) == shut(b)).filter(|run| shut(&run[0])).map(<[_]>::len);
            let (runs, total) = lengths.fold((0, 0), |(n, sum), l| (n + 1, sum + l));
            let mean_ms = 40.0 * total as f32 / runs as f32;
            assert!((100.0..200.0).contains(&mean_ms), "a blink takes {mean_ms} ms");
            let step = part.windows(2).map(|w| (w[0].head.pitch - w[1].head.pitch).abs()).fold(0.0, f32::max);
            assert!(step < 2.2, "the head jumps by {step} degrees");
            assert!(part.iter().any(|f| f.blendshapes[Blendshape::BrowInnerUp] > 0.2));
        }
    }

    #[test]
    fn without_expression_only_the_lids_move() {
        let mut life = Life::new(3, 0.04);
        let mut blinked = false;
        for i in 0..1000 {
            let mut frame = MotionFrame::default();
            life.step(&beat(i), &Controls::neutral(), 0.0, 0.0, &mut frame);
            blinked |= frame.blendshapes[Blendshape::EyeBlinkLeft] > 0.9;
            (frame.blendshapes[Blendshape::EyeBlinkLeft], frame.blendshapes[Blendshape::EyeBlinkRight]) = (0.0, 0.0);
            assert_eq!(frame, MotionFrame::default(), "frame {i}");
        }
        assert!(blinked);
    }
}
