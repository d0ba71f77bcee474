//! Timed phones to articulation tracks and closure gates: how a mouth runs through targets it never quite reaches.
//!
//! Dominance blending after Cohen and Massaro, "Modeling coarticulation in synthetic visual speech" (1993): each phone
//! has targets and a dominance that falls exponentially with the distance from it; a track is the mean of all targets,
//! weighted by dominance, then smoothed. Lips and jaw open the mouth separately (Edwards et al., "JALI", 2016). The same
//! rules taught the lip network (`training/speech/teacher.py`, whose numbers these are and a test holds to).

use std::f64::consts::PI;

use super::articulation::Tracks;
use super::phone::Phone;
use super::timed::{TimedPhone, TimedPhones};

/// Seconds between the moments that are smoothed over.
const STEP: f64 = 0.01;
/// Opening of a lively talker, 5th to 95th percentile, cm.
const GAP_RANGE: f64 = 1.25 * 1.2;
/// In a pause, cm.
const PAUSE_GAP: f64 = 0.08;
const PAUSE_JAW: f64 = 0.10;
/// Silences longer than this are pauses, s.
const PAUSE: f64 = 0.25;
const SPREAD_STYLE: f64 = 0.9;
const JAW_STYLE: f64 = 1.2;
/// Loudness of what was not heard yet, 0..1: that of an average vowel.
const UNHEARD: f64 = 0.8;
/// Phones that lie farther away than this have no influence, s.
const REACH: f64 = 1.5;

/// Shape a phone aims for.
struct Target {
    /// Share of [`GAP_RANGE`].
    gap: f64,
    /// cm.
    jaw: f64,
    round: f64,
    spread: f64,
    gap_weight: f64,
    round_weight: f64,
}

fn target(phone: Phone) -> Target {
    use Phone as P;
    let (gap, jaw, round, spread, gap_weight, round_weight) = match phone {
        P::Aa => (0.75, 0.95, 0.05, 0.00, 1.0, 0.5),
        P::Ae => (0.84, 0.95, 0.00, 0.35, 1.0, 0.6),
        P::Ah => (0.74, 0.55, 0.05, 0.00, 0.7, 0.3),
        P::Ao => (0.27, 0.75, 0.60, 0.00, 1.0, 0.8),
        P::Aw => (0.61, 0.90, 0.30, 0.00, 1.0, 0.5),
        P::Ay => (0.85, 0.95, 0.00, 0.20, 1.0, 0.5),
        P::Eh => (0.94, 0.75, 0.00, 0.30, 1.0, 0.5),
        P::Er => (0.50, 0.40, 0.35, 0.00, 0.8, 0.7),
        P::Ey => (0.84, 0.65, 0.00, 0.45, 1.0, 0.6),
        P::Ih => (0.77, 0.42, 0.00, 0.30, 0.8, 0.4),
        P::Iy => (0.65, 0.30, 0.00, 0.60, 0.9, 0.7),
        P::Ow => (0.23, 0.55, 0.80, 0.00, 1.0, 1.0),
        P::Oy => (0.35, 0.65, 0.60, 0.00, 1.0, 0.8),
        P::Uh => (0.20, 0.40, 0.55, 0.00, 0.9, 0.8),
        P::Uw => (0.24, 0.28, 0.95, 0.00, 1.0, 1.1),
        P::B | P::P => (0.00, 0.22, 0.00, 0.00, 0.25, 0.3),
        P::M => (0.00, 0.25, 0.00, 0.00, 0.25, 0.3),
        P::F => (0.17, 0.18, 0.00, 0.05, 1.2, 0.4),
        P::V => (0.20, 0.20, 0.00, 0.05, 1.2, 0.4),
        P::W => (0.08, 0.25, 1.00, 0.00, 1.2, 1.4),
        P::R => (0.48, 0.32, 0.50, 0.00, 0.8, 0.8),
        P::L => (0.66, 0.42, 0.00, 0.05, 0.6, 0.2),
        P::Y => (0.54, 0.25, 0.00, 0.40, 0.6, 0.5),
        P::S => (0.64, 0.08, 0.00, 0.35, 0.9, 0.4),
        P::Z => (0.54, 0.10, 0.00, 0.30, 0.9, 0.4),
        P::Sh => (0.62, 0.10, 0.65, 0.00, 1.0, 1.1),
        P::Zh => (0.62, 0.12, 0.60, 0.00, 1.0, 1.0),
        P::Ch => (0.56, 0.10, 0.60, 0.00, 1.0, 1.0),
        P::Jh => (0.62, 0.12, 0.55, 0.00, 1.0, 1.0),
        P::Th => (0.38, 0.25, 0.00, 0.10, 0.8, 0.3),
        P::Dh => (0.64, 0.28, 0.00, 0.05, 0.5, 0.2),
        P::T => (0.52, 0.22, 0.00, 0.10, 0.5, 0.2),
        P::D => (0.67, 0.25, 0.00, 0.05, 0.5, 0.2),
        P::N => (0.51, 0.25, 0.00, 0.05, 0.5, 0.2),
        P::K => (0.87, 0.45, 0.00, 0.05, 0.5, 0.1),
        P::G => (0.80, 0.42, 0.00, 0.05, 0.5, 0.1),
        P::Ng => (0.76, 0.42, 0.00, 0.05, 0.5, 0.1),
        P::Hh => (1.00, 0.55, 0.00, 0.00, 0.3, 0.1),
        P::Sil => (0.30, 0.15, 0.00, 0.00, 0.5, 0.3),
    };
    Target { gap, jaw, round, spread, gap_weight, round_weight }
}

/// How far the tip of the tongue goes up.
fn tongue_up(phone: Phone) -> f64 {
    match phone {
        Phone::L | Phone::T | Phone::D | Phone::N => 1.0,
        Phone::Th | Phone::Dh => 0.8,
        _ => 0.0,
    }
}

/// The jaw stays where its target puts it; in all other phones it opens with the lips.
fn holds_jaw(phone: Phone) -> bool {
    use Phone as P;
    phone.is_bilabial()
        || phone.is_labiodental()
        || matches!(phone, P::S | P::Z | P::Sh | P::Zh | P::Ch | P::Jh | P::Sil)
}

/// A track: its dominance falls with these times before and after a phone, and it is smoothed by a Gaussian.
struct Course {
    /// Time constant before a phone, and before one that is rounded, s.
    rise: [f64; 2],
    fall: f64,
    kernel: Vec<f64>,
}

impl Course {
    fn new(rise: [f64; 2], fall: f64, deviation: f64) -> Self {
        let reach = (4.0 * deviation) as i64 + 1;
        let kernel: Vec<f64> = (-reach..=reach).map(|k| (-0.5 * (k as f64 / deviation).powi(2)).exp()).collect();
        let sum: f64 = kernel.iter().sum();
        Self { rise, fall, kernel: kernel.into_iter().map(|k| k / sum).collect() }
    }
}

/// A phone ready to be blended.
#[derive(Clone, Debug)]
struct Spoken {
    phone: Phone,
    middle: f64,
    length: f64,
    /// gap, jaw, round, spread, tongue.
    target: [f64; 5],
    weight: [f64; 5],
    rounded: bool,
}

impl Spoken {
    fn new(p: &TimedPhone) -> Self {
        let t = target(p.phone);
        let length = (p.end - p.start).max(0.02);
        let pause = p.phone == Phone::Sil && length > PAUSE;
        let lips = p.phone.is_bilabial() || p.phone.is_labiodental();
        let tongue = tongue_up(p.phone);
        let tongue_weight = if tongue > 0.0 {
            1.0
        } else if lips {
            0.4
        } else {
            0.8
        };
        let round_weight = t.round_weight + if pause { 0.5 } else { 0.0 };
        let gap_weight = t.gap_weight + if pause { 0.8 } else { 0.0 };
        let jaw_weight = if p.phone.is_bilabial() { 0.5 } else { 1.0 };
        let mut spoken = Self {
            phone: p.phone,
            middle: 0.5 * (p.start + p.end),
            length,
            target: [0.0, 0.0, t.round, SPREAD_STYLE * t.spread, tongue],
            weight: [gap_weight, jaw_weight, round_weight, round_weight, tongue_weight],
            rounded: t.round > 0.4,
        };
        spoken.open(UNHEARD);
        spoken
    }

    /// Sets how far lips and jaw open: quiet or short vowels are smaller.
    fn open(&mut self, loudness: f64) {
        let t = target(self.phone);
        let effort = if self.phone.is_vowel() {
            (0.72 + 0.42 * loudness).clamp(0.72, 1.15) * (1.0 - 0.3 * (-self.length / 0.06).exp()) / 0.95
        } else {
            1.0
        };
        let pause = self.phone == Phone::Sil && self.length > PAUSE;
        let (gap, jaw) =
            if pause { (PAUSE_GAP, PAUSE_JAW) } else { (t.gap * effort * GAP_RANGE, t.jaw * effort * JAW_STYLE) };
        self.target[0] = gap;
        self.target[1] = if holds_jaw(self.phone) { jaw } else { jaw.max(0.6 * gap) };
    }
}

/// Runs timed phones through the mouth.
pub struct Coarticulation {
    courses: [Course; 5],
    spoken: Vec<Spoken>,
    /// Index of the first phone that may still matter; of the first whose loudness was not heard.
    first: usize,
    unheard: usize,
    last_loudness: f64,
    heard_until: f64,
}

impl std::fmt::Debug for Coarticulation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coarticulation").field("phones", &self.spoken.len()).finish_non_exhaustive()
    }
}

impl Coarticulation {
    /// At the start of a sound.
    pub fn new(phones: &TimedPhones) -> Self {
        let mut spoken: Vec<Spoken> = phones.phones().iter().map(Spoken::new).collect();
        // What comes after the last phone is a pause.
        if let Some(last) = phones.phones().last() {
            spoken.push(Spoken::new(&TimedPhone { phone: Phone::Sil, start: last.end, end: last.end + 1.0 }));
        }
        Self {
            courses: [
                Course::new([0.035; 2], 0.040, 1.8),
                Course::new([0.055; 2], 0.060, 2.5),
                // Rounding is prepared ahead.
                Course::new([0.060, 0.110], 0.065, 2.5),
                Course::new([0.07; 2], 0.07, 3.0),
                Course::new([0.030; 2], 0.030, 1.5),
            ],
            spoken,
            first: 0,
            unheard: 0,
            last_loudness: UNHEARD,
            heard_until: 0.0,
        }
    }

    /// Takes the loudness (0..1) at `time` seconds; times must not fall.
    pub fn hear(&mut self, time: f64, loudness: f32) {
        let loudness = f64::from(loudness);
        let span = (time - self.heard_until).max(1e-9);
        while let Some(s) = self.spoken.get_mut(self.unheard).filter(|s| s.middle <= time) {
            let at = ((s.middle - self.heard_until) / span).clamp(0.0, 1.0);
            s.open(self.last_loudness + (loudness - self.last_loudness) * at);
            self.unheard += 1;
        }
        (self.heard_until, self.last_loudness) = (time, loudness);
    }

    /// Whether a phone other than silence is said at `time`.
    pub fn speaks_at(&self, time: f64) -> bool {
        let at = self.spoken.partition_point(|s| s.middle + 0.5 * s.length <= time);
        self.spoken.get(at).is_some_and(|s| s.phone != Phone::Sil && s.middle - 0.5 * s.length <= time)
    }

    /// The mouth at `time` seconds; times must not fall.
    pub fn tracks(&mut self, time: f64) -> Tracks {
        while self.spoken.get(self.first).is_some_and(|s| s.middle + 0.5 * s.length < time - REACH) {
            self.first += 1;
        }
        let near = self.spoken.get(self.first..).unwrap_or_default();
        let near = &near[..near.partition_point(|s| s.middle - 0.5 * s.length < time + REACH)];
        let mut values = [0.0; 5];
        for (track, (value, course)) in values.iter_mut().zip(&self.courses).enumerate() {
            let reach = (course.kernel.len() / 2) as f64;
            for (k, share) in course.kernel.iter().enumerate() {
                // Before the sound the mouth is as at its start.
                let at = (time + (k as f64 - reach) * STEP).max(0.0);
                *value += share * blend(near, track, course, at);
            }
        }
        let (mut shut, mut tuck) = (0.0f64, 0.0f64);
        for s in near {
            // A closure is held at least 48 ms, so that a frame of 25 Hz falls into it.
            let (away, hold) = (time - s.middle, (0.3 * s.length).clamp(0.024, 0.050));
            if s.phone.is_bilabial() {
                let ease = 0.3 * s.length.min(0.12);
                shut = shut.max(gate(away, hold, 0.050 + ease, 0.045 + ease));
            } else if s.phone.is_labiodental() {
                tuck = tuck.max(gate(away, hold, 0.06, 0.06));
            }
        }
        let [gap, jaw, round, spread, tongue] = values.map(|v| v as f32);
        Tracks { gap, jaw, round, spread, tongue, shut: shut as f32, tuck: (tuck * (1.0 - shut)) as f32 }
    }
}

/// Mean of the targets, weighted by dominance.
fn blend(near: &[Spoken], track: usize, course: &Course, time: f64) -> f64 {
    let (mut sum, mut all) = (0.0, 0.0);
    for s in near {
        let away = time - s.middle;
        let beyond = (away.abs() - 0.3 * s.length).max(0.0);
        let rise = course.rise[usize::from(s.rounded)];
        let weight = s.weight[track] * (-beyond / if away < 0.0 { rise } else { course.fall }).exp() + 1e-9;
        sum += weight * s.target[track];
        all += weight;
    }
    if all > 0.0 { sum / all } else { 0.0 }
}

/// 1 up to `hold` from the middle, cosine ramps of `rise` before and `fall` after.
fn gate(away: f64, hold: f64, rise: f64, fall: f64) -> f64 {
    let outside = ((away.abs() - hold) / if away < 0.0 { rise } else { fall }).clamp(0.0, 1.0);
    0.5 + 0.5 * (PI * outside).cos()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        phones: Vec<(String, f64, f64)>,
        loudness: Vec<f32>,
        tolerance: f32,
        frames: Vec<(usize, [f32; 7])>,
    }

    #[test]
    fn gives_what_the_teacher_gives() {
        let text = include_str!("../../tests/fixtures/motion/coarticulation.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        for case in cases {
            let phone = |(name, start, end): &(String, f64, f64)| TimedPhone {
                phone: Phone::from_name(name).unwrap(),
                start: start / 1000.0,
                end: end / 1000.0,
            };
            let phones: Vec<TimedPhone> = case.phones.iter().map(phone).collect();
            let mut mouth = Coarticulation::new(&TimedPhones::new(&phones).unwrap());
            // The loudness is known in full beforehand.
            for (i, &loudness) in case.loudness.iter().enumerate() {
                mouth.hear(i as f64 * 0.04, loudness);
            }
            for (frame, expected) in case.frames {
                let t = mouth.tracks(frame as f64 * 0.04);
                let got = [t.gap, t.jaw, t.round, t.spread, t.tongue, t.shut, t.tuck];
                for (i, (e, g)) in expected.iter().zip(got).enumerate() {
                    assert!((e - g).abs() < case.tolerance, "frame {frame}, value {i}: {g}, expected {e}");
                }
            }
        }
    }
}
