//! hyper's unit tests.

use bytes::Bytes;
use http_core::client::Readiness;
use http_core::{Config, Content, End, Fields, Misuse, ResponseHead, StatusCode};
use tests::scene::{Client, fetch, serve};

use crate::{GET, NOTHING, OK, chunked, client, post, refused, server, strict};

#[test]
fn conn_reads_and_ends() {
    let mut server = server();
    assert_eq!(server.hears(&GET[..7]), NOTHING, "a partial head");
    assert_eq!(server.hears(&GET[7..]), ["GET /", "end"]);
    // a server takes the end of the stream while busy, a client does not
    assert_eq!(server.ends(End::Clean), NOTHING);
    let mut client = client();
    client.gets("/");
    assert_eq!(client.ends(End::Clean), ["closed Unanswered"]);
    // a connection that is over can be neither read nor written
    assert_eq!(client.hears(OK), NOTHING);
    assert_eq!(client.requests("GET", "/", &[], Content::Empty), Err(Misuse::Closed));
    // an empty response before the end
    let told = fetch(&strict(), "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Some(End::Clean));
    assert_eq!(told, ["200", "end", "closed ByPeer"]);
}

#[test]
fn decode_chunk_sizes() {
    for (line, size) in [
        ("1", 1),
        ("01", 1),
        ("A", 10),
        ("a", 10),
        ("Ff", 255),
        ("1;extension", 1),
        ("a;ext ", 0),
        ("1;e;e2", 1),
        ("3   ; extension=123", 3),
        // hyper takes these, RFC 9112 §7.1.1 does not
        ("Ff   ", 0),
        ("a;ext name=value", 0),
        ("1;;;  ;", 0),
        ("3   ;   ", 0),
        ("F\rF", 0),
        ("", 0),
        ("X", 0),
        ("1X", 0),
        ("-", 0),
        ("-1", 0),
        ("1 A", 0),
        ("1 invalid extension", 0),
        ("1;reject\nnewlines", 0),
        ("f0000000000000003", 0),
    ] {
        let told = serve(&strict(), chunked(&format!("{line}\r\n{}\r\n0\r\n\r\n", "x".repeat(size))));
        let good = told.last().unwrap() == "answers 200";
        assert_eq!(good, size > 0, "{line:?}: {told:?}");
        let content = if size > 64 { format!("content of {size}") } else { format!("content {}", "x".repeat(size)) };
        assert!(!good || told[1] == content, "{line:?}: {told:?}");
    }
    for zeros in ["0", "00", "000;a"] {
        let told = serve(&strict(), chunked(&format!("{zeros}\r\n\r\n")));
        assert_eq!(told, ["POST /", "end", "answers 200"], "{zeros}");
    }
}

#[test]
fn decode_early_ends() {
    let length = post("Content-Length: 10\r\n") + "foo bar";
    for bytes in
        [length, chunked("9\r\nfoo bar"), chunked("5"), chunked("1;no-CRLF"), chunked("1\r\nx\r\n0\r\nX: y\r\n")]
    {
        let mut server = server();
        server.hears(bytes);
        server.wants();
        assert_eq!(server.ends(End::Clean), ["refused Truncated"]);
        assert_eq!(server.polls(), NOTHING, "nothing is read after the end");
    }
    // the line of a trailer without its LF
    let told = serve(&strict(), chunked("0\r\ntrailer: value\r\r\n"));
    assert_eq!(told[1..], refused("BareCr", 400));
}

#[test]
fn decode_trailers() {
    let mut config = strict();
    config.limits.trailer_fields = 10;
    let of = |n: usize| chunked(&format!("10\r\n1234567890abcdef\r\n0\r\n{}\r\n", "t: v\r\n".repeat(n)));
    let told = serve(&config, of(10));
    assert_eq!(told[2], format!("end{}", " t: v".repeat(10)), "repeated ones are kept");
    assert_eq!(serve(&config, of(11))[2..], refused("TooManyFields", 431), "count limit");
    let huge = chunked(&format!("0\r\nhuge: {}\r\n\r\n", "x".repeat(20_000)));
    assert_eq!(serve(&strict(), huge)[1..], refused("TrailersTooLong", 431));
}

/// The table of `test_decoder_request`.
#[test]
fn decoder_request() {
    let length = |told: &[String]| told.iter().any(|word| word == "content 0\r\n\r\n78910");
    for (lines, reason) in [
        ("Transfer-Encoding: chunked\r\n", None),
        ("Content-Length: 10\r\n", None),
        ("Transfer-Encoding: gzip, chunked\r\n", Some("TransferCodingUnknown")),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", Some("TransferCodingUnknown")),
        ("Content-Length: 10\r\nTransfer-Encoding: chunked\r\n", Some("TransferEncodingWithLength")),
        ("Transfer-Encoding: chunked\r\nContent-Length: 10\r\n", Some("TransferEncodingWithLength")),
        ("Transfer-Encoding: gzip\r\nContent-Length: 10\r\n", Some("TransferEncoding")),
        ("Content-Length: 10\r\nContent-Length: 10\r\n", Some("ContentLengthList")),
        ("Content-Length: 10\r\nContent-Length: 11\r\n", Some("ContentLengthConflict")),
        ("Content-Length: +10\r\n", Some("ContentLength")),
        ("Transfer-Encoding: gzip\r\n", Some("TransferEncoding")),
        ("Transfer-Encoding: chunked, gzip\r\n", Some("TransferEncoding")),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: late\r\n", Some("TransferEncoding")),
    ] {
        let told = serve(&strict(), post(lines) + "0\r\n\r\n78910");
        match reason {
            Some(reason) => assert_eq!(told[0], format!("refused {reason}"), "{lines:?}"),
            None => assert_eq!(length(&told), lines.starts_with("Content"), "{lines:?}: {told:?}"),
        }
    }
    assert_eq!(serve(&strict(), post("")), ["POST /", "end", "answers 200"]);
    let old = post("Transfer-Encoding: chunked\r\n").replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(serve(&strict(), old)[0], "refused TransferEncodingInHttp10");
    // With the switch, what hyper does: by the coding, and not kept.
    let told = serve(&Config::interop(), post("Content-Length: 10\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n");
    assert_eq!(told, ["POST /", "end", "answers 200", "closes"]);
}

/// The table of `test_decoder_response`.
#[test]
fn decoder_response() {
    let ok = ["200", "content 0\r\n\r\n", "end", "closed NotPersistent"];
    for (method, status, lines, told) in [
        ("GET", "200 OK", "", &ok[..]),
        ("GET", "200 OK", "Transfer-Encoding: yolo\r\n", &ok),
        ("GET", "200 OK", "Content-Length: 5\r\n", &["200", "content 0\r\n\r\n", "end", "closed ByPeer"]),
        (
            "GET",
            "200 OK",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            &["200", "content 0\r\n\r\n", "end", "closed ByPeer"],
        ),
        (
            "GET",
            "200 OK",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            &["refused ContentLengthConflict", "closed Failed(ContentLengthConflict)"],
        ),
        ("GET", "200 OK", "Transfer-Encoding: chunked\r\n", &["200", "end", "closed ByPeer"]),
        ("GET", "200 OK", "Transfer-Encoding: gzip, chunked\r\n", &["200", "end", "closed ByPeer"]),
        (
            "GET",
            "200 OK",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            &["refused TransferEncodingWithLength", "closed Failed(TransferEncodingWithLength)"],
        ),
        ("GET", "204 No Content", "", &["204", "end", "refused SurplusBytes", "closed Failed(SurplusBytes)"]),
        (
            "GET",
            "304 Not Modified",
            "Content-Length: 5\r\n",
            &["304", "end", "refused SurplusBytes", "closed Failed(SurplusBytes)"],
        ),
        (
            "HEAD",
            "200 OK",
            "Content-Length: 5\r\n",
            &["200", "end", "refused SurplusBytes", "closed Failed(SurplusBytes)"],
        ),
        ("CONNECT", "200 OK", "Content-Length: 5\r\n", &["200", "switched"]),
    ] {
        let bytes = format!("HTTP/1.1 {status}\r\n{lines}\r\n0\r\n\r\n");
        assert_eq!(fetch(&strict(), method, bytes, Some(End::Clean)), told, "{method} {status} {lines:?}");
    }
    let old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(fetch(&strict(), "GET", old, None)[0], "refused TransferEncodingInHttp10");
}

#[test]
fn role_parsing() {
    for (name, bytes, strict_reason, lenient) in [
        ("spaces before colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "SpaceBeforeColon", false),
        ("multiple spaces in a request line", "GET   /   HTTP/1.1\r\nHost: a\r\n\r\n", "StartLine", false),
        ("LF line ends", "GET / HTTP/1.1\nHost: a\n\n", "BareLf", true),
        ("folds", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", "ObsFold", true),
        ("HTTP/0.9", "GET /\r\n\r\n", "StartLine", false),
    ] {
        assert_eq!(serve(&strict(), bytes), refused(strict_reason, 400), "{name}");
        let told = serve(&Config::interop(), bytes);
        assert_eq!(told.last().unwrap() == "answers 200", lenient, "{name}");
    }
    // header case kept; a tab in a value
    let mut server = server();
    server.hears("GET / HTTP/1.1\r\nHoSt: a\r\nX-ODD-case: a\tb\r\n\r\n");
    let fields = server.head.as_ref().unwrap().fields();
    let names: Vec<_> = fields.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["HoSt", "X-ODD-case"]);
    assert_eq!(server.field("x-odd-CASE").as_deref(), Some("a\tb"));
}

#[test]
fn encode() {
    let mut server = server();
    server.hears(GET);
    server.responds(200, &[], Content::Streaming).unwrap();
    for piece in ["foo bar", "baz quux herp"] {
        server.machine.send_content(Bytes::from_static(piece.as_bytes()), server.now).unwrap();
    }
    server.machine.send_content(Bytes::new(), server.now).unwrap();
    server.machine.send_end(&Fields::new(), server.now).unwrap();
    assert!(
        server.sends().ends_with("\r\n\r\n7\r\nfoo bar\r\nd\r\nbaz quux herp\r\n0\r\n\r\n"),
        "body_empty_chunks_ignored"
    );
    assert_eq!(server.machine.send_end(&Fields::new(), server.now), Err(Misuse::NotYourTurn), "one end");
}

#[test]
fn dispatch() {
    // client_read_bytes_before_writing_request
    let mut early = client();
    assert_eq!(early.hears(OK), ["refused SurplusBytes", "closed Failed(SurplusBytes)"]);
    assert_eq!(early.requests("GET", "/", &[], Content::Empty), Err(Misuse::Closed));
    // client_flushing_is_not_ready_for_next_request
    let mut client = client();
    client.requests("PUT", "/", &[], Content::Sized(4)).unwrap();
    client.machine.send_content(Bytes::from_static(b"rep"), client.now).unwrap();
    client.machine.handle_sent(10, client.now);
    assert_eq!(client.machine.readiness(), Readiness::Busy);
    // conn_reset_after_write: what may have been applied is told as sent
    let mut client = Client::client(strict());
    client.gets("/");
    client.ends(End::Unclean);
    let unanswered: Vec<_> = client.machine.unanswered().collect();
    assert_eq!(unanswered.len(), 1);
    assert!(format!("{:?}", unanswered[0]).contains("All"), "{unanswered:?}");
}

#[test]
fn reason_phrases() {
    for (phrase, good) in [
        (&b""[..], true),
        (b"Cool", true),
        (b"b\xe4d", true),
        (b"a\tb c", true),
        (b"a\rb", false),
        (b"a\nb", false),
        (b"\0", false),
        (b"\x7f", false),
    ] {
        assert_eq!(ResponseHead::with_reason_phrase(StatusCode::OK, phrase).is_ok(), good, "{}", phrase.escape_ascii());
    }
}
