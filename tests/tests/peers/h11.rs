//! h11's test groups.

use bytes::Bytes;
use http_core::{Content, Deadline, End, Fields, Misuse};
use std::time::Duration;
use tests::scene::{Server, fetch, serve, whole_and_dripping};

use crate::{GET, NEXT, NOTHING, chunked, client, post, refused, server, strict};

#[test]
fn chunks_are_told_however_they_lie() {
    // Their boundaries are not told: tiny ones come together, large ones in pieces.
    whole_and_dripping(|drips| {
        let mut server = server();
        server.drips = drips;
        server.hears(chunked(""));
        server.wants();
        assert_eq!(server.hears("5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"), ["content 0123456789", "end"]);
    });
}

#[test]
fn client_talking_to_http10_server() {
    let mut client = client();
    client.requests("POST", "/", &[], Content::Full("1".into())).unwrap();
    client.sends();
    let told = client.hears("HTTP/1.0 200 OK\r\n\r\n2");
    assert_eq!(told, ["200", "content 2"]);
    assert_eq!(client.ends(End::Clean), ["end", "closed NotPersistent"]);
}

#[test]
fn server_talking_to_http10_client() {
    for (request, content, wire) in [
        ("GET / HTTP/1.0\r\n\r\n", Content::Streaming, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12"),
        (
            "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n10",
            Content::Full("12".into()),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n12",
        ),
    ] {
        let mut server = server();
        server.hears(request);
        server.wants();
        let streamed = content == Content::Streaming;
        server.responds(200, &[], content).unwrap();
        if streamed {
            server.machine.send_content(Bytes::from_static(b"12"), server.now).unwrap();
            server.machine.send_end(&Fields::new(), server.now).unwrap();
        }
        assert_eq!(server.sends(), wire);
        server.polls();
        assert!(server.is_over());
    }
}

#[test]
fn continue_100() {
    let expecting = post("Content-Length: 10\r\nExpect: 100-continue\r\n");
    // Answered early, refused early, and content that comes without.
    let mut server = server();
    server.hears(&expecting);
    assert!(server.answers(200, "").contains("\r\nConnection: close\r\n"));
    let mut server = self::server();
    server.hears(expecting + "12345");
    assert_eq!(server.wants(), ["content 12345"]);
    assert_eq!(server.sends(), "");
}

#[test]
fn max_incomplete_event_size_countermeasure() {
    let mut config = strict();
    config.limits.head = 5000;
    for bytes in [format!("GET / HTTP/1.0\r\nEndless: {}", "a".repeat(5000)), "GET / HTTP/1.0\r\nX: y\r\n".repeat(1000)]
    {
        let told = serve(&config, bytes);
        assert!(["answers 431", "answers 400"].contains(&told[1].as_str()) && told[2] == "closes", "{told:?}");
    }
    // Many requests in a row are none of it.
    let told = serve(&config, "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(200));
    assert_eq!(told.len(), 600);
}

#[test]
fn pipelining() {
    let mut server = server();
    assert_eq!(server.hears(post("Content-Length: 5\r\n") + "12345" + NEXT), ["POST /"]);
    assert_eq!(server.wants(), ["content 12345", "end"]);
    assert_eq!(server.polls(), NOTHING, "paused until this one is answered");
    assert!(!server.input.is_empty());
    server.answers(200, "");
    assert_eq!(server.polls(), ["GET /next", "end"]);
}

#[test]
fn protocol_switch() {
    // accepted, refused, and refused with keep-alive, for Upgrade and CONNECT
    for (request, status, fields) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: a, b\r\n\r\n", 101, &[("Upgrade", "b")][..]),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1", 200, &[]),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", 200, &[]),
    ] {
        let mut server = server();
        server.hears(format!("{request}123"));
        server.responds(status, fields, Content::Empty).unwrap();
        assert_eq!(server.polls().last().unwrap(), "switched");
        assert_eq!(server.input, "123");
        let mut server = self::server();
        server.hears(request);
        server.answers(404, "");
        server.polls();
        // h11 goes on behind a refused CONNECT as well; RFC 9931 §8, which is younger, closes.
        let goes_on: &[&str] = if request.starts_with("GET") { &["GET /next", "end"] } else { &[] };
        assert_eq!(server.hears(NEXT), goes_on, "{request}");
    }
    // 101 to nobody's wish, and 2xx to an ordinary request
    let mut server = server();
    server.hears(GET);
    assert_eq!(server.responds(101, &[("Upgrade", "x")], Content::Empty), Err(Misuse::Status));
    server.answers(200, "");
    assert_eq!(server.hears(NEXT), ["GET /next", "end"]);
}

#[test]
fn close_in_every_state() {
    // Whatever a server is at, the end of the stream and a close of ours lead to an end, and never to two.
    let states: [fn() -> Server; 6] = [
        server,
        || {
            let mut s = server();
            s.hears("GET ");
            s
        },
        || {
            let mut s = server();
            s.hears(post("Content-Length: 9\r\n") + "123");
            s
        },
        || {
            let mut s = server();
            s.hears(GET);
            s
        },
        || {
            let mut s = server();
            s.hears(GET);
            s.responds(200, &[], Content::Streaming).unwrap();
            s
        },
        || {
            let mut s = server();
            s.hears("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            s.answers(200, "");
            s
        },
    ];
    for (at, state) in states.iter().enumerate() {
        for end in [End::Clean, End::Unclean] {
            let mut server = state();
            let mut told = server.ends(end);
            server.machine.close(server.now);
            if server.machine.awaits_content() {
                server.machine.abandon(server.now);
            } else if server.machine.awaits_response() {
                told.extend(server.wants());
                server.machine.abandon(server.now);
            }
            server.sends();
            told.extend(server.polls());
            told.extend(server.waits(Duration::from_secs(100)));
            let ends = told.iter().filter(|word| word.starts_with("closed")).count();
            assert_eq!(ends, 1, "state {at}, {end:?}: {told:?}");
            assert_eq!((server.hears(GET), server.deadline()), (vec![], None));
        }
    }
}

#[test]
fn errors_leave_the_other_side_usable() {
    // A fault in the content of a request whose answer is under way: the answer is sent to its end.
    let mut server = server();
    server.hears(chunked(""));
    server.wants();
    server.responds(200, &[], Content::Full("answer".into())).unwrap();
    assert_eq!(server.hears("x"), ["refused ChunkSize"]);
    let wire = server.sends();
    assert!(wire.ends_with("answer") && wire.matches("HTTP/1.1").count() == 1, "{wire}");
    assert!(server.is_over());
}

#[test]
fn timeout_408() {
    let mut server = server();
    server.hears("GET / HTTP/1.1\r\n");
    assert_eq!(server.passes(Deadline::Head, Duration::from_secs(30)), ["refused HeadTimeout"]);
    assert!(server.sends().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
}

#[test]
fn early_detection_of_garbage() {
    // A TLS hello, on its first octet.
    let mut server = server();
    assert_eq!(server.hears("\x16"), ["refused TlsClientHello"]);
    assert!(server.sends().starts_with("HTTP/1.1 400 "));
    let mut client = client();
    client.gets("/");
    assert_eq!(client.hears("\x15"), ["refused VersionSyntax", "closed Failed(VersionSyntax)"]);
}

#[test]
fn head_framing_headers() {
    for (version, fields) in [("1.1", "Transfer-Encoding: chunked\r\n"), ("1.1", "Content-Length: 9\r\n"), ("1.0", "")]
    {
        let told = fetch(&strict(), "HEAD", format!("HTTP/{version} 200 OK\r\n{fields}\r\n"), Some(End::Clean));
        assert_eq!(told[..2], ["200", "end"], "{version} {fields:?}");
    }
}

#[test]
fn lost_connection_mid_body() {
    for bytes in [chunked("8\r\n01234"), post("Content-Length: 9\r\n") + "01234"] {
        let mut server = server();
        server.hears(bytes);
        assert_eq!(server.wants(), ["content 01234"]);
        // It is told, and may be answered.
        assert_eq!(server.ends(End::Clean), ["refused Truncated"]);
        assert!(server.answers(400, "").contains("\r\nConnection: close\r\n"));
        assert_eq!(server.polls(), ["closed NotPersistent"]);
    }
}

#[test]
fn io_readers() {
    for (bytes, reason) in [
        ("GET / HTTP/1.1 xxxxxx\r\n\r\n", "StartLine"),
        ("GET / HTTP/1.1 xxxxxx xxxx\r\n\r\n", "StartLine"),
        ("GET /\x00 HTTP/1.1\r\n\r\n", "Target"),
        ("GET /\x7f HTTP/1.1\r\n\r\n", "Target"),
        ("GET / HTTP/1.1\r\nA\x00: b\r\n\r\n", "FieldName"),
        ("GET / HTTP/1.1\r\n  foo: line\r\n\r\n", "LeadingSpace"),
        ("GET / HTTP/1.1\r\nfoo\x0b: line\r\n\r\n", "FieldName"),
        ("GET / HTTP/1.1\r\nfoo bar: line\r\n\r\n", "SpaceBeforeColon"),
        ("GET / HTTP/1.1\r\n: line\r\n\r\n", "FieldName"),
        ("GET / HTTP/1.1\r\nfoo: line\x01\r\n\r\n", "FieldValue"),
    ] {
        assert_eq!(serve(&strict(), bytes), refused(reason, 400), "{bytes:?}");
    }
    // odd cookies are allowed, and octets above ASCII
    let mut server = server();
    server.hears("GET / HTTP/1.1\r\nHost: a\r\nSet-Cookie: ___utmvafIumyLc=kUd\u{e9}; path=/; Max-Age=900\r\n\r\n");
    assert!(server.field("set-cookie").is_some());
}

#[test]
fn transfer_encoding_headers() {
    for (value, told) in [
        ("chunked", "POST /"),
        ("cHuNkEd", "POST /"),
        ("gzip", "refused TransferEncoding"),
        ("chunked, gzip", "refused TransferEncoding"),
        ("gzip, chunked", "refused TransferCodingUnknown"),
    ] {
        assert_eq!(
            serve(&strict(), post(&format!("Transfer-Encoding: {value}\r\n")) + "0\r\n\r\n")[0],
            told,
            "{value}"
        );
    }
}

#[test]
fn invalid_delimiters() {
    for end in ["\r\r\n\r\r\n", "\n\r\n\r", "\r\n\n\r\n"] {
        let told = serve(&strict(), format!("GET / HTTP/1.1{end}Host: a\r\n\r\n"));
        assert_eq!(told[1..], ["answers 400", "closes"], "{end:?}");
    }
}
