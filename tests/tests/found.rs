//! What pairs, properties and fuzzers have found, each as small as it can be.

use bytes::BytesMut;
use http_core::server::{Connection, Event};
use http_core::{Config, Content, Instant, ResponseHead, StatusCode};

const NOW: Instant = Instant::ZERO;

/// A server that has read the head of this request.
fn asked(wire: &str) -> (Connection, BytesMut) {
    let mut connection = Connection::new(Config::default().into(), NOW);
    let mut input = BytesMut::from(wire);
    let event = connection.poll_event(&mut input, NOW).unwrap();
    assert!(matches!(event, Some(Event::Request(_))), "{event:?}");
    (connection, input)
}

/// The end of content was told without its beginning, which had been dropped.
#[test]
fn content_that_was_dropped_in_part_is_not_told_from_its_middle() {
    let (mut connection, mut input) = asked("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst");
    connection.send_response(&ResponseHead::new(StatusCode::OK), Content::Empty, NOW).unwrap();
    assert_eq!(connection.poll_event(&mut input, NOW), Ok(None), "nobody has asked: it is dropped");
    connection.want_content(NOW);
    input.extend_from_slice(b"other");
    assert_eq!(connection.poll_event(&mut input, NOW), Ok(None));
    assert!(!connection.is_answering(), "the exchange is over");
}

#[test]
fn content_can_be_asked_for_right_after_a_complete_response() {
    let (mut connection, mut input) = asked("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nfirst");
    connection.send_response(&ResponseHead::new(StatusCode::OK), Content::Empty, NOW).unwrap();
    connection.want_content(NOW);
    assert_eq!(connection.poll_event(&mut input, NOW), Ok(Some(Event::Content("first".into()))));
    assert!(matches!(connection.poll_event(&mut input, NOW), Ok(Some(Event::End(_)))));
}

/// What waited was wanted to be written for ever: a driver would have turned in a circle.
#[test]
fn a_write_error_after_a_switch_leaves_nothing_to_write() {
    let (mut connection, mut input) = asked("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
    let head = ResponseHead::new(StatusCode::new(101).unwrap()).with("Upgrade", "x").unwrap();
    assert!(matches!(connection.poll_event(&mut input, NOW), Ok(Some(Event::End(_)))));
    connection.send_response(&head, Content::Empty, NOW).unwrap();
    assert_eq!(connection.poll_event(&mut input, NOW), Ok(Some(Event::Switched)));
    assert!(connection.interest().write);
    connection.handle_write_error(NOW);
    assert!(!connection.interest().write);
    assert_eq!(connection.poll_timeout(), None);
}
