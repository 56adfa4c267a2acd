//! The book is whole: each chapter is in its table of contents and among those that are tested, and no link is dead.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn chapters(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            chapters(&path, found);
        } else if path.extension().is_some_and(|end| end == "md") && !path.ends_with("SUMMARY.md") {
            found.insert(path);
        }
    }
}

/// The places that a chapter links to.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
}

#[test]
fn every_chapter_is_listed_and_tested() {
    let mut found = BTreeSet::new();
    chapters(&source(), &mut found);
    let summary = fs::read_to_string(source().join("SUMMARY.md")).unwrap();
    let listed: BTreeSet<_> = links(&summary).map(|link| source().join(link)).collect();
    assert_eq!(found, listed);
    let tested = include_str!("tested.rs");
    for path in &found {
        let name = path.strip_prefix(source()).unwrap().with_extension("");
        assert!(tested.contains(&format!("\"{}\"", name.display())), "{} is not tested", name.display());
    }
    assert!(found.len() > 30);
}

#[test]
fn no_link_is_dead() {
    let mut found = BTreeSet::new();
    chapters(&source(), &mut found);
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        for link in links(&text).filter(|link| link.ends_with(".md")) {
            assert!(path.parent().unwrap().join(link).exists(), "{}: {link}", path.display());
        }
    }
}

/// The programs of a chapter, all their lines.
fn programs(text: &str) -> String {
    text.split("```rust").skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

#[test]
fn who_reads_a_recipe_is_told_what_it_depends_on() {
    let text = fs::read_to_string(source().join("recipes.md")).unwrap();
    let (_, listed) = text.split_once("[dependencies]\n").unwrap();
    let (listed, _) = listed.split_once("```").unwrap();
    let listed: BTreeSet<String> =
        listed.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.replace('-', "_")).collect();
    let mut recipes = BTreeSet::new();
    chapters(&source().join("recipes"), &mut recipes);
    assert!(recipes.len() > 20);
    for path in recipes {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("](../recipes.md)"), "{} does not say where its dependencies stand", path.display());
        // Crates are what stands before `::` at the beginning of a path.
        let programs = programs(&text);
        for line in programs.lines().filter_map(|line| line.trim_start_matches("# ").strip_prefix("use ")) {
            let name = line.split("::").next().unwrap();
            assert!(["std"].contains(&name) || listed.contains(name), "{}: {name} is not listed", path.display());
        }
    }
    // They are what this package has, word by word, but for what the workspace says.
    let manifest = include_str!("Cargo.toml");
    for line in text.lines().filter(|line| line.contains("version = \"0") && !line.contains("socket2")) {
        assert!(manifest.contains(line), "{line} is another dependency here");
    }
}
