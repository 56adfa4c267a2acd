//! A connection is made, beside those who wait for it.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::sync::Arc;

use http_core::dispatch::{ConnectCause, ConnectionId, Input};

use super::carrier::Carrier;
use super::core::{Core, Held};
use super::keeper::keep;
use super::task;
use crate::client::connection::Connection;
use crate::client::origin::Connector;
use crate::client::pool::Wanted;
use crate::io::{Runtime, RuntimeId};

impl<C, R> Core<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    /// Has done what is to be done on a runtime, which the caller is polled on.
    pub(in crate::client) fn attend(self: &Arc<Self>, runtime: RuntimeId) {
        let (wanted, kept) = self.pool.wanted(runtime);
        if !kept {
            self.runtime.spawn(keep(self.clone(), runtime));
        }
        for wanted in wanted {
            self.runtime.spawn(make(self.clone(), wanted, runtime));
        }
    }
}

/// Makes a connection.
fn make<C, R>(core: Arc<Core<C, R>>, wanted: Wanted, runtime: RuntimeId) -> impl Future<Output = ()> + Send
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    // Not in the future itself: a task may be dropped before it was polled.
    let making = Making { core, id: wanted.connection, open: true };
    carry_out(making, wanted, runtime)
}

async fn carry_out<C, R>(mut making: Making<C, R>, wanted: Wanted, runtime: RuntimeId)
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    let Wanted { connection: id, origin, name, slot } = wanted;
    let core = making.core.clone();
    let mut watched = core.watching.making(&name, core.now());
    let made = {
        let mut connecting = pin!(core.connector.connect_in_stages(&name, &slot.stage));
        poll_fn(|cx| {
            if slot.poll_close(cx).is_some() {
                return Poll::Ready(None);
            }
            let Some(watched) = &mut watched else { return connecting.as_mut().poll(cx).map(Some) };
            let polled = watched.span().within(|| connecting.as_mut().poll(cx));
            watched.look(&slot.stage, core.now());
            polled.map(Some)
        })
        .await
    };
    making.open = false;
    let transport = match made {
        Some(Ok(transport)) => transport,
        Some(Err(error)) => return core.pool.unmade(id, error, core.now()),
        // The dispatcher knows: it was its order.
        None => return core.pool.leave(id),
    };
    core.pool.named(origin, |named| named.unreached = None);
    let seen = watched.map(|watched| watched.made(&core.watching, &slot.stage, &transport, core.now()));
    let (seen, phases) = seen.map_or((None, None), |(seen, phases)| (Some(Box::new(seen)), phases));
    let tap = core.pool.tap(id).or(phases);
    let connection = Connection::with_tap(transport, core.runtime.clone(), core.config_for(origin), tap);
    let mut carrier = Carrier::new(connection, id, slot, runtime);
    carrier.seen = seen;
    let held = Held::new(carrier);
    if core.pool.pipelines {
        let _ = core.pool.input(Input::Connected(id), core.now());
        task::carry(core, held, true).await;
    } else {
        core.pool.ready(id, held, true, core.now());
    }
}

/// A connection that is being made. Dropped with its runtime, or by a panic of what the application brought along, the
/// dispatcher hears of it, so that nobody waits for it.
struct Making<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    core: Arc<Core<C, R>>,
    id: ConnectionId,
    open: bool,
}

impl<C, R> Drop for Making<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn drop(&mut self) {
        if self.open {
            let panics = std::thread::panicking();
            let cause = if panics { ConnectCause::Misconfigured } else { ConnectCause::Abandoned };
            self.core.pool.unmade(self.id, cause.into(), self.core.now());
        }
    }
}
