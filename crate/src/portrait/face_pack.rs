//! Reads the compact face from a model pack. A pack may come from anywhere: every index and every number is checked
//! here, so that nothing after this can fail.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;

use super::face_model::{Contour, Eyeball, FaceModel, LandmarkKind, Part};
use super::landmarks::LANDMARKS;
use crate::pack::{Pack, PackError};

/// Why a pack's face cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FaceModelError {
    /// A tensor or a piece of metadata is missing or has the wrong shape.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The pieces contradict each other.
    #[error("the face in the model pack is damaged: {0}; fetch the pack again")]
    Damaged(String),
}

fn damaged(reason: impl Into<String>) -> FaceModelError {
    FaceModelError::Damaged(reason.into())
}

/// More vertices or triangles than this are no face of ours.
const MOST: usize = 32_767;
/// More modes of a kind than this are no face of ours.
const MOST_MODES: usize = 256;
/// No part of a head is further from its origin, cm.
const FARTHEST: f32 = 100.0;

/// What `parlante.face.config` says.
#[derive(Deserialize)]
struct Config {
    identities: usize,
    expressions: Vec<String>,
    parts: BTreeMap<String, [usize; 2]>,
    triangle_parts: BTreeMap<String, usize>,
    eyes: BTreeMap<String, EyeConfig>,
}

#[derive(Deserialize)]
struct EyeConfig {
    center: [f32; 3],
    radius: f32,
    iris_radius: f32,
}

/// Parts in the order of their vertices and triangles.
const PARTS: [(&str, Part); 5] = [
    ("skin", Part::Skin),
    ("mouth_socket", Part::MouthSocket),
    ("gums_tongue", Part::GumsTongue),
    ("teeth_upper", Part::Teeth),
    ("teeth_lower", Part::Teeth),
];

/// A tensor of known shape as numbers of which all are finite.
fn numbers(pack: &Pack, name: &str, shape: &[usize]) -> Result<Vec<f32>, FaceModelError> {
    let values = pack.tensor(name)?.with_shape(shape)?.to_f32();
    if values.iter().all(|v| v.is_finite()) {
        Ok(values)
    } else {
        Err(damaged(format!("`{name}` holds what is no number")))
    }
}

/// A tensor of indices below `limit`.
fn indices(pack: &Pack, name: &str, shape: &[usize], limit: usize) -> Result<Vec<u32>, FaceModelError> {
    let values = numbers(pack, name, shape)?;
    if values.iter().all(|&v| v >= 0.0 && v < limit as f32 && v.fract() == 0.0) {
        Ok(values.into_iter().map(|v| v as u32).collect())
    } else {
        Err(damaged(format!("`{name}` points to what is not there")))
    }
}

/// Lengths of a tensor's axes.
fn dims<const N: usize>(pack: &Pack, name: &str) -> Result<[usize; N], FaceModelError> {
    let tensor = pack.tensor(name)?;
    let dims: [usize; N] =
        tensor.shape().dims().try_into().map_err(|_| damaged(format!("`{name}` has not {N} axes")))?;
    if dims.iter().all(|&d| (1..=1 << 20).contains(&d)) {
        Ok(dims)
    } else {
        Err(damaged(format!("`{name}` is too large or empty")))
    }
}

fn triples<T: Copy>(values: &[T]) -> Vec<[T; 3]> {
    values.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect()
}

/// Vertex ranges of the parts: one after the other, from 0 to `count`.
fn ranges(config: &Config, count: usize) -> Result<[Range<usize>; 5], FaceModelError> {
    let mut next = 0;
    let mut out = [const { 0..0 }; 5];
    for (slot, (name, _)) in out.iter_mut().zip(PARTS) {
        let &[start, end] = config.parts.get(name).ok_or_else(|| damaged(format!("part `{name}` is missing")))?;
        if start != next || end < start || end > count {
            return Err(damaged(format!("part `{name}` is not where it should be")));
        }
        *slot = start..end;
        next = end;
    }
    if next == count { Ok(out) } else { Err(damaged("some vertices belong to no part")) }
}

fn triangle_parts(config: &Config, count: usize) -> Result<Vec<Part>, FaceModelError> {
    let mut parts = Vec::new();
    for (name, part) in PARTS {
        let own = *config.triangle_parts.get(name).ok_or_else(|| damaged(format!("part `{name}` has no triangles")))?;
        if own > count - parts.len() {
            return Err(damaged("the parts have more triangles than there are"));
        }
        parts.resize(parts.len() + own, part);
    }
    if parts.len() == count { Ok(parts) } else { Err(damaged("some triangles belong to no part")) }
}

fn contour(pack: &Pack, name: &str, skin: usize) -> Result<Contour, FaceModelError> {
    let chain = |side: &str| -> Result<Vec<u32>, FaceModelError> {
        let name = format!("face.contour.{name}_{side}");
        let [count] = dims(pack, &name)?;
        let chain = indices(pack, &name, &[count], skin)?;
        if count >= 3 { Ok(chain) } else { Err(damaged(format!("`{name}` is too short"))) }
    };
    let (upper, lower) = (chain("upper")?, chain("lower")?);
    if upper.first() != lower.first() || upper.last() != lower.last() {
        return Err(damaged(format!("the two chains of `{name}` do not share their ends")));
    }
    Ok(Contour { upper, lower })
}

fn eyes(pack: &Pack, config: &Config) -> Result<[Eyeball; 2], FaceModelError> {
    let moves = triples(&numbers(pack, "face.eye.identity", &[2, config.identities, 3])?);
    let eye = |side: &str, moves: &[[f32; 3]]| {
        let eye = config.eyes.get(side).ok_or_else(|| damaged(format!("the {side} eye is missing")))?;
        let placed = eye.center.iter().all(|c| c.abs() < FARTHEST);
        let sized = |r: f32| r > 0.0 && r < FARTHEST;
        if !placed || !sized(eye.radius) || !sized(eye.iris_radius) {
            return Err(damaged(format!("the {side} eye makes no sense")));
        }
        Ok(Eyeball { center: eye.center, radius: eye.radius, iris_radius: eye.iris_radius, identity: moves.to_vec() })
    };
    let (right, left) = moves.split_at(config.identities);
    Ok([eye("right", right)?, eye("left", left)?])
}

/// Dense modes: steps and one scale a mode.
fn identity(pack: &Pack, modes: usize, vertices: usize) -> Result<Vec<Vec<[f32; 3]>>, FaceModelError> {
    let steps = numbers(pack, "face.identity.delta", &[modes, vertices, 3])?;
    let scale = numbers(pack, "face.identity.scale", &[modes])?;
    let mode = |(steps, scale): (&[f32], &f32)| triples(steps).into_iter().map(|d| d.map(|v| v * scale)).collect();
    sane(steps.chunks_exact(vertices * 3).zip(&scale).map(mode).collect())
}

/// Sparse modes: lists of the vertices that move.
fn expression(pack: &Pack, modes: usize, vertices: usize) -> Result<Vec<Vec<[f32; 3]>>, FaceModelError> {
    let [count] = dims(pack, "face.expression.vertex")?;
    let start = indices(pack, "face.expression.start", &[modes + 1], count + 1)?;
    let vertex = indices(pack, "face.expression.vertex", &[count], vertices)?;
    let steps = triples(&numbers(pack, "face.expression.delta", &[count, 3])?);
    let scale = numbers(pack, "face.expression.scale", &[modes])?;
    let ends = start.first() == Some(&0) && start.last() == Some(&(count as u32));
    if !ends || start.windows(2).any(|w| w[0] > w[1]) {
        return Err(damaged("the lists of moving vertices overlap"));
    }
    let mode = |(bounds, scale): (&[u32], &f32)| {
        let mut mode = vec![[0.0; 3]; vertices];
        let own = bounds[0] as usize..bounds[1] as usize;
        for (&v, step) in vertex[own.clone()].iter().zip(&steps[own]) {
            mode[v as usize] = step.map(|s| s * scale);
        }
        mode
    };
    sane(start.windows(2).zip(&scale).map(mode).collect())
}

/// Refuses modes that move something out of the world.
fn sane(modes: Vec<Vec<[f32; 3]>>) -> Result<Vec<Vec<[f32; 3]>>, FaceModelError> {
    if modes.iter().flatten().flatten().all(|v| v.abs() < FARTHEST) {
        Ok(modes)
    } else {
        Err(damaged("a mode moves vertices too far"))
    }
}

impl FaceModel {
    /// Reads the tensors `face.*` and the metadata `parlante.face.config` of a pack.
    ///
    /// # Errors
    /// [`FaceModelError`] if anything is missing or contradicts itself.
    pub fn from_pack(pack: &Pack) -> Result<Self, FaceModelError> {
        let config: Config = serde_json::from_str(pack.str("parlante.face.config")?)
            .map_err(|e| damaged(format!("its description cannot be read ({e})")))?;
        let [vertices, _] = dims(pack, "face.neutral")?;
        let [count, _] = dims(pack, "face.triangles")?;
        if vertices.max(count) > MOST || config.identities.max(config.expressions.len()) > MOST_MODES {
            return Err(damaged("it is too large"));
        }
        let neutral = triples(&numbers(pack, "face.neutral", &[vertices, 3])?);
        if neutral.iter().flatten().any(|v| v.abs() > FARTHEST) {
            return Err(damaged("a vertex lies outside of any head"));
        }
        let [skin, mouth_socket, gums_tongue, teeth_upper, teeth_lower] = ranges(&config, vertices)?;
        let landmark_vertices = triples(&indices(pack, "face.landmark.vertices", &[LANDMARKS, 3], skin.end)?);
        let landmark_weights = triples(&numbers(pack, "face.landmark.weights", &[LANDMARKS, 3])?);
        if landmark_weights
            .iter()
            .any(|w| (w.iter().sum::<f32>() - 1.0).abs() > 0.01 || w.iter().any(|v| v.abs() > 2.0))
        {
            return Err(damaged("a landmark does not lie on the skin"));
        }
        let landmark_kind = indices(pack, "face.landmark.kind", &[LANDMARKS], 4)?
            .into_iter()
            .map(|kind| match kind {
                2 => LandmarkKind::Contour,
                3 => LandmarkKind::Iris,
                _ => LandmarkKind::Skin,
            })
            .collect();
        let [eye_right, eye_left] = eyes(pack, &config)?;
        Ok(Self {
            neutral,
            identity: identity(pack, config.identities, vertices)?,
            expression: expression(pack, config.expressions.len(), vertices)?,
            triangles: triples(&indices(pack, "face.triangles", &[count, 3], vertices)?),
            triangle_part: triangle_parts(&config, count)?,
            lips: contour(pack, "lip_inner", skin.end)?,
            lids_right: contour(pack, "eyelid_right", skin.end)?,
            lids_left: contour(pack, "eyelid_left", skin.end)?,
            eye_right,
            eye_left,
            expression_names: config.expressions,
            skin,
            mouth_socket,
            gums_tongue,
            teeth_upper,
            teeth_lower,
            landmark_vertices,
            landmark_weights,
            landmark_kind,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PACK, model};
    use super::*;
    use crate::pack::PackWriter;

    /// The committed pack with one tensor's bytes or the description changed.
    fn tampered(tensor: &str, bytes: impl Fn(&mut Vec<u8>), config: impl Fn(&str) -> String) -> Pack {
        let pack = Pack::from_bytes(PACK).expect("the committed pack can be read");
        let mut writer = PackWriter::new();
        for (key, value) in pack.metadata() {
            writer.metadata(key, value.clone());
        }
        writer.metadata("parlante.face.config", config(pack.str("parlante.face.config").expect("a description")));
        for name in pack.names() {
            let own = pack.tensor(name).expect("a listed tensor");
            let mut data = own.bytes().to_vec();
            if name == tensor {
                bytes(&mut data);
            }
            writer.stored(name, own.shape().clone(), own.dtype(), data).expect("the same size");
        }
        Pack::from_bytes(writer.finish()).expect("a readable pack")
    }

    fn with_bytes(tensor: &str, bytes: impl Fn(&mut Vec<u8>)) -> Result<FaceModel, FaceModelError> {
        FaceModel::from_pack(&tampered(tensor, bytes, str::to_owned))
    }

    fn with_config(change: impl Fn(&str) -> String) -> Result<FaceModel, FaceModelError> {
        FaceModel::from_pack(&tampered("", |_| (), change))
    }

    fn is_damaged(result: Result<FaceModel, FaceModelError>) -> bool {
        matches!(result, Err(FaceModelError::Damaged(_)))
    }

    #[test]
    fn the_committed_face_is_whole() {
        let m = model();
        assert_eq!((m.identity.len(), m.landmark_kind.len()), (40, LANDMARKS));
        assert!(m.expression_names.len() >= 53);
        assert_eq!(m.expression.len(), m.expression_names.len());
        assert_eq!(m.teeth_lower.end, m.neutral.len());
        let height = m.landmark(&m.neutral, 10)[1] - m.landmark(&m.neutral, 152)[1];
        assert!((16.0..22.0).contains(&height), "{height} cm from forehead to chin");
        assert!((m.eye_left.center[0] - m.eye_right.center[0] - 6.2).abs() < 0.5);
        assert!(PACK.len() <= 1_000_000);
    }

    #[test]
    fn skin_looks_out_of_the_face() {
        let m = model();
        let (mut out, mut all) = (0.0, 0.0);
        for (t, _) in m.triangles.iter().zip(&m.triangle_part).filter(|(_, p)| **p == Part::Skin) {
            let [a, b, c] = t.map(|v| m.neutral[v as usize]);
            let z = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
            all += z.abs();
            out += z.max(0.0);
        }
        assert!(out / all > 0.9, "{} of the skin faces the camera", out / all);
    }

    #[test]
    fn opening_the_jaw_opens_the_lips_and_a_blink_shuts_the_lids() {
        let m = model();
        let gap = |contour: &Contour, mode: &[[f32; 3]]| {
            let y = |chain: &[u32]| {
                let v = chain[chain.len() / 2] as usize;
                m.neutral[v][1] + mode[v][1]
            };
            y(&contour.upper) - y(&contour.lower)
        };
        let still = vec![[0.0; 3]; m.neutral.len()];
        assert!(gap(&m.lips, m.expression("jawOpen").expect("jawOpen")) > gap(&m.lips, &still) + 1.5);
        assert!(gap(&m.lids_left, m.expression("eyeBlink_L").expect("eyeBlink_L")) < 0.4 * gap(&m.lids_left, &still));
    }

    #[test]
    fn indices_that_point_nowhere_are_refused() {
        let far = |bytes: &mut Vec<u8>| bytes[..2].copy_from_slice(&32_767i16.to_le_bytes());
        let negative = |bytes: &mut Vec<u8>| bytes[..2].copy_from_slice(&(-1i16).to_le_bytes());
        for name in
            ["face.triangles", "face.landmark.vertices", "face.expression.vertex", "face.contour.lip_inner_upper"]
        {
            assert!(is_damaged(with_bytes(name, far)), "{name}");
            assert!(is_damaged(with_bytes(name, negative)), "{name}");
        }
        assert!(is_damaged(with_bytes("face.landmark.kind", |b| b[0] = 9)));
        assert!(is_damaged(with_bytes("face.expression.start", |b| b[4..8].copy_from_slice(&i32::MAX.to_le_bytes()))));
        assert!(is_damaged(with_bytes("face.expression.start", |b| b[..4].copy_from_slice(&5i32.to_le_bytes()))));
        assert!(is_damaged(
            with_bytes("face.contour.eyelid_left_upper", |b| b[..2].copy_from_slice(&3i16.to_le_bytes()))
        ));
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        for (name, value) in [
            ("face.neutral", f32::NAN),
            ("face.neutral", 1e6),
            ("face.identity.scale", f32::INFINITY),
            ("face.identity.scale", 1e9),
            ("face.expression.scale", 1e9),
            ("face.landmark.weights", 7.0),
            ("face.eye.identity", f32::NAN),
        ] {
            assert!(is_damaged(with_bytes(name, |b| b[..4].copy_from_slice(&value.to_le_bytes()))), "{name} {value}");
        }
    }

    #[test]
    fn a_description_that_contradicts_the_tensors_is_refused() {
        assert!(is_damaged(with_config(|_| "{".to_owned())));
        assert!(is_damaged(with_config(|c| c.replace("\"skin\":[0,", "\"skin\":[1,"))));
        assert!(is_damaged(with_config(|c| c.replace("\"teeth_lower\"", "\"teeth_lowest\""))));
        assert!(is_damaged(with_config(|c| c.replace("\"radius\":1.5755", "\"radius\":-1"))));
        assert!(is_damaged(with_config(|c| c.replace("\"identities\":40", "\"identities\":4000000000"))));
        assert!(matches!(
            with_config(|c| c.replace("\"identities\":40", "\"identities\":41")),
            Err(FaceModelError::Pack(_))
        ));
        assert!(is_damaged(with_config(
            |c| c.replace("\"triangle_parts\":{\"skin\":", "\"triangle_parts\":{\"skin\":9")
        )));
    }

    #[test]
    fn a_pack_without_a_face_says_what_is_missing() {
        let empty = Pack::from_bytes(PackWriter::new().finish()).expect("an empty pack");
        assert!(matches!(FaceModel::from_pack(&empty), Err(FaceModelError::Pack(PackError::MissingKey(_)))));
    }
}
