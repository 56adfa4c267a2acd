//! The bodies of the fuzz targets: functions of bytes that panic when a promise does not hold.
//!
//! They stand here, and not in `fuzz/`, so that every build compiles them, `tests/corpora.rs` replays what the fuzzers
//! have found worth keeping, and property tests throw bytes of their own at them.

mod apply;
mod bytes;
mod differential;
mod dispatcher;
mod generation;
mod lines;
mod mutate;
mod pair;
mod requests;
mod sequence;

pub use apply::apply;
pub use bytes::{client_bytes, server_bytes};
pub use differential::{differential_client, differential_server};
pub use dispatcher::dispatcher;
pub use generation::head_generation;
pub use lines::{request_lines, response_lines};
pub use mutate::{mutated, seeds};
pub use pair::pair;
pub use requests::requests;
pub use sequence::head_sequence;

/// A function of bytes that panics when a promise does not hold.
pub type Target = fn(&[u8]);

/// Every target by the name that it has in `fuzz/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("server_bytes", server_bytes),
    ("client_bytes", client_bytes),
    ("apply", apply),
    ("pair", pair),
    ("dispatcher", dispatcher),
    ("head_generation", head_generation),
    ("head_sequence", head_sequence),
    ("request_lines", request_lines),
    ("response_lines", response_lines),
    ("requests", requests),
    ("differential_server", differential_server),
    ("differential_client", differential_client),
];
