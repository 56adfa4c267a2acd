//! A client that measures, on tokio: `load --port P --mode seq|conc|bytes|chunked|sink|joined --n N --conns C --size S
//! [--level exchange|client] [--show yes|no]`. Prints one line of JSON; where a person looks, or with `--show yes`, a
//! bar while it runs, and behind that line within what time requests were over, and how many took how long. `--mode
//! idle --conns N --pid P` holds connections that wait, and tells what the server, process P, holds for each.

#[path = "shared/args.rs"]
mod args;
#[path = "shared/idle.rs"]
mod idle;
#[path = "shared/latencies.rs"]
mod latencies;
#[path = "shared/load.rs"]
mod load;
#[path = "shared/on_tokio.rs"]
mod on_tokio;
#[path = "shared/watch.rs"]
mod watch;
#[path = "shared/world.rs"]
mod world;

use http_tokio as engine;

fn main() {
    let plan = load::Plan::parse("load");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(load::run(on_tokio::Tokio, plan));
}
