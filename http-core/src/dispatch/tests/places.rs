//! How long requests wait for a place.

use super::*;
use alloc::string::ToString;

const LONGEST: Duration = Duration::from_secs(30);

#[test]
fn a_wait_for_a_place_of_the_origin_ends_and_says_which() {
    let mut w = World::new(steady().connections_per_origin(1));
    let held = w.get();
    let connection = w.connected();
    assert_eq!(w.assigned(), (held, connection));
    w.pass(SECOND);
    let waits = w.get();
    w.quiet();
    assert_eq!(w.wait(), LONGEST);
    let (failed, failure) = w.failed();
    let cause = Cause::NoPlace { limit: PlaceLimit::PerOrigin(1), in_flight: 1 };
    assert_eq!((failed, failure.cause, failure.phase), (waits, cause, RequestPhase::Queue));
    assert_eq!((failure.why, failure.attempts, failure.safe_to_repeat), (Why::PlaceTimeout, 0, true));
    assert_eq!(
        failure.to_string(),
        "failed while waiting in the queue: the one connection of the origin is taken (`connections_per_origin`), by a \
         request in flight or a response held; not tried again, for none became free within `place_timeout`; safe to \
         repeat",
    );
    w.serve(held, connection);
    w.quiet();
    assert_eq!(w.d.queued(), 0);
}

#[test]
fn a_wait_for_a_place_among_all_connections_ends_too() {
    let mut w = World::new(steady().max_connections(2).place_timeout(SECOND * 5));
    for _ in 0..2 {
        w.get();
    }
    w.connected();
    w.connected();
    w.actions();
    w.origin = w.d.add_origin();
    let waits = w.get();
    w.quiet();
    assert_eq!(w.wait(), SECOND * 5);
    let (failed, failure) = w.failed();
    assert_eq!(failed, waits);
    assert_eq!(failure.cause, Cause::NoPlace { limit: PlaceLimit::Total(2), in_flight: 2 });
    assert_eq!(w.d.phase(w.origin), Some(OriginPhase::Disconnected), "it left the line");
    let line = failure.cause.to_string();
    assert_eq!(line, "all 2 connections are taken (`max_connections`), by 2 requests in flight or responses held");
}

#[test]
fn being_connected_and_backing_off_is_no_wait_for_a_place() {
    let mut w = World::new(steady().connections_per_origin(1).connect_timeout(None).place_timeout(SECOND * 5));
    let (first, second) = (w.get(), w.get());
    let connection = w.connect();
    w.pass(SECOND * 60);
    w.quiet();
    w.d.handle_connect_failed(connection, ConnectCause::Refused, w.now);
    w.pass(SECOND);
    w.pass(SECOND);
    let connection = w.connect();
    w.pass(SECOND * 4);
    w.d.handle_connected(connection, w.now);
    assert_eq!(w.assigned(), (first, connection));
    // From here on the second waits for a place, and for nothing else.
    let begun = w.now;
    while w.d.queued() > 0 {
        w.wait();
        if w.d.poll_action().is_some_and(|action| matches!(action, Action::Fail { request, .. } if request == second)) {
            break;
        }
    }
    assert_eq!(w.now.saturating_since(begun), SECOND * 5);
}

#[test]
fn a_request_that_meets_an_idle_connection_or_may_wait_for_ever_arms_nothing() {
    let mut w = World::new(steady().idle_timeout(None).connect_timeout(None));
    let connection = w.warm();
    let get = w.get();
    assert_eq!(w.d.poll_timeout(), None);
    assert_eq!(w.assigned(), (get, connection));
    for longest in [None, Some(Duration::MAX)] {
        let policy = steady().connections_per_origin(1).connect_timeout(None).idle_timeout(None);
        let mut w = World::new(policy.place_timeout(longest));
        let held = w.get();
        let connection = w.connected();
        assert_eq!(w.assigned(), (held, connection));
        let waits = w.get();
        assert_eq!(w.d.poll_timeout(), None);
        w.serve(held, connection);
        assert_eq!(w.assigned(), (waits, connection));
    }
}

#[test]
fn what_is_served_in_time_leaves_no_timer() {
    let mut w = World::new(steady().connections_per_origin(1).idle_timeout(None));
    let held = w.get();
    let connection = w.connected();
    w.assigned();
    let (served, cancelled) = (w.get(), w.get());
    assert!(w.d.cancel(cancelled, w.now));
    w.serve(held, connection);
    assert_eq!(w.assigned(), (served, connection));
    assert_eq!(w.d.poll_timeout(), None);
}
