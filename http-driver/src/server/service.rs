//! Services on a connection: types of the `http`, `http-body` and `tower-service` crates.

use core::future::Future;

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::connection::Connection;
use super::options::Options;
use super::running::{Beginning, Running};
use super::serving::Serving;
use super::shutdown::Watch;
use super::switched::Switched;
use crate::body::Incoming;
use crate::error::{BoxError, Error};
use crate::io::{Runtime, Transport};

/// Serves the requests of one connection until it ends, or until `watch` tells it to end after the open exchange.
///
/// The service's future runs inside of this one: nothing is spawned and nothing has to be `Send`. While it works the
/// connection is watched: content is read as its body is polled, no sooner, and 100 (Continue) is sent when that is
/// polled first. A body that somebody holds when the answer is out is read on for as long as it is held.
///
/// An error of the service is answered with 500. Whatever fails once the head of a response is out, a body, its length,
/// a panic: the exchange is given up at once. Complete answers before it are written, within the deadline of sending;
/// then the connection ends in order where the framing shows the cut, and is reset where the end of the stream would
/// complete the response (RFC 9112 §8).
///
/// # Clients that leave
/// | how | what becomes of it | elsewhere |
/// |---|---|---|
/// | reset, or an unclean end (TLS without `close_notify`) | the service's future, or the response's body, is dropped as soon as it is seen: up to [`read_ahead`](http_core::Limits::read_ahead) unread bytes of the client hide it until the next write, unless the transport can tell ([`Transport::poll_reset`]) | the same with hyper and Node |
/// | it ends its side in order, and may read on | answered, if the head of the answer comes within [`half_closed`](http_core::Timeouts::half_closed), and the body is never silent for as long; from there the deadline of sending rules | hyper drops the future unless `half_close` is set; Node answers, however long it takes |
/// | it ends its side inside of its content | the body fails, and what the service answers is sent | hyper answers as well; Node raises `aborted` |
/// | it does not read its answer | given up by the deadline of sending, and reset | – |
///
/// # What of a response is left out
/// When a response is there, what it stands for is done; so what is too much in it is left out, where no doubt is left
/// what is meant. A response that contradicts itself is answered with 500, and the connection ends.
/// [`http_core::mend_response`] has the table of framing fields and content, with its sections.
///
/// | what is there | what becomes of it | section |
/// |---|---|---|
/// | the body of an answer to `HEAD`, of 204, 205, 304, 101, and of 2xx to `CONNECT` | not run; of its length is told what may be | RFC 9110 §6.4.1 |
/// | framing fields where none may be, twice, or not as the content is | left out, if nothing else contradicts the content | RFC 9112 §6 |
/// | a `Content-Length` that is not the exact length of the body; several that differ | 500: content may be missing | RFC 9110 §8.6 |
/// | a length of which the body, of unknown length, then falls short, or goes beyond it | the connection is cut | RFC 9112 §8 |
/// | 101 without `Upgrade`, where the request offers one protocol alone | that one is named | RFC 9110 §7.8 |
/// | 101 that the request did not offer, or to one of several protocols without `Upgrade` | 500 | RFC 9110 §15.2.2 |
/// | 100, 102, 103 as the answer | 500: it would not be the last one; see [`Interim`](super::Interim) | RFC 9110 §15.2 |
/// | `Connection: keep-alive` and `Keep-Alive`, where the connection closes | left out: `close` alone is said | RFC 9112 §9.3 |
/// | `Connection: close`; other options, and the fields that they name; `Proxy-Connection` | heeded; sent as they are | RFC 9112 §9.6 |
/// | a [`ReasonPhrase`](crate::ReasonPhrase) with control characters | the usual one | RFC 9112 §4 |
/// | trailers that may not be trailers, or where there are no chunks | left out, each by itself | RFC 9110 §6.5.1 |
/// | `Trailer`; trailers that it does not name, or to a client without `TE: trailers` | sent as they are: nobody has to read them | RFC 9110 §6.5.2, §6.6.2 |
///
/// A request that offers an upgrade, and a `CONNECT`, carries an [`Upgrade`](crate::Upgrade). If the service's answer
/// hands the connection over it is returned, and [`Switched::deliver`] makes that future ready. A request that asks for
/// neither costs nothing for it.
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
    serve(Beginning::Working(Box::new(Serving::new(connection, service, &options, watch))))
}

/// The same, of whatever it begins with.
pub(super) fn serve<T, R, S, B>(
    beginning: Beginning<T, R, S>,
) -> impl Future<Output = Result<Option<Switched<T>>, Error>> + Unpin
where
    T: Transport,
    R: Runtime,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body,
    B::Error: Into<BoxError>,
{
    Running::new(beginning, |mut serving: Box<Serving<T, R, S>>| async move {
        let answered = serving.answer().await;
        (serving, answered)
    })
}
