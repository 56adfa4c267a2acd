//! Answers of a server's own that an application shapes.

use bytes::Bytes;
use http_core::{Config, Fields, ProtocolError, Refusal};
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
