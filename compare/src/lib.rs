//! The networks that are compared with ONNX Runtime, and how they are written as ONNX files.
//!
//! | piece | what it does |
//! |---|---|
//! | [`networks`] | the networks of the default pack, and a block of a large renderer |
//! | [`onnx`] | a graph as an ONNX file |
//! | `main.rs` | `compare export DIR`; `compare serve DIR NETWORK` runs a network whenever it is told to |
//! | `web` | the same for the browser's module |
//! | `run.mjs` | sets everything up, runs both sides in turn, prints and writes the table |

pub mod networks;
pub mod onnx;
mod protobuf;
#[cfg(target_arch = "wasm32")]
pub mod web;

/// Every function ends with success or with one sentence for a person.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
