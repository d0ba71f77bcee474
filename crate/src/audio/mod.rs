//! Sound to features: decoding, resampling to 16 kHz mono, log-mel. Everything works chunk by chunk, so that an
//! hour of audio needs no more memory than a second of it.

/// Sample rate of everything behind the resampler, in hertz.
pub const SAMPLE_RATE: u32 = 16_000;
