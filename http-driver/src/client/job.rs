//! A request, kept for as long as it may have to be sent.

use std::sync::Arc;

use http::Request;
use http::request::Parts;
use http_body::Body;
use http_core::dispatch::Progress;
use http_core::{Content, Method, RequestHead};

use super::connection::Connection;
use super::interim::OnInterim;
use super::options::RequestOptions;
use super::origin::{Place, Spot};
use super::payload::{BoxBody, Payload, Unsent};
use crate::convert;
use crate::error::Error;
use crate::io::{Runtime, Transport};
use crate::observe::Watched;

/// A request: with who waits for it, or on a connection.
pub(super) struct Job {
    /// What the request was made of, but for its content; what is sent, if there is no head.
    pub(super) parts: Parts,
    /// Where it goes.
    spot: Spot,
    /// The head that is sent, where that is not just what the parts say.
    head: Option<Box<RequestHead>>,
    pub(super) payload: Payload,
    /// What the last connection said when it was lost.
    pub(super) error: Option<Error>,
    /// How far the request had come on the connection that was lost last; unknown while it is on one.
    pub(super) progress: Option<Progress>,
    /// On how many connections something of it was sent.
    pub(super) touched: u32,
}

impl Job {
    pub(super) fn new(parts: Parts, spot: Spot, head: Option<Box<RequestHead>>, payload: Payload) -> Self {
        Self { parts, spot, head, payload, error: None, progress: Some(Progress::NOTHING), touched: 0 }
    }

    /// Where it goes.
    pub(super) fn place(&self) -> Option<Place<'_>> {
        self.spot.place(&self.parts.uri)
    }

    /// Queues it on a connection.
    pub(super) fn send_on<T, R>(&self, connection: &mut Connection<T, R>, content: Content) -> Result<(), Error>
    where
        T: Transport,
        R: Runtime,
    {
        match &self.head {
            Some(head) => connection.begin(head, content),
            None => connection.begin_parts(&self.parts, content),
        }
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
        convert::method_of(&self.parts.method).is_some_and(Method::is_idempotent)
            || self.parts.headers.contains_key("idempotency-key")
    }

    pub(super) fn on_interim(&self) -> Option<OnInterim> {
        self.parts.extensions.get::<OnInterim>().cloned()
    }

    /// Somebody watches the exchange. It is kept where a request has what most have not: one that nobody watches is no
    /// larger for it.
    pub(super) fn watch(&mut self, watched: &Arc<Watched>) {
        self.parts.extensions.insert(watched.clone());
    }

    /// Whether there is anything beside the message.
    pub(super) fn has_extensions(&self) -> bool {
        !self.parts.extensions.is_empty()
    }

    /// The exchange, if somebody watches it.
    pub(super) fn watched(&self) -> Option<&Arc<Watched>> {
        self.parts.extensions.get()
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
        let in_parts = self.parts.headers.remove(http::header::EXPECT).is_some();
        match &mut self.head {
            Some(head) => head.fields_mut().remove("expect") > 0,
            None => in_parts,
        }
    }

    /// The request again, if nothing of it was sent.
    pub(super) fn into_unsent(mut self) -> Option<Box<Request<Unsent>>> {
        // If it is sent again, that is another exchange.
        self.parts.extensions.remove::<Arc<Watched>>();
        if self.touched > 0 || matches!(self.payload, Payload::Taken) {
            return None;
        }
        Some(Box::new(Request::from_parts(self.parts, Unsent(self.payload))))
    }
}
