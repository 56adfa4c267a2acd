//! How a request failed: where, by what, and whether it may be repeated.

use core::fmt;

use super::loss::LostCause;

/// The end of a request that was not answered in full.
///
/// ```
/// use http_core::Instant;
/// use http_core::dispatch::{Action, Cause, ConnectCause, Dispatcher, Job, RequestPhase, Policy};
///
/// let now = Instant::ZERO;
/// let mut dispatcher = Dispatcher::new(Policy::evhttp());
/// let origin = dispatcher.add_origin();
/// let request = dispatcher.enqueue(Job::new(origin), now).unwrap();
/// let Some(Action::Connect { connection, .. }) = dispatcher.poll_action() else { panic!() };
/// dispatcher.handle_connect_failed(connection, ConnectCause::Refused, now);
/// let Some(Action::Fail { request: failed, failure }) = dispatcher.poll_action() else { panic!() };
/// assert_eq!(failed, request);
/// assert_eq!(failure.phase, RequestPhase::Connect);
/// assert_eq!(failure.cause, Cause::Connect(ConnectCause::Refused));
/// assert!(failure.safe_to_repeat);
/// assert_eq!(
///     failure.to_string(),
///     "failed while connecting: connection refused; not tried again, for the attempts to reach the origin \
///      are used up; safe to repeat",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Failure {
    /// What was being done when it failed.
    pub phase: RequestPhase,
    /// What happened.
    pub cause: Cause,
    /// How often the request was given to a connection; 0: it never left the queue.
    pub attempts: u32,
    /// Whether repeating the request by hand cannot do anything twice: it never reached the origin, or its method is
    /// idempotent (RFC 9110 §9.2.2). Content that was already begun must be produced again.
    pub safe_to_repeat: bool,
    /// Why it was not tried (again).
    pub why: Why,
}

impl Failure {
    /// Of one that waits and was never sent.
    pub(super) fn of_waiting(phase: RequestPhase, cause: Cause, why: Why) -> Self {
        Self { phase, cause, attempts: 0, safe_to_repeat: true, why }
    }
}

impl core::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = if self.safe_to_repeat {
            "safe to repeat"
        } else {
            "it may have taken effect: ask the origin before repeating it"
        };
        let Self { phase, cause, why, .. } = self;
        write!(f, "failed while {phase}: {cause}; not tried again, for {why}; {advice}")
    }
}

/// The reason of a [`Decision`](super::Decision). Displayed, it completes "…, for" to a sentence.
///
/// ```
/// let why = http_core::dispatch::Why::NotIdempotent;
/// assert_eq!(why.to_string(), "it may have been applied and its method is not idempotent (RFC 9110 §9.2.2)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Why {
    /// Retried: nothing was handed to the transport.
    NothingSent,
    /// Retried: its connection had been kept and was dead before anything was sent on it. This is not held against the
    /// request.
    StaleConnection,
    /// Retried: idempotent, repeatable, and no final head came.
    NoResponse,
    /// Retried: its connection was ended on account of another request, which is not held against this one.
    Bystander,
    /// Retried: 408 on a reused connection.
    RequestTimeout,
    /// Retried: 421.
    Misdirected,
    /// Retried, without its expectation: 417.
    Unexpected,
    /// Retried: the response said when.
    RetryAfter,
    /// The response is the answer.
    FinalResponse,
    /// Not retried: its final head was delivered already.
    ResponseBegun,
    /// Not retried: it may have been applied, and may not be applied twice.
    NotIdempotent,
    /// Not retried: its content was begun and cannot be produced again.
    NotReplayable,
    /// Not retried: what answered does not speak HTTP, and would not the next time.
    Malformed,
    /// Not retried: all of it was sent, the peer has it and was silent for too long.
    NoAnswerInTime,
    /// Not retried: it was sent as often as allowed.
    RetriesSpent,
    /// Not retried: too many requests were sent again of late.
    BudgetSpent,
    /// Not retried: the origin was tried as often as allowed.
    OriginSpent,
    /// Not tried: the origin has failed too often in a row, and is left alone for a while.
    CircuitOpen,
    /// Not retried: a connect that fails like this one fails again.
    Permanent,
    /// Not retried: there is no time left.
    Deadline,
    /// Not tried: no connection became free for it within [`place_timeout`](super::Policy::place_timeout).
    PlaceTimeout,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingSent => "nothing of it was sent",
            Self::StaleConnection => "nothing of it was sent, for its connection was dead already",
            Self::NoResponse => "it is idempotent and no response came (RFC 9110 §9.2.2)",
            Self::Bystander => "its connection was ended for the sake of another request",
            Self::RequestTimeout => "408 on a reused connection answers no request (RFC 9110 §15.5.9)",
            Self::Misdirected => "421 asks for another connection (RFC 9110 §15.5.20)",
            Self::Unexpected => "417 refuses its expectation alone (RFC 9110 §10.1.1)",
            Self::RetryAfter => "the response says when to repeat it (RFC 9110 §10.2.3)",
            Self::FinalResponse => "the response is final",
            Self::ResponseBegun => "the head of its response was delivered",
            Self::NotIdempotent => "it may have been applied and its method is not idempotent (RFC 9110 §9.2.2)",
            Self::NotReplayable => "its content was begun and cannot be produced again",
            Self::Malformed => "the peer's answer is not HTTP",
            Self::NoAnswerInTime => "all of it was sent, and it may be being worked on",
            Self::RetriesSpent => "it was sent as often as allowed",
            Self::BudgetSpent => "too many requests were sent again of late",
            Self::OriginSpent => "the attempts to reach the origin are used up",
            Self::CircuitOpen => "the origin has failed too often and is left alone for a while",
            Self::Permanent => "this cause does not pass by waiting",
            Self::Deadline => "no time is left",
            Self::PlaceTimeout => "none became free within `place_timeout`",
        })
    }
}

/// What was being done for a request when it failed.
///
/// ```
/// assert_eq!(http_core::dispatch::RequestPhase::Head.to_string(), "waiting for the head of the response");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RequestPhase {
    /// It waited while other requests were served, or for a place among all connections.
    Queue,
    /// The name of the origin was being resolved.
    Resolve,
    /// A connection was being made, or was to be after a back-off, and the origin had no other.
    Connect,
    /// A proxy had been reached, and was asked for the way to the origin.
    Proxy,
    /// TLS was being set up.
    Tls,
    /// The request was being sent.
    Write,
    /// It was sent, and no final head had come.
    Head,
    /// The content of the response was coming.
    Content,
}

impl fmt::Display for RequestPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queue => "waiting in the queue",
            Self::Resolve => "resolving the name",
            Self::Connect => "connecting",
            Self::Proxy => "asking the proxy for the way",
            Self::Tls => "setting up TLS",
            Self::Write => "sending the request",
            Self::Head => "waiting for the head of the response",
            Self::Content => "receiving the content of the response",
        })
    }
}

/// What happened to a request that failed.
///
/// ```
/// use http_core::dispatch::{Cause, LostCause};
///
/// assert_eq!(Cause::Lost(LostCause::Reset).to_string(), "connection reset");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// No connection could be made.
    Connect(ConnectCause),
    /// The connection ended: its own, or for one that waits, that of the requests before it.
    Lost(LostCause),
    /// The deadline of its [`Job`](super::Job) passed.
    Deadline,
    /// It found no place in time: as many connections as allowed were taken.
    NoPlace {
        /// Which limit was reached.
        limit: PlaceLimit,
        /// The requests on those connections, whether their responses were awaited, being read, or held.
        in_flight: u32,
    },
}

/// What there may be no more of than so many.
///
/// ```
/// use http_core::dispatch::PlaceLimit;
///
/// assert_eq!(PlaceLimit::Total(256).to_string(), "all 256 connections are taken (`max_connections`)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PlaceLimit {
    /// Connections in all: [`max_connections`](super::Policy::max_connections).
    Total(u32),
    /// Connections of one origin: [`connections_per_origin`](super::Policy::connections_per_origin).
    PerOrigin(u32),
}

impl fmt::Display for PlaceLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Total(1) => f.write_str("the one connection is taken (`max_connections`)"),
            Self::Total(most) => write!(f, "all {most} connections are taken (`max_connections`)"),
            Self::PerOrigin(1) => f.write_str("the one connection of the origin is taken (`connections_per_origin`)"),
            Self::PerOrigin(most) => {
                write!(f, "all {most} connections of the origin are taken (`connections_per_origin`)")
            }
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(cause) => cause.fmt(f),
            Self::Lost(cause) => cause.fmt(f),
            Self::Deadline => f.write_str("the deadline of the request passed"),
            Self::NoPlace { limit, in_flight: 1 } => write!(f, "{limit}, by a request in flight or a response held"),
            Self::NoPlace { limit, in_flight } => {
                write!(f, "{limit}, by {in_flight} requests in flight or responses held")
            }
        }
    }
}

/// Why a connection could not be made, as the driver reports it.
///
/// ```
/// use http_core::dispatch::{ConnectCause, RequestPhase};
///
/// assert!(ConnectCause::Refused.is_transient());
/// assert!(!ConnectCause::BadCertificate.is_transient());
/// assert_eq!(ConnectCause::BadCertificate.phase(), RequestPhase::Tls);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ConnectCause {
    /// Nobody listens there. Tried again.
    Refused,
    /// It took too long. Tried again.
    TimedOut,
    /// No way to the host or its network. Tried again.
    Unreachable,
    /// The connection was reset or ended while it was being set up. Tried again.
    Reset,
    /// The name could not be resolved just now. Tried again.
    ResolveTemporary,
    /// This machine is short of what connections are made of just now: ports (`EADDRNOTAVAIL`), descriptors (`EMFILE`),
    /// memory for sockets (`ENOBUFS`). Tried again.
    Exhausted,
    /// Who was making it was dropped, with its runtime say. That says nothing of the origin: it is made again at once,
    /// three times in a row, and after that counts as any other.
    Abandoned,
    /// The name does not exist.
    NoSuchName,
    /// The peer's certificate was not accepted.
    BadCertificate,
    /// TLS failed in another way.
    Tls,
    /// The system or a proxy does not allow it.
    Forbidden,
    /// The address, the socket's options or the proxy make no sense.
    Misconfigured,
}

impl ConnectCause {
    /// Whether another attempt a little later may go better: the table of what is tried again.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        match self {
            Self::Refused
            | Self::TimedOut
            | Self::Unreachable
            | Self::Reset
            | Self::ResolveTemporary
            | Self::Exhausted
            | Self::Abandoned => true,
            Self::NoSuchName | Self::BadCertificate | Self::Tls | Self::Forbidden | Self::Misconfigured => false,
        }
    }

    /// The phase that it happens in.
    #[must_use]
    pub const fn phase(self) -> RequestPhase {
        match self {
            Self::ResolveTemporary | Self::NoSuchName => RequestPhase::Resolve,
            Self::BadCertificate | Self::Tls => RequestPhase::Tls,
            _ => RequestPhase::Connect,
        }
    }
}

impl fmt::Display for ConnectCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused",
            Self::TimedOut => "connecting took too long",
            Self::Unreachable => "host or network unreachable",
            Self::Reset => "connection reset while it was set up",
            Self::Exhausted => "this system has no address, port, descriptor or memory for it just now",
            Self::ResolveTemporary => "the name could not be resolved just now",
            Self::Abandoned => "whoever was connecting was dropped",
            Self::NoSuchName => "no such name",
            Self::BadCertificate => "the certificate was not accepted",
            Self::Tls => "TLS failed",
            Self::Forbidden => "not allowed to connect",
            Self::Misconfigured => "address or options make no sense",
        })
    }
}
