//! How far apart the inner lips of an average face are, told from the blendshapes alone.
//!
//! Linear model measured on the inner-lip landmarks of the ICT FaceKit (Li et al. 2020): centimetres of gap a unit of
//! each shape. It tells without a face model at hand whether a frame closes the lips ([`super::resample`]), and lets
//! an expression be added to speech without opening them ([`super::emotion`]).

use super::frame::{Blendshape, Blendshapes};

/// Gap of the neutral face, cm.
pub const REST: f32 = 0.08;
/// Gap for one unit of `mouthClose`, cm.
pub const MOUTH_CLOSE: f32 = -3.855;

/// Inner-lip gap in centimetres; negative where the lips are pressed together.
pub fn lip_gap(b: &Blendshapes) -> f32 {
    REST + GAP.iter().map(|&(shape, gap)| gap * b[shape]).sum::<f32>()
}

/// Centimetres a unit of each shape that moves a lip by a tenth of a millimetre or more.
const GAP: [(Blendshape, f32); 28] = {
    use Blendshape as B;
    [
        (B::JawForward, 0.123),
        (B::JawLeft, -0.025),
        (B::JawRight, -0.025),
        (B::JawOpen, 3.15),
        (B::MouthClose, MOUTH_CLOSE),
        (B::MouthFunnel, 1.291),
        (B::MouthPucker, -0.078),
        (B::MouthLeft, -0.052),
        (B::MouthRight, -0.052),
        (B::MouthFrownLeft, -0.012),
        (B::MouthFrownRight, -0.012),
        (B::MouthDimpleLeft, -0.049),
        (B::MouthDimpleRight, -0.049),
        (B::MouthStretchLeft, -0.015),
        (B::MouthStretchRight, -0.015),
        (B::MouthRollLower, -0.331),
        (B::MouthRollUpper, 0.148),
        (B::MouthShrugLower, -0.669),
        (B::MouthShrugUpper, 0.513),
        (B::MouthPressLeft, -0.124),
        (B::MouthPressRight, -0.124),
        (B::MouthLowerDownLeft, 0.324),
        (B::MouthLowerDownRight, 0.324),
        (B::MouthUpperUpLeft, 0.356),
        (B::MouthUpperUpRight, 0.356),
        (B::CheekPuff, -0.035),
        (B::NoseSneerLeft, 0.316),
        (B::NoseSneerRight, 0.316),
    ]
};
