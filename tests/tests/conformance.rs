//! The cases of `../shared/conformance` and the project's own against the pure core.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use std::path::Path;

use http_core::Reason;
use tests::conformance::{Case, Preset, files, judge, load, own_cases, run, shared_cases};

/// Runs the cases of a folder, each by the presets that it is for; all must be met but for those that `exceptions.md`
/// names.
fn meet(folder: &Path) -> usize {
    let presets = Preset::ALL.map(|preset| (preset, preset.config()));
    let exceptions = exceptions();
    let mut failed = Vec::new();
    let mut count = 0;
    for file in files(folder) {
        for case in load(&file).unwrap() {
            count += 1;
            for preset in case.presets() {
                let (_, config) = presets.iter().find(|(other, _)| *other == preset).unwrap();
                let met = run(&case, config).and_then(|reading| judge(&case, &reading));
                match (met, exceptions.contains(&case.id)) {
                    (Err(why), false) => failed.push(format!("{} {preset:?}: {why}", case.id)),
                    (Ok(_), true) => failed.push(format!("{} {preset:?} is met and needs no exception", case.id)),
                    _ => {}
                }
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
#[cfg_attr(not(shared_cases), ignore = "the shared cases are not here (CONFORMANCE_CASES)")]
fn shared_cases_are_met() {
    let folder = shared_cases().expect("the folder of the shared cases");
    assert!(meet(&folder) > 50, "no cases in {}", folder.display());
}

#[test]
fn shared_cases_are_ignored_only_where_they_are_absent() {
    let built = cfg!(shared_cases);
    assert_eq!(built, shared_cases().is_some(), "they came or went since the tests were built: touch tests/build.rs");
}

#[test]
fn own_cases_are_met() {
    assert!(meet(&own_cases()) > 50);
}

#[test]
fn the_presets_differ_in_cases_of_their_own() {
    let cases: Vec<Case> = files(&own_cases()).iter().flat_map(|file| load(file).unwrap()).collect();
    for preset in Preset::ALL {
        // The same bytes are read otherwise by the other one.
        for case in cases.iter().filter(|case| case.preset == Some(preset)) {
            let [strict, default] = Preset::ALL.map(|preset| run(case, &preset.config()).unwrap());
            assert_ne!(strict.error, default.error, "{} need not say its preset", case.id);
        }
        assert!(cases.iter().any(|case| case.preset == Some(preset)), "{preset:?}");
    }
}

#[test]
fn every_reason_has_a_case_of_its_own() {
    let cases: Vec<Case> = files(&own_cases()).iter().flat_map(|file| load(file).unwrap()).collect();
    let mut met: Vec<Reason> = Vec::new();
    for case in &cases {
        for preset in case.presets() {
            let reading = run(case, &preset.config()).unwrap();
            let reason = reading.error.map(|(reason, _)| reason);
            let refused = reading.refused.map(|_| Reason::Expectation);
            assert_eq!(reason.or(refused).map(|r| format!("{r:?}")), case.reason, "{} {preset:?}", case.id);
            met.extend(reason.or(refused));
        }
    }
    // These need a clock, a limit that is off by default, or an offer: see timeouts.rs, limits.rs and upgrade.rs.
    met.extend([Reason::HeadTimeout, Reason::ContentTimeout, Reason::ContentTooLong, Reason::UnnamedSwitch]);
    let missing: Vec<_> = Reason::ALL.iter().filter(|reason| !met.contains(reason)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}
