//! Spans and events of `tracing`, with OpenTelemetry's names for HTTP.

use core::fmt;
use core::future::Future;
use std::net::SocketAddr;

use http::{Method, Request, StatusCode, Uri, Version};
use http_core::Phase;
use http_core::dispatch::{RequestPhase, Why};
use http_core::model::{Action, Input, Tap};
use tracing::field::{Empty, display};
use tracing::{Instrument, Level, debug_span, enabled, event, info_span};

use super::metrics::{ConnectionFacts, RequestEnd, RequestFacts, Role, Tone};
use crate::link::BoxTap;

const SERVER: &str = "http_driver::server";
const CLIENT: &str = "http_driver::client";

/// A span, or none where nobody wants it.
#[derive(Clone, Debug)]
pub(crate) struct Span(tracing::Span);

/// Who has made a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller(tracing::Span);

impl Caller {
    pub(crate) fn current() -> Self {
        Self(tracing::Span::current())
    }
}

impl Span {
    pub(crate) fn none() -> Self {
        Self(tracing::Span::none())
    }

    /// Whether somebody wants to see what a server does.
    pub(crate) fn serves() -> bool {
        tracing::span_enabled!(target: SERVER, Level::INFO, "HTTP request")
    }

    /// A connection, with its number if it has one.
    pub(crate) fn of_connection(facts: &ConnectionFacts, number: Option<u64>) -> Self {
        let span = match facts.role() {
            Role::Server => debug_span!(
                target: SERVER, parent: None, "HTTP connection", "http.connection" = number,
                "network.peer.address" = Empty, "network.peer.port" = Empty,
            ),
            Role::Client => debug_span!(
                target: CLIENT, parent: None, "HTTP connection",
                "server.address" = facts.server_address(), "server.port" = facts.server_port(),
                "network.peer.address" = Empty, "network.peer.port" = Empty,
            ),
        };
        let span = Self(span);
        span.meets(facts.peer());
        span
    }

    /// Who is at the other end.
    pub(crate) fn meets(&self, peer: Option<SocketAddr>) {
        if let Some(peer) = peer.filter(|_| !self.is_none()) {
            self.0.record("network.peer.address", display(peer.ip()));
            self.0.record("network.peer.port", peer.port());
        }
    }

    /// A request that a service is given.
    pub(crate) fn of_service<B>(
        facts: &RequestFacts,
        request: &Request<B>,
        client: Option<SocketAddr>,
        number: u64,
        connection: &Self,
    ) -> Self {
        let path = Some(request.uri().path()).filter(|_| *request.method() != Method::CONNECT);
        let span = info_span!(
            target: SERVER, parent: None, "HTTP request",
            "otel.kind" = "server", "otel.name" = facts.method(), "otel.status_code" = Empty,
            "http.request.method" = facts.method(), "url.scheme" = facts.scheme(), "url.path" = path,
            "server.address" = facts.server_address(), "server.port" = facts.server_port(),
            "client.address" = client.map(|client| display(client.ip())), "client.port" = client.map(|client| client.port()),
            "network.protocol.version" = if request.version() == Version::HTTP_10 { "1.0" } else { "1.1" },
            "http.connection" = number, "http.response.status_code" = Empty, "error.type" = Empty,
            "http.request.body.size" = Empty, "http.response.body.size" = Empty,
        );
        span.follows_from(&connection.0);
        Self(span)
    }

    /// A request of a client, whose caller's current span is its parent.
    pub(crate) fn of_client(facts: impl FnOnce() -> RequestFacts, method: &Method, uri: &Uri, caller: &Caller) -> Self {
        if !tracing::span_enabled!(target: CLIENT, Level::INFO, "HTTP request") {
            return Self(tracing::Span::none());
        }
        let (facts, current) = (facts(), tracing::Span::current());
        let parent = if current.is_none() { &caller.0 } else { &current };
        let full = (*method != Method::CONNECT).then(|| full(&facts, uri));
        Self(info_span!(
            target: CLIENT, parent: parent, "HTTP request",
            "otel.kind" = "client", "otel.name" = facts.method(), "otel.status_code" = Empty,
            "http.request.method" = facts.method(), "url.full" = full,
            "server.address" = facts.server_address(), "server.port" = facts.server_port(),
            "network.protocol.version" = Empty, "http.response.status_code" = Empty, "error.type" = Empty,
            "http.request.resend_count" = Empty, "http.request.body.size" = Empty, "http.response.body.size" = Empty,
        ))
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Does something within it.
    pub(crate) fn within<O>(&self, f: impl FnOnce() -> O) -> O {
        self.0.in_scope(f)
    }

    /// A future that is polled, and dropped, within a span.
    pub(crate) fn around<F: Future>(span: Option<&Self>, future: F) -> impl Future<Output = F::Output> + use<F> {
        future.instrument(span.map_or_else(tracing::Span::none, |span| span.0.clone()))
    }

    /// Tells the phases of a machine, if somebody wants to see them.
    pub(crate) fn phases(&self, role: Role) -> Option<BoxTap> {
        let wanted = match role {
            Role::Server => enabled!(target: SERVER, Level::TRACE),
            Role::Client => enabled!(target: CLIENT, Level::TRACE),
        };
        wanted.then(|| Box::new(Phases { role, span: self.0.clone(), last: None }) as BoxTap)
    }

    /// How far a connection is that is being made.
    pub(crate) fn makes(&self, phase: RequestPhase) {
        event!(target: CLIENT, parent: &self.0, Level::TRACE, phase = %phase);
    }

    /// Something that went wrong, or was answered without the service: with the rule.
    pub(crate) fn tell(&self, tone: Tone, what: &dyn fmt::Display, section: &str, status: Option<StatusCode>) {
        let (section, status) = (Some(section).filter(|section| !section.is_empty()), status.map(|s| s.as_u16()));
        match tone {
            Tone::Ours => event!(
                target: SERVER, parent: &self.0, Level::ERROR,
                rule = section, "http.response.status_code" = status, "{what}"
            ),
            Tone::Usual => event!(
                target: SERVER, parent: &self.0, Level::INFO,
                rule = section, "http.response.status_code" = status, "{what}"
            ),
        }
    }

    /// It is sent again; the reason names its section.
    pub(crate) fn retried(&self, why: Why, resends: u32) {
        event!(
            target: CLIENT, parent: &self.0, Level::INFO, "http.request.resend_count" = resends,
            "sent again, for {why}"
        );
    }

    pub(crate) fn ended(&self, role: Role, end: &RequestEnd<'_>) {
        if self.is_none() {
            return;
        }
        if let Some(status) = end.status() {
            self.0.record("http.response.status_code", status.as_u16());
        }
        if let Some(error) = end.error_type() {
            self.0.record("error.type", error);
            self.0.record("otel.status_code", "ERROR");
        }
        let timings = end.timings();
        self.0.record("http.request.body.size", timings.request_content());
        self.0.record("http.response.body.size", timings.response_content());
        if role == Role::Client {
            if let Some(version) = end.version() {
                self.0.record("network.protocol.version", version);
            }
            if timings.resends() > 0 {
                self.0.record("http.request.resend_count", timings.resends());
            }
        }
    }
}

/// Where a request goes: without what may be secret, userinfo and query.
fn full(facts: &RequestFacts, uri: &Uri) -> String {
    let usual = if facts.scheme() == "https" { 443 } else { 80 };
    let host = facts.server_address().unwrap_or_default();
    match facts.server_port().filter(|port| *port != usual) {
        Some(port) => format!("{}://{host}:{port}{}", facts.scheme(), uri.path()),
        None => format!("{}://{host}{}", facts.scheme(), uri.path()),
    }
}

/// Tells the phases of a machine.
struct Phases {
    role: Role,
    span: tracing::Span,
    last: Option<Phase>,
}

impl Tap for Phases {
    fn step(&mut self, _: http_core::Instant, phase: Phase, _: &Input, _: &[Action]) {
        if self.last.replace(phase) == Some(phase) {
            return;
        }
        match self.role {
            Role::Server => event!(target: SERVER, parent: &self.span, Level::TRACE, %phase),
            Role::Client => event!(target: CLIENT, parent: &self.span, Level::TRACE, %phase),
        }
    }
}
