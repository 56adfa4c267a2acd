//! Reads what a server machine sent: a reader that shares no code with the core, and trusts it in nothing.

/// One response as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Field lines in order; names in lower case.
    pub fields: Vec<(String, String)>,
    /// The content.
    pub content: Vec<u8>,
    /// The trailer section; names in lower case.
    pub trailers: Vec<(String, String)>,
    /// Whether all of it was there.
    pub complete: bool,
}

impl Answer {
    /// Whether the response is an interim one.
    #[must_use]
    pub const fn is_interim(&self) -> bool {
        self.status < 200 && self.status != 101
    }

    /// The value of the first field with this name, which is given in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether it says `Connection: close`.
    #[must_use]
    pub fn says_close(&self) -> bool {
        self.fields.iter().any(|(n, v)| n == "connection" && v.split(',').any(|o| o.trim() == "close"))
    }
}

/// Reads all responses in `wire`, the answers to requests with these methods; `ended` is whether the stream ended.
/// A request that is answered with 417 is not among them: the machine refuses it by itself.
///
/// # Panics
/// If the bytes are not what a sender may send: a malformed head, two kinds of framing, octets without a response.
#[must_use]
pub fn read(wire: &[u8], methods: &[impl AsRef<str>], ended: bool) -> Vec<Answer> {
    let mut rest = wire;
    let mut answers: Vec<Answer> = Vec::new();
    while !rest.is_empty() {
        let finals = answers.iter().filter(|a| !a.is_interim() && a.status != 417).count();
        let method = methods.get(finals).map_or("GET", AsRef::as_ref);
        let Some((answer, after)) = read_one(rest, method, ended) else { break };
        let over = answer.status == 101 || method == "CONNECT" && (200..300).contains(&answer.status);
        answers.push(answer);
        if over {
            break;
        }
        rest = after;
    }
    answers
}

fn read_one<'a>(wire: &'a [u8], method: &str, ended: bool) -> Option<(Answer, &'a [u8])> {
    let (head, mut rest) = split(wire, b"\r\n\r\n")?;
    let head = String::from_utf8(head.to_vec()).expect("a head that the engine made is ASCII");
    let mut lines = head.split("\r\n");
    let status_line = lines.next().expect("split yields one part at least");
    let status = status_line.strip_prefix("HTTP/1.1 ").and_then(|s| s.get(..3)).and_then(|s| s.parse().ok());
    let status: u16 = status.unwrap_or_else(|| panic!("no status-line: {status_line:?}"));
    let fields: Vec<_> = lines.map(field).collect();
    let one = |name: &str| {
        let values: Vec<_> = fields.iter().filter(|(n, _)| n == name).collect();
        assert!(values.len() <= 1, "{name} twice in {head:?}");
        values.first().map(|(_, v)| v.clone())
    };
    let (length, coding) = (one("content-length"), one("transfer-encoding"));
    assert!(length.is_none() || coding.is_none(), "two kinds of framing in {head:?}");
    let mut answer = Answer { status, fields: fields.clone(), content: vec![], trailers: vec![], complete: true };
    // A 417 without a length is the machine's own to a `HEAD` that nobody was told of.
    let unframed = status == 417 && length.is_none() && coding.is_none();
    let none = method == "HEAD" || status < 200 || status == 204 || status == 304 || unframed;
    if none || method == "CONNECT" && (200..300).contains(&status) {
        if method != "HEAD" && status != 304 {
            assert!(length.is_none() && coding.is_none(), "framing fields where none may be: {head:?}");
        }
    } else if let Some(coding) = coding {
        assert_eq!(coding, "chunked");
        loop {
            let Some((size, after)) = split(rest, b"\r\n") else {
                answer.complete = false;
                rest = b"";
                break;
            };
            let size = core::str::from_utf8(size).ok().and_then(|s| usize::from_str_radix(s, 16).ok());
            let size = size.unwrap_or_else(|| panic!("no chunk size: {:?}", rest.escape_ascii().to_string()));
            if size == 0 {
                let (section, after) = match after.strip_prefix(b"\r\n") {
                    Some(after) => (&b""[..], after),
                    None => split(after, b"\r\n\r\n").unwrap_or_else(|| {
                        answer.complete = false;
                        (b"", b"")
                    }),
                };
                let section = String::from_utf8(section.to_vec()).expect("trailers are ASCII");
                answer.trailers = section.split("\r\n").filter(|l| !l.is_empty()).map(field).collect();
                rest = after;
                break;
            }
            if after.len() < size + 2 {
                answer.content.extend_from_slice(&after[..size.min(after.len())]);
                answer.complete = false;
                rest = b"";
                break;
            }
            answer.content.extend_from_slice(&after[..size]);
            assert_eq!(&after[size..size + 2], b"\r\n", "chunk data without an end");
            rest = &after[size + 2..];
        }
    } else if let Some(length) = length {
        let length: usize = length.parse().expect("Content-Length is a number");
        let here = length.min(rest.len());
        answer.content = rest[..here].to_vec();
        answer.complete = here == length;
        rest = &rest[here..];
    } else {
        answer.content = rest.to_vec();
        answer.complete = ended;
        rest = b"";
    }
    Some((answer, rest))
}

fn field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no field line: {line:?}"));
    (name.to_ascii_lowercase(), value.to_owned())
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let index = bytes.windows(at.len()).position(|w| w == at)?;
    Some((&bytes[..index], &bytes[index + at.len()..]))
}
