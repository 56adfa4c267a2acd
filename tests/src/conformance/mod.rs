//! Conformance cases: their form, what the core makes of them, and the verdict.
//!
//! The form is that of `../shared/conformance` (see its README); the project's own cases in `tests/cases` have it too.

mod case;
mod judge;
mod record;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http_core::{Config, End};

pub use case::{Case, Expect, Side, Verdict, load};
pub use judge::{Took, judge};
pub use record::record;

use crate::read::{Reading, all_ways, as_client, as_server};

/// Reads one case in every way under this configuration.
///
/// # Errors
/// If the ways differ, or the machine panicked or contradicted itself.
pub fn run(case: &Case, config: &Arc<Config>) -> Result<Reading, String> {
    let end = case.eof.then_some(End::Clean);
    let reading = std::panic::catch_unwind(|| {
        all_ways(&case.id, &case.bytes, |cut| match case.side {
            Side::Request => as_server(config, &case.bytes, cut, end),
            Side::Response => as_client(config, &case.methods, None, &case.bytes, cut, end),
        })
    });
    reading.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or_else(|| panic.downcast_ref::<&str>().map(|&s| s.to_owned())).unwrap_or_default())
    })
}

/// The project's own cases.
#[must_use]
pub fn own_cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// Where the shared cases are: `CONFORMANCE_CASES`, or `../shared/conformance` beside the workspace; `None` where
/// they are not.
#[must_use]
pub fn shared_cases() -> Option<PathBuf> {
    let folder = std::env::var_os("CONFORMANCE_CASES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance"), PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// The `.jsonl` files of a folder, in order.
#[must_use]
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "jsonl")).collect();
    files.sort();
    files
}
