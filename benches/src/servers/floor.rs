//! What no server on tokio can do without: bytes are read and written, and next to nothing is understood of them.
//!
//! A connection that waits holds a socket and its task; one buffer serves all of them.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::{BYTES_PIECE, ZEROS};

const PLAIN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n\
    date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\nHello, World!";

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; BYTES_PIECE]);
}

/// What the bytes of one read ask for.
enum Asked {
    Plain,
    Bytes(u64),
    /// So much content, and so much of it was read with its head.
    Sink(u64, u64),
}

/// Serves what `listener` accepts.
pub async fn serve(listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let _ = answer(stream).await;
        });
    }
}

async fn answer(stream: TcpStream) -> io::Result<()> {
    let mut stream = stream;
    loop {
        match read(&stream, asked).await? {
            Some(Asked::Plain) => write(&stream, PLAIN).await?,
            // Apart, so that a connection which waits has no room for what these need.
            Some(Asked::Bytes(total)) => Box::pin(bytes(&mut stream, total)).await?,
            Some(Asked::Sink(total, read)) => Box::pin(sink(&mut stream, total, read)).await?,
            None => return Ok(()),
        }
    }
}

/// What `look` makes of the next bytes.
async fn read<O>(stream: &TcpStream, look: impl Fn(&[u8]) -> O) -> io::Result<O> {
    loop {
        stream.readable().await?;
        let found = BUFFER.with_borrow_mut(|buffer| stream.try_read(buffer).map(|count| look(&buffer[..count])));
        match found {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            found => return found,
        }
    }
}

async fn write(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Takes heads for whole, as a client here sends them.
fn asked(bytes: &[u8]) -> Option<Asked> {
    if bytes.starts_with(b"GET /plain") {
        return Some(Asked::Plain);
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let number = |prefix| head.split_once(prefix)?.1.split_ascii_whitespace().next()?.parse().ok();
    if head.starts_with("POST /sink") {
        return Some(Asked::Sink(number("Content-Length: ")?, (bytes.len() - end - 4) as u64));
    }
    number("GET /bytes/").map(Asked::Bytes)
}

async fn bytes(stream: &mut TcpStream, total: u64) -> io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {total}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut left = total;
    while left > 0 {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(BYTES_PIECE);
        stream.write_all(&ZEROS[..size]).await?;
        left -= size as u64;
    }
    Ok(())
}

async fn sink(stream: &mut TcpStream, total: u64, read_before: u64) -> io::Result<()> {
    let mut left = total - read_before.min(total);
    while left > 0 {
        match read(stream, <[u8]>::len).await? as u64 {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => left -= count.min(left),
        }
    }
    let digits = total.to_string();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{digits}", digits.len());
    stream.write_all(answer.as_bytes()).await
}
