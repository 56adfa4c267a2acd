//! Security advisories: each with a test that it is not here.
//!
//! Left out is what belongs to TLS, to the adapters' defaults or to other protocols: RUSTSEC-2016-0002 (host names of
//! certificates), RUSTSEC-2022-0055 (a default limit for content), those of HTTP/2 but for their kind, cheap floods.

use bytes::Bytes;
use http_core::{Config, Content, End, Fields, Method, Misuse, RequestHead, ResponseHead, StatusCode};
use tests::scene::{Client, Server, fetch, serve, whole_and_dripping};

use crate::{GET, NEXT, NOTHING, chunked, client, post, refused, server, strict};

/// hyper: CR and LF in values split messages.
#[test]
fn rustsec_2017_0002_output_is_validated() {
    let mut fields = Fields::new();
    for byte in (0..=255_u8).filter(|b| b.is_ascii_control() && *b != b'\t') {
        let text = [b'a', byte, b'b'];
        assert_eq!(fields.push("X", text), Err(Misuse::FieldValue), "{byte}");
        assert_eq!(fields.push(text, "y"), Err(Misuse::FieldName), "{byte}");
        assert_eq!(RequestHead::new(Method::Get, [b'/', byte]).err(), Some(Misuse::Target), "{byte}");
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert_eq!(RequestHead::new(Method::Other(&text), "/").err(), Some(Misuse::Method), "{byte}");
        let head = ResponseHead::with_reason_phrase(StatusCode::OK, &text);
        assert_eq!(head.err(), Some(Misuse::ReasonPhrase), "{byte}");
    }
    assert!(fields.is_empty() && fields.as_wire().is_empty());
}

/// hyper: a GET with content lost its Transfer-Encoding, and the content became the next request.
#[test]
fn rustsec_2020_0008_framing_is_one_decision() {
    for method in ["GET", "HEAD", "DELETE", "POST"] {
        let mut client = client();
        client.requests(method, "/", &[], Content::Streaming).unwrap();
        client.machine.send_content(Bytes::from_static(b"abc"), client.now).unwrap();
        client.machine.send_end(&Fields::new(), client.now).unwrap();
        let wire = client.sends();
        let told = serve(&strict(), wire + NEXT);
        assert_eq!(told[..4], [&format!("{method} /"), "content abc", "end", "answers 200"]);
        assert_eq!(told[4..], ["GET /next", "end", "answers 200"]);
    }
}

/// hyper: several lines of Transfer-Encoding were joined wrongly.
#[test]
fn rustsec_2021_0020_all_lines_are_one_list() {
    for (lines, reason, status) in [
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "TransferCodingUnknown", 501),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", "TransferEncoding", 400),
        ("Transfer-Encoding: chunked\r\nX: y\r\nTransfer-Encoding: cow\r\n", "TransferEncoding", 400),
        ("Transfer-Encoding: cow\r\nTransfer-Encoding:\r\nTransfer-Encoding: pig\r\n", "TransferEncoding", 400),
    ] {
        assert_eq!(serve(&strict(), post(lines) + "0\r\n\r\n"), refused(reason, status), "{lines:?}");
    }
    let empty = post("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n") + "1\r\na\r\n0\r\n\r\n";
    assert_eq!(serve(&strict(), empty), ["POST /", "content a", "end", "answers 200"], "RFC 9110 §5.6.1");
}

/// hyper: a plus sign in Content-Length.
#[test]
fn rustsec_2021_0078_lengths_are_digits() {
    for value in ["+3", "-3", "3 ", "\u{a0}3", "3_0", "٣"] {
        let told = serve(&strict(), post(&format!("Content-Length: {value}\r\n")) + "abc");
        let good = value.trim_end_matches(' ') == "3";
        assert_eq!(told == refused("ContentLength", 400), !good, "{value:?}: {told:?}");
    }
}

/// hyper: a chunk size that wraps.
#[test]
fn rustsec_2021_0079_chunk_sizes_do_not_wrap() {
    for size in
        ["f0000000000000003", "10000000000000003", "8000000000000000", "ffffffffffffffff", "fffffffffffffffffffff"]
    {
        let told = serve(&strict(), chunked(&format!("{size}\r\nabc\r\n0\r\n\r\n")));
        assert_eq!(told[1..], refused("ChunkSize", 400), "{size}");
    }
    // Zeros in front are no matter; the line has its limit.
    let zeros = chunked(&format!("{}3\r\nabc\r\n0\r\n\r\n", "0".repeat(100)));
    assert_eq!(serve(&strict(), zeros), ["POST /", "content abc", "end", "answers 200"]);
    let endless = chunked(&"0".repeat(5000));
    assert_eq!(serve(&strict(), endless)[1..], refused("ChunkLineTooLong", 400));
}

/// hyper: fields that were never written were read; http: a table whose size wraps.
#[test]
fn rustsec_2022_0022_and_2019_0033_tables_hold_what_was_read() {
    for manifest in [include_str!("../../../Cargo.toml"), include_str!("../../../http-core/Cargo.toml")] {
        assert!(manifest.contains("unsafe_code = \"forbid\"") || manifest.contains("[lints]\nworkspace = true"));
    }
    let mut config = strict();
    config.limits.fields = 2000;
    for count in [0, 1, 99, 100, 101, 127, 128, 129, 1999] {
        let mut server = Server::server(config.clone());
        let lines: String = (0..count).map(|n| format!("X-{n}: {n}\r\n")).collect();
        server.hears(format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"));
        let head = server.head.as_ref().unwrap();
        assert_eq!(head.fields().len(), count + 1);
        for (n, (name, value)) in head.fields().iter().skip(1).enumerate() {
            assert_eq!((name, value), (&*format!("X-{n}"), n.to_string().as_bytes()));
        }
    }
    let mut fields = Fields::new();
    for n in 0..1000 {
        fields.push(if n % 2 == 0 { "A" } else { "B" }, n.to_string()).unwrap();
    }
    assert_eq!(fields.remove("a"), 500);
    assert_eq!(fields.len(), 500);
    assert!(fields.iter().enumerate().all(|(n, (_, value))| value == (2 * n + 1).to_string().as_bytes()));
}

/// async-h1, and pingora with an answer from a cache: content that nobody read became the next request; a head without
/// an end.
#[test]
fn rustsec_2020_0093_and_2025_0037_unread_content_is_drained() {
    whole_and_dripping(|drips| {
        let mut server = server();
        server.drips = drips;
        server.hears(post(&format!("Content-Length: {}\r\n", GET.len())));
        server.answers(200, "from the cache");
        assert_eq!(server.hears(GET), NOTHING);
        assert_eq!(server.hears(NEXT), ["GET /next", "end"]);
    });
    let endless = format!("GET / HTTP/1.1\r\n{}", format!("X: {}\r\n", "y".repeat(1000)).repeat(1000));
    assert_eq!(serve(&strict(), endless), refused("HeadTooLong", 431));
}

/// actix-http and tiny_http: Transfer-Encoding with Content-Length.
#[test]
fn rustsec_2021_0081_and_2020_0031_two_kinds_of_framing() {
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "content-length: 0\r\ntransfer-encoding: CHUNKED\r\n",
    ] {
        let told = serve(&strict(), post(lines) + "0\r\n\r\n" + NEXT);
        assert_eq!(told, refused("TransferEncodingWithLength", 400), "{lines:?}");
        let mut config = strict();
        config.leniency.allow_transfer_encoding_with_length = true;
        let told = serve(&config, post(lines) + "0\r\n\r\n" + NEXT);
        assert_eq!(told, ["POST /", "end", "answers 200", "closes"], "{lines:?}: one reading, and nothing behind it");
    }
    for (lines, reason) in [
        ("Transfer-Encoding: chunked, identity\r\n", "TransferEncoding"),
        ("Transfer-Encoding: xchunked\r\n", "TransferEncoding"),
        ("Transfer-Encoding: \x0bchunked\r\n", "FieldValue"),
        ("Transfer-Encoding : chunked\r\n", "SpaceBeforeColon"),
        (" Transfer-Encoding: chunked\r\n", "ObsFold"),
        ("X:\nTransfer-Encoding: chunked\r\n", "BareLf"),
    ] {
        assert_eq!(serve(&strict(), post(lines) + "0\r\n\r\n")[0], format!("refused {reason}"), "{lines:?}");
    }
}

/// pingora: the connection was handed over before 101 was seen.
#[test]
fn rustsec_2026_0033_nothing_switches_before_101() {
    // What follows an offer is a request until the offer is accepted.
    let mut server = server();
    let offer = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    server.hears(format!("{offer}{NEXT}"));
    server.answers(200, "no");
    assert_eq!(server.polls(), ["GET /next", "end"]);
    // A client reads what comes as a response until 101 has.
    let mut client = client();
    client.requests("GET", "/", &[("Upgrade", "x")], Content::Empty).unwrap();
    client.sends();
    assert_eq!(client.hears("HTTP/1.1 403 \r\nContent-Length: 2\r\n\r\nno"), ["403", "content no", "end"]);
    client.gets("/next");
    assert_eq!(client.hears("HTTP/1.1 204 \r\n\r\n"), ["204", "end"]);
}

/// pingora: Transfer-Encoding in HTTP/1.0, and lists of codings taken lightly.
#[test]
fn rustsec_2026_0034_codings_and_http_1_0() {
    for lines in ["Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"] {
        let old = post(lines).replace("HTTP/1.1", "HTTP/1.0") + "0\r\n\r\n" + NEXT;
        assert_eq!(serve(&strict(), old), refused("TransferEncodingInHttp10", 400), "{lines:?}");
    }
    let response = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(fetch(&strict(), "GET", response, None)[0], "refused TransferEncodingInHttp10");
    let list = post("Transfer-Encoding: foo, chunked, bar\r\n");
    assert_eq!(serve(&strict(), list), refused("TransferEncoding", 400));
}

/// nghttp2 and its kin: the content of an upgrade request was read by the other protocol.
#[test]
fn cve_2026_58055_content_precedes_the_other_protocol() {
    let offer = post("Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n");
    for when in ["before", "after"] {
        let mut server = server();
        server.hears(&offer);
        let switch = |server: &mut Server| server.responds(101, &[("Upgrade", "x")], Content::Empty).unwrap();
        if when == "before" {
            switch(&mut server);
            assert_eq!(server.hears("abcdef"), ["switched"]);
        } else {
            server.wants();
            assert_eq!(server.hears("abcdef"), ["content abc", "end"]);
            switch(&mut server);
            assert_eq!(server.polls(), ["switched"]);
        }
        assert_eq!(server.input, "def", "{when}");
    }
}

/// Kestrel: a lone LF in a chunk extension.
#[test]
fn cve_2025_55315_chunk_lines_end_with_crlf() {
    for config in [strict(), Config::evhttp(), Config::interop()] {
        for line in ["2;\nxx", "2;a\nxx", "2;a=\"\nxx", "2;a=\"b\"\nxx", "2\nxx", "2;a\rxx", "2\r\r\nxx"] {
            let told = serve(&config, chunked(&format!("{line}\r\n45\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n")));
            assert_eq!(told[2..], ["answers 400", "closes"], "{line:?}: {told:?}");
        }
    }
}

/// h11: two bytes behind a chunk were dropped, whatever they were.
#[test]
fn cve_2025_43859_the_end_of_a_chunk_is_compared() {
    for end in ["XX", "\r ", " \n", "\n\r", "\n\n", "\0\0"] {
        let told = serve(&strict(), chunked(&format!("3\r\nabc{end}0\r\n\r\n")));
        assert_eq!(told[2..], refused("ChunkEnd", 400), "{end:?}");
    }
}

/// HTTP/2's floods, as they would be here: what costs the peer little is slid together, or has a budget.
#[test]
fn floods_have_a_budget() {
    // Tiny chunks: few events, whatever their number.
    let mut server = server();
    server.hears(chunked(""));
    server.wants();
    server.input.extend_from_slice("1\r\nx\r\n".repeat(10_000).as_bytes());
    let mut events = 0;
    while server.polls_once().is_some() {
        events += 1;
    }
    assert!(events < 20, "{events} events for 10,000 chunks");
    // Empty lines.
    let told = serve(&strict(), "\r\n".repeat(1000) + GET);
    assert_eq!(told, refused("EmptyLines", 400));
    // Interim responses.
    let mut client = Client::client(strict());
    client.gets("/");
    let told = client.hears("HTTP/1.1 103 \r\n\r\n".repeat(1000));
    assert_eq!(told.len(), 16 + 2);
    assert_eq!(told[16..], ["refused TooManyInterim", "closed Failed(TooManyInterim)"]);
    // Requests whose answers nobody takes.
    let mut server = self::server();
    server.input.extend_from_slice(GET.repeat(100_000).as_bytes());
    let mut answered = 0;
    while server.polls() == ["GET /", "end"] {
        server.responds(200, &[], Content::Empty).unwrap();
        answered += 1;
    }
    assert!(answered < 10_000, "{answered} answers wait");
    assert_eq!(server.machine.interest().room(server.input.len()), 0);
    server.ends(End::Unclean);
}
