//! From the bytes of a photo to an upright [`Picture`]: JPEG, PNG or WebP, EXIF orientation, alpha on a background.
//!
//! The header alone decides whether anything is decoded: a file that announces too many pixels is refused before
//! memory is taken for them.

use std::io::Cursor;

use image::{
    DynamicImage, ImageBuffer, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Pixel, Primitive, Rgba,
};

use super::Picture;

/// Longest side that is accepted, pixels.
pub const MAX_SIDE: u32 = 16_384;
/// Most pixels that are accepted.
pub const MAX_PIXELS: u64 = 64 << 20;
/// Shortest side that is accepted, pixels: below it no face can be seen.
pub const MIN_SIDE: u32 = 16;
/// Bytes a decoder may use: 8 for each pixel (16-bit RGBA) and as much again for its own work.
const MAX_DECODER_BYTES: u64 = 16 * MAX_PIXELS;

/// How a photo is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// What is seen through transparent pixels: `[r, g, b]`, 0..255.
    pub background: [u8; 3],
    /// Photos with a longer side than this are scaled down to it (pixels); the face is cut out at far less.
    pub largest_side: u32,
}

impl Default for LoadOptions {
    /// A white background; scaled down beyond 4096 pixels.
    fn default() -> Self {
        Self { background: [255; 3], largest_side: 4096 }
    }
}

/// Why a photo could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No bytes at all.
    #[error("the photo is empty (0 bytes): choose a JPEG, PNG or WebP file")]
    Empty,
    /// Neither JPEG nor PNG nor WebP.
    #[error("this is not a JPEG, PNG or WebP picture: convert it to one of them first")]
    UnknownType,
    /// Too many pixels.
    #[error(
        "the photo is {width} x {height} pixels: scale it down to at most {MAX_SIDE} on a side and {} million pixels",
        MAX_PIXELS >> 20
    )]
    TooLarge {
        /// Columns that the file announces.
        width: u32,
        /// Rows that the file announces.
        height: u32,
    },
    /// More memory than a decoder may use.
    #[error("the photo needs too much memory to decode: scale it down to at most {MAX_SIDE} pixels on a side")]
    TooMuchMemory,
    /// Too few pixels to show a face.
    #[error("the photo is only {width} x {height} pixels: choose one with at least {MIN_SIDE} on a side")]
    TooSmall {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The file ends early or contradicts itself.
    #[error("the photo is damaged or incomplete ({reason}): save or download it again")]
    Damaged {
        /// What the decoder says.
        reason: String,
    },
    /// A variant of the format that the decoder does not know.
    #[error("the photo uses a rare variant of its format ({reason}): save it again as a plain JPEG or PNG")]
    Unsupported {
        /// What the decoder says.
        reason: String,
    },
    /// Pixels that were decoded elsewhere do not match their size.
    #[error("{found} bytes were given for a picture of {width} x {height} RGBA pixels: give 4 bytes for each pixel")]
    WrongLength {
        /// Bytes given.
        found: usize,
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
    },
}

impl From<ImageError> for LoadError {
    fn from(error: ImageError) -> Self {
        let reason = error.to_string();
        match error {
            ImageError::Unsupported(_) => Self::Unsupported { reason },
            ImageError::Limits(_) => Self::TooMuchMemory,
            _ => Self::Damaged { reason },
        }
    }
}

/// Reads a photo.
///
/// # Errors
/// [`LoadError`] for what is not a whole JPEG, PNG or WebP picture of a usable size.
pub fn load(bytes: &[u8], options: &LoadOptions) -> Result<Picture, LoadError> {
    if bytes.is_empty() {
        return Err(LoadError::Empty);
    }
    let format = image::guess_format(bytes).map_err(|_| LoadError::UnknownType)?;
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP) {
        return Err(LoadError::UnknownType);
    }
    if format == ImageFormat::Jpeg && !jpeg_is_whole(bytes) {
        return Err(LoadError::Damaged { reason: "the JPEG data ends early".to_owned() });
    }
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder()?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    decoder.set_limits(limits)?;

    let orientation = decoder.orientation()?;
    let mut photo = DynamicImage::from_decoder(decoder)?;
    if width.max(height) > options.largest_side {
        let side = options.largest_side.max(MIN_SIDE);
        photo = photo.resize(side, side, image::imageops::FilterType::Triangle);
    }
    photo.apply_orientation(orientation);
    Ok(flatten(photo, options.background))
}

/// True when the picture's data runs to its end marker: the decoder fills a missing rest with grey and reports nothing.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    // Segments up to the first scan; a thumbnail inside one of them has an end marker of its own.
    while let Some(&[0xff, kind, high, low]) = bytes.get(at..at + 4) {
        if kind == 0xda {
            return bytes[at..].windows(2).any(|pair| pair == [0xff, 0xd9]);
        }
        at += if kind == 0xff { 1 } else { 2 + usize::from(u16::from_be_bytes([high, low])) };
    }
    false
}

fn check_size(width: u32, height: u32) -> Result<(), LoadError> {
    if width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(LoadError::TooLarge { width, height });
    }
    if width.min(height) < MIN_SIDE {
        return Err(LoadError::TooSmall { width, height });
    }
    Ok(())
}

/// Puts a picture of any pixel type on the background.
fn flatten(photo: DynamicImage, background: [u8; 3]) -> Picture {
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let data = match photo {
        DynamicImage::ImageRgb8(opaque) => opaque.into_raw(),
        DynamicImage::ImageLumaA16(_) | DynamicImage::ImageRgba16(_) => blend(photo.into_rgba16(), background),
        other if other.color().has_alpha() => blend(other.into_rgba8(), background),
        other => other.into_rgb8().into_raw(),
    };
    Picture { width, height, data }
}

/// Mixes each pixel with the background by its (straight) alpha.
fn blend<T>(photo: ImageBuffer<Rgba<T>, Vec<T>>, background: [u8; 3]) -> Vec<u8>
where
    T: Primitive + Into<f32>,
    Rgba<T>: Pixel<Subpixel = T>,
{
    let full: f32 = T::DEFAULT_MAX_VALUE.into();
    let mut data = Vec::with_capacity(photo.width() as usize * photo.height() as usize * 3);
    for pixel in photo.pixels() {
        let [r, g, b, a] = pixel.0.map(|v| v.into() / full);
        let mixed = [r, g, b].into_iter().zip(background).map(|(c, back)| c * 255.0 * a + f32::from(back) * (1.0 - a));
        data.extend(mixed.map(|v| v.round() as u8));
    }
    data
}

impl Picture {
    /// A picture that was decoded elsewhere (the browser's canvas): `width * height` straight RGBA pixels, 0..255.
    ///
    /// # Errors
    /// [`LoadError::WrongLength`], [`LoadError::TooLarge`], [`LoadError::TooSmall`].
    pub fn from_rgba(width: usize, height: usize, rgba: &[u8], background: [u8; 3]) -> Result<Self, LoadError> {
        let clamp = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        check_size(clamp(width), clamp(height))?;
        if rgba.len() != width * height * 4 {
            return Err(LoadError::WrongLength { found: rgba.len(), width, height });
        }
        let mut data = Vec::with_capacity(width * height * 3);
        for &[r, g, b, a] in rgba.as_chunks::<4>().0 {
            let mix = |c: u8, back: u8| {
                let (alpha, c, back) = (u32::from(a), u32::from(c), u32::from(back));
                ((c * alpha + back * (255 - alpha) + 127) / 255) as u8
            };
            data.extend([mix(r, background[0]), mix(g, background[1]), mix(b, background[2])]);
        }
        Ok(Self { width, height, data })
    }
}

#[cfg(test)]
mod tests;
