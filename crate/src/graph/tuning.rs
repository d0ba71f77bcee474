use serde::{Deserialize, Serialize};

/// How shaders are laid out on one adapter. Results are the same whatever it says; which one is fast is measured
/// ([`crate::exec::tune`]), because neither the kind of an adapter nor its limits tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tuning {
    /// How convolutions and matrix products with weights share their work.
    pub product: Tile,
}

/// A piece of a convolution's result that is made together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tile {
    /// What a workgroup reads it shares, 64 channels and so many pixels: see `conv2d.wgsl`. How graphics cards like it.
    Shared {
        /// Pixels an invocation: 4 or 8. A workgroup makes sixteen times as many.
        pixels: u8,
    },
    /// Each invocation by itself, many results in its registers: see `conv2d_registers.wgsl`.
    Registers {
        /// Pixels an invocation: 1, 4 or 8.
        pixels: u8,
        /// Vectors of four channels an invocation: 1, 2 or 4.
        vectors: u8,
    },
}

impl Default for Tile {
    fn default() -> Self {
        Self::Registers { pixels: 4, vectors: 2 }
    }
}

impl Tuning {
    /// What is worth measuring: first what needs no barriers, which every adapter can do, the default.
    pub const CANDIDATES: [Self; 5] = [
        Self { product: Tile::Registers { pixels: 4, vectors: 2 } },
        Self { product: Tile::Registers { pixels: 8, vectors: 2 } },
        Self { product: Tile::Registers { pixels: 8, vectors: 4 } },
        Self { product: Tile::Shared { pixels: 4 } },
        Self { product: Tile::Shared { pixels: 8 } },
    ];
}
