//! Video files, read back by other people's parsers: lengths, times, colours, metadata.

#![cfg(feature = "cli")]

mod common;

use std::path::Path;

use common::Folder;
use parlante::audio::AudioReader;
use parlante::output::{Container, NewFile, OutputError, VideoSettings, VideoWriter};
use shiguredo_mp4::TrackKind;
use shiguredo_mp4::boxes::SampleEntry;
use shiguredo_mp4::demux::{Input, Mp4FileDemuxer};

const SIDE: usize = 96;
const FPS: u32 = 25;
const RATE: usize = 48_000;
/// A click in the sound, seconds.
const CLICK: f64 = 1.0;

/// A moving picture with colours of all kinds.
fn picture(index: usize, rgba: &mut [u8]) {
    for (i, pixel) in rgba.chunks_exact_mut(4).enumerate() {
        let (x, y) = (i % SIDE, i / SIDE);
        let wave = ((x + index * 2) as f32 / 15.0).sin() * 60.0;
        pixel.copy_from_slice(&[(120.0 + wave) as u8, (40 + y) as u8, (220 - x) as u8, 255]);
    }
}

fn write(path: &Path, container: Container, pictures: usize, seconds: f64, channels: usize) {
    let settings = VideoSettings { width: SIDE, height: SIDE, fps: FPS, channels, expected_pictures: pictures as u64 };
    let mut writer = VideoWriter::create(path, container, &settings).expect("writable");
    let frames = (seconds * RATE as f64) as usize;
    let click = (CLICK * RATE as f64) as usize;
    let sound: Vec<f32> = (0..frames)
        .flat_map(|i| std::iter::repeat_n(if (click..click + 48).contains(&i) { 0.9 } else { 0.0 }, channels))
        .collect();
    let mut rgba = vec![0; SIDE * SIDE * 4];
    let per_picture = RATE / FPS as usize * channels;
    for i in 0..pictures {
        if channels > 0 {
            let end = ((i + 1) * per_picture).min(sound.len());
            writer.sound(&sound[(i * per_picture).min(end)..end]).expect("room");
        }
        picture(i, &mut rgba);
        writer.picture(&rgba).expect("room");
    }
    let finished = writer.finish().expect("room");
    assert_eq!(finished.pictures, pictures as u64);
}

/// Time of the click and length of the sound, as a player hears them.
fn heard(path: &Path) -> (f64, f64) {
    let mut reader = AudioReader::open(path).expect("sound");
    let channels = reader.format().channels.len();
    let rate = f64::from(reader.format().sample_rate);
    let mut samples: Vec<f32> = Vec::new();
    while let Some(block) = reader.next_block() {
        samples.extend(block.iter().step_by(channels));
    }
    let peak = samples.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).expect("not empty").0;
    (peak as f64 / rate, samples.len() as f64 / rate)
}

#[test]
fn mp4_has_what_was_put_in() {
    let folder = Folder::new("mp4");
    let path = folder.0.join("a.mp4");
    write(&path, Container::Mp4, 61, 2.42, 2);
    assert_eq!(folder.names(), ["a.mp4"]);
    let (click, seconds) = heard(&path);
    // symphonia plays the last packet to its end; the edit list cuts it for players.
    assert!((click - CLICK).abs() < 0.002, "the click is at {click} s");
    assert!((0.0..0.03).contains(&(seconds - 61.0 / 25.0)), "{seconds} s of sound");

    let data = std::fs::read(&path).expect("readable");
    let mut demuxer = Mp4FileDemuxer::new();
    demuxer.handle_input(Input { position: 0, data: &data });
    let tracks = demuxer.tracks().expect("an MP4").to_vec();
    let length = |kind| {
        let track = tracks.iter().find(|t| t.kind == kind).expect("track");
        track.duration as f64 / f64::from(track.timescale.get())
    };
    assert_eq!(length(TrackKind::Video), 61.0 / 25.0);
    assert!((length(TrackKind::Audio) - 61.0 / 25.0).abs() < 1.0 / 25.0);

    let mut decoder = openh264::decoder::Decoder::new().expect("decoder");
    let (mut count, mut keys, mut worst) = (0, 0, f64::MAX);
    let mut wanted = vec![0; SIDE * SIDE * 4];
    let mut last_time = 0;
    while let Some(sample) = demuxer.next_sample().expect("samples") {
        if sample.track.kind != TrackKind::Video {
            continue;
        }
        let mut annex_b = Vec::new();
        if let Some(SampleEntry::Avc1(entry)) = sample.sample_entry {
            for set in entry.avcc_box.sps_list.iter().chain(&entry.avcc_box.pps_list) {
                annex_b.extend_from_slice(&[0, 0, 0, 1]);
                annex_b.extend_from_slice(set);
            }
            // colours of BT.709, the matrix of BT.601
            assert!(entry.unknown_boxes.iter().any(|b| b.payload.starts_with(b"nclx\0\x01\0\x01\0\x06")));
        }
        let mut rest = &data[sample.data_offset as usize..][..sample.data_size];
        while let Some((length, tail)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            annex_b.extend_from_slice(&[0, 0, 0, 1]);
            annex_b.extend_from_slice(&tail[..length]);
            rest = &tail[length..];
        }
        keys += u32::from(sample.keyframe);
        assert!(count == 0 || sample.timestamp - last_time == u64::from(sample.duration));
        last_time = sample.timestamp;
        let yuv = decoder.decode(&annex_b).expect("H.264").expect("a picture for each sample");
        picture(count, &mut wanted);
        worst = worst.min(psnr(&yuv, &wanted));
        count += 1;
    }
    assert_eq!((count, keys), (61, 2));
    assert!(worst > 38.0, "a picture came back with {worst:.1} dB");
    for text in [parlante::output::TITLE, parlante::output::COMMENT] {
        assert!(data.windows(text.len()).any(|w| w == text.as_bytes()), "{text}");
    }
    // The index lies before the media, so that a browser can start at once.
    let at = |name: &[u8]| data.windows(4).position(|w| w == name).expect("box");
    assert!(at(b"moov") < at(b"mdat"));
}

/// Signal to noise of luma, in dB, with the conversion of the standard.
fn psnr(yuv: &impl openh264::formats::YUVSource, rgba: &[u8]) -> f64 {
    let (width, height) = yuv.dimensions();
    assert_eq!((width, height), (SIDE, SIDE));
    let stride = yuv.strides().0;
    let mut sum = 0.0;
    for (i, pixel) in rgba.chunks_exact(4).enumerate() {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(|c| f64::from(c) / 255.0);
        let wanted = 16.0 + 219.0 * (0.299 * r + 0.587 * g + 0.114 * b);
        let got = f64::from(yuv.y()[i / SIDE * stride + i % SIDE]);
        sum += (got - wanted) * (got - wanted);
    }
    10.0 * (255.0 * 255.0 / (sum / (SIDE * SIDE) as f64)).log10()
}

#[test]
fn webm_has_what_was_put_in() {
    let folder = Folder::new("webm");
    let path = folder.0.join("a.webm");
    write(&path, Container::WebM, 61, 2.42, 1);
    assert_eq!(folder.names(), ["a.webm"]);
    let (click, seconds) = heard(&path);
    assert!((click - CLICK).abs() < 0.002, "the click is at {click} s");
    assert!((seconds - 61.0 / 25.0).abs() < 0.03, "{seconds} s of sound");
    let data = std::fs::read(&path).expect("readable");
    for text in [parlante::output::TITLE, parlante::output::COMMENT] {
        assert!(data.windows(text.len()).any(|w| w == text.as_bytes()), "{text}");
    }

    use symphonia::core::formats::probe::Hint;
    let stream = symphonia::core::io::MediaSourceStream::new(Box::new(std::io::Cursor::new(data)), Default::default());
    let mut container = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, Default::default(), Default::default())
        .expect("a WebM");
    let (mut times, mut sizes) = (Vec::new(), Vec::new());
    while let Ok(Some(packet)) = container.next_packet() {
        if packet.track_id == 1 {
            times.push(packet.pts.get());
            sizes.push(packet.data.len());
        }
    }
    let wanted: Vec<i64> = (0..61).map(|i| i * 40).collect();
    assert_eq!(times, wanted);
    assert!(sizes.iter().all(|&size| size > 0));
}

#[test]
fn silent_videos_have_no_sound_track() {
    let folder = Folder::new("silent");
    for (name, container) in [("a.mp4", Container::Mp4), ("a.webm", Container::WebM)] {
        let path = folder.0.join(name);
        write(&path, container, 3, 0.0, 0);
        assert!(AudioReader::open(&path).is_err(), "{name}");
    }
}

#[test]
fn sound_that_is_too_short_is_filled_up() {
    let folder = Folder::new("short");
    let path = folder.0.join("a.mp4");
    write(&path, Container::Mp4, 50, 1.2, 1);
    let (click, seconds) = heard(&path);
    assert!((click - CLICK).abs() < 0.002 && (seconds - 2.0).abs() < 0.03, "{click} {seconds}");
}

#[test]
fn an_unfinished_video_leaves_nothing() {
    let folder = Folder::new("unfinished");
    for (name, container) in [("a.mp4", Container::Mp4), ("a.webm", Container::WebM)] {
        let settings = VideoSettings { width: 64, height: 64, fps: 25, channels: 1, expected_pictures: 0 };
        let mut writer = VideoWriter::create(&folder.0.join(name), container, &settings).expect("writable");
        writer.picture(&[100; 64 * 64 * 4]).expect("room");
        drop(writer);
        let writer = VideoWriter::create(&folder.0.join(name), container, &settings).expect("writable");
        assert!(writer.finish().is_err(), "a video without pictures");
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn impossible_videos_are_refused() {
    let folder = Folder::new("shapes");
    for (side, fps, channels) in [(0, 25, 1), (65, 25, 1), (99_998, 25, 1), (64, 0, 1), (64, 1_000, 1), (64, 25, 3)] {
        let settings = VideoSettings { width: side, height: side, fps, channels, expected_pictures: 0 };
        let made = VideoWriter::create(&folder.0.join("a.mp4"), Container::Mp4, &settings);
        assert!(matches!(made, Err(OutputError::Shape { .. })), "{side} {fps} {channels}");
    }
    assert!(matches!(NewFile::create(&folder.0), Err(OutputError::IsFolder(_))));
    assert_eq!(folder.names(), [""; 0]);
}
