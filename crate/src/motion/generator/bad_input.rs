//! Sounds that no one would choose: whatever comes in, the face stays a face.

use std::f32::consts::TAU;

use super::super::controls::Emotion;
use super::super::lipgap::lip_gap;
use super::tests::{assert_sane, assert_smooth, babble, generate, noise, pack, std, tones};
use super::*;
use crate::audio::LiveResampler;

/// What must hold whatever was heard.
fn assert_a_face(name: &str, sound: &[f32]) -> Vec<MotionFrame> {
    for controls in [Controls::default(), Controls::default().with_emotion(Emotion::Happy, 1.0)] {
        let frames = generate(sound, controls, 4, 4321);
        assert_eq!(frames.len(), sound.len().div_ceil(640), "{name}");
        assert_sane(&frames);
        assert_smooth(&frames);
    }
    generate(sound, Controls::default(), 4, 4321)
}

/// That the mouth rests while the head lives; the first seconds are for finding out.
fn assert_no_speech(name: &str, sound: &[f32]) {
    let frames = assert_a_face(name, sound);
    let later = &frames[75..];
    let open = later.iter().filter(|f| lip_gap(&f.blendshapes) > 0.2).count();
    assert!(open * 20 < later.len(), "{name}: the mouth is open in {open} of {} frames", later.len());
    let yaw: Vec<f32> = frames.iter().map(|f| f.head.yaw).collect();
    assert!(std(&yaw) > 0.1, "{name}: the head stands still");
}

fn gaps(frames: &[MotionFrame]) -> Vec<f32> {
    frames.iter().map(|f| lip_gap(&f.blendshapes)).collect()
}

fn mean(x: &[f32]) -> f32 {
    x.iter().sum::<f32>() / x.len() as f32
}

fn correlation(x: &[f32], y: &[f32]) -> f32 {
    let product = x.iter().zip(y).map(|(a, b)| (a - mean(x)) * (b - mean(y))).sum::<f32>() / x.len() as f32;
    product / (std(x) * std(y))
}

/// Notes of struck strings, one after another, each ringing on into the next ones.
fn piano(seconds: f32, note: f32, chord: bool) -> Vec<f32> {
    const STEPS: [f32; 9] = [0.0, 4.0, 7.0, 12.0, 11.0, 7.0, 9.0, 5.0, 2.0];
    let mut out = vec![0.0f32; (seconds * 16000.0) as usize];
    let notes = (seconds / note) as usize;
    for k in 0..notes {
        let voices: &[f32] = if chord { &[0.0, 4.0, 7.0] } else { &[0.0] };
        for up in voices {
            let hertz = 196.0 * 2f32.powf((STEPS[k % STEPS.len()] + up) / 12.0);
            let start = (k as f32 * note * 16000.0) as usize;
            for (i, x) in out[start..].iter_mut().take(28_000).enumerate() {
                let t = i as f32 / 16000.0;
                let strike = (t / 0.004).min(1.0);
                let tone = |h: f32| {
                    // Strings are stiff: upper partials are a little sharp, and die sooner.
                    let sharp = (1.0 + 0.0004 * h * h).sqrt();
                    (-(1.2 + 0.5 * h) * t).exp() * (TAU * hertz * h * sharp * t).sin() / h.powf(1.2)
                };
                *x += 0.06 * strike * (1..9).map(|h| tone(h as f32)).sum::<f32>();
            }
        }
    }
    out
}

#[test]
fn clipping() {
    let clipped: Vec<f32> = babble(8.0).iter().map(|x| (x * 50.0).clamp(-1.0, 1.0)).collect();
    let frames = assert_a_face("clipped speech", &clipped);
    assert!(std(&gaps(&frames)) > 0.05, "clipped speech still moves the mouth");
    let loud: Vec<f32> = babble(3.0).iter().map(|x| x * 1e6).chain([0.0; 16_000]).chain(babble(3.0)).collect();
    assert_a_face("speech a million times too loud", &loud);
}

#[test]
fn offset_of_the_microphone() {
    let plain = generate(&babble(8.0), Controls::default(), 4, 4321);
    for offset in [0.5, -0.9] {
        let shifted: Vec<f32> = babble(8.0).iter().map(|x| x + offset).collect();
        let frames = assert_a_face("speech with an offset", &shifted);
        let alike = correlation(&gaps(&plain)[25..], &gaps(&frames)[25..]);
        assert!(alike > 0.8, "an offset of {offset} changes the lips: r {alike}");
    }
    assert_no_speech("an offset alone", &[0.7; 160_000]);
}

#[test]
fn noise_leaves_the_mouth_shut() {
    assert_no_speech("white noise", &noise(10.0, 0.2));
    assert_no_speech("faint noise", &noise(10.0, 0.02));
    let clicks: Vec<f32> = (0..160_000).map(|i| if i % 1600 < 2 { 0.8 } else { 0.0 }).collect();
    assert_no_speech("clicks", &clicks);
}

#[test]
fn music_without_a_voice_leaves_the_mouth_shut() {
    assert_no_speech("an organ", &tones(10.0, &[196.0, 247.0, 294.0, 392.0]));
    assert_no_speech("a piano", &piano(12.0, 0.4, false));
    assert_no_speech("a quick piano", &piano(12.0, 0.16, false));
    assert_no_speech("a piano with chords", &piano(12.0, 0.5, true));
    let whistle: Vec<f32> = (0..160_000).map(|i| 0.2 * (TAU * 440.0 * i as f32 / 16000.0).sin()).collect();
    assert_no_speech("a whistle", &whistle);
    let drums: Vec<f32> = noise(12.0, 0.5)
        .iter()
        .zip(piano(12.0, 0.25, false))
        .enumerate()
        .map(|(i, (hit, note))| note + hit * (-((i % 4000) as f32) / 500.0).exp())
        .collect();
    assert_no_speech("a piano with drums", &drums);
}

#[test]
fn speech_after_noise_and_music_is_spoken() {
    let alone = generate(&babble(5.0), Controls::default(), 2, 3000);
    for (name, before) in [("noise", noise(4.0, 0.1)), ("a piano", piano(4.0, 0.4, false))] {
        let after = generate(&[before, babble(5.0)].concat(), Controls::default(), 2, 3000);
        let (spoken, usual) = (mean(&gaps(&after)[150..225]), mean(&gaps(&alone)[50..125]));
        assert!(spoken > 0.5 * usual, "after {name} the mouth opens {spoken}, alone {usual}");
    }
}

#[test]
fn two_speakers_at_once() {
    let two: Vec<f32> = babble(8.0).iter().zip(&babble(10.0)[20_000..]).map(|(a, b)| a + b).collect();
    assert_a_face("two speakers", &two);
}

#[test]
fn one_very_long_vowel() {
    for seconds in [8.0, 40.0] {
        let frames = assert_a_face("a long vowel", &tones(seconds, &[130.0]));
        // Nothing in it changes, so the lips do not flutter.
        assert!(std(&gaps(&frames)[100..]) < 0.1, "{}", std(&gaps(&frames)[100..]));
    }
}

#[test]
fn digital_silence() {
    let frames = assert_a_face("silence", &[0.0; 160_000]);
    assert!(gaps(&frames).iter().all(|g| *g < 0.15));
    let between: Vec<f32> = babble(4.0).into_iter().chain([0.0; 48_000]).chain(babble(4.0)).collect();
    let frames = assert_a_face("speech that is cut off", &between);
    assert!(gaps(&frames[120..170]).iter().all(|g| *g < 0.15), "the mouth is shut in the pause");
}

#[test]
fn numbers_that_are_none() {
    let mut sound = babble(4.0);
    for (i, x) in sound.iter_mut().enumerate() {
        match i % 97 {
            0 => *x = f32::NAN,
            1 => *x = f32::INFINITY,
            2 => *x = f32::NEG_INFINITY,
            3 => *x = f32::MAX,
            _ => {}
        }
    }
    assert_a_face("speech with broken samples", &sound);
    assert_a_face("nothing but NaN", &[f32::NAN; 48_000]);
    assert_a_face("nothing but infinity", &[f32::INFINITY; 48_000]);
}

/// The sound as it would have been sampled at another rate: straight lines between samples.
fn sampled(sound: &[f32], rate: u32) -> Vec<f32> {
    let step = 16_000.0 / f64::from(rate);
    let count = (sound.len() as f64 / step) as usize;
    let at = |k: usize| {
        let (x, part) = ((k as f64 * step) as usize, (k as f64 * step).fract() as f32);
        let next = sound.get(x + 1).or(sound.last()).copied().unwrap_or(0.0);
        sound[x] + part * (next - sound[x])
    };
    (0..count).map(at).collect()
}

#[test]
fn a_rate_that_changes_in_the_stream() {
    let sound = babble(12.0);
    let steady = generate(&sound, Controls::default(), 4, 4321);
    let mut generator = MotionGenerator::new(pack(), Controls::default(), 4).unwrap();
    let (mut live, mut samples, mut frames) = (LiveResampler::default(), Vec::new(), Vec::new());
    for (part, rate) in sound.chunks(32_000).zip([48_000, 44_100, 16_000, 22_050, 96_000, 32_000]) {
        for piece in sampled(part, rate).chunks(999) {
            live.push(piece, rate, &mut samples).unwrap();
            generator.push(&samples, &mut |f| frames.push(f)).unwrap();
            samples.clear();
        }
    }
    live.finish(&mut samples);
    generator.push(&samples, &mut |f| frames.push(f)).unwrap();
    generator.finish(&mut |f| frames.push(f)).unwrap();
    assert!(frames.len().abs_diff(steady.len()) <= 1);
    assert_sane(&frames);
    assert_smooth(&frames);
    let n = frames.len().min(steady.len());
    let alike = correlation(&gaps(&frames)[..n], &gaps(&steady)[..n]);
    assert!(alike > 0.9, "changing rates change the lips: r {alike}");
}

/// What a second of speech may cost.
#[test]
fn the_networks_stay_small() {
    let generator = MotionGenerator::new(pack(), Controls::default(), 4).unwrap();
    let flops = generator.flops_a_second();
    assert!((50_000_000..=300_000_000).contains(&flops), "{flops} operations for a second of sound");
    let bytes = include_bytes!("../../../../packs/motion.gguf").len();
    assert!(bytes <= 4_000_000, "the pack's part has {bytes} bytes");
}
