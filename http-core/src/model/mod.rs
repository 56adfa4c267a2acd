//! The model that this engine is: inputs that happened, actions that follow, and one function between them.
//!
//! [`apply`] makes exactly one call of a machine's typed methods and reports what it led to. It holds no logic of its
//! own, so whatever is recorded, replayed, fuzzed or explored through it is the engine itself. [`drain`] is the loop
//! for simple callers.
//!
//! ```
//! use bytes::{Bytes, BytesMut};
//! use http_core::model::{Action, Input, apply, drain};
//! use http_core::{Config, Content, Instant, ResponseHead, StatusCode, server};
//!
//! let mut machine = server::Connection::new(Config::default().into(), Instant::ZERO);
//! let mut buffer = BytesMut::new();
//! let mut said = Vec::new();
//! let received = Input::Received(Bytes::from_static(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
//! drain(&mut machine, &mut buffer, received, Instant::ZERO, &mut |action| said.push(action.to_string()));
//! let answer = Input::SendResponse(ResponseHead::new(StatusCode::OK), Content::Full("hi".into()));
//! apply(&mut machine, &mut buffer, answer, Instant::ZERO, &mut |action| said.push(action.to_string()));
//! assert_eq!(said[0], "event: request GET /");
//! assert_eq!(said.last().unwrap(), "wants to read and write; wakes in 10 s");
//! ```

mod coupling;
mod machine;
mod record;
mod words;

use core::time::Duration;

use bytes::Bytes;

use crate::connection::exchange::End;
use crate::connection::flow::Interest;
use crate::error::ProtocolError;
use crate::message::content::Content;
use crate::message::field::Fields;
use crate::message::head::{RequestHead, ResponseHead};
use crate::message::misuse::Misuse;
use crate::time::Instant;
use crate::{client, server};

pub use crate::canonical::Canonical;
pub use coupling::{Coupling, couplings};
pub use machine::{Modelled, apply, drain};
pub use record::{Mismatch, Record, Recorder, Step};

/// Something that happened: from the transport, from the clock, or because the application wants it. One variant for
/// each method that changes a machine.
///
/// ```
/// use http_core::model::Input;
/// assert_eq!(Input::Sent(12).to_string(), "12 bytes were sent");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// Bytes were read, and stand at the end of the lent buffer.
    Received(Bytes),
    /// `poll_event`, once.
    Poll,
    /// `handle_eof`
    Eof(End),
    /// `handle_write_error`
    WriteError,
    /// `handle_sent`
    Sent(usize),
    /// `handle_timeout`
    Timeout,
    /// `handle_date`, on a server
    Date([u8; 29]),
    /// `want_content`, on a server
    WantContent,
    /// `discard_content`, on a server
    DiscardContent,
    /// `send_interim`, on a server
    SendInterim(ResponseHead),
    /// `send_response`, on a server
    SendResponse(ResponseHead, Content),
    /// `send_request`, on a client
    SendRequest(RequestHead, Content),
    /// `limit_response`, on a client
    LimitResponse(Duration),
    /// `limit_content`, on a client
    LimitContent(Duration, u32),
    /// `send_content`
    SendContent(Bytes),
    /// `send_content_copy`
    SendContentCopy(Bytes),
    /// `send_end`
    SendEnd(Fields),
    /// `close`
    Close,
    /// `abandon`
    Abandon,
}

/// Something to be done, or to know.
///
/// ```
/// use http_core::Misuse;
/// use http_core::model::Action;
/// assert!(Action::Misused(Misuse::Full).to_string().starts_with("refused: "));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// These bytes were newly queued, in order; none is told twice.
    Write(Bytes),
    /// An event of a server's connection.
    Server(server::Event),
    /// An event of a client's connection.
    Client(client::Event),
    /// A request was taken, and is this exchange.
    Begun(client::ExchangeId),
    /// The peer broke a rule.
    Failed(ProtocolError),
    /// The input did not fit; nothing was changed.
    Misused(Misuse),
    /// What is wanted from the transport and the clock is not what it was: told last, and only if it changed.
    Wants {
        /// As `interest` says.
        interest: Interest,
        /// As `poll_timeout` says: the instant to wake at.
        wake: Option<Instant>,
        /// How long that is from now.
        after: Option<core::time::Duration>,
    },
}

impl From<server::Event> for Action {
    fn from(event: server::Event) -> Self {
        Self::Server(event)
    }
}

impl From<client::Event> for Action {
    fn from(event: client::Event) -> Self {
        Self::Client(event)
    }
}

/// Watches a machine at work: told of every input and the actions that it led to.
///
/// ```
/// use http_core::Instant;
/// use http_core::model::{Action, Input, Tap};
///
/// #[derive(Debug)]
/// struct Count(usize);
/// impl Tap for Count {
///     fn step(&mut self, _now: Instant, _phase: http_core::Phase, _input: &Input, actions: &[Action]) {
///         self.0 += actions.len();
///     }
/// }
/// ```
pub trait Tap {
    /// The connection was made at `now`. Told once, first.
    fn begin(&mut self, now: Instant) {
        let _ = now;
    }

    /// One input was applied at `now`; `phase` is where the connection is after it.
    fn step(&mut self, now: Instant, phase: crate::Phase, input: &Input, actions: &[Action]);
}
