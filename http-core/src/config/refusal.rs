//! The answers that a server gives by itself.

use core::fmt;

use bytes::Bytes;

use crate::error::ProtocolError;
use crate::message::field::Fields;

/// What goes with the status of an answer to a request that cannot be read: a pure function from what is wrong to the
/// fields and the content. The status, and that the connection ends, are not in its hands.
///
/// Fields that may not be sent, as those of framing, are left out with all the others, and so is the content then.
///
/// ```
/// use bytes::Bytes;
/// use http_core::{Config, Fields, Refusal};
///
/// let mut config = Config::default();
/// config.refusal = Some(Refusal::new(|error| {
///     let mut fields = Fields::new();
///     let _ = fields.push("Content-Type", "text/plain");
///     (fields, Bytes::from(format!("We do not understand this: {error}\n")))
/// }));
/// ```
#[derive(Clone, Copy)]
pub struct Refusal(fn(&ProtocolError) -> (Fields, Bytes));

impl Refusal {
    /// With this function.
    #[must_use]
    pub const fn new(function: fn(&ProtocolError) -> (Fields, Bytes)) -> Self {
        Self(function)
    }

    pub(crate) fn shape(self, error: &ProtocolError) -> (Fields, Bytes) {
        (self.0)(error)
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refusal")
    }
}

/// Equal if they are the same function; the same text twice may be two.
impl PartialEq for Refusal {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for Refusal {}
