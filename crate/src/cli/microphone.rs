//! A microphone of this machine as the source of live sound (feature `device`).

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{Device, FromSample, SampleFormat, SizedSample, StreamConfig};

use super::failure::Failure;
use super::inbox::{Feeder, Inbox};

/// Opens the microphone with an id, or the one that the system prefers. It is heard until the stream is dropped.
///
/// # Errors
/// Where there is none, where it is not allowed, or where its samples are of an unknown kind.
pub fn open(id: Option<&str>) -> Result<(Inbox, cpal::Stream), Failure> {
    let host = cpal::default_host();
    let device = match id {
        None => host.default_input_device(),
        Some(id) => id.parse().ok().and_then(|id| host.device_by_id(&id)),
    };
    let device = device.ok_or_else(|| Failure::Microphone(missing(&host, id)))?;
    let supported = device.default_input_config().map_err(failed)?;
    let (format, config) = (supported.sample_format(), StreamConfig::from(supported));
    let (inbox, feeder) = Inbox::fed(config.sample_rate)?;
    let stream = match format {
        SampleFormat::F32 => listen::<f32>(&device, config, feeder),
        SampleFormat::I16 => listen::<i16>(&device, config, feeder),
        SampleFormat::U16 => listen::<u16>(&device, config, feeder),
        SampleFormat::I32 => listen::<i32>(&device, config, feeder),
        other => {
            let text = format!("The microphone gives samples of an unknown kind ({other}); choose another one.");
            return Err(Failure::Microphone(text));
        }
    };
    let stream = stream.map_err(failed)?;
    stream.play().map_err(failed)?;
    Ok((inbox, stream))
}

/// Mixes what the device gives to one channel and hands it on. A device that goes away ends the sound.
fn listen<T>(device: &Device, config: StreamConfig, feeder: Feeder) -> Result<cpal::Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels.max(1));
    let ends = feeder.end();
    let mut feeder = feeder;
    let mut mono = Vec::new();
    device.build_input_stream(
        config,
        move |samples: &[T], _| {
            let mix = |frame: &[T]| frame.iter().map(|&x| f32::from_sample_(x)).sum::<f32>() / channels as f32;
            mono.clear();
            mono.extend(samples.chunks_exact(channels).map(mix));
            feeder.feed(&mono);
        },
        move |error: cpal::Error| match error.kind() {
            cpal::ErrorKind::Xrun | cpal::ErrorKind::RealtimeDenied | cpal::ErrorKind::DeviceChanged => {}
            _ => ends.end(),
        },
        None,
    )
}

/// What to do where there is no such microphone.
fn missing(host: &cpal::Host, id: Option<&str>) -> String {
    let found = host.input_devices().into_iter().flatten().filter_map(|device| Some(device.id().ok()?.to_string()));
    let found = found.collect::<Vec<_>>().join(", ");
    match id {
        _ if found.is_empty() => "No microphone was found; connect one, or pipe the sound in.".to_owned(),
        Some(id) => format!("There is no microphone \"{id}\"; there are: {found}."),
        None => format!("The system prefers no microphone; give one of: {found}."),
    }
}

fn failed(error: cpal::Error) -> Failure {
    Failure::Microphone(format!(
        "The microphone cannot be used ({error}); end other programs that use it, or pipe the sound in."
    ))
}
