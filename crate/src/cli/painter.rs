//! Who draws the frames: the processor or the GPU.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlante::animator::Models;
use parlante::decode::background::straighten;
use parlante::decode::offscreen::OffscreenDecoder;
use parlante::decode::work::FrameWork;
use parlante::decode::{Background, DecodeError, Decoder};
use parlante::exec::gpu::{AdapterChoice, Gpu};
use parlante::motion::MotionFrame;
use parlante::motion::frame::Reference;
use parlante::portrait::FittedFace;
use pollster::block_on;

use super::args::Backend;
use super::failure::Failure;

/// Frames that `auto` times on each side, after one that warms up.
const TRIAL: u32 = 3;

/// Draws frames of one portrait.
pub struct Painter {
    /// Always there: what goes on when the GPU is lost.
    cpu: Decoder,
    gpu: Option<OffscreenDecoder>,
    transparent: bool,
}

impl Painter {
    /// Prepares a portrait for the backend asked for. `auto` draws a few frames on both and keeps the faster one; a
    /// software adapter would compute on the processor too, only slower, so it is not tried.
    pub fn open(models: &Models, face: FittedFace, size: u32, backend: Backend) -> Result<Self, Failure> {
        let mut painter = Self { cpu: models.decoder(face.clone(), size)?, gpu: None, transparent: false };
        let open = || block_on(Gpu::open(AdapterChoice::Fastest));
        let prepare = |gpu: Arc<Gpu>| OffscreenDecoder::new(gpu, Arc::clone(models.face_model()), face, size);
        match backend {
            Backend::Cpu => {}
            Backend::Wgpu => {
                let gpu = open().map_err(|error| {
                    Failure::Backend(format!("No GPU could be opened ({error}); use --backend cpu or leave it out."))
                })?;
                painter.gpu = Some(prepare(gpu)?);
            }
            // Frames are not drawn with CUDA: what is faster of the others draws them.
            Backend::Auto | Backend::Cuda => {
                let gpu = hardware().then(open).and_then(Result::ok).filter(|g| !g.is_software());
                if let Some(mut gpu) = gpu.and_then(|g| prepare(g).ok()) {
                    let mut rgba = vec![0; size as usize * size as usize * 4];
                    let own = trial(|frame| painter.cpu.render(frame, Reference::Portrait, &mut rgba).is_ok());
                    let its = trial(|frame| block_on(gpu.render(frame, Reference::Portrait, &mut rgba)).is_ok());
                    painter.gpu = its.filter(|t| own.is_none_or(|own| *t < own)).map(|_| gpu);
                }
            }
        }
        Ok(painter)
    }

    /// Chooses what is shown behind the person.
    pub fn set_background(&mut self, background: &Background) -> Result<(), DecodeError> {
        if let Some(gpu) = &mut self.gpu {
            gpu.set_background(background)?;
        }
        self.cpu.set_background(background)?;
        self.transparent = background.is_transparent();
        Ok(())
    }

    /// `cpu` or `wgpu`.
    pub fn backend(&self) -> &'static str {
        if self.gpu.is_some() { "wgpu" } else { "cpu" }
    }

    /// Pixels along a side of a frame.
    pub fn size(&self) -> u32 {
        self.cpu.size()
    }

    /// Draws one frame, colours not multiplied with opacity; a GPU that fails hands over to the processor for good.
    pub fn render(&mut self, frame: &MotionFrame, reference: Reference, rgba: &mut [u8]) -> Result<(), Failure> {
        self.draw(frame, reference, rgba)?;
        if self.transparent {
            straighten(rgba);
        }
        Ok(())
    }

    /// Draws one frame on the processor, whoever draws the others, and tells what it cost.
    pub fn watched(
        &mut self,
        frame: &MotionFrame,
        reference: Reference,
        rgba: &mut [u8],
    ) -> Result<FrameWork, Failure> {
        Ok(self.cpu.render_watched(frame, reference, rgba)?)
    }

    /// Bytes of buffers and textures on the GPU, if it draws.
    pub fn gpu_bytes(&self) -> Option<u64> {
        self.gpu.as_ref().map(OffscreenDecoder::bytes)
    }

    fn draw(&mut self, frame: &MotionFrame, reference: Reference, rgba: &mut [u8]) -> Result<(), Failure> {
        if let Some(gpu) = &mut self.gpu {
            if block_on(gpu.render(frame, reference, rgba)).is_ok() {
                return Ok(());
            }
            self.gpu = None;
        }
        Ok(self.cpu.render(frame, reference, rgba)?)
    }
}

/// False where the system has no device file of a GPU: then drivers need not be loaded, which takes a while and makes
/// some of them complain on standard error.
fn hardware() -> bool {
    !cfg!(target_os = "linux") || ["/dev/dri", "/dev/nvidiactl", "/dev/dxg"].iter().any(|p| Path::new(p).exists())
}

/// Time of a few frames; none if one fails.
fn trial(mut draw: impl FnMut(&MotionFrame) -> bool) -> Option<Duration> {
    let frame = MotionFrame::default();
    let mut good = draw(&frame);
    let start = Instant::now();
    for _ in 0..TRIAL {
        good &= draw(&frame);
    }
    good.then(|| start.elapsed())
}
