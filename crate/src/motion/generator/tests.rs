use std::f32::consts::TAU;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::super::controls::Emotion;
use super::super::fixtures;
use super::super::frame::Blendshape;
use super::super::lipgap::lip_gap;
use super::*;

pub(super) fn pack() -> &'static Pack {
    static PACK: OnceLock<Pack> = OnceLock::new();
    PACK.get_or_init(fixtures::pack)
}

pub(super) fn generate(samples: &[f32], controls: Controls, seed: u64, chunk: usize) -> Vec<MotionFrame> {
    let mut generator = MotionGenerator::new(pack(), controls, seed).unwrap();
    let mut frames = Vec::new();
    for part in samples.chunks(chunk.max(1)) {
        generator.push(part, &mut |f| frames.push(f)).unwrap();
    }
    generator.finish(&mut |f| frames.push(f)).unwrap();
    frames
}

/// Something like speech: syllables of a pulsed voice with moving formants, hiss between some, a pause now and then.
pub(super) fn babble(seconds: f32) -> Vec<f32> {
    let (mut phase, mut noise) = (0.0f32, 1u32);
    let mut resonators = [[0.0f32; 2]; 3];
    (0..(seconds * 16000.0) as usize)
        .map(|i| {
            let t = i as f32 / 16000.0;
            let loud = ((TAU * 2.3 * t).sin() + 0.4).clamp(0.0, 1.0) * if (t % 4.0) > 3.2 { 0.0 } else { 1.0 };
            phase += (115.0 + 25.0 * (TAU * 0.6 * t).sin()) / 16000.0;
            let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
            phase %= 1.0;
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hiss = (noise as f32 / u32::MAX as f32 - 0.5) * if (t % 1.3) > 1.2 { 0.05 } else { 0.001 };
            let formants = [500.0 + 250.0 * (TAU * 1.1 * t).sin(), 1500.0 + 500.0 * (TAU * 0.9 * t).sin(), 2600.0];
            let voice: f32 = resonators
                .iter_mut()
                .zip(formants)
                .map(|(r, f)| {
                    let (k, d) = ((TAU * f / 16000.0).cos(), 0.985f32);
                    let y = pulse + 2.0 * d * k * r[0] - d * d * r[1];
                    *r = [y, r[0]];
                    y * 0.05
                })
                .sum();
            loud * voice + hiss
        })
        .collect()
}

pub(super) fn assert_sane(frames: &[MotionFrame]) {
    for (i, f) in frames.iter().enumerate() {
        assert!(f.blendshapes.0.iter().all(|v| (0.0..=1.0).contains(v)), "frame {i}: {f:?}");
        let h = f.head;
        assert!(h.yaw.abs() <= 40.0 && h.pitch.abs() <= 30.0 && h.roll.abs() <= 25.0, "frame {i}: {h:?}");
        assert!(h.x.abs() < 0.1 && h.y.abs() < 0.1 && (0.4..2.2).contains(&h.scale), "frame {i}: {h:?}");
        assert!(f.gaze.x.abs() <= 30.0 && f.gaze.y.abs() <= 25.0, "frame {i}: {:?}", f.gaze);
    }
}

pub(super) fn std(x: &[f32]) -> f32 {
    let mean = x.iter().sum::<f32>() / x.len() as f32;
    (x.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / x.len() as f32).sqrt()
}

#[test]
fn length_follows_the_sound() {
    for n in [0, 1, 639, 640, 641, 1280, 16000, 16001] {
        assert_eq!(generate(&vec![0.01; n], Controls::default(), 1, 700).len(), n.div_ceil(640), "{n} samples");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn chunks_do_not_matter(chunk in 1usize..5000, n in 100usize..24_000, seed in any::<u64>()) {
        let samples = &babble(1.5)[..n];
        let whole = generate(samples, Controls::default(), seed, n);
        prop_assert_eq!(whole, generate(samples, Controls::default(), seed, chunk));
    }
}

#[test]
fn a_seed_is_a_take() {
    let sound = babble(20.0);
    let (a, b, c) = (
        generate(&sound, Controls::default(), 7, 1000),
        generate(&sound, Controls::default(), 7, 333),
        generate(&sound, Controls::default(), 8, 1000),
    );
    assert_eq!(a, b);
    let correlation = |x: fn(&MotionFrame) -> f32| {
        let (p, q): (Vec<f32>, Vec<f32>) = a.iter().zip(&c).map(|(f, g)| (x(f), x(g))).unzip();
        let (mp, mq) = (p.iter().sum::<f32>() / p.len() as f32, q.iter().sum::<f32>() / q.len() as f32);
        let product: f32 = p.iter().zip(&q).map(|(x, y)| (x - mp) * (y - mq)).sum();
        product / p.len() as f32 / (std(&p) * std(&q))
    };
    assert!(correlation(|f| f.blendshapes[Blendshape::JawOpen]) > 0.999, "lips must not depend on the seed");
    assert!(correlation(|f| f.head.yaw).abs() < 0.5);
}

#[test]
fn speech_moves_mouth_and_head_without_trembling() {
    let frames = generate(&babble(30.0), Controls::default(), 3, 4096);
    assert_sane(&frames);
    let jaw: Vec<f32> = frames.iter().map(|f| f.blendshapes[Blendshape::JawOpen]).collect();
    assert!(std(&jaw) > 0.02, "jaw {}", std(&jaw));
    let yaw: Vec<f32> = frames.iter().map(|f| f.head.yaw).collect();
    assert!((0.5..4.0).contains(&std(&yaw)), "yaw {}", std(&yaw));
    let second: Vec<f32> = yaw.windows(3).map(|w| w[0] - 2.0 * w[1] + w[2]).collect();
    assert!(std(&second) < 0.14, "second difference of yaw {}", std(&second));
}

#[test]
fn silence_is_alive_and_the_mouth_rests() {
    for faint in [0.0, 1e-4] {
        let mut state = 1u32;
        let sound: Vec<f32> = (0..60 * 16000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                faint * (state as f32 / u32::MAX as f32 - 0.5)
            })
            .collect();
        let frames = &generate(&sound, Controls::default(), 11, 9999);
        assert_sane(frames);
        let gap: Vec<f32> = frames.iter().map(|f| lip_gap(&f.blendshapes)).collect();
        assert!(gap.iter().all(|g| *g < 0.15) && std(&gap) < 0.01, "gap deviates by {}", std(&gap));
        let shut: Vec<bool> = frames.iter().map(|f| f.blendshapes[Blendshape::EyeBlinkLeft] > 0.5).collect();
        let blinks = shut.windows(2).filter(|w| w[1] && !w[0]).count();
        assert!((10..=30).contains(&blinks), "{blinks} blinks a minute");
        assert!(frames.windows(25).all(|w| w.iter().any(|f| (f.head.yaw - w[0].head.yaw).abs() > 0.01)));
        assert!(std(&frames.iter().map(|f| f.gaze.x).collect::<Vec<_>>()) > 0.5);
    }
}

#[test]
fn closures_survive_full_emotion() {
    let sound = babble(20.0);
    let plain = generate(&sound, Controls::neutral(), 1, 5000);
    let closed: Vec<usize> = (0..plain.len()).filter(|&i| lip_gap(&plain[i].blendshapes) < 0.03).collect();
    assert!(closed.len() > 3, "the babble must close the lips somewhere");
    for e in Emotion::ALL {
        let moved = generate(&sound, Controls::default().with_emotion(e, 1.0), 1, 5000);
        assert_sane(&moved);
        for &i in &closed {
            let gap = lip_gap(&moved[i].blendshapes);
            assert!(gap < 0.10, "{}: gap {gap} in frame {i}", e.name());
        }
    }
}

#[test]
fn controls_change_in_a_stream_without_a_jump() {
    let mut generator = MotionGenerator::new(pack(), Controls::neutral(), 5).unwrap();
    let mut frames = Vec::new();
    let second = [0.0; 16000];
    generator.push(&second, &mut |f| frames.push(f)).unwrap();
    let from = frames.len();
    let wish = Controls { gaze: super::super::Gaze { x: 20.0, y: 0.0 }, distance: 1.4, ..Controls::neutral() };
    generator.set_controls(wish.with_emotion(Emotion::Surprised, 1.0));
    generator.push(&second, &mut |f| frames.push(f)).unwrap();
    let arrived = &frames[from + 5];
    assert!((arrived.gaze.x + arrived.head.yaw - 20.0).abs() < 3.5, "{arrived:?}");
    assert!((arrived.head.scale - 1.4).abs() < 0.05);
    assert!(arrived.blendshapes[Blendshape::EyeWideLeft] > 0.5);
    for w in frames.windows(2) {
        for shape in Blendshape::ALL {
            let lid = matches!(shape, Blendshape::EyeBlinkLeft | Blendshape::EyeBlinkRight);
            let squeezed = w.iter().any(|f| f.blendshapes[Blendshape::EyeBlinkLeft] > 0.2);
            let step = (w[0].blendshapes[shape] - w[1].blendshapes[shape]).abs();
            assert!(lid || squeezed || step <= 0.25, "{} jumps by {step}", shape.name());
        }
    }
}

#[test]
fn the_face_lives_on_after_a_sound() {
    let mut generator = MotionGenerator::new(pack(), Controls::default(), 5).unwrap();
    let mut frames = Vec::new();
    for _ in 0..3 {
        generator.push(&babble(2.0), &mut |f| frames.push(f)).unwrap();
        generator.finish(&mut |f| frames.push(f)).unwrap();
    }
    assert_eq!(frames.len(), 150);
    let step = frames.windows(2).map(|w| (w[0].head.yaw - w[1].head.yaw).abs()).fold(0.0, f32::max);
    assert!(step < 1.0, "the head jumps by {step} degrees between sounds");
}

/// Phones of 80 ms with a closure now and then, as their times say them.
fn timed(seconds: f64) -> TimedPhones {
    use super::super::{Phone, TimedPhone};
    let order = [Phone::P, Phone::Aa, Phone::T, Phone::Iy, Phone::M, Phone::Ow, Phone::F, Phone::Ae, Phone::S];
    let count = (seconds / 0.085) as usize;
    let phone = |i: usize| TimedPhone {
        phone: order[i % order.len()],
        start: 0.4 + i as f64 * 0.085,
        end: 0.4 + (i + 1) as f64 * 0.085,
    };
    TimedPhones::new(&(0..count).map(phone).collect::<Vec<_>>()).unwrap()
}

#[test]
fn lips_follow_phones_that_are_given() {
    let (sound, phones) = (babble(12.0), timed(10.0));
    for chunk in [640, 3333] {
        let mut generator = MotionGenerator::new(pack(), Controls::default(), 1).unwrap();
        generator.set_phones(Some(&phones), 0.0);
        let mut frames = Vec::new();
        for part in sound.chunks(chunk) {
            generator.push(part, &mut |f| frames.push(f)).unwrap();
        }
        generator.finish(&mut |f| frames.push(f)).unwrap();
        assert_sane(&frames);
        let gap = |i: usize| lip_gap(&frames[i].blendshapes);
        let at = |p: &super::super::TimedPhone| (0.5 * (p.start + p.end) * 25.0).round() as usize;
        for p in phones.phones().iter().filter(|p| p.phone.is_bilabial()) {
            assert!(gap(at(p)) < 0.05, "{p:?}: gap {}", gap(at(p)));
        }
        let open = phones.phones().iter().filter(|p| p.phone == super::super::Phone::Aa);
        assert!(open.clone().all(|p| gap(at(p)) > 0.25));
        assert!((280..frames.len()).all(|i| gap(i) < 0.15), "the mouth rests after the last phone");
        // The next sound comes without phones.
        let first = frames.len();
        generator.push(&sound[..32000], &mut |f| frames.push(f)).unwrap();
        let plain = generate(&sound[..32000], Controls::default(), 1, 32000);
        let jaw = |f: &MotionFrame| f.blendshapes[Blendshape::JawOpen];
        assert!((20..40).all(|i| (jaw(&frames[first + i]) - jaw(&plain[i])).abs() < 0.02));
    }
}

#[test]
fn phones_may_begin_in_the_middle_of_a_stream() {
    let (sound, phones) = (babble(8.0), timed(6.0));
    let mut whole = MotionGenerator::new(pack(), Controls::default(), 1).unwrap();
    whole.set_phones(Some(&phones), 0.0);
    let mut part = MotionGenerator::new(pack(), Controls::default(), 1).unwrap();
    let (mut a, mut b) = (Vec::new(), Vec::new());
    whole.push(&sound, &mut |f| a.push(f)).unwrap();
    part.push(&[0.0; 64_000], &mut |f| b.push(f)).unwrap();
    part.set_phones(Some(&phones), 3.0);
    part.push(&sound[48_000..], &mut |f| b.push(f)).unwrap();
    for i in 110..180 {
        let (x, y) = (lip_gap(&a[i].blendshapes), lip_gap(&b[i + 25].blendshapes));
        assert!((x - y).abs() < 0.15, "frame {i}: {x} and {y}");
    }
}

/// No coefficient jumps by more than a quarter in a frame, but where the lips close or open from a closure, or a lid moves.
pub(super) fn assert_smooth(frames: &[MotionFrame]) {
    for (i, w) in frames.windows(2).enumerate() {
        // A gate that is half shut halves the widest opening.
        let closing = w.iter().any(|f| lip_gap(&f.blendshapes) < 0.6);
        let blinking = w.iter().any(|f| f.blendshapes[Blendshape::EyeBlinkLeft] > 0.05);
        for shape in Blendshape::ALL {
            let free = if LIDS.contains(&shape) { blinking } else { closing && is_mouth(shape) };
            let step = (w[0].blendshapes[shape] - w[1].blendshapes[shape]).abs();
            assert!(free || step <= 0.2501, "frame {i}: {} jumps by {step}", shape.name());
        }
        let turn = [w[0].head.yaw - w[1].head.yaw, w[0].head.pitch - w[1].head.pitch, w[0].head.roll - w[1].head.roll];
        assert!(turn.iter().all(|t| t.abs() < 6.0), "frame {i}: the head jumps by {turn:?}");
    }
}

pub(super) fn noise(seconds: f32, loud: f32) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as f32 / u32::MAX as f32 - 0.5
    };
    (0..(seconds * 16000.0) as usize).map(|_| loud * (next() + next() + next())).collect()
}

pub(super) fn tones(seconds: f32, hertz: &[f32]) -> Vec<f32> {
    let at = |i: usize| i as f32 / 16000.0;
    let tone =
        |t: f32| hertz.iter().flat_map(|f| (1..8).map(move |h| (TAU * f * h as f32 * t).sin() / h as f32)).sum::<f32>();
    (0..(seconds * 16000.0) as usize).map(|i| 0.03 * tone(at(i))).collect()
}

#[test]
fn a_listener_keeps_the_mouth_shut_and_nods() {
    let sound = babble(30.0);
    let listening = Controls { listening: 1.0, ..Controls::default() };
    let frames = generate(&sound, listening, 5, 5000);
    assert_sane(&frames);
    assert_smooth(&frames);
    assert!(frames.iter().all(|f| lip_gap(&f.blendshapes) < 0.15));
    assert!(frames[50..].iter().all(|f| f.blendshapes[Blendshape::MouthSmileLeft] > 0.1));
    let far = |f: &&MotionFrame| f.gaze.x.abs() > 6.0;
    assert!(frames.iter().filter(far).count() * 50 < frames.len(), "a listener looks at the speaker");
    // A nod: down by a degree and a half and up again within a second.
    let pitch: Vec<f32> = frames.iter().map(|f| f.head.pitch).collect();
    let nods = (12..pitch.len() - 12).filter(|&i| {
        let low = |r: std::ops::Range<usize>| pitch[r].iter().copied().fold(f32::MAX, f32::min);
        pitch[i] >= pitch[i - 1]
            && pitch[i] > pitch[i + 1]
            && pitch[i] > low(i - 12..i) + 1.5
            && pitch[i] > low(i..i + 12) + 1.5
    });
    assert!(nods.count() >= 5);
}

#[test]
fn every_control_acts_soon_and_smoothly_while_speaking() {
    type Change = (&'static str, fn(&mut Controls), fn(&MotionFrame) -> f32, f32);
    let changes: [Change; 6] = [
        ("pose", |c| c.pose = [20.0, 0.0, 0.0], |f| f.head.yaw, 12.0),
        ("distance", |c| c.distance = 1.4, |f| f.head.scale, 0.3),
        ("gaze", |c| c.gaze.y = 20.0, |f| f.gaze.y, 10.0),
        ("emotion", |c| c.emotion[Emotion::Surprised as usize] = 1.0, |f| f.blendshapes[Blendshape::EyeWideLeft], 0.3),
        ("mouth", |c| c.mouth_amplitude = 0.0, |f| -f.blendshapes[Blendshape::JawOpen], 0.0),
        ("listening", |c| c.listening = 1.0, |f| f.blendshapes[Blendshape::MouthSmileLeft], 0.08),
    ];
    let sound = babble(4.0);
    for (name, change, measure, least) in changes {
        let mut generator = MotionGenerator::new(pack(), Controls::default(), 5).unwrap();
        let mut frames = Vec::new();
        generator.push(&sound[..32_000], &mut |f| frames.push(f)).unwrap();
        let (at, mut controls) = (frames.len(), Controls::default());
        change(&mut controls);
        generator.set_controls(controls);
        generator.push(&sound[32_000..], &mut |f| frames.push(f)).unwrap();
        assert_smooth(&frames);
        let plain = generate(&sound, Controls::default(), 5, 64_000);
        let moved = measure(&frames[at + 5]) - measure(&plain[at + 5]);
        assert!(moved >= least, "{name} moved {moved} within 200 ms");
    }
}

#[test]
fn a_frame_comes_when_its_look_ahead_is_there_and_hears_nothing_beyond() {
    let look_ahead = (LOOK_AHEAD * f64::from(SAMPLE_RATE)).round() as usize;
    let needs = |frame: usize| frame * BLOCK + look_ahead;
    let sound = babble(3.0);
    let mut generator = MotionGenerator::new(pack(), Controls::default(), 1).unwrap();
    let mut frames = Vec::new();
    for (i, x) in sound.iter().enumerate() {
        generator.push(&[*x], &mut |f| frames.push((i + 1, f))).unwrap();
    }
    for (i, (heard, _)) in frames.iter().enumerate() {
        assert_eq!(*heard, needs(i), "frame {i}");
    }

    // A click is seen as soon as the method can, and not before.
    let click = 25_000;
    let mut clicked = sound.clone();
    for (i, x) in clicked[click..].iter_mut().enumerate().take(1600) {
        *x = if i % 80 < 40 { 0.8 } else { -0.8 };
    }
    let changed = generate(&clicked, Controls::default(), 1, 640);
    let first = frames.iter().zip(&changed).position(|((_, a), b)| a != b).unwrap();
    assert!(needs(first) > click, "frame {first} knows of a click at {click}");
    assert!(needs(first) <= click + BLOCK, "frame {first} could have heard the click at {click}");
}
