//! A connection that speaks another protocol now: after an upgrade, or through `CONNECT`.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use bytes::{Buf, Bytes, BytesMut};
use http_core::{Closed, Outbox, Phase};

use crate::buffers;
use crate::error::Error;
use crate::io::Transport;
#[cfg(feature = "hyper-compat")]
use crate::on_upgrade::Minted;
use crate::server::{Fault, Observed, Watch};

/// The most that one write takes.
const PIECE: usize = 64 * 1024;

/// A stream of bytes in both directions: what is left of a connection that was handed over (RFC 9110 §7.8, §9.3.6).
///
/// Bytes that the peer sent early come first. No deadline of the connection runs any more. The two directions end
/// apart: a read of nothing is the end of the peer's, [`end`](Self::end) is that of our own. Dropped, both are over.
///
/// Those of a [`Server`](crate::server::Server) count among its connections until they are dropped. Where its shutdown
/// takes longer than its drain they are cut: the transport is dropped then and there, and whatever is waited for, or
/// called from then on, fails with [`ConnectionAborted`](io::ErrorKind::ConnectionAborted).
///
/// The adapters have newtypes of it that implement their runtime's traits for streams.
///
/// ```
/// # use http_driver::Tunnel;
/// /// Sends back what it gets until the peer ends, then ends as well.
/// async fn echo(mut tunnel: Tunnel) -> std::io::Result<()> {
///     loop {
///         let bytes = tunnel.read().await?;
///         if bytes.is_empty() {
///             return tunnel.end().await;
///         }
///         tunnel.write(bytes).await?;
///     }
/// }
/// ```
pub struct Tunnel {
    held: Held,
    input: BytesMut,
    outbox: Outbox,
    /// Who waits until the outbox is empty.
    flushing: Option<Waker>,
}

/// The transport of a tunnel.
enum Held {
    Own(Box<dyn Transport + Send>),
    /// A shutdown may end it.
    Watched(Arc<Line>, Watch),
}

impl Held {
    fn poll<O>(
        &mut self,
        direction: Direction,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut (dyn Transport + Send), &mut Context<'_>) -> Poll<io::Result<O>>,
    ) -> Poll<io::Result<O>> {
        match self {
            Self::Own(transport) => poll(&mut **transport, cx),
            Self::Watched(line, _) => line.poll(direction, cx, poll),
        }
    }

    /// Fails once it was cut, so that what was read before does not hide that.
    fn check(&self) -> io::Result<()> {
        match self {
            Self::Watched(_, watch) if watch.is_cut() => Err(io::ErrorKind::ConnectionAborted.into()),
            _ => Ok(()),
        }
    }
}

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
enum Direction {
    Reading,
    Writing,
}

impl Line {
    fn new(transport: impl Transport + Send + 'static, observed: Option<Box<Observed>>) -> Self {
        let ends = Ends { transport: Some(Box::new(transport)), waiting: [None, None] };
        Self { ends: Mutex::new(ends), observed }
    }

    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll<O>(
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

impl Tunnel {
    /// A tunnel over a transport of which `early` was read already.
    pub fn new(transport: impl Transport + Send + 'static, early: BytesMut) -> Self {
        Self { held: Held::Own(Box::new(transport)), input: early, outbox: Outbox::default(), flushing: None }
    }

    /// The same, counted among what `watch` is of until it is dropped, and ended by its
    /// [`cut`](crate::server::Shutdown::cut).
    pub fn watched(transport: impl Transport + Send + 'static, early: BytesMut, watch: Watch) -> Self {
        Self::observed(transport, early, watch, None)
    }

    fn observed(
        transport: impl Transport + Send + 'static,
        early: BytesMut,
        mut watch: Watch,
        observed: Option<Box<Observed>>,
    ) -> Self {
        let line = Arc::new(Line::new(transport, observed));
        watch.hand_over(&line);
        Self { held: Held::Watched(line, watch), input: early, outbox: Outbox::default(), flushing: None }
    }

    /// What comes next; empty at the end of the peer's direction.
    ///
    /// # Errors
    /// The stream broke.
    ///
    /// # Cancellation
    /// Safe: nothing is lost.
    pub async fn read(&mut self) -> io::Result<Bytes> {
        poll_fn(|cx| {
            ready!(self.poll_fill(cx))?;
            Poll::Ready(Ok(self.input.split().freeze()))
        })
        .await
    }

    /// Writes all of `bytes`: the transport has them when this returns.
    ///
    /// # Errors
    /// The stream broke.
    ///
    /// # Cancellation
    /// What was not written is written with what follows.
    pub async fn write(&mut self, bytes: impl Into<Bytes>) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await?;
        self.outbox = Outbox::from(bytes.into());
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Ends our direction. The peer's goes on until it ends it.
    ///
    /// # Errors
    /// The stream broke.
    ///
    /// # Cancellation
    /// Safe: call it again.
    pub async fn end(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_end(cx)).await
    }

    /// Reads into `buffer`: how many bytes; 0 at the end, or if there is no room.
    ///
    /// # Errors
    /// The stream broke.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_pass(cx, buffer.len(), |bytes| buffer[..bytes.len()].copy_from_slice(bytes))
    }

    /// Reads at most so many bytes and passes them on: how many; 0 at the end, or if there is no room.
    pub(crate) fn poll_pass(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        on: impl FnOnce(&[u8]),
    ) -> Poll<io::Result<usize>> {
        if most == 0 {
            return Poll::Ready(Ok(0));
        }
        ready!(self.poll_fill(cx))?;
        let count = most.min(self.input.len());
        on(&self.input[..count]);
        self.input.advance(count);
        if self.input.is_empty() {
            buffers::give_back(&mut self.input);
        }
        Poll::Ready(Ok(count))
    }

    /// Takes bytes to write: how many. Those that the transport does not take at once are sent on by whoever reads,
    /// writes or flushes next; [`poll_flush`](Self::poll_flush) waits for that. They are lost if the tunnel is dropped.
    ///
    /// # Errors
    /// The stream broke.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(cx))?;
        let count = bytes.len().min(PIECE);
        self.outbox = Outbox::from(Bytes::copy_from_slice(&bytes[..count]));
        if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(count))
    }

    /// Writes until the transport has everything.
    ///
    /// # Errors
    /// The stream broke.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.held.check()?;
        let sent = self.poll_send(cx);
        self.flushing = sent.is_pending().then(|| cx.waker().clone());
        sent
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outbox.is_empty() {
            let Self { held, outbox, .. } = self;
            let count = ready!(held.poll(Direction::Writing, cx, |transport, cx| transport.poll_write(cx, outbox)))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let _ = self.outbox.advance(count);
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what waits, and ends our direction.
    ///
    /// # Errors
    /// The stream broke.
    pub fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        self.held.poll(Direction::Writing, cx, |transport, cx| transport.poll_shutdown(cx))
    }

    /// Sends on what a write has left, for a reader who waits for what comes in answer to it.
    fn push(&mut self, cx: &mut Context<'_>) {
        // The transport wakes one for writing, and another task may wait for that already.
        let waker = match &self.flushing {
            Some(other) if !other.will_wake(cx.waker()) => Arc::new(Both(other.clone(), cx.waker().clone())).into(),
            _ => cx.waker().clone(),
        };
        if self.poll_send(&mut Context::from_waker(&waker)).is_ready() {
            // An error is told to whoever writes.
            self.flushing.take().into_iter().for_each(Waker::wake);
        }
    }

    /// Reads if nothing is there.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.held.check()?;
        if !self.outbox.is_empty() {
            self.push(cx);
        }
        if !self.input.is_empty() {
            return Poll::Ready(Ok(()));
        }
        buffers::borrow(&mut self.input, buffers::SMALL, buffers::LARGE);
        let Self { held, input, .. } = self;
        let polled = held.poll(Direction::Reading, cx, |transport, cx| transport.poll_read(cx, input, buffers::SMALL));
        if self.input.is_empty() {
            buffers::give_back(&mut self.input);
        }
        polled.map_ok(drop)
    }
}

struct Both(Waker, Waker);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
        self.1.wake_by_ref();
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel").field("unread", &self.input.len()).finish_non_exhaustive()
    }
}

/// A hand-over that may come: a future that is ready with the [`Tunnel`] when the connection has been handed over.
///
/// On a server it is among the extensions of each request that offers an upgrade and of each `CONNECT`; it comes true
/// after the service has answered with 101, or with 2xx to `CONNECT`, so it is waited for in a task of its own. On a
/// client it is among the extensions of such a response. Clones share the one tunnel: the first that is ready has it.
///
/// With the feature `hyper-compat` the same requests of a server carry hyper's `OnUpgrade`, for what was written for
/// hyper: axum's `WebSocketUpgrade`, `hyper::upgrade::on`. There is still one tunnel. Whoever waits here when it comes has
/// it, and the `OnUpgrade` fails; otherwise that one is ready, and has the tunnel once it is read or written.
///
/// # Errors
/// The response did not hand the connection over, the connection failed before it could, or another clone has it.
///
/// ```
/// use http_driver::{Full, Incoming, Runtime, Upgrade};
///
/// async fn echo<R: Runtime>(runtime: R, request: http::Request<Incoming>) -> http::Response<Full> {
///     let mut response = http::Response::new(Full::default());
///     if let Some(upgrade) = request.extensions().get::<Upgrade>().cloned() {
///         runtime.spawn(async move {
///             if let Ok(mut tunnel) = upgrade.await {
///                 let _ = tunnel.write("hello").await;
///                 let _ = tunnel.end().await;
///             }
///         });
///         *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
///         response.headers_mut().insert("upgrade", http::HeaderValue::from_static("hello"));
///     }
///     response
/// }
/// ```
#[derive(Clone)]
pub struct Upgrade(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    outcome: Option<Result<Tunnel, Error>>,
    settled: bool,
    waiting: Vec<Waker>,
    /// Is told if nobody takes the tunnel.
    observed: Option<Box<Observed>>,
}

impl Drop for State {
    fn drop(&mut self) {
        if let (Some(observed), Some(Ok(_))) = (&self.observed, &self.outcome) {
            observed.tell(Fault::NotTaken, None, Phase::Idle);
        }
    }
}

impl Upgrade {
    /// A hand-over that may come, and the side that brings it.
    pub(crate) fn new() -> (Self, Promise) {
        let state = Arc::new(Mutex::new(State::default()));
        let promise = Promise {
            state: state.clone(),
            #[cfg(feature = "hyper-compat")]
            minted: None,
        };
        (Self(state), promise)
    }

    /// Whether it is known what became of it.
    #[cfg(feature = "hyper-compat")]
    pub(crate) fn is_settled(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).settled
    }
}

impl Future for Upgrade {
    type Output = Result<Tunnel, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None if state.settled => Poll::Ready(Err(Error::Closed(Closed::Abandoned))),
            None => {
                if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                    state.waiting.push(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade").finish_non_exhaustive()
    }
}

/// The side of an [`Upgrade`] that brings the tunnel. Dropped, it says that none comes.
pub(crate) struct Promise {
    state: Arc<Mutex<State>>,
    #[cfg(feature = "hyper-compat")]
    minted: Option<Minted>,
}

impl Promise {
    /// Puts an [`Upgrade`] among the extensions of a request, and hyper's `OnUpgrade` with the feature for that.
    /// Whoever waits for the former comes first.
    pub(crate) fn among(extensions: &mut http::Extensions) -> Self {
        let state = Arc::<Mutex<State>>::default();
        extensions.insert(Upgrade(state.clone()));
        Self {
            #[cfg(feature = "hyper-compat")]
            minted: Some(Minted::new(Upgrade(state.clone()), extensions)),
            state,
        }
    }

    /// Has somebody told if nobody takes the tunnel.
    fn observe(&self, observed: Option<Box<Observed>>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).observed = observed;
    }

    pub(crate) fn keep(self, tunnel: Tunnel) {
        let awaited = self.settle(Some(Ok(tunnel)));
        if !awaited {
            #[cfg(feature = "hyper-compat")]
            self.minted.iter().for_each(Minted::proceed);
        }
    }

    /// Tells whoever waits; whether anybody did.
    fn settle(&self, outcome: Option<Result<Tunnel, Error>>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.settled {
            state.settled = true;
            state.outcome = outcome;
        }
        let waiting = core::mem::take(&mut state.waiting);
        drop(state);
        let awaited = !waiting.is_empty();
        waiting.into_iter().for_each(Waker::wake);
        awaited
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.settle(None);
    }
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").finish_non_exhaustive()
    }
}

/// A connection whose service has answered with a hand-over.
///
/// ```
/// use http_driver::server::Switched;
/// fn to_whom_it_was_promised<T: http_driver::Transport + Send + 'static>(switched: Switched<T>) {
///     switched.deliver();
/// }
/// ```
#[derive(Debug)]
#[must_use = "dropped, it ends the connection that was handed over"]
pub struct Switched<T> {
    transport: T,
    early: BytesMut,
    promise: Option<Promise>,
    watch: Option<Watch>,
    observed: Option<Box<Observed>>,
}

impl<T> Switched<T> {
    pub(crate) const fn new(
        transport: T,
        early: BytesMut,
        promise: Option<Promise>,
        watch: Option<Watch>,
        observed: Option<Box<Observed>>,
    ) -> Self {
        Self { transport, early, promise, watch, observed }
    }

    /// The transport, and what was read from it and belongs to the other protocol. The service's [`Upgrade`] fails, and
    /// the connection counts among its server's no more.
    pub fn into_parts(self) -> (T, BytesMut) {
        (self.transport, self.early)
    }

    /// Hands the connection to whoever waits for the request's [`Upgrade`]. If it was watched, the [`Tunnel`] goes on
    /// counting, and its shutdown's cut ends it.
    pub fn deliver(self)
    where
        T: Transport + Send + 'static,
    {
        if let Some(promise) = self.promise {
            promise.observe(self.observed.clone());
            promise.keep(match self.watch {
                Some(watch) => Tunnel::observed(self.transport, self.early, watch, self.observed),
                None => Tunnel::new(self.transport, self.early),
            });
        }
    }
}
