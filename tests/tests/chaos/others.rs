//! The client before servers of others, which close connections as they like, through the proxy that mistreats them;
//! and applications that change their minds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::HeaderMap;
use http_core::dispatch::Why;

use crate::crowd::crowd;
use crate::peers::{Counts, Nginx, Node, file};
use crate::proxy::Proxy;
use crate::random::Random;
use crate::request::{Kind, content_of};
use crate::sockets::clients::Networked;
use crate::sockets::site::Site;
use crate::whim::Whim;
use crate::{ClientOf, Failed, WORKERS, client, eventually, run};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// Answered in full.
    Whole,
    /// Answered, and its content was cut or dropped.
    Cut,
    /// Dropped before its answer was there.
    Dropped,
    Failed,
    /// The same, and the client says that to repeat it does no harm.
    FailedSafe,
    /// The same, and the client gives it back as one that was not sent.
    Returned,
}

type Ledger = Arc<Mutex<BTreeMap<u64, (Kind, End)>>>;

/// What requests are for, and what is to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A file of nginx's.
    File,
    /// What nginx says by itself.
    Said,
    /// Node's.
    App,
}

impl Place {
    fn path(self, id: u64) -> String {
        let folder = match self {
            Self::File => "file",
            Self::Said => "said",
            Self::App => "app",
        };
        format!("/{folder}/{id}")
    }

    fn content(self, kind: Kind, id: u64) -> Vec<u8> {
        match self {
            Self::File => file(id % 10),
            Self::Said => format!("{} {}", kind.method(), self.path(id)).into(),
            Self::App => content_of(id).to_vec(),
        }
    }
}

/// Sends one request; how it ended. Nobody is given what belongs to another one.
async fn one<W: Networked>(world: &W, client: &ClientOf<W>, origin: &str, place: Place, id: u64, seed: u64) -> End {
    let (kind, whim) = (Kind::of(id, seed), Whim::of(&mut Random::new(!seed ^ id)));
    let path = place.path(id);
    let request = kind.ask::<W>(client, &format!("{origin}{path}"), id).expect("a request that can be built");
    let response = match whim.outcome(world, request).await {
        None => return End::Dropped,
        Some(Err(error)) => {
            // What the server has and is silent about is not sent again.
            let silent = error.failure().is_some_and(|failure| failure.why == Why::NoAnswerInTime);
            assert!(!kind.is_repeatable() || silent, "{id} {kind:?} could have been repeated: {error}");
            let safe = error.is_safe_to_repeat();
            let returned = error.into_request().is_some();
            assert!(safe || !returned, "{id} {kind:?} was not sent, and is not safe to repeat");
            return match (returned, safe) {
                (true, _) => End::Returned,
                (false, true) => End::FailedSafe,
                (false, false) => End::Failed,
            };
        }
        Some(Ok(response)) => response,
    };
    assert_eq!(response.status(), 200, "{id} {kind:?}");
    assert_eq!(echoed(response.headers()), path, "{id} {kind:?}: another response");
    match whim.content(response.into_body()).await {
        Some(Ok(content)) => {
            assert!(content == place.content(kind, id), "{id} {kind:?}: another content");
            End::Whole
        }
        None | Some(Err(_)) => End::Cut,
    }
}

fn echoed(fields: &HeaderMap) -> &str {
    fields.get("echo").and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Sends requests through the proxy; holds what the server counts to what the client says.
async fn through_chaos<W: Networked>(
    world: W,
    server: std::net::SocketAddr,
    place: impl Fn(Kind, u64) -> Place + Copy + Send + 'static,
    mut effects: impl FnMut() -> Result<Counts, Failed>,
) -> Result<(), Failed> {
    let (seed, requests) = run(600);
    let proxy = Proxy::start(server, seed)?;
    let client = client(&Site::plain(world.clone()));
    let origin = format!("http://{}", proxy.address());
    let ledger = Ledger::default();
    let began = Instant::now();
    let ask = {
        let (world, client, ledger) = (world.clone(), client.clone(), ledger.clone());
        move |id| {
            let (world, client, origin, ledger) = (world.clone(), client.clone(), origin.clone(), ledger.clone());
            async move {
                let kind = Kind::of(id, seed);
                let end = one(&world, &client, &origin, place(kind, id), id, seed).await;
                ledger.lock().unwrap().insert(id, (kind, end));
            }
        }
    };
    crowd(&world, WORKERS, requests, ask).await;
    let taken = began.elapsed();
    assert_eq!(client.queued(), 0);
    eventually(&world, "the client's connections end", || client.connections() == 0).await;
    eventually(&world, "the proxy's connections end", || proxy.open() == 0).await;
    let ledger = ledger.lock().unwrap().clone();
    // A server may note what it did when all is over.
    let counted = loop {
        let counted = effects()?;
        let answered = ledger.iter().filter(|(_, (_, end))| *end == End::Whole);
        let missing: Vec<_> = answered.filter(|(id, _)| !counted.contains_key(id)).collect();
        if missing.is_empty() {
            break counted;
        }
        assert!(began.elapsed() < taken + Duration::from_secs(20), "answered, and of no effect: {missing:?}");
        world.sleep(Duration::from_millis(20)).await;
    };
    let mut ends: BTreeMap<End, usize> = BTreeMap::new();
    for (id, (kind, end)) in ledger {
        *ends.entry(end).or_default() += 1;
        let count = counted.get(&id).copied().unwrap_or(0);
        assert!(kind != Kind::Post || count <= 1, "{id} {kind:?} took effect {count} times, {end:?}");
        let unsent = end == End::Returned || end == End::FailedSafe && kind == Kind::Post;
        assert!(!unsent || count == 0, "{id} {kind:?} took effect, and the client says that it did not: {end:?}");
    }
    let repeated = counted.values().filter(|count| **count > 1).count();
    println!("{ends:?}, {repeated} took effect more than once and may, in {taken:?}; {}", proxy.told());
    for end in [End::Whole, End::Cut, End::Dropped, End::Failed] {
        assert!(requests < 500 || ends.contains_key(&end), "no chaos: {ends:?}");
    }
    Ok(())
}

async fn against_node<W: Networked>(world: W) -> Result<(), Failed> {
    let Some(mut node) = Node::start()? else { return Ok(()) };
    through_chaos(world, node.address, |_, _| Place::App, move || node.effects()).await
}

async fn against_nginx<W: Networked>(world: W) -> Result<(), Failed> {
    let Some(mut node) = Node::start()? else { return Ok(()) };
    let Some(mut nginx) = Nginx::start(node.address)? else { return Ok(()) };
    let place = |kind, id| match id % 3 {
        0 if kind == Kind::Get => Place::File,
        0 | 1 => Place::Said,
        _ => Place::App,
    };
    through_chaos(world, nginx.address, place, move || {
        let mut all = nginx.effects()?;
        for (id, count) in node.effects()? {
            *all.entry(id).or_default() += count;
        }
        Ok(all)
    })
    .await
}

on_both! {
    against_node
    against_nginx
}
