//! A transport that a shutdown may end.

use core::task::{Context, Poll, Waker};
use std::io;
use std::sync::{Mutex, MutexGuard};

use http_core::Phase;

use crate::io::Transport;
use crate::lock::lock;
use crate::server::{Fault, Observed};

/// A transport that can be taken from its tunnel, which need not be polled for it.
pub(crate) struct Line {
    ends: Mutex<Ends>,
    observed: Option<Box<Observed>>,
}

struct Ends {
    transport: Option<Box<dyn Transport + Send>>,
    /// The tasks that wait for either direction: a tunnel may be split between two.
    waiting: [Option<Waker>; 2],
}

#[derive(Clone, Copy)]
pub(super) enum Direction {
    Reading,
    Writing,
}

impl Line {
    pub(super) fn new(transport: impl Transport + Send + 'static, observed: Option<Box<Observed>>) -> Self {
        let ends = Ends { transport: Some(Box::new(transport)), waiting: [None, None] };
        Self { ends: Mutex::new(ends), observed }
    }

    fn lock(&self) -> MutexGuard<'_, Ends> {
        lock(&self.ends)
    }

    pub(super) fn poll<O>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut (dyn Transport + Send), &mut Context<'_>) -> Poll<io::Result<O>>,
    ) -> Poll<io::Result<O>> {
        let mut ends = self.lock();
        let Some(transport) = &mut ends.transport else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        };
        let polled = poll(&mut **transport, cx);
        if polled.is_pending() {
            let waiting = &mut ends.waiting[direction as usize];
            if !waiting.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                *waiting = Some(cx.waker().clone());
            }
        }
        polled
    }

    /// Drops the transport, and wakes whoever waits for it.
    pub(crate) fn cut(&self) {
        let mut ends = self.lock();
        let (transport, waiting) = (ends.transport.take(), core::mem::take(&mut ends.waiting));
        drop(ends);
        if transport.is_none() {
            return;
        }
        drop(transport);
        if let Some(observed) = &self.observed {
            observed.tell(Fault::Cut, None, Phase::Idle);
        }
        waiting.into_iter().flatten().for_each(Waker::wake);
    }
}
