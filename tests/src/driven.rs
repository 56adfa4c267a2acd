//! A machine, driven by its typed calls or by the model's inputs: what it reads must not depend on that.

use bytes::{Bytes, BytesMut};
use http_core::model::{Action, Input, Modelled, apply};
use http_core::{Connection, Instant, ProtocolError};

/// By what a machine is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The calls of its type.
    Calls,
    /// [`apply`]
    Model,
}

/// A machine with the buffer that it is lent, at a time that stands still.
pub(crate) struct Driven<S> {
    pub(crate) machine: Connection<S>,
    pub(crate) input: BytesMut,
    via: Via,
    /// What the model said is to be written.
    told: Vec<u8>,
}

impl<S: Modelled> Driven<S> {
    pub(crate) const fn new(machine: Connection<S>, input: BytesMut, via: Via) -> Self {
        Self { machine, input, via, told: Vec::new() }
    }

    pub(crate) fn receive(&mut self, piece: &[u8]) {
        match self.via {
            Via::Calls => self.input.extend_from_slice(piece),
            Via::Model => drop(self.apply(Input::Received(Bytes::copy_from_slice(piece)))),
        }
    }

    /// Makes the call that `input` names, or applies it.
    ///
    /// # Panics
    /// If the machine calls it a misuse.
    pub(crate) fn command(&mut self, input: Input, call: impl FnOnce(&mut Connection<S>, Input)) {
        match self.via {
            Via::Calls => call(&mut self.machine, input),
            Via::Model => {
                for action in self.apply(input) {
                    assert!(!matches!(action, Action::Misused(_)), "{action}");
                }
            }
        }
    }

    /// Checks that the model told of everything that was written, in order and once.
    ///
    /// # Panics
    /// If it did not.
    pub(crate) fn check_written(&self, written: &[u8]) {
        if self.via == Via::Model {
            assert!(self.told == written, "the model told of other bytes than were written");
        }
    }

    fn apply(&mut self, input: Input) -> Vec<Action> {
        let mut actions = Vec::new();
        apply(&mut self.machine, &mut self.input, input, Instant::ZERO, &mut |action| actions.push(action));
        for action in &actions {
            if let Action::Write(bytes) = action {
                self.told.extend_from_slice(bytes);
            }
        }
        actions
    }

    pub(crate) fn poll(&mut self) -> Result<Option<S::Event>, ProtocolError> {
        if self.via == Via::Calls {
            return self.machine.poll_event(&mut self.input, Instant::ZERO);
        }
        let mut polled = Ok(None);
        for action in self.apply(Input::Poll) {
            match action {
                Action::Failed(error) => polled = Err(error),
                Action::Write(_) | Action::Wants { .. } => {}
                action => polled = Ok(Some(S::event(action).expect("a poll leads to an event of its side"))),
            }
        }
        polled
    }
}
