//! What messages are made of. It knows nothing of connections.

pub(crate) mod common;
pub(crate) mod content;
pub(crate) mod date;
pub(crate) mod destination;
pub(crate) mod facts;
pub(crate) mod field;
pub(crate) mod forward;
pub(crate) mod head;
pub(crate) mod method;
pub(crate) mod misuse;
pub(crate) mod status;
pub(crate) mod target;
pub(crate) mod token;
pub(crate) mod trailers;
pub(crate) mod version;
