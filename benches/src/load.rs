//! Servers in processes of their own, and a client that blocks: what sockets are measured with.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::traffic::Kind;

/// How long anything may take that takes no time.
const PATIENCE: Duration = Duration::from_secs(20);

/// A certificate for `localhost`, its key, and who trusts it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// As PEM.
    pub cert: String,
    /// As PEM.
    pub key: String,
    /// One cipher suite, and each session a new one: servers of all kinds have the same to do.
    pub client: Arc<ClientConfig>,
}

impl Identity {
    /// A new one.
    ///
    /// # Panics
    /// If the system has no random numbers.
    #[must_use]
    pub fn generate() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let cert = made.cert.pem();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(cert.as_bytes()).expect("a certificate")).expect("a root");
        let suites = vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256];
        let provider = CryptoProvider { cipher_suites: suites, ..ring::default_provider() };
        let mut client = ClientConfig::builder_with_provider(provider.into())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("a suite of that version")
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        client.resumption = Resumption::disabled();
        Self { cert, key: made.signing_key.serialize_pem(), client: client.into() }
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A connection to a server.
pub struct Client {
    stream: Stream,
    /// What was read beyond the last answer.
    beyond: Vec<u8>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// Connects to a port of this machine; speaks TLS if it is told whom to trust.
    ///
    /// # Errors
    /// Those of the socket and of TLS.
    pub fn connect(port: u16, tls: Option<&Arc<ClientConfig>>) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let stream = match tls {
            None => Stream::Plain(stream),
            Some(tls) => {
                let name = ServerName::try_from("localhost").expect("a name");
                let session = ClientConnection::new(tls.clone(), name).map_err(io::Error::other)?;
                Stream::Tls(Box::new(StreamOwned::new(session, stream)))
            }
        };
        Ok(Self { stream, beyond: Vec::new() })
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// Those of the socket and of TLS.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    /// Reads some bytes.
    ///
    /// # Errors
    /// Those of the socket and of TLS.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }

    /// Reads one answer whose length is announced.
    ///
    /// # Errors
    /// Those of the socket and of TLS, or that there is no such answer.
    pub fn answer(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some((head, length)) = sizes(&self.beyond)? {
                let size = head + usize::try_from(length).map_err(io::Error::other)?;
                if size <= self.beyond.len() {
                    let rest = self.beyond.split_off(size);
                    return Ok(std::mem::replace(&mut self.beyond, rest));
                }
            }
            self.read_more()?;
        }
    }

    /// Reads the head of an answer, and returns the length that it announces.
    ///
    /// # Errors
    /// Those of the socket and of TLS, or that it announces none.
    pub fn skip_head(&mut self) -> io::Result<u64> {
        loop {
            if let Some((head, length)) = sizes(&self.beyond)? {
                self.beyond.drain(..head);
                return Ok(length);
            }
            self.read_more()?;
        }
    }

    /// Reads so many bytes of content.
    ///
    /// # Errors
    /// Those of the socket and of TLS.
    pub fn skip(&mut self, length: u64) -> io::Result<()> {
        let mut left = length - (self.beyond.len() as u64).min(length);
        self.beyond.clear();
        let mut buffer = vec![0; 64 * 1024];
        while left > 0 {
            match self.read(&mut buffer)? as u64 {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => left -= count.min(left),
            }
        }
        Ok(())
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.beyond.extend_from_slice(&buffer[..count]);
                Ok(())
            }
        }
    }

    /// Reads exactly `size` bytes of answers.
    ///
    /// # Errors
    /// Those of the socket and of TLS, or that there are more.
    fn swallow(&mut self, size: usize) -> io::Result<()> {
        let mut left = size;
        let mut buffer = [0; 64 * 1024];
        while left > 0 {
            let count = self.read(&mut buffer)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            left = left.checked_sub(count).ok_or_else(|| io::Error::other("answers of unequal length"))?;
        }
        Ok(())
    }

    /// Takes as many bytes as the first answers of one write have left.
    fn swallow_rest(&mut self, size: usize) -> io::Result<()> {
        let left = size.checked_sub(std::mem::take(&mut self.beyond).len());
        self.swallow(left.ok_or_else(|| io::Error::other("answers of unequal length"))?)
    }
}

/// The sizes of head and content of the answer that begins here, once its head is there.
fn sizes(bytes: &[u8]) -> io::Result<Option<(usize, u64)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end]).map_err(io::Error::other)?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    match length {
        Some(length) if head.starts_with("http/1.1 200 ") => Ok(Some((end + 4, length))),
        _ => Err(io::Error::other(format!("cannot be counted: {head}"))),
    }
}

/// What an answer says, whatever the order and the case of its fields, but for `Date` and `Server`.
#[must_use]
pub fn said(answer: &[u8]) -> (String, Vec<String>, Vec<u8>) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default().to_owned();
    let fields = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| {
        let name = name.to_ascii_lowercase();
        format!("{name}: {}", value.trim())
    });
    let fields = fields.filter(|field| !field.starts_with("date:") && !field.starts_with("server:"));
    let mut fields: Vec<String> = fields.collect();
    fields.sort();
    (status, fields, answer.get(end + 4..).unwrap_or_default().to_vec())
}

/// Whether a thread of a process runs.
///
/// # Errors
/// It is gone, or the system does not tell.
pub fn works(process: u32) -> io::Result<bool> {
    for task in tasks(process)? {
        let stat = std::fs::read_to_string(task.join("stat"))?;
        // Behind the name, which may have spaces.
        if stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('R')) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn tasks(process: u32) -> io::Result<Vec<PathBuf>> {
    let folder = std::fs::read_dir(format!("/proc/{process}/task"))?;
    folder.map(|entry| Ok(entry?.path())).collect()
}

/// A server in a process of its own, which ends with this.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Where it listens.
    pub port: u16,
}

impl Process {
    /// Starts a server, and waits until it says where it listens. Its instructions are counted if they should be.
    ///
    /// # Errors
    /// It cannot be started, or says nothing.
    pub fn start<S: AsRef<OsStr>>(program: &Path, arguments: &[S], counted: bool) -> io::Result<Self> {
        let mut command = if counted {
            let mut valgrind = Command::new("valgrind");
            valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
            valgrind
        } else {
            Command::new(program)
        };
        let stderr = if counted { Stdio::piped() } else { Stdio::inherit() };
        let mut child = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn()?;
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut process = Self { child, stdout, port: 0 };
        let mut line = String::new();
        process.stdout.read_line(&mut line)?;
        let digits = line.split_once("127.0.0.1:").map_or("", |(_, rest)| rest);
        let digits = digits.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        process.port = digits.parse().map_err(|_| io::Error::other(format!("does not say its port: {line}")))?;
        Ok(process)
    }

    /// Waits until no thread of the server runs: it has done all that it had to, and waits for us.
    ///
    /// So each request finds it in the same state, however fast the machine and whoever else is busy on it.
    ///
    /// # Errors
    /// It is gone, or goes on working.
    pub fn rest(&self) -> io::Result<()> {
        let began = Instant::now();
        while works(self.child.id())? {
            if began.elapsed() > PATIENCE {
                return Err(io::Error::other("does not come to rest"));
            }
            std::thread::sleep(Duration::from_micros(10));
        }
        Ok(())
    }

    /// Seconds of processor time that it has used, in user space and in the kernel.
    ///
    /// # Errors
    /// It is gone, or the system does not tell.
    pub fn seconds(&self) -> io::Result<f64> {
        let mut nanos = 0;
        for task in tasks(self.child.id())? {
            let stat = std::fs::read_to_string(task.join("schedstat"))?;
            nanos += stat.split_ascii_whitespace().next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(nanos as f64 / 1e9)
    }

    /// Ends it, and tells how many instructions were counted; 0 if none were.
    ///
    /// # Errors
    /// It does not end, or has not counted.
    pub fn end(mut self) -> io::Result<u64> {
        let kill = format!("kill -TERM {}", self.child.id());
        Command::new("sh").args(["-c", &kill]).status()?;
        let mut log = String::new();
        let counts = self.child.stderr.is_some();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut log)?;
        }
        self.child.wait()?;
        let collected = log.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
        match collected {
            None if counts => Err(io::Error::other(format!("nothing was counted:\n{log}"))),
            collected => Ok(collected.unwrap_or(0)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Where an error came first, nobody has ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks a server `count` times for what the kind says, and returns its first answer.
///
/// # Errors
/// An exchange does not go as it should.
pub fn drive(server: &Process, kind: Kind, count: usize, identity: &Identity) -> io::Result<Vec<u8>> {
    let tls = (kind == Kind::Tls).then_some(&identity.client);
    let mut first = Vec::new();
    if kind == Kind::Connections {
        for n in 0..count {
            let mut client = Client::connect(server.port, None)?;
            server.rest()?;
            client.write(&kind.wire(n))?;
            let answer = client.answer()?;
            if client.read(&mut [0])? != 0 {
                return Err(io::Error::other("the connection goes on"));
            }
            first = if first.is_empty() { answer } else { first };
            server.rest()?;
            drop(client);
            server.rest()?;
        }
        return Ok(first);
    }
    let mut client = Client::connect(server.port, tls)?;
    server.rest()?;
    for n in 0..count / kind.depth() {
        client.write(&kind.wire(n))?;
        if n == 0 {
            first = client.answer()?;
            client.swallow_rest(first.len() * (kind.depth() - 1))?;
        } else {
            client.swallow(first.len() * kind.depth())?;
        }
        server.rest()?;
    }
    drop(client);
    server.rest()?;
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: today\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";

    #[test]
    fn answers_are_the_same_whatever_order_and_case_their_fields_have() {
        let other = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nserver: s\r\ncontent-type: text/plain\r\n\r\nhi";
        assert_eq!(said(ANSWER), said(other));
        for (from, to) in [("200 OK", "200 Ok"), ("plain", "html"), ("hi", "ho"), ("2\r\n\r\n", "2\r\na: b\r\n\r\n")] {
            let text = String::from_utf8(ANSWER.to_vec()).unwrap().replace(from, to);
            assert_ne!(said(text.as_bytes()), said(ANSWER), "{text}");
        }
    }

    #[test]
    fn the_sizes_of_an_answer_are_known_once_its_head_is_there() {
        let head = ANSWER.len() - 2;
        for end in 0..=ANSWER.len() {
            assert_eq!(sizes(&ANSWER[..end]).unwrap(), (end >= head).then_some((head, 2)));
        }
        assert!(sizes(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").is_err());
        assert!(sizes(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
