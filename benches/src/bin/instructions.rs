//! Counts what an exchange costs, in instructions and allocations, and prints a table; with `--assert`, fails where a
//! figure is out of its bound.
//!
//! Instructions are counted by callgrind, as the difference between a short and a long run of `exchange`, so that
//! what a process does before and after cancels out. They are user-space instructions of one binary built by one
//! compiler: the ratio to hyper in the same run is what can be compared elsewhere.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use benches::case::{Case, Engine};
use benches::dispatch::Work;
use benches::heap::{self, Counting};
use http_core::{Config, client, server};

#[global_allocator]
static HEAP: Counting = Counting;

/// A figure, and what it may be at most.
struct Rule {
    text: String,
    figure: f64,
    most: f64,
}

fn main() -> ExitCode {
    let mut asserting = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--assert" => asserting = true,
            _ => {
                eprintln!("usage: instructions [--assert]");
                return ExitCode::from(2);
            }
        }
    }
    let Some(exchange) = beside_this("exchange") else {
        eprintln!("`exchange` is not built: run benches/instructions.sh");
        return ExitCode::from(2);
    };
    let Some(fields) = beside_this("fields") else {
        eprintln!("`fields` is not built: run benches/instructions.sh");
        return ExitCode::from(2);
    };
    let mut rules = Vec::new();
    exchanges(&exchange, &mut rules);
    long_heads(&fields, &mut rules);
    drip(&exchange, &mut rules);
    dispatcher(&exchange, &mut rules);
    memory(&mut rules);
    judge(&rules, asserting)
}

/// The table of exchanges, and the rules about them.
fn exchanges(exchange: &Path, rules: &mut Vec<Rule>) {
    println!("| exchange | http-core | each part | hyper | ratio | allocations | hyper's |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for case in Case::ALL {
        let ours = instructions(exchange, case, Engine::Ours, None);
        let hyper = instructions(exchange, case, Engine::Hyper, None);
        let part = ours / case.parts() as f64;
        let shown_part = if case.parts() > 1 { format!("{part:.1}") } else { String::new() };
        let allocations = allocations(case, Engine::Ours);
        let name = case.name();
        println!(
            "| {name} | {ours:.0} | {shown_part} | {hyper:.0} | {:.2} | {allocations:.1} | {:.1} |",
            ours / hyper,
            self::allocations(case, Engine::Hyper),
        );
        match case {
            Case::Get6 => rules.push(rule("get6, ratio to hyper", ours / hyper, 0.28)),
            Case::Get6New => rules.push(rule("get6-new, ratio to hyper", ours / hyper, 0.45)),
            Case::Browser => rules.push(rule("browser, ratio to hyper", ours / hyper, 0.16)),
            Case::BrowserVary => rules.push(rule("browser-vary, ratio to hyper", ours / hyper, 0.245)),
            Case::BrowserNew => rules.push(rule("browser-new, ratio to hyper", ours / hyper, 0.36)),
            Case::Chunks1 => rules.push(rule("chunks1, instructions for each chunk", part, 60.0)),
            _ => {}
        }
        if !matches!(case, Case::Chunks1 | Case::Chunks64 | Case::Client) {
            rules.push(rule(&format!("{name}, allocations with heads recycled"), allocations, 0.0));
        }
    }
}

/// What a field line costs beyond so many that `httparse` finds them in one call, where all are new.
fn long_heads(fields: &Path, rules: &mut Vec<Rule>) {
    let exchange = |lines: u64| {
        let (short, long) = (160, 800);
        let count =
            |requests: u64| collected(fields, &["ours", "new", &lines.to_string(), &requests.to_string()], None);
        (count(long) - count(short)) as f64 / (long - short) as f64
    };
    let (few, more) = (24, 32);
    let line = (exchange(more) - exchange(few)) / (more - few) as f64;
    println!();
    println!("Each field line from {few} to {more}: {line:.0}.");
    rules.push(rule("a long head, instructions for each field line", line, 335.0));
}

/// What a head costs that arrives byte by byte, alone, without the answer to it.
fn drip(exchange: &Path, rules: &mut Vec<Rule>) {
    let head = |case| instructions(exchange, case, Engine::Ours, Some("*poll_request_head*"));
    let (whole, drip) = (head(Case::Get6), head(Case::Drip));
    let calls = Case::Drip.parts() as f64;
    println!();
    println!(
        "The head of get6 alone: {whole:.0} in one piece, {drip:.0} byte by byte, {:.1} for each byte beyond that.",
        (drip - whole) / calls
    );
    rules.push(rule("drip, instructions for each byte beyond the head in one piece", (drip - whole) / calls, 57.0));
}

/// What the dispatcher of a client costs, alone.
fn dispatcher(exchange: &Path, rules: &mut Vec<Rule>) {
    println!();
    println!("| of one request, the dispatcher alone | instructions | allocations |");
    println!("|---|---:|---:|");
    for work in Work::ALL {
        let (short, long) = (1000, 5000);
        let count = |requests: u64| collected(exchange, &[work.name(), &requests.to_string()], None);
        let instructions = (count(long) - count(short)) as f64 / (long - short) as f64;
        let taken = |requests| {
            let before = heap::counts().allocations;
            work.run(requests);
            heap::counts().allocations - before
        };
        let allocations = (taken(long) as f64 - taken(short) as f64) / (long - short) as f64;
        println!("| {} | {instructions:.0} | {allocations:.2} |", work.name());
        let most = match work {
            Work::Idle => 1700.0,
            Work::Deadline => 1870.0,
            Work::Complete => 1510.0,
            Work::Queued => 3330.0,
        };
        rules.push(rule(&format!("{}, instructions", work.name()), instructions, most));
        if work != Work::Queued {
            rules.push(rule(&format!("{}, allocations", work.name()), allocations, 0.0));
        }
    }
}

/// What a connection holds while it idles.
fn memory(rules: &mut Vec<Rule>) {
    let config = Config::default().into();
    let held = |make: &dyn Fn() -> Box<dyn std::any::Any>| {
        let before = heap::counts().held;
        let connection = make();
        let after = heap::counts().held;
        // Less the box itself.
        (after - before) as f64 - size_of_val(&*connection) as f64
    };
    let server = held(&|| Box::new(benches::idle_server(&config)));
    let client = held(&|| Box::new(benches::idle_client(&config)));
    println!();
    println!("| bytes | size of the type | held on the heap while idle, after `shrink` |");
    println!("|---|---:|---:|");
    println!("| server::Connection | {} | {server} |", size_of::<server::Connection>());
    println!("| client::Connection | {} | {client} |", size_of::<client::Connection>());
    println!("| server::Event | {} | |", size_of::<server::Event>());
    println!("| client::Event | {} | |", size_of::<client::Event>());
    println!("| RequestHead | {} | |", size_of::<http_core::RequestHead>());
    println!("| ResponseHead | {} | |", size_of::<http_core::ResponseHead>());
    rules.push(rule("server, bytes on the heap while idle", server, 0.0));
    rules.push(rule("client, bytes on the heap while idle", client, 0.0));
}

fn rule(text: &str, figure: f64, most: f64) -> Rule {
    Rule { text: text.to_owned(), figure, most }
}

fn judge(rules: &[Rule], asserting: bool) -> ExitCode {
    println!();
    let mut broken = 0;
    for Rule { text, figure, most } in rules {
        let holds = figure <= most;
        broken += usize::from(!holds);
        println!("{} {text}: {figure:.2}, at most {most:.2}", if holds { "ok  " } else { "FAIL" });
    }
    if asserting && broken > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// How many exchanges a short and a long run make: enough for a steady difference, few enough for a slow tool.
fn counts(case: Case) -> (u64, u64) {
    match case {
        Case::Chunks1 => (1, 2),
        Case::Chunks64 => (2, 6),
        Case::Drip => (16, 80),
        _ => (160, 800),
    }
}

/// Instructions for one exchange; of one function alone, if it is named.
fn instructions(exchange: &Path, case: Case, engine: Engine, function: Option<&str>) -> f64 {
    let engine = if engine == Engine::Ours { "ours" } else { "hyper" };
    let count = |exchanges: u64| collected(exchange, &[case.name(), engine, &exchanges.to_string()], function);
    let (short, long) = counts(case);
    (count(long) - count(short)) as f64 / (long - short) as f64
}

/// Instructions of one run; of one function alone, if it is named.
fn collected(exchange: &Path, arguments: &[&str], function: Option<&str>) -> u64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.args(function.map(|name| format!("--toggle-collect={name}")));
    let output = valgrind.arg(exchange).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("valgrind cannot be run: {error}"));
    let log = String::from_utf8_lossy(&output.stderr);
    let collected = log.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse::<u64>().ok());
    match (output.status.success(), collected) {
        (true, Some(collected)) => collected,
        _ => panic!("{arguments:?} did not run through:\n{log}"),
    }
}

/// Allocations for each exchange.
fn allocations(case: Case, engine: Engine) -> f64 {
    let count = |exchanges| {
        let before = heap::counts().allocations;
        case.run(engine, exchanges);
        heap::counts().allocations - before
    };
    let (short, long) = counts(case);
    (count(long) as f64 - count(short) as f64) / (long - short) as f64
}

fn beside_this(name: &str) -> Option<PathBuf> {
    let path = std::env::current_exe().ok()?.with_file_name(name);
    path.exists().then_some(path)
}
