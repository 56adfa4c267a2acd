//! What the heap holds while a client downloads something long, whose reader keeps none of it. In a process of their
//! own, so that nothing else counts.

use std::pin::Pin;

use benches::heap::{self, Counting};
use benches::servers;
use http::Request;
use http_body::Body;
use http_tokio::Full;
use http_tokio::client::Builder;

#[global_allocator]
static HEAP: Counting = Counting;

/// How long the content is.
const TOTAL: u64 = 1 << 30;

/// What may be held of it.
const MOST: i64 = 256 * 1024;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn a_download_holds_a_few_reads_of_it() {
    let (tell, told) = std::sync::mpsc::channel();
    // Its allocations are those of its thread.
    std::thread::spawn(move || {
        runtime().block_on(async {
            let (listener, port) = servers::listen(0).expect("a port");
            tell.send(port).expect("somebody waits");
            servers::serve_floor(listener).await;
        });
    });
    let port = told.recv().expect("a port");
    runtime().block_on(async {
        let client = http_tokio::client(Builder::new());
        let before = heap::counts().held;
        let request = Request::get(format!("http://127.0.0.1:{port}/bytes/{TOTAL}")).body(Full::default());
        let mut body = client.request(request.expect("a request")).await.expect("a response").into_body();
        let (mut length, mut most) = (0, 0);
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let frame = frame.expect("content");
            length += frame.data_ref().map_or(0, |data| data.len() as u64);
            // Most of it is held while a piece is in hand.
            most = most.max(heap::counts().held - before);
        }
        assert_eq!(length, TOTAL);
        println!("at most {most} bytes are held");
        assert!(most <= MOST, "{most} bytes");
    });
}
