//! `parlante motion`, and `parlante animate … -o m.json`.

use std::path::Path;

use parlante::animator::MotionStream;
use parlante::exec::Device;
use parlante::motion::file::MAX_FRAMES;
use parlante::motion::generator::REFERENCE;
use parlante::motion::{MotionFile, MotionFileError};
use parlante::output::{NewFile, OutputError};
use parlante::pack::Pack;

use super::args::{MotionArguments, Wishes};
use super::failure::Failure;
use super::progress::Progress;
use super::soundtrack::Recording;
use super::words::WordsArguments;
use super::{interrupt, models};

/// Turns a recording into a motion file.
pub fn run(arguments: &MotionArguments) -> Result<String, Failure> {
    let ending = arguments.output.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if !ending.eq_ignore_ascii_case("json") && !ending.eq_ignore_ascii_case("csv") {
        let text = "`parlante motion` writes a motion file: end its name in .json, or in .csv for Live Link Face.";
        return Err(Failure::Usage(text.into()));
    }
    let pack = Pack::from_bytes(models::read_pack(arguments.pack.as_deref())?)?;
    let MotionArguments { audio, output, fps, words, wishes, .. } = arguments;
    write(&pack, &Device::Cpu, audio, output, *fps, words, wishes)
}

/// Generates motion and writes it.
pub fn write(
    pack: &Pack,
    device: &Device,
    audio: &Path,
    output: &Path,
    fps: u32,
    words: &WordsArguments,
    wishes: &Wishes,
) -> Result<String, Failure> {
    let phones = words.load(pack, audio)?;
    let mut recording = Recording::open(audio)?;
    let mut stream = MotionStream::on(pack, wishes.controls(), wishes.seed, f64::from(fps), device)?;
    stream.set_phones(phones.as_ref(), 0.0);
    let out = NewFile::create(output)?;
    let progress = Progress::frames("Listening", recording.expected_frames(fps));
    let (mut speech, mut sound, mut frames) = (Vec::new(), Vec::new(), Vec::new());
    while recording.read(&mut speech, &mut sound) {
        interrupt::check()?;
        let before = frames.len();
        stream.push(&speech, &mut frames)?;
        (before..frames.len()).for_each(|_| progress.advance());
        speech.clear();
        sound.clear();
        if frames.len() > MAX_FRAMES {
            return Err(MotionFileError::TooManyFrames.into());
        }
    }
    stream.finish(&mut frames)?;
    recording.report(&progress);
    drop(progress);
    words.fit(phones.as_ref(), stream.seconds())?;
    save(MotionFile::new(f64::from(fps), REFERENCE, frames)?, out)
}

/// Writes a motion file and says what it holds.
pub fn save(motion: MotionFile, mut out: NewFile) -> Result<String, Failure> {
    let path = out.path().to_owned();
    let csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let written = if csv { motion.write_live_link(&mut out) } else { motion.write(&mut out) };
    written.map_err(|error| match error {
        MotionFileError::Io(source) => Failure::Output(OutputError::from_io(&path, source)),
        other => other.into(),
    })?;
    out.keep()?;
    Ok(format!("{} ({} frames, {:.2} s)", path.display(), motion.frames().len(), motion.duration()))
}
