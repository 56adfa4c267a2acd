//! What is written: heads, content, and the queue of what waits to be sent.

pub(crate) mod chunks;
pub(crate) mod encode;
pub(crate) mod generate;
pub(crate) mod mend;
pub(crate) mod outbox;
pub(crate) mod request;
pub(crate) mod source;
