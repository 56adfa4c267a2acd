//! What the applications know of their requests.

use std::collections::{BTreeMap, BTreeSet};

use http_core::dispatch::{Failure, RequestId, Why};

use super::Tally;
use super::link::Plan;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Complete,
    Cancelled,
    Failed(Failure),
}

/// A request's state, as its application sees it.
#[derive(Debug)]
struct Asked {
    plan: Plan,
    /// The head of its response was delivered.
    begun: bool,
    outcome: Option<Outcome>,
    executions: usize,
    /// Orders to send it that wait, and connections that it was sent on of which something is left: a server can still
    /// execute it.
    carried: usize,
}

/// The requests that have no outcome, or that a server can still execute. The others were judged and are forgotten, so
/// that a run costs the same for each request, however many there are.
#[derive(Debug, Default)]
pub(super) struct Book {
    asked: BTreeMap<RequestId, Asked>,
    /// By what the server knows of them.
    numbers: BTreeMap<usize, RequestId>,
    open: BTreeSet<RequestId>,
}

impl Book {
    pub(super) fn add(&mut self, request: RequestId, plan: Plan) {
        let asked = Asked { plan, begun: false, outcome: None, executions: 0, carried: 0 };
        assert!(self.asked.insert(request, asked).is_none(), "an id that is in use");
        self.numbers.insert(plan.number, request);
        self.open.insert(request);
    }

    /// Those without an outcome.
    pub(super) fn open(&self) -> &BTreeSet<RequestId> {
        &self.open
    }

    pub(super) fn plan(&self, request: RequestId) -> Plan {
        self.asked[&request].plan
    }

    pub(super) fn is_cancelled(&self, request: RequestId) -> bool {
        self.asked[&request].outcome == Some(Outcome::Cancelled)
    }

    /// The head of its response was delivered.
    pub(super) fn begin(&mut self, request: RequestId) {
        self.known(request).begun = true;
    }

    /// A connection is to have it.
    pub(super) fn carry(&mut self, request: RequestId) {
        self.known(request).carried += 1;
    }

    /// The server has executed one, by its number.
    pub(super) fn execute(&mut self, number: usize) {
        let request = *self.numbers.get(&number).expect("executed from no connection that it was given to");
        self.known(request).executions += 1;
    }

    pub(super) fn end(&mut self, request: RequestId, outcome: Outcome, tally: &mut Tally) {
        let asked = self.asked.get_mut(&request).expect("a second outcome, and the first long ago");
        assert_eq!(asked.outcome, None, "a second outcome: {asked:?}, then {outcome:?}");
        asked.outcome = Some(outcome);
        self.open.remove(&request);
        self.judge(request, tally);
    }

    /// Nothing is left of a connection that had these, or that was to have them.
    pub(super) fn let_go(&mut self, requests: &[RequestId], tally: &mut Tally) {
        for &request in requests {
            self.known(request).carried -= 1;
            self.judge(request, tally);
        }
    }

    /// Nobody can do anything for a request any more, or to one.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    fn known(&mut self, request: RequestId) -> &mut Asked {
        self.asked.get_mut(&request).expect("it has no outcome, or a connection has it")
    }

    /// Holds what came of a request to what was promised, if nothing more can come.
    fn judge(&mut self, request: RequestId, tally: &mut Tally) {
        tally.most_known = tally.most_known.max(self.asked.len());
        let asked = self.known(request);
        let (0, Some(outcome)) = (asked.carried, asked.outcome) else { return };
        let Asked { plan, begun, executions, .. } = *asked;
        assert!(plan.idempotent || executions < 2, "executed twice: {asked:?}");
        tally.executions += executions;
        match outcome {
            Outcome::Complete => {
                assert!(executions > 0, "answered, and never executed: {asked:?}");
                tally.complete += 1;
            }
            Outcome::Cancelled => tally.cancelled += 1,
            Outcome::Failed(failure) => {
                // What the server has and is silent about is not sent again.
                let slow = failure.why == Why::NoAnswerInTime;
                assert!(!plan.idempotent || !plan.replayable || !plan.buffered || slow, "{asked:?}");
                assert!(!failure.safe_to_repeat || plan.idempotent || executions == 0, "not safe: {asked:?}");
                if begun {
                    assert_eq!(failure.why, Why::ResponseBegun, "{asked:?}");
                    tally.cut += 1;
                } else {
                    tally.failed += 1;
                }
            }
        }
        self.asked.remove(&request);
        self.numbers.remove(&plan.number);
    }
}
