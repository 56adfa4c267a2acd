//! What the date is, the runtime says.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use http_core::{Content, ResponseHead, StatusCode};
use http_driver::server::Connection;

use super::stage::{Schedule, Side, Stage};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// What a server on this stage answers to these bytes.
fn answered(stage: &Stage, bytes: &[u8]) -> String {
    let (near, client) = Side::pair(&Schedule::default(), 1000);
    let mut connection = Connection::new(near.stream(), stage.clone(), Arc::default());
    client.say(bytes);
    let mut serving = pin!(async {
        while let Some(mut exchange) = connection.accept().await.unwrap() {
            exchange.respond(&ResponseHead::new(StatusCode::OK), Content::Empty).unwrap();
            exchange.finish().await.unwrap();
        }
    });
    let _ = serving.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    String::from_utf8(client.heard()).unwrap()
}

#[test]
fn a_server_says_the_date_that_its_runtime_knows() {
    let date = "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    for (unix, dates) in [(Some(784_111_777), 1), (None, 0)] {
        // The runtimes of one thread agree.
        let trial = move || {
            let answer = answered(&Stage::at(unix), GET);
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert_eq!((answer.matches("Date:").count(), answer.matches(date).count()), (dates, dates), "{answer}");
        };
        thread::spawn(trial).join().unwrap();
    }
}

#[test]
fn the_date_goes_on() {
    let trial = || {
        let mut stage = Stage::at(Some(784_111_777));
        assert!(answered(&stage, GET).contains(" 08:49:37 GMT"));
        stage.unix = Some(784_111_779);
        stage.pass(Duration::from_secs(2));
        assert!(answered(&stage, GET).contains(" 08:49:39 GMT"));
    };
    thread::spawn(trial).join().unwrap();
}
