//! Content that is being received, as a body of the `http-body` crate.

use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::str::Utf8Error;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_core::{Closed, Fields, Framing};

use crate::convert;
use crate::error::Error;
use crate::lock::lock;

/// The content of a message that is being received.
///
/// Pulled: the connection takes no more from its transport than [`read_ahead`](http_core::Limits::read_ahead), and one
/// read, beyond what was polled of the body. Content that is cut short ends in an error, never as if it were complete.
/// Dropped early, the rest is discarded; on a server it may be held, and read, beyond the answer to its request.
///
/// On a client its reader drives the connection, so it is read on a runtime, best on the one that the request was sent
/// on; what had come with the head is here already.
///
/// ```
/// use http_body::Body;
/// let body = http_driver::Incoming::empty();
/// assert!(body.is_end_stream());
/// assert_eq!(body.size_hint().exact(), Some(0));
/// ```
pub struct Incoming(Source);

/// Where content comes from. A request is moved with it, so it is small: what is here already takes no more room than
/// its bytes.
enum Source {
    Whole(Bytes),
    Other(Other),
}

enum Other {
    /// Nothing is left.
    Done,
    /// Whoever drives the connection gives piece by piece.
    Fed {
        shared: Arc<Shared>,
        /// How many bytes are still to come; [`UNKNOWN`] where the head does not say.
        left: u64,
    },
    /// The reader drives the connection.
    Driven(Box<dyn Drive>),
    /// What is here already, of a length that the head did not say, and the trailers behind it, if there are any.
    Trailed(Box<(Bytes, HeaderMap)>),
}

/// Of content whose head does not say how long it is.
const UNKNOWN: u64 = u64::MAX;

/// A connection that is driven by whoever reads the content of its response.
pub(crate) trait Drive: Send + Sync {
    /// The next frame, after whose last one nothing is driven any more; or the connection back, to be polled again.
    fn poll_frame(self: Box<Self>, cx: &mut Context<'_>) -> Driven;

    /// How many bytes are still to come, where that is known.
    fn left(&self) -> Option<u64>;

    /// Nobody wants the rest.
    fn abandon(self: Box<Self>);
}

/// What came of a poll.
pub(crate) enum Driven {
    Pending(Box<dyn Drive>),
    Frame(Frame<Bytes>, Box<dyn Drive>),
    /// The last one, if there is one.
    Last(Option<Frame<Bytes>>),
    Failed(Error),
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

/// What the connection and the body share.
#[derive(Debug, Default)]
struct Shared {
    cell: Mutex<Cell>,
    /// Whoever is polled just now is polled by the connection: see [`Feed::enter`]. Read with the cell locked, and the
    /// connection locks it behind each change; so a reader that still sees it set is seen by the connection.
    within: AtomicBool,
}

/// One frame at most, and who waits for what.
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
    /// The reader has asked from there.
    asked_within: bool,
    /// The connection polls it once it was fed, so that nobody need wake it.
    is_next: bool,
}

/// The connection's side of an [`Incoming`].
#[derive(Debug)]
pub(crate) struct Feed(Arc<Shared>);

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
        Self(Source::Other(Other::Done))
    }

    /// All of it, and the trailers behind it. Of what is `chunked` no length is told, as if it were still to come:
    /// whoever hands a response on, as axum's routers do, makes a `Content-Length` of it, and that beside the
    /// `Transfer-Encoding` which is among its fields no server may send (RFC 9112 §6.2).
    #[inline]
    pub(crate) fn whole(bytes: Bytes, trailers: &Fields, chunked: bool) -> Self {
        if chunked {
            return Self::trailed(bytes, trailers);
        }
        if bytes.is_empty() { Self::empty() } else { Self(Source::Whole(bytes)) }
    }

    fn trailed(bytes: Bytes, trailers: &Fields) -> Self {
        let map = convert::header_map(trailers).unwrap_or_default();
        Self(Source::Other(Other::Trailed(Box::new((bytes, map)))))
    }

    /// What is still on a connection, which its reader drives.
    pub(crate) fn driven(by: Box<dyn Drive>) -> Self {
        Self(Source::Other(Other::Driven(by)))
    }

    const fn done() -> Source {
        Source::Other(Other::Done)
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
            Framing::Length(length) => length,
            Framing::Chunked | Framing::UntilClose => UNKNOWN,
        };
        let shared = Arc::new(Shared::default());
        (Self(Source::Other(Other::Fed { shared: shared.clone(), left })), Some(Feed(shared)))
    }

    /// How many bytes are still to come, where that is known.
    fn left(&self) -> Option<u64> {
        match &self.0 {
            Source::Whole(bytes) => Some(bytes.len() as u64),
            Source::Other(Other::Done) => Some(0),
            Source::Other(Other::Fed { left, .. }) => (*left != UNKNOWN).then_some(*left),
            Source::Other(Other::Driven(by)) => by.left(),
            Source::Other(Other::Trailed(_)) => None,
        }
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let source = &mut self.0;
        // What nearly every response is, and its end.
        if let Source::Whole(bytes) = source {
            let bytes = core::mem::take(bytes);
            *source = Self::done();
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if let Source::Other(Other::Done) = source {
            return Poll::Ready(None);
        }
        if let Source::Other(Other::Fed { shared, left }) = source {
            let frame = match shared.poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(frame) => frame,
            };
            match &frame {
                Some(Ok(frame)) => {
                    if let (true, Some(data)) = (*left != UNKNOWN, frame.data_ref()) {
                        *left = left.saturating_sub(data.len() as u64);
                    }
                }
                Some(Err(_)) | None => *source = Self::done(),
            }
            return Poll::Ready(frame);
        }
        let (frame, next) = match core::mem::replace(source, Self::done()) {
            Source::Other(Other::Trailed(mut trailed)) => match core::mem::take(&mut trailed.0) {
                bytes if bytes.is_empty() && trailed.1.is_empty() => (None, Other::Done),
                bytes if bytes.is_empty() => (Some(Ok(Frame::trailers(trailed.1))), Other::Done),
                bytes if trailed.1.is_empty() => (Some(Ok(Frame::data(bytes))), Other::Done),
                bytes => (Some(Ok(Frame::data(bytes))), Other::Trailed(trailed)),
            },
            Source::Other(Other::Driven(by)) => match by.poll_frame(cx) {
                Driven::Pending(by) => {
                    *source = Source::Other(Other::Driven(by));
                    return Poll::Pending;
                }
                Driven::Frame(frame, by) => (Some(Ok(frame)), Other::Driven(by)),
                Driven::Last(frame) => (frame.map(Ok), Other::Done),
                Driven::Failed(error) => (Some(Err(error)), Other::Done),
            },
            Source::Whole(_) | Source::Other(_) => (None, Other::Done),
        };
        *source = Source::Other(next);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.left() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.left().map_or_else(SizeHint::default, SizeHint::with_exact);
        if let Source::Other(Other::Trailed(trailed)) = &self.0 {
            hint.set_lower(trailed.0.len() as u64);
        }
        hint
    }
}

impl Shared {
    /// The frame that was fed last, or a wish for one; nothing if there will be none.
    fn poll_frame(&self, cx: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut cell = lock(&self.cell);
        match cell.frame.take() {
            Some(frame) => Poll::Ready(Some(frame)),
            None if cell.ended => Poll::Ready(None),
            None => {
                // Whoever feeds it knows already, if it is wanted still.
                let known = core::mem::replace(&mut cell.wanted, true);
                if !cell.reader.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    cell.reader = Some(cx.waker().clone());
                }
                let within = self.within.load(Ordering::Relaxed);
                (cell.asked_within, cell.is_next) = (within, false);
                let connection = if known || within { None } else { cell.connection.take() };
                drop(cell);
                if let Some(connection) = connection {
                    connection.wake();
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for Incoming {
    #[inline]
    fn drop(&mut self) {
        if !matches!(self.0, Source::Whole(_) | Source::Other(Other::Done)) {
            self.leave();
        }
    }
}

impl Incoming {
    /// Whoever brings the rest hears that nobody wants it.
    fn leave(&mut self) {
        match core::mem::replace(&mut self.0, Self::done()) {
            Source::Other(Other::Fed { shared, .. }) => {
                let mut cell = lock(&shared.cell);
                cell.dropped = true;
                let connection = cell.connection.take();
                drop(cell);
                if let Some(connection) = connection {
                    connection.wake();
                }
            }
            Source::Other(Other::Driven(by)) => by.abandon(),
            _ => {}
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("left", &self.left()).finish_non_exhaustive()
    }
}

impl Feed {
    /// What is wanted; the connection's task is woken when that changes.
    pub(crate) fn demand(&self, cx: &Context<'_>) -> Demand {
        let mut cell = lock(&self.0.cell);
        // Whatever is wanted now: the body may be dropped while that is waited for.
        if !cell.connection.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            cell.connection = Some(cx.waker().clone());
        }
        match () {
            () if cell.dropped => Demand::Dropped,
            () if cell.wanted && cell.frame.is_none() => {
                // Somebody else who waits in this task has asked from elsewhere.
                let next = |reader: &Waker| reader.will_wake(cx.waker());
                cell.is_next = cell.asked_within && cell.reader.as_ref().is_some_and(next);
                Demand::Frame
            }
            () => Demand::Nothing,
        }
    }

    /// Whether the body still exists.
    pub(crate) fn is_held(&self) -> bool {
        !lock(&self.0.cell).dropped
    }

    /// The connection polls from here until [`leave`](Self::leave) whoever may hold the body. Behind that it asks for
    /// the [`demand`](Self::demand), and polls again what it has fed. So what happens between the two wakes nobody of
    /// its own task, which its runtime would poll once more in vain.
    pub(crate) fn enter(&self) {
        self.0.within.store(true, Ordering::Relaxed);
    }

    /// Ends what [`enter`](Self::enter) begins.
    pub(crate) fn leave(&self) {
        self.0.within.store(false, Ordering::Relaxed);
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
        lock(&self.0.cell).is_next = false;
        self.put(Some(Err(error)), true);
    }

    fn put(&self, frame: Option<Result<Frame<Bytes>, Error>>, ended: bool) {
        let mut cell = lock(&self.0.cell);
        cell.wanted = false;
        if frame.is_some() {
            cell.frame = frame;
        }
        cell.ended |= ended;
        let reader = if cell.is_next { None } else { cell.reader.take() };
        drop(cell);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // A connection that is dropped leaves no body waiting, and none that seems complete.
        let mut cell = lock(&self.0.cell);
        if !cell.ended {
            cell.is_next = false;
            drop(cell);
            self.put(Some(Err(Error::Closed(Closed::Abandoned))), true);
        }
    }
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
        assert_eq!(size_of::<Incoming>(), size_of::<Bytes>());
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
