//! Counts what a request costs a client over a socket, ours with its pool beside hyper-util's and beside hyper's bare
//! handle, and prints a table; with `--assert`, fails where a bound is exceeded. With `--peers`, reqwest, ureq and
//! evhttp are counted as well.
//!
//! `clients [--assert] [--peers] [--only CLIENT,…] [--kinds KIND,…]`
//!
//! Instructions and allocations are counted by callgrind, as the difference between a short and a long run of a client,
//! so that what a process does before and after cancels out. The server is this program, outside of callgrind, and
//! writes only when the client sleeps: so each answer finds it in the same state, and the figures repeat.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use benches::contender;
use benches::load;
use benches::report::{count_all, is_within, listed};
use benches::traffic::CONTENT;

/// How long anything may take that takes no time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most that ours may spend on a request, as a ratio to a peer.
const BOUNDS: [(Kind, Client, f64); 8] = [
    (Kind::Get, Client::Reqwest, 0.25),
    (Kind::Get, Client::Ureq, 0.50),
    (Kind::Get, Client::Evhttp, 0.56),
    (Kind::Get, Client::Pool, 0.55),
    (Kind::Get, Client::Handle, 0.98),
    (Kind::Split, Client::Pool, 0.60),
    (Kind::Post, Client::Pool, 0.56),
    (Kind::Joined, Client::Pool, 0.67),
];

/// The most that ours may allocate for a GET.
const ALLOCATIONS: f64 = 4.1;

/// A client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Client {
    /// Ours, with its pool, as it is built without a word: the example `load --level client`.
    Ours,
    /// hyper-util's.
    Pool,
    /// hyper's handle to one connection, without a pool.
    Handle,
    Reqwest,
    /// It blocks.
    Ureq,
    /// libevent's.
    Evhttp,
}

impl Client {
    const ALL: [Self; 6] = [Self::Ours, Self::Pool, Self::Handle, Self::Reqwest, Self::Ureq, Self::Evhttp];

    /// Those that are counted without a word.
    const USUAL: [Self; 3] = [Self::Ours, Self::Pool, Self::Handle];

    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Pool => "hyper-util",
            Self::Handle => "handle",
            Self::Reqwest => "reqwest",
            Self::Ureq => "ureq",
            Self::Evhttp => "evhttp",
        }
    }

    /// Whether it can ask so: one connection is not joined, nor is who blocks.
    fn takes(self, kind: Kind) -> bool {
        kind != Kind::Joined || matches!(self, Self::Ours | Self::Pool | Self::Reqwest)
    }

    fn program(self, built: &Path) -> (PathBuf, &'static [&'static str]) {
        match self {
            Self::Ours => (built.join("examples/load"), &["--level", "client"]),
            Self::Pool => (built.join("asker"), &["pool"]),
            Self::Handle => (built.join("asker"), &["handle"]),
            Self::Reqwest => (built.join("peer-clients"), &["reqwest"]),
            Self::Ureq => (built.join("peer-clients"), &["ureq"]),
            Self::Evhttp => (built.join("evhttp-client"), &[]),
        }
    }
}

/// What is asked, and how it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// GET, and 13 bytes that come with their head.
    Get,
    /// The same, but that they come behind it.
    Split,
    /// POST of 1 KiB.
    Post,
    /// [`Kind::Get`], a hundred at a time by one task.
    Joined,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Get, Self::Split, Self::Post, Self::Joined];

    const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Split => "split",
            Self::Post => "post",
            Self::Joined => "joined",
        }
    }

    const fn mode(self) -> &'static str {
        match self {
            Self::Get | Self::Split => "seq",
            Self::Post => "sink",
            Self::Joined => "joined",
        }
    }
}

fn main() -> ExitCode {
    let (mut asserting, mut clients, mut kinds) = (false, Client::USUAL.to_vec(), Kind::ALL.to_vec());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut list = || words.next().unwrap_or_default();
        match word.as_str() {
            "--assert" => asserting = true,
            "--peers" => clients = Client::ALL.to_vec(),
            "--only" => clients = listed(&list(), &Client::ALL, Client::name).unwrap_or_default(),
            "--kinds" => kinds = listed(&list(), &Kind::ALL, Kind::name).unwrap_or_default(),
            _ => clients.clear(),
        }
    }
    if clients.is_empty() || kinds.is_empty() {
        let (clients, kinds) = (Client::ALL.map(Client::name).join(","), Kind::ALL.map(Kind::name).join(","));
        eprintln!("usage: clients [--assert] [--peers] [--only {clients}] [--kinds {kinds}]");
        return ExitCode::from(2);
    }
    let began = Instant::now();
    let built = contender::built();
    clients.retain(|client| {
        let is_built = client.program(&built).0.exists();
        if !is_built {
            eprintln!("SKIPPED: {}, which is not built", client.name());
        }
        is_built
    });
    let pairs = clients.iter().flat_map(|client| kinds.iter().map(|kind| (*client, *kind)));
    let pairs: Vec<_> = pairs.filter(|(client, kind)| client.takes(*kind)).collect();
    let figures = match count(&pairs, &built) {
        Ok(figures) => figures,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    print(&figures);
    let holds = judge(&figures);
    println!("\n{:.0} s", began.elapsed().as_secs_f64());
    if asserting && !holds { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What a request costs, or a process.
#[derive(Clone, Copy, Debug)]
struct Cost {
    instructions: f64,
    allocations: f64,
}

type Figures = BTreeMap<(Client, Kind), Cost>;

/// Counts all pairs.
fn count(pairs: &[(Client, Kind)], built: &Path) -> Result<Figures, String> {
    let name = |(client, kind): (Client, Kind)| format!("{}, {}", client.name(), kind.name());
    count_all(pairs, name, |(client, kind)| difference(client, kind, built))
}

/// A short run and a long one, and what a request costs by them.
fn difference(client: Client, kind: Kind, built: &Path) -> io::Result<Cost> {
    let (short, long) = if kind == Kind::Joined { (400, 2000) } else { (160, 800) };
    let (less, more) = (run(client, kind, built, short)?, run(client, kind, built, long)?);
    let each = |less: f64, more: f64| (more - less) / (long - short) as f64;
    Ok(Cost {
        instructions: each(less.instructions, more.instructions),
        allocations: each(less.allocations, more.allocations),
    })
}

/// Starts a client under callgrind, and answers it until it ends.
fn run(client: Client, kind: Kind, built: &Path, requests: usize) -> io::Result<Cost> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let out = std::env::temp_dir().join(format!("clients-{}-{port}.out", std::process::id()));
    let (program, words) = client.program(built);
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["-q", "--tool=callgrind"]).arg(format!("--callgrind-out-file={}", out.display())).arg(program);
    valgrind.args(words).args(["--mode", kind.mode(), "--port", &port.to_string(), "--n", &requests.to_string()]);
    if kind == Kind::Post {
        valgrind.args(["--size", &CONTENT.to_string()]);
    }
    let mut child = valgrind.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let served = Server::new(listener, kind)?.serve(&mut child, requests);
    if served.is_err() {
        let _ = child.kill();
    }
    let status = child.wait()?;
    served?;
    if !status.success() {
        return Err(io::Error::other(format!("ended with {status}")));
    }
    let profile = std::fs::read_to_string(&out)?;
    let _ = std::fs::remove_file(&out);
    Ok(Cost { instructions: instructions(&profile), allocations: allocations(&profile) })
}

/// The sum of a profile of callgrind's.
fn instructions(profile: &str) -> f64 {
    let totals = profile.lines().find_map(|line| line.strip_prefix("totals:")?.trim().parse().ok());
    totals.unwrap_or(f64::NAN)
}

/// How often a profile has the allocator called, whoever calls it but itself.
fn allocations(profile: &str) -> f64 {
    let mut ids = HashSet::new();
    let (mut calls, mut callee, mut within) = (0, false, false);
    for line in profile.lines() {
        // A name stands where its number is used first: `fn=(12) malloc`.
        let mut is_one = |rest: &str| {
            let (id, name) = rest.split_once(' ').unwrap_or((rest, ""));
            if ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign"].contains(&name) {
                ids.insert(id.to_owned());
            }
            ids.contains(id)
        };
        if let Some(rest) = line.strip_prefix("fn=") {
            within = is_one(rest);
        } else if let Some(rest) = line.strip_prefix("cfn=") {
            callee = is_one(rest);
        } else if let Some(rest) = line.strip_prefix("calls=") {
            if callee && !within {
                calls += rest.split(' ').next().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
            }
        }
    }
    calls as f64
}

/// Answers requests whose client sleeps.
struct Server {
    listener: TcpListener,
    connections: Vec<(TcpStream, Vec<u8>)>,
    split: bool,
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\
    Date: Thu, 26 Nov 2026 12:00:00 GMT\r\n\r\n";
const HELLO: &[u8] = b"Hello, World!";

impl Server {
    fn new(listener: TcpListener, kind: Kind) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { listener, connections: Vec::new(), split: kind == Kind::Split })
    }

    /// Answers so many requests.
    fn serve(&mut self, client: &mut Child, requests: usize) -> io::Result<()> {
        let mut answered = 0;
        while answered < requests {
            self.rest(client)?;
            let asked = self.read()?;
            if asked.is_empty() {
                continue;
            }
            answered += asked.len();
            if self.split {
                self.write(&asked, HEAD)?;
                self.rest(client)?;
                self.write(&asked, HELLO)?;
            } else {
                self.write(&asked, &[HEAD, HELLO].concat())?;
            }
        }
        Ok(())
    }

    /// Waits until the client sleeps, and has done something before.
    fn rest(&mut self, client: &mut Child) -> io::Result<()> {
        let began = Instant::now();
        loop {
            std::thread::sleep(Duration::from_micros(20));
            if let Some(status) = client.try_wait()? {
                return Err(io::Error::other(format!("ended with {status}")));
            }
            if !load::works(client.id())? {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(io::Error::other("does not come to rest"));
            }
        }
    }

    /// Reads what has come, and returns the places of the connections with a whole request.
    fn read(&mut self) -> io::Result<Vec<usize>> {
        while let Some((stream, _)) = unless_blocked(self.listener.accept())? {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            self.connections.push((stream, Vec::new()));
        }
        let mut asked = Vec::new();
        let mut bytes = [0; 4096];
        let mut ended = Vec::new();
        for (at, (stream, unread)) in self.connections.iter_mut().enumerate() {
            while let Some(count) = unless_blocked(stream.read(&mut bytes))? {
                if count == 0 {
                    ended.push(at);
                    break;
                }
                unread.extend_from_slice(&bytes[..count]);
            }
            let head = unread.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(head) = head {
                let size = head + 4 + if unread.starts_with(b"POST") { CONTENT } else { 0 };
                if unread.len() >= size {
                    unread.drain(..size);
                    asked.push(at);
                }
            }
        }
        if asked.is_empty() {
            for at in ended.into_iter().rev() {
                self.connections.swap_remove(at);
            }
        }
        Ok(asked)
    }

    fn write(&mut self, asked: &[usize], bytes: &[u8]) -> io::Result<()> {
        asked.iter().try_for_each(|at| self.connections[*at].0.write_all(bytes))
    }
}

fn unless_blocked<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

fn ratio(figures: &Figures, kind: Kind, peer: Client) -> Option<f64> {
    Some(figures.get(&(Client::Ours, kind))?.instructions / figures.get(&(peer, kind))?.instructions)
}

fn print(figures: &Figures) {
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| figures.keys().any(|key| key.1 == *kind)).collect();
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    println!("| client | {} |\n|---|{}", names.join(" | "), "---:|".repeat(kinds.len()));
    for client in Client::ALL.into_iter().filter(|client| figures.keys().any(|key| key.0 == *client)) {
        let cell = |kind: &Kind| {
            let Some(cost) = figures.get(&(client, *kind)) else { return String::new() };
            let ratio = ratio(figures, *kind, client).filter(|_| client != Client::Ours);
            let ratio = ratio.map(|ratio| format!(", ours {ratio:.2}")).unwrap_or_default();
            format!("{:.0} ({:.1}{ratio})", cost.instructions, cost.allocations)
        };
        println!("| {} | {} |", client.name(), kinds.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
    println!();
}

/// Whether all that was counted is within its bound.
fn judge(figures: &Figures) -> bool {
    let mut holds = true;
    for (kind, peer, most) in BOUNDS {
        let Some(ratio) = ratio(figures, kind, peer) else { continue };
        holds &= is_within(&format!("{}, ours to {}", kind.name(), peer.name()), ratio, most);
    }
    if let Some(get) = figures.get(&(Client::Ours, Kind::Get)) {
        holds &= is_within("get, allocations", get.allocations, ALLOCATIONS);
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_the_allocator_are_found_by_its_names() {
        let profile = "fn=(1) main\ncfn=(2) malloc\ncalls=3 1\n1 9\ncfn=(3) free\ncalls=2 1\n1 2\n\
            fn=(4) realloc\ncfn=(2)\ncalls=5 1\n1 2\nfn=(5) other\ncfn=(4)\ncalls=7 1\n1 1\ncfn=(2)\ncalls=1 0\n1 1\n\
            totals: 321\n";
        assert_eq!((allocations(profile), instructions(profile)), (11.0, 321.0));
    }
}
