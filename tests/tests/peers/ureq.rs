//! ureq-proto's test groups.

use bytes::Bytes;
use http_core::client::Readiness;
use http_core::{Content, End, Fields, Misuse};
use tests::scene::{Client, fetch, serve};

use crate::{GET, NEXT, NOTHING, client, post, refused, server, strict};

/// A client that waits for 100.
fn waiting() -> Client {
    let mut client = client();
    client.requests("POST", "/", &[("Expect", "100-continue")], Content::Full("hallo".into())).unwrap();
    client.sends();
    client
}

#[test]
fn await_100() {
    for (comes, sent, last) in [
        ("HTTP/1.1 100 Continue\r\n\r\n", "hallo", "interim 100"),
        ("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 \r\n\r\n", "hallo", "interim 100"),
        ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 \r\n\r\n", "hallo", "interim 100"),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "", "closed NotPersistent"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", "closed NotPersistent"),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "", "closed Failed(UnexpectedSwitch)"),
    ] {
        let mut client = waiting();
        assert_eq!(client.hears(comes).last().unwrap(), last, "{comes:?}");
        assert_eq!(client.sends(), sent, "{comes:?}");
    }
    let mut client = waiting();
    assert_eq!(client.hears("HTTP/1.1 1"), NOTHING, "incomplete: wait on");
    assert_eq!(client.sends(), "");
}

#[test]
fn cleanup() {
    // whether a connection is used again, and why not
    for (request, response, kept) in [
        (&[][..], "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
        (&[], "HTTP/1.1 204 No Content\r\n\r\n", true),
        (&[("Connection", "Close")], "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false),
        (&[("Connection", "x, close")], "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false),
        (&[], "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: CLOSE\r\n\r\n", false),
        (&[], "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
        (&[], "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", true),
        (&[], "HTTP/1.1 200 OK\r\n\r\n", false),
    ] {
        let mut client = client();
        client.requests("GET", "/", request, Content::Empty).unwrap();
        client.sends();
        client.hears(response);
        assert_eq!(client.machine.readiness() == Readiness::Idle, kept, "{request:?} {response:?}");
    }
    let mut client = client();
    client.requests("CONNECT", "a.example:443", &[], Content::Empty).unwrap();
    client.sends();
    client.hears("HTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(client.machine.readiness(), Readiness::Closing, "it is a tunnel");
}

#[test]
fn recv_response() {
    for status in ["100", "102", "103"] {
        let told = fetch(&strict(), "GET", format!("HTTP/1.1 {status} \r\n\r\nHTTP/1.1 204 \r\n\r\n"), None);
        assert_eq!(told, [&format!("interim {status}"), "204", "end"], "unsolicited");
    }
    let several = "HTTP/1.1 100 \r\n\r\n".repeat(3) + "HTTP/1.1 204 \r\n\r\n";
    assert_eq!(fetch(&strict(), "GET", several, None).len(), 5);
    assert_eq!(fetch(&strict(), "GET", "HTTP/1.1 200 OK\r\nContent-Len", None), NOTHING, "incomplete");
    assert_eq!(fetch(&strict(), "GET", "HTTP/1.1 101 \r\n\r\n", None)[0], "refused UnexpectedSwitch");
}

#[test]
fn recv_body() {
    for (head, pieces, told) in [
        ("", &["hal", "lo"][..], "content hallo"),
        ("Content-Length: 5\r\n", &["hal", "lo"], "content hallo"),
        ("Transfer-Encoding: chunked\r\n", &["3\r", "\nha", "l\r\n2\r\nlo", "\r\n0\r\n\r\n"], "content hallo"),
    ] {
        let mut client = client();
        client.gets("/");
        client.hears(format!("HTTP/1.1 200 OK\r\n{head}\r\n"));
        let words: Vec<_> = pieces.iter().flat_map(|piece| client.hears(piece)).collect();
        let content: String = words.iter().filter_map(|word| word.strip_prefix("content ")).collect();
        assert_eq!(format!("content {content}"), told, "{head:?}");
    }
}

#[test]
fn send_body() {
    let mut client = client();
    client.requests("POST", "/", &[], Content::Sized(5)).unwrap();
    client.sends();
    for piece in ["", "hal", "", "lo"] {
        client.machine.send_content(Bytes::from_static(piece.as_bytes()), client.now).unwrap();
    }
    let more = client.machine.send_content(Bytes::from_static(b"!"), client.now);
    assert_eq!(more, Err(Misuse::TooMuchContent));
    client.machine.send_end(&Fields::new(), client.now).unwrap();
    assert_eq!(client.sends(), "hallo");
}

#[test]
fn server_recv_request() {
    for (bytes, told) in [
        (GET, &["GET /", "end", "answers 200"][..]),
        ("GET / HTTP/1.0\r\n\r\n", &["GET /", "end", "answers 200", "closes"]),
        ("GET / HTTP/1.1\r\nHost: a\r\n", &[]),
        ("GET / HTTP/2.0\r\n\r\n", &["refused Version", "answers 505", "closes"]),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", &["OPTIONS *", "end", "answers 200"]),
    ] {
        assert_eq!(serve(&strict(), bytes), told, "{bytes:?}");
    }
    let both = post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n");
    assert_eq!(serve(&strict(), both), refused("TransferEncodingWithLength", 400), "provide_response: both rejected");
}

#[test]
fn server_rejects_100() {
    let mut server = server();
    server.hears(post("Content-Length: 5\r\nExpect: 100-continue\r\n"));
    assert!(server.answers(417, "").contains("Connection: close"));
    server.wants();
    assert_eq!(server.sends(), "");
    server.ends(End::Clean);
    assert!(server.machine.interest().close);
}

#[test]
fn content_length_on_both_sides() {
    for value in ["5", "05", " 5", "5 "] {
        let told = serve(&strict(), post(&format!("Content-Length: {value}\r\n")) + "hallo" + NEXT);
        assert_eq!(told[1], "content hallo", "{value:?}");
        let bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\nhallo");
        assert_eq!(fetch(&strict(), "GET", bytes, None), ["200", "content hallo", "end"], "{value:?}");
    }
    for value in ["+5", "-5", "5a", "a", "", "5 5", "5;", "5,6", "١"] {
        assert_eq!(serve(&strict(), post(&format!("Content-Length: {value}\r\n")))[1], "answers 400", "{value:?}");
        let bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\nhallo");
        assert!(fetch(&strict(), "GET", bytes, None)[0].starts_with("refused ContentLength"), "{value:?}");
    }
}
