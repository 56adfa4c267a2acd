//! The life of a connection: made by a task, driven by the future of a request, by the reader of its response, by a
//! task where there is no such caller, and watched by a keeper while it idles.

mod carrier;
mod content;
mod core;
mod flight;
mod keeper;
mod making;
mod step;
mod task;

pub(super) use self::carrier::Rest;
pub(super) use self::core::{Core, Held, ended};
pub(super) use self::flight::{Flight, Response, Unbegun};
pub(super) use self::step::Step;
