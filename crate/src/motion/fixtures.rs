//! Parity with the training's own code on values it computed (`training/FORMAT.md`, section 7).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::articulation::{Articulation, Tracks};
use super::encoder::{BLOCK_FRAMES, Encoder};
use super::frame::{Blendshape, Blendshapes};
use super::lips::Lips;
use crate::audio::mel::{BANDS, LogMel};
use crate::pack::Pack;

const TOLERANCE: f32 = 1e-3;

#[derive(Deserialize)]
struct At {
    #[serde(alias = "frame", alias = "row")]
    index: usize,
    values: Vec<f32>,
}

#[derive(Deserialize)]
struct Named {
    frame: usize,
    values: BTreeMap<String, f32>,
}

#[derive(Deserialize)]
struct Speech {
    samples: Vec<i16>,
    mel: Vec<At>,
    logits: Vec<At>,
    rows: Vec<At>,
    lips: Vec<At>,
    tracks: Vec<At>,
    arkit: Vec<Named>,
}

#[derive(Deserialize)]
struct Case {
    raw: [f32; 7],
    arkit: BTreeMap<String, f32>,
}

#[derive(Deserialize)]
struct Config {
    track_mean: [f32; 5],
    track_scale: [f32; 5],
    articulation: Articulation,
}

#[derive(Deserialize)]
struct ArticulationCases {
    config: Config,
    cases: Vec<Case>,
}

/// The committed pack of the speech networks.
pub fn pack() -> Pack {
    Pack::from_bytes(include_bytes!("../../../packs/motion.gguf").as_slice()).unwrap()
}

fn assert_near(what: &str, expected: &[f32], got: &[f32]) {
    assert_eq!(expected.len(), got.len(), "{what}");
    for (i, (e, g)) in expected.iter().zip(got).enumerate() {
        assert!((e - g).abs() <= TOLERANCE, "{what}[{i}]: {g}, expected {e}");
    }
}

fn assert_named(what: &str, expected: &BTreeMap<String, f32>, got: &Blendshapes) {
    assert!(expected.keys().all(|name| Blendshape::from_name(name).is_some()));
    for shape in Blendshape::ALL {
        let e = expected.get(shape.name()).copied().unwrap_or(0.0);
        assert!((e - got[shape]).abs() <= TOLERANCE, "{what} {}: {}, expected {e}", shape.name(), got[shape]);
    }
}

#[test]
fn every_stage_gives_what_the_training_gives() {
    let expected: Speech = serde_json::from_str(include_str!("../../tests/fixtures/motion/speech.json")).unwrap();
    let mut samples: Vec<f32> = expected.samples.iter().map(|&s| f32::from(s) / 32768.0).collect();
    samples.resize(samples.len() + 16 * 160, 0.0);
    let (mut mel, mut frames) = (LogMel::new(), Vec::new());
    mel.push(&samples, &mut |f| frames.push(*f));
    for e in &expected.mel {
        assert_near(&format!("mel {}", e.index), &e.values, &frames[e.index]);
    }
    let pack = pack();
    let mut encoder = Encoder::new(&pack).unwrap();
    let mut lips = Lips::new(&pack, &encoder).unwrap();
    let (mut rows, mut logits, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
    for block in frames.chunks_exact(BLOCK_FRAMES) {
        let block: &[[f32; BANDS]; BLOCK_FRAMES] = block.try_into().unwrap();
        let encoded = encoder.run(block).unwrap();
        if !rows.is_empty() {
            outputs.push(lips.run(&encoded.rows).unwrap());
        }
        rows.extend(encoded.rows.chunks(encoder.row_len()).map(<[f32]>::to_vec));
        logits.extend(encoded.logits.chunks(encoder.phones().len()).map(<[f32]>::to_vec));
    }
    for e in &expected.rows {
        assert_near(&format!("row {}", e.index), &e.values, &rows[e.index]);
    }
    for e in &expected.logits {
        assert_near(&format!("logits {}", e.index), &e.values, &logits[e.index]);
    }
    for e in &expected.lips {
        assert_near(&format!("lips {}", e.index), &e.values, &outputs[e.index]);
    }
    for e in &expected.tracks {
        let t = lips.tracks(&outputs[e.index]);
        // The file has the tracks before they are limited to their ranges.
        let raw: Vec<f32> =
            e.values.iter().enumerate().map(|(i, v)| if i < 2 { v.max(0.0) } else { v.clamp(0.0, 1.0) }).collect();
        let got = [t.gap, t.jaw, t.round, t.spread, t.tongue, t.shut, t.tuck];
        assert_near(&format!("tracks {}", e.index), &raw, &got);
    }
    for e in &expected.arkit {
        let got = lips.articulation().to_arkit(&lips.tracks(&outputs[e.frame]));
        assert_named(&format!("frame {}", e.frame), &e.values, &got);
    }
}

#[test]
fn articulation_gives_what_the_training_gives() {
    let text = include_str!("../../tests/fixtures/motion/articulation.json");
    let ArticulationCases { config, cases } = serde_json::from_str(text).unwrap();
    for (n, case) in cases.iter().enumerate() {
        let [gap, jaw, round, spread, tongue] =
            std::array::from_fn(|i| case.raw[i] * config.track_scale[i] + config.track_mean[i]);
        let (shut, tuck) = config.articulation.gates(case.raw[5], case.raw[6]);
        let got = config.articulation.to_arkit(&Tracks { gap, jaw, round, spread, tongue, shut, tuck });
        assert_named(&format!("case {n}"), &case.arkit, &got);
    }
}
