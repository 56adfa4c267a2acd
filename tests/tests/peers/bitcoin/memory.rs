//! What Bitcoin Core pinned of libevent before it left it.

use http_core::Deadline;
use std::time::Duration;
use tests::scene::{Server, serve};

use crate::{GET, NOTHING, refused, server, strict};

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut server = server();
    server.input.extend_from_slice(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut wire = String::new();
    for (request, answer) in [("GET /1", "first"), ("GET /2", "second")] {
        assert_eq!(server.polls(), [request, "end"]);
        server.waits(Duration::from_secs(60));
        wire += &server.answers(200, answer);
    }
    assert!(wire.find("first") < wire.find("second"), "{wire}");
}

#[test]
fn an_idle_connection_is_closed_by_the_server() {
    let mut config = strict();
    config.timeouts.idle = Duration::from_secs(2);
    let mut server = Server::server(config);
    server.hears(GET);
    server.answers(200, "");
    server.polls();
    assert_eq!(server.passes(Deadline::Idle, Duration::from_secs(2)), ["closed TimedOut(Idle)"]);
}

#[test]
fn a_busy_server_does_not_close_an_idle_client() {
    let mut config = strict();
    config.timeouts.idle = Duration::from_secs(1);
    let mut server = Server::server(config);
    server.hears(GET);
    assert_eq!(server.waits(Duration::from_secs(600)), NOTHING, "it is the server that takes its time");
    assert!(server.answers(200, "late").ends_with("late"));
    server.polls();
    assert_eq!(server.deadline(), Some((Deadline::Idle, Duration::from_secs(1))));
}

#[test]
fn chunked_requests_are_read() {
    let chunks = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"method\": \"help\r\n2\r\n\"}\r\n0\r\n\r\n";
    assert_eq!(serve(&strict(), chunks), ["POST /", "content {\"method\": \"help\"}", "end", "answers 200"]);
}

#[test]
fn heads_and_content_have_limits_in_all() {
    let mut config = strict();
    config.limits.head = 8192;
    config.limits.content = Some(0x0200_0000);
    let lines = "X: 0123456789abcdef\r\n".repeat(100);
    let within = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    assert_eq!(serve(&config, within), ["GET /", "end", "answers 200"]);
    let beyond = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n{lines}\r\n", "y".repeat(7000));
    assert_eq!(serve(&config, beyond), refused("HeadTooLong", 431));
    let post = |length: u32| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    assert_eq!(serve(&config, post(0x0200_0000)), ["POST /"]);
    assert_eq!(serve(&config, post(0x0200_0001)), refused("ContentTooLong", 413));
}
