//! The content of a request that may have to be sent more than once.

use core::any::Any;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::borrow::Cow;

use bytes::{Buf, Bytes};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http_body::{Body, Frame, SizeHint};
use http_core::{Content, Outline, RequestHead, make_header_request};

use crate::convert::{self, Unconvertible};
use crate::error::BoxError;
use crate::simple::Full;

pub(super) type BoxBody = Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>;

/// The content of a request of which nothing was sent.
///
/// ```
/// use http_driver::client::{RequestError, Unsent};
/// fn elsewhere(error: RequestError) -> Option<http::Request<Unsent>> {
///     error.into_request()
/// }
/// ```
pub struct Unsent(pub(super) Payload);

impl Body for Unsent {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Payload::Stream(_, body) => body.as_mut().poll_frame(cx),
            payload => {
                let frame = match core::mem::replace(payload, Payload::Taken) {
                    Payload::Ready(Content::Full(bytes)) => Some(Ok(Frame::data(bytes))),
                    _ => None,
                };
                Poll::Ready(frame)
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Payload::Ready(Content::Full(bytes)) => SizeHint::with_exact(bytes.len() as u64),
            Payload::Stream(_, body) => body.size_hint(),
            _ => SizeHint::with_exact(0),
        }
    }
}

impl core::fmt::Debug for Unsent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Unsent").field("size_hint", &self.size_hint()).finish_non_exhaustive()
    }
}

/// A request's body that was not as long as it had announced: what is behind a
/// [`RequestError`](super::RequestError) that [`is_body`](super::RequestError::is_body) then.
///
/// ```
/// use http_driver::client::WrongLength;
/// assert_eq!(WrongLength::Under(3).to_string(), "the body ended 3 bytes before the length that it had announced");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongLength {
    /// So many bytes did not come.
    Under(u64),
    /// So many bytes, at least, were too many.
    Over(u64),
}

impl core::fmt::Display for WrongLength {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Under(by) => write!(f, "the body ended {by} bytes before the length that it had announced"),
            Self::Over(by) => write!(f, "the body went {by} bytes beyond the length that it had announced"),
        }
    }
}

impl core::error::Error for WrongLength {}

/// The content of a request.
pub(super) enum Payload {
    /// It is here, and can be sent any number of times.
    Ready(Content),
    /// It comes by and by, once.
    Stream(Option<u64>, BoxBody),
    /// It was begun to be read.
    Taken,
}

impl Payload {
    /// The content to announce, and the stream behind it.
    pub(super) fn take(&mut self) -> Option<(Content, Option<BoxBody>)> {
        let content = self.announced()?;
        let body = match self {
            Self::Stream(..) => match core::mem::replace(self, Self::Taken) {
                Self::Stream(_, body) => Some(body),
                _ => None,
            },
            _ => None,
        };
        Some((content, body))
    }

    /// Whether a request that states its framing by itself can be sent with it (RFC 9112 §6): what cannot needs no
    /// connection. The others are framed when they are sent.
    pub(super) fn suits(&self, parts: &Parts, head: Option<&RequestHead>) -> Result<(), Unconvertible> {
        let has = |name| parts.headers.contains_key(name);
        if parts.headers.is_empty() || !has(CONTENT_LENGTH) && !has(TRANSFER_ENCODING) {
            return Ok(());
        }
        let Some(content) = self.announced() else { return Ok(()) };
        let head = head.map_or_else(|| convert::request_head(parts).map(Cow::Owned), |head| Ok(Cow::Borrowed(head)))?;
        Ok(make_header_request(&head, &content, &Outline::default(), &mut Vec::new()).map(drop)?)
    }

    /// The content to announce.
    fn announced(&self) -> Option<Content> {
        match self {
            Self::Ready(content) => Some(content.clone()),
            Self::Stream(length, _) => Some(length.map_or(Content::Streaming, Content::Sized)),
            Self::Taken => None,
        }
    }

    pub(super) const fn is_replayable(&self) -> bool {
        matches!(self, Self::Ready(_))
    }

    /// The content of `body`: one that is all there already is kept as it is. Its trailers are sent if they are
    /// announced, and chunks then take the place of a length, however much of it is there (RFC 9110 §6.6.2).
    pub(super) fn of<B>(body: B, trailers: bool, cx: &mut Context<'_>) -> Result<Self, BoxError>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let mut body = body;
        // The usual one is not boxed first; which it is, is known when this is compiled.
        if let Some(full) = (&mut body as &mut dyn Any).downcast_mut::<Full>() {
            return Ok(Self::Ready(match core::mem::take(full).into_bytes() {
                bytes if bytes.is_empty() => Content::Empty,
                bytes => Content::Full(bytes),
            }));
        }
        let length = if trailers && !body.is_end_stream() { None } else { body.size_hint().exact() };
        if length == Some(0) {
            return Ok(Self::Ready(Content::Empty));
        }
        let mut body = Box::pin(InBytes { body: Box::pin(body), first: None });
        let Some(expected) = length else { return Ok(Self::Stream(None, body)) };
        match body.as_mut().poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) if data.len() as u64 == expected => Ok(Self::Ready(Content::Full(data))),
                Ok(data) => {
                    body.first = Some(data);
                    Ok(Self::Stream(length, body))
                }
                Err(_) => Ok(Self::Stream(length, body)),
            },
            Poll::Ready(Some(Err(error))) => Err(error),
            Poll::Ready(None) | Poll::Pending => Ok(Self::Stream(length, body)),
        }
    }
}

/// A body whose pieces are `Bytes`, with one that was read beforehand.
struct InBytes<B> {
    body: Pin<Box<B>>,
    first: Option<Bytes>,
}

impl<B> Body for InBytes<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        self.body.as_mut().poll_frame(cx).map(|frame| {
            frame.map(|frame| match frame {
                Ok(frame) => Ok(frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))),
                Err(error) => Err(error.into()),
            })
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
