//! Sound to features: decoding, resampling to 16 kHz mono, log-mel. Everything works chunk by chunk, so that an
//! hour of audio needs no more memory than a second of it.
//!
//! [`decode::AudioReader`] yields interleaved samples at the recording's own rate; a [`convert::Converter`] mixes
//! and resamples them: to [`SAMPLE_RATE`] mono for the motion generator, to 48 kHz for the sound track of a video. A
//! [`live::LiveResampler`] takes live sound whose rate may change.

pub mod convert;
pub mod decode;
pub mod error;
pub mod live;
pub mod offset;
#[cfg(not(target_arch = "wasm32"))]
pub mod opus;
pub mod resample;

pub use convert::{Converter, Mix};
pub use decode::{AudioFormat, AudioReader, SpeechReader};
pub use error::{AudioError, AudioWarning};
pub use live::LiveResampler;
pub use offset::OffsetFilter;

pub mod mel;

/// Sample rate of everything behind the resampler, in hertz.
pub const SAMPLE_RATE: u32 = 16_000;
