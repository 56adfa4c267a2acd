//! A receiver of metrics that keeps what it is told, and sees that it adds up.

use std::sync::{Arc, Mutex};

use http_core::dispatch::Why;
use http_driver::observe::{ConnectionFacts, Metrics, RequestEnd, RequestFacts, Role, Timings};

/// A request that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) facts: RequestFacts,
    pub(crate) status: Option<u16>,
    pub(crate) version: Option<&'static str>,
    pub(crate) error: Option<String>,
    pub(crate) duration: std::time::Duration,
    pub(crate) timings: Timings,
}

impl Ended {
    /// Method, status and error, to be compared.
    pub(crate) fn line(&self) -> String {
        let status = self.status.map_or("-".into(), |status| status.to_string());
        format!("{} {status} {}", self.facts.method(), self.error.as_deref().unwrap_or("-"))
    }
}

#[derive(Debug, Default)]
struct Told {
    begun: i64,
    ended: Vec<Ended>,
    retried: Vec<Why>,
    open: i64,
    opened: i64,
}

/// What was told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured(Arc<Mutex<Told>>);

impl Measured {
    pub(crate) fn receiver(&self) -> Arc<dyn Metrics> {
        Arc::new(self.clone())
    }

    pub(crate) fn active(&self) -> i64 {
        let told = self.0.lock().unwrap();
        told.begun - told.ended.len() as i64
    }

    pub(crate) fn open(&self) -> i64 {
        self.0.lock().unwrap().open
    }

    pub(crate) fn opened(&self) -> i64 {
        self.0.lock().unwrap().opened
    }

    pub(crate) fn begun(&self) -> i64 {
        self.0.lock().unwrap().begun
    }

    pub(crate) fn ended(&self) -> Vec<Ended> {
        self.0.lock().unwrap().ended.clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.ended().iter().map(Ended::line).collect()
    }

    pub(crate) fn retried(&self) -> Vec<Why> {
        self.0.lock().unwrap().retried.clone()
    }

    /// Whether nothing goes on.
    pub(crate) fn is_at_rest(&self) -> bool {
        (self.active(), self.open()) == (0, 0)
    }
}

impl Metrics for Measured {
    fn request_begun(&self, _: &RequestFacts) {
        self.0.lock().unwrap().begun += 1;
    }

    fn request_retried(&self, request: &RequestFacts, why: Why) {
        assert_eq!(request.role(), Role::Client);
        self.0.lock().unwrap().retried.push(why);
    }

    fn request_ended(&self, request: &RequestFacts, end: &RequestEnd<'_>) {
        let ended = Ended {
            facts: request.clone(),
            status: end.status().map(|status| status.as_u16()),
            version: end.version(),
            error: end.error_type().map(str::to_owned),
            duration: end.duration(),
            timings: *end.timings(),
        };
        let mut told = self.0.lock().unwrap();
        told.ended.push(ended);
        assert!(told.ended.len() as i64 <= told.begun);
    }

    fn connection_opened(&self, connection: &ConnectionFacts) {
        assert_eq!(connection.server_address().is_some(), connection.role() == Role::Client);
        let mut told = self.0.lock().unwrap();
        told.open += 1;
        told.opened += 1;
    }

    fn connection_closed(&self, _: &ConnectionFacts) {
        let mut told = self.0.lock().unwrap();
        told.open -= 1;
        assert!(told.open >= 0);
    }
}
