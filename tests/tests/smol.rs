//! Server and client on smol, over both kinds of sockets: what `http-async-std` has ready for it.
#![cfg(unix)]

use std::convert::Infallible;
use std::io::{Read, Write};
use std::time::Duration;

use http::{Request, Response};
use http_async_std::smol::{Server, SmolRuntime, client, network};
use http_async_std::{Full, Incoming, Peer, service_fn};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Sends back the path and what it is sent.
async fn echo(request: Request<Incoming>) -> Result<Response<Full>, Infallible> {
    let path = request.uri().path().to_owned();
    let content = request.into_body().text(1 << 20).await.unwrap();
    Ok(Response::new(Full::from(path + &content)))
}

#[test]
fn a_client_and_a_server_on_smol_talk_and_end() -> Outcome {
    smol::block_on(async {
        let listener = smol::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = Server::new();
        let shutdown = server.shutdown();
        let serving = smol::spawn(server.serve(listener, service_fn(echo)));
        let client = client(Default::default());
        for n in 0..10 {
            let content = "x".repeat(n * 1000);
            let request = Request::post(format!("http://localhost:{}/{n}", address.port())).body(content.clone())?;
            let answer = client.request(request).await?.into_body().text(1 << 20).await?;
            assert_eq!(answer, format!("/{n}{content}"));
        }
        assert_eq!(client.counts().idle, 1);
        shutdown.begin();
        assert_eq!(serving.await.served, 10);
        // Nobody listens any more.
        let request = Request::get(format!("http://{address}/")).body(())?;
        assert!(client.request(request).await.unwrap_err().is_connect());
        Ok(())
    })
}

#[test]
fn peers_are_known_and_unix_sockets_are_served_on_smol() -> Outcome {
    smol::block_on(async {
        let listener = smol::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let peers = |_: &_, peer: &Peer| {
            let told = peer.address?.to_string();
            Some(service_fn(move |_: Request<Incoming>| {
                let told = told.clone();
                async move { Ok::<_, Infallible>(Response::new(Full::from(told))) }
            }))
        };
        smol::spawn(Server::new().serve_with(listener, peers)).detach();
        let (own, answer) = smol::unblock(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            (stream.local_addr().unwrap().to_string(), answer)
        })
        .await;
        assert!(answer.ends_with(&own), "{answer}");

        let path = std::env::temp_dir().join(format!("smol-{}", std::process::id()));
        let listener = smol::net::unix::UnixListener::bind(&path)?;
        smol::spawn(Server::new().serve(listener, service_fn(echo))).detach();
        let client = http_async_std::client::Builder::new().build(network().unix("there", &path), SmolRuntime);
        let answer = client.request(Request::get("http://there/path").body(())?).await?;
        assert_eq!(answer.into_body().text(1000).await?, "/path");
        std::fs::remove_file(path)?;
        Ok(())
    })
}
