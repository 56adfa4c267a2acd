//! What connections over real sockets hold on the heap, counted on the one thread that they run on.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use benches::heap::{self, Counting};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_driver::server::{Connection, Options, serve_connection};
use http_driver::{Full, Incoming, service_fn};
use http_tokio::{Server, TokioIo, TokioRuntime};
use tokio::net::TcpListener;

#[global_allocator]
static HEAP: Counting = Counting;

/// Enough that what all of them share does not count.
const MANY: usize = 400;

fn held() -> i64 {
    heap::counts().held
}

fn on_one_thread<O>(work: impl Future<Output = O>) -> O {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Lets everything run that can.
async fn settle() {
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Longer than a connection keeps what it works with between two requests.
const REST: Duration = Duration::from_millis(1500);

/// What one socket of tokio's holds.
async fn socket(listener: &TcpListener, address: SocketAddr) -> i64 {
    let mut sockets = Vec::with_capacity(2 * MANY);
    let before = held();
    for _ in 0..MANY {
        sockets.push(Err(TcpStream::connect(address).unwrap()));
        sockets.push(Ok(listener.accept().await.unwrap().0));
    }
    (held() - before) / MANY as i64
}

#[test]
fn an_idle_connection_of_a_server_holds_less_than_1_kib_beside_its_socket() {
    on_one_thread(async {
        let (listener, address) = listen().await;
        let socket = socket(&listener, address).await;
        let hello = |_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::from("Hello"))) };
        let mut clients = Vec::with_capacity(MANY);
        tokio::spawn(async move {
            Server::new().serve(listener, service_fn(hello)).await;
        });
        settle().await;
        let before = held();
        for n in 0..MANY {
            clients.push(TcpStream::connect(address).unwrap());
            if n % 100 == 99 {
                // The system's queue of connections has its limit.
                settle().await;
            }
        }
        let unused = (held() - before) / MANY as i64 - socket;
        for mut client in &clients {
            client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n").unwrap();
        }
        settle().await;
        for mut client in &clients {
            let mut answer = [0; 512];
            let count = client.read(&mut answer).unwrap();
            assert!(answer[..count].ends_with(b"Hello"));
        }
        tokio::time::sleep(REST).await;
        let used = (held() - before) / MANY as i64 - socket;
        println!("{unused} bytes before the first request, {used} after it, beside {socket} of the socket");
        assert!(unused < 1024 && used < 1024, "{unused} before the first request, {used} after it");
        // One that has said nothing has no timer either.
        assert!(unused < 512, "{unused} before the first request");
        assert!(unused <= used, "nothing is there to work with before there is work: {unused}, {used}");
    });
}

#[test]
fn the_future_of_an_idle_connection_is_small() {
    on_one_thread(async {
        let (listener, address) = listen().await;
        let _client = TcpStream::connect(address).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let hello = |_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::from("Hello"))) };
        let connection = Connection::new(TokioIo::new(stream), TokioRuntime, Arc::default());
        println!("the connection is {} bytes at the exchange level", size_of_val(&connection));
        let serving = serve_connection(connection, service_fn(hello), Options::default(), None);
        println!("the future of the connection is {} bytes at the service level", size_of_val(&serving));
        assert!(size_of_val(&serving) <= 256, "{}", size_of_val(&serving));
    });
}

/// A gibibyte in pieces that are made as they are asked for.
struct Gibibyte {
    left: usize,
    /// The most that is held at any time, told at each piece.
    most: Arc<AtomicI64>,
    before: i64,
}

const PIECE: usize = 64 * 1024;

impl Body for Gibibyte {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= PIECE;
        let piece = Bytes::from(vec![b'x'; PIECE]);
        self.most.fetch_max(held() - self.before, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

#[test]
fn a_slow_reader_of_a_gibibyte_holds_at_most_256_kib() {
    on_one_thread(async {
        let (listener, address) = listen().await;
        // In a thread of its own, which is not counted: it reads as fast as it can, and rests from time to time.
        let reader = std::thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
            let (mut buffer, mut total, mut rests) = (vec![0; 1 << 20], 0, 0);
            loop {
                match stream.read(&mut buffer).unwrap() {
                    0 => return total,
                    count => total += count,
                }
                if total >> 26 > rests {
                    rests += 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        });
        let (stream, _) = listener.accept().await.unwrap();
        let most = Arc::new(AtomicI64::new(0));
        let before = held();
        let told = most.clone();
        let service = service_fn(move |_: Request<Incoming>| {
            let body = Gibibyte { left: 1 << 30, most: told.clone(), before };
            async { Ok::<_, Infallible>(Response::new(body)) }
        });
        let connection = Connection::new(TokioIo::new(stream), TokioRuntime, Arc::default());
        assert!(serve_connection(connection, service, Options::default(), None).await.is_ok());
        assert!(reader.join().unwrap() > 1 << 30);
        let most = most.load(Ordering::Relaxed);
        println!("at most {most} bytes");
        assert!((PIECE as i64..=256 * 1024).contains(&most), "{most} bytes");
    });
}
