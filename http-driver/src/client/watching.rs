//! What a client tells of its exchanges and connections to whoever measures.

use core::time::Duration;
use std::sync::Arc;

use http::request::Parts;
use http_core::client::{Connection, Received, Sent};
use http_core::dispatch::{Decision, Event, LostCause, Progress, RequestPhase, RetryFacts, Why, decide};
use http_core::{Instant, ResponseHead};

use super::origin::{Origin, Place};
use super::stage::Stage;
use crate::convert;
use crate::io::Transport;
use crate::link::BoxTap;
use crate::observe::{Caller, ConnectionFacts, Made, Metrics, Opened, RequestFacts, Role, Span, Watched};

/// Who is told.
#[derive(Clone, Default)]
pub(super) struct Watching {
    pub(super) metrics: Option<Arc<dyn Metrics>>,
    /// Whether responses are to tell when what happened.
    pub(super) timings: bool,
}

impl Watching {
    /// Whether anybody may want to know of a request.
    #[inline]
    pub(super) const fn may_watch(&self) -> bool {
        cfg!(feature = "tracing") || self.timings || self.metrics.is_some()
    }

    /// Watches a request from here, if anybody does.
    #[cold]
    pub(super) fn request(&self, parts: &Parts, caller: &Caller, now: Instant) -> Option<Arc<Watched>> {
        let facts = || {
            let origin = Place::of_request(&parts.method, &parts.uri).map(Place::to_origin);
            let scheme =
                if origin.as_ref().is_some_and(|origin| origin.scheme() == "https") { "https" } else { "http" };
            let place = origin.as_ref().map(|origin| (origin.host(), Some(origin.port())));
            RequestFacts::new(Role::Client, &parts.method, scheme, place)
        };
        let span = Span::of_client(facts, &parts.method, &parts.uri, caller);
        if self.metrics.is_none() && !self.timings && span.is_none() {
            return None;
        }
        Some(Arc::new(Watched::new(self.metrics.clone(), facts(), span, now)))
    }

    /// Watches a connection that is about to be made.
    pub(super) fn making(&self, origin: &Origin, now: Instant) -> Option<Making> {
        let facts =
            ConnectionFacts { role: Role::Client, origin: Some((origin.host().to_owned(), origin.port())), peer: None };
        let span = Span::of_connection(&facts, None);
        let wanted = self.metrics.is_some() || self.timings || !span.is_none();
        wanted.then(|| Making { facts, span, made: Made::default(), phase: None, since: now })
    }
}

/// A connection that is being made.
pub(super) struct Making {
    facts: ConnectionFacts,
    span: Span,
    made: Made,
    phase: Option<RequestPhase>,
    /// When that began.
    since: Instant,
}

impl Making {
    pub(super) const fn span(&self) -> &Span {
        &self.span
    }

    /// How far it is now.
    pub(super) fn look(&mut self, stage: &Stage, now: Instant) {
        self.is_in(stage.phase(), stage, now);
    }

    /// The same; in no phase any more when it is there.
    fn is_in(&mut self, phase: Option<RequestPhase>, stage: &Stage, now: Instant) {
        if phase == self.phase {
            return;
        }
        let took = Some(now.saturating_since(self.since));
        match self.phase {
            Some(RequestPhase::Resolve) => self.made.resolve = took,
            Some(RequestPhase::Proxy) => self.made.proxy = took,
            Some(RequestPhase::Tls) => self.made.tls = took,
            // Where nothing was said, it is all that there was.
            Some(_) => self.made.connect = took,
            None => {}
        }
        // A name may be resolved, and a socket connected, within the poll that begins it, and then neither is seen.
        if stage.had_name() && phase != Some(RequestPhase::Resolve) {
            self.made.resolve = self.made.resolve.or(Some(Duration::ZERO));
        }
        if !matches!(phase, Some(RequestPhase::Resolve | RequestPhase::Connect)) {
            let at_once = if self.phase.is_none() { took } else { Some(Duration::ZERO) };
            self.made.connect = self.made.connect.or(at_once);
        }
        (self.phase, self.since) = (phase, now);
        if let Some(phase) = phase {
            self.span.makes(phase);
        }
    }

    /// The connection is there.
    pub(super) fn made<T: Transport>(
        mut self,
        watching: &Watching,
        stage: &Stage,
        transport: &T,
        now: Instant,
    ) -> (Seen, Option<BoxTap>) {
        if self.phase.is_none() {
            self.phase = Some(RequestPhase::Connect);
        }
        self.is_in(None, stage, now);
        self.facts.peer = transport.peer().address;
        self.span.meets(self.facts.peer);
        let tap = self.span.phases(Role::Client);
        let opened = watching.metrics.clone().map(|metrics| Opened::new(metrics, self.facts));
        (Seen { made: self.made, served: 0, _opened: opened, _span: self.span }, tap)
    }
}

/// A connection that is watched.
pub(super) struct Seen {
    made: Made,
    /// How many requests it was given.
    served: u32,
    /// What this goes with is open for as long.
    _opened: Option<Opened>,
    _span: Span,
}

impl Seen {
    pub(super) const fn is_used(&self) -> bool {
        self.served > 0
    }
}

/// A request was given to a connection. `resends` is how often something of it was sent before, `content` what of its
/// content goes with its head.
#[cold]
pub(super) fn begun(watched: Option<&Watched>, seen: Option<&mut Seen>, resends: u32, content: u64, now: Instant) {
    let (mut made, mut reused) = (None, false);
    if let Some(seen) = seen {
        reused = seen.is_used();
        made = Some(seen.made).filter(|_| !reused);
        seen.served += 1;
    }
    if let Some(watched) = watched {
        watched.begin(made, reused, resends, content, now);
    }
}

/// How far the exchange is that a connection is on.
#[cold]
pub(super) fn look(watched: &Watched, machine: &Connection, now: Instant) {
    watched.see(now);
    if let Some(unanswered) = machine.unanswered().next() {
        if unanswered.sent == Sent::All {
            watched.sent(now);
        }
        if unanswered.received > Received::Nothing {
            watched.first_byte(now);
        }
    }
}

/// An exchange has lost its connection, and may have another.
pub(super) fn lost(watched: &Watched, cause: LostCause, progress: Progress, reused: bool) {
    let mut facts = RetryFacts::new(Event::Lost(cause));
    (facts.progress, facts.reused) = (progress, reused);
    facts.bystander = cause == LostCause::Local;
    again(watched, facts);
}

/// An exchange was answered by a status that has it begin again.
pub(super) fn put_off(watched: &Watched, status: u16) {
    let mut facts = RetryFacts::new(Event::Status { status, retry_after: Some(Duration::ZERO) });
    (facts.reused, facts.expecting, facts.longest_wait) = (true, true, Some(Duration::MAX));
    again(watched, facts);
}

/// The head of a final response is there.
#[cold]
pub(super) fn head(watched: &Watched, head: &ResponseHead) {
    watched.speaks(convert::version(head.version()));
    if let Ok(status) = http::StatusCode::from_u16(head.status().as_u16()) {
        watched.answered(status);
    }
}

/// The same, with so many bytes of its content, which may be all. It may not be the one that is handed out: then the
/// exchange begins again.
#[cold]
pub(super) fn came(watched: &Watched, response: &ResponseHead, content: usize, is_whole: bool, now: Instant) {
    head(watched, response);
    watched.response_content(content);
    if is_whole {
        watched.whole(now);
        put_off(watched, response.status().as_u16());
    }
}

/// The dispatcher decides whether it is sent again; why, if it is, the same table tells.
fn again(watched: &Watched, facts: RetryFacts) {
    let verdict = decide(&facts);
    let why = match verdict.decision {
        Decision::Deliver | Decision::Fail { .. } => Why::NoResponse,
        _ => verdict.why,
    };
    watched.may_repeat(why);
}
