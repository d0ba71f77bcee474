//! What a frame costs, in counts that no busy machine changes: allocations, arithmetic, bytes; and how large the pack is.
//!
//! Needs the model pack that `npm start` and `npm test` build, and a GPU (a software one will do).

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::repository;
use parlante::animator::Models;
use parlante::decode::offscreen::OffscreenDecoder;
use parlante::decode::work::Stage;
use parlante::exec::{AdapterChoice, Gpu};
use parlante::motion::frame::{Blendshape as B, Gaze, HeadPose};
use parlante::motion::{MotionFrame, Reference};
use parlante::portrait::{LoadOptions, load};

/// Passes everything on to the system and counts allocations.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all calls go to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises hold for the system, too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Side of the frames.
const SIZE: u32 = 512;
/// Most operations on numbers of a frame, 10^9, and bytes, 10^6: a little more than it needed when this was written.
const MOST_GFLOP: f64 = 0.085;
const MOST_MBYTES: f64 = 26.0;
/// Most bytes on the GPU, and of the pack.
const MOST_GPU: u64 = 23_000_000;
const MOST_PACK: usize = 8_000_000;

/// A face that talks, blinks, looks aside and turns.
fn motion(i: usize) -> MotionFrame {
    let phase = i as f32 / 25.0;
    let mut motion = MotionFrame { gaze: Gaze { x: 8.0 * phase.sin(), y: 3.0 }, ..MotionFrame::default() };
    motion.head = HeadPose { yaw: 12.0 * phase.sin(), pitch: 5.0 * phase.cos(), ..HeadPose::default() };
    motion.blendshapes[B::JawOpen] = 0.4 + 0.4 * (9.0 * phase).sin();
    motion.blendshapes[B::MouthFunnel] = 0.3;
    motion.blendshapes[B::MouthSmileLeft] = 0.4;
    let blink = (3.0 * phase).sin().max(0.0);
    motion.blendshapes[B::EyeBlinkLeft] = blink;
    motion.blendshapes[B::EyeBlinkRight] = blink;
    motion
}

/// One test, because the counter counts for all threads.
#[test]
fn a_frame_costs_what_it_is_known_to_cost() {
    let pack = std::fs::read(repository("build/parlante-default.gguf")).expect("the pack; `npm test` builds it");
    assert!(pack.len() <= MOST_PACK, "the pack has {} bytes", pack.len());
    let models = Models::from_bytes(pack).expect("a good pack");
    let photo = std::fs::read(repository("web/page/samples/portrait.jpg")).expect("the sample");
    let photo = load(&photo, &LoadOptions::default()).expect("a good photo");
    let face = models.fit(&photo, None).expect("one face");

    let gpu = pollster::block_on(Gpu::open(AdapterChoice::Fastest)).expect("a GPU (Debian: mesa-vulkan-drivers)");
    let offscreen =
        OffscreenDecoder::new(gpu, Arc::clone(models.face_model()), face.clone(), SIZE).expect("room for it");
    let bytes = offscreen.bytes();
    assert!((5_000_000..=MOST_GPU).contains(&bytes), "{bytes} bytes on the GPU");
    drop(offscreen);

    let mut decoder = models.decoder(face, SIZE).expect("a portrait");
    let mut rgba = vec![0; (4 * SIZE * SIZE) as usize];
    // where the work is shared out from a thread of the pool, sharing it out needs no memory either
    let (allocations, work) = rayon::scope(|_| {
        for i in 0..10 {
            decoder.render(&motion(10 * i), Reference::Speech, &mut rgba).expect("a frame");
        }
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        for i in 0..100 {
            decoder.render(&motion(i), Reference::Speech, &mut rgba).expect("a frame");
        }
        let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
        let work: Vec<_> = (0..100)
            .map(|i| decoder.render_watched(&motion(i), Reference::Speech, &mut rgba).expect("a frame"))
            .collect();
        (allocations, work)
    });
    assert_eq!(allocations, 0, "allocations in 100 frames");
    let mean = |of: &dyn Fn(usize) -> u64| (0..work.len()).map(of).sum::<u64>() as f64 / work.len() as f64;
    let gflop = mean(&|i| work[i].total().flops) / 1e9;
    let mbytes = mean(&|i| work[i].total().bytes) / 1e6;
    assert!((0.5 * MOST_GFLOP..MOST_GFLOP).contains(&gflop), "{gflop} GFLOP a frame");
    assert!((0.5 * MOST_MBYTES..MOST_MBYTES).contains(&mbytes), "{mbytes} MB a frame");
    for stage in Stage::ALL {
        let done = mean(&|i| work[i].of(stage).flops);
        assert!(done > 1000.0, "nothing is done in {}", stage.name());
    }
}
