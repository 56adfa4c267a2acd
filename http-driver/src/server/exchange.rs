//! A request and its response.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll};

use bytes::Bytes;
use http_core::server::Event;
use http_core::{Content, End, Fields, Misuse, RequestHead, ResponseHead};

use super::connection::Connection;
use crate::error::Error;
use crate::io::{Runtime, Transport};
use crate::link::poll_until;

/// A request that was received, to be answered.
///
/// Dropped without an answer it is answered with 500; dropped inside its response, the connection is cut so that the
/// client cannot take it for complete.
///
/// ```
/// use http_core::{Content, Fields, ResponseHead, StatusCode};
/// use http_driver::{Error, Runtime, Transport, server};
///
/// /// Sends the content back as it comes in.
/// async fn echo<T: Transport, R: Runtime>(mut exchange: server::Exchange<'_, T, R>) -> Result<(), Error> {
///     exchange.respond(&ResponseHead::new(StatusCode::OK), Content::Streaming)?;
///     while let Some(content) = exchange.content().await? {
///         exchange.write(content).await?;
///     }
///     exchange.end(&Fields::new())?;
///     exchange.finish().await
/// }
/// ```
pub struct Exchange<'c, T: Transport, R: Runtime> {
    connection: &'c mut Connection<T, R>,
    head: RequestHead,
    trailers: Fields,
    request: Request,
}

/// How far the request was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Content,
    /// Its content is not wanted.
    Discarded,
    Complete,
    Switched,
}

impl<T: Transport, R: Runtime> Connection<T, R> {
    /// The next request; `None` when the connection has ended as it should, or speaks another protocol, see
    /// [`is_switched`](Self::is_switched). What is left of the exchange before is
    /// finished first: a response that was not begun is answered with 500, one that was not ended is cut off.
    ///
    /// # Errors
    /// The peer broke a rule, was too slow, or is gone inside a message; it was answered if that was possible, and the
    /// connection is over.
    ///
    /// # Cancellation
    /// Safe: no request is lost.
    pub async fn accept(&mut self) -> Result<Option<Exchange<'_, T, R>>, Error> {
        match poll_fn(|cx| self.poll_accept(cx)).await? {
            Some(head) => Ok(Some(Exchange::new(self, head))),
            None => Ok(None),
        }
    }
}

impl<'c, T: Transport, R: Runtime> Exchange<'c, T, R> {
    fn new(connection: &'c mut Connection<T, R>, head: RequestHead) -> Self {
        Self { connection, head, trailers: Fields::new(), request: Request::Content }
    }

    /// The head of the request.
    #[must_use]
    pub const fn head(&self) -> &RequestHead {
        &self.head
    }

    /// The next piece of content; `None` when the request is complete. The first call lets a client that waits for 100
    /// (Continue) send it (RFC 9110 §10.1.1).
    ///
    /// # Errors
    /// The content broke a rule, was too slow or was cut short; [`Misuse::NotYourTurn`] after
    /// [`discard_content`](Self::discard_content).
    ///
    /// # Cancellation
    /// Safe: no content is lost.
    pub async fn content(&mut self) -> Result<Option<Bytes>, Error> {
        poll_fn(|cx| self.poll_content(cx)).await
    }

    /// [`content`](Self::content), as a poll.
    pub fn poll_content(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Error>> {
        match self.request {
            Request::Content => {}
            Request::Discarded => return Poll::Ready(Err(Misuse::NotYourTurn.into())),
            Request::Complete | Request::Switched => return Poll::Ready(Ok(None)),
        }
        self.connection.want_next_content();
        match self.connection.poll_event(cx)? {
            Poll::Ready(Event::Content(content)) => Poll::Ready(Ok(Some(content))),
            Poll::Ready(Event::End(trailers)) => {
                self.trailers = trailers;
                self.request = Request::Complete;
                Poll::Ready(Ok(None))
            }
            Poll::Ready(Event::Switched) => {
                self.request = Request::Switched;
                Poll::Ready(Ok(None))
            }
            Poll::Ready(Event::Closed(why)) => Poll::Ready(Err(Error::Closed(why))),
            Poll::Ready(_) => Poll::Ready(Err(Misuse::NotYourTurn.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// The trailer section of the request, once [`content`](Self::content) has returned `None`; mostly empty.
    #[must_use]
    pub const fn trailers(&self) -> &Fields {
        &self.trailers
    }

    /// Sends an interim response: 103, 102, 100. It leaves with the next write; [`flush`](Self::flush) hurries it.
    ///
    /// # Errors
    /// Those of [`http_core::server::Connection::send_interim`].
    pub fn interim(&mut self, head: &ResponseHead) -> Result<(), Error> {
        Ok(self.connection.interim(head)?)
    }

    /// Sends the final response, or 101. With [`Content::Empty`] and [`Content::Full`] it is complete; otherwise
    /// [`write`](Self::write) and [`end`](Self::end) follow.
    ///
    /// A client that waits for 100 (Continue) would not send its content after a final response (RFC 9110 §10.1.1). So
    /// where content of the request can still be asked for, because the response goes on and is no error, 100 goes
    /// first; [`discard_content`](Self::discard_content) before it says that none is wanted.
    ///
    /// # Errors
    /// Those of [`http_core::server::Connection::send_response`].
    pub fn respond(&mut self, head: &ResponseHead, content: Content) -> Result<(), Error> {
        let goes_on = !matches!(content, Content::Empty | Content::Full(_)) && !head.status().is_error();
        if goes_on && self.request == Request::Content && self.head.expects_continue() {
            self.connection.want_content();
        }
        Ok(self.connection.respond(head, content)?)
    }

    /// Says that the rest of the request's content is not wanted: it is dropped as it comes, within `Limits::drain`,
    /// and a client that waits for 100 (Continue) is not asked for it; the connection then ends with the response.
    /// [`content`](Self::content) is a misuse from here, unless the request has none or was read.
    pub fn discard_content(&mut self) {
        if self.request == Request::Content && self.connection.machine().content_is_due() {
            self.request = Request::Discarded;
            self.connection.discard_content();
        }
    }

    /// Sends a piece of content, when there is room for it.
    ///
    /// # Errors
    /// The client is gone or too slow; or a misuse, as of [`http_core::server::Connection::send_content`].
    ///
    /// # Cancellation
    /// The piece is either queued or not; a piece that was not is lost with the future.
    pub async fn write(&mut self, mut content: Bytes) -> Result<(), Error> {
        poll_fn(|cx| self.connection.poll_write(&mut content, cx)).await
    }

    /// Ends the response, with trailers if there are any.
    ///
    /// # Errors
    /// Those of [`http_core::server::Connection::send_end`].
    pub fn end(&mut self, trailers: &Fields) -> Result<(), Error> {
        self.connection.end(trailers)
    }

    /// Writes everything that is queued.
    ///
    /// # Errors
    /// The client is gone or too slow.
    ///
    /// # Cancellation
    /// Safe: what was not written is written later.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.connection.poll_flush(cx)).await
    }

    /// Ends the exchange: writes what is queued, unless another request may be waiting whose answer can leave with
    /// this one.
    ///
    /// # Errors
    /// The client is gone or too slow.
    ///
    /// # Cancellation
    /// Safe: what was not written is written later.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` has room for what it takes twice")]
    pub fn finish(mut self) -> impl Future<Output = Result<(), Error>> + use<'c, T, R> {
        async move { if self.connection.may_batch() { Ok(()) } else { self.flush().await } }
    }

    /// Waits for `work` and runs the connection beside it: what is queued is written, deadlines are kept, and the end
    /// of the client is seen.
    ///
    /// # Errors
    /// The connection failed or ended before the work was done; the work is dropped. A client that only shut down its
    /// sending side is waited for.
    ///
    /// # Cancellation
    /// Drops the work.
    pub async fn drive<O>(&mut self, work: impl Future<Output = O>) -> Result<O, Error> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            // Nothing that the connection learns concerns the work.
            if let Poll::Ready(output) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            poll_until(self.connection, cx, |connection, _, now| connection.ended(now).map(Err))
        })
        .await
    }

    /// Waits until the client has ended the connection or its sending side, or the connection failed.
    ///
    /// # Cancellation
    /// Safe.
    pub async fn disconnected(&mut self) -> Option<End> {
        poll_fn(|cx| {
            poll_until(self.connection, cx, |connection, _, now| {
                if connection.ended(now).is_ready() {
                    return Poll::Ready(Some(End::Unclean));
                }
                match connection.machine().peer_ended() {
                    None => Poll::Pending,
                    end => Poll::Ready(end),
                }
            })
        })
        .await
    }

    /// Waits until a response that hands the connection over was sent, and the request read: the connection then
    /// speaks another protocol, see [`Connection::into_parts`].
    ///
    /// # Errors
    /// The connection failed, or no such response was sent.
    ///
    /// # Cancellation
    /// Safe.
    pub async fn switched(mut self) -> Result<(), Error> {
        while self.request != Request::Switched {
            if matches!(self.request, Request::Complete | Request::Discarded) {
                match poll_fn(|cx| self.connection.poll_event(cx)).await? {
                    Event::Switched => self.request = Request::Switched,
                    Event::Closed(why) => return Err(Error::Closed(why)),
                    _ => return Err(Misuse::NotYourTurn.into()),
                }
            } else {
                while self.content().await?.is_some() {}
            }
        }
        self.flush().await
    }

    /// The connection that the exchange is on.
    #[must_use]
    pub fn connection(&self) -> &Connection<T, R> {
        self.connection
    }
}

impl<T: Transport, R: Runtime> Drop for Exchange<'_, T, R> {
    fn drop(&mut self) {
        self.connection.recycle(core::mem::take(self.head.fields_mut()));
    }
}

impl<T: Transport, R: Runtime> fmt::Debug for Exchange<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("head", &self.head).finish_non_exhaustive()
    }
}
