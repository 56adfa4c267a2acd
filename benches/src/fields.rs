//! Requests of any number of fields: how the cost of an exchange grows with them.

use crate::case::Engine;
use crate::{ours, peer, wire};

/// How many fields are counted: a browser's fifteen are the middle of it.
pub const COUNTS: [usize; 7] = [1, 2, 4, 8, 15, 24, 32];

/// What stands behind a browser's fields where more are asked for: what proxies add, and pages.
const MORE: [&str; 17] = [
    "Cookie: session=4c1d7f0e9b2a4b5c8d6e",
    "DNT: 1",
    "If-None-Match: \"5f3c-61a0b7c2d4e80\"",
    "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT",
    "Cache-Control: max-age=0",
    "Pragma: no-cache",
    "Origin: http://127.0.0.1:8080",
    "Via: 1.1 edge-17",
    "Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43",
    "X-Forwarded-For: 192.0.2.60",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: example.com",
    "X-Real-IP: 192.0.2.60",
    "X-Request-Id: 7f3c9a52-0b1d-4c55-9d6e-2f8a1c3b4d5e",
    "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "Priority: u=0, i",
    "Sec-GPC: 1",
];

/// A request of so many fields.
fn request(fields: usize) -> Vec<u8> {
    let browser = std::str::from_utf8(wire::BROWSER).expect("ASCII").trim_end();
    let lines: Vec<&str> = browser.split("\r\n").chain(MORE).take(1 + fields).collect();
    assert_eq!(lines.len(), 1 + fields, "no more fields than these");
    format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
}

/// Makes `exchanges` exchanges on one connection, with the same request each time, or with every value another one and
/// in another order.
///
/// # Panics
/// If there are not so many fields, or an exchange does not go as it should.
pub fn run(engine: Engine, fields: usize, new: bool, exchanges: u64) {
    let request = request(fields);
    let units = if new { wire::all_new(&request) } else { vec![request] };
    match engine {
        Engine::Ours => ours::server(exchanges, &units, 64 * 1024),
        Engine::Hyper => peer::server(exchanges, units, 64 * 1024),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_fields_as_are_asked_for() {
        for count in COUNTS {
            let request = request(count);
            let mut fields = [httparse::EMPTY_HEADER; 64];
            let mut head = httparse::Request::new(&mut fields);
            assert!(head.parse(&request).unwrap().is_complete());
            assert_eq!(head.headers.len(), count);
        }
    }

    #[test]
    fn both_engines_take_them() {
        for (engine, new) in
            [(Engine::Ours, false), (Engine::Ours, true), (Engine::Hyper, false), (Engine::Hyper, true)]
        {
            for count in COUNTS {
                run(engine, count, new, 32);
            }
        }
    }
}
