//! hyper's `tests/client.rs`, `tests/integration.rs`.

use bytes::Bytes;
use http_core::client::Readiness;
use http_core::{Content, End, Fields, Method, Misuse, RequestHead, Version};
use tests::scene::{fetch, request, serve};

use crate::{OK, client, server, strict};

/// What is sent of a request with this content, without its request-line and Host.
fn sent(method: &str, fields: &[(&str, &str)], content: Content, pieces: &[&'static str]) -> Result<String, Misuse> {
    let mut client = client();
    let streamed = matches!(content, Content::Sized(_) | Content::Streaming);
    client.requests(method, "/", fields, content)?;
    for piece in pieces {
        client.machine.send_content(Bytes::from_static(piece.as_bytes()), client.now)?;
    }
    if streamed {
        client.machine.send_end(&Fields::new(), client.now)?;
    }
    Ok(client.sends().split_once("Host: example.com\r\n").unwrap().1.to_owned())
}

#[test]
fn request_bodies() {
    let hello = || Content::Full("hello".into());
    let chunks = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (name, method, fields, content, pieces, wire) in [
        ("client_get_req_body_implicitly_empty", "GET", &[][..], Content::Empty, &[][..], "\r\n"),
        (
            "client_get_req_body_chunked",
            "GET",
            &[("Transfer-Encoding", "chunked")],
            Content::Streaming,
            &["hello"],
            chunks,
        ),
        (
            "client_get_req_body_sized",
            "GET",
            &[("Content-Length", "5")],
            hello(),
            &[],
            "Content-Length: 5\r\n\r\nhello",
        ),
        // hyper sends no content of unknown length with GET; what an application hands to ours is sent.
        ("client_get_req_body_unknown", "GET", &[], Content::Streaming, &["hello"], chunks),
        ("client_post_sized", "POST", &[], hello(), &[], "Content-Length: 5\r\n\r\nhello"),
        ("client_post_chunked", "POST", &[("Transfer-Encoding", "chunked")], Content::Streaming, &["hello"], chunks),
        ("client_post_unknown", "POST", &[], Content::Streaming, &["hello"], chunks),
        ("client_post_empty", "POST", &[], Content::Empty, &[], "Content-Length: 0\r\n\r\n"),
        ("post_outgoing_length", "POST", &[], Content::Sized(5), &["he", "llo"], "Content-Length: 5\r\n\r\nhello"),
        (
            "client_transfer_encoding_repair",
            "POST",
            &[("Transfer-Encoding", "foo, chunked")],
            Content::Streaming,
            &["hello"],
            "Transfer-Encoding: foo, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
    ] {
        assert_eq!(sent(method, fields, content, pieces).as_deref(), Ok(wire), "{name}");
    }
    let unfit = sent("POST", &[("Transfer-Encoding", "foo")], Content::Streaming, &[]);
    assert_eq!(unfit, Err(Misuse::Framing), "a coding without chunked is the application's to repair");
}

#[test]
fn requests_of_http_1_0() {
    // _req_body_chunked_http10: with a length, and refused without
    let old = request("POST", "/", &[]).with_version(Version::Http10);
    let mut client = client();
    assert!(client.machine.send_request(&old, Content::Streaming, client.now).is_err());
    client.machine.send_request(&old, Content::Full("hello".into()), client.now).unwrap();
    let wire = client.sends();
    assert_eq!(wire, "POST / HTTP/1.0\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello");
}

#[test]
fn request_trailers() {
    // client_get_req_body_chunked_with_trailer, _multiple_trailers
    let mut trailers = Fields::new();
    trailers.push("X-Sum", "1").unwrap();
    trailers.push("x-sum", "2").unwrap();
    let mut client = client();
    client.requests("POST", "/", &[("Trailer", "x-sum")], Content::Streaming).unwrap();
    client.machine.send_content(Bytes::from_static(b"hello"), client.now).unwrap();
    client.machine.send_end(&trailers, client.now).unwrap();
    let wire = client.sends();
    assert!(wire.ends_with("5\r\nhello\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n"), "{wire}");
    assert_eq!(serve(&strict(), wire)[2], "end X-Sum: 1 x-sum: 2");
}

#[test]
fn targets_and_host() {
    let head = RequestHead::new(Method::Get, "/?a=b").unwrap().with("Host", "a").unwrap();
    assert_eq!(head.as_wire(), b"GET /?a=b HTTP/1.1\r\nHost: a\r\n", "client_get_query");
    assert!(RequestHead::new(Method::Get, "/?a#b").is_err(), "a fragment is the caller's to drop");
    // client_set_host_false: an HTTP/1.1 request without Host is not sent
    let mut client = client();
    let bare = RequestHead::new(Method::Get, "/").unwrap();
    assert_eq!(client.machine.send_request(&bare, Content::Empty, client.now).err(), Some(Misuse::Host));
    // client_set_http1_title_case_headers: names go out as they were pushed
    client.requests("GET", "/", &[("X-Title-CASE", "y")], Content::Empty).unwrap();
    assert!(client.sends().contains("\r\nX-Title-CASE: y\r\n"));
    // uri_absolute_form, client_connect_method
    let mut client = self::client();
    let absolute = RequestHead::new(Method::Get, "http://h:1/a").unwrap();
    client.machine.send_request(&absolute, Content::Empty, client.now).unwrap();
    assert_eq!(client.sends(), "GET http://h:1/a HTTP/1.1\r\nHost: h:1\r\n\r\n");
}

#[test]
fn responses() {
    for (name, method, bytes, told) in [
        ("client_get", "GET", OK.to_owned(), &["200", "content ok", "end", "closed ByPeer"][..]),
        (
            "client_head_ignores_body",
            "HEAD",
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n".into(),
            &["200", "end", "closed ByPeer"],
        ),
        (
            "client_response_transfer_encoding_not_chunked",
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: yolo\r\n\r\nhallo".into(),
            &["200", "content hallo", "end", "closed NotPersistent"],
        ),
        (
            "client_pipeline_responses_extra",
            "GET",
            format!("{OK}{OK}"),
            &["200", "content ok", "end", "refused SurplusBytes", "closed Failed(SurplusBytes)"],
        ),
        (
            "client_error_unexpected_eof",
            "GET",
            "HTTP/1.1 200 OK\r\n".into(),
            &["refused Truncated", "closed Failed(Truncated)"],
        ),
        (
            "client_error_parse_version",
            "GET",
            "HEAT/1.1 200 OK\r\n\r\n".into(),
            &["refused VersionSyntax", "closed Failed(VersionSyntax)"],
        ),
        (
            "client_error_parse_status_syntactically_invalid",
            "GET",
            "HTTP/1.1 1 OK\r\n\r\n".into(),
            &["refused StatusLine", "closed Failed(StatusLine)"],
        ),
        // RFC 9110 §15 has a code that is out of range be taken for 5xx.
        (
            "client_error_parse_status_out_of_range",
            "GET",
            "HTTP/1.1 001 OK\r\nContent-Length: 0\r\n\r\n".into(),
            &["1", "end", "closed ByPeer"],
        ),
        (
            "client_100_continue",
            "GET",
            format!("HTTP/1.1 100 Continue\r\n\r\n{OK}"),
            &["interim 100", "200", "content ok", "end", "closed ByPeer"],
        ),
        (
            "client_always_rejects_http09",
            "GET",
            "Mmmmh, baguettes.".into(),
            &["refused VersionSyntax", "closed Failed(VersionSyntax)"],
        ),
        (
            "client_100_then_http09",
            "GET",
            "HTTP/1.1 100 Continue\r\n\r\nThis is a response.".into(),
            &["interim 100", "refused VersionSyntax", "closed Failed(VersionSyntax)"],
        ),
        (
            "client_handles_contentlength_values_on_same_line",
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 3,3\r\nContent-Length: 3,3\r\n\r\nabc".into(),
            &["200", "content abc", "end", "closed ByPeer"],
        ),
        (
            "client_res_body_chunked_with_trailer",
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nchunky-trailer: x\r\n\r\n".into(),
            &["200", "content hello", "end chunky-trailer: x", "closed ByPeer"],
        ),
        (
            "dropped_conn_sends_incomplete_body_error",
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello".into(),
            &["200", "content hello", "refused Truncated", "closed Failed(Truncated)"],
        ),
    ] {
        assert_eq!(fetch(&strict(), method, bytes, Some(End::Clean)), told, "{name}");
    }
    let many: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    let told = fetch(&strict(), "GET", format!("HTTP/1.1 200 OK\r\n{many}\r\n"), None);
    assert_eq!(told[0], "refused TooManyFields", "client_error_parse_too_large");
    let mut client = client();
    client.gets("/");
    client.hears("HTTP/1.1 200 OK\r\nX-Custom: foo\r\n bar\r\n\tbaz\r\n\r\n");
    assert_eq!(client.field("X-Custom").as_deref(), Some("foo bar baz"), "client_obs_fold_headers");
}

#[test]
fn connections() {
    // conn::pipeline: a second request is handed back while the first is open
    let mut client = client();
    client.gets("/");
    assert_eq!(client.requests("GET", "/", &[], Content::Empty), Err(Misuse::NotYourTurn));
    // test_try_send_request: as is one on a connection that is over, and nothing of it was sent
    client.ends(End::Clean);
    assert_eq!(client.requests("GET", "/", &[], Content::Empty), Err(Misuse::Closed));
    assert_eq!(client.sends(), "");
    // aborted_body_isnt_completed
    let mut client = self::client();
    client.requests("POST", "/", &[], Content::Streaming).unwrap();
    client.machine.send_content(Bytes::from_static(b"hello"), client.now).unwrap();
    let wire = client.sends();
    client.machine.abandon(client.now);
    assert_eq!(client.sends(), "");
    let mut server = server();
    server.hears(wire);
    server.wants();
    assert_eq!(server.ends(End::Clean)[0], "refused Truncated");
    // client_on_informational_ext
    let mut client = self::client();
    client.gets("/");
    client.hears("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    assert_eq!(client.field("Link").as_deref(), Some("</a>"));
    // http1_half_closed_peer_with_open_request_body_does_not_spin
    let mut client = self::client();
    client.requests("POST", "/", &[], Content::Streaming).unwrap();
    client.sends();
    assert_eq!(client.ends(End::Clean), ["closed Unanswered"]);
}

#[test]
fn pairs() {
    // get_1, get_2, get_body_2_keeps_alive, get_body_chunked, post_chunked: one connection after the other
    let (mut client, mut server) = (client(), server());
    for content in [Content::Empty, Content::Full("hello".into()), Content::Streaming] {
        let streamed = content == Content::Streaming;
        client.requests("POST", "/", &[], content.clone()).unwrap();
        if streamed {
            client.machine.send_end(&Fields::new(), client.now).unwrap();
        }
        server.hears(client.sends());
        server.wants();
        server.responds(200, &[], content).unwrap();
        if streamed {
            server.machine.send_end(&Fields::new(), server.now).unwrap();
        }
        let told = client.hears(server.sends());
        assert_eq!((&*told[0], &**told.last().unwrap()), ("200", "end"));
        assert_eq!(client.machine.readiness(), Readiness::Idle);
    }
    // date_isnt_overwritten
    server.machine.handle_date(*b"Sun, 06 Nov 1994 08:49:37 GMT");
    server.hears(client.gets("/"));
    server.responds(200, &[("Date", "let's pretend")], Content::Empty).unwrap();
    client.hears(server.sends());
    assert_eq!(client.field("Date").as_deref(), Some("let's pretend"));
}
