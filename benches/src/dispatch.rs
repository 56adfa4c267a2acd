//! The client's dispatcher alone: requests and connections by number, no byte of either.

use core::time::Duration;

use http_core::Instant;
use http_core::dispatch::{Action, ConnectionId, Delivery, Dispatcher, Job, OriginId, Policy, RequestId, StatusFacts};

/// What is measured: the dispatcher's part in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// One that meets an idle connection: submitted, assigned, its response begun, answered, finished, and the
    /// connection ready.
    Idle,
    /// The same, with a deadline of its own.
    Deadline,
    /// The same as [`Work::Idle`], its response complete with its head: told in one call.
    Complete,
    /// One of a hundred that are submitted together and wait for eight connections.
    Queued,
}

impl Work {
    /// All of it, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Idle, Self::Deadline, Self::Complete, Self::Queued];

    /// The name on the command line and in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "dispatch-idle",
            Self::Deadline => "dispatch-deadline",
            Self::Complete => "dispatch-complete",
            Self::Queued => "dispatch-queued",
        }
    }

    /// The work of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|work| work.name() == name)
    }

    /// Sees so many requests through; a multiple of a hundred for [`Work::Queued`].
    ///
    /// # Panics
    /// If one does not go as it should.
    pub fn run(self, requests: u64) {
        let mut scene = Scene::new(if self == Self::Queued { 8 } else { 256 });
        scene.see_through(1, self);
        match self {
            Self::Queued => (0..requests / 100).for_each(|_| scene.see_through(100, self)),
            _ => (0..requests).for_each(|_| scene.see_through(1, self)),
        }
    }
}

/// A dispatcher with one origin, and what is on its connections.
struct Scene {
    dispatcher: Dispatcher,
    origin: OriginId,
    now: Instant,
    on: Vec<(RequestId, ConnectionId)>,
    /// A buffer that is used again: what is counted is not ours.
    spare: Vec<(RequestId, ConnectionId)>,
}

impl Scene {
    fn new(connections: usize) -> Self {
        let mut dispatcher = Dispatcher::new(Policy::default().connections_per_origin(connections));
        let origin = dispatcher.add_origin();
        Self { dispatcher, origin, now: Instant::ZERO, on: Vec::new(), spare: Vec::new() }
    }

    fn see_through(&mut self, requests: usize, work: Work) {
        for _ in 0..requests {
            let deadline = (work == Work::Deadline).then(|| self.now.saturating_add(Duration::from_secs(20)));
            let job = Job::new(self.origin).deadline(deadline);
            self.dispatcher.enqueue(job, self.now).expect("the queue has room");
            self.obey();
        }
        let mut served = 0;
        while served < requests {
            self.now = self.now.saturating_add(Duration::from_micros(100));
            let mut round = core::mem::replace(&mut self.on, core::mem::take(&mut self.spare));
            for (request, connection) in round.drain(..) {
                self.answer(request, connection, work);
                served += 1;
            }
            self.spare = round;
        }
    }

    fn answer(&mut self, request: RequestId, connection: ConnectionId, work: Work) {
        let (dispatcher, now) = (&mut self.dispatcher, self.now);
        let facts = StatusFacts::new(200);
        if work == Work::Complete {
            assert_eq!(dispatcher.handle_complete(connection, request, facts, true, now), Delivery::Deliver);
            return self.obey();
        }
        dispatcher.handle_response_started(connection, now);
        self.obey();
        assert_eq!(self.dispatcher.handle_response(request, facts, now), Delivery::Deliver);
        self.obey();
        assert!(self.dispatcher.handle_finished(request, now));
        self.obey();
        self.dispatcher.handle_ready(connection, now);
        self.obey();
    }

    /// Does what the dispatcher wants, as a driver does after every call.
    fn obey(&mut self) {
        while let Some(action) = self.dispatcher.poll_action() {
            match action {
                Action::Connect { connection, .. } => self.dispatcher.handle_connected(connection, self.now),
                Action::Assign { request, connection } => self.on.push((request, connection)),
                other => panic!("{other:?}"),
            }
        }
        core::hint::black_box(self.dispatcher.poll_timeout());
    }
}
