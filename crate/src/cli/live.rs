//! `parlante live`: sound from a pipe in, pictures into a pipe out, in step with the clock.

use std::collections::VecDeque;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use parlante::audio::SAMPLE_RATE;
use parlante::audio::opus::RATE;
use parlante::audio::resample::Resampler;
use parlante::motion::frame::FPS;
use parlante::motion::generator::REFERENCE;
use parlante::output::{LiveMp4, OutputError, StreamError, Y4m};

use super::args::{Backend, Behind, Wishes, behind, size};
use super::failure::Failure;
use super::inbox::{Inbox, Samples};
use super::painter::Painter;
use super::progress::Progress;
use super::{device, interrupt, models};

/// Samples that go with one picture.
const BLOCK: usize = (SAMPLE_RATE / FPS) as usize;
/// A picture that is later than this is not drawn: the one before is shown once more, and nothing queues.
const LATE: Duration = Duration::from_millis(80);

/// `parlante live`.
#[derive(Args)]
pub struct LiveArguments {
    /// Photo with a face: JPEG, PNG or WebP
    pub portrait: PathBuf,
    /// Samples a second of the sound on standard input, one channel
    #[arg(long, default_value_t = 16_000, value_parser = clap::value_parser!(u32).range(8_000..=192_000))]
    pub rate: u32,
    /// How the samples lie
    #[arg(long, value_enum, default_value_t = Samples::S16le)]
    pub samples: Samples,
    /// Listen to a microphone instead: the one with this id, or the one that the system prefers
    #[cfg(feature = "device")]
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["rate", "samples"])]
    pub device: Option<String>,
    /// What to write: y4m, which says itself what it is, bare pixels, or mp4, small and with the sound
    #[arg(long, value_enum, default_value_t = Pictures::Y4m)]
    pub pictures: Pictures,
    /// Where to write, such as a named pipe [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Side of the pictures in pixels, even
    #[arg(long, default_value_t = 512, value_parser = size)]
    pub size: u32,
    /// What draws
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    pub backend: Backend,
    /// What is behind the person: keep, blur, a colour such as #203040, transparent (rgba only), or a picture file
    #[arg(long, value_name = "WHAT", default_value = "keep", value_parser = behind)]
    pub background: Behind,
    /// How the person should be.
    #[command(flatten)]
    pub wishes: Wishes,
    /// Model pack [default: build/parlante-default.gguf near the program or the current folder]
    #[arg(long, value_name = "FILE")]
    pub pack: Option<PathBuf>,
}

/// What is kept while a microphone is heard.
#[cfg(feature = "device")]
type Source = Option<cpal::Stream>;
#[cfg(not(feature = "device"))]
type Source = ();

impl LiveArguments {
    /// Sound comes from a microphone.
    fn listens(&self) -> bool {
        #[cfg(feature = "device")]
        return self.device.is_some();
        #[cfg(not(feature = "device"))]
        false
    }

    /// Begins to take the sound.
    fn source(&self) -> Result<(Inbox, Source), Failure> {
        #[cfg(feature = "device")]
        if let Some(id) = &self.device {
            let (inbox, stream) = super::microphone::open(Some(id.as_str()).filter(|id| !id.is_empty()))?;
            return Ok((inbox, Some(stream)));
        }
        Ok((Inbox::open(io::stdin(), self.rate, self.samples)?, Source::default()))
    }
}

/// What pictures are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pictures {
    /// YUV4MPEG2, 4:2:0, BT.601
    Y4m,
    /// Bare RGBA, eight bits each
    Rgba,
    /// H.264 and Opus in fragments that can be read as they come
    Mp4,
}

/// Where pictures go.
enum Sink {
    Y4m(Y4m<Box<dyn Write>>),
    Rgba(Box<dyn Write>, Vec<u8>),
    Mp4(Box<LiveMp4<Box<dyn Write>>>, Box<Resampler>, Vec<f32>),
}

impl Sink {
    fn set(&mut self, rgba: &[u8]) {
        match self {
            Self::Y4m(stream) => stream.set_rgba(rgba),
            Self::Rgba(_, kept) => kept.copy_from_slice(rgba),
            Self::Mp4(stream, ..) => stream.set_rgba(rgba),
        }
    }

    /// Writes the picture, with the speech that belongs to it.
    fn write(&mut self, speech: &[f32]) -> Result<(), Stop> {
        match self {
            Self::Y4m(stream) => stream.write().map_err(Stop::Gone),
            Self::Rgba(out, rgba) => out.write_all(rgba).and_then(|()| out.flush()).map_err(Stop::Gone),
            Self::Mp4(stream, resampler, sound) => {
                sound.clear();
                resampler.push(speech, sound);
                stream.sound(sound)?;
                stream.write().map_err(|error| match error {
                    StreamError::Write(error) => Stop::Gone(error),
                    StreamError::Encode(error) => Stop::Failed(error.into()),
                })
            }
        }
    }
}

/// Speaks what comes in until it ends, somebody presses Ctrl-C, or nobody takes the pictures any more.
pub fn run(arguments: &LiveArguments) -> Result<String, Failure> {
    let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
    if !arguments.listens() && io::stdin().is_terminal() {
        return usage(
            "Sound comes from standard input: pipe it in, as in `arecord -f S16_LE -r 16000 | parlante live FACE.jpg | ffplay -`.",
        );
    }
    if arguments.output.is_none() && io::stdout().is_terminal() {
        return usage("Pictures go to standard output: pipe them on, as in `… | ffplay -`, or give a file with -o.");
    }
    let background = models::background(&arguments.background)?;
    if background.is_transparent() && arguments.pictures != Pictures::Rgba {
        return usage("Video carries no transparency: ask for --pictures rgba, or choose a colour to key out.");
    }
    let device = device::open(arguments.backend)?;
    let models = models::open(arguments.pack.as_deref(), &device)?;
    let step = Progress::step("Fitting the portrait");
    let face = models::fit(&models, &arguments.portrait, None)?;
    for warning in &face.warnings {
        step.say(&format!("parlante: {warning}"));
    }
    drop(step);
    let mut painter = Painter::open(&models, face, arguments.size, arguments.backend)?;
    painter
        .set_background(&background)
        .map_err(|e| Failure::Background { path: arguments.portrait.clone(), reason: e.to_string() })?;

    let sink = open(arguments)?;
    // The microphone is heard as long as this is kept.
    let (inbox, _source) = arguments.source()?;
    let mut stream = models.motion(arguments.wishes.controls(), arguments.wishes.seed, f64::from(FPS))?;
    let told = speak(&mut stream, inbox, &mut painter, sink);
    match told {
        Err(Stop::Gone(error)) if error.kind() != ErrorKind::BrokenPipe => {
            let path = arguments.output.clone().unwrap_or_else(|| "standard output".into());
            Err(OutputError::from_io(&path, error).into())
        }
        Err(Stop::Failed(failure)) => Err(failure),
        Ok(()) | Err(Stop::Gone(_)) => Ok(String::new()),
    }
}

/// Opens the output and writes its head.
fn open(arguments: &LiveArguments) -> Result<Sink, Failure> {
    let name = arguments.output.clone().unwrap_or_else(|| "standard output".into());
    let failed = |error| Failure::from(OutputError::from_io(&name, error));
    let out: Box<dyn Write> = match &arguments.output {
        Some(path) => Box::new(BufWriter::new(std::fs::File::create(path).map_err(failed)?)),
        None => Box::new(BufWriter::new(io::stdout())),
    };
    let side = arguments.size as usize;
    Ok(match arguments.pictures {
        Pictures::Rgba => Sink::Rgba(out, vec![0; side * side * 4]),
        Pictures::Y4m => {
            let mut stream = Y4m::new(out, side)?;
            stream.head(FPS).map_err(failed)?;
            Sink::Y4m(stream)
        }
        Pictures::Mp4 => {
            let resampler = Resampler::new(SAMPLE_RATE, RATE, 1)?;
            Sink::Mp4(Box::new(LiveMp4::new(out, side, FPS)?), Box::new(resampler), Vec::new())
        }
    })
}

/// Why the pictures stop before the sound does.
enum Stop {
    /// They cannot be written any more.
    Gone(io::Error),
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn speak(
    stream: &mut parlante::animator::MotionStream,
    mut inbox: Inbox,
    painter: &mut Painter,
    mut sink: Sink,
) -> Result<(), Stop> {
    let side = painter.size() as usize;
    let (mut rgba, mut block, mut frames) = (vec![0; side * side * 4], [0.0; BLOCK], Vec::new());
    // Pictures come later than their sound, by the look-ahead of the motion.
    let (mut heard, mut speech) = (VecDeque::<f32>::new(), [0.0; BLOCK]);
    let start = Instant::now();
    for tick in 0u32.. {
        let due = start + Duration::from_secs(1) * tick / FPS;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        // Ctrl-C is how a live face is ended.
        let more = inbox.take(&mut block) && interrupt::check().is_ok();
        stream.push(&block, &mut frames)?;
        heard.extend(block);
        if !more {
            stream.finish(&mut frames)?;
        }
        for frame in frames.drain(..) {
            if due.elapsed() < LATE {
                painter.render(&frame, REFERENCE, &mut rgba)?;
                sink.set(&rgba);
            }
            let count = BLOCK.min(heard.len());
            for (to, x) in speech.iter_mut().zip(heard.drain(..count)) {
                *to = x;
            }
            sink.write(&speech[..count])?;
        }
        if !more {
            return Ok(());
        }
    }
    Ok(())
}
