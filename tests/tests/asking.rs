//! The example `ask`: what other crates add to a client, against a server of ours.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use std::convert::Infallible;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Method, Request, Response, StatusCode, header};
use http_tokio::{Full, Incoming, Server, service_fn};

#[path = "../../examples/ask.rs"]
mod ask;

/// As the example expects it: it is answered with what was sent, as far as that is what it should be.
async fn answer(request: Request<Incoming>) -> Result<Response<Full>, Infallible> {
    let (parts, body) = request.into_parts();
    let content = body.text(64 * 1024).await.unwrap();
    let field = |name| parts.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let told = |text: String| Response::new(Full::from(text));
    let mut moved = Response::new(Full::default());
    Ok(match (&parts.method, parts.uri.path()) {
        (&Method::POST, "/json") => {
            assert_eq!(field(header::CONTENT_TYPE), "application/json");
            let value: serde_json::Value = serde_json::from_str(&content).unwrap();
            told(serde_json::json!({ "n": value["n"].as_u64().unwrap() + 1 }).to_string())
        }
        (&Method::GET, "/query") => told(parts.uri.query().unwrap_or_default().to_owned()),
        (&Method::POST, "/form") => told(format!("{} {content}", field(header::CONTENT_TYPE))),
        (_, "/authorization") => told(field(header::AUTHORIZATION)),
        (_, "/moved") => {
            *moved.status_mut() = StatusCode::FOUND;
            moved.headers_mut().insert(header::LOCATION, "further?on".parse().unwrap());
            moved
        }
        (_, "/further") => {
            *moved.status_mut() = StatusCode::PERMANENT_REDIRECT;
            moved.headers_mut().insert(header::LOCATION, "/packed".parse().unwrap());
            moved
        }
        (_, "/packed") => {
            assert!(field(header::ACCEPT_ENCODING).contains("gzip"));
            let mut packed = GzEncoder::new(Vec::new(), Compression::default());
            packed.write_all("so it was here. ".repeat(3).trim_end().as_bytes()).unwrap();
            let mut response = Response::new(Full::from(packed.finish().unwrap()));
            response.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
            response
        }
        (_, "/visit") => {
            // Of the same length of path, in whatever order (RFC 6265 §5.4).
            let seen = field(header::COOKIE);
            let mut seen: Vec<_> = seen.split("; ").collect();
            seen.sort_unstable();
            let mut response = told(format!("seen with {seen:?}"));
            for cookie in ["visitor=17; Path=/; HttpOnly", "theme=teal", "other=1; Path=/elsewhere"] {
                response.headers_mut().append(header::SET_COOKIE, cookie.parse().unwrap());
            }
            response
        }
        (method, path) => panic!("{method} {path}"),
    })
}

#[tokio::test]
async fn what_is_asked_beside_the_protocol() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { Server::new().serve(listener, service_fn(answer)).await });
    let told = ask::ask(&origin).await.unwrap();
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        [
            "json: 21",
            "query: name=J%C3%BCrgen+%26+Co&page=2",
            "form: application/x-www-form-urlencoded name=a%2Bb&text=c+d",
            "basic: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "bearer: Bearer mF_9.B5f-4.1JqM",
            "redirects and decompression: so it was here. so it was here. so it was here.",
            "cookies: seen with [\"theme=teal\", \"visitor=17\"]",
        ]
    );
}
