//! The machines as inputs and actions: each input is one call.

use bytes::BytesMut;

use super::{Action, Input};
use crate::client::{self, ClientSide};
use crate::connection::common::{Connection, Side};
use crate::message::misuse::Misuse;
use crate::server::{self, ServerSide};
use crate::time::Instant;

/// A side whose connections are applied inputs to: of a server or of a client.
///
/// ```
/// use http_core::model::{Action, Modelled};
/// use http_core::{Closed, server};
/// let action = Action::from(server::Event::Closed(Closed::ByPeer));
/// assert_eq!(server::ServerSide::event(action), Some(server::Event::Closed(Closed::ByPeer)));
/// ```
pub trait Modelled: Side<Event: Into<Action>> {
    /// The event that an action tells, if it tells one of this side.
    fn event(action: Action) -> Option<Self::Event>;

    /// Makes the call for an input that connections of both sides do not take alike, and tells its result. An input for
    /// the other side is answered with [`Misuse::WrongMachine`].
    fn command(connection: &mut Connection<Self>, input: Input, now: Instant, f: &mut impl FnMut(Action));
}

/// Applies one input to a machine: makes exactly the one typed call that it stands for, and tells `f` what that led
/// to.
pub fn apply<S: Modelled>(
    machine: &mut Connection<S>,
    buffer: &mut BytesMut,
    input: Input,
    now: Instant,
    f: &mut impl FnMut(Action),
) {
    let queued = machine.queued();
    let wanted = (machine.interest(), machine.poll_timeout());
    call(machine, buffer, input, now, f);
    let new = machine.queued() - queued;
    if new > 0 {
        f(Action::Write(machine.queue().newest(new)));
    }
    let wants = (machine.interest(), machine.poll_timeout());
    if wants != wanted {
        let (interest, wake) = wants;
        f(Action::Wants { interest, wake, after: wake.map(|at| at.saturating_since(now)) });
    }
}

/// Applies an input, then polls until nothing more is to be told.
pub fn drain<S: Modelled>(
    machine: &mut Connection<S>,
    buffer: &mut BytesMut,
    input: Input,
    now: Instant,
    f: &mut impl FnMut(Action),
) {
    apply(machine, buffer, input, now, f);
    let mut told = true;
    while told {
        told = false;
        apply(machine, buffer, Input::Poll, now, &mut |action| {
            told |= matches!(action, Action::Server(_) | Action::Client(_) | Action::Failed(_));
            f(action);
        });
    }
}

/// Makes the one call that `input` stands for, and tells its result.
fn call<S: Modelled>(
    connection: &mut Connection<S>,
    buffer: &mut BytesMut,
    input: Input,
    now: Instant,
    f: &mut impl FnMut(Action),
) {
    match input {
        Input::Received(bytes) => buffer.extend_from_slice(&bytes),
        Input::Poll => match connection.poll_event(buffer, now) {
            Ok(Some(event)) => f(event.into()),
            Ok(None) => {}
            Err(error) => f(Action::Failed(error)),
        },
        Input::Eof(end) => connection.handle_eof(end, now),
        Input::WriteError => connection.handle_write_error(now),
        Input::Sent(count) => connection.handle_sent(count, now),
        Input::Timeout => connection.handle_timeout(now),
        Input::SendContent(content) => tell(connection.send_content(content, now), f),
        Input::SendContentCopy(content) => tell(connection.send_content_copy(&content, now), f),
        Input::SendEnd(trailers) => tell(connection.send_end(&trailers, now), f),
        Input::Close => connection.close(now),
        Input::Abandon => connection.abandon(now),
        Input::Date(_)
        | Input::WantContent
        | Input::DiscardContent
        | Input::SendInterim(_)
        | Input::SendResponse(..)
        | Input::SendRequest(..)
        | Input::LimitResponse(_)
        | Input::LimitContent(..) => S::command(connection, input, now, f),
    }
}

fn tell(result: Result<(), Misuse>, f: &mut impl FnMut(Action)) {
    if let Err(misuse) = result {
        f(Action::Misused(misuse));
    }
}

impl Modelled for ServerSide {
    fn event(action: Action) -> Option<server::Event> {
        if let Action::Server(event) = action { Some(event) } else { None }
    }

    fn command(connection: &mut server::Connection, input: Input, now: Instant, f: &mut impl FnMut(Action)) {
        match input {
            Input::Date(date) => connection.handle_date(date),
            Input::WantContent => connection.want_content(now),
            Input::DiscardContent => connection.discard_content(now),
            Input::SendInterim(head) => tell(connection.send_interim(&head, now), f),
            Input::SendResponse(head, content) => tell(connection.send_response(&head, content, now), f),
            _ => f(Action::Misused(Misuse::WrongMachine)),
        }
    }
}

impl Modelled for ClientSide {
    fn event(action: Action) -> Option<client::Event> {
        if let Action::Client(event) = action { Some(event) } else { None }
    }

    fn command(connection: &mut client::Connection, input: Input, now: Instant, f: &mut impl FnMut(Action)) {
        match input {
            Input::SendRequest(head, content) => match connection.send_request(&head, content, now) {
                Ok(id) => f(Action::Begun(id)),
                Err(misuse) => f(Action::Misused(misuse)),
            },
            Input::LimitResponse(most) => connection.limit_response(most, now),
            Input::LimitContent(pause, rate) => connection.limit_content(pause, rate),
            _ => f(Action::Misused(Misuse::WrongMachine)),
        }
    }
}
