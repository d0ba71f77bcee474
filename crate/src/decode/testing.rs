//! A made-up person for tests: the compact face of the repository, seen a little from the side before a patterned
//! wall, with a colour pattern on the skin and light inside of the open mouth and the eyes.

use super::pose::project;
use crate::motion::frame::Blendshape;
use crate::motion::{HeadPose, MotionFrame};
use crate::pack::Pack;
use crate::portrait::fitted::{CameraPose, SIDE, TEX_FULL};
use crate::portrait::landmarks::LANDMARKS;
use crate::portrait::light::Light;
use crate::portrait::person::MASK;
use crate::portrait::{FaceModel, FittedFace};
use nalgebra::{Rotation3, Vector3};
use std::sync::Arc;

/// The face of the repository's pack.
pub(crate) fn model() -> Arc<FaceModel> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../packs/face.gguf");
    let bytes = std::fs::read(path).expect("packs/face.gguf is committed");
    let pack = Pack::from_bytes(bytes).expect("packs/face.gguf is whole");
    Arc::new(FaceModel::from_pack(&pack).expect("packs/face.gguf holds the face"))
}

/// A person who shows these expressions.
pub(crate) fn person(model: &FaceModel, shown: &[(&str, f32)], glasses: bool) -> FittedFace {
    let pose = CameraPose {
        rotation: *Rotation3::from_euler_angles(0.05, 0.12, -0.03).matrix(),
        translation: Vector3::new(0.3, -0.4, 98.0),
    };
    let expression: Vec<f32> = model
        .expression_names
        .iter()
        .map(|n| shown.iter().find(|(name, _)| n == name).map_or(0.0, |(_, w)| *w))
        .collect();
    let mut shape = model.neutral.clone();
    for (mode, w) in model.identity.iter().zip([0.6, -0.4, 0.3]) {
        for (x, d) in shape.as_flattened_mut().iter_mut().zip(mode.as_flattened()) {
            *x += w * d;
        }
    }
    let mut photo = shape.clone();
    super::vertices::add_modes(&mut photo, &model.expression, &expression);
    let eyes = [&model.eye_right, &model.eye_left].map(|e| {
        let mut centre = e.center;
        for (mode, w) in e.identity.iter().zip([0.6, -0.4, 0.3]) {
            for c in 0..3 {
                centre[c] += w * mode[c];
            }
        }
        (centre, e.radius)
    });
    let landmarks: Vec<[f32; 2]> = (0..LANDMARKS)
        .map(|i| {
            if i >= 468 {
                let (centre, radius) = eyes[(i - 468) / 5];
                let k = (i - 468) % 5;
                let (dx, dy) = [(0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (-0.6, 0.0), (0.0, -0.6)][k];
                return project(&pose, [centre[0] + dx, centre[1] + dy, centre[2] + radius]).0;
            }
            let (ids, weights) = (model.landmark_vertices[i], model.landmark_weights[i]);
            let x = std::array::from_fn(|c| ids.iter().zip(weights).map(|(&v, w)| w * photo[v as usize][c]).sum());
            project(&pose, x).0
        })
        .collect();
    FittedFace {
        texture: picture(&landmarks),
        landmarks,
        pose,
        identity: vec![0.0; model.identity.len()],
        expression,
        base: shape.clone(),
        shape,
        eye_right: eyes[0].0,
        eye_left: eyes[1].0,
        error: 0.0,
        glasses,
        person: None,
        photo: [0.0, 0.0, TEX_FULL as f32, TEX_FULL as f32],
        mouth_covered: false,
        warnings: Vec::new(),
        light: Light { skin: [205.0, 160.0, 135.0], ..Light::default() },
    }
}

/// The same person with a mask that tells the head from the wall.
pub(crate) fn parted(model: &FaceModel, shown: &[(&str, f32)]) -> FittedFace {
    let mut fit = person(model, shown, false);
    let middle = fit.landmarks[1];
    let mask = (0..MASK * MASK)
        .map(|i| {
            let p = [i % MASK, i / MASK].map(|v| (v as f32 + 0.5) * 3.0 - 0.25 * SIDE);
            let d = 1.0 - ((p[0] - middle[0]) / HEAD[0]).hypot((p[1] - middle[1]) / HEAD[1]);
            (0.5 + 12.0 * d).clamp(0.0, 1.0)
        })
        .collect();
    fit.person = Some(mask);
    fit
}

/// Half width and height of the head, crop pixels.
pub(crate) const HEAD: [f32; 2] = [125.0, 170.0];

/// Wall, skin, eyes and mouth as soft colour fields.
fn picture(landmarks: &[[f32; 2]]) -> Vec<f32> {
    let middle = landmarks[1];
    let blob = |p: [f32; 2], at: [f32; 2], wide: f32, high: f32| {
        (-((p[0] - at[0]) / wide).powi(2) - ((p[1] - at[1]) / high).powi(2)).exp()
    };
    let mouth: [f32; 2] = std::array::from_fn(|c| 0.5 * (landmarks[13][c] + landmarks[14][c]));
    let gap = 0.5 * (landmarks[14][1] - landmarks[13][1]);
    let mut out = Vec::with_capacity(TEX_FULL * TEX_FULL * 3);
    for y in 0..TEX_FULL {
        for x in 0..TEX_FULL {
            let p = [x, y].map(|v| (v as f32 + 0.5) / 1.25 - 0.25 * SIDE);
            let wave = |k: f32, a: f32| 12.0 * (k * (p[0] * a.cos() + p[1] * a.sin())).sin();
            let face = 1.0
                / (1.0 + (-(1.0 - ((p[0] - middle[0]) / HEAD[0]).hypot((p[1] - middle[1]) / HEAD[1])) * 12.0).exp());
            let lips = blob(p, mouth, 40.0, 14.0 + gap);
            let inner = blob(p, mouth, 32.0, gap.max(0.5)) * if gap > 2.0 { 1.0 } else { 0.0 };
            let iris: f32 = [468, 473].iter().map(|&i| blob(p, landmarks[i], 7.0, 7.0)).sum();
            let white: f32 = [468, 473].iter().map(|&i| blob(p, landmarks[i], 20.0, 8.0)).sum();
            for c in 0..3 {
                let wall = [70.0, 95.0, 120.0][c] + wave(0.09, 0.4 + c as f32);
                let skin = [205.0, 160.0, 135.0][c] + wave(0.12, 1.9 + 0.3 * c as f32);
                let mut v = wall + (skin - wall) * face;
                v += ([165.0, 80.0, 80.0][c] - v) * lips;
                v += ([225.0, 220.0, 205.0][c] - v) * inner;
                v += ([230.0, 225.0, 220.0][c] - v) * white.min(1.0);
                v += ([60.0, 70.0, 80.0][c] - v) * iris.min(1.0);
                out.push(v);
            }
        }
    }
    out
}

/// A frame with these coefficients.
pub(crate) fn face(values: &[(Blendshape, f32)]) -> MotionFrame {
    let mut frame = MotionFrame::default();
    for &(b, v) in values {
        frame.blendshapes[b] = v;
    }
    frame
}

/// A frame with this turn of the head.
pub(crate) fn turned(yaw: f32, pitch: f32, roll: f32) -> MotionFrame {
    MotionFrame { head: HeadPose { yaw, pitch, roll, ..Default::default() }, ..Default::default() }
}

/// Peak signal-to-noise ratio of two RGBA frames, dB.
pub(crate) fn psnr(a: &[u8], b: &[u8]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * 0.75 * a.len() as f64 / squares.max(1e-9)).log10()
}
