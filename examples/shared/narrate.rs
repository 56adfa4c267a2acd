//! Tells what the machines do, one line each, as it happens.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::engine;
use super::engine::BoxTap;
use super::engine::client::Observe;
use super::engine::core::Phase;
use super::engine::core::dispatch::{self, ConnectionId};
use super::engine::core::model::{Action, Input, Recorder, Tap};

/// Prints lines with the time since the tour began.
#[derive(Clone)]
pub(crate) struct Narrator {
    began: Instant,
    to_stderr: bool,
}

impl Narrator {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), to_stderr: false }
    }

    /// The same, where the output belongs to somebody else.
    #[allow(dead_code)]
    pub(crate) fn to_stderr() -> Self {
        Self { to_stderr: true, ..Self::new() }
    }

    /// A heading.
    pub(crate) fn scene(&self, title: &str) {
        println!("\n── {title}");
    }

    /// A line of the storyteller's.
    pub(crate) fn tell(&self, text: &str) {
        self.line("", "", text, "");
    }

    /// A tap that tells what one connection does.
    pub(crate) fn tap(&self, who: &'static str) -> BoxTap {
        Box::new(Told { narrator: self.clone(), who })
    }

    fn line(&self, who: &str, phase: &str, input: &str, actions: &str) {
        let time = self.began.elapsed().as_secs_f64() * 1000.0;
        let arrow = if actions.is_empty() { "" } else { " → " };
        let line = format!("{time:8.1} ms {who:>10} {phase:<18} {input}{arrow}{actions}");
        if self.to_stderr { eprintln!("{line}") } else { println!("{line}") }
    }
}

struct Told {
    narrator: Narrator,
    who: &'static str,
}

impl Tap for Told {
    fn step(&mut self, _: engine::core::Instant, phase: Phase, input: &Input, actions: &[Action]) {
        // A poll that found nothing, and what only the loop needs to know, would hide the story.
        let told: Vec<_> = actions.iter().filter(|action| !matches!(action, Action::Wants { .. })).collect();
        if told.is_empty() && matches!(input, Input::Poll | Input::Date(_) | Input::WantContent) {
            return;
        }
        let actions: Vec<_> = told.iter().map(ToString::to_string).collect();
        self.narrator.line(self.who, phase.name(), &input.to_string(), &actions.join("; "));
    }
}

impl Observe for Narrator {
    fn dispatch(&self, _: engine::core::Instant, input: &dispatch::Input, actions: &[dispatch::Action]) {
        if matches!(input, dispatch::Input::Random(_) | dispatch::Input::AddOrigin) {
            return;
        }
        let actions: Vec<_> = actions.iter().map(ToString::to_string).collect();
        self.line("dispatcher", "", &input.to_string(), &actions.join("; "));
    }

    fn tap(&self, _: ConnectionId) -> Option<BoxTap> {
        Some(Self::tap(self, "client"))
    }
}

/// A tap that records, and tells as well.
#[derive(Clone)]
pub(crate) struct Recording(pub(crate) Arc<Mutex<Recorder>>);

impl Recording {
    /// The tap for the connection; the recording stays here.
    pub(crate) fn tap(&self, told: BoxTap) -> BoxTap {
        Box::new(Both(self.clone(), told))
    }
}

struct Both(Recording, BoxTap);

impl Tap for Both {
    fn begin(&mut self, now: engine::core::Instant) {
        self.0.0.lock().expect("a recorder does not panic").begin(now);
    }

    fn step(&mut self, now: engine::core::Instant, phase: Phase, input: &Input, actions: &[Action]) {
        self.0.0.lock().expect("a recorder does not panic").step(now, phase, input, actions);
        self.1.step(now, phase, input, actions);
    }
}
