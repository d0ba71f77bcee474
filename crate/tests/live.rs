//! Live sound moves the face as a recording of it does.

mod common;

use common::repository;
use parlante::animator::MotionStream;
use parlante::audio::{AudioReader, LiveResampler};
use parlante::motion::frame::{Blendshape, FPS};
use parlante::motion::{Controls, MotionFrame};
use parlante::pack::Pack;

/// Shapes that open and form the mouth.
const MOUTH: [Blendshape; 4] =
    [Blendshape::JawOpen, Blendshape::MouthClose, Blendshape::MouthFunnel, Blendshape::MouthStretchLeft];

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let mean = |x: &[f32]| x.iter().sum::<f32>() / x.len() as f32;
    let (ma, mb) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f32, f32) -> f32| a.iter().zip(b).map(|(x, y)| f(x - ma, y - mb)).sum::<f32>();
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt().max(1e-9)
}

/// The sample sentence at its own rate, and as speech.
fn sentence() -> (Vec<f32>, u32, Vec<f32>) {
    let path = repository("web/page/samples/speech.mp3");
    let mut reader = AudioReader::open(&path).expect("the sample sentence");
    let (rate, channels) = (reader.format().sample_rate, reader.format().channels.len());
    let mut sound = Vec::new();
    while let Some(block) = reader.next_block() {
        sound.extend(block.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32));
    }
    let mut reader = AudioReader::open(&path).expect("the sample sentence").into_speech().expect("a rate");
    let mut speech = Vec::new();
    while let Some(chunk) = reader.next_chunk() {
        speech.extend_from_slice(chunk);
    }
    (sound, rate, speech)
}

fn stream() -> MotionStream {
    let pack = Pack::from_bytes(std::fs::read(repository("packs/motion.gguf")).expect("the pack")).expect("a pack");
    MotionStream::new(&pack, Controls::default(), 1, f64::from(FPS)).expect("speech networks")
}

fn curve(frames: &[MotionFrame], shape: Blendshape) -> Vec<f32> {
    frames.iter().map(|f| f.blendshapes[shape]).collect()
}

#[test]
fn live_sound_moves_the_mouth_as_a_recording_does() {
    let (sound, rate, speech) = sentence();
    let mut recorded = Vec::new();
    let mut maker = stream();
    maker.push(&speech, &mut recorded).expect("motion");

    let (mut live, mut ready) = (Vec::new(), Vec::new());
    let (mut maker, mut ear) = (stream(), LiveResampler::default());
    let mut most = 0.0f64;
    for (i, piece) in sound.chunks(rate as usize / 100).enumerate() {
        ear.push(piece, rate, &mut ready).expect("a rate");
        maker.push(&ready, &mut live).expect("motion");
        ready.clear();
        // A picture between two frames needs both: the newer one must be there.
        let heard = (i + 1) as f64 / 100.0;
        if let Some(newest) = live.len().checked_sub(1) {
            most = most.max(heard - newest as f64 / f64::from(FPS));
        }
    }
    // 80 ms of look-ahead, 40 ms of step, at most 2 ms in the resampler, and this test's own pieces of 10 ms.
    assert!(most <= 0.08 + 0.04 + 0.002 + 0.01 + 1e-6, "{most} s behind");

    let count = recorded.len().min(live.len());
    for shape in MOUTH {
        let (a, b) = (curve(&recorded[..count], shape), curve(&live[..count], shape));
        let best = |lag: usize| correlation(&a[..count - lag], &b[lag..]);
        assert!(best(0) > 0.97, "{shape:?}: {}", best(0));
        assert!(best(0) > best(1), "{shape:?} is late");
    }
}
