//! AV1 by rav1e: constant frame rate, constant quality, no reordering.

use rav1e::color::{
    ChromaSamplePosition, ChromaSampling, ColorDescription, ColorPrimaries, MatrixCoefficients, PixelRange,
    TransferCharacteristics,
};
use rav1e::prelude::{FrameType, Rational, SpeedSettings};
use rav1e::{Config, Context, EncoderConfig, EncoderStatus};

use super::colour::Yuv420;
use super::error::OutputError;

/// Base quantiser, 0 to 255: as good to the eye as the H.264 setting.
const QUANTISER: usize = 60;
/// rav1e's fastest preset.
const SPEED: u8 = 10;
/// The temporal delimiter that Matroska leaves out.
const DELIMITER: [u8; 2] = [0x12, 0x00];

pub(super) struct Av1Encoder {
    context: Context<u8>,
}

impl Av1Encoder {
    pub(super) fn new(width: usize, height: usize, fps: u32) -> Result<Self, OutputError> {
        let encoder = EncoderConfig {
            width,
            height,
            time_base: Rational::new(1, u64::from(fps)),
            bit_depth: 8,
            chroma_sampling: ChromaSampling::Cs420,
            chroma_sample_position: ChromaSamplePosition::Vertical,
            pixel_range: PixelRange::Limited,
            color_description: Some(ColorDescription {
                color_primaries: ColorPrimaries::BT709,
                transfer_characteristics: TransferCharacteristics::BT709,
                matrix_coefficients: MatrixCoefficients::BT601,
            }),
            min_key_frame_interval: u64::from(2 * fps),
            max_key_frame_interval: u64::from(2 * fps),
            low_latency: true,
            quantizer: QUANTISER,
            tiles: 2,
            speed_settings: SpeedSettings::from_preset(SPEED),
            ..EncoderConfig::default()
        };
        let context = Config::new().with_encoder_config(encoder).new_context().map_err(failed)?;
        Ok(Self { context })
    }

    /// The `av1C` record for the container.
    pub(super) fn configuration(&self) -> Vec<u8> {
        self.context.container_sequence_header()
    }

    /// Takes a picture (or, with `None`, the end) and hands out what is ready: bytes and whether it is a key frame.
    pub(super) fn encode<E: From<OutputError>>(
        &mut self,
        picture: Option<&Yuv420>,
        mut ready: impl FnMut(&[u8], bool) -> Result<(), E>,
    ) -> Result<(), E> {
        match picture {
            Some(picture) => {
                let mut frame = self.context.new_frame();
                let half = picture.width / 2;
                frame.planes[0].copy_from_raw_u8(&picture.y, picture.width, 1);
                frame.planes[1].copy_from_raw_u8(&picture.cb, half, 1);
                frame.planes[2].copy_from_raw_u8(&picture.cr, half, 1);
                self.context.send_frame(frame).map_err(failed)?;
            }
            None => self.context.flush(),
        }
        loop {
            match self.context.receive_packet() {
                Ok(packet) => {
                    let data = packet.data.strip_prefix(&DELIMITER).unwrap_or(&packet.data);
                    ready(data, packet.frame_type == FrameType::KEY)?;
                }
                Err(EncoderStatus::Encoded) => {}
                Err(EncoderStatus::NeedMoreData | EncoderStatus::LimitReached) => return Ok(()),
                Err(status) => return Err(failed(status).into()),
            }
        }
    }
}

fn failed(error: impl std::fmt::Display) -> OutputError {
    OutputError::Encoder { codec: "AV1", message: error.to_string() }
}
