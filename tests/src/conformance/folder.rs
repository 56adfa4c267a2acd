//! Where the shared cases are. The build script asks as well, before there is a library.

use std::path::{Path, PathBuf};

/// Names their folder, where it is not `../shared/conformance` beside the workspace.
pub(crate) const VARIABLE: &str = "CONFORMANCE_CASES";

/// Their folder, which may not be there.
pub(crate) fn of_shared_cases() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance");
    std::env::var_os(VARIABLE).map_or_else(beside, PathBuf::from)
}
