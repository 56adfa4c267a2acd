//! A request on its way over a connection, and how far its response is.

use core::task::{Context, Poll};
use std::sync::Arc;

use bytes::Bytes;
use http_body::Body;
use http_core::client::{Event, Sent, Unanswered};
use http_core::dispatch::{Progress, RequestId};
use http_core::{Closed, Fields, Instant};

use super::step::Step;
use crate::body::Feed;
use crate::client::connection::Connection;
use crate::client::interim::OnInterim;
use crate::client::job::Job;
use crate::client::payload::{BoxBody, Payload, WrongLength};
use crate::client::pool::Closing;
use crate::client::watching::{self, Seen};
use crate::convert;
use crate::error::Error;
use crate::io::{Runtime, Transport};
use crate::observe::Watched;

/// A request on its way.
pub(in crate::client) struct Flight {
    pub(in crate::client) request: RequestId,
    /// The request itself, until its response is handed out.
    pub(in crate::client) job: Option<Box<Job>>,
    /// In a box, since most have none of it, and this moves.
    beside: Option<Box<Beside>>,
    /// What of the request's content is still to be sent.
    body: Option<BoxBody>,
    /// Whether anything of it was read: it can be sent again if not.
    begun: bool,
    /// How much of it is still to come, where that was announced.
    owed: Option<u64>,
    pub(in crate::client) response: Response,
    /// Where the response's content goes, if its reader does not drive the connection.
    pub(in crate::client) feed: Option<Feed>,
    /// How much of the response's content is still to come, where that is known; of one that is dropped, how much may.
    pub(in crate::client) left: Option<u64>,
    /// The last piece of the content. It is kept until the dispatcher has the connection back, so that the reader's
    /// next request finds it.
    pub(super) last: Option<Bytes>,
    started: bool,
}

/// Who hears of it beside who waits for its response.
struct Beside {
    on_interim: Option<OnInterim>,
    watched: Option<Arc<Watched>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::client) enum Response {
    Awaited,
    Delivered,
    /// It is not for the application: the dispatcher tries again, or nobody wants it any more.
    Discarded,
}

/// A request that could not be begun.
pub(in crate::client) enum Unbegun {
    /// It cannot be sent at all.
    Unsendable(http_core::Misuse),
    /// Its content was begun before.
    Begun,
    /// The connection ended just now: the request goes on as it came.
    Lost,
}

impl Beside {
    #[cold]
    fn of(job: &Job) -> Option<Box<Self>> {
        let (on_interim, watched) = (job.on_interim(), job.watched().cloned());
        (on_interim.is_some() || watched.is_some()).then(|| Box::new(Self { on_interim, watched }))
    }
}

impl Flight {
    /// Queues a request on a connection.
    pub(in crate::client) fn begin<T: Transport, R: Runtime>(
        connection: &mut Connection<T, R>,
        request: RequestId,
        mut job: Box<Job>,
        seen: Option<&mut Seen>,
    ) -> Result<Self, (Box<Job>, Unbegun)> {
        let Some((content, body)) = job.begin() else { return Err((job, Unbegun::Begun)) };
        let announced = content.length();
        match job.send_on(connection, content) {
            Ok(()) => {}
            Err(Error::Misuse(misuse)) => return Err((job, Unbegun::Unsendable(misuse))),
            Err(error) => {
                job.put_back(body, error);
                return Err((job, Unbegun::Lost));
            }
        }
        if let Some(options) = job.options() {
            connection.obey(options);
        }
        let beside = job.has_extensions().then(|| Beside::of(&job)).flatten();
        if beside.is_some() || seen.is_some() {
            let watched = beside.as_ref().and_then(|beside| beside.watched.as_deref());
            let whole = if body.is_none() { announced.unwrap_or(0) } else { 0 };
            watching::begun(watched, seen, job.touched - 1, whole, connection.looked());
        }
        let owed = body.as_ref().and(announced);
        Ok(Self {
            request,
            job: Some(job),
            beside,
            body,
            begun: false,
            owed,
            response: Response::Awaited,
            feed: None,
            left: None,
            last: None,
            started: false,
        })
    }

    /// The exchange, if somebody watches it.
    #[inline]
    pub(in crate::client) fn watched(&self) -> Option<&Arc<Watched>> {
        self.beside.as_ref()?.watched.as_ref()
    }

    /// The same; what becomes of the response is told to nobody from here.
    pub(in crate::client) fn take_watched(&mut self) -> Option<Arc<Watched>> {
        self.beside.as_mut()?.watched.take()
    }

    /// Its response is read and dropped, if that is no more than so many bytes.
    pub(in crate::client) fn discard(&mut self, most: u64) {
        self.response = Response::Discarded;
        self.left = Some(most);
    }

    /// Whether nothing but what comes of the peer, or an order, goes on with it.
    pub(super) fn needs_bytes_alone(&self) -> bool {
        self.body.is_none() && self.feed.is_none() && self.beside.is_none()
    }

    /// Whether it is given up by this order: while it is read for somebody, that one is waited for.
    pub(super) fn ends_by(&self, closing: Closing) -> bool {
        closing != Closing::Idle || self.response == Response::Discarded
    }

    /// Whether content of the request is still to come.
    pub(in crate::client) const fn has_body(&self) -> bool {
        self.body.is_some()
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
            let watched = self.beside.as_ref().and_then(|beside| beside.watched.as_deref());
            let frame = within(watched, || body.as_mut().poll_frame(cx));
            self.begun |= frame.is_ready();
            match frame {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        let length = data.len() as u64;
                        self.owed = match self.owed {
                            Some(owed) if owed < length => return Err(wrong_length(WrongLength::Over(length - owed))),
                            owed => owed.map(|owed| owed - length),
                        };
                        if let Some(watched) = watched {
                            watched.request_content(data.len());
                        }
                        connection.write(data)?;
                    }
                    Err(frame) => {
                        self.is_all()?;
                        let trailers = frame.into_trailers().ok().and_then(|map| convert::fields(&map).ok());
                        let mut trailers = trailers.unwrap_or_default();
                        trailers.keep_trailers();
                        // Those that have no place are left out; the content is complete without them.
                        if trailers.is_empty() || connection.end(&trailers).is_err() {
                            connection.end(&Fields::new())?;
                        }
                        self.body = None;
                    }
                },
                Poll::Ready(Some(Err(error))) => return Err(Error::Body(error)),
                Poll::Ready(None) => {
                    self.is_all()?;
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

    /// Its content has come to an end: whether that is where it was announced.
    fn is_all(&self) -> Result<(), Error> {
        match self.owed {
            None | Some(0) => Ok(()),
            Some(owed) => Err(wrong_length(WrongLength::Under(owed))),
        }
    }

    /// Takes in an event; what follows from it, if anything does.
    pub(super) fn take_in(&mut self, event: Event) -> Option<Step> {
        match event {
            Event::Interim(head) => {
                if let Some(Beside { on_interim: Some(OnInterim(tell)), watched }) = self.beside.as_deref() {
                    within(watched.as_deref(), || tell(&head));
                }
                let first = !core::mem::replace(&mut self.started, true);
                first.then_some(Step::Started)
            }
            Event::Response(_) | Event::Content(_) if self.response == Response::Discarded => {
                let Event::Content(bytes) = event else { return None };
                let length = bytes.len() as u64;
                if self.left.is_some_and(|most| length > most) {
                    return Some(Step::Lost(Error::Closed(Closed::Abandoned)));
                }
                self.left = self.left.map(|left| left.saturating_sub(length));
                None
            }
            Event::Response(head) => Some(Step::Head(head)),
            Event::Content(bytes) => Some(Step::Content(bytes)),
            Event::End(trailers) => Some(Step::End(trailers)),
            Event::Switched => Some(Step::Switched),
            _ => Some(Step::Lost(Error::Closed(Closed::ByUs))),
        }
    }

    /// Tells whoever watches of an event.
    #[cold]
    pub(super) fn tell_came(&self, event: &Event, now: Instant) {
        let Some(watched) = self.watched().filter(|_| self.response != Response::Discarded) else { return };
        match event {
            Event::Response(_) => watched.first_byte(now),
            Event::Content(bytes) => watched.response_content(bytes.len()),
            _ => {}
        }
    }

    /// How much of the request was sent: content that was read and waits to be sent cannot be read again.
    pub(in crate::client) fn sent(&self, unanswered: Unanswered) -> Sent {
        if self.begun && unanswered.sent == Sent::Head { Sent::ContentPartly } else { unanswered.sent }
    }

    /// Content that was not begun is its request's again, which may be sent again.
    pub(in crate::client) fn give_back(&mut self) {
        if let (Some(job), false) = (&mut self.job, self.begun) {
            if let Some(body) = self.body.take() {
                job.payload = Payload::Stream(body.size_hint().exact(), body);
            }
        }
    }

    /// The request has its response: what is left of its content is still sent.
    pub(in crate::client) fn keep_sending(&mut self) {
        if let Some(Payload::Stream(_, body)) = self.job.take().map(|job| job.payload) {
            self.body.get_or_insert(body);
        }
    }

    /// How far it came when its connection was lost: `left` is what the machine says, if it knows of it.
    pub(in crate::client) fn lost(&mut self, left: Option<Unanswered>) -> Progress {
        let progress =
            left.map_or(Progress::NOTHING, |left| Progress { sent: self.sent(left), received: left.received });
        self.give_back();
        progress
    }

    /// Hands out what was held, and lets go of the response's content.
    pub(in crate::client) fn release(&mut self) -> Option<Feed> {
        let feed = self.feed.take();
        if let (Some(piece), Some(feed)) = (self.last.take(), &feed) {
            feed.data(piece);
        }
        feed
    }
}

/// Runs the application's code in the span of its exchange, if it has one.
#[inline]
fn within<O>(watched: Option<&Watched>, f: impl FnOnce() -> O) -> O {
    match watched {
        Some(watched) => watched.span().within(f),
        None => f(),
    }
}

fn wrong_length(by: WrongLength) -> Error {
    Error::Body(Box::new(by))
}

impl Drop for Flight {
    fn drop(&mut self) {
        // Whatever ends the exchange, what came is handed out.
        let _ = self.release();
    }
}
