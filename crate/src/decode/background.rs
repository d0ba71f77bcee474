//! What is shown behind the person.

use super::DecodeError;
use super::layers::cut_out;
use super::plane::Plane;
use super::puppet::Puppet;
use super::sample::{bicubic, for_size, texels};
use crate::portrait::Picture;
use crate::portrait::fitted::{PAD, SIDE};
use crate::portrait::resample::resample;
use std::sync::Arc;

/// Half width of the mean that blurs a background, taken three times, in halved texture pixels: together a bell of about
/// twelve crop pixels, so that shapes are left and words are not.
const BLUR: usize = 7;

/// What is shown behind the person.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Background {
    /// The photo's own; what the head uncovers is filled from its surroundings.
    #[default]
    Keep,
    /// The photo's own, out of focus.
    Blur,
    /// One colour: red, green, blue.
    Colour([u8; 3]),
    /// Nothing: frames become transparent there.
    Transparent,
    /// Another picture, scaled to cover the frame, its middle in the middle.
    Picture(Arc<Picture>),
}

impl Background {
    /// The background that a word (`keep`, `blur`, `transparent`) or a colour (`#` and six hexadecimal digits) names.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "keep" => Self::Keep,
            "blur" => Self::Blur,
            "transparent" => Self::Transparent,
            _ => {
                let digits = name.strip_prefix('#')?;
                let hexadecimal = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
                let [_, r, g, b] = u32::from_str_radix(digits, 16).ok().filter(|_| hexadecimal)?.to_be_bytes();
                Self::Colour([r, g, b])
            }
        })
    }

    /// True if frames may have transparent pixels.
    pub fn is_transparent(&self) -> bool {
        *self == Self::Transparent
    }

    /// The person as they stand before this background, at the resolution that frames of `size` pixels need.
    pub(crate) fn person(&self, puppet: &Puppet, size: u32) -> Plane<4> {
        match &puppet.still {
            Some(still) if *self != Self::Keep => for_size(&cut_out(&puppet.texture, still), size),
            _ => for_size(&puppet.texture, size),
        }
    }

    /// What is behind the person in every pixel of frames of `size` pixels: colours times opacity.
    pub(crate) fn draw(&self, puppet: &Puppet, size: u32) -> Result<Vec<[u8; 4]>, DecodeError> {
        let n = size as usize;
        let empty = vec![[0; 4]; n * n];
        let Some(still) = &puppet.still else {
            // the mesh is the whole photo: nothing behind it is ever seen
            return if *self == Self::Keep { Ok(empty) } else { Err(DecodeError::Background) };
        };
        let opaque = |[r, g, b, _]: [f32; 4]| [r, g, b, 1.0];
        Ok(match self {
            Self::Keep => frame(&still.map(opaque), size),
            Self::Blur => {
                let soft = still.halved().mean_around(BLUR).mean_around(BLUR).mean_around(BLUR);
                frame(&soft.stretched(still.width, still.height).map(opaque), size)
            }
            Self::Colour([r, g, b]) => vec![[*r, *g, *b, 255]; n * n],
            Self::Transparent => empty,
            Self::Picture(picture) => cover(picture, n).ok_or(DecodeError::Picture)?,
        })
    }
}

/// Colours times opacity to plain colours, in place: what PNG files and the browser's `ImageData` hold.
pub fn straighten(rgba: &mut [u8]) {
    for [r, g, b, a] in rgba.as_chunks_mut::<4>().0 {
        if (1..255).contains(a) {
            let plain = |c: u8| ((u32::from(c) * 255 + u32::from(*a) / 2) / u32::from(*a)).min(255) as u8;
            [*r, *g, *b] = [plain(*r), plain(*g), plain(*b)];
        }
    }
}

/// The crop of a texture at the frame's resolution.
fn frame(texture: &Plane<4>, size: u32) -> Vec<[u8; 4]> {
    let texture = for_size(texture, size);
    let k = texels(texture.width);
    let at = |v: u32| ((v as f32 + 0.5) * SIDE / size as f32 + PAD * SIDE) * k;
    let pixel = |x, y| {
        let [r, g, b, _] = bicubic(&texture, at(x), at(y)).map(|v| (v + 0.5) as u8);
        [r, g, b, 255]
    };
    (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect()
}

/// The largest square in the middle of a picture as `n` x `n` pixels.
fn cover(picture: &Picture, n: usize) -> Option<Vec<[u8; 4]>> {
    let (width, height) = (picture.width, picture.height);
    let side = width.min(height) as f32;
    if side < 1.0 || picture.data.len() != width * height * 3 {
        return None;
    }
    let corner = [(width as f32 - side) / 2.0, (height as f32 - side) / 2.0];
    let pixels = resample(picture, corner, side / n as f32, n);
    Some(pixels.as_chunks::<3>().0.iter().map(|c| c.map(|v| (v + 0.5) as u8)).map(|[r, g, b]| [r, g, b, 255]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_covers_the_frame_from_its_middle() {
        let data = (0..90 * 30).flat_map(|i| if (30..60).contains(&(i % 90)) { [9, 8, 7] } else { [200; 3] }).collect();
        let pixels = cover(&Picture { width: 90, height: 30, data }, 64).expect("a picture");
        assert!(pixels.len() == 64 * 64 && pixels[32 * 64 + 32] == [9, 8, 7, 255]);
        assert!(cover(&Picture { width: 3, height: 3, data: vec![0; 26] }, 64).is_none());
    }

    #[test]
    fn names_are_words_and_colours() {
        assert_eq!(Background::from_name("keep"), Some(Background::Keep));
        assert_eq!(Background::from_name("blur"), Some(Background::Blur));
        assert_eq!(Background::from_name("transparent"), Some(Background::Transparent));
        assert_eq!(Background::from_name("#00fF7a"), Some(Background::Colour([0, 255, 122])));
        for wrong in ["", "#", "#12345", "#+12345", "#1234567", "#ääü", "beach.jpg"] {
            assert_eq!(Background::from_name(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn straight_colours_are_divided_by_their_opacity() {
        let mut rgba = [60, 30, 0, 120, 5, 6, 7, 255, 0, 0, 0, 0, 9, 9, 9, 3];
        straighten(&mut rgba);
        assert_eq!(rgba, [128, 64, 0, 120, 5, 6, 7, 255, 0, 0, 0, 0, 255, 255, 255, 3]);
    }
}
