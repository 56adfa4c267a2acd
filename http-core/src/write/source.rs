//! What the head of a response is written from: a head that was built, or field lines that lie somewhere else.

use alloc::vec::Vec;
use core::fmt;

use crate::message::facts::Facts;
use crate::message::field;
use crate::message::head::{ResponseHead, write_status_line};
use crate::message::misuse::Misuse;
use crate::message::status::StatusCode;
use crate::message::token::{self, Known};

/// The head of a response whose field lines lie somewhere else: in the map of another library, or in a table.
///
/// It is written straight to where it is sent from, by the rules of a [`ResponseHead`] that the same lines were pushed
/// to one by one: see [`server::Connection::offer_lines`](crate::server::Connection::offer_lines).
///
/// `fields` gives names and values in order, each time that it is asked: a map by reference, or a clone of an iterator.
///
/// ```
/// use bytes::{Bytes, BytesMut};
/// use http_core::{Config, Content, Instant, ResponseLines, StatusCode, server};
/// # let mut connection = server::Connection::new(Config::default().into(), Instant::ZERO);
/// # let mut input = BytesMut::from("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
/// # while connection.poll_event(&mut input, Instant::ZERO)?.is_some() {}
/// let fields = std::collections::BTreeMap::from([("content-type", "text/plain"), ("vary", "accept")]);
/// let lines = ResponseLines::new(StatusCode::OK, &fields);
/// connection.offer_lines(&lines, &mut Content::Full(Bytes::from_static(b"Hello")), Instant::ZERO)?;
/// let mut slices = [&b""[..]; 8];
/// let count = connection.transmit(&mut slices);
/// assert_eq!(
///     slices[..count].concat(),
///     b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nvary: accept\r\nContent-Length: 5\r\n\r\nHello"
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct ResponseLines<'a, F> {
    status: StatusCode,
    reason: Option<&'a [u8]>,
    fields: F,
}

impl<'a, F> ResponseLines<'a, F> {
    /// These lines behind a status-line with the usual reason phrase.
    #[must_use]
    pub const fn new(status: StatusCode, fields: F) -> Self {
        Self { status, reason: None, fields }
    }

    /// The same with a reason phrase of one's own, perhaps empty. It is looked at when the response is sent: see
    /// [`ResponseHead::with_reason_phrase`].
    #[must_use]
    pub const fn with_reason_phrase(mut self, reason: &'a [u8]) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The status code.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }
}

impl<F> fmt::Debug for ResponseLines<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What the lines hold may be secret.
        f.debug_struct("ResponseLines").field("status", &self.status).finish_non_exhaustive()
    }
}

/// What the head of a response can be written from.
pub(crate) trait Source {
    fn status(&self) -> StatusCode;

    /// Writes status-line and field lines, and what these say together into `facts`, which are empty; there is room for
    /// what follows then. Returns where the field lines begin. What was written of lines that may not be sent is the
    /// caller's to take back.
    fn write(&self, out: &mut Vec<u8>, facts: &mut Facts) -> Result<usize, Misuse>;

    /// The field lines once more.
    fn lines(&self) -> impl Iterator<Item = (Known, &[u8], &[u8])>;
}

/// The fields that a message is given hardly ever take more than this.
pub(super) const ADDED: usize = 128;

/// Room for a start-line and for the field lines of most messages.
pub(super) const USUAL: usize = 384;

/// Writes field lines that lie elsewhere behind a start-line that begins at `head_at`, and what they say into `facts`.
#[inline(always)]
pub(super) fn write_lines<'a, F, N, V>(
    fields: &F,
    head_at: usize,
    out: &mut Vec<u8>,
    facts: &mut Facts,
) -> Result<(), Misuse>
where
    F: Clone + IntoIterator<Item = (&'a N, &'a V)>,
    N: AsRef<[u8]> + ?Sized + 'a,
    V: AsRef<[u8]> + ?Sized + 'a,
{
    for (name, value) in fields.clone() {
        let (name, value) = (name.as_ref(), field::checked(name.as_ref(), value.as_ref(), out.len() - head_at)?);
        field::write(out, name, value);
        let known = Known::of(name);
        if known != Known::Other {
            facts.add(known, value);
        }
    }
    Ok(())
}

/// Those lines once more, with what their names are.
#[inline(always)]
pub(super) fn known_lines<'s, 'a: 's, F, N, V>(fields: &'s F) -> impl Iterator<Item = (Known, &'s [u8], &'s [u8])>
where
    F: Clone + IntoIterator<Item = (&'a N, &'a V)>,
    N: AsRef<[u8]> + ?Sized + 'a,
    V: AsRef<[u8]> + ?Sized + 'a,
{
    fields.clone().into_iter().map(|(name, value)| {
        let name = name.as_ref();
        (Known::of(name), name, token::trim(value.as_ref()))
    })
}

impl Source for ResponseHead {
    #[inline]
    fn status(&self) -> StatusCode {
        self.status
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>, facts: &mut Facts) -> Result<usize, Misuse> {
        *facts = self.facts();
        // Room for all that follows, so that nothing is moved while it is written.
        out.reserve(self.as_wire().len() + ADDED);
        let fields_at = out.len() + self.fields.start();
        out.extend_from_slice(self.as_wire());
        Ok(fields_at)
    }

    fn lines(&self) -> impl Iterator<Item = (Known, &[u8], &[u8])> {
        self.fields.known_lines()
    }
}

impl<'a, F, N, V> Source for ResponseLines<'a, F>
where
    F: Clone + IntoIterator<Item = (&'a N, &'a V)>,
    N: AsRef<[u8]> + ?Sized + 'a,
    V: AsRef<[u8]> + ?Sized + 'a,
{
    #[inline]
    fn status(&self) -> StatusCode {
        self.status
    }

    fn write(&self, out: &mut Vec<u8>, facts: &mut Facts) -> Result<usize, Misuse> {
        out.reserve(USUAL + ADDED);
        let head_at = out.len();
        match self.reason {
            None => write_status_line(out, self.status, self.status.reason_phrase().as_bytes()),
            Some(reason) if ResponseHead::may_say(reason) => write_status_line(out, self.status, reason),
            Some(_) => return Err(Misuse::ReasonPhrase),
        }
        let fields_at = out.len();
        write_lines(&self.fields, head_at, out, facts)?;
        Ok(fields_at)
    }

    fn lines(&self) -> impl Iterator<Item = (Known, &[u8], &[u8])> {
        known_lines(&self.fields)
    }
}
