//! What a request costs its transport and the clock: nothing is asked twice in the same moment.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::Request;
use http_core::Outbox;
use http_driver::client::Builder;
use http_driver::tls::TlsTransport;
use http_driver::{Full, Transport};

use super::identity::Identity;
use super::idling::{Here, settle};
use super::stage::{Schedule, Side, Stage, Task, spawned};

#[test]
fn a_kept_connection_is_looked_at_before_a_request_is_sent_and_read_when_its_response_is_there() {
    let (stage, sides) = (Stage::default(), Arc::<Mutex<Vec<Side>>>::default());
    let client = Builder::new().build(Here(sides.clone()), stage.clone());
    let mut tasks = Vec::new();
    for at in 0..5 {
        let asking = client.clone();
        tasks.push(Task::new(async move {
            let request = Request::get("http://a/").body(Full::default()).unwrap();
            drop(asking.request(request).await.expect("an answer"));
        }));
        let asks = tasks.len() - 1;
        let before = (stage.looks(), sides.lock().unwrap().first().map_or(0, Side::tries));
        settle(&mut tasks, &sides);
        let side = sides.lock().unwrap()[0].clone();
        assert!(side.heard().starts_with(b"GET / "));
        side.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        settle(&mut tasks, &sides);
        assert!(tasks[asks].is_done());
        let (looks, tries) = (stage.looks() - before.0, side.tries() - before.1);
        // The first one waits for its connection to be made; one look is that of the stage's timer.
        assert!(at == 0 || tries == 1 && looks <= 4, "{tries} reads, and {looks} looks at the clock");
    }
}

#[test]
fn who_asks_for_a_new_connection_has_it_made_and_wakes_nobody() {
    let (stage, sides) = (Stage::default(), Arc::<Mutex<Vec<Side>>>::default());
    let client = Builder::new().build(Here(sides.clone()), stage);
    let ask = || {
        let asking = client.clone();
        Task::new(async move {
            let request = Request::get("http://a/").body(Full::default()).unwrap();
            drop(asking.request(request).await.expect("an answer"));
        })
    };
    let mut first = ask();
    assert!(first.run());
    // The keeper, and who makes the first one: they are not polled, and not dropped either.
    let made = spawned();
    let mut second = ask();
    assert!(second.run());
    let more = spawned();
    assert_eq!((client.counts().connections, made.len(), more.len()), (2, 2, 1));
    assert!(!first.run(), "it was woken for what another one sees to");
}

#[test]
fn a_session_that_holds_what_it_has_decrypted_may_be_read() {
    let identity = Identity::new();
    let (near, far) = Side::pair(&Schedule::new(0, 0), 4096);
    let session = identity.session();
    let mut client = TlsTransport::new(far.stream(), session.into());
    let mut server = identity.acceptor.accept(near.stream()).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    while client.poll_handshake(&mut cx).is_pending() | server.poll_handshake(&mut cx).is_pending() {}
    assert!(client.poll_readable(&mut cx).is_ready(), "what follows on the handshake was not read");
    let mut read = BytesMut::with_capacity(64);
    assert!(client.poll_read(&mut cx, &mut read, 64).is_pending());
    assert!(client.poll_readable(&mut cx).is_pending());

    let mut outbox = Outbox::from(Bytes::from_static(b"content"));
    assert!(matches!(server.poll_write(&mut cx, &mut outbox), Poll::Ready(Ok(7))));
    for (most, sum) in [(3, "con"), (64, "content")] {
        assert!(client.poll_readable(&mut cx).is_ready(), "{sum}");
        assert!(client.poll_read(&mut cx, &mut read, most).is_ready());
        assert_eq!(read, sum);
    }
    assert!(client.poll_readable(&mut cx).is_pending());
    assert!(server.poll_shutdown(&mut cx).is_ready());
    assert!(client.poll_readable(&mut cx).is_ready(), "its end");
}
