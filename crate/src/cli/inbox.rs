//! Live sound: a thread reads it as it comes, the clock takes it as it needs it.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use clap::ValueEnum;

use parlante::audio::{AudioError, LiveResampler, SAMPLE_RATE};

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

/// The end of an inbox where sound goes in.
pub struct Feeder {
    shared: Arc<(Mutex<Waiting>, Condvar)>,
    resampler: LiveResampler,
    rate: u32,
    speech: Vec<f32>,
}

impl Feeder {
    /// Adds mono samples, and never waits: of what nobody takes the oldest is dropped.
    #[cfg(any(test, feature = "device"))]
    pub fn feed(&mut self, sound: &[f32]) {
        self.add(sound);
        let mut inbox = lock(&self.shared.0);
        let old = inbox.samples.len().saturating_sub(MOST);
        inbox.samples.drain(..old);
    }

    fn add(&mut self, sound: &[f32]) {
        // The rate is one that was taken before.
        let _ = self.resampler.push(sound, self.rate, &mut self.speech);
        lock(&self.shared.0).samples.extend(self.speech.drain(..));
    }

    /// Adds mono samples, and waits where nobody takes them.
    fn feed_patiently(&mut self, sound: &[f32]) {
        self.add(sound);
        let _full = self.shared.1.wait_while(lock(&self.shared.0), |inbox| inbox.samples.len() > MOST);
    }

    /// Adds what the resampler held back.
    fn finish(&mut self) {
        self.resampler.finish(&mut self.speech);
        lock(&self.shared.0).samples.extend(self.speech.drain(..));
    }

    /// What ends the sound.
    pub fn end(&self) -> End {
        End(Arc::clone(&self.shared))
    }
}

/// Ends the sound of an inbox.
pub struct End(Arc<(Mutex<Waiting>, Condvar)>);

impl End {
    /// Nothing more comes.
    pub fn end(&self) {
        lock(&self.0.0).ended = true;
    }
}

impl Inbox {
    /// An inbox, and where sound of `rate` samples a second goes into it.
    ///
    /// # Errors
    /// For an impossible rate.
    pub fn fed(rate: u32) -> Result<(Self, Feeder), AudioError> {
        let mut resampler = LiveResampler::default();
        resampler.push(&[], rate, &mut Vec::new())?;
        let shared = Arc::new((Mutex::new(Waiting::default()), Condvar::new()));
        let feeder = Feeder { shared: Arc::clone(&shared), resampler, rate, speech: Vec::new() };
        Ok((Self { shared, flowing: false }, feeder))
    }

    /// Starts to read `rate` samples a second from `from`.
    ///
    /// # Errors
    /// For an impossible rate.
    pub fn open(mut from: impl Read + Send + 'static, rate: u32, kind: Samples) -> Result<Self, AudioError> {
        let (inbox, mut feeder) = Self::fed(rate)?;
        thread::spawn(move || {
            let (mut bytes, mut sound) = (vec![0; 4096], Vec::new());
            let mut kept = 0;
            loop {
                // Whatever ends the pipe ends the sound.
                let read = from.read(&mut bytes[kept..]).unwrap_or(0);
                let used = kind.read(&bytes[..kept + read], &mut sound);
                bytes.copy_within(used..kept + read, 0);
                kept = kept + read - used;
                feeder.feed_patiently(&sound);
                sound.clear();
                if read == 0 {
                    feeder.finish();
                    feeder.end().end();
                    return;
                }
            }
        });
        Ok(inbox)
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
            let off = |start: usize| {
                sound.iter().zip(&out[start..]).take(19_000).map(|(s, o)| (s - o).abs()).fold(0.0, f32::max)
            };
            // silence may come before the first sample
            let least = (0..1280).map(off).fold(f32::INFINITY, f32::min);
            assert!(least < 1e-3, "{kind:?} is off by {least} wherever it begins");
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

    /// A device does not wait: what nobody takes is dropped, but for the newest; and it may go away.
    #[test]
    fn a_device_is_never_held_up() {
        let (inbox, mut feeder) = Inbox::fed(SAMPLE_RATE).expect("the rate is possible");
        for second in 0..40 {
            feeder.feed(&[second as f32 / 100.0 + 0.1; SAMPLE_RATE as usize]);
        }
        feeder.end().end();
        let out = all(inbox);
        let there = out.iter().filter(|s| **s != 0.0).count();
        assert!(there <= MOST && there > MOST - 1_000, "{there} samples");
        assert!(out.iter().all(|s| *s == 0.0 || *s > 0.18), "the oldest are gone");
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
