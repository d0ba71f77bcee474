//! The command line program, from outside: what it makes, and what it says when it cannot.
//!
//! Needs the model pack that `npm start` and `npm test` build.

#![cfg(feature = "cli")]

#[path = "../common/mod.rs"]
mod common;
mod failures;
mod results;

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::Folder;

/// Longest time that any call here may take; more is a hang.
const PATIENCE: Duration = Duration::from_secs(300);

/// A file of the repository.
fn repository(path: &str) -> String {
    common::repository(path).display().to_string()
}

fn portrait() -> String {
    repository("web/page/samples/portrait.jpg")
}

fn speech() -> String {
    repository("web/page/samples/speech.mp3")
}

/// The committed speech networks: enough for `parlante motion`.
fn speech_pack() -> String {
    repository("packs/motion.gguf")
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlante"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end and fails when that does not come.
fn finish(mut command: Command) -> Output {
    let mut child = command.spawn().expect("the program starts");
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("the program hangs: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().expect("its output")
}

fn run(arguments: &[&str]) -> Output {
    finish(program(arguments))
}

/// The call fails with this code and says one line on stderr; returns it.
fn fails(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?} said {said}");
    assert_eq!(said.trim().lines().count(), 1, "{arguments:?} said {said}");
    assert!(said.starts_with("parlante: ") && said.len() > 30, "{arguments:?} said {said}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    said
}

/// The call succeeds; returns what it printed.
fn works(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?} said {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn put(folder: &Folder, name: &str, bytes: &[u8]) -> String {
    let path = folder.0.join(name);
    std::fs::write(&path, bytes).expect("room");
    path.display().to_string()
}

fn path(folder: &Folder, name: &str) -> String {
    folder.0.join(name).display().to_string()
}
