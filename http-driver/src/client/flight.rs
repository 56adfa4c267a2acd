//! A request on its way over a connection, and how far its response is.

use core::task::{Context, Poll};
use std::sync::Arc;

use bytes::Bytes;
use http_body::Body;
use http_core::client::{Sent, Unanswered};
use http_core::dispatch::RequestId;
use http_core::{Fields, Instant};

use super::connection::Connection;
use super::interim::OnInterim;
use super::job::Job;
use super::payload::{BoxBody, Payload};
use super::pool::Shared;
use crate::body::{Feed, Incoming};
use crate::convert;
use crate::error::Error;
use crate::io::{Runtime, Transport};

/// A request on its way.
pub(super) struct Flight {
    pub(super) request: RequestId,
    pub(super) on_interim: Option<OnInterim>,
    /// What of the request's content is still to be sent.
    pub(super) body: Option<BoxBody>,
    /// Whether anything of it was read: it can be sent again if not.
    begun: bool,
    pub(super) feed: Option<Feed>,
    /// How much of the response's content is still to come, where that is known; of one that is dropped, how much may.
    pub(super) left: Option<u64>,
    /// What completes the response for its reader. It is kept until the dispatcher has the connection back, so that
    /// the reader's next request finds it.
    pub(super) held: Option<Held>,
    pub(super) response: Response,
    pub(super) started: bool,
}

pub(super) enum Held {
    /// The response, which has no content.
    Response(Box<(Job, http::Response<Incoming>)>),
    /// The last piece of its content.
    Piece(Bytes),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Response {
    Awaited,
    Delivered,
    /// It is not for the application: the dispatcher tries again, or nobody wants it any more.
    Discarded,
}

impl Flight {
    pub(super) const fn new(request: RequestId, on_interim: Option<OnInterim>, body: Option<BoxBody>) -> Self {
        Self {
            request,
            on_interim,
            body,
            begun: false,
            feed: None,
            left: None,
            held: None,
            response: Response::Awaited,
            started: false,
        }
    }

    /// Its response is read and dropped, if that is no more than so many bytes.
    pub(super) fn discard(&mut self, most: u64) {
        self.response = Response::Discarded;
        self.left = Some(most);
    }

    /// Sends content that there is room for. Not before the head has left: what was not begun can be sent again.
    pub(super) fn send<T: Transport, R: Runtime>(
        &mut self,
        connection: &mut Connection<T, R>,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> Result<(), Error> {
        while let Some(body) = &mut self.body {
            if !connection.machine().awaits_content() {
                self.body = None;
                break;
            }
            let unanswered = connection.machine().unanswered().last();
            let begun = unanswered.is_some_and(|unanswered| unanswered.sent >= Sent::HeadPartly);
            if !begun || !connection.has_room() {
                break;
            }
            let frame = body.as_mut().poll_frame(cx);
            self.begun |= frame.is_ready();
            match frame {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => connection.write(data)?,
                    Err(frame) => {
                        let trailers = frame.into_trailers().ok().and_then(|map| convert::fields(&map).ok());
                        connection.end(&trailers.unwrap_or_default())?;
                        self.body = None;
                    }
                },
                Poll::Ready(Some(Err(error))) => return Err(Error::Body(error)),
                Poll::Ready(None) => {
                    connection.end(&Fields::new())?;
                    self.body = None;
                }
            }
            if connection.is_spent(now) {
                break;
            }
        }
        Ok(())
    }

    /// How much of the request was sent: content that was read and waits to be sent cannot be read again.
    pub(super) fn sent(&self, unanswered: Unanswered) -> Sent {
        if self.begun && unanswered.sent == Sent::Head { Sent::ContentPartly } else { unanswered.sent }
    }

    /// Gives content that was not begun back to its request, which may be sent again.
    pub(super) fn give_back<C, R>(&mut self, shared: &Shared<C, R>) {
        if self.begun {
            return;
        }
        if let Some(body) = self.body.take() {
            let length = body.size_hint().exact();
            shared.with_job(self.request, |job| job.payload = Payload::Stream(length, body));
        }
    }

    /// RFC 9110 §10.1.1: what answers 417 refuses the expectation alone. Whether there was one; without it the request
    /// is sent again, if the dispatcher says so.
    pub(super) fn drop_expectation<C, R>(&self, shared: &Shared<C, R>) -> bool {
        let dropped = shared.with_job(self.request, |job| {
            job.head.fields().contains("expect") && Arc::make_mut(&mut job.head).fields_mut().remove("expect") > 0
        });
        dropped.unwrap_or(false)
    }

    /// Hands out what was held, and lets go of the response's content.
    pub(super) fn release(&mut self) -> Option<Feed> {
        let feed = self.feed.take();
        match (self.held.take(), &feed) {
            (Some(Held::Response(held)), _) => {
                let (job, response) = *held;
                job.reply.complete(Ok(response));
            }
            (Some(Held::Piece(piece)), Some(feed)) => feed.data(piece),
            _ => {}
        }
        feed
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // Whatever ends the exchange, a response that was promised is handed out.
        let _ = self.release();
    }
}
