//! A file that appears under its name only when it is complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::error::OutputError;

/// A file being written under a temporary name in the folder of its final name. [`NewFile::keep`] renames it, which
/// is atomic; without that, dropping it removes it.
pub struct NewFile {
    writer: BufWriter<File>,
    temporary: PathBuf,
    path: PathBuf,
    kept: bool,
}

impl NewFile {
    /// Starts a file that will be called `path`; an existing one is replaced at the end.
    ///
    /// # Errors
    /// When the folder is missing or not writable, or `path` is a folder.
    pub fn create(path: &Path) -> Result<Self, OutputError> {
        if path.is_dir() {
            return Err(OutputError::IsFolder(path.to_owned()));
        }
        let Some(name) = path.file_name() else { return Err(OutputError::IsFolder(path.to_owned())) };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.part", std::process::id()));
        let temporary = path.with_file_name(hidden);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map_err(|source| OutputError::from_io(path, source))?;
        Ok(Self { writer: BufWriter::with_capacity(1 << 18, file), temporary, path: path.to_owned(), kept: false })
    }

    /// The name it will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the complete file its name.
    ///
    /// # Errors
    /// When the last bytes do not fit or the rename fails; the file is removed then.
    pub fn keep(mut self) -> Result<(), OutputError> {
        let finish = |file: &mut Self| {
            file.writer.flush()?;
            fs::rename(&file.temporary, &file.path)
        };
        finish(&mut self).map_err(|source| OutputError::from_io(&self.path, source))?;
        self.kept = true;
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Seek for NewFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.writer.seek(to)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            // A drop cannot report; a file that cannot be removed keeps its temporary name.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("parlante-file-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("temporary folder");
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .expect("folder exists")
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_dropped_file_leaves_nothing_and_a_kept_one_its_name() {
        let folder = folder("drop");
        let path = folder.join("a.mp4");
        let mut file = NewFile::create(&path).expect("writable");
        file.write_all(b"half").expect("room");
        assert_eq!(names(&folder).len(), 1);
        assert!(!path.exists());
        drop(file);
        assert_eq!(names(&folder), [""; 0]);

        let mut file = NewFile::create(&path).expect("writable");
        file.write_all(b"whole").expect("room");
        file.keep().expect("rename");
        assert_eq!(names(&folder), ["a.mp4"]);
        assert_eq!(fs::read(&path).expect("readable"), b"whole");
        fs::remove_dir_all(&folder).expect("clean up");
    }

    #[test]
    fn impossible_places_have_their_own_sentences() {
        let folder = folder("places");
        assert!(matches!(NewFile::create(&folder), Err(OutputError::IsFolder(_))));
        assert!(matches!(NewFile::create(&folder.join("no/such/a.mp4")), Err(OutputError::NoFolder(_))));
        fs::remove_dir_all(&folder).expect("clean up");
    }
}
