//! Any sequence of calls against a dispatcher: every request has exactly one outcome, and nothing is left over.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use http_core::Instant;
use http_core::dispatch::{
    Action, Backoff, Budget, ConnectCause, ConnectionId, Delivery, Dispatcher, Input, Job, LostCause, OriginId, Output,
    Policy, Progress, Received, RequestId, Sent, StatusFacts, apply,
};

use crate::source::Source;

/// Calls as the bytes choose them, and in the end a driver that lets everything come to an end.
///
/// # Panics
/// If a promise does not hold.
pub fn dispatcher(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let mut run = Run::new(&mut source);
    while !source.is_empty() && run.steps < 3000 {
        run.choose(&mut source);
    }
    run.finish();
}

/// A dispatcher and what its driver knows.
struct Run {
    dispatcher: Dispatcher,
    now: Instant,
    origins: Vec<OriginId>,
    /// Requests without an outcome.
    open: BTreeSet<RequestId>,
    ever: Vec<RequestId>,
    /// Connections that were asked for and neither closed nor lost: whether they are up, and what is on them.
    connections: BTreeMap<ConnectionId, (bool, Vec<RequestId>)>,
    steps: usize,
}

impl Run {
    fn new(source: &mut Source<'_>) -> Self {
        let millis = |source: &mut Source<'_>| Duration::from_millis(source.below(300) as u64);
        let mut policy = Policy::default()
            .connections_per_origin(source.below(4))
            .idle_per_origin(source.below(4))
            .max_connections(1 + source.below(6))
            .connect_retries(source.below(4) as u32)
            .request_retries(source.below(4) as u32)
            .pipeline_depth(source.below(4))
            .max_queue(1 + source.below(30))
            .backoff(Backoff::new(millis(source), Duration::from_millis(80)).jitter(300));
        if source.one_in(2) {
            policy = policy.retry_budget(Budget::new(2, 300)).retry_after(millis(source)).idle_timeout(millis(source));
        }
        if source.one_in(2) {
            let (lifetime, short) = (millis(source), millis(source));
            policy = policy.lifetime(lifetime).fresh_after_idle(short).surplus_timeout(short);
            policy = policy.requests_per_connection(2);
        }
        Self {
            dispatcher: Dispatcher::new(policy),
            now: Instant::ZERO,
            origins: vec![],
            open: BTreeSet::new(),
            ever: vec![],
            connections: BTreeMap::new(),
            steps: 0,
        }
    }

    fn choose(&mut self, source: &mut Source<'_>) {
        let request = match self.ever.len() {
            0 => RequestId::from_u64(source.number()),
            many => self.ever[many - 1 - source.below(many.min(12))],
        };
        let known: Vec<_> = self.connections.keys().copied().collect();
        let connection = match known.len() {
            0 => ConnectionId::from_u64(source.below(8) as u64),
            _ => source.pick(&known),
        };
        let origin = if self.origins.is_empty() { OriginId::from_u64(0) } else { source.pick(&self.origins) };
        let input = match source.below(24) {
            0..=4 => Input::Enqueue(self.job(origin, source)),
            5 => Input::Cancel(request),
            6..=9 => Input::Connected(connection),
            10 => Input::ConnectFailed(
                connection,
                source.pick(&[ConnectCause::Refused, ConnectCause::TimedOut, ConnectCause::NoSuchName]),
            ),
            11 => Input::ResponseStarted(connection),
            12 | 13 => {
                let facts = StatusFacts::new(source.pick(&[200, 100, 408, 421, 503, 429]));
                let wait = source.one_in(2).then(|| Duration::from_millis(source.below(60) as u64));
                Input::Response(request, facts.sent(progress(source).sent).retry_after(wait))
            }
            14..=16 => Input::Finished(request),
            17 | 18 => Input::Ready(connection),
            19 => self.lost(connection, source),
            20 => {
                let timeout = source.one_in(2).then(|| Duration::from_millis(source.below(3000) as u64));
                Input::KeepAlive(connection, timeout, source.one_in(2).then_some(1))
            }
            21 => {
                self.now = self.now.saturating_add(Duration::from_millis(source.below(60) as u64));
                Input::Timeout
            }
            22 => match source.below(12) {
                0 if source.one_in(8) => Input::Drain,
                1 => Input::RemoveOrigin(origin),
                2 => Input::Random(source.number()),
                3 => Input::Cancel(RequestId::from_u64(source.number())),
                4 => Input::Connected(ConnectionId::from_u64(source.number())),
                5 | 6 => Input::Complete(connection, request, StatusFacts::new(200), source.one_in(2)),
                7 => Input::Claim(connection, request),
                _ => Input::Connect(origin),
            },
            _ if self.origins.len() < 4 => Input::AddOrigin,
            _ => Input::Connect(origin),
        };
        self.step(input);
    }

    fn job(&self, origin: OriginId, source: &mut Source<'_>) -> Job {
        let deadline = self.now.saturating_add(Duration::from_millis(source.below(100) as u64));
        Job::new(origin)
            .idempotent(source.one_in(2))
            .replayable(source.one_in(2))
            .priority(if source.one_in(4) { 200 } else { 128 })
            .deadline(source.one_in(4).then_some(deadline))
    }

    fn lost(&mut self, connection: ConnectionId, source: &mut Source<'_>) -> Input {
        let on = self.connections.get(&connection).map_or(&[][..], |(_, on)| on);
        let mut unanswered: Vec<_> = on.iter().map(|&request| (request, progress(source))).collect();
        if source.one_in(4) {
            unanswered.pop();
        }
        let causes = [LostCause::Eof, LostCause::Reset, LostCause::Malformed, LostCause::Last, LostCause::Local];
        Input::Lost(connection, source.pick(&causes), unanswered)
    }

    fn step(&mut self, input: Input) {
        self.steps += 1;
        let on = |request| self.connections.values().any(|(_, on)| on.contains(request));
        match &input {
            Input::Lost(connection, ..) | Input::ConnectFailed(connection, _) => {
                drop(self.connections.remove(connection))
            }
            Input::Finished(request) | Input::Complete(_, request, ..) if !on(request) => return,
            _ => {}
        }
        let mut actions = Vec::new();
        let output = apply(&mut self.dispatcher, input.clone(), self.now, &mut |action| actions.push(action));
        match (&input, output) {
            (_, Output::Origin(origin)) => self.origins.push(origin),
            (_, Output::Request(Ok(request))) => {
                assert!(self.open.insert(request) && !self.ever.contains(&request), "an id came twice");
                self.ever.push(request);
            }
            (Input::Cancel(request) | Input::Finished(request), Output::Known(known)) => {
                let open = self.open.contains(request);
                assert!(!known || open, "{input:?}: a second outcome");
                assert!(known || !open || matches!(input, Input::Finished(_)), "{input:?} was not known");
                if known {
                    self.end(*request);
                }
            }
            (Input::RemoveOrigin(origin), Output::Known(true)) => self.origins.retain(|other| other != origin),
            (Input::Response(request, _), Output::Delivery(Delivery::Discard)) => self.leave(*request),
            (Input::Complete(_, request, ..), Output::Delivery(delivery)) => match delivery {
                Delivery::Deliver if self.open.contains(request) => self.end(*request),
                Delivery::Deliver => {}
                Delivery::Discard => self.leave(*request),
            },
            (Input::Claim(connection, request), Output::Known(true)) => {
                let (_, on) = self.connections.get_mut(connection).expect("claimed what is gone");
                *on = vec![*request];
            }
            (Input::Connected(connection), _) => {
                if let Some((up, _)) = self.connections.get_mut(connection) {
                    *up = true;
                }
            }
            _ => {}
        }
        for action in actions {
            self.act(action);
        }
        self.check();
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Connect { connection, .. } => {
                let before = self.connections.insert(connection, (false, vec![]));
                assert_eq!(before, None, "{connection:?} came twice");
            }
            Action::Assign { request, connection } => {
                assert!(self.open.contains(&request), "assigned after its outcome");
                self.leave(request);
                let (up, on) = self.connections.get_mut(&connection).expect("assigned to a connection that is gone");
                assert!(*up, "assigned to a connection that is not up");
                on.push(request);
                assert!(on.len() <= self.dispatcher.policy().pipeline_depth.max(1), "more than the depth");
            }
            Action::Fail { request, .. } => {
                assert!(self.open.contains(&request), "{request:?} failed after its outcome");
                self.end(request);
            }
            Action::Close { connection, .. } => {
                assert!(self.connections.remove(&connection).is_some(), "{connection:?} was not open");
            }
            other => panic!("an action that the tests do not know: {other:?}"),
        }
    }

    fn leave(&mut self, request: RequestId) {
        self.connections.values_mut().for_each(|(_, on)| on.retain(|other| *other != request));
    }

    fn end(&mut self, request: RequestId) {
        self.open.remove(&request);
        self.leave(request);
    }

    fn check(&self) {
        let dispatcher = &self.dispatcher;
        assert_eq!(dispatcher.queued() + dispatcher.in_flight(), self.open.len(), "a request is lost");
        assert_eq!(dispatcher.connections(), self.connections.len(), "a connection is lost");
        assert!(self.connections.len() <= dispatcher.policy().max_connections.max(1));
    }

    /// A driver that answers everything: all comes to an end, and nothing is left.
    fn finish(mut self) {
        for _ in 0..20_000 {
            if self.open.is_empty() {
                break;
            }
            let up = self.connections.iter().find(|(_, (up, _))| !up).map(|(&id, _)| id);
            let busy = self.connections.iter().find_map(|(&id, (_, on))| on.first().map(|&request| (id, request)));
            if let Some(connection) = up {
                self.step(Input::Connected(connection));
            } else if let Some((connection, request)) = busy {
                self.step(Input::Finished(request));
                assert!(!self.open.contains(&request), "an exchange that is complete is not taken");
                self.step(Input::Ready(connection));
            } else if let Some(&connection) = self.connections.keys().find(|id| !self.is_idle(**id)) {
                self.step(Input::Ready(connection));
            } else {
                self.now = self.dispatcher.poll_timeout().expect("requests wait, and nothing is waited for");
                self.step(Input::Timeout);
            }
        }
        assert!(self.open.is_empty(), "no end");
        self.step(Input::Drain);
        let busy: Vec<_> = self.connections.keys().copied().collect();
        for connection in busy {
            self.step(Input::Lost(connection, LostCause::Eof, vec![]));
        }
        assert!(self.dispatcher.is_drained(), "something is left");
        assert_eq!(self.dispatcher.poll_timeout(), None, "a deadline is left");
    }

    fn is_idle(&self, connection: ConnectionId) -> bool {
        self.dispatcher.state(connection) == Some(http_core::dispatch::ConnectionState::Idle)
    }
}

fn progress(source: &mut Source<'_>) -> Progress {
    let sent = [Sent::Nothing, Sent::HeadPartly, Sent::Head, Sent::ContentPartly, Sent::All];
    let received = [Received::Nothing, Received::Nothing, Received::Interim, Received::Final];
    Progress { sent: source.pick(&sent), received: source.pick(&received) }
}
