//! The kinds of traffic that servers are asked with over sockets, and the wire of each.
//!
//! Who asks the same thing over and over lets a server profit from what it remembers of the last request; who never
//! does takes that away. So the same heads come repeated, with some values new each time, and with all of them new.

use crate::wire::{BROWSER, SIX_FIELDS};

/// How many requests [`Kind::Pipelined`] sends in one write.
pub const DEPTH: usize = 16;

/// The size of the content of [`Kind::Echo`] and [`Kind::Sink`].
pub const CONTENT: usize = 1024;

/// What a client asks, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// GET with six fields, always the same.
    Six,
    /// The same, one value of them new each time.
    SixNew,
    /// GET as a browser sends it, fifteen fields, always the same.
    Browser,
    /// The same, three values of them new each time.
    BrowserVary,
    /// The same, thirteen lines new each time, and their order another one.
    BrowserNew,
    /// [`Kind::Six`], sixteen requests in one write. One request is one of them.
    Pipelined,
    /// POST of 1 KiB, which comes back.
    Echo,
    /// POST of 1 KiB, which is read, and its length answered.
    Sink,
    /// [`Kind::Six`], a connection for each request, which the server is asked to close.
    Connections,
    /// [`Kind::Six`] over TLS, on one connection.
    Tls,
}

impl Kind {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 10] = [
        Self::Six,
        Self::SixNew,
        Self::Browser,
        Self::BrowserVary,
        Self::BrowserNew,
        Self::Pipelined,
        Self::Echo,
        Self::Sink,
        Self::Connections,
        Self::Tls,
    ];

    /// The name on the command line and in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Six => "six",
            Self::SixNew => "six-new",
            Self::Browser => "browser",
            Self::BrowserVary => "browser-vary",
            Self::BrowserNew => "browser-new",
            Self::Pipelined => "pipelined",
            Self::Echo => "echo",
            Self::Sink => "sink",
            Self::Connections => "connections",
            Self::Tls => "tls",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How many requests one write brings.
    #[must_use]
    pub const fn depth(self) -> usize {
        if matches!(self, Self::Pipelined) { DEPTH } else { 1 }
    }

    /// What the client writes for the `n`th time.
    #[must_use]
    pub fn wire(self, n: usize) -> Vec<u8> {
        match self {
            Self::Six | Self::Tls | Self::Browser => self.head().into(),
            Self::Pipelined => SIX_FIELDS.repeat(DEPTH),
            Self::SixNew => self.head().replace("7f3c9a52", &format!("{:08x}", n % (1 << 32))).into(),
            // Of the same length each time.
            Self::BrowserVary => self
                .head()
                .replace("Mode: navigate", &format!("Mode: nav{:05}", n % 100_000))
                .replace("index.html", &format!("{n:010}"))
                .replace("en;q=0.9", &format!("en;q=0.{:03}", n % 1000))
                .into(),
            Self::BrowserNew => all_new(self.head(), n).into(),
            Self::Echo => post("/echo"),
            Self::Sink => post("/sink"),
            Self::Connections => self.head().replace("keep-alive", "close").into(),
        }
    }

    const fn head(self) -> &'static str {
        let head = match self {
            Self::Browser | Self::BrowserVary | Self::BrowserNew => BROWSER,
            _ => SIX_FIELDS,
        };
        match core::str::from_utf8(head) {
            Ok(head) => head,
            Err(_) => panic!("heads are ASCII"),
        }
    }
}

/// A head whose lines, but for `Host` and `Connection`, have values that they never had before, in turned order.
fn all_new(head: &str, n: usize) -> String {
    let (start_line, fields) = head.split_once("\r\n").expect("a head has lines");
    let mut lines: Vec<String> = fields
        .trim_end()
        .split("\r\n")
        .map(|line| match line {
            _ if line.starts_with("Host:") || line.starts_with("Connection:") => line.into(),
            _ => format!("{line}{:04}", n % 10_000),
        })
        .collect();
    let turn = n % 5;
    lines.rotate_left(turn);
    format!("{start_line}\r\n{}\r\n\r\n", lines.join("\r\n"))
}

fn post(path: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: peer-load/1.0\r\nAccept: */*\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {CONTENT}\r\n\r\n"
    );
    let mut wire = head.into_bytes();
    wire.resize(wire.len() + CONTENT, b'x');
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and values.
    type Fields = Vec<(String, String)>;

    /// The fields of each request of a wire, and the content behind the last head.
    fn parsed(wire: &[u8]) -> (Vec<Fields>, &[u8]) {
        let (mut rest, mut heads) = (wire, Vec::new());
        while rest.starts_with(b"GET ") || rest.starts_with(b"POST ") {
            let mut fields = [httparse::EMPTY_HEADER; 32];
            let mut request = httparse::Request::new(&mut fields);
            let httparse::Status::Complete(length) = request.parse(rest).unwrap() else { panic!("a part of a head") };
            assert_eq!(request.version, Some(1));
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            heads.push(request.headers.iter().map(|field| (field.name.to_owned(), text(field.value))).collect());
            rest = &rest[length..];
        }
        (heads, rest)
    }

    fn value<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
        fields.iter().find(|field| field.0 == name).map(|field| &field.1[..])
    }

    #[test]
    fn each_kind_has_a_name_of_its_own() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        assert_eq!(Kind::named("none"), None);
    }

    #[test]
    fn wires_are_whole_requests_of_the_length_they_say() {
        for kind in Kind::ALL {
            let length = kind.wire(0).len();
            for n in [0, 1, 7, 999, 1000, 9999, 123_456] {
                let wire = kind.wire(n);
                let (heads, content) = parsed(&wire);
                assert_eq!(heads.len(), kind.depth(), "{}", kind.name());
                assert_eq!(wire.len(), length, "{}", kind.name());
                for head in &heads {
                    let expected = match kind {
                        Kind::Browser | Kind::BrowserVary | Kind::BrowserNew => 15,
                        Kind::Echo | Kind::Sink => 5,
                        _ => 6,
                    };
                    assert_eq!(head.len(), expected, "{}", kind.name());
                    assert_eq!(value(head, "Host"), Some("127.0.0.1:8080"));
                    let announced = value(head, "Content-Length").map_or(0, |length| length.parse().unwrap());
                    assert_eq!(announced, content.len());
                }
            }
        }
        assert_eq!(value(&parsed(&Kind::Connections.wire(0)).0[0], "Connection"), Some("close"));
        assert_eq!(parsed(&Kind::Echo.wire(0)).1.len(), CONTENT);
    }

    /// How many values a request has that none before it had, for the same name.
    fn new_values(kind: Kind) -> Vec<usize> {
        let mut seen = std::collections::BTreeSet::new();
        let count = |n| {
            let wire = kind.wire(n);
            parsed(&wire).0[0].iter().filter(|field| seen.insert((*field).clone())).count()
        };
        (0..1000).map(count).collect()
    }

    #[test]
    fn what_is_new_was_never_there_before() {
        for (kind, new) in [
            (Kind::Six, 0),
            (Kind::SixNew, 1),
            (Kind::Browser, 0),
            (Kind::BrowserVary, 3),
            (Kind::BrowserNew, 13),
            (Kind::Echo, 0),
        ] {
            let counts = new_values(kind);
            assert!(counts[1..].iter().all(|count| *count == new), "{}: {counts:?}", kind.name());
        }
    }

    #[test]
    fn the_order_of_lines_is_not_the_last_ones() {
        let names =
            |n| -> Vec<String> { parsed(&Kind::BrowserNew.wire(n)).0[0].iter().map(|field| field.0.clone()).collect() };
        for n in 0..20 {
            assert_ne!(names(n), names(n + 1));
        }
    }
}
