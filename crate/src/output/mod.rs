//! Pictures and sound to files, without any program or library of the system.
//!
//! | file | picture | sound | container |
//! |---|---|---|---|
//! | `.mp4` | H.264 (Cisco's OpenH264, BSD) | Opus | ISO base media, index first |
//! | `.webm` | AV1 (rav1e, BSD) | Opus | Matroska subset |
//! | a folder | PNG, lossless | none | one file a picture |
//! | a pipe | Y'CbCr 4:2:0, uncompressed | none | YUV4MPEG2 |
//! | a pipe | H.264 | Opus | ISO base media in fragments |
//!
//! Both videos play in Chromium, Firefox, VLC and ffmpeg. Opus is in both because it is free of charge and the best of the
//! free ones; every free AAC encoder has a licence that this project cannot carry.
//!
//! [`VideoWriter`] takes pictures and sound as they come and keeps memory flat; the file appears under its name only
//! when it is complete.

mod av1;
pub mod colour;
pub mod error;
pub mod file;
mod frames;
mod h264;
pub mod live_mp4;
mod mp4;
mod sound;
pub mod video;
mod webm;
pub mod y4m;

pub use error::OutputError;
pub use file::NewFile;
pub use live_mp4::{LiveMp4, StreamError};
pub use video::{Container, Finished, VideoSettings, VideoWriter};
pub use y4m::Y4m;

/// Title that every file carries.
pub const TITLE: &str = "Synthetic video";
/// Comment that every file carries, so that nobody has to guess where it came from.
pub const COMMENT: &str =
    "Synthetic content: a face animated by Parlante from a single photo. Not a recording of a person.";
/// Name of the program in the files' metadata.
pub const PROGRAM: &str = concat!("Parlante ", env!("CARGO_PKG_VERSION"));
