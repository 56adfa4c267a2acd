//! A request and its response.

use core::fmt;
use core::future::poll_fn;
use core::mem;
use core::task::{Context, Poll, ready};
use std::collections::VecDeque;

use bytes::Bytes;
use http_core::client::Event;
use http_core::{Content, Fields, Misuse, RequestHead, ResponseHead};

use super::connection::Connection;
use crate::error::Error;
use crate::io::{Runtime, Transport};
use crate::link::poll_until;

/// A request that was begun, and the response to it.
///
/// Dropped before the response is complete, the connection is cut: that is how a request is cancelled.
///
/// ```
/// use bytes::Bytes;
/// use http_core::{Content, Fields, Method, RequestHead};
/// use http_driver::{Error, Runtime, Transport, client};
///
/// /// Uploads what 100 (Continue) was given for.
/// async fn upload<T: Transport, R: Runtime>(connection: &mut client::Connection<T, R>) -> Result<u16, Error> {
///     let head = RequestHead::new(Method::Put, "/file")?.with("Host", "a")?.with("Expect", "100-continue")?;
///     let mut exchange = connection.send(&head, Content::Streaming)?;
///     for piece in [&b"one"[..], b"two"] {
///         exchange.write(Bytes::from_static(piece)).await?;
///     }
///     exchange.end(&Fields::new()).await?;
///     Ok(exchange.response().await?.status().as_u16())
/// }
/// ```
pub struct Exchange<'c, T: Transport, R: Runtime> {
    connection: &'c mut Connection<T, R>,
    /// Heads that came while content was being sent.
    early: VecDeque<Event>,
    trailers: Fields,
    response: Response,
}

/// How far the response was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Response {
    Head,
    Content,
    Complete,
    Switched,
}

impl<T: Transport, R: Runtime> Connection<T, R> {
    /// Begins an exchange: queues the request. With [`Content::Empty`] and [`Content::Full`] it is complete; otherwise
    /// [`Exchange::write`] and [`Exchange::end`] follow. It leaves when the exchange is waited on.
    ///
    /// # Errors
    /// Those of [`http_core::client::Connection::send_request`].
    pub fn send(&mut self, head: &RequestHead, content: Content) -> Result<Exchange<'_, T, R>, Error> {
        self.begin(head, content)?;
        Ok(Exchange::new(self))
    }
}

impl<'c, T: Transport, R: Runtime> Exchange<'c, T, R> {
    fn new(connection: &'c mut Connection<T, R>) -> Self {
        Self { connection, early: VecDeque::new(), trailers: Fields::new(), response: Response::Head }
    }

    /// Whether the server still wants the content of the request: it does until an early final response refuses it.
    #[must_use]
    pub fn wants_content(&self) -> bool {
        self.connection.machine().awaits_content()
    }

    /// Sends a piece of content when there is room for it, and no 100 (Continue) is waited for. What the server does
    /// not want any more is dropped, see [`wants_content`](Self::wants_content).
    ///
    /// # Errors
    /// The connection failed or ended; or a misuse, as of [`http_core::client::Connection::send_content`].
    ///
    /// # Cancellation
    /// The piece is either queued or not; a piece that was not is lost with the future.
    pub async fn write(&mut self, content: Bytes) -> Result<(), Error> {
        poll_fn(|cx| self.poll_room(cx)).await?;
        if self.refused() { Ok(()) } else { self.connection.write(content) }
    }

    /// Ends the request, with trailers if there are any.
    ///
    /// # Errors
    /// The connection failed or ended; or a misuse, as of [`http_core::client::Connection::send_end`].
    ///
    /// # Cancellation
    /// Safe: call it again.
    pub async fn end(&mut self, trailers: &Fields) -> Result<(), Error> {
        poll_fn(|cx| self.poll_room(cx)).await?;
        if self.refused() { Ok(()) } else { self.connection.end(trailers) }
    }

    /// The next head of the response: interim ones as they come, then the final one.
    ///
    /// # Errors
    /// The connection failed, ended, or was too slow.
    ///
    /// # Cancellation
    /// Safe: no head is lost.
    pub async fn next_head(&mut self) -> Result<ResponseHead, Error> {
        poll_fn(|cx| self.poll_head(cx)).await
    }

    /// The final response, or 101; interim ones are left out.
    ///
    /// # Errors
    /// The connection failed, ended, or was too slow.
    ///
    /// # Cancellation
    /// Safe: no final head is lost.
    pub async fn response(&mut self) -> Result<ResponseHead, Error> {
        loop {
            let head = self.next_head().await?;
            if !head.status().is_interim() {
                return Ok(head);
            }
        }
    }

    /// [`next_head`](Self::next_head), as a poll.
    pub fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, Error>> {
        loop {
            let event = match self.early.pop_front() {
                Some(event) => event,
                None if self.response != Response::Head => return Poll::Ready(Err(Misuse::NotYourTurn.into())),
                None => ready!(self.connection.poll_event(cx))?,
            };
            match event {
                Event::Interim(head) => return Poll::Ready(Ok(head)),
                Event::Response(head) => {
                    self.response = Response::Content;
                    return Poll::Ready(Ok(head));
                }
                _ => {}
            }
        }
    }

    /// The next piece of the response's content; `None` when the response is complete.
    ///
    /// # Errors
    /// The content broke a rule, was too slow or was cut short.
    ///
    /// # Cancellation
    /// Safe: no content is lost.
    pub async fn content(&mut self) -> Result<Option<Bytes>, Error> {
        poll_fn(|cx| self.poll_content(cx)).await
    }

    /// [`content`](Self::content), as a poll.
    pub fn poll_content(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Error>> {
        loop {
            match self.response {
                Response::Head => return Poll::Ready(Err(Misuse::NotYourTurn.into())),
                Response::Complete | Response::Switched => return Poll::Ready(Ok(None)),
                Response::Content => {}
            }
            match ready!(self.connection.poll_event(cx))? {
                Event::Content(content) => return Poll::Ready(Ok(Some(content))),
                Event::End(trailers) => {
                    self.trailers = trailers;
                    self.response = Response::Complete;
                }
                Event::Switched => self.response = Response::Switched,
                _ => {}
            }
        }
    }

    /// The trailer section of the response, once [`content`](Self::content) has returned `None`; mostly empty.
    #[must_use]
    pub const fn trailers(&self) -> &Fields {
        &self.trailers
    }

    /// Writes everything that is queued: for a request whose content comes later.
    ///
    /// # Cancellation
    /// Safe: what was not written is written later.
    pub async fn flush(&mut self) {
        poll_fn(|cx| self.connection.poll_flush(cx)).await;
    }

    /// Reads and drops what is left of the response, so that the connection can be used again.
    ///
    /// # Errors
    /// Those of [`content`](Self::content).
    ///
    /// # Cancellation
    /// Cancels the exchange.
    pub async fn finish(mut self) -> Result<(), Error> {
        if self.response == Response::Head {
            self.response().await?;
        }
        while self.content().await?.is_some() {}
        Ok(())
    }

    /// Gives the head's memory back for the next response.
    pub fn recycle(&mut self, head: ResponseHead) {
        self.connection.recycle(head.into());
    }

    /// The connection that the exchange is on.
    #[must_use]
    pub fn connection(&self) -> &Connection<T, R> {
        self.connection
    }

    /// The server has answered and does not want the rest of the request.
    fn refused(&self) -> bool {
        !self.early.is_empty() && !self.connection.machine().awaits_content()
    }

    /// Waits for room to send content. Heads that come meanwhile are kept; content of the response is left where it is.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let (early, response) = (&mut self.early, self.response);
        poll_until(self.connection, cx, |connection, _, now| {
            while !connection.has_room() && connection.machine().awaits_content() {
                if matches!(early.back(), Some(Event::Response(_))) || response != Response::Head {
                    return connection.ended().map(Err);
                }
                early.push_back(ready!(connection.next(now))?);
            }
            Poll::Ready(Ok(()))
        })
    }
}

impl<T: Transport, R: Runtime> Drop for Exchange<'_, T, R> {
    fn drop(&mut self) {
        let open = !matches!(self.response, Response::Complete | Response::Switched);
        if open || self.connection.machine().awaits_content() {
            self.connection.abandon();
        }
        self.connection.recycle(mem::take(&mut self.trailers));
    }
}

impl<T: Transport, R: Runtime> fmt::Debug for Exchange<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("response", &self.response).finish_non_exhaustive()
    }
}
