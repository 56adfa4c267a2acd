//! hyper's `tests/server.rs`.

use bytes::Bytes;
use http_core::{Config, Content, Deadline, End, Fields, Misuse, Outline, make_header_response};
use std::time::Duration;
use tests::scene::{Server, response, serve};

use crate::{GET, NEXT, NOTHING, chunked, post, refused, server, strict};

/// What follows the status-line of the answer to `request`: its head and content in these pieces.
fn answer(request: &str, fields: &[(&str, &str)], content: Content, pieces: &[&'static str]) -> String {
    let mut server = server();
    server.hears(request);
    let streamed = matches!(content, Content::Sized(_) | Content::Streaming);
    server.responds(200, fields, content).unwrap();
    for piece in pieces {
        server.machine.send_content(Bytes::from_static(piece.as_bytes()), server.now).unwrap();
    }
    if streamed {
        let _ = server.machine.send_end(&Fields::new(), server.now);
    }
    server.sends().split_once("\r\n").unwrap().1.to_owned()
}

const LENGTH: (&str, &str) = ("Content-Length", "5");
const CHUNKED: (&str, &str) = ("Transfer-Encoding", "chunked");

#[test]
fn response_body_lengths() {
    let hello = || Content::Full("hello".into());
    let fixed = "Content-Length: 5\r\n\r\nhello";
    let chunks = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (name, fields, content, pieces, wire) in [
        ("fixed_response_known", &[LENGTH][..], hello(), &[][..], fixed),
        ("fixed_response_unknown", &[LENGTH], Content::Streaming, &["hello"], fixed),
        ("fixed_response_known_empty", &[("Content-Length", "0")], Content::Empty, &[], "Content-Length: 0\r\n\r\n"),
        ("chunked_response_unknown", &[CHUNKED], Content::Streaming, &["hello"], chunks),
        (
            "chunked_response_known_empty",
            &[CHUNKED],
            Content::Streaming,
            &[],
            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("auto_response_with_unknown_length", &[], Content::Streaming, &["hello"], chunks),
        ("auto_response_with_known_length", &[], hello(), &[], fixed),
        ("auto_response_known_empty", &[], Content::Empty, &[], "Content-Length: 0\r\n\r\n"),
        (
            "te_response_adds_chunked",
            &[("Transfer-Encoding", "gzip, chunked")],
            Content::Streaming,
            &["hello"],
            "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
    ] {
        assert_eq!(answer(GET, fields, content, pieces), wire, "{name}");
    }
    // Ours sends content in chunks only if it is streamed, and adds nothing to a coding that the application names.
    for (fields, content) in [(&[CHUNKED][..], hello()), (&[("Transfer-Encoding", "gzip")], Content::Streaming)] {
        let mut server = server();
        server.hears(GET);
        assert_eq!(server.responds(200, fields, content), Err(Misuse::Framing));
    }
}

#[test]
fn http10_responses() {
    let old = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";
    let wire = answer(old, &[], Content::Streaming, &["hello"]);
    assert_eq!(wire, "Connection: close\r\n\r\nhello", "http10_auto_response_with_unknown_length");
    // hyper strips the coding; ours refuses it before anything is sent (http10_chunked_response).
    let mut server = server();
    server.hears(old);
    assert_eq!(server.responds(200, &[CHUNKED], Content::Streaming), Err(Misuse::Framing));
    // http_10_request_receives_http_10_response: RFC 9110 §2.5 has a server send its own version.
    assert!(server.answers(200, "").starts_with("HTTP/1.1 "));
}

#[test]
fn head_responses() {
    let head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    let sized = answer(head, &[], Content::Full("hello".into()), &[]);
    assert_eq!(sized, "Content-Length: 5\r\n\r\n", "head_response_can_send_content_length, _doesnt_send_body");
    assert_eq!(answer(head, &[], Content::Empty, &[]), "\r\n", "no_implicit_zero_content_length_for_head_responses");
    assert_eq!(answer(head, &[LENGTH], Content::Empty, &[]), "Content-Length: 5\r\n\r\n");
}

#[test]
fn responses_304() {
    for (name, fields, content, rest) in [
        ("response_does_not_set_chunked_if_body_not_allowed", &[][..], Content::Streaming, "\r\n"),
        ("skips_content_length_for_304_responses", &[], Content::Empty, "\r\n"),
        ("skips_content_length_and_body_for_304_responses", &[], Content::Full("hello".into()), "\r\n"),
    ] {
        let mut server = server();
        server.hears(GET);
        server.responds(304, fields, content).unwrap();
        assert_eq!(server.sends(), format!("HTTP/1.1 304 Not Modified\r\n{rest}"), "{name}");
    }
}

#[test]
fn control_data() {
    let head = http_core::ResponseHead::with_reason_phrase(http_core::StatusCode::OK, "Cool").unwrap();
    assert_eq!(head.as_wire(), b"HTTP/1.1 200 Cool\r\n", "get_response_custom_reason_phrase");
    let mut out = Vec::new();
    let made = make_header_response(&response(103, &[]), &Content::Empty, &Outline::default(), &mut out);
    assert_eq!((made, out.len()), (Err(Misuse::Status), 0), "returning_1xx_response_is_error");
}

#[test]
fn streaming_body() {
    let mut server = server();
    server.hears(GET);
    server.responds(200, &[], Content::Streaming).unwrap();
    let mut wire = server.sends();
    for _ in 0..100 {
        server.machine.send_content(Bytes::from_static(&[b'x'; 1000]), server.now).unwrap();
        wire += &server.sends();
    }
    server.machine.send_end(&Fields::new(), server.now).unwrap();
    wire += &server.sends();
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(wire.len(), head.len() + 100 * (5 + 1000 + 2) + 5);
}

#[test]
fn request_bodies() {
    for (name, bytes, told) in [
        ("get_should_ignore_body", GET.to_owned(), &["GET /", "end", "answers 200"][..]),
        (
            "get_with_body",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".into(),
            &["GET /", "content abc", "end", "answers 200"],
        ),
        (
            "post_with_content_length_body",
            post("Content-Length: 5\r\n") + "hello",
            &["POST /", "content hello", "end", "answers 200"],
        ),
        (
            "post_with_chunked_body",
            chunked("1\r\nq\r\n2\r\nwe\r\n2\r\nrt\r\n0\r\n\r\n"),
            &["POST /", "content qwert", "end", "answers 200"],
        ),
        (
            "post_with_chunked_missing_final_digit",
            chunked("1\r\nZ\r\n\r\n\r\n"),
            &["POST /", "content Z", "refused ChunkSize", "answers 400", "closes"],
        ),
        (
            "post_with_chunked_overflow",
            chunked("f0000000000000003\r\nabc\r\n"),
            &["POST /", "refused ChunkSize", "answers 400", "closes"],
        ),
    ] {
        assert_eq!(serve(&strict(), bytes), told, "{name}");
    }
    for value in ["+5", "foo"] {
        // post_with_invalid_prefix_content_length, illegal_request_length_returns_400_response
        let told = serve(&strict(), post(&format!("Content-Length: {value}\r\n")) + "hello");
        assert_eq!(told, refused("ContentLength", 400));
    }
    // post_with_incomplete_body
    let mut server = server();
    server.hears(post("Content-Length: 10\r\n") + "12345");
    server.wants();
    // It is told, and what is answered is sent.
    assert_eq!(server.ends(End::Clean), ["refused Truncated"]);
    server.answers(400, "");
    assert_eq!(server.polls(), ["closed NotPersistent"]);
}

#[test]
fn parse_errors_send_4xx_response() {
    assert_eq!(serve(&strict(), "GE T / HTTP/1.1\r\n"), refused("VersionSyntax", 400));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1024 * 65));
    assert_eq!(serve(&strict(), long), refused("TargetTooLong", 414), "http_11_uri_too_long");
    let name = format!("GET / HTTP/1.1\r\n{}: foo\r\n\r\n", "a".repeat(1024 * 65));
    assert_eq!(serve(&strict(), name), refused("FieldLineTooLong", 431), "header_name_too_long");
    let mut config = strict();
    config.limits.head = 8192;
    let lines = "x: yyyyyyyy\r\n".repeat(100);
    config.limits.fields = 10_000;
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", lines.repeat(8));
    assert_eq!(serve(&config, large), refused("HeadTooLong", 431), "max_buf_size, _split_header_boundary");
}

#[test]
fn keep_alive() {
    let mut server = server();
    for _ in 0..2 {
        server.hears(GET);
        assert!(!server.answers(200, "hello").contains("Connection"));
    }
    let mut old = self::server();
    for _ in 0..2 {
        old.hears("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
        assert!(old.answers(200, "hello").contains("\r\nConnection: keep-alive\r\n"), "http_10_keep_alive");
    }
    old.hears("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    old.answers(200, "hello");
    assert!(old.is_over(), "http_10_close_on_no_ka");
    // get_chunked_response_with_ka
    let chunks =
        answer(&GET.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n"), &[], Content::Streaming, &["a"]);
    assert_eq!(chunks, "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
}

#[test]
fn keep_alive_ends() {
    let mut config = strict();
    config.persistence.keep_alive = false;
    let mut server = Server::server(config);
    server.hears(GET);
    assert!(server.answers(200, "").contains("Connection: close"), "disable_keep_alive");
    // disable_keep_alive_mid_request: told while a request is coming in
    let mut server = self::server();
    server.hears(&GET[..20]);
    server.machine.close(server.now);
    server.hears(&GET[20..]);
    assert!(server.answers(200, "").contains("Connection: close"));
    assert!(server.is_over());
    // disable_keep_alive_post_request
    let mut server = self::server();
    server.hears(GET);
    server.answers(200, "");
    server.machine.close(server.now);
    assert_eq!(server.polls(), ["closed ByUs"]);
    // graceful_shutdown_before_first_request_no_block
    let mut server = self::server();
    server.machine.close(server.now);
    assert_eq!(server.polls(), ["closed ByUs"]);
    // header_connection_close
    let mut server = self::server();
    server.hears(GET);
    server.responds(200, &[("Connection", "close")], Content::Empty).unwrap();
    server.sends();
    assert!(server.is_over());
}

#[test]
fn pipelining() {
    // pipeline_enabled: both answers can leave in one write
    let mut server = server();
    server.input.extend_from_slice(GET.repeat(2).as_bytes());
    for _ in 0..2 {
        assert_eq!(server.polls(), ["GET /", "end"]);
        server.responds(200, &[], Content::Full("hello".into())).unwrap();
    }
    assert_eq!(server.sends().matches("hello").count(), 2);
    // pipeline_disabled: or in two
    server.input.extend_from_slice(GET.repeat(2).as_bytes());
    for _ in 0..2 {
        assert_eq!(server.polls(), ["GET /", "end"]);
        assert_eq!(server.answers(200, "hello").matches("hello").count(), 1);
    }
}

#[test]
fn ends_of_the_stream() {
    let mut server = server();
    assert_eq!(server.ends(End::Clean), ["closed ByPeer"], "empty_parse_eof_does_not_return_error");
    let mut server = self::server();
    server.hears("GET");
    assert_eq!(server.ends(End::Clean)[0], "refused Truncated", "nonempty_parse_eof_returns_error");
    let mut server = self::server();
    server.hears(GET);
    assert_eq!(server.ends(End::Clean), NOTHING, "http1_allow_half_close");
    assert!(server.answers(200, "hello").ends_with("hello"));
    let mut server = self::server();
    server.hears(GET);
    assert_eq!(server.ends(End::Unclean), ["closed Broken"], "disconnect_after_reading_request_before_responding");
}

#[test]
fn expect_continue() {
    let expecting = |expect: &str| post(&format!("Content-Length: 5\r\nExpect: {expect}\r\n"));
    for expect in ["100-continue", "100-Continue", "100-CONTINUE"] {
        let mut server = server();
        server.hears(expecting(expect));
        assert_eq!(server.sends(), "", "expect_continue_waits_for_body_poll");
        server.wants();
        assert_eq!(server.sends(), "HTTP/1.1 100 Continue\r\n\r\n", "expect_continue_sends_100");
        assert_eq!(server.hears("hello"), ["content hello", "end"]);
    }
    for bytes in [
        expecting("100-continue").replace("HTTP/1.1", "HTTP/1.0"), // _but_http_10_is_ignored
        "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n".into(), // _but_no_body_is_ignored
    ] {
        let mut server = server();
        server.hears(bytes);
        server.wants();
        assert_eq!(server.sends(), "");
    }
}

#[test]
fn header_read_timeouts() {
    let limit = Duration::from_secs(30);
    let mut server = server();
    server.hears("GET / HTTP/1.1\r\n");
    for _ in 0..9 {
        assert_eq!(server.waits(Duration::from_secs(3)), NOTHING);
        server.hears("Something: 1\r\n");
    }
    assert_eq!(server.passes(Deadline::Head, limit - Duration::from_secs(27)), ["refused HeadTimeout"], "_slow_writes");
    // _slow_writes_multiple_requests: each head has its own time
    let mut server = self::server();
    for _ in 0..3 {
        server.hears(&GET[..10]);
        assert_eq!(server.waits(Duration::from_secs(29)), NOTHING);
        server.hears(&GET[10..]);
        server.answers(200, "");
        server.polls();
    }
    // _starts_immediately, _as_idle_timeout: until its first byte the longer one for idling runs
    assert_eq!(self::server().deadline(), Some((Deadline::Idle, Duration::from_secs(75))));
}

#[test]
fn upgrades_and_connect() {
    let offer = GET.replace("\r\n\r\n", "\r\nConnection: upgrade\r\nUpgrade: foobar\r\n\r\n");
    let mut server = server();
    server.hears(&offer);
    server.responds(101, &[("Upgrade", "foobar")], Content::Empty).unwrap();
    server.sends();
    assert_eq!(server.hears("eagerly optimistic"), ["switched"], "upgrades, http_connect_new");
    assert_eq!(server.input, "eagerly optimistic");
    let told = serve(&strict(), offer);
    assert_eq!(told, ["GET /", "end", "answers 200"], "upgrades_ignored");
    // http1_only
    let told = serve(&strict(), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!(told, refused("Http2Preface", 505));
}

#[test]
fn trailers() {
    let section = |fields: &[(&str, &str)]| {
        let mut section = Fields::new();
        fields.iter().for_each(|(name, value)| section.push(name, value).unwrap());
        section
    };
    // http1_trailer_send_fields: as they are, in their case
    let mut server = server();
    server.hears(GET.replace("\r\n\r\n", "\r\nTE: trailers\r\nConnection: TE\r\n\r\n"));
    assert!(server.head.as_ref().unwrap().accepts_trailers());
    server.responds(200, &[("Trailer", "chunky-trailer")], Content::Streaming).unwrap();
    server.machine.send_content(Bytes::from_static(b"hello"), server.now).unwrap();
    let forbidden = server.machine.send_end(&section(&[("Content-Length", "5")]), server.now);
    assert_eq!(forbidden, Err(Misuse::Trailers), "hyper drops them, ours says so");
    server.machine.send_end(&section(&[("chunky-trailer", "a"), ("Chunky-Trailer", "b")]), server.now).unwrap();
    assert!(server.sends().ends_with("5\r\nhello\r\n0\r\nchunky-trailer: a\r\nChunky-Trailer: b\r\n\r\n"));
    // http1_trailer_fields_not_allowed, _with_comma_separated_te, _multiple_te_headers: the application is told
    for (lines, accepts) in
        [("", false), ("TE: gzip\r\n", false), ("TE: gzip, Trailers\r\n", true), ("TE: gzip\r\nTE: trailers\r\n", true)]
    {
        let mut server = self::server();
        server.hears(format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"));
        assert_eq!(server.head.as_ref().unwrap().accepts_trailers(), accepts, "{lines:?}");
    }
    // http1_trailer_recv_fields, http1_trailer_recv_keep_alive
    let told = serve(&Config::default(), chunked("5\r\nhello\r\n0\r\nFoo: bar\r\n\r\n") + NEXT);
    assert_eq!(told[..4], ["POST /", "content hello", "end Foo: bar", "answers 200"]);
    assert_eq!(told[4..], ["GET /next", "end", "answers 200"]);
}
