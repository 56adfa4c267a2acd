//! A fault on its way up.

use crate::reason::Reason;

/// A rule that was broken, at an offset from the start of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) Reason, pub(crate) usize);
