//! Each loop is run as a program, and spoken to by who does not know what it is made of.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A program that runs until this is dropped.
struct Running {
    program: Child,
    address: SocketAddr,
}

impl Running {
    fn start(path: &str) -> Self {
        let mut program = Command::new(path).stdout(Stdio::piped()).spawn().unwrap();
        let mut told = String::new();
        BufReader::new(program.stdout.take().unwrap()).read_line(&mut told).unwrap();
        let address = told.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{told:?}"));
        Self { address: address.parse().unwrap(), program }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// What comes of these bytes, up to the end.
    fn answers(&self, bytes: &str) -> String {
        let (mut stream, mut answers) = (self.connect(), String::new());
        stream.write_all(bytes.as_bytes()).unwrap();
        stream.read_to_string(&mut answers).unwrap();
        answers
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// What every server of these does.
fn serves(path: &str) {
    let server = Running::start(path);
    // Requests that were sent together are answered in order, and the last one ends the connection.
    let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let post = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc";
    assert_eq!(
        // The case of names is nobody's business, and who has a clock says what time it is.
        server
            .answers(&format!("{get}{get}{post}"))
            .to_lowercase()
            .lines()
            .filter(|it| !it.starts_with("date: "))
            .fold(String::new(), |answers, line| answers + line + "\n"),
        format!(
            "{0}{0}http/1.1 200 ok\ncontent-type: text/plain\ncontent-length: 3\nconnection: close\n\nabc\n",
            "http/1.1 200 ok\ncontent-type: text/plain\ncontent-length: 6\n\nhello\n"
        )
    );
    // What breaks a rule is answered.
    assert!(server.answers("GET / HTTP/1.1\r\nHost : x\r\n\r\n").starts_with("HTTP/1.1 400 Bad Request\r\n"));
    let expecting = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert!(server.answers(expecting).starts_with("HTTP/1.1 400 Bad Request\r\n"));
    // Content is sent back while it comes, without an end in sight.
    let mut stream = server.connect();
    let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    read_until(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"5\r\nfirst\r\n").unwrap();
    read_until(&mut stream, "\r\n\r\n5\r\nfirst\r\n");
    stream.write_all(b"6\r\nsecond\r\n0\r\n\r\n").unwrap();
    read_until(&mut stream, "6\r\nsecond\r\n0\r\n\r\n");
    drop(stream);
    much_is_sent_back_to_who_reads_late(&server);
    many_talk_at_once(&server);
    curl_is_content(&server);
}

fn read_until(stream: &mut TcpStream, end: &str) {
    let (mut read, mut byte) = (Vec::new(), [0]);
    while !read.ends_with(end.as_bytes()) {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "{}", read.escape_ascii());
        read.extend(byte);
    }
}

fn much_is_sent_back_to_who_reads_late(server: &Running) {
    let content: Vec<u8> = (0..12_u32 << 20).map(|n| (n * 31 % 251) as u8).collect();
    let mut stream = server.connect();
    // What the system holds on this side is to be little.
    let socket = socket2::SockRef::from(&stream);
    socket.set_recv_buffer_size(64 << 10).and_then(|()| socket.set_send_buffer_size(64 << 10)).unwrap();
    let mut other = stream.try_clone().unwrap();
    let sent = content.clone();
    let writing = thread::spawn(move || {
        let length = sent.len();
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        other.write_all(head.as_bytes()).unwrap();
        other.write_all(&sent).unwrap();
        other.shutdown(Shutdown::Write).unwrap();
    });
    // By now what the sockets hold is full, and the server has to wait.
    thread::sleep(Duration::from_millis(200));
    assert!(!writing.is_finished(), "the server holds 12 MiB");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    writing.join().unwrap();
    assert!(answer.ends_with(&content), "{} bytes", answer.len());
}

fn many_talk_at_once(server: &Running) {
    let mut streams: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for _ in 0..3 {
        for stream in &mut streams {
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        }
        for stream in &mut streams {
            read_until(stream, "\r\n\r\nHello\n");
        }
    }
}

fn curl_is_content(server: &Running) {
    let url = format!("http://{}/", server.address);
    let curl = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--max-time", "20", "--data-binary", "from curl", &url])
        .args(["--next", "--silent", "--head", &url])
        .output();
    match curl {
        Ok(output) => {
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(said.starts_with("from curlHTTP/1.1 200 OK\r\n") && said.contains("Content-Length: 6"), "{said}");
        }
        Err(error) => eprintln!("SKIPPED: curl cannot be run: {error}"),
    }
}

#[test]
fn threads() {
    serves(env!("CARGO_BIN_EXE_threads-server"));
}

#[test]
fn compio() {
    let path = env!("CARGO_BIN_EXE_compio-server");
    serves(path);
    let server = Running::start(path);
    let files = std::fs::read_dir(format!("/proc/{}/fd", server.program.id())).into_iter().flatten().flatten();
    let mut names = files.filter_map(|file| std::fs::read_link(file.path()).ok());
    if !names.any(|name| name.to_string_lossy().contains("io_uring")) {
        eprintln!("SKIPPED: there is no io_uring here, so compio was tried with polling alone");
    }
}

#[test]
#[ignore = "tests/bare-metal.sh webassembly builds what this runs"]
fn webassembly() {
    serves(&std::env::var("WEBASSEMBLY_SERVER").expect("the path of what serves"));
}

#[test]
fn smol() {
    serves(env!("CARGO_BIN_EXE_smol-server"));
}

#[test]
fn the_driver_with_a_runtime_of_ones_own() -> Outcome {
    serves(env!("CARGO_BIN_EXE_driver-server"));
    // The client, and a server that is another program.
    let server = Running::start(env!("CARGO_BIN_EXE_mio-server"));
    let urls = ["a", "b", "c"].map(|path| format!("http://localhost:{}/{path}", server.address.port()));
    let output = Command::new(env!("CARGO_BIN_EXE_driver-client")).args(&urls).output()?;
    let told = String::from_utf8(output.stdout)?;
    let expected: String = urls.iter().map(|url| format!("{url}: 200, 6 bytes\n")).collect();
    assert!(told.starts_with(&expected), "{told}");
    // They went over one connection.
    assert!(told.contains("idle: 1"), "{told}");
    Ok(())
}

#[test]
fn mio() {
    serves(env!("CARGO_BIN_EXE_mio-server"));
}

#[test]
fn embedded() {
    serves(env!("CARGO_BIN_EXE_embedded-server"));
}

/// What the client says of these paths, in the order of the alphabet.
fn asked(address: SocketAddr, paths: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_threads-client")).arg(address.to_string()).args(paths).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_client_of_threads_is_answered() {
    let server = Running::start(env!("CARGO_BIN_EXE_threads-server"));
    let paths: Vec<_> = (10..40).map(|n| format!("/{n}")).collect();
    let expected: Vec<_> = paths.iter().map(|path| format!("{path}: 200, 6 bytes")).collect();
    assert_eq!(asked(server.address, &paths.iter().map(String::as_str).collect::<Vec<_>>()), expected);
}

#[test]
fn a_client_of_threads_repeats_what_a_dying_connection_did_not_answer() -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    // Every connection is good for two requests, and says so of neither.
    let serving = thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                for _ in 0..2 {
                    read_until(&mut stream, "\r\n\r\n");
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
                }
            });
        }
    });
    let paths = ["/a", "/b", "/c", "/d", "/e", "/f", "/g", "/h", "/i"];
    assert_eq!(asked(address, &paths), paths.map(|path| format!("{path}: 200, 2 bytes")));
    drop(serving);
    Ok(())
}

#[test]
fn a_client_of_threads_gives_up_in_the_end() -> Outcome {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let lines = asked(address, &["/a"]);
    assert!(lines[0].starts_with("/a: failed while"), "{lines:?}");
    Ok(())
}
