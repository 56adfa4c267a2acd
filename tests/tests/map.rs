//! `tests/README.md` is the map: it names all that there is to find, and nothing that is not there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn map() -> String {
    fs::read_to_string(here().join("README.md")).unwrap()
}

/// What stands between backticks.
fn named(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(|name| name.trim_end_matches('/').to_owned()).collect()
}

/// The names of a folder's files, without `.rs`, and of its folders.
fn entries(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(here().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.map(|name| name.trim_end_matches(".rs").to_owned()).collect()
}

/// What is in the folder, and has no name on the map.
fn left_out(folder: &str, prefix: &str, plain: &[&str]) -> Vec<String> {
    let map = named(&map());
    let there = entries(folder).into_iter().filter(|name| !plain.contains(&name.as_str()));
    there.map(|name| format!("{prefix}{name}")).filter(|name| !map.contains(name)).collect()
}

#[test]
fn all_that_is_there_is_on_the_map() {
    assert_eq!(left_out("tests", "", &[]), [""; 0], "binaries and folders of tests/tests");
    assert_eq!(left_out("src", "", &["lib"]), [""; 0], "modules of the harness");
    assert_eq!(left_out("conformance", "", &[]), [""; 0], "tests/conformance");
    let plain = ["Cargo.toml", "README.md", "build", "src", "tests", "conformance", "fuzz-differences.md"];
    assert_eq!(left_out("", "", &plain), [""; 0], "tests");
    for folder in entries("tests/peers") {
        match here().join("tests/peers").join(&folder).is_dir() {
            true => {
                let folder_path = format!("tests/peers/{folder}");
                assert_eq!(left_out(&folder_path, &format!("{folder}/"), &["mod"]), [""; 0], "{folder_path}");
            }
            false => assert!(folder == "main" || named(&map()).contains(&folder), "tests/peers/{folder}.rs"),
        }
    }
}

#[test]
fn all_that_is_on_the_map_is_there() {
    let text = map();
    let known: BTreeSet<_> =
        ["tests", "src", "conformance", "", "tests/peers"].iter().flat_map(|f| entries(f)).collect();
    let firsts = text.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    let peers =
        text.lines().skip_while(|line| !line.starts_with("| peer |")).skip(2).take_while(|l| l.starts_with('|'));
    let peers: Vec<_> = peers.filter_map(|line| line.split('|').nth(2)).flat_map(named).collect();
    assert!(peers.len() > 15, "{peers:?}");
    for name in firsts.flat_map(named).chain(peers) {
        let beside = here().join("tests/peers").join(format!("{name}.rs"));
        assert!(known.contains(&name) || beside.exists(), "{name} is on the map alone");
    }
}
