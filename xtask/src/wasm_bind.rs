//! The work of the `wasm-bindgen` program, as a library call: its version is the crate's own by `Cargo.lock`, so
//! nothing has to be installed and the two can never disagree.

use std::{fs, path::Path};

use wasm_bindgen_cli_support::Bindgen;

use crate::Outcome;

/// Writes `parlante.js` (an ES module), `parlante_bg.wasm` and their TypeScript declarations to `out_dir`.
///
/// # Errors
/// When `input` is missing or was built with another version of `wasm-bindgen`, or when `out_dir` cannot be written.
pub fn wasm_bind(input: &Path, out_dir: &Path) -> Outcome {
    if !input.is_file() {
        return Err(format!(
            "{} does not exist: build it with `cargo build --release --target wasm32-unknown-unknown -p parlante --lib \
             --no-default-features`",
            input.display()
        )
        .into());
    }
    fs::create_dir_all(out_dir).map_err(|e| format!("cannot make the folder {}: {e}", out_dir.display()))?;
    Bindgen::new()
        .input_path(input)
        .out_name("parlante")
        .web(true)
        .and_then(|bindgen| bindgen.typescript(true).generate(out_dir))
        .map_err(|e| format!("wasm-bindgen failed on {}: {e:#}", input.display()).into())
}
