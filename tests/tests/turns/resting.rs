//! What a connection works with is there while it works, and a little longer: requests that come close together find it
//! still there, and who idles holds nothing.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use http::{Request, Response};
use http_core::{Config, Content, Deadline, ResponseHead, StatusCode};
use http_driver::server::{Connection, Options, Shutdown, serve_connection};
use http_driver::{Full, Incoming, service_fn};

use super::stage::{Schedule, Side, Stage, Stream, Task};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// How many connections of a thread keep their memory while they rest.
const PLACES: usize = 64;

/// A connection of a server at the exchange level, and its client.
struct Served {
    connection: Connection<Stream, Stage>,
    client: Side,
}

impl Served {
    fn new(stage: &Stage) -> Self {
        let (near, client) = Side::pair(&Schedule::default(), 1000);
        Self { connection: Connection::new(near.stream(), stage.clone(), Arc::default()), client }
    }

    /// Answers whatever came, until the connection waits.
    fn turn(&mut self) {
        let connection = &mut self.connection;
        let mut serving = pin!(async move {
            let head = ResponseHead::new(StatusCode::OK);
            while let Some(mut exchange) = connection.accept().await.unwrap() {
                exchange.respond(&head, Content::Full("ok".into())).unwrap();
                exchange.finish().await.unwrap();
            }
        });
        assert!(serving.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    fn ask(&mut self) {
        self.client.say(GET);
        self.turn();
        assert!(self.client.heard().ends_with(b"ok"));
    }

    fn holds_memory(&self) -> bool {
        self.connection.machine().memory_size() > 0
    }
}

/// So many, each of which has answered one request.
fn served(stage: &Stage, count: usize) -> Vec<Served> {
    (0..count)
        .map(|_| {
            let mut served = Served::new(stage);
            served.turn();
            assert!(!served.holds_memory(), "nothing was asked for yet");
            served.ask();
            served
        })
        .collect()
}

fn holding(all: &[Served]) -> usize {
    all.iter().filter(|served| served.holds_memory()).count()
}

#[test]
fn memory_is_kept_between_requests_that_come_close_together() {
    let stage = Stage::default();
    let mut served = Served::new(&stage);
    served.turn();
    let before = stage.resets();
    for _ in 0..1000 {
        served.ask();
        assert!(served.holds_memory());
        stage.pass(10 * MILLISECOND);
    }
    // Twice a second, where a request meets a timer that has fired.
    assert!(stage.resets() - before <= 20, "{} in ten seconds", stage.resets() - before);
}

#[test]
fn memory_is_given_back_after_a_rest_and_taken_again() {
    let stage = Stage::default();
    let mut served = Served::new(&stage);
    for _ in 0..3 {
        served.ask();
        stage.pass(999 * MILLISECOND);
        served.turn();
        assert!(served.holds_memory());
        stage.pass(MILLISECOND);
        served.turn();
        assert!(!served.holds_memory());
        stage.pass(10 * SECOND);
        served.turn();
        assert!(!served.holds_memory());
    }
    assert_eq!(served.connection.machine().next_deadline(), Some(Deadline::Idle));
}

#[test]
fn few_keep_their_memory_and_the_others_give_it_back_at_once() {
    let stage = Stage::default();
    let mut all = served(&stage, 2 * PLACES);
    assert_eq!(holding(&all), PLACES);
    // Whoever goes makes a place for another.
    drop(all.split_off(PLACES - 10));
    all.extend(served(&stage, 20));
    assert_eq!(holding(&all), PLACES);
    for _ in 0..3 {
        stage.pass(SECOND);
        all.iter_mut().for_each(Served::turn);
        assert_eq!(holding(&all), 0);
        all.iter_mut().for_each(Served::ask);
        assert_eq!(holding(&all), PLACES);
    }
}

#[test]
fn who_waits_within_an_exchange_takes_no_place() {
    let stage = Stage::default();
    let mut long = served(&stage, PLACES);
    assert_eq!(holding(&long), PLACES);
    for served in &mut long {
        // The rest of this head comes later, or never.
        served.client.say(b"GET / HTTP/1.1\r\nX: ");
        served.turn();
    }
    let all = served(&stage, 2 * PLACES);
    assert_eq!(holding(&all), PLACES);
}

#[test]
fn places_are_not_lost_by_going_to_another_thread() {
    let stage = Stage::default();
    for round in 0..3 {
        let all = served(&stage, PLACES + 1);
        assert_eq!(holding(&all), PLACES, "in round {round}");
        let here = stage.clone();
        let elsewhere = std::thread::spawn(move || {
            let mut all = all;
            all.truncate(PLACES / 2);
            all.iter_mut().for_each(Served::ask);
            assert_eq!(holding(&all), PLACES / 2);
            let more = served(&here, PLACES + 1);
            assert_eq!(holding(&more), PLACES, "those of the other thread are no matter here");
            here.pass(SECOND);
            all.iter_mut().for_each(Served::turn);
            assert_eq!(holding(&all), 0);
        });
        elsewhere.join().unwrap();
    }
}

/// A service on a connection, and its client.
fn serves(stage: &Stage, config: Config, shutdown: &Shutdown) -> (Task, Side) {
    let (near, client) = Side::pair(&Schedule::default(), 1000);
    let connection = Connection::new(near.stream(), stage.clone(), Arc::new(config));
    let service = service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::from("ok"))) });
    let watch = shutdown.watch();
    let task = Task::new(async move {
        let _ = serve_connection(connection, service, Options::default(), Some(watch)).await;
    });
    (task, client)
}

fn settle(task: &mut Task, client: &Side) {
    while task.run() || client.react() {}
}

fn ask(task: &mut Task, client: &Side) {
    client.say(GET);
    settle(task, client);
    let heard = String::from_utf8(client.heard()).unwrap();
    assert!(heard.ends_with("ok") && heard.contains("\r\nDate: "), "{heard}");
}

#[test]
fn a_service_that_has_rested_goes_on_as_before() {
    for rest in [0, 1, 2, 30] {
        let stage = Stage::default();
        let mut config = Config::default();
        config.persistence.requests = Some(5);
        let (mut task, client) = serves(&stage, config, &Shutdown::new());
        for _ in 0..4 {
            for _ in 0..rest {
                settle(&mut task, &client);
                stage.pass(SECOND);
            }
            ask(&mut task, &client);
            assert!(!task.is_done());
        }
        client.say(GET);
        settle(&mut task, &client);
        let heard = String::from_utf8(client.heard()).unwrap();
        assert!(heard.contains("Connection: close\r\n"), "the requests before the rest count: {heard}");
    }
}

#[test]
fn a_connection_that_rests_ends_by_its_idle_deadline() {
    for asks in 0..3 {
        let stage = Stage::default();
        let (mut task, client) = serves(&stage, Config::default(), &Shutdown::new());
        settle(&mut task, &client);
        for _ in 0..asks {
            stage.pass(20 * SECOND);
            ask(&mut task, &client);
        }
        let closed = (1..=1000).find(|_| {
            stage.pass(SECOND);
            settle(&mut task, &client);
            task.is_done()
        });
        assert_eq!(closed, Some(75), "{asks}");
    }
}

#[test]
fn a_head_that_drips_in_after_a_rest_has_its_deadline() {
    let stage = Stage::default();
    let mut config = Config::default();
    config.timeouts.head = 10 * SECOND;
    let (mut task, client) = serves(&stage, config, &Shutdown::new());
    settle(&mut task, &client);
    stage.pass(5 * SECOND);
    settle(&mut task, &client);
    let mut seconds = 0;
    while client.heard().is_empty() {
        client.say(b"G");
        settle(&mut task, &client);
        stage.pass(SECOND);
        settle(&mut task, &client);
        seconds += 1;
        assert!(seconds <= 10);
    }
    assert_eq!(seconds, 10);
}

#[test]
fn a_connection_that_rests_hears_of_the_end() {
    for cut in [false, true] {
        let (stage, shutdown) = (Stage::default(), Shutdown::new());
        let (mut task, client) = serves(&stage, Config::default(), &shutdown);
        ask(&mut task, &client);
        stage.pass(5 * SECOND);
        settle(&mut task, &client);
        assert!(!task.is_done());
        if cut {
            shutdown.cut()
        } else {
            shutdown.begin()
        }
        settle(&mut task, &client);
        assert!(task.is_done(), "cut: {cut}");
        assert_eq!(shutdown.connections(), 0);
    }
    let stage = Stage::default();
    let (mut task, client) = serves(&stage, Config::default(), &Shutdown::new());
    settle(&mut task, &client);
    client.end();
    settle(&mut task, &client);
    assert!(task.is_done(), "its client has left");
}
