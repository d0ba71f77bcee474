//! YUV4MPEG2: uncompressed pictures one after another, the form in which video programs hand them on through pipes.

use std::io::{self, Write};

use super::colour::Yuv420;
use super::error::OutputError;

/// Writes pictures (BT.601, limited range, 4:2:0) as YUV4MPEG2.
pub struct Y4m<W> {
    out: W,
    picture: Yuv420,
}

impl<W: Write> Y4m<W> {
    /// Begins the stream of `size` x `size` pictures.
    ///
    /// # Errors
    /// When the size is impossible. The stream's head is written with the first picture.
    pub fn new(out: W, size: usize) -> Result<Self, OutputError> {
        Ok(Self { out, picture: Yuv420::new(size, size)? })
    }

    /// Writes the head of the stream.
    ///
    /// # Errors
    /// What the writer says.
    pub fn head(&mut self, fps: u32) -> io::Result<()> {
        let Yuv420 { width, height, .. } = self.picture;
        let colours = "C420mpeg2 XCOLORRANGE=LIMITED";
        writeln!(self.out, "YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 {colours}")
    }

    /// Takes RGBA pixels, row by row, as the picture; alpha is ignored.
    pub fn set_rgba(&mut self, rgba: &[u8]) {
        self.picture.set_rgba(rgba);
    }

    /// Writes the picture, again if it was written before.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&mut self) -> io::Result<()> {
        self.out.write_all(b"FRAME\n")?;
        for plane in [&self.picture.y, &self.picture.cb, &self.picture.cr] {
            self.out.write_all(plane)?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_one_head_and_a_mark_before_each_picture() {
        let mut bytes = Vec::new();
        let mut stream = Y4m::new(&mut bytes, 16).expect("the size is possible");
        stream.head(25).expect("memory takes everything");
        stream.set_rgba(&[255; 16 * 16 * 4]);
        stream.write().and_then(|()| stream.write()).expect("memory takes everything");
        let head = b"YUV4MPEG2 W16 H16 F25:1 Ip A1:1 C420mpeg2 XCOLORRANGE=LIMITED\n";
        assert!(bytes.starts_with(head));
        let pictures = &bytes[head.len()..];
        assert_eq!(pictures.len(), 2 * (6 + 16 * 16 * 3 / 2));
        assert!(pictures.starts_with(b"FRAME\n\xeb\xeb"), "white is luma 235");
        assert_eq!(pictures[..pictures.len() / 2], pictures[pictures.len() / 2..]);
        assert!(Y4m::new(Vec::new(), 15).is_err());
    }
}
