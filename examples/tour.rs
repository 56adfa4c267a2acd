//! A tour of the engine on tokio: `cargo run --release -p http-tokio --example tour`.

#[path = "shared/narrate.rs"]
mod narrate;
#[path = "shared/on_tokio.rs"]
mod on_tokio;
#[path = "shared/routes.rs"]
mod routes;
#[path = "shared/tour.rs"]
mod tour;
#[path = "shared/world.rs"]
mod world;

use http_tokio as engine;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    if tour::run(on_tokio::Tokio).await { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
