//! The content of a request on its way to its body.

use core::task::{Context, Poll, ready};

use http_core::Instant;
use http_core::server::Event;

use super::connection::Connection;
use crate::body::{Demand, Feed};
use crate::error::Error;
use crate::io::{Runtime, Transport};
use crate::link::Waiter;

/// The content of the request on its way to its body.
pub(super) struct Inflow {
    pub(super) feed: Option<Feed>,
}

impl Inflow {
    /// Feeds the body if it wants something. Ready when it was fed; pending when there is nothing to do with what was
    /// read, and the task will be woken when the body wants something else.
    pub(super) fn feed<T: Transport, R: Runtime>(
        &mut self,
        connection: &mut Connection<T, R>,
        cx: &Context<'_>,
        now: Instant,
    ) -> Poll<()> {
        let Some(feed) = &self.feed else { return Poll::Pending };
        match feed.demand(cx) {
            Demand::Nothing => return Poll::Pending,
            Demand::Dropped => {
                connection.discard_content();
                self.feed = None;
                return Poll::Pending;
            }
            Demand::Frame => connection.want_next_content(),
        }
        self.take(connection, now).map(drop)
    }

    /// Content of `length` bytes that has come with its head is the body's before anybody asks: then nothing has to be
    /// handed from the connection to the body, or waited for.
    pub(super) fn take_at_once<T: Transport, R: Runtime>(&mut self, connection: &mut Connection<T, R>, length: u64) {
        connection.want_content();
        let now = connection.link().now();
        if let Poll::Ready(Some(taken)) = self.take(connection, now) {
            if taken as u64 == length {
                // That is all, and its end.
                let _ = self.take(connection, now);
            }
        }
    }

    /// Polls whoever may hold the body, and is polled again after each [`feed`](Self::feed): see [`Feed::enter`].
    #[inline]
    pub(super) fn around<O>(&self, poll: impl FnOnce() -> O) -> O {
        if let Some(feed) = &self.feed {
            feed.enter();
        }
        let polled = poll();
        if let Some(feed) = &self.feed {
            feed.leave();
        }
        polled
    }

    /// Takes what comes next; how much content that is, if it is any.
    fn take<T: Transport, R: Runtime>(
        &mut self,
        connection: &mut Connection<T, R>,
        now: Instant,
    ) -> Poll<Option<usize>> {
        let event = ready!(connection.next(now, Some));
        let mut taken = None;
        match (event, self.feed.take()) {
            (Ok(Event::Content(bytes)), Some(feed)) => {
                taken = Some(bytes.len());
                if let Some(exchange) = connection.watched() {
                    exchange.request_content(bytes.len());
                }
                feed.data(bytes);
                self.feed = Some(feed);
            }
            (Ok(Event::End(trailers)), Some(feed)) => feed.end(&trailers),
            (Ok(Event::Closed(why)), Some(feed)) => {
                let error = Error::Closed(why);
                connection.report_end(&error);
                feed.fail(error);
            }
            (Ok(_), feed) => self.feed = feed,
            (Err(error), feed) => {
                connection.report_end(&error);
                if let Some(feed) = feed {
                    feed.fail(error);
                }
            }
        }
        Poll::Ready(taken)
    }

    /// Whether somebody holds the body, and it is not complete.
    pub(super) fn is_held(&self) -> bool {
        self.feed.as_ref().is_some_and(Feed::is_held)
    }

    /// A final response is about to begin. If somebody still wants the content, a client that waits for 100 (Continue)
    /// is let go first: after the final response it would not send it.
    pub(super) fn keep_wanted<T: Transport, R: Runtime>(&self, connection: &mut Connection<T, R>) {
        if self.is_held() {
            connection.want_content();
        } else if self.feed.is_some() {
            connection.discard_content();
        }
    }
}
