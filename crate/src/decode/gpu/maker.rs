//! Buffers, textures and pipelines of the decoder on one device, and how many bytes they take.

use std::cell::Cell;

use wgpu::util::{BufferInitDescriptor, DeviceExt, TextureDataOrder};

use crate::decode::plan::MouthVertex;
use crate::decode::plane::Plane;

/// Format of the pictures between the passes.
pub(super) const BETWEEN: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
pub(super) const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

pub(super) const MESH: &str = concat!(
    include_str!("../../../../shaders/decode/plan.wgsl"),
    include_str!("../../../../shaders/decode/sample.wgsl"),
    include_str!("../../../../shaders/decode/mesh.wgsl")
);
pub(super) const INTERIOR: &str = concat!(
    include_str!("../../../../shaders/decode/plan.wgsl"),
    include_str!("../../../../shaders/decode/shapes.wgsl"),
    include_str!("../../../../shaders/decode/interior.wgsl")
);
pub(super) const COMPOSITE: &str = concat!(
    include_str!("../../../../shaders/decode/plan.wgsl"),
    include_str!("../../../../shaders/decode/sample.wgsl"),
    include_str!("../../../../shaders/decode/shapes.wgsl"),
    include_str!("../../../../shaders/decode/eye.wgsl"),
    include_str!("../../../../shaders/decode/composite.wgsl")
);

const fn attribute(format: wgpu::VertexFormat, offset: u64, shader_location: u32) -> wgpu::VertexAttribute {
    wgpu::VertexAttribute { format, offset, shader_location }
}

const fn vertex_buffer(stride: usize, attributes: &[wgpu::VertexAttribute]) -> wgpu::VertexBufferLayout<'_> {
    wgpu::VertexBufferLayout { array_stride: stride as u64, step_mode: wgpu::VertexStepMode::Vertex, attributes }
}

pub(super) const MESH_BUFFERS: [Option<wgpu::VertexBufferLayout<'static>>; 3] = [
    Some(vertex_buffer(12, &[attribute(wgpu::VertexFormat::Float32x3, 0, 0)])),
    Some(vertex_buffer(8, &[attribute(wgpu::VertexFormat::Float32x2, 0, 1)])),
    Some(vertex_buffer(8, &[attribute(wgpu::VertexFormat::Float32x2, 0, 2)])),
];

pub(super) const INTERIOR_BUFFERS: [Option<wgpu::VertexBufferLayout<'static>>; 1] = [Some(vertex_buffer(
    size_of::<MouthVertex>(),
    &[
        attribute(wgpu::VertexFormat::Float32x3, 0, 0),
        attribute(wgpu::VertexFormat::Float32x4, 12, 1),
        attribute(wgpu::VertexFormat::Float32x3, 28, 2),
        attribute(wgpu::VertexFormat::Float32x3, 40, 3),
    ],
))];

pub(super) fn entry(binding: u32, resource: wgpu::BindingResource<'_>) -> wgpu::BindGroupEntry<'_> {
    wgpu::BindGroupEntry { binding, resource }
}

/// Colours 0..255 and alpha 0..1 as 8-bit pixels, picture after picture; smaller ones repeat their borders.
pub(super) fn bytes_of(pictures: &[&Plane<4>], width: usize, height: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 * width * height * pictures.len());
    for picture in pictures {
        for y in 0..height {
            for x in 0..width {
                let [r, g, b, a] = picture.at(x as isize, y as isize);
                bytes.extend([r, g, b, 255.0 * a].map(|v| (v + 0.5) as u8)); // a cast saturates
            }
        }
    }
    bytes
}

/// A flat texture, or an array of some; `samples`: to a pixel.
fn descriptor(
    label: &str,
    size: wgpu::Extent3d,
    sample_count: u32,
    format: wgpu::TextureFormat,
    usage: wgpu::TextureUsages,
) -> wgpu::TextureDescriptor<'_> {
    let (dimension, view_formats) = (wgpu::TextureDimension::D2, &[][..]);
    let label = Some(label);
    wgpu::TextureDescriptor { label, size, mip_level_count: 1, sample_count, dimension, format, usage, view_formats }
}

/// Makes what the decoder needs on one device.
pub(super) struct Maker<'a> {
    pub device: &'a wgpu::Device,
    pub queue: &'a wgpu::Queue,
    /// Bytes of what was made so far.
    pub bytes: Cell<u64>,
}

impl Maker<'_> {
    pub fn buffer(&self, label: &str, contents: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
        let usage = usage | wgpu::BufferUsages::COPY_DST;
        self.bytes.set(self.bytes.get() + contents.len() as u64);
        self.device.create_buffer_init(&BufferInitDescriptor { label: Some(label), contents, usage })
    }

    /// A picture of colours 0..255 and alpha 0..1 as an 8-bit texture.
    pub fn texture(&self, label: &str, picture: &Plane<4>) -> wgpu::TextureView {
        self.texture_of(label, &[picture], picture.width, picture.height, wgpu::TextureViewDimension::D2)
    }

    /// The layers of an array texture that is as large as the largest of them; the others repeat their borders.
    pub fn textures(&self, label: &str, pictures: &[&Plane<4>]) -> wgpu::TextureView {
        let width = pictures.iter().map(|p| p.width).max().unwrap_or(1);
        let height = pictures.iter().map(|p| p.height).max().unwrap_or(1);
        self.texture_of(label, pictures, width, height, wgpu::TextureViewDimension::D2Array)
    }

    pub fn texture_of(
        &self,
        label: &str,
        pictures: &[&Plane<4>],
        width: usize,
        height: usize,
        dimension: wgpu::TextureViewDimension,
    ) -> wgpu::TextureView {
        let bytes = bytes_of(pictures, width, height);
        let size =
            wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: pictures.len() as u32 };
        let descriptor = descriptor(label, size, 1, BETWEEN, wgpu::TextureUsages::TEXTURE_BINDING);
        let view = wgpu::TextureViewDescriptor { dimension: Some(dimension), ..Default::default() };
        self.count(&descriptor);
        self.device
            .create_texture_with_data(self.queue, &descriptor, TextureDataOrder::LayerMajor, &bytes)
            .create_view(&view)
    }

    /// Room for a picture that is exchanged with the background.
    pub fn room(&self, label: &str, size: u32) -> wgpu::Texture {
        let usage = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST;
        self.square(label, size, 1, wgpu::TextureFormat::Rgba8Unorm, usage)
    }

    fn square(
        &self,
        label: &str,
        size: u32,
        samples: u32,
        format: wgpu::TextureFormat,
        usage: wgpu::TextureUsages,
    ) -> wgpu::Texture {
        let size = wgpu::Extent3d { width: size, height: size, depth_or_array_layers: 1 };
        let descriptor = descriptor(label, size, samples, format, usage);
        self.count(&descriptor);
        self.device.create_texture(&descriptor)
    }

    /// Counts the bytes of a texture, all of which have four for each sample.
    pub fn count(&self, descriptor: &wgpu::TextureDescriptor<'_>) {
        let wgpu::Extent3d { width, height, depth_or_array_layers } = descriptor.size;
        let pixels = u64::from(width) * u64::from(height) * u64::from(depth_or_array_layers);
        self.bytes.set(self.bytes.get() + 4 * pixels * u64::from(descriptor.sample_count));
    }

    /// `samples`: to a pixel.
    pub fn target(
        &self,
        label: &str,
        size: u32,
        samples: u32,
        format: wgpu::TextureFormat,
        usage: wgpu::TextureUsages,
    ) -> wgpu::TextureView {
        let usage = usage | wgpu::TextureUsages::RENDER_ATTACHMENT;
        self.square(label, size, samples, format, usage).create_view(&Default::default())
    }

    pub fn group(&self, pipeline: &wgpu::RenderPipeline, entries: &[wgpu::BindGroupEntry<'_>]) -> wgpu::BindGroup {
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries,
        })
    }

    /// `name`: prefix of the entry points; `samples`: to a pixel.
    pub fn mesh_pipeline(
        &self,
        name: &str,
        source: &'static str,
        buffers: &[Option<wgpu::VertexBufferLayout<'_>>],
        samples: u32,
    ) -> wgpu::RenderPipeline {
        let depth = wgpu::DepthStencilState {
            format: DEPTH,
            depth_write_enabled: Some(true),
            depth_compare: Some(wgpu::CompareFunction::Less),
            stencil: Default::default(),
            bias: Default::default(),
        };
        self.pipeline(name, source, buffers, Some((depth, samples)), BETWEEN)
    }

    pub fn composite_pipeline(&self, format: wgpu::TextureFormat) -> wgpu::RenderPipeline {
        self.pipeline("composite", COMPOSITE, &[], None, format)
    }

    pub fn pipeline(
        &self,
        name: &str,
        source: &'static str,
        buffers: &[Option<wgpu::VertexBufferLayout<'_>>],
        depth: Option<(wgpu::DepthStencilState, u32)>,
        format: wgpu::TextureFormat,
    ) -> wgpu::RenderPipeline {
        let (depth_stencil, count) = depth.map_or((None, 1), |(state, samples)| (Some(state), samples));
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(name),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        self.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(name),
            layout: None,
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some(&format!("{name}_vertex")),
                compilation_options: Default::default(),
                buffers,
            },
            primitive: Default::default(),
            depth_stencil,
            multisample: wgpu::MultisampleState { count, ..Default::default() },
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some(&format!("{name}_fragment")),
                compilation_options: Default::default(),
                targets: &[Some(format.into())],
            }),
            multiview_mask: None,
            cache: None,
        })
    }
}
