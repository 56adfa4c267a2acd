//! Answers of a server's own that an application shapes.

use bytes::Bytes;
use http_core::{Config, Content, End, Fields, Phase, ProtocolError, Refusal};
use tests::scene::Server;

fn answer(shape: fn(&ProtocolError) -> (Fields, Bytes), request: &str) -> String {
    let mut config = Config::default();
    config.refusal = Some(Refusal::new(shape));
    config.limits.content = Some(3);
    let mut server = Server::server(config);
    server.hears(request);
    let sent = server.sends();
    assert!(server.is_over(), "whatever the application says, the connection ends");
    sent
}

fn told(error: &ProtocolError) -> (Fields, Bytes) {
    let mut fields = Fields::new();
    fields.push("X-Offset", error.offset().to_string()).unwrap();
    (fields, Bytes::from("no"))
}

#[test]
fn an_application_gives_fields_and_content_to_the_status() {
    let answer = answer(told, "GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.contains("\r\nX-Offset: 26\r\n") && answer.contains("\r\nConnection: close\r\n"), "{answer}");
    assert!(answer.contains("\r\nContent-Length: 2\r\n") && answer.ends_with("\r\n\r\nno"), "{answer}");
}

#[test]
fn an_answer_to_head_has_no_content() {
    let answer = answer(told, "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("\r\nContent-Length: 2\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn what_may_not_be_sent_is_left_out() {
    let shape = |_: &ProtocolError| {
        let mut fields = Fields::new();
        let _ = fields.push("Transfer-Encoding", "chunked");
        let _ = fields.push("Content-Length", "7");
        (fields, Bytes::from("no"))
    };
    let answer = answer(shape, "GET / HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400 ") && !answer.contains("chunked"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

/// What logs ask of a connection that has ended: how far it was, and whether its fault was answered.
#[test]
fn s14_a_connection_tells_how_far_it_was() {
    const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (before, then, phase, refused) in [
        ("", "G\0", Phase::ReadingFirstLine, true),
        ("G", "\0", Phase::ReadingFirstLine, true),
        ("", "GET / HTTP/1.1\r\nA : b\r\n", Phase::ReadingHeaders, true),
        ("GET / HTTP/1.1\r\n", "A : b\r\n", Phase::ReadingHeaders, true),
        ("", "GET / HTTP/1.1\r\n\r\n", Phase::ReadingHeaders, true),
        (CHUNKED, "z", Phase::ReadingBody, true),
        (CHUNKED, "0\r\nA : b\r\n", Phase::ReadingTrailer, true),
        // Nobody is there to be answered.
        ("G", "", Phase::ReadingFirstLine, false),
        (CHUNKED, "", Phase::ReadingBody, false),
        ("", "", Phase::Idle, false),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", Phase::Writing, false),
    ] {
        for sent in [false, true] {
            let mut server = Server::server(Config::default());
            server.hears(before);
            server.wants();
            server.hears(then);
            if then.is_empty() {
                server.ends(End::Unclean);
            }
            if sent {
                server.sends();
            }
            let seen = (server.machine.reached(), server.machine.was_refused());
            assert_eq!(seen, (phase, refused), "{before:?} {then:?}");
        }
    }
    // An answer of the application had begun: what is reached is its sending, and nothing more is answered.
    let mut server = Server::server(Config::default());
    server.hears(CHUNKED);
    server.wants();
    server.responds(200, &[], Content::Streaming).unwrap();
    server.hears("z");
    assert_eq!((server.machine.reached(), server.machine.was_refused()), (Phase::Writing, false));
    // An answer that is not taken is under way, though its exchange is over.
    for taken in [false, true] {
        let mut server = Server::server(Config::default());
        server.hears("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        server.responds(200, &[], Content::Empty).unwrap();
        if taken {
            server.sends();
        }
        server.machine.handle_write_error(server.now);
        assert_eq!(server.machine.reached(), if taken { Phase::Idle } else { Phase::Writing });
    }
    // What goes on is where its phase says.
    let mut server = Server::server(Config::default());
    for (hears, phase) in [("G", Phase::ReadingFirstLine), ("ET / HTTP/1.1\r\n", Phase::ReadingHeaders)] {
        server.hears(hears);
        assert_eq!((server.machine.reached(), server.machine.phase()), (phase, phase));
    }
}

#[test]
fn s14_expectations_that_are_not_met_are_counted() {
    let mut server = Server::server(Config::default());
    for n in 0..3 {
        assert_eq!(server.machine.unmet_expectations(), n);
        server.hears("GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n");
        assert!(server.sends().starts_with("HTTP/1.1 417 "));
    }
    assert!(!server.machine.was_refused(), "the connection goes on");
}
