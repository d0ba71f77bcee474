//! What a fit must fulfil before it is drawn.

use super::DecodeError;
use crate::portrait::fitted::{PAD, TEX, TEX_FULL};
use crate::portrait::landmarks::LANDMARKS;
use crate::portrait::{FaceModel, FittedFace};

/// Refuses models and fits that do not belong together.
pub(crate) fn check(model: &FaceModel, face: &FittedFace) -> Result<(), DecodeError> {
    let n = model.neutral.len();
    let wrong = |what| Err(DecodeError::Fit(what));
    if face.texture.len() != TEX_FULL * TEX_FULL * 3 {
        return wrong("its texture has the wrong size");
    }
    if face.landmarks.len() != LANDMARKS {
        return wrong("it does not have 478 landmarks");
    }
    if face.shape.len() != n || face.base.len() != n || model.expression.iter().any(|m| m.len() != n) {
        return wrong("its vertices are not those of the face model");
    }
    if face.expression.len() != model.expression.len() || model.expression_names.len() != model.expression.len() {
        return wrong("its expressions are not those of the face model");
    }
    let skin = model.skin.end;
    let ranges = [&model.mouth_socket, &model.gums_tongue, &model.teeth_upper, &model.teeth_lower];
    let contours = [&model.lips, &model.lids_right, &model.lids_left];
    if model.skin.start != 0
        || skin > n
        || ranges.iter().any(|r| r.start < skin || r.end > n || r.start > r.end)
        || model.triangles.iter().flatten().any(|&i| i as usize >= n)
        || contours.iter().flat_map(|c| c.upper.iter().chain(&c.lower)).any(|&i| i as usize >= skin)
        || contours.iter().any(|c| c.upper.len() < 4 || c.lower.len() < 4)
        || model.triangle_part.len() != model.triangles.len()
        || model.landmark_vertices.len() != LANDMARKS
        || model.landmark_weights.len() != LANDMARKS
        || model.landmark_vertices.iter().flatten().any(|&i| i as usize >= skin)
    {
        return wrong("the face model's tables point outside of it");
    }
    let finite = face.texture.iter().all(|x| x.is_finite())
        && face.landmarks.as_flattened().iter().all(|x| x.is_finite() && x.abs() < 4.0 * TEX * (1.0 + PAD))
        && face.base.as_flattened().iter().chain(face.shape.as_flattened()).all(|x| x.is_finite())
        && face.eye_right.iter().chain(&face.eye_left).all(|x| x.is_finite())
        && face.expression.iter().all(|x| x.is_finite())
        && face.pose.rotation.iter().chain(face.pose.translation.iter()).all(|x| x.is_finite())
        && face.pose.translation.z > 20.0;
    if !finite {
        return wrong("it contains values that are no numbers or out of range");
    }
    Ok(())
}
