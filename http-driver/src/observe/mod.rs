//! What both sides tell of their exchanges to whoever measures: [`Metrics`], [`Timings`] and, with the feature
//! `tracing`, spans.
//!
//! Nothing of it is done where nobody asks: a server without [`Options::metrics`](crate::server::Options::metrics), a
//! client without [`Builder::metrics`](crate::client::Builder::metrics) and
//! [`Builder::timings`](crate::client::Builder::timings), and a program without a subscriber of `tracing`, look at the
//! clock no more often and keep nothing.
//!
//! # Spans
//! With the feature `tracing` an exchange is a span `HTTP request` of level `INFO`, and a connection one of level
//! `DEBUG`, with OpenTelemetry's names for HTTP. Targets are `http_driver::server` and `http_driver::client`, so that
//! either can be left out: the requests of an exporter, say, that would make others.
//!
//! | | server | client |
//! |---|---|---|
//! | parent | none: it begins a trace, unless the service gives it a parent; it follows from its connection | the caller's current span, where the request is polled first, or where it was made |
//! | from, to | the head was read; the response was sent | the first poll; the end of the content, or when that is dropped |
//! | within it | the service, the polls of its body | the polls of the request's body, [`OnInterim`](crate::client::OnInterim) |
//! | at once | `otel.kind`, `otel.name`, `http.request.method`, `url.scheme`, `url.path`, `server.address`, `server.port`, `client.address`, `client.port`, `network.protocol.version`, `http.connection` | `otel.kind`, `otel.name`, `http.request.method`, `url.full`, `server.address`, `server.port` |
//! | at its end | `http.response.status_code`, `error.type`, `otel.status_code`, `http.request.body.size`, `http.response.body.size` | the same, `network.protocol.version`, `http.request.resend_count` |
//!
//! `url.full` has neither userinfo nor query; no span or event has a field, a query or content of a message in it. A
//! retry, a refusal and whatever else is an [`Incident`](crate::server::Incident) are events in the span that they are
//! of, with their rule. At level `TRACE` events tell the phases of the machines, and of connections that are made.
//! Whether there is a subscriber is asked when a connection begins on a server, for each request on a client.

mod kind;
mod metrics;
#[cfg(not(feature = "tracing"))]
mod no_spans;
#[cfg(feature = "tracing")]
mod spans;
mod timings;
mod watched;

pub(crate) use kind::error_type;
pub use metrics::{ConnectionFacts, Metrics, RequestEnd, RequestFacts, Role};
pub(crate) use metrics::{Opened, Tone};
#[cfg(not(feature = "tracing"))]
pub(crate) use no_spans::{Caller, Span};
#[cfg(feature = "tracing")]
pub(crate) use spans::{Caller, Span};
pub(crate) use timings::Made;
pub use timings::Timings;
pub(crate) use watched::Watched;
