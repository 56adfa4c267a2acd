//! Fetches URLs: `fetch [-X METHOD] [-H 'Name: value']… [-d DATA|@FILE] [-o FILE] [-v] [--retry N] [--timeout S]
//! [--cacert FILE] URL…`.
//!
//! One after the other, on one connection where that can be. Content goes to stdout or a file; what takes long shows a
//! bar, on a terminal that the content does not go to. Exit status 0 for any complete responses; 2 for a command line
//! that makes no sense; 3 if no connection could be made, 4 if no response came, 5 if the response was cut short, 6 if
//! it could not be written. No retries and no redirects unless asked for. Proxies are those of the environment. `https`
//! needs `--cacert`, or one of the features that bring roots along.

#[path = "shared/fetch.rs"]
mod fetch;
#[path = "shared/narrate.rs"]
#[allow(dead_code)]
mod narrate;

use http_tokio as engine;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    fetch::run("fetch", http_tokio::network(), http_tokio::TokioRuntime).await
}
