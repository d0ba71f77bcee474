//! The compact linear 3-D face.
//!
//! Space of all vertices ("head space"): centimetres, +x the subject's left (the image's right), +y up, +z out of
//! the face. The eyes are about 6.4 apart.

use std::ops::Range;

/// Two edge loops that open and shut: the inner lips, or the lids of one eye. Lips run from the image's
/// left to its right, lids from the outer corner to the inner. Both chains share their two end vertices.
#[derive(Clone, Debug)]
pub struct Contour {
    /// Upper chain.
    pub upper: Vec<u32>,
    /// Lower chain.
    pub lower: Vec<u32>,
}

/// One eyeball. It has no vertices: a sphere is a centre and a radius.
#[derive(Clone, Debug)]
pub struct Eyeball {
    /// Centre in the neutral face, cm.
    pub center: [f32; 3],
    /// Radius of the sclera, cm.
    pub radius: f32,
    /// Radius of the iris, cm.
    pub iris_radius: f32,
    /// How each identity mode moves the centre, cm a unit of weight.
    pub identity: Vec<[f32; 3]>,
}

/// Neutral shape, identity and expression modes, and the index tables that fit and decoder need.
#[derive(Clone, Debug)]
pub struct FaceModel {
    /// Neutral vertices.
    pub neutral: Vec<[f32; 3]>,
    /// Identity modes, `identity[mode][vertex]`, cm a unit of weight.
    pub identity: Vec<Vec<[f32; 3]>>,
    /// Expression modes, in the order of `expression_names`.
    pub expression: Vec<Vec<[f32; 3]>>,
    /// The model's own names (`jawOpen`, `mouthSmile_L`, …).
    pub expression_names: Vec<String>,
    /// All triangles, counter-clockwise seen from outside.
    pub triangles: Vec<[u32; 3]>,
    /// Part of each triangle.
    pub triangle_part: Vec<Part>,
    /// Vertices of the facial skin (front up to ears and jaw); they come first.
    pub skin: Range<usize>,
    /// Vertices of the walls behind the lips.
    pub mouth_socket: Range<usize>,
    /// Vertices of gums and tongue.
    pub gums_tongue: Range<usize>,
    /// Vertices of the upper teeth.
    pub teeth_upper: Range<usize>,
    /// Vertices of the lower teeth.
    pub teeth_lower: Range<usize>,
    /// Inner lips.
    pub lips: Contour,
    /// Lids of the subject's right eye (image left).
    pub lids_right: Contour,
    /// Lids of the subject's left eye (image right).
    pub lids_left: Contour,
    /// The subject's right eye (image left).
    pub eye_right: Eyeball,
    /// The subject's left eye (image right).
    pub eye_left: Eyeball,
    /// For each of the 478 landmarks: three vertices.
    pub landmark_vertices: Vec<[u32; 3]>,
    /// For each of the 478 landmarks: their weights.
    pub landmark_weights: Vec<[f32; 3]>,
    /// For each of the 478 landmarks: what it lies on.
    pub landmark_kind: Vec<LandmarkKind>,
}

/// What a triangle belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Facial skin.
    Skin,
    /// Walls behind the lips.
    MouthSocket,
    /// Gums and tongue.
    GumsTongue,
    /// Teeth of both jaws.
    Teeth,
}

/// What a landmark lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LandmarkKind {
    /// Skin that is neither outline nor contour.
    Skin,
    /// Lip and lid contours: fitted with more weight.
    Contour,
    /// The iris: not used by the fit.
    Iris,
}

impl Eyeball {
    /// Centre in the face of a person, cm.
    pub fn center_of(&self, identity: &[f32]) -> [f32; 3] {
        self.identity.iter().zip(identity).fold(self.center, |c, (m, w)| std::array::from_fn(|i| c[i] + w * m[i]))
    }
}

impl FaceModel {
    /// Indices of the landmarks that lie on the skin: all but the irises.
    pub fn used_landmarks(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.landmark_kind.len()).filter(|&i| self.landmark_kind[i] != LandmarkKind::Iris)
    }

    /// Vertices of `base` with weighted expressions added.
    pub fn posed(&self, base: &[[f32; 3]], expression: &[f32]) -> Vec<[f32; 3]> {
        let mut out = base.to_vec();
        for (mode, &w) in self.expression.iter().zip(expression).filter(|(_, w)| **w != 0.0) {
            for (x, d) in out.as_flattened_mut().iter_mut().zip(mode.as_flattened()) {
                *x += w * d;
            }
        }
        out
    }

    /// Place of landmark `index` on some vertices of the model.
    pub fn landmark(&self, vertices: &[[f32; 3]], index: usize) -> [f32; 3] {
        let corners = self.landmark_vertices[index].map(|v| vertices[v as usize]);
        let weights = self.landmark_weights[index];
        std::array::from_fn(|i| (0..3).map(|k| weights[k] * corners[k][i]).sum())
    }

    /// Index of an expression by the model's own name.
    pub fn expression_index(&self, name: &str) -> Option<usize> {
        self.expression_names.iter().position(|n| n == name)
    }

    /// Mode of an expression by the model's own name.
    pub fn expression(&self, name: &str) -> Option<&[[f32; 3]]> {
        self.expression_index(name).map(|i| self.expression[i].as_slice())
    }
}
