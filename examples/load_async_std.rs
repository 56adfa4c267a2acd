//! A client that measures, on async-std:
//! `load-async-std --port P --mode seq|conc|bytes|chunked|sink|joined --n N --conns C --size S`
//! `[--level exchange|client]`.
//! Prints one line of JSON. `--mode idle --conns N --pid P` holds connections that wait, and tells what the server,
//! process P, holds for each.

#[path = "shared/args.rs"]
mod args;
#[path = "shared/idle.rs"]
mod idle;
#[path = "shared/load.rs"]
mod load;
#[path = "shared/on_async_std.rs"]
mod on_async_std;
#[path = "shared/world.rs"]
mod world;

use http_async_std as engine;

fn main() {
    let plan = load::Plan::parse("load-async-std");
    async_std::task::block_on(load::run(on_async_std::AsyncStd, plan));
}
