//! Articulation tracks and closure gates to ARKit coefficients.
//!
//! The tracks say what the mouth does (centimetres of opening, rounding, …), the gates when it must touch: lips for
//! P B M, lower lip and upper teeth for F V. Gates are hard constraints: at 1 the lips are shut, whatever the tracks say.
//! `training/FORMAT.md`, section 4, has the same in formulas; the constants travel in the pack.
//!
//! That bilabials must shut, labiodentals must touch the teeth, and jaw and lips open the mouth separately follows
//! Edwards, Landreth, Fiume and Singh, "JALI" (2016).

use serde::Deserialize;

use super::frame::{Blendshape, Blendshapes};

/// What a mouth does at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tracks {
    /// Between the inner lips, cm, from 0.
    pub gap: f32,
    /// Opening of the jaw, cm, from 0.
    pub jaw: f32,
    /// Rounding, 0..1.
    pub round: f32,
    /// Spreading, 0..1.
    pub spread: f32,
    /// Tip of the tongue up, 0..1.
    pub tongue: f32,
    /// Lips shut, 0..1.
    pub shut: f32,
    /// Lower lip at the upper teeth, 0..1.
    pub tuck: f32,
}

/// Probabilities between which a gate rises from 0 to 1.
#[derive(Clone, Copy, Debug, Deserialize)]
struct GateRise {
    shut: [f32; 2],
    tuck: [f32; 2],
}

/// The constants of the articulation model.
#[derive(Clone, Debug, Deserialize)]
pub struct Articulation {
    gate_rise: GateRise,
    rest_gap: f32,
    gap_jaw_open: f32,
    gap_mouth_close: f32,
    gap_funnel: f32,
    gap_pucker: f32,
    gap_lips_apart: f32,
    gap_roll_lower: f32,
    gap_press: f32,
    tuck_gap: f32,
    tuck_jaw: f32,
    tuck_round: f32,
    shut_jaw: f32,
    shut_overlap: f32,
    pucker: f32,
    funnel: f32,
    funnel_lost_shut: f32,
    roll_tuck: f32,
    lift_tuck: f32,
    press: f32,
    roll_lower_shut: f32,
    roll_upper_shut: f32,
    close_per_jaw: f32,
    close_free: f32,
    lift_max: f32,
    lift_lower: f32,
    stretch: f32,
    smile: f32,
    cheek: f32,
}

impl Articulation {
    /// Gates from the logits of a lip network; lips that are shut cannot touch the teeth.
    pub fn gates(&self, shut_logit: f32, tuck_logit: f32) -> (f32, f32) {
        let gate = |logit: f32, [low, high]: [f32; 2]| smoothstep(1.0 / (1.0 + (-logit).exp()), low, high);
        let shut = gate(shut_logit, self.gate_rise.shut);
        (shut, gate(tuck_logit, self.gate_rise.tuck) * (1.0 - shut))
    }

    /// The coefficients of jaw, lips, cheeks and tongue that do what the tracks say; all others are 0. Each is 0..1.
    pub fn to_arkit(&self, tracks: &Tracks) -> Blendshapes {
        use Blendshape as B;
        let (shut, tuck) = (unit(tracks.shut), unit(tracks.tuck));
        let gap = (tracks.gap.max(0.0) * (1.0 - tuck) + self.tuck_gap * tuck) * (1.0 - shut);
        let jaw = tracks.jaw.max(0.0) * (1.0 - self.tuck_jaw * tuck) * (1.0 - self.shut_jaw * shut);
        let round = unit(tracks.round) * (1.0 - self.tuck_round * tuck);
        let (spread, tongue) = (unit(tracks.spread), unit(tracks.tongue));

        let jaw_open = unit(jaw / self.gap_jaw_open);
        let pucker = self.pucker * round;
        let funnel = self.funnel * round * (1.0 - self.funnel_lost_shut * shut);
        let (roll, tuck_lift, press) = (self.roll_tuck * tuck, self.lift_tuck * tuck, self.press * shut);

        // The gap these shapes leave is linear in them: mouthClose takes away what is too much, lifted lips add the rest.
        let have = self.rest_gap
            + self.gap_jaw_open * jaw_open
            + self.gap_pucker * pucker
            + self.gap_funnel * funnel
            + self.gap_roll_lower * roll
            + self.gap_lips_apart * tuck_lift
            + self.gap_press * press;
        let missing = gap - self.shut_overlap * shut - have;
        let close = unit(missing / self.gap_mouth_close).min(self.close_per_jaw * jaw_open + self.close_free);
        let missing = missing - close * self.gap_mouth_close;
        let lift = 2.0 * (missing / self.gap_lips_apart).max(0.0).min(self.lift_max);

        let mut out = Blendshapes::default();
        let upper = lift * (1.0 - self.lift_lower) + tuck_lift;
        for (shape, value) in [
            (B::JawOpen, jaw_open),
            (B::MouthClose, close),
            (B::MouthPucker, pucker),
            (B::MouthFunnel, funnel),
            (B::MouthRollLower, roll + self.roll_lower_shut * shut),
            (B::MouthRollUpper, self.roll_upper_shut * shut),
            (B::MouthLowerDownLeft, lift * self.lift_lower),
            (B::MouthLowerDownRight, lift * self.lift_lower),
            (B::MouthUpperUpLeft, upper),
            (B::MouthUpperUpRight, upper),
            (B::MouthPressLeft, press),
            (B::MouthPressRight, press),
            (B::MouthStretchLeft, self.stretch * spread),
            (B::MouthStretchRight, self.stretch * spread),
            (B::MouthSmileLeft, self.smile * spread),
            (B::MouthSmileRight, self.smile * spread),
            (B::CheekSquintLeft, self.cheek * spread),
            (B::CheekSquintRight, self.cheek * spread),
            (B::TongueUp, tongue),
        ] {
            out[shape] = unit(value);
        }
        out
    }
}

/// Clamped to 0..1; NaN becomes 0.
fn unit(x: f32) -> f32 {
    if x.is_nan() { 0.0 } else { x.clamp(0.0, 1.0) }
}

/// 0 up to `low`, 1 from `high` on, a cubic between them.
pub(super) fn smoothstep(x: f32, low: f32, high: f32) -> f32 {
    let u = unit((x - low) / (high - low));
    u * u * (3.0 - 2.0 * u)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::lipgap::lip_gap;
    use super::*;

    /// The constants of `training/speech/articulation.py` at the time of writing; tests of other modules use them too.
    pub fn constants() -> Articulation {
        serde_json::from_str(
            r#"{"rest_gap": 0.08, "gap_jaw_open": 3.15, "gap_mouth_close": -3.855, "gap_funnel": 1.29,
            "gap_pucker": -0.078, "gap_lips_apart": 1.31, "gap_roll_lower": -0.331, "gap_press": -0.248,
            "tuck_gap": 0.25, "tuck_jaw": 0.5, "tuck_round": 0.3, "shut_jaw": 0.35, "shut_overlap": 0.05,
            "pucker": 0.55, "funnel": 0.28, "funnel_lost_shut": 0.9, "roll_tuck": 0.30, "lift_tuck": 0.11,
            "press": 0.25, "roll_lower_shut": 0.10, "roll_upper_shut": 0.08, "close_per_jaw": 1.1,
            "close_free": 0.10, "lift_max": 0.9, "lift_lower": 0.68, "stretch": 0.28, "smile": 0.22, "cheek": 0.06,
            "gate_rise": {"shut": [0.13, 0.39], "tuck": [0.13, 0.39]}}"#,
        )
        .unwrap()
    }

    fn any_tracks() -> impl Strategy<Value = Tracks> {
        let wild = || prop_oneof![4 => -1.0f32..4.0, 1 => Just(f32::NAN), 1 => Just(f32::INFINITY)];
        [wild(), wild(), wild(), wild(), wild(), wild(), wild()].prop_map(
            |[gap, jaw, round, spread, tongue, shut, tuck]| Tracks { gap, jaw, round, spread, tongue, shut, tuck },
        )
    }

    proptest! {
        #[test]
        fn coefficients_stay_in_range(tracks in any_tracks()) {
            prop_assert!(constants().to_arkit(&tracks).0.iter().all(|v| (0.0..=1.0).contains(v)));
        }

        #[test]
        fn shut_lips_are_shut(gap in 0.0f32..3.0, jaw in 0.0f32..3.0, round in 0.0f32..1.0, spread in 0.0f32..1.0) {
            let tracks = Tracks { gap, jaw, round, spread, shut: 1.0, ..Tracks::default() };
            prop_assert!(lip_gap(&constants().to_arkit(&tracks)) < 0.03);
        }

        #[test]
        fn the_asked_gap_comes_out(gap in 0.1f32..1.0, jaw in 0.1f32..1.2, round in 0.0f32..1.0) {
            let tracks = Tracks { gap, jaw, round, ..Tracks::default() };
            // Lifted lips share one coefficient in the articulation model and have two in the lips' own.
            let got = lip_gap(&constants().to_arkit(&tracks));
            prop_assert!((got - gap).abs() < 0.06, "{got} for {gap}");
        }
    }

    #[test]
    fn gates_open_between_their_bounds() {
        let a = constants();
        assert_eq!(a.gates(-9.0, -9.0), (0.0, 0.0));
        assert_eq!(a.gates(9.0, 9.0), (1.0, 0.0));
        assert_eq!(a.gates(-9.0, 9.0), (0.0, 1.0));
    }
}
