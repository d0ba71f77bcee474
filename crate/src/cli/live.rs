//! `parlante live`: sound from a pipe in, pictures into a pipe out, in step with the clock.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use parlante::audio::SAMPLE_RATE;
use parlante::motion::frame::FPS;
use parlante::motion::generator::REFERENCE;
use parlante::output::{OutputError, Y4m};

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
    /// What to write: y4m, which says itself what it is, or bare pixels
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

/// What pictures are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pictures {
    /// YUV4MPEG2, 4:2:0, BT.601
    Y4m,
    /// Bare RGBA, eight bits each
    Rgba,
}

/// Where pictures go.
enum Sink {
    Y4m(Y4m<Box<dyn Write>>),
    Rgba(Box<dyn Write>, Vec<u8>),
}

impl Sink {
    fn set(&mut self, rgba: &[u8]) {
        match self {
            Self::Y4m(stream) => stream.set_rgba(rgba),
            Self::Rgba(_, kept) => kept.copy_from_slice(rgba),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        match self {
            Self::Y4m(stream) => stream.write(),
            Self::Rgba(out, rgba) => out.write_all(rgba).and_then(|()| out.flush()),
        }
    }
}

/// Speaks what comes in until it ends, somebody presses Ctrl-C, or nobody takes the pictures any more.
pub fn run(arguments: &LiveArguments) -> Result<String, Failure> {
    let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
    if io::stdin().is_terminal() {
        return usage(
            "Sound comes from standard input: pipe it in, as in `arecord -f S16_LE -r 16000 | parlante live FACE.jpg | ffplay -`.",
        );
    }
    if arguments.output.is_none() && io::stdout().is_terminal() {
        return usage("Pictures go to standard output: pipe them on, as in `… | ffplay -`, or give a file with -o.");
    }
    let background = models::background(&arguments.background)?;
    if background.is_transparent() && arguments.pictures == Pictures::Y4m {
        return usage("YUV4MPEG2 carries no transparency: ask for --pictures rgba, or choose a colour to key out.");
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
    let inbox = Inbox::open(io::stdin(), arguments.rate, arguments.samples)?;
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
    let start = Instant::now();
    for tick in 0u32.. {
        let due = start + Duration::from_secs(1) * tick / FPS;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        // Ctrl-C is how a live face is ended.
        let more = inbox.take(&mut block) && interrupt::check().is_ok();
        stream.push(&block, &mut frames)?;
        if !more {
            stream.finish(&mut frames)?;
        }
        for frame in frames.drain(..) {
            if due.elapsed() < LATE {
                painter.render(&frame, REFERENCE, &mut rgba)?;
                sink.set(&rgba);
            }
            sink.write().map_err(Stop::Gone)?;
        }
        if !more {
            return Ok(());
        }
    }
    Ok(())
}
