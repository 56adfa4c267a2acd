//! What watches a client.

use http_core::dispatch::{Action, ConnectionId, Input};

use crate::link::BoxTap;

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
