//! Asks for a URL again and again, and tells how long that took: `measure --url URL [--requests N] [--connections C]`.
//!
//! A bar shows how far it is, on a terminal. What is told at the end counts from when a request is made to when its
//! response is read whole, the first ones with their connections included.

#[path = "../../../shared/args.rs"]
mod args;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use hdrhistogram::Histogram;
use http::{Request, Uri};
use http_body_util::BodyExt;
use http_tokio::client::Builder;
use http_tokio::core::dispatch::Policy;
use http_tokio::{Client, TokioRuntime, network};
use indicatif::{ProgressBar, ProgressStyle};
use programs::Error;
use tokio::task::JoinSet;

/// What one of those who ask has seen.
struct Seen {
    /// In microseconds.
    latencies: Histogram<u64>,
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
    let (mut asking, began) = (JoinSet::new(), Instant::now());
    for _ in 0..connections {
        asking.spawn(ask(client.clone(), url.clone(), left.clone(), bar.clone()));
    }
    let mut all = Seen::nothing()?;
    while let Some(seen) = asking.join_next().await {
        all.add(seen??)?;
    }
    let secs = began.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let answered = all.latencies.len();
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
    for (name, quantile) in [("50 %", 0.5), ("90 %", 0.9), ("99 %", 0.99), ("99.9 %", 0.999), ("all", 1.0)] {
        println!("{name:>9} within {:>9.3} ms", all.latencies.value_at_quantile(quantile) as f64 / 1000.0);
    }
    Ok(())
}

async fn ask(client: Client, url: Uri, left: Arc<AtomicU64>, bar: ProgressBar) -> Result<Seen, Error> {
    let mut seen = Seen::nothing()?;
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let began = Instant::now();
        let answered: Result<_, Error> = async {
            let (parts, body) = client.request(Request::get(url.clone()).body(())?).await?.into_parts();
            Ok((parts.status.as_u16(), body.collect().await?.to_bytes().len() as u64))
        }
        .await;
        match answered {
            Ok((status, length)) => {
                seen.latencies.record(u64::try_from(began.elapsed().as_micros())?)?;
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
    fn nothing() -> Result<Self, Error> {
        let (statuses, failures) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { latencies: Histogram::new(3)?, statuses, failures, bytes: 0 })
    }

    fn add(&mut self, other: Self) -> Result<(), Error> {
        self.latencies.add(other.latencies)?;
        self.bytes += other.bytes;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        for (failure, count) in other.failures {
            *self.failures.entry(failure).or_default() += count;
        }
        Ok(())
    }
}
