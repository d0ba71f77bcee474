//! Recordings made in code, and where the fixtures lie.

use std::f64::consts::TAU;
use std::path::PathBuf;

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
