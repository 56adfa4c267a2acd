//! Other libraries' servers: `tokio-tungstenite` and `async-tungstenite` on our own tunnels, `fastwebsockets` on
//! hyper's upgrade.

use std::convert::Infallible;
use std::net::SocketAddr;

use async_tungstenite::tungstenite::handshake::server::create_response_with_body;
use async_tungstenite::tungstenite::protocol::Role;
use async_tungstenite::tungstenite::{Error, Message};
use fastwebsockets::{FragmentCollector, OpCode};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use http::{Request, Response};
use http_driver::{Full, Incoming, Runtime, Tunnel, Upgrade};

use crate::sockets::servers::{Running, server};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually, on_async_std, on_tokio};

/// A server that answers the handshake, and has `echo` do the rest.
async fn websockets<W, F, A>(world: &W, echo: F) -> std::io::Result<Running>
where
    W: World,
    F: Fn(Tunnel) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let runtime = world.runtime();
    let service = move |request: Request<Incoming>| {
        let (echo, mut request) = (echo.clone(), request.map(drop));
        let upgrade = request.extensions_mut().remove::<Upgrade>().unwrap();
        runtime.spawn(async move { echo(upgrade.await.unwrap()).await });
        let response: Response<Full> = create_response_with_body(&request, Full::default).unwrap();
        async { Ok::<_, Infallible>(response) }
    };
    Running::start(world, server(world), service).await
}

async fn echo(mut socket: impl Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin) {
    // The answer to `Close` is the library's.
    while let Some(Ok(said)) = socket.next().await {
        if !said.is_close() && socket.send(said).await.is_err() {
            break;
        }
    }
}

/// A client's half of the conversation.
async fn converse(
    mut socket: impl Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin,
) -> Outcome {
    let large = (0..16 << 20).map(|n| (n * 31 % 251) as u8).collect::<Vec<_>>();
    for said in [Message::text("hi"), Message::binary(vec![]), Message::binary(large)] {
        socket.send(said.clone()).await?;
        assert!(socket.next().await.ok_or("nothing")?? == said);
    }
    socket.send(Message::Close(None)).await?;
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(None)))));
    assert!(socket.next().await.is_none());
    Ok(())
}

fn url(address: SocketAddr) -> String {
    format!("ws://{address}/")
}

#[tokio::test]
async fn tokio_tungstenite_serves_on_a_tunnel() -> Outcome {
    let running = websockets(&on_tokio::Tokio, |tunnel| async {
        let stream = http_tokio::TunnelStream::from(tunnel);
        echo(tokio_tungstenite::WebSocketStream::from_raw_socket(stream, Role::Server, None).await).await;
    })
    .await?;
    let stream = tokio::net::TcpStream::connect(running.address).await?;
    converse(tokio_tungstenite::client_async(url(running.address), stream).await?.0).await?;
    eventually(&on_tokio::Tokio, "nothing is left", || running.shutdown.connections() == 0).await;
    Ok(())
}

#[tokio::test]
async fn fastwebsockets_takes_hypers_upgrade() -> Outcome {
    let service = |mut request: Request<Incoming>| async move {
        let (response, upgrade) = fastwebsockets::upgrade::upgrade(&mut request)?;
        tokio::spawn(async move {
            let mut socket = FragmentCollector::new(upgrade.await.unwrap());
            // The answer to `Close` is the library's.
            while let Ok(said) = socket.read_frame().await {
                if said.opcode == OpCode::Close || socket.write_frame(said).await.is_err() {
                    break;
                }
            }
        });
        Ok::<_, fastwebsockets::WebSocketError>(response)
    };
    let running = Running::start(&on_tokio::Tokio, server(&on_tokio::Tokio), service).await?;
    let stream = tokio::net::TcpStream::connect(running.address).await?;
    converse(tokio_tungstenite::client_async(url(running.address), stream).await?.0).await?;
    eventually(&on_tokio::Tokio, "nothing is left", || running.shutdown.connections() == 0).await;
    Ok(())
}

#[test]
fn async_tungstenite_serves_on_a_tunnel() -> Outcome {
    async_std::task::block_on(async {
        let running = websockets(&on_async_std::AsyncStd, |tunnel| async {
            let stream = http_async_std::TunnelStream::from(tunnel);
            echo(async_tungstenite::WebSocketStream::from_raw_socket(stream, Role::Server, None).await).await;
        })
        .await?;
        let stream = async_std::net::TcpStream::connect(running.address).await?;
        converse(async_tungstenite::client_async(url(running.address), stream).await?.0).await?;
        eventually(&on_async_std::AsyncStd, "nothing is left", || running.shutdown.connections() == 0).await;
        Ok(())
    })
}
