//! Strangers: peers that know sockets and bytes, and block.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::world::World;

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Well below every default deadline: what is said to happen at once happens within it, on a busy machine too.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(2500);

pub(crate) fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Runs a blocking stranger beside the runtime and waits for it.
pub(crate) async fn stranger<W: World, O: Send + 'static>(world: &W, work: impl FnOnce() -> O + Send + 'static) -> O {
    let thread = std::thread::spawn(work);
    while !thread.is_finished() {
        world.sleep(Duration::from_millis(2)).await;
    }
    thread.join().unwrap()
}

/// A stranger's connection, with patience enough for what happens at once.
pub(crate) fn dial(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(AT_ONCE)).unwrap();
    stream
}

/// All that a server answers to some bytes, until it closes.
pub(crate) fn talk(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// Everything up to the end of the stream, which has to come at once.
pub(crate) fn rest(mut stream: impl Read) -> String {
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(ended.is_ok(), "no end of the stream after {answer:?}: {ended:?}");
    answer
}

/// Reads up to the end of a head.
pub(crate) fn head(mut stream: impl Read) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap_or_else(|e| panic!("{e} after {}", head.escape_ascii()));
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}
