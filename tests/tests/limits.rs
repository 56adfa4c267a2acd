//! Every limit and budget: what is exactly as large passes, one more is refused, with the status that is documented.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use std::time::Duration;

use bytes::Bytes;
use http_core::{Config, Content, End, Fields, Limits, Misuse, Persistence, Version};
use tests::beginnings::chunked;
use tests::scene::{Client, Server, fields_of, request, response, whole_and_dripping};

/// A configuration with other limits.
fn with(change: impl FnOnce(&mut Limits)) -> Config {
    let mut config = Config::default();
    change(&mut config.limits);
    config
}

/// What a server makes of `bytes`, and what it sends at once. It asks for all content and answers nothing.
fn serve(config: &Config, bytes: &str, drips: bool) -> (Vec<String>, String) {
    let mut server = Server::server(config.clone());
    server.drips = drips;
    let mut told = server.hears(bytes);
    told.extend(server.wants());
    let sent = server.sends();
    assert_eq!(server.is_over(), !sent.is_empty(), "an answer of the machine's own is the last one");
    (told, sent)
}

/// A server reads `within`, and refuses `beyond` for `reason` with `status`.
fn server_takes(config: &Config, within: &str, beyond: &str, reason: &str, status: u16) {
    whole_and_dripping(|drips| {
        let (told, sent) = serve(config, within, drips);
        assert!(told.last().is_some_and(|word| word.starts_with("end")), "{within:?} is read as {told:?}");
        assert_eq!(sent, "");
        let (told, sent) = serve(config, beyond, drips);
        assert_eq!(told.last(), Some(&format!("refused {reason}")), "{beyond:?}");
        assert!(sent.starts_with(&format!("HTTP/1.1 {status} ")), "{sent}");
        assert!(sent.contains("\r\nConnection: close\r\n"), "{sent}");
    });
}

/// A client reads `within` and refuses `beyond` for `reason`; the connection is over.
fn client_takes(config: &Config, within: &str, beyond: &str, reason: &str) {
    whole_and_dripping(|drips| {
        let mut client = Client::client(config.clone());
        client.drips = drips;
        client.gets("/");
        let told = client.hears(within);
        assert!(told.last().is_some_and(|word| word.starts_with("end")), "{within:?} is read as {told:?}");
        let mut client = Client::client(config.clone());
        client.drips = drips;
        client.gets("/");
        let told = client.hears(beyond);
        let ending = [format!("refused {reason}"), format!("closed Failed({reason})")];
        assert_eq!(told[told.len() - 2..], ending, "{beyond:?}");
        assert!(client.machine.interest().close);
    });
}

fn x(count: usize) -> String {
    "x".repeat(count)
}

/// A chunked response.
fn chunked_response(chunks: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")
}

#[test]
fn target() {
    let of = |length: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", x(length - 1));
    server_takes(&with(|l| l.target = 10), &of(10), &of(11), "TargetTooLong", 414);
    server_takes(&Config::default(), &of(8192), &of(8193), "TargetTooLong", 414);
}

#[test]
fn field_line() {
    let config = with(|l| l.field_line = 40);
    let field = |length: usize| format!("X: {}\r\n", x(length - 3));
    let name = |length: usize| format!("{}:\r\n", x(length - 1));
    for of in [&field as &dyn Fn(usize) -> String, &name] {
        let request = |length| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", of(length));
        server_takes(&config, &request(40), &request(41), "FieldLineTooLong", 431);
        let trailer = |length| chunked(&format!("0\r\n{}\r\n", of(length)));
        server_takes(&config, &trailer(40), &trailer(41), "FieldLineTooLong", 431);
        let response = |length| format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{}\r\n", of(length));
        client_takes(&config, &response(40), &response(41), "FieldLineTooLong");
    }
}

#[test]
fn head() {
    let config = with(|l| l.head = 100);
    let of = |length: usize| {
        let around = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", x(length - around))
    };
    server_takes(&config, &of(100), &of(101), "HeadTooLong", 431);
    let of = |length: usize| {
        let around = "HTTP/1.1 204 \r\n\r\n".len();
        format!("HTTP/1.1 204 {}\r\n\r\n", x(length - around))
    };
    client_takes(&config, &of(100), &of(101), "HeadTooLong");
}

#[test]
fn fields() {
    for (config, most) in [(with(|l| l.fields = 3), 3), (Config::default(), 128), (with(|l| l.fields = 200), 200)] {
        let of = |count: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X:y\r\n".repeat(count - 1));
        server_takes(&config, &of(most), &of(most + 1), "TooManyFields", 431);
        let of = |count: usize| format!("HTTP/1.1 204 \r\n{}\r\n", "X:y\r\n".repeat(count));
        client_takes(&config, &of(most), &of(most + 1), "TooManyFields");
    }
}

#[test]
fn trailers() {
    let config = with(|l| l.trailers = 50);
    let of = |length: usize| format!("0\r\nX: {}\r\n\r\n", x(length - "X: \r\n\r\n".len()));
    server_takes(&config, &chunked(&of(50)), &chunked(&of(51)), "TrailersTooLong", 431);
    client_takes(&config, &chunked_response(&of(50)), &chunked_response(&of(51)), "TrailersTooLong");
}

#[test]
fn trailer_fields() {
    let config = with(|l| l.trailer_fields = 2);
    let of = |count: usize| format!("0\r\n{}\r\n", "X: y\r\n".repeat(count));
    server_takes(&config, &chunked(&of(2)), &chunked(&of(3)), "TooManyFields", 431);
    client_takes(&config, &chunked_response(&of(2)), &chunked_response(&of(3)), "TooManyFields");
}

#[test]
fn chunk_line() {
    let config = with(|l| l.chunk_line = 10);
    let digits = |length: usize| format!("{}1\r\na\r\n0\r\n\r\n", "0".repeat(length - 1));
    let extension = |length: usize| format!("1;{}\r\na\r\n0\r\n\r\n", x(length - 2));
    let quoted = |length: usize| format!("1;a=\"{}\"\r\na\r\n0\r\n\r\n", x(length - 6));
    for of in [&digits as &dyn Fn(usize) -> String, &extension, &quoted] {
        server_takes(&config, &chunked(&of(10)), &chunked(&of(11)), "ChunkLineTooLong", 400);
        client_takes(&config, &chunked_response(&of(10)), &chunked_response(&of(11)), "ChunkLineTooLong");
    }
}

#[test]
fn chunk_extensions() {
    let config = with(|l| l.chunk_extensions = 12);
    // Counted over all chunks of a message, the last one too: two chunks with 4 bytes each, and the rest.
    let of = |all: usize| format!("1;abc\r\na\r\n1;abc\r\nb\r\n0;{}\r\n\r\n", x(all - 9));
    server_takes(&config, &chunked(&of(12)), &chunked(&of(13)), "ChunkExtensionsTooLong", 400);
    client_takes(&config, &chunked_response(&of(12)), &chunked_response(&of(13)), "ChunkExtensionsTooLong");
    // The next message has a budget of its own.
    let mut server = Server::server(config);
    for _ in 0..2 {
        server.hears(chunked(&of(12)));
        assert_eq!(server.wants(), ["content ab", "end"]);
        server.answers(200, "");
    }
}

#[test]
fn content() {
    let config = with(|l| l.content = Some(5));
    let length = |n: usize| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n{}", x(n));
    let chunks = |n: usize| chunked(&format!("1\r\nx\r\n{:x}\r\n{}\r\n0\r\n\r\n", n - 1, x(n - 1)));
    server_takes(&config, &length(5), &length(6), "ContentTooLong", 413);
    server_takes(&config, &chunks(5), &chunks(6), "ContentTooLong", 413);
    let length = |n: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {n}\r\n\r\n{}", x(n));
    let chunks = |n: usize| chunked_response(&format!("{n}\r\n{}\r\n0\r\n\r\n", x(n)));
    client_takes(&config, &length(5), &length(6), "ContentTooLong");
    client_takes(&config, &chunks(5), &chunks(6), "ContentTooLong");
    // A length that is announced is refused before any of the content is asked for, or comes.
    let mut server = Server::server(config.clone());
    let head = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(server.hears(head), ["refused ContentTooLong"]);
    assert!(server.sends().starts_with("HTTP/1.1 413 Content Too Large\r\n"));
    // Content that lasts until the connection ends is counted as it comes.
    let mut client = Client::client(config);
    client.gets("/");
    assert_eq!(client.hears("HTTP/1.1 200 OK\r\n\r\nxxxxx"), ["200", "content xxxxx"]);
    assert_eq!(client.hears("x"), ["refused ContentTooLong", "closed Failed(ContentTooLong)"]);
    // 0 is a limit too.
    let none = with(|l| l.content = Some(0));
    let of = |n| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n");
    server_takes(&none, &of(0), &of(1), "ContentTooLong", 413);
}

#[test]
fn interim_responses() {
    let config = with(|l| l.interim_responses = 3);
    let of = |n: usize| format!("{}HTTP/1.1 204 \r\n\r\n", "HTTP/1.1 103 \r\n\r\n".repeat(n));
    client_takes(&config, &of(3), &of(4), "TooManyInterim");
    // The next request has a budget of its own.
    let mut client = Client::client(config.clone());
    for _ in 0..2 {
        client.gets("/");
        assert_eq!(client.hears(of(3)), ["interim 103", "interim 103", "interim 103", "204", "end"]);
    }
    // What a server sends is held to the same.
    let mut server = Server::server(config);
    for _ in 0..2 {
        server.hears("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        for _ in 0..3 {
            server.machine.send_interim(&response(103, &[]), server.now).unwrap();
        }
        assert_eq!(server.machine.send_interim(&response(103, &[]), server.now), Err(Misuse::Full));
        assert_eq!(server.sends(), "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(3));
        server.answers(200, "");
    }
}

#[test]
fn empty_lines() {
    let of = |n: usize| format!("{}GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n".repeat(n));
    server_takes(&with(|l| l.empty_lines = 2), &of(2), &of(3), "EmptyLines", 400);
    let (config, none) = (Config::default(), with(|l| l.empty_lines = 0));
    server_takes(&config, &of(8), &of(9), "EmptyLines", 400);
    server_takes(&none, &of(0), &of(1), "EmptyLines", 400);
}

/// A server that answers `request` without reading its content: whether it says that it will close.
fn answered_unread(config: &Config, request: &str) -> (Server, bool) {
    let mut server = Server::server(config.clone());
    assert_eq!(server.hears(request), ["POST /"]);
    let sent = server.answers(200, "hello");
    (server, sent.contains("\r\nConnection: close\r\n"))
}

#[test]
fn drain() {
    let config = with(|l| l.drain = 5);
    let of = |n: usize| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n");
    // As much as the budget is read and dropped, and the connection kept.
    let (mut server, closes) = answered_unread(&config, &of(5));
    assert!(!closes);
    assert_eq!(server.hears("xxxxxGET /next HTTP/1.1\r\nHost: a\r\n\r\n"), ["GET /next", "end"]);
    // One more is not worth it, and the answer says so.
    let (mut server, closes) = answered_unread(&config, &of(6));
    assert!(closes && server.is_over());
    assert_eq!(server.hears("xxxxxxGET /next HTTP/1.1\r\nHost: a\r\n\r\n"), [""; 0]);
    assert_eq!(server.ends(End::Clean), ["closed NotPersistent"]);
    // What has come without a length is known only when it is there.
    let (mut server, closes) = answered_unread(&config, &chunked(""));
    assert!(!closes);
    assert_eq!(server.hears("5\r\nxxxxx\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n"), ["GET /next", "end"]);
    let (mut server, closes) = answered_unread(&config, &chunked(""));
    assert!(!closes);
    assert_eq!(server.hears("6\r\nxxxxxx\r\n"), [""; 0]);
    assert!(server.is_over());
}

#[test]
fn linger() {
    let config = with(|l| l.linger = 5);
    let mut server = Server::server(config);
    server.hears("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    server.answers(200, "");
    let interest = server.machine.interest();
    assert!(interest.lend > 0 && interest.shutdown && !interest.close, "the peer reads its answer: {interest:?}");
    assert_eq!(server.hears("xxxxx"), [""; 0]);
    assert!(!server.machine.interest().close);
    assert_eq!(server.hears("x"), ["closed NotPersistent"]);
    assert!(server.machine.interest().close);
}

#[test]
fn read_ahead() {
    let config = with(|l| l.read_ahead = 5);
    let mut server = Server::server(config);
    server.hears("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    // While the handler works, reading goes on, so that an end is seen, but only so far.
    assert_eq!(server.machine.interest().lend, 5);
    assert_eq!(server.hears("GET "), [""; 0]);
    assert_eq!(server.machine.interest().room(4), 1);
    assert_eq!(server.hears("/"), [""; 0]);
    assert_eq!(server.machine.interest().room(5), 0, "the budget is used up");
    server.answers(200, "");
    assert!(server.machine.interest().room(5) > 0, "the next request is read");
    assert_eq!(server.polls(), [""; 0]);
    assert!(server.machine.interest().room(5) > 0, "the next request is read");
    assert_eq!(server.hears("b HTTP/1.1\r\nHost: a\r\n\r\n"), ["GET /b", "end"]);
}

#[test]
fn send_buffer() {
    let config = with(|l| l.send_buffer = 100);
    let piece = |n: usize| Bytes::from(vec![b'x'; n]);
    let mut server = Server::server(config.clone());
    server.hears("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    server.responds(200, &[], Content::Sized(1000)).unwrap();
    server.sends();
    assert_eq!(server.machine.send_capacity(), 100);
    server.machine.send_content(piece(99), server.now).unwrap();
    assert_eq!(server.machine.send_capacity(), 1);
    // A piece is taken whole while there is any room.
    server.machine.send_content(piece(50), server.now).unwrap();
    assert_eq!(server.machine.send_capacity(), 0);
    assert_eq!(server.machine.send_content(piece(1), server.now), Err(Misuse::Full));
    server.machine.handle_sent(50, server.now);
    assert_eq!(server.machine.send_capacity(), 1);
    // Requests that come faster than their answers leave are not read: else the answers grow without bound.
    let mut server = Server::server(config.clone());
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut answered = 0;
    server.input.extend_from_slice(get.repeat(100).as_bytes());
    while server.polls() == ["GET /", "end"] {
        server.responds(200, &[], Content::Full(piece(30))).unwrap();
        answered += 1;
    }
    assert_eq!(answered, 2, "two answers of 68 bytes");
    server.sends();
    assert_eq!(server.polls(), ["GET /", "end"]);
    // A client's content likewise.
    let mut client = Client::client(config);
    client.requests("PUT", "/", &[], Content::Sized(1000)).unwrap();
    client.sends();
    client.machine.send_content(piece(100), client.now).unwrap();
    assert_eq!(client.machine.send_capacity(), 0);
    assert_eq!(client.machine.send_content(piece(1), client.now), Err(Misuse::Full));
}

/// The fields of `Limits`, each with the test that spends it.
const SPENT: &[(&str, fn())] = &[
    ("target", target),
    ("field_line", field_line),
    ("head", head),
    ("fields", fields),
    ("trailers", trailers),
    ("trailer_fields", trailer_fields),
    ("chunk_line", chunk_line),
    ("chunk_extensions", chunk_extensions),
    ("content", content),
    ("interim_responses", interim_responses),
    ("empty_lines", empty_lines),
    ("drain", drain),
    ("linger", linger),
    ("read_ahead", read_ahead),
    ("send_buffer", send_buffer),
];

#[test]
fn every_limit_is_spent() {
    let names: Vec<_> = SPENT.iter().map(|(name, _)| *name).collect();
    assert_eq!(fields_of(&Limits::default()), names);
}

#[test]
fn keep_alive() {
    let mut config = Config::default();
    config.persistence.keep_alive = false;
    let mut server = Server::server(config.clone());
    server.hears("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(server.answers(200, "").contains("\r\nConnection: close\r\n"));
    assert!(server.is_over());
    let mut client = Client::client(config);
    assert!(client.gets("/").contains("\r\nConnection: close\r\n"));
    assert_eq!(client.hears("HTTP/1.1 204 \r\n\r\n"), ["204", "end", "closed NotPersistent"]);
}

#[test]
fn requests() {
    let mut config = Config::default();
    config.persistence.requests = Some(2);
    let mut server = Server::server(config.clone());
    for closes in [false, true] {
        assert_eq!(server.hears("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ["GET /", "end"]);
        assert_eq!(server.answers(200, "").contains("\r\nConnection: close\r\n"), closes);
        assert_eq!(server.is_over(), closes);
    }
    let mut client = Client::client(config);
    assert!(!client.gets("/").contains("Connection"));
    client.hears("HTTP/1.1 204 \r\n\r\n");
    assert!(client.gets("/").contains("\r\nConnection: close\r\n"));
    assert_eq!(client.hears("HTTP/1.1 204 \r\n\r\n"), ["204", "end", "closed NotPersistent"]);
}

#[test]
fn http10_origin() {
    let mut config = Config::default();
    config.persistence.http10_origin = true;
    let mut client = Client::client(config);
    assert_eq!(client.machine.peer_version(), Version::Http10);
    assert_eq!(client.requests("PUT", "/", &[], Content::Streaming), Err(Misuse::Framing));
    client.requests("PUT", "/", &[], Content::Sized(1)).unwrap();
    client.machine.send_content("x".into(), client.now).unwrap();
    client.machine.send_end(&Fields::new(), client.now).unwrap();
    assert!(client.sends().ends_with("\r\nContent-Length: 1\r\n\r\nx"));
    // What it answers counts from then on.
    client.hears("HTTP/1.1 204 \r\n\r\n");
    assert_eq!(client.requests("PUT", "/", &[], Content::Streaming), Ok(()));
    assert!(client.sends().ends_with("\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

#[test]
fn pipelining() {
    let mut config = Config::default();
    config.persistence.pipelining = 2;
    let mut client = Client::client(config);
    client.gets("/1");
    client.gets("/2");
    let third = client.machine.send_request(&request("GET", "/3", &[]), Content::Empty, client.now);
    assert_eq!(third.err(), Some(Misuse::NotYourTurn));
    client.hears("HTTP/1.1 204 \r\n\r\n");
    client.gets("/3");
    client.waits(Duration::from_secs(1));
    assert_eq!(client.machine.unanswered().count(), 2);
}

#[test]
fn every_setting_of_persistence_is_tested() {
    let tested: &[(&str, fn())] = &[
        ("keep_alive", keep_alive),
        ("requests", requests),
        ("http10_origin", http10_origin),
        ("pipelining", pipelining),
    ];
    let names: Vec<_> = tested.iter().map(|(name, _)| *name).collect();
    assert_eq!(fields_of(&Persistence::default()), names);
}
