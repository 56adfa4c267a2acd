//! Whether a request may be sent again: one pure function.

pub use crate::connection::client::{Received, Sent};

use core::time::Duration;

use super::failure::Why;
use super::loss::LostCause;

/// Decides what becomes of a request whose exchange ended before it was complete, or was answered by a status
/// that may ask for a repetition. No state, no side effect.
///
/// | what happened | decision | by |
/// |---|---|---|
/// | nothing was handed to the transport | again, whatever the method | RFC 9110 §9.2.2 |
/// | the same, on a connection that was kept and turned out to be dead | as above, and it counts as no retry | |
/// | this side ended the connection for another request's sake | as below, and it counts as no retry | |
/// | idempotent, repeatable, no final head delivered | again | RFC 9110 §9.2.2, RFC 9112 §9.3.1 |
/// | all of it was sent, and the peer was silent for too long | fails | RFC 9112 §9.5 |
/// | 408 on a reused connection | counts as no response | RFC 9110 §15.5.9 |
/// | 421 | again, once, on a new connection, whatever the method | RFC 9110 §15.5.20 |
/// | 417 to a request that expects 100 (Continue) | again, without the expectation, whatever the method | RFC 9110 §10.1.1 |
/// | 503 or 429 with `Retry-After`, if asked for | again after that time, if idempotent | RFC 9110 §10.2.3 |
/// | any other status | delivered | |
/// | anything else | fails, and says whether repeating by hand is safe | |
///
/// "Again" is at once where the connection had been used before (it was old, the origin is well) or where it is mute
/// while the origin has answered on others since it was begun, and after a back-off where it was new. What counts as a
/// retry is bounded by [`RetryFacts::most`], and where the request may have reached the server by the budget.
///
/// ```
/// use http_core::dispatch::{Decision, Event, LostCause, Progress, Received, RetryFacts, Sent, Why, decide};
///
/// let mut facts = RetryFacts::new(Event::Lost(LostCause::Eof));
/// facts.progress = Progress { sent: Sent::All, received: Received::Nothing };
/// facts.reused = true;
/// facts.idempotent = true;
/// assert_eq!(decide(&facts).decision, Decision::Now);
///
/// facts.idempotent = false;
/// let verdict = decide(&facts);
/// assert_eq!(verdict.decision, Decision::Fail { safe_to_repeat: false });
/// assert_eq!(verdict.why, Why::NotIdempotent);
/// ```
#[must_use]
pub fn decide(facts: &RetryFacts) -> Verdict {
    match facts.event {
        Event::Lost(cause) => decide_lost(facts, cause),
        Event::Status { status, retry_after } => decide_status(facts, status, retry_after),
    }
}

fn decide_lost(facts: &RetryFacts, cause: LostCause) -> Verdict {
    let unsent = facts.progress.sent == Sent::Nothing;
    let fail = |why| Verdict { decision: Decision::Fail { safe_to_repeat: unsent || facts.idempotent }, why };
    if facts.progress.received == Received::Final {
        return fail(Why::ResponseBegun);
    }
    // RFC 9110 §9.2.2: only idempotent methods are repeated, or what is known never to have been applied.
    if !unsent {
        if !facts.idempotent {
            return fail(Why::NotIdempotent);
        }
        if cause == LostCause::Malformed {
            return fail(Why::Malformed);
        }
        // RFC 9112 §9.5: a peer that is slow is not gone. What it has, it would only have twice.
        if cause == LostCause::TimedOut && facts.progress.sent == Sent::All {
            return fail(Why::NoAnswerInTime);
        }
        if facts.content_is_spent() {
            return fail(Why::NotReplayable);
        }
    }
    if facts.bystander {
        return Verdict { decision: Decision::Now, why: Why::Bystander };
    }
    if facts.origin_spent {
        return fail(Why::OriginSpent);
    }
    if unsent && facts.reused {
        // A kept connection that was dead before anything went on it: it was not tried there.
        return Verdict { decision: Decision::Now, why: Why::StaleConnection };
    }
    if facts.retries >= facts.most {
        return fail(Why::RetriesSpent);
    }
    if !unsent && !facts.budget {
        return fail(Why::BudgetSpent);
    }
    Verdict {
        decision: if facts.reused || facts.origin_answers { Decision::Now } else { Decision::Backoff },
        why: if unsent { Why::NothingSent } else { Why::NoResponse },
    }
}

fn decide_status(facts: &RetryFacts, status: u16, retry_after: Option<Duration>) -> Verdict {
    let deliver = |why| Verdict { decision: Decision::Deliver, why };
    let (decision, why) = match (status, retry_after) {
        // RFC 9110 §15.5.9: on a connection that had been idle it may answer no request at all.
        (408, _) if facts.reused => {
            if !facts.idempotent {
                return deliver(Why::NotIdempotent);
            }
            (Decision::Now, Why::RequestTimeout)
        }
        // RFC 9110 §15.5.20: the server did nothing; whether or not the method is idempotent.
        (421, _) if !facts.misdirected => (Decision::Now, Why::Misdirected),
        // RFC 9110 §10.1.1: the expectation alone was refused, and nothing was done.
        (417, _) if facts.expecting => (Decision::Now, Why::Unexpected),
        (429 | 503, Some(wait)) if facts.longest_wait.is_some_and(|longest| wait <= longest) => {
            if !facts.idempotent {
                return deliver(Why::NotIdempotent);
            }
            if facts.left.is_some_and(|left| wait >= left) {
                return deliver(Why::Deadline);
            }
            (Decision::After(wait), Why::RetryAfter)
        }
        _ => return deliver(Why::FinalResponse),
    };
    if facts.content_is_spent() {
        return deliver(Why::NotReplayable);
    }
    if facts.retries >= facts.most {
        return deliver(Why::RetriesSpent);
    }
    if !facts.budget {
        return deliver(Why::BudgetSpent);
    }
    Verdict { decision, why }
}

/// Whether a response of this status is the answer whatever the other facts are.
pub(super) fn is_always_delivered(status: u16) -> bool {
    !matches!(status, 408 | 417 | 421 | 429 | 503)
}

/// Everything that [`decide`] looks at.
///
/// ```
/// use http_core::dispatch::{Event, LostCause, RetryFacts, Sent};
///
/// // A new one is a GET's, sent in full for the first time on a new connection, with retries left.
/// let facts = RetryFacts::new(Event::Lost(LostCause::Reset));
/// assert!(facts.idempotent && facts.replayable && !facts.reused);
/// assert_eq!(facts.progress.sent, Sent::All);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RetryFacts {
    /// What ended or answered the exchange.
    pub event: Event,
    /// How far the exchange had come.
    pub progress: Progress,
    /// Whether the connection had served, or been idle, before this request was given to it.
    pub reused: bool,
    /// Whether doing it twice is doing it once (RFC 9110 §9.2.2), or the caller says so (`Idempotency-Key`).
    pub idempotent: bool,
    /// Whether the content can be produced again from its start.
    pub replayable: bool,
    /// How often the request was sent again before.
    pub retries: u32,
    /// How often it may be sent again in all.
    pub most: u32,
    /// Whether a 421 has led to a retry before.
    pub misdirected: bool,
    /// Whether the request, as it was sent, expects 100 (Continue).
    pub expecting: bool,
    /// Whether the budget holds another retry.
    pub budget: bool,
    /// Whether the origin has answered on any connection since this one was begun.
    pub origin_answers: bool,
    /// Whether the attempts to reach the origin are used up.
    pub origin_spent: bool,
    /// Whether this side ended the connection on account of another request on it.
    pub bystander: bool,
    /// The longest `Retry-After` that is waited for; `None`: none is.
    pub longest_wait: Option<Duration>,
    /// The time until the request's deadline, if it has one.
    pub left: Option<Duration>,
}

impl RetryFacts {
    /// The facts of a GET that was sent in full on a new connection, with three retries left and no limit near.
    #[must_use]
    pub const fn new(event: Event) -> Self {
        Self {
            event,
            progress: Progress { sent: Sent::All, received: Received::Nothing },
            reused: false,
            idempotent: true,
            replayable: true,
            retries: 0,
            most: 3,
            misdirected: false,
            expecting: false,
            budget: true,
            origin_answers: false,
            origin_spent: false,
            bystander: false,
            longest_wait: None,
            left: None,
        }
    }

    fn content_is_spent(&self) -> bool {
        !self.replayable && self.progress.sent >= Sent::ContentPartly
    }
}

/// What ended or answered an exchange.
///
/// ```
/// let event = http_core::dispatch::Event::Status { status: 421, retry_after: None };
/// assert_ne!(event, http_core::dispatch::Event::Status { status: 200, retry_after: None });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// Its connection ended.
    Lost(LostCause),
    /// The head of a final response came.
    Status {
        /// Its status code.
        status: u16,
        /// Its `Retry-After`, as a time from now.
        retry_after: Option<Duration>,
    },
}

/// How far an exchange had come: what the driver's byte machine knows.
///
/// ```
/// use http_core::dispatch::{Progress, Received, Sent};
///
/// assert_eq!(Progress::NOTHING, Progress { sent: Sent::Nothing, received: Received::Nothing });
/// assert!(Sent::Head < Sent::ContentPartly && Received::Interim < Received::Final);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Progress {
    /// What was handed to the transport.
    pub sent: Sent,
    /// What came back.
    pub received: Received,
}

impl Progress {
    /// Nothing was handed to the transport, and nothing came.
    pub const NOTHING: Self = Self { sent: Sent::Nothing, received: Received::Nothing };
}

/// What [`decide`] says, and why.
///
/// ```
/// use http_core::dispatch::{Decision, Event, RetryFacts, Why, decide};
///
/// let verdict = decide(&RetryFacts::new(Event::Status { status: 200, retry_after: None }));
/// assert_eq!((verdict.decision, verdict.why), (Decision::Deliver, Why::FinalResponse));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Verdict {
    /// What to do.
    pub decision: Decision,
    /// Why.
    pub why: Why,
}

/// What becomes of a request.
///
/// ```
/// let decision = http_core::dispatch::Decision::Fail { safe_to_repeat: true };
/// assert_ne!(decision, http_core::dispatch::Decision::Now);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Decision {
    /// It is sent again at once, on a new connection; after a 417 on any.
    Now,
    /// It is sent again after a back-off, on a new connection.
    Backoff,
    /// It is sent again after this time, on any connection.
    After(Duration),
    /// The response is the answer.
    Deliver,
    /// It fails.
    Fail {
        /// Whether repeating it by hand cannot do anything twice.
        safe_to_repeat: bool,
    },
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
