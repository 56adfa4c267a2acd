//! How services are served.

use std::sync::Arc;

use super::incident::{Incident, Observer};
use crate::observe::Metrics;

/// How services are served.
///
/// ```
/// let options = http_driver::server::Options::default().interim(true);
/// assert!(format!("{options:?}").contains("interim: true"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    pub(super) switches: Switches,
    pub(super) observer: Option<Observer>,
}

/// What each connection has to know of the options.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Switches {
    pub(super) interim: bool,
    pub(super) disconnected: bool,
    pub(super) cancel_on_end: bool,
}

impl Default for Options {
    fn default() -> Self {
        // With spans there may always be somebody who is told.
        let observer = cfg!(feature = "tracing").then(Observer::default);
        Self { switches: Switches::default(), observer }
    }
}

impl Options {
    /// Whether requests carry an [`Interim`](super::Interim) among their extensions. Default: no, because it costs an
    /// allocation.
    #[must_use]
    pub const fn interim(mut self, interim: bool) -> Self {
        self.switches.interim = interim;
        self
    }

    /// Whether requests carry a [`Disconnected`](super::Disconnected) among their extensions. Default: no, because it
    /// costs an allocation.
    #[must_use]
    pub const fn disconnected(mut self, disconnected: bool) -> Self {
        self.switches.disconnected = disconnected;
        self
    }

    /// Whether a client that ends its sending side while its request is being answered counts as gone, as one does in
    /// any case that is reset: the service's future is dropped. Default: no; such a client may wait for its answer
    /// (RFC 9112 §9.6).
    #[must_use]
    pub const fn cancel_on_end(mut self, cancel: bool) -> Self {
        self.switches.cancel_on_end = cancel;
        self
    }

    /// Tells `function` of all that goes wrong, and of all that is answered without the service: see [`Incident`]. It
    /// is called where that is noticed, on the connection's task mostly, so it must not block; a panic of it is the
    /// connection's. Default: nobody is told, which costs nothing.
    ///
    /// A server's errors of accepting and of handshakes are among it, and what its shutdown cuts: tunnels at once,
    /// connections when their tasks see it, for which the server waits a moment.
    #[must_use]
    pub fn observe(mut self, function: impl Fn(&Incident<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(self.observer.unwrap_or_default().with_function(function));
        self
    }

    /// Tells `metrics` of each request that the service is given, and of each connection. Default: nobody is told,
    /// which costs nothing.
    #[must_use]
    pub fn metrics(mut self, metrics: Arc<dyn Metrics>) -> Self {
        self.observer = Some(self.observer.unwrap_or_default().with_metrics(metrics));
        self
    }
}
