//! A small site, for what an HTTP engine leaves to crates that do it well: routes (`matchit`), percent-encoding
//! (`percent-encoding`), pairs of queries and forms (`form_urlencoded`), cookies (`cookie`), HTML escapes
//! (`html-escape`).
//!
//! `cargo run --release -p http-tokio --example site` and open http://127.0.0.1:8080/hello/J%C3%BCrgen?color=teal

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

use cookie::Cookie;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_tokio::{Full, Incoming, ReadError, Server, service_fn};
use percent_encoding::percent_decode_str;

/// What a path leads to.
#[derive(Clone, Copy)]
enum Page {
    Index,
    Hello,
    Form,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut routes = matchit::Router::new();
    routes.insert("/", Page::Index)?;
    routes.insert("/hello/{name}", Page::Hello)?;
    routes.insert("/form", Page::Form)?;
    let routes = Arc::new(routes);
    let site = service_fn(move |request| {
        let routes = routes.clone();
        async move { Ok::<_, Infallible>(answer(&routes, request).await) }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://{}/", listener.local_addr()?);
    Server::new().serve(listener, site).await;
    Ok(())
}

async fn answer(routes: &matchit::Router<Page>, request: Request<Incoming>) -> Response<Full> {
    // The path is matched as it was sent, so that an encoded slash separates nothing.
    let Ok(found) = routes.at(request.uri().path()) else { return refuse(StatusCode::NOT_FOUND) };
    match (found.value, request.method()) {
        (Page::Index, &Method::GET) => html("<a href='/hello/world?color=teal'>hello</a> <a href='/form'>form</a>"),
        (Page::Hello, &Method::GET) => {
            let Ok(name) = percent_decode_str(found.params.get("name").unwrap_or_default()).decode_utf8() else {
                return refuse(StatusCode::BAD_REQUEST);
            };
            let color = pair(request.uri().query().unwrap_or_default().as_bytes(), "color").unwrap_or("black".into());
            let visits = 1 + visits(request.headers());
            let mut page = html(&format!(
                "<p style='color:{}'>Hello {}, for the {visits}. time.</p>",
                html_escape::encode_quoted_attribute(&color),
                html_escape::encode_text(&name),
            ));
            let cookie = Cookie::build(("visits", visits.to_string())).path("/hello").http_only(true).build();
            if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
                page.headers_mut().insert(header::SET_COOKIE, value);
            }
            page
        }
        (Page::Form, &Method::GET) => html("<form method=post><input name=text><button>send</button></form>"),
        (Page::Form, &Method::POST) => match request.into_body().bytes(64 * 1024).await {
            Ok(content) => {
                let text = pair(&content, "text").unwrap_or_default();
                html(&format!("<p>You wrote: {}</p>", html_escape::encode_text(&text)))
            }
            Err(ReadError::TooLong) => refuse(StatusCode::PAYLOAD_TOO_LARGE),
            Err(_) => refuse(StatusCode::BAD_REQUEST),
        },
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED),
    }
}

/// The value of a name among the pairs of a query or a form.
fn pair<'a>(pairs: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    form_urlencoded::parse(pairs).find(|(key, _)| key == name).map(|(_, value)| value)
}

/// What the visitor's cookie says.
fn visits(fields: &HeaderMap) -> u32 {
    let lines = fields.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).flatten();
    cookies.find(|cookie| cookie.name() == "visits").and_then(|cookie| cookie.value().parse().ok()).unwrap_or(0)
}

fn html(body: &str) -> Response<Full> {
    let mut response = Response::new(Full::from(format!("<!doctype html>{body}\n")));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn refuse(status: StatusCode) -> Response<Full> {
    let mut response = html(status.canonical_reason().unwrap_or_default());
    *response.status_mut() = status;
    response
}
