//! hyper's `OnUpgrade`, for services that look for it in their requests.
//!
//! hyper alone can make one, and only of a request that it has read. So a connection of hyper's own, without a socket,
//! is given a request that offers an upgrade; the `OnUpgrade` of that one goes along with the real request. When the
//! real connection is handed over, hyper's is let answer with 101, and gives away its stream, which from there on is
//! the [`Tunnel`]. Nothing runs in between: no task, no pump, no buffer but the tunnel's.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use std::io;
use std::sync::{Arc, Mutex};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;

use super::stream::Tunnel;
use super::upgrade::Upgrade;
use crate::lock::lock;
use crate::simple::Full;

const OFFER: &[u8] = b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: tunnel\r\n\r\n";

/// The hyper connection whose `OnUpgrade` is out. Dropped, that one fails.
// The lock is never waited for: it makes of what can be sent to another thread what can be shared, too.
pub(super) struct Minted(Mutex<Pin<Box<Connection>>>);

type Connection = dyn Future<Output = Result<(), hyper::Error>> + Send;

impl Minted {
    /// Puts an `OnUpgrade` among `extensions` that has the tunnel of `upgrade`, unless somebody takes it there.
    pub(super) fn new(upgrade: Upgrade, extensions: &mut http::Extensions) -> Self {
        let tray = Arc::new(Mutex::new(None));
        let minting = tray.clone();
        let answer = service_fn(move |request| {
            *lock(&minting) = Some(hyper::upgrade::on(request));
            let mut response = http::Response::new(Full::default());
            *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
            core::future::ready(Ok::<_, Infallible>(response))
        });
        let stream = Stream { offer: OFFER, upgrade, answered: false, tunnel: None };
        let connection = http1::Builder::new().serve_connection(stream, answer).with_upgrades();
        let this = Self(Mutex::new(Box::pin(connection)));
        this.proceed();
        if let Some(on_upgrade) = lock(&tray).take() {
            let _: Option<OnUpgrade> = extensions.insert(on_upgrade);
        }
        this
    }

    /// Goes as far as it can: to its answer, and past that once the hand-over has come. Neither is waited for.
    pub(super) fn proceed(&self) {
        let _ = lock(&self.0).as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

/// What hyper's connection reads and writes, and then whoever has its `OnUpgrade`.
struct Stream {
    /// What is still to be read of hyper's request.
    offer: &'static [u8],
    upgrade: Upgrade,
    /// Whether the head of hyper's response is written.
    answered: bool,
    tunnel: Option<Tunnel>,
}

impl Stream {
    /// The tunnel, which is taken when it is used first: until then it is there for whoever asks the [`Upgrade`].
    fn poll_tunnel(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&mut Tunnel>> {
        let tunnel = match self.tunnel.take() {
            Some(tunnel) => tunnel,
            None => ready!(Pin::new(&mut self.upgrade).poll(cx))?,
        };
        Poll::Ready(Ok(self.tunnel.insert(tunnel)))
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.answered {
            let (now, later) = self.offer.split_at(self.offer.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.offer = later;
            return if now.is_empty() { Poll::Pending } else { Poll::Ready(Ok(())) };
        }
        let most = buffer.remaining();
        ready!(self.poll_tunnel(cx))?.poll_pass(cx, most, |bytes| buffer.put_slice(bytes)).map_ok(drop)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.answered {
            return ready!(self.poll_tunnel(cx))?.poll_write(cx, bytes);
        }
        if !self.upgrade.is_settled() {
            return Poll::Pending;
        }
        // The real client has had the service's own answer.
        self.answered = bytes.ends_with(b"\r\n\r\n");
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tunnel.as_mut().map_or(Poll::Ready(Ok(())), |tunnel| tunnel.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_tunnel(cx))?.poll_end(cx)
    }
}
