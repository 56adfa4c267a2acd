//! How long one peer waits while another one of the same thread is flooded, on tokio:
//! `waits --flood gets|echoes|chunks|busy --port P [--pid P] [--secs S]` asks a server and tells it to end,
//! `waits --flood interim|tiny` measures a client. Prints p50, p99 and the longest wait in ms; ends with 1 if p99 is
//! more than 20 ms above that alone.

#[path = "shared/args.rs"]
mod args;
#[path = "shared/on_tokio.rs"]
mod on_tokio;
#[path = "shared/waits.rs"]
mod waits;
#[path = "shared/world.rs"]
mod world;

use http_tokio as engine;

fn main() {
    let plan = waits::Plan::parse("waits");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(waits::run(on_tokio::Tokio, plan));
}
