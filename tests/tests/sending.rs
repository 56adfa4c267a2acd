//! What goes to the wire: heads with the fields that follow from one decision, and nothing that an RFC forbids.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use bytes::Bytes;
use http_core::{Config, Content, Fields, Method, Misuse, RequestHead, ResponseHead, StatusCode, Version, imf_fixdate};
use tests::beginnings::{GET, client, server};
use tests::read::latin1;
use tests::scene::{Client, fetch, response, serve};

/// What a client sends, or why not.
fn sent(method: &str, target: &str, fields: &[(&str, &str)], content: Content) -> Result<String, Misuse> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let head = RequestHead::new(method, target)?;
    let head = fields.iter().try_fold(head, |head, (name, value)| head.with(name, value))?;
    let mut client = client();
    let result = client.machine.send_request(&head, content, client.now);
    let wire = client.sends();
    assert_eq!(wire.is_empty(), result.is_err(), "all of a request, or nothing");
    result.map(|_| wire)
}

/// What a server answers to `request`, or why not.
fn answered(request: &str, status: u16, fields: &[(&str, &str)], content: Content) -> Result<String, Misuse> {
    let mut server = server();
    server.hears(request);
    let result = server.responds(status, fields, content);
    let wire = server.sends();
    assert_eq!(wire.is_empty(), result.is_err(), "all of a response, or nothing");
    result.map(|()| wire)
}

fn full(content: &'static str) -> Content {
    Content::Full(Bytes::from_static(content.as_bytes()))
}

const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
const CONNECT: &str = "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n";

#[test]
fn host_is_sent_once_and_first() {
    // (section, method, target, fields, the lines that are sent)
    for (section, method, target, fields, lines) in [
        ("RFC 9112 §3.2", "GET", "/", &[("Host", "a")][..], Ok("GET / HTTP/1.1\r\nHost: a\r\n\r\n")),
        ("RFC 9112 §3.2", "GET", "/", &[("Host", "")], Ok("GET / HTTP/1.1\r\nHost: \r\n\r\n")),
        ("RFC 9112 §3.2", "GET", "/", &[], Err(Misuse::Host)),
        ("RFC 9112 §3.2", "GET", "/", &[("Host", "a"), ("host", "a")], Err(Misuse::Host)),
        ("RFC 9112 §3.2", "GET", "/", &[("Host", "a/b")], Err(Misuse::Host)),
        ("RFC 9110 §4.2.4", "GET", "/", &[("Host", "user@a")], Err(Misuse::Host)),
        (
            "RFC 9112 §3.2.2",
            "GET",
            "http://a:1/x",
            &[("Host", "A:1")],
            Ok("GET http://a:1/x HTTP/1.1\r\nHost: A:1\r\n\r\n"),
        ),
        ("RFC 9112 §3.2.2", "GET", "http://a/", &[("Host", "b")], Err(Misuse::Host)),
        (
            "RFC 9110 §7.2",
            "GET",
            "http://a/x",
            &[("Accept", "*/*")],
            Ok("GET http://a/x HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"),
        ),
        ("RFC 9112 §3.2.3", "CONNECT", "a:443", &[], Ok("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")),
        ("RFC 9112 §3.2.4", "OPTIONS", "*", &[("Host", "a")], Ok("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")),
        ("RFC 9112 §3.2.4", "OPTIONS", "*", &[], Err(Misuse::Host)),
    ] {
        assert_eq!(sent(method, target, fields, Content::Empty), lines.map(str::to_owned), "{section}: {target}");
    }
}

#[test]
fn targets_fit_their_methods() {
    for (section, method, target) in [
        ("RFC 9112 §3.2.1", "GET", ""),
        ("RFC 9112 §3.2.1", "GET", "path"),
        ("RFC 9112 §3.2.4", "GET", "*"),
        ("RFC 9112 §3.2.3", "GET", "a:80"),
        ("RFC 9110 §9.3.6", "CONNECT", "a"),
        ("RFC 9110 §9.3.6", "CONNECT", "/"),
        ("RFC 9110 §4.2.1", "GET", "http:///x"),
        ("RFC 9110 §4.2.4", "GET", "http://user@a/"),
        ("RFC 9112 §3.2", "GET", "/a b"),
        ("RFC 9110 §7.1", "GET", "/a#b"),
    ] {
        assert_eq!(sent(method, target, &[("Host", "a")], Content::Empty), Err(Misuse::Target), "{section}: {target}");
    }
}

#[test]
fn framing_of_requests() {
    let length = ("Content-Length", "3");
    let chunked = ("Transfer-Encoding", "chunked");
    // (section, method, fields, content, the framing line that is sent)
    for (section, method, fields, content, line) in [
        ("RFC 9110 §8.6", "GET", &[][..], Content::Empty, Ok("")),
        ("RFC 9110 §8.6", "DELETE", &[], Content::Empty, Ok("")),
        ("RFC 9110 §8.6", "POST", &[], Content::Empty, Ok("Content-Length: 0")),
        ("RFC 9110 §8.6", "PUT", &[], full(""), Ok("Content-Length: 0")),
        ("RFC 9110 §8.6", "PATCH", &[], Content::Sized(0), Ok("Content-Length: 0")),
        ("RFC 9112 §6.3", "PUT", &[], full("abc"), Ok("Content-Length: 3")),
        ("RFC 9112 §6.3", "GET", &[], full("abc"), Ok("Content-Length: 3")),
        ("RFC 9112 §6.3", "PUT", &[], Content::Sized(1 << 40), Ok("Content-Length: 1099511627776")),
        ("RFC 9112 §6.1", "PUT", &[], Content::Streaming, Ok("Transfer-Encoding: chunked")),
        ("RFC 9112 §6.3", "PUT", &[length], full("abc"), Ok("Content-Length: 3")),
        ("RFC 9112 §6.3", "PUT", &[length], Content::Streaming, Ok("Content-Length: 3")),
        ("RFC 9112 §6.1", "PUT", &[chunked], Content::Streaming, Ok("Transfer-Encoding: chunked")),
        (
            "RFC 9112 §6.1",
            "PUT",
            &[("Transfer-Encoding", "gzip, chunked")],
            Content::Streaming,
            Ok("Transfer-Encoding: gzip, chunked"),
        ),
        ("RFC 9110 §8.6", "PUT", &[length], full("ab"), Err(Misuse::Framing)),
        ("RFC 9110 §8.6", "PUT", &[("Content-Length", "+3")], full("abc"), Err(Misuse::Framing)),
        ("RFC 9110 §8.6", "PUT", &[length, length], full("abc"), Err(Misuse::Framing)),
        ("RFC 9112 §6.2", "PUT", &[length, chunked], Content::Streaming, Err(Misuse::Framing)),
        ("RFC 9112 §6.1", "PUT", &[chunked, chunked], Content::Streaming, Err(Misuse::Framing)),
        ("RFC 9112 §6.1", "PUT", &[("Transfer-Encoding", "chunked, gzip")], Content::Streaming, Err(Misuse::Framing)),
        ("RFC 9112 §6.1", "PUT", &[("Transfer-Encoding", "gzip")], Content::Streaming, Err(Misuse::Framing)),
        ("RFC 9112 §7.1", "PUT", &[chunked], full("abc"), Err(Misuse::Framing)),
        ("RFC 9110 §9.3.8", "TRACE", &[], full("abc"), Err(Misuse::TooMuchContent)),
        ("RFC 9110 §9.3.8", "TRACE", &[], Content::Streaming, Err(Misuse::TooMuchContent)),
        ("RFC 9110 §9.3.8", "TRACE", &[], Content::Empty, Ok("")),
    ] {
        let fields: Vec<_> = [("Host", "a")].iter().chain(fields).copied().collect();
        let wire = sent(method, "/", &fields, content.clone());
        let lines = wire.map(|wire| {
            let framing: Vec<_> =
                wire.split("\r\n").filter(|l| l.starts_with("Content-L") || l.starts_with("Transfer")).collect();
            framing.join("; ")
        });
        assert_eq!(lines, line.map(str::to_owned), "{section}: {method} {fields:?} {content:?}");
    }
}

#[test]
fn framing_of_responses() {
    let length = ("Content-Length", "3");
    let chunked = ("Transfer-Encoding", "chunked");
    // (section, request, status, fields, content, what follows the status-line)
    for (section, request, status, fields, content, rest) in [
        ("RFC 9110 §8.6", GET, 200, &[][..], Content::Empty, Ok("Content-Length: 0\r\n\r\n")),
        ("RFC 9110 §8.6", GET, 200, &[], full("abc"), Ok("Content-Length: 3\r\n\r\nabc")),
        ("RFC 9110 §8.6", GET, 404, &[], full("abc"), Ok("Content-Length: 3\r\n\r\nabc")),
        ("RFC 9112 §6.3", GET, 200, &[], Content::Streaming, Ok("Transfer-Encoding: chunked\r\n\r\n")),
        ("RFC 9112 §6.3", GET, 200, &[length], Content::Streaming, Ok("Content-Length: 3\r\n\r\n")),
        ("RFC 9112 §6.2", GET, 200, &[length, chunked], Content::Streaming, Err(Misuse::Framing)),
        ("RFC 9110 §8.6", GET, 200, &[length], full("abcd"), Err(Misuse::Framing)),
        ("RFC 9110 §8.6", GET, 200, &[("Content-Length", "3, 3")], full("abc"), Err(Misuse::Framing)),
        // HEAD: what GET would say, and no content.
        ("RFC 9110 §9.3.2", HEAD, 200, &[], full("abc"), Ok("Content-Length: 3\r\n\r\n")),
        ("RFC 9110 §8.6", HEAD, 200, &[], Content::Sized(7), Ok("Content-Length: 7\r\n\r\n")),
        ("RFC 9110 §8.6", HEAD, 200, &[length], Content::Empty, Ok("Content-Length: 3\r\n\r\n")),
        ("RFC 9110 §9.3.2", HEAD, 200, &[], Content::Empty, Ok("\r\n")),
        ("RFC 9110 §9.3.2", HEAD, 200, &[], Content::Streaming, Ok("\r\n")),
        ("RFC 9110 §9.3.2", HEAD, 200, &[chunked], Content::Streaming, Ok("Transfer-Encoding: chunked\r\n\r\n")),
        // 1xx, 204, 2xx to CONNECT: neither field; 304: only what the application knows of the 200.
        ("RFC 9110 §8.6", GET, 204, &[], Content::Empty, Ok("\r\n")),
        ("RFC 9110 §8.6", GET, 204, &[("Content-Length", "0")], Content::Empty, Err(Misuse::Framing)),
        ("RFC 9112 §6.1", GET, 204, &[chunked], Content::Streaming, Err(Misuse::TooMuchContent)),
        ("RFC 9110 §15.3.5", GET, 204, &[], full("abc"), Err(Misuse::TooMuchContent)),
        ("RFC 9110 §8.6", GET, 304, &[], Content::Empty, Ok("\r\n")),
        ("RFC 9110 §15.4.5", GET, 304, &[length], Content::Empty, Ok("Content-Length: 3\r\n\r\n")),
        ("RFC 9110 §8.6", GET, 304, &[], full("abc"), Ok("\r\n")),
        ("RFC 9110 §15.3.6", GET, 205, &[], Content::Empty, Ok("Content-Length: 0\r\n\r\n")),
        ("RFC 9110 §15.3.6", GET, 205, &[], full("abc"), Err(Misuse::TooMuchContent)),
        ("RFC 9110 §9.3.6", CONNECT, 200, &[], Content::Empty, Ok("\r\n")),
        ("RFC 9110 §9.3.6", CONNECT, 200, &[("Content-Length", "0")], Content::Empty, Err(Misuse::Framing)),
        ("RFC 9110 §9.3.6", CONNECT, 200, &[chunked], Content::Streaming, Err(Misuse::TooMuchContent)),
        ("RFC 9110 §15.2", GET, 103, &[], Content::Empty, Err(Misuse::Status)),
    ] {
        let wire = answered(request, status, fields, content.clone());
        let after = wire.map(|wire| wire.split_once("\r\n").unwrap().1.to_owned());
        assert_eq!(after, rest.map(str::to_owned), "{section}: {status} to {request:?} {fields:?} {content:?}");
    }
    // Interim responses have none of it.
    for fields in [&[("Content-Length", "0")][..], &[("Transfer-Encoding", "chunked")]] {
        let mut server = server();
        server.hears(GET);
        let sent = server.machine.send_interim(&response(103, fields), server.now);
        assert_eq!((sent, server.sends().as_str()), (Err(Misuse::Framing), ""), "RFC 9110 §8.6, RFC 9112 §6.1");
    }
}

#[test]
fn connection_names_what_is_for_the_next_hop_alone() {
    // RFC 9110 §7.6.1, §7.8, §10.1.4
    for (fields, options) in [
        (&[("TE", "trailers")][..], Some("TE")),
        (&[("TE", "gzip;q=0.5")], Some("TE")),
        (&[("TE", "")], Some("TE")),
        (&[("Upgrade", "x")], Some("upgrade")),
        (&[("Upgrade", "x"), ("TE", "trailers")], Some("upgrade, TE")),
        (&[("Upgrade", "x"), ("Connection", "Upgrade")], Some("Upgrade")),
        (&[("TE", "trailers"), ("Connection", "te")], Some("te")),
        (&[("Connection", "close")], Some("close")),
        (&[], None),
    ] {
        let fields: Vec<_> = [("Host", "a")].iter().chain(fields).copied().collect();
        let wire = sent("GET", "/", &fields, Content::Empty).unwrap();
        let lines: Vec<_> = wire.split("\r\n").filter_map(|line| line.strip_prefix("Connection: ")).collect();
        assert_eq!(lines.join(", "), options.unwrap_or_default(), "{fields:?}");
    }
    let wire = answered(GET, 426, &[("Upgrade", "x")], Content::Empty).unwrap();
    assert!(wire.contains("Upgrade: x\r\nContent-Length: 0\r\nConnection: upgrade\r\n"), "{wire}");
    // Both at once: the end of the connection, and an option.
    let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let wire = answered(last, 426, &[("Upgrade", "x")], Content::Empty).unwrap();
    assert!(wire.contains("Connection: close, upgrade\r\n"), "{wire}");
    let mut config = Config::default();
    config.persistence.keep_alive = false;
    for (fields, options) in
        [(&[("Upgrade", "x")][..], "close, upgrade"), (&[("Upgrade", "x"), ("TE", "trailers")], "close, upgrade, TE")]
    {
        let mut client = Client::client(config.clone());
        client.requests("GET", "/", fields, Content::Empty).unwrap();
        let wire = client.sends();
        assert!(wire.contains(&format!("Connection: {options}\r\n")), "{wire}");
    }
    let old = "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
    let wire = answered(old, 426, &[("Upgrade", "x")], Content::Empty).unwrap();
    assert!(wire.contains("Connection: keep-alive, upgrade\r\n"), "{wire}");
}

#[test]
fn an_answer_without_its_content_has_fields_that_its_client_knows() {
    // RFC 9112 §6.1: no Transfer-Encoding to HTTP/1.0, whatever of the content is left out.
    let old = "HEAD / HTTP/1.0\r\nHost: a\r\n\r\n";
    let chunked = [("Transfer-Encoding", "chunked")];
    assert_eq!(answered(old, 200, &chunked, Content::Streaming), Err(Misuse::Framing));
    for (request, fields) in [(HEAD, &chunked[..]), (old, &[("Content-Length", "5")]), (old, &[])] {
        let wire = answered(request, 200, fields, Content::Streaming).unwrap();
        assert!(wire.starts_with("HTTP/1.1 200 OK\r\n") && wire.ends_with("\r\n\r\n"), "{wire}");
    }
}

#[test]
fn the_longest_length_that_readers_take_is_sent() {
    let longest = i64::MAX as u64;
    for (request, told) in [(GET, Ok(())), (HEAD, Ok(()))] {
        let sent = answered(request, 200, &[], Content::Sized(longest));
        assert_eq!(sent.map(|wire| assert!(wire.contains("Content-Length: 9223372036854775807\r\n"))), told);
        assert_eq!(answered(request, 200, &[], Content::Sized(longest + 1)), Err(Misuse::Framing));
    }
}

#[test]
fn versions_are_ours() {
    // RFC 9110 §6.2: whatever the client speaks, we say what we are.
    for version in ["1.0", "1.1", "1.7"] {
        let request = format!("GET / HTTP/{version}\r\nHost: a\r\n\r\n");
        let wire = answered(&request, 200, &[], Content::Empty).unwrap();
        assert!(wire.starts_with("HTTP/1.1 200 OK\r\n"), "{wire}");
    }
    assert!(sent("GET", "/", &[("Host", "a")], Content::Empty).unwrap().starts_with("GET / HTTP/1.1\r\n"));
    // Refusals as well, of what is no HTTP/1.1 at all.
    assert_eq!(serve(&Config::default(), "GET / HTTP/2.0\r\n\r\n")[1], "answers 505");
}

#[test]
fn a_status_line_has_both_its_spaces() {
    // RFC 9112 §4
    let head = ResponseHead::with_reason_phrase(StatusCode::OK, "").unwrap();
    assert_eq!(head.as_wire(), b"HTTP/1.1 200 \r\n");
    let head = ResponseHead::new(StatusCode::new(799).unwrap());
    assert_eq!(head.as_wire(), b"HTTP/1.1 799 \r\n");
    let head = ResponseHead::with_reason_phrase(StatusCode::OK, b"All r\xeeght\t!").unwrap();
    assert_eq!(head.reason_phrase(), b"All r\xeeght\t!");
}

#[test]
fn dates_are_sent_if_there_is_a_clock() {
    // RFC 9110 §6.6.1, §5.6.7
    let mut server = server();
    server.hears(GET);
    assert!(!server.answers(200, "").contains("Date"), "without a clock none");
    server.machine.handle_date(imf_fixdate(784_111_777));
    for status in [200, 204, 304, 404, 500] {
        server.hears(GET);
        assert!(server.answers(status, "").contains("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), "{status}");
    }
    server.hears(GET);
    server.responds(200, &[("date", "x")], Content::Empty).unwrap();
    assert_eq!(server.sends().matches("ate: ").count(), 1, "the application's own stands");
    // A refusal too; and what could split a message is no date.
    server.machine.handle_date(*b"Sun, 06 Nov 1994\r\nX: 9:37 GMT");
    server.hears(GET);
    assert!(!server.answers(200, "").contains("Date"));
    server.machine.handle_date(imf_fixdate(0));
    server.hears("broken\r\n");
    assert!(server.sends().contains("\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
}

#[test]
fn trailers_follow_chunks_alone() {
    let section = |name: &str| {
        let mut fields = Fields::new();
        fields.push(name, "x").unwrap();
        fields
    };
    // RFC 9110 §6.5.1: fields for framing, routing, authentication, … stay out.
    for name in ["Content-Length", "transfer-encoding", "HOST", "Authorization", "Set-Cookie", "Content-Type", "TE"] {
        let mut server = server();
        server.hears(GET);
        server.responds(200, &[], Content::Streaming).unwrap();
        assert_eq!(server.machine.send_end(&section(name), server.now), Err(Misuse::Trailers), "{name}");
        assert_eq!(server.machine.send_end(&section("X-Sum"), server.now), Ok(()), "nothing was lost by it");
        assert!(server.sends().ends_with("\r\n\r\n0\r\nX-Sum: x\r\n\r\n"));
        let mut client = client();
        client.requests("PUT", "/", &[], Content::Streaming).unwrap();
        assert_eq!(client.machine.send_end(&section(name), client.now), Err(Misuse::Trailers), "{name}");
        assert_eq!(client.machine.send_end(&section("X-Sum"), client.now), Ok(()));
        assert!(client.sends().ends_with("\r\n\r\n0\r\nX-Sum: x\r\n\r\n"));
    }
    // RFC 9112 §7.1.2: there is no place for them elsewhere.
    for (request, content) in [(GET, Content::Sized(0)), ("GET / HTTP/1.0\r\n\r\n", Content::Streaming)] {
        let mut server = server();
        server.hears(request);
        server.responds(200, &[], content).unwrap();
        assert_eq!(server.machine.send_end(&section("X-Sum"), server.now), Err(Misuse::Trailers));
    }
}

#[test]
fn content_is_as_long_as_announced() {
    // RFC 9110 §8.6: neither more nor less ever reaches the wire.
    let mut server = server();
    server.hears(GET);
    server.responds(200, &[], Content::Sized(3)).unwrap();
    let piece = |text: &'static str| Bytes::from_static(text.as_bytes());
    assert_eq!(server.machine.send_content(piece("abcd"), server.now), Err(Misuse::TooMuchContent));
    assert_eq!(server.machine.send_content(piece("ab"), server.now), Ok(()));
    assert_eq!(server.machine.send_end(&Fields::new(), server.now), Err(Misuse::TooLittleContent));
    assert_eq!(server.machine.send_content_copy(b"cd", server.now), Err(Misuse::TooMuchContent));
    assert_eq!(server.machine.send_content_copy(b"c", server.now), Ok(()));
    assert_eq!(server.machine.send_end(&Fields::new(), server.now), Ok(()));
    assert_eq!(server.sends(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    // An empty piece is none, and does not end chunks.
    let mut server = self::server();
    server.hears(GET);
    server.responds(200, &[], Content::Streaming).unwrap();
    server.machine.send_content(Bytes::new(), server.now).unwrap();
    server.machine.send_content_copy(b"", server.now).unwrap();
    server.machine.send_content(piece("a"), server.now).unwrap();
    server.machine.send_end(&Fields::new(), server.now).unwrap();
    assert_eq!(server.sends(), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
}

#[test]
fn fields_go_out_as_they_were_pushed() {
    // RFC 9110 §5.3: order, case and repetition.
    let fields = [("b", "2"), ("A", "1"), ("B", "3"), ("set-Cookie", "x"), ("Set-Cookie", "y"), ("X", "\u{e9} \t z")];
    let wire = answered(GET, 204, &fields, Content::Empty).unwrap();
    let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let expected = format!("HTTP/1.1 204 No Content\r\n{lines}\r\n");
    assert_eq!(wire, latin1(expected.as_bytes()), "bytes above ASCII too");
    // Whitespace around a value is not of it (RFC 9110 §5.5): one space precedes it.
    let wire = answered(GET, 204, &[("X", " \t y \t")], Content::Empty).unwrap();
    assert!(wire.contains("\r\nX: y\r\n"), "{wire}");
}

#[test]
fn what_is_sent_is_read_alike() {
    // Each side reads the other's, so that nothing above is a matter of taste.
    let contents = || [Content::Empty, full("abc"), Content::Sized(3), Content::Streaming];
    for content in contents() {
        let streamed = matches!(content, Content::Sized(_) | Content::Streaming);
        let mut client = client();
        client.requests("PUT", "/", &[], content.clone()).unwrap();
        if streamed {
            client.machine.send_content(Bytes::from_static(b"abc"), client.now).unwrap();
            client.machine.send_end(&Fields::new(), client.now).unwrap();
        }
        let told = serve(&Config::default(), client.sends());
        let has = content != Content::Empty;
        assert_eq!(told.contains(&"content abc".to_owned()), has, "{content:?}");
        assert_eq!(told[told.len() - 2..], ["end", "answers 200"]);
        let mut server = server();
        server.hears(GET);
        server.responds(200, &[], content.clone()).unwrap();
        if streamed {
            server.machine.send_content(Bytes::from_static(b"abc"), server.now).unwrap();
            server.machine.send_end(&Fields::new(), server.now).unwrap();
        }
        let told = fetch(&Config::default(), "GET", server.sends(), None);
        assert_eq!(told.contains(&"content abc".to_owned()), has, "{content:?}");
        assert_eq!(told.last().unwrap(), "end");
    }
    assert_eq!(Version::Http11.as_str(), "HTTP/1.1");
}
