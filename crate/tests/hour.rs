//! An hour of sound takes no more memory than its first seconds.
//!
//! Every allocation of this program is counted, so that a single number kept for each frame of motion would show. The
//! whole hour goes through decoder, resampler and log-mel; only its first ten minutes go through the networks, which
//! would need over a minute for the rest: what grows with the sound grows by then, too.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

use common::{EndlessWav, repository};
use parlante::animator::MotionStream;
use parlante::audio::mel::LogMel;
use parlante::audio::{AudioReader, SAMPLE_RATE};
use parlante::motion::Controls;
use parlante::pack::Pack;

/// Passes everything on to the system and counts the bytes that are in use.
struct Counting;

static IN_USE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: all calls go to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's promises hold for the system, too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// From here on nothing may grow any more, seconds of sound.
const SETTLED: f64 = 10.0;
/// Seconds of sound that go through the networks.
const SPOKEN: f64 = 600.0;
/// What buffers may still grow by, bytes: less than three for each frame of ten minutes.
const SLACK: isize = 40_000;
/// What the process may grow by as the system sees it, bytes.
const RESIDENT_SLACK: i64 = 5_000_000;

/// Memory of this process in bytes, where the system tells.
fn resident() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<i64>().ok()? * 1024)
}

/// One test, because the counter counts for all threads.
#[test]
fn an_hour_runs_in_flat_memory() {
    let pack = std::fs::read(repository("packs/motion.gguf")).expect("the speech networks");
    let pack = Pack::from_bytes(pack).expect("a good pack");
    let mut motion = MotionStream::new(&pack, Controls::default(), 1, 30.0).expect("the speech networks");
    let mut mel = LogMel::new();
    let source = EndlessWav::new(3_600, 22_050);
    let reader = AudioReader::from_source(Box::new(source), Some("wav")).expect("a WAV");
    let mut speech = reader.into_speech().expect("rate is fine");

    let (mut samples, mut longest, mut mels, mut frames) = (0usize, 0, 0usize, 0usize);
    let mut out = Vec::with_capacity(64);
    let (mut settled, mut most, mut resident_settled) = (0, 0, None);
    let mut moved = 0.0f32;
    while let Some(chunk) = speech.next_chunk() {
        let second = samples as f64 / f64::from(SAMPLE_RATE);
        samples += chunk.len();
        longest = longest.max(chunk.len());
        mel.push(chunk, &mut |_| mels += 1);
        if second < SPOKEN {
            motion.push(chunk, &mut out).expect("networks run");
            frames += out.len();
            moved = out.iter().fold(moved, |m, frame| m.max(frame.blendshapes.0.iter().copied().fold(0.0, f32::max)));
            out.clear();
        }
        let now = IN_USE.load(Ordering::Relaxed);
        if second < SETTLED {
            settled = settled.max(now);
        } else {
            resident_settled = resident_settled.or_else(resident);
            most = most.max(now);
        }
    }
    assert_eq!((samples, mels), (3_600 * 16_000, 3_600 * 100));
    assert!((17_990..=18_010).contains(&frames), "{frames} frames of motion");
    assert!(moved > 0.05, "the face does not move");
    assert!(longest < 16_000, "a chunk of {longest} samples");
    assert!(most <= settled + SLACK, "{settled} bytes in use after {SETTLED} s, {most} later");
    if let (Some(before), Some(after)) = (resident_settled, resident()) {
        assert!(after <= before + RESIDENT_SLACK, "{before} bytes of memory after {SETTLED} s, {after} at the end");
    }
}
