//! Feeds bytes to a machine and writes down what it reads: the same for every way of cutting them.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_core::client::ClientSide;
use http_core::model::Input;
use http_core::server::ServerSide;
use http_core::{
    Closed, Config, Content, End, Fields, Instant, Interest, Method, ProtocolError, Reason, RequestHead, ResponseHead,
    StatusCode, client, server,
};

use crate::answers::{self, Answer};
use crate::cut::Cut;
use crate::driven::{Driven, Via};

/// The first line of a message that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A request-line.
    Request {
        /// As it was sent.
        method: String,
        /// As it was sent, one character an octet.
        target: String,
    },
    /// A status-line.
    Response {
        /// The code.
        status: u16,
        /// As it was sent, one character an octet.
        reason: String,
    },
}

/// A message as it was read. Strings hold one octet a character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub start: Start,
    /// `1.0` or `1.1`.
    pub version: String,
    /// Field lines in order.
    pub fields: Vec<(String, String)>,
    /// All of the content.
    pub content: Vec<u8>,
    /// The trailer section.
    pub trailers: Vec<(String, String)>,
    /// Whether the connection outlives the message; `None` where the reading does not show it.
    pub keep_alive: Option<bool>,
}

impl Message {
    pub(crate) fn of_request(head: &RequestHead) -> Self {
        // Whatever was read, every question has an answer.
        let _ = (head.target_form(), head.authority(), head.accepts_trailers(), head.offers_upgrade());
        assert!(!head.expects_continue() || head.framing().has_content());
        let start = Start::Request { method: head.method().as_str().to_owned(), target: latin1(head.target()) };
        Self::new(start, head.minor_version(), head.fields())
    }

    pub(crate) fn of_response(head: &ResponseHead) -> Self {
        let _ = head.keep_alive();
        let start = Start::Response { status: head.status().as_u16(), reason: latin1(head.reason_phrase()) };
        Self::new(start, head.minor_version(), head.fields())
    }

    fn new(start: Start, minor: u8, fields: &Fields) -> Self {
        Self {
            start,
            version: format!("1.{minor}"),
            fields: pairs(fields),
            content: vec![],
            trailers: vec![],
            keep_alive: None,
        }
    }
}

/// What a machine made of some bytes. Equal for every way of cutting them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Complete messages in order; interim responses among them.
    pub messages: Vec<Message>,
    /// The message that is not complete.
    pub partial: Option<Message>,
    /// The fault, and how many bytes precede it.
    pub error: Option<(Reason, u64)>,
    /// A request that the server answered without telling the application: how many messages precede it, and the
    /// status.
    pub refused: Option<(usize, u16)>,
    /// Whether the bytes ended inside a message.
    pub incomplete: bool,
    /// Final responses that a server sent.
    pub answers: Vec<Answer>,
    /// Whether the connection is over, or will be when its peer has read the last answer.
    pub closing: bool,
    /// Why it is over.
    pub closed: Option<Closed>,
    /// What a machine left in the lent buffer for another protocol.
    pub switched: Option<Vec<u8>>,
    /// Whether the server, at the end, waits for content that it has asked for with 100 (Continue). Not compared
    /// between ways: it is not sent when the content is there already.
    pub continued: Ignored<bool>,
}

/// A value that does not take part in comparisons.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ignored<T>(pub T);

impl<T> PartialEq for Ignored<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Ignored<T> {}

/// Octets as characters.
#[must_use]
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| char::from(b)).collect()
}

pub(crate) fn pairs(fields: &Fields) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| (name.to_owned(), latin1(value))).collect()
}

/// What waits to be sent; it is taken as sent.
pub fn sent_by_server(connection: &mut server::Connection, now: Instant) -> Vec<u8> {
    let mut slices = [&b""[..]; 64];
    let count = connection.transmit(&mut slices);
    let wire = slices[..count].concat();
    connection.handle_sent(wire.len(), now);
    wire
}

/// What waits to be sent; it is taken as sent.
pub fn sent_by_client(connection: &mut client::Connection, now: Instant) -> Vec<u8> {
    let mut slices = [&b""[..]; 64];
    let count = connection.transmit(&mut slices);
    let wire = slices[..count].concat();
    connection.handle_sent(wire.len(), now);
    wire
}

/// Feeds `bytes`, cut like `cut`, to a server that answers every request with 200 and `METHOD SP TARGET LF CONTENT`.
///
/// # Panics
/// If the machine contradicts itself: wants nothing though nothing is answered, speaks after its end, and so on.
#[must_use]
pub fn as_server(config: &Arc<Config>, bytes: &[u8], cut: &Cut, end: Option<End>) -> Reading {
    as_server_via(Via::Calls, config, bytes, cut, end)
}

/// The same by typed calls or by the model.
///
/// # Panics
/// As [`as_server`].
#[must_use]
pub fn as_server_via(via: Via, config: &Arc<Config>, bytes: &[u8], cut: &Cut, end: Option<End>) -> Reading {
    let now = Instant::ZERO;
    let mut connection = Driven::new(server::Connection::new(config.clone(), now), BytesMut::new(), via);
    let mut wire = Vec::new();
    let mut reading = Reading::default();
    let mut pieces = cut.pieces(bytes).into_iter();
    let mut ended = false;
    loop {
        loop {
            match connection.poll() {
                Ok(Some(event)) => serve(&mut connection, event, &mut reading),
                // What was written may let it go on.
                Ok(None) => match sent_by_server(&mut connection.machine, now) {
                    sent if sent.is_empty() => break,
                    sent => wire.extend(sent),
                },
                Err(error) => {
                    fault(&mut reading, error);
                    if connection.machine.awaits_response() {
                        // A client that left inside its content could be answered; here nobody does.
                        connection.command(Input::Abandon, |machine, _| machine.abandon(now));
                    }
                }
            }
            wire.extend(sent_by_server(&mut connection.machine, now));
        }
        let interest = connection.machine.interest();
        check(&interest, &reading, ended, connection.machine.poll_timeout());
        if reading.closed.is_some() || reading.switched.is_some() {
            break;
        }
        match pieces.next() {
            Some(piece) => connection.receive(piece),
            None if ended || end.is_none() => break,
            None => {
                ended = true;
                let end = end.unwrap_or(End::Clean);
                connection.command(Input::Eof(end), |machine, _| machine.handle_eof(end, now));
            }
        }
    }
    if reading.switched.is_some() {
        connection.input.extend_from_slice(&pieces.collect::<Vec<_>>().concat());
        reading.switched = Some(connection.input.to_vec());
    }
    connection.check_written(&wire);
    reading.closing = reading.closed.is_some() || connection.machine.interest().shutdown;
    // Bytes that hold no start of a message, as empty lines, are not of one.
    let left = connection.input.iter().any(|&b| b != b'\r' && b != b'\n');
    reading.incomplete |= reading.partial.is_some() || reading.switched.is_none() && left;
    let mut methods: Vec<String> = reading.messages.iter().chain(&reading.partial).filter_map(method_of).collect();
    if methods.is_empty() {
        methods.push(method_in(bytes));
    }
    let (interim, finals): (Vec<_>, Vec<_>) =
        answers::read(&wire, &methods, reading.closing).into_iter().partition(Answer::is_interim);
    reading.answers = finals;
    if reading.error.is_none() {
        reading.refused =
            reading.answers.iter().enumerate().find(|(_, a)| a.status != 200).map(|(at, a)| (at, a.status));
    }
    reading.continued = Ignored(!interim.is_empty());
    let answers = reading.answers.iter().filter(|answer| answer.status != 417);
    for (message, answer) in reading.messages.iter_mut().zip(answers) {
        let tunnel = method_of(message).is_some_and(|method| method == "CONNECT");
        message.keep_alive = (!tunnel).then(|| !answer.says_close());
    }
    reading
}

fn serve(connection: &mut Driven<ServerSide>, event: server::Event, reading: &mut Reading) {
    let now = Instant::ZERO;
    assert!(reading.closed.is_none(), "an event after the end: {event:?}");
    match event {
        server::Event::Request(head) => {
            assert!(reading.partial.is_none(), "two requests at once");
            reading.partial = Some(Message::of_request(&head));
            connection.machine.recycle(head);
            connection.command(Input::WantContent, |machine, _| machine.want_content(now));
        }
        server::Event::Content(piece) => {
            assert!(!piece.is_empty());
            let message = reading.partial.as_mut().expect("content belongs to a request");
            message.content.extend_from_slice(&piece);
        }
        server::Event::End(trailers) => {
            let mut message = reading.partial.take().expect("an end belongs to a request");
            message.trailers = pairs(&trailers);
            let Start::Request { method, target } = &message.start else { unreachable!() };
            let mut content: Vec<u8> = format!("{method} ").into_bytes();
            content.extend(target.chars().map(|c| c as u8));
            content.push(b'\n');
            content.extend_from_slice(&message.content);
            let connect = method == "CONNECT";
            let content = if connect { Content::Empty } else { Content::Full(Bytes::from(content)) };
            let answer = Input::SendResponse(ResponseHead::new(StatusCode::OK), content);
            connection.command(answer, |machine, answer| {
                let Input::SendResponse(head, content) = answer else { unreachable!() };
                machine.send_response(&head, content, now).expect("a complete request can be answered");
            });
            reading.messages.push(message);
        }
        server::Event::Switched => reading.switched = Some(vec![]),
        server::Event::Closed(why) => reading.closed = Some(why),
        other => panic!("an event that the tests do not know: {other:?}"),
    }
}

fn method_of(message: &Message) -> Option<String> {
    match &message.start {
        Start::Request { method, .. } => Some(method.clone()),
        Start::Response { .. } => None,
    }
}

/// The method that a refused request-line names: its answer has no content if that is HEAD.
fn method_in(bytes: &[u8]) -> String {
    latin1(bytes.split(|&b| b == b' ').next().unwrap_or_default()).trim().to_owned()
}

fn fault(reading: &mut Reading, error: ProtocolError) {
    assert!(reading.error.is_none(), "two errors: {:?}, then {error:?}", reading.error);
    reading.error = Some((error.reason(), error.offset()));
    if error.reason() == Reason::Truncated {
        reading.incomplete = true;
    }
}

/// Never stuck: after everything was polled and sent, a machine is over or reads on, and has a deadline.
fn check(interest: &Interest, reading: &Reading, ended: bool, timeout: Option<Instant>) {
    assert!(!interest.write, "something waits though all was sent");
    if reading.switched.is_some() {
        return;
    }
    assert_eq!(interest.close, reading.closed.is_some(), "{interest:?} but {:?}", reading.closed);
    assert!(!interest.silence_ends || interest.shutdown && interest.lend > 0, "{interest:?}");
    if !interest.close {
        assert!(interest.lend > 0 || ended, "stuck: {interest:?}");
        assert!(interest.lend == 0 || timeout.is_some(), "reads without a deadline");
    }
}

/// Feeds `bytes` to a client that has sent requests with these methods, pipelined.
///
/// # Panics
/// If the machine contradicts itself.
#[must_use]
pub fn as_client(
    config: &Arc<Config>,
    methods: &[impl AsRef<str>],
    offer: Option<&str>,
    bytes: &[u8],
    cut: &Cut,
    end: Option<End>,
) -> Reading {
    as_client_via(Via::Calls, config, methods, offer, bytes, cut, end)
}

/// The same by typed calls or by the model.
///
/// # Panics
/// As [`as_client`].
#[must_use]
pub fn as_client_via(
    via: Via,
    config: &Arc<Config>,
    methods: &[impl AsRef<str>],
    offer: Option<&str>,
    bytes: &[u8],
    cut: &Cut,
    end: Option<End>,
) -> Reading {
    let now = Instant::ZERO;
    let mut config = Config::clone(config);
    config.persistence.pipelining = config.persistence.pipelining.max(methods.len());
    let mut connection = Driven::new(client::Connection::new(config.into(), now), BytesMut::new(), via);
    let (mut asked, mut written) = (methods.iter(), Vec::new());
    ask(&mut connection, &mut asked, offer, &mut written);
    let mut reading = Reading::default();
    let mut pieces = cut.pieces(bytes).into_iter();
    let mut ended = false;
    let mut complete = 0;
    loop {
        loop {
            match connection.poll() {
                Ok(Some(event)) => {
                    let ended = receive(&mut connection.machine, event, &mut reading);
                    complete += usize::from(ended);
                    if ended && asked.len() > 0 {
                        // What was not pipelined is asked for now, and what comes next is the answer to it.
                        let rest = connection.input.split();
                        match connection.poll() {
                            Ok(Some(event)) => drop(receive(&mut connection.machine, event, &mut reading)),
                            Ok(None) => ask(&mut connection, &mut asked, offer, &mut written),
                            Err(error) => fault(&mut reading, error),
                        }
                        connection.input.extend_from_slice(&rest);
                    }
                }
                Ok(None) => break,
                Err(error) => fault(&mut reading, error),
            }
        }
        check(&connection.machine.interest(), &reading, ended, connection.machine.poll_timeout());
        if reading.closed.is_some() || reading.switched.is_some() {
            break;
        }
        match pieces.next() {
            Some(piece) => connection.receive(piece),
            None if ended || end.is_none() => break,
            None => {
                ended = true;
                let end = end.unwrap_or(End::Clean);
                connection.command(Input::Eof(end), |machine, _| machine.handle_eof(end, now));
            }
        }
    }
    if reading.switched.is_some() {
        connection.input.extend_from_slice(&pieces.collect::<Vec<_>>().concat());
        reading.switched = Some(connection.input.to_vec());
    }
    reading.closing = reading.closed.is_some();
    // So is a response of which nothing came.
    reading.incomplete |= reading.switched.is_none() && complete < methods.len();
    let sent = methods.len() - asked.len();
    assert!(reading.switched.is_some() || complete + connection.machine.unanswered().count() == sent, "a request lost");
    // Whether it was kept is seen by what came of it: the next response, or an end that is the peer's doing.
    let over = match (reading.closed, &reading.error) {
        (Some(Closed::NotPersistent), _) => Some(false),
        (Some(Closed::ByPeer) | None, None) | (_, Some((Reason::SurplusBytes, _))) => Some(true),
        _ => None,
    };
    let finals: Vec<_> = reading.messages.iter_mut().filter(|m| is_final(m)).collect();
    let last = finals.len().saturating_sub(1);
    for (at, message) in finals.into_iter().enumerate() {
        message.keep_alive = if at == last && reading.partial.is_none() { over } else { Some(true) };
    }
    reading
}

/// Sends as many requests as may be on their way at once: nothing is pipelined behind one that is not idempotent (RFC
/// 9112 §9.3.2), so what follows it waits for its response.
fn ask<M: AsRef<str>>(
    connection: &mut Driven<ClientSide>,
    methods: &mut core::slice::Iter<'_, M>,
    offer: Option<&str>,
    written: &mut Vec<u8>,
) {
    let now = Instant::ZERO;
    while let [method, ..] = methods.as_slice() {
        if !matches!(connection.machine.readiness(), client::Readiness::Idle | client::Readiness::Pipeline) {
            break;
        }
        methods.next();
        let (connect, host) = (method.as_ref() == "CONNECT", "example.com:80");
        let method = Method::from_bytes(method.as_ref().as_bytes()).expect("a token");
        let head = RequestHead::new(method, if connect { host } else { "/" }).and_then(|h| h.with("Host", host));
        let head = match offer {
            Some(protocol) => head.and_then(|h| h.with("Upgrade", protocol)),
            None => head,
        };
        let content = if method.is_idempotent() { Content::Empty } else { Content::Full(Bytes::from_static(b"x")) };
        let request = Input::SendRequest(head.expect("a good head"), content);
        connection.command(request, |machine, request| {
            let Input::SendRequest(head, content) = request else { unreachable!() };
            machine.send_request(&head, content, now).expect("a request can be sent");
        });
    }
    written.extend(sent_by_client(&mut connection.machine, now));
    connection.check_written(written);
}

fn is_final(message: &Message) -> bool {
    !matches!(message.start, Start::Response { status: 100..=199, .. })
}

/// Whether the event was the end of a response.
fn receive(connection: &mut client::Connection, event: client::Event, reading: &mut Reading) -> bool {
    assert!(reading.closed.is_none(), "an event after the end: {event:?}");
    match event {
        client::Event::Interim(head) => reading.messages.push(Message::of_response(&head)),
        client::Event::Response(head) => {
            assert!(reading.partial.is_none(), "two responses at once");
            reading.partial = Some(Message::of_response(&head));
            connection.recycle(head);
        }
        client::Event::Content(piece) => {
            assert!(!piece.is_empty());
            let message = reading.partial.as_mut().expect("content belongs to a response");
            message.content.extend_from_slice(&piece);
        }
        client::Event::End(trailers) => {
            let mut message = reading.partial.take().expect("an end belongs to a response");
            message.trailers = pairs(&trailers);
            reading.messages.push(message);
            return true;
        }
        client::Event::Switched => {
            reading.messages.extend(reading.partial.take());
            reading.switched = Some(vec![]);
        }
        client::Event::Closed(why) => reading.closed = Some(why),
        other => panic!("an event that the tests do not know: {other:?}"),
    }
    false
}

/// Reads `bytes` in every way; all must come to the same.
///
/// # Errors
/// If they do not: with the way, which names its seed.
pub fn all_ways(name: &str, bytes: &[u8], read: impl Fn(&Cut) -> Reading) -> Result<Reading, String> {
    let mut ways = Cut::ways(name, bytes.len());
    let whole = read(&ways.next().expect("whole is the first way"));
    for way in ways {
        let reading = read(&way);
        if reading != whole {
            return Err(format!("{name}: cut {way:?} it is read as\n  {reading:?}\nwhole as\n  {whole:?}"));
        }
    }
    Ok(whole)
}
