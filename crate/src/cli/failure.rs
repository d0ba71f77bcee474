//! Everything that ends the program early, with its sentence and its exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use parlante::animator::ModelsError;
use parlante::audio::AudioError;
use parlante::decode::DecodeError;
use parlante::motion::MotionError;
use parlante::motion::{MotionFileError, TimedPhonesError, TranscriptError};
use parlante::output::OutputError;
use parlante::pack::PackError;
use parlante::portrait::PortraitError;

/// Exit code for wrong arguments.
pub const USAGE: u8 = 2;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Arguments that do not go together.
    #[error("{0}")]
    Usage(String),
    /// A portrait that cannot be opened.
    #[error("The portrait {} cannot be opened ({source}); check the path and its permissions.", path.display())]
    PortraitFile {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A portrait without a usable face.
    #[error("The portrait {}: {source}.", path.display())]
    Portrait {
        /// The file asked for.
        path: PathBuf,
        /// What is wrong with it.
        source: PortraitError,
    },
    /// A picture for the background that cannot be used, or a portrait whose background cannot be exchanged.
    #[error("The background {}: {reason}.", path.display())]
    Background {
        /// The file that is to blame.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An unusable recording.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// A microphone that cannot be used.
    #[cfg(feature = "device")]
    #[error("{0}")]
    Microphone(String),
    /// A motion file that cannot be opened.
    #[error("The motion file {} cannot be opened ({source}); check the path and its permissions.", path.display())]
    MotionFile {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An unusable motion file.
    #[error(transparent)]
    Motion(#[from] MotionFileError),
    /// A file of phones or words that cannot be opened.
    #[error("The file {} cannot be opened ({source}); check the path and its permissions.", path.display())]
    PhoneFile {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An unusable file of phones.
    #[error("{}: {source}", path.display())]
    Phones {
        /// The file asked for.
        path: PathBuf,
        /// What is wrong with it.
        source: TimedPhonesError,
    },
    /// A transcript that cannot be used.
    #[error(transparent)]
    Transcript(TranscriptError),
    /// No pack where one is looked for.
    #[error("There is no model pack (build/parlante-default.gguf); `npm start` builds it, or give one with --pack.")]
    NoPack,
    /// A pack that cannot be opened.
    #[error("The model pack {} cannot be opened ({source}); check the path and its permissions.", path.display())]
    PackFile {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An unusable pack.
    #[error("The model pack cannot be used: {0}.")]
    Models(#[from] ModelsError),
    /// Speech networks that are missing or fail.
    #[error("The speech networks cannot be used: {0}")]
    Speech(MotionError),
    /// An output that cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A backend that is not there.
    #[error("{0}")]
    Backend(String),
    /// A frame that cannot be drawn.
    #[error("Drawing failed: {0}.")]
    Decode(#[from] DecodeError),
    /// Something that should not happen.
    #[error("{0}")]
    Internal(String),
    /// Ctrl-C.
    #[error("Interrupted; the unfinished file was removed.")]
    Interrupted,
}

impl Failure {
    /// The sentence for a photo that cannot be read.
    pub fn portrait(path: &std::path::Path, error: impl Into<PortraitError>) -> Self {
        Self::Portrait { path: path.to_owned(), source: error.into() }
    }

    /// The program's exit code; the README lists them.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => USAGE,
            Self::Background { .. } | Self::PortraitFile { .. } | Self::Portrait { .. } => 3,
            Self::Audio(_) => 4,
            #[cfg(feature = "device")]
            Self::Microphone(_) => 4,
            Self::MotionFile { .. }
            | Self::Motion(_)
            | Self::PhoneFile { .. }
            | Self::Phones { .. }
            | Self::Transcript(_) => 5,
            Self::NoPack | Self::PackFile { .. } | Self::Models(_) | Self::Speech(_) => 6,
            Self::Output(_) => 7,
            Self::Backend(_) => 8,
            Self::Decode(_) | Self::Internal(_) => 1,
            Self::Interrupted => 130,
        })
    }
}

impl From<MotionError> for Failure {
    fn from(error: MotionError) -> Self {
        match error {
            MotionError::Transcript(source) => Self::Transcript(source),
            other => Self::Speech(other),
        }
    }
}

impl From<PackError> for Failure {
    fn from(error: PackError) -> Self {
        Self::Models(ModelsError::Pack(error))
    }
}
