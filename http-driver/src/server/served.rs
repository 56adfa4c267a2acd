//! A connection of a server, from the moment when it was accepted: its handshake, then what serves it.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;

use http_core::Phase;

use super::incident::{Fault, Observed, Observer};
use super::shutdown::{Stage, Watch};
use super::switched::Switched;
use crate::clock;
use crate::error::Error;
use crate::io::{Runtime, Timer, Transport};

/// A connection of a server. What a handshake takes that is waited for is there for as long as that goes on, and
/// nothing of it stands beside what serves the connection then.
pub(super) enum Served<T, R, C, G> {
    Accepted(Option<Accepted<T, R, C>>),
    Beginning(Pin<Box<dyn Future<Output = Option<G>> + Send>>),
    Serving(G),
    Over,
}

/// A connection whose handshake was not looked at yet.
pub(super) struct Accepted<T, R, C> {
    transport: T,
    watch: Watch,
    handshake: Handshake<R>,
    serving: C,
}

impl<T, R, C, G> Served<T, R, C, G> {
    /// What is served with what `serving` makes, once the handshake is done.
    pub(super) const fn accepted(transport: T, watch: Watch, handshake: Handshake<R>, serving: C) -> Self {
        Self::Accepted(Some(Accepted { transport, watch, handshake, serving }))
    }
}

impl<T, R, C, G> Unpin for Served<T, R, C, G> {}

impl<T, R, C, G> Future for Served<T, R, C, G>
where
    T: Transport + Send + 'static,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
    C: FnOnce(T, Watch, Option<Box<Observed>>) -> Option<G> + Send + 'static,
    G: Future<Output = Result<Option<Switched<T>>, Error>> + Unpin + 'static,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            *self = match &mut *self {
                Self::Accepted(accepted) => match accepted.take() {
                    Some(accepted) => accepted.begin(cx),
                    None => Self::Over,
                },
                Self::Beginning(beginning) => match ready!(beginning.as_mut().poll(cx)) {
                    Some(serving) => Self::Serving(serving),
                    None => Self::Over,
                },
                Self::Serving(serving) => {
                    let ended = ready!(Pin::new(serving).poll(cx));
                    if let Ok(Some(switched)) = ended {
                        // What is left of the connection goes before it.
                        *self = Self::Over;
                        switched.deliver();
                    }
                    Self::Over
                }
                Self::Over => return Poll::Ready(()),
            }
        }
    }
}

impl<T, R, C> Accepted<T, R, C>
where
    T: Transport + Send + 'static,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn begin<G>(self, cx: &mut Context<'_>) -> Served<T, R, C, G>
    where
        C: FnOnce(T, Watch, Option<Box<Observed>>) -> Option<G> + Send + 'static,
    {
        let Self { mut transport, mut watch, handshake, serving } = self;
        let (mut observed, mut polled) = (handshake.follow(&transport), None);
        // Most have no handshake, and nobody who is told of it.
        if observed.is_none() && watch.stage(cx) == Stage::Open {
            let looked = transport.poll_handshake(cx);
            if let Poll::Ready(Ok(())) = looked {
                return serving(transport, watch, None).map_or(Served::Over, Served::Serving);
            }
            polled = Some(looked);
        }
        Served::Beginning(Box::pin(async move {
            let done = handshake.done(&mut transport, &mut watch, &mut observed, polled).await;
            if done { serving(transport, watch, observed) } else { None }
        }))
    }
}

/// What the handshakes of a server have in common.
pub(super) struct Handshake<R> {
    pub(super) runtime: R,
    /// How long one may take.
    pub(super) most: Duration,
    pub(super) observer: Option<Observer>,
}

impl<R: Runtime> Handshake<R> {
    pub(super) fn follow<T: Transport>(&self, transport: &T) -> Option<Box<Observed>> {
        self.observer.as_ref().and_then(|observer| observer.follow(transport))
    }

    /// Whether the transport's handshake is done; not if it failed or took too long, or had not begun when a shutdown
    /// did. `polled` is what came of it already.
    pub(super) async fn done<T: Transport>(
        &self,
        transport: &mut T,
        watch: &mut Watch,
        observed: &mut Option<Box<Observed>>,
        mut polled: Option<Poll<io::Result<()>>>,
    ) -> bool {
        let mut timer = None;
        let done = poll_fn(|cx| {
            let stage = watch.stage(cx);
            if stage == Stage::Cut {
                if let Some(observed) = observed {
                    observed.tell_cut(Phase::Connecting);
                }
                return Poll::Ready(false);
            }
            if let Poll::Ready(result) = polled.take().unwrap_or_else(|| transport.poll_handshake(cx)) {
                if let (Some(observed), Err(error)) = (&observed, &result) {
                    // Who has said nothing may go, as who idles.
                    if error.kind() != io::ErrorKind::UnexpectedEof || transport.has_received() {
                        observed.tell(Fault::Handshake(error), None, Phase::Connecting);
                    }
                }
                return Poll::Ready(result.is_ok());
            }
            if stage == Stage::Begun && !transport.has_received() {
                return Poll::Ready(false);
            }
            let timer = timer.get_or_insert_with(|| clock::timer(&self.runtime, self.most));
            timer.poll(cx).map(|()| {
                if let Some(observed) = &observed {
                    observed.tell(Fault::Handshake(&io::ErrorKind::TimedOut.into()), None, Phase::Connecting);
                }
                false
            })
        });
        if !done.await {
            return false;
        }
        if let Some(observed) = observed {
            observed.meet(transport);
        }
        true
    }
}
