//! How long one request of a client waits while another one of the same thread is flooded, on async-std:
//! `ASYNC_STD_THREAD_COUNT=1 waits-async-std --flood interim|tiny [--secs S]`; as `waits` but for the runtime.

#[path = "shared/args.rs"]
mod args;
#[path = "shared/on_async_std.rs"]
mod on_async_std;
#[path = "shared/waits.rs"]
mod waits;
#[path = "shared/world.rs"]
mod world;

use http_async_std as engine;

fn main() {
    let plan = waits::Plan::parse("waits-async-std");
    async_std::task::block_on(waits::run(on_async_std::AsyncStd, plan));
}
