//! Requests through a network that kills, cuts, stalls and delays connections, in virtual time.

use tests::simulation::{Setup, Tally, run};

/// How many requests each run makes: `SIMULATION_REQUESTS`, for the patient.
fn requests() -> usize {
    std::env::var("SIMULATION_REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(5000)
}

/// `SIMULATION_SEED` for other runs.
fn seed() -> u64 {
    std::env::var("SIMULATION_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn tell(setup: Setup) -> Tally {
    println!("{setup:?}");
    let tally = run(setup);
    println!("{tally:?}");
    tally
}

#[test]
fn one_connection_that_nearly_always_breaks() {
    let tally = tell(Setup { seed: seed(), requests: requests(), connections: 1, depth: 1, harm: 100, cancels: 0 });
    assert!(tally.connections * 20 > requests(), "too quiet to prove anything");
}

#[test]
fn a_pool_whose_connections_often_break() {
    let tally = tell(Setup { seed: seed(), requests: requests(), connections: 4, depth: 1, harm: 40, cancels: 0 });
    assert!(tally.connections * 50 > requests(), "too quiet to prove anything");
    assert!(tally.claimed * 100 > requests(), "too few that take another's connection");
}

#[test]
fn pipelined_requests_on_a_connection_that_nearly_always_breaks() {
    let tally = tell(Setup { seed: seed(), requests: requests(), connections: 1, depth: 3, harm: 100, cancels: 0 });
    assert!(tally.connections * 20 > requests(), "too quiet to prove anything");
}

#[test]
fn a_network_without_harm_loses_nothing() {
    let tally = tell(Setup { seed: seed(), requests: requests(), connections: 3, depth: 2, harm: 0, cancels: 0 });
    assert_eq!((tally.complete, tally.executions), (requests(), requests()));
}

#[test]
fn pipelined_requests_of_which_many_are_cancelled() {
    for harm in [0, 40] {
        let tally = tell(Setup { seed: seed(), requests: requests(), connections: 2, depth: 4, harm, cancels: 30 });
        assert!(tally.cancelled * 20 > requests(), "too quiet to prove anything");
        if harm == 0 {
            // What is cancelled harms nobody else.
            assert_eq!(tally.complete + tally.cancelled, requests());
        }
    }
}
