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

    /// The whole configuration: time-outs, limits, leniencies, and the dispatcher's policy.
    pub fn config(mut self, config: impl Into<Arc<Config>>) -> Self {
        self.config = config.into();
        self
    }

    /// How long a request may take until its response begins, with queueing, connecting and retries. Default: no limit
    /// beside those of each part.
    pub const fn timeout(mut self, most: Duration) -> Self {
        self.timeout = Some(most);
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
