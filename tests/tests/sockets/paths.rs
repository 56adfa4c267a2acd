//! A server of threads that does what the path says, and keeps its connections.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::strangers::anywhere;

/// How long it takes to answer `/slow`.
pub(crate) const SLOW: Duration = Duration::from_millis(200);

/// The server, as long as its process lives.
#[derive(Clone)]
pub(crate) struct Paths {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Paths {
    pub(crate) fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(anywhere())?;
        let (accepted, asked, open, taken) = Default::default();
        let paths = Self { address: listener.local_addr()?, accepted, asked, open, taken };
        let server = paths.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), server) = (stream, server.clone()) else { return };
                server.accepted.fetch_add(1, Ordering::SeqCst);
                server.open.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    let _ = server.serve(stream);
                    server.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Ok(paths)
    }

    /// How many connections were made.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// How many of them are open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// How many requests came.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// What was asked for, in order.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.taken.lock().map(|taken| taken.clone()).unwrap_or_default()
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut read = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                    break at + 4;
                }
                let mut chunk = [0; 4096];
                match stream.read(&mut chunk)? {
                    0 => return Ok(()),
                    count => read.extend_from_slice(&chunk[..count]),
                }
            };
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            read.drain(..end);
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            if let Ok(mut taken) = self.taken.lock() {
                taken.push(path.clone());
            }
            self.asked.fetch_add(1, Ordering::SeqCst);
            let whole = |path: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len());
            match path.as_str() {
                "/stuck" => while stream.read(&mut [0; 64])? > 0 {},
                "/half" => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")?;
                    while stream.read(&mut [0; 64])? > 0 {}
                }
                "/events" => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")?;
                    while stream.read(&mut [0; 64])? > 0 {}
                }
                // The head before the content of the request is there, and then how long that was.
                "/early" => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                    let count = self.chunks(&mut stream, &mut read, |_, _| Ok(()))?;
                    let count = count.to_string();
                    stream.write_all(format!("{:x}\r\n{count}\r\n0\r\n\r\n", count.len()).as_bytes())?;
                }
                "/echo" => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                    self.chunks(&mut stream, &mut read, |stream, chunk| {
                        stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
                        stream.write_all(chunk)?;
                        stream.write_all(b"\r\n")
                    })?;
                    stream.write_all(b"0\r\n\r\n")?;
                }
                path => {
                    if path == "/slow" {
                        std::thread::sleep(SLOW);
                    }
                    stream.write_all(whole(path).as_bytes())?;
                }
            }
        }
    }

    /// The content of a request in chunks; how long it is.
    fn chunks(
        &self,
        stream: &mut TcpStream,
        read: &mut Vec<u8>,
        mut each: impl FnMut(&mut TcpStream, &[u8]) -> std::io::Result<()>,
    ) -> std::io::Result<usize> {
        let mut total = 0;
        loop {
            let at = loop {
                if let Some(at) = read.windows(2).position(|bytes| bytes == b"\r\n") {
                    break at;
                }
                Self::more(stream, read)?;
            };
            let line = String::from_utf8_lossy(&read[..at]).into_owned();
            let size = usize::from_str_radix(&line, 16).map_err(std::io::Error::other)?;
            while read.len() < at + 2 + size + 2 {
                Self::more(stream, read)?;
            }
            let chunk: Vec<u8> = read.drain(..at + 2 + size + 2).skip(at + 2).take(size).collect();
            if size == 0 {
                return Ok(total);
            }
            total += size;
            each(stream, &chunk)?;
        }
    }

    fn more(stream: &mut TcpStream, read: &mut Vec<u8>) -> std::io::Result<()> {
        let mut chunk = [0; 16384];
        match stream.read(&mut chunk)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => {
                read.extend_from_slice(&chunk[..count]);
                Ok(())
            }
        }
    }
}
