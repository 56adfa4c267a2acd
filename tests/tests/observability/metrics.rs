//! Every exchange is counted once, however it ends, and what goes up comes down again.

use std::future::Future;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Request, Uri};
use http_core::dispatch::{Policy, Why};
use http_driver::client::{Builder, RequestOptions};
use http_driver::server::Options;
use http_driver::{Full, Incoming, Peer, Upgrade, service_fn};

use crate::measured::Measured;
use crate::sockets::bodies::Told;
use crate::sockets::clients::{ClientOf, content, get};
use crate::sockets::servers::{Running, server};
use crate::sockets::strangers::{anywhere, dial, head, stranger};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};
use crate::{by_hand, fine, service};

/// A client that is measured.
fn client<W: World>(world: &W, measured: &Measured, builder: Builder) -> ClientOf<W> {
    builder.metrics(measured.receiver()).build(world.connector(), world.runtime())
}

/// A server that is measured.
async fn serving<W: World>(world: &W, measured: &Measured) -> std::io::Result<Running> {
    let options = Options::default().metrics(measured.receiver());
    let served = world.clone();
    Running::start(world, server(world).options(options), move |request| service(served.clone(), request)).await
}

async fn each_exchange_is_counted_once_on_either_side<W: World>(world: W) -> Outcome {
    let (ours, theirs) = (Measured::default(), Measured::default());
    let running = serving(&world, &theirs).await?;
    let client = client(&world, &ours, Builder::new().retries(0));
    let address = running.address;
    for path in ["/fine", "/none", "/busy", "/fails"] {
        let response = client.request(get(address, path)).await?;
        content(response.into_body()).await?;
    }
    // Content that fails on the way, so that either side learns of it late.
    let response = client.request(get(address, "/breaks")).await?;
    assert!(content(response.into_body()).await.is_err());
    // It ends on a task of its own, beside what comes next.
    eventually(&world, "it is counted", || (ours.ended().len(), theirs.ended().len()) == (5, 5)).await;
    // Content both ways.
    let request =
        Request::post(format!("http://{address}/echo")).body(Told::pieces([vec![b'x'; 500], vec![b'y'; 501]]))?;
    let response = client.request(request).await?;
    assert_eq!(content(response.into_body()).await?.len(), 1001);
    eventually(&world, "all is counted", || (ours.ended().len(), theirs.ended().len()) == (6, 6)).await;
    let line = |line: &str| line.to_owned();
    let expected =
        ["GET 200 -", "GET 404 404", "GET 503 503", "GET 500 500", "GET 200 connection_closed", "POST 200 -"];
    assert_eq!(ours.lines(), expected.map(line));
    let expected =
        ["GET 200 -", "GET 404 -", "GET 503 503", "GET 500 service_error", "GET 200 body_error", "POST 200 -"];
    assert_eq!(theirs.lines(), expected.map(line));
    for measured in [&ours, &theirs] {
        let ended = measured.ended();
        let (fine, echo) = (&ended[0], &ended[5]);
        assert_eq!((fine.timings.request_content(), fine.timings.response_content()), (0, 4));
        assert_eq!((echo.timings.request_content(), echo.timings.response_content()), (1001, 1001));
        assert_eq!((fine.version, fine.facts.scheme()), (Some("1.1"), "http"));
        assert_eq!((fine.facts.server_address(), fine.facts.server_port()), (Some("127.0.0.1"), Some(address.port())));
        assert!(ended.iter().all(|ended| ended.timings.first_byte() <= Some(ended.duration)), "{ended:#?}");
        assert!(fine.timings.last_byte().is_some() && ended[4].timings.last_byte().is_none());
    }
    assert_eq!((ours.active(), theirs.active()), (0, 0));
    assert!(ours.open() >= 1 && theirs.open() >= 1);
    drop(client);
    eventually(&world, "the client has let go", || ours.is_at_rest()).await;
    running.shutdown.begin();
    eventually(&world, "the server has let go", || theirs.is_at_rest()).await;
    assert_eq!(ours.opened(), theirs.opened());
    Ok(())
}

async fn what_is_cancelled_or_cut_is_counted_as_well<W: World>(world: W) -> Outcome {
    let (ours, theirs) = (Measured::default(), Measured::default());
    let running = serving(&world, &theirs).await?;
    let client = client(&world, &ours, Builder::new().retries(0));
    let address = running.address;
    // By its time; by whoever waits for it; by the caller who has seen enough.
    let options = RequestOptions::new().timeout(Duration::from_millis(50));
    let late = Request::get(format!("http://{address}/waits")).extension(options).body(Full::default())?;
    assert!(client.request(late).await.unwrap_err().is_timeout());
    let mut waiting = client.request(get(address, "/waits"));
    assert!(Pin::new(&mut waiting).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    world.sleep(Duration::from_millis(20)).await;
    drop(waiting);
    let response = client.request(get(address, "/endless")).await?;
    drop(response);
    assert_eq!(ours.lines(), ["GET - timeout", "GET - cancelled", "GET 200 -"]);
    // Nobody is there; what was never queued is no exchange.
    let gone = std::net::TcpListener::bind(anywhere())?.local_addr()?;
    assert!(client.request(get(gone, "/")).await.is_err());
    assert!(client.request(Request::get("/nowhere").body(Full::default())?).await.is_err());
    assert_eq!(ours.lines()[3..], ["GET - connect_error"]);
    // A server that is cut in the middle.
    let cut = client.request(get(address, "/waits"));
    let shutdown = running.shutdown.clone();
    let before = theirs.begun();
    let (outcome, ()) = futures_util::future::join(cut, async {
        eventually(&world, "it has begun", || theirs.begun() > before).await;
        shutdown.cut();
    })
    .await;
    assert!(outcome.is_err());
    assert_eq!(ours.lines()[4..], ["GET - connection_closed"]);
    eventually(&world, "the server has let go", || theirs.is_at_rest()).await;
    let lines = theirs.lines();
    assert!(lines.iter().any(|line| line == "GET - shutdown"), "{lines:?}");
    // The others have lost their client before, and may wait for nobody.
    let ends = ["connection_closed", "io_error", "shutdown"];
    assert!(lines.iter().all(|line| ends.iter().any(|end| line.ends_with(end))), "{lines:?}");
    drop(client);
    eventually(&world, "the client has let go", || ours.is_at_rest()).await;
    Ok(())
}

async fn a_panic_of_a_service_ends_its_exchange<W: World>(world: W) -> Outcome {
    let theirs = Measured::default();
    let address = by_hand(&world, Options::default().metrics(theirs.receiver())).await?;
    stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(b"GET /panics HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let _ = (&stream).read(&mut [0; 64]);
    })
    .await;
    eventually(&world, "it has ended", || theirs.is_at_rest()).await;
    assert_eq!(theirs.lines(), ["GET - panic"]);
    Ok(())
}

/// A server that closes each kept connection when it has answered once, or `Then` never answers the first of all.
fn forgetful(connections: usize) -> std::io::Result<std::net::SocketAddr> {
    let listener = TcpListener::bind(anywhere())?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for number in 0..connections {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let answers = if number == 0 { 1 } else { 2 };
            for _ in 0..answers {
                head(&stream);
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
            }
            if number == 0 {
                // The next one is read, and not answered.
                head(&stream);
            }
        }
    });
    Ok(address)
}

async fn a_retry_is_told_and_the_exchange_counted_once<W: World>(world: W) -> Outcome {
    for pipelines in [1, 4] {
        let ours = Measured::default();
        let address = forgetful(2)?;
        let builder = Builder::new().policy(Policy::default().pipeline_depth(pipelines));
        let client = client(&world, &ours, builder);
        for _ in 0..2 {
            let response = client.request(get(address, "/")).await?;
            assert_eq!(content(response.into_body()).await?, b"ok");
        }
        eventually(&world, "all is counted", || ours.ended().len() == 2).await;
        assert_eq!(ours.lines(), ["GET 200 -", "GET 200 -"]);
        assert_eq!(ours.retried(), [Why::NoResponse], "{pipelines}");
        let second = ours.ended()[1].timings;
        assert_eq!((second.resends(), second.reused(), second.response_content()), (1, false, 2));
        drop(client);
        eventually(&world, "the client has let go", || ours.is_at_rest()).await;
    }
    Ok(())
}

async fn pipelined_requests_and_those_of_a_body_that_follows_are_counted_once<W: World>(world: W) -> Outcome {
    let (ours, theirs) = (Measured::default(), Measured::default());
    let running = serving(&world, &theirs).await?;
    let address = running.address;
    let builder = Builder::new().policy(Policy::default().pipeline_depth(4).connections_per_origin(1));
    let client = client(&world, &ours, builder);
    let all = (0..20).map(|n| {
        let client = client.clone();
        async move {
            let response = client.request(get(address, if n % 5 == 0 { "/slow" } else { "/fine" })).await?;
            content(response.into_body()).await?;
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        }
    });
    for outcome in futures_util::future::join_all(all).await {
        outcome?;
    }
    eventually(&world, "all is counted", || (ours.ended().len(), theirs.ended().len()) == (20, 20)).await;
    assert!(ours.lines().iter().chain(&theirs.lines()).all(|line| line == "GET 200 -"));
    drop(client);
    running.shutdown.begin();
    eventually(&world, "all have let go", || ours.is_at_rest() && theirs.is_at_rest()).await;
    Ok(())
}

async fn futures_that_are_dropped_at_any_poll_leave_nothing_behind<W: World>(world: W) -> Outcome {
    let (ours, theirs) = (Measured::default(), Measured::default());
    let running = serving(&world, &theirs).await?;
    let client = client(&world, &ours, Builder::new());
    let mut begun = 0;
    for path in ["/fine", "/echo", "/much", "/slow", "/endless"] {
        for polls in 1..12 {
            let uri: Uri = format!("http://{}{path}", running.address).parse()?;
            let request = Request::post(uri).body(Told::pieces(["some", "more"]))?;
            let mut future = Box::pin(async {
                let response = client.request(request).await?;
                content(response.into_body()).await?;
                Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
            });
            begun += 1;
            for _ in 0..polls {
                let polled = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
                if polled.is_ready() {
                    break;
                }
                world.sleep(Duration::from_micros(300)).await;
            }
            drop(future);
            assert_eq!(ours.begun(), begun);
        }
    }
    eventually(&world, "no request goes on", || ours.active() == 0).await;
    drop(client);
    eventually(&world, "the client has let go", || ours.is_at_rest()).await;
    running.shutdown.cut();
    eventually(&world, "the server has let go", || theirs.is_at_rest()).await;
    assert_eq!(ours.ended().len() as i64, begun);
    Ok(())
}

async fn servers_that_are_dropped_at_any_poll_leave_nothing_behind<W: World>(world: W) -> Outcome {
    let theirs = Measured::default();
    let server = server(&world).options(Options::default().metrics(theirs.receiver()));
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    for path in ["/fine", "/slow", "/much", "/echo"] {
        for polls in 0..10 {
            let stream = dial(address);
            let accepted = world.accept(&listener).await?;
            let text = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nsom");
            (&stream).write_all(text.as_bytes())?;
            let served = world.clone();
            let make = move |_: &W::Stream, _: &Peer| {
                Some(service_fn(move |request: Request<Incoming>| service(served.clone(), request)))
            };
            let mut serving = Box::pin(server.serve_transport(accepted, make));
            for poll in 0..polls {
                if std::future::poll_fn(|cx| Poll::Ready(serving.as_mut().poll(cx))).await.is_ready() {
                    break;
                }
                if poll == 5 {
                    (&stream).write_all(b"ome")?;
                }
                world.sleep(Duration::from_micros(500)).await;
            }
            drop(serving);
            assert!(theirs.is_at_rest(), "{path} {polls}");
        }
    }
    assert!(theirs.ended().len() > 20);
    Ok(())
}

async fn a_tunnel_ends_its_exchange_and_counts_as_a_connection<W: World>(world: W) -> Outcome {
    let (ours, theirs) = (Measured::default(), Measured::default());
    let options = Options::default().metrics(theirs.receiver());
    let running =
        Running::start(&world, server(&world).options(options), |mut request: Request<Incoming>| async move {
            let upgrade = request.extensions_mut().remove::<Upgrade>().ok_or("no hand-over")?;
            let mut response = http::Response::new(Full::default());
            *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
            response.headers_mut().insert("upgrade", http::HeaderValue::from_static("echo"));
            // Whoever waits for the hand-over holds what comes of it.
            drop(upgrade);
            Ok::<_, &'static str>(response)
        });
    let running = running.await?;
    let client = client(&world, &ours, Builder::new());
    let mut request = get(running.address, "/");
    request.headers_mut().insert("connection", http::HeaderValue::from_static("upgrade"));
    request.headers_mut().insert("upgrade", http::HeaderValue::from_static("echo"));
    let mut response = client.request(request).await?;
    let tunnel = response.extensions_mut().remove::<Upgrade>().ok_or("no hand-over")?.await?;
    eventually(&world, "both have ended", || (ours.active(), theirs.active()) == (0, 0)).await;
    assert_eq!((ours.lines(), theirs.lines()), (vec!["GET 101 -".to_owned()], vec!["GET 101 -".to_owned()]));
    drop(tunnel);
    eventually(&world, "both have let go", || ours.is_at_rest() && theirs.is_at_rest()).await;
    Ok(())
}

async fn metrics_and_incidents_are_told_side_by_side<W: World>(world: W) -> Outcome {
    let (theirs, incidents) = (Measured::default(), std::sync::Arc::new(std::sync::Mutex::new(Vec::new())));
    let told = incidents.clone();
    let options = Options::default()
        .metrics(theirs.receiver())
        .observe(move |incident| told.lock().unwrap().push(incident.to_string()));
    let running = Running::start(&world, server(&world).options(options), fine()).await?;
    let address = running.address;
    stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n").unwrap();
        crate::sockets::strangers::rest(&stream);
    })
    .await;
    eventually(&world, "all have let go", || theirs.is_at_rest()).await;
    // What was answered without the service is an incident, and no request.
    assert_eq!((theirs.lines(), incidents.lock().unwrap().len()), (vec!["GET 200 -".to_owned()], 1));
    Ok(())
}

on_both! {
    each_exchange_is_counted_once_on_either_side
    what_is_cancelled_or_cut_is_counted_as_well
    a_panic_of_a_service_ends_its_exchange
    a_retry_is_told_and_the_exchange_counted_once
    pipelined_requests_and_those_of_a_body_that_follows_are_counted_once
    futures_that_are_dropped_at_any_poll_leave_nothing_behind
    servers_that_are_dropped_at_any_poll_leave_nothing_behind
    a_tunnel_ends_its_exchange_and_counts_as_a_connection
    metrics_and_incidents_are_told_side_by_side
}
