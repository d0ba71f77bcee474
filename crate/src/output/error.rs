//! What can go wrong while a file is written.

use std::io;
use std::path::{Path, PathBuf};

/// The result cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The folder of the file does not exist.
    #[error("The folder of {} does not exist; create it or choose another place.", .0.display())]
    NoFolder(PathBuf),
    /// The path names a folder.
    #[error("{} is a folder; give the name of a file in it, such as {}.", .0.display(), .0.join("out.mp4").display())]
    IsFolder(PathBuf),
    /// Pictures are to go into a folder that holds something already.
    #[error("{} exists already and is not an empty folder; name a new folder for the pictures.", .0.display())]
    FolderTaken(PathBuf),
    /// The user may not write there.
    #[error("{} cannot be written ({source}); choose a place where you may write.", path.display())]
    NotWritable {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No room is left.
    #[error("The disk is full: {} was not written; free some space or choose another disk.", .0.display())]
    DiskFull(PathBuf),
    /// Any other failure of the file system.
    #[error("Writing {} failed ({source}); the unfinished file was removed.", path.display())]
    Io {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path's ending is none of the known ones.
    #[error("{} has an ending that is not known; end it in .mp4, .webm or .json, or in / for a folder of pictures.", .0.display())]
    UnknownEnding(PathBuf),
    /// Width, height or frame rate that the encoders cannot take.
    #[error(
        "A video of {width} x {height} at {fps} frames a second cannot be made; sides are even, 16 to 2160, frame rates 1 to 240."
    )]
    Shape {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// Frames a second.
        fps: u32,
    },
    /// An encoder refused its input.
    #[error("The {codec} encoder failed ({message}); please report this with the command you ran.")]
    Encoder {
        /// Which.
        codec: &'static str,
        /// What it said.
        message: String,
    },
}

impl OutputError {
    /// The sentence for a failure of the file system on `path`.
    pub fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::DiskFull(path)
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::NotWritable { path, source },
            io::ErrorKind::NotFound => Self::NoFolder(path),
            io::ErrorKind::IsADirectory => Self::IsFolder(path),
            _ => Self::Io { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_called_so() {
        // 28 is ENOSPC.
        let error = OutputError::from_io(Path::new("a.mp4"), io::Error::from_raw_os_error(28));
        assert!(matches!(error, OutputError::DiskFull(_)), "{error}");
    }
}
