//! A client and a server joined by a simulated network: two machines, two applications that follow a script, and no
//! clock.

use std::sync::Arc;

use http_core::client::{ClientSide, Readiness};
use http_core::server::ServerSide;
use http_core::{Config, End, Fields, Instant, Misuse, Reason, client, server};

use crate::cut::Cut;
use crate::outcome::{Ending, Outcome, Seen};
use crate::party::Party;
use crate::pipe::{Break, Pipe};
use crate::read::{Message, pairs};
use crate::script::{Exchange, ID, Order, Script};

/// What both sides are given, and what befalls the network between them.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The client's configuration.
    pub client: Arc<Config>,
    /// The server's configuration.
    pub server: Arc<Config>,
    /// How what the client sends is cut.
    pub up: Cut,
    /// How what the server sends is cut.
    pub down: Cut,
    /// Where what the client sends breaks.
    pub up_breaks: Option<Break>,
    /// Where what the server sends breaks.
    pub down_breaks: Option<Break>,
    /// Whether both directions break with the first.
    pub together: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            client: Arc::default(),
            server: Arc::default(),
            up: Cut::Whole,
            down: Cut::Whole,
            up_breaks: None,
            down_breaks: None,
            together: false,
        }
    }
}

impl Setup {
    /// Cut like this in both directions.
    #[must_use]
    pub fn cut(up: Cut, down: Cut) -> Self {
        Self { up, down, ..Self::default() }
    }

    /// Whether something breaks.
    #[must_use]
    pub const fn is_harmed(&self) -> bool {
        self.up_breaks.is_some() || self.down_breaks.is_some()
    }

    /// Whether the stream of a side ends in order though that side has not ended it.
    #[must_use]
    pub fn is_cut_cleanly(&self) -> bool {
        let clean = |fault| matches!(fault, Some(Break::End(_, End::Clean)));
        clean(self.up_breaks) || clean(self.down_breaks)
    }

    /// With so many requests in flight at once.
    #[must_use]
    pub fn pipelining(mut self, most: usize) -> Self {
        let mut config = Config::clone(&self.client);
        config.persistence.pipelining = most;
        self.client = config.into();
        self
    }
}

/// The greeting of a client whose connection was handed over.
pub const HELLO: &[u8] = b"HELLO, this is another protocol\r\n\r\n";
/// The greeting of a server whose connection was handed over.
pub const WELCOME: &[u8] = b"WELCOME\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";

/// A client and a server at work.
#[derive(Clone, Debug)]
pub struct Pair {
    script: Script,
    client: Party<ClientSide>,
    server: Party<ServerSide>,
    up: Pipe,
    down: Pipe,
    together: bool,
    now: Instant,
    outcome: Outcome,
    /// How much of the open request's content was sent: its exchange, and pieces.
    uploading: Option<(usize, usize)>,
    handler: Option<Handler>,
}

/// The server's application in one exchange.
#[derive(Clone, Debug)]
struct Handler {
    exchange: usize,
    interims: usize,
    answered: bool,
    pieces: usize,
    done: bool,
    asked: bool,
    complete: bool,
}

/// More turns than any script needs.
const MOST_TURNS: usize = 2_000_000;

/// Lets two applications follow `script` until both connections are over.
///
/// # Panics
/// If a machine panics, contradicts itself, misses its own rules, or never comes to an end.
#[must_use]
pub fn run(script: &Script, setup: &Setup) -> Outcome {
    let mut pair = Pair::new(script.clone(), setup);
    for _ in 0..MOST_TURNS {
        if pair.is_over() {
            return pair.finish();
        }
        if !pair.turn() {
            pair.wait();
        }
    }
    panic!("no end: {pair:?}");
}

impl Pair {
    /// Both sides at the start.
    #[must_use]
    pub fn new(script: Script, setup: &Setup) -> Self {
        let now = Instant::from_nanos(1);
        // Some of the ways to cut go with the other way to write.
        let owning = |cut: &Cut| matches!(cut, Cut::Random(seed) if seed % 3 == 0);
        Self {
            script,
            client: Party::new(client::Connection::new(setup.client.clone(), now)).owning(owning(&setup.up)),
            server: Party::new(server::Connection::new(setup.server.clone(), now)).owning(owning(&setup.down)),
            up: Pipe::new(setup.up.clone()).breaking(setup.up_breaks),
            down: Pipe::new(setup.down.clone()).breaking(setup.down_breaks),
            together: setup.together,
            now,
            outcome: Outcome::default(),
            uploading: None,
            handler: None,
        }
    }

    /// Whether both have dropped their transport.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let told = |ending: &Ending, heard: Option<&[u8]>| ending.closed.is_some() || heard.is_some();
        self.client.is_over()
            && self.server.is_over()
            && told(&self.outcome.client, self.client.heard())
            && told(&self.outcome.server, self.server.heard())
    }

    /// Each side does what it can, and the network carries a piece in each direction; whether anything moved.
    pub fn turn(&mut self) -> bool {
        let mut moved = self.client_turn();
        moved |= self.client.exchange(&mut self.up, &mut self.down, self.now);
        moved |= self.server_turn();
        moved |= self.server.exchange(&mut self.down, &mut self.up, self.now);
        if self.together && (self.up.is_broken() || self.down.is_broken()) {
            self.together = false;
            let end = self.up.break_end().or(self.down.break_end()).unwrap_or(End::Unclean);
            self.up.finish(end);
            self.down.finish(end);
            moved = true;
        }
        moved
    }

    /// Nothing moves: lets time pass up to the next deadline.
    ///
    /// # Panics
    /// If nobody waits for anything: that is a hang.
    pub fn wait(&mut self) {
        let readable = (!self.client.is_over() && self.client.reads() && self.down.moves())
            || (!self.server.is_over() && self.server.reads() && self.up.moves())
            || self.client.heard().is_some() && self.down.moves()
            || self.server.heard().is_some() && self.up.moves();
        if readable {
            // A delay of the network.
            return;
        }
        let wake = [self.client.wake(), self.server.wake()].into_iter().flatten().min();
        match wake {
            Some(at) => self.now = self.now.max(at),
            // Tunnels are beyond the machines: their own deadlines are not simulated.
            None if self.client.heard().is_some() || self.server.heard().is_some() => {
                self.client.kill(&mut self.up, &mut self.down, End::Unclean);
                self.server.kill(&mut self.down, &mut self.up, End::Unclean);
            }
            None => panic!("a hang: {self:?}"),
        }
        self.client.tick(self.now);
        self.server.tick(self.now);
    }

    /// What came of it.
    #[must_use]
    pub fn finish(mut self) -> Outcome {
        self.outcome.unanswered = self.client.machine.unanswered().collect();
        self.outcome.client.heard = self.client.heard().map(<[u8]>::to_vec);
        self.outcome.server.heard = self.server.heard().map(<[u8]>::to_vec);
        self.outcome.carried = (self.up.history.len(), self.down.history.len());
        self.outcome
    }

    fn client_turn(&mut self) -> bool {
        let mut moved = false;
        if self.outcome.client.closed.is_some() || self.client.heard().is_some() {
            return false;
        }
        loop {
            let event = match self.client.machine.poll_event(&mut self.client.input, self.now) {
                Ok(Some(event)) => event,
                Ok(None) if self.request() => {
                    moved = true;
                    continue;
                }
                Ok(None) => return moved,
                Err(error) => {
                    fault(&mut self.outcome.client, error.reason());
                    continue;
                }
            };
            moved = true;
            self.response_event(event);
        }
    }

    /// The client's application; whether it did something.
    fn request(&mut self) -> bool {
        let machine = &mut self.client.machine;
        if let Some((number, piece)) = self.uploading {
            let body = &self.script.exchanges[number].upload;
            if !machine.awaits_content() {
                self.uploading = None;
                return true;
            }
            if machine.send_capacity() == 0 {
                return false;
            }
            if let Some(bytes) = body.pieces.get(piece) {
                // Both ways of sending it.
                let sent = match piece % 2 {
                    0 => machine.send_content(bytes.clone(), self.now),
                    _ => machine.send_content_copy(bytes, self.now),
                };
                self.uploading = Some((number, piece + 1));
                allowed(sent);
            } else {
                allowed(machine.send_end(&body.trailers, self.now));
                self.uploading = None;
                self.outcome.uploaded.push(number);
            }
            return true;
        }
        let Some(exchange) = self.script.exchanges.get(self.outcome.begun) else {
            if machine.readiness() == Readiness::Idle {
                machine.close(self.now);
                return true;
            }
            return false;
        };
        match machine.readiness() {
            Readiness::Idle | Readiness::Pipeline => {}
            Readiness::Closing => {
                // An idle connection that cannot be used is ended by its user.
                let idle = machine.unanswered().next().is_none() && !machine.interest().close;
                if idle && machine.interest().lend > 0 && self.outcome.client.closed.is_none() {
                    machine.close(self.now);
                }
                return false;
            }
            _ => return false,
        }
        let number = self.outcome.begun;
        let content = exchange.upload.content();
        machine.send_request(&exchange.request, content, self.now).expect("a ready connection takes a good request");
        self.outcome.begun += 1;
        let streams =
            matches!(exchange.upload.announce, crate::script::Announce::Sized | crate::script::Announce::Streaming);
        if streams && machine.awaits_content() {
            self.uploading = Some((number, 0));
        } else {
            self.outcome.uploaded.push(number);
        }
        true
    }

    fn response_event(&mut self, event: client::Event) {
        let outcome = &mut self.outcome;
        assert_eq!(outcome.client.closed, None, "an event after the end: {event:?}");
        let answered = outcome.responses.iter().filter(|seen| seen.complete).count();
        match event {
            client::Event::Interim(head) if head.status().as_u16() == 100 => outcome.continued += 1,
            client::Event::Interim(head) => {
                let message = Message::of_response(&head);
                outcome.interims.push(Seen { exchange: answered, message, complete: true });
                self.client.machine.recycle(head);
            }
            client::Event::Response(head) => {
                assert!(outcome.responses.last().is_none_or(|seen| seen.complete), "two responses at once");
                assert!(answered < outcome.begun, "a response without a request");
                let message = Message::of_response(&head);
                outcome.responses.push(Seen { exchange: answered, message, complete: false });
                self.client.machine.recycle(head);
            }
            client::Event::Content(piece) => {
                assert!(!piece.is_empty());
                open(&mut outcome.responses).message.content.extend_from_slice(&piece);
            }
            client::Event::End(trailers) => end(&mut outcome.responses, &trailers),
            client::Event::Switched => {
                end(&mut outcome.responses, &Fields::new());
                self.client.switch(HELLO);
            }
            client::Event::Closed(why) => outcome.client.closed = Some(why),
            other => panic!("an event that the tests do not know: {other:?}"),
        }
    }

    fn server_turn(&mut self) -> bool {
        let mut moved = false;
        if self.outcome.server.closed.is_some() || self.server.heard().is_some() {
            return false;
        }
        loop {
            let event = match self.server.machine.poll_event(&mut self.server.input, self.now) {
                Ok(Some(event)) => event,
                Ok(None) if self.answer() => {
                    moved = true;
                    continue;
                }
                Ok(None) => return moved,
                Err(error) => {
                    fault(&mut self.outcome.server, error.reason());
                    continue;
                }
            };
            moved = true;
            self.request_event(event);
        }
    }

    fn request_event(&mut self, event: server::Event) {
        let outcome = &mut self.outcome;
        assert_eq!(outcome.server.closed, None, "an event after the end: {event:?}");
        match event {
            server::Event::Request(head) => {
                let number = head.fields().get(ID).and_then(|id| core::str::from_utf8(id).ok()?.parse().ok());
                let exchange: usize = number.expect("a request of the script");
                let complete = false;
                outcome.requests.push(Seen { exchange, message: Message::of_request(&head), complete });
                self.handler = Some(Handler {
                    exchange,
                    interims: 0,
                    answered: false,
                    pieces: 0,
                    done: false,
                    asked: false,
                    complete,
                });
                self.server.machine.recycle(head);
            }
            server::Event::Content(piece) => {
                assert!(!piece.is_empty());
                open(&mut outcome.requests).message.content.extend_from_slice(&piece);
            }
            server::Event::End(trailers) => {
                end(&mut outcome.requests, &trailers);
                if let Some(handler) = &mut self.handler {
                    handler.complete = true;
                }
            }
            server::Event::Switched => self.server.switch(WELCOME),
            server::Event::Closed(why) => outcome.server.closed = Some(why),
            other => panic!("an event that the tests do not know: {other:?}"),
        }
    }

    /// The server's application; whether it did something.
    fn answer(&mut self) -> bool {
        let Some(handler) = &mut self.handler else { return false };
        let exchange = &self.script.exchanges[handler.exchange];
        handler.step(exchange, &mut self.server.machine, self.now)
    }
}

impl Handler {
    fn step(&mut self, exchange: &Exchange, machine: &mut server::Connection, now: Instant) -> bool {
        if self.interims < exchange.interim.len() && !self.answered {
            let sent = machine.send_interim(&exchange.interim[self.interims], now);
            self.interims += 1;
            allowed(sent);
            return true;
        }
        let ask = match exchange.order {
            Order::ReadThenAnswer | Order::Both => true,
            Order::AnswerThenRead | Order::AnswerOnly | Order::Discard => false,
        };
        if ask && !self.asked && !self.complete {
            self.asked = true;
            machine.want_content(now);
            return true;
        }
        if exchange.order == Order::Discard && !self.asked {
            self.asked = true;
            machine.discard_content(now);
            return true;
        }
        if self.done || exchange.order == Order::ReadThenAnswer && !self.complete {
            return false;
        }
        if !self.answered {
            self.answered = true;
            allowed(machine.send_response(&exchange.response, exchange.download.content(), now));
            self.done = !machine.awaits_content();
            self.read_after(exchange, machine, now);
            return true;
        }
        if !machine.awaits_content() || !machine.interest().close && machine.send_capacity() == 0 {
            return false;
        }
        let sent = match exchange.download.pieces.get(self.pieces) {
            Some(piece) if self.pieces % 2 == 0 => machine.send_content(piece.clone(), now),
            Some(piece) => machine.send_content_copy(piece, now),
            None => {
                self.done = true;
                machine.send_end(&exchange.download.trailers, now)
            }
        };
        self.pieces += 1;
        self.done |= sent == Err(Misuse::Closed);
        allowed(sent);
        self.read_after(exchange, machine, now);
        true
    }

    /// Who answers first asks for the content before anything else is polled.
    fn read_after(&mut self, exchange: &Exchange, machine: &mut server::Connection, now: Instant) {
        if self.done && exchange.order == Order::AnswerThenRead {
            machine.want_content(now);
        }
    }
}

/// What an application may meet that knows what it does: that the connection is over.
fn allowed<T>(result: Result<T, Misuse>) {
    assert!(matches!(result, Ok(_) | Err(Misuse::Closed)), "{:?}", result.err());
}

fn fault(ending: &mut Ending, reason: Reason) {
    assert_eq!(ending.error, None, "two errors, the second is {reason:?}");
    assert_eq!(ending.closed, None, "an error after the end: {reason:?}");
    ending.error = Some(reason);
}

fn open(messages: &mut [Seen]) -> &mut Seen {
    messages.last_mut().filter(|seen| !seen.complete).expect("it belongs to a message")
}

fn end(messages: &mut [Seen], trailers: &Fields) {
    let seen = open(messages);
    seen.message.trailers = pairs(trailers);
    seen.complete = true;
}
