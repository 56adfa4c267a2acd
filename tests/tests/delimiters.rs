//! Every delimiter is compared and not counted: with another byte in its place a message is never read as the same.

use std::sync::Arc;

use http_core::{Config, End};
use tests::cut::Cut;
use tests::read::{Reading, as_client, as_server};

/// Where delimiters stand: spaces, colons and line ends outside of content. Whitespace behind a colon can be a tab.
fn delimiters(wire: &str) -> Vec<usize> {
    let bytes = wire.as_bytes();
    let stands = |at: &usize| matches!(bytes[*at], b' ' | b':' | b'\r' | b'\n') && bytes.get(at - 1) != Some(&b':');
    (1..bytes.len()).filter(stands).collect()
}

fn check(wire: &str, read: impl Fn(&[u8], &Cut) -> Reading) {
    let good = read(wire.as_bytes(), &Cut::Whole);
    assert_eq!((good.error, good.messages.len()), (None, 1), "{wire:?}");
    for at in delimiters(wire) {
        for byte in 0..=u8::MAX {
            let mut other = wire.as_bytes().to_vec();
            if std::mem::replace(&mut other[at], byte) == byte {
                continue;
            }
            for cut in [Cut::Whole, Cut::Bytes] {
                let reading = read(&other, &cut);
                let same = reading.messages == good.messages && reading.error.is_none();
                assert!(!same, "read as if nothing were wrong: {} ({cut:?})", other.escape_ascii());
            }
        }
    }
}

#[test]
fn of_requests() {
    let config = Arc::new(Config::default());
    let chunks = "5\r\nhello\r\n1;a=b\r\n!\r\n0\r\nX: y\r\n\r\n";
    for rest in [format!("Transfer-Encoding: chunked\r\n\r\n{chunks}"), "Content-Length: 5\r\n\r\nhello".to_owned()] {
        let wire = format!("POST /a HTTP/1.1\r\nHost: a\r\n{rest}");
        check(&wire, |bytes, cut| as_server(&config, bytes, cut, Some(End::Clean)));
    }
}

#[test]
fn of_responses() {
    let config = Arc::new(Config::default());
    let chunks = "5\r\nhello\r\n1;a=b\r\n!\r\n0\r\nX: y\r\n\r\n";
    for rest in [format!("Transfer-Encoding: chunked\r\n\r\n{chunks}"), "Content-Length: 5\r\n\r\nhello".to_owned()] {
        let wire = format!("HTTP/1.1 200 OK\r\n{rest}");
        check(&wire, |bytes, cut| as_client(&config, &["GET"], None, bytes, cut, Some(End::Clean)));
    }
}
