//! The smallest service and the smallest body, for programs that need no more.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tower_service::Service;

/// A service made of a function.
///
/// ```
/// use std::convert::Infallible;
/// use http::{Request, Response};
/// use http_driver::{Full, Incoming, service_fn};
/// let hello = service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::from("Hello"))) });
/// # let _ = hello;
/// ```
pub const fn service_fn<F>(function: F) -> ServiceFn<F> {
    ServiceFn(function)
}

/// See [`service_fn`].
///
/// ```
/// let service: http_driver::ServiceFn<fn(u8) -> u8> = http_driver::service_fn(|n| n);
/// assert!(format!("{service:?}").starts_with("ServiceFn"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ServiceFn<F>(F);

impl<F, Request, Response, Error, Answer> Service<Request> for ServiceFn<F>
where
    F: FnMut(Request) -> Answer,
    Answer: Future<Output = Result<Response, Error>>,
{
    type Response = Response;
    type Error = Error;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Answer {
        (self.0)(request)
    }
}

/// A body that is all there.
///
/// ```
/// use http_body::Body;
/// assert_eq!(http_driver::Full::from("abc").size_hint().exact(), Some(3));
/// assert!(http_driver::Full::default().is_end_stream());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Full(Bytes);

impl<T: Into<Bytes>> From<T> for Full {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl Full {
    pub(crate) fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Body for Full {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = core::mem::take(&mut self.0);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}
