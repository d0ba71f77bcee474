//! One moment of facial motion, and the names and units everything else refers to.

use std::ops::{Index, IndexMut};

/// Frames a second of generated motion.
pub const FPS: u32 = 25;

/// ARKit's 52 coefficients in ARKit's order, and `tongueUp` (tip of the tongue to the upper teeth).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
#[expect(missing_docs, reason = "the names are ARKit's and say what they are")]
pub enum Blendshape {
    EyeBlinkLeft,
    EyeLookDownLeft,
    EyeLookInLeft,
    EyeLookOutLeft,
    EyeLookUpLeft,
    EyeSquintLeft,
    EyeWideLeft,
    EyeBlinkRight,
    EyeLookDownRight,
    EyeLookInRight,
    EyeLookOutRight,
    EyeLookUpRight,
    EyeSquintRight,
    EyeWideRight,
    JawForward,
    JawLeft,
    JawRight,
    JawOpen,
    MouthClose,
    MouthFunnel,
    MouthPucker,
    MouthLeft,
    MouthRight,
    MouthSmileLeft,
    MouthSmileRight,
    MouthFrownLeft,
    MouthFrownRight,
    MouthDimpleLeft,
    MouthDimpleRight,
    MouthStretchLeft,
    MouthStretchRight,
    MouthRollLower,
    MouthRollUpper,
    MouthShrugLower,
    MouthShrugUpper,
    MouthPressLeft,
    MouthPressRight,
    MouthLowerDownLeft,
    MouthLowerDownRight,
    MouthUpperUpLeft,
    MouthUpperUpRight,
    BrowDownLeft,
    BrowDownRight,
    BrowInnerUp,
    BrowOuterUpLeft,
    BrowOuterUpRight,
    CheekPuff,
    CheekSquintLeft,
    CheekSquintRight,
    NoseSneerLeft,
    NoseSneerRight,
    TongueOut,
    TongueUp,
}

impl Blendshape {
    /// How many there are.
    pub const COUNT: usize = 53;

    /// All of them, in order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::EyeBlinkLeft,
        Self::EyeLookDownLeft,
        Self::EyeLookInLeft,
        Self::EyeLookOutLeft,
        Self::EyeLookUpLeft,
        Self::EyeSquintLeft,
        Self::EyeWideLeft,
        Self::EyeBlinkRight,
        Self::EyeLookDownRight,
        Self::EyeLookInRight,
        Self::EyeLookOutRight,
        Self::EyeLookUpRight,
        Self::EyeSquintRight,
        Self::EyeWideRight,
        Self::JawForward,
        Self::JawLeft,
        Self::JawRight,
        Self::JawOpen,
        Self::MouthClose,
        Self::MouthFunnel,
        Self::MouthPucker,
        Self::MouthLeft,
        Self::MouthRight,
        Self::MouthSmileLeft,
        Self::MouthSmileRight,
        Self::MouthFrownLeft,
        Self::MouthFrownRight,
        Self::MouthDimpleLeft,
        Self::MouthDimpleRight,
        Self::MouthStretchLeft,
        Self::MouthStretchRight,
        Self::MouthRollLower,
        Self::MouthRollUpper,
        Self::MouthShrugLower,
        Self::MouthShrugUpper,
        Self::MouthPressLeft,
        Self::MouthPressRight,
        Self::MouthLowerDownLeft,
        Self::MouthLowerDownRight,
        Self::MouthUpperUpLeft,
        Self::MouthUpperUpRight,
        Self::BrowDownLeft,
        Self::BrowDownRight,
        Self::BrowInnerUp,
        Self::BrowOuterUpLeft,
        Self::BrowOuterUpRight,
        Self::CheekPuff,
        Self::CheekSquintLeft,
        Self::CheekSquintRight,
        Self::NoseSneerLeft,
        Self::NoseSneerRight,
        Self::TongueOut,
        Self::TongueUp,
    ];

    /// ARKit's spelling (`jawOpen`).
    pub fn name(self) -> &'static str {
        match self {
            Self::EyeBlinkLeft => "eyeBlinkLeft",
            Self::EyeLookDownLeft => "eyeLookDownLeft",
            Self::EyeLookInLeft => "eyeLookInLeft",
            Self::EyeLookOutLeft => "eyeLookOutLeft",
            Self::EyeLookUpLeft => "eyeLookUpLeft",
            Self::EyeSquintLeft => "eyeSquintLeft",
            Self::EyeWideLeft => "eyeWideLeft",
            Self::EyeBlinkRight => "eyeBlinkRight",
            Self::EyeLookDownRight => "eyeLookDownRight",
            Self::EyeLookInRight => "eyeLookInRight",
            Self::EyeLookOutRight => "eyeLookOutRight",
            Self::EyeLookUpRight => "eyeLookUpRight",
            Self::EyeSquintRight => "eyeSquintRight",
            Self::EyeWideRight => "eyeWideRight",
            Self::JawForward => "jawForward",
            Self::JawLeft => "jawLeft",
            Self::JawRight => "jawRight",
            Self::JawOpen => "jawOpen",
            Self::MouthClose => "mouthClose",
            Self::MouthFunnel => "mouthFunnel",
            Self::MouthPucker => "mouthPucker",
            Self::MouthLeft => "mouthLeft",
            Self::MouthRight => "mouthRight",
            Self::MouthSmileLeft => "mouthSmileLeft",
            Self::MouthSmileRight => "mouthSmileRight",
            Self::MouthFrownLeft => "mouthFrownLeft",
            Self::MouthFrownRight => "mouthFrownRight",
            Self::MouthDimpleLeft => "mouthDimpleLeft",
            Self::MouthDimpleRight => "mouthDimpleRight",
            Self::MouthStretchLeft => "mouthStretchLeft",
            Self::MouthStretchRight => "mouthStretchRight",
            Self::MouthRollLower => "mouthRollLower",
            Self::MouthRollUpper => "mouthRollUpper",
            Self::MouthShrugLower => "mouthShrugLower",
            Self::MouthShrugUpper => "mouthShrugUpper",
            Self::MouthPressLeft => "mouthPressLeft",
            Self::MouthPressRight => "mouthPressRight",
            Self::MouthLowerDownLeft => "mouthLowerDownLeft",
            Self::MouthLowerDownRight => "mouthLowerDownRight",
            Self::MouthUpperUpLeft => "mouthUpperUpLeft",
            Self::MouthUpperUpRight => "mouthUpperUpRight",
            Self::BrowDownLeft => "browDownLeft",
            Self::BrowDownRight => "browDownRight",
            Self::BrowInnerUp => "browInnerUp",
            Self::BrowOuterUpLeft => "browOuterUpLeft",
            Self::BrowOuterUpRight => "browOuterUpRight",
            Self::CheekPuff => "cheekPuff",
            Self::CheekSquintLeft => "cheekSquintLeft",
            Self::CheekSquintRight => "cheekSquintRight",
            Self::NoseSneerLeft => "noseSneerLeft",
            Self::NoseSneerRight => "noseSneerRight",
            Self::TongueOut => "tongueOut",
            Self::TongueUp => "tongueUp",
        }
    }

    /// The blendshape of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|b| b.name() == name)
    }
}

/// A value for every [`Blendshape`], usually 0..1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blendshapes(pub [f32; Blendshape::COUNT]);

impl Default for Blendshapes {
    fn default() -> Self {
        Self([0.0; Blendshape::COUNT])
    }
}

impl Index<Blendshape> for Blendshapes {
    type Output = f32;
    fn index(&self, b: Blendshape) -> &f32 {
        &self.0[b as usize]
    }
}

impl IndexMut<Blendshape> for Blendshapes {
    fn index_mut(&mut self, b: Blendshape) -> &mut f32 {
        &mut self.0[b as usize]
    }
}

/// Change of the head from the portrait's own pose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeadPose {
    /// Degrees; positive: the nose moves to the image's right.
    pub yaw: f32,
    /// Degrees; positive: the face looks down.
    pub pitch: f32,
    /// Degrees; positive: the head leans clockwise in the image.
    pub roll: f32,
    /// Shift to the image's right, in face heights.
    pub x: f32,
    /// Shift down, in face heights.
    pub y: f32,
    /// Size; above 1: nearer.
    pub scale: f32,
}

impl Default for HeadPose {
    fn default() -> Self {
        Self { yaw: 0.0, pitch: 0.0, roll: 0.0, x: 0.0, y: 0.0, scale: 1.0 }
    }
}

/// Change of the gaze from the portrait's own, degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gaze {
    /// Positive: to the image's right.
    pub x: f32,
    /// Positive: down.
    pub y: f32,
}

/// What the values of [`MotionFrame::blendshapes`] are added to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reference {
    /// The portrait's own expression: everything is relative.
    #[default]
    Portrait,
    /// A neutral face: ARKit's own meaning.
    Neutral,
    /// Jaw and mouth as with `Neutral`, everything else as with `Portrait`.
    Speech,
}

/// The face at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MotionFrame {
    /// Facial expression.
    pub blendshapes: Blendshapes,
    /// Head pose.
    pub head: HeadPose,
    /// Gaze.
    pub gaze: Gaze,
}

impl MotionFrame {
    /// Degrees of gaze for one unit of the `eyeLook*` shapes, to the side and up or down.
    const EYE_LOOK_DEGREES: Gaze = Gaze { x: 30.0, y: 25.0 };

    /// The gaze that the `eyeLook*` shapes describe, mean of both eyes, degrees.
    pub fn gaze_of_shapes(&self) -> Gaze {
        use Blendshape as B;
        let b = &self.blendshapes;
        let right = b[B::EyeLookOutLeft] + b[B::EyeLookInRight] - b[B::EyeLookInLeft] - b[B::EyeLookOutRight];
        let down = b[B::EyeLookDownLeft] + b[B::EyeLookDownRight] - b[B::EyeLookUpLeft] - b[B::EyeLookUpRight];
        Gaze { x: 0.5 * right * Self::EYE_LOOK_DEGREES.x, y: 0.5 * down * Self::EYE_LOOK_DEGREES.y }
    }

    /// Sets the gaze, and the `eyeLook*` shapes to say the same as far as their range 0..1 reaches.
    pub fn set_gaze(&mut self, gaze: Gaze) {
        use Blendshape as B;
        self.gaze = gaze;
        let (x, y) = (gaze.x / Self::EYE_LOOK_DEGREES.x, gaze.y / Self::EYE_LOOK_DEGREES.y);
        let part = |v: f32| v.clamp(0.0, 1.0);
        let b = &mut self.blendshapes;
        (b[B::EyeLookOutLeft], b[B::EyeLookInRight]) = (part(x), part(x));
        (b[B::EyeLookInLeft], b[B::EyeLookOutRight]) = (part(-x), part(-x));
        (b[B::EyeLookDownLeft], b[B::EyeLookDownRight]) = (part(y), part(y));
        (b[B::EyeLookUpLeft], b[B::EyeLookUpRight]) = (part(-y), part(-y));
    }
}
