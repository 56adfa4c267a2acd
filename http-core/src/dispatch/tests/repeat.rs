//! What is sent again, and what is not.

use super::*;
use alloc::vec;

#[test]
fn a_keep_alive_connection_lost_under_a_get_is_replaced_at_once() {
    let mut w = World::new(steady());
    let connection = w.warm();
    w.pass(SECOND);
    let get = w.get();
    assert_eq!(w.assigned(), (get, connection));
    w.lose(connection, &[(get, SENT)]);
    let fresh = w.connected();
    assert_eq!(w.assigned(), (get, fresh));
    w.serve(get, fresh);
    w.quiet();
}

#[test]
fn a_keep_alive_connection_lost_under_a_post_is_a_failure_that_says_all() {
    let mut w = World::new(steady());
    let connection = w.warm();
    let post = w.post();
    assert_eq!(w.assigned(), (post, connection));
    w.d.handle_lost(connection, LostCause::Reset, &[(post, SENT)], w.now);
    let (failed, failure) = w.failed();
    assert_eq!(failed, post);
    assert_eq!(failure.phase, RequestPhase::Head);
    assert_eq!(failure.cause, Cause::Lost(LostCause::Reset));
    assert_eq!((failure.attempts, failure.safe_to_repeat, failure.why), (1, false, Why::NotIdempotent));
    w.quiet();
    assert_eq!((w.d.connections(), w.d.poll_timeout()), (0, None));
}

#[test]
fn a_post_of_which_nothing_was_sent_is_sent_again() {
    let mut w = World::new(steady());
    let connection = w.warm();
    // The driver finds the connection closed as it is about to send.
    let post = w.post();
    w.assigned();
    w.lose(connection, &[(post, Progress::NOTHING)]);
    let fresh = w.connected();
    assert_eq!(w.assigned(), (post, fresh));
    // And here the connection ends before the driver has heard of the request at all.
    let third = w.post();
    let idle = w.connected();
    w.lose(idle, &[]);
    w.quiet();
    assert_eq!(w.wait(), SECOND * 2);
    let next = w.connected();
    assert_eq!(w.assigned(), (third, next));
    w.serve(post, fresh);
    w.quiet();
}

/// C21: where one kept connection was dead others may be, too; one that has answered since is not.
#[test]
fn what_needs_a_new_connection_may_go_on_one_that_has_answered_since() {
    let mut w = World::new(steady().connections_per_origin(3));
    let (first, second) = (w.get(), w.get());
    let (healthy, dead) = (w.connected(), w.connected());
    w.actions();
    w.serve(first, healthy);
    w.serve(second, dead);
    let get = w.get();
    assert_eq!(w.assigned(), (get, dead));
    w.lose(dead, &[(get, SENT)]);
    w.refuse();
    // Nobody knows better of the one that is idle.
    w.quiet();
    assert_eq!(w.d.connection_of(get), None);
    let other = w.get();
    assert_eq!(w.assigned(), (other, healthy));
    w.serve(other, healthy);
    // It works: no wait for the back-off.
    assert_eq!(w.assigned(), (get, healthy));
    w.serve(get, healthy);
    w.quiet();
    assert_eq!(w.d.state(healthy), Some(ConnectionState::Idle));
}

/// What could not be sent again avoids a connection that idled for long; once that has answered, it is as good as new.
#[test]
fn a_post_goes_on_an_old_connection_that_has_answered_since() {
    let mut w = World::new(steady().connections_per_origin(2).fresh_after_idle(SECOND));
    let old = w.warm();
    w.pass(SECOND * 2);
    let post = w.post();
    let fresh = w.connect();
    let get = w.get();
    assert_eq!(w.assigned(), (get, old));
    w.serve(get, old);
    assert_eq!(w.assigned(), (post, old));
    w.d.handle_connected(fresh, w.now);
    w.quiet();
    // Not if it has idled for long again meanwhile.
    w.serve(post, old);
    w.lose(fresh, &[]);
    w.pass(SECOND * 2);
    let post = w.post();
    let fresh = w.connected();
    assert_eq!(w.assigned(), (post, fresh));
}

/// A new connection that was lost says nothing against one that works.
#[test]
fn a_new_connection_lost_under_a_get_is_not_replaced_if_another_one_is_up() {
    let mut w = World::new(steady());
    let first = w.get();
    let working = w.connected();
    assert_eq!(w.assigned(), (first, working));
    let second = w.get();
    let broken = w.connected();
    assert_eq!(w.assigned(), (second, broken));
    w.lose(broken, &[(second, SENT)]);
    w.quiet();
    w.serve(first, working);
    assert_eq!(w.assigned(), (second, working));
    w.serve(second, working);
    w.quiet();
}

#[test]
fn what_the_driver_does_not_name_was_sent_in_full() {
    let mut w = World::new(steady());
    let connection = w.warm();
    let post = w.post();
    w.assigned();
    w.lose(connection, &[]);
    let failure = w.failed().1;
    assert_eq!((failure.phase, failure.safe_to_repeat), (RequestPhase::Head, false));
    // And a response that was reported has come, whatever the list says.
    let connection = w.warm();
    let get = w.get();
    w.assigned();
    let _ = w.d.handle_response(get, 200, w.now);
    w.lose(connection, &[(get, SENT), (post, SENT)]);
    let failure = w.failed().1;
    assert_eq!((failure.phase, failure.why, failure.safe_to_repeat), (RequestPhase::Content, Why::ResponseBegun, true));
    w.quiet();
}

#[test]
fn a_408_on_a_reused_connection_is_no_answer() {
    let mut w = World::new(steady());
    let connection = w.warm();
    let get = w.get();
    w.assigned();
    assert_eq!(w.d.handle_response(get, 408, w.now), Delivery::Discard);
    let fresh = w.connected_after_close(connection, CloseCause::RequestTimeout);
    assert_eq!(w.assigned(), (get, fresh));
    // On a new connection it is one.
    assert_eq!(w.d.handle_response(get, 408, w.now), Delivery::Deliver);
    assert!(w.d.handle_finished(get, w.now));
}

#[test]
fn a_421_is_tried_once_on_a_new_connection() {
    let mut w = World::new(steady().connections_per_origin(1));
    let post = w.post();
    let connection = w.connected();
    w.assigned();
    assert_eq!(w.d.handle_response(post, 421, w.now), Delivery::Discard);
    let fresh = w.connected_after_close(connection, CloseCause::Misdirected);
    assert_eq!(w.assigned(), (post, fresh));
    assert_eq!(w.d.handle_response(post, 421, w.now), Delivery::Deliver);
    assert!(w.d.handle_finished(post, w.now));
    assert!(!w.d.handle_finished(post, w.now));
}

#[test]
fn retry_after_is_waited_for_when_asked_for() {
    let mut w = World::new(steady().retry_after(SECOND * 10));
    let get = w.get();
    let connection = w.connected();
    w.assigned();
    let facts = StatusFacts::new(503).retry_after(SECOND * 7);
    assert_eq!(w.d.handle_response(get, facts, w.now), Delivery::Discard);
    w.d.handle_ready(connection, w.now);
    w.quiet();
    assert_eq!((w.d.queued(), w.d.in_flight()), (1, 0));
    assert_eq!(w.wait(), SECOND * 7);
    assert_eq!(w.assigned(), (get, connection));
}

#[test]
fn retries_are_bounded_by_the_budget() {
    let mut w = World::new(steady().retry_budget(Budget::new(1, 500)));
    for (lost, why) in [(1, None), (2, Some(Why::BudgetSpent))] {
        let connection = w.warm();
        let get = w.get();
        w.assigned();
        w.lose(connection, &[(get, SENT)]);
        match why {
            None => {
                let fresh = w.connected();
                w.assigned();
                // Two exchanges have earned one retry less one: the store is full before and empty after.
                assert!(w.d.cancel(get, w.now));
                assert_eq!(w.closed(), (fresh, CloseCause::Cancelled));
            }
            Some(why) => assert_eq!(w.failed().1.why, why, "{lost}"),
        }
    }
}

#[test]
fn new_connections_lost_by_several_requests_are_tried_again_as_often_as_refused_ones() {
    let mut w = World::new(steady().connections_per_origin(1).connect_retries(2));
    let posts = [w.post(), w.post()];
    let third = w.get();
    for post in posts {
        let connection = w.connected();
        assert_eq!(w.assigned(), (post, connection));
        w.lose(connection, &[(post, SENT)]);
        assert_eq!(w.failed().0, post);
        w.wait();
    }
    let connection = w.connected();
    assert_eq!(w.assigned(), (third, connection));
}

#[test]
fn a_connect_forgives_the_refusals_before_it() {
    let mut w = World::new(steady().connections_per_origin(1).connect_retries(1));
    let get = w.get();
    w.refuse();
    w.wait();
    let connection = w.connected();
    w.assigned();
    w.lose(connection, &[(get, SENT)]);
    assert_eq!(w.wait(), SECOND * 4);
    w.refuse();
    w.quiet();
    assert_eq!(w.wait(), SECOND * 8);
}

#[test]
fn a_connection_that_began_to_answer_is_no_failure_of_the_origin() {
    let mut w = World::new(steady().connections_per_origin(1));
    let get = w.get();
    let connection = w.connected();
    w.assigned();
    w.d.handle_response_started(connection, w.now);
    w.lose(connection, &[(get, SENT)]);
    // The request waits; another one need not.
    assert_eq!(w.d.phase(w.origin), Some(OriginPhase::Disconnected));
    w.get();
    w.connect();
}

#[test]
fn while_another_connection_is_up_lost_ones_exhaust_nothing() {
    let mut w = World::new(steady().connections_per_origin(2).connect_retries(0));
    let busy = w.warm();
    let first = w.get();
    w.assigned();
    let post = w.post();
    let connection = w.connected();
    assert_eq!(w.assigned(), (post, connection));
    w.lose(connection, &[(post, SENT)]);
    assert_eq!(w.failed().0, post);
    w.pass(SECOND * 10);
    let get = w.get();
    let connection = w.connected();
    assert_eq!(w.assigned(), (get, connection));
    w.lose(connection, &[(get, SENT)]);
    w.quiet();
    let third = w.get();
    w.serve(first, busy);
    assert_eq!(w.assigned(), (get, busy));
    w.serve(get, busy);
    assert_eq!(w.assigned(), (third, busy));
}

#[test]
fn exhaustion_forgets_the_failures_even_if_a_request_waits_for_its_own_time() {
    let mut w = World::new(evhttp(0).request_retries(1).retry_after(SECOND * 100));
    let patient = w.get();
    let connection = w.connected();
    w.assigned();
    let facts = StatusFacts::new(503).retry_after(SECOND * 100);
    assert_eq!(w.d.handle_response(patient, facts, w.now), Delivery::Discard);
    w.lose(connection, &[]);
    let second = w.get();
    w.refuse();
    assert_eq!(w.failed().0, second);
    // Nothing is backed off from.
    w.get();
    assert!(matches!(w.d.poll_action(), Some(Action::Connect { attempt: 1, .. })));
    assert_eq!(w.d.queued(), 2);
}

#[test]
fn an_old_back_off_is_no_wait_for_later() {
    let mut w = World::new(steady().connections_per_origin(2));
    let (first, second) = (w.get(), w.get());
    let (one, two) = (w.connected(), w.connected());
    assert_eq!([w.assigned(), w.assigned()], [(first, one), (second, two)]);
    w.lose(one, &[(first, SENT)]);
    assert!(w.d.cancel(first, w.now));
    w.now = w.now.saturating_add(SECOND * 10);
    // The second connection is of the round that has failed already, and the back-off of that is long over.
    w.lose(two, &[(second, SENT)]);
    w.quiet();
    assert_eq!(w.wait(), SECOND * 2);
    w.connect();
}

#[test]
fn time_that_runs_back_stands_still() {
    let mut w = World::new(evhttp(3));
    w.pass(SECOND * 10);
    w.now = Instant::ZERO;
    w.get();
    w.refuse();
    assert_eq!(w.d.poll_timeout(), Some(Instant::ZERO.saturating_add(SECOND * 12)));
}

#[test]
fn the_connection_used_last_serves_next() {
    let mut w = World::new(steady().connections_per_origin(2));
    let (first, second) = (w.get(), w.get());
    let (one, two) = (w.connected(), w.connected());
    assert_eq!([w.assigned(), w.assigned()], [(first, one), (second, two)]);
    w.serve(second, two);
    w.serve(first, one);
    let third = w.get();
    assert_eq!(w.assigned(), (third, one));
}

#[test]
fn what_was_never_sent_costs_no_budget_and_finished_exchanges_earn_it() {
    let mut w = World::new(steady().retry_budget(Budget::new(1, 500)).connections_per_origin(1));
    let connection = w.warm();
    let get = w.get();
    w.assigned();
    w.lose(connection, &[(get, Progress::NOTHING)]);
    let connection = w.connected();
    w.assigned();
    w.serve(get, connection);
    let mut verdicts = vec![];
    for _ in 0..4 {
        let connection = match w.d.connections.idle().front() {
            Some(connection) => connection,
            None => w.warm(),
        };
        let get = w.get();
        w.assigned();
        w.lose(connection, &[(get, SENT)]);
        match w.d.poll_action() {
            Some(Action::Connect { connection, .. }) => {
                verdicts.push("again");
                assert!(w.d.cancel(get, w.now));
                w.d.handle_connect_failed(connection, ConnectCause::Refused, w.now);
            }
            Some(Action::Fail { failure, .. }) => {
                verdicts.push("spent");
                assert_eq!(failure.why, Why::BudgetSpent);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(verdicts, ["again", "spent", "again", "spent"]);
}

#[test]
fn a_retry_for_a_response_costs_budget_too() {
    let mut w = World::new(steady().retry_budget(Budget::new(1, 0)));
    let get = w.get();
    let connection = w.connected();
    w.assigned();
    assert_eq!(w.d.handle_response(get, 421, w.now), Delivery::Discard);
    let fresh = w.connected_after_close(connection, CloseCause::Misdirected);
    w.assigned();
    w.lose(fresh, &[(get, SENT)]);
    assert_eq!(w.failed().1.why, Why::BudgetSpent);
}

#[test]
fn a_retry_does_not_hold_up_those_that_a_used_connection_can_serve() {
    let mut w = World::new(steady().connections_per_origin(2));
    let (first, second) = (w.get(), w.get());
    let (one, two) = (w.connected(), w.connected());
    w.assigned();
    w.assigned();
    w.serve(first, one);
    w.serve(second, two);
    let repeated = w.get();
    assert_eq!(w.assigned(), (repeated, two));
    w.lose(two, &[(repeated, SENT)]);
    let fresh = w.connect();
    // The other connection is not closed for it, though both places are taken: the new one is on its way.
    let other = w.get();
    assert_eq!(w.assigned(), (other, one));
    w.d.handle_connected(fresh, w.now);
    assert_eq!(w.assigned(), (repeated, fresh));
}

#[test]
fn a_request_says_how_often_it_is_tried_and_for_how_long() {
    let mut w = World::new(steady().request_retries(0));
    let stubborn = w.job(Job::new(w.origin).retries(1).retry_after(SECOND));
    let connection = w.connected();
    assert_eq!(w.assigned(), (stubborn, connection));
    let later = |wait| StatusFacts::new(503).retry_after(wait);
    assert_eq!(w.d.handle_response(stubborn, later(SECOND), w.now), Delivery::Discard);
    w.d.handle_ready(connection, w.now);
    assert_eq!(w.wait(), SECOND);
    assert_eq!(w.assigned(), (stubborn, connection));
    assert_eq!(w.d.handle_response(stubborn, later(SECOND), w.now), Delivery::Deliver, "once was what it said");
    assert!(w.d.handle_finished(stubborn, w.now));
    w.d.handle_ready(connection, w.now);
    let meek = w.job(Job::new(w.origin).retries(0));
    assert_eq!(w.assigned(), (meek, connection));
    w.lose(connection, &[(meek, SENT)]);
    assert_eq!(w.failed().1.why, Why::RetriesSpent);
}

#[test]
fn a_request_may_wait_for_a_connection_of_its_own_making() {
    let mut w = World::new(steady().connections_per_origin(1));
    let connection = w.warm();
    let fresh = w.job(Job::new(w.origin).fresh(true));
    let connection = w.connected_after_close(connection, CloseCause::Replaced);
    assert_eq!(w.assigned(), (fresh, connection));
    // Also when it is sent again.
    w.lose(connection, &[(fresh, Progress::NOTHING)]);
    let mut w = World::new(steady().connections_per_origin(2).retry_after(SECOND));
    w.warm();
    let fresh = w.job(Job::new(w.origin).fresh(true));
    let second = w.connected();
    assert_eq!(w.assigned(), (fresh, second));
}

#[test]
fn a_connection_that_ends_unanswered_beside_answers_is_no_failure_of_its_origin() {
    let mut w = World::new(steady().connections_per_origin(2));
    let (first, second) = (w.get(), w.get());
    let (a, b) = (w.connected(), w.connect());
    w.d.handle_connected(b, w.now);
    assert_eq!((w.assigned(), w.assigned()), ((first, a), (second, b)));
    w.serve(first, a);
    // One of two is mute: its request goes on another at once, and nobody waits.
    w.lose(b, &[(second, SENT)]);
    assert_eq!(w.d.phase(w.origin), Some(OriginPhase::Busy));
    assert_eq!(w.assigned(), (second, a));
    let _third = w.get();
    assert!(matches!(w.d.poll_action(), Some(Action::Connect { attempt: 1, .. })));
    assert_eq!(w.d.poll_timeout(), Some(w.now.saturating_add(SECOND * 10)));
}

#[test]
fn a_connection_whose_maker_was_dropped_is_made_again_at_once_a_few_times() {
    let mut w = World::new(steady().connect_retries(0));
    let get = w.get();
    for _ in 0..3 {
        let connection = w.connect();
        w.d.handle_connect_failed(connection, ConnectCause::Abandoned, w.now);
    }
    let connection = w.connect();
    w.d.handle_connect_failed(connection, ConnectCause::Abandoned, w.now);
    let (failed, failure) = w.failed();
    assert_eq!((failed, failure.cause), (get, Cause::Connect(ConnectCause::Abandoned)));
    assert!(ConnectCause::Abandoned.is_transient() && ConnectCause::Exhausted.is_transient());
}

#[test]
fn what_was_sent_and_not_answered_in_time_is_not_sent_again() {
    let mut w = World::new(steady());
    let get = w.get();
    let connection = w.connected();
    assert_eq!(w.assigned(), (get, connection));
    w.d.handle_lost(connection, LostCause::TimedOut, &[(get, SENT)], w.now);
    let (failed, failure) = w.failed();
    assert_eq!((failed, failure.why, failure.safe_to_repeat), (get, Why::NoAnswerInTime, true));
}

/// A proxy that closes after each answer and does not say so: the connections that were kept are dead, and none of them
/// was an attempt.
#[test]
fn kept_connections_that_were_dead_before_anything_was_sent_are_no_attempts() {
    let mut w = World::new(steady().request_retries(0).retry_budget(Budget::new(0, 0)));
    let (first, second) = (w.get(), w.get());
    let (one, other) = (w.connected(), w.connected());
    w.actions();
    w.serve(first, one);
    w.serve(second, other);
    let post = w.job(Job::new(w.origin).idempotent(false).retries(0));
    assert_eq!(w.assigned(), (post, other));
    w.lose(other, &[(post, Progress::NOTHING)]);
    let third = w.connected();
    assert_eq!(w.assigned(), (post, third));
    // A new one that ends is an attempt: it was the only one that was allowed.
    w.lose(third, &[(post, Progress::NOTHING)]);
    let (failed, failure) = w.failed();
    assert_eq!((failed, failure.why, failure.safe_to_repeat), (post, Why::RetriesSpent, true));
    // And so is one on a kept connection which something was sent on.
    let get = w.job(Job::new(w.origin).retries(0));
    assert_eq!(w.assigned(), (get, one));
    w.lose(one, &[(get, Progress { sent: Sent::HeadPartly, received: Received::Nothing })]);
    assert_eq!(w.failed().1.why, Why::RetriesSpent);
}

/// What was spared once does not lend more attempts to what follows.
#[test]
fn an_attempt_that_did_not_count_leaves_the_others_as_they_were() {
    let mut w = World::new(steady().request_retries(1));
    let kept = w.warm();
    let get = w.get();
    assert_eq!(w.assigned(), (get, kept));
    w.lose(kept, &[(get, Progress::NOTHING)]);
    for _ in 0..2 {
        let new = w.connected();
        assert_eq!(w.assigned(), (get, new));
        w.lose(new, &[(get, SENT)]);
        if w.d.poll_timeout().is_some() {
            w.wait();
        }
    }
    let (_, failure) = w.failed();
    assert_eq!((failure.why, failure.attempts), (Why::RetriesSpent, 3));
}
