//! Interim responses from inside a service.

use std::sync::{Arc, Mutex};

use http_core::ResponseHead;

use crate::lock::lock;

/// Sends interim responses to the request that carries it among its extensions, see
/// [`Options::interim`](super::Options::interim).
///
/// ```
/// use http_core::{ResponseHead, StatusCode};
/// use http_driver::server::Interim;
///
/// fn early_hints<B>(request: &http::Request<B>) -> Result<(), http_core::Misuse> {
///     if let Some(interim) = request.extensions().get::<Interim>() {
///         interim.send(ResponseHead::new(StatusCode::EARLY_HINTS).with("Link", "</style.css>; rel=preload")?);
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Interim(Arc<Mutex<Vec<ResponseHead>>>);

impl Interim {
    /// Sends `head` when the service's future returns from its poll. One that may not be sent, to an HTTP/1.0 client,
    /// after the final response, beyond `Limits::interim_responses` or not interim, is dropped.
    pub fn send(&self, head: ResponseHead) {
        lock(&self.0).push(head);
    }

    pub(super) fn take(&self) -> Vec<ResponseHead> {
        core::mem::take(&mut *lock(&self.0))
    }
}
