//! The GPU as the rest of the program sees it: a device, its queue, and what can go wrong with them.
//!
//! One [`Gpu`] is shared by all networks and by the face decoder, so that a frame is made without leaving the device.
//! It never panics for what a driver does: errors that wgpu reports outside of a call and the loss of the device are
//! kept, and [`Gpu::check`] returns them at the next occasion.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::graph::Shader;

/// Functions that every compute shader may use; put in front of each.
const PRELUDE: &str = include_str!("../../../shaders/ops/prelude.wgsl");

/// Why the GPU cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    /// There is no adapter at all.
    #[error("no GPU was found ({0}); use the processor instead (`--backend cpu`) or install a Vulkan driver")]
    NoAdapter(String),
    /// The adapter does not give a device.
    #[error("the GPU `{adapter}` could not be opened ({reason}); use the processor instead (`--backend cpu`)")]
    NoDevice {
        /// Name of the adapter.
        adapter: String,
        /// What the driver says.
        reason: String,
    },
    /// The device went away: driver update, reset, too long a computation, a laptop that switched GPUs.
    #[error("the GPU was lost ({0}); it has to be opened again")]
    Lost(String),
    /// The driver refused a command.
    #[error("the GPU refused a command ({0}); use the processor instead (`--backend cpu`) and report this")]
    Refused(String),
    /// A buffer is larger than the GPU allows.
    #[error(
        "the network needs a buffer of {bytes} bytes and the GPU allows {limit}; use the processor instead (`--backend cpu`)"
    )]
    TooLarge {
        /// Bytes needed.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
}

/// Which adapter to open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdapterChoice {
    /// The fastest one, software included when there is nothing else.
    #[default]
    Fastest,
    /// A software adapter (tests).
    Software,
}

/// A shader with its override constants: what is compiled once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PipelineKey {
    shader: Shader,
    /// Names and values, as bits.
    constants: Vec<(&'static str, u64)>,
}

impl PipelineKey {
    /// This shader with these constants.
    pub fn new(shader: Shader, constants: &[(&'static str, f64)]) -> Self {
        Self { shader, constants: constants.iter().map(|&(name, value)| (name, value.to_bits())).collect() }
    }
}

/// An opened GPU.
pub struct Gpu {
    /// Needed to make surfaces.
    pub instance: wgpu::Instance,
    /// What was opened.
    pub adapter: wgpu::Adapter,
    /// Makes buffers, textures and pipelines.
    pub device: wgpu::Device,
    /// Takes commands.
    pub queue: wgpu::Queue,
    /// Name, vendor, kind and driver of the adapter.
    pub info: wgpu::AdapterInfo,
    fault: Arc<Mutex<Option<GpuError>>>,
    modules: Mutex<HashMap<&'static str, wgpu::ShaderModule>>,
    pipelines: Mutex<HashMap<PipelineKey, wgpu::ComputePipeline>>,
}

/// Locks a mutex; a panic elsewhere does not make its content wrong here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gpu {
    /// Opens a GPU.
    ///
    /// # Errors
    /// [`GpuError::NoAdapter`], [`GpuError::NoDevice`].
    pub async fn open(choice: AdapterChoice) -> Result<Arc<Self>, GpuError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            force_fallback_adapter: choice == AdapterChoice::Software,
            ..Default::default()
        };
        let adapter = instance.request_adapter(&options).await.map_err(|e| GpuError::NoAdapter(e.to_string()))?;
        Self::from_adapter(instance, adapter).await
    }

    /// Opens a device on an adapter that was chosen elsewhere.
    ///
    /// # Errors
    /// [`GpuError::NoDevice`].
    pub async fn from_adapter(instance: wgpu::Instance, adapter: wgpu::Adapter) -> Result<Arc<Self>, GpuError> {
        let available = adapter.limits();
        let mut limits = wgpu::Limits::default().or_worse_values_from(&available);
        // The activations of large networks do not fit into the default 128 MiB.
        limits.max_storage_buffer_binding_size = available.max_storage_buffer_binding_size;
        limits.max_buffer_size = available.max_buffer_size;
        let features = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        Self::with_limits(instance, adapter, limits, features).await
    }

    async fn with_limits(
        instance: wgpu::Instance,
        adapter: wgpu::Adapter,
        limits: wgpu::Limits,
        features: wgpu::Features,
    ) -> Result<Arc<Self>, GpuError> {
        let info = adapter.get_info();
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("parlante"),
            required_features: features,
            required_limits: limits,
            ..Default::default()
        };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|e| GpuError::NoDevice { adapter: info.name.clone(), reason: e.to_string() })?;

        let fault = Arc::new(Mutex::new(None));
        let refused = fault.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            log::error!("GPU: {error}");
            lock(&refused).get_or_insert(GpuError::Refused(error.to_string()));
        }));
        let lost = fault.clone();
        device.set_device_lost_callback(move |reason, message| {
            // Dropping the device is reported through the same callback, when nobody asks any more.
            if reason != wgpu::DeviceLostReason::Destroyed {
                log::error!("GPU lost: {message}");
            }
            *lock(&lost) = Some(GpuError::Lost(message));
        });
        let (modules, pipelines) = Default::default();
        #[cfg_attr(
            target_arch = "wasm32",
            expect(clippy::arc_with_non_send_sync, reason = "shared between threads natively; the browser has one")
        )]
        let gpu = Arc::new(Self { instance, adapter, device, queue, info, fault, modules, pipelines });
        Ok(gpu)
    }

    /// Whether everything so far went well. To be asked after each submission: WebGPU reports errors late.
    ///
    /// # Errors
    /// The first [`GpuError::Refused`], or [`GpuError::Lost`].
    pub fn check(&self) -> Result<(), GpuError> {
        lock(&self.fault).clone().map_or(Ok(()), Err)
    }

    /// True once the device is lost: everything made from it must be made again.
    pub fn is_lost(&self) -> bool {
        matches!(*lock(&self.fault), Some(GpuError::Lost(_)))
    }

    /// True for adapters that compute on the processor.
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// A storage buffer, checked against the adapter's limits; never empty, since WebGPU cannot bind nothing.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`].
    pub fn storage(&self, label: &str, elements: usize) -> Result<wgpu::Buffer, GpuError> {
        use wgpu::BufferUsages as Use;
        let bytes = 4 * elements.max(4) as u64;
        let limits = self.device.limits();
        let limit = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        if bytes > limit {
            return Err(GpuError::TooLarge { bytes, limit });
        }
        let usage = Use::STORAGE | Use::COPY_DST | Use::COPY_SRC;
        Ok(self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage,
            mapped_at_creation: false,
        }))
    }

    /// A storage buffer with this content: whole words.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`].
    pub fn storage_with(&self, label: &str, values: &[impl bytemuck::NoUninit]) -> Result<wgpu::Buffer, GpuError> {
        let buffer = self.storage(label, size_of_val(values) / 4)?;
        self.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(values));
        Ok(buffer)
    }

    /// The pipeline of a shader; compiled the first time it is asked for.
    pub fn pipeline(&self, key: &PipelineKey) -> wgpu::ComputePipeline {
        if let Some(pipeline) = lock(&self.pipelines).get(key) {
            return pipeline.clone();
        }
        let pipeline = self.build(key);
        lock(&self.pipelines).insert(key.clone(), pipeline.clone());
        pipeline
    }

    /// Compiles a pipeline unless it is there, and waits until the driver has answered.
    ///
    /// # Errors
    /// [`GpuError::Refused`] when the driver does not take the shader; the GPU can still be used for others.
    pub async fn compile(&self, key: &PipelineKey) -> Result<(), GpuError> {
        if lock(&self.pipelines).contains_key(key) {
            return Ok(());
        }
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = self.build(key);
        if let Some(error) = scope.pop().await {
            lock(&self.modules).remove(key.shader.name);
            return Err(GpuError::Refused(error.to_string()));
        }
        lock(&self.pipelines).insert(key.clone(), pipeline);
        self.check()
    }

    fn build(&self, key: &PipelineKey) -> wgpu::ComputePipeline {
        let shader = key.shader;
        let module = lock(&self.modules)
            .entry(shader.name)
            .or_insert_with(|| {
                let source = format!("{PRELUDE}\n{}", shader.source);
                self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: Some(shader.name),
                    source: wgpu::ShaderSource::Wgsl(source.into()),
                })
            })
            .clone();
        let constants: Vec<_> = key.constants.iter().map(|&(name, bits)| (name, f64::from_bits(bits))).collect();
        self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(shader.name),
            layout: None,
            module: &module,
            entry_point: Some("main"),
            // Every shader writes its workgroup memory before it reads it.
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        })
    }

    /// Waits until everything submitted so far is done.
    pub async fn finished(&self) {
        let done = Signal::default();
        let tell = done.clone();
        self.queue.on_submitted_work_done(move || tell.set(Ok(())));
        // A lost device answers too; what is wrong comes out of `check`.
        let _ = done.wait(&self.device).await;
    }

    /// Maps a buffer that was made with `MAP_READ` and hands its bytes to `read`.
    ///
    /// # Errors
    /// [`GpuError::Lost`] or [`GpuError::Refused`].
    pub async fn read<T>(&self, buffer: &wgpu::Buffer, read: impl FnOnce(&[u8]) -> T) -> Result<T, GpuError> {
        let done = Signal::default();
        let tell = done.clone();
        buffer.map_async(wgpu::MapMode::Read, .., move |result| tell.set(result.map_err(|e| e.to_string())));
        let mapped = done.wait(&self.device).await;
        if mapped.is_err() {
            // The loss of the device may be reported after what it made fail.
            let _ = self.device.poll(wgpu::PollType::Poll);
        }
        self.check()?;
        mapped.map_err(GpuError::Refused)?;
        let view = buffer.get_mapped_range(..).map_err(|e| GpuError::Refused(e.to_string()))?;
        let result = read(&view);
        drop(view);
        buffer.unmap();
        Ok(result)
    }
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?}, {:?})", self.info.name, self.info.device_type, self.info.backend)
    }
}

#[derive(Default)]
struct SignalState {
    result: Option<Result<(), String>>,
    waker: Option<std::task::Waker>,
}

/// Turns a wgpu callback into something that can be awaited.
#[derive(Clone, Default)]
struct Signal(Arc<Mutex<SignalState>>);

impl Signal {
    fn set(&self, result: Result<(), String>) {
        let mut state = lock(&self.0);
        state.result = Some(result);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// In a browser the event loop calls back. Natively nobody does until the device is polled, so that is done here, and
    /// the calling thread sleeps in the driver meanwhile.
    async fn wait(&self, device: &wgpu::Device) -> Result<(), String> {
        std::future::poll_fn(|context| {
            lock(&self.0).waker = Some(context.waker().clone());
            if let Err(error) = device.poll(wgpu::PollType::wait_indefinitely()) {
                return std::task::Poll::Ready(Err(error.to_string()));
            }
            match lock(&self.0).result.take() {
                Some(result) => std::task::Poll::Ready(result),
                None => std::task::Poll::Pending,
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_command_is_an_error_and_not_a_panic() {
        let gpu = pollster::block_on(Gpu::open(AdapterChoice::Fastest)).expect("tests need a GPU or a software one");
        assert_eq!(gpu.check(), Ok(()));
        let bad = Shader { name: "bad", source: "this is not WGSL" };
        gpu.pipeline(&PipelineKey::new(bad, &[]));
        assert!(matches!(gpu.check(), Err(GpuError::Refused(_))), "{:?}", gpu.check());
        assert!(!gpu.is_lost());
    }

    /// What every WebGPU adapter has, and nothing more.
    #[test]
    fn the_lowest_limits_and_no_features_are_enough() {
        let gpu = pollster::block_on(async {
            let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
            let adapter = instance.request_adapter(&Default::default()).await.expect("tests need a GPU");
            Gpu::with_limits(instance, adapter, wgpu::Limits::default(), wgpu::Features::empty()).await
        });
        let gpu = gpu.expect("every adapter has these limits");
        assert_eq!(gpu.device.limits().max_storage_buffer_binding_size, 128 << 20);
        for graph in crate::exec::tests::networks() {
            crate::exec::tests::agree_on(&graph, &gpu);
        }
        assert_eq!(gpu.check(), Ok(()));
    }

    #[test]
    fn a_device_that_is_destroyed_in_the_middle_of_a_run_is_a_loss() {
        let gpu = pollster::block_on(Gpu::open(AdapterChoice::Fastest)).expect("tests need a GPU or a software one");
        let buffer = gpu.storage("values", 1 << 20).expect("a small buffer");
        let readback = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("readback"),
            size: buffer.size(),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&buffer, 0, &readback, 0, buffer.size());
        gpu.queue.submit([encoder.finish()]);
        gpu.device.destroy();
        let read = pollster::block_on(gpu.read(&readback, <[u8]>::to_vec));
        assert!(matches!(read, Err(GpuError::Lost(_))), "{:?}", read.map(|bytes| bytes.len()));
        assert!(gpu.is_lost());
    }

    #[test]
    fn buffers_beyond_the_limits_are_refused() {
        let gpu = pollster::block_on(Gpu::open(AdapterChoice::Fastest)).expect("tests need a GPU or a software one");
        assert!(matches!(gpu.storage("huge", usize::MAX / 16), Err(GpuError::TooLarge { .. })));
    }
}
