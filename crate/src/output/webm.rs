//! The WebM file: the part of Matroska (RFC 9559) that a video with a sound track needs.
//!
//! One cluster for each key frame (two seconds), written when the next one begins; positions and lengths that are
//! known only at the end are patched into the header.

use std::collections::VecDeque;
use std::io::{Seek, SeekFrom, Write};

use crate::audio::opus::{PACKET_FRAMES, RATE};

use super::error::OutputError;
use super::file::NewFile;
use super::mp4::SoundTrack;
use super::{COMMENT, PROGRAM, TITLE};

const EBML: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114D_9B74;
const INFO: u32 = 0x1549_A966;
const TRACKS: u32 = 0x1654_AE6B;
const TAGS: u32 = 0x1254_C367;
const CLUSTER: u32 = 0x1F43_B675;
const CUES: u32 = 0x1C53_BB6B;

const PICTURE_TRACK: u8 = 1;
const SOUND_TRACK: u8 = 2;
/// Nanoseconds that a player decodes before a seek target so that Opus has settled (RFC 7845: 80 ms).
const SEEK_PREROLL: u64 = 80_000_000;

pub(super) struct WebmWriter {
    file: NewFile,
    fps: u32,
    lookahead: u16,
    /// Where the segment's content begins; all positions count from here.
    segment_at: u64,
    position: u64,
    duration_at: u64,
    cues_position_at: u64,
    pictures: VecDeque<(u64, Vec<u8>, bool)>,
    sounds: VecDeque<(u64, Vec<u8>)>,
    picture_count: u64,
    sound_count: u64,
    cluster: Vec<u8>,
    cluster_time: u64,
    cues: Vec<(u64, u64)>,
}

impl WebmWriter {
    pub(super) fn new(
        mut file: NewFile,
        (width, height): (usize, usize),
        fps: u32,
        av1_configuration: &[u8],
        sound: Option<SoundTrack>,
    ) -> Result<Self, OutputError> {
        let mut head = Vec::new();
        element(&mut head, EBML, |e| {
            unsigned(e, 0x4286, 1);
            unsigned(e, 0x42F7, 1);
            unsigned(e, 0x42F2, 4);
            unsigned(e, 0x42F3, 8);
            text(e, 0x4282, "webm");
            unsigned(e, 0x4287, 4);
            unsigned(e, 0x4285, 2);
        });
        head.extend(SEGMENT.to_be_bytes());
        head.extend([0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        let segment_at = head.len() as u64;

        // The positions have a fixed width, so that the head's length does not depend on them.
        let mut seek_positions = Vec::new();
        let seek_head_at = head.len();
        element(&mut head, SEEK_HEAD, |e| {
            for id in [INFO, TRACKS, TAGS, CUES] {
                let mut seek = Vec::new();
                binary(&mut seek, 0x53AB, &id.to_be_bytes());
                binary(&mut seek, 0x53AC, &[0; 8]);
                binary(e, 0x4DBB, &seek);
                seek_positions.push(e.len() - 8);
            }
        });
        // The seek head's own identifier and length field lie before its content.
        let content_at = seek_head_at + 4 + 8;
        let seek_positions: Vec<u64> = seek_positions.iter().map(|p| (p + content_at) as u64).collect();

        let mut positions = [0u64; 3];
        positions[0] = head.len() as u64 - segment_at;
        let mut duration_in_info = 0;
        let info_at = head.len();
        element(&mut head, INFO, |e| {
            unsigned(e, 0x2A_D7B1, 1_000_000);
            text(e, 0x7BA9, TITLE);
            text(e, 0x4D80, PROGRAM);
            text(e, 0x5741, PROGRAM);
            binary(e, 0x4489, &0f64.to_be_bytes());
            duration_in_info = e.len() - 8;
        });
        let duration_at = (info_at + 4 + 8 + duration_in_info) as u64;

        positions[1] = head.len() as u64 - segment_at;
        element(&mut head, TRACKS, |e| {
            element(e, 0xAE, |t| picture_track(t, (width, height), fps, av1_configuration));
            if let Some(sound) = sound {
                element(e, 0xAE, |t| sound_track(t, sound));
            }
        });
        positions[2] = head.len() as u64 - segment_at;
        element(&mut head, TAGS, |e| {
            element(e, 0x7373, |tag| {
                element(tag, 0x63C0, |_| {});
                for (name, value) in [("TITLE", TITLE), ("COMMENT", COMMENT), ("ENCODER", PROGRAM)] {
                    element(tag, 0x67C8, |s| {
                        text(s, 0x45A3, name);
                        text(s, 0x4487, value);
                    });
                }
            });
        });
        for (at, position) in seek_positions.iter().zip(positions) {
            head[*at as usize..*at as usize + 8].copy_from_slice(&position.to_be_bytes());
        }
        file.write_all(&head).map_err(|e| OutputError::from_io(file.path(), e))?;
        Ok(Self {
            file,
            fps,
            lookahead: sound.map_or(0, |s| s.lookahead),
            segment_at,
            position: head.len() as u64,
            duration_at,
            cues_position_at: seek_positions[3],
            pictures: VecDeque::new(),
            sounds: VecDeque::new(),
            picture_count: 0,
            sound_count: 0,
            cluster: Vec::new(),
            cluster_time: 0,
            cues: Vec::new(),
        })
    }

    /// Adds an AV1 temporal unit.
    pub(super) fn picture(&mut self, unit: &[u8], key: bool) -> Result<(), OutputError> {
        let time = self.picture_count * 1000 / u64::from(self.fps);
        self.picture_count += 1;
        self.pictures.push_back((time, unit.to_vec(), key));
        self.write_until(time)
    }

    /// Adds an Opus packet. Sound comes before the pictures of the same time.
    pub(super) fn sound(&mut self, packet: &[u8]) {
        let time = self.sound_count * PACKET_FRAMES as u64 * 1000 / u64::from(RATE);
        self.sound_count += 1;
        self.sounds.push_back((time, packet.to_vec()));
    }

    /// Completes the file: `pictures` frames and `sound_frames` of sound, the rest of the last packet is cut.
    pub(super) fn finish(mut self, pictures: u64, sound_frames: u64) -> Result<(), OutputError> {
        let last = self.sounds.pop_back();
        self.write_until(u64::MAX)?;
        if let Some((time, packet)) = last {
            let coded = self.sound_count * PACKET_FRAMES as u64;
            let cut = coded.saturating_sub(sound_frames + u64::from(self.lookahead));
            let relative = (time.saturating_sub(self.cluster_time)) as i16;
            element(&mut self.cluster, 0xA0, |group| {
                binary(group, 0xA1, &block(SOUND_TRACK, relative, 0, &packet));
                binary(group, 0x75A2, &(cut as i64 * 1_000_000_000 / i64::from(RATE)).to_be_bytes());
            });
        }
        self.write_cluster()?;
        let cues_position = self.position - self.segment_at;
        let mut tail = Vec::new();
        element(&mut tail, CUES, |e| {
            for &(time, position) in &self.cues {
                element(e, 0xBB, |point| {
                    unsigned(point, 0xB3, time);
                    element(point, 0xB7, |track| {
                        unsigned(track, 0xF7, PICTURE_TRACK.into());
                        unsigned(track, 0xF1, position);
                    });
                });
            }
        });
        let size = self.position + tail.len() as u64 - self.segment_at;
        let duration = pictures as f64 * 1000.0 / f64::from(self.fps);
        let patches = [
            (self.segment_at - 8, (size | 0x0100_0000_0000_0000).to_be_bytes()),
            (self.duration_at, duration.to_be_bytes()),
            (self.cues_position_at, cues_position.to_be_bytes()),
        ];
        let write = |file: &mut NewFile| {
            file.write_all(&tail)?;
            for (at, bytes) in patches {
                file.seek(SeekFrom::Start(at))?;
                file.write_all(&bytes)?;
            }
            Ok(())
        };
        write(&mut self.file).map_err(|e| OutputError::from_io(self.file.path(), e))?;
        self.file.keep()
    }

    /// Moves everything up to `time` (milliseconds) into clusters, in the order of time.
    fn write_until(&mut self, time: u64) -> Result<(), OutputError> {
        loop {
            let picture = self.pictures.front().map(|p| p.0).filter(|&t| t <= time);
            let sound = self.sounds.front().map(|s| s.0).filter(|&t| t <= time);
            match (picture, sound) {
                (None, None) => return Ok(()),
                (Some(at), other) if other.is_none_or(|s| at <= s) => {
                    let Some((at_time, unit, key)) = self.pictures.pop_front() else { return Ok(()) };
                    if key {
                        self.write_cluster()?;
                        self.cluster_time = at_time;
                        self.cues.push((at_time, self.position - self.segment_at));
                    }
                    let relative = (at - self.cluster_time) as i16;
                    binary(&mut self.cluster, 0xA3, &block(PICTURE_TRACK, relative, if key { 0x80 } else { 0 }, &unit));
                }
                _ => {
                    let Some((at, packet)) = self.sounds.pop_front() else { return Ok(()) };
                    let relative = at.saturating_sub(self.cluster_time) as i16;
                    binary(&mut self.cluster, 0xA3, &block(SOUND_TRACK, relative, 0x80, &packet));
                }
            }
        }
    }

    fn write_cluster(&mut self) -> Result<(), OutputError> {
        if self.cluster.is_empty() {
            return Ok(());
        }
        let mut out = Vec::with_capacity(self.cluster.len() + 32);
        let (time, blocks) = (self.cluster_time, &self.cluster);
        element(&mut out, CLUSTER, |e| {
            unsigned(e, 0xE7, time);
            e.extend_from_slice(blocks);
        });
        self.file.write_all(&out).map_err(|e| OutputError::from_io(self.file.path(), e))?;
        self.position += out.len() as u64;
        self.cluster.clear();
        Ok(())
    }
}

fn picture_track(t: &mut Vec<u8>, (width, height): (usize, usize), fps: u32, configuration: &[u8]) {
    unsigned(t, 0xD7, PICTURE_TRACK.into());
    unsigned(t, 0x73C5, PICTURE_TRACK.into());
    unsigned(t, 0x9C, 0);
    text(t, 0x22_B59C, "und");
    unsigned(t, 0x83, 1);
    text(t, 0x86, "V_AV1");
    binary(t, 0x63A2, configuration);
    unsigned(t, 0x23_E383, 1_000_000_000 / u64::from(fps));
    element(t, 0xE0, |video| {
        unsigned(video, 0xB0, width as u64);
        unsigned(video, 0xBA, height as u64);
        // The matrix of BT.601, colours of BT.709, limited range, chroma beside the left luma sample.
        element(video, 0x55B0, |colour| {
            for (id, value) in [(0x55B1, 6), (0x55B7, 1), (0x55B8, 2), (0x55B9, 1), (0x55BA, 1), (0x55BB, 1)] {
                unsigned(colour, id, value);
            }
        });
    });
}

fn sound_track(t: &mut Vec<u8>, sound: SoundTrack) {
    unsigned(t, 0xD7, SOUND_TRACK.into());
    unsigned(t, 0x73C5, SOUND_TRACK.into());
    unsigned(t, 0x9C, 0);
    text(t, 0x22_B59C, "und");
    unsigned(t, 0x83, 2);
    text(t, 0x86, "A_OPUS");
    // The identification header of RFC 7845.
    let mut header = b"OpusHead\x01".to_vec();
    header.push(sound.channels as u8);
    header.extend(sound.lookahead.to_le_bytes());
    header.extend(RATE.to_le_bytes());
    header.extend([0, 0, 0]);
    binary(t, 0x63A2, &header);
    unsigned(t, 0x56AA, u64::from(sound.lookahead) * 1_000_000_000 / u64::from(RATE));
    unsigned(t, 0x56BB, SEEK_PREROLL);
    element(t, 0xE1, |audio| {
        binary(audio, 0xB5, &f64::from(RATE).to_be_bytes());
        unsigned(audio, 0x9F, sound.channels as u64);
    });
}

fn block(track: u8, relative: i16, flags: u8, data: &[u8]) -> Vec<u8> {
    let mut block = vec![0x80 | track];
    block.extend(relative.to_be_bytes());
    block.push(flags);
    block.extend_from_slice(data);
    block
}

/// Appends an element whose content `fill` makes. Lengths take 8 bytes always: simple, and cheap at this size.
fn element(out: &mut Vec<u8>, id: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut content = Vec::new();
    fill(&mut content);
    binary_with_length(out, id, &content, 8);
}

fn binary(out: &mut Vec<u8>, id: u32, content: &[u8]) {
    let bytes = (1..8).find(|b| (content.len() as u64) < (1 << (7 * b)) - 1).unwrap_or(8);
    binary_with_length(out, id, content, bytes);
}

fn binary_with_length(out: &mut Vec<u8>, id: u32, content: &[u8], bytes: usize) {
    let id = id.to_be_bytes();
    out.extend(id.iter().skip_while(|b| **b == 0));
    let length = content.len() as u64 | 1 << (7 * bytes);
    out.extend_from_slice(&length.to_be_bytes()[8 - bytes..]);
    out.extend_from_slice(content);
}

fn unsigned(out: &mut Vec<u8>, id: u32, value: u64) {
    let bytes = value.to_be_bytes();
    let start = bytes.iter().position(|b| *b != 0).unwrap_or(7);
    binary(out, id, &bytes[start..]);
}

fn text(out: &mut Vec<u8>, id: u32, value: &str) {
    binary(out, id, value.as_bytes());
}
