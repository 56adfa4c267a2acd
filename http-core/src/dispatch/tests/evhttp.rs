//! What evhttp does with one connection and its queue, and what it gets wrong.

use super::*;
use alloc::vec;

#[test]
fn refused_then_back_off_then_the_queue_in_order() {
    let mut w = World::new(evhttp(10));
    let requests: Vec<RequestId> = (0..5).map(|n| if n % 2 == 0 { w.get() } else { w.post() }).collect();
    for seconds in [2, 4, 8] {
        w.refuse();
        w.quiet();
        assert_eq!(w.wait(), SECOND * seconds);
    }
    let connection = w.connected();
    for request in &requests {
        assert_eq!(w.assigned(), (*request, connection));
        w.quiet();
        w.serve(*request, connection);
    }
    w.quiet();
    assert_eq!(w.d.state(connection), Some(ConnectionState::Idle));
    assert_eq!((w.d.queued(), w.d.in_flight(), w.d.connections()), (0, 0, 1));
}

#[test]
fn the_back_off_doubles_up_to_an_hour() {
    let mut w = World::new(evhttp(u32::MAX));
    w.get();
    let mut waits = vec![];
    for _ in 0..14 {
        w.refuse();
        waits.push(w.wait().as_secs());
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600]);
}

#[test]
fn without_retries_a_refusal_fails_the_whole_queue_once() {
    let mut w = World::new(Policy::evhttp());
    let (first, second) = (w.get(), w.post());
    w.refuse();
    for request in [first, second] {
        let (failed, failure) = w.failed();
        assert_eq!(failed, request);
        assert_eq!(failure.phase, RequestPhase::Connect);
        assert_eq!(failure.cause, Cause::Connect(ConnectCause::Refused));
        assert_eq!((failure.attempts, failure.safe_to_repeat, failure.why), (0, true, Why::OriginSpent));
    }
    w.quiet();
    assert_eq!((w.d.queued(), w.d.poll_timeout()), (0, None));
}

/// evhttp's B1: its counter is never reset, and later requests wait for ever.
#[test]
fn after_exhaustion_later_requests_work() {
    let mut w = World::new(evhttp(1));
    w.get();
    w.refuse();
    w.wait();
    w.refuse();
    // One that comes before the failures are polled is not among them.
    let later = w.get();
    let connection = w.connect();
    w.failed();
    w.quiet();
    w.d.handle_connect_failed(connection, ConnectCause::Refused, w.now);
    assert_eq!(w.wait(), SECOND * 2);
    let connection = w.connected();
    assert_eq!(w.assigned(), (later, connection));
}

/// evhttp's B2: its retry timer stays armed.
#[test]
fn a_cancel_during_back_off_leaves_no_timer() {
    let mut w = World::new(evhttp(5));
    let (first, second) = (w.get(), w.get());
    w.refuse();
    assert!(w.d.cancel(first, w.now));
    assert!(w.d.poll_timeout().is_some());
    assert!(w.d.cancel(second, w.now));
    assert!(!w.d.cancel(second, w.now));
    assert_eq!(w.d.poll_timeout(), None);
    assert_eq!(w.d.phase(w.origin), Some(OriginPhase::Disconnected));
    w.quiet();
    // And the counter is back at its start: no waiting now, and the first wait again.
    w.get();
    w.refuse();
    assert_eq!(w.wait(), SECOND * 2);
}

#[test]
fn requests_during_back_off_are_queued_only() {
    let mut w = World::new(evhttp(5));
    let first = w.get();
    w.refuse();
    let second = w.get();
    w.quiet();
    w.wait();
    let connection = w.connected();
    assert_eq!(w.assigned(), (first, connection));
    w.serve(first, connection);
    assert_eq!(w.assigned(), (second, connection));
}

#[test]
fn a_connect_that_takes_too_long_is_given_up_and_tried_again() {
    let mut w = World::new(evhttp(1));
    w.get();
    let connection = w.connect();
    assert_eq!(w.wait(), SECOND * 45);
    assert_eq!(w.closed(), (connection, CloseCause::ConnectTimeout));
    // A late success is nobody's.
    w.d.handle_connected(connection, w.now);
    w.quiet();
    assert_eq!(w.wait(), SECOND * 2);
    w.connect();
    w.wait();
    w.closed();
    assert_eq!(w.failed().1.cause, Cause::Connect(ConnectCause::TimedOut));
}

#[test]
fn which_failed_connects_are_tried_again() {
    use ConnectCause as C;
    let rows = [
        (C::Refused, RequestPhase::Connect, true),
        (C::TimedOut, RequestPhase::Connect, true),
        (C::Unreachable, RequestPhase::Connect, true),
        (C::Reset, RequestPhase::Connect, true),
        (C::ResolveTemporary, RequestPhase::Resolve, true),
        (C::NoSuchName, RequestPhase::Resolve, false),
        (C::BadCertificate, RequestPhase::Tls, false),
        (C::Tls, RequestPhase::Tls, false),
        (C::Forbidden, RequestPhase::Connect, false),
        (C::Misconfigured, RequestPhase::Connect, false),
    ];
    for (cause, phase, again) in rows {
        let mut w = World::new(evhttp(3));
        w.get();
        let connection = w.connect();
        w.d.handle_connect_failed(connection, cause, w.now);
        assert_eq!(w.d.poll_timeout().is_some(), again, "{cause:?}");
        if !again {
            let failure = w.failed().1;
            assert_eq!((failure.phase, failure.why), (phase, Why::Permanent), "{cause:?}");
        }
        assert_eq!(cause.phase(), phase);
    }
}

/// evhttp reconnects at once, once for each request that waits.
#[test]
fn a_server_that_accepts_and_closes_is_backed_off_from() {
    let mut w = World::new(steady().connections_per_origin(1));
    let get = w.get();
    for seconds in [2, 4, 8] {
        let connection = w.connected();
        assert_eq!(w.assigned(), (get, connection));
        w.lose(connection, &[(get, SENT)]);
        w.quiet();
        assert_eq!(w.wait(), SECOND * seconds);
    }
    let connection = w.connected();
    w.assigned();
    w.lose(connection, &[(get, SENT)]);
    let (failed, failure) = w.failed();
    assert_eq!(failed, get);
    assert_eq!((failure.phase, failure.attempts, failure.why), (RequestPhase::Head, 4, Why::RetriesSpent));
    assert!(failure.safe_to_repeat);
    w.quiet();
    assert_eq!(w.d.poll_timeout(), None);
}

#[test]
fn one_request_that_kills_connections_does_not_take_its_neighbours_with_it() {
    let mut w = World::new(steady().connections_per_origin(1));
    let (poison, other) = (w.get(), w.get());
    for seconds in [2, 4, 8, 16] {
        let connection = w.connected();
        assert_eq!(w.assigned(), (poison, connection));
        w.lose(connection, &[(poison, SENT)]);
        if seconds == 16 {
            assert_eq!(w.failed().0, poison);
        }
        assert_eq!(w.wait(), SECOND * seconds);
    }
    let connection = w.connected();
    assert_eq!(w.assigned(), (other, connection));
    w.serve(other, connection);
    w.quiet();
}

#[test]
fn two_requests_that_lose_new_connections_are_enough_to_give_up() {
    let mut w = World::new(steady().connections_per_origin(1).connect_retries(1));
    let (first, second, third) = (w.post(), w.post(), w.get());
    let connection = w.connected();
    w.assigned();
    w.lose(connection, &[(first, SENT)]);
    assert_eq!(w.failed().1.why, Why::NotIdempotent);
    w.wait();
    let connection = w.connected();
    w.assigned();
    w.lose(connection, &[(second, SENT)]);
    let (failed, failure) = w.failed();
    assert_eq!((failed, failure.safe_to_repeat), (second, false));
    let (failed, failure) = w.failed();
    assert_eq!(failed, third);
    assert_eq!((failure.phase, failure.attempts, failure.safe_to_repeat), (RequestPhase::Queue, 0, true));
    assert_eq!(failure.why, Why::OriginSpent);
    assert_eq!(w.d.poll_timeout(), None);
}

#[test]
fn a_connect_alone_does_not_end_the_back_off_but_a_byte_of_a_response_does() {
    let mut w = World::new(steady().connections_per_origin(1));
    let get = w.get();
    w.refuse();
    assert_eq!(w.wait(), SECOND * 2);
    let connection = w.connected();
    w.assigned();
    w.lose(connection, &[(get, SENT)]);
    assert_eq!(w.wait(), SECOND * 4);
    let connection = w.connected();
    w.assigned();
    w.d.handle_response_started(connection, w.now);
    w.lose(connection, &[(get, SENT)]);
    // The origin answers; the wait is the request's own, for its second retry.
    assert_eq!(w.wait(), SECOND * 4);
    w.refuse();
    assert_eq!(w.wait(), SECOND * 2);
}
