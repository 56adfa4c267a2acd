//! Asks for a URL again and again, and tells how long that took: `measure --url URL [--requests N] [--connections C]`.
//!
//! A bar shows how far it is, on a terminal. What is told at the end counts from when a request is made to when its
//! response is read whole, the first ones with their connections included: within what time how many were over, and
//! how many took how long.

#[path = "../../../shared/args.rs"]
mod args;
#[path = "../../../shared/latencies.rs"]
mod latencies;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use http::{Request, Uri};
use http_body_util::BodyExt;
use http_tokio::client::Builder;
use http_tokio::core::dispatch::Policy;
use http_tokio::{Client, TokioRuntime, network};
use indicatif::{ProgressBar, ProgressStyle};
use programs::Error;
use tokio::task::JoinSet;

/// What one of those who ask has seen.
#[derive(Default)]
struct Seen {
    statuses: BTreeMap<u16, u64>,
    failures: BTreeMap<String, u64>,
    bytes: u64,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let usage = "measure --url URL [--requests N] [--connections C]";
    let args = args::Args::parse(usage, &["url", "requests", "connections"]);
    let (requests, connections) = (args.get(usage, "requests", 1000), args.get(usage, "connections", 8));
    let url: Uri = args.get(usage, "url", Uri::default());
    if url.scheme_str() != Some("http") || connections == 0 {
        args::fail(usage, "--url begins with http:, and there is a connection");
    }
    let policy = Policy::default().connections_per_origin(connections);
    let client = Builder::new().policy(policy).build(network(), TokioRuntime);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec}, {eta} left")?;
    let (bar, left) = (ProgressBar::new(requests).with_style(style), Arc::new(AtomicU64::new(requests)));
    let latencies = Arc::<Mutex<latencies::Latencies>>::default();
    let (mut asking, began) = (JoinSet::new(), Instant::now());
    for _ in 0..connections {
        asking.spawn(ask(client.clone(), url.clone(), left.clone(), bar.clone(), latencies.clone()));
    }
    let mut all = Seen::default();
    while let Some(seen) = asking.join_next().await {
        all.add(seen??);
    }
    let secs = began.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let answered: u64 = all.statuses.values().sum();
    println!(
        "{answered} of {requests} answered, {} bytes, in {secs:.3} s: {:.0} a second",
        all.bytes,
        answered as f64 / secs
    );
    for (status, count) in &all.statuses {
        println!("{count:>9} with {status}");
    }
    for (failure, count) in &all.failures {
        println!("{count:>9} failed: {failure}");
    }
    print!("{}", latencies.lock().expect("nothing panics under this lock"));
    Ok(())
}

async fn ask(
    client: Client,
    url: Uri,
    left: Arc<AtomicU64>,
    bar: ProgressBar,
    latencies: Arc<Mutex<latencies::Latencies>>,
) -> Result<Seen, Error> {
    let mut seen = Seen::default();
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let began = Instant::now();
        let answered: Result<_, Error> = async {
            let (parts, body) = client.request(Request::get(url.clone()).body(())?).await?.into_parts();
            Ok((parts.status.as_u16(), body.collect().await?.to_bytes().len() as u64))
        }
        .await;
        match answered {
            Ok((status, length)) => {
                latencies.lock().expect("nothing panics under this lock").record(began.elapsed());
                *seen.statuses.entry(status).or_default() += 1;
                seen.bytes += length;
            }
            Err(error) => *seen.failures.entry(error.to_string()).or_default() += 1,
        }
        bar.inc(1);
    }
    Ok(seen)
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        for (failure, count) in other.failures {
            *self.failures.entry(failure).or_default() += count;
        }
    }
}
