//! A JavaScript `Blob` that is read piece by piece, so that an hour of audio never lies in memory at once.

use std::io::{self, Read, Seek, SeekFrom};

use js_sys::Uint8Array;
use symphonia::core::io::MediaSource;
use web_sys::{Blob, FileReaderSync};

/// Bytes that are fetched from the blob in one go.
const PIECE: u64 = 1 << 18;

/// Reads a blob; works in workers only, because only there the browser lets anybody wait.
pub struct BlobReader {
    blob: Blob,
    reader: FileReaderSync,
    length: u64,
    at: u64,
    piece: Vec<u8>,
    /// Where in the blob `piece` begins.
    piece_at: u64,
}

// SAFETY: this module is built without threads: a value can never be seen by another one.
unsafe impl Send for BlobReader {}
// SAFETY: as above.
unsafe impl Sync for BlobReader {}

impl BlobReader {
    /// A reader at the start of `blob`.
    ///
    /// # Errors
    /// Outside a worker.
    pub fn new(blob: Blob) -> io::Result<Self> {
        let reader = FileReaderSync::new().map_err(|_| io::Error::other("blobs can be read in workers only"))?;
        let length = blob.size() as u64;
        Ok(Self { blob, reader, length, at: 0, piece: Vec::new(), piece_at: 0 })
    }

    fn fetch(&mut self) -> io::Result<()> {
        let end = self.length.min(self.at + PIECE);
        let failed = |_| io::Error::other("the browser could not read the file; was it moved or changed?");
        let slice = self.blob.slice_with_f64_and_f64(self.at as f64, end as f64).map_err(failed)?;
        let buffer = self.reader.read_as_array_buffer(&slice).map_err(failed)?;
        self.piece = Uint8Array::new(&buffer).to_vec();
        self.piece_at = self.at;
        Ok(())
    }
}

impl Read for BlobReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.length || out.is_empty() {
            return Ok(0);
        }
        let inside = self.piece_at..self.piece_at + self.piece.len() as u64;
        if !inside.contains(&self.at) {
            self.fetch()?;
        }
        let rest = &self.piece[(self.at - self.piece_at) as usize..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

impl MediaSource for BlobReader {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}
