//! What pairs, properties and fuzzers have found, each as small as it can be.

use bytes::BytesMut;
use http_core::server::{Connection, Event};
use http_core::{
    Config, Content, Instant, Method, Misuse, Outline, Reason, RequestHead, ResponseHead, StatusCode, Version, client,
    make_header_response,
};
use tests::cut::Cut;
use tests::read::as_server;

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

/// How many bytes precede the fault did depend on how the content was cut.
#[test]
fn content_beyond_the_limit_is_refused_where_it_begins() {
    let mut config = Config::default();
    config.limits.content = Some(4);
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let wire = format!("{head}3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
    for cut in [Cut::Whole, Cut::Bytes] {
        let reading = as_server(&config.clone().into(), wire.as_bytes(), &cut, None);
        let expected = (Reason::ContentTooLong, head.len() as u64 + 12);
        assert_eq!((reading.error, reading.partial.unwrap().content), (Some(expected), b"abcd".to_vec()), "{cut:?}");
    }
}

/// Bytes before a fault counted against what is dropped after it, if they came together.
#[test]
fn what_precedes_a_fault_is_not_lingered_over() {
    let mut config = Config::default();
    config.limits.linger = 21;
    let wire = b"GET / HTTP/1.1\r\nHost: a\r\nThis line has no name\r\n\r\n";
    for cut in [Cut::Whole, Cut::Bytes] {
        let reading = as_server(&config.clone().into(), wire, &cut, None);
        assert_eq!((reading.error, reading.closed), (Some((Reason::SpaceBeforeColon, 29)), None), "{cut:?}");
    }
}

/// The answer to `HEAD` said what an answer to `GET` could not have said; a length was sent that is refused when read.
#[test]
fn framing_that_no_reader_takes_is_not_sent() {
    let mut outline = Outline::default();
    let mut out = Vec::new();
    let coded = ResponseHead::new(StatusCode::OK).with("Transfer-Encoding", "chunked, chunked").unwrap();
    for head in [false, true] {
        outline.head = head;
        let made = make_header_response(&coded, &Content::Streaming, &outline, &mut out);
        assert_eq!(made, Err(Misuse::Framing));
        let long = Content::Sized(1 << 63);
        let made = make_header_response(&ResponseHead::new(StatusCode::OK), &long, &outline, &mut out);
        assert_eq!(made, Err(Misuse::Framing));
    }
    assert!(out.is_empty());
}

/// Two sides waited for each other: a server ignores the expectation of an HTTP/1.0 request.
#[test]
fn an_old_request_does_not_wait_for_100() {
    let mut connection = client::Connection::new(Config::default().into(), NOW);
    let head = RequestHead::new(Method::Post, "/").unwrap().with_version(Version::Http10);
    let head = head.with("Expect", "100-continue").unwrap();
    connection.send_request(&head, Content::Full("abc".into()), NOW).unwrap();
    let mut slices = [&b""[..]; 4];
    let count = connection.transmit(&mut slices);
    assert!(slices[..count].concat().ends_with(b"\r\n\r\nabc"));
}

/// A request whose response was complete before it was, was told as unanswered; and behind it another one was not.
#[test]
fn a_response_that_is_complete_before_its_request_is_an_answer() {
    let mut config = Config::default();
    config.persistence.pipelining = 2;
    let mut connection = client::Connection::new(config.into(), NOW);
    let head = |method| RequestHead::new(method, "/").unwrap().with("Host", "a").unwrap();
    connection.send_request(&head(Method::Post), Content::Streaming, NOW).unwrap();
    connection.handle_sent(usize::MAX, NOW);
    let mut input = BytesMut::from("HTTP/1.1 204 \r\n\r\n");
    while connection.poll_event(&mut input, NOW).unwrap().is_some() {}
    assert_eq!(connection.unanswered().count(), 0);

    let mut config = Config::default();
    config.persistence.pipelining = 2;
    let mut connection = client::Connection::new(config.into(), NOW);
    connection.send_request(&head(Method::Get), Content::Empty, NOW).unwrap();
    let second = connection.send_request(&head(Method::Get), Content::Empty, NOW).unwrap();
    connection.handle_sent(usize::MAX, NOW);
    let mut input = BytesMut::from("HTTP/1.1 204 \r\nConnection: close\r\n\r\n");
    while connection.poll_event(&mut input, NOW).unwrap().is_some() {}
    let unanswered: Vec<_> = connection.unanswered().map(|one| one.exchange).collect();
    assert_eq!(unanswered, [second]);
}

/// A server that sends CRLF behind its content cost the connection, or the next response, by when it came.
#[test]
fn empty_lines_are_nothing_of_a_response() {
    let head = RequestHead::new(Method::Get, "/").unwrap().with("Host", "a").unwrap();
    let mut connection = client::Connection::new(Config::default().into(), NOW);
    let mut input = BytesMut::from("\r\n\r\n\r");
    assert_eq!(connection.poll_event(&mut input, NOW), Ok(None), "RFC 9112 §9.2: nothing is awaited");
    assert_eq!(connection.readiness(), client::Readiness::Closing, "while it is not clear what comes");
    input.extend_from_slice(b"\n");
    assert_eq!(connection.poll_event(&mut input, NOW), Ok(None));
    assert_eq!(connection.readiness(), client::Readiness::Idle);
    connection.send_request(&head, Content::Empty, NOW).unwrap();
    assert!(!tests::read::sent_by_client(&mut connection, NOW).is_empty());
    input.extend_from_slice(b"\r\n");
    assert_eq!(connection.poll_event(&mut input, NOW), Ok(None));
    let received = connection.unanswered().map(|unanswered| unanswered.received).next();
    assert_eq!(received, Some(client::Received::Nothing), "so the request may be repeated");
    input.extend_from_slice(b"HTTP/1.1 204 \r\n\r\n");
    assert!(matches!(connection.poll_event(&mut input, NOW), Ok(Some(client::Event::Response(_)))));
}

/// A trailer section earned nothing until all of it was there: one that was long and slow, but not too slow, was cut
/// off.
#[test]
fn a_trailer_section_that_drips_in_earns_its_time() {
    let second = |n: u64| Instant::from_nanos(n * 1_000_000_000);
    for (rate, ends) in [(300, None), (100, Some(Reason::ContentTimeout))] {
        let (mut connection, mut input) =
            asked("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
        connection.want_content(NOW);
        assert_eq!(connection.poll_event(&mut input, NOW), Ok(None));
        let mut failed = None;
        for now in 1..=25 {
            if connection.poll_timeout().is_some_and(|at| at <= second(now)) {
                connection.handle_timeout(second(now));
            }
            input.extend_from_slice(format!("A: {}\r\n", "x".repeat(rate - 5)).as_bytes());
            match connection.poll_event(&mut input, second(now)) {
                Ok(event) => assert!(event.is_none() || failed.is_some(), "{event:?}"),
                Err(error) => failed = Some(error.reason()),
            }
        }
        assert_eq!(failed, ends, "{rate} bytes a second, where 240 are enough");
    }
}
