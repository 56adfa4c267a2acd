//! Talks to a WebSocket with `tokio-tungstenite`, over this engine's client: `talk ws://HOST/PATH`.
//!
//! Each line of the input is sent, each text that comes is a line of the output. The end of the input says goodbye.

use futures_util::{SinkExt, StreamExt};
use http_tokio::TunnelStream;
use programs::{Error, websocket};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).ok_or("talk ws://HOST/PATH")?;
    let (request, accept) = websocket::request(&url)?;
    let response = http_tokio::client(Default::default()).request(request).await?;
    let stream = TunnelStream::from(websocket::tunnel(response, &accept).await?);
    let (mut say, mut heard) = WebSocketStream::from_raw_socket(stream, Role::Client, None).await.split();
    // A thread of its own, that nobody waits for when the other side has said goodbye.
    let (line, mut lines) = mpsc::channel(1);
    std::thread::spawn(move || std::io::stdin().lines().all(|it| line.blocking_send(it).is_ok()));
    let mut is_talking = true;
    loop {
        tokio::select! {
            line = lines.recv(), if is_talking => match line {
                Some(line) => say.send(Message::text(line?)).await?,
                None => {
                    is_talking = false;
                    say.send(Message::Close(None)).await?;
                }
            },
            message = heard.next() => match message {
                Some(Ok(Message::Text(text))) => println!("{text}"),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            },
        }
    }
}
