//! Tells the tests whether the shared cases are here: a test whose cases are absent is ignored, and the run says so.

#[path = "src/conformance/folder.rs"]
mod folder;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(shared_cases)");
    println!("cargo::rerun-if-env-changed={}", folder::VARIABLE);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/conformance/folder.rs");
    let folder = folder::of_shared_cases();
    if folder.is_dir() {
        println!("cargo::rerun-if-changed={}", folder.display());
        println!("cargo::rustc-cfg=shared_cases");
    }
}
