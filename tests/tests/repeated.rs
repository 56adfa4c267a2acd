//! Heads that are nearly what their connection has read before: what is equal is not read twice, and nothing comes of
//! that but time.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use std::sync::Arc;

use bytes::BytesMut;
use http_core::{Config, Content, Framing, Instant, Method, Reason, RequestHead, ResponseHead, StatusCode};
use http_core::{client, server};

const NOW: Instant = Instant::ZERO;

/// The field lines in wire format and the framing; or the fault, and where it is in the head.
type Read = Result<(String, Framing), (Reason, u64)>;

struct Server {
    connection: server::Connection,
    input: BytesMut,
    fed: u64,
}

impl Server {
    fn new(config: &Arc<Config>) -> Self {
        Self { connection: server::Connection::new(config.clone(), NOW), input: BytesMut::new(), fed: 0 }
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.fed += bytes.len() as u64;
    }

    /// Reads a request, with content that is as long as it says, and answers it.
    fn read(&mut self, section: &str) -> Read {
        let before = self.fed;
        self.feed(format!("POST / HTTP/1.1\r\n{section}\r\n").as_bytes());
        let head = match self.connection.poll_event(&mut self.input, NOW) {
            Ok(Some(server::Event::Request(head))) => head,
            Ok(other) => panic!("{section:?}: {other:?}"),
            Err(error) => return Err((error.reason(), error.offset() - before)),
        };
        let read = (String::from_utf8(head.fields().as_wire().to_vec()).unwrap(), head.framing());
        match head.framing() {
            Framing::Length(length) => self.feed(&vec![b'x'; usize::try_from(length).unwrap()]),
            Framing::Chunked => self.feed(b"0\r\n\r\n"),
            _ => {}
        }
        self.connection.want_content(NOW);
        while !matches!(self.connection.poll_event(&mut self.input, NOW), Ok(Some(server::Event::End(_)))) {}
        self.connection.send_response(&ResponseHead::new(StatusCode::OK), Content::Empty, NOW).unwrap();
        self.connection.handle_sent(usize::MAX, NOW);
        self.connection.recycle(head);
        Ok(read)
    }
}

/// What `section` is read as behind heads with `before`, and by a connection that has read nothing: the same.
fn behind_with(config: Config, before: &str, section: &str) -> Read {
    let config = Arc::new(config);
    let fresh = Server::new(&config).read(section);
    for times in 1..5 {
        let mut server = Server::new(&config);
        for _ in 0..times {
            server.read(before).unwrap_or_else(|fault| panic!("{before:?}: {fault:?}"));
        }
        assert_eq!(server.read(section), fresh, "{section:?} behind {times} times {before:?}");
    }
    fresh
}

fn behind(before: &str, section: &str) -> Read {
    behind_with(Config::default(), before, section)
}

fn good(section: &str, framing: Framing) -> Read {
    Ok((section.to_owned(), framing))
}

#[test]
fn a_line_that_is_equal_and_then_folded_is_another_line() {
    // RFC 9112 §5.2
    let before = "Host: a\r\nAccept: text/html\r\nUser-Agent: b\r\n";
    let at = |line: &str| "POST / HTTP/1.1\r\n".len() as u64 + before.find(line).unwrap() as u64;
    let last = "POST / HTTP/1.1\r\n".len() as u64 + before.len() as u64;
    for fold in [" c", "\tc", " ", "\t"] {
        for (line, offset) in [("Accept", at("Accept")), ("User-Agent", at("User-Agent"))] {
            let folded = before.replace(line, &format!("{fold}\r\n{line}"));
            assert_eq!(behind(before, &folded), Err((Reason::ObsFold, offset)), "{folded:?}");
        }
        assert_eq!(behind(before, &format!("{before}{fold}\r\n")), Err((Reason::ObsFold, last)));
    }
    let mut config = Config::default();
    config.leniency.allow_obs_fold = true;
    let folded = before.replace("User", " c\r\nUser");
    let read = before.replace("html", "html c");
    assert_eq!(behind_with(config, before, &folded), good(&read, Framing::None));
}

#[test]
fn a_length_that_is_equal_counts_beside_a_coding() {
    // RFC 9112 §6.1, §6.3
    let before = "Host: a\r\nContent-Length: 5\r\nAccept: b\r\n";
    assert_eq!(behind(before, before), good(before, Framing::Length(5)));
    for beside in [
        "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nAccept: b\r\n",
        "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\nAccept: b\r\n",
        "Transfer-Encoding: chunked\r\nHost: a\r\nContent-Length: 5\r\nAccept: b\r\n",
        "Host: a\r\nContent-Length: 5\r\nAccept: b\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let fault = behind(before, beside).unwrap_err().0;
        assert_eq!(fault, Reason::TransferEncodingWithLength, "{beside:?}");
    }
    let chunked = "Host: a\r\nTransfer-Encoding: chunked\r\nAccept: b\r\n";
    let both = "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\nAccept: b\r\n";
    assert_eq!(behind(chunked, both).unwrap_err().0, Reason::TransferEncodingWithLength);
    assert_eq!(behind(chunked, before), good(before, Framing::Length(5)));
    assert_eq!(behind(before, chunked), good(chunked, Framing::Chunked));
}

#[test]
fn lengths_that_are_equal_are_two() {
    // RFC 9112 §6.3, 5.
    let before = "Host: a\r\nContent-Length: 5\r\nAccept: b\r\n";
    for (section, fault) in [
        ("Host: a\r\nContent-Length: 5\r\nContent-Length: 5\r\nAccept: b\r\n", Reason::ContentLengthList),
        ("Host: a\r\nContent-Length: 5\r\nAccept: b\r\nContent-Length: 5\r\n", Reason::ContentLengthList),
        ("Host: a\r\nContent-Length: 5\r\nAccept: b\r\nContent-Length: 6\r\n", Reason::ContentLengthConflict),
    ] {
        assert_eq!(behind(before, section).unwrap_err().0, fault, "{section:?}");
    }
}

#[test]
fn hosts_that_are_equal_are_two() {
    // RFC 9112 §3.2
    let before = "Host: a\r\nAccept: b\r\n";
    for section in ["Host: a\r\nHost: a\r\nAccept: b\r\n", "Host: a\r\nAccept: b\r\nHost: a\r\n"] {
        assert_eq!(behind(before, section).unwrap_err().0, Reason::DuplicateHost, "{section:?}");
    }
    assert_eq!(behind(before, "Accept: b\r\n").unwrap_err().0, Reason::MissingHost);
    assert_eq!(behind(before, "Host: a b\r\nAccept: b\r\n").unwrap_err().0, Reason::InvalidHost);
}

#[test]
fn a_line_is_equal_to_its_end_or_not_at_all() {
    let before = "Host: a\r\nContent-Length: 55\r\nAccept: text/html\r\n";
    for (section, length) in [
        ("Host: a\r\nContent-Length: 5\r\nAccept: text/html\r\n", 5),
        ("Host: a\r\nContent-Length: 555\r\nAccept: text/html\r\n", 555),
        ("Host: a\r\nContent-Length: 55\r\nAccept: text/htm\r\n", 55),
        ("Host: a\r\nContent-Length: 55\r\nAccept: text/html5\r\n", 55),
        ("Host: a\r\nContent-Length: 55\r\nAccept: text/html\r\nAccept: text/html\r\n", 55),
        ("Host: a\r\nContent-Length: 55\r\n", 55),
    ] {
        assert_eq!(behind(before, section), good(section, Framing::Length(length)), "{section:?}");
    }
    for (section, fault) in [
        ("Host: a\r\nContent-Length: 55\nAccept: text/html\r\n", Reason::BareLf),
        ("Host: a\r\nContent-Length: 55\r\nAccept: text/html\n", Reason::BareLf),
        ("Host: a\r\nContent-Length: 55\rAccept: text/html\r\n", Reason::BareCr),
        ("Host: a\r\nContent-Length : 55\r\nAccept: text/html\r\n", Reason::SpaceBeforeColon),
        ("Host: a\r\nContent-Length: 55\r\nAccept: text/html\0\r\n", Reason::FieldValue),
    ] {
        assert_eq!(behind(before, section).unwrap_err().0, fault, "{section:?}");
    }
}

#[test]
fn a_name_in_another_case_is_the_same_name_and_another_line() {
    let before = "Host: a\r\nContent-Length: 5\r\nAccept: b\r\n";
    for section in ["HOST: a\r\nContent-Length: 5\r\nAccept: b\r\n", "Host: a\r\ncontent-length: 5\r\naccept: b\r\n"] {
        assert_eq!(behind(before, section), good(section, Framing::Length(5)), "{section:?}");
    }
    let twice = "Host: a\r\ncontent-length: 5\r\nContent-Length: 5\r\nAccept: b\r\n";
    assert_eq!(behind(before, twice).unwrap_err().0, Reason::ContentLengthList);
}

#[test]
fn limits_count_what_is_equal() {
    let before = "Host: a\r\nAccept: b\r\nUser-Agent: c\r\n";
    let mut config = Config::default();
    config.limits.fields = 3;
    let more = format!("{before}Referer: d\r\n");
    assert_eq!(behind_with(config.clone(), before, before), good(before, Framing::None));
    assert_eq!(behind_with(config.clone(), before, &more).unwrap_err().0, Reason::TooManyFields);
    let twice = "Host: a\r\nAccept: b\r\nAccept: b\r\nUser-Agent: c\r\n";
    assert_eq!(behind_with(config, before, twice).unwrap_err().0, Reason::TooManyFields);
    let mut config = Config::default();
    config.limits.head = "POST / HTTP/1.1\r\n\r\n".len() + before.len();
    assert_eq!(behind_with(config.clone(), before, before), good(before, Framing::None));
    assert_eq!(behind_with(config, before, &more).unwrap_err().0, Reason::HeadTooLong);
}

#[test]
fn memory_in_which_something_else_stands_changes_nothing() {
    let config = Arc::new(Config::default());
    let (ours, others) =
        ("Host: a\r\nContent-Length: 5\r\nAccept: b\r\n", "Host: a\r\nContent-Length: 7\r\nAccept: b\r\n");
    let mut other = Server::new(&config);
    let mut server = Server::new(&config);
    for _ in 0..4 {
        server.read(ours).unwrap();
        other.read(others).unwrap();
    }
    // Of another connection, and after a rest.
    let memory = server.connection.take_memory();
    assert!(memory.size() > 0);
    server.connection.give_memory(other.connection.take_memory());
    for _ in 0..4 {
        assert_eq!(server.read(ours), good(ours, Framing::Length(5)));
    }
    other.connection.give_memory(memory);
    assert_eq!(other.read(others), good(others, Framing::Length(7)));
    // What is given while there is memory is not taken.
    server.connection.give_memory(other.connection.take_memory());
    assert_eq!(server.read(ours), good(ours, Framing::Length(5)));
    // Heads that the application has made or changed.
    let mut head = RequestHead::new(Method::Post, "/a").unwrap();
    for (name, value) in [("Host", "a"), ("Content-Length", "7"), ("Accept", "b")].repeat(9) {
        head = head.with(name, value).unwrap();
    }
    server.connection.recycle(head);
    assert_eq!(server.read(ours), good(ours, Framing::Length(5)));
    server.connection.shrink();
    assert_eq!(server.connection.take_memory().size(), 0);
    assert_eq!(server.read(ours), good(ours, Framing::Length(5)));
}

#[test]
fn a_client_reads_every_response_as_if_it_were_the_first() {
    let read = |connection: &mut client::Connection, section: &str| {
        let get = RequestHead::new(Method::Get, "/").unwrap().with("Host", "a").unwrap();
        connection.send_request(&get, Content::Empty, NOW).unwrap();
        let mut slices = [&b""[..]; 4];
        let count = connection.transmit(&mut slices);
        connection.handle_sent(slices[..count].concat().len(), NOW);
        let mut input = BytesMut::from(format!("HTTP/1.1 200 OK\r\n{section}\r\n").as_str());
        let head = match connection.poll_event(&mut input, NOW) {
            Ok(Some(client::Event::Response(head))) => head,
            Ok(other) => panic!("{section:?}: {other:?}"),
            Err(error) => return Err(error.reason()),
        };
        if let Framing::Length(length) = head.framing() {
            input.extend_from_slice(&vec![b'x'; usize::try_from(length).unwrap()]);
        }
        while !matches!(connection.poll_event(&mut input, NOW), Ok(Some(client::Event::End(_)) | None)) {}
        Ok((String::from_utf8(head.fields().as_wire().to_vec()).unwrap(), head.framing()))
    };
    let before = "Server: a\r\nContent-Length: 5\r\nSet-Cookie: b\r\nVary: c\r\n";
    for (section, expected) in [
        (before, Ok((before, Framing::Length(5)))),
        (
            // RFC 9112 §5.2: a client replaces a fold.
            "Server: a\r\n b\r\nContent-Length: 5\r\nSet-Cookie: b\r\nVary: c\r\n",
            Ok(("Server: a b\r\nContent-Length: 5\r\nSet-Cookie: b\r\nVary: c\r\n", Framing::Length(5))),
        ),
        (
            "Server: a\r\nContent-Length: 5\r\nSet-Cookie: d\r\nVary: c\r\n",
            Ok(("Server: a\r\nContent-Length: 5\r\nSet-Cookie: d\r\nVary: c\r\n", Framing::Length(5))),
        ),
        (
            "Server: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nVary: c\r\n",
            Err(Reason::TransferEncodingWithLength),
        ),
        ("Server: a\r\nContent-Length: 5\r\nContent-Length: 6\r\nVary: c\r\n", Err(Reason::ContentLengthConflict)),
    ] {
        for times in 0..5 {
            let mut connection = client::Connection::new(Config::default().into(), NOW);
            for _ in 0..times {
                read(&mut connection, before).unwrap();
            }
            let expected = expected.map(|(section, framing)| (section.to_owned(), framing));
            assert_eq!(read(&mut connection, section), expected, "{section:?} behind {times}");
        }
    }
}
