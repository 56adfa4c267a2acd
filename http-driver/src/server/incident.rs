//! What operators want to hear of: what goes wrong on a server, and what it answers by itself.

use core::error::Error as StdError;
use core::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::header::HOST;
use http::uri::Authority;
use http::{Method, Request, StatusCode, Uri};
use http_core::{Closed, Instant, Misuse, Phase, ProtocolError, Reason};

use crate::convert::Unconvertible;
use crate::error::Error;
use crate::io::Transport;
use crate::link::BoxTap;
use crate::observe::{ConnectionFacts, Metrics, Opened, RequestFacts, Role, Span, Tone, Watched, error_type};
use crate::peer::Peer;

/// Something that went wrong on a server, or that it answered without asking its service: told to the function that
/// [`Options::observe`](super::Options::observe) was given.
///
/// It says who and where, never what was said: no query, no field and no content is in it, nor in its `Display`, which
/// is one line for a log. Errors of the application speak for themselves.
///
/// ```
/// use http_driver::server::{Fault, Incident, Options};
///
/// /// Whether somebody should look into it, beyond what clients do every day.
/// fn is_ours(incident: &Incident<'_>) -> bool {
///     matches!(incident.fault(), Fault::Service(_) | Fault::Misuse(_) | Fault::Body(_) | Fault::Accept(_))
/// }
///
/// let options = Options::default().observe(|incident| {
///     if is_ours(incident) {
///         eprintln!("{incident}");
///     }
/// });
/// # let _ = options;
/// ```
#[derive(Clone, Copy)]
pub struct Incident<'a> {
    connection: Option<u64>,
    peer: Option<&'a Peer>,
    fault: Fault<'a>,
    status: Option<StatusCode>,
    phase: Phase,
    request: Option<&'a (Method, Uri)>,
}

impl<'a> Incident<'a> {
    /// No connection was there.
    pub(super) const fn nowhere(fault: Fault<'a>) -> Self {
        Self { connection: None, peer: None, fault, status: None, phase: Phase::Disconnected, request: None }
    }

    /// The number of the connection, in the order of their beginning, from 1; none if it did not come to one. Those
    /// that share the function share the numbers.
    #[must_use]
    pub const fn connection(&self) -> Option<u64> {
        self.connection
    }

    /// Who is at the other end, as the transport knew it when the connection began.
    #[must_use]
    pub const fn peer(&self) -> Option<&'a Peer> {
        self.peer
    }

    /// What happened.
    #[must_use]
    pub const fn fault(&self) -> &Fault<'a> {
        &self.fault
    }

    /// The status that was answered because of it; none if nothing was, since a response had begun or nobody was there
    /// to read it.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// How far the connection was: `Connecting` in its handshake, `Writing` while the service works or its answer is
    /// being sent.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The method of the request that the service had; none if it had none.
    #[must_use]
    pub fn method(&self) -> Option<&'a Method> {
        self.request.map(|(method, _)| method)
    }

    /// The path of that request, without its query; none for a `CONNECT`.
    #[must_use]
    pub fn path(&self) -> Option<&'a str> {
        self.request.map(|(_, uri)| uri.path()).filter(|path| !path.is_empty())
    }
}

impl fmt::Display for Incident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.connection {
            write!(f, "connection {number}")?;
            if let Some(address) = self.peer.and_then(|peer| peer.address) {
                write!(f, " from {address}")?;
            }
            write!(f, ", {}", self.phase)?;
            if let Some(method) = self.method() {
                write!(f, ", {method}")?;
            }
            if let Some(path) = self.path() {
                write!(f, " {path}")?;
            }
            f.write_str(": ")?;
        }
        write!(f, "{}", self.fault)?;
        match self.fault {
            // The others name theirs.
            Fault::Full | Fault::Closed(_) if !self.fault.section().is_empty() => {
                write!(f, " ({})", self.fault.section())?;
            }
            _ => {}
        }
        match self.status {
            Some(status) => write!(f, ", answered {}", status.as_u16()),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Incident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incident")
            .field("connection", &self.connection)
            .field("peer", &self.peer.and_then(|peer| peer.address))
            .field("fault", &self.fault)
            .field("status", &self.status)
            .field("phase", &self.phase)
            .field("method", &self.method())
            .field("path", &self.path())
            .finish()
    }
}

/// What happened in an [`Incident`]. An idle connection that ends is none, whoever ends it.
///
/// ```
/// use http_core::Closed;
/// use http_driver::server::Fault;
/// assert_eq!(Fault::Expectation.section(), "RFC 9110 §10.1.1");
/// assert_eq!(Fault::Cut.to_string(), "cut by the shutdown");
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Fault<'a> {
    /// The listener accepted no connection. The server goes on, after a rest if the system lacks something.
    Accept(&'a io::Error),
    /// What comes before HTTP failed, TLS or the header of a PROXY protocol, or took too long
    /// ([`TimedOut`](io::ErrorKind::TimedOut)).
    Handshake(&'a io::Error),
    /// The connection is beyond [`Server::max_connections`](super::Server::max_connections), and refused.
    Full,
    /// The client broke a rule, was too slow, or ended inside a message.
    Protocol(ProtocolError),
    /// The request asked for what nobody can meet.
    Expectation,
    /// The request has no form for services.
    Request(Unconvertible),
    /// The service failed, or was not ready and never will be.
    Service(&'a (dyn StdError + Send + Sync + 'static)),
    /// What the application answered may not be sent: its head, or content of another length than was announced. If
    /// nothing of it was, 500 was answered; else the connection is cut.
    Misuse(Misuse),
    /// The body of a response failed, and the connection is cut.
    Body(&'a (dyn StdError + Send + Sync + 'static)),
    /// The connection ended, or was given up by a deadline, while a request was being answered or its answer sent.
    Closed(Closed),
    /// The transport broke then.
    Io(&'a io::Error),
    /// The shutdown ended the connection, or the tunnel, whatever it was doing.
    Cut,
    /// The connection was handed over, and nobody took it: every [`Upgrade`](crate::Upgrade) was dropped.
    NotTaken,
}

impl<'a> Fault<'a> {
    /// What ended a connection with this error.
    fn of(error: &'a Error) -> Self {
        match error {
            Error::Protocol(error) => Self::Protocol(*error),
            Error::Misuse(misuse) => Self::Misuse(*misuse),
            Error::Body(error) => Self::Body(&**error),
            Error::Closed(why) => Self::Closed(*why),
            Error::Io(error) => Self::Io(error),
        }
    }
}

impl Fault<'_> {
    /// What the exchange that it happens in ends with.
    fn word(&self) -> Option<&'static str> {
        match self {
            Self::Protocol(error) => error_type(&(*error).into()),
            Self::Service(_) => Some("service_error"),
            Self::Misuse(misuse) => error_type(&(*misuse).into()),
            Self::Body(_) => Some("body_error"),
            Self::Closed(why) => error_type(&Error::Closed(*why)),
            Self::Io(_) => Some("io_error"),
            Self::Cut => Some("shutdown"),
            _ => None,
        }
    }

    const fn tone(&self) -> Tone {
        match self {
            Self::Accept(_) | Self::Service(_) | Self::Misuse(_) | Self::Body(_) | Self::NotTaken => Tone::Ours,
            _ => Tone::Usual,
        }
    }

    /// The section that states the rule, or what was answered; `limit` where a limit of ours was met, empty where no
    /// section says anything.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        match self {
            Self::Full => "RFC 9110 §15.6.4",
            Self::Protocol(error) => error.reason().section(),
            Self::Expectation => Reason::Expectation.section(),
            Self::Closed(why) => why.section(),
            _ => "",
        }
    }
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accept(error) => write!(f, "no connection was accepted: {error}"),
            Self::Handshake(error) => write!(f, "the handshake failed: {error}"),
            Self::Full => f.write_str("refused, as there are too many connections"),
            Self::Protocol(error) => write!(f, "the peer broke a rule {error}"),
            Self::Expectation => Reason::Expectation.fmt(f),
            Self::Request(error) => error.fmt(f),
            Self::Service(error) => write!(f, "the service failed: {error}"),
            Self::Misuse(misuse) => write!(f, "the response may not be sent: {misuse}"),
            Self::Body(error) => write!(f, "the body of the response failed: {error}"),
            Self::Closed(why) => write!(f, "the connection ended first: {why}"),
            Self::Io(error) => write!(f, "the transport broke: {error}"),
            Self::Cut => f.write_str("cut by the shutdown"),
            Self::NotTaken => f.write_str("nobody took the connection that was handed over"),
        }
    }
}

impl StdError for Fault<'_> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Accept(error) | Self::Handshake(error) | Self::Io(error) => Some(*error),
            Self::Service(error) | Self::Body(error) => Some(*error),
            _ => None,
        }
    }
}

type Function = dyn Fn(&Incident<'_>) + Send + Sync;

/// Who is told.
#[derive(Clone, Default)]
pub(super) struct Observer(Arc<Told>);

#[derive(Default)]
struct Told {
    /// The number of the last connection.
    last: AtomicU64,
    function: Option<Arc<Function>>,
    metrics: Option<Arc<dyn Metrics>>,
}

impl Observer {
    /// The function is told as well.
    pub(super) fn with_function(&self, function: impl Fn(&Incident<'_>) + Send + Sync + 'static) -> Self {
        let metrics = self.0.metrics.clone();
        Self(Arc::new(Told { last: AtomicU64::new(0), function: Some(Arc::new(function)), metrics }))
    }

    /// Metrics are told as well.
    pub(super) fn with_metrics(&self, metrics: Arc<dyn Metrics>) -> Self {
        let function = self.0.function.clone();
        Self(Arc::new(Told { last: AtomicU64::new(0), function, metrics: Some(metrics) }))
    }

    fn tell(&self, incident: &Incident<'_>) {
        if let Some(function) = &self.0.function {
            function(incident);
        }
    }

    /// The same where no connection is.
    pub(super) fn tell_nowhere(&self, fault: Fault<'_>) {
        Span::none().tell(fault.tone(), &fault, fault.section(), None);
        self.tell(&Incident::nowhere(fault));
    }

    /// Follows a connection from here, if somebody is to be told of it.
    pub(super) fn follow<T: Transport>(&self, transport: &T) -> Option<Box<Observed>> {
        let Told { function, metrics, .. } = &*self.0;
        if function.is_none() && metrics.is_none() && !Span::serves() {
            return None;
        }
        let number = self.0.last.fetch_add(1, Ordering::Relaxed) + 1;
        let peer = transport.peer();
        let facts = ConnectionFacts { role: Role::Server, origin: None, peer: peer.address };
        let span = Span::of_connection(&facts, Some(number));
        let opened = metrics.clone().map(|metrics| Arc::new(Opened::new(metrics, facts)));
        let observer = self.clone();
        Some(Box::new(Observed {
            observer,
            number,
            peer,
            request: None,
            exchange: None,
            span,
            _opened: opened,
            unmet: 0,
            over: false,
        }))
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// A connection of which somebody is told.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    observer: Observer,
    number: u64,
    peer: Peer,
    /// The request that the service has.
    request: Option<(Method, Uri)>,
    /// The same, for who measures.
    exchange: Option<Arc<Watched>>,
    span: Span,
    /// What this goes with is open for as long.
    _opened: Option<Arc<Opened>>,
    /// Expectations that were told of.
    unmet: u32,
    /// What ended the connection was told: what follows from that is no news.
    over: bool,
}

impl Observed {
    /// The handshake is done, and may have told who the peer is.
    pub(super) fn meet<T: Transport>(&mut self, transport: &T) {
        self.peer = transport.peer();
        self.span.meets(self.peer.address);
    }

    /// The service is given this request.
    pub(super) fn serves<B>(&mut self, request: &Request<B>, now: Instant) {
        self.request = Some((request.method().clone(), request.uri().clone()));
        let metrics = self.observer.0.metrics.clone();
        if metrics.is_none() && !Span::serves() {
            return;
        }
        let host = || Authority::try_from(request.headers().get(HOST)?.as_bytes()).ok();
        let authority = request.uri().authority().cloned().or_else(host);
        let place = authority.as_ref().map(|authority| (authority.host(), authority.port_u16()));
        let facts = RequestFacts::new(Role::Server, request.method(), scheme(&self.peer), place);
        let span = Span::of_service(&facts, request, self.peer.address, self.number, &self.span);
        let exchange = Watched::new(metrics, facts, span, now);
        exchange.speaks(request.version());
        self.exchange = Some(Arc::new(exchange));
    }

    /// What it was given was answered, and the answer was sent.
    pub(super) fn served(&mut self, now: Instant) {
        self.request = None;
        self.complete(now);
    }

    /// The same, but that it is still said of what request something goes wrong.
    pub(super) fn complete(&mut self, now: Instant) {
        if let Some(exchange) = self.exchange.take() {
            exchange.complete(now);
        }
    }

    /// It ends before its answer was sent.
    pub(super) fn give_up(&mut self, now: Instant) {
        if let Some(exchange) = self.exchange.take() {
            exchange.end(now);
        }
    }

    /// What the service has, if somebody measures it.
    pub(super) const fn exchange(&self) -> Option<&Arc<Watched>> {
        self.exchange.as_ref()
    }

    /// What tells of the connection's phases, if somebody wants to see them.
    pub(super) fn phases(&self) -> Option<BoxTap> {
        self.span.phases(Role::Server)
    }

    pub(crate) fn tell(&self, fault: Fault<'_>, status: Option<StatusCode>, phase: Phase) {
        let span = self.exchange.as_ref().map_or(&self.span, |exchange| exchange.span());
        span.tell(fault.tone(), &fault, fault.section(), status);
        if let (Some(exchange), Some(word)) = (&self.exchange, fault.word()) {
            exchange.fail(word);
        }
        self.observer.tell(&Incident {
            connection: Some(self.number),
            peer: Some(&self.peer),
            fault,
            status,
            phase,
            request: self.request.as_ref(),
        });
    }

    pub(super) const fn is_over(&self) -> bool {
        self.over
    }

    /// So many requests were answered with 417 so far.
    pub(super) fn tell_unmet(&mut self, unmet: u32, now: Instant) {
        while self.unmet < unmet {
            self.unmet += 1;
            self.served(now);
            self.tell(Fault::Expectation, Some(StatusCode::EXPECTATION_FAILED), Phase::ReadingHeaders);
        }
    }

    /// The connection ended with this error, or will; `refused` with its status, if it was.
    pub(super) fn tell_end(&mut self, error: &Error, refused: bool, phase: Phase) {
        if core::mem::replace(&mut self.over, true) {
            return;
        }
        // Nothing was under way: who idles may go.
        if phase == Phase::Idle && matches!(error, Error::Closed(_) | Error::Io(_)) {
            return;
        }
        let status = match error {
            Error::Protocol(error) if refused => StatusCode::from_u16(error.status_hint().as_u16()).ok(),
            _ => None,
        };
        self.tell(Fault::of(error), status, phase);
    }

    pub(super) fn tell_cut(&mut self, phase: Phase) {
        if !core::mem::replace(&mut self.over, true) {
            self.tell(Fault::Cut, None, phase);
        }
    }
}

/// The scheme of what is asked for over a transport, by what that says of itself.
fn scheme(peer: &Peer) -> &'static str {
    #[cfg(feature = "tls")]
    if peer.extensions.get::<crate::tls::TlsInfo>().is_some() {
        return "https";
    }
    let _ = peer;
    "http"
}
