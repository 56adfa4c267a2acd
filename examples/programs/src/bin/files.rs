//! Files of a folder: `files [--folder PATH] [--port N]`.
//!
//! Ranges, conditional requests, types and files that are packed already (`page.html.gz`) are the work of `tower-http`.

#[path = "../../../shared/args.rs"]
mod args;

use programs::{Error, listen, server};
use tower_http::services::ServeDir;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let usage = "files [--folder PATH] [--port N]";
    let args = args::Args::parse(usage, &["folder", "port"]);
    let service = ServeDir::new(args.get(usage, "folder", ".".to_owned())).precompressed_gzip();
    let listener = listen("http", args.get(usage, "port", 0)).await?;
    println!("{:?}", server()?.serve(listener, service).await);
    Ok(())
}
