//! Somebody else's applications: an axum application served by this engine and by `axum::serve`, one line apart, and a
//! stack of tower layers on async-std beside hyper. The same bytes go to both, and what comes back is compared head by
//! head and octet by octet.
//!
//! What differs stands in `agreed.rs` with its reason. A difference that is not on the list fails, and so does a line
//! that is not needed any more. The rules of `rules.rs` hold for ours whatever the other server does.

mod agreed;
mod application;
mod compare;
mod moved;
mod odd;
mod programs;
mod reader;
mod requests;
mod rules;
mod servers;
mod sockets;
mod talk;
mod tower_stack;

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use agreed::Run;
use compare::{Difference, compare};
use requests::Row;
use servers::Pair;
use talk::{PATIENCE, talk};

/// Talks to both servers about all of these, some at a time, and returns what is not the same.
fn differences(rows: &[Row], servers: &Pair) -> Vec<Difference> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(vec![]));
    std::thread::scope(|scope| {
        for _ in 0..48 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (ours, theirs) = std::thread::scope(|both| {
                        let theirs = both.spawn(|| talk(servers.theirs, &row.steps, &row.methods));
                        (talk(servers.ours, &row.steps, &row.methods), theirs.join().unwrap())
                    });
                    let mut differences = compare(&row.name, &ours, &theirs);
                    differences.extend(rules::broken(row, &ours));
                    found.lock().unwrap().extend(differences);
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    let place = |row: &str| rows.iter().position(|other| other.name == row);
    found.sort_by_key(|difference| place(&difference.row));
    found
}

/// Keeps panics that are wanted from being printed, each with its backtrace.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !told(info.payload()).contains("on purpose") {
                print(info);
            }
        }));
    });
}

fn told(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default()
}

/// Connections of ours that outlive their clients: whatever became of an exchange, its place is free.
fn held(servers: &Pair) -> Option<Difference> {
    let until = Instant::now() + PATIENCE;
    while servers.count.connections() > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    let held = servers.count.connections();
    let [row, what, ours, theirs] = ["(all)".to_owned(), "held".to_owned(), held.to_string(), "0".to_owned()];
    (held > 0).then_some(Difference { row, at: 0, what, ours, theirs })
}

/// Holds what differs to the list.
fn check(run: Run, rows: &[Row], servers: &Pair) {
    hush();
    let mut found = differences(rows, servers);
    found.extend(held(servers));
    let (found, stale) = agreed::sift(run, found);
    let told: Vec<_> = found
        .iter()
        .map(|difference| format!("differs: {difference}"))
        .chain(stale.into_iter().map(|line| format!("agreed, and not needed: {line}")))
        .collect();
    assert!(told.is_empty(), "{} things to look at:\n{}", told.len(), told.join("\n"));
}

#[test]
fn an_axum_application_answers_as_under_axum_serve() {
    check(Run::Axum, &requests::rows(), &servers::axum());
}

#[test]
fn a_stack_of_tower_layers_answers_on_async_std_as_under_hyper() {
    let applies = |row: &Row| row.path().is_some_and(tower_stack::knows) && !row.has_other_protocol();
    let rows: Vec<_> = requests::rows().into_iter().filter(applies).collect();
    check(Run::Tower, &rows, &servers::tower());
}
