//! The end of a client in order.

use core::fmt;
use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;
use std::sync::Arc;

use super::life::Core;
use super::origin::Connector;
use crate::clock;
use crate::io::{Runtime, Timer};

/// What a client is doing: see [`Client::counts`](super::Client::counts).
///
/// ```
/// use http_driver::client::Counts;
/// let counts = Counts::default();
/// assert_eq!((counts.queued, counts.connections), (0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Requests that wait for a connection.
    pub queued: usize,
    /// Requests that are on a connection, until the end of their response.
    pub in_flight: usize,
    /// Connections, those that are being made included.
    pub connections: usize,
    /// Connections that are up and have nothing to do.
    pub idle: usize,
    /// Origins that are known. Those that are not used are forgotten by and by.
    pub origins: usize,
    /// Requests so far whose response came to its end.
    pub answered: u64,
    /// Requests so far that failed, in the content of their response too; those that were cancelled are not among them.
    pub failed: u64,
}

/// What came of a shutdown: see [`Shutdown::finish`].
///
/// ```
/// fn tell(drained: http_driver::client::Drained) {
///     println!("{} answered, {} failed, {} cut", drained.answered, drained.failed, drained.cut);
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Requests whose response came to its end meanwhile.
    pub answered: u64,
    /// Requests that failed meanwhile.
    pub failed: u64,
    /// Requests that were open when the time was over.
    pub cut: usize,
}

/// A client that comes to its end: it takes no more requests, answers those that it has, and closes each connection
/// that is not needed for them. Dropped, that goes on.
///
/// ```
/// use std::time::Duration;
/// use http_driver::Runtime;
/// use http_driver::client::{Client, Connector};
///
/// async fn end<C: Connector, R: Runtime + Send + Sync + 'static>(client: Client<C, R>)
/// where
///     R::Timer: Send,
/// {
///     let drained = client.shutdown().finish(Duration::from_secs(10)).await;
///     println!("{} requests were cut", drained.cut);
/// }
/// ```
#[must_use = "wait for its end"]
pub struct Shutdown<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    core: Arc<Core<C, R>>,
    before: Counts,
}

impl<C, R> Shutdown<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    pub(super) fn begin(core: Arc<Core<C, R>>) -> Self {
        let before = core.pool.counts();
        core.pool.drain(core.now());
        Self { core, before }
    }

    /// Waits until nothing is left, but no longer than `most`, of which [`Duration::MAX`] is for ever; what is still
    /// open then is cut.
    ///
    /// A response counts as open until its content was read to its end or dropped, so whoever holds one reads it beside
    /// this.
    ///
    /// # Cancellation
    /// Safe: what is open goes on, and nothing is cut.
    pub async fn finish(self, most: Duration) -> Drained {
        let mut timer = clock::timer(&self.core.runtime, most);
        let in_time = poll_fn(|cx| match self.core.pool.poll_drained(cx) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending => timer.poll(cx).map(|()| false),
        });
        let in_time = in_time.await;
        let after = self.core.pool.counts();
        let cut = if in_time { 0 } else { self.core.pool.cut(self.core.now()) };
        Drained {
            answered: after.answered.saturating_sub(self.before.answered),
            failed: after.failed.saturating_sub(self.before.failed),
            cut,
        }
    }
}

impl<C, R> fmt::Debug for Shutdown<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").field("now", &self.core.pool.counts()).finish_non_exhaustive()
    }
}
