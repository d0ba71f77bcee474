//! A folder of PNG files, one a picture: lossless, for measuring, compositing and other encoders. It has no sound.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use image::ImageEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};

use super::COMMENT;
use super::error::OutputError;

/// Bytes of a PNG's signature and its header chunk, after which other chunks may stand.
const HEAD: usize = 33;

/// Pictures being written under a temporary name beside the final one. [`Self::finish`] renames the folder; without
/// that, dropping it removes it.
pub struct FrameFolder {
    temporary: PathBuf,
    path: PathBuf,
    size: (u32, u32),
    pictures: u64,
    /// The chunk that says where the picture came from.
    label: Vec<u8>,
    bytes: Vec<u8>,
    kept: bool,
}

impl FrameFolder {
    /// Starts a folder that will be called `path`, for pictures of `size` (columns, rows).
    ///
    /// # Errors
    /// When there is already something of that name other than an empty folder, or the place is not writable.
    pub fn create(path: &Path, size: (u32, u32)) -> Result<Self, OutputError> {
        let taken = || OutputError::FolderTaken(path.to_owned());
        let name = path.file_name().ok_or_else(taken)?;
        if path.exists() && !fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none()) {
            return Err(taken());
        }
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.part", std::process::id()));
        let temporary = path.with_file_name(hidden);
        fs::create_dir(&temporary).map_err(|source| OutputError::from_io(path, source))?;
        let label = text_chunk("Comment", COMMENT);
        Ok(Self { temporary, path: path.to_owned(), size, pictures: 0, label, bytes: Vec::new(), kept: false })
    }

    /// Adds a picture of RGBA pixels, row by row: `00000.png`, `00001.png` and so on.
    ///
    /// # Errors
    /// When encoding or writing fails.
    pub fn picture(&mut self, rgba: &[u8]) -> Result<(), OutputError> {
        self.bytes.clear();
        PngEncoder::new_with_quality(&mut self.bytes, CompressionType::Fast, FilterType::Adaptive)
            .write_image(rgba, self.size.0, self.size.1, image::ExtendedColorType::Rgba8)
            .map_err(|error| OutputError::Encoder { codec: "PNG", message: error.to_string() })?;
        let (head, rest) = self.bytes.split_at(HEAD.min(self.bytes.len()));
        let write = || -> io::Result<()> {
            let mut file = fs::File::create(self.temporary.join(format!("{:05}.png", self.pictures)))?;
            for part in [head, &self.label, rest] {
                file.write_all(part)?;
            }
            Ok(())
        };
        write().map_err(|source| OutputError::from_io(&self.path, source))?;
        self.pictures += 1;
        Ok(())
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// When the rename fails; the pictures are removed then.
    pub fn finish(mut self) -> Result<(), OutputError> {
        let rename = || {
            if self.path.is_dir() {
                // Empty, or the system refuses.
                fs::remove_dir(&self.path)?;
            }
            fs::rename(&self.temporary, &self.path)
        };
        rename().map_err(|source| OutputError::from_io(&self.path, source))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for FrameFolder {
    fn drop(&mut self) {
        if !self.kept {
            // A drop cannot report; what cannot be removed keeps its temporary name.
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

/// A PNG chunk with a keyword and Latin-1 text.
fn text_chunk(keyword: &str, text: &str) -> Vec<u8> {
    let length = (keyword.len() + 1 + text.len()) as u32;
    let mut body = b"tEXt".to_vec();
    body.extend(keyword.bytes().chain([0]).chain(text.bytes()));
    let check = crc(&body);
    [&length.to_be_bytes()[..], &body, &check.to_be_bytes()].concat()
}

/// The cyclic redundancy check of PNG (ISO 3309).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_is_the_standard_one() {
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn pictures_come_back_as_they_were_and_say_what_they_are() {
        let folder = std::env::temp_dir().join(format!("parlante-frames-{}", std::process::id()));
        let rgba: Vec<u8> = (0..64 * 32 * 4u32).map(|i| (i * i % 251) as u8).collect();
        drop(FrameFolder::create(&folder, (64, 32)).expect("a place"));
        assert!(!folder.exists());
        let mut frames = FrameFolder::create(&folder, (64, 32)).expect("a place");
        for _ in 0..2 {
            frames.picture(&rgba).expect("room");
        }
        frames.finish().expect("rename");
        let bytes = fs::read(folder.join("00001.png")).expect("a picture");
        assert!(bytes.windows(COMMENT.len()).any(|w| w == COMMENT.as_bytes()));
        let back = image::load_from_memory(&bytes).expect("a PNG").into_rgba8();
        assert_eq!((back.dimensions(), back.into_raw()), ((64, 32), rgba));
        assert!(matches!(FrameFolder::create(&folder, (64, 32)), Err(OutputError::FolderTaken(_))));
        fs::remove_dir_all(&folder).expect("clean up");
    }
}
