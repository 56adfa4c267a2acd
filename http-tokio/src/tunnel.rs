//! Tunnels as streams of tokio.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use http_driver::Tunnel;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is left of a connection that was handed over, as a stream of tokio: see [`Tunnel`].
///
/// ```
/// use http_tokio::Upgrade;
/// /// Waits for the hand-over.
/// async fn stream(upgrade: Upgrade) -> Result<http_tokio::TunnelStream, http_tokio::Error> {
///     Ok(http_tokio::TunnelStream::from(upgrade.await?))
/// }
/// ```
#[derive(Debug)]
pub struct TunnelStream(Tunnel);

impl From<Tunnel> for TunnelStream {
    fn from(tunnel: Tunnel) -> Self {
        Self(tunnel)
    }
}

impl TunnelStream {
    /// The tunnel again.
    #[must_use]
    pub fn into_inner(self) -> Tunnel {
        self.0
    }
}

impl AsyncRead for TunnelStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = buffer.initialize_unfilled();
        self.0.poll_read(cx, room).map_ok(|count| buffer.advance(count))
    }
}

impl AsyncWrite for TunnelStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_end(cx)
    }
}
