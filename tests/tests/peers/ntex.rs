//! What ntex's tests and change log have beside hyper's.

use bytes::Bytes;
use http_core::{Content, Deadline, End, Misuse, RequestHead};
use std::time::Duration;
use tests::scene::{fetch, serve, whole_and_dripping};

use crate::{GET, NEXT, NOTHING, chunked, post, refused, server, strict};

#[test]
fn parsing() {
    // control characters and a bare LF in a chunk extension
    for extension in ["a\x01", "a=\"\x02\"", "a\nb", "a=\"\n\""] {
        let told = serve(&strict(), chunked(&format!("1;{extension}\r\nx\r\n0\r\n\r\n")));
        assert_eq!(told[2..], ["answers 400", "closes"], "{extension:?}");
    }
    // a partial start-line is gone on with; empty lines before it
    assert_eq!(serve(&strict(), format!("\r\n\r\n{GET}")), ["GET /", "end", "answers 200"]);
    // repeated names count
    let lines = "X: y\r\n".repeat(128);
    let told = serve(&strict(), format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"));
    assert_eq!(told, refused("TooManyFields", 431));
    // a name of more than 64 KiB
    let mut config = strict();
    config.limits.field_line = 1 << 20;
    config.limits.head = 1 << 20;
    let told = serve(&config, format!("GET / HTTP/1.1\r\nHost: a\r\n{}: y\r\n\r\n", "X".repeat(70_000)));
    assert_eq!(told, refused("FieldLineTooLong", 431));
}

#[test]
fn small_chunks_come_together_and_large_ones_do_not() {
    let mut server = server();
    server.hears(chunked(""));
    server.wants();
    let large = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    server.input.extend_from_slice(("1\r\nx\r\n".repeat(100) + &large + &large).as_bytes());
    let mut sizes = Vec::new();
    while let Some(word) = server.polls_once() {
        sizes.push(word.rsplit(' ').next().unwrap().parse::<usize>().unwrap());
    }
    assert_eq!(sizes.iter().sum::<usize>(), 100 + 2 * 0x8000);
    assert!(sizes.len() <= 4, "{sizes:?}");
}

#[test]
fn expect_and_upgrade() {
    for (expect, told) in
        [("100-continue", "POST /"), ("100-continuex", "answers 417"), ("x100-continue", "answers 417")]
    {
        assert_eq!(serve(&strict(), post(&format!("Content-Length: 1\r\nExpect: {expect}\r\n")) + "x")[0], told);
    }
    let offer = post("Content-Length: 3\r\nConnection: upgrade\r\nUpgrade: x\r\n") + "abc";
    let told = serve(&strict(), offer + NEXT);
    assert_eq!(told[..4], ["POST /", "content abc", "end", "answers 200"], "upgrade with Content-Length");
    assert_eq!(told[4], "GET /next");
    // both are ignored in HTTP/1.0
    let old =
        post("Content-Length: 3\r\nConnection: upgrade\r\nUpgrade: x\r\nExpect: x\r\n").replace("1.1", "1.0") + "abc";
    assert_eq!(serve(&strict(), old), ["POST /", "content abc", "end", "answers 200", "closes"]);
}

#[test]
fn hosts_and_targets() {
    for (line, lines, reason) in [
        ("GET / HTTP/1.1", "", Some("MissingHost")),
        ("GET / HTTP/1.0", "", None),
        ("GET / HTTP/1.1", "Host: a\r\nHost: a\r\n", Some("DuplicateHost")),
        ("GET / HTTP/1.1", "Host: a b\r\n", Some("InvalidHost")),
        ("GET / HTTP/1.1", "Host: a:b\r\n", Some("InvalidHost")),
        ("GET / HTTP/1.1", "Host: http://a\r\n", Some("InvalidHost")),
        ("GET / HTTP/1.1", "Host:\r\n", None),
        ("OPTIONS * HTTP/1.1", "Host: a\r\n", None),
        ("GET * HTTP/1.1", "Host: a\r\n", Some("TargetForm")),
        ("GET a:80 HTTP/1.1", "Host: a\r\n", Some("TargetForm")),
        ("CONNECT a:80 HTTP/1.1", "Host: a\r\n", None),
        ("CONNECT /a HTTP/1.1", "Host: a\r\n", Some("TargetForm")),
        ("CONNECT u@a:80 HTTP/1.1", "Host: a\r\n", Some("TargetForm")),
        ("GET http://u:p@a/ HTTP/1.1", "Host: a\r\n", Some("TargetForm")),
        ("GET http://b/ HTTP/1.1", "Host: a\r\n", None),
    ] {
        let told = serve(&strict(), format!("{line}\r\n{lines}\r\n"));
        match reason {
            Some(reason) => assert_eq!(told, refused(reason, 400), "{line} {lines:?}"),
            None => assert!(told.contains(&"answers 200".to_owned()), "{line} {lines:?}: {told:?}"),
        }
    }
    let mut server = server();
    server.hears("GET http://b:1/ HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(server.head.as_ref().and_then(RequestHead::authority), Some(&b"b:1"[..]));
}

#[test]
fn content_is_read_on_after_the_response() {
    // While the application still holds the request: else its content becomes the next one.
    whole_and_dripping(|drips| {
        let mut server = server();
        server.drips = drips;
        server.hears(post(&format!("Content-Length: {}\r\n", GET.len())));
        server.wants();
        server.answers(200, "early");
        assert_eq!(server.hears(&GET[..5]), [format!("content {}", &GET[..5])]);
        let told = server.hears(format!("{}{NEXT}", &GET[5..]));
        assert_eq!(told[1..], ["end", "GET /next", "end"]);
    });
    // If it drops what has more to come than is worth reading, the response says close.
    let mut server = server();
    server.hears(post("Content-Length: 10000000\r\n"));
    server.machine.discard_content(server.now);
    assert!(server.answers(200, "").contains("\r\nConnection: close\r\n"));
}

#[test]
fn responses_of_the_application() {
    // an error in the content after the head was sent: never a second head
    let mut server = server();
    server.hears(GET);
    server.responds(200, &[], Content::Sized(10)).unwrap();
    server.machine.send_content(Bytes::from_static(b"abc"), server.now).unwrap();
    assert_eq!(server.responds(500, &[], Content::Empty), Err(Misuse::NotYourTurn));
    server.machine.abandon(server.now);
    let wire = server.sends();
    assert!(wire.ends_with("\r\n\r\nabc") && wire.matches("HTTP/1.1").count() == 1, "{wire}");
    // after a response that is the last, pipelined requests are not processed
    let mut server = self::server();
    server.hears(format!("{GET}{NEXT}"));
    server.responds(200, &[("Connection", "close")], Content::Empty).unwrap();
    assert_eq!(server.polls(), NOTHING);
    // 1xx as a final response is refused, and the request can still be answered
    let mut server = self::server();
    server.hears(GET);
    assert_eq!(server.responds(100, &[], Content::Empty), Err(Misuse::Status));
    assert!(server.answers(500, "").starts_with("HTTP/1.1 500 "));
    // a large piece beyond the declared length is refused whole
    let mut server = self::server();
    server.hears(GET);
    server.responds(200, &[], Content::Sized(2)).unwrap();
    let too_much = server.machine.send_content(Bytes::from(vec![b'x'; 100_000]), server.now);
    assert_eq!(too_much, Err(Misuse::TooMuchContent));
}

#[test]
fn timers() {
    let mut server = server();
    assert_eq!(server.deadline().unwrap().0, Deadline::Idle);
    server.hears("G");
    assert_eq!(server.deadline().unwrap().0, Deadline::Head, "from its first byte");
    // the one for content runs only after 100 was sent
    let mut server = self::server();
    server.hears(post("Content-Length: 3\r\nExpect: 100-continue\r\n"));
    assert_eq!(server.deadline(), None);
    server.wants();
    server.sends();
    assert_eq!(server.deadline().unwrap().0, Deadline::Receive);
    // bytes of chunk lines count for the rate
    let mut server = self::server();
    server.hears(chunked(""));
    server.wants();
    for _ in 0..60 {
        assert_eq!(server.waits(Duration::from_secs(1)), NOTHING);
        server.hears(format!("1;{}\r\nx\r\n", "e".repeat(234)));
    }
    // an idle connection has the same time after each request
    let mut server = self::server();
    for _ in 0..3 {
        server.hears(GET);
        server.answers(200, "");
        server.polls();
        assert_eq!(server.deadline(), Some((Deadline::Idle, Duration::from_secs(75))));
        server.waits(Duration::from_secs(70));
    }
}

#[test]
fn client() {
    // early 413 is not lost when the server closes
    let mut client = super::client();
    client.requests("PUT", "/", &[], Content::Sized(1000)).unwrap();
    client.sends();
    client.input.extend_from_slice(b"HTTP/1.1 413 \r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    client.machine.handle_write_error(client.now);
    assert_eq!(client.ends(End::Unclean), ["413", "content no", "end", "closed NotPersistent"]);
    // a length is ignored for 204, 304, 1xx
    for status in ["204", "304"] {
        let told = fetch(&strict(), "GET", format!("HTTP/1.1 {status} \r\nContent-Length: 5\r\n\r\n"), None);
        assert_eq!(told, [status, "end"]);
    }
    let interim = fetch(&strict(), "GET", "HTTP/1.1 103 \r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 \r\n\r\n", None);
    assert_eq!(interim, ["interim 103", "204", "end"]);
    // truncated content of HTTP/1.0 is an error
    let told = fetch(&strict(), "GET", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nab", Some(End::Clean));
    assert_eq!(told[2], "refused Truncated");
    // no Date on requests; Content-Length: 0 for POST, PUT, PATCH without content
    for method in ["POST", "PUT", "PATCH", "GET"] {
        let mut client = super::client();
        client.requests(method, "/", &[], Content::Empty).unwrap();
        let wire = client.sends();
        assert!(!wire.contains("Date"));
        assert_eq!(wire.contains("Content-Length: 0"), method != "GET", "{method}");
    }
}

#[test]
fn decoder_goes_on_after_what_was_complete() {
    // A fault ends its connection alone, and what came before it was delivered.
    let told = serve(&strict(), format!("{GET}{GET}broken\r\n\r\n"));
    assert_eq!(told[..6], ["GET /", "end", "answers 200", "GET /", "end", "answers 200"]);
    assert_eq!(told[6..], refused("StartLine", 400));
}
