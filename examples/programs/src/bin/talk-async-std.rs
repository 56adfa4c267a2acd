//! Talks to a WebSocket with `async-tungstenite` on async-std, over this engine's client.
//!
//! `talk-async-std ws://HOST/PATH`: each line of the input is sent, each text that comes is a line of the output. The
//! end of the input says goodbye.

use async_std::io::{BufReader, prelude::BufReadExt, stdin};
use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::Message;
use async_tungstenite::tungstenite::protocol::Role;
use futures_util::{StreamExt, select};
use http_async_std::TunnelStream;
use programs::{Error, websocket};

fn main() -> Result<(), Error> {
    async_std::task::block_on(talk())
}

async fn talk() -> Result<(), Error> {
    let url = std::env::args().nth(1).ok_or("talk-async-std ws://HOST/PATH")?;
    let (request, accept) = websocket::request(&url)?;
    let response = http_async_std::client(Default::default()).request(request).await?;
    let stream = TunnelStream::from(websocket::tunnel(response, &accept).await?);
    let (mut say, heard) = WebSocketStream::from_raw_socket(stream, Role::Client, None).await.split();
    let (mut lines, mut heard) = (BufReader::new(stdin()).lines().fuse(), heard.fuse());
    loop {
        select! {
            line = lines.next() => match line {
                Some(line) => say.send(Message::text(line?)).await?,
                None => say.send(Message::Close(None)).await?,
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
