//! The tests of the machine as a whole: scenarios by subject, and random calls.

mod circuit;
mod complete;
mod ending;
mod evhttp;
mod fairness;
mod places;
mod pool;
mod random;
mod repeat;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

use super::connections::{self, Connection};
use super::dispatcher::{MOST_TIMERS, Output};
use super::request::{Request, State};
use super::timers::Timer;
use super::*;
use crate::dispatch::{Backoff, Budget, Cause, ConnectionState, Failure, Received, RequestPhase, Sent, Why};
use crate::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// What was sent in full and not answered.
const SENT: Progress = Progress { sent: Sent::All, received: Received::Nothing };

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
        Self { d, now: Instant::ZERO, origin }
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
            Some(Action::Assign { request, connection }) => (request, connection),
            other => panic!("expected Assign, not {other:?}"),
        }
    }

    fn closed(&mut self) -> (ConnectionId, CloseCause) {
        match self.d.poll_action() {
            Some(Action::Close { connection, cause }) => (connection, cause),
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
        self.d.handle_connect_failed(connection, ConnectCause::Refused, self.now);
    }

    fn lose(&mut self, connection: ConnectionId, unanswered: &[(RequestId, Progress)]) {
        self.d.handle_lost(connection, LostCause::Eof, unanswered, self.now);
    }

    fn connected_after_close(&mut self, connection: ConnectionId, cause: CloseCause) -> ConnectionId {
        assert_eq!(self.closed(), (connection, cause));
        self.connected()
    }

    /// The whole of an exchange that goes well.
    fn serve(&mut self, request: RequestId, connection: ConnectionId) {
        self.d.handle_response_started(connection, self.now);
        assert_eq!(self.d.handle_response(request, 200, self.now), Delivery::Deliver);
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
    Policy::default().connect_retries(3).backoff(Backoff::evhttp())
}

#[test]
fn figures() {
    assert!(size_of::<Action>() <= 32, "{}", size_of::<Action>());
    assert!(size_of::<Request>() <= 128, "{}", size_of::<Request>());
    assert!(size_of::<Connection>() <= 136, "{}", size_of::<Connection>());
}
