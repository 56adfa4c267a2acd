//! Conformance cases: their form, what the core makes of them, and the verdict.
//!
//! The form is that of `../shared/conformance` (see its README); the project's own cases in `tests/conformance/cases`
//! have it too, and say `preset` where `Config::strict` and `Config::default` are to differ. All others are judged by
//! both.

mod case;
mod folder;
mod judge;
mod record;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http_core::{Config, End};

pub use case::{Case, Expect, Preset, Side, Verdict, load};
pub use judge::{Took, judge};
pub use record::record;

use crate::driven::Via;
use crate::read::{Reading, all_ways, as_client_via, as_server_via};

/// Reads one case in every way under this configuration, by typed calls and by the model.
///
/// # Errors
/// If the ways differ, or the machine panicked or contradicted itself.
pub fn run(case: &Case, config: &Arc<Config>) -> Result<Reading, String> {
    let end = case.eof.then_some(End::Clean);
    let reading = std::panic::catch_unwind(|| {
        let by = |via| {
            all_ways(&case.id, &case.bytes, |cut| match case.side {
                Side::Request => as_server_via(via, config, &case.bytes, cut, end),
                Side::Response => as_client_via(via, config, &case.methods, None, &case.bytes, cut, end),
            })
        };
        let reading = by(Via::Calls)?;
        if by(Via::Model)? == reading { Ok(reading) } else { Err("the model reads it otherwise".to_owned()) }
    });
    reading.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or_else(|| panic.downcast_ref::<&str>().map(|&s| s.to_owned())).unwrap_or_default())
    })
}

/// The project's own cases.
#[must_use]
pub fn own_cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/cases")
}

/// Where the shared cases are: `CONFORMANCE_CASES`, or `../shared/conformance` beside the workspace; `None` where
/// they are not.
#[must_use]
pub fn shared_cases() -> Option<PathBuf> {
    let folder = folder::of_shared_cases();
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
