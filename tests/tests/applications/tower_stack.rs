//! A service made of tower's layers alone, which needs no particular runtime.

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use tower::limit::ConcurrencyLimitLayer;
use tower::{BoxError, Service, ServiceBuilder, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

use crate::odd;

type Content = UnsyncBoxBody<Bytes, BoxError>;

/// What every connection is given a copy of.
pub(crate) fn stack<B>() -> impl Service<
    Request<B>,
    Response = Response<impl Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static>,
    Error = BoxError,
    Future: Send + 'static,
> + Clone
+ Send
+ 'static
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(CorsLayer::permissive())
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::new())
        // Not always ready: it has fewer places than there are clients.
        .layer(ConcurrencyLimitLayer::new(4))
        .layer(RequestBodyLimitLayer::new(64 * 1024))
        .service(service_fn(answer))
}

/// Whether requests for this path are its own.
pub(crate) fn knows(path: &str) -> bool {
    let paths = ["/plain", "/echo", "/pass", "/sink", "/early", "/early-413", "/trailers", "/panic", "/fails"];
    paths.contains(&path) || ["/odd/", "/bytes/", "/chunked/"].iter().any(|start| path.starts_with(start))
}

async fn answer<B>(request: Request<B>) -> Result<Response<Content>, BoxError>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let path = request.uri().path().to_owned();
    let (place, rest) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    let content = request.into_body();
    Ok(match place {
        "plain" => Response::new(whole("Hello, World!")),
        "early" => Response::new(whole("early")),
        "early-413" => status(StatusCode::PAYLOAD_TOO_LARGE),
        "pass" => Response::new(content.map_err(Into::into).boxed_unsync()),
        "echo" => match content.collect().await {
            Ok(content) => Response::new(whole(content.to_bytes())),
            Err(_) => status(StatusCode::BAD_REQUEST),
        },
        "sink" => match content.collect().await {
            Ok(content) => Response::new(whole(content.to_bytes().len().to_string())),
            Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
        },
        "trailers" => match content.collect().await {
            Ok(content) => Response::new(whole(format!("{:?}", content.trailers()))),
            Err(_) => status(StatusCode::BAD_REQUEST),
        },
        "bytes" => Response::new(whole(vec![b'0'; rest.parse()?])),
        "chunked" => {
            let content = http_body_util::StreamBody::new(futures_util::stream::iter(
                (0..rest.parse::<usize>()?.div_ceil(1000))
                    .map(|_| Ok::<_, BoxError>(http_body::Frame::data(Bytes::from(vec![b'0'; 1000])))),
            ));
            Response::new(content.boxed_unsync())
        }
        "panic" => panic!("a service that panics on purpose"),
        "fails" => return Err("a service that fails on purpose".into()),
        "odd" => match odd::answer(rest) {
            Some(answer) => answer.map(|body| body.map_err(Into::into).boxed_unsync()),
            None => status(StatusCode::NOT_FOUND),
        },
        _ => status(StatusCode::NOT_FOUND),
    })
}

fn whole(content: impl Into<Bytes>) -> Content {
    Full::new(content.into()).map_err(|never| match never {}).boxed_unsync()
}

fn status(code: StatusCode) -> Response<Content> {
    let mut response = Response::new(whole(""));
    *response.status_mut() = code;
    response
}
