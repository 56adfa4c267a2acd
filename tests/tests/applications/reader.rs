//! A small reader of responses that shares nothing with the engine: head lines, framing, content, trailers.

/// What one response was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) version: String,
    pub(crate) status: u16,
    pub(crate) reason: String,
    /// Names in lower case, in the order of the lines. One character an octet.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) framing: Framing,
    pub(crate) content: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    /// Whether all of it is there.
    pub(crate) complete: bool,
}

/// How a response says where it ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    #[default]
    None,
    Length(u64),
    Chunked,
    UntilClose,
    /// What follows belongs to another protocol.
    Switched,
    /// No reader can tell.
    Broken,
}

impl Answer {
    pub(crate) const fn is_interim(&self) -> bool {
        self.status >= 100 && self.status < 200 && self.status != 101
    }

    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |field| field.0 == name).map(|field| field.1.as_str())
    }

    fn lists(&self, name: &str, word: &str) -> bool {
        self.values(name).flat_map(|value| value.split(',')).any(|member| member.trim().eq_ignore_ascii_case(word))
    }

    /// Whether the connection is said to end behind it (RFC 9112 §9.3).
    pub(crate) fn says_close(&self) -> bool {
        match self.framing {
            Framing::UntilClose | Framing::Broken | Framing::Switched => true,
            _ if self.version == "HTTP/1.1" => self.lists("connection", "close"),
            _ => !self.lists("connection", "keep-alive") || self.lists("connection", "close"),
        }
    }
}

/// The responses in `bytes` to requests with these methods, and what is left over. `ended`: nothing follows.
pub(crate) fn read<'a>(bytes: &'a [u8], methods: &[&str], ended: bool) -> (Vec<Answer>, &'a [u8]) {
    let (mut answers, mut rest, mut finals) = (Vec::new(), bytes, 0);
    while !rest.is_empty() {
        // An answer that nobody asked for is read as one to GET.
        let method = methods.get(finals).copied().unwrap_or("GET");
        let Some((answer, behind)) = one(rest, method, ended) else { break };
        finals += usize::from(!answer.is_interim());
        let complete = answer.complete;
        answers.push(answer);
        rest = behind;
        if !complete {
            break;
        }
    }
    (answers, rest)
}

fn one<'a>(bytes: &'a [u8], method: &str, ended: bool) -> Option<(Answer, &'a [u8])> {
    let mut rest = bytes;
    let first = line(&mut rest)?;
    let mut words = first.splitn(3, ' ');
    let (version, status, reason) = (words.next()?, words.next()?, words.next());
    let status = status.parse().ok().filter(|_| version.starts_with("HTTP/1."))?;
    let mut answer = Answer {
        version: version.to_owned(),
        status,
        reason: reason.unwrap_or("(no space)").to_owned(),
        fields: section(&mut rest)?,
        ..Answer::default()
    };
    answer.framing = framing(&answer, method);
    let framing = answer.framing;
    let complete = match framing {
        Framing::None => true,
        Framing::Length(length) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
            answer.content = take(&mut rest, length).to_vec();
            matches!(framing, Framing::Length(whole) if whole == length as u64)
        }
        Framing::UntilClose | Framing::Switched | Framing::Broken => {
            answer.content = std::mem::take(&mut rest).to_vec();
            ended
        }
        Framing::Chunked => chunks(&mut answer, &mut rest).is_some(),
    };
    answer.complete = complete;
    Some((answer, rest))
}

fn framing(answer: &Answer, method: &str) -> Framing {
    match (method, answer.status) {
        (_, 101) | ("CONNECT", 200..300) => return Framing::Switched,
        ("HEAD", _) | (_, 100..200 | 204 | 304) => return Framing::None,
        _ => {}
    }
    let mut lengths = answer.values("content-length");
    let coding = answer.values("transfer-encoding").flat_map(|value| value.split(',')).last();
    match (coding, lengths.next(), lengths.next()) {
        (Some(coding), ..) if coding.trim().eq_ignore_ascii_case("chunked") => Framing::Chunked,
        (Some(_), ..) => Framing::UntilClose,
        (None, None, _) => Framing::UntilClose,
        (None, Some(length), None) if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) => {
            length.parse().map_or(Framing::Broken, Framing::Length)
        }
        _ => Framing::Broken,
    }
}

/// Nothing if the content is not complete.
fn chunks(answer: &mut Answer, rest: &mut &[u8]) -> Option<()> {
    loop {
        let mut ahead = *rest;
        let size = line(&mut ahead)?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            answer.trailers = section(&mut ahead)?;
            *rest = ahead;
            return Some(());
        }
        let whole = size.min(ahead.len());
        answer.content.extend_from_slice(take(&mut ahead, whole));
        *rest = ahead;
        if whole < size || take(rest, 2) != b"\r\n" {
            return None;
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, behind) = rest.split_at(count.min(rest.len()));
    *rest = behind;
    taken
}

/// A line up to its CRLF, one character an octet.
fn line(rest: &mut &[u8]) -> Option<String> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let line = take(rest, end).iter().map(|&byte| char::from(byte)).collect();
    take(rest, 2);
    Some(line)
}

fn section(rest: &mut &[u8]) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let line = line(rest)?;
        if line.is_empty() {
            return Some(fields);
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, "(no colon)"));
        fields.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
    }
}

#[test]
fn responses_are_read_whole_and_cut() {
    let bytes =
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n\
        0\r\nt: 2\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n\
        HTTP/1.0 200 \r\n\r\nuntil the end";
    let methods = ["GET", "HEAD", "GET", "GET"];
    let (answers, rest) = read(bytes, &methods, true);
    assert!(rest.is_empty() && answers.iter().all(|answer| answer.complete));
    let framings: Vec<_> = answers.iter().map(|answer| answer.framing).collect();
    assert_eq!(framings, [Framing::None, Framing::Chunked, Framing::None, Framing::None, Framing::UntilClose]);
    assert_eq!((&answers[1].content[..], &answers[1].trailers[0].1[..]), (&b"abc"[..], "2"));
    assert!(answers[4].says_close() && answers[4].content == b"until the end" && !answers[1].says_close());
    for cut in 0..bytes.len() {
        let (answers, _) = read(&bytes[..cut], &methods, false);
        assert!(answers.iter().rev().skip(1).all(|answer| answer.complete), "cut at {cut}");
    }
    let (answers, _) = read(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", &["GET"], true);
    assert!(!answers[0].complete && answers[0].content == b"short");
    let (answers, rest) = read(b"no HTTP at all\r\n", &["GET"], true);
    assert!(answers.is_empty() && rest == b"no HTTP at all\r\n");
}
