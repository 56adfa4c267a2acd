//! Requests that are told by their numbers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request};
use http_body::{Body, Frame, SizeHint};
use http_driver::Full;
use http_driver::client::ResponseFuture;

use crate::ClientOf;
use crate::random::Random;
use crate::sockets::clients::{NetworkOf, Networked};
use crate::sockets::world::World;

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Get,
    /// Idempotent, with content that can be sent again.
    Put,
    /// Idempotent, with content that comes once.
    Stream,
    /// Not idempotent.
    Post,
    /// Not idempotent by its method, and said to be by its key.
    Keyed,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Get, Self::Put, Self::Stream, Self::Post, Self::Keyed];

    /// What a request is in the run of this seed.
    pub(crate) fn of(id: u64, seed: u64) -> Self {
        Self::ALL[Random::new(seed ^ id).below(5) as usize]
    }

    /// Whether a client may repeat it by itself at any time.
    pub(crate) fn is_repeatable(self) -> bool {
        matches!(self, Self::Get | Self::Put | Self::Keyed)
    }

    pub(crate) fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Put | Self::Stream => Method::PUT,
            Self::Post | Self::Keyed => Method::POST,
        }
    }

    /// Such a request, with the content of its number.
    pub(crate) fn ask<W: Networked>(
        self,
        client: &ClientOf<W>,
        uri: &str,
        id: u64,
    ) -> Result<ResponseFuture<NetworkOf<W>, <W as World>::Runtime>, http::Error> {
        let mut request = Request::builder().method(self.method()).uri(uri);
        if self == Self::Keyed {
            request = request.header("idempotency-key", id);
        }
        Ok(match self {
            Self::Get => client.request(request.body(Full::default())?),
            Self::Put | Self::Post | Self::Keyed => client.request(request.body(Full::from(content_of(id)))?),
            Self::Stream => client.request(request.body(Pieces::of(id, id % 2 > 0))?),
        })
    }
}

/// The content of a request or a response, told by its number alone.
pub(crate) fn content_of(id: u64) -> Bytes {
    let size = [0, 5, 700, 20_000][(id % 4) as usize];
    Bytes::from(format!("{id} ").repeat(size / 4 + 1))
}

/// Content that comes in pieces, with or without a length that is announced.
pub(crate) struct Pieces {
    left: Bytes,
    announced: bool,
}

impl Pieces {
    pub(crate) fn of(id: u64, announced: bool) -> Self {
        Self { left: content_of(id), announced }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let size = self.left.len().min(3000);
        Poll::Ready((size > 0).then(|| Ok(Frame::data(self.left.split_to(size)))))
    }

    fn size_hint(&self) -> SizeHint {
        if self.announced { SizeHint::with_exact(self.left.len() as u64) } else { SizeHint::default() }
    }
}
