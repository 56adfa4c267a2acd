//! Moving here: each row of the tables in `src/moving` has a counterpart that runs, a test or a program of this book,
//! or says that there is none, and why. What its counterpart is called exists.

mod programs;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rows::{EVHTTP, FOREIGN, FUNCTIONS, OTHERS, Row};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn chapter(name: &str) -> String {
    read(&root().join("docs/src").join(name).with_extension("md"))
}

/// The rows of a chapter's tables: what stands on the left, and what on the right.
fn rows(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let heads = lines.get(at + 1).is_some_and(|next| next.starts_with("|---"));
        let cells = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")).filter(|_| !heads);
        let Some((left, right)) = cells.and_then(|line| line.split_once(" | ")) else { continue };
        found.push((left.to_owned(), right.to_owned()));
    }
    found
}

/// What stands between backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The programs of a chapter.
fn code(text: &str) -> String {
    text.split("```rust").skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

/// Whether what a row names is there: `folder/file::function` of a test, `book: chapter: words` of a program.
fn is_there(shown: &str) -> bool {
    if let Some(place) = shown.strip_prefix("book: ") {
        let (name, words) = place.split_once(": ").unwrap_or_else(|| panic!("{shown} has no words"));
        return code(&chapter(name)).contains(words);
    }
    let (file, function) = shown.split_once("::").unwrap_or_else(|| panic!("{shown} is no test"));
    let (base, file) = match file.split_once(": ") {
        Some(("core", file)) => ("http-core/src", file),
        Some(("driver", file)) => ("http-driver/src", file),
        Some((other, _)) => panic!("{other} is no crate"),
        None if file == "programs" => ("docs/moving", file),
        None => ("tests/tests", file),
    };
    let text = read(&root().join(base).join(file).with_extension("rs"));
    let starts = [format!("fn {function}("), format!("fn {function}<")];
    // What a macro makes tests of counts as well: a list of names, and a name that is its first word.
    let macros = [format!(" {function} \""), format!("!({function},")];
    starts.iter().chain(&macros).any(|start| text.contains(start))
}

fn tables() -> impl Iterator<Item = (&'static str, &'static [Row])> {
    OTHERS.into_iter().chain([("evhttp", EVHTTP)])
}

#[test]
fn each_row_is_shown_or_says_why_it_is_not_there() {
    let mut wrong = Vec::new();
    for (name, shown) in tables() {
        let shown: BTreeMap<&str, &[&str]> = shown.iter().copied().collect();
        let text = chapter(&format!("moving/{name}"));
        let table = rows(&text);
        assert!(table.len() > 5, "{name}");
        for (left, right) in &table {
            match shown.get(&left[..]) {
                None => wrong.push(format!("{name}: nothing shows {left}")),
                Some([]) => {
                    let reason = ["not there", "cannot work", "nothing"].iter().any(|start| right.starts_with(start));
                    if !(reason && right.contains([':', ';'])) {
                        wrong.push(format!("{name}: {left} is shown by nothing, and does not say why"));
                    }
                }
                Some(places) => {
                    if right.starts_with("not there") {
                        wrong.push(format!("{name}: {left} is said not to be there, and shown"));
                    }
                    let missing = places.iter().filter(|place| !is_there(place));
                    wrong.extend(missing.map(|place| format!("{name}: {left}: no {place}")));
                }
            }
        }
        let lefts: BTreeSet<&str> = table.iter().map(|(left, _)| &left[..]).collect();
        wrong.extend(shown.keys().filter(|row| !lefts.contains(*row)).map(|row| format!("{name}: no row {row}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All that the libraries are made of.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            // What comments say are no names.
            text.extend(
                read(&path).lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")),
            );
        }
    }
}

#[test]
fn what_a_counterpart_is_called_exists() {
    let mut text = String::new();
    for library in ["http-core", "http-driver", "http-tokio"] {
        sources(&root().join(library).join("src"), &mut text);
    }
    let words = |text: &str| -> BTreeSet<String> {
        let is_part = |letter: char| letter.is_alphanumeric() || "_-".contains(letter);
        text.split(|letter| !is_part(letter)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let known: BTreeSet<String> = words(&text);
    let mut unknown = BTreeSet::new();
    for (name, _) in tables() {
        for (_, right) in rows(&chapter(&format!("moving/{name}"))) {
            let named = spans(&right).filter(|span| !span.starts_with("EV")).flat_map(words);
            unknown.extend(named.filter(|word| !known.contains(word) && !FOREIGN.contains(&&word[..])));
        }
    }
    assert!(unknown.is_empty(), "{unknown:?} are names of nothing");
    for word in FOREIGN {
        assert!(!known.contains(*word), "{word} is our own");
    }
}

#[test]
fn every_function_of_evhttp_has_a_row() {
    let text = chapter("moving/evhttp");
    let table = rows(&text);
    let named: Vec<&str> = table.iter().flat_map(|(left, _)| spans(left)).collect();
    let once: BTreeSet<&str> =
        named.iter().copied().filter(|name| name.starts_with("evhttp_") || name.starts_with("evws_")).collect();
    let functions: BTreeSet<&str> = FUNCTIONS.split_whitespace().collect();
    assert_eq!(once, functions);
    assert_eq!(named.iter().filter(|name| functions.contains(*name)).count(), functions.len(), "one has two rows");
    // The list is what a header says, where one is installed.
    let Ok(header) = fs::read_to_string("/usr/include/event2/http.h") else { return };
    let comments_left_out: String =
        header.split("/*").map(|part| part.split_once("*/").map_or(part, |(_, rest)| rest)).collect();
    let declared = comments_left_out.split("evhttp_").skip(1).filter_map(|rest| {
        let (name, behind) = rest.split_at(rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))?);
        // One is the type of a callback, and one that of a URI.
        (behind.starts_with('(') && !["bound_socket_foreach_fn", "uri"].contains(&name))
            .then(|| format!("evhttp_{name}"))
    });
    let left_out: Vec<String> = declared.filter(|name| !functions.contains(&name[..])).collect();
    assert!(left_out.is_empty(), "{left_out:?}");
}
