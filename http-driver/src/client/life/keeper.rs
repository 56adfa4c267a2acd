//! The keeper of a runtime: it keeps the dispatcher's time, and looks after connections that idle.

use core::future::{Future, poll_fn};
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use http_core::client::Readiness;
use http_core::dispatch::LostCause;

use super::core::{Core, Held};
use crate::client::origin::Connector;
use crate::client::pool::{Bell, Stir};
use crate::clock;
use crate::io::{Runtime, RuntimeId, Timer};
use crate::template::Templates;

/// Keeps a runtime's connections until the client is gone. What it does others do as well, if it is not polled: a
/// request that waits sees to what is due, and whoever takes a connection looks at it first.
pub(super) fn keep<C, R>(core: Arc<Core<C, R>>, runtime: RuntimeId) -> impl Future<Output = ()> + Send
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    // Not in the future itself: a task may be dropped before it was polled.
    let keeper = Keeper { core, runtime };
    let mut timer: Option<R::Timer> = None;
    poll_fn(move |cx| {
        let core = &keeper.core;
        loop {
            let Some(round) = core.pool.round(runtime, cx.waker(), core.now()) else { return Poll::Ready(()) };
            core.attend(runtime);
            let looked = !round.look.is_empty();
            for (held, leftover) in round.look {
                keeper.look_at(held, leftover, &round.bell);
            }
            if looked {
                continue;
            }
            let Some(due) = round.due else { return Poll::Pending };
            if clock::set(&mut timer, &core.runtime, due).poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
}

struct Keeper<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    core: Arc<Core<C, R>>,
    runtime: RuntimeId,
}

impl<C, R> Keeper<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    /// Looks at a connection that nobody uses, and has its transport tell when it has something to say.
    fn look_at(&self, mut held: Held<C, R>, leftover: bool, bell: &Arc<Bell>) {
        let carrier = held.carrier();
        let (id, now) = (carrier.id, carrier.connection.now());
        carrier.polled_on(self.runtime);
        // It idles.
        carrier.templates = Templates::NONE;
        let stir =
            carrier.stir.get_or_insert_with(|| Waker::from(Arc::new(Stir { bell: bell.clone(), connection: id })));
        let stir = stir.clone();
        let cx = &mut Context::from_waker(&stir);
        let over = match leftover {
            true => match carrier.poll_rest(cx) {
                Poll::Ready(Ok(())) => return self.core.pool.ready(id, held, false, now),
                Poll::Ready(Err(cause)) => Some(cause),
                Poll::Pending => None,
            },
            false => (carrier.connection.poll_readiness(cx) == Readiness::Closing).then_some(LostCause::Eof),
        };
        match over {
            Some(cause) => drop(self.core.lose_by(held, cause, None)),
            None => {
                carrier.connection.drop_idle_timer();
                self.core.pool.watch(id, held, now);
            }
        }
    }
}

impl<C, R> Drop for Keeper<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn drop(&mut self) {
        self.core.pool.unkept(self.runtime, self.core.now());
    }
}
