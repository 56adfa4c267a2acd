//! The rows of libevent's `http/` suite.

use bytes::Bytes;
use http_core::{Closed, Config, Content, Deadline, End, Fields, Misuse, Reason};
use std::time::Duration;
use tests::scene::{fetch, serve, whole_and_dripping};

use crate::{GET, NEXT, NOTHING, client, refused, server, strict};

#[test]
fn bad_headers() {
    let mut fields = Fields::new();
    assert_eq!(fields.push("One", "Two"), Ok(()));
    for (name, value, why) in [
        ("", "Two", Misuse::FieldName),
        ("One\r", "Two", Misuse::FieldName),
        ("One\n", "Two", Misuse::FieldName),
        ("One\r\n", "Two", Misuse::FieldName),
        ("One", "Two\r", Misuse::FieldValue),
        ("One", "Two\n", Misuse::FieldValue),
        ("One", "Two\r\nThree: Four", Misuse::FieldValue),
        ("One", "Two\nThree: Four", Misuse::FieldValue),
        // evhttp takes a value that is folded, RFC 9112 §5.2 has no sender write one.
        ("One", "Two\r\n Three", Misuse::FieldValue),
        ("One", "Two\r\n\tThree", Misuse::FieldValue),
    ] {
        assert_eq!(fields.push(name, value), Err(why), "{name:?}: {value:?}");
    }
    assert_eq!(fields.as_wire(), b"One: Two\r\n", "what was refused leaves nothing behind");
}

#[test]
fn basic() {
    let mut server = server();
    assert_eq!(server.hears("GET /test HTTP/1.1\r\nHost: some"), NOTHING);
    assert_eq!(server.hears("host\r\nConnection: close\r\n\r\n"), ["GET /test", "end"]);
    let answer = server.answers(200, "This is funny");
    assert!(answer.ends_with("Content-Length: 13\r\nConnection: close\r\n\r\nThis is funny"), "{answer}");
    let told = serve(&strict(), "GET http://somehost.net/test HTTP/1.1\r\nHost: somehost\r\n\r\n");
    assert_eq!(told, ["GET http://somehost.net/test", "end", "answers 200"]);
}

#[test]
fn basic_trailing_space() {
    let bytes = "GET /test HTTP/1.1 \r\nHost: somehost\r\n\r\n";
    assert_eq!(serve(&Config::evhttp(), bytes), ["GET /test", "end", "answers 200"]);
    assert_eq!(serve(&strict(), bytes), refused("StartLine", 400));
}

#[test]
fn simple() {
    let mut client = client();
    assert_eq!(client.gets("/test"), "GET /test HTTP/1.1\r\nHost: example.com\r\n\r\n");
    assert_eq!(client.hears("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), ["200", "content hello", "end"]);
}

#[test]
fn simple_nonconformant() {
    // evhttp takes the last space for the one before the version. No preset does: two readers find two targets.
    let bytes = "GET /test nonconformant HTTP/1.1\r\nHost: a\r\n\r\n";
    for config in [strict(), Config::evhttp(), Config::interop()] {
        assert_eq!(serve(&config, bytes), refused("VersionSyntax", 400));
    }
    // Other characters that RFC 3986 leaves out are taken by the preset.
    let bytes = "GET /test{}|\" HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(serve(&Config::evhttp(), bytes), ["GET /test{}|\"", "end", "answers 200"]);
    assert_eq!(serve(&strict(), bytes), refused("Target", 400));
}

#[test]
fn post() {
    let told = serve(&strict(), "POST /postit HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nOkay. Not r");
    assert_eq!(told, ["POST /postit", "content Okay. Not r", "end", "answers 200"]);
    let mut server = server();
    server.hears("POST /postit HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    server.wants();
    assert_eq!(server.sends(), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(server.hears("abc"), ["content abc", "end"]);
}

/// A method is recognised and delivered, and stray bytes behind a request that says close do not break the reply.
fn method(name: &str) {
    let told = serve(&strict(), format!("{name} /it HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nstray bytes"));
    assert_eq!(told, [format!("{name} /it"), "end".into(), "answers 200".into(), "closes".into()]);
}

macro_rules! methods {
    ($($test:ident $name:literal),*) => {
        $(#[test]
        fn $test() {
            method($name);
        })*
    };
}

methods!(
    put "PUT", delete "DELETE", propfind "PROPFIND", proppatch "PROPPATCH", mkcol "MKCOL", lock "LOCK",
    unlock "UNLOCK", copy "COPY", move_ "MOVE", custom "CUSTOM"
);

#[test]
fn allowed_methods() {
    // Which are allowed is the application's to say; a method that nobody knows is delivered like others.
    for (method, status) in [("GET", 200), ("PATCH", 405), ("CUSTOM", 200), ("UNKNOWN", 501)] {
        let mut server = server();
        server.hears(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(server.head.as_ref().unwrap().method().as_str(), method);
        assert!(server.answers(status, "").starts_with(&format!("HTTP/1.1 {status} ")));
        assert_eq!(server.hears(NEXT), ["GET /next", "end"], "and the connection goes on");
    }
}

#[test]
fn failure() {
    for config in [strict(), Config::evhttp()] {
        assert_eq!(serve(&config, "illegal request\r\n"), refused("StartLine", 400));
    }
}

#[test]
fn connection() {
    let mut server = server();
    let mut client = client();
    for (method, closes) in [("GET", false), ("CUSTOM", false), ("GET", true)] {
        let fields: &[_] = if closes { &[("Connection", "close")] } else { &[] };
        client.requests(method, "/", fields, Content::Empty).unwrap();
        assert_eq!(server.hears(client.sends()), [format!("{method} /"), "end".into()]);
        let mut date = [b' '; 29];
        date.copy_from_slice(b"Sun, 06 Nov 1994 08:49:37 GMT");
        server.machine.handle_date(date);
        let answer = server.answers(200, "");
        assert!(answer.contains("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n"), "{answer}");
        let told = client.hears(answer);
        assert_eq!(told[..2], ["200", "end"]);
        assert_eq!(told.len() == 3 && server.is_over(), closes);
    }
}

#[test]
fn persist_connection() {
    let (mut server, mut client) = (server(), client());
    for _ in 0..4 {
        assert_eq!(server.hears(client.gets("/")), ["GET /", "end"]);
        assert_eq!(client.hears(server.answers(200, "ok")), ["200", "content ok", "end"]);
    }
}

#[test]
fn close_detection() {
    // The server closes an idle connection; the client sees it while it is idle, and never sends on it.
    let (mut server, mut client) = (server(), client());
    server.hears(client.gets("/"));
    client.hears(server.answers(200, ""));
    server.polls();
    assert_eq!(server.waits(Duration::from_secs(75)), ["closed TimedOut(Idle)"]);
    assert!(client.machine.interest().lend > 0, "an idle connection is watched");
    assert_eq!(client.ends(End::Clean), ["closed ByPeer"]);
    assert_eq!(client.requests("GET", "/", &[], Content::Empty), Err(Misuse::Closed));
}

#[test]
fn close_detection_delay() {
    // The client gives up while the handler is at work: the server learns of it, and answers nobody.
    let (mut server, mut client) = (server(), client());
    server.hears(client.gets("/"));
    client.machine.abandon(client.now);
    assert_eq!(client.polls(), ["closed Abandoned"]);
    assert!(server.machine.interest().lend > 0, "so that it is seen");
    assert_eq!(server.ends(End::Unclean), ["closed Broken"]);
    assert_eq!(server.responds(200, &[], Content::Empty), Err(Misuse::Closed));
}

#[test]
fn bad_request() {
    let mut silent = server();
    assert_eq!(silent.ends(End::Clean), ["closed ByPeer"]);
    assert_eq!(silent.sends(), "");
    let mut old = server();
    old.hears("GET /test HTTP/1.0\r\nHost: somehost\r\nConnection: Keep-Alive\r\n\r\n");
    assert!(old.answers(200, "ok").ends_with("\r\n\r\nok"));
    assert_eq!(old.ends(End::Clean), ["closed ByPeer"]);
    assert_eq!(old.sends(), "", "no 400 behind the reply");
}

#[test]
fn incomplete() {
    let mut server = server();
    server.hears("GET /test HTTP/1.1\r\nHost: somehost\r\n");
    assert_eq!(server.ends(End::Clean), ["refused Truncated", "closed Failed(Truncated)"]);
    assert_eq!(server.sends(), "");
    assert!(server.machine.interest().close);
}

#[test]
fn incomplete_timeout() {
    // evhttp closes without a word; ours says 408 first (RFC 9110 §15.5.9).
    for (config, seconds) in [(strict(), 30), (Config::evhttp(), 50)] {
        let mut server = tests::scene::Server::server(config);
        server.hears("GET /test HTTP/1.1\r\nHost: somehost\r\n");
        assert_eq!(server.passes(Deadline::Head, Duration::from_secs(seconds)), ["refused HeadTimeout"]);
        assert!(server.sends().starts_with("HTTP/1.1 408 "));
        assert!(server.is_over());
    }
}

#[test]
fn terminate_chunked() {
    let mut server = server();
    server.hears(GET);
    server.responds(200, &[], Content::Streaming).unwrap();
    server.machine.send_content(Bytes::from_static(b"chunk"), server.now).unwrap();
    server.machine.handle_write_error(server.now);
    assert_eq!(server.polls(), ["closed Broken"]);
    assert_eq!(server.machine.send_content(Bytes::from_static(b"more"), server.now), Err(Misuse::Closed));
    assert_eq!(server.machine.send_end(&Fields::new(), server.now), Err(Misuse::Closed));
}

#[test]
fn terminate_chunked_oneshot() {
    // Nothing more is written, so that only reading can tell.
    let mut server = server();
    server.hears(GET);
    server.responds(200, &[], Content::Streaming).unwrap();
    server.sends();
    assert!(server.machine.interest().lend > 0);
    assert_eq!(server.ends(End::Unclean), ["closed Broken"]);
    // A client that has only shut down its side may still read; the handler can see that it has.
    let mut half = self::server();
    half.hears(GET);
    half.responds(200, &[], Content::Streaming).unwrap();
    assert_eq!(half.ends(End::Clean), NOTHING);
    assert_eq!(half.machine.peer_ended(), Some(End::Clean));
}

#[test]
fn on_complete() {
    let mut server = server();
    server.hears(GET);
    server.responds(200, &[], Content::Full("hello".into())).unwrap();
    assert!(server.machine.interest().write);
    let waiting = server.sends().len();
    assert!(waiting > 5 && !server.machine.interest().write, "nothing waits when all was sent");
}

#[test]
fn multi_line_header() {
    let bytes = "GET /test HTTP/1.1\r\nHost: somehost\r\nConnection: close\r\nX-Multi:  aaaaaaaa\r\n a\r\n\tEND\r\nX-Last: last\r\n\r\n";
    assert_eq!(serve(&strict(), bytes), refused("ObsFold", 400));
    whole_and_dripping(|drips| {
        let mut server = tests::scene::Server::server(Config::evhttp());
        server.drips = drips;
        server.hears(bytes);
        assert_eq!(server.field("X-Multi").as_deref(), Some("aaaaaaaa a END"));
        assert_eq!(server.field("X-Last").as_deref(), Some("last"));
    });
}

#[test]
fn negative_content_length() {
    for config in [strict(), Config::evhttp()] {
        let told = fetch(&config, "GET", "HTTP/1.1 200 OK\r\nContent-Length: -100\r\n\r\n", None);
        assert_eq!(told, ["refused ContentLength", "closed Failed(ContentLength)"]);
    }
}

#[test]
fn send_chunk() {
    let mut server = server();
    assert_eq!(
        server.hears("POST /chunkit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ["POST /chunkit"]
    );
    server.wants();
    assert_eq!(server.hears("a\r\n0123456789\r\na\r\n0123456789\r\n"), ["content 01234567890123456789"]);
    assert_eq!(server.hears("0\r\n\r\n"), ["end"]);
}

#[test]
fn send_chunk_malformed() {
    for config in [strict(), Config::evhttp()] {
        let told =
            serve(&config, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0xa\r\n0123456789\r\n");
        assert_eq!(told[1..], refused("ChunkSize", 400));
    }
}

#[test]
fn chunk_out() {
    let mut server = server();
    server.hears("GET /chunked HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    server.responds(200, &[], Content::Streaming).unwrap();
    for piece in ["This is funny", "but not hilarious.", "", "bwv 1052"] {
        server.machine.send_content(Bytes::from_static(piece.as_bytes()), server.now).unwrap();
    }
    server.machine.send_end(&Fields::new(), server.now).unwrap();
    let wire = server.sends();
    assert_eq!(
        wire,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
         d\r\nThis is funny\r\n12\r\nbut not hilarious.\r\n8\r\nbwv 1052\r\n0\r\n\r\n"
    );
    let told = fetch(&strict(), "GET", wire, None);
    assert_eq!(told, ["200", "content This is funnybut not hilarious.bwv 1052", "end", "closed NotPersistent"]);
}

#[test]
fn stream_out() {
    let mut server = server();
    server.hears(GET);
    server.responds(200, &[("Content-Length", "39")], Content::Streaming).unwrap();
    for piece in ["This is funny", "but not hilarious.", "bwv 1052"] {
        server.machine.send_content(Bytes::from_static(piece.as_bytes()), server.now).unwrap();
    }
    server.machine.send_end(&Fields::new(), server.now).unwrap();
    let wire = server.sends();
    assert_eq!(wire, "HTTP/1.1 200 OK\r\nContent-Length: 39\r\n\r\nThis is funnybut not hilarious.bwv 1052");
}

#[test]
fn stream_in() {
    for head in ["Content-Length: 20\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n14\r\n"] {
        let mut client = client();
        client.gets("/");
        assert_eq!(client.hears(format!("HTTP/1.1 200 OK\r\n{head}")), ["200"]);
        assert_eq!(client.hears("0123456789"), ["content 0123456789"]);
        let end = if head.starts_with('T') { "\r\n0\r\n\r\n" } else { "" };
        assert_eq!(client.hears(format!("0123456789{end}")), ["content 0123456789", "end"]);
        assert!(client.input.is_empty());
    }
}

#[test]
fn stream_in_cancel() {
    let mut client = client();
    client.gets("/");
    client.hears("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123");
    client.machine.abandon(client.now);
    assert_eq!(client.hears("456789"), ["closed Abandoned"], "no end is told");
    assert_eq!(client.polls(), NOTHING);
}

#[test]
fn data_length_constraints() {
    let mut config = strict();
    config.limits.field_line = 8192;
    config.limits.content = Some(8192);
    let long = "x".repeat(8192);
    // evhttp answers 400 to the first two.
    let header = serve(&config, format!("GET / HTTP/1.1\r\nHost: a\r\nLongheader: {long}\r\n\r\n"));
    assert_eq!(header, refused("FieldLineTooLong", 431));
    assert_eq!(serve(&config, format!("GET /?arg={long} HTTP/1.1\r\nHost: a\r\n\r\n")), refused("TargetTooLong", 414));
    let post = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    assert_eq!(serve(&config, post("Content-Length: 8193\r\n")), refused("ContentTooLong", 413));
    let expecting = post("Content-Length: 8193\r\nExpect: 100-continue\r\n");
    assert_eq!(serve(&config, expecting), refused("ContentTooLong", 413));
    let within = serve(&config, post("Content-Length: 8192\r\nExpect: 100-continue\r\n") + &long);
    assert_eq!(within, ["POST /", "content of 8192", "end", "answers 200"]);
    let unknown = serve(&config, post("Content-Length: 1\r\nExpect: 101-continue\r\n") + "x");
    assert_eq!(unknown, ["answers 417", "closes"], "whether the content comes is the client's choice");
}

#[test]
fn read_on_write_error() {
    // A server that refuses and closes: what it said is read though nothing more can be written.
    for status in [413, 417] {
        let mut client = client();
        client.requests("PUT", "/", &[], Content::Sized(100)).unwrap();
        client.machine.send_content(Bytes::from(vec![b'x'; 50]), client.now).unwrap();
        client.machine.handle_sent(100, client.now);
        client.machine.handle_write_error(client.now);
        let told = client.hears(format!("HTTP/1.1 {status} \r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"));
        assert_eq!(told, [&status.to_string(), "content no", "end", "closed NotPersistent"]);
    }
}

#[test]
fn lingering_close() {
    let mut config = strict();
    config.limits.content = Some(10);
    let mut server = tests::scene::Server::server(config);
    server.hears("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    assert!(server.sends().starts_with("HTTP/1.1 413 "));
    assert_eq!(server.hears(vec![b'x'; 100_000]), NOTHING, "what is on its way is read, so that 413 is");
    assert!(!server.machine.interest().close);
    assert_eq!(server.ends(End::Clean), ["closed Failed(ContentTooLong)"]);
}

#[test]
fn write_during_read() {
    let mut server = server();
    server.hears(GET);
    server.responds(200, &[], Content::Full(Bytes::from(vec![b'x'; 13 << 20]))).unwrap();
    server.machine.handle_sent(1000, server.now);
    server.hears("\x00\x01junk\r\n\r\n");
    while server.machine.interest().write {
        server.machine.handle_sent(1 << 20, server.now);
        server.polls();
    }
    assert!(server.is_over());
    assert!(matches!(server.ends(End::Clean)[..], [ref word] if word.starts_with("closed Failed")));
}

#[test]
fn request_extra_body() {
    // evhttp only does not crash; the content of a HEAD request is read like any other.
    let large = "x".repeat(100_000);
    let told = serve(&strict(), format!("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n{large}{NEXT}"));
    assert_eq!(told, ["HEAD /", "content of 100000", "end", "answers 200", "GET /next", "end", "answers 200"]);
}

#[test]
fn timeout_read_client_and_server() {
    // No deadline passes early: not the one for idling while another runs, nor the one for heads.
    let (mut server, mut client) = (server(), client());
    server.hears(client.gets("/"));
    assert_eq!(server.deadline(), None, "the handler has its time");
    assert_eq!(client.waits(Duration::from_secs(29)), NOTHING);
    server.waits(Duration::from_secs(29));
    assert_eq!(client.hears(server.answers(200, "late")), ["200", "content late", "end"]);
    assert_eq!(client.waits(Duration::from_secs(74)), NOTHING);
    let told = client.waits(Duration::from_secs(1));
    assert_eq!(told, [format!("closed {:?}", Closed::TimedOut(Deadline::Idle))]);
    assert_eq!(Reason::HeadTimeout.status().as_u16(), 408);
}
