//! A client that measures, on async-std: the same options as `load`.

#[path = "shared/args.rs"]
mod args;
#[path = "shared/idle.rs"]
mod idle;
#[path = "shared/latencies.rs"]
mod latencies;
#[path = "shared/load.rs"]
mod load;
#[path = "shared/on_async_std.rs"]
mod on_async_std;
#[path = "shared/watch.rs"]
mod watch;
#[path = "shared/world.rs"]
mod world;

use http_async_std as engine;

fn main() {
    let plan = load::Plan::parse("load-async-std");
    async_std::task::block_on(load::run(on_async_std::AsyncStd, plan));
}
