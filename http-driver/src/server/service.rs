//! Services on a connection: types of the `http`, `http-body` and `tower-service` crates.

use core::future::Future;

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::connection::Connection;
use super::serving::{BoxError, Serving};
use super::shutdown::Watch;
use crate::body::Incoming;
use crate::error::Error;
use crate::io::{Runtime, Transport};
use crate::tunnel::Switched;

/// How services are served.
///
/// ```
/// let options = http_driver::server::Options::default().interim(true);
/// assert!(format!("{options:?}").contains("interim: true"));
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    pub(super) interim: bool,
    pub(super) disconnected: bool,
    pub(super) cancel_on_end: bool,
}

impl Options {
    /// Whether requests carry an [`Interim`](super::Interim) among their extensions. Default: no, because it costs an
    /// allocation.
    #[must_use]
    pub const fn interim(mut self, interim: bool) -> Self {
        self.interim = interim;
        self
    }

    /// Whether requests carry a [`Disconnected`](super::Disconnected) among their extensions. Default: no, because it
    /// costs an allocation.
    #[must_use]
    pub const fn disconnected(mut self, disconnected: bool) -> Self {
        self.disconnected = disconnected;
        self
    }

    /// Whether a client that ends its sending side while its request is being answered counts as gone, as one does in
    /// any case that is reset: the service's future is dropped. Default: no; such a client may wait for its answer
    /// (RFC 9112 §9.6).
    #[must_use]
    pub const fn cancel_on_end(mut self, cancel: bool) -> Self {
        self.cancel_on_end = cancel;
        self
    }
}

/// Serves the requests of one connection until it ends, or until `watch` tells it to end after the open exchange.
///
/// The service's future runs inside of this one: nothing is spawned and nothing has to be `Send`. While it works the
/// connection is watched: content is read as its body is polled, 100 (Continue) is sent when that is polled first, and
/// a client that is gone drops the service's future. A client that only shut down its sending side is answered.
///
/// An error of the service is answered with 500; an error of a response's body cuts the connection.
///
/// A request that offers an upgrade, and a `CONNECT`, carries an [`Upgrade`](crate::Upgrade). If the service's answer hands the
/// connection over it is returned, and [`Switched::deliver`] makes that future ready. A request that asks for neither
/// costs nothing for it.
///
/// # Errors
/// The connection failed: the client broke a rule, was too slow, or left inside a message. It was answered where that
/// was possible.
///
/// # Cancellation
/// Dropping the future drops the connection.
pub fn serve_connection<T, R, S, B>(
    connection: Connection<T, R>,
    service: S,
    options: Options,
    watch: Option<Watch>,
) -> impl Future<Output = Result<Option<Switched<T>>, Error>>
where
    T: Transport,
    R: Runtime,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body,
    B::Error: Into<BoxError>,
{
    // The future holds what it serves once: an idle connection costs what it needs.
    let mut serving = Serving::new(connection, service, options, watch);
    async move {
        serving.run().await?;
        Ok(serving.switched())
    }
}
