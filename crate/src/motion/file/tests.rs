use proptest::prelude::*;

use super::*;
use crate::motion::frame::Gaze;

fn read(json: &str) -> Result<MotionFile, MotionFileError> {
    let a = MotionFile::from_slice(json.as_bytes());
    let b = MotionFile::from_reader(json.as_bytes());
    assert_eq!(a.is_ok(), b.is_ok(), "slice and stream must agree on {json:.80}");
    a
}

fn with_frames(frames: &str) -> String {
    format!("{{\"format\": \"parlante-motion\", \"version\": 1, \"fps\": 25, \"frames\": [{frames}]}}")
}

fn written(file: &MotionFile) -> String {
    let mut out = Vec::new();
    file.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn missing_fields_have_their_defaults() {
    let file = read(&with_frames("{}, {\"head\": {\"yaw\": 4}, \"blendshapes\": {\"tongueUp\": -0.25}}")).unwrap();
    assert_eq!(file.reference(), Reference::Portrait);
    assert_eq!(file.frames()[0], MotionFrame::default());
    assert_eq!(file.frames()[1].head.yaw, 4.0);
    assert_eq!(file.frames()[1].head.scale, 1.0);
    assert_eq!(file.frames()[1].blendshapes[Blendshape::TongueUp], -0.25);
}

#[test]
fn unknown_fields_survive() {
    let json = r#"{"format": "parlante-motion", "version": 1, "author": {"name": "A\u00e9", "n": 1.50}, "fps": 30,
        "reference": "speech", "frames": [{"mood": [1,  2], "blendshapes": {"jawOpen": 0.5, "earWiggle": "much"},
        "head": {"neck": null}, "gaze": {"x": 3, "z": 1e3}}, {}]}"#;
    let text = written(&read(json).unwrap());
    for part in [
        r#""author": {"n":1.5,"name":"Aé"}"#,
        r#""mood": [1,2]"#,
        r#""earWiggle": "much""#,
        r#""neck": null"#,
        r#""z": 1000.0"#,
        r#""jawOpen": 0.5"#,
        r#""reference": "speech""#,
        r#""fps": 30"#,
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert_eq!(written(&read(&text).unwrap()), text);
}

#[test]
fn gaze_comes_from_the_eye_shapes_unless_given() {
    let shapes =
        r#""blendshapes": {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5, "eyeLookUpLeft": 0.2, "eyeLookUpRight": 0.2}"#;
    let file = read(&with_frames(&format!("{{{shapes}}}, {{{shapes}, \"gaze\": {{\"x\": -2}}}}"))).unwrap();
    assert_eq!(file.frames()[0].gaze, Gaze { x: 15.0, y: -5.0 });
    assert_eq!(file.frames()[1].gaze, Gaze { x: -2.0, y: 0.0 });
    let text = written(&file);
    assert_eq!(text.matches("gaze").count(), 1, "a gaze that nobody gave or changed is not written: {text}");
    let again = read(&text).unwrap();
    assert_eq!(again.frames(), file.frames());
}

#[test]
fn setting_the_gaze_sets_the_shapes() {
    let mut frame = MotionFrame::default();
    frame.set_gaze(Gaze { x: -6.0, y: 5.0 });
    let shown = frame.gaze_of_shapes();
    assert!((shown.x + 6.0).abs() < 1e-4 && (shown.y - 5.0).abs() < 1e-4, "{shown:?}");
}

#[test]
fn wrong_frames_are_named() {
    for (bad, says) in [
        ("{\"blendshapes\": {\"jawOpen\": \"wide\"}}", "blendshapes.jawOpen"),
        ("{\"blendshapes\": {\"jawOpen\": null}}", "blendshapes.jawOpen"),
        ("{\"blendshapes\": {\"jawOpen\": NaN}}", ""),
        ("{\"blendshapes\": {\"jawOpen\": 1e39}}", "blendshapes.jawOpen"),
        ("{\"blendshapes\": {\"jawOpen\": 1e999}}", ""),
        ("{\"blendshapes\": [1, 2]}", "blendshapes"),
        ("{\"head\": {\"yaw\": true}}", "head.yaw"),
        ("{\"gaze\": {\"x\": {}}}", "gaze.x"),
        ("{\"gaze\": 3}", "gaze"),
        ("7", "a frame"),
        ("{\"head\": {\"yaw\": 1}", ""),
    ] {
        match read(&with_frames(&format!("{{}}, {{}}, {bad}"))) {
            Err(MotionFileError::Frame { frame: 2, problem }) => assert!(problem.contains(says), "{problem} / {says}"),
            other => panic!("{bad}: {other:?}"),
        }
    }
}

#[test]
fn wrong_headers_are_refused() {
    let one = with_frames("{}");
    for (json, expected) in [
        (one.replace("parlante-motion", "bvh"), "no motion file"),
        (one.replace("\"version\": 1", "\"version\": 2"), "version 2"),
        (one.replace("\"version\": 1, ", ""), "version"),
        (one.replace("25", "0"), "0 frames a second"),
        (one.replace("25", "1000"), "1000 frames a second"),
        (one.replace("25", "\"fast\""), "f64"),
        (one.replace("\"fps\": 25, ", ""), "fps"),
        (one.replace("[{}]", "{}"), "list of frames"),
        (one.replace("\"frames\"", "\"fotos\""), "frames"),
        (one.replace("\"version\"", "\"reference\": \"mirror\", \"version\""), "mirror"),
        (format!("{one} {{}}"), "trailing"),
        (one[..one.len() - 1].to_string(), "EOF"),
        (String::new(), "EOF"),
        ("[]".into(), "an object"),
        ("[".repeat(100_000), ""),
    ] {
        let error = read(&json).expect_err(&json[..json.len().min(120)]).to_string();
        assert!(error.contains(expected), "{error:?} should contain {expected:?}");
    }
}

#[test]
fn a_million_frames_and_not_one_more() {
    let many = "{},".repeat(MAX_FRAMES);
    assert_eq!(
        MotionFile::from_slice(with_frames(&many[..many.len() - 1]).as_bytes()).unwrap().frames().len(),
        MAX_FRAMES
    );
    let error = MotionFile::from_slice(with_frames(&format!("{many}{{}}")).as_bytes()).unwrap_err();
    assert!(matches!(error, MotionFileError::TooManyFrames), "{error}");
}

#[test]
fn nothing_unfinite_is_written() {
    let mut frames = vec![MotionFrame::default(); 3];
    frames[2].head.roll = f32::NAN;
    let file = MotionFile::new(25.0, Reference::Speech, frames).unwrap();
    assert!(matches!(file.write(std::io::sink()), Err(MotionFileError::NotFinite(2))));
}

#[test]
fn resampling_keeps_length_and_reference() {
    let file = MotionFile::new(25.0, Reference::Speech, vec![MotionFrame::default(); 50]).unwrap();
    let other = file.resampled(60.0).unwrap();
    assert_eq!((other.frames().len(), other.reference()), (120, Reference::Speech));
    assert!(matches!(file.resampled(0.0), Err(MotionFileError::Fps(_))));
    assert!(matches!(file.resampled(f64::NAN), Err(MotionFileError::Fps(_))));
}

proptest! {
    #[test]
    fn round_trip_keeps_the_motion(values in prop::collection::vec(-2.0f32..2.0, 61 * 3), fps in 1.0f64..240.0) {
        let frames: Vec<MotionFrame> = values.chunks(61).map(|v| {
            let mut f = MotionFrame::default();
            f.blendshapes.0.copy_from_slice(&v[..53]);
            f.head = super::super::frame::HeadPose { yaw: v[53] * 20.0, pitch: v[54], roll: v[55], x: v[56], y: v[57], scale: v[58] };
            f.gaze = Gaze { x: v[59], y: v[60] };
            f
        }).collect();
        let file = MotionFile::new(fps, Reference::Neutral, frames).unwrap();
        let again = read(&written(&file)).unwrap();
        prop_assert!((again.fps() - fps).abs() < 1e-9);
        for (a, b) in file.frames().iter().zip(again.frames()) {
            for (x, y) in a.blendshapes.0.iter().zip(&b.blendshapes.0) {
                prop_assert!((x - y).abs() <= 1e-5);
            }
            prop_assert!((a.head.yaw - b.head.yaw).abs() <= 2e-5 && (a.gaze.x - b.gaze.x).abs() <= 1e-5);
        }
    }

    #[test]
    fn no_input_makes_the_reader_panic(noise in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..140) {
        let _ = MotionFile::from_slice(&noise);
        let json = with_frames("{\"blendshapes\": {\"jawOpen\": 0.1}, \"gaze\": {\"x\": 1}}");
        let _ = MotionFile::from_slice(&json.as_bytes()[..cut.min(json.len())]);
    }
}
