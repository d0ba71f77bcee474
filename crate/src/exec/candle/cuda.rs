//! Kernels of our own for NVIDIA GPUs, `kernels.cu`, for what candle would take many launches for. NVIDIA's runtime compiler
//! makes them when a network is prepared; candle keeps them for its device.

use std::sync::OnceLock;

use candle_core::{
    CpuStorage, CudaDevice, CudaStorage, CustomOp1, CustomOp2, CustomOp3, Error, Layout, Result, Shape, Tensor,
    backend::BackendStorage,
    cuda_backend::{
        WrapErr,
        cudarc::{
            driver::{CudaFunction, DeviceRepr, LaunchConfig, PushKernelArg, sys::CUdevice_attribute},
            nvrtc::compile_ptx,
        },
    },
};

use super::{Kernel, Task};
use crate::{
    exec::roof::{CudaUnits, Roof},
    ops::{Pool, PoolKind, conv_transpose2d::Geometry, window::Window},
};

/// Numbers that a kernel takes at most.
const MOST: usize = 16;
/// Name of the compiled file in candle's table of a device.
const MODULE: &str = "parlante";

/// The numbers of a kernel: its structure in `kernels.cu`, and nothing behind that. CUDA copies as many as the kernel declares.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Params([u32; MOST]);

// SAFETY: numbers without padding.
unsafe impl DeviceRepr for Params {}

/// A kernel of `kernels.cu`, with its numbers and the shape of its result.
struct Launch {
    name: &'static str,
    function: CudaFunction,
    params: Params,
    output: Shape,
}

impl Launch {
    /// `numbers` follow the count of elements. Compiles the file the first time.
    fn new(device: &CudaDevice, name: &'static str, numbers: &[usize], output: impl Into<Shape>) -> Result<Self> {
        static COMPILED: OnceLock<std::result::Result<String, String>> = OnceLock::new();
        let compile = || compile_ptx(include_str!("kernels.cu")).map(|ptx| ptx.to_src()).map_err(|e| e.to_string());
        let ptx = COMPILED.get_or_init(compile).as_ref().map_err(Error::msg)?;
        let function = device.get_or_load_custom_func(name, MODULE, ptx)?.into_cuda_function();
        let output = output.into();
        let mut params = Params([0; MOST]);
        let all = std::iter::once(output.elem_count()).chain(numbers.iter().copied());
        params.0.iter_mut().zip(all).for_each(|(to, number)| *to = number as u32);
        Ok(Self { name, function, params, output })
    }

    /// Launches it on dense inputs.
    fn launch(&self, inputs: &[(&CudaStorage, &Layout)]) -> Result<(CudaStorage, Shape)> {
        let device = inputs[0].0.device();
        let stream = device.cuda_stream();
        // SAFETY: the kernel writes every number of it.
        let mut y = unsafe { device.alloc::<f32>(self.output.elem_count()) }?;
        let mut views = Vec::with_capacity(inputs.len());
        for (storage, layout) in inputs {
            let Some((start, end)) = layout.contiguous_offsets() else {
                candle_core::bail!("{} reads dense tensors", self.name);
            };
            views.push(storage.as_cuda_slice::<f32>()?.slice(start..end));
        }
        let mut builder = stream.launch_builder(&self.function);
        for view in &views {
            builder.arg(view);
        }
        builder.arg(&mut y);
        builder.arg(&self.params);
        // SAFETY: arguments are those that `kernels.cu` declares, and a thread beyond the elements does nothing.
        unsafe { builder.launch(LaunchConfig::for_num_elems(self.output.elem_count() as u32)) }.w()?;
        Ok((CudaStorage::wrap_cuda_slice(y, device.clone()), self.output.clone()))
    }

    fn elsewhere<T>(&self) -> Result<T> {
        candle_core::bail!("{} runs on NVIDIA GPUs only", self.name)
    }
}

/// What the GPU can do at most, computed from what its driver tells.
pub(in crate::exec) fn roof(device: &CudaDevice) -> Result<Roof> {
    let stream = device.cuda_stream();
    let context = stream.context();
    let ask = |attribute| context.attribute(attribute).w();
    let units = CudaUnits {
        capability: [
            ask(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            ask(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        ],
        multiprocessors: ask(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
        clock_khz: ask(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_CLOCK_RATE)?,
        memory_clock_khz: ask(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE)?,
        bus_bits: ask(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH)?,
    };
    Ok(Roof::of_cuda(context.name().w()?, &units))
}

/// A window as `kernels.cu` has it, without the count of elements.
fn numbers(w: &Window, channels: usize) -> Vec<usize> {
    let pairs = [w.input, w.output, w.kernel, w.stride, w.dilation, w.before];
    std::iter::once(channels).chain(pairs.concat()).collect()
}

/// Dense convolution without its end: the pixels under all taps beside each other, and one product. `weight`:
/// `[taps, channels, out]`.
pub(super) fn conv2d(window: &Window, weight: &Tensor, device: &CudaDevice, task: &Task<'_>) -> Result<Kernel> {
    let (taps, channels, out) = weight.dims3()?;
    let weight = weight.reshape((taps * channels, out))?;
    let pixels = window.output_shape(1).elements();
    let patches = Launch::new(device, "patches", &numbers(window, channels), (pixels, taps * channels))?;
    let dims = task.output.dims().to_vec();
    Ok(Box::new(move |x| x[0].apply_op1_no_bwd(&patches)?.matmul(&weight)?.reshape(dims.as_slice())))
}

/// Depthwise convolution without its end. `weight`: `[taps, channels]`.
pub(super) fn depthwise2d(window: &Window, weight: Tensor, device: &CudaDevice, task: &Task<'_>) -> Result<Kernel> {
    let launch = Launch::new(device, "depthwise2d", &numbers(window, task.output.last()), task.output.dims())?;
    Ok(Box::new(move |x| x[0].apply_op2_no_bwd(&weight, &launch)))
}

/// Max or average pooling.
pub(super) fn pool(pool: &Pool, window: &Window, device: &CudaDevice, task: &Task<'_>) -> Result<Kernel> {
    let mut numbers = numbers(window, task.output.last());
    numbers.push(usize::from(pool.kind == PoolKind::Max));
    let launch = Launch::new(device, "pool2d", &numbers, task.output.dims())?;
    Ok(Box::new(move |x| x[0].apply_op1_no_bwd(&launch)))
}

/// Transposed convolution without its end, from what all pixels give under every tap.
pub(super) fn gather_transposed(
    g: &Geometry,
    stride: [usize; 2],
    device: &CudaDevice,
    task: &Task<'_>,
) -> Result<impl Fn(&Tensor) -> Result<Tensor> + Send + Sync + use<>> {
    let size = [task.output.dims()[1], task.output.dims()[2]];
    let pairs = [g.input, size, g.kernel, stride, g.cut].concat();
    let numbers: Vec<usize> = std::iter::once(g.out).chain(pairs).collect();
    let launch = Launch::new(device, "gather_transposed", &numbers, task.output.dims())?;
    Ok(move |products: &Tensor| products.apply_op1_no_bwd(&launch))
}

/// The recurrent part of a GRU. `weight`: `[hidden + 1, 3 hidden]`, the bias of the state's part as the last row; the second
/// tensor that the answer takes is the state.
pub(super) fn gru_steps(
    weight: Tensor,
    device: &CudaDevice,
    task: &Task<'_>,
) -> Result<impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync + use<>> {
    let (steps, hidden) = (task.output.rows(), task.output.last());
    let launch = |step: usize| Launch::new(device, "gru_step", &[step], (1, hidden));
    let launches = (0..steps).map(launch).collect::<Result<Vec<_>>>()?;
    Ok(move |from_input: &Tensor, state: &Tensor| {
        let mut states = Vec::with_capacity(launches.len());
        for launch in &launches {
            let before = states.last().unwrap_or(state);
            states.push(from_input.apply_op3_no_bwd(before, &weight, launch)?);
        }
        Tensor::cat(&states, 0)
    })
}

impl CustomOp1 for Launch {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.elsewhere()
    }

    fn cuda_fwd(&self, a: &CudaStorage, la: &Layout) -> Result<(CudaStorage, Shape)> {
        self.launch(&[(a, la)])
    }
}

impl CustomOp2 for Launch {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.elsewhere()
    }

    fn cuda_fwd(&self, a: &CudaStorage, la: &Layout, b: &CudaStorage, lb: &Layout) -> Result<(CudaStorage, Shape)> {
        self.launch(&[(a, la), (b, lb)])
    }
}

impl CustomOp3 for Launch {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.elsewhere()
    }

    fn cuda_fwd(
        &self,
        a: &CudaStorage,
        la: &Layout,
        b: &CudaStorage,
        lb: &Layout,
        c: &CudaStorage,
        lc: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.launch(&[(a, la), (b, lb), (c, lc)])
    }
}
