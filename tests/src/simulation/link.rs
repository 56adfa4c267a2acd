//! One simulated connection: a client, a server, what lies between them, and what befalls it.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http_core::client::{self, ClientSide, Readiness};
use http_core::dispatch::{LostCause, Progress, Received, RequestId, Sent};
use http_core::server::ServerSide;
use http_core::{Config, Content, End, Fields, Instant, Method, RequestHead, ResponseHead, StatusCode, server};

use crate::cut::{Cut, Random};
use crate::party::Party;
use crate::pipe::{Break, Pipe};
use crate::script::ID;

/// A request, as its application knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Names it on the wire.
    pub(super) number: usize,
    pub(super) idempotent: bool,
    /// Its content can be produced again.
    pub(super) replayable: bool,
    /// Its response is delivered when all of it is there.
    pub(super) buffered: bool,
    pub(super) upload: usize,
    pub(super) download: usize,
    pub(super) chunked: bool,
}

impl Plan {
    fn head(&self) -> RequestHead {
        let method = if self.idempotent { Method::Put } else { Method::Post };
        let head = RequestHead::new(method, "/").and_then(|head| head.with("Host", "example.com"));
        let head = head.and_then(|head| head.with(ID, self.number.to_string()));
        head.and_then(|head| head.with("X-Answer", self.download.to_string())).expect("a good head")
    }

    /// Content that belongs to this request alone.
    fn content(&self) -> Bytes {
        pattern(self.number, self.upload)
    }

    /// The content of its response.
    pub(super) fn answer(&self) -> Bytes {
        pattern(self.number + 7, self.download)
    }
}

/// The longest content.
pub(super) const LONGEST: usize = 5001;

/// Content of this length that is unlike that of other seeds, near ones above all.
fn pattern(seed: usize, length: usize) -> Bytes {
    static PATTERNS: OnceLock<Vec<Bytes>> = OnceLock::new();
    let made = |first: usize| (0..LONGEST).map(|at| (first + at % 251) as u8).collect();
    let patterns = PATTERNS.get_or_init(|| (0..256).map(made).collect());
    patterns[seed.wrapping_mul(31) % 256].slice(..length)
}

/// What a turn of the client's side came to.
#[derive(Debug)]
pub(super) enum Told {
    /// A response begins.
    Started,
    /// The head of the final response to this request.
    Response(RequestId, u16),
    /// All of it.
    Complete(RequestId, Bytes),
    /// The connection takes another request.
    Ready,
    /// It takes no more; what is left on it.
    Lost(LostCause, Vec<(RequestId, Progress)>),
}

/// A request on its way.
#[derive(Clone, Debug)]
struct Flight {
    request: RequestId,
    plan: Plan,
    /// How much of its content was given to the machine; `None` once that is complete.
    uploaded: Option<usize>,
    content: Vec<u8>,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Link {
    client: Option<Party<ClientSide>>,
    server: Party<ServerSide>,
    up: Pipe,
    down: Pipe,
    together: bool,
    flights: VecDeque<Flight>,
    /// All that it was ever given.
    carried: Vec<RequestId>,
    /// The dispatcher waits to hear that there is room for another request.
    awaited: bool,
    serving: Serving,
}

/// The server's application: the open request.
#[derive(Debug, Default)]
struct Serving {
    number: usize,
    answer: usize,
    content: Vec<u8>,
    /// What is still to be sent of a response.
    rest: Option<Bytes>,
}

impl Link {
    /// A connection that was just made; `harm` is how likely it is to break, in percent.
    pub(super) fn new(config: &Arc<Config>, random: &mut Random, harm: usize, now: Instant) -> Self {
        let cut = |random: &mut Random| match random.below(4) {
            0 => Cut::Random(random.next()),
            _ => Cut::Whole,
        };
        let (mut up, mut down) = (Pipe::new(cut(random)), Pipe::new(cut(random)));
        if random.below(100) < harm {
            let bound = [10, 200, 3000, 9000][random.below(4)];
            let at = random.below(bound) as u64;
            let fault = match random.below(5) {
                0 | 1 => Break::End(at, End::Unclean),
                2 => Break::End(at, End::Clean),
                3 => Break::Write(at),
                _ => Break::Stall(at),
            };
            if random.below(2) == 0 { up = up.breaking(fault) } else { down = down.breaking(fault) }
        }
        Self {
            client: Some(Party::new(client::Connection::new(config.clone(), now)).owning(random.below(3) == 0)),
            server: Party::new(server::Connection::new(config.clone(), now)).owning(random.below(3) == 0),
            up,
            down,
            together: random.below(2) == 0,
            flights: VecDeque::new(),
            carried: vec![],
            awaited: false,
            serving: Serving::default(),
        }
    }

    /// The dispatcher has given the connection a request.
    pub(super) fn send(&mut self, request: RequestId, plan: Plan, now: Instant) -> Result<(), Told> {
        let flight = Flight { request, plan, uploaded: None, content: vec![] };
        self.flights.push_back(flight);
        self.carried.push(request);
        let Some(party) = &mut self.client else { return Err(self.lost(LostCause::Local)) };
        let readiness = party.machine.readiness();
        assert_ne!(readiness, Readiness::Busy, "assigned to a connection that has no room");
        if readiness == Readiness::Closing {
            // Its end has come and was not told yet.
            return Err(self.lost(LostCause::Eof));
        }
        let content = match plan.upload {
            0 => Content::Empty,
            _ if plan.replayable => Content::Full(plan.content()),
            _ if plan.chunked => Content::Streaming,
            length => Content::Sized(length as u64),
        };
        let streams = !matches!(content, Content::Empty | Content::Full(_));
        self.awaited = true;
        party.machine.send_request(&plan.head(), content, now).expect("a ready connection takes a good request");
        if let Some(flight) = self.flights.back_mut().filter(|_| streams) {
            flight.uploaded = Some(0);
        }
        Ok(())
    }

    /// The client gives the connection up.
    pub(super) fn drop_client(&mut self) {
        if let Some(party) = &mut self.client {
            party.kill(&mut self.up, &mut self.down, End::Unclean);
        }
        self.client = None;
        self.flights.clear();
    }

    /// Both sides do what they can; whether anything moved. `executed` hears of each request that the server took.
    pub(super) fn turn(&mut self, now: Instant, told: &mut Vec<Told>, executed: &mut impl FnMut(usize)) -> bool {
        let mut moved = self.client_turn(now, told);
        if let Some(party) = &mut self.client {
            moved |= party.exchange(&mut self.up, &mut self.down, now);
        }
        moved |= self.server_turn(now, executed);
        moved |= self.server.exchange(&mut self.down, &mut self.up, now);
        if self.together && (self.up.is_broken() || self.down.is_broken()) {
            self.together = false;
            self.up.finish(End::Unclean);
            self.down.finish(End::Unclean);
            moved = true;
        }
        moved
    }

    /// Whether the network holds bytes back that it will still deliver.
    pub(super) fn is_delayed(&self) -> bool {
        let client = self.client.as_ref().is_some_and(|party| party.reads() && !party.is_over());
        let server = !self.server.is_over() && self.server.reads();
        client && self.down.moves() || server && self.up.moves()
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        let client = self.client.as_ref().and_then(Party::wake);
        [client, self.server.wake()].into_iter().flatten().min()
    }

    pub(super) fn tick(&mut self, now: Instant) {
        if let Some(party) = &mut self.client {
            party.tick(now);
        }
        self.server.tick(now);
    }

    /// The requests on it, in order.
    pub(super) fn requests(&self) -> impl Iterator<Item = RequestId> {
        self.flights.iter().map(|flight| flight.request)
    }

    /// All that it was ever given.
    pub(super) fn carried(&self) -> &[RequestId] {
        &self.carried
    }

    /// Whether nothing is left of it.
    pub(super) fn is_over(&self) -> bool {
        self.client.is_none() && self.server.is_over()
    }

    fn client_turn(&mut self, now: Instant, told: &mut Vec<Told>) -> bool {
        let mut moved = false;
        loop {
            let Some(party) = &mut self.client else { return moved };
            let event = match party.machine.poll_event(&mut party.input, now) {
                Ok(Some(event)) => event,
                Ok(None) if self.upload(now) => {
                    moved = true;
                    continue;
                }
                Ok(None) => {
                    // An end of the stream that no request waits for.
                    let readiness = self.client.as_ref().map(|party| party.machine.readiness());
                    if readiness == Some(Readiness::Closing) && self.flights.is_empty() {
                        told.push(self.lost(LostCause::Eof));
                    }
                    let room = matches!(readiness, Some(Readiness::Idle | Readiness::Pipeline));
                    if room && core::mem::take(&mut self.awaited) {
                        told.push(Told::Ready);
                    }
                    return moved;
                }
                Err(error) => {
                    let cause = LostCause::from(error.reason());
                    assert!(cause != LostCause::Malformed, "the server broke no rule: {error}");
                    told.push(self.lost(cause));
                    return true;
                }
            };
            moved = true;
            self.client_event(event, told);
        }
    }

    fn client_event(&mut self, event: client::Event, told: &mut Vec<Told>) {
        match event {
            client::Event::Interim(_) => told.push(Told::Started),
            client::Event::Response(head) => {
                told.push(Told::Started);
                let flight = self.flights.front().expect("a response belongs to a request");
                told.push(Told::Response(flight.request, head.status().as_u16()));
            }
            client::Event::Content(piece) => {
                let flight = self.flights.front_mut().expect("content belongs to a request");
                flight.content.extend_from_slice(&piece);
            }
            client::Event::End(_) => {
                let flight = self.flights.pop_front().expect("an end belongs to a request");
                told.push(Told::Complete(flight.request, flight.content.into()));
                self.awaited = true;
                let readiness = self.client.as_ref().map(|party| party.machine.readiness());
                // What is left unanswered is told by the last event.
                if readiness == Some(Readiness::Closing) && self.flights.is_empty() {
                    told.push(self.lost(LostCause::Last));
                }
            }
            client::Event::Closed(why) => told.push(self.lost(why.into())),
            other => panic!("an event that was not asked for: {other:?}"),
        }
    }

    /// Sends content; whether it did.
    fn upload(&mut self, now: Instant) -> bool {
        let (Some(party), Some(flight)) = (&mut self.client, self.flights.back_mut()) else { return false };
        let Some(at) = flight.uploaded else { return false };
        if !party.machine.awaits_content() {
            flight.uploaded = None;
            return true;
        }
        // What was not begun can be sent again, even where its content can be produced once only.
        let begun = party.machine.unanswered().last().is_some_and(|unanswered| unanswered.sent >= Sent::HeadPartly);
        if !begun || party.machine.send_capacity() == 0 {
            return false;
        }
        let content = flight.plan.content();
        if at == content.len() {
            flight.uploaded = None;
            party.machine.send_end(&Fields::new(), now).expect("all of it was sent");
        } else {
            let to = content.len().min(at + 1000);
            flight.uploaded = Some(to);
            party.machine.send_content(content.slice(at..to), now).expect("there is room");
        }
        true
    }

    /// The client's side is over: says what is left, as a driver would.
    fn lost(&mut self, cause: LostCause) -> Told {
        let mut left = Vec::new();
        if let Some(party) = &self.client {
            let unanswered: Vec<_> = party.machine.unanswered().collect();
            for (at, flight) in self.flights.iter().enumerate() {
                // One that the machine never took was not sent.
                let mut progress = Progress::NOTHING;
                if let Some(found) = unanswered.get(at) {
                    progress = Progress { sent: found.sent, received: found.received };
                }
                if flight.plan.buffered {
                    // Nobody has seen anything of the response.
                    progress.received = progress.received.min(Received::Interim);
                }
                left.push((flight.request, progress));
            }
        }
        self.drop_client();
        Told::Lost(cause, left)
    }

    fn server_turn(&mut self, now: Instant, executed: &mut impl FnMut(usize)) -> bool {
        let mut moved = false;
        loop {
            let event = match self.server.machine.poll_event(&mut self.server.input, now) {
                Ok(Some(event)) => event,
                Ok(None) if self.respond(now) => {
                    moved = true;
                    continue;
                }
                Ok(None) => return moved,
                // Whatever broke: the connection ends.
                Err(_) => continue,
            };
            moved = true;
            match event {
                server::Event::Request(head) => {
                    let number = |name| -> usize {
                        let value = head.fields().get(name).and_then(|value| core::str::from_utf8(value).ok());
                        value.and_then(|value| value.parse().ok()).expect("a field of ours")
                    };
                    let (number, answer) = (number(ID), number("X-Answer"));
                    self.serving = Serving { number, answer, ..Serving::default() };
                    self.server.machine.want_content(now);
                }
                server::Event::Content(piece) => self.serving.content.extend_from_slice(&piece),
                server::Event::End(_) => {
                    let Serving { number, answer, content, .. } = &self.serving;
                    assert_eq!(*content, pattern(*number, content.len()), "other content, and told as complete");
                    executed(*number);
                    let body = pattern(number + 7, *answer);
                    let head = ResponseHead::new(StatusCode::OK);
                    let streams = answer % 2 == 1;
                    let announced = if streams { Content::Streaming } else { Content::Full(body.clone()) };
                    let sent = self.server.machine.send_response(&head, announced, now);
                    self.serving.rest = (streams && sent.is_ok()).then_some(body);
                }
                server::Event::Closed(_) => {}
                other => panic!("an event that was not asked for: {other:?}"),
            }
        }
    }

    fn respond(&mut self, now: Instant) -> bool {
        let machine = &mut self.server.machine;
        if machine.send_capacity() == 0 {
            return false;
        }
        let Some(rest) = &mut self.serving.rest else { return false };
        let piece = rest.split_to(rest.len().min(700));
        let sent = if piece.is_empty() {
            self.serving.rest = None;
            machine.send_end(&Fields::new(), now)
        } else {
            machine.send_content(piece, now)
        };
        if sent.is_err() {
            self.serving.rest = None;
        }
        true
    }
}
