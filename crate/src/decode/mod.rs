//! Fitted face and motion to pictures. The geometry exists twice, with equal results: on the CPU and as WGSL.
