//! The server's connection, its client, its application.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_core::model::{Action, Canonical, Input, apply};
use http_core::server::{Connection, Event};
use http_core::{Config, Content, Deadline, End, Fields, Instant, Misuse, Phase, ResponseHead, StatusCode};

use super::World;

/// What a client may send: each message in pieces, and what each piece is called.
const MESSAGES: &[&[(&str, &str)]] = &[
    &[("GET / HT", "part of a request-line"), ("TP/1.1\r\n", "request-line"), ("Host: a\r\n\r\n", "end of head")],
    &[
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "head of a request with content"),
        ("1\r\na\r\n", "content"),
        ("0\r\nA: b\r\n", "last chunk"),
        ("\r\n", "end of trailers"),
    ],
    &[
        ("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "head that expects 100"),
        ("a", "end of content"),
    ],
    &[
        ("PUT / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 1\r\n\r\n", "head that expects more"),
        ("a", "end of content"),
    ],
    &[("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "CONNECT"), ("tunnelled", "other protocol")],
    &[("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "offer to upgrade")],
    &[("HEAD / HTTP/1.0\r\n\r\n", "HTTP/1.0 request")],
    &[("G\0 /\r\n", "nonsense")],
];

/// What may happen to a server's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This piece of this message comes.
    Receive(usize, usize),
    /// Something else happens, or is commanded; in words.
    Input(Input, &'static str),
    /// So much of what waits is sent.
    Sent(usize),
    /// Time passes up to the next deadline.
    Wait,
}

/// How thoroughly the surroundings are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// Events are taken at once and nothing is commanded that does not fit; the transport takes its time.
    Prompt,
    /// Whatever can be commanded is, at any time; events are taken and bytes are sent at once.
    Wild,
    /// Events are taken at any time, and perhaps late; bytes are sent at once, and there is one exchange.
    Lazy,
}

impl Play {
    /// Whether a machine is polled to the end after every input.
    pub(super) fn polls(self) -> bool {
        self != Self::Lazy
    }
}

/// A server's connection among its surroundings.
#[derive(Clone, Debug)]
pub struct Server {
    machine: Connection,
    buffer: BytesMut,
    now: Instant,
    play: Play,
    /// Which message is being sent, and how much of it was.
    message: Option<(usize, usize)>,
    told: Told,
    /// Something has come, or was told, since the last poll that told nothing.
    news: bool,
}

/// What the application was told so far, as far as it bounds what it may be told next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Told {
    /// A request was told and its end was not.
    open: bool,
    failed: bool,
    switched: bool,
    closed: bool,
    /// Requests that were told, less final responses that were written.
    unanswered: u8,
}

impl Server {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(play: Play) -> Self {
        let mut config = Config::default();
        // As small as it goes, so that every limit is met.
        config.limits.interim_responses = 1;
        config.limits.drain = 1;
        config.limits.linger = 16;
        config.limits.read_ahead = 8;
        config.limits.send_buffer = 64;
        config.persistence.requests = Some(if play == Play::Lazy { 1 } else { 2 });
        config.timeouts.content_rate = 0;
        let machine = Connection::new(Arc::new(config), Instant::ZERO);
        let told = Told::default();
        Self { machine, buffer: BytesMut::new(), now: Instant::ZERO, play, message: None, told, news: false }
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
            let tells = !matches!(action, Action::Misused(_));
            if over && tells {
                return Err(format!("told after the end: {action}"));
            }
            self.told.take(action, polled)?;
        }
        Ok(())
    }

    /// Whether the connection only comes to its end: input is dropped then.
    fn is_over(&self) -> bool {
        self.machine.clone().send_end(&Fields::new(), self.now) == Err(Misuse::Closed)
    }

    fn wants(&self) -> super::Wants {
        let machine = &self.machine;
        (machine.interest(), machine.poll_timeout(), machine.next_deadline(), machine.send_capacity(), None)
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
            Action::Server(_) | Action::Failed(_) if !polled => return Err("an event without a poll".into()),
            Action::Server(event) if self.switched && !matches!(event, Event::Closed(_)) => {
                return Err(format!("told after it was switched: {event}"));
            }
            Action::Server(Event::Closed(_)) => self.closed = true,
            Action::Server(event) if self.failed => return Err(format!("told after a failure: {event}")),
            Action::Server(Event::Request(_)) => {
                self.open = true;
                self.unanswered += 1;
            }
            Action::Server(Event::Content(_)) if !self.open => return Err("content of no request".into()),
            Action::Server(Event::End(_)) if !self.open => return Err("the end of no request".into()),
            Action::Server(Event::End(_)) => self.open = false,
            Action::Server(Event::Switched) => self.switched = true,
            Action::Failed(_) if self.failed => return Err("failed twice".into()),
            Action::Failed(_) => self.failed = true,
            Action::Write(bytes) => self.written(bytes)?,
            _ => {}
        }
        Ok(())
    }

    /// No more final responses than requests, but for the one that refuses what is no request.
    fn written(&mut self, bytes: &[u8]) -> Result<(), String> {
        if bytes.starts_with(b"HTTP/1.1 417") {
            // The machine's own answer to a request that the application never hears of.
            return Ok(());
        }
        let finals = bytes.windows(10).filter(|w| w.starts_with(b"HTTP/1.1 ") && w[9] != b'1').count();
        let switching = bytes.starts_with(b"HTTP/1.1 101");
        for _ in 0..finals + usize::from(switching) {
            let refused = bytes.starts_with(b"HTTP/1.1 4") || bytes.starts_with(b"HTTP/1.1 5");
            match self.unanswered.checked_sub(1) {
                Some(left) => self.unanswered = left,
                None if refused => {}
                None => return Err("a response that nobody asked for".into()),
            }
        }
        Ok(())
    }
}

impl World for Server {
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
        let head = |status: u16| ResponseHead::new(StatusCode::new(status).unwrap_or(StatusCode::OK));
        let answers = machine.awaits_response();
        input(lazy, Input::Poll, "poll");
        input(false, Input::WriteError, "write error");
        if machine.peer_ended().is_none() && !interest.close {
            input(true, Input::Eof(End::Clean), "peer ends");
            input(true, Input::Eof(End::Unclean), "transport breaks");
        }
        input(answers && machine.content_is_due(), Input::WantContent, "ask for content");
        input(lazy && machine.content_is_due(), Input::DiscardContent, "discard content");
        input(false, Input::SendInterim(head(103)), "103");
        input(answers, Input::SendResponse(head(200), Content::Full(Bytes::from_static(b"b"))), "answer");
        let upgraded = head(101).with("Upgrade", "x").unwrap_or_else(|_| head(101));
        input(answers, Input::SendResponse(upgraded, Content::Empty), "101");
        input(answers, Input::SendResponse(head(200), Content::Empty), "answer without content");
        input(answers, Input::SendResponse(head(200), Content::Streaming), "head of answer");
        input(false, Input::SendContent(Bytes::from_static(b"b")), "content of answer");
        input(machine.awaits_content(), Input::SendEnd(Fields::new()), "end of answer");
        input(!interest.close, Input::Close, "close");
        input(machine.is_answering(), Input::Abandon, "abandon");
        steps
    }

    fn name(&self, step: &Step) -> String {
        match step {
            Step::Receive(..) if self.is_over() => "more input".into(),
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
            Step::Input(input, _) => self.input(input.clone())?,
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
        if interest.write && !waits {
            return Err("wants to write and has nothing".into());
        }
        if waits && !interest.write {
            return Err("has something to write and does not want to".into());
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
        let idles = machine.phase() == Phase::Idle && !self.told.switched && machine.peer_ended().is_none();
        if idles && self.buffer.is_empty() && machine.next_deadline() != Some(Deadline::Idle) {
            return Err("idles without a deadline".into());
        }
        // Where neither the application nor the transport has its turn, nothing but input can help.
        let stuck = self.play.polls() && !machine.is_answering() && !waits && machine.peer_ended().is_none();
        if stuck && !interest.close && !self.told.switched && interest.room(self.buffer.len()) == 0 {
            return Err("needs input and does not read".into());
        }
        // Whoever waits for the peer alone does not do so for ever.
        let application = machine.is_answering() || self.told.switched;
        if self.play.polls() && !interest.close && !application && machine.poll_timeout().is_none() {
            return Err("waits for the peer without a deadline".into());
        }
        Ok(())
    }

    fn key(&self) -> Self::Key {
        (self.machine.canonical(self.now), self.buffer.to_vec(), self.message, self.told, self.news)
    }

    fn places(&self) -> BTreeMap<u64, String> {
        let lingering = self.machine.interest().shutdown;
        let place = match self.machine.phase() {
            _ if self.told.switched => "switched".into(),
            _ if lingering => "lingering".into(),
            phase => phase.to_string(),
        };
        [(0, place)].into()
    }
}
