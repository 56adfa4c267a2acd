//! The dispatcher as inputs and actions: one variant for each method that changes it, and words for both.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::action::{Action, Delivery, Job, Refused, StatusFacts};
use super::dispatcher::Dispatcher;
use super::failure::ConnectCause;
use super::ids::{ConnectionId, OriginId, RequestId};
use super::loss::LostCause;
use super::retry::Progress;
use crate::time::Instant;

/// Something that happened to a dispatcher. One variant for each of its methods that change it.
///
/// ```
/// use http_core::dispatch::Input;
/// assert_eq!(Input::Timeout.to_string(), "a deadline passed");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// `add_origin`
    AddOrigin,
    /// `remove_origin`
    RemoveOrigin(OriginId),
    /// `enqueue`
    Enqueue(Job),
    /// `cancel`
    Cancel(RequestId),
    /// `connect`
    Connect(OriginId),
    /// `drain`
    Drain,
    /// `handle_connected`
    Connected(ConnectionId),
    /// `handle_connect_failed`
    ConnectFailed(ConnectionId, ConnectCause),
    /// `handle_response_started`
    ResponseStarted(ConnectionId),
    /// `handle_response`
    Response(RequestId, StatusFacts),
    /// `handle_finished`
    Finished(RequestId),
    /// `handle_ready`
    Ready(ConnectionId),
    /// `handle_complete`
    Complete(ConnectionId, RequestId, StatusFacts, bool),
    /// `handle_claim`
    Claim(ConnectionId, RequestId),
    /// `handle_lost`
    Lost(ConnectionId, LostCause, Vec<(RequestId, Progress)>),
    /// `handle_keep_alive`
    KeepAlive(ConnectionId, Option<Duration>, Option<u32>),
    /// `handle_timeout`
    Timeout,
    /// `handle_random`
    Random(u64),
}

/// What a method returned.
///
/// ```
/// use http_core::Instant;
/// use http_core::dispatch::{Dispatcher, Input, Output, Policy, apply};
/// let mut dispatcher = Dispatcher::new(Policy::default());
/// let output = apply(&mut dispatcher, Input::AddOrigin, Instant::ZERO, &mut |_| {});
/// assert!(matches!(output, Output::Origin(_)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Output {
    /// Nothing.
    None,
    /// The origin's id.
    Origin(OriginId),
    /// The request's id, or why it was not taken.
    Request(Result<RequestId, Refused>),
    /// Whether the response is for the application.
    Delivery(Delivery),
    /// Whether the id was known, and the call had an effect.
    Known(bool),
}

/// Applies one input to a dispatcher: makes exactly the one call that it stands for, then tells `f` every action that
/// is due.
pub fn apply(dispatcher: &mut Dispatcher, input: Input, now: Instant, f: &mut impl FnMut(Action)) -> Output {
    let output = call(dispatcher, input, now);
    while let Some(action) = dispatcher.poll_action() {
        f(action);
    }
    output
}

fn call(dispatcher: &mut Dispatcher, input: Input, now: Instant) -> Output {
    match input {
        Input::AddOrigin => return Output::Origin(dispatcher.add_origin()),
        Input::RemoveOrigin(origin) => return Output::Known(dispatcher.remove_origin(origin, now)),
        Input::Enqueue(job) => return Output::Request(dispatcher.enqueue(job, now)),
        Input::Cancel(request) => return Output::Known(dispatcher.cancel(request, now)),
        Input::Connect(origin) => return Output::Known(dispatcher.connect(origin, now)),
        Input::Drain => dispatcher.drain(now),
        Input::Connected(connection) => dispatcher.handle_connected(connection, now),
        Input::ConnectFailed(connection, cause) => dispatcher.handle_connect_failed(connection, cause, now),
        Input::ResponseStarted(connection) => dispatcher.handle_response_started(connection, now),
        Input::Response(request, facts) => return Output::Delivery(dispatcher.handle_response(request, facts, now)),
        Input::Finished(request) => return Output::Known(dispatcher.handle_finished(request, now)),
        Input::Ready(connection) => dispatcher.handle_ready(connection, now),
        Input::Complete(connection, request, facts, ready) => {
            return Output::Delivery(dispatcher.handle_complete(connection, request, facts, ready, now));
        }
        Input::Claim(connection, request) => {
            return Output::Known(dispatcher.handle_claim(connection, request, now));
        }
        Input::Lost(connection, cause, unanswered) => dispatcher.handle_lost(connection, cause, &unanswered, now),
        Input::KeepAlive(connection, timeout, most) => dispatcher.handle_keep_alive(connection, timeout, most),
        Input::Timeout => dispatcher.handle_timeout(now),
        Input::Random(random) => dispatcher.handle_random(random),
    }
    Output::None
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddOrigin => f.write_str("a new origin"),
            Self::RemoveOrigin(_) => f.write_str("an origin is given up"),
            Self::Enqueue(job) => {
                let again = if job.idempotent { "idempotent" } else { "not idempotent" };
                write!(f, "a request is queued, {again}")
            }
            Self::Cancel(_) => f.write_str("a request is cancelled"),
            Self::Connect(_) => f.write_str("a connection is asked for beforehand"),
            Self::Drain => f.write_str("the client comes to an end"),
            Self::Connected(_) => f.write_str("connected"),
            Self::ConnectFailed(_, cause) => cause.fmt(f),
            Self::ResponseStarted(_) => f.write_str("a response begins"),
            Self::Response(_, facts) => write!(f, "response {}", facts.status),
            Self::Finished(_) => f.write_str("an exchange is complete"),
            Self::Ready(_) => f.write_str("the connection is free"),
            Self::Complete(_, _, facts, _) => write!(f, "response {}, complete", facts.status),
            Self::Claim(..) => f.write_str("a request takes the connection of another"),
            Self::Lost(_, cause, unanswered) => match unanswered.len() {
                0 => cause.fmt(f),
                1 => write!(f, "{cause}, a request is unanswered"),
                many => write!(f, "{cause}, {many} requests are unanswered"),
            },
            Self::KeepAlive(_, timeout, most) => write!(f, "the peer keeps idle connections {timeout:?}, {most:?}"),
            Self::Timeout => f.write_str("a deadline passed"),
            Self::Random(_) => f.write_str("a random number"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { attempt, .. } => write!(f, "connect, attempt {attempt}"),
            Self::Assign { .. } => f.write_str("send a request on it"),
            Self::Fail { failure, .. } => write!(f, "fail a request: {failure}"),
            Self::Close { cause, .. } => write!(f, "close it: {cause}"),
        }
    }
}
