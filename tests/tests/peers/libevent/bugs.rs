//! The bugs of `evhttp` as studied, B1 to B29: each has a test here or beside, or is another crate's.

use bytes::Bytes;
use http_core::{Config, Content, End, Fields, Misuse};
use tests::scene::{Client, Server, serve};

use super::lacking;
use crate::{GET, NEXT, NOTHING, client, refused, server, strict};

/// A failure is told when the state is settled: whoever acts on it finds a connection that is over.
fn failures_are_told_last() {
    let mut client = client();
    client.gets("/");
    assert_eq!(client.hears("HTTP/9.1 200 OK\r\n"), ["refused Version", "closed Failed(Version)"]);
    assert!(client.machine.interest().close);
    assert_eq!(client.requests("GET", "/", &[], Content::Empty), Err(Misuse::Closed));
    client.machine.abandon(client.now);
    client.machine.close(client.now);
    assert_eq!(client.polls(), NOTHING, "told once");
}

/// A missing, repeated or malformed Host, and names that are no tokens.
fn names_and_hosts() {
    for (lines, reason, preset) in [
        ("Host : a", "SpaceBeforeColon", true),
        ("X(y): a\r\nHost: a", "FieldName", false),
        ("Accept: a", "MissingHost", true),
        ("Host: a\r\nHost: a", "DuplicateHost", false),
        ("Host: a\r\nHost: b", "DuplicateHost", false),
        ("Host: a b", "InvalidHost", false),
    ] {
        let bytes = format!("GET / HTTP/1.1\r\n{lines}\r\n\r\n");
        assert_eq!(serve(&strict(), &bytes), refused(reason, 400), "{lines:?}");
        assert_eq!(serve(&Config::evhttp(), &bytes).last().unwrap() == "answers 200", preset, "{lines:?}");
    }
}

/// An error is a response like others: its fields are kept, and so is the connection.
fn error_responses() {
    let mut server = server();
    server.hears(GET);
    server.responds(404, &[("X-Own", "y")], Content::Full("gone".into())).unwrap();
    assert_eq!(server.sends(), "HTTP/1.1 404 Not Found\r\nX-Own: y\r\nContent-Length: 4\r\n\r\ngone");
    assert_eq!(server.hears(NEXT), ["GET /next", "end"]);
    let mut old = self::server();
    old.hears("GET / HTTP/1.0\r\n\r\n");
    assert!(old.answers(404, "gone").contains("\r\nConnection: close\r\n"));
}

/// 414, 431 and 400, each for what it stands for.
fn statuses_of_limits() {
    let long = "x".repeat(70_000);
    assert_eq!(serve(&strict(), format!("GET /{long} HTTP/1.1\r\n")), refused("TargetTooLong", 414));
    assert_eq!(serve(&strict(), format!("GET / HTTP/1.1\r\nX: {long}\r\n")), refused("FieldLineTooLong", 431));
    let trailers = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nbroken\r\n\r\n";
    assert_eq!(serve(&strict(), trailers)[1..], refused("FieldName", 400));
}

/// Sizes are of 64 bits, coming in and going out.
fn sizes() {
    let mut server = server();
    server.hears("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    server.wants();
    assert_eq!(server.hears("100000003\r\nabc"), ["content abc"]);
    assert_eq!(server.hears("\r\n0\r\n\r\n"), ["content \r\n0\r\n\r\n"], "it is not a chunk of 3");
    let mut big = self::server();
    big.hears(GET);
    big.responds(200, &[], Content::Sized(5 << 32)).unwrap();
    assert_eq!(big.sends(), "HTTP/1.1 200 OK\r\nContent-Length: 21474836480\r\n\r\n");
    big.machine.send_content(Bytes::from_static(b"abc"), big.now).unwrap();
    assert_eq!(big.machine.send_end(&Fields::new(), big.now), Err(Misuse::TooLittleContent));
}

/// No bytes from the wire end the process.
fn nothing_from_the_wire_is_fatal() {
    let heads =
        ["", "GET ", "GET / HTTP/1.1\r\n", GET, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"];
    let responses = ["", "HTTP/1.1", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"];
    for config in [strict(), Config::evhttp(), Config::interop()] {
        for byte in 0..=255_u8 {
            for head in heads {
                let mut server = Server::server(config.clone());
                server.hears([head.as_bytes(), &[byte; 3]].concat());
                server.wants();
                server.sends();
                server.ends(End::Unclean);
                server.sends();
                assert!(server.machine.interest().close, "{head:?} and {byte}");
            }
            for head in responses {
                let mut client = Client::client(config.clone());
                client.gets("/");
                client.hears([head.as_bytes(), &[byte; 3]].concat());
                client.ends(End::Unclean);
                assert!(client.machine.interest().close, "{head:?} and {byte}");
            }
        }
    }
}

fn interim_and_switching() {
    lacking::interim_responses_before_the_final_one();
    lacking::switch_with_bytes_left_over();
}

fn expectations() {
    lacking::expect_answered_by_a_final_status();
    lacking::expect_answered_by_silence();
}

fn chunks() {
    lacking::chunk_extensions();
    lacking::chunk_ends_are_verified();
    let mut config = strict();
    config.limits.chunk_line = 100;
    let line = format!("5;{}", "x".repeat(100));
    let bytes = format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{line}");
    assert_eq!(serve(&config, bytes)[1..], refused("ChunkLineTooLong", 400), "before the line ends");
}

/// The number of each bug, and what shows that it is not here.
const BUGS: &[(u8, fn())] = &[
    (1, lacking::retry_counter_reset),
    (2, lacking::cancel_during_back_off),
    (3, lacking::reply_without_content_to_head_204_304),
    (4, lacking::head_request_with_content),
    (5, lacking::idle_junk_then_reconnect_failure),
    (6, lacking::idle_junk_then_reconnect_failure),
    (7, lacking::keep_alive_response_without_length),
    (8, lacking::http10_until_close_with_queued_requests),
    (9, expectations),
    (10, lacking::http10_keep_alive_streaming),
    (11, interim_and_switching),
    (12, lacking::connect_that_is_refused_with_content),
    (13, failures_are_told_last),
    (14, lacking::transport_closed_before_the_first_request),
    (15, lacking::long_upload_with_a_silent_peer),
    (16, chunks),
    (17, lacking::content_lengths),
    (18, lacking::connection_token_lists),
    (19, names_and_hosts),
    (20, lacking::target_and_reason_injection),
    (21, error_responses),
    (22, statuses_of_limits),
    (23, sizes),
    (25, nothing_from_the_wire_is_fatal),
];

/// What no machine without sockets can have: TLS listeners (24), binding (26), addresses (27), closing under TLS (28),
/// sockets that are left open (29).
const OF_SOCKETS: &[u8] = &[24, 26, 27, 28, 29];

macro_rules! bugs {
    ($($name:ident $number:literal)*) => {
        $(#[test]
        fn $name() {
            BUGS.iter().find(|(number, _)| *number == $number).expect("a row").1();
        })*

        #[test]
        fn every_bug_has_its_test() {
            let mut numbers = vec![$($number),*];
            numbers.extend(OF_SOCKETS);
            numbers.sort_unstable();
            assert_eq!(numbers, (1..=29).collect::<Vec<u8>>());
        }
    };
}

bugs! {
    b01_retry_counter_is_never_reset 1
    b02_cancel_during_back_off_leaves_a_timer 2
    b03_content_where_none_may_be 3
    b04_content_of_head_requests_is_ignored 4
    b05_stray_bytes_then_a_failed_connect 5
    b06_the_same_leaks 6
    b07_keep_alive_without_length_is_empty 7
    b08_version_is_ignored_for_persistence 8
    b09_content_that_was_never_sent 9
    b10_streamed_to_http10_with_a_length_of_0 10
    b11_interim_responses_are_final 11
    b12_connect_refused_with_content 12
    b13_freed_before_its_callback 13
    b14_closed_before_the_first_request 14
    b15_silence_kills_a_transfer 15
    b16_chunk_extensions_and_ends 16
    b17_content_length_is_lax 17
    b18_connection_is_no_list 18
    b19_names_and_hosts_are_unchecked 19
    b20_injection_on_output 20
    b21_errors_lose_their_fields 21
    b22_statuses_that_mislead 22
    b23_sizes_of_32_bits 23
    b25_fatal_from_the_wire 25
}
