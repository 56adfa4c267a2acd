//! The client's connection, its server, its application.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_core::client::{Connection, Event, Readiness};
use http_core::model::{Action, Canonical, Input, apply};
use http_core::{Config, Content, Deadline, End, Fields, Instant, Method, RequestHead};

use super::World;
use super::server::{Play, Step};

/// What a server may send: each message in pieces, and what each piece is called.
const MESSAGES: &[&[(&str, &str)]] = &[
    &[
        ("HTTP/1.1 20", "part of a status-line"),
        ("0 OK\r\n", "status-line"),
        ("Content-Length: 1\r\n\r\n", "end of head"),
        ("x", "end of content"),
    ],
    &[
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "head of a chunked response"),
        ("0\r\nA: b\r\n", "last chunk"),
        ("\r\n", "end of trailers"),
    ],
    &[("HTTP/1.1 100 Continue\r\n\r\n", "100")],
    &[("HTTP/1.1 103 Early Hints\r\n\r\n", "103")],
    &[("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "101")],
    &[("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n", "error")],
    &[("HTTP/1.0 200 OK\r\n\r\n", "head until close"), ("y", "content")],
    &[("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "last response")],
    &[("HTTP/2\r\n", "nonsense")],
];

/// A client's connection among its surroundings.
#[derive(Clone, Debug)]
pub struct Client {
    machine: Connection,
    buffer: BytesMut,
    now: Instant,
    play: Play,
    /// Which message is being sent, and how much of it was.
    message: Option<(usize, usize)>,
    ended: bool,
    told: Told,
    /// Something has come, or was told, since the last poll that told nothing.
    news: bool,
}

/// What the application asked for and was told so far, as far as it bounds what it may be told next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Told {
    /// Requests without an outcome.
    open: usize,
    /// The head of a final response was told, and its end was not.
    response: bool,
    failed: bool,
    switched: bool,
    closed: bool,
}

impl Client {
    /// A connection that was just made.
    #[must_use]
    pub fn new(play: Play) -> Self {
        let mut config = Config::default();
        config.limits.interim_responses = 1;
        config.limits.linger = 16;
        config.limits.read_ahead = 8;
        config.limits.send_buffer = 64;
        config.persistence.requests = Some(if play == Play::Lazy { 1 } else { 2 });
        config.persistence.pipelining = 2;
        config.timeouts.content_rate = 0;
        let machine = Connection::new(Arc::new(config), Instant::ZERO);
        let told = Told::default();
        Self {
            machine,
            buffer: BytesMut::new(),
            now: Instant::ZERO,
            play,
            message: None,
            ended: false,
            told,
            news: false,
        }
    }

    fn input(&mut self, input: Input) -> Result<(), String> {
        let (over, before) = (self.told.closed, self.machine.canonical(self.now));
        let polled = input == Input::Poll;
        let mut actions = Vec::new();
        let comes = matches!(input, Input::Received(_) | Input::Eof(_));
        apply(&mut self.machine, &mut self.buffer, input, self.now, &mut |action| actions.push(action));
        let misused = actions.iter().any(|action| matches!(action, Action::Misused(_)));
        if misused && (actions.len() > 1 || self.machine.canonical(self.now) != before) {
            return Err(format!("misuse changed something: {actions:?}"));
        }
        // Until a poll tells nothing there may be more to tell.
        self.news = if polled { !actions.is_empty() } else { self.news || comes };
        for action in &actions {
            if over && !matches!(action, Action::Misused(_)) {
                return Err(format!("told after the end: {action}"));
            }
            self.told.take(action, polled)?;
        }
        // Each request has one outcome: its end, or its place among those that are unanswered.
        let unanswered = self.machine.unanswered().count();
        if unanswered != self.told.open {
            return Err(format!("{} requests are open, {unanswered} unanswered", self.told.open));
        }
        Ok(())
    }

    fn wants(&self) -> super::Wants {
        let machine = &self.machine;
        let (interest, due) = (machine.interest(), machine.poll_timeout());
        (interest, due, machine.next_deadline(), machine.send_capacity(), Some(machine.readiness()))
    }

    /// Another poll that tells nothing does not change what the machine wants.
    fn check_steady(&self) -> Result<(), String> {
        let mut polled = self.clone();
        let told = polled.machine.poll_event(&mut polled.buffer, self.now);
        // A command may have let it read on.
        let news = self.news || polled.buffer != self.buffer;
        if told == Ok(None) && !news { super::steady(self.wants(), polled.wants()) } else { Ok(()) }
    }

    fn poll_all(&mut self) -> Result<(), String> {
        for _ in 0..32 {
            let before = (self.machine.canonical(self.now), self.told);
            self.input(Input::Poll)?;
            if before == (self.machine.canonical(self.now), self.told) {
                return Ok(());
            }
        }
        Err("polling never comes to an end".into())
    }
}

impl Told {
    fn take(&mut self, action: &Action, polled: bool) -> Result<(), String> {
        match action {
            Action::Client(_) | Action::Failed(_) if !polled => return Err("an event without a poll".into()),
            Action::Begun(_) => self.open += 1,
            Action::Client(Event::Closed(_)) => self.closed = true,
            Action::Client(event) if self.failed || self.switched => {
                return Err(format!("told after a failure or a switch: {event}"));
            }
            Action::Client(Event::Interim(_) | Event::Response(_)) if self.open == 0 || self.response => {
                return Err("a response of no request".into());
            }
            Action::Client(Event::Response(_)) => self.response = true,
            Action::Client(Event::Content(_)) if !self.response => return Err("content of no response".into()),
            Action::Client(Event::End(_) | Event::Switched) if !self.response => {
                return Err("the end of no response".into());
            }
            Action::Client(Event::End(_)) => self.end(),
            Action::Client(Event::Switched) => {
                self.end();
                self.switched = true;
            }
            Action::Failed(_) if self.failed => return Err("failed twice".into()),
            Action::Failed(_) => self.failed = true,
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self) {
        self.response = false;
        self.open -= 1;
    }
}

fn head(method: Method<'_>, target: &str, fields: &[(&str, &str)]) -> RequestHead {
    fields
        .iter()
        .chain(&[("Host", "a:1")])
        .try_fold(RequestHead::new(method, target).expect("a target"), |head, (name, value)| head.with(name, value))
        .expect("fields")
}

impl World for Client {
    type Step = Step;
    type Key = (Canonical, Vec<u8>, Option<(usize, usize)>, Told, bool);

    fn steps(&self) -> Vec<Step> {
        let machine = &self.machine;
        let interest = machine.interest();
        let (wild, lazy) = (self.play == Play::Wild, self.play == Play::Lazy);
        let mut steps = Vec::new();
        // What lies unread is at most one message: more would only be more of the same.
        if interest.room(self.buffer.len()) > 0 && (self.message.is_some() || self.buffer.is_empty()) {
            match self.message {
                Some((message, at)) => steps.push(Step::Receive(message, at)),
                None => steps.extend((0..MESSAGES.len()).map(|message| Step::Receive(message, 0))),
            }
        }
        if machine.poll_timeout().is_some() {
            steps.push(Step::Wait);
        }
        let mut slices = [&b""[..]; 8];
        let filled = machine.transmit(&mut slices);
        let waiting = slices[..filled].iter().map(|slice| slice.len()).sum();
        if waiting > 0 {
            steps.push(Step::Sent(waiting));
        }
        let mut input = |fits: bool, input: Input, name| {
            if wild || fits {
                steps.push(Step::Input(input, name));
            }
        };
        input(lazy, Input::Poll, "poll");
        let ready = matches!(machine.readiness(), Readiness::Idle | Readiness::Pipeline);
        let get = head(Method::Get, "/", &[]);
        let put = head(Method::Put, "/", &[("Expect", "100-continue")]);
        let upgrade = head(Method::Get, "/", &[("Connection", "upgrade"), ("Upgrade", "x")]);
        input(ready, Input::SendRequest(get, Content::Empty), "request");
        input(ready, Input::SendRequest(put, Content::Full(Bytes::from_static(b"c"))), "request that expects 100");
        input(ready, Input::SendRequest(head(Method::Post, "/", &[]), Content::Streaming), "head of a request");
        input(ready, Input::SendRequest(upgrade, Content::Empty), "offer to upgrade");
        input(ready, Input::SendRequest(head(Method::Connect, "a:1", &[]), Content::Empty), "CONNECT");
        input(false, Input::SendContent(Bytes::from_static(b"d")), "content of request");
        input(machine.awaits_content(), Input::SendEnd(Fields::new()), "end of request");
        if self.told.open > 0 || wild {
            input(true, Input::WriteError, "write error");
        }
        if !self.ended && !interest.close {
            input(true, Input::Eof(End::Clean), "peer ends");
            input(true, Input::Eof(End::Unclean), "transport breaks");
        }
        input(!interest.close, Input::Close, "close");
        input(!interest.close, Input::Abandon, "abandon");
        steps
    }

    fn name(&self, step: &Step) -> String {
        match step {
            Step::Receive(..) if self.told.open == 0 => "bytes that no request awaits".into(),
            Step::Receive(message, at) => MESSAGES[*message][*at].1.into(),
            Step::Input(_, name) => (*name).into(),
            Step::Sent(_) => "all sent".into(),
            Step::Wait => "deadline".into(),
        }
    }

    fn apply(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Receive(message, at) => {
                let piece = MESSAGES[*message][*at].0;
                self.message = (at + 1 < MESSAGES[*message].len()).then_some((*message, at + 1));
                self.input(Input::Received(Bytes::from_static(piece.as_bytes())))?;
            }
            Step::Input(input, _) => {
                self.ended |= matches!(input, Input::Eof(_));
                self.input(input.clone())?;
            }
            Step::Sent(count) => self.input(Input::Sent(*count))?,
            Step::Wait => {
                self.now = self.machine.poll_timeout().unwrap_or(self.now);
                self.input(Input::Timeout)?;
            }
        }
        match self.play {
            Play::Prompt => self.poll_all()?,
            Play::Wild => {
                self.poll_all()?;
                self.input(Input::Sent(usize::MAX))?;
            }
            Play::Lazy => self.input(Input::Sent(usize::MAX))?,
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let machine = &self.machine;
        let interest = machine.interest();
        let mut slices = [&b""[..]; 8];
        let waits = machine.transmit(&mut slices) > 0;
        if interest.write != waits {
            return Err(format!("wants to write: {}, has something to write: {waits}", interest.write));
        }
        if interest.close && (interest.lend > 0 || interest.write || machine.poll_timeout().is_some()) {
            return Err("is over and wants something".into());
        }
        if self.told.closed && !interest.close {
            return Err("told its end and goes on".into());
        }
        let mut early = machine.clone();
        early.handle_timeout(self.now);
        let due = machine.poll_timeout().is_some_and(|at| at <= self.now);
        if !due && early.canonical(self.now) != machine.canonical(self.now) {
            return Err("a timeout before its time changed something".into());
        }
        if early.poll_timeout().is_some_and(|at| at <= self.now) {
            return Err("a deadline that has passed is still armed".into());
        }
        super::bounded(interest, machine.config())?;
        self.check_steady()?;
        // Whoever idles does not do so for ever, and needs no poll for that.
        let due = machine.next_deadline();
        if machine.readiness() == Readiness::Idle
            && due != Some(Deadline::Idle)
            && !(waits && due == Some(Deadline::Send))
        {
            return Err("idles without a deadline".into());
        }
        let application = machine.awaits_content() || self.told.switched;
        // Where neither the application nor the transport has its turn, nothing but input can help.
        let stuck = self.play.polls() && !application && !waits && !self.ended && !interest.close;
        if stuck && interest.room(self.buffer.len()) == 0 {
            return Err("needs input and does not read".into());
        }
        if self.play.polls() && !interest.close && !application && machine.poll_timeout().is_none() {
            return Err("waits for the peer without a deadline".into());
        }
        Ok(())
    }

    fn key(&self) -> Self::Key {
        (self.machine.canonical(self.now), self.buffer.to_vec(), self.message, self.told, self.news)
    }

    fn places(&self) -> BTreeMap<u64, String> {
        let place = match self.machine.phase() {
            _ if self.told.switched => "switched".into(),
            phase => phase.to_string(),
        };
        [(0, place)].into()
    }
}
