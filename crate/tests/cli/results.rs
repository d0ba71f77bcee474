//! What the program makes.

use super::common::{Folder, Wav, fixture};
use super::{fails, finish, path, portrait, program, put, repository, speech, speech_pack, works};
use parlante::audio::AudioReader;
use parlante::motion::MotionFile;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

#[test]
fn known_words_move_the_lips() {
    let folder = Folder::new("cli-words");
    let out = path(&folder, "m.csv");
    let pack = speech_pack();
    let motion = |words: [&str; 2]| -> Vec<String> {
        ["motion", &speech(), "-o", &out, "--pack", &pack, words[0], words[1]].map(str::to_owned).to_vec()
    };
    let refused = |words: [&str; 2]| fails(&motion(words).iter().map(String::as_str).collect::<Vec<_>>(), 5);
    let unknown = put(&folder, "unknown.ctm", b"a 1 0.0 0.2 P\na 1 0.2 0.1 QQ\n");
    assert!(refused(["--phones", &unknown]).contains("Line 2"));
    let crossed = put(
        &folder,
        "crossed.json",
        b"[{\"phone\":\"P\",\"start\":0,\"end\":1},\n{\"phone\":\"T\",\"start\":0.5,\"end\":1}]",
    );
    assert!(refused(["--phones", &crossed]).contains("Line 2"));
    let late = put(&folder, "late.ctm", b"a 1 0.0 0.5 AA1\na 1 0.5 0.2 P\na 1 900 1 T\n");
    let told = refused(["--phones", &late]);
    assert!(told.contains("Line 3") && told.contains("the sound ends"), "{told}");
    assert!(refused(["--phones", &path(&folder, "none.json")]).contains("none.json"));
    assert!(refused(["--transcript", "да"]).contains("English only"));
    assert!(refused(["--transcript", "…"]).contains("no words"));
    assert!(!Path::new(&out).exists());

    let phones = put(&folder, "phones.ctm", b"a 1 0.0 0.5 AA1\na 1 0.5 0.2 P\na 1 0.7 0.5 AA1\n");
    works(&motion(["--phones", &phones]).iter().map(String::as_str).collect::<Vec<_>>());
    let file = MotionFile::from_live_link(&std::fs::read(&out).expect("motion")).expect("a file of Live Link Face");
    let close = |i: usize| file.frames()[i].blendshapes[parlante::motion::Blendshape::MouthClose];
    assert!(close(15) > 0.05 && close(15) > 2.0 * close(8), "{} and {}", close(15), close(8));
    // The way back, as JSON.
    let json = path(&folder, "m.json");
    works(&["animate", &portrait(), &out, "-o", &json, "--pack", &repository("build/parlante-default.gguf")]);
    assert_eq!(frames_of(&json), file.frames().len());
}

fn frames_of(file: &str) -> usize {
    MotionFile::from_slice(&std::fs::read(file).expect("a motion file")).expect("well-formed").frames().len()
}

#[test]
fn recordings_of_all_kinds_become_motion() {
    let folder = Folder::new("cli-motion");
    let out = path(&folder, "m.json");
    let mut nan: Vec<f32> = (0..16_000).map(|i| (i as f32 * 0.05).sin() * 0.3).collect();
    nan[100..200].fill(f32::NAN);
    let mp3 = std::fs::read(fixture("tone.mp3")).expect("fixture");
    let silence = Wav { channels: 1, rate: 16_000, bits: 16, data: vec![0; 32_000] };
    for (name, bytes, frames) in [
        ("short.wav", Wav::tone(1, 16_000, 16, 0.1).bytes(), 3..=3),
        ("silence.wav", silence.bytes(), 25..=25),
        ("telephone.wav", Wav::tone(1, 8_000, 8, 1.0).bytes(), 25..=25),
        ("cinema.wav", Wav::tone(6, 96_000, 24, 1.0).bytes(), 25..=25),
        ("nan.wav", Wav::float(16_000, &nan), 25..=25),
        ("cut.mp3", mp3[..mp3.len() / 2].to_vec(), 8..=15),
    ] {
        works(&["motion", &put(&folder, name, &bytes), "-o", &out, "--pack", &speech_pack()]);
        assert!(frames.contains(&frames_of(&out)), "{name}: {} frames", frames_of(&out));
    }
    let tone = put(&folder, "tone.wav", &Wav::tone(1, 16_000, 16, 1.0).bytes());
    works(&["motion", &tone, "-o", &out, "--fps", "60", "--pack", &speech_pack()]);
    assert_eq!(frames_of(&out), 60);
    let once = std::fs::read(&out).expect("motion");
    works(&["motion", &tone, "-o", &out, "--fps", "60", "--pack", &speech_pack()]);
    assert_eq!(once, std::fs::read(&out).expect("motion"), "the same seed gives the same take");
    works(&["motion", &tone, "-o", &out, "--fps", "60", "--pack", &speech_pack(), "--seed", "5"]);
    assert_ne!(once, std::fs::read(&out).expect("motion"), "another seed gives another take");
}

/// Lengths of picture and sound of an MP4, seconds.
fn lengths(file: &Path) -> (f64, f64) {
    use shiguredo_mp4::TrackKind;
    let data = std::fs::read(file).expect("a video");
    let mut demuxer = shiguredo_mp4::demux::Mp4FileDemuxer::new();
    demuxer.handle_input(shiguredo_mp4::demux::Input { position: 0, data: &data });
    let tracks = demuxer.tracks().expect("an MP4");
    let length = |kind| {
        let track = tracks.iter().find(|t| t.kind == kind).expect("a track");
        track.duration as f64 / f64::from(track.timescale.get())
    };
    (length(TrackKind::Video), length(TrackKind::Audio))
}

#[test]
fn portraits_speak_and_play_motion() {
    let folder = Folder::new("cli-animate");
    let (mp4, webm, json) = (path(&folder, "a.mp4"), path(&folder, "a.webm"), path(&folder, "m.json"));
    let audio = put(&folder, "tone.wav", &Wav::tone(2, 44_100, 16, 1.23).bytes());
    for fps in ["25", "30"] {
        works(&["animate", &portrait(), &audio, "-o", &mp4, "--size", "128", "--fps", fps]);
        let (picture, sound) = lengths(Path::new(&mp4));
        let frame = 1.0 / fps.parse::<f64>().expect("a number");
        assert!((picture - 1.23).abs() < frame && (picture - sound).abs() < frame, "{fps}: {picture} and {sound} s");
    }
    works(&["animate", &portrait(), &audio, "-o", &webm, "--size", "128", "--emotion", "happy=0.5", "--gaze", "-5,2"]);
    let mut sound = AudioReader::open(Path::new(&webm)).expect("sound");
    while sound.next_block().is_some() {}
    assert!((sound.decoded_duration() - 1.24).abs() < 0.04, "{} s", sound.decoded_duration());

    works(&["animate", &portrait(), &audio, "-o", &json]);
    assert_eq!(frames_of(&json), 31);
    let frames = format!("{}/", path(&folder, "frames"));
    works(&["animate", &portrait(), &json, &audio, "-o", &frames, "--size", "64"]);
    assert_eq!(std::fs::read_dir(&frames).expect("a folder").count(), 31);
    let picture = image::open(Path::new(&frames).join("00030.png")).expect("a PNG");
    assert_eq!((picture.width(), picture.height()), (64, 64));
    assert!(fails(&["animate", &portrait(), &json, "-o", &frames, "--size", "64"], 7).contains("frames"));
    std::fs::remove_dir_all(&frames).expect("clean up");
    works(&["animate", &portrait(), &json, "-o", &frames, "--size", "64", "--background", "transparent"]);
    let picture = image::open(Path::new(&frames).join("00030.png")).expect("a PNG").into_rgba8();
    assert_eq!((picture.get_pixel(2, 2).0[3], picture.get_pixel(32, 36).0[3]), (0, 255));
    std::fs::remove_dir_all(&frames).expect("clean up");
    works(&["animate", &portrait(), &json, "-o", &mp4, "--size", "64"]);
    assert!(AudioReader::open(Path::new(&mp4)).is_err(), "a motion file alone is silent");
    // Recordings longer and shorter than the motion.
    for seconds in [0.5, 3.0] {
        let audio = put(&folder, "other.wav", &Wav::tone(1, 16_000, 16, seconds).bytes());
        works(&["animate", &portrait(), &json, &audio, "-o", &mp4, "--size", "64"]);
        let (picture, sound) = lengths(Path::new(&mp4));
        assert!((picture - 1.24).abs() < 1e-6 && (picture - sound).abs() < 0.04, "{picture} and {sound} s");
    }
    assert_eq!(folder.names(), ["a.mp4", "a.webm", "m.json", "other.wav", "tone.wav"]);
}

/// Sound that comes into a pipe leaves it as pictures, in step with the clock.
#[test]
fn live_sound_becomes_pictures_on_the_clock() {
    let folder = Folder::new("cli-live");
    let (sound, seconds) = (put(&folder, "hum.pcm", &vec![9; 2 * 16_000 * 3 / 2]), 1.5);
    let film = path(&folder, "film.y4m");
    let mut command = program(&["live", &portrait(), "--size", "64", "-o", &film]);
    command.stdin(std::fs::File::open(&sound).expect("a file"));
    let start = Instant::now();
    let output = finish(command);
    assert!(start.elapsed().as_secs_f64() > seconds - 0.1, "the pictures came faster than the sound");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let head = b"YUV4MPEG2 W64 H64 F25:1 ";
    let film = std::fs::read(film).expect("a film");
    assert!(film.starts_with(head));
    let pictures = film.windows(6).filter(|w| w == b"FRAME\n").count();
    // What the cushion holds back comes, too; nothing is lost.
    assert!((38..=44).contains(&pictures), "{pictures} pictures");

    // The same as a video that plays while it is written, with its sound.
    let film = path(&folder, "film.mp4");
    let mut command = program(&["live", &portrait(), "--size", "64", "--pictures", "mp4", "-o", &film]);
    command.stdin(std::fs::File::open(&sound).expect("a file"));
    assert!(finish(command).status.success());
    let mut reader = AudioReader::open(Path::new(&film)).expect("a sound track");
    let mut frames = 0;
    while let Some(block) = reader.next_block() {
        frames += block.len();
    }
    assert!((frames as f64 / 48_000.0 - seconds).abs() < 0.25, "{frames} frames of sound");

    // Who takes only some of the pictures ends it without a complaint; bare pixels have their size.
    let mut command =
        program(&["live", &portrait(), "--size", "64", "--pictures", "rgba", "--background", "transparent"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut pixels = vec![0; 64 * 64 * 4 * 3];
    let mut pictures = child.stdout.take().expect("a pipe");
    std::io::Read::read_exact(&mut pictures, &mut pixels).expect("silence has a face, too");
    assert_eq!((pixels[3], pixels[(36 * 64 + 32) * 4 + 3]), (0, 255), "transparent beside the face, and only there");
    drop(pictures);
    assert!(child.wait().expect("a child").success());

    assert!(fails(&["live", &portrait(), "--background", "transparent"], 2).contains("transparency"));
    assert!(fails(&["live", &portrait(), "--rate", "0"], 2).contains("rate"));
}

#[test]
fn the_benchmark_reports_in_json_and_as_a_page() {
    let folder = Folder::new("cli-bench");
    let page = path(&folder, "bench.html");
    let call = ["bench", "--json", "--size", "64", "--backend", "cpu", "--html", &page];
    // more than a pipe holds, so it is read while the program runs
    let output = program(&call).output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    assert_eq!((&report["backend"], &report["size"]), (&serde_json::json!("cpu"), &serde_json::json!(64)));
    for key in ["threads", "decode_fps", "decoder_gflop_per_frame", "pack_mb"] {
        assert!(report[key].as_f64().is_some_and(|v| v > 0.0), "{key}");
    }
    assert!(report["peak_rss_mb"].is_number() || report["peak_rss_mb"].is_null());
    let list = |key: &str| report[key].as_array().expect(key).clone();
    let (stages, parts) = (list("stages"), list("frame_stages"));
    for name in ["open pack", "find face", "find and fit", "motion", "decode", "colour"] {
        assert!(stages.iter().any(|s| s["name"] == name), "{name}");
    }
    for name in ["plan", "interior", "raster", "sample", "fine", "eyes", "mouth"] {
        assert!(parts.iter().any(|s| s["name"] == name), "{name}");
    }
    for stage in stages.iter().chain(&parts) {
        let [p50, p95, p99, gflop, mbytes] =
            ["ms_p50", "ms_p95", "ms_p99", "gflop", "mbytes"].map(|key| stage[key].as_f64().expect(key));
        assert!(p50 <= p95 && p95 <= p99 && gflop >= 0.0 && mbytes > 0.0, "{stage}");
    }
    let sizes: Vec<_> =
        list("sizes").iter().map(|s| (s["size"].as_u64(), s["gflop"].as_f64().expect("counted"))).collect();
    assert_eq!(sizes.iter().map(|s| s.0).collect::<Vec<_>>(), [Some(256), Some(512), Some(1024)]);
    // work grows no faster than pixels
    assert!(sizes[1].1 < 4.0 * sizes[0].1 && sizes[2].1 < 4.0 * sizes[1].1, "{sizes:?}");
    assert!(list("network_operations").iter().all(|n| n["operations"].as_array().is_some_and(|o| !o.is_empty())));
    let roofs = list("roofs");
    assert_eq!(roofs.iter().map(|r| r["source"].as_str()).collect::<Vec<_>>(), [Some("measured"), Some("computed")]);
    // what nothing ran on says so on every line
    let lines = list("rooflines");
    assert_eq!(lines.len(), 2 * list("network_operations").len());
    for (line, roof) in lines.iter().zip(roofs.iter().cycle()) {
        assert_eq!((&line["device"], &line["source"]), (&roof["device"], &roof["source"]));
        assert!(line["ms"].as_f64().is_some_and(|ms| ms > 0.0), "{line}");
    }
    let page = std::fs::read_to_string(page).expect("the page");
    assert!(page.matches("<svg").count() == 4 && page.contains("</html>") && !page.contains("NaN"), "{page}");
}
