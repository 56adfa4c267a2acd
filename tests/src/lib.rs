//! What the proof is made of: harnesses that drive the machines of `http-core` through their public methods alone.
//!
//! `conformance` reads cases and judges what the core makes of them, `cut` cuts input into pieces, `read` feeds a
//! machine and writes down what it reads, `answers` reads what a server sent, `scene` is the stage for scenarios.

pub mod answers;
pub mod conformance;
pub mod cut;
pub mod read;
pub mod scene;

/// The README's programs compile, and the bare core's runs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
