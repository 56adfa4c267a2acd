//! A dispatcher, client and server machines, and a network that kills, cuts, stalls and delays: requests by the
//! thousand in virtual time, each of which must have one outcome.

mod book;
mod link;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use http_core::dispatch::{
    Action, Backoff, ConnectCause, ConnectionId, Delivery, Dispatcher, Input, Job, OriginId, Output, Policy, Progress,
    RequestId, apply,
};
use http_core::{Config, Instant};

use self::book::{Book, Outcome};
use self::link::{LONGEST, Link, Plan, Told};
use crate::cut::Random;

/// How a run is made.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The same run from the same seed.
    pub seed: u64,
    /// How many requests.
    pub requests: usize,
    /// Connections of one origin.
    pub connections: usize,
    /// Requests in flight on one connection.
    pub depth: usize,
    /// How many of the connections that are not left alone come to harm, in percent. Every 4th of an origin is left
    /// alone.
    pub harm: usize,
    /// How many of a thousand turns see a request cancelled.
    pub cancels: usize,
    /// Places that requests go to.
    pub origins: usize,
    /// The most requests that wait or are in flight.
    pub at_once: usize,
    /// Whatever else a policy and a job can say: places for half of the origins, connections that grow old or serve a
    /// few requests only, priorities, requests that want a connection of their own making.
    pub unlike: bool,
}

impl Default for Setup {
    /// A network without harm, and one connection for each of two origins.
    fn default() -> Self {
        Self {
            seed: 1,
            requests: 5000,
            connections: 1,
            depth: 1,
            harm: 0,
            cancels: 0,
            origins: 2,
            at_once: 8,
            unlike: false,
        }
    }
}

/// What came of the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answered in full.
    pub complete: usize,
    /// Failed before a response was delivered.
    pub failed: usize,
    /// Failed in the content of a response that was being delivered.
    pub cut: usize,
    /// Cancelled.
    pub cancelled: usize,
    /// How often one took the connection of another.
    pub claimed: usize,
    /// How often the server executed one.
    pub executions: usize,
    /// Connections that were made, or tried.
    pub connections: usize,
    /// The most requests that had no outcome, or could still be executed.
    pub most_known: usize,
    /// Virtual time that has passed.
    pub seconds: u64,
}

/// From a request's arrival.
const DEADLINE: Duration = Duration::from_secs(60);

/// A connection that is being made: when it is known what becomes of it, and what.
#[derive(Clone, Copy, Debug)]
enum Making {
    Works(Instant),
    Refused(Instant),
    Hangs,
}

#[derive(Debug)]
struct World {
    setup: Setup,
    random: Random,
    now: Instant,
    dispatcher: Dispatcher,
    config: Arc<Config>,
    origins: Vec<OriginId>,
    made: BTreeMap<OriginId, usize>,
    /// Requests that ever came.
    came: usize,
    book: Book,
    making: BTreeMap<ConnectionId, (OriginId, Making)>,
    links: BTreeMap<ConnectionId, (OriginId, Link)>,
    /// Servers whose client is gone.
    left: Vec<Link>,
    /// What the dispatcher wants done.
    orders: VecDeque<Action>,
    arrival: Instant,
    tally: Tally,
}

/// Runs so many requests through the chaos and checks every promise.
///
/// # Panics
/// If a request has no outcome, or two; if one that is not idempotent was executed twice; if an idempotent one that
/// can be sent again fails; if anything is left over.
#[must_use]
pub fn run(setup: Setup) -> Tally {
    let mut world = World::new(setup);
    while world.came < setup.requests || !world.book.open().is_empty() || !world.orders.is_empty() {
        if !world.turn() {
            world.wait();
        }
    }
    world.finish()
}

impl World {
    fn new(setup: Setup) -> Self {
        let mut random = Random::new(setup.seed);
        let mut policy = Policy::default()
            .connections_per_origin(setup.connections)
            .idle_per_origin(setup.connections)
            .pipeline_depth(setup.depth)
            .connect_retries(7)
            .request_retries(7)
            .retry_budget(None)
            .connect_timeout(Duration::from_secs(1))
            .backoff(Backoff::new(Duration::from_millis(50), Duration::from_millis(400)).jitter(200));
        if setup.unlike {
            policy = policy
                .max_connections(setup.connections * setup.origins.div_ceil(2))
                .place_timeout(None)
                .lifetime(Duration::from_secs(2))
                .requests_per_connection(12)
                .idle_timeout(Duration::from_millis(600))
                .fresh_after_idle(Duration::from_millis(100))
                .overtaking(2);
        }
        let mut dispatcher = Dispatcher::new(policy);
        dispatcher.handle_random(random.next());
        let origins: Vec<_> = (0..setup.origins).map(|_| dispatcher.add_origin()).collect();
        let mut config = Config::default();
        config.persistence.pipelining = setup.depth;
        config.timeouts.head = Duration::from_secs(1);
        config.timeouts.content = Duration::from_secs(1);
        config.timeouts.idle = Duration::from_millis(700);
        config.timeouts.linger = Duration::from_secs(1);
        Self {
            setup,
            random,
            now: Instant::ZERO,
            dispatcher,
            config: config.into(),
            made: origins.iter().map(|&origin| (origin, 0)).collect(),
            origins,
            came: 0,
            book: Book::default(),
            making: BTreeMap::new(),
            links: BTreeMap::new(),
            left: vec![],
            orders: VecDeque::new(),
            arrival: Instant::ZERO,
            tally: Tally::default(),
        }
    }

    /// Everybody does what can be done now; whether anything moved.
    fn turn(&mut self) -> bool {
        let mut moved = self.obey();
        moved |= self.arrive();
        moved |= self.cancel();
        moved |= self.connect();
        moved |= self.obey();
        let ids: Vec<_> = self.links.keys().copied().collect();
        for id in ids {
            let mut told = Vec::new();
            let Some((_, link)) = self.links.get_mut(&id) else { continue };
            let book = &mut self.book;
            moved |= link.turn(self.now, &mut told, &mut |number| book.execute(number));
            for told in told {
                moved = true;
                self.tell(id, told);
            }
            self.obey();
        }
        for link in &mut self.left {
            let book = &mut self.book;
            moved |= link.turn(self.now, &mut vec![], &mut |number| book.execute(number));
        }
        let (book, tally) = (&mut self.book, &mut self.tally);
        self.left.retain(|link| {
            if link.is_over() {
                book.let_go(link.carried(), tally);
            }
            !link.is_over()
        });
        moved
    }

    /// New requests, a few at a time.
    fn arrive(&mut self) -> bool {
        if self.came == self.setup.requests || self.book.open().len() >= self.setup.at_once || self.now < self.arrival {
            return false;
        }
        let random = &mut self.random;
        if random.below(20) == 0 {
            // A pause in which connections idle and servers end them.
            self.arrival = self.now.saturating_add(Duration::from_millis(random.below(1500) as u64));
        }
        let plan = Plan {
            number: self.came,
            idempotent: random.below(3) > 0,
            replayable: random.below(4) > 0,
            buffered: random.below(3) > 0,
            upload: [0, 0, 10, 3000][random.below(4)],
            download: [0, 11, 500, LONGEST][random.below(4)],
            chunked: random.below(2) == 0,
        };
        let origin = self.origins[random.below(self.origins.len())];
        let job = Job::new(origin).idempotent(plan.idempotent).replayable(plan.replayable);
        let mut job = job.deadline(self.now.saturating_add(DEADLINE));
        if self.setup.unlike {
            job = job.priority([128, 128, 0, 200][random.below(4)]).fresh(random.below(8) == 0);
        }
        self.came += 1;
        let _ = self.input_and(Input::Enqueue(job), |book, output| {
            let Output::Request(Ok(request)) = output else { panic!("the queue has room: {output:?}") };
            book.add(request, plan);
        });
        true
    }

    /// An application changes its mind, wherever its request is.
    fn cancel(&mut self) -> bool {
        if self.book.open().is_empty() || self.random.below(1000) >= self.setup.cancels {
            return false;
        }
        let open = self.book.open();
        let request = *open.iter().nth(self.random.below(open.len())).expect("as many as there are");
        assert_eq!(self.input(Input::Cancel(request)), Output::Known(true));
        self.end(request, Outcome::Cancelled);
        true
    }

    /// Connections that are made, or not, by now.
    fn connect(&mut self) -> bool {
        let due = self.making.iter().find_map(|(&id, &(origin, making))| match making {
            Making::Works(at) | Making::Refused(at) if at <= self.now => Some((id, origin, making)),
            _ => None,
        });
        let Some((id, origin, making)) = due else { return false };
        self.making.remove(&id);
        if let Making::Refused(_) = making {
            let _ = self.input(Input::ConnectFailed(id, ConnectCause::Refused));
        } else {
            let harm = if self.is_left_alone(origin) { 0 } else { self.setup.harm };
            let link = Link::new(&self.config, &mut self.random, harm, self.now);
            self.links.insert(id, (origin, link));
            let _ = self.input(Input::Connected(id));
        }
        true
    }

    fn is_left_alone(&self, origin: OriginId) -> bool {
        self.made[&origin] % 4 == 0
    }

    fn input(&mut self, input: Input) -> Output {
        self.input_and(input, |_, _| {})
    }

    /// The same; what came of it is noted before what follows from it.
    fn input_and(&mut self, input: Input, note: impl FnOnce(&mut Book, Output)) -> Output {
        let before = self.orders.len();
        let orders = &mut self.orders;
        let output = apply(&mut self.dispatcher, input, self.now, &mut |action| orders.push_back(action));
        note(&mut self.book, output);
        for order in self.orders.range(before..) {
            if let Action::Assign { request, .. } = order {
                self.book.carry(*request);
            }
        }
        output
    }

    /// Does what the dispatcher wants; whether there was anything.
    fn obey(&mut self) -> bool {
        let mut moved = false;
        while let Some(action) = self.orders.pop_front() {
            self.act(action);
            moved = true;
        }
        moved
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Connect { connection, origin, .. } => {
                self.tally.connections += 1;
                *self.made.entry(origin).or_default() += 1;
                let at = self.now.saturating_add(Duration::from_micros(self.random.below(3000) as u64));
                let harmed = !self.is_left_alone(origin) && self.random.below(100) < self.setup.harm;
                let making = match self.random.below(8) {
                    0 if harmed => Making::Refused(at),
                    1 if harmed => Making::Hangs,
                    _ => Making::Works(at),
                };
                self.making.insert(connection, (origin, making));
            }
            Action::Assign { request, connection } => {
                let request = self.claim(connection, request);
                let plan = self.book.plan(request);
                let (_, link) = self.links.get_mut(&connection).expect("assigned to a connection that is up");
                if let Err(told) = link.send(request, plan, self.now) {
                    self.tell(connection, told);
                }
            }
            Action::Fail { request, failure } => self.end(request, Outcome::Failed(failure)),
            Action::Close { connection, .. } => {
                self.making.remove(&connection);
                self.retire(connection);
            }
            other => panic!("an action that the tests do not know: {other:?}"),
        }
    }

    /// Whom a connection takes: now and then whoever was assigned does not come for it, and another request does.
    fn claim(&mut self, connection: ConnectionId, assigned: RequestId) -> RequestId {
        // Only of one with nothing on it is it known that nothing was begun.
        let is_unused = self.links.get(&connection).is_some_and(|(_, link)| link.requests().next().is_none());
        if !is_unused || self.random.below(8) > 0 {
            return assigned;
        }
        let waits = |request: &RequestId| self.dispatcher.connection_of(*request).is_none();
        let waiting: Vec<_> = self.book.open().iter().copied().filter(waits).collect();
        let Some(&request) = waiting.get(self.random.below(waiting.len().max(1))) else { return assigned };
        if self.input(Input::Claim(connection, request)) != Output::Known(true) {
            return assigned;
        }
        self.tally.claimed += 1;
        self.book.carry(request);
        self.book.let_go(&[assigned], &mut self.tally);
        request
    }

    fn tell(&mut self, connection: ConnectionId, told: Told) {
        match told {
            Told::Started => drop(self.input(Input::ResponseStarted(connection))),
            Told::Response(request, _) if self.book.is_cancelled(request) => {}
            Told::Response(request, status) => {
                if !self.book.plan(request).buffered {
                    self.book.begin(request);
                    let output = self.input(Input::Response(request, status.into()));
                    assert_eq!(output, Output::Delivery(Delivery::Deliver));
                }
            }
            Told::Complete(request, content) => {
                let plan = self.book.plan(request);
                assert_eq!(content, plan.answer(), "another response, or a truncated one");
                if self.book.is_cancelled(request) {
                    // Its connection went on for the sake of others.
                    return;
                }
                if plan.buffered {
                    // In one call or in two: nobody can tell.
                    let input = if self.random.below(2) == 0 {
                        self.end(request, Outcome::Complete);
                        Input::Complete(connection, request, 200.into(), false)
                    } else {
                        Input::Response(request, 200.into())
                    };
                    let complete = matches!(input, Input::Complete(..));
                    assert_eq!(self.input(input), Output::Delivery(Delivery::Deliver));
                    if complete {
                        return;
                    }
                }
                self.end(request, Outcome::Complete);
                assert_eq!(self.input(Input::Finished(request)), Output::Known(true));
            }
            Told::Ready => {
                // One that was assigned meanwhile takes the room that this tells of.
                let on = |order: &Action| matches!(order, Action::Assign { connection: on, .. } if *on == connection);
                // Nothing goes behind a response that nobody wants.
                let owed = self
                    .links
                    .get(&connection)
                    .is_some_and(|(_, link)| link.requests().any(|request| self.book.is_cancelled(request)));
                if !owed && !self.orders.iter().any(on) {
                    let _ = self.input(Input::Ready(connection));
                }
            }
            Told::Lost(cause, mut unanswered) => {
                self.retire(connection);
                // Orders that nobody has carried out yet.
                let mut never_sent = Vec::new();
                self.orders.retain(|order| match order {
                    Action::Assign { request, connection: on } if *on == connection => {
                        never_sent.push(*request);
                        false
                    }
                    _ => true,
                });
                unanswered.extend(never_sent.iter().map(|request| (*request, Progress::NOTHING)));
                self.book.let_go(&never_sent, &mut self.tally);
                let _ = self.input(Input::Lost(connection, cause, unanswered));
            }
        }
    }

    /// The client's side is gone; its server may not know yet.
    fn retire(&mut self, connection: ConnectionId) {
        if let Some((_, mut link)) = self.links.remove(&connection) {
            link.drop_client();
            self.left.push(link);
        }
    }

    fn end(&mut self, request: RequestId, outcome: Outcome) {
        self.book.end(request, outcome, &mut self.tally);
    }

    /// Nothing moves: lets time pass up to whatever comes next.
    fn wait(&mut self) {
        let links = self.links.values().map(|(_, link)| link).chain(&self.left);
        if links.clone().any(Link::is_delayed) {
            return;
        }
        let making = self.making.values().filter_map(|(_, making)| match making {
            Making::Works(at) | Making::Refused(at) => Some(*at),
            Making::Hangs => None,
        });
        let arrives = self.came < self.setup.requests && self.book.open().len() < self.setup.at_once;
        let next = links.filter_map(Link::wake).chain(making);
        let next = next.chain(self.dispatcher.poll_timeout()).chain(arrives.then_some(self.arrival));
        let next = next.min().unwrap_or_else(|| panic!("a hang: {self:?}"));
        self.now = self.now.max(next);
        for link in self.links.values_mut().map(|(_, link)| link).chain(&mut self.left) {
            link.tick(self.now);
        }
        if self.dispatcher.poll_timeout().is_some_and(|at| at <= self.now) {
            let _ = self.input(Input::Timeout);
        }
    }

    fn finish(mut self) -> Tally {
        let _ = self.input(Input::Drain);
        while !self.links.is_empty() || !self.left.is_empty() {
            if !self.turn() {
                self.wait();
            }
        }
        assert!(self.dispatcher.is_drained(), "a connection or a request is left");
        assert_eq!(self.dispatcher.poll_timeout(), None, "a deadline is left");
        assert!(self.book.is_empty(), "a request has no outcome: {:?}", self.book);
        self.tally.seconds = self.now.as_nanos() / 1_000_000_000;
        self.tally
    }
}
