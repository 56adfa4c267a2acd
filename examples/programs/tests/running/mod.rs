//! Programs that run, and what is said to them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long whatever is waited for may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program of this package.
pub(crate) fn program(name: &str) -> Command {
    let path = match name {
        "chat" => env!("CARGO_BIN_EXE_chat"),
        "events" => env!("CARGO_BIN_EXE_events"),
        "fetch" => env!("CARGO_BIN_EXE_fetch"),
        "fetch-async-std" => env!("CARGO_BIN_EXE_fetch-async-std"),
        "files" => env!("CARGO_BIN_EXE_files"),
        "load" => env!("CARGO_BIN_EXE_load"),
        "load-async-std" => env!("CARGO_BIN_EXE_load-async-std"),
        "measure" => env!("CARGO_BIN_EXE_measure"),
        "proxy" => env!("CARGO_BIN_EXE_proxy"),
        "rpc" => env!("CARGO_BIN_EXE_rpc"),
        "secure" => env!("CARGO_BIN_EXE_secure"),
        "talk" => env!("CARGO_BIN_EXE_talk"),
        "talk-async-std" => env!("CARGO_BIN_EXE_talk-async-std"),
        "upload" => env!("CARGO_BIN_EXE_upload"),
        _ => panic!("there is no {name}"),
    };
    Command::new(path)
}

/// A program of this package on a terminal of its own, where there is one to be had: what it writes is what a person
/// would see.
pub(crate) fn on_a_terminal(name: &str, arguments: &[&str]) -> Option<String> {
    let words: Vec<_> = std::iter::once(program(name).get_program().to_str().unwrap())
        .chain(arguments.iter().copied())
        .map(|word| format!("'{word}'"))
        .collect();
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => {
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "{arguments:?}: {said}");
            Some(said)
        }
        Err(error) => {
            eprintln!("SKIPPED: script cannot be run: {error}");
            None
        }
    }
}

/// What curl says, where there is one.
pub(crate) fn curl(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("curl").args(["--silent", "--show-error", "--fail", "--max-time", "20"]).args(arguments).output();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).unwrap())
        }
        Err(error) => {
            eprintln!("SKIPPED: curl cannot be run: {error}");
            None
        }
    }
}

/// A folder for one test, that is gone after it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("programs-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Waits until something is so.
pub(crate) fn eventually(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it is not so in time");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A program that runs, and does no longer when this is dropped.
pub(crate) struct Running {
    process: Child,
    told: BufReader<ChildStdout>,
    /// Where it serves.
    pub(crate) url: String,
}

impl Running {
    /// A server.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        let mut running = Self::spawn(program(name).args(arguments));
        let line = running.line();
        running.url = line.strip_prefix("serving ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        running
    }

    /// Somebody who talks to a WebSocket.
    pub(crate) fn talk(name: &str, url: &str) -> Self {
        Self::spawn(program(name).arg(url).stdin(Stdio::piped()))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let told = BufReader::new(process.stdout.take().unwrap());
        Self { process, told, url: String::new() }
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.told.read_line(&mut line).unwrap() > 0, "the program has ended");
        line.trim_end().to_owned()
    }

    /// Says a line to its input.
    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Ends its input; whether it ends in order then.
    pub(crate) fn says_goodbye(mut self) -> bool {
        drop(self.process.stdin.take());
        self.has_ended()
    }

    /// Whether it ends in order.
    pub(crate) fn has_ended(mut self) -> bool {
        self.wait()
    }

    fn wait(&mut self) -> bool {
        let began = Instant::now();
        loop {
            match self.process.try_wait().unwrap() {
                Some(status) => return status.success(),
                None if began.elapsed() > PATIENCE => return false,
                None => thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("-{name}");
        assert!(Command::new("kill").args([&kill, &self.process.id().to_string()]).status().unwrap().success());
    }

    /// Ends it by SIGTERM, and gives what it says in the end.
    pub(crate) fn ends(mut self) -> String {
        self.signal("TERM");
        assert!(self.wait(), "it does not end in order");
        let mut rest = String::new();
        self.told.read_to_string(&mut rest).unwrap();
        rest
    }

    /// A connection to it, on which this was sent.
    pub(crate) fn send(&self, bytes: &str) -> TcpStream {
        let address = self.url.strip_prefix("http://").unwrap().trim_end_matches('/');
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // Who refuses content need not read all of it.
        let _ = stream.write_all(bytes.as_bytes());
        stream
    }

    /// Head and content of an answer, with these fields in its request.
    pub(crate) fn get(&self, path: &str, fields: &str) -> (String, String) {
        let close = if fields.contains("Connection") { "" } else { "Connection: close\r\n" };
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{close}{fields}\r\n");
        let (head, mut stream) = read_head(self.send(&head));
        let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut content = Vec::new();
        match length {
            Some(length) if !head.starts_with("HTTP/1.1 304 ") => {
                stream.take(length).read_to_end(&mut content).unwrap()
            }
            None if close.is_empty() => 0,
            _ => stream.read_to_end(&mut content).unwrap(),
        };
        (head, String::from_utf8(content).unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A head, its lines in lower case but for what is said in them, and what follows it.
pub(crate) fn read_head(mut stream: TcpStream) -> (String, TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = read_until(&mut stream, "\r\n\r\n");
    let mut lines = head.split_inclusive("\r\n").map(|line| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}", name.to_lowercase()),
        None => line.to_owned(),
    });
    (lines.by_ref().collect(), stream)
}

/// What comes up to this end.
pub(crate) fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let (mut read, mut byte) = (Vec::new(), [0]);
    while !read.ends_with(end.as_bytes()) {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "{}", read.escape_ascii());
        read.extend(byte);
    }
    String::from_utf8(read).unwrap()
}
