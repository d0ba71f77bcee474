//! Recordings made in code, and where the fixtures lie.

use std::f64::consts::TAU;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use symphonia::core::io::MediaSource;

/// A WAV file with integer samples.
pub struct Wav {
    /// Channels.
    pub channels: u16,
    /// Samples a second.
    pub rate: u32,
    /// Bits a sample: 8, 16, 24 or 32.
    pub bits: u16,
    /// Samples as they stand in the file.
    pub data: Vec<u8>,
}

#[allow(dead_code, reason = "each test file uses a part")]
impl Wav {
    /// A tone of 440 Hz at half of full scale, the same in every channel.
    pub fn tone(channels: u16, rate: u32, bits: u16, seconds: f64) -> Self {
        let mut data = Vec::new();
        for i in 0..(seconds * f64::from(rate)) as u32 {
            let value = 0.5 * (TAU * 440.0 * f64::from(i) / f64::from(rate)).sin();
            for _ in 0..channels {
                match bits {
                    8 => data.push((128.0 + value * 127.0).round() as u8),
                    _ => {
                        let full = (1i64 << (bits - 1)) - 1;
                        let sample = (value * full as f64).round() as i64;
                        data.extend_from_slice(&sample.to_le_bytes()[..usize::from(bits / 8)]);
                    }
                }
            }
        }
        Self { channels, rate, bits, data }
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        file(1, self.channels, self.rate, self.bits, &self.data)
    }

    /// A mono file with floating point samples.
    pub fn float(rate: u32, values: &[f32]) -> Vec<u8> {
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        file(3, 1, rate, 32, &data)
    }
}

fn file(format: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let frame = channels * bits / 8;
    let mut out = b"RIFF".to_vec();
    out.extend((36 + data.len() as u32).to_le_bytes());
    out.extend(b"WAVEfmt ");
    out.extend(16u32.to_le_bytes());
    out.extend(format.to_le_bytes());
    out.extend(channels.to_le_bytes());
    out.extend(rate.to_le_bytes());
    out.extend((rate * u32::from(frame)).to_le_bytes());
    out.extend(frame.to_le_bytes());
    out.extend(bits.to_le_bytes());
    out.extend(b"data");
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out
}

/// A WAV of any length (mono, 16 bits) that exists only while it is read: syllables of a voice and pauses.
#[allow(dead_code, reason = "each test file uses a part")]
pub struct EndlessWav {
    header: Vec<u8>,
    /// One second of sound, over and over.
    second: Vec<u8>,
    at: u64,
    length: u64,
    read: Arc<AtomicU64>,
}

#[allow(dead_code, reason = "each test file uses a part")]
impl EndlessWav {
    /// `seconds` of it, at `rate` samples a second.
    pub fn new(seconds: u32, rate: u32) -> Self {
        let data = seconds * rate * 2;
        let mut header = Wav { channels: 1, rate, bits: 16, data: Vec::new() }.bytes();
        header[4..8].copy_from_slice(&(36 + data).to_le_bytes());
        header[40..44].copy_from_slice(&data.to_le_bytes());
        let voice = |t: f64| {
            let syllable = (TAU * 2.0 * t).sin().max(0.0) * if t < 0.75 { 0.25 } else { 0.0 };
            syllable * (1..6).map(|harmonic| (TAU * 150.0 * f64::from(harmonic) * t).sin()).sum::<f64>() / 2.0
        };
        let second =
            (0..rate).flat_map(|i| ((voice(f64::from(i) / f64::from(rate)) * 32_767.0) as i16).to_le_bytes()).collect();
        let length = header.len() as u64 + u64::from(data);
        Self { header, second, at: 0, length, read: Arc::default() }
    }

    /// Counts the bytes that are read.
    pub fn read_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }
}

impl Read for EndlessWav {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let left = (self.length - self.at) as usize;
        let source = match self.at.checked_sub(self.header.len() as u64) {
            None => &self.header[self.at as usize..],
            Some(at) => &self.second[(at % self.second.len() as u64) as usize..],
        };
        let n = out.len().min(left).min(source.len());
        out[..n].copy_from_slice(&source[..n]);
        self.at += n as u64;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl Seek for EndlessWav {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
            SeekFrom::End(by) => self.length.saturating_add_signed(by),
        }
        .min(self.length);
        Ok(self.at)
    }
}

impl MediaSource for EndlessWav {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}

/// A file of the repository.
#[allow(dead_code, reason = "each test file uses a part")]
pub fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Path of a sound among the fixtures.
#[allow(dead_code, reason = "each test file uses a part")]
pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio").join(name)
}

/// A folder of its own for a test.
#[allow(dead_code, reason = "each test file uses a part")]
pub struct Folder(pub PathBuf);

#[allow(dead_code, reason = "each test file uses a part")]
impl Folder {
    /// Makes it, empty.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("parlante-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("temporary folder");
        Self(path)
    }

    /// Names of what lies in it, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("readable folder");
        let mut names: Vec<_> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
