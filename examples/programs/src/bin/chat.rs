//! A chat with its page: `chat [--port N]`. What one says over a WebSocket, all hear.

#[path = "../../../shared/args.rs"]
mod args;

use std::convert::Infallible;

use futures_util::{SinkExt, StreamExt};
use http::header::{HOST, ORIGIN};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use http_tokio::server::Shutdown;
use http_tokio::{Incoming, TunnelStream, Upgrade, service_fn};
use programs::{Answer, Error, listen, page, server, text};
use tokio::sync::broadcast::{self, Sender, error::RecvError};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// The longest text that one may say.
const LONGEST: usize = 4096;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let usage = "chat [--port N]";
    let args = args::Args::parse(usage, &["port"]);
    let listener = listen("http", args.get(usage, "port", 0)).await?;
    let server = server()?;
    // Whoever is so many texts behind is told that it missed some.
    let (room, shutdown) = (broadcast::channel(256).0, server.shutdown());
    let service = service_fn(move |request| {
        let answer = answer(request, &room, &shutdown);
        async move { Ok::<_, Infallible>(answer) }
    });
    println!("{:?}", server.serve(listener, service).await);
    Ok(())
}

fn answer(request: Request<Incoming>, room: &Sender<Utf8Bytes>, shutdown: &Shutdown) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => page(include_str!("../pages/chat.html")),
        (&Method::GET, "/chat") => enter(request, room, shutdown),
        _ => text(StatusCode::NOT_FOUND, "there is / and /chat\n"),
    }
}

/// Agrees to a WebSocket, and has it join the room.
fn enter(mut request: Request<Incoming>, room: &Sender<Utf8Bytes>, shutdown: &Shutdown) -> Answer {
    // Pages of other sites can ask browsers for a WebSocket, and only this tells them from ours (RFC 6455 §10.2).
    let field = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let host = field(HOST).unwrap_or_default();
    if field(ORIGIN).is_some_and(|origin| origin.split_once("://").is_none_or(|(_, site)| site != host)) {
        return text(StatusCode::FORBIDDEN, "this is for pages from here\n");
    }
    let Some(upgrade) = request.extensions_mut().remove::<Upgrade>() else {
        return text(StatusCode::UPGRADE_REQUIRED, "this is a WebSocket\n");
    };
    let agreed = create_response_with_body(&request.map(drop), Empty::new);
    let Ok(response) = agreed else { return text(StatusCode::BAD_REQUEST, "this is no handshake\n") };
    let (room, shutdown) = (room.clone(), shutdown.clone());
    tokio::spawn(async move {
        // It comes when the response is on its way. If the peer has left by then, nobody minds.
        let Ok(tunnel) = upgrade.await else { return };
        let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
        let socket = WebSocketStream::from_raw_socket(TunnelStream::from(tunnel), Role::Server, Some(config)).await;
        let _ = take_part(socket, room, shutdown).await;
    });
    response.map(|body| body.map_err(|never| match never {}).boxed_unsync())
}

/// Hears and says, until the peer leaves or the server ends.
async fn take_part(
    mut socket: WebSocketStream<TunnelStream>,
    room: Sender<Utf8Bytes>,
    shutdown: Shutdown,
) -> Result<(), Error> {
    // Who follows is no reason for the shutdown to wait.
    let (mut heard, mut watch) = (room.subscribe(), shutdown.follow());
    loop {
        tokio::select! {
            said = socket.next() => match said {
                // Whether anybody is there to hear it does not matter.
                Some(Ok(Message::Text(said))) => drop(room.send(said)),
                // The library answers pings and goodbyes.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            },
            heard = heard.recv() => match heard {
                Ok(text) => socket.send(Message::Text(text)).await?,
                Err(RecvError::Lagged(missed)) => socket.send(Message::text(format!("({missed} missed)"))).await?,
                Err(RecvError::Closed) => return Ok(()),
            },
            () = watch.begun() => {
                let farewell = CloseFrame { code: CloseCode::Away, reason: "the server ends".into() };
                socket.send(Message::Close(Some(farewell))).await?;
                // Until the peer has said so, too, or the server has waited for long enough.
                while let Some(Ok(_)) = socket.next().await {}
                return Ok(());
            }
        }
    }
}
