//! What the tests of this folder share: the committed face and made-up heads of known pose and shape.

use std::sync::OnceLock;

use nalgebra::{Rotation3, Vector3};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::face_model::FaceModel;
use super::fitted::{CameraPose, FOCAL, SIDE};
use super::solve::project;
use crate::pack::Pack;

/// The committed pack's bytes.
pub const PACK: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../packs/face.gguf"));

/// The committed face.
pub fn model() -> &'static FaceModel {
    static MODEL: OnceLock<FaceModel> = OnceLock::new();
    MODEL.get_or_init(|| {
        let pack = Pack::from_bytes(PACK).expect("the committed pack can be read");
        FaceModel::from_pack(&pack).expect("the committed face is whole")
    })
}

/// A head whose landmarks are known exactly.
pub struct MadeUp {
    pub pose: CameraPose,
    pub identity: Vec<f32>,
    pub expression: Vec<f32>,
    /// 478 points in crop pixels.
    pub points: Vec<[f32; 2]>,
}

/// Neutral + identity + expression.
pub fn shape_of(model: &FaceModel, identity: &[f32], expression: &[f32]) -> Vec<[f32; 3]> {
    let mut shape = model.neutral.clone();
    let modes = model.identity.iter().zip(identity).chain(model.expression.iter().zip(expression));
    for (mode, &weight) in modes {
        for (p, m) in shape.iter_mut().zip(mode) {
            (0..3).for_each(|i| p[i] += weight * m[i]);
        }
    }
    shape
}

/// A head turned by `yaw`, `pitch`, `roll` degrees (signs as in motion files), with a shape and an expression that
/// follow from the seed.
pub fn made_up(model: &FaceModel, [yaw, pitch, roll]: [f32; 3], seed: u64) -> MadeUp {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let identity: Vec<f32> = model.identity.iter().map(|_| random.random_range(-1.5..1.5)).collect();
    let mut expression = vec![0.0; model.expression.len()];
    for name in
        ["jawOpen", "mouthSmile_L", "mouthSmile_R", "browInnerUp_L", "browInnerUp_R", "eyeBlink_L", "eyeBlink_R"]
    {
        expression[model.expression_index(name).expect("an expression of the model")] = random.random_range(0.0..0.7);
    }
    let turn = |axis: Vector3<f32>, degrees: f32| Rotation3::new(axis * degrees.to_radians());
    let rotation = turn(Vector3::z(), -roll) * turn(Vector3::x(), pitch) * turn(Vector3::y(), yaw);
    let distance = FOCAL * SIDE * 19.0 / (0.47 * SIDE) * random.random_range(0.85..1.15);
    let translation = Vector3::new(random.random_range(-2.0..2.0), random.random_range(-2.0..2.0), distance);
    let pose = CameraPose { rotation: rotation.into_inner(), translation };
    let shape = shape_of(model, &identity, &expression);
    let points = (0..model.landmark_kind.len()).map(|i| project(&pose, model.landmark(&shape, i)).0).collect();
    MadeUp { pose, identity, expression, points }
}
