//! Whether a connection goes on: tables over both machines, each row with its section.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use core::time::Duration;

use bytes::Bytes;
use http_core::client::Readiness;
use http_core::{Config, Content, Deadline, End, Fields, Misuse, Version};
use tests::beginnings::{NEXT, NOTHING, client, server};
use tests::scene::{Client, Server, fetch, request, whole_and_dripping};

/// Pipelines as many requests as it likes.
fn pipelining_client() -> Client {
    let mut config = Config::default();
    config.persistence.pipelining = 10;
    Client::client(config)
}

/// Spellings of `Connection`, one string a line, and what they mean: (section, minor version, lines, kept).
const CONNECTION: &[(&str, u8, &[&str], bool)] = &[
    ("RFC 9112 §9.3", 1, &[], true),
    ("RFC 9112 §9.3", 1, &["keep-alive"], true),
    ("RFC 9112 §9.3", 1, &["close"], false),
    ("RFC 9110 §7.6.1", 1, &["Close"], false),
    ("RFC 9110 §7.6.1", 1, &["CLOSE"], false),
    ("RFC 9110 §5.6.1", 1, &["x, close"], false),
    ("RFC 9110 §5.6.1", 1, &["close,x"], false),
    ("RFC 9110 §5.6.1", 1, &[" ,, close\t, "], false),
    ("RFC 9110 §5.3", 1, &["x", "close"], false),
    ("RFC 9110 §5.3", 1, &["close", "x"], false),
    ("RFC 9112 §9.3", 1, &["close, keep-alive"], false),
    ("RFC 9112 §9.3", 1, &["close", "keep-alive"], false),
    ("RFC 9112 §9.3", 1, &["keep-alive", "close"], false),
    ("RFC 9110 §7.6.1", 1, &["closed"], true),
    ("RFC 9110 §7.6.1", 1, &["not-close"], true),
    ("RFC 9110 §7.6.1", 1, &["clos"], true),
    ("RFC 9110 §7.6.1", 1, &["\"close\""], true),
    ("RFC 9110 §7.6.1", 1, &[""], true),
    ("RFC 9112 §9.3", 0, &[], false),
    ("RFC 9112 §9.3", 0, &["x"], false),
    ("RFC 9112 §9.3", 0, &["keep-alive"], true),
    ("RFC 9110 §7.6.1", 0, &["Keep-Alive"], true),
    ("RFC 9110 §5.6.1", 0, &["x ,Keep-alive"], true),
    ("RFC 9110 §5.3", 0, &["x", "keep-alive"], true),
    ("RFC 9112 §9.3", 0, &["keep-alive", "close"], false),
    ("RFC 9112 §9.3", 0, &["close, keep-alive"], false),
    ("RFC 9110 §7.6.1", 0, &["keep-alives"], false),
    // A higher minor version is the highest that we know.
    ("RFC 9110 §2.5", 2, &[], true),
    ("RFC 9110 §2.5", 9, &["close"], false),
];

fn lines(connection: &[&str]) -> String {
    connection.iter().map(|value| format!("Connection: {value}\r\n")).collect()
}

#[test]
fn connection_of_requests() {
    whole_and_dripping(|drips| {
        for (section, minor, connection, kept) in CONNECTION {
            let mut server = server();
            server.drips = drips;
            let told = server.hears(format!("GET / HTTP/1.{minor}\r\nHost: a\r\n{}\r\n", lines(connection)));
            assert_eq!(told, ["GET /", "end"], "{section}: {connection:?}");
            let answer = server.answers(200, "ok");
            let says_close = answer.contains("\r\nConnection: close\r\n");
            assert_eq!(says_close, !kept, "{section}: 1.{minor} {connection:?} is answered {answer}");
            // RFC 9112 §9.3: to a client of HTTP/1.0, keeping is said as well.
            assert_eq!(answer.contains("\r\nConnection: keep-alive\r\n"), *kept && *minor == 0, "{section}");
            assert_eq!(server.is_over(), !kept, "{section}: 1.{minor} {connection:?}");
            let next = server.hears(NEXT);
            assert_eq!(!next.is_empty(), *kept, "{section}: 1.{minor} {connection:?} leads to {next:?}");
        }
    });
}

#[test]
fn connection_of_responses() {
    whole_and_dripping(|drips| {
        for (section, minor, connection, kept) in CONNECTION {
            let mut client = client();
            client.drips = drips;
            client.gets("/");
            let head = format!("HTTP/1.{minor} 200 OK\r\nContent-Length: 1\r\n{}\r\nx", lines(connection));
            let told = client.hears(head);
            let readiness = if *kept { Readiness::Idle } else { Readiness::Closing };
            assert_eq!(client.machine.readiness(), readiness, "{section}: 1.{minor} {connection:?}");
            match kept {
                true => assert_eq!(told, ["200", "content x", "end"], "{section}"),
                false => assert_eq!(told, ["200", "content x", "end", "closed NotPersistent"], "{section}"),
            }
        }
    });
}

#[test]
fn s25_where_the_connection_closes_nothing_says_that_it_is_kept() {
    let (close, keep) = ("Connection: close\r\n", ("Connection", "keep-alive"));
    // (what the request says, what the application pushes, what of that is sent, what is added)
    for (request, fields, sent, added) in [
        (close, &[keep][..], "", close),
        (close, &[("connection", "Keep-Alive, x"), ("A", "1")], "connection: x\r\nA: 1\r\n", close),
        (close, &[keep, ("Keep-Alive", "timeout=5")], "", close),
        (close, &[("Keep-Alive", "timeout=5")], "", close),
        ("", &[keep, ("Connection", "close")], close, ""),
        ("", &[("Connection", "keep-alive ,close,, x")], "Connection: close, x\r\n", ""),
        ("", &[("Connection", "close")], close, ""),
        // Where it is kept, it may be said.
        ("", &[keep, ("Keep-Alive", "timeout=5")], "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n", ""),
        // Names of fields are not ours to judge.
        (close, &[("Connection", "x"), ("x", "2")], "Connection: x\r\nx: 2\r\n", close),
    ] {
        let mut server = server();
        server.hears(format!("GET / HTTP/1.1\r\nHost: a\r\n{request}\r\n"));
        server.responds(200, fields, Content::Empty).unwrap();
        let expected = format!("HTTP/1.1 200 OK\r\n{sent}Content-Length: 0\r\n{added}\r\n");
        assert_eq!(server.sends(), expected, "{request:?} {fields:?}");
    }
    // To a client of HTTP/1.0 that did not ask for it as well.
    let mut server = server();
    server.hears("GET / HTTP/1.0\r\n\r\n");
    server.responds(200, &[keep], Content::Empty).unwrap();
    assert_eq!(server.sends(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    // A request that is the last one of its connection.
    let mut config = Config::default();
    config.persistence.keep_alive = false;
    let mut client = Client::client(config);
    client.requests("GET", "/", &[keep, ("Keep-Alive", "timeout=5")], Content::Empty).unwrap();
    assert_eq!(client.sends(), "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n");
}

#[test]
fn what_is_said_of_close_by_either_side_ends_the_connection() {
    // (section, what the request says, what the application pushes on its response, kept)
    for (section, request, response, kept) in [
        ("RFC 9112 §9.3", "", None, true),
        ("RFC 9112 §9.6", "Connection: close\r\n", None, false),
        ("RFC 9112 §9.6", "", Some("close"), false),
        ("RFC 9112 §9.6", "", Some("x, Close"), false),
        ("RFC 9112 §9.6", "Connection: close\r\n", Some("close"), false),
        // The client's word is not to be undone.
        ("RFC 9112 §9.6", "Connection: close\r\n", Some("keep-alive"), false),
        ("RFC 9110 §7.6.1", "", Some("x"), true),
    ] {
        let mut server = server();
        server.hears(format!("GET / HTTP/1.1\r\nHost: a\r\n{request}\r\n"));
        let fields: Vec<_> = response.map(|value| ("Connection", value)).into_iter().collect();
        server.responds(200, &fields, Content::Empty).unwrap();
        let answer = server.sends();
        let closes = answer.to_ascii_lowercase().matches("close").count();
        assert_eq!(closes, usize::from(!kept), "{section}: said once: {answer}");
        assert_eq!(server.is_over(), !kept, "{section}: {request:?} {response:?}");
        // RFC 9112 §9.6: nothing that follows is processed.
        assert_eq!(server.hears(NEXT).is_empty(), !kept, "{section}");
    }
    // (what the request says, what the response says)
    for (ours, theirs) in [("close", ""), ("x, CLOSE", ""), ("close", "Connection: keep-alive\r\n")] {
        let mut client = client();
        client.requests("GET", "/", &[("Connection", ours)], Content::Empty).unwrap();
        assert_eq!(client.machine.readiness(), Readiness::Closing, "RFC 9112 §9.6: nothing follows it");
        let again = client.requests("GET", "/", &[], Content::Empty);
        assert_eq!(again, Err(Misuse::Closed));
        client.sends();
        let told = client.hears(format!("HTTP/1.1 200 OK\r\n{theirs}Content-Length: 0\r\n\r\n"));
        assert_eq!(told, ["200", "end", "closed NotPersistent"]);
    }
}

#[test]
fn requests_behind_a_close_are_not_processed() {
    // RFC 9112 §9.6
    let mut server = server();
    let told = server.hears(format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n{NEXT}"));
    assert_eq!(told, ["GET /", "end"]);
    server.answers(200, "");
    assert_eq!(server.polls(), NOTHING);
    assert_eq!(server.ends(End::Clean), ["closed NotPersistent"]);
}

#[test]
fn responses_come_in_the_order_of_requests() {
    // RFC 9112 §9.3.2
    let mut server = server();
    server.input.extend_from_slice(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(server.hears("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n"), ["GET /1", "end"]);
    for (answer, next) in [("one", &["HEAD /2", "end"][..]), ("two", &["GET /3", "end"]), ("three", &[])] {
        let content = Content::Full(Bytes::from_static(answer.as_bytes()));
        server.responds(200, &[], content).unwrap();
        assert_eq!(server.polls(), next);
    }
    let wire = server.sends();
    assert!(wire.contains("3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nHTTP/1.1 200"), "{wire}");
    assert!(wire.ends_with("5\r\n\r\nthree"), "{wire}");
    // RFC 9112 §9.2: each response belongs to the first request that has none.
    let mut client = pipelining_client();
    client.gets("/1");
    client.requests("HEAD", "/2", &[], Content::Empty).unwrap();
    client.sends();
    client.gets("/3");
    let told = client.hears(
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\
         HTTP/1.1 103 \r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb",
    );
    assert_eq!(told, ["200", "content a", "end", "200", "end", "interim 103", "200", "content b", "end"]);
    assert_eq!(client.machine.readiness(), Readiness::Idle);
}

#[test]
fn pipelining_waits_for_what_may_not_be_repeated() {
    // RFC 9112 §9.3.2: none behind a request that is not idempotent, or that may hand the connection over.
    for (method, target, fields, follows) in [
        ("GET", "/", &[][..], true),
        ("PUT", "/", &[], true),
        ("DELETE", "/", &[], true),
        ("POST", "/", &[], false),
        ("PATCH", "/", &[], false),
        ("CONNECT", "example.com:80", &[], false),
        ("GET", "/", &[("Upgrade", "x")], false),
        ("GET", "/", &[("Connection", "close")], false),
    ] {
        let mut client = pipelining_client();
        client.requests(method, target, fields, Content::Empty).unwrap();
        let next = client.requests("GET", "/next", &[], Content::Empty);
        assert_eq!(next.is_ok(), follows, "{method} {fields:?}");
    }
    // Nor while content of the one before is still to come.
    let mut client = pipelining_client();
    client.requests("PUT", "/", &[], Content::Sized(1)).unwrap();
    assert_eq!(client.requests("GET", "/next", &[], Content::Empty), Err(Misuse::NotYourTurn));
    client.machine.send_content(Bytes::from_static(b"x"), client.now).unwrap();
    client.machine.send_end(&Fields::new(), client.now).unwrap();
    assert_eq!(client.requests("GET", "/next", &[], Content::Empty), Ok(()));
}

#[test]
fn requests_behind_a_response_with_close_are_unanswered() {
    // RFC 9112 §9.6: a client must not take them for processed.
    let mut client = pipelining_client();
    for target in ["/1", "/2", "/3"] {
        client.gets(target);
    }
    let told = client.hears(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    );
    assert_eq!(told, ["200", "end", "closed NotPersistent"]);
    assert_eq!(client.machine.unanswered().count(), 2);
    // What was still to be sent is not.
    let mut client = pipelining_client();
    client.gets("/1");
    client.requests("GET", "/2", &[], Content::Empty).unwrap();
    client.hears("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert_eq!(client.sends(), "");
    assert_eq!(client.machine.unanswered().count(), 1);
}

#[test]
fn a_server_is_told_to_close() {
    // Between exchanges at once, and without a word.
    let mut server = server();
    server.machine.close(server.now);
    assert_eq!(server.polls(), ["closed ByUs"]);
    assert_eq!(server.sends(), "");
    // In an exchange after it, and the answer says so (RFC 9112 §9.6).
    let mut server = self::server();
    server.hears(format!("{NEXT}{NEXT}"));
    server.machine.close(server.now);
    assert!(server.answers(200, "").contains("\r\nConnection: close\r\n"));
    assert_eq!(server.polls(), NOTHING);
    assert!(server.is_over());
    // After the head of the answer it is too late to say so, not to do so.
    let mut server = self::server();
    server.hears(NEXT);
    server.responds(200, &[], Content::Sized(1)).unwrap();
    server.machine.close(server.now);
    server.machine.send_content(Bytes::from_static(b"x"), server.now).unwrap();
    server.machine.send_end(&Fields::new(), server.now).unwrap();
    server.sends();
    assert!(server.is_over());
}

/// The head of a request, and where it is cut.
fn cuts(head: &str) -> impl Iterator<Item = (&str, &str)> {
    (1..head.len()).map(|at| head.split_at(at))
}

#[test]
fn s10_a_head_that_has_begun_is_served() {
    for (begun, rest) in cuts(NEXT) {
        let mut server = server();
        server.hears(begun);
        server.machine.close(server.now);
        assert_eq!(server.polls(), NOTHING, "{begun:?}");
        assert_eq!(server.deadline().unwrap().0, Deadline::Head, "{begun:?}");
        // It is the last one, and what is behind it is not read (RFC 9112 §9.6).
        server.hears(format!("{rest}{NEXT}"));
        assert!(server.machine.awaits_response(), "{begun:?}");
        assert!(server.answers(200, "").contains("\r\nConnection: close\r\n"), "{begun:?}");
        assert_eq!(server.polls(), NOTHING, "{begun:?}");
        assert!(server.is_over(), "{begun:?}");
    }
}

#[test]
fn s10_a_head_that_has_begun_and_does_not_come_is_refused_in_time() {
    let mut server = server();
    server.hears("GET / HT");
    server.machine.close(server.now);
    assert_eq!(server.passes(Deadline::Head, Duration::from_secs(30))[0], "refused HeadTimeout");
    let answer = server.sends();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\r\nConnection: close\r\n"), "{answer}");
    // One whose client ends is cut short, as at any time.
    let mut server = self::server();
    server.hears("GET / HT");
    server.machine.close(server.now);
    server.ends(End::Clean);
    assert!(server.is_over());
}

#[test]
fn s10_empty_lines_are_no_head() {
    for (before, behind) in [("\r\n", ""), ("\r", "\n"), ("\r\n\r", "\n"), ("\r", "\n\r\n")] {
        let mut server = server();
        server.hears(before);
        server.machine.close(server.now);
        server.hears(behind);
        assert!(server.is_over(), "{before:?} {behind:?}");
        assert_eq!(server.sends(), "");
    }
    // A head behind them is one.
    let mut server = server();
    server.hears("\r");
    server.machine.close(server.now);
    server.hears(format!("\n{NEXT}"));
    assert!(server.answers(200, "").contains("\r\nConnection: close\r\n"));
    assert!(server.is_over());
}

#[test]
fn s10_the_next_of_pipelined_requests_is_the_last() {
    // Between two of them, with one behind that has come whole.
    let mut server = server();
    server.hears(format!("{NEXT}{NEXT}{NEXT}"));
    server.responds(200, &[], Content::Empty).unwrap();
    assert!(!server.sends().contains("close"));
    server.machine.close(server.now);
    server.polls();
    assert!(server.answers(200, "").contains("\r\nConnection: close\r\n"));
    assert_eq!(server.polls(), NOTHING);
    assert!(server.is_over());
    // With content that the answer waits for, and with a refusal of the machine's own.
    for (request, status) in [
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", "200"),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 2\r\n\r\nab", "417"),
        ("GET / HTTP/1.1\r\n\r\n", "400"),
    ] {
        let mut server = self::server();
        server.hears(&request[..9]);
        server.machine.close(server.now);
        server.hears(&request[9..]);
        let answer = if status == "200" { server.answers(200, "") } else { server.sends() };
        assert_eq!(&answer[9..12], status);
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        server.ends(End::Clean);
        assert!(server.is_over(), "{request:?}");
    }
}

#[test]
fn a_client_is_told_to_close() {
    let mut client = client();
    client.machine.close(client.now);
    assert_eq!(client.polls(), ["closed ByUs"]);
    let mut client = pipelining_client();
    client.gets("/1");
    client.gets("/2");
    client.machine.close(client.now);
    assert_eq!(client.requests("GET", "/3", &[], Content::Empty), Err(Misuse::Closed));
    assert_eq!(client.hears("HTTP/1.1 204 \r\n\r\n"), ["204", "end"]);
    assert_eq!(client.hears("HTTP/1.1 204 \r\n\r\n"), ["204", "end", "closed NotPersistent"]);
}

#[test]
fn content_that_is_left_unread_never_becomes_a_request() {
    // RFC 9112 §9.3: it is read to its end, or the connection closed.
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", smuggled.len());
    let chunked = format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", smuggled.len());
    whole_and_dripping(|drips| {
        for (head, end) in [(&length, ""), (&chunked, "\r\n0\r\nX: y\r\n\r\n")] {
            // The answer comes before any of the content, amid it, or when all of it is there.
            for early in [0, 10, smuggled.len()] {
                let mut server = server();
                server.drips = drips;
                assert_eq!(server.hears(head), ["POST /"]);
                assert_eq!(server.hears(&smuggled[..early]), NOTHING);
                server.answers(200, "");
                assert_eq!(server.hears(&smuggled[early..]), NOTHING);
                assert_eq!(server.hears(end), NOTHING);
                assert_eq!(server.hears(NEXT), ["GET /next", "end"]);
            }
            // The application says that it does not want it, and answers later.
            let mut server = server();
            server.drips = drips;
            server.hears(head);
            server.machine.discard_content(server.now);
            assert_eq!(server.hears(format!("{smuggled}{end}{NEXT}")), NOTHING);
            server.answers(200, "");
            assert_eq!(server.polls(), ["GET /next", "end"]);
            // It reads a part, and gives up.
            let mut server = self::server();
            server.drips = drips;
            server.hears(head);
            server.wants();
            assert_eq!(server.hears(&smuggled[..3]), ["content GET"]);
            server.machine.discard_content(server.now);
            server.answers(200, "");
            assert_eq!(server.hears(format!("{}{end}{NEXT}", &smuggled[3..])), ["GET /next", "end"]);
            // It answers, and reads on (RFC 9112 §9.5): the next request waits.
            let mut server = self::server();
            server.drips = drips;
            server.hears(head);
            server.wants();
            server.answers(200, "");
            let told = server.hears(format!("{smuggled}{end}{NEXT}"));
            assert_eq!(told[0], format!("content {smuggled}"));
            assert_eq!(told[2..], ["GET /next", "end"]);
        }
    });
}

#[test]
fn an_early_413_reaches_a_client_that_is_still_sending() {
    // RFC 9112 §9.6: the server shuts down its side and reads on; §9.5: the client stops sending.
    let mut config = Config::default();
    config.limits.content = Some(1000);
    let mut server = Server::server(config);
    let mut client = client();
    client.requests("PUT", "/", &[], Content::Sized(100_000)).unwrap();
    let head = client.sends();
    client.machine.send_content(Bytes::from(vec![b'x'; 50_000]), client.now).unwrap();
    assert_eq!(server.hears(head), ["refused ContentTooLong"]);
    let answer = server.sends();
    assert!(answer.starts_with("HTTP/1.1 413 Content Too Large\r\n"), "{answer}");
    let interest = server.machine.interest();
    assert!(interest.shutdown && interest.lend > 0 && !interest.close, "{interest:?}");
    // What was on its way is dropped, and not answered with a reset.
    assert_eq!(server.hears(client.sends()), NOTHING);
    assert!(!server.machine.interest().close);
    assert_eq!(client.hears(&answer), ["413", "end", "closed NotPersistent"]);
    assert!(client.machine.interest().close);
    assert_eq!(server.ends(End::Clean), ["closed Failed(ContentTooLong)"]);
    assert!(server.machine.interest().close);
}

#[test]
fn a_client_stops_sending_when_an_error_comes_early() {
    // RFC 9112 §9.5
    for (status, stops) in [(200, false), (301, false), (400, true), (413, true), (503, true)] {
        let mut client = client();
        client.requests("PUT", "/", &[], Content::Sized(2)).unwrap();
        client.machine.send_content(Bytes::from_static(b"a"), client.now).unwrap();
        client.sends();
        let told = client.hears(format!("HTTP/1.1 {status} \r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(told[..2], [status.to_string(), "end".into()]);
        let more = client.machine.send_content(Bytes::from_static(b"b"), client.now);
        if stops {
            assert_eq!(told[2], "closed NotPersistent");
            assert_eq!(more, Err(Misuse::Closed));
        } else {
            assert_eq!(more, Ok(()));
            client.machine.send_end(&Fields::new(), client.now).unwrap();
            assert_eq!(client.sends(), "b");
            assert_eq!(client.polls(), NOTHING);
            assert_eq!(client.machine.readiness(), Readiness::Idle, "{status}");
        }
    }
    // The response has to be complete as well: an error with content is read to its end.
    let mut client = client();
    client.requests("PUT", "/", &[], Content::Sized(2)).unwrap();
    client.sends();
    assert_eq!(client.hears("HTTP/1.1 413 \r\nContent-Length: 2\r\n\r\na"), ["413", "content a"]);
    assert_eq!(client.hears("b"), ["content b", "end", "closed NotPersistent"]);
}

#[test]
fn a_client_that_left_inside_content_that_nobody_wants() {
    // RFC 9112 §8: its answer is complete already, so that there is nothing left to do.
    let mut server = server();
    server.hears("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    server.answers(200, "early");
    let told = server.ends(End::Clean);
    assert_eq!(told.last().map(String::as_str), Some("closed Failed(Truncated)"), "{told:?}");
}

#[test]
fn a_response_that_is_given_up_is_not_lingered_for() {
    // RFC 9112 §8: the sooner its client sees the cut the better, whatever it is still sending.
    let mut server = server();
    server.hears("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    server.responds(200, &[], Content::Sized(3)).unwrap();
    server.sends();
    server.machine.abandon(server.now);
    assert_eq!(server.polls(), ["closed Abandoned"]);
    assert!(server.machine.interest().close);
}

#[test]
fn where_the_stream_of_a_client_ends() {
    use End::{Clean, Unclean};
    // (section, what came, how it ended, what is told then)
    for (section, bytes, end, told) in [
        ("RFC 9112 §9.5", "", Clean, "closed ByPeer"),
        ("RFC 9112 §9.5", "", Unclean, "closed ByPeer"),
        ("RFC 9112 §2.2", "\r\n", Clean, "closed ByPeer"),
        ("RFC 9112 §8", "\r\nG", Clean, "refused Truncated"),
        ("RFC 9112 §8", "G", Clean, "refused Truncated"),
        ("RFC 9112 §8", "GET / HTTP/1.1\r\nHost: a\r\n", Clean, "refused Truncated"),
        ("RFC 9112 §8", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx", Clean, "refused Truncated"),
        ("RFC 9112 §9.5", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n", Unclean, "closed Broken"),
        (
            "RFC 9112 §8",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
            Clean,
            "refused Truncated",
        ),
    ] {
        whole_and_dripping(|drips| {
            let mut server = server();
            server.drips = drips;
            server.hears(bytes);
            server.wants();
            let ending = server.ends(end);
            assert_eq!(ending[0], told, "{section}: {bytes:?}");
            assert_eq!(server.sends(), "", "nobody reads an answer, or nobody asked");
            if !server.machine.interest().close {
                // RFC 9112 §9.5: in its content, but its answer may be awaited.
                assert!(server.answers(400, "").contains("\r\nConnection: close\r\n"));
                assert_eq!(server.polls(), ["closed NotPersistent"]);
            }
            assert!(server.machine.interest().close);
        });
    }
    // RFC 9112 §9.6: a client that has shut down its side after a request still wants the response.
    let mut server = server();
    server.hears(NEXT);
    assert_eq!(server.ends(Clean), NOTHING);
    assert!(server.answers(200, "ok").ends_with("\r\nConnection: close\r\n\r\nok"));
    assert_eq!(server.polls(), ["closed NotPersistent"]);
    // So does one that has pipelined several.
    let mut server = self::server();
    server.hears(format!("{NEXT}{NEXT}"));
    server.ends(Clean);
    server.answers(200, "one");
    let told = server.polls();
    assert_eq!(told, ["GET /next", "end"], "it was complete before the end");
    assert!(server.answers(200, "two").ends_with("two"));
    assert_eq!(server.polls(), ["closed NotPersistent"]);
    // One that was reset does not.
    let mut server = self::server();
    server.hears(NEXT);
    assert_eq!(server.ends(Unclean), ["closed Broken"]);
}

#[test]
fn where_the_stream_of_a_server_ends() {
    use End::{Clean, Unclean};
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (section, bytes, end, told) in [
        ("RFC 9112 §9.5", String::new(), Clean, &["closed Unanswered"][..]),
        ("RFC 9112 §9.5", String::new(), Unclean, &["closed Unanswered"]),
        ("RFC 9112 §8", "HTTP".into(), Clean, &["refused Truncated", "closed Failed(Truncated)"]),
        (
            "RFC 9112 §8",
            "HTTP/1.1 103 \r\n\r\n".into(),
            Clean,
            &["interim 103", "refused Truncated", "closed Failed(Truncated)"],
        ),
        (
            "RFC 9112 §8",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx".into(),
            Clean,
            &["200", "content x", "refused Truncated", "closed Failed(Truncated)"],
        ),
        (
            "RFC 9112 §8",
            format!("{chunked}1\r\nx\r\n"),
            Clean,
            &["200", "content x", "refused Truncated", "closed Failed(Truncated)"],
        ),
        (
            "RFC 9112 §8",
            format!("{chunked}1\r\nx\r\n0\r\n"),
            Clean,
            &["200", "content x", "refused Truncated", "closed Failed(Truncated)"],
        ),
        (
            "RFC 9112 §6.3",
            "HTTP/1.1 200 OK\r\n\r\nx".into(),
            Clean,
            &["200", "content x", "end", "closed NotPersistent"],
        ),
        (
            "RFC 9112 §9.8",
            "HTTP/1.1 200 OK\r\n\r\nx".into(),
            Unclean,
            &["200", "content x", "refused Truncated", "closed Failed(Truncated)"],
        ),
        // What says where it ends is complete however the connection ended.
        (
            "RFC 9112 §9.8",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx".into(),
            Unclean,
            &["200", "content x", "end", "closed ByPeer"],
        ),
        ("RFC 9112 §9.8", format!("{chunked}0\r\n\r\n"), Unclean, &["200", "end", "closed ByPeer"]),
    ] {
        let told: Vec<_> = told.iter().map(ToString::to_string).collect();
        assert_eq!(fetch(&Config::default(), "GET", &bytes, Some(end)), told, "{section}: {bytes:?} {end:?}");
    }
}

#[test]
fn bytes_that_nobody_awaits_end_a_connection() {
    // RFC 9112 §9.2
    let mut client = client();
    assert_eq!(client.hears("HTTP/1.1 200 OK\r\n\r\n"), ["refused SurplusBytes", "closed Failed(SurplusBytes)"]);
    // Behind a complete response, in the same read or later.
    for later in [false, true] {
        let mut client = self::client();
        client.gets("/");
        let response = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
        let surplus = ["refused SurplusBytes", "closed Failed(SurplusBytes)"];
        if later {
            assert_eq!(client.hears(response), ["200", "content x", "end"]);
            assert_eq!(client.hears("HTTP/1.1 200 OK\r\n\r\n"), surplus);
        } else {
            let told = client.hears(format!("{response}HTTP/1.1 200 OK\r\n\r\n"));
            assert_eq!(told[..3], ["200", "content x", "end"]);
            assert_eq!(told[3..], surplus);
        }
    }
    // A response that comes before its request was sent is of nobody.
    let mut client = self::client();
    client.requests("GET", "/", &[], Content::Empty).unwrap();
    let told = client.hears("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(told, ["refused SurplusBytes", "closed Failed(SurplusBytes)"]);
}

#[test]
fn content_of_unknown_length_ends_the_connection_of_an_http_1_0_client() {
    // RFC 9112 §6.1: no transfer coding for it; §6.3: so the end of the connection ends the content.
    let mut server = server();
    server.hears("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    server.responds(200, &[], Content::Streaming).unwrap();
    server.machine.send_content(Bytes::from_static(b"ab"), server.now).unwrap();
    server.machine.send_end(&Fields::new(), server.now).unwrap();
    assert_eq!(server.sends(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nab");
    assert!(server.is_over());
    // A coding that the application asks for is refused, and so are trailers and interim responses.
    let mut server = self::server();
    server.hears("GET / HTTP/1.0\r\n\r\n");
    let coded = server.responds(200, &[("Transfer-Encoding", "chunked")], Content::Streaming);
    assert_eq!(coded, Err(Misuse::Framing));
    let interim = server.machine.send_interim(&tests::scene::response(103, &[]), server.now);
    assert_eq!(interim, Err(Misuse::Framing), "RFC 9110 §15.2");
    assert!(server.answers(200, "ok").starts_with("HTTP/1.1 200 OK\r\n"), "RFC 9110 §2.5: our version, not theirs");
}

#[test]
fn a_server_that_is_known_to_speak_http_1_0_is_sent_no_chunks() {
    // RFC 9112 §6.1: known from its responses, or because the application says so.
    let mut client = client();
    client.gets("/");
    client.hears("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.machine.readiness(), Readiness::Idle);
    assert_eq!(client.requests("PUT", "/", &[], Content::Streaming), Err(Misuse::Framing));
    assert_eq!(client.requests("PUT", "/", &[], Content::Full("abc".into())), Ok(()));
    assert!(client.sends().ends_with("\r\nContent-Length: 3\r\n\r\nabc"));
    let old = request("PUT", "/", &[]).with_version(Version::Http10);
    let mut client = self::client();
    let sent = client.machine.send_request(&old, Content::Streaming, client.now);
    assert_eq!(sent.err(), Some(Misuse::Framing));
    client.machine.send_request(&old, Content::Full("abc".into()), client.now).unwrap();
    assert!(client.sends().starts_with("PUT / HTTP/1.0\r\n"));
    assert_eq!(client.machine.readiness(), Readiness::Closing, "RFC 9112 §9.3: it said nothing of keep-alive");
}

#[test]
fn a_response_that_is_given_up_ends_the_connection_unfinished() {
    // RFC 9112 §8: so that it cannot be taken for complete.
    for content in [Content::Sized(2), Content::Streaming] {
        let mut server = server();
        server.hears(NEXT);
        server.responds(200, &[], content).unwrap();
        server.machine.send_content(Bytes::from_static(b"x"), server.now).unwrap();
        server.machine.abandon(server.now);
        let wire = server.sends();
        assert!(wire.ends_with('x') || wire.ends_with("1\r\nx\r\n"), "what was there is sent, and no end: {wire}");
        assert!(server.is_over());
        assert_eq!(server.ends(End::Clean), ["closed Abandoned"]);
        let told = fetch(&Config::default(), "GET", wire, Some(End::Clean));
        assert_eq!(told, ["200", "content x", "refused Truncated", "closed Failed(Truncated)"]);
    }
}

#[test]
fn a_transport_that_takes_no_more_ends_what_is_answered() {
    // RFC 9112 §9.5: nothing is left to wait for when the response is complete.
    let mut client = client();
    client.requests("PUT", "/", &[], Content::Sized(10)).unwrap();
    client.sends();
    assert_eq!(client.hears("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), ["200", "end"]);
    client.machine.handle_write_error(client.now);
    assert_eq!(client.polls(), ["closed NotPersistent"]);
    assert_eq!(client.machine.unanswered().count(), 0);
    assert_eq!(client.deadline(), None);
    // When it comes after the error, it ends with its end.
    let mut client = self::client();
    client.requests("PUT", "/", &[], Content::Sized(10)).unwrap();
    client.sends();
    client.hears("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na");
    client.machine.handle_write_error(client.now);
    assert_eq!(client.hears("b"), ["content b", "end", "closed NotPersistent"]);
    // Of pipelined requests those whose response has come are answered, the others are not.
    let mut client = pipelining_client();
    for target in ["/1", "/2"] {
        client.gets(target);
    }
    client.machine.handle_write_error(client.now);
    assert_eq!(client.hears("HTTP/1.1 204 \r\n\r\n"), ["204", "end"]);
    assert_eq!(client.ends(End::Unclean), ["closed Unanswered"]);
    assert_eq!(client.machine.unanswered().count(), 1);
}
