//! Record a connection as its inputs, and replay it to the same actions.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::BytesMut;

use super::{Action, Input, Modelled, Tap, apply};
use crate::config::Config;
use crate::connection::common::Connection;
use crate::connection::phase::Phase;
use crate::time::Instant;

/// One input of a recording, when it came, and what it led to.
///
/// ```
/// use http_core::model::{Input, Recorder, Tap};
/// use http_core::{Config, Instant, Phase};
/// let mut recorder = Recorder::new(Config::default().into(), Instant::ZERO);
/// recorder.step(Instant::ZERO, Phase::Idle, &Input::Poll, &[]);
/// assert_eq!(recorder.record().steps()[0].input, Input::Poll);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// When the input came.
    pub now: Instant,
    /// The input.
    pub input: Input,
    /// What it led to.
    pub actions: Vec<Action>,
}

/// A recorded connection: its configuration, when it began, and every input with what it led to.
///
/// ```
/// use bytes::{Bytes, BytesMut};
/// use http_core::model::{Input, Recorder, Tap, apply};
/// use http_core::{Config, Instant, server};
///
/// let config = std::sync::Arc::new(Config::default());
/// let mut machine = server::Connection::new(config.clone(), Instant::ZERO);
/// let mut recorder = Recorder::new(config, Instant::ZERO);
/// let mut buffer = BytesMut::new();
/// for input in [Input::Received(Bytes::from_static(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")), Input::Poll] {
///     let mut actions = Vec::new();
///     apply(&mut machine, &mut buffer, input.clone(), Instant::ZERO, &mut |action| actions.push(action));
///     recorder.step(Instant::ZERO, machine.phase(), &input, &actions);
/// }
/// let record = recorder.into_record();
/// assert_eq!(record.replay(server::Connection::new), Ok(()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    config: Arc<Config>,
    start: Instant,
    steps: Vec<Step>,
}

impl Record {
    /// The inputs in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Makes the machine anew, as `new` does from configuration and start, applies every input again, and compares
    /// what each leads to with what was recorded.
    ///
    /// # Errors
    /// The first step that led to something else.
    pub fn replay<S: Modelled>(&self, new: impl FnOnce(Arc<Config>, Instant) -> Connection<S>) -> Result<(), Mismatch> {
        let mut machine = new(self.config.clone(), self.start);
        let mut buffer = BytesMut::new();
        for (index, step) in self.steps.iter().enumerate() {
            let mut found = Vec::new();
            apply(&mut machine, &mut buffer, step.input.clone(), step.now, &mut |action| found.push(action));
            if found != step.actions {
                return Err(Mismatch { index, expected: step.actions.clone(), found });
            }
        }
        Ok(())
    }
}

/// A step that led to something else when it was replayed.
///
/// ```
/// use http_core::model::{Input, Recorder, Tap};
/// use http_core::{Config, Instant, Phase, server};
/// let mut recorder = Recorder::new(Config::default().into(), Instant::ZERO);
/// recorder.step(Instant::ZERO, Phase::Idle, &Input::WantContent, &[]);
/// recorder.step(Instant::ZERO, Phase::Idle, &Input::Close, &[]); // it must have led to something
/// let mismatch = recorder.into_record().replay(server::Connection::new).unwrap_err();
/// assert_eq!(mismatch.index, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// Which step.
    pub index: usize,
    /// What was recorded.
    pub expected: Vec<Action>,
    /// What it led to now.
    pub found: Vec<Action>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} led to {:?}, not to {:?}", self.index, self.found, self.expected)
    }
}

impl core::error::Error for Mismatch {}

/// A tap that records.
///
/// ```
/// use http_core::model::Recorder;
/// let recorder = Recorder::new(Default::default(), http_core::Instant::ZERO);
/// assert!(recorder.record().steps().is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Recorder(Record);

impl Recorder {
    /// A recorder for a connection that is made with this configuration at this instant; as a tap of a driver it is
    /// told the instant by `begin`.
    #[must_use]
    pub const fn new(config: Arc<Config>, start: Instant) -> Self {
        Self(Record { config, start, steps: Vec::new() })
    }

    /// What was recorded so far.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.0
    }

    /// What was recorded.
    #[must_use]
    pub fn into_record(self) -> Record {
        self.0
    }
}

impl Tap for Recorder {
    fn begin(&mut self, now: Instant) {
        self.0.start = now;
    }

    fn step(&mut self, now: Instant, _phase: Phase, input: &Input, actions: &[Action]) {
        self.0.steps.push(Step { now, input: input.clone(), actions: actions.to_vec() });
    }
}
