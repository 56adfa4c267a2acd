//! Interim responses, on their way to whoever asked for a response.

use core::fmt;
use std::sync::Arc;

use http_core::ResponseHead;

/// Is told the interim responses to a request (RFC 9110 §15.2): put it among the request's extensions. It is called by
/// whoever drives the connection, and should be quick. A request that is tried again may have the same ones twice.
///
/// ```
/// use http_driver::Full;
/// use http_driver::client::OnInterim;
/// let request = http::Request::get("http://example.com/")
///     .extension(OnInterim::new(|head| println!("{}: {:?}", head.status(), head.fields().get("link"))))
///     .body(Full::default());
/// assert!(request.is_ok());
/// ```
#[derive(Clone)]
pub struct OnInterim(pub(super) Arc<dyn Fn(&ResponseHead) + Send + Sync>);

impl OnInterim {
    /// With this function.
    pub fn new(tell: impl Fn(&ResponseHead) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for OnInterim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnInterim")
    }
}
