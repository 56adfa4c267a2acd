//! Services on a connection: types of the `http`, `http-body` and `tower-service` crates.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use std::io;

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::Body;
use http_core::server::Event;
use http_core::{Content, Fields, Misuse, RequestHead, ResponseHead, StatusCode};
use tower_service::Service;

use super::connection::Connection;
use super::interim::Interim;
use super::shutdown::Watch;
use crate::body::{Demand, Feed, Incoming};
use crate::convert;
use crate::error::Error;
use crate::io::{Runtime, Transport};
use crate::tunnel::{Promise, Switched, Upgrade};

/// An error of the application.
type BoxError = Box<dyn core::error::Error + Send + Sync>;

/// How services are served.
///
/// ```
/// let options = http_driver::server::Options::default().interim(true);
/// assert!(format!("{options:?}").contains("interim: true"));
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    interim: bool,
}

impl Options {
    /// Whether requests carry an [`Interim`] among their extensions. Default: no, because it costs an allocation.
    #[must_use]
    pub const fn interim(mut self, interim: bool) -> Self {
        self.interim = interim;
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
/// A request that offers an upgrade, and a `CONNECT`, carries an [`Upgrade`]. If the service's answer hands the
/// connection over it is returned, and [`Switched::deliver`] makes that future ready. A request that asks for neither
/// costs nothing for it.
///
/// # Errors
/// The connection failed: the client broke a rule, was too slow, or left inside a message. It was answered where that
/// was possible.
///
/// # Cancellation
/// Dropping the future drops the connection.
pub async fn serve_connection<T, R, S, B>(
    mut connection: Connection<T, R>,
    mut service: S,
    options: Options,
    mut watch: Option<Watch>,
) -> Result<Option<Switched<T>>, Error>
where
    T: Transport,
    R: Runtime,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body,
    B::Error: Into<BoxError>,
{
    let mut promise = None;
    loop {
        let accepted = poll_fn(|cx| {
            end_if_told(&mut connection, &mut watch, cx);
            connection.poll_accept(cx)
        });
        let head = match accepted.await {
            Ok(Some(head)) => head,
            Ok(None) if connection.is_switched() => {
                let (transport, early) = connection.into_parts();
                return Ok(Some(Switched::new(transport, early, promise)));
            }
            Ok(None) => return Ok(None),
            Err(error) => {
                connection.finish().await;
                return Err(error);
            }
        };
        // Whoever waits for a hand-over by an earlier request learns that there was none.
        promise = match answer(&mut connection, head, &mut service, &options, &mut watch).await {
            Ok(promise) => promise,
            Err(error) => {
                connection.finish().await;
                return Err(error);
            }
        };
    }
}

fn end_if_told<T: Transport, R: Runtime>(
    connection: &mut Connection<T, R>,
    watch: &mut Option<Watch>,
    cx: &Context<'_>,
) {
    if watch.as_mut().is_some_and(|watch| watch.poll_begun(cx).is_ready()) {
        connection.close();
    }
}

async fn answer<T, R, S, B>(
    connection: &mut Connection<T, R>,
    head: RequestHead,
    service: &mut S,
    options: &Options,
    watch: &mut Option<Watch>,
) -> Result<Option<Promise>, Error>
where
    T: Transport,
    R: Runtime,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body,
    B::Error: Into<BoxError>,
{
    let (body, feed) = Incoming::new(head.framing());
    let mut content = Inflow { feed };
    let request = convert::request(&head, body);
    let asks_head = head.method() == http_core::Method::Head;
    connection.recycle(head.into());
    let Ok(mut request) = request else {
        connection.respond(&ResponseHead::new(StatusCode::BAD_REQUEST), Content::Empty)?;
        return Ok(None);
    };
    let promise = connection.machine().may_switch().then(|| {
        let (upgrade, promise) = Upgrade::new();
        request.extensions_mut().insert(upgrade);
        promise
    });
    let interim = options.interim.then(Interim::default);
    if let Some(interim) = &interim {
        request.extensions_mut().insert(interim.clone());
    }

    let called = async {
        poll_fn(|cx| service.poll_ready(cx)).await?;
        service.call(request).await
    };
    let response = {
        let mut called = pin!(called);
        poll_fn(|cx| {
            end_if_told(connection, watch, cx);
            loop {
                let polled = called.as_mut().poll(cx);
                for head in interim.iter().flat_map(Interim::take) {
                    // Documented: one that may not be sent is dropped.
                    let _ = connection.interim(&head);
                }
                if let Poll::Ready(response) = polled {
                    return Poll::Ready(Ok(response));
                }
                match content.poll(connection, cx) {
                    Poll::Ready(()) => {}
                    Poll::Pending => return connection.poll_aside(cx).map(Err),
                }
            }
        })
        .await?
    };
    // The error has no way to the client; the status tells that there is one.
    let Ok(response) = response else {
        connection.close();
        connection.respond(&ResponseHead::new(StatusCode::INTERNAL_SERVER_ERROR), Content::Empty)?;
        return Ok(None);
    };
    content.keep_wanted(connection);
    send(connection, response, content, asks_head, watch).await?;
    Ok(promise)
}

/// Sends a response, and goes on feeding the request's body meanwhile.
async fn send<T, R, B>(
    connection: &mut Connection<T, R>,
    response: Response<B>,
    mut content: Inflow,
    asks_head: bool,
    watch: &mut Option<Watch>,
) -> Result<(), Error>
where
    T: Transport,
    R: Runtime,
    B: Body,
    B::Error: Into<BoxError>,
{
    let (parts, body) = response.into_parts();
    let mut body = pin!(body);
    let head = convert::response_head(&parts);
    let (announced, first) = first_piece(body.as_mut()).await;
    let begun = match head {
        Ok(head) => connection.respond(&head, announced.clone()),
        Err(convert::Unconvertible::Misuse(misuse)) => Err(misuse),
        Err(_) => Err(Misuse::FieldValue),
    };
    if begun.is_err() {
        // What the application built cannot be sent; the client learns that much.
        connection.close();
        return Ok(connection.respond(&ResponseHead::new(StatusCode::INTERNAL_SERVER_ERROR), Content::Empty)?);
    }
    if asks_head || parts.status == http::StatusCode::NOT_MODIFIED {
        // The bytes would be dropped; their producer need not be run.
        if connection.machine().awaits_content() {
            connection.end(&Fields::new())?;
        }
        return Ok(());
    }
    match first {
        First::None => {}
        First::Piece(piece) => {
            if connection.machine().awaits_content() {
                connection.write(piece)?;
            }
        }
        First::Failed(error) => {
            connection.abandon();
            return Err(Error::Body(error));
        }
    }
    poll_fn(|cx| {
        end_if_told(connection, watch, cx);
        loop {
            let mut starved = false;
            while connection.machine().send_capacity() > 0 {
                match body.as_mut().poll_frame(cx) {
                    Poll::Ready(Some(Ok(frame))) => pass_on(connection, frame)?,
                    Poll::Ready(Some(Err(error))) => {
                        connection.abandon();
                        return Poll::Ready(Err(Error::Body(error.into())));
                    }
                    Poll::Ready(None) => match connection.end(&Fields::new()) {
                        Ok(()) => {}
                        Err(error) => {
                            connection.abandon();
                            return Poll::Ready(Err(error));
                        }
                    },
                    Poll::Pending => {
                        starved = true;
                        break;
                    }
                }
            }
            if !connection.machine().awaits_content() {
                return Poll::Ready(Ok(()));
            }
            if content.poll(connection, cx).is_ready() {
                continue;
            }
            if let Poll::Ready(error) = connection.poll_aside(cx) {
                return Poll::Ready(Err(error));
            }
            // Whatever was written meanwhile may have made room.
            if starved || connection.machine().send_capacity() == 0 {
                return Poll::Pending;
            }
        }
    })
    .await
}

fn pass_on<T, R, D>(connection: &mut Connection<T, R>, frame: http_body::Frame<D>) -> Result<(), Error>
where
    T: Transport,
    R: Runtime,
    D: Buf,
{
    match frame.into_data() {
        Ok(mut data) => {
            let written = connection.write(data.copy_to_bytes(data.remaining()));
            if written.is_err() {
                connection.abandon();
            }
            written
        }
        Err(frame) => {
            let trailers = frame.into_trailers().map(|map| convert::fields(&map));
            // Trailers that may not be sent are left out; the content is complete without them.
            let sent = match trailers {
                Ok(Ok(fields)) => connection.end(&fields).is_ok(),
                _ => false,
            };
            if sent { Ok(()) } else { connection.end(&Fields::new()) }
        }
    }
}

enum First {
    None,
    Piece(Bytes),
    Failed(BoxError),
}

/// What can be announced of a body. One whose only piece is there already is sent together with its head.
async fn first_piece<B>(mut body: Pin<&mut B>) -> (Content, First)
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let length = match body.size_hint().exact() {
        None => return (Content::Streaming, First::None),
        Some(0) => return (Content::Empty, First::None),
        Some(length) => length,
    };
    let polled = poll_fn(|cx| Poll::Ready(body.as_mut().poll_frame(cx))).await;
    match polled {
        Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
            Ok(mut data) => {
                let piece = data.copy_to_bytes(data.remaining());
                if piece.len() as u64 == length {
                    (Content::Full(piece), First::None)
                } else {
                    (Content::Sized(length), First::Piece(piece))
                }
            }
            Err(_) => (Content::Sized(length), First::None),
        },
        Poll::Ready(Some(Err(error))) => (Content::Sized(length), First::Failed(error.into())),
        Poll::Ready(None) | Poll::Pending => (Content::Sized(length), First::None),
    }
}

/// The content of the request on its way to its body.
struct Inflow {
    feed: Option<Feed>,
}

impl Inflow {
    /// Feeds the body if it wants something. Ready when it was fed; pending when there is nothing to do, and the task
    /// will be woken when there is.
    fn poll<T: Transport, R: Runtime>(&mut self, connection: &mut Connection<T, R>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(feed) = &self.feed else { return Poll::Pending };
        match feed.demand(cx) {
            Demand::Nothing => return Poll::Pending,
            Demand::Dropped => {
                connection.discard_content();
                self.feed = None;
                return Poll::Pending;
            }
            Demand::Frame => connection.want_content(),
        }
        let event = ready!(connection.poll_event(cx));
        match (event, self.feed.take()) {
            (Ok(Event::Content(bytes)), Some(feed)) => {
                feed.data(bytes);
                self.feed = Some(feed);
            }
            (Ok(Event::End(trailers)), Some(feed)) => feed.end(&trailers),
            (Ok(Event::Closed(why)), Some(feed)) => feed.fail(Error::Closed(why)),
            (Ok(_), feed) => self.feed = feed,
            (Err(error), Some(feed)) => feed.fail(error),
            (Err(_), None) => {}
        }
        Poll::Ready(())
    }

    /// A final response is about to begin. If somebody still wants the content, a client that waits for 100 (Continue)
    /// is let go first: after the final response it would not send it.
    fn keep_wanted<T: Transport, R: Runtime>(&self, connection: &mut Connection<T, R>) {
        if let Some(feed) = &self.feed {
            if feed.is_held() {
                connection.want_content();
            } else {
                connection.discard_content();
            }
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            error => Self::other(error),
        }
    }
}
