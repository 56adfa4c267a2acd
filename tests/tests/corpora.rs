//! What the fuzzers found worth keeping is replayed: every target, every file.

use std::fs;
use std::path::{Path, PathBuf};

use tests::fuzz::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_corpus_is_replayed() {
    for (name, target) in TARGETS {
        let files = files(&fuzz().join("corpus").join(name));
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in &files {
            let bytes = fs::read(file).unwrap();
            if std::panic::catch_unwind(|| target(&bytes)).is_err() {
                panic!("{} does not hold", file.display());
            }
        }
        println!("{name}: {} files", files.len());
    }
}

#[test]
fn every_target_is_a_program_and_has_a_corpus() {
    let names = |folder: &str| -> Vec<String> {
        let files = files(&fuzz().join(folder));
        files.iter().map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let mut known: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    known.sort();
    assert_eq!(names("fuzz_targets"), known);
    assert_eq!(names("corpus"), known);
}
