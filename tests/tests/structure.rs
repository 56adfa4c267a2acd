//! Who may know whom in the libraries, and how long a line may be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tests::structure::{Knows, Sources, circles, rooms};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn knows(library: &str) -> Knows {
    Sources::read(&root().join(library).join("src")).unwrap().knows()
}

#[test]
fn no_file_knows_one_that_knows_it() {
    for library in ["http-core", "http-driver"] {
        assert_eq!(circles(&knows(library)), BTreeSet::new(), "{library}");
    }
}

/// The rows of the table of rooms: the names in the first cell, and those in the last.
fn allowed() -> Knows {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, table) = text.split_once("| room | holds | may know |\n").expect("the table of rooms");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(|name| name.trim_end_matches('/').to_string()).collect()
    };
    let mut allowed = Knows::new();
    for row in rows {
        let cells: Vec<_> = row.split('|').collect();
        allowed.extend(names(cells[1]).into_iter().map(|room| (room, names(cells[3]))));
    }
    allowed
}

#[test]
fn no_room_knows_more_than_it_may() {
    let (rooms, allowed) = (rooms(&knows("http-core")), allowed());
    assert_eq!(
        rooms.keys().collect::<Vec<_>>(),
        allowed.keys().collect::<Vec<_>>(),
        "the rooms, and those of the table"
    );
    for (room, others) in rooms {
        let more: Vec<_> = others.difference(&allowed[&room]).collect();
        assert!(more.is_empty(), "{room} knows {more:?}, which ARCHITECTURE.md does not allow");
    }
}

/// What people write and read; not what is generated, recorded, or of others.
fn written(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // What a link leads to stands elsewhere.
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() && !["target", ".git", "cases", "corpus", "node_modules"].contains(&name.as_str()) {
            written(&path, files);
        } else if ["rs", "md", "sh", "py"].iter().any(|end| path.extension().is_some_and(|found| found == *end)) {
            files.push(path);
        }
    }
}

/// The lines of prose beyond 120 columns: those of documents, but for tables, drawings and code, and of comments, but
/// for tables. Code is the formatter's.
fn too_long(text: &str, is_code: bool) -> Vec<usize> {
    let mut is_fenced = false;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let inner = line.trim_start().trim_start_matches(['/', '!', '#']).trim_start();
        let is_comment = line.trim_start().starts_with("//") || line.trim_start().starts_with('#');
        is_fenced ^= line.starts_with("```");
        let is_prose = if is_code { is_comment } else { !is_fenced && !line.starts_with("    ") };
        if line.chars().count() > 120 && is_prose && !inner.starts_with('|') {
            found.push(number + 1);
        }
    }
    found
}

#[test]
fn lines_end_within_120_columns() {
    let mut files = Vec::new();
    written(&root(), &mut files);
    assert!(files.len() > 200, "only {} files were found", files.len());
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        found.extend(
            too_long(&text, file.extension().is_none_or(|end| end != "md"))
                .iter()
                .map(|line| format!("{}:{line}", file.display())),
        );
    }
    assert!(found.is_empty(), "beyond 120 columns:\n{}", found.join("\n"));
}

#[test]
fn lines_are_measured() {
    let long = "x ".repeat(61);
    let document = format!("{long}\n| {long}\n    {long}\n```\n{long}\n```\n* {long}\n");
    assert_eq!(too_long(&document, false), [1, 7]);
    let code = format!("{long}\n/// | {long}\n    // {long}\n# {long}\n");
    assert_eq!(too_long(&code, true), [3, 4]);
    assert!(too_long(&"ü".repeat(120), false).is_empty());
}
