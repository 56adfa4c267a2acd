//! Wakes the connections of a server that have rested for long enough.

use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Waker};
use std::sync::Arc;
use std::task::Wake;

use super::shutdown::Shutdown;
use crate::clock;
use crate::io::{Runtime, Timer};

/// What wakes them, for as long as it is there and polled.
pub(super) struct Keeper<R: Runtime> {
    shutdown: Shutdown,
    id: u64,
    runtime: R,
    timer: Option<R::Timer>,
    call: Option<Arc<Call>>,
}

/// Calls the keeper within its task, which is woken for much else.
struct Call {
    came: AtomicBool,
    task: Waker,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.came.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

impl<R: Runtime> Keeper<R> {
    pub(super) fn new(shutdown: Shutdown, runtime: R) -> Self {
        let id = shutdown.engage();
        Self { shutdown, id, runtime, timer: None, call: None }
    }

    /// Wakes those whose time has come, if it was called; the task is woken when it is.
    #[inline]
    pub(super) fn poll(&mut self, cx: &Context<'_>) {
        let known = self.call.as_ref().filter(|call| call.task.will_wake(cx.waker()));
        if known.is_none_or(|call| call.came.load(Ordering::Acquire)) {
            self.look(cx.waker());
        }
    }

    #[cold]
    fn look(&mut self, task: &Waker) {
        // Another one for each time, so that nothing of an earlier one counts.
        let call = Arc::new(Call { came: AtomicBool::new(false), task: task.clone() });
        let waker = Waker::from(call.clone());
        self.call = Some(call);
        let mut cx = Context::from_waker(&waker);
        while let Some(at) = self.shutdown.look(self.id, clock::to_core(self.runtime.now()), &cx) {
            if clock::set(&mut self.timer, &self.runtime, at).poll(&mut cx).is_pending() {
                return;
            }
        }
        // None rests: nothing is to call but the first that does.
        self.timer = None;
    }
}

impl<R: Runtime> Drop for Keeper<R> {
    fn drop(&mut self) {
        self.shutdown.dismiss(self.id);
    }
}
