//! How a request of a client ended without a response.

use core::fmt;

use http_core::dispatch::{Cause, ConnectCause, Failure, LostCause, Phase, Refused};

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
}

#[derive(Debug)]
enum Kind {
    Failed(Failure),
    Refused(Refused),
    Unsendable(Unconvertible),
    NoOrigin,
    Body,
}

impl RequestError {
    pub(super) const fn failed(failure: Failure, source: Option<Error>) -> Self {
        Self { kind: Kind::Failed(failure), source }
    }

    pub(super) const fn refused(refused: Refused) -> Self {
        Self { kind: Kind::Refused(refused), source: None }
    }

    pub(super) const fn unsendable(what: Unconvertible) -> Self {
        Self { kind: Kind::Unsendable(what), source: None }
    }

    pub(super) const fn no_origin() -> Self {
        Self { kind: Kind::NoOrigin, source: None }
    }

    pub(super) const fn body(error: Error) -> Self {
        Self { kind: Kind::Body, source: Some(error) }
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
    pub const fn phase(&self) -> Phase {
        match self.kind {
            Kind::Failed(failure) => failure.phase,
            Kind::Body => Phase::Write,
            _ => Phase::Queue,
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
        match &self.kind {
            Kind::Failed(failure) => failure.fmt(f),
            Kind::Refused(refused) => refused.fmt(f),
            Kind::Unsendable(what) => what.fmt(f),
            Kind::NoOrigin => f.write_str("the URI names no origin: give it a scheme and a host"),
            Kind::Body => f.write_str("the body of the request failed; it was sent in part"),
        }
    }
}

impl core::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}
