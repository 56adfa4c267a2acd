//! Every octet in every part of a request target: who takes it, what goes on, and what a client makes of it.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use http_core::{Config, Method, Misuse, RequestHead, percent_encoded};
use tests::scene::{Server, serve};

/// Where an octet may be put: in the place of `@@`.
const PARTS: &[(&str, &str, Part)] = &[
    ("GET", "/a@@b", Part::Path),
    ("GET", "/@@", Part::Path),
    ("GET", "/?a@@b", Part::Query),
    ("GET", "/a?@@", Part::Query),
    ("GET", "/a?b?/@@", Part::Query),
    ("GET", "http://h/a@@b", Part::Path),
    ("GET", "http://[::1]:80/@@", Part::Path),
    ("GET", "http://h?@@", Part::Query),
    ("GET", "http://h/a?b@@", Part::Query),
    ("GET", "http://h@@x/", Part::Authority),
    ("OPTIONS", "http://h@@x", Part::Authority),
    ("CONNECT", "h@@x:80", Part::Tunnel),
    ("OPTIONS", "*@@", Part::Asterisk),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Path,
    Query,
    Authority,
    /// Authority-form: that alone, with a host and a port.
    Tunnel,
    Asterisk,
}

const PRESETS: [(&str, Make); 4] = [
    ("default", Config::default),
    ("strict", Config::strict),
    ("interop", Config::interop),
    ("evhttp", Config::evhttp),
];

type Make = fn() -> Config;

/// pchar and "/" (RFC 3986 §3.3); a percent sign is not held to its digits.
fn is_path(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/".contains(&octet)
}

/// Who takes an octet in this part.
fn takes(preset: &str, part: Part, octet: u8) -> bool {
    let lax = matches!(preset, "interop" | "evhttp") && octet > b' ' && octet != 0x7f;
    let browser = preset == "default";
    let host = octet.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&octet);
    match part {
        // A question mark in a path begins the query.
        Part::Path => is_path(octet) || octet == b'?' || browser && b"[]|^".contains(&octet) || lax,
        Part::Query => is_path(octet) || octet == b'?' || browser && b"[]|^`{}\\".contains(&octet) || lax,
        // A slash or a question mark ends the authority.
        Part::Authority => host || b"/?".contains(&octet) || lax,
        Part::Tunnel => host,
        Part::Asterisk => lax,
    }
}

fn target(pattern: &str, octet: u8) -> Vec<u8> {
    let (before, after) = pattern.split_once("@@").unwrap();
    [before.as_bytes(), &[octet], after.as_bytes()].concat()
}

fn wire(method: &str, target: &[u8]) -> Vec<u8> {
    [method.as_bytes(), b" ", target, b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat()
}

#[test]
fn s17_every_octet_in_every_part_of_a_target() {
    for (preset, config) in PRESETS {
        let config = config();
        for (method, pattern, part) in PARTS {
            for octet in 0..=255 {
                let target = target(pattern, octet);
                let told = serve(&config, wire(method, &target));
                let what = format!("{preset} {method} {} ({octet:#04x}): {told:?}", target.escape_ascii());
                // What ends a word or a line makes another request-line of it.
                if b" \r\n".contains(&octet) {
                    assert!(told[0].starts_with("refused "), "{what}");
                    continue;
                }
                if takes(preset, *part, octet) {
                    let line = format!("{method} {}", tests::read::latin1(&target));
                    assert_eq!(told[0], line, "{what}");
                } else {
                    assert!(["refused Target", "refused TargetForm"].contains(&&*told[0]), "{what}");
                    assert_eq!(told[1..], ["answers 400", "closes"], "{what}");
                }
            }
        }
    }
}

#[test]
fn s17_targets_of_browsers_differ_between_the_presets_alone() {
    // The issue's own, as a browser sends it.
    let bytes = wire("GET", b"/?a[]=1&b=x|y");
    assert_eq!(serve(&Config::default(), &bytes)[0], "GET /?a[]=1&b=x|y");
    assert_eq!(serve(&Config::strict(), &bytes)[0], "refused Target");
    let mut config = Config::strict();
    config.leniency.allow_browser_target = true;
    assert_eq!(config, Config::default());
}

#[test]
fn s17_an_octet_that_is_refused_is_refused_at_its_place() {
    use http_core::{Instant, Reason, server};
    for (pattern, config) in [("/ab@@", Config::strict()), ("/?b@@", Config::strict()), ("/ab@@", Config::default())] {
        for octet in *b"\"<>#{}`\x7f\xe9\x01" {
            if takes(if config == Config::strict() { "strict" } else { "default" }, Part::Path, octet) {
                continue;
            }
            let mut connection = server::Connection::new(config.clone().into(), Instant::ZERO);
            let mut input = bytes::BytesMut::from(&wire("GET", &target(pattern, octet))[..]);
            let error = connection.poll_event(&mut input, Instant::ZERO).unwrap_err();
            assert_eq!((error.reason(), error.offset()), (Reason::Target, 4 + 3), "{octet:#04x}");
        }
    }
}

#[test]
fn s17_what_is_made_is_of_rfc_3986() {
    for (method, pattern, part) in PARTS {
        for octet in 0..=255 {
            let target = target(pattern, octet);
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let made = RequestHead::new(method, &target);
            let allowed = takes("strict", *part, octet);
            assert_eq!(made.is_ok(), allowed, "{}", target.escape_ascii());
            assert!(made.is_ok() || made == Err(Misuse::Target));
            // Encoded, everything that may be read by default can be sent.
            if matches!(part, Part::Path | Part::Query) && pattern.starts_with('/') {
                let encoded = percent_encoded(&target);
                let head = RequestHead::new(method, &encoded).unwrap();
                assert_eq!(allowed, head.target() == target, "{}", target.escape_ascii());
                assert!(allowed || encoded.len() == target.len() + 2);
                assert_eq!(percent_encoded(&encoded), encoded, "nothing is encoded twice");
            }
        }
    }
}

#[test]
fn s17_what_was_taken_goes_on_percent_encoded() {
    for (came, goes) in [
        ("/?a[]=1&b=x|y", "/?a%5B%5D=1&b=x%7Cy"),
        ("/a|^[]?`{}\\", "/a%7C%5E%5B%5D?%60%7B%7D%5C"),
        ("/%5B[?%7c|", "/%5B%5B?%7c%7C"),
        ("http://[::1]/[]?[]", "http://[::1]/%5B%5D?%5B%5D"),
        ("http://h?|", "http://h?%7C"),
        ("/a?b=%zz'", "/a?b=%zz'"),
    ] {
        let mut server = Server::server(Config::default());
        let wire = format!("GET {came} HTTP/1.1\r\na: 1\r\nHost: h\r\nX: \t\u{e9}y\r\nConnection: a\r\n\r\n");
        server.hears(wire);
        let head = server.head.take().unwrap_or_else(|| panic!("{came} is not taken"));
        let onward = head.forwarded();
        assert_eq!(onward.target(), goes.as_bytes(), "{came}");
        assert_eq!(onward.fields().get("x"), head.fields().get("x"));
        assert!(!onward.fields().contains("a"));
        // Whoever is strict behind it takes it.
        let sent = [onward.as_wire(), b"\r\n"].concat();
        assert_eq!(serve(&Config::strict(), sent)[0], format!("GET {goes}"));
    }
}

#[test]
fn s17_a_uri_of_the_http_crate_can_be_asked_for() {
    for pattern in ["http://h/a@@b", "http://h/?a@@b", "http://h/@@?a"] {
        for octet in 0..=255_u8 {
            let uri = target(pattern, octet);
            // The crate drops a fragment.
            let (Ok(uri), false) = (http::Uri::try_from(uri), octet == b'#') else { continue };
            let (parts, ()) = http::Request::get(uri.clone()).body(()).unwrap().into_parts();
            let head = http_driver::convert::request_head(&parts).unwrap_or_else(|error| panic!("{uri}: {error}"));
            assert_eq!(head.target(), &*percent_encoded(uri.path_and_query().unwrap().as_str()), "{uri}");
            let wire = [head.as_wire(), b"\r\n"].concat();
            assert!(serve(&Config::strict(), wire)[0].starts_with("GET /"), "{uri}");
        }
    }
    // And what a server takes is a URI of that crate.
    for (method, pattern, part) in PARTS.iter().filter(|(_, _, part)| matches!(part, Part::Path | Part::Query)) {
        for octet in (0..=255).filter(|&octet| takes("default", *part, octet)) {
            let mut server = Server::server(Config::default());
            server.hears(wire(method, &target(pattern, octet)));
            let head = server.head.take().unwrap();
            let request = http_driver::convert::request(&head, ()).unwrap_or_else(|error| panic!("{head:?}: {error}"));
            let query = request.uri().query().map(str::as_bytes);
            assert_eq!(query, head.target_form().unwrap().query(), "{head:?}");
        }
    }
}
