//! Connections that are handed over: `Upgrade` (RFC 9110 §7.8) and `CONNECT` (§9.3.6), from both sides.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

use bytes::Bytes;
use http_core::client::Readiness;
use http_core::{Content, Fields, Misuse, Phase};
use tests::beginnings::{NEXT, NOTHING, client, server, strict};
use tests::scene::{Client, Server, response, whole_and_dripping};

const OFFER: &str = "Connection: upgrade\r\nUpgrade: echo\r\n";
const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n";

fn get(fields: &str) -> String {
    format!("GET /up HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// What belongs to another protocol is not touched, and no deadline runs.
fn is_handed_over(server: &Server, left: &str) {
    assert_eq!(server.input, left);
    let interest = server.machine.interest();
    assert!(interest.lend == 0 && !interest.close && !interest.shutdown, "{interest:?}");
    assert_eq!(server.deadline(), None);
}

#[test]
fn a_server_switches_when_both_fields_offer_it() {
    // (fields, minor version, whether an upgrade is offered)
    for (fields, minor, offered) in [
        (OFFER, 1, true),
        ("Connection: Upgrade\r\nUpgrade: echo\r\n", 1, true),
        ("Connection: keep-alive, UPGRADE\r\nUpgrade: a, echo/1\r\n", 1, true),
        ("Connection: keep-alive\r\nUpgrade: echo\r\nConnection: upgrade\r\n", 1, true),
        ("Upgrade: echo\r\n", 1, false),
        ("Connection: upgrade\r\n", 1, false),
        ("Connection: upgrade\r\nUpgrade:\r\n", 1, false),
        ("Connection: upgrades\r\nUpgrade: echo\r\n", 1, false),
        ("Connection: echo\r\nUpgrade: echo\r\n", 1, false),
        // RFC 9110 §7.8: to be ignored in HTTP/1.0.
        (OFFER, 0, false),
    ] {
        whole_and_dripping(|drips| {
            let mut server = server();
            server.drips = drips;
            let told = server.hears(get(fields).replace("HTTP/1.1", &format!("HTTP/1.{minor}")));
            assert_eq!(told, ["GET /up", "end"], "{fields:?}");
            let switched = server.responds(101, &[("Upgrade", "echo")], Content::Empty);
            if !offered {
                assert_eq!(switched, Err(Misuse::Status), "1.{minor} {fields:?}");
                assert_eq!(server.sends(), "", "and nothing of it is sent");
                assert!(!server.machine.is_switching());
                server.answers(200, "plain");
                return;
            }
            assert_eq!(switched, Ok(()), "{fields:?}");
            assert!(server.machine.is_switching() && !server.machine.is_switched());
            assert_eq!(server.sends(), SWITCHING);
            assert_eq!(server.hears("bytes of echo"), ["switched"]);
            assert_eq!(server.polls(), NOTHING);
            is_handed_over(&server, "bytes of echo");
        });
    }
}

#[test]
fn a_101_needs_the_protocol_and_nothing_else() {
    // (section, fields of the response, content)
    for (section, fields, content, fits) in [
        ("RFC 9110 §7.8", &[("Upgrade", "echo")][..], Content::Empty, Ok(())),
        ("RFC 9110 §7.8", &[("Upgrade", "echo"), ("Connection", "Upgrade")], Content::Empty, Ok(())),
        ("RFC 9110 §15.2.2", &[], Content::Empty, Err(Misuse::Status)),
        ("RFC 9110 §15.2.2", &[("Upgrade", "")], Content::Empty, Err(Misuse::Status)),
        ("RFC 9112 §6.3", &[("Upgrade", "echo")], Content::Full("x".into()), Err(Misuse::TooMuchContent)),
        ("RFC 9112 §6.3", &[("Upgrade", "echo")], Content::Streaming, Err(Misuse::TooMuchContent)),
        ("RFC 9110 §8.6", &[("Upgrade", "echo"), ("Content-Length", "0")], Content::Empty, Err(Misuse::Framing)),
        (
            "RFC 9112 §6.1",
            &[("Upgrade", "echo"), ("Transfer-Encoding", "chunked")],
            Content::Empty,
            Err(Misuse::Framing),
        ),
    ] {
        let mut server = server();
        server.hears(get(OFFER));
        assert_eq!(server.responds(101, fields, content), fits, "{section}: {fields:?}");
        let sent = server.sends();
        assert_eq!(sent.to_ascii_lowercase().matches("connection: upgrade").count(), usize::from(fits.is_ok()));
        assert!(!sent.contains("close"), "{sent}");
    }
    // It is a final response, not an interim one.
    let mut server = server();
    server.hears(get(OFFER));
    let interim = server.machine.send_interim(&response(101, &[("Upgrade", "echo")]), server.now);
    assert_eq!(interim, Err(Misuse::Status));
}

#[test]
fn a_server_may_ignore_an_offer() {
    // RFC 9110 §7.8: the connection goes on as it was.
    let mut server = server();
    server.hears(get(OFFER) + NEXT);
    assert!(!server.answers(200, "plain").contains("Upgrade"));
    assert_eq!(server.polls(), ["GET /next", "end"]);
    // 426 is a final response like others, with Upgrade as the application says (RFC 9110 §15.5.22).
    let mut server = self::server();
    server.hears(get(""));
    server.responds(426, &[("Upgrade", "echo"), ("Connection", "upgrade")], Content::Empty).unwrap();
    assert_eq!(
        server.sends(),
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: echo\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(server.hears(NEXT), ["GET /next", "end"]);
}

#[test]
fn bytes_that_came_along_are_of_the_new_protocol() {
    for early in [false, true] {
        let mut server = server();
        server.input.extend_from_slice(get(OFFER).as_bytes());
        if early {
            server.input.extend_from_slice(NEXT.as_bytes());
        }
        assert_eq!(server.polls(), ["GET /up", "end"], "what follows is no request while this one is open");
        if !early {
            assert_eq!(server.hears(NEXT), NOTHING);
        }
        server.responds(101, &[("Upgrade", "echo")], Content::Empty).unwrap();
        assert_eq!(server.polls(), ["switched"]);
        assert_eq!(server.sends(), SWITCHING);
        is_handed_over(&server, NEXT);
        assert_eq!(server.machine.phase(), Phase::Idle);
    }
}

#[test]
fn content_comes_before_the_new_protocol() {
    // RFC 9110 §7.8: the request is read to its end first.
    let request = "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n".to_owned() + OFFER + "\r\n";
    whole_and_dripping(|drips| {
        let mut server = server();
        server.drips = drips;
        assert_eq!(server.hears(&request), ["POST /up"]);
        server.wants();
        assert_eq!(server.hears("abc"), ["content abc", "end"]);
        server.responds(101, &[("Upgrade", "echo")], Content::Empty).unwrap();
        assert_eq!(server.sends(), SWITCHING);
        assert_eq!(server.hears("echo"), ["switched"]);
        is_handed_over(&server, "echo");
        // An application that answers at once does not make content bytes of the new protocol.
        let mut server = self::server();
        server.drips = drips;
        server.hears(&request);
        server.responds(101, &[("Upgrade", "echo")], Content::Empty).unwrap();
        assert_eq!(server.sends(), SWITCHING);
        assert_eq!(server.hears("ab"), NOTHING);
        assert_eq!(server.hears("cecho"), ["switched"]);
        is_handed_over(&server, "echo");
    });
}

#[test]
fn a_100_precedes_a_101() {
    // RFC 9110 §7.8: with both Upgrade and 100-continue asked for, whether the application asks for content or not.
    let request = "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n".to_owned() + OFFER;
    for asks in [true, false] {
        let mut server = server();
        assert_eq!(server.hears(format!("{request}\r\n")), ["POST /up"]);
        if asks {
            server.wants();
        }
        server.responds(101, &[("Upgrade", "echo")], Content::Empty).unwrap();
        assert_eq!(server.sends(), format!("HTTP/1.1 100 Continue\r\n\r\n{SWITCHING}"), "asks: {asks}");
        let told = server.hears("abcecho");
        assert_eq!(told.last().map(String::as_str), Some("switched"));
        is_handed_over(&server, "echo");
    }
    // A 101 that is refused sends no 100 either.
    let mut server = server();
    server.hears(format!("{request}\r\n"));
    assert_eq!(server.responds(101, &[], Content::Empty), Err(Misuse::Status));
    assert_eq!(server.sends(), "");
    server.wants();
    assert_eq!(server.sends(), "HTTP/1.1 100 Continue\r\n\r\n");
}

#[test]
fn a_client_offers() {
    let mut client = client();
    client.requests("GET", "/", &[("Upgrade", "echo")], Content::Empty).unwrap();
    let sent = client.sends();
    assert!(sent.contains("Upgrade: echo\r\nConnection: upgrade\r\n"), "RFC 9110 §7.8: named as an option: {sent}");
    assert_eq!(client.requests("GET", "/", &[], Content::Empty), Err(Misuse::NotYourTurn));
    whole_and_dripping(|drips| {
        let mut client = client.clone();
        client.drips = drips;
        assert_eq!(client.hears(format!("HTTP/1.1 103 \r\n\r\n{SWITCHING}echo")), ["interim 103", "101", "switched"]);
        assert_eq!(client.input, "echo");
        assert_eq!(client.polls(), NOTHING);
        assert_eq!(client.deadline(), None);
        assert_eq!(client.machine.readiness(), Readiness::Closing);
        assert_eq!(client.machine.unanswered().count(), 0);
    });
    // Refused: an ordinary response, and the connection goes on.
    assert_eq!(client.hears("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), ["200", "content x", "end"]);
    assert_eq!(client.machine.readiness(), Readiness::Idle);
}

#[test]
fn a_client_takes_101_only_if_it_has_offered() {
    // RFC 9110 §15.2.2
    whole_and_dripping(|drips| {
        let mut client = client();
        client.drips = drips;
        client.gets("/");
        let told = client.hears(format!("{SWITCHING}HTTP/1.1 200 OK\r\n\r\n"));
        assert_eq!(told, ["refused UnexpectedSwitch", "closed Failed(UnexpectedSwitch)"]);
    });
}

#[test]
fn c37_a_switch_names_what_it_switches_to() {
    // RFC 9110 §7.8, §15.2.2
    whole_and_dripping(|drips| {
        for fields in ["", "Connection: upgrade\r\n", "Upgrade:\r\n", "Upgrade: ,\r\nConnection: upgrade\r\n"] {
            let mut client = client();
            client.drips = drips;
            client.requests("GET", "/", &[("Upgrade", "echo")], Content::Empty).unwrap();
            client.sends();
            let told = client.hears(format!("HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n"));
            assert_eq!(told, ["refused UnnamedSwitch", "closed Failed(UnnamedSwitch)"], "{fields}");
        }
    });
    // What is switched to by CONNECT has its name in nothing.
    let mut client = client();
    client.requests("CONNECT", "example.com:443", &[], Content::Empty).unwrap();
    client.sends();
    assert_eq!(client.hears("HTTP/1.1 200 OK\r\n\r\n"), ["200", "switched"]);
}

#[test]
fn a_client_finishes_its_request_before_it_speaks_another_protocol() {
    // RFC 9110 §7.8
    let mut client = client();
    client.requests("POST", "/", &[("Upgrade", "echo")], Content::Sized(3)).unwrap();
    client.machine.send_content(Bytes::from_static(b"ab"), client.now).unwrap();
    client.sends();
    assert_eq!(client.hears(format!("{SWITCHING}echo")), ["101"]);
    client.machine.send_content(Bytes::from_static(b"c"), client.now).unwrap();
    client.machine.send_end(&Fields::new(), client.now).unwrap();
    assert_eq!(client.polls(), ["switched"]);
    assert_eq!(client.sends(), "c");
    assert_eq!(client.input, "echo");
    // Content that waited for 100 goes out too when 101 comes instead.
    let mut client = self::client();
    let fields = [("Upgrade", "echo"), ("Expect", "100-continue")];
    client.requests("POST", "/", &fields, Content::Full("abc".into())).unwrap();
    client.sends();
    assert_eq!(client.hears(format!("{SWITCHING}echo")), ["101", "switched"]);
    assert_eq!(client.sends(), "abc");
}

#[test]
fn a_server_opens_a_tunnel() {
    let connect = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n";
    for (fields, content) in [("", ""), ("Content-Length: 3\r\n", "abc")] {
        let mut server = server();
        let told = server.hears(format!("{connect}{fields}\r\n{content}\x16\x03"));
        assert_eq!(told[0], "CONNECT a:443");
        server.responds(200, &[], Content::Empty).unwrap();
        // RFC 9110 §9.3.6: neither framing field, nor a close.
        assert_eq!(server.sends(), "HTTP/1.1 200 OK\r\n\r\n");
        assert_eq!(server.polls().last().map(String::as_str), Some("switched"));
        is_handed_over(&server, "\x16\x03");
    }
    // Such fields are refused before anything is sent, and so is content.
    for (fields, content, why) in [
        (&[("Content-Length", "0")][..], Content::Empty, Misuse::Framing),
        (&[("Transfer-Encoding", "chunked")], Content::Empty, Misuse::Framing),
        (&[], Content::Full("x".into()), Misuse::TooMuchContent),
        (&[], Content::Streaming, Misuse::TooMuchContent),
    ] {
        let mut server = server();
        server.hears(format!("{connect}\r\n"));
        assert_eq!(server.responds(200, fields, content), Err(why));
        assert_eq!(server.sends(), "");
        // A refusal is a response like others, and the last one.
        assert!(server.answers(407, "who?").ends_with("Content-Length: 4\r\nConnection: close\r\n\r\nwho?"));
        assert_eq!(server.hears(NEXT), NOTHING);
    }
}

#[test]
fn s9_a_refused_tunnel_ends_the_connection() {
    // RFC 9931 §8: what stands behind the request may be of somebody who wanted to speak through the tunnel.
    let (length, chunks) = ("Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n");
    for (fields, content) in
        [("", ""), ("Connection: keep-alive\r\n", ""), (length, "abc"), (chunks, "3\r\nabc\r\n0\r\n\r\n")]
    {
        for (version, status, early) in
            [("1.1", 407, true), ("1.1", 407, false), ("1.1", 501, true), ("1.1", 302, true), ("1.0", 407, true)]
        {
            if version == "1.0" && fields == chunks {
                continue;
            }
            whole_and_dripping(|drips| {
                let mut server = server();
                server.drips = drips;
                let request = format!("CONNECT a:443 HTTP/{version}\r\nHost: a:443\r\n{fields}\r\n{content}");
                let behind = if early { NEXT } else { "" };
                let told = server.hears(request + behind);
                assert_eq!(told[0], "CONNECT a:443");
                if version == "1.1" {
                    // An interim answer decides nothing.
                    server.machine.send_interim(&response(103, &[]), server.now).unwrap();
                }
                server.responds(status, &[], Content::Full("no".into())).unwrap();
                let answer = server.sends();
                assert_eq!(answer.matches("\r\nConnection: close\r\n").count(), 1, "{version} {fields:?}: {answer}");
                assert_eq!(server.polls(), NOTHING, "{version} {fields:?}");
                assert_eq!(server.hears(NEXT), NOTHING, "{version} {fields:?}");
                assert_eq!(server.sends(), "");
                assert!(server.is_over(), "{version} {fields:?}");
            });
        }
    }
    // What the machine refuses by itself ends the connection as well.
    for (request, status) in [
        ("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("CONNECT a:0x1 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("CONNECT a:443 HTTP/1.1\r\n\r\n", "400"),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nExpect: x\r\n\r\n", "417"),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501"),
        ("CONNECT a:443 HTTP/2.0\r\nHost: a:443\r\n\r\n", "505"),
    ] {
        let mut server = server();
        assert!(!server.hears(request.to_owned() + NEXT).contains(&"GET /next".into()), "{request}");
        let answer = server.sends();
        assert_eq!(answer.get(9..12), Some(status), "{request}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    }
    // An upgrade that is not taken up changes nothing (RFC 9110 §7.8).
    let mut server = server();
    server.hears(get(OFFER) + NEXT);
    assert!(!server.answers(403, "no").contains("close"));
    assert_eq!(server.polls(), ["GET /next", "end"]);
}

#[test]
fn a_100_precedes_a_tunnel() {
    // Without it what comes next could be the content of the request or the first bytes of the tunnel.
    let request = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    let mut server = server();
    assert_eq!(server.hears(request), ["CONNECT a:443"]);
    server.responds(200, &[], Content::Empty).unwrap();
    assert_eq!(server.sends(), "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(server.hears("abc\x16\x03"), ["switched"]);
    is_handed_over(&server, "\x16\x03");
    // A client that did not wait is not told to go on.
    let mut server = self::server();
    server.hears(request.to_owned() + "abc\x16\x03");
    server.responds(200, &[], Content::Empty).unwrap();
    assert_eq!(server.sends(), "HTTP/1.1 200 OK\r\n\r\n");
}

fn pipelining_client() -> Client {
    let mut config = strict();
    config.persistence.pipelining = 10;
    Client::client(config)
}

#[test]
fn a_client_opens_a_tunnel() {
    let connected = || {
        let mut client = client();
        client.requests("CONNECT", "example.com:443", &[], Content::Empty).unwrap();
        assert_eq!(client.sends(), "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n");
        client
    };
    // RFC 9110 §9.3.6, RFC 9112 §6.3: framing fields are ignored in a 2xx.
    for fields in ["", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: x\r\n"] {
        whole_and_dripping(|drips| {
            let mut client = connected();
            client.drips = drips;
            let told = client.hears(format!("HTTP/1.1 200 Fine\r\n{fields}\r\n\x16\x03"));
            assert_eq!(told, ["200", "switched"], "{fields:?}");
            assert_eq!(client.input, "\x16\x03");
            assert_eq!(client.deadline(), None);
        });
    }
    // Nothing leaves behind the request before its answer (RFC 9931 §8): neither another request nor bytes.
    let mut client = pipelining_client();
    client.requests("CONNECT", "example.com:443", &[], Content::Empty).unwrap();
    assert_eq!(client.requests("GET", "/", &[], Content::Empty), Err(Misuse::NotYourTurn));
    assert_eq!(client.machine.send_content("x".into(), client.now), Err(Misuse::NotYourTurn));
    // Anything but 2xx is an ordinary response, and its content is read (RFC 9112 §6.3). Since nothing was sent that it
    // could be taken for, the connection lasts as long as the server says; some ways to authenticate need that.
    let mut client = connected();
    let told = client.hears("HTTP/1.1 407 \r\nContent-Length: 4\r\nConnection: close\r\n\r\nwho?");
    assert_eq!(told, ["407", "content who?", "end", "closed NotPersistent"]);
    let mut client = connected();
    let told = client.hears("HTTP/1.1 407 \r\nContent-Length: 4\r\n\r\nwho?");
    assert_eq!(told, ["407", "content who?", "end"]);
    assert_eq!(client.machine.readiness(), Readiness::Idle);
    let mut client = connected();
    assert_eq!(client.hears("HTTP/1.1 100 \r\n\r\nHTTP/1.1 299 \r\n\r\n"), ["interim 100", "299", "switched"]);
}

#[test]
fn a_tunnel_needs_a_host_and_a_port() {
    // RFC 9110 §9.3.6
    for target in ["a", "a:", ":443", "/", "http://a:443", "a:443/", "a:x", "a:65536", "*"] {
        let mut server = server();
        let told = server.hears(format!("CONNECT {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(told, ["refused TargetForm"], "{target}");
        assert!(server.sends().starts_with("HTTP/1.1 400 "));
        let head = http_core::RequestHead::new(http_core::Method::Connect, target);
        assert_eq!(head.err(), Some(Misuse::Target), "{target}");
    }
}
