//! One client on one runtime of tokio's after another: no outcome hangs on a runtime that is gone, or that nobody
//! turns.

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Request;
use http_body::Body;
use http_driver::client::{Builder, Client, ConnectError, Connector, Origin, RequestOptions};
use http_tokio::TokioRuntime;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::sockets::Outcome;
use crate::sockets::bodies::{Then, Told};
use crate::sockets::clients::{begun, content, get};
use crate::sockets::paths::{Paths, SLOW};

const SOON: Duration = Duration::from_secs(5);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn asks(client: &http_tokio::Client, paths: &Paths, path: &str) -> Outcome {
    let response = timeout(SOON, client.request(get(paths.address, path))).await??;
    assert_eq!(content(response.into_body()).await?, path.as_bytes());
    Ok(())
}

/// A future that was polled once on a runtime.
fn begun_on<F: Future + Unpin>(runtime: &Runtime, future: F) -> F {
    let _here = runtime.enter();
    begun(future)
}

fn client(builder: Builder) -> http_tokio::Client {
    http_tokio::client(builder)
}

#[test]
fn a_client_in_a_static_goes_through_ten_runtimes() -> Outcome {
    static CLIENT: OnceLock<http_tokio::Client> = OnceLock::new();
    let paths = Paths::start()?;
    for _ in 0..10 {
        let (runtime, client) = (runtime(), CLIENT.get_or_init(|| client(Builder::new())));
        runtime.block_on(async {
            for _ in 0..3 {
                asks(client, &paths, "/a").await?;
            }
            Outcome::Ok(())
        })?;
        drop(runtime);
        // What idled there is gone with it.
        assert_eq!(client.counts().idle, 0);
    }
    assert_eq!(paths.accepted(), 10);
    Ok(())
}

#[test]
fn the_other_runtime_lives_and_is_not_turned() -> Outcome {
    let paths = Paths::start()?;
    let client = client(Builder::new());
    let (first, second) = (runtime(), runtime());
    // It waits for a connection that is being made there.
    let waiting = begun_on(&first, client.request(get(paths.address, "/b")));
    second.block_on(async {
        // It goes on wherever it is waited for.
        let response = timeout(SOON, waiting).await??;
        assert_eq!(content(response.into_body()).await?, b"/b");
        Outcome::Ok(())
    })?;
    first.block_on(asks(&client, &paths, "/c"))?;
    // It is on its way on a connection of that runtime, which wakes nobody: it has its end in time all the same.
    let mut request = get(paths.address, "/d");
    request.extensions_mut().insert(RequestOptions::new().timeout(Duration::from_millis(300)));
    let open = begun_on(&first, client.request(request));
    second.block_on(async {
        let error = timeout(SOON, open).await?.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        for _ in 0..3 {
            asks(&client, &paths, "/e").await?;
        }
        Outcome::Ok(())
    })?;
    first.block_on(asks(&client, &paths, "/d"))
}

#[test]
fn the_runtime_is_dropped_with_a_request_open() -> Outcome {
    let paths = Paths::start()?;
    let client = client(Builder::new().retries(0));
    let (first, second) = (runtime(), runtime());
    let mut open = Box::pin(client.request(get(paths.address, "/stuck")));
    first.block_on(async {
        let _ = timeout(Duration::from_millis(200), &mut open).await;
    });
    assert_eq!(paths.asked(), 1);
    drop(first);
    let error = second.block_on(async { timeout(SOON, open).await })?.unwrap_err();
    assert!(error.is_closed(), "{error}");
    second.block_on(asks(&client, &paths, "/next"))
}

#[test]
fn the_runtime_is_dropped_with_the_response_half_read() -> Outcome {
    let paths = Paths::start()?;
    let client = client(Builder::new());
    let (first, second) = (runtime(), runtime());
    let mut body = first.block_on(async {
        let mut body = timeout(SOON, client.request(get(paths.address, "/half"))).await??.into_body();
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.ok_or("nothing")??;
        assert_eq!(frame.data_ref().map(|data| &data[..]), Some(&b"half"[..]));
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(body)
    })?;
    // Its time-out is what its reader's runtime tells.
    drop(first);
    second.block_on(async {
        let next = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        assert!(timeout(SOON, next).await?.ok_or("it seems complete")?.is_err());
        asks(&client, &paths, "/next").await
    })?;
    drop(body);
    Ok(())
}

/// Never makes a connection.
struct Never;

impl Connector for Never {
    type Transport = <http_tokio::Network as Connector>::Transport;

    async fn connect(&self, _: &Origin) -> Result<Self::Transport, ConnectError> {
        pending().await
    }
}

#[test]
fn the_runtime_is_dropped_while_a_connection_is_made() -> Outcome {
    let client = Client::clone(&Builder::new().build(Never, TokioRuntime));
    let (first, second) = (runtime(), runtime());
    let options = RequestOptions::new().timeout(Duration::from_millis(500));
    let mut request = get(([127, 0, 0, 1], 9).into(), "/");
    request.extensions_mut().insert(options);
    let waiting = begun_on(&first, client.request(request));
    drop(first);
    let outcome = second.block_on(async { timeout(SOON, waiting).await })?;
    assert!(outcome.is_err());
    // Dropped where there is no runtime, nothing happens.
    let dropped = begun_on(&second, client.request(get(([127, 0, 0, 1], 9).into(), "/")));
    drop(second);
    drop(dropped);
    assert_eq!(client.queued(), 0);
    Ok(())
}

/// A client with a single place: who does not give it back keeps everybody else out.
fn client_of_one() -> http_tokio::Client {
    client(Builder::new().max_connections(1))
}

#[test]
fn the_runtime_is_dropped_before_anybody_came_to_make_a_connection() -> Outcome {
    let paths = Paths::start()?;
    let client = client_of_one();
    let (first, second) = (runtime(), runtime());
    let waiting = begun_on(&first, client.request(get(paths.address, "/a")));
    drop(waiting);
    drop(first);
    second.block_on(asks(&client, &paths, "/b"))
}

#[test]
fn the_runtime_is_dropped_before_anybody_came_to_send_on() -> Outcome {
    let paths = Paths::start()?;
    let client = client_of_one();
    let (first, second) = (runtime(), runtime());
    let request = Request::post(format!("http://{}/early", paths.address));
    let request = request.body(Told::pieces(["some"]).then(Then::Wait))?;
    // The rest of the request is for a task to send, which is not polled any more.
    let body = first.block_on(async { timeout(SOON, client.request(request)).await })??.into_body();
    drop(first);
    assert_eq!(client.counts().in_flight, 0);
    second.block_on(async {
        assert!(timeout(SOON, content(body)).await?.is_err(), "it seems complete");
        asks(&client, &paths, "/b").await
    })
}

#[test]
fn who_waits_on_a_runtime_that_is_gone_takes_no_place() -> Outcome {
    let paths = Paths::start()?;
    let client = client_of_one();
    let (first, second) = (runtime(), runtime());
    let waiting = begun_on(&first, client.request(get(paths.address, "/a")));
    let connecting = begun_on(&first, client.request(get(paths.address, "/b")));
    drop(first);
    assert_eq!(client.connections(), 0);
    second.block_on(async {
        asks(&client, &paths, "/c").await?;
        // What waited there goes on where it is waited for.
        for (waiting, path) in [(waiting, "/a"), (connecting, "/b")] {
            let response = timeout(SOON, waiting).await??;
            assert_eq!(content(response.into_body()).await?, path.as_bytes());
        }
        Outcome::Ok(())
    })
}

#[test]
fn the_runtime_is_dropped_with_a_request_on_its_way() -> Outcome {
    let paths = Paths::start()?;
    let client = client_of_one();
    let (first, second) = (runtime(), runtime());
    let mut open = Box::pin(client.request(get(paths.address, "/slow")));
    first.block_on(async {
        let _ = timeout(SLOW / 4, &mut open).await;
    });
    assert_eq!(paths.asked(), 1);
    drop(first);
    second.block_on(async {
        let response = timeout(SOON, open).await??;
        assert_eq!(content(response.into_body()).await?, b"/slow");
        asks(&client, &paths, "/a").await
    })?;
    assert_eq!(paths.asked(), 3);
    Ok(())
}

type Asked = http_driver::client::ResponseFuture<http_tokio::Network, TokioRuntime>;

/// Two requests that were taken in on a runtime, and wait for a connection there.
fn two_taken_in(client: &http_tokio::Client, paths: &Paths, runtime: &Runtime) -> [Asked; 2] {
    ["/a", "/b"].map(|path| begun_on(runtime, client.request(get(paths.address, path))))
}

#[test]
fn a_shutdown_refuses_nothing_that_was_taken_in_and_goes_on_elsewhere() -> Outcome {
    let paths = Paths::start()?;
    for dropped in [true, false] {
        // Where nobody turns the first one, the connection that is being made there keeps its place.
        let client = if dropped { client_of_one() } else { client(Builder::new()) };
        let (first, second) = (runtime(), runtime());
        let taken = two_taken_in(&client, &paths, &first);
        // It begins while they are of the first runtime, which goes then, or is not turned any more.
        let ending = client.shutdown();
        let first = (!dropped).then_some(first);
        second.block_on(async {
            for (taken, content_of) in taken.into_iter().zip(["/a", "/b"]) {
                let response = timeout(SOON, taken).await??;
                assert_eq!(content(response.into_body()).await?, content_of.as_bytes());
            }
            let refused = client.request(get(paths.address, "/c")).await.unwrap_err();
            assert!(refused.to_string().contains("shutting down"), "{refused}");
            Outcome::Ok(())
        })?;
        // With it goes who makes a connection there.
        drop(first);
        let drained = second.block_on(async { timeout(SOON, ending.finish(Duration::MAX)).await })?;
        assert_eq!((drained.answered, drained.cut), (2, 0), "{drained:?}");
    }
    Ok(())
}

#[test]
fn a_shutdown_waits_for_what_is_between_two_runtimes() -> Outcome {
    let paths = Paths::start()?;
    for cut in [false, true] {
        let client = client_of_one();
        let (first, second) = (runtime(), runtime());
        let [one, mut other] = two_taken_in(&client, &paths, &first);
        drop(first);
        let ending = client.shutdown();
        second.block_on(async {
            // One learns that it is to be queued anew, and is not polled again.
            let polled = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut other).poll(cx))).await;
            assert!(polled.is_pending());
            let most = if cut { Duration::from_millis(400) } else { Duration::MAX };
            let mut finished = pin!(ending.finish(most));
            assert!(timeout(Duration::from_millis(20), &mut finished).await.is_err(), "two are open");
            if cut {
                assert_eq!(timeout(SOON, finished).await?.cut, 2);
                // Each has that for its outcome, and nothing is sent any more.
                assert!(timeout(SOON, one).await?.is_err() && timeout(SOON, other).await?.is_err());
                return Outcome::Ok(());
            }
            drop(one);
            assert!(timeout(Duration::from_millis(20), &mut finished).await.is_err(), "one is open");
            drop(other);
            assert_eq!(timeout(SOON, finished).await?.cut, 0);
            Outcome::Ok(())
        })?;
        assert_eq!(paths.asked(), 0);
    }
    Ok(())
}

#[test]
fn without_a_runtime_there_is_an_error() -> Outcome {
    let client = client(Builder::new());
    let waiting = pin!(client.request(get(([127, 0, 0, 1], 9).into(), "/")));
    let Poll::Ready(outcome) = waiting.poll(&mut Context::from_waker(Waker::noop())) else { panic!("it waits") };
    let error = outcome.unwrap_err();
    assert!(error.to_string().contains("runtime"), "{error}");
    assert!(error.is_safe_to_repeat());
    Ok(())
}
