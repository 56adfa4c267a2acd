//! Requests through a proxy that kills, resets, stalls, halves, delays and cuts connections wherever chance has it: on
//! either adapter, in plain and over TLS, every request has one outcome, none takes effect twice that must not, and
//! nothing is left over.
//!
//! `CHAOS_SEED` repeats a run as far as the clock allows, `CHAOS_REQUESTS` sets how many requests there are,
//! `CHAOS_DEPTH` how many follow each other on a connection before they are answered.

#[macro_use]
#[path = "../sockets/mod.rs"]
mod sockets;

mod awake;
mod crowd;
mod hostile;
mod others;
mod peers;
mod proxy;
mod random;
mod request;
mod runtimes;
mod whim;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_core::Config;
use http_core::dispatch::{Backoff, Policy, Why};
use http_driver::Incoming;
use http_driver::client::{Builder, Client};

use crowd::crowd;
use proxy::Proxy;
use request::{Kind, Pieces, content_of};
use sockets::clients::{NetworkOf, Networked, content};
use sockets::servers::{Running, server};
use sockets::site::Site;
use sockets::within;
use sockets::world::World;

/// Requests at a time.
const WORKERS: usize = 48;

type ClientOf<W> = Client<NetworkOf<W>, <W as World>::Runtime>;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// How often each request took effect.
type Effects = Arc<Mutex<BTreeMap<u64, u32>>>;

/// A server that notes what took effect: a request whose content came in full.
async fn origin<W: Networked>(site: &Site<W>, effects: Effects) -> std::io::Result<Running> {
    let mut config = Config::default();
    config.timeouts.head = Duration::from_millis(800);
    config.timeouts.content = Duration::from_millis(800);
    config.timeouts.idle = Duration::from_secs(2);
    config.timeouts.linger = Duration::from_millis(200);
    // Connections end now and then, so that new ones are made, and meet their fate.
    config.persistence.requests = Some(12);
    let service = move |request: Request<Incoming>| {
        let effects = effects.clone();
        async move {
            let id: u64 = request.uri().path().trim_start_matches('/').parse().expect("a number");
            let sends_content = request.method() != http::Method::GET;
            let content = content(request.into_body()).await?;
            assert!(!sends_content || content == content_of(id), "request {id} came as another one");
            *effects.lock().unwrap().entry(id).or_default() += 1;
            Ok::<_, http_driver::Error>(Response::new(Pieces::of(id, id % 3 > 0)))
        }
    };
    // A handshake that stalls is no connection yet.
    let server = server(&site.world).config(config).handshake_timeout(Duration::from_millis(800));
    site.serve(server, service).await
}

fn client<W: Networked>(site: &Site<W>) -> ClientOf<W> {
    let policy = Policy::default()
        .request_retries(7)
        .connect_retries(30)
        .backoff(Backoff::new(Duration::from_millis(5), Duration::from_millis(100)))
        .retry_budget(None)
        .pipeline_depth(setting("CHAOS_DEPTH").unwrap_or(1) as usize)
        .connections_per_origin(16)
        .idle_timeout(Duration::from_millis(500));
    let builder = Builder::new()
        .policy(policy)
        .response_timeout(Duration::from_millis(800))
        .read_timeout(Duration::from_millis(800))
        .timeout(Duration::from_secs(60));
    site.over(builder, site.network().tls_timeout(Duration::from_millis(800)))
}

/// What came of the requests.
#[derive(Default, Debug)]
struct Tally {
    answered: AtomicUsize,
    cut_short: AtomicUsize,
    failed: AtomicUsize,
    said_safe: AtomicUsize,
}

fn note(count: &AtomicUsize) {
    count.fetch_add(1, Ordering::SeqCst);
}

/// Sends one request, and holds its outcome to what took effect.
async fn one<W: Networked>(
    client: &ClientOf<W>,
    origin: &str,
    id: u64,
    kind: Kind,
    effects: &Effects,
    tally: &Tally,
) -> Result<(), Failed> {
    let outcome = kind.ask::<W>(client, &format!("{origin}{id}"), id)?.await;
    let took_effect = || effects.lock().unwrap().get(&id).copied().unwrap_or(0);
    match outcome {
        Ok(response) => {
            note(&tally.answered);
            assert_eq!(response.status(), 200, "{id} {kind:?}");
            match content(response.into_body()).await {
                Ok(read) => assert!(read == content_of(id), "{id} {kind:?}: another content"),
                Err(_) => note(&tally.cut_short),
            }
            assert!(took_effect() >= 1, "{id} {kind:?} was answered and took no effect");
        }
        Err(error) => {
            note(&tally.failed);
            // What the server has and is silent about is not sent again.
            let silent = error.failure().is_some_and(|failure| failure.why == Why::NoAnswerInTime);
            assert!(!kind.is_repeatable() || silent, "{id} {kind:?} could have been repeated: {error}");
            if error.is_safe_to_repeat() && kind == Kind::Post {
                note(&tally.said_safe);
                assert_eq!(took_effect(), 0, "{id} took effect, and is said to be safe to repeat: {error}");
            }
            if error.into_request().is_some() {
                assert_eq!(took_effect(), 0, "{id} took effect, and is said not to be sent");
            }
        }
    }
    if kind == Kind::Post {
        assert!(took_effect() <= 1, "{id} took effect {} times", took_effect());
    }
    Ok(())
}

async fn eventually<W: Networked>(world: &W, what: &str, is_so: impl Fn() -> bool) {
    within(world, Duration::from_secs(15), what, is_so).await;
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// The seed of a run, and how many requests it has.
fn run(usual: u64) -> (u64, u64) {
    let seed = setting("CHAOS_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(1, |since| since.as_nanos() as u64)
    });
    let requests = setting("CHAOS_REQUESTS").unwrap_or(usual);
    println!("CHAOS_SEED={seed} CHAOS_REQUESTS={requests}");
    (seed, requests)
}

async fn chaos<W: Networked>(site: Site<W>) -> Result<(), Failed> {
    let (seed, requests) = run(3000);
    let effects = Effects::default();
    let world = site.world.clone();
    let Running { address, shutdown, .. } = origin(&site, effects.clone()).await?;
    let proxy = Proxy::start(address, seed)?;
    let origin = site.uri(proxy.address(), "/");
    let client = client(&site);
    let tally = Arc::new(Tally::default());
    let began = Instant::now();
    let one = {
        let (client, tally) = (client.clone(), tally.clone());
        move |id| {
            let (client, tally, effects, origin) = (client.clone(), tally.clone(), effects.clone(), origin.clone());
            async move {
                let kind = Kind::of(id, seed);
                one::<W>(&client, &origin, id, kind, &effects, &tally).await.expect("a request that can be built");
            }
        }
    };
    crowd(&world, WORKERS, requests, one).await;
    println!("{tally:?} in {:?}; {}", began.elapsed(), proxy.told());
    assert!(tally.failed.load(Ordering::SeqCst) > 0, "no chaos, seed {seed}");
    assert_eq!(client.queued(), 0);
    eventually(&world, "the client's connections end", || client.connections() == 0).await;
    eventually(&world, "the server's connections end", || shutdown.connections() == 0).await;
    assert_eq!(shutdown.exchanges(), 0);
    eventually(&world, "the proxy's connections end", || proxy.open() == 0).await;
    Ok(())
}

async fn in_plain<W: Networked>(world: W) -> Result<(), Failed> {
    chaos(Site::plain(world)).await
}

async fn over_tls<W: Networked>(world: W) -> Result<(), Failed> {
    chaos(Site::secured(world)).await
}

on_both! {
    in_plain
    over_tls
}
