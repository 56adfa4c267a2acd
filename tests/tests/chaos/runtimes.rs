//! One client for the whole program, and runtimes that are dropped at any moment: while connecting, while sending, with
//! the response half read, while idling. What lives goes on; what was begun on a runtime that is gone goes on where it
//! is waited for.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{Either, select};
use http::{Request, Response};
use http_body::Body;
use http_core::Config;
use http_core::dispatch::{Policy, Why};
use http_driver::client::{Builder, RequestError, ResponseFuture};
use http_driver::{Incoming, Runtime};

use crate::crowd::Ended;
use crate::random::Random;
use crate::request::{Kind, Pieces, content_of};
use crate::sockets::clients::{NetworkOf, Networked, content};
use crate::sockets::on_async_std::AsyncStd;
use crate::sockets::on_tokio::Tokio;
use crate::sockets::servers::{Running, server};
use crate::sockets::site::Site;
use crate::sockets::within;
use crate::sockets::world::World;
use crate::{ClientOf, Effects, Failed, eventually, run};

/// Connections in all: those of runtimes that are gone must not count for long.
const PLACES: usize = 12;

/// Whoever has no outcome by then is forgotten.
const LATE: Duration = Duration::from_secs(20);

/// Threads that make and drop runtimes, and how many each.
const THREADS: u64 = 4;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A world in which tasks can be made to end with all that they are on.
trait Mortal: Networked {
    /// Runs tasks for some moments, and drops them with their runtime.
    fn perish(tasks: Vec<Task>, random: &mut Random);

    /// Runs a future to its end on a runtime that is its own.
    fn last(future: Task);
}

fn moments(random: &mut Random) -> Duration {
    Duration::from_micros(random.below(12_000))
}

impl Mortal for Tokio {
    fn perish(tasks: Vec<Task>, random: &mut Random) {
        let mut builder = match random.below(2) {
            0 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        let runtime = builder.worker_threads(2).enable_all().build().unwrap();
        for task in tasks {
            runtime.spawn(task);
        }
        let time = moments(random);
        runtime.block_on(async move { tokio::time::sleep(time).await });
        match random.below(3) {
            0 => drop(runtime),
            1 => runtime.shutdown_background(),
            _ => runtime.shutdown_timeout(Duration::from_millis(5)),
        }
    }

    fn last(future: Task) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
    }
}

impl Mortal for AsyncStd {
    // Its executor lasts; the tasks are cancelled.
    fn perish(tasks: Vec<Task>, random: &mut Random) {
        let time = moments(random);
        async_std::task::block_on(async {
            let tasks: Vec<_> = tasks.into_iter().map(async_std::task::spawn).collect();
            async_std::task::sleep(time).await;
            for task in tasks {
                task.cancel().await;
            }
        });
    }

    fn last(future: Task) {
        async_std::task::block_on(future);
    }
}

type Begun<W> = ResponseFuture<NetworkOf<W>, <W as World>::Runtime>;

/// What one runtime leaves to another.
enum Left<W: Networked> {
    Request(u64, Begun<W>),
    Content(u64, Vec<u8>, Incoming),
}

/// What all of a run share.
struct Run<W: Networked> {
    world: W,
    client: &'static ClientOf<W>,
    origin: String,
    seed: u64,
    next: AtomicU64,
    effects: Effects,
    /// Mortals that were begun, and that ended.
    begun: AtomicUsize,
    ended: Arc<AtomicUsize>,
    panicked: Arc<AtomicUsize>,
    /// Requests that were answered on runtimes that lasted, or were left to one.
    lived: AtomicUsize,
    inherited: AtomicUsize,
    /// Those of the heirs whose content was cut with its runtime.
    cut: AtomicUsize,
    /// The mortals are gone.
    over: AtomicBool,
}

impl<W: Networked> Run<W> {
    /// A request of the next number.
    fn ask(&self) -> (u64, Begun<W>) {
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        let request = Kind::of(id, self.seed).ask::<W>(self.client, &format!("{}{id}", self.origin), id);
        (id, request.expect("a request that can be built"))
    }

    fn guard(&self) -> Ended {
        self.begun.fetch_add(1, Ordering::SeqCst);
        Ended(self.ended.clone(), self.panicked.clone())
    }

    fn took_effect(&self, id: u64) -> u32 {
        self.effects.lock().unwrap().get(&id).copied().unwrap_or(0)
    }

    /// What came is this one's, and took effect.
    fn holds(&self, id: u64, content: &[u8]) {
        assert!(content == content_of(id), "{id}: another content");
        assert!(self.took_effect(id) >= 1, "{id} was answered and took no effect");
    }

    /// Asks again and again until the runtime is gone, and leaves some of it to others.
    async fn mortal(self: Arc<Self>, mut random: Random, leave: Sender<Left<W>>) {
        let _guard = self.guard();
        loop {
            let (id, mut request) = self.ask();
            if random.below(4) == 0 {
                let mut left = random.below(5);
                let outcome = poll_fn(|cx| {
                    if left == 0 {
                        return Poll::Ready(None);
                    }
                    left -= 1;
                    match Pin::new(&mut request).poll(cx) {
                        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                        Poll::Pending if left == 0 => Poll::Ready(None),
                        Poll::Pending => Poll::Pending,
                    }
                })
                .await;
                match outcome {
                    None => drop(leave.send(Left::Request(id, request))),
                    Some(outcome) => self.read(id, outcome, &mut random, &leave).await,
                }
            } else {
                let outcome = request.await;
                self.read(id, outcome, &mut random, &leave).await;
            }
        }
    }

    /// Reads an answer at leisure.
    async fn read(
        &self,
        id: u64,
        outcome: Result<Response<Incoming>, RequestError>,
        random: &mut Random,
        leave: &Sender<Left<W>>,
    ) {
        // A runtime that is being dropped lets go of what its tasks wait for in any order.
        let Ok(response) = outcome else { return };
        let (mut body, mut read) = (response.into_body(), Vec::new());
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let Ok(frame) = frame else { return };
            read.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            if random.below(8) == 0 {
                let _ = leave.send(Left::Content(id, read, body));
                return;
            }
            self.world.sleep(Duration::from_micros(random.below(3000))).await;
        }
        self.holds(id, &read);
    }

    /// Asks on a runtime that lasts: every answer comes.
    async fn living(self: Arc<Self>) {
        let _guard = self.guard();
        while !self.over.load(Ordering::SeqCst) {
            let (id, request) = self.ask();
            let response = self.in_time(id, request).await.unwrap_or_else(|e| panic!("{id} on a living runtime: {e}"));
            let read = self.in_time(id, content(response.into_body())).await;
            self.holds(id, &read.unwrap_or_else(|error| panic!("{id} on a living runtime: {error}")));
            self.lived.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn in_time<F: Future>(&self, id: u64, future: F) -> F::Output {
        match select(pin!(future), pin!(self.world.sleep(LATE))).await {
            Either::Left((output, _)) => output,
            Either::Right(_) => panic!("{id} has no outcome after {LATE:?}: {:?}", self.client.counts()),
        }
    }

    /// Goes on with what was left.
    async fn heir(self: Arc<Self>, left: Left<W>) {
        let _guard = self.guard();
        self.inherited.fetch_add(1, Ordering::SeqCst);
        match left {
            Left::Request(id, request) => {
                let kind = Kind::of(id, self.seed);
                match self.in_time(id, request).await {
                    Ok(response) => match self.in_time(id, content(response.into_body())).await {
                        Ok(read) => self.holds(id, &read),
                        Err(_) => drop(self.cut.fetch_add(1, Ordering::SeqCst)),
                    },
                    Err(error) => {
                        let silent = error.failure().is_some_and(|failure| failure.why == Why::NoAnswerInTime);
                        assert!(!kind.is_repeatable() || silent, "{id} {kind:?} could have been repeated: {error}");
                        let unsent = error.is_safe_to_repeat() && kind == Kind::Post;
                        assert!(!unsent || self.took_effect(id) == 0, "{id} took effect, and is said not to: {error}");
                    }
                }
            }
            Left::Content(id, mut read, body) => match self.in_time(id, content(body)).await {
                Ok(rest) => {
                    read.extend_from_slice(&rest);
                    self.holds(id, &read);
                }
                Err(_) => drop(self.cut.fetch_add(1, Ordering::SeqCst)),
            },
        }
    }

    /// Has what was left gone on with, until nobody leaves anything more.
    async fn inherit(self: Arc<Self>, left: Receiver<Left<W>>) {
        let _guard = self.guard();
        loop {
            match left.try_recv() {
                Ok(left) => self.world.runtime().spawn(self.clone().heir(left)),
                Err(std::sync::mpsc::TryRecvError::Empty) => self.world.sleep(Duration::from_millis(1)).await,
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return,
            }
        }
    }
}

/// A server that takes its time.
async fn slow_origin<W: Networked>(site: &Site<W>, effects: Effects) -> std::io::Result<Running> {
    let world = site.world.clone();
    let service = move |request: Request<Incoming>| {
        let (effects, world) = (effects.clone(), world.clone());
        async move {
            let id: u64 = request.uri().path().trim_start_matches('/').parse().expect("a number");
            content(request.into_body()).await?;
            *effects.lock().unwrap().entry(id).or_default() += 1;
            world.sleep(Duration::from_millis(id % 4)).await;
            Ok::<_, http_driver::Error>(Response::new(Pieces::of(id, id % 3 > 0)))
        }
    };
    let mut config = Config::default();
    config.timeouts.idle = Duration::from_secs(1);
    config.persistence.requests = Some(30);
    site.serve(server(&site.world).config(config), service).await
}

/// Sockets of this machine that are connected to this port, in the state of this number, or in any but those that the
/// kernel alone knows.
#[cfg(target_os = "linux")]
fn sockets_to(port: u16, state: Option<&str>) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let to = format!(":{port:04X}");
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.len() > 9 && row[2].ends_with(&to) && row[9] != "0")
        .filter(|row| state.is_none_or(|state| row[3] == state))
        .count()
}

#[cfg(not(target_os = "linux"))]
fn sockets_to(_: u16, _: Option<&str>) -> usize {
    0
}

const CLOSE_WAIT: &str = "08";

async fn runtimes<W: Mortal>(world: W, depth: usize) -> Result<(), Failed> {
    let (seed, runtimes) = run(120);
    let site = Site::plain(world.clone());
    let effects = Effects::default();
    let Running { address, shutdown, .. } = slow_origin(&site, effects.clone()).await?;
    let policy = Policy::default()
        .max_connections(PLACES)
        .idle_per_origin(3)
        .request_retries(20)
        .retry_budget(None)
        .connect_retries(20)
        .pipeline_depth(depth);
    let client: &'static ClientOf<W> = Box::leak(Box::new(site.client(Builder::new().policy(policy))));
    let run = Arc::new(Run {
        world: world.clone(),
        client,
        origin: site.uri(address, "/"),
        seed,
        next: AtomicU64::new(0),
        effects: effects.clone(),
        begun: AtomicUsize::new(0),
        ended: Arc::default(),
        panicked: Arc::default(),
        lived: AtomicUsize::new(0),
        inherited: AtomicUsize::new(0),
        cut: AtomicUsize::new(0),
        over: AtomicBool::new(false),
    });
    let (leave, left) = channel();
    world.runtime().spawn(run.clone().inherit(left));
    for _ in 0..3 {
        world.runtime().spawn(run.clone().living());
    }
    let other = run.clone();
    let lasting = std::thread::spawn(move || W::last(Box::pin(other.living())));
    let mut mortals = Vec::new();
    for thread in 0..THREADS {
        let (run, leave) = (run.clone(), leave.clone());
        mortals.push(std::thread::spawn(move || {
            let mut random = Random::new(seed ^ thread << 40);
            for _ in 0..runtimes / THREADS {
                let count = 1 + random.below(5);
                let tasks = (0..count).map(|_| {
                    let mortal: Task = Box::pin(run.clone().mortal(Random::new(random.next()), leave.clone()));
                    mortal
                });
                let tasks = tasks.collect();
                W::perish(tasks, &mut random);
            }
        }));
    }
    drop(leave);
    let mut most = 0;
    while !mortals.iter().all(|thread| thread.is_finished()) {
        most = most.max(client.connections());
        world.sleep(Duration::from_millis(2)).await;
    }
    run.over.store(true, Ordering::SeqCst);
    let all_ended = || run.ended.load(Ordering::SeqCst) == run.begun.load(Ordering::SeqCst);
    within(&world, 2 * LATE, "every task ends", all_ended).await;
    assert_eq!(run.panicked.load(Ordering::SeqCst), 0, "a request went wrong, seed {seed}");
    for thread in mortals.into_iter().chain([lasting]) {
        thread.join().map_err(|_| "a thread went wrong")?;
    }
    let asked = run.next.load(Ordering::SeqCst);
    let [lived, inherited, cut] = [&run.lived, &run.inherited, &run.cut].map(|count| count.load(Ordering::SeqCst));
    println!("{asked} asked, {lived} on what lived, {inherited} left to others, {cut} of them cut, {most} connections");
    println!("{:?}", client.counts());
    assert!(lived >= 10 && inherited >= 3, "too quiet to prove anything");
    assert!(most <= PLACES, "{most} connections");
    for (id, count) in effects.lock().unwrap().iter() {
        assert!(Kind::of(*id, seed) != Kind::Post || *count <= 1, "{id} took effect {count} times, seed {seed}");
    }
    let counts = || client.counts();
    eventually(&world, "nothing is queued or on its way", || counts().queued + counts().in_flight == 0).await;
    eventually(&world, "what idles is kept to the limit", || counts().connections <= 6).await;
    eventually(&world, "the server has no others", || shutdown.connections() <= counts().connections).await;
    // It ends them when they have idled for a second.
    eventually(&world, "the server's connections end", || shutdown.connections() == 0).await;
    eventually(&world, "the server's end is seen", || sockets_to(address.port(), Some(CLOSE_WAIT)) == 0).await;
    eventually(&world, "the client's connections end", || client.connections() == 0).await;
    eventually(&world, "no socket is left", || sockets_to(address.port(), None) == 0).await;
    assert!(client.origins() < 128, "{} origins are known", client.origins());
    Ok(())
}

async fn dropped_at_random<W: Mortal>(world: W) -> Result<(), Failed> {
    runtimes(world, 1).await
}

async fn dropped_at_random_while_tasks_pipeline<W: Mortal>(world: W) -> Result<(), Failed> {
    runtimes(world, 3).await
}

on_both! {
    dropped_at_random
    dropped_at_random_while_tasks_pipeline
}
