//! How long one peer waits while another one of the same thread is flooded.

use std::future::{Future, poll_fn};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::engine::Body;
use super::engine::client::{Builder, Client, Connector};
use super::engine::core::Config;
use super::engine::{Full, Runtime};

use super::args::{Args, fail};
use super::world::World;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The most waits that are measured at a time.
const MOST: usize = 200_000;

/// How much more than alone one may wait while another is served: the 99th of a hundred waits.
const BOUND: Duration = Duration::from_millis(20);

/// How often the timer fires that runs beside a client's requests.
const TICK: Duration = Duration::from_millis(2);

/// How long a client that is flooded has for its last exchanges once it is told to end.
const DRAIN: Duration = Duration::from_millis(200);

/// How long a process may take to end.
const GONE: Duration = Duration::from_secs(5);

/// Who is flooded, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    flood: String,
    time: Duration,
    /// The server that is flooded and asked.
    port: u16,
    /// Its process, which is told to end amid the flood.
    pid: Option<u32>,
}

impl Plan {
    /// Reads the command line of the program `name`.
    pub(crate) fn parse(name: &str) -> Self {
        let usage = format!(
            "{name} --flood gets|echoes|chunks|busy --port P [--pid P] [--secs S], \
             or {name} --flood interim|tiny [--secs S]"
        );
        let args = Args::parse(&usage, &["flood", "port", "pid", "secs"]);
        let flood: String = args.get(&usage, "flood", String::new());
        if !["gets", "echoes", "chunks", "busy", "interim", "tiny"].contains(&flood.as_str()) {
            fail(&usage, "--flood is one of six");
        }
        let pid = args.get(&usage, "pid", 0);
        Self {
            flood,
            time: Duration::from_secs(args.get(&usage, "secs", 3)),
            port: args.get(&usage, "port", 8080),
            pid: (pid > 0).then_some(pid),
        }
    }
}

/// Measures and prints; ends the program with 1 if somebody waits too long.
pub(crate) async fn run<W: World>(world: W, plan: Plan) {
    let told = match plan.flood.as_str() {
        "interim" | "tiny" => client(&world, &plan).await,
        _ => server(&plan),
    };
    match told {
        Ok(true) => {}
        Ok(false) => std::process::exit(1),
        Err(error) => {
            eprintln!("{}: {error}", plan.flood);
            std::process::exit(1);
        }
    }
}

/// Asks a server, alone and while another connection floods it, and tells it to end meanwhile.
fn server(plan: &Plan) -> Result<bool, Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, plan.port));
    let alone = Waits::measure(plan.time, asker(address)?)?;
    let flood = Flood::begin(address, &plan.flood)?;
    std::thread::sleep(Duration::from_millis(200));
    let answered = flood.answered();
    let began = Instant::now();
    let flooded = Waits::measure(plan.time, asker(address)?)?;
    let rate = (flood.answered() - answered) as f64 / began.elapsed().as_secs_f64();
    let mut end = String::new();
    if let Some(pid) = plan.pid {
        end = format!(", ends {:.1} ms after it is told", millis(ended(pid)?));
    }
    flood.end();
    Ok(verdict(plan, alone, flooded, &format!("{rate:.0} B/s of answers to the flood{end}")) && rate > 0.0)
}

/// Requests one after the other on a connection of their own.
fn asker(address: SocketAddr) -> Result<impl FnMut() -> Result<(), Error>, Error> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(GONE))?;
    let mut buffer = vec![0; 4096];
    Ok(move || {
        stream.write_all(b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n")?;
        let mut read = 0;
        while !buffer[..read].ends_with(b"Hello, World!") {
            read += match stream.read(&mut buffer[read..])? {
                0 => return Err("the server ended the connection".into()),
                length => length,
            };
        }
        Ok(())
    })
}

/// A connection over which requests come without end, and whose answers are thrown away.
struct Flood {
    stream: TcpStream,
    answered: Arc<AtomicU64>,
}

impl Flood {
    fn begin(address: SocketAddr, kind: &str) -> io::Result<Self> {
        let (first, repeated) = match kind {
            "gets" => (String::new(), "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
            "busy" => (String::new(), "GET /busy/20 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
            "echoes" => {
                let content = "x".repeat(1000);
                (String::new(), format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{content}"))
            }
            _ => {
                let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
                (head.to_owned(), "1\r\nx\r\n".to_owned())
            }
        };
        let stream = TcpStream::connect(address)?;
        let answered = Arc::new(AtomicU64::new(0));
        let (mut writer, mut reader, count) = (stream.try_clone()?, stream.try_clone()?, answered.clone());
        // Both end with the stream.
        std::thread::spawn(move || {
            let many = repeated.repeat(64 * 1024 / repeated.len());
            let _ = writer.write_all(first.as_bytes());
            while writer.write_all(many.as_bytes()).is_ok() {}
        });
        std::thread::spawn(move || {
            let mut buffer = vec![0; 256 * 1024];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                count.fetch_add(length as u64, Ordering::Relaxed);
            }
        });
        Ok(Self { stream, answered })
    }

    /// The bytes of answers so far.
    fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    fn end(self) {
        // It may have ended by itself.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Tells a process to end, and how long it took to.
fn ended(pid: u32) -> Result<Duration, Error> {
    let began = Instant::now();
    if !Command::new("kill").arg(pid.to_string()).status()?.success() {
        return Err("the process cannot be told to end".into());
    }
    // One that nobody has waited for yet is a zombie.
    let lives = || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    while lives() {
        if began.elapsed() > GONE {
            return Err("the server does not end".into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(began.elapsed())
}

/// Asks a server by a client, alone and while another response to it has no end, beside a timer; then ends the client.
async fn client<W: World>(world: &W, plan: &Plan) -> Result<bool, Error> {
    let mut config = Config::default();
    config.limits.interim_responses = u32::MAX;
    let client = Builder::new().config(config).build(world.connector(), world.runtime());
    let uri = format!("http://{}/", good_server()?);
    let alone = on_the_runtime(world, asking(client.clone(), uri.clone(), plan.time)).await?;
    let (flooding, sent) = flooding_server(plan.flood == "tiny")?;
    let (flood, over) = (client.clone(), Arc::new(AtomicBool::new(false)));
    world.runtime().spawn(async move {
        // It fails, since it ends with the client.
        let _ = ask(&flood, &format!("http://{flooding}/")).await;
    });
    world.sleep(Duration::from_millis(200)).await;
    let (late, (ticks, ended)) = (Arc::new(AtomicU64::new(0)), (world.clone(), over.clone()));
    let latest = late.clone();
    world.runtime().spawn(async move {
        while !ended.load(Ordering::Relaxed) {
            let began = Instant::now();
            ticks.sleep(TICK).await;
            let late = began.elapsed().saturating_sub(TICK);
            latest.fetch_max(late.as_micros() as u64, Ordering::Relaxed);
        }
    });
    let (began, before) = (Instant::now(), sent.load(Ordering::Relaxed));
    let flooded = on_the_runtime(world, asking(client.clone(), uri, plan.time)).await?;
    let rate = (sent.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    let told = Instant::now();
    client.shutdown().finish(DRAIN).await;
    let what = format!(
        "{rate:.0} B/s of the flood, the latest timer by {:.2} ms, ends {:.1} ms after it is told, of which {} are the drain's",
        late.load(Ordering::Relaxed) as f64 / 1000.0,
        millis(told.elapsed()),
        DRAIN.as_millis()
    );
    let in_time = Duration::from_micros(late.load(Ordering::Relaxed)) < Duration::from_secs(1);
    Ok(verdict(plan, alone, flooded, &what) && in_time && rate > 0.0)
}

/// Runs a task where the client's connections run: not on the thread that waits for it.
async fn on_the_runtime<W: World>(
    world: &W,
    task: impl Future<Output = Result<Waits, Error>> + Send + 'static,
) -> Result<Waits, Error> {
    let (tell, told) = mpsc::channel();
    world.runtime().spawn(async move {
        let _ = tell.send(task.await);
    });
    loop {
        match told.try_recv() {
            Ok(waits) => return waits,
            Err(mpsc::TryRecvError::Empty) => world.sleep(Duration::from_millis(5)).await,
            Err(mpsc::TryRecvError::Disconnected) => return Err("the task has panicked".into()),
        }
    }
}

async fn asking<C, R>(client: Client<C, R>, uri: String, time: Duration) -> Result<Waits, Error>
where
    C: Connector,
    R: Runtime<Timer: Send> + Send + Sync + 'static,
{
    let (began, mut waits) = (Instant::now(), Waits::default());
    while began.elapsed() < time && waits.0.len() < MOST {
        let asked = Instant::now();
        ask(&client, &uri).await?;
        waits.0.push(asked.elapsed());
    }
    Ok(waits)
}

async fn ask<C, R>(client: &Client<C, R>, uri: &str) -> Result<(), Error>
where
    C: Connector,
    R: Runtime<Timer: Send> + Send + Sync + 'static,
{
    let response = client.request(http::Request::get(uri).body(Full::default())?).await?;
    let mut body = pin!(response.into_body());
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        frame?;
    }
    Ok(())
}

/// A server that answers what it is asked.
fn good_server() -> io::Result<SocketAddr> {
    serve(|stream| {
        while head(stream) {
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, World!").is_err() {
                return;
            }
        }
    })
}

/// A server whose answer has no end: interim responses, or chunks of one byte. Also tells how much of it was sent.
fn flooding_server(tiny: bool) -> io::Result<(SocketAddr, Arc<AtomicU64>)> {
    let sent = Arc::new(AtomicU64::new(0));
    let count = sent.clone();
    let address = serve(move |stream| {
        if !head(stream) {
            return;
        }
        let (first, repeated) = if tiny {
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n")
        } else {
            ("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        };
        let many = repeated.repeat(64 * 1024 / repeated.len());
        let _ = stream.write_all(first.as_bytes());
        while stream.write_all(many.as_bytes()).is_ok() {
            count.fetch_add(many.len() as u64, Ordering::Relaxed);
        }
    })?;
    Ok((address, sent))
}

fn serve(talk: impl Fn(&mut TcpStream) + Clone + Send + 'static) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let talk = talk.clone();
            std::thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                talk(&mut stream);
            });
        }
    });
    Ok(address)
}

/// Reads a request without content; whether there was one.
fn head(stream: &mut TcpStream) -> bool {
    let (mut buffer, mut read) = ([0; 4096], 0);
    while !buffer[..read].ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer[read..]) {
            Ok(length @ 1..) => read += length,
            _ => return false,
        }
    }
    true
}

#[derive(Debug, Default)]
struct Waits(Vec<Duration>);

impl Waits {
    fn measure(time: Duration, mut ask: impl FnMut() -> Result<(), Error>) -> Result<Self, Error> {
        let (began, mut waits) = (Instant::now(), Self::default());
        while began.elapsed() < time && waits.0.len() < MOST {
            let asked = Instant::now();
            ask()?;
            waits.0.push(asked.elapsed());
        }
        Ok(waits)
    }

    /// The wait that so many of a hundred do not exceed.
    fn percentile(&self, of_a_hundred: usize) -> Duration {
        self.0.get(self.0.len().saturating_sub(1) * of_a_hundred / 100).copied().unwrap_or_default()
    }

    fn told(&self) -> String {
        let [half, most, all] = [50, 99, 100].map(|n| millis(self.percentile(n)));
        format!("{half:.3} {most:.3} {all:.3} ({})", self.0.len())
    }
}

/// Prints the waits, and whether those beside the flood are within the bound.
fn verdict(plan: &Plan, mut alone: Waits, mut flooded: Waits, what: &str) -> bool {
    alone.0.sort_unstable();
    flooded.0.sort_unstable();
    let within = flooded.percentile(99) <= alone.percentile(99) + BOUND;
    println!(
        "{:8} alone {}, flooded {} {}; {what}",
        plan.flood,
        alone.told(),
        flooded.told(),
        if within { "ok" } else { "TOO LONG" }
    );
    within
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
