//! A server that means no good, before callers that keep eight requests going, read late and leave: it answers before
//! it has read, closes while it is being written to, says half of what it has to and resets, says more than it was
//! asked, floods with interim responses, says nothing. Nobody is given what belongs to another one, and each request
//! has its outcome.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use http_core::dispatch::{Backoff, Policy, Why};
use http_driver::client::Builder;
use socket2::SockRef;

use crate::crowd::crowd;
use crate::random::Random;
use crate::request::{Kind, content_of};
use crate::sockets::clients::Networked;
use crate::sockets::site::Site;
use crate::sockets::strangers::anywhere;
use crate::whim::Whim;
use crate::{ClientOf, Effects, Failed, eventually, run};

/// What is done to a request whose head has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Good,
    /// The answer, before the content is read.
    Early,
    /// The same, and then the end, with what was sent unread: a reset.
    EarlyEnd,
    /// A part of the content, and then the end.
    Close,
    /// The same, and a reset.
    Reset,
    /// Half of the answer, and then the end, or a reset.
    Half(bool),
    /// An answer that nobody asked for, behind the right one.
    Surplus,
    /// Interim responses, so many.
    Interim(usize),
    Silence,
    Garbage,
    /// The answer, and a moment later a 408 that closes.
    Weary,
}

impl Deed {
    fn of(random: &mut Random) -> Self {
        match random.below(24) {
            0 | 1 => Self::Early,
            2 => Self::EarlyEnd,
            3 => Self::Close,
            4 => Self::Reset,
            5 => Self::Half(false),
            6 => Self::Half(true),
            7 | 8 => Self::Surplus,
            9 => Self::Interim(5),
            10 => Self::Interim(300),
            11 if random.below(4) == 0 => Self::Silence,
            12 if random.below(2) == 0 => Self::Garbage,
            13 | 14 => Self::Weary,
            _ => Self::Good,
        }
    }
}

/// The server, as long as its process lives.
struct Hostile {
    address: SocketAddr,
    /// How often the head of each request came.
    seen: Effects,
    open: Arc<AtomicUsize>,
}

impl Hostile {
    /// `surplus`: it may say more than it was asked.
    fn start(seed: u64, surplus: bool) -> io::Result<Self> {
        let listener = TcpListener::bind(anywhere())?;
        let hostile = Self { address: listener.local_addr()?, seen: Effects::default(), open: Arc::default() };
        let (seen, open) = (hostile.seen.clone(), hostile.open.clone());
        thread::spawn(move || {
            let mut random = Random::new(seed);
            for stream in listener.incoming() {
                let (Ok(stream), seen, open) = (stream, seen.clone(), open.clone()) else { return };
                let random = Random::new(random.next());
                open.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || {
                    // What goes wrong here is one more thing that can go wrong.
                    let _ = serve(&stream, random, surplus, &seen);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Ok(hostile)
    }
}

fn reset(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

fn serve(mut stream: &TcpStream, mut random: Random, surplus: bool, seen: &Effects) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream);
    loop {
        let Some((id, length)) = head(&mut input)? else { return Ok(()) };
        *seen.lock().unwrap().entry(id).or_default() += 1;
        let answer = answer(id, &content_of(id));
        let mut deed = Deed::of(&mut random);
        if deed == Deed::Surplus && (answer.len() > 4000 || !surplus) {
            // What is longer may be cut by the network, and nobody can tell then whom the rest is for.
            deed = Deed::Good;
        }
        let content = |input: &mut BufReader<&TcpStream>| io::copy(&mut input.take(length), &mut io::sink());
        match deed {
            Deed::Early => {
                stream.write_all(&answer)?;
                content(&mut input)?;
                continue;
            }
            Deed::EarlyEnd => return stream.write_all(&answer),
            Deed::Close | Deed::Reset => {
                io::copy(&mut input.take(random.below(length + 1)), &mut io::sink())?;
                if deed == Deed::Reset {
                    reset(stream);
                }
                return Ok(());
            }
            Deed::Silence => {
                thread::sleep(Duration::from_millis(700));
                return Ok(());
            }
            _ => content(&mut input)?,
        };
        match deed {
            Deed::Half(resets) => {
                stream.write_all(&answer[..random.below(answer.len() as u64) as usize])?;
                if resets {
                    // So that some of it is read before.
                    thread::sleep(Duration::from_millis(random.below(3)));
                    reset(stream);
                }
                return Ok(());
            }
            Deed::Surplus => {
                let mut both = answer;
                both.extend(self::answer(u64::MAX, b"stolen"));
                stream.write_all(&both)?;
            }
            Deed::Interim(count) => {
                for _ in 0..count {
                    stream.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </style>\r\n\r\n")?;
                }
                stream.write_all(&answer)?;
            }
            Deed::Garbage => return stream.write_all(b"\x16\x03\x01 what is this?\r\n\r\n"),
            Deed::Weary => {
                stream.write_all(&answer)?;
                thread::sleep(Duration::from_millis(random.below(4)));
                return stream
                    .write_all(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            }
            _ => stream.write_all(&answer)?,
        }
    }
}

/// The number of the next request, and how long its content is; nothing at the end.
fn head(input: &mut impl BufRead) -> io::Result<Option<(u64, u64)>> {
    let (mut id, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_ascii_lowercase();
        match (id, line.strip_prefix("content-length: ")) {
            (Some(id), _) if line.is_empty() => return Ok(Some((id, length))),
            (None, _) => id = line.split(['/', ' ']).nth(2).and_then(|word| word.parse().ok()),
            (Some(_), Some(value)) => length = value.parse().map_err(io::Error::other)?,
            _ => {}
        }
    }
}

fn answer(id: u64, content: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\nEcho: {id}\r\nContent-Length: {}\r\n\r\n", content.len()).into_bytes();
    answer.extend_from_slice(content);
    answer
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Whole,
    Cut,
    /// The server was weary of waiting.
    Otherwise,
    Dropped,
    Failed,
    /// The same, and the client says that it took no effect.
    Unsent,
}

async fn one<W: Networked>(world: W, client: ClientOf<W>, origin: String, id: u64, kind: Kind, whim: Whim) -> End {
    let request = kind.ask::<W>(&client, &format!("{origin}{id}"), id).expect("a request that can be built");
    let response = match whim.outcome(&world, request).await {
        None => return End::Dropped,
        Some(Err(error)) => {
            let why = error.failure().map(|failure| failure.why);
            let hopeless = matches!(why, Some(Why::NoAnswerInTime | Why::Malformed));
            assert!(!kind.is_repeatable() || hopeless, "{id} {kind:?} could have been repeated: {error}");
            let unsent = error.is_safe_to_repeat() && kind == Kind::Post;
            return if unsent || error.into_request().is_some() { End::Unsent } else { End::Failed };
        }
        Some(Ok(response)) => response,
    };
    if response.status() == 408 {
        return End::Otherwise;
    }
    assert_eq!(response.status(), 200, "{id} {kind:?}");
    let echo = response.headers().get("echo").and_then(|value| value.to_str().ok());
    assert_eq!(echo, Some(id.to_string().as_str()), "{id} {kind:?}: another response");
    match whim.content(response.into_body()).await {
        Some(Ok(content)) => {
            assert!(content == content_of(id), "{id} {kind:?}: another content");
            End::Whole
        }
        None | Some(Err(_)) => End::Cut,
    }
}

/// Requests that one caller has.
const BATCH: u64 = 40;

async fn callers<W: Networked>(world: W, depth: usize) -> Result<(), Failed> {
    let (seed, requests) = run(1200);
    // Where others wait on the same connection, more than was asked for is one's that did not come from there.
    let server = Hostile::start(seed, depth == 1)?;
    let policy = Policy::default()
        .connections_per_origin(24)
        .request_retries(60)
        .connect_retries(u32::MAX)
        .retry_budget(None)
        .pipeline_depth(depth)
        .backoff(Backoff::new(Duration::from_millis(1), Duration::from_millis(5)));
    let builder = Builder::new().policy(policy).response_timeout(Duration::from_millis(400));
    let builder = builder.read_timeout(Duration::from_millis(400)).timeout(Duration::from_secs(60));
    let client = Site::plain(world.clone()).client(builder);
    let origin = format!("http://{}/", server.address);
    let ends = Arc::<Mutex<BTreeMap<u64, (Kind, End)>>>::default();
    let caller = {
        let (world, client, ends) = (world.clone(), client.clone(), ends.clone());
        move |batch: u64| {
            let (world, client, origin, ends) = (world.clone(), client.clone(), origin.clone(), ends.clone());
            async move {
                let mut chance = Random::new(seed ^ batch << 32);
                let ids = batch * BATCH..(batch + 1) * BATCH;
                let asks = stream::iter(ids).map(|id| {
                    // Content that is sent has a length here.
                    let kind = match Kind::of(id, seed) {
                        Kind::Stream => Kind::Put,
                        kind => kind,
                    };
                    ends.lock().unwrap().insert(id, (kind, End::Dropped));
                    let whim = Whim::of(&mut Random::new(!seed ^ id));
                    let one = one(world.clone(), client.clone(), origin.clone(), id, kind, whim);
                    async move { (id, kind, one.await) }
                });
                let mut asks = Box::pin(asks.buffered(8));
                while let Some((id, kind, end)) = asks.next().await {
                    ends.lock().unwrap().insert(id, (kind, end));
                    match chance.below(40) {
                        // Whoever had more to come leaves.
                        0 => return,
                        1..8 => world.sleep(Duration::from_millis(chance.below(30))).await,
                        _ => {}
                    }
                }
            }
        }
    };
    crowd(&world, 8, requests / BATCH, caller).await;
    assert_eq!((client.queued(), client.counts().in_flight), (0, 0));
    let mut counts: BTreeMap<End, usize> = BTreeMap::new();
    for (id, (kind, end)) in ends.lock().unwrap().iter() {
        *counts.entry(*end).or_default() += 1;
        let seen = server.seen.lock().unwrap().get(id).copied().unwrap_or(0);
        assert!(*kind != Kind::Post || seen <= 1, "{id} {kind:?} came {seen} times, {end:?}");
        assert!(*end != End::Unsent || seen == 0, "{id} {kind:?} came, and the client says that it did not");
        assert!(*end != End::Whole || seen > 0, "{id} {kind:?} was answered, and never came");
    }
    println!("{counts:?}");
    for end in [End::Whole, End::Cut, End::Dropped, End::Failed] {
        assert!(requests < 500 || counts.contains_key(&end), "too quiet to prove anything: {counts:?}");
    }
    drop(client);
    eventually(&world, "the connections end", || server.open.load(Ordering::SeqCst) == 0).await;
    Ok(())
}

async fn hostile<W: Networked>(world: W) -> Result<(), Failed> {
    callers(world, 1).await
}

async fn hostile_while_tasks_pipeline<W: Networked>(world: W) -> Result<(), Failed> {
    callers(world, 3).await
}

on_both! {
    hostile
    hostile_while_tasks_pipeline
}
