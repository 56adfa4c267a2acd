//! The order of the queue, several connections, several origins.

use super::*;

#[test]
fn priorities_first_then_order_of_arrival() {
    let mut w = World::new(Policy::evhttp());
    let low = w.job(Job::new(w.origin).priority(1));
    let (first, second) = (w.get(), w.get());
    let high = w.job(Job::new(w.origin).priority(255));
    let connection = w.connected();
    for request in [high, first, second, low] {
        assert_eq!(w.assigned(), (request, connection));
        w.serve(request, connection);
    }
}

#[test]
fn the_queue_is_bounded_and_failures_count_until_they_are_polled() {
    let mut w = World::new(Policy::evhttp().max_queue(2));
    w.get();
    w.get();
    assert_eq!(w.d.enqueue(Job::new(w.origin), w.now), Err(Refused::QueueFull));
    w.refuse();
    assert_eq!(w.d.enqueue(Job::new(w.origin), w.now), Err(Refused::QueueFull));
    w.failed();
    let unknown = Job::new(OriginId::from_u64(77));
    assert_eq!(w.d.enqueue(unknown, w.now), Err(Refused::UnknownOrigin));
}

#[test]
fn connections_up_to_the_limit_and_the_first_free_one_serves() {
    let mut w = World::new(steady().connections_per_origin(2));
    let (first, second, third) = (w.get(), w.get(), w.get());
    let (one, two) = (w.connect(), w.connect());
    w.quiet();
    w.d.handle_connected(two, w.now);
    assert_eq!(w.assigned(), (first, two));
    w.d.handle_connected(one, w.now);
    assert_eq!(w.assigned(), (second, one));
    w.serve(second, one);
    assert_eq!(w.assigned(), (third, one));
    assert_eq!(w.d.phase(w.origin), Some(OriginPhase::Busy));
}

#[test]
fn a_new_connection_is_raced_against_a_busy_one() {
    let mut w = World::new(steady());
    let busy = w.warm();
    let first = w.get();
    w.assigned();
    let second = w.get();
    let racing = w.connect();
    w.serve(first, busy);
    assert_eq!(w.assigned(), (second, busy));
    w.d.handle_connected(racing, w.now);
    w.quiet();
    assert_eq!(w.d.state(racing), Some(ConnectionState::Idle));
    // It may have grown old without having served: the loss is not the origin's failure.
    w.pass(SECOND);
    let third = w.get();
    assert_eq!(w.assigned(), (third, racing));
    w.lose(racing, &[(third, SENT)]);
    w.connect();
}

#[test]
fn connections_that_fail_together_count_once_and_one_alone_probes() {
    let mut w = World::new(steady().connections_per_origin(3));
    for _ in 0..3 {
        w.get();
    }
    let all = [w.connect(), w.connect(), w.connect()];
    for connection in all {
        w.d.handle_connect_failed(connection, ConnectCause::Refused, w.now);
    }
    w.quiet();
    assert_eq!(w.wait(), SECOND * 2);
    let probe = w.connect();
    w.quiet();
    w.d.handle_connected(probe, w.now);
    w.assigned();
    // It took one request; the next probe tries for the second, and the first answer lets all go on.
    w.connect();
    w.quiet();
    w.d.handle_response_started(probe, w.now);
    w.connect();
}

/// A connection that is busy for who knows how long is no hope: who waits fails after the connects that are allowed.
#[test]
fn while_another_connection_is_busy_exhaustion_fails_what_waits() {
    for retries in 0..3 {
        let mut w = World::new(steady().connections_per_origin(2).connect_retries(retries));
        let busy = w.warm();
        let endless = w.get();
        assert_eq!(w.assigned(), (endless, busy));
        // Whoever comes later begins anew, and fares the same.
        for _ in 0..3 {
            let waits = w.get();
            for tried in 0..=retries {
                w.refuse();
                if tried < retries {
                    w.quiet();
                    w.wait();
                }
            }
            let (failed, failure) = w.failed();
            assert_eq!((failed, failure.why, failure.safe_to_repeat), (waits, Why::OriginSpent, true));
            assert_eq!(failure.cause, Cause::Connect(ConnectCause::Refused));
            w.quiet();
        }
        w.serve(endless, busy);
        assert_eq!(w.d.phase(w.origin), Some(OriginPhase::Idle));
    }
}

/// But one that has answered since the connection was begun that could not be made will soon be free again.
#[test]
fn while_another_connection_answers_exhaustion_fails_only_what_needs_a_new_one() {
    let mut w = World::new(steady().connections_per_origin(3).connect_retries(0));
    let busy = w.warm();
    let first = w.get();
    w.assigned();
    let second = w.get();
    let one = w.connect();
    let fresh = w.job(Job::new(w.origin).fresh(true));
    let other = w.connect();
    w.d.handle_response_started(busy, w.now);
    w.d.handle_connect_failed(one, ConnectCause::Refused, w.now);
    assert_eq!(w.failed().0, fresh);
    w.d.handle_connect_failed(other, ConnectCause::Refused, w.now);
    w.quiet();
    w.serve(first, busy);
    assert_eq!(w.assigned(), (second, busy));
    w.serve(second, busy);
    w.quiet();
    assert_eq!(w.d.phase(w.origin), Some(OriginPhase::Idle));
}

#[test]
fn a_place_is_taken_from_the_connection_that_was_idle_longest() {
    let mut w = World::new(steady().max_connections(2));
    let old = w.warm();
    let first = w.origin;
    w.pass(SECOND);
    w.origin = w.d.add_origin();
    let newer = w.warm();
    w.pass(SECOND);
    w.origin = w.d.add_origin();
    w.get();
    assert_eq!(w.closed(), (old, CloseCause::Evicted));
    let third = w.connected();
    w.assigned();
    assert_eq!(w.d.connections(), 2);
    // Now nothing is to be had but the one; then it is in line, and served before younger requests.
    w.origin = first;
    let waits = w.get();
    assert_eq!(w.closed(), (newer, CloseCause::Evicted));
    let connection = w.connected();
    assert_eq!(w.assigned(), (waits, connection));
    w.origin = w.d.add_origin();
    let in_line = w.get();
    w.quiet();
    assert_eq!(w.d.phase(w.origin), Some(OriginPhase::InLine));
    let younger = w.job(Job::new(first));
    w.serve(waits, connection);
    assert_eq!(w.closed(), (connection, CloseCause::Evicted));
    let connection = w.connected();
    assert_eq!(w.assigned(), (in_line, connection));
    assert_eq!(w.d.connection_of(younger), None);
    assert_eq!(w.d.state(third), Some(ConnectionState::Busy));
}

#[test]
fn idle_connections_are_dropped_when_they_end_and_closed_when_they_are_old() {
    let mut w = World::new(steady().lifetime(SECOND * 100));
    let connection = w.warm();
    w.lose(connection, &[]);
    w.quiet();
    assert_eq!((w.d.connections(), w.d.poll_timeout()), (0, None));
    let connection = w.warm();
    assert_eq!(w.wait(), SECOND * 90);
    assert_eq!(w.closed(), (connection, CloseCause::Idle));
    let connection = w.warm();
    w.pass(SECOND * 60);
    let get = w.get();
    w.assigned();
    w.serve(get, connection);
    assert_eq!(w.wait(), SECOND * 40);
    assert_eq!(w.closed(), (connection, CloseCause::Lifetime));
}

#[test]
fn a_connection_whose_time_is_up_is_not_used_though_the_timer_is_late() {
    let mut w = World::new(steady());
    let connection = w.warm();
    w.now = w.now.saturating_add(SECOND * 90);
    let get = w.get();
    let fresh = w.connected_after_close(connection, CloseCause::Idle);
    assert_eq!(w.assigned(), (get, fresh));
}

#[test]
fn hints_of_the_peer_are_obeyed() {
    let mut w = World::new(steady());
    let connection = w.warm();
    w.d.handle_keep_alive(connection, Some(SECOND * 5), Some(1));
    assert_eq!(w.wait(), SECOND * 4);
    assert_eq!(w.closed(), (connection, CloseCause::Idle));
    let connection = w.warm();
    w.d.handle_keep_alive(connection, None, Some(1));
    let get = w.get();
    w.assigned();
    w.serve(get, connection);
    assert_eq!(w.closed(), (connection, CloseCause::RequestLimit));
}

#[test]
fn the_policy_bounds_requests_per_connection_and_idle_ones() {
    let mut w = World::new(steady().requests_per_connection(1));
    let get = w.get();
    let connection = w.connected();
    w.assigned();
    w.serve(get, connection);
    assert_eq!(w.closed(), (connection, CloseCause::RequestLimit));
    let mut w = World::new(steady().idle_per_origin(1).surplus_timeout(Duration::ZERO));
    let (first, second) = (w.get(), w.get());
    let (one, two) = (w.connected(), w.connected());
    let assigned = [w.assigned(), w.assigned()];
    assert_eq!(assigned, [(first, one), (second, two)]);
    w.serve(first, one);
    w.serve(second, two);
    assert_eq!(w.closed(), (one, CloseCause::Surplus));
}

/// So many requests at a time, on connections that are there or are made: how many were made.
fn burst(w: &mut World, requests: usize) -> usize {
    let mut made = 0;
    let mut waiting: Vec<RequestId> = (0..requests).map(|_| w.get()).collect();
    let mut on = Vec::new();
    while !waiting.is_empty() {
        match w.d.poll_action() {
            Some(Action::Connect { connection, .. }) => {
                made += 1;
                w.d.handle_connected(connection, w.now);
            }
            Some(Action::Assign { request, connection }) => {
                waiting.retain(|waits| *waits != request);
                on.push((request, connection));
            }
            other => panic!("{other:?}"),
        }
    }
    on.into_iter().for_each(|(request, connection)| w.serve(request, connection));
    made
}

#[test]
fn what_is_above_the_limit_is_closed_once_it_has_idled_for_a_while_the_eldest_first() {
    let mut w = World::new(steady().idle_per_origin(1).surplus_timeout(SECOND));
    let requests = [w.get(), w.get(), w.get()];
    let all = [w.connected(), w.connected(), w.connected()];
    for (request, connection) in requests.into_iter().zip(all) {
        assert_eq!(w.assigned(), (request, connection));
    }
    // They are given back one after the other, and each has its time.
    for (request, connection) in requests.into_iter().zip(all) {
        w.serve(request, connection);
        w.quiet();
        w.now = w.now.saturating_add(SECOND / 4);
    }
    for connection in &all[..2] {
        assert_eq!(w.wait(), SECOND / 4);
        assert_eq!(w.closed(), (*connection, CloseCause::Surplus));
        w.quiet();
    }
    assert_eq!(w.wait(), SECOND * 90 - SECOND * 3 / 4);
    assert_eq!(w.closed(), (all[2], CloseCause::Idle));
    assert_eq!(w.d.poll_timeout(), None);
}

#[test]
fn a_burst_finds_the_connections_of_the_last_one() {
    for (size, keep) in [(1, 1), (2, 1), (8, 2), (100, 32)] {
        let mut w = World::new(steady().idle_per_origin(keep).surplus_timeout(SECOND));
        assert_eq!(burst(&mut w, size), size);
        for _ in 0..20 {
            w.quiet();
            w.pass(SECOND * 99 / 100);
            assert_eq!((w.d.idle(), burst(&mut w, size)), (size, 0));
        }
        // A smaller one keeps what it uses.
        w.pass(SECOND / 2);
        assert_eq!(burst(&mut w, 1), 0);
        w.pass(SECOND / 2);
        assert_eq!((w.actions().len(), w.d.idle()), (size - keep, keep));
        w.pass(SECOND * 80);
        assert_eq!(w.d.idle(), keep);
    }
}

#[test]
fn what_idles_above_the_limit_gives_its_place_to_another_origin() {
    let mut w = World::new(steady().idle_per_origin(1).surplus_timeout(SECOND).max_connections(3));
    assert_eq!(burst(&mut w, 3), 3);
    let eldest = w.d.connections.idle().front().unwrap();
    w.origin = w.d.add_origin();
    w.get();
    assert_eq!(w.closed(), (eldest, CloseCause::Evicted));
    w.connected();
    w.pass(SECOND);
    assert_eq!((w.d.connections(), w.d.idle()), (2, 1));
}

#[test]
fn a_surplus_whose_timer_is_late_serves_and_for_ever_is_for_ever() {
    let mut w = World::new(steady().idle_per_origin(1).surplus_timeout(SECOND));
    assert_eq!(burst(&mut w, 2), 2);
    w.now = w.now.saturating_add(SECOND * 2);
    assert_eq!((burst(&mut w, 2), w.d.idle()), (0, 2));
    let mut w = World::new(steady().idle_per_origin(1).surplus_timeout(Duration::MAX));
    assert_eq!(burst(&mut w, 2), 2);
    assert_eq!(w.wait(), SECOND * 90);
    assert!(w.actions().iter().all(|action| matches!(action, Action::Close { cause: CloseCause::Idle, .. })));
    assert_eq!(w.d.poll_timeout(), None);
}

/// Whoever keeps no connection closes each when it is given back.
#[test]
fn where_none_is_kept_none_is_a_surplus() {
    let mut w = World::new(steady().idle_per_origin(0));
    let get = w.get();
    let connection = w.connected();
    assert_eq!(w.assigned(), (get, connection));
    w.serve(get, connection);
    assert_eq!(w.closed(), (connection, CloseCause::Surplus));
    assert_eq!((w.d.connections(), w.d.poll_timeout()), (0, None));
}

#[test]
fn a_post_avoids_a_connection_that_was_idle_if_told_so() {
    let mut w = World::new(steady().fresh_after_idle(SECOND));
    let connection = w.warm();
    w.pass(SECOND * 2);
    let (post, get) = (w.post(), w.get());
    let fresh = w.connect();
    assert_eq!(w.assigned(), (get, connection));
    w.d.handle_connected(fresh, w.now);
    assert_eq!(w.assigned(), (post, fresh));
    // Where there is room for one connection only, the old one is replaced.
    let mut w = World::new(steady().fresh_after_idle(SECOND).connections_per_origin(1));
    let connection = w.warm();
    w.pass(SECOND * 2);
    let post = w.post();
    let fresh = w.connected_after_close(connection, CloseCause::Replaced);
    assert_eq!(w.assigned(), (post, fresh));
}

#[test]
fn a_connection_can_be_made_before_there_is_a_request() {
    let mut w = World::new(steady().connections_per_origin(1));
    assert!(w.d.connect(w.origin, w.now));
    assert!(!w.d.connect(w.origin, w.now));
    w.refuse();
    w.quiet();
    assert_eq!(w.d.poll_timeout(), None);
    assert!(w.d.connect(w.origin, w.now));
    let connection = w.connected();
    let get = w.get();
    assert_eq!(w.assigned(), (get, connection));
}

#[test]
fn pipelining_is_for_idempotent_requests_on_proven_connections() {
    let mut w = World::new(steady().connections_per_origin(1).pipeline_depth(3));
    let (first, second) = (w.get(), w.get());
    let connection = w.connected();
    assert_eq!(w.assigned(), (first, connection));
    w.d.handle_ready(connection, w.now);
    w.quiet();
    w.serve(first, connection);
    assert_eq!(w.assigned(), (second, connection));
    w.d.handle_ready(connection, w.now);
    let third = w.get();
    assert_eq!(w.assigned(), (third, connection));
    w.d.handle_ready(connection, w.now);
    let post = w.post();
    w.quiet();
    // Lost under both: both are sent again, in order, and none behind another straight away (RFC 9112 §9.3.2).
    w.lose(connection, &[(second, SENT), (third, SENT)]);
    let connection = w.connected();
    assert_eq!(w.assigned(), (second, connection));
    w.d.handle_response_started(connection, w.now);
    w.d.handle_ready(connection, w.now);
    w.quiet();
    // That connection has answered since it was lost under the third: no other is needed.
    w.serve(second, connection);
    assert_eq!(w.assigned(), (third, connection));
    w.serve(third, connection);
    assert_eq!(w.assigned(), (post, connection));
}

#[test]
fn what_was_taken_in_before_goes_to_another_origin_while_draining() {
    let mut w = World::new(steady());
    let first = w.get();
    w.d.drain(w.now);
    let other = w.d.add_origin();
    let again = Job::new(other).readmitted(true);
    assert!(w.d.cancel(first, w.now));
    let moved = w.d.enqueue(again, w.now).unwrap();
    assert!(!w.d.is_drained());
    assert_eq!(w.d.enqueue(Job::new(other), w.now), Err(Refused::Draining));
    assert!(w.d.cancel(moved, w.now));
}

#[test]
fn draining_serves_what_waits_and_closes_the_rest() {
    let mut w = World::new(steady().connections_per_origin(1));
    let (first, second) = (w.get(), w.get());
    let connection = w.connected();
    w.assigned();
    w.d.drain(w.now);
    assert_eq!(w.d.enqueue(Job::new(w.origin), w.now), Err(Refused::Draining));
    w.serve(first, connection);
    assert_eq!(w.assigned(), (second, connection));
    assert!(!w.d.is_drained());
    w.serve(second, connection);
    assert_eq!(w.closed(), (connection, CloseCause::Drained));
    assert!(w.d.is_drained());
    assert_eq!(w.d.poll_timeout(), None);
}

#[test]
fn an_origin_can_be_removed_when_it_has_no_requests() {
    let mut w = World::new(steady());
    let get = w.get();
    assert!(!w.d.remove_origin(w.origin, w.now));
    assert!(w.d.cancel(get, w.now));
    let connection = w.connect();
    assert!(w.d.remove_origin(w.origin, w.now));
    assert_eq!(w.closed(), (connection, CloseCause::Drained));
    assert_eq!((w.d.poll_timeout(), w.d.phase(w.origin)), (None, None));
    assert!(!w.d.remove_origin(w.origin, w.now));
}

#[test]
fn jitter_comes_from_the_random_number_that_was_given() {
    let wait = |random: Option<u64>| {
        let mut w = World::new(Policy::default().connect_retries(3));
        if let Some(random) = random {
            w.d.handle_random(random);
        }
        w.get();
        w.refuse();
        w.wait()
    };
    assert_eq!(wait(None), SECOND * 2);
    assert_eq!(wait(Some(1)), wait(Some(1)));
    assert_ne!(wait(Some(1)), wait(Some(2)));
    assert!(wait(Some(1)) >= Duration::from_millis(1600));
}

/// A proven connection with so many GETs on it, and room behind them.
fn pipeline(w: &mut World, many: usize) -> (ConnectionId, Vec<RequestId>) {
    let connection = w.warm();
    let mut on = Vec::new();
    for _ in 0..many {
        on.push(w.get());
        assert_eq!(w.assigned(), (on[on.len() - 1], connection));
        w.d.handle_ready(connection, w.now);
    }
    (connection, on)
}

#[test]
fn what_cannot_be_sent_again_is_not_pipelined() {
    let mut w = World::new(steady().connections_per_origin(1).pipeline_depth(9));
    let (connection, on) = pipeline(&mut w, 1);
    let stream = w.job(Job::new(w.origin).replayable(false));
    w.quiet();
    w.serve(on[0], connection);
    assert_eq!(w.assigned(), (stream, connection));
}

#[test]
fn a_request_behind_others_is_cancelled_or_late_without_harm_to_them() {
    for late in [false, true] {
        let mut w = World::new(steady().connections_per_origin(1).pipeline_depth(9).request_retries(0));
        let (connection, on) = pipeline(&mut w, 1);
        let gone = w.job(Job::new(w.origin).deadline(w.now.saturating_add(SECOND)));
        assert_eq!(w.assigned(), (gone, connection));
        w.d.handle_ready(connection, w.now);
        assert_eq!(w.d.handle_response(on[0], 200, w.now), Delivery::Deliver);
        if late {
            w.pass(SECOND);
            assert_eq!(w.failed().1.cause, Cause::Deadline);
        } else {
            assert!(w.d.cancel(gone, w.now));
        }
        w.quiet();
        // Its response is owed: nothing follows until that is read, and the driver says so.
        let next = w.post();
        w.quiet();
        assert!(w.d.handle_finished(on[0], w.now));
        w.quiet();
        assert_eq!(w.d.state(connection), Some(ConnectionState::Busy));
        w.d.handle_ready(connection, w.now);
        assert_eq!(w.assigned(), (next, connection), "late: {late}");
    }
}

#[test]
fn a_connection_that_is_ended_for_one_request_costs_the_others_no_retry() {
    // No retries at all: what is sent again is none.
    let mut w = World::new(steady().connections_per_origin(1).pipeline_depth(9).request_retries(0));
    let (connection, on) = pipeline(&mut w, 3);
    assert!(w.d.cancel(on[0], w.now));
    let connection = w.connected_after_close(connection, CloseCause::Cancelled);
    assert_eq!(w.assigned(), (on[1], connection));
    w.quiet();
    w.serve(on[1], connection);
    // On the same one, since nothing was wrong with the other; and it is the first try of its own.
    assert_eq!(w.assigned(), (on[2], connection));
    w.lose(connection, &[(on[2], SENT)]);
    let (failed, failure) = w.failed();
    assert_eq!((failed, failure.attempts, failure.why), (on[2], 2, Why::RetriesSpent));
}

#[test]
fn what_was_sent_behind_a_last_response_goes_on_any_connection() {
    let mut w = World::new(steady().connections_per_origin(1).pipeline_depth(9));
    let (connection, on) = pipeline(&mut w, 3);
    w.d.handle_response_started(connection, w.now);
    assert!(w.d.handle_finished(on[0], w.now));
    w.d.handle_lost(connection, LostCause::Last, &[(on[1], SENT), (on[2], SENT)], w.now);
    let connection = w.connected();
    assert_eq!(w.assigned(), (on[1], connection));
    w.serve(on[1], connection);
    assert_eq!(w.assigned(), (on[2], connection));
}

#[test]
fn nothing_follows_a_response_that_is_being_dropped() {
    let mut w = World::new(steady().connections_per_origin(1).pipeline_depth(9).retry_after(SECOND));
    let (connection, on) = pipeline(&mut w, 1);
    assert_eq!(w.d.handle_response(on[0], StatusFacts::new(503).retry_after(SECOND), w.now), Delivery::Discard);
    let post = w.post();
    w.quiet();
    w.d.handle_ready(connection, w.now);
    assert_eq!(w.assigned(), (post, connection));
}

#[test]
fn a_panic_is_held_against_the_request_that_it_was_for() {
    let mut w = World::new(steady().connections_per_origin(1).request_retries(1));
    let get = w.get();
    for attempts in 1..=2 {
        let connection = w.connected();
        assert_eq!(w.assigned(), (get, connection));
        w.d.handle_lost(connection, LostCause::Crashed, &[(get, SENT)], w.now);
        if attempts == 1 {
            w.wait();
        }
    }
    assert_eq!(w.failed().1.why, Why::RetriesSpent);
}
