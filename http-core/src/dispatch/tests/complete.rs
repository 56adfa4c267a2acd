//! Four reports in one, and connections that change hands before they are used.

use super::*;

/// Both ways of telling, from the same state: what is left and what is wanted are the same.
fn same_as_four(w: &mut World, connection: ConnectionId, request: RequestId, facts: StatusFacts, ready: bool) {
    let mut four = w.d.clone();
    let free = ready && w.d.connection_of(request) == Some(connection);
    four.handle_response_started(connection, w.now);
    let delivery = four.handle_response(request, facts, w.now);
    if delivery == Delivery::Deliver {
        four.handle_finished(request, w.now);
    }
    if ready {
        four.handle_ready(connection, w.now);
    }
    assert_eq!(w.d.handle_complete(connection, request, facts, ready, w.now), delivery);
    if free && delivery == Delivery::Discard {
        return;
    }
    assert_eq!(w.d.canonical(w.now), four.canonical(w.now), "{facts:?}, ready: {ready}");
    let actions: Vec<Action> = core::iter::from_fn(|| four.poll_action()).collect();
    assert_eq!(w.actions(), actions);
}

#[test]
fn a_response_that_is_complete_with_its_head_is_told_in_one_call() {
    for ready in [false, true] {
        for status in [100, 101, 200, 204, 408, 417, 421, 429, 503] {
            for waiting in 0..3 {
                for spent in [false, true] {
                    let policy = steady().retry_after(SECOND).connections_per_origin(1);
                    let mut w = World::new(policy.requests_per_connection(spent.then_some(2)));
                    let connection = w.warm();
                    let request = w.get();
                    assert_eq!(w.assigned(), (request, connection));
                    (0..waiting).for_each(|_| _ = w.get());
                    w.pass(SECOND / 2);
                    let facts = StatusFacts::new(status).retry_after(SECOND).expecting(status == 417);
                    same_as_four(&mut w, connection, request, facts, ready);
                }
            }
        }
    }
}

#[test]
fn c34_what_is_to_be_asked_again_goes_on_the_same_connection() {
    for (status, wait) in [(503, None), (429, Some(Duration::ZERO)), (503, Some(SECOND)), (417, None)] {
        let mut w = World::new(steady().retry_after(SECOND));
        let connection = w.warm();
        let request = w.get();
        assert_eq!(w.assigned(), (request, connection));
        let facts = StatusFacts::new(status).retry_after(Some(wait.unwrap_or_default())).expecting(status == 417);
        assert_eq!(w.d.handle_complete(connection, request, facts, true, w.now), Delivery::Discard);
        if wait == Some(SECOND) {
            w.quiet();
            w.pass(SECOND);
        }
        assert_eq!(w.assigned(), (request, connection), "{status}, {wait:?}");
        w.quiet();
        w.serve(request, connection);
    }
    // Those that say that it was the wrong connection, do not.
    let mut w = World::new(steady());
    let connection = w.warm();
    let request = w.get();
    assert_eq!(w.assigned(), (request, connection));
    assert_eq!(w.d.handle_complete(connection, request, StatusFacts::new(421), true, w.now), Delivery::Discard);
    assert_eq!(w.d.state(connection), None);
}

#[test]
fn a_response_of_an_origin_that_has_failed_is_told_in_one_call() {
    let mut w = World::new(steady().connections_per_origin(2));
    let (first, _, _) = (w.get(), w.get(), w.get());
    let (a, b) = (w.connect(), w.connect());
    w.d.handle_connect_failed(a, ConnectCause::Refused, w.now);
    w.d.handle_connected(b, w.now);
    assert_eq!(w.assigned(), (first, b));
    w.wait();
    let c = w.connected();
    let (second, on) = w.assigned();
    assert_eq!(on, c);
    same_as_four(&mut w, c, second, StatusFacts::new(200), true);
}

#[test]
fn one_that_waits_takes_the_connection_of_another_that_did_not_begin() {
    let mut w = World::new(steady().connections_per_origin(1));
    let connection = w.warm();
    let (first, second, third) = (w.get(), w.get(), w.get());
    assert_eq!(w.assigned(), (first, connection));
    assert!(w.d.handle_claim(connection, third, w.now));
    w.quiet();
    assert_eq!(w.d.connection_of(third), Some(connection));
    assert_eq!((w.d.queued(), w.d.in_flight()), (2, 1));
    // It had its turn, and the others keep theirs.
    w.serve(third, connection);
    assert_eq!(w.assigned(), (first, connection));
    assert!(w.d.handle_claim(connection, second, w.now));
    w.serve(second, connection);
    assert_eq!(w.assigned(), (first, connection));
    w.lose(connection, &[(first, SENT)]);
    let fresh = w.connected();
    assert_eq!(w.assigned(), (first, fresh));
    // The assignments that came to nothing are none of its attempts.
    w.d.handle_response_started(fresh, w.now);
    w.d.handle_lost(fresh, LostCause::Malformed, &[(first, SENT)], w.now);
    assert_eq!(w.failed().1.attempts, 2);
}

#[test]
fn an_assignment_that_was_not_polled_is_not_due_once_it_was_claimed() {
    let mut w = World::new(steady().connections_per_origin(1));
    let connection = w.warm();
    let (first, second) = (w.get(), w.get());
    assert!(w.d.handle_claim(connection, second, w.now));
    w.quiet();
    w.serve(second, connection);
    assert_eq!(w.assigned(), (first, connection));
}

#[test]
fn what_is_claimed_is_what_would_have_been_given() {
    // What needs a fresh one takes one that nothing was sent on, and no other.
    for served in [false, true] {
        let mut w = World::new(steady().connections_per_origin(1));
        if served {
            w.warm();
        }
        let first = w.get();
        let fresh = w.job(Job::new(w.origin).fresh(true));
        let connection = if served { w.assigned().1 } else { w.connected() };
        assert_eq!(w.d.connection_of(first), Some(connection));
        assert_eq!(w.d.handle_claim(connection, fresh, w.now), !served);
    }
    // What is not idempotent does not take one that has idled for too long.
    for late in [false, true] {
        let mut w = World::new(steady().connections_per_origin(1).fresh_after_idle(SECOND));
        let connection = w.warm();
        w.pass(if late { SECOND * 2 } else { SECOND });
        let (get, post) = (w.get(), w.post());
        assert_eq!(w.assigned(), (get, connection));
        assert_eq!(w.d.handle_claim(connection, post, w.now), !late);
    }
}

#[test]
fn what_is_not_to_be_claimed_stays_where_it_is() {
    let mut w = World::new(steady().connections_per_origin(1));
    let connection = w.warm();
    let (first, second) = (w.get(), w.get());
    let late = w.job(Job::new(w.origin).deadline(w.now.saturating_add(SECOND)));
    let origin = core::mem::replace(&mut w.origin, w.d.add_origin());
    let elsewhere = w.get();
    w.origin = origin;
    let _ = w.actions();
    let before = w.d.canonical(w.now);
    for (connection, request) in [
        (connection, first),
        (connection, elsewhere),
        (connection, RequestId::from_u64(99)),
        (ConnectionId::from_u64(99), second),
    ] {
        assert!(!w.d.handle_claim(connection, request, w.now));
        assert_eq!(w.d.canonical(w.now), before);
    }
    w.now = w.now.saturating_add(SECOND);
    assert!(!w.d.handle_claim(connection, late, w.now));
    // The other has been answered.
    assert_eq!(w.d.handle_response(first, 200, w.now), Delivery::Deliver);
    assert!(!w.d.handle_claim(connection, second, w.now));
    assert!(w.d.handle_finished(first, w.now));
}
