//! Where folds lie: lines between landmarks, and the expressions that bring them.
//!
//! After the action units of Ekman and Friesen's Facial Action Coding System: what wrinkles where when a muscle pulls.

/// Groups of folds that come and go together.
pub(crate) const GROUPS: usize = 17;

/// One group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Group {
    /// Lines across the forehead: between the brows, over the right and over the left brow.
    ForeheadMiddle,
    ForeheadRight,
    ForeheadLeft,
    /// Upright lines between the brows.
    Glabella,
    /// From the wings of the nose past the corners of the mouth.
    SmileRight,
    SmileLeft,
    /// Crow's feet.
    CrowRight,
    CrowLeft,
    /// Below the eyes.
    UnderEyeRight,
    UnderEyeLeft,
    /// Across the root of the nose and along its sides.
    NoseRight,
    NoseLeft,
    /// Between lower lip and chin.
    Chin,
    /// Down from the corners of the mouth.
    CornerRight,
    CornerLeft,
    /// The dark hollow that a smile presses into the cheek beside the corners of the mouth.
    HollowRight,
    HollowLeft,
}

/// The subject's right side, or the left.
type Sides = (Group, Group);

/// What brings a group: expressions of the model (without the side for those that have one) and their weights.
pub(crate) struct Cause {
    pub groups: Sides,
    pub expressions: &'static [(&'static str, f32)],
}

/// A fold: between pairs of landmarks at a share of their way, on the subject's right side.
pub(crate) struct Fold {
    pub groups: Sides,
    pub points: &'static [(usize, usize, f32)],
    /// Half width of the groove, cm.
    pub width: f32,
    /// Depth of the groove over its half width.
    pub depth: f32,
    /// Darkness of its floor.
    pub shadow: f32,
    /// How far the shadow reaches towards the middle of the face, in half widths.
    pub soft: f32,
    /// Swelling of the skin on the side away from the middle, as a share of the depth.
    pub bulge: f32,
    /// Crosses the middle of the face: given once, from the subject's right to the left.
    pub crosses: bool,
    /// How much the line waves, cm.
    pub waves: f32,
}

impl Fold {
    const fn new(groups: Sides, width: f32, depth: f32, shadow: f32, points: &'static [(usize, usize, f32)]) -> Self {
        Self { groups, points, width, depth, shadow, soft: 1.8, bulge: 0.0, crosses: false, waves: 0.0 }
    }
}

pub(crate) const CAUSES: &[Cause] = &[
    Cause { groups: (Group::ForeheadMiddle, Group::ForeheadMiddle), expressions: &[("browInnerUp", 0.9)] },
    Cause { groups: (Group::ForeheadRight, Group::ForeheadLeft), expressions: &[("browOuterUp", 0.9)] },
    Cause { groups: (Group::Glabella, Group::Glabella), expressions: &[("browDown", 0.9), ("noseSneer", 0.2)] },
    Cause {
        groups: (Group::SmileRight, Group::SmileLeft),
        expressions: &[
            ("mouthSmile", 0.85),
            ("noseSneer", 0.45),
            ("mouthUpperUp", 0.35),
            ("cheekSquint", 0.15),
            ("mouthDimple", 0.35),
            ("mouthStretch", 0.25),
        ],
    },
    Cause {
        groups: (Group::CrowRight, Group::CrowLeft),
        expressions: &[("cheekSquint", 0.6), ("eyeSquint", 0.35), ("mouthSmile", 0.25)],
    },
    Cause {
        groups: (Group::UnderEyeRight, Group::UnderEyeLeft),
        expressions: &[("cheekSquint", 0.7), ("eyeSquint", 0.25), ("mouthSmile", 0.15)],
    },
    Cause { groups: (Group::NoseRight, Group::NoseLeft), expressions: &[("noseSneer", 1.0)] },
    Cause {
        groups: (Group::Chin, Group::Chin),
        expressions: &[("mouthShrugLower", 0.9), ("mouthPucker", 0.2), ("mouthFrown", 0.2)],
    },
    Cause {
        groups: (Group::HollowRight, Group::HollowLeft),
        expressions: &[("mouthSmile", 0.9), ("mouthDimple", 0.5), ("mouthStretch", 0.3)],
    },
    Cause { groups: (Group::CornerRight, Group::CornerLeft), expressions: &[("mouthFrown", 0.9), ("mouthPress", 0.2)] },
];

const FOREHEAD: Sides = (Group::ForeheadMiddle, Group::ForeheadMiddle);
const SMILE: Sides = (Group::SmileRight, Group::SmileLeft);
const CROW: Sides = (Group::CrowRight, Group::CrowLeft);
const UNDER: Sides = (Group::UnderEyeRight, Group::UnderEyeLeft);
const NOSE: Sides = (Group::NoseRight, Group::NoseLeft);
const CORNER: Sides = (Group::CornerRight, Group::CornerLeft);
const HOLLOW: Sides = (Group::HollowRight, Group::HollowLeft);
const GLABELLA: Sides = (Group::Glabella, Group::Glabella);
const CHIN: Sides = (Group::Chin, Group::Chin);

pub(crate) const FOLDS: &[Fold] = &[
    Fold {
        soft: 2.0,
        crosses: true,
        waves: 0.05,
        ..Fold::new(
            FOREHEAD,
            0.16,
            0.34,
            0.11,
            &[
                (104, 105, 0.15),
                (69, 66, 0.15),
                (108, 107, 0.30),
                (151, 9, 0.30),
                (337, 336, 0.30),
                (299, 296, 0.15),
                (333, 334, 0.15),
            ],
        )
    },
    Fold {
        soft: 2.0,
        crosses: true,
        waves: 0.05,
        ..Fold::new(
            FOREHEAD,
            0.17,
            0.45,
            0.14,
            &[
                (104, 103, 0.35),
                (69, 67, 0.42),
                (108, 109, 0.30),
                (151, 10, 0.22),
                (337, 338, 0.30),
                (299, 297, 0.42),
                (333, 332, 0.35),
            ],
        )
    },
    Fold {
        soft: 2.0,
        crosses: true,
        waves: 0.05,
        ..Fold::new(
            FOREHEAD,
            0.17,
            0.38,
            0.12,
            &[
                (104, 103, 0.85),
                (69, 67, 0.92),
                (108, 109, 0.85),
                (151, 10, 0.75),
                (337, 338, 0.85),
                (299, 297, 0.92),
                (333, 332, 0.85),
            ],
        )
    },
    Fold {
        soft: 2.6,
        bulge: 1.0,
        ..Fold::new(
            SMILE,
            0.26,
            0.50,
            0.28,
            &[(129, 203, 0.50), (203, 206, 0.55), (206, 92, 0.10), (216, 207, 0.02), (212, 57, 0.15)],
        )
    },
    Fold { soft: 1.6, ..Fold::new(CROW, 0.10, 0.36, 0.13, &[(226, 156, 0.35), (226, 156, 0.75), (124, 156, 0.9)]) },
    Fold { soft: 1.6, ..Fold::new(CROW, 0.10, 0.36, 0.14, &[(226, 143, 0.25), (226, 143, 0.70), (143, 34, 0.25)]) },
    Fold { soft: 1.6, ..Fold::new(CROW, 0.10, 0.34, 0.12, &[(31, 111, 0.15), (31, 111, 0.60), (111, 116, 0.25)]) },
    Fold {
        soft: 2.0,
        ..Fold::new(
            UNDER,
            0.20,
            0.34,
            0.16,
            &[(228, 117, 0.30), (229, 118, 0.38), (230, 119, 0.40), (231, 120, 0.40), (232, 121, 0.40)],
        )
    },
    Fold::new(NOSE, 0.12, 0.50, 0.22, &[(6, 122, 0.5), (122, 188, 0.7), (188, 114, 0.7)]),
    Fold::new(NOSE, 0.12, 0.46, 0.20, &[(197, 196, 0.6), (196, 174, 0.6), (174, 217, 0.6)]),
    Fold { bulge: 0.6, ..Fold::new(GLABELLA, 0.14, 0.55, 0.26, &[(8, 55, 0.55), (9, 107, 0.50), (9, 108, 0.38)]) },
    Fold {
        soft: 2.2,
        bulge: 0.6,
        ..Fold::new(CORNER, 0.17, 0.45, 0.22, &[(61, 57, 0.9), (43, 57, 0.35), (202, 43, 0.30), (204, 202, 0.55)])
    },
    // nothing is drawn here: it is where the photo's own darkness goes with its smile
    Fold::new(HOLLOW, 0.30, 0.0, 0.0, &[(61, 92, 0.8), (61, 216, 0.25), (61, 57, 0.4), (61, 43, 0.5)]),
    Fold {
        crosses: true,
        waves: 0.01,
        ..Fold::new(
            CHIN,
            0.26,
            0.45,
            0.22,
            &[(182, 194, 0.55), (83, 201, 0.45), (18, 200, 0.40), (313, 421, 0.45), (406, 418, 0.55)],
        )
    },
];

/// Landmarks of the right side and their mirror images.
const MIRROR: [(usize, usize); 50] = [
    (129, 358),
    (203, 423),
    (206, 426),
    (216, 436),
    (212, 432),
    (207, 427),
    (226, 446),
    (156, 383),
    (143, 372),
    (34, 264),
    (31, 261),
    (111, 340),
    (116, 345),
    (124, 353),
    (228, 448),
    (229, 449),
    (230, 450),
    (231, 451),
    (232, 452),
    (117, 346),
    (118, 347),
    (119, 348),
    (120, 349),
    (121, 350),
    (107, 336),
    (66, 296),
    (105, 334),
    (109, 338),
    (67, 297),
    (103, 332),
    (108, 337),
    (69, 299),
    (104, 333),
    (55, 285),
    (188, 412),
    (122, 351),
    (114, 343),
    (174, 399),
    (217, 437),
    (196, 419),
    (57, 287),
    (43, 273),
    (202, 422),
    (204, 424),
    (61, 291),
    (83, 313),
    (201, 421),
    (182, 406),
    (194, 418),
    (92, 322),
];

/// The landmark on the other side of the face.
pub(crate) fn mirrored(landmark: usize) -> usize {
    let pair = MIRROR.iter().find(|&&(r, l)| r == landmark || l == landmark);
    pair.map_or(landmark, |&(r, l)| if r == landmark { l } else { r })
}

#[cfg(test)]
mod tests {
    use super::super::testing::model;
    use super::*;

    #[test]
    fn folds_of_both_sides_are_mirror_images() {
        let model = model();
        for fold in FOLDS {
            for &(a, b, _) in fold.points {
                for i in [a, b] {
                    let (r, l) = (model.landmark(&model.neutral, i), model.landmark(&model.neutral, mirrored(i)));
                    assert!((r[0] + l[0]).abs() < 0.25 && (r[1] - l[1]).abs() < 0.25, "{i}: {r:?} {l:?}");
                }
            }
        }
    }

    #[test]
    fn every_cause_is_an_expression_of_the_model_and_every_group_has_one() {
        let model = model();
        for cause in CAUSES {
            for (stem, _) in cause.expressions {
                assert!(model.expression_names.iter().any(|n| n.starts_with(stem)), "{stem}");
            }
        }
        let caused = |g: usize| CAUSES.iter().any(|c| c.groups.0 as usize == g || c.groups.1 as usize == g);
        assert!((0..GROUPS).all(caused));
    }
}
