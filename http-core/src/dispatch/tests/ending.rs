//! Cancelling, deadlines, and what they cost.

use super::*;

#[test]
fn a_cancel_in_flight_closes_the_connection() {
    let mut w = World::new(evhttp(0));
    let (first, second) = (w.get(), w.get());
    let connection = w.connected();
    w.assigned();
    assert!(w.d.cancel(first, w.now));
    let fresh = w.connected_after_close(connection, CloseCause::Cancelled);
    assert_eq!(w.assigned(), (second, fresh));
    w.serve(second, fresh);
    assert!(!w.d.cancel(second, w.now));
    w.quiet();
}

#[test]
fn a_cancel_before_the_driver_has_heard_of_it_costs_nothing() {
    let mut w = World::new(evhttp(0));
    let connection = w.warm();
    let (first, second) = (w.get(), w.get());
    assert!(w.d.cancel(first, w.now));
    assert_eq!(w.assigned(), (second, connection));
    w.quiet();
    let mut w = World::new(evhttp(0));
    let get = w.get();
    let connection = w.connect();
    w.d.handle_connected(connection, w.now);
    assert!(w.d.cancel(get, w.now));
    w.quiet();
    assert_eq!(w.d.state(connection), Some(ConnectionState::Idle));
}

#[test]
fn a_request_that_was_given_up_can_still_be_cancelled() {
    let mut w = World::new(evhttp(0));
    let (first, second, third) = (w.get(), w.get(), w.get());
    w.refuse();
    assert!(w.d.cancel(second, w.now));
    assert_eq!(w.failed().0, first);
    assert!(w.d.cancel(third, w.now));
    w.quiet();
    assert_eq!(w.d.queued(), 0);
}

#[test]
fn a_deadline_ends_a_request_wherever_it_is() {
    let mut w = World::new(steady().connections_per_origin(1));
    let at = |seconds| Instant::ZERO.saturating_add(SECOND * seconds);
    let in_flight = w.job(Job::new(w.origin).deadline(at(1)));
    let waiting = w.job(Job::new(w.origin).deadline(at(2)).idempotent(false));
    let connection = w.connected();
    w.assigned();
    assert_eq!(w.wait(), SECOND);
    assert_eq!(w.closed(), (connection, CloseCause::Deadline));
    let (failed, failure) = (w.connect(), w.failed()).1;
    assert_eq!((failed, failure.phase, failure.cause), (in_flight, RequestPhase::Head, Cause::Deadline));
    assert_eq!(w.wait(), SECOND);
    let (failed, failure) = w.failed();
    assert_eq!((failed, failure.phase, failure.safe_to_repeat), (waiting, RequestPhase::Connect, true));
    // One that is late already never starts.
    let late = w.job(Job::new(w.origin).deadline(at(2)));
    assert_eq!(w.failed().0, late);
    w.quiet();
}

#[test]
fn a_deadline_in_the_queue_tells_what_was_waited_for() {
    let soon = |w: &World| Job::new(w.origin).deadline(w.now.saturating_add(SECOND));
    // For the origin to come back.
    let mut w = World::new(evhttp(9));
    w.job(soon(&w));
    w.refuse();
    assert_eq!(w.wait(), SECOND);
    assert_eq!(w.failed().1.phase, RequestPhase::Connect);
    assert_eq!(w.d.poll_timeout(), None);
    // For others to be served.
    let mut w = World::new(evhttp(9));
    w.warm();
    w.get();
    w.assigned();
    w.job(soon(&w));
    assert_eq!(w.wait(), SECOND);
    assert_eq!(w.failed().1.phase, RequestPhase::Queue);
    w.quiet();
}

#[test]
fn very_many_deadlines_are_seen_to_in_turns() {
    let mut w = World::new(Policy::evhttp());
    let soon = w.now.saturating_add(SECOND);
    let many = MOST_TIMERS * 20;
    for _ in 0..many {
        w.job(Job::new(w.origin).deadline(soon));
    }
    w.connected();
    let mut calls = 0;
    while w.d.queued() > 0 {
        w.now = soon;
        w.d.handle_timeout(soon);
        let failed = w.actions().len();
        // Each deadline may let the connection pass over a few more.
        assert!(failed > 0 && failed < MOST_TIMERS * 10, "{failed}");
        calls += 1;
    }
    assert!(calls > 1);
    assert_eq!(w.d.in_flight(), 0);
}

#[test]
fn cancelling_is_quick_in_a_long_queue() {
    let mut w = World::new(Policy::evhttp());
    let requests: Vec<RequestId> = (0..100_000).map(|_| w.get()).collect();
    assert_eq!(w.d.queued(), 100_000);
    // From the middle to both ends; a search through the queue would take 5 * 10^9 steps.
    let (left, right) = requests.split_at(50_000);
    for (one, other) in left.iter().rev().zip(right) {
        assert!(w.d.cancel(*one, w.now) && w.d.cancel(*other, w.now));
    }
    assert_eq!((w.d.queued(), w.d.in_flight()), (0, 0));
    // And giving up all of them is one step, however many there are; each fails as it is polled.
    for _ in 0..100_000 {
        w.get();
    }
    w.refuse();
    assert_eq!(w.d.outputs.len(), 0);
    assert_eq!(w.actions().len(), 100_000);
}

#[test]
fn what_has_become_void_before_it_was_polled_is_not_kept() {
    let mut w = World::new(steady());
    w.warm();
    for _ in 0..100 {
        let get = w.get();
        assert!(w.d.cancel(get, w.now));
    }
    assert_eq!(w.d.outputs.len(), 0);
    for _ in 0..100 {
        let origin = w.d.add_origin();
        assert!(w.d.connect(origin, w.now));
        assert!(w.d.remove_origin(origin, w.now));
    }
    assert_eq!((w.d.outputs.len(), w.d.connections()), (0, 1));
    // A failure that was not polled can be taken back, too.
    let late = w.job(Job::new(w.origin).deadline(w.now));
    assert!(w.d.cancel(late, w.now));
    w.quiet();
}
