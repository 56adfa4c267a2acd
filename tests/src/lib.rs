//! What the proof is made of: harnesses that drive the machines of `http-core` through their public methods alone.
//!
//! `conformance` reads cases and judges what the core makes of them, `cut` cuts input into pieces, `read` feeds a
//! machine and writes down what it reads, `answers` reads what a server sent, `scene` is the stage for scenarios.
//! `pair` joins a client and a server: each is a `party`, between them are two of `pipe`, and what they do is a
//! `script`, perhaps read off a `source` of bytes, and what came of it an `outcome`.
//! `explore` visits every state of a machine, `fuzz` has the bodies of the fuzz targets,
//! `simulation` a dispatcher over a network that breaks. `structure` reads the code itself: which file knows which.

pub mod answers;
pub mod beginnings;
pub mod conformance;
pub mod cut;
pub mod driven;
pub mod explore;
pub mod fuzz;
pub mod outcome;
pub mod pair;
pub mod party;
pub mod pipe;
pub mod read;
pub mod scene;
pub mod script;
pub mod simulation;
pub mod source;
pub mod structure;

/// The README's programs compile, and the bare core's runs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// So does what stands in the package of the core.
#[cfg(doctest)]
#[doc = include_str!("../../http-core/README.md")]
pub struct CoreReadme;
