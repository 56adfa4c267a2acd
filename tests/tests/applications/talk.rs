//! One client of raw bytes: what it sends, all that it is answered, and what becomes of its connection.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::reader::{self, Answer};

/// How long anything may take that is to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Goes behind an exchange whose connection has not been said to end. Its answer has no content like it.
const PROBE: &[u8] = b"GET /odd/server HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n";

/// What the client does.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Sends pieces of this length, a little apart.
    Pieces(Vec<u8>, usize),
    /// Waits for an interim response, or whatever else comes.
    Something,
    /// Waits until so many final responses are complete.
    Finals(usize),
    /// Waits until these octets have come.
    Heard(&'static [u8]),
    /// The same, and has seen enough.
    Octets(&'static [u8]),
    /// Ends its side.
    HalfClose,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It answers the next request.
    Kept,
    /// It was said to end, or the client had ended it: in order.
    Ended,
    /// The same, by a reset.
    Reset,
    /// It was not said to end, and does not answer.
    Lost,
    /// Nothing happens.
    Silent,
    /// The client has seen enough.
    Left,
}

/// All of an exchange, or of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conversation {
    pub(crate) answers: Vec<Answer>,
    /// What is no response.
    pub(crate) stray: Vec<u8>,
    pub(crate) fate: Fate,
}

#[derive(Default)]
struct Heard {
    bytes: Vec<u8>,
    end: Option<Fate>,
}

#[derive(Clone, Default)]
struct Ear(Arc<(Mutex<Heard>, Condvar)>);

impl Ear {
    /// Reads until the stream ends.
    fn listen(&self, mut stream: TcpStream) {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = stream.read(&mut buffer);
            let mut heard = self.0.0.lock().unwrap();
            match read {
                Ok(0) => heard.end = Some(Fate::Ended),
                Ok(count) => heard.bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => heard.end = Some(Fate::Reset),
            }
            self.0.1.notify_all();
            if heard.end.is_some() {
                return;
            }
        }
    }

    /// Waits until something is so or the stream has ended; whether that came in time.
    fn wait(&self, is_so: impl Fn(&[u8]) -> bool) -> bool {
        let until = Instant::now() + PATIENCE;
        let mut heard = self.0.0.lock().unwrap();
        while heard.end.is_none() && !is_so(&heard.bytes) {
            let Some(left) = until.checked_duration_since(Instant::now()) else { return false };
            heard = self.0.1.wait_timeout(heard, left).unwrap().0;
        }
        true
    }
}

fn finals(bytes: &[u8], methods: &[&str]) -> usize {
    let (answers, _) = reader::read(bytes, methods, false);
    answers.iter().filter(|answer| answer.complete && !answer.is_interim()).count()
}

/// Does the steps, and reads to the end of what comes. Requests with these methods are sent.
pub(crate) fn talk(address: SocketAddr, steps: &[Step], methods: &[&str]) -> Conversation {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("an option");
    stream.set_write_timeout(Some(PATIENCE)).expect("an option");
    let ear = Ear::default();
    let listening = {
        let (ear, stream) = (ear.clone(), stream.try_clone().expect("a second handle"));
        std::thread::spawn(move || ear.listen(stream))
    };
    let conversation = hold(&stream, &ear, steps, methods);
    let _ = stream.shutdown(Shutdown::Both);
    listening.join().expect("the ear does not fail");
    conversation
}

fn hold(mut stream: &TcpStream, ear: &Ear, steps: &[Step], methods: &[&str]) -> Conversation {
    let (mut half_closed, mut enough) = (false, None);
    for step in steps {
        // A server that has ended the connection takes no more; what it said tells why.
        match step {
            Step::Send(bytes) => drop(stream.write_all(bytes)),
            Step::Pieces(bytes, size) => {
                for piece in bytes.chunks(*size) {
                    let _ = stream.write_all(piece);
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            Step::Something => drop(ear.wait(|bytes| !bytes.is_empty())),
            Step::Finals(count) => drop(ear.wait(|bytes| finals(bytes, methods) >= *count)),
            Step::Heard(octets) => drop(ear.wait(|bytes| behind(bytes, octets).is_some())),
            Step::Octets(octets) => {
                ear.wait(|bytes| behind(bytes, octets).is_some());
                enough = behind(&ear.0.0.lock().unwrap().bytes, octets);
            }
            Step::HalfClose => {
                let _ = stream.shutdown(Shutdown::Write);
                half_closed = true;
            }
        }
    }
    if let Some(enough) = enough {
        return conversation(&ear.0.0.lock().unwrap().bytes[..enough], methods, None, Fate::Left);
    }
    let came = ear.wait(|bytes| finals(bytes, methods) >= methods.len());
    if !came {
        let heard = ear.0.0.lock().unwrap();
        return conversation(&heard.bytes, methods, heard.end, Fate::Silent);
    }
    let said_to_end = {
        let heard = ear.0.0.lock().unwrap();
        let (answers, _) = reader::read(&heard.bytes, methods, false);
        answers.last().is_none_or(|answer| answer.says_close() || !answer.complete)
    };
    if half_closed || said_to_end {
        ear.wait(|_| false);
        let heard = ear.0.0.lock().unwrap();
        return conversation(&heard.bytes, methods, heard.end, Fate::Silent);
    }
    let before = ear.0.0.lock().unwrap().bytes.len();
    let _ = stream.write_all(PROBE);
    ear.wait(|_| false);
    let heard = ear.0.0.lock().unwrap();
    let (answers, rest) = reader::read(&heard.bytes[before..], &["GET"], heard.end.is_some());
    let fate = match &answers[..] {
        [answer] if rest.is_empty() && answer.values("server").eq(["odd/1"]) => Fate::Kept,
        _ if heard.end.is_some() => Fate::Lost,
        _ => Fate::Silent,
    };
    let told = if fate == Fate::Kept { &heard.bytes[..before] } else { &heard.bytes[..] };
    Conversation { fate, ..conversation(told, methods, heard.end, fate) }
}

/// Where these octets end.
fn behind(bytes: &[u8], octets: &[u8]) -> Option<usize> {
    bytes.windows(octets.len()).position(|part| part == octets).map(|at| at + octets.len())
}

fn conversation(bytes: &[u8], methods: &[&str], end: Option<Fate>, otherwise: Fate) -> Conversation {
    let (answers, stray) = reader::read(bytes, methods, end.is_some());
    Conversation { answers, stray: stray.to_vec(), fate: end.unwrap_or(otherwise) }
}
