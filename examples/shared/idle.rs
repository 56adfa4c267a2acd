//! Connections that wait, as many as wanted, and what they cost a server in another process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::engine::client::Connection;
use super::engine::core::{Content, Method, RequestHead};
use super::engine::{Runtime, Transport};

use super::world::World;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Requests on one more connection while the others wait.
const MEANWHILE: u32 = 1000;

/// Holds `count` connections to a server, before and after a request on each, and prints what the process `pid` holds
/// for one, and how long a request takes on another connection meanwhile.
pub(crate) async fn wait<W: World>(world: &W, address: SocketAddr, count: usize, pid: u32) -> Result<(), Error> {
    let head = RequestHead::new(Method::Get, "/plain")?.with("Host", address.to_string())?;
    let new = || async {
        let stream = world.connect(address).await?;
        Ok::<_, Error>(Connection::new(stream, world.runtime(), Arc::default()))
    };
    // What all connections share is there before they are.
    ask(&mut new().await?, &head).await?;
    let before = settled(world, pid).await?;
    let began = Instant::now();
    let mut waiting = Vec::with_capacity(count);
    for _ in 0..count {
        waiting.push(new().await?);
    }
    let connecting = began.elapsed().as_secs_f64();
    let unused = settled(world, pid).await?;
    for connection in &mut waiting {
        ask(connection, &head).await?;
    }
    let used = settled(world, pid).await?;
    let mut other = new().await?;
    let began = Instant::now();
    for _ in 0..MEANWHILE {
        ask(&mut other, &head).await?;
    }
    let micros = began.elapsed().as_micros() as f64 / f64::from(MEANWHILE);
    // None of them was given up.
    for connection in &mut waiting {
        ask(connection, &head).await?;
    }
    let each = |resident: u64| (resident.saturating_sub(before)) / count as u64;
    println!(
        "{{\"idle\": {count}, \"connect_secs\": {connecting:.3}, \"rss_before\": {before}, \"rss\": {used}, \
         \"bytes_each_unused\": {}, \"bytes_each\": {}, \"request_us_meanwhile\": {micros:.1}}}",
        each(unused),
        each(used)
    );
    Ok(())
}

async fn ask<T: Transport, R: Runtime>(connection: &mut Connection<T, R>, head: &RequestHead) -> Result<(), Error> {
    let mut exchange = connection.send(head, Content::Empty)?;
    let response = exchange.response().await?;
    if !response.status().is_success() {
        return Err(format!("answered {}", response.status()).into());
    }
    Ok(exchange.finish().await?)
}

/// How much memory of a process is resident, in bytes, once it has come to rest.
async fn settled<W: World>(world: &W, pid: u32) -> Result<u64, Error> {
    let mut last = 0;
    for _ in 0..20 {
        world.sleep(Duration::from_millis(200)).await;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no such process")?;
        let now = line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024;
        if now == last {
            break;
        }
        last = now;
    }
    Ok(last)
}
