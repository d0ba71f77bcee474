use std::f32::consts::TAU;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::super::controls::Emotion;
use super::super::fixtures;
use super::super::frame::Blendshape;
use super::super::lipgap::lip_gap;
use super::*;

fn pack() -> &'static Pack {
    static PACK: OnceLock<Pack> = OnceLock::new();
    PACK.get_or_init(fixtures::pack)
}

fn generate(samples: &[f32], controls: Controls, seed: u64, chunk: usize) -> Vec<MotionFrame> {
    let mut generator = MotionGenerator::new(pack(), controls, seed).unwrap();
    let mut frames = Vec::new();
    for part in samples.chunks(chunk.max(1)) {
        generator.push(part, &mut |f| frames.push(f)).unwrap();
    }
    generator.finish(&mut |f| frames.push(f)).unwrap();
    frames
}

/// Something like speech: syllables of a pulsed voice with moving formants, hiss between some, a pause now and then.
fn babble(seconds: f32) -> Vec<f32> {
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

fn assert_sane(frames: &[MotionFrame]) {
    for (i, f) in frames.iter().enumerate() {
        assert!(f.blendshapes.0.iter().all(|v| (0.0..=1.0).contains(v)), "frame {i}: {f:?}");
        let h = f.head;
        assert!(h.yaw.abs() <= 40.0 && h.pitch.abs() <= 30.0 && h.roll.abs() <= 25.0, "frame {i}: {h:?}");
        assert!(h.x.abs() < 0.1 && h.y.abs() < 0.1 && (0.4..2.2).contains(&h.scale), "frame {i}: {h:?}");
        assert!(f.gaze.x.abs() <= 30.0 && f.gaze.y.abs() <= 25.0, "frame {i}: {:?}", f.gaze);
    }
}

fn std(x: &[f32]) -> f32 {
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
    assert!(std(&second) < 0.08, "second difference of yaw {}", std(&second));
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
fn broken_samples_do_no_harm() {
    let mut sound = babble(3.0);
    for (i, x) in sound.iter_mut().enumerate() {
        match i % 97 {
            0 => *x = f32::NAN,
            1 => *x = f32::INFINITY,
            2 => *x = f32::NEG_INFINITY,
            3 => *x = f32::MAX,
            _ => *x += 0.3,
        }
    }
    let frames = generate(&sound, Controls::default(), 1, 1234);
    assert_eq!(frames.len(), 75);
    assert_sane(&frames);
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
