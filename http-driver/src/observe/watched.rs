//! An exchange that somebody watches.

use core::fmt;
use std::sync::{Arc, Mutex};

use http::{StatusCode, Version};
use http_core::Instant;
use http_core::dispatch::Why;

use super::metrics::{Metrics, RequestEnd, RequestFacts, Role};
#[cfg(not(feature = "tracing"))]
use super::no_spans::Span;
#[cfg(feature = "tracing")]
use super::spans::Span;
use super::timings::{Handle, Made, Timings};
use crate::lock::lock;

/// An exchange that somebody watches. It ends once: when that is told, or with the last who has it.
pub(crate) struct Watched {
    metrics: Option<Arc<dyn Metrics>>,
    facts: RequestFacts,
    span: Span,
    began: Instant,
    /// What a response has of it, as well.
    timings: Handle,
    state: Mutex<State>,
}

struct State {
    /// When it was seen last: what is dropped cannot ask for the time.
    seen: Instant,
    status: Option<StatusCode>,
    version: Option<Version>,
    error: Option<&'static str>,
    /// Why it is to be sent again.
    again: Option<Why>,
    ended: bool,
}

impl Watched {
    pub(crate) fn new(metrics: Option<Arc<dyn Metrics>>, facts: RequestFacts, span: Span, now: Instant) -> Self {
        if let Some(metrics) = &metrics {
            metrics.request_begun(&facts);
        }
        let state = State { seen: now, status: None, version: None, error: None, again: None, ended: false };
        Self { metrics, facts, span, began: now, timings: Handle::default(), state: Mutex::new(state) }
    }

    pub(crate) const fn span(&self) -> &Span {
        &self.span
    }

    /// What a response gets.
    pub(crate) fn handle(&self) -> Handle {
        self.timings.clone()
    }

    fn time(&self, change: impl FnOnce(&mut Timings)) {
        change(&mut lock(&self.timings.0));
    }

    /// It still goes on.
    pub(crate) fn see(&self, now: Instant) {
        lock(&self.state).seen = now;
    }

    /// It is given to a connection, for the first time or again.
    pub(crate) fn begin(&self, made: Option<Made>, reused: bool, resends: u32, content: u64, now: Instant) {
        let mut state = lock(&self.state);
        (state.seen, state.status, state.version) = (now, None, None);
        let again = state.again.take();
        drop(state);
        self.time(|timings| {
            let queued = Some(now.saturating_since(self.began));
            *timings = Timings { queued, made, reused, resends, request_content: content, ..Timings::default() };
        });
        if let Some(why) = again {
            self.span.retried(why, resends);
            if let Some(metrics) = &self.metrics {
                metrics.request_retried(&self.facts, why);
            }
        }
    }

    /// Whether the connection that it is on had another one before.
    pub(crate) fn is_reused(&self) -> bool {
        lock(&self.timings.0).reused
    }

    /// It may be given to another connection, for this reason.
    pub(crate) fn may_repeat(&self, why: Why) {
        lock(&self.state).again = Some(why);
    }

    /// All of a request was written.
    pub(crate) fn sent(&self, now: Instant) {
        self.see(now);
        self.time(|timings| {
            timings.sent.get_or_insert(now.saturating_since(self.began));
        });
    }

    /// There is something of the response.
    pub(crate) fn first_byte(&self, now: Instant) {
        self.see(now);
        self.time(|timings| {
            timings.first_byte.get_or_insert(now.saturating_since(self.began));
        });
    }

    /// More of the request's content.
    pub(crate) fn request_content(&self, bytes: usize) {
        self.time(|timings| timings.request_content += bytes as u64);
    }

    /// More of the response's content.
    pub(crate) fn response_content(&self, bytes: usize) {
        self.time(|timings| timings.response_content += bytes as u64);
    }

    /// The version of whoever is at the other end.
    pub(crate) fn speaks(&self, version: Version) {
        lock(&self.state).version = Some(version);
    }

    /// The status of the final response.
    pub(crate) fn answered(&self, status: StatusCode) {
        lock(&self.state).status = Some(status);
    }

    /// Something went wrong; what that was first is what it ends with.
    pub(crate) fn fail(&self, error: &'static str) {
        lock(&self.state).error.get_or_insert(error);
    }

    /// The response is there, whole, and is perhaps the one that is handed out.
    pub(crate) fn whole(&self, now: Instant) {
        self.see(now);
        self.time(|timings| timings.last_byte = Some(now.saturating_since(self.began)));
    }

    /// It was handed out; if it was whole, that was the end.
    pub(crate) fn complete_if_whole(&self) {
        let seen = lock(&self.state).seen;
        if lock(&self.timings.0).last_byte.is_some() {
            self.end(seen);
        }
    }

    /// The response is complete.
    pub(crate) fn complete(&self, now: Instant) {
        self.time(|timings| timings.last_byte = Some(now.saturating_since(self.began)));
        self.end(now);
    }

    /// It is over, complete or not.
    pub(crate) fn end(&self, now: Instant) {
        let mut state = lock(&self.state);
        if core::mem::replace(&mut state.ended, true) {
            return;
        }
        let (status, version, error) = (state.status, state.version, state.error);
        drop(state);
        let timings = *lock(&self.timings.0);
        let from = if self.facts.role() == Role::Server { 500 } else { 400 };
        let failing = status.as_ref().filter(|status| status.as_u16() >= from).map(StatusCode::as_str);
        let duration = now.saturating_since(self.began);
        let end = RequestEnd { status, version, error: error.or(failing), duration, timings: &timings };
        self.span.ended(self.facts.role(), &end);
        if let Some(metrics) = &self.metrics {
            metrics.request_ended(&self.facts, &end);
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (seen, answered) = (state.seen, state.status.is_some());
        // Whoever has a response may leave it.
        if self.facts.role() == Role::Server || !answered {
            state.error.get_or_insert(if std::thread::panicking() { "panic" } else { "cancelled" });
        }
        self.end(seen);
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("facts", &self.facts).finish_non_exhaustive()
    }
}
