//! CSV files of Live Link Face, the usual way to record and exchange ARKit's coefficients.
//!
//! A line of names, then one for each frame: `Timecode` (hours, minutes, seconds, frame with its fraction),
//! `BlendshapeCount` (61), ARKit's 52 coefficients, and turns of head and eyes in radians. In files of the app eyes that
//! look to the subject's right have positive yaw, down positive pitch; the head is read and written with the same signs,
//! and positive roll leans clockwise in the image. What the format does not know (`tongueUp`, the head's place and
//! size) is lost.

use std::io::Write;

use super::super::frame::{Blendshape, Gaze, MotionFrame, Reference};
use super::{FPS_RANGE, MAX_BYTES, MAX_FRAMES, MotionFile, MotionFileError};

/// Columns after the coefficients.
const TURNS: [&str; 9] = [
    "HeadYaw",
    "HeadPitch",
    "HeadRoll",
    "LeftEyeYaw",
    "LeftEyePitch",
    "LeftEyeRoll",
    "RightEyeYaw",
    "RightEyePitch",
    "RightEyeRoll",
];
/// Rates that the app and others record at.
const RATES: [f64; 8] = [24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 100.0, 120.0];
/// The app's own rate, where a file is too short to tell.
const USUAL_RATE: f64 = 60.0;
/// Most columns a line may have.
const MAX_COLUMNS: usize = 1000;
/// Longest gap between two lines that is filled, seconds.
const LONGEST_GAP: f64 = 60.0;

/// The app's order: ARKit's, but right before left for jaw and mouth.
fn columns() -> impl Iterator<Item = Blendshape> {
    Blendshape::ALL.into_iter().filter(|&b| b != Blendshape::TongueUp).map(|b| match b {
        Blendshape::JawLeft => Blendshape::JawRight,
        Blendshape::JawRight => Blendshape::JawLeft,
        Blendshape::MouthLeft => Blendshape::MouthRight,
        Blendshape::MouthRight => Blendshape::MouthLeft,
        other => other,
    })
}

/// `JawOpen` for `jawOpen`.
fn title(shape: Blendshape) -> String {
    let name = shape.name();
    format!("{}{}", name[..1].to_ascii_uppercase(), &name[1..])
}

/// Writes a file; frame numbers of the time code count at the file's rate, rounded to a whole one.
pub(super) fn write(file: &MotionFile, mut out: impl Write) -> Result<(), MotionFileError> {
    let names: Vec<String> = columns().map(title).collect();
    writeln!(out, "Timecode,BlendshapeCount,{},{}", names.join(","), TURNS.join(","))?;
    let rate = file.fps().round().max(1.0) as u64;
    for (i, frame) in file.frames().iter().enumerate() {
        let (second, part) = (i as u64 / rate, i as u64 % rate);
        let (h, m, s) = (second / 3600 % 24, second / 60 % 60, second % 60);
        write!(out, "{h:02}:{m:02}:{s:02}:{part:02}.000,61")?;
        let gaze = [-frame.gaze.x, frame.gaze.y, 0.0].map(f32::to_radians);
        let head = [-frame.head.yaw, frame.head.pitch, frame.head.roll].map(f32::to_radians);
        let values = columns().map(|shape| frame.blendshapes[shape]).chain(head).chain(gaze).chain(gaze);
        for value in values {
            if !value.is_finite() {
                return Err(MotionFileError::NotFinite(i));
            }
            write!(out, ",{value:.7}")?;
        }
        writeln!(out)?;
    }
    out.flush()?;
    Ok(())
}

/// What a column holds.
#[derive(Clone, Copy)]
enum Column {
    Time,
    Shape(Blendshape),
    /// Index in [`TURNS`].
    Turn(usize),
    Other,
}

/// A line with its time as the file says it.
struct Row {
    /// Whole seconds.
    second: f64,
    /// Frame of the second.
    frame: f64,
    motion: MotionFrame,
}

/// Reads a file. Lines are put on an even grid: the app leaves frames out where the phone was too slow.
pub(super) fn read(text: &str) -> Result<MotionFile, MotionFileError> {
    if text.len() as u64 > MAX_BYTES {
        return Err(MotionFileError::TooLarge);
    }
    let mut lines = (1..).zip(text.trim_start_matches('\u{feff}').lines()).filter(|(_, l)| !l.trim().is_empty());
    let columns = lines.next().and_then(|(_, line)| heading(line)).ok_or(MotionFileError::LiveLinkHeading)?;
    let (mut rows, mut has_eyes): (Vec<Row>, bool) = (Vec::new(), false);
    for (line, content) in lines {
        if rows.len() >= MAX_FRAMES {
            return Err(MotionFileError::TooManyFrames);
        }
        let (row, eyes) = row(content, &columns).map_err(|problem| MotionFileError::Line { line, problem })?;
        has_eyes |= eyes;
        rows.push(row);
    }
    let fps = rate(&rows);
    let times = times(&rows, fps);
    let mut frames = Vec::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate() {
        let at = times[i].round() as usize;
        // A frame that is missing shows the one before.
        let gap = at.saturating_sub(frames.len());
        if gap as f64 > LONGEST_GAP * fps {
            let problem = format!("{:.0} seconds are missing before it", gap as f64 / fps);
            return Err(MotionFileError::Line { line: i + 2, problem });
        }
        if frames.len() + gap >= MAX_FRAMES {
            return Err(MotionFileError::TooManyFrames);
        }
        let last = frames.last().copied().unwrap_or(row.motion);
        frames.extend(std::iter::repeat_n(last, gap));
        if at + 1 == frames.len() {
            // Two lines for one frame: the later one counts.
            frames.pop();
        }
        frames.push(row.motion);
    }
    if !has_eyes {
        for frame in &mut frames {
            frame.gaze = frame.gaze_of_shapes();
        }
    }
    MotionFile::new(fps, Reference::Neutral, frames)
}

/// The columns of the first line, `None` if it is none of this format.
fn heading(line: &str) -> Option<Vec<Column>> {
    let shape = |name: &str| Blendshape::ALL.into_iter().find(|b| b.name().eq_ignore_ascii_case(name));
    let column = |name: &str| {
        let name = name.trim().trim_matches('"');
        if name.eq_ignore_ascii_case("timecode") {
            Column::Time
        } else if let Some(at) = TURNS.iter().position(|t| t.eq_ignore_ascii_case(name)) {
            Column::Turn(at)
        } else {
            shape(name).map_or(Column::Other, Column::Shape)
        }
    };
    let columns: Vec<Column> = line.split(',').take(MAX_COLUMNS).map(column).collect();
    let shapes = columns.iter().filter(|c| matches!(c, Column::Shape(_))).count();
    (matches!(columns.first(), Some(Column::Time)) && shapes > 0).then_some(columns)
}

/// A line's motion, and whether it tells where the eyes look.
fn row(line: &str, columns: &[Column]) -> Result<(Row, bool), String> {
    let mut motion = MotionFrame::default();
    let (mut second, mut frame) = (0.0, 0.0);
    let mut turns = [0.0f32; TURNS.len()];
    let mut fields = 0;
    let mut eyes = false;
    for (text, &column) in line.split(',').zip(columns) {
        fields += 1;
        let text = text.trim();
        let number = || match text.parse::<f32>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => Err(format!("\"{}\" is no number", text.chars().take(20).collect::<String>())),
        };
        match column {
            Column::Time => {
                (second, frame) = time_code(text).ok_or_else(|| {
                    format!("\"{}\" is no time code such as 10:20:30:05.000", text.chars().take(20).collect::<String>())
                })?
            }
            Column::Shape(shape) => motion.blendshapes[shape] = number()?,
            Column::Turn(at) => {
                turns[at] = number()?.to_degrees();
                eyes |= at >= 3;
            }
            Column::Other => {}
        }
    }
    if fields < columns.len() {
        return Err(format!("it has {fields} values, the first line has {} names", columns.len()));
    }
    let [yaw, pitch, roll, left_yaw, left_pitch, _, right_yaw, right_pitch, _] = turns;
    (motion.head.yaw, motion.head.pitch, motion.head.roll) = (-yaw, pitch, roll);
    motion.gaze = Gaze { x: -0.5 * (left_yaw + right_yaw), y: 0.5 * (left_pitch + right_pitch) };
    Ok((Row { second, frame, motion }, eyes))
}

/// Whole seconds and the frame with its fraction.
fn time_code(text: &str) -> Option<(f64, f64)> {
    let mut parts = text.split([':', ';']);
    let mut next = || parts.next()?.trim().parse::<f64>().ok().filter(|v| (0.0..1e6).contains(v));
    let (h, m, s, f) = (next()?, next()?, next()?, next()?);
    parts.next().is_none().then_some((3600.0 * h + 60.0 * m + s, f))
}

/// The frame rate that the frame numbers speak of: the smallest usual one that is larger than all of them, if there is a
/// whole second to tell from.
fn rate(rows: &[Row]) -> f64 {
    let most = rows.iter().map(|r| r.frame.floor()).fold(0.0, f64::max);
    let turns = rows.windows(2).any(|w| w[1].second != w[0].second);
    let fitting = RATES.into_iter().find(|&r| r > most).unwrap_or((most + 1.0).min(*FPS_RANGE.end()));
    if turns { fitting } else { USUAL_RATE.max(fitting) }
}

/// Frames since the first line; they never fall. Midnight may pass.
fn times(rows: &[Row], fps: f64) -> Vec<f64> {
    let Some(first) = rows.first() else { return Vec::new() };
    let start = first.second * fps + first.frame;
    let day = 24.0 * 3600.0 * fps;
    let mut last = 0.0f64;
    rows.iter()
        .map(|row| {
            let since = row.second * fps + row.frame - start;
            let since = if since < -0.5 * day { since + day } else { since };
            last = last.max(since);
            last
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn motion(frames: usize) -> MotionFile {
        let frame = |i: usize| {
            let mut frame = MotionFrame::default();
            for (k, b) in Blendshape::ALL.into_iter().enumerate().filter(|(_, b)| *b != Blendshape::TongueUp) {
                frame.blendshapes[b] = ((i * 7 + k * 3) % 100) as f32 / 100.0;
            }
            frame.head.yaw = i as f32 * 0.1 - 3.0;
            (frame.head.pitch, frame.head.roll) = (2.0, -1.0);
            frame.gaze = Gaze { x: 5.0, y: -2.5 };
            frame
        };
        MotionFile::new(25.0, Reference::Speech, (0..frames).map(frame).collect()).unwrap()
    }

    fn text_of(file: &MotionFile) -> String {
        let mut out = Vec::new();
        write(file, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn motion_survives_the_way_there_and_back() {
        let file = motion(60);
        let text = text_of(&file);
        let first: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        assert_eq!(
            (first.len(), first[0], first[17], first[18], first[62]),
            (63, "Timecode", "JawRight", "JawLeft", "RightEyeRoll")
        );
        assert!(text.lines().nth(27).unwrap().starts_with("00:00:01:01.000,61,"));
        let back = read(&text).unwrap();
        assert_eq!((back.fps(), back.reference(), back.frames().len()), (25.0, Reference::Neutral, 60));
        for (a, b) in file.frames().iter().zip(back.frames()) {
            assert!(a.blendshapes.0.iter().zip(&b.blendshapes.0).all(|(x, y)| (x - y).abs() < 1e-5));
            assert!((a.head.yaw - b.head.yaw).abs() < 1e-4 && (a.head.roll - b.head.roll).abs() < 1e-4);
            assert!((a.gaze.x - b.gaze.x).abs() < 1e-4 && (a.gaze.y - b.gaze.y).abs() < 1e-4);
        }
    }

    #[test]
    fn signs_are_those_of_the_app() {
        // Eyes that look to the subject's right, which is the image's left, and down.
        let text = "Timecode,BlendshapeCount,EyeLookDownLeft,EyeLookInLeft,HeadYaw,LeftEyeYaw,LeftEyePitch,RightEyeYaw,RightEyePitch\n\
            14:58:11:12.4,61,0.003,0.027,0.1,0.02,0.01,0.02,0.01\n";
        let frame = read(text).unwrap().frames()[0];
        assert!(frame.gaze.x < -1.0 && frame.gaze.y > 0.5 && frame.head.yaw < -5.0, "{frame:?}");
    }

    #[test]
    fn dropped_frames_and_midnight_are_bridged() {
        let line = |code: &str, jaw: f32| format!("{code},61,{jaw}\n");
        let text = "Timecode,BlendshapeCount,JawOpen\n".to_owned()
            + &line("23:59:59:58.429", 0.1)
            + &line("23:59:59:59.430", 0.2)
            + &line("00:00:00:03.441", 0.3)
            + &line("00:00:00:03.441", 0.4);
        let file = read(&text).unwrap();
        let jaw: Vec<f32> = file.frames().iter().map(|f| f.blendshapes[Blendshape::JawOpen]).collect();
        assert_eq!((file.fps(), jaw), (60.0, vec![0.1, 0.2, 0.2, 0.2, 0.2, 0.4]));
    }

    #[test]
    fn hostile_files_are_refused_by_line() {
        let with = |line: &str| format!("Timecode,BlendshapeCount,JawOpen,HeadYaw\n10:00:00:00.0,61,0.1,0\n{line}\n");
        for line in [
            "10:00:00:01.0,61,NaN,0",
            "10:00:00:01.0,61,x,0",
            "10:00:00:01.0,61,1e99,0",
            "10:00:00,61,0,0",
            "10:00:00:01.0,61",
            "-1:0:0:0,61,0,0",
            "12:00:00:00.0,61,0,0",
        ] {
            let error = read(&with(line)).unwrap_err();
            assert!(error.to_string().contains("Line 3"), "{line}: {error}");
        }
        for text in ["", "hello", "a,b,c\n1,2,3", "Timecode\n10:00:00:00.0"] {
            assert!(matches!(read(text), Err(MotionFileError::LiveLinkHeading)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_breaks_the_reader(text in "[0-9:.,;a-zA-Z\n-]{0,300}") {
            let _ = read(&text);
            let _ = read(&format!("Timecode,BlendshapeCount,JawOpen,HeadYaw\n{text}"));
        }
    }
}
