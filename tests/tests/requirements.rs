//! The tables of requirements and of what peers hold themselves to name only what exists, and leave nothing out.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tests::conformance::{files, load, own_cases};

/// How many there are in RFC 9112, in the parts of RFC 9110 that bind who writes or reads messages, and in RFC 9931.
const REQUIREMENTS: usize = 246;

struct Row {
    id: String,
    side: String,
    words: String,
    obeyed_in: String,
    tests: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rows() -> Vec<Row> {
    let table = include_str!("../conformance/rfc.md");
    let lines = table.lines().filter(|line| ["| 9110 ", "| 9112 ", "| 9931 "].iter().any(|rfc| line.starts_with(rfc)));
    lines
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [id, side, words, obeyed_in, tests] = cells[..] else { panic!("five columns, not {line}") };
            let [id, side, words, obeyed_in, tests] = [id, side, words, obeyed_in, tests].map(str::to_owned);
            Row { id, side, words, obeyed_in, tests }
        })
        .collect()
}

/// The first of these files that exists, and what is in it.
fn read(candidates: &[String]) -> Option<String> {
    candidates.iter().find_map(|path| fs::read_to_string(root().join(path)).ok())
}

fn lines_of<'a>(source: &'a str, function: &str) -> Vec<&'a str> {
    let (plain, generic) = (format!("fn {function}("), format!("fn {function}<"));
    source.lines().filter(|line| line.contains(&plain) || line.contains(&generic)).collect()
}

/// Whether the function stands below `#[test]`, perhaps with other attributes between, or is among those that a macro
/// makes tests of: for both adapters, or for each of some names.
fn is_test(source: &str, function: &str) -> bool {
    let lines: Vec<_> = source.lines().collect();
    let made = ["on_both! {", "methods!(", "unix!("].iter().any(|start| {
        let after = lines.iter().skip_while(|line| !line.starts_with(start));
        let listed = after.take_while(|line| !matches!(**line, "}" | ");"));
        listed.flat_map(|line| line.split([' ', ',', '('])).any(|word| word == function)
    });
    made || lines.iter().enumerate().any(|(at, line)| {
        line.contains(&format!("fn {function}("))
            && lines[..at].iter().rev().take_while(|l| l.trim_start().starts_with("#[")).any(|l| l.trim() == "#[test]")
    })
}

fn split(reference: &str) -> (&str, &str) {
    reference.rsplit_once("::").unwrap_or_else(|| panic!("file::function, not {reference:?}"))
}

/// Why a row's place does not hold.
fn place_is_wrong(row: &Row) -> Option<String> {
    let others = ["**application**", "**transport**", "**proxy**", "**not done**"];
    if others.contains(&row.obeyed_in.as_str()) {
        return None;
    }
    let (file, function) = split(&row.obeyed_in);
    let Some(source) = read(&[format!("http-core/src/{file}.rs")]) else { return Some(format!("no file {file}")) };
    let code = source.split("\nmod tests {").next().unwrap_or_default();
    lines_of(code, function).is_empty().then(|| format!("no function {}", row.obeyed_in))
}

/// Why a reference to a test does not hold.
fn test_is_missing(reference: &str, cases: &BTreeSet<String>) -> Option<String> {
    if let Some(case) = reference.strip_prefix("case:") {
        return (!cases.contains(case)).then(|| format!("no case {case}"));
    }
    let elsewhere = [("core:", "http-core/src"), ("driver:", "http-driver/src"), ("benches:", "benches/tests")];
    let unit = elsewhere.iter().find_map(|(prefix, folder)| Some((folder, reference.strip_prefix(prefix)?)));
    let (candidates, function) = match unit {
        Some((folder, unit)) => {
            let (file, function) = split(unit);
            (vec![format!("{folder}/{file}.rs")], function)
        }
        None => {
            let (file, function) = split(reference);
            (vec![format!("tests/tests/{file}.rs"), format!("tests/tests/{file}/main.rs")], function)
        }
    };
    match read(&candidates) {
        None => Some(format!("no file for {reference}")),
        Some(source) if !is_test(&source, function) => Some(format!("no test {reference}")),
        Some(_) => None,
    }
}

#[test]
fn every_row_names_what_exists() {
    let cases: BTreeSet<_> = files(&own_cases()).iter().flat_map(|f| load(f).unwrap()).map(|case| case.id).collect();
    let mut wrong = Vec::new();
    for row in rows() {
        wrong.extend(place_is_wrong(&row).map(|why| format!("{}: {why}", row.id)));
        if row.tests == "—" {
            if !row.obeyed_in.starts_with("**") {
                wrong.push(format!("{}: obeyed and not tested", row.id));
            }
            continue;
        }
        let missing = row.tests.split(", ").filter_map(|test| test_is_missing(test, &cases));
        wrong.extend(missing.map(|why| format!("{}: {why}", row.id)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_requirement_is_left_out() {
    let rows = rows();
    let ids: BTreeSet<_> = rows.iter().map(|row| &row.id).collect();
    assert_eq!((rows.len(), ids.len()), (REQUIREMENTS, REQUIREMENTS));
    for row in &rows {
        assert!(row.words.len() > 10, "{}: {}", row.id, row.words);
        assert!(
            ["S in", "S out", "C in", "C out", "in", "out", "both", "proxy"].contains(&row.side.as_str()),
            "{}",
            row.id
        );
    }
    // Most are the engine's own; the rest says whose it is.
    let ours = rows.iter().filter(|row| !row.obeyed_in.starts_with("**")).count();
    println!("{ours} of {REQUIREMENTS} obeyed by the engine");
    assert!(ours > 200, "{ours}");
}

/// The rows of a table below one of its headings: names, and what shows them.
fn shown(heading: &str) -> Vec<(Vec<String>, String)> {
    let table = include_str!("../conformance/acceptance.md");
    let part = table.split("\n## ").find(|part| part.starts_with(heading)).unwrap_or_default();
    let rows = part.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let (names, shows) = line.trim_matches('|').split_once('|').expect("a second column");
        let names = names.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (names, shows.split('|').next().unwrap_or_default().trim().to_owned())
    })
    .collect()
}

#[test]
fn what_peers_hold_themselves_to_is_shown() {
    for (heading, names) in [
        ("libevent: `http/`", 88),
        ("libevent: `https", 18),
        ("Bitcoin Core", 5),
        ("hyper: `tests/server", 77),
        ("hyper: `tests/client", 69),
    ] {
        let rows = shown(heading);
        let all: Vec<_> = rows.iter().flat_map(|(names, _)| names).collect();
        let different: BTreeSet<_> = all.iter().collect();
        assert_eq!((all.len(), different.len()), (names, names), "{heading}");
        for (names, shows) in rows {
            if shows.starts_with("**application**") || shows.starts_with("**not ours**") {
                assert!(shows.len() > 30, "{names:?}: {shows} says no more");
                continue;
            }
            for test in shows.split(", ") {
                assert_eq!(test_is_missing(test, &BTreeSet::new()), None, "{names:?}");
            }
        }
    }
}

/// The promises of `SECURITY.md`, and the tests that show each.
#[test]
fn what_is_promised_to_be_secure_is_shown() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows = text.split("| promise | shown by |").skip(1).flat_map(|part| {
        part.lines().skip(2).take_while(|line| line.starts_with('|')).map(str::to_owned).collect::<Vec<_>>()
    });
    let mut count = 0;
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [promise, shows] = cells[..] else { panic!("two columns, not {row}") };
        for test in shows.split(", ") {
            let named = test.strip_prefix('`').and_then(|test| test.strip_suffix('`'));
            let missing =
                test_is_missing(named.unwrap_or_else(|| panic!("`file::test`, not {test}")), &BTreeSet::new());
            assert_eq!(missing, None, "{promise}");
        }
        count += 1;
    }
    assert!(count >= 20, "{count} promises");
}

#[test]
fn a_row_that_names_nothing_is_found() {
    let row = |obeyed_in: &str| Row {
        id: String::new(),
        side: String::new(),
        words: String::new(),
        obeyed_in: obeyed_in.into(),
        tests: String::new(),
    };
    assert_eq!(place_is_wrong(&row("read/framing::of_request")), None);
    assert!(place_is_wrong(&row("read/framing::of_nothing")).is_some());
    assert!(place_is_wrong(&row("nowhere::of_request")).is_some());
    assert!(place_is_wrong(&row("read/framing::requests")).is_some(), "a test is no place to obey");
    let cases = BTreeSet::from(["known".to_owned()]);
    for (reference, there) in [
        ("limits::target", true),
        ("limits::every_limit_is_spent", true),
        ("limits::serve", false),
        ("limits::nothing", false),
        ("nowhere::target", false),
        ("adapters/endings::content_that_is_cut_short_is_an_error", true),
        ("adapters/endings::serve_one", false),
        ("adapters/servers::a_unix_socket_is_served_on_tokio", true),
        ("peers/libevent/http::put", true),
        ("peers/libevent/http::method", false),
        ("core:read/framing::requests", true),
        ("core:read/framing::of_request", false),
        ("case:known", true),
        ("case:unknown", false),
    ] {
        assert_eq!(test_is_missing(reference, &cases).is_none(), there, "{reference}");
    }
}
