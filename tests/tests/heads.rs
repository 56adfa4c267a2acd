//! What a head says of itself, after it was read and after it was built.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use std::time::Duration;

use bytes::BytesMut;
use http_core::{
    Config, Content, Framing, Instant, Method, RequestHead, ResponseHead, StatusCode, Version, client, server,
};

fn request(head: &str) -> RequestHead {
    let mut connection = server::Connection::new(Config::default().into(), Instant::ZERO);
    match connection.poll_event(&mut BytesMut::from(head), Instant::ZERO) {
        Ok(Some(server::Event::Request(head))) => head,
        other => panic!("{head:?}: {other:?}"),
    }
}

fn response(head: &str) -> ResponseHead {
    let mut connection = client::Connection::new(Config::default().into(), Instant::ZERO);
    let get = RequestHead::new(Method::Get, "/").unwrap().with("Host", "a").unwrap();
    connection.send_request(&get, Content::Empty, Instant::ZERO).unwrap();
    let mut slices = [&b""[..]; 4];
    let sent = connection.transmit(&mut slices);
    connection.handle_sent(slices[..sent].iter().map(|slice| slice.len()).sum(), Instant::ZERO);
    match connection.poll_event(&mut BytesMut::from(head), Instant::ZERO) {
        Ok(Some(client::Event::Response(head))) => head,
        other => panic!("{head:?}: {other:?}"),
    }
}

#[test]
fn a_request_tells_whether_its_content_waits() {
    // RFC 9110 §10.1.1
    for (version, fields, waits) in [
        ("1.1", "Content-Length: 1\r\nExpect: 100-continue\r\n", true),
        ("1.1", "Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n", true),
        ("1.0", "Content-Length: 1\r\nExpect: 100-continue\r\n", false),
        ("1.1", "Content-Length: 1\r\n", false),
        ("1.1", "Expect: 100-continue\r\n", false),
        ("1.1", "Content-Length: 0\r\nExpect: 100-continue\r\n", false),
    ] {
        let head = request(&format!("POST / HTTP/{version}\r\nHost: a\r\n{fields}\r\n"));
        assert_eq!(head.expects_continue(), waits, "{version} {fields:?}");
    }
}

#[test]
fn a_request_tells_whether_it_offers_an_upgrade() {
    // RFC 9110 §7.8: both fields, in HTTP/1.1
    for (version, fields, offers) in [
        ("1.1", "Connection: upgrade\r\nUpgrade: x\r\n", true),
        ("1.1", "Connection: keep-alive, Upgrade\r\nUpgrade: x\r\n", true),
        ("1.1", "Upgrade: x\r\n", false),
        ("1.1", "Connection: upgrade\r\n", false),
        ("1.1", "", false),
        ("1.0", "Connection: upgrade\r\nUpgrade: x\r\n", false),
    ] {
        let head = request(&format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n"));
        assert_eq!(head.offers_upgrade(), offers, "{version} {fields:?}");
    }
}

#[test]
fn a_response_tells_its_version_and_framing() {
    let framings = [
        ("Content-Length: 3\r\n", Framing::Length(3)),
        ("Transfer-Encoding: chunked\r\n", Framing::Chunked),
        ("", Framing::UntilClose),
    ];
    for (fields, framing) in framings {
        assert_eq!(response(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).framing(), framing, "RFC 9112 §6.3");
    }
    // RFC 9110 §2.5: a minor version above ours is read as ours.
    for (line, version, minor) in
        [("HTTP/1.0", Version::Http10, 0), ("HTTP/1.1", Version::Http11, 1), ("HTTP/1.2", Version::Http11, 2)]
    {
        let head = response(&format!("{line} 204 No Content\r\n\r\n"));
        assert_eq!((head.version(), head.minor_version()), (version, minor), "{line}");
    }
}

#[test]
fn a_response_tells_how_long_to_keep_and_when_to_come_again() {
    let head = response("HTTP/1.1 204 No Content\r\nKeep-Alive: x=1, timeout=5, MAX = 7\r\nRetry-After: 9\r\n\r\n");
    assert_eq!((head.keep_alive().timeout, head.keep_alive().max), (Some(5), Some(7)));
    assert_eq!(head.retry_after(0), Some(Duration::from_secs(9)), "RFC 9110 §10.2.3");
    let silent = response("HTTP/1.1 204 No Content\r\nKeep-Alive: timeout, max=a\r\nRetry-After: soon\r\n\r\n");
    assert_eq!((silent.keep_alive().timeout, silent.keep_alive().max, silent.retry_after(0)), (None, None, None));
}

#[test]
fn a_request_is_rebuilt_for_an_older_origin_and_back() {
    let head = RequestHead::new(Method::Get, "/a").unwrap().with("Host", "a").unwrap();
    let old = head.clone().with_version(Version::Http10);
    assert_eq!((old.version(), old.minor_version()), (Version::Http10, 0));
    assert_eq!(old.as_wire(), b"GET /a HTTP/1.0\r\nHost: a\r\n");
    let new = old.with_version(Version::Http11);
    assert_eq!((new.version(), new.minor_version(), new.as_wire()), (Version::Http11, 1, head.as_wire()));
}

#[test]
fn secrets_of_heads_stay_out_of_debug() {
    let request = RequestHead::new(Method::Get, "/").unwrap().with("Cookie", "id=secret").unwrap();
    let response = ResponseHead::new(StatusCode::OK).with("Set-Cookie", "id=secret").unwrap();
    for text in [format!("{request:?}"), format!("{response:?}")] {
        assert!(text.contains("ookie") && !text.contains("id=secret"), "{text}");
    }
}

#[test]
fn what_is_printed_to_find_faults_tells_no_secret() {
    let now = Instant::ZERO;
    let fields =
        [("Host", "a"), ("Authorization", "Basic s3cret"), ("Cookie", "id=s3cret"), ("Expect", "100-continue")];
    let head = |target: &str| {
        let head = RequestHead::new(Method::Post, target).unwrap();
        fields.iter().fold(head, |head, (name, value)| head.with(name, value).unwrap())
    };
    let mut printed = Vec::new();
    for target in ["/a?token=s3cret", "http://a/a?s3cret", "/?s3cret/@"] {
        printed.push(format!("{:?}", head(target)));
    }
    // As it waits to be sent: the head, and content that waits for 100; and as it was received.
    let mut client = client::Connection::new(Config::default().into(), now);
    client.send_request(&head("/a?s3cret"), Content::Full("s3cret".into()), now).unwrap();
    printed.push(format!("{client:?}"));
    printed.push(format!("{:?}", client.outbox()));
    let mut slices = [&b""[..]; 8];
    let count = client.transmit(&mut slices);
    let mut wire = BytesMut::from(&*slices[..count].concat());
    client.handle_sent(wire.len(), now);
    client.handle_timeout(now.saturating_add(Duration::from_secs(60)));
    printed.push(format!("{client:?}"));
    let mut server = server::Connection::new(Config::default().into(), now);
    printed.push(format!("{:?}", server.poll_event(&mut wire, now)));
    let answer = ResponseHead::new(StatusCode::OK).with("Set-Cookie", "id=s3cret").unwrap();
    printed.push(format!("{answer:?} {server:?}"));
    server.send_response(&answer, Content::Full("s3cret".into()), now).unwrap();
    printed.push(format!("{server:?}"));
    for printed in &printed {
        assert!(!printed.contains("s3cret"), "{printed}");
        assert!(!printed.contains("115, 51, 99"), "as numbers: {printed}");
    }
    assert!(printed[0].contains("POST /a?… HTTP/1.1") && printed[1].contains("POST http://a/a?… "), "{printed:?}");
}
