//! Fetches URLs, on async-std: the same options as `fetch`.

#[path = "shared/fetch.rs"]
mod fetch;
#[path = "shared/narrate.rs"]
#[allow(dead_code)]
mod narrate;

use http_async_std as engine;
use std::process::ExitCode;

fn main() -> ExitCode {
    let network = http_async_std::network();
    async_std::task::block_on(fetch::run("fetch-async-std", network, http_async_std::AsyncStdRuntime))
}
