//! A request, kept for as long as it may have to be sent.

use http::Request;
use http::request::Parts;
use http_body::Body;
use http_core::dispatch::Progress;
use http_core::{Content, RequestHead};

use super::interim::OnInterim;
use super::options::RequestOptions;
use super::origin::Place;
use super::payload::{BoxBody, Payload, Unsent};
use crate::error::Error;

/// A request: with who waits for it, or on a connection.
pub(super) struct Job {
    pub(super) head: RequestHead,
    pub(super) payload: Payload,
    /// What the request was made of, but for its content.
    pub(super) parts: Parts,
    /// What the last connection said when it was lost.
    pub(super) error: Option<Error>,
    /// How far the request had come on the connection that was lost last; unknown while it is on one.
    pub(super) progress: Option<Progress>,
    /// On how many connections something of it was sent.
    pub(super) touched: u32,
}

impl Job {
    /// Where it goes.
    pub(super) fn place(&self) -> Option<Place<'_>> {
        Place::of_request(&self.parts.method, &self.parts.uri)
    }

    /// Goes on a connection: the content to announce, and the stream behind it; `None` if that was begun before.
    pub(super) fn begin(&mut self) -> Option<(Content, Option<BoxBody>)> {
        self.progress = None;
        self.touched += 1;
        self.payload.take()
    }

    /// RFC 9110 §9.2.2; or as its sender says.
    pub(super) fn is_idempotent(&self) -> bool {
        let said = self.parts.extensions.get().and_then(RequestOptions::is_idempotent);
        said.unwrap_or_else(|| self.is_idempotent_by_its_head())
    }

    fn is_idempotent_by_its_head(&self) -> bool {
        self.head.method().is_idempotent() || self.head.fields().contains("Idempotency-Key")
    }

    pub(super) fn on_interim(&self) -> Option<OnInterim> {
        self.parts.extensions.get::<OnInterim>().cloned()
    }

    /// What it asks for that others do not.
    pub(super) fn options(&self) -> Option<&RequestOptions> {
        self.parts.extensions.get()
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

    /// RFC 9110 §10.1.1: what answers 417 refuses the expectation alone. Whether there was one; without it the request
    /// is sent again, if the dispatcher says so.
    pub(super) fn drop_expectation(&mut self) -> bool {
        self.head.fields().contains("expect") && self.head.fields_mut().remove("expect") > 0
    }

    /// The request again, if nothing of it was sent.
    pub(super) fn into_unsent(self) -> Option<Box<Request<Unsent>>> {
        if self.touched > 0 || matches!(self.payload, Payload::Taken) {
            return None;
        }
        Some(Box::new(Request::from_parts(self.parts, Unsent(self.payload))))
    }
}
