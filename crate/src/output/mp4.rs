//! The MP4 file: `shiguredo_mp4` keeps the sample tables; edit list, colour and metadata boxes are added here.
//!
//! Samples are written as they come, half a second of pictures and the sound until then in turn, so that memory stays
//! flat and players need not seek. The index goes to the front where the space reserved for it suffices.

use std::io::{Seek, SeekFrom, Write};
use std::num::NonZeroU32;

use shiguredo_mp4::boxes::{
    AudioSampleEntryFields, Avc1Box, AvccBox, Brand, DopsBox, EdtsBox, ElstBox, ElstEntry, FreeBox, FtypBox, MoovBox,
    OpusBox, SampleEntry, UnknownBox, VisualSampleEntryFields,
};
use shiguredo_mp4::mux::{Mp4FileMuxer, Mp4FileMuxerOptions, Sample};
use shiguredo_mp4::{BoxSize, BoxType, Encode, FixedPointNumber, TrackKind, Uint};

use crate::audio::opus::{PACKET_FRAMES, RATE};

use super::error::OutputError;
use super::file::NewFile;
use super::{COMMENT, PROGRAM, TITLE};

/// Units of the video track's clock for a frame, so that players with coarse clocks show it exactly.
pub(super) const TICKS: u32 = 512;

pub(super) struct Mp4Writer {
    file: NewFile,
    muxer: Mp4FileMuxer,
    position: u64,
    size: (u16, u16),
    fps: u32,
    picture_entry: Option<SampleEntry>,
    sound_entry: Option<SampleEntry>,
    lookahead: u16,
    pictures: Run,
    sounds: Run,
}

/// Samples of one track that wait to be written together.
#[derive(Default)]
struct Run {
    bytes: Vec<u8>,
    samples: Vec<(usize, bool)>,
}

impl Run {
    fn add(&mut self, bytes: &[u8], key: bool) {
        self.bytes.extend_from_slice(bytes);
        self.samples.push((bytes.len(), key));
    }
}

/// The Opus track's properties.
#[derive(Clone, Copy)]
pub(super) struct SoundTrack {
    pub(super) channels: usize,
    pub(super) lookahead: u16,
}

impl Mp4Writer {
    /// Starts the file. `expected_pictures` sizes the space for the index at the front.
    pub(super) fn new(
        mut file: NewFile,
        size: (usize, usize),
        fps: u32,
        sound: Option<SoundTrack>,
        expected_pictures: u64,
    ) -> Result<Self, OutputError> {
        let packets = sound.map_or(0, |_| expected_pictures * 50 / u64::from(fps) + 100);
        // The tables need a few bytes a sample; what is not used becomes a free box.
        let reserved = 4096 + (expected_pictures + packets + 100).min(2_000_000) as usize * 6;
        let options = Mp4FileMuxerOptions { reserved_moov_box_size: reserved, ..Default::default() };
        let muxer = Mp4FileMuxer::with_options(options).map_err(failed)?;
        let head = muxer.initial_boxes_bytes();
        let position = head.len() as u64;
        file.write_all(head).map_err(|e| OutputError::from_io(file.path(), e))?;
        Ok(Self {
            muxer,
            position,
            size: (size.0 as u16, size.1 as u16),
            fps,
            picture_entry: None,
            sound_entry: sound.map(sound_entry),
            lookahead: sound.map_or(0, |s| s.lookahead),
            pictures: Run::default(),
            sounds: Run::default(),
            file,
        })
    }

    /// Adds an H.264 access unit with 4-byte lengths. `sps` and `pps` count for the first only.
    pub(super) fn picture(&mut self, unit: &[u8], key: bool, sps: &[u8], pps: &[u8]) -> Result<(), OutputError> {
        if self.picture_entry.is_none() {
            self.picture_entry = Some(picture_entry(self.size, sps, pps));
        }
        self.pictures.add(unit, key);
        if self.pictures.samples.len() as u32 * 2 >= self.fps { self.write_runs() } else { Ok(()) }
    }

    /// Adds an Opus packet.
    pub(super) fn sound(&mut self, packet: &[u8]) {
        self.sounds.add(packet, true);
    }

    /// Completes the file: `pictures` frames and as much sound.
    pub(super) fn finish(mut self, pictures: u64, sound_frames: u64) -> Result<(), OutputError> {
        self.write_runs()?;
        let ended = self.muxer.finalize().map_err(failed)?;
        let mdat_header = ended.offset_and_bytes_pairs().last().map(|(offset, bytes)| (offset, bytes.to_vec()));
        let mut moov = ended.moov_box().clone();
        self.complete(&mut moov, pictures, sound_frames)?;
        let Some((mdat_at, mdat_header)) = mdat_header else { return Err(failed("the file has no samples")) };
        let moov = moov.encode_to_vec().map_err(failed)?;
        let ftyp = FtypBox {
            major_brand: Brand::ISOM,
            minor_version: 0x200,
            compatible_brands: vec![Brand::ISOM, Brand::ISO2, Brand::AVC1, Brand::MP41],
        };
        let mut head = ftyp.encode_to_vec().map_err(failed)?;
        let mut tail = Vec::new();
        // A free box needs 8 bytes at least.
        if (head.len() + moov.len() + 8) as u64 <= mdat_at {
            head.extend_from_slice(&moov);
        } else {
            tail = moov;
        }
        let free = FreeBox { payload: vec![0; mdat_at as usize - head.len() - 8] };
        head.extend_from_slice(&free.encode_to_vec().map_err(failed)?);
        head.extend_from_slice(&mdat_header);
        let write = |file: &mut NewFile, end: u64| {
            file.seek(SeekFrom::Start(end))?;
            file.write_all(&tail)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&head)
        };
        write(&mut self.file, self.position).map_err(|e| OutputError::from_io(self.file.path(), e))?;
        self.file.keep()
    }

    /// Writes the waiting pictures and then the waiting sound.
    fn write_runs(&mut self) -> Result<(), OutputError> {
        let tracks = [
            (TrackKind::Video, &mut self.pictures, &mut self.picture_entry, self.fps * TICKS, TICKS),
            (TrackKind::Audio, &mut self.sounds, &mut self.sound_entry, RATE, PACKET_FRAMES as u32),
        ];
        for (track_kind, run, entry, timescale, duration) in tracks {
            for &(data_size, keyframe) in &run.samples {
                let sample = Sample {
                    track_kind,
                    sample_entry: entry.take(),
                    keyframe,
                    timescale: NonZeroU32::new(timescale).unwrap_or(NonZeroU32::MIN),
                    duration,
                    composition_time_offset: None,
                    data_offset: self.position,
                    data_size,
                };
                self.muxer.append_sample(&sample).map_err(failed)?;
                self.position += data_size as u64;
            }
            self.file.write_all(&run.bytes).map_err(|e| OutputError::from_io(self.file.path(), e))?;
            run.bytes.clear();
            run.samples.clear();
        }
        Ok(())
    }

    /// Adds what the muxer leaves out: one clock for all lengths, the edit list that hides the Opus delay and cuts
    /// the sound to the picture's length, and the metadata.
    fn complete(&self, moov: &mut MoovBox, pictures: u64, sound_frames: u64) -> Result<(), OutputError> {
        // Sound samples as the clock: one picture is RATE / fps of them.
        moov.mvhd_box.timescale = NonZeroU32::new(RATE).unwrap_or(NonZeroU32::MIN);
        let duration = pictures * u64::from(RATE) / u64::from(self.fps);
        moov.mvhd_box.duration = duration;
        for track in &mut moov.trak_boxes {
            track.tkhd_box.duration = duration;
            let is_sound = track.mdia_box.mdhd_box.timescale.get() == RATE && track.tkhd_box.width.integer == 0;
            if is_sound {
                let entry = ElstEntry {
                    edit_duration: duration.min(sound_frames),
                    media_time: i64::from(self.lookahead),
                    media_rate: FixedPointNumber::new(1, 0),
                };
                let elst_box = Some(ElstBox { entries: vec![entry] });
                track.edts_box = Some(EdtsBox { elst_box, unknown_boxes: Vec::new() });
            }
        }
        moov.unknown_boxes.push(metadata()?);
        Ok(())
    }
}

pub(super) fn picture_entry((width, height): (u16, u16), sps: &[u8], pps: &[u8]) -> SampleEntry {
    let byte = |i: usize| sps.get(i).copied().unwrap_or(0);
    let profile = byte(1);
    // Baseline, main and extended profile have no chroma fields (ISO/IEC 14496-15).
    let high = !matches!(profile, 66 | 77 | 88);
    SampleEntry::Avc1(Avc1Box {
        visual: VisualSampleEntryFields {
            data_reference_index: VisualSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
            width,
            height,
            horizresolution: VisualSampleEntryFields::DEFAULT_HORIZRESOLUTION,
            vertresolution: VisualSampleEntryFields::DEFAULT_VERTRESOLUTION,
            frame_count: VisualSampleEntryFields::DEFAULT_FRAME_COUNT,
            compressorname: VisualSampleEntryFields::NULL_COMPRESSORNAME,
            depth: VisualSampleEntryFields::DEFAULT_DEPTH,
        },
        avcc_box: AvccBox {
            avc_profile_indication: profile,
            profile_compatibility: byte(2),
            avc_level_indication: byte(3),
            length_size_minus_one: Uint::new(3),
            sps_list: vec![sps.to_vec()],
            pps_list: vec![pps.to_vec()],
            chroma_format: high.then_some(Uint::new(1)),
            bit_depth_luma_minus8: high.then_some(Uint::new(0)),
            bit_depth_chroma_minus8: high.then_some(Uint::new(0)),
            sps_ext_list: Vec::new(),
        },
        // BT.709 in primaries and transfer, the matrix of BT.601, limited range.
        unknown_boxes: vec![leaf(*b"colr", b"nclx\x00\x01\x00\x01\x00\x06\x00".to_vec())],
    })
}

pub(super) fn sound_entry(sound: SoundTrack) -> SampleEntry {
    SampleEntry::Opus(OpusBox {
        audio: AudioSampleEntryFields {
            data_reference_index: AudioSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
            channelcount: sound.channels as u16,
            samplesize: AudioSampleEntryFields::DEFAULT_SAMPLESIZE,
            samplerate: FixedPointNumber::new(RATE as u16, 0),
        },
        dops_box: DopsBox {
            output_channel_count: sound.channels as u8,
            pre_skip: sound.lookahead,
            input_sample_rate: RATE,
            output_gain: 0,
        },
        unknown_boxes: Vec::new(),
    })
}

/// `udta` with an iTunes-style list of title, comment and program, which players and ffmpeg show.
pub(super) fn metadata() -> Result<UnknownBox, OutputError> {
    let mut items = Vec::new();
    for (name, text) in [(*b"\xa9nam", TITLE), (*b"\xa9cmt", COMMENT), (*b"\xa9too", PROGRAM)] {
        // Type 1: UTF-8; no locale.
        let mut value = vec![0, 0, 0, 1, 0, 0, 0, 0];
        value.extend_from_slice(text.as_bytes());
        let data = leaf(*b"data", value).encode_to_vec().map_err(failed)?;
        items.extend(leaf(name, data).encode_to_vec().map_err(failed)?);
    }
    let mut meta = vec![0; 4];
    let handler = b"\0\0\0\0\0\0\0\0mdirappl\0\0\0\0\0\0\0\0\0".to_vec();
    meta.extend(leaf(*b"hdlr", handler).encode_to_vec().map_err(failed)?);
    meta.extend(leaf(*b"ilst", items).encode_to_vec().map_err(failed)?);
    let meta = leaf(*b"meta", meta).encode_to_vec().map_err(failed)?;
    Ok(leaf(*b"udta", meta))
}

fn leaf(kind: [u8; 4], payload: Vec<u8>) -> UnknownBox {
    UnknownBox { box_type: BoxType::Normal(kind), box_size: BoxSize::U32(payload.len() as u32 + 8), payload }
}

pub(super) fn failed(error: impl std::fmt::Display) -> OutputError {
    OutputError::Encoder { codec: "MP4", message: error.to_string() }
}
