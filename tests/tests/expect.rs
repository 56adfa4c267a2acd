//! `Expect: 100-continue` from both sides (RFC 9110 §10.1.1).
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use bytes::Bytes;
use http_core::client::Readiness;
use http_core::{Config, Content, End, Fields, Misuse};
use tests::beginnings::{NEXT, NOTHING, server};
use tests::scene::{Client, response, serve, whole_and_dripping};

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// A request with these fields beside `Host`.
fn put(fields: &str) -> String {
    format!("PUT / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

fn expecting() -> String {
    put("Content-Length: 3\r\nExpect: 100-continue\r\n")
}

/// A client that waits to send `abc`.
fn client() -> Client {
    let mut client = Client::client(Config::default());
    client.requests("PUT", "/", &[("Expect", "100-continue")], Content::Full("abc".into())).unwrap();
    let sent = client.sends();
    assert!(sent.ends_with("Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"), "{sent}");
    client
}

#[test]
fn a_server_sends_100_when_the_application_asks_for_content() {
    // (fields, minor version, whether 100 is sent)
    let length = "Content-Length: 3\r\n";
    for (fields, minor, sent) in [
        (format!("{length}Expect: 100-continue\r\n"), 1, true),
        (format!("{length}expect: 100-CONTINUE\r\n"), 1, true),
        (format!("{length}Expect: 100-continue, 100-continue\r\n"), 1, true),
        (format!("{length}Expect: ,100-continue,\r\n"), 1, true),
        (format!("{length}Expect: 100-continue\r\nExpect: 100-continue\r\n"), 1, true),
        ("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n".into(), 1, true),
        // Nobody waits.
        (length.into(), 1, false),
        (format!("{length}Expect:\r\n"), 1, false),
        // There is no content to wait for.
        ("Expect: 100-continue\r\n".into(), 1, false),
        ("Content-Length: 0\r\nExpect: 100-continue\r\n".into(), 1, false),
        // It is of HTTP/1.1.
        (format!("{length}Expect: 100-continue\r\n"), 0, false),
        (format!("{length}Expect: 100-continue\r\n"), 3, true),
    ] {
        whole_and_dripping(|drips| {
            let mut server = server();
            server.drips = drips;
            let told = server.hears(put(&fields).replace("HTTP/1.1", &format!("HTTP/1.{minor}")));
            assert_eq!(told[0], "PUT /", "{fields:?}");
            assert_eq!(server.sends(), "", "nobody has asked for the content: {fields:?}");
            server.wants();
            assert_eq!(server.sends(), if sent { CONTINUE } else { "" }, "1.{minor} {fields:?}");
            server.wants();
            assert_eq!(server.sends(), "", "once is enough");
        });
    }
}

#[test]
fn the_exchange_goes_on_after_100() {
    let mut server = server();
    server.hears(expecting());
    server.wants();
    assert_eq!(server.sends(), CONTINUE);
    assert_eq!(server.hears("abc"), ["content abc", "end"]);
    assert!(server.answers(200, "ok").starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(server.hears(NEXT), ["GET /next", "end"]);
}

#[test]
fn no_100_when_the_content_came_without() {
    // RFC 9110 §10.1.1: it may be left out.
    let mut server = server();
    assert_eq!(server.hears(expecting() + "a"), ["PUT /"]);
    assert_eq!(server.wants(), ["content a"]);
    assert_eq!(server.sends(), "");
    assert_eq!(server.hears("bc"), ["content bc", "end"]);
}

#[test]
fn a_final_response_takes_the_place_of_100() {
    // Whether the content comes now is the client's choice, so nobody can tell what the next bytes are.
    for status in [200, 403, 417] {
        let mut server = server();
        server.hears(expecting());
        let answer = server.answers(status, "no");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        assert!(!answer.contains(" 100 "), "{answer}");
        server.wants();
        assert_eq!(server.sends(), "", "no 100 behind a final response");
        assert_eq!(server.hears(NEXT), NOTHING);
        assert_eq!(server.ends(End::Clean), ["closed NotPersistent"]);
    }
    // The same with chunks, and while the answer is still being produced.
    let mut server = server();
    server.hears(put("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"));
    server.responds(200, &[], Content::Streaming).unwrap();
    assert!(server.sends().contains("\r\nConnection: close\r\n"));
    server.wants();
    assert_eq!(server.sends(), "");
    server.machine.send_end(&Fields::new(), server.now).unwrap();
    server.sends();
    // RFC 9110 §10.1.1: all the same the application may read what comes.
    assert_eq!(server.hears("1\r\na\r\n0\r\n\r\n"), ["content a", "end"]);
    assert!(server.is_over());
}

#[test]
fn interim_responses_of_the_application() {
    // Its own 100 is the one; another interim response is not.
    let mut server = server();
    server.hears(expecting());
    server.machine.send_interim(&response(100, &[]), server.now).unwrap();
    assert_eq!(server.sends(), CONTINUE);
    server.wants();
    assert_eq!(server.sends(), "");
    let mut server = self::server();
    server.hears(expecting());
    server.machine.send_interim(&response(103, &[("Link", "</a>; rel=preload")]), server.now).unwrap();
    assert_eq!(server.sends(), "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n");
    server.wants();
    assert_eq!(server.sends(), CONTINUE);
}

#[test]
fn an_expectation_that_cannot_be_met_is_answered_with_417() {
    // The application hears nothing. Without content to come the connection goes on; with content nobody can tell
    // whether the client waited, and what its next bytes are.
    for expect in ["200-ok", "100-continue, x", "x, 100-continue", "100-continue;q=1", "\"100-continue\"", "100"] {
        for (content, body, goes_on) in [
            ("", "", true),
            ("Content-Length: 0\r\n", "", true),
            ("Content-Length: 3\r\n", "abc", false),
            ("Content-Length: 3\r\n", "", false),
            ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", false),
        ] {
            let told = serve(&Config::default(), put(&format!("{content}Expect: {expect}\r\n")) + body + NEXT);
            let expected: &[_] = match goes_on {
                true => &["answers 417", "GET /next", "end", "answers 200"],
                false => &["answers 417", "closes"],
            };
            assert_eq!(told, expected, "{expect} {content:?}");
        }
    }
    let lines = put("Expect: 100-continue\r\nExpect: x\r\nContent-Length: 3\r\n");
    assert_eq!(serve(&Config::default(), lines + "abc" + NEXT), ["answers 417", "closes"]);
    // A client of HTTP/1.0 has no expectations.
    let old = put("Expect: x\r\nConnection: keep-alive\r\n").replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(serve(&Config::default(), old), ["PUT /", "end", "answers 200"]);
}

#[test]
fn s8_a_417_closes_while_content_may_still_come() {
    // The client waits, is refused, and repeats its request without the expectation: nothing of that is swallowed as
    // content, and nothing is answered behind the close (RFC 9110 §10.1.1, RFC 9112 §9.6).
    let again = put("Content-Length: 3\r\n") + "abc";
    for fields in [
        "Expect: 100-continue, foo\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nExpect: foo\r\n",
        "Expect: 100-continue\r\nExpect: foo\r\nContent-Length: 3\r\n",
        "Expect: 100-continue, foo\r\nTransfer-Encoding: chunked\r\n",
    ] {
        for pipelined in [false, true] {
            whole_and_dripping(|drips| {
                let mut server = server();
                server.drips = drips;
                if pipelined {
                    assert_eq!(server.hears(NEXT), ["GET /next", "end"]);
                    server.answers(200, "ok");
                }
                assert_eq!(server.hears(put(fields)), NOTHING, "{fields:?}");
                let answer = server.sends();
                assert!(answer.starts_with("HTTP/1.1 417 "), "{fields:?}: {answer}");
                assert!(answer.contains("\r\nConnection: close\r\n"), "{fields:?}: {answer}");
                assert_eq!(server.hears(&again), NOTHING);
                assert_eq!(server.sends(), "");
                assert!(server.is_over());
            });
        }
    }
    // Nothing is to come: the next bytes are a request.
    for fields in ["Expect: foo\r\n", "Expect: 100-continue, foo\r\nContent-Length: 0\r\n"] {
        let mut server = server();
        server.hears(put(fields));
        let answer = server.sends();
        assert!(answer.starts_with("HTTP/1.1 417 ") && !answer.contains("close"), "{fields:?}: {answer}");
        assert_eq!(server.hears(&again)[0], "PUT /");
    }
    // What came along behind it, beyond what is read of a connection that ends, does not cost the answer.
    let mut config = Config::default();
    config.limits.linger = 10;
    let told = serve(&config, put("Expect: foo\r\nContent-Length: 3\r\n") + "abc" + NEXT);
    assert_eq!(told, ["answers 417", "closes"]);
    // Content that is over the limit is refused as such, and closes as well.
    let mut config = Config::default();
    config.limits.content = Some(2);
    let long = put("Expect: 100-continue, foo\r\nContent-Length: 3\r\n");
    assert_eq!(serve(&config, long + "abc" + NEXT), ["refused ContentTooLong", "answers 413", "closes"]);
}

#[test]
fn a_client_holds_its_content_back() {
    // (what comes, what is sent then, what is told)
    let final_response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    for (comes, sent, told) in [
        (CONTINUE, "abc", &["interim 100"][..]),
        ("HTTP/1.1 100 \r\nX: y\r\n\r\n", "abc", &["interim 100"]),
        ("HTTP/1.1 102 \r\n\r\n", "", &["interim 102"]),
        ("HTTP/1.1 103 \r\n\r\nHTTP/1.1 100 \r\n\r\n", "abc", &["interim 103", "interim 100"]),
        ("HTTP/1.1 100 \r\n\r\nHTTP/1.1 100 \r\n\r\n", "abc", &["interim 100", "interim 100"]),
        (final_response, "", &["200", "end", "closed NotPersistent"]),
        ("HTTP/1.1 417 \r\nContent-Length: 0\r\n\r\n", "", &["417", "end", "closed NotPersistent"]),
        ("HTTP/1.1 413 \r\nContent-Length: 1\r\n\r\nx", "", &["413", "content x", "end", "closed NotPersistent"]),
    ] {
        whole_and_dripping(|drips| {
            let mut client = client();
            client.drips = drips;
            assert_eq!(client.hears(comes), told, "{comes:?}");
            assert_eq!(client.sends(), sent, "{comes:?}");
        });
    }
    // A final response behind 100 finds the request complete: the connection is kept.
    let mut client = client();
    client.hears(CONTINUE);
    client.sends();
    assert_eq!(client.hears(final_response), ["200", "end"]);
    assert_eq!(client.machine.readiness(), Readiness::Idle);
}

#[test]
fn a_client_streams_its_content_after_100() {
    let mut client = Client::client(Config::default());
    client.requests("PUT", "/", &[("Expect", "100-continue")], Content::Streaming).unwrap();
    client.sends();
    let piece = || Bytes::from_static(b"abc");
    assert_eq!(client.machine.send_content(piece(), client.now), Err(Misuse::Full));
    assert_eq!(client.machine.send_end(&Fields::new(), client.now), Err(Misuse::Full));
    assert!(client.machine.awaits_content());
    client.hears(CONTINUE);
    client.machine.send_content(piece(), client.now).unwrap();
    client.machine.send_end(&Fields::new(), client.now).unwrap();
    assert_eq!(client.sends(), "3\r\nabc\r\n0\r\n\r\n");
    // After a final response there is nobody to send it to.
    let mut client = Client::client(Config::default());
    client.requests("PUT", "/", &[("Expect", "100-continue")], Content::Streaming).unwrap();
    client.sends();
    client.hears("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.machine.send_content(piece(), client.now), Err(Misuse::NotYourTurn));
    assert!(!client.machine.awaits_content());
}

#[test]
fn a_client_expects_100_only_with_content() {
    // RFC 9110 §10.1.1
    for content in [Content::Empty, Content::Full(Bytes::new()), Content::Sized(0)] {
        let mut client = Client::client(Config::default());
        let sent = client.requests("PUT", "/", &[("Expect", "100-continue")], content.clone());
        assert_eq!(sent, Err(Misuse::Framing), "{content:?}");
        assert_eq!(client.sends(), "", "and nothing of it is sent");
        assert_eq!(client.machine.readiness(), Readiness::Idle);
    }
}

#[test]
fn an_end_while_100_is_awaited() {
    let mut client = client();
    assert_eq!(client.ends(End::Clean), ["closed Unanswered"]);
    assert_eq!(client.sends(), "");
    let mut client = self::client();
    client.hears("HTTP/1.1 103 \r\n\r\n");
    assert_eq!(client.ends(End::Clean), ["refused Truncated", "closed Failed(Truncated)"]);
}
