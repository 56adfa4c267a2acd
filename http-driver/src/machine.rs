//! The machines behind one trait: the calls that both roles share, and how an action tells an event.

use bytes::BytesMut;
use http_core::model::{Action, Machine};
use http_core::{End, Instant, Memory, Outbox, ProtocolError, client, server};

/// What the driver calls on a machine of either role.
pub(crate) trait Role: Machine {
    /// What the machine tells the application.
    type Event;

    fn poll_event(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Self::Event>, ProtocolError>;
    fn handle_eof(&mut self, end: End, now: Instant);
    fn handle_write_error(&mut self, now: Instant);
    fn handle_sent(&mut self, count: usize, now: Instant);
    fn handle_timeout(&mut self, now: Instant);
    fn outbox(&mut self) -> &mut Outbox;
    /// Whether no exchange is open, so that memory can be given back.
    fn is_idle(&self) -> bool;
    fn take_memory(&mut self) -> Memory;
    fn give_memory(&mut self, memory: Memory);
    /// The event that an action tells, if it does.
    fn event(action: Action) -> Option<Self::Event>;
}

macro_rules! shared {
    () => {
        fn poll_event(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Self::Event>, ProtocolError> {
            self.poll_event(input, now)
        }

        fn handle_eof(&mut self, end: End, now: Instant) {
            self.handle_eof(end, now);
        }

        fn handle_write_error(&mut self, now: Instant) {
            self.handle_write_error(now);
        }

        fn handle_sent(&mut self, count: usize, now: Instant) {
            self.handle_sent(count, now);
        }

        fn handle_timeout(&mut self, now: Instant) {
            self.handle_timeout(now);
        }

        fn outbox(&mut self) -> &mut Outbox {
            self.outbox()
        }

        fn take_memory(&mut self) -> Memory {
            self.take_memory()
        }

        fn give_memory(&mut self, memory: Memory) {
            self.give_memory(memory);
        }
    };
}

impl Role for server::Connection {
    type Event = server::Event;

    shared!();

    fn is_idle(&self) -> bool {
        !self.is_answering()
    }

    fn event(action: Action) -> Option<Self::Event> {
        match action {
            Action::Server(event) => Some(event),
            _ => None,
        }
    }
}

impl Role for client::Connection {
    type Event = client::Event;

    shared!();

    fn is_idle(&self) -> bool {
        self.exchange().is_none()
    }

    fn event(action: Action) -> Option<Self::Event> {
        match action {
            Action::Client(event) => Some(event),
            _ => None,
        }
    }
}
