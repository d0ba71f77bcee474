//! A frame on the GPU: the same plan as on the CPU, painted by the shaders in `shaders/decode/`.
//!
//! Four passes: the mesh over the whole picture, with four samples to a pixel where triangles end, the mesh around the
//! lips with 2 x 2 samples, the interior of the mouth likewise, and one pass that puts them together and paints eyes and
//! mouth. The frame goes straight into the caller's texture (a canvas); nothing is read back.

mod maker;

use super::background::Background;
use super::plan::FramePlan;
use super::plane::Plane;
use super::puppet::Puppet;
use super::sample::{for_size, texels};
use super::{DecodeError, check_size, edges, paint};
use crate::motion::MotionFrame;
use crate::motion::frame::Reference;
use crate::portrait::{FaceModel, FittedFace};
use maker::{BETWEEN, DEPTH, INTERIOR, INTERIOR_BUFFERS, MESH, MESH_BUFFERS, Maker, bytes_of, entry};
use std::cell::Cell;
use std::sync::Arc;

/// Samples to a pixel where triangles end: what WebGPU promises beside one.
const SAMPLES: u32 = 4;

/// Draws frames of one portrait on the GPU. Equal to [`super::Decoder`] up to rounding.
#[derive(Debug)]
pub struct GpuDecoder {
    device: wgpu::Device,
    queue: wgpu::Queue,
    puppet: Puppet,
    plan: FramePlan,
    size: u32,
    texels: f32,
    uniforms: wgpu::Buffer,
    positions: wgpu::Buffer,
    sources: wgpu::Buffer,
    tones: wgpu::Buffer,
    mouth_vertices: wgpu::Buffer,
    scene: MeshPass,
    fine: MeshPass,
    inner: MeshPass,
    composite: wgpu::RenderPipeline,
    composite_group: wgpu::BindGroup,
    /// What the mesh shows.
    person: wgpu::Texture,
    /// What is behind the person in every pixel.
    still: wgpu::Texture,
    /// Bytes of all buffers and textures.
    bytes: u64,
}

/// Triangles drawn into a picture of its own.
#[derive(Debug)]
struct MeshPass {
    pipeline: wgpu::RenderPipeline,
    group: wgpu::BindGroup,
    /// Which output pixels the picture shows; see `shaders/decode/mesh.wgsl`.
    window: wgpu::Buffer,
    triangles: wgpu::Buffer,
    indices: u32,
    picture: wgpu::TextureView,
    /// The samples that become the picture, where there are several to a pixel.
    samples: Option<wgpu::TextureView>,
    depth: wgpu::TextureView,
}

impl GpuDecoder {
    /// Prepares a portrait for square frames of `size` pixels (64..=2048). `format`: of the textures that
    /// [`Self::render`] will be given; linear (not `Srgb`), because colours are written as they are in the photo.
    ///
    /// # Errors
    /// A size out of range, or a face that was not fitted with this model. What the driver refuses is reported the
    /// way wgpu reports errors: through the device.
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        model: Arc<FaceModel>,
        face: FittedFace,
        size: u32,
        format: wgpu::TextureFormat,
    ) -> Result<Self, DecodeError> {
        check_size(size)?;
        let puppet = Puppet::new(&model, &face)?;
        let plan = puppet.frame_plan();
        let photo_plane = for_size(&puppet.texture, size);
        let texels = texels(photo_plane.width);
        let gpu = Maker { device, queue, bytes: Cell::new(0) };
        let person = gpu.room("person", photo_plane.width as u32);
        let photo = person.create_view(&Default::default());
        let folds = gpu.texture("folds", &puppet.folds.as_picture());
        let uniforms = gpu.buffer("plan", bytemuck::bytes_of(&plan.pixels), wgpu::BufferUsages::UNIFORM);
        let positions = gpu.buffer("positions", bytemuck::cast_slice(&plan.positions), wgpu::BufferUsages::VERTEX);
        let sources = gpu.buffer("sources", bytemuck::cast_slice(&plan.source), wgpu::BufferUsages::VERTEX);
        let tones = gpu.buffer("tones", bytemuck::cast_slice(&plan.tone), wgpu::BufferUsages::VERTEX);
        let mouth_vertices =
            gpu.buffer("mouth", bytemuck::cast_slice(&plan.mouth_vertices), wgpu::BufferUsages::VERTEX);

        // a graphics card shades a pixel once for every triangle in it, so only edges cost more
        let samples = if size as usize <= edges::LARGEST { SAMPLES } else { 1 };
        let scene = gpu.mesh_pipeline("mesh", MESH, &MESH_BUFFERS, samples);
        let fine = gpu.mesh_pipeline("mesh", MESH, &MESH_BUFFERS, 1);
        let interior = gpu.mesh_pipeline("interior", INTERIOR, &INTERIOR_BUFFERS, 1);
        let triangles = gpu.buffer("mesh", bytemuck::cast_slice(&puppet.triangles), wgpu::BufferUsages::INDEX);
        let teeth = gpu.buffer("mouth", bytemuck::cast_slice(&puppet.mouth.triangles), wgpu::BufferUsages::INDEX);
        let pass = |(pipeline, samples): (&wgpu::RenderPipeline, u32),
                    pictures: &[(u32, &wgpu::TextureView)],
                    triangles: &wgpu::Buffer| {
            let window = gpu.buffer("window", bytemuck::bytes_of(&[0.0f32; 4]), wgpu::BufferUsages::UNIFORM);
            let mut entries = vec![entry(0, uniforms.as_entire_binding()), entry(2, window.as_entire_binding())];
            entries.extend(pictures.iter().map(|&(at, view)| entry(at, wgpu::BindingResource::TextureView(view))));
            MeshPass {
                group: gpu.group(pipeline, &entries),
                pipeline: pipeline.clone(),
                window,
                indices: (triangles.size() / 4) as u32,
                triangles: triangles.clone(),
                picture: gpu.target("picture", size, 1, BETWEEN, wgpu::TextureUsages::TEXTURE_BINDING),
                samples: (samples > 1)
                    .then(|| gpu.target("samples", size, samples, BETWEEN, wgpu::TextureUsages::empty())),
                depth: gpu.target("depth", size, samples, DEPTH, wgpu::TextureUsages::empty()),
            }
        };
        let pictures = [(1, &photo), (3, &folds)];
        let scene = pass((&scene, samples), &pictures, &triangles);
        let fine = pass((&fine, 1), &pictures, &triangles);
        let inner = pass((&interior, 1), &[], &teeth);

        let composite = gpu.composite_pipeline(format);
        let nothing = Plane::from_fn(1, 1, |_, _| [0.0; 4]);
        let card = puppet.mouth.card.as_ref().map_or(&nothing, |c| &c.picture);
        let [right, left] = &puppet.eyes;
        let layers = gpu.textures("eyes", &[right, left].map(|e| [&e.sclera, &e.iris, &e.surface, &e.lid]).concat());
        let card = gpu.texture("card", card);
        let still = gpu.room("still", size);
        let behind = still.create_view(&Default::default());
        let views = [&scene.picture, &fine.picture, &inner.picture, &layers, &card, &behind];
        let mut entries = vec![entry(0, uniforms.as_entire_binding())];
        entries.extend(
            [3, 4, 5, 6, 7, 8].iter().zip(views).map(|(&b, v)| entry(b, wgpu::BindingResource::TextureView(v))),
        );
        let composite_group = gpu.group(&composite, &entries);

        let mut decoder = Self {
            device: device.clone(),
            queue: queue.clone(),
            texels,
            puppet,
            plan,
            size,
            uniforms,
            positions,
            sources,
            tones,
            mouth_vertices,
            scene,
            fine,
            inner,
            composite,
            composite_group,
            person,
            still,
            bytes: gpu.bytes.get(),
        };
        decoder.set_background(&Background::Keep)?;
        Ok(decoder)
    }

    /// Pixels along a side of a frame.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Bytes of all buffers and textures on the GPU, without what the driver adds.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Chooses what is shown behind the person, as [`super::Decoder::set_background`].
    ///
    /// # Errors
    /// As there.
    pub fn set_background(&mut self, background: &Background) -> Result<(), DecodeError> {
        let pixels = background.draw(&self.puppet, self.size)?;
        let person = background.person(&self.puppet, self.size);
        let person = bytes_of(&[&person], person.width, person.height);
        for (texture, bytes) in [(&self.still, bytemuck::cast_slice(&pixels)), (&self.person, &person[..])] {
            let bytes_per_row = Some(4 * texture.width());
            let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row, rows_per_image: None };
            self.queue.write_texture(texture.as_image_copy(), bytes, layout, texture.size());
        }
        Ok(())
    }

    /// Draws one frame into `target`, a view of `size` x `size` pixels in the format given to [`Self::new`]. The
    /// commands are submitted; nothing waits for them. Values are limited as in [`super::Decoder::render`].
    pub fn render(&mut self, frame: &MotionFrame, reference: Reference, target: &wgpu::TextureView) {
        self.puppet.plan(frame, reference, self.size, self.texels, &mut self.plan);
        let pixels = &self.plan.pixels;
        let open = pixels.mouth.tissue[3] > 0.0;
        let size = self.size as f32;
        let write = |buffer: &wgpu::Buffer, bytes: &[u8]| self.queue.write_buffer(buffer, 0, bytes);
        write(&self.uniforms, bytemuck::bytes_of(pixels));
        write(&self.positions, bytemuck::cast_slice(&self.plan.positions));
        write(&self.sources, bytemuck::cast_slice(&self.plan.source));
        write(&self.tones, bytemuck::cast_slice(&self.plan.tone));
        if open {
            write(&self.mouth_vertices, bytemuck::cast_slice(&self.plan.mouth_vertices));
        }
        let window = |area: [f32; 4], samples: f32| [area[0], area[1], samples, size];
        write(&self.scene.window, bytemuck::bytes_of(&window([0.0; 4], 1.0)));
        write(&self.fine.window, bytemuck::bytes_of(&window(pixels.mouth.fine, 2.0)));
        write(&self.inner.window, bytemuck::bytes_of(&window(pixels.mouth.area, 2.0)));

        let mut encoder = self.device.create_command_encoder(&Default::default());
        let mesh = [&self.positions, &self.sources, &self.tones];
        self.scene.draw(&mut encoder, &mesh, [0.0; 4]);
        self.fine.draw(&mut encoder, &mesh, [0.0; 4]);
        if open {
            let [r, g, b] = paint::hollow(&pixels.mouth);
            // alpha says how much lies over the lower lip
            self.inner.draw(&mut encoder, &[&self.mouth_vertices], [r, g, b, 0.0]);
        }
        let attachment = wgpu::RenderPassColorAttachment {
            view: target,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color::BLACK), store: wgpu::StoreOp::Store },
        };
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("composite"),
            color_attachments: &[Some(attachment)],
            ..Default::default()
        });
        pass.set_pipeline(&self.composite);
        pass.set_bind_group(0, &self.composite_group, &[]);
        pass.draw(0..3, 0..1);
        drop(pass);
        self.queue.submit([encoder.finish()]);
    }
}

impl MeshPass {
    fn draw(&self, encoder: &mut wgpu::CommandEncoder, vertices: &[&wgpu::Buffer], empty: [f32; 4]) {
        let [r, g, b, a] = empty.map(|c| f64::from(c) / 255.0);
        let (view, resolve_target, store) = match &self.samples {
            Some(samples) => (samples, Some(&self.picture), wgpu::StoreOp::Discard),
            None => (&self.picture, None, wgpu::StoreOp::Store),
        };
        let attachment = wgpu::RenderPassColorAttachment {
            view,
            depth_slice: None,
            resolve_target,
            ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a }), store },
        };
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("mesh"),
            color_attachments: &[Some(attachment)],
            depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                view: &self.depth,
                depth_ops: Some(wgpu::Operations { load: wgpu::LoadOp::Clear(1.0), store: wgpu::StoreOp::Discard }),
                stencil_ops: None,
            }),
            ..Default::default()
        });
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        for (slot, buffer) in vertices.iter().enumerate() {
            pass.set_vertex_buffer(slot as u32, buffer.slice(..));
        }
        pass.set_index_buffer(self.triangles.slice(..), wgpu::IndexFormat::Uint32);
        pass.draw_indexed(0..self.indices, 0, 0..1);
    }
}
