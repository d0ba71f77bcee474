//! [`MotionFile`] to JSON: one frame a line, fields in a fixed order, values rounded to what can be seen.

use std::io::{BufWriter, Write};

use super::{FORMAT, FrameExtras, MotionFile, MotionFileError, Unknown, VERSION};
use crate::motion::frame::{Blendshape, Gaze, HeadPose, MotionFrame, Reference};

/// Writes the whole file.
pub(super) fn file(file: &MotionFile, out: impl Write) -> Result<(), MotionFileError> {
    let mut out = BufWriter::new(out);
    let reference = match file.reference {
        Reference::Portrait => "portrait",
        Reference::Neutral => "neutral",
        Reference::Speech => "speech",
    };
    write!(out, "{{\"format\": \"{FORMAT}\", \"version\": {VERSION}, \"fps\": {}, ", file.fps)?;
    write!(out, "\"reference\": \"{reference}\"")?;
    for field in &file.unknown {
        write!(out, ", ")?;
        unknown(&mut out, field)?;
    }
    write!(out, ",\n \"frames\": [")?;
    let none = FrameExtras::default();
    let mut extras = file.extras.iter().peekable();
    let mut implied = file.implied_gaze.iter().peekable();
    for (index, frame) in file.frames.iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        let extra = extras.next_if(|(at, _)| *at == index).map_or(&none, |(_, e)| e);
        let gaze_implied = implied.next_if(|(at, _)| *at == index).is_some_and(|(_, gaze)| *gaze == frame.gaze);
        if !finite(frame) {
            return Err(MotionFileError::NotFinite(index));
        }
        write_frame(&mut out, frame, extra, gaze_implied)?;
    }
    out.write_all(b"]}\n")?;
    out.flush()?;
    Ok(())
}

fn finite(frame: &MotionFrame) -> bool {
    let HeadPose { yaw, pitch, roll, x, y, scale } = frame.head;
    frame
        .blendshapes
        .0
        .iter()
        .chain(&[yaw, pitch, roll, x, y, scale, frame.gaze.x, frame.gaze.y])
        .all(|v| v.is_finite())
}

fn write_frame(out: &mut impl Write, f: &MotionFrame, extra: &FrameExtras, gaze_implied: bool) -> std::io::Result<()> {
    out.write_all(b"{")?;
    let mut groups = 0;
    let shapes = Blendshape::ALL.iter().map(|&b| (b.name(), f.blendshapes[b], 0.0));
    group(out, "blendshapes", shapes, &extra.blendshapes, &mut groups)?;
    let HeadPose { yaw, pitch, roll, x, y, scale } = f.head;
    let still = HeadPose::default();
    let head = [
        ("yaw", yaw, still.yaw),
        ("pitch", pitch, still.pitch),
        ("roll", roll, still.roll),
        ("x", x, still.x),
        ("y", y, still.y),
        ("scale", scale, still.scale),
    ];
    group(out, "head", head.into_iter(), &extra.head, &mut groups)?;
    if !gaze_implied {
        let Gaze { x, y } = f.gaze;
        // Where shapes say something, a gaze of 0 must be said too, or a reader would take the shapes' gaze.
        let default = if f.gaze_of_shapes() == Gaze::default() { 0.0 } else { f32::NAN };
        group(out, "gaze", [("x", x, default), ("y", y, default)].into_iter(), &extra.gaze, &mut groups)?;
    }
    for field in &extra.frame {
        separate(out, &mut groups)?;
        unknown(out, field)?;
    }
    out.write_all(b"}")
}

/// An object with the values that differ from their default; nothing at all if there are none.
fn group(
    out: &mut impl Write,
    name: &str,
    values: impl Iterator<Item = (&'static str, f32, f32)>,
    extra: &Unknown,
    groups: &mut usize,
) -> std::io::Result<()> {
    let mut inside = 0;
    for (key, value, default) in values {
        if rounded(value) == rounded(default) {
            continue;
        }
        if inside == 0 {
            separate(out, groups)?;
            write!(out, "\"{name}\": {{")?;
        }
        separate(out, &mut inside)?;
        write!(out, "\"{key}\": {}", rounded(value))?;
    }
    for field in extra {
        if inside == 0 {
            separate(out, groups)?;
            write!(out, "\"{name}\": {{")?;
        }
        separate(out, &mut inside)?;
        unknown(out, field)?;
    }
    if inside > 0 { out.write_all(b"}") } else { Ok(()) }
}

/// To 1/100,000: finer than any screen shows, and half the size of full precision. Large values keep their digits.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1e5).round() / 1e5 + 0.0
}

fn separate(out: &mut impl Write, count: &mut usize) -> std::io::Result<()> {
    *count += 1;
    if *count > 1 { out.write_all(b", ") } else { Ok(()) }
}

fn unknown(out: &mut impl Write, (key, value): &(String, serde_json::Value)) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, key)?;
    write!(out, ": {value}")
}
