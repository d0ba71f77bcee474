//! What the program says when it cannot, and that it leaves nothing unfinished behind.

use super::common::{Folder, Wav};
use super::{PATIENCE, fails, finish, path, portrait, program, put, speech, speech_pack, works};
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

#[test]
fn wrong_arguments_are_one_line() {
    let folder = Folder::new("cli-usage");
    let out = path(&folder, "a.mp4");
    for wrong in [["--size", "0"], ["--fps", "1000"], ["--distance", "NaN"], ["--gaze", "a,b"], ["--emotion", "hungry"]]
    {
        let said = fails(&["animate", "a.jpg", "a.wav", "-o", &out, wrong[0], wrong[1]], 2);
        assert!(said.contains(wrong[0]), "{said}");
    }
    fails(&["animate", "a.jpg", "-o", &out], 2);
    fails(&["animate", "a.jpg", "m.json", "-o", &out, "--emotion", "happy"], 2);
    fails(&["animate", "a.jpg", "a.wav", "b.wav", "-o", &out], 2);
    fails(&["motion", "a.wav", "-o", &path(&folder, "m.txt")], 2);
    let said = fails(&["animate", &portrait(), &speech(), "-o", &out, "--background", "transparent"], 2);
    assert!(said.contains("#00ff00"), "{said}");
    let said = fails(&["animate", &portrait(), &speech(), "-o", &out, "--background", "#12"], 2);
    assert!(said.contains("six hexadecimal digits"), "{said}");
    let said = fails(&["animate", &portrait(), &speech(), "-o", &out, "--background", "gone.jpg"], 3);
    assert!(said.contains("gone.jpg"), "{said}");
    fails(&["dance"], 2);
    assert!(folder.names().is_empty());
    assert!(works(&["--help"]).contains("Exit codes"));
}

#[test]
fn unusable_portraits_are_named() {
    let folder = Folder::new("cli-portrait");
    let target = Folder::new("cli-portrait-out");
    let out = path(&target, "a.mp4");
    let photo = std::fs::read(portrait()).expect("the sample portrait");
    let mut grey = Vec::new();
    image::GrayImage::from_fn(320, 240, |x, y| image::Luma([(x ^ y) as u8]))
        .write_to(&mut std::io::Cursor::new(&mut grey), image::ImageFormat::Png)
        .expect("a PNG");
    // A PNG that announces 4 billion pixels a side.
    let mut huge = grey.clone();
    huge[16..24].fill(0xff);
    for (name, bytes) in [
        ("empty.jpg", &[][..]),
        ("cut.jpg", &photo[..photo.len() / 3]),
        ("text.png", b"This is a letter."),
        ("huge.png", &huge),
        ("no-face.png", &grey),
    ] {
        let said = fails(&["animate", &put(&folder, name, bytes), &speech(), "-o", &out], 3);
        assert!(said.contains(name), "{said}");
    }
    fails(&["animate", &path(&folder, "missing.jpg"), &speech(), "-o", &out], 3);
    fails(&["animate", &folder.0.display().to_string(), &speech(), "-o", &out], 3);
    fails(&["animate", &portrait(), &speech(), "-o", &out, "--face", "7"], 3);
    assert!(target.names().is_empty());
}

#[test]
fn unusable_recordings_are_named() {
    let folder = Folder::new("cli-audio");
    let target = Folder::new("cli-audio-out");
    let (json, mp4) = (path(&target, "m.json"), path(&target, "a.mp4"));
    let zero = Wav { channels: 1, rate: 16_000, bits: 16, data: Vec::new() }.bytes();
    for (name, bytes) in [("empty.wav", &[][..]), ("zero.wav", &zero), ("letter.mp3", b"Dear reader, this is text.")] {
        let audio = put(&folder, name, bytes);
        fails(&["motion", &audio, "-o", &json, "--pack", &speech_pack()], 4);
        fails(&["animate", &portrait(), &audio, "-o", &mp4], 4);
    }
    fails(&["motion", &path(&folder, "missing.wav"), "-o", &json, "--pack", &speech_pack()], 4);
    fails(&["motion", &folder.0.display().to_string(), "-o", &json, "--pack", &speech_pack()], 4);
    assert!(target.names().is_empty());
}

#[test]
fn broken_motion_files_are_named() {
    let folder = Folder::new("cli-motion-file");
    let target = Folder::new("cli-motion-file-out");
    let out = path(&target, "a.mp4");
    for (name, text) in [
        ("empty.json", ""),
        ("other.json", "{\"format\": \"recipe\"}"),
        ("no-frames.json", "{\"format\":\"parlante-motion\",\"version\":1,\"fps\":25,\"frames\":[]}"),
        ("fps.json", "{\"format\":\"parlante-motion\",\"version\":1,\"fps\":1000,\"frames\":[{}]}"),
        (
            "nan.json",
            "{\"format\":\"parlante-motion\",\"version\":1,\"fps\":25,\"frames\":[{\"blendshapes\":{\"jawOpen\":NaN}}]}",
        ),
        (
            "type.json",
            "{\"format\":\"parlante-motion\",\"version\":1,\"fps\":25,\"frames\":[{},{\"head\":{\"yaw\":\"left\"}}]}",
        ),
    ] {
        fails(&["animate", &portrait(), &put(&folder, name, text.as_bytes()), "-o", &out], 5);
    }
    fails(&["animate", &portrait(), &path(&folder, "missing.json"), "-o", &out], 5);
    assert!(target.names().is_empty());
}

#[test]
fn unusable_packs_are_named() {
    let folder = Folder::new("cli-pack");
    let target = Folder::new("cli-pack-out");
    let (json, mp4) = (path(&target, "m.json"), path(&target, "a.mp4"));
    let pack = std::fs::read(speech_pack()).expect("the speech pack");
    let mut hostile = pack.clone();
    // The number of tensors: far more than any file holds.
    hostile[8..16].fill(0xff);
    for (name, bytes) in [
        ("empty.gguf", &[][..]),
        ("cut.gguf", &pack[..pack.len() / 2]),
        ("hostile.gguf", &hostile),
        ("no.gguf", b"photo"),
    ] {
        let bad = put(&folder, name, bytes);
        fails(&["motion", &speech(), "-o", &json, "--pack", &bad], 6);
        fails(&["animate", &portrait(), &speech(), "-o", &mp4, "--pack", &bad], 6);
        fails(&["pack", "inspect", &bad], 6);
    }
    fails(&["motion", &speech(), "-o", &json, "--pack", &path(&folder, "missing.gguf")], 6);
    // A good pack that lacks the face networks.
    fails(&["animate", &portrait(), &speech(), "-o", &mp4, "--pack", &speech_pack()], 6);
    assert!(target.names().is_empty());
    assert!(works(&["pack", "inspect", &speech_pack()]).contains("encoder."));
    let json: serde_json::Value =
        serde_json::from_str(&works(&["pack", "inspect", "--json", &speech_pack()])).expect("JSON");
    assert!(json["tensors"].as_array().is_some_and(|tensors| !tensors.is_empty()));
}

#[test]
fn impossible_outputs_are_named() {
    let folder = Folder::new("cli-output");
    let (nowhere, here) = (path(&folder, "no/such/a.mp4"), folder.0.display().to_string());
    let motion = nowhere.replace(".mp4", ".json");
    fails(&["animate", &portrait(), &speech(), "-o", &nowhere], 7);
    fails(&["animate", &portrait(), &speech(), "-o", &path(&folder, "a.avi")], 7);
    fails(&["animate", &portrait(), &speech(), "-o", &path(&folder, "no/such/frames/")], 7);
    fails(&["motion", &speech(), "-o", &motion, "--pack", &speech_pack()], 7);
    std::fs::create_dir(folder.0.join("is.json")).expect("room");
    fails(&["motion", &speech(), "-o", &path(&folder, "is.json"), "--pack", &speech_pack()], 7);
    assert_eq!(folder.names(), ["is.json"], "{here}");
}

#[test]
fn a_backend_that_is_not_there_is_named() {
    let folder = Folder::new("cli-backend");
    let (portrait, speech, mp4) = (portrait(), speech(), path(&folder, "a.mp4"));
    let calls = [
        vec!["animate", &portrait, &speech, "-o", &mp4, "--backend", "cuda"],
        vec!["bench", "--json", "--backend", "cuda"],
    ];
    // A machine with an NVIDIA GPU and a build for it has this backend; nothing is missing there.
    if parlante::exec::Device::cuda().is_err() {
        for call in &calls {
            let said = fails(call, 8);
            assert!(said.contains("--backend auto") && said.trim().ends_with('.'), "{said}");
            assert_eq!(said.contains("--features cuda"), !cfg!(feature = "cuda"), "{said}");
        }
    }
    assert!(folder.names().is_empty());
}

/// A limit on the size of files stands in for a full disk: the same path through the program.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing() {
    let folder = Folder::new("cli-full");
    for name in ["a.mp4", "m.json"] {
        let mut command = Command::new("sh");
        let out = path(&folder, name);
        command.args(["-c", "trap '' XFSZ; ulimit -f 40; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_parlante")]);
        command.args(["animate", &portrait(), &speech(), "-o", &out]);
        let output = finish({
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command
        });
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(7), "{said}");
        assert!(said.contains("full") && said.trim().lines().count() == 1, "{said}");
        assert!(folder.names().is_empty(), "{:?}", folder.names());
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_nothing() {
    let folder = Folder::new("cli-interrupt");
    let long = put(&folder, "long.wav", &Wav::tone(1, 16_000, 16, 600.0).bytes());
    let child = program(&["animate", &portrait(), &long, "-o", &path(&folder, "a.mp4")]).spawn().expect("starts");
    let start = Instant::now();
    while folder.names().len() < 2 {
        assert!(start.elapsed() < PATIENCE, "no file is begun");
        std::thread::sleep(Duration::from_millis(20));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(folder.names(), ["long.wav"]);
}
