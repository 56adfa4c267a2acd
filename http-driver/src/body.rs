//! Content that is being received, as a body of the `http-body` crate.

use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::str::Utf8Error;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_core::{Closed, Fields, Framing};

use crate::convert;
use crate::error::Error;

/// The content of a message that is being received.
///
/// Pulled: the connection takes no more from its transport than [`read_ahead`](http_core::Limits::read_ahead), and one
/// read, beyond what was polled of the body. Content that is cut short ends in an error, never as if it were complete.
/// Dropped early, the rest is discarded; on a server it may be held, and read, beyond the answer to its request.
///
/// ```
/// use http_body::Body;
/// let body = http_driver::Incoming::empty();
/// assert!(body.is_end_stream());
/// assert_eq!(body.size_hint().exact(), Some(0));
/// ```
pub struct Incoming {
    cell: Option<Arc<Mutex<Cell>>>,
    /// How many bytes are still to come, where that is known.
    left: Option<u64>,
    done: bool,
}

/// Content was not read whole: see [`Incoming::bytes`] and [`Incoming::text`].
///
/// ```
/// use http_driver::ReadError;
/// assert_eq!(ReadError::TooLong.to_string(), "the content is longer than what its reader takes");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// It is longer than its reader takes.
    TooLong,
    /// It did not come.
    Failed(Error),
    /// It came, and is no UTF-8.
    NotUtf8(Utf8Error),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the content is longer than what its reader takes"),
            Self::Failed(_) => f.write_str("the content did not come whole"),
            Self::NotUtf8(_) => f.write_str("the content is no text in UTF-8"),
        }
    }
}

impl core::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::TooLong => None,
            Self::Failed(error) => Some(error),
            Self::NotUtf8(error) => Some(error),
        }
    }
}

/// What the connection and the body share: one frame at most.
#[derive(Debug, Default)]
struct Cell {
    frame: Option<Result<Frame<Bytes>, Error>>,
    /// The body was polled and waits.
    wanted: bool,
    ended: bool,
    /// The body was dropped.
    dropped: bool,
    reader: Option<Waker>,
    connection: Option<Waker>,
}

/// The connection's side of an [`Incoming`].
#[derive(Debug)]
pub(crate) struct Feed(Arc<Mutex<Cell>>);

/// What the body's user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// A frame.
    Frame,
    /// Nothing now.
    Nothing,
    /// Nothing ever again.
    Dropped,
}

impl Incoming {
    /// No content.
    #[must_use]
    pub const fn empty() -> Self {
        Self { cell: None, left: Some(0), done: true }
    }

    /// All of the content, if it is no longer than `most` bytes. Trailers are left out; content that came in one piece
    /// is not copied.
    ///
    /// Content whose head says that it is longer is refused before any of it is read, and so before a client that waits
    /// for `100 (Continue)` sends it. A server answers that with 413 (RFC 9110 §15.5.14).
    ///
    /// ```
    /// use http::{Request, Response, StatusCode};
    /// use http_driver::{Full, Incoming, ReadError};
    ///
    /// async fn echo(request: Request<Incoming>) -> Result<Response<Full>, ReadError> {
    ///     let mut response = Response::new(Full::default());
    ///     match request.into_body().bytes(64 * 1024).await {
    ///         Ok(bytes) => *response.body_mut() = bytes.into(),
    ///         Err(ReadError::TooLong) => *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE,
    ///         Err(error) => return Err(error), // the rest did not come; nobody is left to be answered
    ///     }
    ///     Ok(response)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ReadError::TooLong`], and whatever cut the content short.
    ///
    /// # Cancellation
    /// Dropped early, it drops the content, whose rest is discarded.
    pub async fn bytes(mut self, most: usize) -> Result<Bytes, ReadError> {
        let (mut first, mut all) = (Bytes::new(), BytesMut::new());
        let fits = |bytes: u64| usize::try_from(bytes).is_ok_and(|bytes| bytes <= most);
        if !fits(self.size_hint().lower()) {
            return Err(ReadError::TooLong);
        }
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut self).poll_frame(cx)).await {
            let Ok(data) = frame.map_err(ReadError::Failed)?.into_data() else { continue };
            if data.len() > most - first.len() - all.len() {
                return Err(ReadError::TooLong);
            }
            match (first.is_empty(), all.is_empty()) {
                (true, true) => first = data,
                (false, _) => {
                    all.reserve(first.len() + data.len());
                    all.extend_from_slice(&core::mem::take(&mut first));
                    all.extend_from_slice(&data);
                }
                (true, false) => all.extend_from_slice(&data),
            }
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    }

    /// All of the content as text, if it is no longer than `most` bytes. It is read as UTF-8, whatever charset
    /// `Content-Type` names, and as it is: a byte order mark stays where it is. For other charsets there are
    /// [`bytes`](Self::bytes), and crates that know them.
    ///
    /// ```
    /// use http::Response;
    /// use http_driver::{Incoming, ReadError};
    ///
    /// async fn lines(response: Response<Incoming>) -> Result<usize, ReadError> {
    ///     Ok(response.into_body().text(64 * 1024).await?.lines().count())
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of [`bytes`](Self::bytes), and [`ReadError::NotUtf8`].
    ///
    /// # Cancellation
    /// As of [`bytes`](Self::bytes).
    pub async fn text(self, most: usize) -> Result<String, ReadError> {
        // What is the only piece of its memory is not copied.
        let bytes = Vec::from(self.bytes(most).await?);
        String::from_utf8(bytes).map_err(|error| ReadError::NotUtf8(error.utf8_error()))
    }

    /// A body for what follows a head, and the side that feeds it.
    pub(crate) fn new(framing: Framing) -> (Self, Option<Feed>) {
        let left = match framing {
            Framing::None | Framing::Length(0) => return (Self::empty(), None),
            Framing::Length(length) => Some(length),
            Framing::Chunked | Framing::UntilClose => None,
        };
        let cell = Arc::new(Mutex::new(Cell::default()));
        (Self { cell: Some(cell.clone()), left, done: false }, Some(Feed(cell)))
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Some(cell) = this.cell.as_ref().filter(|_| !this.done) else { return Poll::Ready(None) };
        let mut cell = lock(cell);
        let frame = match cell.frame.take() {
            Some(frame) => frame,
            None if cell.ended => {
                drop(cell);
                this.done = true;
                return Poll::Ready(None);
            }
            None => {
                // Whoever feeds it knows already, if it is wanted still.
                let known = core::mem::replace(&mut cell.wanted, true);
                if !cell.reader.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    cell.reader = Some(cx.waker().clone());
                }
                let connection = if known { None } else { cell.connection.take() };
                drop(cell);
                if let Some(connection) = connection {
                    connection.wake();
                }
                return Poll::Pending;
            }
        };
        drop(cell);
        match &frame {
            Ok(frame) => {
                if let (Some(left), Some(data)) = (&mut this.left, frame.data_ref()) {
                    *left = left.saturating_sub(data.len() as u64);
                }
            }
            Err(_) => this.done = true,
        }
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.done || self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(cell) = &self.cell {
            let mut cell = lock(cell);
            cell.dropped = true;
            let connection = cell.connection.take();
            drop(cell);
            if let Some(connection) = connection {
                connection.wake();
            }
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("left", &self.left).field("done", &self.done).finish_non_exhaustive()
    }
}

impl Feed {
    /// What is wanted; the connection's task is woken when that changes.
    pub(crate) fn demand(&self, cx: &Context<'_>) -> Demand {
        let mut cell = lock(&self.0);
        // Whatever is wanted now: the body may be dropped while that is waited for.
        if !cell.connection.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            cell.connection = Some(cx.waker().clone());
        }
        match () {
            () if cell.dropped => Demand::Dropped,
            () if cell.wanted && cell.frame.is_none() => Demand::Frame,
            () => Demand::Nothing,
        }
    }

    /// Whether the body still exists.
    pub(crate) fn is_held(&self) -> bool {
        !lock(&self.0).dropped
    }

    pub(crate) fn data(&self, bytes: Bytes) {
        self.put(Some(Ok(Frame::data(bytes))), false);
    }

    /// The content is complete.
    pub(crate) fn end(self, trailers: &Fields) {
        let frame = match convert::header_map(trailers) {
            Ok(map) if map.is_empty() => None,
            Ok(map) => Some(Ok(Frame::trailers(map))),
            Err(_) => None,
        };
        self.put(frame, true);
    }

    /// The content is not complete, and no more will come.
    pub(crate) fn fail(self, error: Error) {
        self.put(Some(Err(error)), true);
    }

    fn put(&self, frame: Option<Result<Frame<Bytes>, Error>>, ended: bool) {
        let mut cell = lock(&self.0);
        cell.wanted = false;
        if frame.is_some() {
            cell.frame = frame;
        }
        cell.ended |= ended;
        let reader = cell.reader.take();
        drop(cell);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // A connection that is dropped leaves no body waiting, and none that seems complete.
        if !lock(&self.0).ended {
            self.put(Some(Err(Error::Closed(Closed::Abandoned))), true);
        }
    }
}

/// Nothing that runs under the lock can panic, so a poisoned one is as good as any.
fn lock(cell: &Mutex<Cell>) -> MutexGuard<'_, Cell> {
    cell.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use core::future::Future;

    use super::*;

    /// What [`Incoming::bytes`] makes of content that came like this, and whether it asked for any of it.
    fn read(framing: Framing, most: usize, pieces: &[&'static str], end: Option<&Fields>) -> (String, bool) {
        let (body, feed) = Incoming::new(framing);
        let mut feed = feed.expect("content");
        let mut reading = Box::pin(body.bytes(most));
        let mut cx = Context::from_waker(Waker::noop());
        let mut pieces = pieces.iter();
        let mut poll = reading.as_mut().poll(&mut cx);
        let asked = feed.demand(&cx) == Demand::Frame;
        while poll.is_pending() {
            match (pieces.next(), end) {
                (Some(piece), _) => feed.data(Bytes::from_static(piece.as_bytes())),
                (None, Some(trailers)) => {
                    feed.end(trailers);
                    feed = Feed(Arc::default());
                }
                (None, None) => drop(core::mem::replace(&mut feed, Feed(Arc::default()))),
            }
            poll = reading.as_mut().poll(&mut cx);
        }
        let Poll::Ready(outcome) = poll else { unreachable!() };
        let told = match outcome {
            Ok(bytes) => String::from_utf8(bytes.to_vec()).expect("text"),
            Err(error) => format!("{error:?}"),
        };
        (told, asked)
    }

    #[test]
    fn content_is_read_whole_or_not_at_all() {
        let none = Fields::new();
        let mut trailers = Fields::new();
        trailers.push("Checksum", "1").expect("a field");
        let (length, chunked) = (Framing::Length, Framing::Chunked);
        for (framing, most, pieces, end, expected, asked) in [
            (length(3), 3, &["abc"][..], Some(&none), "abc", true),
            (length(3), 3, &["a", "b", "c"], Some(&none), "abc", true),
            // Refused by its head.
            (length(4), 3, &[], None, "TooLong", false),
            (length(u64::MAX >> 1), usize::MAX >> 1, &[], None, "Failed(Closed(Abandoned))", true),
            (chunked, 3, &["ab", "c"], Some(&none), "abc", true),
            (chunked, 3, &["ab", "cd"], Some(&none), "TooLong", true),
            (chunked, 3, &["abcd"], Some(&none), "TooLong", true),
            (chunked, 0, &[], Some(&none), "", true),
            (chunked, 0, &["a"], Some(&none), "TooLong", true),
            (chunked, 9, &["ab", "cd"], Some(&trailers), "abcd", true),
            (chunked, usize::MAX, &["ab", "cd"], None, "Failed(Closed(Abandoned))", true),
        ] {
            let told = read(framing, most, pieces, end);
            assert_eq!(told, (expected.to_owned(), asked), "{framing:?} at most {most} of {pieces:?}");
        }
    }

    #[test]
    fn text_is_utf8_and_as_it_came() {
        for (pieces, most, expected) in [
            (&["h\u{e9}".as_bytes(), b"llo"][..], 9, "Ok(\"h\u{e9}llo\")"),
            // A sign that is cut in two.
            (&[b"\xc3", b"\xa9"], 9, "Ok(\"\u{e9}\")"),
            (&[b"\xef\xbb\xbfa"], 9, "Ok(\"\\u{feff}a\")"),
            (&[], 9, "Ok(\"\")"),
            (&[b"ab", b"cd"], 3, "Err(TooLong)"),
            (&[b"a\xe9"], 9, "Err(NotUtf8(Utf8Error { valid_up_to: 1, error_len: None }))"),
        ] {
            let (body, feed) = Incoming::new(Framing::Chunked);
            let mut feed = feed;
            let mut reading = Box::pin(body.text(most));
            let mut cx = Context::from_waker(Waker::noop());
            let mut pieces = pieces.iter();
            let told = loop {
                match (reading.as_mut().poll(&mut cx), pieces.next(), &mut feed) {
                    (Poll::Ready(told), ..) => break told,
                    (Poll::Pending, Some(piece), Some(feed)) => feed.data(Bytes::from_static(piece)),
                    (Poll::Pending, _, feed) => feed.take().expect("an end").end(&Fields::new()),
                }
            };
            assert_eq!(format!("{told:?}"), expected);
        }
    }

    /// It is moved a few times on its way to the service; 32 bytes more cost some 200 instructions.
    #[test]
    fn a_request_is_no_more_than_256_bytes() {
        assert!(size_of::<http::Request<Incoming>>() <= 256);
    }

    #[test]
    fn one_piece_is_not_copied() {
        let (body, feed) = Incoming::new(Framing::Length(3));
        let (feed, piece) = (feed.expect("content"), Bytes::from(vec![1, 2, 3]));
        feed.data(piece.clone());
        let mut cx = Context::from_waker(Waker::noop());
        let mut reading = Box::pin(body.bytes(3));
        assert!(reading.as_mut().poll(&mut cx).is_pending());
        feed.end(&Fields::new());
        let Poll::Ready(Ok(bytes)) = reading.as_mut().poll(&mut cx) else { panic!("not read") };
        assert_eq!(bytes.as_ptr(), piece.as_ptr());
    }
}
