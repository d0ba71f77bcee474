//! Recordings of every kind, good and bad, as they come from people's disks.

mod common;

use std::f32::consts::TAU;
use std::sync::atomic::Ordering;

use common::{EndlessWav, Wav, fixture};
use parlante::audio::{AudioError, AudioReader, AudioWarning, SAMPLE_RATE};

/// Everything as 16 kHz mono, the length of the longest chunk, and the warnings.
fn speech(reader: AudioReader) -> (Vec<f32>, usize, Vec<AudioWarning>) {
    let mut speech = reader.into_speech().expect("rate is fine");
    let (mut samples, mut longest) = (Vec::new(), 0);
    while let Some(chunk) = speech.next_chunk() {
        longest = longest.max(chunk.len());
        samples.extend_from_slice(chunk);
    }
    let warnings = speech.reader().warnings();
    (samples, longest, warnings)
}

fn open(bytes: Vec<u8>) -> AudioReader {
    AudioReader::from_bytes(bytes, Some("wav")).expect("a recording")
}

/// Pitch by counting how often the middle of the signal rises through 0.
fn pitch(samples: &[f32]) -> f32 {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let rises = middle.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
    rises as f32 * SAMPLE_RATE as f32 / middle.len() as f32
}

fn level(samples: &[f32]) -> f32 {
    (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
}

#[test]
fn wavs_of_every_shape_become_the_same_tone() {
    for (channels, rate, bits) in [
        (1, 8_000, 8),
        (1, 11_025, 16),
        (2, 44_100, 24),
        (2, 48_000, 32),
        (6, 96_000, 16),
        (8, 48_000, 24),
        (1, 192_000, 16),
        (2, 22_050, 8),
    ] {
        let wav = Wav::tone(channels, rate, bits, 2.0);
        let (samples, _, warnings) = speech(open(wav.bytes()));
        let name = format!("{channels} channels, {rate} Hz, {bits} bits");
        assert_eq!(samples.len(), 32_000, "{name}");
        assert!((pitch(&samples) - 440.0).abs() < 4.0, "{name}: {} Hz", pitch(&samples));
        assert!((level(&samples[1_000..31_000]) - 0.3536).abs() < 0.01, "{name}: {}", level(&samples));
        assert_eq!(warnings, [], "{name}");
    }
}

#[test]
fn compressed_recordings_become_the_same_tone() {
    for (file, codec_silence) in [
        ("tone.mp3", 0.06),
        ("tone.flac", 0.0),
        ("tone.ogg", 0.02),
        ("tone.m4a", 0.08),
        ("tone.opus", 0.005),
        ("tone.webm", 0.03),
        ("tone-adpcm.wav", 0.07),
    ] {
        let reader = AudioReader::open(&fixture(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let (samples, _, warnings) = speech(reader);
        let seconds = samples.len() as f32 / SAMPLE_RATE as f32;
        assert!((seconds - 1.0).abs() <= codec_silence, "{file}: {seconds} s");
        assert!((pitch(&samples) - 440.0).abs() < 4.0, "{file}: {} Hz", pitch(&samples));
        assert!(warnings.is_empty(), "{file}: {warnings:?}");
    }
}

#[test]
fn numbers_that_are_none_become_silence() {
    let mut values: Vec<f32> = (0..16_000).map(|i| 0.5 * (TAU * 440.0 * i as f32 / 16_000.0).sin()).collect();
    values[5_000] = f32::NAN;
    values[6_000] = f32::INFINITY;
    values[7_000] = f32::NEG_INFINITY;
    values[8_000] = 1e30;
    let (samples, _, warnings) = speech(open(Wav::float(16_000, &values)));
    assert!(samples.iter().all(|s| s.is_finite() && s.abs() <= 16.0));
    assert_eq!((samples[5_000], samples[6_000], samples[7_000], samples[8_000]), (0.0, 0.0, 0.0, 16.0));
    assert_eq!(warnings, [AudioWarning::NotFinite { samples: 3 }]);
}

#[test]
fn short_and_silent_recordings_are_recordings() {
    let (samples, ..) = speech(open(Wav::tone(1, 44_100, 16, 0.1).bytes()));
    assert_eq!(samples.len(), 1_600);
    let silence = Wav { channels: 2, rate: 44_100, bits: 16, data: vec![0; 44_100 * 4] };
    let (samples, ..) = speech(open(silence.bytes()));
    assert_eq!(samples.len(), 16_000);
    assert!(samples.iter().all(|s| *s == 0.0));
}

#[test]
fn what_is_no_recording_is_said_so() {
    let error = |bytes: Vec<u8>, extension| AudioReader::from_bytes(bytes, Some(extension)).err().expect("an error");
    assert!(matches!(error(Vec::new(), "wav"), AudioError::EmptyFile));
    let zero_seconds = Wav { channels: 1, rate: 16_000, bits: 16, data: Vec::new() }.bytes();
    assert!(matches!(error(zero_seconds, "wav"), AudioError::NothingDecodes));
    let text = b"This is a letter and not a recording. ".repeat(500);
    assert!(matches!(error(text, "mp3"), AudioError::UnknownFormat));
    let noise = (0..50_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 & 0x7f).collect();
    assert!(matches!(error(noise, "mp3"), AudioError::UnknownFormat | AudioError::NothingDecodes));
    let header_only = Wav::tone(1, 16_000, 16, 1.0).bytes()[..20].to_vec();
    assert!(matches!(error(header_only, "wav"), AudioError::UnknownFormat | AudioError::NothingDecodes));
    let missing = AudioReader::open("no/such/file.wav".as_ref()).err().expect("an error");
    assert!(matches!(missing, AudioError::Open { .. }));
}

#[test]
fn a_recording_cut_in_the_middle_gives_what_it_has() {
    let whole = std::fs::read(fixture("tone.mp3")).expect("readable");
    let half = whole[..whole.len() / 2].to_vec();
    let (samples, _, warnings) = speech(AudioReader::from_bytes(half, Some("mp3")).expect("half is enough"));
    assert!((5_000..10_000).contains(&samples.len()), "{}", samples.len());
    assert!((pitch(&samples) - 440.0).abs() < 6.0);
    assert!(matches!(warnings[..], [AudioWarning::Truncated { .. }, ..]), "{warnings:?}");

    let mut wav = Wav::tone(1, 16_000, 16, 2.0).bytes();
    wav.truncate(44 + 32_000);
    let (samples, _, warnings) = speech(open(wav));
    assert!((15_000..=16_000).contains(&samples.len()), "{}", samples.len());
    assert!(matches!(warnings[..], [AudioWarning::Truncated { .. }]), "{warnings:?}");
}

/// Cuts and overwrites of every fixture: never a panic, never a hang.
#[test]
fn damaged_recordings_never_panic() {
    for file in ["tone.mp3", "tone.flac", "tone.ogg", "tone.m4a", "tone.opus", "tone.webm", "tone-adpcm.wav"] {
        let whole = std::fs::read(fixture(file)).expect("readable");
        for step in 1..24 {
            let mut bytes = whole.clone();
            bytes.truncate(whole.len() * step / 24);
            if let Ok(reader) = AudioReader::from_bytes(bytes, None) {
                speech(reader);
            }
            let mut bytes = whole.clone();
            let at = whole.len() * step / 24;
            for (i, byte) in bytes[at..].iter_mut().take(64).enumerate() {
                *byte = (i as u8).wrapping_mul(89) ^ step as u8;
            }
            if let Ok(reader) = AudioReader::from_bytes(bytes, None) {
                speech(reader);
            }
        }
    }
}

/// All samples of the first channel from now on.
fn rest(reader: &mut AudioReader) -> Vec<f32> {
    let channels = reader.format().channels.len();
    let mut samples = Vec::new();
    while let Some(block) = reader.next_block() {
        samples.extend(block.iter().step_by(channels));
    }
    samples
}

#[test]
fn a_recording_is_entered_in_the_middle_without_a_shift() {
    for file in ["tone.mp3", "tone.flac", "tone.ogg", "tone.m4a"] {
        let open = || AudioReader::open(&fixture(file)).expect("a recording");
        let whole = rest(&mut open());
        for second in [0.0, 0.3, 0.61, 0.9] {
            let mut reader = open();
            let at = reader.seek(second).unwrap_or_else(|| panic!("{file}: no way to {second} s"));
            assert!((second - 0.6..=second).contains(&at), "{file}: {at} s for {second} s");
            let rate = f64::from(reader.format().sample_rate);
            let entered = rest(&mut reader);
            let (from, skipped) = ((second * rate) as usize, ((second - at) * rate).round() as usize);
            assert_eq!(whole.len() - from, entered.len() - skipped, "{file} from {second} s");
            let off = whole[from..].iter().zip(&entered[skipped..]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            // AAC is decoded with a little noise of its own.
            assert!(off < 1e-3, "{file} from {second} s: {off}");
            assert!(reader.warnings().is_empty(), "{file}: {:?}", reader.warnings());
            assert!((reader.decoded_duration() - whole.len() as f64 / rate).abs() < 1e-3, "{file}");
        }
    }
    // Beyond the end there is nothing, and Opus is read through.
    assert_eq!(AudioReader::open(&fixture("tone.flac")).expect("a recording").seek(100.0), None);
    let mut opus = AudioReader::open(&fixture("tone.opus")).expect("a recording");
    assert_eq!((opus.seek(0.5), opus.next_block()), (None, None));
}

#[test]
fn the_end_of_an_hour_is_reached_at_once() {
    let source = EndlessWav::new(3_600, 44_100);
    let read = source.read_bytes();
    let mut reader = AudioReader::from_source(Box::new(source), Some("wav")).expect("a WAV");
    let at = reader.seek(3_599.0).expect("WAV can be entered");
    assert!(read.load(Ordering::Relaxed) < 1_000_000, "{read:?} bytes of 318 million were read");
    let left = rest(&mut reader).len() as f64 / 44_100.0;
    assert!((at + left - 3_600.0).abs() < 1e-6 && left < 2.0, "{left} s from {at} s");
}
