//! One operation a file: its shape rule, its candle version, its WGSL pipeline and its tests.
