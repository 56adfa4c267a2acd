//! A service on a connection, as a future: what it is between requests, and how little of that when none comes.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::serving::{Rest, Serving};
use super::switched::Switched;
use crate::body::Incoming;
use crate::error::{BoxError, Error};
use crate::io::{Runtime, Transport};

/// Answers requests until the connection ends, or is handed over. `answer` answers the one that a connection has taken.
///
/// What it works with lies in boxes, each for as long as it is needed: the connection until it has rested for a while,
/// and beside it what the service does, until that is done.
pub(super) struct Running<T, R: Runtime, S, C, F> {
    work: Work<T, R, S>,
    /// Where a request is answered: a box that serves one after the other, until the connection rests.
    room: Option<Pin<Box<Option<F>>>>,
    /// While there is no work; beside it, so that work changes hands as a pointer.
    rest: Option<Rest<T, R, S>>,
    answer: C,
}

/// What it begins with.
pub(super) enum Beginning<T, R: Runtime, S> {
    Working(Box<Serving<T, R, S>>),
    /// Nothing has come yet.
    Resting(Rest<T, R, S>),
}

enum Work<T, R: Runtime, S> {
    None,
    /// The next request is awaited.
    Waiting(Box<Serving<T, R, S>>),
    Answering,
    /// It has failed, and its peer is to learn why.
    Ending(Box<(Serving<T, R, S>, Error)>),
}

/// What is in it is in boxes where it must not move.
impl<T, R: Runtime, S, C, F> Unpin for Running<T, R, S, C, F> {}

impl<T, R: Runtime, S, C, F> Running<T, R, S, C, F> {
    pub(super) fn new(beginning: Beginning<T, R, S>, answer: C) -> Self {
        match beginning {
            Beginning::Working(serving) => Self { work: Work::Waiting(serving), room: None, rest: None, answer },
            Beginning::Resting(rest) => Self { work: Work::None, room: None, rest: Some(rest), answer },
        }
    }
}

impl<T, R, S, B, C, F> Future for Running<T, R, S, C, F>
where
    T: Transport,
    R: Runtime,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body,
    B::Error: Into<BoxError>,
    C: Fn(Box<Serving<T, R, S>>) -> F,
    F: Future<Output = (Box<Serving<T, R, S>>, Result<(), Error>)>,
{
    type Output = Result<Option<Switched<T>>, Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let (mut serving, done) = match core::mem::replace(&mut self.work, Work::None) {
                Work::Waiting(mut serving) => match serving.poll_call(cx) {
                    Poll::Ready(Ok(true)) => {
                        let answering = (self.answer)(serving);
                        match &mut self.room {
                            Some(room) => room.as_mut().set(Some(answering)),
                            none => *none = Some(Box::pin(Some(answering))),
                        }
                        self.work = Work::Answering;
                        continue;
                    }
                    Poll::Ready(Ok(false)) => {
                        serving.break_promise_unless_kept();
                        // Mostly the connection is over, and need not be moved to learn that.
                        let switched = if serving.is_switched() { serving.switched() } else { None };
                        return Poll::Ready(Ok(switched));
                    }
                    Poll::Ready(Err(error)) => (serving, Err(error)),
                    Poll::Pending => {
                        match serving.resting() {
                            Some(machine) => {
                                self.room = None;
                                self.rest = Some(serving.rest(machine));
                            }
                            None => self.work = Work::Waiting(serving),
                        }
                        return Poll::Pending;
                    }
                },
                Work::Answering => {
                    let answering = self.room.as_mut().and_then(|room| room.as_mut().as_pin_mut());
                    let polled = answering.expect("a request is being answered").poll(cx);
                    let Poll::Ready(answered) = polled else {
                        self.work = Work::Answering;
                        return Poll::Pending;
                    };
                    if let Some(room) = &mut self.room {
                        room.as_mut().set(None);
                    }
                    answered
                }
                Work::Ending(mut ending) => {
                    if ending.0.poll_finish(cx).is_pending() {
                        self.work = Work::Ending(ending);
                        return Poll::Pending;
                    }
                    return Poll::Ready(Err(ending.1));
                }
                Work::None => {
                    let rest = self.rest.as_mut().expect("it is not polled again when it is done");
                    let Poll::Ready(woken) = rest.poll_woken(cx) else { return Poll::Pending };
                    if let Some(rest) = self.rest.take() {
                        self.work = Work::Waiting(rest.resume(woken));
                    }
                    continue;
                }
            };
            serving.break_promise_unless_kept();
            self.work = match done {
                Ok(()) => Work::Waiting(serving),
                Err(error) if serving.fail_with(&error) => Work::Ending(Box::new((*serving, error))),
                Err(error) => return Poll::Ready(Err(error)),
            };
        }
    }
}
