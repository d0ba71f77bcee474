//! What a motion frame asks for, in weights of the face model's expressions.

use crate::motion::frame::{Blendshape, Reference};
use crate::motion::{Gaze, MotionFrame};
use crate::portrait::FaceModel;

/// Degrees of gaze that a coefficient of 1 of ARKit's eyeLook shapes stands for.
const LOOK_DEGREES: f32 = 30.0;
/// How far the upper lid comes down with a gaze: the whole of the model's shape hides most of the iris.
const FOLLOW: f32 = 0.7;
/// Largest change of gaze, degrees.
const MOST_GAZE: f32 = 32.0;
/// Share of the photo's own smile, dimples, frown and press that stays while the face speaks: with nothing of it a
/// smiling photo looks strange, with all of it the lips never shut.
const MIEN: f32 = 0.35;
/// Share of the photo's own rolled lips and raised chin that stays while the face speaks. The fit tells by them how full
/// somebody's lips are and how the chin holds them, for which a model of faces has no words: without them, thin lips swell.
const LIP_FORM: f32 = 0.85;
/// Most of it that stays: who rolls the lips in further does so for the photo.
const MOST_FORM: f32 = 0.5;
/// Share of the photo's own lid closure that stays while the face speaks.
const LIDS: f32 = 0.5;

/// Lips that shut draw a jaw up that hangs lower than this, by this share of the way: nobody's lips are long enough to
/// meet before a wide open jaw, and stretched ones look swollen.
const SHUT_JAW: (f32, f32) = (0.12, 0.7);
/// Share of what draws the lips apart that gives way when they shut.
const YIELD: f32 = 0.7;
/// How far lips that shut roll in, the lower and the upper one: they press against each other and show less of themselves.
const PRESSED: [f32; 2] = [0.25, 0.15];

/// How much further than 1 a brow may go, times its weight in the photo: the fit cannot tell low brows from a frown.
const MORE: f32 = 0.6;

/// Weights and gaze of one frame.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    /// Weights of the model's expressions, 0..1 (brows up to 1.6), the photo's own share included.
    pub total: Vec<f32>,
    /// Blink that the motion itself asks for, right and left eye, 0..1.
    pub blink: [f32; 2],
    /// How far the motion presses the lips together whatever the jaw does, 0..1.
    pub seal: f32,
    /// How far jaw and mouth are from what the photo shows: the sum of the weights' differences.
    pub mouth_change: f32,
    /// Tip of the tongue at the upper teeth, 0..1.
    pub tongue_up: f32,
    /// Change of gaze, right and left eye.
    pub gaze: [Gaze; 2],
}

/// How ARKit's coefficients act on one face model.
#[derive(Clone, Debug)]
pub(crate) struct WeightMap {
    /// (coefficient, expression of the model). A coefficient that the model lacks has no entry, one that the model
    /// splits into two sides has two.
    entries: Vec<(Blendshape, usize)>,
    /// Share of the photo's own weight that stays with [`Reference::Speech`].
    speech_keep: Vec<f32>,
    /// Whether the expression tells the form of the lips ([`LIP_FORM`]).
    forms: Vec<bool>,
    /// Whether the expression belongs to a smile.
    smiles: Vec<bool>,
    /// Whether the expression moves a brow.
    brows: Vec<bool>,
    /// Whether the expression moves skin around the eyes.
    pub around_eyes: Vec<bool>,
    /// Whether the expression opens the lips.
    pub opener: Vec<bool>,
    /// Whether the expression moves jaw or mouth.
    mouth: Vec<bool>,
    /// Expressions that open the jaw, and that bring the lips of an open jaw together.
    jaw: [Option<usize>; 2],
    /// Expressions that draw the lips apart.
    parting: Vec<usize>,
    /// Expressions that roll in the lower and the upper lip.
    rolls: [Option<usize>; 2],
}

impl WeightMap {
    pub fn new(model: &FaceModel) -> Self {
        let find = |name: &str| model.expression_names.iter().position(|n| n == name);
        let mut entries = Vec::new();
        for b in Blendshape::ALL {
            let name = b.name();
            if let Some(i) = find(name) {
                entries.push((b, i));
                continue;
            }
            let sided = name
                .strip_suffix("Left")
                .map(|stem| format!("{stem}_L"))
                .or_else(|| name.strip_suffix("Right").map(|stem| format!("{stem}_R")));
            let names = sided.map_or_else(|| vec![format!("{name}_L"), format!("{name}_R")], |n| vec![n]);
            entries.extend(names.iter().filter_map(|n| find(n)).map(|i| (b, i)));
        }
        let starts = |name: &String, stems: &[&str]| stems.iter().any(|s| name.starts_with(s));
        let form = ["mouthRoll", "mouthShrug"];
        let names = &model.expression_names;
        let speech_keep = names
            .iter()
            .map(|n| {
                if starts(n, &["eyeBlink"]) {
                    LIDS
                } else if starts(n, &["brow", "cheek", "eye", "nose"]) {
                    1.0
                } else if starts(
                    n,
                    &["mouthSmile", "mouthDimple", "mouthFrown", "mouthPress", "mouthLeft", "mouthRight"],
                ) {
                    MIEN
                } else if starts(n, &form) {
                    LIP_FORM
                } else {
                    0.0
                }
            })
            .collect();
        let openers = [
            "jawOpen",
            "jawForward",
            "mouthClose",
            "mouthFunnel",
            "mouthUpperUp",
            "mouthLowerDown",
            "mouthStretch",
            "mouthShrug",
        ];
        let partings = ["mouthUpperUp", "mouthLowerDown", "mouthShrugUpper"];
        Self {
            entries,
            speech_keep,
            forms: names.iter().map(|n| starts(n, &form)).collect(),
            smiles: names.iter().map(|n| starts(n, &["mouthSmile", "mouthDimple", "cheekSquint"])).collect(),
            brows: names.iter().map(|n| n.starts_with("brow")).collect(),
            around_eyes: names.iter().map(|n| starts(n, &["eye", "cheekSquint", "brow"])).collect(),
            mouth: names.iter().map(|n| starts(n, &["jaw", "mouth"])).collect(),
            jaw: [find("jawOpen"), find("mouthClose")],
            parting: (0..names.len()).filter(|&i| starts(&names[i], &partings)).collect(),
            rolls: [find("mouthRollLower"), find("mouthRollUpper")],
            opener: names.iter().map(|n| starts(n, &openers)).collect(),
        }
    }

    /// Room for one frame's weights.
    pub fn expression(&self) -> Expression {
        Expression {
            total: vec![0.0; self.speech_keep.len()],
            blink: [0.0; 2],
            seal: 0.0,
            mouth_change: 0.0,
            tongue_up: 0.0,
            gaze: [Gaze::default(); 2],
        }
    }

    /// Fills `out` with the weights of `frame` for a photo that shows the weights `photo`. Values that are no numbers
    /// count as 0, others are limited to -1..1.
    pub fn apply(&self, frame: &MotionFrame, reference: Reference, photo: &[f32], out: &mut Expression) {
        use Blendshape as B;
        let tame = |x: f32, most: f32| if x.is_finite() { x.clamp(-most, most) } else { 0.0 };
        let mut own = frame.blendshapes;
        for v in &mut own.0 {
            *v = tame(*v, 1.0);
        }
        let look = |out: B, inwards: B, down: B, up: B, sign: f32| Gaze {
            x: sign * LOOK_DEGREES * (own[out] - own[inwards]),
            y: LOOK_DEGREES * (own[down] - own[up]),
        };
        let given = Gaze { x: tame(frame.gaze.x, MOST_GAZE), y: tame(frame.gaze.y, MOST_GAZE) };
        if given == Gaze::default() {
            let right = look(B::EyeLookOutRight, B::EyeLookInRight, B::EyeLookDownRight, B::EyeLookUpRight, -1.0);
            let left = look(B::EyeLookOutLeft, B::EyeLookInLeft, B::EyeLookDownLeft, B::EyeLookUpLeft, 1.0);
            out.gaze = [right, left];
        } else {
            out.gaze = [given; 2];
            // the lids follow the gaze
            for (down, up) in [(B::EyeLookDownRight, B::EyeLookUpRight), (B::EyeLookDownLeft, B::EyeLookUpLeft)] {
                own[down] = FOLLOW * (given.y / LOOK_DEGREES).clamp(0.0, 1.0);
                own[up] = (-given.y / LOOK_DEGREES).clamp(0.0, 1.0);
            }
        }
        // a photographed smile gives way to corners of the mouth that are drawn down
        let frown = 0.5 * (own[B::MouthFrownLeft] + own[B::MouthFrownRight]);
        let smile = 1.0 - 0.9 * smooth(frown, 0.03, 0.25);
        for (i, w) in out.total.iter_mut().enumerate() {
            let stays = self.speech_keep[i] * photo[i];
            *w = match reference {
                Reference::Portrait => photo[i],
                Reference::Neutral => 0.0,
                Reference::Speech if self.smiles[i] => stays * smile,
                Reference::Speech if self.forms[i] => stays.min(MOST_FORM),
                Reference::Speech => stays,
            };
        }
        for &(b, i) in &self.entries {
            out.total[i] += own[b];
        }
        for ((w, was), brow) in out.total.iter_mut().zip(photo).zip(&self.brows) {
            // brows that the fit takes for drawn down or up may go further
            *w = w.clamp(0.0, if *brow { 1.0 + MORE * was } else { 1.0 });
        }
        // ARKit's mouthClose is as large as jawOpen when an open jaw's lips touch
        let close = if own[B::MouthClose] > 0.02 { own[B::MouthClose] / own[B::JawOpen].max(0.1) } else { 0.0 };
        let press = 0.5 * (own[B::MouthPressLeft] + own[B::MouthPressRight]);
        let roll = 0.5 * (own[B::MouthRollLower] + own[B::MouthRollUpper]);
        out.seal =
            smooth(close, 0.45, 0.95).max(smooth(press, 0.25, 0.60)).max(smooth(roll, 0.25, 0.60)).clamp(0.0, 1.0);
        self.draw_up(out);
        let change = |(i, (now, was)): (usize, (&f32, &f32))| if self.mouth[i] { (now - was).abs() } else { 0.0 };
        out.mouth_change = out.total.iter().zip(photo).enumerate().map(change).sum();
        out.blink = [own[B::EyeBlinkRight].max(0.0), own[B::EyeBlinkLeft].max(0.0)];
        out.tongue_up = own[B::TongueUp].max(0.0);
    }

    /// Lets jaw and lips give way as far as the lips are shut, and presses them together.
    fn draw_up(&self, out: &mut Expression) {
        if let Some(open) = self.jaw[0] {
            let was = out.total[open];
            let now = was - out.seal * SHUT_JAW.1 * (was - SHUT_JAW.0).max(0.0);
            out.total[open] = now;
            if let Some(close) = self.jaw[1] {
                out.total[close] *= now / was.max(1e-6);
            }
        }
        for &i in &self.parting {
            out.total[i] *= 1.0 - YIELD * out.seal;
        }
        for (i, pressed) in self.rolls.into_iter().zip(PRESSED) {
            if let Some(i) = i {
                out.total[i] = out.total[i].max(pressed * out.seal);
            }
        }
    }

    /// Takes back all that moves jaw and mouth.
    pub fn hold_mouth(&self, photo: &[f32], out: &mut Expression) {
        for (w, (&own, &mouth)) in out.total.iter_mut().zip(photo.iter().zip(&self.mouth)) {
            if mouth {
                *w = own;
            }
        }
        out.seal = 0.0;
        out.mouth_change = 0.0;
        out.tongue_up = 0.0;
    }
}

/// 0 below `lo`, 1 above `hi`, smooth between.
pub(crate) fn smooth(x: f32, lo: f32, hi: f32) -> f32 {
    let t = ((x - lo) / (hi - lo)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{face, model};
    use super::*;

    #[test]
    fn lips_that_shut_draw_the_jaw_up() {
        let model = model();
        let map = WeightMap::new(&model);
        let at = |name: &str| model.expression_names.iter().position(|n| n == name).expect("ICT has it");
        let (jaw, close, lip) = (at("jawOpen"), at("mouthClose"), at("mouthUpperUp_L"));
        let mut photo = vec![0.0; model.expression_names.len()];
        photo[lip] = 0.5;
        let ask = |values: &[(Blendshape, f32)]| {
            let mut out = map.expression();
            map.apply(&face(values), Reference::Portrait, &photo, &mut out);
            [out.total[jaw], out.total[close], out.total[lip]]
        };
        assert_eq!(ask(&[(Blendshape::JawOpen, 0.6)]), [0.6, 0.0, 0.5]);
        let [jaw, close, lip] = ask(&[(Blendshape::JawOpen, 0.6), (Blendshape::MouthClose, 0.6)]);
        assert!((0.12..0.3).contains(&jaw) && (jaw - close).abs() < 1e-6 && lip < 0.2, "{jaw} {close} {lip}");
    }

    #[test]
    fn lips_that_shut_press_against_each_other() {
        let model = model();
        let map = WeightMap::new(&model);
        let photo = vec![0.0; model.expression_names.len()];
        let rolls = |values: &[(Blendshape, f32)]| {
            let mut out = map.expression();
            map.apply(&face(values), Reference::Speech, &photo, &mut out);
            ["mouthRollLower", "mouthRollUpper"]
                .map(|n| model.expression_names.iter().position(|m| m == n).map_or(f32::NAN, |i| out.total[i]))
        };
        assert_eq!(rolls(&[(Blendshape::JawOpen, 0.5)]), [0.0; 2]);
        let [lower, upper] = rolls(&[(Blendshape::JawOpen, 0.5), (Blendshape::MouthClose, 0.5)]);
        assert!((0.1..0.4).contains(&lower) && (0.1..0.4).contains(&upper), "{lower} {upper}");
        // lips that are asked to roll in further do
        let asked = [(Blendshape::MouthRollLower, 0.9), (Blendshape::MouthRollUpper, 0.9)];
        assert_eq!(rolls(&asked), [0.9; 2]);
    }

    #[test]
    fn the_form_of_the_lips_stays_while_speaking_but_an_open_jaw_does_not() {
        let model = model();
        let map = WeightMap::new(&model);
        let at = |name: &str| model.expression_names.iter().position(|n| n == name).expect("ICT has it");
        let (roll, jaw) = (at("mouthRollUpper"), at("jawOpen"));
        let mut photo = vec![0.0; model.expression_names.len()];
        (photo[roll], photo[jaw]) = (0.5, 0.3);
        let mut out = map.expression();
        map.apply(&MotionFrame::default(), Reference::Speech, &photo, &mut out);
        assert!((out.total[roll] - 0.5 * LIP_FORM).abs() < 1e-6 && out.total[jaw] == 0.0);
        // a grimace goes
        photo[roll] = 1.0;
        map.apply(&MotionFrame::default(), Reference::Speech, &photo, &mut out);
        assert_eq!(out.total[roll], MOST_FORM);
        map.apply(&MotionFrame::default(), Reference::Neutral, &photo, &mut out);
        assert_eq!((out.total[roll], out.total[jaw]), (0.0, 0.0));
    }

    #[test]
    fn a_photographed_smile_stays_while_speaking_but_not_in_sorrow() {
        let model = model();
        let map = WeightMap::new(&model);
        let at = model.expression_names.iter().position(|n| n == "mouthSmile_L").expect("ICT has a smile");
        let mut photo = vec![0.0; model.expression_names.len()];
        photo[at] = 0.8;
        let smile = |frame: &MotionFrame, reference| {
            let mut out = map.expression();
            map.apply(frame, reference, &photo, &mut out);
            out.total[at]
        };
        let sorrow = face(&[(Blendshape::MouthFrownLeft, 0.4), (Blendshape::MouthFrownRight, 0.4)]);
        assert!((smile(&MotionFrame::default(), Reference::Speech) - 0.8 * MIEN).abs() < 1e-6);
        assert!(smile(&sorrow, Reference::Speech) < 0.05);
        assert_eq!(smile(&sorrow, Reference::Portrait), 0.8);
    }
}
