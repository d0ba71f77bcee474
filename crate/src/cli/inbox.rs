//! Live sound: a thread reads it as it comes, the clock takes it as it needs it.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use clap::ValueEnum;

use parlante::audio::resample::Resampler;
use parlante::audio::{AudioError, SAMPLE_RATE};

/// Sound that is kept waiting at most, samples: whoever writes more has to wait.
const MOST: usize = SAMPLE_RATE as usize * 30;
/// Sound that must be there before it is taken up (again), samples: 60 ms, so that small pauses in the pipe do not tear it.
const CUSHION: usize = SAMPLE_RATE as usize * 60 / 1000;

/// How samples lie in the pipe; one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Samples {
    /// 16 bits, signed, little-endian
    S16le,
    /// 32-bit floating point, little-endian, -1 to 1
    F32le,
}

impl Samples {
    fn bytes(self) -> usize {
        match self {
            Self::S16le => 2,
            Self::F32le => 4,
        }
    }

    /// Appends whole samples of `bytes`; answers how many bytes they took.
    fn read(self, bytes: &[u8], out: &mut Vec<f32>) -> usize {
        let whole = bytes.len() / self.bytes() * self.bytes();
        let (two, four) = (bytes[..whole].as_chunks::<2>().0, bytes[..whole].as_chunks::<4>().0);
        match self {
            Self::S16le => out.extend(two.iter().map(|&b| f32::from(i16::from_le_bytes(b)) / 32_768.0)),
            Self::F32le => out.extend(four.iter().map(|&b| f32::from_le_bytes(b))),
        }
        whole
    }
}

#[derive(Default)]
struct Waiting {
    samples: VecDeque<f32>,
    ended: bool,
}

/// What came and was not taken yet.
pub struct Inbox {
    shared: Arc<(Mutex<Waiting>, Condvar)>,
    /// Sound is being taken; otherwise the cushion fills.
    flowing: bool,
}

impl Inbox {
    /// Starts to read `rate` samples a second from `from`.
    ///
    /// # Errors
    /// For an impossible rate.
    pub fn open(mut from: impl Read + Send + 'static, rate: u32, kind: Samples) -> Result<Self, AudioError> {
        let mut resampler = Resampler::live(rate, SAMPLE_RATE)?;
        let shared = Arc::new((Mutex::new(Waiting::default()), Condvar::new()));
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            let (mut bytes, mut sound, mut speech) = (vec![0; 4096], Vec::new(), Vec::new());
            let mut kept = 0;
            loop {
                // Whatever ends the pipe ends the sound.
                let read = from.read(&mut bytes[kept..]).unwrap_or(0);
                let used = kind.read(&bytes[..kept + read], &mut sound);
                bytes.copy_within(used..kept + read, 0);
                kept = kept + read - used;
                resampler.push(&sound, &mut speech);
                if read == 0 {
                    resampler.finish(&mut speech);
                }
                let mut inbox = lock(&theirs.0);
                inbox.samples.extend(speech.drain(..));
                inbox.ended = read == 0;
                if inbox.ended {
                    return;
                }
                sound.clear();
                let _full = theirs.1.wait_while(inbox, |inbox| inbox.samples.len() > MOST);
            }
        });
        Ok(Self { shared, flowing: false })
    }

    /// Fills `out` with what came, and with silence where nothing did; false once the sound has ended.
    pub fn take(&mut self, out: &mut [f32]) -> bool {
        let mut inbox = lock(&self.shared.0);
        let there = inbox.samples.len();
        self.flowing = inbox.ended || there >= if self.flowing { out.len() } else { CUSHION };
        let count = if self.flowing { there.min(out.len()) } else { 0 };
        for (to, sample) in out.iter_mut().zip(inbox.samples.drain(..count)) {
            *to = sample;
        }
        out[count..].fill(0.0);
        self.shared.1.notify_one();
        !(inbox.ended && inbox.samples.is_empty())
    }
}

/// The other side never panics while it holds the lock; if it did, its samples are still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::time::Duration;

    use super::*;

    /// Takes until the end, waiting for the thread where it has to: a machine that does other work may stop it for long.
    fn all(mut inbox: Inbox) -> Vec<f32> {
        let mut out = Vec::new();
        let mut block = [0.0; 640];
        let short = |inbox: &Inbox| {
            let waiting = lock(&inbox.shared.0);
            !waiting.ended && waiting.samples.len() < CUSHION
        };
        loop {
            while short(&inbox) {
                thread::sleep(Duration::from_millis(1));
            }
            let more = inbox.take(&mut block);
            out.extend_from_slice(&block);
            if !more {
                return out;
            }
        }
    }

    #[test]
    fn both_kinds_of_samples_come_through_whole() {
        let sound: Vec<f32> = (0..20_000).map(|i| (i as f32 * 0.01).sin() * 0.5).collect();
        let s16 = sound.iter().flat_map(|s| ((s * 32_768.0) as i16).to_le_bytes()).collect::<Vec<u8>>();
        let f32le = sound.iter().flat_map(|s| s.to_le_bytes()).collect::<Vec<u8>>();
        for (kind, bytes) in [(Samples::S16le, s16), (Samples::F32le, f32le)] {
            let out = all(Inbox::open(Cursor::new(bytes), 16_000, kind).expect("the rate is possible"));
            let start = out.iter().position(|s| *s != 0.0).expect("there is sound") - 1;
            for (i, s) in sound.iter().enumerate().take(19_000) {
                assert!((out[start + i] - s).abs() < 1e-3, "{kind:?}, sample {i}");
            }
        }
    }

    /// A pipe from which nothing comes: silence, and no end.
    #[test]
    fn a_silent_pipe_gives_silence() {
        struct Never;
        impl Read for Never {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                thread::sleep(Duration::from_secs(3600));
                Ok(0)
            }
        }
        let mut inbox = Inbox::open(Never, 48_000, Samples::S16le).expect("the rate is possible");
        let mut block = [1.0; 640];
        assert!(inbox.take(&mut block));
        assert_eq!(block, [0.0; 640]);
    }

    #[test]
    fn half_a_sample_at_the_end_is_dropped() {
        let out =
            all(Inbox::open(Cursor::new(vec![0x40; 2_001]), 16_000, Samples::S16le).expect("the rate is possible"));
        assert_eq!(out.iter().filter(|s| **s != 0.0).count(), 1_000);
    }

    #[test]
    fn no_rate_is_refused() {
        assert!(Inbox::open(Cursor::new(Vec::new()), 0, Samples::S16le).is_err());
    }
}
