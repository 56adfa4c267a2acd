//! Peers that mean no good, many of them, and one that is served meanwhile.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_core::Config;
use http_driver::Incoming;
use http_driver::server::WhenFull;

use crate::sockets::bodies::Told;
use crate::sockets::clients::{Networked, content};
use crate::sockets::servers::{Running, server};
use crate::sockets::strangers::{AT_ONCE, dial, head, stranger};
use crate::sockets::{Outcome, eventually};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// 256 times this is more than a kernel takes at once.
static PIECE: [u8; 65_536] = [b'x'; 65_536];

/// Answers at length where that is asked for, and else reads what comes; `/panic` is a fault.
async fn serve(request: Request<Incoming>) -> Result<Response<Told>, http_driver::Error> {
    assert_ne!(request.uri().path(), "/panic", "as the test wants it");
    let long = request.uri().path() == "/long";
    content(request.into_body()).await?;
    Ok(Response::new(if long { Told::sized([&PIECE[..]; 256]) } else { Told::sized(["fine"]) }))
}

/// One that does as it should, and is served in time.
struct Good(TcpStream);

impl Good {
    fn dial(address: SocketAddr) -> Self {
        Self(dial(address))
    }

    fn is_served(&self) {
        let began = Instant::now();
        (&self.0).write_all(GET).unwrap();
        assert!(head(&self.0).starts_with("HTTP/1.1 200 "));
        (&self.0).read_exact(&mut [0; 4]).unwrap();
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

/// How much of their time slow ones take.
#[derive(Clone, Copy)]
enum Slow {
    Head,
    Content,
    Reading,
}

/// Slow ones come in numbers and drip on; each is cut in time.
async fn slowloris<W: Networked>(world: W, slow: Slow) -> Outcome {
    const MANY: usize = 40;
    let mut config = Config::default();
    config.timeouts.head = Duration::from_millis(300);
    // What a kernel took at once bought no more time than this.
    config.timeouts.content = Duration::from_millis(300);
    config.timeouts.content_grace = Duration::from_millis(300);
    config.timeouts.linger = Duration::from_millis(100);
    let running = Running::start(&world, server(&world).config(config), serve).await?;
    let (address, shutdown) = (running.address, running.shutdown);
    stranger(&world, move || {
        let good = Good::dial(address);
        let begin: &[u8] = match slow {
            Slow::Head => b"GET / HTTP/1.1\r\nHost: a\r\nX: ",
            Slow::Content => b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
            Slow::Reading => b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n",
        };
        let many: Vec<_> = (0..MANY)
            .map(|_| {
                let stream = dial(address);
                (&stream).write_all(begin).unwrap();
                stream
            })
            .collect();
        let began = Instant::now();
        let mut most = 0;
        loop {
            good.is_served();
            let there = shutdown.connections();
            most = most.max(there);
            if most > MANY && there == 1 {
                return;
            }
            assert!(began.elapsed() < AT_ONCE, "{there} of {most} are still there");
            for mut stream in &many {
                // Whether it is there still is the server's to say.
                let _ = match slow {
                    Slow::Reading => stream.read(&mut [0; 100]),
                    Slow::Head | Slow::Content => stream.write(b"x"),
                };
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    })
    .await;
    Ok(())
}

async fn slowloris_in_heads<W: Networked>(world: W) -> Outcome {
    slowloris(world, Slow::Head).await
}

async fn slowloris_in_content<W: Networked>(world: W) -> Outcome {
    slowloris(world, Slow::Content).await
}

async fn slowloris_in_reading<W: Networked>(world: W) -> Outcome {
    slowloris(world, Slow::Reading).await
}

/// As many sockets as this process may have for both ends of a flood, 2,000 at most.
fn flood_size() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let most = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok()).unwrap_or(1024_usize);
    (most.saturating_sub(200) / 2).min(2000)
}

/// Connections that say nothing; those that find no room wait for it.
fn flood(address: SocketAddr, count: usize) -> Vec<socket2::Socket> {
    (0..count)
        .map(|_| {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            // In progress, if it is not there at once.
            let _ = socket.connect(&address.into());
            socket
        })
        .collect()
}

async fn a_flood_of_connections_holds_up_nobody<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), serve).await?;
    let (address, shutdown, many) = (running.address, running.shutdown.clone(), flood_size());
    stranger(&world, move || {
        let good = Good::dial(address);
        let mut all = Vec::new();
        for _ in 0..10 {
            all.extend(flood(address, many / 10));
            good.is_served();
            Good::dial(address).is_served();
        }
        assert!(shutdown.connections() > many / 2, "{} of {many}", shutdown.connections());
    })
    .await;
    eventually(&world, "all of them are gone", || running.shutdown.connections() == 0).await;
    Ok(())
}

async fn a_flood_beyond_the_limit_holds_up_nobody_within<W: Networked>(world: W) -> Outcome {
    const LIMIT: usize = 50;
    for when_full in [WhenFull::Pause, WhenFull::Refuse] {
        let limited = server(&world).max_connections(LIMIT).when_full(when_full);
        let running = Running::start(&world, limited, serve).await?;
        let (address, shutdown, many) = (running.address, running.shutdown.clone(), flood_size());
        stranger(&world, move || {
            let good = Good::dial(address);
            good.is_served();
            let mut all = Vec::new();
            for _ in 0..10 {
                all.extend(flood(address, many / 10));
                good.is_served();
                assert!(shutdown.connections() <= LIMIT, "{} connections", shutdown.connections());
            }
            drop(all);
            // The flood is over, and its sockets are let through one by one, to be found dead.
            let began = Instant::now();
            while shutdown.connections() > 1 {
                assert!(began.elapsed() < AT_ONCE, "{} connections", shutdown.connections());
                std::thread::sleep(Duration::from_millis(5));
            }
            good.is_served();
            Good::dial(address).is_served();
        })
        .await;
    }
    Ok(())
}

async fn handlers_that_panic_harm_nobody_else<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), serve).await?;
    let (address, shutdown) = (running.address, running.shutdown.clone());
    stranger(&world, move || {
        let good = Good::dial(address);
        for _ in 0..20 {
            let unlucky = dial(address);
            (&unlucky).write_all(b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            let cut = (&unlucky).read(&mut [0; 64]);
            assert!(
                !matches!(&cut, Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)),
                "{cut:?}"
            );
            good.is_served();
        }
        assert_eq!(shutdown.served(), 40);
    })
    .await;
    eventually(&world, "what panicked is gone", || running.shutdown.connections() == 0).await;
    assert_eq!(running.shutdown.exchanges(), 0, "and counts no more");
    Ok(())
}

on_both! {
    slowloris_in_heads
    slowloris_in_content
    slowloris_in_reading
    a_flood_of_connections_holds_up_nobody
    a_flood_beyond_the_limit_holds_up_nobody_within
    handlers_that_panic_harm_nobody_else
}
