//! What a person should know about a photo that can be used, but not as well as another one could.

use std::fmt;

use super::crop::{CHIN, FOREHEAD};
use super::landmarks::FaceLandmarks;

/// Faces lower than this in the photo look soft, pixels.
const SHARP: f32 = 90.0;
/// Faces turned further than this show little of one side, degrees.
const FRONTAL: f32 = 35.0;
/// Faces turned further than this are refused, degrees.
pub(super) const PROFILE: f32 = 60.0;
/// A face may reach this far over the photo's border, in heights of the face.
const BEYOND: f32 = 0.01;
/// Share of a face's box that another face's box may cover.
const APART: f32 = 0.04;
/// The blendshape estimator's `eyeBlink` of an eye that is shut.
const SHUT: f32 = 0.55;
/// Places of `eyeBlinkLeft` and `eyeBlinkRight` among its results.
const BLINKS: [usize; 2] = [9, 10];
/// Brightness of the lit parts of a face that is too dark, 0..255: dark skin is bright there.
const DARK: f32 = 50.0;
/// Share of a face that is not counted among its lit parts.
const UNLIT: f32 = 0.9;
/// Share of a face that may be burnt out.
const BURNT: f32 = 0.22;
/// Brightness that counts as burnt out, 0..255.
const WHITE: f32 = 250.0;

/// Why a portrait may look worse than it could. [`fmt::Display`] gives one sentence for people.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum PortraitWarning {
    /// The face is small in the photo.
    Small {
        /// Forehead to chin, pixels of the photo.
        height: f32,
    },
    /// The head is turned far to a side.
    Turned {
        /// From the frontal view, degrees, positive to the picture's right.
        yaw: f32,
    },
    /// The face reaches over the photo's border.
    AtBorder,
    /// Another face touches this one.
    Overlapped,
    /// Both eyes are shut.
    EyesShut,
    /// Something hides the mouth: it is not animated.
    MouthCovered,
    /// The face is nearly black.
    TooDark,
    /// Much of the face is burnt out.
    TooBright,
}

impl PortraitWarning {
    /// A short name that stays the same, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Small { .. } => "small",
            Self::Turned { .. } => "turned",
            Self::AtBorder => "border",
            Self::Overlapped => "overlap",
            Self::EyesShut => "eyes-shut",
            Self::MouthCovered => "mouth-covered",
            Self::TooDark => "dark",
            Self::TooBright => "bright",
        }
    }
}

impl fmt::Display for PortraitWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Small { height } => write!(
                f,
                "The face is only {height:.0} pixels high and will look soft; a photo in which it has 250 looks better."
            ),
            Self::Turned { yaw } => write!(
                f,
                "The head is turned by {:.0} degrees, so its far side is guessed; a photo from the front looks better.",
                yaw.abs()
            ),
            Self::AtBorder => f.write_str(
                "The face reaches the photo's border, and what lies beyond is guessed; a photo with room around the head looks better.",
            ),
            Self::Overlapped => {
                f.write_str("Another face touches this one and may move along; crop the photo to one person.")
            }
            Self::EyesShut => {
                f.write_str("The eyes are shut in the photo and stay shut, without gaze; a photo with open eyes looks better.")
            }
            Self::MouthCovered => f.write_str(
                "Something covers the mouth, so only head, eyes and brows move; choose a photo with a free mouth to let it speak.",
            ),
            Self::TooDark => f.write_str("The face is very dark; brighten the photo or choose one with more light."),
            Self::TooBright => {
                f.write_str("Much of the face is burnt out; choose a photo with softer light or a shorter exposure.")
            }
        }
    }
}

/// What the networks' findings say: `faces` of a photo of `width` x `height` pixels, `chosen` among them.
pub(super) fn of_faces(faces: &[FaceLandmarks], chosen: usize, width: usize, height: usize) -> Vec<PortraitWarning> {
    let Some(face) = faces.get(chosen) else { return Vec::new() };
    let mut out = Vec::new();
    let (top, chin) = (face.points[FOREHEAD], face.points[CHIN]);
    let tall = (top[0] - chin[0]).hypot(top[1] - chin[1]);
    if tall < SHARP {
        out.push(PortraitWarning::Small { height: tall });
    }
    let over = |p: &[f32; 3]| (-p[0]).max(-p[1]).max(p[0] - width as f32).max(p[1] - height as f32);
    if face.points.iter().any(|p| over(p) > BEYOND * tall) {
        out.push(PortraitWarning::AtBorder);
    }
    let own = extent(face);
    let covered = |other: &FaceLandmarks| {
        let other = extent(other);
        let shared = |c: usize| (own[1][c].min(other[1][c]) - own[0][c].max(other[0][c])).max(0.0);
        shared(0) * shared(1) > APART * (own[1][0] - own[0][0]) * (own[1][1] - own[0][1])
    };
    if faces.iter().enumerate().any(|(i, other)| i != chosen && covered(other)) {
        out.push(PortraitWarning::Overlapped);
    }
    if BLINKS.iter().all(|&i| face.blendshapes.get(i).is_some_and(|&v| v > SHUT)) {
        out.push(PortraitWarning::EyesShut);
    }
    out
}

/// What the head's turn (degrees) says.
pub(super) fn of_turn(yaw: f32) -> Option<PortraitWarning> {
    (yaw.abs() > FRONTAL).then_some(PortraitWarning::Turned { yaw })
}

/// What the light on the face says. `brightness`: of places spread over the face, 0..255.
pub(super) fn of_light(mut brightness: Vec<f32>) -> Option<PortraitWarning> {
    let burnt = brightness.iter().filter(|&&b| b > WHITE).count() as f32;
    if burnt > BURNT * brightness.len() as f32 {
        return Some(PortraitWarning::TooBright);
    }
    let lit = super::patch::percentile(&mut brightness, UNLIT);
    (lit < DARK).then_some(PortraitWarning::TooDark)
}

/// Lowest and highest corner of the box around a face.
fn extent(face: &FaceLandmarks) -> [[f32; 2]; 2] {
    face.points.iter().fold([[f32::MAX; 2], [f32::MIN; 2]], |[low, high], p| {
        [[low[0].min(p[0]), low[1].min(p[1])], [high[0].max(p[0]), high[1].max(p[1])]]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portrait::blendshapes::NAMES;
    use crate::portrait::testing::{made_up, model};

    /// A face whose landmarks are `scale` times those of a made-up head of about 240 pixels, moved by `shift`.
    fn face(scale: f32, shift: [f32; 2], blink: f32) -> FaceLandmarks {
        let points = made_up(model(), [0.0; 3], 3).points;
        let points = points.iter().map(|p| [p[0] * scale + shift[0], p[1] * scale + shift[1], 0.0]).collect();
        let mut blendshapes = vec![0.0; NAMES.len()];
        for i in BLINKS {
            blendshapes[i] = blink;
        }
        FaceLandmarks { points, presence: 1.0, blendshapes }
    }

    #[test]
    fn the_estimators_blinks_stand_where_they_are_looked_for() {
        assert_eq!(BLINKS.map(|i| NAMES[i]), ["eyeBlinkLeft", "eyeBlinkRight"]);
    }

    #[test]
    fn an_ordinary_face_needs_no_words() {
        assert!(of_faces(&[face(1.0, [0.0; 2], 0.1)], 0, 512, 512).is_empty());
        assert_eq!(of_turn(-20.0), None);
        assert_eq!(of_light((0..400).map(|i| i as f32 * 0.6).collect()), None);
    }

    #[test]
    fn each_trouble_has_its_own_word() {
        let codes = |faces: &[FaceLandmarks], chosen| {
            of_faces(faces, chosen, 512, 512).into_iter().map(PortraitWarning::code).collect::<Vec<_>>()
        };
        assert_eq!(codes(&[face(0.2, [200.0; 2], 0.0)], 0), ["small"]);
        assert_eq!(codes(&[face(1.0, [-220.0, 0.0], 0.0)], 0), ["border"]);
        assert_eq!(codes(&[face(1.0, [0.0, 230.0], 0.0)], 0), ["border"]);
        assert_eq!(codes(&[face(1.0, [0.0; 2], 0.8)], 0), ["eyes-shut"]);
        let two = [face(0.8, [-30.0, 50.0], 0.0), face(0.8, [70.0, 50.0], 0.0)];
        assert_eq!((codes(&two, 0), codes(&two, 1)), (vec!["overlap"], vec!["overlap"]));
        let apart = [face(0.5, [0.0, 100.0], 0.0), face(0.5, [256.0, 100.0], 0.0)];
        assert_eq!(codes(&apart, 0), [""; 0]);
        assert_eq!(of_turn(44.0).map(PortraitWarning::code), Some("turned"));
        // dark skin in good light, and any skin in none
        assert_eq!(of_light((0..100).map(|i| if i < 80 { 25.0 } else { 120.0 }).collect()), None);
        assert_eq!(of_light(vec![20.0; 100]).map(PortraitWarning::code), Some("dark"));
        let burnt = (0..100).map(|i| if i < 30 { 255.0 } else { 150.0 }).collect();
        assert_eq!(of_light(burnt).map(PortraitWarning::code), Some("bright"));
    }

    #[test]
    fn every_warning_is_one_sentence_that_says_what_to_do() {
        for warning in [
            PortraitWarning::Small { height: 40.0 },
            PortraitWarning::Turned { yaw: -44.0 },
            PortraitWarning::AtBorder,
            PortraitWarning::Overlapped,
            PortraitWarning::EyesShut,
            PortraitWarning::MouthCovered,
            PortraitWarning::TooDark,
            PortraitWarning::TooBright,
        ] {
            let text = warning.to_string();
            assert!(text.ends_with('.') && text.matches('.').count() == 1 && text.contains(';'), "{text}");
            assert!(!warning.code().is_empty());
        }
    }
}
