//! Every reader whole, byte by byte, cut in two at every place, and followed by a stranger's bytes.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use bytes::BytesMut;

use super::*;
use crate::message::version::Version;

/// What was read: the head on one line, what is left, and what the framing is; or the fault.
type Read = Result<Option<(String, Vec<u8>, Facts)>, Broken>;

fn read(pieces: &[&[u8]], config: &Config, response: Option<RequestKind>) -> Read {
    let (mut scan, mut input, mut spare, mut received) = (Scan::default(), BytesMut::new(), Spare::default(), 0);
    let mut pieces = pieces.iter();
    loop {
        let mut facts = Facts::default();
        let read = match response {
            None => scan
                .request(&mut input, &mut received, config, &mut spare, &mut facts, false)
                .map(|read| read.map(|line| (format!("{:?} {:?}", line.into_head(spare.take()), line.framing), facts))),
            Some(request) => scan
                .response(&mut input, config, &mut spare, &mut facts, request, false)
                .map(|read| read.map(|line| (format!("{:?} {:?}", line.into_head(spare.take()), line.framing), facts))),
        };
        match read {
            Ok(Some((head, facts))) => {
                input.extend_from_slice(&pieces.copied().collect::<Vec<_>>().concat());
                return Ok(Some((head, input.to_vec(), facts)));
            }
            Ok(None) => match pieces.next() {
                Some(piece) => input.extend_from_slice(piece),
                None => return Ok(None),
            },
            // An offset counts from what is left of the input; what was dropped before are empty lines.
            Err(Broken(reason, at)) => return Err(Broken(reason, received as usize + at)),
        }
    }
}

fn all_ways(wire: &[u8], config: &Config, response: Option<RequestKind>) -> Read {
    let whole = read(&[wire], config, response);
    let bytes: Vec<_> = wire.chunks(1).collect();
    assert_eq!(read(&bytes, config, response), whole, "byte by byte: {}", wire.escape_ascii());
    for cut in 1..wire.len() {
        let (a, b) = wire.split_at(cut);
        assert_eq!(read(&[a, b], config, response), whole, "cut at {cut}: {}", wire.escape_ascii());
    }
    if let Ok(Some((head, left, facts))) = &whole {
        let stranger = read(&[wire, b"\0stranger"], config, response);
        let left = [left, &b"\0stranger"[..]].concat();
        assert_eq!(stranger, Ok(Some((head.clone(), left.clone(), *facts))), "followed by a stranger's bytes");
        assert_eq!(read(&[&[wire, b"\0stranger"].concat()], config, response), stranger);
    }
    whole
}

fn request(wire: &[u8]) -> Read {
    all_ways(wire, &Config::default(), None)
}

fn response(wire: &[u8]) -> Read {
    all_ways(wire, &Config::default(), Some(RequestKind::Other))
}

fn lenient() -> Config {
    let mut config = Config::evhttp();
    config.leniency.allow_space_before_colon_in_responses = true;
    config
}

#[test]
fn good_heads() {
    for wire in [
        &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.9\r\nHost:a\t \r\nX:\r\nY: \t\r\n\r\n",
        b"POST /a?b=[c]%zz HTTP/1.1\r\nhost: a\r\nContent-Length: 3\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x80\xff\t\"\r\n\r\n",
    ] {
        let read = request(wire);
        // An asterisk is for OPTIONS alone.
        match wire.starts_with(b"M-") {
            true => assert_eq!(read, Err(Broken(Reason::TargetForm, wire.len()))),
            false => assert!(matches!(read, Ok(Some(_))), "{}: {read:?}", wire.escape_ascii()),
        }
    }
    for wire in [
        &b"HTTP/1.1 200 OK\r\n\r\n"[..],
        b"HTTP/1.1 200 \r\n\r\n",
        b"HTTP/1.1 200\r\n\r\n",
        b"HTTP/1.0 404 Not \t\xe9\r\nA: b\r\n\r\n",
        b"HTTP/1.1 099 \r\n\r\n",
        b"HTTP/1.2 999 X\r\nA: b\r\n c\r\n\t\r\nD: e\r\n\r\n",
    ] {
        let read = response(wire);
        assert!(matches!(read, Ok(Some(_))), "{}: {read:?}", wire.escape_ascii());
    }
}

#[test]
fn no_word_of_a_request_line_is_empty() {
    // RFC 9112 §3
    for line in [" / HTTP/1.1", "GET  HTTP/1.1", "  HTTP/1.1"] {
        let read = request(format!("{line}\r\nHost: a\r\n\r\n").as_bytes());
        assert!(read.is_err(), "{line:?}: {read:?}");
    }
}

#[test]
fn faults_of_requests() {
    const HOST: &[u8] = b"Host: a\r\n\r\n";
    for (line, reason, at) in [
        // RFC 9112 §3
        (&b"GET\r\n"[..], Reason::StartLine, 3),
        (b"GET /\r\n", Reason::StartLine, 5),
        (b"GET  / HTTP/1.1\r\n", Reason::StartLine, 4),
        (b"GET / HTTP/1.1 \r\n", Reason::StartLine, 14),
        (b"GET /  HTTP/1.1\r\n", Reason::VersionSyntax, 6),
        (b"GET / a HTTP/1.1\r\n", Reason::VersionSyntax, 6),
        (b"GET\t/ HTTP/1.1\r\n", Reason::Method, 3),
        (b"G\0ET / HTTP/1.1\r\n", Reason::Method, 1),
        (b" GET / HTTP/1.1\r\n", Reason::Method, 0),
        (b"(GET) / HTTP/1.1\r\n", Reason::Method, 0),
        (b"\rGET / HTTP/1.1\r\n", Reason::BareCr, 0),
        (b"\nGET / HTTP/1.1\r\n", Reason::BareLf, 0),
        (b"GET /\x7f HTTP/1.1\r\n", Reason::Target, 5),
        (b"GET /\xff HTTP/1.1\r\n", Reason::Target, 5),
        (b"GET /#a HTTP/1.1\r\n", Reason::Target, 5),
        (b"GET /<a> HTTP/1.1\r\n", Reason::Target, 5),
        // RFC 9112 §2.3
        (b"GET / http/1.1\r\n", Reason::VersionSyntax, 6),
        (b"GET / HTTP/1\r\n", Reason::VersionSyntax, 12),
        (b"GET / HTTP/1.\r\n", Reason::VersionSyntax, 13),
        (b"GET / HTTP/1.10\r\n", Reason::VersionSyntax, 14),
        (b"GET / HTTP/11.1\r\n", Reason::VersionSyntax, 12),
        (b"GET / HTTP/a.1\r\n", Reason::VersionSyntax, 11),
        (b"GET / HTTP/2.0\r\n", Reason::Version, 11),
        (b"GET / HTTP/0.9\r\n", Reason::Version, 11),
        (b"GET / HTTP/2\r\n", Reason::VersionSyntax, 12),
        (b"GET / HTTP/2.a\r\n", Reason::VersionSyntax, 13),
        (b"GE\nT / HTTP/1.1\r\n", Reason::StartLine, 2),
        (b"GE\rT / HTTP/1.1\r\n", Reason::StartLine, 2),
        // RFC 9112 §2.2
        (b"GET / HTTP/1.1\n", Reason::BareLf, 14),
        (b"GET / HTTP/1.1\rX", Reason::BareCr, 14),
        (b"GET / HTTP/1.1\r\n A: b\r\n", Reason::LeadingSpace, 16),
        (b"GET / HTTP/1.1\r\nA: b\n", Reason::BareLf, 20),
        (b"GET / HTTP/1.1\r\nA: b\rc\r\n", Reason::BareCr, 20),
        (b"GET / HTTP/1.1\r\n\rA: b\r\n", Reason::BareCr, 16),
        (b"GET / HTTP/1.1\r\nA: b\r\n\n", Reason::BareLf, 22),
        // RFC 9112 §5
        (b"GET / HTTP/1.1\r\nA : b\r\n", Reason::SpaceBeforeColon, 17),
        (b"GET / HTTP/1.1\r\nA\t: b\r\n", Reason::SpaceBeforeColon, 17),
        (b"GET / HTTP/1.1\r\n: b\r\n", Reason::FieldName, 16),
        (b"GET / HTTP/1.1\r\nA\r\n", Reason::FieldName, 17),
        (b"GET / HTTP/1.1\r\nA(: b\r\n", Reason::FieldName, 17),
        (b"GET / HTTP/1.1\r\nA\x80: b\r\n", Reason::FieldName, 17),
        (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n", Reason::ObsFold, 22),
        (b"GET / HTTP/1.1\r\nA: b\0\r\n", Reason::FieldValue, 20),
        (b"GET / HTTP/1.1\r\nA: b\x7fc\r\n", Reason::FieldValue, 20),
        // Other protocols.
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Reason::Http2Preface, 11),
        (b"\x16\x03\x01\x02\x00\x01\x00", Reason::TlsClientHello, 0),
        (b"SSH-2.0-OpenSSH_9.9\r\n", Reason::StartLine, 19),
    ] {
        let fault = Err(Broken(reason, at));
        assert_eq!(request(line), fault, "{}", line.escape_ascii());
        assert_eq!(request(&[line, HOST].concat()), fault, "{} and a field", line.escape_ascii());
    }
}

#[test]
fn faults_of_responses() {
    for (line, reason, at) in [
        (&b"HTTP/1.1 20 OK\r\n"[..], Reason::StatusLine, 11),
        (b"HTTP/1.1 2000 OK\r\n", Reason::StatusLine, 12),
        (b"HTTP/1.1 2x0 OK\r\n", Reason::StatusLine, 10),
        (b"HTTP/1.1  200 OK\r\n", Reason::StatusLine, 9),
        (b"HTTP/1.1\t200 OK\r\n", Reason::StatusLine, 8),
        (b"HTTP/1.1 200 O\0K\r\n", Reason::StatusLine, 14),
        (b"HTTP/1.1 200 OK\n", Reason::BareLf, 15),
        (b"HTTP/2.0 200 OK\r\n", Reason::Version, 5),
        (b"ICY 200 OK\r\n", Reason::VersionSyntax, 0),
        (b"\r\nHTTP/1.1 200 OK\r\n", Reason::VersionSyntax, 0),
        (b"HTTP/1.1 200 OK\r\nA : b\r\n", Reason::SpaceBeforeColon, 18),
        (b"HTTP/1.1 200 OK\r\n A: b\r\n", Reason::LeadingSpace, 17),
    ] {
        let wire = [line, b"\r\n"].concat();
        assert_eq!(response(&wire), Err(Broken(reason, at)), "{}", line.escape_ascii());
    }
}

#[test]
fn a_line_is_refused_when_it_is_complete() {
    for (wire, complete) in [
        (&b"GET / HTTP/5.6"[..], &b"\r"[..]),
        (b"GET /\0 HTTP/1.1", b"\n"),
        (b"GET / HTTP/1.1\r\nA: b\x01", b"\r"),
        (b"GET / HTTP/1.1\r\nA b: c", b"\r"),
        (b"GET / HTTP/1.1\r\nA: b\r\n c", b"\r"),
    ] {
        assert_eq!(request(wire), Ok(None), "{}", wire.escape_ascii());
        assert!(request(&[wire, complete].concat()).is_err(), "{}", wire.escape_ascii());
        let (mut scan, mut received) = (Scan::default(), 0);
        let mut input = BytesMut::from(wire);
        let ended = scan.request(
            &mut input,
            &mut received,
            &Config::default(),
            &mut Spare::default(),
            &mut Facts::default(),
            true,
        );
        assert!(ended.is_err(), "its end completes the line: {}", wire.escape_ascii());
    }
}

#[test]
fn a_stranger_is_refused_at_its_first_word() {
    // Nothing of the line behind it is waited for.
    for (wire, reason, at) in [
        (&b"220 mail.example.com"[..], Reason::VersionSyntax, 0),
        (b"HTTP/2.0", Reason::Version, 5),
        (b"HTTP/1x", Reason::VersionSyntax, 6),
    ] {
        assert_eq!(response(wire), Err(Broken(reason, at)), "{}", wire.escape_ascii());
    }
}

#[test]
fn limits_are_met_at_the_byte_that_passes_them() {
    let mut config = Config::default();
    config.limits.target = 4;
    config.limits.field_line = 8;
    config.limits.fields = 2;
    config.limits.head = 60;
    config.limits.empty_lines = 1;
    let request = |wire: &str| all_ways(wire.as_bytes(), &config, None).map(|read| read.is_some());
    assert_eq!(request("GET /123 HTTP/1.1\r\nHost: a\r\nX:345678\r\n\r\n"), Ok(true));
    assert_eq!(request("GET /1234 HTTP/1.1\r\nHost: a\r\n\r\n"), Err(Broken(Reason::TargetTooLong, 8)));
    assert_eq!(request("GET /123 HTTP/1.1\r\nX:3456789\r\n\r\n"), Err(Broken(Reason::FieldLineTooLong, 27)));
    assert_eq!(request("GET /123 HTTP/1.1\r\nX34567890"), Err(Broken(Reason::FieldLineTooLong, 27)));
    assert_eq!(request("GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\n\r\n"), Err(Broken(Reason::TooManyFields, 24)));
    assert_eq!(request(&format!("{}/ HTTP/1.1\r\n\r\n", "M".repeat(70))), Err(Broken(Reason::HeadTooLong, 60)));
    assert_eq!(request("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), Err(Broken(Reason::EmptyLines, 2)));
    config.limits.head = 27;
    let request = |wire: &str| all_ways(wire.as_bytes(), &config, None).map(|read| read.is_some());
    assert_eq!(request("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Ok(true));
    assert_eq!(request("GET / HTTP/1.1\r\nHost: ab\r\n\r\n"), Err(Broken(Reason::HeadTooLong, 27)));
    assert_eq!(request("GET / HTTP/1.1\r\nHost: a\0aaaaaaaaaa"), Err(Broken(Reason::FieldValue, 23)));
}

#[test]
fn leniencies_are_off_and_on() {
    // RFC 9112 §2.2, §5.1, §5.2, §3.2: the strict fault, and what is read all the same.
    for (wire, reason, fields) in [
        (&b"GET / HTTP/1.1\nHost: a\n\n"[..], Reason::BareLf, &[("Host", "a")][..]),
        (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Reason::BareLf, &[("Host", "a")]),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nX: b \r\n\t c\r\n \r\n d\r\n\r\n",
            Reason::ObsFold,
            &[("Host", "a"), ("X", "b c d")],
        ),
        (b"GET / HTTP/1.1\r\nHost \t: a\r\n\r\n", Reason::SpaceBeforeColon, &[("Host", "a")]),
        (b"GET / HTTP/1.1\r\nX:\r\n\r\n", Reason::MissingHost, &[("X", "")]),
        (b"GET /\xff#\"{} HTTP/1.1\r\nHost: a\r\n\r\n", Reason::Target, &[("Host", "a")]),
        (b"GET / HTTP/1.1  \r\nHost: a\r\n\r\n", Reason::StartLine, &[("Host", "a")]),
    ] {
        assert_eq!(request(wire).unwrap_err().0, reason, "{}", wire.escape_ascii());
        let mut config = Config::evhttp();
        config.leniency.allow_trailing_space_in_request_line = true;
        all_ways(wire, &config, None).unwrap().unwrap();
        let (mut scan, mut received, mut spare, mut input) =
            (Scan::default(), 0, Spare::default(), BytesMut::from(wire));
        let line = scan
            .request(&mut input, &mut received, &config, &mut spare, &mut Facts::default(), false)
            .unwrap()
            .unwrap();
        let head = line.into_head(spare.take());
        let read: Vec<_> = head.fields().iter().map(|(n, v)| (n, core::str::from_utf8(v).unwrap())).collect();
        assert_eq!(read, fields, "{}", wire.escape_ascii());
    }
    assert!(matches!(all_ways(b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", &lenient(), Some(RequestKind::Other)), Ok(Some(_))));
}

#[test]
fn versions_are_kept_as_sent() {
    for (wire, version, minor) in
        [(&b"1.0"[..], Version::Http10, 0), (b"1.1", Version::Http11, 1), (b"1.7", Version::Http11, 7)]
    {
        let wire = [b"GET / HTTP/", wire, b"\r\nHost: a\r\n\r\n"].concat();
        let (mut scan, mut received, mut spare, mut input) =
            (Scan::default(), 0, Spare::default(), BytesMut::from(&wire[..]));
        let read =
            scan.request(&mut input, &mut received, &Config::default(), &mut spare, &mut Facts::default(), false);
        let head = read.unwrap().unwrap().into_head(spare.take());
        assert_eq!((head.version(), head.minor_version()), (version, minor));
        assert!(head.as_wire().starts_with(format!("GET / {}\r\n", version.as_str()).as_bytes()));
    }
}

#[test]
fn a_head_that_drips_is_looked_at_once() {
    let mut wire = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
    wire.extend(vec![b'x'; 8000]);
    wire.extend(b": y\r\n\r\n");
    let mut checker = Checker::default();
    for length in 1..wire.len() {
        assert_eq!(checker.run(&wire[..length], &Config::default(), Grammar::Request), Found::Partial);
    }
    let found = checker.run(&wire, &Config::default(), Grammar::Request);
    assert_eq!(found, Found::Complete(wire.len()));
    assert_eq!(checker.run(&wire, &Config::default(), Grammar::Request), found, "asked again, it says the same");
}

#[test]
fn nothing_is_inherited_from_memory_that_was_given() {
    let section = b"Host: a\r\nAccept: b\r\n";
    let wire = [b"GET / HTTP/1.1\r\n", &section[..], b"\r\n"].concat();
    let mut spare = Spare::default();
    for _ in 0..3 {
        let (mut scan, mut input, mut received) = (Scan::default(), BytesMut::from(&wire[..]), 0);
        let (config, mut facts) = (Config::default(), Facts::default());
        scan.request(&mut input, &mut received, &config, &mut spare, &mut facts, false).unwrap().unwrap();
    }
    let inherited = |last: &Last| last.inherit(section, 16, &mut Place::first(), &mut vec![]);
    assert_eq!(inherited(&spare.last), section.len());
    let taken = spare.clone().take_all();
    assert_eq!(inherited(&taken.last), 0);
    let mut given = Spare::default();
    // Even if it was not taken as it should.
    given.give(spare);
    assert_eq!(inherited(&given.last), 0);
    assert!(given.capacity() > 0);
}

#[test]
fn nothing_is_remembered_of_the_last_head_of_a_connection() {
    let capacity_behind = |version: &str, connection: &str| {
        let mut spare = Spare::default();
        for _ in 0..2 {
            let wire = format!("GET / HTTP/1.{version}\r\nHost: a\r\nConnection: {connection}\r\n\r\n");
            let (mut scan, mut input, mut received) = (Scan::default(), BytesMut::from(&wire[..]), 0);
            let (config, mut facts) = (Config::default(), Facts::default());
            scan.request(&mut input, &mut received, &config, &mut spare, &mut facts, false).unwrap().unwrap();
        }
        spare.last.capacity()
    };
    // RFC 9112 §9.3
    for (version, connection, followed) in
        [("1", "keep-alive", true), ("1", "close", false), ("0", "keep-alive", true), ("0", "x", false)]
    {
        assert_eq!(capacity_behind(version, connection) > 0, followed, "HTTP/1.{version}, {connection}");
    }
}
