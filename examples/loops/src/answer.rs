//! What every loop that has the core alone serves.

use bytes::Bytes;
use http_core::server::{Connection, Event};
use http_core::{Content, Fields, Framing, Instant, Misuse, ResponseHead, StatusCode};

/// The application: it sends back what it is sent, as it comes, and greets who sends nothing.
///
/// # Errors
/// The event was answered too late, or too much waits: whoever asks for the next event when the last answer was sent
/// does not see one.
pub fn answer(connection: &mut Connection, event: Event, now: Instant) -> Result<(), Misuse> {
    match event {
        Event::Request(request) => {
            let content = match request.framing() {
                Framing::None => Content::Full(Bytes::from_static(b"Hello\n")),
                Framing::Length(length) => Content::of_length(Some(length)),
                _ => Content::Streaming,
            };
            connection.recycle(request);
            connection.want_content(now);
            let head = ResponseHead::new(StatusCode::OK).with("Content-Type", "text/plain")?;
            connection.send_response(&head, content, now)
        }
        Event::Content(content) => connection.send_content(content, now),
        Event::End(_) if connection.awaits_content() => connection.send_end(&Fields::new(), now),
        _ => Ok(()),
    }
}
