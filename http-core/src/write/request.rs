//! What the head of a request is written from: a head that was built, or what lies somewhere else.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::message::destination::{Destination, OriginForm};
use crate::message::facts::Facts;
use crate::message::field;
use crate::message::head::RequestHead;
use crate::message::method::Method;
use crate::message::misuse::Misuse;
use crate::message::token::{self, Known};
use crate::message::version::Version;
use crate::write::source::{ADDED, USUAL, known_lines, write_lines};

/// The head of a request whose URI and field lines lie somewhere else: in the types of another library, or in a table.
///
/// It is written straight to where it is sent from, by the rules of a [`RequestHead`] that was made by
/// [`RequestHead::to`] and that the same lines were pushed to one by one: see
/// [`client::Connection::send_lines`](crate::client::Connection::send_lines).
///
/// `fields` gives names and values in order, each time that it is asked: a map by reference, or a clone of an iterator.
///
/// ```
/// use http_core::{Config, Content, Destination, Instant, Method, RequestLines, client};
/// let mut connection = client::Connection::new(Config::default().into(), Instant::ZERO);
/// let destination =
///     Destination { authority: Some("example.com"), path_and_query: Some("/a"), ..Default::default() };
/// let fields = std::collections::BTreeMap::from([("accept", "*/*"), ("te", "trailers")]);
/// let lines = RequestLines::new(Method::Get, destination, &fields);
/// connection.send_lines(&lines, Content::Empty, Instant::ZERO)?;
/// let mut slices = [&b""[..]; 8];
/// let count = connection.transmit(&mut slices);
/// assert_eq!(
///     slices[..count].concat(),
///     b"GET /a HTTP/1.1\r\nHost: example.com\r\naccept: */*\r\nte: trailers\r\nConnection: TE\r\n\r\n"
/// );
/// # Ok::<(), http_core::Misuse>(())
/// ```
#[derive(Clone, Copy)]
pub struct RequestLines<'a, F> {
    method: Method<'a>,
    destination: Destination<'a>,
    version: Version,
    fields: F,
}

impl<'a, F> RequestLines<'a, F> {
    /// These lines behind a request-line for this destination.
    #[must_use]
    pub const fn new(method: Method<'a>, destination: Destination<'a>, fields: F) -> Self {
        Self { method, destination, version: Version::Http11, fields }
    }

    /// The same as an HTTP/1.0 request: see [`RequestHead::with_version`].
    #[must_use]
    pub const fn with_version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Whether method and destination may be sent, before there is a connection. The lines are looked at when they are
    /// sent.
    ///
    /// # Errors
    /// Those of [`RequestHead::to`].
    pub fn check(&self) -> Result<(), Misuse> {
        match self.destination.origin_form(self.method) {
            Some(OriginForm { host: Some(host), .. }) if !token::is_value(token::trim(host)) => Err(Misuse::FieldValue),
            Some(_) => Ok(()),
            None => RequestHead::to(self.method, &self.destination).map(drop),
        }
    }
}

impl<F> fmt::Debug for RequestLines<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What the lines hold may be secret.
        f.debug_struct("RequestLines")
            .field("method", &self.method)
            .field("destination", &self.destination)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// What the head of a request can be written from.
pub(crate) trait RequestSource {
    fn method(&self) -> Method<'_>;

    fn version(&self) -> Version;

    /// Writes request-line and field lines, and what these say together into `facts`, which are empty; there is room
    /// for what follows then. What was written of what may not be sent is the caller's to take back.
    fn write(&self, out: &mut Vec<u8>, facts: &mut Facts) -> Result<Written, Misuse>;

    /// The field lines once more, but for those that come before [`Written::fields_at`].
    fn lines(&self) -> impl Iterator<Item = (Known, &[u8], &[u8])>;
}

/// Where the parts of what was written lie.
pub(crate) struct Written {
    pub(crate) target: Range<usize>,
    /// Where the request-line ends, behind its CRLF.
    pub(crate) line_end: usize,
    /// Where the lines begin that the source gives once more.
    pub(crate) fields_at: usize,
}

impl RequestSource for RequestHead {
    #[inline]
    fn method(&self) -> Method<'_> {
        self.method()
    }

    #[inline]
    fn version(&self) -> Version {
        self.version()
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>, facts: &mut Facts) -> Result<Written, Misuse> {
        *facts = self.facts();
        // Room for all that follows, so that nothing is moved while it is written.
        out.reserve(self.as_wire().len() + ADDED);
        let head_at = out.len();
        out.extend_from_slice(self.as_wire());
        let target_at = head_at + self.target_at as usize;
        let line_end = head_at + self.fields.start();
        Ok(Written { target: target_at..target_at + self.target().len(), line_end, fields_at: line_end })
    }

    fn lines(&self) -> impl Iterator<Item = (Known, &[u8], &[u8])> {
        self.fields.known_lines()
    }
}

impl<'a, F, N, V> RequestSource for RequestLines<'a, F>
where
    F: Clone + IntoIterator<Item = (&'a N, &'a V)>,
    N: AsRef<[u8]> + ?Sized + 'a,
    V: AsRef<[u8]> + ?Sized + 'a,
{
    #[inline]
    fn method(&self) -> Method<'_> {
        self.method
    }

    #[inline]
    fn version(&self) -> Version {
        self.version
    }

    fn write(&self, out: &mut Vec<u8>, facts: &mut Facts) -> Result<Written, Misuse> {
        out.reserve(USUAL + ADDED);
        let head_at = out.len();
        let (target, line_end) = match self.destination.origin_form(self.method) {
            Some(OriginForm { target, host }) => {
                let method = self.method.as_str().as_bytes();
                out.reserve(USUAL + ADDED + method.len() + target.len());
                out.extend_from_slice(method);
                out.push(b' ');
                let target_at = out.len();
                out.extend_from_slice(target);
                out.extend_from_slice(if self.version == Version::Http10 {
                    b" HTTP/1.0\r\n"
                } else {
                    b" HTTP/1.1\r\n"
                });
                let line_end = out.len();
                if let Some(host) = host {
                    let value = token::trim(host);
                    facts.add(Known::Host, value);
                    // A host is a value that may be sent.
                    if !facts.host_valid || u32::try_from(out.len() - head_at + value.len() + 8).is_err() {
                        field::checked(b"Host", value, out.len() - head_at)?;
                    }
                    field::write(out, b"Host", value);
                }
                (target_at..target_at + target.len(), line_end)
            }
            None => {
                let head = RequestHead::to(self.method, &self.destination)?.with_version(self.version);
                out.extend_from_slice(head.as_wire());
                facts.add_all(head.fields());
                let target_at = head_at + head.target_at as usize;
                (target_at..target_at + head.target().len(), head_at + head.fields().start())
            }
        };
        let fields_at = out.len();
        write_lines(&self.fields, head_at, out, facts)?;
        Ok(Written { target, line_end, fields_at })
    }

    fn lines(&self) -> impl Iterator<Item = (Known, &[u8], &[u8])> {
        known_lines(&self.fields)
    }
}
