//! Every order of a small alphabet of inputs, against what must hold of every machine: misuse changes nothing, a fault
//! is told once, nothing is told after the end, every request has one outcome, nobody waits without a deadline, no
//! timer is armed for nothing. What is checked stands in `tests::explore`.

use tests::explore::client::Client;
use tests::explore::dispatcher::{Dispatch, Plan, Shows};
use tests::explore::server::{Play, Server};
use tests::explore::{World, explore};

/// Explores all of `world`; fewer than `least` states mean that the alphabet has lost its letters.
fn all_of(world: impl World, least: usize) {
    match explore(world, 250_000) {
        Ok(graph) => {
            println!("{} states, {} steps", graph.states, graph.transitions);
            assert!(graph.states >= least, "only {} states", graph.states);
        }
        Err(fault) => panic!("{fault}"),
    }
}

#[test]
fn server_with_a_transport_that_takes_its_time() {
    all_of(Server::new(Play::Prompt), 5_000);
}

#[test]
fn server_with_an_application_that_commands_anything() {
    all_of(Server::new(Play::Wild), 5_000);
}

#[test]
fn server_with_events_that_are_taken_late() {
    all_of(Server::new(Play::Lazy), 5_000);
}

#[test]
fn client_with_a_transport_that_takes_its_time() {
    all_of(Client::new(Play::Prompt), 5_000);
}

#[test]
fn client_with_an_application_that_commands_anything() {
    all_of(Client::new(Play::Wild), 5_000);
}

#[test]
fn client_with_events_that_are_taken_late() {
    all_of(Client::new(Play::Lazy), 5_000);
}

#[test]
fn dispatcher_of_two_connections() {
    all_of(
        Dispatch::new(Shows::Origin, Plan { connections: 2, rare_events: false, claims: false, ..Plan::SMALL }),
        5_000,
    );
}

#[test]
fn dispatcher_whose_connections_change_hands_before_they_are_used() {
    all_of(Dispatch::new(Shows::Origin, Plan { requests: 3, rare_events: false, ..Plan::SMALL }), 5_000);
}

#[test]
fn dispatcher_with_a_circuit() {
    all_of(Dispatch::new(Shows::Origin, Plan { circuit: true, ..Plan::SMALL }), 1_000);
}

#[test]
fn dispatcher_that_pipelines() {
    all_of(Dispatch::new(Shows::Origin, Plan { depth: 2, requests: 3, claims: false, ..Plan::SMALL }), 1_000);
}

#[test]
fn dispatcher_of_two_origins_with_one_place() {
    all_of(
        Dispatch::new(Shows::Origin, Plan { origins: 2, all_connections: 1, rare_events: false, ..Plan::SMALL }),
        1_000,
    );
}

#[test]
fn dispatcher_with_deadlines_that_drains() {
    all_of(Dispatch::new(Shows::Origin, Plan { deadlines_and_drain: true, ..Plan::SMALL }), 1_000);
}

#[test]
fn dispatcher_whose_waits_for_a_place_end() {
    let plan = Plan { origins: 2, all_connections: 1, places: true, claims: false, rare_events: false, ..Plan::SMALL };
    all_of(Dispatch::new(Shows::Origin, plan), 1_000);
}

#[test]
fn dispatcher_that_keeps_more_connections_for_a_while() {
    let plan = Plan { surplus: true, connections: 2, ..Plan::SMALL };
    all_of(Dispatch::new(Shows::Origin, plan), 50);
    all_of(Dispatch::new(Shows::Origin, Plan { connections: 3, requests: 3, ..plan }), 500);
    all_of(Dispatch::new(Shows::Origin, Plan { origins: 2, all_connections: 3, ..plan }), 500);
}

/// Whoever waits is overtaken no more often in a row than the policy says: by those of its origin, and by others.
#[test]
fn dispatcher_whose_requests_overtake_each_other() {
    let plan = Plan { overtakings: true, requests: 4, all_connections: 1, ..Plan::SMALL };
    all_of(Dispatch::new(Shows::Origin, plan), 100);
    all_of(Dispatch::new(Shows::Origin, Plan { origins: 2, requests: 3, ..plan }), 1_000);
    all_of(Dispatch::new(Shows::Origin, Plan { origins: 3, requests: 3, ..plan }), 1_000);
}

#[test]
fn dispatcher_of_requests_that_are_unlike() {
    let plan = Plan { connections: 2, all_connections: 1, unlike: true, claims: false, ..Plan::SMALL };
    let plan = Plan { rare_events: false, ..plan };
    all_of(Dispatch::new(Shows::Origin, plan), 1_000);
}
