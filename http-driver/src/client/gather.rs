//! A request's content, read whole before it is sent.

use core::task::{Context, Poll};

use bytes::BytesMut;
use http_core::{Content, Misuse, Version, client};

use super::failure::RequestError;
use super::job::Job;
use super::payload::Payload;
use crate::error::Error;

/// All of a request's content, for an origin that has to be told how long it is: chunks are not for HTTP/1.0 (RFC 9112
/// §6.1). No more is held for it than what may wait to be sent.
pub(super) struct Gather {
    job: Option<Box<Job>>,
    all: BytesMut,
    most: usize,
}

impl Gather {
    /// Nothing to gather: the request as it is.
    pub(super) fn of(machine: &client::Connection, job: Box<Job>) -> Result<Self, Box<Job>> {
        let unknown = matches!(job.payload, Payload::Stream(None, _));
        if !unknown || machine.peer_version() != Version::Http10 {
            return Err(job);
        }
        Ok(Self { job: Some(job), all: BytesMut::new(), most: machine.config().limits.send_buffer })
    }

    /// The request with all of its content. Its trailers are left out, which have no place.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Box<Job>, RequestError>> {
        loop {
            let watched = self.job.as_deref().and_then(Job::watched).cloned();
            let Some(Payload::Stream(_, body)) = self.job.as_mut().map(|job| &mut job.payload) else {
                return Poll::Ready(Err(RequestError::body(Error::Misuse(Misuse::NotYourTurn))));
            };
            let polled = match watched {
                Some(watched) => watched.span().within(|| body.as_mut().poll_frame(cx)),
                None => body.as_mut().poll_frame(cx),
            };
            match polled {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => break,
                Poll::Ready(Some(Err(error))) => {
                    let error = RequestError::body(Error::Body(error));
                    return Poll::Ready(Err(match &self.job {
                        Some(job) => error.about(job, job.progress),
                        None => error,
                    }));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    self.all.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
                }
            }
            if self.all.len() > self.most {
                return Poll::Ready(Err(RequestError::unsendable(Misuse::Framing.into())));
            }
        }
        let all = core::mem::take(&mut self.all).freeze();
        Poll::Ready(match self.job.take() {
            Some(mut job) => {
                job.payload = Payload::Ready(Content::Full(all));
                Ok(job)
            }
            None => Err(RequestError::body(Error::Misuse(Misuse::NotYourTurn))),
        })
    }

    /// The request again, whose content was begun to be read.
    pub(super) fn into_job(self) -> Option<Box<Job>> {
        let mut job = self.job?;
        job.payload = Payload::Taken;
        Some(job)
    }
}
