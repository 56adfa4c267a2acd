//! A client: requests in, responses out, over as many connections as the dispatcher wants.

use core::fmt;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use http::header::EXPECT;
use http::request::Parts;
use http::{Request, Response, Uri};
use http_body::Body;
use http_core::Version;
use tower_service::Service;

use super::connect_error::ConnectError;
use super::counts::Counts;
use super::ends::Handle;
use super::failure::{NO_ORIGIN, RequestError};
use super::into_body::IntoBody;
use super::job::Job;
use super::life::Core;
use super::options::RequestOptions;
use super::origin::{Connector, Place, Spot};
use super::payload::Payload;
use super::response::ResponseFuture;
use super::shutdown::Shutdown;
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
pub struct Client<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    handle: Arc<Handle<C, R>>,
}

impl<C, R> Client<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    pub(super) fn new(core: Arc<Core<C, R>>) -> Self {
        Self { handle: Arc::new(Handle::new(core)) }
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
    /// The request is queued when the future is polled first, on the runtime where it is; whoever polls it drives the
    /// connection that it goes on.
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
        ResponseFuture::new(self.handle.clone(), {
            let (parts, body) = request.into_parts();
            self.prepare(parts, body.into_body())
        })
    }

    /// A `GET` of this URI: [`request`](Self::request) for who has nothing more to say.
    ///
    /// ```
    /// # use http_driver::client::{Client, Connector};
    /// # use http_driver::Runtime;
    /// async fn ask<C, R>(client: &Client<C, R>) -> Result<String, Box<dyn std::error::Error>>
    /// where
    ///     C: Connector,
    ///     R: Runtime + Send + Sync + 'static,
    ///     R::Timer: Send,
    /// {
    ///     let response = client.get("http://example.com/".parse()?).await?;
    ///     Ok(response.into_body().text(64 * 1024).await?)
    /// }
    /// ```
    ///
    /// # Errors
    /// No response came: see [`RequestError`].
    ///
    /// # Cancellation
    /// As with [`request`](Self::request).
    pub fn get(&self, uri: Uri) -> ResponseFuture<C, R> {
        let mut request = Request::new(());
        *request.uri_mut() = uri;
        self.request(request)
    }

    /// Whether a request to this URI can be tried at all, as far as settings go. Nothing is resolved and nobody is
    /// connected to: it is for the start of a program, which would otherwise hear with its first request that there are
    /// no roots to trust, that TLS was not compiled, or that a host is none that a certificate can name; of the origin
    /// itself, and of a proxy on the way to it.
    ///
    /// ```
    /// # use http_driver::client::{Client, Connector};
    /// # use http_driver::Runtime;
    /// fn begin<C, R>(client: &Client<C, R>) -> Result<(), Box<dyn std::error::Error>>
    /// where
    ///     C: Connector,
    ///     R: Runtime + Send + Sync + 'static,
    ///     R::Timer: Send,
    /// {
    ///     client.check(&"https://api.example/".parse()?)?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// What is missing; the URI names no origin, or one of a scheme that is not spoken here.
    pub fn check(&self, uri: &Uri) -> Result<(), ConnectError> {
        let place = Place::of(uri).ok_or_else(|| ConnectError::misconfigured(NO_ORIGIN))?;
        self.handle.core().connector.check(&place.to_origin())
    }

    /// Makes a connection to the origin of a URI before there is a request for it. False if that is not possible now:
    /// the URI names no origin, there are as many connections as allowed, the origin is backed off from, or the client
    /// shuts down. If it cannot be made, nobody is told; [`counts`](Self::counts) tells when it is there.
    pub fn connect(&self, uri: &Uri) -> bool {
        let core = self.handle.core();
        let (Some(place), Some(runtime)) = (Place::of(uri), core.runtime.current()) else { return false };
        let connects = core.pool.connect(runtime, place, core.now());
        core.attend(runtime);
        connects
    }

    /// Takes no more requests, here and on all clones: [`Shutdown::finish`] waits for those that there are.
    pub fn shutdown(&self) -> Shutdown<C, R> {
        Shutdown::begin(self.handle.core().clone())
    }

    /// What the client is doing now, and has done.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.handle.core().pool.counts()
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

    /// Whether an expectation is added to a request, for its content to be asked for first (RFC 9110 §10.1.1).
    fn expects(&self, parts: &Parts, payload: &Payload) -> bool {
        // Of unknown length counts as large.
        let length = match payload {
            Payload::Ready(content) => content.length().unwrap_or(0),
            Payload::Stream(length, _) => length.unwrap_or(u64::MAX),
            Payload::Taken => 0,
        };
        if length == 0 {
            return false;
        }
        let large = self.handle.core().config.dispatch.expect_continue_from.is_some_and(|least| length >= least);
        let options = parts.extensions.get();
        let asked = options.map_or(large, |options: &RequestOptions| options.expects(large));
        asked && convert::sent_version(parts) == Version::Http11 && !parts.headers.contains_key(EXPECT)
    }

    /// How many origins are known. Those that are not used are forgotten by and by.
    #[must_use]
    pub fn origins(&self) -> usize {
        self.counts().origins
    }

    /// What is kept of a request.
    fn prepare<B>(&self, parts: Parts, body: B) -> Result<Box<Job>, RequestError>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let place = Place::of_request(&parts.method, &parts.uri).ok_or_else(RequestError::no_origin)?;
        let spot = Spot::of(place, &parts.uri);
        let connector = &self.handle.core().connector;
        let forward = if connector.forwards() { connector.forward(&place.to_origin()) } else { None };
        let head = match forward {
            Some(forward) => convert::forwarded_head(&parts, forward.authorization.as_deref()).map(Some),
            None => convert::request_lines(&parts).and_then(|lines| lines.check()).map(|()| None).map_err(Into::into),
        };
        let mut head = head.map_err(|what| RequestError::unsendable(what).before(place))?;
        // Looked at once; whoever sends a body that was not all there polls it again, with a waker that works.
        let trailers = !parts.headers.is_empty() && parts.headers.contains_key(http::header::TRAILER);
        let payload = Payload::of(body, trailers, &mut Context::from_waker(Waker::noop()));
        let payload = payload.map_err(|error| RequestError::body(Error::Body(error)).before(place))?;
        payload.suits(&parts, head.as_ref()).map_err(|what| RequestError::unsendable(what).before(place))?;
        if self.expects(&parts, &payload) {
            let plain = head.map_or_else(|| convert::request_head(&parts), Ok);
            let plain = plain.map_err(|what| RequestError::unsendable(what).before(place))?;
            // Neither name nor value can be refused.
            head = plain.with("Expect", "100-continue").ok();
        }
        Ok(Box::new(Job::new(parts, spot, head.map(Box::new), payload)))
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

impl<C, R> Clone for Client<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone() }
    }
}

impl<C, R> fmt::Debug for Client<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("counts", &self.handle.core().pool.counts()).finish_non_exhaustive()
    }
}
