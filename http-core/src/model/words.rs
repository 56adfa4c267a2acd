//! Inputs and actions in words, one line each: no content, and no field values.

use core::fmt;
use core::time::Duration;

use super::{Action, Input};
use crate::connection::exchange::End;
use crate::connection::flow::Interest;
use crate::message::content::Content;
use crate::message::field::Fields;
use crate::message::head::{RequestHead, ResponseHead};
use crate::{client, server};

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Received(bytes) => write!(f, "received {}", Glimpse(bytes)),
            Self::Poll => f.write_str("asked what comes next"),
            Self::Eof(End::Clean) => f.write_str("the peer ended its side"),
            Self::Eof(End::Unclean) => f.write_str("the connection broke"),
            Self::WriteError => f.write_str("the transport takes no more"),
            Self::Sent(count) => write!(f, "{count} bytes were sent"),
            Self::Timeout => f.write_str("a deadline passed"),
            Self::Date(date) => write!(f, "the date is {}", date.escape_ascii()),
            Self::WantContent => f.write_str("the application asks for content"),
            Self::DiscardContent => f.write_str("the application drops the content"),
            Self::SendInterim(head) => write!(f, "the application sends interim {}", head.status()),
            Self::SendResponse(head, content) => {
                write!(f, "the application answers {}, {}", head.status(), Amount(content))
            }
            Self::SendRequest(head, content) => {
                write!(f, "the application requests {}, {}", Line(head), Amount(content))
            }
            Self::LimitResponse(most) => write!(f, "the application waits {most:?} for the response"),
            Self::LimitContent(pause, rate) => {
                write!(f, "the application waits {pause:?} for a piece of content, of which {rate} bytes come a second")
            }
            Self::SendContent(bytes) | Self::SendContentCopy(bytes) => {
                write!(f, "the application sends {} bytes of content", bytes.len())
            }
            Self::SendEnd(trailers) => write!(f, "the application ends its message{}", Trailers(trailers)),
            Self::Close => f.write_str("the application closes when all is answered"),
            Self::Abandon => f.write_str("the application gives the exchange up"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(bytes) => write!(f, "write {}", Glimpse(bytes)),
            Self::Server(event) => write!(f, "event: {event}"),
            Self::Client(event) => write!(f, "event: {event}"),
            Self::Begun(id) => write!(f, "exchange {} begins", id.0),
            Self::Failed(error) => write!(f, "the peer is at fault {error}"),
            Self::Misused(misuse) => write!(f, "refused: {misuse}"),
            Self::Wants { interest, after, .. } => write!(f, "{}", Wants(*interest, *after)),
        }
    }
}

impl fmt::Display for server::Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(head) => write!(f, "request {}", Line(head)),
            Self::Content(bytes) => write!(f, "{} bytes of content", bytes.len()),
            Self::ChunkExtensions(bytes) => write!(f, "{} bytes of chunk extensions", bytes.len()),
            Self::End(trailers) => write!(f, "the request is complete{}", Trailers(trailers)),
            Self::Switched => f.write_str("the connection speaks another protocol"),
            Self::Closed(why) => write!(f, "closed: {why}"),
        }
    }
}

impl fmt::Display for client::Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interim(head) => write!(f, "interim response {}", Status(head)),
            Self::Response(head) => write!(f, "response {}", Status(head)),
            Self::Content(bytes) => write!(f, "{} bytes of content", bytes.len()),
            Self::ChunkExtensions(bytes) => write!(f, "{} bytes of chunk extensions", bytes.len()),
            Self::End(trailers) => write!(f, "the response is complete{}", Trailers(trailers)),
            Self::Switched => f.write_str("the connection speaks another protocol"),
            Self::Closed(why) => write!(f, "closed: {why}"),
        }
    }
}

/// How many bytes, and the first line of a head among them.
struct Glimpse<'a>(&'a [u8]);

impl fmt::Display for Glimpse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())?;
        let line = self.0.split(|&b| b == b'\r').next().unwrap_or_default();
        let is_start_line = line.len() <= 80
            && (line.starts_with(b"HTTP/1.") || line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0"));
        if is_start_line { write!(f, ": {}", line.escape_ascii()) } else { Ok(()) }
    }
}

struct Line<'a>(&'a RequestHead);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.method().as_str(), self.0.target().escape_ascii())
    }
}

struct Status<'a>(&'a ResponseHead);

impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.status().as_u16(), self.0.reason_phrase().escape_ascii())
    }
}

struct Amount<'a>(&'a Content);

impl fmt::Display for Amount<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Content::Empty => f.write_str("without content"),
            Content::Full(bytes) => write!(f, "with {} bytes of content", bytes.len()),
            Content::Sized(length) => write!(f, "{length} bytes of content follow"),
            Content::Streaming => f.write_str("content of unknown length follows"),
        }
    }
}

struct Trailers<'a>(&'a Fields);

impl fmt::Display for Trailers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            0 => Ok(()),
            count => write!(f, ", {count} trailer fields"),
        }
    }
}

struct Wants(Interest, Option<Duration>);

impl fmt::Display for Wants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.0.lend > 0, self.0.write, self.0.shutdown, self.0.close) {
            (.., true) => "wants the transport dropped",
            (.., true, _) => "wants its sending side shut down, and reads on",
            (true, true, ..) => "wants to read and write",
            (true, false, ..) => "wants to read",
            (false, true, ..) => "wants to write",
            (false, false, ..) => "wants nothing from the transport",
        })?;
        match self.1 {
            Some(after) if after.subsec_nanos() == 0 => write!(f, "; wakes in {} s", after.as_secs()),
            Some(after) => write!(f, "; wakes in {after:.1?}"),
            None => Ok(()),
        }
    }
}
