//! What a client with a pool costs its machine, kernel and all: requests for each second of the processor with 64
//! connections, on two threads and on one; seconds of the processor for each GiB that is downloaded, and memory of the
//! process for each connection that waits in its pool. Ours beside hyper-util's, and beside a loop on tokio that reads.
//!
//! `loads [--rounds N] [--only requests,alone,download,idle] [--assert]`
//!
//! Clients and servers are processes of their own. Seconds hang on the machine and on its neighbours, so rounds go by
//! turns, ratios are taken within one, and medians of them are told. With `--assert` it fails where one is out of its
//! bound.

use std::io::{self, Error};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use benches::contender::{self, Contender};
use benches::report::{is_within, listed};

mod run;

use run::{Client, Task};

/// Requests of a round, over so many connections on two threads.
const REQUESTS: u64 = 100_000;

const GIB: u64 = 1 << 30;

/// Connections that wait.
const WAITING: u64 = 10_000;

/// The least that ours may get done in a second of the processor, as a ratio to hyper-util's.
const LEAST_REQUESTS: f64 = 1.3;

/// The most that a download may take of the processor, as a ratio to the floor.
const MOST_DOWNLOAD: f64 = 1.05;

/// The most bytes that may be resident for a connection that waits.
const MOST_WAITING: f64 = 2000.0;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "run") {
        return run::main(&words[1..]);
    }
    let (mut rounds, mut tasks, mut asserting) = (5, Task::ALL.to_vec(), false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().map_or("", String::as_str);
        match word.as_str() {
            "--rounds" => rounds = value().parse().unwrap_or(0),
            "--only" => tasks = listed(value(), &Task::ALL, Task::name).unwrap_or_default(),
            "--assert" => asserting = true,
            _ => rounds = 0,
        }
    }
    if rounds == 0 || tasks.is_empty() {
        eprintln!("usage: loads [--rounds N] [--only requests,alone,download,idle] [--assert]");
        return ExitCode::from(2);
    }
    match report(&tasks, rounds) {
        Ok(holds) if holds || !asserting => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a table for each task, and whether all that has a bound is within it.
fn report(tasks: &[Task], rounds: usize) -> io::Result<bool> {
    let built = contender::built();
    let mut holds = true;
    for task in tasks {
        holds &= match task {
            Task::Requests => {
                println!("| 64 connections, 2 threads | requests for each second of the processor | ratio |");
                let [_, ours] = table([Client::Pool, Client::Ours], *task, REQUESTS, rounds, &built, |nanos| {
                    REQUESTS as f64 / (nanos / 1e9)
                })?;
                is_within("the processor's time for a request, ours to hyper-util's", 1.0 / ours, 1.0 / LEAST_REQUESTS)
            }
            Task::Alone => {
                println!("| 64 connections, 1 thread | requests for each second of the processor | ratio |");
                table([Client::Pool, Client::Ours], *task, REQUESTS, rounds, &built, |nanos| {
                    REQUESTS as f64 / (nanos / 1e9)
                })?;
                true
            }
            Task::Download => {
                println!("| download of 1 GiB | seconds of the processor | ratio |");
                let clients = [Client::Floor, Client::Ours, Client::Pool];
                let [_, ours, _] = table(clients, *task, GIB, rounds, &built, |nanos| nanos / 1e9)?;
                is_within("a download, ours to the floor", ours, MOST_DOWNLOAD)
            }
            Task::Idle => {
                let server = Contender::Service.start(&built, &[], false)?;
                let each = measure(Client::Ours, *task, server.port, WAITING)?;
                server.end()?;
                println!("| {WAITING} connections that wait in a pool | bytes for each |\n|---|---:|");
                println!("| {} | {each:.0} |", Client::Ours.name());
                is_within("bytes for a connection that waits", each, MOST_WAITING)
            }
        };
        println!();
    }
    Ok(holds)
}

/// Measures clients by turns, and tells the ratio of each to the first one.
fn table<const N: usize>(
    clients: [Client; N],
    task: Task,
    amount: u64,
    rounds: usize,
    built: &Path,
    figure: impl Fn(f64) -> f64,
) -> io::Result<[f64; N]> {
    println!("|---|---:|---:|");
    let mut found = clients.map(|_| Vec::new());
    let server = Contender::Floor.start(built, &[], false)?;
    for round in 0..rounds {
        // There and back, so that nobody always follows on the same one.
        for at in 0..N {
            let at = if round % 2 == 0 { at } else { N - 1 - at };
            found[at].push(figure(measure(clients[at], task, server.port, amount)?));
        }
    }
    server.end()?;
    let ratios = found.each_ref().map(|figures| {
        let ratios = figures.iter().zip(&found[0]).map(|(one, first)| one / first).collect();
        median(ratios)
    });
    for ((client, figures), ratio) in clients.iter().zip(&found).zip(ratios) {
        let figure = median(figures.clone());
        let figure = if figure < 100.0 { format!("{figure:.3}") } else { format!("{figure:.0}") };
        println!("| {} | {figure} | {ratio:.2} |", client.name());
    }
    Ok(ratios)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// What a client of its own process says that a task has cost.
fn measure(client: Client, task: Task, port: u16, amount: u64) -> io::Result<f64> {
    let words = ["run", client.name(), task.name(), &port.to_string(), &amount.to_string()];
    let output = Command::new(std::env::current_exe()?).args(words).stderr(Stdio::inherit()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    match said.trim().parse() {
        Ok(figure) if output.status.success() => Ok(figure),
        _ => {
            let what = format!("{}, {}: ended with {}, {said}", client.name(), task.name(), output.status);
            Err(Error::other(what))
        }
    }
}
