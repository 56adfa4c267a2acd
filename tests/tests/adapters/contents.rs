//! What requests may have for their content, and how that of a response is read whole, on either adapter.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Either, Empty, Limited, StreamBody};
use http_driver::client::{Builder, Client, Connector, IntoBody};
use http_driver::server::Server;
use http_driver::{Body, Frame, Full, Incoming, ReadError, Runtime};

use crate::sockets::Outcome;
use crate::sockets::clients::Networked;
use crate::sockets::site::Site;

/// Tells how the content was framed, and what it was.
async fn echo(request: Request<Incoming>) -> Result<Response<Full>, ReadError> {
    let named = |name: &str| request.headers().contains_key(name);
    let framing = match (named("content-length"), named("transfer-encoding")) {
        (true, _) => "length",
        (_, true) => "chunked",
        _ => "none",
    };
    let content = request.into_body().bytes(1 << 20).await?;
    Ok(Response::new(Full::from([framing.as_bytes(), b" ", &content].concat())))
}

async fn whatever_people_have_is_content<W: Networked>(world: W) -> Outcome {
    /// As in a program: nothing but the content is named.
    async fn sent<C, R, B, K>(client: &Client<C, R>, uri: &str, content: B) -> String
    where
        C: Connector,
        R: Runtime + Send + Sync + 'static,
        R::Timer: Send,
        B: IntoBody<K>,
    {
        let response = client.request(Request::put(uri).body(content).unwrap()).await.unwrap();
        response.into_body().text(1 << 20).await.unwrap()
    }
    let site = Site::plain(world);
    let running = site.serve(Server::on(site.world.runtime()), echo).await?;
    let (client, uri) = (site.client(Builder::new()), site.uri(running.address, "/"));
    let pieces = || {
        let pieces = ["a", "b"].map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from_static(piece.as_bytes()))));
        StreamBody::new(futures_util::stream::iter(pieces))
    };
    let client = &client;
    // The requests as they stand in a program.
    let response = client.request(Request::get(&uri).body(())?).await?;
    assert_eq!(response.into_body().text(100).await?, "none ");
    let response = client.request(Request::post(&uri).body("text")?).await?;
    assert_eq!(response.into_body().text(100).await?, "length text");
    for told in [
        sent(client, &uri, "text").await,
        sent(client, &uri, String::from("text")).await,
        sent(client, &uri, &b"text"[..]).await,
        sent(client, &uri, b"text".to_vec()).await,
        sent(client, &uri, Bytes::from_static(b"text")).await,
        sent(client, &uri, Full::from("text")).await,
        sent(client, &uri, http_body_util::Full::new(Bytes::from_static(b"text"))).await,
        sent(client, &uri, http_body_util::Full::new(&b"text"[..])).await,
        sent(client, &uri, Limited::new(Full::from("text"), 4)).await,
        sent(client, &uri, BoxBody::new(Full::from("text"))).await,
        sent(client, &uri, UnsyncBoxBody::new(Full::from("text"))).await,
        sent(client, &uri, Either::<Full, Empty<Bytes>>::Left("text".into())).await,
        sent(client, &uri, Box::pin(Full::from("text"))).await,
    ] {
        assert_eq!(told, "length text");
    }
    assert_eq!(sent(client, &uri, pieces()).await, "chunked ab");
    assert_eq!(sent(client, &uri, UnsyncBoxBody::new(pieces())).await, "chunked ab");
    // This one does not tell how long it is.
    let mapped = Full::from("text").map_frame(|frame| frame.map_data(|data| data));
    assert_eq!(sent(client, &uri, mapped).await, "chunked text");
    for told in [
        sent(client, &uri, ()).await,
        sent(client, &uri, "").await,
        sent(client, &uri, String::new()).await,
        sent(client, &uri, Vec::new()).await,
        sent(client, &uri, Empty::<Bytes>::new()).await,
        sent(client, &uri, Incoming::empty()).await,
    ] {
        assert_eq!(told, "length ", "RFC 9110 §8.6: a PUT says that it has none");
    }
    // A response's content goes on as it comes.
    let response = client.request(Request::put(&uri).body("text")?).await?;
    assert_eq!(sent(client, &uri, response.into_body()).await, "length length text");
    Ok(())
}

/// What was not sent comes back, and is content itself.
async fn what_was_not_sent_is_content_again<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let running = site.serve(Server::on(site.world.runtime()), echo).await?;
    let client = site.client(Builder::new().connect_retries(0));
    let closed = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let error = client.request(Request::put(site.uri(closed, "/")).body("text")?).await.unwrap_err();
    let mut request = error.into_request().ok_or("nothing was sent")?;
    assert_eq!(request.body().size_hint().exact(), Some(4));
    *request.uri_mut() = site.uri(running.address, "/").parse()?;
    assert_eq!(client.request(request).await?.into_body().text(100).await?, "length text");
    Ok(())
}

async fn text_has_a_limit_and_is_utf8<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let running = site.serve(Server::on(site.world.runtime()), echo).await?;
    let (client, uri) = (site.client(Builder::new()), site.uri(running.address, "/"));
    let answer = async |content: &'static [u8]| client.request(Request::put(&uri).body(content).unwrap()).await;
    assert_eq!(answer("\u{e9}".as_bytes()).await?.into_body().text(9).await?, "length \u{e9}");
    assert!(matches!(answer(b"abc").await?.into_body().text(9).await, Err(ReadError::TooLong)));
    let error = answer(b"\xe9").await?.into_body().text(9).await.unwrap_err();
    assert!(matches!(&error, ReadError::NotUtf8(why) if why.valid_up_to() == 7), "{error}");
    Ok(())
}

on_both! {
    whatever_people_have_is_content
    what_was_not_sent_is_content_again
    text_has_a_limit_and_is_utf8
}
