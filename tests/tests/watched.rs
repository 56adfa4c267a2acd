//! Whoever watches a connection is shown a head for each answer of a service; where nobody watches there is none. What
//! is sent is the same, octet by octet.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::header::{HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_core::model::{Action, Input, Recorder, Tap};
use http_core::{Config, Outbox, Phase, server};
use http_driver::server::{Connection, Options, serve_connection};
use http_driver::{BoxTap, Incoming, ReasonPhrase, Transport, service_fn};
use http_tokio::TokioRuntime;
use tests::source::Source;

const REQUESTS: [&str; 8] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
];

const STATUSES: [u16; 10] = [200, 200, 200, 204, 205, 304, 404, 101, 103, 999];

const NAMES: [&str; 12] = [
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "date",
    "trailer",
    "content-type",
    "set-cookie",
    "x-field",
    "vary",
    "proxy-connection",
];

const VALUES: [&str; 14] = [
    "",
    "3",
    "0",
    "3, 3",
    "chunked",
    "gzip, chunked",
    "identity",
    "close",
    "keep-alive",
    "keep-alive, x",
    "upgrade",
    "echo",
    " a\tb ",
    "\u{fc}",
];

/// A response that can be made more than once.
#[derive(Clone, Debug)]
struct Plan {
    status: u16,
    fields: Vec<(&'static str, &'static str)>,
    reason: Option<&'static str>,
    content: Pieces,
}

impl Plan {
    fn new(source: &mut Source<'_>) -> Self {
        let pieces: &[&str] =
            source.pick(&[&[][..], &["abc"], &["abc"], &["a", "bc"], &["abc", ""], &["a long piece of content"]]);
        Self {
            status: source.pick(&STATUSES),
            fields: (0..source.below(6)).map(|_| (source.pick(&NAMES), source.pick(&VALUES))).collect(),
            reason: source.one_in(5).then(|| source.pick(&["", "Fine", "a\r\nb: c"])),
            content: Pieces {
                pieces: pieces.iter().copied().collect(),
                exact: !source.one_in(3),
                waits: source.one_in(3),
                fails: source.one_in(9),
            },
        }
    }

    fn response(&self) -> Response<Pieces> {
        let mut response = Response::new(self.content.clone());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap();
        for (name, value) in &self.fields {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
        if let Some(reason) = self.reason {
            response.extensions_mut().insert(ReasonPhrase(Bytes::from_static(reason.as_bytes())));
        }
        response
    }
}

#[derive(Clone, Debug)]
struct Pieces {
    pieces: VecDeque<&'static str>,
    /// Whether the length is known.
    exact: bool,
    /// Whether the next poll finds nothing yet.
    waits: bool,
    /// How it ends.
    fails: bool,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        if std::mem::take(&mut self.waits) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(match self.pieces.pop_front() {
            Some(piece) => Some(Ok(Frame::data(Bytes::from_static(piece.as_bytes())))),
            None if self.fails => Some(Err("on purpose")),
            None => None,
        })
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.pieces.iter().map(|piece| piece.len() as u64).sum();
        if self.exact { SizeHint::with_exact(left) } else { SizeHint::default() }
    }
}

/// A client that has sent what it has to say, and hears all that is answered.
struct Wire {
    said: BytesMut,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Transport for Wire {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        let count = most.min(self.said.len());
        buffer.extend_from_slice(&self.said.split_to(count));
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let mut slices = [&b""[..]; 8];
        let filled = outbox.slices(&mut slices);
        let all = slices[..filled].concat();
        self.heard.lock().unwrap().extend_from_slice(&all);
        Poll::Ready(Ok(all.len()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[derive(Clone)]
struct Recording(Arc<Mutex<Recorder>>);

impl Tap for Recording {
    fn begin(&mut self, now: http_core::Instant) {
        self.0.lock().unwrap().begin(now);
    }

    fn step(&mut self, now: http_core::Instant, phase: Phase, input: &Input, actions: &[Action]) {
        self.0.lock().unwrap().step(now, phase, input, actions);
    }
}

/// All that is answered, but for dates, and how the connection ended.
async fn answered(requests: &str, plans: &[Plan], config: &Arc<Config>, tap: Option<BoxTap>) -> (String, String) {
    let heard = Arc::<Mutex<Vec<u8>>>::default();
    let wire = Wire { said: BytesMut::from(requests), heard: heard.clone() };
    let connection = Connection::with_early(wire, TokioRuntime, config.clone(), BytesMut::new(), tap);
    let mut plans = plans.iter();
    let service = service_fn(|_: Request<Incoming>| {
        let response = plans.next().map_or_else(|| unreachable!("more requests than were sent"), Plan::response);
        async { Ok::<_, Infallible>(response) }
    });
    let served = serve_connection(connection, service, Options::default(), None).await;
    let ended = served.map(|switched| switched.is_some()).map_err(|error| error.to_string());
    let heard: String = heard.lock().unwrap().iter().copied().map(char::from).collect();
    let is_added = |line: &&str| !line.starts_with("Date: ");
    (heard.split_inclusive('\n').filter(is_added).collect(), format!("{ended:?}"))
}

#[tokio::test]
async fn what_is_sent_does_not_hang_on_who_watches() {
    let config = Arc::new(Config::default());
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    };
    for _ in 0..4000 {
        let bytes: Vec<u8> = (0..96).map(|_| noise()).collect();
        let mut source = Source::new(&bytes);
        let count = 1 + source.below(3);
        let requests: String = (0..count).map(|_| source.pick(&REQUESTS)).collect();
        let plans: Vec<_> = (0..count).map(|_| Plan::new(&mut source)).collect();
        let unwatched = answered(&requests, &plans, &config, None).await;
        let recorder = Recording(Arc::new(Mutex::new(Recorder::new(config.clone(), http_core::Instant::ZERO))));
        let watched = answered(&requests, &plans, &config, Some(Box::new(recorder.clone()))).await;
        assert_eq!(unwatched, watched, "{requests:?} answered by {plans:?}");
        let record = recorder.0.lock().unwrap().record().clone();
        record.replay(server::Connection::new).unwrap_or_else(|mismatch| panic!("{mismatch}: {plans:?}"));
    }
}
