//! A tour of the engine on async-std: `cargo run --release -p http-async-std --example tour-async-std`.

#[path = "shared/narrate.rs"]
mod narrate;
#[path = "shared/on_async_std.rs"]
mod on_async_std;
#[path = "shared/routes.rs"]
mod routes;
#[path = "shared/tour.rs"]
mod tour;
#[path = "shared/world.rs"]
mod world;

use http_async_std as engine;
use std::process::ExitCode;

fn main() -> ExitCode {
    if async_std::task::block_on(tour::run(on_async_std::AsyncStd)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
