//! Where connections come from.

use core::future::Future;
use std::io;

use crate::io::Transport;

/// Where a server's connections come from, on the runtime `R`.
///
/// The adapters implement it for their runtime's listeners. What has to be done for a connection before it speaks HTTP
/// is the transport's [`poll_handshake`](Transport::poll_handshake), so that one that is slow holds up no other.
///
/// ```
/// use std::io;
/// use http_driver::Runtime;
/// use http_driver::server::Listener;
///
/// /// Counts what another one accepts.
/// struct Counted<L>(L, usize);
///
/// impl<R: Runtime, L: Listener<R>> Listener<R> for Counted<L> {
///     type Transport = L::Transport;
///     async fn accept(&mut self) -> io::Result<L::Transport> {
///         self.1 += 1;
///         self.0.accept().await
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no listener on `{R}`",
    note = "bind one first, a `TcpListener` of the runtime say; to accept in a way of one's own, implement `Listener`"
)]
pub trait Listener<R>: Send {
    /// A connection.
    type Transport: Transport + Send + 'static;

    /// The next connection.
    ///
    /// # Errors
    /// The connection that was to be accepted failed, or there are no resources for it; the server waits a little and
    /// goes on.
    ///
    /// # Cancellation
    /// No connection may be lost.
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Transport>> + Send;
}
