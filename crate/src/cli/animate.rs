//! `parlante animate`.

use std::io::Read;
use std::path::{Path, PathBuf};

use parlante::animator::Models;
use parlante::motion::MotionFile;
use parlante::motion::file::MAX_BYTES;
use parlante::motion::frame::FPS;
use parlante::motion::generator::REFERENCE;
use parlante::motion::timed::TimedPhones;
use parlante::output::{Container, Finished, NewFile, OutputError, VideoSettings, VideoWriter};

use super::args::AnimateArguments;
use super::failure::Failure;
use super::painter::Painter;
use super::progress::Progress;
use super::render::Renderer;
use super::soundtrack::Recording;
use super::{device, models, motion, sample};

/// What the face follows.
enum Source {
    Speech(PathBuf),
    Motion { file: PathBuf, audio: Option<PathBuf> },
}

/// Animates a portrait.
pub fn run(arguments: &AnimateArguments) -> Result<String, Failure> {
    let (portrait, source) = inputs(arguments)?;
    let device = device::open(arguments.backend)?;
    let output = output_path(arguments, &portrait)?;
    let motion_only = is_motion(&output);
    let container = Container::of(&output);
    if container.is_none() && !motion_only {
        return Err(OutputError::UnknownEnding(output).into());
    }
    let motion = match &source {
        Source::Motion { file, .. } => Some(read_motion(file)?),
        Source::Speech(_) => None,
    };
    let background = models::background(&arguments.background)?;
    if background.is_transparent() && !matches!(container, None | Some(Container::Frames)) {
        return Err(Failure::Usage(
            "MP4 and WebM cannot carry transparency here; write PNG pictures (-o FOLDER/), or choose a colour to key out, such \
             as --background #00ff00."
                .into(),
        ));
    }
    let models = models::open(arguments.pack.as_deref(), &device)?;
    let phones = match (&source, container) {
        (Source::Speech(audio), Some(_)) => arguments.words.load(models.pack(), audio)?,
        _ => None,
    };
    let step = Progress::step("Fitting the portrait");
    let mut face = models::fit(&models, &portrait, arguments.face)?;
    face.glasses = arguments.glasses.worn(face.glasses);
    for warning in &face.warnings {
        step.say(&format!("parlante: {warning}"));
    }
    drop(step);
    let Some(container) = container else {
        return match (source, motion) {
            (Source::Speech(audio), _) => {
                let fps = arguments.fps.unwrap_or(FPS);
                motion::write(models.pack(), &device, &audio, &output, fps, &arguments.words, &arguments.wishes)
            }
            (_, Some(file)) => {
                let fps = arguments.fps.map_or(file.fps(), f64::from);
                motion::save(file.resampled(fps)?, NewFile::create(&output)?)
            }
            _ => Err(Failure::Internal("There is no motion to write.".into())),
        };
    };
    let mut painter = Painter::open(&models, face, arguments.size, arguments.backend)?;
    painter
        .set_background(&background)
        .map_err(|e| Failure::Background { path: portrait.clone(), reason: e.to_string() })?;
    device::report(&device, &painter);
    let writer = |fps, channels, expected: Option<u64>| {
        let size = arguments.size as usize;
        let expected_pictures = expected.unwrap_or(0);
        let settings = VideoSettings { width: size, height: size, fps, channels, expected_pictures };
        VideoWriter::create(&output, container, &settings)
    };
    let finished = match (source, motion) {
        (Source::Motion { audio, .. }, Some(file)) => {
            let fps = arguments.fps.unwrap_or_else(|| whole_rate(file.fps()));
            let file = file.resampled(f64::from(fps))?;
            let recording = audio.as_deref().map(Recording::open).transpose()?;
            let total = Some(file.frames().len() as u64);
            let channels = recording.as_ref().map_or(0, Recording::channels);
            let renderer =
                Renderer::start(painter, writer(fps, channels, total)?, Progress::frames("Animating", total));
            play(renderer, &file, recording, fps)?
        }
        (Source::Speech(audio), _) => {
            let fps = arguments.fps.unwrap_or(FPS);
            let recording = Recording::open(&audio)?;
            let total = recording.expected_frames(fps);
            let video = writer(fps, recording.channels(), total)?;
            let renderer = Renderer::start(painter, video, Progress::frames("Animating", total));
            speak(renderer, &models, recording, fps, phones.as_ref(), arguments)?
        }
        _ => return Err(Failure::Internal("There is no motion to play.".into())),
    };
    Ok(format!("{} ({} frames, {:.2} s)", output.display(), finished.pictures, finished.seconds))
}

/// Plays a motion file, with sound where there is a recording.
fn play(
    mut renderer: Renderer,
    file: &MotionFile,
    mut recording: Option<Recording>,
    fps: u32,
) -> Result<Finished, Failure> {
    let total = file.frames().len() as u64;
    let mut draw = || {
        let mut sent = 0;
        for (index, frame) in (1..).zip(file.frames()) {
            if let Some(recording) = &mut recording {
                send_sound(&mut renderer, recording, &mut sent, index, total, fps)?;
            }
            renderer.frame(frame, file.reference())?;
        }
        Ok(())
    };
    let drawn = draw();
    if let Some(recording) = &recording {
        recording.report(renderer.progress());
    }
    renderer.finish(drawn)
}

/// Sends the sound up to the end of frame `index`, counted from 1, and nothing beyond the last of `total` frames.
fn send_sound(
    renderer: &mut Renderer,
    recording: &mut Recording,
    sent: &mut u64,
    index: u64,
    total: u64,
    fps: u32,
) -> Result<(), Failure> {
    let rate = u64::from(parlante::audio::opus::RATE);
    let channels = recording.channels() as u64;
    let end = |frames: u64| frames * rate / u64::from(fps) * channels;
    let (mut speech, mut sound) = (Vec::new(), Vec::new());
    while *sent + (sound.len() as u64) < end(index) && recording.read(&mut speech, &mut sound) {
        speech.clear();
    }
    sound.truncate(end(total).saturating_sub(*sent) as usize);
    *sent += sound.len() as u64;
    renderer.sound(sound)
}

/// Generates motion for a recording and draws it.
fn speak(
    mut renderer: Renderer,
    models: &Models,
    mut recording: Recording,
    fps: u32,
    phones: Option<&TimedPhones>,
    arguments: &AnimateArguments,
) -> Result<Finished, Failure> {
    let wishes = &arguments.wishes;
    let mut draw = || {
        let mut stream = models.motion(wishes.controls(), wishes.seed, f64::from(fps))?;
        stream.set_phones(phones, 0.0);
        let (mut speech, mut frames) = (Vec::new(), Vec::new());
        loop {
            let mut sound = Vec::new();
            let more = recording.read(&mut speech, &mut sound);
            stream.push(&speech, &mut frames)?;
            speech.clear();
            if !more {
                stream.finish(&mut frames)?;
            }
            renderer.sound(sound)?;
            for frame in frames.drain(..) {
                renderer.frame(&frame, REFERENCE)?;
            }
            if !more {
                return arguments.words.fit(phones, stream.seconds());
            }
        }
    };
    let drawn = draw();
    recording.report(renderer.progress());
    renderer.finish(drawn)
}

fn inputs(arguments: &AnimateArguments) -> Result<(PathBuf, Source), Failure> {
    let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
    let (portrait, source) = match (&arguments.portrait, &arguments.source) {
        (None, _) => return Ok((sample::portrait()?, Source::Speech(sample::speech()?))),
        (Some(_), None) => return usage("Name a recording or a motion file after the portrait."),
        (Some(portrait), Some(source)) => (portrait.clone(), source.clone()),
    };
    match (is_motion(&source), &arguments.audio) {
        (false, None) => Ok((portrait, Source::Speech(source))),
        (false, Some(_)) => usage("Give one recording, or a motion file (.json, .csv) and a recording."),
        (true, _) if !arguments.wishes.are_default() => {
            usage("--seed, --emotion, --gaze and the like shape generated motion; a motion file is played as it is.")
        }
        (true, _) if !arguments.words.is_empty() => {
            usage("--phones and --transcript shape generated motion; a motion file is played as it is.")
        }
        (true, audio) => Ok((portrait, Source::Motion { file: source, audio: audio.clone() })),
    }
}

/// The output asked for, or `out/PORTRAIT.mp4`, whose folder is made.
fn output_path(arguments: &AnimateArguments, portrait: &Path) -> Result<PathBuf, Failure> {
    if let Some(output) = &arguments.output {
        return Ok(output.clone());
    }
    let folder = Path::new("out");
    let path = folder.join(portrait.with_extension("mp4").file_name().unwrap_or("out.mp4".as_ref()));
    std::fs::create_dir_all(folder).map_err(|source| OutputError::from_io(&path, source))?;
    Ok(path)
}

/// Whether a file's name says that it holds motion.
fn is_motion(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json") || e.eq_ignore_ascii_case("csv"))
}

fn read_motion(path: &Path) -> Result<MotionFile, Failure> {
    let failed = |source| Failure::MotionFile { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    let motion = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) {
        let mut csv = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut csv).map_err(failed)?;
        MotionFile::from_live_link(&csv)?
    } else {
        MotionFile::from_reader(std::io::BufReader::new(file))?
    };
    if motion.frames().is_empty() {
        return Err(Failure::Motion(parlante::motion::MotionFileError::Syntax("it has no frames".into())));
    }
    Ok(motion)
}

/// The nearest frame rate that a video can have.
fn whole_rate(fps: f64) -> u32 {
    fps.round().clamp(1.0, 120.0) as u32
}
