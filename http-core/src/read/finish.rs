//! What can be said of a head only when all of it is there: host, target form, framing.

use crate::config::Config;
use crate::message::facts::{Expectation, Facts, Framing, RequestKind};
use crate::message::field::Fields;
use crate::message::head::{RequestHead, ResponseHead};
use crate::message::method::Method;
use crate::message::status::StatusCode;
use crate::message::target::Target;
use crate::message::version::Version;
use crate::read::framing;
use crate::reason::Reason;

/// What a request head says besides its fields: where the parts of its first line lie in the block, and what follows
/// from all of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestLine {
    /// How many bytes of input the head took.
    pub(super) length: usize,
    pub(super) target_at: u32,
    pub(super) target_len: u32,
    pub(super) method_len: u16,
    pub(crate) version: Version,
    pub(super) minor: u8,
    pub(crate) kind: RequestKind,
    pub(crate) framing: Framing,
}

impl RequestLine {
    /// The head that `fields` was built for.
    #[inline]
    pub(crate) fn into_head(self, fields: Fields) -> RequestHead {
        RequestHead {
            fields,
            target_at: self.target_at,
            target_len: self.target_len,
            method_len: self.method_len,
            version: self.version,
            minor: self.minor,
            framing: self.framing,
        }
    }
}

/// The same for a response head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusLine {
    /// How many bytes of input the head took.
    pub(crate) length: usize,
    pub(super) reason_at: u32,
    pub(super) reason_len: u32,
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(super) minor: u8,
    /// Whether the connection may be used after the message as far as its framing goes.
    pub(crate) certain: bool,
    pub(crate) framing: Framing,
    pub(super) answers: RequestKind,
}

impl StatusLine {
    /// The head that `fields` was built for.
    #[inline]
    pub(crate) fn into_head(self, fields: Fields) -> ResponseHead {
        ResponseHead {
            fields,
            reason_at: self.reason_at,
            reason_len: self.reason_len,
            status: self.status,
            version: self.version,
            minor: self.minor,
            framing: self.framing,
            answers: Some(self.answers),
        }
    }
}

/// Judges a request head whose lines are good each, and sets its kind and framing.
#[inline(always)]
pub(super) fn request(
    line: &mut RequestLine,
    facts: &mut Facts,
    fields: &Fields,
    config: &Config,
) -> Result<(), Reason> {
    let leniency = &config.leniency;
    let method = &fields.block[..usize::from(line.method_len)];
    line.kind = RequestKind::of(method);
    let target = &fields.block[line.target_at as usize..][..line.target_len as usize];
    // An origin-form target, the common case, needs no more than its first byte.
    let origin_form = target.first() == Some(&b'/') && line.kind != RequestKind::Connect;
    if !origin_form {
        let form = Method::from_bytes(method).and_then(|method| Target::parse(method, target));
        if form.is_none() && (!leniency.allow_lax_target || line.kind == RequestKind::Connect) {
            return Err(Reason::TargetForm);
        }
    }
    match facts.hosts {
        // RFC 9112 §3.2: no Host in an HTTP/1.1 request, more than one, or an invalid one is answered with 400.
        0 if line.version == Version::Http11 && !leniency.allow_missing_host => return Err(Reason::MissingHost),
        0 => {}
        1 if !facts.host_valid => return Err(Reason::InvalidHost),
        1 => {}
        _ => return Err(Reason::DuplicateHost),
    }
    let (framing, certain) = framing::of_request(facts, line.version, leniency)?;
    if line.version == Version::Http10 {
        // RFC 9110 §10.1.1, §7.8: both are of HTTP/1.1.
        facts.expectation = Expectation::None;
        facts.upgrade = false;
    }
    if !framing.has_content() && facts.expectation == Expectation::Continue {
        facts.expectation = Expectation::None;
    }
    facts.uncertain = !certain;
    line.framing = framing;
    Ok(())
}

/// Judges a response head whose lines are good each, and sets its framing.
#[inline]
pub(super) fn response(
    line: &mut StatusLine,
    facts: &Facts,
    request: RequestKind,
    config: &Config,
) -> Result<(), Reason> {
    line.answers = request;
    (line.framing, line.certain) = framing::of_response(facts, line.version, line.status, request, &config.leniency)?;
    Ok(())
}
