//! The cases of `../shared/conformance` and the project's own against the pure core.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use std::path::Path;
use std::sync::Arc;

use http_core::{Config, Reason};
use tests::conformance::{Case, files, judge, load, own_cases, run, shared_cases};

/// Runs the cases of a folder; all must be met but for those that `exceptions.md` names.
fn meet(folder: &Path) -> usize {
    let config = Arc::new(Config::default());
    let exceptions = exceptions();
    let mut failed = Vec::new();
    let mut count = 0;
    for file in files(folder) {
        for case in load(&file).unwrap() {
            count += 1;
            let met = run(&case, &config).and_then(|reading| judge(&case, &reading));
            match (met, exceptions.contains(&case.id)) {
                (Err(why), false) => failed.push(format!("{}: {why}", case.id)),
                (Ok(_), true) => failed.push(format!("{} is met and needs no exception", case.id)),
                _ => {}
            }
        }
    }
    assert!(failed.is_empty(), "{} of {count} failed:\n{}", failed.len(), failed.join("\n"));
    count
}

/// The ids in the table of `conformance/exceptions.md`.
fn exceptions() -> Vec<String> {
    let text = include_str!("../conformance/exceptions.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).map(str::to_owned).collect()
}

#[test]
fn shared_cases_are_met() {
    match shared_cases() {
        Some(folder) => println!("{} shared cases", meet(&folder)),
        None => eprintln!("SKIPPED: the shared cases are not here (CONFORMANCE_CASES); the project's own carry on"),
    }
}

#[test]
fn own_cases_are_met() {
    assert!(meet(&own_cases()) > 50);
}

#[test]
fn every_reason_has_a_case_of_its_own() {
    let cases: Vec<Case> = files(&own_cases()).iter().flat_map(|file| load(file).unwrap()).collect();
    let config = Arc::new(Config::default());
    let mut met: Vec<Reason> = Vec::new();
    for case in &cases {
        let reading = run(case, &config).unwrap();
        let reason = reading.error.map(|(reason, _)| reason);
        let refused = reading.refused.map(|_| Reason::Expectation);
        assert_eq!(reason.or(refused).map(|r| format!("{r:?}")), case.reason, "{}", case.id);
        met.extend(reason.or(refused));
    }
    // These need a clock, or a limit that is off by default: see timeouts.rs and limits.rs.
    met.extend([Reason::HeadTimeout, Reason::ContentTimeout, Reason::ContentTooLong]);
    let missing: Vec<_> = Reason::ALL.iter().filter(|reason| !met.contains(reason)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}
