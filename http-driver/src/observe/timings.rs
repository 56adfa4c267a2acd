//! When what of an exchange happened.

use core::time::Duration;
use std::sync::{Arc, Mutex};

use http::Extensions;

use crate::lock::lock;

/// When what of an exchange happened, counted from its beginning, and how much content there was. Where a request was
/// sent again it is of the last time, but for the beginning.
///
/// A client's responses have it if [`Builder::timings`](crate::client::Builder::timings) says so; whoever reads the
/// content keeps the extensions, and asks again when it has come to its end:
///
/// ```
/// use http_driver::observe::Timings;
/// use http_driver::{Incoming, ReadError};
///
/// async fn read(response: http::Response<Incoming>) -> Result<Option<Timings>, ReadError> {
///     let (parts, content) = response.into_parts();
///     content.bytes(1 << 20).await?;
///     let timings = Timings::of(&parts.extensions);
///     assert!(timings.is_none_or(|timings| timings.last_byte() >= timings.first_byte()));
///     Ok(timings)
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    pub(super) queued: Option<Duration>,
    pub(super) made: Option<Made>,
    pub(super) reused: bool,
    pub(super) sent: Option<Duration>,
    pub(super) first_byte: Option<Duration>,
    pub(super) last_byte: Option<Duration>,
    pub(super) request_content: u64,
    pub(super) response_content: u64,
    pub(super) resends: u32,
}

/// How long the parts of making a connection took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) resolve: Option<Duration>,
    pub(crate) connect: Option<Duration>,
    pub(crate) proxy: Option<Duration>,
    pub(crate) tls: Option<Duration>,
}

impl Timings {
    /// As they are now, of the response that has these extensions.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Handle>().map(|handle| *lock(&handle.0))
    }

    /// When a client's request was given to its connection: it had waited for that, or for it to be made.
    #[must_use]
    pub const fn queued(&self) -> Option<Duration> {
        self.queued
    }

    /// Whether a client's connection had been given another request before.
    #[must_use]
    pub const fn reused(&self) -> bool {
        self.reused
    }

    /// How long the name took to be resolved, where a client's connection was made for it.
    #[must_use]
    pub fn resolve(&self) -> Option<Duration> {
        self.made.and_then(|made| made.resolve)
    }

    /// How long the socket took to be connected, then.
    #[must_use]
    pub fn connect(&self) -> Option<Duration> {
        self.made.and_then(|made| made.connect)
    }

    /// How long the proxy took, then, if there was one.
    #[must_use]
    pub fn proxy(&self) -> Option<Duration> {
        self.made.and_then(|made| made.proxy)
    }

    /// How long TLS took to be set up, then, if there was any.
    #[must_use]
    pub fn tls(&self) -> Option<Duration> {
        self.made.and_then(|made| made.tls)
    }

    /// When all of a client's request had been written.
    #[must_use]
    pub const fn sent(&self) -> Option<Duration> {
        self.sent
    }

    /// When the first byte of the response had come, on a client; when its head was there to be sent, on a server.
    #[must_use]
    pub const fn first_byte(&self) -> Option<Duration> {
        self.first_byte
    }

    /// When the response had come to its end, or all of it was sent; none if it did not come to that.
    #[must_use]
    pub const fn last_byte(&self) -> Option<Duration> {
        self.last_byte
    }

    /// How many bytes the request's content has: what was read of it, or was handed on to be sent.
    #[must_use]
    pub const fn request_content(&self) -> u64 {
        self.request_content
    }

    /// How many bytes the response's content has, in the same way.
    #[must_use]
    pub const fn response_content(&self) -> u64 {
        self.response_content
    }

    /// `http.request.resend_count`: how often a client's request was sent again, after something of it had been sent.
    #[must_use]
    pub const fn resends(&self) -> u32 {
        self.resends
    }
}

/// What a response has among its extensions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handle(pub(super) Arc<Mutex<Timings>>);
