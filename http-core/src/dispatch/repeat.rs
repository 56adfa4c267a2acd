//! What becomes of a request whose exchange did not go its way: the retry table, applied.

use core::time::Duration;

use super::action::{CloseCause, Delivery, StatusFacts};
use super::dispatcher::Dispatcher;
use super::failure::{Cause, RequestPhase, Why};
use super::ids::{OriginId, RequestId};
use super::loss::LostCause;
use super::queue::Need;
use super::request::State;
use super::retry::{Decision, Event, Progress, Received, RetryFacts, Sent, Verdict, decide, is_always_delivered};
use super::timers::Timer;

/// What an origin is known to be, when one of its connections has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OriginIs {
    /// It has answered on some connection since that one was begun.
    Answering,
    /// It has not.
    Silent,
    /// It has not, and was tried as often as allowed.
    Spent,
}

impl Dispatcher {
    /// The head of a response; the connection of one that is to be dropped takes another request, if that is known to
    /// be `free`, and has to be read from until it does otherwise.
    pub(super) fn respond(&mut self, id: RequestId, facts: StatusFacts, free: bool) -> Delivery {
        let Some(request) = self.requests.get(id.0) else {
            return Delivery::Deliver;
        };
        let State::InFlight { connection, answered: false, output: None, .. } = request.state else {
            return Delivery::Deliver;
        };
        let origin = request.job.origin;
        if let Some(origin) = self.note_answer(connection) {
            self.update(origin);
        }
        // RFC 9110 §15.2: interim; 101 (§15.2.2) is the last that is HTTP, and so final.
        if (100..200).contains(&facts.status) && facts.status != 101 {
            return Delivery::Deliver;
        }
        if is_always_delivered(facts.status) {
            self.note_delivered(id);
            return Delivery::Deliver;
        }
        let event = Event::Status { status: facts.status, retry_after: facts.retry_after };
        let progress = Progress { sent: facts.sent, received: Received::Nothing };
        let verdict = self.decide(id, event, progress, OriginIs::Answering, facts.expecting);
        let again = match verdict.decision {
            Decision::Now | Decision::Backoff => Duration::ZERO,
            Decision::After(wait) => wait,
            Decision::Deliver | Decision::Fail { .. } => {
                self.note_delivered(id);
                return Delivery::Deliver;
            }
        };
        self.spend_retry(origin, verdict.why);
        let cause = match verdict.why {
            Why::RequestTimeout => Some(CloseCause::RequestTimeout),
            Why::Misdirected => Some(CloseCause::Misdirected),
            _ => None,
        };
        if free && cause.is_none() {
            self.connections.set_ready(connection, true);
            self.withdraw(id, connection);
        } else {
            self.withdraw_unread(id, connection);
        }
        if let Some(request) = self.requests.get_mut(id.0) {
            request.misdirected |= verdict.why == Why::Misdirected;
            if cause.is_some() {
                request.need = Need::Fresh;
            }
        }
        self.repeat_after(id, again);
        if let Some(cause) = cause {
            self.abort(connection, cause);
        }
        self.update(origin);
        Delivery::Discard
    }

    fn note_delivered(&mut self, id: RequestId) {
        if let Some(State::InFlight { answered, .. }) = self.requests.get_mut(id.0).map(|request| &mut request.state) {
            *answered = true;
        }
    }

    /// Decides on a request whose connection has ended.
    pub(super) fn decide_lost(
        &mut self,
        id: RequestId,
        cause: LostCause,
        named: Option<Progress>,
        origin_is: OriginIs,
    ) {
        let Some(request) = self.requests.get(id.0) else {
            return;
        };
        let State::InFlight { answered, output, reused, .. } = request.state else {
            return;
        };
        let origin = request.job.origin;
        let attempts = request.attempts.saturating_sub(request.spared);
        // Where one kept connection was dead others may be, too; a new one that ends says nothing of those that work,
        // and neither does one that ended in order, behind its last response or by us.
        let dead = reused && !matches!(cause, LostCause::Last | LostCause::Local);
        let need = match dead {
            _ if request.misdirected || request.job.fresh => Need::Fresh,
            true => Need::Proven,
            false => Need::Any,
        };
        let mut progress = named.unwrap_or(Progress { sent: Sent::All, received: Received::Nothing });
        if let Some(output) = output {
            // The driver has not even heard of it.
            self.outputs.remove(output);
            progress = Progress::NOTHING;
        }
        if answered {
            progress.received = Received::Final;
        }
        let verdict = self.decide(id, Event::Lost(cause), progress, origin_is, false);
        let wait = match verdict.decision {
            Decision::Now => Duration::ZERO,
            Decision::After(wait) => wait,
            Decision::Backoff => {
                let origin = self.origins.get(origin);
                let backing_off = origin.is_some_and(|origin| origin.trouble.retry_at > Some(self.now));
                // Where the origin is backed off from, that is the wait: the request keeps its place.
                if backing_off { Duration::ZERO } else { self.wait(attempts.saturating_sub(1)) }
            }
            Decision::Deliver | Decision::Fail { .. } => {
                let safe_to_repeat = verdict.decision == Decision::Fail { safe_to_repeat: true };
                self.release_live(origin);
                self.fail(id, phase_of(progress), Cause::Lost(cause), safe_to_repeat, verdict.why);
                return;
            }
        };
        self.spend_retry(origin, verdict.why);
        if let Some(request) = self.requests.get_mut(id.0) {
            request.need = need;
            request.spared += u32::from(matches!(verdict.why, Why::Bystander | Why::StaleConnection));
        }
        self.repeat_after(id, wait);
    }

    pub(super) fn decide(
        &self,
        id: RequestId,
        event: Event,
        progress: Progress,
        origin_is: OriginIs,
        expecting: bool,
    ) -> Verdict {
        let mut facts = RetryFacts::new(event);
        facts.expecting = expecting;
        facts.progress = progress;
        facts.origin_spent = origin_is == OriginIs::Spent;
        facts.origin_answers = origin_is == OriginIs::Answering;
        // Whatever this side ends a connection for has its outcome before: a cancel, a deadline, a response that is
        // dropped.
        facts.bystander = event == Event::Lost(LostCause::Local);
        facts.most = self.policy.request_retries;
        facts.longest_wait = self.policy.retry_after;
        if let Some(request) = self.requests.get(id.0) {
            facts.most = request.job.retries.unwrap_or(facts.most);
            facts.longest_wait = request.job.retry_after.or(facts.longest_wait);
            facts.idempotent = request.job.idempotent;
            facts.replayable = request.job.replayable;
            facts.misdirected = request.misdirected;
            facts.retries = request.attempts.saturating_sub(1).saturating_sub(request.spared);
            facts.left = request.job.deadline.map(|deadline| deadline.saturating_since(self.now));
            facts.reused = matches!(request.state, State::InFlight { reused: true, .. });
            let origin = self.origins.get(request.job.origin);
            facts.budget = origin.is_some_and(|origin| origin.may_retry(&self.policy));
        }
        decide(&facts)
    }

    fn repeat_after(&mut self, id: RequestId, wait: Duration) {
        if wait.is_zero() {
            self.queue(id);
        } else if let Some(request) = self.requests.get_mut(id.0) {
            let until = self.timers.arm(self.now.saturating_add(wait), Timer::Retry(id));
            request.state = State::Delayed { until };
        }
    }

    fn spend_retry(&mut self, origin: OriginId, why: Why) {
        // What was never sent does not multiply anything, and neither does what we do to ourselves.
        if !matches!(why, Why::NothingSent | Why::StaleConnection | Why::Bystander) {
            if let Some(origin) = self.origins.get_mut(origin) {
                origin.spend_retry();
            }
        }
    }
}

/// What was being done when an exchange came to an end this far.
fn phase_of(progress: Progress) -> RequestPhase {
    match progress {
        Progress { received: Received::Final, .. } => RequestPhase::Content,
        Progress { sent: Sent::All, .. } => RequestPhase::Head,
        _ => RequestPhase::Write,
    }
}
