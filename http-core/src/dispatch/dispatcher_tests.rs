//! Scenarios: evhttp's behaviour, its bugs that are not repeated, and the pool.

use super::*;
use crate::dispatch::{
    Backoff, Budget, Cause, ConnectionState, Failure, Phase, Received, Sent, Why,
};
use alloc::vec;

const SECOND: Duration = Duration::from_secs(1);

/// What was sent in full and not answered.
const SENT: Progress = Progress {
    sent: Sent::All,
    received: Received::Nothing,
};

/// A dispatcher with one origin and a clock, and what a driver would say to it, in short words.
struct World {
    d: Dispatcher,
    now: Instant,
    origin: OriginId,
}

impl World {
    fn new(policy: Policy) -> Self {
        let mut d = Dispatcher::new(policy);
        let origin = d.add_origin();
        Self {
            d,
            now: Instant::ZERO,
            origin,
        }
    }

    fn get(&mut self) -> RequestId {
        self.job(Job::new(self.origin))
    }

    fn post(&mut self) -> RequestId {
        self.job(Job::new(self.origin).idempotent(false))
    }

    fn job(&mut self, job: Job) -> RequestId {
        self.d.enqueue(job, self.now).expect("taken in")
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
        self.d.handle_timeout(self.now);
    }

    /// Lets the time pass until the timer, and tells how long that was.
    fn wait(&mut self) -> Duration {
        let at = self.d.poll_timeout().expect("a timer");
        let time = at.saturating_since(self.now);
        self.pass(time);
        time
    }

    fn actions(&mut self) -> Vec<Action> {
        core::iter::from_fn(|| self.d.poll_action()).collect()
    }

    fn quiet(&mut self) {
        assert_eq!(self.d.poll_action(), None);
    }

    fn connect(&mut self) -> ConnectionId {
        match self.d.poll_action() {
            Some(Action::Connect { connection, .. }) => connection,
            other => panic!("expected Connect, not {other:?}"),
        }
    }

    fn connected(&mut self) -> ConnectionId {
        let connection = self.connect();
        self.d.handle_connected(connection, self.now);
        connection
    }

    fn assigned(&mut self) -> (RequestId, ConnectionId) {
        match self.d.poll_action() {
            Some(Action::Assign {
                request,
                connection,
            }) => (request, connection),
            other => panic!("expected Assign, not {other:?}"),
        }
    }

    fn closed(&mut self) -> (ConnectionId, CloseReason) {
        match self.d.poll_action() {
            Some(Action::Close { connection, reason }) => (connection, reason),
            other => panic!("expected Close, not {other:?}"),
        }
    }

    fn failed(&mut self) -> (RequestId, Failure) {
        match self.d.poll_action() {
            Some(Action::Fail { request, failure }) => (request, failure),
            other => panic!("expected Fail, not {other:?}"),
        }
    }

    fn refuse(&mut self) {
        let connection = self.connect();
        self.d
            .handle_connect_failed(connection, ConnectCause::Refused, self.now);
    }

    fn lose(&mut self, connection: ConnectionId, unanswered: &[(RequestId, Progress)]) {
        self.d
            .handle_lost(connection, LostCause::Eof, unanswered, self.now);
    }

    /// The whole of an exchange that goes well.
    fn serve(&mut self, request: RequestId, connection: ConnectionId) {
        self.d.handle_response_started(connection, self.now);
        assert_eq!(
            self.d.handle_response(request, 200, self.now),
            Delivery::Deliver
        );
        assert!(self.d.handle_finished(request, self.now));
        self.d.handle_ready(connection, self.now);
    }

    /// A connection that has served, and is idle.
    fn warm(&mut self) -> ConnectionId {
        let request = self.get();
        let connection = self.connected();
        assert_eq!(self.assigned(), (request, connection));
        self.serve(request, connection);
        self.quiet();
        connection
    }
}

fn evhttp(retries: u32) -> Policy {
    Policy::evhttp().connect_retries(retries)
}

fn steady() -> Policy {
    Policy::default().backoff(Backoff::evhttp())
}

// evhttp: one connection and its queue.

#[test]
fn refused_then_back_off_then_the_queue_in_order() {
    let mut w = World::new(evhttp(10));
    let requests: Vec<RequestId> = (0..5)
        .map(|n| if n % 2 == 0 { w.get() } else { w.post() })
        .collect();
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
    assert_eq!(
        (w.d.queued(), w.d.in_flight(), w.d.connections()),
        (0, 0, 1)
    );
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
    assert_eq!(
        waits,
        [
            2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600
        ]
    );
}

#[test]
fn without_retries_a_refusal_fails_the_whole_queue_once() {
    let mut w = World::new(Policy::evhttp());
    let (first, second) = (w.get(), w.post());
    w.refuse();
    for request in [first, second] {
        let (failed, failure) = w.failed();
        assert_eq!(failed, request);
        assert_eq!(failure.phase, Phase::Connect);
        assert_eq!(failure.cause, Cause::Connect(ConnectCause::Refused));
        assert_eq!(
            (failure.attempts, failure.safe_to_repeat, failure.why),
            (0, true, Why::OriginSpent)
        );
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
    assert_eq!(w.closed(), (connection, CloseReason::ConnectTimeout));
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
        (C::Refused, Phase::Connect, true),
        (C::TimedOut, Phase::Connect, true),
        (C::Unreachable, Phase::Connect, true),
        (C::Reset, Phase::Connect, true),
        (C::ResolveTemporary, Phase::Resolve, true),
        (C::NoSuchName, Phase::Resolve, false),
        (C::BadCertificate, Phase::Tls, false),
        (C::Tls, Phase::Tls, false),
        (C::Forbidden, Phase::Connect, false),
        (C::Misconfigured, Phase::Connect, false),
    ];
    for (cause, phase, again) in rows {
        let mut w = World::new(evhttp(3));
        w.get();
        let connection = w.connect();
        w.d.handle_connect_failed(connection, cause, w.now);
        assert_eq!(w.d.poll_timeout().is_some(), again, "{cause:?}");
        if !again {
            let failure = w.failed().1;
            assert_eq!(
                (failure.phase, failure.why),
                (phase, Why::Permanent),
                "{cause:?}"
            );
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
    assert_eq!(
        (failure.phase, failure.attempts, failure.why),
        (Phase::Head, 4, Why::RetriesSpent)
    );
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
    assert_eq!(
        (failure.phase, failure.attempts, failure.safe_to_repeat),
        (Phase::Queue, 0, true)
    );
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

// Retry.

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
    assert_eq!(failure.phase, Phase::Head);
    assert_eq!(failure.cause, Cause::Lost(LostCause::Reset));
    assert_eq!(
        (failure.attempts, failure.safe_to_repeat, failure.why),
        (1, false, Why::NotIdempotent)
    );
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

#[test]
fn what_the_driver_does_not_name_was_sent_in_full() {
    let mut w = World::new(steady());
    let connection = w.warm();
    let post = w.post();
    w.assigned();
    w.lose(connection, &[]);
    let failure = w.failed().1;
    assert_eq!(
        (failure.phase, failure.safe_to_repeat),
        (Phase::Head, false)
    );
    // And a response that was reported has come, whatever the list says.
    let connection = w.warm();
    let get = w.get();
    w.assigned();
    let _ = w.d.handle_response(get, 200, w.now);
    w.lose(connection, &[(get, SENT), (post, SENT)]);
    let failure = w.failed().1;
    assert_eq!(
        (failure.phase, failure.why, failure.safe_to_repeat),
        (Phase::Content, Why::ResponseBegun, true)
    );
    w.quiet();
}

#[test]
fn a_408_on_a_reused_connection_is_no_answer() {
    let mut w = World::new(steady());
    let connection = w.warm();
    let get = w.get();
    w.assigned();
    assert_eq!(w.d.handle_response(get, 408, w.now), Delivery::Discard);
    let fresh = w.connected_after_close(connection, CloseReason::RequestTimeout);
    assert_eq!(w.assigned(), (get, fresh));
    // On a new connection it is one.
    assert_eq!(w.d.handle_response(get, 408, w.now), Delivery::Deliver);
    assert!(w.d.handle_finished(get, w.now));
}

impl World {
    fn connected_after_close(
        &mut self,
        connection: ConnectionId,
        reason: CloseReason,
    ) -> ConnectionId {
        assert_eq!(self.closed(), (connection, reason));
        self.connected()
    }
}

#[test]
fn a_421_is_tried_once_on_a_new_connection() {
    let mut w = World::new(steady().connections_per_origin(1));
    let post = w.post();
    let connection = w.connected();
    w.assigned();
    assert_eq!(w.d.handle_response(post, 421, w.now), Delivery::Discard);
    let fresh = w.connected_after_close(connection, CloseReason::Misdirected);
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
                assert_eq!(w.closed(), (fresh, CloseReason::Cancelled));
            }
            Some(why) => assert_eq!(w.failed().1.why, why, "{lost}"),
        }
    }
}

// Cancelling and deadlines.

#[test]
fn a_cancel_in_flight_closes_the_connection() {
    let mut w = World::new(evhttp(0));
    let (first, second) = (w.get(), w.get());
    let connection = w.connected();
    w.assigned();
    assert!(w.d.cancel(first, w.now));
    let fresh = w.connected_after_close(connection, CloseReason::Cancelled);
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
    assert_eq!(w.closed(), (connection, CloseReason::Deadline));
    let (failed, failure) = (w.connect(), w.failed()).1;
    assert_eq!(
        (failed, failure.phase, failure.cause),
        (in_flight, Phase::Head, Cause::Deadline)
    );
    assert_eq!(w.wait(), SECOND);
    let (failed, failure) = w.failed();
    assert_eq!(
        (failed, failure.phase, failure.safe_to_repeat),
        (waiting, Phase::Connect, true)
    );
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
    assert_eq!(w.failed().1.phase, Phase::Connect);
    assert_eq!(w.d.poll_timeout(), None);
    // For others to be served.
    let mut w = World::new(evhttp(9));
    w.warm();
    w.get();
    w.assigned();
    w.job(soon(&w));
    assert_eq!(w.wait(), SECOND);
    assert_eq!(w.failed().1.phase, Phase::Queue);
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

// The queue.

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
    assert_eq!(
        w.d.enqueue(Job::new(w.origin), w.now),
        Err(Refused::QueueFull)
    );
    w.refuse();
    assert_eq!(
        w.d.enqueue(Job::new(w.origin), w.now),
        Err(Refused::QueueFull)
    );
    w.failed();
    let unknown = Job::new(OriginId::from_u64(77));
    assert_eq!(w.d.enqueue(unknown, w.now), Err(Refused::UnknownOrigin));
}

// The pool.

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

#[test]
fn while_another_connection_is_up_exhaustion_fails_only_what_needs_a_new_one() {
    let mut w = World::new(steady().connections_per_origin(2).connect_retries(0));
    let busy = w.warm();
    let first = w.get();
    w.assigned();
    let second = w.get();
    w.refuse();
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
    assert_eq!(w.closed(), (old, CloseReason::Evicted));
    let third = w.connected();
    w.assigned();
    assert_eq!(w.d.connections(), 2);
    // Now nothing is to be had but the one; then it is in line, and served before younger requests.
    w.origin = first;
    let waits = w.get();
    assert_eq!(w.closed(), (newer, CloseReason::Evicted));
    let connection = w.connected();
    assert_eq!(w.assigned(), (waits, connection));
    w.origin = w.d.add_origin();
    let in_line = w.get();
    w.quiet();
    assert_eq!(w.d.phase(w.origin), Some(OriginPhase::InLine));
    let younger = w.job(Job::new(first));
    w.serve(waits, connection);
    assert_eq!(w.closed(), (connection, CloseReason::Evicted));
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
    assert_eq!(w.closed(), (connection, CloseReason::Idle));
    let connection = w.warm();
    w.pass(SECOND * 60);
    let get = w.get();
    w.assigned();
    w.serve(get, connection);
    assert_eq!(w.wait(), SECOND * 40);
    assert_eq!(w.closed(), (connection, CloseReason::Lifetime));
}

#[test]
fn a_connection_whose_time_is_up_is_not_used_though_the_timer_is_late() {
    let mut w = World::new(steady());
    let connection = w.warm();
    w.now = w.now.saturating_add(SECOND * 90);
    let get = w.get();
    let fresh = w.connected_after_close(connection, CloseReason::Idle);
    assert_eq!(w.assigned(), (get, fresh));
}

#[test]
fn hints_of_the_peer_are_obeyed() {
    let mut w = World::new(steady());
    let connection = w.warm();
    w.d.handle_keep_alive(connection, Some(SECOND * 5), Some(1));
    assert_eq!(w.wait(), SECOND * 4);
    assert_eq!(w.closed(), (connection, CloseReason::Idle));
    let connection = w.warm();
    w.d.handle_keep_alive(connection, None, Some(1));
    let get = w.get();
    w.assigned();
    w.serve(get, connection);
    assert_eq!(w.closed(), (connection, CloseReason::RequestLimit));
}

#[test]
fn the_policy_bounds_requests_per_connection_and_idle_ones() {
    let mut w = World::new(steady().requests_per_connection(1));
    let get = w.get();
    let connection = w.connected();
    w.assigned();
    w.serve(get, connection);
    assert_eq!(w.closed(), (connection, CloseReason::RequestLimit));
    let mut w = World::new(steady().idle_per_origin(1));
    let (first, second) = (w.get(), w.get());
    let (one, two) = (w.connected(), w.connected());
    let assigned = [w.assigned(), w.assigned()];
    assert_eq!(assigned, [(first, one), (second, two)]);
    w.serve(first, one);
    w.serve(second, two);
    assert_eq!(w.closed(), (one, CloseReason::Surplus));
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
    let fresh = w.connected_after_close(connection, CloseReason::Replaced);
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
    w.serve(second, connection);
    assert_eq!(w.closed(), (connection, CloseReason::Replaced));
    let connection = w.connected();
    assert_eq!(w.assigned(), (third, connection));
    w.serve(third, connection);
    assert_eq!(w.assigned(), (post, connection));
}

#[test]
fn draining_serves_what_waits_and_closes_the_rest() {
    let mut w = World::new(steady().connections_per_origin(1));
    let (first, second) = (w.get(), w.get());
    let connection = w.connected();
    w.assigned();
    w.d.drain(w.now);
    assert_eq!(
        w.d.enqueue(Job::new(w.origin), w.now),
        Err(Refused::Draining)
    );
    w.serve(first, connection);
    assert_eq!(w.assigned(), (second, connection));
    assert!(!w.d.is_drained());
    w.serve(second, connection);
    assert_eq!(w.closed(), (connection, CloseReason::Drained));
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
    assert_eq!(w.closed(), (connection, CloseReason::Drained));
    assert_eq!((w.d.poll_timeout(), w.d.phase(w.origin)), (None, None));
    assert!(!w.d.remove_origin(w.origin, w.now));
}

#[test]
fn jitter_comes_from_the_random_number_that_was_given() {
    let wait = |random: Option<u64>| {
        let mut w = World::new(Policy::default());
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

#[test]
fn figures() {
    assert!(size_of::<Action>() <= 32, "{}", size_of::<Action>());
    assert!(size_of::<Request>() <= 112, "{}", size_of::<Request>());
    assert!(
        size_of::<Connection>() <= 136,
        "{}",
        size_of::<Connection>()
    );
}
