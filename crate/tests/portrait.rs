//! The whole way from a photo to a fitted face, on the sample portrait.
//!
//! Needs the model pack that `npm start` and `npm test` build.

mod common;

use std::sync::OnceLock;

use common::repository;
use parlante::animator::Models;
use parlante::portrait::fitted::{CameraPose, SIDE};
use parlante::portrait::solve::project;
use parlante::portrait::{FittedFace, LoadOptions, Picture, PortraitError, load};

/// The default pack's networks. A missing pack is a failure, not a reason to skip.
fn models() -> &'static Models {
    static MODELS: OnceLock<Models> = OnceLock::new();
    MODELS.get_or_init(|| {
        let path = repository("build/parlante-default.gguf");
        let pack = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; `npm test` builds it", path.display()));
        Models::from_bytes(pack).expect("a good pack")
    })
}

fn photo() -> Picture {
    let bytes = std::fs::read(repository("web/page/samples/portrait.jpg")).expect("the sample");
    load(&bytes, &LoadOptions::default()).expect("a good photo")
}

fn sample() -> &'static FittedFace {
    static FACE: OnceLock<FittedFace> = OnceLock::new();
    FACE.get_or_init(|| models().fit(&photo(), None).expect("one face"))
}

/// Left and right exchanged.
fn mirrored(photo: &Picture) -> Picture {
    let rows = photo.data.chunks_exact(photo.width * 3);
    let data = rows.flat_map(|row| row.as_chunks::<3>().0.iter().rev().copied().flatten()).collect();
    Picture { data, ..*photo }
}

/// Yaw, pitch and roll of a head, degrees, signs as in motion files.
fn angles(pose: &CameraPose) -> [f32; 3] {
    let r = &pose.rotation;
    let yaw = r[(0, 2)].atan2(r[(2, 2)]);
    let pitch = -r[(1, 2)].asin();
    let roll = -r[(1, 0)].atan2(r[(1, 1)]);
    [yaw, pitch, roll].map(f32::to_degrees)
}

/// The fitted head with the photo's own expression: what must lie on the photo.
fn as_in_the_photo(face: &FittedFace) -> Vec<[f32; 3]> {
    let mut vertices = face.base.clone();
    for (mode, weight) in models().face_model().expression.iter().zip(&face.expression) {
        for (vertex, offset) in vertices.iter_mut().zip(mode) {
            (0..3).for_each(|i| vertex[i] += weight * offset[i]);
        }
    }
    vertices
}

#[test]
fn the_sample_is_fitted_closely() {
    let face = sample();
    // The astronaut looks into the camera, her head a little down and to the side.
    let [yaw, pitch, roll] = angles(&face.pose);
    assert!(face.error < 2.0, "{} crop pixels beside the landmarks", face.error);
    assert!(yaw.abs() < 4.0 && (2.0..13.0).contains(&pitch) && (0.0..6.0).contains(&roll), "{yaw} {pitch} {roll}");
    assert!(!face.glasses);
    assert!(face.identity.iter().all(|w| w.abs() <= 3.0) && face.expression.iter().all(|w| (0.0..=1.0).contains(w)));
    let weight = |name| face.expression[models().face_model().expression_index(name).expect("an expression")];
    assert!(weight("mouthSmile_L") > 0.5 && weight("mouthSmile_R") > 0.5, "she smiles");
    let apart = face.eye_left[0] - face.eye_right[0];
    assert!((5.5..7.2).contains(&apart), "the eyes are {apart} cm apart");
}

#[test]
fn pinning_hits_the_photo() {
    let (face, model) = (sample(), models().face_model());
    let vertices = as_in_the_photo(face);
    for i in model.used_landmarks() {
        let ([x, y], _) = project(&face.pose, model.landmark(&vertices, i));
        let off = (x - face.landmarks[i][0]).hypot(y - face.landmarks[i][1]);
        assert!(off < 0.1, "landmark {i} is {off} crop pixels beside the photo");
    }
}

#[test]
fn the_same_photo_gives_the_same_face() {
    let (a, b) = (sample(), models().fit(&photo(), Some(0)).expect("one face"));
    assert_eq!((a.pose, &a.identity, &a.expression), (b.pose, &b.identity, &b.expression));
    assert_eq!((&a.base, &a.landmarks, a.error), (&b.base, &b.landmarks, b.error));
    assert!(a.texture == b.texture);
}

#[test]
fn a_mirrored_photo_gives_the_mirrored_head() {
    let face = sample();
    let other = models().fit(&mirrored(&photo()), None).expect("one face");
    let ([yaw, pitch, roll], [other_yaw, other_pitch, other_roll]) = (angles(&face.pose), angles(&other.pose));
    // The networks are not symmetric themselves.
    assert!((yaw + other_yaw).abs() < 2.0, "yaw {yaw} and {other_yaw}");
    assert!((pitch - other_pitch).abs() < 3.0, "pitch {pitch} and {other_pitch}");
    assert!((roll + other_roll).abs() < 1.5 && roll * other_roll < 0.0, "roll {roll} and {other_roll}");
    assert!((face.pose.translation.x + other.pose.translation.x).abs() < 0.3);
    assert!((face.pose.translation.z / other.pose.translation.z - 1.0).abs() < 0.04);
    assert!((face.error - other.error).abs() < 0.4, "{} and {}", face.error, other.error);
    let mean = face.landmarks.iter().map(|p| p[0]).sum::<f32>() / face.landmarks.len() as f32;
    let other_mean = other.landmarks.iter().map(|p| p[0]).sum::<f32>() / other.landmarks.len() as f32;
    assert!((mean + other_mean - SIDE).abs() < 3.0, "{mean} and {other_mean}");
}

#[test]
fn a_face_that_is_not_there_is_said_so() {
    let missing = models().fit(&photo(), Some(1)).expect_err("there is one face");
    assert!(matches!(missing, PortraitError::NoSuchFace { wanted: 1, found: 1 }), "{missing}");
    let wall =
        Picture { width: 320, height: 240, data: (0..320 * 240 * 3).map(|i| 90 + (i / 960 % 60) as u8).collect() };
    let none = models().fit(&wall, None).expect_err("a wall has no face");
    assert!(matches!(none, PortraitError::NoFace), "{none}");
    let broken = Picture { width: 320, height: 240, data: vec![0; 7] };
    assert!(matches!(models().fit(&broken, None), Err(PortraitError::Find(_))));
}
