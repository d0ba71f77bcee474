//! The executors that run a [`crate::graph`]: candle (CPU, CUDA) and wgpu (native and browser).
