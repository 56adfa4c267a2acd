//! A connection is looked at once more before it is used again: its end may lie there unread, and a request that meets
//! it has an unknown fate.

use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::BytesMut;
use http::Request;
use http_core::Outbox;
use http_driver::client::{Builder, ConnectError, Connector, Origin};
use http_driver::{Full, Transport};
use http_tokio::TokioRuntime;

/// Streams to a server that answers each request at once and whose end nobody is woken for.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    connections: usize,
    /// Connections up to this one have been ended by the server.
    ended: usize,
    requests: Vec<usize>,
}

struct Stream {
    server: Server,
    name: usize,
    answer: BytesMut,
}

impl Connector for Server {
    type Transport = Stream;

    async fn connect(&self, _: &Origin) -> Result<Stream, ConnectError> {
        let mut state = self.0.lock().unwrap();
        state.connections += 1;
        Ok(Stream { server: self.clone(), name: state.connections, answer: BytesMut::new() })
    }
}

impl Transport for Stream {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut, _: usize) -> Poll<io::Result<usize>> {
        let answer = self.answer.split();
        if answer.is_empty() && self.server.0.lock().unwrap().ended < self.name {
            return Poll::Pending;
        }
        buffer.extend_from_slice(&answer);
        Poll::Ready(Ok(answer.len()))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let mut state = self.server.0.lock().unwrap();
        state.requests.push(self.name);
        // What is written behind the end is taken, and lost.
        if state.ended < self.name {
            self.answer.extend_from_slice(b"HTTP/1.1 204 No Content\r\n\r\n");
        }
        let mut slices = [&b""[..]; 8];
        let filled = outbox.slices(&mut slices);
        Poll::Ready(Ok(slices[..filled].iter().map(|slice| slice.len()).sum()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn an_end_that_nobody_has_read_is_met_before_a_request_is_sent() {
    let server = Server::default();
    let client = Builder::new().build(server.clone(), TokioRuntime);
    let post = || Request::post("http://a/").body(Full::default()).unwrap();
    assert_eq!(client.request(post()).await.unwrap().status(), 204);
    assert_eq!(client.request(post()).await.unwrap().status(), 204);
    server.0.lock().unwrap().ended = 1;
    assert_eq!(client.request(post()).await.unwrap().status(), 204, "a POST could not be sent again");
    assert_eq!(server.0.lock().unwrap().requests, [1, 1, 2]);
}
