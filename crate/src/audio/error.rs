//! What can be wrong with a recording.

use std::path::PathBuf;

/// The recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The operating system did not let us read the file.
    #[error("The recording {} cannot be opened ({source}); check the path and its permissions.", path.display())]
    Open {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file has no bytes.
    #[error("The recording is an empty file; choose a file with speech in it.")]
    EmptyFile,
    /// No demultiplexer recognised the file.
    #[error("The recording's format is not known here; convert it to WAV, MP3, FLAC, Ogg or M4A.")]
    UnknownFormat,
    /// A container without a sound track, such as a silent video.
    #[error("The file holds no sound; choose a recording, or a video with sound in it.")]
    NoSoundTrack,
    /// The container is known, the codec inside is not.
    #[error("The sound is coded in a way that is not supported here ({0}); convert it to WAV, MP3, FLAC, Ogg or M4A.")]
    UnsupportedCodec(String),
    /// The file is recognised, but no sample comes out of it.
    #[error("Nothing of the recording can be decoded: it is 0 s long or damaged; export it again, for example as WAV.")]
    NothingDecodes,
    /// Sample rate outside [`super::decode::RATES`].
    #[error("The recording claims {0} samples a second; convert it to a rate between 1000 and 768000, such as 48000.")]
    SampleRate(u32),
    /// More channels than [`super::decode::MAX_CHANNELS`], or none.
    #[error("The recording claims {0} channels; mix it down to 1 to 32 channels.")]
    Channels(usize),
    /// The resampler refused the recording's rate.
    #[error("The recording's sample rate cannot be converted ({0}); convert it to 48000 Hz.")]
    Resampling(String),
}

/// Something of the recording was left out or repaired; the rest is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AudioWarning {
    /// The file announces more than it holds.
    Truncated {
        /// Seconds that could be decoded.
        decoded: f64,
        /// Seconds that the file announces.
        announced: f64,
    },
    /// Packets that could not be decoded were skipped.
    Damaged {
        /// How many.
        packets: u64,
    },
    /// Samples that were not finite numbers became 0.
    NotFinite {
        /// How many.
        samples: u64,
    },
    /// Rate or channels change in the middle; what follows is left out.
    FormatChange {
        /// Seconds decoded before the change.
        at: f64,
    },
}

impl std::fmt::Display for AudioWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated { decoded, announced } => {
                write!(f, "The recording ends after {decoded:.1} s although it announces {announced:.1} s.")
            }
            Self::Damaged { packets } => write!(f, "{packets} damaged pieces of the recording were skipped."),
            Self::NotFinite { samples } => {
                write!(f, "{samples} samples of the recording were not finite numbers; they are played as silence.")
            }
            Self::FormatChange { at } => {
                write!(f, "The recording changes its sample rate or channels after {at:.1} s; the rest is left out.")
            }
        }
    }
}
