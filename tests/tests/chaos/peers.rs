//! nginx and Node, as processes that end with the test.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::Failed;
use crate::request::content_of;
use crate::sockets::strangers::{anywhere, talk};

/// How often each request took effect, by its number.
pub(crate) type Counts = BTreeMap<u64, u32>;

/// A program of others. Dropped, it is killed, and its folder goes.
struct Program {
    child: Child,
    folder: Option<PathBuf>,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Where a command is, also where those of the system are; a machine without it is told so, loudly.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        eprintln!("SKIPPED  chaos against {name}: it is not there");
        let skips = std::env::var_os("SKIPS").map(|file| fs::OpenOptions::new().append(true).create(true).open(file));
        if let Some(Ok(mut file)) = skips {
            let _ = writeln!(file, "chaos against {name}: it is not there");
        }
    }
    found
}

/// Node, with the program beside this file.
pub(crate) struct Node {
    program: Program,
    pub(crate) address: SocketAddr,
}

impl Node {
    /// `None` if there is no Node.
    pub(crate) fn start() -> Result<Option<Self>, Failed> {
        let Some(node) = find("node") else { return Ok(None) };
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chaos/node.js");
        let child = Command::new(node).arg(program).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut program = Program { child, folder: None };
        let output = program.child.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = SocketAddr::from(([127, 0, 0, 1], line.trim().parse()?));
        Ok(Some(Self { program, address }))
    }

    /// What took effect so far.
    pub(crate) fn effects(&mut self) -> Result<Counts, Failed> {
        assert!(self.program.child.try_wait()?.is_none(), "Node has ended");
        let answer = talk(self.address, b"GET /effects HTTP/1.0\r\n\r\n");
        let answer = String::from_utf8(answer)?;
        let (head, lines) = answer.split_once("\r\n\r\n").ok_or("no head")?;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        lines.lines().map(|line| line.split_once(' ').ok_or("no count")).try_fold(Counts::new(), |mut all, line| {
            let (id, count) = line?;
            all.insert(id.parse()?, count.parse()?);
            Ok(all)
        })
    }
}

/// nginx, with the configuration beside this file.
pub(crate) struct Nginx {
    program: Program,
    pub(crate) address: SocketAddr,
}

impl Nginx {
    /// `None` if there is no nginx. What is below `/app/` goes on to that address.
    pub(crate) fn start(app: SocketAddr) -> Result<Option<Self>, Failed> {
        static FOLDERS: AtomicUsize = AtomicUsize::new(0);
        let Some(nginx) = find("nginx") else { return Ok(None) };
        let name = format!("chaos-nginx-{}-{}", std::process::id(), FOLDERS.fetch_add(1, Ordering::SeqCst));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(folder.join("files"))?;
        for last in 0..10 {
            fs::write(folder.join("files").join(last.to_string()), file(last))?;
        }
        // Somebody else may take the port before nginx does.
        for _ in 0..5 {
            let address = TcpListener::bind(anywhere())?.local_addr()?;
            let config = include_str!("nginx.conf").replace("FOLDER", folder.to_str().ok_or("an odd folder")?);
            let config = config.replace("PORT", &address.port().to_string()).replace("APP", &app.port().to_string());
            fs::write(folder.join("conf"), config)?;
            let mut command = Command::new(&nginx);
            command.arg("-e").arg(folder.join("error.log")).arg("-c").arg(folder.join("conf"));
            let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
            let mut program = Program { child, folder: None };
            let began = Instant::now();
            while program.child.try_wait()?.is_none() && began.elapsed() < Duration::from_secs(10) {
                if TcpStream::connect(address).is_ok() {
                    program.folder = Some(folder);
                    return Ok(Some(Self { program, address }));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let error = fs::read_to_string(folder.join("error.log")).unwrap_or_default();
        fs::remove_dir_all(folder)?;
        Err(format!("nginx does not listen: {error}").into())
    }

    /// What it took so far by itself, and not on behalf of somebody else: those whose head came in full.
    pub(crate) fn effects(&mut self) -> Result<Counts, Failed> {
        assert!(self.program.child.try_wait()?.is_none(), "nginx has ended");
        let folder = self.program.folder.as_ref().ok_or("no folder")?;
        let mut all = Counts::new();
        for line in fs::read_to_string(folder.join("effects"))?.lines() {
            let mut words = line.split(' ');
            let (status, path) = (words.next().ok_or("no status")?, words.nth(1).ok_or("no path")?);
            let own = path.strip_prefix("/file/").or_else(|| path.strip_prefix("/said/"));
            if let (Some(id), true) = (own, !status.starts_with('4')) {
                *all.entry(id.parse()?).or_default() += 1;
            }
        }
        Ok(all)
    }
}

/// The content of nginx's file for the numbers that end so.
pub(crate) fn file(last: u64) -> Vec<u8> {
    content_of(1000 + last).to_vec()
}
