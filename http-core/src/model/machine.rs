//! The machines behind one trait: each input is one call.

use bytes::{Bytes, BytesMut};

use super::{Action, Canonical, Input};
use crate::connection::flow::Interest;
use crate::connection::phase::Phase;
use crate::message::misuse::Misuse;
use crate::time::Instant;
use crate::{client, server};

/// A machine of bytes: [`server::Connection`] or [`client::Connection`].
///
/// ```
/// use http_core::model::Machine;
/// use http_core::{Config, Instant, client, server};
/// fn name(machine: &impl Machine) -> String {
///     machine.phase().to_string()
/// }
/// let config = std::sync::Arc::new(Config::default());
/// assert_eq!(name(&server::Connection::new(config.clone(), Instant::ZERO)), "idle");
/// assert_eq!(name(&client::Connection::new(config, Instant::ZERO)), "idle");
/// ```
pub trait Machine: Clone {
    /// Makes the one call that `input` stands for, and tells its result. An input for another kind of machine is
    /// answered with [`Misuse::WrongMachine`].
    fn call(&mut self, buffer: &mut BytesMut, input: Input, now: Instant, f: &mut impl FnMut(Action));

    /// As the connection's `interest`.
    fn interest(&self) -> Interest;

    /// As the connection's `poll_timeout`.
    fn poll_timeout(&self) -> Option<Instant>;

    /// As the connection's `phase`.
    fn phase(&self) -> Phase;

    /// The state as seen at `now`, for comparing states.
    fn canonical(&self, now: Instant) -> Canonical;

    /// How many bytes were ever queued.
    fn queued(&self) -> u64;

    /// The last `count` bytes that were queued.
    fn newest(&self, count: u64) -> Bytes;
}

fn tell(result: Result<(), Misuse>, f: &mut impl FnMut(Action)) {
    if let Err(misuse) = result {
        f(Action::Misused(misuse));
    }
}

macro_rules! getters {
    () => {
        fn interest(&self) -> Interest {
            self.interest()
        }

        fn poll_timeout(&self) -> Option<Instant> {
            self.poll_timeout()
        }

        fn phase(&self) -> Phase {
            self.phase()
        }

        fn canonical(&self, now: Instant) -> Canonical {
            Canonical::of(|out| self.describe(out, now))
        }

        fn queued(&self) -> u64 {
            self.queue().queued()
        }

        fn newest(&self, count: u64) -> Bytes {
            self.queue().newest(count)
        }
    };
}

impl Machine for server::Connection {
    fn call(&mut self, buffer: &mut BytesMut, input: Input, now: Instant, f: &mut impl FnMut(Action)) {
        match input {
            Input::Received(bytes) => buffer.extend_from_slice(&bytes),
            Input::Poll => match self.poll_event(buffer, now) {
                Ok(Some(event)) => f(Action::Server(event)),
                Ok(None) => {}
                Err(error) => f(Action::Failed(error)),
            },
            Input::Eof(end) => self.handle_eof(end, now),
            Input::WriteError => self.handle_write_error(now),
            Input::Sent(count) => self.handle_sent(count, now),
            Input::Timeout => self.handle_timeout(now),
            Input::Date(date) => self.handle_date(date),
            Input::WantContent => self.want_content(now),
            Input::DiscardContent => self.discard_content(now),
            Input::SendInterim(head) => tell(self.send_interim(&head, now), f),
            Input::SendResponse(head, content) => tell(self.send_response(&head, content, now), f),
            Input::SendContent(content) => tell(self.send_content(content, now), f),
            Input::SendContentCopy(content) => tell(self.send_content_copy(&content, now), f),
            Input::SendEnd(trailers) => tell(self.send_end(&trailers, now), f),
            Input::Close => self.close(now),
            Input::Abandon => self.abandon(now),
            Input::SendRequest(..) | Input::LimitResponse(_) => f(Action::Misused(Misuse::WrongMachine)),
        }
    }

    getters!();
}

impl Machine for client::Connection {
    fn call(&mut self, buffer: &mut BytesMut, input: Input, now: Instant, f: &mut impl FnMut(Action)) {
        match input {
            Input::Received(bytes) => buffer.extend_from_slice(&bytes),
            Input::Poll => match self.poll_event(buffer, now) {
                Ok(Some(event)) => f(Action::Client(event)),
                Ok(None) => {}
                Err(error) => f(Action::Failed(error)),
            },
            Input::Eof(end) => self.handle_eof(end, now),
            Input::WriteError => self.handle_write_error(now),
            Input::Sent(count) => self.handle_sent(count, now),
            Input::Timeout => self.handle_timeout(now),
            Input::SendRequest(head, content) => match self.send_request(&head, content, now) {
                Ok(id) => f(Action::Begun(id)),
                Err(misuse) => f(Action::Misused(misuse)),
            },
            Input::LimitResponse(most) => self.limit_response(most, now),
            Input::SendContent(content) => tell(self.send_content(content, now), f),
            Input::SendContentCopy(content) => tell(self.send_content_copy(&content, now), f),
            Input::SendEnd(trailers) => tell(self.send_end(&trailers, now), f),
            Input::Close => self.close(now),
            Input::Abandon => self.abandon(now),
            Input::Date(_)
            | Input::WantContent
            | Input::DiscardContent
            | Input::SendInterim(_)
            | Input::SendResponse(..) => f(Action::Misused(Misuse::WrongMachine)),
        }
    }

    getters!();
}
