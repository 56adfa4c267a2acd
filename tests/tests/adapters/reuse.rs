//! A pooled connection that dies at the moment of its reuse, over memory, so that the moment can be chosen.

use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::Request;
use http_core::Outbox;
use http_core::dispatch::Policy;
use http_driver::client::{Builder, ConnectError, Connector, Origin};
use http_driver::{Full, Transport};

use crate::sockets::Outcome;
use crate::sockets::clients::content;
use crate::sockets::world::World;

/// What has become of the connections.
#[derive(Clone, Default)]
struct Line(Arc<Mutex<Vec<Wire>>>);

#[derive(Default)]
struct Wire {
    received: Vec<u8>,
    answers: BytesMut,
    /// The peer has ended, or reset, it. Whoever waits is not woken: it is seen by the next look.
    dead: Option<Option<io::ErrorKind>>,
    reader: Option<Waker>,
    /// Done at the moment when the client lets go of it.
    farewell: Option<Box<dyn FnOnce() + Send>>,
}

/// One connection; its peer answers each request with its number.
struct Wired(Line, usize);

impl Connector for Line {
    type Transport = Wired;

    async fn connect(&self, _: &Origin) -> Result<Wired, ConnectError> {
        let mut wires = self.0.lock().unwrap();
        wires.push(Wire::default());
        Ok(Wired(self.clone(), wires.len() - 1))
    }
}

impl Transport for Wired {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, _: usize) -> Poll<io::Result<usize>> {
        let wire = &mut self.0.0.lock().unwrap()[self.1];
        match wire.dead {
            _ if !wire.answers.is_empty() => {}
            Some(None) => return Poll::Ready(Ok(0)),
            Some(Some(kind)) => return Poll::Ready(Err(kind.into())),
            None => {
                wire.reader = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
        let count = wire.answers.len();
        buffer.extend_from_slice(&wire.answers.split());
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let wire = &mut self.0.0.lock().unwrap()[self.1];
        let mut slices = [&b""[..]; 16];
        let filled = outbox.slices(&mut slices);
        let bytes = slices[..filled].concat();
        wire.received.extend_from_slice(&bytes);
        if wire.dead.is_none() && bytes.ends_with(b"content") {
            wire.answers.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
            wire.answers.extend_from_slice(self.1.to_string().as_bytes());
            if let Some(reader) = wire.reader.take() {
                reader.wake();
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Wired {
    fn drop(&mut self) {
        let farewell = self.0.0.lock().unwrap()[self.1].farewell.take();
        if let Some(farewell) = farewell {
            farewell();
        }
    }
}

/// Content that is not there at once, and so can be sent once only.
struct Later(Bytes, bool);

impl http_body::Body for Later {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        if !std::mem::replace(&mut self.1, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let all = std::mem::take(&mut self.0);
        Poll::Ready((!all.is_empty()).then(|| Ok(http_body::Frame::data(all))))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0.len() as u64)
    }
}

async fn a_connection_that_is_dead_is_not_reused<W: World>(world: W) -> Outcome {
    for how in [None, Some(io::ErrorKind::ConnectionReset)] {
        for streamed in [false, true] {
            let line = Line::default();
            let policy = Policy::default().connections_per_origin(1);
            let client = Builder::new().policy(policy).build(line.clone(), world.runtime());
            // Not idempotent: sent once only, and not on the connection that is dead.
            let post = || Request::post("http://a.example/");
            let first = client.request(post().body(Full::from("content"))?).await?;
            assert_eq!(content(first.into_body()).await?, b"0");
            line.0.lock().unwrap()[0].dead = Some(how);
            let second = if streamed {
                client.request(post().body(Later(Bytes::from_static(b"content"), false))?).await
            } else {
                client.request(post().body(Full::from("content"))?).await
            };
            assert_eq!(content(second?.into_body()).await?, b"1", "{how:?}, streamed: {streamed}");
            let wires = line.0.lock().unwrap();
            let sent = wires.iter().map(|wire| wire.received.windows(4).filter(|w| w == b"POST").count());
            assert_eq!(sent.collect::<Vec<_>>(), [1, 1], "{how:?}, streamed: {streamed}");
        }
    }
    Ok(())
}

/// The dispatcher hears of an end a moment after the transport is gone. What it orders of the connection in between was
/// not sent, whoever has heard of it.
async fn a_request_that_comes_while_its_connection_goes_is_sent_on_another<W: World>(world: W) -> Outcome {
    let line = Line::default();
    let policy = Policy::default().connections_per_origin(1);
    let client = Builder::new().policy(policy).build(line.clone(), world.runtime());
    let post = || Request::post("http://a.example/").body(Full::from("content"));
    let first = client.request(post()?).await?;
    assert_eq!(content(first.into_body()).await?, b"0");
    let late = Arc::new(Mutex::new(None));
    let (ours, theirs, request) = (late.clone(), client.clone(), post()?);
    let farewell = move || {
        let mut response = Box::pin(async move { theirs.request(request).await });
        assert!(response.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        *ours.lock().unwrap() = Some(response);
    };
    let mut farewell = Some(farewell);
    let reader = loop {
        let wire = &mut line.0.lock().unwrap()[0];
        // Until the connection idles, and is read all the same.
        if let Some(reader) = wire.reader.take() {
            wire.farewell = farewell.take().map(|farewell| Box::new(farewell) as _);
            wire.dead = Some(None);
            break reader;
        }
    };
    reader.wake();
    let response = loop {
        if let Some(response) = late.lock().unwrap().take() {
            break response;
        }
        world.sleep(std::time::Duration::from_millis(1)).await;
    };
    assert_eq!(content(response.await?.into_body()).await?, b"1");
    Ok(())
}

on_both! {
    a_connection_that_is_dead_is_not_reused
    a_request_that_comes_while_its_connection_goes_is_sent_on_another
}
