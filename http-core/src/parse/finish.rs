//! What can be said of a head only when all of it is there: host, target form, framing.

use crate::config::Config;
use crate::field::Fields;
use crate::framing::{self, Expectation, Facts, Framing, RequestKind};
use crate::head::{RequestHead, ResponseHead};
use crate::reason::Reason;
use crate::status::StatusCode;
use crate::version::Version;

/// Where the parts of a request-line lie in their block, and what the field lines say.
pub(super) struct RequestLine {
    pub(super) method_len: u16,
    pub(super) target_at: u32,
    pub(super) target_len: u32,
    pub(super) version: Version,
    pub(super) minor: u8,
    pub(super) facts: Facts,
}

/// Where the parts of a status-line lie in their block, and what the field lines say.
pub(super) struct StatusLine {
    pub(super) status: StatusCode,
    pub(super) reason_at: u32,
    pub(super) reason_len: u32,
    pub(super) version: Version,
    pub(super) minor: u8,
    pub(super) facts: Facts,
}

pub(super) fn request(line: RequestLine, fields: Fields, config: &Config) -> Result<(RequestHead, Facts), Reason> {
    let RequestLine { method_len, target_at, target_len, version, minor, mut facts } = line;
    let strict = &config.strictness;
    let mut head =
        RequestHead { fields, method_at: 0, target_at, target_len, method_len, version, minor, framing: Framing::None };
    // An origin-form target, the common case, needs no more than its first byte.
    let kind = head.kind();
    let origin_form = head.target().first() == Some(&b'/') && kind != RequestKind::Connect;
    if !origin_form {
        match head.target_form() {
            None if !strict.allow_lax_target || kind == RequestKind::Connect => return Err(Reason::TargetForm),
            _ => {}
        }
    }
    match facts.hosts {
        // RFC 9112 §3.2: no Host in an HTTP/1.1 request, more than one, or an invalid one is answered with 400.
        0 if version == Version::Http11 && !strict.allow_missing_host => return Err(Reason::MissingHost),
        0 => {}
        1 if !facts.host_valid => return Err(Reason::InvalidHost),
        1 => {}
        _ => return Err(Reason::DuplicateHost),
    }
    let (framing, certain) = framing::of_request(&facts, version, strict)?;
    if version == Version::Http10 {
        // RFC 9110 §10.1.1, §7.8: both are of HTTP/1.1.
        facts.expectation = Expectation::None;
        facts.upgrade = false;
    }
    if !framing.has_content() && facts.expectation == Expectation::Continue {
        facts.expectation = Expectation::None;
    }
    facts.connection.close |= !certain;
    head.framing = framing;
    Ok((head, facts))
}

pub(super) fn response(
    line: StatusLine,
    fields: Fields,
    request: RequestKind,
    config: &Config,
) -> Result<(ResponseHead, Facts, bool), Reason> {
    let StatusLine { status, reason_at, reason_len, version, minor, facts } = line;
    let (framing, certain) = framing::of_response(&facts, version, status, request, &config.strictness)?;
    let head = ResponseHead { fields, reason_at, reason_len, status, version, minor, framing };
    Ok((head, facts, certain))
}
