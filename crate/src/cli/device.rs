//! Where the networks run: the processor, or an NVIDIA GPU by CUDA. Who draws the frames is another question
//! ([`super::painter`]).

use std::io::Write;

use parlante::exec::Device;

use super::args::Backend;
use super::failure::Failure;
use super::painter::Painter;

/// The device of the backend asked for. Opened before any work is done: what is not there fails at once.
pub fn open(backend: Backend) -> Result<Device, Failure> {
    match backend {
        Backend::Cuda => Device::cuda().map_err(|error| {
            let sentence = error.to_string();
            let (first, rest) = sentence.split_at(sentence.chars().next().map_or(0, char::len_utf8));
            Failure::Backend(format!("{}{rest}.", first.to_uppercase()))
        }),
        Backend::Auto | Backend::Wgpu | Backend::Cpu => Ok(Device::Cpu),
    }
}

/// Says what computes, where somebody asked for more than one thing.
pub fn report(device: &Device, painter: &Painter) {
    if !device.is_cpu() {
        let _ = writeln!(
            std::io::stderr(),
            "parlante: the networks run on {}, the frames are drawn on {}",
            name(device),
            painter.backend()
        );
    }
}

/// The device's name for people.
pub fn name(device: &Device) -> &'static str {
    if device.is_cpu() { "cpu" } else { "cuda" }
}
