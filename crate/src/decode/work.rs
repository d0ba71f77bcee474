//! What the stages of a frame on the CPU cost: time, arithmetic, memory. Pixels, spans and triangles are counted as they
//! are painted; the operations of each are counted in the source: every sum, product, quotient, comparison and conversion
//! of numbers is one.

use crate::exec::clock::seconds;

/// The stages of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A motion frame becomes vertices, lines and colours.
    Plan,
    /// The inside of the mouth: teeth, tongue, gums, with 2 x 2 samples to a pixel.
    Interior,
    /// The mesh becomes a place in the photo for every pixel.
    Raster,
    /// The photo is looked up there, shaded, and laid over the background.
    Sample,
    /// The same with four samples to a pixel: around the lips, and where the mesh hides a part of itself.
    Fine,
    /// Eyeballs, lids, lashes.
    Eyes,
    /// What the lips leave open.
    Mouth,
}

impl Stage {
    /// How many there are.
    pub const COUNT: usize = 7;
    /// All of them, in the order in which they run.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Plan, Self::Interior, Self::Raster, Self::Sample, Self::Fine, Self::Eyes, Self::Mouth];

    /// For tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Interior => "interior",
            Self::Raster => "raster",
            Self::Sample => "sample",
            Self::Fine => "fine",
            Self::Eyes => "eyes",
            Self::Mouth => "mouth",
        }
    }
}

/// What a stage of one frame cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Seconds, all threads together.
    pub seconds: f64,
    /// Operations on numbers.
    pub flops: u64,
    /// Bytes of buffers and pictures that are read or written, each once a stage.
    pub bytes: u64,
}

/// What the stages of one frame cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameWork([Work; Stage::COUNT]);

impl FrameWork {
    /// What one stage cost.
    pub fn of(&self, stage: Stage) -> Work {
        self.0[stage as usize]
    }

    /// All stages together.
    pub fn total(&self) -> Work {
        self.0.iter().fold(Work::default(), |sum, work| sum.and(*work))
    }

    /// Adds what was done on another thread.
    pub(crate) fn add(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own = own.and(*other);
        }
    }
}

impl Work {
    fn and(self, other: Self) -> Self {
        Self { seconds: self.seconds + other.seconds, flops: self.flops + other.flops, bytes: self.bytes + other.bytes }
    }
}

/// Takes the time of one stage after another; nothing unless it is watched.
#[derive(Debug)]
pub(crate) struct Laps {
    /// When the last stage ended.
    last: Option<f64>,
}

impl Laps {
    pub fn start(watched: bool) -> Self {
        Self { last: watched.then(seconds) }
    }

    /// Ends a stage; `count`: its operations and bytes.
    pub fn end(&mut self, stage: Stage, work: &mut FrameWork, count: impl FnOnce() -> (usize, usize)) {
        let Some(last) = self.last else { return };
        let now = seconds();
        let (flops, bytes) = count();
        let done = Work { seconds: now - last, flops: flops as u64, bytes: bytes as u64 };
        work.0[stage as usize] = work.0[stage as usize].and(done);
        // counting is not part of the next stage
        self.last = Some(seconds());
    }
}
