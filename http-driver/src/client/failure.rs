//! How a request of a client ended without a response.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::Request;
use http_core::dispatch::{Cause, ConnectCause, Failure, LostCause, Progress, Refused, RequestPhase};

use super::connect_error::ConnectError;
use super::job::Job;
use super::origin::Origin;
use super::payload::Unsent;
use crate::convert::Unconvertible;
use crate::error::Error;

/// A request that got no response: in which phase, why, and whether it may be repeated.
///
/// ```
/// fn advise(error: &http_driver::client::RequestError) -> &'static str {
///     if error.is_safe_to_repeat() { "try again" } else { "ask the server first" }
/// }
/// ```
#[derive(Debug)]
pub struct RequestError {
    kind: Kind,
    /// What the connection said last.
    source: Option<Error>,
    /// Where it was to go, and what became of the last attempt to get there.
    whence: Option<Whence>,
    /// How far it had come on its last connection, where that is known.
    progress: Option<Progress>,
    /// The request, if nothing of it was sent. Behind a lock that nobody waits for, since a body need not be `Sync`,
    /// and an error should be.
    request: Mutex<Option<Box<Request<Unsent>>>>,
}

/// Where a request was to go, and why the last connection there could not be made, if that was so.
#[derive(Debug)]
pub(super) struct Whence {
    pub(super) origin: Arc<Origin>,
    pub(super) unreached: Option<ConnectError>,
}

#[derive(Debug)]
enum Kind {
    Failed(Failure),
    Refused(Refused),
    Unsendable(Unconvertible),
    NoOrigin,
    NoRuntime,
    Body,
}

impl RequestError {
    const fn new(kind: Kind) -> Self {
        Self { kind, source: None, whence: None, progress: Some(Progress::NOTHING), request: Mutex::new(None) }
    }

    pub(super) fn failed(mut failure: Failure, mut whence: Option<Whence>, job: Option<Job>) -> Self {
        let unreached = whence.as_mut().map(|whence| &mut whence.unreached);
        if let Some(unreached) = unreached {
            let is_it = |error: &ConnectError| match failure.cause {
                Cause::Connect(cause) => cause == error.cause(),
                Cause::Deadline => failure.phase == RequestPhase::Connect,
                _ => false,
            };
            *unreached = unreached.take().filter(is_it);
            if let Some(unreached) = unreached {
                failure.phase = unreached.phase();
            }
        }
        let (source, progress, unsent) = match job {
            Some(mut job) => (job.error.take(), job.progress, job.into_unsent()),
            None => (None, None, None),
        };
        Self { kind: Kind::Failed(failure), source, whence, progress, request: Mutex::new(unsent) }
    }

    pub(super) fn refused(refused: Refused, unsent: Option<Box<Request<Unsent>>>) -> Self {
        Self { request: Mutex::new(unsent), ..Self::new(Kind::Refused(refused)) }
    }

    /// Of one that was open when its client was cut.
    pub(super) fn cut(job: Option<Job>) -> Self {
        let Some(job) = job else { return Self { progress: None, ..Self::new(Kind::Refused(Refused::Draining)) } };
        let progress = job.progress;
        Self { progress, ..job.refused(Refused::Draining) }
    }

    pub(super) const fn no_runtime() -> Self {
        Self::new(Kind::NoRuntime)
    }

    pub(super) const fn unsendable(what: Unconvertible) -> Self {
        Self::new(Kind::Unsendable(what))
    }

    pub(super) const fn no_origin() -> Self {
        Self::new(Kind::NoOrigin)
    }

    pub(super) fn body(error: Error) -> Self {
        Self { source: Some(error), progress: None, ..Self::new(Kind::Body) }
    }

    /// What was sent of it and received for it on its last connection; unknown if it ended while it was on one.
    #[must_use]
    pub const fn progress(&self) -> Option<Progress> {
        self.progress
    }

    /// The request again, if nothing of it was sent on any connection.
    #[must_use]
    pub fn into_request(self) -> Option<Request<Unsent>> {
        let request = self.request.into_inner().unwrap_or_else(PoisonError::into_inner);
        request.map(|request| *request)
    }

    /// How the dispatcher failed it, if it came to that: phase, cause, attempts.
    #[must_use]
    pub const fn failure(&self) -> Option<Failure> {
        match self.kind {
            Kind::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// The phase that it failed in.
    #[must_use]
    pub const fn phase(&self) -> RequestPhase {
        match self.kind {
            Kind::Failed(failure) => failure.phase,
            Kind::Body => RequestPhase::Write,
            _ => RequestPhase::Queue,
        }
    }

    /// Whether repeating the request cannot have it take effect twice: nothing of it was sent, or it is idempotent.
    #[must_use]
    pub const fn is_safe_to_repeat(&self) -> bool {
        match self.kind {
            Kind::Failed(failure) => failure.safe_to_repeat,
            Kind::Body => false,
            _ => true,
        }
    }

    /// What happened, if the dispatcher failed it.
    #[must_use]
    pub const fn cause(&self) -> Option<Cause> {
        match self.kind {
            Kind::Failed(failure) => Some(failure.cause),
            _ => None,
        }
    }

    /// Whether the name of the origin could not be resolved.
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
        matches!(self.cause(), Some(Cause::Lost(LostCause::Malformed)))
    }

    /// Whether the body of the request failed.
    #[must_use]
    pub const fn is_body(&self) -> bool {
        matches!(self.kind, Kind::Body)
    }

    /// Whether the request makes no sense, and nothing was tried.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self.kind, Kind::Unsendable(_) | Kind::NoOrigin)
    }

    /// Why the client did not take it, or let go of it: its queue is full, or it shuts down.
    #[must_use]
    pub const fn refused_by_client(&self) -> Option<Refused> {
        match self.kind {
            Kind::Refused(refused) => Some(refused),
            _ => None,
        }
    }

    /// Whether no connection could be made.
    #[must_use]
    pub const fn is_connect(&self) -> bool {
        matches!(self.kind, Kind::Failed(Failure { cause: Cause::Connect(_), .. }))
    }

    /// Whether a deadline passed.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(
            self.kind,
            Kind::Failed(Failure {
                cause: Cause::Deadline | Cause::Lost(LostCause::TimedOut) | Cause::Connect(ConnectCause::TimedOut),
                ..
            })
        )
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(whence) = &self.whence {
            write!(f, "{}: ", whence.origin)?;
        }
        match &self.kind {
            Kind::Failed(failure) => failure.fmt(f),
            Kind::Refused(refused) => refused.fmt(f),
            Kind::Unsendable(what) => what.fmt(f),
            Kind::NoOrigin => f.write_str("the URI names no origin: give it a scheme and a host"),
            Kind::NoRuntime => f.write_str("a request is waited for on a runtime, and there is none here"),
            Kind::Body => f.write_str("the body of the request failed; it was sent in part"),
        }
    }
}

impl core::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        let unreached = self.whence.as_ref().and_then(|whence| whence.unreached.as_ref());
        match unreached {
            Some(error) => error.origin_of_it(),
            None => self.source.as_ref().map(|error| error as _),
        }
    }
}
