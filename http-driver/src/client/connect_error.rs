//! Why there is no transport to an origin, down to what the system, TLS or a proxy said.

use core::fmt;
use std::error::Error;
use std::io;
use std::sync::Arc;

use http::StatusCode;
use http_core::dispatch::{ConnectCause, RequestPhase};

/// Why a [`Connector`](super::Connector) made no transport. A cheap handle, for it is told to every request that waits
/// for the connection: see [`RequestError`](super::RequestError).
///
/// The cause decides whether it is tried again; [`source`](Error::source) is what the cause was derived from, as it
/// came: an [`io::Error`], an error of `rustls`, a [`ProxyStatus`], or what a connector of your own has to tell.
///
/// ```
/// use std::error::Error;
/// use std::io;
/// use http_core::dispatch::ConnectCause;
/// use http_driver::client::ConnectError;
///
/// let refused = ConnectError::from(io::Error::from(io::ErrorKind::ConnectionRefused));
/// assert_eq!((refused.cause(), refused.to_string()), (ConnectCause::Refused, "connection refused".to_owned()));
/// assert!(refused.source().unwrap().is::<io::Error>());
/// assert!(ConnectError::from(ConnectCause::NoSuchName).source().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct ConnectError {
    cause: ConnectCause,
    phase: RequestPhase,
    /// More than the cause can say: what to do about it.
    words: Option<&'static str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ConnectError {
    /// With what it was derived from.
    ///
    /// ```
    /// use http_core::dispatch::ConnectCause;
    /// let error = http_driver::client::ConnectError::new(ConnectCause::Forbidden, "not on Sundays");
    /// assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "not on Sundays");
    /// ```
    #[must_use]
    pub fn new(cause: ConnectCause, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(Arc::from(source.into())), ..Self::from(cause) }
    }

    /// Nothing can be had with these settings, or with what was compiled: `words` say what to do.
    pub(super) fn misconfigured(words: &'static str) -> Self {
        Self { words: Some(words), ..Self::from(ConnectCause::Misconfigured) }
    }

    /// There was no more time for it; what was being done, if it was said.
    pub(super) fn late(phase: Option<RequestPhase>) -> Self {
        let error = Self::from(ConnectCause::TimedOut);
        Self { phase: phase.unwrap_or(error.phase), ..error }
    }

    /// What was being done, where the cause alone does not tell.
    #[cfg(any(feature = "tls", feature = "proxy"))]
    pub(super) fn during(self, phase: RequestPhase) -> Self {
        Self { phase, ..self }
    }

    /// What it means for the next attempt.
    #[must_use]
    pub const fn cause(&self) -> ConnectCause {
        self.cause
    }

    /// What was being done.
    #[must_use]
    pub const fn phase(&self) -> RequestPhase {
        self.phase
    }

    /// What it was derived from.
    pub(super) fn behind(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.words, self.behind().and_then(|source| source.downcast_ref::<ProxyStatus>())) {
            (Some(words), _) => f.write_str(words),
            (None, Some(status)) => status.fmt(f),
            (None, None) if self.cause == ConnectCause::TimedOut => write!(f, "{} took too long", self.phase),
            (None, None) => {
                self.cause.fmt(f)?;
                match self.behind().filter(|_| self.cause == ConnectCause::Misconfigured) {
                    Some(which) => write!(f, ": {which}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.behind()
    }
}

impl From<ConnectCause> for ConnectError {
    fn from(cause: ConnectCause) -> Self {
        Self { cause, phase: cause.phase(), words: None, source: None }
    }
}

/// An error of `rustls` that stands in it, as one of reading from TLS does, is its source by itself.
impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        #[cfg(feature = "tls")]
        let error = match error.downcast::<rustls::Error>() {
            Ok(tls) => return Self::from(tls),
            Err(error) => error,
        };
        Self::new(connect_cause(&error), error)
    }
}

#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
impl From<rustls::Error> for ConnectError {
    fn from(error: rustls::Error) -> Self {
        let cause = match error {
            rustls::Error::InvalidCertificate(_) => ConnectCause::BadCertificate,
            _ => ConnectCause::Tls,
        };
        Self::new(cause, error)
    }
}

/// The cause that an error of the system stands for.
///
/// ```
/// use http_core::dispatch::ConnectCause;
/// let refused = std::io::ErrorKind::ConnectionRefused.into();
/// assert_eq!(http_driver::client::connect_cause(&refused), ConnectCause::Refused);
/// ```
#[must_use]
pub fn connect_cause(error: &io::Error) -> ConnectCause {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => ConnectCause::Refused,
        ErrorKind::TimedOut => ConnectCause::TimedOut,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => ConnectCause::Reset,
        ErrorKind::PermissionDenied => ConnectCause::Forbidden,
        ErrorKind::InvalidInput | ErrorKind::Unsupported => ConnectCause::Misconfigured,
        // No ephemeral port is free, or no address of this family is there; a moment later there may be.
        ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse | ErrorKind::WouldBlock | ErrorKind::OutOfMemory => {
            ConnectCause::Exhausted
        }
        _ if error.raw_os_error().is_some_and(|code| EXHAUSTED.contains(&code)) => ConnectCause::Exhausted,
        _ => ConnectCause::Unreachable,
    }
}

/// `ENFILE`, `EMFILE` and `ENOBUFS`, which have no kind of their own.
#[cfg(any(target_os = "linux", target_os = "android"))]
const EXHAUSTED: [i32; 3] = [23, 24, 105];
/// The same on systems that descend from BSD.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const EXHAUSTED: [i32; 3] = [23, 24, 55];
/// `WSAEMFILE` and `WSAENOBUFS`.
#[cfg(not(unix))]
const EXHAUSTED: [i32; 2] = [10_024, 10_055];

/// How much hope there is behind a cause, where several addresses of one name have failed: what shows that somebody is
/// there comes first, what waiting does not help comes last.
pub(super) const fn hope(cause: ConnectCause) -> u8 {
    match cause {
        ConnectCause::Refused => 9,
        ConnectCause::Reset => 8,
        ConnectCause::TimedOut => 7,
        ConnectCause::Exhausted => 6,
        _ if cause.is_transient() => 5,
        ConnectCause::Misconfigured => 0,
        _ => 1,
    }
}

/// What a proxy answered that was asked for the way to an origin, and did not give it (RFC 9110 §9.3.6).
///
/// ```
/// fn wants_a_password(error: &http_driver::client::RequestError) -> bool {
///     let source = std::error::Error::source(error);
///     let status = source.and_then(|source| source.downcast_ref::<http_driver::client::ProxyStatus>());
///     status.is_some_and(|status| status.status().as_u16() == 407)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyStatus(pub(super) StatusCode);

impl ProxyStatus {
    /// The status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.0
    }
}

impl fmt::Display for ProxyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy answered {}", self.0)
    }
}

impl Error for ProxyStatus {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    #[test]
    fn what_passes_by_waiting_is_tried_again() {
        for (error, cause) in [
            (ErrorKind::ConnectionRefused.into(), ConnectCause::Refused),
            (ErrorKind::TimedOut.into(), ConnectCause::TimedOut),
            (ErrorKind::ConnectionReset.into(), ConnectCause::Reset),
            (ErrorKind::AddrNotAvailable.into(), ConnectCause::Exhausted),
            (ErrorKind::AddrInUse.into(), ConnectCause::Exhausted),
            (ErrorKind::WouldBlock.into(), ConnectCause::Exhausted),
            (ErrorKind::HostUnreachable.into(), ConnectCause::Unreachable),
            (ErrorKind::NetworkDown.into(), ConnectCause::Unreachable),
            (ErrorKind::PermissionDenied.into(), ConnectCause::Forbidden),
            (ErrorKind::InvalidInput.into(), ConnectCause::Misconfigured),
            (io::Error::other("who knows"), ConnectCause::Unreachable),
        ] {
            assert_eq!(connect_cause(&error), cause, "{error:?}");
        }
        for code in EXHAUSTED {
            assert_eq!(connect_cause(&io::Error::from_raw_os_error(code)), ConnectCause::Exhausted, "{code}");
        }
    }

    #[test]
    fn there_is_more_hope_in_what_passes() {
        let all = [
            ConnectCause::Refused,
            ConnectCause::Reset,
            ConnectCause::TimedOut,
            ConnectCause::Exhausted,
            ConnectCause::Unreachable,
            ConnectCause::ResolveTemporary,
            ConnectCause::Forbidden,
            ConnectCause::NoSuchName,
            ConnectCause::Misconfigured,
        ];
        assert!(all.is_sorted_by_key(|cause| core::cmp::Reverse(hope(*cause))));
        assert!(all.is_sorted_by_key(|cause| !cause.is_transient()));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn an_error_of_tls_is_found_in_that_of_a_stream() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        let error = ConnectError::from(io::Error::new(ErrorKind::InvalidData, tls));
        assert_eq!((error.cause(), error.phase()), (ConnectCause::BadCertificate, RequestPhase::Tls));
        assert!(error.source().is_some_and(|source| source.is::<rustls::Error>()));
    }
}
