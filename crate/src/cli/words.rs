//! What is known of the words beside the sound: phones with their times, or a transcript.

use std::path::{Path, PathBuf};

use clap::Args;

use parlante::motion::timed::{MAX_BYTES, TimedPhones};
use parlante::motion::words::lexicon::Lexicon;
use parlante::motion::{Aligner, MotionError, Transcript};
use parlante::pack::Pack;

use super::failure::Failure;
use super::interrupt;
use super::progress::Progress;
use super::soundtrack::Recording;

/// Words that come with a recording.
#[derive(Args)]
pub struct WordsArguments {
    /// Timed phones or visemes for the lips: JSON (also Azure visemes, Polly speech marks, Rhubarb), CTM, TextGrid
    #[arg(long, value_name = "FILE", conflicts_with = "transcript")]
    pub phones: Option<PathBuf>,
    /// What is said, in English: a text file, or the text itself; the lips follow it more exactly
    #[arg(long, value_name = "FILE|TEXT")]
    pub transcript: Option<String>,
}

impl WordsArguments {
    /// True if nothing was given.
    pub fn is_empty(&self) -> bool {
        self.phones.is_none() && self.transcript.is_none()
    }

    /// Refuses phones that run past the end of a recording of so many seconds.
    pub fn fit(&self, phones: Option<&TimedPhones>, seconds: f64) -> Result<(), Failure> {
        let (Some(phones), Some(path)) = (phones, &self.phones) else { return Ok(()) };
        phones.fit(seconds).map_err(|source| Failure::Phones { path: path.clone(), source })
    }

    /// The phones of a recording, if any are given; says what was repaired.
    pub fn load(&self, pack: &Pack, audio: &Path) -> Result<Option<TimedPhones>, Failure> {
        if let Some(path) = &self.phones {
            let phones = TimedPhones::from_bytes(&read(path)?)
                .map_err(|source| Failure::Phones { path: path.clone(), source })?;
            phones.warnings().iter().for_each(|warning| say(warning));
            return Ok(Some(phones));
        }
        let Some(transcript) = &self.transcript else { return Ok(None) };
        let text = text_of(transcript)?;
        let lexicon = Lexicon::from_pack(pack);
        let transcript = Transcript::new(&text, lexicon.as_ref()).map_err(MotionError::from)?;
        if lexicon.is_none() {
            say("The model pack has no pronouncing dictionary: words are said by rule, less exactly.");
        }
        align(pack, audio, &transcript).map(Some)
    }
}

/// Listens to the whole recording to find where each phone is.
fn align(pack: &Pack, audio: &Path, transcript: &Transcript) -> Result<TimedPhones, Failure> {
    let mut recording = Recording::open(audio)?;
    let mut aligner = Aligner::new(pack, transcript)?;
    let progress = Progress::step("Laying the transcript under the recording");
    let (mut speech, mut sound) = (Vec::new(), Vec::new());
    while recording.read(&mut speech, &mut sound) {
        interrupt::check()?;
        aligner.push(&speech)?;
        speech.clear();
        sound.clear();
    }
    drop(progress);
    Ok(aligner.finish()?)
}

/// The text of a file, or the words themselves.
fn text_of(transcript: &str) -> Result<String, Failure> {
    let path = Path::new(transcript);
    let is_name = !transcript.contains(char::is_whitespace) && path.extension().is_some();
    if !is_name && !path.is_file() {
        return Ok(transcript.to_owned());
    }
    String::from_utf8(read(path)?).map_err(|_| Failure::Usage("The transcript must be a text file in UTF-8.".into()))
}

/// Reads a file whose size is checked first.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |source| Failure::PhoneFile { path: path.to_owned(), source };
    let about = std::fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    if about.len() > MAX_BYTES as u64 {
        return Err(failed(std::io::ErrorKind::FileTooLarge.into()));
    }
    std::fs::read(path).map_err(failed)
}

/// A warning on stderr.
fn say(warning: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "parlante: {warning}");
}
