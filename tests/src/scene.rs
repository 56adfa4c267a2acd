//! A machine with its lent buffer, its clock and its wire: what a scenario is told with.
//!
//! Events are words, so that a test reads as what happened: `GET /a`, `200`, `content abc`, `end`, `refused BareLf`,
//! `closed ByPeer`. Pieces of content that follow each other are one, so that it does not matter how input was cut.

use core::time::Duration;

use bytes::BytesMut;
use http_core::client::ClientSide;
use http_core::server::ServerSide;
use http_core::{
    Config, Connection, Content, Deadline, End, Fields, Instant, Method, Misuse, RequestHead, ResponseHead, Side,
    StatusCode, client, server,
};

use crate::read::latin1;

/// A side whose events have words.
pub trait Scenic: Side {
    /// The heads that it reads.
    type Head;
    /// An event in words, and its head.
    fn tell(event: Self::Event) -> Told<Self::Head>;
}

/// An event.
#[derive(Debug)]
pub enum Told<H> {
    /// A head, and how it is called.
    Head(String, H),
    /// A piece of content.
    Content(Vec<u8>),
    /// Anything else.
    Word(String),
}

impl Scenic for ServerSide {
    type Head = RequestHead;

    fn tell(event: server::Event) -> Told<RequestHead> {
        match event {
            server::Event::Request(head) => {
                let word = format!("{} {}", head.method().as_str(), latin1(head.target()));
                Told::Head(word, head)
            }
            server::Event::Content(piece) => Told::Content(piece.to_vec()),
            server::Event::End(trailers) => Told::Word(end(&trailers)),
            server::Event::Switched => Told::Word("switched".into()),
            server::Event::Closed(why) => Told::Word(format!("closed {why:?}")),
            other => panic!("an event that the tests do not know: {other:?}"),
        }
    }
}

impl Scenic for ClientSide {
    type Head = ResponseHead;

    fn tell(event: client::Event) -> Told<ResponseHead> {
        match event {
            client::Event::Interim(head) => Told::Head(format!("interim {}", head.status().as_u16()), head),
            client::Event::Response(head) => Told::Head(head.status().as_u16().to_string(), head),
            client::Event::Content(piece) => Told::Content(piece.to_vec()),
            client::Event::End(trailers) => Told::Word(end(&trailers)),
            client::Event::Switched => Told::Word("switched".into()),
            client::Event::Closed(why) => Told::Word(format!("closed {why:?}")),
            other => panic!("an event that the tests do not know: {other:?}"),
        }
    }
}

fn end(trailers: &Fields) -> String {
    trailers.iter().fold("end".into(), |word, (name, value)| format!("{word} {name}: {}", latin1(value)))
}

/// A machine and what is around it.
#[derive(Clone, Debug)]
pub struct Scene<S: Scenic> {
    /// The machine itself, for what the scene has no words for.
    pub machine: Connection<S>,
    /// The buffer that it is lent.
    pub input: BytesMut,
    /// The time.
    pub now: Instant,
    /// The last head that it read.
    pub head: Option<S::Head>,
    /// Whether input comes byte by byte.
    pub drips: bool,
}

/// A server's connection on its stage.
pub type Server = Scene<ServerSide>;
/// A client's connection on its stage.
pub type Client = Scene<ClientSide>;

impl<S: Scenic> Scene<S> {
    fn new(machine: Connection<S>, now: Instant) -> Self {
        Self { machine, input: BytesMut::new(), now, head: None, drips: false }
    }

    /// Bytes arrive; what comes of them.
    pub fn hears(&mut self, bytes: impl AsRef<[u8]>) -> Vec<String> {
        let bytes = bytes.as_ref();
        let mut told = Vec::new();
        for piece in bytes.chunks(if self.drips { 1 } else { bytes.len().max(1) }) {
            self.input.extend_from_slice(piece);
            self.poll_into(&mut told);
        }
        told.into_iter().map(Line::into_words).collect()
    }

    /// Everything that there is to tell.
    pub fn polls(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        self.poll_into(&mut told);
        told.into_iter().map(Line::into_words).collect()
    }

    /// The next event alone.
    pub fn polls_once(&mut self) -> Option<String> {
        let mut told = Vec::new();
        self.poll_once_into(&mut told);
        told.pop().map(Line::into_words)
    }

    fn poll_into(&mut self, told: &mut Vec<Line>) {
        while self.poll_once_into(told) {}
    }

    fn poll_once_into(&mut self, told: &mut Vec<Line>) -> bool {
        match self.machine.poll_event(&mut self.input, self.now).map(|event| event.map(S::tell)) {
            Ok(None) => return false,
            Ok(Some(Told::Head(word, head))) => {
                self.head = Some(head);
                told.push(Line::Head(word));
            }
            Ok(Some(Told::Content(piece))) => match told.last_mut() {
                Some(Line::Content(before)) => before.extend_from_slice(&piece),
                _ => told.push(Line::Content(piece)),
            },
            Ok(Some(Told::Word(word))) => told.push(Line::Word(word)),
            Err(error) => told.push(Line::Word(format!("refused {:?}", error.reason()))),
        }
        true
    }

    /// The peer ends its side; what comes of it.
    pub fn ends(&mut self, end: End) -> Vec<String> {
        self.machine.handle_eof(end, self.now);
        self.polls()
    }

    /// All that waits is sent.
    pub fn sends(&mut self) -> String {
        let mut slices = [&b""[..]; 64];
        let count = self.machine.transmit(&mut slices);
        let wire = slices[..count].concat();
        self.machine.handle_sent(wire.len(), self.now);
        latin1(&wire)
    }

    /// The next deadline, and how far off it is.
    pub fn deadline(&self) -> Option<(Deadline, Duration)> {
        self.next_deadline().map(|(kind, at)| (kind, at.saturating_since(self.now)))
    }

    fn next_deadline(&self) -> Option<(Deadline, Instant)> {
        assert_eq!(self.machine.poll_timeout().is_some(), self.machine.next_deadline().is_some());
        Some((self.machine.next_deadline()?, self.machine.poll_timeout()?))
    }

    /// Time goes by. Deadlines that pass are told at their instant; what comes of them.
    pub fn waits(&mut self, time: Duration) -> Vec<String> {
        let until = self.now.saturating_add(time);
        let mut told = Vec::new();
        while let Some((_, at)) = self.next_deadline().filter(|(_, at)| *at <= until) {
            self.now = at;
            self.machine.handle_timeout(at);
            self.poll_into(&mut told);
            assert!(self.next_deadline().is_none_or(|(_, next)| next > at), "a deadline that passes again at once");
        }
        self.now = until;
        self.machine.handle_timeout(until);
        self.poll_into(&mut told);
        told.into_iter().map(Line::into_words).collect()
    }

    /// A deadline of this kind passes in `time`: not a nanosecond earlier, and then. What comes of it.
    pub fn passes(&mut self, kind: Deadline, time: Duration) -> Vec<String> {
        assert_eq!(self.deadline(), Some((kind, time)));
        let before = self.waits(time - Duration::from_nanos(1));
        assert_eq!(before, [""; 0], "too early");
        assert_eq!(self.deadline(), Some((kind, Duration::from_nanos(1))), "an early call changes nothing");
        self.waits(Duration::from_nanos(1))
    }

    /// Whether the connection is over, or will be once its peer has read the last message.
    pub fn is_over(&self) -> bool {
        let interest = self.machine.interest();
        interest.close || interest.shutdown
    }
}

enum Line {
    Head(String),
    Word(String),
    Content(Vec<u8>),
}

impl Line {
    fn is_head(&self) -> bool {
        matches!(self, Self::Head(_))
    }

    fn into_words(self) -> String {
        match self {
            Self::Head(word) | Self::Word(word) => word,
            Self::Content(bytes) if bytes.len() > 64 => format!("content of {}", bytes.len()),
            Self::Content(bytes) => format!("content {}", latin1(&bytes)),
        }
    }
}

impl Server {
    /// A connection that was just accepted.
    #[must_use]
    pub fn server(config: Config) -> Self {
        let now = Instant::from_nanos(1_000_000_007);
        Self::new(server::Connection::new(config.into(), now), now)
    }

    /// The value of a field of the last request.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        self.head.as_ref().and_then(|head| head.fields().get(name)).map(latin1)
    }

    /// The application asks for content; what comes of it.
    pub fn wants(&mut self) -> Vec<String> {
        self.machine.want_content(self.now);
        self.polls()
    }

    /// The application answers.
    ///
    /// # Errors
    /// Those of `send_response`.
    pub fn responds(&mut self, status: u16, fields: &[(&str, &str)], content: Content) -> Result<(), Misuse> {
        self.machine.send_response(&response(status, fields), content, self.now)
    }

    /// What is sent, by its statuses; 100 left out.
    fn statuses(&mut self) -> Vec<Line> {
        let sent = self.sends();
        let statuses = sent.match_indices("HTTP/1.1 ").filter_map(|(at, _)| sent.get(at + 9..at + 12));
        statuses.filter(|status| *status != "100").map(|status| Line::Word(format!("answers {status}"))).collect()
    }

    /// The application answers with all of its content, and what was sent is told.
    ///
    /// # Panics
    /// If that is a misuse.
    pub fn answers(&mut self, status: u16, content: &'static str) -> String {
        let content = if content.is_empty() { Content::Empty } else { Content::Full(content.into()) };
        self.responds(status, &[], content).expect("an answer that fits");
        self.sends()
    }
}

impl Client {
    /// A connection that was just made.
    #[must_use]
    pub fn client(config: Config) -> Self {
        let now = Instant::from_nanos(1_000_000_007);
        Self::new(client::Connection::new(config.into(), now), now)
    }

    /// The value of a field of the last response.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        self.head.as_ref().and_then(|head| head.fields().get(name)).map(latin1)
    }

    /// The application sends a request; `Host` is added.
    ///
    /// # Errors
    /// Those of `send_request`.
    pub fn requests(
        &mut self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        content: Content,
    ) -> Result<(), Misuse> {
        self.machine.send_request(&request(method, target, fields), content, self.now).map(drop)
    }

    /// A plain `GET`, sent.
    ///
    /// # Panics
    /// If that is a misuse.
    pub fn gets(&mut self, target: &str) -> String {
        self.requests("GET", target, &[], Content::Empty).expect("a request that fits");
        self.sends()
    }
}

/// The head of a response.
///
/// # Panics
/// If it may not be one.
#[must_use]
pub fn response(status: u16, fields: &[(&str, &str)]) -> ResponseHead {
    let head = ResponseHead::new(StatusCode::new(status).expect("a status"));
    fields.iter().fold(head, |head, (name, value)| head.with(name, value).expect("a field"))
}

/// The head of a request, with `Host: example.com` in front.
///
/// # Panics
/// If it may not be one.
#[must_use]
pub fn request(method: &str, target: &str, fields: &[(&str, &str)]) -> RequestHead {
    let host = if method == "CONNECT" { target } else { "example.com" };
    let method = Method::from_bytes(method.as_bytes()).expect("a token");
    let head = RequestHead::new(method, target).and_then(|head| head.with("Host", host)).expect("a request");
    fields.iter().fold(head, |head, (name, value)| head.with(name, value).expect("a field"))
}

/// A bare request of this method, with the form of target that it has.
///
/// # Errors
/// [`Misuse::Method`] if it is not a token.
pub fn request_of(method: &str) -> Result<RequestHead, Misuse> {
    let target = if method == "CONNECT" { "example.com:80" } else { "/" };
    let method = Method::from_bytes(method.as_bytes()).ok_or(Misuse::Method)?;
    RequestHead::new(method, target)?.with("Host", "example.com:80")
}

/// What a server makes of `bytes`, whole and byte by byte: it asks for all content, answers every request with 200, and
/// `answers` tells each status that it sent but 100; `closes` that nothing more is read.
///
/// # Panics
/// If the ways differ.
#[must_use]
pub fn serve(config: &Config, bytes: impl AsRef<[u8]>) -> Vec<String> {
    let told = |drips| {
        let mut server = Server::server(config.clone());
        let mut told = Vec::new();
        let bytes = bytes.as_ref();
        for piece in bytes.chunks(if drips { 1 } else { bytes.len().max(1) }) {
            server.input.extend_from_slice(piece);
            loop {
                let more = server.poll_once_into(&mut told);
                // What was answered on the way to a request was answered before it.
                let at = told.len() - usize::from(more && told.last().is_some_and(Line::is_head));
                told.splice(at..at, server.statuses());
                if !more {
                    break;
                }
                if server.machine.content_is_due() {
                    server.machine.want_content(server.now);
                } else if server.machine.awaits_response() && !told.last().is_some_and(Line::is_head) {
                    let connect = server.head.as_ref().is_some_and(|head| head.method() == Method::Connect);
                    let content = if connect { Content::Empty } else { Content::Full("ok".into()) };
                    server.responds(200, &[], content).expect("an answer that fits");
                }
                told.extend(server.statuses());
            }
        }
        // When so much follows that the peer is not waited for, the end is told already.
        told.retain(|line| !matches!(line, Line::Word(word) if word.starts_with("closed ")));
        if server.is_over() {
            told.push(Line::Word("closes".into()));
        }
        told.into_iter().map(Line::into_words).collect::<Vec<_>>()
    };
    let (whole, dripping) = (told(false), told(true));
    assert_eq!(whole, dripping, "{}", bytes.as_ref().escape_ascii());
    whole
}

/// What a client makes of `bytes`, the answer to its request, whole and byte by byte.
///
/// # Panics
/// If the ways differ.
#[must_use]
pub fn fetch(config: &Config, method: &str, bytes: impl AsRef<[u8]>, end: Option<End>) -> Vec<String> {
    let told = |drips| {
        let mut client = Client::client(config.clone());
        client.drips = drips;
        let target = if method == "CONNECT" { "example.com:80" } else { "/" };
        client.requests(method, target, &[], Content::Empty).expect("a request that fits");
        client.sends();
        let mut told = client.hears(bytes.as_ref());
        told.extend(end.map(|end| client.ends(end)).into_iter().flatten());
        told
    };
    let (whole, dripping) = (told(false), told(true));
    assert_eq!(whole, dripping, "{}", bytes.as_ref().escape_ascii());
    whole
}

/// A scenario with input whole and byte by byte.
pub fn whole_and_dripping(scenario: impl Fn(bool)) {
    scenario(false);
    scenario(true);
}

/// The names of a struct's fields, as `Debug` shows them: what a table that has to be complete is held against.
///
/// # Panics
/// If it is not a struct with named fields.
#[must_use]
pub fn fields_of(value: &impl core::fmt::Debug) -> Vec<String> {
    let shown = format!("{value:?}");
    let inside = shown.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).expect("a struct").0;
    inside.split(", ").map(|field| field.split_once(':').expect("name and value").0.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        assert_eq!(
            fields_of(&http_core::Persistence::default()),
            ["keep_alive", "requests", "http10_origin", "pipelining"]
        );
    }
}
