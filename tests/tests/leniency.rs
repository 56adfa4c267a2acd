//! Every leniency off and on: what is refused without it, why, and what it is taken for with the one switch.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use http_core::{Config, End, Leniency};
use tests::beginnings::strict;
use tests::scene::{Client, Server, fetch, fields_of, serve};

/// The strict configuration with one switch on.
fn with(change: impl FnOnce(&mut Leniency)) -> Config {
    let mut config = strict();
    change(&mut config.leniency);
    config
}

/// What a server makes of a message that it refuses.
fn refused(reason: &str) -> [String; 3] {
    [format!("refused {reason}"), "answers 400".into(), "closes".into()]
}

/// What a server makes of a request without content that it takes.
fn taken(request: &str) -> [&str; 3] {
    [request, "end", "answers 200"]
}

/// The value of a field as a server reads it.
fn value(config: &Config, bytes: &str, name: &str) -> Option<String> {
    let mut server = Server::server(config.clone());
    server.hears(bytes);
    server.field(name)
}

#[test]
fn allow_bare_lf() {
    let on = with(|s| s.allow_bare_lf = true);
    for bytes in [
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        assert_eq!(serve(&strict(), bytes), refused("BareLf"), "{bytes:?}");
        assert_eq!(serve(&on, bytes), taken("GET /"), "{bytes:?}");
    }
    let response = "HTTP/1.1 200 OK\nContent-Length: 1\n\na";
    assert_eq!(fetch(&strict(), "GET", response, None), ["refused BareLf", "closed Failed(BareLf)"]);
    assert_eq!(fetch(&on, "GET", response, None), ["200", "content a", "end"]);
    // RFC 9112 §2.2 speaks of the start-line and fields: trailers are fields, chunk lines are not.
    let chunks = |end: &str| format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{end}");
    let trailer = chunks("0\r\nX: y\n\n");
    assert_eq!(serve(&strict(), &trailer), ["POST /", "refused BareLf", "answers 400", "closes"]);
    assert_eq!(serve(&on, &trailer), ["POST /", "end X: y", "answers 200"]);
    for config in [strict(), on] {
        let size = serve(&config, chunks("1\na\r\n0\r\n\r\n"));
        assert_eq!(size, ["POST /", "refused BareLf", "answers 400", "closes"]);
        let data = serve(&config, chunks("1\r\na\n0\r\n\r\n"));
        assert_eq!(data, ["POST /", "content a", "refused ChunkEnd", "answers 400", "closes"]);
    }
}

#[test]
fn allow_obs_fold() {
    let on = with(|s| s.allow_obs_fold = true);
    let bytes = "GET / HTTP/1.1\r\nHost: a\r\nX: b \r\n \t c\r\n\td\r\n\r\n";
    assert_eq!(serve(&strict(), bytes), refused("ObsFold"));
    assert_eq!(serve(&on, bytes), taken("GET /"));
    assert_eq!(value(&on, bytes, "X").as_deref(), Some("b c d"), "RFC 9112 §5.2: spaces in place of the fold");
    let empty = "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n b\r\n\r\n";
    assert_eq!(value(&on, empty, "X").as_deref(), Some("b"), "no space in front of the value");
    // A fold cannot hide a framing field.
    let length = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 1\r\n\r\na";
    assert_eq!(serve(&on, length), ["POST /", "content a", "end", "answers 200"]);
    // The first line cannot be a continuation, with any switch (RFC 9112 §2.2).
    let first = "GET / HTTP/1.1\r\n X: b\r\nHost: a\r\n\r\n";
    assert_eq!(serve(&strict(), first), refused("LeadingSpace"));
    assert_eq!(serve(&on, first), refused("LeadingSpace"));
}

#[test]
fn allow_space_before_colon() {
    let on = with(|s| s.allow_space_before_colon = true);
    let bytes = "GET / HTTP/1.1\r\nHost: a\r\nX \t: b\r\n\r\n";
    assert_eq!(serve(&strict(), bytes), refused("SpaceBeforeColon"));
    assert_eq!(serve(&on, bytes), taken("GET /"));
    assert_eq!(value(&on, bytes, "X").as_deref(), Some("b"));
    // What is read is acted on: no framing field is hidden.
    let length = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\na";
    assert_eq!(serve(&on, length), ["POST /", "content a", "end", "answers 200"]);
    let response = "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na";
    assert_eq!(
        fetch(&strict(), "GET", response, None),
        ["refused SpaceBeforeColon", "closed Failed(SpaceBeforeColon)"]
    );
    assert_eq!(fetch(&on, "GET", response, None), ["200", "content a", "end"]);
}

#[test]
fn allow_space_before_colon_in_responses() {
    let on = with(|s| s.allow_space_before_colon_in_responses = true);
    let response = "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na";
    assert_eq!(fetch(&strict(), "GET", response, None)[0], "refused SpaceBeforeColon");
    assert_eq!(fetch(&on, "GET", response, None), ["200", "content a", "end"]);
    let request = "GET / HTTP/1.1\r\nHost : a\r\n\r\n";
    assert_eq!(serve(&on, request), refused("SpaceBeforeColon"), "requests are refused all the same");
}

#[test]
fn allow_transfer_encoding_with_length() {
    let on = with(|s| s.allow_transfer_encoding_with_length = true);
    for (first, second) in [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Transfer-Encoding: chunked", "Content-Length: 0"),
    ] {
        let bytes =
            format!("POST / HTTP/1.1\r\nHost: a\r\n{first}\r\n{second}\r\n\r\n1\r\na\r\n0\r\n\r\nGET /smuggled");
        assert_eq!(serve(&strict(), &bytes), refused("TransferEncodingWithLength"));
        // RFC 9112 §6.1: read by the coding, and the connection closed after the response.
        assert_eq!(serve(&on, &bytes), ["POST /", "content a", "end", "answers 200", "closes"]);
        let bytes = format!("HTTP/1.1 200 OK\r\n{first}\r\n{second}\r\n\r\n1\r\na\r\n0\r\n\r\n");
        assert_eq!(fetch(&strict(), "GET", &bytes, None)[0], "refused TransferEncodingWithLength");
        assert_eq!(fetch(&on, "GET", &bytes, None), ["200", "content a", "end", "closed NotPersistent"]);
    }
}

#[test]
fn allow_repeated_content_length() {
    let on = with(|s| s.allow_repeated_content_length = true);
    for lines in ["Content-Length: 1\r\nContent-Length: 1", "Content-Length: 1, 1", "Content-Length: 1,,01"] {
        let bytes = format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\na");
        assert_eq!(serve(&strict(), &bytes), refused("ContentLengthList"), "{lines}");
        assert_eq!(serve(&on, &bytes), ["POST /", "content a", "end", "answers 200"], "{lines}");
    }
    for (lines, reason) in [
        ("Content-Length: 1\r\nContent-Length: 2", "ContentLengthConflict"),
        ("Content-Length: 1, 2", "ContentLengthConflict"),
        ("Content-Length: 1, x", "ContentLength"),
    ] {
        let bytes = format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\na");
        assert_eq!(serve(&on, &bytes), refused(reason), "{lines}: what differs is refused always");
    }
}

#[test]
fn allow_missing_host() {
    let on = with(|s| s.allow_missing_host = true);
    let bytes = "GET / HTTP/1.1\r\nAccept: *\r\n\r\n";
    assert_eq!(serve(&strict(), bytes), refused("MissingHost"));
    assert_eq!(serve(&on, bytes), taken("GET /"));
    assert_eq!(serve(&on, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), refused("DuplicateHost"));
    assert_eq!(serve(&on, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), refused("InvalidHost"));
}

#[test]
fn allow_browser_target() {
    let on = with(|s| s.allow_browser_target = true);
    assert_eq!(on, Config::default());
    for target in
        ["/?a[]=1&b=x|y", "/a[0]|^", "/?`{}\\[]|^", "http://h/[|]^?{`}", "http://[::1]?^", "http://h/?a?[b]/|"]
    {
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(serve(&strict(), &bytes), refused("Target"), "{target}");
        assert_eq!(serve(&on, &bytes), taken(&format!("GET {target}")), "{target}");
    }
    // The other octets, those of the query in a path, and all of them in an authority stay refused.
    for target in
        ["/`", "/{a}", "/a\\b", "/\"", "/?\"", "/?<", "/?>", "/?#", "/#", "/?\u{e9}", "http://h|/", "http://[|]/", "|"]
    {
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        let told = serve(&on, &bytes);
        assert_eq!(told[1..], refused("")[1..], "{target}");
        assert_eq!(told, serve(&strict(), &bytes), "{target}");
    }
}

#[test]
fn allow_lax_target() {
    let on = with(|s| s.allow_lax_target = true);
    for (target, reason) in
        [("/a\"b", "Target"), ("/a#b", "Target"), ("/{a}|^`\\<>", "Target"), ("/\u{e9}", "Target"), ("a", "TargetForm")]
    {
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(serve(&strict(), &bytes), refused(reason), "{target}");
        let told = serve(&on, &bytes);
        assert_eq!(told[1..], ["end", "answers 200"], "{target}: {told:?}");
    }
    // Control characters and spaces stay refused.
    for (target, reason) in [("/a\x7f", "Target"), ("/a\tb", "Target"), ("/a b", "VersionSyntax")] {
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(serve(&on, &bytes), refused(reason), "{target:?}");
    }
    // CONNECT needs a host and a port with any switch (RFC 9110 §9.3.6).
    assert_eq!(serve(&on, "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n"), refused("TargetForm"));
}

#[test]
fn allow_chunk_line_padding() {
    let on = with(|s| s.allow_chunk_line_padding = true);
    for line in ["1 ", "1\t ", "001   ", "1;a ", "1;a=b\t"] {
        let bytes = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{line}\r\na\r\n0 \r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        let told = serve(&on, &bytes);
        assert_eq!(told[..4], ["POST /", "content a", "end", "answers 200"], "{line:?}");
        assert_eq!(told[4..], taken("GET /b"), "{line:?}");
        let refused = ["POST /", "refused ChunkExtension", "answers 400", "closes"];
        assert_eq!(serve(&strict(), &bytes), refused, "{line:?}");
    }
    // Other whitespace, and anything behind the padding but an extension, stay refused.
    for line in ["1 1", "1 a", "1\x0b", "1;", "1 ;", "1 ; "] {
        let bytes = format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{line}\r\na\r\n0\r\n\r\n");
        let told = serve(&on, &bytes);
        assert_eq!(told[2..], ["answers 400", "closes"], "{line:?}: {told:?}");
    }
}

#[test]
fn allow_trailing_space_in_request_line() {
    let on = with(|s| s.allow_trailing_space_in_request_line = true);
    for spaces in [" ", "   "] {
        let bytes = format!("GET / HTTP/1.1{spaces}\r\nHost: a\r\n\r\n");
        assert_eq!(serve(&strict(), &bytes), refused("StartLine"));
        assert_eq!(serve(&on, &bytes), taken("GET /"));
    }
    assert_eq!(serve(&on, "GET / HTTP/1.1 a\r\nHost: a\r\n\r\n"), refused("StartLine"));
    assert_eq!(serve(&on, "GET / HTTP/1.1\t\r\nHost: a\r\n\r\n"), refused("StartLine"));
}

/// The fields of `Leniency`, each with its test.
const TESTED: &[(&str, fn())] = &[
    ("allow_bare_lf", allow_bare_lf),
    ("allow_obs_fold", allow_obs_fold),
    ("allow_space_before_colon", allow_space_before_colon),
    ("allow_space_before_colon_in_responses", allow_space_before_colon_in_responses),
    ("allow_transfer_encoding_with_length", allow_transfer_encoding_with_length),
    ("allow_repeated_content_length", allow_repeated_content_length),
    ("allow_missing_host", allow_missing_host),
    ("allow_browser_target", allow_browser_target),
    ("allow_lax_target", allow_lax_target),
    ("allow_chunk_line_padding", allow_chunk_line_padding),
    ("allow_trailing_space_in_request_line", allow_trailing_space_in_request_line),
];

#[test]
fn every_leniency_is_tested() {
    let names: Vec<_> = TESTED.iter().map(|(name, _)| *name).collect();
    assert_eq!(fields_of(&Leniency::default()), names);
}

#[test]
fn leniencies_are_off_by_default_but_for_targets_of_browsers() {
    let told = format!("{:?}", Leniency::default());
    assert_eq!(told.matches("true").count(), 1, "{told}");
    assert!(told.contains("allow_browser_target: true"), "{told}");
    assert!(!format!("{:?}", strict().leniency).contains("true"));
}

#[test]
fn a_client_reads_on_where_the_rfc_tells_it_to() {
    // No switch is needed for what RFC 9112 has a user agent take: folds (§5.2), no reason phrase and no space before
    // it (§4), a list of one and the same length (§6.3).
    let response = "HTTP/1.1 200\r\nX: a\r\n b\r\nContent-Length: 1, 1\r\n\r\nc";
    assert_eq!(fetch(&strict(), "GET", response, Some(End::Clean)), ["200", "content c", "end", "closed ByPeer"]);
    let mut client = Client::client(strict());
    client.gets("/");
    client.hears(response);
    assert_eq!(client.field("X").as_deref(), Some("a b"));
}

#[test]
fn a_client_refuses_what_is_no_status_line() {
    // RFC 9112 §4: single spaces, and nothing is read into what is near.
    for (line, reason) in [
        ("HTTP/1.1\t200 OK", "StatusLine"),
        ("HTTP/1.1 200\tOK", "StatusLine"),
        ("HTTP/1.1  200 OK", "StatusLine"),
        ("HTTP/1.1 2000 OK", "StatusLine"),
        ("HTTP/1.1 20 OK", "StatusLine"),
        ("HTTP/1.1 +20 OK", "StatusLine"),
        ("HTTP/1.1 2x0 OK", "StatusLine"),
        ("HTTP/1.1 200 O\x01K", "StatusLine"),
        ("HTTP/1.1200 OK", "StatusLine"),
        ("HTTP/11 200 OK", "VersionSyntax"),
        ("http/1.1 200 OK", "VersionSyntax"),
        (" HTTP/1.1 200 OK", "VersionSyntax"),
        ("HTTP/1.1.1 200 OK", "StatusLine"),
        ("HTTP/0.9 200 OK", "Version"),
        ("HTTP/2.0 200 OK", "Version"),
        ("\nHTTP/1.1 200 OK", "VersionSyntax"),
        ("\r\n\rHTTP/1.1 200 OK", "VersionSyntax"),
    ] {
        let told = fetch(&strict(), "GET", format!("{line}\r\nContent-Length: 0\r\n\r\n"), None);
        assert_eq!(told, [format!("refused {reason}"), format!("closed Failed({reason})")], "{line:?}");
    }
}
