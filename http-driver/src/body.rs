//! Content that is being received, as a body of the `http-body` crate.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
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
