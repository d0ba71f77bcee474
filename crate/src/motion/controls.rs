//! What a person may ask of the generated motion, and how a change reaches the face without a jump.

use super::frame::Gaze;

/// An emotion that can be laid over speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
#[expect(missing_docs, reason = "the names say what they are")]
pub enum Emotion {
    Happy,
    Sad,
    Angry,
    Surprised,
    Afraid,
    Disgusted,
    Tender,
}

impl Emotion {
    /// How many there are.
    pub const COUNT: usize = 7;

    /// All of them, in order.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Happy, Self::Sad, Self::Angry, Self::Surprised, Self::Afraid, Self::Disgusted, Self::Tender];

    /// Its name in small letters (`happy`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Happy => "happy",
            Self::Sad => "sad",
            Self::Angry => "angry",
            Self::Surprised => "surprised",
            Self::Afraid => "afraid",
            Self::Disgusted => "disgusted",
            Self::Tender => "tender",
        }
    }

    /// The emotion of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.name() == name)
    }
}

/// Wishes for the generated face. Values out of range are limited to it, values that are not finite count as the
/// default. Changes act within 200 ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    /// Strength of each [`Emotion`], 0..1; they may be mixed.
    pub emotion: [f32; Emotion::COUNT],
    /// Where to look, degrees from the portrait's own gaze, -30..30; the head takes a part of it.
    pub gaze: Gaze,
    /// Size of the head, 0.5..2; above 1: nearer.
    pub distance: f32,
    /// Head, degrees added: yaw, pitch, roll, -30..30 (signs as in [`super::HeadPose`]).
    pub pose: [f32; 3],
    /// Amount of head motion, brows and wandering gaze, 0..2; 1 is a calm speaker, 0 holds them still.
    pub expressiveness: f32,
    /// Amount of head motion alone, 0..2, a factor on `expressiveness`.
    pub head_motion: f32,
    /// How much this face listens instead of speaking, 0..1: the mouth rests with a small smile whatever is heard, the
    /// head nods now and then, the eyes stay on the other one.
    pub listening: f32,
    /// How wide the mouth opens, 0..2; lips close all the same.
    pub mouth_amplitude: f32,
    /// Blinks a minute, 0..60.
    pub blink_rate: f32,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            emotion: [0.0; Emotion::COUNT],
            gaze: Gaze::default(),
            distance: 1.0,
            pose: [0.0; 3],
            expressiveness: 1.0,
            head_motion: 1.0,
            listening: 0.0,
            mouth_amplitude: 1.0,
            blink_rate: 19.0,
        }
    }
}

impl Controls {
    /// A face that speaks and blinks and does nothing else.
    pub fn neutral() -> Self {
        Self { expressiveness: 0.0, ..Self::default() }
    }

    /// The same with one emotion set.
    #[must_use]
    pub fn with_emotion(mut self, emotion: Emotion, strength: f32) -> Self {
        self.emotion[emotion as usize] = strength;
        self
    }

    fn to_array(self) -> [f32; Self::LEN] {
        let default = Self::default();
        let limit =
            |v: f32, default: f32, low: f32, high: f32| if v.is_finite() { v.clamp(low, high) } else { default };
        let e = self.emotion.map(|w| limit(w, 0.0, 0.0, 1.0));
        let p = self.pose.map(|a| limit(a, 0.0, -30.0, 30.0));
        [
            e[0],
            e[1],
            e[2],
            e[3],
            e[4],
            e[5],
            e[6],
            limit(self.gaze.x, 0.0, -30.0, 30.0),
            limit(self.gaze.y, 0.0, -30.0, 30.0),
            limit(self.distance, default.distance, 0.5, 2.0),
            p[0],
            p[1],
            p[2],
            limit(self.expressiveness, default.expressiveness, 0.0, 2.0),
            limit(self.mouth_amplitude, default.mouth_amplitude, 0.0, 2.0),
            limit(self.blink_rate, default.blink_rate, 0.0, 60.0),
            limit(self.head_motion, default.head_motion, 0.0, 2.0),
            limit(self.listening, default.listening, 0.0, 1.0),
        ]
    }

    fn from_array(a: [f32; Self::LEN]) -> Self {
        let [e0, e1, e2, e3, e4, e5, e6, x, y, distance, p0, p1, p2, expressiveness, mouth_amplitude, blink_rate, ..] =
            a;
        let [.., head_motion, listening] = a;
        Self {
            emotion: [e0, e1, e2, e3, e4, e5, e6],
            gaze: Gaze { x, y },
            distance,
            pose: [p0, p1, p2],
            expressiveness,
            head_motion,
            listening,
            mouth_amplitude,
            blink_rate,
        }
    }

    const LEN: usize = 18;
}

/// Controls on their way to what was asked: a critically damped spring for each value.
#[derive(Clone, Debug)]
pub(super) struct SmoothControls {
    goal: [f32; Controls::LEN],
    value: [f32; Controls::LEN],
    speed: [f32; Controls::LEN],
}

impl SmoothControls {
    /// 1/s; 85 % of a change are done after 0.2 s, and never more than a quarter of it in a frame.
    const STIFFNESS: f32 = 17.0;

    /// At rest at `controls`.
    pub fn new(controls: Controls) -> Self {
        let value = controls.to_array();
        Self { goal: value, value, speed: [0.0; Controls::LEN] }
    }

    /// Sets where to go.
    pub fn set(&mut self, controls: Controls) {
        self.goal = controls.to_array();
    }

    /// Where the controls were last asked to be.
    pub fn goal(&self) -> Controls {
        Controls::from_array(self.goal)
    }

    /// Moves on by `dt` seconds.
    pub fn step(&mut self, dt: f32) -> Controls {
        for i in 0..Controls::LEN {
            (self.value[i], self.speed[i]) = damped(self.value[i], self.speed[i], self.goal[i], Self::STIFFNESS, dt);
        }
        Controls::from_array(self.value)
    }
}

/// Exact step of a critically damped spring: new value and speed after `dt` seconds on the way to `goal`.
pub(super) fn damped(value: f32, speed: f32, goal: f32, stiffness: f32, dt: f32) -> (f32, f32) {
    let (away, fall) = (value - goal, (-stiffness * dt).exp());
    let drift = speed + stiffness * away;
    (goal + (away + drift * dt) * fall, (speed - drift * stiffness * dt) * fall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_acts_within_200_ms_and_does_not_jump() {
        let mut s = SmoothControls::new(Controls::default());
        s.set(Controls::default().with_emotion(Emotion::Sad, 1.0));
        let mut last = 0.0;
        for k in 1..=50 {
            let now = s.step(0.04).emotion[Emotion::Sad as usize];
            assert!(now >= last && now - last <= 0.25, "step {k}: {last} to {now}");
            if k == 5 {
                assert!(now > 0.84, "{now} after 200 ms");
            }
            last = now;
        }
        assert!((last - 1.0).abs() < 1e-3);
    }

    #[test]
    fn nonsense_is_limited() {
        let wild = Controls {
            emotion: [f32::NAN, 7.0, -1.0, 0.5, f32::INFINITY, 0.0, 0.0],
            distance: f32::NAN,
            blink_rate: 1e9,
            pose: [1e9, f32::NEG_INFINITY, 0.0],
            ..Controls::default()
        };
        let got = SmoothControls::new(wild).step(0.04);
        assert_eq!(got.emotion, [0.0, 1.0, 0.0, 0.5, 0.0, 0.0, 0.0]);
        assert_eq!((got.distance, got.blink_rate, got.pose), (1.0, 60.0, [30.0, 0.0, 0.0]));
    }

    #[test]
    fn names_round_trip() {
        for e in Emotion::ALL {
            assert_eq!(Emotion::from_name(e.name()), Some(e));
        }
    }
}
