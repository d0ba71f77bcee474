use image::{GrayImage, LumaA, Rgb, RgbImage};
use proptest::prelude::*;

use super::*;

/// Left half red, right half blue, with a darker top row of 8 pixels.
fn sample() -> RgbImage {
    RgbImage::from_fn(48, 32, |x, y| {
        let bright = if y < 8 { 100 } else { 220 };
        if x < 24 { Rgb([bright, 20, 20]) } else { Rgb([20, 20, bright]) }
    })
}

fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).expect("an encoder for the sample");
    bytes.into_inner()
}

fn pixel(picture: &Picture, x: usize, y: usize) -> [u8; 3] {
    let at = (y * picture.width + x) * 3;
    [picture.data[at], picture.data[at + 1], picture.data[at + 2]]
}

fn close(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(&a, b)| a.abs_diff(b) <= 12)
}

fn load_default(bytes: &[u8]) -> Result<Picture, LoadError> {
    load(bytes, &LoadOptions::default())
}

#[test]
fn reads_all_three_formats() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let picture = load_default(&encode(sample(), format)).expect("a good file");
        assert_eq!((picture.width, picture.height, picture.data.len()), (48, 32, 48 * 32 * 3));
        assert!(close(pixel(&picture, 4, 20), [220, 20, 20]), "{format:?} {:?}", pixel(&picture, 4, 20));
        assert!(close(pixel(&picture, 44, 2), [20, 20, 100]), "{format:?} {:?}", pixel(&picture, 44, 2));
    }
}

/// A TIFF block with nothing but an orientation, as EXIF holds it.
fn exif(orientation: u16) -> Vec<u8> {
    let mut block = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    block.extend(orientation.to_be_bytes());
    block.extend([0; 6]);
    block
}

#[test]
fn turns_the_photo_upright_by_its_exif_orientation() {
    let plain = encode(sample(), ImageFormat::Jpeg);
    // Where the sample's red top-left corner lands for each of EXIF's eight orientations.
    let corners = [(4, 4), (44, 4), (44, 28), (4, 28), (4, 4), (28, 4), (28, 44), (4, 44)];
    for (orientation, (x, y)) in (1u16..).zip(corners) {
        let block = exif(orientation);
        let mut bytes = plain[..2].to_vec();
        bytes.extend([0xff, 0xe1]);
        bytes.extend((block.len() as u16 + 2).to_be_bytes());
        bytes.extend(block);
        bytes.extend(&plain[2..]);
        let picture = load_default(&bytes).expect("a good file");
        let upright = if orientation < 5 { (48, 32) } else { (32, 48) };
        assert_eq!((picture.width, picture.height), upright, "orientation {orientation}");
        assert!(close(pixel(&picture, x, y), [100, 20, 20]), "orientation {orientation}");
    }
}

#[test]
fn puts_transparent_pixels_on_the_background() {
    let half = ImageBuffer::from_fn(20, 20, |x, _| Rgba([255u8, 0, 0, if x < 10 { 0 } else { 128 }]));
    let options = LoadOptions { background: [0, 0, 200], ..LoadOptions::default() };
    let picture = load(&encode(half, ImageFormat::Png), &options).expect("a good file");
    assert_eq!(pixel(&picture, 2, 2), [0, 0, 200]);
    assert!(close(pixel(&picture, 15, 2), [128, 0, 100]));

    let deep = ImageBuffer::from_fn(20, 20, |_, _| LumaA([u16::MAX, u16::MAX / 2]));
    let picture = load(&encode(deep, ImageFormat::Png), &options).expect("a good file");
    assert!(close(pixel(&picture, 5, 5), [128, 128, 228]));
}

#[test]
fn reads_grey_deep_palette_and_cmyk() {
    let grey = GrayImage::from_pixel(20, 20, image::Luma([77]));
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let picture = load_default(&encode(grey.clone(), format)).expect("a good file");
        assert!(close(pixel(&picture, 9, 9), [77; 3]));
    }
    let deep = ImageBuffer::from_pixel(20, 20, Rgb([257u16 * 10, 257 * 120, 257 * 250]));
    assert_eq!(pixel(&load_default(&encode(deep, ImageFormat::Png)).expect("a good file"), 3, 3), [10, 120, 250]);

    let picture = load_default(&palette_png()).expect("a good file");
    assert_eq!((pixel(&picture, 0, 0), pixel(&picture, 1, 0)), ([10, 20, 30], [200, 100, 50]));

    let picture = load_default(include_bytes!("cmyk.jpg")).expect("a good file");
    assert!(close(pixel(&picture, 3, 8), [200, 40, 40]), "{:?}", pixel(&picture, 3, 8));
    assert!(close(pixel(&picture, 20, 8), [30, 60, 210]), "{:?}", pixel(&picture, 20, 8));
}

/// 16 x 16 pixels whose columns alternate between the two colours of a palette.
fn palette_png() -> Vec<u8> {
    // The encoder writes no palettes: rewrite a grey file's header, pixels (0 and 1) and checksums stay what they are.
    let grey = GrayImage::from_fn(16, 16, |x, _| image::Luma([(x % 2) as u8]));
    let plain = encode(grey, ImageFormat::Png);
    let mut header = b"IHDR".to_vec();
    header.extend(&plain[16..25]);
    header.extend([3, 0, 0, 0]);
    let palette = [b"PLTE".as_slice(), &[10, 20, 30, 200, 100, 50]].concat();
    let mut bytes = plain[..8].to_vec();
    for chunk in [header, palette] {
        bytes.extend((chunk.len() as u32 - 4).to_be_bytes());
        bytes.extend(&chunk);
        bytes.extend(crc32(&chunk).to_be_bytes());
    }
    bytes.extend(&plain[33..]);
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
    })
}

#[test]
fn large_photos_are_scaled_down() {
    let options = LoadOptions { largest_side: 24, ..LoadOptions::default() };
    let picture = load(&encode(sample(), ImageFormat::Png), &options).expect("a good file");
    assert_eq!((picture.width, picture.height), (24, 16));
    assert!(close(pixel(&picture, 20, 12), [20, 20, 220]));
}

#[test]
fn empty_and_foreign_files_are_named() {
    assert!(matches!(load_default(&[]), Err(LoadError::Empty)));
    for foreign in [&b"hello, this is text"[..], b"GIF89a\x10\0\x10\0\0\0\0", b"\0\0\0\x18ftypheic", b"\xff"] {
        assert!(matches!(load_default(foreign), Err(LoadError::UnknownType)), "{foreign:?}");
    }
}

#[test]
fn truncated_files_are_refused() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        // Noise, so that the compressed picture fills the file to its end.
        let noise = RgbImage::from_fn(64, 64, |x, y| Rgb([(x * 97 + y * 31) as u8, (x * y * 7) as u8, (y * 53) as u8]));
        let whole = encode(noise, format);
        for share in [0.02, 0.3, 0.6, 0.9] {
            let cut = &whole[..((whole.len() as f64 * share) as usize).max(12)];
            let error = load_default(cut).err().unwrap_or_else(|| panic!("{format:?} cut to {share} was accepted"));
            assert!(
                matches!(error, LoadError::Damaged { .. } | LoadError::Unsupported { .. }),
                "{format:?} {share} {error}"
            );
        }
    }
}

#[test]
fn huge_photos_are_refused_by_their_header() {
    // PNG files of a few bytes that announce this many pixels on a side.
    for side in [30_000u32, i32::MAX as u32, u32::MAX] {
        let mut header = b"IHDR".to_vec();
        header.extend([side.to_be_bytes(), side.to_be_bytes()].concat());
        header.extend([8, 2, 0, 0, 0]);
        let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
        bomb.extend(&header);
        bomb.extend(crc32(&header).to_be_bytes());
        bomb.extend([0, 0, 0, 1]);
        bomb.extend(b"IDATx");
        bomb.extend(crc32(b"IDATx").to_be_bytes());
        let error = load_default(&bomb).expect_err("far too large").to_string();
        assert!(error.contains("scale it down") || side > 1 << 20, "{side}: {error}");
    }

    assert!(matches!(check_size(10_000, 10_000), Err(LoadError::TooLarge { .. })));
    assert!(matches!(check_size(20_000, 100), Err(LoadError::TooLarge { .. })));
    assert!(check_size(8192, 8192).is_ok());
    assert!(matches!(
        load_default(&encode(RgbImage::new(15, 400), ImageFormat::Png)),
        Err(LoadError::TooSmall { width: 15, height: 400 })
    ));
}

#[test]
fn pixels_of_the_browser_are_checked_and_mixed() {
    let rgba = [255, 0, 0, 255, 255, 0, 0, 0].repeat(8 * 16);
    let picture = Picture::from_rgba(16, 16, &rgba, [0, 255, 0]).expect("the right length");
    assert_eq!((pixel(&picture, 0, 0), pixel(&picture, 1, 0)), ([255, 0, 0], [0, 255, 0]));
    assert!(matches!(Picture::from_rgba(16, 16, &rgba[4..], [0; 3]), Err(LoadError::WrongLength { .. })));
    assert!(matches!(Picture::from_rgba(1 << 40, 16, &rgba, [0; 3]), Err(LoadError::TooLarge { .. })));
    assert!(matches!(Picture::from_rgba(0, 0, &[], [0; 3]), Err(LoadError::TooSmall { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damaged_files_never_panic(at in 0usize..600, value: u8, format in 0usize..3) {
        let format = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP][format];
        let mut bytes = encode(sample(), format);
        let at = at % bytes.len();
        bytes[at] = value;
        if let Ok(picture) = load_default(&bytes) {
            prop_assert_eq!(picture.data.len(), picture.width * picture.height * 3);
        }
    }
}
