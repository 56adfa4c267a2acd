//! Two conversations beside each other: what is not the same.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;

use flate2::read::GzDecoder;

use crate::reader::Answer;
use crate::talk::Conversation;

/// One thing that is not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Which request.
    pub(crate) row: String,
    /// Which of the answers, interim ones counted.
    pub(crate) at: usize,
    /// `answers`, `fate`, `stray`, `status`, `reason`, `version`, `framing`, `content`, `complete`, `trailers`, or the
    /// lower-case name of a field.
    pub(crate) what: String,
    pub(crate) ours: String,
    pub(crate) theirs: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, at, what, ours, theirs } = self;
        write!(f, "{row}: {what} of answer {at}: ours {ours:?}, theirs {theirs:?}")
    }
}

/// All differences between what ours and the other server answered to the same request.
pub(crate) fn compare(row: &str, ours: &Conversation, theirs: &Conversation) -> Vec<Difference> {
    let mut found = Found { row, differences: vec![] };
    found.pair(0, "answers", &statuses(ours), &statuses(theirs));
    found.pair(0, "fate", &format!("{:?}", ours.fate), &format!("{:?}", theirs.fate));
    found.pair(0, "stray", &shown(&ours.stray), &shown(&theirs.stray));
    let pairs = ours.answers.iter().zip(&theirs.answers).enumerate();
    // The parts of answers that mean different things have nothing to do with each other.
    for (at, (ours, theirs)) in pairs.filter(|(_, (ours, theirs))| ours.status == theirs.status) {
        found.answers(at, ours, theirs);
    }
    found.differences
}

struct Found<'a> {
    row: &'a str,
    differences: Vec<Difference>,
}

impl Found<'_> {
    fn pair(&mut self, at: usize, what: &str, ours: &str, theirs: &str) {
        if ours != theirs {
            let [what, ours, theirs] = [what, ours, theirs].map(str::to_owned);
            self.differences.push(Difference { row: self.row.to_owned(), at, what, ours, theirs });
        }
    }

    fn answers(&mut self, at: usize, ours: &Answer, theirs: &Answer) {
        self.pair(at, "version", &ours.version, &theirs.version);
        self.pair(at, "reason", &ours.reason, &theirs.reason);
        self.pair(at, "framing", &format!("{:?}", ours.framing), &format!("{:?}", theirs.framing));
        self.pair(at, "complete", &ours.complete.to_string(), &theirs.complete.to_string());
        // Octet by octet, of which a failure shows the first.
        let (one, other) = (content(ours), content(theirs));
        if one != other {
            self.pair(at, "content", &shown(&one), &shown(&other));
        }
        self.pair(at, "trailers", &lines(&ours.trailers), &lines(&theirs.trailers));
        let names: BTreeSet<_> = ours.fields.iter().chain(&theirs.fields).map(|field| &field.0).collect();
        for name in names {
            self.pair(at, name, &values(ours, name), &values(theirs, name));
        }
    }
}

/// The status of each answer.
fn statuses(conversation: &Conversation) -> String {
    let statuses: Vec<_> = conversation.answers.iter().map(|answer| answer.status.to_string()).collect();
    if statuses.is_empty() { "none".to_owned() } else { statuses.join(" ") }
}

fn lines(fields: &[(String, String)]) -> String {
    let mut lines: Vec<_> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    lines.sort();
    lines.join("; ")
}

/// The content; where it is compressed, what it was before: how that is cut into blocks hangs on when it was there.
fn content(answer: &Answer) -> Cow<'_, [u8]> {
    let mut plain = Vec::new();
    let gzip = answer.complete && !answer.content.is_empty() && answer.values("content-encoding").eq(["gzip"]);
    if gzip && GzDecoder::new(&answer.content[..]).read_to_end(&mut plain).is_ok() {
        return Cow::Owned(plain);
    }
    Cow::Borrowed(&answer.content)
}

/// The values of a field's lines, in order. The date is the server's, unless the application has set it.
fn values(answer: &Answer, name: &str) -> String {
    if name == "connection" {
        // A list means the same on one line and on several (RFC 9110 §5.3).
        let members: Vec<_> =
            answer.values(name).flat_map(|value| value.split(',')).map(|member| member.trim().to_lowercase()).collect();
        let members: Vec<_> = members.into_iter().filter(|member| !member.is_empty()).collect();
        return if members.is_empty() { "(absent)".to_owned() } else { members.join(", ") };
    }
    let value = |value: &str| match name {
        "date" if is_now(value) => "(now)".to_owned(),
        _ if value.len() > 100 => shown(value.as_bytes()),
        _ => value.to_owned(),
    };
    let values: Vec<_> = answer.values(name).map(value).collect();
    if values.is_empty() { "(absent)".to_owned() } else { values.join(" | ") }
}

/// Whether a value has the form of RFC 9110 §5.6.7, and is not one that an application here sets.
fn is_now(value: &str) -> bool {
    let form = "Www, 00 Www 0000 00:00:00 GMT";
    let fits = |(byte, form): (u8, u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'W' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_lowercase(),
        form => byte == form,
    };
    value.len() == form.len() && value.bytes().zip(form.bytes()).all(fits) && !value.contains(" 1999 ")
}

fn shown(bytes: &[u8]) -> String {
    let start = bytes[..bytes.len().min(120)].escape_ascii();
    let sum = bytes.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    if bytes.len() > 120 { format!("{start}… ({} octets, {sum:08x})", bytes.len()) } else { start.to_string() }
}
