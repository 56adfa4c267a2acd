//! Nobody sleeps while its input is there: many clients, whose content is read frame by frame, and whose connections
//! end as often as not. A wake-up that is lost shows as a request that stands until its client gives it up.
//!
//! `AWAKE_REQUESTS` sets how many requests there are, `AWAKE_SEED` repeats a run as far as the clock allows.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_core::dispatch::Policy;
use http_driver::Incoming;
use http_driver::client::Builder;

use crate::crowd::crowd;
use crate::random::Random;
use crate::sockets::clients::{Networked, content};
use crate::sockets::servers::server;
use crate::sockets::site::Site;
use crate::{ClientOf, Failed, note, setting};

/// Requests at a time, on half as many connections.
const CLIENTS: usize = 48;

/// Whoever has no answer by then has stood still: on a busy machine too, half a second is long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Chunks, each of which may be a moment late.
struct Chunks {
    left: Bytes,
    chance: Random,
    rested: bool,
}

impl Chunks {
    fn of(length: usize, chance: Random) -> Self {
        Self { left: Bytes::from(vec![b'x'; length]), chance, rested: false }
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !self.rested && self.chance.below(2) == 0 {
            self.rested = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.rested = false;
        let size = self.left.len().min(1 + self.chance.below(3000) as usize);
        Poll::Ready((size > 0).then(|| Ok(Frame::data(self.left.split_to(size)))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// Sends one request and holds the answer to what was sent.
async fn one<W: Networked>(client: &ClientOf<W>, uri: &str, mut chance: Random) -> Result<(), Failed> {
    let length = [0, 5, 700, 20_000][chance.below(4) as usize];
    let mut request = Request::post(uri);
    if chance.below(2) == 0 {
        request = request.header("connection", "close");
    }
    let response = client.request(request.body(Chunks::of(length, chance))?).await?;
    assert_eq!(response.status(), 200);
    assert_eq!(content(response.into_body()).await?.len(), length);
    Ok(())
}

async fn awake<W: Networked>(site: Site<W>) -> Result<(), Failed> {
    let seed = setting("AWAKE_SEED").unwrap_or(1);
    let requests = setting("AWAKE_REQUESTS").unwrap_or(1500);
    let service = |request: Request<Incoming>| async move {
        let (mut body, mut length) = (request.into_body(), 0);
        while let Some(frame) = body.frame().await {
            length += frame?.data_ref().map_or(0, Bytes::len);
        }
        Ok::<_, http_driver::Error>(Response::new(Chunks::of(length, Random::new(length as u64))))
    };
    let running = site.serve(server(&site.world), service).await?;
    let policy = Policy::default().connections_per_origin(CLIENTS / 2).request_retries(0);
    let client = site.client(Builder::new().policy(policy).timeout(PATIENCE));
    let uri = site.uri(running.address, "/");
    let (failed, longest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let ask = {
        let (failed, longest) = (failed.clone(), longest.clone());
        move |id| {
            let (client, uri, failed, longest) = (client.clone(), uri.clone(), failed.clone(), longest.clone());
            async move {
                let began = Instant::now();
                if let Err(error) = one::<W>(&client, &uri, Random::new(seed << 32 ^ id)).await {
                    println!("request {id} failed after {:?}: {error}", began.elapsed());
                    note(&failed);
                }
                longest.fetch_max(began.elapsed().as_micros() as usize, Ordering::SeqCst);
            }
        }
    };
    crowd(&site.world, CLIENTS, requests, ask).await;
    let longest = Duration::from_micros(longest.load(Ordering::SeqCst) as u64);
    let connections = running.accepted();
    println!("seed {seed}: {requests} requests, {connections} connections, {:?}, longest {longest:?}", began.elapsed());
    assert_eq!(failed.load(Ordering::SeqCst), 0, "of {requests} requests, seed {seed}");
    assert!(connections as u64 > requests / 3, "connections ended as often as not");
    Ok(())
}

async fn s27_nobody_sleeps_in_plain<W: Networked>(world: W) -> Result<(), Failed> {
    awake(Site::plain(world)).await
}

async fn s27_nobody_sleeps_over_tls<W: Networked>(world: W) -> Result<(), Failed> {
    awake(Site::secured(world)).await
}

on_both! {
    s27_nobody_sleeps_in_plain
    s27_nobody_sleeps_over_tls
}
