//! The content of a response, whose reader drives the connection.

use core::mem;
use core::task::{Context, Poll};
use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body::Frame;
use http_core::Closed;
use http_core::dispatch::Input;

use super::core::{Carrying, Core, Held};
use super::step::Step;
use crate::body::{Drive, Driven, Incoming};
use crate::client::origin::Connector;
use crate::client::pool::{Closing, Parked};
use crate::convert;
use crate::error::Error;
use crate::io::Runtime;
use crate::lock::lock;
use crate::observe::error_type;

impl<C, R> Drive for Mutex<Carrying<C, R>>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn poll_frame(self: Box<Self>, cx: &mut Context<'_>) -> Driven {
        Held(self).poll(cx)
    }

    fn left(&self) -> Option<u64> {
        let carrier = &lock(self).carrier;
        let left = carrier.flight.as_ref()?.left?;
        Some(left.saturating_add(carrier.taken.len() as u64))
    }

    fn abandon(self: Box<Self>) {
        Held(self).abandon();
    }
}

impl<C, R> Held<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    /// As the content of a response, whose reader drives it, and which goes back where `core` is.
    pub(in crate::client) fn into_content(self, core: Arc<Core<C, R>>) -> Incoming {
        Incoming::driven(self.goes_back_to(core).0)
    }

    fn poll(mut self, cx: &mut Context<'_>) -> Driven {
        let carrier = self.carrier();
        if !carrier.taken.is_empty() {
            let taken = mem::take(&mut carrier.taken);
            return Driven::Frame(Frame::data(taken), self.0);
        }
        if let Some(error) = carrier.broken.take() {
            return self.failed(error);
        }
        let Some(runtime) = self.core().and_then(|core| core.runtime.current()) else {
            return self.failed(Error::Io(io::Error::other("content is read on a runtime")));
        };
        let carrier = self.carrier();
        carrier.polled_on(runtime);
        match carrier.poll_step(cx, false) {
            Poll::Pending => {
                if carrier.connection.is_late() {
                    if let Some(core) = self.core() {
                        let _ = core.pool.input(Input::Timeout, core.now());
                    }
                    return self.failed(Error::Io(io::ErrorKind::TimedOut.into()));
                }
                Driven::Pending(self.0)
            }
            Poll::Ready(Step::Content(bytes)) => self.piece(bytes),
            Poll::Ready(Step::End(trailers)) => {
                self.finish();
                let map = convert::header_map(&trailers).ok().filter(|map| !map.is_empty());
                Driven::Last(map.map(Frame::trailers))
            }
            Poll::Ready(Step::Closing(Closing::Late)) => self.failed(Error::Io(io::ErrorKind::TimedOut.into())),
            Poll::Ready(Step::Lost(error)) => self.failed(error),
            Poll::Ready(_) => self.failed(Error::Closed(Closed::ByUs)),
        }
    }

    fn abandon(mut self) {
        let Some(core) = self.take_core() else { return };
        let carrier = self.carrier();
        let (id, now) = (carrier.id, core.now());
        let most = carrier.connection.machine().config().limits.drain;
        let Some(flight) = carrier.flight.as_mut() else { return };
        if let Some(watched) = flight.take_watched() {
            watched.end(now);
        }
        let request = flight.request;
        let short = flight.left.is_some_and(|left| left <= most);
        if short && carrier.broken.is_none() {
            flight.discard(most);
            carrier.taken = Bytes::new();
            let _ = core.pool.input(Input::Finished(request), now);
            core.pool.leave_rest(id, self, now);
        } else {
            // The transport first: another connection may be made in its place.
            self.part();
            let _ = core.pool.input(Input::Cancel(request), now);
        }
    }

    /// A piece of the content; the last one is told when the connection has been given back, so that the reader's next
    /// request finds it.
    fn piece(mut self, bytes: Bytes) -> Driven {
        let carrier = self.carrier();
        let now = carrier.connection.looked();
        let Some(flight) = &mut carrier.flight else { return Driven::Last(Some(Frame::data(bytes))) };
        flight.left = flight.left.map(|left| left.saturating_sub(bytes.len() as u64));
        if flight.left == Some(0) {
            match carrier.connection.next(now) {
                Poll::Ready(Ok(http_core::client::Event::End(_))) => {
                    self.finish();
                    return Driven::Last(Some(Frame::data(bytes)));
                }
                Poll::Ready(Err(error)) => carrier.broken = Some(error),
                _ => {}
            }
        }
        Driven::Frame(Frame::data(bytes), self.0)
    }

    /// The response is complete: the connection goes back.
    fn finish(mut self) {
        let Some(core) = self.take_core() else { return };
        let carrier = self.carrier();
        let id = carrier.id;
        let Some(flight) = carrier.flight.take() else { return };
        let now = carrier.connection.looked();
        if let Some(watched) = flight.watched() {
            watched.complete(now);
        }
        core.pool.finished(id, flight.request, self.free(), now);
    }

    fn failed(mut self, error: Error) -> Driven {
        if let Some(core) = self.take_core() {
            let flight = self.carrier().flight.as_ref();
            if let Some(watched) = flight.and_then(|flight| flight.watched()) {
                watched.fail(error_type(&error).unwrap_or("cancelled"));
            }
            let _ = core.lose_by(self, error.lost_cause(), None);
        }
        Driven::Failed(error)
    }
}
