//! The dispatcher, its driver, its origin.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http_core::Instant;
use http_core::dispatch::{
    Action, Backoff, Circuit, ConnectCause, ConnectionId, ConnectionState, Delivery, Dispatcher, Input, Job, LostCause,
    OriginId, OriginPhase, Output, Policy, Progress, Received, RequestId, Sent, StatusFacts, apply,
};
use http_core::model::Canonical;

use super::World;

const TICK: Duration = Duration::from_secs(1);

/// [`Policy::overtaking`], the least that can be counted.
const OVERTAKING: u8 = 1;

/// A dispatcher and a driver that does what it says and reports whatever happens to its connections.
#[derive(Clone, Debug)]
pub struct Dispatch {
    machine: Dispatcher,
    now: Instant,
    plan: Plan,
    origins: Vec<OriginId>,
    /// Requests that were taken in and have no outcome: whether each may be repeated, and how often it was sent.
    open: BTreeMap<RequestId, Request>,
    /// Connections that the driver was told to make and not to close, with the requests that it has on each, in order.
    connections: BTreeMap<ConnectionId, Vec<RequestId>>,
    up: BTreeSet<ConnectionId>,
    draining: bool,
    shows: Shows,
    /// Requests that ever came.
    came: u64,
}

/// What there is, and what may happen to it: each more of it multiplies the states.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Places that requests go to.
    pub origins: usize,
    /// Connections of one origin.
    pub connections: usize,
    /// Connections in all.
    pub all_connections: usize,
    /// Requests at a time.
    pub requests: usize,
    /// Requests on one connection.
    pub depth: usize,
    /// A circuit breaker.
    pub circuit: bool,
    /// Warming up, 421, names that do not exist.
    pub rare_events: bool,
    /// Requests take the connections of others that were not begun.
    pub claims: bool,
    /// Waits for a place end.
    pub places: bool,
    /// Everything goes well, and connections that are more than are kept are kept for a while.
    pub surplus: bool,
    /// Priorities, and requests that need a connection of their own making.
    pub unlike: bool,
    /// Some requests have a deadline, and the whole may come to an end.
    pub deadlines_and_drain: bool,
    /// Everything goes well, and it is counted how often in a row those that came later go first.
    pub overtakings: bool,
}

impl Plan {
    /// One origin, one connection, two requests.
    pub const SMALL: Self = Self {
        origins: 1,
        connections: 1,
        all_connections: 8,
        requests: 2,
        depth: 1,
        circuit: false,
        rare_events: true,
        claims: true,
        places: false,
        surplus: false,
        unlike: false,
        deadlines_and_drain: false,
        overtakings: false,
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Request {
    idempotent: bool,
    /// Something of it was handed to a transport, and it was not said to be untouched since.
    sent: bool,
    /// The same, before it was assigned last.
    before: bool,
    /// Its response was delivered.
    delivered: bool,
    origin: OriginId,
    /// When it came, compared to the others.
    came: u64,
    /// How often in a row one that came later has gone first while it waited: one of its origin, one of another.
    overtaken: (u8, u8),
}

/// What a diagram shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The states of its connections.
    Connections,
    /// The phases of its origin.
    Origin,
}

/// What may happen to a dispatcher.
#[derive(Clone, Debug)]
pub struct Step(Kind, &'static str);

#[derive(Clone, Debug)]
enum Kind {
    Input(Input),
    /// Time passes up to the next deadline.
    Wait,
}

impl Dispatch {
    /// A dispatcher without requests.
    #[must_use]
    pub fn new(shows: Shows, plan: Plan) -> Self {
        let policy = Policy::default()
            .fresh_after_idle(None)
            .backoff(Backoff::new(TICK, TICK))
            .connect_timeout(TICK)
            .connect_retries(1)
            .request_retries(1)
            .retry_budget(None)
            .connections_per_origin(plan.connections)
            .max_connections(plan.all_connections)
            .pipeline_depth(plan.depth)
            .idle_per_origin(1)
            .idle_timeout(if plan.surplus { 2 * TICK } else { TICK })
            .surplus_timeout(if plan.surplus { TICK } else { Duration::ZERO })
            .overtaking(OVERTAKING)
            .place_timeout(plan.places.then_some(TICK))
            .circuit(plan.circuit.then_some(Circuit::new(2, TICK)));
        let mut machine = Dispatcher::new(policy);
        let origins = (0..plan.origins).map(|_| machine.add_origin()).collect();
        Self {
            machine,
            now: Instant::ZERO,
            plan,
            origins,
            open: BTreeMap::new(),
            connections: BTreeMap::new(),
            up: BTreeSet::new(),
            draining: false,
            shows,
            came: 0,
        }
    }

    fn input(&mut self, input: Input) -> Result<(), String> {
        self.report(&input);
        let mut actions = Vec::new();
        let untold = self.machine.clone();
        let output = apply(&mut self.machine, input.clone(), self.now, &mut |action| actions.push(action));
        self.compare(untold, &input, output, &actions)?;
        match (&input, output) {
            (Input::Enqueue(job), Output::Request(Ok(id))) => {
                self.came += 1;
                let (idempotent, origin, came) = (job.idempotent, job.origin, self.came);
                let [sent, before, delivered] = [false; 3];
                let request = Request { idempotent, sent, before, delivered, origin, came, overtaken: (0, 0) };
                self.open.insert(id, request);
            }
            (Input::Cancel(id) | Input::Finished(id), Output::Known(true)) => {
                self.open.remove(id).ok_or("a second outcome")?;
            }
            (Input::Response(id, _), Output::Delivery(delivery)) => self.delivered(*id, delivery),
            (Input::Complete(_, id, ..), Output::Delivery(delivery)) => {
                self.delivered(*id, delivery);
                if delivery == Delivery::Deliver {
                    self.open.remove(id).ok_or("a second outcome")?;
                    self.connections.values_mut().for_each(|on| on.retain(|other| other != id));
                }
            }
            (Input::Claim(connection, id), Output::Known(true)) => self.claimed(*connection, *id)?,
            _ => {}
        }
        actions.into_iter().try_for_each(|action| self.perform(action))
    }

    /// What is told in one call leads where the calls lead that it stands for; what is refused changes nothing.
    fn compare(&self, mut before: Dispatcher, input: &Input, output: Output, told: &[Action]) -> Result<(), String> {
        let mut actions = Vec::new();
        match *input {
            Input::Complete(connection, request, facts, ready) => {
                before.handle_response_started(connection, self.now);
                let delivery = before.handle_response(request, facts, self.now);
                if delivery == Delivery::Deliver {
                    before.handle_finished(request, self.now);
                }
                if ready {
                    before.handle_ready(connection, self.now);
                }
                if output != Output::Delivery(delivery) {
                    return Err("one call says otherwise than the four that it stands for".into());
                }
                actions.extend(std::iter::from_fn(|| before.poll_action()));
            }
            Input::Claim(..) if output == Output::Known(false) => {}
            _ => return Ok(()),
        }
        // What is closed has no name that could be compared.
        if actions != told || before.canonical(self.now) != self.machine.canonical(self.now) {
            return Err("one call leads elsewhere than those that it stands for".into());
        }
        Ok(())
    }

    /// A request has the connection of another, which was not begun.
    fn claimed(&mut self, connection: ConnectionId, id: RequestId) -> Result<(), String> {
        let on = self.connections.get_mut(&connection).ok_or("claimed what is not there")?;
        let other = std::mem::replace(on, vec![id]);
        for other in other {
            let open = self.open.get_mut(&other).ok_or("claimed from nobody")?;
            open.sent = open.before;
        }
        let open = self.open.get_mut(&id).ok_or("claimed by nobody")?;
        if open.delivered || open.sent && !open.idempotent {
            return Err("sent again what must not be".into());
        }
        (open.before, open.sent) = (open.sent, true);
        Ok(())
    }

    /// What the driver knows when it reports something.
    fn report(&mut self, input: &Input) {
        match input {
            Input::Connected(id) => {
                self.up.insert(*id);
            }
            Input::ConnectFailed(id, _) => self.forget(*id),
            Input::Lost(id, _, unanswered) => {
                for (request, progress) in unanswered {
                    if let Some(open) = self.open.get_mut(request) {
                        open.sent = progress.sent != Sent::Nothing;
                    }
                }
                self.forget(*id);
            }
            Input::Finished(request) => {
                self.connections.values_mut().for_each(|on| on.retain(|other| other != request));
            }
            Input::Drain => self.draining = true,
            _ => {}
        }
    }

    fn forget(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
        self.up.remove(&id);
    }

    fn delivered(&mut self, id: RequestId, delivery: Delivery) {
        if let (Delivery::Deliver, Some(open)) = (delivery, self.open.get_mut(&id)) {
            open.delivered = true;
        }
        if delivery == Delivery::Discard {
            self.connections.values_mut().for_each(|on| on.retain(|other| *other != id));
            if let Some(open) = self.open.get_mut(&id) {
                // The origin says that it did nothing (421) or that it is to be repeated (503).
                open.sent = false;
            }
        }
    }

    fn perform(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Connect { connection, .. } => {
                if self.connections.insert(connection, Vec::new()).is_some() {
                    return Err("a connection is made twice".into());
                }
                if self.connections.len() > (self.plan.connections * self.plan.origins).min(self.plan.all_connections) {
                    return Err("more connections than allowed".into());
                }
            }
            Action::Assign { request, connection } => {
                if !self.up.contains(&connection) {
                    return Err("assigned to a connection that is not up".into());
                }
                let on = self.connections.get_mut(&connection).ok_or("assigned to no connection")?;
                on.push(request);
                if on.len() > self.plan.depth {
                    return Err("assigned to a connection that has enough".into());
                }
                let idempotent = |id| self.open.get(id).is_some_and(|open| open.idempotent);
                if on.len() > 1 && !on.iter().all(idempotent) {
                    return Err("pipelined what must not be".into());
                }
                let open = self.open.get_mut(&request).ok_or("a request without a claim to it is assigned")?;
                if open.delivered || open.sent && !open.idempotent {
                    return Err("sent again what must not be".into());
                }
                (open.before, open.sent) = (open.sent, true);
                if self.plan.overtakings {
                    self.count_overtakings(request)?;
                }
            }
            Action::Fail { request, failure } => {
                let open = self.open.remove(&request).ok_or("a second outcome")?;
                if failure.safe_to_repeat && open.sent && !open.idempotent {
                    return Err("said to be safe to repeat, and is not".into());
                }
            }
            Action::Close { connection, .. } => self.forget(connection),
            _ => {}
        }
        Ok(())
    }

    /// This one goes on a connection: those that came before it and wait are overtaken.
    fn count_overtakings(&mut self, request: RequestId) -> Result<(), String> {
        let first = *self.open.get(&request).ok_or("a request without a claim to it is assigned")?;
        for (id, open) in &mut self.open {
            let (own, others) = &mut open.overtaken;
            if *id == request || first.came < open.came {
                // Its own turn, or that of one that came before it: what is counted is in a row.
                (*own, *others) = (0, 0);
            } else if self.machine.connection_of(*id).is_none() {
                // Between origins it is their turns that are counted: what its own served is one of those. And one that
                // leaves its place to a request which goes before has not had its turn by that.
                let (count, most) = if open.origin == first.origin {
                    *others = 0;
                    (own, OVERTAKING)
                } else {
                    (others, OVERTAKING + 1)
                };
                *count += 1;
                if *count > most {
                    return Err("overtaken more often than there may be overtakings".into());
                }
            }
        }
        Ok(())
    }

    /// Requests come and are answered, and nothing else happens but that time passes, where that is looked at.
    fn orderly_steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut step = |input, name| steps.push(Step(Kind::Input(input), name));
        if self.open.len() < self.plan.requests {
            for origin in &self.origins {
                let job = Job::new(*origin);
                let unlike = [job.fresh(true), job.priority(0)].into_iter().filter(|_| self.plan.overtakings);
                for job in [job].into_iter().chain(unlike) {
                    step(Input::Enqueue(job), "a request comes");
                }
            }
        }
        for (id, on) in &self.connections {
            match (self.up.contains(id), on.first()) {
                (false, _) => step(Input::Connected(*id), "connected"),
                (true, Some(request)) => {
                    step(Input::Complete(*id, *request, StatusFacts::new(200), true), "answered, and free");
                }
                (true, None) if self.plan.surplus => step(Input::Lost(*id, LostCause::Eof, Vec::new()), "lost"),
                (true, None) => {}
            }
        }
        if self.plan.surplus && self.machine.poll_timeout().is_some() && self.up.len() == self.connections.len() {
            steps.push(Step(Kind::Wait, "deadline"));
        }
        steps
    }

    /// From here on everything goes well: every request comes to its end, in a bounded number of steps.
    fn ends_well(&self) -> Result<(), String> {
        let mut world = self.clone();
        for _ in 0..32 {
            if world.open.is_empty() && (!world.draining || world.machine.is_drained()) {
                return Ok(());
            }
            let next = world.connections.iter().find_map(|(id, on)| match (world.up.contains(id), on.first()) {
                (false, _) => Some(vec![Input::Connected(*id)]),
                (true, Some(request)) => {
                    let answer = Input::Response(*request, StatusFacts::new(200));
                    let mut inputs = vec![Input::ResponseStarted(*id), answer, Input::Finished(*request)];
                    // Nothing goes behind a response that nobody wants.
                    let owed = on.iter().skip(1).any(|other| !world.open.contains_key(other));
                    inputs.extend((!owed).then_some(Input::Ready(*id)));
                    Some(inputs)
                }
                (true, None) => None,
            });
            match (next, world.machine.poll_timeout()) {
                (Some(inputs), _) => inputs.into_iter().try_for_each(|input| world.input(input))?,
                (None, Some(at)) => {
                    world.now = world.now.max(at);
                    world.input(Input::Timeout)?;
                }
                (None, None) => {
                    // One that was read to its end, and of which the driver has not said so.
                    let busy = |id: &&ConnectionId| world.machine.state(**id) == Some(ConnectionState::Busy);
                    let id = world.connections.keys().find(busy).copied().ok_or("nothing is left to happen")?;
                    world.input(Input::Ready(id))?;
                }
            }
        }
        Err("goes well and comes to no end".into())
    }
}

impl World for Dispatch {
    type Step = Step;
    type Key = (Canonical, Vec<(bool, Vec<usize>)>, Vec<(bool, bool, bool, bool, (u8, u8))>);

    fn steps(&self) -> Vec<Step> {
        if self.plan.overtakings || self.plan.surplus {
            return self.orderly_steps();
        }
        let mut steps = Vec::new();
        let mut step = |input, name| steps.push(Step(Kind::Input(input), name));
        let progress = |sent| Progress { sent, received: Received::Nothing };
        if self.open.len() < self.plan.requests && !self.draining {
            for origin in &self.origins {
                let job = Job::new(*origin);
                step(Input::Enqueue(job), "a request comes");
                step(Input::Enqueue(job.idempotent(false)), "a request comes");
                if self.plan.unlike {
                    step(Input::Enqueue(job.fresh(true)), "a request comes");
                    step(Input::Enqueue(job.priority(0)), "a request comes");
                }
                if self.plan.rare_events {
                    step(Input::Connect(*origin), "warming up");
                }
                if self.plan.deadlines_and_drain {
                    step(Input::Enqueue(job.deadline(self.now.saturating_add(TICK))), "a request comes");
                }
            }
        }
        if self.plan.deadlines_and_drain && !self.draining {
            step(Input::Drain, "drain");
        }
        for (id, on) in &self.connections {
            let Some(request) = on.first().filter(|_| self.up.contains(id)) else {
                if self.up.contains(id) {
                    if self.machine.state(*id) == Some(ConnectionState::Busy) {
                        step(Input::Ready(*id), "ready");
                    }
                    step(Input::Lost(*id, LostCause::Eof, Vec::new()), "lost");
                } else {
                    step(Input::Connected(*id), "connected");
                    step(Input::ConnectFailed(*id, ConnectCause::Refused), "refused");
                    if self.plan.rare_events {
                        step(Input::ConnectFailed(*id, ConnectCause::NoSuchName), "no such name");
                    }
                }
                continue;
            };
            // Nothing goes behind a response that nobody wants.
            let owed = on.iter().any(|other| !self.open.contains_key(other));
            if self.plan.depth > 1 && !owed {
                step(Input::Ready(*id), "ready");
            }
            // Those behind the first were sent as far as it was, or not at all.
            let lost = |sent: Sent, behind: Sent| {
                let all = on.iter().map(|other| (*other, progress(if other == request { sent } else { behind })));
                Input::Lost(*id, LostCause::Eof, all.collect())
            };
            if self.open.get(request).is_some_and(|open| open.delivered) {
                step(Input::Finished(*request), "answered in full");
            } else {
                step(Input::ResponseStarted(*id), "first byte of a response");
                step(Input::Response(*request, StatusFacts::new(200)), "head of a response");
                for ready in [false, true].into_iter().filter(|_| !owed) {
                    let complete = Input::Complete(*id, *request, StatusFacts::new(200), ready);
                    step(complete, if ready { "answered, and free" } else { "answered in full" });
                }
                if self.plan.claims && !owed {
                    for other in self.open.keys().filter(|other| self.machine.connection_of(**other).is_none()) {
                        step(Input::Claim(*id, *other), "claimed");
                    }
                }
                if self.plan.rare_events {
                    step(Input::Response(*request, StatusFacts::new(421)), "421");
                }
                step(lost(Sent::Nothing, Sent::Nothing), "lost");
            }
            step(lost(Sent::All, Sent::All), "lost");
            if on.len() > 1 {
                step(lost(Sent::All, Sent::Nothing), "lost");
            }
        }
        for id in self.open.keys() {
            step(Input::Cancel(*id), "cancelled");
        }
        if self.machine.poll_timeout().is_some() {
            steps.push(Step(Kind::Wait, "deadline"));
        }
        steps
    }

    fn name(&self, step: &Step) -> String {
        step.1.into()
    }

    fn apply(&mut self, step: &Step) -> Result<(), String> {
        match &step.0 {
            Kind::Input(input) => self.input(input.clone())?,
            Kind::Wait => {
                self.now = self.now.max(self.machine.poll_timeout().unwrap_or(self.now));
                self.input(Input::Timeout)?;
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let machine = &self.machine;
        let due = machine.poll_timeout();
        if machine.queued() + machine.in_flight() != self.open.len() {
            return Err("requests are counted otherwise".into());
        }
        if machine.connections() != self.connections.len() {
            return Err("connections are counted otherwise".into());
        }
        if self.open.is_empty() && self.connections.is_empty() && due.is_some() {
            return Err("a timer is armed for nothing".into());
        }
        if machine.queued() > 0 && self.connections.is_empty() && due.is_none() {
            return Err("waits for nothing".into());
        }
        // One is kept for each origin, and what is more idles for no longer than a surplus may.
        let soon = self.now.saturating_add(TICK);
        if machine.idle() > self.origins.len() && (!self.plan.surplus || due.is_none_or(|at| at > soon)) {
            return Err("more connections stay idle than are kept".into());
        }
        let mut early = machine.clone();
        early.handle_timeout(self.now);
        if due.is_none_or(|at| at > self.now) && early.canonical(self.now) != machine.canonical(self.now) {
            return Err("a timeout before its time changed something".into());
        }
        self.ends_well()
    }

    fn key(&self) -> Self::Key {
        // Names count by their order alone, as in the canonical form.
        let place = |request: &RequestId| self.open.keys().position(|open| open == request);
        let connections =
            self.connections.iter().map(|(id, on)| (self.up.contains(id), on.iter().filter_map(place).collect()));
        let requests = self.open.iter().map(|(id, open)| {
            // Of what can be claimed from it alone.
            let before = open.before && !open.delivered && self.machine.connection_of(*id).is_some();
            (open.idempotent, open.sent, before, open.delivered, open.overtaken)
        });
        (self.machine.canonical(self.now), connections.collect(), requests.collect())
    }

    fn places(&self) -> BTreeMap<u64, String> {
        match self.shows {
            Shows::Connections => {
                let name = |id: &ConnectionId| match self.machine.state(*id) {
                    Some(ConnectionState::Connecting) => "connecting",
                    Some(ConnectionState::Idle) => "idle",
                    Some(ConnectionState::Busy) => "busy",
                    _ => "[*]",
                };
                self.connections.keys().map(|id| (id.as_u64(), name(id).to_string())).collect()
            }
            Shows::Origin => {
                let place = match self.machine.phase(self.origins[0]) {
                    Some(OriginPhase::Disconnected) => "disconnected",
                    Some(OriginPhase::InLine) => "in line",
                    Some(OriginPhase::BackingOff { .. }) => "backing off",
                    Some(OriginPhase::CircuitOpen { .. }) => "circuit open",
                    Some(OriginPhase::Connecting) => "connecting",
                    Some(OriginPhase::Idle) => "idle",
                    Some(OriginPhase::Busy) => "busy",
                    _ => "unknown",
                };
                [(0, place.to_string())].into()
            }
        }
    }
}
