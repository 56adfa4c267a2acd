//! What a dispatcher may do: limits, times, attempts.

use core::time::Duration;

use super::backoff::Backoff;

/// The configuration of a [`Dispatcher`](crate::dispatch::Dispatcher), part of [`Config`](crate::Config). Every limit
/// is bounded by default.
///
/// ```
/// use core::time::Duration;
/// use http_core::dispatch::{Backoff, Policy};
///
/// let policy = Policy::default()
///     .connections_per_origin(2)
///     .connect_timeout(Duration::from_secs(3))
///     .lifetime(Duration::from_secs(600))
///     .idle_timeout(None)
///     .backoff(Backoff::new(Duration::from_millis(50), Duration::from_secs(1)));
/// assert_eq!((policy.connect_retries, policy.request_retries), (0, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Policy {
    /// How long connecting may take in all, resolving and TLS included; `None`: as long as it takes.
    /// Default: 10 s (evhttp: 45 s).
    pub connect_timeout: Option<Duration>,
    /// The waits between attempts to reach an origin. Default: 2 s doubling to 3600 s, a fifth of it at random
    /// (evhttp: nothing at random).
    pub backoff: Backoff,
    /// How many connects may fail in a row and be tried again, before every request that waits for the origin
    /// fails; `u32::MAX`: without end. Default: 0, so that a connection that is refused fails at once, with its cause;
    /// [`wait_for_server`](Self::wait_for_server) asks for more.
    ///
    /// It bounds also how often in a row a new connection may end before the first byte of a response; there the
    /// waiting requests fail only once two different requests have had that answer, so that one request that
    /// kills its connections does not take its neighbours with it.
    pub connect_retries: u32,
    /// How often one request may be sent again after it was given to a connection. Default: 3 (evhttp: 0).
    pub request_retries: u32,
    /// What share of the requests may be sent again; `None`: any. Default: [`Budget::default`] (evhttp: none needed).
    pub retry_budget: Option<Budget>,
    /// When an origin is left alone after failing again and again; `None`: never. Default: `None`.
    pub circuit: Option<Circuit>,
    /// The longest `Retry-After` of a 503 or 429 that is waited for before the request is repeated (RFC 9110
    /// §10.2.3); `None`: such a response is delivered like any other. Default: `None`.
    pub retry_after: Option<Duration>,
    /// From how many bytes of content on a request is sent with `Expect: 100-continue`, so that a refusal costs no
    /// upload (RFC 9110 §10.1.1); content of unknown length counts as more. A driver obeys it. `None`: only where the
    /// caller says so. Default: `None`.
    pub expect_continue_from: Option<u64>,
    /// Connections of one origin, connecting ones included; 0 counts as 1. Default: 256, as
    /// many as there may be in all (evhttp: 1).
    pub connections_per_origin: usize,
    /// Connections of one origin that are kept while they have nothing to do, beyond
    /// [`surplus_timeout`](Self::surplus_timeout). Default: 32 (evhttp: 1).
    pub idle_per_origin: usize,
    /// How long a connection is kept that has nothing to do while as many others of its origin as
    /// [`idle_per_origin`](Self::idle_per_origin) have nothing to do either; the one that has been idle longest is
    /// closed first. So what a burst has made is there for the next one, and a place that another origin needs is had
    /// as ever. Zero, or where none at all is to be kept: it is closed when it is given back; [`Duration::MAX`]: as
    /// long as those below. Default: 1 s.
    pub surplus_timeout: Duration,
    /// Connections in all; 0 counts as 1. An origin that wants one more gets the place of the connection
    /// that has been idle longest, or waits in line. Default: 256 (evhttp: no limit).
    pub max_connections: usize,
    /// How long a connection is kept while it has nothing to do; `None`: until the peer closes it.
    /// A `Keep-Alive: timeout=` of the peer shortens it. Default: 90 s (evhttp: 50 s). Connections that were made
    /// beforehand and those that have served have this one deadline, see
    /// [`Config::dispatched`](crate::Config::dispatched).
    pub idle_timeout: Option<Duration>,
    /// How old a connection may be and still take a request; `None`: any age. Default: `None`.
    pub lifetime: Option<Duration>,
    /// How many requests one connection is given; `None`: any number; 0 counts as 1. The last one is sent with
    /// `Connection: close` (RFC 9112 §9.6), see [`Config::dispatched`](crate::Config::dispatched). Default: `None`.
    pub requests_per_connection: Option<u32>,
    /// A request that is not idempotent is not given to a connection that has served and then been idle for longer
    /// than this, but to a new one, or one that has answered since: the peer may be just closing the old one, and the
    /// request could not be repeated. `None`: idle connections serve all. Default: 1 s, for many origins close after a
    /// few (evhttp: `None`).
    pub fresh_after_idle: Option<Duration>,
    /// Requests that may wait in all, those that failed and were not polled yet included. Default: 100,000
    /// (evhttp: no limit).
    pub max_queue: usize,
    /// How often in a row requests that came later may go first, because of their priority or because a connection
    /// suits them; then it is the turn of who came first, so that nobody waits without end. Counted within an origin,
    /// and between origins, where one more may go first for each turn of the origin. 0: strictly in order. Default: 16.
    pub overtaking: u8,
    /// How long a request waits for a place: while as many connections as allowed are taken, by requests or by
    /// responses that are held and not read, and none is free for it. Then it fails and says which limit it was. Time
    /// in which its origin is connected to, or backed off from, does not count. `None`: as long as it takes.
    /// Default: 30 s (evhttp: `None`).
    pub place_timeout: Option<Duration>,
    /// Requests that may be unanswered on one connection; 0 counts as 1. Above 1, idempotent requests that are
    /// sent for the first time follow idempotent ones, on connections that have answered before (RFC 9112
    /// §9.3.2). What their connections take is the same, see [`Config::dispatched`](crate::Config::dispatched).
    /// Default: 1.
    pub pipeline_depth: usize,
}

/// How many requests may be sent again, as a share of those that succeed: so that retries never multiply an outage.
///
/// Each origin has a store of retries. It starts full, each complete exchange adds a part of one, and
/// each retry of a request that may have reached the server takes one.
///
/// ```
/// use http_core::dispatch::{Budget, Policy};
///
/// // Ten at once, and then one for each four that succeed.
/// let policy = Policy::default().retry_budget(Budget::new(10, 250));
/// assert_eq!(policy.retry_budget.map(|b| b.share), Some(250));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Budget {
    /// The most that the store holds, in retries. Default: 100.
    pub reserve: u32,
    /// What a complete exchange adds to the store, in thousandths of a retry. Default: 200.
    pub share: u16,
}

impl Budget {
    /// A store of `reserve` retries, to which a complete exchange adds `share` thousandths of one.
    #[must_use]
    pub const fn new(reserve: u32, share: u16) -> Self {
        Self { reserve, share }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(100, 200)
    }
}

/// When an origin is left alone: a circuit breaker.
///
/// After so many connections in a row that could not be made, or ended before the first byte of a response, the circuit
/// opens: requests that wait for the origin, and those that come, fail at once, but for those that a connection which
/// is still up can serve. When the time is over, one connection probes while further requests wait for what comes of
/// it: the first byte of a response closes the circuit, another failure opens it again.
///
/// Failures are counted across requests, so the circuit also knows of an origin whose requests have all failed already.
///
/// ```
/// use core::time::Duration;
/// use http_core::dispatch::{Circuit, Policy};
///
/// let policy = Policy::default().circuit(Circuit::new(5, Duration::from_secs(30)));
/// assert_eq!(policy.circuit.map(|circuit| circuit.failures), Some(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Circuit {
    /// How many failures in a row open it; 0 counts as 1.
    pub failures: u32,
    /// How long it stays open.
    pub open: Duration,
}

impl Circuit {
    /// One that `failures` in a row open for this time.
    #[must_use]
    pub const fn new(failures: u32, open: Duration) -> Self {
        Self { failures, open }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            connect_timeout: Some(Duration::from_secs(10)),
            backoff: Backoff::default(),
            connect_retries: 0,
            request_retries: 3,
            retry_budget: Some(Budget::default()),
            circuit: None,
            retry_after: None,
            expect_continue_from: None,
            connections_per_origin: 256,
            idle_per_origin: 32,
            surplus_timeout: Duration::from_secs(1),
            max_connections: 256,
            idle_timeout: Some(Duration::from_secs(90)),
            lifetime: None,
            requests_per_connection: None,
            fresh_after_idle: Some(Duration::from_secs(1)),
            max_queue: 100_000,
            overtaking: 16,
            place_timeout: Some(Duration::from_secs(30)),
            pipeline_depth: 1,
        }
    }
}

impl Policy {
    /// How long a surplus is kept: whoever keeps none keeps no surplus.
    pub(crate) const fn surplus_time(&self) -> Duration {
        if self.idle_per_origin == 0 { Duration::ZERO } else { self.surplus_timeout }
    }

    /// What an `evhttp_connection` does: one connection, an unbounded queue, no retries unless
    /// [`connect_retries`](Self::connect_retries) asks for them, 45 s for connecting, 50 s idle.
    #[must_use]
    pub fn evhttp() -> Self {
        Self {
            connect_timeout: Some(Duration::from_secs(45)),
            backoff: Backoff::evhttp(),
            connect_retries: 0,
            request_retries: 0,
            retry_budget: None,
            connections_per_origin: 1,
            idle_per_origin: 1,
            max_connections: usize::MAX,
            idle_timeout: Some(Duration::from_secs(50)),
            fresh_after_idle: None,
            max_queue: usize::MAX,
            place_timeout: None,
            ..Self::default()
        }
    }

    /// With this [`connect_timeout`](Self#structfield.connect_timeout).
    #[must_use]
    pub fn connect_timeout(mut self, most: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = most.into();
        self
    }

    /// With this [`backoff`](Self#structfield.backoff).
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// With this many [`connect_retries`](Self#structfield.connect_retries).
    #[must_use]
    pub fn connect_retries(mut self, most: u32) -> Self {
        self.connect_retries = most;
        self
    }

    /// Waits for a server that is not there yet: connects that fail are tried again so often in a row, after these
    /// waits. [`connect_retries`](Self::connect_retries) and [`backoff`](Self::backoff) in one call.
    ///
    /// ```
    /// use http_core::dispatch::{Backoff, Policy};
    ///
    /// // As long as it takes, with evhttp's waits: 2, 4, 8, … 3600 s.
    /// let policy = Policy::default().wait_for_server(u32::MAX, Backoff::evhttp());
    /// assert_eq!((policy.connect_retries, policy.backoff), (u32::MAX, Backoff::evhttp()));
    /// ```
    #[must_use]
    pub fn wait_for_server(self, retries: u32, backoff: Backoff) -> Self {
        self.connect_retries(retries).backoff(backoff)
    }

    /// With this many [`request_retries`](Self#structfield.request_retries).
    #[must_use]
    pub fn request_retries(mut self, most: u32) -> Self {
        self.request_retries = most;
        self
    }

    /// With this [`retry_budget`](Self#structfield.retry_budget).
    #[must_use]
    pub fn retry_budget(mut self, budget: impl Into<Option<Budget>>) -> Self {
        self.retry_budget = budget.into();
        self
    }

    /// With this [`circuit`](Self#structfield.circuit).
    #[must_use]
    pub fn circuit(mut self, circuit: impl Into<Option<Circuit>>) -> Self {
        self.circuit = circuit.into();
        self
    }

    /// With this longest [`retry_after`](Self#structfield.retry_after).
    #[must_use]
    pub fn retry_after(mut self, longest: impl Into<Option<Duration>>) -> Self {
        self.retry_after = longest.into();
        self
    }

    /// With this [`expect_continue_from`](Self#structfield.expect_continue_from).
    #[must_use]
    pub fn expect_continue_from(mut self, least: impl Into<Option<u64>>) -> Self {
        self.expect_continue_from = least.into();
        self
    }

    /// With this many [`connections_per_origin`](Self#structfield.connections_per_origin).
    #[must_use]
    pub fn connections_per_origin(mut self, most: usize) -> Self {
        self.connections_per_origin = most;
        self
    }

    /// With this many [`idle_per_origin`](Self#structfield.idle_per_origin).
    #[must_use]
    pub fn idle_per_origin(mut self, most: usize) -> Self {
        self.idle_per_origin = most;
        self
    }

    /// With this [`surplus_timeout`](Self#structfield.surplus_timeout).
    ///
    /// ```
    /// use core::time::Duration;
    /// use http_core::dispatch::Policy;
    ///
    /// // Two are kept, whatever a burst has made; not even for a moment.
    /// let policy = Policy::default().idle_per_origin(2).surplus_timeout(Duration::ZERO);
    /// assert_eq!(policy.surplus_timeout, Duration::ZERO);
    /// ```
    #[must_use]
    pub fn surplus_timeout(mut self, most: Duration) -> Self {
        self.surplus_timeout = most;
        self
    }

    /// With this many [`max_connections`](Self#structfield.max_connections).
    #[must_use]
    pub fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = most;
        self
    }

    /// With this [`idle_timeout`](Self#structfield.idle_timeout).
    #[must_use]
    pub fn idle_timeout(mut self, most: impl Into<Option<Duration>>) -> Self {
        self.idle_timeout = most.into();
        self
    }

    /// With this [`lifetime`](Self#structfield.lifetime) of a connection.
    #[must_use]
    pub fn lifetime(mut self, most: impl Into<Option<Duration>>) -> Self {
        self.lifetime = most.into();
        self
    }

    /// With this many [`requests_per_connection`](Self#structfield.requests_per_connection).
    #[must_use]
    pub fn requests_per_connection(mut self, most: impl Into<Option<u32>>) -> Self {
        self.requests_per_connection = most.into();
        self
    }

    /// With this [`fresh_after_idle`](Self#structfield.fresh_after_idle).
    #[must_use]
    pub fn fresh_after_idle(mut self, longest: impl Into<Option<Duration>>) -> Self {
        self.fresh_after_idle = longest.into();
        self
    }

    /// With a queue of [`max_queue`](Self#structfield.max_queue) requests.
    #[must_use]
    pub fn max_queue(mut self, most: usize) -> Self {
        self.max_queue = most;
        self
    }

    /// With this [`overtaking`](Self#structfield.overtaking).
    #[must_use]
    pub fn overtaking(mut self, most: u8) -> Self {
        self.overtaking = most;
        self
    }

    /// With this [`place_timeout`](Self#structfield.place_timeout).
    #[must_use]
    pub fn place_timeout(mut self, most: impl Into<Option<Duration>>) -> Self {
        self.place_timeout = most.into();
        self
    }

    /// With this [`pipeline_depth`](Self#structfield.pipeline_depth).
    #[must_use]
    pub fn pipeline_depth(mut self, most: usize) -> Self {
        self.pipeline_depth = most;
        self
    }
}
