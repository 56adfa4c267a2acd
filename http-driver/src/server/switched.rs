//! A connection that is handed over.

use bytes::BytesMut;

use super::incident::Observed;
use super::shutdown::Watch;
use crate::io::Transport;
use crate::tunnel::{Promise, Tunnel};

/// A connection whose service has answered with a hand-over.
///
/// ```
/// use http_driver::server::Switched;
/// fn to_whom_it_was_promised<T: http_driver::Transport + Send + 'static>(switched: Switched<T>) {
///     switched.deliver();
/// }
/// ```
#[derive(Debug)]
#[must_use = "dropped, it ends the connection that was handed over"]
pub struct Switched<T> {
    transport: T,
    early: BytesMut,
    promise: Option<Promise>,
    watch: Option<Watch>,
    observed: Option<Box<Observed>>,
}

impl<T> Switched<T> {
    pub(super) const fn new(
        transport: T,
        early: BytesMut,
        promise: Option<Promise>,
        watch: Option<Watch>,
        observed: Option<Box<Observed>>,
    ) -> Self {
        Self { transport, early, promise, watch, observed }
    }

    /// The transport, and what was read from it and belongs to the other protocol. The service's
    /// [`Upgrade`](crate::Upgrade) fails, and the connection counts among its server's no more.
    pub fn into_parts(self) -> (T, BytesMut) {
        (self.transport, self.early)
    }

    /// Hands the connection to whoever waits for the request's [`Upgrade`](crate::Upgrade). If it was watched, the
    /// [`Tunnel`] goes on counting, and its shutdown's cut ends it.
    pub fn deliver(self)
    where
        T: Transport + Send + 'static,
    {
        if let Some(promise) = self.promise {
            promise.observe(self.observed.clone());
            promise.keep(match self.watch {
                Some(watch) => Tunnel::observed(self.transport, self.early, watch, self.observed),
                None => Tunnel::new(self.transport, self.early),
            });
        }
    }
}
