//! Tunnels as streams of `futures-io`.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use futures_io::{AsyncRead, AsyncWrite};
use http_driver::Tunnel;

/// What is left of a connection that was handed over, as a stream of `futures-io`: see [`Tunnel`].
///
/// ```
/// use http_async_std::Upgrade;
/// /// Waits for the hand-over.
/// async fn stream(upgrade: Upgrade) -> Result<http_async_std::TunnelStream, http_async_std::Error> {
///     Ok(http_async_std::TunnelStream::from(upgrade.await?))
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
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, buffer)
    }
}

impl AsyncWrite for TunnelStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_end(cx)
    }
}
