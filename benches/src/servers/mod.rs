//! The peers' servers, each as its users run it, at its best: routes, content and fields are those of the example
//! `serve`, and so is the runtime.
//!
//! `GET /plain`, `POST /echo`, `POST /sink`, `GET /bytes/N` and, but for the floor, `GET /chunked/N`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::net::{TcpListener, TcpSocket};

use crate::wire::HELLO;

mod floor;
mod on_axum;
mod on_hyper;

pub use floor::serve as serve_floor;
pub use on_axum::serve as serve_axum;
pub use on_hyper::serve as serve_hyper;

/// The sizes of the pieces that `/bytes` and `/chunked` hand over.
const BYTES_PIECE: usize = 64 * 1024;
const CHUNKED_PIECE: usize = 16 * 1024;

static ZEROS: [u8; BYTES_PIECE] = [b'0'; BYTES_PIECE];

/// A listener on the loopback address, to be made inside of a runtime.
///
/// # Errors
/// Those of the system: the port may be taken.
pub fn listen(port: u16) -> io::Result<(TcpListener, u16)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    let listener = socket.listen(4096)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// Content in pieces; its length is announced, or not.
#[derive(Debug)]
struct Pieces {
    left: u64,
    most: usize,
    sized: bool,
}

impl Pieces {
    const fn sized(total: u64) -> Self {
        Self { left: total, most: BYTES_PIECE, sized: true }
    }

    const fn chunked(total: u64) -> Self {
        Self { left: total, most: CHUNKED_PIECE, sized: false }
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let size = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.most);
        self.left -= size as u64;
        (size > 0).then(|| Bytes::from_static(&ZEROS[..size]))
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Poll::Ready(self.next().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        if self.sized { SizeHint::with_exact(self.left) } else { SizeHint::default() }
    }
}

/// What `/plain` answers.
fn hello() -> Bytes {
    Bytes::from_static(HELLO)
}
