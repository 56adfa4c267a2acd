//! What actix-http has fixed in its reading of messages, versions 3.12.1 to 3.20.

use http_core::Config;
use tests::scene::serve;

use crate::{NEXT, chunked, post, refused, strict};

#[test]
fn duplicate_host() {
    for lines in ["Host: a\r\nHost: a\r\n", "Host: a\r\nhost: b\r\n", "Host:\r\nHost:\r\n"] {
        for version in ["1.1", "1.0"] {
            let told = serve(&strict(), format!("GET / HTTP/{version}\r\n{lines}\r\n"));
            assert_eq!(told, refused("DuplicateHost", 400), "{version} {lines:?}");
        }
    }
}

#[test]
fn empty_chunk_size_line() {
    for line in ["", ";", ";a=b", " ", "\t5"] {
        let told = serve(&strict(), chunked(&format!("{line}\r\nhello\r\n0\r\n\r\n")));
        assert_eq!(told[1..], refused("ChunkSize", 400), "{line:?}");
    }
    // The last one too.
    let told = serve(&strict(), chunked("5\r\nhello\r\n\r\n\r\n"));
    assert_eq!(told[2..], refused("ChunkSize", 400));
}

#[test]
fn chunked_not_last() {
    for value in ["chunked, gzip", "chunked,identity", "chunked, chunked", "chunked;a=b", "gzip, chunked, br"] {
        let told = serve(&strict(), post(&format!("Transfer-Encoding: {value}\r\n")) + "0\r\n\r\n" + NEXT);
        assert_eq!(told, refused("TransferEncoding", 400), "{value}");
    }
}

#[test]
fn connection_lists() {
    for (value, closes) in [
        ("close", true),
        ("keep-alive, close", true),
        ("Upgrade,Close", true),
        ("upgrade", false),
        ("keep-alive", false),
        ("upgrade, keep-alive", false),
        ("closing", false),
        (",,close,,", true),
    ] {
        let told = serve(&strict(), format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {value}\r\n\r\n"));
        assert_eq!(told.last().unwrap() == "closes", closes, "{value}");
    }
}

#[test]
fn whitespace_around_a_chunk_size() {
    let mut config = Config::default();
    config.leniency.allow_chunk_line_padding = true;
    assert_eq!(serve(&config, chunked("5  \r\nhello\r\n0\r\n\r\n"))[1..], ["content hello", "end", "answers 200"]);
    assert_eq!(serve(&strict(), chunked("5  \r\nhello\r\n0\r\n\r\n"))[1..], refused("ChunkExtension", 400));
}
