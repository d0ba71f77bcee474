//! Frames made on the GPU and brought back to the processor, for video files.

use super::background::Background;
use super::gpu::GpuDecoder;
use super::{DecodeError, check_buffer};
use crate::exec::gpu::Gpu;
use crate::motion::MotionFrame;
use crate::motion::frame::Reference;
use crate::portrait::{FaceModel, FittedFace};
use std::sync::Arc;

/// Draws frames of one portrait on the GPU into memory: [`super::Decoder`] with the GPU's hands.
#[derive(Debug)]
pub struct OffscreenDecoder {
    gpu: Arc<Gpu>,
    decoder: GpuDecoder,
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    rows: wgpu::Buffer,
    /// Bytes from row to row in `rows`.
    stride: u32,
}

impl OffscreenDecoder {
    /// Prepares a portrait for square frames of `size` pixels (64..=2048).
    ///
    /// # Errors
    /// As [`super::Decoder::new`], or what the GPU refused.
    pub fn new(gpu: Arc<Gpu>, model: Arc<FaceModel>, face: FittedFace, size: u32) -> Result<Self, DecodeError> {
        let format = wgpu::TextureFormat::Rgba8Unorm;
        let decoder = GpuDecoder::new(&gpu.device, &gpu.queue, model, face, size, format)?;
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("frame"),
            size: wgpu::Extent3d { width: size, height: size, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let stride = (4 * size).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let rows = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("frame"),
            size: u64::from(stride) * u64::from(size),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        gpu.check()?;
        Ok(Self { view: texture.create_view(&Default::default()), gpu, decoder, texture, rows, stride })
    }

    /// Pixels along a side of a frame.
    pub fn size(&self) -> u32 {
        self.decoder.size()
    }

    /// Bytes of all buffers and textures on the GPU, without what the driver adds.
    pub fn bytes(&self) -> u64 {
        let frame = 4 * u64::from(self.size()) * u64::from(self.size());
        self.decoder.bytes() + frame + self.rows.size()
    }

    /// Chooses what is shown behind the person, as [`super::Decoder::set_background`].
    ///
    /// # Errors
    /// As there.
    pub fn set_background(&mut self, background: &Background) -> Result<(), DecodeError> {
        self.decoder.set_background(background)
    }

    /// Draws one frame into `rgba` like [`super::Decoder::render`], and waits for it.
    ///
    /// # Errors
    /// A buffer that does not have `size * size * 4` bytes, or what the GPU refused.
    pub async fn render(
        &mut self,
        frame: &MotionFrame,
        reference: Reference,
        rgba: &mut [u8],
    ) -> Result<(), DecodeError> {
        let size = self.size();
        check_buffer(rgba, size)?;
        self.decoder.render(frame, reference, &self.view);
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(self.stride), rows_per_image: None };
        let target = wgpu::TexelCopyBufferInfo { buffer: &self.rows, layout };
        encoder.copy_texture_to_buffer(self.texture.as_image_copy(), target, self.texture.size());
        self.gpu.queue.submit([encoder.finish()]);
        let copy = |bytes: &[u8]| {
            for (row, from) in rgba.chunks_mut(4 * size as usize).zip(bytes.chunks(self.stride as usize)) {
                row.copy_from_slice(&from[..row.len()]);
            }
        };
        Ok(self.gpu.read(&self.rows, copy).await?)
    }
}
