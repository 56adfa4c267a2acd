//! The same bytes to the core and to hyper: what both take they must read alike, and where one refuses there must be an
//! agreed reason. The list of these is `tests/fuzz-differences.md`; here it is code.

mod hyper;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::hyper::{HeaderMap, Method, Uri};
use http_core::{Config, End, ErrorKind, Reason};

use self::hyper::Told;
use crate::cut::Cut;
use crate::read::{self, Message, Reading, Start};
use crate::source::Source;

/// Rules that hyper does not have: each is a row of the list.
const STRICTER: &[Reason] = &[
    Reason::BareLf,
    Reason::EmptyLines,
    Reason::MissingHost,
    Reason::DuplicateHost,
    Reason::InvalidHost,
    Reason::Target,
    Reason::TargetForm,
    Reason::ContentLength,
    Reason::ContentLengthList,
    Reason::TransferEncoding,
    Reason::TransferCodingUnknown,
    Reason::TransferEncodingWithLength,
    Reason::ChunkSize,
    Reason::ChunkExtension,
    Reason::TargetTooLong,
    Reason::FieldLineTooLong,
    Reason::HeadTooLong,
    Reason::TooManyFields,
    Reason::TooManyInterim,
    Reason::TrailersTooLong,
    Reason::ChunkLineTooLong,
    Reason::ChunkExtensionsTooLong,
    Reason::UnexpectedSwitch,
];

/// A server.
///
/// # Panics
/// If the two differ, and not in an agreed way.
pub fn differential_server(bytes: &[u8]) {
    let ours = read::as_server(&Arc::new(Config::default()), bytes, &Cut::Whole, Some(End::Clean));
    let theirs = hyper::as_server(bytes);
    let differ = |why: &str| -> ! {
        panic!("{why}\n{}\n{ours:?}\n{:?}\n{:?}", bytes.escape_ascii(), theirs.messages, theirs.error);
    };
    // The core answers an unknown expectation with 417 and tells nobody.
    let mut told = theirs.messages.iter().filter(|told| !is_expecting_more(told));
    for message in &ours.messages {
        match told.next() {
            Some(told) if alike(message, told) => {}
            Some(_) => differ("a request is read differently"),
            None if is_refused_by_hyper(message) => return,
            // What hyper refused may be what the core answered with 417, which nobody was told of.
            None if theirs.error.is_some() && ours.answers.iter().any(|answer| answer.status == 417) => return,
            None => differ("hyper does not take a request"),
        }
        if is_last(message) {
            return;
        }
    }
    // Where content was announced, that answer is the last one.
    let ended = ours.answers.last().is_some_and(|answer| answer.status == 417 && answer.says_close());
    if !ended && told.next().is_some_and(|told| !is_stricter(&ours, told)) {
        differ("hyper takes a request that the core does not");
    }
}

/// A client, whose first final response counts.
///
/// # Panics
/// If the two differ, and not in an agreed way.
pub fn differential_client(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let method = source.pick(&[Method::GET, Method::HEAD, Method::POST, Method::CONNECT]);
    let bytes = source.rest();
    let config = Arc::new(Config::default());
    let ours = read::as_client(&config, &[method.as_str()], None, bytes, &Cut::Whole, Some(End::Clean));
    let theirs = hyper::as_client(&method, bytes);
    let differ = |why: &str| -> ! {
        panic!("{why}\n{method} {}\n{ours:?}\n{:?}\n{:?}", bytes.escape_ascii(), theirs.messages, theirs.error);
    };
    match (final_response(&ours), theirs.messages.first()) {
        (Some(message), Some(told)) if alike(message, told) => {}
        // hyper reads such a response up to the end of the connection.
        (_, Some(told)) if ends_in_nothing(told) => {}
        (Some(_), Some(_)) => differ("a response is read differently"),
        (Some(_), None) if ours.messages.iter().any(is_refused_by_hyper) || is_folded(bytes) => {}
        (Some(_), None) => differ("hyper does not take a response"),
        (None, Some(told)) if is_stricter(&ours, told) => {}
        // hyper does not look at the framing of a response that has no content.
        (None, Some(told)) if is_bare(told, &method) && is_framing(&ours) => {}
        (None, Some(_)) if is_empty_line(&ours, bytes) => {}
        (None, Some(_)) => differ("hyper takes a response that the core does not"),
        (None, None) => {}
    }
}

fn final_response(reading: &Reading) -> Option<&Message> {
    reading.messages.iter().find(|message| matches!(message.start, Start::Response { status, .. } if status >= 200))
}

/// A field line of a response may be folded (RFC 9112 §5.2); hyper refuses that.
fn is_folded(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| matches!(pair, b"\n " | b"\n\t"))
}

/// Only a server skips empty lines before a message (RFC 9112 §2.2); hyper's client does, too.
fn is_empty_line(reading: &Reading, bytes: &[u8]) -> bool {
    let Some((Reason::VersionSyntax, offset)) = reading.error else { return false };
    usize::try_from(offset).is_ok_and(|at| matches!(bytes.get(at), Some(b'\r' | b'\n')))
}

/// Whether the list of codings ends with an empty member, which does not count (RFC 9110 §5.6.1.2).
fn ends_in_nothing(told: &Told) -> bool {
    let last = told.fields.get_all("transfer-encoding").iter().next_back();
    last.is_some_and(|value| value.as_bytes().trim_ascii_end().last().is_none_or(|&b| b == b','))
}

fn is_bare(told: &Told, method: &Method) -> bool {
    matches!(told.status, Some(204 | 304)) || method == Method::HEAD || method == Method::CONNECT
}

/// Whether the core has a rule that hyper does not have. Where there is `Transfer-Encoding` hyper does not look at
/// lengths at all.
fn is_stricter(ours: &Reading, told: &Told) -> bool {
    let coded = told.fields.contains_key("transfer-encoding") && is_framing(ours);
    coded || ours.error.is_some_and(|(reason, _)| STRICTER.contains(&reason))
}

fn is_framing(reading: &Reading) -> bool {
    reading.error.is_some_and(|(reason, _)| reason.kind() == ErrorKind::Framing)
}

/// Same control data, fields, content and trailers.
fn alike(ours: &Message, theirs: &Told) -> bool {
    let start = match (&ours.start, &theirs.line, theirs.status) {
        (Start::Request { method, target }, Some((their_method, uri)), _) => {
            method == their_method.as_str() && same_target(target, uri)
        }
        (Start::Response { status, .. }, _, Some(theirs)) => *status == theirs,
        _ => false,
    };
    let minor = if ours.version == "1.0" { 0 } else { 1 };
    // A trailer section with a field that may not stand there is dropped; hyper delivers it.
    let trailers = ours.trailers.is_empty() || by_name(&ours.trailers) == fields(&theirs.trailers);
    start
        && minor == theirs.minor
        && by_name(&ours.fields) == fields(&theirs.fields)
        && ours.content == theirs.content
        && trailers
}

/// hyper keeps the parts of a target, and not how it was written.
fn same_target(ours: &str, theirs: &Uri) -> bool {
    ours.parse::<Uri>().is_ok_and(|uri| uri == *theirs)
}

type Fields = BTreeMap<String, Vec<Vec<u8>>>;

fn by_name(pairs: &[(String, String)]) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in pairs {
        let value = value.chars().map(|c| c as u8).collect();
        fields.entry(name.to_ascii_lowercase()).or_default().push(value);
    }
    fields
}

fn fields(map: &HeaderMap) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in map {
        fields.entry(name.as_str().to_owned()).or_default().push(value.as_bytes().to_vec());
    }
    fields
}

fn values<'a>(message: &'a Message, name: &'a str) -> impl Iterator<Item = &'a str> {
    message.fields.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// A request after which hyper reads nothing more, or the core does not.
fn is_last(message: &Message) -> bool {
    let connect = matches!(&message.start, Start::Request { method, .. } if method == "CONNECT");
    // hyper does not read a `Connection` that is not ASCII.
    connect || values(message, "connection").any(|value| !value.is_ascii())
}

fn is_expecting_more(told: &Told) -> bool {
    let values = told.fields.get_all("expect").iter().flat_map(|value| value.as_bytes().split(|&b| b == b','));
    let mut members = values.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty());
    told.minor == 1 && members.any(|member| !member.eq_ignore_ascii_case(b"100-continue"))
}

/// What hyper refuses, and the core need not.
fn is_refused_by_hyper(message: &Message) -> bool {
    let target = match &message.start {
        Start::Request { target, .. } => target.parse::<Uri>().is_err(),
        Start::Response { .. } => false,
    };
    let coding = values(message, "transfer-encoding").last();
    // An empty member at the end of the list.
    let list = coding.is_some_and(|value| value.trim_end().is_empty() || value.trim_end().ends_with(','));
    // The same for a length, which the core takes in a response if all members are one number.
    let lengths = values(message, "content-length").any(|value| value.contains(','));
    target || list || lengths || message.fields.len() > 100 || !matches!(&message.version[..], "1.0" | "1.1")
}
