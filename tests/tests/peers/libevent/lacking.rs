//! What libevent's tests lack.

use bytes::Bytes;
use http_core::client::Readiness;
use http_core::dispatch::{
    Action, ConnectCause, ConnectionId, Dispatcher, Job, LostCause, OriginId, Policy, RequestId,
};
use http_core::{
    Config, Content, Deadline, End, Fields, Instant, Method, Misuse, RequestHead, ResponseHead, StatusCode,
};
use std::time::Duration;
use tests::beginnings::chunked;
use tests::scene::{Client, Server, fetch, serve, whole_and_dripping};

use crate::{GET, NEXT, NOTHING, client, refused, server, strict};

/// A dispatcher with one origin, as `evhttp` has one, that tries `retries` times again.
struct World {
    dispatcher: Dispatcher,
    origin: OriginId,
    now: Instant,
}

impl World {
    fn new(retries: u32) -> Self {
        let mut policy = Policy::evhttp();
        policy.connect_retries = retries;
        let mut dispatcher = Dispatcher::new(policy);
        let origin = dispatcher.add_origin();
        Self { dispatcher, origin, now: Instant::ZERO }
    }

    fn asks(&mut self) -> RequestId {
        self.dispatcher.enqueue(Job::new(self.origin), self.now).expect("taken in")
    }

    fn connects(&mut self) -> ConnectionId {
        match self.dispatcher.poll_action() {
            Some(Action::Connect { connection, .. }) => connection,
            other => panic!("expected Connect, not {other:?}"),
        }
    }

    fn is_refused(&mut self) {
        let connection = self.connects();
        self.dispatcher.handle_connect_failed(connection, ConnectCause::Refused, self.now);
    }

    fn fails(&mut self) -> RequestId {
        match self.dispatcher.poll_action() {
            Some(Action::Fail { request, .. }) => request,
            other => panic!("expected Fail, not {other:?}"),
        }
    }

    /// Time goes by until the timer.
    fn waits(&mut self) -> Duration {
        let at = self.dispatcher.poll_timeout().expect("a timer");
        let time = at.saturating_since(self.now);
        self.now = at;
        self.dispatcher.handle_timeout(at);
        time
    }
}

#[test]
pub(super) fn retry_counter_reset() {
    let mut world = World::new(1);
    let first = world.asks();
    world.is_refused();
    assert_eq!(world.waits(), Duration::from_secs(2));
    world.is_refused();
    assert_eq!(world.fails(), first);
    assert_eq!(world.dispatcher.poll_timeout(), None);
    // evhttp queues this one for ever.
    let second = world.asks();
    world.is_refused();
    assert_eq!(world.waits(), Duration::from_secs(2));
    let connection = world.connects();
    world.dispatcher.handle_connected(connection, world.now);
    assert_eq!(world.dispatcher.poll_action(), Some(Action::Assign { request: second, connection }));
}

#[test]
pub(super) fn cancel_during_back_off() {
    let mut world = World::new(5);
    let request = world.asks();
    world.is_refused();
    assert!(world.dispatcher.poll_timeout().is_some());
    assert!(world.dispatcher.cancel(request, world.now));
    assert_eq!(world.dispatcher.poll_timeout(), None, "no timer is left");
    world.asks();
    world.is_refused();
    assert_eq!(world.waits(), Duration::from_secs(2), "and there is one again when it is needed");
}

#[test]
fn new_request_from_failure_callback() {
    let mut world = World::new(0);
    let first = world.asks();
    world.is_refused();
    assert_eq!(world.fails(), first);
    // Whoever is told of the failure asks at once.
    let second = world.asks();
    let connection = world.connects();
    world.dispatcher.handle_connected(connection, world.now);
    assert_eq!(world.dispatcher.poll_action(), Some(Action::Assign { request: second, connection }));
    assert_eq!(world.dispatcher.poll_action(), None);
}

#[test]
pub(super) fn idle_junk_then_reconnect_failure() {
    let mut idle = client();
    idle.gets("/");
    idle.hears("HTTP/1.1 204 \r\n\r\n");
    assert_eq!(idle.hears("junk"), ["refused SurplusBytes", "closed Failed(SurplusBytes)"]);
    let mut world = World::new(0);
    let first = world.asks();
    let connection = world.connects();
    world.dispatcher.handle_connected(connection, world.now);
    assert_eq!(world.dispatcher.poll_action(), Some(Action::Assign { request: first, connection }));
    let _ = world.dispatcher.handle_response(first, 204, world.now);
    world.dispatcher.handle_finished(first, world.now);
    world.dispatcher.handle_ready(connection, world.now);
    world.dispatcher.handle_lost(connection, LostCause::Malformed, &[], world.now);
    let second = world.asks();
    world.is_refused();
    assert_eq!(world.fails(), second, "one outcome, and no crash");
    assert_eq!((world.dispatcher.poll_action(), world.dispatcher.connections()), (None, 0));
}

#[test]
pub(super) fn reply_without_content_to_head_204_304() {
    // (method, status, what is sent of `body`)
    for (method, status, framing) in [("HEAD", 200, "Content-Length: 4\r\n"), ("GET", 304, "")] {
        let mut server = server();
        server.hears(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        let wire = server.answers(status, "body");
        assert!(wire.ends_with(&format!("{framing}\r\n")) && !wire.contains("body"), "{method} {status}: {wire}");
        assert_eq!(server.hears(NEXT), ["GET /next", "end"]);
    }
    let mut server = server();
    server.hears(GET);
    assert_eq!(server.responds(204, &[], Content::Full("body".into())), Err(Misuse::TooMuchContent));
    assert_eq!(server.responds(204, &[], Content::Streaming), Err(Misuse::TooMuchContent));
    assert_eq!(server.answers(204, ""), "HTTP/1.1 204 No Content\r\n\r\n");
    // Streamed to HEAD: taken from the application, and left out.
    let mut head = self::server();
    head.hears("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    head.responds(200, &[], Content::Streaming).unwrap();
    let piece = head.machine.send_content(Bytes::from_static(b"body"), head.now);
    let end = head.machine.send_end(&Fields::new(), head.now);
    assert!(!head.sends().contains("body"), "{piece:?} {end:?}");
}

#[test]
pub(super) fn head_request_with_content() {
    for method in ["HEAD", "TRACE", "DELETE", "OPTIONS", "GET"] {
        let bytes = format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{NEXT}", NEXT.len());
        let told = serve(&strict(), &bytes);
        assert_eq!(told[2..], ["end", "answers 200"], "framing does not depend on the method: {told:?}");
    }
}

#[test]
pub(super) fn http10_keep_alive_streaming() {
    let mut server = server();
    server.hears("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    server.responds(200, &[], Content::Streaming).unwrap();
    server.machine.send_content(Bytes::from_static(b"body"), server.now).unwrap();
    server.machine.send_end(&Fields::new(), server.now).unwrap();
    assert_eq!(server.sends(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody");
    assert!(server.is_over());
}

#[test]
pub(super) fn interim_responses_before_the_final_one() {
    let bytes = "HTTP/1.1 102 \r\n\r\nHTTP/1.1 103 \r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    let told = fetch(&strict(), "GET", bytes, None);
    assert_eq!(told, ["interim 102", "interim 103", "200", "content x", "end"]);
    let mut client = client();
    client.gets("/");
    client.hears(bytes);
    assert_eq!(client.field("Link"), None, "fields of an interim response are not of the final one");
}

#[test]
pub(super) fn switch_with_bytes_left_over() {
    let mut client = client();
    client.requests("GET", "/", &[("Upgrade", "x")], Content::Empty).unwrap();
    client.sends();
    assert_eq!(client.hears("HTTP/1.1 101 \r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nleft"), ["101", "switched"]);
    assert_eq!(client.input, "left");
}

#[test]
pub(super) fn expect_answered_by_a_final_status() {
    let mut client = client();
    client.requests("PUT", "/", &[("Expect", "100-continue")], Content::Full("abc".into())).unwrap();
    client.sends();
    let told = client.hears("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(told, ["200", "end", "closed NotPersistent"], "a connection with content that was not sent is not used");
    assert_eq!(client.sends(), "");
}

#[test]
pub(super) fn expect_answered_by_silence() {
    let mut client = client();
    client.requests("PUT", "/", &[("Expect", "100-continue")], Content::Full("abc".into())).unwrap();
    client.sends();
    assert_eq!(client.passes(Deadline::Expect, Duration::from_secs(1)), NOTHING);
    assert_eq!(client.sends(), "abc");
}

#[test]
pub(super) fn http10_until_close_with_queued_requests() {
    let mut config = strict();
    config.persistence.pipelining = 2;
    let mut client = Client::client(config);
    client.gets("/1");
    client.gets("/2");
    assert_eq!(client.hears("HTTP/1.0 200 OK\r\n\r\none"), ["200", "content one"]);
    assert_eq!(client.requests("GET", "/3", &[], Content::Empty), Err(Misuse::Closed));
    assert_eq!(client.ends(End::Clean), ["end", "closed NotPersistent"]);
    assert_eq!(client.machine.unanswered().count(), 1, "the second is told as unanswered");
    // With a length as well: HTTP/1.0 is not persistent by itself.
    let told = fetch(&strict(), "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", None);
    assert_eq!(told, ["200", "content x", "end", "closed NotPersistent"]);
}

#[test]
pub(super) fn connection_token_lists() {
    for (value, closes) in
        [("foo, close", true), ("close, foo", true), ("closet", false), ("foo\r\nConnection: Close", true)]
    {
        let told = serve(&strict(), format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {value}\r\n\r\n"));
        assert_eq!(told.last().unwrap() == "closes", closes, "{value:?}");
    }
    let old = serve(&strict(), "GET / HTTP/1.0\r\nConnection: keep-alivexyz\r\n\r\n");
    assert_eq!(old.last().unwrap(), "closes");
}

#[test]
pub(super) fn keep_alive_response_without_length() {
    for connection in ["", "Connection: keep-alive\r\n", "Connection: x\r\n", "Connection: close\r\n"] {
        let told = fetch(&strict(), "GET", format!("HTTP/1.1 200 OK\r\n{connection}\r\nbody"), Some(End::Clean));
        assert_eq!(told, ["200", "content body", "end", "closed NotPersistent"], "{connection:?}");
    }
}

#[test]
pub(super) fn chunk_extensions() {
    for line in ["5;ext", "5;ext=1", "5 ; ext = \"a;\\\"b\"", "5;a;b=c", "05;a"] {
        let told = serve(&strict(), chunked(&format!("{line}\r\nhello\r\n0\r\n\r\n")));
        assert_eq!(told, ["POST /", "content hello", "end", "answers 200"], "{line:?}");
    }
    for line in ["5 ext", "5 ", "5;", "5;=a", "5;a=", "5;a\x01", "5;a\"b"] {
        let told = serve(&strict(), chunked(&format!("{line}\r\nhello\r\n0\r\n\r\n")));
        assert_eq!(told[1..], refused("ChunkExtension", 400), "{line:?}");
    }
}

#[test]
pub(super) fn chunk_ends_are_verified() {
    for end in ["", "\n", "\r", "\rX", "XX", "  \r\n", "5"] {
        let told = serve(&strict(), chunked(&format!("5\r\nhello{end}0\r\n\r\n")));
        assert_eq!(told[..2], ["POST /", "content hello"], "{end:?}");
        assert_eq!(told[2..], refused("ChunkEnd", 400), "{end:?}");
    }
    // Nor are blank lines skipped.
    let told = serve(&strict(), chunked("5\r\nhello\r\n\r\n0\r\n\r\n"));
    assert_eq!(told[2..], refused("ChunkSize", 400));
}

#[test]
pub(super) fn transfer_encoding_and_length() {
    for (lines, reason, status) in [
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", "TransferEncodingWithLength", 400),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", "TransferEncodingWithLength", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "TransferEncoding", 400),
        ("Transfer-Encoding: chunked, chunked", "TransferEncoding", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "TransferEncoding", 400),
        ("Transfer-Encoding: identity", "TransferEncoding", 400),
        ("Transfer-Encoding: gzip, chunked", "TransferCodingUnknown", 501),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", "TransferCodingUnknown", 501),
        ("Transfer-Encoding: xchunked", "TransferEncoding", 400),
        ("Transfer-Encoding: chunked\x0b", "FieldValue", 400),
        ("Transfer-Encoding: chunked;a=b", "TransferEncoding", 400),
        ("Transfer-Encoding:", "TransferEncoding", 400),
    ] {
        for config in [strict(), Config::evhttp()] {
            let told = serve(&config, format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n0\r\n\r\n"));
            assert_eq!(told, refused(reason, status), "{lines:?}");
        }
    }
    let old = serve(&strict(), "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_eq!(old, refused("TransferEncodingInHttp10", 400));
}

#[test]
pub(super) fn content_lengths() {
    for (lines, reason) in [
        ("Content-Length: +5", "ContentLength"),
        ("Content-Length: -5", "ContentLength"),
        ("Content-Length: 5 5", "ContentLength"),
        ("Content-Length: 5a", "ContentLength"),
        ("Content-Length: 0x5", "ContentLength"),
        ("Content-Length: 5.0", "ContentLength"),
        ("Content-Length:", "ContentLength"),
        ("Content-Length: 9223372036854775808", "ContentLength"),
        ("Content-Length: 99999999999999999999999", "ContentLength"),
        ("Content-Length: 3, 4", "ContentLengthConflict"),
        ("Content-Length: 3\r\nContent-Length: 4", "ContentLengthConflict"),
        ("Content-Length: 3, 3", "ContentLengthList"),
        ("Content-Length: 3\r\nContent-Length: 3", "ContentLengthList"),
    ] {
        for config in [strict(), Config::evhttp()] {
            let told = serve(&config, format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\nhello"));
            assert_eq!(told, refused(reason, 400), "{lines:?}");
        }
    }
    let told = serve(&strict(), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \t 005 \r\n\r\nhello");
    assert_eq!(told, ["POST /", "content hello", "end", "answers 200"]);
}

#[test]
fn trailers_are_kept_apart() {
    whole_and_dripping(|drips| {
        let mut server = server();
        server.drips = drips;
        server.hears(chunked(""));
        server.wants();
        assert_eq!(server.hears("0\r\nX-Sum: 1\r\n\r\n"), ["end X-Sum: 1"]);
        assert_eq!(server.field("X-Sum"), None);
        // A section with a field that may not be there is not believed.
        server.answers(200, "");
        server.hears(chunked(""));
        server.wants();
        assert_eq!(server.hears("0\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\n"), ["end"]);
    });
}

#[test]
fn bare_lf_nul_and_space_before_colon() {
    let get = |lines: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    for (bytes, reason, preset) in [
        (get("X: y\n"), "BareLf", true),
        (get("X : y\r\n"), "SpaceBeforeColon", true),
        (get("X: a\x00b\r\n"), "FieldValue", false),
        (get("X: a\rb\r\n"), "BareCr", false),
        (get("X\x00: a\r\n"), "FieldName", false),
        (get("X (y): a\r\n"), "SpaceBeforeColon", false),
        (get(": a\r\n"), "FieldName", false),
    ] {
        assert_eq!(serve(&strict(), &bytes), refused(reason, 400), "{bytes:?}");
        assert_eq!(serve(&Config::evhttp(), &bytes).last().unwrap() == "answers 200", preset, "{bytes:?}");
    }
}

#[test]
pub(super) fn target_and_reason_injection() {
    for target in ["/a b", "/a\r\nX: y", "/\n", "", "/a HTTP/1.1\r\n\r\nGET /b"] {
        assert_eq!(RequestHead::new(Method::Get, target).err(), Some(Misuse::Target), "{target:?}");
    }
    for method in ["G T", "GET\r\n", "", "G\x00"] {
        assert_eq!(RequestHead::new(Method::Other(method), "/").err(), Some(Misuse::Method), "{method:?}");
    }
    for reason in ["OK\r\nX: y", "a\nb", "a\rb", "a\x00"] {
        let head = ResponseHead::with_reason_phrase(StatusCode::OK, reason);
        assert_eq!(head.err(), Some(Misuse::ReasonPhrase), "{reason:?}");
    }
    let mut fields = Fields::new();
    assert_eq!(fields.push("X", "a\r\n b"), Err(Misuse::FieldValue), "no folds either");
}

#[test]
pub(super) fn long_upload_with_a_silent_peer() {
    let mut client = client();
    client.requests("PUT", "/", &[], Content::Full(Bytes::from(vec![b'x'; 1 << 20]))).unwrap();
    for _ in 0..100 {
        assert_eq!(client.waits(Duration::from_secs(9)), NOTHING);
        client.machine.handle_sent(5000, client.now);
    }
    // Nor does a server give up a client that reads its answer slowly.
    let mut server = server();
    server.hears(GET);
    server.responds(200, &[], Content::Full(Bytes::from(vec![b'x'; 1 << 20]))).unwrap();
    server.polls();
    for _ in 0..100 {
        assert_eq!(server.waits(Duration::from_secs(9)), NOTHING);
        server.machine.handle_sent(5000, server.now);
    }
}

#[test]
pub(super) fn connect_that_is_refused_with_content() {
    let mut client = client();
    client.requests("CONNECT", "example.com:443", &[], Content::Empty).unwrap();
    client.sends();
    assert_eq!(client.hears("HTTP/1.1 407 \r\nContent-Length: 3\r\n\r\nwho"), ["407", "content who", "end"]);
    client.requests("CONNECT", "example.com:443", &[], Content::Empty).unwrap();
    client.sends();
    assert_eq!(client.hears("HTTP/1.1 200 \r\n\r\n"), ["200", "switched"]);
}

#[test]
pub(super) fn transport_closed_before_the_first_request() {
    for end in [End::Clean, End::Unclean] {
        let mut client = client();
        assert_eq!(client.ends(end), ["closed ByPeer"]);
        assert_eq!(client.machine.readiness(), Readiness::Closing);
        assert_eq!(client.requests("GET", "/", &[], Content::Empty), Err(Misuse::Closed));
        let mut server = Server::server(strict());
        assert_eq!(server.ends(end), ["closed ByPeer"]);
    }
}
