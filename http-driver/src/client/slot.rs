//! What the dispatcher tells the task of one connection.

use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::Mutex;

use http_core::dispatch::RequestId;

use super::pool::lock;

/// What the dispatcher tells one connection.
#[derive(Default)]
pub(super) struct Slot(Mutex<Orders>);

#[derive(Default)]
struct Orders {
    assigned: VecDeque<RequestId>,
    close: bool,
    waker: Option<Waker>,
}

/// What a connection is to do next.
pub(super) enum Order {
    Send(RequestId),
    Close,
}

impl Slot {
    /// The next order; the task is woken when there is one.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Order> {
        let mut orders = lock(&self.0);
        if orders.close {
            return Poll::Ready(Order::Close);
        }
        if let Some(request) = orders.assigned.pop_front() {
            return Poll::Ready(Order::Send(request));
        }
        orders.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Whether the connection is to be closed at once; the task is woken when that changes.
    pub(super) fn poll_close(&self, cx: &Context<'_>) -> bool {
        let mut orders = lock(&self.0);
        orders.waker = Some(cx.waker().clone());
        orders.close
    }

    pub(super) fn order(&self, order: Order) {
        let mut orders = lock(&self.0);
        match order {
            Order::Send(request) => orders.assigned.push_back(request),
            Order::Close => orders.close = true,
        }
        let waker = orders.waker.take();
        drop(orders);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
