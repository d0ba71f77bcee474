//! What the face networks say, for comparison with other programs (`training/parity`).

use std::{
    fs,
    io::{Write, stdout},
    path::Path,
    time::Instant,
};

use parlante::{
    exec::CpuSession,
    pack::Pack,
    portrait::{FaceFinder, FaceLandmarks, LoadOptions, load, network},
};
use serde_json::json;

use crate::Outcome;

fn pack(root: &Path) -> Outcome<Pack> {
    Ok(Pack::from_bytes(fs::read(crate::assemble::assemble(root)?)?)?)
}

fn as_json(face: &FaceLandmarks) -> serde_json::Value {
    json!({ "presence": face.presence, "points": face.points, "blendshapes": face.blendshapes })
}

/// Writes one line of JSON for each photo: its faces, the largest first, and how long the search took. Each face also
/// has the landmarks of a second look.
///
/// # Errors
/// When the pack or a photo cannot be read.
pub fn faces(root: &Path, photos: &[&str]) -> Outcome {
    let finder = FaceFinder::new(&pack(root)?)?;
    let mut out = stdout().lock();
    for photo in photos {
        let picture = load(&fs::read(photo)?, &LoadOptions::default()).map_err(|e| format!("{photo}: {e}"))?;
        let start = Instant::now();
        let faces = finder.find(&picture)?;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let second: Vec<_> = faces
            .iter()
            .map(|f| finder.look_again(&picture, f).map(|f| f.as_ref().map(as_json)))
            .collect::<Result<_, _>>()?;
        let faces: Vec<_> = faces.iter().map(as_json).collect();
        let line = json!({ "file": photo, "width": picture.width, "height": picture.height, "ms": milliseconds,
            "faces": faces, "second": second });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Runs one network on raw little-endian f32 numbers (any number of inputs one after the other) and writes all its
/// outputs, input by input, in the same form.
///
/// # Errors
/// When the network does not exist, or the numbers do not fill whole inputs.
pub fn run_network(root: &Path, name: &str, input: &Path, output: &Path) -> Outcome {
    let graph = network::build(&pack(root)?, name)?;
    let size: usize = graph.inputs().iter().map(|p| graph.shape(p.value).elements()).sum();
    let mut session = CpuSession::new(&graph)?;
    let bytes = fs::read(input)?;
    let numbers: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    if size == 0 || !numbers.len().is_multiple_of(size) {
        return Err(format!("{} numbers are no multiple of {size}", numbers.len()).into());
    }
    let mut results = Vec::new();
    for one in numbers.chunks_exact(size) {
        for values in session.run(&[one])? {
            results.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        }
    }
    fs::write(output, results)?;
    Ok(())
}

#[cfg(test)]
mod tests;
