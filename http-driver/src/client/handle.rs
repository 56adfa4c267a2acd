//! A client: requests in, responses out, over as many connections as the dispatcher wants.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use http::{Request, Response, Uri};
use http_body::Body;
use http_core::dispatch::{Input, Progress, RequestId};
use http_core::{RequestHead, Version};
use tower_service::Service;

use super::failure::RequestError;
use super::into_body::IntoBody;
use super::job::{Job, Reply};
use super::options::RequestOptions;
use super::origin::{Connector, Origin};
use super::payload::Payload;
use super::pool::Shared;
use super::shutdown::{Counts, Shutdown};
use crate::body::Incoming;
use crate::convert;
use crate::error::{BoxError, Error};
use crate::io::Runtime;

/// A client with a queue, connections, back-off and retries. A cheap handle; when the last one is dropped, connections
/// end as soon as no response is being read on them.
///
/// Every request has exactly one outcome. One whose connection is lost is sent again where that is safe, as
/// [`http_core::dispatch::decide`] says; otherwise its error tells whether repeating it is.
///
/// ```
/// use http_driver::client::{Client, Connector};
/// use http_driver::Runtime;
///
/// async fn status<C: Connector, R: Runtime + Send + Sync + 'static>(client: Client<C, R>) -> Option<u16>
/// where
///     R::Timer: Send,
/// {
///     let request = http::Request::get("http://example.com/").body(()).ok()?;
///     client.request(request).await.ok().map(|response| response.status().as_u16())
/// }
/// ```
pub struct Client<C: Connector, R: Runtime> {
    handle: Arc<Handle<C, R>>,
}

/// Ends the client when the last of its users is gone.
struct Handle<C: Connector, R: Runtime>(Arc<Shared<C, R>>);

impl<C, R> Client<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    pub(super) fn new(shared: Arc<Shared<C, R>>) -> Self {
        Self { handle: Arc::new(Handle(shared)) }
    }

    /// Sends a request to the origin of its URI and returns the response when its head is there.
    ///
    /// Content is any body, or simply `()`, a text or bytes: see [`IntoBody`].
    /// A body that is all there at once can be sent again when that is needed; one that streams cannot, once it was
    /// begun. A request counts as idempotent by its method (RFC 9110 §9.2.2), or with an `Idempotency-Key` field. What
    /// it asks for beside that stands in [`RequestOptions`] among its extensions.
    ///
    /// A response that hands its connection over, 101 or 2xx to `CONNECT`, carries an [`Upgrade`](crate::Upgrade) among
    /// its extensions. A `CONNECT` names its target as `host:port`.
    ///
    /// The request is queued by this call; what the future does is to wait.
    ///
    /// # Errors
    /// No response came: see [`RequestError`].
    ///
    /// # Cancellation
    /// Dropping the future cancels the request; a connection that it is on is closed.
    pub fn request<B, K>(&self, request: Request<B>) -> ResponseFuture<C, R>
    where
        B: IntoBody<K>,
    {
        ResponseFuture(match self.enqueue(request.map(IntoBody::into_body)) {
            Ok((id, reply)) => Waiting::Queued { handle: self.handle.clone(), id, reply },
            Err(error) => Waiting::Refused(Some(error)),
        })
    }

    /// Makes a connection to the origin of a URI before there is a request for it. False if that is not possible now:
    /// the URI names no origin, there are as many connections as allowed, the origin is backed off from, or the client
    /// shuts down. If it cannot be made, nobody is told; [`counts`](Self::counts) tells when it is there.
    pub fn connect(&self, uri: &Uri) -> bool {
        Origin::of(uri).is_some_and(|origin| self.handle.0.connect(origin))
    }

    /// Takes no more requests, here and on all clones: [`Shutdown::finish`] waits for those that there are.
    pub fn shutdown(&self) -> Shutdown<C, R> {
        Shutdown::begin(self.handle.0.clone())
    }

    /// What the client is doing now, and has done.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.handle.0.counts()
    }

    /// How many requests wait for a connection.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.counts().queued
    }

    /// How many connections there are, being made included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.counts().connections
    }

    /// The head of a request, with an expectation if its content is to be asked for first (RFC 9110 §10.1.1).
    fn with_expectation(
        &self,
        mut head: RequestHead,
        payload: &Payload,
        options: Option<&RequestOptions>,
    ) -> RequestHead {
        let least = self.handle.0.config.dispatch.expect_continue_from;
        // Of unknown length counts as large.
        let length = match payload {
            Payload::Ready(content) => content.length().unwrap_or(0),
            Payload::Stream(length, _) => length.unwrap_or(u64::MAX),
            Payload::Taken => 0,
        };
        let large = least.is_some_and(|least| length >= least);
        let asked = length > 0 && options.map_or(large, |options| options.expects(large));
        if asked && head.version() == Version::Http11 && !head.fields().contains("expect") {
            // Neither name nor value can be refused.
            let _ = head.fields_mut().push("Expect", "100-continue");
        }
        head
    }

    /// How many origins are known. Those that are not used are forgotten by and by.
    #[must_use]
    pub fn origins(&self) -> usize {
        self.counts().origins
    }

    fn enqueue<B>(&self, request: Request<B>) -> Result<(RequestId, Arc<Reply>), RequestError>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        let origin = Origin::of_request(&parts.method, &parts.uri).ok_or_else(RequestError::no_origin)?;
        let head = match self.handle.0.connector.forward(&origin) {
            Some(forward) => convert::forwarded_head(&parts, forward.authorization.as_deref()),
            None => convert::request_head(&parts),
        };
        let head = head.map_err(RequestError::unsendable)?;
        // Looked at once; whoever sends a body that was not all there polls it again, with a waker that works.
        let payload = Payload::of(body, &mut Context::from_waker(Waker::noop()));
        let payload = payload.map_err(|error| RequestError::body(Error::Body(error)))?;
        let head = self.with_expectation(head, &payload, parts.extensions.get());
        let idempotent = head.method().is_idempotent() || head.fields().contains("Idempotency-Key");
        let reply = Arc::new(Reply::default());
        let progress = Some(Progress::NOTHING);
        let job = Job { head: Arc::new(head), payload, reply: reply.clone(), parts, error: None, progress, touched: 0 };
        let id = self.handle.0.enqueue(origin, job, idempotent)?;
        Ok((id, reply))
    }
}

impl<C, R, B> Service<Request<B>> for Client<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Incoming>;
    type Error = RequestError;
    type Future = ResponseFuture<C, R>;

    /// Always ready: requests queue inside, and a full queue refuses a request with an error of its own.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), RequestError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture<C, R> {
        self.request(request)
    }
}

impl<C: Connector, R: Runtime> Clone for Client<C, R> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone() }
    }
}

impl<C: Connector, R: Runtime> fmt::Debug for Client<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("counts", &self.handle.0.counts()).finish_non_exhaustive()
    }
}

impl<C: Connector, R: Runtime> Drop for Handle<C, R> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A response that is waited for. Dropped before it is there, the request is cancelled, and a connection that it is on
/// is closed.
///
/// ```
/// fn is_boxless<C: http_driver::client::Connector, R: http_driver::Runtime + Send + Sync + 'static>(
///     future: http_driver::client::ResponseFuture<C, R>,
/// ) -> impl Future<Output = Result<http::Response<http_driver::Incoming>, http_driver::client::RequestError>>
/// where
///     R::Timer: Send,
/// {
///     future
/// }
/// ```
#[must_use = "a future does nothing unless it is waited for"]
pub struct ResponseFuture<C, R>(Waiting<C, R>)
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send;

enum Waiting<C: Connector, R: Runtime> {
    Queued { handle: Arc<Handle<C, R>>, id: RequestId, reply: Arc<Reply> },
    Refused(Option<RequestError>),
}

impl<C, R> Future for ResponseFuture<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    type Output = Result<Response<Incoming>, RequestError>;

    /// Polled again after it was ready, it is pending for ever.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Waiting::Queued { reply, .. } => reply.poll(cx),
            Waiting::Refused(error) => error.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error))),
        }
    }
}

impl<C, R> Drop for ResponseFuture<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn drop(&mut self) {
        if let Waiting::Queued { handle, id, .. } = &self.0 {
            // A request that has its response is not there any more.
            if handle.0.forget(*id).is_some() {
                let _ = handle.0.input(Input::Cancel(*id));
            }
        }
    }
}

impl<C, R> fmt::Debug for ResponseFuture<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
