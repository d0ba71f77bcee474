//! What a network is: values with static shapes, and the operations between them.
//!
//! A [`GraphBuilder`] is filled once, when a network is loaded: every shape is known and checked then, so an executor
//! can plan its memory, pack its weights and compile its pipelines before the first frame. A finished [`Graph`] is a
//! plain list that can be printed, counted ([`Graph::cost`]) and handed to either executor of [`crate::exec`].
//!
//! ```
//! use parlante::graph::{Constant, GraphBuilder};
//! use parlante::ops::{Activation, Linear};
//!
//! # fn main() -> Result<(), parlante::graph::GraphError> {
//! let mut b = GraphBuilder::new();
//! let x = b.input("features", [4, 3])?; // four rows of three channels
//! let weight = Constant::f32([2, 3], vec![1.0; 6])?; // [out, in]
//! let y = b.linear(x, Linear { activation: Activation::Relu, ..Linear::new(weight) })?;
//! b.output("result", y)?;
//! let graph = b.build()?;
//! assert_eq!(graph.shape(y).dims(), [4, 2]);
//! # Ok(())
//! # }
//! ```
//!
//! Conventions, valid for every operation: values are f32; pictures are `[batch, height, width, channels]`, sequences
//! `[time, channels]`; the last axis is the one that lies together in memory. Convolution weights are
//! `[out, kernel height, kernel width, in]`, matrices `[out, in]`.

mod builder;
mod constant;
mod cost;
mod dtype;
mod error;
mod operation;
mod plan;
mod shape;
mod tuning;

pub use builder::{Graph, GraphBuilder, Node, Port, Source, Value};
pub use constant::Constant;
pub use cost::{Cost, NodeCost};
pub use dtype::DType;
pub(crate) use dtype::Q8_0_ELEMENTS;
pub use error::GraphError;
pub use operation::{Alias, Binding, CpuKernel, Dispatch, Operation, Shader};
pub use plan::{MemoryPlan, Place, Slot};
pub use shape::Shape;
pub use tuning::{Tile, Tuning};
