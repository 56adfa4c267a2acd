//! Requests that follow each other on a connection, as a service gets them: what is remembered of those before must
//! not show.

use core::cell::RefCell;
use core::convert::Infallible;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response};
use http_core::{Config, Outbox, RequestHead, server};
use http_driver::server::{Connection, Options, serve_connection};
use http_driver::{Full, Incoming, Runtime, Timer, Transport, convert, service_fn};

use crate::source::Source;

const NAMES: [&str; 16] = [
    "Accept",
    "accept",
    "ACCEPT",
    "User-Agent",
    "X-Request-Id",
    "Cookie",
    "Authorization",
    "authorization",
    "Referer",
    "X-Odd",
    "X-Old",
    "Accept-Language",
    "Via",
    "Sec-Fetch-User",
    "Proxy-Authorization",
    "Priority",
];
const VALUES: [&str; 10] = ["a", "b", "", "*/*", "?1", "http://a/b", "http://a/b?c", "Basic YTpi", "a, b", "abc"];
const TARGETS: [&str; 6] = ["/", "/a", "/a?b", "/ab", "http://a/", "/%41"];

/// Heads that repeat each other, more or less, to a service that does what it likes with what it gets: each map is the
/// one that its head alone gives, in its order too, and what was kept of one stays what it was.
///
/// # Panics
/// If a promise does not hold.
pub fn requests(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let heads = choose_heads(&mut source);
    let expected: Vec<Request<()>> = heads.iter().map(|head| convert::request(&read(head), ()).expect("fit")).collect();
    let seen = Rc::new(RefCell::new(Seen { number: 0, choices: source.rest().to_vec(), kept: Vec::new() }));
    let told = seen.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        told.borrow_mut().look(&expected, request);
        async { Ok::<_, Infallible>(Response::new(Full::from("x"))) }
    });
    let wire = BytesMut::from(&heads.concat()[..]);
    let connection = Connection::new(Wire(wire), Still, Arc::new(Config::default()));
    let mut served = pin!(serve_connection(connection, service, Options::default(), None));
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..=heads.len() {
        if let Poll::Ready(served) = served.as_mut().poll(cx) {
            assert!(served.is_ok(), "{:?}", served.err());
            break;
        }
    }
    let seen = seen.borrow();
    assert_eq!(seen.number, heads.len(), "each of them was served");
    for (map, entries) in &seen.kept {
        assert_eq!(&self::entries(map), entries, "what was kept has changed");
    }
}

/// A service's memory.
struct Seen {
    number: usize,
    choices: Vec<u8>,
    kept: Vec<(HeaderMap, Vec<Entry>)>,
}

/// A name, a value, and whether that is sensitive.
type Entry = (String, Vec<u8>, bool);

fn entries(map: &HeaderMap) -> Vec<Entry> {
    let entry = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), value.as_bytes().to_vec(), value.is_sensitive())
    };
    map.iter().map(entry).collect()
}

impl Seen {
    fn look(&mut self, expected: &[Request<()>], request: Request<Incoming>) {
        let anew = &expected[self.number];
        let choice = self.choices.get(self.number).copied().unwrap_or_default();
        self.number += 1;
        let (parts, _) = request.into_parts();
        assert_eq!((&parts.method, &parts.uri, parts.version), (anew.method(), anew.uri(), anew.version()));
        let mut map = parts.headers;
        assert_eq!(entries(&map), entries(anew.headers()));
        assert_eq!(map.keys_len(), anew.headers().keys_len());
        for name in anew.headers().keys() {
            assert!(map.get_all(name).iter().eq(anew.headers().get_all(name)), "{name} is looked up");
        }
        match choice % 8 {
            1 => drop(map.remove("accept")),
            2 => drop(map.insert("accept", HeaderValue::from_static("mine"))),
            3 => drop(map.append("x-mine", HeaderValue::from_static("mine"))),
            4 => map.values_mut().for_each(|value| value.set_sensitive(true)),
            5 => map.clear(),
            6 => drop(map.drain()),
            _ => {}
        }
        if choice > 127 {
            let entries = entries(&map);
            self.kept.push((map, entries));
        }
    }
}

fn choose_heads(source: &mut Source<'_>) -> Vec<Vec<u8>> {
    let mut lines = vec![("Host", b"a".to_vec())];
    let (mut heads, mut before) = (Vec::new(), Vec::new());
    let count = 2 + source.below(20);
    for _ in 0..source.below(12) {
        lines.push(choose_line(source));
    }
    for _ in 0..count {
        let earlier = lines.clone();
        match source.below(12) {
            6 => lines.push(choose_line(source)),
            7 if lines.len() > 1 => drop(lines.remove(1 + source.below(lines.len() - 1))),
            8 => {
                let (one, other) = (source.below(lines.len()), source.below(lines.len()));
                lines.swap(one, other);
            }
            9 => core::mem::swap(&mut lines, &mut before),
            10 | 11 => {
                let at = source.below(lines.len());
                if lines[at].0 != "Host" {
                    lines[at].1 = choose_line(source).1;
                }
            }
            _ => {}
        }
        if lines.iter().all(|(name, _)| *name != "Host") {
            lines.push(("Host", b"a".to_vec()));
        }
        let host = lines.iter().position(|(name, _)| *name == "Host");
        if host != Some(0) && source.one_in(2) {
            lines.swap(0, host.unwrap_or_default());
        }
        before = earlier;
        let mut head = format!("GET {} HTTP/1.1\r\n", source.pick(&TARGETS)).into_bytes();
        for (name, value) in &lines {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(if source.one_in(9) { b":" } else { b": " });
            head.extend_from_slice(value);
            head.extend_from_slice(if source.one_in(9) { b" \r\n" } else { b"\r\n" });
        }
        head.extend_from_slice(b"\r\n");
        heads.push(head);
    }
    heads
}

fn choose_line(source: &mut Source<'_>) -> (&'static str, Vec<u8>) {
    let name = source.pick(&NAMES);
    let value = match source.below(8) {
        6 => vec![b'x'; 8 * source.below(120)],
        7 => {
            let length = source.below(40);
            let visible = |byte: &u8| 0x21 + byte % 0x5e;
            source.take(length).iter().map(visible).collect()
        }
        _ => source.pick(&VALUES).as_bytes().to_vec(),
    };
    (name, value)
}

fn read(head: &[u8]) -> RequestHead {
    let mut machine = server::Connection::new(Config::default().into(), http_core::Instant::ZERO);
    match machine.poll_event(&mut BytesMut::from(head), http_core::Instant::ZERO) {
        Ok(Some(server::Event::Request(head))) => head,
        other => panic!("{} reads as {other:?}", head.escape_ascii()),
    }
}

/// Bytes to be read, as many at once as are asked for, then the end. What is written is gone.
struct Wire(BytesMut);

impl Transport for Wire {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        let some = self.0.split_to(most.min(self.0.len()));
        buffer.extend_from_slice(&some);
        Poll::Ready(Ok(some.len()))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let mut slices = [&b""[..]; 8];
        let filled = outbox.slices(&mut slices);
        Poll::Ready(Ok(slices[..filled].iter().map(|slice| slice.len()).sum()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A runtime without tasks, whose time stands still.
#[derive(Clone)]
struct Still;

impl Runtime for Still {
    type Timer = Self;

    fn now(&self) -> Instant {
        thread_local!(static MADE: Instant = Instant::now());
        MADE.with(|made| *made)
    }

    fn timer(&self, _: Instant) -> Self {
        Self
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {}
}

impl Timer for Still {
    fn reset(&mut self, _: Instant) {}

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}
