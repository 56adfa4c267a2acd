//! Targets as browsers write them, from a service to a service, on either adapter.

use std::convert::Infallible;
use std::io::{Read, Write};

use http::{Request, Response};
use http_core::Config;
use http_driver::client::Builder;
use http_driver::server::Server;
use http_driver::{Full, Incoming};

use crate::sockets::Outcome;
use crate::sockets::clients::{Networked, content};
use crate::sockets::site::Site;
use crate::sockets::strangers::{dial, stranger};
use crate::sockets::world::World;

/// What a browser sends, and what comes of it where RFC 3986 counts.
const PAIRS: [(&str, &str); 4] = [
    ("/?a[]=1&b=x|y", "/?a%5B%5D=1&b=x%7Cy"),
    ("/[a]|^?`{b}\\^", "/%5Ba%5D%7C%5E?%60%7Bb%7D%5C%5E"),
    ("/%5B[?%7C|", "/%5B%5B?%7C%7C"),
    ("/a?b=c'd", "/a?b=c'd"),
];

async fn tell(request: Request<Incoming>) -> Result<Response<Full>, Infallible> {
    Ok(Response::new(Full::from(request.uri().to_string())))
}

/// What a stranger is answered who asks for this target.
async fn asked<W: World>(world: &W, address: std::net::SocketAddr, target: &[u8]) -> String {
    let wire = [b"GET ", target, b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"].concat();
    stranger(world, move || {
        let mut stream = dial(address);
        stream.write_all(&wire).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    })
    .await
}

/// A service is told the target as it came; a strict one is not asked.
async fn s17_a_service_is_told_the_target_of_a_browser<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let lenient = site.serve(Server::on(site.world.runtime()), tell).await?;
    let strict = site.serve(Server::on(site.world.runtime()).config(Config::strict()), tell).await?;
    for (target, encoded) in PAIRS {
        let answer = asked(&site.world, lenient.address, target.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(&format!("\r\n\r\n{target}")), "{answer}");
        let answer = asked(&site.world, strict.address, target.as_bytes()).await;
        assert_eq!(answer.starts_with("HTTP/1.1 400 "), target != encoded, "{answer}");
    }
    // Neither takes what browsers encode.
    for target in [&b"/\xc3\xa9"[..], b"/?\xe9", b"/\"", b"/a\\b", b"/{}", b"/?<", b"/#"] {
        for address in [lenient.address, strict.address] {
            let answer = asked(&site.world, address, target).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{}: {answer}", target.escape_ascii());
        }
    }
    Ok(())
}

/// A client asks for what the http crate takes, and sends what everybody takes.
async fn s17_a_client_asks_for_the_url_of_a_browser<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let strict = site.serve(Server::on(site.world.runtime()).config(Config::strict()), tell).await?;
    let client = site.client(Builder::new());
    for (target, encoded) in PAIRS {
        let request = Request::get(site.uri(strict.address, target)).body(Full::default())?;
        assert_eq!(content(client.request(request).await?.into_body()).await?, encoded.as_bytes(), "{target}");
    }
    Ok(())
}

/// A service that asks another one for the same target passes it on.
async fn s17_a_proxy_in_a_service_passes_the_target_on<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let strict = site.serve(Server::on(site.world.runtime()).config(Config::strict()), tell).await?;
    let (client, origin) = (site.client(Builder::new()), site.uri(strict.address, ""));
    let proxy = move |request: Request<Incoming>| {
        let uri = format!("{origin}{}", request.uri());
        let onward = client.request(Request::get(uri).body(Full::default()).unwrap());
        async move {
            let told = content(onward.await.unwrap().into_body()).await.unwrap();
            Ok::<_, Infallible>(Response::new(Full::from(told)))
        }
    };
    let proxy = site.serve(Server::on(site.world.runtime()), proxy).await?;
    for (target, encoded) in PAIRS {
        let answer = asked(&site.world, proxy.address, target.as_bytes()).await;
        assert!(answer.ends_with(&format!("\r\n\r\n{encoded}")), "{answer}");
    }
    Ok(())
}

on_both! {
    s17_a_service_is_told_the_target_of_a_browser
    s17_a_client_asks_for_the_url_of_a_browser
    s17_a_proxy_in_a_service_passes_the_target_on
}
