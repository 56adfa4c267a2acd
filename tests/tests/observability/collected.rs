//! A subscriber's layer that keeps what it is told.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::{Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// A span, or an event in one.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) name: &'static str,
    pub(crate) target: String,
    pub(crate) level: Level,
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) parent: Option<u64>,
    pub(crate) closed: bool,
}

impl Kept {
    fn new(metadata: &Metadata<'static>, fields: BTreeMap<String, String>, parent: Option<u64>) -> Self {
        let target = metadata.target().to_owned();
        Self { name: metadata.name(), target, level: *metadata.level(), fields, parent, closed: false }
    }

    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Told {
    /// By the number that it was given when it began: those of the registry are used again.
    pub(crate) spans: BTreeMap<u64, Kept>,
    pub(crate) events: Vec<Kept>,
}

impl Told {
    /// The spans of requests whose field is this.
    pub(crate) fn requests(&self, target: &str, field: &str, value: &str) -> Vec<(u64, Kept)> {
        let is_it = |kept: &Kept| {
            kept.name == "HTTP request" && kept.target == target && kept.get(field).is_some_and(|it| it == value)
        };
        self.spans.iter().filter(|(_, kept)| is_it(kept)).map(|(id, kept)| (*id, kept.clone())).collect()
    }

    /// The events within a span.
    pub(crate) fn events(&self, span: u64) -> Vec<Kept> {
        self.events.iter().filter(|kept| kept.parent == Some(span)).cloned().collect()
    }
}

static TOLD: OnceLock<&'static Mutex<Told>> = OnceLock::new();

/// What all tests of this process have told so far; and from here on.
pub(crate) fn collected() -> &'static Mutex<Told> {
    TOLD.get_or_init(|| {
        let told: &'static Mutex<Told> = Box::leak(Box::default());
        tracing::subscriber::set_global_default(Registry::default().with(Collector(told))).unwrap();
        told
    })
}

struct Collector(&'static Mutex<Told>);

/// The number of a span, kept with it.
struct Number(u64);

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = self.0.entry(field.name().to_owned()).or_default();
        text.clear();
        write!(text, "{value:?}").unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collector {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let span = context.span(id).unwrap();
        let parent = span.parent().and_then(|parent| Some(parent.extensions().get::<Number>()?.0));
        let mut told = self.0.lock().unwrap();
        let number = told.spans.len() as u64;
        told.spans.insert(number, Kept::new(attributes.metadata(), fields.0, parent));
        span.extensions_mut().insert(Number(number));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let number = context.span(id).unwrap().extensions().get::<Number>().unwrap().0;
        self.0.lock().unwrap().spans.get_mut(&number).unwrap().fields.append(&mut fields.0);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let parent = context.event_span(event).and_then(|span| Some(span.extensions().get::<Number>()?.0));
        self.0.lock().unwrap().events.push(Kept::new(event.metadata(), fields.0, parent));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let number = context.span(&id).unwrap().extensions().get::<Number>().unwrap().0;
        self.0.lock().unwrap().spans.get_mut(&number).unwrap().closed = true;
    }
}
