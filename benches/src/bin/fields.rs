//! Counts what an exchange in memory costs by the number of its fields, by `http-core` and by hyper, and prints a
//! table.
//!
//! `fields`, or, as callgrind is made to call it, `fields ours|hyper repeated|new FIELDS EXCHANGES`.

use std::process::{Command, ExitCode};

use benches::case::Engine;
use benches::fields::{COUNTS, run};
use benches::report::count_all;

const USAGE: &str = "usage: fields [ours|hyper repeated|new FIELDS EXCHANGES]";

/// Who does the work, and whether values are new: the columns, in their order.
const COLUMNS: [(&str, &str); 4] = [("ours", "repeated"), ("ours", "new"), ("hyper", "repeated"), ("hyper", "new")];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words[..] {
        [] => report(),
        [engine, kind, fields, exchanges] => {
            let engine = if engine == "ours" { Engine::Ours } else { Engine::Hyper };
            run(engine, fields.parse().expect(USAGE), kind == "new", exchanges.parse().expect(USAGE));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn report() -> ExitCode {
    let cells = COUNTS.iter().flat_map(|count| COLUMNS.map(|column| (*count, column)));
    let cells: Vec<_> = cells.collect();
    let name = |(count, (engine, kind)): (usize, (&str, &str))| format!("{engine}, {kind}, {count}");
    let figures = count_all(&cells, name, |(count, column)| difference(column, count));
    let figures = match figures {
        Ok(figures) => figures,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    println!("| fields | ours | ours, all new | hyper | hyper, all new |\n|---|---:|---:|---:|---:|");
    for count in COUNTS {
        let cells = COLUMNS.map(|column| format!("{:.0}", figures[&(count, column)]));
        println!("| {count} | {} |", cells.join(" | "));
    }
    ExitCode::SUCCESS
}

/// A short run and a long one, and what an exchange costs by them.
fn difference(column: (&str, &str), fields: usize) -> std::io::Result<f64> {
    let (short, long) = (160, 800);
    let count = |exchanges: u64| {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(std::env::current_exe()?);
        valgrind.args([column.0, column.1, &fields.to_string(), &exchanges.to_string()]);
        let output = valgrind.output()?;
        let log = String::from_utf8_lossy(&output.stderr);
        let collected = log.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse::<u64>().ok());
        match (output.status.success(), collected) {
            (true, Some(collected)) => Ok(collected as f64),
            _ => Err(std::io::Error::other(format!("did not run through:\n{log}"))),
        }
    };
    Ok((count(long)? - count(short)?) / (long - short) as f64)
}
