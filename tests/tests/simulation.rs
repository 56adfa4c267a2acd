//! Requests through a network that kills, cuts, stalls and delays connections, in virtual time.

use std::time::Instant;

use tests::simulation::{Setup, Tally, run};

/// How many requests each run makes: `SIMULATION_REQUESTS`, for the patient.
fn requests() -> usize {
    requests_or(5000)
}

fn requests_or(usual: usize) -> usize {
    std::env::var("SIMULATION_REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// `SIMULATION_SEED` for other runs.
fn seed() -> u64 {
    std::env::var("SIMULATION_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn setup() -> Setup {
    Setup { seed: seed(), requests: requests(), ..Setup::default() }
}

fn tell(setup: Setup) -> Tally {
    println!("{setup:?}");
    let began = Instant::now();
    let tally = run(setup);
    println!("{tally:?} in {:?}", began.elapsed());
    // Judged and forgotten: a run costs no more for each request if there are more of them.
    assert!(tally.most_known < setup.at_once * 50 + requests() / 100, "known at once: {}", tally.most_known);
    assert_eq!(tally.complete + tally.failed + tally.cut + tally.cancelled, setup.requests, "no outcome");
    tally
}

#[test]
fn one_connection_that_nearly_always_breaks() {
    let tally = tell(Setup { connections: 1, depth: 1, harm: 100, ..setup() });
    assert!(tally.connections * 20 > requests(), "too quiet to prove anything");
}

#[test]
fn a_pool_whose_connections_often_break() {
    let tally = tell(Setup { connections: 4, depth: 1, harm: 40, ..setup() });
    assert!(tally.connections * 50 > requests(), "too quiet to prove anything");
    assert!(tally.claimed * 100 > requests(), "too few that take another's connection");
}

#[test]
fn pipelined_requests_on_a_connection_that_nearly_always_breaks() {
    let tally = tell(Setup { connections: 1, depth: 3, harm: 100, ..setup() });
    assert!(tally.connections * 20 > requests(), "too quiet to prove anything");
}

#[test]
fn a_network_without_harm_loses_nothing() {
    let tally = tell(Setup { connections: 3, depth: 2, ..setup() });
    assert_eq!((tally.complete, tally.executions), (requests(), requests()));
}

#[test]
fn pipelined_requests_of_which_many_are_cancelled() {
    for harm in [0, 40] {
        let tally = tell(Setup { connections: 2, depth: 4, harm, cancels: 30, ..setup() });
        assert!(tally.cancelled * 20 > requests(), "too quiet to prove anything");
        if harm == 0 {
            // What is cancelled harms nobody else.
            assert_eq!(tally.complete + tally.cancelled, requests());
        }
    }
}

#[test]
fn many_requests_at_a_time_and_all_that_a_policy_and_a_job_can_say() {
    let requests = requests_or(if cfg!(debug_assertions) { 20_000 } else { 100_000 });
    let setup = Setup { connections: 3, depth: 3, harm: 40, cancels: 20, requests, ..setup() };
    let tally = tell(Setup { origins: 6, at_once: 48, unlike: true, ..setup });
    assert!(tally.cancelled * 100 > requests, "too quiet to prove anything");
    assert!(tally.connections * 20 > requests, "too quiet to prove anything");
    assert!(tally.claimed * 100 > requests, "too few that take another's connection");
}
