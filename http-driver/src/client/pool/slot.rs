//! What the dispatcher tells the task of one connection.

use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::Mutex;

use http_core::dispatch::{OriginId, RequestId};

use crate::client::stage::Stage;
use crate::lock::lock;

/// What the dispatcher tells one connection.
pub(in crate::client) struct Slot {
    pub(in crate::client) origin: OriginId,
    /// How far it is while it is being made.
    pub(in crate::client) stage: Stage,
    orders: Mutex<Orders>,
}

#[derive(Default)]
struct Orders {
    assigned: VecDeque<RequestId>,
    close: Option<Closing>,
    waker: Option<Waker>,
}

impl Orders {
    fn register(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.waker = Some(cx.waker().clone()),
        }
    }
}

/// What a connection is to do next.
pub(in crate::client) enum Order {
    Send(RequestId),
    Close,
    /// The deadline of its request has passed.
    CloseLate,
    /// Once no response is being read on it.
    CloseIdle,
}

/// How a connection is to be closed at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::client) enum Closing {
    Usual,
    Late,
    /// Not while a response is being read.
    Idle,
}

impl Slot {
    pub(in crate::client) fn new(origin: OriginId) -> Self {
        Self { origin, stage: Stage::default(), orders: Mutex::default() }
    }

    /// The next order; the task is woken when there is one.
    pub(in crate::client) fn poll(&self, cx: &Context<'_>) -> Poll<Order> {
        let mut orders = lock(&self.orders);
        if orders.close.is_some() {
            return Poll::Ready(Order::Close);
        }
        if let Some(request) = orders.assigned.pop_front() {
            return Poll::Ready(Order::Send(request));
        }
        orders.register(cx);
        Poll::Pending
    }

    /// Whether the connection is to be closed at once; the task is woken when that changes.
    pub(in crate::client) fn poll_close(&self, cx: &Context<'_>) -> Option<Closing> {
        self.poll_either(cx, false).0
    }

    /// The same, and the next request if there is room for it.
    #[inline]
    pub(in crate::client) fn poll_either(&self, cx: &Context<'_>, room: bool) -> (Option<Closing>, Option<RequestId>) {
        let mut orders = lock(&self.orders);
        orders.register(cx);
        let next = if room { orders.assigned.pop_front() } else { None };
        (orders.close, next)
    }

    /// What was taken as the next order could not be begun: it is still to come.
    pub(in crate::client) fn put_back(&self, request: RequestId) {
        lock(&self.orders).assigned.push_front(request);
    }

    /// Takes back what was assigned and not begun.
    pub(in crate::client) fn take_assigned(&self) -> Vec<RequestId> {
        lock(&self.orders).assigned.drain(..).collect()
    }

    /// Leaves an order; the task that is to be woken for it.
    #[must_use]
    pub(in crate::client) fn order(&self, order: Order) -> Option<Waker> {
        let mut orders = lock(&self.orders);
        match order {
            Order::Send(request) => orders.assigned.push_back(request),
            Order::Close => orders.close = Some(Closing::Usual),
            Order::CloseIdle => orders.close = orders.close.or(Some(Closing::Idle)),
            Order::CloseLate => orders.close = Some(Closing::Late),
        }
        orders.waker.take()
    }
}
