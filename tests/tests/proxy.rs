//! A proxy of two machines: what comes in is sent on without what was for one hop, framed anew, and says the same.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_core::{
    Config, Content, End, Fields, Framing, Instant, Method, Misuse, RequestHead, ResponseHead, StatusCode, Version,
    client, percent_encoded, server,
};
use tests::conformance::{Side, files, load, own_cases, shared_cases};
use tests::fuzz::mutated;
use tests::source::Source;

const NOW: Instant = Instant::ZERO;

/// Reads one request, head and content.
fn read(wire: &[u8]) -> (RequestHead, Vec<u8>) {
    let mut connection = server::Connection::new(Config::default().into(), NOW);
    let mut input = BytesMut::from(wire);
    let (mut head, mut content) = (None, Vec::new());
    while let Some(event) = connection.poll_event(&mut input, NOW).expect("a good request") {
        match event {
            server::Event::Request(request) => {
                head = Some(request);
                connection.want_content(NOW);
            }
            server::Event::Content(piece) => content.extend_from_slice(&piece),
            _ => {}
        }
    }
    assert!(input.is_empty(), "{input:?} is left over");
    (head.expect("a request"), content)
}

/// Sends a request on.
fn forward(head: &RequestHead, content: &[u8]) -> Result<Vec<u8>, Misuse> {
    let mut connection = client::Connection::new(Config::default().into(), NOW);
    let framing = match head.framing() {
        Framing::Length(length) => Content::Sized(length),
        Framing::Chunked => Content::Streaming,
        _ => Content::Empty,
    };
    let empty = framing == Content::Empty;
    connection.send_request(&head.forwarded(), framing, NOW)?;
    if !empty {
        connection.send_content(Bytes::copy_from_slice(content), NOW)?;
        connection.send_end(&http_core::Fields::new(), NOW)?;
    }
    let mut slices = [&b""[..]; 8];
    let count = connection.transmit(&mut slices);
    Ok(slices[..count].concat())
}

#[test]
fn a_request_goes_on_as_it_came_but_for_its_hop() {
    for (came, goes) in [
        ("GET /a%2Fb?c=%20 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a%2Fb?c=%20 HTTP/1.1\r\nHost: a\r\n\r\n"),
        (
            "POST / HTTP/1.1\r\nb: 2\r\nHost: a\r\nTransfer-Encoding: chunked\r\nB: 3\r\nConnection: x\r\nX: 1\r\n\r\n\
             1;ext=1\r\nx\r\n2\r\nyz\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nb: 2\r\nHost: a\r\nB: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n",
        ),
        (
            "PUT / HTTP/1.1\r\nHost: a\r\nConnection: content-length, close\r\nContent-Length: 3\r\n\r\nabc",
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        ),
        (
            "PUT / HTTP/1.0\r\nHost: a\r\nContent-Length: 1\r\nKeep-Alive: x\r\n\r\na",
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na",
        ),
        ("GET http://b:81/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://b:81/ HTTP/1.1\r\nHost: b:81\r\n\r\n"),
    ] {
        let (head, content) = read(came.as_bytes());
        let wire = forward(&head, &content).unwrap();
        assert_eq!(String::from_utf8_lossy(&wire), goes);
        // And it is the same request to whoever reads it next.
        let (next, again) = read(&wire);
        assert_eq!((next.method(), next.target(), again), (head.method(), head.target(), content));
    }
}

#[test]
fn what_says_something_else_than_the_content_is_not_sent() {
    let (mut head, _) = read(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    head.fields_mut().push("Content-Length", "5").unwrap();
    assert_eq!(forward(&head, b""), Err(Misuse::Framing));
    let (mut head, content) = read(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na");
    head.fields_mut().push("Transfer-Encoding", "chunked, chunked").unwrap();
    assert_eq!(forward(&head, &content), Err(Misuse::Framing));
}

/// What a proxy says of the content of a message that was framed like this.
fn onward(framing: Framing) -> Content {
    match framing {
        Framing::None => Content::Empty,
        Framing::Length(length) => Content::Sized(length),
        Framing::Chunked | Framing::UntilClose => Content::Streaming,
    }
}

/// A message whose head was read, and the trailers if it came to its end.
struct Came<H> {
    head: H,
    trailers: Option<Fields>,
}

/// All requests that a server reads of `bytes`.
fn requests(config: &Arc<Config>, bytes: &[u8]) -> Vec<Came<RequestHead>> {
    let mut connection = server::Connection::new(config.clone(), NOW);
    let (mut input, mut came) = (BytesMut::from(bytes), Vec::new());
    while let Ok(Some(event)) = connection.poll_event(&mut input, NOW) {
        match event {
            server::Event::Request(head) => {
                came.push(Came { head, trailers: None });
                connection.want_content(NOW);
            }
            server::Event::End(trailers) => {
                let last: &mut Came<RequestHead> = came.last_mut().unwrap();
                last.trailers = Some(trailers);
                connection.send_response(&ResponseHead::new(StatusCode::OK), Content::Empty, NOW).unwrap();
                connection.handle_sent(usize::MAX, NOW);
            }
            server::Event::Content(_) => {}
            _ => break,
        }
    }
    came
}

/// All responses to one request that a client reads of `bytes`.
fn responses(config: &Arc<Config>, method: &str, bytes: &[u8]) -> Vec<Came<ResponseHead>> {
    let mut connection = client::Connection::new(config.clone(), NOW);
    let Ok(asked) = tests::scene::request_of(method) else { return vec![] };
    connection.send_request(&asked, Content::Empty, NOW).unwrap();
    connection.handle_sent(usize::MAX, NOW);
    let (mut input, mut came) = (BytesMut::from(bytes), Vec::new());
    let mut ended = false;
    loop {
        match connection.poll_event(&mut input, NOW) {
            Ok(Some(client::Event::Interim(head) | client::Event::Response(head))) => {
                came.push(Came { head, trailers: None });
            }
            Ok(Some(client::Event::End(trailers))) => {
                let last: &mut Came<ResponseHead> = came.last_mut().unwrap();
                last.trailers = Some(trailers);
            }
            Ok(Some(client::Event::Content(_))) => {}
            Ok(None) if !ended => {
                connection.handle_eof(End::Clean, NOW);
                ended = true;
            }
            _ => return came,
        }
    }
}

fn wire_of_client(connection: &client::Connection) -> Vec<u8> {
    let mut slices = [&b""[..]; 8];
    let count = connection.transmit(&mut slices);
    slices[..count].concat()
}

/// A request that was read can be sent on, and says the same to a strict reader.
fn goes_on(came: &Came<RequestHead>) {
    let head = &came.head;
    let onward_head = head.forwarded();
    if head.target_form().is_none() {
        // It was taken under `allow_lax_target`, and means nothing to anybody else.
        let mut connection = client::Connection::new(Config::default().into(), NOW);
        assert_eq!(connection.send_request(&onward_head, Content::Empty, NOW), Err(Misuse::Target));
        return;
    }
    let trace = head.method() == Method::Trace;
    let content = if trace { Content::Empty } else { onward(head.framing()) };
    let mut connection = client::Connection::new(Config::default().into(), NOW);
    let sent = connection.send_request(&onward_head, content.clone(), NOW);
    assert!(sent.is_ok(), "{sent:?} for {head:?}, which goes on as {onward_head:?}");
    let mut wire = wire_of_client(&connection);
    if content == Content::Streaming {
        if let Some(trailers) = &came.trailers {
            if !head.expects_continue() {
                connection
                    .send_end(&trailers.end_to_end_trailers(head.fields()), NOW)
                    .unwrap_or_else(|e| panic!("{e:?} for {trailers:?}"));
                wire = wire_of_client(&connection);
            }
        }
    }
    let [next] = &requests(&Config::strict().into(), &wire)[..] else {
        // The origin answers an unknown expectation by itself.
        panic!("{head:?} goes on as {}, which is no request", wire.escape_ascii());
    };
    let next = &next.head;
    assert_eq!(next.method(), head.method());
    let same = next.target() == head.target();
    assert!(same || percent_encoded(next.target()).len() >= head.target().len() + 2, "{head:?}: {next:?}");
    assert_eq!(next.framing().has_content(), head.framing().has_content() && !trace, "{head:?}: {next:?}");
    assert_eq!(next.expects_continue(), head.expects_continue() && !trace, "{head:?}: {next:?}");
    assert!(next.expects_continue() || !next.fields().contains("expect"), "{next:?}");
    if let (Framing::Length(said), Framing::Length(sent)) = (head.framing(), next.framing()) {
        assert!(said == sent || trace, "{head:?}: {next:?}");
    }
    // Who it is for does not change.
    let (before, after) = (head.authority().unwrap_or_default(), next.authority().unwrap_or_default());
    assert!(before.eq_ignore_ascii_case(after), "{head:?}: {next:?}");
    assert_eq!(next.fields().get_all("host").count(), 1);
}

/// A response that was read to a request of this method can be sent on, and says the same to a strict reader.
fn comes_back(method: &str, came: &Came<ResponseHead>) {
    comes_back_to(method, Version::Http11, came);
    comes_back_to(method, Version::Http10, came);
}

fn comes_back_to(method: &str, version: Version, came: &Came<ResponseHead>) {
    let head = &came.head;
    let mut onward_head = head.forwarded();
    let status = head.status().as_u16();
    let mut connection = server::Connection::new(Config::default().into(), NOW);
    let mut asked = tests::scene::request_of(method).unwrap().with_version(version);
    if status == 101 {
        // The proxy agreed to the switch, on both sides.
        asked.fields_mut().push("Upgrade", "x").unwrap();
        asked.fields_mut().push("Connection", "upgrade").unwrap();
        onward_head.fields_mut().push("Upgrade", "x").unwrap();
    }
    let mut input = BytesMut::from(&[asked.as_wire(), b"\r\n"].concat()[..]);
    while let Some(event) = connection.poll_event(&mut input, NOW).unwrap() {
        drop(event);
    }
    let content = if status == 205 { Content::Empty } else { onward(head.framing()) };
    let sent = match head.status().is_interim() {
        true => connection.send_interim(&onward_head, NOW),
        false => connection.send_response(&onward_head, content.clone(), NOW),
    };
    // HTTP/1.0 has neither interim responses and switches, nor codings (RFC 9110 §15.2, §7.8, RFC 9112 §6.1).
    let too_new = head.status().is_interim() || onward_head.fields().contains("transfer-encoding");
    if version == Version::Http10 && status == 101 {
        assert_eq!(sent, Err(Misuse::Status), "{head:?}: {onward_head:?}");
        return;
    }
    if version == Version::Http10 && too_new || is_in_a_coding_below_another(head) {
        assert_eq!(sent, Err(Misuse::Framing), "{head:?}: {onward_head:?}");
        return;
    }
    assert!(sent.is_ok(), "{sent:?} for {head:?} to {method}, which comes back as {onward_head:?}");
    if let (Content::Streaming, Some(trailers)) = (&content, &came.trailers) {
        let trailers =
            if version == Version::Http10 { Fields::new() } else { trailers.end_to_end_trailers(head.fields()) };
        connection.send_end(&trailers, NOW).unwrap_or_else(|e| panic!("{e:?} for {trailers:?}"));
    }
    let mut slices = [&b""[..]; 8];
    let count = connection.transmit(&mut slices);
    let wire = slices[..count].concat();
    let back = responses(&Config::strict().into(), method, &wire);
    let [next, ..] = &back[..] else { panic!("{head:?} comes back as {}, which is no response", wire.escape_ascii()) };
    let next = &next.head;
    assert_eq!((next.status(), next.reason_phrase()), (head.status(), head.reason_phrase()));
    let content_goes_on = head.framing().has_content() && status != 205;
    assert_eq!(next.framing().has_content(), content_goes_on, "{head:?}: {next:?}");
    if let Framing::Length(length) = head.framing() {
        assert!(next.framing() == Framing::Length(length) || status == 205, "{head:?}: {next:?}");
    }
}

/// Content in a coding that ends with the connection, above chunked, which may be applied once alone (RFC 9112 §6.1):
/// what no engine that frames anew can send.
fn is_in_a_coding_below_another(head: &ResponseHead) -> bool {
    let codings: Vec<_> = head.fields().get_all("transfer-encoding").flat_map(|v| v.split(|&b| b == b',')).collect();
    let chunked = codings.iter().any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"));
    head.framing() == Framing::UntilClose && chunked && head.status().as_u16() != 205
}

fn presets() -> [Arc<Config>; 4] {
    let mut all = Config::interop();
    all.leniency.allow_missing_host = true;
    all.leniency.allow_space_before_colon = true;
    [Config::default(), Config::evhttp(), Config::interop(), all].map(Arc::new)
}

/// Field lines that mean something on the way, alone and two at a time.
const LINES: &[&str] = &[
    "",
    "Content-Length: 0\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 3, 3\r\n",
    "content-length: 9223372036854775807\r\n",
    "Content-Length:\r\n 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding: chunked, gzip\r\n",
    "Transfer-Encoding: \r\n",
    "Expect: 100-continue\r\n",
    "Expect: 100-continue, 100-Continue\r\n",
    "Expect: other\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive, upgrade, te\r\n",
    "Connection: host, content-length, transfer-encoding, expect, date, trailer\r\n",
    "Connection: connection, connection\r\n",
    "Connection:\r\n",
    "Connection: \"host\", \u{e9}\r\n",
    "Upgrade: x\r\n",
    "TE: trailers, gzip\r\n",
    "Trailer: X\r\n",
    "Keep-Alive: timeout=5\r\n",
    "Proxy-Connection: keep-alive\r\n",
    "Via: 1.0 a\r\n",
    "Max-Forwards: 0\r\n",
    "Date: x\r\n",
    "X: a\r\n\t b\r\n",
    "X : \u{ff}\t\u{e9}\r\n",
    "Host:\r\n",
    "Host: a\r\n",
    "Host: b:80\r\n",
];

/// The bytes of a text, one an octet.
fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|c| c as u8).collect()
}

const TAIL: &str = "3\r\nabc\r\n0\r\nY: 1\r\n\r\n";

#[test]
fn s19_whatever_request_is_read_goes_on() {
    let mut count = 0;
    for line in [
        "GET /a?b HTTP/1.1",
        "GET / HTTP/1.0",
        "POST http://b:80/?a[]=|\"\u{e9} HTTP/1.1",
        "PUT http://b HTTP/1.0",
        "CONNECT a:80 HTTP/1.1",
        "CONNECT a:80 HTTP/1.0",
        "OPTIONS * HTTP/1.1",
        "OPTIONS * HTTP/1.0",
        "OPTIONS http://b:80 HTTP/1.1",
        "TRACE / HTTP/1.1",
        "HEAD /` HTTP/1.1",
        "M!#$ /|{} HTTP/1.7",
        "GET nowhere HTTP/1.1",
    ] {
        for host in ["", "Host: a\r\n"] {
            for first in LINES {
                for second in LINES {
                    let wire = octets(&format!("{line}\r\n{host}{first}{second}\r\n{TAIL}"));
                    for config in &presets() {
                        for came in requests(config, &wire).into_iter().take(1) {
                            goes_on(&came);
                            count += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(count > 10_000, "{count}");
}

#[test]
fn s19_whatever_response_is_read_comes_back() {
    let mut count = 0;
    for status in [100, 101, 103, 200, 204, 205, 304, 407, 600, 99] {
        for version in ["HTTP/1.1", "HTTP/1.0", "HTTP/1.9"] {
            for method in ["GET", "HEAD", "CONNECT"] {
                for (at, first) in LINES.iter().enumerate() {
                    for second in &LINES[at..] {
                        let wire = octets(&format!("{version} {status:03} \u{e9}\r\n{first}{second}\r\n{TAIL}"));
                        for config in &presets()[..if version == "HTTP/1.1" { 3 } else { 1 }] {
                            for came in responses(config, method, &wire).into_iter().take(1) {
                                comes_back(method, &came);
                                count += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(count > 50_000, "{count}");
}

#[test]
fn s19_cases_and_messages_with_faults_go_on() {
    for config in &presets() {
        for folder in shared_cases().into_iter().chain([own_cases()]) {
            for case in files(&folder).iter().flat_map(|file| load(file).unwrap()) {
                match case.side {
                    Side::Request => requests(config, &case.bytes).iter().for_each(goes_on),
                    Side::Response => {
                        let method = case.methods.first().map_or("GET", |method| method);
                        responses(config, method, &case.bytes).iter().for_each(|came| comes_back(method, came));
                    }
                }
            }
        }
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..4_000 {
            let bytes: Vec<u8> = (0..48)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (seed >> 56) as u8
                })
                .collect();
            let mut source = Source::new(&bytes);
            let method = source.pick(&["GET", "HEAD", "CONNECT"]);
            requests(config, &mutated(&mut source.clone(), false)).iter().for_each(goes_on);
            let wire = mutated(&mut source, true);
            responses(config, method, &wire).iter().for_each(|came| comes_back(method, came));
        }
    }
}

#[test]
fn s19_expect_goes_on_where_somebody_waits_for_it() {
    for (came, expects) in [
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", true),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", true),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", false),
        ("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", false),
        ("POST / HTTP/1.0\r\nHost: a\r\nExpect: more\r\nContent-Length: 1\r\n\r\n", false),
    ] {
        let [request] = &requests(&Config::default().into(), came.as_bytes())[..] else { panic!("{came}") };
        assert_eq!(request.head.forwarded().fields().contains("expect"), expects, "{came}");
    }
}

#[test]
fn s19_a_connection_that_names_what_is_for_everybody_removes_nothing_of_it() {
    // RFC 9110 §7.6.1: no option may be the name of such a field.
    let kept = [
        "Host: a",
        "Via: 1.1 b",
        "Max-Forwards: 3",
        "Content-Length: 3",
        "Content-Type: a/b",
        "Content-Encoding: gzip",
        "Content-Range: bytes 0-2/3",
        "Date: Sun, 06 Nov 1994 08:49:37 GMT",
        "Cache-Control: no-store",
    ];
    let named = kept.map(|line| line.split(':').next().unwrap()).join(" ,").to_uppercase();
    let kept = kept.map(|line| format!("{line}\r\n")).concat();
    for hop in [format!("{named}, x"), format!("x, {named}"), format!("{named}\r\nConnection: x")] {
        let wire = format!("PUT / HTTP/1.1\r\n{kept}X: 1\r\nConnection: {hop}\r\n\r\nabc");
        let (head, content) = read(wire.as_bytes());
        let onward = forward(&head, &content).unwrap();
        assert_eq!(String::from_utf8_lossy(&onward), format!("PUT / HTTP/1.1\r\n{kept}\r\nabc"));
    }
    // What is for one hop goes whether it is named or not; what authenticates to this proxy is used up by it.
    for name in ["TE", "Keep-Alive", "Upgrade", "Proxy-Connection", "HTTP2-Settings", "Proxy-Authorization"] {
        let (head, _) = read(format!("GET / HTTP/1.1\r\nHost: a\r\n{name}: x\r\n\r\n").as_bytes());
        assert_eq!(head.forwarded().as_wire(), b"GET / HTTP/1.1\r\nHost: a\r\n", "{name}");
    }
}

#[test]
fn s19_what_a_response_without_content_may_not_say_is_left_out() {
    for (method, came, goes) in [
        ("GET", "HTTP/1.1 204 No\r\nContent-Length: 0\r\nA: 1\r\n\r\n", "HTTP/1.1 204 No\r\nA: 1\r\n"),
        ("GET", "HTTP/1.0 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 204 No\r\n"),
        ("GET", "HTTP/1.1 204 No\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 204 No\r\n"),
        ("GET", "HTTP/1.1 103 E\r\nContent-Length: a\r\n\r\n", "HTTP/1.1 103 E\r\n"),
        ("CONNECT", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\n"),
        ("CONNECT", "HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 407 No\r\nContent-Length: 5\r\n"),
        ("GET", "HTTP/1.1 205 R\r\nContent-Length: 5\r\n\r\nabcde", "HTTP/1.1 205 R\r\n"),
        // These two tell what the answer to GET, or a full one, would be (RFC 9110 §8.6).
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"),
        ("GET", "HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 304 N\r\nContent-Length: 5\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\n"),
        // A coding that is not undone is named, and chunked goes on top.
        (
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        ),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: ,\r\n\r\n", "HTTP/1.1 200 OK\r\n"),
    ] {
        let [response, ..] = &responses(&Config::default().into(), method, came.as_bytes())[..] else {
            panic!("{came}")
        };
        assert_eq!(String::from_utf8_lossy(response.head.forwarded().as_wire()), goes, "{came}");
    }
}
