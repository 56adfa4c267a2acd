//! What a client is made with, and what watches it.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use http_core::Config;
use http_core::dispatch::{Action, ConnectionId, Input, Policy};

use super::handle::Client;
use super::origin::Connector;
use super::pool::Shared;
use crate::io::Runtime;
use crate::link::BoxTap;

/// What a client is made with.
///
/// ```
/// use std::time::Duration;
/// use http_core::dispatch::Policy;
/// let builder = http_driver::client::Builder::new()
///     .policy(Policy::default().connections_per_origin(1))
///     .timeout(Duration::from_secs(30));
/// assert!(format!("{builder:?}").contains("30s"));
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Builder {
    config: Arc<Config>,
    policy: Option<Policy>,
    observer: Option<Arc<dyn Observe>>,
    timeout: Option<Duration>,
}

impl Builder {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Queue, connections, back-off and retries, in place of [`Config::dispatch`].
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// The whole configuration: time-outs, limits, leniencies, and the dispatcher's policy. What was set of it before is
    /// overwritten, but for a policy.
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

    /// How long content may rest between two pieces, whichever way it goes. Default 30 s.
    pub fn read_timeout(mut self, most: Duration) -> Self {
        Arc::make_mut(&mut self.config).timeouts.content = most;
        self
    }

    /// How long a connection is kept that nobody uses; `None`: for as long as the server does. Default: as
    /// [`Policy::idle_timeout`].
    pub fn pool_idle_timeout(mut self, most: impl Into<Option<Duration>>) -> Self {
        let most = most.into();
        // The machine of the connection has a deadline of its own.
        let idle = &mut Arc::make_mut(&mut self.config).timeouts.idle;
        *idle = most.map_or(Duration::MAX, |most| most.max(*idle));
        self.with_policy(|policy| policy.idle_timeout(most))
    }

    /// How many unused connections are kept for each origin.
    pub fn pool_max_idle_per_host(self, most: usize) -> Self {
        self.with_policy(|policy| policy.idle_per_origin(most))
    }

    /// How many connections there may be to each origin.
    pub fn max_connections_per_host(self, most: usize) -> Self {
        self.with_policy(|policy| policy.connections_per_origin(most))
    }

    /// How often a request is tried again that is lost, where that is safe; 0: never.
    pub fn retries(self, most: u32) -> Self {
        self.with_policy(|policy| policy.request_retries(most))
    }

    /// How many requests may be unanswered on one connection; 1, the default: no pipelining. Above it, idempotent requests
    /// whose content is all there follow idempotent ones on connections that have answered before (RFC 9112 §9.3.2). What
    /// a connection leaves unanswered is sent again on another.
    ///
    /// Responses come in the order of the requests: one whose content is not read holds up those behind it, so read each
    /// before waiting for the next, or in a task of its own.
    pub fn pipeline_depth(self, most: usize) -> Self {
        self.with_policy(|policy| policy.pipeline_depth(most))
    }

    fn with_policy(mut self, change: impl FnOnce(Policy) -> Policy) -> Self {
        let policy = self.policy.unwrap_or(self.config.dispatch);
        self.policy = Some(change(policy));
        self
    }

    /// What watches the client.
    pub fn observer(mut self, observer: Arc<dyn Observe>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The client, over connections that `connector` makes.
    #[must_use]
    pub fn build<C, R>(mut self, connector: C, runtime: R) -> Client<C, R>
    where
        C: Connector,
        R: Runtime + Send + Sync + 'static,
        R::Timer: Send,
    {
        if let Some(policy) = self.policy {
            Arc::make_mut(&mut self.config).dispatch = policy;
        }
        let depth = self.config.dispatch.pipeline_depth.max(1);
        if self.config.persistence.pipelining != depth {
            Arc::make_mut(&mut self.config).persistence.pipelining = depth;
        }
        Client::new(Shared::new(self.config, self.observer, self.timeout, connector, runtime))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("config", &self.config)
            .field("policy", &self.policy)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Watches a client at work: the dispatcher's inputs and actions, and each connection through a tap.
///
/// ```
/// use http_core::dispatch::{Action, Input};
/// /// Prints what the dispatcher does.
/// struct Print;
/// impl http_driver::client::Observe for Print {
///     fn dispatch(&self, _: http_core::Instant, input: &Input, actions: &[Action]) {
///         println!("{input}: {} actions", actions.len());
///     }
/// }
/// ```
pub trait Observe: Send + Sync {
    /// One input was applied to the dispatcher, and led to these actions.
    fn dispatch(&self, now: http_core::Instant, input: &Input, actions: &[Action]);

    /// What watches a connection that was just made.
    fn tap(&self, connection: ConnectionId) -> Option<BoxTap> {
        let _ = connection;
        None
    }
}
