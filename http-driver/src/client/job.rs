//! A request that waits for its outcome.

use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use http_core::dispatch::{Failure, Progress, Refused};
use http_core::{Content, RequestHead};

use super::failure::RequestError;
use super::interim::OnInterim;
use super::options::RequestOptions;
use super::payload::{BoxBody, Payload, Unsent};
use crate::body::Incoming;
use crate::error::Error;

/// A request, kept for as long as it may have to be sent.
pub(super) struct Job {
    pub(super) head: Arc<RequestHead>,
    pub(super) payload: Payload,
    pub(super) reply: Arc<Reply>,
    /// What the request was made of, but for its content.
    pub(super) parts: Parts,
    /// What the last connection said when it was lost.
    pub(super) error: Option<Error>,
    /// How far the request had come on the connection that was lost last; unknown while it is on one.
    pub(super) progress: Option<Progress>,
    /// On how many connections something of it was sent.
    pub(super) touched: u32,
}

/// What is sent of a request this time.
pub(super) struct Sending {
    pub(super) head: Arc<RequestHead>,
    /// The content to announce, and the stream behind it; `None` if that was begun before.
    pub(super) payload: Option<(Content, Option<BoxBody>)>,
    pub(super) on_interim: Option<OnInterim>,
    /// How long the head of the response may take, where that is not as of all.
    pub(super) response_timeout: Option<Duration>,
}

impl Job {
    /// Goes on a connection.
    pub(super) fn sending(&mut self) -> Sending {
        self.progress = None;
        self.touched += 1;
        let on_interim = self.parts.extensions.get::<OnInterim>().cloned();
        let response_timeout = self.parts.extensions.get().and_then(RequestOptions::head_timeout);
        Sending { head: self.head.clone(), payload: self.payload.take(), on_interim, response_timeout }
    }

    /// A connection ended before it could take anything of the request.
    pub(super) fn put_back(&mut self, body: Option<BoxBody>, error: Error) {
        if let Some(body) = body {
            self.payload = Payload::Stream(body.size_hint().exact(), body);
        }
        self.error = Some(error);
        self.progress = Some(Progress::NOTHING);
        self.touched -= 1;
    }

    /// Its end, as the dispatcher tells it.
    pub(super) fn failed(mut self, failure: Failure) -> RequestError {
        RequestError::failed(failure, self.error.take(), self.progress, self.into_unsent())
    }

    /// Its end without a try.
    pub(super) fn refused(self, refused: Refused) -> RequestError {
        RequestError::refused(refused, self.into_unsent())
    }

    /// The request again, if nothing of it was sent.
    fn into_unsent(self) -> Option<Box<Request<Unsent>>> {
        if self.touched > 0 || matches!(self.payload, Payload::Taken) {
            return None;
        }
        Some(Box::new(Request::from_parts(self.parts, Unsent(self.payload))))
    }
}

/// Where the outcome of a request is left for who waits for it.
#[derive(Default)]
pub(super) struct Reply(Mutex<Outcome>);

#[derive(Default)]
struct Outcome {
    result: Option<Result<Response<Incoming>, RequestError>>,
    waker: Option<Waker>,
}

impl Reply {
    pub(super) fn complete(&self, result: Result<Response<Incoming>, RequestError>) {
        let mut outcome = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        outcome.result.get_or_insert(result);
        let waker = outcome.waker.take();
        drop(outcome);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Result<Response<Incoming>, RequestError>> {
        let mut outcome = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                outcome.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
