//! A proxy of bytes that mistreats connections.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::random::Random;

/// What is done to a connection. Each number of bytes is counted in one direction.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Nothing.
    Spared,
    /// Reset as soon as it is there.
    Refused,
    /// Ended in both directions, in order, after so many bytes of the client.
    CutRequest(u64),
    /// The same after so many bytes of the server.
    CutResponse(u64),
    /// Reset after so many bytes of the client.
    ResetRequest(u64),
    /// Reset after so many bytes of the server.
    ResetResponse(u64),
    /// The server's direction ends after so many bytes; the client's goes on.
    HalfClosed(u64),
    /// After so many bytes of the server nothing moves for longer than anybody waits.
    Stalled(u64),
    /// Everything comes in small pieces, late.
    Delayed(u64),
}

const FATES: u64 = 8;

impl Fate {
    /// Every fourth connection is spared.
    fn of(connection: u64, random: &mut Random) -> Self {
        if connection % 4 == 3 {
            return Self::Spared;
        }
        // Most connections carry a few exchanges first; some do not survive their first head.
        let after = if random.below(4) == 0 { random.below(200) } else { random.below(40_000) };
        match random.below(FATES) {
            0 => Self::Refused,
            1 => Self::CutRequest(after),
            2 => Self::CutResponse(after),
            3 => Self::ResetRequest(after),
            4 => Self::ResetResponse(after),
            5 => Self::HalfClosed(after),
            6 => Self::Stalled(after),
            _ => Self::Delayed(random.below(8) + 1),
        }
    }
}

/// How one direction of a connection ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    InOrder,
    HalfClosed,
    Reset,
    Stalled,
}

pub(crate) struct Proxy {
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    open: AtomicUsize,
    accepted: AtomicUsize,
    spared: AtomicUsize,
}

impl Proxy {
    /// Passes connections on to `server`, each as its fate has it.
    pub(crate) fn start(server: SocketAddr, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let shared = counts.clone();
        thread::spawn(move || {
            let mut random = Random::new(seed);
            for (connection, client) in (0..).zip(listener.incoming()) {
                let Ok(client) = client else { continue };
                let fate = Fate::of(connection, &mut random);
                shared.accepted.fetch_add(1, Ordering::SeqCst);
                if let Fate::Spared = fate {
                    shared.spared.fetch_add(1, Ordering::SeqCst);
                }
                shared.open.fetch_add(1, Ordering::SeqCst);
                let shared = shared.clone();
                thread::spawn(move || {
                    // What goes wrong here is one more thing that can go wrong.
                    let _ = carry(client, server, fate);
                    shared.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Ok(Self { address, counts })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there are.
    pub(crate) fn open(&self) -> usize {
        self.counts.open.load(Ordering::SeqCst)
    }

    pub(crate) fn told(&self) -> String {
        let [accepted, spared] = [&self.counts.accepted, &self.counts.spared].map(|n| n.load(Ordering::SeqCst));
        format!("{accepted} connections, {spared} of them spared")
    }
}

fn carry(client: TcpStream, server: SocketAddr, fate: Fate) -> io::Result<()> {
    if let Fate::Refused = fate {
        return SockRef::from(&client).set_linger(Some(Duration::ZERO));
    }
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let pause = if let Fate::Delayed(pause) = fate { pause } else { 0 };
    let (up, down) = match fate {
        Fate::CutRequest(after) => (Some((after, End::InOrder)), None),
        Fate::ResetRequest(after) => (Some((after, End::Reset)), None),
        Fate::CutResponse(after) => (None, Some((after, End::InOrder))),
        Fate::ResetResponse(after) => (None, Some((after, End::Reset))),
        Fate::HalfClosed(after) => (None, Some((after, End::HalfClosed))),
        Fate::Stalled(after) => (None, Some((after, End::Stalled))),
        Fate::Spared | Fate::Refused | Fate::Delayed(_) => (None, None),
    };
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    let upward = thread::spawn(move || pass(&from, &to, up, pause));
    let ended = pass(&server, &client, down, pause);
    let other = upward.join();
    drop((ended, other));
    Ok(())
}

/// Passes bytes on until the end, or until it is made.
fn pass(mut from: &TcpStream, mut to: &TcpStream, until: Option<(u64, End)>, pause: u64) -> io::Result<()> {
    let mut buffer = [0; 8192];
    let mut left = until.map_or(u64::MAX, |(after, _)| after);
    while left > 0 {
        let room = if pause > 0 { 700 } else { buffer.len() };
        let most = room.min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = match from.read(&mut buffer[..most]) {
            Ok(0) => return to.shutdown(Shutdown::Write),
            Ok(count) => count,
            Err(error) => {
                end(from, to, End::Reset);
                return Err(error);
            }
        };
        thread::sleep(Duration::from_millis(pause));
        if let Err(error) = to.write_all(&buffer[..count]) {
            end(from, to, End::Reset);
            return Err(error);
        }
        left -= count as u64;
    }
    if let Some((_, how)) = until {
        end(from, to, how);
    }
    Ok(())
}

fn end(from: &TcpStream, to: &TcpStream, how: End) {
    match how {
        End::HalfClosed => drop(to.shutdown(Shutdown::Write)),
        End::Stalled => thread::sleep(Duration::from_millis(1500)),
        End::Reset => {
            for socket in [from, to] {
                let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
            }
        }
        End::InOrder => {}
    }
    if how != End::HalfClosed {
        // The other direction's thread is woken by it; with no lingering the last close resets.
        for socket in [from, to] {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}
