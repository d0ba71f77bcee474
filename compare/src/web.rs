//! The networks in WebAssembly.

use parlante::{exec::candle::Session, pack::Pack};
use wasm_bindgen::prelude::*;

use crate::{Outcome, networks, onnx};

/// A network with numbers for its inputs.
#[wasm_bindgen]
pub struct Network {
    session: Session,
    inputs: Vec<Vec<f32>>,
    shapes: Vec<parlante::graph::Shape>,
}

#[wasm_bindgen]
impl Network {
    /// Prepares the network `name` of a pack.
    ///
    /// # Errors
    /// A sentence.
    #[wasm_bindgen(constructor)]
    pub fn new(pack: Vec<u8>, name: &str) -> Result<Network, String> {
        prepare(pack, name).map_err(|e| e.to_string())
    }

    /// Runs the network once and returns all outputs one after the other, in the order of the ONNX file.
    ///
    /// # Errors
    /// A sentence.
    pub fn run(&mut self) -> Result<Vec<f32>, String> {
        let inputs: Vec<&[f32]> = self.inputs.iter().map(Vec::as_slice).collect();
        let outputs = self.session.run(&inputs).map_err(|e| e.to_string())?;
        Ok(outputs.iter().zip(&self.shapes).flat_map(|(values, shape)| onnx::ordered(values, shape)).collect())
    }
}

fn prepare(pack: Vec<u8>, name: &str) -> Outcome<Network> {
    let graph = networks::graph(&Pack::from_bytes(pack)?, name)?;
    let shapes = graph.outputs().iter().map(|p| graph.shape(p.value).clone()).collect();
    Ok(Network { session: Session::new(&graph)?, inputs: networks::inputs(&graph), shapes })
}
