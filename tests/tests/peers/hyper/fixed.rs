//! Bugs that hyper has fixed since its version 1.0, by the number of the report.

use bytes::Bytes;
use http_core::client::Readiness;
use http_core::{Config, Content, End, Fields, Misuse, Phase};
use tests::scene::{Client, Server, fetch, serve, whole_and_dripping};

use crate::{GET, NEXT, NOTHING, chunked, client, post, refused, server, strict};

fn trailers(fields: &[(&str, &str)]) -> Fields {
    let mut section = Fields::new();
    fields.iter().for_each(|(name, value)| section.push(name, value).unwrap());
    section
}

/// #4123, #4124, #3860: a length was kept beside chunks, and the connection used again.
#[test]
fn length_beside_chunks() {
    let mut config = strict();
    config.leniency.allow_transfer_encoding_with_length = true;
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    assert_eq!(fetch(&config, "GET", both, None), ["200", "content x", "end", "closed NotPersistent"]);
    // And none is sent: what the application says of both is refused.
    let mut server = server();
    server.hears(GET);
    let fields = [("Content-Length", "1"), ("Transfer-Encoding", "chunked")];
    assert_eq!(server.responds(200, &fields, Content::Streaming), Err(Misuse::Framing));
    assert_eq!(server.sends(), "");
}

/// 1.12: a length that is none was sent beside chunks.
#[test]
fn a_bad_length_of_the_application() {
    for value in ["abc", "+1", "", "1, 2", "1,1"] {
        let mut client = client();
        let sent = client.requests("PUT", "/", &[("Content-Length", value)], Content::Streaming);
        assert_eq!(sent, Err(Misuse::Framing), "{value:?}");
        assert_eq!(client.sends(), "");
    }
    let mut client = client();
    client.requests("PUT", "/", &[("Content-Length", "3")], Content::Streaming).unwrap();
    assert!(!client.sends().contains("chunked"));
}

/// 8e5de1b: a last chunk without its digit.
#[test]
fn a_last_chunk_without_a_digit() {
    let told = serve(&strict(), chunked("5\r\nhello\r\n\r\n"));
    assert_eq!(told[..2], ["POST /", "content hello"]);
    assert_eq!(told[2..], refused("ChunkSize", 400));
}

/// #4143: the last chunk stayed in the buffer.
#[test]
fn the_last_chunk_is_sent() {
    let mut server = server();
    server.hears(GET);
    server.responds(200, &[], Content::Streaming).unwrap();
    server.machine.send_content(Bytes::from(vec![b'x'; 100_000]), server.now).unwrap();
    assert!(server.sends().ends_with("\r\n"));
    server.machine.send_end(&Fields::new(), server.now).unwrap();
    assert!(server.machine.interest().write);
    assert_eq!(server.sends(), "0\r\n\r\n");
}

/// #4043, #4044: no keep-alive after trailers.
#[test]
fn connections_are_kept_after_trailers() {
    let mut server = server();
    server.hears(chunked("1\r\na\r\n0\r\nX: y\r\n\r\n"));
    assert_eq!(server.wants(), ["content a", "end X: y"]);
    server.responds(200, &[], Content::Streaming).unwrap();
    server.machine.send_end(&trailers(&[("X-Sum", "1")]), server.now).unwrap();
    let wire = server.sends();
    assert!(wire.ends_with("0\r\nX-Sum: 1\r\n\r\n"), "{wire}");
    assert_eq!(server.hears(NEXT), ["GET /next", "end"]);
    let mut client = client();
    client.gets("/");
    assert_eq!(client.hears(wire), ["200", "end X-Sum: 1"]);
    assert_eq!(client.machine.readiness(), Readiness::Idle);
}

/// #4011, #4107, #4108, #4118, #4152: trailer sections that were too many, too long, cut anywhere, or not of fields.
#[test]
fn trailer_sections() {
    let mut config = strict();
    config.limits.trailer_fields = 3;
    config.limits.trailers = 100;
    for (section, told) in [
        ("X: y\r\n", Ok("end X: y")),
        ("X: y\r\nX: z\r\n", Ok("end X: y X: z")),
        ("X:\r\n", Ok("end X: ")),
        ("A:1\r\nB:2\r\nC:3\r\n", Ok("end A: 1 B: 2 C: 3")),
        ("A:1\r\nB:2\r\nC:3\r\nD:4\r\n", Err(("TooManyFields", 431))),
        ("X: y\n", Err(("BareLf", 400))),
        ("X: y\rZ\r\n", Err(("BareCr", 400))),
        ("X y\r\n", Err(("SpaceBeforeColon", 400))),
        ("X\r\n", Err(("FieldName", 400))),
        (": y\r\n", Err(("FieldName", 400))),
        (" X: y\r\n", Err(("LeadingSpace", 400))),
        ("X: y\r\n z\r\n", Err(("ObsFold", 400))),
        ("X: \x01\r\n", Err(("FieldValue", 400))),
    ] {
        let read = serve(&config, chunked(&format!("0\r\n{section}\r\n")));
        match told {
            Ok(told) => assert_eq!(read, ["POST /", told, "answers 200"], "{section:?}"),
            Err((reason, status)) => assert_eq!(read[1..], refused(reason, status), "{section:?}"),
        }
    }
    let long = chunked(&format!("0\r\nX: {}\r\n\r\n", "y".repeat(100)));
    assert_eq!(serve(&config, long)[1..], refused("TrailersTooLong", 431));
}

/// #4147: a head that ends with `\n\r\n`.
#[test]
fn mixed_line_ends() {
    let bytes = "GET / HTTP/1.1\r\nHost: a\n\r\n";
    assert_eq!(serve(&strict(), bytes), refused("BareLf", 400));
    assert_eq!(serve(&Config::interop(), bytes), ["GET /", "end", "answers 200"]);
}

/// #4056: content of more than 4 GiB where a pointer has 32 bits.
#[test]
fn lengths_have_64_bits() {
    let mut server = server();
    server.hears(post("Content-Length: 4294967299\r\n"));
    server.wants();
    assert_eq!(server.hears("abc"), ["content abc"], "not the end");
    assert_eq!(server.hears("def"), ["content def"]);
    assert!(server.machine.content_is_due());
    let mut client = client();
    client.gets("/");
    assert_eq!(client.hears("HTTP/1.1 200 OK\r\nContent-Length: 4294967299\r\n\r\nabc"), ["200", "content abc"]);
    assert_eq!(client.hears("d"), ["content d"]);
}

/// 1.12: of several Connection lines a later keep-alive undid close.
#[test]
fn close_is_not_undone() {
    let lines = "Connection: close\r\nConnection: keep-alive\r\n";
    let told = serve(&strict(), format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"));
    assert_eq!(told.last().unwrap(), "closes");
    let told = fetch(&strict(), "GET", format!("HTTP/1.1 204 \r\n{lines}\r\n"), None);
    assert_eq!(told, ["204", "end", "closed NotPersistent"]);
}

/// #2701: a target of more than 64 KiB.
#[test]
fn very_long_targets() {
    for length in [8192, 65_535, 65_536, 70_000] {
        let told = serve(&strict(), format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(length)));
        assert_eq!(told, refused("TargetTooLong", 414), "{length}");
    }
}

/// #4081, #4093: the limit of a head did not hold when it came in one piece.
#[test]
fn limits_hold_however_it_is_cut() {
    let lines: String = (0..100).map(|n| format!("X-{n}: {}\r\n", "y".repeat(1000))).collect();
    assert_eq!(serve(&strict(), format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")), refused("HeadTooLong", 431));
}

/// #3495: chunk extensions without a limit.
#[test]
fn chunk_extensions_have_a_limit() {
    let one = format!("1;{}\r\nx\r\n", "e".repeat(1000));
    let told = serve(&strict(), chunked(&one.repeat(20)));
    assert_eq!(told[told.len() - 3..], refused("ChunkExtensionsTooLong", 400));
}

/// #3764, #3811, #3812: an incomplete head cost time without bound, or the process.
#[test]
fn heads_that_drip() {
    let lines: String = (0..60).map(|n| format!("X-{n}: {}\r\n", "y".repeat(1000))).collect();
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    let mut server = server();
    server.drips = true;
    assert_eq!(server.hears(head), ["GET /", "end"]);
    for start in
        ["\r", "\r\n\r", "G", "GET /\u{e9}", "GET / HTTP/1.1\r\n\r", "GET / HTTP/1.1\r\n:", "GET / HTTP/1.1\r\nA"]
    {
        let mut server = self::server();
        server.drips = true;
        server.hears(start);
        assert!(
            matches!(server.machine.phase(), Phase::ReadingFirstLine | Phase::ReadingHeaders | Phase::Idle),
            "{start:?}"
        );
    }
}

/// #4085, #4086: a loop without rest after the peer has shut down its side.
#[test]
fn nothing_is_read_after_the_end() {
    let mut server = server();
    server.hears(GET);
    server.ends(End::Clean);
    let interest = server.machine.interest();
    assert!(interest.lend == 0 && !interest.write && !interest.close && !interest.shutdown, "{interest:?}");
    // The answer is waited for, with the one deadline there is.
    assert_eq!(server.deadline().map(|(kind, _)| kind), Some(http_core::Deadline::HalfClosed));
    let mut client = client();
    client.requests("PUT", "/", &[], Content::Sized(9)).unwrap();
    client.sends();
    client.hears("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    // Its response is complete and the server gone: the rest of the request has nobody to go to.
    assert_eq!(client.ends(End::Clean), ["closed ByPeer"]);
}

/// 1.12: ready for another request while busy.
#[test]
fn readiness() {
    let mut client = client();
    assert_eq!(client.machine.readiness(), Readiness::Idle);
    client.requests("PUT", "/", &[], Content::Sized(1)).unwrap();
    assert_eq!(client.machine.readiness(), Readiness::Busy);
    client.sends();
    // A response that is complete before its request is (#4176: that hung).
    assert_eq!(client.hears("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), ["200", "end"]);
    assert_eq!(client.machine.readiness(), Readiness::Busy);
    client.machine.send_content(Bytes::from_static(b"x"), client.now).unwrap();
    client.machine.send_end(&Fields::new(), client.now).unwrap();
    assert_eq!(client.machine.readiness(), Readiness::Busy);
    assert_eq!(client.sends(), "x");
    assert_eq!(client.machine.readiness(), Readiness::Idle);
    // Or the application gives the rest up.
    let mut client = self::client();
    client.requests("PUT", "/", &[], Content::Sized(1)).unwrap();
    client.sends();
    client.hears("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    client.machine.abandon(client.now);
    assert_eq!(client.polls(), ["closed Abandoned"]);
}

/// #4018, #4022: what waited was lost at the end.
#[test]
fn what_waits_is_sent_before_the_end() {
    let mut server = server();
    server.hears("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    server.responds(200, &[], Content::Full(Bytes::from(vec![b'x'; 100_000]))).unwrap();
    server.machine.close(server.now);
    for _ in 0..10 {
        server.polls();
        let interest = server.machine.interest();
        assert!(interest.write && !interest.shutdown && !interest.close, "{interest:?}");
        server.machine.handle_sent(10_000, server.now);
    }
    server.sends();
    let interest = server.machine.interest();
    assert!(interest.shutdown && !interest.write, "{interest:?}");
}

/// #3995, #4016, #4069: content that was given up looked complete.
#[test]
fn what_is_given_up_does_not_look_complete() {
    for (request, content) in
        [(GET, Content::Streaming), (GET, Content::Sized(10)), ("GET / HTTP/1.0\r\n\r\n", Content::Streaming)]
    {
        let mut server = server();
        server.hears(request);
        server.responds(200, &[], content.clone()).unwrap();
        server.machine.send_content(Bytes::from_static(b"abc"), server.now).unwrap();
        server.machine.abandon(server.now);
        let wire = server.sends();
        // Where only the end of the stream tells, it must not be an orderly one.
        let until_close = request.contains("1.0");
        assert_eq!(server.machine.interest().reset, until_close);
        let end = if until_close { End::Unclean } else { End::Clean };
        let told = fetch(&strict(), "GET", wire, Some(end));
        assert_eq!(told[told.len() - 2..], ["refused Truncated", "closed Failed(Truncated)"], "{content:?}");
    }
}

/// #4110: a request said close, and its connection was used again.
#[test]
fn a_request_that_says_close_is_the_last() {
    let mut client = client();
    client.requests("GET", "/", &[("Connection", "close")], Content::Empty).unwrap();
    client.sends();
    assert_eq!(client.hears("HTTP/1.1 204 \r\nConnection: keep-alive\r\n\r\n"), ["204", "end", "closed NotPersistent"]);
}

/// c88011d: used again while the request before was still being sent.
#[test]
fn not_used_again_while_sending() {
    let mut client = client();
    client.requests("PUT", "/", &[], Content::Sized(10)).unwrap();
    client.sends();
    client.hears("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.requests("GET", "/", &[], Content::Empty), Err(Misuse::NotYourTurn));
}

/// #2114, #3616, #3621, #3626: an upgrade that was ignored, repeated, or not asked for ended the process.
#[test]
fn upgrades_in_any_order() {
    let offer = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    let mut server = server();
    for _ in 0..3 {
        server.hears(offer);
        server.answers(200, "ignored");
    }
    server.hears(offer);
    server.responds(101, &[("Upgrade", "x")], Content::Empty).unwrap();
    assert_eq!(server.responds(101, &[("Upgrade", "x")], Content::Empty), Err(Misuse::NotYourTurn));
    assert_eq!(server.polls(), ["switched"]);
    assert_eq!(server.hears(GET), NOTHING);
    assert_eq!(server.responds(200, &[], Content::Empty), Err(Misuse::Closed));
    server.machine.close(server.now);
    server.ends(End::Unclean);
    let mut client = client();
    client.gets("/");
    assert_eq!(client.hears("HTTP/1.1 101 \r\n\r\n")[0], "refused UnexpectedSwitch");
}

/// #1790, #3130: an idle connection kept what it had needed at most.
#[test]
fn memory_is_given_back() {
    let mut server = server();
    server.hears(GET);
    server.responds(200, &[], Content::Streaming).unwrap();
    for _ in 0..100 {
        server.machine.send_content_copy(&[b'x'; 1000], server.now).unwrap();
    }
    server.machine.send_end(&Fields::new(), server.now).unwrap();
    server.sends();
    server.machine.shrink();
    assert!(server.machine.outbox().is_empty());
    assert_eq!(server.hears(NEXT), ["GET /next", "end"], "and the connection goes on");
}

/// #3952 and what followed: every call that queues something shows it in the interest.
#[test]
fn whatever_is_queued_is_wanted_to_be_written() {
    whole_and_dripping(|drips| {
        let mut server = Server::server(strict());
        server.drips = drips;
        server.hears(post("Content-Length: 1\r\nExpect: 100-continue\r\n"));
        assert!(!server.machine.interest().write);
        server.wants();
        assert!(server.machine.interest().write, "100");
        server.sends();
        server.hears("x");
        server.responds(200, &[], Content::Streaming).unwrap();
        assert!(server.machine.interest().write, "a head");
        server.sends();
        server.machine.send_content(Bytes::from_static(b"x"), server.now).unwrap();
        assert!(server.machine.interest().write, "content");
        server.machine.handle_sent(1, server.now);
        assert!(server.machine.interest().write, "a part of it");
        server.sends();
        server.hears("broken\n");
        assert!(!server.machine.interest().write, "an answer is under way");
        server.machine.send_end(&Fields::new(), server.now).unwrap();
        assert!(server.machine.interest().write, "an end");
        server.sends();
        server.polls();
        assert!(server.machine.interest().write, "a refusal");
        let mut client = Client::client(strict());
        client.requests("PUT", "/", &[("Expect", "100-continue")], Content::Full("x".into())).unwrap();
        client.sends();
        assert!(!client.machine.interest().write);
        client.hears("HTTP/1.1 100 \r\n\r\n");
        assert!(client.machine.interest().write, "content that waited");
    });
}
