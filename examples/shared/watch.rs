//! What is shown of a run: how far it is, and in the end how long its requests took.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::latencies::Latencies;

/// Who looks at a run. Where nobody does, nothing is counted and no clock is asked.
#[derive(Clone, Debug)]
pub(crate) struct Watch(Option<Arc<Shown>>);

#[derive(Debug)]
struct Shown {
    /// It draws where standard error is a terminal, and nowhere else.
    bar: ProgressBar,
    latencies: Mutex<Latencies>,
    unit: Unit,
}

/// What a run is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Requests,
    Bytes,
}

impl Watch {
    /// Whether somebody looks if nothing else was said: what a program writes is shown to a person.
    pub(crate) fn by_default() -> bool {
        std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Looks at a run of so many requests or bytes, if that is wanted.
    pub(crate) fn new(wanted: bool, unit: Unit, all: u64) -> Self {
        let template = match unit {
            Unit::Requests => "{bar:40} {pos}/{len} {per_sec}, {eta} left",
            Unit::Bytes => "{bar:40} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left",
        };
        Self(wanted.then(|| {
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            Arc::new(Shown { bar: ProgressBar::new(all).with_style(style), latencies: Mutex::default(), unit })
        }))
    }

    /// A request begins.
    pub(crate) fn begin(&self) -> Option<Instant> {
        self.0.as_ref().map(|_| Instant::now())
    }

    /// A request that began then is over.
    pub(crate) fn end(&self, began: Option<Instant>) {
        if let (Some(shown), Some(began)) = (&self.0, began) {
            shown.latencies.lock().expect("nothing panics under this lock").record(began.elapsed());
            if shown.unit == Unit::Requests {
                shown.bar.inc(1);
            }
        }
    }

    /// So much content was moved.
    pub(crate) fn moved(&self, bytes: usize) {
        if let Some(shown) = self.0.as_ref().filter(|shown| shown.unit == Unit::Bytes) {
            shown.bar.inc(bytes as u64);
        }
    }

    /// All are over: the bar goes, and what the run took is told.
    pub(crate) fn tell(&self) {
        if let Some(shown) = &self.0 {
            shown.bar.finish_and_clear();
            print!("{}", shown.latencies.lock().expect("nothing panics under this lock"));
        }
    }
}
