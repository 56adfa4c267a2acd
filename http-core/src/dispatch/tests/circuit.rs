//! The circuit breaker.

use super::*;

fn breaking() -> Policy {
    steady().connections_per_origin(2).connect_retries(0).circuit(Circuit::new(2, SECOND * 10))
}

/// Two failures, of two requests that fail of them.
fn broken() -> World {
    let mut w = World::new(breaking());
    for _ in 0..2 {
        w.get();
        w.refuse();
        assert_eq!(w.failed().1.why, Why::OriginSpent);
    }
    w
}

#[test]
fn it_opens_after_failures_in_a_row_and_fails_what_comes_at_once() {
    let mut w = broken();
    let until = w.now.saturating_add(SECOND * 10);
    assert_eq!(w.d.phase(w.origin), Some(OriginPhase::CircuitOpen { until, failures: 2 }));
    let request = w.post();
    let (failed, failure) = w.failed();
    assert_eq!((failed, failure.why, failure.safe_to_repeat), (request, Why::CircuitOpen, true));
    assert_eq!((failure.phase, failure.cause), (RequestPhase::Connect, Cause::Connect(ConnectCause::Refused)));
    assert!(!w.d.connect(w.origin, w.now), "no warming up either");
    w.quiet();
    assert_eq!(w.d.poll_timeout(), None, "nobody waits, so no timer is armed");
}

#[test]
fn one_probe_goes_through_and_closes_it_with_the_first_byte() {
    let mut w = broken();
    w.pass(SECOND * 10);
    let (first, second) = (w.get(), w.get());
    let probe = w.connected();
    assert_eq!(w.assigned(), (first, probe));
    w.quiet();
    w.d.handle_response_started(probe, w.now);
    let other = w.connected();
    assert_eq!(w.assigned(), (second, other));
}

#[test]
fn a_probe_that_fails_opens_it_again_for_all_that_waited() {
    let mut w = World::new(breaking().connect_retries(5));
    let first = w.get();
    w.refuse();
    w.wait();
    w.refuse();
    assert_eq!(w.failed().0, first, "the circuit is narrower than the attempts");
    w.pass(SECOND * 10);
    let waiting = [w.get(), w.get()];
    w.refuse();
    for request in waiting {
        let (failed, failure) = w.failed();
        assert_eq!((failed, failure.why), (request, Why::CircuitOpen));
    }
    let again = w.get();
    assert_eq!(w.failed().0, again);
    // Accepting and closing is failing, too.
    w.pass(SECOND * 10);
    let get = w.get();
    let probe = w.connected();
    w.assigned();
    w.lose(probe, &[(get, SENT)]);
    assert_eq!(w.failed().1.cause, Cause::Lost(LostCause::Eof));
    assert!(matches!(w.d.phase(w.origin), Some(OriginPhase::CircuitOpen { failures: 4, .. })));
}

#[test]
fn a_connection_that_is_up_serves_while_it_is_open() {
    let mut w = World::new(breaking().connect_retries(5));
    let up = w.warm();
    let first = w.get();
    assert_eq!(w.assigned(), (first, up));
    let second = w.get();
    w.refuse();
    w.d.handle_timeout(w.now);
    w.pass(SECOND * 2);
    w.refuse();
    w.quiet();
    w.serve(first, up);
    assert_eq!(w.assigned(), (second, up));
    let third = w.get();
    w.quiet();
    // With its end nothing is left that could serve.
    w.lose(up, &[(second, SENT)]);
    let failed: BTreeSet<_> = [w.failed().0, w.failed().0].into();
    assert_eq!(failed, [second, third].into());
}

#[test]
fn a_probe_that_is_given_up_leaves_room_for_another() {
    let mut w = broken();
    w.pass(SECOND * 10);
    let first = w.get();
    let probe = w.connect();
    w.d.cancel(first, w.now);
    w.quiet();
    w.d.handle_connect_failed(probe, ConnectCause::Refused, w.now);
    let get = w.get();
    assert_eq!(w.failed().0, get, "it opened again");
    w.pass(SECOND * 10);
    assert!(w.d.connect(w.origin, w.now), "warming up may probe");
    assert!(!w.d.connect(w.origin, w.now), "once");
    let probe = w.connected();
    let get = w.get();
    assert_eq!(w.assigned(), (get, probe));
    w.serve(get, probe);
    assert_eq!(w.d.phase(w.origin), Some(OriginPhase::Idle));
}

#[test]
fn those_that_were_being_made_when_it_opened_may_still_serve() {
    let mut w = World::new(breaking().connect_retries(5).circuit(Circuit::new(1, SECOND * 10)));
    let (first, second) = (w.get(), w.get());
    let (one, two) = (w.connect(), w.connect());
    w.d.handle_connect_failed(one, ConnectCause::Refused, w.now);
    w.quiet();
    w.d.handle_connected(two, w.now);
    assert_eq!(w.assigned(), (first, two));
    w.serve(first, two);
    assert_eq!(w.assigned(), (second, two));
}

#[test]
fn a_probe_closes_it_though_the_failures_were_forgotten_meanwhile() {
    let mut w = World::new(breaking().connect_retries(5).idle_per_origin(1).surplus_timeout(Duration::ZERO));
    let up = w.warm();
    let first = w.get();
    assert_eq!(w.assigned(), (first, up));
    let second = w.get();
    w.refuse();
    w.pass(SECOND * 2);
    w.refuse();
    w.pass(SECOND * 10);
    let probe = w.connect();
    // Nobody waits any more, so how often it failed is forgotten, but not that the circuit is to be tried.
    w.d.cancel(second, w.now);
    w.serve(first, up);
    w.quiet();
    w.d.handle_connected(probe, w.now);
    assert_eq!(w.closed(), (up, CloseCause::Surplus));
    let third = w.get();
    assert_eq!(w.assigned(), (third, probe));
    let fourth = w.get();
    w.quiet();
    w.d.handle_response_started(probe, w.now);
    let other = w.connected();
    assert_eq!(w.assigned(), (fourth, other));
}
