//! Frames on the GPU for JavaScript: from the motion to a canvas, without reading anything back.

use std::sync::Arc;

use wasm_bindgen::prelude::*;
use web_sys::OffscreenCanvas;

use super::engine::{BorderError, Engine};
use super::error::OrJs;
use super::motion::frame_of;
use crate::decode::gpu::GpuDecoder;
use crate::exec::gpu::{AdapterChoice, Gpu};
use crate::motion::generator::REFERENCE;

/// A canvas that the GPU draws on.
#[wasm_bindgen]
pub struct GpuStage {
    gpu: Arc<Gpu>,
    canvas: OffscreenCanvas,
    surface: wgpu::Surface<'static>,
    decoder: Option<GpuDecoder>,
}

/// Opens the GPU for a canvas from which no context was taken.
///
/// # Errors
/// Where WebGPU is missing (code `webgpu`).
#[wasm_bindgen(js_name = openGpu)]
pub async fn open_gpu(canvas: OffscreenCanvas) -> Result<GpuStage, JsValue> {
    let gpu = Gpu::open(AdapterChoice::Fastest).await.map_err(|_| BorderError::NoWebGpu).or_js("webgpu")?;
    let target = wgpu::SurfaceTarget::OffscreenCanvas(canvas.clone());
    let surface = gpu.instance.create_surface(target).map_err(|_| BorderError::NoWebGpu).or_js("webgpu")?;
    Ok(GpuStage { gpu, canvas, surface, decoder: None })
}

#[wasm_bindgen]
impl GpuStage {
    /// Takes the engine's portrait, for frames of `size` x `size` pixels.
    ///
    /// # Errors
    /// Without a portrait or with an impossible size (code `decode`), without a usable canvas (code `webgpu`).
    pub fn prepare(&mut self, engine: &Engine, size: u32) -> Result<(), JsValue> {
        let Gpu { adapter, device, queue, .. } = &*self.gpu;
        self.canvas.set_width(size);
        self.canvas.set_height(size);
        let mut config =
            self.surface.get_default_config(adapter, size, size).ok_or(BorderError::NoWebGpu).or_js("webgpu")?;
        // The decoder writes colours as they are in the photo.
        config.format = config.format.remove_srgb_suffix();
        config.alpha_mode = wgpu::CompositeAlphaMode::PreMultiplied;
        self.surface.configure(device, &config);
        let face = engine.face()?;
        let model = engine.models().face_model().clone();
        let mut decoder = GpuDecoder::new(device, queue, model, face, size, config.format).or_js("decode")?;
        decoder.set_background(engine.background()).or_js("background")?;
        self.decoder = Some(decoder);
        Ok(())
    }

    /// Takes over what the engine shows behind the person.
    ///
    /// # Errors
    /// When the person cannot be told from the background (code `background`).
    #[wasm_bindgen(js_name = setBackground)]
    pub fn set_background(&mut self, engine: &Engine) -> Result<(), JsValue> {
        match &mut self.decoder {
            Some(decoder) => decoder.set_background(engine.background()).or_js("background"),
            None => Ok(()),
        }
    }

    /// Draws one frame on the canvas.
    ///
    /// # Errors
    /// Before [`Self::prepare`] (code `decode`), or once the GPU was lost or refused a command (code `webgpu`).
    pub fn paint(&mut self, motion: &[f32]) -> Result<(), JsValue> {
        use wgpu::CurrentSurfaceTexture::{Lost, Outdated, Suboptimal, Success, Validation};
        let decoder = self.decoder.as_mut().ok_or(BorderError::NoPortrait).or_js("decode")?;
        let frame = frame_of(motion).ok_or(BorderError::Length).or_js("decode")?;
        let texture = match self.surface.get_current_texture() {
            Success(texture) | Suboptimal(texture) => texture,
            Lost | Outdated | Validation => return Err(BorderError::LostGpu).or_js("webgpu"),
            _ => return Ok(()),
        };
        decoder.render(&frame, REFERENCE, &texture.texture.create_view(&wgpu::TextureViewDescriptor::default()));
        self.gpu.queue.present(texture);
        self.gpu.check().map_err(|_| BorderError::LostGpu).or_js("webgpu")
    }

    /// Resolves when everything that was drawn so far is done: who waits for it never lets frames pile up.
    pub fn finished(&self) -> js_sys::Promise {
        let gpu = Arc::clone(&self.gpu);
        wasm_bindgen_futures::future_to_promise(async move {
            gpu.finished().await;
            Ok(JsValue::UNDEFINED)
        })
    }
}
