//! The routes as a service, for the service level.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::engine::{Body, Frame, SizeHint};
use super::engine::{Error, Full, Incoming};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Request, Response, StatusCode};

use super::routes::{MOST_HELD, PAGE, Route, address, mirror, pieces, status_text, twice, work};

/// What the routes answer with.
pub(crate) enum Answer {
    Full(Full),
    /// The content of the request, as it comes in.
    Echo(Incoming),
    Pieces(Box<dyn Iterator<Item = Result<Bytes, Error>> + Send>, Option<u64>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut *self {
            Self::Full(full) => Pin::new(full).poll_frame(cx).map(|frame| frame.map(|f| f.map_err(|e| match e {}))),
            Self::Echo(incoming) => Pin::new(incoming).poll_frame(cx),
            Self::Pieces(pieces, left) => {
                let piece = pieces.next();
                if let (Some(left), Some(Ok(piece))) = (left, &piece) {
                    *left -= piece.len() as u64;
                }
                Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(full) => full.size_hint(),
            Self::Echo(incoming) => incoming.size_hint(),
            Self::Pieces(_, left) => left.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

/// Answers one request that came from `peer`.
pub(crate) async fn answer(
    request: Request<Incoming>,
    peer: Option<SocketAddr>,
) -> Result<Response<Answer>, Infallible> {
    let uri = request.uri();
    // A target in absolute form has an authority; the others are their path.
    let route = match uri.path_and_query() {
        Some(path) if uri.authority().is_none() => Route::of(request.method().as_str(), path.as_str()),
        _ => Route::of(request.method().as_str(), &uri.to_string()),
    };
    let mut response = match route {
        Route::Plain => Response::new(Answer::Full(Full::from("Hello, World!"))),
        Route::NoTunnel => status(StatusCode::NOT_IMPLEMENTED),
        // Apart, so that a short answer has no room for what the others need.
        route => Box::pin(stream(request, route, peer)).await,
    };
    let content_type = match route {
        Route::Echo | Route::Bytes(_) | Route::Chunked(_) | Route::Cut { .. } => "application/octet-stream",
        Route::Page => "text/html",
        _ => "text/plain",
    };
    if response.status() == StatusCode::OK {
        response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    }
    Ok(response)
}

/// Answers with content that is long, or depends on that of the request.
async fn stream(request: Request<Incoming>, route: Route, peer: Option<SocketAddr>) -> Response<Answer> {
    let asks_head = request.method() == http::Method::HEAD;
    match route {
        Route::Plain | Route::NoTunnel => status(StatusCode::INTERNAL_SERVER_ERROR),
        Route::Bytes(total) => {
            let mut response = Response::new(Answer::Pieces(Box::new(pieces(total, false).map(Ok)), Some(total)));
            if asks_head {
                // An empty body does not tell whether GET's would be empty.
                response.headers_mut().insert(CONTENT_LENGTH, total.into());
            }
            response
        }
        Route::Busy(micros) => {
            work(micros);
            Response::new(Answer::Full(Full::from("done\n")))
        }
        Route::Peer => Response::new(Answer::Full(Full::from(address(peer)))),
        Route::Page => Response::new(Answer::Full(Full::from(PAGE))),
        Route::Status(code) => {
            let mut response = status(StatusCode::from_u16(code).expect("a status"));
            *response.body_mut() = Answer::Full(Full::from(status_text(code)));
            response
        }
        Route::Chunked(total) => Response::new(Answer::Pieces(Box::new(pieces(total, true).map(Ok)), None)),
        Route::Cut { total, chunked } => {
            let cut = std::iter::once_with(|| Err(Error::Body("cut on purpose".into())));
            let pieces = pieces(total, chunked).map(Ok).chain(cut);
            Response::new(Answer::Pieces(Box::new(pieces), (!chunked).then(|| twice(total))))
        }
        Route::Echo => Response::new(Answer::Echo(request.into_body())),
        Route::Sink => match read(request.into_body(), |_| true).await {
            Ok(length) => Response::new(Answer::Full(Full::from(length.to_string()))),
            Err(answer) => answer,
        },
        Route::Mirror => {
            let target = request.uri().to_string();
            let mut content = mirror(request.method().as_str(), target.as_bytes());
            let read = read(request.into_body(), |bytes| {
                if !asks_head {
                    content.extend_from_slice(bytes);
                }
                content.len() <= MOST_HELD
            });
            match read.await {
                Ok(_) => Response::new(Answer::Full(Full::from(content.freeze()))),
                Err(answer) => answer,
            }
        }
    }
}

/// Reads a body to its end and returns its length; `take` says whether to go on.
async fn read(mut body: Incoming, mut take: impl FnMut(&[u8]) -> bool) -> Result<u64, Response<Answer>> {
    let mut length = 0;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        // The connection has answered what broke the content; nobody sees this status.
        let Ok(frame) = frame else { return Err(status(StatusCode::BAD_REQUEST)) };
        if let Some(bytes) = frame.data_ref() {
            length += bytes.len() as u64;
            if !take(bytes) {
                return Err(status(StatusCode::PAYLOAD_TOO_LARGE));
            }
        }
    }
    Ok(length)
}

fn status(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::Full(Full::default()));
    *response.status_mut() = status;
    response
}
