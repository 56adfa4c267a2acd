//! The fuzz targets as property tests: the same bodies, thrown the same random bytes in every run.
#![allow(clippy::std_instead_of_core)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestError, TestRunner};
use tests::fuzz;
use tests::source::Source;

/// Runs a target on random bytes: `PROPERTY_CASES` times as many as it is given here.
fn hold(cases: u32, length: usize, target: fuzz::Target) {
    let more = std::env::var("PROPERTY_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let config = ProptestConfig {
        cases: cases * more,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&vec(any::<u8>(), 0..length), |bytes| {
        target(&bytes);
        Ok(())
    });
    if let Err(TestError::Fail(why, bytes)) = result {
        panic!("{why}; the smallest input: {bytes:?}");
    }
}

/// What a server and a client saw is what was said, whatever the exchanges, the network and the order of things.
#[test]
fn pairs() {
    hold(5000, 300, fuzz::pair);
}

#[test]
fn inputs_in_any_order() {
    hold(4000, 600, fuzz::apply);
}

#[test]
fn calls_of_a_dispatcher_in_any_order() {
    hold(2000, 1000, fuzz::dispatcher);
}

#[test]
fn generated_heads() {
    hold(10_000, 200, fuzz::head_generation);
}

/// What a connection has read before changes nothing of what it reads.
#[test]
fn heads_that_are_like_the_ones_before() {
    hold(6000, 400, fuzz::head_sequence);
}

/// A response from field lines that lie somewhere else is the one that their head makes.
#[test]
fn responses_from_lines_and_from_heads() {
    hold(8000, 120, fuzz::response_lines);
}

/// So is a request.
#[test]
fn requests_from_lines_and_from_heads() {
    hold(20_000, 160, fuzz::request_lines);
}

/// What a service gets of a request is the same, whatever came before it, and whatever became of that.
#[test]
fn requests_that_follow_each_other() {
    hold(3000, 200, fuzz::requests);
}

#[test]
fn random_bytes_to_a_server() {
    hold(3000, 200, fuzz::server_bytes);
}

#[test]
fn random_bytes_to_a_client() {
    hold(3000, 200, fuzz::client_bytes);
}

#[test]
fn messages_with_faults_to_a_server() {
    hold(3000, 60, |bytes| fuzz::server_bytes(&faulty(bytes, false)));
}

#[test]
fn messages_with_faults_to_a_client() {
    hold(3000, 60, |bytes| fuzz::client_bytes(&faulty(bytes, true)));
}

/// The bytes that choose how to read, and a wire with faults.
fn faulty(bytes: &[u8], responses: bool) -> Vec<u8> {
    let mut source = Source::new(bytes);
    let mut input = source.take(if responses { 3 } else { 2 }).to_vec();
    input.extend(fuzz::mutated(&mut source, responses));
    input
}

#[test]
fn messages_with_faults_to_a_server_and_to_hyper() {
    hold(3000, 60, |bytes| fuzz::differential_server(&fuzz::mutated(&mut Source::new(bytes), false)));
}

#[test]
fn messages_with_faults_to_a_client_and_to_hyper() {
    hold(3000, 60, |bytes| {
        let mut source = Source::new(bytes);
        let mut input = source.take(1).to_vec();
        input.extend(fuzz::mutated(&mut source, true));
        fuzz::differential_client(&input);
    });
}
