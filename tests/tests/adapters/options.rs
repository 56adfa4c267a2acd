//! What a client, and one request of it, can be told, on either adapter; and how a client begins and ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_core::Config;
use http_core::dispatch::{Circuit, Refused, RequestPhase, Why};
use http_driver::client::{Builder, Client, Connector, RequestOptions};
use http_driver::server::Server;
use http_driver::{Full, Incoming, Peer, Runtime, service_fn};

use crate::sockets::Outcome;
use crate::sockets::clients::{alone, begun, content, get};
use crate::sockets::servers::routes_server;
use crate::sockets::strangers::anywhere;
use crate::sockets::world::World;

/// Well below the deadlines that it must not come to.
const AT_ONCE: Duration = Duration::from_millis(2500);
const SHORT: Duration = Duration::from_millis(150);

/// A server that tells the paths it was asked for, in order, and waits before it answers `/slow`, and longer for
/// `/stuck`.
async fn server<W: World>(world: &W) -> Result<(SocketAddr, Arc<Mutex<Vec<String>>>), std::io::Error> {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (keep, sleeper) = (asked.clone(), world.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let path = request.uri().path().to_owned();
        keep.lock().unwrap().push(path.clone());
        let world = sleeper.clone();
        async move {
            match path.as_str() {
                "/slow" => world.sleep(SHORT).await,
                "/stuck" => world.sleep(Duration::from_secs(60)).await,
                _ => {}
            }
            let busy = path == "/busy";
            let mut response = Response::new(Full::from(path));
            if busy {
                *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
                response.headers_mut().insert("retry-after", http::HeaderValue::from_static("0"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let serving = Server::on(world.runtime()).serve(listener, service);
    world.runtime().spawn(async move {
        let _ = serving.await;
    });
    Ok((address, asked))
}

fn with(mut request: Request<Full>, options: RequestOptions) -> Request<Full> {
    request.extensions_mut().insert(options);
    request
}

/// Sends a request and reads all of its answer.
async fn told<C, R>(
    client: &Client<C, R>,
    request: Request<Full>,
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    Ok(content(client.request(request).await?.into_body()).await?)
}

async fn a_request_has_a_timeout_of_its_own<W: World>(world: W) -> Outcome {
    let (address, _) = server(&world).await?;
    let client = Builder::new().timeout(Duration::from_secs(50)).build(world.connector(), world.runtime());
    let began = Instant::now();
    for options in [
        RequestOptions::new().timeout(SHORT),
        RequestOptions::new().deadline(began + 2 * SHORT),
        RequestOptions::new().response_timeout(SHORT).retries(0),
    ] {
        let error = client.request(with(get(address, "/stuck"), options.clone())).await.unwrap_err();
        assert!(error.is_timeout() && error.phase() == RequestPhase::Head, "{options:?}: {error}");
        assert!(!error.is_closed() && !error.is_connect() && error.is_safe_to_repeat());
    }
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    // The next one on the connection has what all have.
    let quick = RequestOptions::new().response_timeout(SHORT / 3);
    assert_eq!(told(&client, with(get(address, "/quick"), quick)).await?, b"/quick");
    assert_eq!(told(&client, get(address, "/slow")).await?, b"/slow");
    Ok(())
}

async fn requests_of_a_higher_priority_overtake<W: World>(world: W) -> Outcome {
    let (address, asked) = server(&world).await?;
    let client = Builder::new().max_connections_per_host(1).build(world.connector(), world.runtime());
    let first = alone(&world, client.request(get(address, "/slow")));
    while asked.lock().unwrap().is_empty() {
        world.sleep(Duration::from_millis(1)).await;
    }
    let usual = alone(&world, client.request(get(address, "/usual")));
    let urgent = alone(&world, client.request(with(get(address, "/urgent"), RequestOptions::new().priority(200))));
    let lazy = alone(&world, client.request(with(get(address, "/lazy"), RequestOptions::new().priority(1))));
    for response in [first, urgent, usual, lazy] {
        content(response.await?.into_body()).await?;
    }
    assert_eq!(*asked.lock().unwrap(), ["/slow", "/urgent", "/usual", "/lazy"]);
    Ok(())
}

/// A server that ends each connection after it has read something of it; how many there were.
fn dropper() -> Result<(SocketAddr, Arc<AtomicUsize>), std::io::Error> {
    let listener = std::net::TcpListener::bind(anywhere())?;
    let address = listener.local_addr()?;
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    Ok((address, seen))
}

async fn a_request_says_whether_it_is_sent_again<W: World>(world: W) -> Outcome {
    let (address, seen) = dropper()?;
    let wait = http_core::dispatch::Backoff::new(Duration::from_millis(1), Duration::from_millis(2));
    let client = Builder::new().retries(2).connect_retries(9).backoff(wait).build(world.connector(), world.runtime());
    let post = || Request::post(format!("http://{address}/")).body(Full::from("content")).unwrap();
    let mut before = 0;
    for (request, sent) in [
        (get(address, "/"), 3),
        (with(get(address, "/"), RequestOptions::new().retries(0)), 1),
        (with(get(address, "/"), RequestOptions::new().idempotent(false)), 1),
        (post(), 1),
        (with(post(), RequestOptions::new().idempotent(true)), 3),
        (with(post(), RequestOptions::new().idempotent(true).retries(1)), 2),
    ] {
        let what = format!("{request:?}");
        let error = client.request(request).await.unwrap_err();
        assert!(error.is_closed() && !error.is_timeout() && !error.is_dns() && !error.is_request(), "{what}: {error}");
        assert_eq!(seen.load(Ordering::SeqCst) - before, sent, "{what}");
        before += sent;
    }
    assert_eq!(client.counts().failed, 6);
    Ok(())
}

async fn a_busy_origin_is_asked_again_where_that_is_wanted<W: World>(world: W) -> Outcome {
    let (address, asked) = server(&world).await?;
    let client = Builder::new().retries(2).build(world.connector(), world.runtime());
    assert_eq!(client.request(get(address, "/busy")).await?.status(), 503);
    assert_eq!(asked.lock().unwrap().len(), 1);
    let options = RequestOptions::new().retry_after(Duration::from_secs(1));
    assert_eq!(client.request(with(get(address, "/busy"), options)).await?.status(), 503);
    assert_eq!(asked.lock().unwrap().len(), 4, "once, and two retries");
    let patient = Builder::new().retries(1).retry_after(Duration::from_secs(1));
    let patient = patient.build(world.connector(), world.runtime());
    assert_eq!(patient.request(get(address, "/busy")).await?.status(), 503);
    assert_eq!(asked.lock().unwrap().len(), 6);
    Ok(())
}

async fn a_request_waits_for_a_connection_of_its_own_making<W: World>(world: W) -> Outcome {
    let (address, _) = server(&world).await?;
    let client = Builder::new().connection_info(true).build(world.connector(), world.runtime());
    let local = async |request| {
        let response = client.request(request).await?;
        let peer = response.extensions().get::<Peer>().cloned().ok_or("no peer is told")?;
        assert_eq!(peer.address, Some(address));
        content(response.into_body()).await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(peer.local)
    };
    let first = local(get(address, "/")).await?;
    assert_eq!(local(get(address, "/")).await?, first, "the same connection");
    let fresh = RequestOptions::new().fresh_connection(true);
    assert_ne!(local(with(get(address, "/"), fresh)).await?, first, "another one");
    // Without being asked, a client tells nothing.
    let quiet = Builder::new().build(world.connector(), world.runtime());
    assert!(quiet.request(get(address, "/")).await?.extensions().get::<Peer>().is_none());
    Ok(())
}

/// More at a time than connections are kept for long, again and again, on the connections of the first time; where none
/// is to be kept beyond that, all but those are made anew.
async fn a_burst_finds_the_connections_of_the_last_one<W: World>(world: W) -> Outcome {
    let (address, _) = server(&world).await?;
    let seen = async |builder: Builder| {
        let client = builder.pool_max_idle_per_host(4).connection_info(true);
        let client = client.build(world.connector(), world.runtime());
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..5 {
            let all = (0..20).map(|_| async {
                // So that all are on their way at the same time.
                let response = client.request(get(address, "/slow")).await?;
                let local = response.extensions().get::<Peer>().and_then(|peer| peer.local);
                content(response.into_body()).await?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(local)
            });
            for local in futures_util::future::join_all(all).await {
                seen.insert(local?);
            }
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>((seen.len(), client.counts().idle))
    };
    assert_eq!(seen(Builder::new().pool_surplus_timeout(Duration::MAX)).await?, (20, 20));
    let (connections, idle) = seen(Builder::new().pool_surplus_timeout(Duration::ZERO)).await?;
    assert!(connections > 20 && idle <= 4, "{connections} were made, {idle} are kept");
    Ok(())
}

async fn connections_are_renewed_by_number_and_age<W: World>(world: W) -> Outcome {
    let (address, _) = server(&world).await?;
    let renewed = async |builder: Builder, request: fn(SocketAddr) -> Request<Full>| {
        let client = builder.connection_info(true).build(world.connector(), world.runtime());
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..4 {
            let response = client.request(request(address)).await?;
            seen.insert(response.extensions().get::<Peer>().and_then(|peer| peer.local));
            content(response.into_body()).await?;
            world.sleep(Duration::from_millis(5)).await;
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(seen.len())
    };
    let post = |address| Request::post(format!("http://{address}/")).body(Full::from("x")).unwrap();
    assert_eq!(renewed(Builder::new(), |address| get(address, "/")).await?, 1);
    assert_eq!(renewed(Builder::new().max_requests_per_connection(2), |address| get(address, "/")).await?, 2);
    assert_eq!(
        renewed(Builder::new().pool_max_lifetime(Duration::from_millis(1)), |address| get(address, "/")).await?,
        4
    );
    assert_eq!(
        renewed(Builder::new().pool_idle_timeout(Duration::from_millis(1)), |address| get(address, "/")).await?,
        4
    );
    let fresh = Builder::new().fresh_after_idle(Duration::from_millis(1));
    assert_eq!(renewed(fresh.clone(), |address| get(address, "/")).await?, 1, "a GET can be repeated");
    assert_eq!(renewed(fresh, post).await?, 4);
    Ok(())
}

async fn a_connection_is_made_beforehand<W: World>(world: W) -> Outcome {
    let address = routes_server(&world, Config::default()).await?;
    let builder = Builder::new().max_connections_per_host(2).max_connections(2);
    let client = builder.build(world.connector(), world.runtime());
    let uri = format!("http://{address}/").parse()?;
    assert!(client.connect(&uri) && client.connect(&uri));
    assert!(!client.connect(&uri), "more than allowed");
    assert!(!client.connect(&"/nowhere".parse()?));
    while client.counts().idle < 2 {
        world.sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(told(&client, get(address, "/a")).await?, b"GET /a\n");
    let counts = client.counts();
    assert_eq!((counts.connections, counts.answered, counts.queued, counts.origins), (2, 1, 0, 1));
    Ok(())
}

async fn a_circuit_opens_for_an_origin_that_fails<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    drop(listener);
    let builder = Builder::new().connect_retries(0).circuit(Circuit::new(2, Duration::from_secs(60)));
    let client = builder.build(world.connector(), world.runtime());
    for why in [Why::OriginSpent, Why::OriginSpent, Why::CircuitOpen] {
        let error = client.request(get(address, "/")).await.unwrap_err();
        assert_eq!(error.failure().map(|failure| failure.why), Some(why));
        assert!(error.is_connect() && error.into_request().is_some());
    }
    Ok(())
}

async fn a_client_that_shuts_down_answers_what_it_has<W: World>(world: W) -> Outcome {
    let (address, _) = server(&world).await?;
    let client = Builder::new().max_connections_per_host(1).build(world.connector(), world.runtime());
    told(&client, get(address, "/before")).await?;
    let open = ["/slow", "/waits"].map(|path| begun(client.request(get(address, path))));
    let shutdown = client.shutdown();
    let refused = client.clone().request(get(address, "/late")).await.unwrap_err();
    assert_eq!(refused.refused_by_client(), Some(Refused::Draining));
    assert!(refused.is_safe_to_repeat() && refused.into_request().is_some());
    let ended = Arc::new(Mutex::new(None));
    let keep = ended.clone();
    world.runtime().spawn(async move {
        let drained = shutdown.finish(Duration::from_secs(30)).await;
        *keep.lock().unwrap() = Some(drained);
    });
    for (response, path) in open.into_iter().zip(["/slow", "/waits"]) {
        assert_eq!(content(response.await?.into_body()).await?, path.as_bytes());
    }
    let drained = loop {
        if let Some(drained) = *ended.lock().unwrap() {
            break drained;
        }
        world.sleep(Duration::from_millis(1)).await;
    };
    assert_eq!((drained.answered, drained.failed, drained.cut), (2, 0, 0));
    assert_eq!(client.connections(), 0);
    Ok(())
}

async fn a_shutdown_of_a_client_cuts_what_takes_too_long<W: World>(world: W) -> Outcome {
    let (address, _) = server(&world).await?;
    let client = Builder::new().max_connections_per_host(1).build(world.connector(), world.runtime());
    let [stuck, waiting] = ["/stuck", "/waits"].map(|path| begun(client.request(get(address, path))));
    let began = Instant::now();
    let drained = client.shutdown().finish(SHORT).await;
    assert!(began.elapsed() < AT_ONCE);
    assert_eq!((drained.answered, drained.cut), (0, 2));
    for response in [stuck, waiting] {
        let error = response.await.unwrap_err();
        assert_eq!(error.refused_by_client(), Some(Refused::Draining));
    }
    while client.connections() > 0 {
        world.sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// Content without end, of which there is always more.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 16 * 1024])))))
    }
}

async fn a_peer_that_takes_nothing_is_given_up<W: World>(world: W) -> Outcome {
    let listener = std::net::TcpListener::bind(anywhere())?;
    let address = listener.local_addr()?;
    let client = Builder::new().write_timeout(SHORT).build(world.connector(), world.runtime());
    let began = Instant::now();
    let error = client.request(Request::put(format!("http://{address}/")).body(Endless)?).await.unwrap_err();
    assert!(error.is_timeout() && error.phase() == RequestPhase::Write, "{error}");
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    Ok(())
}

on_both! {
    a_request_has_a_timeout_of_its_own
    requests_of_a_higher_priority_overtake
    a_request_says_whether_it_is_sent_again
    a_busy_origin_is_asked_again_where_that_is_wanted
    a_request_waits_for_a_connection_of_its_own_making
    a_burst_finds_the_connections_of_the_last_one
    connections_are_renewed_by_number_and_age
    a_connection_is_made_beforehand
    a_circuit_opens_for_an_origin_that_fails
    a_client_that_shuts_down_answers_what_it_has
    a_shutdown_of_a_client_cuts_what_takes_too_long
    a_peer_that_takes_nothing_is_given_up
}
