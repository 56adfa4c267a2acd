//! The longest time that can be said means for ever, wherever a time can be set, on either adapter.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::task::Poll;
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_core::Config;
use http_core::dispatch::{Backoff, Circuit, Policy};
use http_driver::client::{Builder, Proxies, RequestOptions, SocketOptions};
use http_driver::server::Server;
use http_driver::{Full, Incoming, Runtime, Timer};

use crate::sockets::clients::{Networked, content};
use crate::sockets::site::Site;
use crate::sockets::strangers::{dial, stranger};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

const EVER: Duration = Duration::MAX;

/// Every time of a configuration, and the rate that has a connection look at them.
fn config() -> Config {
    let mut config = Config::default();
    let times = &mut config.timeouts;
    times.head = EVER;
    times.content = EVER;
    times.write = Some(EVER);
    times.content_grace = EVER;
    times.idle = EVER;
    times.expect = EVER;
    times.linger = EVER;
    config
}

/// Every time of a policy.
fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.connect_timeout = Some(EVER);
    policy.backoff = Backoff::new(EVER, EVER);
    policy.circuit = Some(Circuit::new(3, EVER));
    policy.retry_after = Some(EVER);
    policy.idle_timeout = Some(EVER);
    policy.lifetime = Some(EVER);
    policy.fresh_after_idle = Some(EVER);
    policy.surplus_timeout = EVER;
    policy
}

async fn echo(request: Request<Incoming>) -> Result<Response<Full>, Infallible> {
    Ok(Response::new(Full::from(content(request.into_body()).await.unwrap())))
}

/// The farthest instant that the clock of this platform has.
fn farthest() -> Instant {
    let (mut at, mut step) = (Instant::now(), Duration::from_secs(1 << 62));
    while !step.is_zero() {
        while let Some(next) = at.checked_add(step) {
            at = next;
        }
        step /= 2;
    }
    at
}

async fn exchanges<W: Networked>(site: Site<W>) -> Outcome {
    let world = &site.world;
    let server = Server::on(world.runtime()).config(config()).drain(EVER).handshake_timeout(EVER);
    let running = site.serve(server, echo).await?;
    let mut options = SocketOptions::default();
    (options.keepalive, options.keepalive_interval, options.user_timeout) = (Some(EVER), Some(EVER), Some(EVER));
    let network = site.network().socket(options).attempt_delay(EVER);
    let network = network.tls_timeout(EVER);
    let builder = Builder::new().config(config()).policy(policy()).timeout(EVER).response_timeout(EVER);
    let builder = builder.read_timeout(EVER).write_timeout(EVER).pool_idle_timeout(EVER).retry_after(EVER);
    let builder = builder.connect_timeout(EVER).pool_max_lifetime(EVER).fresh_after_idle(EVER);
    let builder = builder.place_timeout(EVER).pool_surplus_timeout(EVER);
    let client = site.over(builder, network);
    let far = farthest();
    for option in [
        RequestOptions::new(),
        RequestOptions::new().timeout(EVER).response_timeout(EVER).read_timeout(EVER).retry_after(EVER),
        RequestOptions::new().deadline(far),
        RequestOptions::new().expect_continue(true).fresh_connection(true),
    ] {
        let mut request = Request::post(site.uri(running.address, "/")).body(Full::from("abc"))?;
        request.extensions_mut().insert(option);
        assert_eq!(content(client.request(request).await?.into_body()).await?, b"abc");
    }
    // Whoever says nothing is waited for.
    let silent = dial(running.address);
    silent.set_read_timeout(Some(Duration::from_millis(300)))?;
    let waited = stranger(world, move || (&silent).read(&mut [0]).unwrap_err().kind()).await;
    assert!(matches!(waited, std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "{waited:?}");
    let drained = client.shutdown().finish(EVER).await;
    assert_eq!((drained.failed, drained.cut), (0, 0));
    running.shutdown.begin();
    let (report, keep) = (running.report, running.shutdown.clone());
    let report = stranger(world, move || report.recv_timeout(Duration::from_secs(5)).unwrap()).await;
    assert_eq!((report.cut_connections, report.cut_exchanges), (0, 0));
    eventually(world, "no connection is left", || keep.connections() == 0).await;
    Ok(())
}

/// Where no time-out ends what stands still, the test has one.
async fn in_time<W: World>(world: &W, scenario: impl Future<Output = Outcome>) -> Outcome {
    let (mut scenario, mut late) = (std::pin::pin!(scenario), std::pin::pin!(world.sleep(Duration::from_secs(20))));
    poll_fn(|cx| match scenario.as_mut().poll(cx) {
        Poll::Pending => late.as_mut().poll(cx).map(|()| Err("it stands still".into())),
        done => done,
    })
    .await
}

async fn c22_every_time_may_be_for_ever<W: Networked>(world: W) -> Outcome {
    in_time(&world.clone(), exchanges(Site::plain(world))).await
}

async fn c22_every_time_may_be_for_ever_under_tls<W: Networked>(world: W) -> Outcome {
    in_time(&world.clone(), exchanges(Site::secured(world))).await
}

/// A drain that is to last for ever waits for the exchange that is open.
async fn c22_a_drain_without_end_waits<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let (world, sleeper) = (&site.world, site.world.clone());
    let slow = move |_: Request<Incoming>| {
        let world = sleeper.clone();
        async move {
            world.sleep(Duration::from_millis(400)).await;
            Ok::<_, Infallible>(Response::new(Full::from("late")))
        }
    };
    let running = site.serve(Server::on(world.runtime()).drain(EVER), slow).await?;
    let client = site.client(Builder::new());
    let answer = client.request(Request::get(site.uri(running.address, "/")).body(Full::default())?);
    let mut answer = std::pin::pin!(answer);
    let begun = running.shutdown.clone();
    poll_fn(|cx| match answer.as_mut().poll(cx) {
        Poll::Pending if begun.exchanges() == 0 => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        _ => Poll::Ready(()),
    })
    .await;
    running.shutdown.begin();
    assert_eq!(content(answer.await?.into_body()).await?, b"late");
    drop(client);
    let report = running.report;
    let report = stranger(world, move || report.recv_timeout(Duration::from_secs(5)).unwrap()).await;
    assert_eq!((report.cut_connections, report.cut_exchanges, report.served), (0, 0, 1));
    Ok(())
}

/// Every method that takes a time is called above.
#[test]
fn c22_no_time_is_left_out() {
    let here = include_str!("forever.rs");
    for source in [
        include_str!("../../../http-driver/src/client/builder.rs"),
        include_str!("../../../http-driver/src/client/options.rs"),
        include_str!("../../../http-driver/src/client/shutdown.rs"),
        include_str!("../../../http-driver/src/client/network/mod.rs"),
    ] {
        let public = source.lines().filter_map(|line| line.trim_start().strip_prefix("pub "));
        for line in public.filter(|line| line.contains("fn ") && line.contains("Duration")) {
            let name = line.split("fn ").nth(1).and_then(|rest| rest.split(['(', '<']).next()).unwrap();
            assert!(here.contains(&format!(".{name}(EVER)")), "{name} may be for ever, and nobody tries it");
        }
    }
}

/// On the way through proxies as well.
async fn c22_proxies_may_take_for_ever<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let running = site.serve(Server::on(site.world.runtime()), echo).await?;
    // One that says what is to be said, and asks nobody: what comes is for our own server.
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let (proxy, server) = (listener.local_addr()?, running.address);
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.read_exact(&mut [0; 3]).unwrap();
        client.write_all(&[5, 0]).unwrap();
        client.read_exact(&mut [0; 10]).unwrap();
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        let mut far = std::net::TcpStream::connect(server).unwrap();
        let (mut back, mut forth) = (far.try_clone().unwrap(), client.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut back, &mut forth));
        let _ = std::io::copy(&mut client, &mut far);
    });
    let network = site.network().proxies(Proxies::all(format!("socks5://{proxy}").parse()?));
    let client = site.over(Builder::new().config(config()).policy(policy()), network.attempt_delay(EVER));
    let request = Request::post("http://192.0.2.1/").body("abc")?;
    let asked = async {
        assert_eq!(client.request(request).await?.into_body().text(9).await?, "abc");
        Ok(())
    };
    in_time(&site.world, asked).await
}

/// An address that does not answer delays no other, however long it may take alone.
async fn c22_the_next_address_is_tried_when_one_fails<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let running = site.serve(Server::on(site.world.runtime()), echo).await?;
    let refused = SocketAddr::from(([127, 0, 0, 2], 0));
    let network = site.network().resolve("two", [refused, SocketAddr::from(([127, 0, 0, 1], 0))]).attempt_delay(EVER);
    let client = site.over(Builder::new(), network);
    let uri = format!("http://two:{}/", running.address.port());
    let answer = client.request(Request::post(uri).body(Full::from("abc"))?).await?;
    assert_eq!(content(answer.into_body()).await?, b"abc");
    Ok(())
}

/// A timer takes every instant that there is.
async fn c22_timers_take_every_instant<W: World>(world: W) -> Outcome {
    let runtime = world.runtime();
    let (now, far) = (runtime.now(), farthest());
    for at in [far, now + Duration::from_secs(60 * 60 * 24 * 365 * 30), now + Duration::from_secs(1 << 31)] {
        let mut timer = runtime.timer(at);
        let mut set = runtime.timer(now);
        set.reset(at);
        for timer in [&mut timer, &mut set] {
            let waits = poll_fn(|cx| Poll::Ready(timer.poll(cx).is_pending())).await;
            assert!(waits, "{at:?}");
        }
        world.sleep(Duration::from_millis(20)).await;
        for timer in [&mut timer, &mut set] {
            let waits = poll_fn(|cx| Poll::Ready(timer.poll(cx).is_pending())).await;
            assert!(waits, "{at:?}");
            // And it can be set to come soon.
            timer.reset(runtime.now() + Duration::from_millis(5));
            poll_fn(|cx| timer.poll(cx)).await;
        }
    }
    Ok(())
}

on_both! {
    c22_every_time_may_be_for_ever
    c22_every_time_may_be_for_ever_under_tls
    c22_a_drain_without_end_waits
    c22_proxies_may_take_for_ever
    c22_the_next_address_is_tried_when_one_fails
    c22_timers_take_every_instant
}
