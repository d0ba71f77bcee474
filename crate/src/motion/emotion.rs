//! Emotions as offsets of expression and posture, added to speech without opening lips that must be shut.

use super::controls::Emotion;
use super::frame::{Blendshape, Blendshapes};
use super::lipgap::{MOUTH_CLOSE, lip_gap};

/// What an emotion at full strength does beside the face's shapes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bearing {
    /// Yaw, pitch, roll in degrees.
    pub turn: [f32; 3],
    /// Degrees of gaze down.
    pub gaze_down: f32,
    /// Factor on the size of the head.
    pub scale: f32,
    /// Factor on head motion.
    pub liveliness: f32,
    /// Factor on the blink rate.
    pub blinks: f32,
}

const CALM: Bearing = Bearing { turn: [0.0; 3], gaze_down: 0.0, scale: 1.0, liveliness: 1.0, blinks: 1.0 };

/// A shape that both sides of the face share, or that has none.
type Offset = (&'static [Blendshape], f32);

macro_rules! both {
    ($left:ident, $right:ident) => {
        &[Blendshape::$left, Blendshape::$right]
    };
}
const SMILE: &[Blendshape] = both!(MouthSmileLeft, MouthSmileRight);
const FROWN: &[Blendshape] = both!(MouthFrownLeft, MouthFrownRight);
const DIMPLE: &[Blendshape] = both!(MouthDimpleLeft, MouthDimpleRight);
const STRETCH: &[Blendshape] = both!(MouthStretchLeft, MouthStretchRight);
const PRESS: &[Blendshape] = both!(MouthPressLeft, MouthPressRight);
const UPPER_UP: &[Blendshape] = both!(MouthUpperUpLeft, MouthUpperUpRight);
const LOWER_DOWN: &[Blendshape] = both!(MouthLowerDownLeft, MouthLowerDownRight);
const CHEEK: &[Blendshape] = both!(CheekSquintLeft, CheekSquintRight);
const SQUINT: &[Blendshape] = both!(EyeSquintLeft, EyeSquintRight);
const WIDE: &[Blendshape] = both!(EyeWideLeft, EyeWideRight);
const LIDS: &[Blendshape] = both!(EyeBlinkLeft, EyeBlinkRight);
const BROW_DOWN: &[Blendshape] = both!(BrowDownLeft, BrowDownRight);
const BROW_OUTER: &[Blendshape] = both!(BrowOuterUpLeft, BrowOuterUpRight);
const SNEER: &[Blendshape] = both!(NoseSneerLeft, NoseSneerRight);
const BROW_INNER: &[Blendshape] = &[Blendshape::BrowInnerUp];
const JAW_OPEN: &[Blendshape] = &[Blendshape::JawOpen];
const JAW_FORWARD: &[Blendshape] = &[Blendshape::JawForward];
const SHRUG_LOWER: &[Blendshape] = &[Blendshape::MouthShrugLower];
const FUNNEL: &[Blendshape] = &[Blendshape::MouthFunnel];

/// How much stronger the subject's left half of the face shows what it feels: no face is quite even.
const LEAN: f32 = 0.05;

/// How much of the mouth's part in an emotion gives way to lips that are fully puckered.
const YIELDS: f32 = 0.8;

/// Power of an emotion's strength: half of it must be seen at a glance.
const EASE: f32 = 0.78;

/// Shapes (action units of Ekman and Friesen's FACS in ARKit's terms) and bearing of an emotion at full strength.
fn emotion(e: Emotion) -> (&'static [Offset], Bearing) {
    match e {
        // AU 6 + 12: a smile that reaches the eyes
        Emotion::Happy => (
            &[(SMILE, 0.70), (CHEEK, 0.64), (SQUINT, 0.22), (DIMPLE, 0.10), (BROW_OUTER, 0.08), (UPPER_UP, 0.08)],
            Bearing { turn: [0.0, -1.5, 0.5], liveliness: 1.2, ..CALM },
        ),
        // AU 1 + 4 + 15 + 17
        Emotion::Sad => (
            &[(BROW_INNER, 0.75), (BROW_DOWN, 0.22), (FROWN, 0.60), (SHRUG_LOWER, 0.25), (LIDS, 0.16), (SQUINT, 0.10)],
            Bearing { turn: [0.0, 4.0, 1.5], gaze_down: 3.0, liveliness: 0.6, blinks: 0.85, scale: 0.99 },
        ),
        // AU 4 + 5 + 7 + 23
        Emotion::Angry => (
            &[
                (BROW_DOWN, 1.0),
                (SQUINT, 0.45),
                (WIDE, 0.15),
                (SNEER, 0.28),
                (PRESS, 0.30),
                (FROWN, 0.25),
                (SHRUG_LOWER, 0.12),
                (JAW_FORWARD, 0.18),
            ],
            Bearing { turn: [0.0, 3.0, 0.0], liveliness: 1.25, blinks: 0.8, scale: 1.02, ..CALM },
        ),
        // AU 1 + 2 + 5 + 26
        Emotion::Surprised => (
            &[(BROW_INNER, 0.80), (BROW_OUTER, 0.80), (WIDE, 0.65), (JAW_OPEN, 0.14), (FUNNEL, 0.08)],
            Bearing { turn: [0.0, -2.0, 0.0], blinks: 0.7, scale: 0.99, ..CALM },
        ),
        // AU 1 + 2 + 4 + 5 + 20 + 26
        Emotion::Afraid => (
            &[
                (BROW_INNER, 0.95),
                (BROW_OUTER, 0.35),
                (BROW_DOWN, 0.30),
                (WIDE, 0.75),
                (STRETCH, 0.55),
                (FROWN, 0.22),
                (JAW_OPEN, 0.06),
            ],
            Bearing { turn: [0.0, -1.0, 0.0], liveliness: 0.8, blinks: 1.4, scale: 0.97, ..CALM },
        ),
        // AU 9 + 10 + 15 + 16
        Emotion::Disgusted => (
            &[
                (SNEER, 0.85),
                (BROW_DOWN, 0.45),
                (SQUINT, 0.35),
                (UPPER_UP, 0.32),
                (LOWER_DOWN, 0.08),
                (FROWN, 0.35),
                (CHEEK, 0.30),
                (SHRUG_LOWER, 0.15),
            ],
            Bearing { turn: [3.0, -1.0, -2.0], liveliness: 0.9, scale: 0.98, ..CALM },
        ),
        // a soft smile, relaxed lids, the head to one side
        Emotion::Tender => (
            &[(SMILE, 0.34), (CHEEK, 0.24), (BROW_INNER, 0.28), (SQUINT, 0.12), (LIDS, 0.12)],
            Bearing { turn: [0.0, 1.5, 4.5], liveliness: 0.75, scale: 1.01, ..CALM },
        ),
    }
}

/// Weights whose sum is at most 1: two emotions at full strength are half and half.
fn shares(weights: &[f32; Emotion::COUNT]) -> impl Iterator<Item = (Emotion, f32)> {
    let sum: f32 = weights.iter().sum();
    let all = Emotion::ALL.into_iter().zip(*weights);
    all.filter(|&(_, w)| w > 1e-4).map(move |(e, w)| (e, w / sum.max(1.0)))
}

/// The mixture's bearing.
pub(super) fn bearing(weights: &[f32; Emotion::COUNT]) -> Bearing {
    let mut all = CALM;
    for (e, w) in shares(weights) {
        let (_, b) = emotion(e);
        all.turn.iter_mut().zip(b.turn).for_each(|(a, t)| *a += w * t);
        all.gaze_down += w * b.gaze_down;
        all.scale += w * (b.scale - 1.0);
        all.liveliness += w * (b.liveliness - 1.0);
        all.blinks += w * (b.blinks - 1.0);
    }
    all
}

/// What the speech does while an emotion is added to it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Speaking {
    /// The gates of the speech: where they are 1, the lips stay exactly as far apart as the speech has them.
    pub shut: f32,
    /// As `shut`.
    pub tuck: f32,
    /// 0 in silence .. 1 in speech.
    pub voice: f32,
}

/// Adds the mixture's shapes to a speaking face, `swell` times as strong as asked for (about 1).
pub(super) fn add_shapes(face: &mut Blendshapes, weights: &[f32; Emotion::COUNT], swell: f32, speech: Speaking) {
    let Speaking { shut, tuck, voice: speaking } = speech;
    let spoken_gap = lip_gap(face);
    // Squared: a gate that is nearly shut already leaves nothing of what the emotion opens.
    let free = (1.0 - shut).powi(2) * (1.0 - 0.9 * tuck);
    // Nobody smiles broadly and rounds the lips at once.
    let unrounded = 1.0 - YIELDS * face[Blendshape::MouthPucker];
    for (e, w) in shares(weights) {
        let w = w.powf(EASE) * swell;
        for &(shapes, amount) in emotion(e).0 {
            let opens = [UPPER_UP, LOWER_DOWN, JAW_OPEN, FUNNEL].contains(&shapes);
            let mouth = [SMILE, FROWN, DIMPLE, STRETCH, PRESS, SHRUG_LOWER].contains(&shapes);
            let room = if opens {
                free
            } else if mouth {
                (1.0 - 0.3 * speaking) * unrounded
            } else {
                1.0
            };
            for (i, &shape) in shapes.iter().enumerate() {
                let side = match (shapes.len(), i) {
                    (1, _) => 1.0,
                    (_, 0) => 1.0 + LEAN,
                    _ => 1.0 - LEAN,
                };
                face[shape] = (face[shape] + w * amount * side * room).min(1.0);
            }
        }
    }
    // What the emotion added to the gap is taken back as far as the gates demand.
    let gap = lip_gap(face);
    let excess = gap - (spoken_gap + (gap - spoken_gap).max(0.0) * free);
    if excess > 0.0 {
        let close = &mut face[Blendshape::MouthClose];
        *close = (*close - excess / MOUTH_CLOSE).min(1.0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::articulation::Tracks;
    use super::super::articulation::tests::constants;
    use super::*;

    proptest! {
        #[test]
        fn closures_survive_every_emotion(
            weights in prop::array::uniform7(0.0f32..1.0), jaw in 0.0f32..1.2, round in 0.0f32..1.0, voice in 0.0f32..1.0,
            swell in 0.5f32..1.5
        ) {
            let tracks = Tracks { gap: jaw, jaw, round, shut: 1.0, ..Tracks::default() };
            let mut face = constants().to_arkit(&tracks);
            let before = lip_gap(&face);
            add_shapes(&mut face, &weights, swell, Speaking { shut: 1.0, tuck: 0.0, voice });
            prop_assert!(lip_gap(&face) <= before + 1e-3, "{} after {before}", lip_gap(&face));
            prop_assert!(face.0.iter().all(|v| (0.0..=1.0).contains(v)));
        }
    }

    #[test]
    fn half_an_emotion_shows_more_than_half_of_it_and_a_trace_only_a_trace() {
        let smile = |strength: f32| {
            let mut weights = [0.0; Emotion::COUNT];
            weights[Emotion::Happy as usize] = strength;
            let mut face = Blendshapes::default();
            add_shapes(&mut face, &weights, 1.0, Speaking::default());
            face[Blendshape::MouthSmileLeft]
        };
        let full = smile(1.0);
        assert!(
            (0.58..0.68).contains(&(smile(0.5) / full)) && smile(0.02) < 0.1 * full,
            "{} {}",
            smile(0.5),
            smile(0.02)
        );
    }

    #[test]
    fn every_emotion_looks_different() {
        let faces: Vec<Blendshapes> = Emotion::ALL
            .iter()
            .map(|&e| {
                let mut weights = [0.0; Emotion::COUNT];
                weights[e as usize] = 1.0;
                let mut face = Blendshapes::default();
                add_shapes(&mut face, &weights, 1.0, Speaking { voice: 1.0, ..Speaking::default() });
                face
            })
            .collect();
        for (i, a) in faces.iter().enumerate() {
            for b in &faces[..i] {
                let distance: f32 = a.0.iter().zip(&b.0).map(|(x, y)| (x - y).powi(2)).sum();
                assert!(distance.sqrt() > 0.3, "{i}: {distance}");
            }
        }
    }
}
