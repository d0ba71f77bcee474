//! Parlante: one photo and a voice become a person who speaks.
//!
//! The modules follow the way of a photo and a sound through the program:
//!
//! | module | from | to |
//! |---|---|---|
//! | [`portrait`] | a photo | a fitted 3-D face |
//! | [`audio`] | a sound | log-mel features |
//! | [`motion`] | features | facial motion, 25 frames a second |
//! | [`decode`] | fitted face and motion | pictures |
//! | [`output`] | pictures and sound | a file |
//!
//! [`graph`], [`ops`] and [`exec`] hold the networks' description, their operations and the two executors;
//! [`pack`] reads model packs.

pub mod animator;
pub mod audio;
pub mod decode;
pub mod exec;
pub mod graph;
pub mod motion;
pub mod ops;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub mod output;
pub mod pack;
pub mod portrait;
#[cfg(target_arch = "wasm32")]
pub mod web;
