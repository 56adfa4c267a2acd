//! How a request of a client ended without a response.

use core::error::Error as StdError;
use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::Request;
use http_core::dispatch::{Cause, ConnectCause, Failure, LostCause, Progress, Refused, RequestPhase};

use super::connect_error::ConnectError;
use super::job::Job;
use super::origin::{Origin, Place};
use super::payload::Unsent;
use crate::convert::Unconvertible;
use crate::error::Error;

/// A request that got no response: where it was to go, in which phase it failed, what happened, and whether it may be
/// repeated. Displayed, it is one line that says these four, without what may be secret.
///
/// What the system, TLS, a proxy or the peer said stands behind it, as it came: [`source`](StdError::source) is an
/// [`io::Error`](std::io::Error), an error of `rustls`, a [`ProxyStatus`](super::ProxyStatus), a
/// [`ProtocolError`](http_core::ProtocolError), or the error of the request's body; where there is none of them, but a
/// connection that ended, it is the [`Error`] of that connection.
///
/// ```
/// use std::error::Error;
///
/// fn advise(error: &http_driver::client::RequestError) -> &'static str {
///     if error.is_safe_to_repeat() { "try again" } else { "ask the server first" }
/// }
///
/// /// One line, and those of what is behind it.
/// fn log(error: &http_driver::client::RequestError) {
///     eprintln!("{error}");
///     for cause in std::iter::successors(error.source(), |cause| (**cause).source()) {
///         eprintln!("  because of: {cause}");
///     }
/// }
/// ```
pub struct RequestError(Box<Details>);

/// What there is to say of it; in a box, since what might become one moves from hand to hand.
struct Details {
    kind: Kind,
    /// What the connection said last.
    source: Option<Error>,
    /// Where it was to go.
    origin: Option<Arc<Origin>>,
    /// What became of the last attempt to get there, if that is why it failed.
    unreached: Option<ConnectError>,
    /// How far it had come on its last connection, where that is known.
    progress: Option<Progress>,
    /// Whether it may be sent twice.
    idempotent: bool,
    /// The request, if nothing of it was sent. Behind a lock that nobody waits for, since a body need not be `Sync`,
    /// and an error should be.
    request: Mutex<Option<Box<Request<Unsent>>>>,
}

/// What is told of a URI that nobody can be asked by.
pub(super) const NO_ORIGIN: &str =
    "the URI names no origin: it needs `http` or `https`, a host, and no port above 65535";

/// Where a request was to go, and why the last connection there could not be made, if that was so.
pub(super) struct Whence {
    pub(super) origin: Arc<Origin>,
    pub(super) unreached: Option<ConnectError>,
    /// How far the connection was that was begun last, if it was said.
    pub(super) stage: Option<RequestPhase>,
}

#[derive(Debug)]
enum Kind {
    Failed(Failure),
    Refused(Refused),
    Unsendable(Unconvertible),
    /// The response has no form in the types of the `http` crate.
    Unreadable(Unconvertible),
    NoOrigin,
    NoRuntime,
    Body,
}

impl RequestError {
    /// Of one that nothing was tried for.
    fn untried(kind: Kind) -> Self {
        let mut error = Self::unknown(kind);
        error.0.progress = Some(Progress::NOTHING);
        error
    }

    /// Of one of which nobody knows what was sent.
    fn unknown(kind: Kind) -> Self {
        Self(Box::new(Details {
            kind,
            source: None,
            origin: None,
            unreached: None,
            progress: None,
            idempotent: false,
            request: Mutex::new(None),
        }))
    }

    /// As the dispatcher tells it.
    pub(super) fn failed(mut failure: Failure, whence: Option<Whence>, job: Option<Box<Job>>) -> Self {
        let (origin, unreached, stage) = match whence {
            Some(Whence { origin, unreached, stage }) => (Some(origin), unreached, stage),
            None => (None, None, None),
        };
        let unreached = unreached.filter(|error| match failure.cause {
            Cause::Connect(cause) => cause == error.cause(),
            Cause::Deadline => failure.phase == RequestPhase::Connect,
            _ => false,
        });
        let late = failure.cause == Cause::Deadline && failure.phase == RequestPhase::Connect;
        let stage = stage.filter(|_| late);
        if let Some(phase) = stage.or(unreached.as_ref().map(ConnectError::phase)) {
            failure.phase = phase;
        }
        let mut error = Self::unknown(Kind::Failed(failure)).of(job);
        error.0.unreached = unreached;
        error.0.origin = origin.or(error.0.origin);
        error
    }

    /// What is left of the request that it is of.
    fn of(self, job: Option<Box<Job>>) -> Self {
        let Some(mut job) = job else { return self };
        let mut error = self.about(&job, job.progress);
        error.0.source = job.error.take().or(error.0.source);
        error.0.request = Mutex::new(job.into_unsent());
        error
    }

    /// Which request it is of, and how far that had come.
    #[must_use]
    pub(super) fn about(mut self, job: &Job, progress: Option<Progress>) -> Self {
        let origin = self.0.origin.take();
        self.0.origin = origin.or_else(|| job.place().map(|place| Arc::new(place.to_origin())));
        self.0.progress = progress;
        self.0.idempotent = job.is_idempotent();
        self
    }

    /// Nothing was tried for it, which was to go there.
    #[must_use]
    pub(super) fn before(mut self, place: Place<'_>) -> Self {
        self.0.origin = Some(Arc::new(place.to_origin()));
        self.0.progress = Some(Progress::NOTHING);
        self
    }

    /// The client did not take it.
    pub(super) fn refused(refused: Refused, job: Option<Box<Job>>) -> Self {
        Self::unknown(Kind::Refused(refused)).of(job)
    }

    pub(super) fn no_runtime(job: Option<Box<Job>>) -> Self {
        Self::unknown(Kind::NoRuntime).of(job)
    }

    /// What was asked for makes no sense; nothing was tried.
    pub(super) fn unsendable(what: Unconvertible) -> Self {
        Self::untried(Kind::Unsendable(what))
    }

    /// The response is there, and cannot be told.
    pub(super) fn unreadable(what: Unconvertible) -> Self {
        Self::unknown(Kind::Unreadable(what))
    }

    pub(super) fn no_origin() -> Self {
        Self::untried(Kind::NoOrigin)
    }

    pub(super) fn body(error: Error) -> Self {
        let mut failed = Self::unknown(Kind::Body);
        failed.0.source = Some(error);
        failed
    }

    /// What was sent of it and received for it on its last connection; unknown if it ended while it was on one, and
    /// nobody could tell.
    #[must_use]
    pub const fn progress(&self) -> Option<Progress> {
        self.0.progress
    }

    /// The request again, if nothing of it was sent on any connection.
    #[must_use]
    pub fn into_request(self) -> Option<Request<Unsent>> {
        let request = self.0.request.into_inner().unwrap_or_else(PoisonError::into_inner);
        request.map(|request| *request)
    }

    /// Where the request was to go, if it said so.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.0.origin.as_deref()
    }

    /// Why the last connection to the origin could not be made, if that is why the request failed.
    #[must_use]
    pub const fn connect_error(&self) -> Option<&ConnectError> {
        self.0.unreached.as_ref()
    }

    /// How the dispatcher failed it, if it came to that: phase, cause, attempts.
    #[must_use]
    pub const fn failure(&self) -> Option<Failure> {
        match self.0.kind {
            Kind::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// The phase that it failed in.
    #[must_use]
    pub const fn phase(&self) -> RequestPhase {
        match self.0.kind {
            Kind::Failed(failure) => failure.phase,
            Kind::Body => RequestPhase::Write,
            Kind::Unreadable(_) => RequestPhase::Head,
            _ => RequestPhase::Queue,
        }
    }

    /// Whether repeating the request cannot have it take effect twice: nothing of it was sent, or it is idempotent.
    #[must_use]
    pub fn is_safe_to_repeat(&self) -> bool {
        match self.0.kind {
            Kind::Failed(failure) => failure.safe_to_repeat,
            _ => self.0.idempotent || self.0.progress == Some(Progress::NOTHING),
        }
    }

    /// What happened, if the dispatcher failed it.
    #[must_use]
    pub const fn cause(&self) -> Option<Cause> {
        match self.0.kind {
            Kind::Failed(failure) => Some(failure.cause),
            _ => None,
        }
    }

    /// Whether the name of the origin, or of its proxy, could not be resolved.
    #[must_use]
    pub const fn is_dns(&self) -> bool {
        matches!(self.phase(), RequestPhase::Resolve)
    }

    /// Whether TLS failed, the peer's certificate included.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        matches!(self.phase(), RequestPhase::Tls)
    }

    /// Whether the connection ended, or broke, before the response was there.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(
            self.cause(),
            Some(Cause::Lost(LostCause::Eof | LostCause::Reset | LostCause::Write | LostCause::Last))
        )
    }

    /// Whether what answered did not speak HTTP/1, or went beyond a limit.
    #[must_use]
    pub const fn is_malformed(&self) -> bool {
        matches!(self.cause(), Some(Cause::Lost(LostCause::Malformed))) || matches!(self.0.kind, Kind::Unreadable(_))
    }

    /// Whether the body of the request failed, or was not as long as it had announced.
    #[must_use]
    pub const fn is_body(&self) -> bool {
        matches!(self.0.kind, Kind::Body)
    }

    /// Whether the request makes no sense, and nothing was tried.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self.0.kind, Kind::Unsendable(_) | Kind::NoOrigin)
    }

    /// Why the client did not take it, or let go of it: its queue is full, or it shuts down.
    #[must_use]
    pub const fn refused_by_client(&self) -> Option<Refused> {
        match self.0.kind {
            Kind::Refused(refused) => Some(refused),
            _ => None,
        }
    }

    /// Whether no connection could be made, or not in time: name, address, proxy and TLS included.
    #[must_use]
    pub const fn is_connect(&self) -> bool {
        matches!(self.cause(), Some(Cause::Connect(_)))
            || matches!(
                self.phase(),
                RequestPhase::Resolve | RequestPhase::Connect | RequestPhase::Proxy | RequestPhase::Tls
            )
    }

    /// Whether it waited too long for a place among the connections that there may be: others are in flight, or their
    /// responses are held and not read. Which limit that was, [`cause`](Self::cause) tells.
    #[must_use]
    pub const fn is_place_timeout(&self) -> bool {
        matches!(self.cause(), Some(Cause::NoPlace { .. }))
    }

    /// Whether a deadline passed.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(
            self.cause(),
            Some(
                Cause::Deadline
                    | Cause::NoPlace { .. }
                    | Cause::Lost(LostCause::TimedOut)
                    | Cause::Connect(ConnectCause::TimedOut)
            )
        )
    }

    /// What `error.type` is of it, as whoever measures is told.
    pub(super) fn word(&self) -> &'static str {
        match self.0.kind {
            _ if self.is_timeout() => "timeout",
            _ if self.is_dns() => "name_not_resolved",
            _ if self.is_tls() => "tls_error",
            Kind::Failed(Failure { phase: RequestPhase::Proxy, .. }) => "proxy_error",
            _ if self.is_connect() => "connect_error",
            _ if self.is_malformed() => "protocol_error",
            Kind::Refused(_) => "refused",
            Kind::Unsendable(_) | Kind::NoOrigin => "invalid_message",
            Kind::Body => "body_error",
            Kind::NoRuntime => "cancelled",
            _ => "connection_closed",
        }
    }

    const fn advice(&self, safe: bool) -> &'static str {
        match (safe, self.0.progress) {
            (true, Some(Progress::NOTHING)) => "nothing of it was sent: safe to repeat",
            (true, _) => "safe to repeat",
            (false, _) => "it may have taken effect: ask the origin before repeating it",
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.0.origin {
            write!(f, "{origin}: ")?;
        }
        let advice = self.advice(self.is_safe_to_repeat());
        match &self.0.kind {
            Kind::Failed(Failure { phase, cause, why, .. }) => {
                write!(f, "failed while {phase}: ")?;
                match (cause, &self.0.unreached) {
                    (Cause::Connect(_), Some(error)) => error.fmt(f)?,
                    (_, Some(error)) => write!(f, "{cause}, and before it: {error}")?,
                    (_, None) => cause.fmt(f)?,
                }
                write!(f, "; not tried again, for {why}; {advice}")
            }
            Kind::Refused(refused) => write!(f, "not taken, for {refused}; {advice}"),
            Kind::Unsendable(what) => write!(f, "it cannot be sent: {what}; nothing was tried"),
            Kind::Unreadable(what) => write!(f, "its response cannot be told: {what}; {advice}"),
            Kind::NoOrigin => f.write_str(NO_ORIGIN),
            Kind::NoRuntime => {
                write!(f, "a request is waited for on a runtime, and there is none here; {advice}")
            }
            Kind::Body => write!(f, "failed while sending the request: its body failed; {advice}"),
        }
    }
}

impl fmt::Debug for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the request: its URI and its fields are nobody's business.
        f.debug_struct("RequestError")
            .field("kind", &self.0.kind)
            .field("origin", &self.0.origin)
            .field("source", &self.source())
            .field("progress", &self.0.progress)
            .field("is_safe_to_repeat", &self.is_safe_to_repeat())
            .finish_non_exhaustive()
    }
}

impl StdError for RequestError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.unreached {
            Some(error) => error.behind(),
            None => self.0.source.as_ref().map(behind),
        }
    }
}

/// What is behind the end of a connection.
fn behind(error: &Error) -> &(dyn StdError + 'static) {
    match error {
        #[cfg(feature = "tls")]
        Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(tls) => tls,
            None => error,
        },
        #[cfg(not(feature = "tls"))]
        Error::Io(error) => error,
        Error::Protocol(error) => error,
        Error::Misuse(misuse) => misuse,
        Error::Body(error) => &**error,
        Error::Closed(_) => error,
    }
}
