//! Any sequence of inputs, sensible or not, against a machine: what holds for every call holds.

use core::time::Duration;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_core::model::{Action, Input, Modelled, Recorder, Tap, apply as apply_input};
use http_core::{
    Config, Connection, Content, End, Fields, Instant, Method, RequestHead, ResponseHead, StatusCode, Version, client,
    server,
};

use super::mutate::mutated;
use crate::answers;
use crate::cut::Cut;
use crate::read::as_server;
use crate::source::Source;

/// A server or a client and inputs as the bytes choose them.
///
/// # Panics
/// If a promise does not hold.
pub fn apply(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let mut config = Config::default();
    config.persistence.pipelining = 1 + source.below(4);
    config.limits.send_buffer = source.pick(&[256 * 1024, 1, 3000]);
    config.limits.read_ahead = source.pick(&[64 * 1024, 1, 100]);
    config.limits.drain = source.pick(&[256 * 1024, 0, 100]);
    config.limits.head = source.pick(&[64 * 1024, 100]);
    // Chosen by no byte of its own, so that the corpus says what it said.
    config.persistence.requests = (config.limits.drain == 100).then_some(3);
    let config = Arc::new(config);
    if source.one_in(2) {
        Run::new(client::Connection::new(config.clone(), Instant::ZERO), config.clone(), true, |_| None)
            .all(&mut source)
            .replay(client::Connection::new);
    } else {
        // The record is replayed by one that never rests.
        let rest = |machine: &server::Connection| Some(machine.resting()?.resume());
        Run::new(server::Connection::new(config.clone(), Instant::ZERO), config.clone(), false, rest)
            .all(&mut source)
            .replay(server::Connection::new);
    }
}

/// A machine, and what was seen of it.
struct Run<S> {
    machine: Connection<S>,
    config: Arc<Config>,
    client: bool,
    /// The connection as it goes on after a rest, if it idles.
    rest: fn(&Connection<S>) -> Option<Connection<S>>,
    date: Option<[u8; 29]>,
    buffer: BytesMut,
    now: Instant,
    recorder: Recorder,
    ended: bool,
    switched: bool,
    closed: bool,
    failed: bool,
    /// A head was told and its end was not.
    in_message: bool,
    /// All that was queued.
    wire: Vec<u8>,
    /// Of the requests that a server was told of.
    methods: Vec<String>,
    written: u64,
    sent: u64,
    largest: usize,
    steps: usize,
}

impl<S: Modelled> Run<S> {
    fn new(
        machine: Connection<S>,
        config: Arc<Config>,
        client: bool,
        rest: fn(&Connection<S>) -> Option<Connection<S>>,
    ) -> Self {
        Self {
            machine,
            rest,
            date: None,
            recorder: Recorder::new(config.clone(), Instant::ZERO),
            config,
            client,
            buffer: BytesMut::new(),
            now: Instant::ZERO,
            ended: false,
            switched: false,
            closed: false,
            failed: false,
            in_message: false,
            wire: vec![],
            methods: vec![],
            written: 0,
            sent: 0,
            largest: 0,
            steps: 0,
        }
    }

    fn all(mut self, source: &mut Source<'_>) -> Self {
        while !source.is_empty() && self.steps < 5000 {
            match source.below(5) {
                0 => self.drain(),
                1 => {
                    let waiting = self.written - self.sent;
                    let count = source.pick(&[waiting, 1, waiting / 2, waiting + 10]);
                    self.step(Input::Sent(usize::try_from(count).unwrap_or(0)));
                }
                2 => self.receive(source),
                _ => {
                    let input = self.choose(source);
                    self.step(input);
                }
            }
        }
        self.drain();
        self.check_wire();
        self
    }

    /// Whatever was called in whatever order: what was queued is a sequence of well-formed messages.
    fn check_wire(&self) {
        if self.client {
            let reading = as_server(&Arc::default(), &self.wire, &Cut::Whole, None);
            assert_eq!(reading.error, None, "{}", self.wire.escape_ascii());
        } else {
            let _ = answers::read(&self.wire, &self.methods, self.closed);
        }
    }

    fn receive(&mut self, source: &mut Source<'_>) {
        // After the end nothing is read, and what follows a switch is not ours.
        if self.ended || self.switched || self.machine.interest().room(self.buffer.len()) == 0 {
            return;
        }
        let bytes = if source.one_in(4) {
            let length = source.below(40);
            source.take(length).to_vec()
        } else {
            let wire = mutated(source, self.client);
            let from = source.below(wire.len() + 1).min(wire.len());
            if source.one_in(3) { wire[from..].to_vec() } else { wire }
        };
        self.largest = self.largest.max(bytes.len());
        self.step(Input::Received(bytes.into()));
    }

    fn choose(&mut self, source: &mut Source<'_>) -> Input {
        match source.below(20) {
            0 | 1 if !self.ended => {
                if source.one_in(4) {
                    self.ended = true;
                    return Input::Eof(source.pick(&[End::Clean, End::Unclean]));
                }
                Input::Poll
            }
            2 if source.one_in(4) => Input::WriteError,
            3 => {
                let wake = self.machine.poll_timeout().unwrap_or(self.now);
                let later = self.now.saturating_add(Duration::from_millis(source.below(5000) as u64));
                // Time may stand still.
                self.now = source.pick(&[self.now, later, self.now.max(wake)]);
                Input::Timeout
            }
            4 => Input::WantContent,
            5 if source.one_in(2) => Input::DiscardContent,
            6 => Input::SendInterim(response(source)),
            7..=9 if !self.client => Input::SendResponse(response(source), content(source)),
            7..=9 => Input::SendRequest(request(source), content(source)),
            10 | 11 => Input::SendContent(piece(source)),
            12 => Input::SendContentCopy(piece(source)),
            13..=15 => {
                let mut trailers = Fields::new();
                if source.one_in(3) {
                    let name = source.pick(&["X-Sum", "Content-Length", "Host"]);
                    trailers.push(name, "1").expect("a good field");
                }
                Input::SendEnd(trailers)
            }
            16 if source.one_in(4) => Input::Close,
            17 if source.one_in(8) => Input::Abandon,
            18 if self.client && source.one_in(4) => {
                Input::LimitContent(Duration::from_millis(source.below(3000) as u64), source.below(1000) as u32)
            }
            18 if self.client => Input::LimitResponse(Duration::from_millis(source.below(3000) as u64)),
            18 => Input::Date(*b"Sun, 06 Nov 1994 08:49:37 GMT"),
            _ => Input::Poll,
        }
    }

    /// Polls until nothing more is told; another poll then tells nothing and changes nothing.
    fn drain(&mut self) {
        for _ in 0..10_000 {
            if !self.step(Input::Poll) {
                let before = self.machine.canonical(self.now);
                assert!(!self.step(Input::Poll), "a poll that followed None told something");
                assert_eq!(self.machine.canonical(self.now), before, "a poll that told nothing changed something");
                return;
            }
        }
        panic!("polls without an end");
    }

    /// Applies an input and checks what follows; whether an event or an error was told.
    fn step(&mut self, input: Input) -> bool {
        if let Input::Sent(count) = input {
            self.sent = (self.sent + count as u64).min(self.written);
        }
        if let Input::SendContent(bytes) | Input::SendContentCopy(bytes) = &input {
            self.largest = self.largest.max(bytes.len());
        }
        let before = (self.machine.canonical(self.now), self.machine.queued());
        let mut actions = Vec::new();
        self.steps += 1;
        // A clock that runs back stands still.
        let back = self.steps % 7 == 0 && !matches!(input, Input::Timeout);
        let now = if back { Instant::ZERO } else { self.now };
        apply_input(&mut self.machine, &mut self.buffer, input.clone(), now, &mut |action| actions.push(action));
        self.recorder.step(now, self.machine.phase(), &input, &actions);
        let mut told = false;
        for action in &actions {
            match action {
                Action::Misused(misuse) => {
                    let after = (self.machine.canonical(self.now), self.machine.queued());
                    assert_eq!(after, before, "{misuse:?} changed something: {input:?}");
                    assert_eq!(actions.len(), 1, "{misuse:?} led to something else as well: {actions:?}");
                }
                Action::Write(bytes) => {
                    assert!(!self.closed && !self.switched, "written after the end");
                    self.written += bytes.len() as u64;
                    self.wire.extend_from_slice(bytes);
                }
                Action::Failed(_) => {
                    assert!(!self.failed && !self.closed, "an error twice, or after the end");
                    self.failed = true;
                    told = true;
                }
                Action::Server(event) => {
                    self.server_event(event);
                    told = true;
                }
                Action::Client(event) => {
                    self.client_event(event);
                    told = true;
                }
                _ => {}
            }
        }
        if matches!(input, Input::WriteError) {
            // What waited is lost.
            self.sent = self.written;
        }
        let interest = self.machine.interest();
        if !interest.write {
            self.sent = self.written;
        }
        if matches!(input, Input::Timeout) {
            assert!(self.machine.poll_timeout().is_none_or(|at| at > self.now), "a deadline stays due");
        }
        if self.closed {
            assert!(interest.close && interest.lend == 0 && !interest.write, "over, and wants something: {interest:?}");
            assert_eq!(self.machine.poll_timeout(), None, "over, and waits for something");
        }
        self.check_memory(matches!(input, Input::Poll) && !told);
        if let Input::Date(date) = input {
            self.date = Some(date);
        }
        if self.buffer.is_empty() {
            self.rest();
        }
        told
    }

    /// Goes on as after a rest, if it idles: nobody can tell.
    fn rest(&mut self) {
        let Some(rested) = (self.rest)(&self.machine) else { return };
        let seen = |machine: &Connection<S>| {
            let (due, next) = (machine.poll_timeout(), machine.next_deadline());
            (due, next, machine.interest(), machine.phase(), machine.queued(), machine.send_capacity())
        };
        assert_eq!(seen(&rested), seen(&self.machine));
        self.machine = rested;
        if let Some(date) = self.date {
            let mut told = Vec::new();
            apply_input(&mut self.machine, &mut self.buffer, Input::Date(date), self.now, &mut |done| told.push(done));
            assert!(told.is_empty(), "{told:?}");
        }
    }

    /// Nothing grows without bound: neither what waits to be sent nor, while reading is wanted, what was read.
    fn check_memory(&self, polled: bool) {
        let limits = &self.config.limits;
        let waiting = self.written - self.sent;
        let most = limits.send_buffer + 100_000;
        assert!(waiting <= most as u64, "{waiting} bytes wait");
        let lend = self.machine.interest().lend;
        let bound = self.config.max_input_bytes();
        assert!(lend <= bound, "{lend} bytes may be lent, of {bound}");
        if polled && lend > self.buffer.len() {
            let most = bound + self.largest;
            assert!(self.buffer.len() <= most, "{} bytes were read and wait", self.buffer.len());
        }
    }

    fn server_event(&mut self, event: &server::Event) {
        assert!(!self.closed && !self.switched, "after the end: {event:?}");
        match event {
            // The rest of a request that nobody wants is dropped without a word.
            server::Event::Request(head) => {
                self.in_message = true;
                self.methods.push(head.method().as_str().to_owned());
            }
            server::Event::Content(piece) => assert!(self.in_message && !piece.is_empty()),
            server::Event::End(_) => assert!(core::mem::take(&mut self.in_message), "an end without a request"),
            server::Event::Switched => self.switched = true,
            server::Event::Closed(_) => self.closed = true,
            other => panic!("an event that the tests do not know: {other:?}"),
        }
    }

    fn client_event(&mut self, event: &client::Event) {
        assert!(!self.closed && !self.switched, "after the end: {event:?}");
        match event {
            client::Event::Interim(_) => assert!(!self.in_message),
            client::Event::Response(_) => assert!(!core::mem::replace(&mut self.in_message, true)),
            client::Event::Content(piece) => assert!(self.in_message && !piece.is_empty()),
            client::Event::End(_) => assert!(core::mem::take(&mut self.in_message), "an end without a response"),
            client::Event::Switched => self.switched = true,
            client::Event::Closed(_) => self.closed = true,
            other => panic!("an event that the tests do not know: {other:?}"),
        }
    }

    /// The same inputs lead to the same actions again.
    fn replay(self, new: impl FnOnce(Arc<Config>, Instant) -> Connection<S>) {
        if let Err(mismatch) = self.recorder.into_record().replay(new) {
            panic!("{mismatch}");
        }
    }
}

fn piece(source: &mut Source<'_>) -> Bytes {
    vec![b'x'; source.pick(&[0, 1, 5, 100, 2048, 5000])].into()
}

fn content(source: &mut Source<'_>) -> Content {
    match source.below(4) {
        0 => Content::Empty,
        1 => Content::Full(piece(source)),
        2 => Content::Sized(source.pick(&[0, 1, 5, 105])),
        _ => Content::Streaming,
    }
}

fn request(source: &mut Source<'_>) -> RequestHead {
    let method = source.pick(&["GET", "HEAD", "POST", "CONNECT"]);
    let target = if method == "CONNECT" { "a:1" } else { "/" };
    let head = RequestHead::new(Method::from_bytes(method.as_bytes()).expect("a token"), target);
    let mut head = head.expect("a good head");
    if !source.one_in(8) {
        head.fields_mut().push("Host", "a:1").expect("a good field");
    }
    if source.one_in(3) {
        let (name, value) = source.pick(&FIELDS);
        head.fields_mut().push(name, value).expect("a good field");
    }
    if source.one_in(8) { head.with_version(Version::Http10) } else { head }
}

fn response(source: &mut Source<'_>) -> ResponseHead {
    let status = source.pick(&[200, 404, 204, 304, 101, 100, 103, 500]);
    let mut head = ResponseHead::new(StatusCode::new(status).expect("a status"));
    if source.one_in(3) {
        let (name, value) = source.pick(&FIELDS);
        head.fields_mut().push(name, value).expect("a good field");
    }
    head
}

const FIELDS: [(&str, &str); 6] = [
    ("Expect", "100-continue"),
    ("Connection", "close"),
    ("Upgrade", "x"),
    ("Content-Length", "5"),
    ("Transfer-Encoding", "chunked"),
    ("Expect", "more"),
];
