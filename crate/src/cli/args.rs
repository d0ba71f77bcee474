//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use parlante::decode::Background;
use parlante::motion::Controls;
use parlante::motion::controls::Emotion;
use parlante::motion::frame::Gaze;

use super::live::LiveArguments;
use super::words::WordsArguments;

/// Smallest and largest side of a video, pixels.
const SIZES: std::ops::RangeInclusive<u32> = 64..=2048;
/// Frame rates of a video.
const RATES: std::ops::RangeInclusive<u32> = 1..=120;

/// Exit codes, for --help.
const EXIT_CODES: &str = "Exit codes: 0 done, 2 wrong arguments, 3 the portrait cannot be used, 4 the recording cannot \
be used, 5 the motion file, phones or transcript cannot be used, 6 the model pack cannot be used, 7 the output cannot be \
written, 8 the backend is not available, 1 anything else, 130 interrupted. Whatever fails, no unfinished file is left \
behind.";

/// One photo and a voice become a person who speaks.
#[derive(Parser)]
#[command(version, about, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Let a portrait speak a recording or play a motion file; without arguments, the sample
    Animate(AnimateArguments),
    /// Turn a recording into a motion file
    Motion(MotionArguments),
    /// Speak with sound from a pipe, into a pipe: for microphones, speech synthesis and virtual cameras
    Live(LiveArguments),
    /// Measure how fast this machine is
    Bench(BenchArguments),
    /// Look into model packs
    Pack {
        /// What to do with it.
        #[command(subcommand)]
        command: PackCommand,
    },
}

/// What to do with a pack.
#[derive(Subcommand)]
pub enum PackCommand {
    /// List metadata and tensors
    Inspect {
        /// The pack (GGUF)
        file: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// `parlante animate`.
#[derive(Args)]
pub struct AnimateArguments {
    /// Photo with a face: JPEG, PNG or WebP
    pub portrait: Option<PathBuf>,
    /// Recording (WAV, MP3, FLAC, Ogg, Opus, M4A, WebM) or motion file (.json, or .csv of Live Link Face)
    #[arg(value_name = "AUDIO|MOTION.json")]
    pub source: Option<PathBuf>,
    /// Recording to play with a motion file
    #[arg(value_name = "AUDIO")]
    pub audio: Option<PathBuf>,
    /// What to write: .mp4 (H.264 and Opus), .webm (AV1 and Opus), .json or .csv (motion only) or a new folder, its name
    /// ending in /, for PNG pictures without sound [default: out/PORTRAIT.mp4]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Side of the square video in pixels, even
    #[arg(long, default_value_t = 512, value_parser = size)]
    pub size: u32,
    /// Frames a second, 1 to 120 [default: 25, or the motion file's]
    #[arg(long, value_parser = fps)]
    pub fps: Option<u32>,
    /// What draws, and where networks run
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    pub backend: Backend,
    /// Which face of the photo, counted from 0 by size [default: the largest]
    #[arg(long, value_name = "N")]
    pub face: Option<usize>,
    /// Whether the person wears glasses. Say on where thin frames bend in a blink, off where none are worn and brows and lids
    /// stand still
    #[arg(long, value_enum, default_value_t = Glasses::Auto)]
    pub glasses: Glasses,
    /// What is behind the person: keep (the photo's own), blur, a colour such as #203040, transparent, or a picture file
    #[arg(long, value_name = "WHAT", default_value = "keep", value_parser = behind)]
    pub background: Behind,
    /// What is known of the words.
    #[command(flatten)]
    pub words: WordsArguments,
    /// How the person should be.
    #[command(flatten)]
    pub wishes: Wishes,
    /// Model pack [default: build/parlante-default.gguf near the program or the current folder]
    #[arg(long, value_name = "FILE")]
    pub pack: Option<PathBuf>,
}

/// `parlante motion`.
#[derive(Args)]
pub struct MotionArguments {
    /// Recording (WAV, MP3, FLAC, Ogg, Opus, M4A, WebM)
    pub audio: PathBuf,
    /// Motion file to write (.json, or .csv as Live Link Face does)
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Frames a second, 1 to 120
    #[arg(long, default_value_t = 25, value_parser = fps)]
    pub fps: u32,
    /// What is known of the words.
    #[command(flatten)]
    pub words: WordsArguments,
    /// How the person should be.
    #[command(flatten)]
    pub wishes: Wishes,
    /// Model pack [default: build/parlante-default.gguf near the program or the current folder]
    #[arg(long, value_name = "FILE")]
    pub pack: Option<PathBuf>,
}

/// `parlante bench`.
#[derive(Args)]
pub struct BenchArguments {
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Write a page with plots, too
    #[arg(long, value_name = "FILE.html")]
    pub html: Option<PathBuf>,
    /// Instead: speak a second, ten, a hundred and an hour, to see whether time grows as the sound does and memory does not
    #[arg(long, conflicts_with = "html")]
    pub soak: bool,
    /// Side of the frames in pixels, even
    #[arg(long, default_value_t = 512, value_parser = size)]
    pub size: u32,
    /// What draws, and where networks run
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    pub backend: Backend,
    /// Photo to draw [default: the sample]
    #[arg(long, value_name = "FILE")]
    pub portrait: Option<PathBuf>,
    /// Model pack [default: build/parlante-default.gguf near the program or the current folder]
    #[arg(long, value_name = "FILE")]
    pub pack: Option<PathBuf>,
}

/// Everything that shapes generated motion.
#[derive(Args)]
pub struct Wishes {
    /// Start of the random numbers behind blinks, gaze and head: the same seed gives the same take
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Mixed emotions, such as happy=0.6,surprised=0.3: happy, sad, angry, surprised, afraid, disgusted, tender
    #[arg(long, value_name = "NAME[=STRENGTH],…", value_parser = emotion, default_value = "", hide_default_value = true)]
    pub emotion: Emotions,
    /// Where to look, degrees to the image's right and down, -30 to 30
    #[arg(long, value_name = "X,Y", value_parser = gaze, default_value = "0,0", allow_hyphen_values = true)]
    pub gaze: Gaze,
    /// Size of the head, 0.5 to 2; above 1: nearer
    #[arg(long, default_value_t = 1.0, value_parser = distance, allow_hyphen_values = true)]
    pub distance: f32,
    /// Turn of the head added to the portrait's own: yaw, pitch and roll in degrees, -30 to 30
    #[arg(long, value_name = "YAW,PITCH,ROLL", value_parser = pose, default_value = "0,0,0", allow_hyphen_values = true)]
    pub pose: Pose,
    /// How much head, brows and eyes move by themselves, 0 to 2
    #[arg(long, default_value_t = 1.0, value_parser = amount, allow_hyphen_values = true)]
    pub expressiveness: f32,
    /// How much the head moves by itself, 0 to 2, beside --expressiveness
    #[arg(long, default_value_t = 1.0, value_parser = amount, allow_hyphen_values = true)]
    pub head_motion: f32,
    /// How wide the mouth opens, 0 to 2
    #[arg(long, default_value_t = 1.0, value_parser = amount, allow_hyphen_values = true)]
    pub mouth: f32,
    /// Blinks a minute, 0 to 60
    #[arg(long, default_value_t = 19.0, value_parser = blinks, allow_hyphen_values = true)]
    pub blinks: f32,
    /// The person listens to the recording instead of speaking it
    #[arg(long)]
    pub listening: bool,
    /// Speak and blink, and nothing else: the same as --expressiveness 0
    #[arg(long, conflicts_with = "expressiveness")]
    pub neutral: bool,
}

/// What is behind the person.
#[derive(Clone, Debug, PartialEq)]
pub enum Behind {
    /// Something that needs no file.
    This(Background),
    /// A picture file.
    File(PathBuf),
}

/// Yaw, pitch, roll in degrees.
#[derive(Clone, Copy)]
pub struct Pose([f32; 3]);

/// Strength of each emotion.
#[derive(Clone, Copy)]
pub struct Emotions([f32; Emotion::COUNT]);

/// Whether a person wears glasses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Glasses {
    /// What the photo looks like
    Auto,
    /// Yes: nothing around the eyes moves, lids are drawn behind the glasses
    On,
    /// No: the skin around the eyes moves
    Off,
}

impl Glasses {
    /// The answer, where the photo says `found`.
    pub fn worn(self, found: bool) -> bool {
        match self {
            Self::Auto => found,
            Self::On => true,
            Self::Off => false,
        }
    }
}

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// The fastest that is there
    Auto,
    /// The GPU by Vulkan, Metal or Direct3D 12
    Wgpu,
    /// The processor
    Cpu,
    /// The networks on the NVIDIA GPU by CUDA, the frames as with auto
    Cuda,
}

impl Wishes {
    /// The generator's controls.
    pub fn controls(&self) -> Controls {
        Controls {
            emotion: self.emotion.0,
            gaze: self.gaze,
            distance: self.distance,
            pose: self.pose.0,
            expressiveness: if self.neutral { 0.0 } else { self.expressiveness },
            head_motion: self.head_motion,
            listening: f32::from(u8::from(self.listening)),
            mouth_amplitude: self.mouth,
            blink_rate: self.blinks,
        }
    }

    /// True if nothing was asked for that a finished motion could not follow.
    pub fn are_default(&self) -> bool {
        self.controls() == Controls::default() && self.seed == 0
    }
}

/// An even side of a picture, pixels.
pub fn size(text: &str) -> Result<u32, String> {
    let wanted = format!("give an even number from {} to {}", SIZES.start(), SIZES.end());
    match text.parse::<u32>() {
        Ok(size) if SIZES.contains(&size) && size % 2 == 0 => Ok(size),
        _ => Err(wanted),
    }
}

fn fps(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(fps) if RATES.contains(&fps) => Ok(fps),
        _ => Err(format!("give a whole number from {} to {}", RATES.start(), RATES.end())),
    }
}

/// A finite number in a range.
fn number(text: &str, range: std::ops::RangeInclusive<f32>) -> Option<f32> {
    text.trim().parse::<f32>().ok().filter(|v| range.contains(v))
}

fn distance(text: &str) -> Result<f32, String> {
    number(text, 0.5..=2.0).ok_or_else(|| "give a number from 0.5 to 2".to_owned())
}

fn amount(text: &str) -> Result<f32, String> {
    number(text, 0.0..=2.0).ok_or_else(|| "give a number from 0 to 2".to_owned())
}

fn blinks(text: &str) -> Result<f32, String> {
    number(text, 0.0..=60.0).ok_or_else(|| "give a number from 0 to 60".to_owned())
}

fn pose(text: &str) -> Result<Pose, String> {
    let angles: Option<Vec<f32>> = text.split(',').map(|part| number(part, -30.0..=30.0)).collect();
    let angles = angles.and_then(|a| <[f32; 3]>::try_from(a).ok());
    angles.map(Pose).ok_or_else(|| "give three numbers from -30 to 30, such as 10,-5,0".to_owned())
}

fn gaze(text: &str) -> Result<Gaze, String> {
    let wanted = || "give two numbers from -30 to 30, such as 10,-5".to_owned();
    let (x, y) = text.split_once(',').ok_or_else(wanted)?;
    let angle = |text| number(text, -30.0..=30.0).ok_or_else(wanted);
    Ok(Gaze { x: angle(x)?, y: angle(y)? })
}

/// What shall be behind the person.
pub fn behind(text: &str) -> Result<Behind, String> {
    match Background::from_name(text) {
        Some(background) => Ok(Behind::This(background)),
        None if text.is_empty() => {
            Err("give keep, blur, transparent, a colour such as #203040, or a picture file".to_owned())
        }
        None if text.starts_with('#') => Err("a colour has six hexadecimal digits, such as #203040".to_owned()),
        None => Ok(Behind::File(text.into())),
    }
}

fn emotion(text: &str) -> Result<Emotions, String> {
    let mut strengths = [0.0; Emotion::COUNT];
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        let (name, strength) = match part.split_once('=') {
            Some((name, strength)) => (
                name.trim(),
                number(strength, 0.0..=1.0).ok_or_else(|| format!("the strength of {name} is a number from 0 to 1"))?,
            ),
            None => (part.trim(), 1.0),
        };
        let emotion = Emotion::from_name(&name.to_ascii_lowercase()).ok_or_else(|| {
            let names: Vec<_> = Emotion::ALL.iter().map(|e| e.name()).collect();
            format!("choose from {}", names.join(", "))
        })?;
        strengths[emotion as usize] = strength;
    }
    Ok(Emotions(strengths))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn a_person_knows_better_than_the_photo_whether_there_are_glasses() {
        for found in [false, true] {
            assert_eq!([Glasses::Auto, Glasses::On, Glasses::Off].map(|g| g.worn(found)), [found, true, false]);
        }
    }

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn wishes_become_controls() {
        let parsed = Arguments::try_parse_from([
            "parlante",
            "motion",
            "a.wav",
            "-o",
            "m.json",
            "--emotion",
            "happy=0.5,Sad",
            "--gaze",
            "-3,4.5",
            "--distance",
            "1.2",
            "--pose",
            "-5,3,0.5",
            "--head-motion",
            "0.5",
            "--blinks",
            "12",
            "--listening",
        ]);
        let Ok(Arguments { command: Command::Motion(motion) }) = parsed else { panic!("these arguments are right") };
        let controls = motion.wishes.controls();
        assert_eq!((controls.emotion[0], controls.emotion[1], controls.distance), (0.5, 1.0, 1.2));
        assert_eq!(controls.gaze, Gaze { x: -3.0, y: 4.5 });
        assert_eq!((controls.pose, controls.head_motion), ([-5.0, 3.0, 0.5], 0.5));
        assert_eq!((controls.blink_rate, controls.listening, controls.expressiveness), (12.0, 1.0, 1.0));
    }

    #[test]
    fn what_is_no_word_and_no_colour_is_a_file() {
        assert_eq!(behind("blur"), Ok(Behind::This(Background::Blur)));
        assert_eq!(behind("beach.jpg"), Ok(Behind::File("beach.jpg".into())));
        assert!(behind("").is_err() && behind("#12345").is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for arguments in [
            ["--size", "0"],
            ["--size", "511"],
            ["--size", "99999"],
            ["--size", "-2"],
            ["--fps", "1000"],
            ["--fps", "0"],
            ["--fps", "nan"],
            ["--distance", "nan"],
            ["--distance", "inf"],
            ["--distance", "-1"],
            ["--gaze", "1"],
            ["--gaze", "nan,0"],
            ["--gaze", "0,1e9"],
            ["--emotion", "hungry"],
            ["--emotion", "happy=NaN"],
            ["--emotion", "happy=2"],
            ["--pose", "1,2"],
            ["--pose", "1,2,nan"],
            ["--expressiveness", "3"],
            ["--blinks", "-1"],
            ["--mouth", "inf"],
            ["--seed", "-1"],
            ["--face", "-1"],
            ["--backend", "abacus"],
        ] {
            let line = ["parlante", "animate", "a.jpg", "a.wav"].iter().chain(&arguments);
            assert!(Arguments::try_parse_from(line).is_err(), "{arguments:?}");
        }
    }
}
