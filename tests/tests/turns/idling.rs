//! How long a connection is kept that nobody uses: one setting says so, whatever the connection has done before.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use http_core::dispatch::Policy;
use http_core::{Config, Content, Deadline, Method, RequestHead};
use http_driver::Full;
use http_driver::client::{Builder, ConnectError, Connection, Connector, Origin};

use super::stage::{Schedule, Side, Stage, Stream, Task, run, spawned};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than any deadline of these tests, in seconds.
const LONG: u32 = 1000;

/// Connects to the test.
pub(crate) struct Here(pub(crate) Arc<Mutex<Vec<Side>>>);

impl Connector for Here {
    type Transport = Stream;

    async fn connect(&self, _: &Origin) -> Result<Stream, ConnectError> {
        let (near, far) = Side::pair(&Schedule::default(), 1000);
        self.0.lock().unwrap().push(far);
        Ok(near.stream())
    }
}

/// What a connection has done before it idles.
#[derive(Clone, Copy, Debug)]
enum Before {
    /// It was made beforehand.
    Nothing,
    /// It has got this response.
    Response(&'static str),
}

const PLAIN: Before = Before::Response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
const EMPTY: Before = Before::Response("HTTP/1.1 204 No Content\r\n\r\n");
const KEPT_SHORT: Before = Before::Response("HTTP/1.1 204 No Content\r\nKeep-Alive: timeout=10\r\n\r\n");
const KEPT_LONG: Before = Before::Response("HTTP/1.1 204 No Content\r\nKeep-Alive: timeout=600\r\n\r\n");

/// Runs all tasks until everybody sleeps.
pub(crate) fn settle(tasks: &mut Vec<Task>, sides: &Mutex<Vec<Side>>) {
    loop {
        tasks.extend(spawned());
        let mut ran = false;
        for task in tasks.iter_mut() {
            ran |= task.run();
        }
        for side in sides.lock().unwrap().iter() {
            ran |= side.react();
        }
        if !ran {
            return;
        }
    }
}

/// After how many seconds of idling a connection is closed; `None`: not within a long time.
fn closed_after(builder: Builder, before: Before) -> Option<u32> {
    let (stage, sides) = (Stage::default(), Arc::<Mutex<Vec<Side>>>::default());
    let client = builder.build(Here(sides.clone()), stage.clone());
    let mut tasks = Vec::new();
    match before {
        Before::Nothing => {
            assert!(client.connect(&"http://a/".parse().unwrap()));
            settle(&mut tasks, &sides);
        }
        Before::Response(response) => {
            let asking = client.clone();
            tasks.push(Task::new(async move {
                let request = Request::get("http://a/").body(Full::default()).unwrap();
                let answer = asking.request(request).await.expect("an answer");
                drop(answer);
            }));
            settle(&mut tasks, &sides);
            let side = sides.lock().unwrap()[0].clone();
            assert!(side.heard().starts_with(b"GET / "));
            side.say(response.as_bytes());
            settle(&mut tasks, &sides);
            assert!(tasks[0].is_done());
        }
    }
    assert_eq!((client.counts().connections, client.counts().idle), (1, 1), "{before:?}");
    let closed = (1..=LONG).find(|_| {
        stage.pass(SECOND);
        settle(&mut tasks, &sides);
        client.counts().connections == 0
    });
    assert_eq!(sides.lock().unwrap().len(), 1);
    closed
}

#[test]
fn c29_idle_connections_of_a_client_have_one_deadline() {
    let minutes = |most| Builder::new().policy(Policy::default().idle_timeout(most));
    let longer = Policy::default().idle_timeout(300 * SECOND);
    let mut machine = Config::default();
    machine.timeouts.idle = Duration::from_secs(5);
    let mut both = Config::default();
    both.timeouts.idle = Duration::from_secs(400);
    both.dispatch = Policy::default().idle_timeout(Duration::from_secs(7));
    for (name, builder, seconds) in [
        ("five minutes", minutes(Some(300 * SECOND)), Some(300)),
        ("less than by default", minutes(Some(20 * SECOND)), Some(20)),
        ("the default", Builder::new(), Some(90)),
        ("for ever", minutes(None), None),
        ("for ever, in numbers", minutes(Some(Duration::MAX)), None),
        ("by the builder", Builder::new().pool_idle_timeout(300 * SECOND), Some(300)),
        ("shorter by the builder", Builder::new().pool_idle_timeout(3 * SECOND), Some(3)),
        ("for ever by the builder", Builder::new().pool_idle_timeout(None), None),
        ("as evhttp", Builder::new().config(Config::evhttp()), Some(50)),
        ("the machine's own is of no account", Builder::new().config(machine), Some(90)),
        ("nor a longer one", Builder::new().config(both), Some(7)),
        ("a configuration that comes after", minutes(Some(300 * SECOND)).config(Config::evhttp()), Some(50)),
        ("after one method", Builder::new().pool_idle_timeout(3 * SECOND).config(Config::evhttp()), Some(50)),
        ("a policy that comes after", Builder::new().config(Config::evhttp()).policy(longer), Some(300)),
        ("one method after", Builder::new().config(Config::evhttp()).pool_idle_timeout(3 * SECOND), Some(3)),
        ("the last one of two", minutes(Some(20 * SECOND)).policy(longer), Some(300)),
    ] {
        for before in [Before::Nothing, PLAIN, EMPTY] {
            assert_eq!(closed_after(builder.clone(), before), seconds, "{name}, {before:?}");
        }
    }
}

#[test]
fn c29_what_a_server_says_of_idling_shortens_it() {
    let most = |seconds: u32| Builder::new().pool_idle_timeout(seconds * SECOND);
    // Less a margin, in which a request would meet the end of the connection.
    assert_eq!(closed_after(most(300), KEPT_SHORT), Some(9));
    assert_eq!(closed_after(most(5), KEPT_SHORT), Some(5));
    assert_eq!(closed_after(most(300), KEPT_LONG), Some(300));
    assert_eq!(closed_after(Builder::new().pool_idle_timeout(None), KEPT_LONG), Some(599));
}

#[test]
fn c29_the_last_request_of_a_connection_says_so() {
    // A connection's own limit is of no account where the client's policy rules.
    let mut machine = Config::default();
    machine.persistence.requests = Some(1);
    for (builder, closes) in [
        (Builder::new(), [false, false]),
        (Builder::new().config(machine.clone()), [false, false]),
        (Builder::new().max_requests_per_connection(2), [false, true]),
        (Builder::new().config(machine).max_requests_per_connection(2), [false, true]),
        (Builder::new().max_requests_per_connection(0), [true, true]),
    ] {
        let (stage, sides) = (Stage::default(), Arc::<Mutex<Vec<Side>>>::default());
        let client = builder.build(Here(sides.clone()), stage);
        let mut tasks = Vec::new();
        for (at, closes) in closes.into_iter().enumerate() {
            let asking = client.clone();
            tasks.push(Task::new(async move {
                let request = Request::get("http://a/").body(Full::default()).unwrap();
                drop(asking.request(request).await.expect("an answer"));
            }));
            let asks = tasks.len() - 1;
            settle(&mut tasks, &sides);
            let side = sides.lock().unwrap().last().unwrap().clone();
            let heard = String::from_utf8(side.heard()).unwrap();
            assert_eq!(heard.contains("Connection: close\r\n"), closes, "{at}: {heard}");
            side.say(b"HTTP/1.1 204 No Content\r\n\r\n");
            settle(&mut tasks, &sides);
            assert!(tasks[asks].is_done());
        }
    }
}

#[test]
fn c29_a_connection_alone_idles_by_its_own_deadline() {
    let stage = Stage::default();
    let (near, far) = Side::pair(&Schedule::default(), 1000);
    let mut config = Config::default();
    config.timeouts.idle = 40 * SECOND;
    config.dispatch.idle_timeout = Some(SECOND);
    let mut connection = Connection::new(near.stream(), stage.clone(), Arc::new(config));
    assert_eq!(connection.machine().next_deadline(), Some(Deadline::Idle));
    let first = connection.machine().poll_timeout().unwrap();
    far.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let client = Task::new(async move {
        stage.pass(10 * SECOND);
        let head = RequestHead::new(Method::Get, "/").unwrap().with("Host", "a").unwrap();
        let mut exchange = connection.send(&head, Content::Empty).unwrap();
        exchange.response().await.unwrap();
        while exchange.content().await.unwrap().is_some() {}
        drop(exchange);
        let machine = connection.machine();
        assert_eq!(machine.next_deadline(), Some(Deadline::Idle));
        assert_eq!(machine.poll_timeout(), Some(first.saturating_add(10 * SECOND)));
    });
    run(vec![client], 1, &[&near], &"alone");
}
