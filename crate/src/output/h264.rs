//! H.264 by OpenH264: constant frame rate, nearly constant quality, no reordering.

use openh264::OpenH264API;
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, MatrixCoefficients, Profile,
    QpRange, RateControlMode, UsageType, VuiConfig,
};
use openh264::formats::YUVSlices;

use super::colour::Yuv420;
use super::error::OutputError;

/// Quantiser, 0 to 51: visually lossless at 512 pixels.
const QUANTISER: u8 = 19;
/// Bits for a pixel of a frame that the stream's level must allow; talking heads stay far below.
const BITS_PER_PIXEL: f64 = 1.5;

const SPS: u8 = 7;
const PPS: u8 = 8;
const DELIMITER: u8 = 9;

pub(super) struct H264Encoder {
    encoder: Encoder,
    /// Sequence and picture parameter sets of the first key frame.
    pub(super) sps: Vec<u8>,
    pub(super) pps: Vec<u8>,
    /// The latest access unit, each NAL unit behind its length in 4 bytes.
    pub(super) unit: Vec<u8>,
}

impl H264Encoder {
    pub(super) fn new(width: usize, height: usize, fps: u32) -> Result<Self, OutputError> {
        let bitrate = (width * height) as f64 * f64::from(fps) * BITS_PER_PIXEL;
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .max_frame_rate(FrameRate::from_hz(fps as f32))
            .bitrate(BitRate::from_bps(bitrate.clamp(1e6, 200e6) as u32))
            // With equal ends of the range this mode is a constant quantiser, and it never skips a frame.
            .rate_control_mode(RateControlMode::Bufferbased)
            .qp(QpRange::new(QUANTISER, QUANTISER))
            .profile(Profile::High)
            .complexity(Complexity::Medium)
            .skip_frames(false)
            .scene_change_detect(false)
            .adaptive_quantization(false)
            .background_detection(false)
            .intra_frame_period(IntraFramePeriod::from_num_frames(2 * fps))
            .num_threads(1)
            .vui(VuiConfig::bt709().matrix_coefficients(MatrixCoefficients::Smpte170M));
        let encoder = Encoder::with_api_config(OpenH264API::from_source(), config).map_err(failed)?;
        Ok(Self { encoder, sps: Vec::new(), pps: Vec::new(), unit: Vec::new() })
    }

    /// Encodes a picture into `self.unit`; returns whether it is a key frame.
    pub(super) fn encode(&mut self, picture: &Yuv420) -> Result<bool, OutputError> {
        let source = YUVSlices::new(
            (&picture.y, &picture.cb, &picture.cr),
            (picture.width, picture.height),
            (picture.width, picture.width / 2, picture.width / 2),
        );
        let stream = self.encoder.encode(&source).map_err(failed)?;
        let key = matches!(stream.frame_type(), FrameType::IDR);
        self.unit.clear();
        for layer in (0..stream.num_layers()).filter_map(|i| stream.layer(i)) {
            for nal in (0..layer.nal_count()).filter_map(|i| layer.nal_unit(i)) {
                let nal = without_start_code(nal);
                match nal.first().map(|header| header & 31) {
                    None | Some(DELIMITER) => {}
                    Some(SPS) if self.sps.is_empty() => self.sps.extend_from_slice(nal),
                    Some(PPS) if self.pps.is_empty() => self.pps.extend_from_slice(nal),
                    // The parameter sets never change; they travel in the file's header.
                    Some(SPS | PPS) => {}
                    Some(_) => {
                        self.unit.extend_from_slice(&(nal.len() as u32).to_be_bytes());
                        self.unit.extend_from_slice(nal);
                    }
                }
            }
        }
        if self.unit.is_empty() || self.sps.len() < 4 || self.pps.is_empty() {
            return Err(OutputError::Encoder { codec: "H.264", message: "no picture came out".into() });
        }
        Ok(key)
    }
}

fn without_start_code(nal: &[u8]) -> &[u8] {
    nal.strip_prefix(&[0, 0, 0, 1]).or_else(|| nal.strip_prefix(&[0, 0, 1])).unwrap_or(nal)
}

fn failed(error: openh264::Error) -> OutputError {
    OutputError::Encoder { codec: "H.264", message: error.to_string() }
}
