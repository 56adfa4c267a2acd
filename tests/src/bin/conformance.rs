//! Runs conformance cases against the pure core, each by the presets that it is for, and writes the record that
//! `probe.py --check` judges: of the strictest one.
//!
//! `cargo run --release -p tests --bin conformance -- [--record OUT.jsonl] [FILE.jsonl…]`; without files, the shared
//! cases and the project's own.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use tests::conformance::{Preset, Took, files, judge, load, own_cases, record, run, shared_cases};

fn main() -> ExitCode {
    match work() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("conformance: {why}");
            ExitCode::from(2)
        }
    }
}

fn work() -> Result<bool, String> {
    let (mut out, mut paths) = (None, Vec::new());
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--record" {
            let path = arguments.next().ok_or("--record needs a file")?;
            out = Some(std::io::BufWriter::new(std::fs::File::create(path).map_err(|e| e.to_string())?));
        } else {
            paths.push(PathBuf::from(argument));
        }
    }
    if paths.is_empty() {
        paths = files(&own_cases());
        match shared_cases() {
            Some(folder) => paths.extend(files(&folder)),
            None => eprintln!("conformance: no shared cases here (CONFORMANCE_CASES); the project's own carry on"),
        }
    }
    std::panic::set_hook(Box::new(|_| {}));
    let presets = Preset::ALL.map(|preset| (preset, preset.config()));
    let mut tally: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for path in paths {
        for case in load(&path)? {
            let mut recorded = false;
            for (preset, config) in presets.iter().filter(|(preset, _)| case.presets().any(|other| other == *preset)) {
                let reading = run(&case, config);
                let name = format!("{preset:?} {:?} {:?} {}", case.side, case.expect.verdict, case.level);
                let row = tally.entry(name).or_default();
                match reading.as_ref().map_err(Clone::clone).and_then(|reading| judge(&case, reading)) {
                    Ok(took) => row[usize::from(took == Took::Rejected)] += 1,
                    Err(why) => {
                        row[2] += 1;
                        println!("fail {:<44} {preset:?} {:?}: {why}", case.id, case.expect.verdict);
                    }
                }
                if let (Some(out), Ok(reading), false) = (&mut out, &reading, recorded) {
                    writeln!(out, "{}", record(&case, reading)).map_err(|e| e.to_string())?;
                    recorded = true;
                }
            }
        }
    }
    if let Some(mut out) = out {
        out.flush().map_err(|e| e.to_string())?;
    }
    println!("{:<52} {:>8} {:>8} {:>6}", "", "accepted", "rejected", "failed");
    let mut failed = 0;
    for (name, [accepted, rejected, wrong]) in tally {
        println!("{name:<52} {accepted:>8} {rejected:>8} {wrong:>6}");
        failed += wrong;
    }
    Ok(failed == 0)
}
