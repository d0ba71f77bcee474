//! How far apart the inner lips of an average face are, told from the blendshapes alone.
//!
//! Linear model measured on the inner-lip landmarks of the ICT FaceKit (Li et al. 2020): centimetres of gap a unit of
//! each shape. It answers two questions without a face model at hand: which coefficients give an asked gap
//! ([`super::articulation`]), and whether a frame closes the lips ([`super::resample`]).

use super::frame::{Blendshape, Blendshapes};

/// Gap of the neutral face, cm.
pub const REST: f32 = 0.08;
/// Gap for one unit of `jawOpen`, cm.
pub const JAW_OPEN: f32 = 3.15;
/// Gap for one unit of `mouthClose`, cm.
pub const MOUTH_CLOSE: f32 = -3.855;
/// Gap for one unit of `mouthFunnel`, cm.
pub const MOUTH_FUNNEL: f32 = 1.29;
/// Gap for one unit of `mouthPucker`, cm.
pub const MOUTH_PUCKER: f32 = -0.078;
/// Gap for one unit of all four `mouthLowerDown*` and `mouthUpperUp*` shapes together, cm.
pub const LIP_RAISE: f32 = 1.31;
/// Gap for one unit of `mouthRollLower`, cm.
pub const ROLL_LOWER: f32 = -0.331;
/// Gap for one unit of `mouthRollUpper`, cm.
pub const ROLL_UPPER: f32 = 0.148;
/// Gap for one unit of both `mouthPress*` shapes, cm.
pub const MOUTH_PRESS: f32 = -0.248;

/// Inner-lip gap in centimetres; negative where the lips are pressed together.
pub fn lip_gap(b: &Blendshapes) -> f32 {
    use Blendshape as B;
    let raise = b[B::MouthLowerDownLeft] + b[B::MouthLowerDownRight] + b[B::MouthUpperUpLeft] + b[B::MouthUpperUpRight];
    REST + JAW_OPEN * b[B::JawOpen]
        + MOUTH_CLOSE * b[B::MouthClose]
        + MOUTH_FUNNEL * b[B::MouthFunnel]
        + MOUTH_PUCKER * b[B::MouthPucker]
        + LIP_RAISE * 0.25 * raise
        + ROLL_LOWER * b[B::MouthRollLower]
        + ROLL_UPPER * b[B::MouthRollUpper]
        + MOUTH_PRESS * 0.5 * (b[B::MouthPressLeft] + b[B::MouthPressRight])
}
