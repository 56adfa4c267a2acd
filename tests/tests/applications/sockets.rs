//! A WebSocket (RFC 6455) of the application's own, on whichever hand-over the server offers.

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, UPGRADE};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Answers to a key of RFC 6455 §1.3, the only one that it knows, and sends back what it gets.
pub(crate) async fn echo(mut request: Request) -> Response {
    let value = |name| request.headers().get(name).map(|value| value.as_bytes());
    if !value("upgrade").is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket")) {
        return (StatusCode::UPGRADE_REQUIRED, [(UPGRADE, "websocket")]).into_response();
    }
    if value("sec-websocket-key").is_none_or(|key| key != b"dGhlIHNhbXBsZSBub25jZQ==") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    hand_over(&mut request);
    let fields = [
        (CONNECTION.as_str(), "upgrade"),
        (UPGRADE.as_str(), "websocket"),
        ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, fields, Body::empty()).into_response()
}

/// Answers `CONNECT`, and sends back what it gets.
pub(crate) fn tunnel(mut request: Request) -> Response {
    hand_over(&mut request);
    StatusCode::OK.into_response()
}

/// Talks on the connection once it is handed over.
fn hand_over(request: &mut Request) {
    if let Some(upgrade) = request.extensions_mut().remove::<http_tokio::Upgrade>() {
        tokio::spawn(async move {
            if let Ok(tunnel) = upgrade.await {
                let _ = talk(http_tokio::TunnelStream::from(tunnel)).await;
            }
        });
    } else {
        let upgrade = hyper::upgrade::on(request);
        tokio::spawn(async move {
            if let Ok(upgraded) = upgrade.await {
                let _ = talk(TokioIo::new(upgraded)).await;
            }
        });
    }
}

/// Sends each short frame back unmasked, up to the one that closes.
async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    loop {
        let (mut head, mut mask) = ([0; 2], [0; 4]);
        if stream.read_exact(&mut head).await.is_err() {
            // The client's direction has ended; ours says farewell.
            stream.write_all(b"\x88\x00").await?;
            return stream.shutdown().await;
        }
        stream.read_exact(&mut mask).await?;
        let mut content = vec![0; usize::from(head[1] & 0x7f)];
        stream.read_exact(&mut content).await?;
        content.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        stream.write_all(&[head[0], head[1] & 0x7f]).await?;
        stream.write_all(&content).await?;
        if head[0] & 0x0f == 8 {
            return stream.shutdown().await;
        }
    }
}
