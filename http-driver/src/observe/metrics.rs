//! Whoever counts and measures.

use core::fmt;
use core::time::Duration;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Method, StatusCode, Version};
use http_core::dispatch::Why;

use super::timings::Timings;

/// Whoever counts and measures what a server or a client does: given to
/// [`Options::metrics`](crate::server::Options::metrics) or [`Builder::metrics`](crate::client::Builder::metrics). One
/// may be given to both, and tells them apart by the [`Role`].
///
/// What is begun is ended, once, however that comes about: a future that is dropped, a panic of a service, a shutdown,
/// a runtime that is gone. So what is counted up and down is 0 when nothing goes on any more.
///
/// | instrument of OpenTelemetry | of what |
/// |---|---|
/// | `http.server.request.duration`, `http.client.request.duration` | [`RequestEnd::duration`] |
/// | `http.server.active_requests`, `http.client.active_requests` | up with [`request_begun`](Self::request_begun), down with [`request_ended`](Self::request_ended) |
/// | `http.server.request.body.size`, `http.client.request.body.size` | [`Timings::request_content`] |
/// | `http.server.response.body.size`, `http.client.response.body.size` | [`Timings::response_content`] |
/// | `http.client.open_connections` | up with [`connection_opened`](Self::connection_opened), down with [`connection_closed`](Self::connection_closed) |
/// | `http.client.request.time_in_queue`, which is .NET's | [`Timings::queued`] |
///
/// Their attributes are those of [`RequestFacts`] and [`RequestEnd`]. OpenTelemetry has no instrument for retries:
/// [`request_retried`](Self::request_retried) is there to be counted.
///
/// A server's request is one that its service was given, from the moment when its head was read until its response was
/// sent. A client's begins when its future is polled first, and ends with the response's content, or when that is
/// dropped; one that makes no sense is none.
///
/// It is called where things happen, so it must not block, and not panic. Nothing is locked meanwhile that it could
/// wait for.
///
/// ```
/// use std::sync::atomic::{AtomicI64, Ordering};
/// use http_driver::observe::{Metrics, RequestEnd, RequestFacts};
///
/// /// Counts what goes on, and prints what has ended.
/// #[derive(Default)]
/// struct Printed(AtomicI64);
///
/// impl Metrics for Printed {
///     fn request_begun(&self, _: &RequestFacts) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
///     fn request_ended(&self, request: &RequestFacts, end: &RequestEnd<'_>) {
///         let active = self.0.fetch_sub(1, Ordering::Relaxed) - 1;
///         println!("http.{}.request.duration = {:?}, {active} go on", request.role(), end.duration());
///     }
/// }
/// let options = http_driver::server::Options::default().metrics(std::sync::Arc::new(Printed::default()));
/// # let _ = options;
/// ```
pub trait Metrics: Send + Sync {
    /// A request goes on from here.
    fn request_begun(&self, request: &RequestFacts) {
        let _ = request;
    }

    /// A client's request is sent again, for this reason.
    fn request_retried(&self, request: &RequestFacts, why: Why) {
        let _ = (request, why);
    }

    /// A request has ended.
    fn request_ended(&self, request: &RequestFacts, end: &RequestEnd<'_>) {
        let _ = (request, end);
    }

    /// A connection is there: accepted, before its handshake, or made.
    fn connection_opened(&self, connection: &ConnectionFacts) {
        let _ = connection;
    }

    /// It is gone, or was handed over; a server's that is handed over counts for as long as its shutdown watches it.
    fn connection_closed(&self, connection: &ConnectionFacts) {
        let _ = connection;
    }
}

/// Which side of a connection tells.
///
/// ```
/// assert_eq!(http_driver::observe::Role::Client.to_string(), "client");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A server.
    Server,
    /// A client.
    Client,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Client => "client",
        })
    }
}

/// What is known of a request from its beginning. Each is an attribute of OpenTelemetry, fit to be counted by, but for
/// the address on a server, which its clients choose.
///
/// ```
/// fn key(request: &http_driver::observe::RequestFacts) -> (&str, Option<&str>, Option<u16>) {
///     (request.method(), request.server_address(), request.server_port())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestFacts {
    role: Role,
    method: &'static str,
    scheme: &'static str,
    address: Option<String>,
    port: Option<u16>,
}

impl RequestFacts {
    pub(crate) fn new(role: Role, method: &Method, scheme: &'static str, place: Option<(&str, Option<u16>)>) -> Self {
        let (address, port) = match place {
            Some((address, port)) => (Some(address.to_owned()), port),
            None => (None, None),
        };
        Self { role, method: known(method), scheme, address, port }
    }

    /// Which side tells.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// `http.request.method`: one of RFC 9110 §9 and RFC 5789, or `_OTHER`.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// `url.scheme`: `http` or `https`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// `server.address`: the host that the request is for.
    #[must_use]
    pub fn server_address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// `server.port`; none on a server if its client named none.
    #[must_use]
    pub const fn server_port(&self) -> Option<u16> {
        self.port
    }
}

/// The name of a method that is known to everybody: others may be anything, and as many.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}

/// How a request ended.
///
/// ```
/// fn failed(end: &http_driver::observe::RequestEnd<'_>) -> Option<String> {
///     end.error_type().map(|error| format!("{error} after {:?}", end.duration()))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RequestEnd<'a> {
    pub(super) status: Option<StatusCode>,
    pub(super) version: Option<Version>,
    pub(super) error: Option<&'a str>,
    pub(super) duration: Duration,
    pub(super) timings: &'a Timings,
}

impl<'a> RequestEnd<'a> {
    /// `http.response.status_code`: that of the final response, if it came to one.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// `network.protocol.version`: of the request on a server, of the response on a client.
    #[must_use]
    pub fn version(&self) -> Option<&'static str> {
        self.version.map(|version| if version == Version::HTTP_10 { "1.0" } else { "1.1" })
    }

    /// `error.type`: the status if that tells of an error, 5xx on a server and 4xx as well on a client; otherwise a
    /// word for what went wrong, of which there are few.
    ///
    /// | word | what |
    /// |---|---|
    /// | `timeout` | a deadline passed |
    /// | `connection_closed`, `io_error` | the connection ended or broke first |
    /// | `protocol_error` | the peer broke a rule |
    /// | `service_error`, `panic` | a server's service failed |
    /// | `body_error`, `invalid_message` | what was to be sent failed, or may not be sent |
    /// | `shutdown` | cut by it |
    /// | `cancelled` | a future was dropped |
    /// | `name_not_resolved`, `connect_error`, `proxy_error`, `tls_error` | a client's connection could not be made |
    /// | `refused` | the client did not take it: its queue is full, or it shuts down |
    #[must_use]
    pub const fn error_type(&self) -> Option<&'a str> {
        self.error
    }

    /// How long it took in all.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.duration
    }

    /// When what of it happened, and how much content there was.
    #[must_use]
    pub const fn timings(&self) -> &'a Timings {
        self.timings
    }
}

/// What is known of a connection when it begins.
///
/// ```
/// fn key(connection: &http_driver::observe::ConnectionFacts) -> (Option<&str>, Option<u16>) {
///     (connection.server_address(), connection.server_port())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionFacts {
    pub(crate) role: Role,
    pub(crate) origin: Option<(String, u16)>,
    pub(crate) peer: Option<SocketAddr>,
}

impl ConnectionFacts {
    /// Which side tells.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// `server.address`: the host of the origin that a client's connection is for.
    #[must_use]
    pub fn server_address(&self) -> Option<&str> {
        self.origin.as_ref().map(|(address, _)| &**address)
    }

    /// `server.port` of the same.
    #[must_use]
    pub fn server_port(&self) -> Option<u16> {
        self.origin.as_ref().map(|(_, port)| *port)
    }

    /// `network.peer.address` and `network.peer.port`: who is at the other end, if that is known yet.
    #[must_use]
    pub const fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }
}

/// Whose concern it is what is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Ours: somebody should look into it.
    Ours,
    /// It is what peers do every day.
    Usual,
}

/// A connection that was told of. Dropped, its end is.
pub(crate) struct Opened {
    metrics: Arc<dyn Metrics>,
    facts: ConnectionFacts,
}

impl Opened {
    pub(crate) fn new(metrics: Arc<dyn Metrics>, facts: ConnectionFacts) -> Self {
        metrics.connection_opened(&facts);
        Self { metrics, facts }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.metrics.connection_closed(&self.facts);
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Opened").field(&self.facts).finish()
    }
}
