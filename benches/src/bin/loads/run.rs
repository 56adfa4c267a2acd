//! The clients: `loads run CLIENT TASK PORT AMOUNT` prints one figure.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri};
use http_body::Body;
use http_body_util::BodyExt;
use http_tokio::client::Builder;
use http_tokio::core::dispatch::Policy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Ours,
    /// hyper-util's.
    Pool,
    /// Bytes are read on tokio, and next to nothing is understood of them.
    Floor,
}

impl Client {
    const ALL: [Self; 3] = [Self::Ours, Self::Pool, Self::Floor];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Pool => "hyper-util",
            Self::Floor => "floor",
        }
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// GETs of 13 bytes, over [`CONNECTIONS`] on two threads: nanoseconds of the processor.
    Requests,
    /// The same on one.
    Alone,
    /// One GET of so many bytes, on one thread: nanoseconds of the processor.
    Download,
    /// Connections that wait in a pool: bytes for each.
    Idle,
}

impl Task {
    pub(crate) const ALL: [Self; 4] = [Self::Requests, Self::Alone, Self::Download, Self::Idle];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Alone => "alone",
            Self::Download => "download",
            Self::Idle => "idle",
        }
    }
}

/// Connections that are asked over at the same time.
const CONNECTIONS: usize = 64;

pub(crate) fn main(words: &[String]) -> ExitCode {
    match run(words) {
        Ok(figure) => {
            println!("{figure}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Outcome<f64> {
    let [client, task, port, amount] = words else { return Err("run CLIENT TASK PORT AMOUNT".into()) };
    let client = Client::ALL.into_iter().find(|one| one.name() == client).ok_or("no such client")?;
    let task = Task::ALL.into_iter().find(|one| one.name() == task).ok_or("no such task")?;
    let (port, amount) = (port.parse()?, amount.parse()?);
    let mut runtime = match task {
        Task::Requests | Task::Alone => tokio::runtime::Builder::new_multi_thread(),
        Task::Download | Task::Idle => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.worker_threads(if task == Task::Alone { 1 } else { 2 }).enable_all().build()?;
    let doing = async move {
        match (client, task) {
            (Client::Floor, Task::Download) => floor(port, amount).await,
            (Client::Ours, Task::Idle) => idle(port, usize::try_from(amount)?).await,
            (Client::Ours, Task::Requests | Task::Alone) => {
                // As many connections as tasks, as hyper-util's keeps without a word.
                let policy = Policy::default().connections_per_origin(CONNECTIONS).idle_per_origin(CONNECTIONS);
                requests(ours(policy), port, amount).await
            }
            (Client::Ours, Task::Download) => download(ours(Policy::default()), port, amount).await,
            (Client::Pool, Task::Requests | Task::Alone) => requests(pool(), port, amount).await,
            (Client::Pool, Task::Download) => download(pool(), port, amount).await,
            (Client::Floor | Client::Pool, _) => Err("not measured".into()),
        }
    };
    // As a task, as programs have it.
    runtime.block_on(async { tokio::spawn(doing).await? })
}

/// A client that sends GETs and tells how much content came.
trait Ask: Clone + Send + Sync + 'static {
    fn get(&self, uri: Uri) -> impl Future<Output = Outcome<u64>> + Send;
}

#[derive(Clone)]
struct Asking<F>(F);

impl<F, O> Ask for Asking<F>
where
    F: Fn(Uri) -> O + Clone + Send + Sync + 'static,
    O: Future<Output = Outcome<u64>> + Send,
{
    fn get(&self, uri: Uri) -> impl Future<Output = Outcome<u64>> + Send {
        (self.0)(uri)
    }
}

fn ours(policy: Policy) -> impl Ask {
    let client = http_tokio::client(Builder::new().policy(policy));
    Asking(move |uri| {
        let asked = client.request(request(uri));
        async move { swallow(asked.await?.into_body()).await }
    })
}

fn pool() -> impl Ask {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
    Asking(move |uri| {
        let asked = client.request(request(uri));
        async move { swallow(asked.await?.into_body()).await }
    })
}

fn request(uri: Uri) -> Request<http_body_util::Full<Bytes>> {
    let mut request = Request::new(http_body_util::Full::default());
    *request.uri_mut() = uri;
    request
}

async fn swallow<B>(mut body: B) -> Outcome<u64>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame.map_err(Into::into)?.data_ref().map_or(0, |data| data.len() as u64);
    }
    Ok(length)
}

async fn requests(client: impl Ask, port: u16, amount: u64) -> Outcome<f64> {
    let uri: Uri = format!("http://127.0.0.1:{port}/plain").parse()?;
    // All connections are there before anything counts.
    all(&client, &uri, 20).await?;
    let before = nanos()?;
    all(&client, &uri, amount / CONNECTIONS as u64).await?;
    Ok(nanos()? - before)
}

/// So many requests of each task, one after the other.
async fn all(client: &impl Ask, uri: &Uri, each: u64) -> Outcome<()> {
    let asking = (0..CONNECTIONS).map(|_| {
        let (client, uri) = (client.clone(), uri.clone());
        tokio::spawn(async move {
            for _ in 0..each {
                if client.get(uri.clone()).await? != 13 {
                    return Err("another answer".into());
                }
            }
            Outcome::Ok(())
        })
    });
    for asking in asking.collect::<Vec<_>>() {
        asking.await??;
    }
    Ok(())
}

async fn download(client: impl Ask, port: u16, amount: u64) -> Outcome<f64> {
    let uri = |amount: u64| format!("http://127.0.0.1:{port}/bytes/{amount}").parse::<Uri>();
    client.get(uri(1 << 20)?).await?;
    let before = nanos()?;
    if client.get(uri(amount)?).await? != amount {
        return Err("not all of it came".into());
    }
    Ok(nanos()? - before)
}

/// The same by reads of 64 KiB, and a little more: a read that is not filled tells tokio that nothing is left.
async fn floor(port: u16, amount: u64) -> Outcome<f64> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut buffer = vec![0; 64 * 1024 + 21];
    let mut spent = 0.0;
    for amount in [1 << 20, amount] {
        let before = nanos()?;
        stream.write_all(format!("GET /bytes/{amount} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await?;
        let mut read = stream.read(&mut buffer).await?;
        let head = buffer[..read].windows(4).position(|four| four == b"\r\n\r\n").ok_or("no head")? + 4;
        let mut left = amount - (read - head) as u64;
        while left > 0 {
            read = stream.read(&mut buffer).await?;
            if read == 0 {
                return Err("cut short".into());
            }
            left -= read as u64;
        }
        spent = nanos()? - before;
    }
    Ok(spent)
}

/// Connections that wait in one pool, each of which has served a request.
async fn idle(port: u16, count: usize) -> Outcome<f64> {
    let policy = Policy::default();
    let policy = policy.connections_per_origin(2 * count).max_connections(2 * count).idle_per_origin(2 * count);
    // A request that is not idempotent goes on a connection of its own.
    let client = Arc::new(http_tokio::client(Builder::new().policy(policy.fresh_after_idle(Duration::ZERO))));
    let uri: Uri = format!("http://127.0.0.1:{port}/sink").parse()?;
    let ask = || async {
        let mut request = request(uri.clone());
        *request.method_mut() = Method::POST;
        swallow(client.request(request).await?.into_body()).await
    };
    // What all share is there before they are.
    for _ in 0..100 {
        ask().await?;
    }
    let before = settled().await?;
    let there = client.connections();
    for _ in 0..count {
        ask().await?;
    }
    let after = settled().await?;
    if client.connections() != there + count {
        return Err(format!("{} connections wait, and not {}", client.connections(), there + count).into());
    }
    Ok(after.saturating_sub(before) as f64 / count as f64)
}

/// How much memory of this process is resident, in bytes, once it has come to rest.
async fn settled() -> Outcome<u64> {
    // Who has idled for a second gives back what it needs no more, and is watched.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the system does not tell")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// Nanoseconds of the processor that all threads of this process have used, in user space and in the kernel.
fn nanos() -> Outcome<f64> {
    let mut nanos = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let stat = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanos += stat.split_ascii_whitespace().next().ok_or("the system does not tell")?.parse::<u64>()?;
    }
    Ok(nanos as f64)
}
