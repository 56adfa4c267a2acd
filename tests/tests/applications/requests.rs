//! The requests, as bytes: one a character, up to `\u{ff}`.

use crate::odd;
use crate::talk::Step;

/// One client's part.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
    /// What its requests ask, so that answers can be read.
    pub(crate) methods: Vec<&'static str>,
}

impl Row {
    /// Whether it asks for another protocol behind its requests.
    pub(crate) fn has_other_protocol(&self) -> bool {
        self.name.starts_with("ws") || self.name.starts_with("tunnel")
    }

    /// Whether its first request is of HTTP/1.0.
    pub(crate) fn is_old(&self) -> bool {
        let Some(Step::Send(bytes) | Step::Pieces(bytes, _)) = self.steps.first() else { return false };
        bytes.split(|byte| *byte == b'\r').next().is_some_and(|line| line.ends_with(b" HTTP/1.0"))
    }

    /// The path of the first request, if it has a plain one.
    pub(crate) fn path(&self) -> Option<&str> {
        let (Step::Send(bytes) | Step::Pieces(bytes, _)) = self.steps.first()? else { return None };
        let line = bytes.trim_ascii_start().split(|byte| *byte == b'\r').next()?;
        std::str::from_utf8(line).ok()?.split(' ').nth(1)
    }
}

/// How bytes are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    /// At once.
    Whole,
    /// In pieces of that length.
    Pieces(usize),
    /// At once, and the client ends its side.
    HalfClosed,
    /// Several requests at once, of these methods.
    Pipelined(&'static [&'static str]),
    /// The head, and the content when there was an answer of any kind.
    AfterHead,
    /// Up to these octets of the answer, which has no end.
    Until(&'static str),
    /// At once, and the client ends its side when it is answered.
    ThenHalfClosed,
    /// The first request, and the others when it is answered.
    OneByOne(&'static [&'static str]),
}

use How::{AfterHead, HalfClosed, OneByOne, Pieces, Pipelined, ThenHalfClosed, Until, Whole};

/// All of them.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows: Vec<_> = TABLE.iter().map(|(name, how, bytes)| row((*name).to_owned(), *how, bytes)).collect();
    for name in odd::NAMES {
        for (prefix, method, path, version, fields) in ODD {
            let bytes = format!("{method} {path}{name} HTTP/{version}\r\nHost: a\r\n{fields}\r\n");
            rows.push(row(format!("{prefix}/{name}"), Whole, &bytes));
        }
    }
    for name in odd::NAMES {
        let odd = format!("GET /odd/{name} HTTP/1.1\r\nHost: a\r\n\r\n");
        let plain = "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n";
        // Whether what was answered before it arrives, and what becomes of the request behind it.
        rows.push(row(format!("odd-second/{name}"), Pipelined(&["GET", "GET"]), &format!("{plain}{odd}")));
        rows.push(row(format!("odd-first/{name}"), Pipelined(&["GET", "GET"]), &format!("{odd}{plain}")));
        let post = format!("POST /odd/{name} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
        rows.push(row(format!("odd-post/{name}"), Whole, &post));
    }
    for name in FAILING {
        let head = format!("POST /odd/{name} HTTP/1.1\r\nHost: a\r\n");
        let length = format!("{head}Content-Length: 10\r\n\r\nhello");
        let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        rows.push(row(format!("odd-open/{name}"), Whole, &length));
        rows.push(row(format!("odd-open-chunked/{name}"), Whole, &chunked));
        let old = format!("POST /odd/{name} HTTP/1.0\r\nContent-Length: 10\r\n\r\nhello");
        rows.push(row(format!("odd-open-1.0/{name}"), Whole, &old));
    }
    rows.extend(large());
    rows.extend(dialogues());
    rows
}

/// Those behind which the connection ends, whether or not content is still to come that nobody sends.
#[rustfmt::skip]
const FAILING: &[&str] = &[
    "fail-at-once", "fail-at-once-sized", "fail-midway", "fail-midway-sized", "hint-longer", "length-longer",
    "length-twice-differs", "body-panics-at-once", "body-panics-midway", "connection-close",
];

/// How each of the odd answers is asked for.
const ODD: &[(&str, &str, &str, &str, &str)] = &[
    ("odd", "GET", "/odd/", "1.1", ""),
    ("odd-head", "HEAD", "/odd/", "1.1", ""),
    ("odd-1.0", "GET", "/odd/", "1.0", ""),
    ("odd-1.0-kept", "GET", "/odd/", "1.0", "Connection: keep-alive\r\n"),
    ("odd-close", "GET", "/odd/", "1.1", "Connection: close\r\nTE: trailers\r\n"),
    ("odd-layered", "GET", "/layered/odd/", "1.1", "Accept-Encoding: gzip\r\nOrigin: http://b.example\r\n"),
];

/// One client's part, by how it sends these bytes.
pub(crate) fn row(name: String, how: How, bytes: &str) -> Row {
    let octets = |text: &str| text.chars().map(|c| u8::try_from(c).expect("an octet")).collect::<Vec<_>>();
    let all = || octets(bytes);
    let word = bytes.split(' ').next().unwrap_or_default();
    let method = ["HEAD", "CONNECT", "POST"].into_iter().find(|method| *method == word).unwrap_or("GET");
    let mut methods = vec![method];
    let steps = match how {
        Whole => vec![Step::Send(all())],
        Pieces(size) => vec![Step::Pieces(all(), size)],
        HalfClosed => vec![Step::Send(all()), Step::HalfClose],
        ThenHalfClosed => vec![Step::Send(all()), Step::Finals(1), Step::HalfClose],
        Pipelined(asked) => {
            methods = asked.to_vec();
            vec![Step::Send(all())]
        }
        AfterHead => {
            let (head, content) = bytes.split_once("\r\n\r\n").expect("a head");
            let head = format!("{head}\r\n\r\n");
            vec![Step::Send(octets(&head)), Step::Something, Step::Send(octets(content))]
        }
        Until(shown) => vec![Step::Send(all()), Step::Octets(shown.as_bytes())],
        OneByOne(asked) => {
            methods = asked.to_vec();
            let requests = bytes.split_inclusive("\r\n\r\n").enumerate();
            requests.flat_map(|(at, bytes)| [Step::Send(octets(bytes)), Step::Finals(at + 1)]).collect()
        }
    };
    Row { name, steps, methods }
}

/// Those where a client goes by what it has read already.
fn dialogues() -> Vec<Row> {
    let send = |bytes: &str| Step::Send(bytes.as_bytes().to_vec());
    let chunked = |path: &str| send(&format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
    let length = |path: &str| send(&format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"));
    let tunnel = || send("CONNECT echo.example:1 HTTP/1.1\r\nHost: echo.example:1\r\n\r\n");
    let frame = || Step::Send(b"\x81\x85\0\0\0\0hello".to_vec());
    let end = || Step::Send(b"\x88\x80\0\0\0\0".to_vec());
    let row = |name: &str, method, steps| Row { name: name.to_owned(), steps, methods: vec![method] };
    vec![
        row(
            "dialogue-chunked",
            "POST",
            vec![
                chunked("/stream"),
                send("5\r\nfirst\r\n"),
                Step::Heard(b"first"),
                send("6\r\nsecond\r\n"),
                Step::Heard(b"second"),
                send("0\r\n\r\n"),
            ],
        ),
        row("dialogue-length", "POST", vec![length("/stream"), send("first"), Step::Heard(b"first"), send("other")]),
        row("dialogue-pass", "POST", vec![length("/pass"), send("first"), Step::Heard(b"first"), send("other")]),
        row("dialogue-cut", "POST", vec![length("/pass"), send("first"), Step::Heard(b"first"), Step::HalfClose]),
        row("dialogue-answered-between", "POST", vec![length("/first"), send("hello"), Step::Finals(1), send("world")]),
        row(
            "dialogue-broken",
            "POST",
            vec![chunked("/pass"), send("5\r\nfirst\r\n"), Step::Heard(b"first"), send("x\r\n")],
        ),
        // The content is held by a task when the answer is out, and the next request asks what became of it.
        Row {
            methods: vec!["POST", "GET"],
            ..row(
                "handed-on",
                "POST",
                vec![
                    length("/hand-on"),
                    send("first"),
                    Step::Finals(1),
                    send("other"),
                    send("GET /handed-on HTTP/1.1\r\nHost: a\r\n\r\n"),
                ],
            )
        },
        row("tunnel", "CONNECT", vec![tunnel(), Step::Something, frame(), Step::Heard(b"hello"), end()]),
        row(
            "tunnel-at-once",
            "CONNECT",
            vec![Step::Send(
                b"CONNECT echo.example:1 HTTP/1.1\r\nHost: echo.example:1\r\n\r\n\x81\x85\0\0\0\0hello\x88\x80\0\0\0\0"
                    .to_vec(),
            )],
        ),
        row("tunnel-half-closed", "CONNECT", vec![tunnel(), Step::Something, frame(), Step::HalfClose]),
        row(
            "tunnel-1.0",
            "CONNECT",
            vec![send("CONNECT echo.example:1 HTTP/1.0\r\n\r\n"), Step::Something, frame(), end()],
        ),
    ]
}

/// Those that are too long to be written down.
fn large() -> Vec<Row> {
    let post = |path: &str, length: usize| {
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length))
    };
    let chunked = |path: &str, count: usize| {
        let chunks = "5\r\nhello\r\n".repeat(count);
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
    };
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let long = "l".repeat(7000);
    [
        ("echo-100k", post("/echo", 100_000)),
        ("stream-100k", post("/stream", 100_000)),
        ("pass-100k", post("/pass", 100_000)),
        ("later-100k", post("/later", 100_000)),
        ("sink-1m", post("/sink", 1_000_000)),
        ("sink-chunked-100k", chunked("/sink", 20_000)),
        ("stream-chunked-50k", chunked("/stream", 10_000)),
        ("layered-stream-50k", post("/layered/stream", 50_000)),
        ("layered-stream-100k", post("/layered/stream", 100_000)),
        ("echo-above-limit", post("/echo", 2_100_000)),
        ("limited-chunked", chunked("/limited", 100)),
        ("early-100k", post("/early", 100_000)),
        ("early-close-100k", post("/early-close", 100_000)),
        ("early-close-2m", post("/early-close", 2_000_000)),
        ("early-413-3m", post("/early-413", 3_000_000)),
        ("early-413-chunked-1m", chunked("/early-413", 100_000)),
        ("no-content-100k", post("/no-content", 100_000)),
        ("first-100k", post("/first", 100_000)),
        ("panic-100k", post("/panic", 100_000)),
        ("fault-100k", post("/fault", 100_000)),
        ("timeout-100k", post("/timeout", 100_000)),
        ("middleware-above-limit", post("/middleware", 2000)),
        ("bytes-1m", get("/bytes/1000000")),
        ("chunked-300k", get("/chunked/300000")),
        ("target-long", get(&format!("/file/{long}"))),
        ("query-long", get(&format!("/search?q={long}"))),
        ("field-long", format!("GET /headers HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n")),
        ("fields-many", format!("GET /headers HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: 1\r\n".repeat(90))),
        ("pipelined-40", get("/plain").repeat(40)),
        ("pipelined-40-echoes", post("/echo", 500).repeat(40)),
        ("pipelined-40-unread", post("/early", 500).repeat(40)),
    ]
    .into_iter()
    .map(|(name, bytes)| {
        let mut row = row(name.to_owned(), Whole, &bytes);
        if name.starts_with("pipelined-40") {
            row.methods = vec!["POST"; 40];
        }
        row
    })
    .collect()
}

#[rustfmt::skip]
const TABLE: &[(&str, How, &str)] = &[
    // Plain ones, and how they are cut.
    ("plain", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("plain-bytewise", Pieces(1), "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("plain-pieces", Pieces(7), "GET /plain HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"),
    ("plain-half-closed", HalfClosed, "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("plain-close", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    ("plain-close-upper", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: CLOSE\r\n\r\n"),
    ("plain-close-listed", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n"),
    ("plain-keep-alive", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"),
    ("plain-close-and-keep-alive", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n"),
    ("plain-1.0-kept-upper", Whole, "GET /plain HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n"),
    ("plain-1.0-proxy-connection", Whole, "GET /plain HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n"),
    ("plain-te", Whole, "GET /chunked/5 HTTP/1.1\r\nHost: a\r\nTE: trailers, deflate;q=0.5\r\n\r\n"),
    ("plain-1.0", Whole, "GET /plain HTTP/1.0\r\n\r\n"),
    ("plain-1.0-host", Whole, "GET /plain HTTP/1.0\r\nHost: a\r\n\r\n"),
    ("plain-1.0-kept", Whole, "GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    ("plain-1.0-close", Whole, "GET /plain HTTP/1.0\r\nConnection: close\r\n\r\n"),
    ("plain-1.0-half-closed", HalfClosed, "GET /plain HTTP/1.0\r\n\r\n"),
    ("plain-empty-lines", Whole, "\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("html", Whole, "GET /html HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("unit", Whole, "GET /unit HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("redirect", Whole, "GET /redirect HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("head", Whole, "HEAD /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("head-1.0", Whole, "HEAD /plain HTTP/1.0\r\n\r\n"),
    ("head-1.0-kept", Whole, "HEAD /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    ("head-streamed", Whole, "HEAD /chunked/5 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("head-missing", Whole, "HEAD /missing HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("head-any", Whole, "HEAD /early HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("head-events", Whole, "HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("head-half-closed", HalfClosed, "HEAD /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    // Routing.
    ("missing", Whole, "GET /missing HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("method-not-allowed", Whole, "DELETE /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("method-unknown", Whole, "BREW /request HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("method-unknown-not-allowed", Whole, "BREW /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("method-lower", Whole, "get /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("method-trace", Whole, "TRACE /request HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("method-long", Whole, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJ /request HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("options", Whole, "OPTIONS /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("options-any", Whole, "OPTIONS /request HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("options-asterisk", Whole, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("get-asterisk", Whole, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("absolute", Whole, "GET http://b.example/request?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("absolute-same-host", Whole, "GET http://a/plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("absolute-no-path", Whole, "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("absolute-query-only", Whole, "GET http://a?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("absolute-port", Whole, "GET http://a:8080/request HTTP/1.1\r\nHost: a:8080\r\n\r\n"),
    ("absolute-https", Whole, "GET https://a/request HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("absolute-1.0", Whole, "GET http://a/request HTTP/1.0\r\n\r\n"),
    ("absolute-options", Whole, "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("connect", Whole, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"),
    ("connect-followed", Pipelined(&["CONNECT", "GET"]), "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("connect-path", Whole, "CONNECT /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("encoded", Whole, "GET /file/a%20b/%C3%A9%2Fc HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("encoded-not-utf8", Whole, "GET /file/%FF HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("encoded-badly", Whole, "GET /file/%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("encoded-cut", Whole, "GET /file/a% HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("dots", Whole, "GET /file/../x/./y//z HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("target-as-browsers", Whole, "GET /search?q=a[]{}|^`\\ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("target-path-as-browsers", Whole, "GET /file/a[1]|^b HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("target-fragment", Whole, "GET /request#f HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("target-quote", Whole, "GET /request?\"x\" HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("target-angle", Whole, "GET /request?<x> HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("target-utf8", Whole, "GET /file/\u{c3}\u{a9} HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("target-double-slash", Whole, "GET //plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("target-query-empty", Whole, "GET /request? HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("target-no-slash", Whole, "GET plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("host-other", Whole, "GET /request HTTP/1.1\r\nHost: b.example:81\r\n\r\n"),
    ("host-ipv6", Whole, "GET /request HTTP/1.1\r\nHost: [::1]:81\r\n\r\n"),
    ("host-empty", Whole, "GET /request HTTP/1.1\r\nHost:\r\n\r\n"),
    // Extractors, with good and with bad input.
    ("state", Whole, "GET /state HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("peer", Whole, "GET /peer HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("path", Whole, "GET /price/tea HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("path-fault", Whole, "GET /price/gold HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("path-number", Whole, "GET /number/41 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("path-no-number", Whole, "GET /number/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("query", Whole, "GET /search?q=a+b%20c&page=2 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("query-lacking", Whole, "GET /search HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("query-bad", Whole, "GET /search?q=a&page=x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("json", Whole, "POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{\"item\":\"tea\", \"count\": 41}"),
    ("json-chunked", Whole, "POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"item\r\n15\r\n\":\"tea\", \"count\": 41}\r\n0\r\n\r\n"),
    ("json-bytewise", Pieces(1), "POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{\"item\":\"tea\", \"count\": 41}"),
    ("json-type", Whole, "POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"),
    ("json-syntax", Whole, "POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{\"it}"),
    ("json-data", Whole, "POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"item\":1}"),
    ("json-none", Whole, "POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\r\n"),
    ("json-rejected", Whole, "POST /json-rejected HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"),
    ("json-cut", HalfClosed, "POST /json-rejected HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{\"item\":"),
    ("form", Whole, "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 17\r\n\r\nitem=a+b&count=03"),
    ("form-bad", Whole, "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n\r\nitem=a"),
    ("form-type", Whole, "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nitem=a"),
    ("form-get", Whole, "GET /form?q=x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("multipart", Whole, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 133\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\nhello\r\n--b--\r\n"),
    ("multipart-chunked", Whole, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n31\r\n--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\nc\r\nabc\r\n--b--\r\n\r\n0\r\n\r\n"),
    ("multipart-cut", Whole, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 20\r\n\r\n--b\r\nContent-Disposi"),
    ("multipart-no-boundary", Whole, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data\r\nContent-Length: 2\r\n\r\nxx"),
    ("multipart-type", Whole, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxx"),
    ("text", Whole, "POST /text HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("text-not-utf8", Whole, "POST /text HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\u{80}\r\n0\r\n\r\n"),
    ("headers", Whole, "GET /headers HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a:  2 \r\nX-B:\t3\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n"),
    ("headers-latin1", Whole, "GET /headers HTTP/1.1\r\nHost: a\r\nX-A: caf\u{e9}\r\n\r\n"),
    ("headers-of-the-connection", Whole, "GET /headers HTTP/1.1\r\nHost: a\r\nConnection: x-a, keep-alive\r\nX-A: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: x\r\n\r\n"),
    ("headers-of-content", Whole, "GET /headers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\nContent-Type: x/y\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("headers-expect", Whole, "GET /headers HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello"),
    ("hint-none", Whole, "GET /hint HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("hint-none-post", Whole, "POST /hint HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("hint-length-0", Whole, "POST /hint HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
    ("hint-length-5", Whole, "POST /hint HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("hint-chunked", Whole, "POST /hint HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("hint-chunked-empty", Whole, "POST /hint HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("hint-1.0", Whole, "POST /hint HTTP/1.0\r\n\r\n"),
    ("hint-after-some", Whole, "POST /hint-after HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("hint-after-all-chunks", Whole, "POST /hint-after HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("headers-empty-value", Whole, "GET /headers HTTP/1.1\r\nHost: a\r\nX-A:\r\nX-B: \r\n\r\n"),
    // Contents.
    ("echo", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("echo-bytewise", Pieces(1), "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("echo-empty", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
    ("echo-no-length", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("echo-1.0", Whole, "POST /echo HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"),
    ("echo-1.0-kept", Whole, "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"),
    ("echo-1.0-no-length", HalfClosed, "POST /echo HTTP/1.0\r\n\r\nhello"),
    ("echo-1.0-chunked", Whole, "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("echo-half-closed", HalfClosed, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("echo-cut", HalfClosed, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello"),
    ("echo-chunked", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("echo-chunked-bytewise", Pieces(1), "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("echo-chunked-extensions", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n"),
    ("echo-chunked-zeros", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0005\r\nhello\r\n000\r\n\r\n"),
    ("echo-chunked-upper", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\nA\r\nhellohello\r\n0\r\n\r\n"),
    ("echo-chunked-trailers", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n"),
    ("echo-chunked-empty", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("echo-chunked-cut", HalfClosed, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
    ("echo-chunked-no-end", HalfClosed, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
    ("echo-limit", Whole, "POST /echo-small HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n0123456789abcdef"),
    ("echo-above", Whole, "POST /echo-small HTTP/1.1\r\nHost: a\r\nContent-Length: 17\r\n\r\n0123456789abcdefg"),
    ("echo-above-chunked", Whole, "POST /echo-small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n1\r\ng\r\n0\r\n\r\n"),
    ("get-with-content", Whole, "GET /request HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("get-sink", Whole, "GET /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("head-sink", Whole, "HEAD /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("stream", Whole, "POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("stream-chunked", Whole, "POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("stream-bytewise", Pieces(1), "POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("stream-empty", Whole, "POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
    ("stream-1.0", Whole, "POST /stream HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"),
    ("stream-1.0-kept", Whole, "POST /stream HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"),
    ("stream-cut", HalfClosed, "POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello"),
    ("stream-chunked-bad", Whole, "POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n"),
    ("pass", Whole, "POST /pass HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("pass-chunked", Whole, "POST /pass HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("pass-trailers", Whole, "POST /pass HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n"),
    ("sink", Whole, "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("sink-bad-chunk", Whole, "POST /sink HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n"),
    ("sink-cut", HalfClosed, "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello"),
    ("sink-chunk-cut", HalfClosed, "POST /sink HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
    ("later", Whole, "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("later-chunked", Whole, "POST /later HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("chunked", Whole, "GET /chunked/2500 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("chunked-1.0", Whole, "GET /chunked/2500 HTTP/1.0\r\n\r\n"),
    ("chunked-1.0-kept", Whole, "GET /chunked/2500 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    ("trailers", Whole, "GET /trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n"),
    ("trailers-not-asked", Whole, "GET /trailers HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("trailers-head", Whole, "HEAD /trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n"),
    ("trailers-1.0", Whole, "GET /trailers HTTP/1.0\r\n\r\n"),
    ("trailers-read", Whole, "POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 5\r\nx-b: 1\r\n\r\n"),
    ("trailers-read-bytewise", Pieces(1), "POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n"),
    ("trailers-read-none", Whole, "POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("trailers-read-forbidden", Whole, "POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 5\r\nX: 1\r\n\r\n"),
    ("trailers-read-bad", Whole, "POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX 1\r\n\r\n"),
    ("events", Whole, "GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n"),
    ("events-1.0", Whole, "GET /events HTTP/1.0\r\n\r\n"),
    ("events-endless", Until("tick 4"), "GET /events/endless HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("events-silent", Until("still here"), "GET /events/silent HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("events-half-closed-at-the-end", Whole, "GET /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    // Early answers.
    ("early", Whole, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("early-chunked", Whole, "POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("early-get", Whole, "GET /early HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("early-content-after", AfterHead, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("early-chunked-after", AfterHead, "POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("early-cut", HalfClosed, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello"),
    ("early-413", Whole, "POST /early-413 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("early-close", Whole, "POST /early-close HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("early-pipelined", Pipelined(&["GET", "GET"]), "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("first", Whole, "POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("first-empty", Whole, "POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    // Expect.
    ("expect-at-once", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"),
    ("expect-after-100", AfterHead, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"),
    ("expect-chunked", AfterHead, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("expect-upper", AfterHead, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\nhello"),
    ("expect-early", ThenHalfClosed, "POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
    ("expect-early-at-once", Whole, "POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"),
    ("expect-never", HalfClosed, "POST /sink HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
    ("expect-no-content", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"),
    ("expect-length-0", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n"),
    ("expect-1.0", Whole, "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"),
    ("expect-other", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: foo\r\nContent-Length: 5\r\n\r\nhello"),
    ("expect-other-get", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n\r\n"),
    ("expect-413", ThenHalfClosed, "POST /early-413 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
    ("expect-fault", ThenHalfClosed, "POST /fault HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
    ("expect-limited", ThenHalfClosed, "POST /limited HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 17\r\n\r\n"),
    ("expect-later", AfterHead, "POST /later HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"),
    ("expect-stream", AfterHead, "POST /stream HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"),
    // Several on one connection.
    ("pipelined", Pipelined(&["GET", "HEAD", "GET"]), "GET /plain HTTP/1.1\r\nHost: a\r\n\r\nHEAD /plain HTTP/1.1\r\nHost: a\r\n\r\nGET /chunked/5 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("pipelined-contents", Pipelined(&["POST", "POST", "GET"]), "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloPOST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("pipelined-close", Pipelined(&["GET"]), "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /state HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("pipelined-missing", Pipelined(&["GET", "GET"]), "GET /missing HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("pipelined-no-content", Pipelined(&["GET", "GET", "GET"]), "GET /no-content HTTP/1.1\r\nHost: a\r\n\r\nGET /not-modified HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("pipelined-bad", Pipelined(&["GET", "GET"]), "GET /plain HTTP/1.1\r\nHost: a\r\n\r\nGET /plain\r\n\r\n"),
    ("pipelined-1.0", Pipelined(&["GET"]), "GET /plain HTTP/1.0\r\n\r\nGET /state HTTP/1.0\r\n\r\n"),
    ("pipelined-1.0-kept", Pipelined(&["GET", "GET"]), "GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /state HTTP/1.0\r\n\r\n"),
    ("pipelined-slow", Pipelined(&["GET", "GET"]), "GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("pipelined-empty-line", Pipelined(&["GET", "GET"]), "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("pipelined-half-closed-slow", HalfClosed, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("one-by-one", OneByOne(&["GET", "HEAD", "GET"]), "GET /plain HTTP/1.1\r\nHost: a\r\n\r\nHEAD /plain HTTP/1.1\r\nHost: a\r\n\r\nGET /site/hello.txt HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("one-by-one-statuses", OneByOne(&["GET", "GET", "GET"]), "GET /no-content HTTP/1.1\r\nHost: a\r\n\r\nGET /odd/304 HTTP/1.1\r\nHost: a\r\n\r\nGET /odd/205-stream-empty HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("early-twice", OneByOne(&["GET", "GET"]), "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    // Layers.
    ("gzip", Whole, "GET /layered/bytes/500 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"),
    ("gzip-streamed", Whole, "GET /layered/chunked/5000 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br\r\n\r\n"),
    ("gzip-1.0", Whole, "GET /layered/bytes/500 HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n"),
    ("gzip-head", Whole, "HEAD /layered/bytes/500 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"),
    ("gzip-not-asked", Whole, "GET /layered/bytes/500 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("gzip-refused", Whole, "GET /layered/bytes/500 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip;q=0\r\n\r\n"),
    ("gzip-small", Whole, "GET /layered/bytes/5 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"),
    ("gzip-file", Whole, "GET /packed/index.html HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"),
    ("gzip-file-head", Whole, "HEAD /packed/index.html HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"),
    ("layered", Whole, "GET /layered/plain HTTP/1.1\r\nHost: a\r\nOrigin: http://a.example\r\n\r\n"),
    ("layered-echo", Whole, "POST /layered/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("layered-stream", Whole, "POST /layered/stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nAccept-Encoding: gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("layered-panic", Whole, "GET /layered/panic HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("layered-missing", Whole, "GET /layered/missing HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("cors", Whole, "GET /cors HTTP/1.1\r\nHost: a\r\nOrigin: http://a.example\r\n\r\n"),
    ("cors-other", Whole, "GET /cors HTTP/1.1\r\nHost: a\r\nOrigin: http://b.example\r\n\r\n"),
    ("cors-preflight", Whole, "OPTIONS /cors HTTP/1.1\r\nHost: a\r\nOrigin: http://a.example\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: content-type\r\n\r\n"),
    ("cors-preflight-other", Whole, "OPTIONS /cors HTTP/1.1\r\nHost: a\r\nOrigin: http://b.example\r\nAccess-Control-Request-Method: PUT\r\n\r\n"),
    ("limited", Whole, "POST /limited HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n0123456789abcdef"),
    ("limited-above", Whole, "POST /limited HTTP/1.1\r\nHost: a\r\nContent-Length: 17\r\n\r\n0123456789abcdefg"),
    ("limited-sink-above", Whole, "POST /limited-sink HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n"),
    ("timeout", Whole, "GET /timeout HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("timeout-with-content", Whole, "POST /timeout HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("panic-caught", Whole, "GET /panic-caught HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("panic-caught-with-content", Whole, "POST /panic-caught HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("middleware", Whole, "POST /middleware HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("slow", Whole, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"),
    // Files.
    ("file", Whole, "GET /site/hello.txt HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("file-1.0", Whole, "GET /site/hello.txt HTTP/1.0\r\n\r\n"),
    ("file-head", Whole, "HEAD /site/hello.txt HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("file-index", Whole, "GET /site/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("file-directory", Whole, "GET /site/deep HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("file-deep", Whole, "GET /site/deep/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("file-encoded", Whole, "GET /site/with%20space.json HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("file-empty", Whole, "GET /site/empty.txt HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("file-empty-head", Whole, "HEAD /site/empty.txt HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("file-missing", Whole, "GET /site/missing HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("file-outside", Whole, "GET /site/../main.rs HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("file-outside-encoded", Whole, "GET /site/%2e%2e/main.rs HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("file-post", Whole, "POST /site/hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
    ("range", Whole, "GET /site/hello.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-4\r\n\r\n"),
    ("range-suffix", Whole, "GET /site/hello.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=-3\r\n\r\n"),
    ("range-open", Whole, "GET /site/hello.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=6-\r\n\r\n"),
    ("range-head", Whole, "HEAD /site/hello.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-4\r\n\r\n"),
    ("range-beyond", Whole, "GET /site/hello.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=100-\r\n\r\n"),
    ("range-two", Whole, "GET /site/hello.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1,3-4\r\n\r\n"),
    ("range-bad", Whole, "GET /site/hello.txt HTTP/1.1\r\nHost: a\r\nRange: lines=1\r\n\r\n"),
    ("range-empty-file", Whole, "GET /site/empty.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\n\r\n"),
    ("range-1.0", Whole, "GET /site/hello.txt HTTP/1.0\r\nRange: bytes=0-4\r\n\r\n"),
    ("modified-since-not", Whole, "GET /site/hello.txt HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n\r\n"),
    ("modified-since-not-head", Whole, "HEAD /site/hello.txt HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n\r\n"),
    ("modified-since", Whole, "GET /site/hello.txt HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: Fri, 01 Jan 1999 00:00:00 GMT\r\n\r\n"),
    ("unmodified-since-not", Whole, "GET /site/hello.txt HTTP/1.1\r\nHost: a\r\nIf-Unmodified-Since: Fri, 01 Jan 1999 00:00:00 GMT\r\n\r\n"),
    ("unmodified-since", Whole, "GET /site/hello.txt HTTP/1.1\r\nHost: a\r\nIf-Unmodified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n\r\n"),
    ("modified-since-kept", OneByOne(&["GET", "GET"]), "GET /site/hello.txt HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n\r\nGET /site/hello.txt HTTP/1.1\r\nHost: a\r\n\r\n"),
    // Other protocols.
    ("ws", Whole, concat!("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "\u{81}\u{85}\0\0\0\0hello\u{88}\u{80}\0\0\0\0")),
    ("ws-bytewise", Pieces(1), concat!("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "\u{81}\u{85}\0\0\0\0hello\u{88}\u{80}\0\0\0\0")),
    ("ws-after-101", AfterHead, concat!("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "\u{81}\u{85}\0\0\0\0hello\u{88}\u{80}\0\0\0\0")),
    ("ws-half-closed", HalfClosed, concat!("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "\u{81}\u{85}\0\0\0\0hello")),
    ("ws-refused", Whole, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bm90IHRoZSBvbmUga25vd24=\r\n\r\n"),
    ("ws-not-asked", Whole, "GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
    ("ws-pipelined", Pipelined(&["GET", "GET"]), "GET /plain HTTP/1.1\r\nHost: a\r\n\r\nGET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\u{81}\u{85}\0\0\0\0hello\u{88}\u{80}\0\0\0\0"),
    ("ws-with-content", Whole, "POST /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 5\r\n\r\nfirst\u{81}\u{85}\0\0\0\0hello\u{88}\u{80}\0\0\0\0"),
    ("ws-refused-then-plain", Pipelined(&["GET", "GET"]), "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("ws-1.0", Whole, "GET /ws HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
    ("tunnel-pipelined", Pipelined(&["GET", "CONNECT"]), "GET /plain HTTP/1.1\r\nHost: a\r\n\r\nCONNECT echo.example:1 HTTP/1.1\r\nHost: echo.example:1\r\n\r\n\u{81}\u{85}\0\0\0\0hello\u{88}\u{80}\0\0\0\0"),
    ("tunnel-with-length", Whole, "CONNECT echo.example:1 HTTP/1.1\r\nHost: echo.example:1\r\nContent-Length: 5\r\n\r\nfirst\u{81}\u{85}\0\0\0\0hello\u{88}\u{80}\0\0\0\0"),
    ("tunnel-answer-with-length", Whole, "CONNECT length.example:1 HTTP/1.1\r\nHost: length.example:1\r\n\r\n\u{81}\u{85}\0\0\0\0hello\u{88}\u{80}\0\0\0\0"),
    ("tunnel-answer-no-content", Whole, "CONNECT none.example:1 HTTP/1.1\r\nHost: none.example:1\r\n\r\n\u{81}\u{85}\0\0\0\0hello\u{88}\u{80}\0\0\0\0"),
    ("ws-axum", Whole, concat!("GET /ws-axum HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "\u{81}\u{85}\0\0\0\0hello\u{88}\u{80}\0\0\0\0")),
    ("ws-axum-not-asked", Whole, "GET /ws-axum HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("ws-axum-version", Whole, "GET /ws-axum HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
    ("upgrade-ignored", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"),
    ("http2-preface", Whole, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    // Handlers that fail.
    ("no-content", Whole, "GET /no-content HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no-content-1.0", Whole, "GET /no-content HTTP/1.0\r\n\r\n"),
    ("no-content-delete", Whole, "DELETE /no-content HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no-content-head", Whole, "HEAD /no-content HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no-content-with-content", Whole, "POST /no-content HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("reset-content", Whole, "GET /reset-content HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("not-modified", Whole, "GET /not-modified HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("switching", Whole, "GET /switching HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("switching-asked", Whole, "GET /switching HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
    ("early-hints", Whole, "GET /early-hints HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("panic", Whole, "GET /panic HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("panic-reading", Whole, "POST /panic-reading HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("panic-pipelined", Pipelined(&["GET", "GET"]), "GET /plain HTTP/1.1\r\nHost: a\r\n\r\nGET /panic HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("fault", Whole, "GET /fault HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("pipelined-early-chunked", Pipelined(&["POST", "GET"]), "POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("pipelined-after-fault", Pipelined(&["GET", "GET"]), "GET /fault HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("pipelined-close-by-handler", Pipelined(&["GET"]), "GET /odd/connection-close HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("pipelined-upgrade-refused", Pipelined(&["GET", "GET"]), "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("fails", Whole, "GET /fails HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("fails-head", Whole, "HEAD /fails HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("fails-with-content", Whole, "POST /fails HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    ("fails-pipelined", Pipelined(&["GET", "GET"]), "GET /plain HTTP/1.1\r\nHost: a\r\n\r\nGET /fails HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("fails-1.0", Whole, "GET /fails HTTP/1.0\r\n\r\n"),
    ("panic-head", Whole, "HEAD /panic HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("panic-expect", ThenHalfClosed, "POST /panic HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
    ("panic-one-by-one", OneByOne(&["GET", "GET"]), "GET /plain HTTP/1.1\r\nHost: a\r\n\r\nGET /panic HTTP/1.1\r\nHost: a\r\n\r\n"),
    // Requests that are cut, or are none.
    ("cut-nothing", HalfClosed, ""),
    ("cut-method", HalfClosed, "GE"),
    ("cut-line", HalfClosed, "GET /plain HTTP/1.1\r\n"),
    ("cut-head", HalfClosed, "GET /plain HTTP/1.1\r\nHost: a\r\nX: "),
    ("cut-second-head", HalfClosed, "GET /plain HTTP/1.1\r\nHost: a\r\n\r\nGET /pl"),
    ("bad-no-host", Whole, "GET /plain HTTP/1.1\r\n\r\n"),
    ("bad-two-hosts", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    ("bad-host", Whole, "GET /plain HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ("bad-no-version", Whole, "GET /plain\r\nHost: a\r\n\r\n"),
    ("bad-version", Whole, "GET /plain HTTP/1.x\r\nHost: a\r\n\r\n"),
    ("bad-version-2", Whole, "GET /plain HTTP/2.0\r\nHost: a\r\n\r\n"),
    ("bad-version-1.2", Whole, "GET /plain HTTP/1.2\r\nHost: a\r\n\r\n"),
    ("bad-version-lower", Whole, "GET /plain http/1.1\r\nHost: a\r\n\r\n"),
    ("bad-two-spaces", Whole, "GET  /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("bad-space-in-target", Whole, "GET /pl ain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("bad-leading-space", Whole, " GET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("bad-method", Whole, "G(T /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("bad-lf", Whole, "GET /plain HTTP/1.1\nHost: a\n\n"),
    ("bad-cr", Whole, "GET /plain HTTP/1.1\r\nHost: a\rb\r\n\r\n"),
    ("bad-nul", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    ("bad-field-space", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n"),
    ("bad-field-no-colon", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"),
    ("bad-field-no-name", Whole, "GET /plain HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n"),
    ("bad-field-folded", Whole, "GET /headers HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"),
    ("bad-tls", Whole, "\u{16}\u{3}\u{1}\0\u{5}hello\r\n\r\n"),
    ("bad-length", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\nhello"),
    ("bad-length-signed", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello"),
    ("bad-length-list", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello"),
    ("bad-length-twice", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    ("bad-lengths-differ", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    ("bad-length-huge", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nhello"),
    ("bad-length-and-chunked", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("bad-coding", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nhello"),
    ("bad-coding-behind-chunked", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("bad-coding-before-chunked", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("bad-chunk-size", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhello\r\n0\r\n\r\n"),
    ("bad-chunk-end", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloxx0\r\n\r\n"),
    ("bad-chunk-lf", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n"),
    ("bad-chunk-size-spaces", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5  \r\nhello\r\n0\r\n\r\n"),
    ("bad-chunk-huge", Whole, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    ("bad-then-good", Pipelined(&["GET", "GET"]), "GET /plain HTTP/1.1\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n"),
];

#[test]
fn rows_are_told_apart_and_many() {
    let rows = rows();
    let names: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), rows.len(), "each has a name of its own");
    assert!(TABLE.len() >= 250 && rows.len() >= 1200, "{} written down, {} in all", TABLE.len(), rows.len());
}
