//! What goes into a dispatcher and what comes out of it.

use core::fmt;
use core::time::Duration;

use super::failure::Failure;
use super::ids::{ConnectionId, OriginId, RequestId};
use super::retry::Sent;
use crate::time::Instant;

/// What a [`Dispatcher`](super::Dispatcher) is told of a request. The request itself stays with the driver.
///
/// ```
/// use http_core::Instant;
/// use http_core::dispatch::{Job, OriginId};
///
/// let post = Job::new(OriginId::from_u64(0)).idempotent(false).deadline(Instant::from_nanos(5_000_000_000));
/// assert!(!post.idempotent && post.replayable);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Job {
    /// Where it goes.
    pub origin: OriginId,
    /// Whether its method is idempotent (RFC 9110 §9.2.2), or the caller vouches for it. Default: true.
    pub idempotent: bool,
    /// Whether its content, if it has any, can be produced again from its start. Default: true.
    pub replayable: bool,
    /// When it fails if its exchange is not complete. Default: `None`, never.
    pub deadline: Option<Instant>,
    /// Higher ones leave the queue earlier, equal ones in the order that they came in; but after so many that came
    /// later as [`overtaking`](super::Policy::overtaking) says it is the turn of who came first. Default: 128.
    pub priority: u8,
    /// How often it may be sent again, in place of [`request_retries`](super::Policy::request_retries). Default:
    /// `None`.
    pub retries: Option<u32>,
    /// The longest `Retry-After` that is waited for, in place of [`retry_after`](super::Policy::retry_after). Default:
    /// `None`.
    pub retry_after: Option<Duration>,
    /// Whether it waits for a connection of its own making, which nothing was sent on. Default: false.
    pub fresh: bool,
    /// Whether it was taken in before, and was [cancelled](super::Dispatcher::cancel) to wait for another origin: then
    /// a drain that has begun since does not refuse it. Default: false.
    pub readmitted: bool,
}

impl Job {
    /// A job for `origin`: idempotent, replayable, without a deadline, of middle priority, tried as the policy says.
    #[must_use]
    pub const fn new(origin: OriginId) -> Self {
        Self {
            origin,
            idempotent: true,
            replayable: true,
            deadline: None,
            priority: 128,
            retries: None,
            retry_after: None,
            fresh: false,
            readmitted: false,
        }
    }

    /// With this [`idempotent`](Self#structfield.idempotent).
    #[must_use]
    pub const fn idempotent(mut self, yes: bool) -> Self {
        self.idempotent = yes;
        self
    }

    /// With this [`replayable`](Self#structfield.replayable).
    #[must_use]
    pub const fn replayable(mut self, yes: bool) -> Self {
        self.replayable = yes;
        self
    }

    /// With this [`deadline`](Self#structfield.deadline).
    #[must_use]
    pub fn deadline(mut self, at: impl Into<Option<Instant>>) -> Self {
        self.deadline = at.into();
        self
    }

    /// With this [`priority`](Self#structfield.priority).
    #[must_use]
    pub const fn priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    /// With so many [`retries`](Self#structfield.retries).
    #[must_use]
    pub fn retries(mut self, most: impl Into<Option<u32>>) -> Self {
        self.retries = most.into();
        self
    }

    /// With this longest [`retry_after`](Self#structfield.retry_after).
    #[must_use]
    pub fn retry_after(mut self, longest: impl Into<Option<Duration>>) -> Self {
        self.retry_after = longest.into();
        self
    }

    /// With this [`fresh`](Self#structfield.fresh).
    #[must_use]
    pub const fn fresh(mut self, yes: bool) -> Self {
        self.fresh = yes;
        self
    }

    /// With this [`readmitted`](Self#structfield.readmitted).
    #[must_use]
    pub const fn readmitted(mut self, yes: bool) -> Self {
        self.readmitted = yes;
        self
    }
}

/// Why a request was not taken into the queue. Nothing of it is kept.
///
/// ```
/// use http_core::Instant;
/// use http_core::dispatch::{Dispatcher, Job, Policy, Refused};
///
/// let mut dispatcher = Dispatcher::new(Policy::default().max_queue(0));
/// let origin = dispatcher.add_origin();
/// assert_eq!(dispatcher.enqueue(Job::new(origin), Instant::ZERO), Err(Refused::QueueFull));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refused {
    /// As many requests wait as [`max_queue`](super::Policy::max_queue) allows.
    QueueFull,
    /// The dispatcher is draining.
    Draining,
    /// There is no such origin (any more).
    UnknownOrigin,
}

impl core::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::QueueFull => "the queue is full: wait until requests have ended, or raise `max_queue`",
            Self::Draining => "the client is shutting down: use another one",
            Self::UnknownOrigin => "the origin was removed: add it again",
        })
    }
}

/// What the head of a final response says to a dispatcher.
///
/// ```
/// use core::time::Duration;
/// use http_core::dispatch::{Sent, StatusFacts};
///
/// let facts = StatusFacts::new(503).retry_after(Duration::from_secs(2)).sent(Sent::Head);
/// assert_eq!(facts.status, 503);
/// assert_eq!(StatusFacts::new(200).sent, Sent::All);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StatusFacts {
    /// The status code. Interim ones (below 200) change nothing.
    pub status: u16,
    /// How much of the request had been sent. Default: all.
    pub sent: Sent,
    /// `Retry-After` as a time from now; a date is the driver's to convert. Default: `None`.
    pub retry_after: Option<Duration>,
    /// Whether the request, as it was sent, expects 100 (Continue). After a 417 that is [discarded](Delivery::Discard),
    /// the driver sends it without (RFC 9110 §10.1.1). Default: `false`.
    pub expecting: bool,
}

impl StatusFacts {
    /// A response of this status to a request that was sent in full.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, sent: Sent::All, retry_after: None, expecting: false }
    }

    /// With so much of the request [`sent`](Self#structfield.sent).
    #[must_use]
    pub const fn sent(mut self, sent: Sent) -> Self {
        self.sent = sent;
        self
    }

    /// With this [`retry_after`](Self#structfield.retry_after).
    #[must_use]
    pub fn retry_after(mut self, wait: impl Into<Option<Duration>>) -> Self {
        self.retry_after = wait.into();
        self
    }

    /// With this [`expecting`](Self#structfield.expecting).
    #[must_use]
    pub const fn expecting(mut self, yes: bool) -> Self {
        self.expecting = yes;
        self
    }
}

impl From<u16> for StatusFacts {
    fn from(status: u16) -> Self {
        Self::new(status)
    }
}

/// What the driver does with a response whose head it reported.
///
/// ```
/// use http_core::Instant;
/// use http_core::dispatch::{Delivery, Dispatcher, Policy, RequestId};
///
/// let mut dispatcher = Dispatcher::new(Policy::default());
/// let unknown = RequestId::from_u64(9);
/// assert_eq!(dispatcher.handle_response(unknown, 200, Instant::ZERO), Delivery::Deliver);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a response that is to be discarded must not reach the application"]
pub enum Delivery {
    /// The application gets it.
    Deliver,
    /// The application never sees it: the dispatcher has taken the request back and will assign it again. If no
    /// [`Action::Close`] follows, the driver reads the response to its end and reports
    /// [`handle_ready`](super::Dispatcher::handle_ready).
    Discard,
}

/// What a [`Dispatcher`](super::Dispatcher) wants done.
///
/// ```
/// use http_core::Instant;
/// use http_core::dispatch::{Action, Dispatcher, Policy};
///
/// let mut dispatcher = Dispatcher::new(Policy::default());
/// let origin = dispatcher.add_origin();
/// dispatcher.connect(origin, Instant::ZERO);
/// assert!(matches!(dispatcher.poll_action(), Some(Action::Connect { attempt: 1, .. })));
/// assert_eq!(dispatcher.poll_action(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Resolve, connect, set up TLS; then [`handle_connected`](super::Dispatcher::handle_connected) or
    /// [`handle_connect_failed`](super::Dispatcher::handle_connect_failed).
    Connect {
        /// The name of the new connection.
        connection: ConnectionId,
        /// Where it goes.
        origin: OriginId,
        /// 1, or one more than the connections that failed in a row before it.
        attempt: u32,
    },
    /// Send this request on this connection.
    Assign {
        /// The request.
        request: RequestId,
        /// The connection.
        connection: ConnectionId,
    },
    /// This request has failed: its one outcome.
    Fail {
        /// The request.
        request: RequestId,
        /// How.
        failure: Failure,
    },
    /// Close this connection, or give up connecting it. The dispatcher has already forgotten it: reports about
    /// it, also those made before this was polled, are ignored, and what it owed has been decided.
    Close {
        /// The connection.
        connection: ConnectionId,
        /// Why.
        cause: CloseCause,
    },
}

/// Why a dispatcher closes a connection.
///
/// ```
/// let cause = http_core::dispatch::CloseCause::Idle;
/// assert_eq!(cause.to_string(), "idle for too long");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CloseCause {
    /// Connecting took longer than [`connect_timeout`](super::Policy::connect_timeout).
    ConnectTimeout,
    /// It was idle for [`idle_timeout`](super::Policy::idle_timeout), or nearly as long as the peer keeps it.
    Idle,
    /// It reached its [`lifetime`](super::Policy::lifetime).
    Lifetime,
    /// It has served as many requests as the policy or the peer allows.
    RequestLimit,
    /// More connections of the origin are idle than [`idle_per_origin`](super::Policy::idle_per_origin), and this one
    /// has been for [`surplus_timeout`](super::Policy::surplus_timeout).
    Surplus,
    /// Another origin needs its place among [`max_connections`](super::Policy::max_connections).
    Evicted,
    /// A request that needs a new connection takes its place.
    Replaced,
    /// The request on it was cancelled.
    Cancelled,
    /// The deadline of the request on it passed.
    Deadline,
    /// The response on it was a 408 that answers no request (RFC 9110 §15.5.9).
    RequestTimeout,
    /// The response on it was a 421: it leads to the wrong place (RFC 9110 §15.5.20).
    Misdirected,
    /// The dispatcher drains, or the origin was removed.
    Drained,
}

impl fmt::Display for CloseCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConnectTimeout => "connecting took too long",
            Self::Idle => "idle for too long",
            Self::Lifetime => "reached its lifetime",
            Self::RequestLimit => "served as many requests as allowed",
            Self::Surplus => "more idle connections than are kept",
            Self::Evicted => "another origin needs its place",
            Self::Replaced => "a request needs a new connection",
            Self::Cancelled => "its request was cancelled",
            Self::Deadline => "the deadline of its request passed",
            Self::RequestTimeout => "answered 408 without a request (RFC 9110 §15.5.9)",
            Self::Misdirected => "answered 421, misdirected (RFC 9110 §15.5.20)",
            Self::Drained => "shutting down",
        })
    }
}

/// What a connection is doing, as a dispatcher sees it.
///
/// ```
/// use http_core::dispatch::{ConnectionId, Dispatcher, Policy};
///
/// assert_eq!(Dispatcher::new(Policy::default()).state(ConnectionId::from_u64(1)), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ConnectionState {
    /// Being made.
    Connecting,
    /// Up, with nothing to do. evhttp's close detection: the driver goes on reading, and reports
    /// [`handle_lost`](super::Dispatcher::handle_lost) at the end of the stream or at stray bytes.
    Idle,
    /// With a request, or not ready for the next one yet.
    Busy,
}

/// What an origin is doing: evhttp's connection states, as far as they concern the queue.
///
/// ```
/// use http_core::dispatch::{Dispatcher, OriginPhase, Policy};
///
/// let mut dispatcher = Dispatcher::new(Policy::default());
/// let origin = dispatcher.add_origin();
/// assert_eq!(dispatcher.phase(origin), Some(OriginPhase::Disconnected));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OriginPhase {
    /// No connection, and none needed.
    Disconnected,
    /// Requests wait for a place among [`max_connections`](super::Policy::max_connections).
    InLine,
    /// No connection is up; after failures the next attempt is at `until`.
    BackingOff {
        /// When the next connection is tried.
        until: Instant,
        /// How many failed in a row.
        failures: u32,
    },
    /// No connection is up, and none is made until then: the origin has failed too often in a row.
    CircuitOpen {
        /// When one is tried.
        until: Instant,
        /// How many failed in a row.
        failures: u32,
    },
    /// No connection is up; at least one is being made.
    Connecting,
    /// At least one connection is up, and none has a request.
    Idle,
    /// At least one connection is up and has work.
    Busy,
}
