//! The default pack: the converted face networks, the dictionary and what training produced, in one file.

use std::{
    fs,
    io::{Cursor, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

use parlante::{
    graph::DType,
    motion::words::lexicon,
    pack::{Pack, PackWriter},
};

use crate::{
    Outcome,
    convert::{Weights, convert},
    fetch,
};

/// Networks in the bundle of face networks, their names in the pack, and how their weights are kept.
const NETWORKS: [(&str, &str, Weights); 3] = [
    ("face_detector.tflite", "detector", Weights::AsPublished),
    ("face_landmarks_detector.tflite", "landmarker", Weights::AsPublished),
    // it only says whether eyes are shut
    ("face_blendshapes.tflite", "blendshapes", Weights::EightBits),
];
/// Name of the segmenter in the pack.
const SEGMENTER: &str = "segmenter";
/// Raised when the conversion changes, so that older results are made again.
const CONVERTER: u64 = 4;
/// The same for the dictionary's form.
const COMPACTER: u64 = 2;
/// The largest default pack that is allowed, bytes.
const MAX_PACK: usize = 8_000_000;
/// More than any of the networks has.
const MAX_NETWORK: u64 = 16 << 20;

/// Makes `build/parlante-default.gguf`, unless it is newer than everything it is made of.
///
/// # Errors
/// When the networks cannot be fetched or converted, a committed pack is damaged, or the result is too large.
pub fn assemble(root: &Path) -> Outcome<PathBuf> {
    let build = root.join("build");
    fs::create_dir_all(&build).map_err(|e| format!("cannot make the folder {}: {e}", build.display()))?;
    let mediapipe = build.join(format!("mediapipe-{CONVERTER}.gguf"));
    if !mediapipe.is_file() {
        let pack = convert_published(&fetch::face(&build)?, &fetch::segmenter(&build)?)?;
        eprintln!("converted MediaPipe's networks: {:.1} MB", pack.len() as f64 / 1e6);
        replace(&mediapipe, &pack)?;
    }
    let words = build.join(format!("words-{COMPACTER}-{:016x}.gguf", lexicon::rules_name()));
    if !words.is_file() {
        let pack = dictionary(&fetch::dictionary(&build)?)?;
        eprintln!("compacted the dictionary: {:.1} MB", pack.len() as f64 / 1e6);
        replace(&words, &pack)?;
    }
    let mut parts = vec![mediapipe, words];
    parts.extend(committed(&root.join("packs"))?);
    let target = build.join("parlante-default.gguf");
    if is_current(&target, &parts, &build.join("parlante-default.parts")) {
        return Ok(target);
    }
    let mut packs = Vec::new();
    for part in &parts {
        let bytes = fs::read(part).map_err(|e| format!("cannot read {}: {e}", part.display()))?;
        packs.push(Pack::from_bytes(bytes).map_err(|e| format!("{}: {e}", part.display()))?);
    }
    let merged = Pack::merge(packs)?.to_bytes()?;
    if merged.len() > MAX_PACK {
        return Err(format!("the default pack would have {} bytes, more than {MAX_PACK}", merged.len()).into());
    }
    replace(&target, &merged)?;
    fs::write(build.join("parlante-default.parts"), listing(&parts))?;
    eprintln!("assembled {}: {:.1} MB of {} parts", target.display(), merged.len() as f64 / 1e6, parts.len());
    Ok(target)
}

/// Packs that the repository holds, sorted.
fn committed(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.retain(|p| p.extension() == Some("gguf".as_ref()));
    paths.sort();
    Ok(paths)
}

fn listing(parts: &[PathBuf]) -> String {
    parts.iter().map(|p| format!("{}\n", p.display())).collect()
}

fn is_current(target: &Path, parts: &[PathBuf], list: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let newest = parts.iter().map(|p| changed(p)).max();
    target.is_file()
        && newest.is_some_and(|n| n <= changed(target))
        && fs::read_to_string(list).is_ok_and(|l| l == listing(parts))
}

/// Writes beside the file first, so that nobody ever sees half of it.
fn replace(path: &Path, bytes: &[u8]) -> Outcome {
    let partial = path.with_extension("part");
    fs::write(&partial, bytes)
        .and_then(|()| fs::rename(&partial, path))
        .map_err(|e| format!("cannot write {}: {e}", path.display()).into())
}

/// The dictionary as a pack; its text is in Latin-1 where a comment leaves ASCII.
fn dictionary(text: &[u8]) -> Outcome<Vec<u8>> {
    let text: String = text.iter().map(|&b| char::from(b)).collect();
    let bytes = lexicon::compact(&text)?;
    let mut writer = PackWriter::new();
    writer
        .metadata("parlante.version", env!("CARGO_PKG_VERSION"))
        .metadata("parlante.licence", "CMU pronouncing dictionary: BSD-2-Clause, Carnegie Mellon University")
        .metadata(
            "parlante.attribution",
            "CMU pronouncing dictionary, copyright 1993-2015 Carnegie Mellon University; stress removed",
        )
        .stored(lexicon::TENSOR, vec![bytes.len()], DType::I8, bytes)?;
    Ok(writer.finish())
}

fn convert_published(bundle: &[u8], segmenter: &[u8]) -> Outcome<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bundle))?;
    let mut writer = PackWriter::new();
    writer
        .metadata("parlante.version", env!("CARGO_PKG_VERSION"))
        .metadata("parlante.licence", "MediaPipe networks: Apache-2.0, Google LLC")
        .metadata(
            "parlante.attribution",
            "MediaPipe face landmarker v2: BlazeFace, face mesh with attention, blendshapes V2; MediaPipe selfie \
             segmentation (Google LLC)",
        )
        .metadata("parlante.data", "MediaPipe networks: as their model cards say, not public");
    for (file, name, weights) in NETWORKS {
        let entry = archive.by_name(file).map_err(|e| format!("{file}: {e}"))?;
        let mut bytes = Vec::new();
        entry.take(MAX_NETWORK).read_to_end(&mut bytes)?;
        convert(name, &bytes, weights, &mut writer)?;
    }
    convert(SEGMENTER, segmenter, Weights::AsPublished, &mut writer)?;
    Ok(writer.finish())
}
