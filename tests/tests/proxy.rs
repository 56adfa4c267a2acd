//! A proxy of two machines: what comes in is sent on without what was for one hop, framed anew, and says the same.

use bytes::{Bytes, BytesMut};
use http_core::{Config, Content, Framing, Instant, Misuse, RequestHead, client, server};

const NOW: Instant = Instant::ZERO;

/// Reads one request, head and content.
fn read(wire: &[u8]) -> (RequestHead, Vec<u8>) {
    let mut connection = server::Connection::new(Config::default().into(), NOW);
    let mut input = BytesMut::from(wire);
    let (mut head, mut content) = (None, Vec::new());
    while let Some(event) = connection.poll_event(&mut input, NOW).expect("a good request") {
        match event {
            server::Event::Request(request) => {
                head = Some(request);
                connection.want_content(NOW);
            }
            server::Event::Content(piece) => content.extend_from_slice(&piece),
            _ => {}
        }
    }
    assert!(input.is_empty(), "{input:?} is left over");
    (head.expect("a request"), content)
}

/// Sends a request on.
fn forward(head: &RequestHead, content: &[u8]) -> Result<Vec<u8>, Misuse> {
    let mut connection = client::Connection::new(Config::default().into(), NOW);
    let framing = match head.framing() {
        Framing::Length(length) => Content::Sized(length),
        Framing::Chunked => Content::Streaming,
        _ => Content::Empty,
    };
    let empty = framing == Content::Empty;
    connection.send_request(&head.forwarded(), framing, NOW)?;
    if !empty {
        connection.send_content(Bytes::copy_from_slice(content), NOW)?;
        connection.send_end(&http_core::Fields::new(), NOW)?;
    }
    let mut slices = [&b""[..]; 8];
    let count = connection.transmit(&mut slices);
    Ok(slices[..count].concat())
}

#[test]
fn a_request_goes_on_as_it_came_but_for_its_hop() {
    for (came, goes) in [
        ("GET /a%2Fb?c=%20 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a%2Fb?c=%20 HTTP/1.1\r\nHost: a\r\n\r\n"),
        (
            "POST / HTTP/1.1\r\nb: 2\r\nHost: a\r\nTransfer-Encoding: chunked\r\nB: 3\r\nConnection: x\r\nX: 1\r\n\r\n\
             1;ext=1\r\nx\r\n2\r\nyz\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nb: 2\r\nHost: a\r\nB: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n",
        ),
        (
            "PUT / HTTP/1.1\r\nHost: a\r\nConnection: content-length, close\r\nContent-Length: 3\r\n\r\nabc",
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        ),
        (
            "PUT / HTTP/1.0\r\nHost: a\r\nContent-Length: 1\r\nKeep-Alive: x\r\n\r\na",
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na",
        ),
        ("GET http://b:81/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://b:81/ HTTP/1.1\r\nHost: b:81\r\n\r\n"),
    ] {
        let (head, content) = read(came.as_bytes());
        let wire = forward(&head, &content).unwrap();
        assert_eq!(String::from_utf8_lossy(&wire), goes);
        // And it is the same request to whoever reads it next.
        let (next, again) = read(&wire);
        assert_eq!((next.method(), next.target(), again), (head.method(), head.target(), content));
    }
}

#[test]
fn what_says_something_else_than_the_content_is_not_sent() {
    let (mut head, _) = read(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    head.fields_mut().push("Content-Length", "5").unwrap();
    assert_eq!(forward(&head, b""), Err(Misuse::Framing));
    let (mut head, content) = read(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na");
    head.fields_mut().push("Transfer-Encoding", "chunked, chunked").unwrap();
    assert_eq!(forward(&head, &content), Err(Misuse::Framing));
}
