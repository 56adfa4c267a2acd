//! What a client is made with, and what watches it.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use http_core::Config;
use http_core::dispatch::{Backoff, Budget, Circuit, Policy};

use super::handle::Client;
use super::life::Core;
use super::observe::Observe;
use super::origin::Connector;
use super::watching::Watching;
use crate::io::Runtime;
use crate::observe::Metrics;

/// What a client is made with.
///
/// # The defaults
///
/// Beside them those of others, as their documentation or source has them; "unknown" where neither was found to say. A
/// setting is named by its path in [`Config`].
///
/// | setting | here | reqwest 0.13 | hyper-util 0.1 | Go, `net/http` | undici 6 |
/// |---|---|---|---|---|---|
/// | `dispatch.connect_timeout` | 10s | none | none | 30s, and 10s of TLS | 10s |
/// | `timeouts.head` | 30s | none | none | none | 300s |
/// | `timeouts.content` | 300s | none | none | none | 300s |
/// | `timeouts.content_rate` | 0 | none | none | none | none |
/// | `timeouts.content_grace` | 10s | | | | |
/// | `timeouts.write` | none | none | none | none | unknown |
/// | `timeouts.expect` | 1s | unknown | unknown | 1s | unknown |
/// | `limits.head` | 262144 | some 400 KiB | some 400 KiB | 10 MiB | 16 KiB |
/// | `limits.field_line` | 262144 | as the head | as the head | as the head | as the head |
/// | `limits.fields` | 512 | 100 | 100 | unknown | unknown |
/// | `limits.interim_responses` | 100 | unknown | unknown | 5, then by size | unknown |
/// | `limits.content` | none | none | none | none | none |
/// | `limits.drain` | 262144 | unknown | unknown | unknown | unknown |
/// | `limits.send_buffer` | 262144 | unknown | some 400 KiB | 4 KiB | unknown |
/// | `dispatch.connections_per_origin` | 256 | none | none | none | none |
/// | `dispatch.max_connections` | 256 | none | none | none, 100 idle ones | none |
/// | `dispatch.idle_per_origin` | 32 | none | none | 2 | none |
/// | `dispatch.surplus_timeout` | 1s | | | none: at once | |
/// | `dispatch.idle_timeout` | 90s | 90s | 90s | 90s | 4s |
/// | `dispatch.fresh_after_idle` | 1s | none | none | none | none |
/// | `dispatch.lifetime` | none | none | none | none | none |
/// | `dispatch.requests_per_connection` | none | none | none | none | none |
/// | `dispatch.pipeline_depth` | 1 | 1 | 1 | 1 | 1 |
/// | `dispatch.max_queue` | 100000 | none | none | none | none |
/// | `dispatch.overtaking` | 16 | | | | |
/// | `dispatch.place_timeout` | 30s | no limit, no wait | no limit, no wait | no limit, no wait | none |
/// | `dispatch.connect_retries` | 0 | 0 | 0 | 0 | 0 |
/// | `dispatch.backoff.initial` | 2s | | | | |
/// | `dispatch.backoff.cap` | 3600s | | | | |
/// | `dispatch.backoff.jitter` | 200 | | | | |
/// | `dispatch.request_retries` | 3 | unknown | if nothing was sent | if idempotent, or nothing was sent | 0 |
/// | `dispatch.retry_budget.reserve` | 100 | unknown | none | none | none |
/// | `dispatch.retry_budget.share` | 200 | unknown | none | none | none |
/// | `dispatch.retry_after` | none | none | none | none | none |
/// | `dispatch.expect_continue_from` | none | none | none | none | none |
/// | `dispatch.circuit.failures` | none | none | none | none | none |
/// | `dispatch.circuit.open` | none | none | none | none | none |
///
/// * In all a request may take as long as it takes ([`timeout`](Self::timeout)): nobody else knows what it is worth.
/// * That nobody answers is told after seconds, not never, by 10 s for connecting and 30 s for a head; undici's 300 s
///   outlast whoever waits for an answer. Content has undici's 300 s of silence, and any byte is progress: streams of
///   events rest long, and whoever wants more asks for it ([`least_rate`](Self::least_rate)).
/// * A head is a peer's own, so it may be larger than what a server takes of strangers, and is bounded in octets and
///   lines; Go's 10 MiB are a lot for one connection, undici's 16 KiB refuse what cookies alone can fill.
/// * Interim responses are one every while for a long task; they begin the time-out of the head anew, so they are
///   counted.
/// * Connections are bounded in all, since files are; one origin may have all of them. 32 of one
///   origin are kept for long; what a burst has made above that is there for a second, so that a load which comes in
///   bursts makes none anew, and files and the server's memory are had back soon. Go's 2 are closed at once above that,
///   and make connections anew under any load. They are kept for 90 s, as most do, and what could not be repeated is
///   not sent on one that has rested for more than 1 s, since many origins close theirs after a few.
/// * A refused connection fails at once, as everywhere; [`wait_for_server`](Self::wait_for_server) waits, with the
///   figures of libevent's `evhttp`.
/// * A request that a lost connection leaves unanswered is sent again up to 3 times where that cannot have it take
///   effect twice, and no more than 1 in 5 of all once a reserve is used up, so that no outage is multiplied.
/// * Requests wait inside, and not without a bound.
///
/// ```
/// use std::time::Duration;
/// use http_core::dispatch::Policy;
/// let builder = http_driver::client::Builder::new()
///     .policy(Policy::default().connections_per_origin(1))
///     .timeout(Duration::from_secs(30));
/// assert!(format!("{builder:?}").contains("30s"));
/// ```
#[derive(Clone)]
#[must_use]
pub struct Builder {
    config: Arc<Config>,
    observer: Option<Arc<dyn Observe>>,
    timeout: Option<Duration>,
    tells_peer: bool,
    watching: Watching,
}

impl Default for Builder {
    fn default() -> Self {
        let watching = Watching::default();
        Self { config: Config::client().into(), observer: None, timeout: None, tells_peer: false, watching }
    }
}

impl Builder {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Queue, connections, back-off and retries: [`Config::dispatch`] of the configuration. What was set of it before
    /// is replaced.
    pub fn policy(self, policy: Policy) -> Self {
        self.with_policy(|_| policy)
    }

    /// The whole configuration: time-outs, limits, leniencies, and the dispatcher's policy. It replaces everything that
    /// was set of these before, also by [`policy`](Self::policy) and the methods below, so it comes first. What the
    /// policy owns is set by it alone: see [`Config::dispatched`]. Default: [`Config::client`], which is what a
    /// configuration of one's own had best begin with: [`Config::default`] has the limits of a server.
    pub fn config(mut self, config: impl Into<Arc<Config>>) -> Self {
        self.config = config.into();
        self
    }

    /// How long a request may take in all, with queueing, connecting and retries, until the end of its response's
    /// content. Default: no limit beside those of each part.
    pub const fn timeout(mut self, most: Duration) -> Self {
        self.timeout = Some(most);
        self
    }

    /// How long a connection may take to be made: the name, the socket, a proxy's tunnel, TLS. Default: as
    /// [`Policy::connect_timeout`].
    pub fn connect_timeout(self, most: Duration) -> Self {
        self.with_policy(|policy| policy.connect_timeout(most))
    }

    /// How long the head of a response may take, from the moment the request was sent. Default 30 s.
    pub fn response_timeout(mut self, most: Duration) -> Self {
        Arc::make_mut(&mut self.config).timeouts.head = most;
        self
    }

    /// How long content may rest between two pieces, whichever way it goes; what goes out has
    /// [`write_timeout`](Self::write_timeout), if that is set. Default 300 s.
    pub fn read_timeout(mut self, most: Duration) -> Self {
        Arc::make_mut(&mut self.config).timeouts.content = most;
        self
    }

    /// How many bytes of content have to come and go in a second, after a grace of
    /// [`Timeouts::content_grace`](http_core::Timeouts::content_grace); 0, the default: no rate is asked. Against a
    /// server that drips, so that each byte of it is progress; a stream of events is as slow by nature.
    pub fn least_rate(mut self, bytes_a_second: u32) -> Self {
        Arc::make_mut(&mut self.config).timeouts.content_rate = bytes_a_second;
        self
    }

    /// How long the transport may take nothing of what is to be sent. Default: as [`read_timeout`](Self::read_timeout).
    pub fn write_timeout(mut self, most: Duration) -> Self {
        Arc::make_mut(&mut self.config).timeouts.write = Some(most);
        self
    }

    /// How long a connection is kept that nobody uses; `None`: for as long as the server does. Default: as
    /// [`Policy::idle_timeout`]. Nothing else ends it:
    /// [`Timeouts::idle`](http_core::Timeouts::idle) is of no account here.
    pub fn pool_idle_timeout(self, most: impl Into<Option<Duration>>) -> Self {
        self.with_policy(|policy| policy.idle_timeout(most))
    }

    /// How many unused connections are kept for each origin for longer than
    /// [`pool_surplus_timeout`](Self::pool_surplus_timeout). 0: none, and each is closed when it is given back.
    pub fn pool_max_idle_per_host(self, most: usize) -> Self {
        self.with_policy(|policy| policy.idle_per_origin(most))
    }

    /// How long an unused connection is kept above [`pool_max_idle_per_host`](Self::pool_max_idle_per_host): what a
    /// burst has made is there for the next one. Zero: not at all. Default: 1 s, as [`Policy::surplus_timeout`].
    pub fn pool_surplus_timeout(self, most: Duration) -> Self {
        self.with_policy(|policy| policy.surplus_timeout(most))
    }

    /// How many connections there may be to each origin.
    pub fn max_connections_per_host(self, most: usize) -> Self {
        self.with_policy(|policy| policy.connections_per_origin(most))
    }

    /// How many connections there may be in all.
    pub fn max_connections(self, most: usize) -> Self {
        self.with_policy(|policy| policy.max_connections(most))
    }

    /// How old a connection may be and still take a request; `None`, the default: any age.
    pub fn pool_max_lifetime(self, most: impl Into<Option<Duration>>) -> Self {
        self.with_policy(|policy| policy.lifetime(most))
    }

    /// How many requests one connection is given; `None`, the default: any number.
    pub fn max_requests_per_connection(self, most: impl Into<Option<u32>>) -> Self {
        self.with_policy(|policy| policy.requests_per_connection(most))
    }

    /// After how long without use a connection is given no request that is not idempotent: a new one is made for it;
    /// `None`: all serve all. Default: as [`Policy::fresh_after_idle`].
    pub fn fresh_after_idle(self, longest: impl Into<Option<Duration>>) -> Self {
        self.with_policy(|policy| policy.fresh_after_idle(longest))
    }

    /// How many requests may wait in all.
    pub fn max_queue(self, most: usize) -> Self {
        self.with_policy(|policy| policy.max_queue(most))
    }

    /// How long a request waits while as many connections as allowed are taken, by requests or by responses that are
    /// held and not read; `None`: as long as it takes. Default: 30 s, as [`Policy::place_timeout`].
    pub fn place_timeout(self, most: impl Into<Option<Duration>>) -> Self {
        self.with_policy(|policy| policy.place_timeout(most))
    }

    /// How often in a row a connection is tried that cannot be made, before what waits for it fails; 0: once.
    pub fn connect_retries(self, most: u32) -> Self {
        self.with_policy(|policy| policy.connect_retries(most))
    }

    /// The waits between those attempts.
    pub fn backoff(self, backoff: Backoff) -> Self {
        self.with_policy(|policy| policy.backoff(backoff))
    }

    /// Waits for a server that is not there yet: [`connect_retries`](Self::connect_retries) and
    /// [`backoff`](Self::backoff) in one call.
    pub fn wait_for_server(self, retries: u32, backoff: Backoff) -> Self {
        self.with_policy(|policy| policy.wait_for_server(retries, backoff))
    }

    /// What share of the requests may be sent again; `None`: any.
    pub fn retry_budget(self, budget: impl Into<Option<Budget>>) -> Self {
        self.with_policy(|policy| policy.retry_budget(budget))
    }

    /// The longest `Retry-After` of a 503 or 429 that is waited for before the request is sent again (RFC 9110
    /// §10.2.3); `None`, the default: such a response is one like any other.
    pub fn retry_after(self, longest: impl Into<Option<Duration>>) -> Self {
        self.with_policy(|policy| policy.retry_after(longest))
    }

    /// When an origin that fails again and again is left alone for a while; `None`, the default: never.
    pub fn circuit(self, circuit: impl Into<Option<Circuit>>) -> Self {
        self.with_policy(|policy| policy.circuit(circuit))
    }

    /// From how many bytes of content on 100 (Continue) is waited for (RFC 9110 §10.1.1); `None`, the default: only
    /// where the request says so.
    pub fn expect_continue_from(self, least: impl Into<Option<u64>>) -> Self {
        self.with_policy(|policy| policy.expect_continue_from(least))
    }

    /// Whether responses have a [`Peer`](crate::Peer) among their extensions: the addresses of both ends, and what TLS
    /// negotiated. Default: no, for it costs allocations.
    pub const fn connection_info(mut self, yes: bool) -> Self {
        self.tells_peer = yes;
        self
    }

    /// Whether responses have [`Timings`](crate::observe::Timings) among their extensions: when what of the exchange
    /// happened. Default: no, for it costs allocations and looks at the clock; with [`metrics`](Self::metrics) they
    /// have them anyway.
    pub const fn timings(mut self, yes: bool) -> Self {
        self.watching.timings = yes;
        self
    }

    /// Tells `metrics` of each request and each connection. Default: nobody is told, which costs nothing.
    pub fn metrics(mut self, metrics: Arc<dyn Metrics>) -> Self {
        self.watching.metrics = Some(metrics);
        self
    }

    /// How often a request is tried again that is lost, where that is safe; 0: never.
    pub fn retries(self, most: u32) -> Self {
        self.with_policy(|policy| policy.request_retries(most))
    }

    /// How many requests may be unanswered on one connection; 1, the default: no pipelining. Above it, idempotent
    /// requests whose content is all there follow idempotent ones on connections that have answered before (RFC 9112
    /// §9.3.2). What a connection leaves unanswered is sent again on another.
    ///
    /// Responses come in the order of the requests: one whose content is not read holds up those behind it, so read
    /// each before waiting for the next, or in a task of its own.
    pub fn pipeline_depth(self, most: usize) -> Self {
        self.with_policy(|policy| policy.pipeline_depth(most))
    }

    fn with_policy(mut self, change: impl FnOnce(Policy) -> Policy) -> Self {
        let config = Arc::make_mut(&mut self.config);
        config.dispatch = change(config.dispatch);
        self
    }

    /// What watches the client.
    pub fn observer(mut self, observer: Arc<dyn Observe>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The client, over connections that `connector` makes.
    #[must_use]
    pub fn build<C, R>(self, mut connector: C, runtime: R) -> Client<C, R>
    where
        C: Connector,
        R: Runtime + Send + Sync + 'static,
        R::Timer: Send,
    {
        let Self { config, observer, timeout, tells_peer, watching } = self;
        let config = Arc::new(Arc::unwrap_or_clone(config).dispatched());
        connector.configure(&config);
        Client::new(Arc::new(Core::new(config, observer, timeout, tells_peer, watching, connector, runtime)))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("config", &self.config).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// The settings that are a server's, or for single connections, or as [`Config::default`] has them for either side.
    const OF_OTHERS: [&str; 16] = [
        "timeouts.idle",
        "timeouts.linger",
        "timeouts.half_closed",
        "limits.target",
        "limits.trailers",
        "limits.trailer_fields",
        "limits.chunk_line",
        "limits.chunk_extensions",
        "limits.empty_lines",
        "limits.linger",
        "limits.read_ahead",
        "persistence.keep_alive",
        "persistence.requests",
        "persistence.http10_origin",
        "persistence.pipelining",
        "events.chunk_extensions",
    ];

    #[test]
    fn the_defaults_are_as_documented() {
        let mut documented = BTreeMap::new();
        for line in include_str!("builder.rs").lines().filter_map(|line| line.strip_prefix("/// | `")) {
            let mut cells = line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned());
            let (name, value) = (cells.next().unwrap(), cells.next().unwrap());
            assert_eq!(cells.count(), 5, "others, and nothing behind the last bar: {name}");
            assert_eq!(documented.insert(name.clone(), value), None, "{name}");
        }
        let config = Builder::new().config;
        let is_a_clients = |name: &str| !OF_OTHERS.contains(&name) && !name.starts_with("leniency.");
        let real = config.settings().filter(|(name, _)| is_a_clients(name));
        let real: BTreeMap<_, _> = real.map(|(name, value)| (name.to_owned(), value.to_string())).collect();
        assert_eq!(documented, real);
    }
}
