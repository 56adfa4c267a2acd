//! TLS whose certificates are changed while it serves: `secure --cert FILE --key FILE [--port N]`.
//!
//! At SIGHUP the files are read again. Connections from then on see what is in them; open ones go on. What cannot be
//! read changes nothing.

#[path = "../../../shared/args.rs"]
mod args;

use std::convert::Infallible;

use http::{Request, Response};
use http_tokio::tls::{TlsAcceptor, server_config};
use http_tokio::{Full, Incoming, service_fn};
use programs::{Error, listen, server};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let usage = "secure --cert FILE --key FILE [--port N]";
    let args = args::Args::parse(usage, &["cert", "key", "port"]);
    let [cert, key] = ["cert", "key"].map(|name| args.get(usage, name, String::new()));
    let read = move || -> Result<_, Error> { Ok(server_config(&std::fs::read(&cert)?, &std::fs::read(&key)?)?) };
    let acceptor = TlsAcceptor::new(read().unwrap_or_else(|error| args::fail(usage, &error.to_string())));
    let mut hang_up = signal(SignalKind::hangup())?;
    let reloaded = acceptor.clone();
    tokio::spawn(async move {
        while hang_up.recv().await.is_some() {
            match read() {
                Ok(config) => {
                    reloaded.reload(config);
                    println!("the certificates were read again");
                }
                Err(error) => println!("the certificates stay as they were: {error}"),
            }
        }
    });
    let listener = listen("https", args.get(usage, "port", 0)).await?;
    let hello = service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::from("Hello\n"))) });
    println!("{:?}", server()?.serve(acceptor.listen(listener), hello).await);
    Ok(())
}
