//! Bodies that do as they are told.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};

/// Some frames, and then an end of one kind or another.
#[derive(Default)]
pub(crate) struct Told {
    frames: VecDeque<Frame<Bytes>>,
    length: Option<u64>,
    then: Then,
    guard: Option<Dropped>,
}

/// How a body ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Then {
    #[default]
    End,
    Fail,
    /// Never.
    Wait,
    Panic,
}

impl Told {
    /// These pieces, of a length that is not announced.
    pub(crate) fn pieces<P: Into<Bytes>>(pieces: impl IntoIterator<Item = P>) -> Self {
        Self { frames: pieces.into_iter().map(|piece| Frame::data(piece.into())).collect(), ..Self::default() }
    }

    /// The same, of the length that they have.
    pub(crate) fn sized<P: Into<Bytes>>(pieces: impl IntoIterator<Item = P>) -> Self {
        let mut told = Self::pieces(pieces);
        told.length = Some(told.frames.iter().filter_map(|frame| Some(frame.data_ref()?.len() as u64)).sum());
        told
    }

    /// A body of so many bytes that must not be run.
    pub(crate) fn trap(length: u64) -> Self {
        Self { length: Some(length), then: Then::Panic, ..Self::default() }
    }

    /// Of this length, it says.
    pub(crate) const fn announced(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    pub(crate) fn trailers(mut self, trailers: &[(&'static str, &'static str)]) -> Self {
        let fields =
            trailers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        self.frames.push_back(Frame::trailers(fields.collect::<HeaderMap>()));
        self
    }

    pub(crate) const fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }

    /// Tells when it is dropped.
    pub(crate) fn guarded(mut self, guard: Dropped) -> Self {
        self.guard = Some(guard);
        self
    }
}

impl Body for Told {
    type Data = Bytes;
    type Error = std::fmt::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::fmt::Error>>> {
        match (self.frames.pop_front(), self.then) {
            (Some(frame), _) => Poll::Ready(Some(Ok(frame))),
            (None, Then::End) => Poll::Ready(None),
            (None, Then::Fail) => Poll::Ready(Some(Err(std::fmt::Error))),
            (None, Then::Wait) => Poll::Pending,
            (None, Then::Panic) => panic!("as the test wants it"),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Tells when it is dropped.
pub(crate) struct Dropped(pub(crate) Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
