//! Spans of exchanges and connections, as a subscriber sees them.

use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use http::Request;
use http_driver::Full;
use http_driver::client::Builder;
use http_driver::server::Options;
use tracing::{Instrument, Level, info_span};

use crate::by_hand;
use crate::collected::{Kept, collected};
use crate::service;
use crate::sockets::clients::{client, content, get};
use crate::sockets::servers::{Running, server};
use crate::sockets::strangers::{anywhere, dial, head, stranger};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

const SERVER: &str = "http_driver::server";
const CLIENT: &str = "http_driver::client";

/// A server of the routes.
async fn serving<W: World>(world: &W) -> std::io::Result<Running> {
    collected();
    let served = world.clone();
    Running::start(world, server(world), move |request| service(served.clone(), request)).await
}

/// The only span of a request that has this address, when it is closed.
async fn closed<W: World>(world: &W, target: &str, address: SocketAddr) -> (u64, Kept) {
    let port = address.port().to_string();
    let found = || collected().lock().unwrap().requests(target, "server.port", &port);
    eventually(world, "the span is closed", || {
        let found = found();
        !found.is_empty() && found.iter().all(|(_, span)| span.closed)
    })
    .await;
    let mut found = found();
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

async fn spans_say_what_opentelemetry_names<W: World>(world: W) -> Outcome {
    let running = serving(&world).await?;
    let port = running.address.port();
    let outer = info_span!("outer", port);
    let request = Request::post(format!("http://somebody:secret@127.0.0.1:{port}/a/echo?token=secret"))
        .header("authorization", "Bearer secret")
        .header("cookie", "id=secret")
        .body(Full::from("secret"))?;
    let client = client(&world);
    async {
        let response = client.request(request).await?;
        content(response.into_body()).await?;
        Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    }
    .instrument(outer)
    .await?;
    let (_, served) = closed(&world, SERVER, running.address).await;
    let (_, asked) = closed(&world, CLIENT, running.address).await;
    let port = port.to_string();
    let check = |span: &Kept, rows: &[(&str, Option<&str>)]| {
        assert_eq!(span.level, Level::INFO);
        for (field, expected) in rows {
            assert_eq!(span.get(field), *expected, "{field} of {span:#?}");
        }
    };
    let both = [
        ("otel.name", Some("POST")),
        ("http.request.method", Some("POST")),
        ("server.address", Some("127.0.0.1")),
        ("server.port", Some(&*port)),
        ("network.protocol.version", Some("1.1")),
        ("http.response.status_code", Some("200")),
        ("http.request.body.size", Some("6")),
        ("http.response.body.size", Some("6")),
        ("error.type", None),
        ("otel.status_code", None),
    ];
    check(&served, &both);
    check(&asked, &both);
    check(&served, &[("otel.kind", Some("server")), ("url.path", Some("/a/echo")), ("url.scheme", Some("http"))]);
    check(&served, &[("client.address", Some("127.0.0.1"))]);
    let full = format!("http://127.0.0.1:{port}/a/echo");
    check(&asked, &[("otel.kind", Some("client")), ("url.full", Some(&*full)), ("http.request.resend_count", None)]);
    let told = collected().lock().unwrap();
    assert_eq!(served.parent, None);
    assert_eq!(asked.parent.and_then(|parent| told.spans.get(&parent)).map(|span| span.name), Some("outer"));
    for kept in told.spans.values().chain(&told.events).filter(|kept| kept.target.starts_with("http_driver")) {
        assert!(kept.fields.values().all(|value| !value.contains("secret")), "{kept:#?}");
    }
    Ok(())
}

async fn what_the_application_tells_is_within_the_exchange<W: World>(world: W) -> Outcome {
    let running = serving(&world).await?;
    let response = client(&world).request(get(running.address, "/event")).await?;
    content(response.into_body()).await?;
    let (id, _) = closed(&world, SERVER, running.address).await;
    let events = collected().lock().unwrap().events(id);
    let own: Vec<_> = events.iter().filter(|event| event.get("message").is_some()).collect();
    assert_eq!(own.len(), 1, "{events:#?}");
    assert_eq!(own[0].get("message"), Some("an event of the application"));
    Ok(())
}

async fn a_span_of_a_client_lasts_until_the_content_ends<W: World>(world: W) -> Outcome {
    let running = serving(&world).await?;
    let response = client(&world).request(get(running.address, "/much")).await?;
    let port = running.address.port().to_string();
    let found = collected().lock().unwrap().requests(CLIENT, "server.port", &port);
    assert!(!found[0].1.closed);
    assert_eq!(content(response.into_body()).await?.len(), 64 * 65_536);
    let (_, span) = closed(&world, CLIENT, running.address).await;
    assert_eq!(span.get("http.response.body.size"), Some("4194304"));
    Ok(())
}

async fn the_parent_is_who_made_the_request_if_nobody_polls_it_within_a_span<W: World>(world: W) -> Outcome {
    let running = serving(&world).await?;
    let client = client(&world);
    let future = info_span!("maker").in_scope(|| client.request(get(running.address, "/fine")));
    let response = future.await?;
    content(response.into_body()).await?;
    let (_, span) = closed(&world, CLIENT, running.address).await;
    let told = collected().lock().unwrap();
    assert_eq!(span.parent.and_then(|parent| told.spans.get(&parent)).map(|span| span.name), Some("maker"));
    Ok(())
}

async fn a_retry_is_an_event_with_its_rule<W: World>(world: W) -> Outcome {
    collected();
    let listener = TcpListener::bind(anywhere())?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        // Read, and not answered; the second time it is.
        let (stream, _) = listener.accept().unwrap();
        head(&stream);
        drop(stream);
        let (mut stream, _) = listener.accept().unwrap();
        head(&stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        let _ = stream.read(&mut [0]);
    });
    let mut backoff = http_core::dispatch::Backoff::default();
    backoff.initial = Duration::from_millis(5);
    let client = Builder::new().backoff(backoff).build(world.connector(), world.runtime());
    let response = client.request(get(address, "/")).await?;
    content(response.into_body()).await?;
    let (id, span) = closed(&world, CLIENT, address).await;
    assert_eq!(span.get("http.request.resend_count"), Some("1"));
    assert_eq!((span.get("http.response.status_code"), span.get("error.type")), (Some("200"), None));
    let events = collected().lock().unwrap().events(id);
    let told: Vec<_> = events.iter().filter_map(|event| event.get("message")).collect();
    assert_eq!(told, ["sent again, for it is idempotent and no response came (RFC 9110 §9.2.2)"]);
    Ok(())
}

async fn what_fails_closes_its_span_with_a_word_for_it<W: World>(world: W) -> Outcome {
    let mut expected = vec![
        ("/none", None, Some("404")),
        ("/busy", Some("503"), Some("503")),
        ("/fails", Some("service_error"), Some("500")),
        ("/breaks", Some("body_error"), Some("connection_closed")),
        ("/panics", Some("panic"), Some("connection_closed")),
    ];
    for (path, theirs, ours) in expected.drain(..) {
        collected();
        let address = by_hand(&world, Options::default()).await?;
        let client = Builder::new().retries(0).build(world.connector(), world.runtime());
        if let Ok(response) = client.request(get(address, path)).await {
            let _ = content(response.into_body()).await;
        }
        let (_, served) = closed(&world, SERVER, address).await;
        let (_, asked) = closed(&world, CLIENT, address).await;
        assert_eq!(served.get("error.type"), theirs, "{path}: {served:#?}");
        assert_eq!(served.get("otel.status_code"), theirs.map(|_| "ERROR"), "{path}");
        let ours_is = asked.get("error.type");
        assert!(ours_is == ours || path == "/panics" && ours_is.is_some(), "{path}: {asked:#?}");
    }
    Ok(())
}

async fn what_is_dropped_closes_its_span<W: World>(world: W) -> Outcome {
    let running = serving(&world).await?;
    let client = client(&world);
    let mut waiting = client.request(get(running.address, "/waits"));
    assert!(Pin::new(&mut waiting).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    world.sleep(Duration::from_millis(20)).await;
    drop(waiting);
    let (_, asked) = closed(&world, CLIENT, running.address).await;
    assert_eq!(asked.get("error.type"), Some("cancelled"));
    Ok(())
}

async fn connections_are_spans_that_tell_phases_and_refusals<W: World>(world: W) -> Outcome {
    let running = serving(&world).await?;
    let address = running.address;
    let own = stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n").unwrap();
        let own = stream.local_addr().unwrap();
        crate::sockets::strangers::rest(&stream);
        own
    })
    .await;
    let port = own.port().to_string();
    let found = || {
        let told = collected().lock().unwrap();
        let is_it = |kept: &Kept| {
            kept.name == "HTTP connection" && kept.target == SERVER && kept.get("network.peer.port") == Some(&*port)
        };
        told.spans.iter().find(|(_, kept)| is_it(kept)).map(|(id, kept)| (*id, kept.clone()))
    };
    eventually(&world, "it is closed", || found().is_some_and(|(_, span)| span.closed)).await;
    let (id, span) = found().unwrap();
    assert_eq!((span.level, span.parent), (Level::DEBUG, None));
    let events = collected().lock().unwrap().events(id);
    let refused: Vec<_> = events.iter().filter(|event| event.level == Level::INFO).collect();
    assert_eq!(refused.len(), 1, "{events:#?}");
    assert_eq!(refused[0].get("rule"), Some("RFC 9112 §5.1"));
    assert_eq!(refused[0].get("http.response.status_code"), Some("400"));
    let phases: Vec<_> = events.iter().filter_map(|event| event.get("phase")).collect();
    assert!(phases.contains(&"writing") && phases.last() == Some(&"disconnected"), "{phases:?}");
    Ok(())
}

async fn making_a_connection_tells_its_phases<W: World>(world: W) -> Outcome {
    let running = serving(&world).await?;
    let uri = format!("http://localhost:{}/fine", running.address.port());
    let client = client(&world);
    content(client.request(Request::get(uri).body(Full::default())?).await?.into_body()).await?;
    let told = collected().lock().unwrap();
    let port = running.address.port().to_string();
    let is_it = |kept: &Kept| {
        kept.name == "HTTP connection" && kept.target == CLIENT && kept.get("server.port") == Some(&*port)
    };
    let (id, span) = told.spans.iter().find(|(_, kept)| is_it(kept)).expect("a span of the connection");
    assert_eq!(span.get("server.address"), Some("localhost"));
    let events = told.events(*id);
    let phases: Vec<_> = events.iter().filter_map(|event| event.get("phase")).collect();
    assert!(phases.len() > 2 && phases.contains(&"reading first line"), "{phases:?}");
    Ok(())
}

async fn a_body_of_a_request_is_read_within_the_span<W: World>(world: W) -> Outcome {
    let running = serving(&world).await?;
    let mut pieces = ["some", "more"].into_iter();
    let body = futures_util::stream::poll_fn(move |_| {
        tracing::info!("a piece is made");
        std::task::Poll::Ready(pieces.next())
    });
    let body = http_body_util::StreamBody::new(futures_util::StreamExt::map(body, |piece| {
        Ok::<_, std::convert::Infallible>(http_body::Frame::data(bytes::Bytes::from_static(piece.as_bytes())))
    }));
    let request = Request::post(format!("http://{}/echo", running.address)).body(body)?;
    content(client(&world).request(request).await?.into_body()).await?;
    let (id, _) = closed(&world, CLIENT, running.address).await;
    let events = collected().lock().unwrap().events(id);
    let made = events.iter().filter(|event| event.get("message") == Some("a piece is made"));
    assert_eq!(made.count(), 3, "{events:#?}");
    Ok(())
}

/// An application of axum with spans of its own, on ours.
#[test]
fn spans_of_an_axum_application_are_children_of_the_exchange() -> Outcome {
    use axum::Router;
    use axum::routing::get as routed;
    collected();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let handler = || async {
            tracing::info!("in the handler");
            async { "fine" }.instrument(info_span!("handler")).await
        };
        let app = Router::new()
            .route("/axum", routed(handler))
            .layer(tower_http::trace::TraceLayer::new_for_http().make_span_with(|_: &Request<_>| info_span!("layer")));
        let listener = tokio::net::TcpListener::bind(anywhere()).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { http_tokio::axum::serve(listener, app).await });
        let world = crate::sockets::on_tokio::Tokio;
        let response = client(&world).request(get(address, "/axum")).await?;
        assert_eq!(content(response.into_body()).await?, b"fine");
        let (id, _) = closed(&world, SERVER, address).await;
        let told = collected().lock().unwrap();
        let named = |name: &str, parent: u64| {
            let found = told.spans.iter().find(|(_, span)| span.name == name && span.parent == Some(parent));
            found.map(|(id, _)| *id).unwrap_or_else(|| panic!("no {name} in {parent}"))
        };
        let layer = named("layer", id);
        named("handler", layer);
        assert!(told.events(layer).iter().any(|event| event.get("message") == Some("in the handler")));
        Ok(())
    })
}

on_both! {
    spans_say_what_opentelemetry_names
    what_the_application_tells_is_within_the_exchange
    a_span_of_a_client_lasts_until_the_content_ends
    the_parent_is_who_made_the_request_if_nobody_polls_it_within_a_span
    a_retry_is_an_event_with_its_rule
    what_fails_closes_its_span_with_a_word_for_it
    what_is_dropped_closes_its_span
    connections_are_spans_that_tell_phases_and_refusals
    making_a_connection_tells_its_phases
    a_body_of_a_request_is_read_within_the_span
}
