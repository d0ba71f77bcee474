//! Photos that can be used, but not well: each is made of the sample portrait, and must be told and still be animated.
//!
//! Needs the model pack that `npm start` and `npm test` build.

mod common;

use std::io::Cursor;
use std::sync::OnceLock;

use common::repository;
use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use parlante::animator::Models;
use parlante::motion::MotionFrame;
use parlante::motion::frame::{Blendshape, Reference};
use parlante::portrait::{FittedFace, LoadOptions, Picture, load};

const SIZE: u32 = 256;

/// The default pack's networks. A missing pack is a failure, not a reason to skip.
fn models() -> &'static Models {
    static MODELS: OnceLock<Models> = OnceLock::new();
    MODELS.get_or_init(|| {
        let path = repository("build/parlante-default.gguf");
        let pack = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; `npm test` builds it", path.display()));
        Models::from_bytes(pack).expect("a good pack")
    })
}

fn sample() -> &'static RgbImage {
    static PHOTO: OnceLock<RgbImage> = OnceLock::new();
    PHOTO.get_or_init(|| image::open(repository("web/page/samples/portrait.jpg")).expect("the sample").into_rgb8())
}

/// Landmark `i` of the sample, pixels.
fn place(i: usize) -> [f32; 2] {
    static POINTS: OnceLock<Vec<[f32; 3]>> = OnceLock::new();
    let points = POINTS.get_or_init(|| {
        let faces = models().finder().find(&picture(sample())).expect("networks that run");
        faces[0].points.clone()
    });
    [points[i][0], points[i][1]]
}

/// Forehead to chin of the sample, pixels.
fn height() -> f32 {
    let (top, chin) = (place(10), place(152));
    (top[0] - chin[0]).hypot(top[1] - chin[1])
}

fn picture(photo: &RgbImage) -> Picture {
    Picture { width: photo.width() as usize, height: photo.height() as usize, data: photo.as_raw().clone() }
}

fn fit(photo: &RgbImage) -> FittedFace {
    models().fit(&picture(photo), None).expect("a face")
}

fn codes(face: &FittedFace) -> Vec<&'static str> {
    face.warnings.iter().map(|w| w.code()).collect()
}

fn draw(face: &FittedFace, motion: &MotionFrame, reference: Reference) -> RgbaImage {
    let mut decoder = models().decoder(face.clone(), SIZE).expect("a good face");
    let mut rgba = vec![0; (SIZE * SIZE * 4) as usize];
    decoder.render(motion, reference, &mut rgba).expect("a frame");
    RgbaImage::from_raw(SIZE, SIZE, rgba).expect("as many bytes")
}

fn speaking() -> MotionFrame {
    let mut frame = MotionFrame::default();
    frame.blendshapes[Blendshape::JawOpen] = 0.5;
    frame.head.yaw = 6.0;
    frame
}

/// Mean difference of two frames, 0..255.
fn change(a: &RgbaImage, b: &RgbaImage) -> f32 {
    let sum: f32 = a.as_raw().iter().zip(b.as_raw()).map(|(&a, &b)| (f32::from(a) - f32::from(b)).abs()).sum();
    sum / a.as_raw().len() as f32
}

/// It is animated: a frame that speaks differs from the still one.
fn assert_moves(face: &FittedFace) {
    let still = draw(face, &MotionFrame::default(), Reference::Portrait);
    assert!(change(&still, &draw(face, &speaking(), Reference::Speech)) > 0.5);
}

fn each(photo: &RgbImage, change: impl Fn(u32, u32, [f32; 3]) -> [f32; 3]) -> RgbImage {
    RgbImage::from_fn(photo.width(), photo.height(), |x, y| {
        Rgb(change(x, y, photo.get_pixel(x, y).0.map(f32::from)).map(|v| v.clamp(0.0, 255.0) as u8))
    })
}

#[test]
fn the_sample_itself_needs_no_words() {
    assert_eq!(codes(&fit(sample())), [""; 0]);
}

#[test]
fn a_face_of_forty_pixels_is_animated_and_called_small() {
    let scale = 40.0 / height();
    let side = |n: u32| (n as f32 * scale).round() as u32;
    let small = imageops::resize(sample(), side(sample().width()), side(sample().height()), FilterType::Triangle);
    let face = fit(&small);
    assert_eq!(codes(&face), ["small"]);
    assert_moves(&face);
}

#[test]
fn a_face_at_the_border_is_animated_and_called_so() {
    let (left, middle) = (place(234), place(1));
    let x = (left[0] + 0.35 * (middle[0] - left[0])) as u32;
    let cut = imageops::crop_imm(sample(), x, 0, sample().width() - x, sample().height()).to_image();
    let face = fit(&cut);
    assert!(codes(&face).contains(&"border"), "{:?}", codes(&face));
    assert_moves(&face);
}

#[test]
fn a_second_face_that_touches_the_first_is_told() {
    let (left, right) = (place(234), place(454));
    let wide = right[0] - left[0];
    let (top, chin) = (place(10), place(152));
    let (x, y) = (left[0].max(0.0), (top[1] - 0.3 * height()).max(0.0));
    let head = imageops::crop_imm(sample(), x as u32, y as u32, wide as u32, (chin[1] - y) as u32).to_image();
    let mut two = sample().clone();
    imageops::overlay(&mut two, &head, (x + 0.8 * wide) as i64, y as i64);
    let face = fit(&two);
    assert!(codes(&face).contains(&"overlap"), "{:?}", codes(&face));
    assert_moves(&face);
}

#[test]
fn shut_eyes_are_told() {
    let mut frame = MotionFrame::default();
    for blink in [Blendshape::EyeBlinkLeft, Blendshape::EyeBlinkRight] {
        frame.blendshapes[blink] = 1.0;
    }
    let mut decoder = models().decoder(fit(sample()), 512).expect("a good face");
    let mut rgba = vec![0; 512 * 512 * 4];
    decoder.render(&frame, Reference::Portrait, &mut rgba).expect("a frame");
    let shut = DynamicImage::ImageRgba8(RgbaImage::from_raw(512, 512, rgba).expect("as many bytes")).into_rgb8();
    let face = fit(&shut);
    assert!(codes(&face).contains(&"eyes-shut"), "{:?}", codes(&face));
    assert_moves(&face);
}

/// The sample with something in front of the mouth: `colour` of a place relative to the mouth's middle, in widths of the
/// mouth, where there is something.
fn covered(colour: impl Fn(f32, f32) -> Option<[f32; 3]>) -> RgbImage {
    let (right, left) = (place(61), place(291));
    let wide = left[0] - right[0];
    let middle = [(right[0] + left[0]) / 2.0, (right[1] + left[1]) / 2.0];
    each(sample(), |x, y, seen| colour((x as f32 - middle[0]) / wide, (y as f32 - middle[1]) / wide).unwrap_or(seen))
}

#[test]
fn a_covered_mouth_stays_still_while_the_head_moves() {
    let microphone = covered(|x, y| {
        let weave = if ((x * 24.0).floor() + (y * 24.0).floor()) as i32 % 2 == 0 { 38.0 } else { 42.0 };
        (x.hypot(y - 0.1) < 0.85).then_some([weave; 3])
    });
    let cheek = sample().get_pixel(place(50)[0] as u32, place(50)[1] as u32).0.map(f32::from);
    let fist = covered(|x, y| (x.hypot(y) < 0.95).then(|| cheek.map(|c| c * (0.95 - 0.15 * x.hypot(y)))));
    for photo in [microphone, fist] {
        let face = fit(&photo);
        assert!(codes(&face).contains(&"mouth-covered") && face.mouth_covered, "{:?}", codes(&face));
        let still = draw(&face, &MotionFrame::default(), Reference::Speech);
        let mut words = MotionFrame::default();
        words.blendshapes[Blendshape::JawOpen] = 0.6;
        words.blendshapes[Blendshape::MouthSmileLeft] = 0.8;
        assert_eq!(change(&still, &draw(&face, &words, Reference::Speech)), 0.0, "the mouth moves");
        assert_moves(&face);
    }
    let face = fit(sample());
    assert!(!face.mouth_covered);
}

#[test]
fn extreme_light_is_told() {
    for (gain, code) in [(0.08, "dark"), (6.0, "bright")] {
        let face = fit(&each(sample(), |_, _, seen| seen.map(|v| v * gain)));
        assert!(codes(&face).contains(&code), "{gain}: {:?}", codes(&face));
        assert_moves(&face);
    }
}

#[test]
fn a_photo_in_grey_stays_grey() {
    let grey: GrayImage = imageops::grayscale(sample());
    let face = fit(&DynamicImage::ImageLuma8(grey).into_rgb8());
    assert_eq!(codes(&face), [""; 0]);
    let frame = draw(&face, &speaking(), Reference::Speech);
    let spread = |p: &Rgba<u8>| p.0[..3].iter().max().zip(p.0[..3].iter().min()).map_or(0, |(a, b)| a - b);
    let most = frame.pixels().map(spread).max().unwrap_or(0);
    assert!(most <= 12, "colour of strength {most} in a grey photo");
    assert_moves(&face);
}

#[test]
fn a_cut_out_head_is_as_good_as_a_photo() {
    let (nose, tall) = (place(1), height());
    let cut = RgbaImage::from_fn(sample().width(), sample().height(), |x, y| {
        let [r, g, b] = sample().get_pixel(x, y).0;
        let away = ((x as f32 - nose[0]) / (1.1 * tall)).hypot((y as f32 - nose[1]) / (1.4 * tall));
        Rgba([r, g, b, ((1.0 - away) * 40.0 * 255.0).clamp(0.0, 255.0) as u8])
    });
    let mut png = Cursor::new(Vec::new());
    cut.write_to(&mut png, ImageFormat::Png).expect("room");
    let picture = load(png.get_ref(), &LoadOptions::default()).expect("a good photo");
    let face = models().fit(&picture, None).expect("a face");
    assert_eq!(codes(&face), [""; 0]);
    assert!((face.pose.yaw() - fit(sample()).pose.yaw()).abs() < 2.0);
    assert_moves(&face);
}
