//! Requests of one kind, as many as wanted, and what they cost.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Instant;

use super::engine::Body;
use super::engine::client::{Builder, Client, Connection, Connector};
use super::engine::core::dispatch::Policy;
use super::engine::core::{Content, Fields, Method, RequestHead};
use super::engine::{Full, Runtime};
use bytes::Bytes;
use futures_util::future::join_all;

use super::args::{Args, fail};
use super::idle;
use super::watch::{Unit, Watch};
use super::world::World;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The size of the pieces of an upload.
const PIECE: usize = 64 * 1024;

static ZEROS: [u8; PIECE] = [b'0'; PIECE];

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    address: SocketAddr,
    mode: Mode,
    requests: usize,
    connections: usize,
    size: u64,
    pooled: bool,
    /// How many requests one task makes at the same time.
    joined: usize,
    /// The server's process, whose memory is looked at.
    pid: u32,
    /// Whether a bar and latencies are shown.
    shown: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Seq,
    Conc,
    Bytes,
    Chunked,
    Sink,
    /// Requests that one task makes at the same time, by the client's own policy.
    Joined,
    /// Connections that wait.
    Idle,
}

impl Plan {
    /// Reads the command line of the program `name`.
    pub(crate) fn parse(name: &str) -> Self {
        let usage = format!(
            "{name} --port P --mode seq|conc|bytes|chunked|sink|joined|idle --n N --conns C --size S \
             [--level exchange|client] [--pid P] [--show yes|no]"
        );
        let args = Args::parse(&usage, &["port", "mode", "n", "conns", "size", "level", "pid", "show"]);
        let mode = match args.get(&usage, "mode", "seq".to_owned()).as_str() {
            "seq" => Mode::Seq,
            "conc" => Mode::Conc,
            "bytes" => Mode::Bytes,
            "chunked" => Mode::Chunked,
            "sink" => Mode::Sink,
            "joined" => Mode::Joined,
            "idle" => Mode::Idle,
            _ => fail(&usage, "--mode is seq, conc, bytes, chunked, sink, joined or idle"),
        };
        let connections = match mode {
            Mode::Conc => args.get(&usage, "conns", 64),
            Mode::Idle => args.get(&usage, "conns", 10_000),
            _ => 1,
        };
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], args.get(&usage, "port", 8080))),
            mode,
            requests: args.get(&usage, "n", 1000),
            connections: usize::max(connections, 1),
            size: args.get(&usage, "size", 64 << 20),
            joined: if mode == Mode::Joined { args.get(&usage, "conns", 100) } else { 1 },
            pooled: match args.get(&usage, "level", "exchange".to_owned()).as_str() {
                "exchange" => false,
                "client" => true,
                _ => fail(&usage, "--level is exchange or client"),
            },
            pid: args.get(&usage, "pid", std::process::id()),
            shown: match args.get(&usage, "show", String::new()).as_str() {
                "" => Watch::by_default(),
                "yes" => true,
                "no" => false,
                _ => fail(&usage, "--show is yes or no"),
            },
        }
    }

    /// What its run is counted in, and how much of that there is.
    fn extent(&self) -> (Unit, u64) {
        match self.mode {
            Mode::Bytes | Mode::Chunked | Mode::Sink => (Unit::Bytes, self.size.saturating_mul(self.requests as u64)),
            Mode::Seq | Mode::Conc | Mode::Joined | Mode::Idle => (Unit::Requests, self.requests as u64),
        }
    }

    fn path(&self) -> String {
        match self.mode {
            Mode::Seq | Mode::Conc | Mode::Joined | Mode::Idle => "/plain".to_owned(),
            Mode::Bytes => format!("/bytes/{}", self.size),
            Mode::Chunked => format!("/chunked/{}", self.size),
            Mode::Sink => "/sink".to_owned(),
        }
    }
}

/// Does what the plan says and prints what it cost; ends the program if a request fails.
pub(crate) async fn run<W: World>(world: W, plan: Plan) {
    if plan.mode == Mode::Idle {
        if let Err(error) = idle::wait(&world, plan.address, plan.connections, plan.pid).await {
            eprintln!("not all connections wait: {error}");
            std::process::exit(1);
        }
        return;
    }
    let client = plan.pooled.then(|| {
        let policy = match plan.mode {
            Mode::Joined => Policy::default(),
            _ => Policy::default().connections_per_origin(plan.connections),
        };
        Builder::new().policy(policy).build(world.connector(), world.runtime())
    });
    let (unit, all) = plan.extent();
    let watch = Watch::new(plan.shown, unit, all);
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let tally = Arc::new(Tally::of(plan.connections));
    for n in 0..plan.connections {
        let requests = plan.requests / plan.connections + usize::from(n < plan.requests % plan.connections);
        let (world, plan, client, tally) = (world.clone(), plan.clone(), client.clone(), tally.clone());
        let watch = watch.clone();
        world.runtime().spawn(async move {
            tally.add(match client {
                Some(client) => pooled(&client, &plan, requests, &watch).await,
                None => exchanges(&world, &plan, requests, &watch).await,
            });
        });
    }
    let bytes = match tally.total().await {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!("a request failed: {error}");
            std::process::exit(1);
        }
    };
    let (secs, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    if matches!(plan.mode, Mode::Seq | Mode::Conc | Mode::Joined) {
        let requests = plan.requests as f64;
        println!(
            "{{\"requests\": {requests}, \"secs\": {secs:.6}, \"rps\": {:.0}, \"cpu\": {cpu:.3}, \"cpu_s_per_m\": {:.3}}}",
            requests / secs,
            cpu / requests * 1e6
        );
    } else {
        let gigabytes = bytes as f64 / 1e9;
        println!(
            "{{\"bytes\": {bytes}, \"secs\": {secs:.6}, \"gbps\": {:.3}, \"cpu\": {cpu:.3}, \"cpu_s_per_gb\": {:.4}}}",
            gigabytes / secs,
            cpu / gigabytes
        );
    }
    watch.tell();
}

/// Exchanges on one connection; returns the bytes of content that were moved.
async fn exchanges<W: World>(world: &W, plan: &Plan, requests: usize, watch: &Watch) -> Result<u64, Error> {
    let stream = world.connect(plan.address).await?;
    let mut connection = Connection::new(stream, world.runtime(), Arc::default());
    let sink = plan.mode == Mode::Sink;
    let method = if sink { Method::Post } else { Method::Get };
    let head = RequestHead::new(method, plan.path())?.with("Host", plan.address.to_string())?;
    let content = if sink { Content::Sized(plan.size) } else { Content::Empty };
    let mut bytes = 0;
    for _ in 0..requests {
        let began = watch.begin();
        let mut exchange = connection.send(&head, content.clone())?;
        if sink {
            let mut left = plan.size;
            while left > 0 {
                let piece = left.min(PIECE as u64);
                exchange.write(Bytes::from_static(&ZEROS[..piece as usize])).await?;
                watch.moved(piece as usize);
                left -= piece;
            }
            exchange.end(&Fields::new()).await?;
            bytes += plan.size;
        }
        let response = exchange.response().await?;
        if !response.status().is_success() {
            return Err(format!("answered {}", response.status()).into());
        }
        while let Some(piece) = exchange.content().await? {
            if !sink {
                bytes += piece.len() as u64;
                watch.moved(piece.len());
            }
        }
        exchange.recycle(response);
        watch.end(began);
    }
    Ok(bytes)
}

/// The same through the client with its queue and pool.
async fn pooled<C, R>(client: &Client<C, R>, plan: &Plan, requests: usize, watch: &Watch) -> Result<u64, Error>
where
    C: Connector,
    R: Runtime<Timer: Send> + Send + Sync + 'static,
{
    let uri: http::Uri = format!("http://{}{}", plan.address, plan.path()).parse()?;
    let mut bytes = 0;
    if plan.mode == Mode::Joined {
        for _ in 0..requests / plan.joined {
            let all = join_all((0..plan.joined).map(|_| one(client, plan, &uri, watch))).await;
            bytes += all.into_iter().sum::<Result<u64, Error>>()?;
        }
    } else {
        for _ in 0..requests {
            bytes += one(client, plan, &uri, watch).await?;
        }
    }
    Ok(bytes)
}

/// One request, and its response; the bytes that it moved.
async fn one<C, R>(client: &Client<C, R>, plan: &Plan, uri: &http::Uri, watch: &Watch) -> Result<u64, Error>
where
    C: Connector,
    R: Runtime<Timer: Send> + Send + Sync + 'static,
{
    let began = watch.begin();
    let (method, body) = match plan.mode {
        Mode::Sink => (http::Method::POST, Full::from(vec![b'0'; usize::try_from(plan.size)?])),
        _ => (http::Method::GET, Full::default()),
    };
    let request = http::Request::builder().method(method).uri(uri.clone()).body(body)?;
    let response = client.request(request).await?;
    if !response.status().is_success() {
        return Err(format!("answered {}", response.status()).into());
    }
    let mut body = pin!(response.into_body());
    let mut bytes = 0;
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let length = frame?.data_ref().map_or(0, Bytes::len);
        bytes += length as u64;
        if plan.mode != Mode::Sink {
            watch.moved(length);
        }
    }
    if plan.mode == Mode::Sink {
        // Its body went as a whole.
        bytes = plan.size;
        watch.moved(usize::try_from(plan.size)?);
    }
    watch.end(began);
    Ok(bytes)
}

/// What the connections have moved, and how many are still at it.
struct Tally(Mutex<Counts>);

struct Counts {
    left: usize,
    bytes: u64,
    failed: Option<Error>,
    waker: Option<Waker>,
}

impl Tally {
    fn of(connections: usize) -> Self {
        Self(Mutex::new(Counts { left: connections, bytes: 0, failed: None, waker: None }))
    }

    fn add(&self, result: Result<u64, Error>) {
        let mut counts = self.0.lock().expect("nothing panics under this lock");
        counts.left -= 1;
        match result {
            Ok(bytes) => counts.bytes += bytes,
            Err(error) => counts.failed = Some(error),
        }
        if let Some(waker) = counts.waker.take() {
            waker.wake();
        }
    }

    async fn total(&self) -> Result<u64, Error> {
        std::future::poll_fn(|cx| {
            let mut counts = self.0.lock().expect("nothing panics under this lock");
            match counts.failed.take() {
                Some(error) => return Poll::Ready(Err(error)),
                None if counts.left == 0 => return Poll::Ready(Ok(counts.bytes)),
                None => counts.waker = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
        .await
    }
}

/// Seconds of processor time that this process has used, in user space and in the kernel.
fn cpu_seconds() -> f64 {
    // Fields 14 and 15, counted behind the name, which may have spaces; in ticks of 10 ms.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}
